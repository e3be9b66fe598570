"""symspec eigenvalues: exact JSON, a table, one line of complaint."""

from __future__ import annotations

import json
import re

import pytest

import numerics
import symspec as ss
from numerics.exact_text import ball_from_record
from symspec.cli import main

CALL = ["eigenvalues", "relu", "--depth", "2", "--domain", "sphere:5", "--degrees", "0:4", "--digits", "20"]


def test_json_loses_nothing(capsys):
    assert main([*CALL, "--json"]) == 0
    record = json.loads(capsys.readouterr().out, parse_float=lambda text: pytest.fail(f"a float: {text}"))
    wanted = numerics.eigenvalues(ss.mlp(ss.relu, 2).ntk, ss.Sphere(5), range(5), 20)
    for row, value in zip(record["eigenvalues"], wanted, strict=True):
        found = ball_from_record(row)
        assert (found.mid(), found.rad()) == (value.mid(), value.rad())
        assert row["multiplicity"] == str(ss.Sphere(5).multiplicity(row["degree"]))


def test_table(capsys):
    assert main(CALL) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "NTK of relu network of depth 2 on sphere:5"
    assert [line.split()[0] for line in lines[1:]] == ["degree", "0", "1", "2", "3", "4"]
    assert all(" +/- " in line for line in lines[2:])


def test_exact_zeros_are_plain(capsys):
    assert main(["eigenvalues", "erf", "--kernel", "ck", "--domain", "circle", "--degrees", "0,2"]) == 0
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()[2:]] == ["0", "0"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--digits", "0"], "digits must be at least 1"),
        (["--digits", "1.5"], "digits must be an integer"),
        (["--digits", "9999999999"], "digits"),
        (["--domain", "sphere:1"], "at least 2"),
        (["--domain", "torus:3"], "not known"), (["--domain", "cube:3"], "degree 4 is above 3"),
        (["--degrees", "-1"], "degrees"),
        (["--degrees", "nan"], "degrees"),
        (["--depth", "-1"], "depth must be at least 0"),
        (["--kernel", "nngp"], "not known"),
    ],
)
def test_bad_usage_is_one_line(capsys, change, message):
    assert main([*CALL, *change]) == 2
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True)
    assert re.fullmatch(r"symspec: [^\n]+\n", err)


def test_no_domain_and_an_infinite_diagonal(capsys):
    assert main(["eigenvalues", "relu"]) == 2
    assert "--domain" in capsys.readouterr().err
    assert main(["eigenvalues", "step", "--domain", "sphere:3"]) == 2
    assert "infinite on the diagonal" in capsys.readouterr().err


def test_the_cube_and_gaussian_inputs(capsys):
    assert main(["eigenvalues", "relu", "--depth", "2", "--domain", "cube:7", "--digits", "20", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["domain"] == "cube:7"
    # The default degrees end where the cube's do.
    assert [row["degree"] for row in record["eigenvalues"]] == list(range(8))
    assert [row["multiplicity"] for row in record["eigenvalues"]] == ["1", "7", "21", "35", "35", "21", "7", "1"]
    wanted = numerics.eigenvalues(ss.mlp(ss.relu, 2).ntk, ss.BooleanCube(7), range(8), 20)
    assert all(ball_from_record(row).mid() == value.mid() for row, value in zip(record["eigenvalues"], wanted, strict=True))
    assert main(["eigenvalues", "erf", "--domain", "gaussian:30", "--kernel", "ck", "--degrees", "1:2", "--digits", "4"]) == 0
    output = capsys.readouterr().out
    assert "largest eigenvalue of each degree" in output
    assert output.splitlines()[-1].split() == ["2", "464", "0"]
    assert main(["eigenvalues", "exp(x)*tanh(x)", "--domain", "gaussian:5"]) == 2
    error = capsys.readouterr().err
    assert "is not shown to be bounded by a polynomial in a sector" in error
    assert error.count("\n") == 1
