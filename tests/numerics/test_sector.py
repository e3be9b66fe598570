"""Double sectors of analyticity."""

from __future__ import annotations

import pytest
import sympy
from flint import acb, arb, fmpq
from hypothesis import given, settings, strategies as st

import symspec as ss
from numerics import sector as module
from numerics.precision import working_precision
from numerics.sector import COMPLEX, End, at_infinity, require_polynomial_growth, sector
from numerics.strip_bounds import evaluator
from symspec import errors
from symspec.strip import StripForm
from symspec.strip_functions import softplus
from symspec.terms import X

from ..symspec.random_strip_activations import strip_activations

tanh = sympy.tanh


def inside(bound, share, side, length, turned):
    """A point of the double sector, or of the disc where ``turned``."""
    angle = arb.pi() * (arb(share) if turned else arb(bound.angle) * arb(share))
    return acb(0, angle).exp() * side * (bound.radius * abs(arb(length)) / 20 if turned else arb(length))


@settings(max_examples=25, deadline=None)
@given(strip_activations, st.integers(1, 15), st.integers(0, 2), st.lists(st.tuples(st.floats(-1, 1), st.sampled_from([-1, 1]), st.floats(0, 20), st.booleans()), min_size=8, max_size=8))
def test_bounds_hold_at_points_inside(random, sixteenths, order, points):
    form = ss.activation(random.text).form
    if not isinstance(form, StripForm):
        return
    try:
        bound = sector(form.base, order, fmpq(sixteenths, 32))
    except errors.NoClosedForm:
        return
    if bound is None:
        return
    with working_precision(80):
        f = evaluator(StripForm(form.base, order).expr, COMPLEX)
        for share, side, length, turned in points:
            z = inside(bound, share, side, length, turned)
            value = f(z)
            assert value.is_finite()
            assert not abs(value) > bound.size * (1 + abs(z)) ** bound.power
            assert turned or not abs(value) > bound.narrow * (1 + abs(z)) ** bound.power


def test_poles_bound_the_angle():
    """tanh(x - 1) has the pole 1 + i pi/2, at 0.3199 pi; mish has one at 0.4534 pi and branch points, at 0.43 pi and above, of its inner function."""
    assert sector(tanh(X - 1), 0, fmpq(31, 100)) is not None
    assert sector(tanh(X - 1), 0, fmpq(33, 100)) is None
    assert sector(tanh(X), 0, fmpq(49, 100)) is not None
    mish = ss.activation("mish").form.base
    assert sector(mish, 0, fmpq(40, 100)) is not None
    assert sector(mish, 0, fmpq(46, 100)) is None


def test_without_the_cuts_poles_go_unseen(monkeypatch):
    """A deliberate fault: finite values at the boundary taken for analyticity."""
    monkeypatch.setitem(COMPLEX.heads, tanh, acb.tanh)
    assert module._on_ray(evaluator(tanh(X - 1), COMPLEX), module._turn(fmpq(33, 100)), 8, 0) is not None
    sector.cache_clear()
    try:
        wrong = sector(tanh(X - 1), 0, fmpq(33, 100))
        assert wrong is not None
        with working_precision(80):
            assert abs(evaluator(tanh(X - 1), COMPLEX)(acb("1.0", arb.pi() / 2 - arb("0.001")))) > wrong.size
    finally:
        sector.cache_clear()


FAR = [tanh(2 * X + 1), sympy.sech(X), softplus(X), softplus(-3 * X), sympy.atan(X - 1), X * (1 + tanh(X / 2)) / 2, tanh(softplus(X))]
FAR += [sympy.sqrt(X**2 + 1), (X**2 + X + 1) ** sympy.Rational(-3, 4), sympy.exp(-softplus(X))]


@pytest.mark.parametrize("expr", FAR)
def test_expansions_at_infinity_hold(expr):
    with working_precision(80):
        for side in (1, -1):
            end = End(side, fmpq(1, 5), arb(30))
            tail = at_infinity(expr, end)
            assert tail is not None
            for length in (30, 31, 100):
                for angle in (-1, 0, "0.7", 1):
                    z = side * length * acb(0, arb.pi() / 5 * arb(angle)).exp()
                    assert tail(z).overlaps(evaluator(expr, COMPLEX)(z))
                    assert tail(acb(z)).real.rad() < 1 + abs(tail(z)) / 10


def test_what_grows_faster_is_refused():
    for expr in (sympy.exp(X) * tanh(X), sympy.sin(X) + tanh(X), sympy.exp(-(X**2)) * tanh(X)):
        with pytest.raises(errors.NoClosedForm, match="sector"):
            require_polynomial_growth(expr)
    require_polynomial_growth(X * tanh(X))
