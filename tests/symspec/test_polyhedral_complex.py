"""Face lattices: boxes and fans of every small dimension, cut in general and in special position."""

from __future__ import annotations

from math import comb

import pytest
from flint import fmpz
from hypothesis import given, settings, strategies as st

from symspec.errors import ComplexTooLarge, InputError
from symspec.polyhedral_complex import FaceLattice


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_faces_of_boxes_and_fans(d):
    assert FaceLattice.box([(0, 1)] * d).counts == tuple(comb(d, k) * 2 ** (d - k) for k in range(d + 1))
    fan = FaceLattice.fan([[int(i == j) for j in range(d)] for i in range(d)])
    # A face of dimension k takes k of the vectors and the apex, or k + 1 without it.
    assert fan.counts == tuple(comb(d, k) * 2**k + (comb(d, k + 1) * 2 ** (k + 1)) for k in range(d + 1))


def _cut(lattice, normal, shift):
    d = lattice.dimension
    lattice.set_values([[sum((fmpz(n) * x for n, x in zip(normal, column[:d], strict=True)), fmpz(shift) * column[-1])] for column in lattice.columns.values()])
    lattice.cut(0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.booleans(), st.data())
def test_lattices_stay_complexes(d, bounded, data):
    lattice = FaceLattice.box([(-1, 1)] * d) if bounded else FaceLattice.fan([[int(i == j) for j in range(d)] for i in range(d)])
    for _ in range(data.draw(st.integers(1, 3))):
        _cut(lattice, [data.draw(st.integers(-2, 2)) for _ in range(d)], data.draw(st.integers(-2, 2)))
    # Euler: a ball, or projectively the closed half sphere, which is one too.
    assert sum((-1) ** k * count for k, count in enumerate(lattice.counts)) == 1
    for k in range(1, d + 1):
        for facets in lattice.faces[k].values():
            assert all(facet in lattice.faces[k - 1] for facet in facets)
            assert len(set(facets)) == len(facets) >= k + 1
        if k >= 2:
            # Diamond property: a ridge of a face lies in exactly two of its facets.
            for facets in lattice.faces[k].values():
                ridges = [ridge for facet in facets for ridge in lattice.faces[k - 1][facet]]
                assert all(ridges.count(ridge) == 2 for ridge in ridges)
    if d > 1:
        owners = [face for facets in lattice.faces[d].values() for face in facets]
        assert all(owners.count(face) in (1, 2) for face in lattice.faces[d - 1])


def test_many_hyperplanes_through_one_point():
    """n lines through the centre of a square make 2n cells; the vertex in the middle is made once."""
    lattice = FaceLattice.box([(-1, 1), (-1, 1)])
    for normal in ((1, 0), (0, 1), (1, 1), (1, -1), (2, 1)):
        _cut(lattice, normal, 0)
    assert lattice.counts[-1] == 10
    assert sum(all(x == 0 for x in column[:2]) for column in lattice.columns.values()) == 1


def test_a_cut_along_a_facet_changes_nothing():
    lattice = FaceLattice.box([(0, 1)] * 3)
    before = lattice.counts
    _cut(lattice, (1, 0, 0), 0)
    _cut(lattice, (0, 0, 0), 0)
    assert lattice.counts == before


def test_fans_that_are_none():
    with pytest.raises(InputError, match="independent"):
        FaceLattice.fan([[1, 2], [2, 4]])
    with pytest.raises(ComplexTooLarge, match=r"2\*3\^20"):
        FaceLattice.fan([[int(i == j) for j in range(20)] for i in range(20)])
