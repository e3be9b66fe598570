r"""The difference between the parts of the tangent kernel that consecutive weight layers contribute.

Let :math:`\Theta_l=\Sigma^{(l)}\prod_{s\ge l}\dot\Sigma^{(s)}` be the part of weight layer l of a fully connected network
(Dandi and Jacot, arXiv 2111.03972), :math:`\Sigma^{(1)}` the input, :math:`\Sigma^{(l+1)}=V_l(\Sigma^{(l)})`,
:math:`\dot\Sigma^{(l)}=V_l'(\Sigma^{(l)})`, :math:`V_l=\hat\sigma/\hat\sigma(1)`, or
:math:`\sigma_w^2\,\hat\sigma+\sigma_b^2` at the variance of the layer. Then

.. math:: \Theta_l-\Theta_{l+1}=E_l(\Sigma^{(l)})\prod_{s>l}\dot\Sigma^{(s)},\qquad
          E_l(z)=zV_l'(z)-V_l(z)=-v_0+\sum_{n\ge2}(n-1)v_nz^n ,

where :math:`v_n\ge0` are the Taylor coefficients of :math:`V_l` (Mehler's formula). All the rest being non-negative, the one
negative number is :math:`v_0=V_l(0)`. Hence

* if :math:`v_0=0` (E sigma = 0, no bias), no Taylor coefficient of the difference is negative: layer l dominates layer
  l + 1 at every degree, in every dimension;
* for the last pair, l = depth, the product is 1, and no coefficient but that of degree 0 can be negative;
* otherwise the signs depend on the network: :func:`numerics.layer_domination` decides them.

For ReLU :math:`E(z)=-\tfrac1\pi\sqrt{1-z^2}`, at every depth.

>>> from symspec.network import mlp
>>> from symspec.activations import erf, relu
>>> found = layer_difference(mlp(relu, 3), 1)
>>> found.defect, found.nonnegative_from, layer_difference(mlp(erf, 3), 1).nonnegative_from
(-sqrt(1 - z**2)/pi, None, 0)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, Symbol

from .errors import InputError, NoClosedForm
from .exact import is_zero, natural
from .network import Network

Z = Symbol("z", real=True)
SIMPLIFIED_OPERATIONS = 120


@dataclass(frozen=True)
class LayerDifference:
    """Theta_l - Theta_(l+1) of a network; ``centred`` says that v_0 is known to be 0.

    ``nonnegative_from`` is the degree from which no Taylor coefficient is negative where that is plain (module docstring), else None.
    """

    network: Network
    layer: int
    centred: bool

    @cached_property
    def defect(self) -> Expr:
        """E_l as an expression in z, simplified where it is short; in the NTK parametrisation the variance that enters layer l is written q."""
        activation, par = self.network.activation, self.network.parametrisation
        slope = self.network.nonlinearity.derivative
        if par.normalised:
            return _short((Z * slope.dual(Z) - activation.dual(Z)) / self.network.nonlinearity.second_moment)
        q = Symbol("q", positive=True)
        return _short(par.sigma_w2 * (Z * slope.dual(Z / q, q, q) - activation.dual(Z / q, q, q)) - par.sigma_b2)

    @property
    def nonnegative_from(self) -> int | None:
        if self.centred:
            return 0
        return 1 if self.layer == self.network.depth else None

    def latex(self) -> str:
        """The closed form, in the notation of the module docstring."""
        from .latex import tex

        l, last = self.layer, self.network.depth
        product = "" if l == last else rf"\prod_{{s={l + 1}}}^{{{last}}}\dot\Sigma^{{(s)}}\cdot "
        return rf"\Theta_{{{l}}}-\Theta_{{{l + 1}}}={product}E\bigl(\Sigma^{{({l})}}\bigr),\qquad E(z)={tex(self.defect)}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


def layer_difference(network: Any, layer: Any) -> LayerDifference:
    """The closed form for weight layers l = ``layer`` (from 1 to depth) and l + 1 of a fully connected network.

    Raises InputError for other networks and for a layer without one after it.
    """
    if not isinstance(network, Network):
        raise InputError(f"the closed form of the difference of layers is known for fully connected networks, not for {network}")
    index = natural(layer, "layer", 1)
    if index > network.depth:
        raise InputError(f"layer {index} has no layer after it: a network of depth {network.depth} has {network.depth + 1} weight layers")
    return LayerDifference(network, index, _is_centred(network))


def _is_centred(network: Network) -> bool:
    """Whether E sigma = 0 at the variances of the layers, without a bias: False also where that is not known."""
    if network.parametrisation.sigma_b2 != 0:
        return False
    if network.activation.support.is_odd or not network.parametrisation.normalised:
        return network.activation.support.is_odd
    try:
        return is_zero(network.activation.hermite_coefficient(0))
    except NoClosedForm:
        return False


def _short(value: Expr) -> Expr:
    return sympy.simplify(value) if sympy.count_ops(value) < SIMPLIFIED_OPERATIONS else value


__all__ = ["LayerDifference", "layer_difference"]
