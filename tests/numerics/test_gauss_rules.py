"""Gauss and Gauss-Lobatto rules of spheres bracket every monomial times every zonal polynomial."""

from __future__ import annotations

import mpmath
import pytest
from flint import arb
from hypothesis import given, settings, strategies as st

import numerics
from numerics import gauss_rules
from numerics.gauss_rules import gauss_rule, lobatto_rule, zonal_rows
from numerics.precision import working_precision
from numerics.real import integer_power
from symspec.errors import Undecided
from symspec.gegenbauer import monomial_eigenvalue

BITS = 200


def applied(rule, channels, points, a, k):
    """The rule at t^a P_k."""
    nodes, weights = rule(channels, points, BITS)
    row = zonal_rows(channels, nodes, k)[k]
    return sum((w * integer_power(t, a) * p for t, w, p in zip(nodes, weights, row, strict=True)), arb(0))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 7), st.integers(2, 14), st.integers(0, 70), st.data())
def test_every_monomial_is_bracketed(channels, points, a, data):
    k = data.draw(st.integers(0, points - 1))
    exact = numerics.ball(monomial_eigenvalue(channels, a, k))
    with working_precision(BITS):
        low, high = (applied(rule, channels, points, a, k) for rule in (gauss_rule, lobatto_rule))
        seen = (a - k) % 2 == 0 and a >= k
        assert max(low.rad(), high.rad()) < arb("1e-40")
        assert low > -arb("1e-40")
        if seen and a + k > 2 * points - 1:
            assert low < exact
        else:
            assert low.overlaps(exact)
        if seen and a + k > 2 * points - 3:
            assert high > exact
        else:
            assert high.overlaps(exact)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(2, 9), st.integers(1, 5), st.integers(0, 40), st.data())
def test_more_points_are_better(channels, points, more, a, data):
    k = data.draw(st.integers(0, points - 1))
    with working_precision(BITS):
        for rule, sign in ((gauss_rule, 1), (lobatto_rule, -1)):
            change = sign * (applied(rule, channels, points + more, a, k) - applied(rule, channels, points, a, k))
            assert change > -arb("1e-40")


def test_the_range_of_degrees_is_sharp():
    """The Gauss rule of n points is no bound for P_{n+1}: it is negative there."""
    with working_precision(BITS):
        assert applied(gauss_rule, 3, 4, 3, 5) < -0.01
        assert applied(gauss_rule, 3, 6, 3, 5) > -arb("1e-40")


@pytest.mark.parametrize("channels", [2, 3, 4, 7])
@pytest.mark.parametrize("points", [1, 2, 5, 40])
def test_nodes_and_weights_against_mpmath(channels, points):
    nodes, weights = gauss_rule(channels, points, 100)
    with mpmath.workdps(40):
        order = mpmath.mpf(channels - 3) / 2
        for t in nodes:
            x = mpmath.mpf(t.mid().str(45, radius=False)) if t != 0 else mpmath.mpf(0)
            assert abs(mpmath.hyp2f1(-points, points + channels - 2, order + 1, (1 - x) / 2, zeroprec=200)) < mpmath.mpf(10) ** -25
        if points <= 5:
            area = mpmath.beta(0.5, order + 1)
            for power in range(2 * points):
                moment = sum((w * integer_power(t, power) for t, w in zip(nodes, weights, strict=True)), arb(0))
                exact = mpmath.quad(lambda x, power=power: mpmath.cos(x) ** power * mpmath.sin(x) ** (channels - 2), [0, mpmath.pi / 2, mpmath.pi]) / area
                assert abs(moment - arb(mpmath.nstr(exact.real, 35, min_fixed=-100, max_fixed=100))) < 1e-14
    with working_precision(100):
        assert sum(weights, arb(0)).overlaps(arb(1))
    assert all(w > 0 for w in weights)


def test_long_rules_keep_their_digits():
    for rule in (gauss_rule, lobatto_rule):
        nodes, weights = rule(3, 300, 80)
        assert len(nodes) == 300
        assert max(t.rad() for t in nodes) < arb(2) ** -100
        assert min(w.rel_accuracy_bits() for w in weights) > 80
        assert all(a < b for a, b in zip(nodes, nodes[1:], strict=False))


def test_a_wrong_guess_is_no_node(monkeypatch):
    """A deliberate fault: the guesses are only guesses, two that find one node are seen."""
    monkeypatch.setattr(gauss_rules, "_guesses", lambda channels, count: [0.1] * count)
    with pytest.raises(Undecided, match=r"separated|isolated"):
        gauss_rule.__wrapped__(3, 6, 70)


@pytest.mark.parametrize("channels", [2, 3, 4, 5, 17, 100, 3000])
def test_nodes_of_many_rules_are_found(channels):
    """Zeros that meet the points of the bisection exactly (C = 2 and 4), and clustered ones (large C), among them; the rules are exact for t^2."""
    for points in (*range(2, 30), 64, 99, 128, 257):
        nodes, weights = gauss_rule(channels, points, 60)
        with working_precision(60):
            assert abs(sum((w * t * t for t, w in zip(nodes, weights, strict=True)), arb(0)) * channels - 1) < arb("1e-15")
