r"""Kernels of convolutional networks: layered programs over pairs of positions.

For two images x and z of P pixels, the state after a layer is a number for every pair (p, q) of positions: the covariance of unit p
on x with unit q on z. A convolution averages it over the taps o of the filter, and the activation maps it by its scalar dual,

.. math:: C_\ell[p,q]=\frac{w_\ell}{k}\sum_{o}V_{\ell-1}[p+o,q+o]+b_\ell,\qquad V_\ell[p,q]=\hat\sigma(x_p,z_q,C_\ell[p,q]),

with the variances :math:`x_p,z_q` of the two units, which follow the same recursion on the diagonal. The tangent kernel is
:math:`T_1=C_1`, :math:`T_{\ell+1}=C_{\ell+1}+\tfrac{w_{\ell+1}}k\sum_o\dot V_\ell T_\ell`, :math:`\dot V=\widehat{\sigma'}`
(Arora et al. 2019; Geifman, Galun, Jacobs and Basri 2022). A *head* reads some pairs of the last layer with weights and passes
them through one more dense layer.

Nothing is written out: :meth:`PixelProgram.run` walks the layers with a *carrier* (:class:`PairCarrier`), which says what a covariance is:
a sympy expression, a ball, an array of balls or floats, a power series. Only pairs that the head reaches are computed. Positions
whose variances are equal by construction share a *class*, so that for pixels of one norm under circular padding every
layer is one function of one correlation.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> program = cnn(relu, 2, 2, 3).ck.program
>>> program.depth, [len(level) for level in program.levels], sorted(program.receptive_field)
(2, [3, 2, 1], [0, 1, 2])
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sympy import Expr, Rational, S

from .layers import Nonlinearity
from .pair_dual import PairDual
from .strip_functions import SeriesDual

PADDING = -1
Pair = tuple[int, int]


@dataclass(frozen=True)
class Patch:
    """A convolution: ``reads[p][o]`` is the position that tap o reads for output p, PADDING where that is a zero.

    The covariance becomes weight * (sum over taps)/(number of taps) + bias.
    """

    reads: tuple[tuple[int, ...], ...]
    weight: Expr = S.One
    bias: Expr = S.Zero

    @property
    def size(self) -> int:
        return len(self.reads[0])

    @cached_property
    def scale(self) -> Expr:
        """The factor of the sum over the taps."""
        return self.weight / self.size

    def sources(self, pair: Pair) -> tuple[Pair, ...]:
        """The pairs of the layer below that one pair reads."""
        taps = zip(self.reads[pair[0]], self.reads[pair[1]], strict=True)
        return tuple((p, q) for p, q in taps if PADDING not in (p, q))


@dataclass(frozen=True)
class Readout:
    """The head: weights of the pairs it reads, and the dense layer after it."""

    pairs: tuple[tuple[Pair, Rational], ...]
    weight: Expr = S.One
    bias: Expr = S.Zero


@dataclass(frozen=True)
class Units:
    """Variances p and q of a pair of units as numbers, the second moments after the activation, and whether they are exactly equal."""

    p: Any
    q: Any
    p_after: Any
    q_after: Any
    same: bool


class PairCarrier(ABC):
    """One kind of value. A *number* is a covariance, slope or variance; a *state* is what is handed from layer to layer for a pair."""

    @abstractmethod
    def constant(self, value: Expr) -> Any:
        """An exact number."""

    @abstractmethod
    def combined(self, scale: Expr, bias: Expr, parts: Sequence[Any]) -> Any:
        """scale * sum(parts) + bias for numbers."""

    @abstractmethod
    def times(self, a: Any, b: Any) -> Any:
        """The product of two numbers."""

    @abstractmethod
    def second_moment(self, dual: PairDual, q: Any) -> Any:
        """E sigma^2 at the variance q."""

    @abstractmethod
    def state(self, pair: Pair) -> Any:
        """The state of the pixels x_i, z_j."""

    @abstractmethod
    def patched(self, scale: Expr, bias: Expr, parts: Sequence[Any], lonely: Sequence[Any]) -> Any:
        """The state after a convolution of ``parts``; ``lonely`` are the variances of units whose partner is padding."""

    @abstractmethod
    def covariance(self, p: Any, q: Any, state: Any) -> Any:
        """The covariance of a state as a number."""

    @abstractmethod
    def activated(self, dual: PairDual, units: Units, state: Any) -> tuple[Any, Any]:
        """The state after the activation, and the slope."""


@dataclass(frozen=True)
class Variances:
    """The exact variances (squared norms) of the pixels of x and z; None is 1 everywhere."""

    x: tuple[Expr, ...] | None = None
    z: tuple[Expr, ...] | None = None

    def side(self, side: int, pixel: int) -> Expr:
        values = (self.x, self.z)[side]
        return S.One if values is None else values[pixel]


@dataclass(frozen=True)
class LayerDuals:
    """The duals of the activations: one for all layers, or ``layers``, one a layer."""

    every: PairDual
    layers: tuple[PairDual, ...] = ()

    def at(self, layer: int) -> PairDual:
        """The dual after convolution ``layer``, counted from 1."""
        return self.layers[layer - 1] if self.layers else self.every

    @cached_property
    def nonlinearity(self) -> Nonlinearity:
        """The activation that decides how the kernel is integrated: one whose dual is a series, else one whose dual is singular on the diagonal."""
        layers = [dual.nonlinearity for dual in self.layers or (self.every,)]
        return min(layers, key=lambda layer: (not layer.dual.expr.has(SeriesDual), not layer.angular))


@dataclass(frozen=True)
class PixelProgram:
    """Convolutions with an activation after each, and a head. ``part`` is "ck", "ntk" or the number of a weight layer, 1 to depth + 1.

    ``by_layer`` are the activations of the layers where they are not all the same one.
    """

    pixels: int
    patches: tuple[Patch, ...]
    nonlinearity: Nonlinearity
    readout: Readout
    part: str | int = "ck"
    by_layer: tuple[Nonlinearity, ...] = ()

    @property
    def depth(self) -> int:
        return len(self.patches)

    @cached_property
    def dual(self) -> LayerDuals:
        duals = {layer: PairDual(layer) for layer in (self.nonlinearity, *self.by_layer)}
        return LayerDuals(duals[self.nonlinearity], tuple(duals[layer] for layer in self.by_layer))

    @cached_property
    def levels(self) -> tuple[tuple[Pair, ...], ...]:
        """The pairs that are needed: of pixels first, then after every layer; the last are those that the head reads."""
        needed = [tuple(pair for pair, _ in self.readout.pairs)]
        for patch in reversed(self.patches):
            needed.append(tuple(sorted({source for pair in needed[-1] for source in patch.sources(pair)})))
        return tuple(reversed(needed))

    @cached_property
    def positions(self) -> tuple[tuple[frozenset[int], ...], tuple[frozenset[int], ...]]:
        """For x and z the positions of every level whose variance is needed; a patch has variance also where its partner reads padding."""
        return self._positions(0), self._positions(1)

    def _positions(self, side: int) -> tuple[frozenset[int], ...]:
        needed = [frozenset(pair[side] for pair, _ in self.readout.pairs)]
        for patch in reversed(self.patches):
            needed.append(frozenset(source for position in needed[-1] for source in patch.reads[position]) - {PADDING})
        return tuple(reversed(needed))

    @property
    def is_diagonal(self) -> bool:
        """Whether only correlations of equal positions are read, as without global average pooling."""
        return all(p == q for p, q in self.levels[0])

    @cached_property
    def receptive_field(self) -> frozenset[int]:
        """The pixels that are read."""
        return frozenset(position for pair in self.levels[0] for position in pair)

    def with_head(self, pairs: Sequence[tuple[Pair, Rational]]) -> PixelProgram:
        """The same network with another head."""
        return replace(self, readout=replace(self.readout, pairs=tuple(pairs)))

    def reads_slopes(self) -> bool:
        """Whether the part contains the dual of the derivative."""
        return self.depth > 0 and self.part not in ("ck", self.depth + 1)

    @property
    def first_slope(self) -> int:
        """The first layer whose slope is read; depth + 1 where none is."""
        return 1 if self.part == "ntk" else self.depth + 1 if self.part == "ck" else int(self.part)

    @cached_property
    def diagonal_is_infinite(self) -> bool:
        """Whether a slope is read that is infinite at u = v."""
        return any(self.dual.at(layer).slope_is_infinite for layer in range(self.first_slope, self.depth + 1))

    def run(self, carrier: PairCarrier, variances: Variances = Variances(), numbers: list[Any] | None = None) -> Any:
        """The value of the kernel under a carrier. ``numbers`` saves evaluating the variances again (:meth:`numbers`)."""
        plan = self.plan(variances)
        return _Walk(self, plan, carrier, plan.numbers(self.dual, carrier) if numbers is None else numbers).run()

    def plan(self, variances: Variances = Variances()) -> Plan:
        """The classes of the variances; kept for pixels of norm 1."""
        return self._unit_plan if variances == Variances() else Plan.of(self, variances)

    @cached_property
    def _unit_plan(self) -> Plan:
        return Plan.of(self, Variances())


@dataclass(frozen=True)
class Plan:
    """Which variances are equal by construction.

    ``recipes`` say how the number of each class is made: ("pixel", value), ("patch", layer, classes of the taps) or
    ("activation", layer, class before), the layer being 0 where all have the same activation.
    ``steps`` hold for each layer and each of its pairs the classes of its two units before and after the activation, and ``lonely`` those
    of units whose partner is padding. ``heads`` are the classes after the last layer.
    """

    recipes: tuple[tuple[Any, ...], ...]
    steps: tuple[tuple[tuple[int, int, int, int], ...], ...]
    lonely: tuple[tuple[tuple[int, ...], ...], ...]
    heads: tuple[tuple[int, int], ...]
    patches: tuple[Patch, ...]

    @staticmethod
    def of(program: PixelProgram, variances: Variances) -> Plan:
        classes: dict[tuple[Any, ...], int] = {}

        def known(*recipe: Any) -> int:
            return classes.setdefault(recipe, len(classes))

        sides = [{position: known("pixel", variances.side(side, position)) for position in program.positions[side][0]} for side in (0, 1)]
        steps, lonely = [], []
        for layer, patch in enumerate(program.patches, 1):
            read = [
                {position: known("patch", layer, tuple(sorted(sides[side][source] for source in patch.reads[position] if source != PADDING))) for position in program.positions[side][layer]}
                for side in (0, 1)
            ]
            after = [{position: known("activation", layer if program.by_layer else 0, before) for position, before in side.items()} for side in read]
            steps.append(tuple((read[0][p], read[1][q], after[0][p], after[1][q]) for p, q in program.levels[layer]))
            lonely.append(tuple(_lonely(patch, pair, sides) for pair in program.levels[layer]))
            sides = after
        heads = tuple((sides[0][p], sides[1][q]) for (p, q), _ in program.readout.pairs)
        return Plan(tuple(classes), tuple(steps), tuple(lonely), heads, program.patches)

    def numbers(self, dual: LayerDuals, carrier: PairCarrier) -> list[Any]:
        """The variance of every class."""
        found: list[Any] = []
        for kind, *data in self.recipes:
            if kind == "pixel":
                found.append(carrier.constant(data[0]))
            elif kind == "patch":
                patch = self.patches[data[0] - 1]
                found.append(carrier.combined(patch.scale, patch.bias, [found[part] for part in data[1]]))
            else:
                found.append(carrier.second_moment(dual.at(data[0]) if data[0] else dual.every, found[data[1]]))
        return found


def _lonely(patch: Patch, pair: Pair, sides: Sequence[Mapping[int, int]]) -> tuple[int, ...]:
    """Classes of the units of one patch that meet a zero of the padding."""
    found = []
    for taps in zip(patch.reads[pair[0]], patch.reads[pair[1]], strict=True):
        if PADDING in taps and taps != (PADDING, PADDING):
            side = 0 if taps[1] == PADDING else 1
            found.append(sides[side][taps[side]])
    return tuple(found)


class _Walk:
    """One pass through the layers; see the module docstring for C, V and T."""

    def __init__(self, program: PixelProgram, plan: Plan, carrier: PairCarrier, numbers: list[Any]) -> None:
        self.program, self.plan, self.carrier, self.numbers = program, plan, carrier, numbers
        self.first = 1 if program.part == "ntk" else program.part if isinstance(program.part, int) else program.depth + 2
        self.states: dict[Pair, Any] = {pair: carrier.state(pair) for pair in program.levels[0]}
        self.tangents: dict[Pair, Any] = {}

    def run(self) -> Any:
        for layer in range(1, self.program.depth + 1):
            self._layer(layer)
        return self._head()

    def _layer(self, layer: int) -> None:
        """One convolution and one activation."""
        program, carrier, numbers = self.program, self.carrier, self.numbers
        patch = program.patches[layer - 1]
        states: dict[Pair, Any] = {}
        tangents: dict[Pair, Any] = {}
        slopes = program.reads_slopes() and layer >= self.first
        for pair, (p, q, p_after, q_after), lonely in zip(program.levels[layer], self.plan.steps[layer - 1], self.plan.lonely[layer - 1], strict=True):
            sources = patch.sources(pair)
            state = carrier.patched(patch.scale, patch.bias, [self.states[source] for source in sources], [numbers[index] for index in lonely])
            states[pair], slope = carrier.activated(program.dual.at(layer), Units(numbers[p], numbers[q], numbers[p_after], numbers[q_after], p == q), state)
            if slopes:
                incoming = [carrier.combined(patch.scale, S.Zero, [self.tangents[source] for source in sources])] if self.tangents else []
                if program.part in ("ntk", layer):
                    incoming.append(carrier.covariance(numbers[p], numbers[q], state))
                tangents[pair] = carrier.times(slope, carrier.combined(S.One, S.Zero, incoming))
        self.states, self.tangents = states, tangents

    def _head(self) -> Any:
        program, carrier, readout = self.program, self.carrier, self.program.readout
        values = []
        if program.part in ("ck", "ntk", program.depth + 1):
            heads = zip(readout.pairs, self.plan.heads, strict=True)
            covariances = {pair: carrier.covariance(self.numbers[p], self.numbers[q], self.states[pair]) for (pair, _), (p, q) in heads}
            values.append(carrier.combined(readout.weight, readout.bias, [self._weighted(covariances)]))
        if self.tangents:
            values.append(carrier.combined(readout.weight, S.Zero, [self._weighted(self.tangents)]))
        return carrier.combined(S.One, S.Zero, values)

    def _weighted(self, values: Mapping[Pair, Any]) -> Any:
        groups: dict[Rational, list[Any]] = {}
        for pair, weight in self.program.readout.pairs:
            groups.setdefault(weight, []).append(values[pair])
        return self.carrier.combined(S.One, S.Zero, [self.carrier.combined(weight, S.Zero, parts) for weight, parts in groups.items()])


__all__ = ["PADDING", "LayerDuals", "Pair", "PairCarrier", "Patch", "PixelProgram", "Plan", "Readout", "Units", "Variances"]
