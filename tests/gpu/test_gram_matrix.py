import dataclasses
import tracemalloc
import warnings

import mpmath
import numpy
import pytest
from flint import arb

import symspec as ss
from gpu import gram, gram_error_bound, gram_report, sphere_points
from gpu.backends import backend
from gpu.evaluators import INVERSE_HALF_PI, _evaluator, evaluator, polynomial_evaluator, trimmed
from numerics.precision import working_precision
from numerics.values import at_angle
from symspec.errors import DomainError, InputError, Undecided

NUMPY = backend("numpy")
KERNELS = {
    "relu ntk 1": ss.mlp(ss.relu, 1).ntk,
    "relu ntk 3": ss.mlp(ss.relu, 3).ntk,
    "relu ck 2 with bias": ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2="0.1").ck,
    "erf ntk 2": ss.mlp(ss.erf, 2).ntk,
    "gelu ck 1": ss.mlp(ss.gelu, 1).ck,
}
DIRECT = ss.mlp(ss.sign, 2).ck


def truth(kernel, angle):
    """K at an angle given in 60 digits, by balls at 200 bits."""
    with working_precision(200):
        value = at_angle(kernel, arb(mpmath.nstr(angle, 55)))
        assert value.rad() < arb("1e-25")
        return value


def error(value, exact):
    with working_precision(200):
        return float(abs(arb(float(value)) - exact).upper())


@pytest.mark.parametrize("name", KERNELS)
def test_random_pairs_against_balls(pairs, name):
    kernel = KERNELS[name]
    x, y = sphere_points(20, 5, seed=3), sphere_points(15, 5, seed=4)
    values = gram(kernel, x, y, backend="numpy")
    scale = max(1.0, float(kernel(1).evalf(20)))
    for i in range(20):
        for j in range(15):
            assert error(values[i, j], truth(kernel, pairs.angle(x[i], y[j]))) < 4e-15 * scale


@pytest.mark.parametrize("name", KERNELS)
def test_error_bound_holds_for_exact_angles(name):
    kernel = KERNELS[name]
    chosen = polynomial_evaluator(kernel)
    theta = numpy.concatenate([[0.0, 1e-300, 1e-9, numpy.pi], numpy.random.default_rng(0).uniform(0, numpy.pi, 60)])
    values = theta.copy()
    chosen.overwrite(values, chosen.workspace(len(theta), numpy), numpy)
    largest = 0.0
    for angle, value in zip(theta, values, strict=True):
        with working_precision(200):
            largest = max(largest, error(value, at_angle(kernel, arb(float(angle)))))
    assert 0 < largest <= gram_error_bound(kernel) < 1e-13
    assert gram_report(kernel).error_bound == gram_error_bound(kernel)


@pytest.mark.parametrize("d", [3, 30])
@pytest.mark.parametrize("depth", [1, 3])
def test_tangent_kernel_near_the_diagonal(pairs, d, depth):
    """The NTK falls linearly in the angle there; from the correlation alone half the digits are lost."""
    kernel = ss.mlp(ss.relu, depth).ntk
    x, y = pairs.near(d, seed=11)
    values = gram(kernel, x, y, backend="numpy").diagonal()
    exact = [truth(kernel, pairs.angle(a, b)) for a, b in zip(x, y, strict=True)]
    relative = [error(value, t) / (depth + 1) for value, t in zip(values, exact, strict=True)]
    assert max(relative) < 1e-15
    # The test would not see a lost digit if arccos of the dot product were as good.
    with numpy.errstate(invalid="ignore"):
        naive = numpy.nan_to_num(numpy.arccos(numpy.minimum((x * y).sum(axis=1), 1.0)))
    lost = [abs(float(t) - float(truth(kernel, mpmath.mpf(float(angle))))) for t, angle in zip(exact, naive, strict=True)]
    assert max(lost) > 1e-9


def test_diagonal_is_exact_and_matrix_symmetric():
    kernel = ss.mlp(ss.relu, 3, sigma_w2="1.7", sigma_b2="0.3").ntk
    x = sphere_points(300, 4, seed=0)
    matrix = gram(kernel, x, backend="numpy")
    assert (matrix.diagonal() == float(kernel(1).evalf(30))).all()
    assert (matrix == matrix.T).all()
    assert abs(matrix - gram(kernel, x, x.copy(), backend="numpy")).max() < 1e-13
    # K(1) also for equal rows off the diagonal.
    assert gram(kernel, x[:3], x[[2, 1]], backend="numpy")[2, 0] == matrix[0, 0]


def test_tiles_pieces_and_threads_do_not_matter():
    kernel, x, y = KERNELS["relu ntk 3"], sphere_points(150, 6, seed=1), sphere_points(91, 6, seed=2)
    plain = gram(kernel, x, y, backend="numpy", tile=1000, workers=1)
    for tile, piece, workers in ((8, 1 << 14, 1), (33, 50, 2), (64, 7, 3), (150, 1 << 14, 2)):
        other = gram(kernel, x, y, backend=dataclasses.replace(NUMPY, piece=piece), tile=tile, workers=workers)
        assert abs(other - plain).max() < 1e-14
    symmetric = gram(kernel, x, backend="numpy", tile=1000, workers=1)
    assert abs(gram(kernel, x, backend="numpy", tile=16, workers=2) - symmetric).max() < 1e-14
    assert (gram(kernel, x, backend="numpy", workers=1) == gram(kernel, x, backend="numpy", workers=2)).all()


def test_device_gives_the_same(device):
    x, y = sphere_points(70, 3, seed=1), sphere_points(41, 3, seed=2)
    for kernel in (KERNELS["relu ntk 3"], DIRECT, KERNELS["erf ntk 2"]):
        for right in (y, None):
            theirs = gram(kernel, x, right, backend=device)
            assert isinstance(theirs, numpy.ndarray)
            assert abs(theirs - gram(kernel, x, right, backend="numpy")).max() < 2e-14
    on_device = gram(KERNELS["relu ntk 3"], device.xp.asarray(x), backend=device)
    assert isinstance(on_device, device.xp.ndarray)


def test_memory_does_not_grow_with_the_matrix():
    kernel, x = KERNELS["relu ntk 3"], sphere_points(1500, 20, seed=1)
    out = numpy.empty((1500, 1500))
    gram(kernel, x[:200], backend="numpy")
    tracemalloc.start()
    gram(kernel, x, out=out, backend="numpy", workers=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Two threads with a tile and a workspace each (2 * 3 MB), and the points; the matrix has 18 MB.
    assert peak < 8e6


def test_methods_and_report():
    kernel = KERNELS["relu ntk 3"]
    x = sphere_points(40, 5, seed=1)
    report = gram_report(kernel, backend="numpy")
    assert (report.method, report.proved) == ("polynomial", True)
    assert 20 < report.terms < 40
    assert "NumPy" in report.backend
    direct = gram_report(kernel, method="direct", backend="numpy")
    assert (direct.method, direct.proved, direct.error_bound) == ("direct", False, None)
    difference = abs(gram(kernel, x, method="direct", backend="numpy") - gram(kernel, x, method="polynomial", backend="numpy")).max()
    assert 0 < difference < 1e-13


def test_fall_back_is_said_and_proves_nothing(caplog):
    _evaluator.cache_clear()
    with caplog.at_level("WARNING"):
        matrix = gram(DIRECT, numpy.eye(3), backend="numpy")
    assert abs(matrix - numpy.eye(3)).max() < 1e-15
    assert any("direct evaluation without an error bound" in record.getMessage() for record in caplog.records)
    assert not gram_report(DIRECT).proved
    for refused in (lambda: gram(DIRECT, numpy.eye(3), method="polynomial"), lambda: gram_error_bound(DIRECT)):
        with pytest.raises(Undecided):
            refused()


def test_infinite_diagonal():
    kernel = ss.mlp(ss.step, 1).ntk
    points = numpy.array([[1.0, 0.0], [0.6, 0.8]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        matrix = gram(kernel, points, backend="numpy")
    assert numpy.isinf(matrix.diagonal()).all()
    assert abs(matrix[0, 1] - float(kernel("3/5").evalf(20))) < 1e-15
    with pytest.raises(Undecided, match="exactly opposite"):
        gram(kernel, points, -points, backend="numpy")


def test_no_nan_comes_out():
    """A quotient of overflowing terms is refused, not returned."""
    kernel = ss.mlp("Max(x-1,0)", 1).ck
    chosen = evaluator(kernel, "direct")
    theta = numpy.array([1.0, 1e-3])
    refusal = ""
    try:
        with numpy.errstate(all="ignore"):
            chosen.overwrite(theta, None, numpy)
    except Undecided as said:
        refusal = str(said)
    if refusal:
        assert "use numerics.evaluate there" in refusal
    else:
        assert error(theta[1], truth(kernel, mpmath.mpf(1e-3))) < 1e-8


def test_empty_and_out():
    kernel = KERNELS["relu ntk 1"]
    assert gram(kernel, numpy.zeros((0, 3)), backend="numpy").shape == (0, 0)
    assert gram(kernel, numpy.zeros((0, 3)), numpy.eye(3), backend="numpy").shape == (0, 3)
    out = numpy.empty((3, 3))
    assert gram(kernel, numpy.eye(3), out=out, backend="numpy") is out
    assert out[0, 0] == 2.0


X = numpy.eye(3)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda k: gram(k, X, numpy.eye(4)), InputError, r"R\^3 and Y in R\^4"),
        (lambda k: gram(k, X, [[1.0, 1.0, 0.0]]), DomainError, "row 0 of Y has norm 1.414"),
        (lambda k: gram(k, X, method="fast"), InputError, "not 'fast'"),
        (lambda k: gram(k, X, backend="tpu"), InputError, "not 'tpu'"),
        (lambda k: gram(k, X, tile=0), InputError, "tile"),
        (lambda k: gram(k, X, workers=0), InputError, "workers"),
        (lambda k: gram(k, X, out=numpy.empty((3, 2))), InputError, r"shape \(3, 3\)"),
        (lambda k: gram(k, X, out=numpy.empty((3, 3), "f4")), InputError, "float64"),
        (lambda k: gram(k, X, out=[]), InputError, "not list"),
        (lambda _: gram("relu", X), InputError, "not str"),
        (lambda _: gram(X, X), InputError, "not ndarray"),
        (lambda k: gram(k, X, method=[]), InputError, r"not \[\]"),
        (lambda k: gram(k, X, backend=X), InputError, "backend must be"),
        (lambda _: gram_error_bound("relu"), InputError, "not str"),
    ],
)
def test_bad_arguments(call, kind, message):
    with pytest.raises(kind, match=message):
        call(KERNELS["relu ntk 1"])


def test_the_largest_angle_is_mapped_into_the_interval():
    """The bound speaks of x in [-1, 1]: the map of [0, pi] must not step over the end."""
    top = numpy.array([0.0, numpy.pi, numpy.nextafter(numpy.pi, 0.0)])
    x = top * INVERSE_HALF_PI - 1.0
    assert x.tolist()[:2] == [-1.0, 1.0]
    assert x[2] <= 1.0


def test_trimming_is_paid_for():
    coefficients = numpy.array([1.0, 0.5, 1e-17, -1e-17, 0.0, 0.0])
    kept, dropped = trimmed(coefficients)
    assert len(kept) == 2
    assert 2e-17 <= dropped < 2.1e-17
    assert len(trimmed(numpy.array([0.0, 0.0]))[0]) == 1
