"""Weak spectral simplicity: the theorem against certified spectra, its identity, its edge cases and refusals."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import sympy

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec.gegenbauer import T, monomial_eigenvalue
from symspec.kernel import power, zonal_kernel

DEEP = ss.mlp(ss.relu, 3).ntk
KERNELS = [DEEP, ss.mlp(ss.relu, 1).ntk, ss.mlp(ss.erf, 2).ck, ss.mlp(ss.cos, 1).ntk, power(5) + power(2), ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2=1).ntk_layers[0]]


@pytest.mark.parametrize("domain", [ss.Sphere(3), ss.Sphere(8), ss.Circle(), ss.BooleanCube(3), ss.BooleanCube(10), ss.BooleanCube(2)])
@pytest.mark.parametrize("kernel", KERNELS)
def test_against_certified_eigenvalues(kernel, domain):
    law = ss.weak_simplicity(kernel, domain)
    top = 10 if domain.highest_degree is None else domain.highest_degree
    values = numerics.eigenvalues(kernel, domain, range(top + 1), digits=40)
    for k in range(top - 1):
        if law.is_strict(k):
            assert values[k] > values[k + 2], k
        elif not (k == 0 and domain == ss.BooleanCube(2)):
            assert values[k] == values[k + 2] == 0, k
        else:
            assert values[k].overlaps(values[k + 2])
    for k, value in enumerate(values):
        assert (value > 0) == (k <= law.last_positive("odd" if k % 2 else "even"))


def test_the_identity_on_spheres():
    """mu_k - mu_{k+2} in dimension d is (2k+d)/d mu_k in dimension d + 2, for certified spectra and in a symbol d."""
    d = sympy.Symbol("d", positive=True)
    for k, n in ((0, 0), (0, 4), (1, 7), (3, 5)):
        difference = monomial_eigenvalue(d, n, k) - monomial_eigenvalue(d, n, k + 2)
        assert sympy.simplify(difference - (2 * k + d) / d * monomial_eigenvalue(d + 2, n, k)) == 0
    low, high = (numerics.eigenvalues(DEEP, ss.Sphere(m), range(8), 30) for m in (5, 7))
    with working_precision(150):
        assert all((low[k] - low[k + 2]).overlaps(high[k] * (2 * k + 5) / 5) for k in range(6))
        assert not any((low[k] - low[k + 2]).overlaps(high[k] * (2 * k + 4) / 5) for k in range(6))


def test_zonal_polynomials_behind_it():
    """P_k - P_{k+2} in dimension d is a multiple of (1 - t^2) P_k in dimension d + 2."""
    for d, k in ((3, 0), (3, 2), (6, 3)):
        quotient = sympy.cancel((ss.Sphere(d).zonal_polynomial(k) - ss.Sphere(d).zonal_polynomial(k + 2)) / ((1 - T**2) * ss.Sphere(d + 2).zonal_polynomial(k)))
        assert quotient.is_number
        assert quotient > 0


def test_the_square_is_the_exception():
    """t^2 on {-1, 1}^2 has mu_0 = mu_2 = 1/2."""
    law = ss.weak_simplicity(power(2), ss.BooleanCube(2))
    assert not law.is_strict(0)
    assert [ss.eigenvalue(power(2), ss.BooleanCube(2), k) for k in (0, 2)] == [sympy.Rational(1, 2)] * 2
    assert law.summary() == "mu_0 = mu_2 > 0; mu_1 = 0"
    assert "K(0)=0" in law.statement()
    assert ss.weak_simplicity(DEEP, ss.BooleanCube(2)).is_strict(0)


@pytest.mark.parametrize(
    ("kernel", "domain", "text"),
    [
        (DEEP, ss.Sphere(3), "mu_0 > mu_2 > mu_4 > mu_6 > mu_8 > ...; mu_1 > mu_3 > mu_5 > mu_7 > mu_9 > ..."),
        (ss.mlp(ss.erf, 1).ck, ss.BooleanCube(4), "mu_0 = mu_2 = mu_4 = 0; mu_1 > mu_3 > 0"),
        (power(3), ss.Circle(), "mu_0 = mu_2 = mu_4 = mu_6 = mu_8 = ... = 0; mu_1 > mu_3 > mu_5 = mu_7 = mu_9 = ... = 0"),
        (DEEP, ss.BooleanCube(1), "mu_0 > 0; mu_1 > 0"),
    ],
)
def test_summaries(kernel, domain, text):
    assert ss.weak_simplicity(kernel, domain).summary() == text


def test_documents():
    for domain in (ss.Sphere(3), ss.BooleanCube(5), ss.Gaussian(4)):
        law = ss.weak_simplicity(ss.mlp(ss.relu, 1).ntk, domain)
        assert domain.latex_name in law.statement()
        assert law.proof().count("{") == law.proof().count("}")
    assert law.last_positive("odd") == 1
    assert law.last_positive("even") == math.inf
    assert r"from $\mu_{3}$ on all are 0" in law.statement()


def test_kernels_between_any_lengths():
    """Gaussian inputs, not homogeneous: every eigenvalue in descending order decreases from k to k + 2, by certified values too."""
    kernel = ss.mlp(ss.sin, 1, sigma_w2=1, sigma_b2=1).ck
    law = ss.weak_simplicity(kernel, ss.Gaussian(6))
    assert law.is_strict(0)
    assert "largest eigenvalue of degree" in law.statement()
    assert "positive semidefinite" in law.proof()
    chains = [numerics.radial_eigenvalues(kernel, ss.Gaussian(6), k, 2, 4) for k in (0, 2, 4)]
    assert all(a > b for first, second in pairwise(chains) for a, b in zip(first, second, strict=True))


def test_refusals():
    with pytest.raises(ss.Undecided, match="signs"):
        ss.weak_simplicity(zonal_kernel(sympy.Symbol("rho") ** 2), ss.BooleanCube(3))
    with pytest.raises(ss.DomainError, match="infinite"):
        ss.weak_simplicity(ss.mlp(ss.step, 1).ntk, ss.Sphere(3))
    with pytest.raises(ss.DomainError, match="homogeneous"):
        ss.weak_simplicity(zonal_kernel(sympy.Symbol("rho") ** 2), ss.Gaussian(3))
    with pytest.raises(ss.DomainError, match="degrees 0 to 4"):
        ss.weak_simplicity(DEEP, ss.BooleanCube(4)).is_strict(3)
    with pytest.raises(ss.InputError, match="parity"):
        ss.weak_simplicity(DEEP, ss.BooleanCube(4)).last_positive("evenly")


def test_hidden_polynomials_get_no_strict_inequality():
    """The activation is x^2 by the addition theorem of tanh: no odd eigenvalue is positive."""
    hidden = ss.activation("x**2 + tanh(2*x)*(1 + tanh(x)**2) - 2*tanh(x)")
    with pytest.raises(ss.Undecided, match="no polynomial"):
        ss.weak_simplicity(ss.mlp(hidden, 1).ck, ss.Sphere(3))
    for name in ("tanh", "silu", "mish", "softplus(x)", "erf(x)**2", "x**2*exp(-x**2)*tanh(x)", "atan(x) + sin(x)"):
        assert ">" in ss.weak_simplicity(ss.mlp(name, 1).ck, ss.Sphere(3)).summary()
