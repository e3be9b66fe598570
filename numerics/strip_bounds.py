r"""Values and bounds of strip-analytic functions: what the trapezoidal rule needs to know of them.

For an expression of :mod:`symspec.strip` and a half-width s below that of its strip,
:func:`envelope` gives an upper bound

.. math:: |f(x+iy)|\le A\,(1+|x|)^m\,e^{\alpha x^2+\beta|x|}\qquad(x\in\mathbb R,\ |y|\le s),

built from the leaves by the triangle inequality and from the imaginary part w of the arguments:

=============  ==================================================================
function       bound on :math:`|\mathrm{Im}|\le w`
=============  ==================================================================
tanh           :math:`\max(1,\tan w)`, as :math:`|\tanh(u+iw)|^2=(\sinh^2u+\sin^2w)/(\sinh^2u+\cos^2w)`
sech           :math:`1/\cos w`
softplus       :math:`|u|+\log2+w`, plus :math:`\log(1/\sin w)` where w exceeds a quarter turn
atan           :math:`\pi/2+\mathrm{artanh}\,w`
sin, cos       :math:`\cosh w`
erf            :math:`1+\mathrm{erfi}\,w`, by the path from u to u + iw
=============  ==================================================================

Derivatives need no rules: by Cauchy's formula :math:`|f^{(m)}|\le m!\,\delta^{-m}\sup|f|` on discs of radius
:math:`\delta` (:meth:`Envelope.of_derivative`).

>>> import sympy
>>> from flint import acb
>>> from symspec.terms import X
>>> bound = envelope(X * sympy.tanh(X), arb(1))
>>> bound.power, bool(abs(acb(3, 1) * acb(3, 1).tanh()) < bound.size * 4)
(1, True)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from math import factorial
from operator import add, mul
from typing import Any

import sympy
from flint import arb
from sympy import Expr

from symspec.errors import NoClosedForm, Undecided
from symspec.strip import quadratic_height
from symspec.strip_functions import softplus
from symspec.terms import X

from . import real
from .constants import ball

Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Envelope:
    """|f(x+iy)| <= size (1+|x|)^power exp(alpha x^2 + beta |x|) on a strip; beta >= 0."""

    size: arb
    power: int
    alpha: arb
    beta: arb

    def of_derivative(self, order: int, radius: arb) -> Envelope:
        """The envelope of the derivative in the strip that is thinner by ``radius``, by Cauchy's formula."""
        if order == 0:
            return self
        grown = self.size * (1 + radius) ** self.power * (_positive(self.alpha) * radius**2 + self.beta * radius).exp()
        return Envelope((grown * factorial(order) / radius**order).upper(), self.power, self.alpha, (self.beta + 2 * abs(self.alpha) * radius).upper())

    def exponential(self, q: arb, times: int) -> tuple[arb, arb, arb]:
        """(C, gamma, delta) with |f(sqrt(q) x + iy)|^times <= C e^(gamma |x| + delta x^2); u^N <= N! e^u takes the power in."""
        extra = times if self.power else 0
        size = self.size**times * factorial(times * self.power) * (arb(1).exp() if extra else 1)
        gamma = (times * self.beta + (1 if extra else 0)) * q.sqrt()
        return size.upper(), gamma.upper(), (times * self.alpha * q).upper()

    def mean_square(self, q: arb) -> arb:
        """An upper bound of E|f(sqrt(q) Z + iy)|^2 over the strip."""
        size, gamma, delta = self.exponential(q, 2)
        rest = 1 - 2 * delta
        if not rest > 0:
            raise Undecided(f"the activation is not shown to be square integrable under the variance {q.str(5)}")
        return (2 * size / rest.sqrt() * (gamma**2 / (2 * rest)).exp()).upper()


def _positive(value: arb) -> arb:
    return value.max(arb(0))


def imaginary_part(g: Expr, s: arb) -> arb:
    """An upper bound of |Im g(x+iy)| over real x and |y| <= s; the forward direction of :func:`symspec.strip.reach`."""
    if not g.has(X):
        return arb(0)
    if g.is_polynomial(X):
        if sympy.degree(g, X) != 1:
            raise Undecided(f"the imaginary part of {g} is not bounded in a strip")
        return (abs(ball(sympy.Poly(g, X).LC())) * s).upper()
    if g.is_Add:
        return sum((imaginary_part(part, s) for part in g.args), arb(0)).upper()
    if g.is_Mul:
        factor, rest = g.as_independent(X, as_Add=False)
        if factor == 1 or rest.is_Mul:
            raise Undecided(f"the imaginary part of {g} is not bounded in a strip")
        return (abs(ball(factor)) * imaginary_part(rest, s)).upper()
    w = imaginary_part(g.args[0], s)
    rules: dict[type, Callable[[], arb]] = {
        sympy.tanh: lambda: _quarter(w).tan(),
        sympy.sech: lambda: _quarter(w).tan() / 2,
        softplus: lambda: _below(w, arb.pi()),
        sympy.atan: lambda: _below(w, arb(1)).atanh(),
        sympy.sin: w.sinh,
        sympy.cos: w.sinh,
        sympy.erf: w.erfi,
    }
    if g.func not in rules:
        raise Undecided(f"the imaginary part of {g} is not bounded in a strip")
    return rules[g.func]().upper()


def _below(w: arb, limit: arb) -> arb:
    if not w < limit:
        raise Undecided("the strip is too wide: a function in it is not analytic there")
    return w


def _quarter(w: arb) -> arb:
    return _below(w, arb.pi() / 2)


def envelope(expr: Expr, s: arb) -> Envelope:
    """An envelope of the expression on |y| <= s; Undecided where the strip is not one of analyticity."""
    if not expr.has(X):
        return _constant(abs(ball(expr)))
    if expr == X:
        return Envelope(s.upper().max(arb(1)), 1, arb(0), arb(0))
    if expr.is_Add:
        return reduce(_sum, (envelope(part, s) for part in expr.args))
    if expr.is_Mul:
        return reduce(_product, (envelope(part, s) for part in expr.args))
    if isinstance(expr, sympy.exp):
        return _exponential(expr.args[0], s)
    if expr.is_Pow:
        return _power(expr, s)
    w = imaginary_part(expr.args[0], s)
    if isinstance(expr, softplus):
        extra = arb(2).log() + _below(w, arb.pi())
        # |1 + e^(u+iv)| >= 1 for |v| up to a quarter turn, and >= sin w beyond.
        extra += arb(0) if w < arb.pi() / 2 else -w.sin().log().min(arb(0))
        return _sum(envelope(expr.args[0], s), _constant(extra))
    rules: dict[type, Callable[[], arb]] = {
        sympy.tanh: lambda: _quarter(w).tan().max(arb(1)),
        sympy.sech: lambda: 1 / _quarter(w).cos(),
        sympy.atan: lambda: arb.pi() / 2 + _below(w, arb(1)).atanh(),
        sympy.sin: w.cosh,
        sympy.cos: w.cosh,
        sympy.erf: lambda: 1 + w.erfi(),
    }
    if expr.func not in rules:
        raise NoClosedForm(f"no bound of {expr.func.__name__} in a strip is known")
    return _constant(rules[expr.func]())


def _constant(size: arb) -> Envelope:
    return Envelope(size.upper(), 0, arb(0), arb(0))


def _sum(a: Envelope, b: Envelope) -> Envelope:
    return Envelope((a.size + b.size).upper(), max(a.power, b.power), a.alpha.max(b.alpha), a.beta.max(b.beta))


def _product(a: Envelope, b: Envelope) -> Envelope:
    return Envelope((a.size * b.size).upper(), a.power + b.power, a.alpha + b.alpha, (a.beta + b.beta).upper())


def _exponential(inner: Expr, s: arb) -> Envelope:
    """Re(alpha z^2 + beta z + gamma) = alpha (x^2 - y^2) + beta x + gamma; else |exp g| <= exp |g|."""
    if inner.is_polynomial(X) and sympy.degree(inner, X) <= 2:
        poly = sympy.Poly(inner, X)
        alpha, beta, gamma = (ball(poly.coeff_monomial(X**n)) for n in (2, 1, 0))
        return Envelope((gamma + _positive(-alpha) * s**2).exp().upper(), 0, alpha, abs(beta).upper())
    bound = envelope(inner, s)
    if bound.power > 1 or not bound.alpha <= 0 or not bound.beta <= 0:
        raise Undecided(f"exp({inner}) is not bounded by a Gaussian")
    return Envelope(bound.size.exp().upper(), 0, arb(0), bound.size if bound.power else arb(0))


def _power(power: Expr, s: arb) -> Envelope:
    n = power.exp
    if n.is_Integer and n > 0:
        return reduce(_product, [envelope(power.base, s)] * int(n))
    height = quadratic_height(power.base)
    if height is None:
        raise Undecided(f"{power} is not shown to be analytic in a strip")
    exponent = ball(n)
    if n > 0:
        bound = envelope(power.base, s)
        return replace(bound, size=(bound.size**exponent).upper(), power=int(sympy.ceiling(2 * n)))
    # |(z - r)(z - conj r)| >= (h + |y|)(h - |y|), h the height of the root r.
    h = ball(height)
    least = ball(sympy.Poly(power.base, X).LC()) * (_below(s, h.lower()) * -s + h * h)
    return _constant(least**exponent)


@dataclass(frozen=True)
class Rules:
    """What evaluates expressions on one kind of numbers: functions of one argument by their head, rational powers, constants."""

    heads: dict[Any, Function]
    power: Callable[[Any, sympy.Rational], Any]
    constant: Callable[[Expr], Any]


def evaluator(expr: Expr, rules: Rules | None = None) -> Function:
    """The expression as a function of a number, by default a real ball; its constants at the present working precision."""
    rules = rules or REAL
    if expr == X:
        return lambda x: x
    if not expr.has(X):
        value = rules.constant(expr)
        return lambda x: value
    parts = [evaluator(part, rules) for part in expr.args]
    if expr.is_Add or expr.is_Mul:
        join = add if expr.is_Add else mul
        return lambda x: reduce(join, [part(x) for part in parts])
    inner = parts[0]
    if expr.is_Pow:
        exponent, power = expr.exp, rules.power
        return lambda x: power(inner(x), exponent)
    head = rules.heads[expr.func]
    return lambda x: head(inner(x))


REAL = Rules(
    {
        sympy.exp: arb.exp,
        sympy.tanh: arb.tanh,
        sympy.sech: arb.sech,
        softplus: real.softplus,
        sympy.atan: arb.atan,
        sympy.sin: arb.sin,
        sympy.cos: arb.cos,
        sympy.erf: arb.erf,
    },
    real.power,
    ball,
)

__all__ = ["Envelope", "Function", "Rules", "envelope", "evaluator", "imaginary_part"]
