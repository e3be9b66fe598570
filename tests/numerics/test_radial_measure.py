"""The law of the length on an interval."""

from __future__ import annotations

import math

import mpmath
import pytest
from flint import arb, fmpq

import symspec as ss
from numerics.precision import working_precision
from numerics.radial_continuation import Arc, Chart, Ellipse
from numerics.radial_kernel import RadialKernel
from numerics.radial_measure import RadialMeasure


@pytest.mark.parametrize(
    "measure",
    [
        RadialMeasure(5, 0, Chart(fmpq(0), fmpq(9))),
        RadialMeasure(4, 1, Chart(fmpq(0), fmpq(9), fmpq(1, 2))),
        RadialMeasure(60, 0, Chart(fmpq(1, 4), fmpq(3), fmpq(1, 8))),
    ],
)
def test_moments_of_the_length(measure):
    """E[v^(1 + shift); low < v < high] by the rule, against mpmath."""
    with working_precision(160):
        rule = measure.rule(60)
        total = sum((w * measure.square(x) * measure.chart.length(x) for x, w in zip(rule.nodes, rule.weights, strict=True)), arb(0))
    half, power = measure.d / 2, 1 + measure.shift
    low, high = (int(end.p) / int(end.q) for end in (measure.chart.low, measure.chart.high))
    with mpmath.workdps(30):
        wanted = mpmath.gammainc(half + power, half * low, half * high) / mpmath.gamma(half) / mpmath.mpf(half) ** power
    assert float(total) == pytest.approx(float(wanted), rel=1e-12)


def arcs_of(measure, ratio):
    """The arcs of a kernel that no ellipse makes singular."""
    ellipse = Ellipse(measure.chart, ratio)
    with working_precision(64):
        return [Arc(ellipse.arc(i, 256)[0].over, arb(1), arb(1)) for i in range(256)]


@pytest.mark.parametrize(
    ("measure", "good", "bad"),
    [
        # The ellipse of ratio 2 about [1/2, 3/2] ends at -1/4: around 0, where v^(d/2 - 1) has a branch point for odd d.
        (RadialMeasure(7, 0, Chart(fmpq(1, 2), fmpq(3, 2))), 1.5, 4.0),
        # Here e^y - 1 vanishes again at y = 2 pi i.
        (RadialMeasure(7, 0, Chart(fmpq(0), fmpq(9), fmpq(1, 8))), 3.0, 7.5),
    ],
)
def test_the_density_must_be_analytic_inside(measure, good, bad):
    assert measure.largest(arcs_of(measure, good))[0].is_finite()
    assert not measure.largest(arcs_of(measure, bad))[0].is_finite()


def test_the_modulus_bounds_the_density_on_arcs():
    measure = RadialMeasure(30, 0, Chart(fmpq(1, 4), fmpq(3), fmpq(1, 2)))
    ellipse = Ellipse(measure.chart, 1.8)
    with working_precision(64):
        for i in range(8):
            arc = ellipse.arc(i, 8)[0].over
            bound = measure.largest([Arc(arc, arb(1), arb(1))])[1]
            for j in range(5):
                x = ellipse.point(4 * i + j, 32)[0].middle
                v = complex(measure.chart.length(x))
                density = 15**15 / math.gamma(15) * abs(v) ** 14 * math.exp(-15 * v.real)
                assert density * abs(complex(measure.chart.slope(x))) <= float(bound) * (1 + 1e-12)


def test_what_lies_outside():
    kernel = RadialKernel.of(ss.mlp(ss.relu, 1, sigma_w2=2, sigma_b2=1).ck)
    measure = RadialMeasure(20, 0, Chart(fmpq(1, 2), fmpq(2)))
    with working_precision(64):
        bound = measure.outside(kernel.growth)
    with mpmath.workdps(30):
        half = mpmath.mpf(10)
        law = lambda v: half**half / mpmath.gamma(half) * v ** (half - 1) * mpmath.exp(-half * v) * (2 * v + 2)  # noqa: E731 - K(r, r, 1) = 2 v + 2
        truth = mpmath.quad(law, [0, 0.25, 0.5]) + mpmath.quad(law, [2, 3, 6, 20])
    assert truth <= float(bound) < 20 * truth
    with working_precision(64), pytest.raises(ss.Undecided, match="finite"):
        RadialMeasure(4, 0, Chart(fmpq(0), fmpq(2))).outside(RadialKernel.of(ss.mlp(ss.exp, 1).ck).growth)
