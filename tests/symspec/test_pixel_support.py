"""Boxes of multi-indices against the definition, one element at a time."""

from __future__ import annotations

import itertools

import sympy
from hypothesis import given, settings, strategies as st

import symspec as ss
from symspec.pixel_support import Box, zeros


def closure(top, indices):
    """Clipped, and every entry lowered by 2, 4, ..., by brute force over the box."""
    clipped = [tuple(n if n <= t else t - (n - t) % 2 for n, t in zip(index, top, strict=True)) for index in indices]
    box = itertools.product(*(range(t + 1) for t in top))
    return frozenset(k for k in box if any(all(n <= m and (m - n) % 2 == 0 for n, m in zip(k, index, strict=True)) for index in clipped))


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_sums_of_closed_sets(data, top):
    top = tuple(top)
    some = st.sets(st.tuples(*(st.integers(0, t) for t in top)), max_size=4)
    a, b = (closure(top, data.draw(some)) for _ in range(2))
    sums = [tuple(x + y for x, y in zip(i, j, strict=True)) for i in a for j in b]
    assert Box(tuple(range(len(top))), top).sum(a, b) == closure(top, sums)


def test_polynomial_kernels_have_the_support_of_their_terms():
    """Against the monomials of the kernel written out: a term t^a with a positive coefficient reaches k <= a of the same parities."""
    kernel = ss.cnn(ss.polynomial(0, 1, 1), 2, 2, 3).ck
    t = sympy.symbols("t1:4")
    terms = sympy.Poly(sympy.expand(kernel(list(t))), *t).monoms()
    indices = list(itertools.product(range(6), repeat=3))
    reached = closure((5, 5, 5), [term for term in terms if max(term) <= 5])
    assert zeros(kernel, indices) == [index not in reached for index in indices]
    assert 10 < len(reached) < len(indices)


def test_outside_of_a_large_field():
    """Frequencies at pixels that are not read vanish also where the field is too large for a box of parities."""
    kernel = ss.cnn(ss.relu, 1, 20, 22).ck
    unread = next(pixel for pixel in range(22) if pixel not in kernel.receptive_field)
    assert zeros(kernel, [tuple(int(pixel == unread) for pixel in range(22)), (0,) * 22]) == [True, False]
