r"""Pairs of points, tile by tile: correlations, and angles that are right at both ends.

The angle of two unit vectors is :math:`\arccos\langle x,y\rangle`, but near the diagonal that loses half
the digits: at :math:`\langle x,y\rangle=1-10^{-16}` the correlation has none left. There the chord is well
conditioned, :math:`\theta=2\arcsin(|x-y|/2)`, and near -1 its mirror image
:math:`\theta=\pi-2\arcsin(|x+y|/2)`: the differences of nearby doubles are exact (Sterbenz), so the angle has a
relative error of a few units in the last place, and is exactly 0 for equal rows. (Norms that differ by
:math:`\epsilon\approx2^{-53}` add :math:`\epsilon^2/2\theta`, which never exceeds :math:`\epsilon`.) The chord is computed for the pairs beyond
:data:`NEAR` only.

Where the chord is not used, :math:`|t|\le 0.9`, an error of :math:`\delta` in the correlation moves the
angle by at most :math:`2.3\,\delta`; :math:`\delta` is at most :math:`d\,2^{-53}` and about :math:`2^{-53}` in practice.

>>> import numpy
>>> a, b = 0.6, 1e-12
>>> x = numpy.array([[numpy.cos(a), numpy.sin(a)], [numpy.cos(a + b), numpy.sin(a + b)]])
>>> t = x @ x.T
>>> angles(t, x, x, numpy)
>>> bool(t[0, 0] == 0), bool(abs(t[0, 1] / b - 1) < 3e-4)
(True, True)

The bad case: those 3e-4 are no error of the chord but the rounding of the four coordinates, 1e-16
against a distance of 1e-12. The arccosine of the dot product would give 0 or 1.5e-8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy

from symspec.errors import DomainError, InputError

from .backends import Backend, one_blas_thread

NEAR = 0.9
SPHERE_TOLERANCE = 1e-8
LEAST_LENGTH = 1e-150
GATHER = 1 << 20


@dataclass(frozen=True)
class Tile:
    """A rectangle of pairs: rows of X against rows of Y. ``diagonal`` marks a tile of X against itself."""

    index: int
    rows: slice
    columns: slice
    diagonal: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start


def tiles(shape: tuple[int, int], edge: int, *, symmetric: bool) -> list[Tile]:
    """All tiles of an n by m matrix; of a symmetric one, those on and above the diagonal."""
    found: list[Tile] = []
    n, m = shape
    for i in range(0, n, edge):
        for j in range(i if symmetric else 0, m, edge):
            found.append(Tile(len(found), slice(i, min(i + edge, n)), slice(j, min(j + edge, m)), symmetric and i == j))
    return found


def each(work: list[Tile], worker: Callable[[Iterator[Tile]], None], workers: int) -> None:
    """Run ``worker`` on a shared queue of tiles in that many threads."""
    queue = iter(work)
    count = min(workers, len(work))
    if count <= 1:
        with one_blas_thread():
            worker(queue)
        return
    with one_blas_thread(), ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(worker, queue) for _ in range(count)]:
            done.result()


def unit_rows(points: Any, name: str, backend: Backend) -> Any:
    """The rows as float64 on the backend, renormalised to double precision.

    Raises InputError for what is no real (n, d) array with d >= 2, DomainError for rows that are
    not finite or whose norm is not 1 within SPHERE_TOLERANCE; the first such row is named.
    """
    rows, norms = _rows(points, name, backend)
    bad = ~(backend.xp.abs(norms - 1.0) <= SPHERE_TOLERANCE)
    _refuse(bad, norms, name, f"rows must lie on the unit sphere within {SPHERE_TOLERANCE:g}: divide each by its norm", backend)
    return rows / norms[:, None]


def cube_rows(points: Any, name: str, backend: Backend) -> Any:
    """Rows of 1 and -1, divided by the root of their length. DomainError for any other entry; the first such row is named."""
    rows, _ = _rows(points, name, backend)
    bad = (backend.xp.abs(rows) != 1.0).any(axis=1)
    if rows.shape[0] and bool(bad.any()):
        raise DomainError(f"row {int(backend.xp.argmax(bad))} of {name} is no point of the cube: every coordinate must be exactly 1 or -1")
    return rows / math.sqrt(rows.shape[1])


def scaled_rows(points: Any, name: str, backend: Backend) -> tuple[Any, Any]:
    """The rows divided by their lengths, and the lengths. DomainError for a row that is 0, not finite, or so long or short that its length is not known."""
    rows, norms = _rows(points, name, backend)
    bad = ~((norms > LEAST_LENGTH) & (norms < 1.0 / LEAST_LENGTH))
    _refuse(bad, norms, name, f"lengths must lie between {LEAST_LENGTH:g} and {1 / LEAST_LENGTH:g}", backend)
    unit = rows / norms[:, None]
    return unit / backend.xp.sqrt((unit * unit).sum(axis=1))[:, None], norms


def _rows(points: Any, name: str, backend: Backend) -> tuple[Any, Any]:
    xp = backend.xp
    if not isinstance(points, xp.ndarray):
        points = _host_array(points, name)
    if points.ndim != 2 or points.shape[1] < 2 or points.dtype.kind not in "fiu":
        raise InputError(f"{name} must be a real array of shape (n, d) with d >= 2, one point a row, not shape {tuple(points.shape)} of {points.dtype}")
    rows = xp.asarray(points, dtype=xp.float64)
    with backend.quiet():
        return rows, xp.sqrt((rows * rows).sum(axis=1))


def _refuse(bad: Any, norms: Any, name: str, rule: str, backend: Backend) -> None:
    if norms.shape[0] and bool(bad.any()):
        first = int(backend.xp.argmax(bad))
        norm = float(norms[first])
        what = f"has norm {norm:.12g}" if math.isfinite(norm) else "is not finite"
        raise DomainError(f"row {first} of {name} {what}; {rule}")


def _host_array(points: Any, name: str) -> Any:
    if type(points).__module__.partition(".")[0] == "cupy":
        return points.get()
    try:
        return numpy.asarray(points)
    except ValueError:
        raise InputError(f"{name} must be an array of shape (n, d), not ragged lists") from None


def correlations(left: Any, right: Any, buffer: Any, xp: Any) -> Any:
    """The dot products of all rows, in a contiguous view of the flat buffer."""
    shape = (left.shape[0], right.shape[0])
    view = buffer[: shape[0] * shape[1]].reshape(shape)
    xp.matmul(left, right.T, out=view)
    return view


def angles(t: Any, left: Any, right: Any, xp: Any, *, skip_diagonal: bool = False) -> None:
    """Overwrite correlations by angles in [0, pi]; see the module docstring.

    With ``skip_diagonal`` (rows against themselves) the diagonal is taken as pi/2, to be
    replaced by the caller: otherwise every diagonal tile would have near pairs.
    """
    if skip_diagonal:
        xp.fill_diagonal(t, 0.0)
    near = []
    if float(t.max()) > NEAR:
        near.append((1.0, xp.nonzero(t > NEAR)))
    if float(t.min()) < -NEAR:
        near.append((-1.0, xp.nonzero(t < -NEAR)))
    if near:
        xp.clip(t, -1.0, 1.0, out=t)
    xp.arccos(t, out=t)
    for sign, (i, j) in near:
        _chords(t, left, right, i, j, sign, xp)


def _chords(t: Any, left: Any, right: Any, i: Any, j: Any, sign: float, xp: Any) -> None:
    """Put the angles of the pairs (i, j) from their chords, at most GATHER coordinates at a time."""
    step = max(1, GATHER // left.shape[1])
    for start in range(0, i.shape[0], step):
        rows, columns = i[start : start + step], j[start : start + step]
        difference = left[rows] - sign * right[columns]
        half = xp.sqrt((difference * difference).sum(axis=1)) / 2.0
        angle = 2.0 * xp.arcsin(xp.minimum(half, 1.0))
        t[rows, columns] = angle if sign > 0 else math.pi - angle
