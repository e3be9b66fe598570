"""Gegenbauer polynomials and the exact spectra of powers, against integrals."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from sympy import Rational, Symbol

from symspec import gegenbauer as g
from symspec.domain import Sphere


def integral(function, d, k):
    """mu_k by quadrature in the angle."""
    with mpmath.workdps(25):
        scale = mpmath.gamma(mpmath.mpf(d) / 2) / (mpmath.sqrt(mpmath.pi) * mpmath.gamma(mpmath.mpf(d - 1) / 2))
        poly = sympy.lambdify(g.T, g.polynomial(d, k), "mpmath")
        return scale * mpmath.quad(lambda a: function(mpmath.cos(a)) * poly(mpmath.cos(a)) * mpmath.sin(a) ** (d - 2), mpmath.linspace(0, mpmath.pi, 5))


@pytest.mark.parametrize("d", [2, 3, 4, 7])
def test_polynomials_are_one_at_one_and_orthogonal(d):
    for k in range(6):
        assert g.polynomial(d, k).subs(g.T, 1) == 1
        for j in range(k):
            assert abs(integral(sympy.lambdify(g.T, g.polynomial(d, j), "mpmath"), d, k)) < 1e-15
        norm = integral(sympy.lambdify(g.T, g.polynomial(d, k), "mpmath"), d, k)
        assert abs(norm * Sphere(d).multiplicity(k) - 1) < 1e-15


def test_a_symbolic_dimension():
    d = Symbol("d", positive=True)
    for k in range(5):
        for number in (3, 6):
            assert sympy.expand(g.polynomial(d, k).subs(d, number) - g.polynomial(number, k)) == 0
            assert sympy.simplify(g.multiplicity(d, k).subs(d, number) - Sphere(number).multiplicity(k)) == 0


@pytest.mark.parametrize(("d", "p", "k"), [(2, 4, 2), (3, 5, 3), (5, 6, 0), (8, 9, 5)])
def test_monomials(d, p, k):
    assert abs(integral(lambda t: t**p, d, k) - mpmath.mpf(sympy.N(g.monomial_eigenvalue(d, p, k), 25))) < 1e-15


def test_monomials_of_other_parity_or_too_low_vanish():
    assert g.monomial_eigenvalue(4, 3, 2) == 0
    assert g.monomial_eigenvalue(4, 2, 4) == 0


@pytest.mark.parametrize(("d", "nu", "k"), [(2, Rational(1, 2), 1), (3, Rational(3, 2), 4), (6, Rational(5, 2), 3), (4, Rational(1, 4), 2)])
def test_endpoint_blocks(d, nu, k):
    with mpmath.workdps(25):
        power = mpmath.mpf(nu.p) / nu.q
        near = integral(lambda t: ((1 - t) / 2) ** power, d, k)
        far = integral(lambda t: ((1 + t) / 2) ** power, d, k)
        exact = mpmath.mpf(sympy.N(g.endpoint_block(d, nu, k), 25))
    assert abs(near - exact) < 1e-12
    assert abs(far - (-1) ** k * exact) < 1e-12


@pytest.mark.parametrize("nu", [Rational(1, 2), Rational(3, 2), Rational(7, 4)])
def test_the_asymptotic_factor_is_the_limit_of_the_blocks(nu):
    d, k = 5, 4000
    ratio = g.endpoint_block(d, nu, k) * 2**nu / (g.asymptotic_factor(d, nu) * sympy.Integer(k) ** (-d - 2 * nu + 1))
    assert abs(sympy.N(ratio, 15) - 1) < 0.01
    half = g.asymptotic_factor(d, nu) / 2  # the printed constant of the literature, half the true one
    assert abs(sympy.N(ratio * g.asymptotic_factor(d, nu) / half, 15) - 1) > 0.9


def test_times_t():
    d, p, k = 5, 6, 3
    below, above = g.monomial_eigenvalue(d, p, k - 1), g.monomial_eigenvalue(d, p, k + 1)
    assert sympy.simplify(g.times_t(d, k, below, above) - g.monomial_eigenvalue(d, p + 1, k)) == 0
