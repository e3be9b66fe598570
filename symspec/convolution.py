r"""Convolutional networks of infinite width and their kernels.

An image is P pixels, in a row or on a grid of any dimension, each a vector of C channels; ``pixels`` is P or the shape of the grid. With
:math:`t_{ij}=\langle x_i,z_j\rangle` the correlations of the pixels of two images (pixels of norm 1, or any norms with
``variances``), the kernels are programs over pairs of positions (:mod:`symspec.pixel_program`).

**Filters** are centred like "SAME" convolutions: a filter of size k along an axis reads the offsets
:math:`-\lfloor(k-1)/2\rfloor,\dots,\lfloor k/2\rfloor`, so 0 and 1 for k = 2. Out of the image they wrap around ("circular") or read zeros ("zero").
A stride s keeps every s-th position and must divide the number of positions.

**Layers.** ``depth`` counts nonlinearities. ``first_layer="pointwise"`` makes the first convolution one of size 1 without stride, the
architecture that the lower bounds of Geifman et al. need.

**Parametrisation**, as for :func:`symspec.network.mlp`: without sigma_w2 and sigma_b2 the *normalised* recursion, which divides by
:math:`\hat\sigma(1)=E\sigma(Z)^2` after each activation, so that K = 1 on the diagonal for pixels of norm 1 under circular padding; with
either, the NTK parametrisation in every layer, readout included:
:math:`C_\ell=\frac{\sigma_w^2}k\sum_oV_{\ell-1}+\sigma_b^2`.

**Heads** on the last layer, followed by a dense layer:
``eq`` one output position (0 under circular padding, else the middle one, or ``output``), :math:`K=V[p,p]`;
``trace`` a dense layer on all positions, :math:`K=\frac1P\sum_pV[p,p]`;
``gap`` the mean over positions first, :math:`K=\frac1{P^2}\sum_{p,q}V[p,q]`.

>>> from symspec.activations import relu
>>> from sympy import Rational
>>> net = cnn(relu, 1, 2, 2)
>>> net.ck([[Rational(1, 2), 0], [0, Rational(-1, 2)]]), net.ntk.receptive_field
(1/pi, (0, 1))
>>> cnn(relu, 2, filter_size=2, pixels=3, head="gap").ntk([[1, 0, 0], [0, 1, 0], [0, 0, 1]]).is_number
True
>>> cnn(relu, 1, 5, 4)
Traceback (most recent call last):
    ...
symspec.errors.InputError: layer 1: a filter of size 5 is larger than the 4 positions it moves over; use filter_size at most 4
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

from sympy import Expr, Rational, S

from .activations import Activation, activation as as_activation
from .errors import InputError
from .exact import exact, natural
from .layers import MAX_NETWORK_DEPTH, Nonlinearity
from .network import Parametrisation
from .pixel_kernel import PixelKernel
from .pixel_program import PADDING, Patch, PixelProgram, Readout

HEADS, PADDINGS, FIRST_LAYERS = ("eq", "trace", "gap"), ("circular", "zero"), ("conv", "pointwise")
MAX_PIXELS = 1 << 16
Shape = tuple[int, ...]


@dataclass(frozen=True)
class ConvolutionalNetwork:
    """A convolutional network of infinite width; see :func:`cnn`. ``shape`` is the grid of pixels, ``filters`` and ``strides`` go by axis."""

    activation: Activation
    depth: int
    shape: Shape
    filters: Shape
    strides: Shape
    head: str
    first_layer: str
    padding: str
    output: int
    parametrisation: Parametrisation
    drop_deltas: bool = False

    @property
    def pixels(self) -> int:
        return prod(self.shape)

    @cached_property
    def nonlinearity(self) -> Nonlinearity:
        return Nonlinearity(self.activation, self.drop_deltas)

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """The grid after every layer, the pixels first."""
        found = [self.shape]
        for layer in range(1, self.depth + 1):
            _, strides = self.geometry(layer)
            found.append(tuple(n // s for n, s in zip(found[-1], strides, strict=True)))
        return tuple(found)

    def geometry(self, layer: int) -> tuple[Shape, Shape]:
        """Filter and stride of a layer, by axis."""
        if layer == 1 and self.first_layer == "pointwise":
            return (1,) * len(self.shape), (1,) * len(self.shape)
        return self.filters, self.strides

    @property
    def total_strides(self) -> Shape:
        """How many pixels apart neighbouring outputs are, by axis."""
        return tuple(n // m for n, m in zip(self.shape, self.shapes[-1], strict=True))

    @cached_property
    def patches(self) -> tuple[Patch, ...]:
        """The convolutions, one before each activation."""
        return tuple(Patch(reads_of(self.shapes[layer - 1], *self.geometry(layer), self.padding), self._weight(layer), self.parametrisation.sigma_b2) for layer in range(1, self.depth + 1))

    def _weight(self, layer: int) -> Expr:
        """The weight variance before activation ``layer``; depth + 1 is the readout."""
        if self.parametrisation.sigma_w2 is not None:
            return self.parametrisation.sigma_w2
        return S.One if layer == 1 else 1 / self.nonlinearity.second_moment

    def program(self, part: str | int) -> PixelProgram:
        """The program of a part: "ck", "ntk", or a weight layer from 1 to depth + 1."""
        count = prod(self.shapes[-1])
        pairs = {
            "eq": [((self.output, self.output), Rational(1))],
            "trace": [((p, p), Rational(1, count)) for p in range(count)],
            "gap": [((p, q), Rational(1, count**2)) for p in range(count) for q in range(count)],
        }[self.head]
        readout = Readout(tuple(pairs), self._weight(self.depth + 1), self.parametrisation.sigma_b2)
        return PixelProgram(self.pixels, self.patches, self.nonlinearity, readout, part)

    @cached_property
    def ck(self) -> PixelKernel:
        """The conjugate kernel (Gaussian process kernel)."""
        return PixelKernel(self.program("ck"), f"CK of {self}", self)

    @cached_property
    def ntk(self) -> PixelKernel:
        """The tangent kernel, the sum of :attr:`ntk_layers`."""
        return PixelKernel(self.program("ntk"), f"NTK of {self}", self)

    @cached_property
    def ntk_layers(self) -> tuple[PixelKernel, ...]:
        """What each of the depth + 1 weight layers contributes to the tangent kernel, first first."""
        return tuple(PixelKernel(self.program(layer), f"NTK layer {layer} of {self}", self) for layer in range(1, self.depth + 2))

    @property
    def parameters(self) -> dict[str, str]:
        """The exact numbers that fix the recursion, as text; empty for the normalised one."""
        par = self.parametrisation
        return {} if par.sigma_w2 is None else {"sigma_w2": str(par.sigma_w2), "sigma_b2": str(par.sigma_b2)}

    def latex(self) -> str:
        """The activation with its duals, and the recursions of both kernels, in LaTeX."""
        from .pixel_latex import network_latex

        return network_latex(self)

    def conventions(self) -> str:
        """What the recursion means, LaTeX text mode."""
        from .pixel_latex import network_text

        return network_text(self)

    def __str__(self) -> str:
        kind = self.activation.name or str(self.activation.form)
        size, grid = ("x".join(map(str, axes)) for axes in (self.filters, self.shape))
        extras = [f"stride {'x'.join(map(str, self.strides))}" if set(self.strides) != {1} else "", "pointwise first layer" if self.first_layer == "pointwise" else ""]
        extras += [f"{self.padding} padding" if self.padding != "circular" else "", *(f"{name}={value}" for name, value in self.parameters.items())]
        tail = "".join(f", {extra}" for extra in extras if extra)
        return f"{kind} convolutional network of depth {self.depth}, filter {size}, {grid} pixels, head {self.head}{tail}"


def reads_of(shape: Shape, filters: Shape, strides: Shape, padding: str) -> tuple[tuple[int, ...], ...]:
    """The input positions of every tap of every output, row-major on the grid."""
    axes = []
    for n, k, s in zip(shape, filters, strides, strict=True):
        low = -((k - 1) // 2)
        axes.append([[(start + offset) % n if padding == "circular" or 0 <= start + offset < n else PADDING for offset in range(low, low + k)] for start in range(0, n, s)])
    rows = []
    for output in product(*axes):
        rows.append(tuple(PADDING if PADDING in taps else flat(taps, shape) for taps in product(*output)))
    return tuple(rows)


def flat(index: Sequence[int], shape: Shape) -> int:
    """The row-major number of a point of the grid."""
    position = 0
    for i, n in zip(index, shape, strict=True):
        position = position * n + i
    return position


def cnn(
    activation: Any,
    depth: Any,
    filter_size: Any,
    pixels: Any,
    head: str = "eq",
    first_layer: str = "conv",
    *,
    sigma_w2: Any = None,
    sigma_b2: Any = None,
    padding: str = "circular",
    stride: Any = 1,
    output: Any = None,
    drop_deltas: bool = False,
) -> ConvolutionalNetwork:
    """A convolutional network with ``depth`` convolutions, each followed by the activation; see the module docstring.

    ``pixels`` is a number or the shape of a grid; ``filter_size`` and ``stride`` are a number for all axes or one an axis.
    ``output`` is the output position that the head "eq" reads. ``drop_deltas`` as for mlp.

    Raises InputError for a filter larger than the positions it moves over, a stride that does not divide their number, an unknown head, padding or
    first layer, a negative variance.
    """
    shape = _axes(pixels, "pixels", None)
    if prod(shape) > MAX_PIXELS:
        raise InputError(f"{prod(shape)} pixels are above {MAX_PIXELS}")
    filters, strides = _axes(filter_size, "filter_size", len(shape)), _axes(stride, "stride", len(shape))
    for value, what, known in ((head, "head", HEADS), (first_layer, "first_layer", FIRST_LAYERS), (padding, "padding", PADDINGS)):
        if not isinstance(value, str) or value not in known:
            raise InputError(f"{what} must be {', '.join(known[:-1])} or {known[-1]}, not {str(value)[:40]!r}")
    layers = natural(depth, "depth")
    if layers > MAX_NETWORK_DEPTH:
        raise InputError(f"depth {layers} is above {MAX_NETWORK_DEPTH}")
    network = ConvolutionalNetwork(as_activation(activation), layers, shape, filters, strides, head, first_layer, padding, 0, _parametrisation(sigma_w2, sigma_b2), drop_deltas)
    _require_geometry(network)
    return _with_output(network, output)


def _axes(value: Any, what: str, axes: int | None) -> Shape:
    if isinstance(value, (tuple, list)):
        if axes is not None and len(value) != axes or not value:
            raise InputError(f"{what} must be a number or {axes or 'at least one'} of them, one an axis, not {value!r}")
        return tuple(natural(entry, what, 1) for entry in value)
    return (natural(value, what, 1),) * (axes or 1)


def _parametrisation(sigma_w2: Any, sigma_b2: Any) -> Parametrisation:
    if sigma_w2 is None and sigma_b2 is None:
        return Parametrisation()
    weight, bias = exact(1 if sigma_w2 is None else sigma_w2, "sigma_w2"), exact(0 if sigma_b2 is None else sigma_b2, "sigma_b2")
    if not weight.is_positive:
        raise InputError(f"sigma_w2 must be positive, not {weight}")
    if bias.is_negative:
        raise InputError(f"sigma_b2 must be at least 0, not {bias}")
    return Parametrisation(weight, bias)


def _require_geometry(network: ConvolutionalNetwork) -> None:
    positions = network.shape
    for layer in range(1, network.depth + 1):
        filters, strides = network.geometry(layer)
        for n, k, s in zip(positions, filters, strides, strict=True):
            if k > n:
                raise InputError(f"layer {layer}: a filter of size {k} is larger than the {n} positions it moves over; use filter_size at most {n}")
            if n % s:
                raise InputError(f"layer {layer}: stride {s} does not divide the {n} positions; use a divisor of {n}")
        positions = tuple(n // s for n, s in zip(positions, strides, strict=True))


def _with_output(network: ConvolutionalNetwork, output: Any) -> ConvolutionalNetwork:
    from dataclasses import replace

    shape = network.shapes[-1]
    if output is None:
        chosen = 0 if network.padding == "circular" else flat([n // 2 for n in shape], shape)
    elif isinstance(output, (tuple, list)):
        index = [natural(entry, "output") for entry in output]
        if len(index) != len(shape) or any(i >= n for i, n in zip(index, shape, strict=False)):
            raise InputError(f"output {output!r} is no position of the {'x'.join(map(str, shape))} outputs")
        chosen = flat(index, shape)
    else:
        chosen = natural(output, "output")
    if chosen >= prod(shape):
        raise InputError(f"output {chosen} is no position: there are {prod(shape)} outputs, 0 to {prod(shape) - 1}")
    return replace(network, output=chosen)


__all__ = ["ConvolutionalNetwork", "cnn", "flat", "reads_of"]
