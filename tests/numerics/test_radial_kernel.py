"""Kernels between inputs of different lengths, and their continuation."""

from __future__ import annotations

from functools import partial

import numpy
import pytest
from flint import acb, arb, fmpq
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics.jets import Jet
from numerics.precision import working_precision
from numerics.radial_branches import Branches
from numerics.radial_continuation import Chart, Ellipse, boundary
from numerics.radial_kernel import RadialKernel
from tests.numerics import double_lengths as doubles

lengths = st.floats(0.1, 2.5)
cosines = st.floats(-0.95, 0.95)
NETWORKS = [(ss.erf, doubles.erf_pair), (ss.relu, doubles.relu_pair), (ss.sin, doubles.sin_pair)]


def series_value(kernel, r, s, t, terms):
    with working_precision(160):
        return float(sum((c * arb(t) ** n for n, c in enumerate(kernel.coefficients(arb(r), arb(s), terms))), arb(0)))


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize(("activation", "pair"), NETWORKS)
@settings(max_examples=8, deadline=None)
@given(lengths, lengths, cosines, st.sampled_from(["ck", "ntk"]))
def test_series_against_the_recursion_in_doubles(activation, pair, depth, r, s, t, part):
    network = ss.mlp(activation, depth, sigma_w2="3/2", sigma_b2="1/2")
    wanted = doubles.kernel(pair, depth, 1.5, 0.5, part, r, s, t)
    assert series_value(RadialKernel.of(getattr(network, part)), r, s, t, 250) == pytest.approx(float(wanted), rel=1e-6)


@settings(max_examples=6, deadline=None)
@given(lengths, lengths, st.floats(-0.7, 0.7), st.sampled_from(["ck", "ntk"]))
def test_duals_that_are_series_against_the_recursion_in_doubles(r, s, t, part):
    network = ss.mlp(ss.tanh, 2, sigma_w2="3/2", sigma_b2="1/2")
    wanted = doubles.kernel(doubles.tanh_pair, 2, 1.5, 0.5, part, r, s, t)
    assert series_value(RadialKernel.of(getattr(network, part)), r, s, t, 70) == pytest.approx(float(wanted), rel=1e-6)


EQUAL = [ss.mlp(ss.gelu, 2), ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2=1), ss.mlp(ss.relu, 2), ss.mlp("x^3 + x", 1), ss.resnet(ss.relu, 2, "1/2"), ss.resnet(ss.erf, 2, 1), ss.mlp(ss.tanh, 2)]


@pytest.mark.parametrize("network", EQUAL)
def test_equal_lengths_give_the_kernel(network):
    """Also normalised, and layer by layer."""
    for kernel in (network.ck, network.ntk, *network.ntk_layers, 3 * network.ck):
        assert series_value(RadialKernel.of(kernel), 1, 1, 0.4, 120) == pytest.approx(float(numerics.evaluate(kernel, "0.4", 15)), rel=1e-12)
        with working_precision(100):
            assert float(RadialKernel.of(kernel).diagonal(arb(1))) == pytest.approx(float(numerics.evaluate(kernel, 1, 15)), rel=1e-12)


GROWING = [
    ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2=1),
    ss.mlp(ss.gelu, 1),
    ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2=1),
    ss.mlp(ss.cos, 2),
    ss.resnet(ss.gelu, 2, 1),
    ss.mlp(ss.exp, 1),
    ss.mlp("x*exp(x/2)", 1),
    ss.mlp(ss.tanh, 2, sigma_w2=2, sigma_b2=1),
    ss.mlp(ss.softplus, 2),
    ss.resnet(ss.silu, 2, 1),
]


@pytest.mark.parametrize("network", GROWING)
def test_growth_bounds_the_variance(network):
    for kernel in (RadialKernel.of(network.ck), RadialKernel.of(network.ntk)):
        for v in ("0.01", "1", "7", "300"):
            assert kernel.diagonal(arb(v)) <= kernel.growth(arb(v))


@pytest.mark.parametrize(
    ("network", "t"),
    [(ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2=1), 1), (ss.mlp(ss.gelu, 1), 1), (ss.mlp(ss.sin, 1), 1), (ss.mlp(ss.relu, 1, sigma_w2=2, sigma_b2=1), fmpq(7, 8))],
)
def test_the_boundary_bounds_what_is_inside(network, t):
    """Sums of c_n(v, conj v) t^n, and variances, at points inside: below the largest on the boundary, and close to it."""
    kernel = RadialKernel.of(network.ntk)
    ellipse = Ellipse(Chart(fmpq(1, 2), fmpq(3, 2)), 1.6)
    arcs = boundary(kernel, ellipse, fmpq(t))
    largest, variance = max(float(arc.size) for arc in arcs), max(float(arc.variance) for arc in arcs)
    inside, closed = [], Branches(kernel)
    with working_precision(64):
        for ratio in (1.01, 1.3, 1.599):
            for i in range(13):
                _, v = Ellipse(ellipse.chart, ratio).point(i, 12)
                sizes = closed.sizes(Jet.exact(v.middle), arb(fmpq(t)))
                assert sizes is not None
                inside.append(float(sizes.size))
                assert float(sizes.variance) <= variance * (1 + 1e-9)
    assert max(inside) <= largest * (1 + 1e-9)
    assert max(inside) > largest / 20


def test_singularities_are_seen():
    """erf without bias: K(v, conj v) diverges where 2|v| = |1 + 2v|, at Re v = -1/4 on the axis."""
    kernel = RadialKernel.of(ss.mlp(ss.erf, 1).ck)
    for low, known in ((fmpq(-1, 5), True), (fmpq(-3, 10), False)):
        # The left end of the ellipse about [0, 1] is 1/2 - (ratio + 1/ratio)/4.
        half = 1 - 2 * float(low.p) / float(low.q)
        ratio = half + (half * half - 1) ** 0.5
        assert (boundary(kernel, Ellipse(Chart(fmpq(0), fmpq(1)), ratio), fmpq(1)) is not None) == known
    # A kink is singular between equal lengths, whatever the ellipse.
    assert boundary(RadialKernel.of(ss.mlp(ss.relu, 1, sigma_w2=1, sigma_b2=1).ck), Ellipse(Chart(fmpq(1, 2), fmpq(1)), 1.2), fmpq(1)) is None


@settings(max_examples=20, deadline=None)
@given(st.floats(-1, 1), st.floats(-1, 1))
def test_jets_hold_their_functions(a, b):
    """(2 + i + x/10)(3 - y/5) + 1 on the unit square."""
    with working_precision(80):
        first, second = Jet.of(acb(2, 1), (arb("0.1"), 0)), Jet.of(acb(3), (0, arb("-0.2")))
        product = first * second + 1
        assert product.over.contains((acb(2, 1) + arb("0.1") * arb(a)) * (3 - arb("0.2") * arb(b)) + 1)


def test_charts_invert():
    for chart in (Chart(fmpq(0), fmpq(5), fmpq(1, 8)), Chart(fmpq(1, 3), fmpq(2))):
        with working_precision(80):
            assert chart.length(arb(-1)).overlaps(arb(chart.low))
            assert chart.length(arb(1)).overlaps(arb(chart.high))
            step = arb("1e-8")
            slope = (chart.length(step) - chart.length(-step)) / (2 * step)
            assert float(slope) == pytest.approx(float(chart.slope(arb(0))), rel=1e-9)


def test_a_double_check_of_the_doubles():
    """The recursion of the tests agrees with the package at equal lengths."""
    evaluate = partial(doubles.kernel, doubles.relu_pair, 3, 2.0, 1.0, "ntk")
    wanted = float(numerics.evaluate(ss.mlp(ss.relu, 3, sigma_w2=2, sigma_b2=1).ntk, "1/3", 15))
    assert float(evaluate(numpy.float64(1), numpy.float64(1), 1 / 3)) == pytest.approx(wanted, rel=1e-12)
