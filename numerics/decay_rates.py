r"""The geometric rate of a smooth kernel as a ball, at any depth.

:mod:`symspec.radius` gives exact barriers :math:`c=s_c`, and R is the least rho at which one is met. All
covariances increase on the positive axis, so "every covariance is below its barriers" holds for rho < R and
fails beyond. It is decided by balls at exact points, the lines evaluated one after the other and none of them
unless its input is proved to lie below its barriers: a point where the predicate is proved bounds R from
below, one where it is refuted from above. Newton's method only proposes the points; where it proposes badly
the bracket is halved. A point too close to R to be decided is stepped around, so that two barriers met at once
(where Newton's slope is infinite) cost time, not truth.

>>> import symspec as ss
>>> law = ss.decay(ss.mlp(ss.gelu, 3).ntk, ss.Sphere(3))
>>> print(decay_radius(law, 20).str(20, radius=False), decay_rate(law, 20).str(20, radius=False))
1.5364379516505501922 2.7029033730292288709
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import arb, arb_series
from sympy import Expr, Symbol

from symspec.decay_law import DecayLaw
from symspec.errors import InputError, NoClosedForm, Undecided
from symspec.kernel import Kernel
from symspec.program import RHO, Tape, compile_lines
from symspec.radius import Singularity, first_singularity

from . import power_series, real
from .constants import ball
from .precision import goal_bits, refine, working_precision

MAX_STEPS = 8192
SLACK = 4
# Newton's points are believed once the bracket is this narrow (relative, a power of 2).
NARROW = -6
FRACTIONS = ((1, 2), (3, 8), (5, 8))
NOWHERE = arb("nan")


def decay_radius(law: DecayLaw | Kernel, digits: Any = 30) -> arb:
    """R > 1, where the kernel of a geometric law (or a kernel) is first singular, to ``digits`` significant digits.

    Raises NoClosedForm for a kernel that is entire or singular at 1, Undecided if the digits are out of reach.
    """
    singularity, bits = _singularity(law), goal_bits(digits)
    return refine(lambda _: _Search(singularity).radius(bits + SLACK), bits, "the first singularity")


def decay_rate(law: DecayLaw | Kernel, digits: Any = 30) -> arb:
    """r = R + sqrt(R^2 - 1) of mu_k like r^-k, to ``digits`` significant digits; errors as :func:`decay_radius`."""
    singularity, bits = _singularity(law), goal_bits(digits)

    def compute(precision: int) -> arb:
        # The square root at most doubles the bits that R - 1 must be known to.
        radius = _Search(singularity).radius(precision - SLACK)
        return radius + real.sqrt((radius - 1) * (radius + 1))

    return refine(compute, bits, "the geometric rate")


def _singularity(law: DecayLaw | Kernel) -> Singularity:
    if not isinstance(law, (DecayLaw, Kernel)):
        raise InputError(f"a DecayLaw or a Kernel is needed, not {type(law).__name__}")
    if isinstance(law, DecayLaw):
        if law.singularity is None:
            raise NoClosedForm(f"this kernel has no geometric rate: {law.summary()}")
        return law.singularity
    if not law.program.inputs <= {RHO}:
        raise NoClosedForm("this kernel is singular at rho = 1: it has a power law and no geometric rate")
    found = first_singularity(law)
    if found is None:
        raise NoClosedForm("this kernel is entire: it has no first singularity and no geometric rate")
    return found


@dataclass(frozen=True)
class _Side:
    """Where a point is: -1 proved below R, 1 proved not below (``symbol`` has met ``barrier``), 0 not decided."""

    sign: int
    symbol: Symbol | None = None
    barrier: arb = NOWHERE


@dataclass(frozen=True)
class _Search:
    """The search at one working precision."""

    singularity: Singularity

    @cached_property
    def _constants(self) -> dict[str, arb]:
        values: dict[str, arb] = {}
        table = _table(real.table(NOWHERE, NOWHERE, ball), values)
        for symbol, expr in self.singularity.constants.items():
            values[symbol.name] = _tape(expr).run(table)[0]
        return values

    @cached_property
    def _barriers(self) -> dict[Symbol, list[arb]]:
        table = _table(real.table(NOWHERE, NOWHERE, ball), self._constants)
        found: dict[Symbol, list[arb]] = {}
        for barrier in self.singularity.barriers:
            found.setdefault(barrier.symbol, []).append(_tape(barrier.value).run(table)[0])
        return found

    @cached_property
    def _lines(self) -> tuple[tuple[Symbol, Tape], ...]:
        return tuple((line.symbol, _tape(line.expr)) for line in self.singularity.lines if line.symbol not in self.singularity.constants)

    def radius(self, bits: int) -> arb:
        """R to about ``bits`` bits if the working precision allows, else a wider ball; NaN without a bracket."""
        bracket = self._bracket()
        if bracket is None:
            return arb("nan")
        low, high, side = bracket
        while (high - low) > (low * arb(2) ** -bits).lower():
            width = high - low
            low, high, side = self._sharpened(low, high, side, bits)
            if high - low > width / 2:
                halved = self._halved(low, high, side)
                if halved is None:
                    break
                low, high, side = halved
        return low.union(high)

    def side(self, rho: arb) -> _Side:
        """Decide one exact point."""
        values = dict(self._constants)
        table = _table(real.table(NOWHERE, rho, ball), values)
        found = self._against(RHO, rho)
        for symbol, tape in self._lines:
            if found is not None:
                return found
            values[symbol.name] = tape.run(table)[0]
            found = self._against(symbol, values[symbol.name])
        return found or _Side(-1)

    def _against(self, symbol: Symbol, value: arb) -> _Side | None:
        """None where the value is proved below the barriers of its symbol."""
        undecided = None
        for barrier in self._barriers.get(symbol, ()):
            if value > barrier:
                return _Side(1, symbol, barrier)
            if not value < barrier:
                undecided = _Side(0)
        return undecided

    def _bracket(self) -> tuple[arb, arb, _Side] | None:
        """(a point below R, a point not below, where the latter is), starting at 1."""
        low, first = arb(1), self.side(arb(1))
        if first.sign > 0:
            raise Undecided("the kernel is singular within [0, 1]")
        if first.sign == 0:
            return None
        limit: arb | None = None
        for _ in range(MAX_STEPS):
            # Doubled, or halfway to a point that was not decided: overflow, or R itself.
            point = 2 * low if limit is None else ((low + limit) / 2).mid()
            side = self.side(point)
            if side.sign > 0:
                return low, point, side
            if side.sign < 0:
                if not point > low:
                    return None
                low = point
            else:
                above = None if limit is not None else self._just_above(point)
                if above is not None:
                    return low, *above
                limit = point
        return None

    def _just_above(self, point: arb) -> tuple[arb, _Side] | None:
        """A decided point a little beyond one that is not (R may be exactly there)."""
        beyond = (point + point / 16).mid()
        side = self.side(beyond)
        return (beyond, side) if side.sign > 0 else None

    def _halved(self, low: arb, high: arb, side: _Side) -> tuple[arb, arb, _Side] | None:
        for p, q in FRACTIONS:
            point = (low + (high - low) * p / q).mid()
            if not (low < point < high):
                return None
            found = self.side(point)
            if found.sign:
                return (point, high, side) if found.sign < 0 else (low, point, found)
        return None

    def _sharpened(self, low: arb, high: arb, side: _Side, bits: int) -> tuple[arb, arb, _Side]:
        """The bracket after testing two points around Newton's, half a width to the power 3/2 away."""
        relative = (high - low) / high
        target = self._newton(((low + high) / 2).mid(), side) if relative < arb(2) ** NARROW else None
        if target is None:
            return low, high, side
        step = ((high - low) * relative.sqrt()).max(high * arb(2) ** (-bits - 2))
        for point in ((target - step).mid(), (target + step).mid()):
            if not (low < point < high):
                continue
            found = self.side(point)
            if found.sign < 0:
                low = point
            elif found.sign > 0:
                high, side = point, found
        return low, high, side

    def _newton(self, point: arb, side: _Side) -> arb | None:
        """A guess of where the covariance that has met its barrier at the upper end meets it."""
        if side.symbol is None:
            return None
        series = self._expanded(point, side.symbol)
        target = (point - (series[0] - side.barrier) / series[1]).mid()
        return target if target.is_finite() else None

    def _expanded(self, point: arb, wanted: Symbol) -> arb_series:
        """Value and slope of a line at a point."""
        from flint import ctx

        with working_precision(ctx.prec, 2):
            rho = arb_series([point, 1])
            values = {name: arb_series([value]) for name, value in self._constants.items()}
            table = _table(power_series.table(rho, rho), values)
            if wanted == RHO:
                return rho
            for symbol, tape in self._lines:
                values[symbol.name] = tape.run(table)[0]
                if symbol == wanted:
                    break
            return values[wanted.name]


def _tape(expr: Expr) -> Tape:
    return compile_lines((), (expr,), tuple(sorted(expr.free_symbols - {RHO}, key=str)))


def _table(table: dict[str, Callable[..., Any]], values: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    return table | {"symbol": values.__getitem__}


__all__ = ["decay_radius", "decay_rate"]
