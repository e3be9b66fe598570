r"""How large a kernel gets between complex lengths: what the error bounds of Gauss rules in :math:`v=r^2` need.

With the features of :mod:`numerics.radial_kernel`, :math:`c_n(v,\bar v)/|v|^\epsilon`, :math:`\epsilon\le n` of the parity of n, is a sum of squared moduli of analytic
functions of v, hence subharmonic. On an ellipse about an interval of v it is bounded by its largest value on the boundary,
where :math:`\sum_nc_n(v,\bar v)t^n` is the closed form at :math:`rst=|v|t`, evaluated on small arcs. What must be shown of every arc is that

* the closed form of every layer is analytic as its covariance grows from 0 to what it is at the end. Multiplied by :math:`\tau` the covariances
  increase from 0 (their series in :math:`\tau` have coefficients >= 0), so that the kernel is analytic in :math:`\tau` along [0, 1]: Pringsheim;
* near zero correlation it is analytic in v for a second length in a small disc: then the features are analytic on the boundary, and inside, because no
  argument of a root or logarithm reaches its cut (:mod:`numerics.complex_disc`);
* the variances of the layers are likewise analytic: they are the diagonals K(r, r, 1) of the layers, evaluated as functions of v.

Nothing is asked of the kernel inside, where it may come close to its singularities.

>>> import symspec as ss
>>> kernel = RadialKernel.of(ss.mlp(ss.erf, 1).ck)
>>> chart = Chart(fmpq(0), fmpq(2))
>>> [boundary(kernel, Ellipse(chart, ratio), fmpq(1)) is None for ratio in (1.5, 6.0)]
[False, True]
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import sympy
from flint import acb, arb, fmpq
from sympy import Expr, Symbol

from symspec.program import Tape, compile_lines

from . import complex_disc, real
from .precision import working_precision
from .radial_kernel import C, P, Q, RadialKernel

POINTS, ARCS, MAX_ARC_HALVINGS, TIGHTENINGS = 24, 32, 6, 2
MAX_HALVINGS = 12
SMALL = arb(0, fmpq(1, 1 << 20))
SMALL_DISC = acb(SMALL, SMALL)
PRECISION = 64
UNIT = arb(0, 1)
NAN = complex_disc.NAN


@dataclass(frozen=True)
class Jet:
    """A function of two real parameters on a small rectangle: its value in the middle, a ball of its values, and balls of
    its derivatives times the half-widths of the rectangle.
    """

    middle: acb
    over: acb
    slopes: tuple[acb, acb]

    @staticmethod
    def of(middle: Any, slopes: tuple[Any, Any]) -> Jet:
        """By the mean value theorem."""
        middle, first, second = acb(middle), acb(slopes[0]), acb(slopes[1])
        return Jet(middle, middle + first * UNIT + second * UNIT, (first, second))

    @staticmethod
    def exact(value: Any) -> Jet:
        return Jet.of(value, (0, 0))

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.middle + other, self.over + other, self.slopes)
        return Jet.of(self.middle + other.middle, tuple(a + b for a, b in zip(self.slopes, other.slopes, strict=True)))  # type: ignore[arg-type]

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.middle * other, self.over * other, (self.slopes[0] * other, self.slopes[1] * other))
        return Jet.of(self.middle * other.middle, tuple(a * other.over + b * self.over for a, b in zip(self.slopes, other.slopes, strict=True)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class JetTape:
    """Expressions in some symbols, and their gradients, as functions of jets."""

    expressions: tuple[Expr, ...]
    symbols: tuple[Symbol, ...]

    @cached_property
    def _values(self) -> Tape:
        return compile_lines((), self.expressions, self.symbols)

    @cached_property
    def _gradients(self) -> Tape:
        return compile_lines((), tuple(sympy.diff(expr, symbol) for expr in self.expressions for symbol in self.symbols), self.symbols)

    def is_analytic(self, *jets: Jet) -> bool:
        """Whether all values are finite on the rectangle: no branch is in doubt."""
        over = _complex_table(dict(zip((s.name for s in self.symbols), (jet.over for jet in jets), strict=True)))
        return all(value.is_finite() for value in self._values.run(over))

    def run(self, *jets: Jet) -> list[Jet]:
        """NaN where an expression is not analytic on all of the rectangle."""
        if all(slope == 0 for jet in jets for slope in jet.slopes):
            point = self._values.run(_complex_table(dict(zip((s.name for s in self.symbols), (jet.over for jet in jets), strict=True))))
            return [Jet.exact(value if value.is_finite() else NAN) for value in point]
        middle, over = (_complex_table(dict(zip((s.name for s in self.symbols), balls, strict=True))) for balls in ([j.middle for j in jets], [j.over for j in jets]))
        gradients, count = self._gradients.run(over), len(jets)
        found = []
        for i, (value, direct) in enumerate(zip(self._values.run(middle), self._values.run(over), strict=True)):
            rates = gradients[i * count : (i + 1) * count]
            slopes = tuple(sum((rate * jet.slopes[k] for rate, jet in zip(rates, jets, strict=True)), acb(0)) for k in (0, 1))
            jet = Jet.of(value, slopes)  # type: ignore[arg-type]
            if not (direct.is_finite() and jet.over.is_finite()):
                return [Jet.exact(NAN)] * len(self.expressions)
            found.append(Jet(value, min(direct, jet.over, key=_width), jet.slopes))
        return found


def _width(z: acb) -> arb:
    return z.real.rad() + z.imag.rad()


def _complex_table(symbols: dict[str, acb]) -> real.Table:
    return complex_disc.table(NAN, NAN, symbols.__getitem__)


@dataclass(frozen=True)
class Chart:
    r"""The coordinate x in [-1, 1] of v in [low, high]: v = low + scale (e^y - 1), y = Y (1 + x)/2; linear where ``scale`` is None."""

    low: fmpq
    high: fmpq
    scale: fmpq | None = None

    @property
    def rate(self) -> arb:
        """Y/2, or half the length of the interval."""
        length = arb(self.high - self.low)
        return length / 2 if self.scale is None else (1 + length / self.scale).log() / 2

    def length(self, x: Any) -> Any:
        """v at x."""
        y = (x + 1) * self.rate
        return arb(self.low) + (y if self.scale is None else (y.exp() - 1) * arb(self.scale))

    def slope(self, x: Any) -> Any:
        """dv/dx."""
        return self.rate + 0 * x if self.scale is None else ((x + 1) * self.rate).exp() * (arb(self.scale) * self.rate)

    @property
    def middle(self) -> arb:
        found: arb = self.length(arb(0))
        return found


@dataclass(frozen=True)
class Ellipse:
    """The image of the ellipse with foci -1 and 1; ``ratio`` is the sum of its half-axes."""

    chart: Chart
    ratio: float

    def arc(self, i: int, count: int) -> tuple[Jet, Jet]:
        """x and v on one of the equal parts of the upper half of the boundary, as functions of the angle."""
        return self._jets(arb.pi() * (2 * i + 1) / (2 * count), arb.pi() / (2 * count))

    def point(self, i: int, count: int) -> tuple[Jet, Jet]:
        """x and v at one of the ends of those parts."""
        return self._jets(arb.pi() * i / count, arb(0))

    def _jets(self, middle: arb, width: arb) -> tuple[Jet, Jet]:
        ratio = arb(self.ratio)
        turns = [acb(0, angle).exp() * ratio for angle in (middle, middle + width * UNIT)]
        x = Jet.of((turns[0] + 1 / turns[0]) / 2, (acb(0, 1) * (turns[1] - 1 / turns[1]) / 2 * width, 0))
        return x, Jet.of(self.chart.length(x.middle), (self.chart.slope(x.over) * x.slopes[0], 0))


@dataclass(frozen=True)
class Arc:
    """A ball of x on the boundary, a bound of sum c_n(v, conj v) t^n there, and one of |K(r, r, 1)|; ``is_loose`` where the first is twice the value in the middle."""

    x: acb
    size: arb
    variance: arb
    is_loose: bool = False


def boundary(kernel: RadialKernel, ellipse: Ellipse, t: fmpq) -> list[Arc] | None:
    """Arcs that cover the upper half of the boundary (kernels are real on the real axis); None where analyticity is not shown."""
    with working_precision(PRECISION):
        continued, found = _continued(kernel), list[Arc]()
        stack = [(i, ARCS) for i in range(ARCS)]
        while stack:
            i, count = stack.pop()
            arc = continued.bounded(*ellipse.arc(i, count), ellipse.chart.middle, arb(t))
            if arc is not None and (not arc.is_loose or count >= ARCS << TIGHTENINGS):
                found.append(arc)
            elif count >= ARCS << MAX_ARC_HALVINGS:
                return None
            else:
                stack += [(2 * i, 2 * count), (2 * i + 1, 2 * count)]
        return found


def survey(kernel: RadialKernel, ellipse: Ellipse, t: fmpq) -> list[Arc] | None:
    """The same at some points of the boundary: a cheap guess of what :func:`boundary` will say, no bound."""
    with working_precision(PRECISION):
        continued, found = _continued(kernel), list[Arc]()
        for i in range(POINTS + 1):
            x, v = ellipse.point(i, POINTS)
            state = continued.at(v, arb(t))
            if state is None:
                return None
            found.append(Arc(x.over, *state.sizes))
        return found


@dataclass(frozen=True)
class State:
    """The kernel on an arc: (p, q, C) of every layer, the output and the variance."""

    layers: tuple[tuple[Jet, Jet, Jet], ...]
    output: Jet
    variance: Jet

    @property
    def sizes(self) -> tuple[arb, arb]:
        return abs(self.output.over).upper(), abs(self.variance.over).upper()


@dataclass(frozen=True)
class Continued:
    """The kernel for complex lengths."""

    kernel: RadialKernel

    @cached_property
    def _pairs(self) -> JetTape:
        return JetTape(self.kernel.expressions, (P, Q, C))

    @cached_property
    def _moments(self) -> JetTape:
        return JetTape(self.kernel.moments, (P,))

    def at(self, v: Jet, t: arb) -> State | None:
        """Everything for the lengths v and conj v and rs t = |v| t; None where something is not analytic."""
        first, variance = self.kernel.variances(v, self._moments.run), self.kernel.alike(v, self._moments.run)
        slope = (v.over.conjugate() * v.slopes[0]).real / abs(v.over)
        layers = list[tuple[Jet, Jet, Jet]]()

        def layer(p: Jet, q: Jet, covariance: Jet) -> list[Jet]:
            layers.append((p, q, covariance))
            return self._pairs.run(p, q, covariance)

        product = Jet.of(abs(v.middle) * t, (slope * t, 0))
        output = self.kernel.paired(first, [_conjugate(p) for p in first], product, Jet.exact(1), layer)
        return State(tuple(layers), output, variance) if output.over.is_finite() and variance.over.is_finite() else None

    def bounded(self, x: Jet, v: Jet, partner: arb, t: arb) -> Arc | None:
        """Bounds on an arc, or None."""
        state = self.at(v, t)
        if state is None or not self._analytic_near_zero(v, partner) or not all(self._grows(*layer) for layer in state.layers):
            return None
        return Arc(x.over, *state.sizes, is_loose=not state.sizes[0] < 2 * abs(state.output.middle))

    def _analytic_near_zero(self, v: Jet, partner: arb) -> bool:
        first, second = (self.kernel.variances(length, self._moments.run) for length in (v, Jet.exact(partner + SMALL_DISC)))
        small = Jet.exact(SMALL_DISC)
        found: Jet = self.kernel.paired(first, second, small, small, self._pairs.run)
        return bool(found.over.is_finite())

    def _grows(self, p: Jet, q: Jet, covariance: Jet) -> bool:
        """Whether the layer is analytic in the covariance from 0 to what it is."""
        stack = [(fmpq(i, 4), fmpq(i + 1, 4), MAX_HALVINGS) for i in range(4)]
        while stack:
            low, high, left = stack.pop()
            part = covariance * Jet.of(arb(low + high) / 2, (0, arb(high - low) / 2))
            if self._pairs.is_analytic(p, q, part):
                continue
            if not left:
                return False
            middle = (low + high) / 2
            stack += [(low, middle, left - 1), (middle, high, left - 1)]
        return True


@lru_cache(maxsize=16)
def _continued(kernel: RadialKernel) -> Continued:
    return Continued(kernel)


def _conjugate(jet: Jet) -> Jet:
    return Jet(jet.middle.conjugate(), jet.over.conjugate(), (jet.slopes[0].conjugate(), jet.slopes[1].conjugate()))


__all__ = ["Arc", "Chart", "Ellipse", "boundary", "survey"]
