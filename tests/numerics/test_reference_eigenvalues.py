"""Certified eigenvalues against an independent table of 30 digits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy
from flint import arb

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec.kernel import zonal_kernel

DATA = Path(__file__).parents[1] / "data"
SPHERES = json.loads((DATA / "sphere_eigenvalues.json").read_text())["values"]
RHO = sympy.Symbol("rho", real=True)


def _relu(depth, kind):
    return getattr(ss.mlp(ss.relu, depth), kind)


KERNELS = {
    "kappa0": lambda: ss.mlp(ss.step, 1).ck,
    "kappa1": lambda: _relu(1, "ck"),
    "ck_3layer": lambda: _relu(2, "ck"),
    "ck_4layer": lambda: _relu(3, "ck"),
    "ntk": lambda: _relu(1, "ntk") / 2,
    "ntk_3layer": lambda: _relu(2, "ntk") / 3,
    "ntk_4layer": lambda: _relu(3, "ntk") / 4,
    "ntkb": lambda: (_relu(1, "ntk") + ss.mlp(ss.step, 1).ck) / 2,
    "gamma_exp(1,0.5)": lambda: zonal_kernel(sympy.exp(-sympy.sqrt(1 - RHO))),
}


def test_every_kernel_of_the_table_is_covered():
    assert set(SPHERES) == set(KERNELS)


@pytest.mark.parametrize("name", KERNELS)
def test_eigenvalues_to_27_digits(name):
    kernel = KERNELS[name]()
    for dimension, records in SPHERES[name].items():
        degrees = [int(k) for k in records]
        values = numerics.eigenvalues(kernel, ss.Sphere(int(dimension)), degrees, digits=35)
        for k, value in zip(degrees, values, strict=True):
            text = records[str(k)]
            if text == "0":
                assert value == 0, (dimension, k, value)
                continue
            with working_precision(160):
                wanted = arb(text)
                assert abs(value - wanted) < abs(wanted) * arb("1e-27"), (dimension, k, value, text)
            assert value.rel_accuracy_bits() > 35 * 3.32
