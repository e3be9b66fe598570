r"""The kernel of a certificate, recomputed from its description alone.

This module shares no code with the engine that makes certificates; :mod:`numerics.verifier` uses it.

Layers hand on the angle: with :math:`w=(1-\cos\theta_l)/2` of the next pair, :math:`e^{i\theta_l/2}=\sqrt{1-w}+i\sqrt w`. The
same recursion runs on balls and on

* *power series*, in :math:`s=\sin(\theta/2)` at theta = 0, :math:`c=\cos(\theta/2)` at pi, or :math:`y=s^2` between. By the orders of
  the duals (:mod:`numerics.verifier_duals`) w has order exactly 2 in s for a continuous activation, and no odd power below
  2p+1; these coefficients are set to zero, and :math:`\sqrt w` is taken after s^2 is divided out;
* *discs* on a closed curve around [0, pi]. With references :math:`R_0,C_0` that vanish where w and 1-w do,
  :math:`R=R_0\sqrt{w/R_0^2}` and :math:`C=C_0\sqrt{(1-w)/C_0^2}` are continued, and :math:`\theta_l=-2i\log(C+iR)`. By induction the
  quotients are analytic inside, and C+iR has no zero, as :math:`C^2+R^2=1`. If the quotients and C+iR stay off (-inf, 0]
  on the curve, they do inside (argument principle). If the kernel is neither even nor odd, only w(0) = 0:
  :math:`R_0=\sin(\theta/2),C_0=1`; if it is even, w vanishes at pi too: :math:`R_0=\sin\theta`; if it is odd, w = 1 there:
  :math:`C_0=\cos(\theta/2)`. Deviations from the centre of a disc are bounded by :math:`dw/d\theta` and
  :math:`|d\theta_l/dw|=|w(1-w)|^{-1/2}` over the disc, so that many layers cost no overestimation;
* *degrees* that the power series in rho reaches.

>>> from flint import arb, fmpq
>>> relu = Piecewise((), (fmpq(0), fmpq(1)))
>>> print(Network(relu, 3).value(circular(arb.pi() / 2)).str(12, radius=False))
0.604825720113
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import gcd, inf
from typing import Any

from flint import acb, arb, arb_series, fmpq

from symspec.errors import CertificateError

from .verifier_duals import Angle, Carrier, Degree, Piecewise, Reach, Smooth, circular, followed

I = acb(0, 1)
NEITHER, EVEN, ODD = 0, 1, -1
ZERO, ONE = fmpq(0), fmpq(1)
MAX_ROOT = 128  # depth 8


@dataclass(frozen=True)
class Layer:
    """w = (skip (1 - cos) + gain (E sigma^2 - E sigma(u) sigma(v))) / 2 for variances q that enter."""

    q: arb
    second: arb
    skip: arb
    gain: arb
    weight: arb  # what the dual of the derivative is multiplied by
    after: arb


@dataclass(frozen=True)
class Network:
    """A network and one of its kernels; None for sigma_w2 is the normalised recursion, alpha is that of a residual one."""

    activation: Any  # Piecewise, or Smooth for at_correlation alone
    depth: int
    kind: str = "ck"
    part: int = 0
    sigma_w2: fmpq | None = None
    sigma_b2: fmpq = ZERO
    input_variance: fmpq = ONE
    alpha: fmpq | None = None
    drop_deltas: bool = False
    scale: fmpq = ONE

    def __post_init__(self) -> None:
        if isinstance(self.activation, Smooth):
            return
        jumps = self.activation.break_order == 0
        if jumps and self.depth > 1 and self.kind != "ck":
            raise CertificateError("kernel", "of an activation with a jump at depth 2 or more, only the conjugate kernel is supported")
        if self.root > MAX_ROOT:
            raise CertificateError("kernel", f"an activation with a jump is supported up to depth {MAX_ROOT.bit_length()}")
        if jumps and self.slopes and not self.drop_deltas:
            raise CertificateError("kernel", "the tangent kernel of an activation with a jump is infinite on the diagonal")
        if self.activation.break_order == inf or self.activation.vanishes:
            raise CertificateError("kernel", "the activation is a polynomial, so the kernel has no power law")

    @cached_property
    def slope(self) -> Piecewise:
        return self.activation.derivative()

    @property
    def slopes(self) -> bool:
        """Whether the kernel reads the dual of the derivative."""
        if self.alpha is not None:
            return self.kind != "ck" and not (self.kind == "layer" and self.part == 2 * self.depth)
        return self.kind != "ck" and not (self.kind == "layer" and self.part == self.depth + 1)

    @cached_property
    def symmetry(self) -> int:
        """EVEN or ODD if every layer's kernel is, else NEITHER."""
        even, odd = (self.activation.part(p).vanishes for p in (1, 0))
        if self.sigma_b2 != 0 or (even and self.alpha is not None):
            return NEITHER
        return EVEN if even else ODD if odd else NEITHER

    @cached_property
    def root(self) -> int:
        """The kernel is a power series in s^(1/root) at theta = 0: each jump after the first halves the order of a haversine."""
        return 2 ** (self.depth - 1) if not isinstance(self.activation, Smooth) and self.activation.break_order == 0 else 1

    @property
    def far_root(self) -> int:
        """The kernel is a power series in c^(1/far_root) at theta = pi."""
        return self.root if self.symmetry != NEITHER else 1

    def surely_lacks(self, j: fmpq, parity: int) -> bool:
        """Whether s^j, j no even integer, has no coefficient in the sum of both ends, by the orders of the duals."""
        return j * self.root < 1 if self.root > 1 else bool(int(j.floor()) < self.first_odd_power(parity))

    def first_odd_power(self, parity: int) -> Degree:
        """No smaller odd power of s has a coefficient in the sum of both ends for this parity.

        Without biases and at depth 1 the even and the odd part of the activation do not mix.
        """
        apart = self.depth == 1 and self.sigma_b2 == 0
        read = self.activation.part(parity) if apart else self.activation
        slope = (self.slope.part(1 - parity) if apart else self.slope).first_odd_power() if self.slopes else inf
        return min(read.first_odd_power(), slope)

    def layers(self) -> list[Layer]:
        """The constants of every layer at the working precision."""
        found, q = [], self.linear + self.sigma_b2 * arb(1)
        for _ in range(self.depth):
            second = self.activation.second_moment(q)
            if self.alpha is not None:
                square = arb(self.alpha) ** 2
                layer = Layer(q, second, 1 / (1 + square), square / ((1 + square) * second), 1 / second, arb(1))
            elif self.sigma_w2 is None:
                layer = Layer(q, second, arb(0), 1 / second, 1 / second, arb(1))
            else:
                after = self.sigma_w2 * second + self.sigma_b2
                layer = Layer(q, second, arb(0), self.sigma_w2 / after, arb(self.sigma_w2), after)
            found.append(layer)
            q = layer.after
        return found

    @property
    def linear(self) -> arb:
        return arb(1) if self.sigma_w2 is None else arb(self.sigma_w2 * self.input_variance)

    def value(self, start: Angle, follow: Callable[[Carrier], Angle] = followed, cleared: Callable[[Carrier], Carrier] = lambda w: w) -> Carrier:
        """The kernel at an angle; ``follow`` turns a haversine into the next angle, ``cleared`` sets to zero what is known to be."""
        layers, linear = self.layers(), self.linear
        w, angle = start.haversine, start
        if self.sigma_b2 != 0:
            w = linear / layers[0].q * w
            angle = follow(w)
        signals, duals, slopes = [layers[0].q * (1 - 2 * w)], [], []
        for index, layer in enumerate(layers, start=1):
            value = self.activation.dual(layer.q, angle)
            w = cleared((layer.skip * 2 * w + layer.gain * (layer.second - value)) / 2)
            if self.slopes:
                slopes.append(layer.weight * self.slope.dual(layer.q, angle))
            duals.append(value / layer.second)
            signals.append(layer.after * (1 - 2 * w))
            angle = follow(w) if index < self.depth else angle
        return self._read(signals, duals, slopes) * arb(self.scale)

    def _read(self, signals: list[Carrier], duals: list[Carrier], slopes: list[Carrier]) -> Carrier:
        if self.kind == "ck":
            return signals[-1]
        if self.alpha is None:
            first = 0 if self.kind == "ntk" else self.part - 1
            total = signals[first]
            for index in range(first, self.depth):
                total = total * slopes[index] + (signals[index + 1] if self.kind == "ntk" else 0)
            return total
        square, total = arb(self.alpha) ** 2, 0 * signals[0]
        for index in range(self.depth):
            if slopes:
                total = total * (1 + square * slopes[index]) / (1 + square)
            if self.kind == "ntk" or self.part == 2 * index + 1:
                total += signals[index] * slopes[index]
            if self.kind == "ntk" or self.part == 2 * index + 2:
                total += duals[index]
        return total / (2 * self.depth)

    def near(self, size: int) -> arb_series:
        """The kernel in s^(1/root) at theta = 0, ``size`` terms; the working length must be larger by depth + 2 root + 3."""
        if self.root > 1:
            return self._near_in_root(size)
        s = arb_series([0, 1])
        odd = self.activation.first_odd_power()
        root = (1 - s * s).sqrt()
        value = self.value(Angle(2 * s.asin(), 1 - 2 * s * s, 2 * s * root), _expanded_root, lambda w: _without(w, (0,), odd))
        return cut(_without(value, (), self._first_odd), size)

    def _near_in_root(self, size: int) -> arb_series:
        """A dual with a jump starts with a multiple of the angle: the order v of the haversine in tau is halved by each layer."""
        s = arb_series([0] * self.root + [1])
        orders = iter([2 * self.root] * (self.sigma_b2 != 0) + [2 * self.root >> index for index in range(1, self.depth)])
        value = self.value(_angle(s * s, s), lambda w: _expanded_root(w, next(orders)))
        return cut(value, size)

    def far(self, size: int) -> arb_series:
        """The kernel in c at theta = pi."""
        if self.symmetry != NEITHER:
            return self.near(size) * self.symmetry
        c = arb_series([0, 1])
        odd = inf if self.sigma_b2 != 0 else self.activation.first_odd_power()
        value = self.value(Angle(arb.pi() - 2 * c.asin(), 2 * c * c - 1, 2 * c * (1 - c * c).sqrt()), _interior, lambda w: _without(w, (), odd))
        return cut(_without(value, (), inf if self.sigma_b2 != 0 else self._first_odd), size)

    def around(self, y: arb_series) -> arb_series:
        """The kernel as a series, y = sin(theta/2)^2 given as one with constant term in (0, 1)."""
        return self.value(_interior(y), _interior)

    @property
    def _first_odd(self) -> Degree:
        return min(self.activation.first_odd_power(), self.slope.first_odd_power() if self.slopes else inf)

    def on_disc(self, centre: acb, radius: arb) -> arb:
        """A bound of the kernel on a disc of angles, NaN where a branch is in doubt."""
        base, layers, boxes = ball_around(centre, radius), self.layers(), []
        theta, spread = centre, radius
        if self.sigma_b2 != 0:
            share = self.linear / layers[0].q
            theta, spread = self._next(share * (1 - centre.cos()) / 2, abs(base.sin()) * share / 2 * radius, centre, base)
            boxes.append(circular(ball_around(theta, spread)))
        for layer in layers[:-1]:
            over, middle = circular(ball_around(theta, spread)), circular(theta)
            slope = over.sine / 2 * (layer.skip + layer.gain * layer.q * self.slope.dual(layer.q, over))
            w = layer.skip * middle.haversine + layer.gain * (layer.second - self.activation.dual(layer.q, middle)) / 2
            theta, spread = self._next(w, (abs(slope) * spread).upper(), centre, base)
            if not spread.is_finite():
                return arb("nan")
            boxes.append(circular(ball_around(theta, spread)))
        rest = iter(boxes)
        return abs(self.value(circular(base), lambda _: next(rest))).upper()

    def _next(self, w: acb, drift: arb, centre: acb, base: acb) -> tuple[acb, arb]:
        """The next angle at the centre, and a bound of its deviation on the disc."""
        inner, outer = (abs(w) - drift).lower(), (abs(1 - w) - drift).lower()
        middle = _half_exponential(w, centre, self.symmetry)
        if middle is None or not (inner > 0 and outer > 0) or _half_exponential(ball_around(w, drift), base, self.symmetry) is None:
            return centre, arb("nan")
        return -2 * I * middle.log(), (drift / (inner * outer).sqrt()).upper()

    def reach(self) -> Reach:
        """The degrees that the power series of the kernel reaches at most."""
        constant = Reach(0, -1) if self.sigma_b2 != 0 else Reach(-1, -1)
        signals, duals, slopes = [Reach(-1, 1) + constant], [], []
        for _ in range(self.depth):
            inner = signals[-1]
            duals.append(self.activation.support().of(inner))
            slopes.append(self.slope.support().of(inner))
            signals.append(duals[-1] + constant + (inner if self.alpha is not None else Reach(-1, -1)))
        return self._read(signals, duals, slopes if self.slopes else [])

    def at_correlation(self, rho: arb) -> arb:
        """A smooth kernel at rho >= 0, proved to be analytic on [0, rho]: covariances increase and stay below the dual's singularity."""
        layers = self.layers()
        c = self.linear * rho + self.sigma_b2
        signals, duals, slopes = [c], [], []
        for index, layer in enumerate(layers, start=1):
            if not c < self.activation.barrier(layer.q):
                raise CertificateError("geometric", f"layer {index} could not be shown to be analytic up to the radius")
            value = self.activation.dual(layer.q, arb_series([c, 1], 2))
            duals.append(value[0] / layer.second)
            slopes.append(layer.weight * value[1])
            c = layer.after * (layer.skip * c + layer.gain * value[0]) + self.sigma_b2
            signals.append(c)
        return self._read(signals, duals, slopes) * arb(self.scale)


def _without(series: arb_series, powers: tuple[int, ...], odd: Degree) -> arb_series:
    """Set to zero what is known to vanish: these powers, and the odd ones below ``odd``."""
    known = [0 if n in powers or (n % 2 and n < odd) else series[n] for n in range(series.prec)]
    return arb_series(known, series.prec)


def cut(series: arb_series, size: int) -> arb_series:
    """The first ``size`` terms, all of which must be known."""
    if series.prec < size:
        raise ArithmeticError(f"a series of {size} terms is known to {series.prec} only")
    return arb_series([series[n] for n in range(size)], size)


def _expanded_root(w: arb_series, order: int = 2) -> Angle:
    """The angle of a haversine of this even order; what lies below it is set to zero."""
    known = arb_series([0] * order + [w[n] for n in range(order, w.prec)], w.prec)
    root = _square_root(arb_series([w[n + order] for n in range(w.prec - order)], w.prec - order))
    half = order // 2
    return _angle(known, arb_series([0] * half + [root[n] for n in range(root.prec)], root.prec + half))


def _interior(w: arb_series) -> Angle:
    """The angle where 0 < w(0) < 1, by d theta = dw/sqrt(w (1-w)): one root for all three series."""
    square = w * (1 - w)
    inverse = square.rsqrt()
    return Angle((w.derivative() * inverse).integral() + 2 * w[0].sqrt().asin(), 1 - 2 * w, 2 * square * inverse)


def _angle(w: arb_series, root: arb_series) -> Angle:
    """The cosine of the half angle is sqrt(1-w), and root' = (theta/2)' times it."""
    other = _square_root(1 - w)
    return Angle(2 * ((root.derivative() / other).integral() + root[0].asin()), 1 - 2 * w, 2 * root * other)


def _square_root(series: arb_series) -> arb_series:
    """The root as a series in the highest power of the variable in which it is one; FLINT's aborts on series with long gaps."""
    gap = gcd(*(n for n in range(series.prec) if not series[n].is_zero())) or 1
    short = arb_series([series[n] for n in range(0, series.prec, gap)], -(-series.prec // gap)).sqrt()
    values = [arb(0)] * series.prec
    values[::gap] = [short[i] for i in range(-(-series.prec // gap))]
    return arb_series(values, series.prec)


def _half_exponential(w: acb, theta: acb, symmetry: int) -> acb | None:
    """exp(i theta_l/2) continued, or None where a branch is in doubt."""
    half = theta / 2
    low = theta.sin() if symmetry == EVEN else half.sin()
    high = half.cos() if symmetry == ODD else acb(1)
    left, right = w / (low * low), (1 - w) / (high * high)
    if touches_cut(left) or touches_cut(right):
        return None
    value = high * right.sqrt() + I * low * left.sqrt()
    return None if touches_cut(value) else value


def touches_cut(z: acb) -> bool:
    """Whether the box may meet (-inf, 0]."""
    return not (z.is_finite() and (z.real > 0 or z.imag > 0 or z.imag < 0))


def ball_around(centre: acb, radius: arb) -> acb:
    side = arb(0, radius.upper())
    return centre + acb(side, side)


__all__ = ["MAX_ROOT", "I", "Layer", "Network", "ball_around", "cut", "touches_cut"]
