r"""The kernel program: the one central idea of the engine.

A kernel of depth 64 written as one expression has about :math:`3^{64}` nodes. Here it is a
straight-line program instead: a list of :class:`Line`, each naming a small expression in the
symbols named before it, the input angle ``THETA0`` and the input correlation ``RHO`` =
cos(THETA0). One visitor (:func:`compile_program`) turns the lines into a flat :class:`Tape` of
elementary operations with common subexpressions shared; a *carrier* is a table of those
operations on one kind of value. Carriers exist for sympy expressions (below), real and complex
balls, power series (:mod:`numerics`) and float arrays (:mod:`gpu`), so a new activation or layer
needs no new numerics.

>>> w = sympy.Symbol("w")
>>> program = Program((Line(w, sympy.Rational(1, 2) - RHO / 2),), 1 - w * w)
>>> program(sympy.Integer(0)), len(program.tape.operations)
(3/4, 10)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import sympy
from sympy import Expr, Rational, S, Symbol

from .errors import ExpressionTooLarge, NoClosedForm
from .functions import ErfImag, ErfReal, Orthant, archav
from .strip_functions import DualOf, SeriesDual

RHO = Symbol("rho", real=True)
THETA0 = Symbol("theta_0", real=True)
INPUTS = {RHO: "rho", THETA0: "theta"}
MAX_TREE = 100_000

Value = TypeVar("Value")


@dataclass(frozen=True)
class Line:
    """``symbol := expr``. ``order`` is the exact order of the zero at THETA0 = 0, or None.

    The order counts powers of sin(THETA0/2) and may be a fraction (a jump halves it). It is a
    theorem about the exact function, so a carrier of power series may set the coefficients
    below it to zero. ``diagonal`` is the exact value at THETA0 = 0 where the expression itself
    is of the form 0/0 or exp(-1/0) there.
    """

    symbol: Symbol
    expr: Expr
    order: Rational | None = None
    diagonal: Expr | None = None


@dataclass(frozen=True)
class Operation:
    """``registers[result] = name(registers[a] for a in arguments; data)``."""

    name: str
    arguments: tuple[int, ...]
    data: Any = None


@dataclass(frozen=True)
class Tape:
    """Operations in order; operation i writes register i. ``outputs`` are the registers asked for."""

    operations: tuple[Operation, ...]
    outputs: tuple[int, ...]

    def run(self, table: Mapping[str, Callable[..., Value]]) -> list[Value]:
        """Evaluate with a carrier's table; returns one value per output."""
        registers: list[Value] = []
        for operation in self.operations:
            rule = table[operation.name]
            arguments = [registers[index] for index in operation.arguments]
            registers.append(rule(*arguments) if operation.data is None else rule(*arguments, operation.data))
        return [registers[index] for index in self.outputs]

    @cached_property
    def apart(self) -> tuple[Tape, ...]:
        """A tape for each output, of the operations that it needs."""
        return tuple(self.only(output) for output in self.outputs)

    def only(self, *outputs: int) -> Tape:
        """The tape whose outputs are some of the registers, of the operations that they need."""
        needed = set(outputs)
        for index in range(len(self.operations) - 1, -1, -1):
            if index in needed:
                needed.update(self.operations[index].arguments)
        kept = sorted(needed)
        place = {old: new for new, old in enumerate(kept)}
        operations = (self.operations[old] for old in kept)
        return Tape(tuple(Operation(op.name, tuple(place[a] for a in op.arguments), op.data) for op in operations), tuple(place[output] for output in outputs))


# The one rule table of the visitor: sympy head -> operation name of every carrier.
UNARY: dict[type, str] = {
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.asin: "asin",
    sympy.acos: "acos",
    sympy.atan: "atan",
    sympy.erf: "erf",
}
SEVERAL: dict[type, str] = {Orthant: "orthant", ErfReal: "erf_real", ErfImag: "erf_imag"}
OPERATIONS = ("constant", "rho", "theta", "add", "mul", "pow", "archav", "order", "dual", *SEVERAL.values(), *UNARY.values())


class _Compiler:
    """The visitor: sympy expressions to shared registers."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.known: dict[Any, int] = {}

    def emit(self, name: str, *arguments: int, data: Any = None) -> int:
        operation = Operation(name, arguments, data)
        if operation not in self.known:
            self.known[operation] = len(self.operations)
            self.operations.append(operation)
        return self.known[operation]

    def visit(self, expr: Expr, environment: dict[Symbol, int]) -> int:
        if isinstance(expr, Symbol):
            return self._symbol(expr, environment)
        if not expr.free_symbols:
            return self.emit("constant", data=expr)
        if expr.is_Add or expr.is_Mul:
            return self._chain("add" if expr.is_Add else "mul", expr.args, environment)
        if isinstance(expr, sympy.exp):
            return self.emit("exp", self.visit(expr.args[0], environment))
        if expr.is_Pow:
            return self._power(expr, environment)
        if isinstance(expr, archav):
            return self.emit("archav", self.visit(expr.args[0], environment), data=int(expr.args[1]))
        if isinstance(expr, SeriesDual):
            # Data: the function and the order of its derivative. Registers: the two variances and the covariance.
            return self.emit("dual", *(self.visit(part, environment) for part in expr.args[2:]), data=DualOf(expr.args[0], int(expr.args[1])))
        if expr.func in SEVERAL:
            return self.emit(SEVERAL[expr.func], *(self.visit(part, environment) for part in expr.args))
        name = UNARY.get(expr.func)
        if name is None:
            raise NoClosedForm(f"no carrier has a rule for {expr.func.__name__}; rewrite it with {', '.join(sorted(UNARY.values()))}")
        return self.emit(name, self.visit(expr.args[0], environment))

    def _symbol(self, symbol: Symbol, environment: dict[Symbol, int]) -> int:
        if symbol in environment:
            return environment[symbol]
        if symbol in INPUTS:
            return self.emit(INPUTS[symbol])
        raise NoClosedForm(f"the program uses {symbol} before it is defined")

    def _chain(self, name: str, arguments: tuple[Expr, ...], environment: dict[Symbol, int]) -> int:
        numbers = [part for part in arguments if not part.free_symbols]
        rest = [part for part in arguments if part.free_symbols]
        registers = [self.visit(part, environment) for part in rest]
        if numbers:
            folded = sympy.Add(*numbers) if name == "add" else sympy.Mul(*numbers)
            registers.insert(0, self.emit("constant", data=folded))
        result = registers[0]
        for register in registers[1:]:
            result = self.emit(name, result, register)
        return result

    def _power(self, expr: Expr, environment: dict[Symbol, int]) -> int:
        base, exponent = expr.as_base_exp()
        if exponent.is_Rational:
            return self.emit("pow", self.visit(base, environment), data=exponent)
        if base is S.Exp1:
            return self.emit("exp", self.visit(exponent, environment))
        logarithm = self.emit("log", self.visit(base, environment))
        return self.emit("exp", self.emit("mul", logarithm, self.visit(exponent, environment)))


def compile_lines(lines: tuple[Line, ...], outputs: tuple[Expr, ...], symbols: tuple[Symbol, ...] = ()) -> Tape:
    """The visitor on lines and several outputs. ``symbols`` become operations ``("symbol", name)``."""
    compiler = _Compiler()
    environment = {symbol: compiler.emit("symbol", data=symbol.name) for symbol in symbols}
    for line in lines:
        register = compiler.visit(line.expr, environment)
        if line.order is not None:
            register = compiler.emit("order", register, data=line.order)
        environment[line.symbol] = register
    registers = tuple(compiler.visit(out, environment) for out in outputs)
    return Tape(tuple(compiler.operations), registers)


@dataclass(frozen=True)
class Program:
    """Lines and an output expression; see the module docstring."""

    lines: tuple[Line, ...]
    output: Expr

    @cached_property
    def tape(self) -> Tape:
        return compile_lines(self.lines, (self.output,))

    @cached_property
    def inputs(self) -> frozenset[Symbol]:
        """Which of RHO and THETA0 are read."""
        used = set(self.output.free_symbols)
        for line in self.lines:
            used |= line.expr.free_symbols
        return frozenset(used & set(INPUTS))

    @cached_property
    def series_duals(self) -> frozenset[SeriesDual]:
        """The duals without a closed form that lines and output hold; empty where every layer has one."""
        return frozenset(item for expr in (*(line.expr for line in self.lines), self.output) for item in expr.atoms(SeriesDual))

    @cached_property
    def on_diagonal(self) -> Program:
        """The program of the value at rho = 1: every line replaced by its exact value there."""

        def value(line: Line) -> Expr:
            if line.diagonal is not None:
                return line.diagonal
            return S.Zero if line.order is not None and line.order > 0 else line.expr

        lines = tuple(Line(line.symbol, value(line)) for line in self.lines)
        return Program(lines, self.output)

    def run(self, table: Mapping[str, Callable[..., Value]]) -> Value:
        """The value of the program under a carrier."""
        return self.tape.run(table)[0]

    def __call__(self, rho: Expr) -> Expr:
        """The sympy expression at a correlation; see :func:`sympy_table`."""
        program = self.on_diagonal if rho == 1 else self
        return program.run(sympy_table(rho))

    def pruned(self) -> Program:
        """Without the lines that the output does not need."""
        needed, kept = set(self.output.free_symbols), []
        for line in reversed(self.lines):
            if line.symbol in needed:
                needed |= line.expr.free_symbols
                kept.append(line)
        return Program(tuple(reversed(kept)), self.output)

    def renamed(self, suffix: str) -> Program:
        """The same program with every line symbol renamed, to join two programs."""
        names = {line.symbol: Symbol(line.symbol.name + suffix, **line.symbol.assumptions0) for line in self.lines}

        def moved(line: Line) -> Line:
            diagonal = None if line.diagonal is None else line.diagonal.xreplace(names)
            return replace(line, symbol=names[line.symbol], expr=line.expr.xreplace(names), diagonal=diagonal)

        lines = tuple(moved(line) for line in self.lines)
        return Program(lines, self.output.xreplace(names))


def combine(first: Program, second: Program, join: Callable[[Expr, Expr], Expr]) -> Program:
    """The program of join(first, second); lines that both share are kept once."""
    if first.lines != second.lines[: len(first.lines)] and second.lines != first.lines[: len(second.lines)]:
        taken = {line.symbol for line in first.lines}
        suffix = "'"
        while any(Symbol(line.symbol.name + suffix, **line.symbol.assumptions0) in taken for line in second.lines):
            suffix += "'"
        second = second.renamed(suffix)
    lines = first.lines + second.lines if not set(first.lines) & set(second.lines) else max(first.lines, second.lines, key=len)
    return Program(lines, join(first.output, second.output))


def tree_size(expr: Expr) -> int:
    """Number of nodes of the expression written out, counted without writing it out."""
    sizes: dict[Expr, int] = {}
    stack = [expr]
    while stack:
        node = stack[-1]
        missing = [part for part in node.args if part not in sizes]
        if missing:
            stack.extend(missing)
            continue
        sizes[node] = 1 + sum(sizes[part] for part in node.args)
        stack.pop()
    return sizes[expr]


def _cosine(angle: Expr) -> Expr:
    """cos; of acos(x) and half of it without sympy, which takes acos(x) for 0 where x is within 1e-8 of 1."""
    factor, inverse = angle.as_coeff_Mul()
    if isinstance(inverse, sympy.acos) and factor in (1, S.Half):
        x = inverse.args[0]
        return x if factor == 1 else sympy.sqrt((1 + x) / 2)
    return sympy.cos(angle)


def _sine(angle: Expr) -> Expr:
    """sin, likewise."""
    factor, inverse = angle.as_coeff_Mul()
    if isinstance(inverse, sympy.acos) and factor in (1, S.Half):
        x = inverse.args[0]
        return sympy.sqrt(1 - x**2) if factor == 1 else sympy.sqrt((1 - x) / 2)
    return sympy.sin(angle)


def sympy_table(rho: Expr) -> dict[str, Callable[..., Expr]]:
    """The carrier of sympy expressions at correlation ``rho``.

    Raises :class:`ExpressionTooLarge` where the result written out would exceed MAX_TREE nodes.
    """

    def guarded(value: Expr) -> Expr:
        if tree_size(value) > MAX_TREE:
            raise ExpressionTooLarge(f"written out, the expression would have more than {MAX_TREE} nodes; use .latex() for the recursion or numerics.evaluate for values")
        return value

    def archav_rule(w: Expr, _symmetry: int) -> Expr:
        return guarded(sympy.acos(1 - 2 * w))

    table: dict[str, Callable[..., Expr]] = {name: head for head, name in (UNARY | SEVERAL).items()}
    table |= {
        "cos": _cosine,
        "sin": _sine,
        "constant": lambda value: value,
        "rho": lambda: rho,
        "theta": lambda: sympy.acos(rho),
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "pow": lambda a, exponent: guarded(a**exponent),
        "archav": archav_rule,
        "order": lambda value, _order: guarded(value),
        "dual": lambda p, q, c, data: SeriesDual(data.profile, sympy.Integer(data.order), p, q, c),
    }
    return table
