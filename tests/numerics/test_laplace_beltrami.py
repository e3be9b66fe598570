"""The operator on power series, its tails and norms, against mpmath and exact integrals."""

from __future__ import annotations

import mpmath
import pytest
from flint import arb, fmpq
from hypothesis import given, settings, strategies as st

from numerics import laplace_beltrami as operator
from numerics.precision import working_precision
from symspec import errors


def _apply(f, d, m, y):
    """L^m of a polynomial f given by its coefficients in y, evaluated at y."""
    p = list(f)
    for _ in range(m):
        first = [n * c for n, c in enumerate(p)][1:]
        second = [n * c for n, c in enumerate(first)][1:]
        moved = [mpmath.mpf(0)] * (len(p) + 1)
        for n, c in enumerate(second):
            moved[n + 1] += c
            moved[n + 2] -= c
        for n, c in enumerate(first):
            moved[n] += c * (d - 1) / mpmath.mpf(2)
            moved[n + 1] -= c * (d - 1)
        p = moved
    return mpmath.polyval(list(reversed(p)), y)


coefficients = st.lists(st.integers(-5, 5), min_size=3, max_size=6)


@settings(deadline=None, max_examples=60)
@given(coefficients, st.integers(2, 12), st.integers(1, 3), st.fractions("1/10", "9/10", max_denominator=20))
def test_both_forms_of_the_operator(f, d, m, y):
    with mpmath.workdps(30), working_precision(120):
        at = mpmath.mpf(y.numerator) / y.denominator
        wanted = _apply([mpmath.mpf(c) for c in f], d, m, at)
        centre = arb(fmpq(1, 37))
        shifted = [sum(c * mpmath.binomial(n, i) * mpmath.mpf(1) / mpmath.mpf(37) ** (n - i) for n, c in enumerate(f) if n >= i) for i in range(len(f))]
        local = operator.in_haversine([arb(mpmath.nstr(c, 30)) for c in shifted], d, m, centre)
        x = arb(fmpq(y.numerator, y.denominator)) - centre
        found = sum((c * x**n for n, c in enumerate(local)), arb(0))
        half = [arb(0)] * (2 * len(f))
        for n, c in enumerate(f):
            half[2 * n] = arb(c)
        image = operator.in_half_angle(half, d, m)
        spread = [arb(0)] * (3 * len(half))
        for n, c in enumerate(half):
            spread[3 * n] = c
        rooted = operator.in_half_angle(spread, d, m, root=3)
        s = arb(fmpq(y.numerator, y.denominator)).sqrt()
        also = sum((c * s ** (image.lowest + i) for i, c in enumerate(image.coefficients)), arb(0))
        third = sum((c * s ** (arb(rooted.lowest + i) / 3) for i, c in enumerate(rooted.coefficients) if c != 0), arb(0))
        for value in (found, also, third):
            assert abs(value - arb(mpmath.nstr(wanted, 28))) < arb("1e-20") * (1 + abs(value))


@pytest.mark.parametrize("d", [2, 3, 7])
@pytest.mark.parametrize("m", [1, 3])
def test_tails_bound_the_series_they_stand_for(d, m):
    """A geometric series of known terms: the tail is computed exactly with many terms and must stay below the bound."""
    terms, sigma, disc = 30, arb("0.3"), arb("0.6")
    with working_precision(200):
        rest = [arb(0)] * terms + [disc**-n for n in range(terms, 260)]
        image = operator.in_half_angle(rest, d, m)
        true = abs(sum((c * sigma ** (image.lowest + i) for i, c in enumerate(image.coefficients)), arb(0)))
        assert true < operator.end_tail(d, m, terms, sigma, disc, arb(1))
        centre, radius = arb("0.4"), arb("0.1")
        rest = [arb(0)] * terms + [arb("0.25") ** -n for n in range(terms, 260)]
        image = operator.in_haversine(rest, d, m, centre)
        true = abs(sum((c * radius**n for n, c in enumerate(image)), arb(0)))
        assert true < operator.panel_tail(d, m, terms, centre, radius, arb("0.25"), arb(1))


def test_a_tail_that_does_not_converge_is_infinite():
    with working_precision(64):
        assert not operator.end_tail(3, 4, 10, arb("0.5"), arb("0.52"), arb(1)).is_finite()
        assert not operator.end_tail(3, 8, 10, arb("0.1"), arb("0.6"), arb(1)).is_finite()


@pytest.mark.parametrize("d", [2, 3, 8])
def test_norms_bound_and_are_close(d):
    """||L r|| of r = s^5 near 0 and of r = y^3 on a panel."""
    with working_precision(150), mpmath.workdps(30):
        weight = mpmath.gamma(mpmath.mpf(d) / 2) / (mpmath.sqrt(mpmath.pi) * mpmath.gamma(mpmath.mpf(d - 1) / 2))

        def image(nu, y):
            return nu * (nu - 1 + mpmath.mpf(d - 1) / 2) * y ** (nu - 1) - nu * (nu + d - 2) * y**nu

        def square(nu, low, high):
            density = lambda y: weight * mpmath.mpf(2) ** (d - 2) * (y * (1 - y)) ** (mpmath.mpf(d - 3) / 2)  # noqa: E731
            return mpmath.quad(lambda y: image(nu, y) ** 2 * density(y), [low, high])

        end = operator.end_norm([arb(0)] * 5 + [arb(1)], d, 1, arb("0.2"), arb(0))
        true = square(mpmath.mpf("2.5"), mpmath.mpf(0), mpmath.mpf("0.04"))
        assert arb(mpmath.nstr(true * (1 - mpmath.mpf("1e-15")), 20)) < end < arb(mpmath.nstr(true * 1.1, 20))
        y0 = arb("0.4")
        panel = operator.panel_norm([y0**3, 3 * y0**2, 3 * y0, arb(1)], d, 1, y0, arb("0.1"), arb(0))
        true = square(mpmath.mpf(3), mpmath.mpf("0.3"), mpmath.mpf("0.5"))
        assert arb(mpmath.nstr(true * (1 - mpmath.mpf("1e-15")), 20)) < panel < arb(mpmath.nstr(true * 1.1, 20))


def test_a_square_that_is_not_integrable_is_refused():
    with working_precision(64), pytest.raises(errors.Undecided, match="not integrable"):
        operator.end_norm([arb(0), arb(1)], 3, 1, arb("0.2"), arb(0))


@pytest.mark.parametrize("y0", ["0.2", "0.7"])
def test_blocks_between_the_ends(y0):
    near, far = [(fmpq(1), arb(1)), (fmpq(3), arb(-2))], [(fmpq(1), arb("0.5")), (fmpq(3), arb(3)), (fmpq(3, 2), arb(2))]
    with working_precision(120):
        series = operator.blocks_at_haversine(near, far, arb(y0), 60)
        y = arb(y0) + arb("0.05")
        wanted = y.sqrt() - 2 * y.sqrt() ** 3 + arb("0.5") * (1 - y).sqrt() + 3 * (1 - y).sqrt() ** 3 + 2 * (1 - y) ** arb("0.75")
        assert abs(sum((c * arb("0.05") ** n for n, c in enumerate(series)), arb(0)) - wanted) < arb("1e-25")
        other = operator.blocks_at_other_end(far, 60)
        s = arb("0.3")
        wanted = arb("0.5") * (1 - s * s).sqrt() + 3 * (1 - s * s).sqrt() ** 3 + 2 * (1 - s * s) ** arb("0.75")
        assert abs(sum((c * s**n for n, c in enumerate(other)), arb(0)) - wanted) < arb("1e-25")
        rooted = operator.blocks_at_other_end(far, 180, root=3)
        assert abs(sum((c * s ** (arb(n) / 3) for n, c in enumerate(rooted)), arb(0)) - wanted) < arb("1e-25")
