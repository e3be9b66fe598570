"""Product bounds of convolutional kernels."""

from __future__ import annotations

import itertools

import pytest
from flint import arb

import numerics
import symspec as ss
from symspec.errors import InputError


def test_bounds_hold_and_are_attained():
    net = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")
    bounds = numerics.product_bounds(net.ck, 3, 6)
    indices = list(itertools.product(range(7), repeat=2))
    values = numerics.eigenvalues(net.ck, ss.MultiSphere(3, 2), indices, 10)
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
