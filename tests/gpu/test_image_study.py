"""The study of convolutional networks: what it computes, what it writes, and its refusals."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
import sympy
from flint import arb

import numerics
import symspec as ss
from gpu import image_study, image_study_report
from gpu.image_study import ImageRequest, conduct, guarantees
from numerics.exact_text import ball_from_record
from symspec import errors
from symspec.cli import main
from symspec.command_line import multi_indices_to

SPACE = ss.MultiSphere(3, 2)
INDICES = tuple(multi_indices_to(2, 2))


@pytest.fixture(scope="module")
def relu():
    net = ss.cnn(ss.relu, 1, 2, 2)
    return conduct(ImageRequest(net, net.ntk, SPACE, INDICES, digits=8, points=200, seed=3, backend="numpy"))


def test_rows(relu):
    net = relu.request.network
    values = numerics.eigenvalues(net.ntk, SPACE, INDICES, 8)
    assert [row.eigenvalue.overlaps(value) for row, value in zip(relu.rows, values, strict=True)] == [True] * len(INDICES)
    assert [row.multiplicity for row in relu.rows] == [1, 3, 3, 5, 9, 5]
    assert arb("0.9") < relu.total_share < 1
    assert relu.field.paths == (1, 1)


def test_rays_follow_the_law(relu):
    for ray in relu.rays:
        assert (ray.exponent, ray.checked) == (5, True)
        assert abs(float(ray.rows[-1].to_law) - 1) < 0.03
        assert abs(float(ray.rows[-1].to_law) - 1) < abs(float(ray.rows[0].to_law) - 1)


def test_bounds_and_check(relu):
    assert relu.bounds.counterexample == (0, 3)
    assert max(abs(record.z_score) for record in relu.gram) < 4
    lines = guarantees(relu)
    assert "200 random images (seed 3)" in " ".join(lines["checked"])
    assert any("remainder" in line for line in lines["not_shown"])


def test_the_record_restores_the_balls(relu):
    record = json.loads(image_study_report.to_json(image_study_report.record(relu)), parse_float=lambda text: pytest.fail(f"a float: {text}"))
    for row, entry in zip(relu.rows, record["eigenvalues"], strict=True):
        found = ball_from_record(entry["eigenvalue"])
        assert (found.mid(), found.rad()) == (row.eigenvalue.mid(), row.eigenvalue.rad())
    assert record["law"]["strata"] == [{"pixels": [0, 1], "exponent": 5}]
    assert record["bounds"]["counterexample"] == [0, 3]


def test_pools_count_orbits():
    net = ss.cnn(ss.polynomial(0, 1, 1), 1, 2, 2, "gap")
    study = conduct(ImageRequest(net, net.ck, SPACE, ((1, 1), (2, 1)), digits=8, points=0))
    assert [row.multiplicity for row in study.rows] == [6, 15]
    assert study.total_share is None
    assert study.rows[0].closed_form == ss.eigenvalue(ss.cnn(ss.polynomial(0, 1, 1), 1, 2, 2, "trace").ck, SPACE, (1, 1)) > 0
    assert "polynomial" in study.law_note
    assert "orbit" not in image_study_report.latex(study, plot=None)


def test_a_wrong_closed_form_stops_the_study(monkeypatch):
    net = ss.cnn(ss.polynomial(0, 1, 1), 1, 2, 2)
    honest = image_study.eigenvalue
    monkeypatch.setattr(image_study, "eigenvalue", lambda *args: honest(*args) * (1 + sympy.Rational(1, 10**6)))
    with pytest.raises(errors.SymspecError, match="disagree"):
        conduct(ImageRequest(net, net.ck, SPACE, ((1, 1),), digits=10, points=0))


def test_shares_above_one_are_an_error(monkeypatch):
    net = ss.cnn(ss.polynomial(0, 1), 1, 2, 2)
    honest = numerics.evaluate
    monkeypatch.setattr(numerics, "evaluate", lambda *args: honest(*args) / 2)
    with pytest.raises(errors.SymspecError, match="more than 1"):
        conduct(ImageRequest(net, net.ck, SPACE, INDICES, digits=10, points=0))


def test_the_command_writes_a_folder(tmp_path, capsys):
    out = tmp_path / "study"
    arguments = ["study", "relu", "--network", "cnn:2,2", "--kernel", "ck", "--domain", "multisphere:3,2", "--degrees", "total:2", "--digits", "8", "--points", "60", "--backend", "numpy"]
    assert main([*arguments, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "frequencies in pixels 0, 1: |k|^-7, derived with exact constant" in printed
    assert "0.0057280819" in printed
    assert {"study.json", "study.tex"} <= {path.name for path in out.iterdir()}
    assert (out / "study.png").stat().st_size > 20_000
    text = (out / "study.tex").read_text()
    assert r"\lambda_k\sim" in text
    assert r"\section{Bounds by products}" in text
    if shutil.which("pdflatex"):
        done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "study.tex"], cwd=out, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Overfull" not in done.stdout


def test_pictures_of_more_pixels(tmp_path):
    pytest.importorskip("matplotlib")
    from gpu.image_study_plot import draw

    net = ss.cnn(ss.polynomial(0, 1, 1), 2, 2, 4)
    study = conduct(ImageRequest(net, net.ck, ss.MultiSphere(3, 4), tuple(multi_indices_to(2, 4)), digits=4, points=0))
    assert study.rays == ()
    draw(study, tmp_path)
    assert (tmp_path / "study.png").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--network", "cnn:2,3"], "3 pixels"),
        (["--network", "cnn:2,2", "--degrees", "total:99999"], "more than 1000000"),
        (["--network", "cnn:2,2", "--degrees", "0:30"], "total:N"),
        (["--network", "cnn:2,2", "--points", "1"], "at least 2"),
        ([], "Kernel"),
    ],
)
def test_refusals_on_the_command_line(arguments, words, capsys, tmp_path):
    assert main(["study", "relu", "--domain", "multisphere:3,2", "--out", str(tmp_path / "s"), *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_images_on_a_sphere_are_refused(capsys, tmp_path):
    assert main(["study", "relu", "--network", "cnn:2,2", "--domain", "sphere:3", "--out", str(tmp_path / "s")]) == 2
    assert "multisphere:C,2" in capsys.readouterr().err
