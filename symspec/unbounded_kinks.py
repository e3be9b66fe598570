r"""The kinks of a network in all of space, as simplices with vertices at infinity.

Space is cut into cones first (:meth:`FaceLattice.fan`), then by the neurons; the activation acts on the points at infinity, which are directions, as on all others. A facet with a jump is
triangulated into pieces :math:`S=\mathrm{conv}(v_0,\dots,v_m)+\mathrm{cone}(u_1,\dots,u_r)`, m + r = d - 1, on which

.. math:: \int_Se^{-ik\cdot x}=\Bigl(\prod_{j=1}^r\frac1{ik\cdot u_j}\Bigr)\,V\,\exp[-ik\cdot v_0,\dots,-ik\cdot v_m]

with V the volume of the parallelotope of the :math:`v_i-v_0` and :math:`u_j`, as a distribution in k away from the directions with some :math:`k\cdot u_j=0`. The first cuts have no jump and
add nothing, but rays of the triangulation may lie in them: another fan moves those.

>>> from symspec.relu_networks import relu_network
>>> corner = relu_network([([[1, -1], [1, 0]], None), ([[-1, 1], [0, 0]], None), ([[1, 0]], None)])
>>> for kink in unbounded_kinks(corner):                  # max(0, max(x, 0) - max(x - y, 0)) is min(x, y) in the quadrant
...     print(kink.points, kink.rays, kink.weight)
((Fraction(0, 1), Fraction(0, 1)),) ((1, 0),) 1
((Fraction(0, 1), Fraction(0, 1)),) ((0, 1),) 1
((Fraction(0, 1), Fraction(0, 1)),) ((1, 1),) -2
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from .errors import InputError
from .linear_regions import Point
from .polyhedral_complex import FaceLattice
from .region_assembly import BUDGET, Pieces, cross_product, cut_by_network
from .relu_networks import ReluNetwork


@dataclass(frozen=True)
class UnboundedKink:
    """conv(points) + cone(rays) on a facet; ``weight`` is the jump of the gradient across it times V, J V, a rational number."""

    points: tuple[Point, ...]
    rays: tuple[tuple[int, ...], ...]
    weight: Fraction


def unbounded_kinks(network: ReluNetwork, output: int = 0, fan: Sequence[Sequence[int]] | None = None, budget: int = BUDGET) -> tuple[UnboundedKink, ...]:
    """All pieces of facets with a jump. ``fan`` are d independent integer vectors, the coordinate vectors by default.

    Raises InputError for an output that does not exist, ComplexTooLarge past the budget.
    """
    if not 0 <= output < network.outputs:
        raise InputError(f"output {output} does not exist: the network has {network.outputs}")
    d = network.inputs
    lattice = FaceLattice.fan([[int(i == j) for j in range(d)] for i in range(d)] if fan is None else fan, budget)
    cut_by_network(network, lattice)
    return tuple(_kinks(Pieces(lattice, output)))


def _kinks(pieces: Pieces) -> Iterator[UnboundedKink]:
    d = pieces.d
    cells = list(pieces.lattice.faces[d])
    gradients = [pieces.affine_map(pieces.triangulated(d, cell)[0])[0] for cell in cells]
    for face, own in pieces.owners().items():
        # A face of one cell is at infinity.
        if len(own) == 1 or gradients[own[0]] == gradients[own[1]]:
            continue
        jump = [b - a for a, b in zip(gradients[own[0]], gradients[own[1]], strict=True)]
        inside = next(v for v in pieces.members[d][cells[own[0]]] if v not in pieces.members[d - 1][face])
        for simplex in pieces.triangulated(d - 1, face):
            points = [_point(pieces, v) for v in simplex if pieces.columns[v][-1] != 0]
            rays = [tuple(int(x) for x in pieces.columns[v][:d]) for v in simplex if pieces.columns[v][-1] == 0]
            edges = [[x - y for x, y in zip(point, points[0], strict=True)] for point in points[1:]] + [[Fraction(x) for x in ray] for ray in rays]
            area = cross_product(edges, d)
            column = pieces.columns[inside]
            scale = Fraction(int(column[-1]))
            height = sum((a * (Fraction(int(x)) - scale * y) for a, x, y in zip(area, column, points[0], strict=False)), Fraction(0))
            weight = sum((a * j for a, j in zip(area, jump, strict=True)), Fraction(0))
            yield UnboundedKink(tuple(points), tuple(rays), weight if height < 0 else -weight)


def _point(pieces: Pieces, vertex: int) -> Point:
    column = pieces.columns[vertex]
    return tuple(Fraction(int(x), int(column[-1])) for x in column[: pieces.d])


__all__ = ["UnboundedKink", "unbounded_kinks"]
