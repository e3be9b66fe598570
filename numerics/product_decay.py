r"""Product bounds of the eigenvalues of convolutional kernels: exponents from the program, constants certified on a stated range.

Geifman, Galun, Jacobs and Basri (2022) bound the eigenvalues of convolutional ReLU networks whose first layer is pointwise by
*factorizable* kernels :math:`\prod_i\kappa_i(t_i)`, whose eigenvalues are products :math:`\prod_i\mu_{k_i}(\kappa_i)`:

.. math:: c_1\prod_{k_i>0}k_i^{-(C+2\nu_a-3)}\le\lambda_k\le c_2\prod_{k_i>0}k_i^{-(C+2\nu_b-3)},

with :math:`\nu_a=\tfrac52` and, for P pixels in the receptive field, :math:`\nu_b=1+\tfrac3{2P}` for the conjugate and :math:`1+\tfrac1{2P}` for the
tangent kernel. Here the exponents are derived from the program: if the law of cones (:mod:`symspec.receptive_cones`) gives :math:`|k|^{-e_S}` along rays with
frequencies in the pixels S, bounds by products must have

.. math:: e_b=\min_S\frac{e_S}{|S|}\qquad\text{above and}\qquad e_a=\max_S\frac{e_S}{|S|}\qquad\text{below},

because :math:`\prod k_i=k^{|S|}` where all are equal. For ReLU behind a pointwise layer these are the exponents of the paper, :math:`e_b` from the unit
that sees all P pixels, :math:`P(C-1)+2\nu`, and :math:`e_a=C-1+2\nu` from a single pixel; the lower exponent C of the tangent kernel is sharper than the
published C + 2. The constants are the least and the largest of certified eigenvalues times the product over all multi-indices up to a stated degree: they
are theorems for that range, and say nothing beyond it.

**The assumption.** Without the pointwise first layer, or where a head sees its pixels by parts only, the lower bound is false: then
:func:`product_bounds` gives the multi-index whose eigenvalue is exactly 0 as a counterexample, and c_1 = 0.

**Factorizable kernels** themselves have bounds for every multi-index, with the certified constants of their factors (:func:`factorizable_bounds`).

>>> import symspec as ss
>>> print(factorizable_bounds(ss.factorizable([ss.mlp(ss.relu, 2).ck, ss.mlp(ss.relu, 2).ntk]), 3).statement())
for every k whose eigenvalue is not exactly 0: 0.0262 * k_0^-(5) k_1^-(3) <= lambda_k <= 1.44 * k_0^-(5) k_1^-(3)
>>> bounds = product_bounds(ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise").ck, 3, 4)
>>> bounds.lower_exponent, bounds.upper_exponent, bounds.counterexample is None, bool(bounds.lower > 0)
(5, 7/2, True, True)
>>> print(product_bounds(ss.cnn(ss.relu, 1, 2, 2).ck, 3, 4).statement())
for every 0 <= k_i <= 4: lambda_k <= 0.346 * prod k_i^-(7/2); no lower bound: lambda at (0, 3) is exactly 0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from flint import arb
from sympy import Rational

from symspec.domain import Sphere
from symspec.errors import InputError, NoClosedForm
from symspec.exact import natural
from symspec.kernel import Kernel
from symspec.multisphere import MultiIndex, MultiSphere
from symspec.receptive_cones import ConeLaw, cone_law
from symspec.separable_kernel import SeparableKernel, factorizable, require_pixels

from .certificates import Certificate
from .certification import certify
from .constants import ball
from .precision import goal_bits, working_precision
from .spectrum import eigenvalues

DIGITS = 8
TABLE_DIGITS = 5
MAX_PIXELS = 12


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
        return f"for every 0 <= k_i <= {self.top}: {upper}; no lower bound: lambda at {self.counterexample} is exactly 0"


def _outward(value: arb, sign: int) -> str:
    """Three digits, not below (sign 1) or not above (sign -1) the value."""
    moved = value
    while True:
        text = str(moved.str(3, radius=False))
        if not (arb(text) - value) * sign < 0:
            return text
        moved = moved * (1 + sign * arb("0.005"))


def product_bounds(kernel: Any, channels: Any, top: Any) -> ProductBounds:
    """Certified constants of the product bounds of a kernel of images, for multi-indices up to ``top`` in every pixel of its receptive field.

    Any head; tangent kernels, parts and hierarchical kernels too. Raises as :func:`symspec.receptive_cones.cone_law` for networks outside its
    class, Undecided where eigenvalues are out of reach.
    """
    law, last = cone_law(kernel, channels), natural(top, "highest degree", 1)
    lower, upper = product_exponents(law)
    values = _table(law.kernel, law.channels, last)
    return ProductBounds(law.channels, last, lower, upper, *certified_constants(values, lower, upper))


def product_exponents(law: ConeLaw) -> tuple[Rational, Rational]:
    """(e_a, e_b) of the module docstring."""
    found = []
    for support in sorted({part for position in law.positions for part in _parts(position.field)}, key=sorted):
        found.append(Rational(law.exponent(support), len(support)))
    return max(found), min(found)


def _parts(field: frozenset[int]) -> list[frozenset[int]]:
    if len(field) > MAX_PIXELS:
        raise InputError(f"product bounds compare all sets of pixels of a receptive field; {len(field)} pixels are above {MAX_PIXELS}")
    return [frozenset(part) for size in range(1, len(field) + 1) for part in combinations(sorted(field), size)]


def _table(kernel: Any, channels: int, last: int) -> dict[MultiIndex, arb]:
    """Eigenvalues of all multi-indices over the receptive field."""
    field = kernel.receptive_field
    indices = list(product(range(last + 1), repeat=len(field)))
    full = [tuple(index[field.index(pixel)] if pixel in field else 0 for pixel in range(kernel.pixels)) for index in indices]
    return dict(zip(indices, eigenvalues(kernel, MultiSphere(channels, kernel.pixels), full, TABLE_DIGITS), strict=True))


def certified_constants(values: Mapping[MultiIndex, arb], lower: Rational, upper: Rational) -> tuple[arb, arb, MultiIndex | None]:
    """The least lambda prod k_i^lower, the largest lambda prod k_i^upper, and the first multi-index with eigenvalue 0, for which the least is 0."""
    zero = next((index for index, value in values.items() if value == 0), None)
    with working_precision(goal_bits(DIGITS) + 32):
        scaled = [[value * _product(index) ** ball(exponent) for index, value in values.items()] for exponent in (lower, upper)]
        least, largest = scaled[0][0], scaled[1][0]
        for value in scaled[0]:
            least = least.min(value)
        for value in scaled[1]:
            largest = largest.max(value)
    return arb(0) if zero is not None else least, largest, zero


def _product(index: MultiIndex) -> arb:
    result = arb(1)
    for entry in index:
        result = result * max(entry, 1)
    return result


@dataclass(frozen=True)
class FactorizableBounds:
    """lower * prod k_i^-e_i <= lambda_k <= upper * prod k_i^-e_i for **every** multi-index whose eigenvalue is not exactly 0, k_i counted as at least 1.

    ``exponents`` has one entry a pixel, 0 for a pixel that the kernel does not depend on. ``lower`` is 0 where one parity decays faster than the other.
    """

    channels: int
    exponents: tuple[Rational, ...]
    lower: arb
    upper: arb

    def statement(self) -> str:
        """The theorem in one sentence."""
        if len(set(self.exponents)) == 1:
            product_text = f"prod k_i^-({self.exponents[0]})"
        else:
            product_text = " ".join(f"k_{pixel}^-({exponent})" for pixel, exponent in enumerate(self.exponents) if exponent)
        low = f"{_outward(self.lower.lower(), -1)} * {product_text} <= " if self.lower > 0 else "0 <= "
        return f"for every k whose eigenvalue is not exactly 0: {low}lambda_k <= {_outward(self.upper.upper(), 1)} * {product_text}"


def factorizable_bounds(kernel: SeparableKernel, channels: Any) -> FactorizableBounds:
    """Bounds of the eigenvalues of a factorizable kernel for every multi-index: the products of the certified bounds of its factors.

    e_i is the exponent C + 2 nu_i - 3 of the decay law of factor i. Raises InputError for a sum of products, NoClosedForm for a factor that follows no power
    law, otherwise as :func:`numerics.certify` on one sphere.
    """
    if not isinstance(kernel, SeparableKernel) or not kernel.is_factorizable:
        raise InputError("bounds for every multi-index are those of a factorizable kernel: one product of one-pixel kernels (ss.factorizable([...]))")
    domain = MultiSphere(channels, kernel.pixels)
    require_pixels(kernel, domain)
    weight, factors = kernel.terms[0]
    known = {factor: _factor_bounds(factor, domain.sphere) for factor in dict.fromkeys(factors) if factor is not None}
    with working_precision(goal_bits(DIGITS) + 32):
        lower = upper = ball(weight)
        for factor in factors:
            if factor is not None:
                lower, upper = lower * known[factor][1], upper * known[factor][2]
        return FactorizableBounds(domain.channels, tuple(Rational(0) if factor is None else known[factor][0] for factor in factors), lower, upper)


def _factor_bounds(kernel: Kernel, sphere: Sphere) -> tuple[Rational, arb, arb]:
    """(e, low, high) with low <= max(k, 1)^e mu_k <= high for every k with mu_k > 0."""
    certificate = certify(kernel, sphere)
    if not isinstance(certificate, Certificate):
        raise NoClosedForm(f"{kernel.name} follows no power law: its eigenvalues decay geometrically, as numerics.certify says")
    exponent = Rational(str(certificate.exponent))
    low, high = certificate.lower, certificate.upper
    first = range(certificate.holds_from)
    values = eigenvalues(kernel, sphere, first, DIGITS)
    with working_precision(goal_bits(DIGITS) + 32):
        for k, value in zip(first, values, strict=True):
            if value != 0:
                scaled = value * arb(max(k, 1)) ** ball(exponent)
                low, high = low.min(scaled), high.max(scaled)
    return exponent, low, high


def factorizable_eigenvalue(kernels: Sequence[Kernel], channels: Any, index: Sequence[Any], digits: Any = 30) -> arb:
    """The eigenvalue of the product of zonal kernels kappa_i(t_i), one a pixel: the product of their eigenvalues, exactly 0 where one is."""
    return eigenvalues(factorizable(list(kernels)), MultiSphere(channels, len(kernels)), [tuple(index)], digits)[0]


__all__ = ["FactorizableBounds", "ProductBounds", "factorizable_bounds", "factorizable_eigenvalue", "product_bounds", "product_exponents"]
