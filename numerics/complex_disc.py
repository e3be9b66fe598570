r"""The carrier of complex balls, and bounds on discs by the mean value theorem.

**Branches.** Logarithms, roots and inverse functions are evaluated on their principal branch
and return NaN when the ball touches the cut. If that never happens on the boundary of a closed
region on which the argument g is analytic, then it does not happen inside either: the boundary
image of g avoids a connected set that reaches infinity, so its winding number about every point
of the set is zero, and by the argument principle g takes no value there. Checking boundaries is
therefore enough, layer by layer.

**Inverse haversine.** With symmetry NEITHER the haversine w vanishes (doubly) at theta = 0 only;
:math:`\sqrt w=\sin(\theta/2)\sqrt{w/\sin^2(\theta/2)}` continues it. With EVEN it also returns to
0 at theta = pi, and sin(theta) takes the place of sin(theta/2). With ODD it is 1 there, and
:math:`\mathrm{archav}\,w=\theta+2\arctan\frac{(\sqrt G-1)\sin\cos}{\cos^2+\sqrt G\sin^2}` at theta/2,
:math:`G=\frac{w}{1-w}\cot^2(\theta/2)`, where w/sin^2 and (1-w)/cos^2 and the denominator are kept off
the negative axis one by one, which excludes zeros and poles inside.

**Discs.** Interval evaluation of a composition of many layers overestimates by a factor a layer.
Here each line of a program is bounded by the mean value theorem about the centre, in which the
derivative is taken over the ball; the radius is then multiplied by the true slope, and depth
costs nothing.

>>> from symspec.network import mlp
>>> import symspec as ss
>>> value, spread = DiscBounds(mlp(ss.relu, 2).ck.program).bound(acb(1, 0.25), arb(0.01))
>>> bool(value < 1), bool(spread < 0.01)
(True, True)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import sympy
from flint import acb, arb
from sympy import Symbol

from symspec.functions import EVEN, ODD, archav as archav_head
from symspec.program import INPUTS, RHO, THETA0, Operation, Program, Tape, compile_lines

from . import real
from .constants import ball
from .dual_series import complex_dual

NAN = acb("nan")
_I = acb(0, 1)
ENTIRE = ("constant", "symbol", "rho", "theta", "add", "mul", "order", "sin", "cos", "exp", "sinh", "cosh", "erf", "erf_real", "erf_imag")


def has_cuts(operation: Operation) -> bool:
    """Whether an operation is anything but an entire function."""
    return operation.name not in ENTIRE and not (operation.name == "pow" and operation.data.is_Integer and operation.data >= 0)


def _touches_real_axis(z: acb) -> bool:
    return bool(z.imag.contains(0))


def sqrt(z: acb) -> acb:
    """Principal square root; NaN if the ball touches (-inf, 0]."""
    return NAN if _touches_real_axis(z) and not z.real > 0 else z.sqrt()


def log(z: acb) -> acb:
    return NAN if _touches_real_axis(z) and not z.real > 0 else z.log()


def _inverse_sine(function: Callable[[acb], acb]) -> Callable[[acb], acb]:
    def guarded(z: acb) -> acb:
        inside = z.real > -1 and z.real < 1
        return NAN if _touches_real_axis(z) and not inside else function(z)

    return guarded


def _asin(z: acb) -> acb:
    """arcsin by the mean value theorem: FLINT's own overestimates wide balls several times."""
    middle = acb(z.real.mid(), z.imag.mid())
    slope = (1 - z * z).sqrt()
    return z.asin() if slope.contains(0) else middle.asin() + (z - middle) / slope


arcsine = _inverse_sine(_asin)
arccosine = _inverse_sine(acb.acos)


def atan(z: acb) -> acb:
    inside = z.imag > -1 and z.imag < 1
    return NAN if z.real.contains(0) and not inside else z.atan()


def power(base: acb, exponent: sympy.Rational) -> acb:
    """base**exponent; anything but a whole non-negative power must stay off (-inf, 0]."""
    if exponent.q == 1 and exponent.p >= 0:
        return real.integer_power(base, int(exponent.p))
    if _touches_real_axis(base) and not base.real > 0:
        return NAN
    if exponent.q == 1:
        return real.integer_power(base, int(exponent.p))
    if exponent.q == 2:
        return real.integer_power(base.sqrt(), int(exponent.p))
    return (base.log() * acb(ball(exponent))).exp()


def _power_enclosure(base: acb, exponent: sympy.Rational) -> acb:
    return real.integer_power(base, int(exponent)) if exponent.is_Integer else power(base, exponent)


def archav(w: acb, theta: acb, symmetry: int) -> acb:
    """The analytic continuation of the angle; see the module docstring."""
    half = theta / 2
    if symmetry == ODD:
        s, c = half.sin(), half.cos()
        # Each factor stays off the cut by itself, so none has a zero or pole inside.
        g = sqrt(w / (s * s)) / sqrt((1 - w) / (c * c))
        denominator = c * c + g * s * s
        if not sqrt(denominator).is_finite():
            return NAN
        return theta + 2 * atan((g - 1) * s * c / denominator)
    reference = theta.sin() if symmetry == EVEN else half.sin()
    root = reference * sqrt(w / (reference * reference))
    return 2 * arcsine(root)


def erf_parts(x: acb, y: acb) -> tuple[acb, acb]:
    """Re erf(x + i y) and Im erf(x + i y) continued to complex x and y; both are entire."""
    upper, lower = (x + _I * y).erf(), (x - _I * y).erf()
    return (upper + lower) / 2, (upper - lower) / (2 * _I)


def table(theta: acb, rho: acb, symbol: Callable[[str], acb] | None = None) -> real.Table:
    """The carrier: operations of :data:`symspec.program.OPERATIONS` on complex balls.

    No continuation of the orthant function across theta = 0 or pi is claimed: it is NaN.
    """
    return {
        "constant": lambda expr: acb(ball(expr)),
        "symbol": symbol or (lambda name: NAN),
        "theta": lambda: theta,
        "rho": lambda: rho,
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "pow": power,
        "archav": lambda w, symmetry: archav(w, theta, symmetry),
        "orthant": lambda h, k, angle: NAN,
        "order": lambda value, _order: value,
        "dual": complex_dual,
        "sin": acb.sin,
        "cos": acb.cos,
        "exp": acb.exp,
        "log": log,
        "sinh": acb.sinh,
        "cosh": acb.cosh,
        "asin": arcsine,
        "acos": arccosine,
        "atan": atan,
        "erf": acb.erf,
        "erf_real": lambda x, y: erf_parts(x, y)[0],
        "erf_imag": lambda x, y: erf_parts(x, y)[1],
    }


AngleRule = Callable[[Symbol, acb, arb, int], tuple[acb, arb]]


@dataclass(frozen=True)
class _LineBounds:
    """One line (or the output): its symbols and the tape of the expression and its partial derivatives."""

    symbol: Symbol | None
    inputs: tuple[Symbol, ...]
    value: Tape
    slopes: Tape
    angle_of: sympy.Expr | None = None

    @cached_property
    def has_cuts(self) -> bool:
        """Whether the expression holds anything but entire functions."""
        return any(has_cuts(op) for op in self.value.operations)

    @staticmethod
    def of(symbol: Symbol | None, expr: sympy.Expr) -> _LineBounds:
        inputs = tuple(sorted(expr.free_symbols, key=str))
        derivatives = tuple(sympy.diff(expr, name) for name in inputs)
        angle_of = expr if isinstance(expr, archav_head) and expr.args[0].is_Symbol else None
        return _LineBounds(symbol, inputs, compile_lines((), (expr,), inputs), compile_lines((), derivatives, inputs), angle_of)


@dataclass(frozen=True)
class DiscBounds:
    """Bounds of a program on discs of the complex angle."""

    program: Program

    @cached_property
    def _lines(self) -> tuple[_LineBounds, ...]:
        steps: list[tuple[Symbol | None, sympy.Expr]] = [(line.symbol, line.expr) for line in self.program.lines]
        steps.append((None, self.program.output))
        return tuple(_LineBounds.of(symbol, expr) for symbol, expr in steps)

    def bound(self, centre: acb, radius: arb) -> tuple[arb, arb]:
        """(a, b) with |K| <= a at the centre and |K - K(centre)| <= b on the disc.

        Both are NaN where analyticity could not be shown.
        """
        return self.propagate(centre, radius, lambda w, value, spread, symmetry: _archav_disc(value, spread, centre, radius, symmetry))

    def propagate(self, centre: acb, radius: arb, angle_rule: AngleRule) -> tuple[arb, arb]:
        """As :meth:`bound`, the angle of a haversine w = value +- spread being taken by ``angle_rule(w, value, spread, symmetry)``."""
        theta = centre + square(radius)
        slope = abs(theta.sin()).upper()
        tables = _Tables.of(centre, theta)
        state: dict[str, tuple[acb, arb]] = {
            THETA0.name: (centre, radius),
            RHO.name: (centre.cos(), slope * radius),
        }
        tables.assign(state)
        value, spread = centre, radius
        for line in self._lines:
            if line.angle_of is not None:
                w = line.angle_of.args[0]
                value, spread = angle_rule(w, *state[w.name], int(line.angle_of.args[1]))
            else:
                value, spread = _line_bound(line, state, tables)
            if not (value.is_finite() and spread.is_finite()):
                return arb("nan"), arb("nan")
            if line.symbol is not None:
                state[line.symbol.name] = (value, spread)
                tables.assign({line.symbol.name: (value, spread)})
        return abs(value).upper(), spread.upper()


@dataclass(frozen=True)
class _Tables:
    """The carrier at the centre, over the disc, and over the disc for slopes."""

    centres: dict[str, acb]
    squares: dict[str, acb]
    middle: real.Table
    over: real.Table
    slopes: real.Table

    @staticmethod
    def of(centre: acb, theta: acb) -> _Tables:
        centres: dict[str, acb] = {}
        squares: dict[str, acb] = {}
        over = table(theta, theta.cos(), squares.__getitem__)
        # A slope is only enclosed, not continued: a reciprocal may wind around zero.
        return _Tables(centres, squares, table(centre, centre.cos(), centres.__getitem__), over, over | {"pow": _power_enclosure})

    def assign(self, state: dict[str, tuple[acb, arb]]) -> None:
        for name, (value, spread) in state.items():
            self.centres[name] = value
            self.squares[name] = value + square(spread)


def _line_bound(line: _LineBounds, state: dict[str, tuple[acb, arb]], tables: _Tables) -> tuple[acb, arb]:
    """The mean value theorem on one line."""
    middle = line.value.run(tables.middle)[0]
    if line.has_cuts and not line.value.run(tables.over)[0].is_finite():
        return NAN, arb("nan")
    spread = arb(0)
    for name, slope in zip(line.inputs, line.slopes.run(tables.slopes), strict=True):
        spread = (spread + abs(slope) * state[name.name][1]).upper()
    return middle, spread


def _archav_disc(w: acb, spread: arb, centre: acb, radius: arb, symmetry: int) -> tuple[acb, arb]:
    """The angle on a disc of haversines: centre, and a bound of the deviation.

    Discs keep what rectangles lose: |d theta/d w| = 1/sqrt|w(1-w)|, smallest where |w| and
    |1-w| are. The branch is decided on the same disc, w/reference^2 varying by a relative
    amount that is bounded, and must not reach the negative axis.
    """
    inner, outer = (abs(w) - spread).lower(), (abs(1 - w) - spread).lower()
    if not (inner > 0 and outer > 0):
        return NAN, arb("nan")
    if not _branch_is_clear(w, spread, centre, radius, symmetry):
        return NAN, arb("nan")
    return archav(w, centre, symmetry), (spread / (inner * outer).sqrt()).upper()


def _branch_is_clear(w: acb, spread: arb, centre: acb, radius: arb, symmetry: int) -> bool:
    theta = centre + square(radius)
    if symmetry == ODD:
        return bool(archav(w + square(spread), theta, symmetry).is_finite())
    whole = symmetry == EVEN
    reference = centre.sin() if whole else (centre / 2).sin()
    slope = abs(theta.cos()) if whole else abs((theta / 2).cos()) / 2
    drift = slope * radius / abs(reference)
    if not drift < 1:
        return False
    relative = (1 + spread / abs(w)) / (1 - drift) ** 2 - 1
    ratio = w / (reference * reference)
    root = reference * ratio.sqrt()
    # |sqrt(1+e) - 1| <= |e| for |e| <= 1.
    return avoids_ray(ratio, abs(ratio) * relative) and spread < abs(w) and avoids_cuts(root, abs(root) * spread / abs(w))


def avoids_ray(z: acb, radius: arb) -> bool:
    """Whether the disc stays off (-inf, 0]."""
    distance = abs(z.imag) if not z.real > 0 else abs(z)
    return bool(distance > radius)


def avoids_cuts(z: acb, radius: arb) -> bool:
    """Whether the disc stays off (-inf, -1] and [1, inf)."""
    inside = z.real > -1 and z.real < 1
    distance = abs(z - 1).min(abs(z + 1)) if inside else abs(z.imag)
    return bool(distance > radius)


def square(radius: arb) -> acb:
    """The square around zero that holds the disc."""
    side = arb(0, radius.upper())
    return acb(side, side)


__all__ = ["INPUTS", "DiscBounds", "archav", "table"]
