r"""Gauss and Gauss-Lobatto rules of spheres, as balls, and why they bracket eigenvalues.

The density of :math:`t=\langle x,z\rangle` on the sphere in :math:`\mathbb R^C` is proportional to :math:`(1-t^2)^{(C-3)/2}`; its orthogonal
polynomials :math:`P_k`, :math:`P_k(1)=1`, satisfy

.. math:: t\,P_k=p_kP_{k+1}+q_kP_{k-1},\qquad p_k=\frac{k+C-2}{2k+C-2},\quad q_k=1-p_k,\quad p_0=1 .

So :math:`t^aP_k=\sum_j\Pr_k(X_a=j)P_j` for the random walk X on 0, 1, 2, ... that steps up from k with probability :math:`p_k`, and
:math:`E[t^aP_k]=\Pr_k(X_a=0)`.

**Theorem.** Let G be the Gauss rule of n points and L the Gauss-Lobatto rule of n points, both ends included. For every a >= 0,

.. math:: 0\le G[t^aP_k]\le E[t^aP_k]\le L[t^aP_k],\qquad\text{the first two for all }k<n,\text{ the last for all }k<n .

*Proof.* At the nodes of G, :math:`P_n=0`, so there :math:`t^aP_k=\sum_{j<n}\Pr_k(X_a=j,\ X<n\text{ up to time }a)P_j`: the walk is killed at n. G is exact for
:math:`P_j`, j < n, which gives :math:`G[t^aP_k]=\Pr_k(X_a=0,\text{not killed})`. The nodes of L are the zeros of :math:`(1-t^2)P'_M`, M = n - 1, which is a multiple
of :math:`P_{M+1}-P_{M-1}`, so there :math:`tP_M=P_{M-1}`: the walk is reflected at M. L is exact for :math:`P_j`, j <= M, as :math:`M\le2M-1`, so
:math:`L[t^aP_k]=\Pr_k(X'_a=0)` for the reflected walk X'. Let X and X' step alike where they are equal and X' is not reflected, and independently
else. They have the same parity, so a walk that is below the other one is so by 2 at least and cannot overtake it in one step: X' <= X always, and X = 0
implies X' = 0. ∎

More points kill later and reflect later: by the same coupling G grows and L falls with n, monomial by monomial. For k >= n the first inequality still holds
with 0 in place of G. That Gauss and Lobatto rules bracket even monomials (k = 0) is classical: their errors are derivatives of even order with
opposite signs (Davis and Rabinowitz, Methods of Numerical Integration, 1984, section 2.7); the walk is that of Karlin and McGregor (Random walks, 1959).

>>> with working_precision(100):
...     for rule in (gauss_rule, lobatto_rule):
...         nodes, weights = rule(3, 6, 100)
...         print(sum((w * t**14 * (3 * t * t - 1) / 2 for t, w in zip(nodes, weights)), arb(0)).str(6, radius=False))
...     print((arb(14) / (15 * 17)).str(6, radius=False))
0.0519436
0.0700332
0.0549020
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy
from flint import arb, arb_poly, ctx, fmpq_poly

from symspec.errors import Undecided

from .precision import working_precision

NEWTON_STEPS = 60
BISECTIONS = 14
GUESS_BITS = 12
TINY = 1e-300
GUARD = 48
Rule = tuple[list[arb], list[arb]]


@lru_cache(maxsize=256)
def gauss_rule(channels: int, points: int, precision: int) -> Rule:
    """Nodes, ascending, and weights of the rule of ``points`` points, exact to degree 2 points - 1; the weights sum to 1.

    The weights are proportional to 1/((1 - x^2) P_n'(x)^2) (Abramowitz and Stegun 1964, 25.4.33). The balls are good to about ``precision`` bits.
    """
    with working_precision(precision + GUARD + 4 * points):
        polynomial = _polynomial(channels, points)
        slope = arb_poly(polynomial.derivative())
        nodes = _roots(channels, polynomial)
        sizes = [1 / ((1 - x * x) * slope(x) ** 2) for x in nodes]
        total = sum(sizes, arb(0))
        return nodes, [size / total for size in sizes]


@lru_cache(maxsize=256)
def lobatto_rule(channels: int, points: int, precision: int) -> Rule:
    """The same of the rule of ``points`` >= 2 points, -1 and 1 among them (exactly), exact to degree 2 points - 3.

    The inner nodes and weights are those of the Gauss rule for the density times 1 - t^2, that of dimension C + 2.
    """
    with working_precision(precision + GUARD):
        inner, weights = gauss_rule(channels + 2, points - 2, precision + GUARD) if points > 2 else ([], [])
        # E (1 - t^2) = (C-1)/C turns the density of dimension C + 2 into a probability.
        scale = arb(channels - 1) / channels
        inside = [scale * w / (1 - x * x) for x, w in zip(inner, weights, strict=True)]
        end = (1 - sum(inside, arb(0))) / 2
        return [arb(-1), *inner, arb(1)], [end, *inside, end]


def zonal_rows(channels: int, t: list[arb], top: int) -> list[list[arb]]:
    """P_0, ..., P_top at the points t."""
    rows = [[arb(1)] * len(t), list(t)][: top + 1]
    for k in range(1, top):
        a, b, c = 2 * k + channels - 2, k, k + channels - 2
        rows.append([(a * x * now - b * before) / c for x, now, before in zip(t, rows[k], rows[k - 1], strict=True)])
    return rows


def _roots(channels: int, polynomial: fmpq_poly) -> list[arb]:
    """The zeros of P_n in dimension C, ascending: the squares of the positive ones isolated by interval Newton steps, and mirror images."""
    count = polynomial.degree()
    # P_n is even or odd: a polynomial of half the degree in x^2, up to a factor x.
    halved = fmpq_poly(polynomial.coeffs()[count % 2 :: 2])
    value, slope = arb_poly(halved), arb_poly(halved.derivative())
    squares = [_root(value, slope, guess**2) for guess in _guesses(channels, count)]
    if not all(a < b for a, b in pairwise([arb(0), *squares])):
        raise Undecided(f"the {count} nodes of the Gauss rule were not separated")
    positive = [square.sqrt() for square in squares]
    return [*(-x for x in reversed(positive)), *[arb(0)] * (count % 2), *positive]


def _guesses(channels: int, count: int) -> list[float]:
    """Where to look for the positive zeros, ascending: bisection by Sturm counts, for all of them at once, in doubles. Nothing is claimed of them."""
    m = numpy.arange(1, count)
    # The squares of the entries beside the diagonal of the Jacobi matrix.
    squares = [float(value) for value in m * (m + channels - 3.0) / ((2 * m + channels - 4.0) * (2 * m + channels - 2.0))] if channels > 2 else [0.5, *[0.25] * (count - 2)]
    wanted = numpy.arange(count // 2)
    low, high = numpy.zeros(len(wanted)), numpy.full(len(wanted), numpy.pi / 2)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        x = numpy.cos(middle)
        pivot = -x - TINY
        above = (pivot > 0).astype(int)
        for square in squares:
            pivot = -x - square / pivot
            pivot[pivot == 0] = TINY
            above += pivot > 0
        # The zero of rank j from the right is at a smaller angle where more than j zeros are above x.
        smaller = above > wanted
        high, low = numpy.where(smaller, middle, high), numpy.where(smaller, low, middle)
    return [float(value) for value in numpy.cos((low + high) / 2)[::-1]]


def _root(polynomial: arb_poly, slope: arb_poly, guess: float) -> arb:
    # What the terms of the polynomial, whose absolute values sum to less than (1 + sqrt 2)^n, cost in bits.
    lost = 4 * polynomial.degree() + 28
    x, full, known = arb(guess), ctx.prec, GUESS_BITS
    for _ in range(NEWTON_STEPS):
        with working_precision(min(full, lost + 2 * known)):
            step = polynomial(x) / slope(x)
            x = (x - step).mid()
        if abs(step) < arb(2) ** (lost - full):
            break
        known *= 2
    ball = x + arb(0, arb(2) ** (lost - full))
    found = x - polynomial(x) / slope(ball)
    if not ball.contains_interior(found):
        raise Undecided(f"a node of the Gauss rule of {2 * polynomial.degree()} points or one more was not isolated")
    return found


@lru_cache(maxsize=64)
def _polynomial(channels: int, count: int) -> fmpq_poly:
    """P_n, exact."""
    t = fmpq_poly([0, 1])
    before, now = fmpq_poly([1]), t
    for k in range(1, count):
        before, now = now, ((2 * k + channels - 2) * t * now - k * before) / (k + channels - 2)
    return now


__all__ = ["gauss_rule", "lobatto_rule", "zonal_rows"]
