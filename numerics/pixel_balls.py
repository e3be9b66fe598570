r"""Carriers of balls for kernels of images, and their certified values.

The state of a pair is its half squared distance e (:mod:`symspec.pair_dual`). Three carriers read the programs of :mod:`symspec.pixel_program`:

* :class:`Balls`: real balls. Where u = v exactly, e is exactly 0 and the value at the diagonal is used.
* :class:`Grid`: arrays of real balls that broadcast, one axis a pixel, so that what depends on few pixels is computed on few points.
* :class:`Discs`: wide complex balls. An activation is bounded by the mean value theorem, :math:`e'(e)\in e'(e_0)+\dot V(E)(E-e_0)` for the
  ball E about :math:`e_0`, so that the width grows by the true slope and not by interval arithmetic.

Off the real axis the angle is :math:`\theta=2\arcsin\sqrt w`, analytic where w avoids :math:`(-\infty,0]\cup[1,\infty)`; a ball that touches
them gives NaN.

>>> import symspec as ss
>>> net = ss.cnn(ss.relu, 2, 2, 3)
>>> print(evaluate(net.ntk, ["0.5", "0.25", 0], digits=20).str(20, radius=False))
0.97445712947464916006
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy
import sympy
from flint import acb, arb, ctx
from sympy import Expr

from symspec.errors import DomainError, Undecided
from symspec.pair_dual import PairDual
from symspec.pixel_kernel import PixelInput, PixelKernel, pixel_input, require_pixel_kernel
from symspec.pixel_program import Pair, PairCarrier
from symspec.program import Tape

from . import complex_disc, real
from .constants import ball
from .precision import goal_bits, meets, working_precision

MAX_PRECISION_FACTOR = 64
NAN = acb("nan")


def real_table(symbols: Mapping[str, Any]) -> real.Table:
    """The rules of real balls with values for the symbols of a tape."""
    return real.table(arb("nan"), arb("nan"), ball) | {"symbol": lambda name: symbols[name]}


class Balls(PairCarrier):
    """Real balls; ``states`` are the half squared distances of the pixels."""

    def __init__(self, states: Callable[[Pair], Any]) -> None:
        self.states = states

    def constant(self, value: Expr) -> Any:
        return ball(value)

    def combined(self, scale: Expr, bias: Expr, parts: Sequence[Any]) -> Any:
        total = self._sum(parts)
        if scale != 1:
            total = total * ball(scale)
        return total if bias == 0 else total + ball(bias)

    @staticmethod
    def _sum(parts: Sequence[Any]) -> Any:
        if not parts:
            return arb(0)
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def patched(self, scale: Expr, bias: Expr, parts: Sequence[Any], lonely: Sequence[Any]) -> Any:
        # Half the squared distance to a zero is half the variance.
        return self.combined(scale, sympy.S.Zero, [*parts, *(variance / 2 for variance in lonely)])

    def times(self, a: Any, b: Any) -> Any:
        return a * b

    def second_moment(self, dual: PairDual, q: Any) -> Any:
        return self._diagonal(dual, q)[0]

    def state(self, pair: Pair) -> Any:
        return self.states(pair)

    def covariance(self, p: Any, q: Any, state: Any) -> Any:
        return (p + q) / 2 - state

    def activated(self, dual: PairDual, p: Any, q: Any, state: Any, *, same: bool) -> tuple[Any, Any]:
        if same and state == 0:
            return arb(0), self._diagonal(dual, q)[1]
        return self._inside(dual, p, q, state, same=same)

    def _inside(self, dual: PairDual, p: Any, q: Any, state: Any, *, same: bool) -> tuple[Any, Any]:
        value, slope = self._dual(dual, p, q, haversine(p, q, state, same=same), same=same)
        return mean_second_moment(self, dual, p, q, same=same) - value, slope

    def _dual(self, dual: PairDual, p: Any, q: Any, w: Any, *, same: bool) -> list[Any]:
        tape = dual.same if same else dual.different
        return tape.run(real_table({"p": p, "q": q, "w": w}))

    def _diagonal(self, dual: PairDual, q: Any) -> list[Any]:
        return dual.diagonal.run(real_table({"q": q}))


def mean_second_moment(carrier: Balls, dual: PairDual, p: Any, q: Any, *, same: bool) -> Any:
    """(E sigma(u)^2 + E sigma(v)^2)/2."""
    return carrier.second_moment(dual, q) if same else (carrier.second_moment(dual, p) + carrier.second_moment(dual, q)) / 2


def haversine(p: Any, q: Any, state: Any, *, same: bool) -> Any:
    """w of a half squared distance."""
    if same:
        return state / (2 * q)
    root_p, root_q = p.sqrt(), q.sqrt()
    return (state - (root_p - root_q) ** 2 / 2) / (2 * root_p * root_q)


class Grid(Balls):
    """Arrays (object dtype) of real balls that broadcast; none of the points is on the diagonal or opposite to it."""

    def activated(self, dual: PairDual, p: Any, q: Any, state: Any, *, same: bool) -> tuple[Any, Any]:
        values = _vectorised(dual, same, ctx.prec)(p, q, state)
        return values[0], values[1]


@lru_cache(maxsize=256)
def _vectorised(dual: PairDual, same: bool, precision: int) -> Callable[..., Any]:  # noqa: FBT001
    """The activation as a function of arrays; ``precision`` keeps the constants of the tape at the working precision."""
    carrier = Balls(lambda pair: None)

    def one(p: arb, q: arb, state: arb) -> tuple[Any, Any]:
        return carrier._inside(dual, p, q, state, same=same)

    return numpy.frompyfunc(one, 3, 2)


def disc_table(symbols: Mapping[str, acb]) -> real.Table:
    """The rules of complex balls with the principal angle."""
    return complex_disc.table(NAN, NAN, lambda name: symbols[name]) | {"archav": lambda w, _symmetry: principal_angle(w)}


def principal_angle(w: acb) -> acb:
    """2 arcsin(sqrt(w)) off the cuts (-inf, 0] and [1, inf), by the mean value theorem about the centre; NaN on them."""
    low, high = complex_disc.sqrt(w), complex_disc.sqrt(1 - w)
    slope = low * high
    if not slope.is_finite() or slope.contains(0):
        return NAN
    middle = acb(w.real.mid(), w.imag.mid())
    return 2 * middle.sqrt().asin() + (w - middle) / slope


class Discs(Balls):
    """Wide complex balls."""

    def activated(self, dual: PairDual, p: Any, q: Any, state: acb, *, same: bool) -> tuple[acb, acb]:
        middle = acb(state.real.mid(), state.imag.mid())
        tape = dual.same if same else dual.different
        centre = self._at(tape, p, q, middle, same=same)[0]
        slope = self._at(tape, p, q, state, same=same)[1]
        return mean_second_moment(self, dual, p, q, same=same) - centre + slope * (state - middle), slope

    @staticmethod
    def _at(tape: Tape, p: Any, q: Any, state: acb, *, same: bool) -> list[acb]:
        return tape.run(disc_table({"p": acb(p), "q": acb(q), "w": haversine(p, q, state, same=same)}))


class Boxes(Balls):
    """Wide real balls; a pair of the box may be equal or opposite, as the real rules are cut to where the exact value lies."""

    def activated(self, dual: PairDual, p: Any, q: Any, state: arb, *, same: bool) -> tuple[arb, arb]:
        middle = state.mid()
        centre = self._inside(dual, p, q, middle, same=same)[0]
        direct, slope = self._inside(dual, p, q, state, same=same)
        moved = centre + slope * (state - middle)
        return moved if moved.is_finite() and not (direct.is_finite() and direct.rad() < moved.rad()) else direct, slope


def evaluate(kernel: Any, matrix: Any, digits: Any = 30, *, variances: Any = None) -> arb:
    """K at a matrix of correlations as a ball good to ``digits`` significant digits; arguments and errors as for the kernel's own call.

    A value so small that it cannot be told from zero is good to 2*digits digits of the kernel's size instead. Raises Undecided if the goal is out of reach,
    DomainError where the kernel is infinite.
    """
    images = require_pixel_kernel(kernel, "evaluate")
    bits = goal_bits(digits)
    given = pixel_input(images, matrix, variances)
    for value in (*given.covariances.values(), *(given.variances.x or ()), *(given.variances.z or ())):
        if value.free_symbols:
            raise DomainError("numerics.evaluate takes numbers; K(matrix) takes symbols")
    _require_finite(images, given)
    precision = bits + 32
    while precision <= MAX_PRECISION_FACTOR * (bits + 64):
        with working_precision(precision):
            value = at_working_precision(images, given)
            if meets(value, bits):
                return value
            if value.contains(0) and value.is_finite() and value.rad() < arb(2) ** (-2 * bits):
                return value
        precision *= 2
    raise Undecided(f"the kernel is not known to {bits} bits at a working precision of {precision // 2} bits")


def at_working_precision(kernel: PixelKernel, given: PixelInput) -> arb:
    """The product of the factors at exact covariances."""

    def state(pair: Pair) -> arb:
        p, q = given.variances.side(0, pair[0]), given.variances.side(1, pair[1])
        return ball((p + q) / 2 - given.covariances[pair])

    total = arb(1)
    for factor in kernel.factors:
        total = total * factor.run(Balls(state), given.variances)
    return total


def _require_finite(kernel: PixelKernel, given: PixelInput) -> None:
    if kernel.diagonal_is_infinite and all(given.covariances[pair] == sympy.sqrt(given.variances.side(0, pair[0]) * given.variances.side(1, pair[1])) for pair in given.covariances):
        raise DomainError("this tangent kernel is infinite on the diagonal: the activation has a jump; use the conjugate kernel, or drop_deltas=True")


__all__ = ["Balls", "Boxes", "Discs", "Grid", "at_working_precision", "evaluate", "haversine", "principal_angle"]
