"""symspec certify: text, file, document, one line of complaint."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from symspec.cli import main

CALL = ["certify", "relu", "--depth", "2", "--kernel", "ck", "--domain", "sphere:3"]


def test_the_file_and_the_document(tmp_path, capsys):
    file, document = tmp_path / "c.json", tmp_path / "c.tex"
    assert main([*CALL, "-o", str(file), "--document", str(document)]) == 0
    printed = capsys.readouterr().out
    assert f"wrote the certificate {file}" in printed
    assert json.loads(file.read_text())["dimension"] == 3
    assert r"\begin{proof}" in document.read_text()
    if shutil.which("pdflatex"):
        done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", document.name], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0


def test_json_is_the_file(tmp_path, capsys):
    assert main([*CALL, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert main([*CALL, "-o", str(tmp_path / "c.json")]) == 0
    assert json.loads((tmp_path / "c.json").read_text()) == printed


def test_a_smooth_kernel(capsys):
    assert main(["certify", "erf", "--depth", "1", "--kernel", "ck", "--domain", "circle"]) == 0
    assert "for every k >= 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["certify", "step", "--depth", "1", "--kernel", "ntk", "--domain", "sphere:3"], "infinite on the diagonal"),
        ([*CALL, "-o", "x", "--document", "x"], "different files"),
        ([*CALL, "-o", "/nowhere/at/all.json"], "cannot write"),
    ],
)
def test_complaints_are_one_line(arguments, fragment, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert fragment in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
