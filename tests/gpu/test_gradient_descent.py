"""Kernel gradient descent is stable up to 1/lambda_max and not beyond."""

from __future__ import annotations

import numpy
import pytest

import gpu
import numerics
import symspec as ss
from symspec.errors import InputError


def test_the_threshold_is_the_largest_eigenvalue_of_the_gram_matrix():
    kernel, cube = ss.mlp(ss.relu, 2, sigma_w2=2).ntk, ss.BooleanCube(30)
    points = gpu.cube_points(200, 30, seed=1)
    gram = gpu.gram(kernel, points, domain=cube, backend="numpy")
    top = numpy.linalg.eigvalsh(gram / 200)[-1]
    below, above = (gpu.kernel_descent(gram, points[:, 0] + 1, factor / top, 2000) for factor in (0.999, 1.001))
    # What is left is the top mode: 0.998^2000 of it.
    assert below[-1] < 0.05
    assert above[-1] > above[1000] > above[500]
    assert abs(top / float(numerics.eigenvalues(kernel, cube, [0], 10)[0]) - 1) < 0.1


def test_one_step_is_the_update_of_the_residual():
    gram, target = numpy.array([[2.0, 1.0], [1.0, 3.0]]), numpy.array([1.0, -2.0])
    expected = numpy.linalg.norm(target - 0.1 * gram @ target) / numpy.linalg.norm(target)
    assert gpu.kernel_descent(gram, target, 0.1, 1)[1] == pytest.approx(expected, rel=1e-15)


def test_shapes():
    with pytest.raises(InputError, match="does not fit"):
        gpu.kernel_descent(numpy.eye(3), numpy.ones(2), 0.1, 1)
