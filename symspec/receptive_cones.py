r"""The decay of eigenvalues of convolutional kernels along rays of multi-indices.

Every unit v of the network (a position p after activation l, read on the pair (p, p)) is a function of the pixels of its field :math:`R_v` and is singular
where all of them are equal, :math:`t_i=1` for :math:`i\in R_v`: there :math:`1-\rho_v\approx\sum_ig_i(1-t_i)`, :math:`g_i=\partial\rho_v/\partial t_i` at 1, and
the dual of an activation with a kink holds :math:`c\,(1-\rho)^\nu` (:mod:`symspec.unit_singularities`: :math:`\nu=\frac32` for ReLU, :math:`s+\frac12` for
:math:`x_+^s`), the dual of the slope :math:`\dot c\,(1-\rho)^{\nu-1}`; and likewise where :math:`\rho_v=-1`. With
:math:`1-t_i\approx\theta_i^2/2` the singular term is a cone :math:`c\,2^{-\nu}|y|^{2\nu}`, :math:`y_i=\sqrt{g_i}\,\theta_i\in\mathbf R^{C-1}`, whose
Fourier transform in :math:`D=|R_v|(C-1)` dimensions is :math:`\mathrm{FT}_D(2\nu)|\xi|^{-D-2\nu}`,
:math:`\mathrm{FT}_D(a)=2^{a+D}\pi^{D/2}\Gamma(\frac{D+a}2)/\Gamma(-\frac a2)`. So with :math:`\hat k_i=k_i+\frac{C-2}2` and V the volume of the sphere it gives

.. math:: \lambda_k\sim J_v\,c\,2^{-\nu}\,\frac{\mathrm{FT}_D(2\nu)}{V^{|R|}}\prod_ig_i^{-(C-1)/2}\Bigl(\sum_i\hat k_i^2/g_i\Bigr)^{-(D+2\nu)/2},

:math:`J_v` the derivative of K by the value of v at the point; a tangent kernel holds the slopes, with :math:`\dot c\,T_v` for :math:`c` and :math:`\nu-1` for
:math:`\nu`. At :math:`t=-1` times :math:`(-1)^{\sum k_i}`. Where an even activation comes first, K does not change when all pixels of a part of the image that its
units do not mix are reversed, so the point has :math:`2^n` images: a factor :math:`\prod_m(1+(-1)^{\sum_{i\in m}k_i})` over the n parts.

**Heads.** Trace is the mean of kernels of one position, and so are its eigenvalues; those of a global average pool are the same
(:mod:`symspec.multisphere`). Along a ray the positions that see all its pixels and decay slowest give the sum of their leading terms.

**What is proved, derived, conjectured.** *Proved:* the exponents and constants of the singular terms of a unit; exact zeros. *Derived and checked*
against certified eigenvalues, without a bound of the remainder: the law along rays where only units that see the whole field of their output
decide (:meth:`ConeLaw.is_derived`); all rays with a frequency in every pixel of the field are such where the last activation has a kink. *Conjectured:*
on the other rays, that the cheapest cover of the pixels by fields of units, their exponents added, gives the exponent (:meth:`ConeLaw.exponent`).

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> law = cone_law(cnn(relu, 2, 2, 2, first_layer="pointwise").ck, 3)
>>> law.exponent({0, 1}), law.exponent({0}), law.is_derived({0})
(7, 5, False)
>>> cone_law(cnn(relu, 1, 2, 3, "trace").ntk, 3).exponent({1, 2})
5
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count, product
from typing import Any

import sympy
from sympy import Expr, Rational, S, gamma, pi

from .errors import DomainError, InputError, NoClosedForm
from .exact import natural
from .multisphere import MultiIndex, MultiSphere
from .pixel_kernel import Expressions, PixelInput, PixelKernel, require_pixel_kernel
from .pixel_program import PixelProgram, Units, Variances
from .pixel_support import vanishes
from .product_spectrum import without_pool
from .strip_functions import SeriesDual
from .unit_singularities import SingularTerm, first_singular

# Beyond the lowest degrees exact zeros depend on parities alone.
BEYOND = 8
COMPARED_PIXELS = 4


@dataclass(frozen=True)
class Unit:
    """A singular unit: layer and position, field, weights g_i, and the term factor * (1 - |rho|)^(order/2) of K.

    ``factor`` is None where J_v is infinite. At ``end`` = -1 all t_i are -1; ``parts`` are the sets of pixels that may be reversed, each by itself.
    """

    layer: int
    position: int
    field: frozenset[int]
    weights: Mapping[int, Expr]
    order: int
    factor: Expr | None
    end: int
    parts: tuple[frozenset[int], ...] = ()

    def exponent(self, channels: int) -> int:
        """Of the decay where all pixels of the field have a frequency."""
        return len(self.field) * (channels - 1) + self.order

    def parity(self, index: Sequence[int]) -> int:
        """The sum of the signs of all images of the point."""
        sign = self.end ** sum(index[pixel] for pixel in self.field)
        for part in self.parts:
            sign *= 1 + (-1) ** sum(index[pixel] for pixel in part)
        return sign

    def constant(self, channels: int) -> Expr:
        """A in A (sum k^2/g)^(-e/2), what the unit adds to lambda_k up to signs."""
        if self.factor is None:
            raise NoClosedForm(f"the unit at position {self.position} of layer {self.layer} has no constant: the layers above it are singular at the same point")
        C, a, D = sympy.Integer(channels), sympy.Integer(self.order), len(self.field) * (channels - 1)
        volume = 2 * pi ** (C / 2) / gamma(C / 2)
        transform = 2 ** (a + D) * pi ** (Rational(D) / 2) * gamma((D + a) / 2) / gamma(-a / 2)
        jacobian = sympy.Mul(*(weight ** (-(C - 1) / 2) for weight in self.weights.values()))
        return self.factor * 2 ** (-a / 2) * transform / volume ** len(self.field) * jacobian

    def leading(self, channels: int, index: Sequence[int]) -> Expr:
        """What the unit adds to lambda_k, by the formula of the module."""
        square = sum(((index[pixel] + Rational(channels - 2, 2)) ** 2 / weight for pixel, weight in self.weights.items()), S.Zero)
        return self.parity(index) * self.constant(channels) * square ** (-Rational(self.exponent(channels), 2))


@dataclass(frozen=True)
class Position:
    """One output position of the head: its weight, field and singular units."""

    weight: Rational
    field: frozenset[int]
    units: tuple[Unit, ...]

    def strata(self, channels: int) -> dict[frozenset[int], int]:
        """Field of units -> least exponent."""
        found: dict[frozenset[int], int] = {}
        for unit in self.units:
            found[unit.field] = min(unit.exponent(channels), found.get(unit.field, unit.exponent(channels)))
        return found

    def cover(self, channels: int, support: frozenset[int]) -> tuple[int, bool] | None:
        """(least sum of exponents of fields that cover the pixels, whether the whole field alone has it); None where no fields do."""
        strata = self.strata(channels)
        counter, seen = count(), set[frozenset[int]]()
        queue: list[tuple[int, int, frozenset[int]]] = [(0, next(counter), support)]
        others = None
        while queue:
            cost, _, left = heapq.heappop(queue)
            if not left:
                others = cost
                break
            if left in seen:
                continue
            seen.add(left)
            pixel = min(left)
            for covered, exponent in strata.items():
                if pixel in covered and covered != self.field:
                    heapq.heappush(queue, (cost + exponent, next(counter), left - covered))
        whole = strata.get(self.field)
        if whole is None:
            return None if others is None else (others, False)
        return (whole, True) if others is None or whole < others else (others, False)


@dataclass(frozen=True)
class ConeLaw:
    """The strata of a kernel; see the module docstring."""

    kernel: PixelKernel
    channels: int
    positions: tuple[Position, ...] = field(repr=False)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The singular units of all output positions."""
        return tuple(unit for position in self.positions for unit in position.units)

    @cached_property
    def strata(self) -> dict[frozenset[int], int]:
        """Field -> exponent of the decay where all its pixels have a frequency: |R| (C-1) + 2 nu."""
        found: dict[frozenset[int], int] = {}
        for position in self.positions:
            for pixels, exponent in position.strata(self.channels).items():
                found[pixels] = min(exponent, found.get(pixels, exponent))
        return found

    def exponent(self, support: Iterable[int]) -> int:
        """e with lambda_k ~ |k|^(-e) along rays with frequencies in the pixels of ``support`` only (fixed elsewhere).

        Raises DomainError where no output sees all these pixels, so that the eigenvalues are exactly 0, NoClosedForm where their decay is
        faster than every power as far as the strata say.
        """
        return self._decisive(frozenset(support))[0]

    def is_derived(self, support: Iterable[int]) -> bool:
        """Whether the law along these rays is derived, with an exact constant, or else only its exponent conjectured."""
        return self._decisive(frozenset(support))[2]

    def summary(self) -> list[str]:
        """Lines of plain text: the exponent along rays in each set of pixels, and whether it is derived or conjectured."""
        from .cone_text import summary

        return summary(self)

    def statement(self) -> str:
        """LaTeX of the law: strata, exponents and leading terms."""
        from .cone_text import statement

        return statement(self)

    def _repr_latex_(self) -> str:
        return self.statement()

    def decisive_units(self, support: Iterable[int]) -> list[tuple[Rational, Unit]]:
        """(weight of its output, unit) for the units that decide along derived rays; empty along others."""
        exponent, positions, derived = self._decisive(frozenset(support))
        if not derived:
            return []
        return [(position.weight, unit) for position in positions for unit in position.units if unit.field == position.field and unit.exponent(self.channels) == exponent]

    def _decisive(self, support: frozenset[int]) -> tuple[int, list[Position], bool]:
        """The exponent, the positions that have it, and whether each has it by its whole field alone."""
        if not support:
            raise DomainError("a ray needs a pixel with a frequency")
        seeing = [position for position in self.positions if support <= position.field]
        if not seeing:
            outside = sorted(support - set(self.kernel.receptive_field))
            reason = f"pixels {outside} are outside the receptive field" if outside else f"no output sees all of the pixels {sorted(support)}"
            raise DomainError(f"{reason}: the eigenvalues are exactly 0")
        covers = [(position, cover) for position in seeing if (cover := position.cover(self.channels, support))]
        if not covers:
            raise NoClosedForm(f"the kernel is smooth in the pixels {sorted(support)}: the eigenvalues decay faster than every power there")
        if len(support) <= COMPARED_PIXELS and all(self._is_zero(index, support) for index in self._parities(support)):
            raise DomainError(f"no product of powers of all of the correlations {sorted(support)} occurs in the kernel: the eigenvalues are exactly 0")
        least = min(exponent for _, (exponent, _) in covers)
        slowest = [(position, whole) for position, (exponent, whole) in covers if exponent == least]
        return least, [position for position, _ in slowest], all(whole for _, whole in slowest)

    def leading(self, index: Sequence[int]) -> Expr:
        """The exact leading term of lambda_k along the ray of a multi-index over all pixels, 0 where those of its parity vanish exactly.

        The pixels with entry 0 are those without a frequency. Raises NoClosedForm where the law of the ray is conjectured without a constant, or
        where the leading terms cancel and the next order decides.
        """
        k = MultiSphere(self.channels, self.kernel.pixels).degree(index)
        support = frozenset(pixel for pixel, entry in enumerate(k) if entry)
        if self._is_zero(k, support):
            return S.Zero
        exponent, units = self.exponent(support), self.decisive_units(support)
        if not units:
            raise NoClosedForm(f"along rays in the pixels {sorted(support)} units of smaller fields decide: the exponent {exponent} is conjectured and has no closed constant")
        total = sum((weight * unit.leading(self.channels, k) for weight, unit in units), S.Zero)
        if total == 0:
            raise NoClosedForm(f"at the parity of {k} the singular terms cancel to leading order |k|^-{exponent}, and the next one is not derived")
        return total

    def _parities(self, support: frozenset[int]) -> list[MultiIndex]:
        """A multi-index of each parity on the pixels of a ray."""
        return [tuple(dict(zip(sorted(support), entries, strict=True)).get(pixel, 0) for pixel in range(self.kernel.pixels)) for entries in product((1, 2), repeat=len(support))]

    def _is_zero(self, k: MultiIndex, support: frozenset[int]) -> bool:
        """Whether the eigenvalues of the parity of k vanish exactly far out on the ray."""
        return vanishes(self.kernel, tuple(entry + BEYOND if pixel in support else entry for pixel, entry in enumerate(k)))


def cone_law(kernel: Any, channels: Any) -> ConeLaw:
    """The strata of a kernel of a convolutional or hierarchical network (CK, NTK, one layer's part; any head) on spheres in R^channels.

    Raises NoClosedForm for activations without a kink, where it says what is known instead, and for a jump together with another kink; DomainError for a tangent kernel
    that is infinite on the diagonal and for a global average pool without shift symmetry.
    """
    images = require_pixel_kernel(kernel, "cone_law")
    if images.more:
        raise InputError("the law is derived for the kernel of one network, not for a product of them")
    if images.diagonal_is_infinite:
        raise DomainError("this tangent kernel is infinite on the diagonal (the activation has a jump), so its eigenvalues have no finite sum; use the conjugate kernel or drop_deltas=True")
    images = without_pool(images)
    program = images.program
    _require_kinks(program)
    positions = [Position(weight, _field(program, p), tuple(_units(program, p))) for (p, _), weight in program.readout.pairs]
    return ConeLaw(images, natural(channels, "channels", 2), tuple(positions))


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
            f"the activation has no kink, so the kernel is smooth at equal pixels and follows no power law: with K(t, ..., t) = sum b_n t^n, lambda_k <= sum of b_n over n >= |k|, which decays {known}"
        )
    if len(kinked) > 1 and any(layer.jumps for layer in kinked):
        raise NoClosedForm("a jump below or above another kink makes cones of cones, whose law is not derived; jumps are covered in networks with one layer that is not smooth")


def _field(program: PixelProgram, position: int) -> frozenset[int]:
    return program.with_head([((position, position), Rational(1))]).receptive_field


@dataclass
class Node:
    """A unit where all t_i are +-1: variance q before the activation, covariance, correlation where it is +-1, slope, gradient of the covariance, tangent.

    ``adjoint`` is the derivative of K by the value after the activation, and ``slope_adjoint`` by the product slope * tangent.
    """

    q: Expr
    covariance: Expr
    end: int
    slope: Expr
    value: Expr
    gradient: dict[int, Expr]
    tangent: Expr
    adjoint: Expr = S.Zero
    slope_adjoint: Expr = S.Zero


def units_at(program: PixelProgram, end: int) -> list[dict[int, Node]]:
    """By layer and position the units at t_i = ``end`` for all i, without adjoints."""
    carrier = Expressions(PixelInput({}, Variances()))
    values: dict[int, tuple[Expr, Expr]] = {p: (sympy.Integer(end), S.One) for p, _ in program.levels[0]}
    gradients: dict[int, dict[int, Expr]] = {p: {p: S.One} for p in values}
    tangents: dict[int, Expr] = dict.fromkeys(values, S.Zero)
    levels = []
    for layer, (patch, pairs) in enumerate(zip(program.patches, program.levels[1:], strict=True), 1):
        dual, level, moments = program.dual.at(layer), dict[int, Node](), dict[int, Expr]()
        for p, _ in pairs:
            sources = [source for source, _ in patch.sources((p, p))]
            covariance, q = (sympy.expand(patch.scale * sum((values[s][part] for s in sources), S.Zero) + patch.bias) for part in (0, 1))
            gradient: dict[int, Expr] = {}
            for source in sources:
                for pixel, weight in gradients[source].items():
                    gradient[pixel] = gradient.get(pixel, S.Zero) + patch.scale * weight
            sign = 1 if end > 0 or covariance == q else -1 if sympy.expand(covariance + q) == 0 else 0
            value, slope = carrier.activated(dual, Units(q, q, None, None, same=True), sign * q if sign else covariance)
            moments[p] = dual.second_moment_at(q)
            symmetric = {"even": 1, "odd": sign}.get(dual.nonlinearity.activation.parity, sign if sign > 0 else 0)
            own = covariance if program.part in ("ntk", layer) else S.Zero
            tangent = own + patch.scale * sum((tangents[s] for s in sources), S.Zero)
            level[p] = Node(q, covariance, sign, slope, symmetric * moments[p] if sign and symmetric else value, gradient, tangent)
        levels.append(level)
        values = {p: (node.value, moments[p]) for p, node in level.items()}
        gradients = {p: {pixel: node.slope * weight for pixel, weight in node.gradient.items()} for p, node in level.items()}
        tangents = {p: node.slope * node.tangent if layer >= program.first_slope else S.Zero for p, node in level.items()}
    return levels


def _units(program: PixelProgram, position: int) -> list[Unit]:
    """The singular units of one output position."""
    parts = _reversible(program, position)
    found = []
    for end in (1,) if parts else (1, -1):
        levels = units_at(program.with_head([((position, position), Rational(1))]), end)
        _backward(program, position, levels)
        for layer, level in enumerate(levels, 1):
            for p, node in level.items():
                found += [replace(unit, parts=tuple(part for part in parts if part <= unit.field)) for unit in _of_node(program, layer, p, node)]
    return found


def _of_node(program: PixelProgram, layer: int, position: int, node: Node) -> list[Unit]:
    """The singular term of a unit: that of its slope in tangent kernels, else that of its value."""
    if not node.end:
        return []
    nonlinearity = program.dual.at(layer).nonlinearity
    weights = {pixel: abs(value) / node.q for pixel, value in node.gradient.items() if value != 0}
    terms: list[tuple[SingularTerm | None, Expr]] = [(first_singular(nonlinearity, node.q, node.end, slope=False), node.adjoint)]
    if layer >= program.first_slope:
        terms.append((first_singular(nonlinearity, node.q, node.end, slope=True), node.slope_adjoint * node.tangent))
    found = []
    for term, adjoint in terms:
        if term is not None and adjoint != 0:
            factor = sympy.expand(adjoint * term.coefficient) if adjoint.is_finite is not False else None
            found.append(Unit(layer, position, frozenset(weights), weights, int(2 * term.nu), factor, node.end))
    least = min((unit.order for unit in found), default=0)
    return [unit for unit in found if unit.order == least]


def _backward(program: PixelProgram, position: int, levels: list[dict[int, Node]]) -> None:
    """Fill in the adjoints. Below the first slope that is read J_v is a derivative of slopes, infinite at the point and finite about it."""
    last, readout = levels[-1][position], program.readout
    if program.part in ("ck", "ntk", program.depth + 1):
        last.adjoint = readout.weight
    last.slope_adjoint = readout.weight
    for index in range(len(levels) - 1, 0, -1):
        patch = program.patches[index]
        for p, node in levels[index].items():
            for source, _ in patch.sources((p, p)):
                below = levels[index - 1][source]
                reads_value = program.part in ("ck", "ntk", program.depth + 1) or index >= program.first_slope
                below.adjoint += node.adjoint * node.slope * patch.scale if reads_value else S.Infinity
                below.slope_adjoint += node.slope_adjoint * node.slope * patch.scale


def _reversible(program: PixelProgram, position: int) -> tuple[frozenset[int], ...]:
    """The parts of the field whose pixels may be reversed together without changing K; none where the first activation that is not odd is not even."""
    own = program.with_head([((position, position), Rational(1))])
    fields = {p: frozenset({p}) for p, _ in own.levels[0]}
    for layer, (patch, pairs) in enumerate(zip(own.patches, own.levels[1:], strict=True), 1):
        fields = {p: frozenset().union(*(fields[source] for source, _ in patch.sources((p, p)))) for p, _ in pairs}
        parity = own.dual.at(layer).nonlinearity.activation.parity
        if patch.bias != 0 or parity not in ("odd", "even"):
            return ()
        if parity == "even":
            return tuple(sorted(_components(fields.values()), key=sorted))
    return ()


def _components(fields: Iterable[frozenset[int]]) -> set[frozenset[int]]:
    """Unions of fields that overlap."""
    found: set[frozenset[int]] = set()
    for pixels in fields:
        joined = [other for other in found if other & pixels]
        found = (found - set(joined)) | {pixels.union(*joined)}
    return found


__all__ = ["ConeLaw", "Node", "Position", "Unit", "cone_law", "units_at"]
