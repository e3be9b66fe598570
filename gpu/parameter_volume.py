r"""How many parameters give a network with a high frequency: Monte Carlo over the cube of parameters.

Rahaman et al. (arXiv 1806.08734) compare the sets

.. math:: \Xi_\varepsilon(k)=\{\theta\in[-R,R]^P:\ |\tilde f_\theta(k')|>\varepsilon\text{ for some }k'>k\},

which shrink as k grows. For networks of one input :math:`\tilde f_\theta(k)=-k^{-2}\sum_j\delta_je^{-ikx_j}` with the kinks :math:`x_j` and slope jumps :math:`\delta_j` of the network,
found layer by layer in double precision. Of n independent uniform :math:`\theta` two counts are made at each k: those that exceed :math:`\varepsilon` at some frequency of a grid above k, a lower
count, and those with :math:`\sum_j|\delta_j|/k^2>\varepsilon`, an upper count, since the others cannot exceed it anywhere above k. A count is binomial, so the share has the standard error
:math:`\sqrt{p(1-p)/n}` exactly, and is given with the estimate in the place of p.

Network i of a seed has a stream of random numbers of its own (Philox, key (seed, i)), so that results do not depend on how many there are.

>>> for record in frequency_volume((1, 4, 1), 2.0, 0.5, [0.5, 1.0, 2.0], networks=200, seed=1, backend="numpy"):
...     print(record.cutoff, record.lower, record.upper, f"{record.standard_error:.3f}")
0.5 1.0 1.0 0.000
1.0 0.96 1.0 0.014
2.0 0.455 0.85 0.035
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy

from symspec.errors import InputError
from symspec.exact import natural

from .backends import Backend, backend as backend_named
from .sampling import MAX_SEED

# Frequencies of the grid in each octave above the cutoff, and octaves above the last one.
PER_OCTAVE, OCTAVES = 24, 3
Layers = list[tuple[numpy.ndarray, numpy.ndarray]]


@dataclass(frozen=True)
class FrequencyVolume:
    """Shares of the parameters with a frequency above ``cutoff`` stronger than epsilon: at least ``lower`` (standard error ``standard_error``), at most ``upper``."""

    cutoff: float
    lower: float
    standard_error: float
    upper: float
    upper_standard_error: float
    networks: int

    def statement(self) -> str:
        """The estimate in LaTeX, each share with its standard error."""
        shares = [rf"{share:.4f}\pm{error:.4f}" for share, error in ((self.lower, self.standard_error), (self.upper, self.upper_standard_error))]
        return rf"\[ {shares[0]}\;\lesssim\;\lambda(\Xi_\varepsilon({self.cutoff:g}))/(2R)^P\;\lesssim\;{shares[1]}\qquad(n={self.networks}). \]"


def frequency_volume(
    widths: Sequence[Any], radius: float, epsilon: float, cutoffs: Sequence[float], *, networks: Any = 1000, seed: Any = 0, backend: str | Backend = "auto"
) -> list[FrequencyVolume]:
    """Shares of the parameters of ReLU networks with the given widths (one input, one output first and last), weights and biases uniform in [-radius, radius].

    A record a cutoff, in ascending order. Raises InputError for widths that do not begin and end with 1, and for numbers that are not positive.
    """
    sizes = [natural(width, "width", 1) for width in widths]
    if len(sizes) < 3 or sizes[0] != 1 or sizes[-1] != 1:
        raise InputError(f"the widths {sizes} are not those of a network of one input and one output with a hidden layer")
    total, key = natural(networks, "number of networks", 2), natural(seed, "seed")
    limits = sorted(float(k) for k in cutoffs)
    if key >= MAX_SEED or not limits or not all(math.isfinite(x) and x > 0 for x in (radius, epsilon, *limits)):
        raise InputError("radius, epsilon and cutoffs are positive numbers, at least one cutoff, and the seed is below 2^64")
    library = backend_named(backend)
    grid = _grid(limits)
    lower, upper = numpy.zeros(len(limits)), numpy.zeros(len(limits))
    for layers in _networks(sizes, radius, total, key):
        kinks, jumps = kinks_and_jumps(layers)
        strongest = _strongest_above(library, grid, kinks, jumps, limits)
        lower += strongest > epsilon
        upper += numpy.abs(jumps).sum() > epsilon * numpy.array(limits) ** 2
    return [FrequencyVolume(k, p, _error(p, total), q, _error(q, total), total) for k, p, q in zip(limits, (lower / total).tolist(), (upper / total).tolist(), strict=True)]


def kinks_and_jumps(layers: Layers) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The kinks of a ReLU network of one input on the line and the jumps of its slope there, in double precision."""
    knots = numpy.zeros(1)
    for depth in range(1, len(layers)):
        # Before its activation a neuron is affine between the knots; beyond the ends a step of 1 shows the slope.
        points = numpy.concatenate([[knots[0] - 1.0], knots, [knots[-1] + 1.0]])
        values = _signal(layers[:depth], points)
        knots = numpy.unique(numpy.concatenate([knots, *_zeros(points, values)]))
    points = numpy.concatenate([[knots[0] - 1.0], knots, [knots[-1] + 1.0]])
    slopes = numpy.diff(_signal(layers, points)[0]) / numpy.diff(points)
    return knots, numpy.diff(slopes)


def _zeros(points: numpy.ndarray, values: numpy.ndarray) -> Iterator[numpy.ndarray]:
    """Zeros between adjacent points and on the two rays beyond the ends."""
    a, b, x, y = values[:, :-1], values[:, 1:], points[:-1], points[1:]
    row, column = numpy.nonzero(a * b < 0)
    yield x[column] + (y - x)[column] * a[row, column] / (a[row, column] - b[row, column])
    for end, inner, place, sign in ((values[:, 0], values[:, 1], points[0], -1.0), (values[:, -1], values[:, -2], points[-1], 1.0)):
        slope = sign * (end - inner)
        with numpy.errstate(divide="ignore", invalid="ignore"):
            zero = place - end / slope
        yield zero[numpy.isfinite(zero) & (sign * (zero - place) > 0)]


def _signal(layers: Layers, points: numpy.ndarray) -> numpy.ndarray:
    """The last affine map of the layers given, before any activation, at the points: (outputs, n)."""
    signal = points[None, :]
    for index, (weights, biases) in enumerate(layers):
        signal = weights @ (numpy.maximum(signal, 0.0) if index else signal) + biases[:, None]
    return signal


def _networks(sizes: Sequence[int], radius: float, total: int, key: int) -> Iterator[Layers]:
    for i in range(total):
        stream = numpy.random.Generator(numpy.random.Philox(key=key + i * MAX_SEED))
        yield [(stream.uniform(-radius, radius, (b, a)), stream.uniform(-radius, radius, b)) for a, b in pairwise(sizes)]


def _grid(limits: Sequence[float]) -> numpy.ndarray:
    octaves = math.log2(limits[-1] / limits[0]) + OCTAVES
    return limits[0] * 2.0 ** (numpy.arange(1, math.ceil(octaves * PER_OCTAVE) + 1) / PER_OCTAVE)


def _strongest_above(library: Backend, grid: numpy.ndarray, kinks: numpy.ndarray, jumps: numpy.ndarray, limits: Sequence[float]) -> numpy.ndarray:
    """max |f~| over the frequencies of the grid above each limit."""
    xp = library.xp
    k = xp.asarray(grid)
    sizes = library.to_host(xp.abs(xp.exp(-1j * k[:, None] * xp.asarray(kinks)[None, :]) @ xp.asarray(jumps)) / k**2)
    best = numpy.maximum.accumulate(sizes[::-1])[::-1]
    return best[numpy.searchsorted(grid, limits, side="right")]


def _error(share: float, total: int) -> float:
    return math.sqrt(share * (1.0 - share) / total)


__all__ = ["FrequencyVolume", "frequency_volume", "kinks_and_jumps"]
