r"""Terms: the summands of a form, with their products, substitutions and derivatives.

A :class:`Term` is

.. math:: c\,x^m\,e^{\alpha x^2+\beta x}\,\{1,\cos\omega x,\sin\omega x\}\,g(x),

with exact constants and at most one gate g (:class:`Step`, :class:`Erf`, :class:`Delta`). Every
operation on one or two terms gives a list of terms; :mod:`symspec.form` collects them.

>>> x = Term(power=1)
>>> [str(t.as_expr()) for t in product(x, Term(gate=Step(S.Zero)))]
['x*Heaviside(x)']
>>> [str(t.as_expr()) for t in differentiate(Term(power=2, gate=Step(S.One)), deltas=True)]
['2*x*Heaviside(x - 1)', 'DiracDelta(x - 1)']
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Heaviside, S, Symbol, cos, erf, exp, sin

from .errors import ExpressionTooLarge, InputError, NoClosedForm
from .exact import as_expr, is_zero

X = Symbol("x", real=True)
MAX_DEGREE = 256
# Constants beyond these sizes come from hostile or hopeless input, never from an activation.
MAX_CONSTANT_TERMS, MAX_BITS = 2_000, 13_000


@dataclass(frozen=True)
class Step:
    """1[x > b]."""

    b: Expr


@dataclass(frozen=True)
class Erf:
    """erf(a x + b), a > 0."""

    a: Expr
    b: Expr

    def density(self) -> tuple[Expr, tuple[Expr, Expr]]:
        """(scale, (alpha, beta)) with d/dx erf(ax+b) = scale * exp(alpha x^2 + beta x)."""
        return 2 * self.a * exp(-(self.b**2)) / sympy.sqrt(sympy.pi), (-(self.a**2), -2 * self.a * self.b)


@dataclass(frozen=True)
class Delta:
    """delta(x - b)."""

    b: Expr


Gate = Step | Erf | Delta | None
STEP_AT_ZERO = Step(S.Zero)


@dataclass(frozen=True)
class Term:
    """coefficient * x^power * exp(alpha x^2 + beta x) * wave(omega x) * gate(x).

    ``wave`` is cos, or sin where ``odd_wave``; omega >= 0, and omega = 0 means no wave.
    """

    coefficient: Expr = S.One
    power: int = 0
    alpha: Expr = S.Zero
    beta: Expr = S.Zero
    omega: Expr = S.Zero
    odd_wave: bool = False
    gate: Gate = None

    @property
    def key(self) -> Term:
        """The term with coefficient one: what makes it linearly independent of others."""
        return replace(self, coefficient=S.One)

    @property
    def envelope(self) -> tuple[Expr, Expr]:
        return self.alpha, self.beta

    @property
    def is_polynomial_piece(self) -> bool:
        return self.alpha == 0 and self.beta == 0 and self.omega == 0 and not isinstance(self.gate, Erf)

    def smooth_value(self, at: Expr) -> Expr:
        """Value at a point of the factors other than the gate."""
        wave = S.One if self.omega == 0 else (sin if self.odd_wave else cos)(self.omega * at)
        return self.coefficient * at**self.power * exp(self.alpha * at**2 + self.beta * at) * wave

    def as_expr(self, x: Expr = X) -> Expr:
        """The term as a sympy expression in x."""
        value = self.smooth_value(x)
        match self.gate:
            case Step(b):
                return value * Heaviside(x - b)
            case Erf(a, b):
                return value * erf(a * x + b)
            case Delta(b):
                return value * sympy.DiracDelta(x - b)
        return value


def canonical(value: Expr) -> Expr:
    """Expanded constant, exactly 0 where it vanishes (:func:`symspec.exact.is_zero`)."""
    value = sympy.expand(value)
    if any(max(abs(leaf.p), leaf.q).bit_length() > MAX_BITS for leaf in value.atoms(sympy.Rational)):
        raise ExpressionTooLarge(f"a coefficient has more than {MAX_BITS} binary digits")
    return S.Zero if is_zero(value) else value


def unified(terms: list[Term]) -> list[Term]:
    """Terms in which equal parameters are written equally: sqrt(3 + 2 sqrt(2)) and 1 + sqrt(2)."""
    seen = {value for term in terms for value in _parameters(term)}
    if sum(not value.is_Rational for value in seen) == 0 or len(seen) == 1:
        return terms
    ordered = sorted(seen, key=lambda value: (sympy.count_ops(value), sympy.default_sort_key(value)))
    chosen: list[Expr] = []
    renamed: dict[Expr, Expr] = {}
    for value in ordered:
        twin = next((other for other in chosen if _equal(value, other)), None)
        if twin is None:
            chosen.append(value)
        else:
            renamed[value] = twin
    return [_with_parameters(term, renamed) for term in terms] if renamed else terms


def _parameters(term: Term) -> tuple[Expr, ...]:
    gate = () if term.gate is None else (term.gate.a, term.gate.b) if isinstance(term.gate, Erf) else (term.gate.b,)
    return (term.alpha, term.beta, term.omega, *gate)


def _with_parameters(term: Term, renamed: dict[Expr, Expr]) -> Term:
    def new(value: Expr) -> Expr:
        return renamed.get(value, value)

    gate = term.gate
    if isinstance(gate, Erf):
        gate = Erf(new(gate.a), new(gate.b))
    elif gate is not None:
        gate = replace(gate, b=new(gate.b))
    return replace(term, alpha=new(term.alpha), beta=new(term.beta), omega=new(term.omega), gate=gate)


@lru_cache(maxsize=4096)
def _equal(a: Expr, b: Expr) -> bool:
    if a.is_Rational and b.is_Rational:
        return False
    difference = a - b
    return not difference.is_comparable and canonical(difference) == 0


def order(term: Term) -> Any:
    gate = (0, 0, 0)
    match term.gate:
        case Step(b):
            gate = (1, b, 0)
        case Erf(a, b):
            gate = (2, a, b)
        case Delta(b):
            gate = (3, b, 0)
    parts = (gate[0], -term.power, term.alpha, term.beta, term.omega, int(term.odd_wave), gate[1], gate[2])
    return tuple(sympy.default_sort_key(as_expr(part)) for part in parts)


def product(a: Term, b: Term) -> list[Term]:
    power = a.power + b.power
    if power > MAX_DEGREE:
        raise InputError(f"the power x^{power} is above the limit {MAX_DEGREE}")
    if len(sympy.Add.make_args(a.coefficient)) * len(sympy.Add.make_args(b.coefficient)) > MAX_CONSTANT_TERMS:
        raise ExpressionTooLarge(f"a constant of more than {MAX_CONSTANT_TERMS} terms is not expanded")
    base = Term(
        coefficient=a.coefficient * b.coefficient,
        power=power,
        alpha=sympy.expand(a.alpha + b.alpha),
        beta=sympy.expand(a.beta + b.beta),
        gate=_gate_product(a.gate, b.gate),
    )
    return _waves(base, a, b)


def _gate_product(g: Gate, h: Gate) -> Gate:
    if g is None or h is None:
        return h if g is None else g
    if isinstance(g, Step) and isinstance(h, Step):
        return g if bool(g.b >= h.b) else h
    raise NoClosedForm("a product of an error function with a step or another error function has no known closed form; expand it so that each term has one")


def _waves(base: Term, a: Term, b: Term) -> list[Term]:
    """Product-to-sum formulas for the oscillating factors."""
    if a.omega == 0 or b.omega == 0:
        one = b if a.omega == 0 else a
        return [replace(base, omega=one.omega, odd_wave=one.odd_wave)]
    half = base.coefficient / 2
    total, difference = a.omega + b.omega, a.omega - b.omega
    if a.odd_wave and b.odd_wave:
        parts = [(half, difference, False), (-half, total, False)]
    elif not a.odd_wave and not b.odd_wave:
        parts = [(half, difference, False), (half, total, False)]
    elif a.odd_wave:
        parts = [(half, total, True), (half, difference, True)]
    else:
        parts = [(half, total, True), (-half, difference, True)]
    terms = []
    for coefficient, omega, odd in parts:
        if omega.is_negative:
            omega, coefficient = -omega, -coefficient if odd else coefficient
        if omega != 0 or not odd:
            terms.append(replace(base, coefficient=coefficient, omega=sympy.expand(omega), odd_wave=odd and omega != 0))
    return terms


def reflect(term: Term) -> list[Term]:
    sign = S.NegativeOne ** (term.power + int(term.odd_wave))
    mirrored = replace(term, coefficient=term.coefficient * sign, beta=-term.beta)
    match term.gate:
        case Step(b):
            return [replace(mirrored, gate=None), replace(mirrored, coefficient=-mirrored.coefficient, gate=Step(-b))]
        case Erf(a, b):
            return [replace(mirrored, coefficient=-mirrored.coefficient, gate=Erf(a, -b))]
        case Delta(b):
            return [replace(mirrored, gate=Delta(-b))]
    return [mirrored]


def rescale(term: Term, s: Expr) -> Term:
    coefficient, gate = term.coefficient * s**term.power, term.gate
    match gate:
        case Step(b):
            gate = Step(b / s)
        case Erf(a, b):
            gate = Erf(a * s, b)
        case Delta(b):
            gate, coefficient = Delta(b / s), coefficient / s
    return replace(term, coefficient=coefficient, alpha=term.alpha * s**2, beta=term.beta * s, omega=term.omega * s, gate=gate)


def differentiate(term: Term, *, deltas: bool) -> list[Term]:
    c = term.coefficient
    parts = []
    if term.power:
        parts.append(replace(term, coefficient=c * term.power, power=term.power - 1))
    if term.alpha != 0:
        parts.append(replace(term, coefficient=2 * c * term.alpha, power=term.power + 1))
    if term.beta != 0:
        parts.append(replace(term, coefficient=c * term.beta))
    if term.omega != 0:
        sign = S.One if term.odd_wave else S.NegativeOne
        parts.append(replace(term, coefficient=sign * c * term.omega, odd_wave=not term.odd_wave))
    match term.gate:
        case Step(b):
            if deltas:
                parts.append(Term(coefficient=term.smooth_value(b), gate=Delta(b)))
        case Erf():
            scale, (alpha, beta) = term.gate.density()
            factor = replace(term, coefficient=c * scale, gate=None)
            parts.append(replace(factor, alpha=term.alpha + alpha, beta=term.beta + beta))
        case Delta():
            raise NoClosedForm("the derivative of a delta is not in the class")
    return parts
