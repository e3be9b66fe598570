r"""How a kernel is evaluated at arrays of angles: by a certified polynomial, or by its program.

**Polynomial.** :mod:`numerics.approximate` gives Chebyshev coefficients and a proved bound of
:math:`\sup_{[0,\pi]}|K(\cos\theta)-\sum_jc_jT_j(2\theta/\pi-1)|`. Some 31 terms give double precision for ReLU depth 3 and
some 64 at depth 32, whatever the program costs. :attr:`PolynomialEvaluator.error_bound` adds up what
separates the array that comes out from the kernel, for an exact double angle:

* the truncation, and the rounding of the coefficients to doubles (both proved there), and the last coefficients,
  dropped where they are below a quarter of a unit roundoff;
* the rounding of the evaluation (:attr:`gpu.chebyshev.BlockedSeries.rounding`);
* the rounding of :math:`x=\mathrm{fl}(\mathrm{fl}(\theta c)-1)`, c the double nearest :math:`2/\pi`: at most
  2(2u + u²) from product and constant and u from the difference, so 6u, times
  :math:`\sup|p'|\le\sum_jj^2|c_j|`.

**Polynomial in the correlation.** Kernels whose duals are power series (tanh and its like) are not analytic in the angle at its
ends; :mod:`numerics.correlation_polynomial` gives Chebyshev coefficients in :math:`\rho` itself. The cosine is taken to be right
to 4 units in the last place, 8u, instead of the rounding of x.

**Direct.** The float carrier (:mod:`gpu.carrier`); no bound is claimed.

The angle has an error of its own (:mod:`gpu.tiles`), which the slope of the kernel multiplies; no
bound here speaks of that.

>>> import symspec as ss
>>> chosen = evaluator(ss.mlp(ss.relu, 3).ntk, "auto")
>>> chosen.method, chosen.error_bound < 1e-13
('polynomial', True)
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy

from symspec.errors import InputError, Undecided
from symspec.kernel import Kernel
from symspec.program import RHO

from .carrier import evaluate_array
from .chebyshev import UNIT, BlockedSeries, blocked

logger = logging.getLogger(__name__)
METHODS = ("auto", "polynomial", "direct")
DIGITS = 17
INVERSE_HALF_PI = 2.0 / math.pi
COSINE_ERROR = 8 * UNIT


class Evaluator(Protocol):
    """Values of a kernel at a flat array of angles, in pieces. ``note`` says why a method was taken."""

    @property
    def method(self) -> str: ...
    @property
    def error_bound(self) -> float | None: ...
    @property
    def terms(self) -> int | None: ...
    @property
    def note(self) -> str: ...
    def workspace(self, size: int, xp: Any) -> Any:
        """Buffers for pieces of ``size`` entries; one a thread."""

    def overwrite(self, theta: Any, work: Any, xp: Any) -> None:
        """Replace angles by values."""


@dataclass(frozen=True)
class PolynomialEvaluator:
    """Evaluation by the certified polynomial; ``proved`` is its error, coefficients rounded."""

    series: BlockedSeries
    coefficients: tuple[float, ...]
    proved: float
    method = "polynomial"
    note = "certified polynomial in the angle"

    @property
    def terms(self) -> int:
        return len(self.coefficients)

    @cached_property
    def error_bound(self) -> float:
        """Proved bound of |value - K(cos theta)| for every double theta in [0, pi]."""
        slope = sum(j * j * abs(c) for j, c in enumerate(self.coefficients))
        return 1.01 * (self.proved + self.series.rounding + 6 * UNIT * slope)

    def workspace(self, size: int, xp: Any) -> Any:
        return self.series.workspace(size, xp)

    def overwrite(self, theta: Any, work: Any, xp: Any) -> None:
        theta *= INVERSE_HALF_PI
        theta -= 1.0
        self.series.evaluate(theta, theta, work, xp)


@dataclass(frozen=True)
class CorrelationEvaluator(PolynomialEvaluator):
    """Evaluation by the certified polynomial in the correlation."""

    note = "certified polynomial in the correlation"

    @cached_property
    def error_bound(self) -> float:
        """Proved bound of |value - K(cos theta)| for every double theta in [0, pi]."""
        slope = sum(j * j * abs(c) for j, c in enumerate(self.coefficients))
        return 1.01 * (self.proved + self.series.rounding + COSINE_ERROR * slope)

    def overwrite(self, theta: Any, work: Any, xp: Any) -> None:
        xp.cos(theta, out=theta)
        self.series.evaluate(theta, theta, work, xp)


@dataclass(frozen=True)
class DirectEvaluator:
    """Evaluation by the program on float arrays."""

    kernel: Kernel
    note: str
    method = "direct"
    error_bound = None
    terms = None

    def workspace(self, size: int, xp: Any) -> Any:
        return None

    def overwrite(self, theta: Any, work: Any, xp: Any) -> None:
        values = evaluate_array(self.kernel, theta, xp)
        lost = xp.isnan(values)
        if bool(lost.any()):
            angle = float(theta[xp.argmax(lost)])
            raise Undecided(f"{self.kernel} at the angle {angle:.17g} overflows in double precision and has no certified polynomial; use numerics.evaluate there")
        theta[...] = values


@lru_cache(maxsize=64)
def polynomial_evaluator(kernel: Kernel) -> PolynomialEvaluator:
    """The certified polynomial of a kernel; raises Undecided where there is none."""
    from numerics.approximate import angle_polynomial
    from numerics.correlation_polynomial import correlation_polynomial

    in_correlation = bool(kernel.program.series_duals) and kernel.program.inputs <= {RHO}
    series = correlation_polynomial(kernel, DIGITS) if in_correlation else angle_polynomial(kernel, DIGITS)
    coefficients, proved = series.float_coefficients()
    kept, dropped = trimmed(coefficients)
    kind = CorrelationEvaluator if in_correlation else PolynomialEvaluator
    return kind(blocked(kept), tuple(kept.tolist()), float(proved) + dropped)


def trimmed(coefficients: numpy.ndarray) -> tuple[numpy.ndarray, float]:
    """Without the last coefficients that no double would show, and a bound of what they add.

    A proved degree is larger than the degree needed; |T_j| <= 1 bounds the difference.
    """
    budget = UNIT / 4.0 * float(numpy.abs(coefficients).max())
    kept, dropped = len(coefficients), 0.0
    while kept > 1 and dropped + abs(float(coefficients[kept - 1])) <= budget:
        kept -= 1
        dropped += abs(float(coefficients[kept]))
    return coefficients[:kept], 1.01 * dropped


def evaluator(kernel: Kernel, method: str) -> PolynomialEvaluator | DirectEvaluator:
    """The evaluator for a method; "auto" takes the polynomial where one is proved.

    The fall-back to the direct method is logged once a kernel (logger ``gpu.evaluators``) and said in its note.
    """
    if not isinstance(kernel, Kernel):
        raise InputError(f"gram takes a Kernel of one correlation (net.ck, net.ntk, ...), not {type(kernel).__name__}")
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"method must be auto, polynomial or direct, not {method!r}")
    return _evaluator(kernel, method)


@lru_cache(maxsize=64)
def _evaluator(kernel: Kernel, method: str) -> PolynomialEvaluator | DirectEvaluator:
    if method == "direct":
        return DirectEvaluator(kernel, "the direct method was asked for; no error bound")
    try:
        return polynomial_evaluator(kernel)
    except Undecided as reason:
        if method == "polynomial":
            raise
        note = f"no certified polynomial ({reason}), so direct evaluation without an error bound"
        logger.warning("%s: %s", kernel, note)
        return DirectEvaluator(kernel, note)
