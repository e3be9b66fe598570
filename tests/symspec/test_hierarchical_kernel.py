"""Trees of kernel functions against networks, closed forms and quadrature."""

from __future__ import annotations

import numpy
import pytest
import sympy
from sympy import Rational, Symbol

import gpu
import numerics
import symspec as ss
from symspec.errors import DomainError, InputError

SPACE = ss.MultiSphere(3, 2)


def test_equal_levels_are_a_network_without_overlap():
    tree = ss.hierarchical([ss.relu, ss.relu, ss.relu], [1, 2, 2])
    t = [Rational(1, 2), 0, Rational(-1, 3), Rational(3, 4)]
    inner = [ss.mlp(ss.relu, 1).ck(value) for value in t]
    pairs = [ss.mlp(ss.relu, 1).ck((inner[i] + inner[i + 1]) / 2) for i in (0, 2)]
    expected = ss.mlp(ss.relu, 1).ck(sum(pairs) / 2)
    assert numerics.evaluate(tree, t, 20).overlaps(numerics.ball(expected))
    network = ss.cnn(ss.relu, 2, 2, 4, stride=2)
    assert numerics.evaluate(ss.hierarchical(["relu", "relu"], [2, 2]), t, 20).overlaps(numerics.evaluate(network.ck, t, 20))


@pytest.mark.parametrize("index", [(1, 1), (2, 1), (2, 2)])
def test_different_levels_agree_with_quadrature(index):
    tree = ss.hierarchical([ss.relu, ss.erf], [1, 2])
    certified = numerics.eigenvalues(tree, SPACE, [index], 8)[0]
    x, y = Symbol("x"), Symbol("y")
    value = sympy.lambdify([x, y], tree([x, y]), "numpy")
    # Analytic in the angles.
    points, weights = numpy.polynomial.legendre.leggauss(40)
    angles = numpy.pi * (points + 1) / 2
    rows = [numpy.polynomial.legendre.legval(numpy.cos(angles), [0] * k + [1]) * numpy.sin(angles) * weights * numpy.pi / 4 for k in index]
    assert abs(float(certified) - rows[0] @ value(numpy.cos(angles)[:, None], numpy.cos(angles)[None, :]) @ rows[1]) < 1e-9


def test_polynomial_functions():
    """(t_1 + t_2)^2/4 of squares, written out."""
    tree = ss.hierarchical([[0, 0, 1], [0, 0, 1]], [1, 2])
    assert sympy.expand(tree([Symbol("x"), Symbol("y")]) - (Symbol("x") ** 2 + Symbol("y") ** 2) ** 2 / 4) == 0
    assert ss.eigenvalue(tree, SPACE, (2, 2)) == Rational(1, 2) * Rational(2, 15) ** 2
    assert numerics.eigenvalues(tree, SPACE, [(2, 1)])[0] == 0


def test_the_law_of_a_tree():
    """A kink above a smooth level, a smooth level above kinks, and a linear level, which makes no products."""
    top = ss.hierarchical([ss.erf, ss.relu], [1, 2])
    law = ss.cone_law(top, 3)
    assert law.strata == {frozenset({0, 1}): 7}
    assert law.is_checked({0})
    value = numerics.eigenvalues(top, SPACE, [(17, 17)], 4)[0]
    assert abs(float(value) / float(law.leading((17, 17))) - 1) < 0.06
    below = ss.cone_law(ss.hierarchical([ss.relu, ss.erf], [1, 2]), 3)
    assert (below.exponent({0}), below.exponent({0, 1}), below.is_checked({0, 1})) == (5, 10, True)
    with pytest.raises(DomainError, match="exactly 0"):
        ss.cone_law(ss.hierarchical([ss.relu, [0, 1]], [1, 2]), 3).exponent({0, 1})
    assert ss.cone_law(ss.hierarchical([ss.step, ss.erf], [2, 1]), 3).exponent({0, 1}) == 5


def test_names():
    assert ss.hierarchical([ss.relu, [0, "1/2", "1/2"]], [1, 2]).name == "hierarchical kernel (relu of 1, rho*(rho + 1)/2 of 2)"


def test_random_images():
    tree = ss.hierarchical([ss.relu, [0, "1/3", "2/3"]], [1, 2])
    records = gpu.gram_check(tree, SPACE, points=300, degrees=[(0, 0), (1, 0), (1, 1)], seed=6, backend="numpy")
    assert max(abs(record.z_score) for record in records) < 4
    other = ss.hierarchical([ss.relu, ss.relu], [1, 2])
    assert sympy.N((tree * other)([0, 1]) - tree([0, 1]) * other([0, 1]), 25, chop=True) == 0


def test_refusals():
    for functions, branching in (([ss.relu], [1, 2]), ("relu", [1]), ([], []), (ss.relu, [2])):
        with pytest.raises(InputError, match="branchings"):
            ss.hierarchical(functions, branching)
    with pytest.raises(InputError, match="branching"):
        ss.hierarchical([ss.relu], [0])
    with pytest.raises(InputError, match="degree 1 is -1"):
        ss.hierarchical([[0, -1]], [2])
    with pytest.raises(InputError, match="all coefficients are 0"):
        ss.hierarchical([[0, 0]], [2])
    with pytest.raises(InputError, match="above"):
        ss.hierarchical([ss.relu, ss.relu], [1000, 1000])
    with pytest.raises(InputError, match="not a formula"):
        ss.hierarchical([Symbol("rho")], [2])
