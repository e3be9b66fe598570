"""Certified numbers of residual networks against quadrature of the published recursion."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from mpmath import mpf

import numerics
import symspec as ss

from .mpmath_kernels import eigenvalue, formula_of_residual_network

DIGITS = 18


def _contains(ball, value):
    middle, radius = mpf(ball.mid().str(60, radius=False)), mpf(ball.rad().str(20, radius=False))
    return abs(middle - value) <= radius + mpf(10) ** -DIGITS * abs(value)


@pytest.mark.parametrize(("name", "depth", "degrees"), [("relu", 2, (0, 1, 4, 7)), ("erf", 3, (1, 3, 7)), ("gelu", 2, (0, 2, 5)), ("sin", 2, (1, 5))])
def test_eigenvalues(name, depth, degrees):
    net = ss.resnet(name, depth, "2/3")
    with mpmath.workdps(DIGITS + 12):
        alpha = mpf(2) / 3
        for position, kernel in enumerate((net.ck, net.ntk)):
            for k, ball in zip(degrees, numerics.eigenvalues(kernel, ss.Sphere(4), degrees, digits=DIGITS), strict=True):
                wanted = eigenvalue(lambda rho, which=position: formula_of_residual_network(name, depth, alpha, rho)[which], 4, k)
                assert _contains(ball, wanted), (kernel.name, k)


def test_eigenvalues_of_a_step():
    kernel = ss.resnet(ss.step, 2, 1).ck
    with mpmath.workdps(DIGITS + 12):
        for k, ball in zip((1, 4), numerics.eigenvalues(kernel, ss.Sphere(3), (1, 4), digits=12), strict=True):
            wanted = eigenvalue(lambda rho: formula_of_residual_network("step", 2, mpf(1), rho)[0], 3, k)
            assert abs(mpf(ball.mid().str(30, radius=False)) - wanted) <= mpf(10) ** -11 * wanted


@pytest.mark.parametrize("name", ["relu", "erf", "step"])
@pytest.mark.parametrize("rho", ["-1", "-0.37", "0.5", "0.99999999999999999999"])
def test_values(name, rho):
    net = ss.resnet(name, 5, "1/10")
    with mpmath.workdps(60):
        wanted = formula_of_residual_network(name, 5, mpf(1) / 10, mpf(rho))
        assert _contains(numerics.evaluate(net.ck, rho, digits=30), wanted[0])
        if name != "step":
            assert _contains(numerics.evaluate(net.ntk, rho, digits=30), wanted[1])


def test_eigenvalues_vanish_exactly_where_the_support_ends():
    assert [mu == 0 for mu in numerics.eigenvalues(ss.resnet(ss.sin, 4, 1).ntk, ss.Sphere(3), (1, 2, 3, 4), digits=10)] == [False, True, False, True]


def test_law_against_certified_eigenvalues():
    kernel = ss.resnet(ss.relu, 3, 1).ntk
    law = ss.decay(kernel, ss.Sphere(4))
    for k, ball in zip((4000, 4001), numerics.eigenvalues(kernel, ss.Sphere(4), (4000, 4001), digits=10), strict=True):
        ratio = mpf(ball.mid().str(20, radius=False)) / mpf(str(sympy.N(law.leading(k), 20)))
        assert abs(ratio - 1) < 2e-3
