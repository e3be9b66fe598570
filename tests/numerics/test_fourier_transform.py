"""Transforms of piecewise linear functions against mpmath's quadrature and their closed form."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import mpmath
import pytest
import sympy
from flint import arb, fmpq
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec.errors import InputError

numbers = st.fractions(-5, 5, max_denominator=9)


@st.composite
def functions(draw):
    points = sorted(draw(st.sets(numbers, min_size=1, max_size=6)))
    return ss.PiecewiseLinear.through([(x, draw(numbers)) for x in points], draw(numbers), draw(numbers))


@settings(max_examples=60, deadline=None)
@given(functions(), st.fractions("1/4", 12, max_denominator=7), numbers, st.fractions("1/5", 4, max_denominator=5))
def test_windows_against_quadrature(f, k, a, length):
    window = f.window(a, a + length)
    found = numerics.fourier(window, sympy.Rational(k.numerator, k.denominator), digits=25)
    with mpmath.workdps(30):
        nodes = [a, *(x for x in f.breakpoints if a < x < a + length), a + length]

        def integrand(x):
            y = f(Fraction(int(mpmath.nint(x * 2**90)), 2**90))
            return mpmath.mpf(y.numerator) / y.denominator * mpmath.expj(-mpmath.mpf(k.numerator) / k.denominator * x)

        expected = sum(mpmath.quad(integrand, [mpmath.mpf(x.numerator) / x.denominator, mpmath.mpf(y.numerator) / y.denominator]) for x, y in pairwise(nodes))
        assert abs(complex(float(found.real), float(found.imag)) - complex(expected)) < 1e-14 * (1 + abs(complex(expected)))
        with working_precision(110):
            assert abs(found.real - arb(mpmath.nstr(expected.real, 28))) < 1e-15
            assert abs(found.imag - arb(mpmath.nstr(expected.imag, 28))) < 1e-15


@settings(max_examples=40, deadline=None)
@given(functions(), st.fractions("1/3", 30, max_denominator=4))
def test_the_closed_form_and_the_bound(f, k):
    rational = sympy.Rational(k.numerator, k.denominator)
    found = numerics.fourier(f, rational, digits=25)
    expected = f.fourier_transform(rational).evalf(30)
    assert abs(complex(found) - complex(expected)) <= 1e-14 * (1 + abs(complex(expected)))
    assert not abs(found) * arb(fmpq(k.numerator, k.denominator)) ** 2 > numerics.fourier_bound(f)


def test_a_grid_is_what_single_frequencies_are():
    f = ss.PiecewiseLinear.through([(Fraction(n, 7) ** 2, n % 3) for n in range(12)], 1, -2)
    frequencies = [sympy.Rational(n, 3) for n in (*range(1, 40), -5, 77)]
    for value, k in zip(numerics.fourier(f, frequencies, 20), frequencies, strict=True):
        single = numerics.fourier(f, k, 25)
        assert value.overlaps(single)
        assert value.real.rel_accuracy_bits() > 40


def test_exact_cancellation_is_a_small_ball():
    hat = ss.PiecewiseLinear.through([(-1, 0), (0, 1), (1, 0)], 0, 0)
    found = numerics.fourier(hat, 2 * sympy.pi, digits=20)
    assert found.contains(0)
    assert abs(found).upper() < 1e-35


def test_the_published_sign_and_normalisation():
    """With the sign -i or a factor (2 pi)^-1/2 the transform of a hat would miss its own integral as k tends to 0."""
    hat = ss.PiecewiseLinear.through([(-1, 0), (0, 1), (1, 0)], 0, 0)
    assert abs(float(numerics.fourier(hat, "1/1000").real) - 1) < 1e-6
    ramp = ss.PiecewiseLinear.through([(0, 0), (1, 1)], 0, 0).window(0, 1)
    assert float(numerics.fourier(ramp, 1).imag) < 0


def test_bad_input():
    f = ss.PiecewiseLinear.through([(0, 0)], 0, 1)
    with pytest.raises(InputError, match="frequency 0"):
        numerics.fourier(f, 0)
    with pytest.raises(InputError, match="empty"):
        f.window(1, 1)
    with pytest.raises(InputError, match="ascending"):
        ss.PiecewiseLinear.through([(1, 0), (0, 0)], 0, 0)
    with pytest.raises(InputError, match="piecewise"):
        numerics.fourier(3, 1)
    assert float(numerics.fourier(f.window(-1, 2), 0).real) == 2


def test_a_grid_of_a_window_is_what_single_frequencies_are():
    network = ss.relu_network([([[1, 0], [1, 2], [-1, 1]], [0, 1, "1/3"]), ([[1, -2, 1]], [0])])
    window = network.restrict_to_polyline([[-1, 0], [1, 1], [2, -1], [-1, 0]], [0, "1/3", "1/2", 1])
    for frequencies in ([sympy.Rational(n, 2) for n in (*range(1, 60), -7)], [2 * sympy.pi * n for n in range(-20, 20) if n]):
        for value, k in zip(numerics.fourier(window, frequencies, 20), frequencies, strict=True):
            assert value.overlaps(numerics.fourier(window, k, 25))
            assert value.real.rel_accuracy_bits() > 40


def test_a_grid_of_a_function_without_kinks():
    window = ss.PiecewiseLinear.through([(0, 0)], 1, 1).window(0, 1)
    frequencies = list(range(1, 30))
    for value, k in zip(numerics.fourier(window, frequencies, 20), frequencies, strict=True):
        assert value.overlaps(numerics.fourier(window, k, 25))
    assert all(value == 0 for value in numerics.fourier(ss.PiecewiseLinear.through([(0, 0)], 1, 1), frequencies))


def test_frequencies_near_zero():
    hat = ss.PiecewiseLinear.through([(-1, 0), (0, 1), (1, 0)], 0, 0)
    for f in (hat, hat.window(-2, 2)):
        for exponent in (20, 400):
            value = numerics.fourier(f, f"1e-{exponent}", 20)
            assert value.real.rel_accuracy_bits() > 60
            assert abs(float(value.real) - 1) < 1e-12
