"""From kernels to activations and back, exactly."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given, settings, strategies as st
from sympy import Rational, Symbol

import symspec as ss
from symspec.errors import InputError, NoClosedForm
from symspec.program import RHO


@settings(max_examples=25, deadline=None)
@given(st.lists(st.fractions(0, 3, max_denominator=5), min_size=1, max_size=6), st.sampled_from(["ck", "ntk"]), st.randoms())
def test_round_trip(values, kind, random):
    if not any(values):
        return
    signs = [random.choice((1, -1)) for _ in values]
    sigma = ss.activation_from_kernel(values, kind, signs)
    network = ss.mlp(sigma, 1, sigma_w2=1)
    kernel = network.ck if kind == "ck" else network.ntk
    expected = sum(Rational(v.numerator, v.denominator) * RHO**n for n, v in enumerate(values))
    assert sympy.expand(kernel(RHO) - expected) == 0


def test_a_polynomial_kernel():
    network = ss.mlp(ss.polynomial(1, 2, 3), 1, sigma_w2=1)
    again = ss.activation_from_kernel(network.ck)
    assert sympy.expand(ss.mlp(again, 1, sigma_w2=1).ck(RHO) - network.ck(RHO)) == 0
    with pytest.raises(NoClosedForm, match="polynomial"):
        ss.activation_from_kernel(ss.mlp(ss.relu, 1).ck)


def test_a_formula():
    """The coefficients of e^rho are those of an exponential activation, up to its constant."""
    n = Symbol("n", integer=True, nonnegative=True)
    series = ss.activation_from_kernel(1 / sympy.factorial(n))
    scale = ss.exp.hermite_coefficient(0)
    for k in range(8):
        assert sympy.simplify(series.hermite_coefficient(k) - ss.exp.hermite_coefficient(k) / scale) == 0
    assert series.truncated(3).form.polynomial_degree == 3
    tangent = ss.activation_from_kernel(1 / sympy.factorial(n), "ntk")
    assert tangent.hermite_coefficient(3) ** 2 == Rational(1, 24)


@pytest.mark.parametrize(
    ("source", "options", "reason"),
    [
        ([1, 0, -2], {}, "degree 2 is -2"),
        ([0, 0], {}, "all coefficients are 0"),
        ([1], {"kind": "nngp"}, "'ck' or 'ntk'"),
        ([1, 1], {"signs": [1]}, "sign of degree 1"),
        ([1], {"signs": lambda n: 2}, "must be 1 or -1"),
        (Symbol("n") - 5, {}, "degree 0 is -5"),
    ],
)
def test_bad_input(source, options, reason):
    with pytest.raises(InputError, match=reason):
        ss.activation_from_kernel(source, **options)
