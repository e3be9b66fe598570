r"""Domination of consecutive weight layers for entire duals: the sign of every Taylor coefficient.

Let z be the kernel that enters layer l, :math:`U=V_l(z)` and :math:`W=V_L\circ\dots\circ V_{l+1}`, L the depth. By the closed form of
:mod:`symspec.layer_pairs`

.. math:: \Theta_l-\Theta_{l+1}=(zU'-U)\,W'(U)=\sum_nF_nz^n,\qquad F_n=\sum_kT_k(n-k),\quad T_k=w_k[U^k]_n\ge0 ;

for l = 1 with a bias, :math:`z=a\rho+b`, the coefficient of :math:`\rho^n` is the same sum for U as a power series in :math:`\rho`, plus
:math:`\tfrac ba(n+1)\sum_kw_k[U^k]_{n+1}\ge0`. Only the terms with k > n are negative.

**The tail.** Let :math:`T_{k+p}\le q\,T_k` for all :math:`k\ge\lambda n`, :math:`n\ge N`, with q < 1. It is the product of the bounds of
:math:`w_{k+p}/w_k` (:mod:`numerics.coefficient_ratios`) and of p ratios :math:`[U^{k+1}]_n/[U^k]_n` at means up to :math:`1/\lambda`
(:mod:`numerics.power_ratios`). Then in each class modulo p, for i = 1, ..., p and :math:`s\ge1` with :math:`n+i-sp\ge\lambda n`,

.. math:: \sum_{j\ge0}(i+jp)\,T_{n+i+jp}\le T_{n+i}\Bigl(\frac i{1-q}+\frac{pq}{(1-q)^2}\Bigr)\le q^s\Bigl(\frac i{1-q}+\frac{pq}{(1-q)^2}\Bigr)T_{n+i-sp},

and the positive term is :math:`(sp-i)T_{n+i-sp}`. So :math:`F_n\ge0` for every :math:`n\ge N` once
:math:`q^s(\frac i{1-q}+\frac{pq}{(1-q)^2})\le sp-i` for some s of each i.

**Later layers.** For :math:`l\ge2` z is a power series x in :math:`\rho` with non-negative coefficients, and
:math:`\sum_mF_m[x^m]_n` is the coefficient of :math:`\rho^n`. The finitely many m with :math:`F_m<0` are found by balls. Each m > 0 of them is
outweighed by some M > m with :math:`F_M>0`: if :math:`[x^m]_{j+p}\le q\,[x^m]_j` for :math:`j\ge n-I`,

.. math:: [x^M]_n=\sum_i[x^{M-m}]_i[x^m]_{n-i}\ge[x^m]_n\sum_{i\le I,\,p|i}[x^{M-m}]_iq^{-i/p},

and q tends to 0 as n grows, the functions being entire.

>>> import symspec as ss
>>> tail = entire_tail(ss.mlp(ss.exp, 3), 1)
>>> tail.start, tail.step, tail.ratio.str(2, radius=False)
(24, 1, '0.70')
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flint import arb, arb_series, ctx, fmpq

from symspec.errors import InputError, Undecided
from symspec.network import Network

from .coefficient_ratios import INFINITE, CoefficientRatios
from .entire_layers import EntireLayer, entire_layers, first_layer
from .exponential_polynomials import STEPS
from .precision import working_precision
from .search import least

BITS = 192
LAMBDAS = tuple(fmpq(i, 100) for i in (95, 90, 85, 80, 75, 70, 65, 60, 55, 50, 45, 40))
MAX_CUT = 3000
PARTNERS, SPAN = 6, 12


@dataclass(frozen=True)
class EntireTail:
    """A proof that no coefficient of Theta_l - Theta_(l+1) is negative from degree ``start`` on.

    From degree ``outer_start`` on no F_n is negative, because T_(k+p) <= ``ratio`` T_k for k >= ``share`` n, p = ``step``. ``negative`` are the
    m with F_m < 0 that later layers have to outweigh; for the first layer ``outer_start`` is ``start``.
    """

    layer: int
    start: int
    step: int
    share: fmpq
    ratio: arb
    outer_start: int
    negative: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"from degree {self.start} on: terms of the convolution fall by {self.ratio.str(3, radius=False)} in {self.step} steps from {self.share} n on"


def entire_tail(network: Network, layer: int) -> EntireTail:
    """The proof for layer l = ``layer`` < depth of a network whose activation is an exponential polynomial.

    Raises Undecided for other activations, and where no step of the ratios, or no degree up to MAX_CUT, closes the argument.
    """
    if not 1 <= layer < network.depth:
        raise InputError(f"layer {layer} of {network.depth}: the last pair of layers and others that are not there need no such proof")
    with working_precision(BITS):
        layers = entire_layers(network)
        outer = _outer(network, layers, layer)
        return outer if layer == 1 else _substituted(network, layers, layer, outer)


def _outer(network: Network, layers: list[EntireLayer], layer: int) -> EntireTail:
    """The signs of all but finitely many F_n."""
    own = first_layer(network, layers) if layer == 1 else layers[layer - 1]
    best: EntireTail | None = None
    for p in STEPS:
        ratios = CoefficientRatios(layers[layer:], p)
        if not ratios.bound(MAX_CUT) < INFINITE:
            continue

        def tail(n: int, ratios: CoefficientRatios = ratios) -> EntireTail | None:
            return next(_closed(ratios, own, layer, n), None)

        start = least(lambda n: tail(n) is not None, 4, MAX_CUT if best is None else best.start)
        found = None if start is None else tail(start)
        if found is not None and (best is None or found.start < best.start):
            best = found
    if best is None:
        raise Undecided(f"layer {layer} of the {network}: the ratios of the coefficients are not bounded well enough by degree {MAX_CUT}")
    return best


def _closed(ratios: CoefficientRatios, own: EntireLayer, layer: int, n: int) -> Iterator[EntireTail]:
    """Proofs that F_m >= 0 for every m >= n."""
    p = ratios.step
    for share in LAMBDAS:
        first = -(-share * n).floor()
        w = ratios.bound(int(first))
        if not w < INFINITE:
            continue
        q = w * own.power_ratios.bound(1 / (share * (2 if own.even else 1)), int(first)) ** p
        if q < 1 and _outweighed(q, p, (1 - share) * n):
            yield EntireTail(layer, n, p, share, q.upper(), n)


def _outweighed(q: arb, p: int, room: fmpq) -> bool:
    """Whether each class of negative terms stays below a positive one, at most ``room`` below n."""
    for i in range(1, p + 1):
        sum_ = i / (1 - q) + p * q / (1 - q) ** 2
        if not any(q**s * sum_ <= s * p - i for s in range(1, int(((room + i) / p).floor()) + 1)):
            return False
    return True


def _substituted(network: Network, layers: list[EntireLayer], layer: int, outer: EntireTail) -> EntireTail:
    """The signs of the coefficients of rho^n for a layer that sees an entire function of rho."""
    signs = _signs(layers, layer, outer.start + PARTNERS * outer.step + PARTNERS)
    negative = tuple(m for m, value in enumerate(signs[: outer.start]) if value < 0)
    inner = [first_layer(network, layers), *layers[1 : layer - 1]]
    with working_precision(ctx.prec + SPAN * 8, SPAN * max(STEPS)):
        x = arb_series([0, 1])
        for one in inner:
            x = one.value(x)
        starts = [_outweighed_from(x, inner, m, signs, len(negative)) for m in negative if m > 0]
    return EntireTail(layer, max([*starts, 1]), outer.step, outer.share, outer.ratio, outer.start, negative)


def _signs(layers: list[EntireLayer], layer: int, count: int) -> list[arb]:
    """F_n for n < count, from the closed form."""
    bits = ctx.prec + 8 * count
    while bits <= 64 * (ctx.prec + 8 * count):
        with working_precision(bits, count + 1):
            z = arb_series([0, 1])
            own, rest = layers[layer - 1], layers[layer:]
            c = own.value(z)
            total = z * own.slope(z) - c
            for one in rest:
                total, c = total * one.slope(c), one.value(c)
            values = [total[n] for n in range(count)]
        if all(value > 0 or value < 0 or value.is_zero() or _by_parity(layers, n) for n, value in enumerate(values)):
            return [arb(0) if _by_parity(layers, n) else value for n, value in enumerate(values)]
        bits *= 4
    raise Undecided("the coefficients of the difference as a function of the kernel that enters the layer are not told from 0")


def _by_parity(layers: list[EntireLayer], n: int) -> bool:
    return layers[0].even and n % 2 == 1


def _outweighed_from(x: arb_series, inner: list[EntireLayer], m: int, signs: list[arb], count: int) -> int:
    """A degree from which F_m [x^m]_n is outweighed by 1/count of F_M [x^M]_n for some M."""
    partners = [M for M in range(m + 1, len(signs)) if signs[M] > 0]
    best: int | None = None
    for p in STEPS:
        ratios = CoefficientRatios(inner, p, m)
        for M in partners[:PARTNERS] + partners[-1:]:
            powers = x ** (M - m)
            terms = [powers[i] for i in range(0, SPAN * p, p)]
            goal = -signs[m] * count / signs[M]

            def enough(n: int, p: int = p, ratios: CoefficientRatios = ratios, terms: list[arb] = terms, goal: arb = goal) -> bool:
                q = ratios.bound(n)
                return bool(q < INFINITE) and bool(sum((max_zero(term) / q**i for i, term in enumerate(terms)), arb(0)) >= goal)

            found = least(enough, 1, MAX_CUT if best is None else best)
            if found is not None:
                best = found + SPAN * p if best is None else min(best, found + SPAN * p)
    if best is None:
        raise Undecided(f"the negative coefficient F_{m} is not shown to be outweighed by degree {MAX_CUT}")
    return best


def max_zero(value: arb) -> arb:
    """A lower bound of a number that is not negative."""
    return value.lower().max(arb(0))


__all__ = ["EntireTail", "entire_tail"]
