"""The main job: what it computes, what it writes, and what it leaves behind when it cannot."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sympy
from flint import arb

import numerics
import symspec as ss
from gpu import study as study_module, study_plot, study_report
from gpu.study import Request, certificate_lines, conduct
from numerics.exact_text import ball_from_record
from symspec import errors
from symspec.cli import main

ROOT = Path(__file__).parents[2]
NET = ss.mlp(ss.relu, 2)


@pytest.fixture(scope="module")
def relu():
    return conduct(Request(NET, NET.ntk, ss.Sphere(4), tuple(range(13)), digits=20, points=200, seed=3, backend="numpy"))


@pytest.fixture(scope="module")
def erf():
    net = ss.mlp(ss.erf, 1)
    return conduct(Request(net, net.ck, ss.Sphere(3), tuple(range(9)), digits=15, points=0))


def test_rows_are_the_certified_eigenvalues(relu):
    wanted = numerics.eigenvalues(NET.ntk, ss.Sphere(4), range(13), 20)
    assert [(row.degree, row.eigenvalue.mid()) for row in relu.rows] == [(k, value.mid()) for k, value in enumerate(wanted)]
    assert relu.total_share < 1
    assert relu.total_share > 0.9


def test_ratios_tend_to_one(relu):
    """mathematics.md section 6: [L(L-1)/2 + (-1)^k p_L] A_d k^-d with L = 3, p_3 = 1/2, A_4 = 4/pi^2."""
    last = relu.further[-1]
    assert last.degree > 500
    sign = -1 if last.degree % 2 else 1
    # Theta here is the sum of 3 layers, L(L-1)/2 = 3.
    law = (3 + sign * arb(1) / 2) * 4 / arb.pi() ** 2 * arb(last.degree) ** -4
    assert abs(last.eigenvalue / law / last.to_law - 1) < 1e-9
    for row in relu.further[-4:]:
        assert abs(row.to_shifted_law - 1) < 1e-3
    assert {row.degree % 2 for row in relu.further} == {0, 1}


def test_gram_and_guarantees(relu, erf):
    assert [record.degree for record in relu.gram] == [0, 1, 2, 3, 4]
    lines = certificate_lines(relu)
    assert "200 random points (seed 3)" in " ".join(lines["checked"])
    assert erf.gram is None
    assert "not asked for" in " ".join(certificate_lines(erf)["not_shown"])
    assert "0, 2, 4, 6, 8" in " ".join(certificate_lines(erf)["exact"])


def test_closed_forms_are_compared(monkeypatch):
    net = ss.mlp(ss.relu, 1)
    request = Request(net, net.ntk, ss.Sphere(3), (0, 1, 2), digits=15, points=0)
    assert [row.closed_form for row in conduct(request).rows] == [ss.eigenvalue(net.ntk, ss.Sphere(3), k) for k in range(3)]
    honest = study_module.eigenvalue
    monkeypatch.setattr(study_module, "eigenvalue", lambda *args: honest(*args) * (1 + sympy.Rational(1, 10**12)))
    with pytest.raises(errors.SymspecError, match="disagree"):
        conduct(request)


def test_shares_above_one_are_an_error(relu):
    rows = tuple(replace(row, share=row.share * 2) for row in relu.rows)
    with pytest.raises(errors.SymspecError, match="more than 1"):
        study_module._cross_check(relu.request, rows)


def test_the_record_is_exact_and_restores_the_balls(relu):
    record = json.loads(study_report.to_json(study_report.record(relu)), parse_float=lambda text: pytest.fail(f"a float: {text}"))
    for row, entry in zip(relu.rows, record["eigenvalues"], strict=True):
        found = ball_from_record(entry["eigenvalue"])
        assert (found.mid(), found.rad()) == (row.eigenvalue.mid(), row.eigenvalue.rad())
    assert [float(check["estimate"]) for check in record["gram_check"]["degrees"]] == [check.estimate for check in relu.gram]
    assert record["decay_law"]["terms"]["even"]["exponent"] == "4"
    assert set(record["guarantees"]) == {"exact", "proved", "checked", "not_shown"}


def test_the_same_request_gives_the_same_record(relu):
    again = conduct(relu.request)
    assert study_report.record(again) == study_report.record(relu)


def test_a_rate_without_a_closed_form(tmp_path):
    net = ss.mlp(ss.gelu, 2, sigma_w2=2, sigma_b2=sympy.Rational(1, 10))
    study = conduct(Request(net, net.ntk, ss.Sphere(3), tuple(range(5)), digits=25, points=0))
    law = json.loads(study_report.to_json(study_report.record(study)))["decay_law"]
    assert law["rate"] is None
    assert ball_from_record(law["rate_ball"]).overlaps(numerics.decay_rate(net.ntk, 40))
    assert "$r=R+\\sqrt{R^2-1}=" in study_report.latex(study, plot=None)
    assert any("geometric rate" in line for line in certificate_lines(study)["proved"])
    pytest.importorskip("matplotlib")
    study_plot.draw(study, tmp_path)


def test_bounds_for_every_degree_are_part_of_it(relu, erf):
    for study, inside in ((relu, "k^"), (erf, "for every k >= 0")):
        assert any(line.startswith("bounds for every degree") and inside in line for line in certificate_lines(study)["proved"])
        assert study_report.record(study)["bounds"]["format"] == "symspec certificate"
        assert r"\section{Bounds for every degree}" in study_report.latex(study, plot=None)


def test_bounds_with_a_fractional_exponent(tmp_path):
    net = ss.mlp(ss.step, 2)
    study = conduct(Request(net, net.ck, ss.Sphere(3), tuple(range(7)), digits=10, points=0))
    assert "k^(5/2)" in str(study.bounds)
    study_report.write(study, tmp_path, plot=None)
    assert (tmp_path / "certificate.json").is_file()
    pytest.importorskip("matplotlib")
    study_plot.draw(study, tmp_path)


def test_an_eigenvalue_outside_the_bounds_stops_the_study(relu):
    wrong = replace(relu.rows[2], eigenvalue=relu.rows[2].eigenvalue * 10**6)
    with pytest.raises(errors.SymspecError, match="contradicts the bounds"):
        study_module._check_bounds(relu.bounds, (wrong,))


@pytest.mark.parametrize("plot", [None, "study-plot.pdf"])
def test_the_document(relu, erf, plot):
    for study in (relu, erf):
        text = study_report.latex(study, plot=plot)
        assert text.count(r"\begin{document}") == text.count(r"\end{document}") == 1
        assert (r"\includegraphics" in text) == (plot is not None)
        for row in study.rows:
            assert re.search(rf"^{row.degree} & ", text, re.MULTILINE)
    assert r"\begin{law}" in study_report.latex(relu, plot=plot)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_document_compiles(relu, erf, tmp_path):
    pytest.importorskip("matplotlib")
    for name, study in (("relu", relu), ("erf", erf)):
        folder = tmp_path / name
        folder.mkdir()
        study_plot.draw(study, folder)
        study_report.write(study, folder, plot=study_plot.PLOT_PDF)
        done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "study.tex"], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout[-2000:]
        assert (folder / "study.pdf").stat().st_size > 10_000
        assert (folder / "study.png").stat().st_size > 10_000


def test_the_command_writes_a_folder(tmp_path, capsys):
    call = ["study", "relu", "--kernel", "ck", "--domain", "sphere:3", "--degrees", "0:6", "--digits", "15", "--points", "100", "--out", str(tmp_path / "out")]
    for _ in range(2):
        assert main(call) == 0
    out = capsys.readouterr().out
    assert "CK of relu network of depth 1 on sphere:3" in out
    assert "0.0234375 " in out
    assert {"study.json", "study.tex"} <= set(os.listdir(tmp_path / "out"))
    assert os.listdir(tmp_path) == ["out"]
    assert json.loads((tmp_path / "out" / "study.json").read_text())["closed_form"].startswith("Piecewise")


def test_without_matplotlib_there_is_a_note_and_no_plot(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["study", "relu", "--domain", "circle", "--degrees", "0:6", "--digits", "10", "--points", "0", "--out", str(tmp_path / "out")]) == 0
    assert "no plot: matplotlib is not installed" in capsys.readouterr().out
    assert sorted(os.listdir(tmp_path / "out")) == ["certificate.json", "study.json", "study.tex"]
    assert r"\includegraphics" not in (tmp_path / "out" / "study.tex").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--domain", "sphere:1"], "at least 2"),
        (["--domain", "torus"], "not known"),
        (["--degrees", "3:1"], "empty range"),
        (["--digits", "0"], "digits"),
        (["--points", "1"], "--points"),
        (["--points", "x"], "--points"),
        (["--depth", "-2"], "depth"),
        (["--out", "/dev/null/x"], "cannot write"),
    ],
)
def test_bad_usage_is_one_line_and_leaves_nothing(tmp_path, capsys, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    assert main(["study", "relu", "--domain", "sphere:3", *change]) == 2
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True)
    assert re.fullmatch(r"symspec: [^\n]+\n", err)
    assert os.listdir(tmp_path) == []


def test_a_kernel_that_is_refused_leaves_nothing(tmp_path, capsys):
    assert main(["study", "step", "--domain", "sphere:3", "--out", str(tmp_path / "out")]) == 2
    assert "infinite on the diagonal" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_a_folder_of_other_files_is_not_touched(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("precious")
    assert main(["study", "relu", "--domain", "sphere:3", "--out", str(tmp_path)]) == 2
    assert "not written by symspec" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["thesis.tex"]


@pytest.mark.parametrize("text", ["cube:6", "gaussian:4", "cube:1"])
def test_studies_off_the_sphere(tmp_path, capsys, text):
    out = tmp_path / "study"
    assert main(["study", "relu", "--depth", "2", "--domain", text, "--digits", "15", "--points", "100", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    record = json.loads((out / "study.json").read_text())
    document = (out / "study.tex").read_text()
    assert record["inputs"]["domain"] == text
    assert "none" in record["decay_law"]
    assert r"\section{Decay}" not in document
    assert "weak spectral simplicity" in document
    assert "on the sphere" not in document.replace("that on the sphere of directions", "").replace("On the sphere:", "")
    assert "mu_0 > " in printed
    if text.startswith("cube"):
        assert "the shares of all degrees add up to 1 within their balls" in printed
        assert r"\tbinom{d}{k}" in document
        assert ball_from_record(record["sum_of_shares"]).contains(1)


def test_a_cube_whose_shares_do_not_add_up_is_an_error(monkeypatch):
    net = ss.mlp(ss.relu, 1)
    request = Request(net, net.ck, ss.BooleanCube(4), tuple(range(5)), digits=15, points=0)
    monkeypatch.setattr(study_module, "total_variance", lambda *_: arb(1) + arb("1e-9"))
    with pytest.raises(errors.SymspecError, match="not to 1"):
        conduct(request)


def test_several_eigenvalues_in_a_degree_are_no_study(capsys, tmp_path):
    from symspec.cli import main

    assert main(["study", "erf", "--domain", "gaussian:5", "--out", str(tmp_path / "s")]) == 2
    assert "homogeneous" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
