"""Transforms of three cones in balls, by sectors: against products, two cones, and a double integral."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import arb
from sympy import Rational

from numerics import cone_integrals
from numerics.cone_integrals import several_integral, transform
from numerics.constants import ball
from numerics.precision import working_precision
from symspec.cone_overlap import Cone, Several, pair_of, several_transform, single_transform
from symspec.errors import Undecided

FREQUENCIES = {0: Rational(3, 2), 1: Rational(5, 2), 2: Rational(1, 2), 3: Rational(7, 2), 4: Rational(9, 2)}
APART = (Cone({0: Rational(1, 2)}, 3), Cone({1: Rational(2, 3), 3: Rational(1, 4)}, 1), Cone({2: Rational(1, 5)}, 3))
CHAIN = (Cone({0: Rational(1, 2), 1: Rational(1, 3)}, 3), Cone({1: Rational(2, 3), 2: Rational(1, 5), 3: Rational(1, 2)}, 1), Cone({3: Rational(1, 3), 4: Rational(2, 3)}, 3))
AROUND = (Cone({0: Rational(1, 2), 3: Rational(1, 3)}, 3), Cone({1: Rational(2, 3), 3: Rational(1, 2)}, 3), Cone({2: Rational(1, 5), 3: Rational(1, 7)}, 1))


@pytest.mark.parametrize("n", [1, 2])
def test_disjoint_cones_are_a_product(n):
    with working_precision(80):
        frequencies = {pixel: FREQUENCIES[pixel] for pixel in range(4)}
        product = sympy.Mul(*(single_transform(cone, n, frequencies) for cone in APART))
        found = transform(APART, n, frequencies, 20)
        assert found.overlaps(ball(product))
        assert found.rel_accuracy_bits() > 15


def test_two_cones_by_sectors():
    first, second = Cone({0: Rational(1, 2), 1: Rational(1, 3)}, 3), Cone({1: Rational(2, 3), 2: Rational(1, 5)}, 1)
    with working_precision(100):
        frequencies = {pixel: FREQUENCIES[pixel] for pixel in range(3)}
        found = several_integral(Several((first, second), 3), frequencies, 50)
        assert found.overlaps(cone_integrals.pair_integral(pair_of(first, second, 3), frequencies))
        assert found.rel_accuracy_bits() > 40


@pytest.mark.parametrize("cones", [CHAIN, pytest.param(AROUND, marks=pytest.mark.slow)], ids=["chain", "around one pixel"])
def test_three_overlapping_cones_against_a_double_integral(cones):
    frequencies = {pixel: FREQUENCIES[pixel] for cone in cones for pixel in cone.field}
    (integral,) = several_transform(cones, 2, frequencies).atoms(sympy.Integral)
    function = sympy.lambdify([limit[0] for limit in integral.limits], integral.function, "mpmath")
    value = mpmath.quad(function, [0, 0.3, 1, 6, mpmath.inf], [0, 0.3, 1, 6, mpmath.inf])
    with working_precision(80):
        found = several_integral(Several(cones, 2), frequencies, 16)
        assert found.rel_accuracy_bits() > 12
        assert abs(found / arb(mpmath.nstr(value, 12)) - 1).upper() < arb("1e-3")


def test_sectors_fit_together():
    """Their sum does not depend on the names of the cones; one left out is missed."""
    frequencies = {pixel: FREQUENCIES[pixel] for pixel in range(4)}
    with working_precision(80):
        values = [several_integral(Several(cones, 2), frequencies, 16) for cones in (AROUND, AROUND[::-1])]
        assert values[0].overlaps(values[1])
        part = cone_integrals._Sector(Several(AROUND, 2), (0, 1, 2), cone_integrals._scaled(frequencies)[0]).integral(16)
        assert not (values[0] - part * ball(cone_integrals._scaled(frequencies)[1] ** (-2 * Several(AROUND, 2).A))).overlaps(values[1])


def test_more_than_three_are_refused():
    cones = tuple(Cone({pixel: sympy.S.One, 9: sympy.S.One}, 3) for pixel in range(4))
    with pytest.raises(Undecided, match="gives it exactly"):
        transform(cones, 2, dict.fromkeys([*range(4), 9], sympy.S.One), 10)
