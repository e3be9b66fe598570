from __future__ import annotations

import pytest
import sympy
from hypothesis import given, settings, strategies as st
from sympy import Rational, S

from symspec.errors import NoClosedForm
from symspec.form import Form, constant, step, variable
from symspec.piecewise import absolute, heaviside, maximum, minimum, sign

x = variable()
small = st.fractions(min_value=-3, max_value=3, max_denominator=6).map(lambda f: Rational(f.numerator, f.denominator))


def _value(form: Form, at: sympy.Expr) -> sympy.Expr:
    return sympy.expand(form.as_expr().subs(sympy.Symbol("x", real=True), at))


@st.composite
def pieces(draw) -> Form:
    form = Form()
    for power in range(draw(st.integers(1, 3))):
        form = form + (x**power).scaled(draw(small)) + (x**power * step(draw(small))).scaled(draw(small))
    return form


@settings(max_examples=40, deadline=None)
@given(pieces(), pieces(), small)
def test_comparisons_are_pointwise(f, g, shift):
    at = shift + Rational(1, 7919)  # on no breakpoint: those have denominators up to 6, roots are rational or irrational
    u, v = _value(f, at), _value(g, at)
    if u == 0 or u == v:
        return
    assert _value(absolute(f), at) == abs(u)
    assert _value(sign(f), at) == sympy.sign(u)
    assert _value(maximum(f, g), at) == sympy.Max(u, v)
    assert _value(minimum(f, g), at) == sympy.Min(u, v)
    assert _value(heaviside(f), at) == (S.One if u > 0 else S.Zero)


@settings(max_examples=30, deadline=None)
@given(pieces())
def test_the_identities_of_forms_hold_as_forms(f):
    assert absolute(f) == absolute(-f)
    assert maximum(f, -f) == absolute(f)
    assert maximum(f, constant(0)) - maximum(-f, constant(0)) == f
    assert maximum(f, f) == f


def test_algebraic_breakpoints_are_exact():
    form = maximum(x**3 - x - constant(1), constant(0))
    (b,) = form.breakpoints
    assert sympy.expand(sympy.minimal_polynomial(b, sympy.Symbol("t"))) == sympy.sympify("t**3 - t - 1")
    assert heaviside(x * x - constant(2)).breakpoints == (-sympy.sqrt(2), sympy.sqrt(2))


def test_double_roots_change_no_sign():
    assert heaviside(x * x) == constant(1)
    assert absolute(x * x) == x * x
    assert sign(constant(0)) == constant(0)


def test_huge_constants_are_compared():
    edge = sympy.exp(1000)
    assert maximum(x - constant(edge), constant(0)).breakpoints == (edge,)


def test_what_cannot_be_compared_says_so():
    from symspec.parser import parse

    for text in ("sin(x)", "erf(x)", "exp(x) - 1", "pi*x**3 - 1", "x**30 - x - 1"):
        with pytest.raises(NoClosedForm):
            heaviside(parse(text))
