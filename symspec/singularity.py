r"""Exact Puiseux expansions of kernels at rho = +1 and rho = -1, derived from their programs.

At :math:`\rho=1` the variable is :math:`s=\sin(\theta/2)=\sqrt{(1-\rho)/2}`, at
:math:`\rho=-1` it is :math:`\tilde s=\cos(\theta/2)`; where jumps are composed, a root
:math:`\tau=s^{1/m}`. The program is read by the carrier of truncated power series with exact
coefficients. A coefficient that a line proves to be zero (:attr:`Line.order`) is set to zero;
long constants, such as the values of deep layers at rho = -1, are given names, so that nothing
grows with depth.

Terms like :math:`e^{-c/\sin^2\theta}`, which unequal thresholds produce, are flat: they and all
their derivatives vanish at the end point, and they contribute nothing to any order.

>>> import symspec as ss
>>> print(expansion(ss.mlp(ss.relu, 1).ntk, +1, 3))
2 - 2*s/pi - 4*s**2 + O(s**3)
>>> print(expansion(ss.mlp(ss.relu, 2).ck, -1, 4).coefficient(0))
1/pi
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol, pi

from .errors import ExpressionTooLarge, InputError, NoClosedForm
from .exact import exact, natural
from .functions import EVEN
from .kernel import Kernel
from .program import RHO, THETA0, Line, Operation, compile_lines, tree_size
from .strip_functions import DualOf, SeriesDual
from .truncated_series import Series

NAMED_SIZE = 12
MAX_ORDER, MAX_WRITTEN = 200, 20_000


@dataclass(frozen=True)
class Expansion:
    """An expansion at one end: the series in tau = s^(1/root), and the names used in it.

    s is sin(theta/2) = sqrt((1 - rho)/2) at rho = 1 and cos(theta/2) = sqrt((1 + rho)/2) at rho = -1;
    the coefficients are exact, up to s^order.
    """

    series: Series
    root: int
    end: int
    names: dict[Symbol, Expr] = field(default_factory=dict)

    def coefficient(self, j: int) -> Expr:
        """Coefficient of tau^j, with names. InputError from the remainder on, where it is not known."""
        power = int(exact(j, "power"))
        if power != j or power >= self.series.order:
            raise InputError(f"the coefficients are those of whole powers below {self.series.order}, not of {j}; ask for a higher order")
        return self.series.coefficient(power)

    @property
    def order(self) -> Rational:
        """The remainder is O(s^order)."""
        return Rational(self.series.order, self.root)

    def used_names(self) -> dict[Symbol, Expr]:
        """The names that the coefficients use, directly or through other names."""
        wanted = {symbol for value in self.series.terms.values() for symbol in value.free_symbols}
        for symbol in reversed(list(self.names)):
            if symbol in wanted:
                wanted |= self.names[symbol].free_symbols
        return {symbol: value for symbol, value in self.names.items() if symbol in wanted}

    def singular(self) -> list[tuple[Rational, Expr]]:
        """(nu, a) for every term a ((1-|rho|)/2)^nu with nu not a whole number >= 0, ascending."""
        found = []
        for j in sorted(self.series.terms):
            nu = Rational(j, 2 * self.root)
            if not (nu.is_Integer and nu >= 0):
                found.append((nu, self.series.terms[j]))
        return found

    def written_out(self, expr: Expr) -> Expr:
        """Replace every name by its definition. ExpressionTooLarge where that is too long, as in deep layers at rho = -1."""
        for symbol in reversed(list(self.names)):
            if tree_size(expr) > MAX_WRITTEN:
                raise ExpressionTooLarge("written out, this coefficient is too long; .names gives its parts by their recursion")
            expr = expr.xreplace({symbol: self.names[symbol]}) if symbol in expr.free_symbols else expr
        return expr

    def latex(self) -> str:
        """LaTeX of the expansion, for mathematics mode."""
        from .latex import expansion_latex

        return expansion_latex(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        if self.root == 1:
            return str(self.series)
        parts = [str(self.series.terms[j] * Symbol("s") ** Rational(j, self.root)) for j in sorted(self.series.terms)]
        return " + ".join([*parts, f"O(s**({self.order}))"]).replace("+ -", "- ")


def expansion(kernel: Kernel, end: Any = 1, order: Any = 4) -> Expansion:
    """The exact expansion of K at rho = end (+1 or -1), up to O(s^order).

    Raises InputError for another end or an order that is no whole number from 1 to 200,
    NoClosedForm where the expansion leaves the class of exact constants or of power series.
    """
    if not isinstance(kernel, Kernel):
        raise InputError(f"expansion takes a Kernel (net.ck, net.ntk, ...), not {type(kernel).__name__}")
    if exact(end, "end") not in (1, -1):
        raise InputError(f"end is the correlation +1 or -1, not {end}")
    end, order = int(exact(end)), natural(order, "order", 1)
    if order > MAX_ORDER:
        raise InputError(f"order {order} is above {MAX_ORDER}")
    return puiseux(kernel, end, order * kernel.ramification)


def puiseux(kernel: Kernel, end: int, steps: int) -> Expansion:
    """The expansion up to tau^steps, tau = s^(1/root): of composed jumps far fewer terms than up to a power of s."""
    if end < 0 and kernel.symmetry:
        # K(-rho) = +-K(rho): the angle of an inner layer may return to 0 there, which its program does not say.
        near = puiseux(kernel, +1, steps)
        return Expansion(near.series if kernel.symmetry == EVEN else near.series.scaled(S.NegativeOne), near.root, end, near.names)
    root = kernel.ramification
    reader = _Reader(end, root, steps + root)
    environment: dict[str, Series] = {}
    for line in kernel.program.lines:
        environment[line.symbol.name] = reader.named(line, reader.line(line, environment))
    output = reader.expression(kernel.program.output, environment)
    return Expansion(output.truncated(steps), root, end, reader.names)


class _Reader:
    """The carrier of exact truncated series at one end."""

    def __init__(self, end: int, root: int, order: int) -> None:
        self.end, self.root, self.order = end, root, order
        self.names: dict[Symbol, Expr] = {}
        self.shapes: dict[Expr, Series] = {}

    def line(self, line: Line, environment: dict[str, Series]) -> Series:
        angle = self._vanishing_angle(line, environment)
        if angle is not None:
            return self._through_angle(line, angle, environment)
        series = self.expression(line.expr, environment)
        if line.order is None or self.end < 0:
            return series
        lowest = int(line.order * self.root)
        return Series({j: c for j, c in series.terms.items() if j >= lowest}, series.order)

    def _vanishing_angle(self, line: Line, environment: dict[str, Series]) -> Symbol | None:
        """The one symbol of a haversine that is an angle tending to 0, everything else constant."""
        if line.order is None or self.end < 0:
            return None
        varying = [s for s in line.expr.free_symbols if s == THETA0 or s.name in environment and environment[s.name].without_constant().terms]
        if len(varying) != 1 or RHO in line.expr.free_symbols:
            return None
        series = self.theta() if varying[0] == THETA0 else environment[varying[0].name]
        return varying[0] if series.valuation > 0 else None

    def _through_angle(self, line: Line, angle: Symbol, environment: dict[str, Series]) -> Series:
        """Expand in the angle first, then compose: a haversine of order 2 loses no order.

        The terms below the proved order vanish; each power of the angle adds its valuation to
        the order that is known, while reading the line term by term would lose one a layer.
        """
        series = self.theta() if angle == THETA0 else environment[angle.name]
        lowest = int(line.order * self.root / series.valuation)  # type: ignore[operator]
        local = self._local(line.expr, angle, environment)
        result, power = Series({}, self.order), Series.constant(S.One, self.order)
        for j in range(1, max(local.terms, default=0) + 1):
            power = power * series
            if j >= lowest and j in local.terms:
                result = result + power.scaled(local.terms[j])
        return result

    def _local(self, expr: Expr, angle: Symbol, environment: dict[str, Series]) -> Series:
        """The expression as a series in the angle itself; layers of one shape are expanded once."""
        marker = Symbol("angle", real=True)
        shape = expr.xreplace({angle: marker})
        if shape not in self.shapes:
            constants = {name: value for name, value in environment.items() if not value.without_constant().terms}
            self.shapes[shape] = self.expression(shape, constants | {"angle": Series({1: S.One}, self.order + 1)})
        return self.shapes[shape]

    def named(self, line: Line, series: Series) -> Series:
        """Give a name to every long coefficient."""
        terms = {}
        for j, value in series.terms.items():
            if sympy.count_ops(value) > NAMED_SIZE:
                letter, _, layer = line.symbol.name.partition("_")
                end = "+" if self.end > 0 else "-"
                symbol = Symbol(f"{letter}^{end}_{{{layer},{j}}}", real=True)
                self.names[symbol] = value
                value = symbol
            terms[j] = value
        return Series(terms, series.order)

    def expression(self, expr: Expr, environment: dict[str, Series]) -> Series:
        symbols = tuple(sorted((s for s in expr.free_symbols if s.name in environment), key=str))
        tape = compile_lines((), (expr,), symbols)
        return tape.run(self.table(environment))[0]

    def table(self, environment: dict[str, Series]) -> dict[str, Callable[..., Series]]:
        elementary = {"sin": sympy.sin, "cos": sympy.cos, "log": sympy.log, "sinh": sympy.sinh, "cosh": sympy.cosh}
        elementary |= {"asin": sympy.asin, "acos": sympy.acos, "atan": sympy.atan}
        table: dict[str, Callable[..., Series]] = {name: _taylor(head) for name, head in elementary.items()}
        return table | {
            "constant": lambda value: Series.constant(value, self.order),
            "symbol": environment.__getitem__,
            "rho": self.rho,
            "theta": self.theta,
            "add": lambda a, b: a + b,
            "mul": lambda a, b: a * b,
            "pow": lambda a, exponent: a.power(exponent),
            "archav": self.archav,
            "orthant": self.orthant,
            "order": lambda value, _order: value,
            "exp": self.exp,
            "erf": self.erf,
            "dual": self.dual,
            "erf_real": lambda x, y: self.erf_parts(x, y)[0],
            "erf_imag": lambda x, y: self.erf_parts(x, y)[1],
        }

    def half_chord(self) -> Series:
        """s itself."""
        return Series({self.root: S.One}, self.order)

    def rho(self) -> Series:
        s = self.half_chord()
        return (Series.constant(S.One, self.order) + (s * s).scaled(S(-2))).scaled(S(self.end))

    def theta(self) -> Series:
        near = self.half_chord().compose(lambda x: 2 * sympy.asin(x))
        return near if self.end > 0 else Series.constant(pi, self.order) + near.scaled(S.NegativeOne)

    def archav(self, w: Series, _symmetry: int) -> Series:
        centre = w.coefficient(0)
        if centre == 0:
            return w.power(S.Half).compose(lambda x: 2 * sympy.asin(x))
        # The cosine of the angle is shorter to write than the root of its haversine.
        return w.compose(lambda x: sympy.acos(1 - 2 * x))

    def dual(self, p: Series, q: Series, c: Series, data: DualOf) -> Series:
        """A dual given by its series: smooth up to the ends of its interval, where its derivatives are moments."""
        if p.without_constant().terms or q.without_constant().terms:
            raise NoClosedForm("a dual with a variance that varies is not expanded")
        return c.compose(lambda x: SeriesDual(data.profile, sympy.Integer(data.order), p.coefficient(0), q.coefficient(0), x))

    def exp(self, series: Series) -> Series:
        """exp; flat where the exponent tends to minus infinity."""
        if series.terms and series.valuation < 0:
            if series.terms[series.valuation].is_negative is not True:
                raise NoClosedForm("an exponential grows without bound at the end point")
            return Series({}, self.order)
        return series.compose(sympy.exp)

    def erf(self, series: Series) -> Series:
        """erf; its limit +-1, up to flat terms, where the argument tends to infinity."""
        if series.terms and series.valuation < 0:
            return Series.constant(sympy.sign(series.terms[series.valuation]), self.order)
        return series.compose(sympy.erf)

    def erf_parts(self, x: Series, y: Series) -> tuple[Series, Series]:
        """Real and imaginary part of erf(x + i y), by integrating erf'(z) z'."""
        from .functions import ErfImag, ErfReal

        twice = (x * y).scaled(S(2))
        size = (y * y + (x * x).scaled(S.NegativeOne)).compose(sympy.exp).scaled(2 / sympy.sqrt(pi))
        re, im = size * twice.compose(sympy.cos), size * twice.compose(lambda z: -sympy.sin(z))
        dx, dy = x.derivative(), y.derivative()
        centre = x.coefficient(0), y.coefficient(0)
        real = re * dx + (im * dy).scaled(S.NegativeOne)
        values = [Series.constant(head(*centre), self.order) for head in (ErfReal, ErfImag)]
        return values[0] + real.integral(), values[1] + (re * dy + im * dx).integral()

    def orthant(self, h: Series, k: Series, theta: Series) -> Series:
        """By its three partial derivatives; the value at the end point is a limit."""
        from .functions import Orthant

        cosine, sine = theta.compose(sympy.cos), theta.compose(sympy.sin)
        one = Series.constant(S.One, self.order)
        plus, minus = (one + cosine), (one + cosine.scaled(S.NegativeOne))
        at_pi = theta.coefficient(0) == pi
        if at_pi:
            exponent = ((h + k) * (h + k) * (sine * sine).power(S.NegativeOne)).scaled(-S.Half) + h * k * minus.power(S.NegativeOne)
        else:
            difference = h + k.scaled(S.NegativeOne)
            exponent = (difference * difference * (sine * sine).power(S.NegativeOne)).scaled(-S.Half) + (h * k * plus.power(S.NegativeOne)).scaled(S.NegativeOne)
        slope = (self.exp(exponent) * theta.derivative()).scaled(-1 / (2 * pi))
        for x, y in ((h, k), (k, h)):
            if x.without_constant().terms:
                slope = slope + self._through(x, y, sine, cosine) * x.derivative()
        value = Orthant(h.coefficient(0), k.coefficient(0), theta.coefficient(0))
        return Series.constant(value, self.order) + slope.integral()

    def _through(self, x: Series, y: Series, sine: Series, cosine: Series) -> Series:
        conditional = (y + (x * cosine).scaled(S.NegativeOne)) * sine.power(S.NegativeOne)
        tail = Series.constant(S.Half, self.order) + self.erf(conditional.scaled(1 / sympy.sqrt(2))).scaled(-S.Half)
        density = self.exp((x * x).scaled(-S.Half)).scaled(-1 / sympy.sqrt(2 * pi))
        return density * tail


def _taylor(head: type) -> Callable[[Series], Series]:
    return lambda series: series.compose(head)


__all__ = ["Expansion", "Operation", "Series", "expansion"]
