"""Gauss rules for (1 + x)^alpha against exact moments and mpmath."""

from __future__ import annotations

import mpmath
import pytest
from flint import arb
from hypothesis import given, settings, strategies as st

from numerics.jacobi_rule import JacobiRule
from numerics.precision import working_precision
from symspec.errors import Undecided


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.integers(1, 20), st.data())
def test_exact_to_degree_2n_minus_1(doubled, count, data):
    power = data.draw(st.integers(0, 2 * count - 1))
    with working_precision(160):
        rule = JacobiRule.of(arb(doubled) / 2, count)
        total = sum((w * (1 + x) ** power for x, w in zip(rule.nodes, rule.weights, strict=True)), arb(0))
        top = arb(doubled) / 2 + power + 1
        assert total.overlaps((top * arb(2).log()).exp() / top)
        assert total.rel_accuracy_bits() > 60


@pytest.mark.parametrize("alpha", [0, 1.5, 4])
def test_polynomials_are_orthonormal_and_bounded(alpha):
    with working_precision(200):
        rule = JacobiRule.of(arb(alpha), 12)
        for m in range(12):
            for n in range(12):
                product = sum((w * p * q for w, p, q in zip(rule.weights, rule.rows[m], rule.rows[n], strict=True)), arb(0))
                assert product.overlaps(arb(m == n))
    with mpmath.workdps(30):
        for n in (0, 3, 11):
            norm = mpmath.sqrt(mpmath.mpf(2) ** (alpha + 1) / (2 * n + alpha + 1))
            for j in (0, 7):
                wanted = mpmath.jacobi(n, 0, alpha, mpmath.mpf(rule.nodes[j].mid().str(40, radius=False))) / norm
                assert float(abs(rule.rows[n][j])) == pytest.approx(float(abs(wanted)), rel=1e-12)
            assert float(rule.sizes[n]) == pytest.approx(float(abs(mpmath.jacobi(n, 0, alpha, -1) / norm)), rel=1e-9)


def test_the_error_bound_holds_and_is_not_far_off():
    """1/(c - x) has the pole c = (r + 1/r)/2 on the ellipse of ratio r; on a smaller one it is bounded by 1/(c - a)."""
    pole, ratio = arb("1.25"), arb("1.9")
    for count in (4, 9):
        with working_precision(160):
            rule = JacobiRule.of(arb(0), count)
            exact = ((pole + 1) / (pole - 1)).log()
            miss = abs(sum((w / (pole - x) for x, w in zip(rule.nodes, rule.weights, strict=True)), arb(0)) - exact)
            bound = rule.error(ratio) / (pole - (ratio + 1 / ratio) / 2)
            assert miss < bound
            assert miss > bound / 10**4


def test_too_little_precision_is_not_decided():
    with working_precision(30), pytest.raises(Undecided, match="Gauss rule"):
        JacobiRule.of(arb(3), 90)
