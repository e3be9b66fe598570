r"""Closed curves whose coordinates are trigonometric polynomials, exactly: the manifolds on which a network is probed.

A coordinate is :math:`\sum_ma_m\cos2\pi mz+b_m\sin2\pi mz`, z in [0, 1]. The flowers of Rahaman et al. (arXiv 1806.08734) are

.. math:: \gamma_L(z)=(1+\tfrac12\sin2\pi Lz)(\cos2\pi z,\sin2\pi z),

L petals on a circle: a function of low frequency in the plane may be one of high frequency in z.

>>> flower(4).coordinates[0]
{1: (Fraction(1, 1), Fraction(0, 1)), 5: (Fraction(0, 1), Fraction(1, 4)), 3: (Fraction(0, 1), Fraction(1, 4))}
>>> flower(0).frequency, flower(4).frequency
(1, 5)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .errors import InputError
from .exact import natural
from .relu_networks import rational_number

Coefficients = dict[int, tuple[Fraction, Fraction]]


@dataclass(frozen=True)
class TrigonometricCurve:
    """z -> the point with the given coordinates, each a map m -> (a_m, b_m), m >= 0."""

    coordinates: tuple[Coefficients, ...]

    @property
    def dimension(self) -> int:
        return len(self.coordinates)

    @property
    def frequency(self) -> int:
        """The largest m."""
        return max((m for coordinate in self.coordinates for m in coordinate), default=0)


def trigonometric_curve(coordinates: Sequence[Mapping[int, tuple[Any, Any]]]) -> TrigonometricCurve:
    """A curve from exact coefficients. Raises InputError for frequencies that are no integers >= 0 and for numbers that are not rational."""
    if not coordinates:
        raise InputError("a curve needs at least one coordinate")
    return TrigonometricCurve(
        tuple({natural(m, "frequency"): (rational_number(a, "coefficient"), rational_number(b, "coefficient")) for m, (a, b) in coordinate.items()} for coordinate in coordinates)
    )


def flower(petals: Any) -> TrigonometricCurve:
    """gamma_L; with 0 petals the unit circle. The product of sines and cosines is a sum of waves of the frequencies L + 1 and L - 1."""
    L = natural(petals, "petals")
    quarter = Fraction(1, 4)
    first: Coefficients = {1: (Fraction(1), Fraction(0))}
    second: Coefficients = {1: (Fraction(0), Fraction(1))}
    for m, sign in ((L + 1, 1), (L - 1, -1)):
        # sin(2 pi L z) cos(2 pi z) = (sin + sin)/2 and sin(2 pi L z) sin(2 pi z) = (cos - cos)/2.
        _add(first, abs(m), Fraction(0), quarter if m >= 0 else -quarter)
        _add(second, abs(m), -sign * quarter, Fraction(0))
    return TrigonometricCurve(tuple({m: pair for m, pair in coordinate.items() if any(pair)} for coordinate in (first, second)))


def _add(coordinate: Coefficients, m: int, a: Fraction, b: Fraction) -> None:
    old = coordinate.get(m, (Fraction(0), Fraction(0)))
    coordinate[m] = (old[0] + a, (old[1] + b) if m else Fraction(0))


__all__ = ["TrigonometricCurve", "flower", "trigonometric_curve"]
