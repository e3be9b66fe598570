"""Gram matrices, studies and their reports of residual networks."""

from __future__ import annotations

import json

import numpy as np
import pytest

import gpu
import numerics
import symspec as ss
from symspec import cli
from symspec.exact import exact


@pytest.mark.parametrize("depth", [1, 8])
def test_gram_matrices(depth):
    points = gpu.sphere_points(30, 6, seed=1, backend="numpy")
    points[1] = points[0] + np.array([1e-7, 0, 0, 0, 0, 0])
    points[1] /= np.linalg.norm(points[1])
    kernel = ss.resnet(ss.relu, depth, "1/2").ntk
    matrix = np.asarray(gpu.gram(kernel, points))
    for i, j in ((0, 0), (0, 1), (3, 17)):
        haversine = float(np.sum((points[i] - points[j]) ** 2)) / 4
        wanted = float(numerics.evaluate(kernel, 1 - 2 * exact(haversine), digits=20).mid())
        assert abs(matrix[i, j] - wanted) < 1e-12


def test_a_study(tmp_path, capsys):
    out = tmp_path / "study"
    words = "study gelu --network resnet --alpha 1/2 --depth 2 --domain sphere:5 --degrees 0:4 --digits 15 --out".split()
    assert cli.main([*words, str(out)]) == 0
    record = json.loads((out / "study.json").read_text())
    assert record["inputs"]["parametrisation"] == {"alpha": "1/2"}
    assert "Residual blocks" in (out / "study.tex").read_text()
    capsys.readouterr()
