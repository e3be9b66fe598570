"""Exact eigenvalues on products of spheres, against certified ones and integrals written out."""

from __future__ import annotations

from itertools import product

import pytest
import sympy

import numerics
import symspec as ss
from numerics.constants import ball
from numerics.precision import working_precision
from symspec.errors import DomainError, InputError, NoClosedForm

KERNELS = [
    ss.cnn(ss.polynomial(0, 1, 1), 1, 2, 2).ck,
    ss.cnn(ss.polynomial(1, "1/2", "1/3"), 2, 2, 2, first_layer="pointwise").ntk,
    ss.cnn(ss.hermite(2), 1, 2, 2, head="trace", sigma_w2=2, sigma_b2="1/10").ck,
    ss.cnn(ss.polynomial(0, 1, 1), 1, 2, 2, head="gap").ntk,
]


@pytest.mark.parametrize("kernel", KERNELS)
def test_against_certified_values(kernel):
    domain = ss.MultiSphere(3, 2)
    indices = list(product(range(4), repeat=2))
    certified = numerics.eigenvalues(kernel, domain, indices, 12)
    with working_precision(200):
        for index, value in zip(indices, certified, strict=True):
            exact = ss.eigenvalue(kernel, domain, index)
            assert (value == 0) if exact == 0 else value.overlaps(ball(exact))


def test_against_an_integral():
    """C = 3: every t is uniform on [-1, 1]."""
    kernel, (a, b) = KERNELS[0], sympy.symbols("t_1 t_2", real=True)
    for k in ((0, 0), (1, 0), (1, 1), (2, 0)):
        integrand = kernel([a, b]) * sympy.legendre(k[0], a) * sympy.legendre(k[1], b) / 4
        assert sympy.integrate(sympy.expand(integrand), (a, -1, 1), (b, -1, 1)) == ss.eigenvalue(kernel, ss.MultiSphere(3, 2), k)


def test_the_values_add_up():
    """K(1, 1) is the sum of multiplicity times eigenvalue, in other dimensions too."""
    kernel = ss.cnn(ss.polynomial(1, 2, 3), 1, 2, 2).ck
    for channels in (2, 4, 5):
        domain = ss.MultiSphere(channels, 2)
        total = sum(domain.multiplicity(k) * ss.eigenvalue(kernel, domain, k) for k in product(range(3), repeat=2))
        assert sympy.simplify(total - kernel([1, 1])) == 0


def test_zeros_and_refusals():
    kernel, domain = ss.cnn(ss.relu, 1, 2, 2).ck, ss.MultiSphere(3, 2)
    assert ss.eigenvalue(kernel, domain, (3, 0)) == 0
    with pytest.raises(NoClosedForm, match=r"numerics\.eigenvalues"):
        ss.eigenvalue(kernel, domain, (2, 0))
    with pytest.raises(DomainError, match="MultiSphere"):
        ss.eigenvalue(kernel, ss.Sphere(3), 2)
    with pytest.raises(DomainError, match="pixels"):
        ss.eigenvalue(kernel, ss.MultiSphere(3, 3), (1, 0, 0))
    with pytest.raises(InputError):
        ss.eigenvalue(kernel, domain, (1, 0, 0))
    with pytest.raises(DomainError, match="circular"):
        ss.eigenvalue(ss.cnn(ss.relu, 1, 3, 4, head="gap", padding="zero").ck, ss.MultiSphere(3, 4), (0, 0, 0, 0))
