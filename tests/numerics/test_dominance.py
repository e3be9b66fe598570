"""Which layer dominates: decisions against coefficients and eigenvalues computed otherwise."""

from __future__ import annotations

import pytest
import sympy
from flint import arb

import numerics
import symspec as ss
from numerics import dominance, power_series
from numerics.precision import working_precision
from symspec.errors import InputError, Undecided
from symspec.program import RHO


def differences(first, second, terms):
    with working_precision(1200):
        a, b = (power_series.coefficients(kernel, terms, arb(1)) for kernel in (first, second))
        return [x - y for x, y in zip(a, b, strict=True)]


CASES = [
    (ss.mlp(ss.relu, 2), 1),
    pytest.param(ss.mlp(ss.relu, 3), 2, marks=pytest.mark.slow),
    pytest.param(ss.mlp(ss.leaky_relu("1/5"), 2), 1, marks=pytest.mark.slow),
    (ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2="1/10"), 1),
    pytest.param(ss.mlp(ss.absolute, 2), 1, marks=pytest.mark.slow),
    pytest.param(ss.resnet(ss.relu, 2, 1), 2, marks=pytest.mark.slow),
    (ss.mlp(ss.gelu, 2), 1),
    (ss.mlp(ss.gaussian, 2), 1),
    pytest.param(ss.mlp(ss.gelu, 3), 2, marks=pytest.mark.slow),
    pytest.param(ss.mlp(ss.activation("erf(x) + 1"), 3), 1, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("network", "layer"), CASES)
def test_signs_of_the_first_300_coefficients(network, layer):
    found = numerics.layer_domination(network, layer)
    values = differences(found.first, found.second, 300)
    assert [n for n, value in enumerate(values) if value < 0] == list(found.negative)
    assert found.holds_from == max(found.negative) + 1
    assert found.cut < 300


def test_relu_layers_by_depth():
    """Early layers dominate from degree 2 on at the latest, in every dimension."""
    for depth in (1, 2):
        network = ss.mlp(ss.relu, depth)
        assert [numerics.layer_domination(network, layer).holds_from for layer in range(1, depth + 1)] == [*([2] if depth > 1 else []), *[1] * (depth - (depth > 1))]


@pytest.mark.parametrize("domain", [ss.Sphere(2), ss.Sphere(3), ss.Sphere(20), ss.BooleanCube(7)])
def test_on_a_domain(domain):
    network = ss.mlp(ss.relu, 2)
    start = numerics.layer_domination(network, 1).on(domain)
    a, b = (numerics.eigenvalues(part, domain, range(7), 12) for part in network.ntk_layers[:2])
    assert all(x >= y for x, y in zip(a[start:], b[start:], strict=True))
    assert start == 0 or a[start - 1] < b[start - 1]


def test_odd_activations_need_no_number():
    found = numerics.layer_domination(ss.mlp(ss.erf, 3), 2)
    assert (found.holds_from, found.negative, found.law) == (0, (), None)
    assert found.on(ss.Sphere(5)) == 0


def test_the_last_pair_of_any_activation():
    assert numerics.layer_domination(ss.mlp(ss.gelu, 2), 2).holds_from == 1
    network = ss.mlp(ss.cos, 3)
    with pytest.raises(Undecided, match="entire"):
        numerics.domination(network.ntk_layers[0], network.ck)


def test_the_reverse_order_fails_everywhere():
    parts = ss.mlp(ss.relu, 2).ntk_layers
    found = numerics.domination(parts[1], parts[0])
    assert found.holds_from is None
    assert found.tail == (-1, -1)
    with pytest.raises(Undecided):
        found.on(ss.Sphere(3))
    assert "does not dominate" in str(found)


def test_a_fault_is_caught(monkeypatch):
    """A remainder bound of half the leading block or more leaves the sign open."""
    parts = ss.mlp(ss.relu, 2).ntk_layers
    real = dominance.taylor_law

    def loose(kernel, m):
        law = real(kernel, m)
        return type(law)(law.m, law.near, law.far, arb(10) ** 30)

    monkeypatch.setattr(dominance, "taylor_law", loose)
    with pytest.raises(Undecided, match="not settled"):
        numerics.domination(*parts[:2])


def test_statement_and_errors():
    found = numerics.layer_domination(ss.mlp(ss.relu, 1), 1)
    assert r"\mu_k\ge\mu_k'" in found.statement()
    with pytest.raises(InputError, match="no layer after"):
        numerics.layer_domination(ss.mlp(ss.relu, 1), 2)
    rho = ss.program.RHO
    with pytest.raises(InputError, match="non-negative"):
        numerics.domination(ss.zonal_kernel(rho), ss.mlp(ss.relu, 1).ck)


@pytest.mark.parametrize("text", ["polynomial(1, 2, 1)", "polynomial(1, 0, 2, 1)", "polynomial(1, 1, 0, 1/2)"])
@pytest.mark.parametrize("options", [{}, {"sigma_w2": 1, "sigma_b2": "1/3"}])
def test_polynomial_layers(text, options):
    """Against the exact coefficients of the expanded polynomials."""
    network = ss.mlp(ss.activation(text), 2, **options)
    first, second = network.ntk_layers[:2]
    exact = sympy.Poly(sympy.expand(first(RHO) - second(RHO)), RHO)
    signs = [exact.coeff_monomial(RHO**n) for n in range(exact.degree() + 1)]
    found = numerics.layer_domination(network, 1)
    assert list(found.negative) == [n for n, value in enumerate(signs) if value < 0]
    assert found.holds_from == max(found.negative, default=-1) + 1
    assert found.tail == (0, 0)


def test_equal_polynomials_are_told_so():
    kernel = ss.mlp(ss.activation("polynomial(1, 1, 1)"), 2).ntk
    found = numerics.domination(kernel, kernel)
    assert (found.holds_from, found.negative) == (0, ())
    other = numerics.domination(ss.mlp(ss.activation("polynomial(0, 1, 1)"), 1).ck, ss.mlp(ss.activation("polynomial(0, 1, 1)"), 1).ntk)
    assert other.holds_from == 3
