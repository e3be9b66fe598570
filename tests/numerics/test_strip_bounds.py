"""Envelopes in the strip against values at complex points."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import arb
from hypothesis import given, settings, strategies as st

import symspec as ss
from numerics.precision import working_precision
from numerics.strip_bounds import envelope, evaluator
from symspec import errors
from symspec.strip import StripForm, lifted
from symspec.terms import X

from ..symspec.random_strip_activations import strip_activations


def form_of(text):
    return lifted(ss.activation(text).form)


def bound_at(env, x):
    with mpmath.workdps(20):
        size, alpha, beta = (mpmath.mpf(value.str(20, radius=False)) for value in (env.size, env.alpha, env.beta))
        return size * (1 + abs(x)) ** env.power * mpmath.exp(alpha * x * x + beta * abs(x))


@settings(max_examples=80, deadline=None)
@given(strip_activations, st.floats(-8, 8), st.floats(-0.999, 0.999), st.sampled_from([0.3, 0.7, 0.95, 0.995]))
def test_envelopes_hold_off_the_axis(random, x, y, share):
    form = form_of(random.text)
    width = float(form.width) if form.width != sympy.oo else 1.5
    with working_precision(64):
        env = envelope(form.base, arb(share * width))
    with mpmath.workdps(30):
        value = abs(random.meaning(mpmath.mpc(x, y * share * width)))
        assert value <= bound_at(env, x) * (1 + mpmath.mpf(10) ** -12)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["tanh(x)", "silu(x)", "erf(x)**2", "exp(-x**2)*atan(x)", "exp(x**2/8)*tanh(x)"]), st.floats(-5, 5), st.sampled_from([1, 2]))
def test_envelopes_of_derivatives(text, x, order):
    form = form_of(text)
    width = arb(1.5) if form.width == sympy.oo else arb(float(form.width) * 0.9)
    derivative = StripForm(form.base, order).expr
    with working_precision(64):
        env = envelope(form.base, width).of_derivative(order, width / 2)
        value = abs(evaluator(derivative)(arb(x)))
    assert mpmath.mpf(value.str(15, radius=False)) <= bound_at(env, x) * (1 + 1e-9)


@pytest.mark.parametrize(("text", "width"), [("tanh(x)", "1.6"), ("softplus(x)", "3.2"), ("atan(x)", "1.01"), ("1/(1 + x**2)", "1.01"), ("sech(2*x)", "0.8"), ("mish(x)", "1.6")])
def test_a_strip_that_is_too_wide_is_refused(text, width):
    with working_precision(64), pytest.raises(errors.Undecided):
        envelope(form_of(text).base, arb(width))


def test_values_enclose():
    with working_precision(100):
        for text in ("tanh(x)", "softplus(x)", "mish(x)", "(1 + x**2)**(-3/2)", "exp(tanh(x))"):
            expr = form_of(text).expr
            for point in (-40, -2, 0, 3, 40):
                assert evaluator(expr)(arb(point)).overlaps(arb(str(sympy.N(expr.subs(X, point), 40))) + arb(0, 1e-25))
