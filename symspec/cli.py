r"""The console script ``symspec``: finds the subcommands, runs one, turns errors into one line.

Exit status: 0 success; 2 bad usage or any :class:`~symspec.errors.SymspecError`, with one line
on standard error; 130 interrupted. Subcommands come from the entry-point group
``symspec.commands`` (see :mod:`symspec.command_line`), so the storeys above register theirs
without being imported here. Where the metadata is missing, as in a checkout that was never
installed, a table of the same texts stands in; it also holds the one-line summaries, so that
``symspec --help`` imports no subcommand.

>>> sorted(registered())[:3]
['certify', 'decay', 'depth-law']
>>> main(["derive", "relu", "--depth", "1", "--kernel", "ck", "--rho", "0"])
K = CK of relu network of depth 1
w_1 = theta_0*cos(theta_0)/(2*pi) - sin(theta_0)/(2*pi) - cos(theta_0)/2 + 1/2
K(rho) = 1 - 2*w_1
       = -rho*acos(rho)/pi + rho + sqrt(1 - rho**2)/pi
K(0) = 1/pi
0
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from importlib import import_module, metadata
from typing import TYPE_CHECKING, NoReturn

from . import __version__
from .errors import InputError, MissingLibrary, SymspecError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .command_line import Runner

GROUP = "symspec.commands"

# name -> (where it is, what it does)
TABLE = {
    "study": ("gpu.study_command:study", "the main job: kernel, certified eigenvalues, decay law, a written report"),
    "derive": ("symspec.commands:derive", "the exact kernel of a network: recursion, closed form, LaTeX"),
    "hermite": ("numerics.hermite_command:hermite", "Hermite coefficients of an activation, exact or certified"),
    "equation": ("symspec.equation_command:equation", "differential equations and recurrences of an activation and its dual"),
    "eigenvalues": ("numerics.commands:eigenvalues", "certified eigenvalues of a kernel"),
    "decay": ("numerics.decay_command:decay", "the decay law of the eigenvalues, with its constants and its proof"),
    "certify": ("numerics.certify_command:certify", "bounds of the eigenvalues of every degree, with a proof that can be checked"),
    "depth-law": ("symspec.depth_command:depth_law", "the decay law at symbolic depth, proved by induction over the layers"),
    "expansion": ("symspec.commands:expansion", "exact Puiseux expansions of a kernel at correlation +1 and -1"),
    "layers": ("numerics.layers_command:layers", "what each weight layer contributes to the tangent kernel, and which dominates"),
    "optimal-depth": ("numerics.optimal_depth_command:optimal_depth", "the depth at which a degree has its largest share, over a grid of variances"),
    "fourier": ("numerics.fourier_command:fourier", "the exact Fourier transform of a ReLU network from a file"),
    "verify": ("numerics.verify_command:verify", "prove a certificate again, independently of the program that wrote it"),
    "gram": ("gpu.commands:gram", "Gram matrices, and certified eigenvalues checked against random points"),
    "repl": ("symspec.commands:repl", "a Python prompt with everything imported"),
}


class OneLineParser(ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError instead of printing the usage."""
        raise InputError(f"{message} (see {self.prog} --help)")


def registered() -> dict[str, str]:
    """Subcommand -> "module:function", in the order of the help."""
    found = {name: where for name, (where, _) in TABLE.items()}
    found.update({entry.name: entry.value for entry in metadata.entry_points(group=GROUP)})
    return found


def _load(name: str, where: str) -> Callable[[ArgumentParser], Runner]:
    module, _, function = where.partition(":")
    try:
        return getattr(import_module(module), function)
    except ImportError as error:
        raise MissingLibrary(f"the subcommand {name} cannot be loaded: {error}") from None
    except AttributeError:
        raise MissingLibrary(f"the subcommand {name} cannot be loaded: {module} has no {function}") from None


def _summary(name: str, where: str) -> str:
    if name in TABLE:
        return TABLE[name][1]
    return (_load(name, where).__doc__ or "").strip().partition("\n")[0]


def _overview(commands: dict[str, str]) -> str:
    width = max(map(len, commands)) + 2
    lines = [f"  {name:{width}}{_summary(name, where)}" for name, where in commands.items()]
    return "\n".join(["commands:", *lines, "", "symspec COMMAND --help explains one command with an example."])


def _top(commands: dict[str, str]) -> OneLineParser:
    parser = OneLineParser(
        prog="symspec",
        description="Exact kernels of infinitely wide networks, their certified eigenvalues and proved decay laws.",
        epilog=_overview(commands),
        formatter_class=RawDescriptionHelpFormatter,
        add_help=True,
    )
    parser.add_argument("--version", action="version", version=f"symspec {__version__}")
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="one of the commands below")
    return parser


def _run(arguments: Sequence[str]) -> int:
    commands = registered()
    if not arguments or arguments[0].startswith("-"):
        top = _top(commands)
        if top.parse_args(list(arguments)).command is None:
            raise InputError(f"a command is needed: {', '.join(commands)} (see symspec --help)")
    name = arguments[0]
    if name not in commands:
        raise InputError(f"there is no command {name[:40]!r}; choose from {', '.join(commands)} (see symspec --help)")
    configure = _load(name, commands[name])
    parser = OneLineParser(prog=f"symspec {name}", description=_description(configure.__doc__), formatter_class=RawDescriptionHelpFormatter)
    runner = configure(parser)
    return runner(parser.parse_args(_negative_values_joined(arguments[1:]))) or 0


def _negative_values_joined(arguments: Sequence[str]) -> list[str]:
    """``--rho -1/2`` as ``--rho=-1/2``: argparse takes -1/2 for an option."""
    joined: list[str] = []
    for argument in arguments:
        previous = joined[-1] if joined else ""
        if argument[:1] == "-" and argument[1:2].isdigit() and previous.startswith("--") and "=" not in previous and previous != "--":
            joined[-1] = f"{previous}={argument}"
        else:
            joined.append(argument)
    return joined


def _description(docstring: str | None) -> str:
    from inspect import cleandoc

    return cleandoc(docstring or "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except SymspecError as error:
        print(f"symspec: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        print("symspec: interrupted", file=sys.stderr)  # noqa: T201
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (a pager was closed). Python would complain at exit
        # when it flushes what is left, so that goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
