r"""The picture of the study of a convolutional network: certified eigenvalues along rays against the law, and the effective receptive field.

Without rays (more pixels than are followed) the eigenvalues are shown by total degree, one colour for each number of pixels that have a frequency.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from symspec.drawing import COLOURS, GREY, PALETTE, sheet
from symspec.receptive_field import draw_shares

from .image_study import ImageStudy, Ray
from .study_plot import PLOT_PDF, PLOT_PNG, log10


def draw(study: ImageStudy, folder: Path) -> None:
    """Write the plot as PNG and PDF. Raises MissingLibrary without matplotlib."""
    beside = study.field is not None and study.request.kernel.pixels > 1
    with sheet((8.6 if beside else 5.6, 4.2), folder / PLOT_PNG, folder / PLOT_PDF) as figure:
        if beside:
            left, right = figure.subplots(1, 2, width_ratios=(1.9, 1))
            assert study.field is not None
            draw_shares(study.field, figure, right)
            right.set_title("effective receptive field", fontsize=10)
        else:
            left = figure.subplots()
        if study.rays:
            _rays_panel(left, study)
        else:
            _degree_panel(left, study)
        figure.suptitle(_title(study), fontsize=10.5)


def _title(study: ImageStudy) -> str:
    return f"{study.request.kernel.name}\non {study.request.domain.latex_name}"


def _rays_panel(axes: Any, study: ImageStudy) -> None:
    shift = (study.request.domain.channels - 2) / 2
    axes.set_xscale("log")
    for ray, colour, marker in zip(study.rays, (COLOURS["even"], COLOURS["odd"]), "os", strict=False):
        rows = [row for row in ray.rows if row.eigenvalue > 0]
        if not rows:
            continue
        x, y = [min(row.degree[pixel] for pixel in ray.support) + shift for row in rows], [log10(row.eigenvalue) for row in rows]
        axes.plot(x, y, linestyle="none", marker=marker, markersize=4.5, color=colour, label=_label(ray))
        _law_line(axes, ray, x, y, colour)
    ticks = [row.degree[study.rays[0].support[-1]] for row in study.rays[0].rows]
    axes.set_xticks([tick + shift for tick in ticks], [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(r"frequency $k$ of each pixel of the ray")
    _finish(axes)


def _label(ray: Ray) -> str:
    pixels = ", ".join(map(str, ray.support))
    standing = "" if ray.exponent is None else rf", law $k^{{-{ray.exponent}}}$ ({'derived' if ray.checked else 'derived, not checked'})"
    return f"pixel{'s' if len(ray.support) > 1 else ''} {pixels}{standing}"


def _law_line(axes: Any, ray: Ray, x: list[float], y: list[float], colour: str) -> None:
    """The leading term where it is known; else the slope through the last eigenvalue, dashed."""
    known = [(place, level - log10(row.to_law)) for place, level, row in zip(x, y, (row for row in ray.rows if row.eigenvalue > 0), strict=True) if row.to_law is not None]
    if known:
        axes.plot([place for place, _ in known], [level for _, level in known], color=colour, linewidth=1.0, zorder=1)
    elif ray.exponent is not None:
        end = x[-1]
        axes.plot(x, [y[-1] - ray.exponent * _log(place / end) for place in x], color=colour, linewidth=0.9, linestyle="--", zorder=1)


def _log(x: float) -> float:
    from math import log10 as decimal

    return decimal(x)


def _degree_panel(axes: Any, study: ImageStudy) -> None:
    sizes = sorted({sum(1 for entry in row.degree if entry) for row in study.rows})
    for size in sizes:
        rows = [row for row in study.rows if sum(1 for entry in row.degree if entry) == size and row.eigenvalue > 0]
        colour = PALETTE[size % len(PALETTE)] if size else GREY
        axes.plot([sum(row.degree) for row in rows], [log10(row.eigenvalue) for row in rows], linestyle="none", marker="o", markersize=4.2, color=colour, label=_count(size))
    axes.set_xlabel(r"total degree $\sum k_i$")
    _finish(axes)


def _count(size: int) -> str:
    return "no frequency" if size == 0 else f"{size} pixel{'s' if size > 1 else ''} with a frequency"


def _finish(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True)) if axes.get_xscale() == "linear" else None
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: rf"$10^{{{y:.0f}}}$"))
    axes.set_ylabel(r"certified eigenvalue $\lambda_k$")
    axes.legend(loc="best", fontsize=8.5)
