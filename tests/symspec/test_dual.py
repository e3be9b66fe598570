"""Duals: the published table re-derived, and random members against independent quadrature."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings, strategies as st
from sympy import Rational, acos, asin, atan, cos, cosh, exp, pi, sinh, sqrt

from symspec import errors
from symspec.activations import Activation, absolute, activation, elu, erf, gaussian, gelu, hermite, leaky_relu, rectified_monomial, relu, sign, sin, step
from symspec.dual import dual
from symspec.form import Form

from .random_activations import Random, expressions

R, P, Q = Rational(3, 7), Rational(5, 4), Rational(7, 10)
UNEQUAL = [(R, P, Q), (Rational(-5, 8), Rational(1, 3), Rational(2)), (Rational(9, 10), Rational(1), Rational(3))]
UNIT = [(r, Rational(1), Rational(1)) for r in (Rational(-9, 10), Rational(0), R, Rational(1))]


def _kappa1(r):
    return (r * (pi - acos(r)) + sqrt(1 - r**2)) / pi


def _relu2(r, p, q):
    angle = acos(r)
    return p * q * (3 * sqrt(1 - r**2) * r + (pi - angle) * (1 + 2 * r**2)) / (2 * pi)


def _gelu(r, p, q):
    c, a = r * sqrt(p * q), p + q + p * q * (1 - r**2)
    inner = (r**2 + 1 + a) / ((1 + p) * (1 + q) * sqrt(1 + a)) + c / (p * q) * atan(c / sqrt(1 + a))
    return c / 4 + p * q / (2 * pi) * inner


def _leaky(a, b):
    def value(r, p, q):
        return (a**2 + b**2) * r * sqrt(p * q) / 2 + sqrt(p * q) * (a - b) ** 2 * (sqrt(1 - r**2) - r * acos(r)) / (2 * pi)

    return value


def _wave(a, b):
    def value(r, p, q):
        c = r * sqrt(p * q)
        return exp(-(a**2) * (p + q) / 2) * (exp(a**2 * c) - exp(-(a**2) * c) * cos(2 * b)) / 2

    return value


# The table that the engine must arrive at by itself: variances p, q and correlation r.
TABLE = {
    "step(x)": lambda r, p, q: (pi - acos(r)) / (2 * pi),
    "relu(x)": lambda r, p, q: sqrt(p * q) * _kappa1(r) / 2,
    "relu(x)**2": _relu2,
    "abs(x)": lambda r, p, q: sqrt(p * q) * (2 * _kappa1(r) - r),
    "sign(x)": lambda r, p, q: 2 * asin(r) / pi,
    "leaky_relu(1/10)": _leaky(Rational(1, 10), 1),
    "0.5*Max(x,0) - 0.25*Min(x,0)": _leaky(Rational(-1, 4), Rational(1, 2)),
    "erf(x)": lambda r, p, q: 2 / pi * asin(2 * r * sqrt(p * q) / sqrt((1 + 2 * p) * (1 + 2 * q))),
    "gelu": _gelu,
    "sin(x)": lambda r, p, q: exp(-(p + q) / 2) * sinh(r * sqrt(p * q)),
    "cos(x)": lambda r, p, q: exp(-(p + q) / 2) * cosh(r * sqrt(p * q)),
    "sin(2*x + 1/3)": _wave(2, Rational(1, 3)),
    "exp(x)": lambda r, p, q: exp((p + q) / 2 + r * sqrt(p * q)),
    "exp(-x**2/2)": lambda r, p, q: 1 / sqrt((1 + p) * (1 + q) - r**2 * p * q),
    "exp(-x**2)": lambda r, p, q: 1 / sqrt((1 + 2 * p) * (1 + 2 * q) - 4 * r**2 * p * q),
    "x**2": lambda r, p, q: p * q + 2 * r**2 * p * q,
}


def _agree(found: sympy.Expr, wanted: sympy.Expr, digits: int = 40) -> None:
    difference = (found - wanted).evalf(digits, maxn=400)
    scale = max(abs(wanted.evalf(20)), Rational(1, 10**6))
    assert abs(difference) < sympy.Float(10, digits) ** (2 - digits) * scale, (found, wanted)


@pytest.mark.parametrize("text", TABLE)
def test_the_table_is_derived(text):
    sigma = activation(text)
    for r, p, q in UNIT + UNEQUAL:
        _agree(sigma.dual(r, p, q), sympy.sympify(TABLE[text](r, p, q)))


@pytest.mark.parametrize("text", ["relu(x)", "abs(x)", "sign(x)", "step(x)", "sin(x)", "cos(x)", "exp(x)", "x**2", "exp(-x**2)"])
def test_the_table_symbolically_at_unit_variance(text):
    rho = sympy.Symbol("rho", real=True)
    difference = activation(text).dual(rho) - TABLE[text](rho, sympy.S.One, sympy.S.One)
    assert sympy.simplify(difference.rewrite(exp).replace(asin, lambda u: pi / 2 - acos(u))) == 0


def test_symbolic_variances():
    p, q, rho = sympy.symbols("p q", positive=True) + (sympy.Symbol("rho", real=True),)
    formula = erf.dual(rho, p, q)
    assert formula.free_symbols == {p, q, rho}
    for r, first, second in UNEQUAL:
        _agree(formula.subs({rho: r, p: first, q: second}), TABLE["erf(x)"](r, first, second))
    swapped = relu.dual(rho, q, p).subs({q: P, p: Q, rho: R}, simultaneous=True)
    _agree(swapped, TABLE["relu(x)"](R, P, Q))


def test_the_dual_of_the_erf_derivative():
    for r, p, q in UNEQUAL:
        slope = erf.derivative.dual(r, p, q)
        _agree(slope, 4 / (pi * sqrt((1 + 2 * p) * (1 + 2 * q) - 4 * r**2 * p * q)))


def test_hermite_polynomials_have_powers_as_duals():
    rho = sympy.Symbol("rho", real=True)
    for n in range(7):
        assert sympy.expand(hermite(n).dual(rho)) == rho**n


@pytest.mark.parametrize("sigma", [relu, gelu, erf, sin, gaussian, rectified_monomial(2), leaky_relu("1/3"), activation("Max(x,0) - Max(x-1,0)"), activation("exp(-x**2)*sin(x)")])
def test_the_dual_of_the_derivative_is_the_derivative_of_the_dual(sigma):
    rho = sympy.Symbol("rho", real=True)
    slope = sympy.diff(sigma.dual(rho), rho)
    for r in (Rational(-4, 7), Rational(1, 3)):
        _agree(sigma.dual_derivative(r), slope.subs(rho, r), 25)


@pytest.mark.parametrize("sigma", [sign, step])
def test_a_jump_has_an_infinite_dual_derivative_at_one(sigma):
    height = 2 if sigma is sign else 1
    _agree(sigma.dual_derivative(R), sympy.sympify(height**2) / (2 * pi * sqrt(1 - R**2)))
    assert sigma.derivative_dual.diagonal(sympy.S.One) == sympy.oo


@pytest.mark.parametrize("text", ["relu", "gelu", "Max(x,0) - Max(x-1,0)", "erf(x) + x", "exp(-x**2)*sin(x)", "elu", "Heaviside(x-1/2)", "cos(2*x + 1)", "Max(x-1,0) + sin(x)", "elu_sin"])
def test_the_diagonal_is_the_second_moment(text):
    sigma = activation(text) if text != "elu_sin" else Activation(elu.form + activation("sin(2*x)").form)
    for variance in (sympy.S.One, Rational(3, 5)):
        exact = sigma.dual_object.diagonal(variance)
        numerical = _quadrature(sigma.form, float(variance))
        assert abs(float(exact) - numerical) < 1e-12 * max(1, abs(numerical))


@pytest.mark.parametrize("text", ["relu", "Max(x,0) - Max(x-1,0)", "relu(x+1)**2", "elu", "step(x-1/2)", "gelu", "leaky_relu(1/10)", "x*exp(-x**2)*step(x)", "Max(x+1,0) + sin(x)"])
@pytest.mark.parametrize("sign_of_rho", [1, -1])
def test_the_ends_are_the_limits(text, sign_of_rho):
    sigma = activation(text)
    for p, q in ((Rational(1), Rational(1)), (Rational(1), Rational(4)), (Rational(2), Rational(1, 2))):
        end = float(sigma.dual(sign_of_rho, p, q).evalf(20))
        near = float(sigma.dual(sign_of_rho * (1 - Rational(1, 10**9)), p, q).evalf(20, maxn=300))
        # A jump approaches its end like the square root of the distance.
        assert abs(end - near) < 1e-4 * max(1, abs(end))
        exact = _line_quadrature(sigma.form, sign_of_rho, float(p), float(q))
        assert abs(end - exact) < 1e-12 * max(1, abs(exact))


def test_the_ends_of_the_derivative():
    bump = activation("Max(x,0) - Max(x-1,0)")
    _agree(bump.dual_derivative(1), sympy.erf(sqrt(2) / 2) / 2)
    assert bump.dual_derivative(-1) == 0
    assert sign.dual_derivative(1) == sign.dual_derivative(-1) == sympy.oo


def _line_quadrature(form: Form, sign_of_rho: int, p: float, q: float) -> float:
    """E f(sqrt(p) z) f(+-sqrt(q) z) for one standard normal z."""
    s, t = p**0.5, sign_of_rho * q**0.5
    breaks = tuple(float(b) / scale for b in form.breakpoints for scale in (s, t))
    z, w = _nodes(breaks, 13.0)
    f = _numpy_function(form)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.sum(w * density * f(s * z) * f(t * z)))


def _numpy_function(form: Form):
    import scipy.special

    numerical = sympy.lambdify(sympy.Symbol("x", real=True), form.as_expr(), [{"Heaviside": lambda t, *_: (t > 0) * 1.0, "erf": scipy.special.erf}, "numpy"])
    return lambda x: np.broadcast_to(numerical(x), x.shape)


def _nodes(breaks: tuple, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre on panels that end at the breakpoints: the integrand is smooth on each."""
    edges = sorted({-reach, reach, *(float(b) for b in breaks if abs(float(b)) < reach), *np.linspace(-reach, reach, 9)})
    x, w = np.polynomial.legendre.leggauss(40)
    points = [(a + b) / 2 + (b - a) / 2 * x for a, b in zip(edges, edges[1:], strict=False)]
    weights = [(b - a) / 2 * w for a, b in zip(edges, edges[1:], strict=False)]
    return np.concatenate(points), np.concatenate(weights)


def _quadrature(form: Form, variance: float) -> float:
    """E f(u)^2 for one variable."""
    u, w = _nodes(form.breakpoints, 14 * variance**0.5)
    density = np.exp(-(u**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return float(np.sum(w * density * _numpy_function(form)(u) ** 2))


def _double_quadrature(f: Random, g: Random, r: float, p: float, q: float) -> float:
    """E f(u) g(v) over the plane; kinks are parallel to the axes, so a tensor grid meets them."""
    u, wu = _nodes(f.breaks, 13 * p**0.5)
    v, wv = _nodes(g.breaks, 13 * q**0.5)
    det = p * q * (1 - r * r)
    c = r * (p * q) ** 0.5
    density = np.exp(-(q * u[:, None] ** 2 - 2 * c * u[:, None] * v[None, :] + p * v[None, :] ** 2) / (2 * det)) / (2 * np.pi * det**0.5)
    return float((wu * f.values(u)) @ density @ (wv * g.values(v)))


SUMS = ["Max(x,0) + sin(x)", "abs(x) + cos(2*x)", "Max(x-1,0) - sin(x)/2", "erf(x+1) + x*cos(x)", "step(x) + sin(x)", "x*exp(-x**2)*sin(x) + Max(x+1/2,0)*exp(-x**2/3)"]


@pytest.mark.parametrize("text", SUMS)
def test_sums_of_gates_and_waves(text):
    """An oscillation moves the mean of a step or an error function into the complex plane."""
    sigma = activation(text)
    meaning = _numpy_function(sigma.form)
    flat = Random(text, lambda _, x: meaning(x), tuple(sigma.form.breakpoints))
    for r, p, q in ((Rational(3, 10), Rational(2), Rational(1, 2)), (Rational(-4, 5), Rational(1), Rational(1))):
        numerical = _double_quadrature(flat, flat, float(r), float(p), float(q))
        assert abs(float(sigma.dual(r, p, q).evalf(18, maxn=200)) - numerical) < 1e-12 * max(1, abs(numerical))


def test_a_gate_that_meets_a_gated_wave_is_refused():
    with pytest.raises(errors.NoClosedForm, match="their sum has one"):
        activation("Max(x,0)*cos(x)").dual(0)


def test_imaginary_error_functions_are_shown_as_such():
    assert activation("abs(x) + cos(x)").dual(Rational(1, 2)).has(sympy.erfi)


variances = st.sampled_from([Rational(1), Rational(1, 2), Rational(3, 2)])
correlations = st.sampled_from([Rational(-3, 4), Rational(-1, 5), Rational(0), Rational(2, 7), Rational(4, 5)])


def _check_pair(f, g, r, p, q):
    try:
        found = dual(f.form, g.form).at(r, p, q)
    except errors.NoClosedForm:
        assume(False)
    numerical = _double_quadrature(f, g, float(r), float(p), float(q))
    assert abs(float(found.evalf(18, maxn=200)) - numerical) < 1e-12 * max(1, abs(numerical))


@settings(max_examples=15, deadline=None)
@given(expressions(top=1), correlations, variances, variances)
def test_random_duals_against_quadrature_in_the_plane(f, r, p, q):
    _check_pair(f, f, r, p, q)


@settings(max_examples=10, deadline=None)
@given(expressions(top=1), expressions(top=1), correlations, variances)
def test_random_pairs_of_different_activations(f, g, r, p):
    _check_pair(f, g, r, p, sympy.S.One)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(expressions(), expressions(), correlations, variances, variances)
def test_many_random_pairs(f, g, r, p, q):
    _check_pair(f, g, r, p, q)


@pytest.mark.parametrize(
    ("arguments", "error", "fragment"),
    [
        ((2,), errors.DomainError, r"\[-1, 1\]"),
        (("-1.0001",), errors.DomainError, r"\[-1, 1\]"),
        ((float("nan"),), errors.InputError, "not finite"),
        ((sympy.nan,), errors.InputError, "not a finite"),
        (("a",), errors.InputError, "decimal"),
        ((0, 0), errors.DomainError, "positive"),
        ((0, -1), errors.DomainError, "positive"),
        ((0, 1, float("inf")), errors.InputError, "not finite"),
    ],
)
def test_bad_arguments(arguments, error, fragment):
    with pytest.raises(error, match=fragment):
        absolute.dual(*arguments)


def test_variances_beyond_the_growth_are_refused():
    sigma = activation("exp(x**2/8)")
    assert sigma.dual(0, 1, 1) == Rational(4, 3)
    with pytest.raises(errors.NotSquareIntegrable, match="below 2"):
        sigma.dual(0, 2, 1)
