"""Bounds of activations on the line against their values and moments."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import arb

import symspec as ss
from numerics.line_bounds import exponent, line_bounds, moment_bound
from symspec.errors import Undecided

NAMES = ["relu", "elu", "gelu", "relu(x-1)", "erf(x+1)", "exp(x/3)", "x*exp(-x**2+2*x)", "x*sin(x)", "Max(-1, Min(x, 1))", "Heaviside(x-2)*exp(-x)", "x**3*exp(-x/2)*Heaviside(x+1)", "step"]


@pytest.mark.parametrize("name", NAMES)
def test_values_lie_below(name):
    activation = ss.activation(name)
    value = sympy.lambdify(sympy.Symbol("x", real=True), activation(sympy.Symbol("x", real=True)), "mpmath")
    bounds = line_bounds(activation.form)
    for i in range(-160, 161):
        x = mpmath.mpf(i) / 8 + mpmath.mpf(1) / 1000
        total = sum(float(bound.size.upper()) * abs(x) ** bound.power * mpmath.exp(float(bound.rate) * abs(x)) for bound in bounds)
        assert abs(value(x)) <= total * (1 + mpmath.mpf(10) ** -12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("q", ["1/4", "1", "3"])
def test_second_moments_lie_below(name, q):
    activation, q = ss.activation(name), sympy.Rational(q)
    bounds = line_bounds(activation.form)
    found = float((moment_bound(bounds)(arb(q.p) / q.q) * (exponent(bounds) * arb(q.p) / q.q).exp()).upper())
    assert float(activation.dual_object.at(sympy.S.One, q, q) if not activation.dual_object.needs_angle else activation.dual(1, q, q)) <= found


def test_what_decays_on_its_half_line_does_not_grow():
    assert exponent(line_bounds(ss.elu.form)).is_zero()
    assert exponent(line_bounds(ss.activation("exp(x)*Heaviside(x)").form)) == 4 // 2
    assert [bound.power for bound in line_bounds(ss.relu.form)] == [1]


def test_what_grows_faster_is_refused():
    with pytest.raises(Undecided):
        line_bounds(ss.activation("exp(x**2/8)").form)
    with pytest.raises(Undecided):
        line_bounds(ss.step.derivative.form)
