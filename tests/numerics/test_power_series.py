"""Power series of kernels against mpmath's Taylor coefficients; tails and majorants."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import acb, arb
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics import complex_disc, power_series
from numerics.power_series import coefficients, majorants, monomial_eigenvalue, needed_terms
from numerics.precision import working_precision

from .mpmath_kernels import ANGULAR, SMOOTH, eigenvalue, kernel


@pytest.mark.parametrize("name", [*ANGULAR, *SMOOTH])
@pytest.mark.parametrize(("depth", "kind"), [(1, "ck"), (2, "ntk")])
def test_coefficients(name, depth, kind):
    with working_precision(150), mpmath.workdps(60):
        found = coefficients(getattr(ss.mlp(name, depth), kind), 8, arb(1))
        wanted = mpmath.taylor(lambda r: kernel(name, depth, kind, r), 0, 7, method="quad", radius=mpmath.mpf("0.25"))
        for b, value in zip(found, wanted, strict=True):
            assert abs(b - arb(mpmath.nstr(mpmath.re(value), 40))) < arb("1e-12")
            assert not b < 0


@pytest.mark.parametrize("text", ["Max(x,0) + sin(x)", "Max(x-1,0) + cos(x)"])
def test_parts_of_erf_in_series(text):
    sigma = ss.activation(text)
    with working_precision(150):
        found = coefficients(ss.mlp(sigma, 1, sigma_w2=1, sigma_b2=0).ck, 7, arb(1))
        for n, b in enumerate(found):
            assert abs(b - numerics.ball(sigma.hermite_coefficient(n) ** 2)) < arb("1e-30")


@pytest.mark.parametrize(("x", "y"), [((0.3, 0.1), (-0.7, 0.2)), ((0.0, 0.05), (1.5, -0.3))])
def test_parts_of_erf_continued(x, y):
    real_part, imaginary = complex_disc.erf_parts(acb(*x), acb(*y))
    z, w = mpmath.mpc(*x), mpmath.mpc(*y)
    upper, lower = mpmath.erf(z + 1j * w), mpmath.erf(z - 1j * w)
    for found, wanted in ((real_part, (upper + lower) / 2), (imaginary, (upper - lower) / 2j)):
        assert abs(complex(float(found.real.mid()), float(found.imag.mid())) - complex(wanted)) < 1e-13


def test_scaled_coefficients():
    K = ss.mlp(ss.erf, 1).ck
    with working_precision(120):
        plain, scaled = coefficients(K, 12, arb(1)), coefficients(K, 12, arb("1.25"))
        assert all(s.overlaps(p * arb("1.25") ** n) for n, (p, s) in enumerate(zip(plain, scaled, strict=True)))


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 12), st.integers(0, 12), st.integers(0, 12))
def test_monomials(d, n, k):
    with working_precision(120), mpmath.workdps(30):
        found = monomial_eigenvalue(d, n, k)
        if n < k or (n - k) % 2:
            assert found == 0
        else:
            assert abs(found - arb(mpmath.nstr(eigenvalue(lambda t: t**n, d, k), 28))) < arb("1e-22")


def test_majorants_bound_the_coefficients():
    for K in (ss.mlp(ss.erf, 2).ck, ss.mlp(ss.gelu, 1).ntk, ss.mlp(ss.gaussian, 2).ck, ss.mlp(ss.sin, 2).ntk):
        found = majorants(K)
        assert found
        with working_precision(150):
            values = coefficients(K, 40, arb(1))
            for majorant in found:
                assert all(not b > majorant.value / majorant.radius**n for n, b in enumerate(values))
    assert majorants(ss.mlp(ss.relu, 2).ck) == ()


def test_needed_terms_leave_less_than_asked():
    K = ss.mlp(ss.erf, 1).ck
    terms = needed_terms(K, 40)
    with working_precision(120):
        rest = numerics.evaluate(K, 1, 30) - sum(coefficients(K, terms, arb(1)), arb(0))
        assert rest < arb(2) ** -40
    assert needed_terms(ss.mlp("x**3", 1).ck, 40) == 4


@pytest.mark.parametrize(("d", "k"), [(64, 3), (200, 8)])
def test_series_and_polynomial_agree_in_high_dimension(d, k):
    K, sphere = ss.mlp(ss.relu, 2).ntk, ss.Sphere(d)
    first = power_series.eigenvalues(K, d, [k], 60)[k]
    from numerics.sphere import _by_polynomial

    second = _by_polynomial(K, sphere, [k], 60)[k]
    assert first.overlaps(second)
    assert first.rel_accuracy_bits() >= 60


def test_the_tail_is_not_forgotten():
    """Too few terms must show in the radius: the enclosure still contains the value of many terms."""
    K = ss.mlp(ss.relu, 1).ck
    fine = numerics.eigenvalues(K, ss.Sphere(100), [2], 30)[0]
    crude = power_series._attempt(K, 100, [2], 20, 100, ())[2]
    with working_precision(100):
        assert crude.enclosure().overlaps(fine)
        assert crude.partial < fine  # without its tail it would be wrong


def test_a_polynomial_kernel_is_summed_exactly():
    K = ss.mlp("x**2", 1).ck  # (1 + 2 rho^2)/3
    values = numerics.eigenvalues(K, ss.Sphere(3), range(5), 20)
    with working_precision(80):
        assert [value == 0 for value in values] == [False, True, False, True, True]
        assert values[0].overlaps(arb(1) / 3 + arb(2) / 9)
        assert values[2].overlaps(arb(2) / 3 * arb(2) / 15)
    assert sympy.simplify(K(sympy.Rational(1, 2)) - sympy.Rational(1, 2)) == 0
