r"""Leading terms of eigenvalues along rays: a product of cones of units that together see the pixels of the ray, times a mean over the other pixels.

Let v_1, ..., v_m be singular units, none of which sees all that another does, U the union of their fields and O the other pixels of the output. At an *image*, signs
:math:`t_i=\pm1` on U where all of them are singular, K holds :math:`J(t_O)\prod_vc_v(1-|\rho_v|)^{\nu_v}`, J its mixed derivative by their values (or slope) with :math:`t_O`
free (:mod:`symspec.pixel_jets`), and :math:`1-|\rho_v|=\sum_{i\in R_v}g_{v,i}(1-|t_i|)+\dots`. Near :math:`t=1` the product :math:`\prod P_{k_i}(t_i)` is a plane wave of
frequency :math:`\hat k_i=k_i+\frac{C-2}2` on :math:`\mathbf R^{C-1}`, averaged over directions, and :math:`1-t_i\approx\theta_i^2/2`. With V the volume of the sphere in
:math:`\mathbf R^C` and :math:`\hat f` the transform of :math:`f=\prod_v(\sum_ig_{v,i}|y_i|^2)^{\nu_v}` (:mod:`symspec.cone_overlap`)

.. math:: \lambda_k\sim\pm E_{t_O}\Bigl[J(t_O)\prod_{i\in O}P_{k_i}(t_i)\Bigr]\;\prod_vc_v2^{-\nu_v}\;\frac{\hat f(\hat k)}{V^{|U|}},

where k grows on pixels of U and is fixed elsewhere. A reversed pixel gives the sign :math:`(-1)^{k_i}`. Parts of the image whose reversal leaves K unchanged relate images:
those that follow from one by reversing parts m that meet U add up to a factor :math:`\prod_m(1+(-1)^{\sum_{i\in m}k_i})`.

>>> from symspec.convolution import cnn
>>> from symspec.activations import absolute
>>> from symspec.cone_units import singular_units, reversals
>>> program = cnn(absolute, 2, 2, 2, first_layer="pointwise").ck.program
>>> unit = singular_units(program, 0)[0]
>>> [(sorted(term.reversed), [sorted(part) for part in term.parts]) for term in terms_of(program, Rational(1), 3, (unit,))]
[([], [[0]])]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import sympy
from sympy import Expr, Integral, Rational, S, gamma, pi, sqrt

from . import gegenbauer
from .cone_overlap import Cone, components, transform
from .cone_units import Image, Pixels, Unit, reversals
from .errors import NoClosedForm
from .pixel_jets import Exact, Varied, free_pixel, mixed, reaches
from .pixel_program import PixelProgram

MOST_IMAGES = 1 << 12


@dataclass(frozen=True)
class Term:
    """The leading term of one cover at one image and its reversals; see the module docstring.

    ``program`` reads one output, whose weight in the head is ``weight``. ``ends`` are the ends rho = +-1 of the units at the image, ``reversed`` the pixels at -1.
    """

    program: PixelProgram = field(repr=False)
    weight: Rational
    channels: int
    units: tuple[Unit, ...]
    ends: tuple[int, ...]
    reversed: Pixels
    parts: tuple[Pixels, ...]

    @cached_property
    def union(self) -> Pixels:
        """The pixels that the units see."""
        return frozenset[int]().union(*(unit.field for unit in self.units))

    @cached_property
    def others(self) -> tuple[int, ...]:
        """The other pixels of the output, ascending."""
        return tuple(sorted(self.program.receptive_field - self.union))

    @property
    def exponent(self) -> int:
        return len(self.union) * (self.channels - 1) + sum(unit.order for unit in self.units)

    @property
    def image(self) -> dict[int, int]:
        """Pixel -> its correlation at the image."""
        return {pixel: -1 if pixel in self.reversed else 1 for pixel in sorted(self.union)}

    @property
    def varied(self) -> list[Varied]:
        return [Varied(unit.layer, unit.position, unit.slope) for unit in self.units]

    @cached_property
    def groups(self) -> list[list[Cone]]:
        """The cones by sets that share no pixel."""
        return components([Cone(unit.weights, unit.order) for unit in self.units])

    @property
    def is_checked(self) -> bool:
        """Whether no three cones share pixels: such terms were compared with certified eigenvalues."""
        return all(len(group) <= 2 for group in self.groups)

    def parity(self, index: Mapping[int, Any]) -> Expr:
        """The sum of the signs of the images, for degrees by pixel that may be symbols."""
        sign = (-1) ** sum((index[pixel] for pixel in self.reversed), S.Zero)
        return sympy.Mul(sign, *(1 + (-1) ** sum((index[pixel] for pixel in sorted(part)), S.Zero) for part in self.parts))

    def size(self) -> Expr:
        """prod c_v 2^(-nu_v)/V^|U|."""
        volume = 2 * pi ** Rational(self.channels, 2) / gamma(Rational(self.channels, 2))
        coefficients = (unit.coefficients[end] * 2 ** -Rational(unit.order, 2) for unit, end in zip(self.units, self.ends, strict=True))
        return sympy.Mul(*coefficients) / volume ** len(self.union)

    def mean(self, index: Mapping[int, int]) -> Expr:
        """E[J prod P_{k_i}] over the other pixels, k fixed there; an exact number, or an integral. Errors as :func:`symspec.pixel_jets.mixed`."""
        if not self.reaches(index):
            return S.Zero
        J = mixed(self.program, Exact(), self.image, self.varied)
        return S.Zero if J is None else mean_of(J, {pixel: int(index[pixel]) for pixel in self.others}, self.channels)

    def reaches(self, index: Mapping[int, int]) -> bool:
        """Whether the mean is not 0 at the image without reversed pixels; then it is 0 at the others too."""
        return reaches(self.program, self.union, self.varied, {pixel: int(index[pixel]) for pixel in self.others})

    def transform(self, index: Mapping[int, Any]) -> Expr:
        """The transform of the cones at k + (C-2)/2: exact, with an integral where cones share pixels."""
        shift, n = Rational(self.channels - 2, 2), self.channels - 1
        frequencies = {pixel: index[pixel] + shift for pixel in self.union}
        return sympy.Mul(*(transform(group, n, frequencies) for group in self.groups))

    def leading(self, index: Mapping[int, Any]) -> Expr:
        """What the term adds to lambda_k; degrees on the units' pixels may be symbols."""
        parity = self.parity(index)
        return S.Zero if parity == 0 else self.transform(index) * self.weight * parity * self.size() * self.mean(index)


def mean_of(J: Expr, degrees: Mapping[int, int], channels: int) -> Expr:
    """E[J(t) prod P_{k_i}(t_i)] for independent correlations in R^channels: exact for polynomials, else an integral over the pixels that J depends on."""
    symbols = {pixel: free_pixel(pixel) for pixel in degrees}
    J = sympy.expand(J) if not J.free_symbols else J
    if any(degree and symbols[pixel] not in J.free_symbols for pixel, degree in degrees.items()):
        return S.Zero
    seen = [pixel for pixel in sorted(degrees) if symbols[pixel] in J.free_symbols]
    if not seen:
        return J
    if J.is_polynomial(*(symbols[pixel] for pixel in seen)):
        terms = sympy.Poly(J, *(symbols[pixel] for pixel in seen)).terms()
        moments = (c * sympy.Mul(*(gegenbauer.monomial_eigenvalue(channels, a, degrees[pixel]) for a, pixel in zip(powers, seen, strict=True))) for powers, c in terms)
        return sympy.expand(sum(moments, S.Zero))
    C = sympy.Integer(channels)
    density = gamma(C / 2) / (sqrt(pi) * gamma((C - 1) / 2))
    zonal = [gegenbauer.polynomial(channels, degrees[pixel]).xreplace({gegenbauer.T: symbols[pixel]}) if degrees[pixel] else S.One for pixel in seen]
    weights = [(1 - symbols[pixel] ** 2) ** ((C - 3) / 2) for pixel in seen]
    return density ** len(seen) * Integral(sympy.Mul(J, *zonal, *weights), *((symbols[pixel], -1, 1) for pixel in seen))


def terms_of(program: PixelProgram, weight: Rational, channels: int, units: Sequence[Unit]) -> list[Term]:
    """The terms of a cover by units, one for each set of images that reversals of K relate.

    Raises NoClosedForm where the images are too many.
    """
    if prod(len(unit.images) for unit in units) > MOST_IMAGES:
        raise NoClosedForm(f"the units that decide are singular at more than {MOST_IMAGES} points")
    (((position, _), _),) = program.readout.pairs
    union = frozenset[int]().union(*(unit.field for unit in units))
    parts = tuple(part for part in reversals(program)[1][position].parts if part & union)
    found: dict[tuple[Pixels, tuple[int, ...]], None] = {}
    for images in product(*(unit.images for unit in units)):
        joint = _joint(units, images)
        if joint is not None and not any(min(part & union) in joint for part in parts):
            found[joint, tuple(end for _, end in images)] = None
    return [Term(program, weight, channels, tuple(units), ends, joint, parts) for joint, ends in found]


def _joint(units: Sequence[Unit], images: Sequence[Image]) -> Pixels | None:
    """The pixels at -1 where every unit is at its image; None where two images differ on a pixel that both units see."""
    joint = frozenset[int]().union(*(moved for moved, _ in images))
    return joint if all(joint & unit.field == moved for unit, (moved, _) in zip(units, images, strict=True)) else None


__all__ = ["Term", "mean_of", "terms_of"]
