"""Random activations analytic in a strip, each as text with a meaning in mpmath that is built beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
from hypothesis import strategies as st


@dataclass(frozen=True)
class Random:
    text: str
    meaning: Callable[[Any], Any]

    def __repr__(self) -> str:
        return self.text


def number(value: Fraction) -> Any:
    return mpmath.mpf(value.numerator) / value.denominator


def softplus(x: Any) -> Any:
    return mpmath.log(1 + mpmath.exp(x))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


HEADS: dict[str, Callable[[Any], Any]] = {
    "tanh": mpmath.tanh,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * mpmath.tanh(softplus(x)),
    "sech": mpmath.sech,
    "atan": mpmath.atan,
    "erf": mpmath.erf,
    "sin": mpmath.sin,
    "exp": mpmath.exp,
}
# Functions of functions of x that the strip calculus accepts.
NESTED: dict[str, Callable[[Any], Any]] = {
    "tanh({})/2": lambda y: mpmath.tanh(y) / 2,
    "softplus({})": softplus,
    "erf({})**2": lambda y: mpmath.erf(y) ** 2,
    "exp(-softplus({}))": lambda y: mpmath.exp(-softplus(y)),
    "cos({})": mpmath.cos,
}


def _leaf(name: str, a: Fraction, b: Fraction) -> Random:
    return Random(f"{name}({a}*x + {b})".replace("+ -", "- "), lambda x: HEADS[name](number(a) * x + number(b)))


def _quotient(a: Fraction, b: Fraction, kind: int) -> Random:
    if kind == 0:
        return Random(f"1/({a}*exp(x) + {b}*exp(-2*x))", lambda x: 1 / (number(a) * mpmath.exp(x) + number(b) * mpmath.exp(-2 * x)))
    if kind == 1:
        return Random(f"(x**2 + {a} + {b})**(-1/2)", lambda x: 1 / mpmath.sqrt(x**2 + number(a) + number(b)))
    return Random(f"log({a} + {b}*exp(x))", lambda x: mpmath.log(number(a) + number(b) * mpmath.exp(x)))


def _nested(outer: str, inner: Random) -> Random:
    return Random(outer.format(inner.text), lambda x: NESTED[outer](inner.meaning(x)))


def _sum(f: Random, g: Random) -> Random:
    return Random(f"({f.text}) + ({g.text})", lambda x: f.meaning(x) + g.meaning(x))


def _product(f: Random, g: Random) -> Random:
    return Random(f"({f.text})*({g.text})", lambda x: f.meaning(x) * g.meaning(x))


_slopes = st.fractions(Fraction(1, 4), Fraction(3, 2), max_denominator=4).flatmap(lambda a: st.sampled_from([a, -a]))
_shifts = st.fractions(Fraction(-1), Fraction(1), max_denominator=3)
_positive = st.fractions(Fraction(1, 3), Fraction(2), max_denominator=3)
_leaves = st.builds(_leaf, st.sampled_from(sorted(set(HEADS) - {"exp"})), _slopes, _shifts)
_quotients = st.builds(_quotient, _positive, _positive, st.sampled_from([0, 1, 2]))
_simple = st.builds(_nested, st.sampled_from(sorted(NESTED)), st.builds(_leaf, st.sampled_from(["tanh", "softplus", "atan"]), _slopes, _shifts))
_powers = st.sampled_from([Random("x", lambda x: x), Random("x**2/3", lambda x: x * x / 3), Random("exp(-x**2/2)", lambda x: mpmath.exp(-x * x / 2)), Random("exp(x/2)", lambda x: mpmath.exp(x / 2))])
_parts = st.one_of(_leaves, _quotients, _simple)
strip_activations = st.one_of(_parts, st.builds(_sum, _parts, _parts), st.builds(_product, _parts, _powers), st.builds(_product, _parts, _parts))
