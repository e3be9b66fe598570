"""Gram matrices between points of any lengths."""

from __future__ import annotations

from functools import partial

import numpy
import pytest
import sympy

import gpu
import numerics
import symspec as ss
from tests.numerics import double_lengths as doubles

ERF = ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2=1)


def points(n, d, seed=0):
    return numpy.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("part", ["ck", "ntk"])
@pytest.mark.parametrize(("activation", "pair"), [(ss.erf, doubles.erf_pair), (ss.relu, doubles.relu_pair), (ss.sin, doubles.sin_pair)])
def test_against_the_recursion(activation, pair, part):
    x, y = points(7, 5), points(6, 5, 1)
    network = ss.mlp(activation, 2, sigma_w2="3/2", sigma_b2="1/2")
    matrix = gpu.gram(getattr(network, part), x, y, domain=ss.Gaussian(5), backend="numpy", tile=4)
    lengths = [numpy.linalg.norm(rows, axis=1) / 5**0.5 for rows in (x, y)]
    r, s = lengths[0][:, None], lengths[1][None, :]
    wanted = doubles.kernel(pair, 2, 1.5, 0.5, part, r, s, x @ y.T / 5 / (r * s))
    assert numpy.allclose(matrix, wanted, rtol=1e-12, atol=0)


@pytest.mark.parametrize("network", [ERF, ss.mlp(ss.relu, 3, sigma_w2=2, sigma_b2=1), ss.mlp(ss.gelu, 1), ss.mlp("x^3 + x", 1), ss.resnet(ss.relu, 2, 1), ss.resnet(ss.erf, 1, "1/2")])
def test_on_the_sphere_it_is_the_kernel(network):
    """Points of length sqrt(d), equal and near ones among them."""
    x = points(6, 4)
    x[1] = x[0]
    x[2] = x[0] + 1e-9 * x[3]
    x *= 2 / numpy.linalg.norm(x, axis=1)[:, None]
    for kernel in (network.ck, network.ntk, network.ntk_layers[0]):
        matrix = gpu.gram(kernel, x, domain=ss.Gaussian(4), backend="numpy")
        wanted = gpu.gram(kernel, x / 2, backend="numpy", method="direct")
        assert numpy.allclose(matrix, wanted, rtol=1e-7 if network.activation == ss.relu else 1e-12)
        assert matrix[0, 0] == matrix[0, 1] == matrix[1, 1]
        assert (matrix == matrix.T).all()


def test_the_spectrum_of_random_points():
    """The largest eigenvalues of a Gram matrix over n: degree 0, then the d of degree 1; the error is some 1/sqrt(n)."""
    d, n = 12, 1500
    values = numpy.linalg.eigvalsh(gpu.gram(ERF.ntk, points(n, d, 3), domain=ss.Gaussian(d), backend="numpy") / n)[::-1]
    top, first = (float(value) for value in numerics.eigenvalues(ERF.ntk, ss.Gaussian(d), [0, 1], 4))
    assert values[0] == pytest.approx(top, rel=0.02)
    assert values[1 : d + 1].mean() == pytest.approx(first, rel=0.05)
    # As many as the multiplicity says: the next is the second of degree 0 or the first of degree 2.
    assert values[d + 1] < 0.3 * first


def test_homogeneous_kernels_agree_with_their_own_method():
    from gpu.length_gram import length_gram

    kernel, x = ss.mlp(ss.relu, 2).ntk, points(9, 3)
    assert numpy.allclose(length_gram(kernel, x), gpu.gram(kernel, x, domain=ss.Gaussian(3), backend="numpy"), rtol=1e-12)


def test_refusals():
    x = points(3, 4)
    for call, kind, words in (
        (lambda: gpu.gram(ERF.ck, x, domain=ss.Gaussian(5)), ss.DomainError, r"R\^4"),
        (lambda: gpu.gram(ERF.ck, x[0], domain=ss.Gaussian(4)), ss.InputError, "shape"),
        (lambda: gpu.gram(ERF.ck, 0 * x, domain=ss.Gaussian(4)), ss.DomainError, "row 0 of X has norm 0"),
        (lambda: gpu.gram(ERF.ck, x, domain=ss.Gaussian(4), method="polynomial"), ss.Undecided, "different lengths"),
        (lambda: gpu.gram(ss.mlp("tanh(40*x)", 1).ck, x, domain=ss.Gaussian(4)), ss.Undecided, "more than 1024 terms"),
        (lambda: gpu.gram(ss.mlp(ss.step, 1, sigma_w2=1, sigma_b2=1).ntk, x, domain=ss.Gaussian(4)), ss.DomainError, "infinite"),
        (lambda: gpu.gram(ss.zonal_kernel(sympy.Symbol("rho") ** 3), x, domain=ss.Gaussian(4)), ss.DomainError, "homogeneous"),
        (lambda: gpu.gram_check(ERF.ck, ss.Gaussian(4)), ss.DomainError, "homogeneous"),
    ):
        with pytest.raises(kind, match=words):
            call()


def test_a_wrong_first_layer_is_found():
    """A deliberate fault: lengths left out."""
    x = points(5, 4)
    unit = x / numpy.linalg.norm(x, axis=1)[:, None]
    matrix = gpu.gram(ERF.ck, x, domain=ss.Gaussian(4), backend="numpy")
    assert not numpy.allclose(matrix, gpu.gram(ERF.ck, unit, backend="numpy"), rtol=1e-3)


def test_doubles_are_symmetric():
    evaluate = partial(doubles.kernel, doubles.erf_pair, 2, 2.0, 1.0, "ntk")
    assert evaluate(0.3, 1.2, 0.4) == pytest.approx(evaluate(1.2, 0.3, 0.4))
