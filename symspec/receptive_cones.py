r"""The decay of eigenvalues of convolutional kernels along rays of multi-indices.

A kernel of a network is singular where units of it are: where all pixels of the field of a unit are equal (:mod:`symspec.cone_units`). Along a ray, with frequencies that grow
in the pixels S and are fixed elsewhere, those units decide whose fields together hold S, at the least cost: the exponent of a cover is

.. math:: e=\Bigl|\bigcup_vR_v\Bigr|(C-1)+2\sum_v\nu_v

(:mod:`symspec.cone_covers`), and every cheapest cover by units :math:`v` whose mixed derivative J of K is not 0 adds its leading term: a product of cones times the mean of J
over the pixels that the cover does not see (:mod:`symspec.cone_terms`). For one unit with weights g on its field R, :math:`D=|R|(C-1)`, :math:`\hat k_i=k_i+\frac{C-2}2` and V
the volume of the sphere

.. math:: \lambda_k\sim E[J]\,c\,2^{-\nu}\,\frac{\mathrm{FT}_D(2\nu)}{V^{|R|}}\prod_ig_i^{-(C-1)/2}\Bigl(\sum_i\hat k_i^2/g_i\Bigr)^{-(D+2\nu)/2},\qquad
          \mathrm{FT}_D(a)=2^{a+D}\pi^{D/2}\frac{\Gamma(\frac{D+a}2)}{\Gamma(-\frac a2)} .

**Why J may be taken at the point.** A unit w above m of the units that decide makes J singular at most like :math:`(1-\rho_w)^{\nu_w-m}`, where it sees :math:`|O|` more pixels;
that is integrable over them if :math:`|O|(C-1)+2\nu_w>2m`. With w in the place of the m units there is another cover, so that :math:`|O|(C-1)+2\nu_w\ge2\sum\nu_v` over the m, and
:math:`\nu\ge\frac32` where several layers have kinks (jumps beside other kinks are refused): :math:`2\sum\nu_v\ge3m`. With a slope among them w counts with :math:`\nu_w-1` and the m
units with at least :math:`1+3(m-1)`, and again :math:`|O|(C-1)+2\nu_w\ge3m`. So the mean is finite wherever a cover is cheapest. The next terms have more powers of :math:`1/|k|`.

**Heads.** Trace is the mean of kernels of one position, and so are its eigenvalues; those of a global average pool are the same (:mod:`symspec.multisphere`). The positions
that see all pixels of the ray and decay slowest give the sum of their leading terms.

**What is proved, derived, only stated.** *Proved:* the singular terms of a unit, the transforms of cones; exact zeros. *Derived*, and checked against certified eigenvalues in
examples of each kind, without a bound of the remainder: exponents and leading terms where of the units that decide no three overlap (:meth:`ConeLaw.is_checked`). *Derived* in the
same way, with a transform that was checked by itself, but not compared with eigenvalues: those where three or more units with overlapping fields decide.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> law = cone_law(cnn(relu, 2, 2, 2, first_layer="pointwise").ck, 3)
>>> law.exponent({0, 1}), law.exponent({0}), law.is_checked({0})
(7, 5, True)
>>> cone_law(cnn(relu, 1, 2, 3, "trace").ntk, 3).exponent({1, 2})
5
>>> cone_law(cnn(relu, 1, 2, 2).ck, 3).leading_along({0, 1})
120*sqrt(2)*((-1)**(k_0 + k_1) + 1)/(pi*((2*k_0 + 1)**2 + (2*k_1 + 1)**2)**(7/2))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field as entry
from functools import cached_property
from itertools import product
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol

from .cone_covers import Kind, covers
from .cone_terms import Term, terms_of
from .cone_units import Pixels, Unit, singular_units, units_at
from .errors import DomainError, InputError, NoClosedForm
from .exact import natural
from .multisphere import MultiIndex, MultiSphere
from .pixel_jets import Present, Varied, mixed, reaches
from .pixel_kernel import PixelKernel, require_pixel_kernel
from .pixel_program import PixelProgram
from .pixel_support import vanishes
from .product_spectrum import without_pool
from .strip_functions import SeriesDual

# Beyond the lowest degrees exact zeros depend on parities alone.
BEYOND = 8
COMPARED_PIXELS = 4
Found = tuple[int, tuple[tuple[Unit, ...], ...]]


@dataclass(frozen=True)
class Position:
    """One output position of the head: its weight, the program that reads it alone, its field, and the singular units that K depends on."""

    weight: Rational
    program: PixelProgram = entry(repr=False)
    field: Pixels
    units: tuple[Unit, ...] = entry(repr=False)

    @cached_property
    def kinds(self) -> dict[Kind, list[Unit]]:
        """The units by what they cost."""
        found: dict[Kind, list[Unit]] = {}
        for unit in self.units:
            found.setdefault(Kind(unit.field, unit.order, unit.slope), []).append(unit)
        return found

    def cheapest(self, channels: int, support: Pixels, fixed: Mapping[int, int]) -> Found | None:
        """(exponent, covers) of the covers of the pixels of least exponent on which the mean of J is not 0 at the fixed degrees of the others; None where there is none."""
        best, kept = None, []
        for exponent, kinds in covers(list(self.kinds), channels, support):
            if best is not None and exponent > best:
                break
            for units in product(*(self.kinds[kind] for kind in kinds)):
                if self._counts(units, fixed):
                    best = exponent
                    kept.append(units)
        return None if best is None else (best, tuple(kept))

    def _counts(self, units: tuple[Unit, ...], fixed: Mapping[int, int]) -> bool:
        union = frozenset[int]().union(*(unit.field for unit in units))
        varied = [Varied(unit.layer, unit.position, unit.slope) for unit in units]
        return reaches(self.program, union, varied, {pixel: fixed.get(pixel, 0) for pixel in self.field - union})


@dataclass(frozen=True)
class ConeLaw:
    """The singular units of a kernel and what they say along rays; see the module docstring. ``memo`` keeps what has been found."""

    kernel: PixelKernel
    channels: int
    positions: tuple[Position, ...] = entry(repr=False)
    memo: dict[Any, Any] = entry(default_factory=dict, repr=False, compare=False)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The singular units of all output positions."""
        return tuple(unit for position in self.positions for unit in position.units)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The terms of single units at all their images, of all output positions."""
        return tuple(term for position in self.positions for unit in position.units for term in terms_of(position.program, position.weight, self.channels, (unit,)))

    @cached_property
    def strata(self) -> dict[Pixels, int]:
        """Field of a unit -> exponent of the decay that it gives where all its pixels have a frequency: |R| (C-1) + 2 nu."""
        found: dict[Pixels, int] = {}
        for unit in self.units:
            found[unit.field] = min(unit.exponent(self.channels), found.get(unit.field, unit.exponent(self.channels)))
        return found

    def exponent(self, support: Iterable[int]) -> int:
        """e with lambda_k ~ |k|^(-e) along rays with frequencies in the pixels of ``support`` only, where not exactly 0.

        Raises DomainError where no output sees all these pixels, so that the eigenvalues are exactly 0, NoClosedForm where their decay is
        faster than every power.
        """
        return self._decisive(frozenset(support))[0]

    def is_checked(self, support: Iterable[int]) -> bool:
        """Whether laws of this kind were compared with certified eigenvalues; else (three or more overlapping units) they are derived only."""
        return all(term.is_checked for term in self.decisive_terms(support))

    def decisive_terms(self, support: Iterable[int], fixed: Mapping[int, int] | None = None) -> tuple[Term, ...]:
        """The terms that decide along rays in these pixels, the degrees of the others being ``fixed`` (0 unless given)."""
        pixels, others = frozenset(support), dict(fixed or {})
        found = self._decisive(pixels, others)[1]
        key = ("terms", pixels, tuple(sorted(others.items())))
        if key not in self.memo:
            self.memo[key] = tuple(term for position, choices in found for units in choices for term in terms_of(position.program, position.weight, self.channels, units))
        terms: tuple[Term, ...] = self.memo[key]
        return terms

    def leading(self, index: Sequence[int], support: Iterable[int] | None = None) -> Expr:
        """The exact leading term of lambda_k along the ray of a multi-index over all pixels, 0 where those of its parity vanish exactly.

        k grows in the pixels of ``support``, those with an entry above 0 unless given, and is fixed in the others. The result may hold integrals: the mean over the pixels that
        the units that decide do not see, and where they overlap one of their transform; :func:`numerics.cone_leading` encloses it.

        Raises NoClosedForm where the leading terms cancel and the next order decides; ExpressionTooLarge where a mean is too
        long to write out.
        """
        k = self.multi_index(index)
        terms = self.terms_at(k, support)
        total = sum((term.leading(dict(enumerate(k))) for term in terms), S.Zero)
        if terms and total == 0:
            raise NoClosedForm(f"at the parity of {k} the singular terms cancel to leading order |k|^-{terms[0].exponent}, and the next one is not derived")
        return total

    def leading_along(self, support: Iterable[int]) -> Expr:
        """The exact leading term along all rays in these pixels, in the symbols k_i (:func:`frequency`), the other entries being 0. Errors as :meth:`leading`."""
        pixels = frozenset(support)
        index = {pixel: frequency(pixel) if pixel in pixels else S.Zero for pixel in range(self.kernel.pixels)}
        total = sum((term.leading(index) for term in self.decisive_terms(pixels)), S.Zero)
        return sympy.factor_terms(total) if not total.has(sympy.Integral) else total

    def multi_index(self, index: Sequence[int]) -> MultiIndex:
        """The multi-index, checked."""
        return MultiSphere(self.channels, self.kernel.pixels).degree(index)

    def terms_at(self, k: MultiIndex, support: Iterable[int] | None = None) -> tuple[Term, ...]:
        """The decisive terms at a multi-index; none where the eigenvalues of its parity are exactly 0. InputError for a support outside the image."""
        pixels = frozenset(pixel for pixel, n in enumerate(k) if n) if support is None else frozenset(support)
        if not pixels <= set(range(len(k))):
            raise InputError(f"the pixels of a ray are among 0, ..., {len(k) - 1}, not {sorted(pixels)}")
        if self._is_zero(k, pixels):
            return ()
        return self.decisive_terms(pixels, {pixel: n for pixel, n in enumerate(k) if n and pixel not in pixels})

    def summary(self) -> list[str]:
        """Lines of plain text: the exponent along rays in each set of pixels, and what is known of the constant."""
        from .cone_text import summary

        return summary(self)

    def statement(self) -> str:
        """LaTeX of the law: strata, exponents and leading terms."""
        from .cone_text import statement

        return statement(self)

    def _repr_latex_(self) -> str:
        return self.statement()

    def _decisive(self, support: Pixels, fixed: Mapping[int, int] | None = None) -> tuple[int, list[tuple[Position, tuple[tuple[Unit, ...], ...]]]]:
        """The exponent, and the positions that have it with their cheapest covers."""
        others = dict(fixed or {})
        key = (support, tuple(sorted(others.items())))
        if key not in self.memo:
            self.memo[key] = self._search(support, others)
        found: tuple[int, list[tuple[Position, tuple[tuple[Unit, ...], ...]]]] = self.memo[key]
        return found

    def _search(self, support: Pixels, fixed: Mapping[int, int]) -> tuple[int, list[tuple[Position, tuple[tuple[Unit, ...], ...]]]]:
        if not support:
            raise DomainError("a ray needs a pixel with a frequency")
        seeing = [position for position in self.positions if support.union(fixed) <= position.field]
        if not seeing:
            wanted = support.union(fixed)
            outside = sorted(wanted - set(self.kernel.receptive_field))
            reason = f"pixels {outside} are outside the receptive field" if outside else f"no output sees all of the pixels {sorted(wanted)}"
            raise DomainError(f"{reason}: the eigenvalues are exactly 0")
        known = [(position, found) for position in seeing if (found := position.cheapest(self.channels, support, fixed))]
        if not known and not fixed and len(support) <= COMPARED_PIXELS and all(self._is_zero(index, support) for index in self._parities(support)):
            raise DomainError(f"no product of powers of all of the correlations {sorted(support)} occurs in the kernel: the eigenvalues are exactly 0")
        if not known:
            raise NoClosedForm(f"the kernel is smooth in the pixels {sorted(support)}: the eigenvalues decay faster than every power there")
        least = min(exponent for _, (exponent, _) in known)
        return least, [(position, choices) for position, (exponent, choices) in known if exponent == least]

    def _parities(self, support: Pixels) -> list[MultiIndex]:
        """A multi-index of each parity on the pixels of a ray."""
        return [tuple(dict(zip(sorted(support), entries, strict=True)).get(pixel, 0) for pixel in range(self.kernel.pixels)) for entries in product((1, 2), repeat=len(support))]

    def _is_zero(self, k: MultiIndex, support: Pixels) -> bool:
        """Whether the eigenvalues of the parity of k vanish exactly far out on the ray."""
        return vanishes(self.kernel, tuple(n + BEYOND if pixel in support else n for pixel, n in enumerate(k)))


def frequency(pixel: int) -> Symbol:
    """The symbol k_i of :meth:`ConeLaw.leading_along`."""
    return Symbol(f"k_{pixel}", integer=True, nonnegative=True)


def cone_law(kernel: Any, channels: Any) -> ConeLaw:
    """The law of a kernel of a convolutional or hierarchical network (CK, NTK, one layer's part; any head) on spheres in R^channels.

    Raises NoClosedForm for activations without a kink, where it says what is known instead, and for a jump together with another kink; DomainError for a tangent kernel
    that is infinite on the diagonal and for a global average pool without shift symmetry.
    """
    images = require_pixel_kernel(kernel, "cone_law")
    if images.more:
        raise InputError("the law is derived for the kernel of one network, not for a product of them")
    if images.diagonal_is_infinite:
        raise DomainError("this tangent kernel is infinite on the diagonal (the activation has a jump): use the conjugate kernel or drop_deltas=True")
    images = without_pool(images)
    _require_kinks(images.program)
    positions = [_position(images.program, weight, p) for (p, _), weight in images.program.readout.pairs]
    return ConeLaw(images, natural(channels, "channels", 2), tuple(positions))


def _position(program: PixelProgram, weight: Rational, position: int) -> Position:
    own = program.with_head([((position, position), Rational(1))])
    units = [unit for unit in singular_units(program, position) if mixed(own, Present(), dict.fromkeys(unit.field, 1), [Varied(unit.layer, unit.position, unit.slope)])]
    return Position(weight, own, own.receptive_field, tuple(units))


def _require_kinks(program: PixelProgram) -> None:
    """Refuse smooth kernels, and jumps met by another singular layer."""
    layers = [program.dual.at(layer).nonlinearity for layer in range(1, program.depth + 1)]
    kinked = [layer for layer in layers if layer.angular]
    if not kinked:
        degrees = [layer.activation.support.degree for layer in layers]
        if all(degree < sympy.oo for degree in degrees):
            raise NoClosedForm("the kernel is a polynomial in the correlations: all but finitely many eigenvalues are exactly 0, and there is no power law")
        known = "like a stretched exponential" if any(layer.dual.expr.has(SeriesDual) for layer in layers) else "exponentially"
        raise NoClosedForm(
            f"the activation has no kink, so the kernel is smooth at equal pixels and follows no power law: with K(t, ..., t) = sum b_n t^n, "
            f"lambda_k <= sum of b_n over n >= |k|, which decays {known}"
        )
    if len(kinked) > 1 and any(layer.jumps for layer in kinked):
        raise NoClosedForm("a jump below or above another kink makes cones of cones, whose law is not derived; jumps are covered in networks with one layer that is not smooth")


__all__ = ["ConeLaw", "Position", "cone_law", "frequency", "units_at"]
