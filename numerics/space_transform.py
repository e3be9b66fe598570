r"""The Fourier transform of a network in all of space, in balls, away from its singular directions.

A network is a tempered distribution's density, and so has a transform, with :math:`|k|^2\tilde f=-\sum_FJ_F\widetilde{1_F}` over facets that may be unbounded. Where k is orthogonal to no unbounded
edge of a kink, :math:`\tilde f` is an analytic function of k: the sum over the pieces of :mod:`symspec.unbounded_kinks`. In the other directions it is singular, a delta for instance for a network of
a single hyperplane, and the request is refused. Nothing is assumed about the support of f.

>>> from symspec.relu_networks import relu_network
>>> corner = relu_network([([[1, -1], [1, 0]], None), ([[-1, 1], [0, 0]], None), ([[1, 0]], None)])
>>> print(space_fourier(corner, [1, 2], digits=15))         # min(x, y) in the quadrant: i/(k l (k + l))
[0.166666666666667 +/- 3.34e-16]j
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy
from flint import acb, arb, fmpq

from symspec.errors import InputError, Undecided
from symspec.exact import exact, is_zero, natural
from symspec.relu_networks import ReluNetwork
from symspec.unbounded_kinks import UnboundedKink, unbounded_kinks

from .constants import ball
from .divided_exponential import divided_exponential
from .precision import goal_bits, working_precision

GUARD = 32
MAX_BITS = 100_000
FANS = 3


def space_fourier(network: ReluNetwork, k: Any, digits: Any = 30, output: int = 0) -> Any:
    """The transform at a vector k of exact numbers (a list of balls at several vectors), good to ``digits`` digits.

    Raises InputError for a vector of another length, and where k is orthogonal to an unbounded edge of a kink.
    """
    goal = goal_bits(natural(digits, "digits", 1))
    entries = list(k) if isinstance(k, Iterable) and not isinstance(k, str) else [k]
    several = bool(entries) and isinstance(entries[0], Iterable) and not isinstance(entries[0], str)
    vectors = [[exact(entry, "frequency") for entry in vector] for vector in (entries if several else [entries])]
    for vector in vectors:
        if len(vector) != network.inputs:
            raise InputError(f"the frequency has {len(vector)} coordinates, the network takes {network.inputs} inputs")
    found: dict[int, acb] = {}
    for number in range(FANS):
        missing = [i for i in range(len(vectors)) if i not in found]
        if not missing:
            break
        kinks = unbounded_kinks(network, output, _fan(network.inputs, number))
        rays = {ray for kink in kinks for ray in kink.rays}
        found |= {i: _refined(kinks, vectors[i], goal) for i in missing if _regular(vectors[i], rays)}
    for i, vector in enumerate(vectors):
        if i not in found:
            text = ", ".join(map(str, vector))
            raise InputError(f"the transform in all of space is singular at ({text}), which is orthogonal to an unbounded edge of its kinks; take net.linear_regions(box)")
    values = [found[i] for i in range(len(vectors))]
    return values if several else values[0]


def _fan(d: int, number: int) -> list[list[int]]:
    """The coordinate vectors, then Vandermonde matrices of different integers."""
    if number == 0:
        return [[int(i == j) for j in range(d)] for i in range(d)]
    return [[(i + 1 + 4 * number) ** j for j in range(d)] for i in range(d)]


def _regular(k: Sequence[sympy.Expr], rays: set[tuple[int, ...]]) -> bool:
    if all(is_zero(entry) for entry in k):
        return False
    return not any(is_zero(sympy.Add(*(x * u for x, u in zip(k, ray, strict=True)))) for ray in rays)


def _refined(kinks: Sequence[UnboundedKink], k: list[sympy.Expr], goal: int) -> acb:
    bits = goal + GUARD
    while bits <= MAX_BITS:
        with working_precision(bits):
            value, size = _value(kinks, [ball(entry) for entry in k])
            radius = value.real.rad().max(value.imag.rad()) * 2
            if radius <= abs(value).lower() * arb(2) ** -goal or radius <= size.lower() * arb(2) ** (-2 * goal):
                return value
        bits *= 2
    raise Undecided(f"the transform at ({', '.join(map(str, k))}) is not known to {goal} bits at {MAX_BITS} bits")


def _value(kinks: Sequence[UnboundedKink], k: Sequence[arb]) -> tuple[acb, arb]:
    """The transform and the size of its terms."""
    square = sum((x * x for x in k), arb(0))
    total, size = acb(0), arb(0)
    for kink in kinks:
        factor = acb(arb(fmpq(kink.weight.numerator, kink.weight.denominator)))
        for ray in kink.rays:
            factor /= acb(0, sum((x * u for x, u in zip(k, ray, strict=True)), arb(0)))
        nodes = [sum((x * fmpq(y.numerator, y.denominator) for x, y in zip(k, point, strict=True)), arb(0)) for point in kink.points]
        total += factor * divided_exponential(nodes)
        size += abs(factor)
    return -total / square, size / square


__all__ = ["space_fourier"]
