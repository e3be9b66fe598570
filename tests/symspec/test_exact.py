from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import flint
import numpy as np
import pytest
import sympy
from hypothesis import given, settings, strategies as st
from sympy import Rational

import symspec as ss
from symspec import errors, gegenbauer
from symspec.errors import InputError
from symspec.exact import as_expr, decimal_above, exact, natural


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (Fraction(2, 6), Rational(1, 3)),
        ("0.1", Rational(1, 10)),
        (" -1.5e-3 ", Rational(-3, 2000)),
        ("2/3", Rational(2, 3)),
        (".5", Rational(1, 2)),
        (0.5, Rational(1, 2)),
        (sympy.sqrt(2), sympy.sqrt(2)),
        (sympy.Float(0.25), Rational(1, 4)),
        (np.int64(7), 7),
        (np.float64(0.75), Rational(3, 4)),
        (flint.fmpq(3, 4), Rational(3, 4)),
    ],
)
def test_values_that_stay_exact(value, expected):
    assert exact(value) == expected
    assert not exact(value).atoms(sympy.Float)


@pytest.mark.parametrize(
    "value",
    [True, "9" * 500, float("nan"), float("inf"), "", "1/0", "one", "1e99999", "0x10", "1_000", "٣", "open('x')", None, [1], 1j, sympy.I, sympy.oo, sympy.nan, sympy.Symbol("x")],
)
def test_values_that_are_no_exact_numbers(value):
    with pytest.raises(InputError) as caught:
        exact(value, "size")
    assert str(caught.value).startswith("size: ")
    assert "\n" not in str(caught.value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_its_binary_value(value):
    assert Fraction(int(exact(value).p), int(exact(value).q)) == Fraction(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=20, min_value=-(10**30), max_value=10**30))
def test_decimal_text_is_its_decimal_value(value):
    ratio = Fraction(Decimal(value))
    assert exact(str(value)) == Rational(ratio.numerator, ratio.denominator)


def test_natural():
    assert natural("12", "depth") == 12
    assert natural(sympy.Integer(3), "depth") == 3
    for bad in (-1, 1.5, "x", True, None, Rational(1, 2), float("nan")):
        with pytest.raises(InputError, match="depth must be"):
            natural(bad, "depth")
    with pytest.raises(InputError, match="at least 2, not 1"):
        natural(1, "depth", 2)


HOSTILE = "__import__('os').getcwd()"


@pytest.mark.parametrize(
    "call",
    [
        lambda: as_expr(HOSTILE),
        lambda: ss.decay(ss.mlp(ss.relu, 1).ck, ss.Sphere(3)).leading(HOSTILE, "even"),
        lambda: gegenbauer.endpoint_block(3, HOSTILE, 2),
        lambda: ss.relu(HOSTILE),
    ],
)
def test_text_is_refused_not_evaluated(call):
    with pytest.raises(errors.InputError):
        call()


@settings(max_examples=200, deadline=None)
@given(st.fractions(min_value=0), st.integers(-5000, 5000), st.integers(3, 12))
def test_decimals_above_are_above_and_close(value, exponent, digits):
    number = value * Fraction(10) ** exponent
    text = decimal_above(number, digits)
    assert len(text) <= max(2 * digits, digits + 12)
    mantissa, _, power = text.partition("e")
    found = Fraction(mantissa) * Fraction(10) ** int(power or 0)
    assert number <= found <= number * (1 + Fraction(10) ** (1 - digits))
