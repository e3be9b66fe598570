r"""The derivative of a network with respect to one of its parameters, along a line, exactly.

Let :math:`f_\theta` be a network on a line. Where no neuron vanishes it is differentiable in the parameter, and :math:`g=\partial_\theta f` is affine between the points where some neuron
changes its sign: a piecewise affine function that may jump. With value jumps :math:`J_j` and slope jumps :math:`D_j` at the points :math:`x_j`, :math:`g''=\sum_jJ_j\delta'_{x_j}+D_j\delta_{x_j}`, so

.. math:: \partial_\theta\tilde f(k)=\tilde g(k)=-\frac1{k^2}\sum_j(D_j+ikJ_j)e^{-ikx_j},\qquad
          |\partial_\theta\tilde f(k)|\le\frac1{|k|}\sum_j|J_j|+\frac1{k^2}\sum_j|D_j| .

At a kink :math:`x_j(\theta)` of slope jump :math:`\delta_j`, :math:`J_j=-\delta_j\,\partial_\theta x_j` and :math:`D_j=\partial_\theta\delta_j`: moving a kink costs one power of k,
changing it none. This is the
statement :math:`\partial_\theta\tilde f=O(k\tilde f)` of Rahaman et al. (arXiv 1806.08734), with its constants. The derivative of :math:`\tilde f` is that of tempered distributions; it is
also that of the function of k unless a kink comes in from infinity, which a neuron that is constant on an end of the line and gains a slope may send: ``pointwise`` says that none
does. If a neuron that the parameter moves vanishes on a whole
piece of the line, f is not differentiable in the parameter, and the request is refused.

The derivative is the tangent of the network (forward mode) at two points of every piece, in integers.

>>> from symspec.relu_networks import relu_network
>>> net = relu_network([([[1], [1]], [0, -1]), ([[1, -2]], [0])])
>>> g = parameter_derivative(net, [0], [1], layer=1, neuron=2)          # the bias of the second neuron: the kink moves
>>> g.breakpoints, g.value_jumps, g.slope_jumps, g.bound(10)
((Fraction(1, 1),), (Fraction(-2, 1),), (Fraction(0, 1),), Fraction(1, 5))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any

import sympy
from flint import fmpz, fmpz_mat
from sympy import Expr

from .errors import InputError
from .exact import decimal_above, exact, natural
from .relu_networks import AffineLayer, Path, ReluNetwork, rational_number


@dataclass(frozen=True)
class ParameterDerivative:
    """t -> d f(origin + t direction) / d parameter: where it is not smooth, with the jumps of its value and of its slope, never both 0.

    ``pointwise``: the transform is differentiable at every k != 0, not only as a distribution.
    """

    parameter: str
    breakpoints: tuple[Fraction, ...]
    value_jumps: tuple[Fraction, ...]
    slope_jumps: tuple[Fraction, ...]
    pointwise: bool

    @property
    def constants(self) -> tuple[Fraction, Fraction]:
        """(A, B) of |d f~(k)| <= A/|k| + B/k^2."""
        return sum(map(abs, self.value_jumps), Fraction(0)), sum(map(abs, self.slope_jumps), Fraction(0))

    def bound(self, k: Any) -> Fraction:
        """An upper bound of the transform at a rational frequency k != 0."""
        frequency = abs(rational_number(k, "frequency"))
        if not frequency:
            raise InputError("the bound holds for frequencies k != 0")
        a, b = self.constants
        return a / frequency + b / frequency**2

    def fourier_transform(self, k: Any) -> Expr:
        """The transform at a frequency k != 0, a symbol or an exact number, as a sum of exponentials."""
        frequency = k if isinstance(k, Expr) else exact(k, "frequency")
        if frequency.is_zero:
            raise InputError("the transform at frequency 0 is a distribution; give k != 0")
        terms = zip(self.breakpoints, self.value_jumps, self.slope_jumps, strict=True)
        return -sympy.Add(*((_rational(d) + sympy.I * frequency * _rational(j)) * sympy.exp(-sympy.I * frequency * _rational(x)) for x, j, d in terms)) / frequency**2

    def statement(self) -> str:
        """The bound as a theorem, in LaTeX."""
        a, b = self.constants
        return rf"\[ \bigl|\partial_\theta\tilde f(k)\bigr|\le\frac{{{decimal_above(a)}}}{{|k|}}+\frac{{{decimal_above(b)}}}{{k^2}}\quad(k\ne0),\qquad \theta=\text{{{self.parameter}}}. \]"


def parameter_derivative(
    network: ReluNetwork, origin: Sequence[Any], direction: Sequence[Any], *, layer: Any, neuron: Any, weight: Any = None, output: Any = 0
) -> ParameterDerivative:
    """The derivative on the line origin + t direction by a bias, or by the weight from input number ``weight``; layers, neurons and inputs count from 1.

    Raises InputError for a parameter or an output that does not exist, and where the network is not differentiable in the parameter on a whole piece of the line.
    """
    place = _Parameter.of(network, layer, neuron, weight)
    out = natural(output, "output")
    if out >= network.outputs:
        raise InputError(f"output {out} does not exist: the network has {network.outputs}")
    start, way = [[rational_number(x, name) for x in vector] for name, vector in (("origin", origin), ("direction", direction))]
    knots = sorted(set(Path.line(network, start, way).knots()))
    times = [knots[0] - 2, knots[0] - 1]
    for a, b in pairwise(knots):
        times += [(2 * a + b) / 3, (a + 2 * b) / 3]
    times += [knots[-1] + 1, knots[-1] + 2]
    values, pointwise = _tangents(network, place, [[x + t * v for x, v in zip(start, way, strict=True)] for t in times], out)
    pieces = []
    for i in range(0, len(times), 2):
        slope = (values[i + 1] - values[i]) / (times[i + 1] - times[i])
        pieces.append((slope, values[i] - slope * times[i]))
    found = [(x, (s - r) * x + d - c, s - r) for x, ((r, c), (s, d)) in zip(knots, pairwise(pieces), strict=True)]
    kept = [row for row in found if row[1] or row[2]]
    return ParameterDerivative(place.name, tuple(x for x, _, _ in kept), tuple(j for _, j, _ in kept), tuple(d for _, _, d in kept), pointwise)


@dataclass(frozen=True)
class _Parameter:
    """Row and column in the matrix (W b) of a layer, all from 0."""

    layer: int
    row: int
    column: int
    name: str

    @staticmethod
    def of(network: ReluNetwork, layer: Any, neuron: Any, weight: Any) -> _Parameter:
        index, row = natural(layer, "layer", 1), natural(neuron, "neuron", 1)
        if index > len(network.layers):
            raise InputError(f"layer {index} does not exist: the network has {len(network.layers)}")
        affine = network.layers[index - 1]
        column = affine.inputs + 1 if weight is None else natural(weight, "weight", 1)
        if row > affine.outputs or (weight is not None and column > affine.inputs):
            raise InputError(f"layer {index} has {affine.outputs} neurons of {affine.inputs} inputs: there is no neuron {row}" + ("" if weight is None else f" with input {column}"))
        kind = "bias" if weight is None else f"weight {column}"
        return _Parameter(index - 1, row - 1, column - 1, f"{kind} of neuron {row} in layer {index}")


def _tangents(network: ReluNetwork, place: _Parameter, points: Sequence[Sequence[Fraction]], output: int) -> tuple[list[Fraction], bool]:
    """The derivative of the output at the points, and whether no kink comes from infinity. Columns are homogeneous; tangents share the scale of their column."""
    columns, pointwise = _homogeneous(points), True
    count = columns.ncols()
    tangents = fmpz_mat(network.inputs, count)
    for index, layer in enumerate(network.layers):
        image = layer.apply(columns)
        moved = _linear_part(layer) * tangents
        if index == place.layer:
            entries = moved.entries()
            for j in range(count):
                entries[place.row * count + j] += layer.denominator * columns[place.column, j]
            moved = fmpz_mat(layer.outputs, count, entries)
        columns, tangents = image, moved
        if index + 1 < len(network.layers):
            pointwise = pointwise and (network.slope == 1 or not _gains_slope(columns, tangents))
            columns, tangents = _activated(columns, tangents, network.slope, index + 1)
    return [Fraction(int(tangents[output, j]), int(columns[columns.nrows() - 1, j])) for j in range(count)], pointwise


def _gains_slope(columns: fmpz_mat, tangents: fmpz_mat) -> bool:
    """Whether a neuron has equal values but different tangents at the two points on one of the ends."""
    last, count = columns.nrows() - 1, columns.ncols()
    for a, b in ((0, 1), (count - 2, count - 1)):
        p, q = columns[last, b], columns[last, a]
        if any(columns[i, a] * p == columns[i, b] * q and tangents[i, a] * p != tangents[i, b] * q for i in range(last)):
            return True
    return False


def _homogeneous(points: Sequence[Sequence[Fraction]]) -> fmpz_mat:
    columns = []
    for point in points:
        scale = lcm(*(x.denominator for x in point))
        columns.append([*(int(x * scale) for x in point), scale])
    return fmpz_mat([list(row) for row in zip(*columns, strict=True)])


def _linear_part(layer: AffineLayer) -> fmpz_mat:
    width = layer.inputs + 1
    return fmpz_mat(layer.outputs, layer.inputs, [entry for i, entry in enumerate(layer.matrix.entries()) if i % width != layer.inputs])


def _activated(columns: fmpz_mat, tangents: fmpz_mat, slope: Fraction, layer: int) -> tuple[fmpz_mat, fmpz_mat]:
    p, q, count = slope.numerator, slope.denominator, columns.ncols()
    values, moved = columns.entries(), tangents.entries()
    body: list[fmpz] = []
    for i, (z, dz) in enumerate(zip(values, moved, strict=False)):
        if z == 0 and dz != 0 and p != q:
            raise InputError(f"neuron {i // count + 1} of layer {layer} vanishes on a whole piece of the line and moves with the parameter: the network is not differentiable there")
        factor = q if z > 0 else p
        body.append(z * factor)
        moved[i] = dz * factor
    scale = [entry * q for entry in values[len(moved) :]]
    return fmpz_mat(columns.nrows(), count, [*body, *scale]), fmpz_mat(tangents.nrows(), count, moved)


def _rational(value: Fraction) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)


__all__ = ["ParameterDerivative", "parameter_derivative"]
