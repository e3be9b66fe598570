r"""The carrier of real balls, and the few real functions that need a proof to be clamped.

A ball that sticks out of the domain of a square root or an inverse cosine is cut back to the
domain. That is sound because the exact argument is known to lie there: haversines are in
[0, 1] and correlations in [-1, 1] by Cauchy-Schwarz, and every constant of a program is real.
The functions are monotone on the domain, so their values at the two cut ends enclose.

``orthant`` integrates Plackett's formula
:math:`L(h,k;\cos\theta)=Q(h)Q(k)+\frac1{2\pi}\int_\theta^{\pi/2}
\exp(-\tfrac{h^2-2hk\cos\varphi+k^2}{2\sin^2\varphi})d\varphi` with FLINT's rigorous integrator;
its derivatives are bounded by :math:`1/\sqrt{2\pi}` in h and k and :math:`1/2\pi` in the angle.

>>> from flint import arb
>>> archav(arb(0)), orthant(arb(0), arb(0), arb.pi() / 3).overlaps(arb(1) / 3)
(0, True)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from flint import acb, arb, ctx

Table = dict[str, Callable[..., Any]]


def _cut(value: arb, low: arb | None, high: arb | None) -> tuple[arb, arb] | None:
    """The two ends of the ball cut to [low, high] if it sticks out, else None.

    A ball that lies wholly outside contradicts the proof behind the cut; NaN says so.
    """
    sticks = (low is not None and not value > low) or (high is not None and not value < high)
    if not sticks or not value.is_finite():
        return None
    a, b = value.lower(), value.upper()
    if (low is not None and b < low) or (high is not None and a > high):
        return arb("nan"), arb("nan")
    if low is not None and a < low:
        a = low
    if high is not None and b > high:
        b = high
    return a, b


def _monotone(function: Callable[[arb], arb], ends: tuple[arb, arb]) -> arb:
    return function(ends[0]).union(function(ends[1]))


def sqrt(value: arb) -> arb:
    """Square root of an exact non-negative number enclosed by the ball."""
    ends = _cut(value, arb(0), None)
    return value.sqrt() if ends is None else _monotone(arb.sqrt, ends)


def asin(value: arb) -> arb:
    ends = _cut(value, arb(-1), arb(1))
    return value.asin() if ends is None else _monotone(arb.asin, ends)


def acos(value: arb) -> arb:
    return arb.pi() / 2 - asin(value)


def archav(value: arb, _symmetry: int = 0) -> arb:
    """2 arcsin sqrt(w) for an exact w in [0, 1] enclosed by the ball."""
    ends = _cut(value, arb(0), arb(1))
    return archav_inside(value) if ends is None else _monotone(archav_inside, ends)


def archav_inside(w: arb) -> arb:
    """The same of a ball that lies in [0, 1]; NaN for one that sticks out."""
    if w > arb(0.5):
        return arb.pi() - 2 * (1 - w).sqrt().asin()
    return 2 * w.sqrt().asin()


def integer_power(base: Any, exponent: int) -> Any:
    """base**exponent by squaring. FLINT's own power of a ball that contains zero is NaN."""
    if exponent < 0:
        return 1 / integer_power(base, -exponent)
    result, square = None, base
    while exponent:
        if exponent & 1:
            result = square if result is None else result * square
        exponent >>= 1
        if exponent:
            square = square * square
    return base**0 if result is None else result


def power(base: arb, exponent: sympy.Rational) -> arb:
    """base**exponent; for an odd half-integer exponent the base is known to be non-negative."""
    if exponent.is_Integer:
        return integer_power(base, int(exponent))
    if exponent.q == 2:
        return integer_power(sqrt(base), int(exponent.p))
    if base.contains(0):
        ends = _cut(base, arb(0), None)
        return _monotone(lambda x: x ** (arb(int(exponent.p)) / int(exponent.q)), ends) if ends and exponent > 0 else arb("nan")
    return base ** (arb(int(exponent.p)) / int(exponent.q))


def orthant(h: arb, k: arb, theta: arb, near: arb | None = None) -> arb:
    """P(X > h, Y > k), correlation cos(theta); see the module docstring.

    Within ``near`` of an end (by default a few units of rounding) the Lipschitz bound is used.
    """
    if not (h.is_finite() and k.is_finite() and theta.is_finite()):
        return arb("nan")
    slack = (h.rad() + k.rad()) / (2 * arb.pi()).sqrt() + theta.rad() / (2 * arb.pi())
    a, b, start = h.mid(), k.mid(), theta.mid()
    root2 = arb(2).sqrt()
    tails = (a / root2).erfc() * (b / root2).erfc() / 4
    middle = arb.pi() / 2
    # So close to an end that the Lipschitz bound costs no more than rounding.
    near = arb(2) ** (6 - ctx.prec) if near is None else near
    # The two forms of the exponent are free of cancellation on their own half of (0, pi).
    if start < middle:
        def integrand(x: acb, _analytic: object) -> acb:
            return (-((a - b) ** 2) / (2 * x.sin() ** 2) - a * b / (1 + x.cos())).exp()
    else:
        def integrand(x: acb, _analytic: object) -> acb:
            return (-((a + b) ** 2) / (2 * x.sin() ** 2) + a * b / (1 - x.cos())).exp()
    if a == b and start == 0:
        integral = acb.integral(lambda x, _: (-a * a / (1 + x.cos())).exp(), 0, middle)
    elif not (theta > near and theta < arb.pi() - near):
        end = arb(0) if start < middle else arb.pi()
        return _degenerate(a, b, opposite=not start < middle) + arb(0, (slack + abs(start - end) / (2 * arb.pi())).upper())
    else:
        integral = acb.integral(integrand, start, middle)
    return tails + integral.real / (2 * arb.pi()) + arb(0, slack.upper())


def _degenerate(a: arb, b: arb, *, opposite: bool) -> arb:
    """Correlation +1, or -1 where ``opposite``: Y is X or -X."""

    def tail(x: arb) -> arb:
        return (x / arb(2).sqrt()).erfc() / 2

    if not opposite:
        return tail(a if a > b else b)
    return tail(a) + tail(b) - 1 if a + b < 0 else arb(0)


def softplus(x: arb) -> arb:
    """log(1 + e^x), with its relative accuracy kept where it is small."""
    return x + (-x).exp().log1p() if x > 0 else x.exp().log1p()


def erf_parts(x: arb, y: arb) -> tuple[arb, arb]:
    """Real and imaginary part of erf(x + i y)."""
    value = acb(x, y).erf()
    return value.real, value.imag


def _dual(p: arb, q: arb, c: arb, data: Any) -> arb:
    from .dual_series import real_dual

    return real_dual(p, q, c, data)


def table(theta: arb, rho: arb, constant: Callable[[Any], arb]) -> Table:
    """The carrier: operations of :data:`symspec.program.OPERATIONS` on real balls."""
    return {
        "constant": constant,
        "theta": lambda: theta,
        "rho": lambda: rho,
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "pow": power,
        "archav": archav,
        "orthant": orthant,
        "order": lambda value, _order: value,
        "dual": _dual,
        "sin": arb.sin,
        "cos": arb.cos,
        "exp": arb.exp,
        "log": arb.log,
        "sinh": arb.sinh,
        "cosh": arb.cosh,
        "asin": asin,
        "acos": acos,
        "atan": arb.atan,
        "erf": arb.erf,
        "erf_real": lambda x, y: erf_parts(x, y)[0],
        "erf_imag": lambda x, y: erf_parts(x, y)[1],
    }
