r"""Certified eigenvalues on the boolean cube {-1, 1}^d: the choice of the method.

Three methods, each with its proof: the positive power series (:mod:`numerics.cube_series`), in which nothing
cancels and which for large d needs a few dozen terms, and the finite sum of kernel values
(:mod:`numerics.cube_sum`), which is good for every kernel and degree where d is moderate. The
series is taken where it is forecast to be cheaper; where it does not reach the goal, or the signs
of the coefficients are not known, the sum is. High degrees in high dimension, out of reach for both, come
from the singularities at the two ends (:mod:`numerics.cube_ends`).

>>> import symspec as ss
>>> kernel = ss.mlp(ss.relu, 3).ntk
>>> both = [method(kernel, 300, [4], 100, None) for method in (_by_series, cube_sum.eigenvalues)]
>>> both[0][4].overlaps(both[1][4]), both[0][4].rel_accuracy_bits() >= 100
(True, True)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from flint import arb

from symspec.domain import BooleanCube
from symspec.errors import Undecided
from symspec.kernel import Kernel
from symspec.program import RHO

from . import cube_ends, cube_series, cube_sum, power_series
from .cube_sum import transform

Progress = Callable[[int, int], None]
SHORT = 400
# Beyond this dimension a longer series is worth more than the sum.
LONG_FROM = 2000
MAX_SERIES_SECONDS, SLOW_SECONDS = 10.0, 2.0


def positive_degrees(kernel: Kernel, domain: BooleanCube, degrees: list[int], bits: int, progress: Progress | None) -> dict[int, arb]:
    """mu_k of ascending degrees that are no exact zeros, each to ``bits`` of relative accuracy, or Undecided."""
    d = domain.dimension
    found: dict[int, arb] = {}
    # High degrees need a longer series or the sum; they must not hold up the low ones.
    split = _reach(kernel, d, degrees, bits)
    if split:
        with suppress(Undecided):
            found = _by_series(kernel, d, degrees[:split], bits, progress)
    slow = [k for k in degrees if k not in found and k >= cube_ends.LEAST_DEGREE and cube_sum.forecast_seconds(kernel, d, [k], bits) > SLOW_SECONDS]
    if slow and kernel.ramification == 1:
        found |= cube_ends.eigenvalues(kernel, d, slow, bits)
    left = [k for k in degrees if k not in found]
    return found | (cube_sum.eigenvalues(kernel, d, left, bits, progress) if left else {})


def _by_series(kernel: Kernel, d: int, degrees: list[int], bits: int, _progress: Progress | None) -> dict[int, arb]:
    return cube_series.eigenvalues(kernel, d, degrees, bits, _limit(_terms_of_smooth(kernel, bits), d, degrees[-1]))


def _reach(kernel: Kernel, d: int, degrees: list[int], bits: int) -> int:
    """How many of the degrees, from below, the series is worth trying for."""
    if kernel.support is None:
        return 0

    def fits(count: int) -> bool:
        part = degrees[:count]
        smooth = _terms_of_smooth(kernel, bits)
        limit = _limit(smooth, d, part[-1])
        terms = min(part[-1] + smooth, limit) if smooth is not None else cube_series.forecast(d, part, bits, limit)
        return terms is not None and cube_series.forecast_seconds(kernel, terms, d, part) < min(MAX_SERIES_SECONDS, cube_sum.forecast_seconds(kernel, d, part, bits))

    low, high = 0, len(degrees)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _limit(smooth: int | None, d: int, top: int) -> int:
    """How many terms are worth trying."""
    if smooth is not None:
        return min(power_series.MAX_TERMS, 2 * (smooth + 2 * top))
    return power_series.MAX_TERMS if d > LONG_FROM else SHORT


def _terms_of_smooth(kernel: Kernel, bits: int) -> int | None:
    """The terms that a kernel analytic beyond 1 needs in any dimension, None for the others."""
    if kernel.support is None or not kernel.program.inputs <= {RHO}:
        return None
    return power_series.needed_terms(kernel, bits)


__all__ = ["positive_degrees", "transform"]
