r"""Exponential polynomials under a Gaussian: the Taylor coefficients of their duals, with ratios bounded for every degree.

For an activation :math:`\sigma=\sum cx^me^{sx}`, s complex (no Gaussian factor, no gate), the dual at variances q is an entire function of
the covariance,

.. math:: \hat\sigma(z)=\sum_n\frac{g_n^2}{n!}z^n,\qquad g_n=E\,\sigma^{(n)}(\sqrt qZ)=\mathrm{Re}\sum_sQ_s(n)\,s^n,

because :math:`\hat\sigma^{(n)}` is the dual of :math:`\sigma^{(n)}`; the polynomials :math:`Q_s` follow from Leibniz' rule and
:math:`E[X^je^{sX}]=e^{s^2q/2}E(X+sq)^j`. Even n see the even part of :math:`\sigma` only, odd n the odd part.

**Ratios.** Let p be such that the frequencies s of largest modulus S in each parity have :math:`s^p=\pm S^p` with one sign. In a class of n
modulo lcm(2, p), :math:`g_n=\pm S^n(L(n)+\varepsilon(n))` with a real polynomial L of degree D and an exponentially smaller rest, so that

.. math:: \Bigl|\frac{g_{n+p}}{g_n}\Bigr|\le S^p\,\frac{\sum_i|l_i'|(1+\frac pN)^iN^{i-D}+\varepsilon'}{|l_D|-\sum_{i<D}|l_i|N^{i-D}-\varepsilon}
          \qquad\text{for every }n\ge N ,

:math:`\varepsilon,\varepsilon'` being taken at N once they decrease relative to :math:`n^D`. With the ratios below N by balls this bounds
:math:`C_p=\sup_n(g_{n+p}/g_n)^2`: :math:`\;j(j-1)\cdots(j-p+1)\,v_j\le C_pv_{j-p}` for the coefficients v of the dual, at every j.

>>> import symspec as ss
>>> from numerics.precision import working_precision
>>> with working_precision(100):
...     means = DerivativeMeans.of(ss.activation("x*exp(x/2)").form, arb(1))
...     print([g.str(8, radius=False) for g in means.values(3)], means.growth(1).str(5, radius=False))
['0.56657423', '1.4164356', '1.2747920'] 6.2500
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb, factorial, lcm

import sympy
from flint import acb, arb
from sympy import Expr, I, S

from symspec.errors import Undecided
from symspec.exact import is_zero
from symspec.form import Form
from symspec.terms import Term

from .constants import ball

STEPS = (1, 2, 3, 4, 6, 8)
ASYMPTOTIC_FROM = (32, 128, 512, 2048)
Polynomial = list[acb]


@dataclass(frozen=True)
class Frequency:
    """Q_s and s = beta + i omega, not 0, beta >= 0."""

    beta: Expr
    omega: Expr
    polynomial: tuple[acb, ...]

    @property
    def value(self) -> acb:
        return acb(ball(self.beta), ball(self.omega))

    @cached_property
    def square(self) -> Expr:
        """|s|^2, exact."""
        return sympy.expand(self.beta**2 + self.omega**2)

    def sign_of_power(self, p: int) -> int:
        """The sign of s^p where that is real, else 0."""
        real, imaginary = sympy.expand((self.beta + I * self.omega) ** p).as_real_imag()
        return 0 if not is_zero(sympy.expand(imaginary)) else 1 if bool(real > 0) else -1


@dataclass(frozen=True)
class _Part:
    """The even or the odd part: its frequencies, and the finitely many g_n that s = 0 adds."""

    frequencies: tuple[Frequency, ...]
    finite: tuple[arb, ...]

    @staticmethod
    def of(form: Form, q: arb, parity: int) -> _Part:
        """With s = b + iw in the half plane b >= 0: Re Q (-b + iw)^n = (-1)^n Re conj(Q) (b + iw)^n."""
        polynomials: dict[tuple[Expr, Expr], Polynomial] = {}
        finite: list[arb] = []
        for term in form.terms:
            if term.beta == 0 and term.omega == 0:
                for n in range(term.power + 1):
                    finite += [arb(0)] * (n + 1 - len(finite))
                    finite[n] += ball(term.coefficient) * comb(term.power, n) * factorial(n) * _moment(term.power - n, acb(0), q).real
            else:
                mirrored = bool(term.beta < 0)
                known = polynomials.setdefault((abs(term.beta), term.omega), [])
                for i, value in enumerate(_leibniz(term, q)):
                    if i == len(known):
                        known.append(acb(0))
                    known[i] += (-1) ** parity * value.conjugate() if mirrored else value
        return _Part(tuple(Frequency(beta, omega, tuple(values)) for (beta, omega), values in polynomials.items()), tuple(finite))


def _moment(j: int, shift: acb, q: arb) -> acb:
    """E(X + shift)^j for X of variance q."""
    total = acb(0)
    for i in range(j // 2 + 1):
        total += comb(j, 2 * i) * (factorial(2 * i) // (2**i * factorial(i))) * q**i * shift ** (j - 2 * i)
    return total


def _leibniz(term: Term, q: arb) -> Polynomial:
    """The polynomial in n of c E[d^n/dx^n x^m e^(s x)]/s^n at N(0, q)."""
    s = acb(ball(term.beta), ball(term.omega))
    factor = (acb(0, -1) if term.odd_wave else acb(1)) * ball(term.coefficient) * (s * s * q / 2).exp()
    result: Polynomial = [acb(0)] * (term.power + 1)
    falling: Polynomial = [acb(1)]
    for i in range(term.power + 1):
        # C(n, i) m!/(m-i)! s^-i E(X + s q)^(m-i), the falling factorial of n written out.
        scale = factor * comb(term.power, i) * _moment(term.power - i, s * q, q) / s**i
        for j, value in enumerate(falling):
            result[j] += scale * value
        shifted = [acb(0), *falling]
        falling = [a - i * b for a, b in zip(shifted, [*falling, acb(0)], strict=True)]
    return result


@dataclass(frozen=True)
class DerivativeMeans:
    """The sequence g_n of an exponential polynomial at one variance (a ball), at the working precision of :meth:`of`."""

    even: _Part
    odd: _Part

    @staticmethod
    def of(form: object, q: arb) -> DerivativeMeans:
        """Undecided for anything but sums of x^m exp(b x) {1, cos, sin}."""
        if not isinstance(form, Form) or any(term.gate or term.alpha != 0 for term in form.terms):
            raise Undecided(f"{form} is no exponential polynomial: its dual is not given by sums of exponentials")
        return DerivativeMeans(_Part.of(form.even_part(), q, 0), _Part.of(form.odd_part(), q, 1))

    def values(self, count: int) -> list[arb]:
        """g_n for n < count."""
        result = [arb(0)] * count
        for parity, part in enumerate((self.even, self.odd)):
            for n in range(parity, min(count, len(part.finite)), 2):
                result[n] += part.finite[n]
            for frequency in part.frequencies:
                power, square = frequency.value**parity, frequency.value * frequency.value
                for n in range(parity, count, 2):
                    result[n] += (_at(frequency.polynomial, n) * power).real
                    power = power * square
        return result

    def growth(self, p: int) -> arb | None:
        """An upper bound of C_p; None where p steps do not bound the ratios, or a coefficient is not told from 0."""
        for start in ASYMPTOTIC_FROM:
            late = self._late(p, start)
            early = self._early(p, start)
            if late is None or early is None:
                return None
            if late.is_finite():
                return (late.max(early) ** 2).upper()
        return None

    def _early(self, p: int, start: int) -> arb | None:
        """The largest |g_(n+p)/g_n| for n < start."""
        values, largest = self.values(start + p), arb(0)
        for n in range(start):
            if not values[n + p].is_zero():
                if not (values[n] > 0 or values[n] < 0):
                    return None
                largest = largest.max(abs(values[n + p] / values[n]).upper())
        return largest

    def _late(self, p: int, start: int) -> arb | None:
        """A bound of |g_(n+p)/g_n| for n >= start: infinite where ``start`` is too small, None where no start will do."""
        largest, period = arb(0), lcm(2, p)
        for residue in range(period):
            here, there = (self.even, self.odd)[residue % 2], (self.even, self.odd)[(residue + p) % 2]
            if not there.frequencies:
                continue
            leading = _leading(here, p)
            if leading is None:
                return None
            split = _Split.of(here, leading, residue)
            after = _Split.of(there, leading, residue + p)
            if split is None or after is None:
                return None
            largest = largest.max(split.ratio(after, p, start))
        return largest if start > max(len(self.even.finite), len(self.odd.finite)) else arb("inf")


def _leading(part: _Part, p: int) -> Frequency | None:
    """One of the frequencies of largest modulus, if the p-th powers of all of them are real and of one sign."""
    if not part.frequencies:
        return None
    top = part.frequencies[0]
    for other in part.frequencies[1:]:
        top = other if _compare(other, top) > 0 else top
    signs = {other.sign_of_power(p) for other in part.frequencies if _compare(other, top) == 0}
    return top if len(signs) == 1 and 0 not in signs else None


def _compare(first: Frequency, second: Frequency) -> int:
    """The sign of |s| - |s'|, exactly."""
    difference = sympy.expand(first.square - second.square)
    return 0 if is_zero(difference) else 1 if bool(difference > 0) else -1


@dataclass(frozen=True)
class _Split:
    """|g_n| S^-n in a class of n: the real polynomial L, and (t, absolute coefficients) of terms t^n Q(n), t < 1."""

    size: arb
    leading: tuple[arb, ...]
    rest: tuple[tuple[arb, tuple[arb, ...]], ...]

    @staticmethod
    def of(part: _Part, top: Frequency, residue: int) -> _Split | None:
        """Relative to the modulus S of ``top``; None where a frequency is larger."""
        size = ball(top.square).sqrt()
        leading: list[arb] = []
        rest = []
        for frequency in part.frequencies:
            order = _compare(frequency, top)
            if order > 0:
                return None
            if order < 0:
                rest.append((ball(frequency.square).sqrt() / size, tuple(abs(value).upper() for value in frequency.polynomial)))
                continue
            phase = (frequency.value / size) ** residue
            for i, value in enumerate(frequency.polynomial):
                if i == len(leading):
                    leading.append(arb(0))
                leading[i] += (value * phase).real
        return _Split(size, tuple(leading), tuple(rest))

    def ratio(self, after: _Split, p: int, start: int) -> arb:
        """A bound of |g_(n+p)/g_n| for every n >= start of the class."""
        degree, N, stretch = len(self.leading) - 1, arb(start), arb(start + p) / start
        if len(after.leading) > len(self.leading):
            return arb("inf")
        low = abs(self.leading[degree]) - sum((abs(value) * N ** (i - degree) for i, value in enumerate(self.leading[:-1])), arb(0))
        high = sum((abs(value) * stretch**i * N ** (i - degree) for i, value in enumerate(after.leading)), arb(0))
        for split, factor, shift in ((self, arb(1), 0), (after, stretch, p)):
            for t, values in split.rest:
                # n^(i-D) t^n decreases from n = (i-D)/log(1/t) on.
                if not N * -t.log() >= len(values) - 1 - degree:
                    return arb("inf")
                size = sum((value * factor**i * N ** (i - degree) for i, value in enumerate(values)), arb(0)) * t ** (start + shift)
                low, high = (low, high + size) if shift else (low - size, high)
        return (self.size**p * high / low).upper() if low > 0 else arb("inf")


def _at(polynomial: Sequence[acb], n: int) -> acb:
    total = acb(0)
    for value in reversed(polynomial):
        total = total * n + value
    return total


def is_exponential_polynomial(form: object) -> bool:
    """Whether the dual is entire, but no polynomial."""
    return isinstance(form, Form) and form.polynomial_degree is None and all(term.gate is None and term.alpha is S.Zero for term in form.terms)


__all__ = ["STEPS", "DerivativeMeans", "Frequency", "is_exponential_polynomial"]
