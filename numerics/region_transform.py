r"""Fourier transforms of piecewise linear functions in a box of any dimension, in balls.

For f on a box B (:mod:`symspec.linear_regions`) and :math:`k\ne0`, Green's formula twice gives

.. math:: \int_Bfe^{-ik\cdot x}dx=\underbrace{-\frac1{|k|^2}\sum_FJ_F\int_Fe^{-ik\cdot x}}_{\text{the network's own part}}
          \;-\frac1{|k|^2}\int_{\partial B}\bigl(-i(k\cdot n)f-\partial_nf\bigr)e^{-ik\cdot x},

F the facets inside the box, n the outer normal. The first part is bounded by :math:`TV(\nabla f)/|k|^2` for every k; the boundary adds terms of order 1/|k| where f does not vanish there, and
is kept apart. All facets are cut into simplices with rational vector areas, so both parts are sums of divided differences of exp (:mod:`numerics.divided_exponential`) with
rational coefficients: right in every direction, whether k is orthogonal to a face, nearly so, or not.

>>> from symspec.relu_networks import relu_network
>>> net = relu_network([([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[1, 1, -2]], [0])])
>>> regions = net.linear_regions([(-1, 1), (-1, 1)])
>>> parts = fourier_parts(regions, [1, 2], digits=20)
>>> print(parts.interior.real.str(15, radius=False), parts.total.imag.str(15, radius=False))
-0.464186725674067 -0.765177182979125
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import Any, TypeVar

import sympy
from flint import acb, arb, fmpq

from symspec.errors import InputError, Undecided
from symspec.exact import exact, is_zero, natural
from symspec.linear_regions import LinearRegions

from .constants import ball, rational
from .divided_exponential import divided_exponential, wave
from .precision import goal_bits, working_precision

GUARD = 32
MAX_BITS = 100_000
Result = TypeVar("Result")


@dataclass(frozen=True)
class FourierParts:
    """The network's own part, from the facets inside the box, and what the boundary of the box adds: complex balls."""

    interior: acb
    boundary: acb

    @property
    def total(self) -> acb:
        """The transform of f on the box and 0 outside."""
        with working_precision(_bits(self.interior, self.boundary)):
            return self.interior + self.boundary


@dataclass(frozen=True)
class _Waves:
    """The nodes k.v and waves e^(-ik.v) of all vertices, k and |k|^2 at the working precision."""

    k: list[arb]
    square: arb
    nodes: list[arb]
    waves: list[acb]

    def divided(self, simplex: Sequence[int], *again: int) -> acb:
        chosen = [*simplex, *again]
        return divided_exponential([self.nodes[v] for v in chosen], [self.waves[v] for v in chosen])


@dataclass(frozen=True)
class _Terms:
    """All coefficients, exact: simplices of kinks with J_F vol, and those of the boundary with their vector area, the flux of the gradient through them, and the values at their vertices."""

    vertices: tuple[tuple[fmpq, ...], ...]
    kinks: tuple[tuple[tuple[int, ...], fmpq], ...]
    boundary: tuple[tuple[tuple[int, ...], tuple[fmpq, ...], fmpq, tuple[fmpq, ...]], ...]
    width: fmpq
    bend: arb
    rise: arb

    @staticmethod
    def of(regions: LinearRegions) -> _Terms:
        boundary = []
        for facet in regions.boundary:
            gradient = regions.cells[facet.cells[0]].gradient
            slope = sum((w * n for w, n in zip(gradient, facet.normal, strict=True)), Fraction(0))
            for simplex, area in zip(facet.simplices, facet.areas, strict=True):
                vector = tuple(_fmpq(area * n) for n in facet.normal)
                boundary.append((simplex, vector, _fmpq(area * slope), tuple(_fmpq(regions.values[v]) for v in simplex)))
        with working_precision(64):
            bend = sum((abs(arb(x)) for x in (*(weight for _, weight in regions.kink_simplices), *(slope for _, _, slope, _ in boundary))), arb(0))
            rise = sum((arb(sum(map(abs, area), fmpq(0)) * max(map(abs, values))) for _, area, _, values in boundary), arb(0))
        vertices = tuple(tuple(_fmpq(x) for x in vertex) for vertex in regions.vertices)
        return _Terms(vertices, regions.kink_simplices, tuple(boundary), _fmpq(max(high - low for low, high in regions.box)), bend, rise)


def region_fourier(regions: LinearRegions, k: Any, digits: Any = 30) -> Any:
    """The transform of f on the box and 0 outside at a vector k of exact numbers (a list of balls at several vectors), good to ``digits`` digits.

    At k = 0 it is the integral. Raises InputError for a vector of another dimension.
    """
    terms = _Terms.of(regions)

    def one(vector: list[sympy.Expr], goal: int) -> acb:
        if all(is_zero(entry) for entry in vector):
            with working_precision(goal + GUARD):
                return acb(arb(_fmpq(regions.integral)))
        return _refined(terms, vector, goal, lambda parts: (parts.interior + parts.boundary,)).total

    return _each(regions, k, digits, one)


def fourier_parts(regions: LinearRegions, k: Any, digits: Any = 30) -> Any:
    """The network's own part and that of the boundary at a vector k != 0 (a list at several), each good to ``digits`` digits.

    A part that is exactly 0, or too small against its terms to be told from 0, is a ball around 0 of radius 10^(-2 digits) times the size of the terms.
    Raises InputError at k = 0, where the parts are distributions, and for a vector of another dimension.
    """
    if not isinstance(regions, LinearRegions):
        raise InputError(f"fourier_parts takes linear regions, as net.linear_regions(box) makes them, not {type(regions).__name__}")

    terms = _Terms.of(regions)

    def one(vector: list[sympy.Expr], goal: int) -> FourierParts:
        if all(is_zero(entry) for entry in vector):
            raise InputError("the parts at frequency 0 are distributions; give k != 0, or take fourier, which is the integral there")
        return _refined(terms, vector, goal, lambda parts: (parts.interior, parts.boundary))

    return _each(regions, k, digits, one)


def _each(regions: LinearRegions, k: Any, digits: Any, one: Callable[[list[sympy.Expr], int], Result]) -> Any:
    goal = goal_bits(natural(digits, "digits", 1))
    if not isinstance(k, Iterable) or isinstance(k, str):
        k = [k]
    entries = list(k)
    several = bool(entries) and isinstance(entries[0], Iterable) and not isinstance(entries[0], str)
    vectors = [[exact(entry, "frequency") for entry in vector] for vector in (entries if several else [entries])]
    for vector in vectors:
        if len(vector) != regions.dimension:
            raise InputError(f"the frequency has {len(vector)} coordinates, the regions are in dimension {regions.dimension}")
    values = [one(vector, goal) for vector in vectors]
    return values if several else values[0]


def _refined(terms: _Terms, k: list[sympy.Expr], goal: int, judged: Callable[[FourierParts], tuple[acb, ...]]) -> FourierParts:
    bits = goal + GUARD
    while bits <= MAX_BITS:
        with working_precision(bits):
            parts, size = _parts(terms, k)
            if all(_good(value, size, goal) for value in judged(parts)):
                return parts
        bits *= 2
    raise Undecided(f"the transform at ({', '.join(map(str, k))}) is not known to {goal} bits at {MAX_BITS} bits")


def _good(value: acb, size: arb, goal: int) -> bool:
    radius = value.real.rad().max(value.imag.rad()) * 2
    return bool(radius <= abs(value).lower() * arb(2) ** -goal or radius <= size.lower() * arb(2) ** (-2 * goal))


def _parts(terms: _Terms, k: list[sympy.Expr]) -> tuple[FourierParts, arb]:
    """Both parts, and the size of their terms."""
    waves = _waves(terms.vertices, k)
    scale = -factorial(len(k) - 1) / waves.square
    interior, boundary = acb(0), acb(0)
    for simplex, weight in terms.kinks:
        interior += waves.divided(simplex) * weight
    for simplex, area, slope, values in terms.boundary:
        flux = sum((x * n for x, n in zip(waves.k, area, strict=True)), arb(0))
        heights = sum((waves.divided(simplex, v) * value for v, value in zip(simplex, values, strict=True) if value), acb(0))
        boundary -= acb(0, 1) * flux * heights + waves.divided(simplex) * slope
    # Far below one wave in the box the terms cancel, and this is what they leave.
    frequency = waves.square.sqrt().max(1 / arb(terms.width))
    return FourierParts(interior * scale, boundary * scale), (terms.bend / frequency + terms.rise) / frequency


def _waves(vertices: tuple[tuple[fmpq, ...], ...], k: list[sympy.Expr]) -> _Waves:
    balls = [ball(entry) for entry in k]
    if all(entry.is_Rational for entry in k):
        # Exact products keep nodes that coincide together.
        numbers = [rational(entry) for entry in k]
        nodes = [arb(sum((a * x for a, x in zip(numbers, vertex, strict=True)), fmpq(0))) for vertex in vertices]
    else:
        nodes = [sum((a * x for a, x in zip(balls, vertex, strict=True)), arb(0)) for vertex in vertices]
    return _Waves(balls, sum((a * a for a in balls), arb(0)), nodes, [wave(node) for node in nodes])


def _bits(*values: acb) -> int:
    """Enough to add the values and lose none of their accuracy."""
    return 64 + max((part.rel_accuracy_bits() for value in values for part in (value.real, value.imag) if part.is_finite() and not part.is_exact()), default=64)


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


__all__ = ["FourierParts", "fourier_parts", "region_fourier"]
