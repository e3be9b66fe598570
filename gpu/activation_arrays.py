r"""Activations as functions of arrays, from their exact expression: what finite networks are made of.

The expression is walked with one table of rules; a step is 1 for x > 0 and 0 for x <= 0, as in :class:`symspec.terms.Step`. Values are
double precision, without a bound.

>>> import symspec as ss
>>> array_function(ss.relu)(numpy.array([-2.0, 0.5, 3.0])).tolist()
[-0.0, 0.5, 3.0]
>>> float(array_function(ss.activation("softplus"))(numpy.array(1000.0)))
1000.0
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import sympy
from sympy import Expr

from symspec.activations import Activation
from symspec.errors import NoClosedForm
from symspec.strip_functions import softplus
from symspec.terms import X

from .carrier import constant, power, special

UNARY = {sympy.exp: "exp", sympy.sin: "sin", sympy.cos: "cos", sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.tanh: "tanh", sympy.log: "log", sympy.atan: "arctan", sympy.Abs: "abs"}


def array_function(activation: Activation, xp: Any = numpy) -> Callable[[Any], Any]:
    """x -> sigma(x), entry by entry. NoClosedForm for a function that the arrays do not have."""
    expr = activation(X)
    _value(expr, xp, xp.zeros(1))
    return lambda x: _value(expr, xp, x)


def _value(expr: Expr, xp: Any, x: Any) -> Any:
    if expr == X:
        return x
    if not expr.free_symbols:
        return constant(expr)
    if expr.is_Add or expr.is_Mul:
        first, *rest = (_value(part, xp, x) for part in expr.args)
        for part in rest:
            first = first + part if expr.is_Add else first * part
        return first
    if expr.is_Pow and expr.exp.is_Rational:
        return power(xp, _value(expr.base, xp, x), expr.exp)
    argument = _value(expr.args[0], xp, x) if expr.args else x
    if isinstance(expr, sympy.Heaviside):
        return (argument > 0.0).astype(float)
    if isinstance(expr, sympy.erf):
        return special(xp, "erf")(argument)
    if isinstance(expr, softplus):
        return xp.logaddexp(0.0, argument)
    if isinstance(expr, sympy.sech):
        # 1/cosh without its overflow.
        decayed = xp.exp(-xp.abs(argument))
        return 2.0 * decayed / (1.0 + decayed * decayed)
    name = UNARY.get(expr.func)
    if name is None:
        raise NoClosedForm(f"arrays have no rule for {expr.func.__name__}; they have {', '.join(sorted(UNARY.values()))}, erf, softplus, sech and steps")
    return getattr(xp, name)(argument)


__all__ = ["array_function"]
