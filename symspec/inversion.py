r"""Exact inverses of increasing functions, with a proof that the value is met.

A covariance c(x) of a smooth layer increases on :math:`0\le x<s`, s its first singularity, so c(x) = v has
at most one root there. Where x occurs once in the expression the root is peeled out one operation at a
time, and each step is an equivalence between real numbers on the principal branch: a power has a
positive value, an arcsine one in :math:`[-\pi/2,\pi/2]`. A step out of range proves that v is not met.

>>> x = sympy.Symbol("x", real=True)
>>> inverse(3 / sympy.sqrt(4 - x**2), x, sympy.Integer(2))
sqrt(7)/2
>>> inverse(sympy.asin(x / 2), x, sympy.Integer(2)) is NEVER
True
>>> inverse(x + sympy.exp(x), x, sympy.Integer(2)) is None
True
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy
from sympy import Expr, S, Symbol, pi

NEVER = S.NaN


def inverse(expr: Expr, x: Symbol, value: Expr) -> Expr | None:
    """The x > 0 with expr = value, ``expr`` increasing in x; NEVER if there is none, None if not found or not decided."""
    while expr != x:
        if expr.is_polynomial(x) and expr.count(x) > 1:
            return _polynomial_root(sympy.Poly(expr - value, x))
        inside = [part for part in expr.args if part.has(x)]
        if len(inside) != 1:
            return None
        step = _peeled(expr, inside[0], x, value)
        if step is None or step is NEVER:
            return step
        expr, value = inside[0], step
    return _if(value.is_positive, value)


def _peeled(expr: Expr, inside: Expr, x: Symbol, value: Expr) -> Expr | None:
    """What ``inside`` is where ``expr`` is ``value``."""
    if expr.is_Add or expr.is_Mul:
        fixed = expr.func(*(part for part in expr.args if not part.has(x)))
        return value - fixed if expr.is_Add else value / fixed
    if expr.is_Pow and expr.base == inside and expr.exp.is_Rational:
        # A base that is a power of x > 0, or one of a root, is positive before the first singularity; others may have either sign.
        if not expr.exp.is_Integer or inside == x:
            return _if(value.is_positive, value ** (1 / expr.exp))
        return 1 / value if expr.exp == -1 else None
    if isinstance(expr, sympy.asin):
        return _if(sympy.And(value <= pi / 2, value >= -pi / 2), sympy.sin(value))
    if isinstance(expr, sympy.exp):
        return _if(value.is_positive, sympy.log(value))
    if isinstance(expr, sympy.sinh):
        return sympy.asinh(value)
    return None


def _if(holds: object, value: Expr) -> Expr | None:
    """The value, NEVER where the condition is false, None where it is not decided."""
    if holds in (True, S.true):
        return value
    return NEVER if holds in (False, S.false) else None


def _polynomial_root(poly: sympy.Poly) -> Expr | None:
    """The only positive root of an increasing polynomial."""
    if poly.degree() > 2 and not all(c.is_Rational for c in poly.all_coeffs()):
        return None
    roots = list(sympy.roots(poly)) if poly.degree() <= 2 else poly.real_roots()
    signs = [root.is_positive for root in roots]
    positive = [root for root, sign in zip(roots, signs, strict=True) if sign]
    # A complex root is neither positive nor negative: None stands for "not decided" on real ones.
    undecided = any(sign is None and root.is_real is not False for root, sign in zip(roots, signs, strict=True))
    return positive[0] if len(positive) == 1 and not undecided else None


def least(values: Iterable[Expr]) -> Expr | None:
    """The least of real numbers; None where sympy's sign of a difference is not decided (equal numbers of different form)."""
    result: Expr | None = None
    for value in values:
        if result is None:
            result = value
            continue
        sign = (value - result).is_negative
        if sign is None and sympy.simplify(value - result) != 0:
            return None
        result = value if sign else result
    return result


__all__ = ["NEVER", "inverse", "least"]
