"""Exact ReLU networks on lines: against evaluation point by point, brute force and degenerate cases."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy
import pytest
from hypothesis import given, settings, strategies as st

import symspec as ss
from symspec.errors import InputError

small = st.integers(-4, 4)


@st.composite
def networks(draw):
    """Networks of small integers, so that kinks coincide and neurons are constant along the line."""
    widths = [draw(st.integers(1, 3)), *draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)), 1]
    layers = [([[draw(small) for _ in range(a)] for _ in range(b)], [draw(small) for _ in range(b)]) for a, b in pairwise(widths)]
    return ss.relu_network(layers, draw(st.sampled_from([0, "1/10", -1])))


@settings(max_examples=150, deadline=None)
@given(networks(), st.data())
def test_the_restriction_is_the_network(network, data):
    origin = [data.draw(small) for _ in range(network.inputs)]
    direction = [data.draw(small) for _ in range(network.inputs)]
    if not any(direction):
        direction[0] = 1
    f = network.restrict_to_line(origin, direction)
    inside = [*f.breakpoints, *((a + b) / 2 for a, b in pairwise(f.breakpoints))]
    for t in [*inside, *(Fraction(n, 7) for n in range(-70, 71, 9)), Fraction(-1000), Fraction(1000)]:
        assert f(t) == network([x + t * v for x, v in zip(origin, direction, strict=True)])[0]
    assert all(jump != 0 for jump in f.slope_jumps)
    assert list(f.breakpoints) == sorted(set(f.breakpoints))


def test_no_kink_is_missed_by_a_network_of_floats():
    """The slope on a fine grid changes in exactly the cells that hold a kink."""
    rng = numpy.random.default_rng(5)
    widths = (4, 20, 20, 1)
    network = ss.relu_network([(rng.standard_normal((b, a)), rng.standard_normal(b)) for a, b in pairwise(widths)])
    origin, direction = rng.standard_normal(4), rng.standard_normal(4)
    f = network.restrict_to_line(origin, direction)
    exact_origin, exact_direction = [Fraction(x) for x in origin], [Fraction(v) for v in direction]
    grid = [Fraction(n, 40) for n in range(-200, 201)]
    values = [network([x + t * v for x, v in zip(exact_origin, exact_direction, strict=True)])[0] for t in grid]
    bent = {i for i in range(1, len(grid) - 1) if values[i - 1] - 2 * values[i] + values[i + 1] != 0}
    near = {i for i in range(1, len(grid) - 1) if any(grid[i - 1] < x < grid[i + 1] for x in f.breakpoints)}
    assert bent == near


def test_a_line_in_a_hyperplane_of_a_neuron():
    """The first neuron is 0 all along the line, the second constant, and the third has the only kink."""
    network = ss.relu_network([([[1, 0], [1, 0], [0, 1]], [0, 3, -2]), ([[5, 1, 1]], [0])])
    f = network.restrict_to_line([0, 0], [0, 1])
    assert (f.breakpoints, f.slopes, f(0)) == ((2,), (0, 1), 3)


def test_kinks_that_cancel_are_none():
    network = ss.relu_network([([[1], [1]], [0, 0]), ([[1, -1]], [7])])
    f = network.restrict_to_line([0], [1])
    assert (f.breakpoints, f.slopes, f(5)) == ((), (0,), 7)


def test_scale_of_the_direction():
    network = ss.relu_network([([[1]], ["-1/3"]), ([[1]], [0])])
    assert network.restrict_to_line(["1/2"], ["1/5"]).breakpoints == (Fraction(-5, 6),)
    assert network.restrict_to_line(["1/2"], ["1/5"]).slopes == (0, Fraction(1, 5))


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([], "at least one layer"),
        ([([[1, 2]], [0]), ([[1, 2]], [0])], "layer 2 takes 2 inputs, but layer 1 has 1"),
        ([([[1], [1, 2]], [0, 0])], "rows of equal length"),
        ([([[1]], [0, 0])], "1 neurons but 2 biases"),
        ([([[float("nan")]], [0])], "layer 1"),
        ([([[float("inf")]], None)], "layer 1"),
        ([3], "pair"),
    ],
)
def test_bad_networks(layers, reason):
    with pytest.raises(InputError, match=reason):
        ss.relu_network(layers)


def test_bad_lines():
    network = ss.relu_network([([[1, 2]], [0])])
    with pytest.raises(InputError, match="direction is zero"):
        network.restrict_to_line([0, 0], [0, 0])
    with pytest.raises(InputError, match="coordinates"):
        network.restrict_to_line([0], [1, 1])
    with pytest.raises(InputError, match="output 1"):
        network.restrict_to_line([0, 0], [1, 0], output=1)


@settings(max_examples=60, deadline=None)
@given(networks(), st.data())
def test_polylines_are_the_network(network, data):
    corners = [[data.draw(st.fractions(-3, 3, max_denominator=3)) for _ in range(network.inputs)] for _ in range(data.draw(st.integers(2, 5)))]
    times = sorted(data.draw(st.sets(st.fractions(-5, 5, max_denominator=4), min_size=len(corners), max_size=len(corners))))
    f = network.restrict_to_polyline(corners, times)
    assert (f.a, f.b) == (times[0], times[-1])
    assert all(jump for _, jump in f.kinks)
    x, value, slope, knots = f.a, f.values[0], f.slopes[0], [*f.kinks, (f.b, Fraction(0))]
    for end, jump in knots:
        for at in (x, (x + end) / 2, end):
            piece = max(i for i in range(len(times) - 1) if times[i] <= at)
            share = (at - times[piece]) / (times[piece + 1] - times[piece])
            assert value + slope * (at - x) == network([a + share * (b - a) for a, b in zip(corners[piece], corners[piece + 1], strict=True)])[0]
        value, x, slope = value + slope * (end - x), end, slope + jump
    assert value == f.values[1]


def test_bad_polylines():
    network = ss.relu_network([([[1, 2]], [0])])
    for corners, parameters, reason in [([[0, 0]], None, "two corners"), ([[0, 0], [1, 1]], [0, 0], "ascending"), ([[0, 0], [1, 1]], [0], "as many"), ([[0, 0], [1]], None, "corner has 1")]:
        with pytest.raises(InputError, match=reason):
            network.restrict_to_polyline(corners, parameters)
    with pytest.raises(InputError, match="output 1"):
        network.restrict_to_polyline([[0, 0], [1, 1]], output=1)


def test_a_polyline_that_stands_still():
    f = ss.relu_network([([[1, 2]], [0]), ([[1]], [0])]).restrict_to_polyline([[0, 1], [0, 1], [1, 1]])
    assert (f.values, f.slopes, f.kinks) == ((2, 3), (0, 1), ((1, 1),))
