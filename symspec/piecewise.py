r"""Comparisons of piecewise functions: absolute value, sign, maximum and minimum as exact forms.

Every form of the class whose terms share one exponential factor is that positive factor times
a piecewise polynomial, so its sign is decided by the real roots of finitely many polynomials.
Roots are exact: rational, quadratic surds, or algebraic numbers in sympy's isolating form.

>>> from symspec.form import variable, constant
>>> str(absolute(variable()))
'2*x*Heaviside(x) - x'
>>> str(maximum(variable(), constant(0), constant(-1)))
'x*Heaviside(x)'
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import reduce

import sympy
from sympy import Expr, Poly, S

from .errors import NoClosedForm
from .form import Form, constant, step
from .terms import Step, X

MAX_ROOT_DEGREE = 24


def absolute(form: Form) -> Form:
    """|f|."""
    return form * sign(form)


def sign(form: Form) -> Form:
    """sign f, with 0 where f vanishes on an interval."""
    return heaviside(form) - heaviside(-form)


def maximum(*forms: Form) -> Form:
    """The pointwise maximum."""
    return reduce(lambda f, g: g + (f - g) * heaviside(f - g), forms)


def minimum(*forms: Form) -> Form:
    """The pointwise minimum."""
    return -maximum(*(-form for form in forms))


def heaviside(form: Form) -> Form:
    """1[f > 0] as a sum of steps. Raises :class:`NoClosedForm` if the sign cannot be decided."""
    edges, pieces = _pieces(form)
    values = [_is_positive(poly, lower, upper) for poly, (lower, upper) in _refined(edges, pieces)]
    points = [lower for _, (lower, _) in _refined(edges, pieces)][1:]
    result = constant(S.One if values[0] else S.Zero)
    for point, before, after in zip(points, values, values[1:], strict=False):
        if after != before:
            result = result + step(point).scaled(S.One if after else S.NegativeOne)
    return result


def _pieces(form: Form) -> tuple[list[Expr], list[Poly]]:
    """Breakpoints b_1 < ... < b_r and the r+1 polynomials between them."""
    if len({term.envelope for term in form.terms}) > 1 or any(not replace(t, alpha=S.Zero, beta=S.Zero).is_polynomial_piece for t in form.terms):
        raise NoClosedForm(f"where {form} is positive is not decided by the engine: only piecewise polynomials (times one exponential) can be compared")
    edges = list(form.breakpoints)
    ordered = sorted(edges, key=lambda b: b.n(30)) if all(b.is_comparable for b in edges) else edges
    pieces = []
    for index in range(len(ordered) + 1):
        passed = set(ordered[:index])
        terms = [t for t in form.terms if t.gate is None or isinstance(t.gate, Step) and t.gate.b in passed]
        pieces.append(Poly(sum((t.coefficient * X**t.power for t in terms), S.Zero), X))
    return ordered, pieces


Interval = tuple[Expr, Expr]


def _refined(edges: list[Expr], pieces: list[Poly]) -> list[tuple[Poly, Interval]]:
    """The pieces cut again at their own real roots."""
    bounds = [-sympy.oo, *edges, sympy.oo]
    cut: list[tuple[Poly, Interval]] = []
    for poly, lower, upper in zip(pieces, bounds, bounds[1:], strict=False):
        inner = [root for root in _real_roots(poly) if bool(root > lower) and bool(root < upper)]
        points = [lower, *inner, upper]
        cut += [(poly, (a, b)) for a, b in itertools.pairwise(points)]
    return cut


def _real_roots(poly: Poly) -> list[Expr]:
    if poly.is_zero or poly.degree() == 0:
        return []
    if poly.degree() > MAX_ROOT_DEGREE:
        raise NoClosedForm(f"the roots of a polynomial of degree {poly.degree()} would be needed; at most {MAX_ROOT_DEGREE} is supported")
    if poly.degree() == 1:
        slope, offset = poly.all_coeffs()
        return [-offset / slope]
    if all(c.is_Rational for c in poly.all_coeffs()):
        return sorted(set(sympy.real_roots(poly)), key=lambda r: r.n(30))
    if poly.degree() == 2:
        return sorted((r for r in sympy.roots(poly) if r.is_extended_real), key=lambda r: r.n(30))
    raise NoClosedForm(f"the real roots of {poly.as_expr()} are not available exactly")


def _is_positive(poly: Poly, lower: Expr, upper: Expr) -> bool:
    """Sign on an interval that holds no root: of the leading term towards infinity, else at the midpoint."""
    if poly.is_zero:
        return False
    if upper == sympy.oo:
        return bool(poly.LC() > 0)
    if lower == -sympy.oo:
        return bool(poly.LC() * (-1) ** poly.degree() > 0)
    return bool(sympy.expand(poly.eval((lower + upper) / 2)) > 0)


__all__ = ["absolute", "heaviside", "maximum", "minimum", "sign"]
