r"""Power series of kernels at rho = 0, and eigenvalues as sums of non-negative terms.

For a network :math:`K=\sum b_n\rho^n` with :math:`b_n\ge0`, and on the sphere
:math:`\mu_k=\sum_{n\ge k,\,n\equiv k}b_n\,\mu_k(t^n)` with

.. math:: \mu_k(t^n)=\frac{\Gamma(d/2)\,n!\,\Gamma((n-k+1)/2)}{\sqrt\pi\,2^k(n-k)!\,\Gamma((n+k+d)/2)}>0 .

Nothing cancels. The tail beyond N is bounded in one of two ways: where K is analytic on
[-1, R], R > 1, Pringsheim's theorem gives :math:`b_n\le K(R)R^{-n}`; otherwise
:math:`\sum_{n>N}b_n=K(1)-\sum_{n\le N}b_n` and :math:`\mu_k(t^n)` increases in n up to its largest value and decreases once
:math:`(d-1)n>(k-2)(k+d)+2`.

The variable is scaled to R, so that balls keep their relative accuracy to high order.

>>> from symspec.network import mlp
>>> import symspec as ss
>>> with working_precision(100):
...     print([b.str(10, radius=False) for b in coefficients(mlp(ss.exp, 1).ck, 3, arb(1))])
['0.3678794412', '0.3678794412', '0.1839397206']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from flint import acb, arb, arb_series

from symspec.errors import Undecided
from symspec.kernel import Kernel

from . import complex_disc, real
from .constants import ball
from .dual_series import series_dual
from .precision import working_precision
from .values import at_exact

MAX_TERMS = 20_000
RADII = tuple(sympy.Rational(p, 64) for p in (65, 66, 68, 72, 80, 96, 112, 128, 160, 192, 256, 384, 512, 1024, 2048, 4096, 16384, 65536))


def _series_power(base: arb_series, exponent: sympy.Rational) -> arb_series:
    if exponent.is_Integer:
        return real.integer_power(base, int(exponent))
    if exponent.q == 2:
        return real.integer_power(base.sqrt(), int(exponent.p))
    return base ** ball(exponent)


def _orthant(h: arb_series, k: arb_series, theta: arb_series) -> arb_series:
    """By its three partial derivatives (Plackett; see :class:`symspec.functions.Orthant`)."""
    root2 = arb(2).sqrt()
    sine, cosine = theta.sin(), theta.cos()

    def through(x: arb_series, y: arb_series) -> arb_series:
        conditional = (y - x * cosine) / sine
        density = (-(x * x) / 2).exp() / (2 * arb.pi()).sqrt()
        return -density * (conditional / root2).erfc() / 2

    # Free of cancellation where the angle is near 0 and h = k, or near pi and h = -k.
    half_cosine, half_sine = (theta / 2).cos(), (theta / 2).sin()
    if cosine[0] > 0:
        quadratic = (h - k) * (h - k) / (2 * sine * sine) + h * k / (2 * half_cosine * half_cosine)
    else:
        quadratic = (h + k) * (h + k) / (2 * sine * sine) - h * k / (2 * half_sine * half_sine)
    slope = through(h, k) * h.derivative() + through(k, h) * k.derivative()
    slope = slope - (-quadratic).exp() * theta.derivative() / (2 * arb.pi())
    return slope.integral() + real.orthant(h[0], k[0], theta[0])


def archav(w: arb_series, _symmetry: int = 0) -> arb_series:
    """The angle of a haversine off 0 and 1, by d theta = dw/sqrt(w (1-w))."""
    return (w.derivative() * (w * (1 - w)).rsqrt()).integral() + real.archav(w[0])


def erf_parts(x: arb_series, y: arb_series) -> tuple[arb_series, arb_series]:
    """Re erf(x + i y) and Im erf(x + i y), by integrating erf'(z) z'."""
    size = 2 * (y * y - x * x).exp() / arb.pi().sqrt()
    re, im = size * (2 * x * y).cos(), -size * (2 * x * y).sin()
    start = real.erf_parts(x[0], y[0])
    dx, dy = x.derivative(), y.derivative()
    return (re * dx - im * dy).integral() + start[0], (re * dy + im * dx).integral() + start[1]


def table(rho: arb_series, theta: arb_series | None = None) -> real.Table:
    """The carrier: operations of :data:`symspec.program.OPERATIONS` on power series of balls.

    ``theta`` is the angle where it is known without an arccosine. The constant terms must lie inside the domains (|rho| < 1): no expansion at a branch point.
    """

    def constant(expr: Any) -> arb_series:
        return arb_series([ball(expr)])

    return {
        "constant": constant,
        "theta": rho.acos if theta is None else lambda: theta,
        "rho": lambda: rho,
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "pow": _series_power,
        "archav": archav,
        "orthant": _orthant,
        "order": lambda value, _order: value,
        "dual": series_dual,
        "sin": arb_series.sin,
        "cos": arb_series.cos,
        "exp": arb_series.exp,
        "log": arb_series.log,
        "sinh": lambda s: (s.exp() - (-s).exp()) / 2,
        "cosh": lambda s: (s.exp() + (-s).exp()) / 2,
        "asin": arb_series.asin,
        "acos": arb_series.acos,
        "atan": arb_series.atan,
        "erf": arb_series.erf,
        "erf_real": lambda x, y: erf_parts(x, y)[0],
        "erf_imag": lambda x, y: erf_parts(x, y)[1],
    }


def coefficients(kernel: Kernel, terms: int, scale: arb) -> list[arb]:
    """b_n scale^n for n < terms, at the working precision."""
    from flint import ctx

    with working_precision(ctx.prec, terms):
        series = kernel.program.run(table(arb_series([0, scale])))
        return [series[n] for n in range(terms)]


@dataclass(frozen=True)
class Majorant:
    """A radius R > 1 on which K is analytic, and an upper bound of K(R)."""

    radius: arb
    value: arb


@lru_cache(maxsize=64)
def majorants(kernel: Kernel) -> tuple[Majorant, ...]:
    """Radii R of a fixed list with K analytic on [1, R]; empty for a kernel singular at 1."""
    if kernel.support is None:
        return ()
    found = []
    with working_precision(64 + 2 * len(kernel.program.lines)):
        previous = arb(1)
        for candidate in RADII:
            radius = ball(candidate)
            if not _analytic_between(kernel, previous, radius, 6):
                break
            value = kernel.program.run(_on_axis(acb(radius))).real
            found.append(Majorant(radius, value.upper()))
            previous = radius
    return tuple(found)


def analytic_value(kernel: Kernel, radius: arb) -> arb | None:
    """An upper bound of K(R), R > 1, where K is shown to be analytic on [1, R]; None where it is not."""
    with working_precision(64 + 2 * len(kernel.program.lines)):
        if kernel.support is None or not _analytic_between(kernel, arb(1), radius, 12):
            return None
        return kernel.program.run(_on_axis(acb(radius))).real.upper()


def _on_axis(rho: acb) -> real.Table:
    """Complex balls at a real correlation beyond 1: no angle there, so a program with one gives NaN."""
    return complex_disc.table(complex_disc.NAN, rho)


def _analytic_between(kernel: Kernel, low: arb, high: arb, halvings: int) -> bool:
    segment = acb(low.union(high))
    if kernel.program.run(_on_axis(segment)).is_finite():
        return True
    if halvings == 0:
        return False
    middle = (low + high) / 2
    return _analytic_between(kernel, low, middle, halvings - 1) and _analytic_between(kernel, middle, high, halvings - 1)


def needed_terms(kernel: Kernel, bits: int) -> int | None:
    """Terms after which the remaining b_n add to less than 2^-bits of K(1); None if unknown."""
    if kernel.support is not None and kernel.support.degree < MAX_TERMS:
        return int(kernel.support.degree) + 1
    with working_precision(64):
        counts = [(m.value.log() - (m.radius - 1).log() + bits * arb(2).log()) / m.radius.log() for m in majorants(kernel)]
        return min((int(float(c.mid())) + 2 for c in counts), default=None)


def monomial_eigenvalue(d: int, n: int, k: int) -> arb:
    """mu_k(t^n) on S^{d-1} at the working precision; zero unless n >= k of the same parity."""
    if n < k or (n - k) % 2:
        return arb(0)
    logarithm = _lgamma(d, 2) + _lgamma(2 * n + 2, 2) + _lgamma(n - k + 1, 2)
    logarithm -= arb.pi().log() / 2 + k * arb(2).log() + _lgamma(2 * (n - k) + 2, 2) + _lgamma(n + k + d, 2)
    return logarithm.exp()


def _lgamma(p: int, q: int) -> arb:
    return (arb(p) / q).lgamma()


def eigenvalues(kernel: Kernel, d: int, degrees: list[int], bits: int, *, max_terms: int = MAX_TERMS) -> dict[int, arb]:
    """mu_k, each to ``bits`` of relative accuracy, or Undecided if ``max_terms`` do not suffice.

    Exact zeros must have been removed; the support of the kernel must be known.
    """
    smooth = majorants(kernel)
    return summed(lambda terms, precision: _attempt(kernel, d, degrees, terms, precision, smooth), bits, max(64, max(degrees) + 32), lambda terms: terms + terms // 2, max_terms)


def summed(attempt: Callable[[int, int], dict[int, PartialSum]], bits: int, terms: int, grow: Callable[[int], int], max_terms: int) -> dict[int, arb]:
    """The enclosures of ``attempt(terms, precision)`` once all are good to ``bits``, both raised as needed; Undecided beyond the limits."""
    precision = bits + 64
    while True:
        values = attempt(terms, precision)
        lost_to_tail = any(v.tail_matters(bits) for v in values.values())
        lost_to_rounding = any(v.rounding_matters(bits) for v in values.values())
        if not (lost_to_tail or lost_to_rounding):
            with working_precision(bits + 64):
                return {k: v.enclosure() for k, v in values.items()}
        # A tail that is all radius calls for precision, not for terms.
        lost_in_radii = lost_to_tail and any(v.tail_is_radius and v.tail_matters(bits) for v in values.values())
        if lost_to_tail and not lost_in_radii:
            terms = grow(terms)
        if lost_to_rounding or lost_in_radii:
            precision *= 2
        if terms > max_terms or precision > 64 * (bits + 64):
            raise Undecided(f"the power series does not give {bits} bits within {max_terms} terms")


@dataclass(frozen=True)
class PartialSum:
    """The sum of the first terms, and an upper bound of the (non-negative) rest."""

    partial: arb
    tail: arb
    tail_is_radius: bool = False

    def tail_matters(self, bits: int) -> bool:
        return not self.tail < abs(self.partial).upper() * arb(2) ** (-bits - 2)

    def rounding_matters(self, bits: int) -> bool:
        return not self.partial.is_exact() and self.partial.rel_accuracy_bits() < bits + 2

    def enclosure(self) -> arb:
        """The eigenvalue lies between the partial sum and the partial sum plus the tail."""
        return self.partial + (self.tail / 2 + arb(0, (self.tail / 2).upper()))


def _attempt(kernel: Kernel, d: int, degrees: list[int], terms: int, precision: int, smooth: tuple[Majorant, ...]) -> dict[int, PartialSum]:
    with working_precision(precision):
        plain, rest = partial_series(kernel, terms, smooth)
        return {k: partial_sum(_sum(plain, d, k), rest, largest_eigenvalue(d, k, terms)) for k in degrees}


def partial_sum(partial: arb, rest: arb, weight: arb) -> PartialSum:
    """The terms left out add to at most rest * weight."""
    return PartialSum(partial, (rest * weight).upper(), bool(rest.mid() < 4 * rest.rad()))


def partial_series(kernel: Kernel, terms: int, smooth: tuple[Majorant, ...]) -> tuple[list[arb], arb]:
    """b_n for n < terms, and a ball whose upper end bounds the sum of the others (0 for a polynomial), at the working precision.

    ``smooth`` are the majorants to be used, if any; without them the rest is K(1) less the sum, and its radius shows what rounding hides.
    """
    majorant = min(smooth, key=lambda m: float((m.value.log() - terms * m.radius.log()).mid()), default=None)
    scale, factor = majorant.radius if majorant else arb(1), arb(1)
    plain = []
    for value in coefficients(kernel, terms, scale):
        plain.append(value * factor)
        factor = factor / scale
    if kernel.support is not None and kernel.support.degree < terms:
        return plain, arb(0)
    if majorant:
        return plain, majorant.value / majorant.radius**terms / (1 - 1 / majorant.radius)
    return plain, at_exact(kernel, sympy.Integer(1)) - sum(plain, arb(0))


def _sum(plain: list[arb], d: int, k: int) -> arb:
    """Sum of b_n mu_k(t^n): the ratio in n is (n+1)(n+2)/((n+2-k)(n+k+d))."""
    weight, total = monomial_eigenvalue(d, k, k), arb(0)
    for n in range(k, len(plain), 2):
        total += plain[n] * weight
        weight = weight * ((n + 1) * (n + 2)) / ((n + 2 - k) * (n + k + d))
    return total


def largest_eigenvalue(d: int, k: int, terms: int) -> arb:
    """The largest mu_k(t^n), n >= terms: it increases in n up to the bound of the module docstring, then decreases."""
    turn = ((k - 2) * (k + d) + 2) // (d - 1) + 1
    first = max(terms, turn, k)
    return monomial_eigenvalue(d, first + (first - k) % 2, k)


Operation = Callable[..., arb_series]
