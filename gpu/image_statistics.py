r"""Certified eigenvalues of kernels of images checked against random images; the statistics are those of :mod:`gpu.image_gram`.

>>> import symspec as ss
>>> space = ss.MultiSphere(3, 2)
>>> records = image_check(ss.cnn(ss.relu, 1, 2, 2).ck, space, points=200, degrees=[(0, 0), (1, 1)], seed=1, backend="numpy")
>>> [record.degree for record in records], all(abs(record.z_score) < 5 for record in records)
([(0, 0), (1, 1)], True)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy
from flint import arb

from symspec.errors import DomainError, Undecided
from symspec.exact import natural
from symspec.multisphere import MultiIndex, MultiSphere
from symspec.pixel_kernel import PixelKernel
from symspec.separable_kernel import SeparableKernel, require_pixels

from .backends import Backend, backend as backend_named
from .image_gram import ImageKernel, Progress, default_tile, image_points, values, zonal_products
from .tiles import Tile, each, tiles

DIGITS, SQUARE_DIGITS = 6, 2
ROUNDING = 1e-13


@dataclass(frozen=True)
class ImageCheck:
    """One multi-index: as :class:`gpu.gram_statistics.DegreeCheck`, ``degree`` being the multi-index.

    ``exact_error`` says whether ``standard_error`` is computed (heads eq, trace) or the sample's (gap).
    """

    degree: MultiIndex
    estimate: float
    standard_error: float
    certified: arb
    z_score: float
    exact_error: bool


def image_check(
    K: Any, domain: MultiSphere, points: Any = 1000, degrees: Any = ((0,),), seed: Any = 0, backend: str | Backend = "auto", *, progress: Progress | None = None, digits: int = DIGITS
) -> list[ImageCheck]:
    """Estimate eigenvalues from random images; a record a multi-index. Arguments and errors as for gram_check."""
    from numerics import eigenvalues
    from numerics.multisphere import multi_indices, require_images

    size = natural(points, "number of points", 2)
    if isinstance(K, (PixelKernel, SeparableKernel)) and K.diagonal_is_infinite:
        raise Undecided("the kernel is infinite on the diagonal, so its square may have no mean and the estimate no standard error; check net.ck, or use drop_deltas=True")
    wanted = multi_indices(domain, degrees)
    if isinstance(K, SeparableKernel):
        require_pixels(K, domain)
    kernel: ImageKernel = K if isinstance(K, SeparableKernel) else require_images(K, domain)
    if not wanted:
        return []
    certified = eigenvalues(kernel, domain, wanted, digits)
    library = backend_named(backend)
    sample = image_points(size, domain, seed, library)
    if isinstance(kernel, PixelKernel) and not kernel.is_diagonal:
        rows = _pooled(kernel, domain, wanted, sample, library)
    else:
        estimates = _estimates(kernel, domain, wanted, sample, library, progress)
        rows = [(mean, scale, error) for (mean, scale), error in zip(estimates, _standard_errors(kernel, domain, wanted, certified, size), strict=True)]
    return [_record(index, *row, value, exact=isinstance(kernel, SeparableKernel) or kernel.is_diagonal) for index, row, value in zip(wanted, rows, certified, strict=True)]


def _record(index: MultiIndex, estimate: float, scale: float, error: float, certified: arb, *, exact: bool) -> ImageCheck:
    difference = estimate - float(certified)
    z_score = 0.0 if abs(difference) <= ROUNDING * scale else difference / error if error else math.copysign(math.inf, difference)
    return ImageCheck(index, estimate, error, certified, z_score, exact)


def _standard_errors(kernel: ImageKernel, domain: MultiSphere, indices: list[MultiIndex], certified: list[arb], size: int) -> list[float]:
    """sqrt(2 Var(h)/(n(n-1))), Var(h) = E[h^2] - lambda_k^2."""
    from numerics import eigenvalues
    from numerics.multisphere import mean_squares

    if isinstance(kernel, PixelKernel):
        moments = [float(value) for value in mean_squares(kernel, domain, indices, SQUARE_DIGITS)]
    else:
        parts = [domain.square_terms(index) for index in indices]
        needed = sorted({index for part in parts for index in part})
        squares = dict(zip(needed, eigenvalues(kernel * kernel, domain, needed, SQUARE_DIGITS), strict=True))
        moments = [sum(float(squares[index]) * float(c) for index, c in part.items()) for part in parts]
    return [math.sqrt(2 * max(0.0, moment - float(value) ** 2) / (size * (size - 1.0))) for moment, value in zip(moments, certified, strict=True)]


def _estimates(kernel: ImageKernel, domain: MultiSphere, indices: list[MultiIndex], sample: Any, library: Backend, progress: Progress | None) -> list[tuple[float, float]]:
    """Means of h over all pairs, and of |h|."""
    size = sample.shape[0]
    work = tiles((size, size), min(library.tile, default_tile(kernel)), symmetric=True)
    sums: list[list[tuple[float, float]]] = [[] for _ in work]
    counter = count(1)

    def worker(queue: Iterator[Tile]) -> None:
        for tile in queue:
            left, right = sample[tile.rows], sample[tile.columns]
            block = values(kernel, left, right, library.xp)
            if tile.diagonal:
                block = library.xp.triu(block, 1)
            products = [block * zonal for zonal in zonal_products(domain, left, right, indices, library.xp)]
            sums[tile.index] = [(float(h.sum()), float(abs(h).sum())) for h in products]
            if progress:
                progress(next(counter), len(work))

    each(work, worker, library.workers)
    pairs = size * (size - 1) / 2.0
    return [tuple(math.fsum(tile[place][part] for tile in sums) / pairs for part in (0, 1)) for place in range(len(indices))]  # type: ignore[misc]


def _pooled(kernel: PixelKernel, domain: MultiSphere, indices: list[MultiIndex], sample: Any, library: Backend) -> list[tuple[float, float, float]]:
    """(mean, scale, sample standard error) of h over disjoint pairs for a global average pool."""
    from numerics.multisphere import is_padded_pool, shifts

    if kernel.origin is None:
        raise DomainError("the check of a global average pool needs the kernel of a network, not a product")
    # Under zero padding nothing commutes with shifts; multi-indices that have an eigenvalue of their own have no other translate.
    group = [tuple(range(kernel.pixels))] if is_padded_pool(kernel) else shifts(kernel.origin)
    half = sample.shape[0] // 2
    pairs = [(sample[2 * row : 2 * row + 1], sample[2 * row + 1 : 2 * row + 2]) for row in range(half)]
    heights = [float(values(kernel, x, z, library.xp)[0, 0]) for x, z in pairs]
    found = []
    for index in indices:
        images_of = sorted({tuple(index[i] for i in g) for g in group})
        weight = domain.multiplicity(index) / (len(group) * domain.orbits(index, group))
        entries = []
        for height, (x, z) in zip(heights, pairs, strict=True):
            zonal = sum(float(value[0, 0]) for g in group for value in zonal_products(domain, x, z, images_of, library.xp, g))
            entries.append(height * zonal * weight)
        data = numpy.array(entries)
        found.append((float(data.mean()), float(abs(data).mean()), float(data.std(ddof=1) / math.sqrt(len(data)))))
    return found


__all__ = ["ImageCheck", "image_check"]
