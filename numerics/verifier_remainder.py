r"""The norm of L^m r on the pieces of [0, 1], for the verifier: number (4) of ``docs/certificates.md``.

With :math:`y=s^2=1-c^2` the remainder is :math:`r=\kappa-\sum_j(a_js^j+b_jc^j)`, j odd (or no even integer), and
:math:`L=y(1-y)\partial^2+\frac{d-1}2(1-2y)\partial`. On each piece r is a power series known up to a number of terms, to which
:math:`L^m` is applied exactly, plus a tail whose coefficients are bounded by Cauchy's inequality on a larger disc;
:math:`\|p+t\|\le\|p\|+\|t\|`.

>>> print(measure(3).str(12, radius=False))
0.500000000000
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flint import arb, arb_poly, arb_series, fmpq

Singular = Mapping[fmpq, arb]  # j and the coefficient of y^(j/2); denominators are powers of 2
PARTS = 32  # of a panel, the weight being bounded by its maximum on each


@dataclass(frozen=True)
class Remainder:
    """r, given by the a_j and b_j of exponents j that are no even integers, and a bound of the kernel."""

    d: int
    m: int
    near: Singular
    far: Singular
    bound: arb

    def swapped(self) -> Remainder:
        """The same with the two ends exchanged."""
        return Remainder(self.d, self.m, self.far, self.near, self.bound)

    @property
    def _weight(self) -> arb:
        """C 2^(d-2), in front of (y(1-y))^((d-3)/2) dy."""
        return measure(self.d) * 2 ** (self.d - 2)

    def _size(self, y: arb, z: arb) -> arb:
        """A bound of abs(r) where those of y and 1-y are y and z."""
        terms = ((abs(a) * x ** (arb(j) / 2)) for side, x in ((self.near, y), (self.far, z)) for j, a in side.items())
        return sum(terms, self.bound)

    def end(self, series: arb_series, radius: arb, disc: arb, terms: int, root: int = 1) -> arb:
        """A bound of the square of the norm for 0 <= tau <= radius, s = tau^root; the kernel is ``series`` in tau and bounded for abs(tau) <= disc."""
        m, d, step = self.m, self.d, 2 * root
        rest = _powers_of_complement(self.far, (terms + step - 1) // step)
        # The other powers in ``near`` cancel by the definition of a_j.
        g = {n: series[n] - rest[n // step] if n % step == 0 else series[n] for n in range(terms) if fmpq(n, root) not in self.near}
        for _ in range(m):
            image: dict[int, arb] = {}
            for n, value in g.items():
                nu = fmpq(n, step)
                image[n - step] = image.get(n - step, arb(0)) + value * (nu * (nu + fmpq(d - 3, 2)))
                image[n] = image.get(n, arb(0)) - value * (nu * (nu + d - 2))
            g = {n: value for n, value in image.items() if not value.is_zero()}
        low = min(g, default=0)
        square = arb_poly([g.get(n, 0) for n in range(low, terms)]) ** 2
        top = radius**step
        factor = 2 * self._weight * (arb(1) if d > 2 else 1 / (1 - top).sqrt())
        first = 2 * low + root * (d - 1)
        if first <= 0:
            return arb("inf")
        main = sum((square[i] * radius ** (first + i) * root / (first + i) for i in range(square.length())), arb(0))

        def growth(n: int) -> arb:
            nu = fmpq(n, step)
            return (arb(nu * (nu + fmpq(abs(d - 3), 2))) / top + nu * (nu + d - 2)) ** m

        tail = self._size(disc**step, 1 + disc**step) * _tail(radius / disc, growth, terms)
        return _squared_sum(factor * main, tail * tail * factor * radius ** (root * (d - 1)) / (d - 1))

    def panel(self, kernel: arb_series, c: fmpq, radius: fmpq, rho: fmpq, terms: int) -> arb:
        """A bound of the square of the norm for abs(y-c) <= radius; ``kernel`` is the series in y - c, within the ellipse up to rho."""
        m, d, wide = self.m, self.d, arb(radius)
        y = arb_series([arb(c), 1])
        series = kernel - _powers(self.near, y) - _powers(self.far, 1 - y)
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
        tail = self._size(arb(c + rho), arb(1 - c + rho)) * _tail(wide / rho, lambda n: (n * (n - 1) * A / wide**2 + n * (d - 1) * G / (2 * wide)) ** m, terms)
        return _squared_sum(self._weight * main, self._weight * weight * tail * tail)


def measure(d: int) -> arb:
    """C = Gamma(d/2)/(sqrt(pi) Gamma((d-1)/2))."""
    return (arb(d) / 2).gamma() / (arb.pi().sqrt() * (arb(d - 1) / 2).gamma())


def _powers_of_complement(values: Singular, length: int) -> list[arb]:
    """Coefficients of sum b_j (1-x)^(j/2) by the binomial series."""
    found = [arb(0)] * length
    for j, value in values.items():
        coefficient = value
        for i in range(length):
            found[i] += coefficient
            coefficient = -coefficient * (j / 2 - i) / (i + 1)
    return found


def _powers(values: Singular, y: arb_series) -> arb_series:
    """sum a_j y^(j/2), y linear: y^f for each broken part f of j/2 by the binomial series, times a polynomial."""
    length, total = y.prec, 0 * y
    line = arb_poly([y[0], y[1]])
    parts: dict[fmpq, dict[int, arb]] = {}
    for j, value in values.items():
        whole = int((j / 2).floor())
        parts.setdefault(j / 2 - whole, {})[whole] = value
    for part, powers in parts.items():
        polynomial = arb_poly([powers.get(n, arb(0)) for n in range(max(powers) + 1)])(line)
        total += y ** arb(part) * arb_series([polynomial[n] for n in range(min(length, polynomial.length()))], length)
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
