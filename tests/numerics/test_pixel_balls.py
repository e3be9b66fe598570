"""Certified values of kernels of images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flint import arb
from hypothesis import given, settings, strategies as st
from sympy import N, Rational

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec.errors import DomainError, InputError
from symspec.exact import exact

REFERENCE = json.loads((Path(__file__).parents[1] / "data" / "conv_kernels.json").read_text())
# The reference was made from the doubles nearest to the printed decimals: with these all its digits agree, with the decimals 16 of them.
IMAGES = {name: [[exact(float(value)) for value in row] for row in REFERENCE["meta"][name]] for name in "xy"}


def _dot(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True)) / 3


@pytest.mark.parametrize("record", REFERENCE["records"], ids=lambda r: f"{r['head']}-{r['filter_size']}-{r['W_std']}-{r['b_std']}-{r['pair']}")
def test_reference(record):
    left, right = (IMAGES[name] for name in record["pair"])
    matrix, variances = [[_dot(a, b) for b in right] for a in left], ([_dot(a, a) for a in left], [_dot(b, b) for b in right])
    w2, b2 = {"1": 1, "sqrt(2)": 2}[record["W_std"]], exact(record["b_std"]) ** 2
    net = ss.cnn(ss.relu, record["depth"], record["filter_size"], 4, {"flatten": "trace", "gap": "gap"}[record["head"]], sigma_w2=w2, sigma_b2=b2)
    for kernel, text in ((net.ck, record["nngp"]), (net.ntk, record["ntk"])):
        value = numerics.evaluate(kernel, matrix, digits=30, variances=variances)
        with working_precision(200):
            assert abs(value / arb(text) - 1) < arb("1e-28")


rationals = st.fractions(min_value=-1, max_value=1, max_denominator=50)


@settings(max_examples=15, deadline=None)
@given(rationals, rationals, st.sampled_from(["relu", "erf", "gelu", "leaky_relu(1/3)", "exp", "sin"]), st.sampled_from(["eq", "trace"]), st.integers(1, 2), st.booleans())
def test_balls_contain_the_exact_expression(a, b, name, head, depth, biased):
    net = ss.cnn(ss.activation(name), depth, 2, 2, head, **({"sigma_b2": "1/3"} if biased else {}))
    for kernel in (net.ck, net.ntk):
        exactly = N(kernel([Rational(a), Rational(b)]), 40)
        value = numerics.evaluate(kernel, [a, b], digits=25)
        with working_precision(200):
            assert abs(value - arb(str(exactly))) < abs(value) * arb("1e-24") + arb("1e-40")


def test_the_diagonal_costs_nothing():
    net = ss.cnn(ss.relu, 6, 2, 3, "trace")
    assert numerics.evaluate(net.ck, [1, 1, 1], digits=200).contains(1)
    near = [1 - Rational(1, 10**30)] * 3
    value = numerics.evaluate(net.ntk, near, digits=30)
    assert value < 7
    assert value > 7 - arb("1e-14")


def test_series_duals_and_unequal_norms():
    net = ss.cnn(ss.tanh, 1, 2, 2)
    value = numerics.evaluate(net.ck, ["0.5", "0.5"], digits=15)
    assert abs(value - numerics.evaluate(ss.mlp(ss.tanh, 1).ck, "0.5", digits=15)) < arb("1e-14")
    unequal = numerics.evaluate(net.ck, ["0.5", "0.5"], digits=10, variances=([1, 2], [1, "1/2"]))
    assert 0 < unequal < 1


def test_refusals():
    K = ss.cnn(ss.relu, 1, 2, 2).ck
    with pytest.raises(DomainError):
        numerics.evaluate(K, [2, 0])
    with pytest.raises(InputError, match="kernels of images"):
        numerics.evaluate(ss.mlp(ss.relu, 1).ck, 0, variances=([1], [1]))
    with pytest.raises(DomainError, match="infinite on the diagonal"):
        numerics.evaluate(ss.cnn(ss.step, 1, 2, 2).ntk, [1, 1])
    with pytest.raises(DomainError, match="zero"):
        numerics.evaluate(K, [0, 0], variances=([1, 0], [1, 1]))
    assert K([1, Rational(1, 2)]).evalf() - float(numerics.evaluate(K, [1, 0.5], digits=20)) < 1e-14
