r"""Eigenvalues under Gaussian inputs x ~ N(0, I_d) for kernels that are not homogeneous in the lengths.

In every degree k the integral operator acts on functions of the length :math:`r=|x|/\sqrt d` with the kernel

.. math:: \kappa_k(r,s)=\sum_nc_n(r,s)\,\mu_k(t^n)

(:mod:`numerics.radial_kernel`; :math:`\mu_k(t^n)` of the sphere), and has infinitely many eigenvalues
:math:`\lambda_{k,0}\ge\lambda_{k,1}\ge\dots\ge0`, each for :math:`N(d,k)` eigenfunctions. Call it T.

**Bounds.** Let I be an interval of lengths and :math:`T_N` the operator of the terms n <= N on I. If P is an orthogonal projection, then

.. math:: \lambda_j(PT_NP)\le\lambda_{k,j}\le\lambda_j(PT_NP)+\bigl(\operatorname{tr}T_N-\operatorname{tr}PT_NP\bigr)+\tau_N+\omega,

because compressions lower eigenvalues (Cauchy), and because a positive semidefinite operator of two blocks has
:math:`\lambda_j\le\lambda_j(\text{first})+\lambda_0(\text{second})` (Aronszajn; Horn and Johnson, Topics in Matrix Analysis, 3.2.10; Weyl). Here
:math:`\tau_N=\max_{n>N}\mu_k(t^n)\,\bigl(E[K(r,r,1);I]-\sum_{n\le N}E[c_n(r,r);I]\bigr)` and :math:`\omega` bounds the trace outside I.
P projects on polynomials in :math:`r^2` of low degree times the root of the density (:mod:`numerics.radial_measure`).

**Integrals** are Gauss sums, whose errors follow from the size S of the kernel on an ellipse (:mod:`numerics.radial_continuation`): with E the error of
the rule for functions bounded by 1, an entry (i, j) of :math:`PT_NP` errs by at most :math:`E\,S(\|p_i\|\sqrt{\operatorname{tr}}+\|p_j\|\sqrt{\operatorname{tr}'})`, tr and tr' the
trace and its Gauss sum (one variable at a time, the other by Cauchy and Schwarz), and the trace by :math:`E\,S^2`. Terms beyond x = 1, where kinks make the kernel singular, cost a
factor :math:`x^{N}` in :math:`S^2`. Eigenvalues of the matrix of balls are enclosed by counting (:mod:`numerics.inertia`).

>>> import symspec as ss
>>> found = radial_eigenvalues(ss.mlp(ss.erf, 1, sigma_w2=2, sigma_b2=1).ck, ss.Gaussian(10), 1, count=2, digits=8)
>>> print(*(value.str(7, radius=False) for value in found))
0.07389183 0.0002641710
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import log2
from typing import Any

from flint import arb, arb_mat

from symspec.domain import Gaussian
from symspec.errors import InputError, Undecided
from symspec.exact import natural
from symspec.kernel import Kernel

from .inertia import largest_eigenvalues as enclosed_eigenvalues
from .jacobi_rule import JacobiRule
from .power_series import largest_eigenvalue, monomial_eigenvalue
from .precision import goal_bits, meets, working_precision
from .radial_kernel import RadialKernel
from .radial_measure import RadialMeasure
from .radial_plan import Plan, plan

FIRST_TERMS, PROPOSAL_BITS = 64, 80
SPARE_BITS = 12


def radial_eigenvalues(kernel: Kernel, domain: Gaussian, degree: Any, count: Any = 1, digits: Any = 15) -> list[arb]:
    """The ``count`` largest eigenvalues of degree k, descending, each to ``digits`` significant digits.

    For a homogeneous kernel the first is the only one that is not 0 (:func:`numerics.eigenvalues`). Raises NoClosedForm for kernels that are
    not known between inputs of different lengths, Undecided where the digits are out of reach or an eigenvalue is not told from 0.
    """
    if not isinstance(domain, Gaussian):
        raise InputError(f"radial eigenvalues belong to Gaussian inputs, Gaussian(d), not to {domain!r}")
    if not isinstance(kernel, Kernel):
        raise InputError(f"radial_eigenvalues takes a Kernel (net.ck, net.ntk, ...), not {type(kernel).__name__}")
    k, wanted, bits = domain.degree(degree), natural(count, "count", 1), goal_bits(digits)
    if kernel.support is not None and kernel.support.vanishes_at(k):
        return [arb(0)] * wanted
    return largest_eigenvalues(kernel, int(domain.dimension), [k], wanted, bits)[k]


def largest_eigenvalues(kernel: Kernel, d: int, degrees: list[int], count: int, bits: int) -> dict[int, list[arb]]:
    """The ``count`` largest eigenvalues of every degree to ``bits`` of relative accuracy, or Undecided. Degrees where all vanish must have been removed."""
    return _refined(kernel, d, degrees, bits, count + 2, lambda operators, k: operators.eigenvalues(k, count, bits))


def traces(kernel: Kernel, d: int, degrees: list[int], bits: int) -> dict[int, arb]:
    """E kappa_k(r, r), the sum of all eigenvalues of every degree, to ``bits`` of relative accuracy."""
    return {k: values[0] for k, values in _refined(kernel, d, degrees, bits, None, lambda operators, k: [operators.whole_trace(k)]).items()}


def mean_variance(kernel: Kernel, d: int, bits: int) -> arb:
    """E K(x, x), the sum of the traces over all harmonics, to ``bits`` of relative accuracy."""
    radial, goal = RadialKernel.of(kernel), bits + 8
    for _ in range(3):
        operators = Operators.of(radial, d, [0], goal, None)
        with working_precision(operators.precision):
            value = operators.variance
        if meets(value, bits):
            return value
        goal += bits
    raise Undecided(f"the mean variance under Gaussian inputs is not known to {bits} bits")


def _refined(kernel: Kernel, d: int, degrees: list[int], bits: int, more: int | None, answer: Callable[[Operators, int], list[arb]]) -> dict[int, list[arb]]:
    """The answers of operators, made ever more accurate until all meet the goal."""
    radial, found = RadialKernel.of(kernel), dict[int, list[arb]]()
    goal = bits + 8 + _below(radial, d, degrees)
    # An eigenvalue that shows no digit so far down may be 0.
    limit = 2 * goal + SPARE_BITS * (more or 1)
    while goal <= limit:
        lacking = 0
        for shift in (0, 1):
            wanted = [k for k in degrees if k % 2 == shift and k not in found]
            if not wanted:
                continue
            operators = Operators.of(radial, d, wanted, goal, more)
            with working_precision(operators.precision):
                for k in wanted:
                    values = answer(operators, k)
                    lacking = max(lacking, *(bits - max(0, min(bits, value.rel_accuracy_bits())) for value in values))
                    if all(meets(value, bits) for value in values):
                        found[k] = values
        if len(found) == len(degrees):
            return found
        goal += lacking + 8
        more = None if more is None else more + lacking // 3
    missing = min(k for k in degrees if k not in found)
    raise Undecided(f"an eigenvalue of degree {missing} under Gaussian inputs was not told from 0 at 2^-{goal} of the kernel's size; it may be exactly 0")


def _below(kernel: RadialKernel, d: int, degrees: list[int]) -> int:
    """How many bits kappa_k(1, 1) lies below the largest mu_k(t^n), a first guess of the accuracy that is needed."""
    with working_precision(PROPOSAL_BITS):
        series = kernel.coefficients(arb(1), arb(1), max(degrees) + FIRST_TERMS)
        sizes = [float(sum((c * w for c, w in zip(series, weights(d, k, len(series)), strict=True)), arb(0)).mid()) for k in degrees]
    return max(0, *(int(-log2(size)) if size > 0 else 0 for size in sizes))


def weights(d: int, k: int, terms: int) -> list[arb]:
    """mu_k(t^n), n < terms, over the largest of them for all n."""
    found = [arb(0)] * terms
    value = monomial_eigenvalue(d, k, k) / largest_eigenvalue(d, k, k)
    for n in range(k, terms, 2):
        found[n] = value
        value = value * ((n + 1) * (n + 2)) / ((n + 2 - k) * (n + k + d))
    return found


@dataclass(frozen=True)
class Operators:
    """The operators of degrees of one parity on an interval, divided by the largest mu_k(t^n)."""

    kernel: RadialKernel
    plan: Plan
    goal: int
    outside: arb

    @staticmethod
    def of(kernel: RadialKernel, d: int, degrees: list[int], goal: int, more: int | None) -> Operators:
        """For degrees of one parity and an absolute accuracy of about 2^-goal of the kernel's size.

        ``more`` polynomials than would do for a function of one length are kept; None if only traces are asked for.
        """
        made = plan(kernel, d, degrees[0] % 2, max(degrees), goal, more)
        with working_precision(64):
            return Operators(kernel, made, goal, made.measure.outside(kernel.growth))

    @property
    def precision(self) -> int:
        return self.goal + 2 * self.plan.nodes + 64

    @property
    def measure(self) -> RadialMeasure:
        return self.plan.measure

    @property
    def ratio(self) -> arb:
        return arb(self.plan.ellipse.ratio)

    @cached_property
    def rule(self) -> JacobiRule:
        return self.measure.rule(self.plan.nodes)

    @cached_property
    def points(self) -> list[tuple[arb, arb]]:
        """v, and the root of weight times g^2/v^shift, at the nodes."""
        found = []
        for x, weight in zip(self.rule.nodes, self.rule.weights, strict=True):
            v = self.measure.chart.length(x)
            found.append((v, (weight * self.measure.square(x) / v**self.measure.shift).sqrt()))
        return found

    @cached_property
    def _variances(self) -> tuple[arb, arb]:
        """E[K(r, r, 1); I], and that less the terms kept, by the rule without shift."""
        measure = RadialMeasure(self.measure.d, 0, self.measure.chart)
        rule, (size, variance) = measure.rule(self.plan.nodes), self.plan.size(measure)
        whole, rest = (arb(0, (rule.error(self.ratio) * bound).upper()) for bound in (variance, size + variance))
        for x, weight in zip(rule.nodes, rule.weights, strict=True):
            v = measure.chart.length(x)
            factor, diagonal = weight * measure.square(x), self._diagonal(v)
            whole += factor * diagonal
            rest += factor * (diagonal - sum(self._series(v, v, self.plan.terms), arb(0)))
        return whole, rest

    @property
    def variance(self) -> arb:
        """E K(r, r, 1)."""
        whole = self._variances[0]
        return whole.union(whole + self.outside)

    @property
    def rest(self) -> arb:
        """A bound of what the terms that are left out add to E[K(r, r, 1); I]."""
        return self._variances[1].upper().max(arb(0))

    def _series(self, v: arb, w: arb, terms: int) -> list[arb]:
        """c_n at two squared lengths, at no more precision than the goal asks for."""
        with working_precision(self.goal + self.kernel.spare_bits):
            return self.kernel.coefficients(v.sqrt(), w.sqrt(), terms)

    def _diagonal(self, v: arb) -> arb:
        with working_precision(self.goal + self.kernel.spare_bits):
            return self.kernel.diagonal(v)

    @cached_property
    def diagonals(self) -> list[list[arb]]:
        """c_n(r, r) at the nodes, with the weights."""
        return [[c * root * root for c in self._series(v, v, self.plan.terms)] for v, root in self.points]

    @cached_property
    def _tails(self) -> list[list[arb]]:
        """sum_{m >= n} c_m(r, r), rounded up."""
        found = []
        for row in self.diagonals:
            tail, sums = arb(0), [arb(0)]
            for c in reversed(row):
                tail = (tail + abs(c)).upper()
                sums.append(tail)
            found.append(sums[::-1])
        return found

    @cached_property
    def pairs(self) -> dict[tuple[int, int], tuple[list[arb], arb]]:
        """c_n(r, s) at pairs of nodes, with the weights: as many as matter, and a bound of the sum of all others."""
        found, small = {}, arb(2) ** (-self.goal - 8) / len(self.points)
        floats = [[float(tail) for tail in row] for row in self._tails]
        for i, (v, first) in enumerate(self.points):
            found[i, i] = self.diagonals[i], arb(0)
            for j in range(i):
                w, second = self.points[j]
                terms = _first_below(floats[i], floats[j], float(small) ** 2)
                product = first * second
                series = [c * product for c in self._series(v, w, terms)] if terms else []
                found[i, j] = series, (self._tails[i][terms] * self._tails[j][terms]).sqrt().upper()
        return found

    def matrix(self, k: int) -> arb_mat:
        """kappa_k at all pairs of nodes, with the weights."""
        mu, size = weights(self.measure.d, k, self.plan.terms), len(self.points)
        rows = [[arb(0)] * size for _ in range(size)]
        for (i, j), (series, rest) in self.pairs.items():
            value = sum((c * w for c, w in zip(series[k::2], mu[k : len(series) : 2], strict=True)), arb(0)) + arb(0, rest)
            rows[i][j] = rows[j][i] = value
        return arb_mat(rows)

    @cached_property
    def basis(self) -> arb_mat:
        """Columns: the polynomials kept, at the nodes, times the roots of the weights."""
        rows, roots = self.rule.rows, [w.sqrt() for w in self.rule.weights]
        return arb_mat([[rows[m][i] * roots[i] for m in range(self.plan.kept)] for i in range(len(roots))])

    def trace(self, k: int) -> arb:
        """tr T_N."""
        mu = weights(self.measure.d, k, self.plan.terms)
        size, _ = self.plan.size(self.measure)
        total = arb(0, (self.rule.error(self.ratio) * size).upper())
        return total + sum((c * w for row in self.diagonals for c, w in zip(row[k::2], mu[k::2], strict=True)), arb(0))

    def whole_trace(self, k: int) -> arb:
        """tr T, not negative."""
        trace = self.trace(k)
        found = trace.union(trace + self.tail(k)) * largest_eigenvalue(self.measure.d, k, k)
        return found if found > 0 else found.union(arb(0))

    def tail(self, k: int) -> arb:
        """tau_N + omega."""
        d = self.measure.d
        return (self.rest * largest_eigenvalue(d, k, self.plan.terms) / largest_eigenvalue(d, k, k) + self.outside).upper()

    def compressed(self, k: int, trace: arb) -> arb_mat:
        """P T_N P."""
        found = self.basis.transpose() * self.matrix(k) * self.basis
        size, _ = self.plan.size(self.measure)
        # The trace and its Gauss sum are both in the ball.
        each = [(self.rule.error(self.ratio) * (size * abs(trace)).sqrt() * top * self.ratio**m).upper() for m, top in enumerate(self.rule.sizes[: self.plan.kept])]
        return arb_mat([[found[i, j] + arb(0, (each[i] + each[j]).upper()) for j in range(self.plan.kept)] for i in range(self.plan.kept)])

    def eigenvalues(self, k: int, count: int, bits: int) -> list[arb]:
        """Enclosures of the largest ``count`` of degree k."""
        trace = self.trace(k)
        compressed = self.compressed(k, trace)
        left = (trace - sum((compressed[i, i] for i in range(self.plan.kept)), arb(0))).upper().max(arb(0)) + self.tail(k)
        found = [value.union(value + left) for value in enclosed_eigenvalues(compressed, min(count, self.plan.kept), bits + 8)]
        found += [arb(0).union(left)] * (count - len(found))
        scale = largest_eigenvalue(self.measure.d, k, k)
        return [scale * value.union(arb(0)) if not value > 0 else scale * value for value in found]


def _first_below(first: list[float], second: list[float], limit: float) -> int:
    """The least n with first[n] second[n] < limit."""
    low, high = 0, len(first) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if first[middle] * second[middle] < limit else (middle + 1, high)
    return low


__all__ = ["Operators", "largest_eigenvalues", "mean_variance", "radial_eigenvalues", "traces"]
