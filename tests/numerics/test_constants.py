"""Exact constants as balls, against mpmath."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import arb
from sympy import Rational, pi, sqrt

from numerics.constants import ball, rational
from numerics.precision import working_precision
from symspec.errors import NoClosedForm
from symspec.functions import Orthant, archav

x = sympy.Symbol("x")
CASES = [
    (Rational(-22, 7), lambda: mpmath.mpf(-22) / 7),
    (pi * sympy.E, lambda: mpmath.pi * mpmath.e),
    (sqrt(2) - sqrt(3) + Rational(1, 3), lambda: mpmath.sqrt(2) - mpmath.sqrt(3) + mpmath.mpf(1) / 3),
    (2 ** Rational(-5, 3), lambda: mpmath.mpf(2) ** (mpmath.mpf(-5) / 3)),
    (sympy.exp(-pi), lambda: mpmath.exp(-mpmath.pi)),
    (pi**pi, lambda: mpmath.pi**mpmath.pi),
    (sympy.acos(Rational(1, 3)) * sympy.log(5), lambda: mpmath.acos(mpmath.mpf(1) / 3) * mpmath.log(5)),
    (sympy.asin(sqrt(2) / 3) + sympy.atan(7), lambda: mpmath.asin(mpmath.sqrt(2) / 3) + mpmath.atan(7)),
    (sympy.gamma(Rational(7, 3)), lambda: mpmath.gamma(mpmath.mpf(7) / 3)),
    (sympy.gamma(Rational(-1, 4)), lambda: mpmath.gamma(mpmath.mpf(-1) / 4)),
    (sympy.erf(Rational(3, 5)), lambda: mpmath.erf(mpmath.mpf(3) / 5)),
    (sympy.besseli(2, Rational(1, 2)), lambda: mpmath.besseli(2, 0.5)),
    (sympy.hyper([1, Rational(3, 2)], [Rational(5, 2)], Rational(1, 4)), lambda: mpmath.hyp2f1(1, 1.5, 2.5, 0.25)),
    (sympy.cosh(1) - sympy.sinh(2), lambda: mpmath.cosh(1) - mpmath.sinh(2)),
    (archav(Rational(1, 10), 0), lambda: 2 * mpmath.asin(mpmath.sqrt(mpmath.mpf(1) / 10))),
    (sympy.CRootOf(x**5 - x - 1, 0), lambda: mpmath.findroot(lambda t: t**5 - t - 1, 1.2)),
    (sympy.CRootOf(x**3 - 3 * x + 1, 1) ** 2, lambda: mpmath.findroot(lambda t: t**3 - 3 * t + 1, 0.35) ** 2),
]


@pytest.mark.parametrize(("expr", "value"), CASES, ids=[str(case[0]) for case in CASES])
def test_against_mpmath(expr, value):
    with working_precision(220), mpmath.workdps(60):
        found = ball(expr)
        assert abs(found - arb(mpmath.nstr(value(), 58))) < abs(found) * arb("1e-54")
        assert found.rel_accuracy_bits() > 180


def test_the_orthant_constant():
    with working_precision(150), mpmath.workdps(40):
        h, k, theta = mpmath.mpf(1) / 2, mpmath.mpf(-1) / 3, mpmath.pi / 5
        rho = mpmath.cos(theta)
        # Condition on X: an integral that shares nothing with Plackett's formula.
        wanted = mpmath.quad(lambda u: mpmath.npdf(u) * mpmath.ncdf((rho * u - k) / mpmath.sin(theta)), [h, 1, 3, 8, 20])
        assert abs(ball(Orthant(Rational(1, 2), Rational(-1, 3), pi / 5)) - arb(mpmath.nstr(wanted, 38))) < arb("1e-33")


def test_a_constant_without_a_rule_is_refused():
    with pytest.raises(NoClosedForm, match="no ball is defined"):
        ball(sympy.zeta(3, 2) * 1)
    with pytest.raises(NoClosedForm):
        ball(sympy.Symbol("a"))


def test_the_cache_follows_the_precision():
    with working_precision(40):
        coarse = ball(pi / 7)
    with working_precision(400):
        fine = ball(pi / 7)
    assert coarse.rel_accuracy_bits() < 60
    assert fine.rel_accuracy_bits() > 350
    assert coarse.contains(fine.mid())


def test_rational_is_exact():
    assert rational(Rational(-6, 4)) * 2 == -3
