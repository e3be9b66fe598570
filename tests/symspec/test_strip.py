"""Activations analytic in a strip: what is exactly known of them, against mpmath off the real axis."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings, strategies as st
from sympy import Rational, S, oo, pi, sqrt

import symspec as ss
from symspec import errors
from symspec.activations import activation
from symspec.form import Form
from symspec.strip import StripForm, reach
from symspec.strip_functions import Profile, SeriesDual, softplus
from symspec.support import INFINITE, Support
from symspec.terms import X

from .random_strip_activations import strip_activations

WIDTHS = {
    "tanh(x)": pi / 2,
    "tanh(3*x - 1)": pi / 6,
    "sigmoid(x)": pi,
    "softplus(2*x)": pi / 2,
    "silu(x)": pi,
    "mish(x)": pi / 2,
    "atan(x/2)": 2,
    "1/(1 + x**2)": 1,
    "1/(x**2 + x + 1)": sqrt(3) / 2,
    "erf(x)**2": oo,
    "exp(sin(x))": oo,
    "exp(-x**2)*tanh(x) + sech(2*x)": pi / 4,
}


@pytest.mark.parametrize("text", WIDTHS)
def test_half_width_of_the_strip_is_exact(text):
    assert sympy.simplify(activation(text).form.width - WIDTHS[text]) == 0 if WIDTHS[text] != oo else activation(text).form.width == oo


PARITY = {
    "tanh(x)": ("odd", Support(odd=INFINITE)),
    "sigmoid(x)": ("none", Support(even=0, odd=INFINITE)),
    "softplus(x)": ("none", Support(even=INFINITE, odd=1)),
    "silu(x)": ("none", Support(even=INFINITE, odd=1)),
    "mish(x)": ("none", Support(even=INFINITE, odd=INFINITE)),
    "log(1 + exp(x))": ("none", Support(even=INFINITE, odd=1)),
    "tanh(x)**2": ("even", Support(even=INFINITE)),
    "x*tanh(2*x - 1)": ("none", Support(even=INFINITE, odd=INFINITE)),
    "tanh(2*x - 1) + tanh(2*x + 1)": ("odd", Support(odd=INFINITE)),
    "sech(x)**2 + tanh(x)**2 + x": ("none", Support(even=0, odd=1)),
    "1/(1 + exp(-x)) - sigmoid(x)": ("zero", Support()),
}


@pytest.mark.parametrize("text", PARITY)
def test_parity_and_support(text):
    f = activation(text)
    assert (f.parity, f.support) == PARITY[text]


def test_names_are_the_expressions():
    for name, text in {
        "tanh": "sinh(x)/cosh(x)",
        "sigmoid": "1/(1 + exp(-x))",
        "softplus": "log(1 + exp(x))",
        "silu": "x/(1 + exp(-x))",
        "mish": "x*tanh(log(1 + exp(x)))",
    }.items():
        first, second = getattr(ss, name), activation(text)
        assert ss.activation(name) is first
        for point in (Rational(-3), Rational(1, 3), Rational(5, 2)):
            assert abs(sympy.N(first(point) - second(point), 30)) < 1e-25
        if name != "tanh":
            assert first == second


def test_exact_coefficients_come_from_polynomial_parts():
    assert ss.silu.hermite_coefficient(1) == Rational(1, 2)
    assert [ss.silu.hermite_coefficient(n) for n in (3, 5, 101)] == [0, 0, 0]
    assert ss.sigmoid.hermite_coefficient(0) == Rational(1, 2)
    assert ss.tanh.hermite_coefficient(4) == 0
    for n in (1, sympy.Symbol("n", integer=True, nonnegative=True)):
        with pytest.raises(errors.NoClosedForm, match=r"numerics\.hermite_coefficients"):
            ss.tanh.hermite_coefficient(n)


def test_derivatives_stay_in_the_class_and_share_their_series():
    assert ss.softplus.derivative.form.expr == ss.sigmoid.form.expr
    slope = ss.mlp("tanh", 1).nonlinearity.slope_dual.expr
    assert isinstance(slope, SeriesDual)
    assert slope.args[:2] == (Profile(sympy.tanh(X)), 1)


def test_members_of_the_closed_class_stay_there():
    for text in ("x**2 + tanh(x) - tanh(x)", "sech(x)**2 + tanh(x)**2", "elu", "erf(x)*x", "1/exp(x)"):
        assert isinstance(activation(text).form, Form)
    assert isinstance(activation("erf(x)**2").form, StripForm)


def test_growth_decides_square_integrability():
    assert activation("exp(x**2/5)*tanh(x)").form.growth == Rational(1, 5)
    with pytest.raises(errors.NotSquareIntegrable):
        activation("exp(x**2/4)*tanh(x)")
    with pytest.raises(errors.NotSquareIntegrable, match="layer 1"):
        _ = ss.mlp("exp(x**2/5)*tanh(x)", 1, sigma_w2=2).ck


def test_series_duals_differentiate_print_and_evaluate():
    c = sympy.Symbol("c", real=True)
    value = SeriesDual(Profile(sympy.tanh(X)), 0, 2, 2, c)
    assert sympy.diff(value, c, 2) == SeriesDual(Profile(sympy.tanh(X)), 2, 2, 2, c)
    assert sympy.latex(value) == r"\widehat{\sigma}_{2}\left(c\right)"
    assert value.free_symbols == {c}
    assert ss.mlp("tanh", 2).ck(1) == 1
    assert str(ss.tanh.dual(c)) == "dual[tanh(x)](c)"
    with pytest.raises(errors.NoClosedForm):
        sympy.diff(SeriesDual(Profile(sympy.tanh(X)), 0, c, c, 1), c)
    # E tanh(u) tanh(v) with different variances, by quadrature over both.
    x = np.arange(-8, 8, 0.05)
    u, v = np.meshgrid(x, x)
    weights = np.exp(-(u * u + v * v) / 2) / (2 * np.pi) * 0.05**2
    wanted = (weights * np.tanh(u) * np.tanh(np.sqrt(2) * (u / 2 + np.sqrt(3) / 2 * v))).sum()
    assert abs(float(ss.tanh.dual(Rational(1, 2), 1, 2).evalf(12)) - wanted) < 1e-9


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "silu", "mish"])
def test_latex_is_balanced_and_says_what_the_dual_is(name):
    for kernel in (ss.mlp(name, 1).ck, ss.mlp(name, 3, sigma_w2=2, sigma_b2=1).ntk, ss.resnet(name, 2, 1).ntk):
        text = kernel.latex()
        assert text.count("{") == text.count("}")
        assert r"\widehat{\sigma}_q(c) &= E\left[\sigma(u)\,\sigma(v)\right]" in text
        assert "Profile" not in text
        assert kernel.origin.network.latex().count(r"\widehat{\sigma}(\rho) &= \widehat") == 0


INNER = [
    (sympy.tanh(X), lambda z: mpmath.tanh(z), pi / 2),
    (softplus(2 * X), lambda z: mpmath.log(1 + mpmath.exp(2 * z)), pi / 2),
    (sympy.atan(X), mpmath.atan, S.One),
    (sympy.sech(X), mpmath.sech, pi / 2),
    (sympy.sin(3 * X), lambda z: mpmath.sin(3 * z), oo),
    (sympy.erf(X), mpmath.erf, oo),
    (X / 2 + sympy.tanh(X) - sympy.cos(X), lambda z: z / 2 + mpmath.tanh(z) - mpmath.cos(z), pi / 2),
]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(INNER), st.floats(-6, 6), st.floats(-1, 1), st.sampled_from(["1/10", "1/2", "1", "2"]))
def test_reach_bounds_imaginary_parts(inner, x, share, v):
    expr, function, limit = inner
    s = sympy.Min(reach(expr, Rational(v)), limit)
    assert s > 0
    z = mpmath.mpc(x, share * float(s) * 0.999999)
    assert abs(mpmath.im(function(z))) <= float(Rational(v)) * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(strip_activations, st.fractions(-3, 3, max_denominator=8))
def test_random_texts_mean_what_they_say(random, point):
    f = activation(random.text)
    with mpmath.workdps(30):
        wanted = random.meaning(mpmath.mpf(point.numerator) / point.denominator)
        found = mpmath.mpf(str(sympy.N(f(Rational(point.numerator, point.denominator)), 30)))
        assert abs(found - wanted) < mpmath.mpf(10) ** -20 * (1 + abs(wanted))
    assert f.parity in {"even", "odd", "none", "zero"}
    if f.parity in {"even", "odd"}:
        with mpmath.workdps(20):
            x = mpmath.mpf("0.7")
            assert abs(random.meaning(-x) - (1 if f.parity == "even" else -1) * random.meaning(x)) < 1e-15
