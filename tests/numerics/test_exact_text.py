"""Decimal and binary text of balls: the decimal ball contains the ball, the record restores it bit for bit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, fmpz
from hypothesis import given, settings, strategies as st

from numerics.exact_text import ball_from_record, ball_record, ball_text, decimal_ball
from numerics.precision import working_precision
from symspec.errors import InputError


def _ends(value: arb) -> tuple[Fraction, Fraction]:
    middle, radius = (Fraction(int(m)) * Fraction(2) ** int(e) for m, e in (value.mid().man_exp(), value.rad().man_exp()))
    return middle - radius, middle + radius


balls = st.builds(
    lambda m, e, r, f: arb((fmpz(m), fmpz(e)), (fmpz(r), fmpz(e + f))),
    st.integers(-(2**200), 2**200),
    st.integers(-3000, 300),
    st.integers(0, 2**29),
    st.integers(-80, 40),
)


@settings(deadline=None, max_examples=150)
@given(balls, st.integers(1, 60))
def test_the_decimal_ball_contains_the_ball(value, digits):
    middle, radius = (Fraction(text) for text in decimal_ball(value, digits))
    low, high = _ends(value)
    assert middle - radius <= low <= high <= middle + radius
    # Not wasteful: half a unit in the last place, and a radius rounded up in its third digit.
    unit = 10 * abs(middle) / Fraction(10) ** digits
    if middle:
        assert radius <= ((high - low) / 2 + unit) * Fraction(101, 100)


@settings(deadline=None, max_examples=50)
@given(balls, st.integers(1, 2**40))
def test_the_record_restores_the_ball(value, divisor):
    with working_precision(150):
        for ball in (value, value / divisor, arb(1) / divisor):
            restored = ball_from_record(ball_record(ball, 5))
            assert _ends(restored) == _ends(ball)


def test_a_radius_that_no_ball_has_is_refused():
    with pytest.raises(InputError, match="radius"):
        ball_from_record({"midpoint_exact": ["1", "0"], "radius_exact": [str(2**40 + 1), "0"]})


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (arb(0), 10, "0"),
        (arb(1), 10, "1"),
        (arb(1200), 10, "1200"),
        (arb(12345), 2, "12000 +/- 345"),
        (arb(-0.5), 10, "-0.5"),
        (arb(2) ** -100, 12, "7.88860905221e-31 +/- 1.19e-44"),
        (arb(fmpz(10**30)), 40, "1e30"),
        (arb(0, 1), 5, "0 +/- 1.01"),
    ],
)
def test_text(value, digits, text):
    assert ball_text(value, digits) == text


def test_more_digits_than_python_writes():
    text = decimal_ball(arb(2) ** -20000, 15000)
    assert Fraction(1, 2**20000) == 0 + Fraction(int(fmpz(text[0].partition("e")[0].replace(".", ""))), 10**20000)
    assert text[1] == "0"


@pytest.mark.parametrize("record", [{}, {"midpoint_exact": ["1", "0"]}, {"midpoint_exact": ["x", "0"], "radius_exact": ["0", "0"]}, {"midpoint_exact": 3, "radius_exact": 4}])
def test_what_is_no_record(record):
    with pytest.raises(InputError, match="no ball"):
        ball_from_record(record)


def test_nan_has_no_decimal_form():
    with pytest.raises(InputError, match="not finite"):
        decimal_ball(arb("nan"), 5)
