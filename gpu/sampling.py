r"""Uniform points on the sphere, and Gegenbauer polynomials on arrays.

A standard normal vector divided by its norm is uniform on S^{d-1} (Muller 1959). The normals are
drawn on the host from the counter-based generator Philox (Salmon et al. 2011) keyed by the
seed, and moved to the device, so NumPy and CuPy get the same points.

:math:`P_k` is the Gegenbauer polynomial of dimension d with :math:`P_k(1)=1`:

.. math:: P_0=1,\quad P_1=t,\quad (k+d-2)P_{k+1}=(2k+d-2)\,tP_k-kP_{k-1}\qquad(d\ge2,\ k\ge1),

Chebyshev's for d = 2 and Legendre's for d = 3. The three-term recurrence is stable on [-1, 1].

>>> import numpy
>>> points = sphere_points(1000, 3, seed=7)
>>> bool(abs((points**2).sum(axis=1) - 1).max() < 1e-15), bool(abs(points.mean()) < 0.05)
(True, True)
>>> t = numpy.array([-1.0, 0.5, 1.0])
>>> gegenbauer(2, 3, t).tolist(), gegenbauer(3, 2, t).tolist()
([1.0, -0.125, 1.0], [-1.0, -1.0, 1.0])
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy

from symspec.errors import InputError
from symspec.exact import natural

from .backends import Backend, backend as backend_named

MAX_SEED = 2**64


def sphere_points(count: Any, d: Any, seed: Any = 0, backend: str | Backend = "numpy") -> Any:
    """``count`` independent uniform points on S^{d-1}, shape (count, d), float64; a function of the arguments alone.

    Raises InputError for a count below 1, d below 2, or a seed outside [0, 2^64).
    """
    rows, dimension, key = natural(count, "number of points", 1), natural(d, "sphere dimension d", 2), natural(seed, "seed")
    if key >= MAX_SEED:
        raise InputError(f"seed {key} is not below 2^64")
    normals = numpy.random.Generator(numpy.random.Philox(key=key)).standard_normal((rows, dimension))
    points = normals / numpy.sqrt((normals * normals).sum(axis=1))[:, None]
    return backend_named(backend).xp.asarray(points)


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
