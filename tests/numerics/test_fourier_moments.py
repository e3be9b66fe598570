"""Moments of exact polynomials against mpmath.quad, and the walk between dimensions against direct integrals."""

from __future__ import annotations

import mpmath
from flint import arb
from hypothesis import given, settings, strategies as st

from numerics.approximate import AnglePolynomial
from numerics.fourier_moments import moments, transforms
from numerics.precision import working_precision

from .mpmath_kernels import eigenvalue

COEFFICIENTS = st.lists(st.integers(-64, 64), min_size=1, max_size=9)


def _polynomial(numbers):
    return AnglePolynomial(tuple(arb(c) / 64 for c in numbers), arb(0))


def _value(numbers, theta):
    return mpmath.fsum(mpmath.mpf(c) / 64 * mpmath.chebyt(j, 2 * theta / mpmath.pi - 1) for j, c in enumerate(numbers))


@settings(deadline=None, max_examples=40)
@given(COEFFICIENTS, st.integers(0, 12), st.booleans())
def test_transforms(numbers, m, sine):
    with mpmath.workdps(30):
        wave = mpmath.sin if sine else mpmath.cos
        wanted = mpmath.quad(lambda t: _value(numbers, t) * wave(m * t), mpmath.linspace(0, mpmath.pi, 3))
        found = transforms(_polynomial(numbers), [m], 90, sine=sine)[m]
        with working_precision(120):
            assert abs(found - arb(mpmath.nstr(wanted, 28))) < arb("1e-24")


@settings(deadline=None, max_examples=40)
@given(COEFFICIENTS, st.integers(2, 11), st.integers(0, 8))
def test_moments_on_spheres(numbers, d, k):
    found = moments(_polynomial(numbers), d, [k], 90)[k]
    with mpmath.workdps(30):
        # The integrand of the module under test is a polynomial in the angle: acos(cos) is the angle.
        wanted = eigenvalue(lambda t: _value(numbers, mpmath.acos(max(-1, min(1, t)))), d, k)
        with working_precision(120):
            assert abs(found - arb(mpmath.nstr(wanted, 28))) < arb("1e-20")


def test_a_frequency_of_a_thousand_million_is_asymptotic():
    """The integral of theta cos(m theta) is exactly -2/m^2 for odd m."""
    theta = AnglePolynomial((arb(1), arb(1)), arb(0))  # 2 theta / pi
    m = 10**9 + 7
    found = transforms(theta, [m], 200, sine=False)[m]
    with working_precision(200):
        assert abs(found * arb.pi() / 2 + arb(2) / (arb(m) * m)) < arb("1e-57")


def test_moments_do_not_depend_on_their_company():
    p = _polynomial([3, -7, 11, 64, 5])
    alone = moments(p, 7, [4], 80)[4]
    together = moments(p, 7, [0, 4, 9, 30], 80)[4]
    assert alone.overlaps(together)
