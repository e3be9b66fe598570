r"""How large a kernel gets between complex lengths: what the error bounds of Gauss rules in :math:`v=r^2` need.

With the features of :mod:`numerics.radial_kernel`, :math:`c_n(v,\bar v)/|v|^\epsilon`, :math:`\epsilon\le n` of the parity of n, is a sum of squared moduli of analytic
functions of v, hence subharmonic. On an ellipse about an interval of v it is bounded by its largest value on the boundary,
where :math:`\sum_nc_n(v,\bar v)t^n` is evaluated, or bounded, at :math:`rst=|v|t` on small arcs, and where the features must be shown to be analytic
on the boundary and inside: for duals with closed forms in :mod:`numerics.radial_branches`, for those known as series in :mod:`numerics.radial_sectors`.

Nothing is asked of the kernel inside, where it may come close to its singularities.

>>> import symspec as ss
>>> kernel = RadialKernel.of(ss.mlp(ss.erf, 1).ck)
>>> chart = Chart(fmpq(0), fmpq(2))
>>> [boundary(kernel, Ellipse(chart, ratio), fmpq(1)) is None for ratio in (1.5, 6.0)]
[False, True]
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flint import acb, arb, fmpq

from .jets import UNIT, Jet
from .precision import working_precision
from .radial_branches import Branches
from .radial_kernel import RadialKernel
from .radial_sectors import Sectors

POINTS, ARCS, MAX_ARC_HALVINGS, TIGHTENINGS = 16, 32, 9, 2
PRECISION = 64


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
    """A ball of x on the boundary, a bound of sum c_n(v, conj v) t^n there, and one of |K(r, r, 1)|."""

    x: acb
    size: arb
    variance: arb


def boundary(kernel: RadialKernel, ellipse: Ellipse, t: fmpq) -> list[Arc] | None:
    """Arcs that cover the upper half of the boundary (kernels are real on the real axis); None where analyticity is not shown."""
    with working_precision(PRECISION):
        continuation, found = _continuation(kernel), list[Arc]()
        stack = [(i, ARCS) for i in range(ARCS)]
        while stack:
            i, count = stack.pop()
            x, v = ellipse.arc(i, count)
            sizes = continuation.bounded(v, ellipse.chart.middle, arb(t), loose=count >= ARCS << TIGHTENINGS)
            if sizes is not None:
                found.append(Arc(x.over, sizes.size, sizes.variance))
            elif count >= ARCS << MAX_ARC_HALVINGS:
                return None
            else:
                stack += [(2 * i, 2 * count), (2 * i + 1, 2 * count)]
        return found


def survey(kernel: RadialKernel, ellipse: Ellipse, t: fmpq) -> list[Arc] | None:
    """The same at some points of the boundary: a cheap guess of what :func:`boundary` will say, no bound."""
    with working_precision(PRECISION):
        continuation, found = _continuation(kernel), list[Arc]()
        # Small lengths are where analyticity ends first.
        for i in reversed(range(POINTS + 1)):
            x, v = ellipse.point(i, POINTS)
            sizes = continuation.sizes(v, arb(t))
            if sizes is None:
                return None
            found.append(Arc(x.over, sizes.size, sizes.variance))
        return found


@lru_cache(maxsize=16)
def _continuation(kernel: RadialKernel) -> Branches | Sectors:
    return Sectors(kernel) if kernel.is_series else Branches(kernel)


__all__ = ["Arc", "Chart", "Ellipse", "boundary", "survey"]
