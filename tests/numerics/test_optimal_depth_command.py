"""symspec optimal-depth: grids, JSON, resuming, complaints."""

from __future__ import annotations

import json
import re
from fractions import Fraction

import pytest
from flint import arb

from numerics.exact_text import ball_from_record
from numerics.optimal_depth_command import parse_values
from symspec.cli import main
from symspec.errors import InputError

BASE = ["optimal-depth", "relu", "--domain", "cube:8", "--max-depth", "3", "--degrees", "1:3", "--sigma-w2", "2", "--sigma-b2", "0,1/2"]


@pytest.mark.parametrize(
    ("text", "values"),
    [("2", ["2"]), ("0:0.3:0.1", ["0", "1/10", "1/5", "3/10"]), ("0:1:0.4", ["0", "2/5", "4/5"]), ("1/3,1/3,2", ["1/3", "2"]), ("1:1:1", ["1"])],
)
def test_grids_are_exact(text, values):
    assert [str(value) for value in parse_values(text, "sigma_b2")] == values
    assert len(parse_values("0:4:0.01", "sigma_b2")) == 401


@pytest.mark.parametrize("text", ["", "0:1", "0:1:0", "1:0:1", "0:1:-1", "0:1:0.1:2", "x", "0:4:1e-9", "nan"])
def test_grids_that_are_none(text):
    with pytest.raises(InputError):
        parse_values(text, "sigma_b2")


def test_json_holds_exact_balls(capsys):
    assert main([*BASE, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    first = record["degrees"][0]
    assert (first["degree"], first["depths"], first["tie"]) == (1, [0], False)
    assert ball_from_record(first["share"]).contains(arb(1))
    assert first["candidates"][0]["sigma_b2"] == 0
    assert all(Fraction(c["sigma_w2"]) == 2 for row in record["degrees"] for c in row["candidates"])


def test_a_file_is_resumed_and_never_mixed(tmp_path, capsys):
    file = str(tmp_path / "sweep.jsonl")
    assert main([*BASE, "--file", file]) == 0
    first = capsys.readouterr().out
    assert main([*BASE, "--file", file]) == 0
    assert capsys.readouterr().out == first
    assert main([*BASE, "--file", file, "--kernel", "ck"]) == 2
    assert re.fullmatch(r"symspec: [^\n]*kernel is ntk there and ck here[^\n]*\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "change",
    [["--domain", "sphere:8"], ["--degrees", "9"], ["--sigma-b2", "-1"], ["--workers", "0"], ["--max-depth", "x"], ["--kernel", "nngp"], ["--file", "/nowhere/at/all"], ["--sigma-w2", "0:1:1"]],
    ids=lambda change: " ".join(change),
)
def test_complaints_are_one_line(change, capsys):
    assert main([*BASE, *change]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"symspec: [^\n]{10,}\n", err)
