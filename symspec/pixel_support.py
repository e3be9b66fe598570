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

from flint import fmpz_poly
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

    def closed(self, indices: Reached | set[tuple[int, ...]]) -> Reached:
        """With every entry lowered by 2, 4, ..."""
        found: set[tuple[int, ...]] = set()
        for axis in range(len(self.top)):
            found = set()
            for index in indices:
                found.update((*index[:axis], n, *index[axis + 1 :]) for n in range(index[axis] % 2, index[axis] + 1, 2))
            indices = found
        return frozenset(indices)

    def sum(self, a: Reached, b: Reached) -> Reached:
        """All sums of one of each, clipped and closed: a product of polynomials whose coefficients count them."""
        if not a or not b:
            return NOTHING
        widths = [2 * t + 1 for t in self.top]
        counted = self._packed(a, widths) * self._packed(b, widths)
        return self.closed({self.clipped(_unpacked(n, widths)) for n in range(counted.degree() + 1) if counted[n] != 0})

    @staticmethod
    def _packed(indices: Reached, widths: list[int]) -> fmpz_poly:
        coefficients = [0] * prod(widths)
        for index in indices:
            position = 0
            for n, width in zip(index, widths, strict=True):
                position = position * width + n
            coefficients[position] = 1
        return fmpz_poly(coefficients)

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


def _unpacked(position: int, widths: list[int]) -> tuple[int, ...]:
    entries = []
    for width in reversed(widths):
        position, n = divmod(position, width)
        entries.append(n)
    return tuple(reversed(entries))


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
    """Whether lambda_k is exactly 0 for a kernel with head eq or trace. False where the box is too large to decide."""
    return zeros(kernel, [tuple(index)])[0]


def zeros(kernel: PixelKernel, indices: Sequence[Sequence[int]]) -> list[bool]:
    """:func:`vanishes` for many multi-indices, from one box that holds them all."""
    field = kernel.receptive_field
    wanted = [tuple(index[pixel] for pixel in field) for index in indices]
    top = tuple(max((index[axis] for index in wanted), default=0) + 1 for axis in range(len(field)))
    if prod(n + 1 for n in top) > MAX_BOX:
        # Parities alone: what no power of either parity reaches is 0.
        top = tuple(1 for _ in field)
        if prod(n + 1 for n in top) > MAX_BOX:
            return [False] * len(indices)
    box = Box(field, top)
    reached = _reached(kernel, box)
    outside = [any(n for pixel, n in enumerate(index) if pixel not in field) for index in indices]
    return [out or box.clipped(index) not in reached for out, index in zip(outside, wanted, strict=True)]


@lru_cache(maxsize=64)
def _reached(kernel: PixelKernel, box: Box) -> Reached:
    reached: Reached = frozenset({tuple(0 for _ in box.top)})
    for factor in kernel.factors:
        reached = box.sum(reached, factor.run(Reach(box)))
    return reached


__all__ = ["Box", "Reach", "vanishes", "zeros"]
