from __future__ import annotations

from math import comb

import pytest
from sympy import Symbol

from symspec.domain import Circle, Sphere, parse_domain
from symspec.errors import DomainError, InputError


@pytest.mark.parametrize("d", [2, 3, 4, 10, 57])
def test_multiplicities_are_the_harmonic_dimensions(d):
    # Polynomials of degree k in d variables are the sum of harmonics of degrees k, k-2, ...
    for k in range(12):
        assert sum(Sphere(d).multiplicity(j) for j in range(k % 2, k + 1, 2)) == comb(k + d - 1, d - 1)


def test_circle_has_two_harmonics_a_degree():
    assert [Circle().multiplicity(k) for k in range(4)] == [1, 2, 2, 2]


def test_text_round_trip():
    assert parse_domain("sphere:10") == Sphere(10)
    assert parse_domain(" circle ") == Circle() == Sphere(2)
    assert parse_domain(str(Sphere(7))) == Sphere(7)
    assert Sphere(Symbol("d")).d == Symbol("d")


@pytest.mark.parametrize("bad", [1, 0, -3, 2.5, "two", None, float("nan"), True])
def test_dimensions_that_are_no_sphere(bad):
    with pytest.raises(DomainError):
        Sphere(bad)


NO_DOMAINS = ["", "sphere", "cube", "sphere:", "sphere:1", "sphere:-3", "sphere:1e3", "sphere:9999999999", "circle:3", "cube:0", "cube:-4", "gaussian:1", "sphere:３", "sphere:²", "sphere:3:4"]


@pytest.mark.parametrize("text", NO_DOMAINS)
def test_texts_that_are_no_domain(text):
    with pytest.raises(DomainError) as caught:
        parse_domain(text)
    assert "\n" not in str(caught.value)


def test_degrees_below_zero():
    with pytest.raises(InputError, match="at least 0"):
        Sphere(3).multiplicity(-1)
    with pytest.raises(InputError, match="numerical dimension"):
        Sphere(Symbol("d")).multiplicity(2)
