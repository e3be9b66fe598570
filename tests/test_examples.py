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
