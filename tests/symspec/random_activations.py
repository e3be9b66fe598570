"""Random members of the closed class, each as text with its own mpmath and NumPy meaning.

The meaning is built beside the text, without the engine, so that it can contradict it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
import scipy.special
from hypothesis import strategies as st

from symspec.form import Form
from symspec.parser import parse


class _Mpmath:
    """The functions of the grammar on mpmath numbers."""

    exp, sin, cos, erf = mpmath.exp, mpmath.sin, mpmath.cos, mpmath.erf

    @staticmethod
    def number(value: Fraction) -> Any:
        return mpmath.mpf(value.numerator) / value.denominator

    @staticmethod
    def step(u: Any) -> Any:
        return mpmath.mpf(1 if u > 0 else 0)


class _Numpy:
    """The same on float arrays."""

    exp, sin, cos, erf = np.exp, np.sin, np.cos, scipy.special.erf
    number = staticmethod(float)

    @staticmethod
    def step(u: Any) -> Any:
        return (u > 0).astype(float)


Meaning = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Random:
    """Text, meaning(library, x), and where it is not smooth."""

    text: str
    meaning: Meaning
    breaks: tuple[Fraction, ...] = ()

    def __repr__(self) -> str:
        return self.text

    @cached_property
    def form(self) -> Form:
        return parse(self.text)

    def value(self, at: Any) -> Any:
        """At an exact or mpmath point, at the working precision."""
        point = at if isinstance(at, mpmath.mpf) else mpmath.mpf(int(at.p)) / int(at.q)
        return self.meaning(_Mpmath, point)

    def values(self, at: np.ndarray) -> np.ndarray:
        """On an array of floats."""
        return self.meaning(_Numpy, at) + np.zeros_like(at)


def _fraction(low: str, high: str, denominator: int = 4) -> st.SearchStrategy[Fraction]:
    return st.fractions(Fraction(low), Fraction(high), max_denominator=denominator)


def _text(value: Fraction) -> str:
    return f"({value})"


def _monomial(power: int) -> Random:
    return Random(f"x**{power}", lambda _, x: x**power)


def _exponential(a: Fraction, b: Fraction) -> Random:
    return Random(f"exp({_text(a)}*x**2 + {_text(b)}*x)", lambda lib, x: lib.exp(lib.number(a) * x * x + lib.number(b) * x))


def _sine(a: Fraction, b: Fraction) -> Random:
    return Random(f"sin({_text(a)}*x + {_text(b)})", lambda lib, x: lib.sin(lib.number(a) * x + lib.number(b)))


def _cosine(a: Fraction, b: Fraction) -> Random:
    return Random(f"cos({_text(a)}*x - {_text(b)})", lambda lib, x: lib.cos(lib.number(a) * x - lib.number(b)))


def _erf(a: Fraction, b: Fraction) -> Random:
    return Random(f"erf({_text(a)}*x + {_text(b)})", lambda lib, x: lib.erf(lib.number(a) * x + lib.number(b)))


def _step(b: Fraction) -> Random:
    return Random(f"Heaviside(x - {_text(b)})", lambda lib, x: lib.step(x - lib.number(b)), (b,))


def _mirrored_ramp(b: Fraction) -> Random:
    return Random(f"Max({_text(b)} - x, 0)", lambda lib, x: (lib.number(b) - x) * lib.step(lib.number(b) - x), (b,))


def _times(first: Random, second: Random) -> Random:
    return Random(f"({first.text})*({second.text})", lambda lib, x: first.meaning(lib, x) * second.meaning(lib, x), first.breaks + second.breaks)


def _plus(first: Random, second: Random, scale: Fraction) -> Random:
    return Random(
        f"{first.text} + {_text(scale)}*({second.text})",
        lambda lib, x: first.meaning(lib, x) + lib.number(scale) * second.meaning(lib, x),
        first.breaks + second.breaks,
    )


def _envelopes() -> st.SearchStrategy[Random]:
    return st.builds(_exponential, _fraction("-1", "0", 2), _fraction("-1", "1", 2))


def _waves() -> st.SearchStrategy[Random]:
    return st.builds(_sine, _fraction("-2", "2"), _fraction("-1", "1")) | st.builds(_cosine, _fraction("-2", "2"), _fraction("-1", "1"))


def _gates() -> st.SearchStrategy[Random]:
    edges = _fraction("-1", "1", 3)
    return st.builds(_step, edges) | st.builds(_mirrored_ramp, edges) | st.builds(_erf, _fraction("-1", "1", 2), _fraction("-1", "1", 2))


def products(*, envelopes: bool = True, waves: bool = True, top: int = 2) -> st.SearchStrategy[Random]:
    """x^m times an exponential times a wave or a gate."""
    factors = st.integers(0, top).map(_monomial)
    last = _gates() | _waves() if waves else _gates()
    choices = factors | st.builds(_times, factors, last)
    return choices | st.builds(_times, st.builds(_times, factors, _envelopes()), last) if envelopes else choices


def expressions(**options: Any) -> st.SearchStrategy[Random]:
    """A product, or a sum of two."""
    one = products(**options)
    return one | st.builds(_plus, one, one, _fraction("-2", "2", 3))
