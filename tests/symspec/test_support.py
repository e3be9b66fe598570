from __future__ import annotations

import math

import pytest

from symspec.activations import activation, monomial, relu
from symspec.network import mlp
from symspec.support import INFINITE, Support, support_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("relu", Support(INFINITE, 1)),
        ("abs(x)", Support(INFINITE, -1)),
        ("erf(x)", Support(-1, INFINITE)),
        ("x*Phi(x)", Support(INFINITE, 1)),
        ("x**3 - 3*x", Support(-1, 3)),
        ("x**4 + x", Support(4, 1)),
        ("x**2*Heaviside(x)", Support(2, INFINITE)),
        ("step(x)", Support(0, INFINITE)),
        ("relu(x) - relu(-x)", Support(-1, 1)),
        ("Max(x,0) - Max(x-1,0)", Support(INFINITE, INFINITE)),
        ("0*x", Support()),
        ("x*exp(-x**2)", Support(-1, INFINITE)),
        ("cos(x)", Support(INFINITE, -1)),
        ("sin(x+pi/2)", Support(INFINITE, -1)),
    ],
)
def test_supports_of_activations(text, expected):
    assert activation(text).support == expected == support_of(activation(text).form)


@pytest.mark.parametrize("text", ["relu", "abs(x)", "erf(x)", "x*Phi(x)", "x**3 - 3*x", "x**2*Heaviside(x)", "x*exp(-x**2)", "exp(x)", "leaky_relu(1/3)"])
def test_supports_agree_with_the_coefficients(text):
    sigma = activation(text)
    for degree in range(12):
        vanishes = sigma.hermite_coefficient(degree) == 0
        above = degree > (sigma.support.odd if degree % 2 else sigma.support.even)
        assert not above or vanishes
        if degree == (sigma.support.odd if degree % 2 else sigma.support.even):
            assert not vanishes


def _reach(supports: Support, limit: int) -> set[int]:
    """Degrees up to limit that a generic non-negative series with full support below its reach has."""
    return {n for n in range(limit + 1) if n <= (supports.odd if n % 2 else supports.even)}


@pytest.mark.parametrize(("outer", "inner"), [((2, -1), (-1, 3)), ((-1, 3), (2, 1)), ((4, 1), (-1, 1)), ((-1, 1), (0, 3)), ((2, 3), (2, -1))])
def test_products_and_compositions_of_finite_supports(outer, inner):
    f, g = Support(*outer), Support(*inner)
    powers = {0: {0}}
    for n in range(1, 8):
        powers[n] = {a + b for a in powers[n - 1] for b in _reach(g, 3)}
    composed = set().union(*(powers[n] for n in _reach(f, 7)))
    product = {a + b for a in _reach(f, 7) for b in _reach(g, 7)}
    for found, wanted in ((f.compose(g), composed), (f * g, product)):
        assert found.even == max((n for n in wanted if n % 2 == 0), default=-1)
        assert found.odd == max((n for n in wanted if n % 2), default=-1)


def test_zeros_of_relu_kernels():
    one, two = mlp(relu, 1), mlp(relu, 2)
    assert [k for k in range(9) if one.ck.support.vanishes_at(k)] == [3, 5, 7]
    assert [k for k in range(9) if one.ntk.support.vanishes_at(k)] == [3, 5, 7]
    assert [k for k in range(9) if two.ck.support.vanishes_at(k)] == []
    assert [k for k in range(9) if mlp(relu, 1, sigma_w2=2, sigma_b2=1).ntk.support.vanishes_at(k)] == []
    assert mlp(monomial(3), 2).ck.support == Support(-1, 9)
    assert math.isinf(two.ck.support.degree)
