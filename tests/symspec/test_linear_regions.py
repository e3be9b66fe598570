"""The exact complex of linear regions: against evaluation, brute force, and deliberate faults."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction
from math import prod

import numpy
import pytest
from hypothesis import given, settings, strategies as st

import symspec as ss
from symspec.errors import ComplexTooLarge, InputError, Refuted

from .random_relu_networks import relu_networks

numbers = st.fractions(-2, 2, max_denominator=7)


def gaussian_network(widths, seed):
    rng = numpy.random.default_rng(seed)
    layers = [(rng.standard_normal((b, a)), rng.standard_normal(b) / 2) for a, b in itertools.pairwise(widths)]
    return ss.relu_network(layers), layers


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_the_complex_is_the_network(data):
    d = data.draw(st.integers(1, 3))
    network = data.draw(relu_networks(d, most=4 if d < 3 else 3))
    regions = network.linear_regions([(-2, 2)] * d)
    regions.check()
    for vertex, value in zip(regions.vertices, regions.values, strict=True):
        assert network(vertex)[0] == value
    for _ in range(5):
        x = [data.draw(numbers) for _ in range(d)]
        assert regions(x) == network(x)[0]
    # The cells fill the box, and each is seen from its facets.
    assert sum(_volume(regions, cell) for cell in regions.cells) == 4**d
    alternating = sum((-1) ** k * count for k, count in enumerate(regions.counts))
    assert alternating == 1


def _volume(regions, cell):
    total = Fraction(0)
    for simplex in cell.simplices:
        base = regions.vertices[simplex[0]]
        rows = [[x - y for x, y in zip(regions.vertices[v], base, strict=True)] for v in simplex[1:]]
        total += abs(_determinant(rows)) / prod(range(1, len(rows) + 1))
    return total


def _determinant(rows):
    if not rows:
        return Fraction(1)
    return sum((-1) ** j * rows[0][j] * _determinant([row[:j] + row[j + 1 :] for row in rows[1:]]) for j in range(len(rows)))


@pytest.mark.parametrize(("widths", "samples"), [((2, 6, 5, 1), 600), ((3, 4, 3, 1), 90)])
def test_the_number_of_regions_agrees_with_sampling(widths, samples):
    """Sampled patterns of signs are cells; a fine grid finds all cells that hold one of its points, and no pattern besides."""
    network, layers = gaussian_network(widths, 3)
    d = widths[0]
    regions = network.linear_regions([(-2, 2)] * d)
    axis = numpy.linspace(-2, 2, samples + 1) + 1e-9
    signal = numpy.stack(numpy.meshgrid(*[axis] * d, indexing="ij"), -1).reshape(-1, d)
    pattern = []
    for weights, biases in layers[:-1]:
        before = signal @ weights.T + biases
        pattern.append(before > 0)
        signal = numpy.maximum(before, 0)
    found = {row.tobytes() for row in numpy.concatenate(pattern, axis=1)}
    spacing = 4 / samples
    small = sum(_volume(regions, cell) < 20 * Fraction(spacing) ** d for cell in regions.cells)
    assert len(regions) - small <= len(found) <= len(regions)
    assert small < len(regions) / 2


def test_one_neuron_of_two():
    regions = ss.relu_network([([[1, 1]], [0]), ([[2]], [1])]).linear_regions([(-1, 1), (-1, 1)])
    assert (len(regions), len(regions.facets), len(regions.boundary)) == (2, 1, 4)
    (facet,) = regions.facets
    assert facet.jump * facet.normal[0] == 2 * (1 if regions.cells[facet.cells[1]].gradient[0] else -1)
    # The jump is 2 sqrt(2), the length 2 sqrt(2).
    assert regions.total_variation == 8
    assert regions.integral == 2 * Fraction(8, 6) * 1 + 4


def test_coincident_hyperplanes_and_neurons_that_vanish():
    layers = [([[1, 0], [1, 0], [-2, 0], [0, 0]], [0, 0, 0, 0]), ([[1, -1, 0, 5], [0, 0, 1, 0]], [0, 0]), ([[1, 1]], [0])]
    regions = ss.relu_network(layers).linear_regions([(-1, 1), (-1, 1)])
    regions.check()
    assert (len(regions), len(regions.kinks), regions.total_variation) == (2, 1, 4)
    cancelling = ss.relu_network([([[1, 0], [-1, 0]], [0, 0]), ([[1, -1]], [0])]).linear_regions([(-1, 1), (-1, 1)])
    assert (len(cancelling), len(cancelling.kinks), cancelling.pieces) == (2, 0, 1)


def test_a_slope_of_one_cuts_nothing():
    network = ss.relu_network([([[1, 2]], [0]), ([[3]], [0])], slope=1)
    assert len(network.linear_regions([(-1, 1), (-1, 1)])) == 1


@pytest.mark.parametrize("fault", ["jump", "missing", "value"])
def test_faults_are_refuted(fault):
    network, _ = gaussian_network((2, 4, 3, 1), 0)
    regions = network.linear_regions([(-2, 2)] * 2)
    regions.check()
    inner = next(number for _, around in regions.ridges for number in around)
    if fault == "jump":
        first = regions.facets[inner]
        broken = replace(regions, facets=(*regions.facets[:inner], replace(first, jump=first.jump + 1), *regions.facets[inner + 1 :]))
    elif fault == "missing":
        number = next(i for i, (_, around) in enumerate(regions.ridges) if sum(bool(regions.facets[f].jump) for f in around) > 2)
        vertices, around = regions.ridges[number]
        kept = [f for f in around if f != next(f for f in around if regions.facets[f].jump)]
        broken = replace(regions, ridges=((vertices, tuple(kept)),))
    else:
        broken = replace(regions, values=(regions.values[0], *(value + (i == 5) for i, value in enumerate(regions.values[1:]))))
        assert any(6 in facet.vertices for facet in regions.facets)
    with pytest.raises(Refuted):
        broken.check()


def test_the_budget_says_the_count_reached():
    network, _ = gaussian_network((2, 8, 8, 1), 0)
    with pytest.raises(ComplexTooLarge, match=r"the complex has \d+ faces so far \(\d+ cells\), more than the budget of 50"):
        network.linear_regions([(-2, 2)] * 2, budget=50)
    wide, _ = gaussian_network((40, 2, 1), 0)
    with pytest.raises(ComplexTooLarge, match=r"dimension 40 has 3\^40 faces"):
        wide.linear_regions([(0, 1)] * 40)


def test_bad_boxes():
    network = ss.relu_network([([[1, 2]], [0])])
    for box, reason in [([(0, 1)], "1 sides"), ([(0, 1), (1, 1)], "empty: side 2"), ([(0, 1), (2, 1)], "empty"), ([(0, 1), 3], "pair"), ([(0, 1), (0, float("inf"))], "finite")]:
        with pytest.raises(InputError, match=reason):
            network.linear_regions(box)
    with pytest.raises(InputError, match="output 2"):
        network.linear_regions([(0, 1), (0, 1)], output=2)
    with pytest.raises(InputError, match="outside the box"):
        network.linear_regions([(0, 1), (0, 1)]).cell_at([2, 0])


def test_leaving_out_an_output():
    network = ss.relu_network([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])
    assert [facet.normal for facet in network.linear_regions([(-1, 1), (-1, 1)], output=1).kinks] in ([(0, 1), (0, 1)], [(0, -1), (0, 1)], [(0, 1), (0, -1)], [(0, -1), (0, -1)])
