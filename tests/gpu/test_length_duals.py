"""Duals that are series, between arrays of variances."""

from __future__ import annotations

import mpmath
import numpy
import pytest
import sympy

import gpu
import numerics
import symspec as ss
from gpu.length_duals import between, second_moment
from symspec.strip_functions import DualOf, Profile, softplus
from symspec.terms import X
from tests.numerics import double_lengths as doubles

TANH = DualOf(Profile(sympy.tanh(X)), 0)


def expectation(f, p, q, c):
    """By the trapezoidal rule in both variables."""
    z = numpy.linspace(-9, 9, 1201)
    weight = numpy.exp(-z * z / 2) * 0.015 / numpy.sqrt(2 * numpy.pi)
    b = c / numpy.sqrt(p)
    inner = f(b * z[:, None] + numpy.sqrt(q - b * b) * z[None, :]) @ weight
    return f(numpy.sqrt(p) * z) * inner @ weight


@pytest.mark.parametrize(("data", "f"), [(TANH, numpy.tanh), (DualOf(Profile(softplus(X)), 0), lambda x: numpy.logaddexp(0, x)), (DualOf(Profile(sympy.tanh(X)), 1), lambda x: 1 - numpy.tanh(x) ** 2)])
def test_against_quadrature(data, f):
    p, q, rho = numpy.array([[0.3], [2.5]]), numpy.array([[1.0, 4.0]]), numpy.array([[0.3, -0.95], [0.9, 0.0]])
    found = between(numpy, p, q, rho * numpy.sqrt(p * q), data)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        wanted = expectation(f, float(p[i, 0]), float(q[0, j]), float(rho[i, j] * numpy.sqrt(p[i, 0] * q[0, j])))
        assert found[i, j] == pytest.approx(wanted, rel=1e-11, abs=1e-13)


def test_one_array_is_the_diagonal():
    p = numpy.array([[0.5], [3.0]])
    assert between(numpy, p, p, p, TANH) == pytest.approx(second_moment(numpy, p, TANH))
    assert second_moment(numpy, p, TANH)[0, 0] == pytest.approx(float(mpmath.quad(lambda x: mpmath.tanh(mpmath.sqrt(0.5) * x) ** 2 * mpmath.npdf(x), [-9, 0, 9])), rel=1e-13)


def test_correlations_near_one_take_all_terms():
    """The part beyond NEAR agrees with the series of all terms."""
    p = numpy.full((1, 1), 2.0)
    for rho in (0.79, 0.81, 0.999, 1.0, -1.0):
        found = between(numpy, p, p.copy(), p * rho, TANH)[0, 0]
        kernel = ss.mlp(ss.tanh, 1, sigma_w2=2).ck
        assert found == pytest.approx(float(numerics.evaluate(kernel, str(rho), 20)) / 2, rel=1e-12)


@pytest.mark.parametrize(
    ("network", "pair"),
    [(ss.mlp(ss.tanh, 2, sigma_w2=2, sigma_b2=1), doubles.tanh_pair), (ss.mlp(ss.silu, 1, sigma_w2=2), doubles.silu_pair), (ss.mlp(ss.sigmoid, 2, sigma_w2=3), doubles.sigmoid_pair)],
)
@pytest.mark.parametrize("part", ["ck", "ntk"])
def test_gram_matrices_against_the_recursion(network, pair, part):
    x = numpy.random.default_rng(3).standard_normal((40, 12))
    found = gpu.gram(getattr(network, part), x, domain=ss.Gaussian(12), backend="numpy", tile=16)
    r = numpy.linalg.norm(x, axis=1) / numpy.sqrt(12)
    t = x @ x.T / 12 / (r[:, None] * r[None, :])
    par = network.parametrisation
    wanted = doubles.kernel(pair, network.depth, float(par.sigma_w2), float(par.sigma_b2), part, r[:, None], r[None, :], t)
    off = ~numpy.eye(40, dtype=bool)
    assert numpy.allclose(found[off], wanted[off], rtol=1e-9)
    assert numpy.linalg.eigvalsh(found)[0] > 0


def test_equal_lengths_agree_with_the_sphere():
    x = numpy.random.default_rng(1).standard_normal((12, 8))
    x /= numpy.linalg.norm(x, axis=1)[:, None]
    kernel = ss.mlp(ss.softplus, 2).ntk
    assert numpy.allclose(gpu.gram(kernel, x * numpy.sqrt(8), domain=ss.Gaussian(8), backend="numpy"), gpu.gram(kernel, x, backend="numpy"), rtol=1e-11)
