"""The law along rays against certified eigenvalues, strata, and the effective receptive field."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational

import numerics
import symspec as ss
from symspec.errors import DomainError, InputError, NoClosedForm
from symspec.receptive_cones import draw_field

NETWORKS = [
    (ss.cnn(ss.relu, 2, 2, 2), 3, (15, 14), 0.02),
    (ss.cnn(ss.absolute, 1, 2, 2, sigma_b2="1/2"), 3, (16, 15), 0.05),
    pytest.param(ss.cnn(ss.relu, 1, 2, 2), 3, (24, 22), 0.006, marks=pytest.mark.slow),
    pytest.param(ss.cnn(ss.leaky_relu(Rational(1, 3)), 1, 2, 2, sigma_w2=2), 4, (16, 14), 0.02, marks=pytest.mark.slow),
    pytest.param(ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise"), 3, (24, 24), 0.06, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("net", "channels", "index", "tolerance"), NETWORKS, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("part", ["ck", "ntk"])
def test_leading_term(net, channels, index, tolerance, part):
    kernel = getattr(net, part)
    law = ss.cone_law(kernel, channels)
    value = numerics.eigenvalues(kernel, ss.MultiSphere(channels, 2), [index], 4)[0]
    assert abs(float(value) / float(law.leading(index)) - 1) < tolerance


def test_the_published_constant():
    law = ss.cone_law(ss.cnn(ss.relu, 1, 2, 2).ck, 3)
    scaled = float(law.leading((40, 40)) * (2 * Rational(81, 2) ** 2) ** Rational(7, 2))
    assert abs(scaled - 0.8440) < 5e-5
    assert law.leading((3, 2)) == 0


def test_strata():
    law = ss.cone_law(ss.cnn(ss.relu, 2, 2, 3).ck, 3)
    assert law.strata == {frozenset({0, 1}): 7, frozenset({1, 2}): 7, frozenset({0, 1, 2}): 9}
    assert law.exponent({0}) == 7
    assert law.exponent({0, 2}) == 9
    tangent = ss.cone_law(ss.cnn(ss.relu, 2, 2, 3, first_layer="pointwise").ntk, 4)
    assert tangent.exponent({1}) == 4
    with pytest.raises(DomainError, match="outside"):
        law.exponent({5})


def test_effective_receptive_field(tmp_path):
    net = ss.cnn(ss.relu, 3, 3, 16)
    field = ss.effective_receptive_field(net)
    assert field.paths[:5] == (7, 6, 3, 1, 0)
    assert field.gradient == tuple(Rational(count, 27) for count in field.paths)
    assert sum(field.gradient) == 1
    t = sympy.Symbol("t", real=True)
    small = ss.cnn(ss.erf, 2, 2, 3, sigma_b2=1)
    for pixel, share in enumerate(ss.effective_receptive_field(small).gradient):
        slope = sympy.diff(small.ck([t if i == pixel else 1 for i in range(3)]), t).subs(t, 1)
        assert abs(sympy.N(slope - share, 20)) < 1e-15
    assert ss.effective_receptive_field(small).cost == (None,) * 3
    assert ss.effective_receptive_field(ss.cnn(ss.relu, 2, 2, 4, first_layer="pointwise")).cost == (5, 5, None, None)
    for number, shape in enumerate((16, (6, 6))):
        draw_field(ss.effective_receptive_field(ss.cnn(ss.relu, 2, 3, shape)), tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").stat().st_size > 5000


def test_refusals():
    with pytest.raises(NoClosedForm, match="relu"):
        ss.cone_law(ss.cnn(ss.erf, 1, 2, 2).ck, 3)
    with pytest.raises(InputError, match="head eq"):
        ss.cone_law(ss.cnn(ss.relu, 1, 2, 2, "trace").ck, 3)
    with pytest.raises(InputError):
        ss.cone_law(ss.mlp(ss.relu, 1).ck, 3)
    with pytest.raises(InputError):
        ss.cone_law(ss.cnn(ss.relu, 1, 2, 2).ck, 3).leading((1, 0))
    with pytest.raises(InputError, match="one output"):
        ss.effective_receptive_field(ss.cnn(ss.relu, 1, 2, 2, "gap"))
