"""Domination for duals given by their series: decisions against coefficients computed without the engine, and the bounds behind them."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
from flint import arb, arb_series, fmpq
from sympy import Rational, lambdify

import numerics
import symspec as ss
from numerics import series_dominance
from numerics.dual_series import MehlerSeries
from numerics.hermite_decay import ClassSum, HermiteDecay
from numerics.precision import working_precision
from symspec.errors import Undecided
from symspec.positive_transforms import transforms
from symspec.strip_functions import Profile
from symspec.terms import X

from .layer_oracle import differences, negative

TENTH = Fraction(1, 10)


def meaning(text):
    table = {
        "sigmoid(x)": lambda x: 1 / (1 + mpmath.exp(-x)),
        "softplus(x)": lambda x: mpmath.log(1 + mpmath.exp(x)),
        "silu(x)": lambda x: x / (1 + mpmath.exp(-x)),
    }
    return table.get(text) or lambdify(X, ss.activation(text)(X), "mpmath")


CASES = [
    ("sigmoid(x)", 2, 1, None, 0, 3, 0.1),
    ("softplus(x)", 2, 1, None, 0, 2, 0.1),
    ("silu(x)", 2, 1, None, 0, 2, 0.1),
    pytest.param("sech(x)", 2, 1, None, 0, 3, 0.06, marks=pytest.mark.slow),
    pytest.param("tanh(x)", 2, 1, 1, TENTH, 2, 0.06, marks=pytest.mark.slow),
    pytest.param("silu(x)", 3, 2, None, 0, 1, 0.1, marks=pytest.mark.slow),
    pytest.param("silu(x)", 2, 1, 2, 0, 2, 0.1, marks=pytest.mark.slow),
    pytest.param("sqrt(1+x**2)", 2, 1, None, 0, 3, 0.04, marks=pytest.mark.slow),
    pytest.param("atan(x)", 2, 1, 1, TENTH, 2, 0.04, marks=pytest.mark.slow),
    pytest.param("sech(x)+tanh(x)", 2, 1, None, 0, 2, 0.06, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("text", "depth", "layer", "sigma_w2", "sigma_b2", "start", "step"), CASES)
def test_signs_against_quadrature(text, depth, layer, sigma_w2, sigma_b2, start, step):
    options = {} if sigma_w2 is None else {"sigma_w2": sigma_w2, "sigma_b2": sigma_b2}
    found = numerics.layer_domination(ss.mlp(ss.activation(text), depth, **options), layer)
    values = differences(meaning(text), depth, layer, 50, sigma_w2, sigma_b2, 120, step, 240)
    assert negative(values, 12) == list(found.negative)
    assert found.holds_from == start
    assert found.convolution[0].start <= found.cut < 160


ACTIVATIONS = [
    *("tanh(x)", "sigmoid(x)", "softplus(x)", "silu(x)", "sech(x)", "atan(x)", "x*tanh(x)", "tanh(x)**2"),
    *("1/(1+x**2)", "(x**2+2)**(-3/2)", "sqrt(1+x**2)", "tanh(x)+tanh(2*x)", "softplus(-2*x)+silu(x)"),
]


@pytest.mark.parametrize("text", ACTIVATIONS)
@pytest.mark.parametrize("q", [Rational(1), Rational(3, 2)])
def test_decay_bounds_against_coefficients(text, q):
    """The two-sided bounds of all ratios, their sums, and the one sign, at the first 160 coefficients."""
    form = ss.activation(text).form
    with working_precision(260):
        variance = arb(int(q.p)) / int(q.q)
        values = MehlerSeries.of(Profile(form.expr), variance, variance, 260).weights(160)
        for parity, transform in transforms(form).items():
            decay = HermiteDecay.of(transform, variance)
            start = decay.above + 1 + (decay.above + 1 - parity) % 2
            class_ = {k: values[k] for k in range(start, 156, 2)}
            assert all(value > 0 for value in class_.values())
            for K in list(class_)[:: max(1, len(class_) // 6)]:
                eta, exponent, slow, sums = decay.fall(K), decay.exponent(K), decay.slow(K), ClassSum.of(decay, K)
                for k in range(K, 154, 2):
                    assert class_[k + 2] <= class_[k] * (1 - eta / arb(k).sqrt())
                    assert class_[k + 2] <= class_[k] * (-exponent / arb(k).sqrt()).exp()
                    assert class_[k + 2] >= class_[k] * (-slow / arb(k).sqrt()).exp()
                if sums is not None:
                    assert sum(((k - K + 2) * class_[k] for k in range(K, 156, 2)), arb(0)) <= sums.first_moment(K, K - 2) * class_[K]


def test_the_rates_are_the_true_ones():
    with working_precision(100):
        decay = HermiteDecay.of(transforms(ss.tanh.form)[1], arb(1))
        for value in (decay.exponent(10**8), decay.slow(10**8), decay.fall(10**8)):
            assert abs(value - arb.pi()) < 0.01


def test_the_moment_bounds_hold():
    """P(S_k >= n) of the sum of k indices, by the law itself."""
    with working_precision(300, 400):
        network = ss.mlp(ss.sigmoid, 2)
        case = series_dominance._Case.of(network, series_dominance.series_layers(network), 1, transforms(ss.sigmoid.form))
        law = arb_series(case.inner.normalised(400))
        for k, n in ((20, 18), (24, 16), (30, 20)):
            power = law**k
            above = 1 - sum((power[j] for j in range(n)), arb(0))
            ratio = arb(k) / n
            bound = case._beyond_mean(n, fmpq(k, n))
            assert above < bound < 1
            assert ratio * case.mean < 1
        assert abs(sum((j * law[j] for j in range(400)), arb(0)) - case.mean) < 1e-6


def test_a_fault_is_caught(monkeypatch):
    """A decay of the negative terms that is claimed twice as fast moves the start down, below a negative coefficient."""
    network = ss.mlp(ss.activation("sech(x)+tanh(x)"), 2)
    honest = series_dominance.series_tail(network, 1).start
    real = ClassSum.of

    def hasty(decay, start):
        found = real(decay, start)
        return found and ClassSum(found.exponent, found.gamma / 100, found.weighted / 100)

    monkeypatch.setattr(series_dominance.ClassSum, "of", staticmethod(hasty))
    assert series_dominance.series_tail(network, 1).start < honest / 2


def test_depth_three_sigmoid_is_not_decided():
    """Its coefficients for layers 2 and 3 are negative at odd degrees from 35 on."""
    with pytest.raises(Undecided, match="not shown to be outweighed"):
        numerics.layer_domination(ss.mlp(ss.sigmoid, 3), 2)


@pytest.mark.parametrize(
    ("text", "depth", "layer", "options", "why"),
    [
        ("sigmoid(x)", 3, 1, {}, "pair \\(2, 3\\) only"),
        ("mish(x)", 2, 1, {}, "not of one known sign"),
        ("tanh(x)", 2, 1, {"sigma_w2": 4, "sigma_b2": 3}, "decays more slowly"),
        ("1+tanh(2*x)", 3, 2, {}, "up to 256 only"),
        ("tanh(x+1)", 2, 1, {}, "not of one known sign"),
        ("tanh(x) - atan(x)", 2, 1, {"sigma_b2": TENTH}, "not of one known sign"),
    ],
)
def test_refusals(text, depth, layer, options, why):
    with pytest.raises(Undecided, match=why):
        numerics.layer_domination(ss.mlp(ss.activation(text), depth, **options), layer)


def test_polynomial_parts_have_ended():
    """The even part x^12 of the activation weighs on degrees up to 12 only."""
    found = series_dominance.series_tail(ss.mlp(ss.activation("tanh(x) + x**12/10000000"), 2), 1)
    assert found.start > 12
