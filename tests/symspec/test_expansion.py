"""Expansions as a public object: arguments, coefficients, LaTeX and the command."""

from __future__ import annotations

import json
import re

import pytest
import sympy
from sympy import Rational

import symspec as ss
from symspec import cli


@pytest.mark.parametrize("end", [1, -1, "1", "-1"])
def test_against_the_kernel_near_the_end(end):
    kernel = ss.mlp(ss.relu, 3).ntk
    item = ss.expansion(kernel, end, 8)
    small = Rational(1, 10**4)
    rho = int(end) * (1 - 2 * small**2)
    series = sum(item.written_out(item.coefficient(j)) * small**j for j in range(8))
    assert abs((kernel(rho) - series).evalf(60)) < Rational(1, 10**28)


def test_coefficients_are_those_below_the_remainder():
    item = ss.expansion(ss.mlp(ss.relu, 1).ck, order=6)
    assert (item.order, item.coefficient(0), item.coefficient(2), item.coefficient(1)) == (6, 1, -2, 0)
    assert item.coefficient(3) == Rational(8, 3) / sympy.pi
    for power in (6, 7, "1/2"):
        with pytest.raises(ss.InputError, match="below 6"):
            item.coefficient(power)


def test_a_finer_root_is_shown():
    item = ss.expansion(ss.mlp(ss.step, 2).ck, 1, 2)
    assert item.root == 2
    assert "sqrt(s)" in str(item)
    assert r"s^{1/2}" in item.latex()


def test_latex_lists_the_names_in_use():
    item = ss.expansion(ss.mlp(ss.relu, 4).ntk, -1, 4)
    used = item.used_names()
    assert used
    assert set(used) <= set(item.names)
    assert item._repr_latex_() == f"$\\displaystyle {item.latex()}$"
    for name in used:
        assert f"{sympy.latex(name)} &=" in item.latex()
    assert all(set(value.free_symbols) <= set(used) for value in used.values())


BAD = [
    (("K",), {}),
    ((ss.mlp("relu", 1),), {}),
    ((ss.mlp("relu", 1).ck, 0), {}),
    ((ss.mlp("relu", 1).ck, "up"), {}),
    ((ss.mlp("relu", 1).ck, 1, 0), {}),
    ((ss.mlp("relu", 1).ck, 1, "5/2"), {}),
    ((ss.mlp("relu", 1).ck, 1, 1000), {}),
]


@pytest.mark.parametrize(("arguments", "options"), BAD)
def test_refusals(arguments, options):
    with pytest.raises(ss.InputError):
        ss.expansion(*arguments, **options)


def test_deep_constants_stay_named():
    item = ss.expansion(ss.mlp(ss.relu, 40).ntk, -1, 4)
    with pytest.raises(ss.ExpressionTooLarge):
        item.written_out(item.coefficient(1))


def test_command(capsys):
    assert cli.main(["expansion", "relu", "--depth", "1", "--kernel", "ntk", "--order", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "K = 2 - 2*s/pi - 4*s**2 + O(s**3)"
    assert cli.main(["expansion", "relu", "--depth", "3", "--kernel", "ntk", "--end", "-1", "--order", "8", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["end"], record["order"]) == (-1, "8")
    assert [term["power"] for term in record["terms"]][:3] == ["0", "1", "3"]
    assert cli.main(["expansion", "relu", "--latex"]) == 0
    assert "O\\left(s^{4}\\right)" in capsys.readouterr().out
    for options in (["--end", "2"], ["--order", "x"], ["--json", "--latex"], ["--kernel", "ntk-layer:9"]):
        assert cli.main(["expansion", "relu", *options]) == 2
        assert re.fullmatch(r"symspec: [^\n]+\n", capsys.readouterr().err)
