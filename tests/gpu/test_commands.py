import json

import pytest

from symspec.cli import main

CALL = ["gram", "relu", "--depth", "1", "--domain", "sphere:3", "--points", "100", "--degrees", "0:2", "--backend", "numpy"]


def test_table(capsys):
    assert main(CALL) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "NTK of relu network of depth 1 on sphere:3, 100 points, seed 0"
    assert [line.split()[0] for line in lines[2:5]] == ["0", "1", "2"]
    assert any(line.startswith("backend: NumPy") for line in lines)


def test_json(capsys):
    assert main([*CALL, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["domain"] == "sphere:3"
    assert [row["degree"] for row in found["degrees"]] == [0, 1, 2]
    assert all(abs(float(row["z_score"])) < 6 for row in found["degrees"])


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["gram", "--help"])
    assert stop.value.code == 0
    assert "symspec gram relu --depth 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--points", "1"], "points"),
        (["--points", "many"], "--points must be a whole number"),
        (["--seed", "1.5"], "--seed must be a whole number"),
        (["--domain", "sphere:1"], "dimension"),
        (["--degrees", "5:1"], "empty range"),
        (["--backend", "tpu"], "tpu"),
    ],
)
def test_bad_usage_is_one_line(capsys, change, message):
    assert main([*CALL, *change]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
