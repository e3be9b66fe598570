r"""Strip-analytic functions on double sectors: analyticity and growth of :math:`\sigma(z)` for :math:`|\arg(\pm z)|\le\varphi`.

Gaussian integrals :math:`E\,\sigma(aZ)^2` at complex a live on the line :math:`a\mathbf R`. The functions of :mod:`symspec.strip` that are not
entire (tanh, sech, softplus, atan) are analytic off two cuts on the imaginary axis, :math:`\{iy:|y|\ge\ell\}`, and powers of quadratic
polynomials off the negative axis. :func:`sector` shows that no such function in the expression meets its cut on

.. math:: D=\{|\arg z|\le\varphi\}\cup\{|\arg(-z)|\le\varphi\}\cup\{|z|\le\varrho\},

:math:`\varrho` less than the half-width of the strip, so that the function is analytic there, and bounds it by :math:`A(1+|z|)^m`:

* on the rays :math:`\arg z=\varphi,\ |z|\le R` and :math:`\arg(-z)=\varphi`, by complex balls (on the conjugate rays by symmetry);
* for :math:`|z|\ge R` in the sector by an expansion :math:`\sum_jE_jz^j` with complex balls :math:`E_j` (:func:`at_infinity`), as

  .. math:: |\tanh g\mp1|\le\frac{2e^{-2G}}{1-e^{-2G}},\quad|\operatorname{sech}g|\le\frac{2e^{-G}}{1-e^{-2G}},\quad
            |\mathrm{softplus}(g)-g_+|\le-\log(1-e^{-G}),\quad|\arctan g\mp\tfrac\pi2|\le\operatorname{artanh}\tfrac1G

  for :math:`\pm\mathrm{Re}\,g\ge G`, :math:`g_+` being g or 0;
* on the circle :math:`|z|=\varrho` likewise;
* inside, no argument takes a value on its cut as none does on the boundary (argument principle, :mod:`numerics.complex_disc`), and the maximum
  principle for :math:`\sigma(z)/(1\pm z)^m` gives the bound.

>>> import sympy
>>> from symspec.terms import X
>>> bound = sector(sympy.tanh(X), 0, fmpq(3, 8))
>>> bound.power, bool(bound.size < 4), sector(sympy.tanh(X - 1), 0, fmpq(7, 16)) is None
(0, True, True)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import sympy
from flint import acb, acb_poly, arb, fmpq
from sympy import Expr, oo

from symspec.errors import NoClosedForm
from symspec.strip import LIMITS, StripForm, quadratic_height, strip_width
from symspec.strip_functions import softplus
from symspec.terms import X

from . import complex_disc
from .constants import ball
from .precision import working_precision
from .strip_bounds import Function, Rules, evaluator

PRECISION = 64
FIRST_RADIUS, MAX_RADIUS = 8, 256
FIRST_PIECES, ENOUGH_HALVINGS, MAX_HALVINGS = 32, 4, 9
DISC_SHARE = fmpq(3, 4)
NAN = complex_disc.NAN


@dataclass(frozen=True)
class SectorBound:
    """|f(z)| <= size (1+|z|)^power on D, on which f is analytic; ``radius`` is that of its disc, ``angle`` counts in units of pi.

    ``narrow`` stands for ``size`` on the double sector alone.
    """

    angle: fmpq
    radius: arb
    size: arb
    power: int
    narrow: arb


@lru_cache(maxsize=512)
def sector(base: Expr, order: int, angle: fmpq) -> SectorBound | None:
    """The derivative of that order of an expression in x, on the double sector of an angle below 1/2; None where it is not shown to be analytic there.

    Raises NoClosedForm for functions that are not bounded by a polynomial in every small sector.
    """
    with working_precision(PRECISION):
        expr, turn = StripForm(base, order).expr, _turn(angle)
        radius = disc_radius(base)
        found = _outer(expr, angle)
        if found is None:
            return None
        start, tails = found
        power = max(0, *(tail.degree() for tail in tails))
        f = evaluator(expr, COMPLEX)
        disc, size = _on_disc(f, radius), arb(0)
        for side, tail in zip((1, -1), tails, strict=True):
            size = size.max(sum((abs(tail[j]) * arb(start) ** (j - power) for j in range(tail.degree() + 1)), arb(0)))
            on_ray = _on_ray(f, turn * side, start, power)
            if on_ray is None or disc is None:
                return None
            size = size.max(on_ray)
        return SectorBound(angle, radius, size.max(disc).upper(), power, size.upper())


def require_polynomial_growth(base: Expr) -> None:
    """NoClosedForm where the function has no sector at all in which it is bounded by a polynomial."""
    with working_precision(PRECISION):
        if all(_outer(base, angle) is None for angle in (fmpq(1, 16), fmpq(1, 256))):
            raise NoClosedForm(f"{base} is not shown to be bounded by a polynomial in a sector about the real line, which Gaussian inputs of different lengths need")


def disc_radius(base: Expr) -> arb:
    """The radius of a disc in the strip."""
    width = strip_width(base)
    return arb(1) if width == oo else (ball(width) * DISC_SHARE).lower()


def _turn(angle: fmpq) -> acb:
    return acb(0, arb.pi() * angle).exp()


def _on_disc(f: Function, radius: arb) -> arb | None:
    """The supremum of |f| on the circle, on the upper half by symmetry."""
    return _along(lambda x: abs(f(acb(0, arb.pi() * x).exp() * radius)), fmpq(1))


def _on_ray(f: Function, turn: acb, end: int, power: int) -> arb | None:
    """The supremum of |f(z)|/|1 +- z|^power on the ray from 0 to |z| = end."""
    upright = turn if turn.real > 0 else -turn
    return _along(lambda x: abs(f(turn * x) / (1 + upright * x) ** power), fmpq(end))


def _along(size: Callable[[arb], arb], end: fmpq) -> arb | None:
    """The supremum of a function on [0, end]; None where a ball meets a cut."""
    largest = arb(0)
    stack = [(end * i / FIRST_PIECES, end * (i + 1) / FIRST_PIECES, 0) for i in range(FIRST_PIECES)]
    while stack:
        low, high, depth = stack.pop()
        value = size(arb((low + high) / 2, (high - low) / 2))
        if value.is_finite() and (value.upper() < 2 * value.lower() or value.upper() < largest or depth >= ENOUGH_HALVINGS):
            largest = largest.max(value.upper())
        elif depth >= MAX_HALVINGS:
            return None
        else:
            middle = (low + high) / 2
            stack += [(low, middle, depth + 1), (middle, high, depth + 1)]
    return largest


def _outer(expr: Expr, angle: fmpq) -> tuple[int, tuple[acb_poly, acb_poly]] | None:
    """R, and the expansions for |z| >= R to the right and to the left."""
    radius = FIRST_RADIUS
    while radius <= MAX_RADIUS:
        found = [at_infinity(expr, End(side, angle, arb(radius))) for side in (1, -1)]
        if found[0] is not None and found[1] is not None:
            return radius, (found[0], found[1])
        radius *= 2
    return None


@dataclass(frozen=True)
class End:
    """The region |arg(side z)| <= angle pi, |z| >= radius."""

    side: int
    angle: fmpq
    radius: arb

    @property
    def turns(self) -> acb:
        """A ball of side z/|z|."""
        angle = arb.pi() * self.angle
        cosine, sine = angle.cos(), angle.sin()
        return acb(((1 + cosine) / 2) + arb(0, ((1 - cosine) / 2).upper()), arb(0, sine.upper()))

    def growth(self, g: acb_poly) -> tuple[int, arb] | None:
        """(sign, G) with sign Re g >= G > 0 for a polynomial of degree one; None where there is none."""
        slope = (g[1] * self.side * self.turns).real
        sign = 1 if slope > 0 else -1 if slope < 0 else 0
        least = (abs(slope) * self.radius + sign * g[0].real).lower() if sign else arb(0)
        return (sign, least) if least > 0 else None


def at_infinity(expr: Expr, end: End) -> acb_poly | None:
    """Balls E_j with f(z) in sum E_j z^j for every z of the region, on which f is analytic; None where that is not shown."""
    if expr == X:
        return acb_poly([0, 1])
    if not expr.has(X):
        return acb_poly([acb(ball(expr))])
    if expr.is_Add or expr.is_Mul:
        parts = [at_infinity(part, end) for part in expr.args]
        known = [part for part in parts if part is not None]
        return reduce(lambda a, b: a + b if expr.is_Add else a * b, known) if len(known) == len(parts) else None
    if expr.is_Pow and not (expr.exp.is_Integer and expr.exp > 0):
        return _quadratic_power(expr, end)
    inner = at_infinity(expr.args[0], end)
    if inner is None:
        return None
    return inner ** int(expr.exp) if expr.is_Pow else _head(expr.func, inner, end)


def _head(head: Any, g: acb_poly, end: End) -> acb_poly | None:
    if g.degree() <= 0:
        value = COMPLEX.heads[head](g[0])
        return acb_poly([value]) if value.is_finite() else None
    grown = end.growth(g) if g.degree() == 1 else None
    if grown is None or head not in _FAR:
        return None
    sign, least = grown
    return _FAR[head](g, sign, least)


def _disc(radius: arb) -> acb:
    side = arb(0, radius.upper())
    return acb(side, side)


def _far_tanh(g: acb_poly, sign: int, least: arb) -> acb_poly:
    small = (-2 * least).exp()
    return acb_poly([sign + _disc(2 * small / (1 - small))])


def _far_sech(g: acb_poly, sign: int, least: arb) -> acb_poly:
    small = (-least).exp()
    return acb_poly([_disc(2 * small / (1 - small * small))])


def _far_softplus(g: acb_poly, sign: int, least: arb) -> acb_poly:
    rest = acb_poly([_disc(-(1 - (-least).exp()).log())])
    return g + rest if sign > 0 else rest


def _far_atan(g: acb_poly, sign: int, least: arb) -> acb_poly | None:
    return acb_poly([sign * arb.pi() / 2 + _disc((1 / least).atanh())]) if least > 1 else None


def _far_exp(g: acb_poly, sign: int, least: arb) -> acb_poly | None:
    return acb_poly([_disc((-least).exp())]) if sign < 0 else None


_FAR: dict[Any, Callable[[acb_poly, int, arb], acb_poly | None]] = {
    sympy.tanh: _far_tanh,
    sympy.sech: _far_sech,
    softplus: _far_softplus,
    sympy.atan: _far_atan,
    sympy.exp: _far_exp,
}


def _quadratic_power(power: Expr, end: End) -> acb_poly | None:
    """(z^2 B)^n = (side z)^(2n) B^n while no argument reaches the cut."""
    if quadratic_height(power.base) is None or not power.exp.is_Rational:
        return None
    low, middle, top = (ball(sympy.Poly(power.base, X).coeff_monomial(X**n)) for n in (0, 1, 2))
    small = _disc(1 / end.radius)
    b = top + middle * small + low * small * small
    if not (b.real > 0 and 2 * arb.pi() * end.angle + abs(b.arg()) < arb.pi()):
        return None
    twice, value = 2 * power.exp, complex_disc.power(b, power.exp)
    if twice < 0:
        return acb_poly([_disc(abs(value) * end.radius ** ball(twice))])
    if not twice.is_Integer:
        return None
    return acb_poly([acb(0)] * int(twice) + [value * end.side ** int(twice)])


def _cut(head: Any, function: Function) -> Function:
    """A function off its two cuts on the imaginary axis."""
    limit = LIMITS[head]

    def guarded(z: acb) -> acb:
        off = z.real > 0 or z.real < 0 or abs(z.imag) < ball(limit)
        return function(z) if off else NAN

    return guarded


def _softplus(z: acb) -> acb:
    return (1 + z.exp()).log() if z.real < 0 else z + (1 + (-z).exp()).log()


# NaN where the argument of a function may lie on its cut.
COMPLEX = Rules(
    {
        sympy.tanh: _cut(sympy.tanh, acb.tanh),
        sympy.sech: _cut(sympy.sech, acb.sech),
        softplus: _cut(softplus, _softplus),
        sympy.atan: _cut(sympy.atan, acb.atan),
        sympy.exp: acb.exp,
        sympy.sin: acb.sin,
        sympy.cos: acb.cos,
        sympy.erf: acb.erf,
    },
    complex_disc.power,
    lambda expr: acb(ball(expr)),
)

__all__ = ["COMPLEX", "End", "SectorBound", "at_infinity", "disc_radius", "require_polynomial_growth", "sector"]
