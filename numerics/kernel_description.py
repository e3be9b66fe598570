"""The kernel of a network as the plain data that a certificate carries.

>>> import symspec as ss
>>> record = description_of(ss.mlp(ss.leaky_relu("1/10"), 2).ntk)
>>> record["activation"], record["depth"], record["kind"]
({'below': ['0', '1/10'], 'above': ['0', '1']}, 2, 'ntk')
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr

from symspec.activations import NAMED, Activation
from symspec.form import Form
from symspec.kernel import Kernel
from symspec.network import Network
from symspec.residual import ResidualNetwork
from symspec.terms import Step

SMOOTH = ("erf", "gelu", "sin", "cos", "exp", "gaussian")


def description_of(kernel: Kernel) -> dict[str, Any] | None:
    """The "kernel" entry of the file; None where a rational number or a polynomial on each side of 0 is missing."""
    origin = kernel.origin
    if origin is None:
        return None
    activation = activation_record(origin.network.activation)
    return None if activation is None else _description(kernel, activation)


def _description(kernel: Kernel, activation: dict[str, Any]) -> dict[str, Any] | None:
    origin = kernel.origin
    assert origin is not None
    numbers = _numbers(origin.network)
    if numbers is None or not origin.scale.is_Rational:
        return None
    kind, _, layer = origin.part.partition(" ")
    return {
        "architecture": "mlp" if isinstance(origin.network, Network) else "resnet",
        "activation": activation,
        "depth": origin.network.depth,
        "kind": kind,
        "layer": int(layer) if layer else None,
        **numbers,
        "drop_deltas": origin.network.drop_deltas,
        "scale": str(origin.scale),
    }


def activation_record(activation: Activation) -> dict[str, Any] | None:
    """Rational coefficients below and above 0, or None."""
    if not isinstance(activation.form, Form):
        return None
    sides: dict[bool, dict[int, Expr]] = {False: {}, True: {}}
    for term in activation.form.terms:
        if not term.is_polynomial_piece or not term.coefficient.is_Rational or not (term.gate is None or term.gate == Step(sympy.S.Zero)):
            return None
        for above in (True, False) if term.gate is None else (True,):
            sides[above][term.power] = sides[above].get(term.power, sympy.S.Zero) + term.coefficient
    degree = max((power for side in sides.values() for power in side), default=0)
    return {name: [str(sides[side].get(n, 0)) for n in range(degree + 1)] for name, side in (("below", False), ("above", True))}


def smooth_description_of(kernel: Kernel) -> dict[str, Any] | None:
    """As :func:`description_of` for networks of a named smooth activation."""
    origin = kernel.origin
    if origin is None:
        return None
    name = next((name for name in SMOOTH if NAMED[name] == origin.network.activation), None)
    return None if name is None else _description(kernel, {"name": name})


def _numbers(network: Network | ResidualNetwork) -> dict[str, Any] | None:
    values: dict[str, Expr | None] = {"sigma_w2": None, "sigma_b2": sympy.S.Zero, "input_variance": sympy.S.One, "alpha": None}
    if isinstance(network, Network):
        par = network.parametrisation
        values |= {"sigma_w2": par.sigma_w2, "sigma_b2": par.sigma_b2, "input_variance": par.input_variance}
    else:
        values["alpha"] = network.alpha
    if any(value is not None and not value.is_Rational for value in values.values()):
        return None
    return {name: None if value is None else str(value) for name, value in values.items()}
