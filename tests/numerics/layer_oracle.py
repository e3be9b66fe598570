"""Taylor coefficients of the difference of consecutive weight layers, at high precision and without the engine: quadrature, then power series."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import sqrt
from typing import Any

import mpmath
from flint import arb, arb_poly, arb_series

from numerics.precision import working_precision

TAIL = 60


def hermite_means(f: Callable[[Any], Any], q: Any, count: int, step: float | None = None) -> list[Any]:
    """E f^(n)(sqrt(q) Z) = q^(-n/2) E f(sqrt(q) Z) He_n(Z) for n < count by the trapezoidal rule, at the precision of mpmath (f entire, unless a step is given)."""
    nats = 2.31 * mpmath.mp.dps
    step, top = step or 4.4 / sqrt(nats + 40), 2 * sqrt(nats) + 5
    h, root = mpmath.mpf(step), mpmath.sqrt(q)
    sums = [mpmath.mpf(0)] * count
    for j in range(-int(top / step), int(top / step) + 1):
        x = j * h
        before, now = mpmath.mpf(0), f(root * x) * mpmath.exp(-x * x / 2)
        for n in range(count):
            sums[n] += now
            before, now = now, (x * now - n * before)
    scale = h / mpmath.sqrt(2 * mpmath.pi)
    return [value * scale / root**n for n, value in enumerate(sums)]


def _arb(value: Any) -> arb:
    sign, mantissa, exponent, _ = value._mpf_
    return arb((-1) ** sign * int(mantissa)) * arb(2) ** int(exponent)


def differences(
    f: Callable[[Any], Any],
    depth: int,
    layer: int,
    count: int,
    sigma_w2: Any = None,
    sigma_b2: Any = 0,
    digits: int | None = None,
    step: float | None = None,
    tail: int = TAIL,
) -> list[arb]:
    """The coefficients of degree n < count of Theta_l - Theta_(l+1), l = ``layer``; duals are cut ``tail`` terms later, ``step`` is that of the quadrature."""
    terms = count + tail
    digits = digits or 40 + 3 * terms // 2
    with mpmath.workdps(digits), working_precision(int(3.4 * digits), count):
        w, b = (mpmath.mpf(1), mpmath.mpf(0)) if sigma_w2 is None else (mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator for x in (sigma_w2, sigma_b2))
        q = w + b
        maps, known = [], {}
        for _ in range(depth):
            if q not in known:
                known[q] = hermite_means(f, q, terms, step)
            means = known[q]
            values = [g * g / mpmath.factorial(n) for n, g in enumerate(means)]
            moment = mpmath.fsum(value * q**n for n, value in enumerate(values))
            weight = 1 / moment if sigma_w2 is None else w
            values = [weight * value for value in values]
            values[0] += b
            maps.append(arb_poly([_arb(value) for value in values]))
            q = mpmath.mpf(1) if sigma_w2 is None else w * moment + b
        signal = arb_series([_arb(b), _arb(w)])
        signals = [signal]
        for one in maps:
            signals.append(_at(one, signals[-1]))

        def part(first: int) -> arb_series:
            value = signals[first]
            for index in range(first, depth):
                value = value * _at(maps[index].derivative(), signals[index])
            return value

        found = part(layer - 1) - part(layer)
        return [found[n] for n in range(count)]


def _at(outer: arb_poly, inner: arb_series) -> arb_series:
    total = arb_series([0])
    for n in range(outer.degree(), -1, -1):
        total = total * inner + outer[n]
    return total


def negative(values: list[arb], digits: int = 25) -> list[int]:
    """The degrees of values that are negative and no rounding error."""
    return [n for n, value in enumerate(values) if value < 0 and not _is_noise(values, n, digits)]


def _is_noise(values: list[arb], n: int, digits: int) -> bool:
    near = max(_log(values[i]) for i in range(max(0, n - 5), min(len(values), n + 6)))
    # No difference that is met here is smaller; one that vanishes at all degrees has no neighbours to compare with.
    if _log(values[n]) < -230:
        return True
    return bool(_log(values[n]) < near - digits * 2.3)


def _log(value: arb) -> float:
    size = abs(value).mid()
    return float(size.log().mid()) if size > 0 else -1e300
