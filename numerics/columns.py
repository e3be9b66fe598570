r"""The carrier of many correlations at once: one walk through a program for a whole column of points.

Values are balls, or columns (lists) of balls, one a point. What does not depend on the correlation (variances, constants, the
numbers put in for the symbols of a program) stays a single ball and is computed once; an operation on a column calls the rule of
:mod:`numerics.real` entry by entry, so every proof made there holds here.

>>> from symspec.program import RHO, Program
>>> program = Program((), RHO**2 + 1)
>>> [value.str(5) for value in program.run(table([], [arb(0), arb(2)]))]
['1.0000', '5.0000']
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import repeat
from typing import Any

import sympy
from flint import arb

from . import real
from .constants import ball

Column = list[arb]


def table(theta: Column, rho: Column, symbols: Mapping[str, arb] | None = None) -> real.Table:
    """The operations of :data:`symspec.program.OPERATIONS` on columns, and ``symbol`` for the symbols of a tape."""
    numbers = dict(symbols or {})
    # The two inputs are the only operations that make a column out of nothing.
    rules = {name: _entrywise(rule) for name, rule in real.table(arb(0), arb(0), ball).items()}
    rules |= {"constant": ball, "theta": lambda: theta, "rho": lambda: rho, "order": lambda value, _order: value, "pow": _power, "symbol": lambda name: numbers[name]}
    return rules


def _entrywise(rule: Callable[..., arb]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        count = next((len(value) for value in values if isinstance(value, list)), None)
        if count is None:
            return rule(*values)
        return list(map(rule, *(value if isinstance(value, list) else repeat(value, count) for value in values)))

    return apply


def _power(base: Any, exponent: sympy.Rational) -> Any:
    if exponent.is_Integer:
        # The exponent is read once and not at every point.
        n = int(exponent)
        return [real.integer_power(entry, n) for entry in base] if isinstance(base, list) else real.integer_power(base, n)
    if exponent.q == 2:
        return _power(_ROOT(base), sympy.Integer(exponent.p))
    return [real.power(entry, exponent) for entry in base] if isinstance(base, list) else real.power(base, exponent)


_ROOT = _entrywise(real.sqrt)

__all__ = ["Column", "table"]
