r"""The norm of L^m r on the pieces of [0, 1], for the verifier: number (4) of ``docs/certificates.md``.

With :math:`y=s^2=1-c^2` the remainder is :math:`r=\kappa-\sum_j(a_js^j+b_jc^j)`, j odd, and
:math:`L=y(1-y)\partial^2+\frac{d-1}2(1-2y)\partial`. On each piece r is a power series known up to a number of terms, to which
:math:`L^m` is applied exactly, plus a tail whose coefficients are bounded by Cauchy's inequality on a larger disc;
:math:`\|p+t\|\le\|p\|+\|t\|`.

>>> print(measure(3).str(12, radius=False))
0.500000000000
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb, arb_poly, arb_series, fmpq

PARTS = 32  # of a panel, the weight being bounded by its maximum on each


@dataclass(frozen=True)
class Remainder:
    """r, given by a_1, a_3, ..., by b_1, b_3, ..., and a bound of the kernel on the ellipse."""

    d: int
    m: int
    near: tuple[arb, ...]
    far: tuple[arb, ...]
    bound: arb

    def swapped(self) -> Remainder:
        """The same with the two ends exchanged."""
        return Remainder(self.d, self.m, self.far, self.near, self.bound)

    @property
    def _weight(self) -> arb:
        """C 2^(d-2), in front of (y(1-y))^((d-3)/2) dy."""
        return measure(self.d) * 2 ** (self.d - 2)

    def _size(self, s: arb, c: arb) -> arb:
        """A bound of abs(r) where those of sqrt(y) and sqrt(1-y) are s and c."""
        parts = (abs(a) * s ** (2 * i + 1) + abs(b) * c ** (2 * i + 1) for i, (a, b) in enumerate(zip(self.near, self.far, strict=True)))
        return sum(parts, self.bound)

    def end(self, series: arb_series, sigma: arb, S: arb, terms: int) -> arb:
        """A bound of the square of the norm for 0 <= s <= sigma; the kernel is ``series`` in s, within the ellipse for abs(s) <= S."""
        m, d = self.m, self.d
        s = arb_series([0, 1])
        cosine = (1 - s * s).sqrt()
        rest = cosine * _horner(self.far, cosine * cosine)
        # The odd powers up to J cancel by the definition of a_j.
        g = {n: series[n] - rest[n] if n % 2 == 0 else series[n] for n in range(terms) if n % 2 == 0 or n >= 2 * len(self.near)}
        for _ in range(m):
            image: dict[int, arb] = {}
            for n, value in g.items():
                image[n - 2] = image.get(n - 2, arb(0)) + value * (fmpq(n, 2) * (fmpq(n, 2) + fmpq(d - 3, 2)))
                image[n] = image.get(n, arb(0)) - value * (fmpq(n, 2) * (fmpq(n, 2) + d - 2))
            g = {n: value for n, value in image.items() if not value.is_zero()}
        low = min(g, default=0)
        square = arb_poly([g.get(n, 0) for n in range(low, terms)]) ** 2
        factor = 2 * self._weight * (arb(1) if d > 2 else 1 / (1 - sigma * sigma).sqrt())
        main = sum((square[i] * sigma ** (2 * low + i + d - 1) / (2 * low + i + d - 1) for i in range(square.length())), arb(0))

        def growth(n: int) -> arb:
            half = fmpq(n, 2)
            return (arb(half * (half + fmpq(abs(d - 3), 2))) / sigma**2 + half * (half + d - 2)) ** m

        tail = self._size(S, (1 + S * S).sqrt()) * _tail(sigma / S, growth, terms)
        return _squared_sum(factor * main, tail * tail * factor * sigma ** (d - 1) / (d - 1))

    def panel(self, kernel: arb_series, c: fmpq, radius: fmpq, rho: fmpq, terms: int) -> arb:
        """A bound of the square of the norm for abs(y-c) <= radius; ``kernel`` is the series in y - c, within the ellipse up to rho."""
        m, d, wide = self.m, self.d, arb(radius)
        y = arb_series([arb(c), 1])
        series = kernel - y.sqrt() * _horner(self.near, y) - (1 - y).sqrt() * _horner(self.far, 1 - y)
        g = arb_poly([series[n] for n in range(terms)])
        quadratic, linear = arb_poly([c * (1 - c), 1 - 2 * c, -1]), arb_poly([(1 - 2 * c) * fmpq(d - 1, 2), 1 - d])
        for _ in range(m):
            first = g.derivative()
            g = quadratic * first.derivative() + linear * first
        integral = (g * g).integral()
        edges = [radius * fmpq(2 * i - PARTS, PARTS) for i in range(PARTS + 1)]
        values = [integral(arb(edge)) for edge in edges]
        main, weight = arb(0), arb(0)
        for i in range(PARTS):
            largest = _largest_density(c + edges[i], c + edges[i + 1], d)
            main += largest * (values[i + 1] - values[i]).upper()
            weight += largest * (edges[i + 1] - edges[i])
        A, G = abs(1 - 2 * arb(c)) * wide + c * (1 - c) + wide**2, abs(1 - 2 * arb(c)) + 2 * wide
        tail = self._size(arb(c + rho).sqrt(), arb(1 - c + rho).sqrt()) * _tail(wide / rho, lambda n: (n * (n - 1) * A / wide**2 + n * (d - 1) * G / (2 * wide)) ** m, terms)
        return _squared_sum(self._weight * main, self._weight * weight * tail * tail)


def measure(d: int) -> arb:
    """C = Gamma(d/2)/(sqrt(pi) Gamma((d-1)/2))."""
    return (arb(d) / 2).gamma() / (arb.pi().sqrt() * (arb(d - 1) / 2).gamma())


def _horner(coefficients: tuple[arb, ...], x: arb_series) -> arb_series:
    total = 0 * x
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def _tail(q: arb, growth: Callable[[int], arb], start: int) -> arb:
    """The sum of q^n growth(n) from ``start`` on, growth(n+1)/growth(n) decreasing."""
    first = growth(start)
    ratio = q * growth(start + 1) / first
    return q**start * first / (1 - ratio) if ratio < 1 else arb("inf")


def _squared_sum(main: arb, tail: arb) -> arb:
    """(||main|| + ||tail||)^2 from the squares."""
    return (main.abs_upper().sqrt() + tail.abs_upper().sqrt()) ** 2


def _largest_density(low: fmpq, high: fmpq, d: int) -> arb:
    """The maximum of (y(1-y))^((d-3)/2): at the point nearest to 1/2, or for d = 2 farthest from it."""
    half = fmpq(1, 2)
    ends = [low * (1 - low), high * (1 - high)]
    extreme = min(ends) if d == 2 else fmpq(1, 4) if low <= half <= high else max(ends)
    return arb(extreme).sqrt() ** (d - 3)


__all__ = ["Remainder", "measure"]
