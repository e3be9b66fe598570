r"""Gram matrices of kernels in double precision, at scale and with a proved bound.

:func:`gram` computes :math:`G_{ij}=K(\langle x_i,y_j\rangle)` for rows on the unit sphere. Correlations come from matrix
products of tiles, angles from correlations or, near the ends, from chords (:mod:`gpu.tiles`), and
values from a certified polynomial in the angle (:mod:`gpu.evaluators`), so the cost does not depend on
the depth. The error is that of the angle times the slope of the kernel, plus :func:`gram_error_bound`.

Rows may also be points of the cube {-1, 1}^d (``domain=BooleanCube(d)``; t is <x, y>/d), or any points of R^d under a
homogeneous kernel (``domain=Gaussian(d)``; the entries are :math:`(|x||y|/d)^mK(t)`).

**Memory** beside input and output: for each thread one tile of tile² doubles and the buffers of one
piece, (m + q + 3)·piece doubles with m·q about the number of terms (on NumPy 128 KiB and, for 100 terms, 4 MiB; on CuPy 32 MiB and 1 GiB).
**Work**: with Y = None only tiles on and above the diagonal; the matrix is exactly symmetric and its diagonal
is K(1), rounded correctly.

A tangent kernel with a jump in the activation is infinite on the diagonal, and inf is what the
matrix then has there and for equal rows; exactly opposite rows are refused, since doubles cannot say
whether it is infinite there.

>>> import numpy, symspec as ss
>>> points = numpy.eye(3)
>>> matrix = gram(ss.mlp(ss.relu, 1).ck, points, backend="numpy")
>>> matrix.diagonal().tolist(), bool(abs(matrix[0, 1] - 1 / numpy.pi) < 1e-15)
([1.0, 1.0, 1.0], True)
>>> gram(ss.mlp(ss.relu, 1).ck, 2 * points)
Traceback (most recent call last):
  ...
symspec.errors.DomainError: row 0 of X has norm 2; rows must lie on the unit sphere within 1e-08: divide each by its norm
>>> corners = numpy.array([[1.0, 1.0], [1.0, -1.0]])
>>> bool(abs(gram(ss.mlp(ss.relu, 1).ck, corners, domain=ss.BooleanCube(2), backend="numpy") - matrix[:2, :2]).max() < 1e-15)
True
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy

from numerics.radial_kernel import RadialKernel
from symspec.domain import BooleanCube, Domain, Gaussian, Sphere
from symspec.errors import DomainError, InputError, Undecided
from symspec.exact import natural
from symspec.homogeneity import homogeneity
from symspec.kernel import Kernel
from symspec.pixel_kernel import PixelKernel
from symspec.separable_kernel import SeparableKernel
from symspec.spectrum import gaussian_degree

from .backends import Backend, backend as backend_named
from .evaluators import DirectEvaluator, Evaluator, PolynomialEvaluator, evaluator, polynomial_evaluator
from .image_gram import image_gram
from .length_gram import length_gram
from .tiles import Tile, angles, correlations, cube_rows, each, scaled_rows, tiles, unit_rows

MIN_TILE = 8


@dataclass(frozen=True)
class GramReport:
    """How :func:`gram` computes: ``method`` polynomial or direct, ``backend`` in words.

    ``error_bound`` is :func:`gram_error_bound`, or None for the direct method, which proves nothing; ``terms``
    the length of the polynomial; ``note`` the reason for the method.
    """

    method: str
    backend: str
    error_bound: float | None
    terms: int | None
    note: str

    @property
    def proved(self) -> bool:
        return self.error_bound is not None


def gram_report(K: Kernel, *, method: str = "auto", backend: str | Backend = "auto") -> GramReport:
    """What gram would do with these arguments, without doing it."""
    chosen = evaluator(K, method)
    return GramReport(chosen.method, backend_named(backend).description, chosen.error_bound, chosen.terms, chosen.note)


def gram_error_bound(K: Kernel) -> float:
    """A proved bound of the error of every entry, given its angle exactly (as a double).

    Truncation of the polynomial, rounding of its coefficients, and rounding of the evaluation in IEEE
    double precision, to nearest; derived in :mod:`gpu.evaluators` and :mod:`gpu.chebyshev`. The last is a worst case,
    usually ten times the error met. Raises Undecided where no polynomial is proved.
    """
    if not isinstance(K, Kernel):
        raise InputError(f"gram_error_bound takes a Kernel, not {type(K).__name__}")
    return polynomial_evaluator(K).error_bound


@lru_cache(maxsize=256)
def diagonal_value(kernel: Kernel) -> float:
    """K(1) as the nearest double; inf for a tangent kernel of an activation with a jump."""
    if kernel.diagonal_is_infinite:
        return math.inf
    from numerics.values import evaluate

    return float(evaluate(kernel, 1, digits=40))


@dataclass(frozen=True)
class Engine:
    """A kernel with the way to evaluate it on a backend."""

    evaluator: PolynomialEvaluator | DirectEvaluator
    diagonal: float
    backend: Backend

    @staticmethod
    def of(kernel: Kernel, method: str, library: Backend) -> Engine:
        return Engine(evaluator(kernel, method), diagonal_value(kernel), library)

    def workspace(self) -> Any:
        return self.evaluator.workspace(self.backend.piece, self.backend.xp)

    def overwrite(self, theta: Any, work: Any) -> None:
        """Replace a contiguous array of angles by values; K(1) where the angle is 0."""
        xp, piece, flat = self.backend.xp, self.backend.piece, theta.reshape(-1)
        equal = None if float(theta.min()) else xp.nonzero(flat == 0.0)[0]
        if equal is not None:
            flat[equal] = math.pi / 2
        if math.isinf(self.diagonal) and float(theta.max()) == math.pi:
            raise Undecided("two rows are exactly opposite, where this tangent kernel may be infinite too (the activation has a jump); leave one out, or use drop_deltas=True")
        with self.backend.quiet():
            for start in range(0, flat.shape[0], piece):
                self.evaluator.overwrite(flat[start : start + piece], work, xp)
        if equal is not None:
            flat[equal] = self.diagonal


def gram(
    K: Kernel | PixelKernel | SeparableKernel,
    X: Any,
    Y: Any = None,
    *,
    domain: Domain | None = None,
    method: str = "auto",
    backend: str | Backend = "auto",
    tile: int | None = None,
    out: Any = None,
    workers: int | None = None,
) -> Any:
    """The matrix K(<x_i, y_j>), float64, of shape (n, m) for X of shape (n, d) and Y of shape (m, d).

    Rows lie on the unit sphere (within 1e-8; they are renormalised), or where ``domain`` says (a cube: every coordinate is 1 or -1;
    Gaussian(d): any points but 0, and kernels that are not homogeneous in the lengths too, :func:`gpu.length_gram.length_gram`); without Y, Y is X. ``method`` is "polynomial" (proved,
    see :func:`gram_error_bound`), "direct" (no bound), or "auto": polynomial where one is proved, else direct,
    logged; :func:`gram_report` tells which. ``tile`` is the edge of a tile, ``out`` an array for the result, ``workers`` the
    number of threads (NumPy only). The result is a NumPy array, or a CuPy array where ``out`` is one
    or, without ``out``, where X is one.

    Raises InputError for arguments of the wrong shape or kind, DomainError for rows that are not
    finite or off the sphere, Undecided for method="polynomial" where none is proved.

    For a kernel of images X and Y have the shape (n, pixels, channels), and the method is direct (:func:`gpu.image_gram.image_gram`).
    """
    if isinstance(K, (PixelKernel, SeparableKernel)):
        if method == "polynomial":
            raise Undecided("no polynomial is proved for kernels of images; use method='direct' or 'auto'")
        return image_gram(K, X, Y, backend=backend, tile=tile, out=out, workers=workers)
    library = backend_named(backend)
    if isinstance(domain, Gaussian) and RadialKernel.covers(K) and homogeneity(K) is None:
        return _between_lengths(K, X, Y, domain, method, library, tile, out, workers)
    engine = Engine.of(K, method, library)
    left, left_weights = domain_rows(K, domain, X, "X", library)
    right, right_weights = (left, left_weights) if Y is None else domain_rows(K, domain, Y, "Y", library)
    if left.shape[1] != right.shape[1]:
        raise InputError(f"X has points in R^{left.shape[1]} and Y in R^{right.shape[1]}; they must agree")
    result = _output(X, out, (left.shape[0], right.shape[0]), library)
    edge = library.tile if tile is None else natural(tile, "tile", MIN_TILE)
    count = library.workers if workers is None else natural(workers, "workers", 1)
    if library.xp is not numpy:
        count = 1
    work = tiles(result.shape, edge, symmetric=Y is None)
    weights = None if left_weights is None else (left_weights, right_weights)
    _Filler(engine, left, right, result, symmetric=Y is None, weights=weights).run(work, count)
    return result


def _between_lengths(K: Kernel, X: Any, Y: Any, domain: Gaussian, method: str, library: Backend, tile: int | None, out: Any, workers: int | None) -> Any:
    """The direct method for kernels that are not homogeneous in the lengths."""
    if method == "polynomial":
        raise Undecided("no polynomial is proved for kernels between points of different lengths; use method='direct' or 'auto'")
    shapes = []
    for points, name in ((X, "X"), (X if Y is None else Y, "Y")):
        shape: Any = getattr(points, "shape", ())
        if len(shape) != 2:
            raise InputError(f"{name} must be a real array of shape (n, d) with d >= 2, one point a row")
        if shape[1] != domain.dimension:
            raise DomainError(f"{name} has points in R^{shape[1]}, not on {domain.name}")
        shapes.append(shape[0])
    return length_gram(K, X, Y, backend=library, tile=tile, out=_output(X, out, (shapes[0], shapes[1]), library), workers=workers)


def domain_rows(kernel: Kernel, domain: Domain | None, points: Any, name: str, library: Backend) -> tuple[Any, Any]:
    """Unit rows for points of the domain (None: a sphere), and the factor (|x|^2/d)^(m/2) of each row, None where it is 1.

    Raises InputError for an array of the wrong shape, DomainError for a point that is not on the domain.
    """
    if domain is None or isinstance(domain, Sphere):
        rows, weights = unit_rows(points, name, library), None
    elif isinstance(domain, BooleanCube):
        rows, weights = cube_rows(points, name, library), None
    elif isinstance(domain, Gaussian):
        m = gaussian_degree(kernel)
        rows, lengths = scaled_rows(points, name, library)
        weights = None if m == 0 else (lengths / math.sqrt(rows.shape[1])) ** m
    else:
        raise DomainError(f"gram takes points on Sphere(d), Circle(), BooleanCube(d) or Gaussian(d), not on {domain!r}")
    if domain is not None and rows.shape[1] != domain.dimension:
        raise DomainError(f"{name} has points in R^{rows.shape[1]}, not on {domain.name}")
    return rows, weights


def _output(points: Any, out: Any, shape: tuple[int, int], library: Backend) -> Any:
    if out is None:
        on_device = library.xp is not numpy and isinstance(points, library.xp.ndarray)
        return (library.xp if on_device else numpy).empty(shape)
    if not hasattr(out, "dtype") or tuple(out.shape) != shape or out.dtype != numpy.float64:
        found = f"{out.dtype} of shape {tuple(out.shape)}" if hasattr(out, "dtype") else type(out).__name__
        raise InputError(f"out must be a float64 array of shape {shape}, not {found}")
    return out


class _Filler:
    """Computes tiles into the result."""

    def __init__(self, engine: Engine, left: Any, right: Any, result: Any, *, symmetric: bool, weights: tuple[Any, Any] | None = None) -> None:
        self.engine, self.left, self.right, self.result, self.symmetric, self.weights = engine, left, right, result, symmetric, weights

    def run(self, work: list[Tile], workers: int) -> None:
        if work:
            self.area = max(tile.shape[0] * tile.shape[1] for tile in work)
            each(work, self._worker, workers)

    def _worker(self, queue: Iterator[Tile]) -> None:
        engine, xp = self.engine, self.engine.backend.xp
        buffer, space = xp.empty(self.area), engine.workspace()
        for tile in queue:
            rows, columns = self.left[tile.rows], self.right[tile.columns]
            block = correlations(rows, columns, buffer, xp)
            angles(block, rows, columns, xp, skip_diagonal=tile.diagonal)
            engine.overwrite(block, space)
            if tile.diagonal:
                # Mirrored, because a product with the transpose is symmetric only up to rounding.
                upper = xp.triu(block, 1)
                block = upper + upper.T
                xp.fill_diagonal(block, engine.diagonal)
            if self.weights is not None:
                # The product of the two weights first: it is the same for (i, j) and (j, i).
                block = block * (self.weights[0][tile.rows, None] * self.weights[1][None, tile.columns])
            self._store(tile, block)

    def _store(self, tile: Tile, block: Any) -> None:
        if isinstance(self.result, numpy.ndarray):
            block = self.engine.backend.to_host(block)
        self.result[tile.rows, tile.columns] = block
        if self.symmetric and not tile.diagonal:
            self.result[tile.columns, tile.rows] = block.T


__all__ = ["Engine", "Evaluator", "GramReport", "gram", "gram_error_bound", "gram_report"]
