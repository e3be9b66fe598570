"""Mixed derivatives by units against formulas written out by hand, and their exact zeros."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational, Symbol

import symspec as ss
from symspec.errors import NoClosedForm
from symspec.pixel_jets import Exact, Varied, free_pixel, mixed, reaches

NET = ss.cnn(ss.leaky_relu(Rational(1, 3)), 2, 4, 4, first_layer="pointwise")
T2, T3 = free_pixel(2), free_pixel(3)
POINT = {T2: Rational(1, 3), T3: Rational(-1, 5)}


def written(varied):
    """K and its tangent kernel in symbols for the values v_i and slopes s_i of the pointwise layer, for one dual f of unit variance."""
    rho = Symbol("r", real=True)
    f = NET.activation.dual(rho)
    moment = NET.activation.dual(1)
    values, slopes = sympy.symbols("v_0:4"), sympy.symbols("s_0:4")
    t = (sympy.S.One, sympy.S.One, T2, T3)
    c = sum(values) / (4 * moment)
    ck = f.subs(rho, c) / moment
    tangent = c + sum(s * x for s, x in zip(slopes, t, strict=True)) / (4 * moment)
    ntk = ck + sympy.diff(f, rho).subs(rho, c) * tangent / moment
    point = {v: (f.subs(rho, x) if x != 1 else moment) for v, x in zip(values, t, strict=True)}
    point |= {s: (sympy.diff(f, rho).subs(rho, x) if x != 1 else sympy.limit(sympy.diff(f, rho), rho, 1, "-")) for s, x in zip(slopes, t, strict=True)}
    by = [slopes[unit.position] if unit.slope else values[unit.position] for unit in varied]
    return [sympy.diff(kernel, *by).xreplace(point).xreplace(POINT) for kernel in (ck, ntk)]


@pytest.mark.parametrize("varied", [[Varied(1, 0)], [Varied(1, 0), Varied(1, 1)], [Varied(1, 0, slope=True), Varied(1, 1)]], ids=str)
def test_against_the_formula(varied):
    expected = written(varied)
    for kernel, value in zip((NET.ck, NET.ntk), expected, strict=True):
        found = mixed(kernel.program, Exact(), {0: 1, 1: 1}, varied)
        assert (found is None) == (value == 0)
        if found is not None:
            assert abs(sympy.N(found.xreplace(POINT) - value, 30)) < 1e-25


def test_units_that_are_not_read():
    """The last layer's part reads no slope, and the first one's no value of the last activation."""
    first, _, last = NET.ntk_layers
    assert mixed(last.program, Exact(), {0: 1}, [Varied(1, 0, slope=True)]) is None
    assert mixed(first.program, Exact(), dict.fromkeys(range(4), 1), [Varied(2, 0)]) is None
    assert mixed(first.program, Exact(), dict.fromkeys(range(4), 1), [Varied(2, 0, slope=True)]) != 0


def test_infinite_derivatives():
    with pytest.raises(NoClosedForm, match="infinite"):
        mixed(ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise").ck.program, Exact(), {0: 1, 1: 1}, [Varied(1, 0), Varied(1, 1)])


def test_what_is_reached():
    """The square of a mean has a mixed derivative, but no third one; under a linear level there is none."""
    square, linear = (ss.hierarchical([ss.relu, f], [1, 3]).program for f in ([0, 0, 1], [0, 1]))
    two, three = [Varied(1, 0), Varied(1, 1)], [Varied(1, i) for i in range(3)]
    assert reaches(square, {0, 1}, two, {2: 0})
    assert not reaches(square, {0, 1}, two, {2: 1})
    assert not reaches(square, {0, 1, 2}, three, {})
    assert not reaches(linear, {0, 1}, two, {2: 0})
    # J is (1 + |t|-like even function of t_1)/2 under an even pointwise layer: no odd degree is reached.
    even = ss.hierarchical([ss.absolute, [0, 0, 1]], [1, 2]).program
    assert [reaches(even, {0}, [Varied(1, 0)], {1: k}) for k in range(4)] == [True, False, True, False]
