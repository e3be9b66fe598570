"""g_n of exponential polynomials against quadrature, and the bounds of their ratios against the ratios."""

from __future__ import annotations

import mpmath
import pytest
from flint import arb
from hypothesis import HealthCheck, given, settings, strategies as st
from sympy import lambdify

import symspec as ss
from numerics import exponential_polynomials
from numerics.exponential_polynomials import STEPS, DerivativeMeans
from numerics.precision import working_precision
from symspec.errors import Undecided
from symspec.terms import X

from .layer_oracle import hermite_means
from .random_exponentials import exponential_polynomial_texts


@pytest.mark.parametrize("text", ["exp(x/2)", "cos(x+1)", "x*sin(x)+1", "exp(x)*cos(x)", "x**2*exp(-x) + sin(2*x)", "x**3 - x + exp(x)"])
def test_means_against_quadrature(text):
    f = ss.activation(text)
    with mpmath.workdps(60):
        right = hermite_means(lambdify(X, f(X), "mpmath"), mpmath.mpf(3) / 2, 12)
        with working_precision(160):
            for value, other in zip(DerivativeMeans.of(f.form, arb("1.5")).values(12), right, strict=True):
                assert abs(mpmath.mpf(value.mid().str(40, radius=False)) - other) < mpmath.mpf(10) ** -30


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(exponential_polynomial_texts(parts=3, powers=2), st.sampled_from(STEPS))
def test_the_bound_holds_for_all_ratios(text, p):
    try:
        form = ss.activation(text).form
        with working_precision(300):
            means = DerivativeMeans.of(form, arb(1))
            bound = means.growth(p)
            values = means.values(400)
    except ss.SymspecError:
        return
    if bound is not None:
        for n in range(400 - p):
            assert not values[n + p] * values[n + p] > bound * values[n] * values[n] * (1 + arb(2) ** -100)


def test_known_growth():
    with working_precision(100):
        assert abs(DerivativeMeans.of(ss.exp.form, arb(1)).growth(1) - 1) < arb("1e-20")
        assert DerivativeMeans.of(ss.cos.form, arb(1)).growth(1) is None
        assert abs(DerivativeMeans.of(ss.cos.form, arb(1)).growth(2) - 1) < arb("1e-20")


def test_the_bound_is_about_every_degree():
    """sin(x) + x^4: the ratio 24/3 of two finite terms is not the last word; the late ones are 1."""
    with working_precision(100):
        growth = DerivativeMeans.of(ss.activation("sin(x) + x**4").form, arb(1)).growth(2)
    assert growth > 15


def test_a_fault_is_caught(monkeypatch):
    """Were the rest left out of the denominator, ratios with a slow subdominant term would exceed the bound."""
    real = exponential_polynomials._Split.ratio
    monkeypatch.setattr(exponential_polynomials._Split, "ratio", lambda self, after, p, start: real(self, after, p, start) / 2)
    with working_precision(300):
        means = DerivativeMeans.of(ss.activation("exp(x)").form, arb(1))
        monkeypatch.setattr(exponential_polynomials.DerivativeMeans, "_early", lambda self, p, start: arb(0))
        assert any(abs(b / a) ** 2 > means.growth(1) for a, b in zip(means.values(60)[40:], means.values(60)[41:], strict=False))


def test_refusals():
    for activation in (ss.relu, ss.erf, ss.gaussian, ss.tanh):
        with pytest.raises(Undecided, match="no exponential polynomial"):
            DerivativeMeans.of(activation.form, arb(1))
