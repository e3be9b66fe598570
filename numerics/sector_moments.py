r"""Gaussian moments of strip-analytic functions at complex variances: :math:`m(p)=E f(\sqrt p\,Z)^2`, :math:`n(p)=E|f(\sqrt p\,Z)|^2`, :math:`E f(\sqrt p\,Z)`.

With :math:`a=\sqrt p`, f analytic and :math:`|f(z)|\le A(1+|z|)^m` on a double sector with a disc (:mod:`numerics.sector`) that holds the line :math:`a\mathbf R`,
these are analytic functions of p and of p and its conjugate: :math:`n(p)=N(p,\bar p)`, :math:`N(p,p')=Ef(\sqrt pZ)f(\sqrt{p'}Z)`, and

.. math:: m'(p)=\frac1aE\bigl[Zff'(aZ)\bigr],\qquad \frac d{d\lambda}N(p+\lambda\delta,\bar p+\lambda\bar\delta)\Big|_0=\mathrm{Re}\,\frac\delta aE\bigl[Zf'(aZ)f(\bar aZ)\bigr].

They are also what bounds Hermite coefficients at complex variances, :math:`\sum_n|E f(aZ)h_n(Z)|^2=n(p)` (Parseval).

**At a point** by the trapezoidal rule (:mod:`numerics.hermite_quadrature`): the lines :math:`a(\mathbf R+iy)`, :math:`|y|\le s=\varrho\sin\delta/|a|`, lie in the domain if
:math:`|\arg a|+\delta` is at most its angle, for :math:`|\arg(x+iy)|\le\delta` where :math:`|x|\ge s/\tan\delta`, and :math:`|a||x+iy|\le\varrho` elsewhere.

**On a ball** of p about :math:`p_0`, :math:`|p-p_0|\le x\rho` where the disc of radius :math:`\rho=|p_0|\sin(2\varphi-|\arg p_0|)` lies in the domain: by Taylor's
theorem and Cauchy's estimate, with S the supremum on the disc,
:math:`|m(p)-m(p_0)-m'(p_0)(p-p_0)|\le S\frac{x^2}{1-x}`, :math:`|m'(p)-m'(p_0)|\le\frac S\rho\bigl((1-x)^{-2}-1\bigr)`.

>>> import sympy
>>> from symspec.terms import X
>>> with working_precision(64):
...     here = moments(sympy.tanh(X), 0, acb(1, 1), acb(1, 1))
...     print(here.square.str(6, radius=False), here.size.str(6, radius=False))
0.460192 + 0.147262j 0.493533
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import comb, log, pi

from flint import acb, arb, fmpq
from sympy import Expr

from symspec.strip import StripForm

from .precision import working_precision
from .sector import COMPLEX, SectorBound, sector
from .strip_bounds import evaluator

PRECISION, BITS = 64, 26
# Sectors are tried whose angle exceeds that of the line by these parts of what is left of a right angle.
GRID = 64
ROOM = (0.6, 0.4, 0.25, 0.12, 0.05)
TOP = 9.0


@dataclass(frozen=True)
class Moments:
    """E f^2 in the middle of a ball of p, and, on the ball, its derivative and bounds of E|f|^2 and |E f|."""

    square: acb
    slope: acb
    size: arb
    mean: arb


def wide_sector(base: Expr, order: int, p: acb) -> tuple[SectorBound, SectorBound] | None:
    """Bounds of the derivative of that order, and of the next, on one sector that holds sqrt(p) R with room to spare; None where none is known."""
    angle = half_argument(p)
    if angle is None:
        return None
    own = float((angle / arb.pi()).upper())
    for room in ROOM:
        index = int((own + (0.5 - own) * room) * GRID * 2)
        if index <= own * GRID * 2 or index >= GRID:
            continue
        found = sector(base, order, fmpq(index, 2 * GRID)), sector(base, order + 1, fmpq(index, 2 * GRID))
        if found[0] is not None and found[1] is not None:
            return found[0], found[1]
    return None


def half_argument(p: acb) -> arb | None:
    """A bound of |arg sqrt(p)|; None where p may lie on the negative axis."""
    if not p.is_finite() or (p.imag.contains(0) and not p.real > 0):
        return None
    return (abs(p.arg()) / 2).upper()


def crude_size(bound: SectorBound, p: acb) -> arb:
    """A bound of E|f(sqrt(p) Z)|^2: E A^2 (1 + |a Z|)^(2m)."""
    return (bound.narrow * bound.narrow * _growth(abs(p).sqrt(), arb(0), 2 * bound.power, 0)).upper()


def _growth(a: arb, s: arb, power: int, extra: int) -> arb:
    """E[(1 + a (|Z| + s))^power (|Z| + s)^extra]."""
    base = 1 + a * s
    total = arb(0)
    for j in range(power + 1):
        for i in range(extra + 1):
            total += comb(power, j) * comb(extra, i) * base ** (power - j) * a**j * s ** (extra - i) * _absolute_moment(i + j)
    return total


def _absolute_moment(n: int) -> arb:
    """E|Z|^n."""
    return arb(2) ** (arb(n) / 2) * (arb(n + 1) / 2).gamma() / arb.pi().sqrt()


def moments(base: Expr, order: int, middle: acb, over: acb) -> Moments | None:
    """For a small ball ``middle`` in a ball ``over`` of variances; None where no sector is known, or the ball is too wide."""
    with working_precision(PRECISION):
        point, bounds = acb(middle.real.mid(), middle.imag.mid()), wide_sector(base, order, over)
        if bounds is None:
            return None
        exact, change = _computed(base, order, _key(point), bounds), abs(over - point).upper()
        found = _around(exact, point, change, bounds[0])
        return None if found is None else replace(found, square=exact.square + found.slope * (middle - point))


@dataclass(frozen=True)
class _Point:
    """The moments at a point, the derivative of E f^2, and bounds of those of E|f|^2 and |E f| in any direction."""

    square: acb
    slope: acb
    size: arb
    size_slope: arb
    mean: acb
    mean_slope: arb


def _around(exact: _Point, point: acb, change: arb, bound: SectorBound) -> Moments | None:
    room = 2 * arb.pi() * bound.angle - abs(point.arg())
    radius = abs(point) * (room.sin() if room < arb.pi() / 2 else arb(1))
    x = (change / radius).upper()
    if not x < 1:
        return None
    limit = crude_size(bound, acb(abs(point) + radius))
    bend = limit * x * x / (1 - x)
    slope = exact.slope + _disc(limit / radius * ((1 - x) ** -2 - 1))
    size = exact.size + exact.size_slope * change + bend
    mean = abs(exact.mean) + exact.mean_slope * change + limit.sqrt() * x * x / (1 - x)
    return Moments(exact.square, slope, size.upper(), mean.upper())


def _disc(radius: arb) -> acb:
    side = arb(0, radius.upper())
    return acb(side, side)


def _key(p: acb) -> tuple[int, int, int, int]:
    return (*p.real.man_exp(), *p.imag.man_exp())


@lru_cache(maxsize=1 << 14)
def _computed(base: Expr, order: int, key: tuple[int, int, int, int], bounds: tuple[SectorBound, SectorBound]) -> _Point:
    p = acb(arb((key[0], key[1])), arb((key[2], key[3])))
    a = p.sqrt()
    rule = _Rule.of(a, bounds)
    f, g = (evaluator(StripForm(base, n).expr, COMPLEX) for n in (order, order + 1))
    square, product, mixed, mean, tilt, size = acb(0), acb(0), acb(0), acb(0), acb(0), arb(0)
    for x, weight in rule.nodes:
        z = a * x
        here, there = (f(z), f(-z)) if x != 0 else (f(z), acb(0))
        steep, deep = (g(z), g(-z)) if x != 0 else (acb(0), acb(0))
        square += (here * here + there * there) * weight
        size += (_modulus(here) + _modulus(there)) * weight
        mean += (here + there) * weight
        product += (here * steep - there * deep) * (x * weight)
        mixed += (here.conjugate() * steep - there.conjugate() * deep) * (x * weight)
        tilt += (steep - deep) * (x * weight)
    low, high = bounds
    error = rule.error(low, low, 0)
    slope_error = rule.error(low, high, 1)
    wide = _disc(slope_error)
    return _Point(
        square + _disc(error),
        (product + wide) / a,
        size + arb(0, error.upper()),
        (abs(mixed + wide) / abs(a)).upper(),
        mean + _disc(rule.error(low, None, 0)),
        (abs(tilt + _disc(rule.error(high, None, 1))) / (2 * abs(a))).upper(),
    )


def _modulus(z: acb) -> arb:
    return z.real * z.real + z.imag * z.imag


@dataclass(frozen=True)
class _Rule:
    """The trapezoidal rule for one a: the nodes x >= 0 with their weights h phi(x)."""

    a: arb
    strip: arb
    step: arb
    end: arb
    nodes: tuple[tuple[arb, arb], ...]

    @staticmethod
    def of(a: acb, bounds: tuple[SectorBound, SectorBound]) -> _Rule:
        bound = bounds[0]
        room = (arb.pi() * bound.angle - abs(a.arg())).lower()
        strip = (bound.radius * room.sin() / abs(a)).lower().min(arb(4))
        # What the rule must resolve, in nats; doubles choose, the error is proved below.
        needed = BITS * log(2) + log(max(1.0, float(bounds[0].size * bounds[1].size))) + float(strip) ** 2 / 2
        step = arb(fmpq(int(1024 * min(0.5, 2 * pi * float(strip) / needed)) or 1, 1024))
        count = int(TOP / float(step)) + 1
        scale = step / (2 * arb.pi()).sqrt()
        nodes = tuple((step * j, scale * (-(step * j) * (step * j) / 2).exp()) for j in range(count + 1))
        return _Rule(abs(a).upper(), strip, step, step * count, nodes)

    def error(self, first: SectorBound, second: SectorBound | None, extra: int) -> arb:
        """Of the rule for Z^extra f g, or Z^extra f alone, between functions with these bounds."""
        size = first.size * (second.size if second else 1)
        power = first.power + (second.power if second else 0)
        # On the line at height y |phi(x+iy)| = phi(x) e^(y^2/2).
        mass = (self.strip * self.strip / 2).exp() * size * _growth(self.a, self.strip, power, extra)
        aliasing = 2 * mass / ((2 * arb.pi() * self.strip / self.step).exp() - 1)
        # Beyond the end T, on both sides: x^k phi(x) decreases there, and (1 + u/T)^k <= e^(ku/T).
        degree, end = power + extra, self.end
        if not end * end > degree:
            return arb("inf")
        edge = (1 + self.a * end) ** power * end**extra * (-end * end / 2).exp() / (2 * arb.pi()).sqrt()
        return (aliasing + 2 * size * edge / (end - degree / end)).upper()


__all__ = ["Moments", "crude_size", "half_argument", "moments", "wide_sector"]
