r"""Krawtchouk polynomials and exact eigenvalues of monomials on the boolean cube.

For inputs x, y on {-1, 1}^d at Hamming distance r, t = <x, y>/d = 1 - 2r/d, the average of
:math:`(xy)^S` over all S of size k is the zonal polynomial of degree k,

.. math:: \varphi_k(r)=\frac{K_k(r)}{\binom dk},\qquad \sum_kK_k(r)z^k=(1-z)^r(1+z)^{d-r},
          \qquad t\varphi_k=\tfrac kd\varphi_{k-1}+\tfrac{d-k}d\varphi_{k+1}

(MacWilliams and Sloane 1977, chapter 5). The recurrence is one line: :math:`d\,t\,x^S=\sum_ix_ix^S`, in which
k factors fall out of S and d - k enter it. Read for the functional :math:`\mu_k(f)=E[f(t)\varphi_k]` it says

.. math:: m_{n,k}=k\,m_{n-1,k-1}+(d-k)\,m_{n-1,k+1},\qquad \mu_k(t^n)=d^{-n}m_{n,k},\quad m_{0,k}=[k=0],

integers, polynomials in d, positive exactly for k <= n of the same parity (and k <= d). They are
:math:`m_{n,k}=n!\,[z^n]\sinh^kz\cosh^{d-k}z` (Yang and Salman 2019), since
:math:`E[e^{z\,d\,t}x^S]=\sinh^kz\,\cosh^{d-k}z` factor by factor.

>>> from sympy import Symbol
>>> d = Symbol("d", positive=True)
>>> monomial_eigenvalue(7, 3, 1), sympy.factor(monomial_eigenvalue(d, 3, 1)), monomial_eigenvalue(d, 3, 3)
(19/343, (3*d - 2)/d**3, 6/d**3)
>>> exponential_eigenvalue(2, 7, 1)
sinh(2/7)*cosh(2/7)**6
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Any

import sympy
from sympy import Expr, S, Symbol

from .exact import as_expr


@lru_cache(maxsize=32)
def _triangle(d: Any, rows: int) -> tuple[tuple[Any, ...], ...]:
    """m_{n,k} for n < rows, k <= n; ints, or polynomials in a symbol d."""
    one: Any = 1 if isinstance(d, int) else sympy.Poly(1, d)
    size: Any = d if isinstance(d, int) else sympy.Poly(d, d)
    before, found = [one], [(one,)]
    for n in range(1, rows):
        padded = [0 * one, *before, 0 * one, 0 * one]
        # padded[j + 1] is m_{n-1,j}.
        before = [k * padded[k] + (size - k) * padded[k + 2] for k in range(n + 1)]
        found.append(tuple(before))
    return tuple(found)


def monomial_eigenvalue(d: Any, n: int, k: int) -> Expr:
    """mu_k(t^n) on {-1, 1}^d, k <= d; for a symbol d the formula that holds for every integer d >= k."""
    if k > n or (n - k) % 2:
        return S.Zero
    if not isinstance(d, (int, Symbol)):
        d = int(d) if as_expr(d).is_Integer else as_expr(d)
    # A power of two of rows, so that neighbouring degrees share a table.
    rows = _triangle(d, 1 << n.bit_length())
    value = rows[n][k]
    return sympy.Rational(value, d**n) if isinstance(d, int) else sympy.cancel(value.as_expr() / d**n)


def exponential_eigenvalue(rate: Any, d: Any, k: Any) -> Expr:
    """mu_k(e^(rate t)) = sinh(rate/d)^k cosh(rate/d)^(d-k), rate, d and k numbers or symbols."""
    argument = as_expr(rate) / as_expr(d)
    return sympy.sinh(argument) ** as_expr(k) * sympy.cosh(argument) ** (as_expr(d) - as_expr(k))


def square_linearisation(k: int, d: int) -> tuple[Fraction, ...]:
    """c_0, c_1, ... with phi_k^2 = sum_j c_j phi_{2j}.

    The product of two characters of degree k is one of degree 2j when their sets have k - j coordinates in
    common, and of two random sets that is hypergeometric: c_j = C(k, j) C(d-k, j)/C(d, k).
    """
    return tuple(Fraction(comb(k, j) * comb(d - k, j), comb(d, k)) for j in range(min(k, d - k) + 1))


def weights(d: int, k: int) -> list[int]:
    """C(d, r) phi_k(r) = [z^r] (1-z)^k (1+z)^(d-k) for r = 0, ..., d; mu_k is 2^-d times their sum with K(1 - 2r/d)."""
    row = [comb(d - k, r) for r in range(d - k + 1)]
    for _ in range(k):
        row = [a - b for a, b in zip([*row, 0], [0, *row], strict=True)]
    return row


__all__ = ["exponential_eigenvalue", "monomial_eigenvalue", "square_linearisation", "weights"]
