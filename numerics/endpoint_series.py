r"""Power series of kernels in the half-angle, in balls: at both ends of [0, pi] and between.

With :math:`y=(1-t)/2=\sin^2(\theta/2)` a kernel that is analytic in the angle has the expansions

.. math:: \kappa=\sum_ja_js^j\;(s=\sqrt y,\ \text{at }\theta=0),\qquad
          \kappa=\sum_jb_jc^j\;(c=\sqrt{1-y},\ \text{at }\theta=\pi),\qquad
          \kappa=\sum_n\kappa_n(y-y_0)^n\;(0<y_0<1).

Where jumps are composed, the variable at :math:`\theta=0` is a root :math:`\tau=s^{1/m}`
(:attr:`symspec.kernel.Kernel.ramification`).

The program of the kernel is read by truncated power series of balls. At :math:`\theta=0` the haversine
w that a layer hands on vanishes to an order that is a theorem (:attr:`symspec.program.Line.order`): the
coefficients below it are set to zero exactly, and the square root is taken after the power of s
has been factored out, for a root of a series with zero constant term does not exist in balls.

>>> import symspec as ss
>>> from .precision import working_precision
>>> with working_precision(100):
...     a = at_end(ss.mlp(ss.relu, 3).ck, +1, 4)
...     print([x.str(12, radius=False) for x in a])
['1.00000000000', '0', '-2.00000000000', '2.54647908947']

(that is :math:`1-2s^2+\tfrac8\pi s^3`, since :math:`1-\rho=2s^2`).
"""

from __future__ import annotations

import sympy
from flint import arb, arb_series, ctx

from symspec.errors import Undecided
from symspec.functions import EVEN, NEITHER
from symspec.kernel import Kernel

from . import power_series, real
from .precision import working_precision


def at_end(kernel: Kernel, end: int, terms: int) -> list[arb]:
    """Coefficients of tau^j (end = +1) or c^j (end = -1), j < terms, at the working precision; tau = s^(1/root).

    At the far end of an even or odd kernel the variable is c^(1/root): see :func:`roots`. Raises Undecided for a
    kernel that has no such expansion, or none that the program shows.
    """
    if end < 0 and kernel.symmetry != NEITHER:
        near = at_end(kernel, +1, terms)
        return near if kernel.symmetry == EVEN else [-a for a in near]
    with working_precision(ctx.prec, terms + 2):
        root = kernel.ramification if end > 0 else 1
        # FLINT's power of a series without constant term aborts for some exponents.
        s = arb_series([0] * root + [1])
        near = 2 * s.asin()
        theta = near if end > 0 else arb.pi() - near
        rho = end * (1 - 2 * s * s)
        ordered = (lambda w, order: _ordered(w, order * root)) if end > 0 else (lambda w, _order: w)
        rules = power_series.table(rho, theta) | {"archav": _archav, "order": ordered}
        series = _run(kernel, rules)
        return [series[j] for j in range(terms)]


def roots(kernel: Kernel) -> tuple[int, int]:
    """The roots of s at rho = 1 and of c at rho = -1 in which the kernel is a power series there."""
    root = int(kernel.ramification)
    return root, root if kernel.symmetry != NEITHER else 1


def at_haversine(kernel: Kernel, centre: arb, terms: int) -> list[arb]:
    """kappa_n, n < terms, of the Taylor series in y about 0 < centre < 1, at the working precision."""
    with working_precision(ctx.prec, terms):
        y = arb_series([centre, 1])
        series = _run(kernel, power_series.table(1 - 2 * y, 2 * y.sqrt().asin()))
        return [series[n] for n in range(terms)]


def _run(kernel: Kernel, rules: real.Table) -> arb_series:
    try:
        series = kernel.program.run(rules)
    except (ValueError, ZeroDivisionError):
        raise Undecided("the program of the kernel divides by a function that vanishes at the point of expansion") from None
    if not all(c.is_finite() for c in series):
        raise Undecided("the program of the kernel has no power series at the point of expansion, or none that balls can follow")
    return series


def _ordered(w: arb_series, order: sympy.Rational) -> arb_series:
    """With the coefficients below the proved order set to zero."""
    return arb_series([arb(0) if j < order else w[j] for j in range(len(w))])


def _archav(w: arb_series, _symmetry: int) -> arb_series:
    """2 arcsin sqrt(w), a power of the variable being taken out of the root."""
    lowest = next((j for j in range(len(w)) if w[j] != 0 or not w[j].is_exact()), None)
    if lowest is None or lowest % 2:
        return arb_series([arb("nan")])
    if lowest == 0:
        return 2 * w.sqrt().asin()
    root = arb_series([w[j] for j in range(lowest, len(w))]).sqrt()
    shifted = arb_series([arb(0)] * (lowest // 2) + [root[j] for j in range(len(root))])
    return 2 * shifted.asin()


__all__ = ["at_end", "at_haversine", "roots"]
