r"""First-order Taylor forms of analytic functions along small arcs: what keeps complex enclosures from growing with every layer.

A :class:`Jet` encloses a function of two real parameters on a small rectangle by its value in the middle and its slopes over the
rectangle: by the mean value theorem the values lie in :math:`f(m)+[-1,1]s_1+[-1,1]s_2`. A :class:`JetTape` carries jets through the expressions of a kernel, one
operation at a time by the chain rule; after each the narrower of that ball and of the operation's own is kept, so that differences
of quantities which move together stay small.

>>> from flint import acb
>>> from symspec.expectation import P
>>> square = JetTape((P**2,), (P,)).run(Jet.of(acb(3), (acb(0.5), 0)))[0]
>>> bool(square.over.real.contains(arb(3.5) ** 2)), bool(square.over.real < 13)
(True, True)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from flint import acb, arb
from sympy import Expr, Symbol

from symspec.program import Tape, compile_lines

from . import complex_disc, real
from .constants import ball
from .orthant_continuation import in_strip, orthant, orthant_slopes

UNIT = arb(0, 1)
NAN = complex_disc.NAN
Slopes = tuple[acb, acb]
# Bounds of sizes need few digits of an integral.
ORTHANT_BITS = 24


@dataclass(frozen=True)
class Jet:
    """A function of two real parameters on a small rectangle: its value in the middle, a ball of its values, and balls of
    its derivatives times the half-widths of the rectangle.
    """

    middle: acb
    over: acb
    slopes: Slopes

    @staticmethod
    def of(middle: Any, slopes: tuple[Any, Any], direct: acb | None = None) -> Jet:
        """By the mean value theorem; ``direct`` is another ball of the values, of which the narrower one is kept."""
        middle, first, second = acb(middle), acb(slopes[0]), acb(slopes[1])
        over = middle + first * UNIT + second * UNIT
        if direct is not None and (not over.is_finite() or _width(direct) < _width(over)):
            over = direct
        return Jet(middle, over, (first, second))

    @staticmethod
    def exact(value: Any) -> Jet:
        return Jet.of(value, (0, 0))

    def conjugate(self) -> Jet:
        """The complex conjugate."""
        return Jet(self.middle.conjugate(), self.over.conjugate(), (self.slopes[0].conjugate(), self.slopes[1].conjugate()))

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.middle + other, self.over + other, self.slopes)
        return Jet.of(self.middle + other.middle, (self.slopes[0] + other.slopes[0], self.slopes[1] + other.slopes[1]), self.over + other.over)

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.middle * other, self.over * other, (self.slopes[0] * other, self.slopes[1] * other))
        first, second = (a * other.over + b * self.over for a, b in zip(self.slopes, other.slopes, strict=True))
        return Jet.of(self.middle * other.middle, (first, second), self.over * other.over)


NOWHERE = Jet(NAN, NAN, (NAN, NAN))


def _width(z: acb) -> arb:
    return z.real.rad() + z.imag.rad()


def _through(arguments: tuple[Jet, ...], value: Callable[..., acb], rates: Callable[..., tuple[acb, ...]], *, direct: bool = True) -> Jet:
    """The chain rule for an analytic function with given partial derivatives; NOWHERE where it is not analytic on the rectangle."""
    overs = tuple(jet.over for jet in arguments)
    around = value(*overs) if direct else None
    if around is not None and not around.is_finite():
        return NOWHERE
    found = rates(*overs)
    slopes = [sum((rate * jet.slopes[k] for rate, jet in zip(found, arguments, strict=True)), acb(0)) for k in (0, 1)]
    jet = Jet.of(value(*(jet.middle for jet in arguments)), (slopes[0], slopes[1]), around)
    return jet if jet.middle.is_finite() and jet.over.is_finite() else NOWHERE


def _unary(value: Callable[[acb], acb], rate: Callable[[acb], acb]) -> Callable[[Jet], Jet]:
    return lambda jet: _through((jet,), value, lambda z: (rate(z),))


def _power(base: Jet, exponent: sympy.Rational) -> Jet:
    factor = acb(ball(exponent))
    return _through((base,), lambda z: complex_disc.power(z, exponent), lambda z: (factor * complex_disc.power(z, exponent - 1),))


def _bell(z: acb) -> acb:
    """The derivative of erf."""
    return 2 * (-z * z).exp() / acb.pi().sqrt()


def _erf_part(index: int) -> Callable[[Jet, Jet], Jet]:
    def rates(x: acb, y: acb) -> tuple[acb, acb]:
        upper, lower = _bell(x + acb(0, 1) * y), _bell(x - acb(0, 1) * y)
        mean, half = (upper + lower) / 2, (upper - lower) / acb(0, 2)
        return (mean, -half) if index == 0 else (half, mean)

    return lambda x, y: _through((x, y), lambda a, b: complex_disc.erf_parts(a, b)[index], rates)


def _orthant(h: Jet, k: Jet, theta: Jet) -> Jet:
    return _through((h, k, theta), lambda a, b, angle: orthant(a, b, angle, ORTHANT_BITS), orthant_slopes, direct=False)


def _root_of_one(z: acb) -> acb:
    return 1 / (1 - z * z).sqrt()


RULES: real.Table = {
    "constant": lambda expr: Jet.exact(ball(expr)),
    "theta": lambda: NOWHERE,
    "rho": lambda: NOWHERE,
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "pow": _power,
    "order": lambda value, _order: value,
    "archav": lambda w, _symmetry: NOWHERE,
    "dual": lambda *_: NOWHERE,
    "orthant": _orthant,
    "erf_real": _erf_part(0),
    "erf_imag": _erf_part(1),
    "sin": _unary(acb.sin, acb.cos),
    "cos": _unary(acb.cos, lambda z: -z.sin()),
    "exp": _unary(acb.exp, acb.exp),
    "log": _unary(complex_disc.log, lambda z: 1 / z),
    "sinh": _unary(acb.sinh, acb.cosh),
    "cosh": _unary(acb.cosh, acb.sinh),
    "asin": _unary(complex_disc.arcsine, _root_of_one),
    "acos": _unary(complex_disc.arccosine, lambda z: -_root_of_one(z)),
    "atan": _unary(complex_disc.atan, lambda z: 1 / (1 + z * z)),
    "erf": _unary(acb.erf, _bell),
}


@dataclass(frozen=True)
class JetTape:
    """Expressions in some symbols as functions of jets."""

    expressions: tuple[Expr, ...]
    symbols: tuple[Symbol, ...]

    @cached_property
    def _values(self) -> Tape:
        return compile_lines((), self.expressions, self.symbols)

    @cached_property
    def _branches(self) -> tuple[Tape, int]:
        """The values of what has cuts, then the angles of orthant probabilities, and how many these are."""
        operations = self._values.operations
        cuts = [i for i, op in enumerate(operations) if complex_disc.has_cuts(op) and op.name != "orthant"]
        angles = [op.arguments[2] for op in operations if op.name == "orthant"]
        return self._values.only(*cuts, *angles), len(angles)

    def is_analytic(self, *jets: Jet) -> bool:
        """Whether all expressions are analytic on the rectangle: no branch is in doubt."""
        tape, count = self._branches
        found = self._run(tape, jets)
        cuts, angles = found[: len(found) - count], found[len(found) - count :]
        return all(jet.over.is_finite() for jet in cuts) and all(in_strip(jet.over) for jet in angles)

    def run(self, *jets: Jet) -> list[Jet]:
        """NaN, all of them, where an expression is not analytic on all of the rectangle."""
        found = self._run(self._values, jets)
        return found if all(jet.over.is_finite() for jet in found) else [NOWHERE] * len(self.expressions)

    def _run(self, tape: Tape, jets: tuple[Jet, ...]) -> list[Jet]:
        named = {symbol.name: jet for symbol, jet in zip(self.symbols, jets, strict=True)}
        return tape.run(RULES | {"symbol": named.__getitem__})


__all__ = ["UNIT", "Jet", "JetTape"]
