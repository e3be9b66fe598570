r"""The subcommand ``symspec layers``: what each weight layer contributes to the tangent kernel, and to learning.

>>> from symspec.cli import main
>>> main(["layers", "relu", "--depth", "2", "--domain", "sphere:3", "--degrees", "1:3", "--digits", "6", "--dominance"])
relu network of depth 2 on sphere:3: share of each weight layer in the tangent kernel
degree  layer 1   layer 2   layer 3
1       0.339452  0.370645  0.289902
2       0.482142  0.321461  0.196396
3       0.504531  0.375245  0.120224
even    5/7       2/7       0         (limit)
odd     3/5       2/5       0         (limit)
layer 1 dominates layer 2 at every degree k >= 2 in every dimension (negative Taylor coefficients: 0, 1); here from k = 2 on
layer 2 dominates layer 3 at every degree k >= 1 in every dimension (negative Taylor coefficients: 0); here from k = 1 on
0
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from symspec.command_line import Runner, degrees_argument, degrees_from, domain_argument, domain_from, json_argument, network_arguments, network_from, to_json
from symspec.errors import InputError, SymspecError

if TYPE_CHECKING:
    from flint import arb
    from sympy import Expr

    from symspec.domain import Domain
    from symspec.layers import Architecture

    from .layer_contributions import Reduction

LONGEST_LIMIT = 18


def layers(parser: ArgumentParser) -> Runner:
    """Shares of the weight layers in the tangent kernel, degree by degree, with their limits.

    The share of a layer is its eigenvalue over that of the whole tangent kernel; shares of a
    degree add up to 1. On spheres their limits for even and odd degrees are exact. --dominance
    decides from which degree on each layer has a larger share than the next, in every
    dimension. --energies and --times say how much of the error of a target is gone after
    gradient flow, and which layer removed it.

    example:
      symspec layers relu --depth 3 --domain sphere:10 --degrees 0:20 --dominance
      symspec layers gelu --depth 2 --domain cube:128 --degrees 0:8 --energies 1:1,3:1/2 --times 10,1000
    """
    network_arguments(parser, kernel=False)
    domain_argument(parser)
    degrees_argument(parser, "0:10")
    parser.add_argument("--digits", default="8", metavar="N", help="significant digits of every share (default %(default)s)")
    parser.add_argument("--dominance", action="store_true", help="decide from which degree on each layer dominates the next")
    parser.add_argument("--energies", metavar="K:V,...", help="a target by its degree energies, such as 1:1,3:1/2")
    parser.add_argument("--times", default="1,10,100,1000", metavar="T,...", help="training times in units of 1/eigenvalue, with --energies (default %(default)s)")
    parser.add_argument("--plot", metavar="FILE", help="draw the shares (.png, .pdf or .svg)")
    json_argument(parser)
    return _layers


def parse_energies(text: str) -> dict[int, Expr]:
    """Read ``1:1,3:1/2``. InputError for anything else."""
    from symspec.exact import exact

    found: dict[int, Expr] = {}
    for part in text.split(","):
        degree, colon, value = part.partition(":")
        if not colon or not degree.strip().isdigit() or len(degree) > 9:
            raise InputError(f"energies {part.strip()[:40]!r} are not understood; write degree:energy,... such as 1:1,3:1/2")
        if int(degree) in found:
            raise InputError(f"degree {int(degree)} has two energies")
        found[int(degree)] = exact(value.strip(), "energy")
    return found


def _layers(args: Namespace) -> int:
    from symspec.exact import natural

    from .layer_contributions import error_reduction, layer_shares

    network, domain, digits = network_from(args), domain_from(args), natural(args.digits, "digits", 1)
    degrees = degrees_from(args, domain)
    rows = dict(zip(degrees, layer_shares(network, domain, degrees, digits), strict=True))
    limits = _limits(network, domain)
    decisions = _decisions(network, domain) if args.dominance else []
    reductions = [] if args.energies is None else error_reduction(network, domain, parse_energies(args.energies), args.times.split(","), digits)
    if args.plot:
        from .layer_plot import draw_shares

        draw_shares(args.plot, network, domain, rows)
    if args.json:
        print(to_json(_record(network, domain, rows, limits, decisions, reductions, digits)))
    else:
        print("\n".join([*_table(network, domain, rows, limits, digits), *(line for line, _ in decisions), *_reduction_table(reductions, digits)]))
        if args.plot:
            print(f"wrote the plot {args.plot}")
    return 0


def _limits(network: Architecture, domain: Domain) -> dict[str, tuple[Expr, ...] | None]:
    """Exact limits on spheres, nothing where there are none."""
    from symspec.layer_limits import limit_shares

    try:
        return limit_shares(network, domain)
    except SymspecError:
        return {}


def _decisions(network: Architecture, domain: Domain) -> list[tuple[str, dict[str, Any]]]:
    """A line and a record for each pair of consecutive layers."""
    from .dominance import layer_domination

    found = []
    for layer in range(1, len(network.ntk_layers)):
        names = f"layer {layer} dominates layer {layer + 1}"
        record: dict[str, Any] = {"layer": layer, "holds_from": None, "negative_coefficients": None, "holds_from_here": None, "undecided": None}
        try:
            result = layer_domination(network, layer)
        except SymspecError as error:
            found.append((f"{names}: undecided: {error}", record | {"undecided": str(error)}))
            continue
        if result.holds_from is None:
            found.append((f"{names} from no degree on in high dimension", record | {"negative_coefficients": list(result.negative)}))
            continue
        here = result.on(domain)
        negative = f" (negative Taylor coefficients: {', '.join(map(str, result.negative))})" if result.negative else ""
        line = f"{names} at every degree k >= {result.holds_from} in every dimension{negative}; here from k = {here} on"
        found.append((line, record | {"holds_from": result.holds_from, "negative_coefficients": list(result.negative), "holds_from_here": here}))
    return found


def _decimal(value: arb, digits: int) -> str:
    return "0" if value == 0 else str(value.str(digits, radius=False))


def _table(network: Architecture, domain: Domain, rows: dict[int, tuple[arb, ...] | None], limits: dict[str, tuple[Expr, ...] | None], digits: int) -> list[str]:
    count = len(network.ntk_layers)
    body = [["degree", *(f"layer {i + 1}" for i in range(count))]]
    for degree, shares in rows.items():
        body.append([str(degree), *(["-"] * count if shares is None else [_decimal(share, digits) for share in shares])])
    for parity, values in limits.items():
        if values is not None:
            texts = [str(value) for value in values]
            body.append([parity, *(text if len(text) <= LONGEST_LIMIT else f"{float(value):.{digits}g}..." for text, value in zip(texts, values, strict=True)), "(limit)"])
    widths = [max(len(line[i]) for line in body if i < len(line)) for i in range(count + 1)]
    lines = ["  ".join(cell.ljust(widths[i]) if i <= count else cell for i, cell in enumerate(line)).rstrip() for line in body]
    return [f"{network} on {domain}: share of each weight layer in the tangent kernel", *lines]


def _reduction_table(reductions: list[Reduction], digits: int) -> list[str]:
    if not reductions:
        return []
    lines = ["gradient flow: part of the error that is gone, and each layer's share in that"]
    for item in reductions:
        shares = "  ".join(_decimal(share, digits) for share in item.shares)
        lines.append(f"  t = {item.time.str(6, radius=False)}: {_decimal(item.reduced, digits)}  [{shares}]")
    return lines


def _record(
    network: Architecture,
    domain: Domain,
    rows: dict[int, tuple[arb, ...] | None],
    limits: dict[str, tuple[Expr, ...] | None],
    decisions: list[tuple[str, dict[str, Any]]],
    reductions: list[Reduction],
    digits: int,
) -> dict[str, Any]:
    from .exact_text import ball_record

    def balls(values: tuple[arb, ...]) -> list[dict[str, Any]]:
        return [ball_record(value, digits + 3) for value in values]

    return {
        "network": str(network),
        "domain": str(domain),
        "shares": [{"degree": k, "layers": None if shares is None else balls(shares)} for k, shares in rows.items()],
        "limits": {parity: None if values is None else list(values) for parity, values in limits.items()},
        "dominance": [record for _, record in decisions],
        "reduction": [{"time": ball_record(item.time, 6), "reduced": ball_record(item.reduced, digits + 3), "layers": balls(item.shares)} for item in reductions],
    }


__all__ = ["layers", "parse_energies"]
