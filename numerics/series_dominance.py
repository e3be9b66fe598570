r"""Domination of consecutive weight layers for duals given by their series, the pair (depth - 1, depth): one big jump.

Let l = depth - 1, :math:`U=V_l` as a series in the variable that enters layer l (in :math:`\rho` for l = 1), :math:`\hat u_n` its coefficients divided
by their sum, :math:`\hat e_k` those of the outermost :math:`V_L` normalised to its variance, :math:`S_k` the sum of k independent indices with
law :math:`\hat u`, :math:`\mu` their mean. By :mod:`numerics.entire_dominance` the coefficients have the sign of

.. math:: F_n=\sum_k\hat e_k\,(n-k)\,P(S_k=n)\quad\text{(plus terms}\ \ge0\ \text{of a bias)} .

**Positive terms.** One index is large, the others small: for :math:`J\le n/2` the events "this index is n - j, the others add up to j" are
disjoint, so :math:`P(S_k=n)\ge k\sum_{j<J}P(S_{k-1}=j)\,\hat u_{n-j}`. In one class modulo 2 the :math:`\hat u` decrease (:mod:`numerics.hermite_decay`),
so that :math:`F_n^+\ge\hat u_{n'}\sum_{k\le K}(n-k)\hat e_k\,k\,P(S_{k-1}<J,\ \equiv n-n')`, n' = n or n - 1.

*With a bias*, :math:`\hat u_n=\sum_m\hat v_mP(\mathrm{Bin}(m,\alpha)=n)`, :math:`\alpha=a/q_1`. Over the m of one class these probabilities add up to
:math:`\frac12(\alpha^{-1}\pm\alpha^n(2-\alpha)^{-n-1})`, those with m > tn, :math:`t=(1+\varepsilon)/\alpha`, to at most
:math:`\alpha^{-1}e^{-2tn(\alpha\varepsilon/(1+\varepsilon))^2}` (Hoeffding), so :math:`\hat u_n\ge w_0\hat v_{m}` with m the first of the class from tn on.

**Negative terms.** :math:`\sum_{k>n}(k-n)\hat e_kP(S_k=n)` is at most the sum without the probabilities, which
:class:`numerics.hermite_decay.ClassSum` bounds by the first term of each class. For k up to :math:`\lambda n`, :math:`\lambda\mu<1`, the factor
:math:`P(S_k\ge n)\le E(S_k-k\mu)^{2h}/(n-k\mu)^{2h}`, h = 1, 2, 3, is put in front, and the terms beyond :math:`\lambda n` are smaller by
:math:`e^{-\eta(\sqrt{\lambda n}-\sqrt{n+2})}`; for :math:`\mu>1`, :math:`P(S_k=n)\le(\hat U(r)/r)^n` for k > n.

**Every n.** In the normalised recursion :math:`\hat e=\hat u`, and the first negative term of a class is at most the positive one. Elsewhere both
are compared by :math:`\hat e_k\le\hat e_Be^{-\eta(\sqrt k-\sqrt B)}` and :math:`\hat v_m\ge\hat v_Me^{-\eta'(\sqrt{m-2}-\sqrt{M-2})}`, which needs
:math:`\eta\ge\eta'\sqrt t`: the outermost dual decays faster. Divided by n, the bound of the positive terms increases in n and that of the
negative ones decreases, so one evaluation at N proves :math:`F_n\ge0` for every :math:`n\ge N`.

>>> import symspec as ss
>>> tail = series_tail(ss.mlp(ss.sigmoid, 2), 1)
>>> tail.start, tail.mean.str(3, radius=False)
(18, '0.153')
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import comb, inf

from flint import arb, arb_series, ctx, fmpq

from symspec.errors import Undecided
from symspec.network import Network
from symspec.positive_transforms import Transform, transforms
from symspec.strip import StripForm
from symspec.strip_functions import DualOf, Profile

from . import power_series
from .constants import ball
from .dual_series import MehlerSeries, series_dual
from .hermite_decay import ClassSum, HermiteDecay
from .precision import working_precision
from .search import least

BITS = 320
SMALL, FEW, GUARD = 64, 16, 128
FARTHEST_BASE = 400
MAX_CUT, LONGEST = 3000, 256
LAMBDAS = tuple(fmpq(i, 10) for i in (11, 12, 13, 15, 20, 25, 30, 40, 50, 60))
SPREADS = tuple(fmpq(i, 20) for i in (1, 2, 3, 4, 6, 8, 10, 14, 20))
RADII = tuple(fmpq(i, 100) for i in (98, 95, 92, 88, 84, 80, 75, 70, 60, 50, 40, 30))
ONE = arb(1)


@dataclass(frozen=True)
class SeriesTail:
    """A proof that no F_n is negative from degree ``start`` on; ``mean`` is mu. ``negative`` are the m < start with F_m < 0, for a later layer."""

    layer: int
    start: int
    mean: arb
    factor: arb
    negative: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"from degree {self.start} on: one large index outweighs the sums of more than n indices, taken {self.factor.str(3, radius=False)} times"


@dataclass(frozen=True)
class SeriesLayer:
    """V_s(z) = w dual(z) + b at the variance q; ``total`` = V_s(q) is the next variance."""

    profile: Profile
    q: arb
    weight: arb
    bias: arb

    @cached_property
    def series(self) -> MehlerSeries:
        return MehlerSeries.of(self.profile, self.q, self.q, BITS)

    @cached_property
    def total(self) -> arb:
        return self.weight * self.series.moment(0) + self.bias

    def normalised(self, count: int) -> list[arb]:
        """v_n q^n/V(q) for n < count."""
        values = [self.weight * value / self.total for value in self.series.weights(count)]
        return [values[0] + self.bias / self.total, *values[1:]]

    def factorial_moment(self, j: int) -> arb:
        """V^(j)(q)/V(q), j >= 1."""
        return self.weight * self.series.moment(j) / self.total

    def run(self, z: arb_series, order: int) -> arb_series:
        """The layer, or its derivative, of a power series."""
        constant = arb_series([self.q])
        value = self.weight * series_dual(constant, constant, z, DualOf(self.profile, order))
        return value if order else value + self.bias


def series_layers(network: Network) -> list[SeriesLayer]:
    """The layers 1 to depth; Undecided for activations that are not analytic in a strip only."""
    form, par = network.activation.form, network.parametrisation
    if not isinstance(form, StripForm):
        raise Undecided(f"{form} has a dual in closed form, not a series")
    profile = Profile(form.expr)
    if par.sigma_w2 is None:
        one = SeriesLayer(profile, ONE, 1 / MehlerSeries.of(profile, ONE, ONE, BITS).moment(0), arb(0))
        return [one] * network.depth
    weight, bias, found = ball(par.sigma_w2), ball(par.sigma_b2), []
    variance = weight * ball(par.input_variance) + bias
    for _ in range(network.depth):
        found.append(SeriesLayer(profile, variance, weight, bias))
        variance = found[-1].total
    return found


def series_tail(network: Network, layer: int) -> SeriesTail:
    """The proof for layer l = ``layer`` = depth - 1 of a network whose dual is given by its series.

    Raises Undecided for other layers, activations without transforms of one sign, and where no degree up to MAX_CUT closes the argument.
    """
    if layer != network.depth - 1:
        raise Undecided(f"layers {layer} and {layer + 1} of the {network}: for duals given by their series the signs are decided for the pair ({network.depth - 1}, {network.depth}) only")
    found = transforms(network.activation.form)
    if found is None:
        raise Undecided(f"the Fourier transforms of the even and the odd part of {network.activation.form} are not of one known sign, so its Hermite coefficients are not bounded below")
    with working_precision(BITS):
        layers = series_layers(network)
        case = _Case.of(network, layers, layer, found)
        case.require_fast_decay(f"layers {layer} and {layer + 1} of the {network}")
        # Parts that are polynomials have ended by then.
        ended = [int(top) + 1 for top in (network.activation.support.even, network.activation.support.odd) if top < inf]
        start = least(lambda n: case.closes(n) is not None, max([8, *ended]), MAX_CUT)
        if start is None:
            raise Undecided(f"the signs of the coefficients of layers {layer} and {layer + 1} of the {network} are not settled by degree {MAX_CUT} (mean index {case.mean.str(4, radius=False)})")
        factor = case.closes(start)
        assert factor is not None
        tail = SeriesTail(layer, start, case.mean, factor)
        return tail if layer == 1 else _substituted(network, layers, tail)


@dataclass
class _Case:
    """All that the bounds need; ``alpha`` = 1 without a bias in the first layer."""

    inner: SeriesLayer
    outer: SeriesLayer
    alpha: arb
    shifted: bool
    same: bool
    even: bool
    network: Network
    inner_decay: dict[int, HermiteDecay]
    outer_decay: dict[int, HermiteDecay]
    _others: list[list[arb]] = field(default_factory=list)

    @staticmethod
    def of(network: Network, layers: list[SeriesLayer], layer: int, found: dict[int, Transform]) -> _Case:
        inner, outer = layers[layer - 1], layers[layer]
        par = network.parametrisation
        shifted = layer == 1 and not network.is_plain
        alpha = 1 - inner.bias / inner.q if shifted else ONE
        decays = [{parity: HermiteDecay.of(transform, one.q) for parity, transform in found.items()} for one in (inner, outer)]
        return _Case(inner, outer, alpha, shifted, par.normalised, network.activation.support.is_even and not shifted, network, decays[0], decays[1])

    def require_fast_decay(self, what: str) -> None:
        """Undecided where no degree can close the argument: the rates eta'' and eta' sqrt(t) tend to the two that are compared here."""
        if self.same or self.mean > 1:
            return
        slowest = min((decay.a / decay.q.sqrt() for decay in self.outer_decay.values()), key=float)
        if all(slowest <= decay.A / (self.alpha * decay.q).sqrt() for decay in self.inner_decay.values()):
            why = f"the outermost dual decays more slowly than the layer before it, and the mean index {self.mean.str(4, radius=False)} is not above 1"
            raise Undecided(f"the signs of the coefficients of {what} are not settled: {why}")

    @cached_property
    def few(self) -> list[arb]:
        """e_k for k < FEW."""
        return self.outer.normalised(FEW)

    @cached_property
    def small(self) -> list[arb]:
        """u_j for j < SMALL."""
        if not self.shifted:
            return self.inner.normalised(SMALL)
        with working_precision(GUARD, SMALL):
            return [value / self.inner.total for value in power_series.coefficients(self.network.by_depth("ck")[1], SMALL, ONE)]

    @cached_property
    def mean(self) -> arb:
        return self._moments[0]

    @cached_property
    def _moments(self) -> list[arb]:
        """Mean, and the cumulants 2, 3, 4, 6 of one index, from its factorial moments."""
        f = [ONE, *(self.alpha**j * self.inner.q**j * self.inner.factorial_moment(j) for j in range(1, 7))]
        # Stirling numbers of the second kind turn factorial moments into moments.
        stirling = [[1], [0, 1], [0, 1, 1], [0, 1, 3, 1], [0, 1, 7, 6, 1], [0, 1, 15, 25, 10, 1], [0, 1, 31, 90, 65, 15, 1]]
        raw = [sum((s * f[j] for j, s in enumerate(row)), arb(0)) for row in stirling]
        kappa = [arb(0)]
        for n in range(1, 7):
            kappa.append(raw[n] - sum((comb(n - 1, m - 1) * kappa[m] * raw[n - m] for m in range(1, n)), arb(0)))
        return [kappa[1], kappa[2], kappa[3], kappa[4], kappa[6]]

    def others(self, k: int) -> list[arb]:
        """P(S_k = j) for j < SMALL."""
        if not self._others:
            with working_precision(ctx.prec, SMALL):
                step, power = arb_series(self.small), arb_series([1])
                for _ in range(FEW):
                    self._others.append([power[j] for j in range(SMALL)])
                    power = power * step
        return self._others[k]

    def closes(self, n: int) -> arb | None:
        """A number below 1 that bounds the ratio of negative to positive terms at every degree from n on; None where none is found."""
        if any(not decay.fall(n // 2) > 0 for decay in self.inner_decay.values()):
            return None
        sums = {parity: ClassSum.of(decay, n) for parity, decay in self.outer_decay.items()}
        if any(one is None for one in sums.values()):
            return None
        worst = arb(0)
        # Without odd powers nothing is left of odd degree.
        for parity in (0,) if self.even else (0, 1):
            ratio = self._ratio(n, parity, {key: one for key, one in sums.items() if one is not None})
            if ratio is None or not ratio < 1:
                return None
            worst = worst.max(ratio)
        return worst.upper()

    def _ratio(self, n: int, parity: int, sums: dict[int, ClassSum]) -> arb | None:
        """For the degrees of one parity from n on."""
        best: arb | None = None
        for all_above, kappa in self._all_above(n):
            negative = {c: self._negative(n, 1 if (parity + 1) % 2 == c else 2, one, all_above) for c, one in sums.items()}
            for ratio in self._same_ratio(n, parity, negative) if self.same else self._other_ratios(n, parity, negative, kappa):
                best = ratio if best is None or ratio < best else best
        return best

    def _same_ratio(self, n: int, parity: int, negative: dict[int, arb]) -> list[arb]:
        """The worst of the classes, each against its own large index."""
        parts = [(negative[c], self._positive(n, (parity - c) % 2)) for c in negative]
        return [] if any(not down > 0 for _, down in parts) else [max(((up / down).upper() for up, down in parts), key=float)]

    def _other_ratios(self, n: int, parity: int, negative: dict[int, arb], kappa: arb) -> Iterator[arb]:
        """All classes against the large index of one."""
        for c in self.inner_decay:
            down = self._positive(n, None if self.shifted else (parity - c) % 2)
            if down > 0:
                yield from ((factor / down).upper() for factor in self._comparisons(n, c, negative, kappa))

    def _positive(self, n: int, residue: int | None) -> arb:
        """sum_k (n - k) e_k k P(S_(k-1) < J, of the residue modulo 2), J <= n/2."""
        total = arb(0)
        for k in range(1, min(FEW, n)):
            chosen = [p for j, p in enumerate(self.others(k - 1)[: n // 2]) if residue is None or j % 2 == residue]
            total += (n - k) * self.few[k] * k * sum(chosen, arb(0))
        return total.lower()

    def _negative(self, n: int, first: int, one: ClassSum, all_above: arb) -> arb:
        """A bound of sum_(k > n) (k - n) e_k P(S_k = n)/e_(n + first) over a class; divided by n it decreases from n on."""
        everything = one.first_moment(n + first, n)
        best = everything * all_above
        if all_above < 1:
            return best.upper()
        for ratio in LAMBDAS:
            last = arb(ratio * n)
            if not (ratio * self.mean < 1 and one.exponent * (arb(ratio).sqrt() - 1) * arb(n).sqrt() >= 1):
                continue
            far = (last + 2 - n) * one.gamma * (last + 2).sqrt() + 2 * one.gamma * one.weighted * (last + 2)
            far = far * (-one.exponent * (last.sqrt() - arb(n + 2).sqrt())).exp()
            best = best.min(everything * self._beyond_mean(n, ratio) + far)
        return best.upper()

    def _all_above(self, n: int) -> list[tuple[arb, arb]]:
        """Bounds of P(S_k = n), k > n: 1, and e^(-kappa n), each with its kappa."""
        found, rest = [(ONE, arb(0))], (1 - sum(self.small, arb(0))).upper()
        if self.mean > 1:
            values = [((sum((u * r**j for j, u in enumerate(self.small)), arb(0)) + rest * arb(r) ** SMALL) / r).upper() for r in RADII]
            least_value = min(values, key=float)
            if least_value < 1:
                found.append(((least_value**n).upper(), (-least_value.log()).lower()))
        return found

    def _beyond_mean(self, n: int, ratio: fmpq) -> arb:
        """A bound of P(S_k >= n) for k <= ratio n, which decreases in n."""
        mu, k2, k3, k4, k6 = (abs(value).upper() if i == 2 else value.upper() for i, value in enumerate(self._moments))
        x, room = ratio * arb(n), (1 - ratio * mu) * n
        k4, k6 = k4.max(arb(0)), k6.max(arb(0))
        moments = [x * k2, x * k4 + 3 * x * x * k2 * k2, x * k6 + x * x * (15 * k4 * k2 + 10 * k3 * k3) + 15 * x**3 * k2**3]
        best = ONE
        for h, value in enumerate(moments, start=1):
            best = best.min((value / room ** (2 * h)).upper())
        return best

    def _comparisons(self, n: int, c: int, negative: dict[int, arb], kappa: arb) -> Iterator[arb]:
        """Bounds of sum over classes of (bound of the negative terms) e_(first)/floor, floor <= every u_m, n/2 <= m <= n, of the class c."""
        outer = self.outer.normalised(FARTHEST_BASE + 4)
        inner = outer if self.same else self.inner.normalised(FARTHEST_BASE + 4)
        base = {parity: _last(min(n, FARTHEST_BASE), parity) for parity in self.outer_decay}
        M = _last(min(n, FARTHEST_BASE), c)
        slow = self.inner_decay[c].slow(M)
        if not (slow.is_finite() and inner[M] > 0):
            return
        for t, w in self._floors(n):
            floor = w * inner[M] * (-slow * ((t * n).sqrt() - arb(M - 2).sqrt())).exp()
            total, valid = arb(0), True
            for parity, size in negative.items():
                eta, B = self.outer_decay[parity].exponent(base[parity]), base[parity]
                # The logarithmic derivative in n is not positive, here and so for all larger n.
                valid = valid and bool(slow * t.sqrt() * (arb(n + 1) / n).sqrt() <= eta + 2 * kappa * arb(n + 1).sqrt())
                total += size * outer[B] * (-eta * (arb(n + 1).sqrt() - arb(B).sqrt())).exp()
            if valid:
                yield (total / floor).upper()

    def _floors(self, n: int) -> Iterator[tuple[arb, arb]]:
        """(t, w): every u_m, n/2 <= m <= n (of the class) is at least w times the v of the class next above t n."""
        if not self.shifted:
            yield ONE, ONE
            return
        half, alpha = n // 2, self.alpha
        for spread in SPREADS:
            t = (1 + spread) / alpha
            missing = (-2 * t * half * (alpha * spread / (1 + spread)) ** 2).exp() / alpha
            w = (1 / alpha - alpha**half / (2 - alpha) ** (half + 1)) / 2 - missing
            if w > 0:
                yield t, w.lower()


def _last(n: int, parity: int) -> int:
    return n if n % 2 == parity else n - 1


def _substituted(network: Network, layers: list[SeriesLayer], tail: SeriesTail) -> SeriesTail:
    """For a later layer: F about the value of its input at rho = 0 must have no negative coefficient but that of degree 0."""
    own, outer = layers[tail.layer - 1], layers[tail.layer]
    if tail.start > LONGEST:
        raise Undecided(f"the proof for layer {tail.layer} of the {network} rules from degree {tail.start} on; for a later layer the coefficients below are computed up to {LONGEST} only")
    with working_precision(GUARD + 2 * tail.start, tail.start):
        z = arb_series([0, 1])
        value, slope = own.run(z, 0), own.run(z, 1)
        series = (z * slope - value) * outer.run(value, 1)
        F = [series[n] for n in range(tail.start)]
        negative = tuple(n for n, one in enumerate(F) if not (one >= 0 or (n % 2 and network.activation.support.is_even)))
        kernel = network.by_depth("ck")[tail.layer - 1]
        with working_precision(ctx.prec, 2):
            x = power_series.coefficients(kernel, 2, ONE)[0]
        for m in range(1, max(negative, default=0) + 1):
            if not sum((comb(n, m) * one * x ** (n - m) for n, one in enumerate(F) if n >= m), arb(0)) >= 0:
                raise Undecided(f"F has negative coefficients of degree {', '.join(map(str, negative[:6]))} in the kernel that enters layer {tail.layer}; they are not shown to be outweighed")
    return SeriesTail(tail.layer, 1, tail.mean, tail.factor, negative)


__all__ = ["SeriesLayer", "SeriesTail", "series_layers", "series_tail"]
