"""Domination for entire duals: decisions against coefficients computed without the engine."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
from flint import arb
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from sympy import lambdify

import numerics
import symspec as ss
from numerics import entire_dominance
from symspec.errors import InputError, Undecided
from symspec.terms import X

from .layer_oracle import differences, negative
from .random_exponentials import exponential_polynomial_texts

TENTH = Fraction(1, 10)
CASES = [
    ("exp(x)", 3, 1, None, 0, 2, 60),
    ("exp(x)", 3, 2, None, 0, 1, 40),
    ("cos(x)", 3, 1, None, 0, 3, 60),
    ("cos(x)", 4, 3, None, 0, 1, 40),
    ("sin(x)", 3, 1, 1, TENTH, 2, 60),
    ("sin(x)", 3, 2, 1, TENTH, 1, 40),
    ("exp(x/2)", 3, 1, 1, TENTH, 2, 40),
    ("exp(x)*cos(x)", 2, 1, None, 0, 2, 40),
    pytest.param("exp(x)", 4, 1, None, 0, 3, 110, marks=pytest.mark.slow),
    pytest.param("cos(x)", 4, 1, None, 0, 3, 130, marks=pytest.mark.slow),
    pytest.param("cos(x+1)", 4, 1, None, 0, 3, 90, marks=pytest.mark.slow),
    pytest.param("x*sin(x)+1", 3, 1, None, 0, 3, 130, marks=pytest.mark.slow),
    pytest.param("cos(x)+cos(2*x)", 3, 1, None, 0, 3, 90, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("text", "depth", "layer", "sigma_w2", "sigma_b2", "start", "terms"), CASES)
def test_signs_against_quadrature(text, depth, layer, sigma_w2, sigma_b2, start, terms):
    activation = ss.activation(text)
    options = {} if sigma_w2 is None else {"sigma_w2": sigma_w2, "sigma_b2": sigma_b2}
    found = numerics.layer_domination(ss.mlp(activation, depth, **options), layer)
    values = differences(lambdify(X, activation(X), "mpmath"), depth, layer, terms, sigma_w2, sigma_b2)
    assert negative(values) == list(found.negative)
    assert found.holds_from == start == max(found.negative) + 1
    assert found.cut >= found.convolution[0].start


@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.integers(2, 3), st.sampled_from([None, 0, Fraction(1, 4)]), st.data())
def test_random_exponential_polynomials(depth, bias, data):
    """Whatever is decided agrees with the computed signs. (Sums of waves at symbolic variances take the engine long to write down.)"""
    text = data.draw(exponential_polynomial_texts(parts=2 if bias is None else 1, powers=0, mixed=False))
    layer = data.draw(st.integers(1, depth - 1))
    sigma_w2 = None if bias is None else Fraction(1, 4)
    options = {} if bias is None else {"sigma_w2": sigma_w2, "sigma_b2": bias}
    try:
        network = ss.mlp(ss.activation(text), depth, **options)
        found = numerics.layer_domination(network, layer)
    except ss.SymspecError:
        return
    values = differences(lambdify(X, network.activation(X), "mpmath"), depth, layer, 30, sigma_w2, bias or 0, 180)
    assert negative(values) == [n for n in found.negative if n < 30]


def test_a_fault_is_caught(monkeypatch):
    """With ratios taken for a thousandth of their bound the tail seems proved from a degree that is too small."""
    network = ss.mlp(ss.exp, 4)
    honest = entire_dominance.entire_tail(network, 1).start
    real = entire_dominance.CoefficientRatios.bound
    monkeypatch.setattr(entire_dominance.CoefficientRatios, "bound", lambda self, start: real(self, start) / 1000)
    assert entire_dominance.entire_tail(network, 1).start < honest / 3


def test_on_domains_and_statement():
    found = numerics.layer_domination(ss.mlp(ss.cos, 2), 1)
    assert (found.holds_from, found.negative, found.tail) == (3, (0, 2), (1, 0))
    assert found.on(ss.Sphere(3)) <= 3
    assert r"k\ge3" in found.statement()
    assert "dominates" in str(found)
    assert "fall by" in str(found.convolution[0])


@pytest.mark.parametrize(("first", "second"), [(1, 3), (1, 4), (2, 4)])
def test_layers_that_are_not_consecutive(first, second):
    """The differences of the layers between them add up."""
    parts = ss.mlp(ss.exp, 3).ntk_layers
    found = numerics.domination(parts[first - 1], parts[second - 1])
    values = [sum(column, arb(0)) for column in zip(*(differences(mpmath.exp, 3, layer, 40) for layer in range(first, second)), strict=True)]
    assert negative(values) == list(found.negative)
    assert found.holds_from == max(found.negative) + 1
    with pytest.raises(Undecided, match="entire"):
        numerics.domination(parts[second - 1], parts[first - 1])
    with pytest.raises(Undecided, match="entire"):
        numerics.domination(parts[first - 1], 2 * parts[second - 1])


def test_refusals():
    with pytest.raises(InputError, match="last pair"):
        entire_dominance.entire_tail(ss.mlp(ss.exp, 2), 2)
    with pytest.raises(Undecided, match="no exponential polynomial"):
        entire_dominance.entire_tail(ss.mlp(ss.tanh, 2), 1)
    # |s|^2 and phases that no step makes real: the ratios are not bounded.
    with pytest.raises(Undecided, match="ratios of the coefficients"):
        numerics.layer_domination(ss.mlp(ss.activation("exp(x)*cos(2*x)"), 2), 1)


def test_outweighed():
    from flint import fmpq

    assert entire_dominance._outweighed(arb("0.4"), 1, fmpq(1))
    assert not entire_dominance._outweighed(arb("0.6"), 1, fmpq(1))
    assert entire_dominance._outweighed(arb("0.6"), 1, fmpq(8))
    with mpmath.workdps(15):
        assert not entire_dominance._outweighed(arb("0.99"), 2, fmpq(9))
