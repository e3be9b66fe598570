r"""Mixed derivatives of a kernel of images by the values and slopes of some of its units, at a point where some pixels are fixed and the others free.

Let K be read at pixels :math:`t_i=\pm1` for i in a set U and free elsewhere, on pairs of equal positions. Give unit j of a list the value :math:`V_j+h_j` after its activation,
or the slope :math:`\dot V_j+h_j`. Then

.. math:: J(t_O)=\frac{\partial^mK}{\partial h_1\cdots\partial h_m}\Big|_{h=0}

is the coefficient of :math:`h_1\cdots h_m` in the ring where :math:`h_j^2=0`, in which the program is run: a number there is a *jet*, one coefficient a set of units, and a
smooth function of a jet is its Taylor polynomial, :math:`f(c+n)=\sum_kf^{(k)}(c)\,n^k/k!` with n nilpotent. For duals :math:`f^{(k)}` is the derivative by the covariance
(:meth:`symspec.pair_dual.PairDual.derivative`).

What a coefficient is says a *calculus*: expressions in the symbols of the free pixels (:class:`Exact`), the parities and degrees that its power series reaches
(:class:`Reached`), arrays of balls (:mod:`numerics.cone_constants`). Units that see fixed pixels only are run exactly, whatever the calculus.

**Where J has a power series with non-negative coefficients.** At :math:`t_U=1` every dual is a power series with coefficients >= 0 in the covariance, and so are its derivatives,
sums and products; hence J is one in :math:`t_O`, and its mean with :math:`\prod P_{k_i}` is 0 only where no power of it reaches k.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> program = cnn(relu, 2, 2, 2, first_layer="pointwise").ck.program
>>> from sympy import N
>>> J = mixed(program, Exact(), {0: 1}, [Varied(1, 0)])
>>> J.free_symbols, N(J.subs(free_pixel(1), 1)), N(J.subs(free_pixel(1), 0), 6)
({t_1}, 1.00000000000000, 0.729086)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field as data
from math import factorial, prod
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol

from .dual import at_the_end
from .errors import ExpressionTooLarge, NoClosedForm
from .expectation import Q
from .form import Form
from .pair_dual import PairDual
from .pixel_program import PixelProgram
from .pixel_support import MAX_BOX, NOTHING, Box, Reached as ReachedSet
from .program import MAX_TREE, RHO, tree_size
from .support import Support

Jet = dict[int, Any]
CONSTANT = 0


@dataclass(frozen=True)
class Varied:
    """A unit whose value after the activation, or whose slope, is varied."""

    layer: int
    position: int
    slope: bool = False


class Calculus(ABC):
    """One kind of coefficient. A *state* stands for a covariance, before and after the activation.

    A *structural* one asks what is 0 only, and needs no exact values of units at fixed pixels.
    """

    structural = False

    @abstractmethod
    def lifted(self, value: Expr) -> Any:
        """An exact number as a coefficient."""

    @abstractmethod
    def lifted_state(self, q: Expr, covariance: Expr) -> Any:
        """The state of an exact covariance at the variance q."""

    @abstractmethod
    def pixel(self, pixel: int) -> Any:
        """The state of a free pixel, of variance 1."""

    @abstractmethod
    def patched(self, scale: Expr, bias: Expr, states: Sequence[Any]) -> Any:
        """The state after a convolution."""

    @abstractmethod
    def covariance(self, q: Expr, state: Any) -> Any:
        """The covariance of a state as a coefficient."""

    @abstractmethod
    def combined(self, scale: Expr, parts: Sequence[Any]) -> Any:
        """scale * sum(parts) for coefficients."""

    @abstractmethod
    def times(self, a: Any, b: Any) -> Any:
        """A product of coefficients."""

    @abstractmethod
    def activated(self, dual: PairDual, q: Expr, state: Any, count: int) -> tuple[Any, list[Any]]:
        """The state after the activation, and the first ``count`` derivatives of the dual by the covariance."""


@dataclass
class _Node:
    """A unit after its activation: whether it sees fixed pixels only (then all is exact), variance, state, the other coefficients, tangent."""

    state: Any
    q: Expr
    jet: Jet = data(default_factory=dict)
    tangent: Jet = data(default_factory=dict)
    exact: bool = False


def mixed(program: PixelProgram, calculus: Calculus, fixed: Mapping[int, int], units: Sequence[Varied]) -> Any:
    """J for a program that reads one output (p, p), t_i = ``fixed[i]`` for its keys; None where it is 0 by the structure of the network.

    Raises NoClosedForm where it is infinite, as between units below one that is singular at the same point; ExpressionTooLarge from :class:`Exact`.
    """
    return _Run(program, calculus, fixed, units).coefficient()


class _Run:
    def __init__(self, program: PixelProgram, calculus: Calculus, fixed: Mapping[int, int], units: Sequence[Varied]) -> None:
        self.program, self.calculus, self.fixed = program, calculus, fixed
        self.bits = {unit: 1 << place for place, unit in enumerate(units)}
        self.every = (1 << len(units)) - 1
        self.plain = Exact()

    def coefficient(self) -> Any:
        program = self.program
        nodes = {p: self._pixel(p) for p, _ in program.levels[0]}
        for layer in range(1, program.depth + 1):
            nodes = {p: self._unit(layer, p, nodes) for p, _ in program.levels[layer]}
        (((position, _), _),) = program.readout.pairs
        last, weight = nodes[position], program.readout.weight
        algebra = self.plain if last.exact else self.calculus
        parts = [last.jet[self.every]] if self.every in last.jet and program.part in ("ck", "ntk", program.depth + 1) else []
        parts += [last.tangent[self.every]] if self.every in last.tangent else []
        if not parts:
            return None
        value = algebra.combined(weight, parts)
        return self.calculus.lifted(value) if last.exact else value

    def _pixel(self, pixel: int) -> _Node:
        if pixel in self.fixed and self.calculus.structural:
            return _Node(self.calculus.lifted_state(S.One, sympy.Integer(self.fixed[pixel])), S.One)
        if pixel in self.fixed:
            return _Node(sympy.Integer(self.fixed[pixel]), S.One, exact=True)
        return _Node(self.calculus.pixel(pixel), S.One)

    def _unit(self, layer: int, p: int, below: Mapping[int, _Node]) -> _Node:
        program = self.program
        patch, dual = program.patches[layer - 1], program.dual.at(layer)
        sources = [below[source] for source, _ in patch.sources((p, p))]
        exact = all(source.exact for source in sources)
        algebra: Calculus = self.plain if exact else self.calculus
        states, jets, tangents = zip(*(self._as(source, exact=exact) for source in sources), strict=True) if sources else ((), (), ())
        q = sympy.expand(patch.scale * sum((source.q for source in sources), S.Zero) + patch.bias)
        state = algebra.patched(patch.scale, patch.bias, states)
        jet = _summed(algebra, patch.scale, jets)
        value_bit, slope_bit = (self.bits.get(Varied(layer, p, slope), 0) for slope in (False, True))
        slopes = program.reads_slopes() and layer >= program.first_slope
        incoming = _summed(algebra, patch.scale, tangents) if slopes else {}
        if slopes and program.part in ("ntk", layer):
            incoming = _summed(algebra, S.One, [incoming, {CONSTANT: algebra.covariance(q, state), **jet}])
        degree = _union(jet).bit_count()
        after, derivatives = algebra.activated(dual, q, state, degree + bool(slopes and incoming))
        value = _composed(algebra, derivatives[:degree], jet)
        if value_bit:
            value[value_bit] = algebra.lifted(S.One) if value_bit not in value else algebra.combined(S.One, [value[value_bit], algebra.lifted(S.One)])
        tangent: Jet = {}
        if slopes and incoming:
            slope = {CONSTANT: derivatives[0], **_composed(algebra, derivatives[1:], jet)}
            if slope_bit:
                slope[slope_bit] = algebra.lifted(S.One)
            tangent = _product(algebra, slope, incoming)
        return _Node(after, sympy.expand(dual.second_moment_at(q)), value, tangent, exact)

    def _as(self, node: _Node, *, exact: bool) -> tuple[Any, Jet, Jet]:
        """State, jet and tangent of a source in the calculus of the unit that reads it."""
        if exact or not node.exact:
            return node.state, node.jet, node.tangent
        jet, tangent = ({mask: self.calculus.lifted(value) for mask, value in part.items()} for part in (node.jet, node.tangent))
        return self.calculus.lifted_state(node.q, node.state), jet, tangent


def _union(jet: Jet) -> int:
    found = 0
    for mask in jet:
        found |= mask
    return found


def _summed(algebra: Calculus, scale: Expr, jets: Sequence[Jet]) -> Jet:
    masks = sorted({mask for jet in jets for mask in jet})
    return {mask: algebra.combined(scale, [jet[mask] for jet in jets if mask in jet]) for mask in masks}


def _product(algebra: Calculus, a: Jet, b: Jet) -> Jet:
    terms: dict[int, list[Any]] = {}
    for first, x in a.items():
        for second, y in b.items():
            if not first & second:
                terms.setdefault(first | second, []).append(algebra.times(x, y))
    return {mask: algebra.combined(S.One, parts) for mask, parts in terms.items()}


def _composed(algebra: Calculus, derivatives: Sequence[Any], nilpotent: Jet) -> Jet:
    """sum over k >= 1 of f^(k) n^k/k!, without the constant."""
    total: dict[int, list[Any]] = {}
    power = dict(nilpotent)
    for k, derivative in enumerate(derivatives, 1):
        for mask, value in power.items():
            term = algebra.times(derivative, value)
            total.setdefault(mask, []).append(term if k == 1 else algebra.combined(Rational(1, factorial(k)), [term]))
        power = _product(algebra, power, nilpotent)
    return {mask: algebra.combined(S.One, parts) for mask, parts in total.items()}


class Exact(Calculus):
    """Expressions in the symbols t_i of the free pixels; states are covariances."""

    def lifted(self, value: Expr) -> Expr:
        return value

    def lifted_state(self, q: Expr, covariance: Expr) -> Expr:
        return covariance

    def pixel(self, pixel: int) -> Expr:
        return free_pixel(pixel)

    def patched(self, scale: Expr, bias: Expr, states: Sequence[Expr]) -> Expr:
        return scale * sympy.Add(*states) + bias

    def covariance(self, q: Expr, state: Expr) -> Expr:
        return state

    def combined(self, scale: Expr, parts: Sequence[Expr]) -> Expr:
        return scale * sympy.Add(*parts)

    def times(self, a: Expr, b: Expr) -> Expr:
        return a * b

    def activated(self, dual: PairDual, q: Expr, state: Expr, count: int) -> tuple[Expr, list[Expr]]:
        end = _end(state, q)
        values = [end_value(dual, q, end, order) if end else dual.derivative(order).xreplace({RHO: state / q, Q: q}) for order in range(count + 1)]
        if max(map(tree_size, values)) > MAX_TREE:
            raise ExpressionTooLarge("written out, the derivative of the kernel is too long; numerics.cone_leading gives its mean as a ball")
        return values[0], values[1:]


def free_pixel(pixel: int) -> Symbol:
    """The symbol of the correlation of a pixel."""
    return Symbol(f"t_{pixel}", real=True)


def _end(covariance: Expr, q: Expr) -> int:
    """1 or -1 where the covariance is q or -q, else 0."""
    return next((sign for sign in (1, -1) if sympy.expand(covariance - sign * q) == 0), 0)


def end_value(dual: PairDual, q: Expr, end: int, order: int) -> Expr:
    """The derivative of that order of a dual by the covariance where it is q or -q. NoClosedForm where it is infinite."""
    layer = dual.nonlinearity
    form = (layer.activation if order == 0 else layer.derivative).form
    if isinstance(form, Form):
        for _ in range(1, order):
            form = form.derivative()
        value = at_the_end(form, end, q, q)
    else:
        value = dual.derivative(order).xreplace({RHO: sympy.Integer(end), Q: q})
    if value.has(S.NaN, S.ComplexInfinity, S.Infinity, S.NegativeInfinity):
        raise NoClosedForm(f"the derivative of order {order} of a dual is infinite at equal inputs, so that this term has no constant")
    return value


class Reached(Calculus):
    """The multi-indices over the free pixels that the power series of a coefficient reaches (:mod:`symspec.pixel_support`), at fixed pixels t_i = 1."""

    structural = True

    def __init__(self, box: Box) -> None:
        self.box = box
        self.origin: ReachedSet = frozenset({tuple(0 for _ in box.top)})

    def lifted(self, value: Expr) -> ReachedSet:
        return NOTHING if value == 0 else self.origin

    def lifted_state(self, q: Expr, covariance: Expr) -> ReachedSet:
        return self.lifted(covariance)

    def pixel(self, pixel: int) -> ReachedSet:
        axis = self.box.field.index(pixel)
        return frozenset({tuple(int(i == axis) for i in range(len(self.box.top)))})

    def patched(self, scale: Expr, bias: Expr, states: Sequence[ReachedSet]) -> ReachedSet:
        return NOTHING.union(*states) | self.lifted(bias)

    def covariance(self, q: Expr, state: ReachedSet) -> ReachedSet:
        return state

    def combined(self, scale: Expr, parts: Sequence[ReachedSet]) -> ReachedSet:
        return NOTHING.union(*parts)

    def times(self, a: ReachedSet, b: ReachedSet) -> ReachedSet:
        return self.box.sum(a, b)

    def activated(self, dual: PairDual, q: Expr, state: ReachedSet, count: int) -> tuple[ReachedSet, list[ReachedSet]]:
        powers = [self.box.powers(support, state) for support in _supports(dual, count)]
        return powers[0], powers[1:]


class Present(Calculus):
    """Whether a coefficient is not identically 0 as a function of the free pixels, at fixed pixels t_i = 1; or not 0 where the free pixels are 0."""

    structural = True

    def __init__(self, *, at_zero: bool = False) -> None:
        self.at_zero = at_zero

    def lifted(self, value: Expr) -> bool:
        return value != 0

    def lifted_state(self, q: Expr, covariance: Expr) -> bool:
        return covariance != 0

    def pixel(self, pixel: int) -> bool:
        return not self.at_zero

    def patched(self, scale: Expr, bias: Expr, states: Sequence[bool]) -> bool:
        return any(states) or bias != 0

    def covariance(self, q: Expr, state: Any) -> Any:
        return state

    def combined(self, scale: Expr, parts: Sequence[bool]) -> bool:
        return any(parts)

    def times(self, a: Any, b: Any) -> bool:
        return bool(a and b)

    def activated(self, dual: PairDual, q: Expr, state: Any, count: int) -> tuple[bool, list[bool]]:
        found = [support.degree >= 0 if state else support.even >= 0 for support in _supports(dual, count)]
        return found[0], found[1:]


def _supports(dual: PairDual, count: int) -> list[Support]:
    """The degrees of a dual and its first derivatives."""
    supports = [dual.nonlinearity.activation.support, dual.nonlinearity.slope_support]
    while len(supports) <= count:
        supports.append(supports[-1].derivative())
    return supports[: count + 1]


def reaches(program: PixelProgram, fixed: Iterable[int], units: Sequence[Varied], degrees: Mapping[int, int]) -> bool:
    """Whether the mean of J with the product of the P_k over the free pixels, k = ``degrees``, is not 0 at t_i = 1 on the fixed ones.

    Decided exactly; for many free pixels, whose multi-indices are too many, True where J itself is not 0.
    """
    free = tuple(sorted(degrees))
    ones = dict.fromkeys(fixed, 1)
    if not mixed(program, Present(), ones, units):
        return False
    if not any(degrees.values()) and mixed(program, Present(at_zero=True), ones, units):
        return True
    top = tuple(degrees[pixel] + 1 for pixel in free)
    if not free or prod(entry + 1 for entry in top) > MAX_BOX:
        return True
    return tuple(degrees[pixel] for pixel in free) in mixed(program, Reached(Box(free, top)), ones, units)


__all__ = ["Calculus", "Exact", "Present", "Reached", "Varied", "end_value", "free_pixel", "mixed", "reaches"]
