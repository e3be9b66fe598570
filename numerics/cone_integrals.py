r"""Certified transforms of products of cones that share variables: the integrals of :mod:`symspec.cone_overlap` in balls.

*Two cones.* The integrand is analytic on :math:`[0,\pi/2]`, and FLINT's rigorous integrator encloses it.

*Three and more.* In the sector :math:`u_{\pi(0)}=1,\ u_{\pi(j)}=x_1\cdots x_j` of an order :math:`\pi` every sum loses its largest member as a factor: with j(i) the first place
that sees the pixel i, :math:`G_i=x_1\cdots x_{j(i)}\tilde G_i`, and :math:`S=\tilde S/u_{\pi(m-1)}`,

.. math:: \tilde G_i=\sum_{v\ni i}g_{v,i}\prod_{j(i)<j\le\pi^{-1}(v)}x_j,\qquad
          \tilde S=\sum_vP_v\prod_{j>\pi^{-1}(v)}x_j+\sum_{\text{shared}}\frac{|k_i|^2}{\tilde G_i}\prod_{j>j(i)}x_j\ge P_{\pi(m-1)}>0 ,

so that the integrand is :math:`\prod x_j^{e_j}\prod\tilde G_i^{-n/2}\tilde S^{-A}`, and with :math:`x_j=y_j^2` analytic on the cube. The integrator is applied to one variable
after the other; the inner integral is analytic in the outer variables where the integrand is, for which the roots are asked to stay off their cuts.

>>> import sympy
>>> from numerics.precision import working_precision
>>> from symspec.cone_overlap import Cone, Several
>>> cones = [Cone({0: sympy.S.One}, 3), Cone({1: sympy.S.One}, 3), Cone({2: sympy.S.One}, 3)]
>>> with working_precision(60):
...     print(several_integral(Several(tuple(cones), 2), dict.fromkeys(range(3), sympy.S.One), 30).str(6, radius=False))
0.00125538
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Any

from flint import acb, arb
from sympy import Expr, Rational

from symspec.cone_overlap import Cone, Pair, Several, factor_of, pair_of, single_transform
from symspec.errors import Undecided

from .constants import ball

MOST_CONES = 3
PARTS, ROUNDING = 8, 1e-9


def transform(cones: Sequence[Cone], n: int, frequencies: Mapping[int, Expr], bits: int) -> arb:
    """The transform of one set of cones that share pixels, to about ``bits`` bits; Undecided for more than three."""
    if len(cones) == 1:
        return ball(single_transform(cones[0], n, frequencies))
    if len(cones) == 2:
        pair = pair_of(cones[0], cones[1], n)
        return ball(factor_of(cones, n) * pair.jacobian()) * pair_integral(pair, frequencies)
    several = Several(tuple(cones), n)
    return ball(factor_of(cones, n) * several.jacobian()) * several_integral(several, frequencies, bits)


def pair_integral(pair: Pair, frequencies: Mapping[int, Expr]) -> arb:
    """The integral over the angle of :mod:`symspec.cone_overlap`, frequencies exact, at the working precision."""
    scaled, size = _scaled(frequencies)
    first, second = map(ball, pair.squares(scaled))
    shared = [(ball(pair.first[pixel]), ball(pair.second[pixel]), ball(scaled[pixel] ** 2)) for pixel in sorted(pair.shared)]

    def integrand(phi: acb, analytic: Any) -> acb:
        s, c = phi.sin(), phi.cos()
        s2, c2 = s * s, c * c
        total, product = acb(0), acb(1)
        for one, two, square in shared:
            G = one * s2 + two * c2
            total = total + square / G
            product = product * _negative_power(G, Rational(pair.n, 2), analytic)
        T = first * c2 + second * s2 + s2 * c2 * total
        return 2 * s**pair.a * c**pair.b * product * _negative_power(T, pair.A, analytic)

    return acb.integral(integrand, 0, arb.pi() / 2).real * ball(size ** (-2 * pair.A))


def several_integral(several: Several, frequencies: Mapping[int, Expr], bits: int) -> arb:
    """The integral over the u_v of :mod:`symspec.cone_overlap` by sectors, to about ``bits`` bits. Undecided for more than three cones."""
    if len(several.cones) > MOST_CONES:
        raise Undecided(f"{len(several.cones)} units with overlapping fields decide here: their integral is enclosed for {MOST_CONES} at most; law.leading gives it exactly")
    scaled, size = _scaled(frequencies)
    total = arb(0)
    for order in permutations(range(len(several.cones))):
        total += _Sector(several, order, scaled).integral(bits)
    return total * ball(size ** (-2 * several.A))


def _scaled(frequencies: Mapping[int, Expr]) -> tuple[dict[int, Expr], Expr]:
    """Frequencies of the order of 1, and what they were divided by: the integrals are homogeneous of degree -2A."""
    size = max(frequencies.values())
    return {pixel: value / size for pixel, value in frequencies.items()}, size


@dataclass(frozen=True)
class _Sector:
    several: Several
    order: tuple[int, ...]
    frequencies: dict[int, Expr]

    @cached_property
    def _places(self) -> dict[int, int]:
        return {v: place for place, v in enumerate(self.order)}

    @cached_property
    def _squares(self) -> list[arb]:
        """P_v by place."""
        squares = self.several.squares(self.frequencies)
        return [ball(squares[v]) for v in self.order]

    @cached_property
    def _shared(self) -> list[tuple[arb, list[tuple[int, arb]]]]:
        """|k_i|^2, and the weights by place, ascending."""
        found = []
        for pixel in self.several.shared:
            weights = sorted((self._places[v], self.several.cones[v].weights[pixel]) for v in self.several.seen(pixel))
            found.append((ball(self.frequencies[pixel] ** 2), [(place, ball(weight)) for place, weight in weights]))
        return found

    @cached_property
    def _powers(self) -> list[int]:
        """Of y_j with x_j = y_j^2 and dx_j = 2 y_j dy_j."""
        return [int(2 * power + 1) for power in self.several.powers(self.order)]

    def integral(self, bits: int) -> arb:
        return self._over((), bits, analytic=False).real

    def _over(self, y: tuple[acb, ...], bits: int, *, analytic: bool) -> acb:
        """The integral over the variables that are not given; analytic in those that are, where asked."""
        if len(y) == len(self.order) - 1:
            return self._integrand(y, analytic=analytic)
        if any(z.rad() > ROUNDING for z in y):
            # A bound for the rule of an outer variable: no digits are to be had.
            return sum((self._over((*y, acb(arb(2 * i + 1, 1) / (2 * PARTS))), bits, analytic=analytic) for i in range(PARTS)), acb(0)) / PARTS
        goal = arb(2) ** -bits
        return acb.integral(lambda z, more: self._over((*y, z), bits + 8, analytic=analytic or bool(more)), 0, 1, rel_tol=goal, abs_tol=goal * arb(2) ** -bits)

    def _integrand(self, y: tuple[acb, ...], *, analytic: bool) -> acb:
        x = [z * z for z in y]
        last = len(x)
        # tails[j] = x_(j+1) ... x_last.
        tails = [acb(1)] * (last + 1)
        for j in range(last - 1, -1, -1):
            tails[j] = tails[j + 1] * x[j]
        S = sum((square * tail for square, tail in zip(self._squares, tails, strict=True)), acb(0))
        product = acb(1)
        for square, weights in self._shared:
            first, G, step = weights[0][0], acb(0), acb(1)
            place = first
            for other, weight in weights:
                while place < other:
                    step, place = step * x[place], place + 1
                G = G + weight * step
            S = S + square * tails[first] / G
            product = product * _negative_power(G, Rational(self.several.n, 2), analytic)
        for z, power in zip(y, self._powers, strict=True):
            product = product * 2 * z**power
        return product * _negative_power(S, self.several.A, analytic)


def _negative_power(z: acb, exponent: Rational, analytic: Any) -> acb:
    """z^-exponent for a multiple of 1/2, positive on the real axis."""
    whole = int(exponent.p // exponent.q)
    return (1 / z) ** whole * (z.rsqrt(analytic=analytic) if exponent.q == 2 else acb(1))


__all__ = ["pair_integral", "several_integral", "transform"]
