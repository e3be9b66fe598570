r"""Certified eigenvalues on spheres: the methods. :mod:`numerics.spectrum` asks and dispatches.

:math:`\mu_k=\frac{\Gamma(d/2)}{\sqrt\pi\,\Gamma((d-1)/2)}\int_{-1}^1K(t)P_k(t)(1-t^2)^{(d-3)/2}dt`, with
:math:`P_k(1)=1` and the uniform probability measure, so that
:math:`K(1)=\sum_kN(d,k)\mu_k`. The method follows the kernel:

* a kernel analytic beyond rho = 1 is summed as a positive power series
  (:mod:`numerics.power_series`), as are low degrees in very high dimension;
* so is a kernel whose duals are series themselves (tanh and its like): it is smooth but not analytic at rho = 1;
* a kernel analytic in the angle is replaced by a certified polynomial whose moments are exact
  (:mod:`numerics.fourier_moments`); the error of each moment is at most
  :math:`\|K-p\|_\infty/\sqrt{N(d,k)}`, since :math:`E|P_k|\le(E P_k^2)^{1/2}=N(d,k)^{-1/2}`;
* in odd dimension high degrees of such a kernel come from its expansion at the two ends with a proved
  remainder (:mod:`numerics.endpoint_expansion`);
* anything else is integrated over Taylor panels (:mod:`numerics.panels`).

>>> import symspec as ss
>>> from symspec.network import mlp
>>> for mu in positive_degrees(mlp(ss.relu, 3).ntk, ss.Sphere(10), [20, 50, 10**6], 50, None).values():
...     print(mu.str(14, radius=False))
1.6624537908099e-9
4.5649498534094e-13
9.4144129395034e-56
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import lgamma, log

from flint import arb, fmpz

from symspec.domain import Sphere
from symspec.errors import Undecided
from symspec.kernel import Kernel
from symspec.program import RHO

from . import panels, power_series
from .approximate import ellipse, polynomial_to_bits
from .endpoint_expansion import high_degrees
from .fourier_moments import moments
from .precision import meets, working_precision

HIGH_DIMENSION = 48
HIGH_DEGREE = 5000
HIGH_DEGREE_OF_JUMPS = 300
SHORT_SERIES = 400
LONG_SERIES = 6000
EXTRA_BITS = 512
Progress = Callable[[int, int], None]


def positive_degrees(kernel: Kernel, domain: Sphere, degrees: list[int], bits: int, progress: Progress | None) -> dict[int, arb]:
    """mu_k of ascending degrees that are no exact zeros, each to ``bits`` of relative accuracy, or Undecided."""
    if kernel.program.series_duals and kernel.program.inputs <= {RHO}:
        return power_series.eigenvalues(kernel, domain.d, degrees, bits, max_terms=LONG_SERIES + degrees[-1])
    if kernel.program.series_duals:
        raise Undecided("a kernel made of duals given by their series and of others singular at rho = 1 has no one method; add the eigenvalues of the summands")
    limit = _series_limit(kernel, domain.d, degrees[-1], bits)
    if limit:
        try:
            return power_series.eigenvalues(kernel, domain.d, degrees, bits, max_terms=limit)
        except Undecided:
            pass
    if _is_angle_analytic(kernel):
        # In odd d the exact moments of a polynomial cost O(k) a degree, the expansion at the ends nothing.
        high = [k for k in degrees if k >= HIGH_DEGREE and domain.d % 2]
        found = high_degrees(kernel, domain.d, high, bits) if high else {}
        left = [k for k in degrees if k not in found]
        return found | (_by_polynomial(kernel, domain, left, bits) if left else {})
    # Panels cost a time that grows with the degree; composed jumps have their expansion at the ends for high ones.
    high = [k for k in degrees if k >= HIGH_DEGREE_OF_JUMPS] if kernel.ramification > 1 else []
    found = high_degrees(kernel, domain.d, high, bits) if high else {}
    left = [k for k in degrees if k not in found]
    return found | (panels.eigenvalues(kernel, domain.d, left, bits, progress) if left else {})


def _series_limit(kernel: Kernel, d: int, top: int, bits: int) -> int:
    """How many terms of the power series are worth trying; 0 for none."""
    if kernel.support is None:
        return 0
    if kernel.program.inputs <= {RHO}:
        terms = power_series.needed_terms(kernel, bits)
        return power_series.MAX_TERMS if terms is not None and terms <= max(1500, 8 * top) else 0
    return SHORT_SERIES if d >= HIGH_DIMENSION and top < SHORT_SERIES // 4 else 0


@lru_cache(maxsize=256)
def _is_angle_analytic(kernel: Kernel) -> bool:
    try:
        ellipse(kernel).largest()
    except Undecided:
        return False
    return True


def _by_polynomial(kernel: Kernel, domain: Sphere, degrees: list[int], bits: int) -> dict[int, arb]:
    """Raise the accuracy of the polynomial until every degree meets the goal."""
    found: dict[int, arb] = {}
    accuracy = bits + _expected_bits(domain.d, degrees[-1])
    # Far above what r^-k or 1/k! would need: an eigenvalue still not told from 0 is probably 0.
    limit = 8 * accuracy + 64 * degrees[-1] + EXTRA_BITS
    while True:
        left = [k for k in degrees if k not in found]
        values = _enclosures(kernel, domain, left, accuracy)
        found |= {k: v for k, v in values.items() if meets(v, bits)}
        missing = [v for k, v in values.items() if k not in found]
        if not missing:
            return found
        lacking = max(bits - min(bits, v.rel_accuracy_bits()) for v in missing)
        accuracy += lacking + 16 if lacking < bits else accuracy
        if accuracy > limit:
            worst = min(k for k in degrees if k not in found)
            raise Undecided(f"the eigenvalue of degree {worst} could not be told from 0 at an absolute accuracy of 2^-{accuracy}; it may be exactly 0")


def _enclosures(kernel: Kernel, domain: Sphere, degrees: list[int], accuracy: int) -> dict[int, arb]:
    """mu_k with absolute error about 2^-accuracy / sqrt(N(d, k))."""
    multiplicities = {k: domain.multiplicity(k) for k in degrees}
    spare = max(0, max(n.bit_length() for n in multiplicities.values()) // 2)
    polynomial = polynomial_to_bits(kernel, accuracy)
    exact = moments(polynomial, domain.d, degrees, accuracy + spare + 8)
    with working_precision(accuracy + 64):
        return {k: exact[k] + arb(0, (polynomial.error / arb(fmpz(multiplicities[k])).sqrt()).upper()) for k in degrees}


def _expected_bits(d: int, k: int) -> int:
    """How far mu_k sqrt(N(d, k)) is expected below 1: a first guess of the precision, no bound.

    The size of the block (1-t)^(3/2), from its closed form.
    """
    if k < 2:
        return 32
    block = lgamma(d / 2) + lgamma(1.5 + (d - 1) / 2) + d * log(2) + lgamma(k - 1.5) - lgamma(k + d + 0.5)
    multiplicity = lgamma(k + d - 2) - lgamma(k + 1) - lgamma(d - 1) + log(2 * k + d - 2)
    return 32 + max(0, int(-(block + multiplicity / 2) / log(2)))
