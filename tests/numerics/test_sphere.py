"""Certified eigenvalues: properties on random kernels, independence of the order, refusals."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from flint import arb, ctx, fmpz
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec import errors
from symspec.kernel import zonal_kernel

from .mpmath_kernels import ANGULAR, DUALS, SMOOTH, eigenvalue, kernel

NETWORKS = st.tuples(st.sampled_from([*ANGULAR, *SMOOTH]), st.integers(1, 3), st.sampled_from(["ck", "ntk"]))


def _kernel(name, depth, kind):
    return getattr(ss.mlp(name, depth), kind)


@settings(deadline=None, max_examples=80)
@given(NETWORKS, st.integers(-1000, 1000))
def test_values_contain_those_of_an_independent_recursion(network, numerator):
    with mpmath.workdps(45):
        wanted = kernel(*network, mpmath.mpf(numerator) / 1000)
        found = numerics.evaluate(_kernel(*network), f"{numerator}/1000", digits=25)
        with working_precision(150):
            assert (found - arb(mpmath.nstr(wanted, 40))).abs_lower() < arb("1e-34") if numerator else True
            assert abs(found - arb(mpmath.nstr(wanted, 40))) < arb("1e-22")


@settings(deadline=None, max_examples=40)
@given(NETWORKS, st.integers(2, 9), st.integers(0, 9))
def test_balls_contain_integrals_done_by_mpmath(network, d, k):
    found = numerics.eigenvalues(_kernel(*network), ss.Sphere(d), [k], digits=18)[0]
    with mpmath.workdps(30):
        wanted = eigenvalue(lambda t: kernel(*network, t), d, k)
        error = mpmath.mpf("1e-20")
        with working_precision(120):
            assert (found - arb(mpmath.nstr(wanted, 28))).abs_lower() < arb(mpmath.nstr(error, 5)), (found, wanted)


@settings(deadline=None, max_examples=40)
@given(NETWORKS, st.integers(2, 12), st.integers(1, 40))
def test_shares_are_not_negative_and_add_up_to_at_most_one(network, d, top):
    K, sphere = _kernel(*network), ss.Sphere(d)
    values = numerics.eigenvalues(K, sphere, range(top + 1), digits=12)
    assert all(value == 0 or value > 0 for value in values)
    with working_precision(100):
        total = sum((value * fmpz(sphere.multiplicity(k)) for k, value in enumerate(values)), arb(0))
        assert not total > numerics.evaluate(K, 1)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([*ANGULAR, *SMOOTH]), st.integers(1, 3), st.integers(2, 9), st.integers(0, 25))
def test_zeros_are_exact_where_parity_says_so(name, depth, d, k):
    """Odd and even activations keep their parity at any depth; depth one of ReLU kills odd k >= 3."""
    value = numerics.eigenvalues(_kernel(name, depth, "ck"), ss.Sphere(d), k, digits=8)[0]
    zero = {"erf": k % 2 == 0, "sin": k % 2 == 0, "abs(x)": k % 2 == 1, "cos": k % 2 == 1, "gaussian": k % 2 == 1}.get(name, False)
    if name in ("relu", "leaky_relu(1/5)") and depth == 1:
        zero = k % 2 == 1 and k >= 3
    if name == "gelu" and depth == 1:
        zero = k % 2 == 1 and k >= 3
    assert (value == 0) == zero
    assert zero or value.rel_accuracy_bits() > 8 * 3.3


@settings(deadline=None, max_examples=25)
@given(NETWORKS, st.integers(2, 9), st.lists(st.integers(0, 60), min_size=1, max_size=5), st.integers(1, 30), st.randoms(use_true_random=False))
def test_neither_order_nor_earlier_calls_matter(network, d, degrees, digits, random):
    K, sphere = _kernel(*network), ss.Sphere(d)
    before = ctx.prec, ctx.cap
    first = numerics.eigenvalues(K, sphere, degrees, digits=digits)
    shuffled = random.sample(degrees, len(degrees))
    numerics.eigenvalues(K, sphere, [3], digits=digits + 7)
    second = dict(zip(shuffled, numerics.eigenvalues(K, sphere, shuffled, digits=digits), strict=True))
    for k, value in zip(degrees, first, strict=True):
        assert (value.mid(), value.rad()) == (second[k].mid(), second[k].rad())
    assert (ctx.prec, ctx.cap) == before


@settings(deadline=None, max_examples=25)
@given(NETWORKS, st.integers(2, 9), st.integers(0, 200))
def test_digits_are_delivered_and_consistent(network, d, k):
    K = _kernel(*network)
    coarse, fine = (numerics.eigenvalues(K, ss.Sphere(d), k, digits=digits)[0] for digits in (5, 40))
    assert coarse.overlaps(fine)
    assert fine == 0 or fine.rel_accuracy_bits() >= 132


@pytest.mark.parametrize(("d", "k", "value"), [(3, 20, "0.000118594081155"), (10, 50, "4.5649498534094e-13"), (10, 10**6, "9.4144129395034e-56")])
def test_published_values_of_depth_three(d, k, value):
    found = numerics.eigenvalues(ss.mlp(ss.relu, 3).ntk, ss.Sphere(d), k, digits=20)[0]
    with working_precision(120):
        assert any(abs(found / scale - arb(value)) < arb(value) * arb("1e-11") for scale in (1, 4))


def test_depth_one_closed_forms_up_to_degree_ten_thousand():
    for d, k in ((2, 10_000), (3, 2000), (8, 10_000), (32, 500)):
        found = numerics.eigenvalues(ss.mlp(ss.relu, 1).ck, ss.Sphere(d), k, digits=30)[0]
        with working_precision(300):
            half = arb(1) / 2
            exact = d * (d * half).gamma() ** 2 / (8 * arb.pi() ** 2) * (2 * (((k - 1) * half).lgamma() - ((k + d + 1) * half).lgamma())).exp()
            assert found.overlaps(exact)
        assert found.rel_accuracy_bits() > 100


def test_composed_jumps_are_integrated():
    found = numerics.eigenvalues(ss.mlp(ss.step, 2).ck, ss.Sphere(3), [0, 1, 2], digits=10)
    with mpmath.workdps(25):
        for k, value in enumerate(found):
            # theta = x^2 takes the square root out of the integrand.
            def integrand(x, k=k):
                return kernel("step", 2, "ck", mpmath.cos(x * x)) * mpmath.legendre(k, mpmath.cos(x * x)) * mpmath.sin(x * x) * x

            wanted = mpmath.quad(integrand, [0, 0.5, 1, 1.5, mpmath.sqrt(mpmath.pi)])
            assert abs(value - arb(mpmath.nstr(wanted, 20))) < arb("1e-9")
            assert value.rel_accuracy_bits() > 33


def test_degrees_of_many_kinds():
    K = ss.mlp(ss.relu, 1).ck
    one = numerics.eigenvalues(K, ss.Circle(), 4)[0]
    for degrees in ([4], (4,), range(4, 5), iter([4]), np.array([4]), np.int64(4)):
        assert numerics.eigenvalues(K, ss.Circle(), degrees)[0].mid() == one.mid()
    assert numerics.eigenvalues(K, ss.Circle(), []) == []


BAD = [
    ([-1], 10, "degree"),
    ([1.5], 10, "degree"),
    (["x"], 10, "degree"),
    ([float("nan")], 10, "degree"),
    ([None], 10, "degree"),
    ([1], 0, "digits"),
    ([1], -5, "digits"),
    ([1], 2.5, "digits"),
]


@pytest.mark.parametrize(("degrees", "digits", "fragment"), BAD)
def test_bad_degrees_and_digits(degrees, digits, fragment):
    with pytest.raises(errors.InputError, match=fragment) as caught:
        numerics.eigenvalues(ss.mlp(ss.relu, 1).ck, ss.Sphere(3), degrees, digits=digits)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("d", [1, 0, -3, 2.5, "x", float("nan")])
def test_spheres_that_are_none(d):
    with pytest.raises(errors.DomainError):
        ss.Sphere(d)


@pytest.mark.parametrize("domain", ["sphere:3", 3, None, ss.Domain])
def test_domains_that_the_kernel_does_not_live_on(domain):
    with pytest.raises(errors.DomainError, match="Sphere"):
        numerics.eigenvalues(ss.mlp(ss.relu, 1).ck, domain, [1])


def test_a_symbolic_dimension_and_other_refusals():
    import sympy

    K = ss.mlp(ss.relu, 1).ck
    with pytest.raises(errors.DomainError, match="numerical dimension"):
        numerics.eigenvalues(K, ss.Sphere(sympy.Symbol("d")), [1])
    with pytest.raises(errors.DomainError, match="infinite on the diagonal"):
        numerics.eigenvalues(ss.mlp(ss.step, 1).ntk, ss.Sphere(3), [1])
    with pytest.raises(errors.InputError, match="takes a Kernel"):
        numerics.eigenvalues(ss.relu, ss.Sphere(3), [1])


def test_a_zero_that_nobody_told_of_is_undecided_not_guessed():
    """cos(theta)^2 typed in as an expression: its eigenvalue of degree 1 is 0, which no ball can show."""
    import sympy

    rho = sympy.Symbol("rho", real=True)
    hidden = zonal_kernel(sympy.acos(rho) * 0 + rho**2 + sympy.sqrt(1 - rho**2))
    with pytest.raises(errors.Undecided):
        numerics.eigenvalues(hidden, ss.Sphere(3), [1], digits=5)


def test_progress_of_an_integration():
    seen = []
    numerics.eigenvalues(ss.mlp(ss.sign, 2).ck, ss.Sphere(3), [1, 3], digits=4, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 1
    assert len({total for _, total in seen}) == 1
    assert all(0 <= done <= total for done, total in seen)
    assert seen[-1][0] == seen[-1][1]


def test_every_dual_here_is_used():
    assert set(DUALS) == {*ANGULAR, *SMOOTH, "step"}
