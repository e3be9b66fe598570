r"""The law of the length under Gaussian inputs, cut to an interval, with a Gauss rule for it.

For :math:`x\sim\mathcal N(0,I_d)` the number :math:`v=|x|^2/d` has the density :math:`f(v)=\frac{(d/2)^{d/2}}{\Gamma(d/2)}v^{d/2-1}e^{-dv/2}`. On an
interval [low, high] with a coordinate x in [-1, 1] (:class:`numerics.radial_continuation.Chart`) it is written as
:math:`f(v)\,v^\epsilon dv=g^2(1+x)^\alpha dx`:

* low = 0: :math:`\alpha=d/2-1+\epsilon`, and g is analytic also where v = 0;
* low > 0: :math:`\alpha=0,\ \epsilon=0`, g analytic in the right half-plane: for large d, where v is close to 1.

An integral operator with the kernel :math:`(vw)^{\epsilon/2}\kappa(v,w)` on functions of v is unitarily equivalent to that with the kernel
:math:`g(v)\kappa(v,w)g(w)` and the weight :math:`(1+x)^\alpha`, for which :mod:`numerics.jacobi_rule` has rules and polynomials.

>>> from flint import fmpq
>>> with working_precision(100):
...     measure = RadialMeasure(5, 0, Chart(fmpq(0), fmpq(8)))
...     rule = JacobiRule.of(measure.alpha, 30)
...     mean = sum((w * measure.square(x) * measure.chart.length(x) for x, w in zip(rule.nodes, rule.weights)), arb(0))
>>> print((1 - mean).str(3, radius=False))
1.26e-6
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, lgamma, log, log2
from typing import Any

from flint import acb, arb

from symspec.errors import Undecided

from .jacobi_rule import JacobiRule
from .precision import working_precision
from .radial_continuation import Arc, Chart, Ellipse
from .radial_kernel import Growth


@dataclass(frozen=True)
class RadialMeasure:
    """The law of |x|^2/d on an interval, times v^shift."""

    d: int
    shift: int
    chart: Chart

    @property
    def from_zero(self) -> bool:
        return self.chart.low == 0

    @property
    def alpha(self) -> arb:
        return arb(self.d) / 2 - 1 + self.shift if self.from_zero else arb(0)

    def square(self, x: arb) -> arb:
        """g^2 at x in (-1, 1)."""
        return self._logarithm(x, self.chart.length(x)).exp()

    def _logarithm(self, x: Any, v: Any) -> arb:
        """log |g^2|."""
        half, base = arb(self.d) / 2, abs(v) / abs(x + 1) if self.from_zero else abs(v)
        return half * half.log() - half.lgamma() + self._power * base.log() - half * acb(v).real + abs(self.chart.slope(x)).log()

    @property
    def _power(self) -> arb:
        return self.alpha if self.from_zero else arb(self.d) / 2 - 1

    def largest(self, arcs: Iterable[Arc]) -> tuple[arb, arb]:
        """Bounds on the arcs of |g|^2 times their size over |v|^shift, and of |g|^2 times their variance."""
        size = variance = arb(0)
        for arc in arcs:
            square = self._modulus(arc.x)
            size = size.max((square * arc.size / abs(self.chart.length(arc.x)) ** self.shift).upper())
            variance = variance.max((square * arc.variance).upper())
        return size.upper(), variance.upper()

    def _modulus(self, x: acb) -> arb:
        """A bound of |g^2|; its logarithm by the mean value theorem, as its parts nearly cancel.

        Infinite where the base of the power in g may be negative: what avoids the cut on the boundary avoids it inside, and g is analytic there.
        """
        middle = acb(x.real.mid(), x.imag.mid())
        v, slope = self.chart.length(x), self.chart.slope(x)
        base = v / (x + 1) if self.from_zero else v
        if base.imag.contains(0) and not base.real > 0:
            return arb("inf")
        rate = self._power * (slope / v - (1 / (x + 1) if self.from_zero else 0)) - slope * self.d / 2 + (0 if self.chart.scale is None else self.chart.rate)
        return (self._logarithm(middle, self.chart.length(middle)) + (rate * (x - middle)).real).exp().upper()

    def outside(self, growth: Growth) -> arb:
        """A bound of E[p(v) e^(rate v + constant)] beyond the interval. Undecided where it is infinite."""
        half, total, left = arb(self.d) / 2, arb(0), arb(self.d) / 2 - growth.rate
        if not left > 0:
            raise Undecided(f"the expectation of the kernel is not known to be finite under Gaussian inputs of dimension {self.d}; take a larger dimension or a smaller weight variance")
        for j in range(growth.polynomial.length()):
            # E[v^j e^(rate v); v > high] = (d/2)^(d/2) Gamma(d/2 + j, left high)/(Gamma(d/2) left^(d/2 + j)).
            tail = (left * self.chart.high).gamma_upper(half + j) * (half * half.log() - (half + j) * left.log() - half.lgamma()).exp()
            total += growth.polynomial[j] * tail
        total *= growth.constant.exp()
        if not self.from_zero:
            total += growth(arb(self.chart.low)) * (half * self.chart.low).gamma_lower(half, regularized=1)
        return total.upper()

    def nodes_for(self, ellipse: Ellipse, size: arb, goal: int, kept: int) -> int:
        """How many nodes leave errors of 2^-goal for so many polynomials; doubles choose, nothing is claimed."""
        alpha, rate, size_bits = float(self.alpha), log2(ellipse.ratio), float(size.log()) / log(2)
        largest = (lgamma(kept + alpha + 1) - lgamma(kept + 1) - lgamma(alpha + 1)) / log(2) + log2(2 * kept + alpha + 1) / 2 - (alpha + 1) / 2
        fixed = goal + 5 + alpha + 1 - log2(alpha + 1) + log2(ellipse.ratio / (ellipse.ratio - 1))
        # Entries of the compression, and the trace.
        wanted = max(size_bits / 2 + largest + kept * rate, size_bits)
        return max(kept + 2, ceil((fixed + wanted) / (2 * rate)))

    def polynomials(self, goal: int, limit: int) -> int | None:
        """How many of the orthonormal polynomials hold g up to 2^-goal of its square, None where ``limit`` nodes do not tell; a proposal."""
        count = 24
        while count <= limit:
            with working_precision(goal + 2 * count + 64):
                rule = self.rule(count)
                values = [w * self.square(x).sqrt() for x, w in zip(rule.nodes, rule.weights, strict=True)]
                parts = [float(sum((p * v for p, v in zip(row, values, strict=True)), arb(0)).mid()) ** 2 for row in rule.rows[: 2 * count // 3]]
            whole = sum(parts)
            rest = [sum(parts[m:]) for m in range(len(parts))]
            enough = [m for m, value in enumerate(rest) if value < whole * 2.0**-goal]
            if enough:
                return enough[0]
            count *= 2
        return None

    def rule(self, count: int) -> JacobiRule:
        return JacobiRule.of(self.alpha, count)


__all__ = ["RadialMeasure"]
