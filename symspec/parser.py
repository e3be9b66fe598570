r"""A safe reader of activations written as text.

The grammar is small and its own; the text never reaches Python's evaluator::

    sum     := product (("+" | "-") product)*
    product := unary (("*" | "/") unary)*
    unary   := ("+" | "-") unary | power
    power   := atom (("**" | "^") unary)?          E**f is exp(f)
    atom    := number | "x" | "pi" | "E" | name "(" sum ("," sum)* ")" | "(" sum ")"

Functions: exp, sin, cos, erf, erfc, sqrt (of constants and of positive quadratic polynomials), abs, sign,
relu, Heaviside (or step), Max, Min, Phi (the normal distribution function), sinh, cosh, and the
names of the named activations. Decimals are exact.

The result is a member of the closed class (:mod:`symspec.form`) where it is one. Otherwise it is read as a
function analytic in a strip (:mod:`symspec.strip`): tanh, sigmoid, softplus, silu (or swish), mish, sech, atan, logarithms of and
quotients by A exp(ax) + B exp(bx), their sums, products and compositions, and products of error functions. A step cannot be
joined to those.

>>> str(parse("Max(x,0) - Max(x-1,0)"))
'x*Heaviside(x) - x*Heaviside(x - 1) + Heaviside(x - 1)'
>>> str(parse("erf(x/2)/2 + 0.5"))
'erf(x/2)/2 + 1/2'
>>> str(parse("1/(1 + exp(-x))")), str(parse("erf(x)**2"))
('tanh(x/2)/2 + 1/2', 'erf(x)**2')
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
from .strip import StripForm, composed, lifted, logarithm, logistic, lowered, rational_power, reciprocal
from .strip_functions import softplus
from .terms import MAX_BITS, MAX_DEGREE, Step

MAX_LENGTH, MAX_DEPTH, MAX_DIGITS, MAX_EXPONENT = 2000, 60, 200, 10_000
MAX_EXPANDED = 500
Function = Form | StripForm
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|\.\d+(?:[eE][+-]?\d{1,3})?)|([A-Za-z_]+\d*)|(\*\*|[-+*/^(),]))", re.ASCII)


def parse(text: str) -> Function:
    """Read an activation in the variable x.

    Raises :class:`ParseError` for text that is no expression of the grammar or is
    unreasonably large, and :class:`NoClosedForm` for an expression outside both classes.
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
    return lowered(result)


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

    def sum(self, depth: int) -> Function:
        if depth > MAX_DEPTH:
            raise ParseError(f"the text is nested deeper than {MAX_DEPTH} levels")
        value = self.product(depth)
        while sign := self.take("+", "-"):
            other = self.product(depth)
            value = value + other if sign == "+" else value - other
        return value

    def product(self, depth: int) -> Function:
        value = self.unary(depth)
        while operator := self.take("*", "/"):
            other = self.unary(depth)
            value = _times(value, other if operator == "*" else _reciprocal(other))
        return value

    def unary(self, depth: int) -> Function:
        signs = 0
        while sign := self.take("+", "-"):
            signs += sign == "-"
        value = self.power(depth)
        return -value if signs % 2 else value

    def power(self, depth: int) -> Function:
        base = self.atom(depth)
        if not self.take("**", "^"):
            return base
        if depth > MAX_DEPTH:
            raise ParseError(f"the text is nested deeper than {MAX_DEPTH} levels")
        exponent = self.unary(depth + 1)
        return _exp(exponent) if base == constant(sympy.E) else _power(base, exponent)

    def atom(self, depth: int) -> Function:
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
            raise NoClosedForm(f"{token} is not read: {_REFUSED[token]}")
        if token[0].isalpha() or token[0] == "_":
            known = ", ".join(sorted(_FUNCTIONS))
            raise self.error(f"unknown name {token[:30]!r} (known: x, pi, E, {known})")
        raise self.error(f"unexpected {token!r}")

    def call(self, name: str, depth: int) -> Function:
        function, least, most = _FUNCTIONS[name]
        self.expect("(")
        arguments = [self.sum(depth + 1)]
        while self.take(","):
            arguments.append(self.sum(depth + 1))
        self.expect(")")
        if not least <= len(arguments) <= most:
            raise self.error(f"{name} takes {least} argument{'s' if most > 1 else ''}, not {len(arguments)},")
        return function(*arguments)


def _times(a: Function, b: Function) -> Function:
    """The product: in the closed class where it is one, else of strip forms (two error functions, say)."""
    if isinstance(a, Form) and isinstance(b, Form):
        try:
            return a * b
        except NoClosedForm:
            if any(isinstance(term.gate, Step) for form in (a, b) for term in form.terms):
                raise
            return lifted(a) * lifted(b)
    return lifted(a) * lifted(b)


def _constant_value(form: Function, what: str) -> Expr:
    if form.polynomial_degree not in (-1, 0):
        raise NoClosedForm(f"{what} must be a constant, not {form}")
    form = lowered(form)
    assert isinstance(form, Form)
    return form.terms[0].coefficient if form.terms else S.Zero


def _polynomial(form: Function, degree: int) -> list[Expr] | None:
    """Coefficients c_0..c_degree of a polynomial of at most that degree, None for anything else."""
    actual = form.polynomial_degree
    if actual is None or actual > degree:
        return None
    form = lowered(form)
    assert isinstance(form, Form)
    coefficients = [S.Zero] * (degree + 1)
    for term in form.terms:
        coefficients[term.power] = term.coefficient
    return coefficients


def _of_polynomial(head: Callable[[Expr], Expr], degree: int, closed: Callable[..., Form]) -> Callable[[Function], Function]:
    """A function that is in the closed class for polynomial arguments up to a degree, and composed for others."""

    def read(form: Function) -> Function:
        coefficients = _polynomial(form, degree)
        return composed(head, form) if coefficients is None else closed(*coefficients)

    return read


def _closed_exp(gamma: Expr, beta: Expr, alpha: Expr) -> Form:
    if bool(abs(gamma) > MAX_EXPONENT):
        raise ParseError(f"the constant {str(gamma)[:30]} in exp is beyond +-{MAX_EXPONENT}")
    return exponential(alpha, beta, gamma)


_exp = _of_polynomial(sympy.exp, 2, _closed_exp)
_sin = _of_polynomial(sympy.sin, 1, lambda phase, omega: wave(omega, phase, odd=True))
_cos = _of_polynomial(sympy.cos, 1, lambda phase, omega: wave(omega, phase, odd=False))
_erf = _of_polynomial(sympy.erf, 1, lambda b, a: error_function(a, b))


def _strip(head: Callable[[Expr], Expr]) -> Callable[[Function], Function]:
    """A function of :mod:`symspec.strip`, constant where its argument is."""

    def read(form: Function) -> Function:
        return constant(head(_constant_value(form, ""))) if form.polynomial_degree in (-1, 0) else composed(head, form)

    return read


def _erfc(form: Function) -> Function:
    return constant(1) - _erf(form)


def _phi(form: Function) -> Function:
    return (constant(1) + _erf(form.scaled(1 / sympy.sqrt(2)))).scaled(S.Half)


def _sqrt(form: Function) -> Function:
    if (root := rational_power(form, S.Half)) is not None:
        return root
    value = _constant_value(form, "the argument of sqrt")
    if value.is_nonnegative is not True:
        raise ParseError(f"sqrt of {value} is not real")
    return constant(sympy.sqrt(value))


def _log(form: Function) -> Function:
    if (found := logarithm(form)) is not None:
        return found
    if form.polynomial_degree in (-1, 0):
        value = _constant_value(form, "the argument of log")
        if value.is_positive is not True:
            raise ParseError(f"log of {value} is not real")
        return constant(sympy.log(value))
    raise NoClosedForm(f"log is read of A exp(ax) + B exp(bx) with positive A and B, such as log(1 + exp(x)), not of {form}")


def _hyperbolic(sign: int) -> Callable[[Function], Function]:
    return lambda form: (_exp(form) + _exp(-form).scaled(sympy.Integer(sign))).scaled(S.Half)


def _gelu(form: Function) -> Function:
    return _times(form, _phi(form))


def _silu(form: Function) -> Function:
    return _times(form, _strip(logistic)(form))


def _mish(form: Function) -> Function:
    return _times(form, _strip(lambda u: sympy.tanh(softplus(u)))(form))


def _reciprocal(form: Function) -> Function:
    """1/f for a constant, a single pure exponential, or what :func:`symspec.strip.reciprocal` inverts."""
    form = lowered(form)
    if isinstance(form, Form) and not form.terms:
        raise ParseError("division by zero")
    if isinstance(form, Form) and len(form.terms) == 1:
        term = form.terms[0]
        if term.power == 0 and term.omega == 0 and term.gate is None:
            return exponential(-term.alpha, -term.beta, S.Zero).scaled(1 / term.coefficient)
    if (found := reciprocal(form)) is not None:
        return found
    raise NoClosedForm(
        f"division by {form} is outside the class; what can be divided by are constants, exponentials, A exp(ax) + B exp(bx) with positive A and B, and quadratic polynomials without a real root"
    )


def _power(base: Function, exponent: Function) -> Function:
    power = _constant_value(exponent, "an exponent")
    if base.polynomial_degree in (-1, 0):
        return constant(_constant_power(_constant_value(base, "the base"), power))
    if power.is_Rational and not power.is_Integer and abs(power) <= MAX_DEGREE and (found := rational_power(base, power)) is not None:
        return found
    if not power.is_Integer:
        raise NoClosedForm(f"the power {power} of a function of x is outside the class; only whole powers are read, and others of positive quadratic polynomials")
    if abs(int(power)) > MAX_DEGREE:
        raise ParseError(f"the power {str(power)[:20]} is above the limit {MAX_DEGREE}")
    return _whole_power(base, int(power)) if power >= 0 else _reciprocal_power(base, -int(power))


def _whole_power(base: Function, power: int) -> Function:
    try:
        return base**power
    except NoClosedForm:
        return lifted(base) ** power


def _reciprocal_power(base: Function, power: int) -> Function:
    try:
        return _reciprocal(_whole_power(base, power))
    except NoClosedForm:
        return _whole_power(_reciprocal(base), power)


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


def _piecewise(function: Callable[..., Form]) -> Callable[..., Function]:
    """A function with kinks, of the closed class only."""

    def read(*forms: Function) -> Function:
        closed = [lowered(form) for form in forms]
        if any(isinstance(form, StripForm) for form in closed):
            raise NoClosedForm("steps, abs, sign, Max and Min are read of members of the closed class (polynomials and the like), not of tanh and its like")
        return function(*closed)

    return read


def _elu(form: Form) -> Form:
    positive = piecewise.heaviside(form)
    falling = _exp(form)
    assert isinstance(falling, Form)
    return form * positive + (falling - constant(1)) * (constant(1) - positive)


_absolute, _heaviside = _piecewise(piecewise.absolute), _piecewise(piecewise.heaviside)
_maximum, _minimum = _piecewise(piecewise.maximum), _piecewise(piecewise.minimum)
_FUNCTIONS: dict[str, tuple[Callable[..., Function], int, int]] = {
    "exp": (_exp, 1, 1),
    "sin": (_sin, 1, 1),
    "cos": (_cos, 1, 1),
    "erf": (_erf, 1, 1),
    "erfc": (_erfc, 1, 1),
    "sinh": (_hyperbolic(-1), 1, 1),
    "cosh": (_hyperbolic(1), 1, 1),
    "sqrt": (_sqrt, 1, 1),
    "log": (_log, 1, 1),
    "Phi": (_phi, 1, 1),
    "gelu": (_gelu, 1, 1),
    "elu": (_piecewise(_elu), 1, 1),
    "gaussian": (lambda form: _exp(_times(form, form).scaled(-S.Half)), 1, 1),
    "absolute": (_absolute, 1, 1),
    "abs": (_absolute, 1, 1),
    "Abs": (_absolute, 1, 1),
    "sign": (_piecewise(piecewise.sign), 1, 1),
    "Heaviside": (_heaviside, 1, 1),
    "step": (_heaviside, 1, 1),
    "relu": (_piecewise(lambda form: piecewise.maximum(form, constant(0))), 1, 1),
    "Max": (_maximum, 2, 16),
    "max": (_maximum, 2, 16),
    "Min": (_minimum, 2, 16),
    "min": (_minimum, 2, 16),
    "tanh": (_strip(sympy.tanh), 1, 1),
    "sech": (_strip(sympy.sech), 1, 1),
    "sigmoid": (_strip(logistic), 1, 1),
    "softplus": (_strip(softplus), 1, 1),
    "silu": (_silu, 1, 1),
    "swish": (_silu, 1, 1),
    "mish": (_mish, 1, 1),
    "atan": (_strip(sympy.atan), 1, 1),
}
_POLES = "it has poles on the real line, or none of the classes holds it"
_REFUSED = {"tan": _POLES, "cot": _POLES, "coth": _POLES, "asinh": "write log of exponentials, or sqrt(1 + x**2), where they serve"}

__all__ = ["Function", "parse"]
