r"""The main job on the command line: ``symspec study``.

>>> from symspec.cli import main
>>> main(["study", "relu", "--domain", "cube:0"])
2
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from numerics.commands import digits_argument
from symspec.command_line import Runner, degrees_argument, degrees_from, domain_argument, domain_from, kernel_from, network_arguments, network_from, writing_folder
from symspec.errors import MissingLibrary

from .commands import BACKENDS, whole

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

    from .study import Row, Study

NARROW, WIDE = 78, 130
OTHER_COLUMNS = 52
SHOWN_RATE_DIGITS = 20


def study(parser: ArgumentParser) -> Runner:
    """The main job: derive a kernel, certify its eigenvalues, prove its decay law, check both, write a report.

    On the cube, which has no decay law, the fractional variances of the degrees take its place.

    Prints a summary and writes a folder: study.json (every number as exact text), study.tex (for
    pdflatex), and a plot (study.png, study-plot.pdf) where matplotlib is installed. The folder
    is written completely or not at all; an older study in it is replaced.

    example:
      symspec study relu --depth 3 --kernel ntk --domain sphere:10 --degrees 0:30 --digits 40 --out study
      symspec study erf --depth 1 --kernel ck --domain circle --out erf-on-the-circle
      symspec study relu --depth 2 --domain cube:128 --out cube
    """
    network_arguments(parser)
    domain_argument(parser)
    degrees_argument(parser, "0:30")
    digits_argument(parser)
    parser.add_argument("--out", default="study", metavar="FOLDER", help="folder to write (default %(default)s)")
    parser.add_argument("--points", default="2000", metavar="N", help="random points of the Gram check; 0 leaves it out (default %(default)s)")
    parser.add_argument("--seed", default="0", metavar="S", help="seed of the random points (default %(default)s)")
    parser.add_argument("--backend", default="auto", choices=BACKENDS, help="array library of the Gram check (default %(default)s)")
    return _study


def _study(args: Namespace) -> int:
    from symspec.errors import InputError
    from symspec.exact import natural
    from symspec.progress import progress_bar

    domain, digits = domain_from(args), natural(args.digits, "digits", 1)
    degrees = degrees_from(args, domain)
    points, seed = whole(args.points, "--points"), whole(args.seed, "--seed")
    if points == 1:
        raise InputError("--points must be 0 or at least 2")

    from .study import Request, conduct
    from .study_report import MARKER, write

    network = network_from(args)
    request = Request(network, kernel_from(args, network), domain, tuple(degrees), digits, points, seed, args.backend)
    with writing_folder(args.out, MARKER) as folder:
        found = conduct(request, progress_bar)
        plot, note = _plotted(found, folder)
        write(found, folder, plot=plot)
    _print_summary(found, args.out, plot, note)
    return 0


def _plotted(found: Study, folder: Path) -> tuple[str | None, str]:
    """(name of the figure for the document, note)."""
    from .study_plot import PLOT_PDF, draw

    try:
        draw(found, folder)
    except MissingLibrary as error:
        return None, str(error)
    return PLOT_PDF, ""


def _print_summary(found: Study, out: str, plot: str | None, note: str) -> None:
    from rich.console import Console
    from rich.text import Text

    from numerics.decay_command import rate_lines

    from .study import certificate_lines

    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    request = found.request
    console.print(Text(f"{request.kernel.name} on {request.domain}", style="bold"))
    console.print(_table(found.rows, request.digits, console.width))
    if found.law is not None:
        for line in (found.law.summary(), *rate_lines(found.law, min(request.digits, SHOWN_RATE_DIGITS))):
            console.print(Text(f"    decay  {line}"))
    for kind, lines in certificate_lines(found).items():
        for line in lines:
            console.print(Text(f"{kind.replace('_', ' '):>9}  {line}"))
    proved = found.bounds is not None and found.bounds.description is not None
    files = "study.json, study.tex" + (", certificate.json" if proved else "") + (", study.png, study-plot.pdf" if plot else "")
    console.print(Text(f"wrote {out}: {files}"))
    if note:
        console.print(Text(note))


def _table(rows: tuple[Row, ...], digits: int, width: int) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from numerics.exact_text import decimal_ball, rounded_text

    from .study_report import RATIO_DIGITS, rounded_integer

    shown = max(6, min(digits, width - OTHER_COLUMNS))
    law = any(row.to_shifted_law is not None for row in rows)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("degree", justify="right", no_wrap=True)
    table.add_column("multiplicity", justify="right", no_wrap=True)
    table.add_column("certified eigenvalue" + ("" if shown == digits else f" ({shown} of {digits} digits)"), no_wrap=True)
    if law:
        table.add_column("to the law", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    for row in rows:
        ratio = [] if not law else ["" if row.to_shifted_law is None else decimal_ball(row.to_shifted_law, RATIO_DIGITS)[0]]
        count = str(row.multiplicity) if row.multiplicity < 10**12 else rounded_integer(row.multiplicity)
        table.add_row(str(row.degree), count, rounded_text(row.eigenvalue, shown), *ratio, decimal_ball(row.share, RATIO_DIGITS)[0])
    return table
