r"""Certified values of kernels: the program read by real balls, precision raised to the goal.

The inputs are the angle and its cosine. An exact correlation gives an exact haversine
(1 - rho)/2, from which the angle is computed, so nothing is lost near rho = 1. For a kernel
that is an even or odd function a negative correlation is reflected first, so nothing is lost
near rho = -1 either.

>>> from symspec.network import mlp
>>> import symspec as ss
>>> print(evaluate(mlp(ss.relu, 3).ntk, "0.5", digits=30).str(30, radius=False))
1.73784467921530902367442944171
"""

from __future__ import annotations

from typing import Any

import sympy
from flint import arb, ctx
from sympy import Expr

from symspec.errors import DomainError, InputError, SymspecError, Undecided
from symspec.exact import exact, natural
from symspec.functions import NEITHER, ODD
from symspec.kernel import Kernel
from symspec.pixel_kernel import PixelKernel
from symspec.separable_kernel import SeparableKernel, diagonal_entries

from . import pixel_balls, real
from .constants import ball
from .precision import goal_bits, meets, working_precision

MAX_PRECISION_FACTOR = 64
SYMBOLIC_LINES = 24


def evaluate(kernel: Kernel | PixelKernel | SeparableKernel, rho: Any, digits: Any = 30, *, variances: Any = None) -> arb:
    """K(rho) as a ball good to ``digits`` significant digits (or exactly 0).

    ``rho`` is an exact number in [-1, 1] (int, Fraction, decimal string, sympy number, or a
    float at its binary value), or a ball, of which the image is enclosed. Where a value is so
    small that it cannot be told from zero, the ball is good to 2*digits digits of K(1)
    instead. Raises DomainError off [-1, 1], Undecided if the goal is out of reach.

    For a kernel of images ``rho`` is the matrix of correlations of their pixels, or of covariances where ``variances`` gives the
    squared norms of the pixels of both (:func:`numerics.pixel_balls.evaluate`).
    """
    if isinstance(kernel, PixelKernel):
        return pixel_balls.evaluate(kernel, rho, digits, variances=variances)
    if isinstance(kernel, SeparableKernel):
        return _separable(kernel, rho, digits, variances)
    if variances is not None:
        raise InputError("variances belong to kernels of images; a zonal kernel takes the correlation of two inputs of equal norm")
    if not isinstance(kernel, Kernel):
        raise InputError(f"evaluate takes a Kernel (net.ck, net.ntk, ...), not {type(kernel).__name__}")
    bits = goal_bits(digits)
    if isinstance(rho, arb):
        return _image(kernel, rho, bits)
    point = exact(rho, "correlation rho")
    if bool(point < -1) or bool(point > 1):
        raise DomainError(f"correlation rho must lie in [-1, 1], not {rho}")
    if point == 1 and kernel.diagonal_is_infinite:
        raise DomainError("this tangent kernel is infinite on the diagonal: the activation has a jump; use the conjugate kernel, or drop_deltas=True")
    return _refined(kernel, point, bits)


def _separable(kernel: SeparableKernel, correlations: Any, digits: Any, variances: Any) -> arb:
    """The sum of products, each factor to more digits where the terms cancel."""
    if variances is not None:
        raise InputError("variances belong to kernels of networks on images; the factors of a separable kernel take correlations")
    t, bits = diagonal_entries(correlations, kernel.pixels), goal_bits(digits)
    for accuracy in (natural(digits, "digits", 1) * factor + 4 for factor in (1, 2, 4, 8)):
        values = {(factor, pixel): evaluate(factor, t[pixel], accuracy) for _, factors in kernel.terms for pixel, factor in enumerate(factors) if factor is not None}
        with working_precision(goal_bits(accuracy) + 64):
            total = arb(0)
            for weight, factors in kernel.terms:
                part = ball(weight)
                for pixel, factor in enumerate(factors):
                    part = part if factor is None else part * values[factor, pixel]
                total += part
            if meets(total, bits) or (total.contains(0) and total.rad() < arb(2) ** (-2 * bits)):
                return total
    raise Undecided(f"the terms of the kernel cancel in {accuracy} digits")


def _refined(kernel: Kernel, point: Expr, bits: int) -> arb:
    if point == 0 and kernel.symmetry == ODD:
        return arb(0)
    precision = bits + 32
    while precision <= MAX_PRECISION_FACTOR * (bits + 64):
        with working_precision(precision):
            value = at_exact(kernel, point)
            if meets(value, bits):
                return value
            if value.contains(0) and value.is_finite():
                size = at_exact(kernel, sympy.Integer(0 if kernel.diagonal_is_infinite else 1))
                if value.rad() < abs(size).upper() * arb(2) ** (-2 * bits) or precision > 16 * bits:
                    return arb(0) if _is_exactly_zero(kernel, point) else value
        precision *= 2
    raise Undecided(f"K({point}) is not known to {bits} bits at a working precision of {precision // 2} bits")


def _is_exactly_zero(kernel: Kernel, point: Expr) -> bool:
    """Whether the exact expression is 0, decided symbolically; False where it is too long to be written."""
    if len(kernel.program.lines) > SYMBOLIC_LINES:
        return False
    try:
        return bool(kernel(point) == 0)
    except SymspecError:
        return False


def _next_to_minus_one(kernel: Kernel) -> arb:
    """K(-1) where the program divides by zero there.

    A series with non-negative coefficients has |K(-1+e) - K(-1)| <= K(1) - K(1-e), since
    |rho^n| changes by the same amount at both ends.
    """
    if kernel.support is None or kernel.diagonal_is_infinite:
        return arb("nan")
    goal = ctx.prec
    step = sympy.Rational(1, 2 ** (2 * goal))
    with working_precision(4 * goal):
        change = at_exact(kernel, sympy.Integer(1)) - at_exact(kernel, 1 - step)
        rho = ball(step - 1)
        rules = real.table(real.archav((1 - rho) / 2), rho, ball)
        # The angle is 2^(1-goal) from pi, where the Lipschitz bound of an orthant is good enough.
        rules["orthant"] = lambda h, k, theta: real.orthant(h, k, theta, arb(2) ** (4 - goal))
        return kernel.program.run(rules) + arb(0, abs(change).upper())


def at_exact(kernel: Kernel, point: Expr) -> arb:
    """K at an exact correlation, at the working precision."""
    if point == 1:
        return kernel.program.on_diagonal.run(real.table(arb(0), arb(1), ball))
    sign = 1
    if bool(point < 0) and kernel.symmetry != NEITHER:
        sign = -1 if kernel.symmetry == ODD else 1
        point = -point
        if point == 1:
            return sign * at_exact(kernel, point)
    haversine = ball((1 - point) / 2)
    value = sign * at_angle(kernel, real.archav(haversine), ball(point))
    return _next_to_minus_one(kernel) if point == -1 and not value.is_finite() else value


def at_angle(kernel: Kernel, theta: arb, rho: arb | None = None) -> arb:
    """K at an angle in [0, pi], at the working precision."""
    rho = theta.cos() if rho is None else rho
    return kernel.program.run(real.table(theta, rho, ball))


def _image(kernel: Kernel, rho: arb, bits: int) -> arb:
    if not (rho >= -1 and rho <= 1):
        raise DomainError(f"the ball {rho} is not contained in [-1, 1]")
    with working_precision(bits + 64):
        return at_angle(kernel, real.archav((1 - rho) / 2), rho)


__all__ = ["at_angle", "at_exact", "evaluate"]
