r"""Kernels whose duals are series between complex lengths: analyticity and size by Parseval's equation.

With :math:`\alpha_n(a)=E\,\sigma(aZ)h_n(Z)`, :math:`a=\sqrt p`, a layer is :math:`V=\sum_n\alpha_n(a)\alpha_n(b)\bigl(\tfrac C{ab}\bigr)^n`, and
:math:`\alpha_n(a)a^{-n}` is a function of p. On a region of v in whose layers :math:`a\mathbf R` stays in a sector of analyticity of :math:`\sigma`
(:mod:`numerics.sector`) it is analytic, and for two conjugate variances

.. math:: V(p,\bar p,C)=\sum_n|\alpha_n(a)|^2\Bigl(\frac C{|p|}\Bigr)^n\le\bigl(1-\rho^j\bigr)|\alpha_0|^2+\rho^jE|\sigma(aZ)|^2,\qquad \rho=\frac C{|p|}\le1,

j = 2 for an even activation, 1 otherwise (:math:`\alpha_0=0` for an odd one), as :math:`\sum_n|\alpha_n(a)|^2=E|\sigma(aZ)|^2`. So with
:math:`C_0=\sigma_w^2v|v|t+\sigma_b^2` one bounds the covariances layer by layer as long as each is at most the modulus of the continued variance, which is
what t < 1 is for; the power series in t then converges, with non-negative coefficients: the :math:`c_n(v,\bar v)` of :mod:`numerics.radial_continuation`.
The variances of the layers are continued by :mod:`numerics.sector_moments`.

**Inside** the region nothing has to be checked: :math:`\arg p_0` is harmonic and largest on the boundary, so the line stays in the sectors found there,
:math:`p_1` is analytic inside and avoids the negative axis as it does on the boundary (argument principle), and so on.

>>> import symspec as ss
>>> from flint import acb
>>> from numerics.precision import working_precision
>>> with working_precision(64):
...     series = Sectors(RadialKernel.of(ss.mlp(ss.tanh, 2).ck))
...     v = Jet.exact(acb(1, 0.5))
...     print(series.bounded(v, arb(1), arb("0.9")).size.str(3, radius=False), series.bounded(Jet.exact(acb(-1)), arb(1), arb(1)))
5.97 None
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flint import arb

from .constants import ball
from .jets import Jet
from .radial_branches import Sizes
from .radial_kernel import RadialKernel
from .radial_steps import Steps
from .sector_moments import crude_size, moments, wide_sector

OPPOSITE = {"even": "odd", "odd": "even"}


@dataclass(frozen=True)
class Layer:
    """Bounds of E|f|^2 and |E f| at the variance of a layer, f the activation or its derivative."""

    size: arb
    mean: arb
    parity: str

    def value(self, rho: arb) -> arb:
        """A bound of the dual at the covariance rho |p|, rho <= 1."""
        power = rho * rho if self.parity == "even" else rho
        rest = arb(0) if self.parity == "odd" else (1 - power) * self.mean * self.mean
        return (rest + power * self.size).upper()


@dataclass(frozen=True)
class Sectors:
    """A kernel whose duals are series, for complex lengths."""

    kernel: RadialKernel

    def sizes(self, v: Jet, t: arb) -> Sizes | None:
        """The bounds at a point."""
        return self.bounded(v, arb(1), t)

    def bounded(self, v: Jet, partner: arb, t: arb, *, loose: bool = True) -> Sizes | None:
        """Bounds on an arc, never loose; None where a sector or a covariance is too wide."""
        steps, variance = self.kernel.steps, v * self.kernel.steps.linear + self.kernel.steps.bias
        # At the correlations, and at the ends of their intervals, where the diagonal is below.
        inner, outer = _Chain(), _Chain()
        inner.covariances.append((abs(v.over) * t * steps.linear + steps.bias).upper())
        outer.covariances.append(abs(variance.over).upper())
        for index in range(steps.depth):
            found = self._layers(variance, is_followed=index + 1 < steps.depth)
            if found is None:
                return None
            value, slope, square = found
            # Without a bias the first correlation is t itself.
            rho = t if index == 0 and steps.bias == 0 else (inner.covariances[-1] / abs(variance.over)).upper()
            if not rho <= 1:
                return None
            inner.add(steps, value.value(rho), slope.value(rho))
            outer.add(steps, value.size, slope.size)
            if square is not None:
                variance = steps.mixed(variance, square) + steps.bias
                outer.covariances[-1] = abs(variance.over).upper()
        return Sizes(inner.read(self.kernel), outer.read(self.kernel))

    def _layers(self, variance: Jet, *, is_followed: bool) -> tuple[Layer, Layer, Jet | None] | None:
        """The activation and its derivative, and E f^2 as a jet where another layer follows."""
        form, parity = self.kernel.profile, self.kernel.network.activation.parity
        slope = Layer(arb(0), arb(0), "odd")
        if self.kernel.reads_slopes:
            bounds = wide_sector(form.base, form.order + 1, variance.over)
            if bounds is None:
                return None
            size = crude_size(bounds[0], variance.over)
            slope = Layer(size, size.sqrt().upper(), OPPOSITE.get(parity, parity))
        if not is_followed:
            bounds = wide_sector(form.base, form.order, variance.over)
            if bounds is None:
                return None
            size = crude_size(bounds[0], variance.over)
            return Layer(size, size.sqrt().upper(), parity), slope, None
        found = moments(form.base, form.order, variance.middle, variance.over)
        if found is None:
            return None
        square = Jet.of(found.square, (found.slope * variance.slopes[0], found.slope * variance.slopes[1]))
        return Layer(found.size, found.mean, parity), slope, square


@dataclass(frozen=True)
class _Chain:
    """Upper bounds of the covariances, and of the weighted duals and slopes."""

    covariances: list[arb] = field(default_factory=list)
    values: list[arb] = field(default_factory=list)
    slopes: list[arb] = field(default_factory=list)

    def add(self, steps: Steps, value: arb, slope: arb) -> None:
        self.values.append((value * steps.weight).upper())
        self.slopes.append((slope * steps.weight).upper())
        self.covariances.append((steps.mixed(self.covariances[-1], value) + steps.bias).upper())

    def read(self, kernel: RadialKernel) -> arb:
        found: arb = (kernel.steps.read(kernel.part, self.covariances, self.values, self.slopes) * abs(ball(kernel.scale))).upper()
        return found


__all__ = ["Sectors"]
