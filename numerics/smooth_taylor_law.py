r"""Taylor coefficients of every degree for smooth kernels: singularity analysis on the circle of the first singularity.

A smooth kernel f is analytic for :math:`|\rho|<R`, :math:`R>1`, and first singular at R, where a covariance c meets a barrier
(:mod:`symspec.radius`). On :math:`|\rho|=R` the triangle inequality for series with non-negative coefficients keeps every covariance below its
barrier except at R, and at -R where c is even or odd. With :math:`z=\rho/R`, :math:`y=s^2=\frac{1-z}2`, f is a Laurent series in s
(:mod:`symspec.barrier_form`), and Darboux's method goes as in :mod:`numerics.taylor_law`:

.. math:: f_nR^n=\sum_j(a_j+(-1)^nb_j)\,t_{j/2}(n)+O^*(B\,n^{-m}),\qquad
          B^2\ge\frac1{2\pi}\int|\vartheta^m r|^2d\varphi,\quad r=f-\sum_j\bigl(a_js^j+b_j(1-s^2)^{j/2}\bigr),

over the odd j up to 2m-1, and every negative j. Near R, r is the rest of the Laurent series, whose tail Cauchy's estimate bounds on
:math:`|s|=S`. There, and on arcs of the circle away from R, the recursion is evaluated on complex balls that avoid all cuts; that none is
met inside follows by the argument principle (:mod:`numerics.complex_disc`), the closed curve being the arcs and, next to :math:`\pm R`, the
part of :math:`|s|=S` that lies in :math:`|\rho|<R`. On arcs the m-th derivative is enclosed directly.

>>> import symspec as ss
>>> net = ss.mlp(ss.gelu, 2)
>>> law = smooth_difference(net.ntk_layers[0], net.ntk_layers[1], 3)
>>> print(law.radius.str(8, radius=False), [j for j, _ in law.near], (law.coefficient(1000) * law.radius**1000).str(2, radius=False))
1.6994344 [-3, -2, -1, 1, 3, 5] 0.78
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heappop, heappush
from math import inf

from flint import acb, acb_series, arb, arb_series, ctx, fmpq
from sympy import Symbol

from symspec.barrier_form import INVERSE_ROOT, ROOT, BarrierForm, barrier_form, parity
from symspec.errors import Undecided
from symspec.functions import EVEN, NEITHER, ODD
from symspec.kernel import Kernel
from symspec.program import compile_lines
from symspec.radius import Barrier, Singularity, first_singularity

from . import circle_series, complex_disc, laurent, power_series, real
from .constants import ball
from .decay_rates import decay_radius
from .laurent import LaurentSeries
from .precision import working_precision
from .taylor_law import Singular, TaylorLaw, end_square

RADIUS_DIGITS = 60
PRECISION = 192
DISCS = tuple(fmpq(p, 100) for p in (60, 45, 35, 25, 18, 12, 8, 5, 3, 2, 1))
FILL = fmpq(3, 5)
TERMS = 96
MODERATE = 10**9
FIRST_ARCS, MAX_HALVINGS = 32, 7
MAX_ARCS, ROUND, LITTLE = 4096, 64, 0.9


def smooth_difference(first: Kernel, second: Kernel, m: int) -> TaylorLaw:
    """The law of first - second for kernels whose programs do not read the angle, m >= 2.

    Raises Undecided where one is entire or its first singularity is not understood, or two singularities are met at once.
    """
    first_meeting, second_meeting = (_Meeting.of(kernel) for kernel in (first, second))
    if first_meeting.same_as(second_meeting):
        radius = first_meeting.radius
    elif first_meeting.radius < second_meeting.radius or second_meeting.radius < first_meeting.radius:
        radius = first_meeting.radius.min(second_meeting.radius)
    else:
        raise Undecided(f"the first singularities of {first} and of {second} are not told apart")
    laws = [_Circle(meeting, radius, m).law() for meeting in (first_meeting, second_meeting)]
    return _aligned(laws[0], laws[1]).minus(_aligned(laws[1], laws[0]))


def _aligned(law: TaylorLaw, other: TaylorLaw) -> TaylorLaw:
    """With zeros at the exponents that only the other law has."""
    zeros = [(j, arb(0)) for j, _ in other.near if j not in dict(law.near)]
    near, far = (tuple(sorted([*pairs, *zeros], key=lambda pair: pair[0])) for pairs in (law.near, law.far))
    return replace(law, near=near, far=far)


@dataclass(frozen=True)
class _Meeting:
    """A kernel, R, and the barrier that is met there."""

    kernel: Kernel
    singularity: Singularity
    radius: arb
    barrier: Barrier

    @staticmethod
    def of(kernel: Kernel) -> _Meeting:
        found = first_singularity(kernel)
        if found is None:
            raise Undecided(f"{kernel} is entire: its Taylor coefficients follow no law of a singularity")
        radius = decay_radius(kernel, RADIUS_DIGITS)
        with working_precision(PRECISION):
            for barrier in found.barriers:
                meeting = _Meeting(kernel, found, radius, barrier)
                if meeting._is_the_one():
                    return meeting
        raise Undecided(f"{kernel} meets two of {found} at once, or they are not told apart")

    @cached_property
    def form(self) -> BarrierForm:
        return barrier_form(self.kernel, self.barrier)

    def same_as(self, other: _Meeting) -> bool:
        """Whether both meet the same barrier of the same recursion, so that R is the same number."""
        mine, its = ({line.symbol: line.expr for line in one.form.gap.lines} for one in (self, other))
        return self.barrier == other.barrier and mine == its

    def _is_the_one(self) -> bool:
        """Whether every other barrier is proved not to be met at R."""
        try:
            series = _local(self.form, self.radius, 4)
        except Undecided:
            return False
        for other in self.singularity.barriers:
            if other != self.barrier:
                value = series(other.symbol)
                if value.low < 0 or not value.coefficient(0) < self._number(other):
                    return False
        return True

    def _number(self, barrier: Barrier) -> arb:
        values: dict[str, arb] = {}
        table = real.table(arb("nan"), arb("nan"), ball) | {"symbol": values.__getitem__}
        for symbol, expr in self.singularity.constants.items():
            values[symbol.name] = compile_lines((), (expr,), tuple(sorted(expr.free_symbols, key=str))).run(table)[0]
        return compile_lines((), (barrier.value,), tuple(sorted(barrier.value.free_symbols, key=str))).run(table)[0]


class _Local:
    """The Laurent series in s of lines and output."""

    def __init__(self, form: BarrierForm, radius: arb) -> None:
        self.form = form
        rho = arb_series([radius, 0, -2 * radius])
        gap = form.gap.run(power_series.table(rho))
        if not gap[0].contains(0):
            raise Undecided(f"{form.barrier} is not met at the first singularity")
        # The gap vanishes at R by the definition of R, and is a series in s^2.
        unit = arb_series([gap[n] if n % 2 == 0 else arb(0) for n in range(2, gap.prec)], gap.prec - 2)
        if not unit[0] > 0:
            raise Undecided("the covariance is not seen to cross its barrier with a positive slope")
        root = unit.sqrt()
        self.table = laurent.table(rho, {ROOT.name: LaurentSeries(1, root), INVERSE_ROOT.name: LaurentSeries(-1, 1 / root)})

    def __call__(self, symbol: Symbol) -> LaurentSeries:
        found: LaurentSeries = self.form.covariance(symbol).run(self.table)[0]
        return found

    def output(self) -> LaurentSeries:
        found: LaurentSeries = self.form.tape.run(self.table)[0]
        return found


def _local(form: BarrierForm, radius: arb, terms: int) -> _Local:
    with working_precision(ctx.prec, terms):
        return _Local(form, radius)


@dataclass(frozen=True)
class _End:
    """The kernel next to radius * (1 - 2 s^2), where a barrier is met."""

    kernel: Kernel
    form: BarrierForm
    radius: arb

    def series(self) -> LaurentSeries:
        return _Local(self.form, self.radius).output()

    def disc(self) -> tuple[fmpq, arb]:
        """S and a bound of |f| on |s| = S."""
        for disc in DISCS:
            size = self._bound(disc)
            # A loose bound next to another singularity would make the tail of the series count.
            if size is not None and size < MODERATE:
                return disc, size
        raise Undecided(f"the kernel was not bounded around its first singularity, {self.form.barrier}")

    def _bound(self, disc: fmpq) -> arb | None:
        """The upper half circle suffices, the coefficients being real."""
        largest, stack = arb(0), [(i, FIRST_ARCS, 0) for i in range(FIRST_ARCS)]
        while stack:
            index, count, depth = stack.pop()
            value = self._at(disc * acb(arb(2 * index + 1) / (2 * count) + arb(0, arb(1) / (2 * count))).exp_pi_i())
            size = abs(value).upper()
            narrow = size < 4 * abs(acb(value.real.mid(), value.imag.mid()))
            if value.is_finite() and (narrow or depth == MAX_HALVINGS):
                largest = largest.max(size)
            elif depth == MAX_HALVINGS:
                return None
            else:
                stack += [(2 * index, 2 * count, depth + 1), (2 * index + 1, 2 * count, depth + 1)]
        return largest

    def _at(self, s: acb) -> acb:
        """f at a ball of s; not finite where a branch is in doubt."""
        rho = self.radius * (1 - 2 * s * s)
        unit = self.form.gap.run(complex_disc.table(complex_disc.NAN, rho)) / (s * s)
        # Where |rho| < R the principal branches must be right as well: this closes the curve of the arcs.
        if not abs(rho) > abs(self.radius) and not self.kernel.program.run(complex_disc.table(complex_disc.NAN, rho)).is_finite():
            return complex_disc.NAN
        # Re(gap/s^2) > 0 on the circle, so inside too, and its root is analytic there.
        if not unit.real > 0:
            return complex_disc.NAN
        root = s * unit.sqrt()
        symbols = {ROOT.name: root, INVERSE_ROOT.name: 1 / root}
        return self.form.tape.run(complex_disc.table(complex_disc.NAN, rho, symbols.__getitem__))[0]


@dataclass(frozen=True)
class _Circle:
    """One kernel on the circle of radius R, which may lie inside that of its own first singularity."""

    meeting: _Meeting
    radius: arb
    m: int

    @cached_property
    def ends(self) -> tuple[_End | None, _End | None]:
        """At R and at -R; None where the kernel is regular."""
        if self.radius < self.meeting.radius:
            return None, None
        barrier, kernel = self.meeting.barrier, self.meeting.kernel
        symmetry = parity(kernel.program, barrier.symbol)
        far = None
        if symmetry != NEITHER:
            there = barrier if symmetry == EVEN else Barrier(barrier.symbol, -barrier.value)
            far = _End(kernel, barrier_form(kernel, there, falling=symmetry == ODD), -self.radius)
        return _End(kernel, self.meeting.form, self.radius), far

    def law(self) -> TaylorLaw:
        """The law, with the radius."""
        with working_precision(PRECISION + 2 * TERMS, TERMS + 2 * self.m + 12):
            bits = ctx.prec
            series = [None if end is None else end.series() for end in self.ends]
            exponents = sorted({j for one in series if one is not None for j in self._exponents(one)})
            near, far = (tuple((j, arb(0) if one is None else one.coefficient(j)) for j in exponents) for one in series)
            total, reached = arb(0), []
            for end, one, own, other in zip(self.ends, series, (near, far), (far, near), strict=True):
                reached.append(arb(0))
                if end is not None and one is not None:
                    disc, size = end.disc()
                    sigma = arb(disc * FILL)
                    total += self._end(one, own, other, sigma, arb(disc), size)
                    reached[-1] = (2 * (sigma**2).asin()).lower()
        with working_precision(bits, self.m + 1):
            square = (total + self._arcs(near, far, *reached)) / arb.pi()
            B = (square.upper().sqrt() * arb(fmpq(21, 20))).upper()
            return TaylorLaw(self.m, near, far, B, self.radius)

    def _exponents(self, series: LaurentSeries) -> list[int]:
        return [j for j in range(series.low, 2 * self.m) if j < 0 or j % 2]

    def _end(self, series: LaurentSeries, own: Singular, other: Singular, sigma: arb, disc: arb, size: arb) -> arb:
        """The integral of |theta^m r|^2 over the arc at one end."""
        taken, terms = dict(own), series.low + series.series.prec
        rest = {n: arb(0) if n in taken else series.coefficient(n) for n in range(series.low, terms)}
        for j, b in other:
            size += abs(b) * ((1 + disc**2) if j > 0 else 1 / (1 - disc**2)).sqrt() ** abs(j)
            term = b
            for i in range((terms + 1) // 2):
                rest[2 * i] = rest.get(2 * i, arb(0)) - term
                term = -term * (fmpq(j, 2) - i) / (i + 1)
        size += sum((abs(a) * disc**j for j, a in own), arb(0))
        return end_square({n: value for n, value in rest.items() if n < terms}, self.m, sigma, disc, size, terms)

    def _arcs(self, near: Singular, far: Singular, start: arb, end: arb) -> arb:
        """The integral of |theta^m r|^2 from ``start`` to pi - ``end``. The arc with the largest share is halved as long as that lowers the bound."""
        length = arb.pi() - start - end
        arcs: list[tuple[float, fmpq, fmpq, arb]] = []

        def measure(left: fmpq, right: fmpq) -> None:
            phi = start + length * (left + right) / 2 + arb(0, (length * (right - left) / 2).upper())
            share = ((self._derivative(near, far, phi) ** 2).upper() * length * (right - left)).upper()
            heappush(arcs, (-float(share) if share.is_finite() else -inf, left, right, share))

        for i in range(FIRST_ARCS):
            measure(fmpq(i, FIRST_ARCS), fmpq(i + 1, FIRST_ARCS))
        before = inf
        for step in range(MAX_ARCS):
            if step % ROUND == 0:
                now = -sum(arc[0] for arc in arcs)
                if now < inf and now > before * LITTLE:
                    break
                before = now
            _, left, right, _ = heappop(arcs)
            measure(left, (left + right) / 2)
            measure((left + right) / 2, right)
        total = sum((arc[3] for arc in arcs), arb(0)).upper()
        if not total.is_finite():
            raise Undecided(f"{self.meeting.kernel} was not followed along the circle of its first singularity")
        return total

    def _derivative(self, near: Singular, far: Singular, phi: arb) -> arb:
        """A bound of |theta^m r| on an arc, phi a ball."""
        z = acb_series([circle_series.I * phi, circle_series.I]).exp()
        rest = self.meeting.kernel.program.run(circle_series.branched_table(self.radius * z))
        for blocks, y in ((near, (1 - z) / 2), (far, (1 + z) / 2)):
            if any(a != 0 for _, a in blocks):
                root = y.sqrt()
                if not y[0].real > 0 or root[0].contains(0):
                    return arb("inf")
                inverse = 1 / root
                for j, a in blocks:
                    rest = rest - a * (root**j if j >= 0 else inverse**-j)
        return (abs(rest[self.m]) * arb(self.m + 1).gamma()).upper()


__all__ = ["smooth_difference"]
