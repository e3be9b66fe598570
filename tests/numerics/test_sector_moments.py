"""Gaussian moments at complex variances, against mpmath."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import acb, arb, fmpq
from hypothesis import given, settings, strategies as st

import numerics.sector_moments as module
from numerics.precision import working_precision
from numerics.sector_moments import crude_size, half_argument, moments, wide_sector
from symspec.strip_functions import softplus
from symspec.terms import X

logistic = (1 + sympy.tanh(X / 2)) / 2
FUNCTIONS = [
    (sympy.tanh(X), lambda z: mpmath.tanh(z)),
    (X * logistic, lambda z: z / (1 + mpmath.exp(-z))),
    # On either side the branch that continues the real function.
    (softplus(X), lambda z: z + mpmath.log(1 + mpmath.exp(-z)) if z.real > 0 else mpmath.log(1 + mpmath.exp(z))),
    (sympy.sqrt(X**2 + 1), lambda z: mpmath.sqrt(1 + z * z)),
]
variances = st.tuples(st.floats(0.05, 6), st.floats(-0.8, 0.8))


def quadrature(f, p):
    a = mpmath.sqrt(p)
    points = [-10, -6, -3, -1, 0, 1, 3, 6, 10]
    square = mpmath.quad(lambda x: f(a * x) ** 2 * mpmath.npdf(x), points)
    size = mpmath.quad(lambda x: abs(f(a * x)) ** 2 * mpmath.npdf(x), points)
    return square, size, mpmath.quad(lambda x: f(a * x) * mpmath.npdf(x), points)


def polar(length, turn):
    return acb(0, arb.pi() * arb(turn)).exp() * arb(length)


def as_complex(p):
    return mpmath.mpc(float(p.real), float(p.imag))


@pytest.mark.parametrize(("expr", "f"), FUNCTIONS)
@settings(max_examples=6, deadline=None)
@given(variances)
def test_points(expr, f, variance):
    with working_precision(64):
        p = polar(*variance)
        p = acb(p.real.mid(), p.imag.mid())
        found = moments(expr, 0, p, p)
        square, size, mean = quadrature(f, as_complex(p))
        for part, wanted in ((found.square.real, square.real), (found.square.imag, square.imag)):
            assert abs(float(part.mid()) - float(wanted)) <= float(part.rad()) + 1e-11
            assert float(part.rad()) < 1e-4 * (1 + float(size))
        assert float(size) * (1 - 1e-9) <= float(found.size) <= float(size) * (1 + 1e-5) + 1e-6
        assert float(abs(mean)) <= float(found.mean) * (1 + 1e-9) + 1e-9
        assert crude_size(wide_sector(expr, 0, p)[0], p) >= found.size * arb("0.99999")


@pytest.mark.parametrize(("expr", "f"), FUNCTIONS)
@settings(max_examples=6, deadline=None)
@given(variances, st.floats(-1, 1), st.floats(-1, 1))
def test_balls_hold_their_points(expr, f, variance, right, up):
    with working_precision(64):
        middle = polar(*variance)
        middle = acb(middle.real.mid(), middle.imag.mid())
        radius = abs(middle).mid() / 60
        over = middle + acb(arb(0, radius), arb(0, radius))
        found = moments(expr, 0, middle, over)
        point = middle + acb(arb(right) * radius, arb(up) * radius)
        square, size, mean = quadrature(f, as_complex(point))
        value = found.square + found.slope * (over - middle)
        assert float(abs(square)) <= float(abs(value).upper()) * (1 + 1e-9)
        assert value.real.lower() <= float(square.real) + 1e-9
        assert value.real.upper() >= float(square.real) - 1e-9
        assert value.imag.lower() <= float(square.imag) + 1e-9
        assert value.imag.upper() >= float(square.imag) - 1e-9
        assert float(size) <= float(found.size) * (1 + 1e-9)
        assert float(abs(mean)) <= float(found.mean) * (1 + 1e-9) + 1e-9


def test_derivatives_of_the_function():
    """E sech(aZ)^4 for tanh."""
    with working_precision(64):
        p = acb(1, fmpq(1, 2))
        found = moments(sympy.tanh(X), 1, p, p)
        square, size, _ = quadrature(lambda z: mpmath.sech(z) ** 2, mpmath.mpc(1, 0.5))
        assert abs(float(found.square.real.mid()) - float(square.real)) < 1e-6
        assert abs(float(found.size) - float(size)) < 1e-6


def test_lines_through_poles_are_refused():
    with working_precision(64):
        assert half_argument(acb(-1, arb(0, 0.1))) is None
        assert half_argument(acb(arb("nan"))) is None
        assert moments(sympy.tanh(X - 1), 0, acb(-1, 1), acb(-1, 1)) is None
        wide = acb(arb(1, 2), arb(0, 2))
        assert moments(sympy.tanh(X), 0, acb(1), wide) is None


def test_coarse_rules_enclose_and_without_their_error_miss(monkeypatch):
    """A deliberate fault: the trapezoidal rule with few nodes taken for exact."""
    square = quadrature(mpmath.tanh, mpmath.mpc(4, 3))[0].real
    monkeypatch.setattr(module, "BITS", 1)

    def encloses():
        module._computed.cache_clear()
        with working_precision(64):
            value = moments(sympy.tanh(X), 0, acb(4, 3), acb(4, 3)).square.real
            return float(value.lower()) <= float(square) <= float(value.upper())

    try:
        assert encloses()
        monkeypatch.setattr(module._Rule, "error", lambda self, first, second, extra: arb(0))
        assert not encloses()
    finally:
        module._computed.cache_clear()
