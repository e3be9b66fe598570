r"""The functions that programs and duals are written with, beside the elementary ones.

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

``ErfReal(x, y)``, ``ErfImag(x, y)``
    real and imaginary part of :math:`\mathrm{erf}(x+iy)` for real x, y (DLMF 7.2.1). They arise where an
    oscillation shifts the mean of a Gaussian into the complex plane and a step or an error
    function meets it; :math:`\mathrm{Im}\,\mathrm{erf}(iy)=\mathrm{erfi}(y)`. Both are entire in x and y, and
    :math:`\mathrm{erf}'(z)=\tfrac2{\sqrt\pi}e^{-z^2}` gives their derivatives.

>>> from sympy import pi, Rational, symbols
>>> archav(Rational(1, 2), 0), Orthant(0, 0, pi/3)
(pi/2, 1/3)
>>> ErfReal(symbols("x"), 0), ErfImag(1, 0), ErfImag(-1, 2) == ErfImag(1, 2)
(erf(x), 0, True)
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Function, Integer, Rational, S, cos, erf, exp, pi, sin, sqrt

from .errors import NoClosedForm


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


class _ErfPart(Function):
    """A part of erf(x + i y); ``odd`` is the argument in which it is odd, the other one being even."""

    nargs = 2
    odd = 0

    @classmethod
    def eval(cls, x: Any, y: Any) -> Any:
        if (x, y)[cls.odd] == 0:
            return S.Zero
        if cls.odd == 0 and y == 0:
            return erf(x)
        flips = x.could_extract_minus_sign(), y.could_extract_minus_sign()
        if any(flips):
            return (-1 if flips[cls.odd] else 1) * cls(-x if flips[0] else x, -y if flips[1] else y)
        return None

    def _derivatives(self) -> tuple[sympy.Expr, sympy.Expr]:
        """Real and imaginary part of erf'(x + i y)."""
        x, y = self.args
        size = 2 * exp(y**2 - x**2) / sqrt(pi)
        return size * cos(2 * x * y), -size * sin(2 * x * y)

    def _eval_evalf(self, prec: int) -> sympy.Expr | None:
        import mpmath

        try:
            x, y = (argument._to_mpmath(prec + 20) for argument in self.args)
        except (ValueError, AttributeError):
            return None
        with mpmath.workprec(prec + 20):
            value = mpmath.erf(mpmath.mpc(x, y))
        return sympy.Float._new((value.imag if self.odd else value.real)._mpf_, prec)

    def _eval_is_extended_real(self) -> bool:
        return True

    def _latex(self, printer: Any, exp: Any = None) -> str:
        x, y = self.args
        power = "" if exp is None else f"^{{{exp}}}"
        if x == 0:
            return rf"\operatorname{{erfi}}{power}{{\left({printer._print(y)}\right)}}"
        part = r"\operatorname{Im}" if self.odd else r"\operatorname{Re}"
        return rf"{part}{power}\operatorname{{erf}}{{\left({printer._print(x)}+i\,{printer.parenthesize(y, 50)}\right)}}"


class ErfReal(_ErfPart):
    """Re erf(x + i y): odd in x, even in y; see the module docstring."""

    odd = 0

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        real, imaginary = self._derivatives()
        return real if argindex == 1 else -imaginary


class ErfImag(_ErfPart):
    """Im erf(x + i y): even in x, odd in y; see the module docstring."""

    odd = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        real, imaginary = self._derivatives()
        return imaginary if argindex == 1 else real


def cartesian(expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """Real and imaginary part of a polynomial in I, exponentials and error functions of such; all symbols real.

    Nothing is expanded but complex products, so quotients keep their shape.
    """
    if not expr.has(sympy.I, sympy.erfi):
        return expr, S.Zero
    if expr is sympy.I:
        return S.Zero, S.One
    if expr.is_Add:
        parts = [cartesian(part) for part in expr.args]
        return sympy.Add(*(re for re, _ in parts)), sympy.Add(*(im for _, im in parts))
    if expr.is_Mul:
        re, im = S.One, S.Zero
        for x, y in map(cartesian, expr.args):
            re, im = re * x - im * y, re * y + im * x
        return re, im
    if isinstance(expr, exp):
        size, phase = cartesian(expr.args[0])
        return exp(size) * cos(phase), exp(size) * sin(phase)
    if isinstance(expr, erf):
        x, y = cartesian(expr.args[0])
        return ErfReal(x, y), ErfImag(x, y)
    if isinstance(expr, sympy.erfi):
        # sympy writes erf(i y) as i erfi(y), so that erfi(z) = -i erf(i z).
        re, im = cartesian(expr.args[0])
        return ErfImag(-im, re), -ErfReal(-im, re)
    if expr.is_Pow and expr.exp.is_Integer and expr.exp.is_positive:
        return cartesian(sympy.Mul(*[expr.base] * int(expr.exp), evaluate=False))
    raise NoClosedForm(f"real and imaginary part of {expr.func.__name__} of a complex argument are not separated")


NEITHER, ODD, EVEN = Integer(0), Integer(1), Integer(2)
