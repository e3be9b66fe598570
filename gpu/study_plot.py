r"""The plot of a study: certified eigenvalues, even and odd degrees apart, against the proved law.

A power law is a straight line on two logarithmic axes; below it the ratios of the eigenvalues to the law, which must
tend to 1. A geometric rate is a straight line when only the eigenvalues are logarithmic; the law has no constant then, so the
line shows a slope and its height is that of the last eigenvalue. Off spheres, where there is no law, the lower panel has the
fractional variances of the degrees. The logarithms are taken in balls, because eigenvalues soon
leave the range of floats.

>>> round(log10(arb(10) ** -400), 9)
-400.0
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flint import arb

from symspec.domain import Sphere
from symspec.drawing import COLOURS, DASHES, GREY, sheet
from symspec.latex import tex

from .study import leading_terms, rate

if TYPE_CHECKING:
    from symspec.decay_law import DecayLaw

    from .study import Row, Study

PLOT_PNG, PLOT_PDF = "study.png", "study-plot.pdf"  # pdflatex study.tex makes study.pdf
MARKERS = {"even": "o", "odd": "s"}


def log10(value: arb) -> float:
    """The decimal logarithm of a positive ball's midpoint, for a plot."""
    return float(value.mid().log() / arb(10).log())


def draw(study: Study, folder: Path) -> None:
    """Write the plot as PNG and PDF. Raises MissingLibrary without matplotlib."""
    two = _is_power(study) or not _on_sphere(study)
    with sheet((6.4, 6.0 if two else 4.4), folder / PLOT_PNG, folder / PLOT_PDF) as figure:
        if _is_power(study):
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
            _power_panel(upper, study)
            _ratio_panel(lower, study)
        elif two:
            upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(1.6, 1))
            _semilog_panel(upper, study)
            upper.set_xlabel("")
            _share_panel(lower, study)
        else:
            upper = figure.subplots()
            _semilog_panel(upper, study)
        upper.set_title(_title(study), fontsize=10.5)


def _is_power(study: Study) -> bool:
    return study.law is not None and study.law.kind == "power"


def _on_sphere(study: Study) -> bool:
    return isinstance(study.request.domain, Sphere)


def _title(study: Study) -> str:
    return f"{study.request.kernel.name} on {study.request.domain.latex_name}"


def _points(rows: tuple[Row, ...], parity: str, *, from_degree: int) -> tuple[list[int], list[float]]:
    shown = [row for row in rows if row.degree % 2 == (parity == "odd") and row.eigenvalue > 0 and row.degree >= from_degree]
    return [row.degree for row in shown], [log10(row.eigenvalue) for row in shown]


def _mark(axes: Any, parity: str, x: list[int], y: list[float], *, filled: bool, label: str | None = None) -> None:
    face = COLOURS[parity] if filled else "white"
    axes.plot(x, y, linestyle="none", marker=MARKERS[parity], markersize=4.2, markerfacecolor=face, markeredgecolor=COLOURS[parity], markeredgewidth=0.9, label=label, zorder=3)


def _power_panel(axes: Any, study: Study) -> None:
    assert study.law is not None
    axes.set_xscale("log")
    shift, terms = (study.request.domain.d - 2) / 2, leading_terms(study.law)
    top = max(row.degree for row in (*study.rows, *study.further))
    grid = _grid(max(1, min(row.degree for row in study.rows)), top)
    for parity in ("even", "odd"):
        x, y = _points(study.rows, parity, from_degree=1)
        _mark(axes, parity, x, y, filled=True, label=_label(parity, study, zero=parity not in terms))
        _mark(axes, parity, *_points(study.further, parity, from_degree=1), filled=False)
        if parity not in terms:
            continue
        level, exponent, colour = log10(terms[parity].constant), float(terms[parity].exponent), COLOURS[parity]
        axes.plot(grid, [level - exponent * _log(k + shift) for k in grid], color=colour, linewidth=1.1, zorder=2)
        if shift:
            axes.plot(grid, [level - exponent * _log(k) for k in grid], color=colour, linewidth=0.9, linestyle=DASHES, zorder=1)
    power = f"-{tex(study.law.exponent)}" if len({term.exponent for term in terms.values()}) == 1 else "-e"
    if shift:
        axes.plot([], [], color=GREY, linewidth=0.9, linestyle=DASHES, label=rf"proved law $C\,k^{{{power}}}$")
    argument = f"(k+{shift:g})" if shift else "k"
    axes.plot([], [], color=GREY, linewidth=1.1, label=rf"{'the same to leading order, ' if shift else 'proved law '}$C\,{argument}^{{{power}}}$")
    if _draw_bands(axes, study, grid, relative=False):
        axes.fill_between([], [], [], color=GREY, alpha=0.25, linewidth=0, label="proved bounds for every degree")
    if study.further:
        axes.plot([], [], linestyle="none", marker="o", markersize=4.2, markerfacecolor="white", markeredgecolor=GREY, label="certified, beyond the degrees asked for")
    _finish(axes, study)


def _draw_bands(axes: Any, study: Study, grid: list[float], *, relative: bool) -> bool:
    """Shade between the bounds that hold at every degree, the narrowest that apply; ``relative`` to the law at k + (d-2)/2."""
    from numerics import Certificate

    if not isinstance(study.bounds, Certificate):
        return False
    shift, terms = (study.request.domain.d - 2) / 2, leading_terms(study.law)
    for parity, claim in study.bounds.claims.items():
        if claim.exponent is None or parity not in terms:
            continue
        exponent, level = float(terms[parity].exponent), log10(terms[parity].constant)
        for band, following in zip(claim.bands, (*claim.bands[1:], None), strict=True):
            part = [float(band.start), *(k for k in grid if k > band.start)]
            part = [k for k in part if k <= grid[-1] and (following is None or k <= following.start)]
            if following is not None and following.start <= grid[-1]:
                part.append(float(following.start))
            ends = (log10(band.lower), log10(band.upper))
            if relative:
                curves = [[10 ** (end - level + exponent * (_log(k + shift) - _log(k))) for k in part] for end in ends]
            else:
                curves = [[end - exponent * _log(k) for k in part] for end in ends]
            axes.fill_between(part, *curves, color=COLOURS[parity], alpha=0.13, linewidth=0, zorder=0)
    return True


def _ratio_panel(axes: Any, study: Study) -> None:
    rows = tuple(row for row in (*study.rows, *study.further) if row.degree >= 1)
    asked = max(row.degree for row in study.rows)
    axes.axhline(1, color=GREY, linewidth=0.8)
    top = max(row.degree for row in rows) if rows else 1
    _draw_bands(axes, study, _grid(1, top), relative=True)
    for parity in ("even", "odd"):
        shown = [row for row in rows if row.degree % 2 == (parity == "odd") and row.to_law is not None]
        for filled in (True, False):
            part = [row for row in shown if (row.degree <= asked) == filled]
            shifted = [(row.degree, float(row.to_shifted_law)) for row in part if row.to_shifted_law is not None]
            _mark(axes, parity, *(list(column) for column in (zip(*shifted, strict=True) if shifted else ((), ()))), filled=filled)
        if study.request.domain.d > 2:
            axes.plot([row.degree for row in shown], [float(row.to_law) for row in shown if row.to_law is not None], color=COLOURS[parity], linewidth=0.9, linestyle=DASHES)
    axes.set_ylim(0, _ceiling(rows))
    axes.set_ylabel(r"$\mu_k$ / law")
    axes.set_xlabel(r"degree $k$")


def _ceiling(rows: tuple[Row, ...]) -> float:
    """Room for the ratios, not for the first wild ones."""
    ratios = [float(row.to_shifted_law) for row in rows if row.to_shifted_law is not None]
    return min(3.0, 1.1 * max([1.25, *ratios]))


def _semilog_panel(axes: Any, study: Study) -> None:
    for parity in ("even", "odd"):
        x, y = _points(study.rows, parity, from_degree=0)
        _mark(axes, parity, x, y, filled=True, label=_label(parity, study, zero=not x))
    shown = [row for row in study.rows if row.eigenvalue > 0]
    known = rate(study.law)
    if study.law is not None and known is not None and len(shown) > 1:
        slope, last = log10(known), shown[-1]
        ends = [shown[0].degree, last.degree]
        axes.plot(ends, [log10(last.eigenvalue) + slope * (last.degree - k) for k in ends], color=GREY, linewidth=1.0, zorder=1, label=_rate_label(study.law, known))
    axes.set_xlabel(r"degree $k$")
    _finish(axes, study)


def _share_panel(axes: Any, study: Study) -> None:
    """Fractional variance by degree, in per cent."""
    for parity in ("even", "odd"):
        rows = [row for row in study.rows if row.degree % 2 == (parity == "odd")]
        axes.bar([row.degree for row in rows], [100 * float(row.share) for row in rows], color=COLOURS[parity], width=0.8)
    axes.set_ylabel("share of the variance, %")
    axes.set_xlabel(r"degree $k$")


def _rate_label(law: DecayLaw, value: arb) -> str:
    written = "" if law.radius is None else tex(law.rate)
    shown = rf"r={written}\approx{float(value):.5g}" if 0 < len(written) < 40 else rf"r\approx{float(value):.6g}"
    return rf"slope of the proved rate $r^{{-k}}$, ${shown}$"


def _label(parity: str, study: Study, *, zero: bool) -> str:
    zeros = [row.degree for row in study.rows if row.degree % 2 == (parity == "odd") and row.eigenvalue == 0]
    if not (zero and zeros):
        return f"certified, {parity} degrees"
    return f"certified, {parity} degrees (exactly 0 from {zeros[0]} on)"


def _finish(axes: Any, study: Study) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: rf"$10^{{{y:.0f}}}$"))
    axes.set_ylabel(r"eigenvalue $\mu_k$")
    axes.legend(loc="best", fontsize=8.5)


def _log(x: float) -> float:
    from math import log10 as decimal

    return decimal(x)


def _grid(low: int, high: int) -> list[float]:
    steps = 200
    return [low * (high / low) ** (i / steps) for i in range(steps + 1)]
