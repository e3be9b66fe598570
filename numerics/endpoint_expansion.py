r"""Eigenvalues of every degree from the two ends: singular blocks and a proved remainder.

For a kernel analytic in the angle, with :math:`\kappa=\sum a_js^j` at :math:`\theta=0` and
:math:`\kappa=\sum b_jc^j` at :math:`\theta=\pi`, for **every** :math:`k\ge1`

.. math:: \Bigl|\mu_k-\sum_{j\text{ odd}\le J}(a_j+(-1)^kb_j)\,\mathrm{block}_j(k)\Bigr|
          \le\frac{B}{(k(k+d-2))^m\sqrt{N(d,k)}},\qquad
          \mathrm{block}_j(k)=c_\nu\frac{\Gamma(k-\nu)}{\Gamma(k+\nu+d-1)},\;\nu=\tfrac j2,

where :math:`c_\nu=\Gamma(d-1)\Gamma(\nu+\frac{d-1}2)/(\Gamma(\frac{d-1}2)\Gamma(-\nu))` and B bounds
:math:`\|\mathcal L^mr\|` (:mod:`numerics.laplace_beltrami`). The pieces of the norm lie inside a Bernstein
ellipse on which the kernel is bounded (:mod:`numerics.approximate`), so that Cauchy's estimate needs no
further work. ``docs/certificates.md`` states the theorem with its proof.

>>> import symspec as ss
>>> from symspec.network import mlp
>>> found = endpoint_expansion(mlp(ss.relu, 3).ntk, 3, m=5, J=9)
>>> found.eigenvalue(10**9).str(12, radius=False)
'1.00292404357e-27'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import acos, asin, log2, sin, sqrt

from flint import arb, fmpq, fmpz

from symspec.domain import Sphere
from symspec.errors import NoClosedForm, Undecided
from symspec.kernel import Kernel
from symspec.singularity import expansion

from . import laplace_beltrami as operator
from .approximate import RATIOS, ellipse
from .endpoint_series import at_end, at_haversine
from .precision import meets, working_precision

MAX_DISC = fmpq(9, 10)
FILL = 0.55  # radius of a piece over that of its disc of analyticity
SLACK = 0.99
DENOMINATOR = 4096
FIRST_RATIO = 2.0
MAX_TERMS = 1200
MAX_ORDER = 64
PRECISE_ENOUGH = 200
ORDERS = (4, 6, 8, 10, 12, 16, 20, 26, 32)


@dataclass(frozen=True)
class Piece:
    """A panel |y - centre| <= radius, or an end (centre 0 or 1) s <= radius; the square of the norm is at most ``bound``."""

    centre: fmpq
    radius: fmpq
    disc: fmpq
    terms: int
    bound: arb


@dataclass(frozen=True)
class EndpointExpansion:
    """Coefficients at both ends (index i is j = 2i+1) and the remainder; see the module docstring."""

    d: int
    m: int
    near: tuple[arb, ...]
    far: tuple[arb, ...]
    ratio: fmpq
    bound: arb
    pieces: tuple[Piece, ...]
    remainder: arb
    precision: int

    @property
    def J(self) -> int:
        """The largest exponent j subtracted."""
        return 2 * len(self.near) - 1

    def amplitude(self, j: int, sign: int) -> arb:
        """A_j = a_j + sign b_j."""
        return self.near[j // 2] + sign * self.far[j // 2]

    def remainder_at(self, k: int) -> arb:
        """The bound of the remainder of degree k >= 1."""
        return self.remainder / (arb(fmpz(k) * (k + self.d - 2)) ** self.m * arb(fmpz(Sphere(self.d).multiplicity(k))).sqrt())

    def eigenvalue(self, k: int) -> arb:
        """An enclosure of mu_k, k >= 1, at the precision of the expansion."""
        with working_precision(self.precision + 2 * k.bit_length()):
            sign = -1 if k % 2 else 1
            total = sum((self.amplitude(j, sign) * block(self.d, j, k) for j in range(1, self.J + 1, 2)), arb(0))
            return total + arb(0, self.remainder_at(k).upper())


def block_factor(d: int, j: int) -> arb:
    """c_nu, nu = j/2."""
    gamma = arb.gamma_fmpq
    return gamma(fmpq(d - 1)) * gamma(fmpq(j + d - 1, 2)) / (gamma(fmpq(d - 1, 2)) * gamma(fmpq(-j, 2)))


def gamma_ratio(d: int, j: int, k: int) -> arb:
    """Gamma(k - nu)/Gamma(k + nu + d - 1), nu = j/2 not a whole number, k >= 0."""
    low, high = fmpq(2 * k - j, 2), fmpq(2 * k + j + 2 * d - 2, 2)
    if low > 0:
        return ((arb(low)).lgamma() - arb(high).lgamma()).exp()
    return arb.gamma_fmpq(low) / arb.gamma_fmpq(high)


def block(d: int, j: int, k: int) -> arb:
    """mu_k of s^j on the sphere of dimension d - 1."""
    return block_factor(d, j) * gamma_ratio(d, j, k)


@lru_cache(maxsize=64)
def endpoint_expansion(kernel: Kernel, d: int, m: int, J: int, precision: int = 256) -> EndpointExpansion:
    """The expansion with all odd exponents up to J and L^m in the remainder.

    Raises Undecided where the kernel is not analytic in the angle, or J is too small for m.
    """
    if not 4 * m - (d - 1) < 2 * (J + 2):
        raise Undecided(f"J = {J} is too small for m = {m} in dimension {d}")
    ratio, bound = _ellipse(kernel)
    zeros = exact_zeros(kernel)
    terms = max(J + 2, 2 * m) + precision // 2
    while True:
        with working_precision(precision + 2 * terms):
            made = _Maker(kernel, d, m, J, ratio, bound, zeros, terms).run(precision)
        if made is not None:
            return made
        terms += terms // 2
        if terms > MAX_TERMS:
            raise Undecided(f"the remainder was not bounded with {MAX_TERMS} terms a piece")


def high_degrees(kernel: Kernel, d: int, degrees: list[int], bits: int) -> dict[int, arb]:
    """Eigenvalues of high degrees to ``bits`` of relative accuracy; those that no order reaches are left out.

    The orders follow from the lowest degree k: the remainder is smaller than the leading block by about
    k^-(2m - d/2 - 3), so a few orders suffice where k is large. The expansions are shared by all calls.
    """
    found: dict[int, arb] = {}
    precision = -(-(bits + 64) // 128) * 128 + 128
    for m in ORDERS:
        left = [k for k in degrees if k not in found]
        if not left:
            break
        if (2 * m - d / 2 - 3) * log2(left[0]) < bits:
            continue
        try:
            made = endpoint_expansion(kernel, d, m, 2 * m + 3, precision)
        except Undecided:
            break
        found |= {k: value for k in left if meets(value := made.eigenvalue(k), bits)}
    return found


def _ellipse(kernel: Kernel) -> tuple[fmpq, arb]:
    """A ratio near FIRST_RATIO or above at which the kernel is known to be bounded, and the bound."""
    domain = ellipse(kernel)
    found: tuple[fmpq, arb] | None = None
    for value in RATIOS[RATIOS.index(domain.largest()) :]:
        bound = domain.bound(value)
        if bound is None or (found is not None and value < FIRST_RATIO):
            break
        numerator, denominator = value.as_integer_ratio()
        found = fmpq(numerator, denominator), bound
    assert found is not None
    return found


def exact_zeros(kernel: Kernel) -> tuple[int, int]:
    """(i, i'): the odd coefficients j < i at rho = 1 and j < i' at rho = -1 are exactly 0, from the exact expansion."""
    order = 2
    while True:
        firsts = [_first_odd(kernel, end, order) for end in (1, -1)]
        if any(found for _, found in firsts) or order > MAX_ORDER:
            return firsts[0][0], firsts[1][0]
        order += 2


def _first_odd(kernel: Kernel, end: int, order: int) -> tuple[int, bool]:
    """The odd exponent up to which odd coefficients are known to be exactly 0, and whether the next is known not to be."""
    try:
        series = expansion(kernel, end, order).series
    except NoClosedForm as error:
        if "known orders" not in str(error):
            raise
        return 1, False
    first = min((j for j in series.terms if j % 2), default=None)
    return (series.order + 1 - series.order % 2, False) if first is None else (first, True)


@dataclass(frozen=True)
class _Maker:
    kernel: Kernel
    d: int
    m: int
    J: int
    ratio: fmpq
    bound: arb
    zeros: tuple[int, int]
    terms: int

    def run(self, precision: int) -> EndpointExpansion | None:
        series = [at_end(self.kernel, end, self.terms) for end in (1, -1)]
        near, far = (self._odd(values, zero) for values, zero in zip(series, self.zeros, strict=True))
        sigma, disc = self.end_radii()
        pieces = [self._end(0, series[0], near, far, sigma, disc), self._end(1, series[1], far, near, sigma, disc)]
        pieces += [self._panel(centre, radius, rho, near, far) for centre, radius, rho in self.panels(sigma)]
        if not all(piece.bound.is_finite() for piece in pieces):
            return None
        total = sum((piece.bound for piece in pieces), arb(0)).upper().sqrt().upper()
        return EndpointExpansion(self.d, self.m, tuple(near), tuple(far), self.ratio, self.bound, tuple(pieces), total, precision)

    def _odd(self, values: list[arb], zero: int) -> list[arb]:
        return [arb(0) if j < zero else values[j] for j in range(1, self.J + 1, 2)]

    def distance(self) -> float:
        """From an end of [0, pi] to the ellipse, rounded down."""
        r = float(int(self.ratio.p) / int(self.ratio.q))
        return SLACK * asin(1) / 2 * (sqrt(r) - 1 / sqrt(r)) ** 2

    def end_radii(self) -> tuple[fmpq, fmpq]:
        """(sigma, disc) of the ends."""
        reach = self.distance() / 2
        disc = MAX_DISC if reach > asin(1) else min(MAX_DISC, _fraction(sin(reach)))
        return _fraction(FILL * int(disc.p) / int(disc.q)), disc

    def panels(self, sigma: fmpq) -> list[tuple[fmpq, fmpq, fmpq]]:
        """(centre, radius, disc) of panels that cover [sigma^2, 1 - sigma^2], left to right."""
        left, last = sigma * sigma, 1 - sigma * sigma
        found = []
        while left < last:
            right = self._next_edge(left, last)
            centre, radius = (left + right) / 2, (right - left) / 2
            found.append((centre, radius, _fraction(self.disc_at(float(centre.p) / float(centre.q)))))
            left = right
        return found

    def _next_edge(self, left: fmpq, last: fmpq) -> fmpq:
        low = float(left.p) / float(left.q)
        step = min(float((last - left).p) / float((last - left).q), 0.5)
        while step / 2 > FILL * self.disc_at(low + step / 2):
            step *= 0.95
        right = left + _fraction(step)
        return last if right + fmpq(1, DENOMINATOR) >= last else right

    def disc_at(self, y: float) -> float:
        """A radius rho < min(y, 1-y) such that |y' - y| <= rho lies in the ellipse, rounded down (a proposal)."""
        x = 2 * acos(1 - 2 * y) / (2 * asin(1)) - 1
        r = float(int(self.ratio.p) / int(self.ratio.q))
        wide, narrow = (r + 1 / r) / 2, (r - 1 / r) / 2
        distance = SLACK * asin(1) * (narrow * sqrt(1 - x * x) if abs(x) * wide <= 1 else wide - abs(x))
        low, high = 0.0, 0.97 * min(y, 1 - y)
        for _ in range(40):
            rho = (low + high) / 2
            low, high = (rho, high) if rho <= distance * sqrt((y - rho) * (1 - y - rho)) else (low, rho)
        return SLACK * low

    def _end(self, side: int, series: list[arb], own: list[arb], other: list[arb], sigma: fmpq, disc: fmpq) -> Piece:
        root = arb(self.ratio).sqrt()
        if not 2 * arb(disc).asin() <= arb.pi() / 4 * (root - 1 / root) ** 2:
            raise Undecided("an end leaves the ellipse of analyticity")
        blocks = operator.blocks_at_other_end(other, self.terms)
        rest = [arb(0) if n % 2 and n <= self.J else value - (blocks[n] if n % 2 == 0 else 0) for n, value in enumerate(series)]
        size = arb(disc)
        bound = self.bound + sum((abs(a) * size ** (2 * i + 1) for i, a in enumerate(own)), arb(0))
        bound += sum((abs(b) * (1 + size**2) ** (arb(2 * i + 1) / 2) for i, b in enumerate(other)), arb(0))
        tail = operator.end_tail(self.d, self.m, self.terms, arb(sigma), size, bound)
        norm = operator.end_norm(rest, self.d, self.m, arb(sigma), tail)
        return Piece(fmpq(side), sigma, disc, self.terms, self._unless_tail_dominates(norm, tail))

    def _panel(self, centre: fmpq, radius: fmpq, disc: fmpq, near: list[arb], far: list[arb]) -> Piece:
        self._require_inside(centre, disc)
        y, rho = arb(centre), arb(disc)
        values = at_haversine(self.kernel, y, self.terms)
        blocks = operator.blocks_at_haversine(near, far, y, self.terms)
        rest = [value - block for value, block in zip(values, blocks, strict=True)]
        bound = self.bound
        for values_, top in ((near, y + rho), (far, 1 - y + rho)):
            bound += sum((abs(a) * top ** (arb(2 * i + 1) / 2) for i, a in enumerate(values_)), arb(0))
        tail = operator.panel_tail(self.d, self.m, self.terms, y, arb(radius), rho, bound)
        norm = operator.panel_norm(rest, self.d, self.m, y, arb(radius), tail)
        return Piece(centre, radius, disc, self.terms, self._unless_tail_dominates(norm, tail))

    def _unless_tail_dominates(self, norm: arb, tail: arb) -> arb:
        # A kernel that is nothing but its blocks leaves rounding only.
        negligible = norm < self.bound**2 * arb(2) ** (-PRECISE_ENOUGH)
        return norm if negligible or tail**2 < norm / 100 else arb("inf")

    def _require_inside(self, centre: fmpq, disc: fmpq) -> None:
        """The disc |y - centre| <= disc lies in the ellipse: proved, whatever proposed it."""
        y, rho, r = arb(centre), arb(disc), arb(self.ratio)
        x = abs(2 * (1 - 2 * y).acos() / arb.pi() - 1)
        wide, narrow = (r + 1 / r) / 2, (r - 1 / r) / 2
        # The nearest point of the ellipse: on the flank where |x| wide <= 1, else the vertex; the lesser of both is always right.
        distance = arb.pi() / 2 * (narrow * (1 - x * x).sqrt()).min(wide - x)
        if not (rho < y and rho < 1 - y and rho <= distance * ((y - rho) * (1 - y - rho)).sqrt()):
            raise Undecided("a panel leaves the ellipse of analyticity")


def _fraction(value: float) -> fmpq:
    """A short rational just below."""
    denominator = DENOMINATOR
    while value * denominator < DENOMINATOR / 4:
        denominator *= 16
    return fmpq(int(value * denominator), denominator)
