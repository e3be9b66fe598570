r"""The main job on the command line: ``symspec study``.

>>> from symspec.cli import main
>>> main(["study", "relu", "--domain", "cube:0"])
2
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from numerics.commands import DENSE_DIGITS, digits_argument
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
POINTS, QUICK_PIXELS = "2000", 3
IMAGE_DEGREES = "total:4"


def study(parser: ArgumentParser) -> Runner:
    """The main job: derive a kernel, certify its eigenvalues, prove its decay law, check both, write a report.

    On the cube, which has no decay law, the fractional variances of the degrees take its place. Convolutional networks are studied on
    multisphere:C,P: eigenvalues by multi-index (by default total:4), the law along rays, bounds by products.

    Prints a summary and writes a folder: study.json (every number as exact text), study.tex (for
    pdflatex), and a plot (study.png, study-plot.pdf) where matplotlib is installed. The folder
    is written completely or not at all; an older study in it is replaced.

    example:
      symspec study relu --depth 3 --kernel ntk --domain sphere:10 --degrees 0:30 --digits 40 --out study
      symspec study erf --depth 1 --kernel ck --domain circle --out erf-on-the-circle
      symspec study relu --depth 2 --domain cube:128 --out cube
      symspec study relu --depth 2 --network cnn:2,2,pointwise --domain multisphere:3,2 --degrees total:5 --out images
    """
    network_arguments(parser, images=True)
    domain_argument(parser)
    degrees_argument(parser, "0:30")
    digits_argument(parser, slow="for images what takes seconds")
    parser.add_argument("--out", default="study", metavar="FOLDER", help="folder to write (default %(default)s)")
    parser.add_argument("--points", metavar="N", help=f"random points of the Gram check; 0 leaves it out (default {POINTS}, and 0 for images of four or more pixels, where it takes minutes)")
    parser.add_argument("--seed", default="0", metavar="S", help="seed of the random points (default %(default)s)")
    parser.add_argument("--backend", default="auto", choices=BACKENDS, help="array library of the Gram check (default %(default)s)")
    return _study


def _study(args: Namespace) -> int:
    from symspec.errors import InputError
    from symspec.exact import natural
    from symspec.multisphere import MultiSphere
    from symspec.pixel_kernel import PixelKernel
    from symspec.progress import progress_bar

    domain, network = domain_from(args), network_from(args)
    kernel = kernel_from(args, network)
    if isinstance(domain, MultiSphere) and args.degrees is None:
        args.degrees = IMAGE_DEGREES
    degrees = degrees_from(args, domain)
    few = not isinstance(kernel, PixelKernel) or len(kernel.receptive_field) <= QUICK_PIXELS
    points, seed = whole(args.points or (POINTS if few else "0"), "--points"), whole(args.seed, "--seed")
    if points == 1:
        raise InputError("--points must be 0 or at least 2")

    if isinstance(kernel, PixelKernel):
        from .image_study import default_digits
        from .image_study_command import study_images

        digits = default_digits(kernel) if args.digits is None else natural(args.digits, "digits", 1)
        return study_images(args, network, kernel, domain, degrees, digits, points, seed)

    from .study import Request, conduct
    from .study_report import MARKER, write

    digits = natural(DENSE_DIGITS if args.digits is None else args.digits, "digits", 1)
    request = Request(network, kernel, domain, tuple(degrees), digits, points, seed, args.backend)
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
