r"""The subcommand of this storey: ``symspec eigenvalues``.

>>> from symspec.cli import main
>>> main(["eigenvalues", "relu", "--depth", "1", "--domain", "sphere:3", "--degrees", "0:3", "--digits", "12"])
NTK of relu network of depth 1 on sphere:3
degree  multiplicity  eigenvalue
     0             1  0.5 +/- 1.64e-25
     1             3  0.333333333333333 +/- 3.34e-16
     2             5  0.078125 +/- 7.32e-26
     3             7  0
0
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from symspec.command_line import Runner, degrees_argument, degrees_from, domain_argument, domain_from, json_argument, kernel_from, network_arguments, to_json

if TYPE_CHECKING:
    from flint import arb

    from symspec.domain import Domain
    from symspec.multisphere import MultiIndex, MultiSphere
    from symspec.pixel_kernel import PixelKernel

SPARE_DIGITS = 3


def eigenvalues(parser: ArgumentParser) -> Runner:
    """Certified eigenvalues of a kernel on a sphere, the boolean cube or Gaussian inputs: every printed interval contains the truth.

    Sphere and cube carry their uniform probability measure; the eigenvalue belongs to one harmonic
    (on the cube to one product of k coordinates), of which a degree has as many as the multiplicity says. A plain 0 is exact. With --json the
    midpoint and the radius are also given as exact integers times powers of two. Under Gaussian inputs a kernel that is not homogeneous
    in the lengths has many eigenvalues in each degree; the largest is printed. A global average pool under zero padding has a block of
    eigenvalues for each multi-index with its translates inside the image.

    example:
      symspec eigenvalues relu --depth 3 --kernel ntk --domain sphere:10 --degrees 0:30 --digits 40
      symspec eigenvalues erf --depth 2 --kernel ck --domain circle --degrees 1:99:2 --json
      symspec eigenvalues relu --depth 2 --domain cube:128
      symspec eigenvalues erf --sigma-w2 2 --sigma-b2 1 --domain gaussian:20 --degrees 0:3
      symspec eigenvalues relu --depth 2 --network cnn:2,2,pointwise --domain multisphere:3,2 --degrees "2,2;2,0" --digits 20
      symspec eigenvalues gelu --depth 1 --network cnn:2,2,gap,zero --kernel ck --domain multisphere:3,2 --degrees "2,0;1,1" --digits 8
    """
    network_arguments(parser, images=True)
    domain_argument(parser)
    degrees_argument(parser, "0:10")
    digits_argument(parser, slow="under Gaussian inputs 10 for kernels with many eigenvalues in a degree, 8 for blocks")
    json_argument(parser)
    return _eigenvalues


DENSE_DIGITS, LENGTH_DIGITS, BLOCK_DIGITS = "40", "10", "8"


def digits_argument(parser: ArgumentParser, *, slow: str = "") -> None:
    """Add ``--digits``; where ``slow`` names other defaults it is None if it is not given."""
    default = f"{DENSE_DIGITS}, {slow}" if slow else DENSE_DIGITS
    parser.add_argument("--digits", default=None if slow else DENSE_DIGITS, metavar="N", help=f"significant digits of every eigenvalue, at least (default {default})")


def _eigenvalues(args: Namespace) -> int:
    from symspec.exact import natural
    from symspec.kernel import Kernel
    from symspec.multisphere import MultiSphere
    from symspec.pixel_kernel import PixelKernel
    from symspec.progress import progress_bar

    from .multisphere import is_padded_pool
    from .spectrum import eigenvalues as certified, has_one_eigenvalue

    domain, kernel = domain_from(args), kernel_from(args)
    if isinstance(domain, MultiSphere) and isinstance(kernel, PixelKernel) and is_padded_pool(kernel):
        return _blocks(args, domain, kernel)
    several = isinstance(kernel, Kernel) and not has_one_eigenvalue(kernel, domain)
    digits = natural(args.digits or (LENGTH_DIGITS if several else DENSE_DIGITS), "digits", 1)
    degrees = degrees_from(args, domain)
    with progress_bar("eigenvalues") as progress:
        values = certified(kernel, domain, degrees, digits, progress=progress)
    if args.json:
        header = {"kernel": kernel.name, "domain": str(domain), "digits": digits}
        print(to_json(header | {"eigenvalues": [_record(k, v, domain, digits) for k, v in zip(degrees, values, strict=True)]}))
    else:
        title = f"{kernel.name} on {domain}" + (", largest eigenvalue of each degree" if several else "")
        print("\n".join([title, *_table(degrees, values, domain, digits)]))
    return 0


def _blocks(args: Namespace, domain: MultiSphere, kernel: PixelKernel) -> int:
    """The eigenvalues of a global average pool under zero padding, a block of translates after another."""
    from symspec.exact import natural
    from symspec.progress import progress_bar

    from .exact_text import ball_record, ball_text
    from .pool_blocks import block_eigenvalues, require_padded_pool, translates

    network, digits = require_padded_pool(kernel), natural(args.digits or BLOCK_DIGITS, "digits", 1)
    blocks: dict[tuple[MultiIndex, ...], list[arb]] = {}
    wanted = list(dict.fromkeys(tuple(translates(network, index)) for index in degrees_from(args, domain)))
    with progress_bar("eigenvalues") as progress:
        for place, block in enumerate(wanted):
            blocks[block] = block_eigenvalues(kernel, domain, block[0], digits)
            progress(place + 1, len(wanted))
    if args.json:
        records = [
            {
                "translates": [list(index) for index in block],
                "multiplicity": str(domain.multiplicity(block[0])),
                "eigenvalues": [ball_record(value, digits + SPARE_DIGITS) for value in values],
            }
            for block, values in blocks.items()
        ]
        print(to_json({"kernel": kernel.name, "domain": str(domain), "digits": digits, "blocks": records}))
        return 0
    lines = [f"{kernel.name} on {domain}", "the pool mixes a multi-index with its translates inside the image: as many eigenvalues as translates, each of the multiplicity given"]
    for block, values in blocks.items():
        lines.append(f"translates {'; '.join(','.join(map(str, index)) for index in block)}, multiplicity {domain.multiplicity(block[0])}")
        lines += [f"  {ball_text(value, digits + SPARE_DIGITS)}" for value in values]
    print("\n".join(lines))
    return 0


def _record(degree: Any, value: arb, domain: Domain, digits: int) -> dict[str, Any]:
    from .exact_text import ball_record

    return {"degree": list(degree) if isinstance(degree, tuple) else degree, "multiplicity": str(domain.multiplicity(degree)), **ball_record(value, digits + SPARE_DIGITS)}


def _table(degrees: list[Any], values: list[arb], domain: Domain, digits: int) -> list[str]:
    from .exact_text import ball_text

    counts = [str(domain.multiplicity(k)) for k in degrees]
    names = [",".join(map(str, degree)) if isinstance(degree, tuple) else str(degree) for degree in degrees]
    first, second = max(6, *map(len, names)), max(12, *map(len, counts))
    lines = [f"{'degree':>{first}}  {'multiplicity':>{second}}  eigenvalue"]
    for degree, count, value in zip(names, counts, values, strict=True):
        lines.append(f"{degree:>{first}}  {count:>{second}}  {ball_text(value, digits + SPARE_DIGITS)}")
    return lines
