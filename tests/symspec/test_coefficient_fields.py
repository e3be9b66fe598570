"""Fields of coefficients: what is adjoined, zeros, and what is refused."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given, strategies as st

from symspec.coefficient_fields import Numbers, adjoined, components
from symspec.errors import NoClosedForm

X = sympy.Symbol("x")


KINDS = [((), "QQ"), ((sympy.sqrt(2),), "algebraic"), ((sympy.sqrt(2), sympy.sqrt(3)), "algebraic"), ((sympy.pi, sympy.pi**2), "function"), ((sympy.exp(-2),), "function")]


@pytest.mark.parametrize(("values", "kind"), KINDS)
def test_kinds(values, kind):
    domain = adjoined(lambda numbers: ([numbers.of(value) for value in values], numbers.domain)[1])
    assert kind == ("algebraic" if domain.is_Algebraic else "function" if domain.is_FractionField else "QQ")


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=4), st.sampled_from([sympy.sqrt(2), sympy.pi, sympy.exp(1)]))
def test_arithmetic(numbers, generator):
    """Values go there and back."""
    expr = sum(c * generator**i for i, c in enumerate(numbers))
    value = adjoined(lambda field: field.domain.to_sympy(field.of(expr) * field.of(expr)))
    assert abs(sympy.N(value - expr**2, 30)) < 1e-20


@pytest.mark.parametrize("generator", [sympy.sqrt(2), sympy.pi, sympy.Rational(1, 3)])
def test_rational_zeros(generator):
    """(x - 3)(x - generator) has the rational zero 3 and no other, unless the generator is rational."""
    numbers = Numbers(() if generator.is_Rational else (generator,))
    polynomial = ((numbers.x - 3) * (numbers.x - numbers.of(generator))).numer
    parts = components(polynomial)
    common = parts[0]
    for part in parts[1:]:
        common = sympy.gcd(common, part)
    assert set(common.ground_roots()) == ({3, generator} if generator.is_Rational else {3})


@pytest.mark.parametrize("values", [(sympy.log(2),), (sympy.sqrt(2), sympy.pi), (sympy.pi, sympy.E), (sympy.root(2, 9),), (sympy.erf(1),)])
def test_refused(values):
    with pytest.raises(NoClosedForm, match="parameter"):
        adjoined(lambda numbers: [numbers.of(value) for value in values])
