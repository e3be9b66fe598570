"""Fractional variances: they add up to one on the cube, and with a certified rest on the sphere."""

from __future__ import annotations

import pytest
from flint import arb

import numerics
import symspec as ss
from numerics import variances
from numerics.precision import working_precision
from numerics.spectrum import has_one_eigenvalue

KERNELS = [ss.mlp(ss.relu, 3).ntk, ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2=1).ntk, ss.mlp(ss.gelu, 1).ck, ss.resnet(ss.relu, 2, 1).ntk_layers[0], ss.mlp(ss.sin, 2).ck]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [1, 2, 7, 64])
def test_sum_to_one_on_the_cube(kernel, d):
    shares = numerics.fractional_variances(kernel, ss.BooleanCube(d), range(d + 1), digits=25)
    with working_precision(150):
        total = sum(shares, arb(0))
        assert total.contains(1)
        assert total.rad() < arb("1e-24")
        # A share left out is missed, unless it is tiny.
        assert all(share < arb("1e-20") or not (total - share).contains(1) for share in shares)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("domain", [ss.Circle(), ss.Sphere(5), ss.Gaussian(4), ss.BooleanCube(200)])
@pytest.mark.parametrize("top", [3, 40])
def test_partial_sums_and_the_rest_enclose_one(kernel, domain, top):
    if not has_one_eigenvalue(kernel, domain):
        pytest.skip("several eigenvalues in a degree: tests/numerics/test_gaussian_spectrum.py")
    shares = numerics.fractional_variances(kernel, domain, range(top + 1), digits=20)
    rest = numerics.variance_beyond(kernel, top)
    with working_precision(150):
        total = sum(shares, arb(0))
        assert total <= 1 + arb("1e-19")
        assert total + rest >= 1 - arb("1e-19")


def test_the_rest_is_small_for_smooth_kernels_and_zero_for_polynomials():
    assert numerics.variance_beyond(ss.mlp(ss.exp, 1).ck, 30) < arb("1e-30")
    assert numerics.variance_beyond(ss.mlp(ss.hermite(3), 1).ck, 3) == 0
    relu = ss.mlp(ss.relu, 1).ck
    with working_precision(150):
        exact = arb(1) / 2 - 1 / arb.pi()
        assert 0 <= numerics.variance_beyond(relu, 1) - exact < arb("1e-8")


def test_a_wrong_multiplicity_is_found(monkeypatch):
    """A deliberate fault: the multiplicities of another dimension do not add up."""
    honest = ss.BooleanCube.multiplicity
    monkeypatch.setattr(ss.BooleanCube, "multiplicity", lambda self, k: honest(ss.BooleanCube(8), k))
    shares = numerics.fractional_variances(KERNELS[0], ss.BooleanCube(7), range(8), digits=25)
    with working_precision(150):
        assert not sum(shares, arb(0)).contains(1)


def test_refusals():
    from symspec.kernel import zonal_kernel
    from symspec.program import RHO

    with pytest.raises(ss.Undecided, match="signs"):
        numerics.variance_beyond(zonal_kernel(RHO), 3)
    with pytest.raises(ss.DomainError, match="infinite"):
        numerics.variance_beyond(ss.mlp(ss.step, 1).ntk, 3)
    with pytest.raises(ss.DomainError, match="infinite"):
        numerics.fractional_variances(ss.mlp(ss.step, 1).ntk, ss.Sphere(3), [0])
    with pytest.raises(ss.InputError, match="digits"):
        numerics.fractional_variances(KERNELS[0], ss.Sphere(3), [0], digits=0)
    assert variances.total_variance(KERNELS[0], ss.Sphere(3)) == 4
