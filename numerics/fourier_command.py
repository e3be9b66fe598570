r"""The subcommand ``symspec fourier``: the exact spectrum of a given network on a line, a polyline, a box or in space.

>>> from symspec.cli import main
>>> main(["fourier", "missing.npz", "--line", "0;1"])
2
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from symspec.command_line import Runner, json_argument, require_one_form, to_json
from symspec.errors import InputError
from symspec.progress import progress_bar

if TYPE_CHECKING:
    from sympy import Expr

    from symspec.piecewise_linear import PiecewiseLinear, Window

MAX_FREQUENCIES = 1_000_000


def fourier(parser: ArgumentParser) -> Runner:
    """The exact Fourier transform of a ReLU network from a file, on a line, a polyline, in a box or in all of space.

    NETWORK is an .npz, .safetensors or .onnx file. On a line x = origin + t direction every kink is an exact rational number, the transform a finite
    sum, and k^2 |f~(k)| at most the sum of the slope jumps, for every k. A polyline runs through its corners at t = 0, 1, 2, ... In a box
    the linear regions are exact polytopes; the network's own part of the transform and that of the boundary of the box are kept apart, and how the own part decays is decided
    in every exceptional direction. Transform: integral of f(x) exp(-i k.x) dx.

    example:
      symspec fourier net.npz --line '0,0;1,2' --frequencies 1:100 --plot spectrum.png
      symspec fourier net.safetensors --polyline '0,0;1,0;1,1;0,0' --frequencies 2pi:20pi:2pi
      symspec fourier net.onnx --box=-1:1,-1:1 --frequencies '1,0;2,3/2' --json
    """
    parser.add_argument("network", metavar="NETWORK", help="a file .npz, .safetensors or .onnx")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--line", metavar="ORIGIN;DIRECTION", help="two points, such as '0,0;1,2'")
    where.add_argument("--polyline", metavar="P;Q;...", help="corners, such as '0,0;1,0;1,1'")
    where.add_argument("--box", metavar="A:B,...", help="a side for every input, such as -1:1,-1:1 (write --box=-1:1,... where it begins with a minus)")
    where.add_argument("--space", action="store_true", help="all of space; needs --frequencies, vectors that are orthogonal to no unbounded edge of a kink")
    parser.add_argument("--frequencies", metavar="K", help="1:20, 2pi:20pi:2pi or 1,5/2,7 (ends included; default 1:20); in a box vectors such as '1,0;2,3' (default none)")
    parser.add_argument("--digits", default="20", metavar="N", help="significant digits of every value, at least (default %(default)s)")
    parser.add_argument("--output", default="0", metavar="I", help="which output of the network, from 0 on (default %(default)s)")
    parser.add_argument("--slope", default="0", metavar="A", help="slope below zero of leaky ReLU, for .npz and .safetensors (default %(default)s)")
    parser.add_argument("--budget", metavar="N", help="in a box: the most faces of all dimensions that are made")
    parser.add_argument("--plot", metavar="FILE", help="draw the spectrum with its proved envelope (.png, .pdf or .svg)")
    parser.add_argument("--latex", action="store_true", help="print LaTeX: the statement")
    json_argument(parser)
    return _fourier


def _fourier(args: Namespace) -> int:
    from symspec.exact import natural
    from symspec.network_files import load_network

    require_one_form(args)
    network = load_network(args.network, args.slope)
    output, digits = natural(args.output, "output"), natural(args.digits, "digits", 1)
    if args.box is not None:
        from .fourier_report import BoxReport

        budget = None if args.budget is None else natural(args.budget, "budget", 1)
        with progress_bar("linear regions"):
            regions = network.linear_regions(parse_box(args.box), output, budget)
        vectors = [] if args.frequencies is None else parse_points(args.frequencies, "frequencies")
        _show(args, BoxReport(str(network), regions, vectors, digits))
        return 0
    from .fourier_report import LineReport, SpaceReport

    if args.space:
        if args.frequencies is None:
            raise InputError("--space needs --frequencies, such as --frequencies '1,0;2,3'")
        _show(args, SpaceReport(network, output, parse_points(args.frequencies, "frequencies"), digits))
        return 0
    f: PiecewiseLinear | Window
    corners = parse_points(args.polyline, "polyline") if args.line is None else []
    if args.line is not None:
        points = parse_points(args.line, "line")
        if len(points) != 2:
            raise InputError(f"a line is origin;direction, not {len(points)} points")
    with progress_bar("kinks"):
        f = network.restrict_to_polyline(corners, output=output) if args.line is None else network.restrict_to_line(points[0], points[1], output)
    _show(args, LineReport(str(network), f, parse_frequencies(args.frequencies or "1:20"), digits))
    return 0


def _show(args: Namespace, report: Any) -> None:
    with progress_bar("transform"):
        if args.plot:
            report.draw(args.plot)
        text = to_json(report.record()) if args.json else report.statement() if args.latex else "\n".join(report.lines())
    print(text)
    if args.plot and not (args.json or args.latex):
        print(f"wrote the plot {args.plot}")


def parse_points(text: str, what: str) -> list[list[Expr]]:
    """Read ``0,0;1,2``: points apart by semicolons, coordinates by commas. InputError for anything else."""
    from symspec.exact import exact

    return [[exact(part, what) for part in point.split(",")] for point in text.split(";")]


def parse_box(text: str) -> list[tuple[Expr, Expr]]:
    """Read ``-1:1,0:2``. InputError for anything else."""
    from symspec.exact import exact

    sides = []
    for side in text.split(","):
        low, colon, high = side.partition(":")
        if not colon:
            raise InputError(f"box {text[:40]!r} is not understood; write a side low:high for every input, such as -1:1,-1:1")
        sides.append((exact(low, "box"), exact(high, "box")))
    return sides


def parse_frequencies(text: str) -> list[Expr]:
    """Read ``1:20``, ``2pi:20pi:2pi`` (start:stop:step, ends included) or a comma list of these. InputError for anything else.

    >>> parse_frequencies("1/2:2:1/2,2pi")
    [1/2, 1, 3/2, 2, 2*pi]
    """
    from sympy import floor

    found: list[Expr] = []
    for part in text.split(","):
        numbers = [_number(piece) for piece in part.split(":")]
        start, stop, step = numbers[0], numbers[min(1, len(numbers) - 1)], numbers[2] if len(numbers) == 3 else _unit(numbers[0])
        if len(numbers) > 3 or step <= 0 or stop < start:
            raise InputError(f"frequencies {part.strip()[:40]!r} are not understood; write 3/2, 1:20 or 2pi:20pi:2pi (start:stop:step)")
        count = int(floor((stop - start) / step)) + 1
        if len(found) + count > MAX_FREQUENCIES:
            raise InputError(f"frequencies {text[:40]!r} are more than {MAX_FREQUENCIES}")
        found += [start + i * step for i in range(count)]
    return found


def _number(text: str) -> Expr:
    """An exact number, or one times pi."""
    from sympy import Integer, pi

    from symspec.exact import exact

    stripped = text.strip()
    if not stripped.endswith("pi"):
        return exact(stripped, "frequency")
    factor = stripped[:-2]
    return (exact(factor, "frequency") if factor else Integer(1)) * pi


def _unit(start: Expr) -> Expr:
    from sympy import Integer, pi

    return pi if start.has(pi) else Integer(1)


__all__ = ["fourier", "parse_box", "parse_frequencies", "parse_points"]
