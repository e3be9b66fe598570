r"""Bounds of kernels on discs that reach beyond [0, pi], by the maximum principle, where no ellipse is at hand.

A kernel of composed jumps is a power series in :math:`\tau=s^{1/m}` at :math:`\theta=0`, so no neighbourhood of the whole
interval exists on which it is analytic. It is bounded on each disc by itself: the boundary circle is covered with small
discs, the branches being decided there (:mod:`numerics.complex_disc` explains why the boundary is enough).

* A disc :math:`|y-y_0|\le\rho` that avoids 0 and 1 lies in :math:`|\theta-\theta_0|\le\rho/\sqrt{(y_0-\rho)(1-y_0-\rho)}`.
* On :math:`|\tau|\le T` a haversine w of proved order v in :math:`\tau` is :math:`\tau^v` times an analytic function, whose
  root is taken: :math:`\sqrt w=\tau^{v/2}\sqrt{w/\tau^v}`.
* On :math:`|c|\le S`, at :math:`\theta=\pi`, the disc lies in :math:`|\theta-\pi|\le2\arcsin S`.

>>> import symspec as ss
>>> from symspec.network import mlp
>>> kernel = mlp(ss.step, 2).ck
>>> bound = near_end(kernel, arb("0.5"))
>>> bool(bound is not None and bound > 1 and bound < 3)
True
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import acb, arb

from symspec.kernel import Kernel

from . import complex_disc
from .complex_disc import DiscBounds
from .precision import working_precision

PRECISION = 80
FIRST_ARCS = 16
MAX_HALVINGS = 9

def _arcs(evaluate: Callable[[arb], arb]) -> arb | None:
    """The largest bound over arcs of the upper half circle (kernels are real on the real axis), or None.

    ``evaluate`` takes an arc as a ball of shares of the half circle, and answers NaN where it is too long.
    """
    largest = arb(0)
    stack = [(i, FIRST_ARCS, 0) for i in range(FIRST_ARCS)]
    while stack:
        index, count, depth = stack.pop()
        value = evaluate(arb(2 * index + 1) / (2 * count) + arb(0, arb(1) / (2 * count)))
        if value.is_finite():
            largest = largest.max(value)
        elif depth == MAX_HALVINGS:
            return None
        else:
            stack += [(2 * index, 2 * count, depth + 1), (2 * index + 1, 2 * count, depth + 1)]
    return largest.upper()


def around_angle(kernel: Kernel, theta: arb, radius: arb) -> arb | None:
    """An upper bound of |K| for angles in the complex disc, which must avoid 0; None where none was found."""
    with working_precision(PRECISION + 2 * len(kernel.program.lines)):
        bounds = DiscBounds(kernel.program)

        def evaluate(share: arb) -> arb:
            centre = theta + radius * acb(share.mid()).exp_pi_i()
            # The radius of the ball is exact, so this is the length of half the arc and more than its chord.
            value, spread = bounds.bound(centre, (radius * arb.pi() * share.rad()).upper())
            return (value + spread).upper() if spread < 1 + value else arb("nan")

        return _arcs(evaluate)


def panel(kernel: Kernel, centre: arb, disc: arb) -> arb | None:
    """An upper bound of |K| for |y - centre| <= disc, disc < centre, 1 - centre."""
    radius = disc / ((centre - disc) * (1 - centre - disc)).sqrt()
    theta = 2 * centre.sqrt().asin()
    if not (radius < theta and radius < arb.pi() - theta):
        return None
    return around_angle(kernel, theta, radius.upper())


def far_end(kernel: Kernel, disc: arb) -> arb | None:
    """An upper bound of |K| for |c| <= disc."""
    return around_angle(kernel, arb.pi(), (2 * disc.asin()).upper())


def near_end(kernel: Kernel, disc: arb) -> arb | None:
    """An upper bound of |K| for |tau| <= disc, tau the root of s in which K is a power series at rho = 1."""
    with working_precision(PRECISION + 2 * len(kernel.program.lines)):
        bounds, root = DiscBounds(kernel.program), int(kernel.ramification)
        orders = {line.symbol: int(line.order * root) for line in kernel.program.lines if line.order is not None}

        def evaluate(share: arb) -> arb:
            arc = _Arc(disc, share)
            value, spread = bounds.propagate(*arc.angle(root), lambda w, value, spread, _symmetry: arc.of_haversine(value, spread, orders.get(w)))
            return (value + spread).upper() if spread < 1 + value else arb("nan")

        return _arcs(evaluate)


@dataclass(frozen=True)
class _Arc:
    """tau = radius exp(i pi share), share a ball: in polar form, where boxes would overestimate high powers."""

    radius: arb
    share: arb

    @property
    def half(self) -> arb:
        """Half the angle of the arc."""
        return (arb.pi() * self.share.rad()).upper()

    def power(self, n: int) -> acb:
        """tau^n at the middle of the arc."""
        return acb(n * self.share.mid()).exp_pi_i() * self.radius**n

    def angle(self, root: int) -> tuple[acb, arb]:
        """theta = 2 arcsin tau^root in the middle, and its deviation on the arc: |d theta| <= 2 root |s|/sqrt(1-|s|^2) d phi."""
        size = self.radius**root
        return 2 * complex_disc.arcsine(self.power(root)), (2 * root * size / (1 - size**2).sqrt() * self.half).upper()

    def of_haversine(self, w: acb, spread: arb, order: int | None) -> tuple[acb, arb]:
        """The angle of a haversine of proved order, by the mean value theorem: |d theta/d w| = 1/sqrt|w(1-w)|.

        w/tau^order varies by a relative amount that is bounded, and must not reach the negative axis.
        """
        inner, outer = (abs(w) - spread).lower(), (abs(1 - w) - spread).lower()
        if order is None or order % 2 or not (inner > 0 and outer > 0):
            return complex_disc.NAN, arb("nan")
        reference = self.power(order // 2)
        ratio, relative = w / (reference * reference), spread / abs(w)
        # |exp(-i order delta) - 1| <= order delta on the arc.
        drift = (1 + relative) * (1 + order * self.half) - 1
        root = reference * ratio.sqrt()
        if not (complex_disc.avoids_ray(ratio, abs(ratio) * drift) and complex_disc.avoids_cuts(root, abs(root) * relative)):
            return complex_disc.NAN, arb("nan")
        return 2 * complex_disc.arcsine(root), (spread / (inner * outer).sqrt()).upper()


__all__ = ["around_angle", "far_end", "near_end", "panel"]
