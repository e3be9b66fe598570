"""Convolutional networks and products of spheres on the command line."""

from __future__ import annotations

import itertools
import json

import pytest

from symspec.cli import main
from symspec.command_line import multi_indices_to


def test_eigenvalues(capsys):
    arguments = ["eigenvalues", "relu", "--depth", "2", "--network", "cnn:2,2,pointwise,trace", "--domain", "multisphere:3,2", "--degrees", "2,2;2,0", "--digits", "5"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].endswith("2 pixels, head trace, pointwise first layer on multisphere:3,2")
    assert printed[2].startswith("   2,2            25  0.000958")
    assert main([*arguments, "--json", "--digits", "3"]) == 0
    record = json.loads(capsys.readouterr().out)["eigenvalues"][0]
    assert record["degree"] == [2, 2]
    assert record["multiplicity"] == "25"


def test_blocks_of_a_padded_pool(capsys):
    """Two translates, two eigenvalues; a multi-index that was given twice, as itself and as its translate, is one block."""
    arguments = ["eigenvalues", "gelu", "--depth", "1", "--network", "cnn:2,2,gap,zero", "--kernel", "ck", "--domain", "multisphere:3,2", "--degrees", "2,0;0,2;1,1", "--digits", "3"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[2] == "translates 0,2; 2,0, multiplicity 5"
    assert [line.strip()[:7] for line in printed[3:5]] == ["0.00605", "0.00058"]
    assert printed[5] == "translates 1,1, multiplicity 9"
    assert len(printed) == 7
    assert main([*arguments, "--json"]) == 0
    blocks = json.loads(capsys.readouterr().out)["blocks"]
    assert [(block["translates"], len(block["eigenvalues"])) for block in blocks] == [([[0, 2], [2, 0]], 2), ([[1, 1]], 1)]
    assert main([*arguments[:1], "elu", *arguments[2:]]) == 2
    assert "keep their signs" in capsys.readouterr().err


def test_gram(capsys):
    assert main(["gram", "relu", "--network", "cnn:2x1,2x1,conv,circular,stride=1", "--domain", "multisphere:3,2", "--points", "60", "--degrees", "1,1"]) == 0
    assert capsys.readouterr().out.splitlines()[2].split()[0] == "1,1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--network", "cnn:2"], "not understood"),
        (["--network", "cnn:2,2,eq,trace"], "the head twice"),
        (["--network", "cnn:2,2,max"], "no property of a convolutional network"),
        (["--network", "cnn:3,2"], "larger than the 2 positions"),
        (["--network", "cnn:2,2", "--alpha", "1"], "--alpha belongs to residual"),
        (["--network", "transformer"], "write mlp, resnet or cnn"),
        (["--network", "cnn:2,2", "--degrees", "1:3"], "multi-index"),
        (["--network", "cnn:2,2", "--degrees", "1,2,3"], "3 entries"),
        (["--network", "cnn:2,3"], "3 pixels"),
    ],
)
def test_refusals(arguments, words, capsys):
    assert main(["eigenvalues", "relu", *arguments, "--domain", "multisphere:3,2"]) == 2
    assert words in capsys.readouterr().err


def test_other_commands_take_no_images(capsys):
    assert main(["decay", "relu", "--network", "cnn:2,2", "--domain", "sphere:3"]) == 2
    assert "derive, eigenvalues, gram and study" in capsys.readouterr().err


@pytest.mark.parametrize(("total", "pixels"), [(0, 1), (3, 1), (2, 3), (4, 2)])
def test_all_multi_indices_up_to_a_total(total, pixels):
    expected = [index for index in itertools.product(range(total + 1), repeat=pixels) if sum(index) <= total]
    found = multi_indices_to(total, pixels)
    assert sorted(found) == sorted(expected)
    assert [sum(index) for index in found] == sorted(map(sum, found))
