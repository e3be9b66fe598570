"""Certified polynomials in the angle: the stated error and the ellipse bound hold at random places."""

from __future__ import annotations

import mpmath
import pytest
from flint import acb, arb
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics.approximate import RATIOS, _arc, _interpolate, _on_ellipse, ellipse, polynomial_to_bits
from numerics.precision import working_precision
from numerics.values import at_angle
from symspec import errors

from .mpmath_kernels import ANGULAR, SMOOTH, kernel

NETWORKS = st.tuples(st.sampled_from([*ANGULAR, *SMOOTH]), st.integers(1, 3), st.sampled_from(["ck", "ntk"]))


def _kernel(name, depth, kind):
    return getattr(ss.mlp(name, depth), kind)


@settings(deadline=None, max_examples=50)
@given(NETWORKS, st.integers(0, 1000), st.sampled_from([8, 17, 30]))
def test_the_error_is_a_bound(network, step, digits):
    p = numerics.angle_polynomial(_kernel(*network), digits)
    with working_precision(200), mpmath.workdps(55):
        theta = mpmath.pi * step / 1000
        wanted = kernel(*network, mpmath.cos(theta))
        found = p.at(arb.pi() * step / 1000)
        assert abs(found - arb(mpmath.nstr(wanted, 50))).lower() <= p.error + arb("1e-24")
        if 10 < step < 990:
            assert abs(found - arb(mpmath.nstr(wanted, 50))).lower() <= p.error + arb("1e-45")
    assert p.error < arb(10) ** -digits


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(SMOOTH), st.integers(1, 2), st.sampled_from(["ck", "ntk"]), st.floats(0, 1), st.integers(0, 40))
def test_the_ellipse_bound_holds_on_its_boundary(name, depth, kind, share, seed):
    bounds = ellipse(_kernel(name, depth, kind))
    ratio = bounds.largest()
    ratio = RATIOS[RATIOS.index(ratio) + seed % 3]
    bound = bounds.bound(ratio)
    if bound is None:
        return
    with mpmath.workdps(25):
        w = ratio * mpmath.expjpi(share)
        theta = mpmath.pi / 2 * (1 + (w + 1 / w) / 2)
        assert abs(kernel(name, depth, kind, mpmath.cos(theta))) <= mpmath.mpf(float(bound)) * (1 + mpmath.mpf("1e-12"))


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(RATIOS), st.integers(0, 11), st.fractions(0, 1, max_denominator=64))
def test_arcs_cover_the_ellipse(ratio, index, place):
    with working_precision(80):
        centre, radius = _arc(arb(ratio), index, 12)
        share = (index + arb(place.numerator) / place.denominator) / 12
        point = _on_ellipse(arb(ratio), share)
        assert not abs(point - centre) > radius


def test_a_tampered_coefficient_breaks_the_error():
    p = numerics.angle_polynomial(ss.mlp(ss.relu, 2).ntk, 20)
    with working_precision(200):
        wrong = type(p)((*p.coefficients[:5], (p.coefficients[5] + p.error * 100).mid(), *p.coefficients[6:]), p.error)
        truth = numerics.evaluate(ss.mlp(ss.relu, 2).ntk, 0, 40)
        assert abs(p.at(arb.pi() / 2) - truth) < p.error
        there = arb.pi() * 3 / 4
        assert any(abs(wrong.at(x) - at_angle(ss.mlp(ss.relu, 2).ntk, x)) > p.error for x in (there, arb.pi() / 3, arb(1), arb(2)))


def test_interpolation_reproduces_a_chebyshev_polynomial():
    """K = theta: T_0 and T_1 with coefficients pi/2."""
    kernel_ = ss.mlp(ss.step, 1).ck  # 1 - theta/pi
    with working_precision(100):
        c = _interpolate(kernel_, 4)
        assert c[0].overlaps(arb(1) / 2)
        assert c[1].overlaps(arb(-1) / 2)
        assert all(abs(x) < arb("1e-25") for x in c[2:])


def test_float_coefficients_know_their_own_rounding():
    p = numerics.angle_polynomial(ss.mlp(ss.relu, 3).ntk, 25)
    floats, bound = p.float_coefficients()
    with working_precision(120):
        drift = sum((abs(c - arb(float(f))) for c, f in zip(p.coefficients, floats, strict=True)), arb(0))
        assert arb(bound) >= drift
    assert bound < 1e-14


def test_same_result_whatever_ran_before():
    K = ss.mlp(ss.gelu, 2).ck
    first = polynomial_to_bits(K, 60)
    polynomial_to_bits(K, 150)
    polynomial_to_bits.cache_clear()
    second = polynomial_to_bits(K, 60)
    assert [c.man_exp() for c in first.coefficients] == [c.man_exp() for c in second.coefficients]


@pytest.mark.parametrize(("kernel_", "fragment"), [(ss.mlp(ss.sign, 2).ck, "composed jumps"), (ss.mlp(ss.step, 1).ntk, "infinite on the diagonal")])
def test_kernels_without_one_say_why(kernel_, fragment):
    with pytest.raises(errors.Undecided, match=fragment):
        numerics.angle_polynomial(kernel_)


def test_an_acb_is_only_used_off_the_axis():
    assert isinstance(_on_ellipse(arb(2), arb(1) / 3), acb)
