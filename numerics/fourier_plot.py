r"""Plots of ``symspec fourier``: spectra with their proved envelopes, and the kinks of a network in the plane.

>>> import tempfile
>>> from symspec.relu_networks import relu_network
>>> from numerics.fourier_report import LineReport
>>> net = relu_network([([[1], [-2]], ["1/2", 1]), ([[1, 1]], [0])])
>>> with tempfile.TemporaryDirectory() as folder:
...     draw_line(f"{folder}/line.png", LineReport(str(net), net.restrict_to_line([0], [1]), range(1, 30), 10))
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy

from symspec.drawing import DASHES, GREY, PALETTE, sheet
from symspec.exact import exact
from symspec.linear_regions import LinearRegions
from symspec.piecewise_linear import PiecewiseLinear
from symspec.ray_transforms import RayTransform, ray_transform

from .constants import ball
from .precision import working_precision
from .region_transform import fourier_parts

if TYPE_CHECKING:
    from .fourier_report import BoxReport, LineReport

RAY_POINTS, RAY_DIGITS = 60, 8
MOST_MARKERS = 60


def draw_line(file: str | os.PathLike[str], report: LineReport) -> None:
    """|f~| over k, logarithmic, with the bound TV/k^2 on a whole line. Raises MissingLibrary without matplotlib, OutputError for a bad file."""
    with working_precision(64):
        frequencies = [float(ball(exact(k, "frequency"))) for k in report.frequencies]
        sizes = [float(abs(value)) for value in report.values]
    shown = [(k, size) for k, size in zip(frequencies, sizes, strict=True) if k > 0 and size > 0]
    with sheet((6.4, 4.2), file) as figure:
        axis = figure.subplots()
        marker = "o" if len(shown) <= MOST_MARKERS else ""
        axis.plot(*zip(*shown, strict=True) if shown else ([], []), color=PALETTE[0], marker=marker, markersize=3, linewidth=0.8, label=r"$|\tilde f(k)|$")
        if isinstance(report.f, PiecewiseLinear) and shown:
            total = float(report.f.total_variation)
            span = numpy.geomspace(shown[0][0], shown[-1][0], 200)
            axis.plot(span, total / span**2, color=PALETTE[1], linestyle=DASHES, label=rf"proved envelope ${total:.4g}/k^2$")
        axis.set(xscale="log", yscale="log", xlabel="frequency $k$", ylabel=r"$|\tilde f(k)|$")
        axis.set_title(f"{report.name}, {report.kinks} kinks", fontsize=10.5)
        axis.legend(fontsize=9)


def draw_box(file: str | os.PathLike[str], report: BoxReport) -> None:
    """In the plane the kinks, coloured by their jump; and the own part along a generic and the most frequent exceptional rays."""
    plane = report.regions.dimension == 2
    with sheet((9.6, 4.2) if plane else (6.4, 4.2), file) as figure:
        axes = figure.subplots(1, 2) if plane else [figure.subplots()]
        if plane:
            _kinks(figure, axes[0], report.regions)
        rays = [("generic", report.generic)]
        codimensions = sorted({space.codimension for space in report.spaces})
        for codimension in codimensions:
            space = next(space for space in report.spaces if space.codimension == codimension)
            name = "normal to a facet" if codimension == 1 else f"normal to a face of codimension {codimension}"
            rays.append((name, ray_transform(report.regions, space.sample)))
        _rays(axes[-1], report.regions, rays)
        figure.suptitle(f"{report.name}: {len(report.regions)} linear regions", fontsize=10.5)


def _kinks(figure: Any, axis: Any, regions: LinearRegions) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap, SymLogNorm

    segments = [[[float(x) for x in regions.vertices[v]] for v in facet.vertices] for facet in regions.kinks]
    jumps = numpy.array([float(facet.jump) * float(sum(n * n for n in facet.normal)) ** 0.5 for facet in regions.kinks])
    top = float(numpy.abs(jumps).max(initial=1e-300))
    colours = LinearSegmentedColormap.from_list("jump", [PALETTE[1], "#dddddd", PALETTE[0]])
    lines = LineCollection(segments, cmap=colours, norm=SymLogNorm(linthresh=top / 30, vmin=-top, vmax=top), linewidths=1.1)
    lines.set_array(jumps)
    axis.add_collection(lines)
    (left, right), (bottom, top_side) = ((float(a), float(b)) for a, b in regions.box)
    axis.set(xlim=(left, right), ylim=(bottom, top_side), xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    axis.locator_params(nbins=5)
    axis.grid(visible=False)
    figure.colorbar(lines, ax=axis, label="jump of the gradient", shrink=0.85)


def _rays(axis: Any, regions: LinearRegions, rays: list[tuple[str, RayTransform]]) -> None:
    radii = numpy.geomspace(1.0, 1e4, RAY_POINTS)
    for index, (name, law) in enumerate(rays):
        unit = [x / _length(law.direction) for x in law.direction]
        points = [[x * Fraction(float(radius)) for x in unit] for radius in radii]
        with working_precision(64):
            sizes = [float(abs(parts.interior)) for parts in fourier_parts(regions, points, RAY_DIGITS)]
        label = f"{name}: decay $|k|^{{-{law.order}}}$" if law.order else f"{name}: 0"
        axis.plot(radii, sizes, color=PALETTE[(0, 2, 3, 4)[index % 4]], linewidth=0.9, marker=".", markersize=3, label=label)
    axis.plot(radii, float(regions.total_variation) / radii**2, color=PALETTE[1], linestyle=DASHES, label="proved envelope $TV/|k|^2$")
    axis.set(xscale="log", yscale="log", xlabel="$|k|$", ylabel=r"$|\tilde f(k)|$, own part")
    axis.legend(fontsize=8, labelcolor=GREY)


def _length(direction: tuple[Fraction, ...]) -> Fraction:
    """The length of a vector, rounded to a rational: a ray is a ray at any speed."""
    largest = max(abs(x) for x in direction)
    return largest * Fraction(float(sum((x / largest) ** 2 for x in direction)) ** 0.5)


__all__ = ["draw_box", "draw_line"]
