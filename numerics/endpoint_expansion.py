r"""Eigenvalues of every degree from the two ends: singular blocks and a proved remainder.

For a kernel analytic in the angle, with :math:`\kappa=\sum a_js^j` at :math:`\theta=0` and
:math:`\kappa=\sum b_jc^j` at :math:`\theta=\pi`, for **every** :math:`k\ge1`

.. math:: \Bigl|\mu_k-\sum_{j\le J}(a_j+(-1)^kb_j)\,\mathrm{block}_j(k)\Bigr|
          \le\frac{B}{(k(k+d-2))^m\sqrt{N(d,k)}},\qquad
          \mathrm{block}_j(k)=c_\nu\frac{\Gamma(k-\nu)}{\Gamma(k+\nu+d-1)},\;\nu=\tfrac j2,

where the sum goes over every exponent of the two series that is no even whole number (the odd ones, unless jumps are composed)
and :math:`c_\nu=\Gamma(d-1)\Gamma(\nu+\frac{d-1}2)/(\Gamma(\frac{d-1}2)\Gamma(-\nu))` and B bounds
:math:`\|\mathcal L^mr\|` (:mod:`numerics.laplace_beltrami`), piece by piece (:mod:`numerics.endpoint_pieces`). ``docs/certificates.md`` states the theorem with its proof.

>>> import symspec as ss
>>> from symspec.network import mlp
>>> found = endpoint_expansion(mlp(ss.relu, 3).ntk, 3, m=5, J=9)
>>> found.eigenvalue(10**9).str(12, radius=False)
'1.00292404357e-27'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import log2

from flint import arb, fmpq, fmpz

from symspec.domain import Sphere
from symspec.errors import NoClosedForm, Undecided
from symspec.kernel import Kernel
from symspec.singularity import puiseux

from .endpoint_pieces import Cutter, Piece, Region, region
from .endpoint_series import at_end, roots
from .precision import meets, working_precision

MAX_TERMS = 1200
MAX_ORDER = 64
MAX_ROOT = 128  # depth 8, as in the checker
ORDERS = (4, 6, 8, 10, 12, 16, 20, 26, 32)


@dataclass(frozen=True)
class EndpointExpansion:
    """Pairs (j, coefficient) at both ends and the remainder; see the module docstring.

    ``ratio`` and ``supremum`` are those of the ellipse; None where jumps are composed and every piece has a bound of its own.
    """

    d: int
    m: int
    near: tuple[tuple[fmpq, arb], ...]
    far: tuple[tuple[fmpq, arb], ...]
    J: int
    ratio: fmpq | None
    supremum: arb | None
    pieces: tuple[Piece, ...]
    remainder: arb
    precision: int

    @cached_property
    def exponents(self) -> tuple[fmpq, ...]:
        """The j of all blocks, ascending."""
        return tuple(sorted({j for j, _ in (*self.near, *self.far)}))

    @cached_property
    def _tables(self) -> tuple[dict[fmpq, arb], dict[fmpq, arb]]:
        return dict(self.near), dict(self.far)

    def amplitude(self, j: fmpq, sign: int) -> arb:
        """A_j = a_j + sign b_j."""
        near, far = self._tables
        return near.get(j, arb(0)) + sign * far.get(j, arb(0))

    def remainder_at(self, k: int) -> arb:
        """The bound of the remainder of degree k >= 1."""
        return self.remainder / (arb(fmpz(k) * (k + self.d - 2)) ** self.m * arb(fmpz(Sphere(self.d).multiplicity(k))).sqrt())

    def eigenvalue(self, k: int) -> arb:
        """An enclosure of mu_k, k >= 1, at the precision of the expansion."""
        with working_precision(self.precision + 2 * k.bit_length()):
            sign = -1 if k % 2 else 1
            total = sum((self.amplitude(j, sign) * block(self.d, j, k) for j in self.exponents), arb(0))
            return total + arb(0, self.remainder_at(k).upper())


def block_factor(d: int, j: fmpq) -> arb:
    """c_nu, nu = j/2."""
    gamma = arb.gamma_fmpq
    return gamma(fmpq(d - 1)) * gamma((j + d - 1) / 2) / (gamma(fmpq(d - 1, 2)) * gamma(-j / 2))


def gamma_ratio(d: int, j: fmpq, k: int) -> arb:
    """Gamma(k - nu)/Gamma(k + nu + d - 1), nu = j/2 not a whole number, k >= 0."""
    low, high = k - j / 2, k + j / 2 + d - 1
    if low > 0:
        return ((arb(low)).lgamma() - arb(high).lgamma()).exp()
    return arb.gamma_fmpq(low) / arb.gamma_fmpq(high)


def block(d: int, j: fmpq, k: int) -> arb:
    """mu_k of s^j on the sphere of dimension d - 1."""
    return block_factor(d, j) * gamma_ratio(d, j, k)


@lru_cache(maxsize=64)
def endpoint_expansion(kernel: Kernel, d: int, m: int, J: int, precision: int = 256) -> EndpointExpansion:
    """The expansion with all exponents up to J that are no even whole number, and L^m in the remainder.

    Raises Undecided where the kernel is no power series at an end or jumps are composed too often, or J is too small for m,
    NoClosedForm where its exact expansion, which tells the vanishing coefficients, is not known.
    """
    root = roots(kernel)[0]
    if root > MAX_ROOT:
        raise Undecided(f"jumps composed {root.bit_length()} times are expanded in s^(1/{root}); the remainder is bounded up to s^(1/{MAX_ROOT})")
    # The first exponent left out is J + 1/root (J + 2 where only odd ones occur) at least.
    beyond = J + 2 if root == 1 else fmpq(J * root + 1, root)
    if not 4 * m - (d - 1) < 2 * beyond:
        raise Undecided(f"J = {J} is too small for m = {m} in dimension {d}")
    where, zeros = region(kernel), exact_zeros(kernel)
    terms = root * max(J + 2, 2 * m) + precision // 2
    while True:
        with working_precision(precision + 2 * terms):
            made = _made(where, d, m, J, zeros, terms, precision)
        if made is not None:
            return made
        terms += terms // 2
        if terms > MAX_TERMS * root:
            raise Undecided(f"the remainder was not bounded with {MAX_TERMS * root} terms a piece")


def _made(where: Region, d: int, m: int, J: int, zeros: tuple[fmpq, fmpq], terms: int, precision: int) -> EndpointExpansion | None:
    series = [at_end(where.kernel, end, terms) for end in (1, -1)]
    near, far = (_singular(values, J, zero, root) for values, zero, root in zip(series, zeros, roots(where.kernel), strict=True))
    pieces = Cutter(where, d, m, J, near, far, terms, precision).pieces(series)
    if pieces is None:
        return None
    total = sum((piece.bound for piece in pieces), arb(0)).upper().sqrt().upper()
    return EndpointExpansion(d, m, near, far, J, where.ratio, where.supremum, tuple(pieces), total, precision)


def _singular(values: list[arb], J: int, zero: fmpq, root: int) -> tuple[tuple[fmpq, arb], ...]:
    """The pairs (j, coefficient) with j <= J no even whole number; exactly 0 below the proved first one."""
    steps = [n for n in range(1, J * root + 1) if n % (2 * root)]
    return tuple((fmpq(n, root), arb(0) if fmpq(n, root) < zero else values[n]) for n in steps)


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
        except (NoClosedForm, Undecided):
            break
        found |= {k: value for k in left if meets(value := made.eigenvalue(k), bits)}
    return found


def exact_zeros(kernel: Kernel) -> tuple[fmpq, fmpq]:
    """(j, j'): coefficients of lower singular exponents at rho = 1 and rho = -1 are exactly 0, from the exact expansion."""
    steps = 2
    while True:
        firsts = [_first_singular(kernel, end, steps) for end in (1, -1)]
        if any(found for _, found in firsts) or steps > MAX_ORDER:
            return firsts[0][0], firsts[1][0]
        steps += 2


def _first_singular(kernel: Kernel, end: int, steps: int) -> tuple[fmpq, bool]:
    """The exponent below which singular coefficients are known to be exactly 0, and whether the one there is known not to be."""
    root = int(kernel.ramification)
    try:
        series = puiseux(kernel, end, steps).series
    except NoClosedForm as error:
        if "known orders" not in str(error):
            raise
        return fmpq(0), False
    first = min((n for n in series.terms if n % (2 * root)), default=None)
    return (fmpq(series.order, root), False) if first is None else (fmpq(first, root), True)
