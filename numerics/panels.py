r"""Eigenvalues by Taylor panels: the general method where no better one applies.

Kernels that are not analytic in the angle at its ends - composed jumps, which are power series in
:math:`\theta^{1/m}`, and thresholds away from zero, whose flat terms :math:`e^{-c/\sin^2\theta}` have an
essential singularity there - are analytic strictly between. The interval is cut into panels that
shrink geometrically towards the ends. On a panel of centre c and radius r the integrand
:math:`f(\theta)=K(\cos\theta)P_k(\cos\theta)\sin^{d-2}\theta` is expanded by the carrier of power series,

.. math:: f(c+rx)=\sum_{n<N}f_nx^n+R_N,\qquad |R_N|\le\sup_{\xi}|f_N(\xi)|,

where the N-th scaled Taylor coefficient is enclosed over the whole panel by the same carrier with
a ball as centre (Lagrange's form of the remainder). A panel whose remainder is too large is
halved. Next to the two ends :math:`|f|\le K(1)\,\theta^{d-2}`, as the kernel is positive definite.
The series of the kernel on the panels are shared by all degrees.

>>> import symspec as ss
>>> from symspec.network import mlp
>>> value = eigenvalues(mlp(ss.sign, 2).ck, 3, [1], 40)[1]
>>> value.str(10, radius=False)
'0.1739394556'
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from math import comb, pi
from typing import Any

import sympy
from flint import arb, arb_series

from symspec.errors import Undecided
from symspec.kernel import Kernel

from .power_series import table
from .precision import meets, working_precision
from .values import at_exact

MAX_PANELS = 4_000
TIGHT = 3  # coefficients over a panel that are recomputed from its centre
SHRINK = 1.5  # panels grow by this factor away from an end: their radius is a quarter of the distance


Progress = Callable[[int, int], None]
Pair = tuple[arb_series, arb_series]


@dataclass(frozen=True)
class Panel:
    """[centre - radius, centre + radius], the Taylor series of K at the centre, and over the panel."""

    centre: arb
    radius: arb
    middle: arb_series
    over: arb_series


def eigenvalues(kernel: Kernel, d: int, degrees: list[int], bits: int, progress: Progress | None = None) -> dict[int, arb]:
    """mu_k to ``bits`` of relative accuracy for kernels of networks; Undecided at the effort limit."""
    if kernel.support is None:
        raise Undecided("the general method needs a kernel known to be positive definite, that is, one of a network")
    goal = bits + 24
    found: dict[int, arb] = {}
    while True:
        values = _attempt(kernel, d, [k for k in degrees if k not in found], goal, progress)
        found |= {k: value for k, value in values.items() if meets(value, bits)}
        missing = [value for k, value in values.items() if k not in found]
        if not missing:
            return found
        if goal > 12 * (bits + 40):
            worst = min(k for k in degrees if k not in found)
            raise Undecided(f"degree {worst} is not known to {bits} bits at an absolute accuracy of 2^-{goal}")
        goal += max(bits - min(bits, value.rel_accuracy_bits()) for value in missing) + 16


def _attempt(kernel: Kernel, d: int, degrees: list[int], goal: int, progress: Progress | None = None) -> dict[int, arb]:
    terms = goal // 2 + 8
    with working_precision(2 * goal + 32, terms + 1):
        end = arb(2) ** (-((goal + 8) // (d - 1) + 2))
        largest = at_exact(kernel, sympy.Integer(1)).upper()
        ends = 2 * largest * end ** (d - 1) / (d - 1)
        totals = dict.fromkeys(degrees, arb(0, ends.upper()))
        tolerance = arb(2) ** (-goal)
        stack, count, covered = _first_panels(end), 0, 0.0
        while stack:
            centre, radius = stack.pop()
            count += 1
            if count > MAX_PANELS:
                raise Undecided(f"more than {MAX_PANELS} panels would be needed for 2^-{goal}")
            panel = _panel(kernel, centre, radius, terms)
            integrals = None if panel is None else _integrals(panel, d, degrees, terms, tolerance)
            if integrals is None:
                half = radius / 2
                stack += [(centre - half, half), (centre + half, half)]
                continue
            for k, value in integrals.items():
                totals[k] += value
            covered += 2 * float(radius)
            if progress:
                progress(round(1000 * covered / pi), 1000)
        scale = (arb(d) / 2).gamma() / (arb.pi().sqrt() * (arb(d - 1) / 2).gamma())
        return {k: value * scale for k, value in totals.items()}


def _first_panels(end: arb) -> list[tuple[arb, arb]]:
    """(centre, radius) covering [end, pi - end], shrinking geometrically towards both ends."""
    edges = [end]
    while edges[-1] * SHRINK < arb.pi() / 2:
        edges.append(edges[-1] * SHRINK)
    edges.append(arb.pi() / 2)
    left = [((a + b) / 2, (b - a) / 2) for a, b in itertools.pairwise(edges)]
    return left + [(arb.pi() - centre, radius) for centre, radius in left]


def _panel(kernel: Kernel, centre: arb, radius: arb, terms: int) -> Panel | None:
    at_centre, over = arb_series([centre, radius]), arb_series([centre + arb(0, radius.upper()), radius])
    first, second = table(at_centre.cos(), at_centre), table(over.cos(), over)

    def joint(name: str) -> Callable[..., Pair]:
        def rule(*arguments: Any) -> Pair:
            left = [a[0] if isinstance(a, tuple) else a for a in arguments]
            right = [a[1] if isinstance(a, tuple) else a for a in arguments]
            return first[name](*left), second[name](*right)

        return rule

    rules = {name: joint(name) for name in first} | {"order": lambda pair, _order: _tightened(pair, terms)}
    try:
        middle, wide = kernel.program.run(rules)
    except ValueError:  # FLINT refuses a quotient whose denominator may vanish on the panel
        return None
    usable = wide[terms].is_finite() and middle[0].is_finite()
    return Panel(centre, radius, middle, wide) if usable else None


def _tightened(pair: Pair, terms: int) -> Pair:
    """Replace the low coefficients over the panel by Taylor's formula from the centre.

    The n-th coefficient at a point x of the panel is sum_j C(n+j, n) f_{n+j} x^j, j < N - n, plus
    C(N, n) times the enclosed N-th one. A haversine near the diagonal would otherwise lose its
    sign to the width of the ball.
    """
    middle, over = pair
    unit, last, low = arb(0, 1), over[terms], []
    for n in range(TIGHT):
        total = last * comb(terms, n) * unit
        for j in range(terms - n - 1, 0, -1):
            total += middle[n + j] * comb(n + j, n) * unit
        low.append(total + middle[n])
    return middle, arb_series([*low, *(over[n] for n in range(TIGHT, terms + 1))])


def _integrals(panel: Panel, d: int, degrees: list[int], terms: int, tolerance: arb) -> dict[int, arb] | None:
    """The integral over the panel for every degree, or None where a remainder is too large."""
    at_centre = _weights(panel.centre, panel.radius, d, degrees)
    over = _weights(panel.centre + arb(0, panel.radius.upper()), panel.radius, d, degrees)
    result = {}
    for k in degrees:
        product = panel.middle * at_centre[k]
        remainder = (panel.over * over[k])[terms]
        size = 2 * panel.radius * abs(remainder)
        if not size < tolerance:
            return None
        total = sum((product[n] / (n + 1) for n in range(0, terms, 2)), arb(0))
        result[k] = 2 * panel.radius * total + arb(0, size.upper())
    return result


def _weights(centre: arb, radius: arb, d: int, degrees: list[int]) -> dict[int, arb_series]:
    """P_k(cos) sin^(d-2) as series in the panel variable, by the three-term recurrence."""
    theta = arb_series([centre, radius])
    cosine, weight = theta.cos(), arb_series([1])
    for _ in range(d - 2):
        weight = weight * theta.sin()
    wanted, result = set(degrees), {}
    before, now = arb_series([0]), weight
    for k in range(max(degrees) + 1):
        if k in wanted:
            result[k] = now
        before, now = now, cosine * now if k == 0 else ((2 * k + d - 2) * cosine * now - k * before) / (k + d - 2)
    return result


__all__ = ["Panel", "eigenvalues"]
