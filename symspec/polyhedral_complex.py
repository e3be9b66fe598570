r"""Polyhedral complexes in exact arithmetic: a box, cut by functions that are affine on every cell.

**Data.** A complex of dimension d is its face lattice: ``faces[k]`` maps the number of a face of dimension k to the numbers of its facets (faces of
dimension k-1). Vertices carry a column of integers in homogeneous coordinates, :math:`(x_1,\dots,x_d,z_1,\dots,z_m,q)`: with q > 0 the point
:math:`x/q` and the values :math:`z/q` there of m functions that are continuous, and affine on every cell; with q = 0 a point at infinity, the direction x.

**Cutting by a function z** needs the signs of z at the vertices and nothing else. In ascending dimension, a face F whose vertices have both signs is
replaced by :math:`F^+`, :math:`F^-` and their common facet :math:`F^0=F\cap\{z=0\}`. An edge is cut at the vertex with the column
:math:`|z_B|A+|z_A|B`. For higher F the facets of :math:`F^0` are the :math:`G^0` of the facets G of F that were cut, and the ridges (facets of facets) of F on which z
vanishes: a facet G of F cannot lie in {z = 0}, for then z would have one sign on F. As z is continuous the pieces fit face to face, so the result is
a complex again; functions that vanish on a whole cell, hyperplanes that coincide and vertices that lie on many of them need no case of their own.
(The incremental construction of arrangements, Edelsbrunner, *Algorithms in Combinatorial Geometry*, 1987, chapter 7, here with piecewise linear
surfaces.)

>>> square = FaceLattice.box([(0, 1), (0, 1)])
>>> square.counts
(4, 4, 1)
>>> square.set_values([[v[0] - v[1]] for v in square.columns.values()])    # the diagonal x = y
>>> square.cut(0)
>>> square.counts
(4, 5, 2)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import lcm

from flint import fmpz, fmpz_mat

from .errors import ComplexTooLarge, InputError

POSITIVE, NEGATIVE = 1, 2
BOTH = POSITIVE | NEGATIVE


class FaceLattice:
    """A polyhedral complex that is being cut. ``budget`` bounds the number of faces of all dimensions together.

    Raises ComplexTooLarge, with the count reached, as soon as the budget is exceeded.
    """

    def __init__(self, dimension: int, columns: dict[int, list[fmpz]], faces: list[dict[int, tuple[int, ...]]], budget: int) -> None:
        self.dimension, self.columns, self.faces, self.budget = dimension, columns, faces, budget
        self._next = 1 + max(number for level in faces for number in level)

    @staticmethod
    def box(sides: Sequence[tuple[Fraction | int, Fraction | int]], budget: int = 10**6) -> FaceLattice:
        """The box with the given sides (low, high), low < high, as a complex with one cell; the functions are the coordinates."""
        d = len(sides)
        if 3**d > budget:
            raise ComplexTooLarge(f"a box in dimension {d} has 3^{d} faces, more than the budget of {budget}; restrict the network to a line or a plane")
        # A face fixes some coordinates at their low (0) or high (1) end and leaves the others (2) free.
        numbers = {code: number for number, code in enumerate(product((0, 1, 2), repeat=d))}
        faces: list[dict[int, tuple[int, ...]]] = [{} for _ in range(d + 1)]
        columns = {}
        for code, number in numbers.items():
            free = [i for i in range(d) if code[i] == 2]
            faces[len(free)][number] = tuple(numbers[(*code[:i], end, *code[i + 1 :])] for i in free for end in (0, 1))
            if not free:
                columns[number] = _homogeneous([Fraction(side[end]) for side, end in zip(sides, code, strict=True)])
        return FaceLattice(d, columns, faces, budget)

    @staticmethod
    def fan(directions: Sequence[Sequence[int]], budget: int = 10**6) -> FaceLattice:
        """All of space as the 2^d cones with apex 0 spanned by the vectors or their opposites, one of each pair; q = 0 at the vertices at infinity."""
        d = len(directions)
        if any(len(vector) != d for vector in directions) or fmpz_mat([list(vector) for vector in directions]).det() == 0:
            raise InputError(f"a fan in dimension {d} takes {d} independent integer vectors")
        if 2 * 3**d > budget:
            raise ComplexTooLarge(f"space of dimension {d} begins as 2*3^{d} faces, more than the budget of {budget}; restrict the network to a line or a plane")
        # A face takes each vector (1), its opposite (0) or neither (2), and the apex or not.
        codes = [(code, apex) for apex in (False, True) for code in product((0, 1, 2), repeat=d) if apex or any(x != 2 for x in code)]
        number = {key: i for i, key in enumerate(codes)}
        faces: list[dict[int, tuple[int, ...]]] = [{} for _ in range(d + 1)]
        columns = {}
        for (code, apex), i in number.items():
            used = [j for j in range(d) if code[j] != 2]
            below = [((*code[:j], 2, *code[j + 1 :]), apex) for j in used] + ([(code, False)] if apex else [])
            dimension = len(used) + apex - 1
            faces[dimension][i] = tuple(number[key] for key in below if key in number) if dimension else ()
            if dimension == 0:
                vector = [fmpz(0)] * d if apex else [fmpz(x) if code[used[0]] else -fmpz(x) for x in directions[used[0]]]
                columns[i] = [*vector, *vector, fmpz(int(apex))]
        return FaceLattice(d, columns, faces, budget)

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of faces of dimension 0, 1, ..., d."""
        return tuple(map(len, self.faces))

    def set_values(self, values: Sequence[Sequence[fmpz]], factor: int = 1) -> None:
        """New functions: a row of values for every vertex, in the order of ``columns``, homogeneous with ``factor`` times the old scale."""
        d = self.dimension
        for (vertex, column), row in zip(list(self.columns.items()), values, strict=True):
            self.columns[vertex] = _shortened([*(factor * x for x in column[:d]), *row, factor * column[-1]])

    def cut(self, index: int) -> None:
        """Cut along the zeros of the function with that index."""
        row = self.dimension + index
        signs = [{vertex: POSITIVE if column[row] > 0 else NEGATIVE if column[row] < 0 else 0 for vertex, column in self.columns.items()}]
        if not {POSITIVE, NEGATIVE} <= set(signs[0].values()):
            return
        parts: list[dict[int, tuple[int, int, int]]] = [{}]
        for k in range(1, self.dimension + 1):
            below, cut_below = signs[k - 1], parts[k - 1]
            flags, pieces = {}, {}
            for face, facets in self.faces[k].items():
                flag = 0
                for facet in facets:
                    flag |= below[facet]
                flags[face] = flag
                if flag == BOTH:
                    pieces[face] = (self._number(), self._number(), self._number())
            for face, (plus, minus, zero) in pieces.items():
                facets = self.faces[k].pop(face)
                self._add_zero_face(k, row, facets, zero, signs, cut_below)
                for number, side, sign in ((plus, 0, POSITIVE), (minus, 1, NEGATIVE)):
                    kept = [cut_below[g][side] if g in cut_below else g for g in facets if below[g] & sign]
                    self.faces[k][number] = (*kept, zero)
            signs.append(flags)
            parts.append(pieces)
            self._require_budget()

    def _add_zero_face(self, k: int, row: int, facets: tuple[int, ...], zero: int, signs: list[dict[int, int]], cut_below: dict[int, tuple[int, int, int]]) -> None:
        """F^0 of a face of dimension k."""
        if k == 1:
            a, b = (self.columns[vertex] for vertex in facets)
            u, v = abs(b[row]), abs(a[row])
            self.columns[zero] = _shortened([u * x + v * y for x, y in zip(a, b, strict=True)])
            self.faces[0][zero] = ()
            return
        cut = [cut_below[g][2] for g in facets if g in cut_below]
        flat = {ridge for g in facets if g not in cut_below for ridge in self.faces[k - 1][g] if signs[k - 2][ridge] == 0}
        self.faces[k - 1][zero] = (*cut, *sorted(flat))

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def _require_budget(self) -> None:
        total = sum(self.counts)
        if total > self.budget:
            raise ComplexTooLarge(f"the complex has {total} faces so far ({self.counts[-1]} cells), more than the budget of {self.budget}; take a smaller box or network, or a larger budget")


def _homogeneous(point: Sequence[Fraction]) -> list[fmpz]:
    """x, the coordinates as first functions, and the scale."""
    scale = lcm(*(x.denominator for x in point))
    entries = [fmpz(x.numerator * (scale // x.denominator)) for x in point]
    return [*entries, *entries, fmpz(scale)]


def _shortened(column: list[fmpz]) -> list[fmpz]:
    common = column[-1]
    for entry in column:
        if common == 1:
            return column
        common = common.gcd(entry)
    return column if common == 1 else [entry // common for entry in column]


__all__ = ["FaceLattice"]
