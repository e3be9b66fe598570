r"""The layers of a network whose activation is an exponential polynomial, as entire functions with balls for numbers.

Layer s maps the kernel that enters it to :math:`V_s(z)=w\,\hat\sigma_{q_s}(z)+b`: :math:`w=1/E\sigma^2` and b = 0 in the normalised recursion,
:math:`w=\sigma_w^2`, :math:`b=\sigma_b^2` in the NTK parametrisation, :math:`q_s` the variance of the layer. Its coefficients
:math:`v_j=w\,g_j^2/j!` (and b) are those of :mod:`numerics.exponential_polynomials`.

>>> import symspec as ss
>>> with working_precision(100):
...     first = entire_layers(ss.mlp(ss.exp, 2))[0]
...     print([v.str(6, radius=False) for v in first.coefficients(3)], first.growth(1).str(4, radius=False))
['0.367879', '0.367879', '0.183940'] 1.000
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from flint import arb, arb_series, ctx
from sympy import Expr, Symbol

from symspec.dual import Dual
from symspec.expectation import COS
from symspec.network import Network
from symspec.program import compile_lines

from . import power_series, real
from .constants import ball
from .exponential_polynomials import DerivativeMeans
from .power_ratios import PowerRatios
from .precision import working_precision

TERMS = 320
ZERO, ONE = arb(0), arb(1)
Z, Q = Symbol("z", real=True), Symbol("q", positive=True)


@dataclass(frozen=True)
class EntireLayer:
    """V_s, or V_s(a z + b) with a = ``scale``, b = ``shift``."""

    network: Network
    variance: arb
    weight: arb
    bias: arb
    scale: arb = ONE
    shift: arb = ZERO
    _growth: dict[int, arb | None] = field(default_factory=dict, compare=False)

    @cached_property
    def means(self) -> DerivativeMeans:
        return DerivativeMeans.of(self.network.activation.form, self.variance)

    @property
    def even(self) -> bool:
        """Whether all coefficients of odd degree are 0."""
        return self.network.activation.support.is_even and self.shift.is_zero()

    def coefficients(self, count: int) -> list[arb]:
        """Those of degree j < count."""
        if not self.shift.is_zero():
            with working_precision(ctx.prec + count, count):
                series = self.value(arb_series([0, 1]))
                return [series[j] for j in range(count)]
        values, factorial = [], arb(1)
        for j, g in enumerate(self.means.values(count)):
            factorial = factorial * max(j, 1)
            values.append(self.weight * g * g * self.scale**j / factorial)
        return [values[0] + self.bias, *values[1:]]

    @cached_property
    def power_ratios(self) -> PowerRatios:
        """Ratios of the coefficients of powers; of an even layer as a series in z^2."""
        values = self.coefficients(TERMS)
        return PowerRatios(values[::2] if self.even else values)

    def growth(self, p: int) -> arb | None:
        """C with j (j-1) ... (j-p+1) v_j <= C v_(j-p) for every j >= p; None where none is known."""
        if p not in self._growth:
            # A bias adds to v_0 only, which lowers one ratio; and V^(p) <= C V, coefficient by coefficient, holds about every b >= 0.
            plain = self.means.growth(p)
            self._growth[p] = None if plain is None else plain * self.scale**p
        return self._growth[p]

    def value(self, z: arb_series) -> arb_series:
        """The layer at a power series."""
        return self.weight * self._run(self.network.nonlinearity.dual, z) + self.bias

    def slope(self, z: arb_series) -> arb_series:
        """V_s' at what V_s is taken at."""
        return self.weight * self._run(self.network.nonlinearity.slope_dual, z)

    def _run(self, function: Dual, z: arb_series) -> arb_series:
        return _run(function.substituted(Q, Q).xreplace({COS: Z / Q}), self.scale * z + self.shift, self.variance)


def _run(expr: Expr, z: arb_series, q: arb) -> arb_series:
    symbols = {"z": z, "q": arb_series([q])}
    found: arb_series = compile_lines((), (expr,), (Z, Q)).run(power_series.table(z) | {"symbol": symbols.__getitem__})[0]
    return found


def entire_layers(network: Network) -> list[EntireLayer]:
    """The layers 1 to depth, at the working precision."""
    par, found = network.parametrisation, []
    if par.sigma_w2 is None:
        weight = 1 / ball(network.nonlinearity.second_moment)
        return [EntireLayer(network, arb(1), weight, arb(0))] * network.depth
    weight, bias = ball(par.sigma_w2), ball(par.sigma_b2)
    variance = weight * ball(par.input_variance) + bias
    moment = compile_lines((), (network.nonlinearity.dual.diagonal(Q),), (Q,))
    for _ in range(network.depth):
        found.append(EntireLayer(network, variance, weight, bias))
        table = real.table(arb("nan"), arb("nan"), ball) | {"symbol": {"q": variance}.__getitem__}
        variance = weight * moment.run(table)[0] + bias
    return found


def first_layer(network: Network, layers: list[EntireLayer]) -> EntireLayer:
    """The first layer as a function of the correlation."""
    par = network.parametrisation
    if par.sigma_w2 is None:
        return layers[0]
    return replace(layers[0], scale=ball(par.sigma_w2 * par.input_variance), shift=ball(par.sigma_b2), _growth={})


__all__ = ["EntireLayer", "entire_layers", "first_layer"]
