r"""Certified eigenvalues checked against random points, with the exact standard error.

For x, y independent on a sphere or cube, :math:`E[K(t)\varphi_k(t)]=\mu_k` with the zonal polynomials of
:mod:`symspec.domain`: Gegenbauer's on the sphere, on the cube the mean of :math:`(xy)^S` over all sets S of size k, that is
Krawtchouk's in the Hamming distance. The estimate is the U-statistic over all pairs of n points,

.. math:: \hat\mu_k=\frac2{n(n-1)}\sum_{i<j}h(x_i,x_j),\qquad h=K\,\varphi_k.

By symmetry :math:`E[h\mid x]` does not depend on x, so the statistic is completely degenerate: pairs that share one
point are uncorrelated, and its variance is exactly :math:`2\operatorname{Var}(h)/(n(n-1))` (Serfling 1980, section 5.2):
an error of order 1/n, not :math:`1/\sqrt n`.

Var(h) is computed and not estimated. With the linearisation
:math:`\varphi_k^2=\sum_jc_j\varphi_{2j}`, rational :math:`c_j\ge0` (:meth:`symspec.domain.Domain.square_linearisation`),

.. math:: E[h^2]=\sum_jc_j\,\mu_{2j}(K^2),\qquad \operatorname{Var}(h)=E[h^2]-\mu_k^2,

and the :math:`\mu_{2j}(K^2)` are certified eigenvalues of the product kernel.

**Gaussian inputs**, homogeneous kernels :math:`(|x||y|/d)^mK(t)`. With :math:`R=(|x|^2/d)^m`, :math:`e=E\,R` and the
eigenfunctions :math:`|x|^mY`, :math:`h=K(t)P_k(t)\,u(x)u(y)`, :math:`u=R/\sqrt e`, has the mean :math:`e\mu_k`, the eigenvalue. Lengths
make the statistic non-degenerate: with :math:`f=E\,R^2`,

.. math:: \operatorname{Var}=\tfrac2{n(n-1)}\bigl[2(n-2)\zeta_1+\zeta_2\bigr],\quad
          \zeta_1=\operatorname{Var}E[h\mid x]=\mu_k^2(f-e^2),\quad \zeta_2=(f/e)^2E[K^2P_k^2]-e^2\mu_k^2 .

What it shows: the z-scores of a right program have mean 0 and variance 1, and their law is a centred weighted chi-square,
skewed but far from heavy-tailed. Degrees share the points, so their scores are correlated. What it cannot show: an error
below one standard error.

>>> import symspec as ss
>>> records = gram_check(ss.mlp(ss.relu, 1).ntk, ss.Sphere(3), points=300, degrees=range(3), seed=1, backend="numpy")
>>> [record.degree for record in records], all(abs(record.z_score) < 5 for record in records)
([0, 1, 2], True)
>>> records = gram_check(ss.mlp(ss.relu, 1).ntk, ss.BooleanCube(8), points=300, degrees=[0, 1, 2, 8], seed=1, backend="numpy")
>>> all(abs(record.z_score) < 5 for record in records)
True
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from flint import arb

from symspec.domain import Domain, Gaussian
from symspec.errors import InputError, Undecided
from symspec.exact import natural
from symspec.gegenbauer import square_linearisation
from symspec.kernel import Kernel
from symspec.multisphere import MultiSphere
from symspec.spectrum import gaussian_degree

from .backends import Backend, backend as backend_named
from .gram_matrix import Engine
from .sampling import domain_points, zonal_sequence
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
    K: Any,
    domain: Domain,
    points: Any = 2000,
    degrees: Iterable[Any] = range(6),
    seed: Any = 0,
    backend: str | Backend = "auto",
    *,
    progress: Progress | None = None,
) -> list[Any]:
    """Estimate eigenvalues of the given degrees from all pairs of random points; a record a degree.

    The same arguments give the same records. Memory is that of a few tiles and the points.
    ``progress(done, total)`` is called after each tile, from the thread that did it.

    ``domain`` is Sphere(d), Circle(), BooleanCube(d), or Gaussian(d) for a homogeneous kernel.
    Raises DomainError where the kernel has no spectrum on the domain, InputError for fewer than two points or a
    bad degree, Undecided for a kernel whose square has no mean (infinite on the diagonal).

    For a kernel of images ``domain`` is MultiSphere(C, P), the degrees are multi-indices and the records :class:`gpu.image_statistics.ImageCheck`.
    """
    if isinstance(domain, MultiSphere):
        from .image_statistics import image_check

        return image_check(K, domain, points, degrees, seed, backend, progress=progress)
    size = natural(points, "number of points", 2)
    if isinstance(K, Kernel) and K.diagonal_is_infinite:
        raise Undecided("the kernel is infinite on the diagonal, so its square may have no mean and the estimate no standard error; check net.ck, or use drop_deltas=True")
    chosen = _degrees(K, domain, degrees)
    if not chosen:
        return []
    library = backend_named(backend)
    sample = _Sample.draw(K, domain, size, seed, library)
    certified = _certified(K, domain, chosen)
    errors = standard_errors(K, domain, chosen, certified, size)
    estimates, scales = _estimates(K, sample, chosen, library, progress)
    return [_record(*row) for row in zip(chosen, estimates, scales, errors, certified, strict=True)]


def _record(degree: int, estimate: float, scale: float, error: float, certified: arb) -> DegreeCheck:
    difference = estimate - float(certified)
    within_rounding = abs(difference) <= ROUNDING * scale
    z_score = 0.0 if within_rounding else difference / error if error else math.copysign(math.inf, difference)
    return DegreeCheck(degree, estimate, error, certified, z_score)


def _degrees(kernel: Any, domain: Any, degrees: Iterable[Any]) -> list[int]:
    from numerics.spectrum import require_spectrum

    chosen = require_spectrum(kernel, domain, degrees, "gram_check")
    if chosen and max(chosen) > MAX_DEGREE:
        raise InputError(f"degree {max(chosen)} is above {MAX_DEGREE}")
    return chosen


@dataclass(frozen=True)
class _Sample:
    """Unit rows, and for Gaussian inputs the factor u(x) of each."""

    domain: Domain
    rows: Any
    weights: Any = None

    @staticmethod
    def draw(kernel: Kernel, domain: Domain, size: int, seed: Any, library: Backend) -> _Sample:
        points = domain_points(domain, size, seed, library)
        norms = library.xp.sqrt((points * points).sum(axis=1))
        rows = points / norms[:, None]
        if not isinstance(domain, Gaussian):
            return _Sample(domain, rows)
        m = gaussian_degree(kernel)
        return _Sample(domain, rows, (norms**2 / domain.dimension) ** m / math.sqrt(float(domain.radial_moment(m))))


def _certified(kernel: Kernel, domain: Domain, degrees: list[int]) -> list[arb]:
    from numerics import eigenvalues

    return list(eigenvalues(kernel, domain, degrees, digits=DIGITS))


def second_moments(kernel: Kernel, domain: Domain, degrees: list[int]) -> list[arb]:
    """E[K(t)^2 phi_k(t)^2] for each degree, as balls; on Gaussian(d) of the directions."""
    space = domain.directions if isinstance(domain, Gaussian) else domain
    parts = {k: space.square_linearisation(k) for k in degrees}
    squares = _certified(kernel * kernel, space, list(range(0, 2 * max(map(len, parts.values())) - 1, 2)))
    return [sum((squares[j] * c.numerator / c.denominator for j, c in enumerate(parts[k])), arb(0)) for k in degrees]


def standard_errors(kernel: Kernel, domain: Domain, degrees: list[int], certified: list[arb], size: int) -> list[float]:
    """The exact standard deviation of the estimate of each degree; see the module docstring."""
    from numerics import ball
    from numerics.precision import working_precision

    with working_precision(128):
        moments = second_moments(kernel, domain, degrees)
        mean, square = arb(1), arb(1)
        if isinstance(domain, Gaussian):
            m = gaussian_degree(kernel)
            mean, square = ball(domain.radial_moment(m)), ball(domain.radial_moment(2 * m))
        pairs = [(square / mean) ** 2 * moment - mu * mu for moment, mu in zip(moments, certified, strict=True)]
        shared = [mu * mu * (square / mean**2 - 1) for mu in certified]
    # A constant h has variance exactly 0, of which the midpoint of the ball may miss a little.
    return [math.sqrt(2.0 * max(0.0, 2 * (size - 2) * float(one) + float(two)) / (size * (size - 1.0))) for one, two in zip(shared, pairs, strict=True)]


def _estimates(kernel: Kernel, sample: _Sample, degrees: list[int], library: Backend, progress: Progress | None) -> tuple[list[float], list[float]]:
    """Means of h over all pairs, and of |h| (the scale of their rounding errors)."""
    size = sample.rows.shape[0]
    work = tiles((size, size), library.tile, symmetric=True)
    sums: list[list[tuple[float, float]]] = [[] for _ in work]
    summer = _Summer(Engine.of(kernel, "auto", library), sample, degrees, sums, progress)
    each(work, summer, library.workers)
    pairs = size * (size - 1) / 2.0
    # fsum rounds once, so the order of tiles and the number of threads do not matter.
    return tuple([math.fsum(tile[index][part] for tile in sums) / pairs for index in range(len(degrees))] for part in (0, 1))  # type: ignore[return-value]


class _Summer:
    """Sums over the pairs i < j of a tile, for each degree."""

    def __init__(self, engine: Engine, sample: _Sample, degrees: list[int], sums: list[list[tuple[float, float]]], progress: Progress | None) -> None:
        self.engine, self.sample, self.degrees, self.sums, self.progress = engine, sample, degrees, sums, progress
        self.counter = count(1)

    def __call__(self, queue: Iterator[Tile]) -> None:
        xp, space = self.engine.backend.xp, self.engine.workspace()
        buffer = xp.empty(self.engine.backend.tile**2)
        for tile in queue:
            rows, columns = self.sample.rows[tile.rows], self.sample.rows[tile.columns]
            t = correlations(rows, columns, buffer, xp)
            values = t.copy()
            angles(values, rows, columns, xp, skip_diagonal=tile.diagonal)
            self.engine.overwrite(values, space)
            if self.sample.weights is not None:
                values *= self.sample.weights[tile.rows, None] * self.sample.weights[None, tile.columns]
            if tile.diagonal:
                values = xp.triu(values, 1)
            self.sums[tile.index] = self._tile_sums(values, t)
            if self.progress:
                self.progress(next(self.counter), len(self.sums))

    def _tile_sums(self, values: Any, t: Any) -> list[tuple[float, float]]:
        found, wanted = {}, set(self.degrees)
        for k, polynomial in enumerate(zonal_sequence(self.sample.domain, t, wanted, self.engine.backend.xp)):
            if k in wanted:
                h = values * polynomial
                found[k] = (float(h.sum()), float(abs(h).sum()))
        return [found[k] for k in self.degrees]


__all__ = ["DegreeCheck", "gram_check", "second_moments", "square_linearisation", "standard_errors"]
