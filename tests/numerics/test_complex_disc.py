"""Bounds on discs really bound, and a wrong one would be noticed."""

from __future__ import annotations

import mpmath
import pytest
from flint import acb, arb
from hypothesis import assume, given, settings, strategies as st

import symspec as ss
from numerics import complex_disc
from numerics.complex_disc import NAN, DiscBounds
from numerics.precision import working_precision

from .mpmath_kernels import SMOOTH, kernel

NETWORKS = st.tuples(st.sampled_from(["relu", "leaky_relu(1/5)", "abs(x)", *SMOOTH]), st.integers(1, 3), st.sampled_from(["ck", "ntk"]))


def _worst(network, centre, radius):
    """Largest |K - K(centre)| at points of the disc, and |K(centre)|, continued in mpmath along the ray from a real angle."""
    middle = _continued(network, centre)
    points = [centre + radius * mpmath.expjpi(mpmath.mpf(i) / 8) * share for i in range(16) for share in (mpmath.mpf("0.5"), mpmath.mpf("0.999"))]
    return max(abs(_continued(network, point) - middle) for point in points), abs(middle)


def _continued(network, theta):
    """Analytic continuation from the real axis straight up, in small steps that keep to the nearer branch."""
    name, depth, kind = network
    if name in SMOOTH:
        return kernel(name, depth, kind, mpmath.cos(theta))
    steps = 24
    angles = [mpmath.mpf(theta.real) for _ in range(depth + 1)]
    for i in range(steps + 1):
        angles = _angles(name, depth, mpmath.mpc(theta.real, theta.imag * i / steps), angles)
    return _from_angles(name, depth, kind, angles)


def _pieces(name, theta):
    """(normalised dual, normalised dual of the derivative) at an angle, and no inverse cosine."""
    pi, sin, cos = mpmath.pi, mpmath.sin(theta), mpmath.cos(theta)
    if name == "relu":
        return (sin + (pi - theta) * cos) / pi, (pi - theta) / pi
    if name == "abs(x)":
        return 2 * (sin + (pi - theta) * cos) / pi - cos, (pi - 2 * theta) / pi
    a, b = mpmath.mpf(1), mpmath.mpf(1) / 5
    total = (a * a + b * b) / 2
    return cos + (a - b) ** 2 * (sin - cos * theta) / (2 * pi * total), 1 - (a - b) ** 2 * theta / (2 * pi * total)


def _angles(name, depth, theta, before):
    angles = [theta]
    for layer in range(1, depth + 1):
        angle = mpmath.acos(_pieces(name, angles[-1])[0])
        angles.append(min((s * angle + 2 * mpmath.pi * n for s in (1, -1) for n in (-1, 0, 1)), key=lambda z, old=before[layer]: abs(z - old)))
    return angles


def _from_angles(name, depth, kind, angles):
    sigma = theta = mpmath.cos(angles[0])
    for layer in range(depth):
        sigma, slope = _pieces(name, angles[layer])
        theta = sigma + theta * slope if kind == "ntk" else sigma
    return theta


def _disc(real, imaginary, radius):
    return acb(arb(real), arb(imaginary)), arb(radius)


@settings(deadline=None, max_examples=60)
@given(NETWORKS, st.floats(0.3, 2.8), st.floats(-0.5, 0.5), st.floats(1e-4, 0.2))
def test_bounds_hold_at_points_of_the_disc(network, real, imaginary, radius):
    program = getattr(ss.mlp(network[0], network[1]), network[2]).program
    with working_precision(80), mpmath.workdps(25):
        value, spread = DiscBounds(program).bound(*_disc(real, imaginary, radius))
        assume(value.is_finite() and spread.is_finite())
        seen, middle = _worst(network, mpmath.mpc(real, imaginary), mpmath.mpf(radius))
        assert value > arb(mpmath.nstr(middle * (1 - mpmath.mpf("1e-15")), 22))
        assert spread > arb(mpmath.nstr(seen * (1 - mpmath.mpf("1e-12")), 22)) or seen < mpmath.mpf("1e-15")


@pytest.mark.parametrize("fault", ["slope", "radius"])
def test_a_wrong_bound_would_be_noticed(monkeypatch, fault):
    """The check above fails when slopes are taken at half their size, or discs at half their radius."""
    network, place = ("relu", 2, "ck"), (1.2, 0.3, 0.1)
    program = ss.mlp(network[0], network[1]).ck.program
    if fault == "slope":
        honest = complex_disc._line_bound

        def halved(*args):
            value, spread = honest(*args)
            return value, spread / 2

        monkeypatch.setattr(complex_disc, "_line_bound", halved)
    centre, radius = _disc(*place)
    value, spread = DiscBounds(program).bound(centre, radius / 2 if fault == "radius" else radius)
    assert value.is_finite()
    with mpmath.workdps(25):
        seen, _ = _worst(network, mpmath.mpc(*place[:2]), mpmath.mpf(place[2]))
        assert not spread > arb(mpmath.nstr(seen, 20))
    monkeypatch.undo()
    assert DiscBounds(program).bound(centre, radius)[1] > arb(mpmath.nstr(seen, 20))


def test_bounds_are_not_wasteful():
    _, spread = DiscBounds(ss.mlp(ss.relu, 3).ntk.program).bound(*_disc(1.2, 0.3, 0.001))
    with mpmath.workdps(25):
        seen, _ = _worst(("relu", 3, "ntk"), mpmath.mpc(1.2, 0.3), mpmath.mpf("0.001"))
    assert spread < 2 * arb(mpmath.nstr(seen, 20))


@pytest.mark.parametrize(
    ("function", "bad", "good"),
    [
        (complex_disc.sqrt, acb(-1), acb(-1, 0.5)),
        (complex_disc.log, acb(arb(0, 1), arb(0, 1)), acb(1)),
        (complex_disc.atan, acb(0, 1.5), acb(0.5, 1.5)),
        (complex_disc._inverse_sine(complex_disc._asin), acb(2), acb(2, 1)),
    ],
)
def test_a_ball_that_touches_a_cut_is_no_number(function, bad, good):
    assert not function(bad).is_finite()
    assert function(good).is_finite()


def test_arcsine_by_the_mean_value_theorem_encloses():
    wide = acb(arb(0.3, 0.05), arb(0.4, 0.05))
    image = complex_disc._asin(wide)
    for dx in (-0.04, 0.04):
        for dy in (-0.04, 0.04):
            exact = acb(arb(0.3) + dx, arb(0.4) + dy).asin()
            assert image.overlaps(exact)


def test_discs_over_a_singularity_are_refused():
    value, spread = DiscBounds(ss.mlp(ss.erf, 1).ck.program).bound(acb(0, 1.3), arb(1))
    assert not (value.is_finite() and spread.is_finite())
    assert not NAN.is_finite()
