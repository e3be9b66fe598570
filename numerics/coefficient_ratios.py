r"""Ratios of the Taylor coefficients of compositions of entire functions with non-negative coefficients, bounded for every degree.

Let :math:`W=D\circ A`, :math:`D=\sum d_mu^m`, :math:`A=\sum a_jz^j`, all coefficients non-negative. :math:`w_k=\sum_md_m[A^m]_k` is the weight of
the configurations :math:`j_1+\dots+j_m=k`, :math:`m\ge0`; M is the number m of indices under the law proportional to it. Suppose
:math:`f(j)a_j\le Ca_{j-p}` for all j, :math:`f(j)=j(j-1)\cdots(j-p+1)`, and :math:`\Delta j-\kappa\le f(j)` where :math:`a_j>0` (f is convex on
:math:`j\ge p-1`, so any tangent there will do). Taking p away from one index,

.. math:: w_{k+p}\,\bigl(\Delta(k+p)-\kappa E_{k+p}M\bigr)\le w_{k+p}\,E_{k+p}\sum_if(j_i)=\sum_md_mm\sum_jf(j)a_j[A^{m-1}]_{k+p-j}\le C\,w_k\,E_kM .

**How many indices.** The terms :math:`t_m=d_m[A^m]_k` satisfy :math:`t_{m+p}\le r\,t_m` for :math:`m\ge\theta k`, where r is the product of a bound of
:math:`d_{m+p}/d_m` from :math:`\theta k` on and of p bounds of :mod:`numerics.power_ratios` at the mean :math:`1/\theta`. If r < 1, the terms
beyond :math:`\theta k` fall geometrically in each class modulo p, and :math:`E_kM\le\theta k+p/(1-r)^2`. So for every :math:`k\ge K`

.. math:: \frac{w_{k+p}}{w_k}\le\frac{C\eta}{\Delta-\kappa\eta},\qquad\eta=\theta+\frac p{(1-r)^2K}.

Started with :math:`d_{m+p}/d_m\le C\,m!/(m+p)!` for the outermost layer, this bounds the ratios of networks of any depth; for
:math:`A^m` itself, :math:`E M=m`.

>>> import symspec as ss
>>> from numerics.entire_layers import entire_layers
>>> from numerics.precision import working_precision
>>> with working_precision(100):
...     layers = entire_layers(ss.mlp(ss.exp, 3))
...     outer = CoefficientRatios(layers[1:], 1)
...     print(outer.bound(200).str(3, radius=False), CoefficientRatios(layers[2:], 1).bound(199).str(3, radius=False))
0.264 0.00503
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, log, prod

from flint import arb, fmpq

from .entire_layers import EntireLayer

THETAS = tuple(fmpq(i, 100) for i in (4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 33, 36, 40, 44, 48, 52, 56, 60, 65, 70, 75, 80, 85, 90, 95, 100, 110, 120, 140, 160, 200))
INFINITE = arb("inf")
GRID = 1.03


@dataclass
class CoefficientRatios:
    """Bounds for V_L o ... o V_1 (``layers`` = V_1 ... V_L, innermost first) or, with ``power`` = m, for (V_L)^m o V_(L-1) o ... o V_1; p = ``step``."""

    layers: Sequence[EntireLayer]
    step: int
    power: int = 1
    _known: dict[tuple[int, int], arb] = field(default_factory=dict)

    def bound(self, start: int) -> arb:
        """An upper bound of w_(k+p)/w_k for every k >= ``start``; infinite where none is found."""
        return self._bound(0, start)

    def _bound(self, index: int, start: int) -> arb:
        # Rounded down to a geometric grid, so that the same numbers are met again.
        start = min(start, floor(GRID ** floor(log(start) / log(GRID)))) if start > 40 else start
        key = (index, start)
        if key not in self._known:
            C = self.layers[index].growth(self.step)
            if C is None or start < 1:
                self._known[key] = INFINITE
            elif index == len(self.layers) - 1:
                self._known[key] = self._outermost(C, start)
            else:
                self._known[key] = self._composed(index, C, start)
        return self._known[key]

    def _outermost(self, C: arb, start: int) -> arb:
        p, total = self.step, start + self.step
        if self.power == 1:
            return (C / prod(range(start + 1, total + 1))).upper()
        slope, intercept = tangent(self.layers[-1], p, total // self.power)
        room = slope * total - intercept * self.power
        return (C * self.power / arb(room)).upper() if room > 0 else INFINITE

    def _composed(self, index: int, C: arb, start: int) -> arb:
        best, layer = INFINITE, self.layers[index]
        for share in self._shares(index, start):
            slope, intercept = tangent(layer, self.step, floor(1 / float(share.upper())))
            room = slope - intercept * share
            if room > 0:
                best = best.min((C * share / room).upper())
        return best

    def _shares(self, index: int, start: int) -> list[arb]:
        """Bounds eta of E_k M/k for every k >= ``start``."""
        p, layer, found = self.step, self.layers[index], []
        for theta in THETAS:
            least = -floor(-float(theta) * start * (1 - 1e-12))
            if least < 1:
                continue
            ratio = self._bound(index + 1, least)
            if not ratio < INFINITE:
                continue
            mean = 1 / (theta * (2 if layer.even else 1))
            r = ratio * layer.power_ratios.bound(mean, least) ** p
            if r < 1:
                found.append((arb(theta) + p / ((1 - r) ** 2 * start)).upper())
        return found


def tangent(layer: EntireLayer, p: int, mean: int) -> tuple[int, int]:
    """(Delta, kappa) with Delta j - kappa <= j (j-1) ... (j-p+1) on the support of a layer, equal next to ``mean``."""
    stride = 2 if layer.even and p == 2 else 1
    low = max(mean // stride * stride, 0 if stride == 2 else p - 1)
    first, second = (prod(range(j - p + 1, j + 1)) for j in (low, low + stride))
    slope = (second - first) // stride
    return slope, slope * low - first


__all__ = ["CoefficientRatios", "tangent"]
