"""The continued orthant probability against quadrature along another path, and balls against points."""

from __future__ import annotations

import mpmath
import pytest
from flint import acb, arb
from hypothesis import given, settings, strategies as st

import numerics
from numerics import orthant_continuation
from numerics.orthant_continuation import orthant, orthant_slopes
from numerics.precision import working_precision

NUMBERS = st.integers(-40, 40).map(lambda n: n / 16)
ANGLES = st.tuples(st.integers(4, 44), st.integers(-8, 8)).map(lambda pair: complex(pair[0] / 16, pair[1] / 16))


def reference(h, k, theta):
    """By a path that first goes along the real axis."""
    tail = lambda x: mpmath.erfc(x / mpmath.sqrt(2)) / 2  # noqa: E731
    density = lambda phi: mpmath.exp(-(h * h - 2 * h * k * mpmath.cos(phi) + k * k) / (2 * mpmath.sin(phi) ** 2))  # noqa: E731
    corner = mpmath.re(theta)
    path = [theta, (theta + corner) / 2, corner, (corner + mpmath.pi / 2) / 2, mpmath.pi / 2]
    return tail(h) * tail(k) + mpmath.quad(density, path) / (2 * mpmath.pi)


@settings(max_examples=25, deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, ANGLES)
def test_against_quadrature_along_another_path(a, b, c, d, theta):
    h, k = complex(a, b / 2), complex(c, d / 2)
    with mpmath.workdps(30), working_precision(90):
        wanted = reference(mpmath.mpc(h), mpmath.mpc(k), mpmath.mpc(theta))
        found = orthant(acb(h.real, h.imag), acb(k.real, k.imag), acb(theta.real, theta.imag))
        difference = found - acb(arb(mpmath.nstr(wanted.real, 28)), arb(mpmath.nstr(wanted.imag, 28)))
        assert abs(difference).lower() < arb("1e-18") * (1 + abs(found).upper())


def test_real_arguments_are_the_probability():
    with working_precision(100):
        found = orthant(acb("0.5"), acb(-1), acb(2))
        assert found.real.overlaps(numerics.real.orthant(arb("0.5"), arb(-1), arb(2)))
        assert found.imag.contains(0)


def test_balls_contain_their_points():
    """The mean value form, with every corner and many inner points."""
    with working_precision(64):
        h, k, theta = acb(arb(1, "0.05"), arb("0.3", "0.05")), acb(arb("0.5", "0.05"), arb(0, "0.05")), acb(arb("0.7", "0.04"), arb("0.2", "0.05"))
        over = orthant(h, k, theta, 24)
        for i in range(64):
            signs = [((i >> j) & 1) * 2 - 1 for j in range(6)]
            x, y, angle = (acb(z.real.mid() + z.real.rad() * signs[2 * j], z.imag.mid() + z.imag.rad() * signs[2 * j + 1]) for j, z in enumerate((h, k, theta)))
            assert over.overlaps(orthant(x, y, angle))


def test_slopes_are_difference_quotients():
    with working_precision(120):
        at = [acb("0.4", "0.2"), acb(-1, "0.1"), acb("1.1", "0.3")]
        step = arb(2) ** -40
        for j, slope in enumerate(orthant_slopes(*at)):
            moved = [z + step if i == j else z for i, z in enumerate(at)]
            assert abs((orthant(*moved) - orthant(*at)) / step - slope).lower() < arb("1e-10")


@pytest.mark.parametrize("theta", [acb(0), acb(0, 1), acb(-1), acb("3.2"), acb(arb("0.1", "0.2"))])
def test_outside_of_the_strip_nothing_is_claimed(theta):
    assert not orthant(acb(1), acb(1), theta).is_finite()
    assert not any(slope.is_finite() for slope in orthant_slopes(acb(1), acb(1), theta))


def test_fault_a_path_integral_that_is_dropped(monkeypatch):
    monkeypatch.setattr(orthant_continuation, "_density", lambda h, k, phi: acb(0))
    with working_precision(60):
        assert not orthant(acb(0), acb(0), acb.pi() / 3).real.overlaps(arb(1) / 3)
