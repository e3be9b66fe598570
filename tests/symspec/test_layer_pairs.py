"""The difference of consecutive layers, and the limits of the shares."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational, pi, sqrt

import symspec as ss
from symspec.errors import InputError, NoClosedForm
from symspec.layer_pairs import Z
from symspec.program import RHO


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_relu_has_the_published_form(depth):
    network = ss.mlp(ss.relu, depth)
    for layer in range(1, depth + 1):
        found = ss.layer_difference(network, layer)
        assert sympy.simplify(found.defect + sqrt(1 - Z**2) / pi) == 0
        assert found.nonnegative_from == (1 if layer == depth else None)


@pytest.mark.parametrize("network", [ss.mlp(ss.relu, 2), ss.mlp(ss.gelu, 2), ss.mlp(ss.erf, 2), ss.mlp(ss.leaky_relu("1/3"), 2)])
def test_the_difference_at_a_point(network):
    """The last pair has no product: the parts' difference is the defect at Sigma."""
    at = Rational(1, 3)
    parts = network.ntk_layers
    before = ss.mlp(network.activation, network.depth - 1).ck(at)
    left = (parts[-2](at) - parts[-1](at)).evalf(30)
    right = ss.layer_difference(network, network.depth).defect.subs(Z, before).evalf(30)
    assert abs(left - right) < 1e-25


def test_ntk_parametrisation():
    network = ss.mlp(ss.relu, 1, sigma_w2=2, sigma_b2="1/10")
    found = ss.layer_difference(network, 1)
    parts, q = network.ntk_layers, sympy.Rational(21, 10)
    value = found.defect.subs(sympy.Symbol("q", positive=True), q).subs(Z, 2 * RHO + Rational(1, 10)).subs(RHO, Rational(1, 4))
    assert abs((parts[0](Rational(1, 4)) - parts[1](Rational(1, 4)) - value).evalf(30)) < 1e-25
    assert not found.centred


def test_centred_activations():
    assert ss.layer_difference(ss.mlp(ss.sin, 3), 1).nonnegative_from == 0
    centred = ss.activation("Max(x,0) - 1/sqrt(2*pi)")
    assert ss.layer_difference(ss.mlp(centred, 3), 1).nonnegative_from == 0
    assert ss.layer_difference(ss.mlp(ss.sin, 3, sigma_w2=1, sigma_b2=1), 1).nonnegative_from is None


def test_limits_of_shares():
    assert ss.limit_shares(ss.mlp(ss.relu, 2), ss.Sphere(7)) == {"even": (Rational(5, 7), Rational(2, 7), 0), "odd": (Rational(3, 5), Rational(2, 5), 0)}
    assert ss.limit_shares(ss.mlp(ss.relu, 1), ss.Sphere(3)) == {"even": (1, 0), "odd": None}
    deep = ss.limit_shares(ss.mlp(ss.relu, 4), ss.Sphere(3))
    assert all(sympy.simplify(sum(values) - 1) == 0 for values in deep.values())


def test_errors():
    with pytest.raises(InputError, match="fully connected"):
        ss.layer_difference(ss.resnet(ss.relu, 2, 1), 1)
    with pytest.raises(InputError, match="no layer after"):
        ss.layer_difference(ss.mlp(ss.relu, 2), 3)
    with pytest.raises(NoClosedForm, match="power law"):
        ss.limit_shares(ss.mlp(ss.gelu, 1), ss.Sphere(3))
    with pytest.raises(InputError, match="network"):
        ss.limit_shares(ss.mlp(ss.relu, 1).ntk, ss.Sphere(3))
