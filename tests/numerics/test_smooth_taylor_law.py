"""Taylor coefficients of every degree for smooth kernels, against exact coefficients and a long power series."""

from __future__ import annotations

import pytest
import sympy
from flint import arb, fmpq
from hypothesis import HealthCheck, given, reject, settings, strategies as st

import symspec as ss
from numerics import power_series, smooth_taylor_law
from numerics.precision import working_precision
from numerics.smooth_taylor_law import smooth_difference
from symspec.errors import Undecided


def coefficients(first, second, terms):
    with working_precision(1500):
        a, b = (power_series.coefficients(kernel, terms, arb(1)) for kernel in (first, second))
        return [x - y for x, y in zip(a, b, strict=True)]


def test_exact_coefficients_of_the_gaussian():
    """V = sqrt(3/(4 - z^2)), so z V' - V has the coefficients (2j - 1) C(2j, j) 16^-j sqrt(3)/2."""
    law = smooth_difference(*ss.mlp(ss.gaussian, 1).ntk_layers[:2], 3)
    assert [j for j, value in law.near if value != 0] == [-3, -1, 1, 3, 5]
    with working_precision(300):
        assert law.radius.contains(2)
        for j in (5, 40, 300):
            exact = (2 * j - 1) * arb(fmpq(int(sympy.binomial(2 * j, j)), 16**j)) * arb(3).sqrt() / 2
            found = law.coefficient(2 * j)
            assert found.contains(exact)
            assert law.coefficient(2 * j + 1).contains(0)
        assert found.rad() < exact / 100


CASES = [
    (ss.mlp(ss.gelu, 2), 1, 300),
    pytest.param(ss.mlp(ss.gelu, 3), 2, 300, marks=pytest.mark.slow),
    (ss.mlp(ss.gaussian, 2), 1, 300),
    pytest.param(ss.mlp(ss.activation("x*erf(x)"), 2), 1, 300, marks=pytest.mark.slow),
    # R = 3/2 is met at both ends, though the kernel is neither even nor odd: the first covariance is rho.
    (ss.mlp(ss.activation("erf(x) + 1"), 3), 1, 300),
    (ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2=1), 1, 800),
    pytest.param(ss.mlp(ss.erf, 3, sigma_w2=2, sigma_b2="1/10"), 2, 600, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("network", "layer", "last"), CASES)
def test_every_ball_contains_the_coefficient(network, layer, last):
    first, second = network.ntk_layers[layer - 1 : layer + 1]
    law = smooth_difference(first, second, 3)
    exact = coefficients(first, second, last + 1)
    found = {n: law.coefficient(n) for n in (1, 2, 3, 10, 57, last - 1, last)}
    assert all((value - exact[n]).contains(0) for n, value in found.items())
    assert found[last].rad() < abs(exact[last]) or found[last - 1].rad() < abs(exact[last - 1])


@pytest.mark.slow
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.sampled_from([ss.erf, ss.gelu, ss.gaussian]), st.integers(1, 12), st.integers(1, 12), st.integers(1, 2))
def test_random_networks(activation, w, b, layer):
    network = ss.mlp(activation, 2, sigma_w2=sympy.Rational(w, 3), sigma_b2=sympy.Rational(b, 4))
    first, second = network.ntk_layers[layer - 1 : layer + 1]
    try:
        law = smooth_difference(first, second, 2)
    except Undecided:  # two barriers met nearly at once
        reject()
    exact = coefficients(first, second, 120)
    assert all((law.coefficient(n) - exact[n]).contains(0) for n in (1, 2, 5, 20, 77, 118, 119))


def test_two_radii():
    """The kernel of the smaller radius has all the singular terms."""
    small, large = ss.mlp(ss.gelu, 3).ck, ss.mlp(ss.gelu, 1).ck
    law = smooth_difference(small, large, 2)
    assert law.radius < 2
    exact = coefficients(small, large, 201)
    assert all((law.coefficient(n) - exact[n]).contains(0) for n in (1, 10, 200))
    turned = smooth_difference(large, small, 2)
    assert (turned.coefficient(200) + exact[200]).contains(0)


@pytest.mark.parametrize(("activation", "why"), [(ss.cos, "entire"), (ss.sigmoid, "not located")])
def test_undecided(activation, why):
    with pytest.raises(Undecided, match=why):
        smooth_difference(*ss.mlp(activation, 2).ntk_layers[:2], 2)


def test_a_singular_term_left_out_is_noticed(monkeypatch):
    """Without the blocks the bound of the remainder has to be infinite."""
    monkeypatch.setattr(smooth_taylor_law._Circle, "_exponents", lambda *_: [3])
    law = smooth_difference(*ss.mlp(ss.gelu, 2).ntk_layers[:2], 2)
    assert not law.remainder.is_finite()
