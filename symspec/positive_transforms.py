r"""Activations whose even and odd parts have Fourier transforms of one sign: what that says about all their Hermite coefficients.

Let a part of the activation (even or odd) be a polynomial plus :math:`\sum_ic_if_i`, where :math:`f_i^{(d_i)}` has the transform
:math:`\Psi_i(\omega)>0`, even. Beyond the degree of the polynomial,

.. math:: g_n=E\sigma^{(n)}(\sqrt qZ)=\sum_ic_i(-1)^{(n-d_i)/2}\,\frac1\pi\int_0^\infty\omega^{n-d_i}\Psi_i(\omega)e^{-q\omega^2/2}d\omega

for n of the parity of the part. If all :math:`c_i(-1)^{\lfloor d_i/2\rfloor}` have one sign, nothing cancels: with d the largest :math:`d_i`,
:math:`|g_n|` is the moment of order n - d of *one positive measure* :math:`\Psi e^{-q\omega^2/2}d\omega`. :class:`Transform` holds bounds of its decay,

.. math:: a-\frac\beta\omega\le-\frac{\Psi'}\Psi\le A ,

from which :mod:`numerics.hermite_decay` bounds all ratios of the :math:`g_n`. Bounds for the summands hold for the sum, the quotient being a mean of theirs.

With :math:`y=\pi\omega/2c`:

* :math:`\tanh cx`, d = 1, and :math:`-\tanh^2cx`, d = 0: :math:`\Psi\propto y/\sinh y`, :math:`-(\log\Psi)'=\coth y-\frac1y`, between :math:`1-\frac1y` and 1;
* :math:`\mathrm{softplus}(2cx)`, d = 2: the same, its second derivative being :math:`c^2\mathrm{sech}^2cx`;
* :math:`\mathrm{sech}\,cx`, d = 0: :math:`\Psi\propto\mathrm{sech}\,y`, :math:`-(\log\Psi)'=\tanh y`, between :math:`1-\frac1y` and 1;
* :math:`x\tanh cx`, d = 2: :math:`\Psi\propto y^2\cosh y/\sinh^2y`, :math:`-(\log\Psi)'=2\coth y-\tanh y-\frac2y`, at least :math:`1-\frac2y`; and since
  :math:`\coth y-\frac1y\le\coth y-\frac1{\sinh y}=\tanh\frac y2=:t`, it is at most :math:`2t-\frac{2t}{1+t^2}\le t\le1`;
* :math:`\arctan cx`, d = 1: :math:`\Psi\propto e^{-\omega/c}`;
* :math:`(x^2+h^2)^{-s}`, :math:`s\ge1`, d = 0, and :math:`(x^2+h^2)^{1/2}`, d = 2 (s = 3/2): :math:`\Psi\propto\omega^\nu K_\nu(h\omega)`, :math:`\nu=s-\frac12`,
  :math:`-\Psi'/\Psi=hK_{\nu-1}(h\omega)/K_\nu(h\omega)`, between :math:`h-(\nu-\frac12)/\omega` (Segura 2011) and h.

>>> from symspec.activations import silu, sigmoid, activation
>>> transforms(silu.form)[0]
Transform(derivative=2, above=1, A=pi, a=pi, beta=2)
>>> sorted(transforms(sigmoid.form)), transforms(activation("tanh(x+1)").form)
([1], None)
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, S, pi, sech, tanh

from .form import Form
from .strip import StripForm, quadratic_height
from .strip_functions import softplus
from .terms import X


@dataclass(frozen=True)
class Transform:
    """The measure of a part: d = ``derivative``; the formula holds for n > ``above``; A, a, ``beta`` bound the decay (module docstring)."""

    derivative: int
    above: int
    A: Expr
    a: Expr
    beta: Expr


@dataclass(frozen=True)
class _Summand:
    """c_i up to a positive factor, d_i and the bounds."""

    sign: int
    derivative: int
    rate: Expr
    beta: Expr


def transforms(form: Form | StripForm) -> dict[int, Transform] | None:
    """The transforms of the even (0) and of the odd (1) part where they are no polynomials; None where one has no known sign."""
    if not isinstance(form, StripForm):
        return None
    found: dict[int, Transform] = {}
    for parity, part in enumerate((form.even_part(), form.odd_part())):
        if part.polynomial_degree is not None:
            continue
        transform = _of_part(part.expr, parity)
        if transform is None:
            return None
        found[parity] = transform
    return found


def _of_part(expr: Expr, parity: int) -> Transform | None:
    polynomial, summands = S.Zero, []
    for term in sympy.Add.make_args(expr):
        if term.is_polynomial(X):
            polynomial += term
            continue
        summand = _summand(term)
        if summand is None or summand.derivative % 2 != parity:
            return None
        summands.append(summand)
    if len({one.sign * (-1) ** (one.derivative // 2) for one in summands}) != 1:
        return None
    d = max(one.derivative for one in summands)
    above = max(int(sympy.degree(polynomial, X)) if polynomial != 0 else 0, d - 1 if d > parity else 0)
    beta = sympy.Max(*(one.beta + d - one.derivative for one in summands))
    return Transform(d, max(above, 0), sympy.Max(*(one.rate for one in summands)), sympy.Min(*(one.rate for one in summands)), beta)


def _summand(term: Expr) -> _Summand | None:
    factor, rest = term.as_independent(X, as_Add=False)
    if not (factor.is_positive or factor.is_negative):
        return None
    sign = 1 if factor.is_positive else -1
    power, node = S.One, rest
    if rest.is_Mul and X in rest.args:
        power, node = X, rest / X
    squared = bool(node.is_Pow and node.exp == 2 and isinstance(node.base, tanh))
    node = node.base if squared else node
    if power == X and (squared or not isinstance(node, tanh)):
        return None
    if isinstance(node, (tanh, sech, softplus, sympy.atan)):
        return _of_function(sign, node, squared=squared, times_x=power == X)
    return _of_power(sign, node)


def _of_function(sign: int, node: Expr, *, squared: bool, times_x: bool) -> _Summand | None:
    """c f(slope x), slope > 0 up to the parity of f."""
    slope = sympy.expand(node.args[0] / X)
    if slope.has(X) or not slope.is_real:
        return None
    sign = -sign if slope.is_negative and isinstance(node, (tanh, sympy.atan)) and not squared else sign
    slope = abs(slope)
    if isinstance(node, tanh):
        derivative, beta = (0, S.One) if squared else (2, S(2)) if times_x else (1, S.One)
        return _Summand(-sign if squared else sign, derivative, pi / (2 * slope), beta)
    if isinstance(node, sech):
        return _Summand(sign, 0, pi / (2 * slope), S.One)
    if isinstance(node, softplus):
        return _Summand(sign, 2, pi / slope, S.One)
    return _Summand(sign, 1, 1 / slope, S.Zero)


def _of_power(sign: int, node: Expr) -> _Summand | None:
    """(c (x^2 + h^2))^(-s)."""
    if not node.is_Pow or quadratic_height(node.base) is None or sympy.Poly(node.base, X).coeff_monomial(X) != 0:
        return None
    height, s = quadratic_height(node.base), -node.exp
    if s == -S.Half:
        return _Summand(sign, 2, height, S.One / 2)
    return _Summand(sign, 0, height, s - 1) if bool(s >= 1) else None


__all__ = ["Transform", "transforms"]
