"""Eigenvalues from the two ends: soundness against an independent quadrature, the other evaluator, deliberate faults."""

from __future__ import annotations

import mpmath
import pytest
from flint import arb, fmpq
from hypothesis import given, settings, strategies as st
from sympy import Rational

import numerics
import symspec as ss
from numerics import endpoint_expansion as module, endpoint_pieces
from numerics.endpoint_expansion import EndpointExpansion, block, endpoint_expansion, high_degrees
from numerics.precision import working_precision
from numerics.sphere import _by_polynomial
from symspec import errors

from .mpmath_quadrature import Leaky, spectrum


def _exact(value):
    return Rational(value.numerator, value.denominator)


def _float(value):
    return mpmath.mpf(value.numerator) / value.denominator


@st.composite
def networks(draw):
    """(our kernel, the same network in mpmath)."""
    below = draw(st.fractions("-1", "1", max_denominator=5))
    if below == 1:
        below = -below
    depth, kind = draw(st.integers(1, 4)), draw(st.sampled_from(["ck", "ntk"]))
    sigma = ss.leaky_relu(_exact(below))
    form = draw(st.sampled_from(["plain", "biased", "residual"]))
    weight, bias = draw(st.fractions("1/2", "2", max_denominator=4)), draw(st.fractions("0", "1", max_denominator=4))
    with mpmath.workdps(40):
        if form == "plain":
            return getattr(ss.mlp(sigma, depth), kind), Leaky(_float(below), mpmath.mpf(1), depth, kind)
        if form == "biased":
            net = ss.mlp(sigma, depth, sigma_w2=_exact(weight), sigma_b2=_exact(bias))
            return getattr(net, kind), Leaky(_float(below), mpmath.mpf(1), depth, kind, _float(weight), _float(bias))
        return getattr(ss.resnet(sigma, depth, _exact(weight)), kind), Leaky(_float(below), mpmath.mpf(1), depth, kind, alpha=_float(weight))


def _check(pair, d, m, top=40):
    """Every degree 1..top of one network and dimension: the balls of two evaluators contain the truth."""
    kernel, network = pair
    expansion = endpoint_expansion(kernel, d, m, 2 * m + 1)
    certified = numerics.eigenvalues(kernel, ss.Sphere(d), range(top + 1), digits=10)
    truth = spectrum(network, d, top)
    with mpmath.workdps(40), working_precision(160):
        scale = arb(mpmath.nstr(abs(truth[0]) + abs(truth[1]), 10))
        for k in range(1, top + 1):
            # The quadrature is good to 1e-30 of the kernel at least; the certified ball is far wider.
            wanted = arb(mpmath.nstr(truth[k], 36)) + arb(0, scale * arb("1e-30"))
            assert expansion.eigenvalue(k).overlaps(wanted), (k, expansion.eigenvalue(k), wanted)
            assert certified[k].overlaps(wanted), (k, certified[k], wanted)


@settings(deadline=None, max_examples=12)
@given(networks(), st.integers(2, 12), st.integers(3, 5))
def test_balls_contain_an_independent_quadrature(pair, d, m):
    _check(pair, d, m + d // 6)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(networks(), st.integers(2, 16), st.integers(3, 6))
def test_balls_contain_an_independent_quadrature_in_2400_cases(pair, d, m):
    _check(pair, d, m + d // 6)


@pytest.mark.parametrize(("kernel", "d"), [(ss.mlp(ss.relu, 3).ntk, 3), (ss.mlp(ss.rectified_monomial(2), 2).ck, 5), (ss.mlp(ss.sign, 1).ck, 4), (ss.mlp(ss.absolute, 2).ntk, 10)], ids=str)
def test_agreement_with_exact_moments(kernel, d):
    found = endpoint_expansion(kernel, d, 6, 13)
    degrees = [k for k in (40, 41, 999, 1000) if not kernel.support.vanishes_at(k)]
    values = _by_polynomial(kernel, ss.Sphere(d), degrees, 120)
    with working_precision(160):
        for k in degrees:
            assert found.eigenvalue(k).overlaps(values[k])
            assert found.eigenvalue(k).rel_accuracy_bits() > 5


def test_high_degrees_in_odd_dimension():
    kernel = ss.mlp(ss.relu, 3).ntk
    values = high_degrees(kernel, 5, [6001, 10**6, 10**9], 110)
    assert sorted(values) == [6001, 10**6, 10**9]
    wanted = _by_polynomial(kernel, ss.Sphere(5), [6001], 110)[6001]
    with working_precision(200):
        assert values[6001].overlaps(wanted)
        assert abs(values[10**9] / numerics.eigenvalues(kernel, ss.Sphere(5), 10**9, 30)[0] - 1) < arb("1e-29")


@pytest.mark.parametrize("d", [2, 3, 10])
@pytest.mark.parametrize("j", [1, 3, 5])
def test_blocks_are_the_exact_integrals(d, j):
    with mpmath.workdps(30), working_precision(120):
        weight = mpmath.gamma(mpmath.mpf(d) / 2) / (mpmath.sqrt(mpmath.pi) * mpmath.gamma(mpmath.mpf(d - 1) / 2))
        for k in (0, 1, 4, 9):
            assert abs(block(d, fmpq(j), k) - arb(mpmath.nstr(weight * _integral(d, j, k), 25))) < arb("1e-20")


def _integral(d, j, k):
    return mpmath.quad(lambda a: mpmath.sin(a / 2) ** j * _gegenbauer(d, k, a) * mpmath.sin(a) ** (d - 2), [0, mpmath.pi / 2, mpmath.pi])


def _gegenbauer(d, k, angle):
    if d == 2:
        return mpmath.cos(k * angle)
    t = mpmath.cos(angle)
    before, now = mpmath.mpf(1), t
    if k == 0:
        return before
    for i in range(1, k):
        before, now = now, ((2 * i + d - 2) * t * now - i * before) / (i + d - 2)
    return now


FAULTS = ["sign", "remainder", "piece", "coefficient"]


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_caught(fault):
    """Against certified eigenvalues: a wrong sign, too small a remainder, a skipped piece, a wrong coefficient."""
    kernel, d = ss.mlp(ss.relu, 2).ntk, 3
    honest = endpoint_expansion(kernel, d, 4, 7)
    changes = {
        "sign": {"far": tuple((j, -b) for j, b in honest.far)},
        "remainder": {"remainder": honest.remainder / 10**4},
        "piece": {"remainder": honest.pieces[1].bound.sqrt() / 100},
        "coefficient": {"near": (honest.near[0], (honest.near[1][0], honest.near[1][1] * arb("1.001")), *honest.near[2:])},
    }
    wrong = EndpointExpansion(**{**{name: getattr(honest, name) for name in honest.__dataclass_fields__}, **changes[fault]})
    values = numerics.eigenvalues(kernel, ss.Sphere(d), range(1, 60), digits=25)
    with working_precision(160):
        assert all(honest.eigenvalue(k).overlaps(v) for k, v in enumerate(values, start=1))
        assert not all(wrong.eigenvalue(k).overlaps(v) for k, v in enumerate(values, start=1))


def test_too_low_a_precision_fails_instead_of_lying(monkeypatch):
    monkeypatch.setattr(module, "MAX_TERMS", 40)
    with pytest.raises(errors.Undecided):
        endpoint_expansion(ss.mlp(ss.relu, 3).ck, 3, 9, 17, 16)


def test_too_few_terms_for_the_order_are_refused():
    with pytest.raises(errors.Undecided, match="too small for m"):
        endpoint_expansion(ss.mlp(ss.relu, 2).ck, 3, 6, 3)


def test_a_piece_outside_the_ellipse_is_refused(monkeypatch):
    monkeypatch.setattr(endpoint_pieces.Region, "proposed_disc", lambda _self, y: 0.96 * min(y, 1 - y))
    with pytest.raises(errors.Undecided, match="leaves the ellipse"):
        endpoint_expansion(ss.mlp(ss.relu, 4).ck, 3, 4, 7)
