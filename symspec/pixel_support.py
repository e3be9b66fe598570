r"""Which multi-indices a kernel of images reaches: the exact zeros of its spectrum on products of spheres.

A kernel of a network is a power series :math:`\sum_\alpha b_\alpha t^\alpha` with :math:`b_\alpha\ge0`, and on a product of spheres
:math:`\lambda_k(t^\alpha)>0` if and only if :math:`\alpha_i\ge k_i` and :math:`\alpha_i\equiv k_i` mod 2 for all i. So :math:`\lambda_k=0`
if and only if no :math:`\alpha` with :math:`b_\alpha>0` reaches k in this sense. The set of reached multi-indices is closed under
:math:`k_i\to k_i-2`, and up to closure sums, products and powers of series act as unions, sums of sets and multiples; powers of one parity
grow, :math:`(n-2)S\subset\overline{nS}`, so that of an activation only the largest even and odd degree matters
(:mod:`symspec.support`). In a box of multi-indices, where larger entries are replaced by the largest of their parity, all of this is a finite exact
computation, and it is one more carrier of the kernel's program.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> K = cnn(relu, 1, 2, 3).ck
>>> [vanishes(K, k) for k in ((1, 1, 0), (2, 1, 0), (1, 0, 0), (0, 0, 2))]
[False, True, False, True]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy
from sympy import Expr

from .pair_dual import PairDual
from .pixel_kernel import PixelKernel
from .pixel_program import Pair, PairCarrier, Units
from .support import INFINITE, Support

MAX_BOX = 1 << 18
Reached = frozenset[tuple[int, ...]]
NOTHING: Reached = frozenset()


@dataclass(frozen=True)
class Box:
    """Multi-indices over ``field`` with entries up to ``top``; larger ones stand for the largest of their parity."""

    field: tuple[int, ...]
    top: tuple[int, ...]

    def clipped(self, index: Sequence[int]) -> tuple[int, ...]:
        return tuple(n if n <= t else t - (n - t) % 2 for n, t in zip(index, self.top, strict=True))

    def sum(self, a: Reached, b: Reached) -> Reached:
        """All sums of one of each, clipped and closed; both are closed, so that the sums of their maximal elements are enough."""
        if not a or not b:
            return NOTHING
        shape = tuple(t + 1 for t in self.top)
        top, present = numpy.array(self.top), numpy.zeros(shape, dtype=bool)
        first, second = sorted((self._maximal(a), self._maximal(b)), key=len)
        for index in first:
            sums = second + index
            clipped = numpy.where(sums <= top, sums, top - (sums - top) % 2)
            present[tuple(clipped.T)] = True
        return self._closed(present)

    def _maximal(self, closed: Reached) -> Any:
        """The elements of which no entry can be raised by 2, one a row."""
        rows = numpy.array(list(closed))
        present = numpy.zeros(tuple(t + 3 for t in self.top), dtype=bool)
        present[tuple(rows.T)] = True
        dominated = numpy.zeros(len(rows), dtype=bool)
        for step in 2 * numpy.eye(len(self.top), dtype=int):
            dominated |= present[tuple((rows + step).T)]
        return rows[~dominated]

    def _closed(self, present: Any) -> Reached:
        """The multi-indices whose flag is set, with every entry lowered by 2, 4, ..."""
        for axis, top in enumerate(self.top):
            lines = numpy.moveaxis(present, axis, 0)
            for n in range(top, 1, -1):
                lines[n - 2] |= lines[n]
        return frozenset(map(tuple, numpy.argwhere(present).tolist()))

    def powers(self, support: Support, inner: Reached) -> Reached:
        """The support of f(g) for f of a support and g of reached indices ``inner``."""
        zero = tuple(0 for _ in self.top)
        if not inner or inner == {zero}:
            return frozenset({zero}) if support.degree >= 0 and (support.even >= 0 or inner) else NOTHING
        square = self.sum(inner, inner)
        found: Reached = NOTHING
        for last, power in ((support.even, frozenset({zero})), (support.odd, inner)):
            if last < 0:
                continue
            steps = 0
            while last == INFINITE or 2 * steps + 1 < last:
                grown = self.sum(power, square) | power
                if grown == power:
                    break
                power, steps = grown, steps + 1
            found |= power
        return found


class Reach(PairCarrier):
    """The carrier of reached multi-indices; numbers and states are both sets."""

    def __init__(self, box: Box) -> None:
        self.box = box

    def constant(self, value: Expr) -> Reached:
        return NOTHING if value == 0 else frozenset({tuple(0 for _ in self.box.top)})

    def combined(self, scale: Expr, bias: Expr, parts: Sequence[Reached]) -> Reached:
        return NOTHING.union(*parts) | self.constant(bias)

    def patched(self, scale: Expr, bias: Expr, parts: Sequence[Reached], lonely: Sequence[Any]) -> Reached:
        return self.combined(scale, bias, parts)

    def times(self, a: Reached, b: Reached) -> Reached:
        return self.box.sum(a, b)

    def second_moment(self, dual: PairDual, q: Any) -> Any:
        return q

    def state(self, pair: Pair) -> Reached:
        axis = self.box.field.index(pair[0])
        return frozenset({tuple(int(i == axis) for i in range(len(self.box.top)))})

    def covariance(self, p: Any, q: Any, state: Reached) -> Reached:
        return state

    def activated(self, dual: PairDual, units: Units, state: Reached) -> tuple[Reached, Reached]:
        layer = dual.nonlinearity
        return self.box.powers(layer.activation.support, state), self.box.powers(layer.slope_support, state)


def vanishes(kernel: PixelKernel, index: Sequence[int]) -> bool:
    """Whether lambda_k is exactly 0 for a kernel with head eq or trace. Where the box is too large to decide, True only outside the receptive field."""
    return zeros(kernel, [tuple(index)])[0]


def zeros(kernel: PixelKernel, indices: Sequence[Sequence[int]]) -> list[bool]:
    """:func:`vanishes` for many multi-indices, from one box that holds them all."""
    field = kernel.receptive_field
    outside = [any(n for pixel, n in enumerate(index) if pixel not in field) for index in indices]
    wanted = [tuple(index[pixel] for pixel in field) for index in indices]
    top = tuple(max((index[axis] for index in wanted), default=0) + 1 for axis in range(len(field)))
    if prod(n + 1 for n in top) > MAX_BOX:
        # Parities alone: what no power of either parity reaches is 0.
        top = tuple(1 for _ in field)
        if prod(n + 1 for n in top) > MAX_BOX:
            return outside
    box = Box(field, top)
    reached = _reached(kernel, box)
    return [out or box.clipped(index) not in reached for out, index in zip(outside, wanted, strict=True)]


@lru_cache(maxsize=64)
def _reached(kernel: PixelKernel, box: Box) -> Reached:
    reached: Reached = frozenset({tuple(0 for _ in box.top)})
    for factor in kernel.factors:
        reached = box.sum(reached, factor.run(Reach(box)))
    return reached


__all__ = ["Box", "Reach", "vanishes", "zeros"]
