"""Numbers that come in exact stay exact.

Ints, Fractions, sympy numbers and decimal strings keep their value ("0.1" is 1/10); a
float is taken at the binary value it has, so nothing is rounded on the way in.

>>> exact("0.1"), exact(0.5), exact(Fraction(2, 3))
(1/10, 1/2, 2/3)
>>> exact(0.1)
3602879701896397/36028797018963968
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache
from numbers import Integral, Rational, Real
from typing import Any

import sympy

from .errors import InputError, NoClosedForm

_DECIMAL = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?(/\d{1,400})?", re.ASCII)


def exact(value: Any, what: str = "number") -> sympy.Expr:
    """Return ``value`` as an exact real sympy number.

    ``what`` names the quantity in the error. Raises :class:`InputError` for anything that
    is not a finite real number (NaN, infinities, complex numbers, free symbols).
    """
    if isinstance(value, bool):
        raise InputError(f"{what}: {value!r} is a truth value, not a number")
    if isinstance(value, sympy.Expr):
        return _exact_sympy(value, what)
    if isinstance(value, Integral):
        return sympy.Integer(int(value))
    if isinstance(value, Rational):
        return sympy.Rational(int(value.numerator), int(value.denominator))
    if isinstance(value, str):
        return _exact_text(value, what)
    if isinstance(value, Real):
        if not math.isfinite(value):
            raise InputError(f"{what}: {value} is not finite")
        ratio = Fraction(float(value))
        return sympy.Rational(ratio.numerator, ratio.denominator)
    if type(value).__module__.split(".")[0] == "flint" and type(value).__name__ in ("fmpz", "fmpq"):
        return sympy.Rational(int(value.numerator), int(value.denominator))
    raise InputError(f"{what}: {type(value).__name__} is not an exact real number; give an int, Fraction, decimal string or sympy number")


def _exact_sympy(value: sympy.Expr, what: str) -> sympy.Expr:
    if value.free_symbols or value.has(sympy.nan) or value.is_finite is False or not (value.is_extended_real or value.is_comparable):
        raise InputError(f"{what}: {value} is not a finite real number")
    floats = {leaf: sympy.Rational(leaf) for leaf in value.atoms(sympy.Float)}
    return value.xreplace(floats)


def _exact_text(text: str, what: str) -> sympy.Rational:
    stripped = text.strip()
    if not _DECIMAL.fullmatch(stripped):
        raise InputError(f"{what}: {text[:40]!r} is not a decimal number or a ratio of two")
    try:
        numerator, _, denominator = stripped.partition("/")
        value = Fraction(numerator) / Fraction(denominator or 1)
    except ZeroDivisionError:
        raise InputError(f"{what}: {text[:40]!r} divides by zero") from None
    return sympy.Rational(value.numerator, value.denominator)


def as_expr(value: Any) -> sympy.Expr:
    """A number, symbol or expression as a sympy expression; text is refused, never evaluated."""
    try:
        return sympy.sympify(value, strict=True)
    except sympy.SympifyError:
        raise InputError(f"{value!r} is not a number, symbol or expression") from None


@lru_cache(maxsize=4096)
def is_zero(value: sympy.Expr) -> bool:
    """Whether an exact real constant is 0, decided and never guessed.

    A constant whose first digits are not zero is settled by them. For the rest, algebraic numbers
    are decided by their minimal polynomial and others by simplification; NoClosedForm is raised
    for a constant that stays undecided.
    """
    if value.is_Rational:
        return bool(value == 0)
    # Digits first: sympy takes acos(x) for zero where x is within 1e-8 of 1.
    if value.is_comparable:
        return False
    if value.is_zero is not None:
        return bool(value.is_zero)
    if value.is_algebraic:
        x = sympy.Dummy("x")
        return bool(sympy.minimal_polynomial(value, x) == x)
    simplified = sympy.simplify(value)
    if simplified.is_zero is not None:
        return bool(simplified.is_zero)
    if simplified.is_comparable:
        return False
    raise NoClosedForm(f"it is not decided whether the constant {str(value)[:80]} is zero; write it in a simpler form")


def decimal_above(value: Fraction, digits: int = 8) -> str:
    """A short decimal not below an exact number >= 0: its exact text where that is short, else rounded up after ``digits`` significant digits.

    >>> decimal_above(Fraction(7, 3)), decimal_above(Fraction(10**40 + 1, 3 * 10**39)), decimal_above(Fraction(10**6000 + 1, 7))
    ('7/3', '3.3333334', '1.4285715e5999')
    """
    # The text of a number of thousands of digits is slow to make, and refused by Python.
    if max(value.numerator.bit_length(), value.denominator.bit_length()) <= 4 * digits:
        text = str(value)
        if len(text) <= 2 * digits:
            return text
    exponent = _decimal_exponent(value)
    mantissa = math.ceil(value / Fraction(10) ** (exponent - digits + 1))
    if mantissa == 10**digits:
        mantissa, exponent = mantissa // 10, exponent + 1
    text = str(mantissa)
    if not -5 < exponent < digits:
        return f"{text[0]}.{text[1:]}".rstrip("0").rstrip(".") + f"e{exponent}"
    if exponent < 0:
        return ("0." + "0" * (-exponent - 1) + text).rstrip("0")
    return f"{text[: exponent + 1]}.{text[exponent + 1 :]}".rstrip("0").rstrip(".")


def _decimal_exponent(value: Fraction) -> int:
    """e with 10^e <= value < 10^(e + 1), for a positive number."""
    exponent = (value.numerator.bit_length() - value.denominator.bit_length()) * 30103 // 100000
    while value < Fraction(10) ** exponent:
        exponent -= 1
    while value >= Fraction(10) ** (exponent + 1):
        exponent += 1
    return exponent


def natural(value: Any, what: str, least: int = 0) -> int:
    """Return ``value`` as an int not below ``least``; anything else is an :class:`InputError`."""
    try:
        number = exact(value, what)
    except InputError:
        raise InputError(f"{what} must be an integer, not {value!r}") from None
    if not number.is_Integer:
        raise InputError(f"{what} must be an integer, not {value!r}")
    if number < least:
        raise InputError(f"{what} must be at least {least}, not {number}")
    return int(number)
