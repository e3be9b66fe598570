"""The lemma on the share of zeros against exact ratios of coefficients of powers, and compositions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, arb_series, fmpq, fmpz_poly
from hypothesis import given, settings, strategies as st

import symspec as ss
from numerics.coefficient_ratios import CoefficientRatios, tangent
from numerics.entire_layers import entire_layers, first_layer
from numerics.power_ratios import PowerRatios
from numerics.precision import working_precision


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=6), st.integers(1, 12), st.fractions(Fraction(1, 4), Fraction(4), max_denominator=4))
def test_every_ratio_of_powers(weights, parts, mean):
    """Finite series with exact coefficients: all n up to the mean, some m from ``parts`` on."""
    weights[0] += 1
    with working_precision(100):
        bound = PowerRatios([arb(w) for w in weights] + [arb(0)] * 40).bound(fmpq(mean.numerator, mean.denominator), parts) * (1 + arb(2) ** -40)
    for m in range(parts, parts + 6):
        less, full = (fmpz_poly(weights) ** k for k in (m - 1, m))
        for n in range(int(mean * m) + 1):
            if full[n] != 0 and bound.is_finite():
                assert arb(int(full[n])) <= bound * int(less[n])


def test_the_bound_is_nearly_attained():
    """For e^z the true ratio at n = m is (m/(m-1))^n -> e."""
    from math import factorial

    ratios = PowerRatios([1 / arb(factorial(j)) for j in range(300)])
    assert 2.718 < float(ratios.bound(fmpq(1), 64)) < 2.75
    assert not ratios.bound(fmpq(1), 64) < arb(64) ** 64 / arb(63) ** 64


def test_no_zero_no_bound():
    assert not PowerRatios([arb(0), arb(1)] + [arb(0)] * 20).bound(fmpq(1), 8).is_finite()


@pytest.mark.parametrize(
    ("text", "depth", "step", "options"),
    [("exp(x)", 3, 1, {}), ("cos(x)", 3, 2, {}), ("cos(x+1)", 2, 2, {}), ("sin(x)", 3, 2, {"sigma_b2": "1/10"}), ("x*sin(x)+1", 2, 2, {})],
)
def test_ratios_of_compositions(text, depth, step, options):
    """The bound from K on against the coefficients of the composition up to degree 160."""
    with working_precision(2500, 160):
        network = ss.mlp(ss.activation(text), depth, **options)
        layers = entire_layers(network)
        layers = [first_layer(network, layers), *layers[1:]]
        series = arb_series([0, 1])
        for layer in layers:
            series = layer.value(series)
        cube = series * series * series
        for power, values in ((1, series), (3, cube)):
            ratios = CoefficientRatios(layers, step, power)
            checked = 0
            for start in (20, 60, 120):
                bound = ratios.bound(start)
                for k in range(start, 160 - step):
                    if bound.is_finite() and values[k + step] > 0:
                        assert values[k + step] <= bound * values[k] if values[k] > 0 else values[k].contains(0)
                        checked += 1
            assert power != 1 or checked


def test_a_fault_in_the_growth_is_caught():
    """Half the constant C is less than the true ratios of e^(e^z - 1)."""
    with working_precision(600, 90):
        layers = entire_layers(ss.mlp(ss.exp, 2))
        series = layers[1].value(layers[0].value(arb_series([0, 1])))
        true = max((series[k + 1] / series[k] for k in range(60, 80)), key=float)
        assert true < CoefficientRatios(layers, 1).bound(60)
        for layer in layers:
            layer._growth[1] = arb("0.5")
        assert CoefficientRatios(layers, 1).bound(60) < true


def test_tangents():
    cosine, exponential = (entire_layers(ss.mlp(a, 1))[0] for a in (ss.cos, ss.exp))
    assert tangent(cosine, 2, 0) == (1, 0)
    for layer, p, degrees in ((cosine, 2, range(0, 40, 2)), (exponential, 2, range(40)), (exponential, 3, range(40)), (exponential, 1, range(40))):
        for mean in (0, 1, 2, 5, 8):
            slope, intercept = tangent(layer, p, mean)
            falling = [j if p == 1 else j * (j - 1) if p == 2 else j * (j - 1) * (j - 2) for j in degrees]
            assert all(slope * j - intercept <= f for j, f in zip(degrees, falling, strict=True))
