"""Certified kernel values: the reference table, images of balls, refusals."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given, settings, strategies as st
from sympy import Rational

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec import errors
from tests.symspec.test_network import RECORDS, TEXTS


def _square(text: str) -> Rational:
    if text == "sqrt(2)":
        return Rational(2)
    value = Fraction(text) ** 2
    return Rational(value.numerator, value.denominator)


@pytest.mark.parametrize("name", TEXTS)
def test_reference_values_to_30_digits(name):
    nets, wrong = {}, []
    for record in (r for r in RECORDS if r["activation"] == name):
        options = (record["hidden_depth"], record["W_std"], record["b_std"], record["input_norm"])
        if options not in nets:
            depth, weight, bias, norm = options
            variance = Rational(1, 4) if norm == "1" else 1
            nets[options] = ss.mlp(TEXTS[name], depth, sigma_w2=_square(weight), sigma_b2=_square(bias), input_variance=variance, drop_deltas=True)
        for kernel, key in ((nets[options].ck, "nngp"), (nets[options].ntk, "ntk")):
            value = numerics.evaluate(kernel, record["rho"], digits=32)
            with working_precision(160):
                wanted = arb(record[key])
                if not abs(value - wanted) <= arb("1e-30") * abs(wanted).max(arb("1e-9")):
                    wrong.append((record, key, value))
    assert nets
    assert not wrong, wrong[:3]


KERNELS = [ss.mlp(ss.relu, 3).ntk, ss.mlp(ss.gelu, 2).ck, ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2="0.1").ntk, ss.mlp(ss.sin, 1).ntk]


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(KERNELS), st.fractions(-1, 1, max_denominator=1000), st.fractions(0, Fraction(1, 100), max_denominator=10**6))
def test_the_image_of_a_ball_contains_the_values(kernel, middle, radius):
    if abs(middle) + radius >= 1:
        return
    with working_precision(100):
        interval = arb(middle.numerator) / middle.denominator + arb(0, arb(radius.numerator) / radius.denominator)
    image = numerics.evaluate(kernel, interval, digits=20)
    for point in (middle - radius, middle, middle + radius):
        assert image.overlaps(numerics.evaluate(kernel, point, digits=20))


def test_near_the_diagonal_no_digit_is_lost():
    kernel = ss.mlp(ss.relu, 1).ntk
    tiny = Fraction(1, 10**40)
    with working_precision(400):
        theta = 2 * (arb(1) / (2 * 10**40)).sqrt().asin()
        c = theta.cos()
        wanted = 2 * c * (1 - theta / arb.pi()) + theta.sin() / arb.pi()
        assert numerics.evaluate(kernel, 1 - tiny, digits=60).overlaps(wanted)
    assert numerics.evaluate(kernel, 1 - tiny, digits=60).rel_accuracy_bits() >= 199


def test_values_at_both_ends_and_exact_zero():
    assert numerics.evaluate(ss.mlp(ss.relu, 5).ntk, 1) == 6
    assert numerics.evaluate(ss.mlp(ss.erf, 3).ck, 0) == 0
    small = numerics.evaluate(ss.mlp(ss.relu, 1).ck, -1, digits=30)
    assert small.contains(0)
    assert small.rad() < arb("1e-59")
    assert numerics.evaluate(ss.mlp(ss.relu, 64).ntk, 0, digits=50).rel_accuracy_bits() > 165


@pytest.mark.parametrize("rho", [2, "-1.0000000001", Fraction(7, 6), float("nan"), float("inf"), "x", None, 1j, [0.5]])
def test_points_that_are_no_correlation(rho):
    with pytest.raises(errors.InputError):
        numerics.evaluate(ss.mlp(ss.relu, 1).ck, rho)


def test_a_ball_that_leaves_the_interval():
    with pytest.raises(errors.DomainError, match="not contained"):
        numerics.evaluate(ss.mlp(ss.relu, 1).ck, arb(1, 0.1))


@pytest.mark.parametrize("digits", [0, -3, 1.5, "ten", 10**9])
def test_digits_that_are_none(digits):
    before = ctx.prec
    with pytest.raises(errors.InputError, match="digits"):
        numerics.evaluate(ss.mlp(ss.relu, 1).ck, 0, digits=digits)
    assert ctx.prec == before


def test_what_is_no_kernel():
    with pytest.raises(errors.InputError, match="takes a Kernel"):
        numerics.evaluate(ss.relu, 0)


def test_an_infinite_diagonal_is_refused():
    with pytest.raises(errors.DomainError, match="infinite on the diagonal"):
        numerics.evaluate(ss.mlp(ss.sign, 1).ntk, 1)
    assert numerics.evaluate(ss.mlp(ss.sign, 1, drop_deltas=True).ntk, 1) == 1


@pytest.mark.parametrize("text", ["Max(x-1/4,0)", "Max(x,0)-Max(x-1,0)"])
def test_opposite_inputs_of_a_threshold(text):
    """At rho = -1 the program divides by zero; K(-1) is enclosed from a neighbouring correlation."""
    activation = ss.activation(text)
    assert numerics.evaluate(ss.mlp(activation, 1).ck, -1, 20).contains(0)
    deep = numerics.evaluate(ss.mlp(activation, 2).ck, -1, 15)
    beside = numerics.evaluate(ss.mlp(activation, 2).ck, "-0.99999999999999999999", 15)
    assert deep.rel_accuracy_bits() >= 48
    assert abs(deep - beside) < arb("1e-9")


def test_exact_zeros_of_values_are_exact():
    assert numerics.evaluate(ss.mlp(ss.relu, 1).ck, -1) == 0
    assert numerics.evaluate(ss.mlp(ss.relu, 1).ck, -1).is_exact()
    assert numerics.evaluate(ss.mlp(ss.relu, 2).ck, -1) > 0
