"""Scoped working precision, accuracy goals, and the loop that raises precision until one is met.

FLINT keeps its precision in a process-wide context. It is touched here only, inside a scope
that restores it, so results depend on their arguments and on nothing that ran before. One thread at a time is in a scope:
another one would change the precision of a value that is being computed, and of what is kept of it.

>>> with working_precision(200):
...     third = arb(1) / 3
>>> third.rel_accuracy_bits() >= 195, ctx.prec == 53 or ctx.prec
(True, True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, log2
from threading import RLock
from typing import Any

from flint import arb, ctx

from symspec.errors import Undecided
from symspec.exact import natural

BITS_PER_DIGIT = log2(10)
GUARD_BITS = 12
MAX_DIGITS = 100_000
_ONE_THREAD = RLock()


@contextmanager
def working_precision(bits: int, series_length: int | None = None) -> Iterator[None]:
    """Run the body at ``bits`` of precision (and, for power series, that many terms)."""
    with _ONE_THREAD:
        saved, saved_cap = ctx.prec, ctx.cap
        ctx.prec = max(8, int(bits))
        if series_length is not None:
            ctx.cap = series_length
        try:
            yield
        finally:
            ctx.prec, ctx.cap = saved, saved_cap


def goal_bits(digits: Any) -> int:
    """Bits of relative accuracy that ``digits`` significant digits need, with a small margin."""
    number = natural(digits, "digits", 1)
    if number > MAX_DIGITS:
        from symspec.errors import InputError

        raise InputError(f"digits {number} is above {MAX_DIGITS}")
    return ceil(number * BITS_PER_DIGIT) + 2


def meets(value: arb, bits: int) -> bool:
    """Whether the ball is exact or has at least ``bits`` of relative accuracy."""
    return bool(value.is_exact()) or (value.is_finite() and value.rel_accuracy_bits() >= bits)


def refine(compute: Callable[[int], arb], bits: int, what: str, *, start: int | None = None, factor: int = 64) -> arb:
    """Call ``compute(precision)`` at growing precision until the ball meets ``bits``.

    Raises Undecided past ``factor`` times the goal: no guess is returned.
    """
    precision = start or bits + 32
    limit = factor * (bits + 64)
    while True:
        with working_precision(precision):
            value = compute(precision)
        if meets(value, bits):
            return value
        if precision > limit:
            raise Undecided(f"{what}: {value.str(5)} is not known to {bits} bits at a working precision of {precision} bits")
        precision = 2 * precision


def upper(value: arb) -> arb:
    """An exact number not below the ball."""
    return value.upper()


def symmetric(radius: arb) -> arb:
    """The ball around zero with the given radius (an upper bound of it)."""
    return arb(0, radius.upper())
