"""High degrees on high-dimensional cubes from the ends: against the finite sum, their pieces one by one, and deliberate faults."""

from __future__ import annotations

import mpmath
import pytest
from flint import acb, arb

import numerics
import symspec as ss
from numerics import cube_ends, cube_series, cube_sum
from numerics.precision import working_precision

from . import mpmath_cube

DEEP = ss.mlp(ss.relu, 3).ntk


@pytest.mark.parametrize(
    ("kernel", "d", "k"),
    [
        (ss.mlp(ss.relu, 2).ntk, 1200, 600),
        (ss.mlp(ss.relu, 2).ntk, 1200, 1200),
        (ss.mlp(ss.relu, 2).ck, 1200, 1199),
        (ss.mlp(ss.relu, 1).ntk, 1500, 700),
        (ss.mlp(ss.absolute, 2).ck, 1200, 800),
        (ss.resnet(ss.relu, 2, 1).ntk, 1500, 1100),
        (ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2="0.1").ntk, 3000, 2800),
    ],
)
def test_against_the_finite_sum(kernel, d, k):
    bits = 60
    expansion, total = cube_ends.eigenvalues(kernel, d, [k], bits), cube_sum.eigenvalues(kernel, d, [k], bits + 20, None)
    assert expansion[k].rel_accuracy_bits() >= bits
    with working_precision(200):
        assert expansion[k].overlaps(total[k])
        assert abs(expansion[k] - total[k]) < abs(total[k]) * arb(2) ** -58


def test_against_the_power_series():
    """At d = 10^6 and degree 1000 both reach 20 digits."""
    series = cube_series.eigenvalues(DEEP, 10**6, [1000], 70, 4000)[1000]
    expansion = cube_ends.eigenvalues(DEEP, 10**6, [1000], 60)[1000]
    with working_precision(200):
        assert expansion.overlaps(series)


@pytest.mark.parametrize(("d", "k"), [(300, 290), (300, 150), (400, 40), (60, 60)])
@pytest.mark.parametrize("j", [1, 3, 7])
def test_blocks(d, k, j):
    with working_precision(150):
        value = cube_ends.Blocks(d, k).eigenvalue(j)
    wanted = mpmath_cube.eigenvalue(lambda t: ((1 - t) / 2) ** (mpmath.mpf(j) / 2), d, k, 60)
    assert value.rel_accuracy_bits() > 90
    with mpmath.workdps(60):
        assert abs(mpmath.mpf(value.mid().str(40, radius=False)) / wanted - 1) < mpmath.mpf(10) ** -27


@pytest.mark.parametrize(("d", "k"), [(40, 20), (40, 40), (60, 3), (200, 120)])
@pytest.mark.parametrize("rho", [1.05, 1.4, 0.3 + 1.2j, 1j, 0.9 + 0.8j, -0.5 + 1.5j, 3.0])
def test_the_stieltjes_transform_is_below_its_bound(d, k, rho):
    weights = mpmath_cube.weights(d, k)
    with mpmath.workdps(60 + d), working_precision(100):
        point = mpmath.mpc(rho)
        exact = abs(mpmath.fsum(c / (point - mpmath.mpf(d - 2 * r) / d) for r, c in enumerate(weights)) / mpmath.mpf(2) ** d)
        bound = cube_ends.stieltjes_bound(acb(point.real, point.imag), d, k)
        if rho.real < 0:
            return
        assert bound.is_finite()
        assert exact <= mpmath.mpf(bound.str(30, radius=False)) * (1 + mpmath.mpf(10) ** -20)
        # No use if it were far above: the same up to a factor d^2 and the width of the grid.
        assert bound < arb(str(exact)) * d**2 * arb(1.05) ** k


def test_the_highest_dimension():
    degrees = [5 * 10**5]
    values = numerics.eigenvalues(DEEP, ss.BooleanCube(10**6), degrees, digits=25)
    assert all(v > 0 and v.rel_accuracy_bits() >= 83 for v in values)
    # Weak spectral simplicity, from separate computations of neighbouring degrees of one parity.
    after = numerics.eigenvalues(DEEP, ss.BooleanCube(10**6), [k - 2 for k in degrees], digits=25)
    assert all(b > a for a, b in zip(values, after, strict=True))


def test_what_it_does_not_reach_is_left_out():
    assert cube_ends.eigenvalues(DEEP, 100, [3], 60) == {}
    assert cube_ends.eigenvalues(ss.mlp(ss.step, 2).ck, 10**4, [9000], 60) == {}
    with pytest.raises(ss.Undecided, match="hours"):
        numerics.eigenvalues(ss.mlp(ss.step, 2).ck, ss.BooleanCube(10**6), [500_000])


@pytest.mark.parametrize("fault", ["far", "cut"])
def test_deliberate_faults_are_seen(monkeypatch, fault):
    """Without the far end, or with coefficients of another order, the sum contradicts the expansion."""
    kernel, d, k = ss.mlp(ss.relu, 2).ntk, 1200, 601
    honest = cube_sum.eigenvalues(kernel, d, [k], 80, None)[k]
    whole = cube_ends.at_end
    if fault == "far":
        monkeypatch.setattr(cube_ends, "at_end", lambda kernel, end, terms: whole(kernel, end, terms) if end > 0 else [arb(0)] * terms)
    else:
        monkeypatch.setattr(cube_ends, "at_end", lambda kernel, end, terms: [c * (1 + arb("1e-15") * (j == 1)) for j, c in enumerate(whole(kernel, end, terms))])
    value = cube_ends.eigenvalues(kernel, d, [k], 60)[k]
    assert not value.overlaps(honest)
