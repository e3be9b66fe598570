r"""The subcommand ``symspec certify``: bounds of the eigenvalues of every degree, and the file that proves them.

>>> from symspec.cli import main
>>> main(["certify", "relu", "--depth", "2", "--kernel", "ck", "--domain", "sphere:3"])
CK of relu network of depth 2 on the sphere in R^3 (uniform probability measure):
0.107 <= k^5 mu_k <= 1.55 for every k >= 1
  0.674 <= k^5 mu_k <= 1.55 for even k >= 2
  0.684 <= k^5 mu_k <= 1.55 for even k >= 6
  1.08 <= k^5 mu_k <= 1.21 for even k >= 27
  1.18 <= k^5 mu_k <= 1.2 for even k >= 252
  k^5 mu_k tends to 1.1936621 along even k
  0.107 <= k^5 mu_k <= 0.993 for odd k >= 1
  0.371 <= k^5 mu_k <= 0.993 for odd k >= 6
  0.651 <= k^5 mu_k <= 0.723 for odd k >= 27
  0.709 <= k^5 mu_k <= 0.717 for odd k >= 252
  k^5 mu_k tends to 0.71619724 along odd k
remainder ||L^4 r|| <= 151 with singular terms up to s^7; single eigenvalues enclosed below degree 6
0
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from symspec.command_line import Runner, domain_argument, domain_from, json_argument, kernel_from, network_arguments, to_json, write_text
from symspec.errors import InputError

if TYPE_CHECKING:
    from .certificates import Certificate
    from .geometric_bounds import GeometricCertificate


def certify(parser: ArgumentParser) -> Runner:
    """Bounds lower <= k^e mu_k <= upper that hold for every degree, even and odd degrees apart, with their proof.

    The exponent and the limits are those of the decay law; the bounds are proved by ball
    arithmetic. Narrower bounds are given from higher degrees on. A smooth kernel is bounded by
    a geometric sequence. The file written with -o holds every number of the proof;
    symspec verify checks it with code of its own.

    example:
      symspec certify relu --depth 3 --kernel ntk --domain sphere:10 -o ntk.json
      symspec certify "Max(x,0) + x**2/10" --depth 2 --kernel ck --domain circle --document proof.tex
    """
    network_arguments(parser)
    domain_argument(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write the certificate to this file (JSON)")
    parser.add_argument("--document", metavar="FILE", help="write the theorem and its proof as a LaTeX document")
    json_argument(parser)
    return _certify


def _certify(args: Namespace) -> int:
    from symspec.progress import progress_bar

    from .certification import certify as prove

    domain, kernel = domain_from(args), kernel_from(args)
    if args.output and args.output == args.document:
        raise InputError("the certificate and the document need different files")
    with progress_bar("orders of the expansion") as progress:
        found = prove(kernel, domain, progress=progress)
    if args.output:
        found.save(args.output)
    if args.document:
        write_text(args.document, proof_document(found))
    if args.json:
        print(to_json(found.record()))
    else:
        print(found)
        print("\n".join(details(found)), end="")
        for kind, file in (("certificate", args.output), ("document", args.document)):
            if file:
                print(f"wrote the {kind} {file}")
    return 0


def details(found: Certificate | GeometricCertificate) -> list[str]:
    """The bands and the numbers of the proof, one a line; the last entry ends the last line."""
    from .certificate_text import parity_lines, short
    from .certificates import Certificate

    if not isinstance(found, Certificate):
        return [""]
    e = found.expansion
    summary = f"remainder ||L^{e.m} r|| <= {short(e.remainder, up=True)} with singular terms up to s^{e.J}; single eigenvalues enclosed below degree {found.cut}"
    return [*(f"  {line}" for line in parity_lines(found)), summary, ""]


def proof_document(found: Certificate | GeometricCertificate) -> str:
    """A LaTeX document with the theorem and its proof."""
    from symspec.latex import document, escape

    body = [r"\newtheorem*{bounds}{Theorem}", r"\begin{bounds}", found.statement(), r"\end{bounds}", r"\begin{proof}", found.proof(), r"\end{proof}"]
    return document(f"Eigenvalues of the {escape(found.kernel.name)}", "\n".join(body))


__all__ = ["certify", "details", "proof_document"]
