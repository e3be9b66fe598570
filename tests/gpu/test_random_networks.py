"""Random networks of finite width against the exact limit."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy
import pytest
import sympy

import gpu
import numerics
import symspec as ss
from gpu import random_networks
from gpu.activation_arrays import array_function
from symspec.errors import DomainError, InputError

CUBE = numpy.array(list(product([-1.0, 1.0], repeat=3)))


def _limit(network, inputs):
    d = inputs.shape[1]
    distances = numpy.rint((d - inputs @ inputs.T) / 2).astype(int)
    values = numpy.array([float(numerics.evaluate(network.ck, Fraction(d - 2 * r, d), 15)) for r in range(d + 1)])
    return values[distances]


NETWORKS = [
    ss.mlp(ss.relu, 1, sigma_w2=2, sigma_b2=1),
    ss.mlp(ss.erf, 1, sigma_w2=3),
    ss.mlp(ss.step, 1),
    ss.mlp(ss.activation("Max(x,0) + x**2/10"), 1, sigma_b2="1/2"),
    ss.mlp(ss.tanh, 1, sigma_w2=2),
]


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_one_hidden_layer_has_the_conjugate_kernel_at_every_width(network):
    """Exactly, so the mean over networks differs from it by the standard error alone."""
    found = gpu.empirical_ck(network, CUBE, [3], 20_000, seed=5, backend="numpy")
    scores = (found.mean - _limit(network, CUBE)) / found.standard_error
    assert numpy.abs(scores).max() < 5
    assert 0.3 < numpy.sqrt((scores**2).mean()) < 2.5


def test_two_hidden_layers_tend_to_the_limit_like_one_over_the_width():
    network = ss.mlp(ss.relu, 2, sigma_w2=2)
    limit = _limit(network, CUBE)
    for width, allowed in ((2, 1.0), (8, 0.25), (64, 0.03)):
        found = gpu.empirical_ck(network, CUBE, [width, width], 20_000, seed=3, backend="numpy")
        assert (numpy.abs(found.mean - limit) < allowed * limit.max() + 5 * found.standard_error).all()


def test_a_wrong_scale_is_seen():
    network, other = ss.mlp(ss.relu, 1, sigma_w2=2), ss.mlp(ss.relu, 1, sigma_w2="2.2")
    found = gpu.empirical_ck(network, CUBE, [10], 20_000, seed=5, backend="numpy")
    assert (numpy.abs(found.mean - _limit(other, CUBE)) / found.standard_error).max() > 5


def test_every_network_has_a_stream_of_its_own(monkeypatch):
    network = ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2=1)
    whole = gpu.random_outputs(network, CUBE, [5, 4], 40, seed=9, backend="numpy")
    assert numpy.array_equal(whole, gpu.random_outputs(network, CUBE, [5, 4], 40, seed=9, backend="numpy"))
    assert numpy.array_equal(whole[:7], gpu.random_outputs(network, CUBE, [5, 4], 7, seed=9, backend="numpy"))
    assert not numpy.isclose(whole, gpu.random_outputs(network, CUBE, [5, 4], 40, seed=10, backend="numpy")).any()
    assert len(numpy.unique(whole[:, 0])) == 40
    sizes = []
    forward = random_networks._forward

    def watched(rows, numbers, *rest):
        sizes.append(len(numbers))
        return forward(rows, numbers, *rest)

    monkeypatch.setattr(random_networks, "_forward", watched)
    monkeypatch.setattr(random_networks, "BATCH_BYTES", 8000)
    pieces = gpu.random_outputs(network, CUBE, [5, 4], 40, seed=9, backend="numpy")
    assert len(sizes) > 5
    assert numpy.allclose(whole, pieces, rtol=1e-13, atol=1e-13)


def test_the_backends_agree(cupy_or_skip):
    network = ss.mlp(ss.gelu, 2)
    host, device = (gpu.random_outputs(network, CUBE, [30, 30], 50, seed=1, backend=name) for name in ("numpy", "cupy"))
    assert numpy.allclose(host, device, rtol=1e-10, atol=1e-10)


@pytest.fixture
def cupy_or_skip():
    try:
        gpu.backend("cupy")
    except ss.MissingLibrary as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", ["relu", "erf", "gelu", "tanh", "sigmoid", "softplus", "silu", "elu", "step", "sign", "sin(2*x + 1)", "x*exp(-x**2)", "Max(x, 0)**3 - abs(x)"])
def test_activations_on_arrays_are_their_exact_values(name):
    sigma = ss.activation(name)
    points = numpy.array([-30.0, -1.25, -0.5, 0.75, 2.5])
    exact = [float(sigma(sympy.Rational(float(x))).evalf(30)) for x in points]
    assert numpy.allclose(array_function(sigma)(points), exact, rtol=1e-12, atol=1e-13)


def test_extreme_arguments_do_not_overflow():
    with numpy.errstate(over="raise", invalid="raise"):
        for name in ("tanh", "softplus", "silu", "sigmoid"):
            assert numpy.isfinite(array_function(ss.activation(name))(numpy.array([-1e4, 1e4]))).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"widths": [3]}, InputError, "takes 2 widths"),
        ({"widths": [3, 0]}, InputError, "width"),
        ({"inputs": CUBE / 2}, DomainError, r"row 0 .* 0\.25"),
        ({"inputs": CUBE[0]}, InputError, "array"),
        ({"count": 0}, InputError, "number of networks"),
        ({"seed": 2**64}, InputError, "seed"),
        ({"network": ss.resnet(ss.relu, 2, 1)}, InputError, "mlp"),
    ],
)
def test_bad_input(change, error, message):
    arguments = {"network": ss.mlp(ss.relu, 2), "inputs": CUBE, "widths": [3, 3], "count": 2, "seed": 0} | change
    with pytest.raises(error, match=message):
        gpu.random_outputs(**arguments, backend="numpy")
