r"""Certified polynomials in the angle.

For a network whose duals are singular at :math:`\rho=\pm1` only, :math:`f(\theta)=K(\cos\theta)` is
analytic on [0, pi] and in an ellipse around it. On the Bernstein ellipse :math:`E_r` with
foci 0 and pi, if :math:`|f|\le M`, the Chebyshev interpolant of degree n in
:math:`x=2\theta/\pi-1` satisfies :math:`\|f-p\|_\infty\le4Mr^{-n}/(r-1)` (Trefethen, Approximation
Theory and Practice, theorem 8.2).

M is bounded by covering the boundary of the ellipse with discs (:mod:`numerics.complex_disc`); the
maximum principle does the rest. The Chebyshev coefficients are computed in balls and then
replaced by their exact dyadic midpoints, the radii being added to the error: from there on the
polynomial is an exact object.

>>> from symspec.network import mlp
>>> import symspec as ss
>>> p = angle_polynomial(mlp(ss.relu, 3).ntk, digits=16)
>>> p.degree < 60, bool(p.error < arb("1e-15"))
(True, True)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from flint import acb, arb

from symspec.errors import Undecided
from symspec.kernel import Kernel

from .complex_disc import DiscBounds
from .precision import goal_bits, working_precision
from .values import at_angle

ELLIPSE_PRECISION = 64
MAX_HALVINGS = 11
FIRST_ARCS = 12
RATIOS = (64.0, 24.0, 12.0, 7.0, 4.5, 3.2, 2.8, 2.5, 2.2, 2.0, 1.8, 1.65, 1.5, 1.4, 1.3, 1.2, 1.12, 1.07, 1.04, 1.02)
MAX_POLYNOMIAL_DEGREE = 20_000


@dataclass(frozen=True)
class ChebyshevSeries:
    """sum_j c_j T_j(x) with exact c_j, within ``error`` of a function on [-1, 1]."""

    coefficients: tuple[arb, ...]
    error: arb

    @property
    def degree(self) -> int:
        return len(self.coefficients) - 1

    @cached_property
    def _floats(self) -> tuple[np.ndarray, float]:
        rounded = np.array([float(c) for c in self.coefficients])
        with working_precision(128):
            drift = sum((abs(c - arb(float(r))) for c, r in zip(self.coefficients, rounded, strict=True)), arb(0))
            total = (drift + self.error).upper()
            bound = float(total)
            while not arb(bound) >= total:
                bound = float(np.nextafter(bound, np.inf))
        return rounded, bound

    def float_coefficients(self) -> tuple[np.ndarray, float]:
        """float64 coefficients, and a bound of their polynomial's distance to the kernel."""
        return self._floats

    def value(self, x: arb) -> arb:
        """The polynomial by Clenshaw's recurrence, without the error."""
        b1, b2 = arb(0), arb(0)
        for c in reversed(self.coefficients[1:]):
            b1, b2 = c + 2 * x * b1 - b2, b1
        return self.coefficients[0] + x * b1 - b2


@dataclass(frozen=True)
class AnglePolynomial(ChebyshevSeries):
    """sum_j c_j T_j(2 theta/pi - 1) with exact c_j, within ``error`` of the kernel on [0, pi]."""

    def at(self, theta: arb) -> arb:
        """The polynomial at an angle, without the error."""
        return self.value(2 * theta / arb.pi() - 1)


def angle_polynomial(kernel: Kernel, digits: int = 17) -> AnglePolynomial:
    """A polynomial in the angle within 10^-digits of K(1)'s scale, with its proved error.

    Raises Undecided when the kernel is not analytic in the angle up to both ends (composed
    jumps, thresholds away from zero, an infinite diagonal) or could not be shown to be.
    """
    return polynomial_to_bits(kernel, goal_bits(digits))


@lru_cache(maxsize=64)
def polynomial_to_bits(kernel: Kernel, bits: int) -> AnglePolynomial:
    """As :func:`angle_polynomial`, with the absolute error 2^-bits."""
    domain = ellipse(kernel)
    ratio, bound = domain.best(bits)
    degree = _degree(bits + 1, ratio, bound)
    if degree > MAX_POLYNOMIAL_DEGREE:
        raise Undecided(f"a polynomial of degree {degree} would be needed: the kernel is analytic only very close to the interval")
    precision = bits + 24
    while True:
        with working_precision(precision):
            coefficients = _interpolate(kernel, degree)
            exact = tuple(c.mid() for c in coefficients)
            rounding = sum((c.rad() for c in coefficients), arb(0))
            truncation = 4 * bound / (ratio - 1) / ratio**degree
            error = (rounding + truncation).upper()
        if error < arb(2) ** (-bits):
            return AnglePolynomial(exact, error)
        if precision > 40 * (bits + 64):
            raise Undecided(f"the coefficients are not known to {bits} bits at a working precision of {precision} bits")
        precision = precision + precision // 2 + 64


def _degree(bits: int, ratio: arb, bound: arb) -> int:
    """Least n with 4 M r^-n/(r-1) < 2^-bits."""
    with working_precision(ELLIPSE_PRECISION):
        n = ((4 * bound / (ratio - 1)).log() + bits * arb(2).log()) / ratio.log()
        return max(1, int(n.upper().ceil().unique_fmpz()) + 1)


def _interpolate(kernel: Kernel, degree: int) -> list[arb]:
    """Chebyshev coefficients of the interpolant at the n+1 points of the first kind."""
    size = degree + 1
    cosines = [arb.cos_pi(arb(j) / (2 * size)) for j in range(4 * size)]
    half_pi = arb.pi() / 2
    values = [at_angle(kernel, half_pi * (1 + cosines[2 * i + 1])) for i in range(size)]
    # T_j(-x) = (-1)^j T_j(x): folding the nodes halves the work.
    folded = [[values[i] + values[size - 1 - i] for i in range(size // 2)], [values[i] - values[size - 1 - i] for i in range(size // 2)]]
    coefficients = []
    for j in range(size):
        row = folded[j % 2]
        total = sum((row[i] * cosines[j * (2 * i + 1) % (4 * size)] for i in range(size // 2)), arb(0))
        if size % 2 and j % 2 == 0:
            total += values[size // 2] * cosines[j * size % (4 * size)]
        coefficients.append(total * 2 / size if j else total / size)
    return coefficients


@dataclass
class Ellipse:
    """Bounds of one kernel on Bernstein ellipses around [0, pi], computed on demand."""

    bounds: DiscBounds

    def __post_init__(self) -> None:
        self._known: dict[float, arb | None] = {}

    def bound(self, ratio: float) -> arb | None:
        """An upper bound of |K| on the closed ellipse, or None where analyticity was not shown."""
        if ratio not in self._known:
            self._known[ratio] = self._compute(ratio)
        return self._known[ratio]

    def _compute(self, ratio: float) -> arb | None:
        # Rounding at the centres of the discs grows by a few bits a layer.
        with working_precision(ELLIPSE_PRECISION + 2 * len(self.bounds.program.lines)):
            largest = arb(0)
            # Kernels are real on the real axis: the upper half of the ellipse is enough.
            # Depth first from the two ends, where failure is likeliest.
            stack = [(i, FIRST_ARCS, 0) for i in (*range(1, FIRST_ARCS - 1), 0, FIRST_ARCS - 1)]
            while stack:
                index, count, depth = stack.pop()
                value, spread = self.bounds.bound(*_arc(arb(ratio), index, count))
                if spread < 1 + value / 2:
                    largest = largest.max(value + spread)
                elif depth == MAX_HALVINGS:
                    return None
                else:
                    stack += [(2 * index + 1, 2 * count, depth + 1), (2 * index, 2 * count, depth + 1)]
            return largest.upper()

    def largest(self) -> float:
        """The largest ratio of the list at which the bound is finite.

        The bound of a thin ellipse needs tiny discs near its ends and may fail where that of a
        wider one succeeds, so the search comes from above.
        """
        for ratio in RATIOS:
            if self.bound(ratio) is not None:
                return ratio
        raise Undecided("the kernel could not be shown to be analytic in the angle near [0, pi]")

    def best(self, bits: int) -> tuple[arb, arb]:
        """(ratio, bound of |K|), descending from the largest ratio while the degree falls."""
        best: tuple[int, arb, arb] | None = None
        for ratio in RATIOS[RATIOS.index(self.largest()) :]:
            bound = self.bound(ratio)
            if bound is None:
                break
            degree = _degree(bits, arb(ratio), bound)
            if best is not None and degree >= best[0]:
                break
            best = degree, arb(ratio), bound
            # A bound near the kernel's own size cannot be improved by a thinner ellipse.
            if bound < 100:
                break
        assert best is not None
        return best[1], best[2]


@lru_cache(maxsize=64)
def ellipse(kernel: Kernel) -> Ellipse:
    """The bounds of a kernel, shared by all precisions."""
    if kernel.diagonal_is_infinite:
        raise Undecided("the kernel is infinite on the diagonal: the activation has a jump")
    if kernel.program.series_duals:
        raise Undecided("the kernel is not analytic at the ends of [0, pi]: its duals are power series of radius 1")
    if kernel.ramification != 1:
        raise Undecided(f"the kernel is a power series in theta^(1/{kernel.ramification}) at the diagonal, not in theta: composed jumps")
    return Ellipse(DiscBounds(kernel.program))


def _arc(ratio: arb, index: int, count: int) -> tuple[acb, arb]:
    """Centre and radius of a disc that holds one arc of the upper half of the ellipse."""
    start, end = arb(index) / count, arb(index + 1) / count
    middle = (start + end) / 2
    centre = _on_ellipse(ratio, middle)
    # |dx/d phi|^2 = ((r-1/r)/2)^2 cos^2 phi + ((r+1/r)/2)^2 sin^2 phi, taken over the arc.
    phi = middle + arb(0, ((end - start) / 2).upper())
    wide, narrow = (ratio + 1 / ratio) / 2 * phi.sin_pi(), (ratio - 1 / ratio) / 2 * phi.cos_pi()
    speed = (wide * wide + narrow * narrow).sqrt() * arb.pi() / 2
    return centre, (speed * arb.pi() * (end - start) / 2).upper()


def _on_ellipse(ratio: arb, share: arb) -> acb:
    """The point of the ellipse at angle pi*share, as an angle theta."""
    direction = acb(share).exp_pi_i()
    x = (ratio * direction + 1 / (ratio * direction)) / 2
    return arb.pi() / 2 * (1 + x)


__all__ = ["AnglePolynomial", "ChebyshevSeries", "Ellipse", "angle_polynomial", "ellipse", "polynomial_to_bits"]
