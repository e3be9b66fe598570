"""Shares of parameters with a high frequency: kinks against the exact restriction, counts against a closed form."""

from __future__ import annotations

from itertools import pairwise

import numpy
import pytest

import gpu
import symspec as ss
from gpu.parameter_volume import kinks_and_jumps
from symspec.errors import InputError


@pytest.mark.parametrize("widths", [(1, 5, 1), (1, 6, 5, 1), (1, 8, 8, 8, 1)])
def test_kinks_are_those_of_the_exact_restriction(widths):
    rng = numpy.random.default_rng(len(widths))
    layers = [(rng.uniform(-2, 2, (b, a)), rng.uniform(-2, 2, b)) for a, b in pairwise(widths)]
    kinks, jumps = kinks_and_jumps(layers)
    exact = ss.relu_network(layers).restrict_to_line([0], [1])
    kept = numpy.abs(jumps) > 1e-9
    assert numpy.allclose(kinks[kept], [float(x) for x in exact.breakpoints], rtol=1e-9)
    assert numpy.allclose(jumps[kept], [float(x) for x in exact.slope_jumps], rtol=1e-6)


def test_one_neuron_has_a_closed_form():
    """|f~(k)| = |w a|/k^2, so the share is P(|w a| > eps k^2) for uniform w and a: 1 - c + c log c with c = eps k^2/R^2."""
    records = gpu.frequency_volume((1, 1, 1), 1.0, 0.25, [0.5, 1.0, 1.5], networks=4000, seed=3, backend="numpy")
    for record in records:
        c = 0.25 * record.cutoff**2
        expected = 1 - c + c * numpy.log(c)
        assert abs(record.upper - expected) < 4 * record.upper_standard_error
        # The grid begins a 24th of an octave above the cutoff.
        c *= 2 ** (1 / 12)
        assert abs(record.lower - (1 - c + c * numpy.log(c))) < 4 * record.standard_error
        assert record.standard_error == pytest.approx((record.lower * (1 - record.lower) / 4000) ** 0.5)


def test_the_volume_shrinks_and_does_not_depend_on_the_company():
    records = gpu.frequency_volume((1, 6, 6, 1), 2.0, 0.1, [1, 3, 10, 30], networks=60, seed=5, backend="numpy")
    assert [record.cutoff for record in records] == [1, 3, 10, 30]
    assert all(a.lower >= b.lower and a.upper >= b.upper for a, b in pairwise(records))
    assert all(record.lower <= record.upper for record in records)
    assert records[0].lower > records[-1].lower
    again = gpu.frequency_volume((1, 6, 6, 1), 2.0, 0.1, [30, 1, 3, 10], networks=60, seed=5, backend="numpy")
    assert again == records
    assert r"\lesssim" in records[0].statement()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (((2, 3, 1), 1.0, 0.1, [1]), "one input"),
        (((1, 1), 1.0, 0.1, [1]), "hidden layer"),
        (((1, 3, 1), 0.0, 0.1, [1]), "positive"),
        (((1, 3, 1), 1.0, float("nan"), [1]), "positive"),
        (((1, 3, 1), 1.0, 0.1, []), "at least one cutoff"),
    ],
)
def test_bad_input(arguments, reason):
    with pytest.raises(InputError, match=reason):
        gpu.frequency_volume(*arguments)
