"""``symspec study`` for convolutional networks: the folder and the summary."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from symspec.command_line import writing_folder
from symspec.errors import MissingLibrary

if TYPE_CHECKING:
    from rich.table import Table

    from symspec.convolution import ConvolutionalNetwork
    from symspec.pixel_kernel import PixelKernel

    from .image_study import ImageStudy

WIDE, OTHER_COLUMNS = 130, 52


def study_images(args: Namespace, network: ConvolutionalNetwork, kernel: PixelKernel, domain: Any, degrees: list[Any], digits: int, points: int, seed: int) -> int:
    """Conduct the study, write the folder, print the summary. Raises as :func:`gpu.image_study.conduct`, OutputError for the folder."""
    from symspec.progress import progress_bar

    from .image_study import ImageRequest, conduct
    from .image_study_plot import draw
    from .image_study_report import write
    from .study_plot import PLOT_PDF
    from .study_report import MARKER

    request = ImageRequest(network, kernel, domain, tuple(degrees), digits, points, seed, args.backend)
    with writing_folder(args.out, MARKER) as folder:
        found = conduct(request, progress_bar)
        plot: str | None = PLOT_PDF
        note = ""
        try:
            draw(found, folder)
        except MissingLibrary as error:
            plot, note = None, str(error)
        write(found, folder, plot=plot)
    _print_summary(found, args.out, plot, note)
    return 0


def _print_summary(found: ImageStudy, out: str, plot: str | None, note: str) -> None:
    from rich.console import Console
    from rich.text import Text

    from .image_study import guarantees

    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    console.print(Text(f"{found.request.kernel.name} on {found.request.domain}", style="bold"))
    console.print(_table(found, console.width))
    for line in () if found.law is None else found.law.summary():
        console.print(Text(f"    decay  {line}"))
    if found.bounds is not None:
        console.print(Text(f"   bounds  {found.bounds.statement()}"))
    for kind, lines in guarantees(found).items():
        for line in lines:
            console.print(Text(f"{kind.replace('_', ' '):>9}  {line}"))
    console.print(Text(f"wrote {out}: study.json, study.tex" + (", study.png, study-plot.pdf" if plot else "")))
    if note:
        console.print(Text(note))


def _table(found: ImageStudy, width: int) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from numerics.exact_text import decimal_ball, rounded_text

    from .image_study import index_text
    from .study_report import RATIO_DIGITS

    digits = found.request.digits
    shown = max(6, min(digits, width - OTHER_COLUMNS))
    columns = [("to the law", [row.to_law for row in found.rows]), ("share", [row.share for row in found.rows])]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("multi-index", justify="right", no_wrap=True)
    table.add_column("multiplicity", justify="right", no_wrap=True)
    table.add_column("certified eigenvalue" + ("" if shown == digits else f" ({shown} of {digits} digits)"), no_wrap=True)
    kept = [(name, values) for name, values in columns if any(value is not None for value in values)]
    for name, _ in kept:
        table.add_column(name, justify="right", no_wrap=True)
    for place, row in enumerate(found.rows):
        others = ["" if (value := values[place]) is None else decimal_ball(value, RATIO_DIGITS)[0] for _, values in kept]
        table.add_row(index_text(row.degree), str(row.multiplicity), rounded_text(row.eigenvalue, shown), *others)
    return table
