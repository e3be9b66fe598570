r"""The carrier of kernel programs on float arrays: any kernel, vectorised, in double precision.

A kernel program (:mod:`symspec.program`) is read here on float64 arrays of angles
:math:`\theta\in[0,\pi]`, with :math:`\rho=\cos\theta`. The cost grows with the depth of the network and
no error bound is claimed: this is the reference for :mod:`gpu.chebyshev`, which has both
virtues, and the fall-back for kernels that no certified polynomial exists for. A haversine
that a layer computes as a difference has an absolute error of some 1e-16, so the next angle is only
good to about 1e-8 within 1e-8 of the diagonal; elsewhere errors are a few units in the last place.

Arguments of square roots and inverse functions are clipped to where the exact value lies,
since rounding alone can carry them outside.

The orthant probability is integrated from the angle :math:`\pi/2` by Plackett's identity
(Abramowitz and Stegun 26.3.3) with a fixed Gauss-Legendre rule:

.. math:: L(h,k;\cos\theta)=Q(h)Q(k)+\frac1{2\pi}\int_\theta^{\pi/2}
          \exp\Bigl(-\frac{(h\mp k)^2}{2\sin^2\varphi}\mp\frac{hk}{1\pm\cos\varphi}\Bigr)d\varphi,

upper signs for :math:`\theta\le\pi/2`; the two forms agree, and each is free of cancellation on its side.

>>> import numpy, symspec
>>> kernel = symspec.mlp(symspec.relu, 2).ntk
>>> values = evaluate_array(kernel, numpy.array([0.0, numpy.pi / 3]))
>>> abs(float(values[0]) - 3) < 1e-15, abs(float(values[1]) - float(kernel("1/2").evalf(20))) < 1e-15
(True, True)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy
import sympy

from symspec.errors import Undecided
from symspec.kernel import Kernel
from symspec.strip_functions import DualOf, Profile, SeriesDual

RULE_NODES = 60
SERIES_BITS = 56


@lru_cache(maxsize=4096)
def constant(value: sympy.Expr) -> float:
    """A sympy number as the nearest float (evaluated with guard digits)."""
    if value.has(SeriesDual):
        from numerics.constants import ball
        from numerics.precision import working_precision

        with working_precision(128):
            return float(ball(value))
    return float(sympy.N(value, 40))


def power(xp: Any, base: Any, exponent: sympy.Rational) -> Any:
    """base**exponent; roots by sqrt, which rounds correctly, and never of a rounded-off negative."""
    if exponent.q == 1:
        return base ** int(exponent)
    if exponent.q == 2:
        root = xp.sqrt(xp.maximum(base, 0.0))
        return root if exponent.p == 1 else root ** int(exponent.p)
    return xp.maximum(base, 0.0) ** float(exponent)


def archav(xp: Any, w: Any, _symmetry: int) -> Any:
    """The angle of a haversine."""
    return 2.0 * xp.arcsin(xp.sqrt(xp.clip(w, 0.0, 1.0)))


def special(xp: Any, name: str) -> Callable[[Any], Any]:
    """erf or erfc for arrays of the library."""
    if xp.__name__ == "cupy":
        from cupyx.scipy import special as device  # type: ignore[import-not-found]

        return getattr(device, name)
    try:
        from scipy import special as host
    except ImportError:
        return numpy.vectorize(getattr(math, name), otypes=[float])
    return getattr(host, name)


def upper_tail(xp: Any, h: Any) -> Any:
    """Q(h) = P(Z > h)."""
    if isinstance(h, float):
        return math.erfc(h / math.sqrt(2.0)) / 2.0
    return special(xp, "erfc")(h / math.sqrt(2.0)) / 2.0


@lru_cache(maxsize=1)
def _unit_rule() -> tuple[tuple[float, float], ...]:
    nodes, weights = numpy.polynomial.legendre.leggauss(RULE_NODES)
    return tuple(zip(((1.0 + nodes) / 2.0).tolist(), (weights / 2.0).tolist(), strict=True))


def orthant(xp: Any, h: Any, k: Any, theta: Any) -> Any:
    """P(X > h, Y > k) at correlation cos(theta); see the module docstring."""
    side = xp.where(theta <= math.pi / 2, 1.0, -1.0)
    gap, product = (h - side * k) ** 2 / 2.0, side * (h * k)
    length = math.pi / 2 - theta
    total = xp.zeros_like(theta)
    for node, weight in _unit_rule():
        # The distance to pi/2, whose cosine is |sin| and whose sine is |cos| of the angle itself.
        offset = node * length
        total += weight * xp.exp(-gap / xp.cos(offset) ** 2 - product / (1.0 + xp.abs(xp.sin(offset))))
    return upper_tail(xp, h) * upper_tail(xp, k) + total * length / (2.0 * math.pi)


def erf_parts(xp: Any, x: Any, y: Any) -> tuple[Any, Any]:
    r"""Real and imaginary part of erf(x + i y), where neither library has it:

    :math:`\mathrm{erf}(x+iy)=\mathrm{erf}\,x+\frac{2iy}{\sqrt\pi}e^{-x^2}\int_0^1e^{y^2s^2-2ixys}ds`.
    """
    x, y = xp.asarray(x, dtype=float), xp.asarray(y, dtype=float)
    real, imaginary = special(xp, "erf")(x) + 0 * y, 0 * (x + y)
    for node, weight in _unit_rule():
        size = weight * 2.0 / math.sqrt(math.pi) * y * xp.exp((y * node) ** 2 - x * x)
        real = real + size * xp.sin(2.0 * x * y * node)
        imaginary = imaginary + size * xp.cos(2.0 * x * y * node)
    return real, imaginary


@lru_cache(maxsize=64)
def _mehler(profile: Profile, p: float, q: float, order: int) -> tuple[float, tuple[float, ...]]:
    """sqrt(pq), and the coefficients of the derivative of the dual in powers of c/sqrt(pq), until they add to rounding."""
    from flint import arb

    from numerics.dual_series import MehlerSeries
    from numerics.precision import working_precision

    with working_precision(128):
        series = MehlerSeries.of(profile, arb(p), arb(q), SERIES_BITS + 40)
        count = series.count_for(order, arb(1), SERIES_BITS)
        if count is None:
            raise Undecided(f"the dual of {profile} needs too many terms for double precision at the variance {q}")
        scale = series.scale**order
        return float(series.scale), tuple(float(term / scale) for term in series.terms(count, order))


def dual(xp: Any, p: Any, q: Any, c: Any, data: DualOf) -> Any:
    """A dual given by its series; the variances are the same for all entries."""
    scale, terms = _mehler(data.profile, float(p), float(q), data.order)
    r = xp.clip(xp.asarray(c) / scale, -1.0, 1.0)
    total = xp.zeros_like(r)
    for term in reversed(terms):
        total = total * r + term
    return total


def table(xp: Any, theta: Any) -> dict[str, Callable[..., Any]]:
    """The rules of :data:`symspec.program.OPERATIONS` on float64 arrays of the library ``xp``."""

    def lifted(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda a: function(xp.asarray(a))

    def clipped(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda a: function(xp.clip(xp.asarray(a), -1.0, 1.0))

    rules: dict[str, Callable[..., Any]] = {name: lifted(getattr(xp, name)) for name in ("sin", "cos", "exp", "log", "sinh", "cosh")}
    rules |= {
        "asin": clipped(xp.arcsin),
        "acos": clipped(xp.arccos),
        "atan": lifted(xp.arctan),
        "erf": lambda a: special(xp, "erf")(xp.asarray(a)),
        "erf_real": lambda x, y: erf_parts(xp, x, y)[0],
        "erf_imag": lambda x, y: erf_parts(xp, x, y)[1],
        "constant": constant,
        "rho": lambda: xp.cos(theta),
        "theta": lambda: theta,
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "pow": lambda a, exponent: power(xp, xp.asarray(a), exponent),
        "archav": lambda w, symmetry: archav(xp, xp.asarray(w), symmetry),
        "orthant": lambda h, k, angle: orthant(xp, h, k, xp.asarray(angle)),
        "order": lambda value, _order: value,
        "dual": lambda p, q, c, data: dual(xp, p, q, c, data),
    }
    return rules


def evaluate_array(kernel: Kernel, theta: Any, xp: Any = numpy) -> Any:
    """K(cos theta) entry by entry, float64, of the shape of ``theta`` (angles in [0, pi])."""
    value = kernel.program.run(table(xp, theta))
    return value + xp.zeros_like(theta)


__all__ = ["evaluate_array", "table"]
