r"""Laurent series of real balls: the carrier at a pole of half-integer order.

An element is :math:`s^{\text{low}}\,a(s)` with a a truncated power series. Operations of programs act on a where ``low`` is not
negative; sums align the orders; whole powers multiply them.

>>> from .precision import working_precision
>>> with working_precision(64, 4):
...     x = LaurentSeries(-1, arb_series([1, 1]))
...     square = x * x + LaurentSeries.of(arb_series([3]))
...     print(square.low, [square.coefficient(n).str(3, radius=False) for n in (-2, -1, 0)])
-2 ['1.00', '2.00', '4.00']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy
from flint import arb, arb_series, ctx

from symspec.errors import Undecided

from . import power_series, real
from .constants import ball

REGULAR = ("sin", "cos", "exp", "log", "sinh", "cosh", "asin", "acos", "atan", "erf")


@dataclass(frozen=True)
class LaurentSeries:
    """s^low times a power series in s."""

    low: int
    series: arb_series

    @staticmethod
    def of(series: arb_series) -> LaurentSeries:
        return LaurentSeries(0, series)

    def coefficient(self, n: int) -> arb:
        return self.series[n - self.low] if n >= self.low else arb(0)

    @property
    def power_series(self) -> arb_series:
        """As a power series; Undecided where there is a pole."""
        if self.low < 0:
            raise Undecided("a function of one with a pole is not expanded")
        return _shifted(self.series, self.low)

    def __add__(self, other: LaurentSeries) -> LaurentSeries:
        low = min(self.low, other.low)
        return LaurentSeries(low, _shifted(self.series, self.low - low) + _shifted(other.series, other.low - low))

    def __mul__(self, other: LaurentSeries) -> LaurentSeries:
        return LaurentSeries(self.low + other.low, self.series * other.series)

    def power(self, exponent: sympy.Rational) -> LaurentSeries:
        if exponent.is_Integer and exponent >= 0:
            return LaurentSeries(self.low * int(exponent), real.integer_power(self.series, int(exponent)))
        rule: Callable[[arb_series, Any], arb_series] = power_series.table(self.series)["pow"]
        return LaurentSeries.of(rule(self.power_series, exponent))


def _shifted(series: arb_series, by: int) -> arb_series:
    """s^by times the series; of the terms at most the working length is kept."""
    known = min(series.prec, ctx.cap)
    return series if by == 0 else arb_series([0] * by + [series[n] for n in range(known - by)], known)


def table(rho: arb_series, symbols: dict[str, LaurentSeries]) -> real.Table:
    """The carrier: operations of :data:`symspec.program.OPERATIONS`, rho being a power series in s."""
    plain = power_series.table(rho)

    def lifted(rule: Callable[[arb_series], arb_series]) -> Callable[[LaurentSeries], LaurentSeries]:
        return lambda value: LaurentSeries.of(rule(value.power_series))

    return {name: lifted(plain[name]) for name in REGULAR} | {
        "constant": lambda expr: LaurentSeries.of(arb_series([ball(expr)])),
        "symbol": symbols.__getitem__,
        "rho": lambda: LaurentSeries.of(rho),
        "add": LaurentSeries.__add__,
        "mul": LaurentSeries.__mul__,
        "pow": LaurentSeries.power,
        "order": lambda value, _order: value,
    }


__all__ = ["LaurentSeries", "table"]
