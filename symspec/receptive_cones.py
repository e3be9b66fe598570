r"""The decay of eigenvalues of convolutional kernels along rays of multi-indices, and the effective receptive field.

Every unit v of the network (a position p after activation l, read on the pair (p, p)) is a function of the pixels of its field :math:`R_v` and is singular
where all of them are equal, :math:`t_i=1` for :math:`i\in R_v`: there :math:`1-\rho_v\approx\sum_ig_i(1-t_i)`, :math:`g_i=\partial\rho_v/\partial t_i` at 1, and for
:math:`\sigma=a\,x_++b\,(-x)_+`

.. math:: \hat\sigma\;\ni\;q\,\frac{(a+b)^2}2\frac{2\sqrt2}{3\pi}(1-\rho)^{3/2},\qquad \widehat{\sigma'}\;\ni\;-\frac{(a+b)^2}2\frac{\sqrt2}\pi(1-\rho)^{1/2},

and likewise, with the opposite sign of the second, where :math:`\rho_v=-1`. With :math:`1-t_i\approx\theta_i^2/2` the singular term is a cone
:math:`c\,2^{-\nu}|y|^{2\nu}`, :math:`y_i=\sqrt{g_i}\,\theta_i\in\mathbf R^{C-1}`, whose Fourier transform in :math:`D=|R_v|(C-1)` dimensions is
:math:`\mathrm{FT}_D(a)|\xi|^{-D-a}`, :math:`\mathrm{FT}_D(a)=2^{a+D}\pi^{D/2}\Gamma(\frac{D+a}2)/\Gamma(-\frac a2)`. So with
:math:`\hat k_i=k_i+\frac{C-2}2` and V the volume of the sphere it gives

.. math:: \lambda_k\sim J_v\,c\,2^{-\nu}\,\frac{\mathrm{FT}_D(2\nu)}{V^{|R|}}\prod_ig_i^{-(C-1)/2}\Bigl(\sum_i\hat k_i^2/g_i\Bigr)^{-(D+2\nu)/2},

:math:`J_v` the derivative of K by the value of v at the point (times T of the tangent kernel for :math:`\nu=\frac12`); at :math:`t=-1` times :math:`(-1)^{\sum k_i}`.

**What is proved, derived, conjectured.** *Proved:* the exponents and constants of the singular terms of a unit; exact zeros. *Derived and checked*
against certified eigenvalues, without a bound of the remainder: the law along rays on which every pixel of the receptive field has a
frequency, for 2:math:`\nu` = 3 (conjugate) and 1 (tangent). *Conjectured:* on rays with fewer frequencies, that the unit of least exponent whose field holds
them, or the cheapest cover by several units, gives the exponent (:meth:`ConeLaw.exponent`).

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> law = cone_law(cnn(relu, 2, 2, 2, first_layer="pointwise").ck, 3)
>>> law.exponent({0, 1}), law.exponent({0})
(7, 5)
>>> effective_receptive_field(cnn(relu, 2, 3, 8)).paths
(3, 2, 1, 0, 0, 0, 1, 2)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import sympy
from sympy import Expr, S, gamma, pi, sqrt

from .errors import DomainError, InputError, NoClosedForm
from .exact import natural
from .homogeneity import Homogeneous, homogeneous
from .pixel_kernel import PixelKernel, require_pixel_kernel
from .pixel_program import PixelProgram
from .program import RHO

MOST_UNITS = 3


@dataclass(frozen=True)
class Unit:
    """A unit at one end: its layer and position, field, weights g_i, and the factor of its cone (J_v c T_v)."""

    layer: int
    position: int
    field: frozenset[int]
    weights: Mapping[int, Expr]
    factor: Expr
    end: int


@dataclass(frozen=True)
class ConeLaw:
    """The strata of a kernel with head eq; see the module docstring. ``order`` is 2 nu."""

    kernel: PixelKernel
    channels: int
    order: int
    units: tuple[Unit, ...]

    @cached_property
    def strata(self) -> dict[frozenset[int], int]:
        """Field -> exponent of the decay where all its pixels have a frequency: |R| (C-1) + 2 nu."""
        return {unit.field: len(unit.field) * (self.channels - 1) + self.order for unit in self.units}

    def exponent(self, support: Iterable[int]) -> int:
        """e with lambda_k ~ |k|^(-e) along rays with frequencies in the pixels of ``support`` only (fixed elsewhere).

        Raises DomainError where a pixel is outside the receptive field, whose eigenvalues are exactly 0.
        """
        wanted = frozenset(support)
        outside = wanted - set(self.kernel.receptive_field)
        if outside or not wanted:
            raise DomainError(f"pixels {sorted(outside)} are outside the receptive field" if outside else "a ray needs a pixel with a frequency")
        found = []
        for size in range(1, MOST_UNITS + 1):
            for chosen in combinations(self.strata.items(), size):
                if wanted <= frozenset().union(*(field for field, _ in chosen)):
                    found.append(sum(exponent for _, exponent in chosen))
        return min(found)

    def leading(self, index: Sequence[int]) -> Expr:
        """The exact leading term of lambda_k for a multi-index over the receptive field with every entry positive."""
        field = self.kernel.receptive_field
        k = [natural(entry, "degree", 1) for entry in index]
        if len(k) != len(field):
            raise InputError(f"the multi-index has {len(k)} entries, the receptive field {len(field)} pixels")
        C, size = sympy.Integer(self.channels), len(field)
        D, a = size * (C - 1), sympy.Integer(self.order)
        volume = 2 * pi ** (C / 2) / gamma(C / 2)
        transform = 2 ** (a + D) * pi ** (D / 2) * gamma((D + a) / 2) / gamma(-a / 2)
        total = S.Zero
        for unit in self.units:
            if unit.field == frozenset(field):
                g = [unit.weights[pixel] for pixel in field]
                square = sum(((entry + (C - 2) / 2) ** 2 / weight for entry, weight in zip(k, g, strict=True)), S.Zero)
                parity = unit.end ** sum(k)
                total += parity * unit.factor * sympy.Mul(*(weight ** (-(C - 1) / 2) for weight in g)) * square ** (-(D + a) / 2)
        return 2 ** (-a / 2) * transform / volume**size * total


def cone_law(kernel: Any, channels: Any) -> ConeLaw:
    """The strata of the CK or NTK of a convolutional network with head eq on spheres in R^channels.

    Raises NoClosedForm for an activation that is not a x_+ + b (-x)_+ with a + b != 0, InputError for another head or part.
    """
    images = require_pixel_kernel(kernel, "cone_law")
    program = images.program
    if images.more or len(program.readout.pairs) != 1 or not images.is_diagonal or program.part not in ("ck", "ntk") or not program.depth:
        raise InputError("the law is derived for the kernels .ck and .ntk of networks with the head eq; trace and gap are means of it over shifts")
    shape = homogeneous(program.nonlinearity.activation.form)
    if shape is None or shape.s != 1 or shape.a + shape.b == 0:
        raise NoClosedForm("the law is derived for a*max(x,0) + b*max(-x,0) with a + b != 0: relu, leaky_relu, absolute")
    order = 3 if program.part == "ck" else 1
    units = [unit for end in (1, -1) for unit in _units(program, shape, end)]
    return ConeLaw(images, natural(channels, "channels", 2), order, tuple(units))


@dataclass
class _Node:
    """A unit at t = +-1 everywhere: variance q before the activation, correlation, value after, slope, gradient of the covariance, tangent."""

    q: Expr
    rho: Expr
    slope: Expr
    gradient: dict[int, Expr]
    tangent: Expr
    value: Expr
    adjoint: Expr = S.Zero


def _units(program: PixelProgram, shape: Homogeneous, end: int) -> list[Unit]:
    levels = _forward(program, end)
    _backward(program, levels)
    constant = (shape.a + shape.b) ** 2 / 2 * (2 * sqrt(2) / (3 * pi) if program.part == "ck" else sqrt(2) / pi)
    found = []
    for layer, level in enumerate(levels, 1):
        for position, node in level.items():
            if node.rho not in (1, -1):
                continue
            weights = {pixel: abs(value) / node.q for pixel, value in node.gradient.items() if value != 0}
            amplitude = node.q if program.part == "ck" else -node.rho * node.tangent
            found.append(Unit(layer, position, frozenset(weights), weights, sympy.expand(node.adjoint * constant * amplitude), end))
    return [unit for unit in found if unit.factor != 0]


def _forward(program: PixelProgram, end: int) -> list[dict[int, _Node]]:
    values: dict[int, tuple[Expr, Expr]] = {p: (sympy.Integer(end), S.One) for p, _ in program.levels[0]}
    gradients: dict[int, dict[int, Expr]] = {p: {p: S.One} for p in values}
    slopes_tangents: dict[int, Expr] = dict.fromkeys(values, S.Zero)
    dual, levels = program.dual, []
    for patch, pairs in zip(program.patches, program.levels[1:], strict=True):
        level: dict[int, _Node] = {}
        for p, _ in pairs:
            sources = [source for source, _ in patch.sources((p, p))]
            covariance, q = (patch.scale * sum((values[s][part] for s in sources), S.Zero) + patch.bias for part in (0, 1))
            gradient: dict[int, Expr] = {}
            for source in sources:
                for pixel, weight in gradients[source].items():
                    gradient[pixel] = gradient.get(pixel, S.Zero) + patch.scale * weight
            rho = sympy.simplify(covariance / q)
            value, slope = (_at(template, rho, q) for template in dual.readable(same=True))
            tangent = covariance + patch.scale * sum((slopes_tangents[s] for s in sources), S.Zero)
            level[p] = _Node(q, rho, slope, gradient, tangent, value)
        levels.append(level)
        values = {p: (node.value, dual.second_moment_at(node.q)) for p, node in level.items()}
        gradients = {p: {pixel: node.slope * weight for pixel, weight in node.gradient.items()} for p, node in level.items()}
        slopes_tangents = {p: node.slope * node.tangent for p, node in level.items()}
    return levels


def _at(template: Expr, rho: Expr, q: Expr) -> Expr:
    from .expectation import Q

    return sympy.expand(template.xreplace({RHO: rho, Q: q}))


def _backward(program: PixelProgram, levels: list[dict[int, _Node]]) -> None:
    """Fill in J_v."""
    for (p, _), weight in program.readout.pairs:
        levels[-1][p].adjoint = program.readout.weight * weight
    for index in range(len(levels) - 1, 0, -1):
        patch = program.patches[index]
        for p, node in levels[index].items():
            for source, _ in patch.sources((p, p)):
                levels[index - 1][source].adjoint += node.adjoint * node.slope * patch.scale


@dataclass(frozen=True)
class EffectiveField:
    """By pixel: the number of paths to the output, the share dK/dt_i at t = 1 of the conjugate kernel, and the exponents of its frequencies.

    ``centre`` is the middle one of the pixels that the output reads by most paths, ``circular`` says that the row or grid has no ends.
    ``cost[i]`` is the exponent e of k_i^(-e) on the axis of pixel i (None outside the field, where the eigenvalues are 0).
    """

    shape: tuple[int, ...]
    paths: tuple[int, ...]
    gradient: tuple[Expr, ...]
    cost: tuple[int | None, ...]
    centre: int = 0
    circular: bool = True


def effective_receptive_field(network: Any, channels: Any = 3) -> EffectiveField:
    """Paths, derivatives and frequency costs of a network with head eq; see :class:`EffectiveField`.

    For the normalised ReLU network with filters of size q and depth L the derivative is the number of paths over q^L. Costs are those of :func:`cone_law`,
    or None everywhere for activations it does not cover.
    """
    program = network.ck.program
    if network.head != "eq":
        raise InputError("the effective receptive field is that of one output: take the head eq")
    counts = {pair[0]: 1 for pair, _ in program.readout.pairs}
    for patch in reversed(program.patches):
        below: dict[int, int] = {}
        for p, count in counts.items():
            for source, _ in patch.sources((p, p)):
                below[source] = below.get(source, 0) + count
        counts = below
    levels = _forward(program, 1)
    last = levels[-1][program.readout.pairs[0][0][0]] if levels else None
    gradient = [program.readout.weight * last.slope * last.gradient.get(i, S.Zero) if last else S(int(i in counts)) for i in range(program.pixels)]
    try:
        law = cone_law(network.ck, channels)
        cost = tuple(law.exponent({i}) if i in counts else None for i in range(program.pixels))
    except (InputError, NoClosedForm):
        cost = (None,) * program.pixels
    paths, centre = tuple(counts.get(i, 0) for i in range(program.pixels)), max(counts, key=lambda i: (counts[i], -i))
    return EffectiveField(network.shape, paths, tuple(map(sympy.expand, gradient)), cost, centre, network.padding == "circular")


def draw_field(field: EffectiveField, *files: Any) -> None:
    """A picture of the shares dK/dt_i: bars for a row of pixels, a map for a grid of two axes."""
    from .drawing import COLOURS, sheet

    shares = [float(value) for value in field.gradient]
    with sheet((5, 3.4), *files) as figure:
        axis = figure.subplots()
        axis.set_title("effective receptive field")
        if len(field.shape) == 2:
            rows = [shares[start : start + field.shape[1]] for start in range(0, len(shares), field.shape[1])]
            axis.grid(visible=False)
            figure.colorbar(axis.imshow(rows, cmap="Blues", vmin=0), label=r"$\partial K/\partial t_i$")
        else:
            middle = len(shares) // 2
            # On a circle the output comes to the middle of the picture.
            places = [(i - field.centre + middle) % len(shares) - middle if field.circular else i - field.centre for i in range(len(shares))]
            axis.bar(places, shares, color=COLOURS["even"])
            axis.set_xlabel("pixel, from the output")
            axis.set_ylabel(r"$\partial K/\partial t_i$ at $t=1$")


__all__ = ["ConeLaw", "EffectiveField", "Unit", "cone_law", "draw_field", "effective_receptive_field"]
