"""The chain of Lipschitz bounds: norms against double precision, regions against sampling."""

from __future__ import annotations

from itertools import pairwise

import numpy
import pytest
from flint import arb

import numerics
import symspec as ss
from numerics.lipschitz import spectral_norm
from symspec.errors import InputError


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 7), (7, 1), (5, 9), (40, 30)])
def test_spectral_norms(rows, columns):
    matrix = numpy.random.default_rng(rows).standard_normal((rows, columns))
    found = spectral_norm(ss.relu_network([(matrix, None)]).layers[0])
    assert found.rel_accuracy_bits() > 35
    assert abs(float(found) - numpy.linalg.norm(matrix, 2)) < 1e-12 * float(found)


def test_norms_that_are_known():
    assert spectral_norm(ss.relu_network([([[0, 0], [0, 0]], [1, 1])]).layers[0]) == 0
    three = spectral_norm(ss.relu_network([([[3, 0], [0, 3]], None)]).layers[0])
    assert three.contains(3)
    assert spectral_norm(ss.relu_network([([["1/3", "1/3"], ["1/3", "1/3"]], None)]).layers[0]).overlaps(arb(2) / 3)
    assert spectral_norm(ss.relu_network([([[10**40]], None)]).layers[0]).contains(10**40)


@pytest.mark.parametrize("slope", [0, -3])
def test_the_chain_of_a_network(slope):
    rng = numpy.random.default_rng(4)
    network = ss.relu_network([(rng.standard_normal((b, a)), rng.standard_normal(b)) for a, b in pairwise((2, 6, 5, 1))], slope)
    regions = network.linear_regions([(-2, 2), (-2, 2)])
    chain = numerics.lipschitz_chain(network, regions)
    assert chain.strict == (True, True)
    assert len(chain.norms) == 3
    # The slope between two points of one region in the direction of its gradient attains the constant.
    steepest = max(regions.cells, key=lambda cell: sum(w * w for w in cell.gradient))
    middle = [sum(regions.vertices[v][i] for v in steepest.vertices) / len(steepest.vertices) for i in range(2)]
    other = [x + w / 10**9 for x, w in zip(middle, steepest.gradient, strict=True)]
    rise = network(other)[0] - network(middle)[0]
    distance = float(sum((a - b) ** 2 for a, b in zip(middle, other, strict=True))) ** 0.5
    assert abs(float(rise) / distance - float(chain.regional)) < 1e-9
    assert rf"\le\prod_l\|W^{{(l)}}\|\le{float(chain.product):.5f}"[:-1] in chain.statement()


def test_a_chain_of_equalities():
    network = ss.relu_network([([[2]], None), ([[2]], None)])
    chain = numerics.lipschitz_chain(network, network.linear_regions([(-1, 1)]))
    assert chain.regional == 4
    assert chain.strict == (False, False)
    assert chain.product.contains(4)
    assert numerics.lipschitz_chain(network).regional is None
    with pytest.raises(InputError, match="dimension 1"):
        numerics.lipschitz_chain(ss.relu_network([([[1, 1]], None)]), network.linear_regions([(-1, 1)]))
