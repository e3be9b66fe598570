r"""Certified eigenvalues checked against random points, with the exact standard error.

For x, y independent and uniform on S^{d-1}, :math:`E[K(x\cdot y)P_k(x\cdot y)]=\mu_k` (mathematically the
Funk-Hecke formula). The estimate is the U-statistic over all pairs of n points,

.. math:: \hat\mu_k=\frac2{n(n-1)}\sum_{i<j}h(x_i,x_j),\qquad h=K\,P_k.

By rotation invariance :math:`E[h\mid x]` does not depend on x, so the statistic is completely degenerate: pairs that share one
point are uncorrelated, and its variance is exactly :math:`2\operatorname{Var}(h)/(n(n-1))` (Serfling 1980, section 5.2):
an error of order 1/n, not :math:`1/\sqrt n`.

Var(h) is computed and not estimated. By Dougall's linearisation (DLMF 18.18.22)
:math:`P_k^2=\sum_{j\le k}c_jP_{2j}` with rational :math:`c_j\ge0`, so

.. math:: E[h^2]=\sum_jc_j\,\mu_{2j}(K^2),\qquad \operatorname{Var}(h)=E[h^2]-\mu_k^2,

and the :math:`\mu_{2j}(K^2)` are certified eigenvalues of the product kernel.

What it shows: the z-scores of a right program have mean 0 and variance 1, and their law is a centred weighted chi-square,
skewed but far from heavy-tailed. Degrees share the points, so their scores are correlated. What it cannot show: an error
below one standard error.

>>> import symspec as ss
>>> records = gram_check(ss.mlp(ss.relu, 1).ntk, ss.Sphere(3), points=300, degrees=range(3), seed=1, backend="numpy")
>>> [record.degree for record in records], all(abs(record.z_score) < 5 for record in records)
([0, 1, 2], True)
>>> square_linearisation(1, 3)
(Fraction(1, 3), Fraction(2, 3))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice
from typing import Any

from flint import arb

from symspec.domain import Domain, Sphere
from symspec.errors import DomainError, InputError, Undecided
from symspec.exact import natural
from symspec.kernel import Kernel

from .backends import Backend, backend as backend_named
from .gram_matrix import Engine
from .sampling import gegenbauer_sequence, sphere_points
from .tiles import Tile, angles, correlations, each, tiles

DIGITS = 20
MAX_DEGREE = 10_000
ROUNDING = 1e-13
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class DegreeCheck:
    """One degree: the estimate from pairs of points beside the certified eigenvalue.

    ``standard_error`` is exact (module docstring), ``certified`` a ball. ``z_score`` is (estimate - certified)/standard_error,
    and 0 where the two agree to the rounding of the sum of floats.
    """

    degree: int
    estimate: float
    standard_error: float
    certified: arb
    z_score: float


def gram_check(
    K: Kernel,
    domain: Domain,
    points: Any = 2000,
    degrees: Iterable[Any] = range(6),
    seed: Any = 0,
    backend: str | Backend = "auto",
    *,
    progress: Progress | None = None,
) -> list[DegreeCheck]:
    """Estimate eigenvalues of the given degrees from all pairs of random points; a record a degree.

    The same arguments give the same records. Memory is that of a few tiles and the points.
    ``progress(done, total)`` is called after each tile, from the thread that did it.

    Raises DomainError for a domain other than a sphere, InputError for fewer than two points or a
    bad degree, Undecided for a kernel whose square has no mean (infinite on the diagonal).
    """
    sphere = _sphere(domain)
    chosen = _degrees(degrees)
    size = natural(points, "number of points", 2)
    if not isinstance(K, Kernel):
        raise InputError(f"gram_check takes a Kernel (net.ck, net.ntk, ...), not {type(K).__name__}")
    if K.diagonal_is_infinite:
        raise Undecided("the kernel is infinite on the diagonal, so its square may have no mean and the estimate no standard error; check net.ck, or use drop_deltas=True")
    if not chosen:
        return []
    library = backend_named(backend)
    sample = sphere_points(size, sphere.d, seed, library)
    certified = _certified(K, sphere, chosen)
    errors = standard_errors(K, sphere, chosen, certified, size)
    estimates, scales = _estimates(K, sample, chosen, library, progress)
    return [_record(*row) for row in zip(chosen, estimates, scales, errors, certified, strict=True)]


def _record(degree: int, estimate: float, scale: float, error: float, certified: arb) -> DegreeCheck:
    difference = estimate - float(certified)
    within_rounding = abs(difference) <= ROUNDING * scale
    z_score = 0.0 if within_rounding else difference / error if error else math.copysign(math.inf, difference)
    return DegreeCheck(degree, estimate, error, certified, z_score)


def _sphere(domain: Any) -> Sphere:
    if not isinstance(domain, Sphere) or not isinstance(domain.d, int):
        raise DomainError(f"gram_check draws points on a sphere of given dimension, not on {domain}; use Sphere(d), or Circle()")
    return domain


def _degrees(degrees: Iterable[Any]) -> list[int]:
    chosen = [natural(k, "degree") for k in ([degrees] if isinstance(degrees, int) else degrees)]
    if chosen and max(chosen) > MAX_DEGREE:
        raise InputError(f"degree {max(chosen)} is above {MAX_DEGREE}")
    return chosen


def _certified(kernel: Kernel, sphere: Sphere, degrees: list[int]) -> list[arb]:
    from numerics import eigenvalues

    return list(eigenvalues(kernel, sphere, degrees, digits=DIGITS))


def square_linearisation(k: int, d: int) -> tuple[Fraction, ...]:
    """c_0, ..., c_k with P_k(t)^2 = sum_j c_j P_{2j}(t) in dimension d; they are >= 0 and add up to 1.

    Dougall's formula (DLMF 18.18.22) with lambda = (d-2)/2, renormalised; for d = 2 cos^2 = (1 + cos 2)/2.
    """
    if k == 0:
        return (Fraction(1),)
    if d == 2:
        return (Fraction(1, 2), *[Fraction(0)] * (k - 1), Fraction(1, 2))
    rate = Fraction(d - 2, 2)

    def rising(a: Fraction, upto: int) -> list[Fraction]:
        values = [Fraction(1)]
        for i in range(upto):
            values.append(values[-1] * (a + i))
        return values

    single, double, factorial = rising(rate, 2 * k), rising(2 * rate, 2 * k), rising(Fraction(1), 2 * k)
    scale = (factorial[k] / double[k]) ** 2
    terms = []
    for j in range(k + 1):
        s = k - j
        share = (2 * j + rate) / (k + j + rate) / (factorial[s] * factorial[j] ** 2)
        terms.append(scale * share * single[s] * single[j] ** 2 * double[k + j] / single[k + j])
    return tuple(terms)


def second_moments(kernel: Kernel, sphere: Sphere, degrees: list[int]) -> list[arb]:
    """E[K(t)^2 P_k(t)^2] for each degree, as balls."""
    top = max(degrees)
    squares = _certified(kernel * kernel, sphere, list(range(0, 2 * top + 1, 2)))
    moments = []
    for k in degrees:
        parts = square_linearisation(k, sphere.d)
        moments.append(sum((squares[j] * c.numerator / c.denominator for j, c in enumerate(parts)), arb(0)))
    return moments


def standard_errors(kernel: Kernel, sphere: Sphere, degrees: list[int], certified: list[arb], size: int) -> list[float]:
    """sqrt(2 Var(h)/(n(n-1))) for each degree; see the module docstring."""
    from numerics.precision import working_precision

    with working_precision(128):
        variances = [moment - mu * mu for moment, mu in zip(second_moments(kernel, sphere, degrees), certified, strict=True)]
    # A constant h has variance exactly 0, of which the midpoint of the ball may miss a little.
    return [math.sqrt(2.0 * max(0.0, float(variance)) / (size * (size - 1.0))) for variance in variances]


def _estimates(kernel: Kernel, points: Any, degrees: list[int], library: Backend, progress: Progress | None) -> tuple[list[float], list[float]]:
    """Means of K P_k over all pairs, and of |K P_k| (the scale of their rounding errors)."""
    size = points.shape[0]
    work = tiles((size, size), library.tile, symmetric=True)
    sums: list[list[tuple[float, float]]] = [[] for _ in work]
    summer = _Summer(Engine.of(kernel, "auto", library), points, degrees, sums, progress)
    each(work, summer, library.workers)
    pairs = size * (size - 1) / 2.0
    # fsum rounds once, so the order of tiles and the number of threads do not matter.
    return tuple([math.fsum(tile[index][part] for tile in sums) / pairs for index in range(len(degrees))] for part in (0, 1))  # type: ignore[return-value]


class _Summer:
    """Sums over the pairs i < j of a tile, for each degree."""

    def __init__(self, engine: Engine, points: Any, degrees: list[int], sums: list[list[tuple[float, float]]], progress: Progress | None) -> None:
        self.engine, self.points, self.degrees, self.sums, self.progress = engine, points, degrees, sums, progress
        self.counter = count(1)

    def __call__(self, queue: Iterator[Tile]) -> None:
        xp, space = self.engine.backend.xp, self.engine.workspace()
        buffer = xp.empty(self.engine.backend.tile**2)
        for tile in queue:
            rows, columns = self.points[tile.rows], self.points[tile.columns]
            t = correlations(rows, columns, buffer, xp)
            values = t.copy()
            angles(values, rows, columns, xp, skip_diagonal=tile.diagonal)
            self.engine.overwrite(values, space)
            if tile.diagonal:
                values = xp.triu(values, 1)
            self.sums[tile.index] = self._tile_sums(values, t)
            if self.progress:
                self.progress(next(self.counter), len(self.sums))

    def _tile_sums(self, values: Any, t: Any) -> list[tuple[float, float]]:
        found, wanted = {}, set(self.degrees)
        sequence = gegenbauer_sequence(self.points.shape[1], t, self.engine.backend.xp)
        for k, polynomial in enumerate(islice(sequence, max(wanted) + 1)):
            if k in wanted:
                h = values * polynomial
                found[k] = (float(h.sum()), float(abs(h).sum()))
        return [found[k] for k in self.degrees]
