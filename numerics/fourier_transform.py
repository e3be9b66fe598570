r"""Fourier transforms of piecewise linear functions, in balls.

:math:`\tilde f(k)=-k^{-2}\sum_j\delta_je^{-ikx_j}` (:mod:`symspec.piecewise_linear`), so :math:`k^2|\tilde f(k)|\le\sum_j|\delta_j|`
for every k, with equality where the phases agree.

Equally spaced frequencies :math:`k=hm` share their work: the sums :math:`\sum_j\delta_jz_j^m`, :math:`z_j=e^{-ihx_j}`, are one product of two matrices of integers
(:mod:`numerics.fixed_point`).

>>> from symspec.piecewise_linear import PiecewiseLinear
>>> hat = PiecewiseLinear.through([(-1, 0), (0, 1), (1, 0)], left=0, right=0)
>>> print(fourier(hat, 3, digits=20).real.str(20, radius=False))
0.44222055480009899050
>>> fourier_bound(hat)
4.00000000000000
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any, NamedTuple

import sympy
from flint import acb, arb, fmpq

from symspec.errors import InputError, Undecided
from symspec.exact import exact, is_zero, natural
from symspec.linear_regions import LinearRegions
from symspec.parameter_derivatives import ParameterDerivative
from symspec.piecewise_linear import PiecewiseLinear, Window
from symspec.relu_networks import ReluNetwork

from .constants import ball
from .fixed_point import power_sums
from .precision import goal_bits, working_precision
from .region_transform import region_fourier
from .space_transform import space_fourier

GUARD = 32
Function = PiecewiseLinear | Window | ParameterDerivative
MAX_BITS = 100_000
FEWEST_FOR_A_GRID, GRID_ATTEMPTS = 16, 3


def fourier(f: Function | LinearRegions | ReluNetwork, k: Any, digits: Any = 30) -> Any:
    """The transform at a frequency k (an exact number), or a list of balls at several: complex balls, good to ``digits`` digits of their modulus.

    For the linear regions of a network in a box, k is a vector and the transform that of f on the box and 0 outside; :func:`fourier_parts` keeps the network's own part and
    that of the boundary apart. A network is taken in all of space,
    where k is not one of its singular directions (:mod:`numerics.space_transform`). The derivative of a network by a parameter has a transform as well.

    A value that is exactly 0, or too small against its terms to be told from 0, is a ball around 0 of radius 10^(-2 digits) times the size of
    the terms. Raises InputError at frequency 0, except for a window or a box, whose integral it is.
    """
    if isinstance(f, LinearRegions):
        return region_fourier(f, k, digits)
    if isinstance(f, ReluNetwork):
        if f.outputs != 1:
            raise InputError(f"a network with {f.outputs} outputs has a transform for each: take net.restrict_to_line, net.linear_regions or space_fourier, with the output")
        if f.inputs > 1:
            return space_fourier(f, k, digits)
        f = f.restrict_to_line([0], [1])
    if not isinstance(f, (PiecewiseLinear, Window, ParameterDerivative)):
        raise InputError(f"fourier takes a network, a piecewise linear function, a window of one, linear regions or a parameter derivative, not {type(f).__name__}")
    several = isinstance(k, Iterable) and not isinstance(k, str)
    frequencies = _exact_frequencies(k if several else [k])
    nowhere = _with_zero(frequencies)
    if not isinstance(f, Window) and nowhere:
        raise InputError("the transform at frequency 0 is a distribution; give k != 0, or use a window")
    number = natural(digits, "digits", 1)
    grid = None if isinstance(f, ParameterDerivative) or nowhere else _grid(frequencies)
    values = _on_grid(f, *grid, number) if grid and not isinstance(f, ParameterDerivative) else [_refined(f, one.value, number) for one in frequencies]
    return values if several else values[0]


def fourier_bound(f: PiecewiseLinear | LinearRegions) -> arb:
    """An upper bound of |k|^2 |f~(k)| for every k: TV(grad f), exact when it is a short dyadic number. In a box it bounds the network's own part."""
    weights = [weight for _, weight in f.kink_simplices] if isinstance(f, LinearRegions) else [fmpq(jump.numerator, jump.denominator) for jump in f.slope_jumps]
    with working_precision(128):
        return sum((abs(arb(weight)) for weight in weights), arb(0)).upper()


def _refined(f: Function, k: sympy.Expr, digits: int) -> acb:
    goal, bits = goal_bits(digits), goal_bits(digits) + GUARD
    while bits <= MAX_BITS:
        with working_precision(bits):
            value, size = _value(f, k)
            radius = value.real.rad().max(value.imag.rad()) * 2
            if radius <= abs(value).lower() * arb(2) ** -goal or radius <= size.lower() * arb(2) ** (-2 * goal):
                return value
        bits *= 2
    raise Undecided(f"the transform at {k} is not known to {digits} digits at {MAX_BITS} bits")


def _value(f: Function, k: sympy.Expr) -> tuple[acb, arb]:
    """The transform, and the size of its terms; see :func:`_size`."""
    frequency = ball(k)
    if isinstance(f, Window) and k.is_zero:
        return _integral(f)
    total = acb(0)
    if isinstance(f, ParameterDerivative):
        for x, jump, bend in zip(f.breakpoints, f.value_jumps, f.slope_jumps, strict=True):
            total -= acb(_ball(bend), frequency * _ball(jump)) * _wave(frequency, x)
    else:
        for x, jump in _kinks(f):
            total -= _ball(jump) * _wave(frequency, x)
    return total / frequency**2 + _ends(f, frequency), _size(_scales(f), frequency)


def _scales(f: Function) -> tuple[arb, arb, arb]:
    """Sums of |slope jumps| and of |value jumps|, ends of a window included, and 1 over the length on which f is not affine (0 for one point)."""
    rise: tuple[Fraction, ...] = ()
    if isinstance(f, ParameterDerivative):
        rise, bend, places = f.value_jumps, f.slope_jumps, f.breakpoints
    elif isinstance(f, Window):
        rise, bend, places = f.values, (*f.slopes, *(jump for _, jump in f.kinks)), (f.a, f.b)
    else:
        bend, places = f.slope_jumps, f.breakpoints
    length = places[-1] - places[0] if places else Fraction(0)
    return _ball(sum(map(abs, bend), Fraction(0))), _ball(sum(map(abs, rise), Fraction(0))), _ball(1 / length if length else Fraction(0))


def _size(scales: tuple[arb, arb, arb], frequency: arb) -> arb:
    """The size of the terms, or for frequencies far below one wave in the whole the size that they leave when they cancel."""
    bend, rise, least = scales
    scale = abs(frequency).max(least)
    return (bend / scale + rise) / scale


def _kinks(f: PiecewiseLinear | Window) -> tuple[tuple[Fraction, Fraction], ...]:
    return f.kinks if isinstance(f, Window) else tuple(zip(f.breakpoints, f.slope_jumps, strict=True))


def _ends(f: Function, frequency: arb) -> acb:
    """The boundary terms of a window."""
    total = acb(0)
    if isinstance(f, Window):
        for sign, x, value, slope in ((-1, f.a, f.values[0], f.slopes[0]), (1, f.b, f.values[1], f.slopes[1])):
            total += sign * acb(_ball(slope) / frequency**2, _ball(value) / frequency) * _wave(frequency, x)
    return total


def _integral(f: Window) -> tuple[acb, arb]:
    """At frequency 0: trapezoids, from the left end."""
    x, y, slope, total, size = f.a, f.values[0], f.slopes[0], arb(0), arb(0)
    for end, jump in (*f.kinks, (f.b, Fraction(0))):
        area = (end - x) * (y + slope * (end - x) / 2)
        total, size = total + _ball(area), size + abs(_ball(area))
        x, y, slope = end, y + slope * (end - x), slope + jump
    return acb(total), size


def _wave(frequency: arb, x: Any) -> acb:
    angle = -frequency * _ball(x)
    return acb(angle.cos(), angle.sin())


def _ball(value: Any) -> arb:
    return arb(fmpq(int(value.numerator), int(value.denominator)))


class _Frequency(NamedTuple):
    """An exact number, as a rational number times a rest: sympy takes longer to split it than the transform takes."""

    value: sympy.Expr
    ratio: sympy.Expr
    rest: sympy.Expr


def _exact_frequencies(values: Iterable[Any]) -> list[_Frequency]:
    """Rational multiples of a number that was seen before need no second look."""
    seen, found = set(), []
    for value in values:
        if isinstance(value, sympy.Expr):
            ratio, rest = value.as_coeff_Mul()
            if rest in seen and ratio.is_Rational:
                found.append(_Frequency(value, ratio, rest))
                continue
        number = exact(value, "frequency")
        found.append(_Frequency(number, *number.as_coeff_Mul()))
        seen.add(found[-1].rest)
    return found


def _with_zero(frequencies: Sequence[_Frequency]) -> bool:
    """Whether one of them is 0."""
    return any(one.ratio == 0 for one in frequencies) or any(is_zero(rest) for rest in {one.rest for one in frequencies})


def _grid(frequencies: Sequence[_Frequency]) -> tuple[sympy.Expr, list[int]] | None:
    """(h, multiples) for many integer multiples of one step, which may be irrational and is not 0; else None."""
    if len(frequencies) < FEWEST_FOR_A_GRID or len({one.rest for one in frequencies}) > 1:
        return None
    unit, ratios = frequencies[0].rest, [one.ratio for one in frequencies]
    denominator = lcm(*(int(ratio.q) for ratio in ratios))
    numerators = [int(ratio.p) * (denominator // int(ratio.q)) for ratio in ratios]
    common = gcd(*numerators)
    step, multiples = unit * sympy.Rational(common, denominator), [number // common for number in numerators]
    return (step, multiples) if max(map(abs, multiples)) <= 64 * len(multiples) else None


def _on_grid(f: PiecewiseLinear | Window, step: sympy.Expr, multiples: list[int], digits: int) -> list[acb]:
    """All values by one matrix product at a precision that is raised; the few that cancel more are refined one by one."""
    goal, bits = goal_bits(digits), goal_bits(digits) + GUARD
    found: dict[int, acb] = {}
    for _ in range(GRID_ATTEMPTS):
        missing = sorted({abs(m) for m in multiples} - found.keys())
        if len(missing) < FEWEST_FOR_A_GRID:
            break
        found |= _products(f, step, missing, goal, bits)
        bits *= 2
    for m in {abs(m) for m in multiples} - found.keys():
        found[m] = _refined(f, step * m, digits)
    return [found[m] if m > 0 else found[-m].conjugate() for m in multiples]


def _products(f: PiecewiseLinear | Window, step: sympy.Expr, multiples: list[int], goal: int, bits: int) -> dict[int, acb]:
    """The values at step * m, m > 0, that are good enough."""
    top, kinks = multiples[-1], _kinks(f)
    with working_precision(bits + top.bit_length() + len(kinks).bit_length()):
        scale, scales = ball(step), _scales(f)
        jumps = [_ball(jump) for _, jump in kinks]
        sums = power_sums([_wave(scale, x) for x, _ in kinks], jumps, top) if kinks else None
        found = {}
        for m in multiples:
            k = scale * m
            total = _ends(f, k) - sums(m) / k**2 if sums else _ends(f, k)
            radius = total.real.rad().max(total.imag.rad()) * 2
            if radius <= abs(total).lower() * arb(2) ** (-goal - 2) or radius <= _size(scales, k).lower() * arb(2) ** (-2 * goal):
                found[m] = total
        return found


__all__ = ["fourier", "fourier_bound"]
