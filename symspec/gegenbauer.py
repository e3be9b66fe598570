r"""Gegenbauer polynomials of a dimension, and the exact eigenvalues of monomials and powers.

:math:`P_k` is the Gegenbauer polynomial of dimension d with :math:`P_k(1)=1`
(:math:`C_k^{(d-2)/2}` normalised; Chebyshev for d = 2, Legendre for d = 3):

.. math:: P_{k+1}=\frac{(2k+d-2)\,t\,P_k-k\,P_{k-1}}{k+d-2},\qquad
          N(d,k)=\frac{2k+d-2}{k}\binom{k+d-3}{d-2}.

Funk-Hecke and Rodrigues give :math:`\mu_k(t^p)` in closed form, and for
:math:`y=(1-t)/2` the *endpoint blocks*
:math:`\mu_k(y^\nu)=\frac{(-\nu)_k}{(\nu+d-1)_k}\frac{\Gamma(d-1)\Gamma(\nu+(d-1)/2)}{\Gamma((d-1)/2)\Gamma(\nu+d-1)}`,
from which every power singularity at t = 1 gets its exact spectrum.

>>> from sympy import Rational
>>> polynomial(3, 2), multiplicity(3, 2), monomial_eigenvalue(3, 4, 2)
(3*t**2/2 - 1/2, 5, 4/35)
>>> endpoint_block(3, Rational(1, 2), 1)
-2/15
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, S, Symbol, gamma, pi, rf, sqrt

from .exact import as_expr

T = Symbol("t", real=True)


@lru_cache(maxsize=1024)
def polynomial(d: Any, k: int) -> Expr:
    """P_k(t) with exact coefficients; d an integer >= 2 or a symbol."""
    d = as_expr(d)
    before, now = S.One, T
    if k == 0:
        return before
    for j in range(1, k):
        before, now = now, sympy.expand(sympy.cancel(((2 * j + d - 2) * T * now - j * before) / (j + d - 2)))
    return now


def multiplicity(d: Any, k: Any) -> Expr:
    """N(d, k); symbols allowed (the formula for k >= 1 and d >= 3 in a symbol)."""
    d, k = as_expr(d), as_expr(k)
    if k == 0:
        return S.One
    if d == 2:
        return S(2)
    value = (2 * k + d - 2) * gamma(k + d - 2) / (gamma(k + 1) * gamma(d - 1))
    return sympy.gammasimp(value) if value.free_symbols else sympy.simplify(value)


def monomial_eigenvalue(d: Any, p: Any, k: Any) -> Expr:
    """mu_k(t^p) on S^{d-1}: zero unless p >= k of the same parity (decided for integers)."""
    d, p, k = as_expr(d), as_expr(p), as_expr(k)
    if (p - k).is_Integer and (p - k < 0 or (p - k) % 2):
        return S.Zero
    value = gamma(d / 2) * gamma(p + 1) * gamma((p - k + 1) / 2) / (sqrt(pi) * 2**k * gamma(p - k + 1) * gamma((p + k + d) / 2))
    return sympy.gammasimp(value)


def endpoint_block(d: Any, nu: Any, k: Any) -> Expr:
    """mu_k(((1-t)/2)^nu) on S^{d-1}; at t = -1 multiply by (-1)^k."""
    d, nu, k = as_expr(d), as_expr(nu), as_expr(k)
    scale = gamma(d - 1) * gamma(nu + (d - 1) / 2) / (gamma((d - 1) / 2) * gamma(nu + d - 1))
    return sympy.gammasimp(rf(-nu, k) / rf(nu + d - 1, k) * scale)


def asymptotic_factor(d: Any, nu: Any) -> Expr:
    r"""C(d, nu) with :math:`\mu_k((1-t)^\nu)\sim C(d,\nu)k^{-d-2\nu+1}` for non-integer nu."""
    d, nu = as_expr(d), as_expr(nu)
    return sympy.gammasimp(2 ** (nu + d - 2) * gamma(d / 2) * gamma(nu + (d - 1) / 2) / (sqrt(pi) * gamma(-nu)))


def times_t(d: Any, k: Any, below: Expr, above: Expr) -> Expr:
    """mu_k(t f) from mu_{k-1}(f) and mu_{k+1}(f)."""
    d, k = as_expr(d), as_expr(k)
    return (k * below + (k + d - 2) * above) / (2 * k + d - 2)


def square_linearisation(k: int, d: int) -> tuple[Fraction, ...]:
    """c_0, ..., c_k with P_k(t)^2 = sum_j c_j P_{2j}(t) in dimension d; they are >= 0 and add up to 1.

    Dougall's formula (DLMF 18.18.22) with lambda = (d-2)/2, renormalised; for d = 2 cos^2 = (1 + cos 2)/2.
    """
    if k == 0:
        return (Fraction(1),)
    if d == 2:
        return (Fraction(1, 2), *[Fraction(0)] * (k - 1), Fraction(1, 2))
    rate = Fraction(d - 2, 2)

    def rising(a: Fraction, upto: int) -> list[Fraction]:
        values = [Fraction(1)]
        for i in range(upto):
            values.append(values[-1] * (a + i))
        return values

    single, double, factorial = rising(rate, 2 * k), rising(2 * rate, 2 * k), rising(Fraction(1), 2 * k)
    scale = (factorial[k] / double[k]) ** 2
    terms = []
    for j in range(k + 1):
        s = k - j
        share = (2 * j + rate) / (k + j + rate) / (factorial[s] * factorial[j] ** 2)
        terms.append(scale * share * single[s] * single[j] ** 2 * double[k + j] / single[k + j])
    return tuple(terms)
