"""The search for covers against all sets of kinds."""

from __future__ import annotations

import itertools
import random

from symspec.cone_covers import Kind, covers


def every(kinds, channels, support):
    """All sets of kinds that cover the support, at most one slope, none of which can be left out, by cost."""
    found = {}
    for size in range(1, len(kinds) + 1):
        for chosen in itertools.combinations(kinds, size):
            union = frozenset().union(*(kind.field for kind in chosen))
            needed = all(not support <= frozenset().union(*(other.field for other in chosen if other != kind)) for kind in chosen)
            if support <= union and needed and sum(kind.slope for kind in chosen) <= 1:
                found[frozenset(chosen)] = len(union) * (channels - 1) + sum(kind.order for kind in chosen)
    return found


def test_against_all_sets():
    source = random.Random(5)
    for _ in range(60):
        kinds = list({Kind(frozenset(source.sample(range(5), source.randint(1, 4))), source.choice([1, 3, 5]), source.random() < 0.3) for _ in range(6)})
        support, channels = frozenset(source.sample(range(5), 3)), source.randint(2, 5)
        expected = every(kinds, channels, support)
        listed = list(covers(kinds, channels, support))
        assert [cost for cost, _ in listed] == sorted(cost for cost, _ in listed)
        assert {(frozenset(cover), cost) for cost, cover in listed} >= set(expected.items())
        assert len({frozenset(cover) for _, cover in listed}) == len(listed)


def test_shared_pixels_and_slopes():
    chain = [Kind(frozenset({0, 1}), 3, slope=False), Kind(frozenset({1, 2}), 3, slope=False), Kind(frozenset({0, 1}), 1, slope=True), Kind(frozenset({1, 2}), 1, slope=True)]
    assert [cost for cost, _ in covers(chain, 3, frozenset({0, 2}))] == [10, 10, 12]
    assert list(covers(chain, 3, frozenset({3}))) == []
