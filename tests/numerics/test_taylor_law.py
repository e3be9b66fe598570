"""Taylor coefficients of every degree: against exact ones, mpmath, and with faults."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import pytest
from flint import arb, fmpq
from hypothesis import given, settings, strategies as st

import symspec as ss
from numerics import circle_series, power_series
from numerics.precision import working_precision
from numerics.taylor_law import angle_radius, power_coefficient, taylor_law
from symspec.errors import Undecided

NETWORKS = {
    "relu 2": ss.mlp(ss.relu, 2),
    "leaky 3": ss.mlp(ss.leaky_relu("1/5"), 3),
    "relu with bias": ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2="1/10"),
    "abs 2": ss.mlp(ss.absolute, 2),
    "relu^2 2": ss.mlp(ss.rectified_monomial(2), 2),
    "residual 2": ss.resnet(ss.relu, 2, 1),
}


def coefficients(kernel, terms):
    with working_precision(128 + 3 * terms):
        return power_series.coefficients(kernel, terms, arb(1))


@pytest.mark.parametrize("j", [1, 3, 7])
def test_coefficients_of_powers(j):
    with working_precision(100):
        for n in (0, 1, 2, 3, 10):
            expected = mpmath.taylor(lambda x: ((1 - x) / 2) ** mpmath.mpf(j / 2), 0, 12)[n]
            assert abs(power_coefficient(j, n) - arb(str(expected))) < 1e-9


@pytest.mark.parametrize("name", NETWORKS)
def test_every_coefficient_lies_in_its_ball(name):
    for kernel in (NETWORKS[name].ck, NETWORKS[name].ntk_layers[0]):
        law = taylor_law(kernel, 4)
        exact = coefficients(kernel, 200)
        for n in (1, 2, 3, 5, 10, 20, 21, 60, 61, 198, 199):
            assert exact[n].overlaps(law.coefficient(n)), n


def test_a_coefficient_of_a_million():
    """kappa_1 has b_2n = C(2n, n)/(4^n (2n-1)^2 pi) up to a factor: by Stirling in mpmath."""
    n = 10**6
    with mpmath.workdps(40):
        half = mpmath.mpf(n) / 2
        expected = mpmath.exp(mpmath.loggamma(n + 1) - 2 * mpmath.loggamma(half + 1) - n * mpmath.log(2)) / ((n - 1) ** 2 * mpmath.pi)
    found = taylor_law(ss.mlp(ss.relu, 1).ck, 6).coefficient(n)
    assert found.rel_accuracy_bits() > 60
    with mpmath.workdps(40), working_precision(128):
        assert abs(found / arb(mpmath.nstr(expected, 30)) - 1) < 1e-18


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 3.09))
def test_series_on_the_circle_against_mpmath(phi):
    kernel = ss.mlp(ss.relu, 2).ntk

    def value(p):
        z = mpmath.exp(1j * p)
        first = (z * (mpmath.pi - mpmath.acos(z)) + mpmath.sqrt(1 - z * z)) / mpmath.pi
        second = (first * (mpmath.pi - mpmath.acos(first)) + mpmath.sqrt(1 - first * first)) / mpmath.pi
        slope = (mpmath.pi - mpmath.acos(z)) / mpmath.pi
        return second + (first + z * slope) * (mpmath.pi - mpmath.acos(first)) / mpmath.pi

    with mpmath.workdps(40), working_precision(160):
        found = circle_series.along_circle(kernel, arb(phi), 4)
        expected = [value(mpmath.mpf(phi)), mpmath.diff(value, mpmath.mpf(phi))]
        for ball, number in zip(found, expected, strict=False):
            assert abs(ball.real - arb(mpmath.nstr(number.real, 35))) < 1e-15 * (1 + abs(number))
            assert abs(ball.imag - arb(mpmath.nstr(number.imag, 35))) < 1e-15 * (1 + abs(number))


def test_what_is_not_followed_is_undecided():
    with pytest.raises(Undecided, match=r"asin|pow"):
        taylor_law(ss.mlp(ss.gelu, 2).ck, 4)
    with pytest.raises(Undecided, match="jump"):
        taylor_law(ss.mlp(ss.step, 2).ck, 4)


@pytest.mark.parametrize("index", [0, 1])
def test_a_wrong_singular_coefficient_misses(index):
    """The remainder is small enough that one per cent of one coefficient is noticed."""
    kernel = ss.mlp(ss.relu, 2).ntk
    law = taylor_law(kernel, 6)
    exact = coefficients(kernel, 400)
    assert all(exact[n].overlaps(law.coefficient(n)) for n in (100, 200, 399))
    j, a = law.near[index]
    wrong = replace(law, near=(*law.near[:index], (j, a * fmpq(101, 100)), *law.near[index + 1 :]))
    assert not exact[399].overlaps(wrong.coefficient(399))


def test_too_small_a_remainder_misses():
    kernel = ss.mlp(ss.relu, 2).ntk
    law = replace(taylor_law(kernel, 4), remainder=arb(0))
    assert not all(exact.overlaps(law.coefficient(n)) for n, exact in enumerate(coefficients(kernel, 40)) if n)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.02, 3.12), st.floats(0.01, 0.8), st.floats(0, 6.3))
def test_a_disc_of_phi_is_mapped_into_its_disc_of_angles(phi, share, direction):
    size = share * min(phi, 3.141592 - phi)
    radius = angle_radius(arb(phi), arb(size))
    if radius.is_finite():
        first, second = (mpmath.acos(mpmath.exp(1j * (phi + shift))) for shift in (0, size * mpmath.expj(direction)))
        assert abs(second - first) <= float(radius) * (1 + 1e-9)
