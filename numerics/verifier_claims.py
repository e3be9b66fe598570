r"""What the verifier proves of the claim once the pieces are bounded: numbers (5) and (6) of ``docs/certificates.md``.

The exponents j of the singular powers :math:`s^j,c^j` are the odd integers, or fractions where jumps are composed; the
argument is the same for all :math:`\nu=j/2`, since :math:`e=d+2\nu-1\ge1`. Also the comparisons of the coefficients and
eigenvalues with their balls, at growing precision.

>>> decimal(fmpq(1, 3), digits=3), _decreases(3, 3, fmpq(5, 2), fmpq(1, 4), 5)
('3.33e-1', True)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb

from flint import arb, fmpq, fmpq_poly

from symspec.errors import CertificateError

from .precision import working_precision
from .verifier_file import Ball, Band, ParityClaim, PowerLaw
from .verifier_kernels import Network
from .verifier_remainder import Singular

ATTEMPTS = 3  # each with twice the bits of the one before
MAX_BITS = 8192
PARITIES = ("even", "odd")


@dataclass(frozen=True)
class Claims:
    """The claim of a power law, and what its proof has established: the a_j and b_j."""

    network: Network
    d: int
    law: PowerLaw
    near: Singular
    far: Singular
    bits: int

    def check(self, values: dict[int, arb]) -> list[str]:
        """Prove the claim of both parities; what it states in words. ``values`` are the proved eigenvalues below the cut."""
        return [line for parity in (0, 1) for line in self._check_parity(parity, values)]

    def _check_parity(self, parity: int, values: dict[int, arb]) -> list[str]:
        claim, name, reach = self.law.claims[parity], PARITIES[parity], self.network.reach()
        top = reach.odd if parity else reach.even
        until = self.law.proof.cut if claim.zero_from is None else claim.zero_from
        missing = next((k for k in range(2 - parity, until, 2) if k <= top and k not in values), None)
        require(missing is None, "eigenvalues", f"that of degree {missing} is missing")
        if claim.zero_from is not None:
            require(top < claim.zero_from, name, f"the eigenvalues from {claim.zero_from} on are not shown to vanish")
            require(claim.asymptotic is None and not claim.bands, name, "a parity that vanishes has neither an asymptotic constant nor bands")
            return [f"mu_k = 0 for every {name} k >= {claim.zero_from}"]
        if claim.asymptotic is None or claim.exponent is None or not claim.bands:
            raise CertificateError(name, "an exponent, an asymptotic constant and a band are needed")
        power = claim.exponent if fmpq(claim.exponent).q == 1 else f"({claim.exponent})"
        with working_precision(2 * self.bits):
            term = self.main_term(parity, claim)
            lines = [f"mu_k ~ L k^-{power} for {name} k, {decimal(claim.asymptotic.low)} <= L <= {decimal(claim.asymptotic.high, up=True)}"]
            for band in claim.bands:
                self._check_band(term, claim, band, parity, values)
                lines.append(f"{decimal(band.lower)} <= k^{power} mu_k <= {decimal(band.upper, up=True)} for every {name} k >= {band.start}")
        return lines

    def main_term(self, parity: int, claim: ParityClaim) -> Callable[[int], tuple[arb, arb]]:
        """The function K -> (lower, upper) of (5), valid from the cut on."""
        name, d, m, J, cut, e = PARITIES[parity], self.d, self.law.proof.m, self.law.proof.J, self.law.proof.cut, fmpq(claim.exponent or 0)
        first = e - d + 1
        exponents = sorted({*self.near, *self.far})
        require(first in exponents, name, "the exponent is none of d + j - 1 with a power j that is no even integer, at most J")
        require(all(self.network.surely_lacks(j, parity) for j in exponents if j < first), name, f"the coefficients of the powers below {first} are not shown to vanish")
        zero, sign = arb(0), -1 if parity else 1
        A = {j: self.near.get(j, zero) + sign * self.far.get(j, zero) for j in exponents}
        leading = A[first] * block_constant(first, d)
        require(leading > 0 and claim.asymptotic is not None and inside(leading, claim.asymptotic), name, "the leading constant is not shown to be positive and in its ball")
        require(2 * cut > J and _decreases(m, d, e, first / 2, cut), name, "the cut is too small for the conditions on decreasing ratios")
        B = arb(self.law.proof.remainder)

        def bounds(K: int) -> tuple[arb, arb, arb]:
            lead = abs(A[first] * _block(first, K, d))
            others = sum((abs(A[j] * _block(j, K, d)) for j in exponents if j > first), arb(0))
            delta = (others + B / (arb(K * (K + d - 2)) ** m * arb(_multiplicity(d, K)).sqrt())) / lead
            H = K + arb(d - 2) / 2
            gain = H ** arb(e) * (K - arb(first) / 2).gamma() / (K + arb(first) / 2 + d - 1).gamma()
            return leading * (K / H) ** arb(e) * (1 - delta), leading * gain * (1 + delta), delta

        require(bounds(cut)[2] < 1, name, "delta(cut) < 1 was not proved")
        return lambda K: bounds(K)[:2]

    def _check_band(self, term: Callable[[int], tuple[arb, arb]], claim: ParityClaim, band: Band, parity: int, values: dict[int, arb]) -> None:
        name = PARITIES[parity]
        start = band.start + (band.start - parity) % 2
        beyond = max(start, self.law.proof.cut + (self.law.proof.cut - parity) % 2)
        candidates = [term(beyond)]
        for k in range(start, beyond, 2):
            scaled = values[k] * arb(k) ** arb(fmpq(claim.exponent or 0))
            candidates.append((scaled, scaled))
        require(all(arb(band.lower) <= low for low, _ in candidates), name, f"the lower bound from {band.start} on was not proved")
        require(all(high <= arb(band.upper) for _, high in candidates), name, f"the upper bound from {band.start} on was not proved")


def check_coefficients(claimed: list[Ball], compute: Callable[[int], tuple[Singular, Singular]], precisions: list[int]) -> None:
    """Every coefficient, near and then far, lies in its ball."""
    for bits in precisions:
        with working_precision(bits):
            found = [(f"{name}_{j}", value) for name, side in zip("ab", compute(bits), strict=True) for j, value in side.items()]
            require(len(found) == len(claimed), "coefficients", f"there must be {len(found)} of them")
            doubtful = [name for (name, mine), ball in zip(found, claimed, strict=True) if not inside(mine, ball)]
            outside = any(mine < arb(ball.low) or mine > arb(ball.high) for (_, mine), ball in zip(found, claimed, strict=True))
        if not doubtful:
            return
        if outside:
            break
    raise CertificateError("coefficients", f"{doubtful[0]} was not proved to lie in its ball")


def prove_bound(compute: Callable[[int, int], arb], precisions: list[int], terms: int, claimed: fmpq, step: str, what: str) -> None:
    """A norm, computed with more bits and terms at each attempt, is at most what is claimed."""
    for attempt, bits in enumerate(precisions):
        length = terms + attempt * terms // 2
        with working_precision(bits, length):
            if compute(bits, length) <= arb(claimed):
                return
    raise CertificateError(step, f"{what} was not proved")


def check_eigenvalues(law: PowerLaw, compute: Callable[[list[int], int], dict[int, arb]]) -> dict[int, arb]:
    """The eigenvalues, ``compute(degrees, bits)``, each shown to lie in its ball."""
    claimed = law.eigenvalues
    degrees = [k for k, _ in claimed]
    require(degrees == sorted(set(degrees)) and all(k < law.proof.cut for k in degrees), "eigenvalues", "degrees must ascend, below the cut")
    if not claimed:
        return {}
    smallest = min(ball.high - ball.low for _, ball in claimed)
    require(smallest > 0, "eigenvalues", "a ball of radius 0 holds no number that is computed by quadrature")
    goal = int(smallest.q).bit_length() - int(smallest.p).bit_length() + 16
    require(goal < MAX_BITS, "eigenvalues", f"a ball is smaller than 2^-{MAX_BITS}")
    for attempt in range(ATTEMPTS - 1):
        values = compute(degrees, max(32, goal) + 64 * attempt)
        with working_precision(2 * max(64, goal)):
            doubtful = [k for k, ball in claimed if not inside(values[k], ball)]
        if not doubtful:
            return values
    raise CertificateError("eigenvalues", f"that of degree {doubtful[0]} was not proved to lie in its ball")


def require(condition: bool, step: str, reason: str) -> None:  # noqa: FBT001
    """Raise the error of a step that is not proved."""
    if not condition:
        raise CertificateError(step, reason)


def inside(mine: arb, ball: Ball) -> bool:
    """Whether all of a computed ball lies in a claimed one."""
    return bool(mine >= arb(ball.low) and mine <= arb(ball.high))


def block_constant(j: fmpq, d: int) -> arb:
    """c_nu of (3), nu = j/2."""
    nu = arb(j) / 2
    return arb(d - 1).gamma() * (nu + arb(d - 1) / 2).gamma() * (-nu).rgamma() / (arb(d - 1) / 2).gamma()


def _block(j: fmpq, k: int, d: int) -> arb:
    """mu_k(s^j), for k > j/2."""
    nu = arb(j) / 2
    return block_constant(j, d) * (k - nu).gamma() / (k + nu + d - 1).gamma()


def _multiplicity(d: int, k: int) -> int:
    """N(d,k) for k >= 1."""
    return (2 * k + d - 2) * comb(k + d - 3, d - 2) // k


def _decreases(m: int, d: int, e: fmpq, nu: fmpq, cut: int) -> bool:
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


__all__ = ["ATTEMPTS", "PARITIES", "Claims", "block_constant", "check_coefficients", "check_eigenvalues", "decimal", "inside", "prove_bound", "require"]
