r"""The pieces on which the remainder of an endpoint expansion is bounded, and where their power series come from.

[0, 1] in y is cut into two ends and panels. On each the remainder is a power series whose tail is bounded by Cauchy's
estimate on a larger disc, on which the kernel is bounded:

* kernels that are analytic in the angle are bounded on one Bernstein ellipse (:mod:`numerics.approximate`); the nearest
  point of the ellipse to a point of its major axis is known, which tells how large the discs may be;
* kernels of composed jumps are bounded on each disc by itself (:mod:`numerics.disc_cover`).

Floats propose the pieces; that they fit is proved in balls.

>>> import symspec as ss
>>> from symspec.network import mlp
>>> [region(mlp(sigma, 2).ck).ratio for sigma in (ss.relu, ss.step)]
[2, None]
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, asin, sin, sqrt

from flint import arb, fmpq

from symspec.errors import Undecided
from symspec.functions import NEITHER
from symspec.kernel import Kernel

from . import disc_cover, laplace_beltrami as operator
from .approximate import RATIOS, ellipse
from .endpoint_series import at_haversine, roots
from .laplace_beltrami import Singular
from .precision import working_precision

MAX_DISC = fmpq(9, 10)
FILL = 0.55  # radius of a piece over that of its disc of analyticity
WIDE_FILLS = (0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6)
SLACK = 0.99
DENOMINATOR = 4096
FIRST_RATIO = 2.0
PRECISE_ENOUGH = 200
NEGLIGIBLE = fmpq(1, 10**4)
END_DISCS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)
SHARES = (0.8, 0.6, 0.4, 0.2)


@dataclass(frozen=True)
class Piece:
    """A panel |y - centre| <= radius, or an end (centre 0: tau <= radius; centre 1: c <= radius).

    The power series there is bounded by Cauchy's estimate on the disc of radius ``disc``, on which |K| <= ``supremum``;
    the square of the norm of L^m r on the piece is at most ``bound``.
    """

    centre: fmpq
    radius: fmpq
    disc: fmpq
    terms: int
    supremum: arb
    bound: arb


@dataclass(frozen=True)
class Region:
    """Where a kernel is bounded: on an ellipse of a ratio, or (None) on discs one by one."""

    kernel: Kernel
    ratio: fmpq | None = None
    supremum: arb | None = None

    def end(self, side: int) -> tuple[fmpq, arb]:
        """(radius, bound of |K|) of a disc in tau or c around an end, 0 near or 1 far."""
        if self.ratio is not None and self.supremum is not None:
            reach = _end_distance(self.ratio) / 2
            disc = MAX_DISC if reach > asin(1) else min(MAX_DISC, fraction(sin(reach)))
            root = arb(self.ratio).sqrt()
            if not 2 * arb(disc).asin() <= arb.pi() / 4 * (root - 1 / root) ** 2:
                raise Undecided("an end leaves the ellipse of analyticity")
            return disc, self.supremum
        for value in END_DISCS:
            disc = fraction(value)
            # |K| is the same at both ends of an even or odd kernel.
            mirrored = self.kernel.symmetry != NEITHER
            bound = (disc_cover.far_end if side and not mirrored else disc_cover.near_end)(self.kernel, arb(disc))
            if bound is not None:
                return disc, bound
        raise Undecided(f"the kernel was not bounded on a disc around rho = {'-1' if side else '+1'}")

    def proposed_disc(self, y: float) -> float:
        """The radius of a disc around y in which the kernel may be bounded."""
        if self.ratio is None:
            return SHARES[0] * min(y, 1 - y)
        x = 2 * acos(1 - 2 * y) / (2 * asin(1)) - 1
        r = _float(self.ratio)
        wide, narrow = (r + 1 / r) / 2, (r - 1 / r) / 2
        distance = SLACK * asin(1) * (narrow * sqrt(1 - x * x) if abs(x) * wide <= 1 else wide - abs(x))
        low, high = 0.0, 0.97 * min(y, 1 - y)
        for _ in range(40):
            rho = (low + high) / 2
            low, high = (rho, high) if rho <= distance * sqrt((y - rho) * (1 - y - rho)) else (low, rho)
        return SLACK * low

    def panel(self, centre: fmpq, radius: fmpq) -> tuple[fmpq, arb]:
        """(radius, bound of |K|) of a disc around a panel; Undecided where none is larger than the panel."""
        if self.ratio is not None and self.supremum is not None:
            disc = fraction(self.proposed_disc(_float(centre)))
            self._require_inside(centre, disc)
            return disc, self.supremum
        for share in SHARES:
            disc = fraction(share * min(_float(centre), 1 - _float(centre)))
            bound = disc_cover.panel(self.kernel, arb(centre), arb(disc)) if disc > radius else None
            if bound is not None:
                return disc, bound
        raise Undecided("the kernel was not bounded around a panel")

    def _require_inside(self, centre: fmpq, disc: fmpq) -> None:
        """The disc |y - centre| <= disc lies in the ellipse."""
        y, rho, r = arb(centre), arb(disc), arb(self.ratio)
        x = abs(2 * (1 - 2 * y).acos() / arb.pi() - 1)
        wide, narrow = (r + 1 / r) / 2, (r - 1 / r) / 2
        # The nearest point of the ellipse: on the flank where |x| wide <= 1, else the vertex; the lesser of both is always right.
        distance = arb.pi() / 2 * (narrow * (1 - x * x).sqrt()).min(wide - x)
        if not (rho < y and rho < 1 - y and rho <= distance * ((y - rho) * (1 - y - rho)).sqrt()):
            raise Undecided("a panel leaves the ellipse of analyticity")


def region(kernel: Kernel) -> Region:
    """The ellipse of a ratio near FIRST_RATIO or above, or discs where jumps are composed."""
    if roots(kernel)[0] > 1:
        return Region(kernel)
    domain = ellipse(kernel)
    found: tuple[fmpq, arb] | None = None
    for value in RATIOS[RATIOS.index(domain.largest()) :]:
        bound = domain.bound(value)
        if bound is None or (found is not None and value < FIRST_RATIO):
            break
        numerator, denominator = value.as_integer_ratio()
        found = fmpq(numerator, denominator), bound
    assert found is not None
    return Region(kernel, *found)


@dataclass(frozen=True)
class Cutter:
    """Makes the pieces of one kernel, order and number of terms."""

    region: Region
    d: int
    m: int
    J: int
    near: Singular
    far: Singular
    terms: int
    precision: int

    def pieces(self, series: list[list[arb]]) -> list[Piece] | None:
        """Ends first, then panels from left to right; None where more terms are needed. ``series`` are those at the ends."""
        near_root, far_root = roots(self.region.kernel)
        # Only composed jumps have pieces of very different sizes, of which some do not show in the sum.
        composed = near_root > 1
        far = self._end(1, series[1], arb(0))
        near = self._end(0, series[0], far.bound if composed else arb(0))
        found = [near, far]
        if not (near.bound.is_finite() and far.bound.is_finite()):
            return None
        left, last = found[0].radius ** (2 * near_root), 1 - found[1].radius ** (2 * far_root)
        while left < last:
            right = self._next_edge(left, last)
            found.append(self._panel((left + right) / 2, (right - left) / 2, sum((piece.bound for piece in found), arb(0)) if composed else arb(0)))
            if not found[-1].bound.is_finite():
                return None
            left = right
        return found

    def _next_edge(self, left: fmpq, last: fmpq) -> fmpq:
        low = _float(left)
        step = min(_float(last - left), 0.5)
        while step / 2 > FILL * self.region.proposed_disc(low + step / 2):
            step *= 0.95
        right = left + fraction(step)
        return last if _float(last - right) < 0.01 * min(_float(right), 1 - _float(right)) else right

    def _end(self, side: int, series: list[arb], others: arb) -> Piece:
        disc, supremum = self.region.end(side)
        own, other = (self.far, self.near) if side else (self.near, self.far)
        root = roots(self.region.kernel)[side]
        blocks = operator.blocks_at_other_end(other, self.terms, root)
        subtracted = {int(j * root) for j, _ in own}
        rest = [arb(0) if n in subtracted else value - blocks[n] for n, value in enumerate(series)]
        size = arb(disc) ** root
        bound = supremum + sum((abs(a) * size ** arb(j) for j, a in own), arb(0))
        bound += sum((abs(b) * (1 + size**2) ** (arb(j) / 2) for j, b in other), arb(0))
        # The many terms that a root of the variable needs reach far: every step further spares panels next to the end.
        for fill in (FILL,) if root == 1 else (*WIDE_FILLS, FILL):
            radius = fraction(fill * _float(disc))
            tail = operator.end_tail(self.d, self.m, self.terms, arb(radius), arb(disc), bound, root)
            norm = self._unless_it_dominates(operator.end_norm(rest, self.d, self.m, arb(radius), tail, root), tail, supremum, others)
            if norm.is_finite():
                break
        return Piece(fmpq(side), radius, disc, self.terms, supremum, norm)

    def _panel(self, centre: fmpq, radius: fmpq, others: arb) -> Piece:
        """With as few terms as leave a tail that does not show in the sum with ``others``; an end in the root of a variable needs far more."""
        disc, supremum = self.region.panel(centre, radius)
        y, rho, bound = arb(centre), arb(disc), supremum
        for pairs, top in ((self.near, y + rho), (self.far, 1 - y + rho)):
            bound += sum((abs(a) * top ** (arb(j) / 2) for j, a in pairs), arb(0))
        terms = max(self.J + 2, 2 * self.m) + self.precision // 2
        while True:
            tail = operator.panel_tail(self.d, self.m, terms, y, arb(radius), rho, bound)
            if tail**2 < others * NEGLIGIBLE / 4 or terms >= self.terms:
                # L^m divides by the m-th power of the distance of an end.
                small = fmpq(1) / min(centre, 1 - centre)
                with working_precision(self.precision + 2 * terms + self.m * (int(small.p) // int(small.q)).bit_length()):
                    norm = self._unless_it_dominates(self._panel_norm(y, arb(radius), tail, terms), tail, supremum, others)
                if norm.is_finite() or terms >= self.terms:
                    return Piece(centre, radius, disc, terms, supremum, norm)
            terms = min(terms + terms // 8, self.terms)

    def _panel_norm(self, y: arb, radius: arb, tail: arb, terms: int) -> arb:
        values = at_haversine(self.region.kernel, y, terms)
        blocks = operator.blocks_at_haversine(self.near, self.far, y, terms)
        rest = [value - block for value, block in zip(values, blocks, strict=True)]
        return operator.panel_norm(rest, self.d, self.m, y, radius, tail)

    def _unless_it_dominates(self, norm: arb, tail: arb, supremum: arb, others: arb) -> arb:
        """The norm, or infinity where it is mostly tail and shows in the sum with ``others``."""
        # A kernel that is nothing but its blocks leaves rounding only.
        negligible = norm < supremum**2 * arb(2) ** (-PRECISE_ENOUGH) or norm < others * NEGLIGIBLE
        return norm if negligible or tail**2 < norm / 100 else arb("inf")


def _end_distance(ratio: fmpq) -> float:
    """From an end of [0, pi] to the ellipse, rounded down."""
    r = _float(ratio)
    return SLACK * asin(1) / 2 * (sqrt(r) - 1 / sqrt(r)) ** 2


def _float(value: fmpq) -> float:
    return int(value.p) / int(value.q)


def fraction(value: float) -> fmpq:
    """A short rational just below."""
    denominator = DENOMINATOR
    while value * denominator < DENOMINATOR / 4:
        denominator *= 16
    return fmpq(int(value * denominator), denominator)
