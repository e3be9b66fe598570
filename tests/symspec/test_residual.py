"""Residual networks against the published recursion written out in mpmath, and against their own architecture."""

from __future__ import annotations

import random

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf
from sympy import Rational

import symspec as ss
from symspec import errors
from symspec.singularity import expansion

from ..numerics.mpmath_kernels import DUALS, formula_of_residual_network
from .mpmath_carrier import evaluate

DIGITS = 30


def _close(found, wanted):
    return abs(found - wanted) <= mpf(10) ** -DIGITS * max(1, abs(wanted))


@pytest.mark.parametrize("name", DUALS)
def test_the_published_recursion_at_random_points(name):
    draw = random.Random(name)
    with mpmath.workdps(60):
        for depth in (1, 2, 3, 6):
            alpha = Rational(draw.randint(1, 30), draw.randint(1, 30))
            net = ss.resnet(name, depth, alpha)
            for rho in (Rational(draw.randint(-999, 999), 1000), 1 - Rational(1, 10**12)):
                point = mpf(int(rho.p)) / int(rho.q)
                correlation, tangent = formula_of_residual_network(name, depth, mpf(int(alpha.p)) / int(alpha.q), point)
                assert _close(evaluate(net.ck.program, point), correlation)
                parts = [evaluate(part.program, point) for part in net.ntk_layers]
                assert _close(evaluate(net.ntk.program, point), mpmath.fsum(parts))
                if name != "step":  # its published tangent kernel has no delta
                    assert _close(evaluate(net.ntk.program, point), tangent)


def _tangent_kernel_of_width(m, depth, alpha, rho, sigma, slope, second_moment, rng):
    """<grad f(x), grad f(y)> over V and W of one random network, divided as published; the forward correlation."""
    x = rng.standard_normal((m, 2))
    x[:, 1] = rho * x[:, 0] + np.sqrt(1 - rho**2) * x[:, 1]  # x_0 = A x / sqrt(m) for |x|^2 = m
    layers, q = [], 1.0
    for _ in range(depth):
        w, v = rng.standard_normal((m, m)), rng.standard_normal((m, m))
        pre = w @ x / np.sqrt(m * q)
        branch = alpha * np.sqrt(q / (m * second_moment))
        layers.append((x, pre, w, v, q, branch))
        x = x + branch * v @ sigma(pre)
        q *= 1 + alpha**2
    correlation = x[:, 0] @ x[:, 1] / (m * q)
    back, total = np.repeat(rng.standard_normal((m, 1)), 2, axis=1), 0.0
    for x_in, pre, w, v, q_in, branch in reversed(layers):
        inner = branch * (v.T @ back) * slope(pre)
        total += branch**2 * (back[:, 0] @ back[:, 1]) * (sigma(pre[:, 0]) @ sigma(pre[:, 1]))
        total += (inner[:, 0] @ inner[:, 1]) * (x_in[:, 0] @ x_in[:, 1]) / (m * q_in)
        back = back + w.T @ inner / np.sqrt(m * q_in)
    return correlation, total / m / (2 * depth * alpha**2 * (1 + alpha**2) ** (depth - 1))


@pytest.mark.parametrize(
    ("activation", "sigma", "slope"),
    [
        ("relu", lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(float)),
        ("sin", np.sin, np.cos),
        ("monomial(2)", lambda x: x**2, lambda x: 2 * x),
    ],
)
def test_networks_of_finite_width(activation, sigma, slope):
    rng = np.random.default_rng(5)
    depth, alpha, rho = 3, 0.75, 0.4
    net = ss.resnet(activation, depth, Rational(3, 4))
    second = float(ss.activation(activation).dual(1))
    samples = np.array([_tangent_kernel_of_width(400, depth, alpha, rho, sigma, slope, second, rng) for _ in range(24)])
    mean, error = samples.mean(axis=0), samples.std(axis=0) / np.sqrt(len(samples))
    exact = np.array([float(net.ck(Rational(2, 5))), float(net.ntk(Rational(2, 5)))])
    assert np.all(np.abs(mean - exact) < 5 * error + 0.02 * np.abs(exact))


@pytest.mark.parametrize("alpha", [1, Rational(2, 3)])
@pytest.mark.parametrize("depth", range(1, 7))
def test_the_singularity_of_relu_is_the_published_one(depth, alpha):
    found = expansion(ss.resnet(ss.relu, depth, alpha).ntk, +1, 2)
    nu, coefficient = found.singular()[0]
    # -(c/2) (1 + (L-1) alpha^2/(1+alpha^2)) (1-rho)^(1/2), c = sqrt(2)/pi, in powers of (1-rho)/2.
    published = -sympy.sqrt(2) / (2 * sympy.pi) * (1 + (depth - 1) * alpha**2 / (1 + alpha**2))
    assert nu == Rational(1, 2)
    assert sympy.simplify(found.written_out(coefficient) - published * sympy.sqrt(2)) == 0


@pytest.mark.parametrize("depth", [1, 2, pytest.param(6, marks=pytest.mark.slow)])
def test_the_exponent_is_the_dimension(depth):
    net = ss.resnet(ss.relu, depth, Rational(2, 3))
    law = ss.decay(net.ntk, ss.Sphere(5))
    assert law.exponent == 5
    assert ss.decay(net.ck, ss.Sphere(5)).exponent == 7


def test_one_block_of_relu_reaches_no_odd_degree_above_one():
    assert ss.decay(ss.resnet(ss.relu, 1, 1).ntk, ss.Sphere(3)).constant("odd") == 0
    assert ss.eigenvalue(ss.resnet(ss.relu, 1, 1).ntk, ss.Sphere(3), 5) == 0
    assert ss.decay(ss.resnet(ss.relu, 2, 1).ntk, ss.Sphere(3)).constant("odd") != 0


def test_diagonal():
    for depth in (1, 2, 5, 64):
        net = ss.resnet(ss.leaky_relu("1/7"), depth, "1/3")
        assert net.ck(1) == net.ntk(1) == 1
    net = ss.resnet(ss.erf, 3, 2)
    slope = ss.erf.dual_derivative(1) / ss.erf.dual(1)
    wanted = sum((1 + 4 * slope) ** (3 - j) * 5 ** (j - 1) for j in (1, 2, 3)) * (1 + slope) / (6 * 25)
    assert sympy.simplify(net.ntk(1) - wanted) == 0
    assert ss.resnet(ss.step, 2, 1).ntk(1) == sympy.oo
    assert ss.resnet(ss.step, 2, 1, drop_deltas=True).ntk(1) == Rational(1, 4) * (Rational(1, 2) + 1)
    assert ss.resnet(ss.step, 2, 1).ntk_layers[-1](1) == Rational(1, 4)


def test_a_single_block_is_half_a_dense_network():
    k, d = sympy.Symbol("k", integer=True, nonnegative=True), sympy.Symbol("d", positive=True)
    for activation in (ss.relu, ss.absolute, ss.rectified_monomial(2)):
        net, dense = ss.resnet(activation, 1, 3), ss.mlp(activation, 1)
        for mine, theirs in zip((net.ntk, *net.ntk_layers), (dense.ntk, *dense.ntk_layers), strict=True):
            assert sympy.simplify(2 * mine(Rational(1, 3)) - theirs(Rational(1, 3))) == 0
            assert ss.eigenvalue(mine, ss.Sphere(d), k) == ss.eigenvalue(theirs, ss.Sphere(d), k) / 2
    with pytest.raises(errors.NoClosedForm):
        ss.eigenvalue(ss.resnet(ss.relu, 1, 1).ck, ss.Sphere(3), 2)


def test_supports():
    odd = ss.resnet(ss.sin, 3, 1)
    assert odd.ck.support.is_odd
    assert odd.ntk.support.is_odd
    even = ss.resnet(ss.monomial(2), 2, 1)
    assert even.ck.support == ss.resnet("x**2", 2, 1).ck.support
    expanded = sympy.Poly(sympy.expand(even.ntk()), even.ntk().free_symbols.pop())
    powers = [n for (n,), _ in expanded.terms()]
    assert (even.ntk.support.even, even.ntk.support.odd) == (max(n for n in powers if n % 2 == 0), max(n for n in powers if n % 2))


def test_depth_zero_and_refusals():
    net = ss.resnet(ss.relu, 0, 1)
    assert net.ck(Rational(1, 3)) == Rational(1, 3)
    assert "u_{0}" in net.latex()
    for part in ("ntk", "ntk_layers"):
        with pytest.raises(errors.InputError, match="depth 0"):
            getattr(net, part)
    for alpha in (0, -1, "-1/2", "nothing", None, float("nan")):
        with pytest.raises(errors.InputError):
            ss.resnet(ss.relu, 2, alpha)
    for depth in (-1, "x", 10**6):
        with pytest.raises(errors.InputError):
            ss.resnet(ss.relu, depth, 1)
    with pytest.raises(errors.InputError, match="zero activation"):
        _ = ss.resnet(ss.polynomial(0), 1, 1).ck


def test_text_and_latex():
    net = ss.resnet(ss.gelu, 4, "0.1")
    assert str(net) == "gelu residual network of depth 4 (alpha=1/10)"
    assert net.ntk.name == f"NTK of {net}"
    assert r"\frac{u_{\ell-1} + \frac{1}{100}\,\kappa(u_{\ell-1})}{\frac{101}{100}}" in net.latex()
    assert "u_{4}" in net.latex()
    assert r"\alpha=\frac{1}{10}" in net.conventions()
    assert r"\begin{aligned}" in net.ntk.latex()


def test_commands(capsys):
    from symspec import cli

    assert cli.main(["derive", "relu", "--network", "resnet", "--alpha", "1/2", "--depth", "2", "--kernel", "ntk-layer:4", "--rho", "1"]) == 0
    assert "K(1) = 1/4" in capsys.readouterr().out
    for wrong in (["--alpha", "1"], ["--network", "resnet"], ["--network", "resnet", "--alpha", "1", "--sigma-w2", "2"]):
        assert cli.main(["derive", "relu", *wrong]) == 2
        assert "alpha" in capsys.readouterr().err
