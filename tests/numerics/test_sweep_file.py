"""A file of results survives kills and refuses to mix."""

from __future__ import annotations

import pytest

from numerics.sweep_file import SweepFile
from symspec.errors import InputError, OutputError

PLAN = {"depth": 3, "degrees": [1, 2]}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sweep.jsonl"
    with SweepFile(path, PLAN) as sweep:
        for item in range(3):
            sweep.append(item, [str(item)])
    return path


def test_every_way_of_being_torn_keeps_the_whole_lines(file):
    content = file.read_bytes()
    head = content.index(b"\n") + 1
    for length in [*range(0, head, 7), *range(head, len(content), 11)]:
        file.write_bytes(content[:length])
        with SweepFile(file, PLAN) as sweep:
            whole = content[:length].count(b"\n")
            assert len(sweep.found) == max(0, whole - 1)
            sweep.append(7, "new")
        with SweepFile(file, PLAN) as sweep:
            assert sweep.found[7] == "new"


def test_another_plan_is_refused_and_the_difference_is_named(file):
    before = file.read_bytes()
    with pytest.raises(InputError, match=r"depth is 3 there and 4 here") as caught:
        SweepFile(file, PLAN | {"depth": 4}).__enter__()
    assert "degrees" not in str(caught.value)
    assert file.read_bytes() == before


@pytest.mark.parametrize(("old", "new"), [(b'["1"]', b'["2"]'), (b'"item": 1', b'"item": 5'), (b'"result"', b'"resalt"')])
def test_a_changed_line_is_refused(file, old, new):
    file.write_bytes(file.read_bytes().replace(old, new, 1))
    with pytest.raises(InputError, match=r"line . is damaged"):
        SweepFile(file, PLAN).__enter__()


def test_other_files_are_not_touched(tmp_path):
    for name, content in (("a", b"my thesis\n"), ("b", b"my thesis"), ("c", b"[1, 2]\n"), ("d", b"\xff\n")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match="no file of sweep results"):
            SweepFile(path, PLAN).__enter__()
        assert path.read_bytes() == content


def test_two_writers_at_once(file):
    pytest.importorskip("fcntl")
    with SweepFile(file, PLAN), pytest.raises(OutputError, match="another process"):
        SweepFile(file, PLAN).__enter__()


def test_no_folder(tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        SweepFile(tmp_path / "none" / "file", PLAN).__enter__()
