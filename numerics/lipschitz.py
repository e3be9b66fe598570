r"""The Lipschitz constant of a network between what its regions show and what its parameters allow.

For a network with weight matrices :math:`W^{(1)},\dots,W^{(L+1)}` and :math:`\sigma` of slopes 1 and a (ReLU: a = 0),

.. math:: \max_\varepsilon\|W_\varepsilon\|=L_f\le\max(1,|a|)^L\prod_l\|W^{(l)}\|\le\max(1,|a|)^L\,\|\theta\|_\infty^{L+1}\sqrt{d_0d_{L+1}}\prod_{l=1}^Ld_l ,

with spectral norms, :math:`d_l` the widths and :math:`\|\theta\|_\infty` the largest weight, biases left out:
in the width a polynomial, in the depth an exponential (Rahaman et al., arXiv 1806.08734; there with one output). On
a box, which is convex, the first equality says that the Lipschitz constant is the largest gradient norm of the linear regions.

**Spectral norms with proof.** Let A be the smaller of :math:`W^TW` and :math:`WW^T`, and V any matrix, here the eigenvectors in double precision. With :math:`B=V^TAV` and :math:`M=V^TV`
in balls, Gershgorin's circles give :math:`\lambda_{\max}(A)\le\max_i\sum_j|B_{ij}|/(1-\max_i\sum_j|M-I|_{ij})`, and each column v the bound :math:`\lambda_{\max}(A)\ge v^TAv/v^Tv`. The doubles
are a witness; the proof is the inequality.

>>> from symspec.relu_networks import relu_network
>>> net = relu_network([([[3, 4], [0, 1]], [0, 1]), ([[1, -2]], [0])])
>>> chain = lipschitz_chain(net, net.linear_regions([(-1, 1), (-1, 1)]))
>>> print(chain.regional.str(8, radius=False), chain.product.str(8, radius=False), chain.parameters.str(8, radius=False))
3.6055513 11.324555 45.254834
>>> chain.strict
(True, True)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import prod

import numpy
from flint import arb, arb_mat, fmpq

from symspec.errors import InputError, Undecided
from symspec.exact import decimal_above
from symspec.linear_regions import LinearRegions
from symspec.relu_networks import AffineLayer, ReluNetwork

from .precision import working_precision

BITS = 256


@dataclass(frozen=True)
class LipschitzChain:
    """The members of the chain as balls; ``regional`` is None where no regions were given."""

    network: str
    regional: arb | None
    product: arb
    parameters: arb
    norms: tuple[arb, ...]

    @property
    def strict(self) -> tuple[bool, ...]:
        """Whether each inequality is proved to be strict by the balls; where one is not, they may be equal."""
        members = [self.product, self.parameters] if self.regional is None else [self.regional, self.product, self.parameters]
        return tuple(bool(a < b) for a, b in pairwise(members))

    def statement(self) -> str:
        """The chain with its values, bounds rounded up, in LaTeX."""
        product, parameters = (_above(value) for value in (self.product, self.parameters))
        head = "" if self.regional is None else rf"\max_\varepsilon\|W_\varepsilon\|=L_f\le{_above(self.regional)},\qquad "
        return rf"\[ {head}L_f\le\prod_l\|W^{{(l)}}\|\le{product},\qquad \prod_l\|W^{{(l)}}\|\le\|\theta\|_\infty^{{{len(self.norms)}}}\sqrt{{d_0d_{{{len(self.norms)}}}}}\prod_ld_l\le{parameters}. \]"


def lipschitz_chain(network: ReluNetwork, regions: LinearRegions | None = None) -> LipschitzChain:
    """The chain for a network; with the linear regions of one of its outputs in a box, also the exact Lipschitz constant there.

    Raises InputError for regions of another dimension, Undecided where a norm cannot be enclosed.
    """
    if regions is not None and regions.dimension != network.inputs:
        raise InputError(f"the regions are in dimension {regions.dimension}, the network takes {network.inputs} inputs")
    hidden = len(network.layers) - 1
    factor = max(Fraction(1), abs(network.slope)) ** hidden
    with working_precision(BITS):
        norms = tuple(spectral_norm(layer) for layer in network.layers)
        product = prod(norms, start=_ball(factor))
        largest = max(_largest(layer) for layer in network.layers)
        widths = network.widths
        parameters = _ball(factor * largest ** (hidden + 1) * prod(widths[1:-1])) * arb(widths[0] * widths[-1]).sqrt()
        regional = None if regions is None else _ball(max(sum((w * w for w in cell.gradient), Fraction(0)) for cell in regions.cells)).sqrt()
    return LipschitzChain(str(network), regional, product, parameters, norms)


def spectral_norm(layer: AffineLayer) -> arb:
    """The largest singular value of the weights of a layer, to about 12 digits."""
    rows, width = layer.outputs, layer.inputs
    entries = layer.matrix.entries()
    weights = arb_mat(rows, width, [arb(fmpq(entries[i * (width + 1) + j], layer.denominator)) for i in range(rows) for j in range(width)])
    gram = weights * weights.transpose() if rows <= width else weights.transpose() * weights
    size = gram.nrows()
    largest = max((abs(gram[i, i]).upper() for i in range(size)), key=float)
    if largest == 0:
        return arb(0)
    doubles = numpy.array([[float(gram[i, j] / largest) for j in range(size)] for i in range(size)])
    basis = numpy.linalg.eigh(doubles)[1]
    witness = arb_mat(size, size, [arb(float(x)) for x in basis.ravel()])
    turned, metric = witness.transpose() * gram * witness, witness.transpose() * witness
    above = _largest_row(turned, size, 0)
    defect = _largest_row(metric, size, 1)
    below = (turned[size - 1, size - 1] / metric[size - 1, size - 1]).lower()
    if not (defect < 0.5 and below > 0):
        raise Undecided(f"the spectral norm of a {rows} x {width} matrix is not enclosed by its eigenvectors in double precision")
    return below.sqrt().union((above / (1 - defect)).upper().sqrt())


def _largest_row(matrix: arb_mat, size: int, shift: int) -> arb:
    """An upper bound of the absolute row sums of matrix - shift I."""
    found = arb(0)
    for i in range(size):
        found = found.max(sum((abs(matrix[i, j] - (shift if i == j else 0)) for j in range(size)), arb(0)).upper())
    return found


def _largest(layer: AffineLayer) -> Fraction:
    width = layer.inputs + 1
    return Fraction(max(abs(int(entry)) for i, entry in enumerate(layer.matrix.entries()) if i % width != layer.inputs), layer.denominator)


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


def _above(value: arb) -> str:
    mantissa, exponent = value.upper().man_exp()
    return decimal_above(Fraction(int(mantissa)) * Fraction(2) ** int(exponent))


__all__ = ["LipschitzChain", "lipschitz_chain", "spectral_norm"]
