"""Learning curves: against direct solution on a finite spectrum, soundness of the tail, bad input."""

from __future__ import annotations

import math

import pytest
from flint import arb

import numerics
import symspec as ss
from numerics import ridge as module
from numerics.precision import working_precision
from symspec.errors import InputError, Undecided

KERNEL = ss.mlp(ss.relu, 2).ntk


def solved(pairs, n, delta):
    """kappa by bisection in floats."""
    low, high = 1e-12, 1e3
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if sum(c * v / (v + middle) for c, v in pairs) + delta / middle > n else (low, middle)
    return low


@pytest.mark.parametrize(("n", "delta", "noise"), [(20, "1/10", 0), (200, "1/100", "1/10"), (100, 0, 0)])
def test_the_whole_cube_against_floats(n, delta, noise):
    """On the cube the spectrum is finite, so the formula is a plain sum."""
    domain, energies = ss.BooleanCube(9), {1: 1, 3: 2}
    found = numerics.learning_curve(KERNEL, domain, energies, [n], ridge=delta, noise=noise)[0]
    pairs = [(domain.multiplicity(k), float(value)) for k, value in enumerate(numerics.eigenvalues(KERNEL, domain, range(10), 20))]
    number = float(ss.exact.exact(delta))
    kappa = solved(pairs, n, number)
    assert math.isclose(float(found.effective_ridge), kappa, rel_tol=1e-9)
    over = n / (n - sum(c * (v / (v + kappa)) ** 2 for c, v in pairs))
    missed = sum(size * (kappa / (pairs[k][1] + kappa)) ** 2 for k, size in energies.items())
    assert math.isclose(float(found.error), over * (missed + float(ss.exact.exact(noise))), rel_tol=1e-8)


def test_the_tail_is_enclosed():
    """With few degrees the ball is wide and holds what many degrees give."""
    with working_precision(120):
        wide, narrow = (module._spectrum(KERNEL, ss.Sphere(4), top, 40) for top in (20, 640))
        for kappa in (arb("0.1"), arb("0.003")):
            for name in ("filled", "squared"):
                assert getattr(wide, name)(kappa).overlaps(getattr(narrow, name)(kappa))
                assert getattr(narrow, name)(kappa).rad() < getattr(wide, name)(kappa).rad()


def test_the_curve_falls():
    curve = numerics.learning_curve(KERNEL, ss.Sphere(6), {1: 1, 2: 1}, [10, 30, 100, 300], ridge="1/100")
    errors = [point.error for point in curve]
    assert all(a > b for a, b in zip(errors, errors[1:], strict=False))
    assert all(point.error.rel_accuracy_bits() > 20 for point in curve)


def test_bad_input():
    with pytest.raises(InputError, match="negative"):
        numerics.learning_curve(KERNEL, ss.Sphere(3), {1: 1}, [10], ridge=-1)
    with pytest.raises(InputError, match="without a ridge"):
        numerics.learning_curve(ss.mlp(ss.monomial(1), 1).ck, ss.Sphere(3), {1: 1}, [10])
    with pytest.raises(Undecided, match="signs"):
        numerics.learning_curve(ss.zonal_kernel(ss.program.RHO), ss.Sphere(3), {1: 1}, [10])


def test_the_bound_of_small_eigenvalues_is_one():
    """The two next eigenvalues agree to more digits than a double has: the bound is not below the larger."""
    with working_precision(200):
        for top in (20, 21, 60):
            bound = module._spectrum(KERNEL, ss.Sphere(4), top, 100).largest_above
            assert not any(value > bound for value in numerics.eigenvalues(KERNEL, ss.Sphere(4), [top + 1, top + 2], 30))
