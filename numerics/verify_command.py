r"""The subcommand ``symspec verify``: a certificate, proved again.

>>> from symspec.cli import main
>>> main(["verify", "no such file"])
1
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from symspec.command_line import Runner, json_argument, to_json


def verify(parser: ArgumentParser) -> Runner:
    """Prove a certificate of eigenvalue bounds again, independently of the program that wrote it.

    The file states bounds for every degree and carries the data of their proof (docs/certificates.md).
    Of these only the description of the kernel and the claim are taken as given; everything else
    is recomputed. Prints what was proved, with exit status 0, or one line that names the step
    that failed, with exit status 1.

    example:
      symspec verify certificate.json
      symspec verify certificate.json --json
    """
    parser.add_argument("file", metavar="FILE", help="a certificate, as written by numerics.certify")
    json_argument(parser)
    return _verify


def _verify(args: Namespace) -> int:
    from symspec.errors import CertificateError

    from .verifier import verify as proved

    try:
        result = proved(args.file)
    except CertificateError as error:
        print(f"symspec: not proved: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    print(to_json({"kernel": result.kernel, "dimension": result.dimension, "proved": list(result.statements)}) if args.json else result)
    return 0


__all__ = ["verify"]
