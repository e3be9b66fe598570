r"""Mixed derivatives of kernels of images on grids of balls: the calculus of :mod:`symspec.pixel_jets` on arrays, one axis a free pixel.

>>> import symspec as ss
>>> from symspec.pixel_jets import Varied, mixed
>>> program = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise").ck.program
>>> values = mixed(program, OnGrids({1: numpy.array([arb(0), arb(1)], dtype=object)}.__getitem__), {0: 1}, [Varied(1, 0)])
>>> [value.str(6, radius=False) for value in values]
['1.00000', '0.729086']
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy
import sympy
from flint import arb
from sympy import Expr

from symspec.errors import NoClosedForm
from symspec.pair_dual import PairDual
from symspec.pixel_jets import Calculus, end_value

from .constants import ball
from .pixel_balls import grid_table, replaced


class OnGrids(Calculus):
    """Arrays of balls, one axis a free pixel; a state is the half squared distance q - c, exactly 0 where the inputs are equal."""

    def __init__(self, states: Callable[[int], Any]) -> None:
        self.states = states

    def lifted(self, value: Expr) -> arb:
        return ball(value)

    def lifted_state(self, q: Expr, covariance: Expr) -> arb:
        return ball(sympy.expand(q - covariance))

    def pixel(self, pixel: int) -> Any:
        return self.states(pixel)

    def patched(self, scale: Expr, bias: Expr, states: Sequence[Any]) -> Any:
        return self.combined(scale, states)

    def covariance(self, q: Expr, state: Any) -> Any:
        return ball(q) - state

    def combined(self, scale: Expr, parts: Sequence[Any]) -> Any:
        total = parts[0] if parts else arb(0)
        for part in parts[1:]:
            total = total + part
        return total if scale == 1 else total * ball(scale)

    def times(self, a: Any, b: Any) -> Any:
        return a * b

    def activated(self, dual: PairDual, q: Expr, state: Any, count: int) -> tuple[Any, list[Any]]:
        variance, entries = ball(q), numpy.asarray(state, dtype=object)
        values = [numpy.asarray(value, dtype=object) for value in dual.derivatives(count).run(grid_table({"q": variance, "w": entries / (2 * variance)}))]
        equal, opposite = (numpy.asarray(entries == place, dtype=bool) for place in (arb(0), 2 * variance))
        for end, there in ((1, equal), (-1, opposite)):
            # Here the formulas may divide by zero.
            if there.any():
                values = [replaced(value, there, _end_ball(dual, q, end, order)) for order, value in enumerate(values)]
        after = ball(sympy.expand(dual.second_moment_at(q))) - values[0]
        return replaced(after, equal, arb(0)) if equal.any() else after, values[1:]


def _end_ball(dual: PairDual, q: Expr, end: int, order: int) -> arb:
    try:
        return ball(end_value(dual, q, end, order))
    except NoClosedForm:
        return arb("inf")


__all__ = ["OnGrids"]
