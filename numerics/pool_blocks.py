r"""Global average pooling over an image that is padded by zeros: the spectrum by blocks of translates.

:math:`K=\frac1{n^2}\sum_{p,q}V[p,q]` over the n outputs, and :math:`V[p,q]` reads the correlations :math:`\langle x_i,z_{i+d}\rangle` of pixels one shift apart,
:math:`d=s(q-p)` for the stride s. It is a power series in them with coefficients >= 0, so the integral operator of :math:`V[p,q]` maps
:math:`\prod_jY_j(z_j)`, :math:`Y_j` a harmonic of degree :math:`k_j`, to a multiple of its translate :math:`\prod_iY_{i+d}(x_i)`, of multi-index :math:`k'_i=k_{i+d}`:

.. math:: \lambda^{pq}_{k'}=E\Bigl[V[p,q]\prod_iP_{k'_i}(t_i)\Bigr],\qquad t_i=\langle x_i,z_{i+d}\rangle\text{ independent},

and to 0 where a frequency leaves the image. So for :math:`k\ne0` the translates :math:`k_1,\dots,k_m` of k that stay inside the image, by multiples of the stride, span
invariant spaces, one for each choice of the :math:`Y_j`, :math:`\prod_jN(C,k_j)` of them, on all of which the operator is the matrix

.. math:: M_{ab}=\frac1{n^2}\sum_{p,q:\ k_a=k_b(\cdot+s(q-p))}\lambda^{pq}_{k_a},

symmetric as :math:`V[p,q](x,z)=V[q,p](z,x)`, and positive semidefinite. For k = 0 it is the one number with all p and q. The trace of M is :math:`\frac1n` times the sum
of the eigenvalues of the head trace over the translates. Under circular padding M is :math:`\lambda_k` times the projection on the sum of all shifts; at the border of a padded
image the weights differ, so that in general all eigenvalues are positive, and they differ.

The entries are enclosed by products of Gauss and Gauss-Lobatto rules (:mod:`numerics.product_rules`), the eigenvalues of M by Sylvester's law of inertia
(:mod:`numerics.inertia`).

**Where the coefficients are >= 0.** The dual at variances p and q is :math:`\sum_na_n(p)a_n(q)\rho^n`. Its coefficients are squares where p = q; elsewhere, as
between a unit at the border and one inside, an activation that is positively homogeneous has :math:`a_n(p)=p^{s/2}a_n(1)`, and one whose :math:`a_n(q)` keep their signs for all q
(:mod:`symspec.hermite_signs`: erf, GELU, tanh, sin, ...) has products >= 0; so has its derivative, whose coefficients are
:math:`\sqrt{n+1}\,a_{n+1}(q)/\sqrt q`. Others are refused.

>>> import symspec as ss
>>> net = ss.cnn(ss.relu, 1, 2, 2, "gap", padding="zero")
>>> [value.str(4, radius=False) for value in block_eigenvalues(net.ck, ss.MultiSphere(3, 2), (2, 0), 5)]
['0.005338', '0.0004555']
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from flint import arb, arb_mat, fmpq

from symspec.convolution import ConvolutionalNetwork, flat
from symspec.errors import DomainError, Undecided
from symspec.hermite_signs import keeps_signs
from symspec.homogeneity import homogeneous
from symspec.multisphere import MultiIndex, MultiSphere
from symspec.pixel_kernel import PixelKernel
from symspec.pixel_program import PixelProgram

from . import multisphere
from .inertia import count_above, largest_eigenvalues
from .pixel_balls import Balls
from .precision import goal_bits, meets, working_precision

GUARD = 32
EXTRA_BITS = (4, 12)
STEP = 8
Shift = tuple[int, ...]


def block_eigenvalues(kernel: Any, domain: MultiSphere, index: Any, digits: Any = 30) -> list[arb]:
    """The eigenvalues of a global average pool under zero padding on the translates of a multi-index, largest first, each to ``digits`` significant digits.

    One for each translate inside the image (:func:`translates`); each belongs to as many eigenfunctions as ``domain.multiplicity(index)``. A multi-index and its
    translates have the same block. What vanishes by parity is exactly 0; what is not told from 0 otherwise is a ball from 0 to at most 10^-digits times the largest one
    (blocks may be singular: a linear network of filters of size 1 sees only the mean of the pixels).

    Raises DomainError for other heads and paddings and, at units of different variances, for an activation that is neither homogeneous nor keeps the signs of its Hermite
    coefficients (:mod:`symspec.hermite_signs`); Undecided where the digits are out of reach.
    """
    images = multisphere.require_images(kernel, domain)
    network = require_padded_pool(images)
    listed = multisphere.multi_indices(domain, [index])
    block = translates(network, listed[0])
    bits = goal_bits(digits)
    values: list[arb] = []
    for more in (*EXTRA_BITS, bits // 2 + EXTRA_BITS[-1], bits + 2 * EXTRA_BITS[-1]):
        try:
            values = _eigenvalues(matrix_of(images, domain, block, bits + more), bits + more)
        except Undecided:
            if not values:
                raise
        if all(meets(value, bits) for value in values):
            break
    with working_precision(bits + GUARD):
        limit = (values[0].lower() * arb(2) ** -bits).lower()
        if not all(meets(value, bits) or value.upper() < limit for value in values):
            raise Undecided(f"eigenvalues of the block of {listed[0]} lie too close to each other or to 0 for {digits} digits; ask for fewer")
        return [value if meets(value, bits) else arb(0).union(value.upper()) for value in values]


def _eigenvalues(matrix: arb_mat, bits: int) -> list[arb]:
    """All eigenvalues of a positive semidefinite matrix, in which a row is 0 where the diagonal is."""
    seen = [a for a in range(matrix.nrows()) if matrix[a, a] != 0]
    with working_precision(bits + GUARD):
        reduced = arb_mat(len(seen), len(seen), [matrix[a, b] for a in seen for b in seen])
        values = [reduced[0, 0]] if len(seen) == 1 else largest_eigenvalues(reduced, len(seen), bits) if seen else []
        values = _lowered(reduced, values, bits)
    return [*values, *[arb(0)] * (matrix.nrows() - len(seen))]


def _lowered(matrix: arb_mat, values: list[arb], bits: int) -> list[arb]:
    """Balls from 0 for those of the eigenvalues of a positive semidefinite matrix, descending, that were not told from 0: no more than n exceed a level that n do."""
    for exponent in range(bits, 0, -STEP):
        if all(value > 0 for value in values):
            break
        level = (values[0].upper() * arb(2) ** -exponent).upper()
        above = count_above(matrix, level)
        if above is not None:
            return [value if a < above or value > 0 else arb(0).union(level) for a, value in enumerate(values)]
    return values


def require_padded_pool(kernel: PixelKernel) -> ConvolutionalNetwork:
    """The network of a global average pool under zero padding; else DomainError."""
    network = kernel.origin
    if network is None or kernel.is_diagonal or network.head != "gap" or network.padding != "zero":
        raise DomainError("block_eigenvalues takes a kernel of a network with the head gap and zero padding; numerics.eigenvalues takes the others")
    weights = dict(kernel.program.readout.pairs)
    if any(weights.get((q, p)) != weight for (p, q), weight in weights.items()):
        raise DomainError("the head weighs pairs of outputs and their mirror images differently, so that the kernel is not symmetric")
    _require_nonnegative(kernel.program)
    return network


def _require_nonnegative(program: PixelProgram) -> None:
    """Refuse units of different variances under an activation that is neither homogeneous nor keeps its signs; see the module docstring."""
    for layer, steps in enumerate(program.plan().steps, 1):
        nonlinearity = program.dual.at(layer).nonlinearity
        forms = [nonlinearity.activation.form]
        if nonlinearity.drop_deltas and nonlinearity.jumps and program.reads_slopes():
            # The classical derivative is not the one whose coefficients follow from those of the activation.
            forms.append(nonlinearity.derivative.form)
        if any(p != q for p, q, _, _ in steps) and not all(homogeneous(form) is not None or keeps_signs(form) for form in forms):
            name = nonlinearity.activation.name or "this activation"
            raise DomainError(
                f"under zero padding units at the border have other variances, and between those the series of {name} may have coefficients below 0, "
                "as its Hermite coefficients are not shown to keep their signs at all variances; take the head trace or circular padding"
            )


def translates(network: ConvolutionalNetwork, index: MultiIndex) -> list[MultiIndex]:
    """The multi-index moved by all multiples of the strides that keep its frequencies inside the image, ascending."""
    moved = {entry for shift in _shifts(network) if (entry := _moved(network, index, shift)) is not None}
    return sorted(moved)


def _shifts(network: ConvolutionalNetwork) -> list[Shift]:
    """s (q - p) for all outputs p and q."""
    axes = [range(-(n - s), n, s) for n, s in zip(network.shape, network.total_strides, strict=True)]
    return list(product(*axes))


def _points(network: ConvolutionalNetwork) -> list[tuple[int, ...]]:
    return list(product(*map(range, network.shape)))


def _moved(network: ConvolutionalNetwork, index: MultiIndex, shift: Shift) -> MultiIndex | None:
    """k' with k'_i = k_{i + shift}, 0 outside; None where a frequency leaves the image."""
    found = []
    for point in _points(network):
        source = [i + d for i, d in zip(point, shift, strict=True)]
        inside = all(0 <= i < n for i, n in zip(source, network.shape, strict=True))
        found.append(index[flat(source, network.shape)] if inside else 0)
    return tuple(found) if sum(map(bool, found)) == sum(map(bool, index)) else None


def matrix_of(kernel: PixelKernel, domain: MultiSphere, block: Sequence[MultiIndex], bits: int) -> arb_mat:
    """M on the translates, entries to ``bits`` of relative accuracy or exactly 0."""
    network = require_padded_pool(kernel)
    place = {index: a for a, index in enumerate(block)}
    asked: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for (p, q), _ in kernel.program.readout.pairs:
        if p > q:
            continue
        shift = _shift_of(network, p, q)
        for b, index in enumerate(block):
            target = _moved(network, index, shift)
            if target is not None:
                asked.setdefault((p, q), []).append((place[target], b))
    weights = {pair: Fraction(int(weight.p), int(weight.q)) for pair, weight in kernel.program.readout.pairs}
    rows = [[arb(0)] * len(block) for _ in block]
    for (p, q), entries in asked.items():
        values = _of_pair(kernel, domain, (p, q), [block[a] for a, _ in entries], bits)
        with working_precision(bits + GUARD):
            for (a, b), value in zip(entries, values, strict=True):
                share = value * fmpq(weights[p, q].numerator, weights[p, q].denominator)
                rows[a][b] += share
                if p != q:
                    # V[q, p] is V[p, q] with x and z exchanged.
                    rows[b][a] += share
    return arb_mat(rows)


def _shift_of(network: ConvolutionalNetwork, p: int, q: int) -> Shift:
    points = list(product(*map(range, network.shapes[-1])))
    return tuple(s * (j - i) for i, j, s in zip(points[p], points[q], network.total_strides, strict=True))


def _of_pair(kernel: PixelKernel, domain: MultiSphere, pair: tuple[int, int], wanted: list[MultiIndex], bits: int) -> list[arb]:
    """lambda^{pq} for multi-indices over the pixels of x."""
    part = multisphere.of_positions(kernel, pair)
    if part.rows:
        return multisphere.of_one(part, domain, wanted, bits, None)
    # The fields do not meet: the value is a constant.
    with working_precision(bits + GUARD):
        constant = part.program.run(Balls(lambda _pair: arb("nan")))
    return [arb(0) if any(index) else constant for index in wanted]


__all__ = ["block_eigenvalues", "matrix_of", "require_padded_pool", "translates"]
