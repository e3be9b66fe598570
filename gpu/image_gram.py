r"""Gram matrices of kernels of images in double precision, and their eigenvalues checked against random images.

Images are arrays of shape (n, pixels, channels) with pixels of norm 1; on grids the pixels are row-major. The program of
the kernel (:mod:`symspec.pixel_program`) is read on arrays (pairs of positions, pairs of images), so that a patch is a sum of gathered rows (:class:`_Stack`);
where the positions have different variances (zero padding) it is read pair by pair. The state is the half squared distance, as in :mod:`numerics.pixel_balls`, computed from differences and not
from 1 - <x, z> where images are near each other; no error bound is claimed (a few 1e-15 of K(1), and up to 1e-8 in the angle within 1e-8 of the diagonal).

**Memory** beside input and output: for each thread about ten arrays of (pairs of positions of the widest level) x (pairs of images of a tile) doubles;
tiles are made so small that one array holds at most PIECE doubles (2 MiB, so that it stays in the cache), or a single pair of images if that is more. A global average
pool needs P^2 rows, other heads at most P.

**The check.** For x, z uniform on a product of spheres :math:`h=K(x,z)\prod_iP_{k_i}(\langle x_i,z_i\rangle)` has mean :math:`\lambda_k` for the
heads eq and trace, and :math:`E[h\mid x]` does not depend on x (rotations of each pixel), so as on one sphere
(:mod:`gpu.gram_statistics`) the U-statistic over all pairs has the exact variance :math:`2\operatorname{Var}(h)/(n(n-1))`, and
:math:`E[h^2]=\sum_jc_j\lambda_{2j}(K^2)` is a certified eigenvalue of the square. For a global average pool h is
:math:`K\cdot\frac1{|G|m}\sum_g\sum_{k'}\prod_iN(C,k'_i)P_{k'_i}(\langle x_i,z_{g(i)}\rangle)` over the m = number of orbits in the eigenspace; it is not degenerate,
so that estimate uses n/2 disjoint pairs and their sample variance.

>>> import numpy, symspec as ss
>>> x = image_points(4, ss.MultiSphere(3, 2), seed=1)
>>> matrix = image_gram(ss.cnn(ss.relu, 2, 2, 2).ck, x)
>>> matrix.shape, bool(abs(matrix.diagonal() - 1).max() < 1e-14), bool((matrix == matrix.T).all())
((4, 4), True, True)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy
from sympy import Expr, S

from symspec.errors import DomainError, InputError
from symspec.exact import natural
from symspec.multisphere import MultiSphere
from symspec.pair_dual import PairDual
from symspec.pixel_kernel import PixelKernel, require_pixel_kernel
from symspec.pixel_program import Pair, PairCarrier, PixelProgram, Units
from symspec.separable_kernel import SeparableKernel

from .backends import Backend, backend as backend_named
from .carrier import constant, table
from .sampling import sphere_points, zonal_sequence
from .tiles import Tile, each, tiles

PIECE = 1 << 18
CHUNK = 1 << 14
TOLERANCE = 1e-8
NEAR = 0.05
Progress = Callable[[int, int], None]
ImageKernel = PixelKernel | SeparableKernel


class Arrays(PairCarrier):
    """Float64 arrays, one entry a pair of images; a state is the half squared distance."""

    def __init__(self, states: Callable[[Pair], Any], xp: Any) -> None:
        self.states, self.xp = states, xp

    def constant(self, value: Expr) -> float:
        return constant(value)

    def combined(self, scale: Expr, bias: Expr, parts: Sequence[Any]) -> Any:
        if not parts:
            return constant(bias)
        total = parts[0]
        if len(parts) > 1:
            total = total + parts[1]
            for part in parts[2:]:
                total += part
        if scale != 1:
            total = total * constant(scale)
        return total if bias == 0 else total + constant(bias)

    def patched(self, scale: Expr, bias: Expr, parts: Sequence[Any], lonely: Sequence[float]) -> Any:
        total = self.combined(scale, S.Zero, parts) if parts else 0.0
        return total + constant(scale) * sum(lonely) / 2 if lonely else total

    def times(self, a: Any, b: Any) -> Any:
        return a * b

    def second_moment(self, dual: PairDual, q: float) -> float:
        return float(dual.diagonal.run(self._rules({"q": q}))[0])

    def state(self, pair: Pair) -> Any:
        return self.states(pair)

    def covariance(self, p: float, q: float, state: Any) -> Any:
        return (p + q) / 2 - state

    def activated(self, dual: PairDual, units: Units, state: Any, *, slopes: bool = True) -> tuple[Any, Any]:
        xp, scale = self.xp, math.sqrt(units.p * units.q)
        difference = state if units.same else state - (math.sqrt(units.p) - math.sqrt(units.q)) ** 2 / 2
        w = xp.clip(difference * (0.5 / scale), 0.0, 1.0)
        with numpy.errstate(all="ignore"):
            tape = dual.different if not units.same else dual.same if slopes else dual.same_value
            # w was cut to [0, 1] already.
            rules = self._rules({"p": units.p, "q": units.q, "w": w}) | {"archav": lambda haversine, _symmetry: 2.0 * xp.arcsin(xp.sqrt(haversine))}
            value, *rest = tape.run(rules)
        slope = rest[0] if rest else None
        after = xp.maximum((units.p_after + units.q_after) / 2 - value, 0.0)
        if units.same:
            equal = w == 0
            if bool(equal.any()):
                after = xp.where(equal, 0.0, after)
                slope = None if slope is None else xp.where(equal, self._slope_on_diagonal(dual, units.q), slope)
        return after, slope

    def _slope_on_diagonal(self, dual: PairDual, q: float) -> float:
        return math.inf if dual.slope_is_infinite else float(dual.diagonal.run(self._rules({"q": q}))[1])

    def _rules(self, symbols: dict[str, Any]) -> dict[str, Callable[..., Any]]:
        return table(self.xp, None) | {"symbol": lambda name: symbols[name]}


def image_points(count: Any, domain: MultiSphere, seed: Any = 0, backend: str | Backend = "numpy") -> Any:
    """Independent uniform points of a product of spheres, shape (count, pixels, channels); a function of the arguments alone."""
    size = natural(count, "number of points", 1)
    return sphere_points(size * domain.pixels, domain.channels, seed, backend).reshape(size, domain.pixels, domain.channels)


def images(points: Any, name: str, kernel: ImageKernel, library: Backend) -> Any:
    """The images as float64 on the backend, their pixels renormalised. InputError for a wrong shape, DomainError for a pixel that is not of norm 1."""
    try:
        array = library.xp.asarray(points, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a real array of shape (n, pixels, channels)") from None
    if array.ndim != 3 or array.shape[1] != kernel.pixels or array.shape[2] < 2:
        raise InputError(f"{name} must have the shape (n, {kernel.pixels}, channels) with 2 or more channels, not {tuple(array.shape)}")
    norms = library.xp.sqrt((array * array).sum(axis=2))
    bad = ~(library.xp.abs(norms - 1.0) <= TOLERANCE)
    if array.shape[0] and bool(bad.any()):
        image, pixel = (int(index) for index in numpy.argwhere(library.to_host(bad))[0])
        norm = float(norms[image, pixel])
        what = "is zero" if norm == 0 else f"has norm {norm:.12g}" if math.isfinite(norm) else "is not finite"
        raise DomainError(f"pixel {pixel} of image {image} of {name} {what}; every pixel must have norm 1 within {TOLERANCE:g}: divide it by its norm")
    return array / norms[:, :, None]


def image_gram(K: Any, X: Any, Y: Any = None, *, backend: str | Backend = "auto", tile: int | None = None, out: Any = None, workers: int | None = None) -> Any:
    """The matrix K(x_i, y_j), float64, for images X of shape (n, pixels, channels) and Y of (m, pixels, channels); see the module docstring."""
    kernel, library = K if isinstance(K, SeparableKernel) else require_pixel_kernel(K, "gram"), backend_named(backend)
    left = images(X, "X", kernel, library)
    right = left if Y is None else images(Y, "Y", kernel, library)
    if left.shape[2] != right.shape[2]:
        raise InputError(f"X has {left.shape[2]} channels and Y {right.shape[2]}; they must agree")
    result = (numpy if library.xp is numpy else library.xp).empty((left.shape[0], right.shape[0])) if out is None else out
    if tuple(result.shape) != (left.shape[0], right.shape[0]) or result.dtype != numpy.float64:
        raise InputError(f"out must be a float64 array of shape {(left.shape[0], right.shape[0])}")
    edge = default_tile(kernel) if tile is None else natural(tile, "tile", 1)
    count = (library.workers if workers is None else natural(workers, "workers", 1)) if library.xp is numpy else 1

    def worker(queue: Iterator[Tile]) -> None:
        for part in queue:
            block = values(kernel, left[part.rows], right[part.columns], library.xp)
            if part.diagonal:
                upper = library.xp.triu(block)
                block = upper + library.xp.triu(block, 1).T
            result[part.rows, part.columns] = block
            if Y is None and not part.diagonal:
                result[part.columns, part.rows] = block.T

    each(tiles((left.shape[0], right.shape[0]), edge, symmetric=Y is None), worker, count)
    return result


def default_tile(kernel: ImageKernel) -> int:
    """The edge of a tile for which the widest level has at most PIECE doubles."""
    if isinstance(kernel, SeparableKernel):
        return math.isqrt(PIECE)
    widest = max(len(level) for factor in kernel.factors for level in factor.levels)
    return max(1, math.isqrt(PIECE // widest))


def values(kernel: ImageKernel, left: Any, right: Any, xp: Any) -> Any:
    """K between all images of two small sets."""
    if isinstance(kernel, SeparableKernel):
        return _separable_values(kernel, left, right, xp)
    states = _States(left, right, xp)
    total: Any = 1.0
    for factor in kernel.factors:
        stack = _stack_of(factor)
        total = total * (factor.run(Arrays(states, xp)) if stack is None else stack.value(states, xp))
    return total + xp.zeros((left.shape[0], right.shape[0]))


def _separable_values(kernel: SeparableKernel, left: Any, right: Any, xp: Any) -> Any:
    """Sums of products of the matrices of one-pixel kernels, each computed once."""
    from .gram_matrix import gram

    factors = dict.fromkeys((factor, pixel) for _, row in kernel.terms for pixel, factor in enumerate(row) if factor is not None)
    known = {(factor, pixel): gram(factor, left[:, pixel], right[:, pixel], workers=1, backend="numpy" if xp is numpy else "auto") for factor, pixel in factors}
    total = xp.zeros((left.shape[0], right.shape[0]))
    for weight, row in kernel.terms:
        part = xp.full(total.shape, constant(weight))
        for pixel, factor in enumerate(row):
            if factor is not None:
                part *= xp.asarray(known[factor, pixel])
        total += part
    return total


@dataclass(frozen=True)
class _Stack:
    """A program in which all units of a layer have one variance and read only pixels of the image: whole layers are arrays.

    ``sources`` are index tables (pairs, taps) into the pairs of the layer below, ``units`` the variances of every layer, ``weights`` those of the head.
    """

    program: PixelProgram
    sources: tuple[Any, ...]
    units: tuple[Units, ...]
    weights: Any

    def value(self, states: _States, xp: Any) -> Any:
        program, carrier = self.program, Arrays(states, xp)
        below, tangent = states.stacked(program.levels[0]), None
        slopes = program.reads_slopes()
        first = 1 if program.part == "ntk" else program.part
        for layer, (patch, table_, units) in enumerate(zip(program.patches, self.sources, self.units, strict=True), 1):
            scale = constant(patch.scale)
            state = _gathered(below, table_, scale)
            below, slope = self._activated(carrier, program.dual.at(layer), units, state, xp, slopes=slopes)
            if slopes:
                parts = [] if tangent is None else [_gathered(tangent, table_, scale)]
                if program.part in ("ntk", layer):
                    parts.append(units.q - state)
                tangent = slope * sum(parts) if isinstance(first, int) and layer >= first else None
        return self._head(below, tangent, xp)

    def _activated(self, carrier: Arrays, dual: PairDual, units: Units, state: Any, xp: Any, *, slopes: bool) -> tuple[Any, Any]:
        """The activation in chunks: what an operation leaves behind is then still in the cache for the next."""
        flat, after = state.reshape(-1), xp.empty(state.size)
        slope = xp.empty(state.size) if slopes else None
        for start in range(0, state.size, CHUNK):
            part = slice(start, start + CHUNK)
            after[part], found = carrier.activated(dual, units, flat[part], slopes=slopes)
            if slope is not None:
                slope[part] = found
        return after.reshape(state.shape), None if slope is None else slope.reshape(state.shape)

    def _head(self, state: Any, tangent: Any, xp: Any) -> Any:
        program, readout = self.program, self.program.readout
        weights = xp.asarray(self.weights)
        total = 0.0
        if program.part in ("ck", "ntk", program.depth + 1):
            q = self.units[-1].q_after
            total = constant(readout.weight) * (q * float(self.weights.sum()) - xp.tensordot(weights, state, 1)) + constant(readout.bias)
        return total if tangent is None else total + constant(readout.weight) * xp.tensordot(weights, tangent, 1)


def _gathered(values_: Any, table_: Any, scale: float) -> Any:
    """scale times the sum over the taps."""
    total = values_[table_[:, 0]]
    if isinstance(values_, numpy.ndarray) and table_.shape[1] > 1:
        # One buffer for all taps: fresh memory costs more than the sum.
        buffer = numpy.empty_like(total)
        for tap in range(1, table_.shape[1]):
            total += numpy.take(values_, table_[:, tap], axis=0, out=buffer, mode="clip")
    else:
        for tap in range(1, table_.shape[1]):
            total += values_[table_[:, tap]]
    if scale != 1.0:
        total *= scale
    return total


@lru_cache(maxsize=64)
def _stack_of(program: PixelProgram) -> _Stack | None:
    plan = program.plan()
    steps = [set(layer) for layer in plan.steps]
    full = all(len(patch.sources(pair)) == patch.size for patch, level in zip(program.patches, program.levels[1:], strict=True) for pair in level)
    if not (program.depth and full and all(len(layer) == 1 and all(p == q for p, q, _, _ in layer) for layer in steps)):
        return None
    numbers = plan.numbers(program.dual, Arrays(lambda pair: None, numpy))
    units = tuple(Units(numbers[p], numbers[q], numbers[after], numbers[after], same=True) for ((p, q, after, _),) in steps)
    sources = []
    for patch, below, level in zip(program.patches, program.levels, program.levels[1:], strict=False):
        index = {pair: place for place, pair in enumerate(below)}
        sources.append(numpy.array([[index[source] for source in patch.sources(pair)] for pair in level]))
    weights = {pair: float(weight) for pair, weight in program.readout.pairs}
    return _Stack(program, tuple(sources), units, numpy.array([weights[pair] for pair in program.levels[-1]]))


class _States:
    """1 - <x_i, z_j> for pairs of pixels, from the difference where that is small."""

    def __init__(self, left: Any, right: Any, xp: Any) -> None:
        self.left, self.right, self.xp = left, right, xp

    def __call__(self, pair: Pair) -> Any:
        return self.stacked((pair,))[0]

    def stacked(self, pairs: Sequence[Pair]) -> Any:
        """One matrix a pair, shape (pairs, images, images)."""
        x = self.left[:, [p for p, _ in pairs]].transpose(1, 0, 2)
        z = self.right[:, [q for _, q in pairs]].transpose(1, 0, 2)
        e = self.xp.matmul(x, z.transpose(0, 2, 1))
        self.xp.subtract(1.0, e, out=e)
        pair, i, j = self.xp.nonzero(e < NEAR)
        if i.shape[0]:
            difference = x[pair, i] - z[pair, j]
            e[pair, i, j] = (difference * difference).sum(axis=1) / 2.0
        return e


def zonal_products(domain: MultiSphere, left: Any, right: Any, indices: Sequence[tuple[int, ...]], xp: Any, shift: Sequence[int] | None = None) -> list[Any]:
    """prod_i P_{k_i}(<x_i, z_g(i)>) between all images of two sets, for every multi-index."""
    results: list[Any] = [xp.ones((left.shape[0], right.shape[0])) for _ in indices]
    for pixel in range(domain.pixels):
        degrees = {index[pixel] for index in indices}
        if degrees == {0}:
            continue
        t = left[:, pixel] @ right[:, pixel if shift is None else shift[pixel]].T
        for k, polynomial in zip(range(max(degrees) + 1), zonal_sequence(domain.sphere, t, degrees, xp), strict=False):
            for place, index in enumerate(indices):
                if index[pixel] == k and k:
                    results[place] = results[place] * polynomial
    return results


__all__ = ["Arrays", "default_tile", "image_gram", "image_points", "images", "values", "zonal_products"]
