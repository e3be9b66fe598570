"""Transforms in all of space: closed forms of cones, functions of compact support, translations, and singular directions."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from flint import acb, arb, fmpq
from hypothesis import assume, given, settings, strategies as st

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec.errors import InputError
from symspec.unbounded_kinks import unbounded_kinks
from tests.symspec.random_relu_networks import layer_lists

nonzero = st.fractions(-6, 6, max_denominator=5).filter(bool)


def _corner(d):
    """min(x_1, ..., x_d) in the orthant and 0 elsewhere: m = max(0, m), min(m, x) = x - max(0, x - m) layer by layer."""
    layers = [([[int(i == j) for j in range(d)] for i in range(d)], None)]
    rows = d
    while rows > 1:
        # (m, x, ...) -> (max(x - m, 0), max(x, 0), ...) -> (x - max(x - m, 0), ...).
        first = [[-1, 1, *[0] * (rows - 2)], *([0] * (i + 1) + [1] + [0] * (rows - 2 - i) for i in range(rows - 1))]
        layers.append((first, None))
        merge = [[-1, 1, *[0] * (rows - 2)], *([0] * (i + 2) + [1] + [0] * (rows - 3 - i) for i in range(rows - 2))]
        layers.append((merge, None))
        rows -= 1
    return ss.relu_network([*layers, ([[1]], None)])


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 3), st.lists(nonzero, min_size=3, max_size=3))
def test_the_corner_function_has_a_closed_form(d, k):
    """Integral of min(x) e^(-ik.x) over the orthant = 1/(prod i k_j * i sum k_j)."""
    k = k[:d]
    assume(all(sum(k[i] for i in chosen) for chosen in ([0, 1], range(d))))
    network = _corner(d)
    assert network([3, 2, 5][:d])[0] == 2
    assert network([3, -1, 5][:d])[0] == 0
    try:
        found = numerics.fourier(network, k, 20)
    except InputError:
        # Orthogonal to the ray (1, 0, 1), which is a true edge of the kinks.
        assume(d == 2)
        raise
    with working_precision(120):
        expected = acb(1)
        for x in [*k, sum(k)]:
            expected /= acb(0, arb(fmpq(x.numerator, x.denominator)))
        assert abs(found - expected).upper() < 1e-18 * float(abs(expected).upper())


def test_compact_support_is_the_part_of_the_box():
    layers = [([[1, 0], [-1, 0], [0, 1], [0, -1]], None), ([[-1, -1, -1, -1]], [1]), ([[1]], [0])]
    bump = ss.relu_network(layers)
    regions = bump.linear_regions([(-2, 2), (-2, 2)])
    for k in ([1, 2], [3, 3], [5, 0], [0, 7], [sympy.pi, sympy.sqrt(2)]):
        assert numerics.fourier(bump, k, 20).overlaps(numerics.fourier(regions, k, 25))


@settings(max_examples=25, deadline=None)
@given(layer_lists(2, most=3), st.lists(st.fractions(-2, 2, max_denominator=3), min_size=2, max_size=2))
def test_a_translation_is_a_phase(layers, shift):
    k = [Fraction(17, 7), Fraction(-29, 11)]
    (first, biases), *rest = layers
    moved = [b - sum(w * s for w, s in zip(row, shift, strict=True)) for row, b in zip(first, biases, strict=True)]
    here, there = ss.relu_network(layers), ss.relu_network([(first, moved), *rest])
    with working_precision(200):
        angle = sum(x * s for x, s in zip(k, shift, strict=True))
        phase = acb(arb(fmpq(angle.numerator, angle.denominator)).cos(), -arb(fmpq(angle.numerator, angle.denominator)).sin())
        assert abs(numerics.fourier(there, k, 25) - phase * numerics.fourier(here, k, 25)).upper() < 1e-20


def test_one_hidden_layer_lives_on_its_normals():
    """Off the normals of its hyperplanes the transform of a one-layer network is exactly 0: crossings add nothing."""
    network = ss.relu_network([([[1, 2], [3, -1], [1, 1]], [1, 0, -1]), ([[1, -2, 1]], [5])])
    assert abs(numerics.fourier(network, [1, 1 / 3], 20)).upper() < 1e-30
    with pytest.raises(InputError, match=r"singular at \(1, 2\).*linear_regions"):
        numerics.fourier(network, [1, 2])


def test_far_boxes_tend_to_all_of_space():
    """Interior vertices alone decide: the own part in a box minus what lies on the boundary of the box."""
    network = _corner(2)
    regions = network.linear_regions([(-1, 9), (-2, 8)])
    law = regions.decay([2, 3])
    own = {s: value for (s, p), value in law.terms.items() if p == 1 and s == 0}
    found = numerics.fourier(network, [2, 3], 20)
    # -(1/13) C/(-i) with the coefficient of the vertex 0.
    assert abs(complex(found) - (-float(own[Fraction(0)]) / 13 / (-1j))) < 1e-15


def test_frequencies_that_are_refused():
    network = _corner(2)
    for k, reason in (([0, 0], "singular"), ([1, -1], "singular"), ([1], "1 coordinates"), ([1, float("inf")], "finite")):
        with pytest.raises(InputError, match=reason):
            numerics.fourier(network, k)
    with pytest.raises(InputError, match="2 outputs"):
        numerics.fourier(ss.relu_network([([[1, 0], [0, 1]], None)]), [1, 2])
    with pytest.raises(InputError, match="output 1"):
        unbounded_kinks(network, 1)
    assert len(numerics.fourier(network, [[1, 2], [2, 1]])) == 2


def test_three_inputs_in_a_direction_of_the_first_fan():
    """k orthogonal to a ray where a kink meets a coordinate plane, which is no edge: another fan decides."""
    network = _corner(3)
    turned = ss.relu_network([([[1, 2, 0], [0, 1, 1], [1, 0, 3]], None), *_layers(network)])
    # The kinks meet coordinate planes in rays such as (2, -1, 0) x ...; a grid of small vectors hits several of them.
    values = 0
    for k in ([1, 2, 5], [2, 3, 7], [3, 2, 4], [1, 1, 1]):
        try:
            found = numerics.fourier(turned, k, 15)
        except InputError:
            continue
        values += 1
        m = sympy.Matrix([[1, 2, 0], [0, 1, 1], [1, 0, 3]])
        q = m.T.inv() * sympy.Matrix(k)
        expected = 1 / (q[0] * q[1] * q[2] * (q[0] + q[1] + q[2])) / abs(m.det())
        assert abs(complex(found) - complex(expected)) < 1e-12 * abs(complex(expected))
    assert values >= 2


def _layers(network):
    """The layers after an identity."""
    return [([[int(layer.matrix[i, j]) for j in range(layer.inputs)] for i in range(layer.outputs)], None) for layer in network.layers[1:]]
