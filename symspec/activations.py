r"""Activations: exact objects with Hermite coefficients, duals, derivatives and parity.

>>> gelu = activation("x*Phi(x)")
>>> gelu.hermite_coefficient(0), gelu.parity
(1/(2*sqrt(pi)), 'none')
>>> relu.dual(sympy.Symbol("rho"))
(rho*(pi - acos(rho)) + sqrt(1 - rho**2))/(2*pi)
>>> activation("exp(x**2)")
Traceback (most recent call last):
    ...
symspec.errors.NotSquareIntegrable: exp(x**2) grows like exp(1 x^2): it is square integrable only under variances below 1/4, not 1
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol

from . import hermite_coefficients as _hermite
from .dual import Dual, at_the_end, dual
from .errors import DomainError, InputError, NoClosedForm, NotSquareIntegrable
from .exact import as_expr, exact, natural
from .form import Form, constant, error_function, exponential, step as _step, variable, wave
from .parser import Function, parse
from .strip import StripForm, lowered
from .support import Support, support_of
from .terms import MAX_DEGREE, X


@dataclass(frozen=True)
class Activation:
    """An activation of the closed class or analytic in a strip (:mod:`symspec.strip`).

    Two of the closed class are equal when they are the same function, others when they are written alike.
    """

    form: Function
    name: str = field(default="", compare=False)

    def __call__(self, x: Any = X) -> Expr:
        """The activation as a sympy expression at x."""
        return self.form.as_expr(as_expr(x) if not isinstance(x, str) else exact(x))

    def hermite_coefficient(self, n: Any) -> Expr:
        """a_n = E[sigma(Z) He_n(Z)]/sqrt(n!): exact for an integer n, a formula for a Symbol.

        Raises InputError for a negative n, NoClosedForm where no closed form is known; then
        numerics.hermite_coefficients gives the value to any number of digits.
        """
        self.require_square_integrable(S.One)
        if isinstance(self.form, StripForm):
            return _of_polynomial_part(self.form, n)
        if isinstance(n, Symbol):
            return _hermite.formula(self.form, n)
        return _hermite.coefficient(self.form, natural(n, "Hermite degree"))

    def dual(self, rho: Any = Symbol("rho", real=True), q1: Any = S.One, q2: Any = S.One) -> Expr:
        """E[sigma(u) sigma(v)] for variances q1, q2 (default 1) and correlation rho.

        Raises DomainError for a number rho outside [-1, 1] or a variance that is not positive,
        NotSquareIntegrable where the expectation is infinite.
        """
        rho = correlation(rho)
        p, q = (_variance(value) for value in (q1, q2))
        for value in (p, q):
            self.require_square_integrable(value)
        symbols = Symbol("p", positive=True), Symbol("q", positive=True)
        if p.free_symbols or q.free_symbols:
            return self.dual_object.at(rho, *symbols).subs(dict(zip(symbols, (p, q), strict=True)), simultaneous=True)
        if rho in (1, -1) and self.dual_object.needs_angle and isinstance(self.form, Form):
            return at_the_end(self.form, int(rho), p, q)
        return self.dual_object.at(rho, p, q)

    def dual_derivative(self, rho: Any = Symbol("rho", real=True)) -> Expr:
        """The dual of the derivative, d/d rho of the dual, at unit variances."""
        rho = correlation(rho)
        if rho in (1, -1) and self.derivative_dual.needs_angle and isinstance(self.form, Form):
            return at_the_end(self.form.derivative(), int(rho), S.One, S.One)
        return self.derivative_dual.at(rho)

    @cached_property
    def dual_object(self) -> Dual:
        """The dual in the engine's own symbols."""
        return dual(self.form)

    @cached_property
    def derivative_dual(self) -> Dual:
        return dual(self.form.derivative())

    @property
    def derivative(self) -> Activation:
        """The distributional derivative."""
        return Activation(self.form.derivative(), f"({self.name})'")

    @cached_property
    def support(self) -> Support:
        """Largest even and odd degree with a nonzero Hermite coefficient."""
        return support_of(self.form)

    @property
    def parity(self) -> str:
        """'even', 'odd', 'none' (or 'zero' for the zero function), decided exactly."""
        even, odd = self.support.is_even, self.support.is_odd
        return {(True, True): "zero", (True, False): "even", (False, True): "odd"}.get((even, odd), "none")

    def require_square_integrable(self, variance: Expr) -> None:
        """Raise NotSquareIntegrable unless E[sigma(u)^2] is finite for this variance."""
        growth = self.form.growth
        if isinstance(self.form, StripForm) and growth.is_positive and bool(4 * growth * variance < 1) is not True:
            raise NotSquareIntegrable(f"{self.form} is bounded by exp({growth} x^2) only, which is not shown to be square integrable under the variance {variance}")
        if isinstance(self.form, Form) and growth.is_positive and bool(4 * growth * variance >= 1) is True:
            limit = 1 / (4 * growth)
            raise NotSquareIntegrable(f"{self.form} grows like exp({growth} x^2): it is square integrable only under variances below {limit}, not {variance}")

    def latex(self) -> str:
        """LaTeX of sigma(x)."""
        from .latex import tex

        return tex(self.form.as_expr())

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def __repr__(self) -> str:
        return f"Activation({self.name or self.form})"

    __str__ = __repr__


def _of_polynomial_part(form: StripForm, n: Any) -> Expr:
    """a_n where the part of the parity of n is a polynomial, by which it is given exactly."""
    if not isinstance(n, Symbol):
        degree = natural(n, "Hermite degree")
        part = lowered(form.odd_part() if degree % 2 else form.even_part())
        if isinstance(part, Form):
            return _hermite.coefficient(part, degree)
    raise NoClosedForm(f"no closed form of the Hermite coefficients of {form} is known; numerics.hermite_coefficients gives certified values to any number of digits")


def correlation(value: Any) -> Expr:
    """A correlation: a symbol or expression, or an exact number in [-1, 1]."""
    if isinstance(value, Expr) and value.free_symbols:
        return value
    number = exact(value, "correlation rho")
    if bool(number < -1) or bool(number > 1):
        raise DomainError(f"correlation rho must lie in [-1, 1], not {value}")
    return number


def _variance(value: Any) -> Expr:
    if isinstance(value, Expr) and value.free_symbols:
        return value
    number = exact(value, "variance")
    if not bool(number > 0):
        raise DomainError(f"a variance must be positive, not {value}")
    return number


def activation(source: Any) -> Activation:
    """An activation from text, or an Activation unchanged.

    The text is a name (``relu``), a family with numbers (``leaky_relu(1/10)``, ``hermite(3)``,
    ``polynomial(1, 0, 2)``) or an expression in x (:mod:`symspec.parser`). Raises ParseError, NoClosedForm, or NotSquareIntegrable (under the standard Gaussian).
    """
    if isinstance(source, Activation):
        return source
    if isinstance(source, str) and source.strip() in NAMED:
        return NAMED[source.strip()]
    if isinstance(source, str) and (match := _CALL.fullmatch(source)) and match.group(1) in FAMILIES:
        return _of_family(match.group(1), match.group(2).split(","))
    result = Activation(parse(source), str(source).strip())
    result.require_square_integrable(S.One)
    return result


def _piecewise(name: str, below: Any, above: Any) -> Activation:
    """below(x) for x < 0 and above(x) for x > 0."""
    return Activation(below + (above - below) * _step(0), name)


relu = _piecewise("relu", constant(0), variable())
absolute = _piecewise("absolute", -variable(), variable())
step = Activation(_step(0), "step")
sign = _piecewise("sign", constant(-1), constant(1))
erf = Activation(error_function(S.One, S.Zero), "erf")
gelu = Activation(variable() * (constant(S.Half) + error_function(1 / sympy.sqrt(2), S.Zero).scaled(S.Half)), "gelu")
sin = Activation(wave(S.One, S.Zero, odd=True), "sin")
cos = Activation(wave(S.One, S.Zero, odd=False), "cos")
exp = Activation(exponential(S.Zero, S.One, S.Zero), "exp")
gaussian = Activation(exponential(-S.Half, S.Zero, S.Zero), "gaussian")
elu = _piecewise("elu", exponential(S.Zero, S.One, S.Zero) - constant(1), variable())

tanh, sigmoid, softplus, silu, mish = (Activation(parse(f"{name}(x)"), name) for name in ("tanh", "sigmoid", "softplus", "silu", "mish"))

NAMED = {a.name: a for a in (relu, absolute, step, sign, erf, gelu, sin, cos, exp, gaussian, elu, tanh, sigmoid, softplus, silu, mish)}


def leaky_relu(a: Any = Rational(1, 100)) -> Activation:
    """a min(x, 0) + max(x, 0)."""
    slope = exact(a, "slope")
    return _piecewise(f"leaky_relu({slope})", variable().scaled(slope), variable())


def monomial(n: Any) -> Activation:
    """x^n."""
    n = natural(n, "power")
    return Activation(variable() ** n, f"monomial({n})")


def rectified_monomial(n: Any) -> Activation:
    """x^n for x > 0, else 0."""
    n = natural(n, "power")
    return Activation(variable() ** n * _step(0), f"rectified_monomial({n})")


def polynomial(*coefficients: Any) -> Activation:
    """c_0 + c_1 x + c_2 x^2 + ..."""
    if not coefficients:
        raise InputError("polynomial needs at least one coefficient, the constant one first")
    values = [exact(c, "coefficient") for c in coefficients]
    form = Form()
    for power, value in enumerate(values):
        form = form + (variable() ** power).scaled(value)
    return Activation(form, f"polynomial({', '.join(map(str, values))})")


def hermite(n: Any) -> Activation:
    """The orthonormal Hermite polynomial h_n = He_n/sqrt(n!), whose unit-variance dual is rho^n."""
    n = natural(n, "Hermite degree")
    if n > MAX_DEGREE:
        raise InputError(f"Hermite degree {n} is above the limit {MAX_DEGREE}")
    value = sympy.Poly(_hermite.he(n, X), X)
    form = Form()
    for (power,), value_ in value.terms():
        form = form + (variable() ** power).scaled(value_ / sympy.sqrt(sympy.factorial(n)))
    return Activation(form, f"hermite({n})")


FAMILIES = {f.__name__: f for f in (leaky_relu, monomial, rectified_monomial, polynomial, hermite)}
_CALL = re.compile(r"\s*([a-z_]+)\s*\(([-+0-9./,eE\s]*)\)\s*", re.ASCII)


def _of_family(name: str, arguments: list[str]) -> Activation:
    if name != "polynomial" and len(arguments) != 1:
        raise InputError(f"{name} takes one number, not {len(arguments)}")
    result = FAMILIES[name](*arguments)
    result.require_square_integrable(S.One)
    return result


__all__ = ["FAMILIES", "NAMED", "Activation", "activation", "correlation"]
