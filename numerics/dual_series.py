r"""Duals without a closed form in every carrier: Mehler's series with a proved tail.

For :math:`\hat\sigma(c)=\sum_nw_nr^n`, :math:`w_n=a_n(p)a_n(q)`, :math:`r=c/\sqrt{pq}\in[-1,1]`, and its m-th derivative in c,

.. math:: \hat\sigma^{(m)}(c)=(pq)^{-m/2}\sum_{n\ge m}\frac{n!}{(n-m)!}w_nr^{n-m},\qquad
          \sum_{n\ge N}\frac{n!}{(n-m)!}a_n(q)^2\le R_N^{(m)}:=q^mE\sigma^{(m)}(\sqrt qZ)^2-\sum_{n<N}\frac{n!}{(n-m)!}a_n(q)^2,

and the second moment is a Gaussian integral of its own (:mod:`numerics.hermite_quadrature`). So the tail from N on is at
most :math:`R_N^{(m)}|r|^{N-m}`; for p different from q the Cauchy-Schwarz inequality gives the geometric mean of the two.

**On the diagonal**, :math:`c\approx q`, nothing is summed: the dual is increasing and convex there, hence
:math:`\hat\sigma(q)-(q-c)\hat\sigma'(q)\le\hat\sigma(c)\le\hat\sigma(q)`. Likewise
:math:`|\hat\sigma(c)-\hat\sigma(-q)|\le(c+q)\hat\sigma'(q)`.

**Re-expansion** at :math:`c_0`, for power series of deep networks: with :math:`r_0=|c_0|/\sqrt{pq}<1`,

.. math:: t_m=\sum_{n\ge m}\binom nmw_nr_0^{n-m},\qquad \sum_{n\ge N}\binom nmw_nr_0^{n-m}\le R_N\min\Bigl((1-r_0)^{-m},\ \binom Nmr_0^{N-m}\Bigr),

because :math:`\binom nm(1-r_0)^mr_0^{n-m}` is a probability, and :math:`\binom nmr_0^{n-m}` decreases in n from :math:`m/(1-r_0)` on (the
second bound is used for such N only).

Beyond :math:`|c|=\sqrt{pq}` there is no continuation for activations with a finite strip (the radius of convergence is
exactly 1), so complex balls that leave the disc give NaN.

>>> import sympy
>>> from symspec.terms import X
>>> with working_precision(100):
...     print(real_dual(arb(1), arb(1), arb("0.5"), DualOf(Profile(sympy.tanh(X)), 0)).str(25, radius=False))
0.1863244132034480861067829
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import inf, log, sqrt

from flint import acb, acb_poly, arb, arb_poly, arb_series, ctx
from sympy import Expr, oo

from symspec.errors import Undecided
from symspec.strip import strip_width
from symspec.strip_functions import DualOf, Profile

from . import hermite_quadrature
from .precision import working_precision

CHUNKS = (48, 96, 192, 320, 512, 768, 1152, 1728, 2592, 4096)
BIT_STEP = 64
Key = tuple[object, ...]


def _key(value: arb) -> Key:
    """An exact hashable copy of a ball."""
    return (*value.mid().man_exp(), *value.rad().man_exp())


def _from_key(key: Key) -> arb:
    a, b, c, d = key
    return arb((a, b), (c, d))


def _rounded_up(bits: int) -> int:
    return -(-bits // BIT_STEP) * BIT_STEP


@lru_cache(maxsize=512)
def _coefficients(expr: Expr, key: Key, count: int, bits: int) -> tuple[arb, ...]:
    return tuple(hermite_quadrature.coefficients(expr, _from_key(key), count, bits))


@lru_cache(maxsize=2048)
def _moments(expr: Expr, order: int, key: Key, bits: int) -> tuple[arb, arb]:
    return hermite_quadrature.moments(expr, order, _from_key(key), bits)


@lru_cache(maxsize=2048)
def _rest(expr: Expr, key: Key, order: int, count: int, bits: int) -> arb:
    """q^m E sigma^(m)^2 less the terms below ``count``."""
    size = next((chunk for chunk in CHUNKS if chunk >= count), count)
    values = _coefficients(expr, key, size, bits)[:count]
    with working_precision(bits + 32):
        partial = sum((a * a * _falling(n, order) for n, a in enumerate(values)), arb(0))
        return _from_key(key) ** order * _moments(expr, order, key, bits)[0] - partial


@dataclass(frozen=True)
class MehlerSeries:
    """The series of one function and one pair of variances, its coefficients to an absolute error of 2^-bits."""

    expr: Expr
    p: Key
    q: Key
    bits: int

    @staticmethod
    def of(profile: Profile, p: arb, q: arb, bits: int) -> MehlerSeries:
        return MehlerSeries(profile.function, _key(p), _key(q), _rounded_up(bits))

    @cached_property
    def scale(self) -> arb:
        """sqrt(pq)."""
        return _from_key(self.q) if self.p == self.q else (_from_key(self.p) * _from_key(self.q)).sqrt()

    def weights(self, count: int) -> list[arb]:
        """w_n for n < count."""
        size = next((chunk for chunk in CHUNKS if chunk >= count), count)
        first = _coefficients(self.expr, self.p, size, self.bits)[:count]
        second = first if self.p == self.q else _coefficients(self.expr, self.q, size, self.bits)[:count]
        return [a * b for a, b in zip(first, second, strict=True)]

    def terms(self, count: int, order: int) -> list[arb]:
        """n!/(n-m)! w_n for m <= n < count."""
        return [w * _falling(n, order) for n, w in enumerate(self.weights(count))][order:]

    def moment(self, order: int) -> arb:
        """E sigma^(m)(u)^2, for p = q."""
        return _moments(self.expr, order, self.q, self.bits)[0]

    def opposite(self, order: int) -> arb:
        """E sigma^(m)(u) sigma^(m)(-u), for p = q: the dual at -q."""
        return _moments(self.expr, order, self.q, self.bits)[1]

    def slope(self, order: int) -> arb:
        """An upper bound of the absolute value of the derivative of that order in c, on all of [-sqrt(pq), sqrt(pq)]."""
        bound = (_moments(self.expr, order, self.p, self.bits)[0] * _moments(self.expr, order, self.q, self.bits)[0]).sqrt()
        return bound.upper()

    def remainder(self, order: int, count: int) -> arb:
        """An upper bound of sum_{n >= count} n!/(n-m)! |w_n|."""
        # A rest that is certainly negative contradicts the proof behind it; NaN says so.
        rests = [self._rest(key, order, count).upper() for key in {self.p, self.q}]
        parts = [arb("nan") if rest < 0 else rest for rest in rests]
        return parts[0] if len(parts) == 1 else (parts[0] * parts[1]).sqrt().upper()

    def _rest(self, key: Key, order: int, count: int) -> arb:
        return _rest(self.expr, key, order, count, self.bits)

    def is_exhausted(self, order: int, count: int) -> bool:
        """Whether the rest is lost in the radii of the coefficients, so that more terms would tell nothing."""
        return all(rest.mid() < 4 * rest.rad() for rest in (self._rest(key, order, count) for key in {self.p, self.q}))

    def count_for(self, order: int, r: arb, bits: int) -> int | None:
        """The first chunk after which the rest at |r| is below 2^-bits or below the radii; None where none suffices."""
        ratio, goal = abs(r).upper(), arb(2) ** (-bits)
        for count in CHUNKS:
            if count <= order or not self._promising(count, float(ratio), bits):
                continue
            if self.remainder(order, count) * ratio ** (count - order) < goal or self.is_exhausted(order, count):
                return count
        return None

    def _promising(self, count: int, ratio: float, bits: int) -> bool:
        """A guess that saves work: the rest is about exp(-2 a sqrt(n)) r^n."""
        width = strip_width(self.expr)
        a = inf if width == oo else float(width) / sqrt(max(float(self.scale), 1e-300))
        expected = 2 * a * sqrt(count) - count * log(ratio) if ratio > 0 else inf
        return expected > 0.8 * bits * log(2)


def _falling(n: int, order: int) -> int:
    result = 1
    for j in range(order):
        result *= max(n - j, 0)
    return result


def real_dual(p: arb, q: arb, c: arb, data: DualOf) -> arb:
    """The derivative of order m of the dual of a function at balls; ``data`` names the function and m.

    Raises Undecided where the series needs more terms than the largest chunk.
    """
    profile, order = data.profile, data.order
    if not (p.is_finite() and q.is_finite() and c.is_finite()):
        return arb("nan")
    bits = ctx.prec + 8
    series = MehlerSeries.of(profile, p, q, bits)
    with working_precision(bits + 32):
        near = _near_the_end(series, order, c)
        value = near if near is not None else _summed(series, order, c, bits)
    return value + 0


def _near_the_end(series: MehlerSeries, order: int, c: arb) -> arb | None:
    """The enclosure from the diagonal where |c| may reach it; None elsewhere."""
    scale = series.scale
    if abs(c) < scale:
        return None
    if series.p != series.q or not (c.overlaps(scale) or c.overlaps(-scale)):
        return _of_any(series, order, c)
    distance = (scale - abs(c)).upper().max(arb(0))
    # Beyond the end nothing is to be enclosed: the covariance lies within it by Cauchy-Schwarz.
    change = distance * series.slope(order + 1)
    if c > 0:
        return series.moment(order) - change / 2 + arb(0, (change / 2).upper())
    return series.opposite(order) + arb(0, change.upper()) if c < 0 else arb(0, series.slope(order))


def _of_any(series: MehlerSeries, order: int, c: arb) -> arb:
    """What holds for every admissible covariance; NaN for one that is none."""
    return arb(0, series.slope(order)) if abs(c).lower() <= series.scale else arb("nan")


def _summed(series: MehlerSeries, order: int, c: arb, bits: int) -> arb:
    r = c.mid() / series.scale
    count = series.count_for(order, r, bits)
    if count is None:
        raise Undecided(f"the dual of {series.expr} at the correlation {r.str(8, radius=False)} is not known to {bits} bits with {CHUNKS[-1]} terms of its series; ask for fewer digits")
    tail = series.remainder(order, count) * abs(r).upper() ** (count - order)
    total = arb(0)
    for term in reversed(series.terms(count, order)):
        total = total * r + term
    drift = c.rad() * series.slope(order + 1) if c.rad() != 0 else arb(0)
    return (total + arb(0, tail.upper())) / series.scale**order + arb(0, drift.upper())


def series_dual(p: arb_series, q: arb_series, c: arb_series, data: DualOf) -> arb_series:
    """The rule for power series: the dual re-expanded at the constant term of c, its coefficients with their tails."""
    profile, order = data.profile, data.order
    length = ctx.cap
    if not all(_is_constant(item, length) for item in (p, q)):
        raise Undecided("the variances of a dual given by its series must be constant")
    if _is_constant(c, length) and _key(p[0]) == _key(q[0]) == _key(c[0]):
        # The variance of a layer with biases, a constant: the one thing that is read at the end of the interval, where there is no power series.
        return arb_series([real_dual(p[0], q[0], c[0], data)])
    series = MehlerSeries.of(profile, p[0], q[0], ctx.prec + 8)
    taylor = _taylor(series, c[0], length + order)
    shifted = [taylor[m + order] * (_falling(m + order, order)) for m in range(length)]
    scale = series.scale
    delta = arb_series([0, *(c[n] / scale for n in range(1, min(c.length(), length)))])
    outer = arb_series(shifted)
    result = outer(delta) if delta.length() > 1 else arb_series([shifted[0]])
    return result / scale**order if order else result


def _is_constant(item: arb_series, length: int) -> bool:
    return all(item[n].is_zero() for n in range(1, min(item.length(), length)))


def _taylor(series: MehlerSeries, start: arb, length: int) -> list[arb]:
    """Coefficients of the dual in powers of (c - start)/sqrt(pq)."""
    if start == 0:
        return series.weights(length)
    r = start / series.scale
    ratio = abs(r).upper()
    if not ratio < 1:
        raise Undecided("the dual has no power series at the end of its interval")
    count = _terms_about(series, ratio, length)
    values = arb_poly(series.weights(count))(arb_poly([r, 1]))
    rest = series.remainder(0, count)
    return [values[m] + arb(0, _shifted_tail(rest, ratio, count, m)) for m in range(length)]


def _terms_about(series: MehlerSeries, ratio: arb, length: int) -> int:
    """The first chunk whose rest does not show in so many coefficients about r, or the largest that tells more than the one before."""
    sizes = [chunk for chunk in CHUNKS if chunk >= length] or [length]
    goal = arb(2) ** (-ctx.prec)
    for count in sizes:
        rest = series.remainder(0, count)
        if series.is_exhausted(0, count) or all(_shifted_tail(rest, ratio, count, m) < goal for m in {0, length // 2, length - 1}):
            return count
    return sizes[-1]


def _shifted_tail(rest: arb, ratio: arb, count: int, m: int) -> arb:
    """An upper bound of the part of t_m beyond ``count`` terms; see the module docstring."""
    anyhow = rest / (1 - ratio) ** m
    if m <= count and count * (1 - ratio) > m:
        anyhow = anyhow.min(rest * arb.bin_uiui(count, m) * ratio ** (count - m))
    return anyhow.upper()


def complex_dual(p: acb, q: acb, c: acb, data: DualOf) -> acb:
    """The rule for complex balls: the series inside the disc of convergence, NaN where the ball leaves it."""
    profile, order = data.profile, data.order
    nan = acb("nan")
    if not (p.imag == 0 and q.imag == 0 and p.real > 0 and q.real > 0 and c.is_finite()):
        return nan
    series = MehlerSeries.of(profile, p.real, q.real, ctx.prec + 8)
    r = c / series.scale
    if not abs(r) < 1:
        # The variance of a layer with biases is a constant at the end of the interval. No other ball that touches the end may pass for one inside the disc.
        return acb(real_dual(p.real, q.real, c.real, data)) if c.imag == 0 and series.p == series.q == _key(c.real) else nan
    count = series.count_for(order, abs(r), ctx.prec) or CHUNKS[-1]
    tail = series.remainder(order, count) * abs(r).upper() ** (count - order)
    total = acb_poly(series.terms(count, order))(r)
    side = arb(0, tail.upper())
    return (total + acb(side, side)) / series.scale**order


__all__ = ["MehlerSeries", "complex_dual", "real_dual", "series_dual"]
