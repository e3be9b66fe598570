r"""Hermite coefficients and Gaussian moments by the trapezoidal rule on the line, with a proved error.

For F analytic in :math:`|\mathrm{Im}\,z|<s'`, s < s', with :math:`\int|F(x+iy)|dx\le M` for every :math:`|y|\le s`, the rule with
step h commits at most :math:`2M/(e^{2\pi s/h}-1)` (Trefethen and Weideman 2014, theorem 5.1). Here

.. math:: a_n(q)=E[\sigma(\sqrt qZ)h_n(Z)]=\int F,\qquad F(z)=\sigma(\sqrt qz)\,h_n(z)\,\varphi(z),\qquad h_n=He_n/\sqrt{n!},

and M follows from the Cauchy-Schwarz inequality: :math:`|\varphi(x+iy)|=\varphi(x)e^{y^2/2}`, the mean square of
:math:`\sigma` on a shifted line is bounded by its envelope (:mod:`numerics.strip_bounds`), and that of :math:`h_n` is exact,

.. math:: E|h_n(Z+iy)|^2=\sum_k\binom nk\frac{y^{2k}}{k!}=L_n(-y^2)\le\sum_k\frac{(ny^2)^k}{k!^2}=I_0(2y\sqrt n)\le e^{2y\sqrt n},

since :math:`He_n(x+iy)=\sum_k\binom nk(iy)^kHe_{n-k}(x)`. So :math:`M=e^{s^2/2+s\sqrt n}\sup_{|y|\le s}(E|\sigma(\sqrt q(Z+iy))|^2)^{1/2}`.

The sum is cut where :math:`|h_n(x)|\le e^{x^2/4}` (Indritz 1961) and the envelope leave less than the goal: with
:math:`|F|\le Ce^{\gamma|x|-cx^2}` the terms beyond T add to at most :math:`2hCe^{\gamma T-cT^2}/(1-e^{-h(2cT-\gamma)})`.

A variance that is a ball is replaced by its midpoint: :math:`da_n/dq=\tfrac12E[\sigma''(\sqrt qZ)h_n(Z)]`, so that the coefficients
move by at most :math:`\tfrac12(E\sigma''^2)^{1/2}` times its radius.

All n share the nodes, which are short dyadic numbers, so that the recurrence
:math:`He_{n+2}=(x^2-2n-1)He_n-n(n-1)He_{n-2}`, started at :math:`h\,\sigma\varphi`, multiplies long numbers by short ones only.
Balls lose some :math:`\tfrac n2\log(1+\sqrt2)` nats in it (at x = 0, where the absolute values of the factors add up), which
the working precision makes up for; it is raised until the radii meet the goal.

>>> import sympy
>>> from symspec.terms import X
>>> with working_precision(80):
...     print([a.str(12, radius=False) for a in coefficients(sympy.tanh(X), arb(1), 4, 60)[1::2]])
['0.605705509602', '-0.148437190787']
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, reduce
from math import ceil, floor, inf, log, pi, sqrt

from flint import arb
from sympy import Expr, oo

from symspec.errors import Undecided
from symspec.strip import StripForm, strip_width

from .constants import ball
from .precision import working_precision
from .strip_bounds import Envelope, Function, envelope, evaluator

SHARES = (0.3, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.99)
ENTIRE = tuple(2.0 ** (j / 2) for j in range(-4, 12))
BOUND_BITS = 64
STEP_BITS = 12
MAX_NODES = 400_000
# log(1 + sqrt 2)/2 nats a degree, and bits beside them.
SPREAD, GUARD = 0.4407, 40


@dataclass(frozen=True)
class Rule:
    """Nodes j * step for |j| <= count, and the proved error of the rule for the integrands it was planned for."""

    step: arb
    count: int
    error: arb


@dataclass(frozen=True)
class _Integrand:
    """log M on a strip of half-width s, and |F(x)| <= C e^(gamma |x| - c x^2) on the line."""

    s: arb
    log_bound: arb
    size: arb
    gamma: arb
    c: arb


@dataclass(frozen=True)
class GaussianIntegrals:
    """Integrals of sigma(sqrt(q) Z) for one expression and one variance (a ball)."""

    expr: Expr
    q: arb

    def _envelopes(self, order: int) -> list[tuple[arb, Envelope]]:
        """(s in the variable z, envelope there of the derivative of that order)."""
        root = self.q.upper().sqrt()
        return [((inner / root).lower(), bound) for inner, bound in _strips(self.expr, order)]

    def drift(self) -> arb:
        """A bound of |da_n/dq|, the same for all n."""
        squares = [bound.mean_square(self.q) for _, bound in _strips(self.expr, 2) if 1 - 4 * bound.alpha * self.q > 0]
        if not squares:
            raise Undecided(f"{self.expr}: no bound of the second derivative is known under the variance {self.q.str(5)}")
        return (reduce(lambda a, b: a.min(b), squares).sqrt() / 2).upper()

    def coefficient_rule(self, n: int, bits: int) -> Rule:
        """A rule for a_0 .. a_n with an absolute error of 2^-bits."""

        def of(s: arb, bound: Envelope) -> _Integrand:
            log_bound = s * s / 2 + s * arb(n).sqrt() + bound.mean_square(self.q).log() / 2
            size, gamma, delta = bound.exponential(self.q, 1)
            return _Integrand(s, log_bound.upper(), (size / (2 * arb.pi()).sqrt()).upper(), gamma, (arb(1) / 4 - delta).lower())

        return self._rule(0, bits, of)

    def square_rule(self, order: int, bits: int) -> Rule:
        """A rule for E f(u)^2 and E f(u) f(-u), f the derivative of that order, with an absolute error of 2^-bits."""

        def of(s: arb, bound: Envelope) -> _Integrand:
            log_bound = s * s / 2 + bound.mean_square(self.q).log()
            size, gamma, delta = bound.exponential(self.q, 2)
            return _Integrand(s, log_bound.upper(), (size / (2 * arb.pi()).sqrt()).upper(), gamma, (arb(1) / 2 - delta).lower())

        return self._rule(order, bits, of)

    def _rule(self, order: int, bits: int, of: object) -> Rule:
        with working_precision(BOUND_BITS):
            tried = [of(s, bound) for s, bound in self._envelopes(order)]  # type: ignore[operator]
            usable = [item for item in tried if item.c > 0 and item.log_bound.is_finite()]
            if not usable:
                raise Undecided(f"{self.expr}: no bound in a strip is known under the variance {self.q.str(5)}")
            best = max(usable, key=lambda item: _step_of(item, bits))
            step = _short(_step_of(best, bits))
            outer = min(usable, key=lambda item: float(item.size.log() + item.gamma / item.c))
            return _cut(best, outer, step, bits)


def _half_widths(expr: Expr) -> list[arb]:
    width = strip_width(expr)
    return [arb(s) for s in ENTIRE] if width == oo else [(ball(width) * share).lower() for share in SHARES]


@lru_cache(maxsize=64)
def _strips(expr: Expr, order: int) -> tuple[tuple[arb, Envelope], ...]:
    """(half-width, envelope there of the derivative of that order) for the strips that are worth trying."""
    with working_precision(BOUND_BITS):
        found, width = [], strip_width(expr)
        room = arb(1) if order == 0 or width == oo else arb(0.5)
        for strip in _half_widths(expr):
            try:
                bound = envelope(expr, strip).of_derivative(order, (1 - room) * strip if room < 1 else arb(1))
            except Undecided:
                continue
            inner = strip * room if order == 0 or room < 1 else strip - 1
            if inner > 0 and bound.size.is_finite():
                found.append((inner, bound))
        return tuple(found)


def _step_of(item: _Integrand, bits: int) -> float:
    """A step with 2M e^(-2 pi s/h) about 2^-(bits+1)."""
    return 2 * pi * float(item.s.lower()) / (max(float(item.log_bound), 0.0) + (bits + 3) * log(2))


def _short(step: float) -> arb:
    """A dyadic number of few bits, not above."""
    exponent = floor(log(step, 2)) - STEP_BITS + 1
    return arb(floor(step / 2.0**exponent)) * arb(2) ** exponent


def _cut(item: _Integrand, outer: _Integrand, step: arb, bits: int) -> Rule:
    """Where to stop; ``outer`` is the integrand with the better bound on the line."""
    aliasing = 2 * item.log_bound.exp() / ((2 * arb.pi() * item.s / step).exp() - 1)
    goal = arb(2) ** (-bits - 1)
    c, gamma = float(outer.c), float(outer.gamma)
    room = (bits + 4) * log(2) + max(0.0, float(outer.size.log()))
    top = (gamma + sqrt(gamma * gamma + 4 * c * room)) / (2 * c) + 1
    while True:
        count = ceil(top / float(step))
        if count > MAX_NODES:
            raise Undecided(f"the trapezoidal rule would need more than {2 * MAX_NODES} nodes for 2^-{bits}")
        end = step * count
        ratio = (-step * (2 * outer.c * end - outer.gamma)).exp()
        tail = 2 * step * outer.size * (outer.gamma * end - outer.c * end * end).exp() / (1 - ratio) if ratio < 1 else arb(inf)
        if tail < goal:
            return Rule(step, count, (aliasing + tail).upper())
        top *= 1.1


@dataclass(frozen=True)
class _Weighted:
    """sigma(sqrt(q) x) phi(x) h at the nodes x_j, j >= 0: the sum and the difference of the values at x and -x."""

    squares: list[arb]
    nodes: list[arb]
    even: list[arb]
    odd: list[arb]


def _weighted(f: Function, q: arb, rule: Rule) -> _Weighted:
    root = q.sqrt() if q != 1 else arb(1)
    scale = rule.step / (2 * arb.pi()).sqrt()
    nodes = [rule.step * j for j in range(rule.count + 1)]
    squares = [x * x for x in nodes]
    weights = [scale * (-square / 2).exp() for square in squares]
    values = [(f(root * x), f(-root * x)) for x in nodes]
    even = [w * (a + b) for w, (a, b) in zip(weights, values, strict=True)]
    odd = [w * (a - b) for w, (a, b) in zip(weights, values, strict=True)]
    even[0] = even[0] / 2
    return _Weighted(squares, nodes, even, odd)


def coefficients(expr: Expr, q: arb, count: int, bits: int) -> list[arb]:
    """a_0(q) .. a_{count-1}(q), each with an absolute error of about 2^-bits, at a sufficient working precision."""
    drift = arb(0)
    if not q.is_exact():
        drift = arb(0, (q.rad() * GaussianIntegrals(expr, q).drift()).upper())
        q = q.mid()
    rule = GaussianIntegrals(expr, q).coefficient_rule(max(count - 1, 0), bits)
    form = StripForm(expr)
    known = [_polynomial_part(form.even_part()), _polynomial_part(form.odd_part())]
    lost = int(count * max(SPREAD, 0.25 / (0.75 - max(0.0, float(form.growth) * float(q)))) / log(2))
    while True:
        with working_precision(bits + lost + GUARD + 2 * count.bit_length()):
            result = _summed(expr, q, rule, known, count)
        excess = max((_excess(value, bits) for value in result), default=0)
        if excess <= 0 or lost > 8 * (count + bits):
            break
        lost += excess + GUARD
    with working_precision(bits + 16):
        # What is exactly 0 is so by parity, for every variance.
        return [value if value == 0 else value + drift for value in result]


def _excess(value: arb, bits: int) -> int:
    """How many bits the radius exceeds 2^(2-bits) by."""
    radius = value.rad()
    return 0 if radius == 0 else int(radius.man_exp()[0].bit_length()) + int(radius.man_exp()[1]) + bits - 2


def _summed(expr: Expr, q: arb, rule: Rule, known: list[list[Expr] | None], count: int) -> list[arb]:
    weighted = _weighted(evaluator(expr), q, rule)
    factor, error, result = _normalisations(count), arb(0, rule.error), [arb(0)] * count
    for parity, values in ((0, weighted.even), (1, weighted.odd)):
        powers = known[parity]
        if powers is None:
            for n, total in zip(range(parity, count, 2), _recurrence(parity, values, weighted, count), strict=True):
                result[n] = total * factor[n] + error
        else:
            for n in range(parity, count, 2):
                result[n] = _of_polynomial(powers, n, q)
    return result


def _normalisations(count: int) -> list[arb]:
    """1/sqrt(n!)."""
    values, factorial = [], arb(1)
    for n in range(count):
        factorial = factorial * max(n, 1)
        values.append(factorial.rsqrt())
    return values


def _recurrence(parity: int, values: list[arb], weighted: _Weighted, count: int) -> list[arb]:
    """sum_j v_j He_n(x_j) for n = parity, parity + 2, ... below count."""
    size = len(range(parity, count, 2))
    sums = [arb(0)] * size
    shifts = [arb(2 * n + 1) for n in range(parity, count, 2)]
    products = [arb(n * (n - 1)) for n in range(parity, count, 2)]
    steps = list(zip(range(size), shifts, products, strict=True))
    for x, square, value in zip(weighted.nodes, weighted.squares, values, strict=True):
        before, now = arb(0), value * x if parity else value
        for index, shift, product in steps:
            sums[index] = sums[index] + now
            before, now = now, (square - shift) * now - product * before
    return sums


def _polynomial_part(part: StripForm) -> list[Expr] | None:
    """Coefficients by power where the even or odd part is a polynomial, None elsewhere."""
    from sympy import Poly

    from symspec.terms import X

    degree = part.polynomial_degree
    if degree is None:
        return None
    return list(reversed(Poly(part.expr, X).all_coeffs())) if degree >= 0 else []


def _of_polynomial(powers: list[Expr], n: int, q: arb) -> arb:
    """E[P(sqrt(q) Z) h_n(Z)] by E[Z^k He_n(Z)] = k!/(2^j j!), j = (k-n)/2."""
    total = arb(0)
    for k in range(n, len(powers), 2):
        j = (k - n) // 2
        total += ball(powers[k]) * q.sqrt() ** k * arb(k).fac() / (arb(2) ** j * arb(j).fac()) if powers[k] != 0 else arb(0)
    return total / arb(n).fac().sqrt() if total != 0 else total


def second_moment(expr: Expr, order: int, q: arb, bits: int) -> arb:
    """E f(sqrt(q) Z)^2, f the derivative of that order, with an absolute error of about 2^-bits."""
    return moments(expr, order, q, bits)[0]


def moments(expr: Expr, order: int, q: arb, bits: int) -> tuple[arb, arb]:
    """E f(u)^2 and E f(u) f(-u), f the derivative of that order and u of variance q."""
    rule = GaussianIntegrals(expr, q).square_rule(order, bits)
    with working_precision(bits + 48):
        weighted_f = evaluator(StripForm(expr, order).expr)
        root, scale = q.sqrt() if q != 1 else arb(1), rule.step / (2 * arb.pi()).sqrt()
        same, opposite = arb(0), arb(0)
        for j in range(rule.count + 1):
            x = rule.step * j
            weight = scale * (-x * x / 2).exp()
            a, b = weighted_f(root * x), weighted_f(-root * x)
            same += weight * (a * a if j == 0 else a * a + b * b)
            opposite += weight * (a * a if j == 0 else 2 * a * b)
        error = arb(0, rule.error)
        return same + error, opposite + error


__all__ = ["GaussianIntegrals", "Rule", "coefficients", "moments", "second_moment"]
