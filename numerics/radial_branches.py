r"""Kernels with closed forms between complex lengths: analyticity by following every branch.

Sizes are those of :mod:`numerics.radial_continuation`; what must be shown of every arc is that

* the closed form of every layer is analytic as its covariance grows from 0 to what it is at the end. Multiplied by :math:`\tau` the covariances
  increase from 0 (their series in :math:`\tau` have coefficients >= 0), so that the kernel is analytic in :math:`\tau` along [0, 1]: Pringsheim;
* near zero correlation it is analytic in v for a second length in a small disc: then the features are analytic on the boundary, and inside, because no
  argument of a root or logarithm reaches its cut (:mod:`numerics.complex_disc`);
* the variances of the layers are likewise analytic: they are the diagonals K(r, r, 1) of the layers, evaluated as functions of v.

>>> import symspec as ss
>>> from numerics.precision import working_precision
>>> with working_precision(64):
...     closed = Branches(RadialKernel.of(ss.mlp(ss.erf, 1).ck))
...     v = Jet.exact(acb(1, 0.5))
...     print(closed.bounded(v, arb(1), arb(1)).size.str(6, radius=False), closed.bounded(Jet.exact(acb(-1)), arb(1), arb(1)))
1.07629 None
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flint import acb, arb, fmpq

from .jets import Jet, JetTape
from .radial_kernel import C, P, Q, RadialKernel

MAX_HALVINGS = 12
SMALL = arb(0, fmpq(1, 1 << 20))
SMALL_DISC = acb(SMALL, SMALL)


@dataclass(frozen=True)
class Sizes:
    """On an arc: bounds of sum c_n(v, conj v) t^n and of |K(r, r, 1)|; ``is_loose`` where the first is twice the value in the middle: half the arc has better ones."""

    size: arb
    variance: arb
    is_loose: bool = False


@dataclass(frozen=True)
class State:
    """The kernel on an arc: (p, q, C) of every layer, the output and the variance."""

    layers: tuple[tuple[Jet, Jet, Jet], ...]
    output: Jet
    variance: Jet

    @property
    def sizes(self) -> Sizes:
        size = abs(self.output.over).upper()
        return Sizes(size, abs(self.variance.over).upper(), not size < 2 * abs(self.output.middle))


@dataclass(frozen=True)
class Branches:
    """A kernel whose duals are closed forms, for complex lengths."""

    kernel: RadialKernel

    @cached_property
    def _pairs(self) -> JetTape:
        return JetTape(self.kernel.expressions, (P, Q, C))

    @cached_property
    def _moments(self) -> JetTape:
        return JetTape(self.kernel.moments, (P,))

    def sizes(self, v: Jet, t: arb) -> Sizes | None:
        """What the closed form says at a point; no proof."""
        state = self._at(v, t)
        return None if state is None else state.sizes

    def _at(self, v: Jet, t: arb) -> State | None:
        """Everything for the lengths v and conj v and rs t = |v| t; None where something is not analytic."""
        first, variance = self.kernel.variances(v, self._moments.run), self.kernel.alike(v, self._moments.run)
        slope = (v.over.conjugate() * v.slopes[0]).real / abs(v.over)
        layers = list[tuple[Jet, Jet, Jet]]()

        def layer(p: Jet, q: Jet, covariance: Jet) -> list[Jet]:
            layers.append((p, q, covariance))
            return self._pairs.run(p, q, covariance)

        product = Jet.of(abs(v.middle) * t, (slope * t, 0))
        output = self.kernel.paired(first, [p.conjugate() for p in first], product, Jet.exact(1), layer)
        return State(tuple(layers), output, variance) if output.over.is_finite() and variance.over.is_finite() else None

    def bounded(self, v: Jet, partner: arb, t: arb, *, loose: bool = True) -> Sizes | None:
        """Bounds on an arc, ``partner`` a squared length inside; None where analyticity is not shown, or bounds are loose and not welcome."""
        state = self._at(v, t)
        if state is None or (state.sizes.is_loose and not loose):
            return None
        if not self._analytic_near_zero(v, partner) or not all(self._grows(*layer) for layer in state.layers):
            return None
        return state.sizes

    def _analytic_near_zero(self, v: Jet, partner: arb) -> bool:
        first, second = (self.kernel.variances(length, self._moments.run) for length in (v, Jet.exact(partner + SMALL_DISC)))
        small = Jet.exact(SMALL_DISC)
        found: Jet = self.kernel.paired(first, second, small, small, self._pairs.run)
        return bool(found.over.is_finite())

    def _grows(self, p: Jet, q: Jet, covariance: Jet) -> bool:
        """Whether the layer is analytic in the covariance from 0 to what it is."""
        stack = [(fmpq(i, 4), fmpq(i + 1, 4), MAX_HALVINGS) for i in range(4)]
        while stack:
            low, high, left = stack.pop()
            part = covariance * Jet.of(arb(low + high) / 2, (0, arb(high - low) / 2))
            if self._pairs.is_analytic(p, q, part):
                continue
            if not left:
                return False
            middle = (low + high) / 2
            stack += [(low, middle, left - 1), (middle, high, left - 1)]
        return True


__all__ = ["Branches", "Sizes"]
