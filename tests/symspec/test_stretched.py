"""Stretched exponential laws: heights of singularities, slopes of layers, and what is said of their proof."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational, oo, pi

import symspec as ss
from symspec import errors
from symspec.stretched import singular_height

HEIGHTS = {
    "tanh(x)": pi / 2,
    "sigmoid(x)": pi,
    "softplus(x)": pi,
    "silu(x)": pi,
    "mish(x)": 3 * pi / 4,
    "tanh(x)**2": pi / 2,
    "x*tanh(2*x - 1)": pi / 4,
    "sech(x)*sin(x)": pi / 2,
    "atan(x)*(1 + x**2)": 1,
    "sqrt(1 + x**2)": 1,
    "tanh(x) + tanh(3*x)/2 + softplus(2*x)": pi / 6,
    "tanh(softplus(2*x))": 3 * pi / 8,
}


@pytest.mark.parametrize("text", HEIGHTS)
def test_heights_of_singularities(text):
    found = singular_height(ss.activation(text).form.base)
    assert found.is_exact
    assert sympy.simplify(found.value - HEIGHTS[text]) == 0


@pytest.mark.parametrize("text", ["(x**2 + pi**2/4)*tanh(x)", "1/(1 + x**2) + x**2/(1 + x**2)", "exp(softplus(x))*tanh(x/9)", "tanh(tanh(x))"])
def test_a_singularity_that_may_be_removable_is_not_claimed(text):
    assert not singular_height(ss.activation(text).form.base).is_exact
    law = ss.decay(ss.mlp(text, 1).ck, ss.Sphere(3))
    assert not law.stretch.attained
    assert "<=" in law.summary()
    assert r"\le" in law.statement()


def test_depth_one_is_proved_with_exact_constants():
    law = ss.decay(ss.mlp("tanh", 1).ntk, ss.Sphere(3))
    assert (law.kind, law.stretch.status, law.stretch_constant) == ("stretched", "proved", Rational(3, 2) * pi ** Rational(2, 3))
    scaled = ss.decay(ss.mlp("tanh", 1, sigma_w2=4, sigma_b2=0).ck, ss.Sphere(3))
    assert sympy.simplify(scaled.stretch_constant - Rational(3, 2) * (pi / 2) ** Rational(2, 3)) == 0
    for text in (law.statement(), law.proof()):
        assert text.count("{") == text.count("}")
    with pytest.raises(errors.NoClosedForm, match="power law"):
        _ = law.exponent
    with pytest.raises(errors.NoClosedForm, match="stretched"):
        _ = ss.decay(ss.mlp("relu", 1).ck, ss.Sphere(3)).stretch_constant


def test_what_is_not_proved_is_not_said_to_be():
    for kernel in (ss.mlp("tanh", 2).ck, ss.mlp("tanh", 1, sigma_w2=2, sigma_b2=1).ck, ss.mlp("mish", 1).ck, ss.resnet("tanh", 2, 1).ntk):
        law = ss.decay(kernel, ss.Sphere(4))
        assert law.stretch.status == "derived"
        assert "not a complete proof" in law.statement()
    assert len(ss.decay(ss.mlp("tanh", 4).ck, ss.Sphere(4)).stretch.slopes) == 4


def test_entire_activations_decay_faster():
    law = ss.decay(ss.mlp("erf(x)**2", 1).ck, ss.Sphere(3))
    assert law.stretch_constant == oo
    assert "infinity" in law.summary()


def test_expansion_at_the_diagonal_has_moments_as_coefficients():
    item = ss.expansion(ss.mlp("tanh", 1).ck, 1, 6)
    first = ss.tanh.dual_object.diagonal(sympy.S.One)
    assert sympy.simplify(item.coefficient(2) * first + 2 * ss.tanh.derivative.dual(1)) == 0
    assert item.singular() == []
