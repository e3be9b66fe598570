"""Adaptive integration agrees with the other methods, and gives up honestly."""

from __future__ import annotations

import mpmath
import pytest
from flint import acb, arb

import numerics
import symspec as ss
from numerics import quadrature
from symspec import errors


@pytest.mark.parametrize(("kernel", "d", "k"), [(ss.mlp(ss.relu, 1).ck, 6, 2), (ss.mlp(ss.erf, 1).ck, 4, 3), (ss.mlp(ss.step, 1).ck, 2, 5)])
def test_agrees_with_the_other_methods(kernel, d, k):
    first = quadrature.eigenvalue(kernel, d, k, 40)
    second = numerics.eigenvalues(kernel, ss.Sphere(d), k, 25)[0]
    assert first.overlaps(second)
    assert first.rel_accuracy_bits() >= 40


@pytest.mark.parametrize(("d", "k"), [(2, 3), (3, 7), (9, 12)])
def test_gegenbauer_polynomials(d, k):
    t = acb(arb("0.3"), arb("0.1"))
    with mpmath.workdps(25):
        z = mpmath.mpc("0.3", "0.1")
        wanted = mpmath.chebyt(k, z) if d == 2 else mpmath.gegenbauer(k, mpmath.mpf(d - 2) / 2, z) / mpmath.gegenbauer(k, mpmath.mpf(d - 2) / 2, 1)
    found = quadrature.gegenbauer(t, d, k)
    assert abs(found - acb(arb(mpmath.nstr(wanted.real, 20)), arb(mpmath.nstr(wanted.imag, 20)))) < arb("1e-12")


def test_two_composed_signs_against_a_substitution():
    """theta = x^2 takes the square root of the angle out of the integrand."""
    value = numerics.eigenvalues(ss.mlp(ss.sign, 2).ck, ss.Sphere(3), 1, digits=10)[0]
    with mpmath.workdps(20):

        def integrand(x):
            r = mpmath.cos(x * x)
            for _ in range(2):
                r = 2 / mpmath.pi * mpmath.asin(max(-1, min(1, r)))
            return r * mpmath.cos(x * x) * mpmath.sin(x * x) * 2 * x

        half = mpmath.sqrt(mpmath.pi / 2)
        wanted = mpmath.quad(integrand, [0, half / 2, half])  # an even integrand, halved by the measure
    assert abs(value - arb(mpmath.nstr(wanted, 15))) < arb("1e-10")


def test_what_cannot_be_reached_is_undecided():
    with pytest.raises(errors.Undecided, match="did not reach"):
        numerics.eigenvalues(ss.mlp(ss.sign, 3).ck, ss.Sphere(3), 1, digits=30)
