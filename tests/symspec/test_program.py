from __future__ import annotations

import math

import mpmath
import pytest
import sympy
from sympy import Rational, Symbol, cos, exp, pi, sin, sqrt

import symspec as ss
from symspec.errors import ExpressionTooLarge, NoClosedForm
from symspec.functions import Orthant, archav
from symspec.program import RHO, THETA0, Line, Program, combine, sympy_table, tree_size

from .mpmath_carrier import evaluate

W, A = Symbol("w", nonnegative=True), Symbol("a", real=True)


def test_common_subexpressions_are_shared():
    program = Program((Line(W, (1 - RHO) / 2),), sqrt(W) + W * sin(THETA0) + sin(THETA0) ** 2)
    names = [operation.name for operation in program.tape.operations]
    assert names.count("sin") == 1
    assert names.count("rho") == 1


def test_carriers_agree():
    program = Program((Line(W, sin(THETA0 / 2) ** 2), Line(A, archav(W, 0))), exp(-A) * RHO + A ** Rational(3, 2) / pi + cos(A))
    with mpmath.workdps(40):
        for rho in (Rational(-4, 5), Rational(1, 3)):
            direct = mpmath.mpmathify(program(rho).evalf(40))
            assert mpmath.almosteq(direct, evaluate(program, mpmath.mpf(int(rho.p)) / int(rho.q)), mpmath.mpf(10) ** -35)


def test_an_order_marks_the_line_and_keeps_the_value():
    program = Program((Line(W, sin(THETA0 / 2) ** 2, Rational(2)),), 1 - 2 * W)
    assert ("order", Rational(2)) in {(operation.name, operation.data) for operation in program.tape.operations}
    assert sympy.simplify(program(Rational(1, 3)) - Rational(1, 3)) == 0


def test_what_no_carrier_knows_is_refused():
    with pytest.raises(NoClosedForm, match="no carrier has a rule for gamma"):
        _ = Program((), sympy.gamma(RHO)).tape
    with pytest.raises(NoClosedForm, match="before it is defined"):
        _ = Program((), W + 1).tape


def test_tree_size_counts_the_nodes_of_the_tree():
    expr = RHO
    for _ in range(6):
        expr = exp(expr) * cos(expr) + 1
    assert tree_size(expr) == sum(1 for _ in sympy.preorder_traversal(expr)) > 2**6


def test_a_result_too_large_to_write_is_refused():
    symbols = [Symbol(f"s_{i}", positive=True) for i in range(30)]
    lines = tuple(Line(new, sqrt(old + exp(old))) for old, new in zip(symbols, symbols[1:], strict=False))
    program = Program((Line(symbols[0], RHO + 2), *lines), symbols[-1])
    with pytest.raises(ExpressionTooLarge, match="nodes"):
        program(Symbol("t", positive=True))


def test_pruning_drops_what_is_not_needed():
    program = Program((Line(W, RHO**2), Line(A, RHO**3)), A + 1)
    assert [line.symbol for line in program.pruned().lines] == [A]
    assert program.pruned()(Rational(1, 2)) == program(Rational(1, 2))


def test_joined_programs_keep_both_meanings():
    first, second = Program((Line(W, RHO**2),), W + 1), Program((Line(W, RHO**3),), W + 2)
    assert combine(first, second, lambda a, b: a * b)(Rational(1, 2)) == Rational(5, 4) * Rational(17, 8)
    longer = Program((Line(W, RHO**2), Line(A, W + 1)), A)
    assert combine(first, longer, lambda a, b: a - b)(Rational(1, 3)) == 0
    assert len(combine(first, longer, lambda a, b: a - b).lines) == 2


def test_every_rule_of_the_sympy_table_is_a_function_of_the_right_value():
    table = sympy_table(Rational(1, 2))
    assert table["theta"]() == pi / 3
    assert table["archav"](Rational(1, 4), 0) == pi / 3
    assert table["orthant"](sympy.S.Zero, sympy.S.Zero, pi / 2) == Rational(1, 4) == Orthant(0, 0, pi / 2)


def test_outputs_apart():
    """Each output by its own operations, in fewer registers."""
    tape = ss.cnn(ss.relu, 1, 2, 2).ck.program.dual.at(1).same
    symbols = {"q": 1.5, "w": 0.3}
    rules = {name: getattr(math, name) for name in ("sin", "cos")} | {
        "constant": float, "symbol": symbols.__getitem__, "add": lambda a, b: a + b, "mul": lambda a, b: a * b, "pow": lambda a, n: a ** float(n), "archav": lambda w, _s: 2 * math.asin(math.sqrt(w)),
    }
    whole, parts = tape.run(rules), tape.apart
    assert [part.run(rules) for part in parts] == [[value] for value in whole]
    assert all(len(part.operations) < len(tape.operations) for part in parts)
