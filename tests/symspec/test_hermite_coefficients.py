"""Hermite coefficients against quadrature, formulas against integers, and Parseval."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from sympy import Rational, Symbol

from symspec import errors
from symspec.activations import Activation, activation, hermite, leaky_relu, monomial, relu

CLASS = {
    "relu": (0,),
    "abs(x)": (0,),
    "step(x - 1/2)": (0.5,),
    "Max(x,0) - Max(x-1,0)": (0, 1),
    "relu(x+1)**2": (-1,),
    "leaky_relu(1/10)": (0,),
    "erf(x)": (),
    "erf(2*x - 1)": (),
    "gelu": (),
    "sin(2*x + 1)": (),
    "cos(x)": (),
    "exp(x/2)": (),
    "gaussian": (),
    "x*exp(-x**2)": (),
    "exp(-x**2 + x)": (),
    "exp(-x**2)*sin(x)": (),
    "elu": (0,),
    "x**2*exp(-x**2/2)*Heaviside(x - 1)": (1,),
    "exp(x/3)*erf(x)": (),
    "x**3 - x/2 + 1": (),
    "exp(x**2/8)": (),
}


def _numerical(text: str, n: int) -> mpmath.mpf:
    expr = activation(text).form.as_expr()
    function = sympy.lambdify(sympy.Symbol("x", real=True), expr, [{"Heaviside": lambda t, *_: mpmath.mpf(1 if t > 0 else 0)}, "mpmath"])
    edges = sorted({-24, -8, -3, 0, 3, 8, 24, *CLASS[text]})

    def integrand(x: mpmath.mpf) -> mpmath.mpf:
        previous, current = mpmath.mpf(0), mpmath.mpf(1)
        for j in range(n):
            previous, current = current, x * current - j * previous
        return function(x) * current * mpmath.npdf(x)

    return mpmath.quad(integrand, edges) / mpmath.sqrt(mpmath.factorial(n))


@pytest.mark.parametrize("text", CLASS)
def test_integer_degrees_against_quadrature(text):
    with mpmath.workdps(25):
        for n in (0, 1, 2, 5, 8):
            exact = mpmath.mpmathify(activation(text).hermite_coefficient(n).evalf(30, maxn=300))
            assert mpmath.almosteq(exact, _numerical(text, n), 1e-17, 1e-17), (n, exact)


FORMULAS = [text for text in CLASS if text not in ("elu", "x**2*exp(-x**2/2)*Heaviside(x - 1)", "exp(x/3)*erf(x)", "exp(-x**2)*sin(x)")]


@pytest.mark.parametrize("text", FORMULAS)
def test_the_formula_in_symbolic_degree_gives_the_integers(text):
    sigma, n = activation(text), Symbol("n", integer=True, nonnegative=True)
    formula = sigma.hermite_coefficient(n)
    for degree in range(13):
        found, wanted = formula.subs(n, degree), sigma.hermite_coefficient(degree)
        assert found.free_symbols == set()
        assert abs((found - wanted).evalf(30, maxn=300)) < Rational(1, 10**28), (degree, found, wanted)


@pytest.mark.parametrize("text", ["elu", "exp(x/3)*erf(x)"])
def test_where_no_formula_is_known_it_says_so(text):
    with pytest.raises(errors.NoClosedForm, match="symbolic degree"):
        activation(text).hermite_coefficient(Symbol("n"))


@pytest.mark.parametrize("text", [text for text in CLASS if not text.startswith("x**2*")])
def test_parseval_and_mehler(text):
    sigma = activation(text)
    with mpmath.workdps(30):
        squares = [mpmath.mpmathify(sigma.hermite_coefficient(n).evalf(30, maxn=400)) ** 2 for n in range(50)]
        second_moment = mpmath.mpmathify(sigma.dual(1).evalf(30))
        assert mpmath.fsum(squares) <= second_moment * (1 + mpmath.mpf(10) ** -25)
        for rho in (Rational(1, 4), Rational(-1, 3)):
            series = mpmath.fsum(a * mpmath.mpf(int(rho.p)) ** n / mpmath.mpf(int(rho.q)) ** n for n, a in enumerate(squares))
            tail = abs(mpmath.mpf(int(rho.p)) / int(rho.q)) ** 50 * second_moment
            exact = mpmath.mpmathify(sigma.dual(rho).evalf(30, maxn=300))
            assert abs(series - exact) <= tail + mpmath.mpf(10) ** -22


def test_known_values():
    assert relu.hermite_coefficient(100) != 0
    assert relu.hermite_coefficient(101) == 0
    assert [hermite(4).hermite_coefficient(n) for n in range(7)] == [0, 0, 0, 0, 1, 0, 0]
    assert monomial(3).hermite_coefficient(1) == 3
    assert leaky_relu("1/2").hermite_coefficient(1) == Rational(3, 4)
    assert isinstance(relu.derivative, Activation)


@pytest.mark.parametrize("bad", [-1, 1.5, "n", None, True, float("nan")])
def test_degrees_that_are_none(bad):
    with pytest.raises(errors.InputError, match="Hermite degree"):
        relu.hermite_coefficient(bad)
    with pytest.raises(errors.InputError, match="symbolic degree"):
        relu.hermite_coefficient(10**6)
