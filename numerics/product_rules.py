r"""Eigenvalues on products of spheres between products of Gauss and Gauss-Lobatto rules: any number of pixels, any activation.

A kernel of a network is :math:`K(t)=\sum_\alpha b_\alpha t^\alpha`, :math:`b_\alpha\ge0`, so that
:math:`\lambda_k=\sum_\alpha b_\alpha\prod_iE[t_i^{\alpha_i}P_{k_i}]`. Rules that bracket every factor, :math:`0\le G\le E\le L`
(:mod:`numerics.gauss_rules`), bracket the product, hence the eigenvalue:

.. math:: (G\otimes\cdots\otimes G)[KP_k]\le\lambda_k\le(L\otimes\cdots\otimes L)[KP_k] .

No bound of a derivative, no series and no complex number is needed, only K at the points of two grids; and a node of the receptive field tree that
sees few pixels is computed on the grid of those.

**Convergence.** A singularity of K at equal pixels of a field R (one term for each node of the tree) of order :math:`\nu`, 3 for CK and 1 for NTK of ReLU, is resolved like
:math:`n^{-(|R|(C-1)+\nu)}`, a kernel that is analytic on the cube exponentially fast. The slowest are the fields of one pixel, after a
pointwise first layer. They vary fast on one axis at a time, so those axes are refined one at a time (the first step of a sparse grid, Smolyak 1963): write
:math:`E-G=(E-\bar G)+(\bar G-G)` with a rule :math:`\bar G` of more points. All differences of the chain :math:`0\le G\le\bar G\le E\le\bar L\le L` are non-negative on
:math:`t^aP_k`, and so are their products, whence

.. math:: \sum_iG^{\otimes i-1}\otimes\bar G_i\otimes G^{\otimes P-i}-(P-1)G^{\otimes P}\;\le\;\lambda\;\le\;
    \sum_iG^{\otimes i-1}\otimes\bar L_i\otimes L^{\otimes P-i}-\sum_{i<P}G^{\otimes i}\otimes L^{\otimes P-i} .

*Proof.* Below, :math:`E^{\otimes P}=\bigotimes(G+\Delta_i+\text{rest})`, :math:`\Delta=\bar G-G`, and only the terms with at most one :math:`\Delta` and no rest are
kept. Above, :math:`E^{\otimes P}=G\otimes E^{\otimes P-1}+(E-G)\otimes E^{\otimes P-1}\le G\otimes E^{\otimes P-1}+(\bar L-G)\otimes L^{\otimes P-1}`, and so on with the
first term. ∎ The gap is that of the fine rules on one axis plus products of two gaps of the coarse ones.

>>> import symspec as ss
>>> found = eigenvalues(ss.cnn(ss.relu, 3, 2, 4).ck, 3, [(1, 1, 0, 0), (1, 1, 1, 1)], 12)
>>> print(*(value.str(3, radius=False) for value in found.values()))
0.00162 4.40e-6
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from itertools import count
from math import exp, inf, log, prod
from typing import Any

import numpy
from flint import arb, arb_mat, fmpq

from symspec.errors import Undecided
from symspec.pixel_kernel import PixelKernel
from symspec.pixel_program import PixelProgram

from .angle_boxes import contracted
from .gauss_rules import gauss_rule, lobatto_rule, zonal_rows
from .pixel_balls import Balls, Grid, finite_entries
from .precision import goal_bits, working_precision
from .real import integer_power

MAX_POINTS = 4_000_000
SLAB_POINTS = 100_000
MAX_AXIS = 400
FIRST_POINTS = 4
FEWEST_POINTS = 2
GUARD_BITS = 48
ROUNDED_BITS, MOST_LACKING, MOST_SPARE = 4, 200, 2000
GROWTH = (1.2, 1.7)
CAUTION = 0.9
FIRST_RATIO = 4
RENEWED = 0.5
MultiIndex = tuple[int, ...]
Progress = Callable[[int, int], None]
RuleName = tuple[str, int]
Combination = dict[tuple[RuleName, ...], int]


@dataclass(frozen=True)
class Points:
    """A rule on one axis: 1 - t at its points, and P_k times the weight, a row a degree."""

    states: Any
    weights: arb_mat

    def part(self, start: int, end: int) -> Points:
        rows = [[self.weights[k, j] for j in range(start, end)] for k in range(self.weights.nrows())]
        return Points(self.states[start:end], arb_mat(rows))


@lru_cache(maxsize=128)
def _points(channels: int, rule: RuleName, top: int, precision: int) -> Points:
    name, count = rule
    nodes, weights = (gauss_rule if name == "gauss" else lobatto_rule)(channels, count, precision)
    with working_precision(precision + 32 + 2 * top):
        rows = zonal_rows(channels, nodes, top)
        states = numpy.array([1 - t for t in nodes], dtype=object)
        return Points(states, arb_mat([[value * w for value, w in zip(row, weights, strict=True)] for row in rows]))


def eigenvalues(kernel: PixelKernel, channels: int, indices: list[MultiIndex], bits: int, *, most: int = MAX_POINTS, progress: Progress | None = None) -> dict[MultiIndex, arb]:
    """lambda_k for multi-indices over the receptive field, each to ``bits`` of relative accuracy.

    Exact zeros must have been removed. At most ``most`` points are used in the grids of one pair of bounds; where that
    is not enough Undecided names the accuracy reached.
    """
    values = sums(kernel, channels, [{index: Fraction(1)} for index in indices], bits, most=most, progress=progress)
    return dict(zip(indices, values, strict=True))


def sums(kernel: PixelKernel, channels: int, terms: Sequence[Mapping[MultiIndex, Fraction]], bits: int, *, most: int = MAX_POINTS, progress: Progress | None = None) -> list[arb]:
    """Sums of c_k lambda_k, c_k >= 0, each to ``bits`` of relative accuracy; the single lambda_k need not be known as well.

    Multi-indices and errors as in :func:`eigenvalues`; single lambda_k may be 0.
    """
    return bracketed(Grids.of_kernel(kernel, channels, highest(terms)), terms, bits, most=most, progress=progress)


def highest(terms: Sequence[Mapping[MultiIndex, Fraction]]) -> MultiIndex:
    """By axis the highest degree that is asked for."""
    indices = {index for part in terms for index in part}
    return tuple(map(max, zip(*indices, strict=True)))


def bracketed(grids: Grids, terms: Sequence[Mapping[MultiIndex, Fraction]], bits: int, *, most: int = MAX_POINTS, progress: Progress | None = None) -> list[arb]:
    """The same for any function with a power series with coefficients >= 0."""
    search = Search(grids, bits, most)
    while search.size is not None:
        low, high = grids.bracket(search.size, bits, progress)
        with working_precision(bits + GUARD_BITS):
            bounds = [[sum((fmpq(c.numerator, c.denominator) * bound[index] for index, c in part.items()), arb(0)) for bound in (low, high)] for part in terms]
            values = [between(*pair) for pair in bounds]
        # An upper bound is above 0: what it lacks in its own digits is rounding, the terms of the rules being of the size of K.
        lacking = bits + ROUNDED_BITS - min(pair[1].rel_accuracy_bits() for pair in bounds)
        if lacking > 0 and grids.spare < MOST_SPARE:
            grids.spare += min(lacking, MOST_LACKING) + ROUNDED_BITS
            continue
        reached = min(value.rel_accuracy_bits() for value in values)
        if reached >= bits:
            return values
        search.advance(reached)
    raise Undecided(_out_of_reach(search.steps, most, len(grids.top)))


@dataclass(frozen=True)
class Size:
    """``extra`` points on each axis beyond the highest degree, and how many times as many the fine rules have."""

    extra: int
    ratio: int = 1


@dataclass(frozen=True)
class Step:
    """The relative accuracy in bits that rules of a size gave, and their points."""

    size: Size
    bits: int
    cost: int


class Search:
    """Which rules to try next: more points on all axes or finer rules on one at a time, what gave more bits for its points when it was last tried."""

    def __init__(self, grids: Grids, bits: int, most: int) -> None:
        self.grids, self.bits, self.most = grids, bits, most
        self.steps: list[Step] = []
        self.gains = [inf, inf] if any(grids.refined) else [inf, -inf]
        self.move = 0
        start = Size(FIRST_POINTS if len(grids.top) < 6 else FEWEST_POINTS, FIRST_RATIO if any(grids.refined) else 1)
        self.size = start if grids.fits(start, most) else None

    def advance(self, reached: int) -> None:
        """Take note of the accuracy of the present size, and choose the next one; None where none fits."""
        assert self.size is not None
        step = Step(self.size, reached, self.grids.cost(self.size))
        if self.steps:
            before = self.steps[-1]
            self.gains[self.move] = max(0, step.bits - before.bits) / log(step.cost / before.cost)
            # What is not tried grows in interest.
            self.gains[1 - self.move] = 2 * self.gains[1 - self.move] + RENEWED
        self.steps.append(step)
        choices = [self._more(step), Size(step.size.extra, 2 * step.size.ratio)]
        for move in sorted((0, 1), key=lambda move: -self.gains[move]):
            if self.gains[move] > -inf and self.grids.fits(choices[move], self.most):
                self.size, self.move = choices[move], move
                return
        self.size = None

    def _more(self, step: Step) -> Size:
        """More points on all axes: where the goal is expected by the rate of the last two steps, within GROWTH; at the end as many as fit."""
        base = max(self.grids.top)
        size = step.size.extra + base
        wanted = max(size + 1, int(GROWTH[0] * size))
        if len(self.steps) > 1 and not any(self.grids.refined) and step.bits > self.steps[-2].bits:
            before = self.steps[-2]
            rate = (step.bits - before.bits) / log(size / (before.size.extra + base))
            wanted = max(wanted, min(int(GROWTH[1] * size) + 1, int(size * exp(min(1.0, CAUTION * (self.bits + 1 - step.bits) / rate)))))
        while wanted > size + 1 and not self.grids.fits(Size(wanted - base, step.size.ratio), self.most):
            wanted -= 1
        return Size(wanted - base, step.size.ratio)


def _out_of_reach(steps: list[Step], most: int, axes: int) -> str:
    best = max(steps, key=lambda step: step.bits, default=None)
    digits = 0 if best is None else next(n for n in count(0) if goal_bits(n + 1) > best.bits)
    if best is None or not digits:
        return f"product rules of {axes} pixels do not tell an eigenvalue from its bounds with at most {most} points; ask for lower degrees or fewer pixels"
    return f"product rules of {axes} pixels give {digits} digits with {best.cost} points, and the digits asked for need more than {most}; ask for fewer"


def between(low: arb, high: arb) -> arb:
    """The ball from a lower to an upper bound."""
    if high.upper() < low.lower():
        raise AssertionError("the bounds of an eigenvalue exclude each other")
    return low.lower().union(high.upper())


Evaluate = Callable[[list[Any]], Any]


class Grids:
    """The two bounds of E[f prod P_{k_i}] for all k <= top, f a power series with coefficients >= 0.

    ``evaluate`` gives its values on a grid from the arrays of 1 - t_i (:func:`values`); ``refined`` are the axes that have fine rules.
    """

    def __init__(self, evaluate: Evaluate, channels: int, top: MultiIndex, refined: tuple[bool, ...]) -> None:
        self.evaluate, self.channels, self.top = evaluate, channels, top
        # Bits of precision that cancellation costs, found on the way.
        self.spare = 0
        self.refined = refined if len(top) > 1 else (False,) * len(top)

    @staticmethod
    def of_kernel(kernel: PixelKernel, channels: int, top: MultiIndex) -> Grids:
        """Those of lambda_k, on the receptive field of a kernel."""
        lonely = frozenset().union(*map(singular_pixels, kernel.factors))
        return Grids(partial(values, kernel), channels, top, tuple(pixel in lonely for pixel in kernel.rows))

    def counts(self, size: Size) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Points of the coarse and the fine rules on the axes."""
        coarse = tuple(k + size.extra for k in self.top)
        return coarse, tuple(n * size.ratio if refined else n for n, refined in zip(coarse, self.refined, strict=True))

    def cost(self, size: Size) -> int:
        """How many points the grids of both bounds have."""
        return sum(prod(n for _, n in rules) for rules in (*lower_rules(*self.counts(size)), *upper_rules(*self.counts(size))))

    def fits(self, size: Size, most: int) -> bool:
        return max(self.counts(size)[1]) <= MAX_AXIS and self.cost(size) <= most

    def bracket(self, size: Size, bits: int, progress: Progress | None = None) -> tuple[Any, Any]:
        """Arrays of lower and upper bounds."""
        counts = self.counts(size)
        bounds = [lower_rules(*counts), upper_rules(*counts)]
        total, done = self.cost(size), 0
        precision = bits + GUARD_BITS + self.spare
        results = []
        for combination in bounds:
            result: Any = numpy.full(tuple(k + 1 for k in self.top), arb(0), dtype=object)
            for rules, factor in combination.items():
                for part in self._moments(rules, precision):
                    with working_precision(precision):
                        result = result + factor * part
                done += prod(n for _, n in rules)
                if progress:
                    progress(done, total)
            results.append(result)
        return results[0], results[1]

    def _moments(self, rules: tuple[RuleName, ...], precision: int) -> Iterator[Any]:
        """The rules applied to K prod P_k, in slabs of the first axis."""
        axes = [_points(self.channels, rule, k, precision) for rule, k in zip(rules, self.top, strict=True)]
        step = max(1, SLAB_POINTS // prod(n for _, n in rules[1:]))
        for start in range(0, rules[0][1], step):
            slab = [axes[0].part(start, min(start + step, rules[0][1])), *axes[1:]]
            with working_precision(precision):
                yield contracted(self.evaluate([axis.states for axis in slab]), [axis.weights for axis in slab])


def lower_rules(coarse: tuple[int, ...], fine: tuple[int, ...]) -> Combination:
    """The combination of products of rules below the expectation."""
    axes = len(coarse)
    found: Counter[tuple[RuleName, ...]] = Counter()
    for axis in range(axes):
        found[tuple(("gauss", fine[i] if i == axis else coarse[i]) for i in range(axes))] += 1
    found[tuple(("gauss", n) for n in coarse)] -= axes - 1
    return {rules: factor for rules, factor in found.items() if factor}


def upper_rules(coarse: tuple[int, ...], fine: tuple[int, ...]) -> Combination:
    """The combination above it."""
    axes = len(coarse)
    found: Counter[tuple[RuleName, ...]] = Counter()
    for axis in range(axes):
        before, after = [("gauss", n) for n in coarse[:axis]], [("lobatto", n) for n in coarse[axis + 1 :]]
        found[(*before, ("lobatto", fine[axis]), *after)] += 1
        if axis + 1 < axes:
            found[(*before, ("gauss", coarse[axis]), *after)] -= 1
    return {rules: factor for rules, factor in found.items() if factor}


def singular_pixels(program: PixelProgram) -> frozenset[int]:
    """The pixels that an activation sees alone, where its dual is singular at equal pixels."""
    if not program.dual.nonlinearity.angular:
        return frozenset()
    fields = {pair: frozenset(pair) for pair in program.levels[0]}
    found: set[int] = set()
    for patch, level in zip(program.patches, program.levels[1:], strict=True):
        fields = {pair: frozenset[int]().union(*(fields[source] for source in patch.sources(pair))) for pair in level}
        found.update(*(field for field in fields.values() if len(field) == 1))
    return frozenset(found)


def values(kernel: PixelKernel, states: list[Any]) -> Any:
    """K on a grid, equal and opposite pixels included; ``states`` are the arrays of 1 - t_i."""
    field = kernel.rows
    axes = {pixel: points.reshape([-1 if index == axis else 1 for index in range(len(field))]) for axis, (pixel, points) in enumerate(zip(field, states, strict=True))}
    found: Any = arb(1)
    for factor, times in Counter(kernel.factors).items():
        value = factor.run(Grid(lambda pair: axes[pair[0]], slopes=factor.reads_slopes()))
        found = found * integer_power(value, times)
    grid = numpy.array(numpy.broadcast_to(numpy.asarray(found, dtype=object), tuple(map(len, states))))
    for place in zip(*numpy.nonzero(~finite_entries(grid)), strict=True):
        # Where pixels are opposite an expression may divide by zero; the carrier of single balls is cut to where the exact value lies.
        point = {pixel: points[index] for pixel, points, index in zip(field, states, place, strict=True)}
        grid[place] = _product(kernel, point)
    return grid


def _product(kernel: PixelKernel, states: dict[int, arb]) -> arb:
    value = arb(1)
    for factor in kernel.factors:
        value = value * factor.run(Balls(lambda pair: states[pair[0]]))
    if not value.is_finite():
        raise Undecided("the kernel could not be evaluated where pixels are equal or opposite")
    return value


__all__ = ["Grids", "between", "bracketed", "eigenvalues", "lower_rules", "singular_pixels", "sums", "upper_rules", "values"]
