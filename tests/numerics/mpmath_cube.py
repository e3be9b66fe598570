"""Eigenvalues on the cube in mpmath: the finite sum at a generous precision, no code of the engine."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import mpmath


def weights(d: int, k: int) -> list[int]:
    """[z^r] (1-z)^k (1+z)^(d-k) by the sum over pairs of coefficients."""
    return [sum((-1) ** j * comb(k, j) * comb(d - k, r - j) for j in range(min(k, r) + 1) if r - j <= d - k) for r in range(d + 1)]


def eigenvalue(function: Callable[[Any], Any], d: int, k: int, digits: int = 40) -> Any:
    """2^-d sum C_r f(1 - 2r/d), at digits + d digits: more than the cancellation can take."""
    with mpmath.workdps(digits + d):
        total = mpmath.fsum(c * function(mpmath.mpf(d - 2 * r) / d) for r, c in enumerate(weights(d, k)))
        return total / mpmath.mpf(2) ** d


def contains(ball: Any, value: Any) -> bool:
    """Whether a flint ball contains an mpmath number, both taken exactly."""
    with mpmath.workdps(mpmath.mp.dps + 3000):
        (m, e), (rm, re) = ball.mid().man_exp(), ball.rad().man_exp()
        middle, radius = mpmath.ldexp(int(m), int(e)), mpmath.ldexp(int(rm), int(re))
        return abs(middle - value) <= radius
