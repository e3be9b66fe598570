"""Equations of activations and duals: exact coefficients, certified coefficients, closed forms, random activations."""

from __future__ import annotations

import pytest
import sympy
from flint import arb, fmpq
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec.cli import main
from symspec.dual_equations import RHO_NAME, activation_equation, dual_equation
from symspec.errors import ExpressionTooLarge, NoClosedForm
from symspec.holonomic import ONE, ZERO, X, derivative, distributional_lclm, lclm, product, quotient, text

EXACT = [
    "relu", "step", "sign", "abs(x)", "leaky_relu(1/10)", "elu", "gelu", "erf", "sin(2*x+1)", "cos", "exp", "exp(-x**2)", "x*exp(-x**2)",
    "x**2*exp(-x**2)*sin(x)", "Max(x-1,0)", "Max(x,0) + x**2/10", "rectified_monomial(3)", "Max(x,0) - Max(x-1,0)", "sinh(x/2)", "erf(2*x+1)",
]  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_recurrences_hold_for_exact_coefficients(name):
    assert dual_equation(name).holds(20)


@pytest.mark.parametrize("name", ["erf(x)**2", "atan(x)", "x*erf(x)", "atan(2*x)*exp(-x**2)", "1/sqrt(1+x**2)"])
def test_recurrences_hold_for_certified_coefficients(name):
    sigma = ss.activation(name)
    found = dual_equation(sigma)
    a = numerics.hermite_coefficients(sigma, range(41), digits=60)
    with working_precision(300):
        for recurrence, values in (
            (found.recurrence, [x * arb(sympy.factorial(n).p).sqrt() for n, x in enumerate(a)]),
            (found.squared_recurrence, [x * x for x in a]),
        ):
            for n in range(recurrence.start, 41 - recurrence.order):
                terms = [arb(fmpq(int(q.p), int(q.q))) * values[index] for q, index in recurrence.at(n)]
                total, size = sum(terms, arb(0)), sum(map(abs, terms), arb(0))
                assert abs(total) <= size * arb(10) ** -50


@pytest.mark.parametrize("name", ["relu", "step", "erf", "gelu", "sin", "exp(-x**2)", "abs(x)", "Max(x,0) + x**2/10", "exp"])
def test_the_closed_form_solves_the_equation(name):
    """Both sides at a point, to 40 digits."""
    found = dual_equation(name)
    dual, at = found.closed_form, sympy.Rational(1, 3)
    left, function = sympy.S.Zero, dual
    for p in found.equation:
        left += p.as_expr().subs(sympy.Symbol("x"), at) * function.subs(RHO_NAME, at)
        function = sympy.diff(function, RHO_NAME)
    b = found.initial
    right = sympy.Add(*(at**power * sympy.Add(*(q * b[m] for m, q in form.items())) for power, form in found.right_side.items()))
    assert abs((left - right).evalf(50)) < 1e-40 * (1 + abs(left.evalf(20)))


def test_relu_has_the_equation_of_its_kernel():
    found = dual_equation("relu")
    assert text(list(found.equation), "D", "rho") == "-1 + rho*D + (1 - rho**2)*D**2"
    assert found.right_side == {}
    assert found.singular_points == (-1, 1)
    assert r"\hat\sigma" in found.latex()


@st.composite
def steps(draw):
    """Sums of polynomial pieces with rational thresholds, times exponentials and waves."""
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        b = draw(st.sampled_from(["0", "1", "-1/2"]))
        factor = draw(st.sampled_from(["1", "x", "(x - 1)", "exp(-x**2)", "sin(x)", "x*exp(x/2)"]))
        parts.append(f"({draw(st.sampled_from(['1', '-2', '1/3']))})*{factor}*step(x - ({b}))")
    return " + ".join(parts)


@settings(max_examples=25, deadline=None)
@given(steps())
def test_random_steps(expr):
    sigma = ss.activation(expr)
    if not sigma.form.terms:
        return
    try:
        found = dual_equation(sigma)
    except ExpressionTooLarge:
        return
    assert found.holds(found.squared_recurrence.order + found.squared_recurrence.start + 4)


def test_a_wrong_power_of_the_threshold_fails():
    """Without the factor that kills the delta the recurrence of a step is that of a constant."""
    from symspec.dual_equations import Recurrence, hermite_recurrence

    right, wrong = hermite_recurrence([ZERO, X]), hermite_recurrence([ZERO, ONE])
    c = [ss.step.hermite_coefficient(n) * sympy.sqrt(sympy.factorial(n)) for n in range(12)]

    def holds(recurrence: Recurrence) -> bool:
        return all(sympy.expand(sympy.Add(*(q * c[m] for q, m in recurrence.at(n)))) == 0 for n in range(recurrence.start, 12 - recurrence.order))

    assert holds(right)
    assert not holds(wrong)


def test_the_algebra():
    sine, exponential = [ONE, ZERO, ONE], [-ONE, ONE]
    assert text(lclm([sine, exponential])) == "-1 + D - D**2 + D**3"
    assert text(product(sine, sine)) == "4*D + D**3"
    both = distributional_lclm([[ZERO, X], [ZERO, X - 2]])
    for factor in ([ZERO, X], [ZERO, X - 2]):
        assert all(f.denom.is_ground for f in quotient(both, factor))
    assert derivative(X**3) == 3 * X**2


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "tanh(x)*exp(-x**2)"])
def test_what_is_not_d_finite(name):
    with pytest.raises(NoClosedForm, match="linear differential equation"):
        dual_equation(name)


def test_what_is_too_large():
    with pytest.raises(ExpressionTooLarge, match="order 10"):
        dual_equation("erf(x)*erf(2*x+1)")


IRRATIONAL = ["sin(sqrt(2)*x)", "Max(x-sqrt(2),0)", "exp(-x**2/pi)", "erf(sqrt(3)*x+1)", "Max(x-exp(1),0)", "sin(pi*x)", "exp(-x**2*exp(1/2))", "sin(sqrt(2)*x) + x*sqrt(3)"]


@pytest.mark.parametrize("name", IRRATIONAL)
def test_irrational_parameters(name):
    found = dual_equation(name)
    assert found.holds(14)
    assert len(found.equation) <= 8


@pytest.mark.parametrize("name", ["sin(log(2)*x)", "Max(x - sqrt(2), 0) + sin(sqrt(pi)*x)", "Max(x - pi, 0) + Max(x - exp(1), 0)"])
def test_unsupported_fields(name):
    with pytest.raises(NoClosedForm, match="parameter"):
        dual_equation(name)


def test_parameters_that_need_no_field():
    """Squares of square roots, and constant factors, leave the rationals alone."""
    assert text(activation_equation(ss.gelu)) == "2 - x**2 + (x**3 - 2*x)*D + x**2*D**2"
    assert text(activation_equation(ss.activation("pi*exp(-x**2)"))) == "2*x + D"


def test_the_command(capsys):
    assert main(["equation", "erf(x)**2", "--json"]) == 0
    assert '"closed_form": null' in capsys.readouterr().out
    assert main(["equation", "relu", "--latex"]) == 0
    assert r"\begin{align*}" in capsys.readouterr().out
    assert main(["equation", "tanh"]) == 2
