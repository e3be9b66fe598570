r"""Covers of the pixels of a ray by fields of singular units, cheapest first.

Along rays with frequencies in the pixels S a product of singular terms of units decays like a power only where their fields together hold S: in a pixel that none of them sees
it is smooth. It then has the exponent

.. math:: e=\Bigl|\bigcup_vR_v\Bigr|(C-1)+2\sum_v\nu_v,

pixels that several units share counted once, as it is a function of :math:`|\bigcup R_v|(C-1)` variables, homogeneous of degree :math:`2\sum\nu_v`. A tangent kernel is a sum
over paths from the output down, each a product of the slopes on it; of two units neither of which sees all that the other does a path meets one at most. So at most one unit of
a cover is counted with the order of a slope, :math:`\nu_v-1`, and the others with that of their value. Nested units cost more than the larger one alone and are in no cheapest
cover.

The search is A*: covers grow by a unit that holds the first pixel that is not yet covered, and what remains costs at least C - 1 a pixel and one more order.

>>> kinds = [Kind(frozenset({0, 1}), 3, False), Kind(frozenset({1, 2}), 3, False), Kind(frozenset({0, 1, 2, 3}), 7, False)]
>>> [(cost, [sorted(kind.field) for kind in cover]) for cost, cover in covers(kinds, 3, frozenset({0, 2}))]
[(12, [[0, 1], [1, 2]]), (15, [[0, 1, 2, 3]]), (18, [[0, 1], [0, 1, 2, 3]])]
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from .errors import NoClosedForm

MOST_STEPS = 50_000
Pixels = frozenset[int]


@dataclass(frozen=True)
class Kind:
    """What a cover is made of: field, order 2 nu, and whether it is that of a slope."""

    field: Pixels
    order: int
    slope: bool


def covers(kinds: Sequence[Kind], channels: int, support: Pixels) -> Iterator[tuple[int, tuple[Kind, ...]]]:
    """(exponent, cover) by ascending exponent, each set of kinds once. Raises NoClosedForm where the search grows beyond MOST_STEPS."""
    useful = [kind for kind in kinds if kind.field & support]
    least = min((kind.order for kind in useful), default=0)
    number, seen = count(), set[frozenset[Kind]]()
    queue: list[tuple[int, int, Pixels, tuple[Kind, ...]]] = [(0, next(number), frozenset(), ())]
    while queue:
        bound, step, union, chosen = heapq.heappop(queue)
        left = support - union
        if not left:
            if frozenset(chosen) not in seen:
                seen.add(frozenset(chosen))
                yield bound, chosen
            continue
        if step > MOST_STEPS:
            raise NoClosedForm(f"covers of {len(support)} pixels by fields of units are more than were searched; ask for rays in fewer pixels")
        pixel = min(left)
        for kind in useful:
            if pixel in kind.field and not (kind.slope and any(other.slope for other in chosen)):
                wider = union | kind.field
                missing = len(support - wider)
                cost = len(wider) * (channels - 1) + sum(other.order for other in chosen) + kind.order
                heapq.heappush(queue, (cost + missing * (channels - 1) + (least if missing else 0), next(number), wider, (*chosen, kind)))


__all__ = ["Kind", "covers"]
