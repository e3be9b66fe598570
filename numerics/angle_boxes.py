r"""Eigenvalues on products of few spheres by tensor quadrature in the angles, every error proved.

With :math:`t_i=\cos\theta_i` and the density :math:`c\,\sin^{C-2}\theta`, :math:`c=\Gamma(\frac C2)/(\sqrt\pi\,\Gamma(\frac{C-1}2))`,

.. math:: \lambda_k=\int_{[0,\pi]^P}K(\cos\theta)\prod_iP_{k_i}(\cos\theta_i)\,c\sin^{C-2}\theta_i\,d\theta_i .

The cube is cut into boxes, halved along the axes that need it. On a box Gauss-Legendre rules of :math:`n_i` points are used in each angle.
**Error.** If f is analytic and :math:`|f|\le M` on the ellipse with foci at the ends of an interval of length 2h and sum of half-axes
:math:`\varrho h`, then a rule that is exact to degree 2n - 1 and has positive weights errs by at most
:math:`4h\cdot\frac{2M\varrho^{1-2n}}{\varrho-1}` (the truncated Chebyshev series, Trefethen, Approximation Theory and Practice, theorem 8.2, is
off by :math:`2M\varrho^{-m}/(\varrho-1)`, and integral and rule have total weight 2h each). Rules are replaced one axis at a time, the others staying real,
so the errors of the axes add up, each times the measure of the other sides. M is a bound of |K| on the ellipse, the other angles ranging over
their real sides, from wide complex balls (:class:`numerics.pixel_balls.Discs`) on the boundary of the ellipse, times
:math:`|P_k(\cos z)|\le e^{k|\mathrm{Im}\,z|}` (a mean of cosines) and a bound of the sine. The branch cuts of the angles are avoided on the
boundary, hence inside (:mod:`numerics.complex_disc`).

Where the kernel is singular, at equal or opposite pixels, boxes shrink geometrically until what K can vary on them, times their measure, is
below the tolerance; there K is a constant up to that. The result is a sum of products of matrices: the values of K on the grid of a
box are contracted axis by axis with the table of :math:`P_k` at its points, for all multi-indices at once.

>>> import symspec as ss
>>> K = ss.cnn(ss.relu, 1, 2, 2).ck
>>> value = integrals(K, 3, (2, 2), 40)[2, 2]
>>> print(value.str(8, radius=False))
0.00014058574
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log2
from typing import Any

import numpy
from flint import acb, arb, arb_mat, ctx, fmpq

from symspec.errors import Undecided
from symspec.pixel_kernel import PixelKernel

from .gauss_rules import zonal_rows
from .laplace_beltrami import surface_factor
from .pixel_balls import Boxes, Discs, DiscState, Grid
from .precision import working_precision

RATIOS = (8.0, 5.0, 3.5, 2.6, 2.0, 1.6)
BOUND_PRECISION = 64
FIRST_ARCS = 6
MAX_ARC_HALVINGS = 3
MAX_BOXES = 60_000
MOMENT_RATIO = 6.0
LONGER = 4
Interval = tuple[fmpq, fmpq]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Domain:
    """The angles of ``axes`` pixels on spheres in R^channels, and the highest degree of each."""

    channels: int
    axes: tuple[int, ...]
    top: tuple[int, ...]


@dataclass(frozen=True)
class Box:
    """Sides in units of pi, exact."""

    sides: tuple[Interval, ...]

    def halved(self, axes: list[int]) -> list[Box]:
        """The boxes after halving these axes."""
        found = [self.sides]
        for axis in axes:
            cut = []
            for sides in found:
                a, b = sides[axis]
                middle = (a + b) / 2
                cut += [(*sides[:axis], part, *sides[axis + 1 :]) for part in ((a, middle), (middle, b))]
            found = cut
        return [Box(sides) for sides in found]


def integrals(kernel: PixelKernel, channels: int, top: tuple[int, ...], bits: int, progress: Progress | None = None) -> Any:
    """lambda_k for all multi-indices k <= top on the receptive field, an object array of balls of radius below about 2^-bits.

    ``top`` has one entry for each pixel of the receptive field. Raises Undecided where more than MAX_BOXES boxes would be needed.
    """
    domain = Domain(channels, kernel.receptive_field, top)
    return _Integrator(kernel, domain, bits).run(progress)


class _Integrator:
    """One run of the adaptive rule at one tolerance."""

    def __init__(self, kernel: PixelKernel, domain: Domain, bits: int) -> None:
        self.kernel, self.domain, self.bits = kernel, domain, bits
        count = len(domain.axes)
        self.share_bits = bits + 6 + 3 * count
        self.precision = self.share_bits + 32 + 2 * max(domain.top)
        self.most_nodes = max(10, int((0.42 if count < 3 else 0.36) * self.share_bits)) + max(domain.top) // 2
        self.shape = tuple(n + 1 for n in domain.top)
        self.error = arb(0)
        self.boxes = 0

    def run(self, progress: Progress | None) -> Any:
        total = numpy.full(self.shape, arb(0), dtype=object)
        stack = [Box(((fmpq(0), fmpq(1)),) * len(self.domain.axes))]
        done = 0.0
        while stack:
            box = stack.pop()
            self.boxes += 1
            if self.boxes > MAX_BOXES:
                raise Undecided(f"more than {MAX_BOXES} boxes would be needed for an accuracy of 2^-{self.bits}; ask for fewer digits")
            rules = self._rules(box)
            if isinstance(rules, list):
                stack += box.halved(rules)
                continue
            with working_precision(self.precision):
                total = total + (self._constant(box, rules) if isinstance(rules, arb) else self._product(box, rules))
            done += float(_volume(box))
            if progress:
                progress(round(1000 * done), 1000)
        with working_precision(self.precision):
            return numpy.frompyfunc(lambda value: value + arb(0, self.error.upper()), 1, 1)(total)

    def _rules(self, box: Box) -> arb | list[int] | tuple[int, ...]:
        """A constant in place of K, or the axes to be halved, or the number of points on each axis; adds the error to the sum."""
        precision = BOUND_PRECISION + 2 * _depth(box)
        with working_precision(precision):
            measures = [self._measure(side) for side in box.sides]
            share = arb(2) ** -self.share_bits
            variances = [factor.plan().numbers(factor.dual, Boxes(lambda pair: None)) for factor in self.kernel.factors]
            constant = _over(self.kernel, self.domain, box, variances)
            spread = constant.rad() * _product_of(measures)
            if constant.is_finite() and spread < share:
                self.error += spread
                return constant.mid()
            counts, failed = [], []
            for axis in range(len(box.sides)):
                others = _product_of([m for index, m in enumerate(measures) if index != axis])
                found = self._points(box, axis, others, share, variances)
                if found is None:
                    failed.append(axis)
                else:
                    counts.append(found)
            if failed:
                # A side that is much longer than the one that failed may be what widens the balls.
                least = min(box.sides[axis][1] - box.sides[axis][0] for axis in failed)
                return [axis for axis, (a, b) in enumerate(box.sides) if axis in failed or b - a >= LONGER * least]
            for _, error in counts:
                self.error += error
            return tuple(n for n, _ in counts)

    def _measure(self, side: Interval) -> arb:
        """An upper bound of the measure of a side; also of the total weight of a rule on it."""
        angle = _span(side)
        return (surface_factor(self.domain.channels) * (arb(side[1] - side[0]) * arb.pi()) * _largest_sine(angle) ** (self.domain.channels - 2)).upper()

    def _points(self, box: Box, axis: int, others: arb, share: arb, variances: list[list[arb]]) -> tuple[int, arb] | None:
        """(n, error) of the shortest rule found on an axis, or None."""
        best: tuple[int, arb] | None = None
        half = _half(box.sides[axis])
        for ratio in RATIOS:
            if best is not None and best[0] <= _count(share, half * others, ratio):
                break
            bound = _on_ellipse(self.kernel, self.domain, box, axis, ratio, variances)
            if bound is None:
                continue
            size = 8 * half * others * bound * _weight(self.domain.channels, box.sides[axis], self.domain.top[axis], ratio)
            n = _count(share, size, ratio)
            if n <= self.most_nodes and (best is None or n < best[0]):
                best = n, _rule_error(size, ratio, n)
        return best

    def _product(self, box: Box, counts: tuple[int, ...]) -> Any:
        tables = [_table(self.domain.channels, side, n, top, ctx.prec) for side, n, top in zip(box.sides, counts, self.domain.top, strict=True)]
        axes = {pixel: _along(table.states, axis, len(tables)) for axis, (pixel, table) in enumerate(zip(self.domain.axes, tables, strict=True))}
        values: Any = arb(1)
        for factor in self.kernel.factors:
            values = values * factor.run(Grid(lambda pair: axes[pair[0]]))
        grid = numpy.broadcast_to(numpy.asarray(values, dtype=object), counts)
        return contracted(grid, [table.weights for table in tables])

    def _constant(self, box: Box, value: arb) -> Any:
        result: Any = value
        for axis, (side, top) in enumerate(zip(box.sides, self.domain.top, strict=True)):
            result = result * _along(_moments(self.domain.channels, side, top, ctx.prec), axis, len(box.sides))
        return result


def _weight(channels: int, side: Interval, top: int, ratio: float) -> arb:
    """A bound of |P_k(cos z) c sin^(C-2) z| on the ellipse around a side, k <= top."""
    half, middle = _half(side), _middle(side)
    height = (half * (arb(ratio) - 1 / arb(ratio)) / 2).upper()
    width = half * (arb(ratio) + 1 / arb(ratio)) / 2
    sine = (_largest_sine(middle + arb(0, width.upper())) ** 2 + height.sinh() ** 2).sqrt()
    return ((top * height).exp() * surface_factor(channels) * sine ** (channels - 2)).upper()


def _rule_error(size: arb, ratio: float, n: int) -> arb:
    """size * ratio^(1-2n)/(ratio-1), rounded up."""
    return (size * arb(ratio) ** (1 - 2 * n) / (arb(ratio) - 1)).upper()


def _count(share: arb, size: arb, ratio: float) -> int:
    """About the least n with size * ratio^(1-2n)/(ratio-1) <= share; a float chooses it, the error is :func:`_rule_error`."""
    bits = float((size / share / (arb(ratio) - 1)).log().upper()) / float(arb(2).log())
    return max(2, ceil((bits / log2(ratio) + 1) / 2))


def _product_of(values: list[arb]) -> arb:
    result = arb(1)
    for value in values:
        result = result * value
    return result.upper()


def _half(side: Interval) -> arb:
    return arb((side[1] - side[0]) / 2) * arb.pi()


def _middle(side: Interval) -> arb:
    return arb((side[1] + side[0]) / 2) * arb.pi()


def _span(side: Interval) -> arb:
    """All angles of a side."""
    return (arb(side[0]) * arb.pi()).union(arb(side[1]) * arb.pi())


def _largest_sine(angle: arb) -> arb:
    """An upper bound of |sin|."""
    bound = abs(angle.sin()).upper()
    return bound if bound < 1 else arb(1)


def _volume(box: Box) -> fmpq:
    result = fmpq(1)
    for a, b in box.sides:
        result *= b - a
    return result


def _depth(box: Box) -> int:
    """How often a side was halved, at most."""
    return max(int((b - a).q).bit_length() for a, b in box.sides)


def _state(angle: Any) -> Any:
    """1 - cos, by the half angle that is near 0: the width of a ball next to 0 or pi is then squared, too."""
    real_part = angle.real if isinstance(angle, acb) else angle
    if real_part.mid() < arb.pi() / 2:
        half = (angle / 2).sin()
        return 2 * half * half
    half = ((arb.pi() - angle) / 2).sin()
    return 2 - 2 * half * half


def _over(kernel: PixelKernel, domain: Domain, box: Box, variances: list[list[arb]]) -> arb:
    """K over the whole box as one ball."""
    states = {pixel: _real_state(side) for pixel, side in zip(domain.axes, box.sides, strict=True)}
    total = arb(1)
    for factor, numbers in zip(kernel.factors, variances, strict=True):
        total = total * factor.run(Boxes(lambda pair: states[pair[0]]), numbers=numbers)
    return total


def _real_state(side: Interval) -> arb:
    low, high = (_state(arb(end) * arb.pi()) for end in side)
    return low.union(high)


def _on_ellipse(kernel: PixelKernel, domain: Domain, box: Box, axis: int, ratio: float, variances: list[list[arb]]) -> arb | None:
    """An upper bound of |K| for one angle on the ellipse, the others real; None where analyticity was not shown."""
    states = {pixel: DiscState(acb(_real_state(side)), acb(_span(side)), share=arb(1)) for index, (pixel, side) in enumerate(zip(domain.axes, box.sides, strict=True)) if index != axis}
    pixel, half, middle = domain.axes[axis], _half(box.sides[axis]), _middle(box.sides[axis])
    wide, narrow = half * (arb(ratio) + 1 / arb(ratio)) / 2, half * (arb(ratio) - 1 / arb(ratio)) / 2
    carrier = Discs(lambda pair: states[pair[0]])
    largest = arb(0)
    # K is real on the real axis, so the upper half of the ellipse is enough.
    stack = [(index, FIRST_ARCS, 0) for index in reversed(range(FIRST_ARCS))]
    while stack:
        index, count, depth = stack.pop()
        turn = (arb(index) / count).union(arb(index + 1) / count)
        angle = acb(middle + wide * turn.cos_pi(), narrow * turn.sin_pi())
        states[pixel] = DiscState(_state(angle), angle, share=arb(1))
        value = acb(1)
        for factor, numbers in zip(kernel.factors, variances, strict=True):
            value = value * factor.run(carrier, numbers=numbers)
        size = abs(value) if value.is_finite() else arb("nan")
        if size.is_finite() and size.rad() < 4 + 4 * size.mid():
            largest = largest.max(size.upper())
        elif depth == MAX_ARC_HALVINGS:
            return None
        else:
            stack += [(2 * index + 1, 2 * count, depth + 1), (2 * index, 2 * count, depth + 1)]
    return largest.upper()


@dataclass(frozen=True)
class Table:
    """The points of a rule on one side: 1 - cos at each, and P_k times weight and density, a row a degree."""

    states: Any
    weights: arb_mat


@lru_cache(maxsize=512)
def _gauss(n: int, precision: int) -> tuple[list[arb], list[arb]]:
    pairs = [arb.legendre_p_root(n, j, weight=True) for j in range(n)]
    return [x for x, _ in pairs], [w for _, w in pairs]


@lru_cache(maxsize=8192)
def _table(channels: int, side: Interval, n: int, top: int, precision: int) -> Table:
    nodes, weights = _gauss(n, precision)
    half, middle = _half(side), _middle(side)
    angles = [middle + half * x for x in nodes]
    scale = surface_factor(channels) * half
    rows = zonal_rows(channels, [angle.cos() for angle in angles], top)
    density = [scale * w * angle.sin() ** (channels - 2) for w, angle in zip(weights, angles, strict=True)]
    states = numpy.array([_state(angle) for angle in angles], dtype=object)
    return Table(states, arb_mat(top + 1, n, [value * d for row in rows for value, d in zip(row, density, strict=True)]))


@lru_cache(maxsize=8192)
def _moments(channels: int, side: Interval, top: int, precision: int) -> Any:
    """The integrals of P_k over one side with the density, by a rule whose error is added."""
    size = 8 * _half(side) * _weight(channels, side, top, MOMENT_RATIO)
    n = _count(arb(2) ** -precision, size, MOMENT_RATIO)
    table = _table(channels, side, n, top, precision)
    error = arb(0, _rule_error(size, MOMENT_RATIO, n))
    return numpy.array([sum(table.weights[k, j] for j in range(n)) + error for k in range(top + 1)], dtype=object)


def _along(values: Any, axis: int, axes: int) -> Any:
    """A one-dimensional array as one that varies along one of several axes."""
    return numpy.asarray(values, dtype=object).reshape([-1 if index == axis else 1 for index in range(axes)])


def contracted(grid: Any, matrices: list[arb_mat]) -> Any:
    """Multiply every axis of an array by a matrix: axis i of length n_i becomes one of as many entries as matrix i has rows."""
    for axis, matrix in enumerate(matrices):
        moved = numpy.moveaxis(grid, axis, 0)
        rest = moved.shape[1:]
        flat = moved.reshape(moved.shape[0], -1)
        result = matrix * arb_mat(flat.shape[0], flat.shape[1], flat.ravel().tolist())
        grid = numpy.moveaxis(numpy.array(result.entries(), dtype=object).reshape(matrix.nrows(), *rest), 0, axis)
    return grid


__all__ = ["contracted", "integrals"]
