r"""Continuous piecewise linear functions of one real variable, with exact rational data.

Such a function has a second derivative that is a finite measure, :math:`f''=\sum_j\delta_j\,\delta_{x_j}` with the *slope jumps*
:math:`\delta_j` at the *breakpoints* :math:`x_j`. So for :math:`k\ne0`, with :math:`\tilde f(k)=\int f(x)e^{-ikx}dx`,

.. math:: \tilde f(k)=-\frac1{k^2}\sum_j\delta_je^{-ikx_j},\qquad |\tilde f(k)|\le\frac1{k^2}\sum_j|\delta_j|=\frac{TV(f')}{k^2},

the transform of a tempered distribution, which needs no compact support (Rahaman et al., arXiv 1806.08734, state the rate; the sign of
their lemma must be the one here). Cut to a window [a, b], the function has the boundary terms of :meth:`PiecewiseLinear.window` besides.

>>> hat = PiecewiseLinear.through([(-1, 0), (0, 1), (1, 0)], left=0, right=0)
>>> hat.breakpoints, hat.slope_jumps, hat.total_variation, hat(Fraction(1, 2))
((Fraction(-1, 1), Fraction(0, 1), Fraction(1, 1)), (Fraction(1, 1), Fraction(-2, 1), Fraction(1, 1)), Fraction(4, 1), Fraction(1, 2))
>>> hat.fourier_transform(sympy.pi)
4/pi**2
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import sympy
from sympy import Expr

from .errors import InputError
from .exact import decimal_above, exact

LONGEST_FORMULA = 12


@dataclass(frozen=True)
class PiecewiseLinear:
    """A function with kinks at ``breakpoints`` (ascending), ``slopes`` on the pieces between and beyond them, and f(0) = ``value``.

    Every breakpoint is a true one: the slopes on both sides differ.
    """

    breakpoints: tuple[Fraction, ...]
    slopes: tuple[Fraction, ...]
    value: Fraction

    @staticmethod
    def through(points: Sequence[tuple[Any, Any]], left: Any, right: Any) -> PiecewiseLinear:
        """The function through points with ascending abscissas, of the given slopes before the first and after the last.

        Raises InputError for no points or abscissas that do not ascend.
        """
        pairs = [(_fraction(x), _fraction(y)) for x, y in points]
        if not pairs or any(a >= b for (a, _), (b, _) in pairwise(pairs)):
            raise InputError("a piecewise linear function needs at least one point, with ascending abscissas")
        inner = [(d - b) / (c - a) for (a, b), (c, d) in pairwise(pairs)]
        slopes = [_fraction(left), *inner, _fraction(right)]
        kept = [i for i in range(len(pairs)) if slopes[i] != slopes[i + 1]]
        unique = (slopes[0], *(slopes[i + 1] for i in kept))
        made = PiecewiseLinear(tuple(pairs[i][0] for i in kept), unique, Fraction(0))
        x, y = pairs[0]
        return PiecewiseLinear(made.breakpoints, unique, y - made(x))

    @cached_property
    def slope_jumps(self) -> tuple[Fraction, ...]:
        """delta_j, never 0."""
        return tuple(b - a for a, b in pairwise(self.slopes))

    @property
    def total_variation(self) -> Fraction:
        """TV(f') = sum |delta_j|: the constant of |f~(k)| <= TV(f')/k^2."""
        return sum(map(abs, self.slope_jumps), Fraction(0))

    def __call__(self, x: Any) -> Fraction:
        """The exact value at an exact number."""
        at = _fraction(x)
        low, high = (at, Fraction(0)) if at < 0 else (Fraction(0), at)
        total, first = Fraction(0), bisect_right(self.breakpoints, low)
        for i in range(first, len(self.slopes)):
            end = min(high, self.breakpoints[i]) if i < len(self.breakpoints) else high
            total += self.slopes[i] * (end - low)
            low = end
            if low == high:
                break
        return self.value + (total if at >= 0 else -total)

    def fourier_transform(self, k: Any) -> Expr:
        """The transform at a frequency k != 0, a symbol or an exact number: a sum of exponentials, or 0 for a line."""
        frequency = k if isinstance(k, Expr) else exact(k, "frequency")
        if frequency.is_zero:
            raise InputError("the transform at frequency 0 is a distribution; give k != 0, or use a window")
        waves = [_rational(d) * sympy.exp(-sympy.I * frequency * _rational(x)) for x, d in zip(self.breakpoints, self.slope_jumps, strict=True)]
        return -sympy.Add(*waves) / frequency**2

    def statement(self) -> str:
        """The transform and its bound as a theorem, in LaTeX; long sums are abbreviated."""
        count = len(self.breakpoints)
        formula = rf"-\frac1{{k^2}}\sum_{{j=1}}^{{{count}}}\delta_je^{{-ikx_j}}"
        if count <= LONGEST_FORMULA:
            formula = sympy.latex(self.fourier_transform(sympy.Symbol("k", real=True, nonzero=True)))
        return rf"\[ \tilde f(k)={formula},\qquad \bigl|\tilde f(k)\bigr|\le\frac{{{decimal_above(self.total_variation)}}}{{k^2}}\qquad(k\ne0). \]"

    def window(self, a: Any, b: Any) -> Window:
        """The function on [a, b] and 0 outside: its kinks inside, and what the two ends add."""
        low, high = _fraction(a), _fraction(b)
        if not low < high:
            raise InputError(f"the window [{a}, {b}] is empty")
        inside = [i for i, x in enumerate(self.breakpoints) if low < x < high]
        jumps = self.slope_jumps
        ends = self.slopes[bisect_right(self.breakpoints, low)], self.slopes[bisect_right([x for x in self.breakpoints if x < high], high)]
        return Window(low, high, (self(low), self(high)), ends, tuple((self.breakpoints[i], jumps[i]) for i in inside))


@dataclass(frozen=True)
class Window:
    r"""f on [a, b], 0 outside, with ``values`` and one-sided ``slopes`` at the two ends and the kinks inside.

    .. math:: \int_a^bf(x)e^{-ikx}dx=-\frac1{k^2}\sum_{a<x_j<b}\delta_je^{-ikx_j}
              +\Bigl[\Bigl(\frac{if(x)}k+\frac{f'(x)}{k^2}\Bigr)e^{-ikx}\Bigr]_a^b ,

    the bracket being of order 1/k where f does not vanish at an end.
    """

    a: Fraction
    b: Fraction
    values: tuple[Fraction, Fraction]
    slopes: tuple[Fraction, Fraction]
    kinks: tuple[tuple[Fraction, Fraction], ...]


def _rational(value: Fraction) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)


def _fraction(value: Any) -> Fraction:
    """An exact rational number; a float at its binary value. InputError for anything else."""
    if isinstance(value, Fraction):
        return value
    number = exact(value, "number")
    if not number.is_Rational:
        raise InputError(f"a rational number is needed, not {value}")
    return Fraction(int(number.p), int(number.q))


__all__ = ["PiecewiseLinear", "Window"]
