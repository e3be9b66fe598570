"""Derivatives by parameters: against exact difference quotients, and the bound of their transforms."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from flint import arb
from hypothesis import assume, given, settings, strategies as st

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec.errors import InputError

from .random_relu_networks import layer_lists

STEP = Fraction(1, 10**24)


def _moved(layers, layer, neuron, weight, step):
    copy = [([list(row) for row in weights], list(biases)) for weights, biases in layers]
    if weight is None:
        copy[layer - 1][1][neuron - 1] += step
    else:
        copy[layer - 1][0][neuron - 1][weight - 1] += step
    return copy


@settings(max_examples=80, deadline=None)
@given(layer_lists(2, most=4, depth=3), st.data())
def test_against_difference_quotients_of_the_transform(layers, data):
    layer = data.draw(st.integers(1, len(layers)))
    neuron = data.draw(st.integers(1, len(layers[layer - 1][0])))
    weight = data.draw(st.one_of(st.none(), st.integers(1, len(layers[layer - 1][0][0]))))
    network = ss.relu_network(layers)
    # A line in general position meets no hyperplane along a piece, unless a neuron is dead.
    origin, direction = [Fraction(1, 7), Fraction(2, 11)], [1, Fraction(3, 5)]
    try:
        g = network.parameter_derivative(origin, direction, layer=layer, neuron=neuron, weight=weight)
    except InputError as error:
        assume("vanishes" not in str(error))
        raise
    assume(g.pointwise)
    k = data.draw(st.fractions("1/2", 9, max_denominator=4))
    low, high = (ss.relu_network(_moved(layers, layer, neuron, weight, step)).restrict_to_line(origin, direction) for step in (-STEP, STEP))
    found = numerics.fourier(g, k, 20)
    with working_precision(400):
        quotient = (numerics.fourier(high, k, 70) - numerics.fourier(low, k, 70)) / (2 * arb(STEP.numerator) / STEP.denominator)
        assert abs(found - quotient).upper() < 1e-15 * (1 + float(abs(found).upper()))
        bound = g.bound(k)
        assert abs(found).lower() <= arb(bound.numerator) / bound.denominator
    assert abs(complex(found) - complex(g.fourier_transform(sympy.Rational(k.numerator, k.denominator)).evalf(20))) < 1e-12 * (1 + abs(complex(found)))


def test_one_kink_moves_and_changes():
    network = ss.relu_network([([[2]], [-3]), ([[5]], [0])])
    bias = network.parameter_derivative([0], [1], layer=1, neuron=1)
    # The kink is at 3/2 and moves by -1/2; the slope jump is 10.
    assert (bias.breakpoints, bias.value_jumps, bias.slope_jumps) == ((Fraction(3, 2),), (5,), (0,))
    weight = network.parameter_derivative([0], [1], layer=2, neuron=1, weight=1)
    assert (weight.value_jumps, weight.slope_jumps) == ((0,), (2,))
    last = network.parameter_derivative([0], [1], layer=2, neuron=1)
    assert last.breakpoints == ()
    assert bias.statement().startswith(r"\[ \bigl|\partial_\theta\tilde f(k)\bigr|\le\frac{5}{|k|}+\frac{0}{k^2}")


def test_the_rate_is_k_times_that_of_the_network():
    network = ss.relu_network([([[1], [-2]], ["1/2", 1]), ([[1, 1]], [0])])
    g, f = network.parameter_derivative([0], [1], layer=1, neuron=1), network.restrict_to_line([0], [1])
    with working_precision(64):
        for k in (10**3, 10**6):
            assert 0.9 < float(abs(numerics.fourier(g, k, 15))) * k < 1.1
            assert float(abs(numerics.fourier(f, k, 15))) * k**2 <= 3


def test_a_kink_from_infinity():
    """max(0, 1 + theta x) at theta = 0: the kink is at -1/theta, and its share e^(ik/theta) of the quotient has no limit, but as a distribution it tends to 0."""
    network = ss.relu_network([([[0]], [1]), ([[1]], [0])])
    g = network.parameter_derivative([0], [1], layer=1, neuron=1, weight=1)
    assert not g.pointwise
    assert g.breakpoints == ()
    assert network.parameter_derivative([0], [1], layer=1, neuron=1).pointwise
    for step in (Fraction(1, 100), Fraction(1, 1001)):
        moved = ss.relu_network([([[step]], [1]), ([[1]], [0])]).restrict_to_line([0], [1])
        assert abs(abs(complex(numerics.fourier(moved, 3, 15))) / float(step) - 1 / 9) < 1e-12


def test_where_there_is_no_derivative():
    dead = ss.relu_network([([[0]], [0]), ([[1]], [0])])
    with pytest.raises(InputError, match="neuron 1 of layer 1 vanishes on a whole piece"):
        dead.parameter_derivative([0], [1], layer=1, neuron=1)
    assert dead.parameter_derivative([0], [1], layer=2, neuron=1).breakpoints == ()
    leaky = ss.relu_network([([[0]], [0]), ([[1]], [0])], slope=1)
    assert leaky.parameter_derivative([0], [1], layer=1, neuron=1).breakpoints == ()


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"layer": 3, "neuron": 1}, "layer 3 does not exist"),
        ({"layer": 0, "neuron": 1}, "at least 1"),
        ({"layer": 1, "neuron": 3}, "no neuron 3"),
        ({"layer": 1, "neuron": 1, "weight": 2}, "input 2"),
        ({"layer": 1, "neuron": 1, "output": 1}, "output 1"),
    ],
)
def test_parameters_that_do_not_exist(place, reason):
    network = ss.relu_network([([[1], [2]], None), ([[1, 1]], None)])
    with pytest.raises(InputError, match=reason):
        network.parameter_derivative([0], [1], **place)
    with pytest.raises(InputError, match="k != 0"):
        network.parameter_derivative([0], [1], layer=1, neuron=1).bound(0)
