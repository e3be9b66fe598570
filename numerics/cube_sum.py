r"""Eigenvalues on the boolean cube as finite sums of certified kernel values.

.. math:: \mu_k=2^{-d}\sum_{r=0}^d\binom dr\varphi_k(r)\,K(1-2r/d),\qquad \varphi_k(r)=K_k(r)/\tbinom dk,

the weights :math:`\binom dr\varphi_k(r)` being the :math:`[z^r](1-z)^k(1+z)^{d-k}` of Yang and Salman (2019).
The Krawtchouk polynomials :math:`K_k(r)` are exact integers by
:math:`(k+1)K_{k+1}=(d-2r)K_k-(d-k+1)K_{k-1}`; :math:`K_{d-k}(r)=(-1)^rK_k(r)` saves the upper half of the
degrees and :math:`K_k(d-r)=(-1)^kK_k(r)` joins the points r and d - r.

**Cancellation.** An error of e in every value moves :math:`\mu_k` by at most :math:`e\,E|\varphi_k|\le
e\binom dk^{-1/2}`; the values need as many bits more than the goal as :math:`\mu_k\binom dk^{1/2}` is below
K(1). That number of bits is forecast, and raised until the balls are good enough.

**Concentration.** Points with :math:`|t|\ge u` carry at most
:math:`\sup|K|\,\min(p,\sqrt{p/\tbinom dk})`, :math:`p=P(|t|\ge u)\le2e^{-du^2/2}` (Hoeffding), so only
:math:`O(\sqrt{d\cdot\text{bits}})` points are evaluated where d is large. sup|K| is K(1) for a kernel with
non-negative coefficients, else a bound on an ellipse that holds the interval.

>>> import symspec as ss
>>> print(eigenvalues(ss.mlp(ss.relu, 3).ntk, 200, [100], 84, None)[100].str(25, radius=False))
6.333391902321328076048115e-62
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt

import sympy
from flint import arb, fmpq, fmpz

from symspec.errors import Undecided
from symspec.functions import EVEN, ODD
from symspec.kernel import Kernel
from symspec.program import RHO

from . import real
from .approximate import ellipse
from .cube_series import log2_binomial, log2_size
from .power_series import majorants
from .precision import meets, working_precision
from .values import at_angle, at_exact

Progress = Callable[[int, int], None]
GUARD = 32
MAX_SECONDS = 1800.0
WINDOW_FROM = 64
REPORT_EVERY = 64


def characters(d: int, r: int, top: int) -> list[fmpz]:
    """K_0(r), ..., K_top(r): the sums of all characters of each degree at Hamming distance r."""
    before, now = fmpz(0), fmpz(1)
    found = [now]
    for k in range(top):
        before, now = now, ((d - 2 * r) * now - (d - k + 1) * before) // (k + 1)
        found.append(now)
    return found


@dataclass(frozen=True)
class Pair:
    """The points r and d - r: K(t) + K(-t) and K(t) - K(-t), None where symmetry makes it 0; K(0) itself at r = d/2."""

    r: int
    even: arb | None
    odd: arb | None


def pairs(kernel: Kernel, d: int, first: int) -> Iterator[Pair]:
    """The pairs first <= r <= d/2, at the working precision."""
    for r in range(first, d // 2 + 1):
        value = value_at(kernel, d, r)
        if 2 * r == d:
            yield Pair(r, value, None)
        elif kernel.symmetry == EVEN:
            yield Pair(r, 2 * value, None)
        elif kernel.symmetry == ODD:
            yield Pair(r, None, 2 * value)
        else:
            other = value_at(kernel, d, d - r)
            yield Pair(r, value + other, value - other)


def value_at(kernel: Kernel, d: int, r: int) -> arb:
    """K(1 - 2r/d) at the working precision."""
    if r in (0, d):
        return at_exact(kernel, sympy.Integer(1 if r == 0 else -1))
    return at_angle(kernel, real.archav(arb(fmpq(r, d))), arb(fmpq(d - 2 * r, d)))


def transform(points: Iterable[Pair], d: int, degrees: Sequence[int]) -> dict[int, arb]:
    """2^-d times the sums of all weights with the given pairs, in the order of ascending r, at the working precision."""
    folded = {k: min(k, d - k) for k in degrees}
    top = max(folded.values())
    totals = {k: arb(0) for k in degrees}
    weight: arb | None = None
    for pair in points:
        r = pair.r
        # From one point to the next C(d, r) is multiplied by (d-r+1)/r.
        weight = arb(fmpz.bin_uiui(d, r)) * arb(2) ** -d if weight is None else weight * (d - r + 1) / r
        sums = characters(d, r, top)
        parts = [None if part is None else weight * part for part in (pair.even, pair.odd)]
        for k in degrees:
            part = parts[k % 2]
            if part is not None:
                term = part * sums[folded[k]]
                totals[k] += -term if folded[k] != k and r % 2 else term
    return {k: total / fmpz.bin_uiui(d, folded[k]) for k, total in totals.items()}


def eigenvalues(kernel: Kernel, d: int, degrees: list[int], bits: int, progress: Progress | None) -> dict[int, arb]:
    """mu_k, each to ``bits`` of relative accuracy, or Undecided.

    Exact zeros must have been removed. ``progress(done, total)`` reports the points.
    """
    found: dict[int, arb] = {}
    bound = _largest(kernel) if d >= WINDOW_FROM else None
    extra = 0
    start = max(_lost(kernel, d, k) for k in degrees)
    while True:
        left = [k for k in degrees if k not in found]
        precision = bits + GUARD + extra + max(_lost(kernel, d, k) for k in left)
        # The window is cut at an absolute accuracy relative to the least eigenvalue expected.
        first = 0 if bound is None else window(d, precision + ceil(max(log2_binomial(d, k) for k in left) / 2))
        _require_feasible(kernel, d, d // 2 + 1 - first, precision)
        values = _attempt(kernel, d, left, first, bound, precision, progress)
        found |= {k: v for k, v in values.items() if meets(v, bits)}
        missing = {k: v for k, v in values.items() if k not in found}
        if not missing:
            return found
        worst = max(bits - v.rel_accuracy_bits() if v.is_finite() and not v.contains(0) else precision // 2 for v in missing.values())
        extra += worst + GUARD
        if extra > 8 * (bits + start) + 1024:
            raise Undecided(f"the eigenvalue of degree {min(missing)} could not be told from 0 at a working precision of {precision} bits; it may be exactly 0")


def _lost(kernel: Kernel, d: int, k: int) -> int:
    """About how many bits mu_k C(d, k)^(1/2) is below 1."""
    return max(0, ceil(-log2_size(d, k) - log2_binomial(d, k) / 2 + _smallness(kernel, k)))


def _smallness(kernel: Kernel, k: int) -> float:
    """About -log2 b_k of a kernel analytic beyond 1, by Cauchy's bound; 0 for the others."""
    if kernel.support is None or not kernel.program.inputs <= {RHO}:
        return 0.0
    with working_precision(64):
        return max((float((k * m.radius.log() - m.value.log()).mid()) / log(2) for m in majorants(kernel)), default=0.0)


def _attempt(kernel: Kernel, d: int, degrees: list[int], first: int, bound: arb | None, precision: int, progress: Progress | None) -> dict[int, arb]:
    count = d // 2 + 1 - first
    with working_precision(precision):
        values = transform(_reported(pairs(kernel, d, first), count, progress), d, degrees)
        if first == 0 or bound is None:
            return values
        return {k: v + arb(0, (bound * outside(d, k, first)).upper()) for k, v in values.items()}


def outside(d: int, k: int, first: int) -> arb:
    """min(p, sqrt(p/C(d,k))) for the points r < first and their mirror images."""
    u = arb(fmpq(d - 2 * (first - 1), d))
    p = 2 * (-d * u * u / 2).exp()
    paired = (p / fmpz.bin_uiui(d, k)).sqrt()
    return paired if paired < p else p


def window(d: int, accuracy: int) -> int:
    """The first r to be evaluated, so that 2 exp(-d u^2/2) is below 2^-accuracy; any choice is sound."""
    u = sqrt(2 * (accuracy + 8) * log(2) / d)
    return max(0, int((1 - u) * d / 2)) if u < 1 else 0


def _largest(kernel: Kernel) -> arb | None:
    """An upper bound of |K| on [-1, 1], None where none is at hand."""
    with working_precision(64):
        if kernel.support is not None:
            value = at_exact(kernel, sympy.Integer(1)).upper()
            return value if value.is_finite() else None
    try:
        region = ellipse(kernel)
        return region.bound(region.largest())
    except Undecided:
        return None


def _reported(points: Iterator[Pair], count: int, progress: Progress | None) -> Iterator[Pair]:
    for done, pair in enumerate(points, start=1):
        yield pair
        if progress and (done % REPORT_EVERY == 0 or done == count):
            progress(done, count)


def forecast_seconds(kernel: Kernel, d: int, degrees: Sequence[int], bits: int) -> float:
    """About how long the sum takes."""
    precision, points = _plan(kernel, d, degrees, bits)
    return _seconds(kernel, points, precision)


def _plan(kernel: Kernel, d: int, degrees: Sequence[int], bits: int) -> tuple[int, int]:
    """Working precision of the first attempt, and how many pairs of points it needs."""
    precision = bits + GUARD + max(_lost(kernel, d, k) for k in (degrees[0], degrees[len(degrees) // 2], degrees[-1]))
    first = window(d, _accuracy(d, degrees, precision)) if d >= WINDOW_FROM and kernel.support is not None else 0
    return precision, d // 2 + 1 - first


def _accuracy(d: int, degrees: Sequence[int], precision: int) -> int:
    """Bits at which the window is cut: below the least eigenvalue expected."""
    return precision + ceil(max(log2_binomial(d, degrees[0]), log2_binomial(d, degrees[-1])) / 2)


def _seconds(kernel: Kernel, points: int, precision: int) -> float:
    """A forecast that decides about a method or a refusal, alike on every machine."""
    return 4e-6 * points * len(kernel.program.tape.operations) * (1 + (precision / 2000) ** 1.7)


def _require_feasible(kernel: Kernel, d: int, points: int, precision: int) -> None:
    seconds = _seconds(kernel, points, precision)
    if seconds > MAX_SECONDS:
        raise Undecided(
            f"on the cube of dimension {d} this degree needs {points} pairs of kernel values at {precision} bits, about {seconds / 3600:.3g} hours; "
            "low degrees are quick in every dimension, all degrees for d up to some thousand, and for kernels analytic in the angle high degrees in any dimension"
        )


__all__ = ["Pair", "characters", "eigenvalues", "pairs", "transform", "value_at"]
