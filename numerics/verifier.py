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
6. ``even``, ``odd``: zeros by degrees, leading constants, the conditions of (5) by exact polynomials, and the bands
   (:mod:`numerics.verifier_claims`).

Kernels of composed jumps take :mod:`numerics.verifier_composed` in place of the steps 2 to 5.

A step that cannot be proved raises :class:`~symspec.errors.CertificateError`; there is no third outcome.

>>> verify("no such file")
Traceback (most recent call last):
symspec.errors.CertificateError: file: it cannot be read: No such file or directory
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property, partial
from math import log, log2

from flint import acb, arb, arb_series, fmpq

from symspec.errors import CertificateError

from .precision import working_precision
from .verifier_claims import ATTEMPTS, PARITIES, Claims, check_coefficients, check_eigenvalues, decimal, prove_bound, require
from .verifier_composed import ComposedCheck
from .verifier_duals import circular
from .verifier_file import ComposedProof, GeometricLaw, LowerLaw, Panel, PowerLaw, PowerProof, read
from .verifier_kernels import Network
from .verifier_minorants import Sequence, lower_constant, minorant
from .verifier_remainder import Remainder, Singular, measure

FIRST_ARCS = 16
SHORTEST_ARC = fmpq(1, 2**16)
MAX_NODES = 20_000
LEAST_RATIO = fmpq(1001, 1000)


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
    lines = _geometric(network, d, certificate.law) if isinstance(certificate.law, GeometricLaw) else _power(network, d, certificate.law)
    return Verified(certificate.kernel, d, tuple(lines))


def _power(network: Network, d: int, law: PowerLaw) -> list[str]:
    return ComposedCheck(network, d, law, law.proof).statements() if isinstance(law.proof, ComposedProof) else PowerCheck(network, d, law).statements()


def _geometric(network: Network, d: int, law: GeometricLaw) -> list[str]:
    with working_precision(256):
        ratio = arb(law.ratio)
        require(law.ratio > 1, "geometric", "the ratio must be above 1")
        require(law.radius >= (law.ratio + 1 / law.ratio) / 2, "geometric", "the radius is less than (ratio + 1/ratio)/2")
        require(network.at_correlation(arb(law.radius)) <= arb(law.bound), "geometric", "the bound of the kernel at the radius was not proved")
        require(arb(law.constant) >= 2 * arb(law.bound) / (1 - 1 / ratio), "geometric", "the constant is less than 2 bound/(1 - 1/ratio)")
        return [f"mu_k <= {decimal(law.constant, up=True)} * ({law.ratio})^-k / sqrt(N(d,k)) for every k", *_geometric_below(network, d, law.lower)]


def _geometric_below(network: Network, d: int, law: LowerLaw | None) -> list[str]:
    if law is None:
        return []
    r, lines = law.ratio, []
    found = minorant(network, Sequence(d, 2 * r / (1 + r * r)), law.induction)
    for parity, claim in enumerate(law.parities):
        if claim is not None:
            start, constant = claim
            require(arb(constant) <= lower_constant(found, r, start, parity), "lower", f"the lower bound of {PARITIES[parity]} degrees was not proved")
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
        if not isinstance(self.law.proof, PowerProof) or self.network.root > 1:
            raise CertificateError("ellipse", "a kernel of composed jumps is analytic in no ellipse, any other needs one")
        return self.law.proof

    @cached_property
    def bits(self) -> int:
        """A working precision that L^m and the cancellation in the remainder leave enough of."""
        return 192 + 16 * self.proof.m + 2 * self.proof.J + 8 * self.network.depth

    def statements(self) -> list[str]:
        """Prove everything; the claims in words."""
        proof = self.proof
        require(2 * proof.m - fmpq(self.d - 1, 2) < proof.J + 2, "remainder", "(J+2)/2 > m - (d-1)/4 does not hold, so the norm of L^m r is infinite")
        with working_precision(self.bits):
            require(proof.ratio >= LEAST_RATIO and self._reach < 3, "ellipse", f"the ratio must be at least {LEAST_RATIO}, and the ellipse within (-3, pi+3)")
        self._check_ellipse()
        self._check_coefficients()
        self._check_remainder()
        values = self._check_eigenvalues()
        return self.claims().check(values)

    def claims(self) -> Claims:
        """Steps (5) and (6)."""
        return Claims(self.network, self.d, self.law, *self._singular(self.bits), self.bits)

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
                    require(end - start > SHORTEST_ARC, "ellipse", "analyticity and the bound were not proved with the smallest discs")
                    arcs += [(start, (start + end) / 2), ((start + end) / 2, end)]

    def _arc(self, start: fmpq, end: fmpq) -> tuple[acb, arb]:
        """A disc around the arc pi*start to pi*end of the boundary in theta, x = A cos + i B sin."""
        r = arb(self.proof.ratio)
        A, B, middle, half = (r + 1 / r) / 2, (r - 1 / r) / 2, (start + end) / 2, arb((end - start) / 2)
        centre = acb(1 + A * arb(middle).cos_pi(), B * arb(middle).sin_pi()) * (arb.pi() / 2)
        over = arb(middle) + arb(0, half.upper())
        # Products: a power of a ball that holds 0 is NaN.
        across, up = A * over.sin_pi(), B * over.cos_pi()
        speed = (across * across + up * up).upper().sqrt()
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

    def _singular(self, bits: int) -> tuple[Singular, Singular]:
        """a_1, a_3, ..., a_J and b_1, ..., b_J."""
        near, far = self._expansions(bits, self.proof.terms)
        odd = range(1, self.proof.J + 1, 2)
        return {fmpq(j): near[j] for j in odd}, {fmpq(j): far[j] for j in odd}

    def _check_coefficients(self) -> None:
        check_coefficients([*self.proof.near, *self.proof.far], self._singular, self._precisions())

    def _precisions(self) -> list[int]:
        return [self.bits * 2**attempt for attempt in range(ATTEMPTS)]

    # (4) the remainder

    def _check_remainder(self) -> None:
        proof = self.proof
        sigma, S, reached = proof.sigma, proof.disc, proof.sigma**2
        with working_precision(self.bits):
            require(sigma < S < 1 and 2 * arb(S).asin() <= self._reach, "ends", "sigma < disc < 1 within the ellipse does not hold")
        require(proof.terms > max(2 * proof.m, proof.J + 2), "ends", "terms must be above 2m and J+2")
        for far in (False, True):
            prove_bound(partial(self._end, far), self._precisions(), proof.terms, proof.ends[far], "ends", f"bound {int(far)}")
        for index, panel in enumerate(proof.panels):
            require(panel.centre - panel.radius <= reached, "panels", f"there is a gap before panel {index}")
            reached = max(reached, panel.centre + panel.radius)
            require(panel.radius < panel.disc < min(panel.centre, 1 - panel.centre), "panels", f"the disc of panel {index} is out of range")
            prove_bound(partial(self._panel, panel), self._precisions(), panel.terms, panel.bound, "panels", f"the bound of panel {index}")
        require(reached >= 1 - sigma**2, "panels", "there is a gap after the last panel")
        require(proof.remainder**2 >= sum((panel.bound for panel in proof.panels), sum(proof.ends, fmpq(0))), "remainder", "B^2 is less than the sum of the bounds")

    def _remainder(self, bits: int) -> Remainder:
        return Remainder(self.d, self.proof.m, *self._singular(bits), arb(self.proof.bound))

    def _end(self, far: bool, bits: int, terms: int) -> arb:  # noqa: FBT001
        remainder = self._remainder(bits)
        series = self._expansions(bits, terms)[far]
        return (remainder.swapped() if far else remainder).end(series, arb(self.proof.sigma), arb(self.proof.disc), terms)

    def _panel(self, panel: Panel, bits: int, terms: int) -> arb:
        c, rho = panel.centre, panel.disc
        require(arb(rho) / arb((c - rho) * (1 - c - rho)).sqrt() <= self._distance(c), "panels", f"the disc around {c} leaves the ellipse")
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
        return check_eigenvalues(self.law, self._quadrature)

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
        require(best[0] <= MAX_NODES, "eigenvalues", f"more than {MAX_NODES} nodes would be needed")
        return best


__all__ = ["Verified", "verify"]
