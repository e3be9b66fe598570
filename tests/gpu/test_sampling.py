import math
from fractions import Fraction

import numpy
import pytest

from gpu.sampling import gegenbauer, sphere_points
from symspec.errors import InputError


def test_points_are_a_function_of_the_seed(device):
    first = sphere_points(50, 4, seed=9)
    assert (first == sphere_points(50, 4, seed=9)).all()
    assert abs(first - sphere_points(50, 4, seed=10)).max() > 0.1
    theirs = sphere_points(50, 4, seed=9, backend=device)
    assert isinstance(theirs, device.xp.ndarray)
    assert (device.to_host(theirs) == first).all()
    assert abs((first**2).sum(axis=1) - 1).max() < 1e-15


@pytest.mark.parametrize("d", [2, 3, 8])
def test_points_are_uniform(d):
    """Second moments of the coordinates are 1/d, fourth ones 3/(d(d+2)); n = 40000, six standard errors."""
    points = sphere_points(40_000, d, seed=5)
    second, fourth = 1 / d, 3 / (d * (d + 2))
    spread = 6 * math.sqrt(fourth - second**2 + 1e-3) / 200
    assert abs(points.mean(axis=0)).max() < 6 * math.sqrt(second) / 200
    assert abs((points**2).mean(axis=0) - second).max() < spread
    assert abs((points**4).mean(axis=0) - fourth).max() < spread
    assert abs((points[:, 0] * points[:, 1]).mean()) < 6 / d / 200


def explicit(k, d, t):
    """P_k as a terminating hypergeometric sum, 2F1(-k, k+d-2; (d-1)/2; (1-t)/2), in rationals."""
    total, term, y = Fraction(0), Fraction(1), (1 - Fraction(t)) / 2
    for j in range(k + 1):
        total += term
        term *= Fraction((j - k) * (k + d - 2 + j), j + 1) / (Fraction(d - 1, 2) + j) * y
    return total


@pytest.mark.parametrize("d", [2, 3, 4, 10, 101])
@pytest.mark.parametrize("k", [0, 1, 2, 3, 7, 40])
def test_gegenbauer_against_the_explicit_sum(d, k):
    t = numpy.array([-1.0, -0.9, -0.1, 0.0, 0.3, 0.99, 1.0])
    values = gegenbauer(k, d, t)
    for at, value in zip(t.tolist(), values.tolist(), strict=True):
        assert abs(Fraction(value) - explicit(k, d, at)) < 1e-14


@pytest.mark.parametrize(("arguments", "message"), [((0, 3), "points"), ((5, 1), "dimension"), ((5, 3, -1), "seed"), ((5, 3, 2**64), "2\\^64"), ((2.5, 3), "points")])
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        sphere_points(*arguments)
