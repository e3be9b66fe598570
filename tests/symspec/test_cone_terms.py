"""Leading terms: means over the other pixels, images, heads, and which terms decide."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import pytest
import sympy
from sympy import Integral, Rational, Symbol

import symspec as ss
from symspec.cone_terms import mean_of
from symspec.layers import Nonlinearity
from symspec.pixel_jets import free_pixel
from symspec.receptive_cones import frequency

POINTWISE = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")
T1 = free_pixel(1)


def layered(kernel, activations):
    """The kernel with another activation in every layer."""
    return replace(kernel, program=replace(kernel.program, by_layer=tuple(map(Nonlinearity, activations))), origin=None)


def quadrature(expr):
    """The value, every integral by mpmath."""
    return float(expr.replace(Integral, lambda f, limits: sympy.Float(mpmath.quad(sympy.lambdify(limits[0], f, "mpmath"), [mpmath.mpf(-1), 0, 1]))))


@pytest.mark.parametrize(("channels", "degree"), [(2, 1), (3, 0), (3, 2), (5, 1)])
def test_means(channels, degree):
    """A polynomial is integrated exactly, another function as an integral that agrees with its power series to the digits of quadrature."""
    exact = mean_of(sum(T1**n / sympy.factorial(n) for n in range(16)), {1: degree}, channels)
    assert exact.is_Rational
    integral = mean_of(sympy.exp(T1), {1: degree}, channels)
    assert integral.has(Integral)
    assert abs(sympy.N(integral, 12) - exact) < 1e-9
    assert mean_of(sympy.S(7), {1: degree}, channels) == (0 if degree else 7)


def test_one_unit_with_a_mean():
    """The constant of the axis behind a pointwise layer, with the formula written out."""
    law = ss.cone_law(POINTWISE.ck, 3)
    (plus, minus) = sorted(law.decisive_terms({0}), key=lambda term: len(term.reversed))
    assert (plus.exponent, plus.others, plus.reversed, minus.reversed) == (5, (1,), frozenset(), frozenset({0}))
    kappa = (sympy.sqrt(1 - T1**2) + (sympy.pi - sympy.acos(T1)) * T1) / sympy.pi
    slope = lambda rho: 1 - sympy.acos(rho) / sympy.pi  # noqa: E731
    mean = sympy.Integral(slope((1 + kappa) / 2) + slope(kappa / 2), (T1, -1, 1)) / 2
    # K = kappa(mean of kappa(t_i)), kappa = 1 - (1 - t) + (2 sqrt 2/(3 pi)) (1 - t)^(3/2): half the slope times that, FT_2(3) = 9 * 2 pi, V = 4 pi.
    expected = mean / 2 * 2 * sympy.sqrt(2) / (3 * sympy.pi) * sympy.S(2) ** Rational(-3, 2) * 18 * sympy.pi / (4 * sympy.pi) * Rational(17, 2) ** -5
    assert abs(quadrature(law.leading((8, 0))) / quadrature(expected) - 1) < 1e-8


def test_symbols():
    k0, k1 = frequency(0), frequency(1)
    for kernel in (ss.cnn(ss.relu, 1, 2, 2).ck, ss.cnn(ss.absolute, 2, 2, 2, first_layer="pointwise").ntk):
        law = ss.cone_law(kernel, 4)
        assert sympy.simplify(law.leading_along({0, 1}).subs({k0: 6, k1: 4}) / law.leading((6, 4))) == 1
    axis = ss.cone_law(ss.hierarchical([ss.relu, [0, 0, 1]], [1, 2]), 3)
    assert axis.leading_along({0}).free_symbols >= {k0, T1} - {T1}
    assert Symbol("k_1", integer=True, nonnegative=True) not in axis.leading_along({0}).free_symbols


def test_images_of_two_units():
    """Below erf both pixels are singular at +-1 by themselves; where they overlap they share the sign of the pixel between."""
    apart = ss.cone_law(ss.hierarchical([ss.relu, ss.erf], [1, 2]), 3).decisive_terms({0, 1})
    assert sorted(sorted(term.reversed) for term in apart) == [[], [0], [0, 1], [1]]
    chain = layered(ss.cnn(ss.relu, 2, 2, 3).ck, [ss.relu, ss.erf])
    assert sorted(sorted(term.reversed) for term in ss.cone_law(chain, 3).decisive_terms({0, 2})) == [[], [0, 1, 2]]


def test_exponents_of_several_units():
    """Shared pixels count once; one unit at most has the order of a slope; a unit that sees all pixels may cost more than several that do not."""
    chain, apart = (ss.cnn(ss.relu, 2, 2, size, first_layer=first) for size, first in ((3, "conv"), (2, "pointwise")))
    assert [ss.cone_law(layered(kernel, [ss.relu, ss.erf]), 3).exponent({0, 2}) for kernel in (chain.ck, chain.ntk)] == [12, 10]
    assert [ss.cone_law(layered(kernel, [ss.relu, ss.erf]), 3).exponent({0, 1}) for kernel in (apart.ck, apart.ntk)] == [10, 8]
    assert ss.cone_law(layered(apart.ck, [ss.relu, ss.rectified_monomial(3)]), 3).exponent({0, 1}) == 10
    wide = ss.cone_law(ss.cnn(ss.relu, 2, 4, 4, first_layer="pointwise").ck, 3)
    assert [wide.exponent(range(size)) for size in (1, 2, 3, 4)] == [5, 10, 11, 11]
    tie = ss.cone_law(ss.cnn(ss.relu, 3, 2, 4, first_layer="pointwise").ck, 4)
    assert tie.exponent({0, 2}) == 12
    assert {len(term.units) for term in tie.decisive_terms({0, 2})} == {1, 2}


def test_three_overlapping_units():
    law = ss.cone_law(layered(ss.cnn(ss.relu, 2, 3, 5).ck, [ss.relu, ss.erf]), 3)
    chain = ss.cone_law(layered(ss.cnn(ss.relu, 3, 2, 4).ck, [ss.relu, ss.erf, ss.erf]), 3)
    assert law.is_checked({0, 1}) == chain.is_checked({0, 1}) is True
    assert (chain.exponent({0, 1, 3}), chain.is_checked({0, 1, 3})) == (14, True)
    # On a grid three squares around one pixel hold (0, 0), (0, 2) and (2, 0).
    grid = ss.cone_law(layered(ss.cnn(ss.relu, 3, (2, 2), (4, 4)).ck, [ss.relu, ss.erf, ss.erf]), 3)
    assert (grid.exponent({0, 2, 8}), grid.is_checked({0, 2, 8})) == (25, False)
    transform = grid.decisive_terms({0, 2, 8})[0].transform(dict.fromkeys(range(16), 2))
    assert len(transform.atoms(sympy.Integral)) == 1


def test_fixed_degrees():
    """Degrees of pixels that do not grow: an odd one is 0 where the kernel is even in that pixel, and another cover decides where the mean vanishes."""
    law = ss.cone_law(ss.cnn(ss.absolute, 2, 2, 2, first_layer="pointwise").ck, 3)
    assert law.leading((8, 1), support={0}) == 0
    assert 0 < quadrature(law.leading((8, 2), support={0})) < quadrature(law.leading((8, 0)))
    square = ss.cone_law(ss.hierarchical([ss.relu, [0, 0, 1]], [1, 2]), 3)
    assert square.decisive_terms({0}, {1: 2})[0].exponent == 5
