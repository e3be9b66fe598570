r"""The subcommand ``symspec decay``: the theorem about large degrees.

>>> from symspec.cli import main
>>> main(["decay", "relu", "--domain", "cube:3"])
2
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from .command_line import Runner, domain_argument, domain_from, json_argument, kernel_from, network_arguments, to_json
from .errors import InputError

if TYPE_CHECKING:
    from .decay_law import DecayLaw


def decay(parser: ArgumentParser) -> Runner:
    """The decay law of the eigenvalues of a kernel: exponent, exact constants, statement and derivation.

    A kernel that is singular at correlation +-1 has eigenvalues like C k^-e, with one constant
    for even and one for odd degrees; a smooth one has a geometric rate r, eigenvalues like r^-k,
    or decays faster than every geometric rate.

    example:
      symspec decay relu --depth 3 --kernel ntk --domain sphere:10
      symspec decay relu --depth 2 --kernel ck --domain circle --latex
    """
    network_arguments(parser)
    domain_argument(parser)
    parser.add_argument("--latex", action="store_true", help="print LaTeX: the statement and its derivation")
    json_argument(parser)
    return _decay


def _decay(args: Namespace) -> int:
    from .decay_law import decay as law_of

    if args.json and args.latex:
        raise InputError("--json and --latex exclude each other; the JSON holds the LaTeX too")
    domain = domain_from(args)
    kernel = kernel_from(args)
    law = law_of(kernel, domain)
    if args.latex:
        print(law.statement())
        print()
        print(law.proof())
    elif args.json:
        print(to_json({"kernel": kernel.name, "domain": str(domain)} | law_record(law)))
    else:
        print(f"{kernel.name} on {domain}")
        print(law.summary())
    return 0


def law_record(law: DecayLaw) -> dict[str, Any]:
    """The law as exact text, for JSON."""
    record: dict[str, Any] = {"kind": law.kind, "summary": law.summary()}
    if law.kind == "power":
        record["terms"] = {parity: None if term is None else {"exponent": str(term.exponent), "constant": str(term.constant), "nu": str(term.nu)} for parity, term in law.terms.items()}
        record["names"] = {str(name): str(value) for name, value in law.names.items()}
    if law.kind == "geometric" and law.radius is not None:
        record |= {"first_singularity": str(law.radius), "rate": str(law.rate)}
    return record | {"statement_latex": law.statement(), "proof_latex": law.proof()}


__all__ = ["decay", "law_record"]
