r"""Fourier coefficients of a network on a closed curve, in balls: :math:`c_m=\int_0^1f(\gamma(z))e^{-2\pi imz}dz`.

Between its kinks :math:`f\circ\gamma` is :math:`u\cdot\gamma(z)+c` with exact rational u, c, a trigonometric polynomial, whose integral is a closed form in the end points. So all that is to be
found are the kinks, the zeros of :math:`u\cdot\gamma+c` for every neuron on every piece.

**Gaps, not roots.** [0, 1] is cut, layer by layer, into intervals on which every neuron is *proved* to have no zero, and gaps of width :math:`2^{-p}` where a zero may be. Nothing needs to be known
about a gap, neither that there is a zero nor that there is but one: what it adds is at most its width times the largest |f| on it, which is a ball around 0. On an interval of
half width r about x, with :math:`v=u\cdot\gamma+c`,

.. math:: |v(z)-v(x)|\le r|v'(x)|+\tfrac12r^2K,\qquad|v'(z)-v'(x)|\le rK,\qquad K=\sum_i|u_i|\sup|\gamma_i''| ,

proves that v has no zero, or that it is monotone; then the signs at the ends decide, and Newton's method finds the gap, whose two ends are tested. Otherwise the interval is
halved. Near a zero of multiplicity m the first bound would take :math:`1/r` halvings; there Taylor's formula of order :math:`n=2F+2` serves,
:math:`|v(z)-v(x)|\le\sum_{0<j<n}r^j|v^{(j)}(x)|/j!+r^nK_n/n!`, for a trigonometric polynomial of degree F has no zero of multiplicity above 2F; and as :math:`v\sim\delta^m` at the
distance :math:`\delta`, the precision is raised up to n times that of the gaps. So tangencies of every order and zeros that coincide end as gaps; neurons that vanish
identically are seen exactly, for u and c are rational.

>>> from symspec.relu_networks import relu_network
>>> from symspec.trigonometric_curves import flower
>>> half = relu_network([([[1, 0]], [0]), ([[1]], [0])])           # max(cos, 0) on the circle
>>> spectrum = curve_coefficients(half, flower(0), [0, 1, 2], digits=20)
>>> print(spectrum.coefficients[0].real.str(15, radius=False), spectrum.kinks)      # 1/pi
0.318309886183791 2
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

from flint import acb, arb, arb_mat, fmpq, fmpz_mat

from symspec.errors import InputError, Undecided
from symspec.exact import exact, natural
from symspec.relu_networks import AffineLayer, ReluNetwork
from symspec.trigonometric_curves import TrigonometricCurve

from .precision import goal_bits, working_precision

GUARD = 24
FEW_INTERVALS, MORE_INTERVALS, MAX_INTERVALS = 800, 4_000, 200_000
# Intervals narrower than this part of a panel are tried with Taylor's formula.
NARROW = fmpq(1, 64)
Interval = tuple[fmpq, fmpq]


@dataclass(frozen=True)
class CurveSpectrum:
    """``coefficients`` maps m to c_m, a complex ball; ``kinks`` is how many gaps there are, each with at most a few kinks inside."""

    coefficients: dict[int, acb]
    kinks: int


def curve_coefficients(network: ReluNetwork, curve: TrigonometricCurve, modes: Iterable[Any], digits: Any = 20, output: Any = 0) -> CurveSpectrum:
    """The coefficients of the given modes, integers, with an absolute error below 10^-digits times 1 + max |f|.

    Raises InputError for a curve of another dimension or an output that does not exist, Undecided where that is out of reach.
    """
    if curve.dimension != network.inputs:
        raise InputError(f"the curve is in dimension {curve.dimension}, the network takes {network.inputs} inputs")
    out, goal = natural(output, "output"), goal_bits(natural(digits, "digits", 1))
    if out >= network.outputs:
        raise InputError(f"output {out} does not exist: the network has {network.outputs}")
    wanted = [_integer(m) for m in modes]
    order = 2 * curve.frequency + 2
    depth = goal + GUARD
    for factor, most in ((2, FEW_INTERVALS), (6, MORE_INTERVALS), (order + 2, MAX_INTERVALS)):
        with working_precision(factor * depth + 64):
            try:
                found, size, kinks = _Probe(network, curve, out, depth, most).spectrum(wanted)
            except Undecided:
                continue
            if all(value.real.rad().max(value.imag.rad()) <= (1 + size) * arb(2) ** -goal for value in found.values()):
                return CurveSpectrum(found, kinks)
    raise Undecided(f"the coefficients on the curve are not known to {goal} bits with gaps of width 2^-{depth} and at most {MAX_INTERVALS} intervals for a neuron")


def _integer(m: Any) -> int:
    number = exact(m, "mode")
    if not number.is_Integer:
        raise InputError(f"modes are integers, not {m}")
    return int(number)


@dataclass(frozen=True)
class _Wave:
    """v = u . gamma + c, from exact coefficients."""

    u: tuple[fmpq, ...]
    c: fmpq
    curvature: arb

    @property
    def vanishes(self) -> bool:
        return self.c == 0 and all(x == 0 for x in self.u)


@dataclass(frozen=True)
class _Piece:
    """An interval and the exact affine map from gamma to the inputs of the next layer."""

    interval: Interval
    map: AffineLayer


class _Probe:
    def __init__(self, network: ReluNetwork, curve: TrigonometricCurve, output: int, depth: int, most: int) -> None:
        self.network, self.curve, self.output, self.most = network, curve, output, most
        self.order = 2 * curve.frequency + 2
        self.width = fmpq(1, 2**depth)
        self.point = lru_cache(maxsize=200_000)(self._point)
        self.jet = lru_cache(maxsize=20_000)(self._jet)
        self.bends, self.tails = self._largest_derivatives(2), self._largest_derivatives(self.order)
        self.gaps: list[Interval] = []

    def _largest_derivatives(self, n: int) -> list[arb]:
        """Bounds of the derivatives of order n of the coordinates."""
        return [
            sum((arb(fmpq(abs(x).numerator, x.denominator)) * (2 * arb.pi() * m) ** n for m, pair in coordinate.items() for x in pair), arb(0)) for coordinate in self.curve.coordinates
        ]

    def spectrum(self, modes: list[int]) -> tuple[dict[int, acb], arb, int]:
        pieces = self._pieces()
        last = [(piece.interval, self._waves(piece.map)[self.output]) for piece in pieces]
        reach = max(map(abs, modes), default=0)
        totals = [acb(0)] * (2 * reach + 1)
        size = arb(0)
        for (a, b), wave in last:
            self._integrate(wave, a, b, reach, totals)
            size = size.max(abs(self._value(wave, (a + b) / 2)))
        gaps = _merged(self.gaps)
        for a, b in gaps:
            most = arb(b - a) * self._largest(a, b)
            symmetric = arb(0, most.upper())
            totals = [total + acb(symmetric, symmetric) for total in totals]
        return {m: totals[m + reach] for m in modes}, size, len(gaps)

    def _pieces(self) -> list[_Piece]:
        d, count = self.curve.dimension, 4 * self.curve.frequency + 7
        start = AffineLayer(fmpz_mat(d, d + 1, [int(i == j) for i in range(d) for j in range(d + 1)]), 1)
        pieces = [_Piece((fmpq(j, count), fmpq(j + 1, count)), start) for j in range(count)]
        for layer in self.network.layers[:-1]:
            # Pieces of one pattern share their map.
            maps: dict[int, tuple[AffineLayer, list[_Wave]]] = {}
            following: list[_Piece] = []
            for piece in pieces:
                if id(piece.map) not in maps:
                    before = layer.after(piece.map)
                    maps[id(piece.map)] = before, self._waves(before)
                before, waves = maps[id(piece.map)]
                following += self._cut(piece.interval, before, waves)
            pieces = following
        return [_Piece(piece.interval, self.network.layers[-1].after(piece.map)) for piece in pieces]

    def _waves(self, affine: AffineLayer) -> list[_Wave]:
        width, entries = affine.inputs + 1, affine.matrix.entries()
        found = []
        for i in range(affine.outputs):
            row = [fmpq(entry, affine.denominator) for entry in entries[i * width : (i + 1) * width]]
            found.append(_Wave(tuple(row[:-1]), row[-1], sum((abs(arb(u)) * bend for u, bend in zip(row, self.bends, strict=False)), arb(0))))
        return found

    def _cut(self, interval: Interval, before: AffineLayer, waves: list[_Wave]) -> Iterator[_Piece]:
        """The intervals between the gaps of all neurons, with the activation applied."""
        a, b = interval
        gaps = _merged(gap for wave in waves if not wave.vanishes for gap in self._zeros(wave, a, b))
        self.gaps += gaps
        if len(self.gaps) > MAX_INTERVALS:
            raise Undecided(f"the network has more than {MAX_INTERVALS} kinks on the curve")
        patterns: dict[tuple[bool, ...], AffineLayer] = {}
        for low, high in pairwise([a, *(end for gap in gaps for end in gap), b]):
            if (low, high) in gaps or low == high:
                continue
            middle = (low + high) / 2
            pattern = tuple(not wave.vanishes and self._positive(wave, middle) for wave in waves)
            if pattern not in patterns:
                patterns[pattern] = self._activated(before, pattern)
            yield _Piece((low, high), patterns[pattern])

    def _positive(self, wave: _Wave, z: fmpq) -> bool:
        """The sign at a point of an interval without zeros."""
        value = self._value(wave, z)
        if not (value > 0 or value < 0):
            raise Undecided("the sign of a neuron between its zeros on the curve is not decided")
        return bool(value > 0)

    def _activated(self, before: AffineLayer, pattern: tuple[bool, ...]) -> AffineLayer:
        p, q, width = self.network.slope.numerator, self.network.slope.denominator, before.inputs + 1
        entries = [entry * (q if pattern[i // width] else p) for i, entry in enumerate(before.matrix.entries())]
        return AffineLayer(fmpz_mat(before.outputs, width, entries), before.denominator * q)

    def _zeros(self, wave: _Wave, a: fmpq, b: fmpq) -> Iterator[Interval]:
        """Gaps that hold all zeros in [a, b]."""
        stack = [(a, b)]
        count = 0
        while stack:
            low, high = stack.pop()
            count += 1
            if count > self.most:
                raise Undecided("the zeros of a neuron on the curve are not separated")
            middle, r = (low + high) / 2, arb((high - low) / 2)
            value, slope = self._value(wave, middle), self._slope(wave, middle)
            drift = r * wave.curvature
            if abs(value) > r * (abs(slope) + drift / 2) or (high - low < NARROW * (b - a) and self._without_zero(wave, middle, r)):
                continue
            monotone = bool(abs(slope) > drift)
            if monotone:
                left, right = self._value(wave, low), self._value(wave, high)
                if (left > 0 and right > 0) or (left < 0 and right < 0):
                    continue
                gap = self._newton(wave, middle) if (left > 0 and right < 0) or (left < 0 and right > 0) else None
                if gap and low < gap[0] and gap[1] < high:
                    yield gap
                    continue
            if high - low <= self.width:
                yield low, high
            else:
                stack += [(middle, high), (low, middle)]

    def _without_zero(self, wave: _Wave, z: fmpq, r: arb) -> bool:
        """Taylor's formula of high order proves that there is no zero within r of z."""
        derivatives = [sum((x * u for u, x in zip(wave.u, vector, strict=True)), arb(0)) for vector in self.jet(z)]
        reach = sum((abs(arb(u)) * tail for u, tail in zip(wave.u, self.tails, strict=True)), arb(0))
        bound = arb(0)
        for j in range(self.order, 0, -1):
            bound = (bound + (reach if j == self.order else abs(derivatives[j - 1]))) * r / j
        return bool(abs(self._value(wave, z)) > bound)

    def _jet(self, z: fmpq) -> list[list[arb]]:
        """The derivatives of gamma at z of the orders 1 to n - 1."""
        found = []
        for j in range(1, self.order):
            vector = []
            for coordinate in self.curve.coordinates:
                total = arb(0)
                for m, (a, b) in coordinate.items():
                    cosine, sine = arb(2 * m * z).cos_pi(), arb(2 * m * z).sin_pi()
                    # Differentiating j times turns (a, b) by j right angles.
                    p, q = ((a, b), (b, -a), (-a, -b), (-b, a))[j % 4]
                    total += (cosine * fmpq(p.numerator, p.denominator) + sine * fmpq(q.numerator, q.denominator)) * (2 * arb.pi() * m) ** j
                vector.append(total)
            found.append(vector)
        return found

    def _newton(self, wave: _Wave, start: fmpq) -> Interval | None:
        """A gap with different signs at its ends, if Newton's method leads to one."""
        z, limit = start, self.width / 8
        for _ in range(12):
            step = self._value(wave, z) / self._slope(wave, z)
            if not step.is_finite():
                return None
            move = _dyadic(step, self.width)
            z = z - move
            if abs(move) <= limit:
                break
        low, high = z - self.width / 2, z + self.width / 2
        left, right = self._value(wave, low), self._value(wave, high)
        return (low, high) if (left > 0 and right < 0) or (left < 0 and right > 0) else None

    def _point(self, z: fmpq) -> tuple[list[arb], list[arb]]:
        """gamma and gamma' at z."""
        position, velocity = [], []
        waves = {m: (arb(2 * m * z).cos_pi(), arb(2 * m * z).sin_pi()) for coordinate in self.curve.coordinates for m in coordinate}
        for coordinate in self.curve.coordinates:
            value, slope = arb(0), arb(0)
            for m, (a, b) in coordinate.items():
                cosine, sine = waves[m]
                p, q = fmpq(a.numerator, a.denominator), fmpq(b.numerator, b.denominator)
                value += cosine * p + sine * q
                slope += (cosine * q - sine * p) * (2 * m)
            position.append(value)
            velocity.append(slope * arb.pi())
        return position, velocity

    def _value(self, wave: _Wave, z: fmpq) -> arb:
        return sum((x * u for u, x in zip(wave.u, self.point(z)[0], strict=True)), arb(wave.c))

    def _slope(self, wave: _Wave, z: fmpq) -> arb:
        return sum((x * u for u, x in zip(wave.u, self.point(z)[1], strict=True)), arb(0))

    def _largest(self, a: fmpq, b: fmpq) -> arb:
        """An upper bound of |f| on gamma([a, b])."""
        middle, r = (a + b) / 2, arb((b - a) / 2)
        position, velocity = self.point(middle)
        signal = [x + arb(0, (r * (abs(v) + r * bend / 2)).upper()) for x, v, bend in zip(position, velocity, self.bends, strict=True)]
        slope = arb(fmpq(self.network.slope.numerator, self.network.slope.denominator))
        for index, layer in enumerate(self.network.layers):
            column = arb_mat(layer.inputs + 1, 1, [*signal, arb(1)])
            signal = [entry / layer.denominator for entry in (arb_mat(layer.matrix) * column).entries()]
            if index + 1 < len(self.network.layers):
                signal = [z.max(arb(0)) + slope * z.min(arb(0)) for z in signal]
        return abs(signal[self.output]).upper()

    def _integrate(self, wave: _Wave, a: fmpq, b: fmpq, reach: int, totals: list[acb]) -> None:
        """Add the integrals over [a, b] of wave times e^(-2 pi i m z), |m| <= reach."""
        amplitudes: dict[int, acb] = {0: acb(arb(wave.c))}
        for u, coordinate in zip(wave.u, self.curve.coordinates, strict=True):
            for m, (p, q) in coordinate.items():
                cosine, sine = (arb(u * fmpq(x.numerator, x.denominator)) / 2 for x in (p, q))
                amplitudes[m] = amplitudes.get(m, acb(0)) + acb(cosine, -sine)
                amplitudes[-m] = amplitudes.get(-m, acb(0)) + acb(cosine, sine)
        top = reach + self.curve.frequency
        basic = _basic_integrals(a, b, top)
        for m in range(-reach, reach + 1):
            totals[m + reach] = sum((amplitude * basic[n - m + top] for n, amplitude in amplitudes.items()), totals[m + reach])


def _basic_integrals(a: fmpq, b: fmpq, top: int) -> list[acb]:
    """The integrals over [a, b] of e^(2 pi i j z), j = -top..top."""
    starts, ends = (_powers(acb(arb(2 * z).cos_pi(), arb(2 * z).sin_pi()), top) for z in (a, b))
    positive = [acb(arb(b - a))] + [(ends[j] - starts[j]) * acb(0, -1) / (2 * j * arb.pi()) for j in range(1, top + 1)]
    return [*(value.conjugate() for value in reversed(positive[1:])), *positive]


def _powers(base: acb, top: int) -> list[acb]:
    found = [acb(1)]
    for _ in range(top):
        found.append(found[-1] * base)
    return found


def _dyadic(value: arb, width: fmpq) -> fmpq:
    """The midpoint of a ball rounded to a multiple of width / 64: short, so that nothing grows."""
    unit = width / 64
    mantissa, exponent = value.mid().man_exp()
    ratio = fmpq(mantissa) * (fmpq(2) ** int(exponent)) / unit
    return unit * (ratio.p // ratio.q)


def _merged(gaps: Iterable[Interval]) -> list[Interval]:
    """Disjoint gaps in order; those that overlap are joined."""
    found: list[Interval] = []
    for low, high in sorted(gaps, key=lambda gap: Fraction(int(gap[0].p), int(gap[0].q))):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


__all__ = ["CurveSpectrum", "curve_coefficients"]
