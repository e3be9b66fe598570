r"""The closed class of activations, as exact data.

A :class:`Form` is a finite sum of :class:`symspec.terms.Term`:

.. math:: c\,x^m\,e^{\alpha x^2+\beta x}\,\{1,\cos\omega x,\sin\omega x\}\,g(x),

with exact constants and at most one *gate* g: a step :math:`1[x>b]`, an error function
:math:`\mathrm{erf}(ax+b)` or, in derivatives only, a delta :math:`\delta(x-b)`. Distinct keys
(m, alpha, beta, omega, gate) are linearly independent functions, so the form is canonical:
a form is zero, a polynomial, even or odd exactly when its terms say so.

The class is closed under sums, under multiplication as long as one gate is left (a product of
two steps is a step), under differentiation, and under :math:`x\to-x`. A product that needs two
gates, such as :math:`\mathrm{erf}(x)^2`, has no known closed form for its dual and is refused.

>>> x = variable()
>>> relu = x * step(0)
>>> str(relu * relu), str(relu - relu)
('x**2*Heaviside(x)', '0')
>>> (x * relu).reflected() == (x * x - x * relu)
True
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import sympy
from sympy import Expr, S, cos, erf, exp, sin

from .errors import ExpressionTooLarge
from .exact import as_expr
from .terms import Delta, Erf, Step, Term, X, canonical, differentiate, order, product, reflect, rescale, unified

# Products beyond this size come from hostile or hopeless input, never from an activation.
MAX_PRODUCTS = 40_000


@dataclass(frozen=True)
class Form:
    """A finite sum of terms with distinct keys; see the module docstring."""

    terms: tuple[Term, ...] = field(default=())

    @staticmethod
    def of(terms: list[Term]) -> Form:
        """Collect like terms and drop those whose coefficient is exactly zero."""
        sums: dict[Term, Expr] = {}
        for term in unified(terms):
            sums[term.key] = sums.get(term.key, S.Zero) + term.coefficient
        kept = [replace(key, coefficient=value) for key, raw in sums.items() if (value := canonical(raw)) != 0]
        return Form(tuple(sorted(kept, key=order)))

    def __add__(self, other: Form) -> Form:
        if not isinstance(other, Form):
            return NotImplemented
        return Form.of([*self.terms, *other.terms])

    def __neg__(self) -> Form:
        return self.scaled(S.NegativeOne)

    def __sub__(self, other: Form) -> Form:
        return self + -other

    def __mul__(self, other: Form) -> Form:
        if not isinstance(other, Form):
            return NotImplemented
        if len(self.terms) * len(other.terms) > MAX_PRODUCTS:
            raise ExpressionTooLarge(f"a product of {len(self.terms)} by {len(other.terms)} terms is more than is expanded ({MAX_PRODUCTS})")
        return Form.of([part for a in self.terms for b in other.terms for part in product(a, b)])

    def __pow__(self, n: int) -> Form:
        result = constant(S.One)
        for digit in bin(n)[2:]:
            result = result * result
            if digit == "1":
                result = result * self
        return result

    def scaled(self, factor: Expr) -> Form:
        """The form times an exact constant."""
        return Form.of([replace(term, coefficient=term.coefficient * factor) for term in self.terms])

    def reflected(self) -> Form:
        """x -> -x."""
        return Form.of([part for term in self.terms for part in reflect(term)])

    def rescaled(self, s: Expr) -> Form:
        """x -> s x for s > 0."""
        return self if s == 1 else Form.of([rescale(term, s) for term in self.terms])

    def even_part(self) -> Form:
        return (self + self.reflected()).scaled(S.Half)

    def odd_part(self) -> Form:
        return (self - self.reflected()).scaled(S.Half)

    def derivative(self, *, deltas: bool = True) -> Form:
        """The distributional derivative, or the classical one where ``deltas`` is false."""
        return Form.of([part for term in self.terms for part in differentiate(term, deltas=deltas)])

    @property
    def polynomial_degree(self) -> int | None:
        """Degree of a polynomial (-1 for zero); None if the form is no polynomial."""
        if any(t.gate or not t.is_polynomial_piece for t in self.terms):
            return None
        return max((t.power for t in self.terms), default=-1)

    @property
    def is_piecewise_polynomial(self) -> bool:
        return all(t.is_polynomial_piece for t in self.terms)

    @property
    def jumps(self) -> dict[Expr, Expr]:
        """Location and height of every jump (never zero)."""
        heights: dict[Expr, Expr] = {}
        for term in self.terms:
            if isinstance(term.gate, Step):
                heights[term.gate.b] = heights.get(term.gate.b, S.Zero) + term.smooth_value(term.gate.b)
        return {b: value for b, raw in heights.items() if (value := canonical(raw)) != 0}

    @property
    def breakpoints(self) -> tuple[Expr, ...]:
        """Where the form is not analytic, ascending."""
        return tuple(sorted({t.gate.b for t in self.terms if isinstance(t.gate, (Step, Delta))}))

    @property
    def growth(self) -> Expr:
        """The largest alpha of any term: square integrable under N(0, q) iff below 1/(4q)."""
        return sympy.Max(*(t.alpha for t in self.terms)) if self.terms else S.Zero

    def as_expr(self, x: Expr = X) -> Expr:
        """The form as a sympy expression in x."""
        return sympy.Add(*(t.as_expr(x) for t in self.terms))

    def __str__(self) -> str:
        return str(self.as_expr())


def constant(value: Any) -> Form:
    return Form.of([Term(as_expr(value))])


def variable() -> Form:
    """The identity x."""
    return Form((Term(power=1),))


def step(b: Any = 0) -> Form:
    """1[x > b]."""
    return Form((Term(gate=Step(as_expr(b))),))


def error_function(a: Expr, b: Expr) -> Form:
    """erf(a x + b) for real a, b."""
    if a == 0:
        return constant(erf(b))
    if a.is_negative:
        return -error_function(-a, -b)
    return Form((Term(gate=Erf(a, b)),))


def exponential(alpha: Expr, beta: Expr, gamma: Expr) -> Form:
    """exp(alpha x^2 + beta x + gamma)."""
    return Form((Term(exp(gamma), alpha=alpha, beta=beta),))


def wave(omega: Expr, phase: Expr, *, odd: bool) -> Form:
    """sin(omega x + phase) where ``odd``, else cos(omega x + phase)."""
    if omega == 0:
        return constant((sin if odd else cos)(phase))
    if omega.is_negative:
        return wave(-omega, -phase, odd=odd).scaled(S.NegativeOne if odd else S.One)
    cosine, sine = Term(omega=omega), Term(omega=omega, odd_wave=True)
    if odd:
        return Form.of([replace(sine, coefficient=cos(phase)), replace(cosine, coefficient=sin(phase))])
    return Form.of([replace(cosine, coefficient=cos(phase)), replace(sine, coefficient=-sin(phase))])
