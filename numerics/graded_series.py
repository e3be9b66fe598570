r"""Eigenvalues on products of spheres from the multivariate power series, with a proved tail: any number of pixels, any activation.

A kernel of a network is :math:`K(t)=\sum_\alpha b_\alpha t^\alpha`, :math:`b_\alpha\ge0`. Graded by the total degree,
:math:`K(rt)=\sum_nr^nK_n(t)`, and

.. math:: \lambda_k=\sum_nB_n(k),\qquad B_n(k)=E\Bigl[K_n(t)\prod_iP_{k_i}(t_i)\Bigr]=\sum_{|\alpha|=n}b_\alpha\prod_i\mu_{k_i}(t^{\alpha_i})\ge0 .

:math:`K_n` is a polynomial, so the expectation is exactly that of a tensor Gauss-Gegenbauer rule, at each point of which K(rt) is a power series in r: the
program is read by arrays of univariate series, and only as many dimensions as a node of the network sees are spanned.

**Tail.** With :math:`\epsilon_i=k_i` mod 2, :math:`\mu_{k_i}(t^a)\le\mu_{\epsilon_i}(t^a)=E\,t^{a+\epsilon_i}`, since
:math:`\mu_{k+2}(t^a)/\mu_k(t^a)=(a-k)/(a+k+C)`. Hence

.. math:: 0\le\lambda_k-\sum_{n\le N}B_n(k)\le E\Bigl[K\prod_it_i^{\epsilon_i}\Bigr]-\sum_{n\le N}B_n(\epsilon),

and the expectation is bounded from above without any integral: a Gauss-Lobatto rule of the same weight is at least :math:`E\,t^{2m}` for every m, because
its error is :math:`-c\,f^{(2j)}(\xi)` with c > 0 (Davis and Rabinowitz 1984, section 2.7), it vanishes on odd powers, and all :math:`b_\alpha\ge0`.

>>> import symspec as ss
>>> values = eigenvalues(ss.cnn(ss.erf, 1, 2, 2).ck, 3, [(1, 0), (2, 1)], 20)
>>> print(*(value.str(6, radius=False) for value in values.values()))
0.157360 0.00137380
"""

from __future__ import annotations

from functools import lru_cache, reduce
from itertools import pairwise, product
from typing import Any

import numpy
from flint import arb, arb_mat, arb_series, ctx

from symspec.domain import Sphere
from symspec.errors import Undecided
from symspec.pair_dual import PairDual
from symspec.pixel_kernel import PixelKernel
from symspec.pixel_program import Units

from . import power_series
from .angle_boxes import contracted, zonal_rows
from .pixel_balls import Balls, Grid, haversine, mean_after, tape_of
from .precision import working_precision

MAX_POINTS = 120_000
FIRST_TERMS = 12
MAX_TERMS = 400
NEWTON_STEPS = 60
MultiIndex = tuple[int, ...]


class SeriesGrid(Balls):
    """Arrays of power series in r; see the module docstring."""

    def activated(self, dual: PairDual, units: Units, state: Any) -> tuple[Any, Any]:
        value, slope = _layer(tape_of(dual, units), units)(haversine(units, state))
        return mean_after(units) - value, slope


def _layer(tape: Any, units: Units) -> Any:
    symbols = {"p": arb_series([units.p]), "q": arb_series([units.q])}

    def one(w: arb_series) -> tuple[Any, Any]:
        zero = arb_series([0])
        values = tape.run(power_series.table(zero, zero) | {"symbol": lambda name: w if name == "w" else symbols[name]})
        return values[0], values[1]

    return numpy.frompyfunc(one, 1, 2)


def eigenvalues(kernel: PixelKernel, channels: int, indices: list[MultiIndex], bits: int) -> dict[MultiIndex, arb]:
    """lambda_k for multi-indices over the receptive field, each to ``bits`` of relative accuracy, or Undecided with the accuracy reached.

    Exact zeros must have been removed.
    """
    axes, terms = len(kernel.receptive_field), FIRST_TERMS + max(map(sum, indices))
    while True:
        top = max(max(index) for index in indices)
        points = (terms + max(top, 1)) // 2 + 1
        values = _attempt(kernel, channels, indices, terms, points, bits)
        worst = min(value.rel_accuracy_bits() if value.is_finite() else 0 for value in values.values())
        if worst >= bits:
            return values
        terms += max(4, terms // 3)
        if ((terms + max(top, 1)) // 2 + 1) ** axes > MAX_POINTS or terms > MAX_TERMS:
            digits = max(0, int(worst * 0.30103))
            raise Undecided(
                f"the power series of {axes} pixels gives {digits} digits with the terms up to degree {terms - max(4, terms // 3)} and the rest bounded; ask for at most that many"
                if digits
                else f"the power series of {axes} pixels does not tell an eigenvalue from its bound with the terms that {MAX_POINTS} points allow; ask for lower degrees or fewer pixels"
            )


def _attempt(kernel: PixelKernel, channels: int, indices: list[MultiIndex], terms: int, points: int, bits: int) -> dict[MultiIndex, arb]:
    with working_precision(bits + 64 + 4 * terms, terms + 1):
        nodes, weights = gauss(channels, points, ctx.prec)
        top = max(1, *(max(index) for index in indices))
        rows = zonal_rows(channels, nodes, top)
        table = arb_mat(top + 1, points, [value * w for row in rows for value, w in zip(row, weights, strict=True)])
        graded = _graded(kernel, nodes, terms)
        parities = {tuple(n % 2 for n in index) for index in indices}
        sums = {index: arb(0) for index in (*indices, *parities)}
        for n in range(terms + 1):
            due = [index for index in sums if sum(index) % 2 == n % 2 and sum(index) <= n]
            if due:
                layer = contracted(numpy.frompyfunc(lambda series, n=n: series[n], 1, 1)(graded), [table] * graded.ndim)
                for index in due:
                    sums[index] += layer[index]
        tails = {parity: bound - sums[parity] for parity, bound in _upper(kernel, channels, parities, points).items()}
        return {index: _between(sums[index], tails[tuple(n % 2 for n in index)]) for index in indices}


def _between(low: arb, tail: arb) -> arb:
    upper = tail.upper()
    if upper < 0:
        raise AssertionError("a bound of a non-negative rest is negative")
    return low + upper / 2 + arb(0, (upper / 2).upper())


def _graded(kernel: PixelKernel, nodes: list[arb], terms: int) -> Any:
    """K(rt) at all points of the grid."""
    field = kernel.receptive_field
    # Entry by entry, because numpy takes a series for a sequence of its coefficients.
    states = numpy.empty(len(nodes), dtype=object)
    for index, t in enumerate(nodes):
        states[index] = arb_series([1, -t], prec=terms + 1)
    axes = {pixel: states.reshape([-1 if index == axis else 1 for index in range(len(field))]) for axis, pixel in enumerate(field)}
    values = reduce(lambda a, b: a * b, [factor.run(SeriesGrid(lambda pair: axes[pair[0]])) for factor in kernel.factors])
    return numpy.broadcast_to(values, (len(nodes),) * len(field))


def _upper(kernel: PixelKernel, channels: int, parities: set[MultiIndex], points: int) -> dict[MultiIndex, arb]:
    """Upper bounds of E[K prod t_i^(e_i)] by a Gauss-Lobatto rule."""
    nodes, weights = lobatto(channels, points, ctx.prec)
    field = kernel.receptive_field
    values = _values(kernel, nodes)
    table = arb_mat(2, len(nodes), [*weights, *(w * t for w, t in zip(weights, nodes, strict=True))])
    result = contracted(values, [table] * len(field))
    return {parity: result[parity] for parity in parities}


def _values(kernel: PixelKernel, nodes: list[arb]) -> Any:
    """K on the grid, the diagonal and its opposite included."""
    field = kernel.receptive_field
    states = numpy.array([1 - t for t in nodes], dtype=object)
    axes = {pixel: states.reshape([-1 if index == axis else 1 for index in range(len(field))]) for axis, pixel in enumerate(field)}
    values: Any = arb(1)
    for factor in kernel.factors:
        values = values * factor.run(Grid(lambda pair: axes[pair[0]]))
    grid = numpy.array(numpy.broadcast_to(numpy.asarray(values, dtype=object), (len(nodes),) * len(field)))
    for place in product(range(len(nodes)), repeat=len(field)):
        if not grid[place].is_finite():
            # Where a pair is equal the expressions divide by zero; the carrier of single balls knows the values there.
            point = {pixel: states[index] for pixel, index in zip(field, place, strict=True)}
            grid[place] = _product(kernel, point)
    return grid


def _product(kernel: PixelKernel, states: dict[int, arb]) -> arb:
    value = arb(1)
    for factor in kernel.factors:
        value = value * factor.run(Balls(lambda pair: states[pair[0]]))
    return value


@lru_cache(maxsize=256)
def gauss(channels: int, points: int, precision: int) -> tuple[list[arb], list[arb]]:
    """Nodes and weights of the Gauss rule for the probability density proportional to (1-t^2)^((C-3)/2), exact to degree 2n - 1.

    The weights are Christoffel's: 1/sum_{m<n} N(C,m) P_m(x)^2.
    """
    nodes = _roots(channels, points)
    return nodes, _christoffel(channels, nodes, points)


def _christoffel(channels: int, nodes: list[arb], count: int) -> list[arb]:
    rows = zonal_rows(channels, nodes, count - 1) if count > 1 else [[arb(1)] * len(nodes)]
    multiplicities = [Sphere(channels).multiplicity(m) for m in range(count)]
    return [1 / sum((n * row[j] * row[j] for n, row in zip(multiplicities, rows, strict=True)), arb(0)) for j in range(len(nodes))]


@lru_cache(maxsize=256)
def lobatto(channels: int, points: int, precision: int) -> tuple[list[arb], list[arb]]:
    """Nodes and weights of the Gauss-Lobatto rule with ``points`` inner nodes, exact to degree 2n + 1.

    The inner nodes and weights are those of the Gauss rule for the weight times 1 - t^2, that of dimension C + 2.
    """
    inner, weights = gauss(channels + 2, points, precision)
    # E (1 - t^2) = (C-1)/C turns the weight of dimension C + 2 into a probability.
    scale = arb(channels - 1) / channels
    inside = [scale * w / (1 - x * x) for x, w in zip(inner, weights, strict=True)]
    end = (1 - sum(inside, arb(0))) / 2
    return [arb(-1), *inner, arb(1)], [end, *inside, end]


def _roots(channels: int, count: int) -> list[arb]:
    """The zeros of P_n in dimension C, ascending, each isolated by an interval Newton step."""
    guesses = _guesses(channels, count)
    found = [_root(channels, count, guess) for guess in guesses]
    for a, b in pairwise(found):
        if not a < b:
            raise Undecided(f"the {count} nodes of the Gauss rule were not separated")
    return found


def _guesses(channels: int, count: int) -> list[float]:
    """Where to look: eigenvalues of the Jacobi matrix in doubles. Nothing is claimed of them."""
    coefficients = [((m + 1) / (2 * m + channels - 2) if m else 1.0) * ((m + channels - 2) / (2 * m + channels) if m else 1 / channels) for m in range(count - 1)]
    off = numpy.sqrt(numpy.array(coefficients))
    return [float(x) for x in numpy.linalg.eigvalsh(numpy.diag(off, 1) + numpy.diag(off, -1))]


def _root(channels: int, count: int, guess: float) -> arb:
    x = arb(guess)
    for _ in range(NEWTON_STEPS):
        value, slope = _with_slope(channels, count, x.mid())
        x = x.mid() - value / slope
        if abs(value / slope) < arb(2) ** (8 - ctx.prec):
            break
    radius = (abs(x).upper() + 1) * arb(2) ** (24 + count - ctx.prec)
    ball_ = x.mid() + arb(0, radius.upper())
    value, _ = _with_slope(channels, count, x.mid())
    _, slope = _with_slope(channels, count, ball_)
    step = x.mid() - value / slope
    if not ball_.contains_interior(step):
        raise Undecided(f"a node of the Gauss rule of {count} points was not isolated")
    return step


def _with_slope(channels: int, count: int, x: arb) -> tuple[arb, arb]:
    """P_n(x) and its derivative by the recurrence."""
    before, now, d_before, d_now = arb(1), x, arb(0), arb(1)
    if count == 1:
        return now, d_now
    for k in range(1, count):
        a, b, c = 2 * k + channels - 2, k, k + channels - 2
        before, now, d_before, d_now = now, (a * x * now - b * before) / c, d_now, (a * (now + x * d_now) - b * d_before) / c
    return now, d_now


__all__ = ["eigenvalues", "gauss", "lobatto"]
