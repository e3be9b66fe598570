r"""The subcommand ``symspec optimal-depth``: at which depth a degree has its largest share on the boolean cube.

>>> from symspec.cli import main
>>> main(["optimal-depth", "relu", "--domain", "cube:10", "--max-depth", "6", "--sigma-w2", "2", "--sigma-b2", "0:1:1/2", "--degrees", "1:4", "--digits", "8"])
NTK of relu networks of depth 0 to 6 on cube:10, 3 points (sigma_w2, sigma_b2): the depth with the largest fractional variance
degree  depth  share       at (sigma_w2, sigma_b2)
1       0      1.0000000   (2, 0)
2       1      0.24064404  (2, 0)
3       6      0.11130956  (2, 0)
4       6      0.10467594  (2, 0)
0
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from symspec.command_line import Runner, activation_argument, degrees_argument, degrees_from, domain_argument, domain_from, json_argument, to_json
from symspec.errors import DomainError, InputError
from symspec.progress import progress_bar

if TYPE_CHECKING:
    from sympy import Expr

    from .optimal_depths import OptimalDepth

MAX_VALUES = 100_000


def optimal_depth(parser: ArgumentParser) -> Runner:
    """At which depth each degree has its largest share on the boolean cube, over a grid of weight and bias variances.

    The share (fractional variance) of a degree is its part of K(1). Depths are told apart by certified intervals; those that cannot be
    are printed as a tie, such as 3/4. With --file every result is written down when it is found, and the same command goes on
    where a killed one stood.

    example:
      symspec optimal-depth relu --domain cube:128 --max-depth 128 --sigma-w2 2 --sigma-b2 0:4:0.01 --degrees 1:8 --workers 2 --file relu.jsonl
      symspec optimal-depth erf --kernel ck --domain cube:128 --max-depth 128 --sigma-w2 1:5:0.1 --sigma-b2 0:4:0.1 --degrees 1:8 --workers 2 --file erf.jsonl
    """
    activation_argument(parser)
    domain_argument(parser)
    parser.add_argument("--kernel", default="ntk", choices=("ck", "ntk"), help="conjugate or tangent kernel (default %(default)s)")
    parser.add_argument("--max-depth", default="16", metavar="N", help="depths 0 to N; depth 0 is the linear network (default %(default)s)")
    parser.add_argument("--sigma-w2", default="1", metavar="W", help="weight variances: 2, start:stop:step (ends included) or a comma list (default %(default)s)")
    parser.add_argument("--sigma-b2", default="0", metavar="B", help="bias variances, likewise (default %(default)s)")
    degrees_argument(parser, "0:8")
    parser.add_argument("--digits", default="8", metavar="N", help="significant digits of the printed shares (default %(default)s)")
    parser.add_argument("--workers", default="1", metavar="N", help="processes (default %(default)s)")
    parser.add_argument("--file", metavar="FILE", help="keep the results here, and go on from those that are there")
    json_argument(parser)
    return _optimal_depth


def parse_values(text: str, what: str) -> list[Expr]:
    """Exact numbers from ``2``, ``0:4:0.01`` (both ends included where the step meets them) or a comma list of these. InputError for anything else."""
    from symspec.exact import exact

    found: list[Expr] = []
    for part in text.split(","):
        ends = [exact(number.strip(), what) for number in part.split(":")]
        if len(ends) == 1:
            found.append(ends[0])
            continue
        if len(ends) != 3 or not ends[2].is_positive or bool(ends[1] < ends[0]):
            raise InputError(f"{what} {part.strip()[:40]!r} is not understood; write a number or start:stop:step with start <= stop and step > 0")
        start, stop, step = ends
        count = int((stop - start) // step) + 1
        if count > MAX_VALUES:
            raise InputError(f"{what} {part.strip()[:40]!r} are more than {MAX_VALUES} values")
        found += [start + i * step for i in range(count)]
    return list(dict.fromkeys(found))


def _optimal_depth(args: Namespace) -> int:
    from symspec.activations import activation
    from symspec.domain import BooleanCube
    from symspec.exact import natural

    from .optimal_depths import optimal_depth as sweep

    domain = domain_from(args)
    if not isinstance(domain, BooleanCube):
        raise DomainError(f"optimal depths are found on the boolean cube, not on {domain}; use --domain cube:D")
    weights, biases = parse_values(args.sigma_w2, "sigma_w2"), parse_values(args.sigma_b2, "sigma_b2")
    if len(weights) * len(biases) > MAX_VALUES:
        raise InputError(f"the grid has {len(weights) * len(biases)} points, more than {MAX_VALUES}")
    points = [(weight, bias) for weight in weights for bias in biases]
    digits, top, workers = natural(args.digits, "digits", 1), natural(args.max_depth, "max_depth"), natural(args.workers, "workers", 1)
    sigma, degrees = activation(args.activation), degrees_from(args, domain)
    with progress_bar("points of the sweep") as progress:
        found = sweep(sigma, domain.dimension, points, top, degrees, kernel=args.kernel, file=args.file, workers=workers, progress=progress)
    title = f"{args.kernel.upper()} of {sigma.name or sigma.form} networks of depth 0 to {top} on {domain}, {len(points)} points (sigma_w2, sigma_b2)"
    if args.json:
        print(to_json({"sweep": title, "degrees": [_record(best, digits) for best in found]}))
    else:
        print("\n".join([f"{title}: the depth with the largest fractional variance", *_table(found, digits)]))
    return 0


def _table(found: list[OptimalDepth], digits: int) -> list[str]:
    rows = [("degree", "depth", "share", "at (sigma_w2, sigma_b2)")]
    for best in found:
        depth, share = "/".join(map(str, best.depths)) or "-", "0" if best.share == 0 else best.share.str(digits, radius=False)
        points = [f"({weight}, {bias})" for weight, bias in best.parameters]
        rows.append((str(best.degree), depth, share, " ".join(points[:2]) + (f" and {len(points) - 2} more" if len(points) > 2 else "")))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return ["  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3])).rstrip() for row in rows]


def _record(best: OptimalDepth, digits: int) -> dict[str, Any]:
    from .exact_text import ball_record

    candidates = [{"sigma_w2": item.parameters[0], "sigma_b2": item.parameters[1], "depth": item.depth, "share": ball_record(item.share, digits + 3)} for item in best.candidates]
    return {"degree": best.degree, "depths": list(best.depths), "tie": best.tie, "share": ball_record(best.share, digits + 3), "candidates": candidates}


__all__ = ["optimal_depth", "parse_values"]
