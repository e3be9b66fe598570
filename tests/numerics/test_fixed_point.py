"""Power sums in fixed point: against exact values and balls, and what the error bound covers."""

from __future__ import annotations

import pytest
from flint import acb, arb, fmpq
from hypothesis import given, settings, strategies as st

from numerics.fixed_point import power_sums
from numerics.precision import working_precision
from symspec.errors import Undecided

fractions = st.fractions(-4, 4, max_denominator=50)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(fractions, fractions), min_size=1, max_size=12), st.integers(1, 60), st.integers(24, 200), st.integers(-300, 300))
def test_against_balls_of_high_precision(terms, top, bits, shift):
    def bases():
        angles = [arb(fmpq(angle.numerator, angle.denominator)) for angle, _ in terms]
        return [acb(angle.cos(), angle.sin()) for angle in angles], [arb(fmpq(w.numerator, w.denominator)) * arb(2) ** shift for _, w in terms]

    with working_precision(400):
        waves, weights = bases()
        exact = [sum((w * z**m for z, w in zip(waves, weights, strict=True)), acb(0)) for m in range(top + 1)]
        total = sum((abs(w) for w in weights), arb(0))
    with working_precision(bits):
        sums = power_sums(*bases(), top)
        found = [sums(m) for m in range(top + 1)]
    with working_precision(400):
        for value, expected in zip(found, exact, strict=True):
            assert value.contains(expected)
            assert value.real.rad() <= (total + (total == 0)) * arb(2) ** (24 - bits)


def test_wide_balls_are_still_enclosed():
    """A base known to a hundred-thousandth: every base inside the ball is covered."""
    with working_precision(100):
        middle, width = arb(1) / 3, arb("1e-5")
        angle = middle + arb(0, width)
        sums = power_sums([acb(angle.cos(), angle.sin())], [arb(3)], 20)
        for inside in (middle - width, middle, middle + width):
            for m in range(21):
                assert sums(m).overlaps(3 * acb((m * inside).cos(), (m * inside).sin()))
        assert 1e-6 < float(sums(20).real.rad()) < 1e-2


def test_bases_that_are_not_known():
    with working_precision(100):
        angle = arb(1, 0.5)
        with pytest.raises(Undecided):
            power_sums([acb(angle.cos(), angle.sin())], [arb(1)], 10)


def test_weights_that_are_zero():
    with working_precision(60):
        assert abs(power_sums([acb(1)], [arb(0)], 4)(3)).upper() < 1e-15
