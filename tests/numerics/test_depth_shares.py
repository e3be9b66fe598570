"""Shares of all depths in one pass: against the certified spectrum of each network, and against mpmath."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import mpmath
import pytest
import sympy
from flint import arb, ctx
from hypothesis import example, given, settings, strategies as st

import numerics
import symspec as ss
from numerics import depth_shares
from numerics.depth_shares import shares_by_depth
from symspec.errors import DomainError, InputError, NotSquareIntegrable
from symspec.krawtchouk import weights


def _kernels(activation, part, depth, parameters):
    net = ss.mlp(activation, depth, sigma_w2=parameters[0], sigma_b2=parameters[1])
    return net.ck if part == "ck" else net.ntk


@pytest.mark.parametrize("part", ["ck", "ntk"])
@pytest.mark.parametrize("activation", [ss.relu, ss.erf, ss.gelu, ss.sin, ss.activation("Max(x,0) + x**2/10"), ss.tanh], ids=str)
def test_every_depth_agrees_with_the_spectrum_of_its_own_network(activation, part):
    depth = 1 if activation in (ss.tanh, ss.gelu) else 3
    for parameters in ((2, 0), (Fraction(1, 2), Fraction(3, 10))):
        rows = shares_by_depth(activation, part, 6, depth, parameters, range(7), 64)
        for layers, row in enumerate(rows):
            direct = numerics.fractional_variances(_kernels(activation, part, layers, parameters), ss.BooleanCube(6), range(7), 15)
            for ours, theirs in zip(row, direct, strict=True):
                assert ours.overlaps(theirs)
                assert ours.rad() < 2.0**-60
                assert (ours == 0) == (theirs == 0)


@settings(max_examples=15, deadline=None)
@example(d=1, depth=4, weight=Fraction(3, 7), bias=Fraction(0))
@given(d=st.integers(1, 40), depth=st.integers(0, 4), weight=st.fractions(Fraction(1, 5), 4, max_denominator=10), bias=st.fractions(0, 3, max_denominator=10))
def test_relu_shares_contain_the_values_of_mpmath(d, depth, weight, bias):
    """The recursion written down independently; an arccosine next to 1 leaves half of its 120 digits."""
    with mpmath.workdps(120):
        w, b = mpmath.mpf(weight.numerator) / weight.denominator, mpmath.mpf(bias.numerator) / bias.denominator
        kernels = [[] for _ in range(depth + 1)]
        for r in range(d + 1):
            variance, covariance = w + b, w * (mpmath.mpf(d - 2 * r) / d) + b
            tangent = covariance
            kernels[0].append(tangent)
            for layer in range(1, depth + 1):
                rho = max(min(covariance / variance, mpmath.mpf(1)), mpmath.mpf(-1))
                angle = mpmath.acos(rho)
                slope = w * (mpmath.pi - angle) / (2 * mpmath.pi)
                covariance = w * variance * (mpmath.sqrt(1 - rho**2) + (mpmath.pi - angle) * rho) / (2 * mpmath.pi) + b
                variance = w * variance / 2 + b
                tangent = covariance + tangent * slope
                kernels[layer].append(tangent)
        degrees = sorted({0, 1, min(2, d), d})
        rows = shares_by_depth(ss.relu, "ntk", d, depth, (weight, bias), degrees, 64)
        for values, row in zip(kernels, rows, strict=True):
            for k, share in zip(degrees, row, strict=True):
                expected = comb(d, k) * mpmath.fdot([(int(c), v) for c, v in zip(weights(d, k), values, strict=True)]) / 2**d / values[0]
                assert abs(mpmath.mpf(str(share.mid().str(50, radius=False))) - expected) <= mpmath.mpf(float(share.rad())) + mpmath.mpf(10) ** -40


def test_points_left_out_in_high_dimension_are_paid_for(monkeypatch):
    d, degrees = 2000, [0, 1, 2, 3]
    cut = shares_by_depth(ss.relu, "ntk", d, 2, (2, "1/2"), degrees, 40)
    monkeypatch.setattr(depth_shares, "WINDOW_FROM", d + 1)
    whole = shares_by_depth(ss.relu, "ntk", d, 2, (2, "1/2"), degrees, 40)
    for few, all_points in zip(cut, whole, strict=True):
        for a, b in zip(few, all_points, strict=True):
            assert a.overlaps(b)
    monkeypatch.undo()
    # A window far too narrow must show in the radius and not in the value.
    monkeypatch.setattr(depth_shares, "window", lambda _d, _accuracy: 980)
    with pytest.raises(ss.Undecided):
        shares_by_depth(ss.relu, "ntk", d, 1, (2, "1/2"), degrees, 40)


def test_deep_networks_and_correlation_minus_one():
    rows = shares_by_depth(ss.relu, "ck", 5, 100, (1, 4), range(6), 64)
    assert all(sum(row, arb(0)).contains(1) and sum(row, arb(0)).rad() < 2.0**-48 for row in rows)


def test_the_working_precision_is_left_alone():
    before = ctx.prec
    shares_by_depth(ss.erf, "ck", 9, 4, (2, 1), [3], 200)
    assert ctx.prec == before


def test_what_is_refused():
    with pytest.raises(DomainError, match="infinite on the diagonal"):
        shares_by_depth(ss.step, "ntk", 5, 2, (1, 0), [1], 64)
    with pytest.raises(NotSquareIntegrable, match="layer"):
        shares_by_depth(ss.activation("exp(x**2/8)"), "ck", 5, 3, (4, 1), [1], 64)
    with pytest.raises(InputError, match="ck or ntk"):
        ss.mlp(ss.relu, 2).by_depth("layer 1")


def test_kernels_of_all_depths_are_those_of_the_networks():
    rho = sympy.Rational(1, 3)
    for part in ("ck", "ntk"):
        for depth, kernel in enumerate(ss.mlp(ss.relu, 3, sigma_w2=2, sigma_b2=1).by_depth(part)):
            own = _kernels(ss.relu, part, depth, (2, 1))
            assert numerics.evaluate(kernel, rho, 20).overlaps(numerics.evaluate(own, rho, 20))
            assert kernel.support == own.support
