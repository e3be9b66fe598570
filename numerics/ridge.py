r"""Learning curves of kernel ridge regression, from the certified spectrum.

For n samples of a target :math:`\sum_k` (degree parts of energy :math:`v_k^2`) with noise of variance :math:`\sigma^2`, the predictor
:math:`\hat f(x)=K(x,X)(K(X,X)+\delta I)^{-1}y` has, in the theory of Simon, Dickens, Karkada and DeWeese (arXiv 2110.03922;
Bordelon, Canatar and Pehlevan 2020), the effective ridge :math:`\kappa>0` with

.. math:: n=\sum_iL_i+\frac\delta\kappa,\qquad L_i=\frac{\lambda_i}{\lambda_i+\kappa},

the sum over all eigenvalues with multiplicity, and the expected test error, noise of the test sample included,

.. math:: \mathcal E=\mathcal E_0\Bigl(\sum_k(1-L_k)^2v_k^2+\sigma^2\Bigr),\qquad\mathcal E_0=\frac n{n-\sum_iL_i^2}.

The theory is an approximation (Gaussian universality of the eigenfunctions); what is proved here is its value. **The infinite
sum.** With :math:`T=K(1)-\sum_{k\le m}N_k\mu_k`, the trace above degree m, and :math:`M=\max(\mu_{m+1},\mu_{m+2})`, which bounds
all later eigenvalues (they decrease along each parity, :mod:`symspec.simplicity`),

.. math:: \frac T{\kappa+M}\le\sum_{k>m}N_kL_k\le\frac T\kappa,\qquad 0\le\sum_{k>m}N_kL_k^2\le\frac{MT}{\kappa^2},

so no truncation is left out, however slowly the trace converges. The left side of the equation of kappa decreases
in kappa; the two ends of the ball of kappa are numbers at which its sign is certain.

>>> import symspec as ss
>>> curve = learning_curve(ss.mlp(ss.relu, 2).ntk, ss.Sphere(5), {1: 1, 2: 1}, [10, 100], ridge="1/100")
>>> [point.error.str(5, radius=False) for point in curve]
['1.1531', '0.018366']
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from flint import arb, fmpz

from symspec.domain import Domain
from symspec.errors import InputError, Undecided
from symspec.exact import exact, natural
from symspec.kernel import Kernel

from .constants import ball
from .layer_contributions import Energies, checked_energies
from .precision import goal_bits, working_precision
from .spectrum import sole_eigenvalues
from .variances import total_variance

GUARD = 96
FIRST_DEGREES = 32
MAX_DEGREES = 4096
STEPS = 400


@dataclass(frozen=True)
class LearningPoint:
    """Prediction for ``samples``: kappa, the sum of L_i^2 in ``overfitting`` E_0, and the expected test error."""

    samples: int
    effective_ridge: arb
    overfitting: arb
    error: arb


@dataclass(frozen=True)
class _Spectrum:
    """Positive eigenvalues as (degree, multiplicity, value) up to a degree, and trace and largest eigenvalue above it."""

    values: tuple[tuple[int, int, arb], ...]
    trace_above: arb
    largest_above: arb

    @property
    def is_finite(self) -> bool:
        return bool(self.trace_above == 0)

    @property
    def rank(self) -> int:
        return sum(count for _, count, _ in self.values)

    def filled(self, kappa: arb) -> arb:
        """An enclosure of the sum of L_i."""
        total = sum((fmpz(count) * value / (value + kappa) for _, count, value in self.values), arb(0))
        return total + (self.trace_above / (kappa + self.largest_above)).union(self.trace_above / kappa)

    def squared(self, kappa: arb) -> arb:
        """An enclosure of the sum of L_i^2."""
        total = sum((fmpz(count) * (value / (value + kappa)) ** 2 for _, count, value in self.values), arb(0))
        return total + arb(0).union(self.largest_above * self.trace_above / kappa**2)

    def missed(self, energies: dict[int, arb], kappa: arb) -> arb:
        """The sum of (1 - L_k)^2 v_k^2."""
        known = {k: value for k, _, value in self.values}
        return sum((size * (kappa / (known.get(k, arb(0)) + kappa)) ** 2 for k, size in energies.items()), arb(0))


def learning_curve(kernel: Kernel, domain: Domain, energies: Energies, samples: Iterable[Any], *, ridge: Any = 0, noise: Any = 0, digits: Any = 6) -> list[LearningPoint]:
    """The predicted expected test error for each number of samples, to about ``digits`` digits of the formula's value.

    ``energies`` maps degrees to :math:`v_k^2`, ``ridge`` is delta >= 0, ``noise`` is sigma^2 >= 0. Raises InputError for negative
    numbers, or without a ridge where the kernel has at most as many eigenvalues as there are samples, Undecided where the
    signs of the power series are unknown (the tail is then not bounded) or the digits are out of reach.
    """
    degrees, sizes = checked_energies(energies)
    delta, sigma2 = exact(ridge, "ridge"), exact(noise, "noise")
    if delta.is_negative or sigma2.is_negative:
        raise InputError("ridge and noise must not be negative")
    if kernel.support is None:
        raise Undecided("the signs of the power series of this kernel are not known, so its small eigenvalues are not bounded together")
    counts = [natural(n, "number of samples", 1) for n in samples]
    goal = goal_bits(natural(digits, "digits", 1))
    target = dict(zip(degrees, sizes, strict=True))
    return [_point(kernel, domain, target, n, (delta, sigma2), goal) for n in counts]


def _point(kernel: Kernel, domain: Domain, energies: dict[int, arb], n: int, numbers: tuple[Any, Any], goal: int) -> LearningPoint:
    top, last = max(FIRST_DEGREES, max(energies) + 2), domain.highest_degree
    while True:
        with working_precision(goal + GUARD):
            delta, sigma2 = (ball(number) for number in numbers)
            spectrum = _spectrum(kernel, domain, top, goal)
            kappa = _effective_ridge(spectrum, n, delta, goal)
            overfitting = n / (n - spectrum.squared(kappa))
            error = overfitting * (spectrum.missed(energies, kappa) + sigma2)
        if error.is_finite() and error.rel_accuracy_bits() >= goal:
            return LearningPoint(n, kappa, overfitting, error)
        if top >= MAX_DEGREES or spectrum.is_finite or (last is not None and top >= last):
            raise Undecided(f"the predicted error with {n} samples is not known to the digits asked with the degrees up to {top}; ask for fewer digits")
        top *= 2


def _spectrum(kernel: Kernel, domain: Domain, top: int, goal: int) -> _Spectrum:
    last, digits = domain.highest_degree, goal // 3 + 12
    highest = top if last is None else min(top, last)
    beyond = [k for k in (highest + 1, highest + 2) if last is None or k <= last]
    found = sole_eigenvalues(kernel, domain, [*range(highest + 1), *beyond], digits)
    values = tuple((k, domain.multiplicity(k), value) for k, value in enumerate(found[: highest + 1]) if value != 0)
    if all(value == 0 for value in found[highest + 1 :]):
        return _Spectrum(values, arb(0), arb(0))
    rest = total_variance(kernel, domain, digits) - sum((fmpz(count) * value for _, count, value in values), arb(0))
    # The trace above is not negative, whatever the rounding leaves of the difference.
    above = rest if rest > 0 else arb(0).union(rest.upper())
    return _Spectrum(values, above, reduce(arb.max, found[highest + 1 :]).upper())


def _effective_ridge(spectrum: _Spectrum, n: int, delta: arb, goal: int) -> arb:
    """A ball that contains kappa: its ends are numbers at which the sign of the equation is certain."""
    if spectrum.is_finite and delta == 0 and spectrum.rank <= n:
        raise InputError(f"the kernel has {spectrum.rank} eigenvalues, so {n} samples determine the predictor without a ridge; give a ridge or fewer samples")
    trace = sum((fmpz(count) * value for _, count, value in spectrum.values), arb(0)) + spectrum.trace_above
    # sum L_i <= trace/kappa, so that no kappa above this solves the equation.
    high = ((trace + delta) / n).upper() * 2
    low = high / 2
    while not _sign(spectrum, n, delta, low) > 0:
        low = low / 4
        if low < high * arb(2) ** -STEPS:
            return arb("nan")
    while high - low > low * arb(2) ** (-goal - 8):
        middle = ((low * high).sqrt() if high > 2 * low else (low + high) / 2).mid()
        sign = _sign(spectrum, n, delta, middle)
        if sign == 0:
            break
        low, high = (middle, high) if sign > 0 else (low, middle)
    return low.union(high)


def _sign(spectrum: _Spectrum, n: int, delta: arb, kappa: arb) -> int:
    """The sign of sum L_i + delta/kappa - n, 0 where it is not certain."""
    value = spectrum.filled(kappa) + delta / kappa - n
    return 1 if value > 0 else -1 if value < 0 else 0


__all__ = ["LearningPoint", "learning_curve"]
