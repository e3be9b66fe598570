"""Kernels whose duals are power series, in double precision: the proved bound, the direct method, random points."""

from __future__ import annotations

import numpy
import pytest

import gpu
import numerics
import symspec as ss
from gpu.carrier import evaluate_array
from gpu.evaluators import CorrelationEvaluator, evaluator

NETWORKS = [ss.mlp("tanh", 3), ss.mlp("sigmoid", 2, sigma_w2=2, sigma_b2="1/10"), ss.resnet("silu", 2, 1), ss.mlp("mish", 1), ss.mlp("erf(x)**2", 1)]
THETA = numpy.array([0.0, 1e-9, 1e-3, 0.3, 1.0, 1.5, 2.0, 3.0, 3.1415, numpy.pi])


def truth(kernel):
    """Values at the cosines that are exact doubles; the slope carries the rest of the error of the angle."""
    return numpy.array([float(numerics.evaluate(kernel, float(numpy.cos(angle)), digits=20)) for angle in THETA])


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_certified_polynomial_and_direct_method(network):
    for kernel in (network.ck, network.ntk):
        chosen = evaluator(kernel, "auto")
        assert isinstance(chosen, CorrelationEvaluator)
        assert chosen.method == "polynomial"
        assert chosen.error_bound < 1e-13 * max(1.0, abs(float(numerics.evaluate(kernel, 1, digits=10))))
        values = THETA.copy()
        chosen.overwrite(values, chosen.workspace(values.size, numpy), numpy)
        wanted = truth(kernel)
        assert abs(values - wanted).max() <= chosen.error_bound
        assert abs(evaluate_array(kernel, THETA) - wanted).max() < 1e-13 * (1 + abs(wanted).max())


def test_a_wrong_coefficient_breaks_the_bound():
    kernel = ss.mlp("tanh", 2).ck
    chosen = evaluator(kernel, "polynomial")
    coefficients = list(chosen.coefficients)
    coefficients[5] += 1e-12
    from gpu.chebyshev import blocked

    faulty = CorrelationEvaluator(blocked(numpy.array(coefficients)), tuple(coefficients), chosen.proved)
    values = THETA.copy()
    faulty.overwrite(values, faulty.workspace(values.size, numpy), numpy)
    assert abs(values - truth(kernel)).max() > faulty.error_bound


def test_gram_and_its_check():
    network = ss.mlp("silu", 2)
    points = numpy.random.default_rng(3).normal(size=(40, 4))
    points /= numpy.linalg.norm(points, axis=1, keepdims=True)
    matrix = gpu.gram(network.ntk, points)
    wanted = float(numerics.evaluate(network.ntk, float(points[0] @ points[1]), digits=18))
    assert abs(matrix[0, 1] - wanted) < 1e-13
    assert numpy.linalg.eigvalsh(matrix).min() > -1e-13
    records = gpu.gram_check(network.ntk, ss.Sphere(4), points=400, degrees=range(5), seed=2)
    assert all(abs(record.z_score) < 5 for record in records)


def test_overflowing_series_are_undecided():
    from symspec.errors import Undecided

    with pytest.raises(Undecided, match="too many terms"):
        evaluate_array(ss.mlp("tanh", 1, sigma_w2=10**6).ck, THETA)
