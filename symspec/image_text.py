r"""What ``symspec derive`` prints of a convolutional network: the recursion, the receptive field, the closed form where it is short, and values.

>>> from symspec.cli import main
>>> main(["derive", "relu", "--network", "cnn:2,3", "--kernel", "ck", "--rho", "0,0,1"])
K = CK of relu convolutional network of depth 1, filter 2, 3 pixels, head eq
t[i,j] = <x_i, z_j>, pixels of norm 1; dual(C) = E sigma(u) sigma(v) for covariance C and the variances of the units
dual(rho) = (rho*(pi - acos(rho)) + sqrt(1 - rho**2))/(2*pi) for variances 1
C_1[p,q] = 1/2 * sum over o in {0,1} of t[p+o,q+o]
V_1[p,q] = dual(C_1[p,q])
K = 2 * V_1[p,q] at p = q = 0
K(t) = (sqrt(1 - (t_0 + t_1)**2/4) + (pi - acos((t_0 + t_1)/2))*(t_0 + t_1)/2)/pi, t_i = t[i,i]
receptive field: pixels 0, 1 of 3 (counted from 0); paths to the output 1, 1, 0; dK/dt_i at t = 1: 1/2, 1/2, 0
K(0,0,1) = 1/pi
0
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import sympy
from sympy import Expr

from .command_line import to_json
from .convolution import ConvolutionalNetwork
from .errors import ExpressionTooLarge, InputError
from .latex import CLOSED_FORM_NODES, TRIED_NODES, tex
from .pixel_kernel import Expressions, PixelKernel, pixel_input
from .pixel_latex import plain_head, plain_recursion
from .program import RHO, tree_size
from .receptive_cones import cone_law
from .receptive_field import effective_receptive_field
from .strip_functions import SeriesDual

WRITTEN_PAIRS = 16


def derived(network: ConvolutionalNetwork, kernel: PixelKernel, args: Namespace) -> str:
    """The text, LaTeX or JSON that the arguments ask for. Raises InputError for correlations of another shape, and as cone_law where the law is asked for."""
    law = None if args.channels is None else cone_law(kernel, args.channels)
    if args.latex:
        short = short_form(kernel)
        closed = "" if short is None else f"\n\n\\[ K(t) = {tex(short)} \\]"
        return "\n\n".join([network.latex(), f"\\[ {kernel.latex()} \\]"]) + closed + ("" if law is None else f"\n\n{law.statement()}")
    value = None if args.rho is None else kernel(correlations(args.rho, kernel))
    record = _record(network, kernel, args.rho, value)
    if law is not None:
        strata = [{"pixels": sorted(field), "exponent": exponent} for field, exponent in law.strata.items()]
        record["law"] = {"channels": law.channels, "summary": law.summary(), "strata": strata}
    return to_json(record) if args.json else _text(record)


def correlations(text: str, kernel: PixelKernel) -> list[Any]:
    """The list of the t_i or the matrix from text; a single number stands for all t_i."""
    rows: list[Any] = [row.split(",") for row in text.split(";")]
    if len(rows) > 1:
        return rows
    if not kernel.is_diagonal:
        raise InputError(f"this kernel reads the correlations of all pairs of pixels: write the {kernel.pixels} rows of the matrix, such as '1,0;0,1'")
    return rows[0] * kernel.pixels if len(rows[0]) == 1 else rows[0]


def short_form(kernel: PixelKernel) -> Expr | None:
    """K in the symbols t_0, ..., t_(P-1) (t_(i,j) for a global average pool) where it is short."""
    if len(kernel.program.levels[0]) > WRITTEN_PAIRS:
        return None
    size = kernel.pixels
    if kernel.is_diagonal:
        matrix: Any = list(sympy.symbols(f"t_:{size}", real=True))
    else:
        matrix = [[sympy.Symbol(f"t_{i}{j}" if size < 10 else f"t_{i},{j}", real=True) for j in range(size)] for i in range(size)]
    try:
        built = sympy.Mul(*(factor.run(Expressions(pixel_input(kernel, matrix))) for factor in kernel.factors))
    except ExpressionTooLarge:
        return None
    if tree_size(built) > TRIED_NODES or built.has(SeriesDual):
        return None
    value = min((sympy.factor_terms(built), sympy.factor_terms(sympy.expand(built))), key=tree_size)
    return value if tree_size(value) < CLOSED_FORM_NODES else None


def field_of(network: ConvolutionalNetwork, kernel: PixelKernel) -> dict[str, Any]:
    """The receptive field; for the head eq with paths and derivatives."""
    found: dict[str, Any] = {"pixels": list(kernel.receptive_field), "of": kernel.pixels}
    if network.head == "eq":
        field = effective_receptive_field(network)
        found |= {"paths": list(field.paths), "gradient": [str(value) for value in field.gradient]}
    return found


def _record(network: ConvolutionalNetwork, kernel: PixelKernel, rho: str | None, value: Expr | None) -> dict[str, Any]:
    short = short_form(kernel)
    dual = network.nonlinearity.dual.at(RHO)
    record: dict[str, Any] = {
        "kernel": kernel.name,
        "dual": None if dual.has(SeriesDual) else str(sympy.factor_terms(dual)),
        "recursion": [{"symbol": symbol, "expression": expression} for symbol, expression in plain_recursion(kernel)],
        "output": plain_head(kernel),
        "closed_form": None if short is None else str(short),
        "receptive_field": field_of(network, kernel),
        "diagonal": kernel.is_diagonal,
        "diagonal_is_infinite": kernel.diagonal_is_infinite,
    }
    if value is not None:
        record["at"] = {"correlations": str(rho), "value": str(value)}
    return record


def _text(record: dict[str, Any]) -> str:
    field = record["receptive_field"]
    lines = [f"K = {record['kernel']}", "t[i,j] = <x_i, z_j>, pixels of norm 1; dual(C) = E sigma(u) sigma(v) for covariance C and the variances of the units"]
    if record["dual"] is not None:
        lines.append(f"dual(rho) = {record['dual']} for variances 1")
    lines += [f"{line['symbol']} = {line['expression']}" for line in record["recursion"]]
    lines.append(f"K = {record['output']}")
    if record["closed_form"] is not None:
        lines.append(f"K(t) = {record['closed_form']}, {'t_i = t[i,i]' if record['diagonal'] else 't_ij = t[i,j]'}")
    paths = f"; paths to the output {_listed(field['paths'])}; dK/dt_i at t = 1: {_listed(field['gradient'])}" if "paths" in field else ""
    lines.append(f"receptive field: pixels {_listed(field['pixels'])} of {field['of']} (counted from 0){paths}")
    if "law" in record:
        lines.append(f"decay along rays of multi-indices, pixels on the sphere in R^{record['law']['channels']}:")
        lines += [f"  {line}" for line in record["law"]["summary"]]
    if record["diagonal_is_infinite"]:
        lines.append("K is infinite where x = z: the activation jumps, so its derivative holds a delta")
    if "at" in record:
        lines.append(f"K({record['at']['correlations']}) = {record['at']['value']}")
    return "\n".join(lines)


def _listed(values: list[Any]) -> str:
    shown = [str(value) for value in values[:24]]
    return ", ".join(shown) + (", ..." if len(values) > 24 else "")


__all__ = ["correlations", "derived", "field_of", "short_form"]
