r"""Exact moments of a polynomial in the angle: Fourier coefficients, then any sphere.

For a polynomial p of degree n in :math:`\theta` integration by parts ends:

.. math:: \int_0^\pi p\cos m\theta\,d\theta=\sum_{j\ge0}\frac{(-1)^j}{m^{2j+2}}
          \left[(-1)^mp^{(2j+1)}(\pi)-p^{(2j+1)}(0)\right],\quad m\ge1,

and likewise with the sine, so a coefficient at frequency :math:`10^9` costs no more than one at 10.
On the sphere :math:`S^{d-1}`, d = 2 is the cosine coefficient divided by pi, d = 3 follows from
:math:`P_k(\cos\theta)=\sum_ig_ig_{k-i}\cos(k-2i)\theta,\ g_i=\binom{2i}i4^{-i}`, and two dimensions
more cost one difference (the connection formula of Gegenbauer polynomials, DLMF 18.9.7):

.. math:: \mu_k^{(d+2)}=\frac{d}{2k+d}\left(\mu_k^{(d)}-\mu_{k+2}^{(d)}\right).

>>> from flint import arb
>>> from numerics.approximate import AnglePolynomial
>>> p = AnglePolynomial((arb(1), arb(1)), arb(0))    # 1 + T_1 = 2 theta/pi
>>> moments(p, 3, [0, 1], 100)[1].overlaps(-arb(1) / 4)
True
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from flint import arb

from .approximate import AnglePolynomial
from .precision import working_precision


@dataclass
class EndpointDerivatives:
    """p^(i)(0) and p^(i)(pi), i = 0..n, of an exact polynomial; combined for even and odd m."""

    polynomial: AnglePolynomial
    goal: int = 0

    @cached_property
    def bits(self) -> int:
        """Working precision that leaves the derivatives exact to far below their own size."""
        return 64 + max(8 * self.polynomial.degree, self.goal) + max((_size(c) for c in self.polynomial.coefficients), default=0) + self._depth

    @cached_property
    def _depth(self) -> int:
        sizes = [-_size(c) for c in self.polynomial.coefficients if c != 0]
        return max(0, *sizes) if sizes else 0

    @cached_property
    def at_ends(self) -> tuple[list[arb], list[arb]]:
        """(values at 0, values at pi). T_j^(i)(1) = prod_{l<i} (j^2-l^2)/(2l+1), times (2/pi)^i."""
        coefficients = self.polynomial.coefficients
        left, right = [], []
        with working_precision(self.bits):
            weights = list(coefficients)
            scale, step = arb(1), 2 / arb.pi()
            for i in range(len(coefficients)):
                even = sum(weights[i + i % 2 :: 2] if i % 2 == 0 else weights[i + 1 :: 2], arb(0))
                odd = sum(weights[i + 1 :: 2] if i % 2 == 0 else weights[i::2], arb(0))
                sign = -1 if i % 2 else 1
                right.append((even + odd) * scale)
                left.append(sign * (even - odd) * scale)
                for j in range(i + 1, len(weights)):
                    weights[j] = weights[j] * (j * j - i * i) / (2 * i + 1)
                scale = scale * step
        return left, right

    def series(self, *, m_is_odd: bool, sine: bool) -> list[arb]:
        """Coefficients s_j with the transform equal to sum_j s_j / m^(2j+2) (2j+1 for the sine)."""
        left, right = self.at_ends
        parity = -1 if m_is_odd else 1
        with working_precision(self.bits):
            if sine:
                return [(-1) ** j * (left[2 * j] - parity * right[2 * j]) for j in range((len(left) + 1) // 2)]
            return [(-1) ** j * (parity * right[2 * j + 1] - left[2 * j + 1]) for j in range(len(left) // 2)]


def _size(value: arb) -> int:
    """Binary exponent of an exact number."""
    if value == 0:
        return 0
    mantissa, exponent = value.man_exp()
    return int(mantissa).bit_length() + int(exponent)


def transforms(polynomial: AnglePolynomial, frequencies: Iterable[int], bits: int, *, sine: bool) -> dict[int, arb]:
    """The cosine or sine transform of p on [0, pi] at integer frequencies >= 0.

    The absolute error is about 2^-bits; the precision follows the size of the terms, which
    for small frequencies are far larger than the sum.
    """
    ends = EndpointDerivatives(polynomial, bits)
    result: dict[int, arb] = {}
    for odd in (False, True):
        wanted = sorted({m for m in frequencies if m % 2 == odd})
        if not wanted:
            continue
        series = ends.series(m_is_odd=odd, sine=sine)
        sizes = [_upper_size(value) for value in series]
        block = 0
        rounded: list[arb] = []
        precision = bits
        for m in wanted:
            if m == 0:
                result[0] = arb(0) if sine else _integral(polynomial, bits)
                continue
            if m.bit_length() != block:
                block = m.bit_length()
                power = block - 1
                largest = max((size - power * (2 * j + 1) for j, size in enumerate(sizes)), default=0)
                precision = bits + max(0, largest) + 16
                with working_precision(precision):
                    rounded = [value + 0 for value in series]
            result[m] = _horner(rounded, m, precision, sine=sine)
    return result


def _upper_size(value: arb) -> int:
    bound = abs(value).upper()
    return _size(bound)


def _horner(series: list[arb], m: int, precision: int, *, sine: bool) -> arb:
    with working_precision(precision):
        inverse = 1 / (arb(m) * m)
        total = arb(0)
        for value in reversed(series):
            total = total * inverse + value
        return total / m if sine else total * inverse


def _integral(polynomial: AnglePolynomial, bits: int) -> arb:
    """The integral of p over [0, pi]: T_j contributes pi/(1-j^2) for even j."""
    with working_precision(bits + 32):
        total = sum((c / (1 - j * j) for j, c in enumerate(polynomial.coefficients) if j % 2 == 0), arb(0))
        return total * arb.pi()


def moments(polynomial: AnglePolynomial, d: int, degrees: Iterable[int], bits: int) -> dict[int, arb]:
    """mu_k of the polynomial on S^{d-1}, without its error, to an absolute accuracy near 2^-bits."""
    wanted = sorted(set(degrees))
    base, steps = (2, (d - 2) // 2) if d % 2 == 0 else (3, (d - 3) // 2)
    needed = sorted({k + 2 * j for k in wanted for j in range(steps + 1)})
    working = bits + 2 * steps + 16
    values = _circle(polynomial, needed, working) if base == 2 else _ordinary_sphere(polynomial, needed, working)
    with working_precision(working + 16):
        for index in range(steps):
            dimension = base + 2 * index
            values = {k: (value - values[k + 2]) * dimension / (2 * k + dimension) for k, value in values.items() if k + 2 in values}
    return {k: values[k] for k in wanted}


def _circle(polynomial: AnglePolynomial, degrees: list[int], bits: int) -> dict[int, arb]:
    cosines = transforms(polynomial, degrees, bits, sine=False)
    with working_precision(bits + 16):
        return {k: value / arb.pi() for k, value in cosines.items()}


def _ordinary_sphere(polynomial: AnglePolynomial, degrees: list[int], bits: int) -> dict[int, arb]:
    """d = 3: half the sum over i of g_i g_{k-i} times the integral of p sin cos (k-2i)."""
    top = max(degrees)
    parities = {k % 2 for k in degrees}
    frequencies = [n for n in range(top + 1) if n % 2 in parities]
    working = bits + 2 * top.bit_length() + 16
    sines = transforms(polynomial, sorted({abs(n + e) for n in frequencies for e in (-1, 1)}), working, sine=True)
    with working_precision(working):
        weighted = {n: (sines[n + 1] - (sines[n - 1] if n else -sines[1])) / 2 for n in frequencies}
        g = [arb(1)]
        for i in range(top):
            g.append(g[i] * (2 * i + 1) / (2 * i + 2))
        result = {}
        for k in degrees:
            total = arb(0)
            for i in range((k + 1) // 2):
                total += g[i] * g[k - i] * weighted[k - 2 * i]
            middle = g[k // 2] * g[k // 2] * weighted[0] if k % 2 == 0 else arb(0)
            result[k] = total + middle / 2
        return result
