r"""The first singularity of a smooth kernel on the positive axis.

The layers of a smooth network are elementary functions of the covariance c. Their branch points
and poles are read off the expression: the base of a root or reciprocal vanishing, the argument of
an arcsine reaching 1. By Pringsheim's theorem the power series of a layer, with non-negative
coefficients, is first singular on the positive axis; composing, the kernel is first singular
where the covariance entering some layer reaches that layer's first singularity.

>>> import symspec as ss
>>> first_singularity(ss.mlp(ss.erf, 1).ck), first_singularity(ss.mlp(ss.gaussian, 1).ck)
((True, 3/2), (True, 2))
"""

from __future__ import annotations

import sympy
from sympy import Expr, S, Symbol

from .errors import NoClosedForm
from .kernel import Kernel
from .program import RHO

PRECISION = 40


def first_singularity(kernel: Kernel) -> tuple[bool, Expr | None]:
    """(whether K has a singularity, its exact position R > 1 where a closed form is known)."""
    candidates: list[Expr | None] = []
    values: dict[Symbol, Expr] = {}
    chain: dict[Symbol, Expr] = {}
    for line in kernel.program.lines:
        expr = line.expr.xreplace(values)
        if not expr.free_symbols:
            values[line.symbol] = expr
            continue
        candidates += [_pulled_back(symbol, point, chain) for symbol, point in _own(expr)]
        chain[line.symbol] = expr
    candidates += [_pulled_back(symbol, point, chain) for symbol, point in _own(kernel.program.output.xreplace(values))]
    if not candidates:
        return False, None
    known = [c for c in candidates if c is not None]
    if len(known) < len(candidates):
        return True, None
    return True, min(known, key=lambda value: value.n(PRECISION))


def _own(expr: Expr) -> list[tuple[Symbol, Expr]]:
    """(symbol, first positive singular value) of one line in each symbol that enters nonlinearly."""
    conditions: set[Expr] = set()
    for node in sympy.preorder_traversal(expr):
        if node.is_Pow and node.free_symbols and not (node.exp.is_Integer and node.exp.is_positive) and node.base is not S.Exp1:
            conditions.add(node.base)
        elif isinstance(node, (sympy.asin, sympy.acos)):
            conditions.add(1 - node.args[0] ** 2)
        elif isinstance(node, sympy.atan):
            conditions.add(1 + node.args[0] ** 2)
        elif isinstance(node, sympy.log):
            conditions.add(node.args[0])
    found: dict[Symbol, list[Expr]] = {}
    for condition in conditions:
        symbols = condition.free_symbols
        if not symbols:
            continue
        if len(symbols) != 1:
            raise NoClosedForm("the singularities of a layer in several covariances are not located")
        symbol = symbols.pop()
        x = sympy.Dummy("x", positive=True)
        roots = sympy.solve(condition.xreplace({symbol: x}), x)
        found.setdefault(symbol, []).extend(root for root in roots if root.is_real and root.is_positive)
    return [(symbol, min(roots, key=lambda r: r.n(PRECISION))) for symbol, roots in found.items() if roots]


def _pulled_back(symbol: Symbol, value: Expr, chain: dict[Symbol, Expr]) -> Expr | None:
    """The rho at which the covariance ``symbol`` reaches ``value``, or None if not in closed form."""
    while symbol != RHO:
        expr = chain[symbol]
        inner = [s for s in expr.free_symbols if s in chain or s == RHO]
        if len(inner) != 1:
            return None
        x = sympy.Dummy("x", positive=True)
        try:
            roots = [r for r in sympy.solve(expr.xreplace({inner[0]: x}) - value, x) if r.is_real and r.is_positive]
        except NotImplementedError:
            return None
        if not roots:
            return None
        symbol, value = inner[0], min(roots, key=lambda r: r.n(PRECISION))
    return sympy.simplify(value)
