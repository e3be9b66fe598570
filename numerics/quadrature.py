r"""Eigenvalues by adaptive rigorous integration: the general method where no better one applies.

Kernels that are not analytic in the angle at its ends - composed jumps, which are power series in
:math:`\theta^{1/m}`, and thresholds away from zero, whose flat terms
:math:`e^{-c/\sin^2\theta}` have an essential singularity there - are integrated degree by degree,

.. math:: \mu_k=\frac{\Gamma(d/2)}{\sqrt\pi\,\Gamma((d-1)/2)}\int_0^\pi K(\cos\theta)P_k(\cos\theta)\sin^{d-2}\theta\,d\theta,

with FLINT's adaptive Gauss-Legendre rule, whose error is bounded on ellipses in the complex
plane. Next to the two ends, where no ellipse fits, the piece is enclosed from the bound
:math:`|P_k|\le1` and the value of the kernel there, so intervals shrink geometrically towards them.

>>> import symspec as ss
>>> from symspec.network import mlp
>>> value = eigenvalue(mlp(ss.sign, 2).ck, 3, 1, 40)
>>> bool(value > 0.17), bool(value.rel_accuracy_bits() > 30)
(True, True)
"""

from __future__ import annotations

import sympy
from flint import acb, arb

from symspec.errors import Undecided
from symspec.kernel import Kernel

from . import complex_disc
from .precision import working_precision
from .values import at_angle, at_exact

MAX_EVALUATIONS = 20_000


def eigenvalue(kernel: Kernel, d: int, k: int, bits: int) -> arb:
    """mu_k to ``bits`` of relative accuracy; Undecided when the effort limit is reached."""
    goal = bits + 16
    while True:
        with working_precision(goal + 48):
            value = _integral(kernel, d, k, goal) * _normalisation(d)
        if value.is_finite() and value.rel_accuracy_bits() >= bits:
            return value
        if not value.is_finite() or goal > 8 * (bits + 32):
            raise Undecided(f"adaptive integration did not reach {bits} bits at degree {k}")
        goal = goal + max(bits, bits - value.rel_accuracy_bits()) + 8


def _normalisation(d: int) -> arb:
    return (arb(d) / 2).gamma() / (arb.pi().sqrt() * (arb(d - 1) / 2).gamma())


def _integral(kernel: Kernel, d: int, k: int, goal: int) -> arb:
    """The integral over [0, pi], split where an integrand of frequency k needs it, ends apart."""
    end = arb(2) ** (-_end_bits(kernel, d, goal))
    pi = arb.pi()
    total = _end_piece(kernel, arb(0), end, d) + _end_piece(kernel, pi - end, pi, d)

    def integrand(theta: acb, _analytic: object) -> acb:
        return _integrand(kernel, theta, d, k)

    tolerance = arb(2) ** (-goal)
    value = acb.integral(integrand, end, pi - end, abs_tol=tolerance, rel_tol=tolerance, eval_limit=MAX_EVALUATIONS, depth_limit=16 * goal, use_heap=False)
    return total + value.real


def _end_bits(kernel: Kernel, d: int, goal: int) -> int:
    """The end pieces have length e, weight at most e^(d-2) and a bounded kernel."""
    return (goal + 8) // (d - 1) + 2


def _end_piece(kernel: Kernel, low: arb, high: arb, d: int) -> arb:
    weight = low.union(high).sin()
    size = _largest(kernel, low, high) * (high - low).upper() * abs(weight).upper() ** (d - 2)
    return arb(0, size.upper())


def _largest(kernel: Kernel, low: arb, high: arb) -> arb:
    """A bound of |K| between two angles: K(1) for a positive definite kernel (Cauchy-Schwarz)."""
    if kernel.support is not None:
        return at_exact(kernel, sympy.Integer(1)).upper()
    theta = low.union(high)
    return abs(at_angle(kernel, theta.max(arb(0)).min(arb.pi()))).upper()


def _integrand(kernel: Kernel, theta: acb, d: int, k: int) -> acb:
    cosine, sine = theta.cos(), theta.sin()
    value = kernel.program.run(complex_disc.table(theta, cosine, orthant=orthant))
    return value * gegenbauer(cosine, d, k) * sine ** (d - 2)


def orthant(h: acb, k: acb, theta: acb) -> acb:
    """P(X > h, Y > k) continued to complex thresholds and angles with 0 < Re theta < pi.

    Plackett's integral from the centre of the ball to pi/2, then the mean value theorem in all
    three arguments over the ball.
    """
    if not (theta.real > 0 and theta.real < arb.pi() and h.is_finite() and k.is_finite()):
        return complex_disc.NAN
    a, b, start = (acb(z.real.mid(), z.imag.mid()) for z in (h, k, theta))
    root2 = arb(2).sqrt()

    def density(angle: acb, x: acb, y: acb) -> acb:
        if angle.real < 2:
            return (-((x - y) ** 2) / (2 * angle.sin() ** 2) - x * y / (1 + angle.cos())).exp()
        return (-((x + y) ** 2) / (2 * angle.sin() ** 2) + x * y / (1 - angle.cos())).exp()

    def through(x: acb, y: acb) -> acb:
        conditional = (y - x * theta.cos()) / theta.sin()
        return -(-(x * x) / 2).exp() / (2 * arb.pi()).sqrt() * (conditional / root2).erfc() / 2

    centre = (a / root2).erfc() * (b / root2).erfc() / 4
    centre += acb.integral(lambda z, _: density(z, a, b), start, acb(arb.pi() / 2)) / (2 * arb.pi())
    drift = through(h, k) * (h - a) + through(k, h) * (k - b)
    return centre + drift - density(theta, h, k) * (theta - start) / (2 * arb.pi())


def gegenbauer(t: acb, d: int, k: int) -> acb:
    """P_k(t) with P_k(1) = 1 by its three-term recurrence in balls."""
    if k == 0:
        return acb(1)
    before, now = acb(1), t
    for j in range(1, k):
        before, now = now, ((2 * j + d - 2) * t * now - j * before) / (j + d - 2)
    return now


__all__ = ["eigenvalue", "gegenbauer", "orthant"]
