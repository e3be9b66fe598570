"""The command line: exit codes, one line of complaint, exact JSON, folders written whole or not at all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from argparse import Namespace
from fractions import Fraction
from pathlib import Path

import pytest
import sympy

from symspec import cli, errors
from symspec.command_line import kernel_from, parse_degrees, to_json, writing_folder
from symspec.commands import namespace

ROOT = Path(__file__).parents[2]


def _process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "symspec", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_a_process_prints_and_succeeds():
    done = _process("hermite", "relu", "--degrees", "0:3")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1] == "a_1 = 1/2"


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("derive",), ("derive", "relu", "--depth", "-1"), ("hermite", "exp(x**2)")])
def test_a_process_that_is_used_badly_says_one_line_and_exits_2(arguments):
    done = _process(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert re.fullmatch(r"symspec: [^\n]+\n", done.stderr)


BAD = [
    ["--nonsense"],
    ["derive", "relu", "--nonsense"],
    ["derive", "__import__('os')"],
    ["derive", "x**1000000000"],
    ["derive", "(" * 100 + "x" + ")" * 100],
    ["derive", "relu", "--depth", "x"],
    ["derive", "relu", "--rho", "2"],
    ["derive", "relu", "--rho", "nan"],
    ["derive", "relu", "--kernel", "nngp"],
    ["derive", "relu", "--kernel", "ntk-layer:0"],
    ["derive", "relu", "--kernel", "ntk-layer:3", "--depth", "1"],
    ["derive", "relu", "--sigma-w2", "0"],
    ["hermite", "relu", "--degrees", "-3"],
    ["hermite", "relu", "--degrees", "5:1"],
    ["hermite", "elu", "--symbolic"],
    ["hermite", "tan(x)"],
]


@pytest.mark.parametrize("arguments", BAD, ids=lambda a: " ".join(a)[:40])
def test_bad_usage(arguments, capsys):
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"symspec: [^\n]{10,}\n", err)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["derive", "--help"], ["hermite", "--help"], ["repl", "--help"]])
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 0
    out = capsys.readouterr().out
    if len(arguments) == 2:
        assert f"symspec {arguments[0]}" in out.partition("example:")[2]


def test_interruption_is_130(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert cli.main(["derive", "relu"]) == 130
    assert capsys.readouterr().err == "symspec: interrupted\n"


def test_derive_as_json_is_exact(capsys):
    assert cli.main(["derive", "relu", "--depth", "2", "--rho", "-1/2", "--sigma-w2", "2", "--json"]) == 0
    record = json.loads(capsys.readouterr().out, parse_float=lambda text: pytest.fail(f"a float: {text}"))
    assert record["kernel"].startswith("NTK of relu network of depth 2")
    assert [line["symbol"] for line in record["recursion"]][-1] == record["output"] == "t_2"
    assert record["at"]["rho"] == "-1/2"
    assert "." not in record["at"]["value"]


def test_derive_and_hermite_as_latex(capsys):
    assert cli.main(["derive", "erf", "--latex"]) == 0
    assert r"\widehat{\sigma}" in capsys.readouterr().out
    assert cli.main(["hermite", "erf", "--symbolic", "--latex"]) == 0
    assert r"\begin{aligned}" in capsys.readouterr().out


def test_analytic_activations_on_the_command_line(capsys):
    assert cli.main(["hermite", "silu", "--degrees", "1:3", "--digits", "10", "--latex"]) == 0
    assert r"a_{2} &= 0.2480851928303" in capsys.readouterr().out
    assert cli.main(["hermite", "tanh", "--degrees", "2,3", "--digits", "10", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["coefficients"]
    assert rows[0] == {"degree": 2, "value": "0"}
    assert rows[1]["midpoint"].startswith("-0.148437190")
    assert cli.main(["derive", "tanh", "--depth", "2", "--kernel", "ck", "--rho", "1"]) == 0
    assert "K(1) = 1" in capsys.readouterr().out
    assert cli.main(["eigenvalues", "x*tanh(2*x-1)", "--depth", "1", "--domain", "sphere:3", "--degrees", "0:2", "--digits", "8"]) == 0
    capsys.readouterr()
    assert cli.main(["decay", "softplus", "--depth", "2", "--kernel", "ck", "--domain", "circle", "--digits", "8", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["status"], record["height"]) == ("stretched", "derived", "pi")


def test_hermite_as_json(capsys):
    assert cli.main(["hermite", "relu", "--degrees", "1,4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["coefficients"] == [{"degree": 1, "value": "1/2"}, {"degree": 4, "value": "-sqrt(3)/(12*sqrt(pi))"}]


def test_a_layer_is_chosen(capsys):
    assert cli.main(["derive", "relu", "--depth", "1", "--kernel", "ntk-layer:2", "--rho", "1"]) == 0
    assert "K(1) = 1" in capsys.readouterr().out
    with pytest.raises(errors.InputError, match="weight layers 1 to 2"):
        kernel_from(Namespace(activation="relu", network="mlp", alpha=None, depth="1", sigma_w2=None, sigma_b2=None, kernel="ntk-layer:9"))


def test_the_table_of_commands_is_the_one_in_the_metadata():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"][cli.GROUP] == {name: where for name, (where, _) in cli.TABLE.items()}


def test_a_missing_storey_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(cli, "registered", lambda: {"far": "no_such_package.commands:far"})
    assert cli.main(["far"]) == 2
    assert "cannot be loaded" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("5", [5]), ("0:3", [0, 1, 2, 3]), ("0:10:4", [0, 4, 8]), ("1,2,5", [1, 2, 5]), (" 7 , 0:2 ", [0, 1, 2, 7]), ("3,3,1", [1, 3])],
)
def test_degrees(text, degrees):
    assert parse_degrees(text) == degrees


@pytest.mark.parametrize("text", ["", "a", "-1", "1:-1", "5:1", "0:9:0", "0:1e9", "0:99999999999", "1:2:3:4", ",", "1,,2", "0.5", "٣"])
def test_degrees_that_are_none(text):
    with pytest.raises(errors.InputError, match="degrees"):
        parse_degrees(text)


def test_json_keeps_every_digit():
    record = {"a": Fraction(1, 3), "b": sympy.sqrt(2), "c": 2**70, "d": [True, None, 3], "e": sympy.Integer(4)}
    assert json.loads(to_json(record)) == {"a": "1/3", "b": "sqrt(2)", "c": str(2**70), "d": [True, None, 3], "e": 4}
    for bad in (0.5, 1j, object()):
        with pytest.raises(errors.InputError, match="no exact JSON form"):
            to_json({"x": bad})


def _write(target: Path, text: str = "{}") -> None:
    with writing_folder(target, "study.json") as folder:
        (folder / "study.json").write_text(text)


def test_a_folder_is_written_whole(tmp_path):
    _write(tmp_path / "out", "1")
    (tmp_path / "out" / "study.aux").write_text("left by a compiler")
    _write(tmp_path / "out", "2")
    assert os.listdir(tmp_path) == ["out"]
    assert os.listdir(tmp_path / "out") == ["study.json"]
    assert (tmp_path / "out" / "study.json").read_text() == "2"
    (tmp_path / "empty").mkdir()
    _write(tmp_path / "empty")


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, errors.Undecided])
def test_a_failure_leaves_nothing_and_changes_nothing(tmp_path, failure):
    _write(tmp_path / "old", "old")
    for target in ("old", "new"):
        with pytest.raises(failure), writing_folder(tmp_path / target, "study.json") as folder:
            (folder / "study.json").write_text("half")
            raise failure
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old" / "study.json").read_text() == "old"


def test_folders_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    before = sorted(os.listdir(tmp_path))
    for target in (tmp_path / "file", tmp_path / "mine", tmp_path / "link", tmp_path / "no" / "such", tmp_path / "file" / "x", Path("/proc/no"), Path("/dev/null/x")):
        with pytest.raises(errors.OutputError) as caught:
            _write(target)
        assert "\n" not in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"


def test_forgetting_the_marker_is_an_error(tmp_path):
    with pytest.raises(errors.OutputError, match=r"study\.json is missing"), writing_folder(tmp_path / "out", "study.json"):
        pass
    assert os.listdir(tmp_path) == []


def test_the_prompt_opens_with_everything():
    names = namespace()
    assert names["mlp"](names["relu"], 1).ck(0) == 1 / sympy.pi
    assert names["rho"].is_real
    assert names["k"].is_nonnegative
    assert callable(names["hermite"])
    done = subprocess.run(
        [sys.executable, "-m", "symspec", "repl", "--plain"], input="print(relu.dual(1), k + 1)\n", cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0
    assert "1/2 k + 1" in done.stdout
