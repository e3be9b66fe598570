r"""Eigenvalues on the boolean cube as positive power series.

For :math:`K=\sum b_nt^n`, :math:`b_n\ge0`, and :math:`m_{n,k}=n![z^n]\sinh^kz\cosh^{d-k}z`,

.. math:: \mu_k=\sum_{n\ge k,\,n\equiv k}b_n\,\mu_k(t^n),\qquad \mu_k(t^n)=d^{-n}m_{n,k},\qquad
          \mu_k(t^n)=\tfrac kd\,\mu_{k-1}(t^{n-1})+\tfrac{d-k}d\,\mu_{k+1}(t^{n-1})

(:mod:`symspec.krawtchouk`). Every operation is on positive numbers, so nothing cancels: an eigenvalue of size
10^-300 costs no more precision than one of size 1. This is the method for large d, where
:math:`\mu_k(t^n)` falls like :math:`(n/ed)^{n/2}`; fifty terms are plenty for d = 10^6.

**The tail.** With :math:`|\varphi_k|\le1` and :math:`E\varphi_k^2=1/\binom dk`, by Cauchy and Schwarz,
for every n >= N

.. math:: \mu_k(t^n)\le\min\Bigl(E\,t^{2\lfloor N/2\rfloor},\ \sqrt{E\,t^{2N}/\tbinom dk}\Bigr),\qquad
          E\,t^{2M}\le\min_{z>0}\frac{(2M)!\,\cosh^dz}{(dz)^{2M}},

the last because every coefficient of :math:`\cosh^dz=\sum_ME\,t^{2M}(dz)^{2M}/(2M)!` is positive (Chernoff's bound;
any z > 0 is allowed, a good one is found in floats). The rest is
:math:`\sum_{n\ge N}b_n=K(1)-\sum_{n<N}b_n`, and at most :math:`K(R)R^{-N}/(1-1/R)` where K is analytic up to R > 1.

>>> import symspec as ss
>>> print(eigenvalues(ss.mlp(ss.relu, 3).ntk, 10**6, [10], 84, 400)[10].str(25, radius=False))
1.194790937330034970370060e-55
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, lgamma, log, log1p, log2, sqrt, tanh

from flint import arb, fmpz

from symspec.errors import Undecided
from symspec.kernel import Kernel

from .power_series import Majorant, PartialSum, majorants, partial_series, partial_sum, summed
from .precision import working_precision

FIRST_TERMS = 24
BISECTIONS = 60


def moments(d: int, terms: int, degrees: Iterable[int]) -> dict[int, list[arb]]:
    """mu_k(t^n) for n < terms and each degree, at the working precision; relative errors grow with n only linearly."""
    wanted = sorted(set(degrees))
    low, high = wanted[0], wanted[-1]
    down, up = [arb(j) / d for j in range(min(terms, d) + 2)], [arb(d - j) / d for j in range(min(terms, d) + 2)]
    zero = arb(0)
    found: dict[int, list[arb]] = {k: [] for k in wanted}
    row: dict[int, arb] = {0: arb(1)}
    for n in range(terms):
        for k in wanted:
            found[k].append(row.get(k, zero))
        # Only what can still reach one of the degrees.
        left = terms - 2 - n
        first, last = max(0, low - left), min(n + 1, d, high + left)
        first += (first + n + 1) % 2
        row = {j: down[j] * row.get(j - 1, zero) + up[j] * row.get(j + 1, zero) for j in range(first, last + 1, 2)}
    return found


def forecast_seconds(kernel: Kernel, terms: int, d: int, degrees: Sequence[int]) -> float:
    """About how long the series of that length takes: its coefficients, and the steps of :func:`moments`."""
    low, high = min(degrees), max(degrees)
    steps = sum(max(0, min(n, d, high + terms - n) - max(0, low - terms + n)) // 2 + 1 for n in range(0, terms, 16)) * 16
    return 1.5e-6 * terms * len(kernel.program.tape.operations) + 4e-7 * steps


def moment_bound(d: int, k: int, n: int) -> arb:
    """An upper bound of mu_k(t^m) for every m >= n; see the module docstring."""
    plain, paired = even_moment_bound(d, n // 2), (even_moment_bound(d, n) / arb(fmpz.bin_uiui(d, k))).sqrt()
    # Either is right, so nothing hangs on the comparison.
    return (paired if paired < plain else plain).upper()


def even_moment_bound(d: int, m: int) -> arb:
    """An upper bound of E t^(2m)."""
    if m == 0:
        return arb(1)
    z = arb(_saddle(d, 2 * m))
    value = (arb(2 * m + 1).lgamma() - 2 * m * (d * z).log() + d * z.cosh().log()).exp().upper()
    return value if value < 1 else arb(1)


def _saddle(d: int, n: int) -> float:
    """z with d z tanh z = n, about: where the bound is smallest."""
    low, high = 0.5 * sqrt(n / d), 2.0 * (sqrt(n / d) + n / d)
    for _ in range(BISECTIONS):
        z = (low + high) / 2
        low, high = (z, high) if d * z * tanh(z) < n else (low, z)
    return high


def log2_even_moment(d: int, m: int) -> float:
    """log2 of the bound of E t^(2m), in floats: a forecast, no bound."""
    if m == 0:
        return 0.0
    z = _saddle(d, 2 * m)
    log_cosh = z - log(2) + log1p(exp(-2 * z))
    return min(0.0, (lgamma(2 * m + 1) - 2 * m * log(d * z) + d * log_cosh) / log(2))


def log2_binomial(d: int, k: int) -> float:
    """log2 C(d, k), in floats."""
    return (lgamma(d + 1) - lgamma(k + 1) - lgamma(d - k + 1)) / log(2)


def log2_size(d: int, k: int) -> float:
    """A forecast of log2 mu_k for a kernel whose b_n fall like a small power of n: its first term or its last ones."""
    first = (lgamma(k + 1) - k * log(d)) / log(2)
    return max(first, -float(d)) - 4 * log2(k + 2)


def forecast(d: int, degrees: Sequence[int], bits: int, limit: int) -> int | None:
    """About how many terms are needed, None for more than ``limit``."""
    terms = max(degrees) + FIRST_TERMS
    ends = sorted({min(degrees), max(degrees)})
    while terms <= limit:
        if all(min(log2_even_moment(d, terms // 2), (log2_even_moment(d, terms) - log2_binomial(d, k)) / 2) < log2_size(d, k) - bits - 2 for k in ends):
            return terms
        terms += max(8, terms // 8)
    return None


def eigenvalues(kernel: Kernel, d: int, degrees: list[int], bits: int, max_terms: int) -> dict[int, arb]:
    """mu_k, each to ``bits`` of relative accuracy, or Undecided if ``max_terms`` do not suffice.

    Exact zeros must have been removed; the support of the kernel must be known.
    """
    if kernel.support is None:
        raise Undecided("the signs of the power series of this kernel are not known")
    smooth = majorants(kernel)
    top = max(degrees)
    # Beyond its own degree an eigenvalue of a smooth kernel needs few terms, which no forecast knows.
    terms = top + 2 * FIRST_TERMS if smooth else forecast(d, degrees, bits, max_terms) or top + FIRST_TERMS
    return summed(lambda length, precision: _attempt(kernel, d, degrees, length, precision, smooth), bits, terms, lambda length: length + max(FIRST_TERMS, (length - top) // 2), max_terms)


def _attempt(kernel: Kernel, d: int, degrees: list[int], terms: int, precision: int, smooth: tuple[Majorant, ...]) -> dict[int, PartialSum]:
    with working_precision(precision):
        plain, rest = partial_series(kernel, terms, smooth)
        table = moments(d, terms, degrees)
        return {k: partial_sum(sum((b * m for b, m in zip(plain[k::2], table[k][k::2], strict=True)), arb(0)), rest, moment_bound(d, k, terms)) for k in degrees}


__all__ = ["eigenvalues", "forecast", "moment_bound", "moments"]
