r"""Bounds of the kernels of composed jumps on discs, for the verifier.

Such a kernel is a power series in :math:`\tau=s^{1/r}` at theta = 0, :math:`r=2^{L-1}` for L layers: the dual of an
activation with a jump starts with a multiple of the angle itself, so each layer halves the order of the haversine, and
:math:`w_l` has the exact order :math:`v=2r/2^l` in tau. No ellipse around [0, pi] is at hand; the kernel is bounded on

* :math:`|\tau|\le T<1` at theta = 0: :math:`\sqrt{w_l}=\tau^{v/2}\sqrt{w_l/\tau^v}`, the quotient being analytic at 0;
* :math:`|c|\le S<1` at theta = pi, :math:`\theta=\pi-2\arcsin c`, and :math:`|y-y_0|\le\rho<\min(y_0,1-y_0)`,
  :math:`\theta=2\arcsin\sqrt y`: there the roots are principal ones.

The boundary circle is covered with arcs. On each, the quotient, :math:`1-w_l` and
:math:`e^{i\theta_l/2}=\sqrt{1-w_l}+i\sqrt{w_l}` are shown to stay off (-inf, 0]; then they do inside (argument principle),
the kernel is analytic there, and its bound on the circle holds inside (maximum principle). Kernels are real on the
real axis, so the upper half suffices. Deviations on an arc are bounded by derivatives, layer by layer: powers of tau on an arc
are :math:`T^ne^{in\varphi}`, whose deviation is at most the angle n times the half width.

>>> from numerics.verifier_duals import Piecewise
>>> step = Network(Piecewise((), (fmpq(1),)), 2)
>>> near_is_bounded(step, fmpq(1, 2), fmpq(2)), near_is_bounded(step, fmpq(1, 2), fmpq(11, 10))
(True, False)
"""

from __future__ import annotations

from collections.abc import Callable

from flint import acb, acb_series, arb, fmpq

from .precision import working_precision
from .verifier_duals import Angle, circular
from .verifier_kernels import I, Layer, Network, ball_around, touches_cut

FIRST_ARCS = 16
SHORTEST_ARC = fmpq(1, 2**14)
BITS = 96

Reference = Callable[[int], tuple[acb, acb]]
Arc = Callable[[acb, arb], arb]


def near_is_bounded(network: Network, disc: fmpq, bound: fmpq) -> bool:
    """Whether abs(kernel) <= bound was proved for abs(tau) <= disc < 1."""
    r, size = network.root, arb(disc)

    def on_arc(phase: acb, half: arb) -> arb:
        s, width = (size * phase) ** r, size**r * r * half
        gap = (abs(1 - s * s) - width * (2 * abs(s) + width)).lower()

        def reference(order: int) -> tuple[acb, acb]:
            power = (size * phase) ** (order // 2)
            return power, power * (I * (order // 2) * arb(0, half.upper())).exp()

        return _bound(network, 2 * s.asin(), 2 * width / gap.sqrt(), reference) if gap > 0 else arb("nan")

    return _on_circle(network, on_arc, bound)


def far_is_bounded(network: Network, disc: fmpq, bound: fmpq) -> bool:
    """Whether abs(kernel) <= bound was proved for abs(c) <= disc < 1."""

    def on_arc(phase: acb, half: arb) -> arb:
        c, width = disc * phase, disc * half
        gap = (abs(1 - c * c) - width * (2 * abs(c) + width)).lower()
        return _bound(network, arb.pi() - 2 * c.asin(), 2 * width / gap.sqrt(), _principal) if gap > 0 else arb("nan")

    return _on_circle(network, on_arc, bound)


def panel_is_bounded(network: Network, centre: fmpq, disc: fmpq, bound: fmpq) -> bool:
    """Whether abs(kernel) <= bound was proved for abs(y - centre) <= disc < min(centre, 1 - centre)."""

    def on_arc(phase: acb, half: arb) -> arb:
        y, width = arb(centre) + disc * phase, disc * half
        inner, outer = (abs(y) - width).lower(), (abs(1 - y) - width).lower()
        return _bound(network, 2 * y.sqrt().asin(), width / (inner * outer).sqrt(), _principal) if inner > 0 and outer > 0 else arb("nan")

    return _on_circle(network, on_arc, bound)


def _principal(_order: int) -> tuple[acb, acb]:
    return acb(1), acb(1)


def _on_circle(network: Network, on_arc: Arc, bound: fmpq) -> bool:
    """``on_arc`` takes the middle of an arc of the unit circle and half its angle."""
    with working_precision(BITS + 8 * network.depth, 8):
        arcs = [(fmpq(i, FIRST_ARCS), fmpq(i + 1, FIRST_ARCS)) for i in range(FIRST_ARCS)]
        while arcs:
            start, end = arcs.pop()
            middle = (start + end) / 2
            if not on_arc(acb(middle).exp_pi_i(), arb.pi() * (end - middle)) <= arb(bound):
                if end - start <= SHORTEST_ARC:
                    return False
                arcs += [(start, middle), (middle, end)]
    return True


def _bound(network: Network, theta: acb, spread: arb, reference: Reference) -> arb:
    """A bound of the kernel for angles within ``spread`` of theta; NaN where a branch is in doubt.

    ``reference`` maps the order of a haversine in tau to the middle and a box of tau^(order/2).
    """
    layers, order = network.layers(), 2 * network.root
    if network.sigma_b2 != 0:
        share = network.linear / layers[0].q
        slope = share * ball_around(theta, spread).sin() / 2
        theta, spread = _next(share * (1 - theta.cos()) / 2, abs(slope) * spread, reference(order))
    for index, layer in enumerate(layers):
        if not spread.is_finite():
            return arb("nan")
        w, drift = _haversine(network, layer, theta, spread)
        order //= 2
        if index + 1 < network.depth:
            theta, spread = _next(w, drift, reference(order))
    return (abs(network.scale * layers[-1].after) * (abs(1 - 2 * w) + 2 * drift)).upper()


def _haversine(network: Network, layer: Layer, theta: acb, spread: arb) -> tuple[acb, arb]:
    """The haversine after a layer, and a bound of its deviation."""
    middle = circular(theta)
    w = layer.skip * middle.haversine + layer.gain * (layer.second - network.activation.dual(layer.q, middle)) / 2
    over = acb_series([ball_around(theta, spread), 1], 2)
    angle = Angle(over, over.cos(), over.sin())
    slope = (layer.skip * angle.haversine - layer.gain / 2 * network.activation.dual(layer.q, angle))[1]
    return w, (abs(slope) * spread).upper()


def _next(w: acb, drift: arb, reference: tuple[acb, acb]) -> tuple[acb, arb]:
    """The angle of a haversine, and a bound of its deviation: abs(d theta / dw) = abs(w(1-w))^(-1/2)."""
    drift = drift.upper()
    inner, outer = (abs(w) - drift).lower(), (abs(1 - w) - drift).lower()
    middle = _half_exponential(w, reference[0])
    if middle is None or not (inner > 0 and outer > 0) or _half_exponential(ball_around(w, drift), reference[1]) is None:
        return w, arb("nan")
    return -2 * I * middle.log(), (drift / (inner * outer).sqrt()).upper()


def _half_exponential(w: acb, reference: acb) -> acb | None:
    quotient = w / (reference * reference)
    if touches_cut(quotient) or touches_cut(1 - w):
        return None
    value = (1 - w).sqrt() + I * reference * quotient.sqrt()
    return None if touches_cut(value) else value


__all__ = ["far_is_bounded", "near_is_bounded", "panel_is_bounded"]
