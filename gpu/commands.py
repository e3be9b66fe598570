r"""The subcommand of this storey: ``symspec gram``.

>>> from symspec.cli import main
>>> main(["gram", "relu", "--domain", "cube:0"])
2
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from symspec.command_line import Runner, degrees_argument, degrees_from, domain_argument, domain_from, json_argument, kernel_from, network_arguments, to_json
from symspec.errors import InputError
from symspec.progress import progress_bar

if TYPE_CHECKING:
    from .gram_matrix import GramReport
    from .gram_statistics import DegreeCheck

BACKENDS = ("auto", "numpy", "cupy")


def gram(parser: ArgumentParser) -> Runner:
    """Check certified eigenvalues against all pairs of random points of the domain.

    One line a degree: the mean of K times the zonal polynomial of degree k over all pairs, its exact standard error, the
    certified eigenvalue, and their distance in standard errors (z), which is of order 1.

    example:
      symspec gram relu --depth 3 --kernel ntk --domain sphere:10 --points 2000 --degrees 0:5
      symspec gram relu --depth 2 --domain cube:20
    """
    network_arguments(parser, images=True)
    domain_argument(parser)
    degrees_argument(parser, "0:5")
    parser.add_argument("--points", default="2000", metavar="N", help="number of random points (default %(default)s)")
    parser.add_argument("--seed", default="0", metavar="S", help="seed of the points; the same seed gives the same points everywhere (default %(default)s)")
    parser.add_argument("--backend", default="auto", choices=BACKENDS, help="the array library; auto takes CuPy where a device works (default %(default)s)")
    json_argument(parser)
    return _gram


def whole(text: str, option: str) -> int:
    """The value of a command-line option that is a whole number >= 0."""
    if not (text.isdigit() and text.isascii() and len(text) < 20):
        raise InputError(f"{option} must be a whole number from 0 on, not {text[:40]!r}")
    return int(text)


def _gram(args: Namespace) -> int:
    from symspec.pixel_kernel import PixelKernel

    from .backends import backend
    from .gram_matrix import gram_report
    from .gram_statistics import gram_check

    points, seed = whole(args.points, "--points"), whole(args.seed, "--seed")
    domain, kernel = domain_from(args), kernel_from(args)
    degrees = degrees_from(args, domain)
    library = backend(args.backend)
    with progress_bar("pairs of points") as progress:
        records = gram_check(kernel, domain, points=points, degrees=degrees, seed=seed, backend=library, progress=progress)
    how = _images_how(library) if isinstance(kernel, PixelKernel) else _how(gram_report(kernel, backend=library))
    if args.json:
        header = {"kernel": kernel.name, "domain": str(domain), "points": points, "seed": seed}
        print(to_json(header | how | {"degrees": [_record(record) for record in records]}))
    else:
        print("\n".join([f"{kernel.name} on {domain}, {points} points, seed {seed}", *_table(records), *(f"{key}: {value}" for key, value in how.items())]))
    return 0


def _how(report: GramReport) -> dict[str, Any]:
    bound = "none" if report.error_bound is None else f"{report.error_bound:.3g}"
    return {"backend": report.backend, "method": report.note, "evaluation_error_bound": bound}


def _images_how(library: Any) -> dict[str, Any]:
    return {"backend": library.description, "method": "direct evaluation of the recursion over pairs of positions", "evaluation_error_bound": "none"}


def _name(degree: Any) -> str:
    return ",".join(map(str, degree)) if isinstance(degree, tuple) else str(degree)


def _record(record: DegreeCheck) -> dict[str, Any]:
    return {
        "degree": list(record.degree) if isinstance(record.degree, tuple) else record.degree,
        "estimate": repr(record.estimate),
        "standard_error": repr(record.standard_error),
        "certified": record.certified.str(20, radius=True),
        "z_score": repr(record.z_score),
    }


def _table(records: list[DegreeCheck]) -> list[str]:
    lines = [f"{'degree':>6}  {'estimate':>13}  {'std. error':>10}  {'certified':>13}  {'z':>6}"]
    for record in records:
        certified = f"{float(record.certified):.6e}" if record.certified != 0 else "0"
        lines.append(f"{_name(record.degree):>6}  {record.estimate:>13.6e}  {record.standard_error:>10.2e}  {certified:>13}  {record.z_score:>6.2f}")
    return lines
