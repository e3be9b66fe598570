"""Means of functions that are infinite at a corner: against quadrature in the angles, and eigenvalues over their terms."""

from __future__ import annotations

import numpy
import pytest
import sympy
from flint import arb

import numerics
import symspec as ss
from symspec.errors import Undecided
from symspec.pixel_jets import Exact, free_pixel, mixed

WIDE = ss.cnn(ss.relu, 2, 4, 4, first_layer="pointwise")


def by_quadrature(law, index):
    """The leading term, its means by Gauss rules in the angles, where J dt is smooth but for a cone of order 1."""
    nodes, weights = numpy.polynomial.legendre.leggauss(800)
    angles = (nodes + 1) * numpy.pi / 2
    shares, t = weights * numpy.pi / 4 * numpy.sin(angles), numpy.cos(angles)
    total = 0.0
    for term in law.decisive_terms({0, 1}):
        J = mixed(term.program, Exact(), term.image, term.varied)
        values = sympy.lambdify([free_pixel(pixel) for pixel in term.others], J, "numpy")(t[:, None], t[None, :])
        factor = term.weight * term.parity(dict(enumerate(index))) * term.size() * term.transform(dict(enumerate(index)))
        total += float(factor) * float(shares @ values @ shares)
    return total


@pytest.mark.parametrize(("activation", "index"), [(ss.relu, (5, 4, 0, 0)), pytest.param(ss.leaky_relu("1/3"), (6, 4, 0, 0), marks=pytest.mark.slow)], ids=str)
def test_against_quadrature(activation, index):
    law = ss.cone_law(ss.cnn(activation, 2, 4, 4, first_layer="pointwise").ck, 3)
    found = numerics.cone_leading(law, index, 2)
    assert found.rel_accuracy_bits() > 7
    assert (found / arb(by_quadrature(law, index))).overlaps(arb(1, 1e-6))
    assert not (found / arb(1.02 * by_quadrature(law, index))).overlaps(arb(1, 1e-6))


def test_ratios_of_two_units_below_a_kink():
    """The eigenvalues are sums of positive series in double precision, made apart from this code; that at 4 agrees with the certified one."""
    law = ss.cone_law(WIDE.ck, 3)
    assert (law.exponent({0, 1}), law.is_checked({0, 1})) == (10, True)
    ratios = [value / float(numerics.cone_leading(law, (k, k, 0, 0), 2)) for k, value in ((4, 2.079948e-8), (16, 1.748775e-14), (32, 1.782426e-17), (64, 1.795829e-20))]
    assert [round(ratio, 1) for ratio in ratios] == [3.3, 1.2, 1.1, 1.0]


@pytest.mark.slow
def test_the_series_and_the_certified_eigenvalue():
    certified = numerics.eigenvalues(WIDE.ck, ss.MultiSphere(3, 4), [(4, 4, 0, 0)], 2)[0]
    assert abs(certified / arb("2.079948e-8") - 1) < 1e-3


def test_what_is_not_enclosed():
    """A tangent kernel holds products of infinite factors."""
    law = ss.cone_law(WIDE.ntk, 3)
    assert (law.exponent({0, 1}), len(law.decisive_terms({0, 1})[0].units)) == (8, 2)
    with pytest.raises(Undecided, match="conjugate kernel"):
        numerics.cone_leading(law, (6, 6, 0, 0), 3)
