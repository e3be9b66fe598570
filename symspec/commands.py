r"""The subcommands of the exact storey: ``derive``, ``expansion`` and ``repl``.

>>> from symspec.cli import main
>>> main(["expansion", "relu", "--depth", "1", "--kernel", "ck"])
K = CK of relu network of depth 1, s = sqrt((1 - rho)/2)
K = 1 - 2*s**2 + 8*s**3/(3*pi) + O(s**4)
0
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .command_line import Runner, json_argument, kernel_from, network_arguments, network_from, require_one_form, to_json

if TYPE_CHECKING:
    from sympy import Expr

    from .kernel import Kernel


def derive(parser: ArgumentParser) -> Runner:
    """Derive the exact kernel of a network: the recursion line by line, and the closed form where it is short.

    The program is written with theta_0 = arccos(rho), the angle of the two inputs;
    archav(w) = arccos(1 - 2w) is the angle whose haversine is w. Kernels of convolutional networks are
    functions of the correlations t[i,j] = <x_i, z_j> of the pixels; of each network the receptive field is given, too.

    example:
      symspec derive relu --depth 2 --kernel ntk --rho 1/2
      symspec derive 'x*exp(-x**2)' --depth 1 --kernel ck --latex
      symspec derive relu --depth 2 --network cnn:2,3,pointwise --kernel ck --rho 1/2,0,1
      symspec derive relu --depth 2 --network cnn:2,2,pointwise --kernel ck --channels 3
    """
    network_arguments(parser, images=True)
    parser.add_argument(
        "--rho", metavar="R", help="also give the exact value at this correlation, such as 1/2 or 0.25; for images one a pixel, such as 1/2,0,1, or the rows of the matrix, such as '1,0;0,1'"
    )
    parser.add_argument("--channels", metavar="C", help="for images, also the law of the eigenvalues along rays of multi-indices, on pixels on the sphere in R^C")
    parser.add_argument("--latex", action="store_true", help="print LaTeX: the network's recursion and the kernel")
    json_argument(parser)
    return _derive


def _derive(args: Namespace) -> int:
    from .errors import InputError
    from .pixel_kernel import PixelKernel

    require_one_form(args)
    network = network_from(args)
    kernel = kernel_from(args, network)
    if isinstance(kernel, PixelKernel):
        from .image_text import derived

        print(derived(network, kernel, args))
        return 0
    if args.channels is not None:
        raise InputError("--channels belongs to convolutional networks (--network cnn:...), whose eigenvalues have multi-indices")
    if args.latex:
        print("\n\n".join([network.latex(), f"\\[ {kernel.latex()} \\]"]))
        return 0
    value = None if args.rho is None else kernel(args.rho)
    record = _record(kernel, args.rho, value)
    print(to_json(record) if args.json else _text(record))
    return 0


def _record(kernel: Kernel, rho: str | None, value: Expr | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "kernel": kernel.name,
        "recursion": [{"symbol": str(line.symbol), "expression": str(line.expr)} for line in kernel.program.lines],
        "output": str(kernel.program.output),
        "closed_form": _closed_form(kernel),
        "diagonal_is_infinite": kernel.diagonal_is_infinite,
    }
    if value is not None:
        record["at"] = {"rho": str(rho), "value": str(value)}
    return record


def _closed_form(kernel: Kernel) -> str | None:
    from .latex import closed_form

    expr = closed_form(kernel)
    return None if expr is None else str(expr)


def _text(record: dict[str, Any]) -> str:
    lines = [f"K = {record['kernel']}"]
    lines += [f"{line['symbol']} = {line['expression']}" for line in record["recursion"]]
    lines.append(f"K(rho) = {record['output']}")
    if record["closed_form"] not in (None, record["output"]):
        lines.append(f"       = {record['closed_form']}")
    if record["diagonal_is_infinite"]:
        lines.append("K(1) is infinite: the activation jumps, so its derivative holds a delta")
    if "at" in record:
        lines.append(f"K({record['at']['rho']}) = {record['at']['value']}")
    return "\n".join(lines)


def expansion(parser: ArgumentParser) -> Runner:
    """The exact expansion of a kernel in half-integer powers of 1 - rho at rho = +1, or of 1 + rho at rho = -1.

    The variable is s = sqrt((1 - rho)/2), or sqrt((1 + rho)/2) at rho = -1. Its powers that are
    not even decide how fast the eigenvalues decay. Long constants get names, listed below.

    example:
      symspec expansion relu --depth 3 --kernel ntk --end -1 --order 8
      symspec expansion gelu --depth 1 --kernel ck --json
    """
    network_arguments(parser)
    parser.add_argument("--end", default="1", metavar="R", help="the correlation +1 or -1 (default %(default)s)")
    parser.add_argument("--order", default="4", metavar="N", help="the remainder is O(s^N) (default %(default)s)")
    parser.add_argument("--latex", action="store_true", help="print LaTeX")
    json_argument(parser)
    return _expansion


def _expansion(args: Namespace) -> int:
    from sympy import Rational

    from .singularity import expansion as expand

    require_one_form(args)
    kernel = kernel_from(args)
    found = expand(kernel, args.end, args.order)
    terms = [{"power": str(Rational(j, found.root)), "coefficient": str(value)} for j, value in sorted(found.series.terms.items())]
    names = {str(name): str(value) for name, value in found.used_names().items()}
    if args.json:
        print(to_json({"kernel": kernel.name, "end": found.end, "order": str(found.order), "terms": terms, "names": names, "latex": found.latex()}))
    elif args.latex:
        print(found.latex())
    else:
        sign = "-" if found.end > 0 else "+"
        print(f"K = {kernel.name}, s = sqrt((1 {sign} rho)/2)\nK = {found}")
        print("".join(f"{name} = {value}\n" for name, value in names.items()), end="")
    return 0


def repl(parser: ArgumentParser) -> Runner:
    """Open a Python prompt (IPython where it is installed) with everything imported.

    There are: all names of symspec, sympy, the storeys numerics and gpu where they can be
    imported, and the symbols rho, k, d, n.

    example:
      symspec repl
      mlp(relu, 2).ntk          (typed at the prompt)
    """
    parser.add_argument("--plain", action="store_true", help="the standard Python prompt even where IPython is installed")
    return _repl


BANNER = """symspec {version}: {storeys}

  net = mlp(relu, 3)                      net.ck, net.ntk, net.ntk_layers
  gelu.dual(rho), gelu.hermite_coefficient(4)
  f = activation("x*exp(-x**2)")          f.dual(rho), f.parity
  eigenvalue(mlp(relu, 1).ck, Sphere(d), k)
  decay(net.ntk, Sphere(10)).constant("even")

symbols: rho (real), k, d, n (nonnegative integers).  help(name) explains; exit() leaves."""


def _repl(args: Namespace) -> int:
    names = namespace()
    storeys = ", ".join(name for name in ("symspec", *_upper_storeys()) if name in names)
    banner = BANNER.format(version=names["symspec"].__version__, storeys=storeys)
    if args.plain or not _ipython(names, banner):
        _plain(names, banner)
    return 0


def namespace() -> dict[str, Any]:
    """What the prompt opens with."""
    import sympy

    import symspec

    names: dict[str, Any] = {"sympy": sympy, "symspec": symspec, "ss": symspec, "Rational": sympy.Rational, "pi": sympy.pi}
    for name in symspec.__all__:
        names[name] = getattr(symspec, name)
    names["rho"] = sympy.Symbol("rho", real=True)
    names |= {name: sympy.Symbol(name, integer=True, nonnegative=True) for name in "kdn"}
    for storey in _upper_storeys():
        try:
            names[storey] = import_module(storey)
        except ImportError as error:
            print(f"{storey} is not available: {error}")
    return names


def _upper_storeys() -> list[str]:
    """The packages that registered subcommands, this one apart."""
    from .cli import registered

    packages = (where.partition(":")[0].partition(".")[0] for where in registered().values())
    return list(dict.fromkeys(name for name in packages if name != "symspec"))


def _ipython(names: dict[str, Any], banner: str) -> bool:
    try:
        from IPython.terminal.embed import InteractiveShellEmbed
    except ImportError:
        return False
    from sympy import init_printing

    shell = InteractiveShellEmbed(banner1=banner, user_ns=names)
    init_printing(ip=shell, use_latex=False)
    shell()
    return True


def _plain(names: dict[str, Any], banner: str) -> None:
    import code
    import sys

    from sympy import init_printing

    before = sys.displayhook
    init_printing(pretty_print=True)
    try:
        code.interact(banner=banner, local=names, exitmsg="")
    finally:
        sys.displayhook = before


__all__ = ["derive", "expansion", "namespace", "repl"]
