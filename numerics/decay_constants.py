r"""Values of decay constants in balls, at any depth.

A decay constant of a deep network is defined by the recursion of the kernel at rho = -1. Its names
are evaluated one after the other, so depth costs time linearly and no expression is written out.

>>> import symspec as ss
>>> law = ss.decay(ss.mlp(ss.relu, 8).ntk, ss.Sphere(3))
>>> print(decay_constant(law, "even", digits=20).str(15, radius=False))
5.73952798624146
"""

from __future__ import annotations

from typing import Any

from flint import arb
from sympy import Symbol

from symspec.decay_law import DecayLaw
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
            values[symbol.name] = _value(definition, table, law)
        return _value(constant, table, law)

    return refine(compute, goal_bits(digits), f"the decay constant of {parity} degrees")


def _value(expr: Any, table: real.Table, law: DecayLaw) -> arb:
    symbols: tuple[Symbol, ...] = tuple(sorted(expr.free_symbols & set(law.names), key=str))
    return compile_lines((), (expr,), symbols).run(table)[0]
