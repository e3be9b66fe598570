"""d^k mu_k against its limit: the proved interval contains the certified eigenvalue, and shrinks like 1/d."""

from __future__ import annotations

import pytest
import sympy
from flint import arb

import numerics
import symspec as ss
from numerics import dimension_limit as module
from numerics.precision import working_precision
from symspec.kernel import power, zonal_kernel

DEEP = ss.mlp(ss.relu, 3).ntk
KERNELS = [DEEP, ss.mlp(ss.relu, 1).ck, ss.mlp(ss.erf, 2).ntk, ss.mlp(ss.exp, 1).ck, ss.mlp(ss.gelu, 2, sigma_w2=1, sigma_b2=1).ck]


@pytest.mark.parametrize("kind", [ss.BooleanCube, ss.Sphere])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [12, 100, 3000, 10**6])
def test_the_interval_contains_the_eigenvalue(kind, kernel, d):
    degrees = [k for k in (0, 1, 2, 3, 5) if not kernel.support.vanishes_at(k)]
    values = numerics.eigenvalues(kernel, kind(d), degrees, digits=30)
    for k, mu in zip(degrees, values, strict=True):
        found = numerics.large_dimension(kernel, kind(d), k)
        with working_precision(250):
            scaled = mu * arb(d) ** k
            assert scaled > found.lower * (1 - arb("1e-28"))
            assert scaled < found.upper * (1 + arb("1e-28"))
            assert abs(scaled - found.limit_value) <= found.bound * (1 + arb("1e-20")) + arb("1e-30")
            if d >= 3000:
                assert found.bound < abs(found.limit_value) * 40 / d + arb(40) / d


@pytest.mark.parametrize("kind", [ss.BooleanCube, ss.Sphere])
def test_the_bound_is_of_the_right_size(kind):
    """Not only true but sharp: within a hundredth of the first correction K''(0)/2d of degree 0."""
    found = numerics.large_dimension(ss.mlp(ss.relu, 1).ck, kind(10**5), 0)
    with working_precision(100):
        assert abs(found.bound * 2 * 10**5 * arb.pi() - 1) < arb("0.01")


def test_exact_limits():
    assert [numerics.large_dimension(ss.mlp(ss.relu, 1).ck, ss.BooleanCube(50), k).limit for k in (0, 1, 2, 3, 4)] == [1 / sympy.pi, sympy.Rational(1, 2), 1 / sympy.pi, 0, 1 / sympy.pi]
    assert numerics.large_dimension(ss.mlp(ss.exp, 1).ck, ss.Sphere(50), 5).limit == sympy.exp(-1)
    assert numerics.large_dimension(DEEP, ss.Sphere(50), 9).limit is None
    assert "mu" in numerics.large_dimension(DEEP, ss.Sphere(50), 1).statement()


def test_polynomials_are_finite_sums():
    """t^4 on the cube: d^2 mu_2 = 2 (6d - 8)/d^2 exactly, and its limit is 0."""
    found = numerics.large_dimension(power(4), ss.BooleanCube(100), 2)
    assert found.limit == 0
    exact = ss.eigenvalue(power(4), ss.BooleanCube(100), 2) * 100**2
    assert found.lower <= numerics.ball(exact) <= found.upper
    assert found.upper <= arb("0.1200001")


def test_refusals():
    with pytest.raises(ss.Undecided, match="signs"):
        numerics.large_dimension(zonal_kernel(sympy.Symbol("rho") ** 2), ss.Sphere(5), 1)
    with pytest.raises(ss.DomainError, match="degrees 0 to 5"):
        numerics.large_dimension(DEEP, ss.BooleanCube(5), 6)
    with pytest.raises(ss.DomainError, match="takes Sphere"):
        numerics.large_dimension(DEEP, ss.Gaussian(5), 6)
    with pytest.raises(ss.DomainError, match="infinite"):
        numerics.large_dimension(ss.mlp(ss.step, 1).ntk, ss.BooleanCube(5), 1)


def test_a_bound_without_its_tail_is_caught(monkeypatch):
    """A deliberate fault: with the tail dropped the interval misses the eigenvalue at small d."""
    monkeypatch.setattr(module, "_largest_moment", lambda *_: arb(0))
    found = numerics.large_dimension(DEEP, ss.Sphere(3), 0)
    assert numerics.eigenvalues(DEEP, ss.Sphere(3), 0)[0] > found.upper
