r"""Kernel ridge regression on random points, beside the predicted learning curve.

A target of degree energies :math:`v_k^2` is realised as :math:`f(x)=\sum_kv_k\sqrt{N_k}\,\varphi_k(t(x,e))` with a random input e:
:math:`E\varphi_k^2=1/N_k`, so its part of degree k has the norm :math:`v_k`. Each trial draws e, n training points with noisy values
and test points, solves :math:`(K(X,X)+\delta I)\alpha=y` in double precision and averages the squared error on the test points,
whose values are noisy too. Trials are independent, so the standard error of their mean is estimated from their spread.

The prediction (:mod:`numerics.ridge`) is a theory for large n, whose value is certified but which is itself an approximation: expect
agreement within a few per cent, not within the standard error.

>>> import symspec as ss
>>> record = ridge_check(ss.mlp(ss.relu, 2).ntk, ss.Sphere(5), {1: 1, 2: 1}, samples=60, ridge="1/10", trials=10, seed=1, backend="numpy")
>>> 0.5 < record.estimate / float(record.predicted.error) < 2
True
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy

from symspec.domain import BooleanCube, Domain, Sphere
from symspec.errors import DomainError
from symspec.exact import exact, natural
from symspec.kernel import Kernel

from .backends import Backend, backend as backend_named
from .gram_matrix import gram
from .sampling import domain_points, zonal_sequence

if TYPE_CHECKING:
    from numerics.ridge import LearningPoint

TEST_POINTS = 1000
SEEDS_A_TRIAL = 4


@dataclass(frozen=True)
class RidgeCheck:
    """Mean test error of the trials, its standard error, and the prediction."""

    samples: int
    trials: int
    estimate: float
    standard_error: float
    predicted: LearningPoint

    @property
    def ratio(self) -> float:
        """estimate / predicted."""
        return self.estimate / float(self.predicted.error)


def ridge_check(
    K: Kernel,
    domain: Domain,
    energies: dict[int, Any],
    samples: Any,
    *,
    ridge: Any = 0,
    noise: Any = 0,
    trials: Any = 20,
    test_points: Any = TEST_POINTS,
    seed: Any = 0,
    backend: str | Backend = "auto",
) -> RidgeCheck:
    """Run ``trials`` regressions with ``samples`` points and compare with :func:`numerics.learning_curve`.

    The same arguments give the same record. Raises DomainError but on spheres and cubes, and as learning_curve and gram.
    """
    from numerics.ridge import learning_curve

    if not isinstance(domain, (Sphere, BooleanCube)):
        raise DomainError(f"regression draws points on a sphere or a cube, not on {domain}")
    n, rounds, tests, first = natural(samples, "number of samples", 1), natural(trials, "trials", 2), natural(test_points, "test points", 1), natural(seed, "seed")
    predicted = learning_curve(K, domain, energies, [n], ridge=ridge, noise=noise)[0]
    amplitudes = {k: math.sqrt(float(exact(v, "energy")) * domain.multiplicity(k)) for k, v in energies.items()}
    numbers = float(exact(ridge, "ridge")), math.sqrt(float(exact(noise, "noise")))
    library = backend_named(backend)
    errors = [_trial(K, domain, amplitudes, (n, tests), numbers, first * rounds + i, library) for i in range(rounds)]
    return RidgeCheck(n, rounds, math.fsum(errors) / rounds, float(numpy.std(errors, ddof=1)) / math.sqrt(rounds), predicted)


def _trial(K: Kernel, domain: Domain, amplitudes: dict[int, float], sizes: tuple[int, int], numbers: tuple[float, float], seed: int, library: Backend) -> float:
    """The mean squared error on the test points of one draw."""
    xp, (n, tests), (delta, sigma) = library.xp, sizes, numbers
    # One stream for the points, one for the noise: the counter-based generator keeps seeds apart.
    points = domain_points(domain, n + tests + 1, SEEDS_A_TRIAL * seed, library)
    if isinstance(domain, BooleanCube):
        points = points / math.sqrt(domain.dimension)
    noise = numpy.random.Generator(numpy.random.Philox(key=SEEDS_A_TRIAL * seed + 1)).standard_normal(n + tests)
    inputs, pole = points[:-1], points[-1]
    values = _target(domain, inputs @ pole, amplitudes, xp) + sigma * xp.asarray(noise)
    system = gram(K, inputs[:n], backend=library) + delta * xp.eye(n)
    fitted = gram(K, inputs[n:], inputs[:n], backend=library) @ xp.linalg.solve(system, values[:n])
    return float(((fitted - values[n:]) ** 2).mean())


def _target(domain: Domain, t: Any, amplitudes: dict[int, float], xp: Any) -> Any:
    total = xp.zeros_like(t)
    for k, polynomial in enumerate(zonal_sequence(domain, t, tuple(amplitudes), xp)):
        if k in amplitudes:
            total = total + amplitudes[k] * polynomial
    return total


__all__ = ["RidgeCheck", "ridge_check"]
