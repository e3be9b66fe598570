r"""Taylor series of kernels along the unit circle of correlations, in complex balls.

A kernel of a network is a power series in rho with non-negative coefficients, so it is analytic in the open
unit disc, and each layer maps the disc into itself. There every angle is the principal one,

.. math:: \theta=-2i\log\bigl(\sqrt{1-w}+i\sqrt w\bigr),\qquad w=\tfrac{1-\Sigma}2,

because cosine and sine of half the angle have positive real parts, and the same holds at the points of the circle other than
:math:`\pm1`, where :math:`\Sigma\ne\pm1`. With :math:`\rho=e^{i(\varphi+x)}` the program of the kernel is read
by truncated power series in x. Programs whose only many-valued operation is the angle can be read so: then no other branch is
in doubt.

>>> import symspec as ss
>>> from .precision import working_precision
>>> with working_precision(80):
...     value, slope = along_circle(ss.mlp(ss.relu, 1).ck, arb.pi() / 2, 2)
...     print(value.str(8, radius=False), slope.str(8, radius=False))
0.16960823 + 0.50000000j -0.50000000 - 0.28054993j
"""

from __future__ import annotations

from typing import Any

import sympy
from flint import acb, acb_series, arb, ctx

from symspec.errors import Undecided
from symspec.kernel import Kernel

from . import complex_disc, real
from .constants import ball
from .precision import working_precision

I = acb(0, 1)
SINGLE_VALUED = frozenset({"constant", "rho", "theta", "archav", "add", "mul", "order", "sin", "cos", "exp", "sinh", "cosh", "erf"})


def require_single_valued(kernel: Kernel) -> None:
    """Raise Undecided where the program holds a root, a logarithm or an inverse function beside the angle."""
    for operation in kernel.program.tape.operations:
        if operation.name not in SINGLE_VALUED and not (operation.name == "pow" and operation.data.is_Integer):
            raise Undecided(f"{kernel} holds the operation {operation.name}, which is not followed along the unit circle")


def along_circle(kernel: Kernel, phi: arb, terms: int) -> list[acb]:
    """Taylor coefficients in x of K(exp(i (phi + x))), 0 < phi < pi; NaN where they could not be enclosed."""
    with working_precision(ctx.prec, terms):
        series = kernel.program.run(table(acb_series([I * phi, I]).exp()))
        return [series[n] for n in range(terms)]


def table(rho: acb_series) -> real.Table:
    """The carrier: the single-valued operations of :data:`symspec.program.OPERATIONS` on series of complex balls."""
    return {
        "constant": lambda expr: acb_series([acb(ball(expr))]),
        "rho": lambda: rho,
        "theta": lambda: archav((1 - rho) / 2),
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "pow": _power,
        "archav": archav,
        "order": lambda value, _order: value,
        "sin": acb_series.sin,
        "cos": acb_series.cos,
        "exp": acb_series.exp,
        "sinh": lambda s: (s.exp() - (-s).exp()) / 2,
        "cosh": lambda s: (s.exp() + (-s).exp()) / 2,
        "erf": acb_series.erf,
    }


def archav(w: acb_series, _symmetry: Any = 0) -> acb_series:
    """The principal angle of a haversine: its derivative is w'/sqrt(w (1-w))."""
    low, high = w.sqrt(), (1 - w).sqrt()
    if not (low[0].real > 0 and high[0].real > 0):
        return acb_series([acb("nan")])
    start = -2 * I * (high[0] + I * low[0]).log()
    return (w.derivative() / (low * high)).integral() + start


def _power(base: acb_series, exponent: sympy.Rational) -> acb_series:
    return real.integer_power(base, int(exponent))


def branched_table(rho: acb_series) -> real.Table:
    """The carrier with the functions that have cuts on their principal branch, NaN where a constant term touches one."""

    def power(base: acb_series, exponent: sympy.Rational) -> acb_series:
        root = base.sqrt() if exponent.q == 2 else base
        if not complex_disc.power(base[0], exponent).is_finite() or (exponent < 0 and root[0].contains(0)):
            return acb_series([complex_disc.NAN])
        if exponent.q > 2:
            return (base.log() * ball(exponent)).exp()
        # The reciprocal first: a power of a wide ball may contain 0 where the ball does not.
        return real.integer_power(root if exponent > 0 else 1 / root, abs(int(exponent.p)))

    def arcsine(x: acb_series) -> acb_series:
        return _integrated(x.derivative() * power(1 - x * x, sympy.Rational(-1, 2)), complex_disc.arcsine(x[0]))

    def logarithm(x: acb_series) -> acb_series:
        return _integrated(x.derivative() / x, complex_disc.log(x[0])) if not x[0].contains(0) else acb_series([complex_disc.NAN])

    return table(rho) | {
        "pow": power,
        "asin": arcsine,
        "acos": lambda x: acb_series([acb.pi() / 2]) - arcsine(x),
        "atan": lambda x: _integrated(x.derivative() * power(1 + x * x, sympy.Integer(-1)), complex_disc.atan(x[0])),
        "log": logarithm,
        "theta": lambda: acb_series([acb.pi() / 2]) - arcsine(rho),
    }


def _integrated(derivative: acb_series, start: acb) -> acb_series:
    return derivative.integral() + start if start.is_finite() else acb_series([complex_disc.NAN])


__all__ = ["along_circle", "branched_table", "require_single_valued", "table"]
