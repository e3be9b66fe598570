r"""Fourier transforms of products of cones on overlapping sets of variables.

Let :math:`Q_v(y)=\sum_{i\in R_v}g_{v,i}|y_i|^2`, :math:`y_i\in\mathbf R^n`, N variables in all, and :math:`f(y)=\prod_{v=1}^mQ_v(y)^{\nu_v}`. With
:math:`Q^\nu=\frac1{\Gamma(-\nu)}\int_0^\infty u^{-\nu-1}e^{-uQ}du` (:math:`\nu<0`) and the transforms of Gaussians, :math:`G_i(u)=\sum_{v\ni i}u_vg_{v,i}`,
:math:`S(u)=\sum_i|k_i|^2/G_i(u)` and :math:`A=\sum\nu_v+\tfrac{Nn}2`,

.. math:: \hat f(k)=\frac{\pi^{Nn/2}4^A\Gamma(A)}{\prod_v\Gamma(-\nu_v)}\int_{\sum u_v=1}\prod_vu_v^{-\nu_v-1}\prod_iG_i(u)^{-n/2}\,S(u)^{-A}\,du ,

the integral over the length of u having given :math:`\Gamma(A)(S/4)^{-A}`. One cone: :math:`\hat f=\frac{\pi^{Nn/2}4^A\Gamma(A)}{\Gamma(-\nu)}\prod
g_i^{-n/2}(\sum|k_i|^2/g_i)^{-A}`.

**Two cones, any positive** :math:`\nu`. With u = (s, 1-s), :math:`p_1,p_2` pixels that one cone sees alone, :math:`p_{12}` shared ones, and :math:`P_v=\sum|k_i|^2/g_{v,i}`
over those of v alone, :math:`s(1-s)S=T(s)=P_1(1-s)+P_2s+s(1-s)\sum_{\text{shared}}|k_i|^2/G_i`, and the integral is

.. math:: \prod_{i\text{ alone}}g_i^{-n/2}\int_0^1s^{\nu_2-1+(p_2+p_{12})n/2}(1-s)^{\nu_1-1+(p_1+p_{12})n/2}\prod_{\text{shared}}G_i^{-n/2}\,T^{-A}ds .

Where :math:`P_1,P_2>0` it converges for all :math:`\nu_v>0` and is analytic in them, so that no finite part is needed: the formula, proved for small negative :math:`\nu`,
holds by continuation (the transform of a product of powers of forms is analytic in the exponents, as a distribution, and away from the spaces where all frequencies of one cone
alone vanish it is this function). :math:`s=\sin^2\varphi` makes the integrand analytic on :math:`[0,\pi/2]`: :math:`2\sin^{a}\varphi\cos^{b}\varphi\,\prod G_i^{-n/2}T^{-A}`
with :math:`a=2\nu_2-1+(p_2+p_{12})n`, :math:`b=2\nu_1-1+(p_1+p_{12})n` whole numbers >= 0.

Disjoint cones are a product of functions of other variables, and so is the transform.

>>> one = Cone({0: sympy.S.One}, 3)
>>> single_transform(one, 2, {0: sympy.Integer(2)})
9*pi/16
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Integral, Rational, S, Symbol, gamma, pi

from .cone_units import Pixels, joined

ANGLE = Symbol("phi", real=True)


@dataclass(frozen=True)
class Cone:
    """Q(y)^(order/2): weights by pixel."""

    weights: Mapping[int, Expr]
    order: int

    @property
    def field(self) -> Pixels:
        return frozenset(self.weights)


def components(cones: Sequence[Cone]) -> list[list[Cone]]:
    """The cones by sets that share no variable."""
    sets = sorted(joined(cone.field for cone in cones), key=sorted)
    return [[cone for cone in cones if cone.field <= pixels] for pixels in sets]


def single_transform(cone: Cone, n: int, frequencies: Mapping[int, Expr]) -> Expr:
    """The transform of one cone in n variables a pixel, where a frequency is not 0."""
    A = Rational(cone.order + len(cone.field) * n, 2)
    square = sum((frequencies[pixel] ** 2 / weight for pixel, weight in cone.weights.items()), S.Zero)
    return factor_of([cone], n) * sympy.Mul(*(weight ** Rational(-n, 2) for weight in cone.weights.values())) * square**-A


def factor_of(cones: Sequence[Cone], n: int) -> Expr:
    """pi^(Nn/2) 4^A Gamma(A)/prod Gamma(-nu)."""
    N = len(frozenset().union(*(cone.field for cone in cones)))
    A = Rational(sum(cone.order for cone in cones) + N * n, 2)
    return pi ** Rational(N * n, 2) * 4**A * gamma(A) / sympy.Mul(*(gamma(Rational(-cone.order, 2)) for cone in cones))


@dataclass(frozen=True)
class Pair:
    """The integrand 2 sin^a cos^b prod G_i^(-n/2) T^(-A) of two cones, and its factor; ``alone`` and ``shared`` are the pixels."""

    a: int
    b: int
    n: int
    A: Rational
    first: Mapping[int, Expr]
    second: Mapping[int, Expr]

    @property
    def shared(self) -> Pixels:
        return frozenset(self.first) & frozenset(self.second)

    def jacobian(self) -> Expr:
        """prod g_i^(-n/2) over the pixels that one cone sees alone."""
        alone = [weight for weights in (self.first, self.second) for pixel, weight in weights.items() if pixel not in self.shared]
        return sympy.Mul(*(weight ** Rational(-self.n, 2) for weight in alone))

    def squares(self, frequencies: Mapping[int, Expr]) -> tuple[Expr, Expr]:
        """P_1 and P_2."""
        alone = [{pixel: weight for pixel, weight in weights.items() if pixel not in self.shared} for weights in (self.first, self.second)]
        first, second = (sum((frequencies[pixel] ** 2 / weight for pixel, weight in weights.items()), S.Zero) for weights in alone)
        return first, second


def pair_of(first: Cone, second: Cone, n: int) -> Pair:
    """The data of two cones, each with a pixel of its own."""
    a = second.order - 1 + len(second.field) * n
    b = first.order - 1 + len(first.field) * n
    total = first.order + second.order + len(first.field | second.field) * n
    return Pair(a, b, n, Rational(total, 2), first.weights, second.weights)


def pair_transform(first: Cone, second: Cone, n: int, frequencies: Mapping[int, Expr]) -> Expr:
    """The transform of the product of two cones that share variables, as an exact integral over an angle."""
    pair = pair_of(first, second, n)
    sine, cosine = sympy.sin(ANGLE), sympy.cos(ANGLE)
    squares = pair.squares(frequencies)
    mixed = {pixel: pair.first[pixel] * sine**2 + pair.second[pixel] * cosine**2 for pixel in sorted(pair.shared)}
    T = squares[0] * cosine**2 + squares[1] * sine**2 + sine**2 * cosine**2 * sum((frequencies[pixel] ** 2 / G for pixel, G in mixed.items()), S.Zero)
    integrand = 2 * sine**pair.a * cosine**pair.b * sympy.Mul(*(G ** Rational(-n, 2) for G in mixed.values())) * T**-pair.A
    return factor_of([first, second], n) * pair.jacobian() * Integral(integrand, (ANGLE, 0, pi / 2))


__all__ = ["ANGLE", "Cone", "Pair", "components", "factor_of", "pair_of", "pair_transform", "single_transform"]
