"""Kernels of networks in mpmath, written from the published duals: shares no code with the engine.

Each dual is E f(u) f(v) for equal variances q and correlation r, with its derivative's dual, in the conventions of
the normalised recursion (q = 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import acos, asin, cos, cosh, exp, mpf, pi, sin, sinh, sqrt


def _clip(r: Any) -> Any:
    return max(mpf(-1), min(mpf(1), r)) if isinstance(r, mpf) else r


def _relu(r: Any) -> tuple[Any, Any]:
    theta = acos(r)
    return (sin(theta) + (pi - theta) * r) / (2 * pi), (pi - theta) / (2 * pi)


def _leaky(r: Any) -> tuple[Any, Any]:
    # Slopes 1 and 1/5: (a^2+b^2) r/2 + (a-b)^2 (sin - r theta)/(2 pi).
    theta, a, b = acos(r), mpf(1), mpf(1) / 5
    return (a * a + b * b) * r / 2 + (a - b) ** 2 * (sin(theta) - r * theta) / (2 * pi), (a * a + b * b) / 2 - (a - b) ** 2 * theta / (2 * pi)


def _absolute(r: Any) -> tuple[Any, Any]:
    theta = acos(r)
    return 2 * (sin(theta) + (pi - theta) * r) / pi - r, (pi - 2 * theta) / pi


def _step(r: Any) -> tuple[Any, Any]:
    return (pi - acos(r)) / (2 * pi), mpf("inf")


def _erf(r: Any) -> tuple[Any, Any]:
    return 2 / pi * asin(2 * r / 3), 4 / (pi * sqrt(9 - 4 * r * r))


def _sin(r: Any) -> tuple[Any, Any]:
    return exp(-1) * sinh(r), exp(-1) * cosh(r)


def _cos(r: Any) -> tuple[Any, Any]:
    return exp(-1) * cosh(r), exp(-1) * sinh(r)


def _exp(r: Any) -> tuple[Any, Any]:
    return exp(1 + r), exp(1 + r)


def _gaussian(r: Any) -> tuple[Any, Any]:
    return (4 - r * r) ** mpf("-0.5"), r * (4 - r * r) ** mpf("-1.5")


def _gelu(r: Any) -> tuple[Any, Any]:
    def value(c: Any) -> Any:
        a = 3 - c * c
        return c / 4 + ((c * c + 1 + a) / (4 * sqrt(1 + a)) + c * mpmath.atan(c / sqrt(1 + a))) / (2 * pi)

    # d/dc of the line above: a' = -2c, and c^2 + 1 + a = 4.
    root = sqrt(4 - r * r)
    slope = mpf(1) / 4 + (r / root**3 + mpmath.atan(r / root) + r / root) / (2 * pi)
    return value(r), slope


DUALS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "relu": _relu,
    "leaky_relu(1/5)": _leaky,
    "abs(x)": _absolute,
    "step": _step,
    "erf": _erf,
    "sin": _sin,
    "cos": _cos,
    "exp": _exp,
    "gaussian": _gaussian,
    "gelu": _gelu,
}
ANGULAR = ("relu", "leaky_relu(1/5)", "abs(x)")
SMOOTH = ("erf", "sin", "cos", "exp", "gaussian", "gelu")


def kernel(name: str, depth: int, kind: str, rho: Any) -> Any:
    """Sigma^depth or Theta^depth of the normalised recursion at one correlation."""
    dual = DUALS[name]
    one = dual(mpf(1))[0]
    sigma = theta = mpf(rho) if not isinstance(rho, (mpf, mpmath.mpc)) else rho
    for _ in range(depth):
        value, slope = dual(_clip(sigma))
        sigma, theta = value / one, value / one + theta * slope / one if kind == "ntk" else theta
    return theta if kind == "ntk" else sigma


def formula_of_residual_network(name: str, depth: int, alpha: Any, rho: Any) -> tuple[Any, Any]:
    """u_L and the tangent kernel of arXiv 2104.03093 with kappa_1, kappa_0 for the two normalised duals."""
    one, square = DUALS[name](mpf(1))[0], alpha**2
    u, values, slopes = [rho], [], []
    for _ in range(depth):
        value, slope = DUALS[name](_clip(u[-1]))
        values.append(value / one)
        slopes.append(slope / one)
        u.append((u[-1] + square * values[-1]) / (1 + square))
    back = [mpf(1)]
    for slope in reversed(slopes[1:]):
        back.append(back[-1] * (1 + square * slope))
    terms = [b * (1 + square) ** i * (values[i] + u[i] * slopes[i]) for i, b in enumerate(reversed(back))]
    return u[depth], mpmath.fsum(terms) / (2 * depth * (1 + square) ** (depth - 1))


def eigenvalue(function: Callable[[Any], Any], d: int, k: int) -> Any:
    """The integral of section 1 in the angle, split where P_k oscillates."""

    def polynomial(t: Any) -> Any:
        before, now = mpf(1), t
        if k == 0:
            return before
        for j in range(1, k):
            before, now = now, ((2 * j + d - 2) * t * now - j * before) / (j + d - 2)
        return now

    weight = mpmath.gamma(mpf(d) / 2) / (sqrt(pi) * mpmath.gamma(mpf(d - 1) / 2))
    pieces = max(2, k // 2)
    return weight * mpmath.quad(lambda a: function(cos(a)) * polynomial(cos(a)) * sin(a) ** (d - 2), mpmath.linspace(0, pi, pieces + 1))
