"""Signs of Hermite coefficients at many variances, by quadrature, and what is refused."""

from __future__ import annotations

import math

import numpy
import pytest
import sympy
from numpy.polynomial.hermite_e import hermeval

import symspec as ss
from symspec.hermite_signs import keeps_signs
from symspec.terms import X

KEPT = [
    ss.erf,
    ss.gelu,
    ss.tanh,
    ss.sigmoid,
    ss.silu,
    ss.softplus,
    ss.sin,
    ss.cos,
    ss.exp,
    ss.gaussian,
    ss.relu,
    ss.activation("max(x,0)+max(x,0)**2"),
    ss.activation("x+x**2+3*x**3"),
    ss.activation("cosh(x)"),
    ss.activation("x*exp(-x**2)"),
    ss.activation("exp(-x**2)*cos(3*x)"),
    ss.activation("atan(2*x)-3"),
    ss.activation("x*atan(x)"),
    ss.activation("sech(x)"),
]
REFUSED = [ss.hermite(2), ss.elu, ss.mish, ss.activation("x**2*exp(-x**2)"), ss.activation("x-erf(2*x)"), ss.activation("max(x-1,0)"), ss.activation("cos(x)-exp(-x**2)"), ss.activation("tanh(x+1)")]


def coefficients(activation, q, top):
    """a_n(q), by Gauss rules on both sides of 0 in double precision."""
    names = {"softplus": lambda x: numpy.logaddexp(0, x), "Heaviside": lambda x: (x > 0) * 1.0, "erf": numpy.vectorize(math.erf), "sech": lambda x: 1 / numpy.cosh(x)}
    form = activation.form
    expr = sum((term.as_expr() for term in form.terms), sympy.S.Zero) if hasattr(form, "terms") else form.expr
    expr = expr.replace(sympy.Heaviside, lambda x, *_: sympy.Function("Heaviside")(x))
    nodes, weights = numpy.polynomial.legendre.leggauss(400)
    z, w = numpy.concatenate([6 * nodes - 6, 6 * nodes + 6]), numpy.concatenate([6 * weights, 6 * weights])
    values = numpy.broadcast_to(sympy.lambdify(X, expr, [names, "numpy"])(math.sqrt(q) * z), z.shape) * numpy.exp(-z * z / 2) / math.sqrt(2 * math.pi) * w
    return [float((values * hermeval(z, numpy.eye(top)[n])).sum()) / math.sqrt(math.factorial(n)) for n in range(top)]


@pytest.mark.parametrize("activation", KEPT, ids=str)
def test_kept(activation):
    assert keeps_signs(activation.form)
    tables = [coefficients(activation, q, 9) for q in (0.05, 1, 9)]
    for values in zip(*tables, strict=True):
        assert len({value > 0 for value in values if abs(value) > 1e-9 * max(map(abs, tables[2]))}) <= 1


@pytest.mark.parametrize("activation", REFUSED, ids=str)
def test_refused(activation):
    assert not keeps_signs(activation.form)


def test_a_sign_that_changes():
    """The refusal of x^2 exp(-x^2) is no lack of rules: its second coefficient changes its sign."""
    small, large = (coefficients(REFUSED[3], q, 3)[2] for q in (0.05, 30))
    assert small * large < 0
