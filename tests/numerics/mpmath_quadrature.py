"""Networks of piecewise linear activations and their spectra in mpmath: test code only, written from the definitions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mpmath
from mpmath import mpf


@dataclass(frozen=True)
class Leaky:
    """sigma(x) = below x for x < 0, above x for x > 0; the network in one of three recursions."""

    below: Any
    above: Any
    depth: int
    kind: str
    weight: Any = None
    bias: Any = None
    alpha: Any = None

    def dual(self, theta: Any) -> tuple[Any, Any]:
        a, b, pi = self.below, self.above, mpmath.pi
        t, s = mpmath.cos(theta), mpmath.sin(theta)
        both = (t * (pi - theta) + s) / (2 * pi)
        cross = -(s - theta * t) / (2 * pi)
        return (a * a + b * b) * both + 2 * a * b * cross, (a * a + b * b) * (pi - theta) / (2 * pi) + 2 * a * b * theta / (2 * pi)

    def value(self, theta: Any) -> Any:
        """The kernel at an angle; the angle of a layer from the haversine."""
        one = (self.below**2 + self.above**2) / 2
        if self.alpha is not None:
            return self._residual(theta, one)
        w2, b2 = (1 / one, mpf(0)) if self.weight is None else (self.weight, self.bias)
        scale, shift = (mpf(1), mpf(0)) if self.weight is None else (w2, b2)
        q = scale + shift
        sigma = tangent = scale * mpmath.cos(theta) + shift
        for _ in range(self.depth):
            angle = theta if sigma is None else mpmath.acos(max(mpf(-1), min(mpf(1), sigma / q)))
            value, slope = self.dual(angle)
            sigma, q = w2 * q * value + b2, w2 * q * one + b2
            tangent = sigma + w2 * slope * tangent
        return tangent if self.kind == "ntk" else sigma

    def _residual(self, theta: Any, one: Any) -> Any:
        square, u, parts = self.alpha**2, mpmath.cos(theta), []
        for _ in range(self.depth):
            value, slope = self.dual(mpmath.acos(max(mpf(-1), min(mpf(1), u))))
            parts.append((u, value / one, slope / one))
            u = (u + square * value / one) / (1 + square)
        if self.kind == "ck":
            return u
        total, back = mpf(0), mpf(1)
        for index in reversed(range(self.depth)):
            before, value, slope = parts[index]
            total += back * (1 + square) ** index * (value + before * slope)
            back *= 1 + square * slope
        return total / (2 * self.depth * (1 + square) ** (self.depth - 1))


@lru_cache(maxsize=4)
def _nodes(count: int, digits: int) -> list[tuple[Any, Any]]:
    """Gauss-Legendre on [0, pi], by Newton's method on the three-term recurrence."""
    with mpmath.workdps(digits + 10):
        found = []
        for i in range(count):
            x = mpmath.cos(mpmath.pi * (i + mpf(3) / 4) / (count + mpf(1) / 2))
            for _ in range(8):
                before, now = mpf(1), x
                for j in range(1, count):
                    before, now = now, ((2 * j + 1) * x * now - j * before) / (j + 1)
                slope = count * (x * now - before) / (x * x - 1)
                x -= now / slope
            found.append(((x + 1) * mpmath.pi / 2, mpmath.pi / ((1 - x * x) * slope**2)))
        return found


def spectrum(network: Leaky, d: int, top: int, count: int = 110, digits: int = 40) -> list[Any]:
    """mu_0 .. mu_top on S^{d-1}; the integrand is analytic in the angle, so the rule converges geometrically."""
    with mpmath.workdps(digits):
        weight = mpmath.gamma(mpf(d) / 2) / (mpmath.sqrt(mpmath.pi) * mpmath.gamma(mpf(d - 1) / 2))
        totals = [mpf(0)] * (top + 1)
        for theta, w in _nodes(count, digits):
            t = mpmath.cos(theta)
            factor = weight * w * network.value(theta) * mpmath.sin(theta) ** (d - 2)
            before, now = mpf(1), t
            for k in range(top + 1):
                totals[k] += factor * before
                before, now = now, ((2 * k + d) * t * now - (k + 1) * before) / (k + d - 1) if k else (d * t * t - 1) / (d - 1)
        return totals
