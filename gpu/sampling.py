r"""Random points of the domains, and their zonal polynomials on arrays.

A standard normal vector divided by its norm is uniform on S^{d-1} (Muller 1959). The normals are
drawn on the host from the counter-based generator Philox (Salmon et al. 2011) keyed by the
seed, and moved to the device, so NumPy and CuPy get the same points.

:math:`P_k` is the Gegenbauer polynomial of dimension d with :math:`P_k(1)=1`:

.. math:: P_0=1,\quad P_1=t,\quad (k+d-2)P_{k+1}=(2k+d-2)\,tP_k-kP_{k-1}\qquad(d\ge2,\ k\ge1),

Chebyshev's for d = 2 and Legendre's for d = 3. The three-term recurrence is stable on [-1, 1].

On the cube the coordinates are random bits, and the zonal polynomials, which take d + 1 values only, are a table of
exact quotients, read at the Hamming distance :math:`r=d(1-t)/2`.

>>> import numpy
>>> points = sphere_points(1000, 3, seed=7)
>>> bool(abs((points**2).sum(axis=1) - 1).max() < 1e-15), bool(abs(points.mean()) < 0.05)
(True, True)
>>> t = numpy.array([-1.0, 0.5, 1.0])
>>> gegenbauer(2, 3, t).tolist(), gegenbauer(3, 2, t).tolist()
([1.0, -0.125, 1.0], [-1.0, -1.0, 1.0])
>>> [values.tolist() for values in islice(zonal_sequence(BooleanCube(4), numpy.array([-1.0, 0.5]), (0, 1, 2)), 3)]
[[1.0, 1.0], [-1.0, 0.5], [1.0, 0.0]]
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import islice
from math import comb
from typing import Any

import numpy

from numerics.cube_sum import characters
from symspec.domain import BooleanCube, Domain, Gaussian, Sphere
from symspec.errors import DomainError, InputError
from symspec.exact import natural

from .backends import Backend, backend as backend_named

MAX_SEED = 2**64


def sphere_points(count: Any, d: Any, seed: Any = 0, backend: str | Backend = "numpy") -> Any:
    """``count`` independent uniform points on S^{d-1}, shape (count, d), float64; a function of the arguments alone.

    Raises InputError for a count below 1, d below 2, or a seed outside [0, 2^64).
    """
    normals = _generator(seed).standard_normal((natural(count, "number of points", 1), natural(d, "sphere dimension d", 2)))
    points = normals / numpy.sqrt((normals * normals).sum(axis=1))[:, None]
    return backend_named(backend).xp.asarray(points)


def cube_points(count: Any, d: Any, seed: Any = 0, backend: str | Backend = "numpy") -> Any:
    """``count`` independent uniform points of {-1, 1}^d, shape (count, d), float64; a function of the arguments alone.

    Raises InputError for a count or d below 1, or a seed outside [0, 2^64).
    """
    bits = _generator(seed).integers(0, 2, (natural(count, "number of points", 1), natural(d, "cube dimension d", 1)), dtype=numpy.int8)
    return backend_named(backend).xp.asarray(2.0 * bits - 1.0)


def gaussian_points(count: Any, d: Any, seed: Any = 0, backend: str | Backend = "numpy") -> Any:
    """``count`` independent points of N(0, I_d), shape (count, d), float64; a function of the arguments alone.

    Raises InputError for a count below 1, d below 2, or a seed outside [0, 2^64).
    """
    normals = _generator(seed).standard_normal((natural(count, "number of points", 1), natural(d, "Gaussian dimension d", 2)))
    return backend_named(backend).xp.asarray(normals)


def domain_points(domain: Domain, count: Any, seed: Any = 0, backend: str | Backend = "numpy") -> Any:
    """Independent points of the domain, one a row. DomainError for a domain without points here or of symbolic dimension."""
    draw = {Sphere: sphere_points, BooleanCube: cube_points, Gaussian: gaussian_points}.get(type(domain))
    if draw is None:
        raise DomainError(f"no points can be drawn on {domain}; use Sphere(d), Circle(), BooleanCube(d) or Gaussian(d)")
    return draw(count, domain.dimension, seed, backend)


def _generator(seed: Any) -> numpy.random.Generator:
    key = natural(seed, "seed")
    if key >= MAX_SEED:
        raise InputError(f"seed {key} is not below 2^64")
    return numpy.random.Generator(numpy.random.Philox(key=key))


def zonal_sequence(domain: Domain, t: Any, degrees: Collection[int], xp: Any = numpy) -> Iterator[Any]:
    """phi_0(t), phi_1(t), ... up to the largest degree; on the cube only those of ``degrees`` are sure to be what they should."""
    if not isinstance(domain, BooleanCube):
        yield from islice(gegenbauer_sequence(domain.dimension, t, xp), max(degrees) + 1)
        return
    distance = xp.rint((1.0 - t) * (domain.dimension / 2.0)).astype(xp.int64)
    for k in range(max(degrees) + 1):
        yield xp.asarray(cube_table(domain.dimension, k))[distance] if k in degrees else t


@lru_cache(maxsize=256)
def cube_table(d: int, k: int) -> numpy.ndarray:
    """phi_k at the Hamming distances 0, ..., d, rounded correctly."""
    low, count = min(k, d - k), comb(d, k)
    half = [int(characters(d, r, low)[low]) / count * (-1 if low != k and r % 2 else 1) for r in range(d // 2 + 1)]
    return numpy.array(half + [(-1) ** k * half[d - r] for r in range(d // 2 + 1, d + 1)])


def gegenbauer_sequence(d: int, t: Any, xp: Any = numpy) -> Iterator[Any]:
    """P_0(t), P_1(t), ... without end; entries must not be changed by the caller."""
    before, now, k = xp.ones_like(t), t, 1
    yield before
    while True:
        yield now
        before, now, k = now, ((2 * k + d - 2) * t * now - k * before) / (k + d - 2), k + 1


def gegenbauer(k: int, d: int, t: Any, xp: Any = numpy) -> Any:
    """P_k(t) of dimension d, normalised by P_k(1) = 1, entry by entry."""
    return next(islice(gegenbauer_sequence(d, t, xp), k, None))
