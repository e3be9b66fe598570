r"""The remainder of an endpoint expansion, by powers of the Laplace-Beltrami operator.

In :math:`y=(1-t)/2` the operator on zonal functions of :math:`S^{d-1}` is

.. math:: \mathcal L=y(1-y)\partial_y^2+\tfrac{d-1}2(1-2y)\partial_y,\qquad \mathcal LP_k=-k(k+d-2)P_k,

and it is self-adjoint, so :math:`|\mu_k(r)|\le\|\mathcal L^mr\|/((k(k+d-2))^m\sqrt{N(d,k)})` for every
:math:`k\ge1` by the Cauchy-Schwarz inequality. Here r is a kernel minus its singular terms of odd exponent
:math:`j\le J` at both ends, :math:`r=\kappa-\sum_j(a_js^j+b_jc^j)`, and the norm is enclosed piece by piece: on two ends
in powers of s and c, on panels between in powers of :math:`y-y_0`. On each piece :math:`\mathcal L^m` acts exactly on
the first terms, whose square is integrated exactly; the rest is bounded by Cauchy's estimate
:math:`|r_n|\le M\rho^{-n}` and the effect of :math:`\mathcal L` on one power.

On a power, :math:`\mathcal Ly^\nu=\nu(\nu+\tfrac{d-3}2)y^{\nu-1}-\nu(\nu+d-2)y^\nu`: an exact linear map of the coefficients of
powers of s, or of a root :math:`\tau=s^{1/p}` where jumps are composed.

>>> from numerics.precision import working_precision
>>> with working_precision(64):
...     image = in_half_angle([arb(0), arb(0), arb(0), arb(1)], 3, 1)
>>> image.lowest, [c.str(3) for c in image.coefficients]
(1, ['2.25', '0', '-3.75'])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, arb_poly, fmpq

from symspec.errors import Undecided

WEIGHT_PARTS = 16


@dataclass(frozen=True)
class Laurent:
    """sum_i coefficients[i] x^(lowest + i), finite."""

    lowest: int
    coefficients: tuple[arb, ...]

    def square_integral(self, upper: arb, power: int) -> arb:
        """The integral of x^power (sum)^2 over [0, upper]; the least exponent must exceed -1."""
        square = arb_poly(list(self.coefficients)) ** 2
        total, first = arb(0), 2 * self.lowest + power + 1
        if first <= 0:
            raise Undecided("the square of the remainder is not integrable: too many powers of the operator for so few terms")
        scale = upper**first
        for i in range(square.length()):
            total += square[i] * scale / (first + i)
            scale = scale * upper
        return total


def in_half_angle(coefficients: list[arb], d: int, m: int, root: int = 1) -> Laurent:
    """L^m of sum_n coefficients[n] s^(n/root)."""
    step = 2 * root
    lowest = -step * m
    values = [arb(0)] * (step * m) + list(coefficients)
    for _ in range(m):
        moved = []
        for i in range(len(values)):
            n = lowest + i
            above = values[i + step] * ((n + step) * (n + step + root * (d - 3))) if i + step < len(values) else arb(0)
            moved.append((above - values[i] * (n * (n + step * (d - 2)))) / (step * step))
        values = moved
    first = next((i for i, value in enumerate(values) if value != 0 or not value.is_exact()), 0)
    return Laurent(lowest + first, tuple(values[first:]))


def in_haversine(coefficients: list[arb], d: int, m: int, centre: arb) -> list[arb]:
    """L^m of sum_n coefficients[n] (y - centre)^n."""
    a0, a1, half = centre * (1 - centre), 1 - 2 * centre, arb(d - 1) / 2
    values = list(coefficients)
    for _ in range(m):
        padded = [*values, arb(0), arb(0)]
        values = [
            a0 * ((n + 2) * (n + 1)) * padded[n + 2] + a1 * ((n + 1) * n + half * (n + 1)) * padded[n + 1] - (n * (n - 1) + 2 * half * n) * padded[n] for n in range(len(values))
        ]
    return values


def _tail(first: int, ratio: arb, growth: arb, m: int) -> arb:
    """Upper bound of sum_{n >= first} ratio^n growth(n)^m, where growth(first) is given and growth(n) <= growth(first) (n/first)^2."""
    q = ratio * (arb(first + 1) / first) ** (2 * m)
    return ratio**first * growth**m / (1 - q) if q < 1 else arb("inf")


def end_tail(d: int, m: int, terms: int, sigma: arb, disc: arb, bound: arb, root: int = 1) -> arb:
    """Upper bound of |L^m of the terms from ``terms`` on| for tau <= sigma, where |r| <= bound for |tau| <= disc; s = tau^root."""
    if terms < 2 * root * m:
        return arb("inf")
    nu = arb(terms) / (2 * root)
    growth = nu * (nu + arb(abs(d - 3)) / 2) / sigma ** (2 * root) + nu * (nu + d - 2)
    return (bound * _tail(terms, sigma / disc, growth, m)).upper()


def panel_tail(d: int, m: int, terms: int, centre: arb, radius: arb, disc: arb, bound: arb) -> arb:
    """Upper bound of |L^m of the terms from ``terms`` on| on a panel, where |r| <= bound for |y - centre| <= disc."""
    skew = abs(1 - 2 * centre)
    quadratic, linear = centre * (1 - centre) + skew * radius + radius**2, skew + 2 * radius
    n = arb(terms)
    # n^2 in place of n(n-1), so that growth(n)/n^2 decreases.
    growth = n * n * quadratic / radius**2 + n * (d - 1) * linear / (2 * radius)
    return (bound * _tail(terms, radius / disc, growth, m)).upper()


def surface_factor(d: int) -> arb:
    """Gamma(d/2)/(sqrt(pi) Gamma((d-1)/2)): the density of t is this times (1-t^2)^((d-3)/2)."""
    return arb.gamma_fmpq(fmpq(d, 2)) / (arb.pi().sqrt() * arb.gamma_fmpq(fmpq(d - 1, 2)))


def end_norm(coefficients: list[arb], d: int, m: int, sigma: arb, tail: arb, root: int = 1) -> arb:
    """Upper bound of the square of the norm of L^m r over 0 <= tau <= sigma, s = tau^root."""
    weight = surface_factor(d) * arb(2) ** (d - 1) * root
    if d == 2:
        weight = weight / (1 - sigma ** (2 * root)).sqrt()
    # s^(d-2) ds = root tau^(root (d-1) - 1) d tau.
    head = weight * in_half_angle(coefficients, d, m, root).square_integral(sigma, root * (d - 1) - 1)
    # The sphere has measure one, so a function below ``tail`` has a norm below it.
    return ((_root(head) + tail) ** 2).upper()


def panel_norm(coefficients: list[arb], d: int, m: int, centre: arb, radius: arb, tail: arb) -> arb:
    """Upper bound of the square of the norm of L^m r over |y - centre| <= radius."""
    square = arb_poly(in_haversine(coefficients, d, m, centre)) ** 2
    primitive = square.integral()
    edges = [radius * (2 * i - WEIGHT_PARTS) / WEIGHT_PARTS for i in range(WEIGHT_PARTS + 1)]
    values = [primitive(x) for x in edges]
    head = arb(0)
    for i in range(WEIGHT_PARTS):
        part = (values[i + 1] - values[i]).upper()
        head += _largest_weight(d, centre + edges[i], centre + edges[i + 1]) * (part if part > 0 else arb(0))
    return ((_root(surface_factor(d) * arb(2) ** (d - 2) * head) + tail) ** 2).upper()


def _largest_weight(d: int, low: arb, high: arb) -> arb:
    """Maximum of (y(1-y))^((d-3)/2) on [low, high]; the product is concave with its top at 1/2."""
    products = [low * (1 - low), high * (1 - high)]
    if d == 2:
        return 1 / products[0].min(products[1]).lower().sqrt()
    top = products[0].max(products[1])
    if not (high < arb(0.5) or low > arb(0.5)):
        top = top.max(arb(0.25))
    return top.upper() ** (arb(d - 3) / 2)


def _root(value: arb) -> arb:
    upper = value.upper()
    if not upper.is_finite():
        return arb("inf")
    return upper.sqrt() if upper > 0 else arb(0)


Singular = Sequence[tuple[fmpq, arb]]
"""Pairs (j, a_j): the exponent of s or c, no even whole number, and its coefficient."""


def blocks_at_haversine(near: Singular, far: Singular, centre: arb, terms: int) -> list[arb]:
    """Taylor coefficients about y = centre of sum a_j y^(j/2) + sum b_j (1-y)^(j/2)."""
    total = arb_poly([0])
    for values, y in ((near, arb_poly([centre, 1])), (far, arb_poly([1 - centre, -1]))):
        for rest, polynomial in _by_fraction(values):
            power = arb_poly(_binomial(y, rest / 2, terms))
            total += power * polynomial(y)
    return [total[n] for n in range(terms)]


def _by_fraction(values: Singular) -> list[tuple[fmpq, arb_poly]]:
    """sum a_j y^(j/2) as sum y^(f/2) p_f(y) over 0 <= f < 2: few powers with broken exponents, however many terms."""
    found: dict[fmpq, dict[int, arb]] = {}
    for j, value in values:
        whole = int((j / 2).floor())
        found.setdefault(j - 2 * whole, {})[whole] = value
    return [(rest, arb_poly([part.get(n, arb(0)) for n in range(max(part) + 1)])) for rest, part in found.items()]


def _binomial(y: arb_poly, exponent: fmpq, terms: int) -> list[arb]:
    """Coefficients in x of (y_0 + y_1 x)^exponent."""
    ratio, value = y[1] / y[0], (y[0].log() * arb(exponent)).exp()
    found = []
    for n in range(terms):
        found.append(value)
        value = value * ratio * (exponent - n) / (n + 1)
    return found


def blocks_at_other_end(values: Singular, terms: int, root: int = 1) -> list[arb]:
    """Taylor coefficients in tau, s = tau^root, of sum b_j (1 - s^2)^(j/2)."""
    found = [arb(0)] * terms
    for j, value in values:
        coefficient, exponent = value, j / 2
        for i, n in enumerate(range(0, terms, 2 * root)):
            found[n] += coefficient
            coefficient = -coefficient * arb(exponent - i) / (i + 1)
    return found
