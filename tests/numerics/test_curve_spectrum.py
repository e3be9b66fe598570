"""Coefficients on curves: closed forms, quadrature with mpmath, tangencies and neurons that vanish."""

from __future__ import annotations

import mpmath
import numpy
import pytest
from flint import acb, arb, fmpq
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec.errors import InputError, Undecided
from tests.symspec.random_relu_networks import layer_lists


def _inside(value, expected):
    """Whether a ball holds a complex number known to 25 digits, and is small."""
    with working_precision(120):
        assert abs(value - acb(arb(mpmath.nstr(mpmath.re(expected), 25)), arb(mpmath.nstr(mpmath.im(expected), 25)))).upper() < 1e-18


def test_half_a_cosine():
    network = ss.relu_network([([[1, 0]], [0]), ([[1]], [0])])
    spectrum = numerics.curve_coefficients(network, ss.flower(0), range(-4, 7), 25)
    with mpmath.workdps(30):
        for m, value in spectrum.coefficients.items():
            expected = mpmath.mpf(1) / 4 if abs(m) == 1 else mpmath.cos(mpmath.pi * m / 2) / (mpmath.pi * (1 - m * m))
            _inside(value, expected)
    assert spectrum.kinks == 2


def test_coefficients_of_a_linear_network_are_those_of_the_curve():
    network = ss.relu_network([([[2, "1/3"]], [7])])
    spectrum = numerics.curve_coefficients(network, ss.flower(4), range(-6, 7), 20)
    assert spectrum.kinks == 0
    with working_precision(100):
        expected = {0: 7, 1: 1, 3: fmpq(1, 24), 5: fmpq(-1, 24)}
        for m, value in spectrum.coefficients.items():
            assert abs(value.real - arb(expected.get(abs(m), 0))).upper() < 1e-20
        assert abs(spectrum.coefficients[1].imag + arb(fmpq(1, 6))).upper() < 1e-20


@settings(max_examples=12, deadline=None)
@given(layer_lists(2, most=3), st.integers(0, 3))
def test_against_quadrature(layers, petals):
    network = ss.relu_network(layers, "1/8")
    spectrum = numerics.curve_coefficients(network, ss.flower(petals), [0, 1, -3], 15)
    weights = [(numpy.array(w, float), numpy.array(b, float)) for w, b in layers]
    count = 1 << 15
    z = (numpy.arange(count) + 0.5) / count
    radius = 1 + numpy.sin(2 * numpy.pi * petals * z) / 2
    signal = numpy.stack([radius * numpy.cos(2 * numpy.pi * z), radius * numpy.sin(2 * numpy.pi * z)], 1)
    for index, (w, b) in enumerate(weights):
        signal = signal @ w.T + b
        if index + 1 < len(weights):
            signal = numpy.where(signal > 0, signal, signal / 8)
    steep = 1 + numpy.abs(numpy.diff(signal[:, 0])).max() * count
    for m, value in spectrum.coefficients.items():
        assert abs(complex(value) - (signal[:, 0] * numpy.exp(-2j * numpy.pi * m * z)).mean()) < 100 * steep / count**2


def test_tangencies_and_neurons_that_vanish():
    """max(x - 1, 0) touches 0 at one point of the circle; (x - x) vanishes; both add nothing."""
    network = ss.relu_network([([[1, 0], [0, 0], [1, 0]], [-1, 0, "-1000000000000/1000000000001"]), ([[1, 1, 0]], [0])])
    spectrum = numerics.curve_coefficients(network, ss.flower(0), [0, 1], 20)
    assert all(abs(value).upper() < 1e-20 for value in spectrum.coefficients.values())


@pytest.mark.parametrize("shift", [0, "-1e-9", "1e-40"])
def test_a_zero_of_multiplicity_four(shift):
    """On gamma_1, 1 + 2y = (1 + sin)^2 vanishes to the fourth order at z = 3/4; shifted, there are two zeros close by, or none."""
    network = ss.relu_network([([[0, 2]], [1]), ([[1]], [shift])])
    bent = ss.relu_network([([[0, 2]], [1]), ([[1]], [shift]), ([[1]], [0])])
    plain = numerics.curve_coefficients(network, ss.flower(1), [0], 15).coefficients[0]
    with working_precision(100):
        # (1 + sin)^2 has the mean 3/2.
        assert abs(plain.real - arb(fmpq(3, 2)) - arb(str(shift))).upper() < 1e-15
        assert abs(numerics.curve_coefficients(bent, ss.flower(1), [0], 12).coefficients[0].real - plain.real).upper() < 1e-11


def test_kinks_at_the_ends_of_panels():
    network = ss.relu_network([([[0, 1]], [0]), ([[1]], [0])])
    spectrum = numerics.curve_coefficients(network, ss.flower(0), [0], 20)
    with mpmath.workdps(30):
        _inside(spectrum.coefficients[0], 1 / mpmath.pi)


def test_gaps_are_counted_in_the_error(monkeypatch):
    """With gaps as wide as 2^-6 the balls are wide and still right."""
    from numerics.curve_spectrum import _Probe

    network = ss.relu_network([([[1, 0]], [0]), ([[1]], [1])])
    with working_precision(100):
        found, _, gaps = _Probe(network, ss.flower(0), 0, 6, 1000).spectrum([0, 2])
        assert gaps == 2
        assert 1e-3 < float(found[0].real.rad()) < 0.1
        assert found[0].real.overlaps(1 + 1 / arb.pi())
        assert found[2].real.overlaps(1 / (3 * arb.pi()))
    monkeypatch.setattr("numerics.curve_spectrum.MAX_INTERVALS", 0)
    monkeypatch.setattr("numerics.curve_spectrum.FEW_INTERVALS", 0)
    monkeypatch.setattr("numerics.curve_spectrum.MORE_INTERVALS", 0)
    with pytest.raises(Undecided):
        numerics.curve_coefficients(network, ss.flower(3), [0], 20)


def test_bad_input():
    network = ss.relu_network([([[1, 0]], [0])])
    with pytest.raises(InputError, match="modes are integers"):
        numerics.curve_coefficients(network, ss.flower(1), ["1/2"])
    with pytest.raises(InputError, match="output 1"):
        numerics.curve_coefficients(network, ss.flower(1), [1], output=1)
    with pytest.raises(InputError, match="dimension 1"):
        numerics.curve_coefficients(network, ss.trigonometric_curve([{1: (1, 0)}]), [1])
    with pytest.raises(InputError, match="petals"):
        ss.flower(-1)
    with pytest.raises(InputError, match="at least one"):
        ss.trigonometric_curve([])
