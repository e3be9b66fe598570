from fractions import Fraction

import mpmath
import numpy
import pytest

import symspec as ss
from gpu import gram_check, sphere_points
from gpu.backends import backend
from gpu.gram_statistics import second_moments, square_linearisation, standard_errors
from gpu.sampling import gegenbauer
from symspec.errors import DomainError, InputError, Undecided
from symspec.kernel import power

RELU = ss.mlp(ss.relu, 2).ntk


@pytest.mark.parametrize("d", [2, 3, 4, 7, 10])
@pytest.mark.parametrize("k", [0, 1, 2, 5])
def test_linearisation_is_an_identity_of_polynomials(k, d):
    """Both sides have degree 2k: they agree if they do at 2k+1 rational points."""
    coefficients = square_linearisation(k, d)
    assert sum(coefficients) == 1
    assert min(coefficients) >= 0

    def value(degree, t):
        before, now = Fraction(1), t
        for n in range(1, degree):
            before, now = now, ((2 * n + d - 2) * t * now - n * before) / (n + d - 2)
        return now if degree else before

    for i in range(2 * k + 1):
        t = Fraction(i, 2 * k + 1)
        assert sum(c * value(2 * j, t) for j, c in enumerate(coefficients)) == value(k, t) ** 2


def kappa(rho):
    """(kappa_0, kappa_1) of ReLU by hand."""
    angle = mpmath.acos(max(-1, min(1, rho)))
    return (mpmath.pi - angle) / mpmath.pi, (rho * (mpmath.pi - angle) + mpmath.sin(angle)) / mpmath.pi


def relu_two(rho):
    """The normalised depth-2 tangent kernel by hand."""
    slope, first = kappa(rho)
    second_slope, second = kappa(first)
    return second + (first + rho * slope) * second_slope


@pytest.mark.parametrize("d", [2, 5])
@pytest.mark.parametrize("k", [0, 1, 2, 5])
def test_second_moments_against_quadrature(k, d):
    nodes, weights = numpy.polynomial.legendre.leggauss(80)
    theta = (nodes + 1) * numpy.pi / 2
    weights = weights * numpy.sin(theta) ** (d - 2)
    kernel = numpy.array([float(relu_two(mpmath.cos(angle))) for angle in theta])
    truth = (weights * (kernel * gegenbauer(k, d, numpy.cos(theta))) ** 2).sum() / weights.sum()
    assert float(second_moments(RELU, ss.Sphere(d), [k])[0]) == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("d", [2, 3, 10])
def test_scores_are_of_order_one(d, seed):
    records = gram_check(RELU, ss.Sphere(d), points=600, degrees=range(6), seed=seed, backend="numpy")
    assert [record.degree for record in records] == list(range(6))
    scores = [abs(record.z_score) for record in records]
    assert max(scores) < 5
    assert max(scores) > 0


def test_scores_are_standardised():
    """Over many seeds the scores have mean 0 and variance 1: the standard error is neither too wide nor too narrow."""
    scores = numpy.array([[r.z_score for r in gram_check(RELU, ss.Sphere(3), 60, range(5), seed, "numpy")] for seed in range(120)])
    assert (abs(scores.mean(axis=0)) < 5 / numpy.sqrt(120)).all()
    assert (scores.var(axis=0) > 0.4).all()
    assert (scores.var(axis=0) < 2.5).all()


def test_estimate_is_the_mean_over_pairs():
    points = sphere_points(150, 4, seed=8)
    t = points @ points.T
    pairs = numpy.triu_indices(150, 1)
    kernel = numpy.array([float(relu_two(mpmath.mpf(r))) for r in t[pairs]])
    for record in gram_check(RELU, ss.Sphere(4), points=150, degrees=[0, 3], seed=8, backend="numpy"):
        plain = (kernel * gegenbauer(record.degree, 4, t[pairs])).mean()
        assert abs(record.estimate - plain) < 1e-14


def test_a_wrong_kernel_is_found(monkeypatch):
    """The certified values of another depth are many standard errors away."""
    import gpu.gram_statistics as module

    honest = module._certified
    other = ss.mlp(ss.relu, 3).ntk
    monkeypatch.setattr(module, "_certified", lambda kernel, sphere, degrees: honest(other if kernel == RELU else kernel, sphere, degrees))
    records = gram_check(RELU, ss.Sphere(10), points=600, degrees=range(4), seed=0, backend="numpy")
    assert max(abs(record.z_score) for record in records) > 20


def test_reproducible_and_independent_of_the_backend(device):
    arguments = {"points": 200, "degrees": [1, 4], "seed": 3}
    first = gram_check(RELU, ss.Sphere(3), **arguments, backend="numpy")
    again = gram_check(RELU, ss.Sphere(3), **arguments, backend="numpy")
    assert [(r.estimate, r.standard_error, r.z_score) for r in first] == [(r.estimate, r.standard_error, r.z_score) for r in again]
    theirs = gram_check(RELU, ss.Sphere(3), **arguments, backend=device)
    for ours, other in zip(first, theirs, strict=True):
        assert abs(ours.estimate - other.estimate) < 1e-15
    assert gram_check(RELU, ss.Sphere(3), 200, [1], 4, "numpy")[0].estimate != first[0].estimate


def test_progress_reaches_the_end():
    seen = []
    gram_check(RELU, ss.Sphere(3), 300, [0], 0, "numpy", progress=lambda done, total: seen.append((done, total)))
    assert sorted(seen) == [(i, 6) for i in range(1, 7)]


def test_parity_zero_is_exact():
    kernel = ss.mlp(ss.relu, 1).ck
    record = gram_check(kernel, ss.Sphere(3), points=400, degrees=[3], seed=1, backend="numpy")[0]
    assert record.certified == 0
    assert 0 < abs(record.z_score) < 5


def test_constant_kernel_has_no_error():
    record = gram_check(power(0), ss.Sphere(3), points=50, degrees=[0], seed=1, backend="numpy")[0]
    assert abs(record.estimate - 1) < 1e-14
    assert record.z_score == 0
    assert record.standard_error < 1e-9


def test_standard_error_falls_like_one_over_n():
    from gpu.gram_statistics import _certified

    sphere, degrees = ss.Sphere(4), [0, 2]
    certified = _certified(RELU, sphere, degrees)
    small, large = (standard_errors(RELU, sphere, degrees, certified, n) for n in (100, 1000))
    for a, b in zip(small, large, strict=True):
        assert a / b == pytest.approx(numpy.sqrt(1000 * 999 / (100 * 99)))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: gram_check(RELU, None), DomainError, "Sphere"),
        (lambda: gram_check(RELU, "sphere:3"), DomainError, "Sphere"),
        (lambda: gram_check(RELU, ss.Sphere(3), points=1), InputError, "points"),
        (lambda: gram_check(RELU, ss.Sphere(3), degrees=[-1]), InputError, "degree"),
        (lambda: gram_check(RELU, ss.Sphere(3), degrees=[10**9]), InputError, "above"),
        (lambda: gram_check(RELU, ss.Sphere(3), seed=-1), InputError, "seed"),
        (lambda: gram_check("relu", ss.Sphere(3)), InputError, "not str"),
        (lambda: gram_check(ss.mlp(ss.step, 1).ntk, ss.Sphere(3)), Undecided, "infinite on the diagonal"),
    ],
)
def test_bad_arguments(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_no_degrees_no_records():
    assert gram_check(RELU, ss.Circle(), degrees=[], backend=backend("numpy")) == []
