"""Products of Gauss and Gauss-Lobatto rules around eigenvalues on products of spheres."""

from __future__ import annotations

import itertools
from math import prod

import numpy
import pytest
from flint import arb
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics import angle_boxes, product_rules
from numerics.gauss_rules import gauss_rule, lobatto_rule, zonal_rows
from numerics.precision import working_precision
from numerics.real import integer_power
from symspec.errors import Undecided
from symspec.gegenbauer import monomial_eigenvalue

BITS = 120
RULES = {"gauss": gauss_rule, "lobatto": lobatto_rule}
CHAIN = ss.cnn(ss.relu, 3, 2, 4)
POINTWISE = ss.cnn(ss.relu, 2, 4, 4, first_layer="pointwise")


def one(channels, rule, a, k):
    nodes, weights = RULES[rule[0]](channels, rule[1], BITS)
    return sum((w * integer_power(t, a) * p for t, w, p in zip(nodes, weights, zonal_rows(channels, nodes, k)[k], strict=True)), arb(0))


def combined(rules, channels, powers, index):
    return sum((factor * prod((one(channels, rule, a, k) for rule, a, k in zip(names, powers, index, strict=True)), start=arb(1)) for names, factor in rules.items()), arb(0))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3), st.integers(0, 5), st.integers(0, 12)), min_size=1, max_size=4))
def test_every_monomial_is_bracketed(channels, axes):
    """(k, points beyond k, more points of the fine rule, (a - k)/2) for every axis."""
    index = tuple(k for k, *_ in axes)
    coarse = tuple(k + n for k, n, *_ in axes)
    coarse = tuple(max(n, 2) for n in coarse)
    fine = tuple(n + more for n, (_, _, more, _) in zip(coarse, axes, strict=True))
    powers = tuple(k + 2 * half for k, *_, half in axes)
    with working_precision(BITS):
        exact = prod((numerics.ball(monomial_eigenvalue(channels, a, k)) for a, k in zip(powers, index, strict=True)), start=arb(1))
        low = combined(product_rules.lower_rules(coarse, fine), channels, powers, index)
        high = combined(product_rules.upper_rules(coarse, fine), channels, powers, index)
        assert -arb("1e-30") < low < exact + arb("1e-30")
        assert high > exact - arb("1e-30")
        plain = combined({tuple(("gauss", n) for n in coarse): 1}, channels, powers, index), combined({tuple(("lobatto", n) for n in coarse): 1}, channels, powers, index)
        assert plain[0] < low + arb("1e-30")
        assert high < plain[1] + arb("1e-30")


def test_equal_points_are_plain_products():
    assert product_rules.lower_rules((3, 4), (3, 4)) == {(("gauss", 3), ("gauss", 4)): 1}
    assert product_rules.upper_rules((3, 4), (3, 4)) == {(("lobatto", 3), ("lobatto", 4)): 1}
    assert product_rules.upper_rules((3,), (9,)) == {(("lobatto", 9),): 1}


@pytest.mark.parametrize(("net", "part"), [(ss.cnn(ss.monomial(2), 2, 2, 4, sigma_w2=1, sigma_b2="1/3"), "ntk"), (ss.cnn(ss.polynomial(1, 1, 2), 1, 4, 4), "ck")])
def test_polynomial_kernels_are_exact(net, part):
    kernel = getattr(net, part)
    space = ss.MultiSphere(3, 4)
    indices = [(0, 0, 0, 0), (1, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (2, 1, 1, 0)]
    for index, value in zip(indices, numerics.eigenvalues(kernel, space, indices, 25), strict=True):
        exact = ss.eigenvalue(kernel, space, index)
        if exact == 0:
            assert value == 0
            continue
        with working_precision(200):
            assert abs(value / numerics.ball(exact) - 1) < arb("1e-25")
            assert value.overlaps(numerics.ball(exact))


def angles(net, part, index, points):
    """An independent rule in doubles: Gauss-Legendre in the angles on S^2, a plain recursion of ReLU duals."""
    x, w = numpy.polynomial.legendre.leggauss(points)
    t = numpy.cos(numpy.pi * (x + 1) / 2)
    density = w * numpy.sin(numpy.pi * (x + 1) / 2) * numpy.pi / 4
    axes = [t.reshape([-1 if i == axis else 1 for i in range(4)]) for axis in range(4)]
    values, tangent, q = axes, None, 1.0
    for patch in net.patches:
        weight = float(patch.weight)
        pre = [weight * sum(values[i] for i in row) / len(row) for row in patch.reads]
        tangents = [c if tangent is None else c + weight * sum(tangent[i] for i in row) / len(row) for c, row in zip(pre, patch.reads, strict=True)]
        q *= weight
        rho = [numpy.clip(c / q, -1, 1) for c in pre]
        tangent = [(numpy.pi - numpy.arccos(r)) / (2 * numpy.pi) * value for r, value in zip(rho, tangents, strict=True)]
        values = [q * (r * (numpy.pi - numpy.arccos(r)) + numpy.sqrt(1 - r * r)) / (2 * numpy.pi) for r in rho]
        q /= 2
    found = float(net.program("ck").readout.weight) * (values[0] + (tangent[0] if part == "ntk" else 0))
    found = numpy.broadcast_to(found, (points,) * 4)
    for k in reversed(index):
        found = found @ (density * numpy.polynomial.legendre.legval(t, [0] * k + [1]))
    return float(found)


@pytest.mark.parametrize(("net", "part", "digits"), [(CHAIN, "ck", 4), (CHAIN, "ntk", 3), (POINTWISE, "ck", 4), (POINTWISE, "ntk", 2), (ss.cnn(ss.relu, 2, 3, 4), "ck", 5)])
def test_four_pixels_against_doubles(net, part, digits):
    indices = [(0, 0, 0, 0), (1, 1, 0, 0), (2, 0, 0, 0), (1, 0, 0, 1), (2, 1, 1, 0), (1, 1, 1, 1)]
    found = numerics.eigenvalues(getattr(net, part), ss.MultiSphere(3, 4), indices, digits)
    for index, value in zip(indices, found, strict=True):
        assert value.rel_accuracy_bits() > 3.3 * digits
        assert abs(value.mid() - angles(net, part, index, 26)) < value.rad() + 2e-7


@pytest.mark.parametrize(("net", "indices"), [pytest.param(ss.cnn(ss.relu, 2, 2, 3), [(0, 0, 0), (1, 1, 0)], marks=pytest.mark.slow), (ss.cnn(ss.erf, 2, 2, 3), [(1, 0, 0), (1, 1, 1)])])
def test_three_pixels_against_the_boxes(net, indices):
    boxed = angle_boxes.integrals(net.ck, 3, (1, 1, 1), 8)
    for index, value in product_rules.eigenvalues(net.ck, 3, indices, 20).items():
        assert value.rel_accuracy_bits() >= 20
        assert value.overlaps(boxed[index])


def test_the_figures_of_three_pixels():
    figures = {(2, 2, 0): "6.74e-5", (2, 0, 2): "5.96e-6", (1, 1, 0): "4.15e-3", (1, 0, 1): "6.50e-4", (0, 2, 0): "5.03e-3", (2, 0, 0): "2.15e-3"}
    for text, value in zip(figures.values(), numerics.eigenvalues(ss.cnn(ss.relu, 2, 2, 3).ck, ss.MultiSphere(3, 3), list(figures), 5), strict=True):
        assert abs(value - arb(text)) < arb(f"0.5e{int(text.partition('e')[2]) - 2}")


def test_smooth_activations_have_many_digits():
    values = numerics.eigenvalues(ss.cnn(ss.erf, 2, 2, 2).ntk, ss.MultiSphere(3, 2), [(1, 0), (2, 1)], 40)
    assert all(value.rel_accuracy_bits() > 132 for value in values)
    few = numerics.eigenvalues(ss.cnn(ss.erf, 2, 2, 2).ntk, ss.MultiSphere(3, 2), [(1, 0), (2, 1)], 6)
    assert all(a.overlaps(b) for a, b in zip(values, few, strict=True))


@pytest.mark.parametrize("pixels", [5, 6])
def test_many_pixels(pixels):
    """One layer: the mean of the multi-indices of one type is that of all, and linear terms are exact, K = 1/pi + t/2 + ..."""
    kernel = ss.cnn(ss.relu, 1, pixels, pixels).ck
    indices = [(1, *(0,) * (pixels - 1)), (*(0,) * (pixels - 1), 1), (1, 1, *(0,) * (pixels - 2))]
    first, last, pair = numerics.eigenvalues(kernel, ss.MultiSphere(3, pixels), indices, 4)
    assert first.overlaps(last)
    assert abs(first * 3 * pixels * 2 - 1) < 1e-4
    assert 0 < pair < first


def test_equal_and_opposite_pixels():
    """The ends of Lobatto rules are on the diagonal, where the expressions divide by zero."""
    for net in (CHAIN, POINTWISE, ss.cnn(ss.gelu, 3, 2, 4), ss.cnn(ss.step, 1, 4, 4)):
        for kernel in (net.ck, net.ntk) if not net.ntk.diagonal_is_infinite else (net.ck,):
            with working_precision(100):
                points = numpy.array([arb(2), arb(1), arb(0)], dtype=object)
                grid = product_rules.values(kernel, [points] * 4)
            for place in itertools.islice(itertools.product(range(3), repeat=4), 0, None, 7):
                assert abs(grid[place] - numerics.evaluate(kernel, [i - 1 for i in place], 20)) < 1e-13


def test_slabs_change_nothing(monkeypatch):
    whole = product_rules.eigenvalues(CHAIN.ck, 3, [(1, 1, 0, 0)], 8)
    monkeypatch.setattr(product_rules, "SLAB_POINTS", 300)
    parts = product_rules.eigenvalues(CHAIN.ck, 3, [(1, 1, 0, 0)], 8)
    assert abs(whole[1, 1, 0, 0].mid() - parts[1, 1, 0, 0].mid()) < 1e-15


def test_the_accuracy_reached_is_named():
    with pytest.raises(Undecided, match=r"product rules of 4 pixels give [2-6] digits with .* more than 30000"):
        product_rules.eigenvalues(CHAIN.ck, 3, [(1, 1, 0, 0)], 60, most=30_000)
    with pytest.raises(Undecided, match="fewer pixels"):
        product_rules.eigenvalues(ss.cnn(ss.relu, 1, 12, 12).ck, 3, [(1,) * 12], 60, most=30_000)


def test_only_pixels_seen_alone_are_refined():
    assert product_rules.singular_pixels(CHAIN.ck.program) == frozenset()
    assert product_rules.singular_pixels(POINTWISE.ck.program) == {0, 1, 2, 3}
    assert product_rules.singular_pixels(ss.cnn(ss.erf, 2, 4, 4, first_layer="pointwise").ck.program) == frozenset()


def test_bounds_that_exclude_each_other_are_seen(monkeypatch):
    """Deliberate faults: rules exchanged, and a combination without its negative terms."""
    kernel, index = POINTWISE.ck, [(2, 0, 0, 0)]
    right = product_rules.eigenvalues(kernel, 3, index, 22)[index[0]]
    lower, upper = product_rules.lower_rules, product_rules.upper_rules
    with monkeypatch.context() as patch:
        patch.setattr(product_rules, "lower_rules", upper)
        patch.setattr(product_rules, "upper_rules", lower)
        with pytest.raises(AssertionError, match="exclude"):
            product_rules.eigenvalues(kernel, 3, index, 10)
    with monkeypatch.context() as patch:
        patch.setattr(product_rules, "lower_rules", lambda *counts: {rules: factor for rules, factor in lower(*counts).items() if factor > 0})
        with pytest.raises(AssertionError, match="exclude"):
            product_rules.eigenvalues(kernel, 3, index, 10)
    with monkeypatch.context() as patch:
        patch.setattr(product_rules, "upper_rules", lower)
        wrong = product_rules.eigenvalues(kernel, 3, index, 10)[index[0]]
        assert not wrong.overlaps(right)
