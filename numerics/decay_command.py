r"""The subcommand ``symspec decay``: the theorem about large degrees.

>>> from symspec.cli import main
>>> main(["decay", "relu", "--domain", "cube:3"])
2
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from symspec.command_line import Runner, domain_argument, domain_from, json_argument, kernel_from, network_arguments, require_one_form, to_json
from symspec.errors import Undecided

from .commands import SPARE_DIGITS

if TYPE_CHECKING:
    from symspec.decay_law import DecayLaw


def decay(parser: ArgumentParser) -> Runner:
    """The decay law of the eigenvalues of a kernel: exponent, exact constants, statement and derivation.

    A kernel that is singular at correlation +-1 has eigenvalues like C k^-e, with one constant
    for even and one for odd degrees; a smooth one has a geometric rate r, eigenvalues like r^-k,
    or decays faster than every geometric rate; tanh and its like have log(mu_k) about -c k^(2/3). A rate or c is given to the digits asked for, and exactly
    where a closed form is known.

    example:
      symspec decay relu --depth 3 --kernel ntk --domain sphere:10
      symspec decay relu --depth 2 --kernel ck --domain circle --latex
      symspec decay gelu --depth 3 --kernel ntk --domain sphere:10 --digits 50
    """
    network_arguments(parser)
    domain_argument(parser)
    parser.add_argument("--digits", default="40", metavar="N", help="significant digits of a rate, at least (default %(default)s)")
    parser.add_argument("--latex", action="store_true", help="print LaTeX: the statement and its derivation")
    json_argument(parser)
    return _decay


def _decay(args: Namespace) -> int:
    from symspec.decay_law import decay as law_of
    from symspec.exact import natural

    require_one_form(args)
    domain, digits = domain_from(args), natural(args.digits, "digits", 1)
    kernel = kernel_from(args)
    law = law_of(kernel, domain)
    if args.latex:
        print(law.statement())
        print()
        print(law.proof())
    elif args.json:
        print(to_json({"kernel": kernel.name, "domain": str(domain)} | law_record(law, digits)))
    else:
        print(f"{kernel.name} on {domain}")
        print("\n".join([law.summary(), *rate_lines(law, digits)]))
    return 0


def rate_lines(law: DecayLaw, digits: int) -> list[str]:
    """The values of a geometric or stretched exponential law as text."""
    if law.stretch is not None:
        return _stretch_lines(law, digits)
    if law.singularity is None:
        return []
    from . import decay_radius, decay_rate
    from .exact_text import rounded_text

    try:
        values = {"R = ": decay_radius(law, digits), "rate r = R + sqrt(R^2 - 1) = ": decay_rate(law, digits)}
    except Undecided as error:
        return [str(error)]
    return [name + rounded_text(value, digits) for name, value in values.items()]


def _stretch_lines(law: DecayLaw, digits: int) -> list[str]:
    from . import stretch_constant
    from .exact_text import rounded_text

    assert law.stretch is not None
    if not law.stretch.height.is_finite:
        return []
    return [f"c = {rounded_text(stretch_constant(law, digits), digits)} in limsup log(mu_k)/k^(2/3) {'=' if law.stretch.attained else '<='} -c"]


def _stretch_record(law: DecayLaw, digits: int) -> dict[str, Any]:
    from . import stretch_constant
    from .exact_text import ball_record

    assert law.stretch is not None
    stretch = law.stretch
    record: dict[str, Any] = {
        "status": stretch.status,
        "attained": stretch.attained,
        "height": str(stretch.height),
        "slopes": [str(slope) for slope in stretch.slopes],
        "names": {str(name): str(value) for name, value in stretch.names.items()},
    }
    return record | ({"constant": ball_record(stretch_constant(law, digits), digits + SPARE_DIGITS)} if stretch.height.is_finite else {})


def law_record(law: DecayLaw, digits: int) -> dict[str, Any]:
    """The law as exact text, for JSON; the values of a geometric law are balls good to ``digits`` digits."""
    record: dict[str, Any] = {"kind": law.kind, "summary": law.summary()}
    if law.kind == "power":
        record["terms"] = {parity: None if term is None else {"exponent": str(term.exponent), "constant": str(term.constant), "nu": str(term.nu)} for parity, term in law.terms.items()}
        record["names"] = {str(name): str(value) for name, value in law.names.items()}
    if law.stretch is not None:
        record |= _stretch_record(law, digits)
    if law.singularity is not None:
        record |= _geometric_record(law, digits)
    return record | {"statement_latex": law.statement(), "proof_latex": law.proof()}


def _geometric_record(law: DecayLaw, digits: int) -> dict[str, Any]:
    from . import decay_radius, decay_rate
    from .exact_text import ball_record

    assert law.singularity is not None
    known = law.radius is not None
    record = {
        "first_singularity": str(law.radius) if known else None,
        "rate": str(law.rate) if known else None,
        "first_singularity_least_root_of": [str(barrier) for barrier in law.singularity.barriers],
        "recursion": {str(line.symbol): str(line.expr) for line in law.singularity.lines},
    }
    try:
        balls = {"first_singularity_ball": decay_radius(law, digits), "rate_ball": decay_rate(law, digits)}
    except Undecided as error:
        return record | {"undecided": str(error)}
    return record | {name: ball_record(value, digits + SPARE_DIGITS) for name, value in balls.items()}


__all__ = ["decay", "law_record", "rate_lines"]
