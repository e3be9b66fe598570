"""Shares of layers and the reduction of the error, against plain sums and quadrature."""

from __future__ import annotations

import math

import pytest
import sympy
from flint import arb

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec.errors import InputError
from symspec.program import RHO

NET = ss.mlp(ss.relu, 3)


@pytest.mark.parametrize("domain", [ss.Sphere(3), ss.Sphere(10), ss.Circle(), ss.BooleanCube(9), ss.Gaussian(4)])
@pytest.mark.parametrize("network", [NET, ss.resnet(ss.relu, 2, 1), ss.mlp(ss.gelu, 2)])
def test_shares_add_up_to_one(domain, network):
    if network.activation == ss.gelu and isinstance(domain, ss.Gaussian):
        pytest.skip("not homogeneous")
    for shares in numerics.layer_shares(network, domain, [0, 1, 2, 5], 15):
        assert sum(shares, arb(0)).contains(1)
        assert all(0 <= share <= 1 for share in shares)


def test_shares_tend_to_their_limits():
    limits = ss.limit_shares(NET, ss.Sphere(3))
    for k, parity in ((20000, "even"), (20001, "odd")):
        shares = numerics.layer_shares(NET, ss.Sphere(3), [k], 15)[0]
        for share, limit in zip(shares, limits[parity], strict=True):
            assert abs(float(share) - float(limit)) < 1e-3


def test_degrees_that_vanish():
    assert numerics.layer_shares(ss.mlp(ss.relu, 1), ss.Sphere(3), [3])[0] is None
    first, second = numerics.layer_shares(ss.mlp(ss.relu, 1), ss.Sphere(3), [1])[0]
    assert not first.is_zero()
    assert not second.is_zero()


def test_error_reduction_against_floats():
    energies, domain = {1: 1, 2: "1/2", 6: 3}, ss.Sphere(5)
    parts = [[float(x) for x in numerics.eigenvalues(part, domain, [1, 2, 6], 20)] for part in NET.ntk_layers]
    sizes, total = [1, 0.5, 3], [sum(column) for column in zip(*parts, strict=True)]
    for time in (1, 100, 10**5):
        found = numerics.error_reduction(NET, domain, energies, [time])[0]
        gone = [v * -math.expm1(-2 * mu * time) for v, mu in zip(sizes, total, strict=True)]
        assert math.isclose(float(found.reduced), sum(gone) / 4.5, rel_tol=1e-12)
        for layer, part in enumerate(parts):
            expected = sum(g * p / mu for g, p, mu in zip(gone, part, total, strict=True)) / sum(gone)
            assert math.isclose(float(found.shares[layer]), expected, rel_tol=1e-12)
        assert sum(found.shares, arb(0)).contains(1)


def test_gradient_flow_integrated_step_by_step():
    """The layer's share as the time integral of what its part of the kernel removes."""
    domain, time, steps = ss.Sphere(3), 40.0, 4000
    mus = [float(numerics.eigenvalues(part, domain, [2], 20)[0]) for part in NET.ntk_layers]
    residual, removed = 1.0, [0.0] * len(mus)
    for _ in range(steps):
        middle = residual * math.exp(-sum(mus) * time / steps / 2)
        removed = [r + 2 * mu * middle**2 * time / steps for r, mu in zip(removed, mus, strict=True)]
        residual *= math.exp(-sum(mus) * time / steps)
    found = numerics.error_reduction(NET, domain, {2: 1}, [40])[0]
    assert math.isclose(float(found.reduced), 1 - residual**2, rel_tol=1e-9)
    for share, value in zip(found.shares, removed, strict=True):
        assert math.isclose(float(share) * float(found.reduced), value, rel_tol=1e-5)


def test_energies_of_a_function():
    """rho^3 = (3/5) P_1 + (2/5) P_3 in dimension 3, and E P_k^2 = 1/(2k+1)."""
    found = numerics.energies_of(ss.zonal_kernel(RHO**3), ss.Sphere(3), range(5))
    assert found[0] == 0
    assert found[2] == 0
    with working_precision(80):
        assert abs(found[1] - arb(9) / 25 / 3) < 1e-20
        assert abs(found[3] - arb(4) / 25 / 7) < 1e-20
    wave = numerics.energies_of(ss.zonal_kernel(sympy.sin(3 * RHO)), ss.Sphere(3), [1, 3])
    assert math.isclose(float(wave[1]), 3 * (sum(math.sin(3 * (-1 + (i + 0.5) / 5000)) * (-1 + (i + 0.5) / 5000) for i in range(10000)) / 10000) ** 2, rel_tol=1e-6)


@pytest.mark.parametrize(("energies", "times", "reason"), [({}, [1], "at least one"), ({1: -1}, [1], "not negative"), ({1: 1}, [0], "positive"), ({3: 1}, [1], "nothing is learned")])
def test_bad_targets(energies, times, reason):
    with pytest.raises(InputError, match=reason):
        numerics.error_reduction(ss.mlp(ss.relu, 1), ss.Sphere(3), energies, times)


def test_no_network():
    with pytest.raises(InputError, match="network"):
        numerics.layer_shares(NET.ntk, ss.Sphere(3), [1])
