"""Networks against an independent implementation, and the exact facts about them."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import mpmath
import pytest
import sympy
from sympy import Rational

from symspec import errors, network
from symspec.activations import activation, erf, gelu, leaky_relu, relu, sign, sin, step
from symspec.network import mlp

from .mpmath_carrier import evaluate

DATA = Path(__file__).parents[1] / "data" / "dense_kernels.json"
TEXTS = {
    "Relu": "relu",
    "LeakyRelu(0.1)": "leaky_relu(0.1)",
    "ABRelu(-0.25,0.5)": "-0.25*Min(x,0) + 0.5*Max(x,0)",
    "Abs": "abs(x)",
    "Erf": "erf(x)",
    "Gelu": "x*Phi(x)",
    "Sin": "sin(x)",
    "Cos": "cos(x)",
    "Exp": "exp(x)",
    "Gaussian": "exp(-x**2)",
    "Gabor": "exp(-x**2)*sin(x)",
    "Monomial(2)": "x**2",
    "Monomial(3)": "x**3",
    "RectifiedMonomial(0)": "Heaviside(x)",
    "RectifiedMonomial(1)": "x*Heaviside(x)",
    "RectifiedMonomial(2)": "x**2*Heaviside(x)",
    "RectifiedMonomial(3)": "x**3*Heaviside(x)",
    "Sign": "sign(x)",
    "Hermite(3)": "hermite(3)",
    "Polynomial(.5,1,-.3,.2)": "polynomial(0.5, 1, -0.3, 0.2)",
    "Sigmoid_like": "0.5*erf(x/2.4020563531719796) + 0.5",
    "Rbf(1)": "sqrt(2)*sin(sqrt(2)*x + pi/4)",
}
NO_ACTIVATION = {"ExpNormalized"}  # a dual that is given, not derived
RECORDS = json.loads(DATA.read_text())["records"]


def _square(text: str) -> Rational:
    if text == "sqrt(2)":
        return Rational(2)
    value = Fraction(text) ** 2
    return Rational(value.numerator, value.denominator)


def _group(record: dict) -> tuple:
    return (record["activation"], record["hidden_depth"], record["W_std"], record["b_std"], record["input_norm"])


def test_every_activation_of_the_reference_is_covered():
    assert {record["activation"] for record in RECORDS} == set(TEXTS) | NO_ACTIVATION


@pytest.mark.parametrize("name", TEXTS)
def test_reference_values_to_30_digits(name):
    wrong, checked = [], 0
    records = sorted((r for r in RECORDS if r["activation"] == name), key=_group)
    for (_, depth, weight, bias, norm), group in groupby(records, key=_group):
        variance = Rational(1, 4) if norm == "1" else 1
        net = mlp(TEXTS[name], depth, sigma_w2=_square(weight), sigma_b2=_square(bias), input_variance=variance, drop_deltas=True)
        with mpmath.workdps(60):
            for record in group:
                for kernel, key in ((net.ck, "nngp"), (net.ntk, "ntk")):
                    found, wanted = evaluate(kernel.program, record["rho"]), mpmath.mpf(record[key])
                    checked += 1
                    if abs(found - wanted) > mpmath.mpf(10) ** -30 * max(abs(wanted), mpmath.mpf(10) ** -9):
                        wrong.append((record, key, mpmath.nstr(found, 35)))
    assert checked == 2 * len(records) > 0
    assert not wrong, wrong[:3]


def test_normalised_kernels_are_one_and_depth_plus_one_on_the_diagonal():
    for depth in (0, 1, 2, 5, 40):
        net = mlp(relu, depth)
        assert net.ck(1) == 1
        assert net.ntk(1) == depth + 1
        assert [part(1) for part in net.ntk_layers] == [1] * (depth + 1)


@pytest.mark.parametrize("function", [relu, erf, gelu, sin, leaky_relu("1/5"), activation("Max(x,0)-Max(x-1,0)")])
def test_layer_parts_sum_to_the_tangent_kernel(function):
    net = mlp(function, 2, sigma_w2=Rational(3, 2), sigma_b2="0.2")
    with mpmath.workdps(40):
        for rho in ("-0.7", "0.15", "0.9"):
            parts = mpmath.fsum(evaluate(part.program, rho) for part in net.ntk_layers)
            whole = evaluate(net.ntk.program, rho)
            assert mpmath.almosteq(parts, whole, mpmath.mpf(10) ** -35)


def test_relu_parametrisation_two_is_twice_the_normalised_kernel():
    normalised, ntk = mlp(relu, 3), mlp(relu, 3, sigma_w2=2, sigma_b2=0)
    with mpmath.workdps(40):
        for rho in ("-0.9", "0.3"):
            assert mpmath.almosteq(2 * evaluate(normalised.ntk.program, rho), evaluate(ntk.ntk.program, rho), mpmath.mpf(10) ** -37)


def test_depth_sixty_four_stays_short():
    program = mlp(relu, 64).ntk.program
    assert len(program.lines) <= 4 * 64
    with pytest.raises(errors.ExpressionTooLarge, match="written out"):
        mlp(relu, 64).ntk(sympy.Symbol("rho", real=True))


def test_a_jump_makes_the_tangent_kernel_infinite_on_the_diagonal():
    assert mlp(sign, 1).ntk.diagonal_is_infinite
    assert not mlp(sign, 1).ck.diagonal_is_infinite
    assert not mlp(sign, 1, drop_deltas=True).ntk.diagonal_is_infinite
    rho = sympy.Symbol("rho", real=True)
    assert sympy.simplify(mlp(step, 1).ntk(rho) - 2 * activation("step(x)").dual(rho) - rho * 2 * step.dual_derivative(rho)) == 0


@pytest.mark.parametrize(
    ("depth", "options", "error", "fragment"),
    [
        (-1, {}, errors.InputError, "depth must be at least 0"),
        ("x", {}, errors.InputError, "depth must be an integer"),
        (10**9, {}, errors.InputError, str(network.MAX_NETWORK_DEPTH)),
        (1, {"sigma_w2": 0}, errors.InputError, "sigma_w2 must be positive"),
        (1, {"sigma_w2": 1, "sigma_b2": -1}, errors.InputError, "sigma_b2 must be at least 0"),
        (1, {"sigma_w2": float("nan")}, errors.InputError, "not finite"),
        (1, {"sigma_w2": "two"}, errors.InputError, "not a decimal number"),
    ],
)
def test_bad_networks(depth, options, error, fragment):
    with pytest.raises(error, match=fragment):
        mlp(relu, depth, **options)


def test_a_second_moment_that_becomes_infinite_names_the_layer():
    for weight, layer in ((3, 1), (2, 2)):
        with pytest.raises(errors.NotSquareIntegrable, match=f"layer {layer}"):
            _ = mlp("exp(x**2/9)", 3, sigma_w2=weight).ck


@pytest.mark.parametrize("depth", [2, 3])
def test_exact_values_next_to_the_diagonal(depth):
    """sympy takes acos(x) for 0 where x is within 1e-8 of 1; the value must not."""
    small = Rational(1, 10**5)
    leading = 1 - 2 * small**2 + depth * Rational(8, 3) * small**3 / sympy.pi
    assert abs((mlp(relu, depth).ck(1 - 2 * small**2) - leading).evalf(50)) < 100 * small**4
