import mpmath
import numpy
import pytest
from hypothesis import given, settings, strategies as st

from gpu.chebyshev import blocked


def exact(coefficients, x):
    with mpmath.workdps(40):
        return mpmath.fsum(mpmath.mpf(c) * mpmath.chebyt(j, mpmath.mpf(x)) for j, c in enumerate(coefficients))


@given(st.integers(1, 40), st.integers(2, 12), st.integers(0, 10**6), st.sampled_from([1.0, 0.7, 0.3]))
@settings(max_examples=60, deadline=None)
def test_error_is_within_the_proved_bound(terms, size, seed, decay):
    generator = numpy.random.default_rng(seed)
    coefficients = generator.standard_normal(terms) * decay ** numpy.arange(terms)
    series = blocked(coefficients, size)
    x = numpy.concatenate([generator.uniform(-1, 1, 5), [-1.0, 1.0, 0.0, numpy.nextafter(1.0, 0.0)]])
    errors = [abs(mpmath.mpf(float(value)) - exact(coefficients, float(at))) for value, at in zip(series.values(x), x, strict=True)]
    assert max(errors) <= series.rounding
    # A bound that is no bound at all would pass the line above.
    assert series.rounding < 1e-13 * numpy.abs(coefficients).sum() * terms


@pytest.mark.parametrize("terms", [1, 2, 3, 33, 64])
def test_blocks_hold_the_same_polynomial(terms):
    coefficients = numpy.cos(numpy.arange(terms)) * 0.5 ** numpy.arange(terms)
    x = numpy.linspace(-1, 1, 101)
    plain = numpy.polynomial.chebyshev.chebval(x, coefficients)
    for size in (None, 2, 5, 16):
        assert abs(blocked(coefficients, size).values(x) - plain).max() < 1e-15


def test_in_place_and_on_a_device(device):
    series = blocked(0.5 ** numpy.arange(20.0))
    x = numpy.linspace(-1, 1, 37)
    theirs = device.xp.asarray(x)
    series.evaluate(theirs, theirs, series.workspace(50, device.xp), device.xp)
    assert abs(device.to_host(theirs) - series.values(x)).max() < 1e-15
