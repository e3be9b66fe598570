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
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from math import log2
from typing import Any

from flint import arb, arb_mat, fmpq

from symspec.domain import Gaussian
from symspec.errors import InputError, Undecided
from symspec.exact import natural
from symspec.kernel import Kernel

from .inertia import largest_eigenvalues as enclosed_eigenvalues
from .jacobi_rule import JacobiRule
from .power_series import largest_eigenvalue, monomial_eigenvalue
from .precision import goal_bits, meets, working_precision
from .radial_continuation import Arc, Chart, Ellipse, boundary, survey
from .radial_kernel import RadialKernel
from .radial_measure import RadialMeasure

RATIOS = (9.0, 7.0, 5.5, 4.5, 3.7, 3.1, 2.6, 2.25, 2.0, 1.8, 1.65, 1.52, 1.42, 1.33, 1.26, 1.2, 1.15, 1.11, 1.08)
ARGUMENTS = (fmpq(1), fmpq(31, 32), fmpq(15, 16), fmpq(7, 8), fmpq(3, 4))
SCALES = (fmpq(1, 2), fmpq(1, 8), fmpq(2), None)
FIRST_TERMS, MAX_TERMS, MAX_NODES = 32, 1600, 220
PROPOSAL_NODES, PROPOSAL_BITS = 40, 120
MAX_GOAL_FACTOR = 4
DENOMINATOR = 1 << 10


def radial_eigenvalues(kernel: Kernel, domain: Gaussian, degree: Any, count: Any = 1, digits: Any = 15) -> list[arb]:
    """The ``count`` largest eigenvalues of degree k, descending, each to ``digits`` significant digits.

    For a homogeneous kernel the first is the only one that is not 0 (:func:`numerics.eigenvalues`). Raises NoClosedForm for kernels that are
    not known between inputs of different lengths, Undecided where the digits are out of reach.
    """
    if not isinstance(domain, Gaussian):
        raise InputError(f"radial eigenvalues belong to Gaussian inputs, Gaussian(d), not to {domain!r}")
    k, wanted, bits = domain.degree(degree), natural(count, "count", 1), goal_bits(digits)
    return largest_eigenvalues(kernel, int(domain.dimension), [k], wanted, bits)[k]


def largest_eigenvalues(kernel: Kernel, d: int, degrees: list[int], count: int, bits: int) -> dict[int, list[arb]]:
    """The ``count`` largest eigenvalues of every degree to ``bits`` of relative accuracy, or Undecided."""
    radial, found = RadialKernel.of(kernel), {}
    goal = bits + 8 + _below(radial, d, degrees)
    more = count + 2
    limit = MAX_GOAL_FACTOR * goal + 64 * count
    while True:
        lacking = 0
        for shift in (0, 1):
            wanted = [k for k in degrees if k % 2 == shift and k not in found]
            if not wanted:
                continue
            operators = Operators.of(radial, d, wanted, goal, more)
            with working_precision(operators.precision):
                for k in wanted:
                    values = operators.eigenvalues(k, count, bits)
                    short = max(bits - max(0, min(bits, value.rel_accuracy_bits())) for value in values)
                    if all(meets(value, bits) for value in values):
                        found[k] = values
                    lacking = max(lacking, short)
        if len(found) == len(degrees):
            return found
        goal += lacking + 8
        more += lacking // 3
        if goal > limit:
            missing = min(k for k in degrees if k not in found)
            raise Undecided(f"an eigenvalue of degree {missing} under Gaussian inputs was not told from 0 at 2^-{goal} of the kernel's size; it may be exactly 0")


def _below(kernel: RadialKernel, d: int, degrees: list[int]) -> int:
    """How many bits kappa_k(1, 1) lies below the largest mu_k(t^n), a first guess of the accuracy that is needed."""
    with working_precision(PROPOSAL_BITS):
        series = kernel.coefficients(arb(1), arb(1), max(degrees) + 2 * FIRST_TERMS)
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
class Plan:
    """An interval, a truncation after ``terms``, and an ellipse with bounds on its boundary. Everything in it is proved or harmless."""

    measure: RadialMeasure
    ellipse: Ellipse
    arcs: tuple[Arc, ...]
    t: fmpq
    terms: int
    nodes: int
    kept: int

    def size(self, measure: RadialMeasure) -> tuple[arb, arb]:
        """S^2 for the terms below ``terms``, and the bound of the variances."""
        size, variance = measure.largest(self.arcs)
        return (size / arb(self.t) ** (self.terms - 1)).upper(), variance

    def least_nodes(self, goal: int) -> int:
        """How many nodes a kernel of size 1 would ask for."""
        return self.measure.nodes_for(self.ellipse, arb(self.t) ** -self.terms, goal, self.kept)

    def with_arcs(self, arcs: tuple[Arc, ...], goal: int) -> Plan | None:
        """The plan with as many nodes as these bounds ask for; None where they are not finite."""
        size = self.measure.largest(arcs)[0] / arb(self.t) ** self.terms
        return replace(self, arcs=arcs, nodes=self.measure.nodes_for(self.ellipse, size, goal, self.kept)) if size.is_finite() else None


def plan(kernel: RadialKernel, d: int, shift: int, top: int, goal: int, more: int) -> Plan:
    """The plan with the fewest nodes among some, or Undecided: points of the ellipses propose, their arcs decide."""
    proposed = sorted(_proposals(kernel, d, shift, top, goal, more), key=lambda one: one.nodes)
    best: Plan | None = None
    for one in proposed:
        if best is not None and one.nodes >= best.nodes:
            break
        arcs = _boundary(kernel, one.ellipse, one.t)
        found = None if arcs is None else one.with_arcs(arcs, goal)
        if found and found.nodes <= MAX_NODES and (best is None or found.nodes < best.nodes):
            best = found
    if best is None:
        raise Undecided(f"integrals over the length would need more than {MAX_NODES} nodes at an accuracy of 2^-{goal}; ask for fewer digits")
    return best


def _proposals(kernel: RadialKernel, d: int, shift: int, top: int, goal: int, more: int) -> Iterator[Plan]:
    ends = intervals(kernel, d, goal)
    terms = _enough_terms(kernel, RadialMeasure(d, 0, Chart(*ends[0], SCALES[0])), top, goal)
    for (low, high), scale in product(ends, SCALES):
        measure = RadialMeasure(d, shift if low == 0 else 0, Chart(low, high, scale))
        enough = measure.polynomials(goal, MAX_NODES)
        if enough is None:
            continue
        kept = enough + more
        fewest = MAX_NODES
        for ratio, t in product(RATIOS, ARGUMENTS):
            one = Plan(measure, Ellipse(measure.chart, ratio), (), t, terms, 0, kept)
            if one.least_nodes(goal) > fewest:
                continue
            points = _survey(kernel, one.ellipse, t)
            found = one.with_arcs(points, goal) if points is not None else None
            if found is not None and found.nodes <= MAX_NODES:
                yield found
                fewest = min(fewest, found.nodes)


def intervals(kernel: RadialKernel, d: int, goal: int) -> list[tuple[fmpq, fmpq]]:
    """[0, b] and, for large d, [a, b], with a trace outside of about 2^-goal of the kernel's size."""
    with working_precision(64):
        limit = arb(2) ** (-goal - 3)

        def least(inside: Any, outer: int, inner: int) -> int:
            """Bisection between an end that is far enough out and one that is not."""
            while abs(outer - inner) > 1:
                middle = (outer + inner) // 2
                outer, inner = (middle, inner) if inside(middle) else (outer, middle)
            return outer

        def wide_enough(low: int, high: int) -> bool:
            return bool(RadialMeasure(d, 0, Chart(fmpq(low, DENOMINATOR), fmpq(high, DENOMINATOR))).outside(kernel.growth) < limit)

        beyond = DENOMINATOR
        while not wide_enough(0, beyond):
            beyond *= 2
        high = least(lambda n: wide_enough(0, n), beyond, DENOMINATOR)
        low = least(lambda n: wide_enough(n, beyond), 0, DENOMINATOR)
    end = fmpq(high, DENOMINATOR)
    start = fmpq(low, DENOMINATOR)
    # An interval from 0 wastes polynomials where little of the measure is.
    return [(start, end)] if 8 * start > end else [(fmpq(0), end)] if low == 0 else [(start, end), (fmpq(0), end)]


def _enough_terms(kernel: RadialKernel, measure: RadialMeasure, top: int, goal: int) -> int:
    """How many powers of t leave 2^-goal; a coarse rule proposes."""
    with working_precision(PROPOSAL_BITS + goal):
        rule = measure.rule(PROPOSAL_NODES)
        points = [(w * measure.square(x), measure.chart.length(x)) for x, w in zip(rule.nodes, rule.weights, strict=True)]
        variances = [kernel.diagonal(v) for _, v in points]
        terms = top + FIRST_TERMS
        while True:
            series = [kernel.coefficients(v.sqrt(), v.sqrt(), terms) for _, v in points]
            rest = sum((w * (total - sum(c, arb(0))) for (w, _), total, c in zip(points, variances, series, strict=True)), arb(0))
            worst = max(float((largest_eigenvalue(measure.d, k, terms) / largest_eigenvalue(measure.d, k, k)).mid()) for k in (0, top))
            if float(abs(rest).mid()) * worst < 2.0 ** (-goal - 3) or terms >= MAX_TERMS:
                return terms
            terms = min(MAX_TERMS, terms * 3 // 2)


@lru_cache(maxsize=1024)
def _survey(kernel: RadialKernel, ellipse: Ellipse, t: fmpq) -> tuple[Arc, ...] | None:
    points = survey(kernel, ellipse, t)
    return None if points is None else tuple(points)


@lru_cache(maxsize=256)
def _boundary(kernel: RadialKernel, ellipse: Ellipse, t: fmpq) -> tuple[Arc, ...] | None:
    arcs = boundary(kernel, ellipse, t)
    return None if arcs is None else tuple(arcs)


@dataclass(frozen=True)
class Operators:
    """The operators of degrees of one parity on an interval, divided by the largest mu_k(t^n)."""

    kernel: RadialKernel
    plan: Plan
    goal: int
    outside: arb

    @staticmethod
    def of(kernel: RadialKernel, d: int, degrees: list[int], goal: int, more: int) -> Operators:
        """For degrees of one parity, an absolute accuracy of about 2^-goal of the kernel's size, with so many more polynomials than would do for a function of one length."""
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
    def rest(self) -> arb:
        """A bound of E[K(r, r, 1); I] less the terms kept, by the rule without shift."""
        measure = RadialMeasure(self.measure.d, 0, self.measure.chart)
        rule, (size, variance) = measure.rule(self.plan.nodes), self.plan.size(measure)
        total = arb(0, (rule.error(self.ratio) * (size + variance)).upper())
        for x, weight in zip(rule.nodes, rule.weights, strict=True):
            v = measure.chart.length(x)
            kept = sum(self.kernel.coefficients(v.sqrt(), v.sqrt(), self.plan.terms), arb(0))
            total += weight * measure.square(x) * (self.kernel.diagonal(v) - kept)
        return total.upper().max(arb(0))

    @cached_property
    def diagonals(self) -> list[list[arb]]:
        """c_n(r, r) at the nodes, with the weights."""
        return [[c * root * root for c in self.kernel.coefficients(v.sqrt(), v.sqrt(), self.plan.terms)] for v, root in self.points]

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
                series = [c * product for c in self.kernel.coefficients(v.sqrt(), w.sqrt(), terms)] if terms else []
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


__all__ = ["Operators", "largest_eigenvalues", "radial_eigenvalues"]
