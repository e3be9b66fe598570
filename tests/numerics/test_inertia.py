"""Eigenvalues of symmetric matrices of balls."""

from __future__ import annotations

import numpy
import pytest
from flint import arb, arb_mat
from hypothesis import given, settings, strategies as st

from numerics.inertia import count_above, largest_eigenvalues
from numerics.precision import working_precision


def integer_matrix(entries, size):
    values = iter(entries)
    lower = [[next(values) for _ in range(i + 1)] for i in range(size)]
    return [[lower[max(i, j)][min(i, j)] for j in range(size)] for i in range(size)]


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(-9, 9), min_size=n * (n + 1) // 2, max_size=n * (n + 1) // 2))))
def test_against_doubles(drawn):
    size, entries = drawn
    rows = integer_matrix(entries, size)
    wanted = numpy.sort(numpy.linalg.eigvalsh(numpy.array(rows, dtype=float)))[::-1]
    with working_precision(128):
        for j, value in enumerate(largest_eigenvalues(arb_mat(rows), size, 30)):
            assert value.overlaps(arb(float(wanted[j]), 1e-9))
        level = arb("0.3717")
        count = count_above(arb_mat(rows), level)
        assert count is None or count == sum(wanted > 0.3717)


def test_the_eigenvalues_of_every_matrix_in_the_balls_are_enclosed():
    with working_precision(128):
        wide = arb_mat([[arb(2, "0.01"), arb(1, "0.01")], [arb(1, "0.01"), arb(2, "0.01")]])
        first, second = largest_eigenvalues(wide, 2, 40)
    assert all(first.contains(arb(3, "0.015").lower() + arb("0.001") * i) for i in range(20))
    assert second.contains(1)
    assert first.rad() < arb("0.1")


def test_multiple_eigenvalues_and_zero():
    with working_precision(128):
        values = largest_eigenvalues(arb_mat([[1, 0, 0], [0, 1, 0], [0, 0, 0]]), 3, 60)
    assert [value.contains(wanted) for value, wanted in zip(values, (1, 1, 0), strict=True)] == [True] * 3
    assert values[1].rad() < arb("1e-15")


def test_a_level_at_an_eigenvalue_is_not_decided():
    assert count_above(arb_mat([[2, 0], [0, 1]]), arb(2)) is None
    assert count_above(arb_mat([[arb(2, 1), 0], [0, 1]]), arb(2)) is None


@pytest.mark.parametrize("level", [-1, "0.5", "2.5"])
def test_counting(level):
    with working_precision(64):
        assert count_above(arb_mat([[1, 0], [0, 2]]), arb(level)) == sum(value > float(level) for value in (1, 2))
