r"""The functions that analytic activations add to the elementary ones: softplus, and duals given by their series.

``softplus(x)``
    :math:`\log(1+e^x)`, analytic for :math:`|\mathrm{Im}\,x|<\pi`. :math:`\mathrm{softplus}(-x)=\mathrm{softplus}(x)-x`
    is applied at once where the argument carries a minus sign, so that parity is decided by expansion.

``SeriesDual(sigma, m, p, q, c)``
    :math:`E[\sigma^{(m)}(u)\sigma^{(m)}(v)]` for a centred Gaussian pair of variances p, q and covariance c. It is
    what stands for a dual without a closed form. By Mehler's formula, with the Hermite coefficients
    :math:`a_n(q)=E[\sigma(\sqrt qZ)h_n(Z)]` of the rescaled activation,

    .. math:: \hat\sigma(c)=\sum_{n\ge0}a_n(p)\,a_n(q)\Bigl(\frac c{\sqrt{pq}}\Bigr)^n,\qquad
              \frac{\partial^m\hat\sigma}{\partial c^m}=E[\sigma^{(m)}(u)\sigma^{(m)}(v)],

    so the derivative in c raises m by one. ``sigma`` is a :class:`Profile`: the function of x as one atom, so that
    nothing that rewrites the dual rewrites the activation in it. Proved values are the business of :mod:`numerics.dual_series`; ``evalf`` sums the series in mpmath, without a proof.

>>> from sympy import Rational, diff, tanh
>>> from symspec.terms import X as x
>>> c = sympy.Symbol("c", real=True)
>>> softplus(-x), softplus(0)
(-x + softplus(x), log(2))
>>> value = SeriesDual(Profile(tanh(x)), 0, 1, 1, c)
>>> value, diff(value, c)
(dual[tanh(x)](c), dual'[tanh(x)](c))
>>> print(value.subs(c, Rational(1, 2)).evalf(15))
0.186324413203448
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mpmath
import sympy
from sympy import AtomicExpr, Expr, Function, S, exp, log, tanh

from .errors import NoClosedForm
from .terms import X

EVALF_GUARD = 16


class softplus(Function):
    """log(1 + e^x); see the module docstring."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Any:
        if x is S.Zero:
            return log(2)
        if x.could_extract_minus_sign():
            return cls(-x) + x
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        return (1 + tanh(self.args[0] / 2)) / 2

    def _eval_evalf(self, prec: int) -> Expr:
        return log(1 + exp(self.args[0]))._eval_evalf(prec)

    def _eval_is_extended_real(self) -> Any:
        return self.args[0].is_extended_real

    def _eval_is_positive(self) -> Any:
        return self.args[0].is_extended_real

    def _latex(self, printer: Any, exp: Any = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\log{power}\left(1 + e^{{{printer._print(self.args[0])}}}\right)"


class Profile(AtomicExpr):
    """A function of x as an atom of expressions; ``function`` is its expression."""

    __slots__ = ("function",)
    function: Expr
    is_number = True
    is_commutative = True

    def __new__(cls, function: Expr) -> Profile:
        self = super().__new__(cls)
        self.function = function
        return self

    def _hashable_content(self) -> tuple[Expr, ...]:
        return (self.function,)

    def __getnewargs__(self) -> tuple[Expr, ...]:
        return (self.function,)

    def derivative(self, order: int) -> Expr:
        """The expression of the derivative of that order."""
        return sympy.diff(self.function, X, order) if order else self.function

    def _sympystr(self, printer: Any) -> str:
        return printer._print(self.function)

    def _latex(self, printer: Any) -> str:
        return printer._print(self.function)


@dataclass(frozen=True)
class DualOf:
    """Which dual an operation of a program stands for: that of the ``order``-th derivative of a function."""

    profile: Profile
    order: int


class SeriesDual(Function):
    """E[sigma^(m)(u) sigma^(m)(v)]; see the module docstring. ``SeriesDual(sigma, m, p, q, c)``."""

    nargs = 5

    @classmethod
    def eval(cls, sigma: Any, order: Any, p: Any, q: Any, c: Any) -> Any:
        if not isinstance(sigma, Profile) or not (order.is_Integer and order >= 0):
            raise NoClosedForm("a series dual is that of a Profile and a whole order of the derivative")

    def fdiff(self, argindex: int = 5) -> Expr:
        if argindex != 5:
            raise NoClosedForm("the derivative of this dual in a variance is not in the class")
        sigma, order, p, q, c = self.args
        return SeriesDual(sigma, order + 1, p, q, c)

    @property
    def is_second_moment(self) -> bool:
        """Whether this is E sigma^(m)(u)^2."""
        _, _, p, q, c = self.args
        return bool(p == q == c)

    def _eval_is_extended_real(self) -> bool:
        return True

    def _eval_is_finite(self) -> bool:
        return True

    def _eval_is_positive(self) -> Any:
        return True if self.is_second_moment else None

    def _eval_evalf(self, prec: int) -> Expr | None:
        sigma, order, *rest = self.args
        try:
            with mpmath.workprec(prec + EVALF_GUARD):
                p, q, c = (argument.evalf(mpmath.mp.dps)._to_mpmath(prec + EVALF_GUARD) for argument in rest)
                value = _plain_value(sigma, int(order), p, q, c)
        except (ValueError, AttributeError, TypeError):
            return None
        return sympy.Float._new(value._mpf_, prec)

    def _sympystr(self, printer: Any) -> str:
        sigma, order, p, q, c = self.args
        primes = "'" * int(order) if order < 4 else f"^({order})"
        variances = "" if p == q == 1 else f"; {printer._print(q)}" if p == q else f"; {printer._print(p)}, {printer._print(q)}"
        return f"dual{primes}[{printer._print(sigma)}]({printer._print(c)}{variances})"

    def _latex(self, printer: Any, exp: Any = None) -> str:
        _, order, p, q, c = self.args
        primes = "'" * int(order) if order < 4 else f"^{{({order})}}"
        index = "" if p == q == 1 else f"_{{{printer._print(q)}}}" if p == q else f"_{{{printer._print(p)},{printer._print(q)}}}"
        body = rf"\widehat{{\sigma{primes}}}{index}"
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{body}{power}\left({printer._print(c)}\right)"


def series_duals(expr: Expr) -> set[SeriesDual]:
    """The duals given by a series that an expression holds."""
    return expr.atoms(SeriesDual)


def _plain_value(sigma: Profile, order: int, p: Any, q: Any, c: Any) -> Any:
    """The expectation by the trapezoidal rule in mpmath at the working precision, no bound claimed."""
    if order:
        sigma = Profile(sigma.derivative(order))
    root_p, root_q = mpmath.sqrt(p), mpmath.sqrt(q)
    if mpmath.almosteq(c, root_p * root_q):
        nodes = _nodes(sigma, q, max(p, q))
        return mpmath.fsum(f * g * weight for (_, f, weight), (_, g, _) in zip(nodes, nodes if p == q else _nodes(sigma, p, max(p, q)), strict=True))
    first = _plain_coefficients(sigma, p, max(p, q), mpmath.mp.prec)
    second = first if p == q else _plain_coefficients(sigma, q, max(p, q), mpmath.mp.prec)
    rho = c / (root_p * root_q)
    return mpmath.fsum(a * b * rho**n for n, (a, b) in enumerate(zip(first, second, strict=True)))


def _nodes(sigma: Profile, q: Any, widest: Any) -> list[tuple[Any, Any, Any]]:
    """(x, sigma(sqrt(q) x), weight) of the rule, its step fit for functions like tanh up to the variance ``widest``."""
    f = sympy.lambdify(X, sigma.function, [{"softplus": _softplus}, "mpmath"])
    bits = mpmath.mp.prec
    step, top, root = 5 / (bits * mpmath.sqrt(1 + widest)), mpmath.sqrt(3 * bits), mpmath.sqrt(q)
    return [(x, f(root * x), mpmath.npdf(x) * step) for x in (step * j for j in range(int(-top / step), int(top / step) + 1))]


@lru_cache(maxsize=16)
def _plain_coefficients(sigma: Profile, q: Any, widest: Any, bits: int) -> list[Any]:
    count = min(4000, int(bits * bits * (1 + widest) / 36) + 2 * bits)
    factors = [(1 / mpmath.sqrt(n + 1), mpmath.sqrt(mpmath.mpf(n) / (n + 1))) for n in range(count)]
    sums = [mpmath.mpf(0)] * count
    for x, value, weight in _nodes(sigma, q, widest):
        before, now = mpmath.mpf(0), value * weight
        for n, (up, down) in enumerate(factors):
            sums[n] += now
            before, now = now, up * x * now - down * before
    return sums


def _softplus(x: Any) -> Any:
    return mpmath.log1p(mpmath.exp(x)) if x < 0 else x + mpmath.log1p(mpmath.exp(-x))


__all__ = ["DualOf", "Profile", "SeriesDual", "series_duals", "softplus"]
