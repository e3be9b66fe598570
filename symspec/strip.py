r"""Activations analytic in a strip: tanh, sigmoid, softplus, SiLU, Mish and their like, as exact data.

Beside the closed class (:mod:`symspec.form`), whose duals are elementary, stands the class of sums and products
of functions that are analytic in a strip :math:`|\mathrm{Im}\,z|<a` and grow there no faster than
:math:`e^{\alpha x^2+\beta|x|}(1+|x|)^m`. Their Hermite coefficients decay like :math:`e^{-a\sqrt n}` (Hille 1940) and are
computed with a proof by the trapezoidal rule (:mod:`numerics.hermite_quadrature`); their duals are the power
series :class:`symspec.strip_functions.SeriesDual`.

**Nodes.** x, constants, exp, sin, cos, erf; tanh and sech (poles where the argument is :math:`i\pi/2`), softplus
(branch points :math:`\pm i\pi`), atan (:math:`\pm i`), and real powers of a positive quadratic polynomial. A logistic
function is :math:`(1+\tanh(x/2))/2`.

**Strip calculus.** :func:`reach` (g, v) gives an exact s such that :math:`|\mathrm{Im}\,g(x+iy)|\le v` whenever
:math:`|y|\le s`; each rule is the monotone bound of one function, inverted, for instance

.. math:: |\mathrm{Im}\tanh(u+iw)|\le\tan|w|,\qquad |\mathrm{Im}\,\mathrm{softplus}(u+iw)|\le|w|\ (|w|<\pi),\qquad
          |\mathrm{Im}\arctan(u+iw)|\le\mathrm{artanh}|w| .

The half-width of the strip is the least reach over the singular nodes. It is the true one where
the arguments are linear, and a lower bound of it where functions are nested.

**Parity** is decided by expansion: an even or odd part that expands to a polynomial is one. Nothing is
concluded where it does not.

>>> mish = StripForm.of(X * sympy.tanh(softplus(X)))
>>> mish.width, StripForm.of(sympy.tanh(3 * X) + sympy.exp(-X**2)).width
(pi/2, pi/6)
>>> silu = StripForm.of(X * (1 + sympy.tanh(X / 2)) / 2)
>>> str(silu.odd_part()), silu.even_part().polynomial_degree
('x/2', None)
>>> StripForm.of(sympy.tanh(X**3))
Traceback (most recent call last):
    ...
symspec.errors.NoClosedForm: tanh(x**3) is not shown to be analytic in a strip around the real line: x**3 is not bounded off the axis
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import comb, prod
from typing import Any

import sympy
from sympy import Expr, Rational, S, oo, pi, sech, sqrt, tanh

from .errors import ExpressionTooLarge, NoClosedForm
from .exact import as_expr
from .form import Form
from .strip_functions import Profile, SeriesDual, softplus
from .terms import Delta, Step, X

MAX_NODES, MAX_TERMS, MAX_NESTING = 4000, 1000, 4
# Where a function of one argument stops being analytic: |Im argument| at its first singularity.
LIMITS: dict[type, Expr] = {tanh: pi / 2, sech: pi / 2, softplus: pi, sympy.atan: S.One}
WAVES = (sympy.sin, sympy.cos)


@dataclass(frozen=True)
class StripForm:
    """The ``order``-th derivative of ``base``, an expression in x; see the module docstring.

    Use :meth:`of`, which expands and checks. It answers the questions that :class:`symspec.form.Form` answers.
    """

    base: Expr
    order: int = field(default=0)

    @staticmethod
    def of(expr: Expr) -> StripForm:
        """Expand, and refuse (NoClosedForm) what is not shown to be analytic and of Gaussian growth in a strip."""
        form = StripForm(expanded(expr))
        if _nesting(form.base) > MAX_NESTING:
            raise ExpressionTooLarge(f"functions nested deeper than {MAX_NESTING} levels are not read")
        _ = form.width, form.shape
        return form

    @cached_property
    def expr(self) -> Expr:
        """The function itself, as an expression in x."""
        return expanded(sympy.diff(self.base, X, self.order)) if self.order else self.base

    @cached_property
    def width(self) -> Expr:
        """Exact half-width of the strip in which the function is shown to be analytic, oo for an entire one."""
        return strip_width(self.base)

    @cached_property
    def shape(self) -> Shape:
        """Exact growth of :attr:`base`; a derivative grows no faster in a thinner strip (Cauchy)."""
        return shape_of(self.base)

    def __add__(self, other: Any) -> StripForm:
        return StripForm.of(self.expr + lifted(other).expr)

    __radd__ = __add__

    def __neg__(self) -> StripForm:
        return StripForm.of(-self.expr)

    def __sub__(self, other: Any) -> StripForm:
        return self + -lifted(other)

    def __rsub__(self, other: Any) -> StripForm:
        return lifted(other) + -self

    def __mul__(self, other: Any) -> StripForm:
        return StripForm.of(self.expr * lifted(other).expr)

    __rmul__ = __mul__

    def __pow__(self, n: int) -> StripForm:
        return StripForm.of(self.expr**n)

    def scaled(self, factor: Expr) -> StripForm:
        """The form times an exact constant."""
        return StripForm.of(self.expr * factor)

    def reflected(self) -> StripForm:
        """x -> -x."""
        return StripForm(expanded(self.expr.subs(X, -X)))

    def even_part(self) -> StripForm:
        return StripForm(expanded((self.expr + self.expr.subs(X, -X)) / 2))

    def odd_part(self) -> StripForm:
        return StripForm(expanded((self.expr - self.expr.subs(X, -X)) / 2))

    def derivative(self, *, deltas: bool = True) -> StripForm:
        """The derivative, which shares the Hermite coefficients of :attr:`base`."""
        return StripForm(self.base, self.order + 1)

    @property
    def polynomial_degree(self) -> int | None:
        """Degree where the expanded expression is a polynomial (-1 for zero); None where it is not seen to be one."""
        if self.expr == 0:
            return -1
        return int(sympy.degree(self.expr, X)) if self.expr.is_polynomial(X) else None

    is_piecewise_polynomial = False
    breakpoints: tuple[Expr, ...] = ()

    @property
    def jumps(self) -> dict[Expr, Expr]:
        """None: the function is analytic."""
        return {}

    @property
    def growth(self) -> Expr:
        """alpha with |sigma| <= C e^(alpha x^2 + beta |x|) (1 + |x|)^m: square integrable under N(0, q) if alpha < 1/(4q)."""
        return self.shape.alpha

    def as_expr(self, x: Expr = X) -> Expr:
        """The function as a sympy expression in x."""
        return self.expr.subs(X, x)

    def series_dual(self, p: Expr, q: Expr, c: Expr) -> Expr:
        """E[sigma(u) sigma(v)] for variances p, q and covariance c."""
        return SeriesDual(Profile(self.base), self.order, p, q, c)

    def __str__(self) -> str:
        return str(self.expr)


def lifted(value: Any) -> StripForm:
    """A member of the closed class, if it is analytic, as a strip form."""
    if isinstance(value, StripForm):
        return value
    assert isinstance(value, Form)
    if any(isinstance(term.gate, (Step, Delta)) for term in value.terms):
        raise NoClosedForm(f"{value} is not analytic: a step, abs or Max can be joined to the closed class (exp, sin, cos, erf, polynomials), not to tanh and its like")
    return StripForm(expanded(value.as_expr(X)))


def lowered(value: Form | StripForm) -> Form | StripForm:
    """A strip form that turned out to be a polynomial, as a member of the closed class."""
    if isinstance(value, Form) or value.polynomial_degree is None:
        return value
    from .form import constant, variable

    result = Form()
    for (power,), coefficient in sympy.Poly(value.expr, X).terms() if value.expr != 0 else ():
        result = result + variable() ** power * constant(coefficient)
    return result


def expanded(expr: Expr) -> Expr:
    """Products of sums multiplied out, and sech^2 = 1 - tanh^2: the normal form in which parity is read."""
    if sympy.count_ops(expr) > MAX_NODES:
        raise ExpressionTooLarge(f"an activation of more than {MAX_NODES} operations is not expanded")
    result = _expand(expr)
    for _ in range(2):
        result = _expand(result.replace(lambda e: e.is_Pow and isinstance(e.base, sech) and e.exp.is_Integer and e.exp >= 2, _squares))
    return result


def _nesting(expr: Expr) -> int:
    inner = max((_nesting(part) for part in expr.args), default=0)
    return inner + 1 if isinstance(expr, sympy.Function) and expr.has(X) else inner


def _expand(expr: Expr) -> Expr:
    if _expanded_terms(expr) > MAX_TERMS:
        raise ExpressionTooLarge(f"multiplied out, the activation would have more than {MAX_TERMS} terms")
    # Roots and reciprocals stay whole: sympy would multiply out their denominators.
    whole = {node: sympy.Dummy() for node in expr.atoms(sympy.Pow) if node.has(X) and not (node.exp.is_Integer and node.exp > 0) and node.base is not S.Exp1}
    result = sympy.expand(expr.xreplace(whole), power_exp=False, power_base=False, log=False, trig=False)
    return result.xreplace({dummy: node for node, dummy in whole.items()})


def _expanded_terms(expr: Expr) -> int:
    """How many terms the sum has once products are multiplied out, counted without doing it."""
    if expr.is_Add:
        return sum(_expanded_terms(part) for part in expr.args)
    if expr.is_Mul:
        return prod(_expanded_terms(part) for part in expr.args)
    if expr.is_Pow and expr.exp.is_Integer and expr.exp > 0 and (terms := _expanded_terms(expr.base)) > 1:
        return comb(terms + int(expr.exp) - 1, int(expr.exp)) if expr.exp < MAX_TERMS else MAX_TERMS + 1
    return max((_expanded_terms(part) for part in expr.args), default=1) if isinstance(expr, sympy.Function) else 1


def _squares(power: Expr) -> Expr:
    u, n = power.base.args[0], int(power.exp)
    return (1 - tanh(u) ** 2) ** (n // 2) * sech(u) ** (n % 2)


@dataclass(frozen=True)
class Shape:
    """|f(x+iy)| <= C (1+|x|)^power e^(alpha x^2 + beta |x|) in every smaller strip, beta = 0 unless ``exponential``."""

    power: int = 0
    alpha: Expr = S.Zero
    exponential: bool = False

    @property
    def is_bounded(self) -> bool:
        return self.power == 0 and not self.exponential and bool(self.alpha <= 0)


def shape_of(expr: Expr) -> Shape:
    """Growth by the rules of sums and products; NoClosedForm where no Gaussian bound is known."""
    if not expr.has(X):
        return Shape()
    if expr == X:
        return Shape(1)
    parts = [shape_of(part) for part in expr.args] if expr.is_Add or expr.is_Mul else []
    if expr.is_Add:
        return Shape(max(p.power for p in parts), sympy.Max(*(p.alpha for p in parts)), any(p.exponential for p in parts))
    if expr.is_Mul:
        return Shape(sum(p.power for p in parts), sympy.Add(*(p.alpha for p in parts)), any(p.exponential for p in parts))
    if isinstance(expr, sympy.exp):
        return _exponential_shape(expr.args[0])
    if expr.is_Pow:
        return _power_shape(expr)
    if isinstance(expr, softplus):
        return shape_of(expr.args[0])
    if isinstance(expr, (tanh, sech, sympy.atan, sympy.erf, *WAVES)):
        if reach(expr.args[0], S.One) == 0:
            raise _unbounded(expr)
        return Shape()
    raise NoClosedForm(f"{expr.func.__name__} has no strip in which it is known to be analytic")


def _exponential_shape(inner: Expr) -> Shape:
    if inner.is_polynomial(X) and sympy.degree(inner, X) <= 2:
        poly = sympy.Poly(inner, X)
        return Shape(0, poly.coeff_monomial(X**2), poly.coeff_monomial(X) != 0)
    shape = shape_of(inner)
    if shape.power > 1 or shape.exponential or not bool(shape.alpha <= 0):
        raise NoClosedForm(f"exp({inner}) may grow faster than a Gaussian; the exponent must be at most quadratic, or grow at most linearly")
    return Shape(0, S.Zero, shape.power == 1)


def _power_shape(power: Expr) -> Shape:
    base, n = power.base, power.exp
    if n.is_Integer and n > 0:
        shape = shape_of(base)
        return Shape(shape.power * int(n), shape.alpha * n, shape.exponential)
    if n.is_Rational and quadratic_height(base) is not None:
        return Shape(max(0, int(sympy.ceiling(2 * n))))
    raise NoClosedForm(f"{power} is not shown to be analytic in a strip: powers other than whole positive ones are taken of positive quadratic polynomials")


def quadratic_height(base: Expr) -> Expr | None:
    """Im of the root of a real quadratic polynomial that is positive on the real line; None for anything else."""
    if not base.is_polynomial(X) or sympy.degree(base, X) != 2:
        return None
    a, b, c = sympy.Poly(base, X).all_coeffs()
    discriminant = 4 * a * c - b**2
    return sqrt(discriminant) / (2 * a) if bool(a > 0) and bool(discriminant > 0) else None


def strip_width(expr: Expr) -> Expr:
    """The least reach over the singular nodes; NoClosedForm where it is 0."""
    widths: list[Expr] = [oo]
    for node in sympy.preorder_traversal(expr):
        if node.func in LIMITS and node.has(X):
            width = reach(node.args[0], LIMITS[node.func])
            if width == 0:
                raise _unbounded(node)
            widths.append(width)
        elif node.is_Pow and node.has(X) and not (node.exp.is_Integer and node.exp > 0):
            height = quadratic_height(node.base)
            if height is None:
                raise NoClosedForm(f"{node} is not shown to be analytic in a strip around the real line")
            widths.append(height)
    return sympy.Min(*widths)


def _unbounded(node: Expr) -> NoClosedForm:
    return NoClosedForm(f"{node} is not shown to be analytic in a strip around the real line: {node.args[0]} is not bounded off the axis")


# v -> w such that |Im argument| <= w gives |Im function| <= v; the tables of the module docstring, inverted.
_INVERSE: dict[type, Callable[[Expr], Expr]] = {
    tanh: sympy.atan,
    sech: lambda v: sympy.atan(2 * v),
    softplus: lambda v: sympy.Min(v, pi),
    sympy.atan: sympy.tanh,
    sympy.sin: sympy.asinh,
    sympy.cos: sympy.asinh,
    # |Im erf(u+iw)| <= erfi(w) <= 2 e w / sqrt(pi) for w <= 1.
    sympy.erf: lambda v: sympy.Min(v * sqrt(pi) / (2 * sympy.E), 1),
}


def reach(g: Expr, v: Expr) -> Expr:
    """An exact s with |Im g(x+iy)| <= v for every real x and |y| <= s; 0 where none is known, oo for a constant."""
    if not g.has(X):
        return oo
    if g.is_polynomial(X):
        return v / abs(sympy.Poly(g, X).LC()) if sympy.degree(g, X) == 1 else S.Zero
    if g.is_Add:
        moving = [part for part in g.args if part.has(X) and not part.is_polynomial(X)]
        line = sympy.Add(*(part for part in g.args if part.is_polynomial(X)))
        parts = [*moving, line] if line.has(X) else moving
        return sympy.Min(*(reach(part, v / len(parts)) for part in parts))
    if g.is_Mul:
        factor, rest = g.as_independent(X, as_Add=False)
        return reach(rest, v / abs(factor)) if factor != 1 and not rest.is_Mul else S.Zero
    inverse = _INVERSE.get(g.func)
    if inverse is None:
        return S.Zero
    return reach(g.args[0], sympy.Min(inverse(v), LIMITS.get(g.func, oo)))


def logistic(u: Expr) -> Expr:
    """1/(1 + e^-u)."""
    return (1 + tanh(as_expr(u) / 2)) / 2


def two_exponentials(form: Form) -> tuple[Expr, Expr, Expr, Expr] | None:
    """(A, a, B, b) with the form A e^(a x) + B e^(b x), A, B > 0 and a > b; None for anything else."""
    if len(form.terms) != 2 or any(t.power or t.alpha != 0 or t.omega != 0 or t.gate or not t.coefficient.is_positive for t in form.terms):
        return None
    low, high = sorted(form.terms, key=lambda t: t.beta)
    return high.coefficient, high.beta, low.coefficient, low.beta


def reciprocal(form: Form | StripForm) -> StripForm | None:
    """1/f for two exponentials with positive weights or a positive quadratic polynomial; None for anything else.

    A e^(ax) + B e^(bx) = 2 sqrt(AB) e^((a+b)x/2) cosh(u), u = (a-b)x/2 + log(A/B)/2; one of a, b zero leaves a
    logistic function.
    """
    if isinstance(form, Form) and (found := two_exponentials(form)) is not None:
        A, a, B, b = found
        u = (a - b) * X / 2 + sympy.log(A / B) / 2
        if b == 0:
            return StripForm.of((1 - tanh(u)) / (2 * B))
        if a == 0:
            return StripForm.of((1 + tanh(u)) / (2 * A))
        return StripForm.of(sympy.exp(-(a + b) * X / 2) * sech(u) / (2 * sqrt(A * B)))
    if isinstance(form, StripForm):
        factor, rest = form.expr.as_independent(X, as_Add=False)
        if rest.is_Pow and quadratic_height(rest.base) is not None:
            return StripForm.of(1 / (factor * rest))
    return rational_power(form, S.NegativeOne)


def logarithm(form: Form | StripForm) -> StripForm | None:
    """log f for two exponentials with positive weights, by softplus; None for anything else."""
    if not isinstance(form, Form) or (found := two_exponentials(form)) is None:
        return None
    A, a, B, b = found
    return StripForm.of(sympy.log(B) + b * X + softplus((a - b) * X + sympy.log(A / B)))


def rational_power(form: Form | StripForm, power: Rational) -> StripForm | None:
    """f^power for a positive quadratic polynomial f; None for anything else."""
    if form.polynomial_degree != 2:
        return None
    base = sympy.expand(form.as_expr(X))
    return StripForm.of(base**power) if quadratic_height(base) is not None else None


def composed(head: Callable[[Expr], Expr], form: Form | StripForm) -> StripForm:
    """head(f) for an analytic f, checked."""
    return StripForm.of(head(lifted(form).expr))


__all__ = ["LIMITS", "Shape", "StripForm", "composed", "expanded", "lifted", "logarithm", "logistic", "lowered", "quadratic_height", "rational_power", "reach", "reciprocal", "shape_of", "strip_width"]
