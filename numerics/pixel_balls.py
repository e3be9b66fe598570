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
from dataclasses import dataclass
from typing import Any

import numpy
import sympy
from flint import acb, arb
from sympy import Expr

from symspec.errors import DomainError, Undecided
from symspec.functions import EVEN, NEITHER, ODD
from symspec.pair_dual import PairDual
from symspec.pixel_kernel import PixelInput, PixelKernel, pixel_input, require_pixel_kernel
from symspec.pixel_program import Pair, PairCarrier, Units
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

    def activated(self, dual: PairDual, units: Units, state: Any) -> tuple[Any, Any]:
        if units.same and state == 0:
            return arb(0), self._diagonal(dual, units.q)[1]
        return self._inside(dual, units, state)

    def _inside(self, dual: PairDual, units: Units, state: Any) -> tuple[Any, Any]:
        value, slope = tape_of(dual, units).run(real_table({"p": units.p, "q": units.q, "w": haversine(units, state)}))
        return mean_after(units) - value, slope

    def _diagonal(self, dual: PairDual, q: Any) -> list[Any]:
        return dual.diagonal.run(real_table({"q": q}))


def tape_of(dual: PairDual, units: Units) -> Tape:
    """Value and slope for these variances."""
    return dual.same if units.same else dual.different


def mean_after(units: Units) -> Any:
    """(E sigma(u)^2 + E sigma(v)^2)/2."""
    return units.q_after if units.same else (units.p_after + units.q_after) / 2


def haversine(units: Units, state: Any) -> Any:
    """w of a half squared distance."""
    if units.same:
        return state / (2 * units.q)
    root_p, root_q = units.p.sqrt(), units.q.sqrt()
    gap = root_p - root_q
    return (state - gap * gap / 2) / (2 * root_p * root_q)


class Grid(Balls):
    """Arrays (object dtype) of real balls that broadcast. ``slopes`` says whether the program reads them."""

    def __init__(self, states: Callable[[Pair], Any], *, slopes: bool = True) -> None:
        super().__init__(states)
        self.slopes = slopes

    def activated(self, dual: PairDual, units: Units, state: Any) -> tuple[Any, Any]:
        table = grid_table({"p": units.p, "q": units.q, "w": haversine(units, state)})
        if units.same and not self.slopes:
            after, slope = mean_after(units) - dual.same_value.run(table)[0], None
        else:
            value, slope = tape_of(dual, units).run(table)
            after = mean_after(units) - value
        if units.same:
            # Where the units are equal the expressions may divide by zero.
            equal = numpy.asarray(state == 0, dtype=bool)
            if equal.any():
                after = replaced(after, equal, arb(0))
                slope = None if slope is None else replaced(slope, equal, self._diagonal(dual, units.q)[1])
        return after, slope


def replaced(values: Any, where: Any, new: arb) -> Any:
    """The array, or a constant as one, with other entries in some places."""
    entries = numpy.array(numpy.broadcast_to(numpy.asarray(values, dtype=object), where.shape))
    entries[where] = new
    return entries


def grid_table(symbols: Mapping[str, Any]) -> real.Table:
    """The rules of real balls entry by entry; constants stay single balls."""
    rules: real.Table = {name: _entrywise(rule) for name, rule in real_table(symbols).items()}
    kept: real.Table = {"constant": ball, "symbol": lambda name: symbols[name], "add": lambda a, b: a + b, "mul": lambda a, b: a * b}
    return rules | kept | {"pow": _power_of_entries, "archav": lambda w, _symmetry: _archavs(w)}


def _entrywise(rule: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        count = sum(isinstance(value, (numpy.ndarray, arb)) for value in values)
        one = rule if count == len(values) else lambda *entries: rule(*entries, *values[count:])
        return numpy.frompyfunc(one, count, 1)(*values[:count])

    return apply


def _guarded(fast: Callable[[arb], arb], careful: Callable[[arb], arb]) -> Callable[[Any], Any]:
    """A function entry by entry; what sticks out of its domain is left to the careful one."""
    first = numpy.frompyfunc(fast, 1, 1)

    def apply(entries: Any) -> Any:
        if not isinstance(entries, numpy.ndarray):
            return careful(entries)
        found = first(entries)
        outside = ~finite_entries(found)
        if outside.any():
            found[outside] = [careful(entry) for entry in entries[outside]]
        return found

    return apply


_is_finite = numpy.frompyfunc(arb.is_finite, 1, 1)
_archavs = _guarded(real.archav_inside, real.archav)
_roots = _guarded(arb.sqrt, real.sqrt)


def finite_entries(entries: Any) -> Any:
    """Which balls of an array are finite."""
    return _is_finite(entries).astype(bool)


def _power_of_entries(base: Any, exponent: sympy.Rational) -> Any:
    if exponent.is_Integer:
        return real.integer_power(base, int(exponent))
    if exponent.q == 2:
        return real.integer_power(_roots(base), int(exponent.p))
    return _entrywise(lambda value: real.power(value, exponent))(base)


def disc_table(symbols: Mapping[str, acb], angle: acb | None = None) -> real.Table:
    """The rules of complex balls; the angle of w is the principal one unless it is given."""
    return RULES | {"symbol": symbols.__getitem__, "archav": lambda w, _symmetry: principal_angle(w) if angle is None else angle}


def _disc(z: acb) -> tuple[acb, arb]:
    """Centre and radius of a disc that holds the ball."""
    return acb(z.real.mid(), z.imag.mid()), (z.real.rad() ** 2 + z.imag.rad() ** 2).sqrt().upper()


def _around(centre: acb, radius: arb, *, on_axis: bool) -> acb:
    """The ball about a centre; what is real stays real."""
    if on_axis:
        return acb(centre.real + arb(0, radius.upper()))
    return centre + acb(arb(0, radius.upper()), arb(0, radius.upper()))


def principal_angle(w: acb) -> acb:
    """2 arcsin(sqrt(w)) off the cuts (-inf, 0] and [1, inf); NaN on them.

    By the mean value theorem: the derivative is at most ((|m| - r)(|1-m| - r))^(-1/2) on the disc of centre m and radius r.
    """
    if not w.is_finite() or (w.imag.contains(0) and not (w.real > 0 and w.real < 1)):
        return NAN
    middle, radius = _disc(w)
    low, high = abs(middle) - radius, abs(1 - middle) - radius
    if not (low > 0 and high > 0):
        return NAN
    return _around(2 * middle.sqrt().asin(), radius / (low * high).sqrt(), on_axis=w.imag == 0)


def _arcsine(z: acb) -> acb:
    """arcsin off the cuts beyond -1 and 1, likewise: |1 - z^2| >= |1 - m^2| - r (2|m| + r)."""
    middle, radius = _disc(z)
    least = abs(1 - middle * middle) - radius * (2 * abs(middle) + radius)
    if not z.is_finite() or not least > 0 or (z.imag.contains(0) and not (z.real > -1 and z.real < 1)):
        return NAN
    return _around(middle.asin(), radius / least.lower().sqrt(), on_axis=z.imag == 0)


def _sqrt(z: acb) -> acb:
    """The principal square root; NaN on (-inf, 0]. |sqrt z - sqrt m| = |z - m|/|sqrt z + sqrt m| <= r/(2|m| - r)^(1/2), as the angle of the roots is acute."""
    middle, radius = _disc(z)
    if not (abs(middle) > radius) or (z.imag.contains(0) and not z.real > 0):
        return NAN
    return _around(middle.sqrt(), radius / (2 * abs(middle) - radius).sqrt(), on_axis=z.imag == 0)


def _power(base: acb, exponent: sympy.Rational) -> acb:
    return real.integer_power(_sqrt(base), int(exponent.p)) if exponent.q == 2 else complex_disc.power(base, exponent)


RULES = complex_disc.table(NAN, NAN) | {"pow": _power}


@dataclass(frozen=True)
class DiscState:
    """A half squared distance; where it depends on one pixel only, the angle theta of that pixel and the symmetry of the correlation in it.

    ``share`` is kept until the first activation: e = share (1 - cos theta), so that the angle of the pair is analytic where theta = 0, too; ``biased``
    says that it is not theta itself.
    """

    e: acb
    theta: acb | None = None
    symmetry: int = ODD
    share: arb | None = None
    biased: bool = False


class Discs(Balls):
    """Wide complex balls.

    A kernel of one pixel is analytic in the angle of that pixel also where the pixels are equal or opposite, so its state keeps the angle, and the
    inverse haversine is continued as in :mod:`numerics.complex_disc`.
    """

    def patched(self, scale: Expr, bias: Expr, parts: Sequence[DiscState], lonely: Sequence[Any]) -> DiscState:
        # Nothing is lonely here: only pairs of equal positions have eigenvalues on products of spheres.
        e = self.combined(scale, sympy.S.Zero, [part.e for part in parts])
        if len(parts) != 1 or parts[0].theta is None:
            return DiscState(e)
        symmetry = parts[0].symmetry if bias == 0 or parts[0].symmetry == EVEN else NEITHER
        share = None if parts[0].share is None else parts[0].share * ball(scale)
        return DiscState(e, parts[0].theta, symmetry, share, parts[0].biased or bias != 0)

    def covariance(self, p: Any, q: Any, state: DiscState) -> acb:
        return (p + q) / 2 - state.e

    def activated(self, dual: PairDual, units: Units, state: DiscState) -> tuple[DiscState, acb]:
        moment, layer = mean_after(units), dual.nonlinearity
        symmetry = self._after(layer.activation.parity, state.symmetry)
        if state.theta is None or not layer.angular or not units.same:
            middle = _disc(state.e)[0]
            value_tape, slope_tape = tape_of(dual, units).apart
            centre, slope = self._at(value_tape, units, middle), self._at(slope_tape, units, state.e)
            return DiscState(moment - centre + slope * (state.e - middle), state.theta, symmetry, None), slope
        angle = self._angle(units, state, state.theta)
        middle = _disc(angle)[0]
        # d e'/d angle = slope * d e/d angle, e = q (1 - cos angle).
        value_tape, slope_tape = dual.same.apart
        centre, slope = self._at_angle(value_tape, units.q, middle), self._at_angle(slope_tape, units.q, angle)
        return DiscState(moment - centre + slope * units.q * angle.sin() * (angle - middle), state.theta, symmetry, None), slope

    @staticmethod
    def _angle(units: Units, state: DiscState, theta: acb) -> acb:
        """The angle of a pair that depends on one pixel."""
        if state.share is None:
            return complex_disc.archav(haversine(units, state.e), theta, state.symmetry)
        return theta if not state.biased else 2 * _arcsine((state.share / units.q).sqrt() * (theta / 2).sin())

    @staticmethod
    def _after(parity: str, symmetry: int) -> int:
        return EVEN if parity == "even" or symmetry == EVEN else symmetry if parity == "odd" else NEITHER

    @staticmethod
    def _at(tape: Tape, units: Units, e: acb) -> acb:
        return tape.run(disc_table({"p": acb(units.p), "q": acb(units.q), "w": haversine(units, e)}))[0]

    @staticmethod
    def _at_angle(tape: Tape, q: Any, angle: acb) -> acb:
        half = (angle / 2).sin()
        return tape.run(disc_table({"q": acb(q), "w": half * half}, angle))[0]


class Boxes(Balls):
    """Wide real balls; a pair of the box may be equal or opposite, as the real rules are cut to where the exact value lies."""

    def activated(self, dual: PairDual, units: Units, state: arb) -> tuple[arb, arb]:
        middle = state.mid()
        centre = self._inside(dual, units, middle)[0]
        direct, slope = self._inside(dual, units, state)
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


__all__ = ["Balls", "Boxes", "Discs", "Grid", "at_working_precision", "evaluate", "finite_entries", "grid_table", "haversine", "principal_angle", "replaced"]
