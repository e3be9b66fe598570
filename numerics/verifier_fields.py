"""The values of a certificate's file, made exact, for the verifier alone. :mod:`numerics.verifier_file` knows what they mean.

>>> Field('["-3", "-2"]', "x").dyadic()
Traceback (most recent call last):
symspec.errors.CertificateError: file: x must be a list
>>> Field(["-3", "-2"], "x").dyadic()
-3/4
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from flint import fmpq, fmpz

from symspec.errors import CertificateError

MAX_BYTES = 16 * 2**20
MAX_DIGITS = 4000
MAX_EXPONENT = 100_000
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_RATIONAL = re.compile(r"(-?\d+)(?:/(\d+))?", re.ASCII)
_DECIMAL = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:e(-?\d{1,6}))?", re.ASCII)


@dataclass(frozen=True)
class Ball:
    """A closed interval with exact ends."""

    low: fmpq
    high: fmpq


@dataclass(frozen=True)
class Field:
    """A value of the file and where it stands."""

    value: Any
    name: str

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error of this field."""
        raise CertificateError("file", f"{self.name} {reason}")

    def keys(self, *names: str) -> tuple[Field, ...]:
        """The values of an object with exactly these keys."""
        if not isinstance(self.value, dict):
            self.refuse("must be an object")
        for name in names:
            if name not in self.value:
                self.refuse(f"lacks {name!r}")
        for name in self.value:
            if name not in names:
                self.refuse(f"has the unknown key {name[:40]!r}")
        return tuple(Field(self.value[name], f"{self.name}.{name}") for name in names)

    def items(self, most: int, least: int = 0) -> list[Field]:
        """The entries of a list."""
        if not isinstance(self.value, list):
            self.refuse("must be a list")
        if not least <= len(self.value) <= most:
            self.refuse(f"must have {least} to {most} entries, not {len(self.value)}")
        return [Field(value, f"{self.name}[{i}]") for i, value in enumerate(self.value)]

    def text(self, choices: Sequence[str] | None = None) -> str:
        """A text, one of the choices if there are any."""
        if not isinstance(self.value, str) or (choices is not None and self.value not in choices):
            self.refuse("must be a text" if choices is None else f"must be one of {', '.join(choices)}")
        return self.value

    def integer(self, low: int, high: int) -> int:
        """An integer in a range."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not low <= self.value <= high:
            self.refuse(f"must be an integer from {low} to {high}")
        return self.value

    def boolean(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.refuse("must be true or false")
        return self.value

    def rational(self, *, positive: bool = False) -> fmpq:
        """A rational written p/q or p."""
        match = _RATIONAL.fullmatch(self.value) if isinstance(self.value, str) and len(self.value) <= MAX_DIGITS else None
        if match is None or (match[2] is not None and not match[2].strip("0")):
            self.refuse("must be a rational such as \"3/4\"")
        number = fmpq(fmpz(match[1]), fmpz(match[2] or "1"))
        if positive and not number > 0:
            self.refuse("must be positive")
        return number

    def dyadic(self, *, positive: bool = False) -> fmpq:
        """A number mantissa 2^exponent."""
        mantissa, exponent = (field._decimal_integer() for field in self.items(2, 2))
        if abs(exponent) > MAX_EXPONENT:
            self.refuse(f"has an exponent beyond {MAX_EXPONENT}")
        number = fmpq(mantissa) * fmpq(2) ** int(exponent)
        if positive and not number > 0:
            self.refuse("must be positive")
        return number

    def ball(self) -> Ball:
        """An exact ball; its decimals must enclose it."""
        middle, radius, exact, spread = self.keys("midpoint", "radius", "midpoint_exact", "radius_exact")
        m, r = exact.dyadic(), spread.dyadic()
        if r < 0:
            spread.refuse("must not be negative")
        decimal, width = middle._decimal(), radius._decimal()
        if not (decimal - width <= m - r and m + r <= decimal + width):
            self.refuse("has decimals that do not enclose its exact numbers")
        return Ball(m - r, m + r)

    def _decimal_integer(self) -> fmpz:
        if not isinstance(self.value, str) or len(self.value) > MAX_DIGITS or not _INTEGER.fullmatch(self.value):
            self.refuse("must be an integer written as text")
        return fmpz(self.value)

    def _decimal(self) -> fmpq:
        match = _DECIMAL.fullmatch(self.value) if isinstance(self.value, str) and len(self.value) <= MAX_DIGITS else None
        if match is None or abs(int(match[4] or 0)) > MAX_EXPONENT:
            self.refuse("must be a decimal number written as text")
        number = fmpq(fmpz(match[2] + (match[3] or ""))) * fmpq(10) ** (int(match[4] or 0) - len(match[3] or ""))
        return -number if match[1] else number


def load(path: str | os.PathLike[str]) -> Any:
    """The JSON value of a file; numbers other than integers are refused."""
    try:
        if os.path.getsize(path) > MAX_BYTES:
            raise CertificateError("file", f"it is larger than {MAX_BYTES} bytes")
        with open(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CertificateError("file", f"it cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise CertificateError("file", f"it is larger than {MAX_BYTES} bytes")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_float=_no_number, parse_constant=_no_number, parse_int=_integer)
    except RecursionError:
        raise CertificateError("file", "it is nested too deeply") from None
    except ValueError as error:
        raise CertificateError("file", f"it is no JSON text: {str(error)[:80]}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no exact number")


def _integer(text: str) -> int:
    if len(text) > 20:
        raise ValueError("an integer has too many digits")
    return int(text)


__all__ = ["Ball", "Field", "load"]
