"""Where units are singular: images against values of the kernel."""

from __future__ import annotations

import itertools

import pytest
import sympy
from sympy import Rational

import symspec as ss
from symspec.cone_units import Reversals, joined, reversals, singular_units


def image_sets(kernel):
    return {(unit.layer, tuple(sorted(unit.field))): {(tuple(sorted(moved)), end) for moved, end in unit.images} for unit in singular_units(kernel.program, 0)}


def test_images():
    relu = image_sets(ss.cnn(ss.relu, 2, 2, 3).ck)
    assert relu == {(1, (0, 1)): {((), 1), ((0, 1), -1)}, (1, (1, 2)): {((), 1), ((1, 2), -1)}, (2, (0, 1, 2)): {((), 1)}}
    even = image_sets(ss.cnn(ss.absolute, 2, 2, 3).ck)
    assert even[2, (0, 1, 2)] == {((), 1), ((0, 1, 2), 1)}
    odd = image_sets(ss.cnn(ss.activation("x*abs(x)"), 2, 2, 2).ck)
    assert odd[2, (0, 1)] == {((), 1), ((0, 1), -1)}
    biased = image_sets(ss.cnn(ss.relu, 1, 2, 2, sigma_b2="1/2").ck)
    assert biased == {(1, (0, 1)): {((), 1)}}
    # A threshold that no other kink is opposite to.
    assert image_sets(ss.cnn(ss.activation("max(x-1,0)"), 1, 2, 2).ck) == {(1, (0, 1)): {((), 1)}}


@pytest.mark.parametrize("kernel", [ss.cnn(ss.absolute, 2, 2, 2, first_layer="pointwise").ntk, ss.cnn(ss.absolute, 2, 2, 3).ck, ss.cnn(ss.relu, 2, 2, 2).ck], ids=str)
def test_reversals_that_leave_the_kernel_alone(kernel):
    """Exactly those sets of pixels are unions of parts whose reversal does not change K at a point without symmetry."""
    point = {pixel: Rational(1, 3 + pixel) for pixel in range(kernel.pixels)}
    parts = reversals(kernel.program)[1][0].parts
    unions = {frozenset().union(*chosen) for size in range(len(parts) + 1) for chosen in itertools.combinations(parts, size)}
    before = sympy.N(kernel([point[pixel] for pixel in point]), 20)
    for size in range(kernel.pixels + 1):
        for chosen in itertools.combinations(sorted(point), size):
            after = sympy.N(kernel([-point[pixel] if pixel in chosen else point[pixel] for pixel in point]), 20)
            assert (abs(after - before) < 1e-15) == (frozenset(chosen) in unions)


def test_parts_above_even_layers():
    a, b = frozenset({0}), frozenset({1, 2})
    assert Reversals(b, odd=True).after("even") == Reversals(b, odd=False, parts=(b,))
    assert Reversals(b, odd=True).after("neither").parts == ()
    assert joined([a, b, frozenset({2, 3})]) == {a, frozenset({1, 2, 3})}


def test_slopes_are_listed_where_they_are_read():
    orders = {(unit.layer, unit.slope): unit.order for unit in singular_units(ss.cnn(ss.relu, 2, 2, 3).ntk_layers[1].program, 0)}
    assert orders == {(1, False): 3, (2, False): 3, (2, True): 1}
