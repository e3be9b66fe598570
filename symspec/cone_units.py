r"""The singular units of one output of a convolutional network: where they are singular, how much, and with which weights of the pixels.

A unit v (a position p after the activation of a layer, read on the pair (p, p)) is a function of the pixels of its field :math:`R_v`. Its dual and the dual of its slope are
singular where its correlation :math:`\rho_v=\pm1`: :math:`c\,(1-|\rho_v|)^\nu` and :math:`\dot c\,(1-|\rho_v|)^{\nu-1}` (:mod:`symspec.unit_singularities`).

**Where.** :math:`\rho_v=1` at :math:`t_i=1` for i in :math:`R_v`, and wherever all units that v reads have :math:`V_s=V_s(1)`, which by Cauchy-Schwarz is at :math:`\rho_s=1`
and, under an even activation, at :math:`\rho_s=-1`. So :math:`\rho_v(t)=1` exactly at signs :math:`t_i=\pm1` that are constant on some disjoint *parts* of :math:`R_v` and +1
elsewhere: below and at the first activation that is even there are none; a unit that has read even ones has those unions of their fields (or parts) that overlap.
:math:`\rho_v=-1` at :math:`t=-1` on all of :math:`R_v`, where all layers below are odd and without bias, and nowhere else. The *images* of v are these points.

**Weights.** Near an image :math:`1-|\rho_v|=\sum_ig_i(1-|t_i|)+\dots`, :math:`g_i=|\partial\rho_v/\partial t_i|`, the same at all of them, as they are related by reversals
that leave :math:`|\rho_v|` alone.

>>> from symspec.convolution import cnn
>>> from symspec.activations import absolute, relu
>>> [(unit.layer, sorted(unit.field), unit.order, [end for _, end in unit.images]) for unit in singular_units(cnn(relu, 2, 2, 2, first_layer="pointwise").ck.program, 0)]
[(1, [0], 3, [1, -1]), (1, [1], 3, [1, -1]), (2, [0, 1], 3, [1])]
>>> [sorted(reversed_) for reversed_, _ in singular_units(cnn(absolute, 2, 2, 2, first_layer="pointwise").ck.program, 0)[-1].images]
[[], [0], [1], [0, 1]]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import sympy
from sympy import Expr, Rational, S

from .errors import NoClosedForm
from .pixel_kernel import Expressions, PixelInput
from .pixel_program import PixelProgram, Units, Variances
from .unit_singularities import first_singular

MOST_PARTS = 8
Pixels = frozenset[int]
Image = tuple[Pixels, int]


@dataclass(frozen=True)
class Unit:
    """A singular unit: layer and position, field, weights g_i, and whether the slope or the value is meant.

    ``coefficients`` has c of c (1 - |rho|)^(order/2) by the end rho = 1 or -1; ``images`` are the points, as the pixels that are -1 and the end; ``parts`` see the module
    docstring.
    """

    layer: int
    position: int
    slope: bool
    field: Pixels
    weights: Mapping[int, Expr]
    order: int
    coefficients: Mapping[int, Expr]
    images: tuple[Image, ...]
    parts: tuple[Pixels, ...] = ()

    def exponent(self, channels: int) -> int:
        """Of the decay where the unit decides alone: |R| (C-1) + order."""
        return len(self.field) * (channels - 1) + self.order


@dataclass
class Node:
    """A unit where all t_i are 1 or all -1: variance q before the activation, covariance, correlation where it is +-1, slope, value after, gradient of the covariance."""

    q: Expr
    covariance: Expr
    end: int
    slope: Expr
    value: Expr
    gradient: dict[int, Expr]


def units_at(program: PixelProgram, end: int) -> list[dict[int, Node]]:
    """By layer and position the units at t_i = ``end`` for all i."""
    carrier = Expressions(PixelInput({}, Variances()))
    values: dict[int, tuple[Expr, Expr]] = {p: (sympy.Integer(end), S.One) for p, _ in program.levels[0]}
    gradients: dict[int, dict[int, Expr]] = {p: {p: S.One} for p in values}
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
            level[p] = Node(q, covariance, sign, slope, symmetric * moments[p] if sign and symmetric else value, gradient)
        levels.append(level)
        values = {p: (node.value, moments[p]) for p, node in level.items()}
        gradients = {p: {pixel: node.slope * weight for pixel, weight in node.gradient.items()} for p, node in level.items()}
    return levels


@dataclass(frozen=True)
class Reversals:
    """How the covariance of a unit, or its value after the activation, behaves when pixels of its field are reversed.

    ``odd``: it changes sign with all of them. ``parts``: disjoint sets of pixels each of which may be reversed by itself without changing it; no other pixel may.
    """

    field: Pixels
    odd: bool
    parts: tuple[Pixels, ...] = ()

    def after(self, parity: str) -> Reversals:
        """Of the value after an activation of a parity."""
        if not self.odd:
            return self
        return Reversals(self.field, parity == "odd", (self.field,) if parity == "even" else ())


def reversals(program: PixelProgram) -> tuple[list[dict[int, Reversals]], dict[int, Reversals]]:
    """By layer and position before the activation; and by position of the output after the last one."""
    after = {p: Reversals(frozenset({p}), odd=True) for p, _ in program.levels[0]}
    levels = []
    for layer, (patch, pairs) in enumerate(zip(program.patches, program.levels[1:], strict=True), 1):
        before = {p: _read([after[source] for source, _ in patch.sources((p, p))], biased=patch.bias != 0) for p, _ in pairs}
        parity = program.dual.at(layer).nonlinearity.activation.parity
        after = {p: found.after(parity) for p, found in before.items()}
        levels.append(before)
    return levels, after


def _read(sources: Sequence[Reversals], *, biased: bool) -> Reversals:
    """Of a sum of values: it is unchanged where each of them is, which ties the pixels of a part together and lets no others be reversed."""
    field = frozenset[int]().union(*(source.field for source in sources))
    fixed = frozenset[int]().union(*(source.field.difference(*source.parts) for source in sources))
    parts = joined(part for source in sources for part in source.parts)
    return Reversals(field, all(source.odd for source in sources) and not biased, tuple(sorted((part for part in parts if not part & fixed), key=sorted)))


def joined(sets: Iterable[Pixels]) -> set[Pixels]:
    """Unions of sets that overlap."""
    found: set[Pixels] = set()
    for pixels in sets:
        meeting = [other for other in found if other & pixels]
        found = (found - set(meeting)) | {pixels.union(*meeting)}
    return found


def singular_units(program: PixelProgram, position: int) -> list[Unit]:
    """The singular units below one output, a value and (where the program reads slopes) a slope each.

    Raises NoClosedForm for more than MOST_PARTS parts that may be reversed, whose images are not listed.
    """
    own = program.with_head([((position, position), Rational(1))])
    before = reversals(own)[0]
    ends = {1: units_at(own, 1), **({-1: units_at(own, -1)} if any(found.odd for level in before for found in level.values()) else {})}
    found = []
    for index, level in enumerate(ends[1]):
        for p, node in level.items():
            for slope in (False, True)[: 1 + (own.reads_slopes() and index + 1 >= own.first_slope)]:
                unit = _unit(own, index, p, node, before[index][p], ends, slope=slope)
                found += [] if unit is None else [unit]
    return found


def _unit(program: PixelProgram, index: int, position: int, node: Node, moved: Reversals, ends: Mapping[int, list[dict[int, Node]]], *, slope: bool) -> Unit | None:
    nonlinearity = program.dual.at(index + 1).nonlinearity
    terms = {end: first_singular(nonlinearity, node.q, end, slope=slope) for end in ((1, -1) if moved.odd else (1,))}
    known = {end: term for end, term in terms.items() if term is not None}
    if not known:
        return None
    least = min(term.nu for term in known.values())
    coefficients = {end: term.coefficient for end, term in known.items() if term.nu == least}
    weights = {pixel: value / node.q for pixel, value in node.gradient.items() if value != 0}
    images: list[Image] = []
    if 1 in coefficients:
        if len(moved.parts) > MOST_PARTS:
            raise NoClosedForm(f"a unit has {len(moved.parts)} parts of its field that may be reversed by themselves, above {MOST_PARTS}")
        images += [(frozenset[int]().union(*chosen), 1) for size in range(len(moved.parts) + 1) for chosen in combinations(moved.parts, size)]
    if -1 in coefficients:
        images.append((moved.field, -1))
    return Unit(index + 1, position, slope, frozenset(weights), weights, int(2 * least), coefficients, tuple(images), moved.parts)


__all__ = ["Image", "Node", "Pixels", "Reversals", "Unit", "joined", "reversals", "singular_units", "units_at"]
