r"""The proof of a power law where jumps are composed, for the verifier: "Composed jumps" of ``docs/certificates.md``.

The kernel is a power series in :math:`\tau=s^{1/r}` at theta = 0, in c (or :math:`c^{1/r}`, if it is odd) at pi, and in y between. The
steps are those of :mod:`numerics.verifier`, but

* the kernel is bounded on the disc of each piece by itself (:mod:`numerics.verifier_discs`);
* the eigenvalues below the cut are integrated piece by piece. There :math:`g=\kappa\,(y(1-y))^{(d-3)/2}`, less the
  power of y or 1-y that the end has, is a power series bounded by G on the disc of radius R, so its terms from N on add up to at
  most :math:`Gq^N/(1-q)`, q = radius/R; the others, times the polynomial P_k, are integrated exactly, and
  :math:`|P_k|\le1`.

>>> with working_precision(128):
...     print([p.str(4, radius=False) for p in _legendre(3, 2, arb(0))[2]])
['1.000', '-6.000', '6.000']
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from flint import arb, arb_poly, arb_series, fmpq

from .precision import working_precision
from .verifier_claims import ATTEMPTS, Claims, check_coefficients, check_eigenvalues, prove_bound, require
from .verifier_discs import far_is_bounded, near_is_bounded, panel_is_bounded
from .verifier_file import ComposedProof, Piece, PowerLaw
from .verifier_kernels import Network, cut
from .verifier_remainder import Remainder, Singular, measure

MAX_DEGREE = 600
MAX_LENGTH = 6000
CLAIM_BITS = 384


@dataclass(frozen=True)
class ComposedCheck:
    """The proof, step by step."""

    network: Network
    d: int
    law: PowerLaw
    proof: ComposedProof
    _known: dict[tuple[int, int], tuple[arb_series, arb_series]] = field(default_factory=dict)

    @property
    def bits(self) -> int:
        """A working precision that L^m and the cancellation in the remainder leave enough of."""
        return max(self._enough(piece) for piece in (*self.proof.ends, *self.proof.panels))

    def _enough(self, piece: Piece) -> int:
        """The same on one piece; on a panel L^m divides by the m-th power of the distance of an end."""
        distance = min(piece.centre, 1 - piece.centre)
        small = int(1 / distance) if distance > 0 else 1
        return 256 + 16 * self.proof.m + 2 * piece.terms + 8 * self.network.depth + self.proof.m * small.bit_length()

    @property
    def _roots(self) -> tuple[int, int]:
        return self.network.root, self.network.far_root

    def statements(self) -> list[str]:
        """Prove everything; the claims in words."""
        proof, root = self.proof, self.network.root
        require(proof.root == root, "root", f"the kernel is a power series in s^(1/{root}), by the orders of its haversines")
        require(2 * proof.m - fmpq(self.d - 1, 2) < proof.J + fmpq(1, root), "remainder", "(J+1/root)/2 > m - (d-1)/4 does not hold, so the norm of L^m r is infinite")
        check_coefficients([*proof.near, *proof.far], self.singular, self._precisions())
        self._check_pieces()
        values = check_eigenvalues(self.law, self.integrals)
        # The sums over blocks lose nothing: the precision of the series is not needed there.
        return Claims(self.network, self.d, self.law, *self.singular(self.bits), min(self.bits, CLAIM_BITS)).check(values)

    def _precisions(self, piece: Piece | None = None) -> list[int]:
        bits = self.bits if piece is None else self._enough(piece)
        return [bits * 2**attempt for attempt in range(ATTEMPTS)]

    # the expansions

    def _expansions(self, bits: int, terms: int) -> tuple[arb_series, arb_series]:
        if (bits, terms) not in self._known:
            with working_precision(bits, terms + 2 * self.network.root + self.network.depth + 4):
                self._known[bits, terms] = self.network.near(terms), self.network.far(terms)
        return self._known[bits, terms]

    def singular(self, bits: int) -> tuple[Singular, Singular]:
        """The coefficients of the exponents n/root up to J that are no even integers."""
        roots = self._roots
        series = self._expansions(bits, max(self.proof.J * root for root in roots) + 2)
        near, far = ({fmpq(n, root): side[n] for n in range(1, self.proof.J * root + 1) if n % (2 * root)} for side, root in zip(series, roots, strict=True))
        return near, far

    # the pieces

    def _check_pieces(self) -> None:
        proof, roots = self.proof, self._roots
        for side, (end, root) in enumerate(zip(proof.ends, roots, strict=True)):
            require(end.radius < end.disc < 1, "ends", "radius < disc < 1 does not hold")
            require(end.terms > max(2 * proof.m, proof.J + 1) * root, "ends", "terms must be above 2m and J+1 times the root")
            bounded = near_is_bounded if root > 1 else far_is_bounded
            require(bounded(self.network, end.disc, end.supremum), "ends", f"the supremum at end {side} was not proved")
            prove_bound(partial(self._end, side), self._precisions(), end.terms, end.bound, "ends", f"the bound at end {side}")
        reached, last = self._edges()
        for index, panel in enumerate(proof.panels):
            require(panel.centre - panel.radius <= reached, "panels", f"there is a gap before panel {index}")
            reached = max(reached, panel.centre + panel.radius)
            require(panel.radius < panel.disc < min(panel.centre, 1 - panel.centre), "panels", f"the disc of panel {index} is out of range")
            require(panel.terms > 2 * proof.m, "panels", "terms must be above 2m")
            require(panel_is_bounded(self.network, panel.centre, panel.disc, panel.supremum), "panels", f"the supremum of panel {index} was not proved")
            prove_bound(partial(self._panel, panel), self._precisions(panel), panel.terms, panel.bound, "panels", f"the bound of panel {index}")
        require(reached >= last, "panels", "there is a gap after the last panel")
        require(proof.remainder**2 >= sum((piece.bound for piece in (*proof.panels, *proof.ends)), fmpq(0)), "remainder", "B^2 is less than the sum of the bounds")

    def _edges(self) -> tuple[fmpq, fmpq]:
        """The ends of the two ends in y."""
        near, far = (end.radius ** (2 * root) for end, root in zip(self.proof.ends, self._roots, strict=True))
        return near, 1 - far

    def _end(self, side: int, bits: int, terms: int) -> arb:
        piece = self.proof.ends[side]
        remainder = Remainder(self.d, self.proof.m, *self.singular(bits), arb(piece.supremum))
        series = self._expansions(bits, terms)[side]
        return (remainder.swapped() if side else remainder).end(series, arb(piece.radius), arb(piece.disc), terms, self._roots[side])

    def _panel(self, panel: Piece, bits: int, terms: int) -> arb:
        series = cut(self.network.around(arb_series([arb(panel.centre), 1])), terms)
        return Remainder(self.d, self.proof.m, *self.singular(max(bits, self.bits)), arb(panel.supremum)).panel(series, panel.centre, panel.radius, panel.disc, terms)

    # the finitely many eigenvalues

    def integrals(self, degrees: list[int], goal: int) -> dict[int, arb]:
        """The eigenvalues to about 2^-goal."""
        top = max(degrees)
        require(top <= MAX_DEGREE, "eigenvalues", f"degrees up to {MAX_DEGREE} are integrated")
        totals = {k: arb(0) for k in degrees}
        jobs = [partial(self._end_integrals, 0), partial(self._end_integrals, 1), *self._panel_jobs()]
        pieces = [*self.proof.ends, *self.proof.panels]
        for job, piece in zip(jobs, pieces, strict=True):
            length = _length(piece, goal + 16)
            bits = goal + 128 + 8 * top + 3 * length
            with working_precision(bits, length):
                found = job(degrees, bits, length)
            with working_precision(bits):
                totals = {k: totals[k] + found[k] for k in degrees}
        with working_precision(goal + 64):
            return {k: total * measure(self.d) * arb(2) ** (self.d - 2) for k, total in totals.items()}

    def _end_integrals(self, side: int, degrees: list[int], bits: int, length: int) -> dict[int, arb]:
        """With x = tau or c: the integral of kappa P_k (1-x^(2r))^((d-3)/2) 2r x^(r(d-1)-1) dx."""
        piece, root, d = self.proof.ends[side], self._roots[side], self.d
        step, T = 2 * root, arb(piece.radius)
        complement = 1 - arb_series([0, 1]) ** step
        series = cut(self._expansions(bits, length)[side] * _density(complement, d), length)
        size = _density(1 + arb(piece.disc) ** step if d > 2 else 1 - arb(piece.disc) ** step, d)
        error = _tail(piece, length, size) * 2 * T ** (root * (d - 1)) / (d - 1)
        moments = []
        for i in range(max(degrees) + 1):
            first = step * i + root * (d - 1)
            moments.append(sum((series[n] * T ** (n + first) / (n + first) for n in range(length)), arb(0)) * step)
        polynomials = _legendre(d, max(degrees), arb(0))
        sign = -1 if side else 1  # P_k(1-2y) = (-1)^k P_k(1-2(1-y))
        return {k: sign**k * sum((p * moments[i] for i, p in enumerate(polynomials[k])), arb(0)) + arb(0, error.upper()) for k in degrees}

    def _panel_jobs(self) -> list[partial[dict[int, arb]]]:
        """Each panel from where those before it end."""
        jobs, (reached, last) = [], self._edges()
        for panel in self.proof.panels:
            edge = max(reached, min(panel.centre + panel.radius, last))
            jobs.append(partial(self._panel_integrals, panel, reached, edge))
            reached = edge
        return jobs

    def _panel_integrals(self, panel: Piece, left: fmpq, right: fmpq, degrees: list[int], _bits: int, length: int) -> dict[int, arb]:
        """Of the kernel times P_k (y(1-y))^((d-3)/2) over [left, right]."""
        if left >= right:
            return {k: arb(0) for k in degrees}
        c, rho = arb(panel.centre), arb(panel.disc)
        y = arb_series([c, 1])
        series = cut(self.network.around(y) * _density(y * (1 - y), self.d), length)
        size = _density((c + rho) * (1 - c + rho) if self.d > 2 else (c - rho) * (1 - c - rho), self.d)
        error = (_tail(panel, length, size) * (right - left)).upper()
        g, (low, high) = arb_poly([series[n] for n in range(length)]), (arb(edge - panel.centre) for edge in (left, right))
        polynomials = _legendre(self.d, max(degrees), c)
        found = {}
        for k in degrees:
            integral = (g * arb_poly(polynomials[k])).integral()
            found[k] = integral(high) - integral(low) + arb(0, error)
        return found


def _length(piece: Piece, goal: int) -> int:
    """A number of terms that leaves about 2^-goal; a float chooses the number only."""
    with working_precision(64):
        length = int(float(goal / (arb(piece.disc) / piece.radius).log() * arb(2).log())) + 8
    require(length <= MAX_LENGTH, "eigenvalues", f"more than {MAX_LENGTH} terms would be needed")
    return length


def _density(square: arb | arb_series, d: int) -> arb | arb_series:
    """The power (d-3)/2."""
    root = square.sqrt()
    return 1 / root if d == 2 else root ** (d - 3)


def _tail(piece: Piece, length: int, size: arb) -> arb:
    q = arb(piece.radius) / piece.disc
    return piece.supremum * size * q**length / (1 - q)


def _legendre(d: int, top: int, centre: arb) -> list[list[arb]]:
    """Coefficients in x of P_k(1 - 2 (centre + x)), k <= top."""
    t, found = arb_poly([1 - 2 * centre, -2]), [arb_poly([1])]
    before = arb_poly([0])
    for k in range(top):
        now = found[-1]
        found.append(t if k == 0 else ((2 * k + d - 2) * t * now - k * before) * (arb(1) / (k + d - 2)))
        before = now
    return [[p[i] for i in range(p.length())] for p in found]


__all__ = ["ComposedCheck"]
