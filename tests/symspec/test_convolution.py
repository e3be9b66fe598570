"""Convolutional networks: the recursion, heads, padding, strides, grids, and what is refused."""

from __future__ import annotations

import itertools

import mpmath
import pytest
import sympy
from sympy import Rational, S, pi, sqrt

import numerics
import symspec as ss
from symspec.errors import DomainError, InputError

T = sympy.symbols("t1:4", real=True)


def kappa1(rho):
    return (rho * (pi - sympy.acos(rho)) + sqrt(1 - rho**2)) / pi


def kappa0(rho):
    return (pi - sympy.acos(rho)) / pi


def close(a, b):
    return abs(sympy.N(a - b, 30)) < 1e-25


POINT = [Rational(1, 3), Rational(-1, 5), Rational(2, 3)]


def test_one_layer_is_the_dual_of_the_mean():
    net = ss.cnn(ss.relu, 1, 2, 3)
    s = (POINT[0] + POINT[1]) / 2
    assert close(net.ck(POINT), kappa1(s))
    assert close(net.ntk(POINT), kappa1(s) + s * kappa0(s))


def test_two_layers_and_pointwise_first():
    a, b = (kappa1((POINT[i] + POINT[i + 1]) / 2) for i in (0, 1))
    assert close(ss.cnn(ss.relu, 2, 2, 3).ck(POINT), kappa1((a + b) / 2))
    c, d = kappa1(POINT[0]), kappa1(POINT[1])
    net = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")
    assert close(net.ck(POINT[:2]), kappa1((c + d) / 2))
    tangent = kappa1((c + d) / 2) + kappa0((c + d) / 2) * ((c + POINT[0] * kappa0(POINT[0])) + (d + POINT[1] * kappa0(POINT[1]))) / 2
    assert close(net.ntk(POINT[:2]), tangent)


@pytest.mark.parametrize("head", ["eq", "trace", "gap"])
@pytest.mark.parametrize("first_layer", ["conv", "pointwise"])
def test_layers_add_up_to_the_tangent_kernel(head, first_layer):
    net = ss.cnn(ss.erf, 2, 2, 2, head, first_layer, sigma_w2="3/2", sigma_b2="1/4")
    matrix = [[Rational(1, 2), Rational(1, 7)], [Rational(-1, 3), Rational(1, 5)]]
    whole, *parts = (numerics.evaluate(kernel, matrix) for kernel in (net.ntk, *net.ntk_layers))
    assert len(parts) == 3
    with numerics.working_precision(150):
        assert abs(sum(parts[1:], parts[0]) - whole) < 1e-25
        assert abs(parts[-1] - numerics.evaluate(net.ck, matrix)) < 1e-25


def test_filters_of_size_one_are_the_fully_connected_network():
    for kwargs in ({}, {"sigma_w2": 2, "sigma_b2": "1/10"}):
        image, dense = ss.cnn(ss.relu, 3, 1, 1, **kwargs), ss.mlp(ss.relu, 3, **kwargs)
        for rho in (Rational(1, 3), S(1), S(-1)):
            with numerics.working_precision(150):
                assert abs(numerics.evaluate(image.ck, [rho]) - numerics.evaluate(dense.ck, rho)) < 1e-25
                assert abs(numerics.evaluate(image.ntk, [rho]) - numerics.evaluate(dense.ntk, rho)) < 1e-25


def test_the_expression_agrees_with_the_balls_where_norms_differ():
    net = ss.cnn(ss.relu, 2, 2, 2, "gap", padding="zero", sigma_w2=2, sigma_b2="1/3")
    matrix, variances = [[Rational(1, 2), Rational(1, 7)], [Rational(-1, 3), Rational(1, 5)]], ([1, 2], [1, Rational(1, 2)])
    exactly = sympy.N(net.ck(matrix, variances), 25)
    assert abs(exactly - sympy.Float(numerics.evaluate(net.ck, matrix, variances=variances).str(25, radius=False), 25)) < 1e-20


@pytest.mark.parametrize("padding", ["circular", "zero"])
@pytest.mark.parametrize(("shape", "filters", "strides"), [((4,), 3, 1), ((4,), 2, 2), ((2, 3), (2, 2), 1), ((4, 4), 3, 2)])
@pytest.mark.parametrize("head", ["eq", "trace", "gap"])
def test_independent_recursion(padding, shape, filters, strides, head):
    """All covariances of a zero-padded or circular grid, written out once more in mpmath on random images of unequal norms."""
    rng = __import__("random").Random(3)
    pixels, depth, w2, b2 = int(sympy.prod(shape)), 2, Rational(3, 2), Rational(1, 5)
    if padding == "circular" and any(n == 2 for n in shape) and strides == 2:
        depth = 1
    if shape == (4, 4) or strides == 2:
        depth = 1
    x, z = ([[Rational(rng.randint(-9, 9), 7) + Rational(1, 3) for _ in range(2)] for _ in range(pixels)] for _ in "xz")
    net = ss.cnn(ss.relu, depth, filters, shape, head, padding=padding, stride=strides, sigma_w2=w2, sigma_b2=b2)
    matrix = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in z] for u in x]
    variances = [[sum(a * a for a in u) for u in side] for side in (x, z)]
    expected = _recursion(net, x, z, depth, w2, b2)
    for kernel, value in zip((net.ck, net.ntk), expected, strict=True):
        ball = numerics.evaluate(kernel, matrix, digits=20, variances=variances)
        with mpmath.workdps(30):
            assert abs(mpmath.mpf(ball.str(20, radius=False)) - value) < mpmath.mpf(10) ** -15


def _recursion(net, x, z, depth, w2, b2):
    with mpmath.workdps(30):
        dot = lambda u, v: mpmath.fsum(mpmath.mpf(a.p) / a.q * b.p / b.q for a, b in zip(u, v, strict=True))  # noqa: E731
        index = {p: i for i, p in enumerate(itertools.product(*map(range, net.shape)))}
        covariance = {(a, i, b, j): dot((x, z)[a][index[i]], (x, z)[b][index[j]]) for a in (0, 1) for b in (0, 1) for i in index for j in index}
        shape, tangent = net.shape, None
        w, bias = mpmath.mpf(w2.p) / w2.q, mpmath.mpf(b2.p) / b2.q
        for _ in range(depth):
            outputs = list(itertools.product(*(range(0, n, s) for n, s in zip(shape, net.strides, strict=True))))
            offsets = list(itertools.product(*(range(-((k - 1) // 2), k // 2 + 1) for k in net.filters)))

            def read(values, a, i, b, j, offset, shape=shape):
                left, right = (tuple(n + o for n, o in zip(p, offset, strict=True)) for p in (i, j))
                if net.padding == "circular":
                    left, right = (tuple(n % m for n, m in zip(p, shape, strict=True)) for p in (left, right))
                return values.get((a, left, b, right), mpmath.mpf(0))

            small = {p: tuple(n // s for n, s in zip(p, net.strides, strict=True)) for p in outputs}
            mean = lambda values: {  # noqa: E731
                (a, small[i], b, small[j]): mpmath.fsum(read(values, a, i, b, j, o) for o in offsets) / len(offsets) * w for a in (0, 1) for b in (0, 1) for i in outputs for j in outputs  # noqa: B023
            }
            pre = {key: value + bias for key, value in mean(covariance).items()}
            tangent = pre if tangent is None else {key: pre[key] + value for key, value in mean(tangent).items()}
            covariance, slopes = {}, {}
            for key, value in pre.items():
                a, i, b, j = key
                scale = mpmath.sqrt(pre[a, i, a, i] * pre[b, j, b, j])
                rho = min(mpmath.mpf(1), max(mpmath.mpf(-1), value / scale))
                covariance[key] = scale * (rho * (mpmath.pi - mpmath.acos(rho)) + mpmath.sqrt(1 - rho**2)) / (2 * mpmath.pi)
                slopes[key] = (mpmath.pi - mpmath.acos(rho)) / (2 * mpmath.pi)
            tangent = {key: slopes[key] * value for key, value in tangent.items()}
            shape = tuple(n // s for n, s in zip(shape, net.strides, strict=True))
        outputs = list(itertools.product(*map(range, shape)))
        pairs = {"eq": [(outputs[net.output],) * 2], "trace": [(p, p) for p in outputs], "gap": list(itertools.product(outputs, outputs))}[net.head]
        head = lambda values: mpmath.fsum(values[0, i, 1, j] for i, j in pairs) / len(pairs)  # noqa: E731
        ck = w * head(covariance) + bias
        return ck, ck + w * head(tangent)


def test_receptive_field_and_programs_are_no_larger_than_needed():
    net = ss.cnn(ss.relu, 3, 3, 32)
    assert net.ck.receptive_field == (0, 1, 2, 3, 29, 30, 31)
    assert [len(level) for level in net.ck.program.levels] == [7, 5, 3, 1]
    assert ss.cnn(ss.relu, 2, 3, (5, 5), padding="zero").ck.receptive_field == tuple(range(25))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"filter_size": 5}, "a filter of size 5 is larger than the 4 positions"),
        ({"stride": 3}, "stride 3 does not divide the 4 positions"),
        ({"depth": 3, "stride": 2}, "layer 3: a filter of size 2 is larger than the 1 positions"),
        ({"head": "max"}, "head must be eq, trace or gap"),
        ({"padding": "reflect"}, "padding must be"),
        ({"first_layer": 1}, "first_layer must be"),
        ({"sigma_w2": -1}, "sigma_w2 must be positive"),
        ({"sigma_b2": -1}, "sigma_b2 must be at least 0"),
        ({"pixels": 0}, "pixels must be at least 1"),
        ({"pixels": ()}, "pixels must be a number"),
        ({"pixels": (300, 300)}, "above"),
        ({"filter_size": (2, 2)}, "filter_size must be a number or 1"),
        ({"output": 4}, "output 4 is no position"),
        ({"depth": -1}, "depth must be at least 0"),
    ],
)
def test_bad_networks(arguments, words):
    with pytest.raises(InputError, match=words):
        ss.cnn(**({"activation": ss.relu, "depth": 1, "filter_size": 2, "pixels": 4} | arguments))


def test_bad_matrices():
    eq, gap = ss.cnn(ss.relu, 1, 2, 2).ck, ss.cnn(ss.relu, 1, 2, 2, "gap").ck
    with pytest.raises(DomainError, match=r"outside \[-1, 1\]"):
        eq([2, 0])
    with pytest.raises(InputError, match="2 x 2 matrix"):
        eq([[1, 0, 0], [0, 1, 0]])
    with pytest.raises(InputError, match="2 x 2 matrix"):
        gap([1, 1])
    with pytest.raises(InputError, match="2 x 2 matrix"):
        eq(3)
    with pytest.raises(InputError):
        eq([float("nan"), 0])
    with pytest.raises(DomainError, match="no unit vectors"):
        gap([[1, 1], [1, -1]])
    with pytest.raises(DomainError, match="pixel 1 of x has the squared norm 0"):
        eq([1, 0], ([1, 0], [1, 1]))
    with pytest.raises(DomainError, match="Cauchy-Schwarz"):
        eq([2, 0], ([1, 1], [1, 1]))
    with pytest.raises(InputError, match="two lists of 2"):
        eq([1, 0], ([1, 1], [1]))
    assert gap([[1, Rational(1, 2)], [Rational(1, 2), 1]]).is_positive


def test_jumps_are_infinite_on_the_diagonal():
    net = ss.cnn(ss.step, 1, 2, 2)
    assert net.ntk([1, 1]) is S.Infinity
    assert net.ck([1, 1]) == 1
    assert ss.cnn(ss.step, 1, 2, 2, drop_deltas=True).ntk([1, 1]) == 1


def test_latex_of_every_part():
    net = ss.cnn(ss.relu, 2, (2, 3), (4, 6), "gap", stride=(2, 1), sigma_w2=2, sigma_b2="1/3", padding="zero", output=None)
    for kernel in (net.ck, net.ntk, *net.ntk_layers, net.ck * net.ck):
        assert kernel.latex().count("{") == kernel.latex().count("}")
