"""Sums of products of one-pixel kernels: exact and certified spectra against each other and against quadrature in the plane."""

from __future__ import annotations

import itertools

import numpy
import pytest
import sympy
from sympy import Rational, Symbol

import gpu
import numerics
import symspec as ss
from gpu.image_gram import image_points
from symspec.errors import DomainError, ExpressionTooLarge, InputError, NoClosedForm
from symspec.kernel import power

CK, NTK = ss.mlp(ss.relu, 1).ck, ss.mlp(ss.relu, 1).ntk
SPACE = ss.MultiSphere(3, 2)
SUM = ss.factorizable([CK, NTK]) * Rational(1, 3) + ss.one_pixel(NTK, 1, 2) * ss.one_pixel(CK, 1, 2) + ss.factorizable([CK, CK])


def by_quadrature(kernel, index):
    """On spheres in R^3 the density of each t_i is 1/2; in the angles these kernels are analytic."""
    t = [Symbol("t_1"), Symbol("t_2")]
    value = sympy.lambdify(t, kernel(t), "numpy")
    points, weights = numpy.polynomial.legendre.leggauss(40)
    angles = numpy.pi * (points + 1) / 2
    rows = [numpy.polynomial.legendre.legval(numpy.cos(angles), [0] * k + [1]) * numpy.sin(angles) * weights * numpy.pi / 4 for k in index]
    return rows[0] @ value(numpy.cos(angles)[:, None], numpy.cos(angles)[None, :]) @ rows[1]


@pytest.mark.parametrize("index", [(1, 1), (2, 1)])
def test_eigenvalues_agree_with_quadrature(index):
    certified = numerics.eigenvalues(SUM, SPACE, [index], 20)[0]
    assert certified.rad() < 1e-19
    assert abs(float(certified) - by_quadrature(SUM, index)) < 1e-12


def test_exact_eigenvalues_lie_in_the_certified_balls():
    kernel = ss.factorizable([CK, NTK]) + ss.factorizable([NTK, None])
    for index in itertools.product(range(5), repeat=2):
        exact = ss.eigenvalue(kernel, SPACE, index)
        certified = numerics.eigenvalues(kernel, SPACE, [index], 25)[0]
        assert certified.overlaps(numerics.ball(exact))
        assert (exact == 0) == (certified == 0)
    assert ss.eigenvalue(kernel, SPACE, (3, 1)) == 0


def test_symbolic_degrees():
    k, l = sympy.symbols("k l", integer=True, positive=True)
    formula = ss.eigenvalue(ss.factorizable([CK, NTK]), SPACE, (k, l))
    assert sympy.simplify(formula.subs({k: 4, l: 6}) - ss.eigenvalue(ss.factorizable([CK, NTK]), SPACE, (4, 6))) == 0
    with pytest.raises(InputError, match="takes a number"):
        ss.eigenvalue(ss.factorizable([CK, None]), SPACE, (k, l))


def test_the_variances_add_up():
    """The sum of multiplicity times eigenvalue is K(1, 1)."""
    kernel = ss.average([ss.one_pixel(power(2), pixel, 2) for pixel in (0, 1)]).composed([0, 0, 1])
    total = sum(SPACE.multiplicity(index) * ss.eigenvalue(kernel, SPACE, index) for index in itertools.product(range(5), repeat=2))
    assert total == kernel([1, 1]) == 1


def test_polynomials_of_kernels():
    x = ss.average([ss.one_pixel(CK, pixel, 2) for pixel in (0, 1)])
    t = [Rational(1, 2), Rational(-1, 3)]
    composed = x.composed([1, 0, "1/2"])
    assert sympy.simplify(composed(t) - 1 - x(t) ** 2 / 2) == 0
    tree = ss.hierarchical([ss.relu, [0, 0, 1]], [1, 2])
    for index in ((2, 1), (4, 4), (3, 2)):
        assert numerics.eigenvalues(x.composed(power(2)), SPACE, [index], 15)[0].overlaps(numerics.eigenvalues(tree, SPACE, [index], 8)[0])


def test_equal_products_are_added_up():
    assert ss.factorizable([CK, NTK]) + ss.factorizable([CK, NTK]) == 2 * ss.factorizable([CK, NTK])
    assert (ss.one_pixel(CK, 0, 2) * ss.one_pixel(NTK, 1, 2)).terms == ss.factorizable([CK, NTK]).terms


def test_values_and_random_images():
    t = [Rational(1, 2), Rational(-1, 3)]
    value = numerics.evaluate(SUM, t, 25)
    assert value.overlaps(numerics.ball(SUM(t)))
    assert value.overlaps(numerics.evaluate(SUM, [[t[0], 0], [0, t[1]]], 25))
    images = image_points(5, SPACE, seed=4)
    expected = numerics.evaluate(SUM, [float((images[0, i] * images[3, i]).sum()) for i in (0, 1)], 15)
    assert abs(gpu.gram(SUM, images, backend="numpy")[0, 3] - float(expected)) < 1e-13
    records = gpu.gram_check(SUM, SPACE, points=300, degrees=[(0, 0), (1, 1)], seed=5, backend="numpy")
    assert max(abs(record.z_score) for record in records) < 4
    assert all(record.exact_error for record in records)


def test_latex():
    text = SUM.latex()
    assert r"\frac{1}{3}\,\kappa_{1}(t_{0})\,\kappa_{2}(t_{1})" in text
    assert text.count("&=") == 4


def test_refusals():
    step = ss.factorizable([ss.mlp(ss.step, 1).ntk, CK])
    with pytest.raises(DomainError, match="infinite on the diagonal"):
        numerics.eigenvalues(step, SPACE, [(0, 0)])
    with pytest.raises(DomainError, match="MultiSphere"):
        numerics.eigenvalues(SUM, ss.Sphere(3), [1])
    with pytest.raises(DomainError, match="2 pixels"):
        ss.eigenvalue(SUM, ss.MultiSphere(3, 3), (0, 0, 0))
    for wrong in ([], [CK, 1], "relu", CK):
        with pytest.raises(InputError, match="one a pixel"):
            ss.factorizable(wrong)
    with pytest.raises(InputError, match="0 to 1"):
        ss.one_pixel(CK, 2, 2)
    with pytest.raises(InputError, match="same pixels"):
        SUM + ss.one_pixel(CK, 0, 3)
    with pytest.raises(InputError, match="positive number"):
        SUM * -1
    with pytest.raises(InputError, match="list"):
        ss.average([CK])
    with pytest.raises(NoClosedForm, match="hierarchical"):
        SUM.composed(CK)
    with pytest.raises(InputError, match="below 0"):
        SUM.composed([0, -1])
    with pytest.raises(InputError, match="is 0"):
        SUM.composed([0])
    with pytest.raises(ExpressionTooLarge):
        ss.average([ss.one_pixel(CK, pixel, 30) for pixel in range(30)]).composed(power(12))
    with pytest.raises(InputError, match="shape"):
        SUM([1, 0, 0])
    with pytest.raises(NoClosedForm):
        ss.eigenvalue(ss.factorizable([ss.mlp(ss.relu, 2).ck]), ss.MultiSphere(3, 1), (2,))
