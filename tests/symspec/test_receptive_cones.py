"""The law along rays against certified eigenvalues, strata, and the effective receptive field."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational

import numerics
import symspec as ss
from symspec.errors import DomainError, InputError, NoClosedForm

NETWORKS = [
    (ss.cnn(ss.relu, 2, 2, 2), 3, (11, 10), 0.04),
    (ss.cnn(ss.absolute, 1, 2, 2, sigma_b2="1/2"), 3, (16, 15), 0.05),
    (ss.cnn(ss.relu, 1, 2, 2, "trace"), 3, (16, 16), 0.011),
    (ss.cnn(ss.relu, 1, 2, 2, "gap"), 3, (24, 0), 0.03),
    (ss.cnn(ss.rectified_monomial(2), 1, 2, 2), 3, (9, 8), 0.09),
    (ss.cnn(ss.step, 1, 2, 2, drop_deltas=True), 3, (17, 16), 0.003),
    (ss.cnn(ss.relu, 1, 2, 3, "trace"), 3, (14, 0, 16), 0.012),
    pytest.param(ss.cnn(ss.relu, 1, 2, 2), 3, (24, 22), 0.006, marks=pytest.mark.slow),
    pytest.param(ss.cnn(ss.leaky_relu(Rational(1, 3)), 1, 2, 2, sigma_w2=2), 4, (16, 14), 0.02, marks=pytest.mark.slow),
    pytest.param(ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise"), 3, (24, 24), 0.06, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("net", "channels", "index", "tolerance"), NETWORKS, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("part", ["ck", "ntk"])
def test_leading_term(net, channels, index, tolerance, part):
    kernel = getattr(net, part)
    law = ss.cone_law(kernel, channels)
    value = numerics.eigenvalues(kernel, ss.MultiSphere(channels, len(index)), [index], 4)[0]
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


def test_heads_are_means_over_their_positions():
    """The law of trace and of pooling is the mean of those of its outputs, each at the shifted multi-index."""
    one = ss.cone_law(ss.cnn(ss.relu, 2, 2, 3).ck, 3)
    index = (4, 6, 2)
    expected = sum(one.leading(index[shift:] + index[:shift]) for shift in range(3)) / 3
    for head in ("trace", "gap"):
        law = ss.cone_law(ss.cnn(ss.relu, 2, 2, 3, head).ck, 3)
        assert sympy.N(law.leading(index) / expected - 1, 30) < 1e-25
        assert law.exponent({0, 2}) == 7
        assert law.is_checked({0, 2})
    single = ss.cone_law(ss.cnn(ss.relu, 1, 2, 3, "trace").ck, 3)
    assert single.is_checked({0, 2})
    # Only the output at pixel 2 sees the pixels 2 and 0.
    assert sympy.simplify(single.leading((4, 0, 6)) * 3 / ss.cone_law(ss.cnn(ss.relu, 1, 2, 2).ck, 3).leading((4, 6))) == 1
    assert single.leading((2, 2, 2)) == 0
    with pytest.raises(DomainError, match="no output sees"):
        single.exponent({0, 1, 2})


@pytest.mark.parametrize(
    ("activation", "part", "order"),
    [(ss.rectified_monomial(2), "ck", 5), (ss.rectified_monomial(3), "ntk", 5), (ss.step, "ck", 1), (ss.elu, "ck", 5), (ss.activation("max(x-1,0)+x**2"), "ntk", 1)],
    ids=str,
)
def test_orders_of_kinks(activation, part, order):
    law = ss.cone_law(getattr(ss.cnn(activation, 1, 2, 2), part), 4)
    assert law.exponent({0, 1}) == law.exponent({0}) == 2 * 3 + order
    assert law.is_checked({0})


def test_reversals_of_even_activations():
    """Both pixels may be reversed by themselves below a pointwise layer, and only together below a filter that mixes them."""
    pointwise = ss.cone_law(ss.cnn(ss.absolute, 2, 2, 2, first_layer="pointwise").ck, 3)
    assert {(term.union, term.parts) for term in pointwise.terms} == {(frozenset(f), tuple(frozenset({i}) for i in f)) for f in ((0,), (1,), (0, 1))}
    assert pointwise.leading((3, 3)) == 0
    mixed = ss.cone_law(ss.cnn(ss.absolute, 2, 2, 2).ck, 3)
    assert {term.parts for term in mixed.terms} == {(frozenset({0, 1}),)}
    assert mixed.leading((3, 3)) > 0
    biased = ss.cone_law(ss.cnn(ss.absolute, 2, 2, 2, first_layer="pointwise", sigma_b2=1).ck, 3)
    assert {(term.parts, term.ends) for term in biased.terms} == {((), (1,))}
    assert biased.leading((3, 2)) > 0


def test_parts_of_the_tangent_kernel():
    """The tangent kernel is the sum of its parts, and so is its leading term; below the layer that is trained units have the order of values."""
    net = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")
    index = (8, 6)
    parts = [ss.cone_law(part, 3) for part in net.ntk_layers]
    assert sympy.N(sum(law.leading(index) for law in parts[:2]) / ss.cone_law(net.ntk, 3).leading(index) - 1, 30) < 1e-25
    assert [law.exponent({0}) for law in parts] == [3, 5, 5]
    assert [law.exponent({0, 1}) for law in parts] == [5, 5, 7]
    assert parts[2].leading(index) == ss.cone_law(net.ck, 3).leading(index)


def test_refusals():
    for activation, known in ((ss.erf, "exponentially"), (ss.tanh, "stretched"), (ss.polynomial(0, 1, 1), "polynomial")):
        with pytest.raises(NoClosedForm, match=known):
            ss.cone_law(ss.cnn(activation, 1, 2, 2).ck, 3)
    with pytest.raises(NoClosedForm, match="cones of cones"):
        ss.cone_law(ss.cnn(ss.step, 2, 2, 2).ck, 3)
    with pytest.raises(DomainError, match="infinite on the diagonal"):
        ss.cone_law(ss.cnn(ss.step, 1, 2, 2).ntk, 3)
    with pytest.raises(DomainError, match="circular padding"):
        ss.cone_law(ss.cnn(ss.relu, 1, 2, 2, "gap", padding="zero").ck, 3)
    with pytest.raises(InputError):
        ss.cone_law(ss.mlp(ss.relu, 1).ck, 3)
    law = ss.cone_law(ss.cnn(ss.relu, 1, 2, 2).ck, 3)
    with pytest.raises(InputError, match="3 entries"):
        law.leading((1, 0, 1))
    with pytest.raises(DomainError, match="needs a pixel"):
        law.leading((0, 0))
    with pytest.raises(InputError, match="pixels of a ray"):
        law.leading((2, 0), support={2})
    with pytest.raises(NoClosedForm, match="cancel"):
        ss.cone_law(ss.cnn(ss.activation("max(x,0)+max(x,0)**2"), 1, 2, 2).ck, 3).leading((2, 1))
