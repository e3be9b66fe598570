r"""Duals that are series, between arrays of variances: Mehler's formula with Hermite coefficients by the trapezoidal rule, in double precision.

For variances p (a column) and q (a row) and a matrix of covariances c

.. math:: E\,\sigma(u)\sigma(v)=\sum_{n<N}\alpha_n(\sqrt p)\,\alpha_n(\sqrt q)\,\Bigl(\frac c{\sqrt{pq}}\Bigr)^n,\qquad \alpha_n(a)=E\,\sigma(aZ)h_n(Z),

where all coefficients of one side are one matrix product. N is doubled until :math:`\sum\alpha_n^2` is the second moment up to rounding, which bounds
what is left out at every correlation. No error bound is claimed (a few 1e-15 of the second moments). Memory: 2401 numbers for every
row and column beside a few matrices of pairs.

>>> import sympy
>>> from symspec.strip_functions import Profile
>>> from symspec.terms import X
>>> p = numpy.array([[1.0], [2.0]])
>>> between(numpy, p, p.T, 0.5 * numpy.ones((2, 2)), DualOf(Profile(sympy.tanh(X)), 0)).round(6).tolist()
[[0.186324, 0.146754], [0.146754, 0.115875]]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy

from symspec.activations import Activation
from symspec.errors import Undecided
from symspec.strip import StripForm
from symspec.strip_functions import DualOf

from .activation_arrays import array_function

REACH, NODES = 12.0, 2401
FIRST_TERMS, MAX_TERMS = 64, 1024
ROUNDING = 4e-15
# Correlations beyond are summed by themselves, with all terms.
NEAR = 0.8


def between(xp: Any, p: Any, q: Any, c: Any, data: DualOf) -> Any:
    """The dual of a derivative of a function, entry by entry; its second moment where p, q and c are one array.

    Raises Undecided where a variance needs more than 1024 terms.
    """
    if p is q and q is c:
        return second_moment(xp, p, data)
    # As many terms on both sides: beyond them both series are rounding.
    both = _coefficients(xp, xp.concatenate([p.ravel(), q.ravel()]), data)
    first, second = both[: p.size], both[p.size :]
    rho = xp.clip(c / (xp.sqrt(p) * xp.sqrt(q)), -1.0, 1.0) + xp.zeros((p.size, q.size))
    near = xp.abs(rho) > NEAR
    total = _horner(_terms(xp, first, second, NEAR), xp.where(near, 0.0, rho), lambda n: first[:, n, None] * second[None, :, n])
    i, j = xp.nonzero(near)
    if i.size:
        total[i, j] = _horner(_terms(xp, first, second, 1.0), rho[i, j], lambda n: first[i, n] * second[j, n])
    return total


def _horner(count: int, rho: Any, term: Callable[[int], Any]) -> Any:
    total = 0.0 * rho
    for n in range(count - 1, -1, -1):
        total *= rho
        total += term(n)
    return total


def _terms(xp: Any, first: Any, second: Any, largest: float) -> int:
    """How many terms matter up to a correlation: those left out add to rounding, by the Cauchy-Schwarz inequality."""
    tails = [xp.sqrt(xp.cumsum((part * part)[:, ::-1], axis=1)[:, ::-1].max(axis=0)) for part in (first, second)]
    left = tails[0] * tails[1] * largest ** xp.arange(first.shape[1])
    return max(1, int((left > ROUNDING / 16 * left[0]).sum()))


def second_moment(xp: Any, p: Any, data: DualOf) -> Any:
    """E f(u)^2 for variances of any shape."""
    nodes, weights, _ = _rule()
    values = _values(xp, p.ravel(), data, xp.asarray(nodes))
    return (values * values @ xp.asarray(weights)).reshape(p.shape)


def _values(xp: Any, variances: Any, data: DualOf, nodes: Any) -> Any:
    function = array_function(Activation(StripForm(data.profile.function, data.order)), xp)
    return function(xp.sqrt(variances)[:, None] * nodes[None, :]) + xp.zeros((variances.size, nodes.size))


def _coefficients(xp: Any, variances: Any, data: DualOf) -> Any:
    """A row for each variance, as long as the longest must be."""
    nodes, weights, rows = _rule()
    values = _values(xp, variances, data, xp.asarray(nodes))
    whole, count = values * values @ xp.asarray(weights), FIRST_TERMS
    while count <= MAX_TERMS:
        found = values @ xp.asarray(rows[:count]).T
        if bool((xp.abs(whole - (found * found).sum(axis=1)) <= ROUNDING * whole).all()):
            return found
        count *= 2
    raise Undecided(f"the dual of {data.profile} needs more than {MAX_TERMS} terms for double precision at variances up to {float(variances.max()):.3g}")


@lru_cache(maxsize=1)
def _rule() -> tuple[Any, Any, Any]:
    """Nodes, weights of the normal law, and the Hermite polynomials times the weights."""
    nodes = numpy.linspace(-REACH, REACH, NODES)
    weights = numpy.exp(-nodes * nodes / 2) * (2 * REACH / (NODES - 1)) / math.sqrt(2 * math.pi)
    rows = [weights, nodes * weights]
    for n in range(1, MAX_TERMS - 1):
        rows.append((nodes * rows[n] - math.sqrt(n) * rows[n - 1]) / math.sqrt(n + 1))
    return nodes, weights, numpy.array(rows)


__all__ = ["between", "second_moment"]
