r"""The activations of certificates: duals, moments and degrees, for the verifier alone.

Nothing here is shared with the engine that makes certificates.

**Piecewise polynomials** with a break at 0. Let u, v be standard Gaussian with correlation cos(theta), and
:math:`I_{ij}=E[u_+^iv_+^j]` with :math:`u_+^0=1_{u>0}`, :math:`m_j=E[z_+^j]`, :math:`\varphi_0=1/\sqrt{2\pi}`. Stein's lemma,
:math:`E[uF]=E[\partial_uF]+\cos\theta\,E[\partial_vF]`, gives with :math:`e_j=\varphi_0m_j\sin^j\theta`

.. math:: I_{00}=\frac{\pi-\theta}{2\pi},\quad
          I_{ij}=\bigl\{(i-1)I_{i-2,j}\;\text{or, for}\;i=1,\;e_j\bigr\}+\cos\theta\,\bigl\{j\,I_{i-1,j-1}\;\text{or, for}\;j=0,\;e_{i-1}\bigr\}.

The negative part of v makes the angle :math:`\pi-\theta`, and a variance q multiplies by :math:`q^{(i+j)/2}`. If the p-th
derivative of the activation is the first that jumps, its dual is a power series in :math:`\theta^2` plus one in odd
powers of theta from :math:`\theta^{2p+1}` on, near 0 as near pi.

**Degrees.** Kernels are power series in rho with coefficients >= 0. The even (odd) part of an activation has finitely
many Hermite coefficients if it is a polynomial; :class:`Reach` follows the largest degrees through sums,
products and compositions.

>>> from flint import arb, fmpq
>>> relu = Piecewise((), (fmpq(0), fmpq(1)))
>>> print(relu.dual(arb(1), circular(arb.pi() / 2)).str(12, radius=False), relu.support(), relu.first_odd_power())
0.159154943092 Reach(even=inf, odd=1) 3
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

from flint import arb, fmpq

Carrier = Any  # arb, arb_series or acb
Degree = float  # an int, -1 for none, or infinity


@dataclass(frozen=True)
class Angle:
    """An angle with its cosine and sine."""

    theta: Carrier
    cosine: Carrier
    sine: Carrier

    @property
    def haversine(self) -> Carrier:
        return (1 - self.cosine) / 2


def circular(theta: Carrier) -> Angle:
    """The angle of a ball, real or complex."""
    return Angle(theta, theta.cos(), theta.sin())


def followed(w: arb) -> Angle:
    """The angle of a haversine in [0, 1]."""
    root, other = w.sqrt(), (1 - w).sqrt()
    return Angle(2 * arb.atan2(root, other), 1 - 2 * w, 2 * root * other)


@dataclass(frozen=True)
class Piecewise:
    """sum below[i] x^i for x < 0, sum above[i] x^i for x > 0."""

    below: tuple[fmpq, ...]
    above: tuple[fmpq, ...]

    @cached_property
    def pairs(self) -> list[tuple[fmpq, fmpq]]:
        size = max(len(self.below), len(self.above))
        padded = [(*side, *(fmpq(0),) * (size - len(side))) for side in (self.below, self.above)]
        return list(zip(*padded, strict=True))

    def derivative(self) -> Piecewise:
        """The derivative away from 0."""
        sides = [tuple(i * side[i] for i in range(1, len(side))) for side in (self.below, self.above)]
        return Piecewise(sides[0], sides[1])

    @cached_property
    def break_order(self) -> Degree:
        """The first derivative that jumps at 0."""
        return next((i for i, (b, a) in enumerate(self.pairs) if a != b), inf)

    def first_odd_power(self) -> Degree:
        """No smaller odd power of the angle occurs in the dual."""
        return 2 * self.break_order + 1

    def part(self, parity: int) -> Piecewise:
        """The even (0) or odd (1) part."""
        sign = [(-1) ** (i + parity) for i in range(len(self.pairs))]
        below, above = zip(*(((b + s * a) / 2, (a + s * b) / 2) for s, (b, a) in zip(sign, self.pairs, strict=True)), strict=True) if self.pairs else ((), ())
        return Piecewise(below, above)

    @property
    def vanishes(self) -> bool:
        return all(a == b == 0 for b, a in self.pairs)

    def support(self) -> Reach:
        """Largest even and odd degree of the dual's power series."""
        return Reach(self.part(0)._degree(), self.part(1)._degree())

    def _degree(self) -> Degree:
        return inf if self.break_order < inf else max((i for i, (_, a) in enumerate(self.pairs) if a != 0), default=-1)

    def dual(self, q: arb, angle: Angle) -> Carrier:
        """E sigma(u) sigma(v) for variances q."""
        scale = [q.sqrt() ** i for i in range(len(self.pairs))]
        plus = [a * f for (_, a), f in zip(self.pairs, scale, strict=True)]
        minus = [b * f * (-1) ** i for i, ((b, _), f) in enumerate(zip(self.pairs, scale, strict=True))]
        pi, size = arb.pi(), len(self.pairs)
        same = orthant_moments((pi - angle.theta) / (2 * pi), angle.cosine, angle.sine, size)
        opposite = orthant_moments(angle.theta / (2 * pi), -angle.cosine, angle.sine, size)
        total = 0 * angle.cosine
        for i in range(size):
            for j in range(size):
                near, far = plus[i] * plus[j] + minus[i] * minus[j], plus[i] * minus[j] + minus[i] * plus[j]
                total += (0 if near.is_zero() else same[i][j] * near) + (0 if far.is_zero() else opposite[i][j] * far)
        return total

    def second_moment(self, q: arb) -> arb:
        """E sigma(u)^2."""
        m = half_moments(2 * len(self.pairs))
        return sum((q.sqrt() ** (i + j) * (a * a2 + (-1) ** (i + j) * b * b2) * m[i + j] for i, (b, a) in enumerate(self.pairs) for j, (b2, a2) in enumerate(self.pairs)), arb(0))


def half_moments(size: int) -> list[arb]:
    """E[z_+^j] for j < size."""
    moments = [arb(1) / 2, 1 / (2 * arb.pi()).sqrt()]
    for j in range(2, size):
        moments.append((j - 1) * moments[j - 2])
    return moments[:size]


def orthant_moments(share: Carrier, cosine: Carrier, sine: Carrier, size: int) -> list[list[Carrier]]:
    """The table of E[u_+^i v_+^j] for i, j < size; ``share`` is P(u, v > 0)."""
    m, phi = half_moments(max(size, 2)), 1 / (2 * arb.pi()).sqrt()
    edge = [0 * sine + phi * m[0]]  # E[v_+^j | u = 0] phi(0)
    for j in range(1, size):
        edge.append(edge[-1] * sine * (m[j] / m[j - 1]))
    table: list[list[Carrier]] = [[share] * size for _ in range(size)]
    for i in range(1, size):
        for j in range(i + 1):
            inner = j * table[i - 1][j - 1] if j else edge[i - 1]
            first = (i - 1) * table[i - 2][j] if i > 1 else edge[j]
            table[i][j] = table[j][i] = first + cosine * inner
    return table


@dataclass(frozen=True)
class Smooth:
    """A named smooth activation: its dual for equal variances q as a function of the covariance c."""

    name: str

    def dual(self, q: arb, c: Carrier) -> Carrier:
        """E sigma(u) sigma(v)."""
        pi = arb.pi()
        if self.name == "erf":
            return (2 * c / (1 + 2 * q)).asin() * (2 / pi)
        if self.name == "gelu":
            b = (1 + q) * (1 + q) - c * c
            root = b.sqrt()
            return c / 4 + ((c * c + q * q * b) / (root * (1 + q) ** 2) + c * (c / root).atan()) / (2 * pi)
        if self.name == "gaussian":
            return 1 / ((1 + q) * (1 + q) - c * c).sqrt()
        if self.name == "exp":
            return c.exp() * q.exp()
        sign = -1 if self.name == "sin" else 1
        return (c.exp() + sign * (-c).exp()) / 2 * (-q).exp()

    def barrier(self, q: arb) -> arb:
        """The dual, a power series in c with coefficients >= 0, is analytic for |c| below this."""
        return {"erf": q + arb(1) / 2, "gelu": 1 + q, "gaussian": 1 + q}.get(self.name, arb("inf"))

    def second_moment(self, q: arb) -> arb:
        """E sigma(u)^2."""
        return self.dual(q, q)


@dataclass(frozen=True)
class Reach:
    """Largest even and odd degree of a power series, -1 for none: the fourth carrier."""

    even: Degree
    odd: Degree

    def __add__(self, other: Any) -> Reach:
        second = _reach(other)
        return Reach(max(self.even, second.even), max(self.odd, second.odd))

    def __mul__(self, other: Any) -> Reach:
        a, b = self, _reach(other)
        return Reach(max(_sum(a.even, b.even), _sum(a.odd, b.odd)), max(_sum(a.even, b.odd), _sum(a.odd, b.even)))

    def __truediv__(self, other: Any) -> Reach:
        return self

    __radd__ = __add__
    __rmul__ = __mul__

    def of(self, inner: Reach) -> Reach:
        """The composition with ``inner``."""
        if max(inner.even, inner.odd) <= 0:
            return Reach(0, -1)
        total = Reach(-1, -1)
        for top, odd in ((self.even, False), (self.odd, True)):
            if top == inf:
                mixed = inner.even >= 0 and inner.odd >= 0
                total += Reach(inf, inf) if mixed else Reach(-1, inf) if odd and inner.even < 0 else Reach(inf, -1)
            elif top >= 0:
                power = Reach(0, -1)
                for _ in range(int(top)):
                    power = power * inner
                total += power
        return total


def _reach(value: Any) -> Reach:
    """Numbers are constants."""
    return value if isinstance(value, Reach) else Reach(-1 if value == 0 else 0, -1)


def _sum(a: Degree, b: Degree) -> Degree:
    return -1 if a < 0 or b < 0 else a + b


__all__ = ["Angle", "Carrier", "Degree", "Piecewise", "Reach", "Smooth", "circular", "followed", "orthant_moments"]
