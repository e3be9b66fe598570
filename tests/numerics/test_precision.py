"""The working precision is scoped, whatever happens inside."""

from __future__ import annotations

import contextlib
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import sympy
from flint import arb, ctx

import numerics
import symspec as ss
from numerics.constants import ball
from numerics.precision import goal_bits, meets, refine, working_precision
from symspec import errors


def test_restored_after_an_exception_and_when_nested():
    before, cap = ctx.prec, ctx.cap
    with pytest.raises(ZeroDivisionError), working_precision(500, 77):
        assert (ctx.prec, ctx.cap) == (500, 77)
        with working_precision(60):
            assert (ctx.prec, ctx.cap) == (60, 77)
        assert ctx.prec == 500
        raise ZeroDivisionError
    assert (ctx.prec, ctx.cap) == (before, cap)


@pytest.mark.parametrize(
    "call",
    [
        lambda: numerics.evaluate(ss.mlp(ss.relu, 2).ntk, "0.3", 50),
        lambda: numerics.eigenvalues(ss.mlp(ss.relu, 2).ntk, ss.Sphere(4), [0, 7], 25),
        lambda: numerics.eigenvalues(ss.mlp(ss.exp, 1).ck, ss.Sphere(4), [0, 7], 25),
        lambda: numerics.eigenvalues(ss.mlp(ss.sign, 2).ck, ss.Sphere(3), [1], 5),
        lambda: numerics.angle_polynomial(ss.mlp(ss.relu, 1).ck, 12),
        lambda: numerics.evaluate(ss.mlp(ss.relu, 1).ck, 3),
        lambda: numerics.angle_polynomial(ss.mlp(ss.sign, 2).ck, 12),
    ],
)
def test_public_functions_leave_the_context_alone(call):
    with working_precision(91, 13):
        with contextlib.suppress(errors.SymspecError):
            call()
        assert (ctx.prec, ctx.cap) == (91, 13)


def test_goal_bits():
    assert 2 ** goal_bits(30) > 2 * 10**30
    for bad in (0, -1, "x", 10**7):
        with pytest.raises(errors.InputError):
            goal_bits(bad)


def test_meets():
    assert meets(arb(1), 10**6)
    assert not meets(arb(1, 1e-3), 20)
    assert not meets(arb("nan"), 1)
    assert not meets(arb(0, 1e-30), 1)


def test_refine_raises_precision_until_the_goal_and_gives_up():
    asked = []

    def cancelling(precision):
        asked.append(precision)
        return (arb(1) + arb(2) ** -300).log()

    value = refine(cancelling, 100, "log")
    assert value.rel_accuracy_bits() >= 100
    assert len(asked) > 1
    before = ctx.prec
    with pytest.raises(errors.Undecided, match="zero minus zero"):
        refine(lambda _: arb.pi() - arb.pi(), 50, "zero minus zero", factor=2)
    assert ctx.prec == before


def test_threads_do_not_change_each_others_precision():
    """Constants that threads ask for at different precisions are as accurate as asked, and so is what is kept of them."""

    def accuracy(n):
        bits = 64 if n % 2 else 2000
        with working_precision(bits):
            value = ball(sympy.sqrt(n + 2) + sympy.pi * sympy.Rational(1, n + 3))
        return bool(value.rel_accuracy_bits() >= bits - 8)

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(accuracy, range(400)))
    finally:
        sys.setswitchinterval(usual)
