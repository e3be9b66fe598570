"""From a network and a box to the record of its linear regions: cutting, triangulating, affine maps and facets.

>>> from symspec.relu_networks import relu_network
>>> hat = relu_network([([[1], [1], [1]], [1, 0, -1]), ([[1, -2, 1]], [0])])
>>> [(facet.vertices, facet.jump) for facet in linear_regions(hat, [(-2, 2)]).kinks]
[((2,), Fraction(1, 1)), ((3,), Fraction(-2, 1)), ((4,), Fraction(1, 1))]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import factorial, gcd, lcm
from typing import Any

from flint import fmpq, fmpq_mat, fmpz_mat

from .errors import InputError
from .linear_regions import Cell, Facet, LinearRegions, Point
from .polyhedral_complex import FaceLattice
from .relu_networks import ReluNetwork, rational_number

BUDGET = 500_000


def linear_regions(network: ReluNetwork, box: Iterable[Any], output: int = 0, budget: int = BUDGET) -> LinearRegions:
    """The complex of one output of a network in a box, a pair (low, high) for every input.

    ``budget`` bounds the number of faces of all dimensions. Raises InputError for a box that is empty or of another dimension, ComplexTooLarge past the budget.
    """
    if not 0 <= output < network.outputs:
        raise InputError(f"output {output} does not exist: the network has {network.outputs}")
    sides = _sides_of(box, network.inputs)
    lattice = FaceLattice.box(sides, budget)
    cut_by_network(network, lattice)
    return _Assembly(lattice, sides, output).regions()


def cut_by_network(network: ReluNetwork, lattice: FaceLattice) -> None:
    """Cut a complex whose functions are the coordinates by every neuron; its functions become the outputs."""
    for index, layer in enumerate(network.layers):
        d = lattice.dimension
        columns = list(lattice.columns.values())
        image = layer.apply(fmpz_mat(layer.inputs + 1, len(columns), [column[i] for i in range(d, d + layer.inputs + 1) for column in columns])).entries()
        count = len(columns)
        lattice.set_values([image[j : layer.outputs * count : count] for j in range(count)], layer.denominator)
        if index + 1 < len(network.layers):
            p, q = network.slope.numerator, network.slope.denominator
            if p != q:
                for neuron in range(layer.outputs):
                    lattice.cut(neuron)
            lattice.set_values([[z * q if z > 0 else z * p for z in column[d:-1]] for column in lattice.columns.values()], q)


def _sides_of(box: Iterable[Any], inputs: int) -> tuple[tuple[Fraction, Fraction], ...]:
    sides = []
    for number, side in enumerate(box, start=1):
        try:
            low, high = side
        except (TypeError, ValueError):
            raise InputError(f"side {number} of the box must be a pair (low, high)") from None
        a, b = rational_number(low, "box"), rational_number(high, "box")
        if not a < b:
            raise InputError(f"the box is empty: side {number} is [{low}, {high}]")
        sides.append((a, b))
    if len(sides) != inputs:
        raise InputError(f"the box has {len(sides)} sides, the network takes {inputs} inputs")
    return tuple(sides)


class Pieces:
    """The faces of a complex with their vertices, triangulations, and the affine maps of one output on its cells. Vertices may lie at infinity."""

    def __init__(self, lattice: FaceLattice, output: int) -> None:
        self.lattice, self.d = lattice, lattice.dimension
        self.numbers = {vertex: i for i, vertex in enumerate(lattice.columns)}
        self.columns = [[*column[: self.d], column[self.d + output], column[-1]] for column in lattice.columns.values()]
        self.members: list[dict[int, frozenset[int]]] = [{v: frozenset((self.numbers[v],)) for v in lattice.faces[0]}]
        for k in range(1, self.d + 1):
            self.members.append({face: frozenset().union(*(self.members[k - 1][g] for g in facets)) for face, facets in lattice.faces[k].items()})
        self.triangulations: dict[int, tuple[tuple[int, ...], ...]] = {}

    def owners(self) -> dict[int, list[int]]:
        """For every face of codimension 1 the positions of its one or two cells."""
        found: dict[int, list[int]] = {face: [] for face in self.lattice.faces[self.d - 1]}
        for index, facets in enumerate(self.lattice.faces[self.d].values()):
            for face in facets:
                found[face].append(index)
        return found

    def triangulated(self, k: int, face: int) -> tuple[tuple[int, ...], ...]:
        """Pulling the first vertex: its joins with the facets that do not hold it. Shared faces are cut in the same way from both sides."""
        if face not in self.triangulations:
            first = min(self.members[k][face])
            if k == 0:
                self.triangulations[face] = ((first,),)
            else:
                rest = (self.triangulated(k - 1, g) for g in self.lattice.faces[k][face] if first not in self.members[k - 1][g])
                self.triangulations[face] = tuple((first, *simplex) for part in rest for simplex in part)
        return self.triangulations[face]

    def affine_map(self, simplex: tuple[int, ...]) -> tuple[Point, Fraction]:
        """The affine function with the right values at d+1 points in general position."""
        rows = [self.columns[v] for v in simplex]
        matrix = fmpz_mat([[*row[: self.d], row[-1]] for row in rows])
        solution = [_fraction(x) for x in matrix.solve(fmpz_mat([[row[-2]] for row in rows])).entries()]
        return tuple(solution[:-1]), solution[-1]


class _Assembly(Pieces):
    """From the face lattice with the values of the last layer to the finished record."""

    def __init__(self, lattice: FaceLattice, sides: tuple[tuple[Fraction, Fraction], ...], output: int) -> None:
        super().__init__(lattice, output)
        self.sides = sides
        self.points = [tuple(Fraction(int(x), int(c[-1])) for x in c[: self.d]) for c in self.columns]

    def regions(self) -> LinearRegions:
        d, faces = self.d, self.lattice.faces
        cells = tuple(self._cell(face) for face in faces[d])
        owners = self.owners()
        inner = {face: i for i, face in enumerate(face for face in owners if len(owners[face]) == 2)}
        facets = {face: self._facet(face, owners[face], cells) for face in inner}
        return LinearRegions(
            self.sides,
            tuple(self.points),
            tuple(Fraction(int(c[-2]), int(c[-1])) for c in self.columns),
            cells,
            tuple(facets.values()),
            tuple(self._facet(face, own, cells) for face, own in owners.items() if len(own) == 1),
            tuple(self._ridges(inner)),
            tuple(self._kink_faces([face for face, facet in facets.items() if facet.jump])),
            self.lattice.counts,
        )

    def _ridges(self, inner: dict[int, int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The ridges that meet no facet on the boundary of the box."""
        if self.d < 2:
            return
        around: dict[int, list[int]] = {ridge: [] for ridge in self.lattice.faces[self.d - 2]}
        outer = set()
        for face, ridges in self.lattice.faces[self.d - 1].items():
            for ridge in ridges:
                if face in inner:
                    around[ridge].append(inner[face])
                else:
                    outer.add(ridge)
        for ridge, facets in around.items():
            if ridge not in outer:
                yield tuple(sorted(self.members[self.d - 2][ridge])), tuple(facets)

    def _kink_faces(self, level: list[int]) -> Iterator[tuple[tuple[int, ...], ...]]:
        for k in range(self.d - 1, 0, -1):
            yield tuple(tuple(sorted(self.members[k][face])) for face in level)
            level = list(dict.fromkeys(g for face in level for g in self.lattice.faces[k][face]))

    def _cell(self, face: int) -> Cell:
        simplices = self.triangulated(self.d, face)
        gradient, constant = self.affine_map(simplices[0])
        return Cell(tuple(sorted(self.members[self.d][face])), simplices, gradient, constant)

    def _facet(self, face: int, own: list[int], cells: tuple[Cell, ...]) -> Facet:
        members = self.members[self.d - 1][face]
        simplices = self.triangulated(self.d - 1, face)
        vectors = [_vector_area([self.points[v] for v in simplex]) for simplex in simplices]
        normal = _primitive(vectors[0])
        inside = next(v for v in cells[own[0]].vertices if v not in members)
        height = sum(n * (x - y) for n, x, y in zip(normal, self.points[inside], self.points[next(iter(members))], strict=True))
        if height > 0:
            normal = tuple(-n for n in normal)
        axis = next(i for i, n in enumerate(normal) if n)
        areas = tuple(abs(vector[axis] / normal[axis]) for vector in vectors)
        jump = (cells[own[1]].gradient[axis] - cells[own[0]].gradient[axis]) / normal[axis] if len(own) == 2 else Fraction(0)
        return Facet(tuple(sorted(members)), simplices, tuple(own), normal, jump, areas)


def _vector_area(points: Sequence[Point]) -> list[Fraction]:
    """The generalised cross product of the edges over (d-1)!: a normal vector whose length is the volume."""
    d = len(points[0])
    edges = [[x - y for x, y in zip(point, points[0], strict=True)] for point in points[1:]]
    scale = factorial(d - 1)
    return [x / scale for x in cross_product(edges, d)]


def cross_product(edges: Sequence[Sequence[Fraction]], d: int) -> list[Fraction]:
    """The vector orthogonal to d - 1 vectors whose length is the volume of their parallelotope."""
    return [(-1) ** i * _minor(edges, [j for j in range(d) if j != i]) for i in range(d)]


def _minor(rows: Sequence[Sequence[Fraction]], columns: Sequence[int]) -> Fraction:
    if not rows:
        return Fraction(1)
    return _fraction(fmpq_mat([[_fmpq(row[j]) for j in columns] for row in rows]).det())


def _primitive(vector: Sequence[Fraction]) -> tuple[int, ...]:
    scale = lcm(*(x.denominator for x in vector))
    entries = [x.numerator * (scale // x.denominator) for x in vector]
    common = gcd(*entries)
    return tuple(entry // common for entry in entries)


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _fraction(value: Any) -> Fraction:
    number = fmpq(value)
    return Fraction(int(number.p), int(number.q))


__all__ = ["BUDGET", "Pieces", "cross_product", "cut_by_network", "linear_regions"]
