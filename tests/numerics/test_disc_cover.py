"""Bounds on discs around both ends and between, against mpmath's continuation at points of the discs."""

from __future__ import annotations

import mpmath
import pytest
from flint import arb
from hypothesis import given, settings, strategies as st

import symspec as ss
from numerics import disc_cover


def _step_kernel(depth, theta):
    """kappa_0 composed, continued analytically from small positive angles along the ray."""
    w = theta / (2 * mpmath.pi)
    for _ in range(depth - 1):
        w = 2 * mpmath.asin(mpmath.sqrt(w)) / (2 * mpmath.pi)
    return 1 - 2 * w


def _at_root(depth, tau):
    """The power series in tau = s^(1/root), by following tau from the positive axis."""
    root = 2 ** (depth - 1)
    size, angle = abs(tau), mpmath.arg(tau)
    steps = 200
    # sqrt(w) is followed by continuity, which the principal branch is not.
    roots = [None] * (depth - 1)
    for i in range(steps + 1):
        now = size * mpmath.expjpi(angle * i / steps / mpmath.pi)
        w = 2 * mpmath.asin(now**root) / (2 * mpmath.pi)
        for layer in range(depth - 1):
            r = mpmath.sqrt(w)
            if roots[layer] is not None and abs(r - roots[layer]) > abs(r + roots[layer]):
                r = -r
            roots[layer] = r
            w = 2 * mpmath.asin(r) / (2 * mpmath.pi)
    return 1 - 2 * w


@settings(deadline=None, max_examples=25)
@given(st.sampled_from([2, 3]), st.floats(0.05, 0.8), st.floats(0, 3.1))
def test_near_end(depth, size, angle):
    kernel = ss.mlp(ss.step, depth).ck
    bound = disc_cover.near_end(kernel, arb("0.8"))
    value = abs(_at_root(depth, mpmath.mpc(size * mpmath.cos(angle), size * mpmath.sin(angle))))
    assert bound > arb(mpmath.nstr(value, 15)) * (1 - arb("1e-10"))


@settings(deadline=None, max_examples=25)
@given(st.floats(0.1, 0.9), st.floats(0, 1), st.floats(0, 6.2))
def test_panels(centre, share, angle):
    kernel = ss.mlp(ss.step, 3).ck
    disc = 0.4 * min(centre, 1 - centre)
    bound = disc_cover.panel(kernel, arb(centre), arb(disc))
    y = mpmath.mpc(centre) + disc * share * mpmath.expj(angle)
    assert bound > arb(mpmath.nstr(abs(_step_kernel(3, 2 * mpmath.asin(mpmath.sqrt(y)))), 15)) * (1 - arb("1e-10"))


def test_far_end_contains_the_values_at_real_angles_beyond_pi():
    kernel = ss.mlp(ss.step, 2).ck
    bound = disc_cover.far_end(kernel, arb("0.5"))
    theta = mpmath.pi + 2 * mpmath.asin(mpmath.mpf("0.49"))
    assert bound > arb(mpmath.nstr(abs(_step_kernel(2, theta)), 15))


@pytest.mark.parametrize(("centre", "disc"), [("0.3", "0.31"), ("0.9", "0.2")])
def test_discs_that_reach_an_end_are_refused(centre, disc):
    assert disc_cover.panel(ss.mlp(ss.step, 2).ck, arb(centre), arb(disc)) is None


def test_a_disc_beyond_the_analytic_region_has_no_bound():
    """A disc of radius 6 around 0.5 holds -pi and 2 pi, where inner angles branch."""
    assert disc_cover.around_angle(ss.mlp(ss.relu, 3).ck, arb("0.5"), arb("6")) is None
