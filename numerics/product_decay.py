r"""Product bounds of the eigenvalues of convolutional kernels: exponents from the program, constants certified on a stated range.

Geifman, Galun, Jacobs and Basri (2022) bound the eigenvalues of convolutional ReLU networks whose first layer is pointwise by
*factorizable* kernels :math:`\prod_i\kappa_i(t_i)`, whose eigenvalues are products :math:`\prod_i\mu_{k_i}(\kappa_i)`:

.. math:: c_1\prod_{k_i>0}k_i^{-(C+2\nu_a-3)}\le\lambda_k\le c_2\prod_{k_i>0}k_i^{-(C+2\nu_b-3)},

with :math:`\nu_a=\tfrac52` and, for P pixels in the receptive field, :math:`\nu_b=1+\tfrac3{2P}` for the conjugate and :math:`1+\tfrac1{2P}` for the
tangent kernel. The second is what the law of a cone (:mod:`symspec.receptive_cones`) gives by the inequality of means: the unit that sees all pixels decays like
:math:`|k|^{-P(C-1)-2\nu}`, and :math:`|k|^P\ge\prod k_i`. Here the exponents are the paper's, with :math:`2\nu` read off the program, and the constants are the least and the
largest of certified eigenvalues over all multi-indices up to a stated degree: they are theorems for that range, and say nothing beyond it.

**The assumption.** Without the pointwise first layer the lower bound is false: then :func:`product_bounds` gives the multi-index
whose eigenvalue is exactly 0 as a counterexample, and c_1 = 0.

>>> import symspec as ss
>>> bounds = product_bounds(ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise").ck, 3, 4)
>>> bounds.lower_exponent, bounds.upper_exponent, bounds.counterexample is None, bool(bounds.lower > 0)
(5, 7/2, True, True)
>>> print(product_bounds(ss.cnn(ss.relu, 1, 2, 2).ck, 3, 4).statement())
for every 0 <= k_i <= 4: lambda_k <= 0.346 * prod k_i^-(7/2); no lower bound: lambda at (0, 3) is exactly 0, as the first layer is not pointwise
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from flint import arb
from sympy import Rational

from symspec.domain import Sphere
from symspec.errors import InputError
from symspec.exact import natural
from symspec.kernel import Kernel
from symspec.multisphere import MultiIndex, MultiSphere
from symspec.receptive_cones import cone_law

from .constants import ball
from .precision import goal_bits, working_precision
from .spectrum import eigenvalues

DIGITS = 8


@dataclass(frozen=True)
class ProductBounds:
    """lower * prod k_i^-lower_exponent <= lambda_k <= upper * prod k_i^-upper_exponent for all multi-indices of the receptive field with entries <= top."""

    channels: int
    top: int
    lower_exponent: Rational
    upper_exponent: Rational
    lower: arb
    upper: arb
    counterexample: MultiIndex | None

    def statement(self) -> str:
        """The theorem in one sentence."""
        upper = f"lambda_k <= {_outward(self.upper.upper(), 1)} * prod k_i^-({self.upper_exponent})"
        if self.counterexample is None:
            low = f"{_outward(self.lower.lower(), -1)} * prod k_i^-({self.lower_exponent}) <= "
            return f"for every 0 <= k_i <= {self.top}: {low}{upper}"
        return f"for every 0 <= k_i <= {self.top}: {upper}; no lower bound: lambda at {self.counterexample} is exactly 0, as the first layer is not pointwise"


def _outward(value: arb, sign: int) -> str:
    """Three digits, not below (sign 1) or not above (sign -1) the value."""
    moved = value
    while True:
        text = str(moved.str(3, radius=False))
        if not (arb(text) - value) * sign < 0:
            return text
        moved = moved * (1 + sign * arb("0.005"))


def product_bounds(kernel: Any, channels: Any, top: Any) -> ProductBounds:
    """Certified constants of the product bounds of a CK or NTK with head eq, for multi-indices up to ``top`` in every pixel of its receptive field.

    Raises as :func:`symspec.receptive_cones.cone_law` for networks outside its class, Undecided where eigenvalues are out of reach.
    """
    law, last = cone_law(kernel, channels), natural(top, "highest degree", 1)
    field = law.kernel.receptive_field
    size, C = len(field), law.channels
    lower = Rational(C + 5 - 3)
    upper = C - 3 + 2 * (1 + Rational(law.order, 2 * size))
    indices = list(product(range(last + 1), repeat=size))
    full = [tuple(index[field.index(pixel)] if pixel in field else 0 for pixel in range(law.kernel.pixels)) for index in indices]
    values = dict(zip(indices, eigenvalues(law.kernel, MultiSphere(C, law.kernel.pixels), full, DIGITS), strict=True))
    zero = next((index for index in indices if values[index] == 0), None)
    with working_precision(goal_bits(DIGITS) + 32):
        scaled = {exponent: [value * _product(index) ** ball(exponent) for index, value in values.items()] for exponent in (lower, upper)}
        least, largest = scaled[lower][0], scaled[upper][0]
        for value in scaled[lower]:
            least = least.min(value)
        for value in scaled[upper]:
            largest = largest.max(value)
    return ProductBounds(C, last, lower, upper, arb(0) if zero is not None else least, largest, zero)


def _product(index: MultiIndex) -> arb:
    result = arb(1)
    for entry in index:
        result = result * max(entry, 1)
    return result


def factorizable_eigenvalue(kernels: Sequence[Kernel], channels: Any, index: Sequence[Any], digits: Any = 30) -> arb:
    """The eigenvalue of the product of zonal kernels kappa_i(t_i), one a pixel: the product of their eigenvalues, exactly 0 where one is."""
    entries = MultiSphere(channels, len(kernels)).degree(index)
    if any(not isinstance(kernel, Kernel) for kernel in kernels):
        raise InputError("a factorizable kernel is a list of zonal kernels, one a pixel")
    with working_precision(goal_bits(digits) + 64):
        result = arb(1)
        for kernel, k in zip(kernels, entries, strict=True):
            result = result * eigenvalues(kernel, Sphere(channels), [k], natural(digits, "digits", 1) + 2)[0]
        return result


__all__ = ["ProductBounds", "factorizable_eigenvalue", "product_bounds"]
