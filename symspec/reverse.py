r"""From a kernel back to an activation.

By Mehler's formula a network of one hidden layer with unit variances has the conjugate kernel :math:`\sum a_n^2\rho^n` and, without
biases, the tangent kernel :math:`\hat\sigma+\rho\,\hat\sigma'=\sum(1+n)a_n^2\rho^n`, where :math:`a_n` are the orthonormal Hermite
coefficients of the activation. So every :math:`\sum b_n\rho^n`, :math:`b_n\ge0`, is a conjugate kernel, that of
:math:`\sum\pm\sqrt{b_n}\,h_n`, and a tangent kernel, that of :math:`\sum\pm\sqrt{b_n/(1+n)}\,h_n` (Simon, Anand and DeWeese, arXiv 2106.03186),
for any choice of the signs.

>>> sigma = activation_from_kernel([0, "1/2", 0, "1/2"])
>>> sigma.dual(sympy.Symbol("rho", real=True))
rho*(rho**2 + 1)/2
>>> n = sympy.Symbol("n", integer=True, nonnegative=True)
>>> activation_from_kernel(1 / sympy.factorial(n), signs=lambda k: -1).hermite_coefficient(4)
-sqrt(6)/12
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Symbol

from .activations import Activation, hermite
from .errors import InputError, NoClosedForm
from .exact import exact, natural
from .form import Form
from .kernel import Kernel

KINDS = ("ck", "ntk")
MAX_TERMS = 256
CHECKED_DEGREES = 64
Signs = Callable[[int], int] | Sequence[int] | None


@dataclass(frozen=True)
class HermiteSeries:
    """An activation known by its orthonormal Hermite coefficients, sign(n) sqrt(square(n)); no closed form of it is claimed."""

    square: Expr
    symbol: Symbol
    signs: Signs = None

    def hermite_coefficient(self, n: Any) -> Expr:
        """The exact a_n for a number n. InputError where its square would be negative."""
        degree = natural(n, "Hermite degree")
        value = sympy.simplify(self.square.subs(self.symbol, degree))
        return _sign(self.signs, degree) * sympy.sqrt(_checked(value, degree))

    def truncated(self, degree: Any) -> Activation:
        """The polynomial of the coefficients up to a degree."""
        return _polynomial([self.hermite_coefficient(k) for k in range(natural(degree, "degree") + 1)])


def activation_from_kernel(source: Any, kind: str = "ck", signs: Signs = None) -> Activation | HermiteSeries:
    """An activation whose network of depth 1 has the kernel :math:`\\sum b_n\\rho^n`, exactly.

    ``source`` is the list b_0, b_1, ... of exact numbers >= 0, a polynomial kernel, or a formula for b_n in one symbol. ``kind`` "ck"
    makes it the conjugate kernel, that is ``ss.mlp(a, 1, sigma_w2=1).ck``, "ntk" the tangent kernel ``ss.mlp(a, 1, sigma_w2=1).ntk``; in the
    normalised recursion both are divided by E sigma^2, the sum of the a_n^2. ``signs`` gives +1 or -1 for each degree (default +1).
    A list gives a polynomial activation, a formula a :class:`HermiteSeries`.

    Raises InputError for a negative coefficient, with its degree, for signs other than +-1, and where all coefficients vanish.
    """
    if kind not in KINDS:
        raise InputError(f"kind is 'ck' or 'ntk', not {kind!r}")
    if isinstance(source, Expr) and source.free_symbols:
        return _of_formula(source, kind, signs)
    values = _coefficients(source)
    if not any(value != 0 for value in values):
        raise InputError("all coefficients are 0: the zero activation has no kernel")
    weights = [value / (1 + n) if kind == "ntk" else value for n, value in enumerate(values)]
    return _polynomial([_sign(signs, n) * sympy.sqrt(_checked(value, n)) if value != 0 else value for n, value in enumerate(weights)])


def _of_formula(source: Expr, kind: str, signs: Signs) -> HermiteSeries:
    if len(source.free_symbols) != 1:
        raise InputError("a formula for b_n has one symbol, the degree")
    symbol = next(iter(source.free_symbols))
    series = HermiteSeries(source / (1 + symbol) if kind == "ntk" else source, symbol, signs)
    for n in range(CHECKED_DEGREES):
        series.hermite_coefficient(n)
    return series


def _coefficients(source: Any) -> list[Expr]:
    if isinstance(source, Kernel):
        if source.polynomial is None:
            raise NoClosedForm(f"{source} is not seen to be a polynomial; give its coefficients as a formula in n")
        return [source.polynomial.coeff_monomial(source.polynomial.gen**n) for n in range(source.polynomial.degree() + 1)]
    values = [exact(value, f"coefficient of degree {n}") for n, value in enumerate(source)]
    if len(values) > MAX_TERMS:
        raise InputError(f"{len(values)} coefficients are more than {MAX_TERMS}; give a formula in n")
    return values


def _checked(value: Expr, degree: int) -> Expr:
    if value.is_nonnegative is not True:
        raise InputError(f"the coefficient of degree {degree} is {value}: a kernel of a network has none below 0")
    return value


def _sign(signs: Signs, degree: int) -> int:
    if signs is None:
        return 1
    value = signs(degree) if callable(signs) else signs[degree] if degree < len(signs) else None
    if value not in (1, -1):
        raise InputError(f"the sign of degree {degree} must be 1 or -1, not {value!r}")
    return int(value)


def _polynomial(coefficients: Sequence[Expr]) -> Activation:
    form = Form()
    for n, value in enumerate(coefficients):
        if value != 0:
            form = form + hermite(n).form.scaled(value)  # type: ignore[operator, assignment]
    return Activation(form, "")


__all__ = ["HermiteSeries", "activation_from_kernel"]
