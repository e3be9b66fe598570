r"""Balls as text that loses nothing: decimals that enclose, and the exact binary numbers.

A ball is a dyadic midpoint m and radius r. Its exact decimal expansion may have thousands of
digits, so two forms are given: decimals M and R, few digits long, with
:math:`[m-r,m+r]\subseteq[M-R,M+R]` (M rounded to nearest, R rounded up and containing the rounding of
M), and the integers of :math:`m=a2^b`, :math:`r=c2^e` as text, from which the ball itself is restored. The
arithmetic is that of Python's integers, so the inclusion is exact.

>>> from flint import arb
>>> third = arb(1) / 3
>>> decimal_ball(third, 10)
('0.3333333333', '3.34e-11')
>>> record = ball_record(third, 10)
>>> record["midpoint_exact"]
['6004799503160661', '-54']
>>> restored = ball_from_record(record)
>>> restored.mid() == third.mid() and restored.rad() == third.rad()
True
>>> decimal_ball(arb(0), 5), decimal_ball(arb(-3) / 1024, 20)
(('0', '0'), ('-0.0029296875', '0'))
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor, log10
from typing import Any

from flint import arb, fmpz

from symspec.errors import InputError

RADIUS_DIGITS = 3
PLAIN_ZEROS = 6


def decimal_ball(value: arb, digits: int) -> tuple[str, str]:
    """Decimal midpoint (at most ``digits`` significant digits) and radius of a ball that contains ``value``."""
    middle, radius = _fraction(value.mid()), _fraction(value.rad())
    scale = _scale(middle or radius, digits)
    whole = round(middle * Fraction(10) ** scale)
    radius += abs(middle - whole / Fraction(10) ** scale)
    coarse = _scale(radius, RADIUS_DIGITS)
    return _decimal(whole, scale), _decimal(ceil(radius * Fraction(10) ** coarse), coarse)


def rounded_text(value: arb, digits: int) -> str:
    """M alone where it is within one unit of its digit number ``digits`` of the truth, else ``M +/- R``."""
    middle, radius = decimal_ball(value, digits)
    exact = _fraction(value.mid())
    if not exact:
        return ball_text(value, digits)
    scale = _scale(exact, digits)
    drift = abs(exact - round(exact * Fraction(10) ** scale) / Fraction(10) ** scale)
    close = _fraction(value.rad()) + drift <= Fraction(10) ** -scale
    return middle if close else f"{middle} +/- {radius}"


def ball_text(value: arb, digits: int) -> str:
    """``M +/- R``, or M alone for an exact number that the digits suffice for."""
    middle, radius = decimal_ball(value, digits)
    return middle if radius == "0" else f"{middle} +/- {radius}"


def ball_record(value: arb, digits: int) -> dict[str, Any]:
    """The decimal enclosure and the exact ball, for JSON."""
    middle, radius = decimal_ball(value, digits)
    return {"midpoint": middle, "radius": radius, "midpoint_exact": _pair(value.mid()), "radius_exact": _pair(value.rad())}


def ball_from_record(record: Mapping[str, Any]) -> arb:
    """The ball that :func:`ball_record` wrote, bit for bit."""
    try:
        middle, (mantissa, exponent) = ((fmpz(a), fmpz(b)) for a, b in (record["midpoint_exact"], record["radius_exact"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the record is no ball: {type(error).__name__} {error}") from None
    # The constructor rounds a radius of 30 bits up; from just below it arrives at the radius itself.
    for radius in ((mantissa, exponent), (2 * mantissa - 1, exponent - 1)):
        ball = arb(middle, radius)
        if ball.rad().man_exp() == (mantissa, exponent) or mantissa == 0:
            return ball
    raise InputError("the record is no ball: its radius is not one of FLINT's")


def outward_decimal(exact: arb, digits: int, *, up: bool) -> str:
    """A decimal of at most ``digits`` significant digits, not below (``up``) or not above an exact number."""
    number = _fraction(exact)
    scale = _scale(number, digits)
    scaled = number * Fraction(10) ** scale
    return _decimal(ceil(scaled) if up else floor(scaled), scale)


def _pair(exact: arb) -> list[str]:
    """a and b of the exact number a 2^b."""
    mantissa, exponent = exact.man_exp()
    return [str(mantissa), str(exponent)]


def _fraction(exact: arb) -> Fraction:
    if not exact.is_finite():
        raise InputError("a ball that is not finite has no decimal form")
    mantissa, exponent = (int(part) for part in exact.man_exp())
    return Fraction(mantissa * 2**exponent) if exponent >= 0 else Fraction(mantissa, 2**-exponent)


def _scale(number: Fraction, digits: int) -> int:
    """Decimals after the point that ``digits`` significant digits of the number need."""
    return digits - 1 - _magnitude(number) if number else 0


def _magnitude(number: Fraction) -> int:
    """The e with 10^e <= |number| < 10^(e+1), without writing out either integer."""
    p, q = abs(number.numerator), number.denominator
    e = floor((p.bit_length() - q.bit_length() - 1) * log10(2))
    while p * 10 ** max(0, -e - 1) >= q * 10 ** max(0, e + 1):
        e += 1
    return e


def _decimal(whole: int, scale: int) -> str:
    """whole / 10^scale, in scientific notation where that is shorter."""
    if whole == 0:
        return "0"
    # FLINT writes integers of any length; Python refuses beyond 4300 digits.
    digits, sign = str(fmpz(abs(whole))), "-" if whole < 0 else ""
    magnitude, digits = len(digits) - 1 - scale, digits.rstrip("0")
    if -PLAIN_ZEROS < magnitude < 0:
        return f"{sign}0.{'0' * (-magnitude - 1)}{digits}"
    if 0 <= magnitude < max(len(digits), PLAIN_ZEROS):
        digits = digits.ljust(magnitude + 1, "0")
        return f"{sign}{digits[: magnitude + 1]}.{digits[magnitude + 1 :]}".rstrip(".")
    return f"{sign}{digits[0]}.{digits[1:]}".rstrip(".") + f"e{magnitude}"


__all__ = ["ball_from_record", "ball_record", "ball_text", "decimal_ball", "outward_decimal", "rounded_text"]
