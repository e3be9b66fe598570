"""Optimal depths: against brute force, ties, kills, other parameters."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from fractions import Fraction

import pytest
from flint import arb

import numerics
import symspec as ss
from numerics import optimal_depths
from symspec.errors import DomainError, InputError

POINTS = [(Fraction(w), Fraction(b)) for w in (1, 2, 4) for b in (0, Fraction(1, 2), 2)]


@pytest.mark.parametrize("kernel", ["ck", "ntk"])
@pytest.mark.parametrize("name", ["relu", "erf"])
def test_brute_force(name, kernel):
    depth, d, degrees = 4, 6, range(7)
    table = {}
    for w, b in POINTS:
        for layers in range(depth + 1):
            net = ss.mlp(ss.activation(name), layers, sigma_w2=w, sigma_b2=b)
            values = numerics.eigenvalues(net.ck if kernel == "ck" else net.ntk, ss.BooleanCube(d), degrees, 20)
            total = sum((value * ss.BooleanCube(d).multiplicity(k) for k, value in zip(degrees, values, strict=True)), arb(0))
            for k, value in zip(degrees, values, strict=True):
                table[k, layers, w, b] = float(value * ss.BooleanCube(d).multiplicity(k) / total)
    for best in numerics.optimal_depth(name, d, POINTS, depth, degrees, kernel=kernel):
        largest = max(value for key, value in table.items() if key[0] == best.degree)
        expected = {key[1] for key, value in table.items() if key[0] == best.degree and value > largest * (1 - 1e-12)}
        assert set(best.depths) == expected
        assert float(best.share) == pytest.approx(largest, rel=1e-14)


def test_published_depths_at_the_best_variances():
    """Yang and Salman's figure for relu, where no bias is best for degrees from 1 to 4."""
    found = numerics.optimal_depth("relu", 128, [(2, 0), (2, "1/10"), (2, 4)], 16, range(1, 9))
    assert [best.depth for best in found] == [0, 1, 3, 4, 6, 7, 8, 9]


def test_a_tie_is_said_to_be_a_tie():
    """sigma(x) = x is a linear network at every depth: all depths have the same shares."""
    best = numerics.optimal_depth("x", 5, [(1, 0)], 3, [1, 2], max_digits=40)
    assert best[0].depths == (0, 1, 2, 3)
    assert (best[0].tie, best[0].depth) == (True, None)
    assert best[0].share.contains(1)
    assert (best[1].depths, best[1].tie, best[1].share) == ((), False, 0)


def test_too_many_candidates_are_a_tie_without_refinement(monkeypatch):
    monkeypatch.setattr(optimal_depths, "MAX_REFINED", 3)
    monkeypatch.setattr(optimal_depths, "fractional_variances", None)
    assert numerics.optimal_depth("x", 5, [(1, 0)], 3, [1])[0].depths == (0, 1, 2, 3)


def test_digits_out_of_reach_leave_a_tie(monkeypatch):
    def refuse(*_arguments):
        raise ss.Undecided("out of reach")

    monkeypatch.setattr(optimal_depths, "fractional_variances", refuse)
    best = numerics.optimal_depth("x", 5, [(1, 0)], 2, [1])[0]
    assert best.tie
    assert best.share.contains(1)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_a_process_that_dies_is_one_line(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text("import numerics\nnumerics.optimal_depth('relu', 5, [(1, 0), (2, 0)], 1, [1], workers=2)\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "a process of the sweep died" in done.stderr.splitlines()[-1]


def test_candidates_that_overlap_at_first_are_refined(monkeypatch):
    exact = numerics.optimal_depth("relu", 8, [(2, 0), (2, 1)], 5, range(9))
    precise = optimal_depths.shares_by_depth

    def blurred(*arguments):
        return [[share if share == 0 else share + arb(0, 0.5) for share in row] for row in precise(*arguments)]

    with monkeypatch.context() as patch:
        patch.setattr(optimal_depths, "shares_by_depth", blurred)
        patch.setattr(optimal_depths, "DOUBLINGS", 0)
        refined = numerics.optimal_depth("relu", 8, [(2, 0), (2, 1)], 5, range(9))
    assert [best.depths for best in refined] == [best.depths for best in exact]
    assert all(a.share.overlaps(b.share) for a, b in zip(refined, exact, strict=True))


def test_differences_far_below_double_precision_are_decided():
    """Two balls that a double cannot tell apart."""
    tiny = arb(2) ** -200
    with numerics.working_precision(400):
        left = optimal_depths._largest({0: arb(1) / 3, 1: arb(1) / 3 + tiny})
    assert set(left) == {1}


def test_results_do_not_depend_on_workers_and_a_second_run_computes_nothing(tmp_path, monkeypatch):
    file = tmp_path / "sweep.jsonl"
    arguments = ("erf", 6, POINTS[:4], 3, range(4))
    alone = numerics.optimal_depth(*arguments)
    reports = []
    together = numerics.optimal_depth(*arguments, workers=2, file=file, progress=lambda done, total: reports.append((done, total)))
    assert reports[-1] == (4, 4)

    def shown(found):
        return [(best.degree, best.depths, best.share.str(30), best.parameters) for best in found]

    assert shown(alone) == shown(together)
    monkeypatch.setattr(optimal_depths, "shares_by_depth", None)
    assert shown(numerics.optimal_depth(*arguments, file=file)) == shown(alone)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"activation": "erf"}, "activation"),
        ({"dimension": 7}, "dimension"),
        ({"max_depth": 3}, "max_depth"),
        ({"degrees": [1]}, "degrees"),
        ({"kernel": "ck"}, "kernel"),
        ({"hyper_parameters": [(2, 1)]}, "hyper_parameters"),
    ],
)
def test_a_file_of_another_sweep_is_refused(tmp_path, change, named):
    arguments = {"activation": "relu", "dimension": 6, "hyper_parameters": [(2, 0)], "max_depth": 2, "degrees": [1, 2]}
    file = tmp_path / "sweep.jsonl"
    numerics.optimal_depth(**arguments, file=file)
    with pytest.raises(InputError, match=f"another run: {named} is"):
        numerics.optimal_depth(**(arguments | change), file=file)


def test_a_killed_run_goes_on_where_it_stood(tmp_path):
    file = tmp_path / "sweep.jsonl"
    code = f"import numerics; numerics.optimal_depth('relu', 64, [(2, i) for i in range(200)], 40, range(6), file={str(file)!r})"
    run = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not file.exists() or file.read_bytes().count(b"\n") < 4):
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    before = file.read_bytes()
    assert 4 <= before.count(b"\n") <= 200
    points = [(2, i) for i in range(200)]
    with pytest.raises(InputError, match="hyper_parameters"):
        numerics.optimal_depth("relu", 64, points[:50], 40, range(6), file=file)
    seen = []

    class Enough(Exception):
        pass

    def progress(done, _total):
        seen.append(done)
        if len(seen) == 2:
            raise Enough

    with pytest.raises(Enough):
        numerics.optimal_depth("relu", 64, points, 40, range(6), file=file, progress=progress)
    # Nothing that was whole is lost, and the work starts after it.
    assert seen[0] == before.count(b"\n")
    assert file.read_bytes().startswith(before[: before.rindex(b"\n") + 1])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"hyper_parameters": []}, InputError, "no hyper-parameters"),
        ({"hyper_parameters": [(2, -1)]}, InputError, "sigma_b2 must be at least 0"),
        ({"hyper_parameters": [(0, 1)]}, InputError, "sigma_w2 must be positive"),
        ({"hyper_parameters": [3]}, InputError, "pairs"),
        ({"degrees": [7]}, InputError, "degree 7 does not exist"),
        ({"degrees": []}, InputError, "no degrees"),
        ({"kernel": "nngp"}, InputError, "ck or ntk"),
        ({"workers": 0}, InputError, "workers"),
        ({"max_depth": -1}, InputError, "max_depth"),
        ({"activation": "step"}, DomainError, "infinite"),
    ],
)
def test_bad_input(change, error, message):
    arguments = {"activation": "relu", "dimension": 6, "hyper_parameters": [(2, 0)], "max_depth": 2, "degrees": [1, 2]} | change
    with pytest.raises(error, match=message):
        numerics.optimal_depth(**arguments)


def test_depth_zero_alone_is_the_linear_network():
    best = numerics.optimal_depth("relu", 5, [(1, 3)], 0, range(3))
    assert [(b.depths, b.share.str(10, radius=False)) for b in best] == [((0,), "0.7500000000"), ((0,), "0.2500000000"), ((), "0")]
