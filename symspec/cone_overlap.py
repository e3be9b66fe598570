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

**Three and more.** The integrand is homogeneous of degree -m in u, so that any hyperplane may take the place of the simplex, :math:`u_m=1` say. With :math:`p_v` pixels that v
alone sees and :math:`T(u)=\prod u_v\,S=\sum_vP_v\prod_{w\ne v}u_w+\prod u_v\sum_{\text{shared}}|k_i|^2/G_i` it is

.. math:: \prod_{i\text{ alone}}g_i^{-n/2}\int_{(0,\infty)^{m-1}}\prod_vu_v^{A-\nu_v-1-p_vn/2}\prod_{\text{shared}}G_i^{-n/2}\,T^{-A}\,du .

Where all :math:`u_v`, v in a proper subset F, are small together, with :math:`N_F` pixels that only F sees, it converges if :math:`\sum_{w\notin F}\nu_w+(N-N_F)\tfrac n2>0`: for small negative and
for all positive :math:`\nu`, as every cone has a pixel of its own; the continuation is that of two cones. In the sector :math:`u=(1,x_1,x_1x_2,\dots)`, one of the m! orders of the
:math:`u_v`, all :math:`x_j\in[0,1]`, the integrand is a product of powers :math:`x_j^{e_j}`, :math:`e_j>-1`, and of an analytic function (:meth:`Several.powers`).

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


@dataclass(frozen=True)
class Several:
    """Cones that share variables, each with a pixel of its own."""

    cones: tuple[Cone, ...]
    n: int

    @property
    def A(self) -> Rational:
        N = len(frozenset().union(*(cone.field for cone in self.cones)))
        return Rational(sum(cone.order for cone in self.cones) + N * self.n, 2)

    @property
    def shared(self) -> tuple[int, ...]:
        """The pixels that more than one cone sees, ascending."""
        return tuple(sorted({pixel for i, cone in enumerate(self.cones) for other in self.cones[:i] for pixel in cone.field & other.field}))

    def alone(self, v: int) -> tuple[int, ...]:
        """The pixels that one cone sees alone, ascending."""
        return tuple(sorted(self.cones[v].field - frozenset(self.shared)))

    def jacobian(self) -> Expr:
        """prod g_i^(-n/2) over the pixels that one cone sees alone."""
        return sympy.Mul(*(cone.weights[pixel] ** Rational(-self.n, 2) for v, cone in enumerate(self.cones) for pixel in self.alone(v)))

    def squares(self, frequencies: Mapping[int, Expr]) -> list[Expr]:
        """P_v."""
        return [sum((frequencies[pixel] ** 2 / cone.weights[pixel] for pixel in self.alone(v)), S.Zero) for v, cone in enumerate(self.cones)]

    def power(self, v: int) -> Rational:
        """Of u_v in the integrand."""
        return self.A - Rational(self.cones[v].order, 2) - 1 - Rational(len(self.alone(v)) * self.n, 2)

    def seen(self, pixel: int) -> list[int]:
        """The cones that see a pixel."""
        return [v for v, cone in enumerate(self.cones) if pixel in cone.field]

    def powers(self, order: Sequence[int]) -> list[Rational]:
        """e_1, ..., e_(m-1) in the sector u_(order[0]) = 1 > u_(order[1]) = x_1 > u_(order[2]) = x_1 x_2 > ..."""
        place, m = {v: j for j, v in enumerate(order)}, len(order)
        found = []
        for j in range(1, m):
            # What x_j divides: u of the places from j on, T once less, G of pixels that only they see; du gives x_j^(m-1-j).
            low = [v for v in order if place[v] >= j]
            pixels = sum(1 for pixel in self.shared if all(place[v] >= j for v in self.seen(pixel)))
            found.append(sum((self.power(v) for v in low), S.Zero) - self.A * (len(low) - 1) - Rational(pixels * self.n, 2) + m - 1 - j)
        return found


def several_transform(cones: Sequence[Cone], n: int, frequencies: Mapping[int, Expr]) -> Expr:
    """The transform of a product of cones that share variables, as an exact integral over the u_v but the last."""
    data = Several(tuple(cones), n)
    u = [*(Symbol(f"u_{v}", positive=True) for v in range(1, len(cones))), S.One]
    G = {pixel: sum((u[v] * cones[v].weights[pixel] for v in data.seen(pixel)), S.Zero) for pixel in data.shared}
    whole = sympy.Mul(*u)
    T = sum((square * sympy.Mul(*(u[w] for w in range(len(u)) if w != v)) for v, square in enumerate(data.squares(frequencies))), S.Zero)
    T += whole * sum((frequencies[pixel] ** 2 / value for pixel, value in G.items()), S.Zero)
    integrand = sympy.Mul(*(u[v] ** data.power(v) for v in range(len(u)))) * sympy.Mul(*(value ** Rational(-n, 2) for value in G.values())) * T**-data.A
    return factor_of(cones, n) * data.jacobian() * Integral(integrand, *((symbol, 0, sympy.oo) for symbol in u[:-1]))


def transform(cones: Sequence[Cone], n: int, frequencies: Mapping[int, Expr]) -> Expr:
    """The transform of one set of cones that :func:`components` keeps together."""
    if len(cones) == 1:
        return single_transform(cones[0], n, frequencies)
    return pair_transform(cones[0], cones[1], n, frequencies) if len(cones) == 2 else several_transform(cones, n, frequencies)


__all__ = ["ANGLE", "Cone", "Pair", "Several", "components", "factor_of", "pair_of", "pair_transform", "several_transform", "single_transform", "transform"]
