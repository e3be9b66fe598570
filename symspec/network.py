r"""Networks and the programs of their kernels.

**Normalised recursion** (the default). With :math:`\kappa=\hat\sigma/\hat\sigma(1)`,

.. math:: \Sigma^0=\Theta^0=\rho,\quad \Sigma^\ell=\kappa(\Sigma^{\ell-1}),\quad
          \Theta^\ell=\Sigma^\ell+\Theta^{\ell-1}\,\widehat{\sigma'}(\Sigma^{\ell-1})/\hat\sigma(1).

**NTK parametrisation** in every dense layer, readout included (sigma_w2 or sigma_b2 given):
:math:`K^0=\Theta^0=\sigma_w^2 v\rho+\sigma_b^2` with v the input variance,
:math:`K^\ell=\sigma_w^2V(K^{\ell-1})+\sigma_b^2`,
:math:`\Theta^\ell=K^\ell+\sigma_w^2\Theta^{\ell-1}V'(K^{\ell-1})` (Jacot, Gabriel and Hongler 2018;
Yang and Salman 2019; neural-tangents). For ReLU with sigma_w2 = 2, sigma_b2 = 0 these are twice
the normalised kernels. Depth counts nonlinearities.

The program carries, for an activation whose dual is singular on the diagonal, the haversine
:math:`w_\ell=(q_\ell-K^\ell)/(2q_\ell)` of the angle instead of the covariance: it vanishes exactly
at rho = 1 and its order there is a theorem (1 per jump, 2 otherwise), so no digit is lost near
the diagonal at any depth.

>>> from symspec.activations import relu, erf
>>> net = mlp(relu, 2)
>>> net.ck(1), net.ntk(1), [part(1) for part in net.ntk_layers]
(1, 3, [1, 1, 1])
>>> mlp(erf, 1, sigma_w2=1, sigma_b2=0).ck(sympy.Rational(1, 2))
2*asin(1/3)/pi
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol

from .activations import Activation, activation as as_activation
from .errors import InputError
from .exact import exact, natural
from .kernel import Kernel, Source
from .layers import MAX_NETWORK_DEPTH, Architecture, Signal, handed_on
from .program import RHO, THETA0, Line, Program
from .support import Support


@dataclass(frozen=True)
class Parametrisation:
    """Weight and bias variances of every dense layer, or None for the normalised recursion."""

    sigma_w2: Expr | None = None
    sigma_b2: Expr = S.Zero
    input_variance: Expr = S.One

    @property
    def normalised(self) -> bool:
        return self.sigma_w2 is None


@dataclass(frozen=True)
class Network(Architecture):
    """A fully connected network of infinite width; see :func:`mlp`."""

    activation: Activation
    depth: int
    parametrisation: Parametrisation
    drop_deltas: bool = False

    @cached_property
    def _layers(self) -> _Layers:
        return _Layers.build(self)

    @cached_property
    def ck(self) -> Kernel:
        """The conjugate kernel (neural network Gaussian process kernel)."""
        layers = self._layers
        return self._kernel(layers.lines, layers.covariances[-1], layers.supports[-1], "ck")

    @cached_property
    def ntk(self) -> Kernel:
        """The neural tangent kernel, the sum of :attr:`ntk_layers`."""
        lines, outputs = self._tangents
        return self._kernel(lines, *outputs[-1], "ntk")

    @cached_property
    def _tangents(self) -> tuple[tuple[Line, ...], tuple[tuple[Expr, Support], ...]]:
        """The lines of the tangent recursion, and its output and support after every layer, the input first."""
        layers = self._layers
        lines, output, support = list(layers.lines), layers.covariances[0], layers.supports[0]
        outputs = [(output, support)]
        for index, (slope, slope_support) in enumerate(layers.slopes, start=1):
            symbol = Symbol(f"t_{index}", real=True)
            lines.append(Line(symbol, layers.covariances[index] + output * slope))
            output, support = symbol, layers.supports[index] + support * slope_support
            outputs.append((output, support))
        return tuple(lines), tuple(outputs)

    @cached_property
    def ntk_layers(self) -> tuple[Kernel, ...]:
        """What each of the depth + 1 weight layers contributes to the tangent kernel, first first.

        Part l is :math:`\\Sigma^{(l)}\\prod_{s>l}\\dot\\Sigma^{(s)}` (Dandi and Jacot 2021); the last is
        the conjugate kernel.
        """
        return tuple(self._layer_part(first) for first in range(self.depth + 1))

    def by_depth(self, part: str) -> tuple[Kernel, ...]:
        """The kernels "ck" or "ntk" of the networks of depth 0, ..., depth, which share their lines.

        The program of depth l starts like that of depth l + 1, so one pass through the recursion gives all of them
        (:func:`symspec.program.compile_lines` takes several outputs).
        """
        if part not in ("ck", "ntk"):
            raise InputError(f"the kernels of all depths are ck or ntk, not {part[:40]!r}")
        if part == "ck":
            lines, outputs = self._layers.lines, tuple(zip(self._layers.covariances, self._layers.supports, strict=True))
        else:
            lines, outputs = self._tangents
        return tuple(Kernel(Program(lines, output), support, f"{part.upper()} of depth {depth}") for depth, (output, support) in enumerate(outputs))

    def _layer_part(self, first: int) -> Kernel:
        layers = self._layers
        lines, output, support = list(layers.lines), layers.covariances[first], layers.supports[first]
        for index, (slope, slope_support) in enumerate(layers.slopes[first:], start=first + 1):
            symbol = Symbol(f"t_{index}", real=True)
            lines.append(Line(symbol, output * slope))
            output, support = symbol, support * slope_support
        return self._kernel(tuple(lines), output, support, f"layer {first + 1}")

    def _kernel(self, lines: tuple[Line, ...], output: Expr, support: Support, kind: str) -> Kernel:
        slopes = [slope for slope, _ in self._layers.slopes]
        return self._part(lines, slopes, output, support, kind, Source(self, kind))

    @property
    def is_plain(self) -> bool:
        """No bias: the kernel is a constant times the normalised one for homogeneous activations."""
        return self.parametrisation.normalised or self.parametrisation.sigma_b2 == 0

    @property
    def output_scale(self) -> Expr:
        """CK(1): what the normalised kernels of a homogeneous, bias-free network are multiplied by."""
        return S.One if self.parametrisation.normalised else self.ck(1)

    def __str__(self) -> str:
        kind = self.activation.name or str(self.activation.form)
        text = f"{kind} network of depth {self.depth}"
        if not self.parametrisation.normalised:
            text += f" (sigma_w2={self.parametrisation.sigma_w2}, sigma_b2={self.parametrisation.sigma_b2})"
        return text

    @property
    def parameters(self) -> dict[str, str]:
        par = self.parametrisation
        return {} if par.normalised else {"sigma_w2": str(par.sigma_w2), "sigma_b2": str(par.sigma_b2), "input_variance": str(par.input_variance)}

    def latex(self) -> str:
        """The recursion in LaTeX with this network's dual activations."""
        from .latex import network_latex

        return network_latex(self)

    def conventions(self) -> str:
        """One sentence, LaTeX text mode, that says which recursion :meth:`latex` writes."""
        from .latex import parametrisation_text

        return parametrisation_text(self)


def mlp(
    activation: Any,
    depth: Any,
    *,
    sigma_w2: Any = None,
    sigma_b2: Any = None,
    input_variance: Any = None,
    drop_deltas: bool = False,
) -> Network:
    """A fully connected network with ``depth`` hidden layers of one activation.

    Without sigma_w2 and sigma_b2 the recursion is normalised (K(1) = 1 in every layer); with
    either, every dense layer has weight variance sigma_w2 (default 1) and bias variance
    sigma_b2 (default 0), and inputs have |x|^2/d = input_variance (default 1).
    ``drop_deltas`` takes the derivative of a jump as zero, as neural-tangents does; by default
    the delta is kept and the tangent kernel of such an activation is infinite on the diagonal.

    Raises InputError for a negative depth or variance, NotSquareIntegrable with the layer named
    where a second moment is infinite.
    """
    function = as_activation(activation)
    layers = natural(depth, "depth")
    if layers > MAX_NETWORK_DEPTH:
        raise InputError(f"depth {layers} is above {MAX_NETWORK_DEPTH}")
    if sigma_w2 is None and sigma_b2 is None and input_variance is None:
        return Network(function, layers, Parametrisation(), drop_deltas)
    weight = exact(1 if sigma_w2 is None else sigma_w2, "sigma_w2")
    bias = exact(0 if sigma_b2 is None else sigma_b2, "sigma_b2")
    variance = exact(1 if input_variance is None else input_variance, "input_variance")
    for value, what, strict in ((weight, "sigma_w2", True), (bias, "sigma_b2", False), (variance, "input_variance", True)):
        if value.is_negative or (strict and value.is_zero):
            raise InputError(f"{what} must be {'positive' if strict else 'at least 0'}, not {value}")
    return Network(function, layers, Parametrisation(weight, bias, variance), drop_deltas)


@dataclass(frozen=True)
class _Layers:
    """Lines of all layers; covariances, supports, and the slope factors between layers."""

    lines: tuple[Line, ...]
    covariances: tuple[Expr, ...]
    supports: tuple[Support, ...]
    slopes: tuple[tuple[Expr, Support], ...]

    @staticmethod
    def build(network: Network) -> _Layers:
        return _Builder(network).run()


class _Builder:
    """Writes the lines layer by layer."""

    def __init__(self, network: Network) -> None:
        self.par = network.parametrisation
        self.depth = network.depth
        self.nonlinearity = network.nonlinearity
        self.weight, self.bias = (S.One, S.Zero) if self.par.sigma_w2 is None else (self.par.sigma_w2, self.par.sigma_b2)
        self.lines: list[Line] = []

    def run(self) -> _Layers:
        signal = self._input()
        signals, slopes = [signal], []
        for layer in range(1, self.depth + 1):
            self._check_moment(signal.variance, layer)
            variance, second = self._variance(signal.variance, layer)
            slope = self._slope(signal, layer, second)
            slopes.append((slope, self.nonlinearity.slope_support.compose(signal.support)))
            signal = self._layer(signal, layer, variance, second)
            signals.append(signal)
        covariances, supports = tuple(s.covariance for s in signals), tuple(s.support for s in signals)
        return _Layers(tuple(self.lines), covariances, supports, tuple(slopes))

    def _input(self) -> Signal:
        linear = self.weight * self.par.input_variance
        q, support = linear + self.bias, self._with_bias(Support(odd=1))
        if self.bias == 0 or not self.nonlinearity.angular:
            return Signal(q, linear * RHO + self.bias, support, THETA0 if self.nonlinearity.angular else S.Zero)
        lines, signal = handed_on(0, linear / q * sympy.sin(THETA0 / 2) ** 2, Rational(2), q, support)
        self.lines += lines
        return replace(signal, covariance=linear * RHO + self.bias)

    def _check_moment(self, q: Expr, layer: int) -> None:
        activation = self.nonlinearity.activation
        if not activation.form.growth.is_positive:
            return
        value = q
        for line in reversed(self.lines):
            value = value.xreplace({line.symbol: line.expr}) if line.symbol in value.free_symbols else value
        try:
            activation.require_square_integrable(value)
        except Exception as error:
            raise type(error)(f"layer {layer}: {error}; use a smaller sigma_w2") from None

    def _variance(self, q: Expr, layer: int) -> tuple[Expr, Expr]:
        """(the variance after this layer, E sigma^2 before it)."""
        if self.par.normalised:
            return S.One, self.nonlinearity.second_moment
        self_moment = self.nonlinearity.dual.diagonal(q)
        new = sympy.expand(self.weight * self_moment + self.bias)
        if new == 0:
            raise InputError("the zero activation without bias gives the zero kernel")
        if new.is_Rational:
            return new, self_moment
        symbol = Symbol(f"q_{layer}", positive=True)
        self.lines.append(Line(symbol, new))
        return symbol, self_moment

    def _slope(self, signal: Signal, layer: int, second: Expr) -> Expr:
        line = self.nonlinearity.slope_line(layer, signal, 1 / second if self.par.normalised else self.weight)
        if line is None:
            return S.Zero
        self.lines.append(line)
        return line.symbol

    def _layer(self, signal: Signal, layer: int, variance: Expr, second: Expr) -> Signal:
        value = self.nonlinearity.value(signal)
        support = self._with_bias(self.nonlinearity.activation.support.compose(signal.support))
        if not self.nonlinearity.angular:
            symbol = Symbol(f"c_{layer}", real=True)
            self.lines.append(Line(symbol, value / second if self.par.normalised else self.weight * value + self.bias))
            return Signal(variance, symbol, support)
        defect = S.Half - value / (2 * second) if self.par.normalised else self.weight * (second - value) / (2 * variance)
        lines, after = handed_on(layer, defect, self.nonlinearity.haversine_order(signal), variance, support)
        self.lines += lines
        return after

    def _with_bias(self, support: Support) -> Support:
        return support + Support(even=0) if self.bias != 0 else support


__all__ = ["Network", "Parametrisation", "mlp"]
