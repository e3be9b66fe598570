r"""The dual of an activation as a map between half squared distances, for any two variances.

A Gaussian pair (u, v) with variances p, q and covariance c is handed on by convolutions as its *half squared distance*
:math:`e=\tfrac12E(u-v)^2=\tfrac{p+q}2-c\ge0`: averages over a patch are linear in it, biases leave it alone, and it is exactly 0 where
u = v, so that no digit is lost near the diagonal. The haversine of the angle of the pair is

.. math:: w=\frac{1-\rho}2=\frac{e-(\sqrt p-\sqrt q)^2/2}{2\sqrt{pq}},

and an activation maps e to :math:`e'=\tfrac12E(\sigma(u)-\sigma(v))^2=\tfrac12(\hat\sigma(p,p,p)+\hat\sigma(q,q,q))-\hat\sigma(p,q,c)`
with :math:`de'/de=E\sigma'(u)\sigma'(v)`, the *slope* (by :math:`\partial_c\hat\sigma=\widehat{\sigma'}`). The expressions are those of
:mod:`symspec.dual`, compiled once to tapes in the symbols p, q and w, which every carrier reads.

>>> from symspec.activations import relu
>>> from symspec.layers import Nonlinearity
>>> tapes = PairDual(Nonlinearity(relu))
>>> tapes.second_moment_at(Q), len(tapes.same.outputs)
(q/2, 2)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import sympy
from sympy import Expr, S, Symbol

from .dual import Dual
from .expectation import COS, SIN, THETA, P, Q
from .functions import NEITHER, archav
from .layers import Nonlinearity
from .program import RHO, Line, Tape, compile_lines

W = Symbol("w", nonnegative=True)
ANGLE = Symbol("angle", real=True)


@dataclass(frozen=True)
class PairDual:
    """Tapes with the outputs (value, slope): the dual and the dual of the derivative."""

    nonlinearity: Nonlinearity

    @cached_property
    def same(self) -> Tape:
        """For equal variances, in the symbols q and w."""
        return self._tape(Q, Q, (Q, W))

    @cached_property
    def same_value(self) -> Tape:
        """The value alone, for equal variances and arrays: kernels without tangents need no slope, and a root is faster than a sine."""
        angular = self.nonlinearity.angular
        lines = (Line(ANGLE, archav(W, NEITHER)),) if angular else ()
        value = self._written(self.nonlinearity.dual, Q, Q, angular=angular).xreplace({sympy.sin(ANGLE): 2 * sympy.sqrt(W * (1 - W))})
        return compile_lines(lines, (value,), (Q, W))

    @cached_property
    def different(self) -> Tape:
        """For any two variances, in the symbols p, q and w."""
        return self._tape(P, Q, (P, Q, W))

    @cached_property
    def diagonal(self) -> Tape:
        """At u = v, in the symbol q. The slope of an activation with a jump is infinite there and given as 0."""
        slope = self.nonlinearity.slope_dual.diagonal(Q)
        return compile_lines((), (self.second_moment_at(Q), S.Zero if slope is S.Infinity else slope), (Q,))

    @property
    def slope_is_infinite(self) -> bool:
        """Whether the slope at u = v is infinite: an activation with a jump, its delta kept."""
        return self.nonlinearity.slope_dual.diagonal(Q) is S.Infinity

    def second_moment_at(self, q: Expr) -> Expr:
        """E sigma(u)^2 for u of variance q."""
        return self.nonlinearity.dual.diagonal(q)

    def readable(self, *, same: bool) -> tuple[Expr, Expr]:
        """Value and slope as expressions in rho, p and q (q alone for equal variances)."""
        return self._readable_same if same else self._readable_different

    @cached_property
    def _readable_same(self) -> tuple[Expr, Expr]:
        return self._at(Q)

    @cached_property
    def _readable_different(self) -> tuple[Expr, Expr]:
        return self._at(P)

    def derivatives(self, count: int) -> Tape:
        """The value and its first ``count`` derivatives by the covariance, for equal variances, in the symbols q and w."""
        return _rising(self, count)

    def derivative(self, order: int) -> Expr:
        """The derivative of that order of the value by the covariance, in rho and q, for equal variances."""
        return self.readable(same=True)[order] if order < 2 else _higher(self, order)

    def _at(self, p: Expr) -> tuple[Expr, Expr]:
        return self.nonlinearity.dual.at(RHO, p, Q), self.nonlinearity.slope_dual.at(RHO, p, Q)

    def _tape(self, p: Expr, q: Expr, symbols: tuple[Symbol, ...]) -> Tape:
        angular = self.nonlinearity.angular
        lines = (Line(ANGLE, archav(W, NEITHER)),) if angular else ()
        outputs = tuple(self._written(function, p, q, angular=angular) for function in (self.nonlinearity.dual, self.nonlinearity.slope_dual))
        return compile_lines(lines, outputs, symbols)

    @staticmethod
    def _written(function: Dual, p: Expr, q: Expr, *, angular: bool) -> Expr:
        expr = function.substituted(p, q)
        if angular:
            # 1 + cos(theta) as 2 cos(theta/2)^2 keeps its relative accuracy at theta = pi.
            expr = expr.xreplace({1 + COS: 2 * sympy.cos(ANGLE / 2) ** 2})
            return expr.xreplace({THETA: ANGLE, SIN: sympy.sin(ANGLE), COS: 1 - 2 * W})
        return expr.xreplace({COS: 1 - 2 * W})


@lru_cache(maxsize=256)
def _rising(dual: PairDual, count: int) -> Tape:
    # c = q (1 - 2 w), and the angle 2 arcsin sqrt(w) has the derivative 1/sqrt(w (1 - w)).
    layer = dual.nonlinearity
    outputs = [dual._written(function, Q, Q, angular=layer.angular) for function in (layer.dual, layer.slope_dual)][: count + 1]
    while len(outputs) <= count:
        last = outputs[-1]
        outputs.append(-(sympy.diff(last, W) + sympy.diff(last, ANGLE) / sympy.sqrt(W * (1 - W))) / (2 * Q))
    return compile_lines((Line(ANGLE, archav(W, NEITHER)),) if layer.angular else (), tuple(outputs), (Q, W))


@lru_cache(maxsize=256)
def _higher(dual: PairDual, order: int) -> Expr:
    return sympy.diff(dual.derivative(order - 1), RHO) / Q


__all__ = ["ANGLE", "PairDual", "W"]
