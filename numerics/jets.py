"""First-order Taylor forms of analytic functions along small arcs: what keeps complex enclosures from growing with every layer.

A :class:`Jet` encloses a function of two real parameters on a small rectangle by its value in the middle and its slopes over the
rectangle (mean value theorem); a :class:`JetTape` carries jets through the expressions of a kernel.

>>> from flint import acb
>>> from symspec.expectation import P
>>> square = JetTape((P**2,), (P,)).run(Jet.of(acb(3), (acb(0.5), 0)))[0]
>>> bool(square.over.real.contains(arb(3.5) ** 2)), bool(square.over.real < 13)
(True, True)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from flint import acb, arb
from sympy import Expr, Symbol

from symspec.program import Tape, compile_lines

from . import complex_disc, real

UNIT = arb(0, 1)
NAN = complex_disc.NAN


@dataclass(frozen=True)
class Jet:
    """A function of two real parameters on a small rectangle: its value in the middle, a ball of its values, and balls of
    its derivatives times the half-widths of the rectangle.
    """

    middle: acb
    over: acb
    slopes: tuple[acb, acb]

    @staticmethod
    def of(middle: Any, slopes: tuple[Any, Any]) -> Jet:
        """By the mean value theorem."""
        middle, first, second = acb(middle), acb(slopes[0]), acb(slopes[1])
        return Jet(middle, middle + first * UNIT + second * UNIT, (first, second))

    @staticmethod
    def exact(value: Any) -> Jet:
        return Jet.of(value, (0, 0))

    def conjugate(self) -> Jet:
        """The complex conjugate."""
        return Jet(self.middle.conjugate(), self.over.conjugate(), (self.slopes[0].conjugate(), self.slopes[1].conjugate()))

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.middle + other, self.over + other, self.slopes)
        return Jet.of(self.middle + other.middle, tuple(a + b for a, b in zip(self.slopes, other.slopes, strict=True)))  # type: ignore[arg-type]

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.middle * other, self.over * other, (self.slopes[0] * other, self.slopes[1] * other))
        return Jet.of(self.middle * other.middle, tuple(a * other.over + b * self.over for a, b in zip(self.slopes, other.slopes, strict=True)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class JetTape:
    """Expressions in some symbols, and their gradients, as functions of jets."""

    expressions: tuple[Expr, ...]
    symbols: tuple[Symbol, ...]

    @cached_property
    def _values(self) -> Tape:
        return compile_lines((), self.expressions, self.symbols)

    @cached_property
    def _gradients(self) -> Tape:
        return compile_lines((), tuple(sympy.diff(expr, symbol) for expr in self.expressions for symbol in self.symbols), self.symbols)

    def is_analytic(self, *jets: Jet) -> bool:
        """Whether all values are finite on the rectangle: no branch is in doubt."""
        over = _complex_table(dict(zip((s.name for s in self.symbols), (jet.over for jet in jets), strict=True)))
        return all(value.is_finite() for value in self._values.run(over))

    def run(self, *jets: Jet) -> list[Jet]:
        """NaN where an expression is not analytic on all of the rectangle."""
        if all(slope == 0 for jet in jets for slope in jet.slopes):
            point = self._values.run(_complex_table(dict(zip((s.name for s in self.symbols), (jet.over for jet in jets), strict=True))))
            return [Jet.exact(value if value.is_finite() else NAN) for value in point]
        middle, over = (_complex_table(dict(zip((s.name for s in self.symbols), balls, strict=True))) for balls in ([j.middle for j in jets], [j.over for j in jets]))
        gradients, count = self._gradients.run(over), len(jets)
        found = []
        for i, (value, direct) in enumerate(zip(self._values.run(middle), self._values.run(over), strict=True)):
            rates = gradients[i * count : (i + 1) * count]
            slopes = tuple(sum((rate * jet.slopes[k] for rate, jet in zip(rates, jets, strict=True)), acb(0)) for k in (0, 1))
            jet = Jet.of(value, slopes)  # type: ignore[arg-type]
            if not (direct.is_finite() and jet.over.is_finite()):
                return [Jet.exact(NAN)] * len(self.expressions)
            found.append(Jet(value, min(direct, jet.over, key=_width), jet.slopes))
        return found


def _width(z: acb) -> arb:
    return z.real.rad() + z.imag.rad()


def _complex_table(symbols: dict[str, acb]) -> real.Table:
    return complex_disc.table(NAN, NAN, symbols.__getitem__)


__all__ = ["UNIT", "Jet", "JetTape"]
