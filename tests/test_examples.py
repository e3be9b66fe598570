"""The examples run and say what they should."""

from __future__ import annotations

import importlib.util
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def _main(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def test_bounds_for_every_degree(tmp_path, capsys):
    assert _main("bounds_for_every_degree")(["--quick", "--out", str(tmp_path / "bounds")]) == 0
    printed = capsys.readouterr().out
    assert "decay exponent       5" in printed
    assert "for every k >= 1" in printed
    assert "proved" in printed
    assert (tmp_path / "bounds" / "certificate.json").is_file()


def test_dandi2021_layerwise(tmp_path, capsys):
    assert _main("dandi2021_layerwise")(["--quick", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "0.301557624214  0.3015576" in printed
    assert "every k >= 2 in every dimension" in printed
    assert "every reference figure is met" in printed
    assert {file.name for file in tmp_path.iterdir()} == {"shares.png", "training.png", "learning-curve.png"}


def test_yang2019_boolean_cube(tmp_path, capsys):
    assert _main("yang2019_boolean_cube")(["--quick", "--out", str(tmp_path / "yang")]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    differences = [(float(row[2]), float(row[3])) for row in rows if len(row) == 5 and row[3][0] in "+-" and "e" in row[3]]
    assert len(differences) == 16
    assert all(abs(difference) < 1e-5 * published for published, difference in differences)
    assert "degree 0 has 0.838782 there and 0.764520 at sigma_b2 = 1" in printed
    assert printed.count("agree") == 2
    assert "relu NTK, 3 points, degrees 1 to 4: 0 1 3 4; published 0 1 3 4; agree" in printed
    assert printed.count("steps of 1/lambda_max times 0.9 stable, 0.97 stable, 0.99 stable, 1.01 unstable, 1.03 unstable, 1.1 unstable") == 3
    assert "different functions" in printed
    for name in ("fractional_variance", "probability_against_rank"):
        assert (tmp_path / "yang" / f"{name}.png").stat().st_size > 20_000


def test_rahaman2018_relu_fourier(tmp_path, capsys):
    assert _main("rahaman2018_relu_fourier")(["--quick", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    start = next(i for i, row in enumerate(rows) if row[:2] == ["step", "loss"])
    shares = [[float(x) for x in row[3:]] for row in rows[start + 1 : start + 9]]
    # Each checkpoint has learned the lowest frequency better than the highest, and the last more than the first.
    assert all(row[0] > row[-1] for row in shares)
    assert shares[-1][0] > 0.9
    assert "normal to a facet: exact order 2" in printed
    assert "generic: exact order 3" in printed
    assert "every claim is met" in printed
    for name in ("heat-map", "envelope", "curves", "regions"):
        assert (tmp_path / f"{name}.png").stat().st_size > 20_000


def test_geifman2022_cnn(tmp_path, capsys):
    assert _main("geifman2022_cnn")(["--quick", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "lambda at (0, 3) is exactly 0" in printed
    assert "pixels [0, 1, 2]: |k|^-9" in printed
    assert "(1, 1)" in printed
    assert "every check holds" in printed
    assert {file.name for file in tmp_path.iterdir()} == {"decay.png", "receptive-field.png"}
