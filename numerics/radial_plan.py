"""Where to integrate over the length, and with how many nodes, polynomials and powers of t.

Everything here proposes: doubles and coarse rules choose an interval, a coordinate, an ellipse and a truncation. What is proved
of the choice are the bounds on the ellipse (:func:`numerics.radial_continuation.boundary`) and, later, all that
:mod:`numerics.gaussian_spectrum` computes from it; a bad choice costs time or ends in Undecided.

>>> import symspec as ss
>>> kernel = RadialKernel.of(ss.mlp(ss.sin, 1).ck)
>>> found = plan(kernel, d=10, shift=1, top=1, goal=30, more=3)
>>> 0 <= found.measure.chart.low < 1 < found.measure.chart.high, 10 < found.nodes < 100
(True, True)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import log2
from typing import Any

from flint import arb, fmpq

from symspec.errors import Undecided

from .power_series import largest_eigenvalue
from .precision import working_precision
from .radial_continuation import Arc, Chart, Ellipse, boundary, survey
from .radial_kernel import RadialKernel
from .radial_measure import RadialMeasure

RATIOS = (9.0, 7.0, 5.5, 4.5, 3.7, 3.1, 2.6, 2.25, 2.0, 1.8, 1.65, 1.52, 1.42, 1.33, 1.26, 1.2, 1.15, 1.11, 1.08)
ARGUMENTS = (fmpq(1), fmpq(31, 32), fmpq(15, 16), fmpq(7, 8), fmpq(3, 4))
# Series need correlations that stay below 1 in every layer.
SERIES_ARGUMENTS = (*ARGUMENTS, fmpq(5, 8), fmpq(1, 2))
SCALES = (fmpq(1, 2), fmpq(1, 8), fmpq(2), None)
FIRST_TERMS, MAX_TERMS, MAX_NODES = 32, 1600, 220
PROPOSAL_NODES, PROPOSAL_BITS = 40, 120
DENOMINATOR = 1 << 10
# Intervals of series may not reach 0, where they are not analytic.
FINEST = 1 << 48


@dataclass(frozen=True)
class Plan:
    """An interval, a truncation after ``terms``, and an ellipse with bounds on its boundary. Everything in it is proved or harmless."""

    measure: RadialMeasure
    ellipse: Ellipse
    arcs: tuple[Arc, ...]
    t: fmpq
    terms: int
    nodes: int
    kept: int

    def size(self, measure: RadialMeasure) -> tuple[arb, arb]:
        """S^2 for the terms below ``terms``, and the bound of the variances."""
        size, variance = measure.largest(self.arcs)
        return (size / arb(self.t) ** (self.terms - 1)).upper(), variance

    def least_nodes(self, goal: int) -> int:
        """How many nodes a kernel of size 1 would ask for."""
        return self.measure.nodes_for(self.ellipse, arb(self.t) ** -self.terms, goal, self.kept)

    def exceeds(self, refused: Plan) -> bool:
        """Whether it asks for more than what was refused: a larger ellipse, and larger correlations."""
        return self.measure == refused.measure and self.ellipse.ratio >= refused.ellipse.ratio and self.t >= refused.t

    def with_arcs(self, arcs: tuple[Arc, ...], goal: int) -> Plan | None:
        """The plan with as many nodes as these bounds ask for; None where they are not finite."""
        size = self.measure.largest(arcs)[0] / arb(self.t) ** self.terms
        return replace(self, arcs=arcs, nodes=self.measure.nodes_for(self.ellipse, size, goal, self.kept)) if size.is_finite() else None


def plan(kernel: RadialKernel, d: int, shift: int, top: int, goal: int, more: int | None) -> Plan:
    """The plan with the fewest nodes among some, or Undecided: points of the ellipses propose, their arcs decide."""
    refused: list[Plan] = []
    if goal < 2 * MAX_NODES * log2(RATIOS[0]):
        # Points may promise what the arcs between them do not keep: then smaller ellipses have their turn.
        while proposed := sorted(_proposals(kernel, d, shift, top, goal, more, refused), key=lambda one: one.nodes):
            best = _best(kernel, proposed, goal, refused)
            if best is not None:
                return best
    raise Undecided(f"integrals over the length would need more than {MAX_NODES} nodes at an accuracy of 2^-{goal}; ask for fewer digits")


def _best(kernel: RadialKernel, proposed: list[Plan], goal: int, refused: list[Plan]) -> Plan | None:
    """The plan that the arcs leave the fewest nodes; appends to the refused ones."""
    best: Plan | None = None
    for one in proposed:
        if best is not None and one.nodes >= best.nodes:
            break
        if any(one.exceeds(bad) for bad in refused):
            continue
        arcs = _boundary(kernel, one.ellipse, one.t)
        found = None if arcs is None else one.with_arcs(arcs, goal)
        if found is None or found.nodes > MAX_NODES:
            refused.append(one)
        elif best is None or found.nodes < best.nodes:
            best = found
    return best


def _proposals(kernel: RadialKernel, d: int, shift: int, top: int, goal: int, more: int | None, refused: list[Plan]) -> Iterator[Plan]:
    ends = intervals(kernel, d, goal)
    terms = _enough_terms(kernel, RadialMeasure(d, 0, Chart(*ends[0], SCALES[0])), top, goal)
    fewest = MAX_NODES
    for chart in _charts(kernel, ends):
        measure = RadialMeasure(d, shift if chart.low == 0 else 0, chart)
        enough = measure.polynomials(goal, MAX_NODES) if more is not None else 1
        if enough is None:
            continue
        kept = enough + (more or 0)
        beyond = 0.0
        arguments = SERIES_ARGUMENTS if kernel.is_series else ARGUMENTS
        # The smallest t tells whether there is anything at a ratio, the largest leave the fewest nodes.
        for ratio, t in product(RATIOS, (arguments[-1], *arguments[:-1])):
            one = Plan(measure, Ellipse(measure.chart, ratio), (), t, terms, 0, kept)
            if ratio == beyond or one.least_nodes(goal) > fewest or any(one.exceeds(bad) for bad in refused):
                continue
            points = _survey(kernel, one.ellipse, t)
            if points is None:
                # Where the smallest t fails, so do the larger ones.
                beyond = ratio if t == arguments[-1] else beyond
                continue
            found = one.with_arcs(points, goal)
            if found is not None and found.nodes <= MAX_NODES:
                yield found
                fewest = min(fewest, found.nodes)


def _charts(kernel: RadialKernel, ends: list[tuple[fmpq, fmpq]]) -> list[Chart]:
    if kernel.is_series:
        # Variances 0 are singular: the logarithm of the length is the coordinate.
        return [Chart(low, high, low) for low, high in ends if low > 0]
    return [Chart(low, high, scale) for low, high in ends for scale in (*((low,) if low > 0 else ()), *SCALES)]


def intervals(kernel: RadialKernel, d: int, goal: int) -> list[tuple[fmpq, fmpq]]:
    """[0, b] and, for large d, [a, b], with a trace outside of about 2^-goal of the kernel's size."""
    with working_precision(64):
        limit = arb(2) ** (-goal - 3)

        def least(inside: Any, outer: int, inner: int) -> int:
            """Bisection between an end that is far enough out and one that is not."""
            while abs(outer - inner) > 1:
                middle = (outer + inner) // 2
                outer, inner = (middle, inner) if inside(middle) else (outer, middle)
            return outer

        def wide_enough(low: fmpq, high: fmpq) -> bool:
            return bool(RadialMeasure(d, 0, Chart(low, high)).outside(kernel.growth) < limit)

        beyond, zero = DENOMINATOR, fmpq(0)
        while not wide_enough(zero, fmpq(beyond, DENOMINATOR)):
            beyond *= 2
        end = fmpq(least(lambda n: wide_enough(zero, fmpq(n, DENOMINATOR)), beyond, DENOMINATOR), DENOMINATOR)
        finest = FINEST if kernel.is_series else DENOMINATOR
        start = fmpq(least(lambda n: wide_enough(fmpq(n, finest), fmpq(beyond, DENOMINATOR)), 0, finest), finest)
    # An interval from 0 wastes polynomials where little of the measure is.
    return [(start, end)] if 8 * start > end else [(fmpq(0), end)] if start == 0 else [(start, end), (fmpq(0), end)]


def _enough_terms(kernel: RadialKernel, measure: RadialMeasure, top: int, goal: int) -> int:
    """How many powers of t leave 2^-goal; a coarse rule proposes."""
    with working_precision(PROPOSAL_BITS + goal):
        rule = measure.rule(PROPOSAL_NODES)
        points = [(w * measure.square(x), measure.chart.length(x)) for x, w in zip(rule.nodes, rule.weights, strict=True)]
    with working_precision(goal + kernel.spare_bits):
        variances = [kernel.diagonal(v) for _, v in points]
        terms = top + FIRST_TERMS
        while True:
            series = [kernel.coefficients(v.sqrt(), v.sqrt(), terms) for _, v in points]
            rest = sum((w * (total - sum(c, arb(0))) for (w, _), total, c in zip(points, variances, series, strict=True)), arb(0))
            worst = max(float((largest_eigenvalue(measure.d, k, terms) / largest_eigenvalue(measure.d, k, k)).mid()) for k in (0, top))
            if float(abs(rest).mid()) * worst < 2.0 ** (-goal - 3) or terms >= MAX_TERMS:
                return terms
            terms = min(MAX_TERMS, terms * 3 // 2)


@lru_cache(maxsize=1024)
def _survey(kernel: RadialKernel, ellipse: Ellipse, t: fmpq) -> tuple[Arc, ...] | None:
    points = survey(kernel, ellipse, t)
    return None if points is None else tuple(points)


@lru_cache(maxsize=256)
def _boundary(kernel: RadialKernel, ellipse: Ellipse, t: fmpq) -> tuple[Arc, ...] | None:
    arcs = boundary(kernel, ellipse, t)
    return None if arcs is None else tuple(arcs)


__all__ = ["MAX_NODES", "Plan", "plan"]
