r"""Certified eigenvalues of kernels of images on products of spheres.

:math:`\lambda_k=E[K(t)\prod_iP_{k_i}(t_i)]` for multi-indices k (:mod:`symspec.multisphere`). What is exactly 0 is decided exactly
(:mod:`symspec.pixel_support`). Heads are mixtures of the one-position kernels :math:`K_p=V[p,p]`: trace is their mean, and so are the eigenvalues; under
circular padding :math:`\lambda_k(K_p)=\lambda_{k'}(K_0)` with :math:`k'_i=k_{i+s_p}`, :math:`s_p` the shift of output p, so that only one kernel is
integrated, at the shifted multi-indices. A global average pool has then the same eigenvalues as the trace, on the shift-invariant
functions; under zero padding its spectrum is that of blocks (:mod:`numerics.pool_blocks`). For each one-position kernel

* products of Gauss and Gauss-Lobatto rules enclose the eigenvalue from both sides (:mod:`numerics.product_rules`): any number of pixels, and any number of
  digits for smooth activations; a kink costs a power of the number of points;
* up to MAX_BOXED pixels with a kink are integrated in the angles (:mod:`numerics.angle_boxes`) where more digits are asked for than the rules give at once.

>>> import symspec as ss
>>> net = ss.cnn(ss.relu, 1, 2, 2)
>>> for value in eigenvalues(net.ck, ss.MultiSphere(3, 2), [(0, 0), (2, 2), (2, 1), (16, 16)], 15):
...     print(value.str(14, radius=False))
0.34593113640360
0.00014058573976589
0
2.2409564664077e-10
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import product
from math import log2
from typing import Any

from flint import arb
from sympy import Rational

from symspec.convolution import flat
from symspec.errors import DomainError, InputError, Undecided
from symspec.multisphere import MultiIndex, MultiSphere, Permutation
from symspec.pixel_kernel import PixelKernel, require_pixel_kernel
from symspec.pixel_program import PixelProgram
from symspec.pixel_support import zeros
from symspec.strip_functions import SeriesDual

from . import angle_boxes, product_rules
from .constants import ball
from .precision import goal_bits, meets, working_precision

MAX_BOXED = 3
# How many points the rules may use before the boxes take over, by the number of pixels: what the boxes take for the first digits.
POINTS_BEFORE_BOXES = {1: 200, 2: 20_000, 3: 2_000_000}
# Jumps cost the boxes more.
POINTS_WITH_JUMPS = {1: 200, 2: 100_000, 3: 2_000_000}
EXTRA_BITS = 400
Progress = Callable[[int, int], None]


def eigenvalues(kernel: Any, domain: MultiSphere, indices: Any, digits: Any = 30, *, progress: Progress | None = None) -> list[arb]:
    """lambda_k for multi-indices (or one), each to ``digits`` significant digits or exactly 0.

    Raises InputError for a multi-index of another length, DomainError for a kernel of other pixels, one that is infinite on the diagonal, or where a
    global average pool under zero padding mixes the multi-index with others (:func:`numerics.block_eigenvalues`), Undecided where the digits are out of reach.
    """
    images = require_images(kernel, domain)
    wanted = multi_indices(domain, indices)
    bits = goal_bits(digits)
    if is_padded_pool(images):
        return _of_blocks(images, domain, wanted, digits)
    positions = single_positions(images)
    if positions is None:
        return of_one(images, domain, wanted, bits, progress)
    parts = [(weight, part, [shifted(index, shift) for index in wanted]) for weight, part, shift in positions]
    asked: dict[PixelKernel, list[MultiIndex]] = {}
    for _, part, moved in parts:
        asked.setdefault(part, []).extend(moved)
    # All values are non-negative, so a mean is relatively as good as its parts, up to rounding.
    spare = 1 if len(parts) > 1 else 0
    known = {part: dict(zip(keys, of_one(part, domain, keys, bits + spare, progress), strict=True)) for part, keys in ((part, sorted(set(keys))) for part, keys in asked.items())}
    with working_precision(bits + 64):
        return [sum((known[part][moved[place]] * ball(weight) for weight, part, moved in parts), arb(0)) for place in range(len(wanted))]


def mean_squares(kernel: Any, domain: MultiSphere, indices: Any, digits: Any = 2) -> list[arb]:
    """E[(K(t) prod P_{k_i}(t_i))^2], to ``digits`` significant digits: what random images estimate lambda_k with.

    P_k^2 is a sum of P_{2j} with coefficients >= 0, so that this is a sum of eigenvalues of K^2, of which only the large ones need be known. Errors as in
    :func:`eigenvalues`; DomainError for a global average pool, whose values depend on more than the t_i.
    """
    images = require_images(kernel, domain)
    if not images.is_diagonal:
        raise DomainError("the square of a global average pool has no mean over the correlations t_i alone; take the head trace or eq")
    square = images * images
    field = square.receptive_field
    terms = []
    for index in multi_indices(domain, indices):
        seen = {k: c for k, c in domain.square_terms(index).items() if not any(n for pixel, n in enumerate(k) if pixel not in field)}
        terms.append({tuple(k[pixel] for pixel in field): c for k, c in seen.items()})
    return product_rules.sums(square, domain.channels, terms, goal_bits(digits)) if terms else []


def require_images(kernel: Any, domain: MultiSphere) -> PixelKernel:
    """The kernel, where it has eigenvalues on the domain."""
    images = require_pixel_kernel(kernel, "eigenvalues")
    if images.pixels != domain.pixels:
        raise DomainError(f"the kernel has {images.pixels} pixels and {domain.name} has {domain.pixels}")
    if images.diagonal_is_infinite:
        raise DomainError("this tangent kernel is infinite on the diagonal (the activation has a jump), so its eigenvalues have no finite sum; use the conjugate kernel or drop_deltas=True")
    return images


def multi_indices(domain: MultiSphere, indices: Any) -> list[MultiIndex]:
    """A list of multi-indices from an iterable of them, or from one."""
    if isinstance(indices, str) or not isinstance(indices, Iterable):
        raise InputError(f"degrees on {domain.name} are multi-indices of {domain.pixels} integers, not {indices!r}")
    listed = list(indices)
    if listed and all(not isinstance(entry, Iterable) for entry in listed):
        listed = [tuple(listed)]
    return [domain.degree(index) for index in listed]


def shifted(index: MultiIndex, shift: Permutation | None) -> MultiIndex:
    """k' with k'_i = k_{shift[i]}."""
    return index if shift is None else tuple(index[i] for i in shift)


def shifts(network: Any) -> list[tuple[int, ...]]:
    """The shifts of the image by the positions of the outputs, one an output, as permutations g with g[i] = i + shift on the grid."""
    steps = [range(0, n, s) for n, s in zip(network.shape, network.total_strides, strict=True)]
    points = list(product(*map(range, network.shape)))
    return [tuple(flat([(i + j) % n for i, j, n in zip(point, step, network.shape, strict=True)], network.shape) for point in points) for step in product(*steps)]


def single_positions(kernel: PixelKernel) -> list[tuple[Rational, PixelKernel, Permutation | None]] | None:
    """(weight, kernel of one position, shift) of which the head is the mixture; None for a product, which is none.

    DomainError for a global average pool under zero padding, which is none either (:mod:`numerics.pool_blocks`).
    """
    if kernel.more:
        if not kernel.is_diagonal:
            raise DomainError("a product of kernels with global average pooling is no mixture of kernels of one position; take the head trace")
        return None
    network, pairs = kernel.origin, kernel.program.readout.pairs
    circular = network is not None and network.padding == "circular"
    if not kernel.is_diagonal and not (circular and network.head == "gap"):
        raise DomainError("global average pooling has product eigenfunctions summed over shifts only where the network commutes with them: circular padding; use the head trace or eq")
    if not kernel.is_diagonal:
        count = len({p for (p, _), _ in pairs})
        pairs = tuple(((p, p), Rational(1, count)) for p in range(count))
    if not circular:
        return [(weight, _one_position(kernel, p), None) for (p, _), weight in pairs]
    moves = shifts(network)
    return [(weight, _one_position(kernel, 0), moves[p]) for (p, _), weight in pairs]


def _one_position(kernel: PixelKernel, position: int) -> PixelKernel:
    return of_positions(kernel, (position, position))


def of_positions(kernel: PixelKernel, pair: tuple[int, int]) -> PixelKernel:
    """The covariance V[p, q] of two outputs as a kernel."""
    return replace(kernel.at([(pair, Rational(1))]), origin=None)


def of_one(kernel: PixelKernel, domain: MultiSphere, wanted: list[MultiIndex], bits: int, progress: Progress | None) -> list[arb]:
    """Eigenvalues of a kernel that is no mixture; for one that pairs two positions, E[K prod P_{k_i}] for k over the pixels of x, those of z being a shift of them."""
    field = kernel.rows
    unseen = [any(n for pixel, n in enumerate(index) if pixel not in field) for index in wanted]
    vanishing = {index: outside or zero for index, outside, zero in zip(wanted, unseen, zeros(kernel, wanted), strict=True)}
    positive = sorted({index for index in wanted if not vanishing[index]})
    reduced = {index: tuple(index[pixel] for pixel in field) for index in positive}
    values: dict[MultiIndex, arb] = {}
    if positive:
        values = _first_that_answers(_methods(kernel), kernel, domain.channels, sorted(set(reduced.values())), bits, progress)
    return [arb(0) if vanishing[index] else values[reduced[index]] for index in wanted]


def is_padded_pool(kernel: PixelKernel) -> bool:
    """Whether it is a global average pool of a network under zero padding, whose spectrum is that of blocks (:mod:`numerics.pool_blocks`)."""
    return not kernel.more and kernel.origin is not None and kernel.origin.head == "gap" and kernel.origin.padding == "zero" and not kernel.is_diagonal


def _of_blocks(kernel: PixelKernel, domain: MultiSphere, wanted: list[MultiIndex], digits: Any) -> list[arb]:
    from .pool_blocks import block_eigenvalues, require_padded_pool, translates

    network = require_padded_pool(kernel)
    for index in wanted:
        block = translates(network, index)
        if len(block) > 1:
            raise DomainError(
                f"under zero padding global average pooling mixes {index} with its {len(block) - 1} other translates inside the image, so that it has no eigenvalue of its own: "
                "numerics.block_eigenvalues gives those of all of them; or take the head trace or eq, or circular padding"
            )
    found = {index: block_eigenvalues(kernel, domain, index, digits)[0] for index in dict.fromkeys(wanted)}
    return [found[index] for index in wanted]


Method = Callable[[PixelKernel, int, list[MultiIndex], int, Progress | None], dict[MultiIndex, arb]]


def _methods(kernel: PixelKernel) -> list[Method]:
    """What to try, the faster one first."""
    count = len(kernel.rows)
    if count > MAX_BOXED or not kernel.is_diagonal or any(map(_is_series, kernel.factors)):
        return [_ruled]
    if not _is_singular(kernel):
        return [_ruled, _boxed]
    jumps = any(factor.dual.at(layer).nonlinearity.jumps for factor in kernel.factors for layer in range(1, factor.depth + 1))
    return [partial(_ruled, most=(POINTS_WITH_JUMPS if jumps else POINTS_BEFORE_BOXES)[count]), _boxed]


def _first_that_answers(methods: list[Method], *arguments: Any) -> dict[MultiIndex, arb]:
    for method in methods[:-1]:
        try:
            return method(*arguments)
        except Undecided:
            continue
    return methods[-1](*arguments)


def _is_series(factor: PixelProgram) -> bool:
    return bool(factor.dual.nonlinearity.dual.expr.has(SeriesDual))


def _is_singular(kernel: PixelKernel) -> bool:
    """Whether an activation has a kink or a jump, so that its dual is singular at equal pixels."""
    return any(factor.dual.nonlinearity.angular for factor in kernel.factors)


def _ruled(kernel: PixelKernel, channels: int, indices: list[MultiIndex], bits: int, progress: Progress | None, most: int | None = None) -> dict[MultiIndex, arb]:
    """The product rules."""
    return product_rules.eigenvalues(kernel, channels, indices, bits, most=product_rules.MAX_POINTS if most is None else most, progress=progress)


def _boxed(kernel: PixelKernel, channels: int, indices: list[MultiIndex], bits: int, progress: Progress | None) -> dict[MultiIndex, arb]:
    """Raise the absolute accuracy of the boxes until all multi-indices meet the goal."""
    count = len(indices[0])
    top = tuple(max(index[axis] for index in indices) for axis in range(count))
    accuracy = bits + max(_expected_bits(channels, index) for index in indices)
    limit = 4 * accuracy + EXTRA_BITS
    while True:
        table = angle_boxes.integrals(kernel, channels, top, accuracy, progress)
        values = {index: table[index] for index in indices}
        lacking = max(bits - max(0, min(bits, value.rel_accuracy_bits())) for value in values.values())
        if all(meets(value, bits) for value in values.values()):
            return values
        accuracy += lacking + 4
        if accuracy > limit:
            worst = min(index for index, value in values.items() if not meets(value, bits))
            raise Undecided(f"the eigenvalue of {worst} could not be told from 0 at an absolute accuracy of 2^-{accuracy}; it may be exactly 0")


def _expected_bits(channels: int, index: MultiIndex) -> int:
    """How far the eigenvalue is expected below 1, from the law of a cone singularity: a first guess of the accuracy, no bound."""
    order = (len(index) * (channels - 1) + 3) / 2
    return 4 + int(order * log2(1 + sum(n * n for n in index) / len(index)))


__all__ = ["eigenvalues", "is_padded_pool", "mean_squares", "multi_indices", "of_one", "of_positions", "require_images", "shifted", "shifts", "single_positions"]
