"""Exact transforms along rays and exact orders of decay."""

from __future__ import annotations

import itertools
from fractions import Fraction

import mpmath
import pytest
import sympy
from hypothesis import given, settings, strategies as st

import symspec as ss
from symspec.errors import InputError
from symspec.ray_transforms import divided_difference_terms, generic_direction

from .random_relu_networks import relu_networks
from .test_linear_regions import gaussian_network


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=5), st.fractions("1/3", 5, max_denominator=5))
def test_divided_differences_with_nodes_that_meet(nodes, t):
    """Against the corner entry of the exponential of the bidiagonal matrix."""
    with mpmath.workdps(30):
        c = mpmath.mpc(0, -mpmath.mpf(t.numerator) / t.denominator)
        n = len(nodes)
        matrix = mpmath.matrix(n, n)
        for i, node in enumerate(nodes):
            matrix[i, i] = c * node
            if i + 1 < n:
                matrix[i, i + 1] = 1
        expected = mpmath.expm(matrix)[0, n - 1]
        found = sum(
            (mpmath.mpf(value.numerator) / value.denominator * c ** (-p) * mpmath.exp(c * int(s)) for s, p, value in divided_difference_terms([Fraction(x) for x in nodes])), mpmath.mpc(0)
        )
        assert abs(found - expected) < 1e-20


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_order_is_at_least_that_of_the_geometry(data):
    d = data.draw(st.integers(1, 3))
    regions = data.draw(relu_networks(d, most=3)).linear_regions([(-1, 2)] * d)
    direction = [data.draw(st.integers(-3, 3)) for _ in range(d)]
    if not any(direction):
        direction[0] = 1
    law = regions.decay(direction)
    assert law.order is None or law.bound_order <= law.order <= d + 1
    assert law.codimension <= d
    assert (law.order is None) == (not law.terms)


@pytest.mark.parametrize(("widths", "seed"), [((2, 5, 4, 1), 1), ((3, 3, 3, 1), 2)])
def test_generic_and_exceptional_directions_of_a_random_network(widths, seed):
    network, _ = gaussian_network(widths, seed)
    d = widths[0]
    regions = network.linear_regions([(-2, 2)] * d)
    spaces = regions.exceptional_directions()
    normals = {facet.normal for facet in regions.kinks}
    lines = {space.basis[0] for space in spaces if space.codimension == 1}
    assert all(sum((n in lines, tuple(-x for x in n) in lines)) == 1 for n in normals)
    assert {space.codimension for space in spaces} == set(range(1, d))
    for space in spaces[:: max(1, len(spaces) // 12)]:
        assert space.order == space.codimension + 1
    assert regions.decay(generic_direction(regions)).order == d + 1


def test_where_kinks_cross_nothing_is_left():
    """max(x,0) + max(y,0): the crossing adds nothing, so in the direction (1, 1) only the corners of the box matter."""
    regions = ss.relu_network([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])]).linear_regions([(-1, 1), (-1, 1)])
    law = regions.decay([1, 1])
    assert law.order == 3
    assert {s for s, _ in law.terms} == {Fraction(-1), Fraction(1)}
    assert regions.decay([1, 0]).order == 2
    assert r"\le 2" in regions.decay([1, 0]).statement()


def test_no_kinks_no_transform():
    regions = ss.relu_network([([[1, 2]], [0])]).linear_regions([(-1, 1), (-1, 1)])
    law = regions.decay([1, 0])
    assert (law.order, law.expression(sympy.Symbol("t", positive=True)), law.constant) == (None, 0, 0)
    assert "=0" in law.statement()
    assert regions.exceptional_directions() == ()


def test_the_closed_form_on_a_line():
    f = ss.relu_network([([[1], [1], [1]], [1, 0, -1]), ([[1, -2, 1]], [0])])
    t = sympy.Symbol("t", positive=True)
    found = f.linear_regions([(-2, 2)]).decay([1]).expression(t)
    expected = f.restrict_to_line([0], [1]).fourier_transform(t)
    assert sympy.simplify(found - expected) == 0


def test_bad_directions():
    regions = ss.relu_network([([[1, 2]], [0])]).linear_regions([(-1, 1), (-1, 1)])
    with pytest.raises(InputError, match="direction is zero"):
        regions.decay([0, 0])
    with pytest.raises(InputError, match="3 coordinates"):
        regions.decay([1, 2, 3])


def test_the_constant_bounds_the_ray():
    network, _ = gaussian_network((2, 4, 3, 1), 5)
    regions = network.linear_regions([(-1, 1)] * 2)
    law = regions.decay(regions.kinks[0].normal)
    t = sympy.Symbol("t", positive=True)
    expression = law.expression(t)
    for exponent in (3, 5):
        scaled = abs(complex(expression.subs(t, 10**exponent).evalf(40))) * 10 ** (exponent * law.order)
        assert scaled <= float(law.constant) * (1 + 10 ** (2 - exponent))
    assert list(itertools.islice(law.terms, 1))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_orders_of_exceptional_spaces_are_those_of_their_samples(data):
    """The shortcut by leading coefficients and residues against the whole transform."""
    d = data.draw(st.integers(2, 3))
    regions = data.draw(relu_networks(d, most=3)).linear_regions([(-1, 2)] * d)
    for space in regions.exceptional_directions()[:6]:
        law = regions.decay(space.sample)
        assert (space.order, space.codimension) == (law.order, law.codimension)


def test_residues_are_not_needed(monkeypatch):
    """Where a denominator is a multiple of the prime all simplices are looked at."""
    network, _ = gaussian_network((2, 4, 3, 1), 1)
    regions = network.linear_regions([(-2, 2)] * 2)
    expected = [space.order for space in regions.exceptional_directions()]
    monkeypatch.setattr("symspec.linear_regions.PRIME", 2)
    again = network.linear_regions([(-2, 2)] * 2)
    assert len(again.level_simplices((Fraction(1), Fraction(2)), 2)) == len(again.kink_simplices)
    assert [space.order for space in again.exceptional_directions()] == expected
