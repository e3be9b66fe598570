r"""The linear regions of a ReLU network in a box: cells, affine maps, facets and the jumps of the gradient, all exact rationals.

The box is cut neuron by neuron (:mod:`symspec.polyhedral_complex`), layer after layer: on the complex of the layers before, a neuron's input is continuous and affine on
every cell. On the cell :math:`P_\varepsilon` the network is :math:`W_\varepsilon\cdot x+b_\varepsilon`; on the facet F between two cells the gradient jumps by
a multiple of the normal, :math:`W_{\varepsilon'}-W_\varepsilon=j_Fn_F`, with :math:`n_F` the primitive integer normal that points from :math:`P_\varepsilon` to
:math:`P_{\varepsilon'}`. So the Laplacian of f inside the box is a measure on the facets, of density :math:`J_F=j_F|n_F|`.

**No square roots.** The vector area of a facet is :math:`A_F=a_Fn_F` with a rational :math:`a_F`, hence :math:`J_F\,\mathrm{vol}(F)=j_Fa_F|n_F|^2` is rational, and so are
:math:`TV(\nabla f)=\sum_F|J_F|\mathrm{vol}(F)` and all the coefficients of the Fourier transform.

**Cancellation.** At every ridge R (face of codimension 2) inside the box the jump-weighted conormals of the facets about R cancel,
:math:`\sum_{F\supset R}J_F\,\nu_F(R)=0`. Turned by a right angle in the plane orthogonal to R this reads :math:`\sum_F\pm j_Fn_F=0`, the sign being the side of F to which
:math:`n_F` points, counterclockwise about R. :meth:`LinearRegions.check` proves it from the vertices alone, with the continuity of f across every facet.

>>> from symspec.relu_networks import relu_network
>>> net = relu_network([([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[1, 1, -2]], [0])])
>>> regions = net.linear_regions([(-1, 1), (-1, 1)])
>>> len(regions), len(regions.kinks), regions.total_variation
(5, 5, Fraction(8, 1))
>>> regions.check()
>>> regions.cell_at(["1/2", "3/4"]).gradient
(Fraction(-1, 1), Fraction(-1, 1))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy
from flint import fmpq, fmpq_mat

from .errors import InputError, Refuted
from .exact import decimal_above
from .relu_networks import rational_number

if TYPE_CHECKING:
    from .ray_transforms import ExceptionalSpace, RayTransform

# Products of residues stay below 2^63.
PRIME = 2**31 - 1
Point = tuple[Fraction, ...]
Basis = tuple[tuple[fmpq, ...], ...]


@dataclass(frozen=True)
class Cell:
    """A polytope on which the network is gradient . x + constant; ``vertices`` and ``simplices`` (a triangulation) are indices of vertices."""

    vertices: tuple[int, ...]
    simplices: tuple[tuple[int, ...], ...]
    gradient: Point
    constant: Fraction


@dataclass(frozen=True)
class Facet:
    """A face of codimension 1: of two cells inside the box, of one on its boundary.

    ``normal`` is a primitive integer vector that points from cells[0] to cells[1], or out of the box; the gradient of cells[1] is that of cells[0] plus
    ``jump`` times the normal (0 on the boundary of the box). The simplex ``simplices[i]`` has the vector area ``areas[i]`` times the normal.
    """

    vertices: tuple[int, ...]
    simplices: tuple[tuple[int, ...], ...]
    cells: tuple[int, ...]
    normal: tuple[int, ...]
    jump: Fraction
    areas: tuple[Fraction, ...]

    @cached_property
    def weight(self) -> Fraction:
        """J_F vol(F), a rational number."""
        return self.jump * sum(self.areas, Fraction(0)) * sum(n * n for n in self.normal)


@dataclass(frozen=True, repr=False)
class LinearRegions:
    """A piecewise linear function on a box; see the module docstring.

    ``vertices`` are points, ``values`` those of the function at them, ``facets`` lie inside the box, also where the gradient does not jump;
    ``boundary`` are those on the boundary of the box. ``ridges`` are the faces of codimension 2 inside the box: vertices, and numbers of the facets around.
    ``kink_faces[c - 1]`` are the faces of codimension c < d of facets with a jump, by their vertices. ``counts`` are the numbers of faces of dimension 0, ..., d.
    """

    box: tuple[tuple[Fraction, Fraction], ...]
    vertices: tuple[Point, ...]
    values: tuple[Fraction, ...]
    cells: tuple[Cell, ...]
    facets: tuple[Facet, ...]
    boundary: tuple[Facet, ...]
    ridges: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    kink_faces: tuple[tuple[tuple[int, ...], ...], ...]
    counts: tuple[int, ...]

    def __repr__(self) -> str:
        return f"<{self}>"

    def __len__(self) -> int:
        return len(self.cells)

    def __str__(self) -> str:
        return f"{len(self)} linear regions in dimension {self.dimension}: {len(self.kinks)} facets with a jump, {len(self.vertices)} vertices"

    @property
    def dimension(self) -> int:
        return len(self.box)

    @cached_property
    def kinks(self) -> tuple[Facet, ...]:
        """The facets inside the box on which the gradient jumps."""
        return tuple(facet for facet in self.facets if facet.jump)

    @cached_property
    def kink_simplices(self) -> tuple[tuple[tuple[int, ...], fmpq], ...]:
        """The simplices of all kinks, each with J_F times its volume."""
        found = []
        for facet in self.kinks:
            square = sum(n * n for n in facet.normal)
            found += [(simplex, _fmpq(facet.jump * area * square)) for simplex, area in zip(facet.simplices, facet.areas, strict=True)]
        return tuple(found)

    @cached_property
    def _residues(self) -> tuple[numpy.ndarray, numpy.ndarray] | None:
        """The vertices modulo a prime, and the kinks' simplices; None where a denominator is a multiple of it."""
        if any(x.denominator % PRIME == 0 for vertex in self.vertices for x in vertex):
            return None
        residues = [[x.numerator * pow(x.denominator, -1, PRIME) % PRIME for x in vertex] for vertex in self.vertices]
        return numpy.array(residues, dtype=numpy.int64), numpy.array([simplex for simplex, _ in self.kink_simplices], dtype=numpy.int64).reshape(-1, self.dimension)

    def level_simplices(self, kappa: Point, multiplicity: int) -> list[int]:
        """Numbers of the simplices of kinks of which ``multiplicity`` vertices may have one height over kappa: equal heights have equal residues."""
        if self._residues is None or any(x.denominator % PRIME == 0 for x in kappa):
            return list(range(len(self.kink_simplices)))
        vertices, simplices = self._residues
        direction = numpy.array([x.numerator * pow(x.denominator, -1, PRIME) % PRIME for x in kappa], dtype=numpy.int64)
        heights = numpy.zeros(len(vertices), dtype=numpy.int64)
        for axis in range(self.dimension):
            heights = (heights + vertices[:, axis] * direction[axis]) % PRIME
        rows = numpy.sort(heights[simplices], axis=1)
        level = rows[:, multiplicity - 1 :] == rows[:, : self.dimension - multiplicity + 1]
        return [int(number) for number in numpy.nonzero(level.any(axis=1))[0]]

    @cached_property
    def kink_directions(self) -> tuple[dict[Basis, int], ...]:
        """For every codimension c < d the reduced bases of the directions of ``kink_faces``, and how many faces share each."""
        found = []
        for faces in self.kink_faces:
            bases = (direction_basis([self.vertices[v] for v in face]) for face in faces)
            found.append(dict(Counter(tuple(tuple(row) for row in basis) for basis in bases)))
        return tuple(found)

    @cached_property
    def pieces(self) -> int:
        """How many different affine maps there are, at most the number of cells."""
        return len({(cell.gradient, cell.constant) for cell in self.cells})

    @cached_property
    def total_variation(self) -> Fraction:
        """TV(grad f) = sum of |J_F| vol(F) over the facets inside the box: the constant of |f~(k)| <= TV/|k|^2 for the network's own part."""
        return _fraction(_exact_sum([abs(weight) for _, weight in self.kink_simplices]))

    @cached_property
    def integral(self) -> Fraction:
        """The integral of f over the box."""
        parts = []
        for cell in self.cells:
            for simplex in cell.simplices:
                edges = [[_fmpq(x - y) for x, y in zip(self.vertices[v], self.vertices[simplex[0]], strict=True)] for v in simplex[1:]]
                heights = sum((_fmpq(self.values[v]) for v in simplex), fmpq(0))
                parts.append(abs(fmpq_mat(edges).det()) * heights)
        return _fraction(_exact_sum(parts)) / factorial(self.dimension + 1)

    def cell_at(self, point: Sequence[Any]) -> Cell:
        """A cell that holds the point. InputError for a point outside the box."""
        x = self._point(point)
        for index, cell in enumerate(self.cells):
            if all(side * self._height(facet, x) <= 0 for facet, side in self._sides[index]):
                return cell
        raise InputError(f"the point ({', '.join(map(str, x))}) is outside the box")

    def __call__(self, point: Sequence[Any]) -> Fraction:
        """The value of f at a point of the box."""
        cell = self.cell_at(point)
        return sum((w * x for w, x in zip(cell.gradient, self._point(point), strict=True)), cell.constant)

    def check(self) -> None:
        """Prove that f is continuous across every facet and that the jumps cancel at every ridge. Refuted says where they do not."""
        for number, facet in enumerate(self.facets):
            first, second = (self.cells[i] for i in facet.cells)
            if any(w + facet.jump * n != u for w, n, u in zip(first.gradient, facet.normal, second.gradient, strict=True)):
                raise Refuted(f"facet {number}: the jump of the gradient is not {facet.jump} times its normal")
            for v in facet.vertices:
                if any(_affine(cell, self.vertices[v]) != self.values[v] for cell in (first, second)):
                    raise Refuted(f"facet {number}: the two affine maps differ at a vertex")
        for vertices, around in self.ridges:
            total = [Fraction(0)] * self.dimension
            for number in around:
                facet = self.facets[number]
                turn = self._turn(vertices, facet)
                total = [t + turn * facet.jump * n for t, n in zip(total, facet.normal, strict=True)]
            if any(total):
                raise Refuted(f"the jumps do not cancel at the ridge with vertices {vertices}")

    def statement(self) -> str:
        """The bound of the network's own part as a theorem, in LaTeX."""
        return rf"\[ \bigl|\tilde f(k)\bigr|\le\frac{{{decimal_above(self.total_variation)}}}{{|k|^2}}\qquad(k\ne0). \]"

    def decay(self, direction: Sequence[Any]) -> RayTransform:
        """The exact transform of the network's own part along a ray, and its decay; see :mod:`symspec.ray_transforms`."""
        from .ray_transforms import ray_transform

        return ray_transform(self, direction)

    def exceptional_directions(self) -> tuple[ExceptionalSpace, ...]:
        """The normal spaces of all faces that are no vertices: outside them the transform decays as in every generic direction."""
        from .ray_transforms import exceptional_spaces

        return exceptional_spaces(self)

    def _point(self, point: Sequence[Any]) -> Point:
        x = tuple(rational_number(entry, "point") for entry in point)
        if len(x) != self.dimension:
            raise InputError(f"the point has {len(x)} coordinates, the box {self.dimension}")
        return x

    def _height(self, facet: Facet, x: Point) -> Fraction:
        return sum((n * (a - b) for n, a, b in zip(facet.normal, x, self.vertices[facet.vertices[0]], strict=True)), Fraction(0))

    @cached_property
    def _sides(self) -> list[list[tuple[Facet, int]]]:
        """For every cell its facets, with 1 where the normal points out of it."""
        found: list[list[tuple[Facet, int]]] = [[] for _ in self.cells]
        for facet in (*self.facets, *self.boundary):
            for cell, side in zip(facet.cells, (1, -1), strict=False):
                found[cell].append((facet, side))
        return found

    def _turn(self, ridge: tuple[int, ...], facet: Facet) -> int:
        """1 if the normal of the facet points counterclockwise about the ridge, -1 if clockwise."""
        base = self.vertices[ridge[0]]
        out = next(v for v in facet.vertices if v not in ridge)
        rows = [*self._span(ridge), [_fmpq(x - y) for x, y in zip(self.vertices[out], base, strict=True)], [fmpq(n) for n in facet.normal]]
        return 1 if fmpq_mat(rows).det() > 0 else -1

    def _span(self, face: tuple[int, ...]) -> list[list[fmpq]]:
        """A basis of the directions of a face, the same for every facet about it."""
        return direction_basis([self.vertices[v] for v in face])


def direction_basis(points: Sequence[Point]) -> list[list[fmpq]]:
    """The reduced basis of the differences of some points: the same for all faces that are parallel."""
    differences = [[_fmpq(x - y) for x, y in zip(point, points[0], strict=True)] for point in points[1:]]
    if not differences:
        return []
    reduced, rank = fmpq_mat(differences).rref()
    return [[reduced[i, j] for j in range(reduced.ncols())] for i in range(rank)]


def _exact_sum(values: list[fmpq]) -> fmpq:
    """The sum by halves: denominators grow, so that adding one by one would take a time quadratic in their number."""
    if len(values) <= 1:
        return values[0] if values else fmpq(0)
    middle = len(values) // 2
    return _exact_sum(values[:middle]) + _exact_sum(values[middle:])


def _affine(cell: Cell, x: Point) -> Fraction:
    return sum((w * y for w, y in zip(cell.gradient, x, strict=True)), cell.constant)


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: Any) -> Fraction:
    number = fmpq(value)
    return Fraction(int(number.p), int(number.q))


__all__ = ["Basis", "Cell", "Facet", "LinearRegions", "Point", "direction_basis"]
