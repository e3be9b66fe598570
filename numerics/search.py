"""The least integer from which something holds, when it is known to go on holding.

>>> least(lambda n: n * n >= 90, 3, 1000), least(lambda n: False, 1, 1000)
(10, None)
"""

from __future__ import annotations

from collections.abc import Callable


def least(good: Callable[[int], bool], start: int, limit: int) -> int | None:
    """The least n >= start that is good, by doubling and bisection; None where no good one is met up to ``limit``.

    Whatever is returned was found to be good; it is the least if every number after a good one is.
    """
    high = start
    while not good(high):
        high *= 2
        if high > limit:
            return None
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if good(middle) else (middle + 1, high)
    return high


__all__ = ["least"]
