"""The real carrier: clamping that is sound, powers, the orthant probability against quadrature."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import arb
from hypothesis import given, settings, strategies as st
from sympy import Rational

from numerics import real
from numerics.precision import working_precision

MONOTONE = [(real.sqrt, mpmath.sqrt, 0, 9), (real.asin, mpmath.asin, -1, 1), (real.acos, mpmath.acos, -1, 1), (real.archav, lambda w: 2 * mpmath.asin(mpmath.sqrt(w)), 0, 1)]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(MONOTONE), st.fractions(0, 1, max_denominator=50), st.integers(0, 30), st.fractions(-1, 1, max_denominator=20))
def test_a_ball_that_sticks_out_is_cut_and_still_encloses(case, share, exponent, offset):
    function, reference, low, high = case
    point = low + share * (high - low)
    with working_precision(120), mpmath.workdps(40):
        exact = arb(point.numerator) / point.denominator
        radius = arb(2) ** -exponent
        ball = exact + radius * offset.numerator / offset.denominator + arb(0, radius.upper())
        found = function(ball)
        assert found.is_finite()
        wanted = reference(mpmath.mpf(point.numerator) / point.denominator)
        assert found.overlaps(arb(mpmath.nstr(wanted, 38)) + arb(0, 1e-35))


def test_a_ball_wholly_outside_is_no_number():
    for value, function in ((arb(-1), real.sqrt), (arb(2), real.asin), (arb(-2), real.acos), (arb(3), real.archav), (arb(-0.1), real.archav)):
        assert function(value).is_nan()


def test_archav_is_exact_at_zero_and_relative_near_it():
    assert real.archav(arb(0)) == 0
    with working_precision(100):
        tiny = real.archav(arb(10) ** -60)
        assert abs(tiny - 2 * arb(10) ** -30) < arb("1e-58")
        near = real.archav(1 - arb(2) ** -60)
        assert abs(near - arb.pi() + 2 * arb(2) ** -30) < arb("1e-26")


@pytest.mark.parametrize("exponent", [0, 1, 2, 7, -1, -4])
def test_integer_powers(exponent):
    base = arb(3) / 7
    assert real.integer_power(base, exponent).overlaps((exponent * base.log()).exp())
    if exponent > 0:
        wide = real.integer_power(arb(0, 0.5), exponent)
        assert wide.contains(arb(0.5) ** exponent)
        assert wide.contains((-arb(0.5)) ** exponent if exponent % 2 else arb(0))


def test_fractional_powers():
    assert real.power(arb(8), Rational(2, 3)).overlaps(arb(4))
    assert real.power(arb(0, 1e-9), Rational(1, 3)).contains(arb(1e-9) ** (arb(1) / 3))
    assert real.power(arb(0), Rational(3, 2)) == 0
    assert real.power(arb(0, 1e-9), Rational(-1, 3)).is_nan()


@settings(deadline=None, max_examples=25)
@given(st.fractions(-2, 2, max_denominator=8), st.fractions(-2, 2, max_denominator=8), st.fractions(Rational(1, 20), Rational(61, 20), max_denominator=20))
def test_orthant_against_an_integral_of_another_form(h, k, theta):
    """P(X > h, Y > k) by conditioning on X, to 30 digits."""
    with working_precision(150), mpmath.workdps(36):
        a, b, t = (mpmath.mpf(x.numerator) / x.denominator for x in (h, k, theta))
        rho, sine = mpmath.cos(t), mpmath.sin(t)
        edge = b / rho if abs(rho) > 0.05 else a
        # The conditional probability turns within a few sines of the edge, which the quadrature must be told.
        turn = [edge + i * sine for i in range(-8, 9)]
        stops = sorted({a, *(x for x in (*turn, a + 1, a + 3, a + 6, a + 10) if a < x < a + 16), a + 16})
        wanted = mpmath.quad(lambda u: mpmath.npdf(u) * mpmath.ncdf((rho * u - b) / sine), stops)
        found = real.orthant(*(arb(x.numerator) / x.denominator for x in (h, k, theta)))
        assert abs(found - arb(mpmath.nstr(wanted, 34))) < arb("1e-30")


@pytest.mark.parametrize("sign", [1, -1])
def test_orthant_of_equal_and_opposite_variables(sign):
    """Correlation +-1: P(X > max(h, k)) and P(h < X < -k)."""
    theta = arb(0) if sign > 0 else arb.pi()
    for h, k in ((0.25, 0.25), (0.5, -1.0), (-1.0, 0.5), (-0.5, -0.75)):
        with mpmath.workdps(20):
            wanted = mpmath.ncdf(-max(h, k)) if sign > 0 else max(mpmath.mpf(0), mpmath.ncdf(-k) - mpmath.ncdf(h))
        assert abs(real.orthant(arb(h), arb(k), theta) - arb(mpmath.nstr(wanted, 18))) < arb("1e-10")


def test_orthant_of_an_angle_that_touches_an_end_contains_its_values():
    for h, k in ((0.25, 0.25), (0.5, -1.0), (-0.5, -0.75)):
        for low, high in ((0, 2e-3), (3.140, 3.1420)):
            wide = real.orthant(arb(h), arb(k), arb(low).union(arb(high)))
            assert wide.is_finite()
            for theta in (5e-4, 1.9e-3) if low == 0 else (3.1401, 3.1415):
                assert wide.overlaps(real.orthant(arb(h), arb(k), arb(theta)))


def test_orthant_of_wide_balls_contains_the_values():
    wide = real.orthant(arb(0.3, 0.01), arb(-0.2, 0.01), arb(1, 0.01))
    for h in (0.291, 0.309):
        for theta in (0.991, 1.009):
            assert wide.contains(real.orthant(arb(h), arb(-0.2), arb(theta)).mid())


def test_the_carrier_covers_every_operation():
    from symspec.program import OPERATIONS

    assert set(OPERATIONS) == set(real.table(arb(1), arb(1), arb))
    assert real.table(arb(1), arb(1), arb)["constant"](sympy.Integer(1) and 2) == 2
