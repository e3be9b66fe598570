r"""Values of decay constants in balls, at any depth.

A decay constant of a deep network is defined by the recursion of the kernel at rho = -1. Its names
are evaluated one after the other, so depth costs time linearly and no expression is written out.

>>> import symspec as ss
>>> law = ss.decay(ss.mlp(ss.relu, 8).ntk, ss.Sphere(3))
>>> print(decay_constant(law, "even", digits=20).str(15, radius=False))
5.73952798624146
>>> print(stretch_constant(ss.decay(ss.mlp(ss.tanh, 3).ck, ss.Sphere(3)), digits=20).str(15, radius=False))
2.88497262348460
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

from flint import arb
from sympy import Symbol

from symspec.decay_law import DecayLaw
from symspec.errors import NoClosedForm
from symspec.program import compile_lines

from . import real
from .constants import ball
from .precision import goal_bits, refine


def decay_constant(law: DecayLaw, parity: str, digits: Any = 30) -> arb:
    """C of mu_k ~ C k^-e for "even" or "odd" degrees, to ``digits`` significant digits.

    Raises NoClosedForm for a law that is no power law, Undecided if the digits are out of reach.
    """
    constant = law.named_constant(parity)
    if constant == 0:
        return arb(0)

    def compute(_: int) -> arb:
        values: dict[str, arb] = {}
        table = real.table(arb("nan"), arb("nan"), ball) | {"symbol": values.__getitem__}
        for symbol, definition in law.names.items():
            values[symbol.name] = _value(definition, table, law.names)
        return _value(constant, table, law.names)

    return refine(compute, goal_bits(digits), f"the decay constant of {parity} degrees")


def stretch_constant(law: DecayLaw, digits: Any = 30) -> arb:
    """c of limsup log(mu_k)/k^(2/3) = -c to ``digits`` significant digits; the largest slope is found by balls.

    Raises NoClosedForm for a law of another kind, or one whose activation is entire (c is infinite).
    """
    stretch = law.stretch
    if stretch is None or not stretch.height.is_finite:
        raise NoClosedForm(f"this kernel has no finite stretched exponential constant: {law.summary()}")

    def compute(_: int) -> arb:
        values: dict[str, arb] = {}
        table = real.table(arb("nan"), arb("nan"), ball) | {"symbol": values.__getitem__}
        for symbol, definition in stretch.names.items():
            values[symbol.name] = _value(definition, table, stretch.names)
        slopes = [_value(slope, table, stretch.names) for slope in stretch.slopes]
        largest = reduce(lambda a, b: a.max(b), slopes)
        return 3 * ((2 * ball(stretch.height) / largest.sqrt()).log() * 2 / 3).exp() / 2

    return refine(compute, goal_bits(digits), "the stretched exponential constant")


def _value(expr: Any, table: real.Table, names: Mapping[Symbol, Any]) -> arb:
    symbols: tuple[Symbol, ...] = tuple(sorted(expr.free_symbols & set(names), key=str))
    return compile_lines((), (expr,), symbols).run(table)[0]
