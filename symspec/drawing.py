"""The look of every plot, and a sheet that is written completely or not at all.

matplotlib is an extra and is imported when a plot is drawn, never before.

>>> with sheet((4, 3)) as figure:
...     axis = figure.subplots()
>>> len(figure.axes)
1
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import MissingLibrary, OutputError

COLOURS = {"even": "#1f5fa8", "odd": "#d1601a"}
# Distinct in grey and for the colour-blind (Okabe and Ito 2008), the strongest first.
PALETTE = ("#1f5fa8", "#d1601a", "#2a8a5f", "#c7448e", "#e0a020", "#57b4e0", "#6b5fb0", "#555555")
GREY = "#555555"
DASHES = (0, (4, 3))
STYLE = {
    "font.family": "serif",
    "mathtext.fontset": "cm",
    "font.size": 10,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
}


def require_matplotlib() -> None:
    """Raise MissingLibrary where there is no matplotlib."""
    try:
        import matplotlib as _  # noqa: F401
    except ImportError:
        raise MissingLibrary("no plot: matplotlib is not installed; python -m pip install 'symspec[plot]' brings it") from None


@contextmanager
def sheet(size: tuple[float, float], *files: str | os.PathLike[str]) -> Iterator[Any]:
    """A matplotlib figure of a size in inches in the project's style, saved to the files (PNG, PDF, SVG by their endings) at the end.

    Raises MissingLibrary without matplotlib, OutputError where a file cannot be written or its ending is not known.
    """
    require_matplotlib()
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # matplotlib's own fonts carry dates that its font library remarks upon.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        for file in files:
            _save(figure, Path(file))


def _save(figure: Any, path: Path) -> None:
    if path.suffix not in (".png", ".pdf", ".svg"):
        raise OutputError(f"a plot is written as .png, .pdf or .svg, not as {path.name}")
    # A date would make two runs differ.
    metadata = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(path.suffix)
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        figure.savefig(draft, metadata=metadata)
        draft.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)


__all__ = ["COLOURS", "DASHES", "GREY", "PALETTE", "STYLE", "require_matplotlib", "sheet"]
