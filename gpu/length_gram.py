r"""Gram matrices of fully connected and residual networks between points of any lengths, in double precision.

The recursion of :mod:`numerics.radial_steps` is read on matrices of pairs: variances p, q of the two points, and the half squared distance
:math:`e=\tfrac12E(u-v)^2` of the pair in the place of its covariance (:mod:`symspec.pair_dual`), which is exactly 0 for equal points and for near
ones computed from their difference. The method is direct; no error bound is claimed (a few 1e-15 of the variances, and up to 1e-8 in the angle within
1e-8 of the diagonal). Duals that are series are summed by :mod:`gpu.length_duals`.

Memory beside input and output: about a dozen tiles a thread.

>>> import symspec as ss
>>> x = numpy.array([[1.0, 2.0, 2.0], [1.0, 2.0, 2.0], [0.5, 0.0, 1.0]])
>>> matrix = length_gram(ss.mlp(ss.erf, 1, sigma_w2=2, sigma_b2=1).ck, x)
>>> bool(matrix[0, 0] == matrix[0, 1]), bool((matrix == matrix.T).all()), round(float(matrix[0, 2]), 12)
(True, True, 1.880051670805)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy

from numerics.radial_kernel import RadialKernel
from numerics.radial_steps import Steps, steps_of
from symspec.errors import DomainError
from symspec.exact import natural
from symspec.kernel import Kernel
from symspec.pair_dual import PairDual
from symspec.program import Tape

from .backends import Backend
from .carrier import constant, table
from .length_duals import between
from .tiles import Tile, each, scaled_rows, tiles

NEAR = 0.05


@dataclass(frozen=True)
class Recursion:
    """A kernel with the numbers of its recursion as doubles."""

    kernel: RadialKernel
    dual: PairDual
    steps: Steps

    @staticmethod
    def of(kernel: Kernel) -> Recursion:
        """Raises NoClosedForm for kernels that are not known between different lengths."""
        radial = RadialKernel.of(kernel)
        return Recursion(radial, PairDual(radial.network.nonlinearity), steps_of(radial.network, constant))

    def values(self, x: Any, y: Any, xp: Any) -> Any:
        """K(x_i, y_j) for rows in units of sqrt(d)."""
        steps = self.steps
        p, q = (steps.linear * (rows * rows).sum(axis=1) + steps.bias for rows in (x, y))
        p, q, e = p[:, None], q[None, :], steps.linear * _half_squared_distances(x, y, xp)
        covariances, values, slopes = [(p + q) / 2 - e], [], []
        for _ in range(steps.depth):
            (value_p, own), (value_q, _) = self._moments(p, xp), self._moments(q, xp)
            branch, slope = self._layer(p, q, e, own, (value_p + value_q) / 2, xp)
            values.append(steps.weight * ((value_p + value_q) / 2 - branch))
            slopes.append(steps.weight * slope)
            e = steps.mixed(e, branch)
            p, q = steps.mixed(p, value_p) + steps.bias, steps.mixed(q, value_q) + steps.bias
            covariances.append((p + q) / 2 - e)
        return steps.read(self.kernel.part, covariances, values, slopes) * constant(self.kernel.scale)

    def _moments(self, p: Any, xp: Any) -> tuple[Any, Any]:
        """E sigma(u)^2 and E sigma'(u)^2."""
        value, slope = self._run(self.dual.diagonal, {"q": p}, xp)
        return value + 0 * p, slope + 0 * p

    def _layer(self, p: Any, q: Any, e: Any, own: Any, mean: Any, xp: Any) -> tuple[Any, Any]:
        """Half the squared distance of sigma(u), sigma(v), ``mean`` that of their second moments, and the slope, ``own`` for equal points."""
        roots = xp.sqrt(p), xp.sqrt(q)
        gap = (p - q) / (roots[0] + roots[1])
        w = xp.clip((e - gap * gap / 2) / (2 * roots[0] * roots[1]), 0.0, 1.0)
        with numpy.errstate(all="ignore"):
            value, slope = self._run(self.dual.different, {"p": p, "q": q, "w": w}, xp)
        equal = e == 0
        return xp.where(equal, 0.0, xp.maximum(mean - value, 0.0)), xp.where(equal, own, slope)

    @staticmethod
    def _run(tape: Tape, symbols: dict[str, Any], xp: Any) -> Any:
        return tape.run(table(xp, None) | {"symbol": symbols.__getitem__, "dual": partial(between, xp)})


def _half_squared_distances(x: Any, y: Any, xp: Any) -> Any:
    """|x_i - y_j|^2/2, from the difference where that is small."""
    first, second = (x * x).sum(axis=1)[:, None], (y * y).sum(axis=1)[None, :]
    mean = (first + second) / 2
    found = mean - x @ y.T
    i, j = xp.nonzero(found < NEAR * mean)
    if i.size:
        found[i, j] = ((x[i] - y[j]) ** 2).sum(axis=1) / 2
    return found


def length_gram(kernel: Kernel, X: Any, Y: Any = None, *, backend: Backend | None = None, tile: int | None = None, out: Any = None, workers: int | None = None) -> Any:
    """The matrix K(x_i, y_j) for points of any lengths but 0, float64; :func:`gpu.gram` with a Gaussian domain calls it.

    Raises DomainError for a kernel that is infinite on the diagonal and for points that are 0 or not finite, InputError for arrays of the wrong
    shape, NoClosedForm for kernels that are not known between different lengths.
    """
    from .backends import backend as backend_named

    library = backend_named("numpy") if backend is None else backend
    if kernel.diagonal_is_infinite:
        raise DomainError("this tangent kernel is infinite for equal points (the activation has a jump); use the conjugate kernel or drop_deltas=True")
    recursion = Recursion.of(kernel)
    left = _in_units(X, "X", library)
    right = left if Y is None else _in_units(Y, "Y", library)
    result = library.xp.empty((left.shape[0], right.shape[0])) if out is None else out
    edge = library.tile if tile is None else natural(tile, "tile", 1)
    count = (library.workers if workers is None else natural(workers, "workers", 1)) if library.xp is numpy else 1

    def worker(queue: Iterator[Tile]) -> None:
        for part in queue:
            block = recursion.values(left[part.rows], right[part.columns], library.xp) + library.xp.zeros(part.shape)
            if part.diagonal:
                upper = library.xp.triu(block)
                block = upper + library.xp.triu(block, 1).T
            block = library.to_host(block) if isinstance(result, numpy.ndarray) else block
            result[part.rows, part.columns] = block
            if Y is None and not part.diagonal:
                result[part.columns, part.rows] = block.T

    each(tiles((left.shape[0], right.shape[0]), edge, symmetric=Y is None), worker, count)
    return result


def _in_units(points: Any, name: str, library: Backend) -> Any:
    """The rows divided by sqrt(d)."""
    rows, lengths = scaled_rows(points, name, library)
    return rows * (lengths / math.sqrt(rows.shape[1]))[:, None]


__all__ = ["length_gram"]
