r"""Two functions that programs and duals are written with, beside the elementary ones.

``archav(w, symmetry)``
    inverse haversine: the angle :math:`\theta\in[0,\pi]` with
    :math:`w=\sin^2(\theta/2)=(1-\cos\theta)/2`. A layer hands the *haversine* of the angle
    between two activations to the next one, because it vanishes exactly on the diagonal and
    keeps its relative accuracy there, which the cosine does not. ``symmetry`` records the
    parity of the correlation as a function of the input correlation (0 neither, 1 odd,
    2 even), which decides where :math:`w` returns to 0 or 1 and so how the square root is
    continued analytically.

``Orthant(h, k, theta)``
    :math:`P(X>h,\,Y>k)` for a standard bivariate normal pair with correlation
    :math:`\cos\theta` (Abramowitz and Stegun 26.3.3). Its derivative in the angle is free of
    the singular factor that the derivative in the correlation has:
    :math:`\partial_\theta L=-\tfrac1{2\pi}\exp(-\tfrac{(h-k)^2}{2\sin^2\theta}-\tfrac{hk}{1+\cos\theta})`
    (Plackett's identity).

>>> from sympy import pi, Rational, symbols
>>> archav(Rational(1, 2), 0), Orthant(0, 0, pi/3)
(pi/2, 1/3)
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Function, Integer, Rational, S, cos, erf, exp, pi, sin, sqrt


def upper_tail(h: sympy.Expr) -> sympy.Expr:
    """Q(h) = P(Z > h) of a standard normal Z, written with erf."""
    return S.Half - erf(h / sqrt(2)) / 2


def normal_density(h: sympy.Expr, variance: sympy.Expr = S.One) -> sympy.Expr:
    """Density of N(0, variance) at h."""
    return exp(-(h**2) / (2 * variance)) / sqrt(2 * pi * variance)


class archav(Function):
    """Inverse haversine of w in [0, 1]; see the module docstring. ``archav(w, symmetry)``."""

    nargs = 2

    @classmethod
    def eval(cls, w: Any, symmetry: Any) -> Any:
        exact = {S.Zero: S.Zero, S.Half: pi / 2, S.One: pi, Rational(1, 4): pi / 3, Rational(3, 4): 2 * pi / 3}
        return exact.get(w)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        angle = archav(*self.args)
        return 2 / sin(angle)

    def _eval_evalf(self, prec: int) -> sympy.Expr:
        return (2 * sympy.asin(sqrt(self.args[0])))._eval_evalf(prec)

    def _eval_is_extended_real(self) -> bool:
        return True

    def _latex(self, printer: Any, exp: Any = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\arccos{power}\left({printer._print(1 - 2 * self.args[0])}\right)"


class Orthant(Function):
    """Upper orthant probability of a bivariate normal pair, by the angle; see the module docstring."""

    nargs = 3

    @classmethod
    def eval(cls, h: Any, k: Any, theta: Any) -> Any:
        if h is S.Zero and k is S.Zero:
            return S.Half - theta / (2 * pi)
        if theta == pi / 2:
            return upper_tail(h) * upper_tail(k)
        if theta is S.Zero and (h - k).is_nonnegative:
            return upper_tail(h)
        if theta is S.Zero and (k - h).is_nonnegative:
            return upper_tail(k)
        if theta == pi and (h + k).is_nonnegative:
            return S.Zero
        if theta == pi and (h + k).is_nonpositive:
            return upper_tail(h) + upper_tail(k) - 1
        if h.is_comparable and k.is_comparable and sympy.default_sort_key(k) < sympy.default_sort_key(h):
            return cls(k, h, theta)
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        h, k, theta = self.args
        if argindex == 3:
            return -exp(-((h - k) ** 2) / (2 * sin(theta) ** 2) - h * k / (1 + cos(theta))) / (2 * pi)
        if argindex == 2:
            h, k = k, h
        return -normal_density(h) * upper_tail((k - h) / sin(theta) + h * sin(theta) / (1 + cos(theta)))

    def _eval_evalf(self, prec: int) -> sympy.Expr | None:
        import mpmath

        try:
            h, k, theta = (argument._to_mpmath(prec + 20) for argument in self.args)
        except (ValueError, AttributeError):
            return None
        with mpmath.workprec(prec + 20):
            tails = mpmath.erfc(h / mpmath.sqrt(2)) * mpmath.erfc(k / mpmath.sqrt(2)) / 4

            def density(angle: Any) -> Any:
                return mpmath.exp(-(h * h - 2 * h * k * mpmath.cos(angle) + k * k) / (2 * mpmath.sin(angle) ** 2))

            value = tails + mpmath.quad(density, [theta, mpmath.pi / 2]) / (2 * mpmath.pi)
        return sympy.Float._new(value._mpf_, prec)

    def _eval_is_extended_real(self) -> bool:
        return True

    def _latex(self, printer: Any, exp: Any = None) -> str:
        h, k, correlation = (printer._print(part) for part in (*self.args[:2], cos(self.args[2])))
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"L{power}\left({h},{k};{correlation}\right)"


NEITHER, ODD, EVEN = Integer(0), Integer(1), Integer(2)
