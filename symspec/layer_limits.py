r"""What share of the tangent kernel each weight matrix holds at high degrees, exactly.

With :math:`s_l(k)=\mu_k(\Theta_l)/\mu_k(\Theta)` the shares of the parts of the tangent kernel add up to 1 at every degree. Where
every part follows a power law :math:`\mu_k(\Theta_l)\sim C_lk^{-e_l}` (:mod:`symspec.decay_law`), as :math:`k\to\infty` along one
parity

.. math:: s_l(k)\to\frac{C_l}{\sum_{m:e_m=e}C_m}\;\text{ if }e_l=e:=\min_me_m,\qquad s_l(k)\to0\text{ otherwise.}

For ReLU of depth :math:`L-1`, :math:`C_l\propto L-l` but for the term of the far end: early layers hold the high frequencies, and the
last layer none of them.

>>> from symspec.activations import relu
>>> from symspec.domain import Sphere
>>> from symspec.network import mlp
>>> limit_shares(mlp(relu, 2), Sphere(10))["even"]
(5/7, 2/7, 0)
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S

from .decay_law import PARITIES, DecayLaw, decay
from .domain import require_sphere
from .errors import InputError, NoClosedForm
from .layers import Architecture

SIMPLIFIED_OPERATIONS = 200


def limit_shares(network: Any, domain: Any) -> dict[str, tuple[Expr, ...] | None]:
    """The limit of the share of each part of ``network.ntk_layers``, first first, for "even" and "odd" degrees; None where these vanish.

    ``domain`` is a sphere. Raises NoClosedForm where a part follows no power law, Undecided as :func:`symspec.decay`.
    """
    if not isinstance(network, Architecture):
        raise InputError(f"limit_shares takes a network, not {type(network).__name__}")
    sphere = require_sphere(domain, "limits of shares")
    laws = [decay(part, sphere) for part in network.ntk_layers]
    for law in laws:
        if law.kind not in ("power", "finite"):
            raise NoClosedForm(f"the shares have limits where every part follows a power law; {law.kernel.name}: {law.summary()}")
    return {parity: _limits(laws, parity) for parity in PARITIES}


def _limits(laws: list[DecayLaw], parity: str) -> tuple[Expr, ...] | None:
    terms = [law.terms.get(parity) for law in laws]
    exponents = [term.exponent for term in terms if term is not None]
    if not exponents:
        return None
    least = min(exponents, key=sympy.default_sort_key) if any(e.free_symbols for e in exponents) else min(exponents)
    constants = [law.leading(S.One, parity) if term is not None and sympy.expand(term.exponent - least) == 0 else S.Zero for law, term in zip(laws, terms, strict=True)]
    total = sympy.Add(*constants)
    return tuple(_short(value / total) for value in constants)


def _short(value: Expr) -> Expr:
    return sympy.simplify(value) if sympy.count_ops(value) < SIMPLIFIED_OPERATIONS else value


__all__ = ["limit_shares"]
