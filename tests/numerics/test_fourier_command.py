"""symspec fourier: the same numbers as the library, exact JSON, pictures, and one line of complaint."""

from __future__ import annotations

import json
import re
from fractions import Fraction

import numpy
import pytest
import sympy

import numerics
import symspec as ss
from numerics.exact_text import ball_from_record
from numerics.fourier_command import parse_box, parse_frequencies, parse_points
from symspec.cli import main
from symspec.errors import InputError


@pytest.fixture
def file(tmp_path):
    rng = numpy.random.default_rng(1)
    numpy.savez(tmp_path / "net.npz", W1=rng.standard_normal((4, 2)), b1=rng.standard_normal(4), W2=rng.standard_normal((1, 4)))
    return str(tmp_path / "net.npz")


def _json(capsys):
    return json.loads(capsys.readouterr().out, parse_float=lambda text: pytest.fail(f"a float: {text}"))


def test_a_line(file, capsys, tmp_path):
    call = ["fourier", file, "--line", "0,1/3;1,2", "--frequencies", "1,2pi,3:7:2", "--digits", "12"]
    assert main([*call, "--plot", str(tmp_path / "line.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    f = ss.load_network(file).restrict_to_line([0, "1/3"], [1, 2])
    assert lines[0] == f"ReLU network 2-4-1 on a line: {len(f.breakpoints)} kinks"
    assert [line.split()[0] for line in lines[3:-1]] == ["1", "2*pi", "3", "5", "7"]
    assert (tmp_path / "line.png").stat().st_size > 20_000
    assert main([*call, "--json"]) == 0
    record = _json(capsys)
    assert [Fraction(kink["at"]) for kink in record["kinks"]] == list(f.breakpoints)
    assert Fraction(record["total_variation"]) == f.total_variation
    for row, value in zip(record["values"], numerics.fourier(f, [1, 2 * sympy.pi, 3, 5, 7], 20), strict=True):
        assert ball_from_record(row["real"]).overlaps(value.real)
        assert ball_from_record(row["imaginary"]).overlaps(value.imag)
    assert main([*call, "--latex"]) == 0
    assert re.search(r"\\tilde f\(k\).*\\frac\{\d+\.\d+\}\{k\^2\}", capsys.readouterr().out)


def test_the_printed_bound_is_rounded_up(file, capsys):
    assert main(["fourier", file, "--line", "0,0;1,0"]) == 0
    printed = re.search(r"<= (\S+) for every k", capsys.readouterr().out).group(1)
    exact = ss.load_network(file).restrict_to_line([0, 0], [1, 0]).total_variation
    assert exact <= Fraction(printed) <= exact * Fraction(1000001, 1000000)


def test_a_polyline(file, capsys):
    assert main(["fourier", file, "--polyline", "0,0;1,0;1,1;0,0", "--json"]) == 0
    record = _json(capsys)
    assert record["interval"] == ["0", "3"]
    assert len(record["values"]) == 20
    assert main(["fourier", file, "--polyline", "0,0;1,0", "--latex"]) == 0
    assert "kinks inside" in capsys.readouterr().out


def test_a_box(file, capsys, tmp_path):
    call = ["fourier", file, "--box=-1:1,-1:2", "--frequencies", "1,0;2,3/2", "--digits", "12"]
    assert main([*call, "--plot", str(tmp_path / "box.png")]) == 0
    printed = capsys.readouterr().out
    regions = ss.load_network(file).linear_regions([(-1, 1), (-1, 2)])
    assert f"{len(regions)} linear regions" in printed
    assert "are proved" in printed
    assert printed.count("t^-2") == len(regions.exceptional_directions())
    assert (tmp_path / "box.png").stat().st_size > 20_000
    assert main([*call, "--json"]) == 0
    record = _json(capsys)
    assert (len(record["cells"]), record["generic"]["order"]) == (len(regions), 3)
    parts = numerics.fourier_parts(regions, [2, "3/2"], 20)
    assert ball_from_record(record["values"][1]["own"]["real"]).overlaps(parts.interior.real)
    assert ball_from_record(record["values"][1]["total"]["imaginary"]).overlaps(parts.total.imag)
    assert main([*call, "--latex"]) == 0
    assert "limsup" in capsys.readouterr().out


def test_all_of_space(file, capsys):
    assert main(["fourier", file, "--space", "--frequencies", "1,1/3;2,5", "--digits", "12"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["fourier", file, "--space", "--frequencies", "1,1/3", "--json"]) == 0
    record = _json(capsys)["values"][0]
    assert ball_from_record(record["real"]).overlaps(numerics.fourier(ss.load_network(file), [1, "1/3"], 20).real)
    assert main(["fourier", file, "--space", "--frequencies", "1,2", "--latex"]) == 0
    assert "unbounded" in capsys.readouterr().out


def test_another_output_and_slope(tmp_path, capsys):
    numpy.savez(tmp_path / "two.npz", W1=[[1.0], [2.0]], W2=[[1.0, 0.0], [0.0, 1.0]])
    assert main(["fourier", str(tmp_path / "two.npz"), "--line", "0;1", "--output", "1", "--slope", "1/2", "--json"]) == 0
    assert _json(capsys)["slopes"] == ["1", "2"]


def test_texts():
    assert parse_points("1,2/3; 0.5,-1", "points") == [[1, sympy.Rational(2, 3)], [sympy.Rational(1, 2), -1]]
    assert parse_box("-1:1,0:1/2") == [(-1, 1), (0, sympy.Rational(1, 2))]
    assert parse_frequencies("pi:3pi,1/2") == [sympy.pi, 2 * sympy.pi, 3 * sympy.pi, sympy.Rational(1, 2)]


@pytest.mark.parametrize("text", ["", "a", "2:1", "1:2:0", "1:2:-1", "1:2:3:4", "1,,2", "1:1e9", "nan", "pipi"])
def test_frequencies_that_are_none(text):
    with pytest.raises(InputError, match="frequenc"):
        parse_frequencies(text)


BAD = [
    (["--line", "0,0;0,0"], "direction is zero"),
    (["--line", "0,0"], "origin;direction"),
    (["--line", "0;1"], "coordinates"),
    (["--line", "0,0;1,x"], "not a decimal number"),
    (["--line", "0,0;1,0", "--frequencies", "0:3"], "frequency 0"),
    (["--line", "0,0;1,0", "--box", "0:1,0:1"], "not allowed"),
    (["--line", "0,0;1,0", "--output", "1"], "output 1"),
    (["--line", "0,0;1,0", "--latex", "--json"], "exclude"),
    (["--line", "0,0;1,0", "--plot", "x.doc"], "png"),
    (["--polyline", "0,0"], "two corners"),
    (["--box", "0:1,0:0"], "empty"),
    (["--box", "0:1"], "1 sides"),
    (["--box", "0,1"], "not understood"),
    (["--box", "0:1,0:1", "--frequencies", "0,0"], "distributions"),
    (["--box", "0:1,0:1", "--frequencies", "1"], "1 coordinates"),
    (["--box", "0:1,0:1", "--budget", "5"], "9 faces|3\\^2"),
    ([], "required"),
    (["--space"], "needs --frequencies"),
    (["--space", "--frequencies", "0,0"], "singular"),
    (["--space", "--frequencies", "1,2", "--plot", "x.png"], "no plot"),
]


@pytest.mark.parametrize(("arguments", "reason"), BAD, ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_bad_usage(file, capsys, arguments, reason):
    assert main(["fourier", file, *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"symspec: [^\n]{10,}\n", err)
    assert re.search(reason, err)


def test_numbers_of_thousands_of_digits(tmp_path, capsys, monkeypatch):
    """The total variation of many facets may have more digits than are printed."""
    monkeypatch.setattr("numerics.fourier_report.LONGEST_BITS", 1000)
    rng = numpy.random.default_rng(0)
    numpy.savez(tmp_path / "large.npz", W1=rng.standard_normal((14, 2)), b1=rng.standard_normal(14), W2=rng.standard_normal((10, 14)), b2=rng.standard_normal(10), W3=rng.standard_normal((1, 10)))
    call = ["fourier", str(tmp_path / "large.npz"), "--box=-1:1,-1:1"]
    regions = ss.load_network(tmp_path / "large.npz").linear_regions([(-1, 1), (-1, 1)])
    assert regions.total_variation.denominator.bit_length() > 1000
    assert main(call) == 0
    assert "t^-2" in capsys.readouterr().out
    assert main([*call, "--latex"]) == 0
    capsys.readouterr()
    assert main([*call, "--json"]) == 0
    record = _json(capsys)
    assert record["total_variation"] is None
    assert Fraction(record["total_variation_above"]) >= regions.total_variation
