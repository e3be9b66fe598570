r"""Kernels: programs in the correlation, with the exact facts known about them.

>>> from symspec.network import mlp
>>> from symspec.activations import relu
>>> mlp(relu, 1).ck(sympy.Rational(0))
1/pi
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import lcm
from typing import Any

import sympy
from sympy import Expr, Rational, S

from .activations import correlation
from .errors import InputError
from .exact import exact
from .functions import EVEN, NEITHER, ODD
from .program import RHO, THETA0, Line, Program, combine
from .support import Support

MAX_POLYNOMIAL_DEGREE = 400


@dataclass(frozen=True)
class Source:
    """Where a kernel comes from: scale times one part ("ck", "ntk", "layer 1", ...) of a network."""

    network: Any
    part: str
    scale: Expr = S.One


@dataclass(frozen=True)
class Kernel:
    """A zonal kernel K(rho), rho in [-1, 1] the correlation (cosine) of two inputs.

    ``support`` is the reach of its power series with non-negative coefficients, or None where
    positivity is not known (a kernel typed in as an expression). ``diagonal_is_infinite`` says
    that K(1) is infinite: the tangent kernel of an activation with a jump. ``origin`` is the network it
    was taken from, ``source`` a network with closed-form eigenvalues that it is a multiple of.
    """

    program: Program
    support: Support | None = None
    name: str = field(default="K", compare=False)
    diagonal_is_infinite: bool = False
    source: Source | None = field(default=None, compare=False)
    origin: Source | None = field(default=None, compare=False)

    def __call__(self, rho: Any = RHO) -> Expr:
        """K(rho) as a sympy expression; exact for an exact number rho in [-1, 1].

        Raises DomainError for a number outside [-1, 1], ExpressionTooLarge for deep networks
        at a symbolic rho.
        """
        point = correlation(rho)
        return sympy.oo if point == 1 and self.diagonal_is_infinite else _tidy(self.program(point))

    def latex(self) -> str:
        """LaTeX: the closed form where it is short, else the recursion line by line."""
        from .latex import kernel_latex

        return kernel_latex(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    @cached_property
    def symmetry(self) -> int:
        """EVEN, ODD or NEITHER (also where it is not known)."""
        if self.support is None:
            return int(NEITHER)
        return int(EVEN if self.support.is_even else ODD if self.support.is_odd else NEITHER)

    @cached_property
    def polynomial(self) -> sympy.Poly | None:
        """The kernel as a polynomial in rho where it is seen to be one (of degree at most MAX_POLYNOMIAL_DEGREE), else None."""
        ends = self.support is not None and self.support.degree <= MAX_POLYNOMIAL_DEGREE
        if not (ends or (not self.program.lines and self.program.output.is_polynomial(RHO))):
            return None
        found = sympy.Poly(sympy.expand(self.program(RHO)), RHO)
        return found if found.degree() <= MAX_POLYNOMIAL_DEGREE else None

    @cached_property
    def ramification(self) -> int:
        """The least m such that the kernel is a power series in theta^(1/m) at theta = 0."""
        denominators = [Rational(line.order).q for line in self.program.lines if line.order is not None]
        halves = [Rational(line.order / 2).q for line in self.program.lines if line.order is not None and self._feeds_angle(line)]
        return lcm(*(int(q) for q in denominators + halves))

    def _feeds_angle(self, line: Line) -> bool:
        from .functions import archav

        return any(isinstance(other.expr, archav) and line.symbol in other.expr.free_symbols for other in self.program.lines)

    def __add__(self, other: Kernel) -> Kernel:
        supports = self.support + other.support if self.support and other.support else None
        return self._joined(other, lambda a, b: a + b, supports, f"{self.name} + {other.name}")

    def __mul__(self, other: Any) -> Kernel:
        if isinstance(other, Kernel):
            supports = self.support * other.support if self.support and other.support else None
            return self._joined(other, lambda a, b: a * b, supports, f"({self.name})({other.name})")
        factor = exact(other, "factor")
        if factor.is_positive is not True:
            raise InputError(f"a kernel can be multiplied by a positive number, not {other}")
        source, origin = (replace(item, scale=item.scale * factor) if item else None for item in (self.source, self.origin))
        return replace(self, program=replace(self.program, output=factor * self.program.output), name=f"{factor} {self.name}", source=source, origin=origin)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Kernel:
        return self * (1 / exact(other, "divisor"))

    def _joined(self, other: Kernel, join: Any, support: Support | None, name: str) -> Kernel:
        program = combine(self.program, other.program, join)
        return Kernel(program, support, name, self.diagonal_is_infinite or other.diagonal_is_infinite)

    def __repr__(self) -> str:
        return f"Kernel({self.name})"


def _tidy(expr: Expr) -> Expr:
    """Light simplification of a short result; long ones are left as they are built."""
    from .program import tree_size

    return sympy.factor_terms(sympy.expand(expr)) if tree_size(expr) < 300 else expr


def zonal_kernel(expr: Any, support: Support | None = None) -> Kernel:
    """A kernel from a sympy expression in the correlation ``rho``.

    Square roots of 1 - rho, 1 + rho and 1 - rho^2 and arccosines are rewritten in the angle, so
    the expression may be singular at rho = +-1 only. ``support`` may state the reach of the
    power series where its coefficients are known to be non-negative; nothing is assumed
    otherwise.
    """
    if not isinstance(expr, Expr):
        raise InputError("zonal_kernel takes a sympy expression in the symbol rho")
    names = {symbol.name for symbol in expr.free_symbols}
    if names - {"rho"}:
        raise InputError(f"the expression may contain the symbol rho only, not {', '.join(sorted(names - {'rho'}))}")
    body = expr.xreplace(dict.fromkeys(expr.free_symbols, RHO))
    return Kernel(Program((), in_angle(body)), support, f"{expr}")


def in_angle(expr: Expr) -> Expr:
    """Rewrite square roots and inverse cosines of the correlation in the angle THETA0."""
    half = THETA0 / 2
    roots = {1 - RHO: sympy.sqrt(2) * sympy.sin(half), 1 + RHO: sympy.sqrt(2) * sympy.cos(half), 1 - RHO**2: sympy.sin(THETA0)}

    def root(base: Expr, exponent: Expr) -> Expr:
        content, primitive = sympy.expand(base).as_content_primitive()
        for factor in (primitive, -primitive):
            if factor in roots and (content if factor == primitive else -content).is_positive:
                scale = content if factor == primitive else -content
                return scale**exponent * roots[factor] ** (2 * exponent)
        return base**exponent

    expr = expr.replace(lambda e: e.is_Pow and e.exp.is_Rational and e.exp.q == 2, lambda e: root(e.base, e.exp))
    expr = expr.replace(lambda e: e == sympy.acos(RHO), lambda e: THETA0)
    return expr.replace(lambda e: e == sympy.asin(RHO), lambda e: sympy.pi / 2 - THETA0)


def power(n: int) -> Kernel:
    """The kernel rho^n."""
    return Kernel(Program((), RHO**n), Support(even=n if n % 2 == 0 else -1, odd=n if n % 2 else -1), f"rho^{n}")


__all__ = ["Kernel", "in_angle", "power", "zonal_kernel"]
