import numpy
import pytest

from gpu.backends import backend
from gpu.sampling import sphere_points
from gpu.tiles import angles, each, tiles, unit_rows
from symspec.errors import DomainError, InputError

NUMPY = backend("numpy")


@pytest.mark.parametrize("d", [2, 3, 10, 100])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_angles_at_the_ends(pairs, d, sign):
    x, y = pairs.near(d, 5, sign)
    t = x @ y.T
    angles(t, x, y, numpy)
    for i in range(x.shape[0]):
        truth = pairs.angle(x[i], y[i])
        error = abs(t[i, i] - truth)
        # The rows have norm 1 up to rounding only; a difference of 2e-16 of two norms adds (2e-16)^2/(2 theta).
        assert error < (1e-15 * truth + 3e-32 / truth if sign > 0 else 5e-16)


@pytest.mark.parametrize("d", [2, 10, 100])
def test_angles_in_the_middle(pairs, d):
    x, y = sphere_points(12, d, seed=1), sphere_points(12, d, seed=2)
    t = x @ y.T
    angles(t, x, y, numpy)
    errors = [abs(t[i, j] - pairs.angle(x[i], y[j])) for i in range(12) for j in range(12)]
    assert max(errors) < 2e-15


def test_equal_and_opposite_rows_are_exact():
    points = numpy.random.default_rng(2).standard_normal((6, 7))
    points[5] = -points[0]
    x = unit_rows(points / numpy.linalg.norm(points, axis=1)[:, None], "X", NUMPY)
    t = x @ x.T
    angles(t, x, x, numpy)
    assert (t.diagonal() == 0.0).all()
    assert t[0, 5] == numpy.pi


def test_tiles_cover_once():
    seen = numpy.zeros((23, 17), int)
    for tile in tiles((23, 17), 5, symmetric=False):
        seen[tile.rows, tile.columns] += 1
    assert (seen == 1).all()
    seen = numpy.zeros((23, 23), int)
    for tile in tiles((23, 23), 5, symmetric=True):
        seen[tile.rows, tile.columns] += 1
        assert tile.diagonal == (tile.rows == tile.columns)
        if not tile.diagonal:
            seen[tile.columns, tile.rows] += 1
    assert (seen == 1).all()


def test_a_failing_tile_is_heard():
    def worker(queue):
        for tile in queue:
            if tile.index == 3:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        each(tiles((20, 20), 5, symmetric=False), worker, 2)


def rows(**changes):
    points = numpy.eye(4)
    for index, row in changes.items():
        points[int(index[1:])] = row
    return points


@pytest.mark.parametrize(
    ("points", "kind", "message"),
    [
        (rows(r2=[0, 0, 1 + 3e-8, 0]), DomainError, r"row 2 of X has norm 1\.00000003"),
        (rows(r1=[0, numpy.nan, 0, 0], r3=[2, 0, 0, 0]), DomainError, "row 1 of X is not finite"),
        (rows(r3=[numpy.inf, 0, 0, 0]), DomainError, "row 3 of X is not finite"),
        (rows(r0=[0, 0, 0, 0]), DomainError, "row 0 of X has norm 0"),
        (rows(r0=[1e300, 1e300, 0, 0]), DomainError, "row 0 of X is not finite"),
        (numpy.ones(3), InputError, r"shape \(3,\)"),
        (numpy.ones((3, 1)), InputError, "d >= 2"),
        (numpy.eye(3) * 1j, InputError, "complex128"),
        ([[1, 0], [1]], InputError, "ragged"),
        (numpy.array([["a", "b"]]), InputError, "real array"),
        (None, InputError, "real array"),
    ],
)
def test_bad_rows(points, kind, message):
    with pytest.raises(kind, match=message):
        unit_rows(points, "X", NUMPY)


def test_good_rows():
    assert unit_rows([[1, 0], [0, 1]], "X", NUMPY).dtype == numpy.float64
    assert unit_rows(numpy.zeros((0, 3)), "X", NUMPY).shape == (0, 3)
    slightly_off = rows(r0=[1 + 5e-9, 0, 0, 0])
    assert unit_rows(slightly_off, "X", NUMPY)[0, 0] == 1.0
