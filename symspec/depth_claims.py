r"""What is claimed of kernels at symbolic depth, and the recursions that must bear it out.

Each function gives the problems (:class:`symspec.induction.Problem`) of one kind of kernel of an
activation with bend g in layers of bend h: first at rho = 1, then at rho = -1. The claims are the
table of :mod:`symspec.depth_laws`; nothing here says that they are true, :func:`symspec.induction.prove` does.

>>> from symspec.induction import prove
>>> g = Symbol("g", positive=True)
>>> [len(prove(problem).comparisons) for problem in part_problems(g, g)]
[12, 12, 4, 4]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sympy import Expr, S, Symbol, pi, sqrt

from .induction import INDEX, Family, Problem, Sequence
from .one_homogeneous import kappa, kappa_slope, slope, value
from .singularity import Series

LAYER = Symbol("l", integer=True, positive=True)
# The bends of the activation and of a mixed layer, where they are no numbers.
G, H = Symbol("g", positive=True), Symbol("h", positive=True)
P, B, T = (Symbol(f"{letter}_ell", real=True) for letter in "pbt")
# p_{l-1} and b_{l-1}: the members at which the part of layer l starts.
P_BEFORE, B_BEFORE = (Symbol(f"{letter}_{{l-1}}", real=True) for letter in "pb")
C1, C3 = sqrt(2) / pi, 2 * sqrt(2) / (3 * pi)
# Orders in sqrt(u) of the claims, for the conjugate and the tangent kernels, and of what is read.
CK_ORDER, NTK_ORDER, READ_ORDER = 4, 2, 8
SIGMA, THETA, FIRST, LATER = "Sigma", "Theta", "Theta_1", "Theta_l"



def _input(end: int) -> Series:
    """rho near +-1: 1 - u or -1 + u."""
    return Series({0: S(end), 2: S(-end)}, READ_ORDER)


def claimed(terms: Mapping[int, Expr], order: int) -> Series:
    """A claim: coefficients by powers of sqrt(u), those that are 0 for this activation left out."""
    return Series({j: value for j, value in terms.items() if value != 0}, order)


def _far_sequences(h: Expr) -> tuple[Sequence, ...]:
    return Sequence(B, h - 1, kappa(B, h)), Sequence(P, S.One, P * kappa_slope(B, h))


def _near_ck(h: Expr) -> Series:
    return claimed({0: S.One, 2: S.NegativeOne, 3: INDEX * h * C3}, CK_ORDER)


def _far_ck(h: Expr) -> Series:
    return claimed({0: B, 2: (1 - h) * P, 3: h * C3 * P}, CK_ORDER)


def correlation_problems(g: Expr, h: Expr) -> tuple[Problem, Problem]:
    """Sigma^(l+1) = kappa_h(Sigma^l): near from depth 0, far from depth 1."""

    def layer(now: Family) -> Family:
        return {SIGMA: value(now[SIGMA], h)}

    near = Problem(S.Zero, {SIGMA: _near_ck(h)}, {SIGMA: _input(1)}, layer)
    far = Problem(S.One, {SIGMA: _far_ck(h)}, {SIGMA: value(_input(-1), h)}, layer, _far_sequences(h))
    return near, far


def tangent_problems(g: Expr, h: Expr) -> tuple[Problem, Problem]:
    """Theta^(l+1) = Sigma^(l+1) + Theta^l kappa_g'(Sigma^l), Theta^0 = rho, together with Sigma."""

    def layer(now: Family) -> Family:
        after = value(now[SIGMA], g)
        return {SIGMA: after, THETA: after + now[THETA] * slope(now[SIGMA], g)}

    claim = claimed({0: INDEX + 1, 1: -INDEX * (INDEX + 1) * g * C1 / 2}, NTK_ORDER)
    near = Problem(S.Zero, {SIGMA: _near_ck(g), THETA: claim}, {SIGMA: _input(1), THETA: _input(1)}, layer)
    start = layer({SIGMA: _input(-1), THETA: _input(-1)})
    claims = {SIGMA: _far_ck(g), THETA: claimed({0: T, 1: -g * C1 * P}, NTK_ORDER)}
    constants = Sequence(T, 2 * (g - 1), kappa(B, g) + T * kappa_slope(B, g))
    return near, Problem(S.One, claims, start, layer, (*_far_sequences(g), constants))


def residual_problems(g: Expr, h: Expr) -> tuple[Problem, Problem]:
    """Theta^(l+1) = Theta^l kappa_h'(Sigma^l) + Sigma^l kappa_g'(Sigma^l) + kappa_g(Sigma^l), Theta^0 = 0."""

    def layer(now: Family) -> Family:
        signal = now[SIGMA]
        added = signal * slope(signal, g) + value(signal, g)
        return {SIGMA: value(signal, h), THETA: now[THETA] * slope(signal, h) + added}

    claim = claimed({0: 2 * INDEX, 1: -INDEX * (g + (INDEX - 1) * h) * C1}, NTK_ORDER)
    near = Problem(S.Zero, {SIGMA: _near_ck(h), THETA: claim}, {SIGMA: _input(1), THETA: Series({}, READ_ORDER)}, layer)
    start = layer({SIGMA: _input(-1), THETA: Series({}, READ_ORDER)})
    claims = {SIGMA: _far_ck(h), THETA: claimed({0: T, 1: -g * C1 * P}, NTK_ORDER)}
    constants = Sequence(T, 2 * (g - 1), T * kappa_slope(B, h) + B * kappa_slope(B, g) + kappa(B, g))
    return near, Problem(S.One, claims, start, layer, (*_far_sequences(h), constants))


def part_problems(g: Expr, h: Expr) -> tuple[Problem, ...]:
    """Theta_l^(n+1) = Theta_l^n kappa_g'(Sigma^n), from Theta_l^(l-1) = Sigma^(l-1): l = 1, then 2 <= l."""

    def first(now: Family) -> Family:
        return {SIGMA: value(now[SIGMA], g), FIRST: now[FIRST] * slope(now[SIGMA], g)}

    def later(now: Family) -> Family:
        return {LATER: now[LATER] * slope(now[SIGMA], g)}

    sigma_near, sigma_far = _near_ck(g), _far_ck(g)
    near = Problem(S.Zero, {SIGMA: sigma_near, FIRST: Series({0: S.One, 1: -INDEX * g * C1}, NTK_ORDER)}, {SIGMA: _input(1), FIRST: _input(1)}, first)
    claims = {SIGMA: sigma_far, FIRST: claimed({0: (g - 1) * P, 1: -g * C1 * P}, NTK_ORDER)}
    far = Problem(S.One, claims, first({SIGMA: _input(-1), FIRST: _input(-1)}), first, _far_sequences(g))
    begin = LAYER - 1
    near_start = {LATER: Series({0: S.One, 2: S.NegativeOne, 3: begin * g * C3}, CK_ORDER)}
    near_later = Problem(begin, {LATER: Series({0: S.One, 1: -(INDEX + 1 - LAYER) * g * C1}, NTK_ORDER)}, near_start, later, given={SIGMA: sigma_near})
    sequences = (replace(_far_sequences(g)[0], start=B_BEFORE), replace(_far_sequences(g)[1], start=P_BEFORE))
    far_start = {LATER: Series({j: c.xreplace({B: B_BEFORE, P: P_BEFORE}) for j, c in sigma_far.terms.items()}, CK_ORDER)}
    far_later = Problem(begin, {LATER: Series({0: B_BEFORE * P / P_BEFORE}, NTK_ORDER)}, far_start, later, sequences, {SIGMA: sigma_far})
    return near, far, near_later, far_later


__all__ = ["claimed", "correlation_problems", "part_problems", "residual_problems", "tangent_problems"]
