"""Transforms in boxes of dimension 1, 2 and 3 against quadrature of the network itself, and their decay."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

import mpmath
import numpy
import pytest
import sympy
from flint import acb, acb_mat, arb, fmpq
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics.divided_exponential import divided_exponential
from numerics.precision import working_precision
from symspec.errors import InputError
from symspec.ray_transforms import generic_direction
from tests.symspec.random_relu_networks import layer_lists

BOX = (-1, 2)


def _gauss(count):
    """Nodes and weights on [0, 1] in extended precision, made with mpmath."""
    with mpmath.workdps(30):
        found = []
        for node in mpmath.polyroots([mpmath.mpf(c) for c in _legendre(count)], maxsteps=400, extraprec=400):
            slope = mpmath.diff(lambda x: mpmath.legendre(count, x), node)
            found.append(((1 + node) / 2, 1 / ((1 - node**2) * slope**2)))
        return [numpy.array([numpy.longdouble(mpmath.nstr(entry, 25)) for entry in column]) for column in zip(*found, strict=True)]


def _legendre(count):
    x = sympy.Symbol("x")
    return sympy.Poly(sympy.legendre(count, x), x).all_coeffs()


NODES, WEIGHTS = _gauss(18)


def _evaluated(layers, slope, points):
    """The network in extended precision; the weights are small integers."""
    signal = points
    for index, (weights, biases) in enumerate(layers):
        signal = signal @ numpy.array(weights, dtype=numpy.longdouble).T + numpy.array(biases, dtype=numpy.longdouble)
        if index + 1 < len(layers):
            signal = numpy.where(signal > 0, signal, numpy.longdouble(slope) * signal)
    return signal[:, 0]


def _simplex_rule(d):
    """Stroud's conical product: points (n, d) of the standard simplex and weights, exact for polynomials of degree 36 - d."""
    points, weights = [], []
    for index in product(range(len(NODES)), repeat=d):
        left, weight, point = numpy.longdouble(1), numpy.longdouble(1), []
        for axis, i in enumerate(index):
            point.append(left * NODES[i])
            weight *= WEIGHTS[i] * (1 - NODES[i]) ** (d - 1 - axis)
            left *= 1 - NODES[i]
        points.append(point)
        weights.append(weight)
    return numpy.array(points), numpy.array(weights)


RULES = {d: _simplex_rule(d) for d in (1, 2, 3)}


def _quadrature(layers, slope, regions, k):
    """The integral of the network times a wave, simplex by simplex of the cells."""
    d = regions.dimension
    points, weights = RULES[d]
    total = numpy.clongdouble(0)
    frequency = numpy.array([numpy.longdouble(x.numerator) / numpy.longdouble(x.denominator) for x in k])
    for cell in regions.cells:
        for simplex in cell.simplices:
            corners = numpy.array([[numpy.longdouble(x.numerator) / numpy.longdouble(x.denominator) for x in regions.vertices[v]] for v in simplex])
            edges = corners[1:] - corners[0]
            x = points @ edges + corners[0]
            volume = abs(_determinant(edges))
            total += volume * (weights * _evaluated(layers, slope, x) * numpy.exp(-1j * (x @ frequency))).sum()
    return total


def _determinant(rows):
    if len(rows) == 0:
        return 1
    return sum((-1) ** j * rows[0][j] * _determinant(numpy.delete(rows[1:], j, axis=1)) for j in range(len(rows)))


def _close(found, expected, size):
    assert numpy.finfo(numpy.longdouble).eps < 1e-18, "this test needs extended precision"
    with working_precision(100):
        for part, value in ((found.real, expected.real), (found.imag, expected.imag)):
            assert abs(part - arb(f"{value:.22g}" if isinstance(value, float) else numpy.format_float_scientific(value, precision=22, unique=False))) < 2e-15 * size


@pytest.mark.parametrize(("d", "examples"), [(1, 30), (2, 30), (3, 15)])
def test_against_quadrature(d, examples):
    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(layer_lists(d, most=3 if d < 3 else 2), st.sampled_from([0, Fraction(1, 8)]), st.lists(st.fractions(-1, 1, max_denominator=4), min_size=d, max_size=d))
    def check(layers, slope, k):
        regions = ss.relu_network(layers, slope).linear_regions([BOX] * d)
        found = numerics.fourier(regions, k, digits=25)
        size = 3**d * (1 + max(abs(value) for value in regions.values))
        _close(found, _quadrature(layers, slope, regions, k), float(size))

    check()


@settings(max_examples=8, deadline=None)
@given(layer_lists(2), st.lists(st.fractions(-2, 2, max_denominator=4), min_size=2, max_size=2))
def test_the_plane_line_by_line(layers, k):
    """Independent of the complex but for the panels: the inner integral is that of the network on a line, in closed form."""
    if not any(k):
        k[0] = Fraction(1)
    network = ss.relu_network(layers)
    regions = network.linear_regions([BOX] * 2)
    ends = sorted({vertex[0] for vertex in regions.vertices})
    expected = numpy.clongdouble(0)
    for a, b in pairwise(ends):
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            # Any rational number near the node will do: the weight of a nearby node differs by as little.
            x = a + (b - a) * Fraction(int(node * 2**60), 2**60)
            inner = numerics.fourier(network.restrict_to_line([x, 0], [0, 1]).window(*BOX), sympy.Rational(k[1].numerator, k[1].denominator), 20)
            value = numpy.clongdouble(_long(inner.real)) + 1j * numpy.clongdouble(_long(inner.imag))
            expected += weight * _ratio(b - a) * value * numpy.exp(-1j * _ratio(k[0]) * _ratio(x))
    size = 9 * (1 + max(abs(value) for value in regions.values))
    _close(numerics.fourier(regions, k, digits=25), expected, float(size))


def _ratio(x):
    return numpy.longdouble(x.numerator) / numpy.longdouble(x.denominator)


def _long(value):
    return numpy.longdouble(value.str(25, radius=False))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fractions(-40, 40, max_denominator=3), min_size=1, max_size=5), st.integers(0, 25))
def test_divided_exponentials_near_and_at_coincidence(nodes, closeness):
    """Against the exponential of the bidiagonal matrix, with nodes moved together."""
    moved = [node if i % 2 else nodes[0] + node / 10**closeness for i, node in enumerate(nodes)]
    with working_precision(300):
        balls = [arb(x.numerator) / x.denominator for x in moved]
        n = len(balls)
        rows = [[acb(0, -balls[i]) if i == j else acb(int(j == i + 1)) for j in range(n)] for i in range(n)]
        expected = acb_mat(rows).exp()[0, n - 1]
    with working_precision(120):
        found = divided_exponential([arb(x.numerator) / x.denominator for x in moved])
        assert found.overlaps(expected)
        assert abs(found - expected).upper() < 1e-30


def _bump():
    """The function max(0, 1 - |x| - |y|), compactly supported: the transform is the network's own part alone."""
    layers = [([[1, 0], [-1, 0], [0, 1], [0, -1]], None), ([[-1, -1, -1, -1]], [1]), ([[1]], [0])]
    return ss.relu_network(layers)


def test_a_network_of_compact_support_has_no_boundary_terms():
    regions = _bump().linear_regions([(-2, 2), (-2, 2)])
    for k in ([1, 2], [3, 3], [5, 0]):
        parts = numerics.fourier_parts(regions, k, 30)
        assert abs(parts.boundary).upper() < 1e-30
        assert parts.total.overlaps(numerics.fourier(regions, k, 30))


def _lemma(regions, k, sign):
    """sign * i * sum of (W.k)/|k|^2 times the transform of the indicator of each region."""
    total = acb(0)
    for cell in regions.cells:
        indicator = acb(0)
        for simplex in cell.simplices:
            corners = [regions.vertices[v] for v in simplex]
            volume = abs(_determinant(numpy.array([[x - y for x, y in zip(corner, corners[0], strict=True)] for corner in corners[1:]], dtype=object)))
            nodes = [sum(a * x for a, x in zip(k, corner, strict=True)) for corner in corners]
            indicator += arb(fmpq(volume.numerator, volume.denominator)) * divided_exponential([arb(fmpq(s.numerator, s.denominator)) for s in nodes])
        slope = sum(w * a for w, a in zip(cell.gradient, k, strict=True)) / sum(a * a for a in k)
        total += arb(fmpq(slope.numerator, slope.denominator)) * indicator
    return total * acb(0, sign)


def test_the_sign_of_the_published_lemma():
    """Rahaman et al. print f~(k) = i sum_P (W_P.k)/|k|^2 1_P~(k); with f~(k) the integral of f e^(-ik.x) the factor must be -i, on every function of compact support."""
    regions = _bump().linear_regions([(-2, 2), (-2, 2)])
    assert regions.integral == Fraction(2, 3)
    with working_precision(100):
        for k in ([Fraction(1), Fraction(2)], [Fraction(3), Fraction(3)], [Fraction(1, 100), Fraction(1, 50)]):
            true = numerics.fourier(regions, k, 25)
            assert abs(_lemma(regions, k, -1) - true).upper() < 1e-20
            assert abs(_lemma(regions, k, 1) + true).upper() < 1e-20
            assert abs(_lemma(regions, k, 1) - true) > abs(true)


def test_the_normalisation_of_the_published_inversion():
    """f(0) is (2 pi)^-d times the integral of the transform; with (2 pi)^(d/2), as printed, or its inverse, the hat would not be 1 at 0."""
    hat = ss.relu_network([([[1], [1], [1]], [1, 0, -1]), ([[1, -2, 1]], [0])]).restrict_to_line([0], [1])
    # The step 1/4 samples exactly the functions supported in [-4 pi, 4 pi]; what is left out is below 2 * 4/250.
    values = numerics.fourier(hat, [sympy.Rational(n, 4) for n in range(1, 1000)], 10)
    integral = (1 + 2 * sum(float(value.real) for value in values)) / 4
    assert abs(integral / (2 * numpy.pi) - 1) < 0.006
    for wrong in ((2 * numpy.pi) ** 0.5, (2 * numpy.pi) ** -0.5):
        assert abs(integral * wrong - 1) > 1


@pytest.mark.parametrize("d", [2, 3])
def test_exceptional_directions_decay_like_k_to_the_minus_two_and_generic_ones_like_k_to_the_minus_d_minus_one(d):
    rng = numpy.random.default_rng(d)
    widths = (d, 4, 3, 1) if d == 2 else (3, 3, 2, 1)
    network = ss.relu_network([(rng.standard_normal((b, a)), rng.standard_normal(b) / 2) for a, b in pairwise(widths)])
    regions = network.linear_regions([(-1, 1)] * d)
    bound = numerics.fourier_bound(regions)
    for direction, order in ((regions.kinks[0].normal, 2), (generic_direction(regions), d + 1)):
        law = regions.decay(direction)
        assert law.order == order
        length = sum(float(x) ** 2 for x in direction) ** 0.5
        for exponent in (6, 8, 10):
            t = Fraction(10**exponent) / max(1, int(length))
            parts = numerics.fourier_parts(regions, [x * t for x in law.direction], 15)
            scaled = float(abs(parts.interior)) * float(t) ** order
            assert 1e-3 * float(law.constant) < scaled < 1.01 * float(law.constant)
            assert not abs(parts.interior) * sum(arb(float(x * t)) ** 2 for x in law.direction) > bound * 1.001
            expected = law.expression(sympy.Rational(t.numerator, t.denominator)).evalf(25)
            assert abs(complex(parts.interior) - complex(expected)) < 1e-13 * abs(complex(expected))


def test_one_dimension_is_the_line():
    network = ss.relu_network([([[1], [2], [-3]], [0, 1, 1]), ([[1, -2, 1], [3, 1, 1]], [0, -1]), ([[1, -2]], [0])])
    regions = network.linear_regions([BOX])
    window = network.restrict_to_line([0], [1]).window(*BOX)
    for k in (3, "1/7", sympy.pi):
        assert numerics.fourier(regions, k, 25).overlaps(numerics.fourier(window, k, 25))
    assert numerics.fourier(network, [1, 2], 20)[1].overlaps(numerics.fourier(network.restrict_to_line([0], [1]), 2, 20))
    assert numerics.fourier_bound(regions) <= numerics.fourier_bound(network.restrict_to_line([0], [1]))


def test_frequencies_near_zero_and_huge():
    """Where the parts cancel by thousands of digits the total is still good to all digits asked for."""
    regions = ss.relu_network([([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[1, 1, -2]], [0])]).linear_regions([(-1, 1), (-1, 1)])
    for exponent in (20, 300, 3000):
        value = numerics.fourier(regions, [f"1e-{exponent}", 0], 20)
        assert value.real.rel_accuracy_bits() > 60
        assert abs(float(value.real) - float(regions.integral)) < 1e-12
    assert numerics.fourier_parts(_bump().linear_regions([(-2, 2), (-2, 2)]), ["1e-40", "1e-41"], 20).interior.real.rel_accuracy_bits() > 60
    huge = numerics.fourier_parts(regions, [10**400, 1], 15).interior
    assert huge.real.rel_accuracy_bits() > 40


def test_frequency_zero_is_the_integral_and_bad_frequencies():
    regions = _bump().linear_regions([(-2, 2), (-2, 2)])
    with working_precision(200):
        assert abs(3 * numerics.fourier(regions, [0, 0]) - 2).upper() < 1e-29
    assert len(numerics.fourier(regions, [[0, 0], [1, 1]])) == 2
    with pytest.raises(InputError, match="distributions"):
        numerics.fourier_parts(regions, [0, sympy.sqrt(2) - sympy.sqrt(2)])
    with pytest.raises(InputError, match="3 coordinates"):
        numerics.fourier(regions, [1, 2, 3])
    with pytest.raises(InputError, match="finite"):
        numerics.fourier(regions, [1, float("nan")])
    with pytest.raises(InputError, match="linear regions"):
        numerics.fourier_parts(_bump(), [1, 2])


@pytest.mark.parametrize("d", [2, 3])
def test_frequencies_nearly_orthogonal_to_a_facet(d):
    """Ever closer to a facet's normal, against the exact exponential sum of the ray at 600 digits, where the differences of its nodes cancel."""
    rng = numpy.random.default_rng(d)
    widths = (d, 4, 3, 1)
    layers = [(numpy.round(8 * rng.standard_normal((b, a))) / 8, numpy.round(8 * rng.standard_normal(b)) / 8) for a, b in pairwise(widths)]
    regions = ss.relu_network(layers).linear_regions([(-1, 1)] * d)
    normal = max(regions.kinks, key=lambda facet: abs(facet.weight)).normal
    for exponent in (0, 2, 8, 16, 40, None):
        k = [Fraction(n) + (0 if exponent is None else Fraction(i + 1, 10**exponent)) for i, n in enumerate(normal)]
        found = numerics.fourier_parts(regions, k, 20).interior
        law = regions.decay(k)
        with working_precision(2000):
            total = acb(0)
            for (s, p), value in law.terms.items():
                height, factor = (arb(fmpq(x.numerator, x.denominator)) for x in (s, value))
                total += factor * acb(0, -1) ** (-p) * acb(height.cos(), -height.sin())
            square = sum(x * x for x in k)
            total *= -arb(fmpq(square.denominator, square.numerator))
            assert total.real.rad() < 1e-100
            assert abs(found - total).upper() <= abs(total).lower() * arb("1e-20")
