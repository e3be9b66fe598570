r"""Gauss rules for the weight :math:`(1+x)^\alpha` on [-1, 1], and the orthonormal polynomials of the weight at their nodes.

The polynomials :math:`p_n` (Jacobi's, with parameters 0 and :math:`\alpha\ge0`) satisfy :math:`xp_n=b_{n+1}p_{n+1}+a_np_n+b_np_{n-1}` with

.. math:: a_n=\frac{\alpha^2}{(2n+\alpha)(2n+\alpha+2)},\qquad b_n^2=\frac{4n^2(n+\alpha)^2}{(2n+\alpha)^2(2n+\alpha+1)(2n+\alpha-1)}

(DLMF 18.9), :math:`a_0=\alpha/(\alpha+2)`. Nodes are zeros of :math:`p_q`, enclosed by q disjoint intervals at whose ends it changes its sign; weights are Christoffel's,
:math:`1/\sum_{n<q}p_n(x)^2`. On the interval :math:`|p_n|\le|p_n(-1)|` (Szegő, theorem 7.32.1), so by Bernstein's inequality
:math:`|p_n|\le\varrho^n|p_n(-1)|` in the ellipse with foci -1, 1 and sum of half-axes :math:`\varrho`.

**Error.** If :math:`|f|\le M` in that ellipse, the truncated Chebyshev series of degree 2q - 1 is off by :math:`2M\varrho^{1-2q}/(\varrho-1)`
(Trefethen, Approximation Theory and Practice, theorem 8.2); the rule is exact for it, positive, and of the weight's mass W: the error is at most
:math:`4WM\varrho^{1-2q}/(\varrho-1)`.

>>> from .precision import working_precision
>>> with working_precision(64):
...     rule = JacobiRule.of(arb(3), 4)
...     print(sum((w * (1 + x) ** 4 for x, w in zip(rule.nodes, rule.weights)), arb(0)).str(12, radius=False), rule.mass.str(5, radius=False))
32.0000000000 4.0000
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy
from flint import arb, ctx

from symspec.errors import Undecided

NEWTON_STEPS = 40


@dataclass(frozen=True)
class JacobiRule:
    """The rule with as many nodes as ``nodes``, ascending; ``steps`` are the pairs (a_n, b_n)."""

    alpha: arb
    steps: tuple[tuple[arb, arb], ...]
    nodes: tuple[arb, ...]

    @staticmethod
    def of(alpha: arb, count: int) -> JacobiRule:
        """At the working precision, which must exceed ``count`` by some bits; Undecided where nodes are not isolated."""
        steps = tuple(_step(alpha, n) for n in range(count + 1))
        nodes = tuple(_node(alpha, steps, guess) for guess in _guesses(steps, count))
        for x, y in pairwise(nodes):
            if not x < y:
                raise Undecided(f"the {count} nodes of a Gauss rule were not separated")
        return JacobiRule(alpha, steps, nodes)

    @property
    def mass(self) -> arb:
        """The integral of the weight."""
        return _mass(self.alpha)

    @cached_property
    def rows(self) -> list[list[arb]]:
        """p_n at the nodes, n < count."""
        return [list(row) for row in zip(*(_values(self.alpha, self.steps, x, len(self.nodes) - 1) for x in self.nodes), strict=True)]

    @cached_property
    def weights(self) -> list[arb]:
        return [1 / sum((row[j] * row[j] for row in self.rows), arb(0)) for j in range(len(self.nodes))]

    @cached_property
    def sizes(self) -> list[arb]:
        """The largest |p_n| on [-1, 1]."""
        return [abs(value).upper() for value in _values(self.alpha, self.steps, arb(-1), len(self.nodes) - 1)]

    def error(self, ratio: arb) -> arb:
        """The bound of the error for M = 1."""
        return (4 * self.mass * ratio / ((ratio - 1) * ratio ** (2 * len(self.nodes)))).upper()


def _mass(alpha: arb) -> arb:
    return ((alpha + 1) * arb(2).log()).exp() / (alpha + 1)


def _step(alpha: arb, n: int) -> tuple[arb, arb]:
    if n == 0:
        return alpha / (alpha + 2), arb(0)
    m = 2 * n + alpha
    return alpha**2 / (m * (m + 2)), 2 * n * (n + alpha) / (m * ((m + 1) * (m - 1)).sqrt())


def _values(alpha: arb, steps: Any, x: arb, top: int) -> list[arb]:
    """p_0, ..., p_top at x."""
    found = [1 / _mass(alpha).sqrt()]
    before = arb(0)
    for n in range(top):
        (a, b), (_, after) = steps[n], steps[n + 1]
        found.append(((x - a) * found[-1] - b * before) / after)
        before = found[-2]
    return found


def _with_slope(steps: Any, x: arb) -> tuple[arb, arb]:
    """p_q and its derivative, up to a common factor."""
    before, now, d_before, d_now = arb(0), arb(1), arb(0), arb(0)
    for (a, b), (_, after) in pairwise(steps):
        before, now, d_before, d_now = now, ((x - a) * now - b * before) / after, d_now, ((x - a) * d_now + now - b * d_before) / after
    return now, d_now


def _guesses(steps: Any, count: int) -> list[float]:
    """Where to look: eigenvalues of the Jacobi matrix in doubles. Nothing is claimed of them."""
    diagonal = numpy.diag([float(a) for a, _ in steps[:count]])
    beside = [float(b) for _, b in steps[1:count]]
    return [float(x) for x in numpy.linalg.eigvalsh(diagonal + numpy.diag(beside, 1) + numpy.diag(beside, -1))]


def _node(alpha: arb, steps: Any, guess: float) -> arb:
    x, step = arb(guess), arb(1)
    for _ in range(NEWTON_STEPS):
        value, slope = _with_slope(steps, x)
        step = (value / slope).mid()
        x = (x - step).mid()
        if abs(step) < arb(2) ** (16 - ctx.prec):
            break
    value, slope = _with_slope(steps, x)
    radius = (4 * abs(value / slope).upper() + arb(2) ** (4 - ctx.prec)).upper()
    ends = [_with_slope(steps, (x + side * radius).mid())[0] for side in (-1, 1)]
    if not (ends[0] * ends[1] < 0):
        raise Undecided(f"a node of a Gauss rule of {len(steps) - 1} points was not isolated at {ctx.prec} bits")
    return x + arb(0, (2 * radius).upper())


__all__ = ["JacobiRule"]
