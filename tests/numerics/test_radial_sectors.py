"""Kernels whose duals are series, between complex lengths and under Gaussian inputs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy
import pytest
from flint import acb, arb, fmpq

import numerics
import symspec as ss
from numerics import radial_plan
from numerics.gaussian_spectrum import Operators, traces
from numerics.jets import Jet
from numerics.precision import working_precision
from numerics.radial_continuation import Chart, Ellipse, boundary
from numerics.radial_kernel import RadialKernel
from numerics.radial_sectors import Layer, Sectors
from numerics.spectrum import degree_sums
from tests.numerics import double_lengths as doubles

TANH = ss.mlp(ss.tanh, 2, sigma_w2=2)


def hermite_rows(count):
    z = numpy.linspace(-10, 10, 2001)
    rows = [numpy.ones_like(z), z]
    for n in range(1, count - 1):
        rows.append((z * rows[n] - numpy.sqrt(n) * rows[n - 1]) / numpy.sqrt(n + 1))
    return z, numpy.array(rows) * numpy.exp(-z * z / 2) * 0.01 / numpy.sqrt(2 * numpy.pi)


Z, ROWS = hermite_rows(200)


def size_in_doubles(f, g, depth, sigma_w2, sigma_b2, part, v, t):
    """sum c_n(v, conj v) t^n: the recursion with squared moduli of coefficients at complex variances."""
    p, c = sigma_w2 * v + sigma_b2, sigma_w2 * abs(v) * t + sigma_b2
    tangent = c
    for _ in range(depth):
        a = numpy.sqrt(p)
        first, second = (ROWS @ h(a * Z) for h in (f, g))
        powers = (c / abs(p)) ** numpy.arange(len(ROWS))
        value, slope = (float((abs(x) ** 2 * powers).sum()) for x in (first, second))
        p = sigma_w2 * (ROWS[0] @ f(a * Z) ** 2) + sigma_b2
        c = sigma_w2 * value + sigma_b2
        tangent = c + sigma_w2 * slope * tangent
    return c if part == "ck" else tangent


def logistic(x):
    return 1 / (1 + numpy.exp(-x))


CASES = [
    (TANH, numpy.tanh, lambda x: 1 - numpy.tanh(x) ** 2),
    (ss.mlp(ss.tanh, 2, sigma_w2=2, sigma_b2="1/2"), numpy.tanh, lambda x: 1 - numpy.tanh(x) ** 2),
    (ss.mlp(ss.silu, 2, sigma_w2=2), lambda x: x * logistic(x), lambda x: logistic(x) * (1 + x * logistic(-x))),
    (ss.mlp(ss.sigmoid, 3, sigma_w2=4), logistic, lambda x: logistic(x) * logistic(-x)),
]


@pytest.mark.parametrize(("network", "f", "g"), CASES)
@pytest.mark.parametrize("part", ["ck", "ntk"])
def test_sizes_bound_the_series(network, f, g, part):
    """At complex points, as doubles see them, and not much larger."""
    series = Sectors(RadialKernel.of(getattr(network, part)))
    par = network.parametrisation
    seen = 0
    for v in (1 + 0.4j, 0.3 + 0.1j, 3 - 1j, 0.5 + 0.5j):
        for t in (0.5, 0.75, 0.9):
            with working_precision(64):
                found = series.bounded(Jet.exact(acb(v.real, v.imag)), arb(1), arb(t))
            if found is None:
                continue
            truth = size_in_doubles(f, g, network.depth, float(par.sigma_w2), float(par.sigma_b2), part, v, t)
            assert truth <= float(found.size) * (1 + 1e-9)
            assert float(found.size) < 200 * truth
            seen += 1
    assert seen >= 8


def test_arcs_bound_their_points():
    kernel = RadialKernel.of(TANH.ntk)
    ellipse = Ellipse(Chart(fmpq(1, 4), fmpq(3), fmpq(1, 4)), 1.5)
    arcs = boundary(kernel, ellipse, fmpq(3, 4))
    largest = max(float(arc.size) for arc in arcs)
    for ratio in (1.01, 1.2, 1.499):
        for i in range(13):
            with working_precision(64):
                _, v = Ellipse(ellipse.chart, ratio).point(i, 12)
            point = complex(float(v.middle.real), float(v.middle.imag))
            assert size_in_doubles(numpy.tanh, lambda x: 1 - numpy.tanh(x) ** 2, 2, 2, 0, "ntk", point, 0.75) <= largest * (1 + 1e-9)


def test_correlations_above_one_and_negative_variances_are_refused():
    biased = Sectors(RadialKernel.of(ss.mlp(ss.tanh, 1, sigma_w2=1, sigma_b2=1).ck))
    with working_precision(64):
        v = Jet.exact(acb(1, 1))
        # |v| t + 1 <= |v + 1| for t up to (5^(1/2) - 1)/2^(1/2) = .874.
        assert biased.bounded(v, arb(1), arb("0.87")) is not None
        assert biased.bounded(v, arb(1), arb("0.88")) is None
        assert Sectors(RadialKernel.of(TANH.ck)).bounded(Jet.exact(acb(-1, arb(0, "0.01"))), arb(1), arb("0.5")) is None


def test_layers_read_parity():
    with working_precision(64):
        values = [Layer(arb(2), arb(1), parity).value(arb("0.5")) for parity in ("odd", "even", "none")]
    assert [float(value) for value in values] == pytest.approx([1, 1.25, 1.5])


@pytest.mark.parametrize(
    ("network", "pair", "part", "d", "k"),
    [
        (ss.mlp(ss.tanh, 1, sigma_w2=2), doubles.tanh_pair, "ck", 30, 1),
        (ss.mlp(ss.softplus, 1, sigma_w2=2), doubles.softplus_pair, "ntk", 30, 0),
        (ss.mlp(ss.silu, 1, sigma_w2=2), doubles.silu_pair, "ck", 50, 2),
        pytest.param(TANH, doubles.tanh_pair, "ntk", 50, 1, marks=pytest.mark.slow),
        pytest.param(ss.mlp(ss.tanh, 1, sigma_w2=2, sigma_b2=1), doubles.tanh_pair, "ck", 100, 1, marks=pytest.mark.slow),
        pytest.param(ss.mlp(ss.sigmoid, 2, sigma_w2=4), doubles.sigmoid_pair, "ck", 100, 1, marks=pytest.mark.slow),
    ],
)
def test_eigenvalues_against_doubles(network, pair, part, d, k):
    par = network.parametrisation
    evaluate = partial(doubles.kernel, pair, network.depth, float(par.sigma_w2), float(par.sigma_b2), part)
    wanted = numpy.linalg.eigvalsh(doubles.operator(evaluate, d, k, nodes=50, cosines=80))[-1]
    (found,) = numerics.eigenvalues(getattr(network, part), ss.Gaussian(d), [k], digits=4)
    assert float(found.rad()) < 1e-4 * float(found)
    assert float(found.mid()) == pytest.approx(wanted, abs=float(found.rad()) + 1e-11)


@pytest.mark.slow
def test_residual_networks():
    """Traces of the layers' parts add up to that of the tangent kernel."""
    network = ss.resnet(ss.tanh, 1, 1)
    whole, *parts = (degree_sums(kernel, ss.Gaussian(60), [1], 5)[0] for kernel in (network.ntk, *network.ntk_layers))
    assert whole.overlaps(sum(parts, arb(0)))
    assert whole > 0
    first, second = numerics.radial_eigenvalues(network.ntk, ss.Gaussian(60), 1, 2, 5)
    assert first > 100 * second > 0
    assert not first + second > whole


def test_traces_of_the_degrees_fill_the_variance():
    """Fractional variances of the first degrees, of a kernel that lies in them almost wholly."""
    parts = numerics.fractional_variances(ss.mlp(ss.softplus, 1).ck, ss.Gaussian(60), range(4), 4)
    total = sum(parts, arb(0))
    assert arb("0.999") < total
    assert not total > 1


def test_an_ellipse_beyond_the_sectors_gives_wrong_enclosures():
    """A deliberate fault: an ellipse of analyticity taken wider than it is, with few nodes."""
    kernel = ss.mlp(ss.tanh, 1, sigma_w2=2).ck
    radial = RadialKernel.of(kernel)
    made = radial_plan.plan(radial, 30, 1, 1, 20, None)
    truth = traces(kernel, 30, [1], 40)[1]
    for plan, right in ((made, True), (replace(made, ellipse=Ellipse(made.measure.chart, 12.0), arcs=tuple(replace(arc, size=arb(1), variance=arb(1)) for arc in made.arcs)), False)):
        coarse = Operators(radial, replace(plan, nodes=8), 20, arb(0))
        with working_precision(coarse.precision):
            assert coarse.whole_trace(1).overlaps(truth) == right
