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
