r"""A safe reader of activations written as text.

The grammar is small and its own; the text never reaches Python's evaluator::

    sum     := product (("+" | "-") product)*
    product := unary (("*" | "/") unary)*
    unary   := ("+" | "-") unary | power
    power   := atom (("**" | "^") unary)?          E**f is exp(f)
    atom    := number | "x" | "pi" | "E" | name "(" sum ("," sum)* ")" | "(" sum ")"

Functions: exp, sin, cos, erf, erfc, sqrt (of constants), abs, sign, relu, Heaviside (or
step), Max, Min, Phi (the normal distribution function), sinh, cosh, and the names of the
named activations. Decimals are exact.

>>> str(parse("Max(x,0) - Max(x-1,0)"))
'x*Heaviside(x) - x*Heaviside(x - 1) + Heaviside(x - 1)'
>>> str(parse("erf(x/2)/2 + 0.5"))
'erf(x/2)/2 + 1/2'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb

import sympy
from sympy import Expr, S
from sympy.core.evalf import PrecisionExhausted

from . import piecewise
from .errors import NoClosedForm, ParseError, SymspecError
from .form import Form, constant, error_function, exponential, variable, wave
from .terms import MAX_BITS, MAX_DEGREE

MAX_LENGTH, MAX_DEPTH, MAX_DIGITS, MAX_EXPONENT = 2000, 60, 200, 10_000
MAX_EXPANDED = 500
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|\.\d+(?:[eE][+-]?\d{1,3})?)|([A-Za-z_]+\d*)|(\*\*|[-+*/^(),]))", re.ASCII)


def parse(text: str) -> Form:
    """Read an activation in the variable x.

    Raises :class:`ParseError` for text that is no expression of the grammar or is
    unreasonably large, and :class:`NoClosedForm` for an expression outside the closed class.
    """
    if not isinstance(text, str):
        raise ParseError(f"an activation is text in the variable x, not {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise ParseError(f"the text has {len(text)} characters; at most {MAX_LENGTH} are read")
    reader = _Reader(text, _tokens(text))
    try:
        result = reader.sum(0)
    except (PrecisionExhausted, OverflowError, RecursionError) as error:
        if isinstance(error, SymspecError):
            raise
        raise NoClosedForm(f"{text[:60]!r}: its constants cannot be compared exactly; write them in a simpler form") from None
    if reader.token is not None:
        raise reader.error(f"unexpected {reader.token!r}")
    return result


def _tokens(text: str) -> list[tuple[str, int]]:
    tokens, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if not match:
            raise ParseError(f"character {text[position:].strip()[:1]!r} at position {position} is not part of the grammar (numbers, x, + - * / **, functions)")
        if match.group(1) and len(match.group(1)) > MAX_DIGITS:
            raise ParseError(f"a number has more than {MAX_DIGITS} digits")
        tokens.append((match.group().strip(), match.start()))
        position = match.end()
    return tokens


@dataclass
class _Reader:
    """Recursive descent over the tokens; every level counts against the nesting limit."""

    text: str
    tokens: list[tuple[str, int]]
    index: int = 0

    @property
    def token(self) -> str | None:
        return self.tokens[self.index][0] if self.index < len(self.tokens) else None

    def error(self, reason: str) -> ParseError:
        at = self.tokens[self.index][1] if self.index < len(self.tokens) else len(self.text)
        return ParseError(f"{reason} at position {at} of {self.text[:60]!r}")

    def take(self, *wanted: str) -> str | None:
        if self.token in wanted:
            self.index += 1
            return self.tokens[self.index - 1][0]
        return None

    def expect(self, wanted: str) -> None:
        if not self.take(wanted):
            found = "the end" if self.token is None else repr(self.token)
            raise self.error(f"expected {wanted!r}, found {found}")

    def sum(self, depth: int) -> Form:
        if depth > MAX_DEPTH:
            raise ParseError(f"the text is nested deeper than {MAX_DEPTH} levels")
        value = self.product(depth)
        while sign := self.take("+", "-"):
            other = self.product(depth)
            value = value + other if sign == "+" else value - other
        return value

    def product(self, depth: int) -> Form:
        value = self.unary(depth)
        while operator := self.take("*", "/"):
            other = self.unary(depth)
            value = value * other if operator == "*" else value * _reciprocal(other)
        return value

    def unary(self, depth: int) -> Form:
        signs = 0
        while sign := self.take("+", "-"):
            signs += sign == "-"
        value = self.power(depth)
        return -value if signs % 2 else value

    def power(self, depth: int) -> Form:
        base = self.atom(depth)
        if not self.take("**", "^"):
            return base
        if depth > MAX_DEPTH:
            raise ParseError(f"the text is nested deeper than {MAX_DEPTH} levels")
        exponent = self.unary(depth + 1)
        return _exp(exponent) if base == constant(sympy.E) else _power(base, exponent)

    def atom(self, depth: int) -> Form:
        token = self.token
        if token is None:
            raise self.error("the expression ends where a value was expected")
        if self.take("("):
            value = self.sum(depth + 1)
            self.expect(")")
            return value
        self.index += 1
        if token[0].isdigit() or token[0] == ".":
            ratio = Fraction(token)
            return constant(sympy.Rational(ratio.numerator, ratio.denominator))
        if token == "x":
            return variable()
        if token in ("pi", "E", "e"):
            return constant(sympy.pi if token == "pi" else sympy.E)
        if token in _FUNCTIONS:
            return self.call(token, depth)
        self.index -= 1
        if token in _REFUSED:
            raise NoClosedForm(f"{token} has no closed-form dual known yet")
        if token[0].isalpha() or token[0] == "_":
            known = ", ".join(sorted(_FUNCTIONS))
            raise self.error(f"unknown name {token[:30]!r} (known: x, pi, E, {known})")
        raise self.error(f"unexpected {token!r}")

    def call(self, name: str, depth: int) -> Form:
        function, least, most = _FUNCTIONS[name]
        self.expect("(")
        arguments = [self.sum(depth + 1)]
        while self.take(","):
            arguments.append(self.sum(depth + 1))
        self.expect(")")
        if not least <= len(arguments) <= most:
            raise self.error(f"{name} takes {least} argument{'s' if most > 1 else ''}, not {len(arguments)},")
        return function(*arguments)


def _constant_value(form: Form, what: str) -> Expr:
    if form.polynomial_degree not in (-1, 0):
        raise NoClosedForm(f"{what} must be a constant, not {form}")
    return form.terms[0].coefficient if form.terms else S.Zero


def _polynomial(form: Form, degree: int, what: str) -> list[Expr]:
    """Coefficients c_0..c_degree of a polynomial of at most that degree."""
    actual = form.polynomial_degree
    if actual is None or actual > degree:
        kind = {1: "linear", 2: "quadratic"}[degree]
        raise NoClosedForm(f"the argument of {what} must be {kind} in x, not {form}: no closed form known yet")
    coefficients = [S.Zero] * (degree + 1)
    for term in form.terms:
        coefficients[term.power] = term.coefficient
    return coefficients


def _exp(form: Form) -> Form:
    gamma, beta, alpha = _polynomial(form, 2, "exp")
    if bool(abs(gamma) > MAX_EXPONENT):
        raise ParseError(f"the constant {str(gamma)[:30]} in exp is beyond +-{MAX_EXPONENT}")
    return exponential(alpha, beta, gamma)


def _sin(form: Form) -> Form:
    phase, omega = _polynomial(form, 1, "sin")
    return wave(omega, phase, odd=True)


def _cos(form: Form) -> Form:
    phase, omega = _polynomial(form, 1, "cos")
    return wave(omega, phase, odd=False)


def _erf(form: Form) -> Form:
    b, a = _polynomial(form, 1, "erf")
    return error_function(a, b)


def _erfc(form: Form) -> Form:
    return constant(1) - _erf(form)


def _phi(form: Form) -> Form:
    return (constant(1) + _erf(form.scaled(1 / sympy.sqrt(2)))).scaled(S.Half)


def _sqrt(form: Form) -> Form:
    value = _constant_value(form, "the argument of sqrt")
    if value.is_nonnegative is not True:
        raise ParseError(f"sqrt of {value} is not real")
    return constant(sympy.sqrt(value))


def _hyperbolic(sign: int) -> Callable[[Form], Form]:
    return lambda form: (_exp(form) + _exp(-form).scaled(sympy.Integer(sign))).scaled(S.Half)


def _gelu(form: Form) -> Form:
    return form * _phi(form)


def _reciprocal(form: Form) -> Form:
    """1/f for a constant or a single pure exponential."""
    if not form.terms:
        raise ParseError("division by zero")
    if len(form.terms) == 1:
        term = form.terms[0]
        if term.power == 0 and term.omega == 0 and term.gate is None:
            return exponential(-term.alpha, -term.beta, S.Zero).scaled(1 / term.coefficient)
    raise NoClosedForm(f"division by {form} is outside the class; only constants and exponentials can be divided by")


def _power(base: Form, exponent: Form) -> Form:
    power = _constant_value(exponent, "an exponent")
    degree = base.polynomial_degree
    if degree in (-1, 0):
        return constant(_constant_power(base.terms[0].coefficient if base.terms else S.Zero, power))
    if not power.is_Integer:
        raise NoClosedForm(f"the power {power} of a function of x is outside the class; only whole powers are read")
    if abs(int(power)) > MAX_DEGREE:
        raise ParseError(f"the power {str(power)[:20]} is above the limit {MAX_DEGREE}")
    return base ** int(power) if power >= 0 else _reciprocal(base ** int(-power))


def _constant_power(base: Expr, power: Expr) -> Expr:
    if not power.is_Rational or abs(power.p) > 1000 or power.q > 1000:  # type: ignore[attr-defined]
        raise ParseError(f"the power {str(power)[:30]} of a constant is not a small rational number")
    if base == 0 and power <= 0 or (base.is_negative and not power.is_Integer):
        raise ParseError(f"{base}**({power}) is not a real number")
    parts = sympy.Add.make_args(base)
    bits = max((max(abs(leaf.p), leaf.q).bit_length() for leaf in base.atoms(sympy.Rational)), default=1)
    if bits * abs(power) > MAX_BITS or (len(parts) > 1 and comb(len(parts) + int(abs(power)), len(parts)) > MAX_EXPANDED):
        raise ParseError(f"the power {power} of the constant {str(base)[:30]} is too large to write out")
    return base**power


def _elu(form: Form) -> Form:
    positive = piecewise.heaviside(form)
    return form * positive + (_exp(form) - constant(1)) * (constant(1) - positive)


_FUNCTIONS: dict[str, tuple[Callable[..., Form], int, int]] = {
    "exp": (_exp, 1, 1),
    "sin": (_sin, 1, 1),
    "cos": (_cos, 1, 1),
    "erf": (_erf, 1, 1),
    "erfc": (_erfc, 1, 1),
    "sinh": (_hyperbolic(-1), 1, 1),
    "cosh": (_hyperbolic(1), 1, 1),
    "sqrt": (_sqrt, 1, 1),
    "Phi": (_phi, 1, 1),
    "gelu": (_gelu, 1, 1),
    "elu": (_elu, 1, 1),
    "gaussian": (lambda form: _exp((form * form).scaled(-S.Half)), 1, 1),
    "absolute": (piecewise.absolute, 1, 1),
    "abs": (piecewise.absolute, 1, 1),
    "Abs": (piecewise.absolute, 1, 1),
    "sign": (piecewise.sign, 1, 1),
    "Heaviside": (piecewise.heaviside, 1, 1),
    "step": (piecewise.heaviside, 1, 1),
    "relu": (lambda form: piecewise.maximum(form, constant(0)), 1, 1),
    "Max": (piecewise.maximum, 2, 16),
    "max": (piecewise.maximum, 2, 16),
    "Min": (piecewise.minimum, 2, 16),
    "min": (piecewise.minimum, 2, 16),
}
_REFUSED = {"tanh", "sigmoid", "softplus", "silu", "swish", "log", "tan", "atan", "mish", "sech", "asinh"}

__all__ = ["parse"]
