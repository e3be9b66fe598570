r"""Finite ReLU networks with exact weights, and their exact restriction to lines and polylines.

A network :math:`f=W_{L+1}\,\sigma(W_L\cdots\sigma(W_1x+b_1)\cdots+b_L)+b_{L+1}`, :math:`\sigma(z)=\max(z,0)+a\min(z,0)`, is continuous and
piecewise linear. Every float is an exact binary rational, so on a line :math:`x=x_0+tv` every kink is an exact rational number.

**Algorithm.** Points of the line are columns in homogeneous coordinates, integers with a last entry q >= 0; q = 0 is a point at
infinity, its column being a direction. Between adjacent columns A, B everything is linear, so a neuron of values :math:`z_A,z_B` of
opposite signs vanishes at exactly one point between, with the column :math:`|z_B|A+|z_A|B`; it is inserted, and after all neurons of a
layer are done the activation acts on every column entry by entry, at infinity too: what grows becomes positive, what falls
zero, and what is constant along the line (entry 0 at infinity) has its sign at the finite neighbour. Each layer is one exact integer matrix
product with all columns. No kink is missed, kinks that coincide are one column, and columns where the final slopes
agree are dropped at the end. A polyline is the same with finite columns, its corners, instead of the points at infinity.

>>> net = relu_network([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
>>> f = net.restrict_to_line([0], [1])
>>> f.breakpoints, f.slopes, f(-3)
((Fraction(0, 1),), (Fraction(-1, 1), Fraction(1, 1)), Fraction(3, 1))
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd, isfinite
from typing import TYPE_CHECKING, Any

from flint import fmpq, fmpz, fmpz_mat

from .errors import InputError
from .exact import exact
from .piecewise_linear import PiecewiseLinear, Window

if TYPE_CHECKING:
    from .linear_regions import LinearRegions
    from .parameter_derivatives import ParameterDerivative

MAX_ENTRIES = 50_000_000


@dataclass(frozen=True)
class AffineLayer:
    """x -> W x + b: ``matrix`` is the integer matrix (W b) times ``denominator`` > 0."""

    matrix: fmpz_mat
    denominator: int

    @property
    def inputs(self) -> int:
        return int(self.matrix.ncols()) - 1

    @property
    def outputs(self) -> int:
        return int(self.matrix.nrows())

    def after(self, first: AffineLayer) -> AffineLayer:
        """Composition with the layer before, exactly."""
        width = first.inputs + 1
        last = [0] * (width - 1) + [first.denominator]
        below = fmpz_mat(first.outputs + 1, width, [*first.matrix.entries(), *last])
        return AffineLayer(self.matrix * below, self.denominator * first.denominator)

    def apply(self, columns: fmpz_mat) -> fmpz_mat:
        """Homogeneous columns of the outputs, the scale in the last row."""
        image = self.matrix * columns
        last = columns.nrows() - 1
        scale = [self.denominator * columns[last, j] for j in range(columns.ncols())]
        return fmpz_mat(image.nrows() + 1, image.ncols(), [*image.entries(), *scale])


@dataclass(frozen=True)
class ReluNetwork:
    """Affine layers with (leaky) ReLU of slope ``slope`` below zero between them; see :func:`relu_network`."""

    layers: tuple[AffineLayer, ...]
    slope: Fraction = Fraction(0)

    @property
    def inputs(self) -> int:
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        return self.layers[-1].outputs

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, hidden widths, outputs."""
        return (self.inputs, *(layer.outputs for layer in self.layers))

    def __call__(self, x: Sequence[Any]) -> tuple[Fraction, ...]:
        """The exact outputs at an exact point."""
        values = _column(x, self.inputs, "point")
        columns = fmpz_mat(self.inputs + 1, 1, values)
        for index, layer in enumerate(self.layers):
            columns = layer.apply(columns)
            if index + 1 < len(self.layers):
                columns = _activated(columns, self.slope)
        scale = columns[self.outputs, 0]
        return tuple(Fraction(int(columns[i, 0]), int(scale)) for i in range(self.outputs))

    def restrict_to_line(self, origin: Sequence[Any], direction: Sequence[Any], output: int = 0) -> PiecewiseLinear:
        """t -> f(origin + t direction) exactly, for one output. InputError for vectors of a wrong length or a zero direction."""
        if not 0 <= output < self.outputs:
            raise InputError(f"output {output} does not exist: the network has {self.outputs}")
        return Path.line(self, origin, direction).restriction(output)

    def restrict_to_polyline(self, corners: Iterable[Sequence[Any]], parameters: Sequence[Any] | None = None, output: int = 0) -> Window:
        """t -> f(p(t)) exactly, for one output, p being linear between the corners, which it meets at the parameters (0, 1, 2, ... by default).

        The result lives on the interval of the parameters. Raises InputError for fewer than two corners, corners of a wrong length, parameters that do not ascend.
        """
        if not 0 <= output < self.outputs:
            raise InputError(f"output {output} does not exist: the network has {self.outputs}")
        return Path.polyline(self, list(corners), parameters).window(output)

    def linear_regions(self, box: Iterable[Any], output: int = 0, budget: int | None = None) -> LinearRegions:
        """The exact complex of linear regions of one output in a box, given as a pair (low, high) for every input.

        ``budget`` bounds the number of faces of all dimensions. Raises InputError for an empty box, ComplexTooLarge past the budget.
        """
        from .region_assembly import BUDGET, linear_regions

        return linear_regions(self, box, output, BUDGET if budget is None else budget)

    def parameter_derivative(self, origin: Sequence[Any], direction: Sequence[Any], *, layer: Any, neuron: Any, weight: Any = None, output: Any = 0) -> ParameterDerivative:
        """The exact derivative on a line by one bias or weight; see :mod:`symspec.parameter_derivatives`."""
        from .parameter_derivatives import parameter_derivative

        return parameter_derivative(self, origin, direction, layer=layer, neuron=neuron, weight=weight, output=output)

    def __str__(self) -> str:
        return f"ReLU network {'-'.join(map(str, self.widths))}"


def relu_network(layers: Iterable[Any], slope: Any = 0) -> ReluNetwork:
    """A network from pairs (weights, biases), first layer first; the last one is affine.

    ``weights`` is a matrix (rows are neurons: nested sequences or a NumPy array), ``biases`` a vector or None. Numbers are exact:
    ints, Fractions, decimal strings; a float is taken at its binary value. ``slope`` is that of leaky ReLU below zero.

    Raises InputError for shapes that do not chain and for NaN or infinite numbers, with the layer named.
    """
    made: list[AffineLayer] = []
    for index, item in enumerate(layers, start=1):
        try:
            weights, biases = item
        except (TypeError, ValueError):
            raise InputError(f"layer {index} must be a pair (weights, biases)") from None
        layer = _layer(weights, biases, f"layer {index}")
        if made and made[-1].outputs != layer.inputs:
            raise InputError(f"layer {index} takes {layer.inputs} inputs, but layer {index - 1} has {made[-1].outputs} outputs")
        made.append(layer)
    if not made:
        raise InputError("a network needs at least one layer")
    return ReluNetwork(tuple(made), rational_number(slope, "slope"))


def _layer(weights: Any, biases: Any, name: str) -> AffineLayer:
    rows = [list(row) for row in _nested(weights, name)]
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise InputError(f"{name}: the weights must form a matrix, rows of equal length")
    shifts = [0] * len(rows) if biases is None else list(biases)
    if len(shifts) != len(rows):
        raise InputError(f"{name}: {len(rows)} neurons but {len(shifts)} biases")
    values = [rational_number(entry, name) for row, shift in zip(rows, shifts, strict=True) for entry in (*row, shift)]
    denominator = _common_denominator(values)
    entries = [value.numerator * (denominator // value.denominator) for value in values]
    return AffineLayer(fmpz_mat(len(rows), len(rows[0]) + 1, entries), denominator)


def _nested(weights: Any, name: str) -> list[Any]:
    try:
        rows = list(weights.tolist() if hasattr(weights, "tolist") else weights)
        return [list(row) for row in rows]
    except TypeError:
        raise InputError(f"{name}: the weights must be a matrix") from None


def rational_number(value: Any, what: str) -> Fraction:
    """An exact rational number; a float at its binary value. InputError, naming ``what``, for anything else."""
    if isinstance(value, float) and isfinite(value):
        return Fraction(value)
    if type(value) is int:
        return Fraction(value)
    number = exact(value, what)
    if not number.is_Rational:
        raise InputError(f"{what}: {value} is not rational")
    return Fraction(int(number.p), int(number.q))


def _common_denominator(values: Sequence[Fraction]) -> int:
    denominator = 1
    for value in values:
        denominator = denominator * value.denominator // gcd(denominator, value.denominator)
    return denominator


def _column(vector: Sequence[Any], length: int, what: str) -> list[int]:
    """Homogeneous coordinates of a point, the scale last."""
    values = [rational_number(entry, what) for entry in vector]
    if len(values) != length:
        raise InputError(f"the {what} has {len(values)} coordinates, the network takes {length}")
    denominator = _common_denominator(values)
    return [*(value.numerator * (denominator // value.denominator) for value in values), denominator]


def _activated(columns: fmpz_mat, slope: Fraction) -> fmpz_mat:
    """max(z, 0) + slope min(z, 0) of every row but the last; all is multiplied by the denominator of the slope."""
    p, q, count = slope.numerator, slope.denominator, columns.ncols()
    entries = columns.entries()
    body = [z * q if z > 0 else z * p for z in entries[: len(entries) - count]]
    return fmpz_mat(columns.nrows(), count, [*body, *(z * q for z in entries[len(entries) - count :])])


class Path:
    """Columns between which a path is straight, refined layer by layer. A parameter t is kept as a pair (p, q), t = p/q; q = 0 at the two ends of a line."""

    def __init__(self, network: ReluNetwork, columns: list[list[int]], parameters: list[tuple[int, int]]) -> None:
        self.network = network
        self.columns = [[fmpz(entry) for entry in column] for column in columns]
        self.parameters = [(fmpz(p), fmpz(q)) for p, q in parameters]

    @staticmethod
    def line(network: ReluNetwork, origin: Sequence[Any], direction: Sequence[Any]) -> Path:
        start, way = _column(origin, network.inputs, "origin"), _column(direction, network.inputs, "direction")
        if not any(way[:-1]):
            raise InputError("the direction is zero: a line needs one that is not")
        # Direction columns carry 1/scale of the direction as the unit of t.
        unit = way[-1]
        return Path(network, [[-entry for entry in way[:-1]] + [0], start, [*way[:-1], 0]], [(-unit, 0), (0, start[-1]), (unit, 0)])

    @staticmethod
    def polyline(network: ReluNetwork, corners: list[Sequence[Any]], parameters: Sequence[Any] | None) -> Path:
        if len(corners) < 2:
            raise InputError(f"a polyline needs at least two corners, not {len(corners)}")
        times = [rational_number(t, "parameter") for t in (range(len(corners)) if parameters is None else parameters)]
        if len(times) != len(corners) or any(a >= b for a, b in pairwise(times)):
            raise InputError(f"a polyline of {len(corners)} corners needs as many parameters, ascending")
        columns, pairs = [], []
        for corner, t in zip(corners, times, strict=True):
            column = _column(corner, network.inputs, "corner")
            # The parameter and the point share the scale of their column.
            columns.append([entry * t.denominator for entry in column])
            pairs.append((t.numerator * column[-1], t.denominator * column[-1]))
        return Path(network, columns, pairs)

    def knots(self) -> list[Fraction]:
        """All parameters at which some neuron changes its sign, and perhaps others, ascending."""
        self._propagate()
        return [_ratio(p, q) for p, q in self.parameters if q != 0]

    def restriction(self, output: int) -> PiecewiseLinear:
        """The function on a whole line."""
        self._propagate()
        return self._function(output)

    def window(self, output: int) -> Window:
        """The function on a polyline."""
        self._propagate()
        points = [(_ratio(p, q), _ratio(column[output], column[-1])) for (p, q), column in zip(self.parameters, self.columns, strict=True)]
        return PiecewiseLinear.through(points, 0, 0).window(points[0][0], points[-1][0])

    def _propagate(self) -> None:
        for index, layer in enumerate(self.network.layers):
            image = layer.apply(self._matrix())
            self.columns = self._rows_to_columns(image)
            if index + 1 < len(self.network.layers):
                self._scaled_parameters(layer.denominator)
                self._insert_zeros()
                self._activate()
                self._shorten()
            else:
                self._scaled_parameters(layer.denominator)

    def _matrix(self) -> fmpz_mat:
        rows, count = len(self.columns[0]), len(self.columns)
        if rows * count > MAX_ENTRIES:
            raise InputError(f"the line has {count} kinks so far, too many for layers of {rows - 1} neurons")
        return fmpz_mat(rows, count, [self.columns[j][i] for i in range(rows) for j in range(count)])

    @staticmethod
    def _rows_to_columns(matrix: fmpz_mat) -> list[list[fmpz]]:
        entries, count = matrix.entries(), matrix.ncols()
        return [entries[j::count] for j in range(count)]

    def _scaled_parameters(self, factor: int) -> None:
        """A layer multiplies the scale of every column, and so the pair of its parameter."""
        self.parameters = [(p * factor, q * factor) for p, q in self.parameters]

    def _insert_zeros(self) -> None:
        """A column at every zero of a neuron between adjacent columns."""
        columns, parameters = [self.columns[0]], [self.parameters[0]]
        for left in range(len(self.columns) - 1):
            a, b = self.columns[left], self.columns[left + 1]
            crossings = {fmpq(abs(x), abs(x) + abs(y)): (abs(y), abs(x)) for x, y in zip(a[:-1], b[:-1], strict=True) if (x > 0 > y) or (x < 0 < y)}
            for share in sorted(crossings, key=_Key):
                u, v = crossings[share]
                columns.append([u * x + v * y for x, y in zip(a, b, strict=True)])
                parameters.append(tuple(u * x + v * y for x, y in zip(self.parameters[left], self.parameters[left + 1], strict=True)))  # type: ignore[arg-type]
            columns.append(b)
            parameters.append(self.parameters[left + 1])
        self.columns, self.parameters = columns, parameters

    def _activate(self) -> None:
        p, q = self.network.slope.numerator, self.network.slope.denominator
        self.columns = [[*(z * q if z > 0 else z * p for z in column[:-1]), column[-1] * q] for column in self.columns]
        self._scaled_parameters(q)

    def _shorten(self) -> None:
        """Divide every column and its parameter by their greatest common divisor."""
        for j, (column, (p, q)) in enumerate(zip(self.columns, self.parameters, strict=True)):
            common = p.gcd(q)
            for entry in column:
                common = common.gcd(entry)
                if common == 1:
                    break
            if common > 1:
                self.columns[j] = [entry // common for entry in column]
                self.parameters[j] = (p // common, q // common)

    def _function(self, output: int) -> PiecewiseLinear:
        first, *finite, last = list(zip(self.parameters, self.columns, strict=True))
        points = []
        for (p, q), column in finite:
            points.append((_ratio(p, q), _ratio(column[output], column[-1])))
        # At infinity the output's entry over that of t is the slope.
        return PiecewiseLinear.through(points, _ratio(first[1][output], first[0][0]), _ratio(last[1][output], last[0][0]))


class _Key:
    """Exact rationals in order, as a key for sorting."""

    __slots__ = ("value",)

    def __init__(self, value: fmpq) -> None:
        self.value = value

    def __lt__(self, other: _Key) -> bool:
        return bool(self.value < other.value)


def _ratio(p: fmpz, q: fmpz) -> Fraction:
    return Fraction(int(p), int(q))


__all__ = ["AffineLayer", "Path", "ReluNetwork", "rational_number", "relu_network"]
