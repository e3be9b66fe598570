from __future__ import annotations

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from sympy import Rational, S, sqrt

from symspec.errors import ExpressionTooLarge, InputError, NoClosedForm
from symspec.form import Form, constant, error_function, exponential, step, variable, wave

from .random_activations import expressions

x = variable()
X = sympy.Symbol("x", real=True)


def _at(form: Form, point: Rational) -> mpmath.mpf:
    return mpmath.mpmathify(form.as_expr().subs(X, point).evalf(40))


POINTS = [Rational(-17, 7919), Rational(7001, 7919), Rational(-12345, 7919)]


def _close(a: object, b: object) -> bool:
    return mpmath.almosteq(a, b, mpmath.mpf(10) ** -25, mpmath.mpf(10) ** -25)


@settings(max_examples=60, deadline=None)
@given(expressions(), expressions())
def test_ring_operations_are_pointwise(f, g):
    with mpmath.workdps(40):
        for point in POINTS:
            u, v = f.value(point), g.value(point)
            assert _close(_at(f.form, point), u)
            assert _close(_at(f.form + g.form, point), u + v)
            assert _close(_at(f.form - g.form, point), u - v)
            assert _close(_at(f.form.reflected(), point), f.value(-point))
            try:
                product = f.form * g.form
            except NoClosedForm:
                continue
            assert _close(_at(product, point), u * v)


@settings(max_examples=60, deadline=None)
@given(expressions(), expressions())
def test_the_form_is_canonical(f, g):
    assert f.form + g.form == g.form + f.form
    assert f.form - f.form == Form()
    assert f.form.reflected().reflected() == f.form
    assert f.form.even_part() + f.form.odd_part() == f.form
    assert f.form.even_part().reflected() == f.form.even_part()
    assert f.form.odd_part().reflected() == -f.form.odd_part()


@settings(max_examples=40, deadline=None)
@given(expressions())
def test_the_derivative_is_the_slope_between_breakpoints(f):
    slope = f.form.derivative(deltas=False)
    with mpmath.workdps(40):
        for point in POINTS:
            numerical = mpmath.diff(lambda t: f.value(t), mpmath.mpf(int(point.p)) / int(point.q), h=mpmath.mpf(10) ** -12)
            assert mpmath.almosteq(_at(slope, point), numerical, mpmath.mpf(10) ** -9, mpmath.mpf(10) ** -9)


@settings(max_examples=40, deadline=None)
@given(expressions())
def test_deltas_are_the_jumps(f):
    spikes = f.form.derivative() - f.form.derivative(deltas=False)
    found = {term.gate.b: term.coefficient for term in spikes.terms}
    assert found.keys() == f.form.jumps.keys()
    assert all(sympy.expand(found[b] - height) == 0 for b, height in f.form.jumps.items())


def test_equal_constants_are_recognised():
    one, other = sqrt(3 + 2 * sqrt(2)), 1 + sqrt(2)
    assert step(one) - step(other) == Form()
    assert exponential(S.Zero, one, S.Zero) - exponential(S.Zero, other, S.Zero) == Form()
    assert constant(sqrt(5) + sqrt(6) - sqrt(11 + 2 * sqrt(30))) == Form()
    assert error_function(one, S.Zero) - error_function(other, S.Zero) == Form()


def test_nearly_equal_constants_are_not_confused():
    close = Rational("1.4142135623730950488016887242096980785696718753769480731766797379907")
    assert constant(sqrt(2) - close) != Form()
    assert len((step(sqrt(2)) - step(close)).terms) == 2


def test_signs_of_parameters_are_normalised():
    assert error_function(-S.One, S.One) == -error_function(S.One, -S.One)
    assert wave(-S.One, S.One, odd=True) == -wave(S.One, -S.One, odd=True)
    assert wave(-S.One, S.One, odd=False) == wave(S.One, -S.One, odd=False)
    assert wave(S.Zero, sympy.pi / 6, odd=True) == constant(S.Half)
    assert wave(S.One, S.Zero, odd=True) ** 2 + wave(S.One, S.Zero, odd=False) ** 2 == constant(1)


def test_polynomials_and_growth_are_decided():
    assert (x**3 - x).polynomial_degree == 3
    assert Form().polynomial_degree == -1
    assert step(0).polynomial_degree is None
    assert (x * step(0) - x * step(0)).polynomial_degree == -1
    assert exponential(Rational(1, 8), S.One, S.Zero).growth == Rational(1, 8)


def test_limits():
    with pytest.raises(InputError, match="above the limit"):
        x**200 * x**100
    with pytest.raises(ExpressionTooLarge):
        (x + wave(S.One, S.Zero, odd=True) + exponential(S.Zero, S.One, S.Zero)) ** 200
    with pytest.raises(NoClosedForm, match="error function"):
        error_function(S.One, S.Zero) ** 2
