r"""Taylor coefficients of every degree: singular blocks at :math:`\rho=\pm1` and a proved remainder (Darboux's method).

Let :math:`f=\sum_nf_n\rho^n` be a combination of kernels that are analytic in the angle, with
:math:`f=\sum a_js^j` at :math:`\rho=1`, :math:`s^2=y=\frac{1-\rho}2`, and :math:`f=\sum b_jc^j` at -1, :math:`c^2=1-y`. With

.. math:: t_\nu(n)=[\rho^n]\,y^\nu=\frac{2^{-\nu}\,\Gamma(n-\nu)}{\Gamma(-\nu)\,n!},\qquad
          r=f-\sum_{j\le J\text{ odd}}(a_js^j+b_jc^j),\qquad\vartheta=\rho\,\tfrac d{d\rho},

for **every** :math:`n\ge1`, by Parseval's equation for :math:`\vartheta^mr` on the unit circle,

.. math:: \Bigl|f_n-\sum_{j\le J\text{ odd}}(a_j+(-1)^nb_j)\,t_{j/2}(n)\Bigr|\le\frac B{n^m},\qquad
          B^2\ge\frac1{2\pi}\int_{-\pi}^\pi|\vartheta^mr|^2d\varphi ,

which is finite if :math:`J+3>2m` (Flajolet and Sedgewick, Analytic Combinatorics, VI.9, make this an asymptotic statement). On the
circle :math:`\vartheta=-i\,\partial_\varphi`; the integral is bounded piece by piece, half a circle being enough, for kernels are real:

* at the ends, :math:`|s|\le\sigma` with :math:`\sin\frac\varphi2=|s|^2`: power series in s, on which
  :math:`\vartheta s^n=-\frac n4s^{n-2}+\frac n2s^n`, and Cauchy's estimate for the tail;
* between, power series in x, :math:`\varphi=\varphi_0+x`, with :math:`|f|\le M` on :math:`|x|\le R`. That disc is mapped into a disc of
  angles, since :math:`|d\theta/d\varphi|^2=|e^{i(\varphi_0+x)}|/|2\sin(\varphi_0+x)|`, :math:`|e^{ix}|\le e^{|x|}`, on which the kernel is bounded by the mean value theorem
  (:mod:`numerics.complex_disc`); all angles being principal and off their cuts there, the formula is the kernel, as it is on the
  half of the disc that lies in the unit disc of correlations.

>>> import symspec as ss
>>> law = taylor_law(ss.mlp(ss.relu, 3).ntk, m=4)
>>> print(law.coefficient(10**6).str(10, radius=False))
8.002197322e-10
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import pi

from flint import acb, acb_series, arb, fmpq
from sympy import Symbol

from symspec.errors import Undecided
from symspec.kernel import Kernel

from .circle_series import I, along_circle, require_single_valued
from .complex_disc import DiscBounds, avoids_ray
from .endpoint_expansion import exact_zeros
from .endpoint_pieces import Region, fraction, region
from .endpoint_series import at_end, roots
from .precision import working_precision

Singular = tuple[tuple[int, arb], ...]
PRECISION = 128
ONE = arb(1)
FILL, FRACTION = 0.5, fmpq(1, 2)
SHARES = (0.8, 0.6, 0.45, 0.3, 0.2, 0.12, 0.07, 0.03, 0.01)
MAX_TERMS = 2000


@dataclass(frozen=True)
class TaylorLaw:
    """The Taylor coefficients of a kernel, times R^n, by :math:`a_j,b_j` (odd j <= J, and negative ones) and the remainder :math:`B n^{-m}`.

    R = ``radius`` is 1 here; :mod:`numerics.smooth_taylor_law` makes laws with R > 1.
    """

    m: int
    near: Singular
    far: Singular
    remainder: arb
    radius: arb = ONE

    def amplitudes(self, sign: int) -> list[tuple[int, arb]]:
        """The pairs (j, a_j + sign b_j), ascending, without those that are exactly zero."""
        return [(j, total) for (j, a), (_, b) in zip(self.near, self.far, strict=True) if not (total := a + sign * b).is_zero()]

    def coefficient(self, n: int) -> arb:
        """An enclosure of the coefficient of rho^n, n >= 1."""
        with working_precision(PRECISION + 2 * n.bit_length()):
            total = sum((value * power_coefficient(j, n) for j, value in self.amplitudes(-1 if n % 2 else 1)), arb(0))
            return (total + arb(0, (self.remainder / arb(n) ** self.m).upper())) / self.radius**n

    def minus(self, other: TaylorLaw) -> TaylorLaw:
        """The law of the difference of two functions, of the same orders and the same radius."""
        near, far = (tuple((j, a - b) for (j, a), (_, b) in zip(mine, its, strict=True)) for mine, its in ((self.near, other.near), (self.far, other.far)))
        return TaylorLaw(self.m, near, far, (self.remainder + other.remainder).upper(), self.radius)


def power_coefficient(j: int, n: int) -> arb:
    """t_(j/2)(n), the coefficient of rho^n in ((1 - rho)/2)^(j/2), j odd or negative."""
    nu = fmpq(j, 2)
    low = arb(n - nu)
    ratio = (low.lgamma() - arb(n + 1).lgamma()).exp() if low > 0 else arb.gamma_fmpq(n - nu) / arb(n + 1).gamma()
    return ratio / (arb.gamma_fmpq(-nu) * arb(2).sqrt() ** j)


@lru_cache(maxsize=256)
def taylor_law(kernel: Kernel, m: int) -> TaylorLaw:
    """The law with the remainder :math:`n^{-m}`, m >= 2.

    Raises Undecided where the kernel is not analytic in the angle, or holds operations that are not followed along the circle.
    """
    if kernel.diagonal_is_infinite or roots(kernel) != (1, 1):
        raise Undecided(f"{kernel} is no power series in the angle at rho = 1: an activation with a jump")
    require_single_valued(kernel)
    J, zeros, where = 2 * m - 1, exact_zeros(kernel), region(kernel)
    terms = max(J + 2, 2 * m) + PRECISION // 2 + 6 * m
    while terms <= MAX_TERMS:
        with working_precision(PRECISION + 2 * terms):
            series = [at_end(kernel, end, terms) for end in (1, -1)]
            near, far = (tuple((j, arb(0) if j < zero else values[j]) for j in range(1, J + 1, 2)) for values, zero in zip(series, zeros, strict=True))
            square = _Circle(where, m, near, far, terms).square(series)
            if square.is_finite():
                return TaylorLaw(m, near, far, (square.sqrt() * arb(fmpq(21, 20))).upper())
        terms += terms // 2
    raise Undecided(f"the remainder was not bounded with {MAX_TERMS} terms a piece")


@dataclass(frozen=True)
class _Circle:
    """Bounds the mean square of the remainder's m-th derivative on the circle."""

    region: Region
    m: int
    near: Singular
    far: Singular
    terms: int

    def square(self, series: Sequence[list[arb]]) -> arb:
        """B^2."""
        total, edges = arb(0), []
        for side in (0, 1):
            disc, supremum = self.region.end(side)
            sigma = fraction(FILL * int(disc.p) / int(disc.q))
            own, other = (self.far, self.near) if side else (self.near, self.far)
            total += self._end(series[side], own, other, arb(sigma), arb(disc), supremum)
            reach = 2 * (arb(sigma) ** 2).asin()
            edges.append(fraction(0.999 * float(reach)))
            if not arb(edges[-1]) <= reach:
                raise Undecided("the panels do not reach the ends of the half circle")
        left, last, bounds = edges[0], arb.pi() - edges[1], DiscBounds(self.region.kernel.program)
        while not arb(left) >= last:
            middle, radius, supremum = self._disc(bounds, left)
            total += self._panel(arb(middle), arb(radius), arb(middle - left), supremum)
            if not total.is_finite():
                return total
            left += 2 * (middle - left)
        return (total / arb.pi()).upper()

    def _disc(self, bounds: DiscBounds, left: fmpq) -> tuple[fmpq, fmpq, arb]:
        """A disc |x| <= R around a middle phi, from ``left`` on, of which the panel fills a part FILL, and a bound of |f| on it."""
        position = int(left.p) / int(left.q)
        for share in SHARES:
            # middle = left + FILL R, R = share min(middle, pi - middle).
            radius = share * min(position / (1 - FILL * share), (pi - position) / (1 + FILL * share))
            half = fraction(FILL * radius)
            middle, R = arb(left + half), arb(half / FRACTION)
            if angle_radius(middle, R).is_finite():
                value, spread = bounds.propagate((I * middle).exp().acos(), angle_radius(middle, R), _principal)
                if spread < 1 + value:
                    return left + half, half / FRACTION, (value + spread).upper()
        raise Undecided(f"{self.region.kernel} was not bounded around the correlation exp({position:.3g} i)")

    def _end(self, values: list[arb], own: Singular, other: Singular, sigma: arb, disc: arb, supremum: arb) -> arb:
        """The integral of |theta^m r|^2 over sin(phi/2) <= sigma^2, phi >= 0."""
        taken = dict(own)
        rest = [arb(0) if n in taken else value for n, value in enumerate(values)]
        size = supremum + sum((abs(a) * disc**j for j, a in own), arb(0))
        for j, b in other:
            size += abs(b) * (1 + disc**2).sqrt() ** j
            term = b
            for i in range((self.terms + 1) // 2):
                rest[2 * i] -= term
                term = -term * (fmpq(j, 2) - i) / (i + 1)
        return end_square(dict(enumerate(rest)), self.m, sigma, disc, size, self.terms)

    def _panel(self, phi: arb, radius: arb, half: arb, supremum: arb) -> arb:
        """The integral of |theta^m r|^2 over |x| <= half, |f| <= supremum for |x| <= radius."""
        values = along_circle(self.region.kernel, phi, self.terms)
        blocks, size = self._blocks(phi, radius)
        sup, power = arb(0), arb(1)
        for n in range(self.m, self.terms):
            # The m-th derivative of x^n.
            sup += abs(values[n] - blocks[n]).upper() * _falling(n, self.m) * power
            power = power * half
        q = half / radius * (arb(self.terms + 1) / (self.terms + 1 - self.m))
        tail = (supremum + size) / radius**self.m * (half / radius) ** (self.terms - self.m) * _falling(self.terms, self.m) / (1 - q) if q < 1 else arb("inf")
        return (2 * half * (sup + tail) ** 2).upper()

    def _blocks(self, phi: arb, radius: arb) -> tuple[list[acb], arb]:
        """The singular blocks as series in x, and a bound of them on the disc, on which |rho| <= exp(radius)."""
        with working_precision(PRECISION + 2 * self.terms, self.terms):
            rho = acb_series([I * phi, I]).exp()
            total, size = acb_series([0]), arb(0)
            for pairs, y in ((self.near, (1 - rho) / 2), (self.far, (1 + rho) / 2)):
                root, polynomial = y.sqrt(), acb_series([0])
                for _, a in reversed(pairs):
                    polynomial = polynomial * y + a
                total = total + root * polynomial
                size += sum((abs(a) * ((1 + radius.exp()) / 2).sqrt() ** j for j, a in pairs), arb(0))
            return [total[n] for n in range(self.terms)], size


def end_square(series: dict[int, arb], m: int, sigma: arb, disc: arb, size: arb, terms: int) -> arb:
    """The integral of |theta^m r|^2 over sin(phi/2) <= sigma^2, phi >= 0, for r = sum series[n] s^n and a rest that starts with s^terms.

    r is at most ``size`` on |s| = disc, so the rest is bounded by Cauchy's estimate; terms >= 2m.
    """
    image = series
    for _ in range(m):
        moved: dict[int, arb] = {}
        for n, value in image.items():
            if n:
                moved[n - 2] = moved.get(n - 2, arb(0)) - value * fmpq(n, 4)
                moved[n] = moved.get(n, arb(0)) + value * fmpq(n, 2)
        image = moved
    # |theta^m s^n| <= |s|^n ((n/4)(|s|^-2 + 2))^m for n >= 2m.
    q = sigma / disc * (arb(terms + 1) / terms) ** m
    tail = size * (sigma / disc) ** terms * (arb(terms) / 4 * (1 / sigma**2 + 2)) ** m / (1 - q) if q < 1 else arb("inf")
    sizes = {n: abs(value).upper() for n, value in image.items() if not value.is_zero()}
    lowest, highest = min(sizes, default=0), max(sizes, default=0)
    dense = [sizes.get(n, arb(0)) for n in range(lowest, highest + 1)]
    # On the arc phi = 2 arcsin |s|^2, d phi = 4 |s|/sqrt(1-|s|^4) d|s|.
    integral = arb(0)
    for i, a in enumerate(dense):
        for k, b in enumerate(dense):
            if a != 0 and b != 0:
                power = 2 * lowest + i + k + 2
                if power <= 0:
                    return arb("inf")
                integral += a * b * sigma**power / power
    head = (4 * integral / (1 - sigma**4).sqrt()).upper()
    return _joined(head, tail, 2 * (sigma**2).asin())


def angle_radius(phi: arb, R: arb) -> arb:
    """An upper bound of |theta(phi + x) - theta(phi)| for |x| <= R, cos(theta) = exp(i phi); infinite where the disc may reach 0 or pi."""
    # |sin(phi + x)| >= sin(phi) - |x| cosh|x|.
    room = phi.sin() - R * R.cosh()
    return (R * (R / 2).exp() / (2 * room).sqrt()).upper() if room > 0 else arb("inf")


def _principal(_w: Symbol, w: acb, spread: arb, _symmetry: int) -> tuple[acb, arb]:
    """The principal angle of a disc of haversines off the cuts; |d theta/d w| = |w (1-w)|^(-1/2)."""
    if not (avoids_ray(w, spread) and avoids_ray(1 - w, spread)):
        return acb("nan"), arb("nan")
    inner, outer = (abs(w) - spread).lower(), (abs(1 - w) - spread).lower()
    return -2 * I * ((1 - w).sqrt() + I * w.sqrt()).log(), (spread / (inner * outer).sqrt()).upper()


def _falling(n: int, m: int) -> int:
    value = 1
    for i in range(m):
        value *= n - i
    return value


def _joined(head: arb, tail: arb, width: arb) -> arb:
    """(||main|| + ||tail||)^2 from the square of the former and a bound of the latter on an interval."""
    return ((head.sqrt() + tail * width.sqrt()) ** 2).upper()


__all__ = ["TaylorLaw", "end_square", "power_coefficient", "taylor_law"]
