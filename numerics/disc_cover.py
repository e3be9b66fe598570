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

import sympy
from flint import acb, arb

from symspec.functions import archav as archav_head
from symspec.kernel import Kernel
from symspec.program import THETA0, compile_lines

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
        reader = _NearEnd(kernel)

        def evaluate(share: arb) -> arb:
            value = reader.value(disc, share)
            # A box that is far wider than the value is worth another halving.
            return abs(value).upper() if value.is_finite() and value.real.rad() + value.imag.rad() < 1 else arb("nan")

        return _arcs(evaluate)


class _NearEnd:
    """The program of a kernel on arcs of a circle in tau, in polar form: boxes would overestimate high powers."""

    def __init__(self, kernel: Kernel) -> None:
        self.root = int(kernel.ramification)
        steps = [(line.symbol, line.expr) for line in kernel.program.lines] + [(None, kernel.program.output)]
        self.orders = {line.symbol: int(line.order * self.root) for line in kernel.program.lines if line.order is not None}
        self.steps = [(symbol, expr, None if isinstance(expr, archav_head) else compile_lines((), (expr,), _inputs(expr))) for symbol, expr in steps]

    def value(self, radius: arb, share: arb) -> acb:
        """K at tau = radius exp(i pi share)."""
        s = _power(radius, share, self.root)
        theta = 2 * complex_disc.arcsine(s)
        values: dict[str, acb] = {}
        table = complex_disc.table(theta, 1 - 2 * s * s, values.__getitem__)
        values[THETA0.name] = theta
        result = acb("nan")
        for symbol, expr, tape in self.steps:
            result = self._angle(values, expr.args[0], radius, share) if tape is None else tape.run(table)[0]
            if not result.is_finite():
                return complex_disc.NAN
            if symbol is not None:
                values[symbol.name] = result
        return result

    def _angle(self, values: dict[str, acb], w: sympy.Symbol, radius: arb, share: arb) -> acb:
        order = self.orders.get(w)
        if order is None or order % 2:
            return complex_disc.NAN
        reference = _power(radius, share, order // 2)
        return 2 * complex_disc.arcsine(reference * complex_disc.sqrt(values[w.name] / (reference * reference)))


def _power(radius: arb, share: arb, n: int) -> acb:
    """tau^n for tau = radius exp(i pi share)."""
    return acb(n * share).exp_pi_i() * radius**n


def _inputs(expr: sympy.Expr) -> tuple[sympy.Symbol, ...]:
    return tuple(sorted((symbol for symbol in expr.free_symbols if symbol.name not in ("rho", "theta_0")), key=str))


__all__ = ["around_angle", "far_end", "near_end", "panel"]
