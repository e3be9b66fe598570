r"""Induction on truncated Puiseux series with symbolic coefficients, checked by the machine.

Let functions :math:`F_i^n(u)`, n = first, first + 1, ..., follow a recursion :math:`F^{n+1}=T(F^n)`.
A *claim* is an expansion :math:`F_i^n=\sum_jc_{i,j}(n)\,u^{j/2}+O(u^{N_i/2})` as u -> 0+, with coefficients
in the symbol n and in named sequences (:class:`Sequence`) that have recursions of their own.
By induction a claim holds for every n if

* **base**: the expansion of the first member, derived from its definition, is the claim at n = first;
* **step**: T applied to the claimed expansions, in truncated series arithmetic that carries the
  remainders, is the claim at n + 1.

:func:`prove` derives both sides, coefficient by coefficient, and demands that every difference is
exactly 0 after simplification. Each comparison is kept as data, so a proof can be printed and checked
again (:meth:`Induction.recheck`). A false claim is :class:`~symspec.errors.Refuted` with the coefficient
named. What the machine does not check is that T is rightly transcribed and that the series arithmetic is
allowed (the functions inside are analytic where they are expanded); that is for the text around it.

>>> from sympy import S
>>> n = INDEX
>>> def tripled(now):
...     return {"F": now["F"] + now["F"] + now["F"]}
>>> start = {"F": Series({1: S.One}, 4)}
>>> proved = prove(Problem(S.Zero, {"F": Series({1: 3**n}, 4)}, start, tripled))
>>> [str(item) for item in proved.comparisons if item.claimed != 0]
['F at the base, u^(1/2): 1 = 1', 'F at the step, u^(1/2): 3*3**ell = 3**(ell + 1)']
>>> prove(Problem(S.Zero, {"F": Series({1: 1 + 2 * n}, 4)}, start, tripled))
Traceback (most recent call last):
    ...
symspec.errors.Refuted: F, the step: the recursion gives 6*ell + 3 for the coefficient of u^(1/2), the claim says 2*ell + 3
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy
from sympy import Expr, Rational, Symbol

from .errors import Refuted
from .singularity import Series

# The symbol over which inductions run, the depth of a network.
INDEX = Symbol("ell", integer=True, nonnegative=True)

Family = Mapping[str, Series]


@dataclass(frozen=True)
class Sequence:
    """A named sequence of constants: ``symbol`` stands for member n, ``following`` is member n + 1."""

    symbol: Symbol
    start: Expr
    following: Expr


@dataclass(frozen=True)
class Problem:
    """What is to be proved for every n >= first: claims, first members and the recursion.

    ``given`` holds expansions that were proved before, for every n, and that the recursion reads.
    """

    first: Expr
    claims: Family
    start: Family
    layer: Callable[[Family], Family]
    sequences: tuple[Sequence, ...] = ()
    given: Family = field(default_factory=dict)

    def at_first(self, value: Expr) -> Expr:
        """An expression in n and the named sequences at n = first."""
        return value.subs({INDEX: self.first} | {item.symbol: item.start for item in self.sequences}, simultaneous=True)

    def at_next(self, value: Expr) -> Expr:
        """The same at n + 1, the named sequences by their recursions."""
        return value.subs({INDEX: INDEX + 1} | {item.symbol: item.following for item in self.sequences}, simultaneous=True)


@dataclass(frozen=True)
class Comparison:
    """One coefficient derived and claimed: at the base, or at the step from n to n + 1."""

    name: str
    place: str
    power: Rational
    derived: Expr
    claimed: Expr

    @property
    def difference(self) -> Expr:
        """Derived minus claimed, simplified: 0 in a proof."""
        value = sympy.expand(self.derived - self.claimed)
        return value if value == 0 else sympy.simplify(value)

    def __str__(self) -> str:
        return f"{self.name} at the {self.place}, u^({self.power}): {self.derived} = {self.claimed}"


@dataclass(frozen=True)
class Induction:
    """A proved problem with the comparisons that prove it."""

    problem: Problem
    comparisons: tuple[Comparison, ...]

    def recheck(self) -> None:
        """Derive everything again, and compare with what is recorded; Refuted if anything differs."""
        if prove(self.problem).comparisons != self.comparisons:
            raise Refuted("the recorded comparisons are not those of the problem")


def prove(problem: Problem) -> Induction:
    """Check base and step of every claim; Refuted names the first coefficient that fails."""
    stepped = problem.layer({**problem.given, **problem.claims})
    found: list[Comparison] = []
    for name, claim in problem.claims.items():
        found += _compared(name, "base", problem.start[name], _mapped(claim, problem.at_first))
    for name, claim in problem.claims.items():
        found += _compared(name, "step", stepped[name], _mapped(claim, problem.at_next))
    return Induction(problem, tuple(found))


def _mapped(series: Series, change: Callable[[Expr], Expr]) -> Series:
    return Series({j: change(value) for j, value in series.terms.items()}, series.order)


def _compared(name: str, place: str, derived: Series, claimed: Series) -> list[Comparison]:
    if derived.order < claimed.order:
        raise Refuted(f"{name}, the {place}: the recursion gives O(u^({Rational(derived.order, 2)})), too early for the claim O(u^({Rational(claimed.order, 2)}))")
    rows = []
    for j in range(min(0, derived.valuation, claimed.valuation), claimed.order):
        row = Comparison(name, place, Rational(j, 2), derived.coefficient(j), claimed.coefficient(j))
        if row.difference != 0:
            raise Refuted(f"{name}, the {place}: the recursion gives {row.derived} for the coefficient of u^({row.power}), the claim says {row.claimed}")
        rows.append(row)
    return rows


__all__ = ["INDEX", "Comparison", "Induction", "Problem", "Sequence", "prove"]
