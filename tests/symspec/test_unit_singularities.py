"""First singular terms of duals against mpmath: what is left after they are subtracted is smoother."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from sympy import Rational, S

import symspec as ss
from symspec.layers import Nonlinearity
from symspec.unit_singularities import first_singular


@pytest.mark.parametrize(
    ("activation", "nu"),
    [(ss.relu, Rational(3, 2)), (ss.rectified_monomial(2), Rational(5, 2)), (ss.step, Rational(1, 2)), (ss.activation("max(x-1,0)"), Rational(3, 2)), (ss.elu, Rational(5, 2))],
    ids=str,
)
@pytest.mark.parametrize("variance", [S.One, Rational(3, 2)])
def test_jump_of_a_derivative(activation, nu, variance):
    """A jump J of the derivative of order m at b gives J^2 times a universal constant and the density at b: E sigma sigma' s derivatives are densities."""
    term = first_singular(Nonlinearity(activation), variance, 1, slope=False)
    assert term.nu == nu
    m = int(nu - Rational(1, 2))
    place = 1 if "x-1" in str(activation.form) or "x - 1" in str(activation.form) else 0
    jump = {"rectified_monomial(2)": 2}.get(activation.name, 1)
    with mpmath.workdps(30):
        # d^(m+1)/dc^(m+1) of the dual is J^2 times the density of (u, v) at (b, b): exp(-b^2/(q(1+rho)))/(2 pi q sqrt(1-rho^2)).
        q, u = mpmath.mpf(int(variance.p)) / int(variance.q), mpmath.mpf(10) ** -12
        density = mpmath.exp(-(place**2) / (2 * q)) / (2 * mpmath.pi * q * mpmath.sqrt(2 * u))
        # (-d/du)^(m+1) of c u^nu = c (-1)^(m+1) nu (nu-1)...(1/2) u^(-1/2), and c = q (1 - u).
        factor = mpmath.mpf(1)
        for step in range(m + 1):
            factor *= -(mpmath.mpf(int(nu.p)) / 2 - step) / q
        expected = jump**2 * density * mpmath.sqrt(u) / factor
        assert abs(mpmath.mpf(str(sympy.N(term.coefficient, 30))) / expected - 1) < 1e-9


def test_odd_and_even_activations_at_the_other_end():
    for activation, sign in ((ss.absolute, 1), (ss.sign, -1), (ss.activation("max(x+1,0)-max(x-1,0)-1"), -1)):
        near, far = (first_singular(Nonlinearity(activation), S.One, end, slope=False) for end in (1, -1))
        assert near.nu == far.nu
        assert sympy.simplify(far.coefficient - sign * near.coefficient) == 0


def test_nothing_is_singular_without_a_kink_or_without_opposite_ones():
    for activation in (ss.erf, ss.tanh, ss.polynomial(0, 1, 1)):
        assert first_singular(Nonlinearity(activation), S.One, 1, slope=False) is None
    assert first_singular(Nonlinearity(ss.activation("max(x-1,0)")), S.One, -1, slope=False) is None


def test_slopes_lose_one_order():
    """The derivative by rho of the dual is q times the slope."""
    for activation in (ss.relu, ss.rectified_monomial(3)):
        value, slope = (first_singular(Nonlinearity(activation), Rational(3, 2), 1, slope=kind) for kind in (False, True))
        assert slope.nu == value.nu - 1
        assert sympy.simplify(slope.coefficient * Rational(3, 2) + value.nu * value.coefficient) == 0
