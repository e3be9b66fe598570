"""Kernels written with the root of the gap, against the kernels themselves."""

from __future__ import annotations

import pytest
import sympy

import symspec as ss
from symspec.barrier_form import INVERSE_ROOT, ROOT, barrier_form, parity
from symspec.errors import Undecided
from symspec.functions import EVEN, NEITHER, ODD
from symspec.kernel import zonal_kernel
from symspec.program import RHO
from symspec.radius import Barrier, first_singularity


def evaluated(lines, output, rho, root=None):
    values = {RHO: rho} | ({} if root is None else {ROOT: root, INVERSE_ROOT: 1 / root})
    for line in lines:
        values[line.symbol] = sympy.N(line.expr.xreplace(values), 40)
    return sympy.N(output.xreplace(values), 40)


NETWORKS = [ss.mlp(ss.gelu, 2), ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2="1/10"), ss.mlp(ss.gelu, 2, sigma_w2=2, sigma_b2=0), ss.mlp(ss.activation("x*erf(x)"), 2)]


@pytest.mark.parametrize("network", NETWORKS)
def test_same_values_at_every_barrier(network):
    kernel = network.ntk_layers[0]
    for barrier in first_singularity(kernel).barriers:
        form = barrier_form(kernel, barrier)
        for rho in (sympy.Float("0.3", 40), sympy.Float("-0.8", 40), sympy.Float("0.999", 40)):
            gap = evaluated(form.gap.lines, form.gap.output, rho)
            expected = evaluated(kernel.program.lines, kernel.program.output, rho)
            assert abs(evaluated(form.lines, form.output, rho, sympy.sqrt(gap)) - expected) < 1e-30


def test_the_far_end():
    """1/sqrt(4 - rho^2) and arcsin(rho/2) at -2."""
    kernel = ss.mlp(ss.gelu, 1).ck
    form = barrier_form(kernel, Barrier(RHO, sympy.Integer(-2)), falling=True)
    for rho in (sympy.Float("-1.9", 40), sympy.Float("1.5", 40)):
        gap = evaluated(form.gap.lines, form.gap.output, rho)
        assert gap == rho + 2
        expected = evaluated(kernel.program.lines, kernel.program.output, rho)
        assert abs(evaluated(form.lines, form.output, rho, sympy.sqrt(gap)) - expected) < 1e-30


def test_parity():
    odd, even, both = (ss.mlp(a, 2).ck.program for a in (ss.erf, ss.gaussian, ss.gelu))
    names = [line.symbol for line in odd.lines]
    assert parity(odd, RHO) == ODD
    assert parity(odd, next(name for name in names if name.name == "c_1")) == ODD
    assert parity(even, next(line.symbol for line in even.lines if line.symbol.name == "c_1")) == EVEN
    assert parity(both, next(line.symbol for line in both.lines if line.symbol.name == "c_1")) == NEITHER


@pytest.mark.parametrize("expr", [1 / (2 - RHO) ** sympy.Rational(1, 3), 1 / (2 - RHO) ** 2 / sympy.sqrt((2 - RHO) ** 2 * (3 - RHO)), sympy.log(2 - RHO)])
def test_other_singularities_are_refused(expr):
    with pytest.raises(Undecided):
        barrier_form(zonal_kernel(expr), Barrier(RHO, sympy.Integer(2)))
