"""Transforms of products of cones: disjoint ones as products, overlapping ones against Parseval's identity."""

from __future__ import annotations

from math import exp, gamma, pi

import mpmath
import numpy
import pytest
import sympy
from numpy.polynomial.hermite_e import hermeval
from numpy.polynomial.legendre import leggauss
from sympy import Rational

from symspec.cone_overlap import Cone, components, factor_of, pair_of, pair_transform, several_transform, single_transform


def test_one_cone_is_a_riesz_transform():
    """FT of |y|^a is 2^(a+D) pi^(D/2) Gamma((D+a)/2)/Gamma(-a/2) |k|^(-D-a)."""
    D, a = 4, 3
    expected = sympy.S(2) ** (a + D) * sympy.pi ** (D // 2) * sympy.gamma(Rational(D + a, 2)) / sympy.gamma(Rational(-a, 2)) * sympy.S(25) ** -Rational(D + a, 2)
    cone = Cone({0: sympy.S.One, 1: sympy.S.One}, a)
    assert sympy.simplify(single_transform(cone, 2, {0: sympy.S(3), 1: sympy.S(4)}) / expected) == 1


@pytest.mark.parametrize(("orders", "n"), [((3, 3), 1), ((1, 3), 2), ((5, 1), 3)])
def test_disjoint_cones_are_a_product(orders, n):
    """The integral over the angle, without shared pixels, is a product of two transforms: the whole formula but for the shared part."""
    first, second = Cone({0: Rational(1, 2)}, orders[0]), Cone({1: Rational(2, 3), 2: Rational(1, 5)}, orders[1])
    frequencies = {0: Rational(3, 2), 1: Rational(7, 2), 2: Rational(1, 2)}
    expected = single_transform(first, n, frequencies) * single_transform(second, n, frequencies)
    assert abs(sympy.N(pair_transform(first, second, n, frequencies) / expected, 20) - 1) < 1e-15
    assert components([first, second]) == [[first], [second]]


def test_several_cones_are_a_double_integral():
    """Two as the integral over an angle, in another variable; three without shared pixels as a product."""
    frequencies = {0: Rational(3, 2), 1: Rational(5, 2), 2: Rational(1, 2), 3: Rational(7, 2)}
    pair = [Cone({0: Rational(1, 2), 1: Rational(1, 3)}, 3), Cone({1: Rational(2, 3), 2: Rational(1, 5)}, 1)]
    assert float(several_transform(pair, 2, frequencies).evalf(12) / pair_transform(*pair, 2, frequencies).evalf(12)) == pytest.approx(1, rel=1e-9)
    apart = [Cone({0: Rational(1, 2)}, 3), Cone({1: Rational(2, 3), 3: Rational(1, 4)}, 1), Cone({2: Rational(1, 5)}, 3)]
    (integral,) = several_transform(apart, 2, frequencies).atoms(sympy.Integral)
    value = mpmath.quad(sympy.lambdify([limit[0] for limit in integral.limits], integral.function, "mpmath"), [0, 0.3, 1, 6, mpmath.inf], [0, 0.3, 1, 6, mpmath.inf])
    product = sympy.Mul(*(single_transform(cone, 2, frequencies) for cone in apart))
    assert float(value * (several_transform(apart, 2, frequencies) / integral / product).evalf(15)) == pytest.approx(1, rel=1e-6)


def transform_on(first, second, points):
    """The formula in floats for n = 1 and the pixels 0, 1, 2."""
    data = pair_of(first, second, 1)
    x, w = leggauss(60)
    angles, weights = (x + 1) * pi / 4, w * pi / 4
    g = {name: {pixel: float(value) for pixel, value in side.items()} for name, side in (("first", data.first), ("second", data.second))}
    total = numpy.zeros(points[0].shape)
    for angle, weight in zip(angles, weights, strict=True):
        s, c = numpy.sin(angle) ** 2, numpy.cos(angle) ** 2
        G = g["first"][1] * s + g["second"][1] * c
        T = points[0] ** 2 / g["first"][0] * c + points[2] ** 2 / g["second"][2] * s + s * c * points[1] ** 2 / G
        total += weight * 2 * s ** (data.a / 2) * c ** (data.b / 2) * G**-0.5 * T ** -float(data.A)
    return total * float(factor_of([first, second], 1) * data.jacobian())


@pytest.mark.parametrize("orders", [(3, 1), (3, 3)])
def test_overlapping_cones_by_parseval(orders):
    r"""int f phi^ = int f^ phi for phi = k_0^8 k_2^8 exp(-|k|^2/2), which vanishes where f^ is singular; both in polar coordinates, f being homogeneous."""
    first, second = Cone({0: Rational(13, 10), 1: Rational(7, 10)}, orders[0]), Cone({1: Rational(2, 5), 2: sympy.S(2)}, orders[1])
    x, w = leggauss(100)
    polar, polar_weights = (x + 1) * pi / 2, w * pi / 2
    around = (numpy.arange(200) + 0.5) * 2 * pi / 200
    weights = (polar_weights * numpy.sin(polar))[:, None] * (2 * pi / 200)
    T, P = numpy.meshgrid(polar, around, indexing="ij")
    point = [numpy.sin(T) * numpy.cos(P), numpy.cos(T), numpy.sin(T) * numpy.sin(P)]
    f = (1.3 * point[0] ** 2 + 0.7 * point[1] ** 2) ** (orders[0] / 2) * (0.4 * point[1] ** 2 + 2 * point[2] ** 2) ** (orders[1] / 2)
    degree, hermite = sum(orders), numpy.eye(9)[8]
    radii, radial_weights = (leggauss(120)[0] + 1) * 8, leggauss(120)[1] * 8
    left = (2 * pi) ** 1.5 * sum(
        v * r ** (degree + 2) * exp(-r * r / 2) * numpy.sum(weights * f * hermeval(r * point[0], hermite) * hermeval(r * point[2], hermite)) for r, v in zip(radii, radial_weights, strict=True)
    )
    radial = 2 ** ((16 - 3 - degree + 3) / 2 - 1) * gamma((16 - 3 - degree + 3) / 2)
    right = radial * numpy.sum(weights * transform_on(first, second, point) * point[0] ** 8 * point[2] ** 8)
    assert abs(left / right - 1) < 1e-4
    assert components([first, second]) == [[first, second]]
