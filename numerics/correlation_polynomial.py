r"""Certified polynomials in the correlation, for kernels that are smooth but not analytic at its ends.

A kernel of a network is :math:`K=\sum b_n\rho^n` with :math:`b_n\ge0`, so that the partial sum of N terms is within
:math:`\sum_{n\ge N}b_n=K(1)-\sum_{n<N}b_n` of K on all of [-1, 1]. The partial sum is rewritten in Chebyshev polynomials,

.. math:: \rho^n=2^{1-n}\sideset{}{'}\sum_{k\equiv n}\binom n{(n-k)/2}T_k(\rho)

(the term k = 0 halved), in which it is short: where :math:`b_n` decays like :math:`e^{-B\sqrt n}` the Chebyshev coefficients decay
like :math:`\exp(-\tfrac32B^{2/3}k^{2/3})`. Kernels analytic in the angle have :mod:`numerics.approximate`.

>>> import symspec as ss
>>> p = correlation_polynomial(ss.mlp(ss.tanh, 2).ntk, digits=16)
>>> p.degree < 64, bool(p.error < arb("1e-15"))
(True, True)
"""

from __future__ import annotations

from functools import lru_cache

import sympy
from flint import arb

from symspec.errors import Undecided
from symspec.kernel import Kernel

from . import power_series
from .approximate import ChebyshevSeries
from .precision import goal_bits, working_precision
from .values import at_exact

LENGTHS = (64, 128, 192, 288, 432, 648, 972, 1458, 2187)


def correlation_polynomial(kernel: Kernel, digits: int = 17) -> ChebyshevSeries:
    """sum_j c_j T_j(rho) with exact c_j, within 10^-digits of K(1)'s scale of the kernel, with its proved error.

    Raises Undecided where the signs of the power series are not known or its tail is too long.
    """
    return to_bits(kernel, goal_bits(digits))


@lru_cache(maxsize=64)
def to_bits(kernel: Kernel, bits: int) -> ChebyshevSeries:
    """As :func:`correlation_polynomial`, with the absolute error 2^-bits."""
    if kernel.support is None or kernel.diagonal_is_infinite:
        raise Undecided("the power series of this kernel is not known to have non-negative coefficients with a finite sum")
    for length in LENGTHS:
        with working_precision(bits + 64):
            values = power_series.coefficients(kernel, length, arb(1))
            rest = (at_exact(kernel, sympy.Integer(1)) - sum(values, arb(0))).upper()
            series = _chebyshev(values)
            exact = [c.mid() for c in series]
            error = (rest + sum((c.rad() for c in series), arb(0))).upper()
            if error < arb(2) ** (-bits - 1):
                return _shortened(exact, error, arb(2) ** (-bits - 1))
    raise Undecided(f"the power series of {kernel} has more than 2^-{bits} of its value beyond {LENGTHS[-1]} terms")


def _shortened(coefficients: list[arb], error: arb, budget: arb) -> ChebyshevSeries:
    """Without the last coefficients that add up to less than the budget; |T_j| <= 1 bounds what they did."""
    dropped = arb(0)
    while len(coefficients) > 1 and dropped + abs(coefficients[-1]) < budget:
        dropped += abs(coefficients.pop())
    return ChebyshevSeries(tuple(coefficients), (error + dropped).upper())


def _chebyshev(values: list[arb]) -> list[arb]:
    """The coefficients of sum_n b_n rho^n in Chebyshev polynomials."""
    result = [arb(0)] * len(values)
    for n, value in enumerate(values):
        if value == 0:
            continue
        for k in range(n % 2, n + 1, 2):
            share = arb.bin_uiui(n, (n - k) // 2) / arb(2) ** (n - 1 if k else n)
            result[k] += value * share
    return result


__all__ = ["correlation_polynomial", "to_bits"]
