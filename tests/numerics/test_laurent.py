"""Laurent series against their values at a point."""

from __future__ import annotations

import pytest
import sympy
from flint import arb, arb_series
from hypothesis import given, settings, strategies as st

from numerics.laurent import LaurentSeries, table
from numerics.precision import working_precision
from symspec.errors import Undecided

LENGTH = 12
NUMBERS = st.lists(st.integers(-4, 4), min_size=1, max_size=4)
ELEMENTS = st.tuples(st.integers(-3, 3), NUMBERS)


def value(element, point):
    low, numbers = element
    return sum((arb(c) * point ** (low + i) for i, c in enumerate(numbers)), arb(0))


def total(series, point):
    return sum((series.coefficient(n) * point**n for n in range(series.low, series.low + series.series.prec)), arb(0))


@settings(deadline=None)
@given(ELEMENTS, ELEMENTS)
def test_ring_operations(a, b):
    with working_precision(200, LENGTH):
        point = arb(1) / 3
        x, y = (LaurentSeries(low, arb_series(numbers, LENGTH)) for low, numbers in (a, b))
        # Orders below 10 are all there: nothing is cut off.
        assert abs(total(x * y, point) - value(a, point) * value(b, point)) < arb(2) ** -150
        assert abs(total(x + y, point) - value(a, point) - value(b, point)) < arb(2) ** -150


def test_known_terms_shrink_with_a_shift():
    """What lies beyond the known terms is never taken for zero."""
    with working_precision(64, LENGTH):
        short = LaurentSeries(-2, arb_series([1, 1, 1], 3))
        assert (short + LaurentSeries.of(arb_series([1]))).series.prec == 3
        assert (LaurentSeries(2, arb_series([1, 1], 2))).power_series.prec == 2


def test_functions_need_regular_arguments():
    with working_precision(64, LENGTH):
        rules = table(arb_series([1, 0, -2]), {})
        pole = LaurentSeries(-1, arb_series([1]))
        with pytest.raises(Undecided, match="pole"):
            rules["sin"](pole)
        with pytest.raises(Undecided, match="pole"):
            rules["pow"](pole, sympy.Rational(1, 2))
        assert rules["pow"](pole, sympy.Integer(3)).low == -3
