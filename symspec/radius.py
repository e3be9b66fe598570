r"""The first singularity of a smooth kernel on the positive axis.

Every layer of a smooth network is a power series with non-negative coefficients in the covariance
that enters it (Mehler), first singular on the positive axis (Pringsheim; Titchmarsh, Theory of
Functions, 7.21) at a point s that is read off the expression: the base of a root or reciprocal
vanishing, the argument of an arcsine reaching 1. The kernel is a sum of products of such layers,
composed. Sums and products of series with non-negative coefficients have the smallest of the radii. So has
f(g), where g is singular itself, since its coefficients exceed those of a multiple of a power of g; where g is
analytic, f(g) is singular exactly when g reaches the singularity of f, because g increases and can be
inverted. With c the covariances that enter the layers,

.. math:: R=\sup\{\rho: c<s_c\text{ on }[0,\rho]\text{ for every barrier }(c,s_c)\}.

The barriers are exact at any depth and are the definition of R. Where the recursion is inverted
by elementary functions, range by range, R is given in closed form too; its value in any case is the
business of ``numerics.decay_radius``.

>>> import symspec as ss
>>> first_singularity(ss.mlp(ss.erf, 1).ck).closed_form, first_singularity(ss.mlp(ss.gaussian, 1).ck).closed_form
(3/2, 2)
>>> print(first_singularity(ss.mlp(ss.gelu, 3).ntk))
rho = 2 or c_1 = 2 or c_2 = 2
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy
from sympy import Expr, S, Symbol

from .errors import Undecided
from .functions import Orthant
from .inversion import NEVER, inverse, least
from .kernel import Kernel
from .program import RHO, Line, Program

ENTIRE = (sympy.exp, sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.erf, Orthant)
MAX_OPERATIONS = 40
MAX_NODES = 200
SIMPLIFIED_OPERATIONS = 20
SHOWN = 4


@dataclass(frozen=True)
class Barrier:
    """The layer that the covariance ``symbol`` enters is first singular where that is ``value`` (exact, in the variances)."""

    symbol: Symbol
    value: Expr

    def __str__(self) -> str:
        return f"{self.symbol} = {self.value}"


@dataclass(frozen=True)
class Singularity:
    """R, the least rho at which one of the ``barriers`` is met; ``lines`` are the recursion they refer to."""

    lines: tuple[Line, ...]
    barriers: tuple[Barrier, ...]

    @cached_property
    def constants(self) -> dict[Symbol, Expr]:
        """The variances: lines that do not depend on the correlation."""
        found: dict[Symbol, Expr] = {}
        for line in self.lines:
            if line.expr.free_symbols <= set(found):
                found[line.symbol] = line.expr
        return found

    @cached_property
    def closed_form(self) -> Expr | None:
        """R as one expression, None where the recursion is not inverted or it would be too long."""
        found = []
        # The last is the longest to pull back: too long is soon found out.
        for barrier in reversed(self.barriers):
            value = self._pulled_back(barrier)
            if value is None:
                return None
            if value is not NEVER:
                found.append(value)
        result = least(found)
        return sympy.simplify(result) if result is not None and sympy.count_ops(result) < SIMPLIFIED_OPERATIONS else result

    def _pulled_back(self, barrier: Barrier) -> Expr | None:
        """The rho at which the barrier is met, NEVER if its covariance ends below, None if not in closed form."""
        chain = {line.symbol: line.expr for line in self.lines}
        symbol, value = barrier.symbol, self._short(barrier.value)
        while symbol != RHO:
            expr = self._short(chain[symbol])
            if expr is None or value is None or len(expr.free_symbols) != 1 or sympy.count_ops(expr) + sympy.count_ops(value) > MAX_OPERATIONS:
                return None
            (inner,) = expr.free_symbols
            solution = inverse(expr, inner, value)
            if solution is None or solution is NEVER:
                return solution
            symbol, value = inner, solution
        return value

    def _short(self, expr: Expr) -> Expr | None:
        """The expression with its variances written out, None if that is long."""
        size = sum(self._sizes.get(node, 1) for node in sympy.preorder_traversal(expr))
        return written_out(expr, self.constants) if size < MAX_NODES else None

    @cached_property
    def _sizes(self) -> dict[Symbol, int]:
        """Nodes of the variances written out, counted without doing it."""
        sizes: dict[Symbol, int] = {}
        for symbol, expr in self.constants.items():
            sizes[symbol] = sum(sizes.get(node, 1) for node in sympy.preorder_traversal(expr))
        return sizes

    def __str__(self) -> str:
        texts = [str(barrier) for barrier in self.barriers]
        shown = texts if len(texts) <= SHOWN else [*texts[:2], "...", texts[-1]]
        return " or ".join(shown)


def first_singularity(kernel: Kernel) -> Singularity | None:
    """The description of R for a kernel whose power series has non-negative coefficients; None for an entire kernel.

    Raises Undecided where the singularities of a line are not located, or the kernel reads the angle
    (then it is singular at 1), or the signs of its power series are not known.
    """
    if kernel.support is None:
        raise Undecided("the signs of the power series of this kernel are not known, so its first singularity is not located")
    if not kernel.program.inputs <= {RHO}:
        raise Undecided("this kernel is written in the angle and is no power series beyond rho = 1; its law is a power law")
    program = kernel.program.pruned()
    constants: dict[Symbol, Expr] = {}
    barriers: dict[Barrier, None] = {}
    for line in (*program.lines, Line(Symbol("K"), program.output)):
        if line.expr.free_symbols <= set(constants):
            constants[line.symbol] = line.expr
            continue
        barriers |= dict.fromkeys(_barriers(line.expr, constants))
    if not barriers:
        return None
    # Only what the barriers refer to: a tangent kernel's slopes and sums are not needed to locate R.
    needed: Expr = sympy.Tuple(*(part for b in barriers for part in (b.symbol, b.value)))
    return Singularity(Program(program.lines, needed).pruned().lines, tuple(barriers))


def written_out(expr: Expr, constants: dict[Symbol, Expr]) -> Expr:
    """The expression without names of variances."""
    for symbol in reversed(list(constants)):
        if symbol in expr.free_symbols:
            expr = expr.xreplace({symbol: constants[symbol]})
    return expr


def _barriers(expr: Expr, constants: dict[Symbol, Expr]) -> list[Barrier]:
    """The first positive singular value of one line in each symbol that enters it nonlinearly.

    Where two values cannot be compared both are kept: the least rho that meets either is the same.
    """
    found: dict[Symbol, list[Expr]] = {}
    for condition in sorted(_conditions(expr), key=sympy.default_sort_key):
        symbols = condition.free_symbols - set(constants)
        if not symbols:
            continue
        if len(symbols) != 1:
            raise Undecided("the singularities of a layer in several covariances are not located")
        (symbol,) = symbols
        found.setdefault(symbol, []).extend(_positive_roots(condition, symbol, constants))
    return [Barrier(symbol, value) for symbol, values in found.items() for value in _minimal(values)]


def _conditions(expr: Expr) -> set[Expr]:
    """Expressions that vanish where a function in ``expr`` is singular."""
    conditions: set[Expr] = set()
    for node in sympy.preorder_traversal(expr):
        if not node.free_symbols or isinstance(node, (Symbol, *ENTIRE)) or node.is_Add or node.is_Mul:
            continue
        if node.is_Pow:
            if node.base is not S.Exp1 and not (node.exp.is_Integer and node.exp.is_positive):
                conditions.add(node.base)
        elif isinstance(node, (sympy.asin, sympy.acos)):
            conditions.add(1 - node.args[0] ** 2)
        elif isinstance(node, sympy.atan):
            conditions.add(1 + node.args[0] ** 2)
        elif isinstance(node, sympy.log):
            conditions.add(node.args[0])
        else:
            raise Undecided(f"the singularities of {node.func.__name__} are not located")
    return conditions


def _positive_roots(condition: Expr, symbol: Symbol, constants: dict[Symbol, Expr]) -> list[Expr]:
    """All positive roots, or Undecided."""
    x = sympy.Dummy("x", real=True)
    numerator = sympy.factor(sympy.numer(sympy.together(condition.xreplace({symbol: x}))))
    roots: list[Expr] = []
    # A power of positive exponent vanishes with its base.
    for base in (factor.as_base_exp()[0] for factor in sympy.Mul.make_args(numerator)):
        if not base.has(x):
            continue
        if base.is_polynomial(x):
            roots += _polynomial_roots(sympy.Poly(base, x))
            continue
        solutions = sympy.solveset(base, x, sympy.Interval.open(0, sympy.oo))
        if not isinstance(solutions, sympy.FiniteSet) and solutions is not S.EmptySet:
            raise Undecided(f"the zeros of {condition} are not located")
        roots += list(solutions)
    return [root for root in roots if _is_positive(root, constants)]


def _polynomial_roots(poly: sympy.Poly) -> list[Expr]:
    if poly.degree() <= 2:
        return list(sympy.roots(poly))
    if all(c.is_Rational for c in poly.all_coeffs()):
        return list(poly.real_roots())
    raise Undecided(f"the zeros of {poly.as_expr()} are not located")


def _is_positive(root: Expr, constants: dict[Symbol, Expr]) -> bool:
    for rename in (lambda value: value, lambda value: written_out(value, constants)):
        value = rename(root)
        if value.is_real is False:
            return False
        if value.is_real and value.is_positive is not None:
            return bool(value.is_positive)
    raise Undecided("the sign of a singular value of a layer is not decided")


def _minimal(values: list[Expr]) -> list[Expr]:
    """Without values that are known not to be the least."""
    kept: list[Expr] = []
    for value in dict.fromkeys(values):
        if any((value - other).is_nonnegative for other in kept):
            continue
        kept = [other for other in kept if not (other - value).is_nonnegative]
        kept.append(value)
    return kept


__all__ = ["Barrier", "Singularity", "first_singularity", "written_out"]
