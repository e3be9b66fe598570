"""Simulated kernel ridge regression beside the prediction."""

from __future__ import annotations

import pytest

import gpu
import symspec as ss
from symspec.errors import DomainError

KERNEL = ss.mlp(ss.relu, 2).ntk


@pytest.mark.parametrize(("domain", "energies", "samples", "noise"), [(ss.Sphere(5), {1: 1, 2: 1}, 200, "1/10"), (ss.BooleanCube(10), {1: 1, 3: 1}, 200, 0)])
def test_the_theory_predicts_the_simulation(domain, energies, samples, noise):
    record = gpu.ridge_check(KERNEL, domain, energies, samples, ridge="1/10", noise=noise, trials=12, seed=1, backend="numpy")
    assert abs(record.ratio - 1) < 0.15 + 5 * record.standard_error / float(record.predicted.error)
    again = gpu.ridge_check(KERNEL, domain, energies, samples, ridge="1/10", noise=noise, trials=12, seed=1, backend="numpy")
    assert (again.estimate, again.standard_error) == (record.estimate, record.standard_error)


def test_a_wrong_kernel_is_noticed():
    """The prediction for one kernel does not fit the regression with another."""
    right = gpu.ridge_check(KERNEL, ss.Sphere(5), {3: 1}, 150, ridge="1/100", trials=8, seed=2, backend="numpy")
    other = gpu.ridge_check(ss.mlp(ss.exp, 1, sigma_w2="1/10").ck, ss.Sphere(5), {3: 1}, 150, ridge="1/100", trials=8, seed=2, backend="numpy")
    assert abs(right.estimate / float(other.predicted.error) - 1) > 0.25


def test_domains():
    with pytest.raises(DomainError):
        gpu.ridge_check(KERNEL, ss.Gaussian(5), {1: 1}, 10)
