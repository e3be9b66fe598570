r"""The subcommand ``symspec depth-law``: one theorem for all depths.

>>> from symspec.cli import main
>>> main(["depth-law", "relu", "--kernel", "ck", "--domain", "sphere:3", "--depth", "2"])
conjugate kernel of a relu network, every depth ell >= 1, on sphere:3
mu_k ~ 3*(ell + p_ell)/(2*pi) k^-(5), even k; mu_k ~ 3*(ell - p_ell)/(2*pi) k^-(5), odd k
p_1 = 1, p_ell = product of kappa'(b_s) for s = 1..ell-1, b_1 = 0, b_(s+1) = kappa(b_s); 0 < p_ell < 1 for ell >= 2
proved by induction: 16 coefficients and 6 identities compared
depth 2: mu_k ~ 15/(4*pi) k^-(5), even k; mu_k ~ 9/(4*pi) k^-(5), odd k
0
"""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from .command_line import Runner, json_argument, require_one_form, to_json, write_text
from .errors import InputError

if TYPE_CHECKING:
    from .depth_laws import DepthLaw, LawAtDepth

_LAYER = re.compile(r"ntk-layer:(l|\d{1,9})", re.ASCII)


def depth_law(parser: ArgumentParser) -> Runner:
    """The decay law of the eigenvalues with the depth as a symbol, proved by induction over the layers.

    For ReLU, leaky ReLU and other activations a min(x, 0) + b max(x, 0), in the normalised recursion,
    dense or residual. The dimension d is a symbol too unless --domain is given. Every coefficient
    of the proof is compared by the machine; --proof writes it as a LaTeX document.

    example:
      symspec depth-law relu --kernel ntk --depth 4
      symspec depth-law relu --kernel ntk-layer:l --proof layers.tex
      symspec depth-law 'leaky_relu(1/10)' --network resnet --alpha 1/2 --kernel ck --json
    """
    parser.add_argument("activation", help="relu, leaky_relu(1/10), 'x + abs(x)/3', ..., or slope:a for leaky ReLU with a symbol as slope")
    parser.add_argument("--network", default="mlp", choices=("mlp", "resnet"), help="fully connected, or residual blocks (default %(default)s)")
    parser.add_argument("--alpha", metavar="A", help="weight of the branch of a residual block, a positive number or the word alpha for a symbol; --network resnet needs it")
    parser.add_argument("--kernel", default="ntk", metavar="KIND", help="ck, ntk, ntk-layer:L, or ntk-layer:l for every layer from 2 to the depth (default %(default)s)")
    parser.add_argument("--domain", metavar="D", help="sphere:D or circle; without it the dimension is the symbol d")
    parser.add_argument("--depth", metavar="N", help="also give the law of this depth")
    parser.add_argument("--latex", action="store_true", help="print LaTeX: the statement and its proof")
    parser.add_argument("--proof", metavar="FILE", help="write theorem and proof as a LaTeX document")
    json_argument(parser)
    return _depth_law


def _depth_law(args: Namespace) -> int:
    require_one_form(args)
    law = _law_from(args)
    numbers = None if args.depth is None else law.at(args.depth)
    if args.proof is not None:
        write_text(args.proof, law.document())
    if args.latex:
        print(f"{law.statement()}\n\n{law.proof()}")
    elif args.json:
        print(to_json(law_record(law, numbers)))
    else:
        print("\n".join(_lines(law, numbers)))
    return 0


def _law_from(args: Namespace) -> DepthLaw:
    from sympy import Symbol

    from .depth_laws import depth_law as law_of
    from .domain import parse_domain

    if (args.network == "resnet") != (args.alpha is not None):
        raise InputError("--network resnet needs --alpha, the weight of the branch; --network mlp takes none")
    kind = args.kernel.strip().lower()
    match = _LAYER.fullmatch(kind)
    if kind not in ("ck", "ntk") and not match:
        raise InputError(f"kernel {args.kernel[:40]!r} is not known; write ck, ntk, ntk-layer:L or ntk-layer:l")
    layer = None if match is None or match.group(1) == "l" else match.group(1)
    activation: Any = Symbol("a", real=True) if args.activation.strip() == "slope:a" else args.activation
    alpha: Any = Symbol("alpha", positive=True) if args.alpha == "alpha" else args.alpha
    domain = None if args.domain is None else parse_domain(args.domain)
    return law_of(activation, "layer" if match else kind, layer=layer, alpha=alpha, domain=domain)


def _lines(law: DepthLaw, numbers: LawAtDepth | None) -> list[str]:
    kinds = {"ck": "conjugate kernel", "ntk": "tangent kernel"}
    part = kinds.get(law.kind, f"weight layer {law.layer} of the tangent kernel")
    network = f"a {law.unit.name} network" if law.alpha is None else f"a {law.unit.name} residual network (alpha={law.alpha})"
    first = "1" if law.layer in (None, 1) else f"max(2, {law.layer})" if law.layer.is_Symbol else str(law.layer)
    compared = sum(len(item.comparisons) for item in law.inductions)
    lines = [
        f"{part} of {network}, every depth ell >= {first}, on {law.domain}",
        law.summary(),
        f"p_1 = 1, p_ell = product of kappa'(b_s) for s = 1..ell-1, b_1 = {law.mixed_bend - 1}, b_(s+1) = kappa(b_s); 0 < p_ell < 1 for ell >= 2",
        f"proved by induction: {compared} coefficients and {len(law.identities)} identities compared",
    ]
    if numbers is not None:
        laws = "; ".join(f"mu_k ~ {numbers.named[parity]} k^-({numbers.exponent}), {parity} k" for parity in numbers.named)
        lines.append(f"depth {numbers.depth}: {laws}")
        lines += [f"{name} = {value}" for name, value in numbers.names.items()]
    return lines


def law_record(law: DepthLaw, numbers: LawAtDepth | None = None) -> dict[str, Any]:
    """The law, both sides of every comparison and the LaTeX as exact text, for JSON."""
    record: dict[str, Any] = {
        "activation": law.unit.name,
        "alpha": None if law.alpha is None else str(law.alpha),
        "kernel": law.kind,
        "layer": None if law.layer is None else str(law.layer),
        "domain": str(law.domain),
        "exponent": str(law.exponent),
        "constants": {parity: str(law.constant(parity)) for parity in ("even", "odd")},
        "bends": {"g": str(law.bend), "h": str(law.mixed_bend)},
        "comparisons": [_compared(item) for item in law.inductions],
        "identities": [{"latex": item.text, "left": str(item.left), "right": str(item.right)} for item in law.identities],
        "statement_latex": law.statement(),
        "proof_latex": law.proof(),
    }
    if numbers is not None:
        record["at"] = {
            "depth": numbers.depth,
            "constants": {parity: str(value) for parity, value in numbers.named.items()},
            "names": {str(name): str(value) for name, value in numbers.names.items()},
        }
    return record


def _compared(item: Any) -> list[dict[str, str]]:
    return [
        {"function": row.name, "place": row.place, "power_of_u": str(row.power), "derived": str(row.derived), "claimed": str(row.claimed), "difference": str(row.difference)}
        for row in item.comparisons
    ]


__all__ = ["depth_law", "law_record"]
