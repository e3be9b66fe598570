r"""The effective receptive field: which pixels an output sees, by how many paths, and what their frequencies cost.

The derivative :math:`\partial K/\partial t_i` at t = 1 of the conjugate kernel is the number of paths from pixel i to the output, each
weighted by the slopes it passes; for the normalised ReLU network with filters of size q and depth L it is the number of paths over
:math:`q^L`, the coefficient of :math:`z^i` in :math:`(\sum_oz^o)^L/q^L`.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> effective_receptive_field(cnn(relu, 2, 3, 8)).paths
(3, 2, 1, 0, 0, 0, 1, 2)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, S

from .cone_units import units_at
from .errors import InputError, NoClosedForm
from .receptive_cones import cone_law


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
    levels = units_at(program, 1)
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
    from .drawing import sheet

    with sheet((5, 3.4), *files) as figure:
        axis = figure.subplots()
        axis.set_title("effective receptive field")
        draw_shares(field, figure, axis)


def draw_shares(field: EffectiveField, figure: Any, axis: Any) -> None:
    """The shares on given axes of a figure."""
    from .drawing import COLOURS

    shares = [float(value) for value in field.gradient]
    if len(field.shape) == 2:
        rows = [shares[start : start + field.shape[1]] for start in range(0, len(shares), field.shape[1])]
        axis.grid(visible=False)
        figure.colorbar(axis.imshow(rows, cmap="Blues", vmin=0), label=r"$\partial K/\partial t_i$")
        return
    middle = (len(shares) - 1) // 2
    # On a circle the output comes to the middle of the picture.
    places = [(i - field.centre + middle) % len(shares) - middle if field.circular else i - field.centre for i in range(len(shares))]
    axis.bar(places, shares, color=COLOURS["even"])
    if len(shares) < 12:
        axis.set_xticks(sorted(places))
    axis.set_xlabel("pixel, from the output")
    axis.set_ylabel(r"$\partial K/\partial t_i$ at $t=1$")


__all__ = ["EffectiveField", "draw_field", "draw_shares", "effective_receptive_field"]
