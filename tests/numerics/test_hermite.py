"""Certified Hermite coefficients against quadrature, closed forms, and faults that must show."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import pytest
import sympy
from flint import arb
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics import hermite_quadrature
from numerics.hermite_quadrature import GaussianIntegrals, coefficients, moments
from numerics.precision import working_precision
from symspec import errors
from symspec.strip import lifted
from symspec.terms import X

from ..symspec.random_strip_activations import HEADS, strip_activations


def by_quadrature(meaning, n, q=1):
    """a_n(q) by mpmath, the interval cut into pieces."""
    scale = mpmath.sqrt(mpmath.mpf(2) ** n * mpmath.factorial(n))

    def integrand(x):
        return meaning(mpmath.sqrt(q) * x) * mpmath.hermite(n, x / mpmath.sqrt(2)) / scale * mpmath.npdf(x)

    return mpmath.quad(integrand, range(-16, 17, 2))


def ball(value, digits):
    return arb(mpmath.nstr(value, digits + 5)) + arb(0, f"1e-{digits}")


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "silu", "mish"])
def test_named_activations_against_quadrature(name):
    found = numerics.hermite_coefficients(name, range(8), digits=30)
    with mpmath.workdps(25), working_precision(150):
        for n, value in enumerate(found):
            assert value.overlaps(ball(by_quadrature(HEADS[name], n), 20))
            assert value == 0 or value.rel_accuracy_bits() > 98
            assert (value == 0) == ss.activation(name).support.vanishes_at(n)


@settings(max_examples=25, deadline=None)
@given(strip_activations, st.sampled_from([0, 1, 2, 5]), st.sampled_from(["1/2", "1", "3"]))
def test_random_activations_against_quadrature(random, n, q):
    form = lifted(ss.activation(random.text).form)
    with working_precision(128):
        value = coefficients(form.base, numerics.ball(sympy.Rational(q)), 6, 70)[n]
    with mpmath.workdps(20), working_precision(128):
        assert value.rad() < arb("1e-19")
        assert value.overlaps(ball(by_quadrature(random.meaning, n, mpmath.mpf(sympy.Rational(q).p) / sympy.Rational(q).q), 14))


@pytest.mark.parametrize("text", ["erf(x)", "gelu(x)", "sin(2*x + 1)", "x*exp(x/2)", "exp(-x**2)*cos(x)", "exp(x**2/10)", "x**3 - x"])
def test_closed_forms_both_ways(text):
    exact = numerics.hermite_coefficients(text, range(12), digits=30, variance="3/2")
    with working_precision(200):
        found = coefficients(lifted(ss.activation(text).form).expr, arb(3) / 2, 12, 110)
        assert all(a.overlaps(b) for a, b in zip(exact, found, strict=True))
        assert all(b.rad() < arb("1e-32") for b in found)


def test_piecewise_activations_go_through_the_same_entry():
    values = numerics.hermite_coefficients("relu", [0, 1, 2, 3, 4], digits=40)
    with working_precision(160):
        assert values[4].overlaps(-arb(3).sqrt() / (12 * arb.pi().sqrt()))
    assert values[3] == 0


def test_order_repeats_and_variance():
    a, b, c = numerics.hermite_coefficients("tanh", [3, 1, 3], digits=15, variance=2)
    assert a.overlaps(c)
    assert a.overlaps(numerics.hermite_coefficients(ss.tanh, 3, digits=25, variance=2)[0])
    assert not a.overlaps(numerics.hermite_coefficients(ss.tanh, 3, digits=25)[0])
    # A rescaled activation is a rescaled variance.
    assert b.overlaps(numerics.hermite_coefficients("tanh(sqrt(2)*x)", 1, digits=25)[0])


def test_many_degrees_and_digits():
    values = numerics.hermite_coefficients("tanh", range(302), digits=100)
    assert all(v == 0 or v.rel_accuracy_bits() >= 332 for v in values)
    with working_precision(400):
        # Parseval: what is left after 302 coefficients is positive and small.
        rest = moments(sympy.tanh(X), 0, arb(1), 380)[0] - sum((v * v for v in values), arb(0))
        assert arb("1e-26") < rest < arb("1e-22")


def test_coefficients_decay_as_the_height_of_the_singularity_says():
    """log|a_n| ~ -a sqrt(n): the local slope between n = 900 and n = 1600, for a = pi/2, pi and 3 pi/4."""
    for name, height, tolerance in (("tanh", mpmath.pi / 2, 0.02), ("silu", mpmath.pi, 0.04)):
        low, high = numerics.hermite_coefficients(name, [901, 1601] if name == "tanh" else [900, 1600], digits=5)
        slope = (abs(high).log() - abs(low).log()) / 10
        assert abs(float(slope) + float(height)) < tolerance


def test_bad_input():
    with pytest.raises(errors.InputError):
        numerics.hermite_coefficients("tanh", [-1])
    with pytest.raises(errors.InputError, match="variance"):
        numerics.hermite_coefficients("tanh", 1, variance=0)
    with pytest.raises(errors.NotSquareIntegrable):
        numerics.hermite_coefficients("exp(x**2/8)*tanh(x)", 1, variance=2)
    with pytest.raises(errors.InputError, match="above"):
        numerics.hermite_coefficients("tanh", 10**6)


def test_a_hidden_zero_is_undecided_and_never_a_small_ball():
    # tanh(2x) (1 + tanh^2 x) = 2 tanh x, which the normal form does not know.
    text = "tanh(2*x) - 2*tanh(x) + tanh(2*x)*tanh(x)**2"
    assert ss.activation(text).parity == "odd"
    with pytest.raises(errors.Undecided, match="exactly 0"):
        numerics.hermite_coefficients(text, [1], digits=10)


TRUTH = {"bits": 120, "count": 30}


def truth():
    with working_precision(300):
        return coefficients(sympy.tanh(X), arb(1), TRUTH["count"], 200)


def misses(values):
    """Whether some ball of the faulty run excludes the truth."""
    return any(not a.overlaps(b) for a, b in zip(values, truth(), strict=True))


def faulty():
    with working_precision(300):
        return coefficients(sympy.tanh(X), arb(1), TRUTH["count"], TRUTH["bits"])


def test_the_right_program_passes_the_check():
    assert not misses(faulty())


def test_fault_bound_too_small(monkeypatch):
    plan = GaussianIntegrals.coefficient_rule
    monkeypatch.setattr(GaussianIntegrals, "coefficient_rule", lambda self, n, bits: replace(plan(self, n, bits // 2), error=arb(2) ** -bits))
    assert misses(faulty())


def test_fault_strip_too_wide(monkeypatch):
    """The envelope refuses a strip beyond the poles; with the refusal removed the error bound fails."""
    widths = hermite_quadrature._half_widths
    monkeypatch.setattr(hermite_quadrature, "_half_widths", lambda expr: [3 * s for s in widths(expr)[-4:]])
    try:
        hermite_quadrature._strips.cache_clear()
        with pytest.raises(errors.Undecided):
            faulty()
        monkeypatch.setattr("numerics.strip_bounds._quarter", lambda w: w)
        hermite_quadrature._strips.cache_clear()
        assert misses(faulty())
    finally:
        hermite_quadrature._strips.cache_clear()


def test_fault_sum_cut_too_early(monkeypatch):
    plan = GaussianIntegrals.coefficient_rule
    monkeypatch.setattr(GaussianIntegrals, "coefficient_rule", lambda self, n, bits: replace(plan(self, n, bits), count=plan(self, n, bits).count // 3))
    assert misses(faulty())


def test_fault_degree_ignored_in_the_bound(monkeypatch):
    with working_precision(300):
        right = coefficients(sympy.tanh(X), arb(1), 402, 200)
    plan = GaussianIntegrals.coefficient_rule
    monkeypatch.setattr(GaussianIntegrals, "coefficient_rule", lambda self, n, bits: plan(self, 0, bits))
    with working_precision(300):
        wrong = coefficients(sympy.tanh(X), arb(1), 402, 60)
    assert any(not a.overlaps(b) for a, b in zip(right, wrong, strict=True))


def test_results_do_not_depend_on_the_working_precision_outside():
    with working_precision(60):
        first = numerics.hermite_coefficients("mish", 5, digits=40)[0]
    with working_precision(500):
        second = numerics.hermite_coefficients("mish", 5, digits=40)[0]
    assert first.mid() == second.mid()
    assert first.rad() == second.rad()


def test_a_variance_that_is_a_ball_is_enclosed():
    with working_precision(200):
        wide = coefficients(sympy.tanh(X), arb(2, "1e-10"), 40, 100)
        for q in (arb(2), arb(2) + arb("0.9e-10"), arb(2) - arb("0.9e-10")):
            exact = coefficients(sympy.tanh(X), q.mid(), 40, 100)
            assert all(a.overlaps(b) for a, b in zip(wide, exact, strict=True))
        assert all(a.rad() < arb("1e-9") for a in wide)


def test_nodes_are_limited():
    with pytest.raises(errors.Undecided, match="nodes"):
        GaussianIntegrals(sympy.tanh(10**6 * X), arb(1)).coefficient_rule(10, 1000)
    assert hermite_quadrature.MAX_NODES > 10_000
