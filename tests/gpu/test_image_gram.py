"""Gram matrices of images, and eigenvalues on products of spheres against random images."""

from __future__ import annotations

import math

import numpy
import pytest

import gpu
import numerics
import symspec as ss
from gpu.image_gram import image_gram, image_points
from symspec.errors import DomainError, InputError, Undecided

SPACE = ss.MultiSphere(3, 4)


NETWORKS = [
    ss.cnn(ss.relu, 2, 2, 4, "gap"),
    ss.cnn(ss.relu, 2, 3, 4, "gap", padding="zero"),
    ss.cnn(ss.erf, 2, 2, 4, "trace", sigma_b2=1),
    ss.cnn(ss.tanh, 1, 2, 4, "eq"),
]


@pytest.mark.parametrize("net", NETWORKS, ids=str)
def test_entries_against_balls(net):
    x, z = image_points(3, SPACE, seed=1), image_points(2, SPACE, seed=2)
    for kernel in (net.ck, net.ntk):
        found = gpu.gram(kernel, x, z, tile=2, backend="numpy")
        for i, j in ((0, 0), (2, 1)):
            matrix = [[float(value) for value in row] for row in x[i] @ z[j].T]
            assert abs(found[i, j] - float(numerics.evaluate(kernel, matrix, digits=14))) < 1e-12


def test_symmetry_and_the_diagonal():
    x = image_points(9, SPACE, seed=3)
    for head in ("eq", "trace", "gap"):
        net = ss.cnn(ss.relu, 2, 2, 4, head)
        matrix = gpu.gram(net.ntk, x, tile=4, workers=2, backend="numpy")
        assert (matrix == matrix.T).all()
        assert numpy.linalg.eigvalsh(matrix)[0] > 0
        if head != "gap":
            assert abs(matrix.diagonal() - 3).max() < 1e-13
        assert abs(matrix - image_gram(net.ntk, x, x, tile=9)).max() < 1e-13


def test_near_images_keep_their_digits():
    x = image_points(1, SPACE, seed=4)
    moved = x + 1e-9 * image_points(1, SPACE, seed=5)
    moved /= numpy.sqrt((moved**2).sum(axis=2))[:, :, None]
    net = ss.cnn(ss.relu, 1, 1, 4)
    value = 2 - float(gpu.gram(net.ntk, x, moved)[0, 0])
    angle = 2 * math.asin(math.sqrt(((x[0, 0] - moved[0, 0]) ** 2).sum()) / 2)
    assert abs(value / (angle / math.pi) - 1) < 1e-5


def test_jumps():
    x = image_points(2, SPACE, seed=1)
    assert math.isinf(gpu.gram(ss.cnn(ss.step, 1, 2, 4).ntk, x)[0, 0])
    assert math.isfinite(gpu.gram(ss.cnn(ss.step, 1, 2, 4).ntk, x)[0, 1])


@pytest.mark.parametrize(("head", "tolerance"), [("eq", 4.5), ("trace", 4.5), ("gap", 4.5)])
def test_check(head, tolerance):
    net = ss.cnn(ss.relu, 1, 2, 2, head)
    records = gpu.gram_check(net.ck, ss.MultiSphere(3, 2), points=500, degrees=[(0, 0), (1, 1), (2, 0), (2, 1)], seed=5, backend="numpy")
    assert all(abs(record.z_score) < tolerance for record in records)
    assert records[3].certified == 0
    assert {record.exact_error for record in records} == {head != "gap"}
    if head == "eq":
        assert records[0].standard_error < 0.002
        assert any(abs(record.z_score) > 0.01 for record in records)


def test_a_wrong_eigenvalue_is_noticed():
    right, wrong = ss.cnn(ss.relu, 1, 2, 2).ck, ss.cnn(ss.relu, 2, 2, 2).ck
    records = gpu.gram_check(right, ss.MultiSphere(3, 2), points=500, degrees=[(0, 0), (1, 0)], seed=1, backend="numpy")
    others = numerics.eigenvalues(wrong, ss.MultiSphere(3, 2), [(0, 0), (1, 0)], 6)
    assert all(abs(record.estimate - float(other)) > 6 * record.standard_error for record, other in zip(records, others, strict=True))


def test_refusals():
    kernel = ss.cnn(ss.relu, 1, 2, 4).ck
    x = image_points(3, SPACE, seed=1)
    with pytest.raises(InputError, match=r"\(n, 4, channels\)"):
        gpu.gram(kernel, x[:, :2])
    with pytest.raises(InputError, match="channels"):
        gpu.gram(kernel, x, image_points(2, ss.MultiSphere(4, 4)))
    dark = x.copy()
    dark[1, 2] = 0
    with pytest.raises(DomainError, match="pixel 2 of image 1 of X is zero"):
        gpu.gram(kernel, dark)
    with pytest.raises(DomainError, match="norm 2"):
        gpu.gram(kernel, 2 * x)
    with pytest.raises(DomainError, match="not finite"):
        gpu.gram(kernel, x * math.nan)
    with pytest.raises(Undecided, match="polynomial"):
        gpu.gram(kernel, x, method="polynomial")
    with pytest.raises(InputError, match="out must"):
        gpu.gram(kernel, x, out=numpy.empty((2, 3)))
    with pytest.raises(Undecided, match="infinite"):
        gpu.gram_check(ss.cnn(ss.step, 1, 2, 2).ntk, ss.MultiSphere(3, 2), degrees=[(1, 1)])
    with pytest.raises(InputError, match="entries"):
        gpu.gram_check(kernel, SPACE, degrees=[(1, 1)])
