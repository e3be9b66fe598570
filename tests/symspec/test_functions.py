"""Parts of erf at complex arguments, and the separation of real and imaginary parts."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from hypothesis import given, strategies as st
from sympy import I, Rational, Symbol

from symspec import errors
from symspec.functions import ErfImag, ErfReal, cartesian

X, Y = Symbol("x", real=True), Symbol("y", real=True)
numbers = st.fractions(-3, 3, max_denominator=8).map(lambda f: Rational(f.numerator, f.denominator))


@given(numbers, numbers)
def test_parts_of_erf(x, y):
    with mpmath.workdps(40):
        truth = mpmath.erf(mpmath.mpc(x.p, 0) / x.q + mpmath.mpc(0, y.p) / y.q)
        for head, part in ((ErfReal, truth.real), (ErfImag, truth.imag)):
            assert abs(mpmath.mpf(head(x, y).evalf(35)._to_mpmath(140)) - part) < mpmath.mpf(10) ** -30 * (1 + abs(part))


@given(numbers, numbers)
def test_the_derivatives_are_those_of_erf(x, y):
    for head in (ErfReal, ErfImag):
        for variable in (X, Y):
            found = float(sympy.diff(head(X, Y), variable).subs({X: x, Y: y}).evalf(25))
            wanted = _slope(head, variable, float(x), float(y))
            assert abs(found - wanted) < 1e-9 * max(1, abs(wanted))


def _slope(head, variable, x, y):
    """By mpmath's numerical differentiation along one axis."""
    with mpmath.workdps(30):
        along = mpmath.mpc(1, 0) if variable is X else mpmath.mpc(0, 1)

        def part(t):
            value = mpmath.erf(mpmath.mpc(x, y) + t * along)
            return value.real if head is ErfReal else value.imag

        return float(mpmath.diff(part, 0))


def test_symmetries_and_special_values():
    assert ErfReal(-X, Y) == -ErfReal(X, Y)
    assert ErfReal(X, -Y) == ErfReal(X, Y)
    assert ErfImag(-X, Y) == ErfImag(X, Y)
    assert ErfImag(X, -Y) == -ErfImag(X, Y)
    assert (ErfReal(0, Y), ErfImag(X, 0), ErfReal(X, 0)) == (0, 0, sympy.erf(X))
    assert "erfi" in sympy.latex(ErfImag(0, Y))
    assert sympy.latex(ErfReal(X, Y)) == r"\operatorname{Re}\operatorname{erf}{\left(x+i\,y\right)}"


@given(numbers, numbers)
def test_cartesian_parts(x, y):
    expr = (X + I * Y) ** 3 * sympy.exp(Y + I * X) + sympy.erf(X - I * Y) * I + sympy.erfi(Y)
    re, im = (part.xreplace({X: x, Y: y}).evalf(20) for part in cartesian(expr))
    whole = complex(expr.subs({X: x, Y: y}).evalf(20))
    assert abs(complex(float(re), float(im)) - whole) < 1e-9 * max(1, abs(whole))


def test_what_is_not_separated_is_refused():
    with pytest.raises(errors.NoClosedForm, match="log"):
        cartesian(sympy.log(X + I * Y))
