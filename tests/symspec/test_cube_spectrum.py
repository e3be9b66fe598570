"""Exact eigenvalues on the cube and under Gaussian inputs, Krawtchouk polynomials, homogeneity."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, prod

import pytest
import sympy
from sympy import Rational, Symbol, cosh, sinh

import numerics
import symspec as ss
from symspec import krawtchouk
from symspec.cube_spectrum import _finite_sum, exponential_terms
from symspec.gegenbauer import T
from symspec.homogeneity import homogeneity
from symspec.kernel import power, zonal_kernel
from symspec.spectrum import CLOSED_FORMS

D, K = Symbol("d", positive=True), Symbol("k", integer=True, nonnegative=True)


@pytest.mark.parametrize(("d", "k"), [(1, 0), (1, 1), (2, 1), (4, 0), (4, 3), (5, 2), (5, 5)])
def test_monomials_by_their_definition(d, k):
    """E[t^n x_1...x_k] over all points of the cube."""
    corners = list(product((-1, 1), repeat=d))
    for n in range(8):
        mean = Fraction(sum(Fraction(sum(x), d) ** n * prod(x[:k]) for x in corners), len(corners))
        assert krawtchouk.monomial_eigenvalue(d, n, k) == Rational(mean.numerator, mean.denominator)
        assert krawtchouk.monomial_eigenvalue(D, n, k).subs(D, d) == krawtchouk.monomial_eigenvalue(d, n, k)


@pytest.mark.parametrize(("d", "k", "n"), [(9, 3, 11), (6, 6, 10), (20, 0, 8)])
def test_monomials_are_coefficients_of_sinh_and_cosh(d, k, n):
    z = Symbol("z")
    coefficient = sympy.series(sinh(z) ** k * cosh(z) ** (d - k), z, 0, n + 2).removeO().coeff(z, n)
    assert krawtchouk.monomial_eigenvalue(d, n, k) == coefficient * sympy.factorial(n) / d**n


@pytest.mark.parametrize("domain", [ss.Sphere(2), ss.Sphere(7), ss.BooleanCube(6), ss.BooleanCube(1), ss.Gaussian(4)])
def test_what_a_domain_promises(domain):
    """Walk weights, zonal polynomials, monomials, multiplicities and linearisations of one domain agree with each other."""
    top = min(4, domain.highest_degree or 4)
    for k in range(top + 1):
        below, above = domain.times_t(k)
        assert (below + above, below >= 0, above >= 0) == (1, True, True)
        zonal = sympy.Poly(domain.zonal_polynomial(k), T)
        assert zonal.eval(1) == 1

        def mean(poly):
            return sympy.Add(*(c * domain.monomial_eigenvalue(n, 0) for (n,), c in poly.terms()))

        # Orthogonal, and of mean square 1/N_k.
        for j in range(top + 1):
            other = sympy.Poly(domain.zonal_polynomial(j), T)
            assert mean(zonal * other) == (Rational(1, domain.multiplicity(k)) if j == k else 0)
        for n in range(7):
            assert domain.monomial_eigenvalue(n, k) == mean(zonal * sympy.Poly(T**n, T))
        squares = domain.square_linearisation(k)
        assert sum(squares) == 1
        assert min(squares) >= 0
        assert len(squares) <= k + 1
        for j, c in enumerate(squares):
            if domain.highest_degree is None or 2 * j <= domain.highest_degree:
                exact = domain.multiplicity(2 * j) * mean(zonal * zonal * sympy.Poly(domain.zonal_polynomial(2 * j), T))
                assert exact == Rational(c.numerator, c.denominator)


@pytest.mark.parametrize("d", [1, 2, 5, 8])
def test_weights(d):
    for k in range(d + 1):
        assert krawtchouk.weights(d, k) == [sum((-1) ** j * comb(k, j) * comb(d - k, r - j) for j in range(k + 1) if 0 <= r - j <= d - k) for r in range(d + 1)]


@pytest.mark.parametrize("kernel", [ss.mlp(ss.relu, 1).ntk, ss.mlp(ss.relu, 2).ck, ss.mlp(ss.erf, 1, sigma_w2=2, sigma_b2="0.1").ck, ss.mlp(ss.step, 1).ck, ss.mlp(ss.cos, 1).ck])
@pytest.mark.parametrize("d", [1, 4, 7])
def test_finite_sums_against_certified_values(kernel, d):
    for k in range(d + 1):
        exact, ball = ss.eigenvalue(kernel, ss.BooleanCube(d), k), numerics.eigenvalues(kernel, ss.BooleanCube(d), k, 25)[0]
        assert (exact == 0) == (ball == 0)
        assert numerics.ball(exact).overlaps(ball)
    with pytest.raises(ss.DomainError, match="is above"):
        ss.eigenvalue(kernel, ss.BooleanCube(d), d + 1)


@pytest.mark.parametrize("sigma", [ss.exp, ss.sin, ss.cos])
@pytest.mark.parametrize("part", ["ck", "ntk"])
def test_exponential_kernels_in_a_symbolic_dimension(sigma, part):
    kernel = getattr(ss.mlp(sigma, 1), part)
    for k in range(5):
        general = ss.eigenvalue(kernel, ss.BooleanCube(D), k)
        assert numerics.ball(general.subs(D, 6)).overlaps(numerics.ball(_finite_sum(kernel, 6, k)))
    if part == "ck":
        assert sympy.N(ss.eigenvalue(kernel, ss.BooleanCube(D), K).subs({K: 3, D: 6}) - _finite_sum(kernel, 6, 3), 30, chop=True) == 0


def test_polynomial_kernels_in_a_symbolic_dimension():
    kernel = ss.mlp(ss.polynomial(1, 2, 3), 2).ntk
    for k in range(6):
        general = ss.eigenvalue(kernel, ss.BooleanCube(D), k)
        assert all(sympy.simplify(general.subs(D, d) - ss.eigenvalue(kernel, ss.BooleanCube(d), k)) == 0 for d in (5, 8))
    assert ss.eigenvalue(power(3), ss.BooleanCube(D), 3) == 6 / D**3


def test_exponential_terms_are_read_exactly():
    rho = Symbol("rho", real=True)
    assert exponential_terms(zonal_kernel(3 * rho**2 * sympy.exp(rho / 2 + 1) + 5)) == [(5, 0, 0), (3 * sympy.E, 2, Rational(1, 2))]
    for other in (sympy.exp(rho**2), sympy.exp(rho) / (2 - rho), sympy.sqrt(2 - rho) * sympy.exp(rho)):
        assert exponential_terms(zonal_kernel(other)) is None


def test_refusals():
    relu = ss.mlp(ss.relu, 1).ck
    for domain in (ss.BooleanCube(D), ss.BooleanCube(1000)):
        with pytest.raises(ss.NoClosedForm, match=r"numerics\.eigenvalues"):
            ss.eigenvalue(relu, domain, 2)
    with pytest.raises(ss.NoClosedForm):
        ss.eigenvalue(relu, ss.BooleanCube(5), K)
    with pytest.raises(ss.ExpressionTooLarge, match=r"numerics\.eigenvalues"):
        ss.eigenvalue(ss.mlp(ss.relu, 4).ntk, ss.BooleanCube(60), 2)
    with pytest.raises(ss.DomainError, match="infinite"):
        ss.eigenvalue(ss.mlp(ss.step, 1).ntk, ss.BooleanCube(5), 2)
    with pytest.raises(ss.DomainError, match="BooleanCube"):
        ss.eigenvalue(relu, "cube:5", 2)
    for call in (ss.decay, numerics.certify, lambda _, domain: ss.depth_law("relu", domain=domain)):
        with pytest.raises(ss.DomainError, match="degrees 0 to 5 only"):
            call(relu, ss.BooleanCube(5))
        with pytest.raises(ss.DomainError, match=r"those of Sphere\(5\)"):
            call(relu, ss.Gaussian(5))
    assert set(CLOSED_FORMS) == {ss.Sphere, ss.BooleanCube, ss.Gaussian}


@pytest.mark.parametrize("bad", [0, -1, 2.5, "two", None, True])
def test_dimensions(bad):
    with pytest.raises(ss.DomainError):
        ss.BooleanCube(bad)
    with pytest.raises(ss.DomainError):
        ss.Gaussian(bad)


def test_texts():
    for domain in (ss.BooleanCube(128), ss.Gaussian(50), ss.Sphere(3)):
        assert ss.parse_domain(str(domain)) == domain
    assert ss.BooleanCube(3) != ss.Sphere(3)
    with pytest.raises(ss.DomainError, match="numerical dimension"):
        ss.BooleanCube(D).multiplicity(1)


@pytest.mark.parametrize(
    ("network", "m"),
    [
        (ss.mlp(ss.relu, 5), 1),
        (ss.mlp(ss.leaky_relu("1/5"), 2, sigma_w2=3), 1),
        (ss.mlp(ss.rectified_monomial(3), 2), 9),
        (ss.mlp(ss.step, 3), 0),
        (ss.mlp(ss.monomial(2), 2), 4),
        (ss.mlp(ss.erf, 0), 1),
        (ss.mlp(ss.relu, 0, sigma_b2=1), None),
        (ss.resnet(ss.relu, 2, 1), 1),
        (ss.resnet(ss.rectified_monomial(2), 2, 1), None),
        (ss.mlp(ss.relu, 1, sigma_b2="0.1"), None),
        (ss.mlp(ss.activation("Max(x,0)+1"), 1), None),
        (ss.mlp(ss.gelu, 1), None),
    ],
)
def test_homogeneity(network, m):
    assert homogeneity(network.ck) == m
    assert homogeneity(network.ck * 2) == m


def test_gaussian_spectra():
    """E[(|x|^2/d)^m] times the sphere's, and for degree one the sphere's."""
    relu, square = ss.mlp(ss.relu, 2).ntk, ss.mlp(ss.rectified_monomial(2), 1).ck
    with_sphere = zip(numerics.eigenvalues(relu, ss.Gaussian(6), range(6), 25), numerics.eigenvalues(relu, ss.Sphere(6), range(6), 25), strict=True)
    assert all(a.overlaps(b) for a, b in with_sphere)
    for k in range(4):
        assert ss.eigenvalue(square, ss.Gaussian(6), k) == ss.eigenvalue(square, ss.Sphere(6), k) * Rational(6 * 8, 36)
        assert numerics.ball(ss.eigenvalue(square, ss.Gaussian(6), k)).overlaps(numerics.eigenvalues(square, ss.Gaussian(6), k, 25)[0])
    assert ss.Gaussian(D).radial_moment(2) == (D + 2) / D
    with pytest.raises(ss.DomainError, match="homogeneous"):
        ss.eigenvalue(zonal_kernel(Symbol("rho")), ss.Gaussian(6), 1)
    with pytest.raises(ss.ExpressionTooLarge, match="smaller depth"):
        numerics.eigenvalues(ss.mlp(ss.monomial(2), 14).ck, ss.Gaussian(6), 0)
