r"""Bounds of the eigenvalues of every degree, proved: :math:`c_1k^{-e}\le\mu_k\le c_2k^{-e}`.

The endpoint expansion (:mod:`numerics.endpoint_expansion`) gives each eigenvalue as a sum of blocks with
exact amplitudes and a remainder. From the cut K on, every ratio of a block or of the remainder to the
leading block decreases in k, so one evaluation at K bounds all later degrees; the finitely many degrees
below K are enclosed one by one (:mod:`numerics.spectrum`). ``docs/certificates.md`` has the theorem.

With :math:`h=k+\frac{d-2}2` and :math:`e=d+2\nu-1`, :math:`h^e\,\Gamma(k-\nu)/\Gamma(k+\nu+d-1)` decreases to 1 and
:math:`(k/h)^e` increases to 1, whence for :math:`k\ge K`

.. math:: \Lambda\Bigl(\frac KH\Bigr)^e(1-\delta)\le k^e\mu_k\le\Lambda\,g(K)(1+\delta),\qquad
          g(K)=H^e\frac{\Gamma(K-\nu)}{\Gamma(K+\nu+d-1)}.

The orders m and J and the cut are found by trying; what is claimed is then proved in balls.

>>> import symspec as ss
>>> from symspec.network import mlp
>>> c = certify(mlp(ss.relu, 3).ntk, ss.Sphere(3))
>>> print(c)
NTK of relu network of depth 3 on the sphere in R^3 (uniform probability measure):
0.396 <= k^3 mu_k <= 1.2 for every k >= 1
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import arb, fmpq, fmpq_poly, fmpz
from sympy import oo

from symspec.decay_law import decay
from symspec.domain import Sphere, require_sphere
from symspec.errors import DomainError, InputError, NoClosedForm, Undecided
from symspec.kernel import Kernel

from .certificates import PARITIES, Band, Certificate, ParityClaim, power
from .constants import rational
from .endpoint_expansion import EndpointExpansion, block, block_factor, endpoint_expansion, gamma_ratio
from .geometric_bounds import GeometricCertificate, geometric_certificate
from .kernel_description import description_of
from .precision import working_precision
from .search import least
from .spectrum import eigenvalues

PRECISION = 256
EIGENVALUE_DIGITS = 30
# What the file claims is a little weaker than what is proved, so that a checker need not round alike.
ROUNDING_BITS = 30
EIGENVALUE_BITS = 84
REMAINDER_SPARE = fmpq(21, 20)
GOOD_DELTA = 0.25
MAX_CUT = 4000
MAX_START = 10**9
TOLERANCES = (fmpq(2), fmpq(11, 10), fmpq(101, 100))
EXTRA_ORDERS = (1, 2, 3, 5)
Progress = Callable[[int, int], None]
# The first exponent j0 of s of each parity, e = d + j0 - 1; None where the parity vanishes.
Leading = dict[str, "fmpq | None"]


def certify(kernel: Kernel, domain: Any, *, progress: Progress | None = None) -> Certificate | GeometricCertificate:
    """Prove c.lower <= k^c.exponent mu_k <= c.upper for every k >= c.holds_from that is no exact zero.

    For a smooth kernel, which follows no power law, the result is a :class:`~numerics.geometric_bounds.GeometricCertificate`:
    mu_k <= c.constant c.ratio^-k / sqrt(N(d,k)) for every k, and a lower bound where the power series gives one.

    ``domain`` is Sphere(d) or Circle(), d a number >= 2. ``progress(done, total)`` reports the orders tried.
    Raises DomainError off spheres and for a kernel without finite trace, NoClosedForm for one that is no power
    law, Undecided where its singularities at the ends are not understood or the bounds do not close.
    """
    if not isinstance(kernel, Kernel):
        raise InputError(f"certify takes a Kernel (net.ck, net.ntk, ...), not {type(kernel).__name__}")
    if not isinstance(require_sphere(domain, "bounds for every degree").d, int):
        raise DomainError(f"bounds for every degree are proved on Sphere(d) with a number d and on Circle(), not on {domain!r}")
    if kernel.diagonal_is_infinite:
        raise DomainError("this tangent kernel is infinite on the diagonal (the activation has a jump); use the conjugate kernel or drop_deltas=True")
    law = decay(kernel, domain)
    if law.kind in ("geometric", "faster"):
        return geometric_certificate(kernel, domain)
    if law.kind != "power":
        raise NoClosedForm(f"bounds of the form c k^-e need a power law; {law.summary()}")
    if law.beyond:
        raise Undecided(f"no singular term of {', '.join(law.beyond)} degrees is known, so no bound is claimed: {law.summary()}")
    leading = {parity: None if term is None else 2 * rational(term.nu) for parity, term in law.terms.items()}
    expansion, cut = _choose(kernel, domain.d, leading, progress)
    return _Prover(kernel, domain, expansion, cut, leading).run()


def _choose(kernel: Kernel, d: int, leading: Leading, progress: Progress | None) -> tuple[EndpointExpansion, int]:
    """The orders with the lowest cut of a few that are tried."""
    needed = max(d + j - 1 for j in leading.values() if j is not None)
    # The remainder decays faster than the leading block: 2m + (d-2)/2 > e.
    first = int((2 * needed - d + 2) / 4) + 1
    best: tuple[EndpointExpansion, int] | None = None
    for step, extra in enumerate(EXTRA_ORDERS):
        m = first + extra
        found = _inflated(endpoint_expansion(kernel, d, m, _largest_exponent(m, leading), PRECISION))
        cut = _cut(found, leading)
        if progress:
            progress(step + 1, len(EXTRA_ORDERS))
        if cut is not None and (best is None or cut < best[1]):
            best = found, cut
        elif best is not None:
            break
    if best is None:
        raise Undecided(f"the remainder does not fall below the leading term by degree {MAX_CUT}")
    return best


def _largest_exponent(m: int, leading: Leading) -> int:
    # With fractional exponents the first one left out is J + 1/root.
    least = 2 * m - 1 if all(j is None or j.q == 1 for j in leading.values()) else 2 * m
    return max(least, *(int(j) + 2 for j in leading.values() if j is not None))


def _inflated(found: EndpointExpansion) -> EndpointExpansion:
    """Every bound a little larger, as it will be claimed."""
    from dataclasses import replace

    def larger(value: arb) -> arb:
        return (value * arb(REMAINDER_SPARE)).upper()

    with working_precision(64):
        pieces = tuple(replace(piece, bound=larger(piece.bound), supremum=larger(piece.supremum)) for piece in found.pieces)
        total = larger(sum((piece.bound for piece in pieces), arb(0)).upper().sqrt())
        near, far = (tuple((j, _blurred(a)) for j, a in pairs) for pairs in (found.near, found.far))
        supremum = None if found.supremum is None else larger(found.supremum)
        return replace(found, pieces=pieces, remainder=total, supremum=supremum, near=near, far=far)


def _blurred(value: arb) -> arb:
    """The ball with a radius of at least 2^-PRECISION/2 of its size; exact zeros stay."""
    if value == 0:
        return value
    with working_precision(PRECISION):
        return value + arb(0, (abs(value).upper() * arb(2) ** (-PRECISION // 2)).upper())


def _cut(found: EndpointExpansion, leading: Leading) -> int | None:
    """The least degree from which the other terms stay below a share GOOD_DELTA of the leading one, roughly."""

    def good(k: int) -> bool:
        return all(_delta(found, j, sign, k) < GOOD_DELTA for j, sign in _parities(leading) if j is not None) and all(
            decreases_from(found.d, found.m, j, k) for j, _ in _parities(leading) if j is not None
        )

    with working_precision(PRECISION):
        return least(good, found.J // 2 + 1, MAX_CUT)


def _parities(leading: Leading) -> list[tuple[fmpq | None, int]]:
    return [(leading["even"], 1), (leading["odd"], -1)]


def _delta(found: EndpointExpansion, j0: fmpq, sign: int, k: int) -> arb:
    """The later blocks and the remainder at degree k over the leading block; decreasing in k."""
    lead = abs(found.amplitude(j0, sign) * block(found.d, j0, k))
    rest = sum((abs(found.amplitude(j, sign) * block(found.d, j, k)) for j in found.exponents if j > j0), arb(0))
    return ((rest + found.remainder_at(k)) / lead).upper()


def decreases_from(d: int, m: int, j0: fmpq, k: int) -> bool:
    """Whether the remainder over the leading block decreases from degree k on: inequality (5) of the documentation.

    m/(x+1) + m/(x+d-1) + 1/(2x+d) + (d-3)/(2(x+d-2)) >= e/(x-nu) for every x >= k is a polynomial inequality
    once multiplied by its denominators; it holds if the polynomial shifted to k has no negative coefficient.
    """
    nu = fmpq(j0) / 2
    if not nu < k:
        return False
    x = fmpq_poly([k, 1])
    denominators = [x + 1, x + (d - 1), 2 * x + d, 2 * x + 2 * (d - 2), x - nu]
    numerators = [fmpq(m), fmpq(m), fmpq(1), fmpq(d - 3), -(d + 2 * nu - 1)]
    total = fmpq_poly([0])
    for index, numerator in enumerate(numerators):
        product = fmpq_poly([numerator])
        for other, denominator in enumerate(denominators):
            if other != index:
                product = product * denominator
        total = total + product
    return all(c >= 0 for c in total.coeffs())


class _Prover:
    """Assembles the claims of both parities."""

    def __init__(self, kernel: Kernel, domain: Sphere, expansion: EndpointExpansion, cut: int, leading: Leading) -> None:
        self.kernel, self.domain, self.expansion, self.cut, self.leading = kernel, domain, expansion, cut, leading
        self.d = int(domain.d)

    def run(self) -> Certificate:
        low = self._low_eigenvalues()
        claims = {}
        with working_precision(PRECISION):
            for parity, sign in zip(PARITIES, (1, -1), strict=True):
                j0 = self.leading[parity]
                claims[parity] = self._vanishing(parity) if j0 is None else self._claim(j0, sign, low)
        return Certificate(self.kernel, self.d, claims, self.expansion, self.cut, low, description_of(self.kernel))

    def _low_eigenvalues(self) -> dict[int, arb]:
        """Every positive eigenvalue below the cut, slightly blurred; of a vanishing parity whatever the support leaves."""
        support = self.kernel.support
        degrees = [k for k in range(self.cut) if not (support and support.vanishes_at(k))]
        if support is not None:
            for parity in PARITIES:
                reach = support.odd if parity == "odd" else support.even
                if self.leading[parity] is None and reach != oo and reach >= self.cut:
                    degrees += [k for k in range(self.cut, int(reach) + 1) if k % 2 == (parity == "odd")]
        values = eigenvalues(self.kernel, self.domain, degrees, EIGENVALUE_DIGITS)
        with working_precision(PRECISION):
            return {k: value + arb(0, (abs(value).upper() * arb(2) ** -EIGENVALUE_BITS).upper()) for k, value in zip(degrees, values, strict=True)}

    def _vanishing(self, parity: str) -> ParityClaim:
        support = self.kernel.support
        assert support is not None
        reach = int(support.odd if parity == "odd" else support.even)
        return ParityClaim(None, None, (), reach + 2 if reach >= 0 else PARITIES.index(parity))

    def _claim(self, j0: fmpq, sign: int, low: dict[int, arb]) -> ParityClaim:
        e = self.d + j0 - 1
        limit = self.expansion.amplitude(j0, sign) * block_factor(self.d, j0)
        if not limit > 0:
            raise Undecided("the leading constant is not positive: the kernel may not be positive definite")
        at_cut = self._band(j0, sign, limit, self.cut)
        bands = [self._with_low(at_cut, e, sign, low)]
        if self.cut > bands[0].start:
            bands.append(at_cut)
        for tolerance in TOLERANCES:
            start = self._start(j0, sign, tolerance)
            if start is not None and start > bands[-1].start:
                bands.append(self._band(j0, sign, limit, start))
        return ParityClaim(e, limit, tuple(bands))

    def _band(self, j0: fmpq, sign: int, limit: arb, k: int) -> Band:
        low, high = self._factors(j0, sign, k)
        return Band(k, _rounded(limit * low, up=False), _rounded(limit * high, up=True))

    def _factors(self, j0: fmpq, sign: int, k: int) -> tuple[arb, arb]:
        """((K/H)^e (1 - delta), g(K) (1 + delta))."""
        e = self.d + j0 - 1
        shifted = arb(fmpq(2 * k + self.d - 2, 2))
        delta = _delta(self.expansion, j0, sign, k)
        return power(arb(k) / shifted, e) * (1 - delta), power(shifted, e) * gamma_ratio(self.d, j0, k) * (1 + delta)

    def _start(self, j0: fmpq, sign: int, tolerance: fmpq) -> int | None:
        """The least degree from which both factors are within ``tolerance``; both improve with k.

        None beyond MAX_START: deep compositions of jumps approach their law too slowly for a narrow band to mean anything.
        """

        def good(k: int) -> bool:
            low, high = self._factors(j0, sign, k)
            return bool(low > 1 / arb(tolerance) and high < arb(tolerance))

        return least(good, self.cut, MAX_START)

    def _with_low(self, at_cut: Band, e: fmpq, sign: int, low: dict[int, arb]) -> Band:
        """From the first degree >= 1 of the parity on."""
        lower, upper = at_cut.lower, at_cut.upper
        start = 1 if sign < 0 else 2
        for k, value in low.items():
            if k >= start and k % 2 == start % 2:
                scaled = value * power(arb(fmpz(k)), e)
                if not scaled > 0:
                    raise Undecided(f"the eigenvalue of degree {k} is not known to be positive")
                lower, upper = lower.min(_rounded(scaled, up=False)), upper.max(_rounded(scaled, up=True))
        return Band(min(start, self.cut), lower, upper)


def _rounded(value: arb, *, up: bool) -> arb:
    """An exact number of few bits beyond the ball, a relative 2^-ROUNDING_BITS away."""
    spare = arb(2) ** -ROUNDING_BITS
    with working_precision(2 * ROUNDING_BITS):
        return (value * (1 + spare)).upper() if up else (value * (1 - spare)).lower()
