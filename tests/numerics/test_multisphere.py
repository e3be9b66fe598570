"""Certified eigenvalues of kernels of images on products of spheres."""

from __future__ import annotations

import itertools
from collections import Counter

import mpmath
import numpy
import pytest
import sympy
from flint import arb
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics import multisphere, product_rules
from numerics.precision import working_precision
from symspec import gegenbauer
from symspec.errors import DomainError, InputError, Undecided
from symspec.pixel_support import vanishes

SINGLE = ss.cnn(ss.relu, 1, 2, 2).ck
POINTWISE = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")


def test_the_sharp_constant_of_two_pixels():
    """lambda (k1^2 + k2^2)^(7/2), both shifted by 1/2, tends to .8440 in every direction."""
    indices = [(16, 16), (40, 40), (24, 32), (40, 10)]
    for (a, b), value in zip(indices, numerics.eigenvalues(SINGLE, ss.MultiSphere(3, 2), indices, 12), strict=True):
        scaled = value * ((arb(a) + 0.5) ** 2 + (arb(b) + 0.5) ** 2) ** 3.5
        assert value.rel_accuracy_bits() > 39
        assert abs(scaled - arb("0.8440")) < 0.006


def test_pointwise_first_has_another_law():
    values = numerics.eigenvalues(POINTWISE.ck, ss.MultiSphere(3, 2), [(20, 20), (30, 30), (20, 0), (30, 0)], 8)
    assert abs(values[1] * (arb(30.5) ** 2) ** 3.5 - arb("0.0373")) < 0.0015
    diagonal, axis = (-((b / a).log() / (arb(30.5) / arb(20.5)).log()) for a, b in ((values[0], values[1]), (values[2], values[3])))
    assert abs(diagonal - 7) < 0.1
    assert abs(axis - 5) < 0.1


@pytest.mark.slow
def test_three_pixels():
    figures = {(2, 2, 0): "6.74e-5", (2, 0, 2): "5.96e-6", (1, 1, 0): "4.15e-3", (1, 0, 1): "6.50e-4", (0, 2, 0): "5.03e-3", (2, 0, 0): "2.15e-3"}
    kernel = ss.cnn(ss.relu, 2, 2, 3).ck
    values = multisphere.angle_boxes.integrals(kernel, 3, (2, 2, 2), 15)
    for index, text in figures.items():
        half_a_digit = arb(f"0.5e{int(text.partition('e')[2]) - 2}")
        assert abs(values[index].mid() - arb(text)) < half_a_digit + values[index].rad()
        assert values[index].rad() < arb("2e-6")


def bessel(index, dimension):
    """The same eigenvalues for kappa_1 of the mean of t_i: kappa_1 has the Laplace measure K_0(x)/(pi x)^2, and E exp(x t) P_k(t) is a Bessel function."""
    with mpmath.workdps(18):
        nu, size = mpmath.mpf(dimension) / 2 - 1, len(index)

        def one(k, x):
            return mpmath.gamma(nu + 1) * (2 / x) ** nu * mpmath.besseli(nu + k, x)

        def integrand(x):
            return mpmath.besselk(0, x) / x**2 * mpmath.fprod(one(k, x / size) ** times for k, times in Counter(index).items())

        return 2 / mpmath.pi**2 * mpmath.quad(integrand, [0, *(4**j for j in range(10))])


@pytest.mark.parametrize(("dimension", "index"), [(4, (4, 2)), pytest.param(2, (3, 3), marks=pytest.mark.slow), pytest.param(3, (5, 1), marks=pytest.mark.slow)])
def test_a_one_dimensional_bessel_integral(dimension, index):
    value = numerics.eigenvalues(ss.cnn(ss.relu, 1, 2, 2).ck, ss.MultiSphere(dimension, 2), [index], 12)[0]
    assert abs(value / arb(str(bessel(index, dimension))) - 1) < 1e-10


def test_four_pixels_and_a_one_dimensional_bessel_integral():
    indices = [(2, 0, 0, 0), (1, 1, 1, 1)]
    for index, value in zip(indices, numerics.eigenvalues(ss.cnn(ss.relu, 1, 4, 4).ck, ss.MultiSphere(3, 4), indices, 5), strict=True):
        assert value.rel_accuracy_bits() > 16
        assert abs(value - arb(str(bessel(index, 3)))) < 2 * value.rad() + 1e-18


RULE = numpy.polynomial.legendre.leggauss(160)


def relu_dual(q, c):
    rho = numpy.clip(c / q, -1, 1)
    return q * (rho * (numpy.pi - numpy.arccos(rho)) + numpy.sqrt(1 - rho**2)) / (2 * numpy.pi)


def relu_slope(q, c):
    return (numpy.pi - numpy.arccos(numpy.clip(c / q, -1, 1))) / (2 * numpy.pi)


def floats(net, t, part):
    """An independent recursion in doubles on arrays of t_i."""
    shape, reads = net.pixels, [patch.reads for patch in net.patches]
    values, q, tangent = list(t), 1.0, None
    for layer, taps in enumerate(reads):
        w = float(net.patches[layer].weight)
        b = float(net.patches[layer].bias)
        pre = [w * sum(values[i] for i in row) / len(row) + b for row in taps]
        tangent = [c + (0 if tangent is None else w * sum(tangent[i] for i in row) / len(row)) for c, row in zip(pre, taps, strict=True)]
        q = w * q + b
        tangent = [relu_slope(q, c) * value for c, value in zip(pre, tangent, strict=True)]
        values, q = [relu_dual(q, c) for c in pre], q / 2
    w, b = float(net.program("ck").readout.weight), float(net.program("ck").readout.bias)
    assert shape
    return w * values[0] + b + (w * tangent[0] if part == "ntk" else 0)


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 2), st.sampled_from(["conv", "pointwise"]), st.sampled_from(["ck", "ntk"]), st.booleans(), st.integers(2, 5), st.tuples(st.integers(0, 5), st.integers(0, 5)))
def test_tensor_quadrature_in_doubles(depth, first, part, biased, channels, index):
    net = ss.cnn(ss.relu, depth, 2, 2, first_layer=first, **({"sigma_w2": "3/2", "sigma_b2": "1/5"} if biased else {}))
    value = numerics.eigenvalues(getattr(net, part), ss.MultiSphere(channels, 2), [index], 3)[0]
    x, w = RULE
    theta = numpy.pi * (x + 1) / 2
    density = w * numpy.sin(theta) ** (channels - 2)
    density /= density.sum()
    rows = [density * sympy.lambdify(gegenbauer.T, gegenbauer.polynomial(channels, k) + 0 * gegenbauer.T, "numpy")(numpy.cos(theta)) for k in index]
    t = numpy.cos(theta)
    grid = numpy.broadcast_to(floats(net, [t[:, None], t[None, :]], part), (160, 160))
    estimate = rows[0] @ grid @ rows[1]
    assert abs(value.mid() - estimate) < 2e-6 + value.rad()


@pytest.mark.parametrize("head", ["eq", "trace"])
def test_polynomial_kernels_are_exact(head):
    net = ss.cnn(ss.monomial(2), 2, 2, 2, head, sigma_w2=1, sigma_b2="1/3")
    t = sympy.symbols("t1 t2", real=True)
    polynomial = sympy.Poly(sympy.expand(net.ntk(list(t))), *t)
    space = ss.MultiSphere(3, 2)
    indices = [(0, 0), (1, 0), (2, 2), (3, 1), (4, 0), (4, 1), (5, 0)]
    for index, value in zip(indices, numerics.eigenvalues(net.ntk, space, indices, 20), strict=True):
        exactly = sum(c * space.monomial_eigenvalue(powers, index) for powers, c in polynomial.terms())
        if exactly == 0:
            assert value == 0
        with working_precision(150):
            assert abs(value - numerics.ball(exactly)) < arb("1e-19")


def test_the_two_methods_agree():
    for net, indices in ((ss.cnn(ss.gelu, 1, 2, 2), [(1, 0), (1, 1), (2, 2)]), (ss.cnn(ss.relu, 2, 2, 2), [(0, 0), (1, 1)]), (POINTWISE, [(1, 2)])):
        boxed = multisphere._boxed(net.ntk, 3, indices, 12, None)
        ruled = product_rules.eigenvalues(net.ntk, 3, indices, 12)
        assert all(boxed[index].overlaps(ruled[index]) for index in indices)


def test_tanh_has_no_closed_form_and_certified_eigenvalues():
    one = numerics.eigenvalues(ss.cnn(ss.tanh, 1, 1, 1).ck, ss.MultiSphere(3, 1), [(1,), (3,)], 3)
    dense = numerics.eigenvalues(ss.mlp(ss.tanh, 1).ck, ss.Sphere(3), [1, 3], 12)
    assert all(a.overlaps(b) for a, b in zip(one, dense, strict=True))
    two = numerics.eigenvalues(ss.cnn(ss.tanh, 1, 2, 2).ck, ss.MultiSphere(3, 2), [(1, 0), (1, 1)], 2)
    assert two[0] > 0
    assert two[1] == 0


@pytest.mark.slow
def test_one_pixel_is_the_sphere():
    net, dense = ss.cnn(ss.relu, 3, 1, 1), ss.mlp(ss.relu, 3)
    for channels in (2, 5):
        ours = numerics.eigenvalues(net.ntk, ss.MultiSphere(channels, 1), [(k,) for k in (0, 1, 5)], 8)
        theirs = numerics.eigenvalues(dense.ntk, ss.Sphere(channels), [0, 1, 5], 20)
        assert all(a.overlaps(b) for a, b in zip(ours, theirs, strict=True))


def test_layers_and_the_trace():
    space = ss.MultiSphere(4, 2)
    indices = list(itertools.product(range(4), repeat=2))
    whole, *parts = (numerics.eigenvalues(kernel, space, indices, 3) for kernel in (POINTWISE.ntk, *POINTWISE.ntk_layers))
    for total, *shares in zip(whole, *parts, strict=True):
        assert total.overlaps(sum(shares, arb(0)))
    mass = sum((value * space.multiplicity(index) for value, index in zip(whole, indices, strict=True)), arb(0))
    assert mass < 3
    assert mass > 2.5


def test_trace_and_gap_are_means_over_shifts():
    space = ss.MultiSphere(3, 3)
    index = (2, 1, 1)
    eq, trace, gap = (ss.cnn(ss.relu, 1, 2, 3, head).ck for head in ("eq", "trace", "gap"))
    rolled = [(1, 1, 0), (1, 0, 1), (0, 1, 1)]
    values = numerics.eigenvalues(eq, space, rolled, 5)
    mean = sum(values, arb(0)) / 3
    assert [value == 0 for value in values] == [False, True, True]
    for kernel in (trace, gap):
        for k in rolled:
            assert numerics.eigenvalues(kernel, space, [k], 5)[0].overlaps(mean)
    assert all(numerics.eigenvalues(kernel, space, [index], 12)[0] == 0 for kernel in (eq, trace, gap))


def test_gap_acts_on_orbit_sums_exactly():
    """On circles, for a polynomial network: the integral operator applied to u(x) is computed in closed form."""
    net = ss.cnn(ss.monomial(2), 1, 2, 2, "gap")
    a, b = sympy.symbols("a1 a2 b1 b2", real=True)[:2], sympy.symbols("b1 b2", real=True)
    kernel = sympy.expand(net.ck(sympy.Matrix(2, 2, lambda i, j: sympy.cos(a[i] - b[j]))))

    def applied(u):
        value = sympy.expand(sympy.expand_trig(kernel) * sympy.expand_trig(u))
        for angle in b:
            value = sympy.integrate(value, (angle, 0, 2 * sympy.pi)) / (2 * sympy.pi)
        return sympy.simplify(value)

    space = ss.MultiSphere(2, 2)
    for index, even, odd in (
        ((2, 0), [sympy.cos(2 * v) for v in b], [sympy.cos(2 * v) for v in a]),
        ((1, 1), [sympy.cos(b[0]) * sympy.sin(b[1]), sympy.cos(b[1]) * sympy.sin(b[0])], [sympy.cos(a[0]) * sympy.sin(a[1]), sympy.cos(a[1]) * sympy.sin(a[0])]),
    ):
        eigenvalue = sympy.nsimplify(sympy.Rational(str(float(numerics.eigenvalues(net.ck, space, [index], 15)[0]))), rational=True).limit_denominator(1000)
        assert sympy.simplify(applied(sum(even)) - eigenvalue * sum(odd)) == 0
        assert applied(even[0] - even[1]) == 0


def test_mean_squares():
    """Against the whole spectrum of K^2, and by hand for (t_1^2 + t_2^2)/2, t uniform on [-1, 1]; a pixel that K does not see gives E P_k^2 = 1/5."""
    space, kernel = ss.MultiSphere(3, 2), ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise").ntk
    for index, value in zip([(0, 0), (1, 2)], multisphere.mean_squares(kernel, space, [(0, 0), (1, 2)], 3), strict=True):
        terms = space.square_terms(index)
        parts = numerics.eigenvalues(kernel * kernel, space, list(terms), 2)
        assert value.rel_accuracy_bits() >= 9
        assert value.overlaps(sum((part * numerics.ball(sympy.Rational(c.numerator, c.denominator)) for part, c in zip(parts, terms.values(), strict=True)), arb(0)))
    squares = ss.hierarchical([[0, 0, 1], [0, 1]], [1, 2])
    assert multisphere.mean_squares(squares, space, [(0, 0)], 12)[0].overlaps(arb(14) / 90)
    lonely = ss.cnn(ss.monomial(1), 1, 1, 2).ck
    assert abs(multisphere.mean_squares(lonely, space, [(0, 2)], 12)[0] - arb(1) / 15) < 1e-11
    with pytest.raises(DomainError, match="pool"):
        multisphere.mean_squares(ss.cnn(ss.relu, 1, 2, 2, "gap").ck, space, [(0, 0)])


def test_zero_padding_and_strides():
    space = ss.MultiSphere(3, 2)
    padded = ss.cnn(ss.relu, 1, 2, 2, "trace", padding="zero")
    first, second = (ss.cnn(ss.relu, 1, 2, 2, padding="zero", output=p).ck for p in (0, 1))
    values = [numerics.eigenvalues(kernel, space, [(2, 0), (0, 2), (1, 1)], 10) for kernel in (padded.ck, first, second)]
    assert all(a.overlaps((b + c) / 2) for a, b, c in zip(*values, strict=True))
    assert values[2][0] == 0
    with pytest.raises(DomainError, match="circular padding"):
        numerics.eigenvalues(ss.cnn(ss.relu, 1, 2, 2, "gap", padding="zero").ck, space, [(1, 1), (1, 0)])
    strided = ss.cnn(ss.relu, 1, 2, 4, "gap", stride=2).ck
    found = numerics.eigenvalues(strided, ss.MultiSphere(3, 4), [(2, 0, 0, 0), (0, 0, 2, 0), (0, 1, 1, 0)], 10)
    assert found[0].overlaps(found[1])
    assert found[2] == 0


def test_exact_zeros():
    pointwise = POINTWISE.ck
    assert not vanishes(pointwise, (3, 0)) or not vanishes(pointwise, (4, 0))
    assert vanishes(SINGLE, (2, 1))
    assert not vanishes(SINGLE, (1, 0))
    assert vanishes(ss.cnn(ss.erf, 1, 2, 2).ck, (1, 1))
    assert vanishes(ss.cnn(ss.erf, 3, 2, 3).ntk, (1, 1, 0))
    assert not vanishes(ss.cnn(ss.erf, 3, 2, 3).ntk, (1, 1, 1))
    assert vanishes(ss.cnn(ss.relu, 1, 2, 30).ck, (0,) * 29 + (1,))
    assert numerics.eigenvalues(SINGLE, ss.MultiSphere(3, 2), (3, 2)) == [0]
    assert not vanishes(ss.cnn(ss.relu, 1, 2, 2, sigma_b2=1).ck, (2, 1))
    polynomial = ss.cnn(ss.polynomial(0, 1, 1), 1, 2, 2).ck
    assert [vanishes(polynomial, k) for k in ((1, 0), (1, 1), (2, 0), (0, 0), (2, 1), (3, 0))] == [False, False, False, False, True, True]


def test_refusals(monkeypatch):
    space = ss.MultiSphere(3, 2)
    for indices, words in (([(1, 2, 3)], "has 3 entries"), ([(1, -1)], "at least 0"), (3, "multi-indices"), ([1], "1 entries"), (["ab"], "multi-index")):
        with pytest.raises(InputError, match=words):
            numerics.eigenvalues(SINGLE, space, indices)
    with pytest.raises(DomainError, match="2 pixels and"):
        numerics.eigenvalues(SINGLE, ss.MultiSphere(3, 3), [(1, 1, 1)])
    with pytest.raises(DomainError, match="MultiSphere"):
        numerics.eigenvalues(SINGLE, ss.Sphere(3), [1])
    with pytest.raises(InputError, match="convolutional"):
        numerics.eigenvalues(ss.mlp(ss.relu, 1).ck, space, [(1, 1)])
    with pytest.raises(DomainError, match="infinite on the diagonal"):
        numerics.eigenvalues(ss.cnn(ss.step, 1, 2, 2).ntk, space, [(1, 1)])
    for channels, pixels in ((1, 2), (3, 0), ("a", 1), (3, 10**6)):
        with pytest.raises(DomainError):
            ss.MultiSphere(channels, pixels)
    monkeypatch.setattr(product_rules, "MAX_POINTS", 3000)
    with pytest.raises(Undecided, match=r"4 pixels give \d digits"):
        numerics.eigenvalues(ss.cnn(ss.relu, 1, 4, 4).ck, ss.MultiSphere(3, 4), [(1, 1, 0, 0)], 30)


def test_fewer_points_do_not_certify_more(monkeypatch):
    """A deliberate fault: rules that are too short must show as a wrong enclosure, so the bound is no idle one."""
    right = multisphere.angle_boxes.integrals(SINGLE, 3, (2, 2), 30)[2, 2]
    count = multisphere.angle_boxes._count
    monkeypatch.setattr(multisphere.angle_boxes, "_count", lambda *arguments: max(1, count(*arguments) // 3))
    monkeypatch.setattr(multisphere.angle_boxes, "_weight", lambda *arguments: arb("1e-12"))
    # What the faulty rules leave must not be kept for others.
    monkeypatch.setattr(multisphere.angle_boxes, "_moments", multisphere.angle_boxes._moments.__wrapped__)
    wrong = multisphere.angle_boxes.integrals(SINGLE, 3, (2, 2), 30)[2, 2]
    assert not wrong.overlaps(right)
