r"""Residual networks and the programs of their kernels.

**Architecture** (Huang, Wang, Tao and Zhao 2020; Belfer, Geifman, Galun and Basri, arXiv 2104.03093),
with L blocks of width m, every weight standard normal:

.. math:: x_0=\tfrac1{\sqrt m}Ax,\quad
          x_\ell=x_{\ell-1}+\alpha\sqrt{\tfrac{q_{\ell-1}}{m\,\hat\sigma(1)}}\;V_\ell\,
          \sigma\!\Bigl(\tfrac1{\sqrt{m\,q_{\ell-1}}}\,W_\ell x_{\ell-1}\Bigr),\quad f=v^\top x_L,\quad q_\ell=(1+\alpha^2)^\ell,

for inputs of norm :math:`\sqrt m` in the units of A, so that :math:`q_\ell` is the variance of the
coordinates of :math:`x_\ell`. The :math:`W_\ell` and :math:`V_\ell` are trained, A and v are not.
The constants :math:`q_\ell` give every preactivation variance 1 and the branch :math:`\alpha^2` times
the variance of the skip. For an activation that is homogeneous of degree one, such as ReLU, they
cancel, and what is left is the published network (:math:`1/\hat\sigma(1)=2` there); for other
activations they are part of the definition.

**Kernels.** With :math:`\kappa=\hat\sigma/\hat\sigma(1)` and :math:`\kappa'=\widehat{\sigma'}/\hat\sigma(1)`,
the correlation after block l and the tangent kernel, in the published normalisation, are

.. math:: u_0=\rho,\quad u_\ell=\frac{u_{\ell-1}+\alpha^2\kappa(u_{\ell-1})}{1+\alpha^2},\qquad
          \Theta=\frac1{2Lq_{L-1}}\sum_{\ell=1}^L q_{\ell-1}
          \bigl[u_{\ell-1}\kappa'(u_{\ell-1})+\kappa(u_{\ell-1})\bigr]\prod_{s>\ell}\bigl[1+\alpha^2\kappa'(u_{s-1})\bigr].

The two summands are what :math:`W_\ell` and :math:`V_\ell` contribute. The tangent kernel of f itself is
:math:`2L\alpha^2q_{L-1}` times this one, its conjugate kernel :math:`q_Lu_L`. Homogeneous of degree one
gives :math:`\kappa'(1)=1` and :math:`\Theta(1)=1` at every depth; other activations do not.

The program hands on the haversine :math:`w=(1-u)/2` as dense layers do. It is
:math:`w_\ell=(w_{\ell-1}+\alpha^2a_\ell)/(1+\alpha^2)` with :math:`a_\ell=(1-\kappa(u_{\ell-1}))/2`: a sum of two
non-negative functions, so it vanishes at rho = 1 to the lesser of their orders.

>>> from symspec.activations import relu
>>> net = resnet(relu, 2, 1)
>>> net.ck(1), net.ntk(1), [part(1) for part in net.ntk_layers]
(1, 1, [1/4, 1/4, 1/4, 1/4])
>>> resnet(relu, 1, 1).ck(0), resnet(relu, 1, "1/2").ntk(0)
(1/(2*pi), 1/(2*pi))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol

from .activations import Activation, activation as as_activation
from .errors import InputError
from .exact import exact, natural
from .kernel import Kernel, Source
from .layers import MAX_NETWORK_DEPTH, Architecture, Nonlinearity, Signal, handed_on
from .network import mlp
from .program import RHO, THETA0, Line
from .support import Support


@dataclass(frozen=True)
class ResidualNetwork(Architecture):
    """A residual network of infinite width; see :func:`resnet`."""

    activation: Activation
    depth: int
    alpha: Expr
    drop_deltas: bool = False

    @cached_property
    def _blocks(self) -> _Blocks:
        return _Builder(self.nonlinearity, self.alpha).run(self.depth)

    @cached_property
    def ck(self) -> Kernel:
        """u_L, the correlation after the last block: the conjugate kernel divided by its value at rho = 1."""
        last = self._blocks.signals[-1]
        return self._kernel(self._blocks.lines, last.covariance, last.support, "ck")

    @cached_property
    def ntk(self) -> Kernel:
        """The neural tangent kernel in the normalisation of the module docstring, the sum of :attr:`ntk_layers`.

        Raises InputError at depth 0, where nothing is trained.
        """
        self._require_trained()
        lines, output, support = list(self._blocks.lines), S.Zero, Support()
        for index, block in enumerate(self._blocks.blocks, start=1):
            symbol = Symbol(f"t_{index}", real=True)
            lines.append(Line(symbol, output * self._gain(block) + block.inner + block.value))
            output, support = symbol, support * block.gain_support + block.inner_support + block.value_support
        return self._kernel(lines, output / (2 * self.depth), support, "ntk")

    @cached_property
    def ntk_layers(self) -> tuple[Kernel, ...]:
        """What the 2 depth trained matrices W_1, V_1, W_2, V_2, ... contribute to the tangent kernel."""
        self._require_trained()
        parts: list[Kernel] = []
        for index, block in enumerate(self._blocks.blocks, start=1):
            for output, support in ((block.inner, block.inner_support), (block.value, block.value_support)):
                parts.append(self._layer_part(index, output, support, f"layer {len(parts) + 1}"))
        return tuple(parts)

    def _layer_part(self, index: int, output: Expr, support: Support, kind: str) -> Kernel:
        lines = list(self._blocks.lines)
        for later, block in enumerate(self._blocks.blocks[index:], start=index + 1):
            symbol = Symbol(f"t_{later}", real=True)
            lines.append(Line(symbol, output * self._gain(block)))
            output, support = symbol, support * block.gain_support
        return self._kernel(lines, output / (2 * self.depth), support, kind)

    def _gain(self, block: _Block) -> Expr:
        """What a block multiplies everything below it by, relative to its own q_l/q_(l-1)."""
        return (1 + self.alpha**2 * block.slope) / (1 + self.alpha**2)

    def _require_trained(self) -> None:
        if self.depth == 0:
            raise InputError("a residual network of depth 0 has no trained weights and so no tangent kernel; use depth 1 or more")

    def _kernel(self, lines: Sequence[Line], output: Expr, support: Support, kind: str) -> Kernel:
        slopes = [block.slope for block in self._blocks.blocks]
        source = None
        if self.depth == 1 and kind != "ck":
            # One block's tangent kernel is half that of the dense network with the same W and V.
            source = Source(mlp(self.activation, 1, drop_deltas=self.drop_deltas), kind, S.Half)
        return self._part(lines, slopes, output, support, kind, source)

    @property
    def parameters(self) -> dict[str, str]:
        return {"alpha": str(self.alpha)}

    def __str__(self) -> str:
        kind = self.activation.name or str(self.activation.form)
        return f"{kind} residual network of depth {self.depth} (alpha={self.alpha})"

    def latex(self) -> str:
        """The recursion in LaTeX with this network's dual activations."""
        from .latex import residual_latex

        return residual_latex(self)

    def conventions(self) -> str:
        """One sentence, LaTeX text mode, that says which recursion :meth:`latex` writes."""
        from .latex import residual_text

        return residual_text(self)


def resnet(activation: Any, depth: Any, alpha: Any, *, drop_deltas: bool = False) -> ResidualNetwork:
    """A residual network of ``depth`` blocks x + alpha V sigma(W x); the module docstring has the constants.

    Depth 0 has the conjugate kernel rho and no tangent kernel. ``drop_deltas`` takes the
    derivative of a jump as zero, as in :func:`symspec.network.mlp`.

    Raises InputError for a negative depth, an alpha that is not positive or the zero activation,
    NotSquareIntegrable where E sigma(Z)^2 is infinite.
    """
    function = as_activation(activation)
    blocks = natural(depth, "depth")
    if blocks > MAX_NETWORK_DEPTH:
        raise InputError(f"depth {blocks} is above {MAX_NETWORK_DEPTH}")
    weight = exact(alpha, "alpha")
    if weight.is_positive is not True:
        raise InputError(f"alpha must be positive, not {weight}")
    function.require_square_integrable(S.One)
    return ResidualNetwork(function, blocks, weight, drop_deltas)


@dataclass(frozen=True)
class _Block:
    """kappa(u), u kappa'(u) and kappa'(u) of the correlation u that enters a block."""

    value: Expr
    inner: Expr
    slope: Expr
    value_support: Support
    inner_support: Support
    gain_support: Support


@dataclass(frozen=True)
class _Blocks:
    """The lines of all blocks, the signals between them (the input first), and the blocks."""

    lines: tuple[Line, ...]
    signals: tuple[Signal, ...]
    blocks: tuple[_Block, ...]


class _Builder:
    """Writes the lines block by block."""

    def __init__(self, nonlinearity: Nonlinearity, alpha: Expr) -> None:
        self.nonlinearity, self.square = nonlinearity, alpha**2
        self.lines: list[Line] = []
        self.haversine: Expr = sympy.sin(THETA0 / 2) ** 2

    def run(self, depth: int) -> _Blocks:
        signal = Signal(S.One, RHO, Support(odd=1), THETA0 if self.nonlinearity.angular else S.Zero)
        signals, blocks = [signal], []
        for index in range(1, depth + 1):
            slope = self._slope(index, signal)
            value, after = self._block(index, signal)
            value_support = self.nonlinearity.activation.support.compose(signal.support)
            slope_support = self.nonlinearity.slope_support.compose(signal.support)
            blocks.append(_Block(value, signal.covariance * slope, slope, value_support, signal.support * slope_support, Support(even=0) + slope_support))
            signals.append(after)
            signal = after
        return _Blocks(tuple(self.lines), tuple(signals), tuple(blocks))

    def _slope(self, index: int, signal: Signal) -> Expr:
        line = self.nonlinearity.slope_line(index, signal, 1 / self.nonlinearity.second_moment)
        if line is None:
            return S.Zero
        self.lines.append(line)
        return line.symbol

    def _block(self, index: int, signal: Signal) -> tuple[Expr, Signal]:
        """kappa(u) for the signal that enters, and the signal that leaves."""
        value = self.nonlinearity.value(signal) / self.nonlinearity.second_moment
        support = signal.support + self.nonlinearity.activation.support.compose(signal.support)
        if not self.nonlinearity.angular:
            # One line in one covariance, so that singularities can be traced back to rho.
            symbol = Symbol(f"c_{index}", real=True)
            self.lines.append(Line(symbol, self._mixed(signal.covariance, value)))
            return value, Signal(S.One, symbol, support)
        branch, order = Symbol(f"a_{index}", nonnegative=True), self.nonlinearity.haversine_order(signal)
        self.lines.append(Line(branch, S.Half - value / 2, order))
        lines, after = handed_on(index, self._mixed(self.haversine, branch), min(order, Rational(2 * signal.order)), S.One, support)
        self.lines += lines
        self.haversine = lines[0].symbol
        return 1 - 2 * branch, after

    def _mixed(self, skip: Expr, branch: Expr) -> Expr:
        return (skip + self.square * branch) / (1 + self.square)


__all__ = ["ResidualNetwork", "resnet"]
