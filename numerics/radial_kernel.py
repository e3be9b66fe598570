r"""Kernels of fully connected and residual networks between inputs of different lengths.

For :math:`|x|=r\sqrt d,\ |y|=s\sqrt d` and t the cosine between them the recursion of :mod:`symspec.network` has the variances
:math:`a_\ell^2,b_\ell^2` of the two inputs beside the covariance,

.. math:: a_0^2=\sigma_w^2vr^2+\sigma_b^2,\quad C_0=\sigma_w^2v\,rs\,t+\sigma_b^2,\qquad
          a_\ell^2=\sigma_w^2\,\hat\sigma(a_{\ell-1},a_{\ell-1},1)+\sigma_b^2,\quad C_\ell=\sigma_w^2\,\hat\sigma(a_{\ell-1},b_{\ell-1},\rho_{\ell-1})+\sigma_b^2,

:math:`\rho_\ell=C_\ell/(a_\ell b_\ell)`; normalised and residual recursions are in :mod:`numerics.radial_steps`.

**Features.** :math:`\hat\sigma(a,b,\rho)=\sum_n\alpha_n(a)\alpha_n(b)\rho^n` (Mehler), so :math:`K(r,s,t)=\sum_nc_n(r,s)t^n` where every
:math:`c_n(r,s)=(rs)^n\sum_ig_{n,i}(r^2)g_{n,i}(s^2)` with real :math:`g_{n,i}`, by Schur's product theorem: t comes with rs only, all else
depends on the variances. Continued to complex :math:`v=r^2,\ w=s^2`, so that rs stands for a number of the square vw,
:math:`c_n(v,\bar v)=|v|^n\sum_i|g_{n,i}(v)|^2\ge0` and :math:`|c_n(v,w)|^2\le c_n(v,\bar v)\,c_n(\bar w,w)`. The same holds with every :math:`C_\ell`
multiplied by a number :math:`\tau`: a power series in :math:`\tau` whose coefficients are such sums, with zero correlation in every layer at
:math:`\tau=0`. By Pringsheim's theorem :math:`\sum_nc_n(v,\bar v)t^n` converges if the closed form is analytic in :math:`\tau` along [0, 1].

**Growth.** If :math:`|\sigma|` is bounded by powers on the line, :math:`E\sigma(\sqrt qZ)^2` is by a polynomial in q (:mod:`numerics.line_bounds`), so a
polynomial in :math:`r^2` bounds K(r, r, 1) for all r (:meth:`RadialKernel.growth`). Where exponentials grow there is a factor :math:`e^{aq}`: expectations are finite
for one hidden layer and large d. Functions known in a strip have the bounds of :mod:`numerics.strip_bounds` on the line.

>>> import symspec as ss
>>> kernel = RadialKernel.of(ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2=1).ntk)
>>> with working_precision(64):
...     print([c.str(8, radius=False) for c in kernel.coefficients(arb(1), arb("0.5"), 3)])
['2.8924686', '1.1121280', '0.34366272']
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from flint import arb, arb_poly, arb_series, ctx
from sympy import Expr, Symbol

from symspec.errors import NoClosedForm, Undecided
from symspec.expectation import P, Q
from symspec.kernel import Kernel
from symspec.network import Network
from symspec.pair_dual import PairDual
from symspec.program import RHO, Tape, compile_lines
from symspec.residual import ResidualNetwork
from symspec.strip import StripForm
from symspec.terms import Delta, X

from . import power_series, real
from .constants import ball
from .line_bounds import exponent, line_bounds, moment_bound
from .precision import working_precision
from .radial_steps import Steps, steps_of
from .sector import disc_radius, require_polynomial_growth
from .strip_bounds import Envelope, envelope

C = Symbol("c", real=True)
Number = Any  # arb or acb
Series = Any  # arb_series or acb


@dataclass(frozen=True)
class RadialKernel:
    """One kernel of a fully connected or residual network for inputs of any two lengths; lengths are in units of sqrt(d)."""

    network: Network | ResidualNetwork
    part: str
    scale: Expr

    @staticmethod
    def covers(kernel: Kernel) -> bool:
        """Whether the kernel is that of a fully connected or residual network."""
        return kernel.origin is not None and isinstance(kernel.origin.network, (Network, ResidualNetwork))

    @staticmethod
    def of(kernel: Kernel) -> RadialKernel:
        """Raises NoClosedForm for anything but a kernel of a fully connected or residual network, and for series in which exponentials grow."""
        origin = kernel.origin
        if origin is None or not isinstance(origin.network, (Network, ResidualNetwork)):
            raise NoClosedForm(f"{kernel} is not known between inputs of different lengths; kernels of fully connected and residual networks are")
        found = RadialKernel(origin.network, origin.part, origin.scale)
        if found.is_series:
            require_polynomial_growth(found.profile.base)
        return found

    @cached_property
    def is_series(self) -> bool:
        """Whether the duals are known as power series only."""
        return isinstance(self.network.activation.form, StripForm)

    @property
    def spare_bits(self) -> int:
        """How many bits power series lose, about: closed forms cancel, sums of positive terms do not."""
        return 32 if self.is_series else 96

    @property
    def profile(self) -> StripForm:
        """The activation of a kernel whose duals are series."""
        form = self.network.activation.form
        assert isinstance(form, StripForm)
        return form

    @cached_property
    def _dual(self) -> PairDual:
        return PairDual(self.network.nonlinearity)

    @cached_property
    def expressions(self) -> tuple[Expr, Expr]:
        """Value and slope in the variances and the covariance."""
        value, slope = (expr.subs(RHO, C / (sympy.sqrt(P) * sympy.sqrt(Q))) for expr in self._dual.readable(same=False))
        return value, slope if self.reads_slopes else sympy.S.Zero

    @cached_property
    def pair_tape(self) -> Tape:
        """Value and slope in the variances and the covariance."""
        return compile_lines((), self.expressions, (P, Q, C))

    @cached_property
    def moment_tape(self) -> Tape:
        """E sigma(u)^2 and E sigma'(u)^2 for u of variance p."""
        return compile_lines((), self.moments, (P,))

    @cached_property
    def moments(self) -> tuple[Expr, Expr]:
        """What :attr:`moment_tape` compiles."""
        slope = self.network.nonlinearity.slope_dual.diagonal(P) if self.reads_slopes else sympy.S.Zero
        return self._dual.second_moment_at(P), slope

    @property
    def reads_slopes(self) -> bool:
        """Whether the kernel depends on slopes."""
        return self.steps.reads_slopes(self.part)

    @property
    def steps(self) -> Steps:
        """The recursion, at the working precision."""
        return steps_of(self.network, ball)

    def coefficients(self, r: arb, s: arb, terms: int) -> list[arb]:
        """c_n(r, s), n < terms, at the working precision; r, s >= 0, not 0 without a bias."""
        with working_precision(ctx.prec, terms):
            t = arb_series([0, 1])
            table = power_series.table(t)

            def layer(p: arb, q: arb, covariance: arb_series) -> list[arb_series]:
                symbols = {P.name: arb_series([p]), Q.name: arb_series([q]), C.name: covariance}
                return self.pair_tape.run(table | {"symbol": symbols.__getitem__})

            p, q = (self.variances(x * x, self._real_moments) for x in (r, s))
            series = self.paired(p, q, r * s * t, arb(1), layer)
            return [series[n] for n in range(terms)]

    def diagonal(self, v: arb) -> arb:
        """K(r, r, 1) for v = r^2."""
        found: arb = self.alike(v, self._real_moments)
        return found

    def _real_moments(self, p: arb) -> list[arb]:
        found: list[arb] = self.moment_tape.run(real.table(arb("nan"), arb("nan"), ball) | {"symbol": {P.name: p}.__getitem__})
        return found

    def variances(self, v: Number, moments: Callable[[Number], list[Number]]) -> list[Number]:
        """a_0^2, ..., a_(depth-1)^2; ``moments`` gives the two of :attr:`moment_tape`."""
        steps = self.steps
        found = [v * steps.linear + steps.bias]
        for _ in range(steps.depth - 1):
            found.append(steps.mixed(found[-1], moments(found[-1])[0]) + steps.bias)
        return found[: steps.depth]

    def paired(self, first: list[Number], second: list[Number], product: Series, tau: Number, layer: Callable[[Number, Number, Series], list[Series]]) -> Series:
        """The kernel; ``layer`` gives the two outputs of :attr:`pair_tape`, ``product`` is rst, and every covariance is multiplied by tau."""
        steps = self.steps
        covariances, values, slopes = [(product * steps.linear + steps.bias) * tau], [], []
        for p, q in zip(first, second, strict=True):
            value, slope = layer(p, q, covariances[-1])
            covariances.append((steps.mixed(covariances[-1], value) + steps.bias) * tau)
            values.append(value * steps.weight)
            slopes.append(slope * steps.weight)
        return steps.read(self.part, covariances, values, slopes) * ball(self.scale)

    def alike(self, v: Number, moments: Callable[[Number], list[Number]]) -> Number:
        """The kernel at two equal inputs."""
        steps = self.steps
        covariances, values, slopes = [v * steps.linear + steps.bias], [], []
        for _ in range(steps.depth):
            value, slope = moments(covariances[-1])
            covariances.append(steps.mixed(covariances[-1], value) + steps.bias)
            values.append(value * steps.weight)
            slopes.append(slope * steps.weight)
        return steps.read(self.part, covariances, values, slopes) * ball(self.scale)

    @cached_property
    def growth(self) -> Growth:
        """A bound of K(r, r, 1) for every r. Undecided for activations that grow exponentially, but for one hidden layer."""
        form, derivative = self.network.activation.form, self.network.nonlinearity.derivative.form if self.reads_slopes else None
        rate = _exponent(form)
        if rate is None or (self.network.depth > 1 and not rate.is_zero()):
            raise Undecided("the activation is not bounded by a polynomial (in one hidden layer, by an exponential function), so what lies beyond a length is not bounded under Gaussian inputs")
        value, slope = _moment_bound(form), _moment_bound(derivative) if derivative is not None else None
        polynomial: arb_poly = self.alike(arb_poly([0, 1]), lambda q: [value(q), arb_poly([0]) if slope is None else slope(q)])
        # Every summand of a tangent kernel has one dual at most.
        return Growth(polynomial, rate * self.steps.linear, rate * self.steps.bias)


@dataclass(frozen=True)
class Growth:
    """p(v) e^(rate v + constant), with coefficients >= 0: a bound of K(r, r, 1), v = r^2."""

    polynomial: arb_poly
    rate: arb
    constant: arb

    def __call__(self, v: arb) -> arb:
        found: arb = self.polynomial(v) * (self.rate * v + self.constant).exp()
        return found


def _exponent(form: Any) -> arb | None:
    """What multiplies q in the exponent of the bound; None where the activation grows faster."""
    if isinstance(form, StripForm):
        bound = _on_the_line(form)
        return arb(0) if bound.alpha <= 0 and bound.beta <= 0 else None
    if any(term.alpha.is_positive or isinstance(term.gate, Delta) for term in form.terms):
        return None
    return exponent(line_bounds(form))


def _on_the_line(form: StripForm) -> Envelope:
    """|f(x)| <= size (1 + |x|)^power e^(alpha x^2 + beta |x|); derivatives by Cauchy's formula in a disc inside the strip."""
    if form.order == 0:
        return envelope(form.base, arb(0))
    radius = disc_radius(form.base)
    return envelope(form.base, radius).of_derivative(form.order, radius)


def _power_moment(size: arb, power: int, zeros: int) -> Callable[[arb_poly], arb_poly]:
    """A bound of E size (1+|u|)^(2 power) u^(2 zeros), by (1+|u|)^(2m) <= 2^(2m-1) (1 + u^(2m)) for m > 0."""
    lowest, highest = (arb(int(sympy.factorial2(2 * n - 1))) if n else arb(1) for n in (zeros, zeros + power))
    if power == 0:
        return lambda q: q**zeros * (size * lowest)
    return lambda q: (q**zeros * lowest + q ** (zeros + power) * highest) * (size * 2 ** (2 * power - 1))


def _moment_bound(form: Any) -> Callable[[arb_poly], arb_poly]:
    """What stands beside the exponential function in the bounds of the module docstring, as a function of q."""
    if isinstance(form, StripForm):
        # |f(x)| <= |x| sup |f'| on [-|x|, |x|] where f vanishes at 0, so that little is lost below small lengths.
        zeros = 1 if form.expr.subs(X, 0) == 0 else 0
        bound = _on_the_line(form.derivative() if zeros else form)
        if not (bound.alpha <= 0 and bound.beta <= 0):
            raise Undecided(f"{form} and its derivative are not shown to be bounded by a polynomial, so what lies beyond a length is not bounded under Gaussian inputs")
        return _power_moment(bound.size * bound.size, bound.power, zeros)
    return moment_bound(line_bounds(form))


__all__ = ["C", "Growth", "P", "Q", "RadialKernel"]
