r"""Ratios of coefficients of consecutive powers of one power series, by the share of zeros among independent indices.

Let :math:`U=\sum u_jz^j`, :math:`u_j\ge0`, :math:`u_0>0`. :math:`[U^m]_n` is the total weight :math:`\prod u_{j_i}` of the *configurations*
:math:`j_1+\dots+j_m=n`. Under the law on them that is proportional to the weight let :math:`\zeta` be the mean share of indices that
are 0. Taking one such index away,

.. math:: \frac{[U^m]_n}{[U^{m-1}]_n}=\frac{u_0}{\zeta} .

**Theorem.** *Let* :math:`g_K(s)=u_0[U^{K-1}]_s/[U^K]_s` *where* :math:`[U^K]_s>0`, *and let* :math:`\alpha-\beta s\le g_K(s)`, :math:`\beta\ge0`, *for all
such s. Then* :math:`\zeta\ge\alpha-\beta Kn/m` *for every* :math:`m\ge K` *and every n.*

*Proof.* Choose K of the m indices at random. Given their sum s and the other indices, their law is that of a configuration with K
indices and sum s, in which the share of zeros is :math:`g_K(s)` on average. So :math:`\zeta=E\,g_K(s)\ge\alpha-\beta E\,s`, and
:math:`E\,s=Kn/m`, each index having the mean n/m. :math:`\square`

Since :math:`g_K\ge0`, a line that is not positive from s = J on has to be compared with :math:`g_K` below J only, so finitely many balls prove
it for every n. The best line at one mean is an edge of the lower convex hull; the larger K, the closer the bound to the truth
:math:`u_0/U(r)`, r the saddle point of :math:`U(r)r^{-n/m}`.

>>> from math import factorial
>>> exponential = PowerRatios([1 / arb(factorial(j)) for j in range(240)])
>>> exponential.bound(fmpq(1), 8).str(4, radius=False), exponential.bound(fmpq(1), 64).str(4, radius=False), arb(1).exp().str(4, radius=False)
('2.910', '2.740', '2.718')
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from flint import arb, arb_series, ctx, fmpq

from .precision import working_precision

BLOCKS = (1, 2, 4, 8, 16, 32, 64)


class PowerRatios:
    """The bounds of one series, given by balls of its first coefficients; of a series in z^2 those of the even powers."""

    def __init__(self, coefficients: Sequence[arb]) -> None:
        self.coefficients = list(coefficients)
        self._precision = ctx.prec
        self._shares: dict[int, list[tuple[int, arb]]] = {}
        self._hulls: dict[int, list[int]] = {}
        self._bounds: dict[tuple[int, int, int], arb] = {}

    def bound(self, mean: fmpq, parts: int) -> arb:
        """An upper bound of [U^m]_n/[U^(m-1)]_n for all m >= ``parts`` and n <= mean * m; infinite where none is found."""
        best = arb("inf")
        for block in BLOCKS:
            if block <= parts:
                key = (block, int(mean.p), int(mean.q))
                if key not in self._bounds:
                    share = self._least_share(block, arb(block * mean))
                    self._bounds[key] = (self.coefficients[0] / share).upper() if share > 0 else arb("inf")
                best = best.min(self._bounds[key])
        return best

    def _least_share(self, block: int, place: arb) -> arb:
        """The lower bound of the share at a mean sum ``place`` of a block."""
        points = self._points(block)
        x = float(place.upper())
        hull = self._hulls[block]
        left, right = next(((a, b) for a, b in pairwise(hull) if b >= x), (0, 0))
        if left == right:
            return arb(0)
        values = dict(points)
        slope = (values[left] - values[right]) / (right - left)
        if not slope >= 0:
            return arb(0)
        # Whatever the hull in floats has missed, the line is lowered below all points, of which the last is 0.
        height = values[left] + slope * left
        for s, value in points:
            height = height.min(value + slope * s)
        return (height.lower() - slope * place.upper()).lower()

    def _points(self, block: int) -> list[tuple[int, arb]]:
        """(s, a lower bound of g_K(s)) below J, and (J, 0)."""
        if block not in self._shares:
            with working_precision(self._precision, len(self.coefficients)):
                series = arb_series(self.coefficients)
                less, full = series ** (block - 1), series**block
                found = []
                for s in range(len(self.coefficients)):
                    if not full[s].is_zero():
                        share = self.coefficients[0] * less[s] / full[s]
                        found.append((s, share.lower().max(arb(0)) if share.is_finite() else arb(0)))
            self._shares[block] = [*found, (len(self.coefficients), arb(0))]
            self._hulls[block] = _lower_hull([(s, float(value)) for s, value in self._shares[block]])
        return self._shares[block]


def _lower_hull(points: list[tuple[int, float]]) -> list[int]:
    """The abscissae of the lower convex hull of points with ascending abscissae."""
    kept: list[tuple[int, float]] = []
    for x, y in points:
        while len(kept) > 1 and (kept[-1][1] - kept[-2][1]) * (x - kept[-2][0]) >= (y - kept[-2][1]) * (kept[-1][0] - kept[-2][0]):
            kept.pop()
        kept.append((x, y))
    return [x for x, _ in kept]


__all__ = ["PowerRatios"]
