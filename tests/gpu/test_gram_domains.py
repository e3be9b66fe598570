"""Gram matrices and checks on the boolean cube and under Gaussian inputs."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import mpmath
import numpy
import pytest
import sympy

import gpu
import numerics
import symspec as ss
from gpu.gram_statistics import gram_check, second_moments, standard_errors
from gpu.sampling import cube_points, cube_table, domain_points, gaussian_points
from symspec.errors import DomainError, InputError
from symspec.kernel import power

RELU = ss.mlp(ss.relu, 2).ntk


def all_corners(d):
    return numpy.array([[1.0 - 2.0 * (i >> j & 1) for j in range(d)] for i in range(2**d)])


def test_the_whole_cube_has_the_certified_spectrum():
    """The eigenvalues of K on all 2^8 corners, divided by 2^8, are the mu_k with multiplicity C(8, k)."""
    matrix = gpu.gram(RELU, all_corners(8), domain=ss.BooleanCube(8), backend="numpy")
    values = numerics.eigenvalues(RELU, ss.BooleanCube(8), range(9), 20)
    expected = sorted(float(v) for k, v in enumerate(values) for _ in range(comb(8, k)))
    assert abs(numpy.linalg.eigvalsh(matrix / 2**8) - expected).max() < 1e-13
    assert (matrix == matrix.T).all()


@pytest.mark.parametrize(("d", "k"), [(1, 1), (7, 3), (8, 8), (12, 9), (300, 2)])
def test_tables_are_means_of_characters(d, k):
    table = cube_table(d, k)
    assert table[0] == 1
    for r in {0, 1, d // 2, d}:
        exact = Fraction(sum((-1) ** j * comb(r, j) * comb(d - r, k - j) for j in range(k + 1)), comb(d, k))
        assert table[r] == float(exact)


@pytest.mark.parametrize("domain", [ss.BooleanCube(9), ss.Gaussian(5), ss.BooleanCube(200)])
@pytest.mark.parametrize("seed", range(2))
def test_scores_are_of_order_one(domain, seed):
    records = gram_check(RELU, domain, points=600, degrees=[0, 1, 2, 3, 5], seed=seed, backend="numpy")
    scores = [abs(record.z_score) for record in records]
    assert 0 < max(scores) < 5


@pytest.mark.parametrize("domain", [ss.BooleanCube(6), ss.Gaussian(3), ss.Gaussian(2)])
def test_scores_are_standardised(domain):
    """Over many seeds mean 0 and variance 1: the standard error, non-degenerate for Gaussian inputs, is right."""
    kernel = RELU if isinstance(domain, ss.BooleanCube) else ss.mlp(ss.rectified_monomial(2), 1).ck
    scores = numpy.array([[r.z_score for r in gram_check(kernel, domain, 60, [0, 1, 2, 4], seed, "numpy")] for seed in range(150)])
    assert (abs(scores.mean(axis=0)) < 5 / numpy.sqrt(150)).all()
    assert (scores.var(axis=0) > 0.4).all()
    assert (scores.var(axis=0) < 2.5).all()


def test_estimate_on_the_cube_is_the_mean_over_sets():
    """Against the definition: the mean of K x^S y^S over pairs and all sets S of three coordinates."""
    from itertools import combinations

    points = cube_points(40, 6, seed=5)
    pairs = numpy.triu_indices(40, 1)
    kernel = numpy.array([float(numerics.evaluate(RELU, sympy.Rational(int(t), 6), 20)) for t in (points @ points.T)[pairs]])
    characters = numpy.mean([numpy.outer(c, c)[pairs] for c in (points[:, list(s)].prod(axis=1) for s in combinations(range(6), 3))], axis=0)
    record = gram_check(RELU, ss.BooleanCube(6), 40, [3], 5, "numpy")[0]
    assert abs(record.estimate - (kernel * characters).mean()) < 1e-15


@pytest.mark.parametrize("k", [0, 1, 4, 7, 8])
def test_second_moments_on_the_cube_by_their_definition(k):
    d = 8
    table = cube_table(d, k)
    truth = sum(comb(d, r) * float(numerics.evaluate(RELU, sympy.Rational(d - 2 * r, d), 25)) ** 2 * table[r] ** 2 for r in range(d + 1)) / 2**d
    assert float(second_moments(RELU, ss.BooleanCube(d), [k])[0]) == pytest.approx(truth, rel=1e-12)


def test_gaussian_error_by_hand():
    """Kernel |x||y| cos/d = <x, y>/d, degree 1: h = (|x||y|/d)^2 d cos^2, all moments elementary."""
    d, n = 3, 50
    kernel = ss.mlp(ss.monomial(1), 1).ck
    mu = numerics.eigenvalues(kernel, ss.Gaussian(d), [1], 20)
    assert float(mu[0]) == pytest.approx(1 / d)
    # u = (r^2/d)/1: h = cos^2 u(x) u(y); E cos^2 = 1/d, E cos^4 = 3/(d(d+2)), E u = 1, E u^2 = (d+2)/d.
    zeta1, zeta2 = ((d + 2) / d - 1) / d**2, 3 / (d * (d + 2)) * ((d + 2) / d) ** 2 - 1 / d**2
    wanted = numpy.sqrt(2 / (n * (n - 1)) * (2 * (n - 2) * zeta1 + zeta2))
    assert standard_errors(kernel, ss.Gaussian(d), [1], mu, n)[0] == pytest.approx(wanted, rel=1e-12)


def test_gaussian_gram_is_the_network_at_those_points():
    points = gaussian_points(30, 4, seed=2)
    matrix = gpu.gram(RELU, points, domain=ss.Gaussian(4), backend="numpy")
    assert (matrix == matrix.T).all()
    for i, j in ((0, 1), (3, 7), (5, 5)):
        x, y = ([mpmath.mpf(float(c)) for c in points[a]] for a in (i, j))
        p, q, c = (mpmath.fdot(a, b) / 4 for a, b in ((x, x), (y, y), (x, y)))
        theta = mpmath.mpf(0)
        # The recursion with variances: covariance c, dual of relu times 2.
        theta = c
        for _ in range(2):
            angle = mpmath.acos(min(mpmath.mpf(1), c / mpmath.sqrt(p * q)))
            value = mpmath.sqrt(p * q) * (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / mpmath.pi
            theta, c = value + theta * (mpmath.pi - angle) / mpmath.pi, value
        assert abs(matrix[i, j] / float(theta) - 1) < 1e-13


def test_a_wrong_kernel_is_found_on_the_cube(monkeypatch):
    import gpu.gram_statistics as module

    honest = module._certified
    other = ss.mlp(ss.relu, 3).ntk
    monkeypatch.setattr(module, "_certified", lambda kernel, domain, degrees: honest(other if kernel == RELU else kernel, domain, degrees))
    assert max(abs(r.z_score) for r in gram_check(RELU, ss.BooleanCube(10), 600, range(4), 0, "numpy")) > 20


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: gpu.gram(RELU, numpy.full((2, 3), 0.5), domain=ss.BooleanCube(3)), DomainError, "exactly 1 or -1"),
        (lambda: gpu.gram(RELU, numpy.array([[1.0, numpy.nan]]), domain=ss.BooleanCube(2)), DomainError, "row 0"),
        (lambda: gpu.gram(RELU, numpy.ones((2, 3)), domain=ss.BooleanCube(4)), DomainError, "cube"),
        (lambda: gpu.gram(RELU, numpy.zeros((2, 3)), domain=ss.Gaussian(3)), DomainError, "row 0 of X has norm 0"),
        (lambda: gpu.gram(ss.zonal_kernel(sympy.Symbol("rho") ** 3), numpy.ones((2, 3)), domain=ss.Gaussian(3)), DomainError, "homogeneous"),
        (lambda: gpu.gram(RELU, numpy.ones((2, 3)), domain="cube:3"), DomainError, "gram takes points"),
        (lambda: gram_check(RELU, ss.BooleanCube(4), degrees=[5]), DomainError, "degrees 0 to 4"),
        (lambda: gram_check(ss.mlp(ss.erf, 1).ck, ss.Gaussian(4)), DomainError, "homogeneous"),
        (lambda: domain_points(None, 3), DomainError, "no points"),
        (lambda: cube_points(0, 3), InputError, "number of points"),
        (lambda: cube_points(3, 3, seed=2**64), InputError, "seed"),
    ],
)
def test_refusals(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_points_depend_on_the_arguments_alone():
    assert (cube_points(50, 7, 3) == cube_points(50, 7, 3)).all()
    assert set(numpy.unique(cube_points(50, 7, 3))) == {-1.0, 1.0}
    assert abs(cube_points(4000, 5, 1).mean(axis=0)).max() < 0.08
    assert not (gaussian_points(5, 3, 1) == gaussian_points(5, 3, 2)).any()


def test_a_polynomial_kernel_on_the_line():
    """d = 1: two points, degrees 0 and 1."""
    kernel = power(3) + power(2)
    records = gram_check(kernel, ss.BooleanCube(1), 100, [0, 1], 1, "numpy")
    assert [float(r.certified) for r in records] == [1.0, 1.0]
    assert max(abs(r.z_score) for r in records) < 5
