r"""What every architecture is made of: one nonlinearity between two signals.

A :class:`Signal` is the Gaussian pair that enters a layer: variance q, covariance, and the angle
of the pair where the dual is singular on the diagonal. A :class:`Nonlinearity` turns it into
expressions of the dual :math:`\hat\sigma` and of the dual of :math:`\sigma'`. What the layer does
with them, and which lines it writes, is the business of the architecture
(:mod:`symspec.network`, :mod:`symspec.residual`).

Where the dual is singular, layers hand on the haversine :math:`w=(q-K)/(2q)` of the angle: it
vanishes exactly at rho = 1, and its order there is a theorem. With :math:`\theta` the angle that
enters, :math:`1-\hat\sigma/\hat\sigma(1)` has order 2 in :math:`\theta` for a continuous
activation and order 1 for one with a jump.

>>> from symspec.activations import relu, step
>>> from symspec.program import RHO, THETA0
>>> pair = Signal(S.One, RHO, Support(odd=1), THETA0)
>>> [Nonlinearity(sigma).haversine_order(pair) for sigma in (relu, step)]
[2, 1]
>>> lines, after = handed_on(1, sympy.sin(THETA0 / 2) ** 2, Rational(2), S.One, pair.support)
>>> after.covariance, [str(line.symbol) for line in lines]
(1 - 2*w_1, ['w_1', 'theta_2'])
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import sympy
from sympy import Expr, Rational, S, Symbol

from .activations import Activation
from .dual import Dual, dual
from .errors import InputError
from .expectation import COS, SIN, THETA
from .functions import EVEN, NEITHER, ODD, archav
from .kernel import Kernel, Source
from .program import Line, Program
from .support import Support

MAX_NETWORK_DEPTH = 4096


@dataclass(frozen=True)
class Signal:
    """What enters a layer; ``order`` is that of the angle in sin(theta_0/2) at rho = 1."""

    variance: Expr
    covariance: Expr
    support: Support
    angle: Expr = S.Zero
    order: Rational = S.One


@dataclass(frozen=True)
class Nonlinearity:
    """An activation with its dual, the dual of its derivative, and what is exactly known of both."""

    activation: Activation
    drop_deltas: bool = False

    @cached_property
    def dual(self) -> Dual:
        return self.activation.dual_object

    @cached_property
    def derivative(self) -> Activation:
        return Activation(self.activation.form.derivative(deltas=not self.drop_deltas))

    @cached_property
    def slope_dual(self) -> Dual:
        return dual(self.derivative.form)

    @cached_property
    def angular(self) -> bool:
        """Whether a dual is singular on the diagonal, so that layers hand on an angle."""
        return self.dual.needs_angle or self.slope_dual.needs_angle

    @cached_property
    def jumps(self) -> bool:
        return bool(self.activation.form.jumps)

    @cached_property
    def slope_support(self) -> Support:
        dropped = self.drop_deltas and self.jumps
        return self.derivative.support if dropped else self.activation.support.derivative()

    @cached_property
    def second_moment(self) -> Expr:
        """E sigma(Z)^2, by which the normalised recursions divide; InputError for the zero activation."""
        value = self.dual.diagonal(S.One)
        if value == 0:
            raise InputError("the zero activation cannot be normalised")
        return value

    def value(self, signal: Signal) -> Expr:
        """E sigma(u) sigma(v) for the pair."""
        return self._at(self.dual, signal)

    def slope_line(self, index: int, signal: Signal, factor: Expr) -> Line | None:
        """d_index := factor E sigma'(u) sigma'(v), or None where that is zero."""
        value = factor * self._at(self.slope_dual, signal)
        if sympy.expand(value) == 0:
            return None
        diagonal = factor * self.slope_dual.diagonal(signal.variance) if self.angular else None
        return Line(Symbol(f"d_{index}", real=True), value, diagonal=diagonal)

    def haversine_order(self, signal: Signal) -> Rational:
        """Order at rho = 1 of 1 - value/(value at rho = 1)."""
        return signal.order if self.jumps else 2 * signal.order

    def _at(self, function: Dual, signal: Signal) -> Expr:
        q, angle = signal.variance, signal.angle
        expr = function.substituted(q, q)
        if self.angular:
            # 1 + cos(theta) as 2 cos(theta/2)^2 keeps its relative accuracy at theta = pi.
            expr = expr.xreplace({1 + COS: 2 * sympy.cos(angle / 2) ** 2})
            return expr.xreplace({THETA: angle, COS: sympy.cos(angle), SIN: sympy.sin(angle)})
        return _powers_tidied(expr.xreplace({COS: signal.covariance / q}))


def handed_on(index: int, haversine: Expr, order: Rational, variance: Expr, support: Support) -> tuple[list[Line], Signal]:
    """The lines w_index and theta_(index+1), and the signal that enters the next layer."""
    w, angle = Symbol(f"w_{index}", nonnegative=True), Symbol(f"theta_{index + 1}", real=True)
    symmetry = EVEN if support.is_even else ODD if support.is_odd else NEITHER
    lines = [Line(w, haversine, order), Line(angle, archav(w, symmetry))]
    return lines, Signal(variance, variance * (1 - 2 * w), support, angle, order / 2)


class Architecture(ABC):
    """What :class:`symspec.network.Network` and its kin have in common: an activation, a depth, kernels."""

    activation: Activation
    depth: int
    drop_deltas: bool

    @cached_property
    def nonlinearity(self) -> Nonlinearity:
        return Nonlinearity(self.activation, self.drop_deltas)

    @property
    @abstractmethod
    def ck(self) -> Kernel:
        """The conjugate kernel (neural network Gaussian process kernel)."""

    @property
    @abstractmethod
    def ntk(self) -> Kernel:
        """The neural tangent kernel, the sum of :attr:`ntk_layers`."""

    @property
    @abstractmethod
    def ntk_layers(self) -> tuple[Kernel, ...]:
        """What each trained weight matrix contributes to the tangent kernel, first first."""

    @property
    @abstractmethod
    def parameters(self) -> dict[str, str]:
        """The exact numbers that fix the recursion, as text; empty for the normalised one."""

    @abstractmethod
    def latex(self) -> str:
        """The recursion in LaTeX with this network's dual activations."""

    @abstractmethod
    def conventions(self) -> str:
        """One sentence, LaTeX text mode, that says which recursion :meth:`latex` writes."""

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _part(self, lines: Iterable[Line], slopes: Iterable[Expr], output: Expr, support: Support, kind: str, source: Source | None) -> Kernel:
        """A kernel of this network; infinite on the diagonal where it reads the slope of a jump."""
        program = Program(tuple(lines), output).pruned()
        read = {line.symbol for line in program.lines} & set(slopes)
        infinite = self.nonlinearity.jumps and not self.drop_deltas and bool(read)
        name = f"{kind.upper()} of {self}" if kind in ("ck", "ntk") else f"NTK {kind} of {self}"
        return Kernel(program, support, name, infinite, source, Source(self, kind))


def _powers_tidied(expr: Expr) -> Expr:
    """Cancel q against c/q inside roots and arguments."""

    def shorter(node: Expr) -> Expr:
        expanded = sympy.expand(node, power_exp=False, power_base=False)
        return expanded if sympy.count_ops(expanded) <= sympy.count_ops(node) else node

    return expr.replace(lambda e: e.is_Add or e.is_Mul, shorter)


__all__ = ["MAX_NETWORK_DEPTH", "Architecture", "Nonlinearity", "Signal", "handed_on"]
