r"""The Fourier transform of a piecewise linear function along a ray, exactly, and how it decays in every direction.

With :math:`\tilde f(k)=\int f\,e^{-ik\cdot x}dx` the network's own part in a box, that of the facets F inside it, is (:mod:`symspec.linear_regions`)

.. math:: \tilde f(k)=-\frac1{|k|^2}\sum_FJ_F\int_Fe^{-ik\cdot x}
          =-\frac1{|k|^2}\sum_F\sum_{S\subset F}(d-1)!\,j_Fa_S|n_F|^2\exp[-ik\cdot v_0,\dots,-ik\cdot v_{d-1}],

S the simplices of a triangulation, with the divided difference of exp (Hermite–Genocchi). Along the ray :math:`k=t\kappa` the nodes are :math:`cs_j`, :math:`c=-it`,
:math:`s_j=\kappa\cdot v_j` rational, and a node s of multiplicity m contributes, by the residue at s,

.. math:: \sum_{r<m}\frac{h^{(m-1-r)}(s)}{r!\,(m-1-r)!}\,c^{\,r-d+1}e^{cs},\qquad h(w)=\prod_{s_j\ne s}(w-s_j)^{-1}.

Summed over all simplices, with everything rational: :math:`\tilde f(t\kappa)=-(t|\kappa|)^{-2}\sum_s\sum_pC_{s,p}\,(-it)^{-p}e^{-its}`. An almost periodic function with a
coefficient other than 0 does not tend to 0, so :math:`\tilde f(t\kappa)` is of the exact order :math:`t^{-2-p}`, p the least with some :math:`C_{s,p}\ne0`: **decided**, cancellations included.

The geometric bound of Rahaman et al. (arXiv 1806.08734) and Diaz, Le and Robins: a direction normal to a face of codimension :math:`\Delta` and to none of smaller codimension
has order at least :math:`\Delta+1`; it may be larger, as where the kinks of one-layer networks cross.

>>> from symspec.relu_networks import relu_network
>>> net = relu_network([([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[1, 1, -2]], [0])])
>>> regions = net.linear_regions([(-1, 1), (-1, 2)])
>>> regions.decay([1, 1]).order, regions.decay([2, 1]).order
(2, 3)
>>> [(space.codimension, space.basis, space.order) for space in regions.exceptional_directions()]
[(1, ((1, 0),), 2), (1, ((0, 1),), 2), (1, ((1, 1),), 2)]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import factorial, gcd, lcm
from typing import Any

import sympy
from flint import fmpq, fmpq_mat

from .errors import InputError
from .exact import decimal_above
from .linear_regions import Basis, LinearRegions, Point
from .relu_networks import rational_number

LONGEST_COORDINATE = 40


@dataclass(frozen=True)
class RayTransform:
    r"""The network's own part on the ray t * direction, t > 0.

    ``terms`` maps (s, p) to C_{s,p} != 0 of the module docstring; ``codimension`` is the least codimension of a face, of those with a jump, that the direction is normal to.
    """

    direction: Point
    terms: dict[tuple[Fraction, int], Fraction] = field(repr=False)
    codimension: int

    @cached_property
    def power(self) -> int | None:
        return min((p for _, p in self.terms), default=None)

    @property
    def order(self) -> int | None:
        """The exact order e of f~(t direction) ~ t^(-e), or None where the transform is 0 on the whole ray."""
        return None if self.power is None else self.power + 2

    @property
    def bound_order(self) -> int:
        """The order that the geometry alone guarantees: 1 plus the codimension."""
        return self.codimension + 1

    @cached_property
    def constant(self) -> Fraction:
        """limsup t^order |f~(t direction)| is at most this: the sum of the leading coefficients over |direction|^2."""
        leading = sum((abs(value) for (_, p), value in self.terms.items() if p == self.power), Fraction(0))
        return leading / sum(x * x for x in self.direction)

    def expression(self, t: sympy.Expr) -> sympy.Expr:
        """The transform at t * direction in closed form, t > 0."""
        square = sum((x * x for x in self.direction), Fraction(0))
        waves = [_rational(value) * (-sympy.I * t) ** (-p) * sympy.exp(-sympy.I * t * _rational(s)) for (s, p), value in self.terms.items()]
        return -sympy.Add(*waves) / (_rational(square) * t**2)

    def statement(self) -> str:
        """The decay as a theorem, in LaTeX."""
        kappa = rf"({','.join(_coordinate(x) for x in self.direction)})"
        if self.order is None:
            return rf"\[ \tilde f(t\kappa)=0\quad(t>0),\qquad \kappa={kappa}. \]"
        bound = decimal_above(self.constant)
        return rf"\[ 0<\limsup_{{t\to\infty}}t^{{{self.order}}}\,\bigl|\tilde f(t\kappa)\bigr|\le {bound},\qquad \kappa={kappa}. \]"


@dataclass(frozen=True)
class ExceptionalSpace:
    """The directions normal to a face: ``basis`` of the normal space (primitive integers), its ``codimension``, how many ``faces`` share it.

    The direction ``sample`` of the space is a generic one.
    """

    codimension: int
    basis: tuple[tuple[int, ...], ...]
    faces: int
    regions: LinearRegions = field(repr=False)

    @cached_property
    def sample(self) -> Point:
        return _generic(self.basis, self.regions)

    @cached_property
    def order(self) -> int | None:
        """The exact order of decay at the sample, decided when it is asked for."""
        return _order(self.regions, self.sample, self.codimension)


def ray_transform(regions: LinearRegions, direction: Sequence[Any]) -> RayTransform:
    """The exact transform of the network's own part along a ray. InputError for a direction that is zero or of another dimension."""
    kappa = tuple(rational_number(entry, "direction") for entry in direction)
    if len(kappa) != regions.dimension:
        raise InputError(f"the direction has {len(kappa)} coordinates, the regions are in dimension {regions.dimension}")
    if not any(kappa):
        raise InputError("the direction is zero: a ray needs one that is not")
    terms = _terms(regions, kappa, range(len(regions.kink_simplices)))
    return RayTransform(kappa, {key: value for key, value in sorted(terms.items()) if value}, _codimension(regions, kappa))


def _terms(regions: LinearRegions, kappa: Point, chosen: Iterable[int]) -> dict[tuple[Fraction, int], Fraction]:
    """The sums C_{s,p} over some of the simplices of the kinks."""
    direction = [fmpq(x.numerator, x.denominator) for x in kappa]
    heights: dict[int, fmpq] = {}
    sums: dict[tuple[fmpq, int], fmpq] = {}
    for number in chosen:
        simplex, weight = regions.kink_simplices[number]
        for v in simplex:
            if v not in heights:
                heights[v] = sum((a * fmpq(b.numerator, b.denominator) for a, b in zip(direction, regions.vertices[v], strict=True)), fmpq(0))
        for s, p, value in divided_difference_terms([heights[v] for v in simplex]):
            sums[s, p] = sums.get((s, p), fmpq(0)) + weight * value
    scale = factorial(regions.dimension - 1)
    return {(Fraction(int(s.p), int(s.q)), p): Fraction(int(value.p), int(value.q)) * scale for (s, p), value in sums.items()}


def divided_difference_terms(nodes: Sequence[Any]) -> Iterator[tuple[Any, int, Any]]:
    """exp[c s_0, ..., c s_n] as the sum of value c^(-p) e^(c s) over the yielded (s, p, value); nodes are exact rationals of one type."""
    n, one = len(nodes) - 1, nodes[0] * 0 + 1
    for s in dict.fromkeys(nodes):
        m = nodes.count(s)
        taylor = _taylor([s - other for other in nodes if other != s], m, one)
        for r in range(m):
            yield s, n - r, taylor[m - 1 - r] / factorial(r)


def _taylor(distances: Sequence[Any], length: int, one: Any) -> list[Any]:
    """Coefficients of prod 1/(distance + w) in w."""
    series = [one] + [one * 0] * (length - 1)
    for distance in distances:
        previous = one * 0
        for i, value in enumerate(series):
            previous = (value - previous) / distance
            series[i] = previous
    return series


def _codimension(regions: LinearRegions, kappa: Point) -> int:
    """The least codimension of a face of a kink to which kappa is normal; vertices have codimension d."""
    vector = [fmpq(x.numerator, x.denominator) for x in kappa]
    for codimension, spaces in enumerate(regions.kink_directions, start=1):
        for basis in spaces:
            if all(sum((a * b for a, b in zip(row, vector, strict=True)), fmpq(0)) == 0 for row in basis):
                return codimension
    return regions.dimension


def exceptional_spaces(regions: LinearRegions) -> tuple[ExceptionalSpace, ...]:
    """Normal spaces of the faces of kinks of dimension at least 1, those of facets first, the most frequent first."""
    found = []
    for codimension, spaces in enumerate(regions.kink_directions, start=1):
        for basis, count in sorted(spaces.items(), key=lambda item: -item[1]):
            found.append(ExceptionalSpace(codimension, _normal_basis(basis, regions.dimension), count, regions))
    return tuple(found)


def _order(regions: LinearRegions, kappa: Point, codimension: int) -> int | None:
    """The exact order in a direction of known codimension c: c + 1 if a leading coefficient, p = c - 1, does not vanish.

    A node of multiplicity m has terms with p >= d - m, so only simplices with d - c + 1 vertices of equal height count; they are found modulo a prime, which leaves none out.
    """
    leading = _terms(regions, kappa, regions.level_simplices(kappa, regions.dimension - codimension + 1))
    if any(value for (_, p), value in leading.items() if p == codimension - 1):
        return codimension + 1
    return ray_transform(regions, kappa).order


def _normal_basis(basis: Basis, d: int) -> tuple[tuple[int, ...], ...]:
    """Primitive integer vectors that span the orthogonal complement: the kernel, read off the reduced basis."""
    if not basis:
        return tuple(tuple(int(i == j) for j in range(d)) for i in range(d))
    reduced, rank = fmpq_mat([list(row) for row in basis]).rref()
    pivots = [next(j for j in range(d) if reduced[i, j] != 0) for i in range(rank)]
    found = []
    for free in (j for j in range(d) if j not in pivots):
        vector = [fmpq(0)] * d
        vector[free] = fmpq(1)
        for i, pivot in enumerate(pivots):
            vector[pivot] = -reduced[i, free]
        scale = lcm(*(int(x.q) for x in vector))
        entries = [int(x.p) * (scale // int(x.q)) for x in vector]
        common = gcd(*entries)
        found.append(tuple(entry // common for entry in entries))
    return tuple(found)


def generic_direction(regions: LinearRegions) -> Point:
    """A direction that is normal to no face of a kink but vertices."""
    return _generic(tuple(tuple(int(i == j) for j in range(regions.dimension)) for i in range(regions.dimension)), regions)


def _generic(normals: tuple[tuple[int, ...], ...], regions: LinearRegions) -> Point:
    """An integer combination of the vectors that is normal to no face of smaller codimension; only finitely many hyperplanes are to be avoided."""
    reach = 1
    while True:
        for weights in product(range(1, reach + 1), repeat=len(normals)):
            if max(weights) < reach:
                continue
            vector = tuple(Fraction(sum(w * n[i] for w, n in zip(weights, normals, strict=True))) for i in range(regions.dimension))
            if _codimension(regions, vector) == len(normals):
                return vector
        reach += 1


def _coordinate(value: Fraction) -> str:
    """LaTeX of a coordinate, cut off where it is long."""
    text = sympy.latex(_rational(value))
    return text if len(text) <= LONGEST_COORDINATE else rf"{sympy.latex(_rational(value).evalf(8))}\ldots"


def _rational(value: Fraction) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)


__all__ = ["ExceptionalSpace", "RayTransform", "divided_difference_terms", "exceptional_spaces", "generic_direction", "ray_transform"]
