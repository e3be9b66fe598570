r"""A smooth kernel next to its first singularity: everything singular written with one root.

By :mod:`symspec.radius` the kernel is first singular where a covariance c reaches a value :math:`s_c`. The layer that c enters
holds roots, reciprocals of roots and arcsines of polynomials in c that vanish there. With the gap :math:`u=s_c-c`

.. math:: b(c)=u\,b_1(c)\;\Rightarrow\;b^r=(\sqrt u)^{2r}\,b_1^r,\qquad
          \arcsin x=\tfrac\pi2-2\arcsin\bigl(\sqrt u\sqrt{k_1}\bigr)\ \text{ for }\ \tfrac{1-x}2=u\,k_1(c),

(with :math:`u=c-s` and arcsines of -1 where c falls to :math:`s=-s_c`, as an odd c does at -R)
the kernel is a program in :math:`\sqrt u`, :math:`1/\sqrt u` and functions that are regular there. As c has a positive
derivative on the positive axis, :math:`\sqrt u` is s times a power series in :math:`s^2=\frac12(1-\rho/R)`, so the kernel is a Laurent
series in s: what singularity analysis needs (Flajolet and Sedgewick, Analytic Combinatorics, VI).

>>> import symspec as ss
>>> from symspec.radius import Barrier
>>> form = barrier_form(ss.mlp(ss.gaussian, 1).ck, Barrier(RHO, sympy.Integer(2)))
>>> form.lines[0].expr
sqrt(3)*inverse_root_of_gap/sqrt(rho + 2)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import sympy
from sympy import Expr, S, Symbol

from .errors import Undecided
from .exact import is_zero
from .functions import EVEN, NEITHER, ODD
from .kernel import Kernel
from .program import RHO, Line, Program, Tape, compile_lines
from .radius import Barrier, written_out

ROOT = Symbol("root_of_gap", positive=True)
INVERSE_ROOT = Symbol("inverse_root_of_gap", positive=True)


@dataclass(frozen=True)
class BarrierForm:
    """The lines and output of a kernel with the root of the gap as a further input; ``gap`` is the program of the gap itself."""

    barrier: Barrier
    gap: Program
    lines: tuple[Line, ...]
    output: Expr

    @cached_property
    def tape(self) -> Tape:
        """The kernel as operations; the root and its reciprocal are the symbols."""
        return compile_lines(self.lines, (self.output,), (ROOT, INVERSE_ROOT))

    def covariance(self, symbol: Symbol) -> Tape:
        """One of the lines (or rho), likewise."""
        return compile_lines(self.lines, (symbol,), (ROOT, INVERSE_ROOT))


def barrier_form(kernel: Kernel, barrier: Barrier, *, falling: bool = False) -> BarrierForm:
    """The form at a barrier that the covariance rises to, or is ``falling`` to; Undecided where what vanishes there is no polynomial in it."""
    constants: dict[Symbol, Expr] = {}
    for line in kernel.program.lines:
        if line.expr.free_symbols <= set(constants):
            constants[line.symbol] = line.expr
    side = -1 if falling else 1
    rewrite = _Rewriter(barrier.symbol, barrier.value, side, constants)
    lines = tuple(replace(line, expr=rewrite(line.expr)) for line in kernel.program.lines)
    gap = Program(kernel.program.lines, side * (barrier.value - barrier.symbol)).pruned()
    return BarrierForm(barrier, gap, lines, rewrite(kernel.program.output))


@dataclass(frozen=True)
class _Rewriter:
    symbol: Symbol
    value: Expr
    side: int
    constants: dict[Symbol, Expr]

    def __call__(self, expr: Expr) -> Expr:
        if self.symbol not in expr.free_symbols or expr.is_Symbol:
            return expr
        if expr.is_Pow and not (expr.exp.is_Integer and expr.exp.is_positive) and expr.base is not S.Exp1:
            return self._power(expr)
        if isinstance(expr, (sympy.asin, sympy.acos)):
            return self._arcsine(expr)
        if isinstance(expr, (sympy.atan, sympy.log)):
            inner = self(expr.args[0])
            if inner != expr.args[0] or (isinstance(expr, sympy.log) and self._vanishes(inner)):
                raise Undecided(f"{expr} at its singularity is not written with one root")
            return expr
        return expr.func(*(self(part) for part in expr.args))

    def _power(self, expr: Expr) -> Expr:
        base, exponent = expr.base, expr.exp
        inner = self(base)
        if inner != base:
            return self._power_of_root(expr, sympy.factor(inner))
        if not self._vanishes(base):
            return expr
        if not (2 * exponent).is_Integer:
            raise Undecided(f"{expr} is no power of the root of the gap")
        return _root_to(2 * exponent) * self._cofactor(base) ** exponent

    def _power_of_root(self, expr: Expr, base: Expr) -> Expr:
        """A power of a product that holds the root of the gap as a factor."""
        rest, roots = base.as_independent(ROOT, INVERSE_ROOT)
        powers = roots.as_powers_dict()
        order = (powers.get(ROOT, 0) - powers.get(INVERSE_ROOT, 0)) * expr.exp
        if not (set(powers) <= {ROOT, INVERSE_ROOT} and order.is_Integer) or self._vanishes(rest):
            raise Undecided(f"{expr} at its singularity is not written with one root")
        return _root_to(order) * rest**expr.exp

    def _arcsine(self, expr: Expr) -> Expr:
        argument = expr.args[0]
        for sign in (1, -1):
            half = (1 - sign * argument) / 2
            if self._vanishes(half):
                angle = 2 * sympy.asin(ROOT * sympy.sqrt(self._cofactor(half)))
                # asin(-x) = -asin(x), acos(-x) = pi - acos(x).
                arcsine = sign * (sympy.pi / 2 - angle)
                return arcsine if isinstance(expr, sympy.asin) else sympy.pi / 2 - arcsine
        return expr

    def _vanishes(self, expr: Expr) -> bool:
        at = sympy.expand(_without_squares(expr.xreplace({self.symbol: self.value})))
        return bool(is_zero(at) or is_zero(sympy.expand(written_out(at, self.constants))))

    def _cofactor(self, expr: Expr) -> Expr:
        """expr/gap for a polynomial that vanishes at the value."""
        if not expr.is_polynomial(self.symbol):
            raise Undecided(f"{expr} vanishes at the singularity and is no polynomial in {self.symbol}")
        coefficients = sympy.Poly(expr, self.symbol).all_coeffs()
        # Horner's rule divides by symbol - value; the remainder is the value, which is 0.
        quotient, carried = [], S.Zero
        for c in coefficients[:-1]:
            carried = carried * self.value + c
            quotient.append(-self.side * carried)
        found = sympy.Add(*(c * self.symbol**power for power, c in enumerate(reversed(quotient))))
        if self._vanishes(found):
            raise Undecided(f"{expr} has a double zero at the singularity")
        return sympy.expand(found)


def _root_to(power: Expr) -> Expr:
    return ROOT**power if power > 0 else INVERSE_ROOT**-power


def _without_squares(expr: Expr) -> Expr:
    """Squares taken out of roots: sqrt(q^2 + q + 1/4) is q + 1/2 for a variance q."""
    return expr.replace(lambda node: node.is_Pow and not node.exp.is_Integer, lambda node: sympy.factor(node.base) ** node.exp)


def parity(program: Program, symbol: Symbol) -> int:
    """EVEN or ODD if the line (or rho) is seen to be an even or odd function of rho, else NEITHER."""
    known: dict[Symbol, int] = {RHO: ODD}
    for line in program.lines:
        free = line.expr.free_symbols
        if not free & set(known):
            known[line.symbol] = EVEN
            continue
        turned = line.expr.xreplace({name: -name for name in free if known[name] == ODD})
        known[line.symbol] = EVEN if turned == line.expr else ODD if turned == -line.expr else int(NEITHER)
        if any(known[name] == NEITHER for name in free):
            known[line.symbol] = int(NEITHER)
    return known[symbol]


__all__ = ["INVERSE_ROOT", "RHO", "ROOT", "BarrierForm", "barrier_form", "parity"]
