"""Global average pooling under zero padding: blocks of translates against exact operators, the trace, and random images."""

from __future__ import annotations

import numpy
import pytest
import sympy
from flint import arb

import gpu
import numerics
import symspec as ss
from gpu.image_gram import image_points
from numerics.pool_blocks import matrix_of, translates
from symspec.errors import DomainError, InputError


def padded(activation, depth, size, pixels, head="gap", **more):
    return ss.cnn(activation, depth, size, pixels, head, padding="zero", **more)


def exact_matrix(kernel, block):
    """On circles, for a polynomial kernel: the integral operator applied to products of cosines, in closed form."""
    pixels = len(block[0])
    a, b = (sympy.symbols(f"{name}1:{pixels + 1}", real=True) for name in "ab")
    written = sympy.expand(sympy.expand_trig(sympy.expand(kernel(sympy.Matrix(pixels, pixels, lambda i, j: sympy.cos(a[i] - b[j]))))))

    def mean(value, angles):
        for angle in angles:
            value = sympy.integrate(sympy.expand(value), (angle, 0, 2 * sympy.pi)) / (2 * sympy.pi)
        return sympy.expand(value)

    def wave(index, angles):
        return sympy.expand_trig(sympy.Mul(*(sympy.cos(n * v) for n, v in zip(index, angles, strict=True))))

    columns = [mean(written * wave(column, b), b) for column in block]
    return sympy.Matrix([[mean(value * wave(row, a), a) * 2 ** sum(map(bool, row)) for value in columns] for row in block])


@pytest.mark.parametrize(
    ("kernel", "index"),
    [
        (padded(ss.monomial(2), 1, 2, 2).ck, (2, 0)),
        (padded(ss.polynomial(0, 1, 1), 1, 2, 2).ntk, (1, 0)),
        (padded(ss.monomial(2), 1, 2, 2).ntk, (0, 2)),
        (padded(ss.monomial(2), 1, 2, 3, sigma_b2="1/2").ck, (1, 1, 0)),
    ],
    ids=["ck", "not homogeneous", "ntk", "bias"],
)
def test_polynomials_exactly(kernel, index):
    """The last one has two equal rows, so that one eigenvalue is 0."""
    space = ss.MultiSphere(2, len(index))
    block = translates(kernel.origin, index)
    exact = exact_matrix(kernel, block)
    found = matrix_of(kernel, space, block, 60)
    assert all(abs(found[a, b] - numerics.ball(exact[a, b])) < arb("1e-15") for a in range(len(block)) for b in range(len(block)))
    values = numerics.block_eigenvalues(kernel, space, index, 12)
    expected = sorted(exact.eigenvals(multiple=True), key=sympy.N, reverse=True)
    assert all(value.overlaps(numerics.ball(true)) for value, true in zip(values, expected, strict=True))
    assert all(value.rel_accuracy_bits() > 39 for value, true in zip(values, expected, strict=True) if true != 0)


@pytest.mark.parametrize(
    ("with_head", "index", "size"),
    [
        (lambda head: padded(ss.relu, 2, 2, 2, head).ck, (2, 0), 2),
        (lambda head: padded(ss.relu, 1, 2, 3, head).ck, (0, 1, 1), 2),
        (lambda head: padded(ss.gelu, 1, 2, 2, head).ntk, (2, 0), 2),
        (lambda head: padded(ss.monomial(2), 1, 2, (2, 2), head).ntk, (1, 1, 0, 0), 2),
        (lambda head: padded(ss.monomial(2), 2, 2, 4, head).ntk, (1, 0, 1, 0), 2),
        (lambda head: padded(ss.monomial(2), 1, 2, 4, head, stride=2).ntk, (0, 2, 0, 0), 2),
    ],
    ids=["depth 2", "three", "gelu", "grid", "apart", "stride"],
)
def test_the_trace(with_head, index, size):
    """The sum of a block is that of the head trace over the translates, divided by the number of outputs."""
    kernel, space = with_head("gap"), ss.MultiSphere(3, len(index))
    values = numerics.block_eigenvalues(kernel, space, index, 3)
    block = translates(kernel.origin, index)
    outputs = len({p for (p, _), _ in kernel.program.readout.pairs})
    single = numerics.eigenvalues(with_head("trace"), space, block, 4)
    assert len(values) == len(block) == size
    assert sum(values[1:], values[0]).overlaps(sum(single[1:], single[0]) / outputs)
    assert values[0] > 0
    assert all(not b > a for a, b in zip(values, values[1:], strict=False))
    (other,) = {*block} - {index}
    assert all(a.overlaps(b) for a, b in zip(values, numerics.block_eigenvalues(kernel, space, other, 2), strict=True))


@pytest.mark.parametrize("activation", [ss.relu, ss.erf, ss.gelu], ids=str)
def test_random_images_see_the_entries(activation):
    """E[K prod P_k(<x_i, z_{i+d}>)] is the entry of two translates; z-scores of disjoint pairs."""
    net, space = padded(activation, 2, 2, 3), ss.MultiSphere(3, 3)
    block = translates(net, (1, 0, 0))
    assert block == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
    matrix = matrix_of(net.ck, space, block, 20)
    x, z = image_points(1500, space, seed=7), image_points(1500, space, seed=8)
    heights = numpy.array([gpu.gram(net.ck, x[i : i + 1], z[i : i + 1], backend="numpy")[0, 0] for i in range(1500)])
    for a in range(3):
        for b in range(3):
            row, column = 2 - a, 2 - b
            sample = heights * (x[:, row] * z[:, column]).sum(axis=1)
            error = sample.std(ddof=1) / len(sample) ** 0.5
            assert abs(sample.mean() - float(matrix[a, b])) < 4.5 * error


def test_constants_and_single_translates():
    """k = 0 is E K; a multi-index with both ends of the image has an eigenvalue of its own, that of random images."""
    net, space = padded(ss.relu, 1, 2, 2), ss.MultiSphere(3, 2)
    value = numerics.eigenvalues(net.ck, space, [(1, 1)], 8)[0]
    assert value.overlaps(numerics.eigenvalues(padded(ss.relu, 1, 2, 2, "trace").ck, space, [(1, 1)], 8)[0] / 2)
    records = gpu.gram_check(net.ck, space, points=4000, degrees=[(0, 0), (1, 1)], seed=3, backend="numpy")
    assert max(abs(record.z_score) for record in records) < 4
    apart = padded(ss.relu, 1, 1, 2)
    assert numerics.eigenvalues(apart.ck, space, [(1, 1)], 8)[0] == 0
    assert numerics.block_eigenvalues(apart.ck, space, (3, 0), 8) == [0, 0]


def test_linear_networks():
    """With filter 2 K is (<x_0 + x_1, z_0 + z_1> + <x_1, z_1>)/8, a square a tap; with filter 1 only the mean of the pixels is seen, and one eigenvalue is 0."""
    space = ss.MultiSphere(3, 2)
    values = numerics.block_eigenvalues(padded(ss.monomial(1), 1, 2, 2).ck, space, (1, 0), 12)
    assert all(abs(value - (3 + sign * arb(5).sqrt()) / 48) < 1e-12 for value, sign in zip(values, (1, -1), strict=True))
    first, second = numerics.block_eigenvalues(padded(ss.monomial(1), 1, 1, 2).ck, space, (1, 0), 10)
    assert abs(first - arb(1) / 6) < 1e-10
    assert second.contains(0)
    assert second.upper() < first * arb("1e-10")


def test_refusals():
    space = ss.MultiSphere(3, 2)
    net = padded(ss.relu, 1, 2, 2)
    with pytest.raises(DomainError, match="block_eigenvalues"):
        numerics.eigenvalues(net.ck, space, [(2, 0)])
    for other in (padded(ss.relu, 1, 2, 2, "trace"), ss.cnn(ss.relu, 1, 2, 2, "gap")):
        with pytest.raises(DomainError, match="zero padding"):
            numerics.block_eigenvalues(other.ck, space, (2, 0))
    with pytest.raises(DomainError, match="not symmetric"):
        numerics.block_eigenvalues(net.ck.at([((0, 1), sympy.Integer(1))]), space, (2, 0))
    for activation in (ss.elu, ss.hermite(2)):
        with pytest.raises(DomainError, match="keep their signs"):
            numerics.block_eigenvalues(padded(activation, 1, 2, 2).ck, space, (2, 0))
    assert len(numerics.block_eigenvalues(padded(ss.hermite(2), 1, 1, 2).ck, space, (2, 0), 5)) == 2
    with pytest.raises(InputError):
        numerics.block_eigenvalues(net.ck, space, (2, 0, 0))
    with pytest.raises(InputError, match="digits"):
        numerics.block_eigenvalues(net.ck, space, (2, 0), 0)
    with pytest.raises(DomainError, match="infinite"):
        numerics.block_eigenvalues(padded(ss.step, 1, 2, 2).ntk, space, (2, 0))
