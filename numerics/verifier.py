r"""The independent verifier of certificates: eigenvalue bounds for every degree, proved again.

``docs/certificates.md`` states the theorem; its numbers (1) to (6) are those of the comments here. Of the file, only the
description of the kernel and the claim are believed to be what they say; every number of the proof is a hint that is
checked against an enclosure computed here, from :mod:`numerics.verifier_kernels`, with ball arithmetic. Nothing
of the engine that wrote the file is used. The steps:

1. ``file``: the form of the file (:mod:`numerics.verifier_file`);
2. ``ellipse``: :math:`|f|\le M` on discs that cover its boundary, and the branches there;
3. ``coefficients``: every :math:`a_j,b_j` lies in its ball;
4. ``ends``, ``panels``, ``remainder``: the pieces cover [0, 1], the norm on each is at most its bound, :math:`B^2` at least the sum;
5. ``eigenvalues``: those below the cut by Gauss-Legendre quadrature in the angle, whose error with n >= 2 nodes is at most
   :math:`\frac{64}{15}M'r^{-2n}/(1-r^{-2})`, as :math:`|P_k(\cos\theta)|\le\cosh(k\,\mathrm{Im}\,\theta)`;
6. ``even``, ``odd``: zeros by degrees, leading constants, the conditions of (5) by exact polynomials, and the bands.

A step that cannot be proved raises :class:`~symspec.errors.CertificateError`; there is no third outcome.

>>> verify("no such file")
Traceback (most recent call last):
symspec.errors.CertificateError: file: it cannot be read: No such file or directory
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from math import comb, log, log2

from flint import acb, arb, arb_series, fmpq, fmpq_poly

from symspec.errors import CertificateError

from .precision import working_precision
from .verifier_duals import circular
from .verifier_file import Ball, Band, GeometricLaw, LowerLaw, Panel, ParityClaim, PowerLaw, PowerProof, read
from .verifier_kernels import Network
from .verifier_minorants import Sequence, lower_constant, minorant
from .verifier_remainder import Remainder, measure

FIRST_ARCS = 16
SHORTEST_ARC = fmpq(1, 2**16)
MAX_BITS = 8192
MAX_NODES = 20_000
LEAST_RATIO = fmpq(1001, 1000)
ATTEMPTS = 3  # each with twice the bits of the one before
PARITIES = ("even", "odd")


@dataclass(frozen=True)
class Verified:
    """What a certificate was proved to state."""

    kernel: str
    dimension: int
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.kernel} on the sphere in dimension {self.dimension}: proved", *self.statements])


def verify(path: str | os.PathLike[str]) -> Verified:
    """Prove what the file claims, or raise CertificateError with the step that failed and why."""
    certificate = read(path)
    network, d = certificate.network, certificate.dimension
    lines = _geometric(network, d, certificate.law) if isinstance(certificate.law, GeometricLaw) else PowerCheck(network, d, certificate.law).statements()
    return Verified(certificate.kernel, d, tuple(lines))


def _geometric(network: Network, d: int, law: GeometricLaw) -> list[str]:
    with working_precision(256):
        ratio = arb(law.ratio)
        _require(law.ratio > 1, "geometric", "the ratio must be above 1")
        _require(law.radius >= (law.ratio + 1 / law.ratio) / 2, "geometric", "the radius is less than (ratio + 1/ratio)/2")
        _require(network.at_correlation(arb(law.radius)) <= arb(law.bound), "geometric", "the bound of the kernel at the radius was not proved")
        _require(arb(law.constant) >= 2 * arb(law.bound) / (1 - 1 / ratio), "geometric", "the constant is less than 2 bound/(1 - 1/ratio)")
        return [f"mu_k <= {decimal(law.constant, up=True)} * ({law.ratio})^-k / sqrt(N(d,k)) for every k", *_geometric_below(network, d, law.lower)]


def _geometric_below(network: Network, d: int, law: LowerLaw | None) -> list[str]:
    if law is None:
        return []
    r, lines = law.ratio, []
    found = minorant(network, Sequence(d, 2 * r / (1 + r * r)), law.induction)
    for parity, claim in enumerate(law.parities):
        if claim is not None:
            start, constant = claim
            _require(arb(constant) <= lower_constant(found, r, start, parity), "lower", f"the lower bound of {PARITIES[parity]} degrees was not proved")
            lines.append(f"mu_k >= {decimal(constant)} * ({r})^k for every {PARITIES[parity]} k >= {start}")
    return lines


@dataclass(frozen=True)
class PowerCheck:
    """The proof of a power law, step by step."""

    network: Network
    d: int
    law: PowerLaw

    @cached_property
    def proof(self) -> PowerProof:
        return self.law.proof

    @cached_property
    def bits(self) -> int:
        """A working precision that L^m and the cancellation in the remainder leave enough of."""
        return 192 + 16 * self.proof.m + 2 * self.proof.J + 8 * self.network.depth

    def statements(self) -> list[str]:
        """Prove everything; the claims in words."""
        proof = self.proof
        _require(2 * proof.m - fmpq(self.d - 1, 2) < proof.J + 2, "remainder", "(J+2)/2 > m - (d-1)/4 does not hold, so the norm of L^m r is infinite")
        with working_precision(self.bits):
            _require(proof.ratio >= LEAST_RATIO and self._reach < 3, "ellipse", f"the ratio must be at least {LEAST_RATIO}, and the ellipse within (-3, pi+3)")
        self._check_ellipse()
        self._check_coefficients()
        self._check_remainder()
        values = self._check_eigenvalues()
        return [line for parity in (0, 1) for line in self._check_parity(parity, values)]

    # (1) the ellipse

    @property
    def _reach(self) -> arb:
        """The distance of 0 and of pi to the ellipse."""
        root = arb(self.proof.ratio).sqrt()
        return arb.pi() / 4 * (root - 1 / root) ** 2

    def _check_ellipse(self) -> None:
        with working_precision(96 + 8 * self.network.depth):
            bound, arcs = arb(self.proof.bound), [(fmpq(i, FIRST_ARCS), fmpq(i + 1, FIRST_ARCS)) for i in range(FIRST_ARCS)]
            # Kernels are real on the real axis: the upper half suffices. The arc at pi comes off the stack first.
            while arcs:
                start, end = arcs.pop()
                if not self.network.on_disc(*self._arc(start, end)) <= bound:
                    _require(end - start > SHORTEST_ARC, "ellipse", "analyticity and the bound were not proved with the smallest discs")
                    arcs += [(start, (start + end) / 2), ((start + end) / 2, end)]

    def _arc(self, start: fmpq, end: fmpq) -> tuple[acb, arb]:
        """A disc around the arc pi*start to pi*end of the boundary in theta, x = A cos + i B sin."""
        r = arb(self.proof.ratio)
        A, B, middle, half = (r + 1 / r) / 2, (r - 1 / r) / 2, (start + end) / 2, arb((end - start) / 2)
        centre = acb(1 + A * arb(middle).cos_pi(), B * arb(middle).sin_pi()) * (arb.pi() / 2)
        over = arb(middle) + arb(0, half.upper())
        speed = ((A * over.sin_pi()) ** 2 + (B * over.cos_pi()) ** 2).upper().sqrt()
        return centre, (speed * half * arb.pi() ** 2 / 2).upper()

    # (2) the expansions

    @cached_property
    def _known(self) -> dict[tuple[int, int], tuple[arb_series, arb_series]]:
        return {}

    def _expansions(self, bits: int, terms: int) -> tuple[arb_series, arb_series]:
        if (bits, terms) not in self._known:
            length = max(terms, self.proof.J + 2)
            with working_precision(bits, length + self.network.depth + 4):
                self._known[bits, terms] = self.network.near(length), self.network.far(length)
        return self._known[bits, terms]

    def _odd(self, bits: int) -> tuple[list[arb], list[arb]]:
        """a_1, a_3, ..., a_J and b_1, ..., b_J."""
        near, far = self._expansions(bits, self.proof.terms)
        return [near[j] for j in range(1, self.proof.J + 1, 2)], [far[j] for j in range(1, self.proof.J + 1, 2)]

    def _check_coefficients(self) -> None:
        claimed = [*self.proof.near, *self.proof.far]
        names = [f"{name}_{2 * i + 1}" for name in "ab" for i in range(len(self.proof.near))]
        for bits in self._precisions():
            near, far = self._odd(bits)
            with working_precision(bits):
                pairs = list(zip([*near, *far], claimed, strict=True))
                doubtful = [name for name, pair in zip(names, pairs, strict=True) if not _inside(*pair)]
                outside = any(mine < arb(ball.low) or mine > arb(ball.high) for mine, ball in pairs)
            if not doubtful:
                return
            if outside:
                break
        raise CertificateError("coefficients", f"{doubtful[0]} was not proved to lie in its ball")

    def _precisions(self) -> list[int]:
        return [self.bits * 2**attempt for attempt in range(ATTEMPTS)]

    # (4) the remainder

    def _check_remainder(self) -> None:
        proof = self.proof
        sigma, S, reached = proof.sigma, proof.disc, proof.sigma**2
        with working_precision(self.bits):
            _require(sigma < S < 1 and 2 * arb(S).asin() <= self._reach, "ends", "sigma < disc < 1 within the ellipse does not hold")
        _require(proof.terms > max(2 * proof.m, proof.J + 2), "ends", "terms must be above 2m and J+2")
        for far in (False, True):
            self._prove(partial(self._end, far), proof.terms, proof.ends[far], "ends", f"bound {int(far)}")
        for index, panel in enumerate(proof.panels):
            _require(panel.centre - panel.radius <= reached, "panels", f"there is a gap before panel {index}")
            reached = max(reached, panel.centre + panel.radius)
            _require(panel.radius < panel.disc < min(panel.centre, 1 - panel.centre), "panels", f"the disc of panel {index} is out of range")
            self._prove(partial(self._panel, panel), panel.terms, panel.bound, "panels", f"the bound of panel {index}")
        _require(reached >= 1 - sigma**2, "panels", "there is a gap after the last panel")
        _require(proof.remainder**2 >= sum((panel.bound for panel in proof.panels), sum(proof.ends, fmpq(0))), "remainder", "B^2 is less than the sum of the bounds")

    def _prove(self, compute: Callable[[int, int], arb], terms: int, claimed: fmpq, step: str, what: str) -> None:
        for attempt, bits in enumerate(self._precisions()):
            length = terms + attempt * terms // 2
            with working_precision(bits, length):
                if compute(bits, length) <= arb(claimed):
                    return
        raise CertificateError(step, f"{what} was not proved")

    def _remainder(self, bits: int) -> Remainder:
        near, far = self._odd(bits)
        return Remainder(self.d, self.proof.m, tuple(near), tuple(far), arb(self.proof.bound))

    def _end(self, far: bool, bits: int, terms: int) -> arb:  # noqa: FBT001
        remainder = self._remainder(bits)
        series = self._expansions(bits, terms)[far]
        return (remainder.swapped() if far else remainder).end(series, arb(self.proof.sigma), arb(self.proof.disc), terms)

    def _panel(self, panel: Panel, bits: int, terms: int) -> arb:
        c, rho = panel.centre, panel.disc
        _require(arb(rho) / arb((c - rho) * (1 - c - rho)).sqrt() <= self._distance(c), "panels", f"the disc around {c} leaves the ellipse")
        series = self.network.around(arb_series([arb(c), 1]))
        return self._remainder(bits).panel(series, c, panel.radius, rho, terms)

    def _distance(self, y: fmpq) -> arb:
        """A lower bound of the distance of arccos(1 - 2y) to the ellipse.

        In x, that of x to the ellipse with half axes A, B is B sqrt(1 - x^2), or A - |x| if A |x| >= 1; the former is never larger.
        """
        r = arb(self.proof.ratio)
        A, B, x = (r + 1 / r) / 2, (r - 1 / r) / 2, abs(2 * (1 - 2 * arb(y)).acos() / arb.pi() - 1)
        return arb.pi() / 2 * (A - x if A * x >= 1 else B * (1 - x * x).sqrt())

    # the finitely many eigenvalues

    def _check_eigenvalues(self) -> dict[int, arb]:
        claimed = self.law.eigenvalues
        degrees = [k for k, _ in claimed]
        _require(degrees == sorted(set(degrees)) and all(k < self.proof.cut for k in degrees), "eigenvalues", "degrees must ascend, below the cut")
        if not claimed:
            return {}
        smallest = min(ball.high - ball.low for _, ball in claimed)
        _require(smallest > 0, "eigenvalues", "a ball of radius 0 holds no number that is computed by quadrature")
        goal = int(smallest.q).bit_length() - int(smallest.p).bit_length() + 16
        _require(goal < MAX_BITS, "eigenvalues", f"a ball is smaller than 2^-{MAX_BITS}")
        for attempt in range(ATTEMPTS - 1):
            values = self._quadrature(degrees, max(32, goal) + 64 * attempt)
            with working_precision(2 * max(64, goal)):
                doubtful = [k for k, ball in claimed if not _inside(values[k], ball)]
            if not doubtful:
                return values
        raise CertificateError("eigenvalues", f"that of degree {doubtful[0]} was not proved to lie in its ball")

    def _quadrature(self, degrees: list[int], goal: int) -> dict[int, arb]:
        """The eigenvalues to about 2^-goal."""
        d, top = self.d, max(degrees)
        with working_precision(goal + 64 + 4 * top + 16 * self.network.depth):
            nodes, error = self._nodes(top, goal)
            totals = {k: arb(0, error.upper()) for k in degrees}
            for i in range(nodes):
                x, weight = arb.legendre_p_root(nodes, i, weight=True)
                angle = circular(arb.pi() / 2 * (1 + x))
                value = self.network.value(angle) * angle.sine ** (d - 2) * weight * arb.pi() / 2
                before, now = arb(0), arb(1)
                for k in range(top + 1):
                    if k in totals:
                        totals[k] += value * now
                    before, now = now, angle.cosine * now if k == 0 else ((2 * k + d - 2) * angle.cosine * now - k * before) / (k + d - 2)
            return {k: total * measure(d) for k, total in totals.items()}

    def _nodes(self, top: int, goal: int) -> tuple[int, arb]:
        """A number of nodes and the error of the integral, from a thinner ellipse where that needs fewer."""
        best: tuple[int, arb] | None = None
        for sixteenth in range(1, 17):
            r = 1 + arb(self.proof.ratio - 1) * sixteenth / 16
            height = arb.pi() / 4 * (r - 1 / r)
            size = arb.pi() / 2 * arb(64) / 15 * self.proof.bound * (top * height).cosh() * height.cosh() ** (self.d - 2) / (1 - 1 / r**2)
            # A float chooses the number only; the error is a ball.
            wanted = (float(size.log()) / log(2) + goal) / (2 * log2(float(r)))
            nodes = max(2, int(wanted) + 2)
            if best is None or nodes < best[0]:
                best = nodes, size / r ** (2 * nodes)
        assert best is not None
        _require(best[0] <= MAX_NODES, "eigenvalues", f"more than {MAX_NODES} nodes would be needed")
        return best

    # (5) and (6)

    def _check_parity(self, parity: int, values: dict[int, arb]) -> list[str]:
        claim, name, reach = self.law.claims[parity], PARITIES[parity], self.network.reach()
        top = reach.odd if parity else reach.even
        until = self.proof.cut if claim.zero_from is None else claim.zero_from
        missing = next((k for k in range(2 - parity, until, 2) if k <= top and k not in values), None)
        _require(missing is None, "eigenvalues", f"that of degree {missing} is missing")
        if claim.zero_from is not None:
            _require(top < claim.zero_from, name, f"the eigenvalues from {claim.zero_from} on are not shown to vanish")
            _require(claim.asymptotic is None and not claim.bands, name, "a parity that vanishes has neither an asymptotic constant nor bands")
            return [f"mu_k = 0 for every {name} k >= {claim.zero_from}"]
        if claim.asymptotic is None or claim.exponent is None or not claim.bands:
            raise CertificateError(name, "an exponent, an asymptotic constant and a band are needed")
        with working_precision(2 * self.bits):
            term = self._main_term(parity, claim)
            lines = [f"mu_k ~ L k^-{claim.exponent} for {name} k, {decimal(claim.asymptotic.low)} <= L <= {decimal(claim.asymptotic.high, up=True)}"]
            for band in claim.bands:
                self._check_band(term, claim, band, parity, values)
                lines.append(f"{decimal(band.lower)} <= k^{claim.exponent} mu_k <= {decimal(band.upper, up=True)} for every {name} k >= {band.start}")
        return lines

    def _main_term(self, parity: int, claim: ParityClaim) -> Callable[[int], tuple[arb, arb]]:
        """The function K -> (lower, upper) of (5), valid from the cut on."""
        name, d, m, J, cut, e = PARITIES[parity], self.d, self.proof.m, self.proof.J, self.proof.cut, int(claim.exponent or 0)
        first = e - d + 1
        _require(1 <= first <= J and first % 2 == 1, name, "the exponent is none of d + j - 1 with j odd, at most J")
        _require(first - 2 < self.network.first_odd_power(parity), name, f"the coefficients of the powers below {first} are not shown to vanish")
        near, far = self._odd(self.bits)
        A = {2 * i + 1: a - b if parity else a + b for i, (a, b) in enumerate(zip(near, far, strict=True))}
        leading = A[first] * _block_constant(first, d)
        _require(leading > 0 and claim.asymptotic is not None and _inside(leading, claim.asymptotic), name, "the leading constant is not shown to be positive and in its ball")
        _require(2 * cut > J and _decreases(m, d, e, fmpq(first, 2), cut), name, "the cut is too small for the conditions on decreasing ratios")
        B = arb(self.proof.remainder)

        def bounds(K: int) -> tuple[arb, arb, arb]:
            lead = abs(A[first] * _block(first, K, d))
            others = sum((abs(A[j] * _block(j, K, d)) for j in range(first + 2, J + 1, 2)), arb(0))
            delta = (others + B / (arb(K * (K + d - 2)) ** m * arb(_multiplicity(d, K)).sqrt())) / lead
            H = K + arb(d - 2) / 2
            gain = H**e * (K - arb(first) / 2).gamma() / (K + arb(first) / 2 + d - 1).gamma()
            return leading * (K / H) ** e * (1 - delta), leading * gain * (1 + delta), delta

        _require(bounds(cut)[2] < 1, name, "delta(cut) < 1 was not proved")
        return lambda K: bounds(K)[:2]

    def _check_band(self, term: Callable[[int], tuple[arb, arb]], claim: ParityClaim, band: Band, parity: int, values: dict[int, arb]) -> None:
        name = PARITIES[parity]
        start = band.start + (band.start - parity) % 2
        beyond = max(start, self.proof.cut + (self.proof.cut - parity) % 2)
        candidates = [term(beyond)]
        for k in range(start, beyond, 2):
            scaled = values[k] * arb(k) ** int(claim.exponent or 0)
            candidates.append((scaled, scaled))
        _require(all(arb(band.lower) <= low for low, _ in candidates), name, f"the lower bound from {band.start} on was not proved")
        _require(all(high <= arb(band.upper) for _, high in candidates), name, f"the upper bound from {band.start} on was not proved")


def _require(condition: bool, step: str, reason: str) -> None:  # noqa: FBT001
    if not condition:
        raise CertificateError(step, reason)


def _inside(mine: arb, ball: Ball) -> bool:
    return bool(mine >= arb(ball.low) and mine <= arb(ball.high))


def _block_constant(j: int, d: int) -> arb:
    """c_nu of (3), nu = j/2."""
    nu = arb(j) / 2
    return arb(d - 1).gamma() * (nu + arb(d - 1) / 2).gamma() * (-nu).rgamma() / (arb(d - 1) / 2).gamma()


def _block(j: int, k: int, d: int) -> arb:
    """mu_k(s^j), for k > j/2."""
    nu = arb(j) / 2
    return _block_constant(j, d) * (k - nu).gamma() / (k + nu + d - 1).gamma()


def _multiplicity(d: int, k: int) -> int:
    """N(d,k) for k >= 1."""
    return (2 * k + d - 2) * comb(k + d - 3, d - 2) // k


def _decreases(m: int, d: int, e: int, nu: fmpq, cut: int) -> bool:
    """m/(k+1) + m/(k+d-1) + 1/(2k+d) + (d-3)/(2(k+d-2)) >= e/(k-nu) for k >= cut, by the coefficients in k - cut."""
    parts = [(m, [cut + 1, 1]), (m, [cut + d - 1, 1]), (1, [2 * cut + d, 2]), (fmpq(d - 3, 2), [cut + d - 2, 1]), (-e, [cut - nu, 1])]
    total, common = fmpq_poly([0]), fmpq_poly([1])
    for numerator, denominator in parts:
        factor = fmpq_poly(denominator)
        total, common = total * factor + numerator * common, common * factor
    return all(c >= 0 for c in total.coeffs())


def decimal(value: fmpq, *, up: bool = False, digits: int = 12) -> str:
    """A decimal number of ``digits`` digits not above (with ``up`` not below) the value.

    >>> decimal(fmpq(2, 3)), decimal(fmpq(2, 3), up=True), decimal(fmpq(-1, 800), digits=3)
    ('6.66666666666e-1', '6.66666666667e-1', '-1.25e-3')
    """
    if value == 0:
        return "0"
    size, sign = abs(value), -1 if value < 0 else 1
    e = len(str(size.p)) - len(str(size.q))
    e -= size < fmpq(10) ** e
    scaled = value * fmpq(10) ** (digits - 1 - e)
    whole = int(scaled.ceil() if up else scaled.floor())
    text = str(abs(whole)).ljust(digits, "0")
    e += len(text) - digits
    return f"{'-' if sign < 0 else ''}{text[0]}.{text[1:digits]}e{e}"


__all__ = ["Verified", "verify"]
