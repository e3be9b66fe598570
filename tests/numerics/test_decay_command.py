"""symspec decay: text, exact JSON, LaTeX, one line of complaint."""

from __future__ import annotations

import json

import pytest

import symspec as ss
from symspec.cli import main

CALL = ["decay", "relu", "--kernel", "ntk", "--domain", "sphere:5"]


def test_text(capsys):
    assert main(CALL) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "NTK of relu network of depth 1 on sphere:5"
    assert "k^-(5), even k" in lines[1]


def test_json(capsys):
    assert main([*CALL, "--json"]) == 0
    record = json.loads(capsys.readouterr().out, parse_float=lambda text: pytest.fail(f"a float: {text}"))
    law = ss.decay(ss.mlp(ss.relu, 1).ntk, ss.Sphere(5))
    assert record["kind"] == "power"
    assert record["terms"]["even"] == {"exponent": "5", "constant": str(law.constant("even")), "nu": "1/2"}
    assert record["terms"]["odd"] is None


def test_json_of_a_smooth_kernel(capsys):
    assert main(["decay", "erf", "--kernel", "ck", "--domain", "circle", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["first_singularity"]) == ("geometric", "3/2")


def test_latex(capsys):
    assert main([*CALL, "--latex"]) == 0
    out = capsys.readouterr().out
    assert r"\mu_k" in out
    assert r"\paragraph" in out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--json", "--latex"], "exclude each other"),
        (["--domain", "sphere:1"], "at least 2"),
        (["--domain", "torus:3"], "not known"),
        (["--domain", "cube:3"], "degrees 0 to 3 only"),
        (["--domain", "gaussian:3"], "those of Sphere(3)"),
        (["--depth", "x"], "depth"),
    ],
)
def test_bad_usage(capsys, change, message):
    assert main([*CALL, *change]) == 2
    out, err = capsys.readouterr()
    assert (out, message in err, err.count("\n")) == ("", True, 1)
