"""Certified leading terms: certified eigenvalues over them tend to 1, and their parts against other ways."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import pytest
import sympy
from flint import arb
from sympy import Integral, Rational

import numerics
import symspec as ss
from numerics.cone_integrals import pair_integral
from symspec.cone_overlap import Cone, factor_of, pair_of, single_transform
from symspec.errors import DomainError, InputError, NoClosedForm, Undecided
from symspec.layers import Nonlinearity

POINTWISE = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")
CHAIN = ss.cnn(ss.relu, 2, 2, 3)


def layered(kernel, activations):
    """The kernel with another activation in every layer."""
    return replace(kernel, program=replace(kernel.program, by_layer=tuple(map(Nonlinearity, activations))), origin=None)


def quadrature(expr):
    """The value, every integral by mpmath."""

    def of(f, limits):
        variable, low, high = limits
        return sympy.Float(mpmath.quad(sympy.lambdify(variable, f, "mpmath"), mpmath.linspace(mpmath.mpf(low), mpmath.mpf(sympy.N(high)), 3)))

    return float(expr.replace(Integral, of))


TABLES = [
    (POINTWISE.ck, 3, (1, 0), [4, 8], None, ["1.545", "1.131"]),
    (POINTWISE.ntk, 3, (1, 0), [8], None, ["1.269"]),
    (ss.cnn(ss.rectified_monomial(2), 2, 2, 2, first_layer="pointwise").ck, 3, (1, 0), [8, 16], None, ["3.244", "1.259"]),
    (POINTWISE.ck, 3, (1, 0), [17], None, ["1.113"]),
    (POINTWISE.ck, 2, (1, 0), [8], None, ["1.124"]),
    (POINTWISE.ck, 3, (1, 0), [16], (0, 1), ["1.165"]),
    (ss.cnn(ss.absolute, 2, 2, 2, first_layer="pointwise").ck, 3, (1, 0), [8, 16], None, ["1.379", "1.096"]),
    (ss.cnn(ss.activation("x*abs(x)"), 2, 2, 2, first_layer="pointwise").ck, 3, (1, 0), [9, 17], None, ["1.555", "1.086"]),
    (ss.cnn(ss.absolute, 2, 2, 3).ck, 3, (1, 1, 0), [7, 9], None, ["1.180", "1.113"]),
    (ss.hierarchical([ss.relu, ss.erf], [1, 2]), 3, (1, 1), [8, 12], None, ["3.205", "1.434"]),
    (layered(POINTWISE.ntk, [ss.relu, ss.erf]), 3, (1, 1), [8, 16], None, ["3.236", "1.203"]),
    (layered(POINTWISE.ck, [ss.relu, ss.rectified_monomial(3)]), 3, (1, 1), [8], None, ["1.411"]),
    (layered(CHAIN.ck, [ss.relu, ss.erf]), 3, (1, 0, 1), [4, 8], None, ["32.41", "2.462"]),
    pytest.param(layered(CHAIN.ck, [ss.relu, ss.erf]), 3, (1, 0, 1), [8, 16], None, ["2.462", "1.177"], marks=pytest.mark.slow),
    pytest.param(layered(CHAIN.ntk, [ss.relu, ss.erf]), 3, (1, 0, 1), [16], None, ["1.19"], marks=pytest.mark.slow),
    pytest.param(ss.hierarchical([ss.step, ss.erf], [1, 2]), 3, (1, 0), [9, 17], None, ["1.007", "1.002"], marks=pytest.mark.slow),
    pytest.param(ss.hierarchical([ss.relu, ss.erf], [1, 3]), 3, (1, 1, 1), [8, 12], None, ["4.79", "1.5"], marks=pytest.mark.slow),
    pytest.param(POINTWISE.ck, 3, (1, 0), [16, 32], None, ["1.032", "1.008"], marks=pytest.mark.slow),
    pytest.param(POINTWISE.ntk, 3, (1, 0), [16, 32], None, ["1.066", "1.017"], marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("kernel", "channels", "direction", "scales", "offset", "ratios"), TABLES, ids=str)
def test_ratios(kernel, channels, direction, scales, offset, ratios):
    """The eigenvalue is certified without the law and the term without the eigenvalue; the ratio comes nearer to 1 with the scale."""
    digits = 2 if any(len(text) < 5 for text in ratios) else 3
    table = numerics.ray_table(kernel, ss.MultiSphere(channels, len(direction)), direction, scales, digits, offset=offset)
    assert not table.missing
    for row, text in zip(table.rows, ratios, strict=True):
        assert row.ratio.rel_accuracy_bits() > 5
        assert (row.ratio / arb(text)).overlaps(arb(1, "0.006" if digits > 2 else "0.04"))
    distances = [abs(float(row.ratio) - 1) for row in table.rows]
    assert distances == sorted(distances, reverse=True)


def test_a_wrong_constant_is_seen():
    """Twice the weight of the unit in the term moves the ratio far from 1."""
    law = ss.cone_law(POINTWISE.ck, 3)
    term = law.decisive_terms({0})[0]
    wrong = replace(term, units=(replace(term.units[0], weights={0: 2 * term.units[0].weights[0]}),))
    index = {0: 16, 1: 0}
    assert sympy.simplify(wrong.transform(index) / term.transform(index)) == 2 ** Rational(3, 2)


def test_against_exact_terms():
    """Whole fields have exact constants, other ones integrals that sympy evaluates."""
    for kernel, index in ((ss.cnn(ss.relu, 2, 2, 2).ntk, (7, 6)), (POINTWISE.ck, (8, 0)), (POINTWISE.ntk, (7, 0))):
        law = ss.cone_law(kernel, 3)
        found = numerics.cone_leading(law, index, 4)
        assert found.rel_accuracy_bits() > 13
        assert abs(found / arb(quadrature(law.leading(index))) - 1) < 1e-4
    assert numerics.cone_leading(ss.cone_law(ss.cnn(ss.relu, 1, 2, 2).ck, 3), (3, 2)) == 0


def test_the_diagonal_behind_a_pointwise_layer():
    """lambda (k_1 k_2)^(7/2) tends to 0.0373."""
    law = ss.cone_law(POINTWISE.ck, 3)
    assert abs(float(numerics.cone_leading(law, (4000, 4000), 6) * arb(4000) ** 7) - 0.0373) < 5e-5


def test_the_integral_over_the_angle():
    """Without shared pixels it is known; with them sympy's quadrature agrees, for integer and half-integer powers."""
    first, second = Cone({0: Rational(1, 2)}, 3), Cone({1: Rational(2, 3)}, 1)
    frequencies = {0: Rational(31, 2), 1: Rational(7, 2)}
    for n in (1, 2, 3):
        with numerics.working_precision(100):
            pair = pair_of(first, second, n)
            value = numerics.ball(factor_of([first, second], n) * pair.jacobian()) * pair_integral(pair, frequencies)
            expected = numerics.ball(single_transform(first, n, frequencies) * single_transform(second, n, frequencies))
            assert value.overlaps(expected)
            assert value.rel_accuracy_bits() > 60
    law = ss.cone_law(layered(CHAIN.ck, [ss.relu, ss.erf]), 3)
    assert abs(numerics.cone_leading(law, (6, 0, 4), 10) / arb(quadrature(law.leading((6, 0, 4)))) - 1) < 1e-9


def test_refusals():
    wide = ss.cnn(ss.relu, 2, 4, 4, first_layer="pointwise")
    for law, index in ((ss.cone_law(wide.ck, 3), (8, 8, 2, 0)), (ss.cone_law(wide.ck, 4), (8, 8, 0, 0))):
        with pytest.raises(Undecided, match="infinite where they are equal"):
            numerics.cone_leading(law, index, support={0, 1})
    with pytest.raises(Undecided, match="cancel"):
        numerics.cone_leading(ss.cone_law(ss.cnn(ss.activation("max(x,0)+max(x,0)**2"), 1, 2, 2).ck, 3), (2, 1))
    space = ss.MultiSphere(3, 2)
    with pytest.raises(InputError, match="direction"):
        numerics.ray_table(POINTWISE.ck, space, (0, 0), [1, 2])
    with pytest.raises(NoClosedForm):
        numerics.ray_table(ss.cnn(ss.erf, 1, 2, 2).ck, space, (1, 0), [2])
    with pytest.raises(DomainError):
        numerics.ray_table(POINTWISE.ck, ss.MultiSphere(3, 3), (1, 0, 0), [2])


def test_exact_zeros_have_no_ratio():
    table = numerics.ray_table(ss.cnn(ss.relu, 1, 2, 2).ck, ss.MultiSphere(3, 2), (1, 0), [2, 3], 3)
    assert [row.ratio is None for row in table.rows] == [False, True]
    assert str(table).splitlines()[-1].split() == ["3,0", "0", "0", "-"]
    assert repr(table) == str(table)
    assert r"$(3,0)$ & $0$ & $0$ & $-$ \\" in table.latex()
