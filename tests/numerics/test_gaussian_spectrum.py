"""Operators on the length under Gaussian inputs, against doubles, exact polynomials and themselves."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

import pytest
import sympy
from flint import arb, fmpq

import numerics
import symspec as ss
from numerics import gaussian_spectrum, radial_plan
from numerics.gaussian_spectrum import Operators, largest_eigenvalues, mean_variance, radial_eigenvalues, traces
from numerics.precision import goal_bits, working_precision
from numerics.radial_kernel import RadialKernel
from tests.numerics import double_lengths as doubles

ERF = ss.mlp(ss.erf, 1, sigma_w2=2, sigma_b2=1)
RELU = ss.mlp(ss.relu, 1, sigma_w2=2, sigma_b2=1)


@pytest.mark.parametrize(
    ("network", "pair", "part", "d", "k"),
    [
        (ERF, doubles.erf_pair, "ck", 10, 1),
        (ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2=1), doubles.erf_pair, "ntk", 50, 2),
        (ss.mlp(ss.sin, 2, sigma_w2=1, sigma_b2="1/2"), doubles.sin_pair, "ntk", 6, 0),
        (RELU, doubles.relu_pair, "ntk", 50, 1),
        pytest.param(ss.mlp(ss.exp, 1, sigma_w2="1/2", sigma_b2="1/4"), doubles.exp_pair, "ntk", 12, 1, marks=pytest.mark.slow),
    ],
)
def test_largest_eigenvalues_against_doubles(network, pair, part, d, k):
    par = network.parametrisation
    evaluate = partial(doubles.kernel, pair, network.depth, float(par.sigma_w2), float(par.sigma_b2), part)
    wanted = doubles.eigenvalues(evaluate, d, k)
    found = radial_eigenvalues(getattr(network, part), ss.Gaussian(d), k, 2, 7 if pair is not doubles.relu_pair else 5)
    assert [float(value) for value in found] == pytest.approx(list(wanted[:2]), rel=1e-6 if pair is not doubles.relu_pair else 1e-5)
    with working_precision(64):
        whole = traces(getattr(network, part), d, [k], goal_bits(6))[k]
    assert float(whole) == pytest.approx(float(wanted.sum()), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "pair", "bias", "d", "k", "digits", "precision"),
    [
        pytest.param("elu", doubles.elu_pair, 0, 60, 1, 4, 2e-4, marks=pytest.mark.slow),
        ("erf(x+1)", doubles.shifted_erf_pair, 0, 60, 0, 6, 1e-6),
        pytest.param("relu(x-1)", doubles.threshold_pair, 0, 60, 1, 3, 2e-3, marks=pytest.mark.slow),
        pytest.param("elu", doubles.elu_pair, 1, 10, 2, 4, 2e-4, marks=pytest.mark.slow),
    ],
)
def test_thresholds_and_exponentials_that_decay(name, pair, bias, d, k, digits, precision):
    """Duals with orthant probabilities, continued to complex lengths."""
    wanted = doubles.eigenvalues(partial(doubles.kernel, pair, 1, 1.0, float(bias), "ck"), d, k)
    found = radial_eigenvalues(ss.mlp(ss.activation(name), 1, sigma_w2=1, sigma_b2=bias).ck, ss.Gaussian(d), k, 1, digits)
    assert float(found[0]) == pytest.approx(wanted[0], rel=precision)


def test_a_polynomial_kernel_exactly():
    """sigma = x^2: K = (v + 1)(w + 1) + 2 (rst + 1)^2 + 1, an operator of finite rank."""
    kernel, d = ss.mlp(ss.monomial(2), 1, sigma_w2=1, sigma_b2=1).ck, 5
    second = Fraction(d + 2, d)  # E v^2
    found = largest_eigenvalues(kernel, d, [1, 2], 1, goal_bits(12))
    for k, wanted in ((1, Fraction(4, d)), (2, 2 * second * Fraction(2, d * (d + 2)))):
        assert found[k][0].contains(fmpq(wanted.numerator, wanted.denominator))
    # Degree 0: (v+1)(w+1) + 2vw/d + 3 on the span of 1 and v, whose Gram matrix is ((1, 1), (1, second)).
    trace = (second + 2 + 1) + 2 * second / d + 3
    form = [[Fraction(4), Fraction(1)], [Fraction(1), 1 + Fraction(2, d)]]
    gram = [[Fraction(1), Fraction(1)], [Fraction(1), second]]
    determinant = (form[0][0] * form[1][1] - 1) * (gram[0][0] * gram[1][1] - 1)
    with working_precision(80):
        half = arb(fmpq(trace.numerator, trace.denominator)) / 2
        roots = [half + sign * (half * half - arb(fmpq(determinant.numerator, determinant.denominator))).sqrt() for sign in (1, -1)]
    values = radial_eigenvalues(kernel, ss.Gaussian(d), 0, 2, 10)
    assert all(value.overlaps(root) for value, root in zip(values, roots, strict=True))
    with pytest.raises(ss.Undecided, match="exactly 0"):
        radial_eigenvalues(kernel, ss.Gaussian(d), 1, 2, 3)
    assert numerics.eigenvalues(kernel, ss.Gaussian(d), [3, 4], 5) == [0, 0]


def test_residual_networks():
    """One block of slope 0 in the limit of a small alpha is the identity: lambda_1 = E v/d."""
    small = numerics.eigenvalues(ss.resnet(ss.sin, 1, "1/1000").ck, ss.Gaussian(8), 1, 6)[0]
    assert float(small) == pytest.approx(1 / 8, rel=1e-5)
    net = ss.resnet(ss.sin, 1, 1)
    with working_precision(64):
        parts = [traces(part, 8, [1], goal_bits(5))[1] for part in net.ntk_layers]
        assert sum(parts, arb(0)).overlaps(traces(net.ntk, 8, [1], goal_bits(5))[1])


def test_all_degrees_together_make_up_the_variance():
    kernel, d = ss.mlp(ss.monomial(2), 1, sigma_w2=1, sigma_b2=1).ck, 5
    shares = numerics.fractional_variances(kernel, ss.Gaussian(d), range(4), 8)
    with working_precision(64):
        total = sum(shares, arb(0))
        assert total.contains(1)
        assert total.rad() < arb("1e-7")
    assert float(mean_variance(ERF.ck, 10, goal_bits(8))) == pytest.approx(2.29414026, rel=1e-8)


def test_homogeneous_kernels_have_one_eigenvalue():
    """The general method knows nothing of homogeneity."""
    kernel, d = ss.mlp(ss.relu, 1).ck, 60
    value = largest_eigenvalues(kernel, d, [2], 1, goal_bits(5))[2][0]
    assert value.overlaps(numerics.eigenvalues(kernel, ss.Gaussian(d), 2, 20)[0])


def test_the_top_eigenvalue_tends_to_that_of_the_sphere():
    ratios = []
    for d in (20, 320):
        found, sphere = (numerics.eigenvalues(ERF.ck, domain(d), 1, 8)[0] for domain in (ss.Gaussian, ss.Sphere))
        ratios.append(float(found / sphere) - 1)
    assert abs(ratios[1]) < abs(ratios[0]) / 10
    assert abs(ratios[1]) < 2e-3


def test_layers_add_up_and_their_shares_too():
    net = ss.mlp(ss.sin, 2, sigma_w2=1, sigma_b2="1/2")
    with working_precision(64):
        parts = [traces(part, 6, [1], goal_bits(6))[1] for part in net.ntk_layers]
        assert sum(parts, arb(0)).overlaps(traces(net.ntk, 6, [1], goal_bits(6))[1])
    shares = numerics.layer_shares(net, ss.Gaussian(6), [1], 3)[0]
    assert sum(shares, arb(0)).contains(1)


@pytest.fixture(scope="module")
def coarse():
    """Operators with far too few nodes: the enclosures are wide, and must still hold."""
    kernel = RadialKernel.of(ERF.ck)
    made = radial_plan.plan(kernel, 10, 1, 1, 20, 3)
    made = replace(made, nodes=9, kept=5)
    with working_precision(64):
        return Operators(kernel, made, 20, made.measure.outside(kernel.growth))


def test_coarse_rules_enclose_too(coarse):
    truth = arb("0.073891825547424")
    with working_precision(coarse.precision):
        value = coarse.eigenvalues(1, 1, 30)[0]
    assert value.rad() > 0
    assert value.contains(truth)


def test_without_the_error_of_the_rule_coarse_enclosures_miss(coarse, monkeypatch):
    """A deliberate fault: rules taken for exact. With as few nodes as these it shows."""
    few = Operators(coarse.kernel, replace(coarse.plan, nodes=5, kept=3), coarse.goal, arb(0))
    monkeypatch.setattr("numerics.jacobi_rule.JacobiRule.error", lambda self, ratio: arb(0))
    with working_precision(few.precision):
        assert not few.whole_trace(1).overlaps(arb("0.07416048089", "1e-10"))


def test_a_wrong_multiplier_of_the_degrees_is_found(monkeypatch):
    """A deliberate fault: the multipliers of dimension d + 1."""
    honest = gaussian_spectrum.weights
    monkeypatch.setattr(gaussian_spectrum, "weights", lambda d, k, terms: honest(d + 1, k, terms))
    value = largest_eigenvalues(ERF.ck, 10, [1], 1, goal_bits(4))[1][0]
    assert not value.overlaps(arb("0.0738918255"))


def test_zeros_and_refusals():
    odd = ss.mlp(ss.erf, 1).ck
    assert radial_eigenvalues(odd, ss.Gaussian(4), 2, 3, 5) == [0, 0, 0]
    for call, kind, words in (
        (lambda: radial_eigenvalues(odd, ss.Sphere(4), 1), ss.InputError, "Gaussian"),
        (lambda: radial_eigenvalues(odd, ss.Gaussian(4), 1, 0), ss.InputError, "count"),
        (lambda: radial_eigenvalues("erf", ss.Gaussian(4), 1), ss.InputError, "Kernel"),
        (lambda: numerics.eigenvalues(ss.mlp("exp(x/8)*tanh(x)", 1).ck, ss.Gaussian(4), 1), ss.NoClosedForm, "sector"),
        (lambda: numerics.eigenvalues(ss.mlp(ss.exp, 2).ck, ss.Gaussian(40), 1), ss.Undecided, "bounded by a polynomial"),
        (lambda: numerics.eigenvalues(ss.mlp(ss.exp, 1).ck, ss.Gaussian(4), 1), ss.Undecided, "finite"),
        (lambda: numerics.eigenvalues(ss.zonal_kernel(sympy.Symbol("rho") ** 3), ss.Gaussian(4), 1), ss.DomainError, "homogeneous"),
        (lambda: numerics.eigenvalues(odd, ss.Gaussian(4), 1, 1000), ss.Undecided, "fewer digits"),
        (lambda: numerics.error_reduction(ss.mlp(ss.erf, 1), ss.Gaussian(4), {1: 1}, [1]), ss.DomainError, "homogeneous"),
        (lambda: numerics.learning_curve(odd, ss.Gaussian(4), {1: 1}, [10]), ss.DomainError, "homogeneous"),
    ):
        with pytest.raises(kind, match=words):
            call()
