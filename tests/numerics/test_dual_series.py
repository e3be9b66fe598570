"""Duals given by their series in every carrier, and kernels made of them, against quadrature and faults that must show."""

from __future__ import annotations

import pickle

import mpmath
import numpy as np
import pytest
import sympy
from flint import acb, arb, arb_series
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics import dual_series, power_series
from numerics.correlation_polynomial import correlation_polynomial
from numerics.dual_series import MehlerSeries, complex_dual, real_dual, series_dual
from numerics.precision import working_precision
from symspec import errors
from symspec.strip import lifted
from symspec.strip_functions import DualOf, Profile

from ..symspec.random_strip_activations import HEADS, sigmoid, softplus, strip_activations

NUMPY = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
}
SLOPES = {
    "tanh": lambda x: mpmath.sech(x) ** 2,
    "sigmoid": lambda x: sigmoid(x) * sigmoid(-x),
    "softplus": sigmoid,
    "silu": lambda x: sigmoid(x) + x * sigmoid(x) * sigmoid(-x),
    "mish": lambda x: mpmath.tanh(softplus(x)) + x * mpmath.sech(softplus(x)) ** 2 * sigmoid(x),
}
GRID = [mpmath.mpf(j) / 8 for j in range(-72, 73)]


def expectation(f, q, c):
    """E f(u) f(v), variances q and covariance c, by the trapezoidal rule over two independent normals (plain mpmath)."""
    weights = [mpmath.npdf(x) / 8 for x in GRID]
    root, rho = mpmath.sqrt(q), c / q
    other = mpmath.sqrt(1 - rho * rho)
    inner = [mpmath.fsum(w * f(root * (rho * x + other * y)) for y, w in zip(GRID, weights, strict=True)) for x in GRID]
    return mpmath.fsum(w * f(root * x) * value for x, w, value in zip(GRID, weights, inner, strict=True))


def profile(name):
    return Profile(lifted(ss.activation(name).form).base)


def close(value, wanted, digits):
    with working_precision(120):
        return value.overlaps(arb(mpmath.nstr(wanted, digits + 8)) + arb(0, f"1e-{digits}"))


@pytest.mark.parametrize(("name", "q", "c"), [("tanh", 1, "0.5"), ("silu", 2, "-1.4"), ("mish", "0.5", "0.1"), ("sigmoid", 3, "2.9")])
def test_values_and_derivatives_against_double_quadrature(name, q, c):
    with mpmath.workdps(20):
        q, c = mpmath.mpf(q), mpmath.mpf(c)
        wanted = [expectation(f, q, c) for f in (HEADS[name], SLOPES[name])]
    with working_precision(120):
        for order, value in enumerate(wanted):
            found = real_dual(arb(str(q)), arb(str(q)), arb(str(c)), DualOf(profile(name), order))
            assert found.rad() < arb("1e-28")
            assert close(found, value, 12)


@settings(max_examples=15, deadline=None)
@given(strip_activations, st.sampled_from(["-3/4", "0", "1/3", "1"]))
def test_random_duals_against_quadrature_of_their_coefficients(random, rho):
    """sum a_n^2 rho^n with a_n from NumPy, unless rho = 1, where the second moment is one integral."""
    x = np.arange(-14, 14, 0.02)
    with mpmath.workdps(15):
        f = np.array([float(random.meaning(mpmath.mpf(float(v)))) for v in x])
    weights = np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * 0.02
    value = float(sympy.Rational(rho))
    if rho == "1":
        wanted = (f * f * weights).sum()
    else:
        before, now, wanted = np.zeros_like(x), np.ones_like(x), 0.0
        for n in range(120):
            wanted += (f * now * weights).sum() ** 2 * value**n
            before, now = now, (x * now - np.sqrt(n) * before) / np.sqrt(n + 1)
    with working_precision(60):
        found = real_dual(arb(1), arb(1), numerics.ball(sympy.Rational(rho)), DualOf(Profile(lifted(ss.activation(random.text).form).base), 0))
    assert abs(float(found) - wanted) < 1e-9 * (1 + abs(wanted))
    assert found.rad() < arb("1e-12") * (1 + abs(found))


def recursion(name, depth, weight, bias, rho):
    """CK and NTK by the textbook recursion, every expectation a double sum in NumPy."""
    f, h = NUMPY[name], 1e-5
    x = np.arange(-9, 9.01, 0.1)
    u, v = np.meshgrid(x, x)
    weights = np.exp(-(u * u + v * v) / 2) / (2 * np.pi) * 0.01

    def both(q, c):
        r = min(c / q, 1.0)
        a, b = np.sqrt(q) * u, np.sqrt(q) * (r * u + np.sqrt(1 - r * r) * v)
        slope = lambda t: (f(t + h) - f(t - h)) / (2 * h)  # noqa: E731
        return (weights * f(a) * f(b)).sum(), (weights * slope(a) * slope(b)).sum()

    q, k = weight + bias, weight * rho + bias
    theta = k
    for _ in range(depth):
        value, slope = both(q, k)
        k, q, slope = weight * value + bias, weight * both(q, q)[0] + bias, weight * slope
        theta = k + theta * slope
    return k, theta


@pytest.mark.parametrize(("name", "depth", "weight", "bias"), [("tanh", 2, 1.5, 0.0), ("sigmoid", 3, 2.0, 0.5), ("silu", 2, 2.0, 0.25), ("softplus", 1, 1.0, 0.0), ("mish", 2, 1.0, 0.125)])
def test_networks_against_the_textbook_recursion(name, depth, weight, bias):
    net = ss.mlp(name, depth, sigma_w2=weight, sigma_b2=bias)
    for rho in (-1, -0.5, 0, 0.75, 1):
        wanted = recursion(name, depth, weight, bias, rho)
        for kernel, value in zip((net.ck, net.ntk), wanted, strict=True):
            assert abs(float(numerics.evaluate(kernel, rho, digits=20)) - value) < 1e-7 * (1 + abs(value))
    parts = [numerics.evaluate(part, "0.3", digits=20) for part in net.ntk_layers]
    with working_precision(100):
        assert sum(parts, arb(0)).overlaps(numerics.evaluate(net.ntk, "0.3", digits=20))


def test_normalised_and_residual_kernels():
    assert numerics.evaluate(ss.mlp("tanh", 4).ck, 1, digits=30).overlaps(arb(1))
    net = ss.resnet("silu", 3, 1)
    total = sum((numerics.evaluate(part, "1/3", digits=25) for part in net.ntk_layers), arb(0))
    with working_precision(110):
        assert total.overlaps(numerics.evaluate(net.ntk, "1/3", digits=25))
    assert numerics.evaluate(ss.resnet("tanh", 2, 1).ck, 0) == 0


@pytest.mark.parametrize("network", [ss.mlp("tanh", 3), ss.mlp("sigmoid", 2), ss.mlp("silu", 2, sigma_w2=2, sigma_b2="1/10"), ss.resnet("mish", 2, 1), ss.mlp("sigmoid", 3, sigma_b2="1/5")], ids=str)
def test_eigenvalues_are_the_integrals_of_the_kernel(network):
    """Gauss-Legendre over certified values, for the circle's neighbour S^2 (weight 1/2)."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    values = np.array([float(numerics.evaluate(network.ntk, float(t), digits=18)) for t in nodes])
    for k, found in enumerate(numerics.eigenvalues(network.ntk, ss.Sphere(3), range(8), digits=20)):
        wanted = (weights * values * np.polynomial.legendre.legval(nodes, [0] * k + [1])).sum() / 2
        assert abs(float(found) - wanted) < 1e-13
        assert found == 0 or found.rel_accuracy_bits() > 66


def test_eigenvalues_add_up_to_the_diagonal():
    kernel, d = ss.mlp("tanh", 2).ntk, ss.Sphere(5)
    with working_precision(200):
        total = sum((value * d.multiplicity(k) for k, value in enumerate(numerics.eigenvalues(kernel, d, range(60), digits=20))), arb(0))
        rest = numerics.evaluate(kernel, 1, digits=20) - total
        assert arb(0) < rest < arb("1e-6")


def test_power_series_of_deep_networks_sum_to_the_kernel():
    """Non-negative coefficients; the partial sum and what is left of K(1) enclose K, with a bias and K(0) > 0 too."""
    for kernel in (ss.mlp("sigmoid", 2).ck, ss.mlp("silu", 2, sigma_w2=2, sigma_b2="1/10").ntk, ss.mlp("tanh", 3, sigma_b2="1/10").ntk):
        with working_precision(140):
            values = power_series.coefficients(kernel, 120, arb(1))
            assert all(value.upper() >= 0 for value in values)
            rest = numerics.evaluate(kernel, 1, digits=30) - sum(values, arb(0))
            for rho in ("0", "1/2", "-7/8", "1"):
                r = numerics.ball(sympy.Rational(rho))
                partial = sum((b * r**n for n, b in enumerate(values)), arb(0))
                assert (partial + arb(0, rest.upper())).overlaps(numerics.evaluate(kernel, sympy.Rational(rho), digits=30))


def test_re_expansion_agrees_with_values_near_the_centre():
    data = DualOf(profile("mish"), 1)
    with working_precision(120, 12):
        series = series_dual(arb_series([2]), arb_series([2]), arb_series([arb("1.5"), 1]), data)
        step = arb("0.001")
        value = sum((series[n] * step**n for n in range(12)), arb(0))
        assert (value + arb(0, "1e-25")).overlaps(real_dual(arb(2), arb(2), arb("1.501"), data))
        assert value.rad() < arb("1e-20")


def test_complex_balls_inside_the_disc_only():
    data = DualOf(profile("tanh"), 0)
    with working_precision(100):
        inside = complex_dual(acb(1), acb(1), acb("0.5", 0), data)
        assert inside.real.overlaps(real_dual(arb(1), arb(1), arb("0.5"), data))
        assert not complex_dual(acb(1), acb(1), acb(0, "0.5"), data).real.contains(1)
        assert not complex_dual(acb(1), acb(1), acb("1.01", 0), data).is_finite()
        assert not complex_dual(acb(1), acb(1), acb(1, "0.1"), data).is_finite()
        # A variance, and no ball that reaches beyond it.
        assert complex_dual(acb(1), acb(1), acb(1), data).real.overlaps(real_dual(arb(1), arb(1), arb(1), data))
        assert not complex_dual(acb(1), acb(1), acb(arb(1, "0.001")), data).is_finite()


def test_where_there_is_no_continuation_it_is_said():
    kernel = ss.mlp("tanh", 2).ntk
    with pytest.raises(errors.Undecided, match="radius 1"):
        numerics.angle_polynomial(kernel)
    assert power_series.majorants(kernel) == ()
    with pytest.raises((errors.NoClosedForm, errors.Undecided)):
        numerics.certify(kernel, ss.Sphere(3))
    with pytest.raises(errors.Undecided, match="fewer digits"):
        numerics.evaluate(ss.mlp("tanh", 1).ck, "0.999", digits=400)


def test_next_to_the_diagonal_nothing_is_lost():
    kernel = ss.mlp("tanh", 3).ck
    near = numerics.evaluate(kernel, 1 - sympy.Rational(1, 10**40), digits=60)
    slope = numerics.evaluate(ss.mlp("tanh", 3).ntk_layers[0], 1, digits=60)
    with working_precision(300):
        assert ((1 - near) * arb(10) ** 40 - slope).overlaps(arb(0, "1e-18"))
    assert numerics.evaluate(ss.mlp("silu", 2).ck, -1, digits=30).rel_accuracy_bits() > 98


def test_certified_polynomials_in_the_correlation():
    for kernel in (ss.mlp("tanh", 3).ntk, ss.mlp("sigmoid", 2, sigma_w2=2, sigma_b2="1/10").ck):
        polynomial = correlation_polynomial(kernel, 17)
        assert polynomial.degree < 80
        with working_precision(400):
            for rho in ("-1", "-0.3", "0", "0.99", "1"):
                assert abs(polynomial.value(arb(rho)) - numerics.evaluate(kernel, rho, digits=25)) <= polynomial.error + arb("1e-24")
    with pytest.raises(errors.Undecided):
        correlation_polynomial(ss.zonal_kernel(sympy.Symbol("rho")))


def test_the_decay_constant_is_approached():
    """-log mu_k / k^(2/3) between k = 101 and k = 301 is within 3 % of (3/2) (2a)^(2/3), and nearer than between 25 and 101."""
    law = ss.decay(ss.mlp("tanh", 1).ck, ss.Sphere(3))
    wanted = float(numerics.stretch_constant(law, 10))
    values = [-float(v.log()) for v in numerics.eigenvalues(ss.mlp("tanh", 1).ck, ss.Sphere(3), [25, 101, 301], digits=8)]
    slopes = [(b - a) / (k ** (2 / 3) - j ** (2 / 3)) for a, b, j, k in zip(values, values[1:], (25, 101), (101, 301), strict=False)]
    assert abs(slopes[1] - wanted) < 0.03 * wanted
    assert abs(slopes[1] - wanted) < abs(slopes[0] - wanted)


def test_deep_networks_decay_as_the_largest_slope_says():
    """The coefficients of the power series at depth 3: log b_n against sqrt(n)."""
    kernel = ss.mlp("tanh", 3).ck
    with working_precision(320):
        values = power_series.coefficients(kernel, 702, arb(1))
        measured = float((values[401].log() - values[701].log()) / (arb(701).sqrt() - arb(401).sqrt()))
    wanted = (float(numerics.stretch_constant(ss.decay(kernel, ss.Sphere(3)), 10)) * 2 / 3) ** 1.5
    assert abs(measured - wanted) < 0.025 * wanted
    assert abs(measured - np.pi) > 0.1 * np.pi  # the rate of one layer is another


def test_fault_tail_dropped(monkeypatch):
    data, c = DualOf(profile("tanh"), 0), arb("0.9")
    with working_precision(150):
        right = real_dual(arb(1), arb(1), c, data)
        monkeypatch.setattr(MehlerSeries, "count_for", lambda self, order, r, bits: 48)
        honest = real_dual(arb(1), arb(1), c, data)
        monkeypatch.setattr(MehlerSeries, "remainder", lambda self, order, count: arb(0))
        wrong = real_dual(arb(1), arb(1), c, data)
        assert right.overlaps(honest)
        assert not right.overlaps(wrong)


def test_fault_tail_of_the_re_expansion_dropped(monkeypatch):
    kernel = ss.mlp("sigmoid", 2).ck
    with working_precision(120):
        right = power_series.coefficients(kernel, 40, arb(1))
        monkeypatch.setattr(dual_series, "_shifted_tail", lambda *_: arb(0))
        monkeypatch.setattr(MehlerSeries, "count_for", lambda self, order, r, bits: 48)
        wrong = power_series.coefficients(kernel, 40, arb(1))
        assert any(not a.overlaps(b) for a, b in zip(right, wrong, strict=True))


def test_fault_second_moment_too_small(monkeypatch):
    """The tail is what the second moment leaves; where that is negative nothing is claimed."""
    moment = dual_series._moments
    monkeypatch.setattr(dual_series, "_moments", lambda expr, order, key, bits: tuple(value * arb("0.99999") for value in moment(expr, order, key, bits)))
    dual_series._rest.cache_clear()
    try:
        with working_precision(100):
            assert not real_dual(arb(1), arb(1), arb("0.95"), DualOf(profile("tanh"), 0)).is_finite()
    finally:
        dual_series._rest.cache_clear()


def test_kernels_travel_between_processes():
    kernel = pickle.loads(pickle.dumps(ss.mlp("mish", 2).ntk))
    assert kernel == ss.mlp("mish", 2).ntk
    assert numerics.evaluate(kernel, "1/2", digits=20).overlaps(numerics.evaluate(ss.mlp("mish", 2).ntk, "1/2", digits=20))


def test_products_of_kernels_and_gram_moments():
    kernel = ss.mlp("tanh", 1).ck
    square = numerics.eigenvalues(kernel * kernel, ss.Sphere(3), [0, 1, 2], digits=20)
    assert square[1] == 0
    assert square[0] > 0
    mixed = kernel + ss.mlp("relu", 1).ck
    assert numerics.evaluate(mixed, "1/2", digits=20).overlaps(numerics.evaluate(kernel, "1/2", digits=20) + numerics.evaluate(ss.mlp("relu", 1).ck, "1/2", digits=20))
    with pytest.raises(errors.Undecided, match="summands"):
        numerics.eigenvalues(mixed, ss.Sphere(3), [1], digits=10)
