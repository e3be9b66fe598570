r"""Truncated power series with exact coefficients, and what analytic functions do to them.

:math:`\sum_jc_j\tau^j+O(\tau^n)` with exact real :math:`c_j`, integer exponents that may be negative. Sums and products
keep track of the order that is known; powers go by the binomial series, analytic functions by Taylor's
theorem. Coefficients that are exactly zero are dropped, and that is decided, never guessed
(:func:`symspec.exact.is_zero`).

>>> s = Series({1: S.One}, 4)
>>> print((Series.constant(S.One, 4) + s).power(Rational(1, 2)))
1 + s/2 - s**2/8 + s**3/16 + O(s**4)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Expr, Rational, S, Symbol

from .errors import NoClosedForm
from .exact import is_zero


@dataclass(frozen=True)
class Series:
    """sum_j terms[j] tau^j + O(tau^order); exponents are integers, possibly negative."""

    terms: dict[int, Expr]
    order: int

    @staticmethod
    def constant(value: Expr, order: int) -> Series:
        return Series({0: value} if value != 0 else {}, order)

    @property
    def valuation(self) -> int:
        return min(self.terms, default=self.order)

    def coefficient(self, j: int) -> Expr:
        return self.terms.get(j, S.Zero)

    def __add__(self, other: Series) -> Series:
        order = min(self.order, other.order)
        keys = {j for j in (*self.terms, *other.terms) if j < order}
        return _clean({j: self.coefficient(j) + other.coefficient(j) for j in keys}, order)

    def __mul__(self, other: Series) -> Series:
        order = min(self.order + other.valuation, other.order + self.valuation)
        products: dict[int, Expr] = {}
        for i, a in self.terms.items():
            for j, b in other.terms.items():
                if i + j < order:
                    products[i + j] = products.get(i + j, S.Zero) + a * b
        return _clean(products, order)

    def scaled(self, factor: Expr) -> Series:
        return _clean({j: c * factor for j, c in self.terms.items()}, self.order)

    def without_constant(self) -> Series:
        return Series({j: c for j, c in self.terms.items() if j != 0}, self.order)

    def truncated(self, order: int) -> Series:
        return Series({j: c for j, c in self.terms.items() if j < order}, min(order, self.order))

    def derivative(self) -> Series:
        return Series({j - 1: c * j for j, c in self.terms.items() if j}, self.order - 1)

    def integral(self) -> Series:
        """The primitive without constant term. Raises for a term 1/tau (a logarithm)."""
        if -1 in self.terms:
            raise NoClosedForm("a logarithm appears in the expansion")
        return Series({j + 1: c / (j + 1) for j, c in self.terms.items()}, self.order + 1)

    def power(self, exponent: Rational) -> Series:
        """(c tau^v (1 + ...))^r by the binomial series; v r must be an integer."""
        if exponent == 0:
            return Series.constant(S.One, self.order)
        if not self.terms and exponent.is_Integer and exponent > 0:
            return Series({}, self.order * int(exponent))
        if not self.terms:
            raise NoClosedForm("a power of a series that vanishes to all known orders was needed")
        v = self.valuation
        if not (v * exponent).is_Integer:
            raise NoClosedForm("the expansion needs a finer root of the variable")
        lead, shift = self.terms[v], int(v * exponent)
        rest = _clean({j - v: c / lead for j, c in self.terms.items() if j > v}, self.order - v)
        total, factor, step = Series.constant(S.One, rest.order), Series.constant(S.One, rest.order), 1
        while step * max(1, rest.valuation) < rest.order and rest.terms:
            factor = (factor * rest).scaled((exponent - step + 1) / S(step))
            total, step = total + factor, step + 1
        return Series({j + shift: sympy.expand(c * lead**exponent) for j, c in total.terms.items()}, rest.order + shift)

    def compose(self, function: Callable[[Expr], Expr]) -> Series:
        """f(series) for f analytic at the constant term, by Taylor's theorem."""
        centre, delta = self.coefficient(0), self.without_constant()
        if delta.terms and delta.valuation < 0:
            raise NoClosedForm("a function of a series with a pole was needed")
        x = Symbol("x", real=True)
        derivative, result = function(x), Series.constant(_at(function(x), x, centre), self.order)
        power, n = Series.constant(S.One, self.order), 0
        while delta.terms and (n + 1) * delta.valuation < self.order:
            n, derivative, power = n + 1, sympy.diff(derivative, x), power * delta
            result = result + power.scaled(_at(derivative, x, centre) / sympy.factorial(n))
        return result.truncated(self.order)

    def __str__(self) -> str:
        tau = Symbol("s")
        parts = [f"O(s**{self.order})"]
        body = [str(self.terms[j] * tau**j) for j in sorted(self.terms)]
        return " + ".join(body + parts).replace("+ -", "- ")


def _at(expr: Expr, x: Symbol, value: Expr) -> Expr:
    return expr.subs(x, value)


def _clean(terms: dict[int, Expr], order: int) -> Series:
    kept = {}
    for j, raw in terms.items():
        value = sympy.expand(raw)
        if not (value.is_number and is_zero(value)):
            kept[j] = value
    return Series(kept, order)
