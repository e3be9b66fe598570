"""Certified eigenvalues on the boolean cube: against published and independent values, exact ones, and deliberate faults."""

from __future__ import annotations

import json
from math import comb
from pathlib import Path

import mpmath
import pytest
import sympy
from flint import arb, fmpq
from hypothesis import given, settings, strategies as st

import numerics
import symspec as ss
from numerics import cube, cube_series, cube_sum
from numerics.precision import working_precision
from symspec.kernel import power, zonal_kernel
from symspec.support import Support

from . import mpmath_cube, mpmath_kernels

DATA = Path(__file__).parents[1] / "data"
RHO = sympy.Symbol("rho", real=True)
DEEP = ss.mlp(ss.relu, 3).ntk


def rational_eigenvalue(coefficients, d, k):
    """Of a polynomial with rational coefficients, by the finite sum in exact arithmetic."""
    total = fmpq(0)
    for r, weight in enumerate(mpmath_cube.weights(d, k)):
        if weight:
            t, value = fmpq(d - 2 * r, d), fmpq(0)
            for c in reversed(coefficients):
                value = value * t + c
            total += weight * value
    return total / 2**d


def as_kernel(coefficients):
    kernel = None
    for n, c in enumerate(coefficients):
        if c:
            part = power(n) * sympy.Rational(int(c.p), int(c.q))
            kernel = part if kernel is None else kernel + part
    return kernel


def test_reference_table_to_22_digits():
    """864 records: CK and NTK of relu and erf, depth 1 and 2, d = 8 to 128, divided by K(1)."""
    records = json.loads((DATA / "cube_eigenvalues.json").read_text())["records"]
    groups = {}
    for record in records:
        key = tuple(record[name] for name in ("act", "kernel", "dim", "hidden_depth", "sigma_w2", "sigma_b2"))
        groups.setdefault(key, []).append((record["degree"], record["mu"]))
    compared = 0
    for (name, kind, dim, depth, weight, bias), pairs in groups.items():
        # The variances are floats at their exact binary value.
        kernel = getattr(ss.mlp(name, depth, sigma_w2=weight, sigma_b2=bias), kind)
        values = numerics.fractional_variances(kernel, ss.BooleanCube(dim), [k for k, _ in pairs], digits=28)
        with working_precision(200):
            for (k, text), value in zip(pairs, values, strict=True):
                wanted, mu = arb(text), value / comb(dim, k)
                # Rounding to 32 digits left the exact zeros of the table at 1e-119 or less.
                assert (value == 0) == (abs(wanted) < arb("1e-100")), (name, kind, dim, k)
                assert value == 0 or abs(mu - wanted) < abs(wanted) * arb("1e-22"), (name, kind, dim, depth, weight, bias, k, text)
                compared += 1
    assert compared == len(records) == 864


@pytest.mark.parametrize(
    ("name", "weight", "bias", "depth", "degrees", "figures"),
    [
        ("relu", 2, 2, 2, range(8), ".838782 .0185682 .00116607 1.32412e-4 4.36378e-5 2.25313e-5 1.52237e-5 1.17214e-5"),
        ("erf", 1, 0, 2, range(1, 8, 2), ".131153 .00217619 2.70686e-4 7.59995e-5"),
        ("erf", 4, 0, 32, range(1, 8, 2), ".0162915 .0155642 .0155104 .0154925"),
    ],
)
def test_published_figures_on_the_cube_of_dimension_7(name, weight, bias, depth, degrees, figures):
    """Yang and Salman (2019), conjugate kernels: eigenvalues divided by K(1), recomputed, to the digits printed."""
    kernel = ss.mlp(name, depth, sigma_w2=weight, sigma_b2=bias).ck
    shares = numerics.fractional_variances(kernel, ss.BooleanCube(7), degrees, digits=20)
    for k, share, figure in zip(degrees, shares, figures.split(), strict=True):
        assert float(f"{float(share / comb(7, k)):.6g}") == float(figure), k
    if name == "erf":
        assert numerics.eigenvalues(kernel, ss.BooleanCube(7), range(0, 8, 2)) == [0] * 4


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(set(mpmath_kernels.DUALS) - {"step"})), st.integers(1, 3), st.sampled_from(["ck", "ntk"]), st.integers(1, 40), st.data())
def test_random_networks_against_mpmath(name, depth, kind, d, data):
    k = data.draw(st.integers(0, d))
    value = numerics.eigenvalues(getattr(ss.mlp(name, depth), kind), ss.BooleanCube(d), k, digits=20)[0]
    wanted = mpmath_cube.eigenvalue(lambda t: mpmath_kernels.kernel(name, depth, kind, t), d, k)
    if value == 0:
        assert abs(wanted) < mpmath.mpf(10) ** (-30 - d / 4)
    else:
        with mpmath.workdps(60):
            assert abs(mpmath.mpf(value.mid().str(50, radius=False)) / wanted - 1) < mpmath.mpf(10) ** -20
        assert value.rel_accuracy_bits() > 20 * 3.32


@pytest.mark.parametrize("method", [cube._by_series, cube_sum.eigenvalues])
@pytest.mark.parametrize(("d", "k"), [(200, 100), (200, 199), (200, 200), (200, 198), (37, 36), (6, 6), (1, 1), (2, 0), (150, 3)])
def test_cancellation_against_exact_rationals(method, d, k):
    """Coefficients of all degrees up to beyond d; at k = 100, d = 200 the terms of the sum cancel to 1 in 10^60."""
    coefficients = [fmpq(1, n * n + 1) for n in range(d + 12)]
    # A few monomials keep the kernel's expression short: degrees around k and the largest.
    kept = {0, 1, k, k + 1, k + 2, k + 6, d + 10, d + 11}
    coefficients = [c if n in kept else fmpq(0) for n, c in enumerate(coefficients)]
    exact = rational_eigenvalue(coefficients, d, k)
    kernel = as_kernel(coefficients)
    value = method(kernel, d, [k], 100, None)[k]
    with working_precision(400):
        assert exact > 0
        assert value.contains(arb(exact)), (value, exact)
    assert value.rel_accuracy_bits() >= 99
    assert ss.eigenvalue(kernel, ss.BooleanCube(d), k) == sympy.Rational(int(exact.p), int(exact.q))


@pytest.mark.parametrize("kernel", [DEEP, ss.mlp(ss.erf, 2).ntk, ss.mlp(ss.exp, 1).ck, ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2="0.1").ntk, ss.resnet(ss.gelu, 2, 1).ntk])
@pytest.mark.parametrize("d", [300, 2000])
def test_the_two_methods_agree(kernel, d):
    degrees = [0, 1, 2, 5, 12]
    degrees = [k for k in degrees if not kernel.support.vanishes_at(k)]
    series, total = (method(kernel, d, degrees, 90, None) for method in (lambda *a: cube_series.eigenvalues(*a[:4], 4000), cube_sum.eigenvalues))
    with working_precision(300):
        for k in degrees:
            assert abs(series[k] - total[k]) < abs(total[k]) * arb(2) ** -88
            assert series[k].overlaps(total[k])


def test_all_degrees_sum_to_the_diagonal():
    values = numerics.eigenvalues(DEEP, ss.BooleanCube(300), range(301), digits=30)
    with working_precision(200):
        total = sum((value * comb(300, k) for k, value in enumerate(values)), arb(0))
        assert total.contains(4)
        assert total.rad() < arb("1e-28")


def test_high_dimension_against_the_limit():
    """d^k mu_k tends to the derivative at 0, from above on the cube."""
    values = numerics.eigenvalues(ss.mlp(ss.relu, 1).ck, ss.BooleanCube(10**6), [0, 1, 2, 4], digits=30)
    with working_precision(160):
        for k, value, derivative in zip([0, 1, 2, 4], values, [1 / arb.pi(), arb(1) / 2, 1 / arb.pi(), 1 / arb.pi()], strict=True):
            ratio = value * arb(10) ** (6 * k) / derivative
            assert ratio >= 1 - arb("1e-29")
            assert ratio < 1 + arb("1e-5")


def test_a_kernel_whose_signs_are_unknown():
    laplace = zonal_kernel(sympy.exp(-sympy.sqrt(1 - RHO)))
    values = numerics.eigenvalues(laplace, ss.BooleanCube(60), [0, 1, 7, 60], digits=25)
    for k, value in zip([0, 1, 7, 60], values, strict=True):
        wanted = mpmath_cube.eigenvalue(lambda t: mpmath.exp(-mpmath.sqrt(1 - t)), 60, k)
        assert abs(mpmath.mpf(value.mid().str(45, radius=False)) / wanted - 1) < mpmath.mpf(10) ** -25
    low = numerics.eigenvalues(laplace, ss.BooleanCube(10**4), [0, 3], digits=20)
    assert all(v.rel_accuracy_bits() > 66 for v in low)


def test_zero_is_never_guessed():
    """rho^2 typed in has no stated support: its degree 1 is 0, which balls cannot show."""
    with pytest.raises(ss.Undecided, match="may be exactly 0"):
        numerics.eigenvalues(zonal_kernel(RHO**2), ss.BooleanCube(9), 1)
    stated = zonal_kernel(RHO**2, Support(even=2))
    assert numerics.eigenvalues(stated, ss.BooleanCube(9), [1, 4]) == [0, 0]
    # On {-1, 1} there is no degree 2: t^2 is 1.
    assert numerics.eigenvalues(stated, ss.BooleanCube(1), [0])[0].overlaps(arb(1))


def test_refusals():
    with pytest.raises(ss.DomainError, match="degrees 0 to 9"):
        numerics.eigenvalues(DEEP, ss.BooleanCube(9), [3, 10])
    with pytest.raises(ss.InputError, match="at least 0"):
        numerics.eigenvalues(DEEP, ss.BooleanCube(9), [-1])
    with pytest.raises(ss.DomainError, match="infinite on the diagonal"):
        numerics.eigenvalues(ss.mlp(ss.step, 1).ntk, ss.BooleanCube(9), [1])
    with pytest.raises(ss.DomainError, match="numerical dimension"):
        numerics.eigenvalues(DEEP, ss.BooleanCube(sympy.Symbol("d")), [1])
    with pytest.raises(ss.DomainError, match="Sphere"):
        numerics.eigenvalues(DEEP, "cube:3", [1])


def test_order_repetition_and_digits():
    values = numerics.eigenvalues(DEEP, ss.BooleanCube(12), [5, 0, 5, 12], digits=12)
    again = numerics.eigenvalues(DEEP, ss.BooleanCube(12), range(13), digits=60)
    assert values[0].mid() == values[2].mid()
    with working_precision(260):
        assert all(values[i].overlaps(again[k]) for i, k in enumerate([5, 0, 5, 12]))
        assert all(value.rel_accuracy_bits() >= 60 * 3.32 for value in again)


@pytest.mark.parametrize("d", [1, 2, 3, 8, 31])
def test_characters_are_the_weights(d):
    for r in range(d + 1):
        row = cube_sum.characters(d, r, d)
        for k in range(d + 1):
            assert row[k] * comb(d, r) == mpmath_cube.weights(d, k)[r] * comb(d, k)


@pytest.mark.parametrize(("d", "k", "n"), [(10, 0, 3), (10, 3, 5), (10, 10, 12), (400, 2, 30), (400, 7, 200), (1000, 900, 950), (10**6, 3, 40)])
def test_moments_and_their_bound(d, k, n):
    with working_precision(120):
        table = cube_series.moments(d, n + 30, [k])[k]
        bound = cube_series.moment_bound(d, k, n)
        assert all(table[m] <= bound for m in range(n, n + 30))
        for m in (n, n + 1):
            exact = ss.BooleanCube(d).monomial_eigenvalue(m, k) if m < 250 and d < 10**5 else None
            assert exact is None or (table[m] == 0 if exact == 0 else table[m].overlaps(numerics.ball(exact)))


def test_a_window_that_is_cut_too_narrow_is_paid_for(monkeypatch):
    """A deliberate fault: however badly the window is chosen, the ball grows by what was left out."""
    honest = numerics.eigenvalues(DEEP, ss.BooleanCube(3000), [2], 30)[0]
    monkeypatch.setattr(cube_sum, "window", lambda d, _accuracy: int(d * 0.47))
    narrow = cube_sum._attempt(DEEP, 3000, [2], 1410, arb(4), 200, None)[2]
    with working_precision(300):
        assert narrow.overlaps(honest)
        assert narrow.rad() > honest.rad() * 10**6


def test_a_wrong_tail_would_be_seen(monkeypatch):
    """A deliberate fault: without the tail two lengths of the series contradict each other."""
    monkeypatch.setattr(cube_series, "moment_bound", lambda *_: arb(0))
    short, long = (cube_series._attempt(DEEP, 40, [0], n, 200, ())[0].enclosure() for n in (30, 60))
    assert not short.overlaps(long)


def test_precision_is_left_as_it_was():
    from flint import ctx

    before = ctx.prec
    numerics.eigenvalues(DEEP, ss.BooleanCube(50), range(51), 40)
    assert ctx.prec == before
