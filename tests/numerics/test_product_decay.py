"""Product bounds of convolutional kernels."""

from __future__ import annotations

import itertools

import pytest
from flint import arb

import numerics
import symspec as ss
from symspec.errors import InputError, NoClosedForm


def test_bounds_hold_and_are_attained():
    net = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")
    bounds = numerics.product_bounds(net.ck, 3, 3)
    indices = list(itertools.product(range(4), repeat=2))
    values = numerics.eigenvalues(net.ck, ss.MultiSphere(3, 2), indices, 4)
    sizes = [arb(max(a, 1) * max(b, 1)) for a, b in indices]
    low = [value / (bounds.lower * size ** (-5)) for value, size in zip(values, sizes, strict=True)]
    high = [value / (bounds.upper * size ** arb(-3.5)) for value, size in zip(values, sizes, strict=True)]
    assert all(not value < 1 for value in low)
    assert all(not value > 1 for value in high)
    assert any(value.contains(1) for value in low)
    assert any(value.contains(1) for value in high)
    assert "<= lambda_k <=" in bounds.statement()


def test_the_assumption_fails_without_a_pointwise_layer():
    bounds = numerics.product_bounds(ss.cnn(ss.relu, 1, 2, 2).ntk, 4, 3)
    assert bounds.counterexample == (0, 3)
    assert bounds.lower == 0
    assert 2 * bounds.upper_exponent == 7
    assert "exactly 0" in bounds.statement()


def test_factorizable():
    first, second = ss.mlp(ss.relu, 1).ck, ss.mlp(ss.relu, 2).ntk
    value = numerics.factorizable_eigenvalue([first, second], 3, (2, 3), 20)
    assert value.overlaps(numerics.eigenvalues(first, ss.Sphere(3), 2, 25)[0] * numerics.eigenvalues(second, ss.Sphere(3), 3, 25)[0])
    assert numerics.factorizable_eigenvalue([first, second], 3, (3, 3)) == 0
    with pytest.raises(InputError):
        numerics.factorizable_eigenvalue([first, 1], 3, (3, 3))


def test_exponents_are_read_off_the_strata():
    """The tangent kernel loses one order; heads keep the exponents of their outputs; a smooth function of two kinks keeps only theirs."""
    pointwise = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")
    assert [numerics.product_bounds(kernel, 3, 1).lower_exponent for kernel in (pointwise.ck, pointwise.ntk)] == [5, 3]
    trace = numerics.product_bounds(ss.cnn(ss.relu, 2, 2, 2, "trace", "pointwise").ck, 3, 1)
    assert (trace.lower_exponent, 2 * trace.upper_exponent, trace.counterexample) == (5, 7, None)
    tree = numerics.product_bounds(ss.hierarchical([ss.relu, ss.erf], [1, 2]), 3, 4)
    assert tree.lower_exponent == tree.upper_exponent == 5
    assert tree.lower > 0


def test_factorizable_bounds_hold_for_every_multi_index():
    kernel = ss.factorizable([ss.mlp(ss.relu, 2).ck, None, ss.mlp(ss.leaky_relu("1/2"), 1).ck]) * 3
    bounds = numerics.factorizable_bounds(kernel, 3)
    assert bounds.exponents == (5, 0, 5)
    indices = [(a, 0, b) for a in (0, 1, 2, 3, 40, 501, 10**5) for b in (0, 1, 2, 30, 10**4)]
    for (a, _, b), value in zip(indices, numerics.eigenvalues(kernel, ss.MultiSphere(3, 3), indices, 10), strict=True):
        scaled = value * arb(max(a, 1)) ** 5 * arb(max(b, 1)) ** 5
        assert bounds.lower <= scaled <= bounds.upper
    assert "k_0^-(5) k_2^-(5)" in bounds.statement()
    for refused in (kernel + kernel * ss.one_pixel(ss.mlp(ss.relu, 1).ck, 1, 3), ss.cnn(ss.relu, 1, 2, 2).ck):
        with pytest.raises(InputError, match="one product"):
            numerics.factorizable_bounds(refused, 3)
    with pytest.raises(NoClosedForm, match="no power law"):
        numerics.factorizable_bounds(ss.factorizable([ss.mlp(ss.erf, 1).ck]), 3)
