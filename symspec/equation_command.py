r"""The subcommand ``symspec equation``: differential equations and recurrences of an activation and of its dual.

>>> from symspec.cli import main
>>> main(["equation", "relu"])
activation   -1 + x*D kills sigma
coefficients (n - 1)*c(n) + c(n+2) = 0 for n >= 0, c(n) = E sigma(Z) He_n(Z)
dual         (-n**2 + 2*n - 1)*b(n) + (n**2 + 3*n + 2)*b(n+2) = 0 for n >= 0, dual = sum b(n) rho**n
equation     -1 + rho*D + (1 - rho**2)*D**2 maps the dual to 0
singular at  -1, 1 at most
closed form  (rho*(pi - acos(rho)) + sqrt(1 - rho**2))/(2*pi)
0
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from .command_line import Runner, activation_argument, json_argument, require_one_form, to_json

if TYPE_CHECKING:
    from .dual_equations import DualEquation


def equation(parser: ArgumentParser) -> Runner:
    """The linear differential equation of an activation, and by algebra from it that of its dual.

    Also the recurrences in between: of the Hermite coefficients, and of the power series of
    the dual. Activations of the closed class, and products and sums of erf, atan, exponentials
    and oscillations; tanh and its like satisfy no such equation.

    example:
      symspec equation relu
      symspec equation "erf(x)**2" --latex
    """
    activation_argument(parser)
    parser.add_argument("--latex", action="store_true", help="print LaTeX")
    json_argument(parser)
    return _equation


def _equation(args: Namespace) -> int:
    from .dual_equations import dual_equation

    require_one_form(args)
    found = dual_equation(args.activation)
    if args.latex:
        print(found.latex())
    elif args.json:
        print(to_json(_record(found)))
    else:
        print(found)
        print(f"singular at  {', '.join(map(str, found.singular_points)) + ' at most' if found.singular_points else 'no finite point'}")
        print(f"closed form  {found.closed_form if found.closed_form is not None else 'none known'}")
    return 0


def _record(found: DualEquation) -> dict[str, Any]:
    from .holonomic import text

    return {
        "activation": str(found.activation.form),
        "activation_equation": text(list(found.activation_equation)),
        "recurrence": found.recurrence.text("c"),
        "squared_recurrence": found.squared_recurrence.text("b"),
        "equation": text(list(found.equation), "D", "rho"),
        "right_side": {str(power): {f"b({m})": factor for m, factor in form.items()} for power, form in found.right_side.items()},
        "singular_points": list(found.singular_points),
        "closed_form": found.closed_form,
        "latex": found.latex(),
    }
