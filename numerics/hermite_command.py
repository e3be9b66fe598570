r"""The subcommand ``symspec hermite``: exact coefficients where there is a closed form, certified ones elsewhere.

>>> from symspec.cli import main
>>> main(["hermite", "relu", "--degrees", "0:4"])
a_0 = sqrt(2)/(2*sqrt(pi))
a_1 = 1/2
a_2 = 1/(2*sqrt(pi))
a_3 = 0
a_4 = -sqrt(3)/(12*sqrt(pi))
0
>>> main(["hermite", "silu", "--degrees", "1:4", "--digits", "12"])
a_1 = 0.5
a_2 = 0.2480851928303 +/- 7.03e-17
a_3 = 0
a_4 = -0.0378050088051311 +/- 1.42e-17
0
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from symspec.command_line import Runner, activation_argument, degrees_argument, json_argument, parse_degrees, require_one_form, to_json
from symspec.errors import NoClosedForm

from .commands import SPARE_DIGITS

if TYPE_CHECKING:
    from flint import arb
    from sympy import Expr

    from symspec.activations import Activation


def hermite(parser: ArgumentParser) -> Runner:
    """Hermite coefficients a_n = E[sigma(Z) He_n(Z)]/sqrt(n!) of an activation.

    They are exact where a closed form is known. Those of tanh, sigmoid, softplus, silu, mish and other analytic
    activations are certified: every printed interval contains the truth. With --digits all are certified.

    example:
      symspec hermite relu --degrees 0:8
      symspec hermite erf --symbolic
      symspec hermite tanh --degrees 1:9:2 --digits 50
    """
    activation_argument(parser)
    degrees_argument(parser, "0:8")
    parser.add_argument("--symbolic", action="store_true", help="give the formula in a symbolic degree n instead")
    parser.add_argument("--digits", metavar="N", help="significant digits of certified coefficients (default 40, where no closed form is known)")
    parser.add_argument("--latex", action="store_true", help="print LaTeX")
    json_argument(parser)
    return _hermite


def _hermite(args: Namespace) -> int:
    from sympy import Symbol

    from symspec.activations import activation
    from symspec.exact import natural

    require_one_form(args)
    sigma = activation(args.activation)
    found: dict[Any, Expr | arb] = {}
    digits = 40 if args.digits is None else natural(args.digits, "digits", 1)
    if args.symbolic:
        found["n"] = sigma.hermite_coefficient(Symbol("n", integer=True, nonnegative=True))
    else:
        found = _coefficients(sigma, parse_degrees(args.degrees), digits, certified=args.digits is not None)
    if args.json:
        print(to_json({"activation": str(sigma.form), "coefficients": [{"degree": key, **_record(value, digits)} for key, value in found.items()]}))
    elif args.latex:
        rows = " \\\\\n".join(rf"a_{{{key}}} &= {_latex(value, digits)}" for key, value in found.items())
        print(f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}")
    else:
        print("\n".join(f"a_{key} = {_text(value, digits)}" for key, value in found.items()))
    return 0


def _coefficients(sigma: Activation, degrees: list[int], digits: int, *, certified: bool) -> dict[Any, Expr | arb]:
    from .hermite import hermite_coefficients

    exact: dict[Any, Expr | arb] = {}
    for degree in degrees:
        try:
            value = sigma.hermite_coefficient(degree)
        except NoClosedForm:
            continue
        if not certified or value == 0:
            exact[degree] = value
    left = [degree for degree in degrees if degree not in exact]
    balls = dict(zip(left, hermite_coefficients(sigma, left, digits), strict=True)) if left else {}
    return {degree: exact[degree] if degree in exact else balls[degree] for degree in degrees}


def _is_ball(value: Any) -> bool:
    from flint import arb

    return isinstance(value, arb)


def _text(value: Any, digits: int) -> str:
    from .exact_text import ball_text

    return ball_text(value, digits + SPARE_DIGITS) if _is_ball(value) else str(value)


def _latex(value: Any, digits: int) -> str:
    from symspec.latex import tex

    return _text(value, digits).replace("+/-", r"\pm") if _is_ball(value) else tex(value)


def _record(value: Any, digits: int) -> dict[str, Any]:
    from .exact_text import ball_record

    return ball_record(value, digits + SPARE_DIGITS) if _is_ball(value) else {"value": str(value)}


__all__ = ["hermite"]
