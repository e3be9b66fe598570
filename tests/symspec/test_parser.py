"""The safe reader: what it reads, what it refuses, and that nothing else ever comes out of it."""

from __future__ import annotations

import signal

import mpmath
import pytest
import sympy
from hypothesis import given, settings, strategies as st
from sympy import Rational

from symspec import errors
from symspec.activations import activation, elu, gaussian, gelu, hermite, leaky_relu, relu
from symspec.form import constant, variable
from symspec.parser import parse

from .random_activations import expressions

HOSTILE = [
    "",
    "   ",
    "(",
    ")",
    "x x",
    "2x",
    "x(2)",
    "pi(2)",
    "x +",
    "* x",
    "x ** ",
    "x,x",
    "Max(x)",
    "Max()",
    "sin(x, x)",
    "__import__('os').system('id')",
    "x.__class__",
    "().__class__.__bases__[0]",
    "lambda: 0",
    "exec(x)",
    "eval(x)",
    "open(x)",
    "globals()",
    "x; import os",
    "x = 3",
    "[x]",
    "{x}",
    "'x'",
    '"x"',
    "x if x else x",
    "x\0",
    "½*x",
    "x²",
    "٣*x",
    "é",
    "inf",
    "nan*x",
    "oo",
    "I*x",
    "1.5.2",
    "..",
    "1e",
    "1e9999",
    "9" * 300,
    "(" * 100 + "x" + ")" * 100,
    "x" + "**1" * 300,
    "x" * 3000,
    "sin(" * 80 + "x" + ")" * 80,
    "x/0",
    "0/0",
    "0**0",
    "0**-1",
    "(-1)**(1/2)",
    "sqrt(-1)",
    "x**1000000000",
    "x**99999999999999999999999",
    "10**(10**10)",
    "((9**1000)**1000)**1000",
    "1e999**1000",
    "*".join(["1e999"] * 300),
    "(x + 1e999)**256",
    "(pi + E + 1)**1000*x",
    "(x + sin(x) + exp(x))**200",
    "*".join(f"(sqrt({k}) + pi)" for k in range(2, 60)),
    "exp(1e999)",
    "exp(exp(exp(1000)))*x",
    "x**x",
    "x**(1/2)",
    "1/x",
    "1/(1 - exp(x))",
    "1/(x**2 - 1)",
    "1/tanh(x)",
    "tan(x)",
    "tanh(x**3)",
    "tanh(x*tanh(x))",
    "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))",
    "tanh(x) + abs(x)",
    "abs(tanh(x))",
    "relu(softplus(x))",
    "erf(x)**2*Heaviside(x)",
    "sqrt(x**2 - 1)",
    "(x + tanh(x))**(1/2)",
    "exp(x*tanh(x)**2*x)",
    "exp(softplus(x)**2)",
    "(tanh(x) + softplus(x) + silu(x) + erf(x) + 1)**100",
    "(tanh(x) + sech(x))**256",
    "tanh(" * 55 + "x" + ")" * 55,
    "log(x)",
    "log(1 - exp(x))",
    "sin(x**2)",
    "exp(x**3)",
    "Max(x**30 - x - 1, 0)",
    "abs(sin(x))",
]


@pytest.fixture(autouse=True)
def _seconds():
    """A text that keeps the reader busy for longer than this is an attack that worked."""

    def late(*_):
        raise TimeoutError("the reader was busy for more than 20 seconds")

    before = signal.signal(signal.SIGALRM, late)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:24]))
def test_refused_with_one_useful_line(text):
    signal.alarm(20)
    with pytest.raises((errors.ParseError, errors.NoClosedForm, errors.InputError, errors.ExpressionTooLarge)) as caught:
        parse(text)
    message = str(caught.value)
    assert "\n" not in message
    assert 10 < len(message) < 400


@pytest.mark.parametrize("text", ["exp(x**2)", "exp(x**2/4)", "x*exp(0.25*x**2)", "exp(-x**2)**-1"])
def test_not_square_integrable(text):
    with pytest.raises(errors.NotSquareIntegrable, match="square integrable"):
        activation(text)
    assert parse(text).growth.is_positive


@pytest.mark.parametrize("value", [None, 3, b"x", ["x"]])
def test_only_text_is_read(value):
    with pytest.raises(errors.ParseError, match="text"):
        parse(value)


ALPHABET = "x xx 0 1 2.5 .5 1e3 pi E e + - * / ** ^ ( ) , exp sin cos erf erfc sqrt Phi abs sign Heaviside Max min relu sinh gelu tanh _ ' . [ ; : import é".split()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(ALPHABET), max_size=14).map("".join))
def test_token_soup_raises_nothing_but_our_errors(text):
    signal.alarm(20)
    try:
        parse(text)
    except errors.SymspecError as error:
        assert "\n" not in str(error)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_raises_nothing_but_our_errors(text):
    signal.alarm(20)
    try:
        parse(text)
    except errors.SymspecError as error:
        assert "\n" not in str(error)


@settings(max_examples=80, deadline=None)
@given(expressions())
def test_random_expressions_mean_what_they_say(f):
    with mpmath.workdps(40):
        for point in (Rational(-9001, 7919), Rational(101, 7919), Rational(15000, 7919)):
            found = mpmath.mpmathify(f.form.as_expr().subs(sympy.Symbol("x", real=True), point).evalf(40))
            assert mpmath.almosteq(found, f.value(point), mpmath.mpf(10) ** -25, mpmath.mpf(10) ** -25)


@settings(max_examples=80, deadline=None)
@given(expressions())
def test_a_form_written_out_is_read_back_as_itself(f):
    assert parse(str(f.form)) == f.form


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("-x**2", "-(x**2)"),
        ("2**3**2*x", "512*x"),
        ("2^-1*x", "x/2"),
        ("--x", "x"),
        ("x - 1 - 1", "x - 2"),
        ("x/2/2", "x/4"),
        ("8/2*x", "4*x"),
        ("0.1*x", "x/10"),
        ("1.5e-3*x", "3*x/2000"),
        ("abs(x)", "Max(x, -x)"),
        ("relu(x)", "(x + abs(x))/2"),
        ("sign(x)", "2*Heaviside(x) - 1"),
        ("Min(x, 1)", "-Max(-x, -1)"),
        ("Phi(x)", "(1 + erf(x/sqrt(2)))/2"),
        ("erfc(x)", "1 - erf(x)"),
        ("gelu(x)", "x*Phi(x)"),
        ("cosh(x) + sinh(x)", "exp(x)"),
        ("E**x", "exp(x)"),
        ("exp(x)/exp(x)", "1"),
        ("1/exp(-x)", "exp(x)"),
        ("sin(x)**2 + cos(x)**2", "1"),
        ("sin(2*x)", "2*sin(x)*cos(x)"),
        ("Heaviside(x)*Heaviside(x - 1)", "step(x - 1)"),
        ("4**(1/2)*x", "2*x"),
        ("Max(x, 0, -x)", "abs(x)"),
        ("abs(x)*exp(-x)", "abs(x*exp(-x))"),
    ],
)
def test_equal_meanings_are_equal_forms(text, same):
    assert parse(text) == parse(same)


def test_named_activations_and_families():
    assert activation("relu") == relu
    assert activation("gelu") == gelu == activation("x*Phi(x)")
    assert activation("elu(x)") == elu == activation("Max(x,0) + (exp(x) - 1)*Heaviside(-x)")
    assert activation("gaussian(x)") == gaussian == activation("exp(-x**2/2)")
    assert activation("leaky_relu(0.1)") == leaky_relu("1/10") == activation("Max(x,0) + Min(x,0)/10")
    assert activation("hermite(3)") == hermite(3) == activation("(x**3 - 3*x)/sqrt(6)")
    assert activation("monomial(2)").form == variable() ** 2
    assert activation("rectified_monomial(2)") == activation("x**2*Heaviside(x)")
    assert activation("polynomial(1/2, 1, -0.3)") == activation("0.5 + x - 0.3*x**2")
    assert parse("pi - pi") == constant(0)
    for bad in ("hermite(1, 2)", "hermite(-1)", "hermite(1.5)", "hermite(1e9)", "monomial(300)", "leaky_relu()", "polynomial()", "hermite(x)"):
        with pytest.raises(errors.SymspecError):
            activation(bad)
