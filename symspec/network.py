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

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol

from .activations import Activation, activation as as_activation
from .dual import Dual, dual
from .errors import InputError
from .exact import exact, natural
from .expectation import COS, SIN, THETA
from .functions import EVEN, NEITHER, ODD, archav
from .kernel import Kernel, Source
from .program import RHO, THETA0, Line, Program
from .support import Support

MAX_NETWORK_DEPTH = 4096


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
class Network:
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
        layers = self._layers
        lines, output, support = list(layers.lines), layers.covariances[0], layers.supports[0]
        for index, (slope, slope_support) in enumerate(layers.slopes, start=1):
            symbol = Symbol(f"t_{index}", real=True)
            lines.append(Line(symbol, layers.covariances[index] + output * slope))
            output, support = symbol, layers.supports[index] + support * slope_support
        return self._kernel(tuple(lines), output, support, "ntk")

    @cached_property
    def ntk_layers(self) -> tuple[Kernel, ...]:
        """What each of the depth + 1 weight layers contributes to the tangent kernel, first first.

        Part l is :math:`\\Sigma^{(l)}\\prod_{s>l}\\dot\\Sigma^{(s)}` (Dandi and Jacot 2021); the last is
        the conjugate kernel.
        """
        return tuple(self._layer_part(first) for first in range(self.depth + 1))

    def _layer_part(self, first: int) -> Kernel:
        layers = self._layers
        lines, output, support = list(layers.lines), layers.covariances[first], layers.supports[first]
        for index, (slope, slope_support) in enumerate(layers.slopes[first:], start=first + 1):
            symbol = Symbol(f"t_{index}", real=True)
            lines.append(Line(symbol, output * slope))
            output, support = symbol, support * slope_support
        return self._kernel(tuple(lines), output, support, f"layer {first + 1}")

    def _kernel(self, lines: tuple[Line, ...], output: Expr, support: Support, kind: str) -> Kernel:
        program = Program(lines, output).pruned()
        slopes = {layer[0] for layer in self._layers.slopes if layer[0] is not S.Zero}
        used = {line.symbol for line in program.lines}
        infinite = bool(self.activation.form.jumps) and not self.drop_deltas and bool(slopes & used)
        name = f"{kind.upper()} of {self}" if kind in ("ck", "ntk") else f"NTK {kind} of {self}"
        return Kernel(program, support, name, infinite, Source(self, kind))

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

    def latex(self) -> str:
        """The recursion in LaTeX with this network's dual activations."""
        from .latex import network_latex

        return network_latex(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


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
        self.network = network
        self.par = network.parametrisation
        form = network.activation.form
        self.dual = network.activation.dual_object
        slope = form.derivative(deltas=not network.drop_deltas)
        self.slope_dual: Dual = dual(slope)
        self.angular = self.dual.needs_angle or self.slope_dual.needs_angle
        self.jump = bool(form.jumps)
        self.function_support = network.activation.support
        self.slope_support = network.activation.support.derivative()
        if network.drop_deltas and self.jump:
            self.slope_support = Activation(slope).support
        self.lines: list[Line] = []

    def run(self) -> _Layers:
        weight, bias = (S.One, S.Zero) if self.par.normalised else (self.par.sigma_w2, self.par.sigma_b2)
        q: Expr = weight * self.par.input_variance + bias
        support = Support(odd=1) + (Support(even=0) if bias != 0 else Support())
        start = weight * self.par.input_variance * RHO + bias
        angle, order = self._input_angle(bias, q, start)
        covariance: Expr = start if not self.angular or bias != 0 else q * RHO
        covariances, supports, slopes = [covariance], [support], []
        for layer in range(1, self.network.depth + 1):
            self._check_moment(q, layer)
            q_new, second = self._variance(q, layer, weight, bias)
            slope = self._slope(q, angle, covariance, layer, weight, second)
            if self.angular:
                covariance, angle, order, symmetry_support = self._angular_layer(q, q_new, second, angle, order, support, layer, weight, bias)
                support = symmetry_support
            else:
                covariance, support = self._smooth_layer(q, q_new, second, covariance, support, layer, weight, bias)
            slopes.append((slope, self.slope_support.compose(supports[-1])))
            covariances.append(covariance)
            supports.append(support)
            q = q_new
        return _Layers(tuple(self.lines), tuple(covariances), tuple(supports), tuple(slopes))

    def _input_angle(self, bias: Expr, q: Expr, start: Expr) -> tuple[Expr, Rational]:
        """The angle entering the first layer and its order at the diagonal."""
        if not self.angular:
            return S.Zero, S.One
        if bias == 0:
            return THETA0, S.One
        haversine = Symbol("w_0", nonnegative=True)
        slope = (q - bias) / q
        self.lines.append(Line(haversine, slope * sympy.sin(THETA0 / 2) ** 2, Rational(2)))
        angle = Symbol("theta_1", real=True)
        self.lines.append(Line(angle, archav(haversine, NEITHER)))
        return angle, S.One

    def _check_moment(self, q: Expr, layer: int) -> None:
        growth = self.network.activation.form.growth
        if not growth.is_positive:
            return
        value = q
        for line in reversed(self.lines):
            value = value.xreplace({line.symbol: line.expr}) if line.symbol in value.free_symbols else value
        try:
            self.network.activation.require_square_integrable(value)
        except Exception as error:
            raise type(error)(f"layer {layer}: {error}; use a smaller sigma_w2") from None

    def _variance(self, q: Expr, layer: int, weight: Expr, bias: Expr) -> tuple[Expr, Expr]:
        """(the variance after this layer, E sigma^2 before it)."""
        if self.par.normalised:
            second = self.dual.diagonal(S.One)
            if second == 0:
                raise InputError("the zero activation cannot be normalised")
            return S.One, second
        self_moment = self.dual.diagonal(q)
        new = sympy.expand(weight * self_moment + bias)
        if new == 0:
            raise InputError("the zero activation without bias gives the zero kernel")
        if new.is_Rational:
            return new, self_moment
        symbol = Symbol(f"q_{layer}", positive=True)
        self.lines.append(Line(symbol, new))
        return symbol, self_moment

    def _slope(self, q: Expr, angle: Expr, covariance: Expr, layer: int, weight: Expr, second: Expr) -> Expr:
        value = self._at(self.slope_dual, q, angle, covariance)
        value = value / second if self.par.normalised else weight * value
        if sympy.expand(value) == 0:
            return S.Zero
        symbol = Symbol(f"d_{layer}", real=True)
        self.lines.append(Line(symbol, value, diagonal=self._slope_on_diagonal(q, second) if self.angular else None))
        return symbol

    def _slope_on_diagonal(self, q: Expr, second: Expr) -> Expr:
        weight = 1 / second if self.par.normalised else self.par.sigma_w2
        return weight * self.slope_dual.diagonal(q)

    def _at(self, function: Dual, q: Expr, angle: Expr, covariance: Expr) -> Expr:
        expr = function.substituted(q, q)
        if self.angular:
            # 1 + cos(theta) as 2 cos(theta/2)^2 keeps its relative accuracy at theta = pi.
            expr = expr.xreplace({1 + COS: 2 * sympy.cos(angle / 2) ** 2})
            return expr.xreplace({THETA: angle, COS: sympy.cos(angle), SIN: sympy.sin(angle)})
        return _powers_tidied(expr.xreplace({COS: covariance / q}))

    def _smooth_layer(self, q: Expr, q_new: Expr, second: Expr, covariance: Expr, support: Support, layer: int, weight: Expr, bias: Expr) -> tuple[Expr, Support]:
        value = self._at(self.dual, q, S.Zero, covariance)
        value = value / second if self.par.normalised else weight * value + bias
        symbol = Symbol(f"c_{layer}", real=True)
        self.lines.append(Line(symbol, value))
        return symbol, self._next_support(support, bias)

    def _next_support(self, support: Support, bias: Expr) -> Support:
        result = self.function_support.compose(support)
        return result + Support(even=0) if bias != 0 else result

    def _angular_layer(
        self, q: Expr, q_new: Expr, second: Expr, angle: Expr, order: Rational, support: Support, layer: int, weight: Expr, bias: Expr
    ) -> tuple[Expr, Expr, Rational, Support]:
        value = self._at(self.dual, q, angle, S.Zero)
        if self.par.normalised:
            defect = S.Half - value / (2 * second)
        else:
            defect = weight * (second - value) / (2 * q_new)
        new_order = order if self.jump else 2 * order
        haversine = Symbol(f"w_{layer}", nonnegative=True)
        self.lines.append(Line(haversine, defect, new_order))
        support = self._next_support(support, bias)
        next_angle = Symbol(f"theta_{layer + 1}", real=True)
        symmetry = EVEN if support.is_even else ODD if support.is_odd else NEITHER
        self.lines.append(Line(next_angle, archav(haversine, symmetry)))
        return q_new * (1 - 2 * haversine), next_angle, new_order / 2, support


def _powers_tidied(expr: Expr) -> Expr:
    """Cancel q against c/q inside roots and arguments."""

    def shorter(node: Expr) -> Expr:
        expanded = sympy.expand(node, power_exp=False, power_base=False)
        return expanded if sympy.count_ops(expanded) <= sympy.count_ops(node) else node

    return expr.replace(lambda e: e.is_Add or e.is_Mul, shorter)
