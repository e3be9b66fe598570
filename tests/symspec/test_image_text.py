"""``symspec derive`` for convolutional networks."""

from __future__ import annotations

import json

import pytest
import sympy

import symspec as ss
from symspec.cli import main
from symspec.image_text import short_form


def derive(capsys, *arguments):
    assert main(["derive", *arguments]) == 0
    return capsys.readouterr().out


def test_text_and_value(capsys):
    printed = derive(capsys, "relu", "--depth", "2", "--network", "cnn:2,3,pointwise", "--kernel", "ntk", "--rho", "1/2,0,1")
    assert "C_2[p,q] = sum over o in {0,1} of V_1[p+o,q+o]" in printed
    assert "T_2[p,q] = C_2[p,q] + sum over o in {0,1} of dual'(C_1[p+o,q+o]) * T_1[p+o,q+o]" in printed
    assert "receptive field: pixels 0, 1 of 3 (counted from 0); paths to the output 1, 1, 0; dK/dt_i at t = 1: 1/2, 1/2, 0" in printed
    value = printed.splitlines()[-1].partition(" = ")[2]
    expected = ss.cnn(ss.relu, 2, 2, 3, first_layer="pointwise").ntk([sympy.Rational(1, 2), 0, 1])
    assert abs(sympy.N(sympy.sympify(value) - expected, 20)) < 1e-15


@pytest.mark.parametrize("head", ["eq", "trace", "gap"])
def test_the_closed_form_is_the_kernel(head):
    kernel = ss.cnn(ss.relu, 1, 2, 2, head).ck
    short = short_form(kernel)
    t = {symbol: sympy.Rational(1, 3 + place) for place, symbol in enumerate(sorted(short.free_symbols, key=str))}
    matrix = list(t.values()) if kernel.is_diagonal else [[t[sympy.Symbol(f"t_{i}{j}", real=True)] for j in (0, 1)] for i in (0, 1)]
    assert abs(sympy.N(short.subs(t) - kernel(matrix), 25)) < 1e-20


def test_json_and_latex(capsys):
    record = json.loads(derive(capsys, "gelu", "--network", "cnn:3,4,trace", "--sigma-b2", "1/4", "--kernel", "ntk-layer:1", "--json"))
    assert record["receptive_field"] == {"pixels": [0, 1, 2, 3], "of": 4}
    assert record["recursion"][-1] == {"symbol": "T_1[p,q]", "expression": "C_1[p,q]"}
    assert record["recursion"][0]["expression"] == "1/3 * sum over o in {-1,0,1} of t[p+o,q+o] + 1/4"
    text = derive(capsys, "relu", "--network", "cnn:2,3", "--kernel", "ck", "--latex")
    assert r"\widehat{\sigma}(1) &= \frac{1}{2}" in text
    assert r"K(t) = " in text
    wide = derive(capsys, "relu", "--network", "cnn:2,3,zero,trace", "--latex")
    assert r"\widehat{\sigma}(q\rho)" in wide


def test_the_law_along_rays(capsys):
    arguments = ["relu", "--depth", "2", "--network", "cnn:2,2,pointwise", "--kernel", "ck", "--channels", "3"]
    lines = derive(capsys, *arguments).splitlines()
    assert lines[-4:-1] == [
        "decay along rays of multi-indices, pixels on the sphere in R^3:",
        "  frequencies in 1 pixel (0; 1): |k|^-5, derived with exact constant",
        "  frequencies in pixels 0, 1: |k|^-7, derived with exact constant",
    ]
    assert json.loads(derive(capsys, *arguments, "--json"))["law"]["strata"][-1] == {"pixels": [0, 1], "exponent": 7}
    assert r"without a bound of the remainder" in derive(capsys, *arguments, "--latex")
    assert main(["derive", "relu", "--channels", "3"]) == 2
    assert "--channels belongs" in capsys.readouterr().err
    assert main(["derive", "gelu", "--network", "cnn:2,2", "--channels", "3"]) != 0
    assert "no kink" in capsys.readouterr().err


def test_jumps_and_series(capsys):
    assert "K is infinite where x = z" in derive(capsys, "step", "--network", "cnn:2,2")
    assert "dual(rho)" not in derive(capsys, "tanh", "--network", "cnn:2,2")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cnn:2,2", "--rho", "1,2"], "outside [-1, 1]"),
        (["cnn:2,2,gap", "--rho", "1/2"], "2 rows of the matrix"),
        (["cnn:2,2", "--rho", "1/2,x"], "x"),
        (["cnn:2,3", "--rho", "1/2,0"], "3 x 3 matrix"),
        (["cnn:2,2", "--json", "--latex"], "exclude each other"),
    ],
)
def test_refusals(arguments, words, capsys):
    assert main(["derive", "relu", "--network", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
