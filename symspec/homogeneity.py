r"""Positively homogeneous activations and networks.

:math:`\sigma(x)=a\,x_+^s+b\,(-x)_+^s` has :math:`\sigma(\lambda x)=\lambda^s\sigma(x)` for
:math:`\lambda>0`. A network of depth L of such an activation without bias has kernels

.. math:: K(x,y)=\bigl(|x||y|/d\bigr)^{m}K(\rho),\qquad m=s^L,

:math:`\rho` the cosine of the angle: the covariance of layer l is homogeneous of degree :math:`2s^l`, that of the
slopes of degree :math:`2s^{l-1}(s-1)`, and :math:`s^{l-1}+s^{l-1}(s-1)=s^l`, so tangent kernels
and their layers have the degree of the conjugate kernel. Residual blocks add the input to
the branch and so need s = 1.

>>> import symspec as ss
>>> [homogeneity(net.ntk) for net in (ss.mlp(ss.relu, 3), ss.mlp(ss.rectified_monomial(2), 3), ss.mlp(ss.erf, 1), ss.mlp(ss.relu, 1, sigma_b2=1))]
[1, 8, None, None]
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, S

from .errors import NoClosedForm
from .form import Form
from .kernel import Kernel
from .network import Network
from .residual import ResidualNetwork
from .strip import StripForm
from .terms import Step


@dataclass(frozen=True)
class Homogeneous:
    """a x_+^s + b (-x)_+^s."""

    a: Expr
    b: Expr
    s: int

    def derivative(self) -> Homogeneous:
        if self.s == 0:
            raise NoClosedForm("the derivative of a jump is a delta: this tangent kernel is infinite on the diagonal")
        return Homogeneous(self.a * self.s, -self.b * self.s, self.s - 1)

    @property
    def second_moment(self) -> Expr:
        """E sigma(Z)^2 = (a^2 + b^2) (2s-1)!!/2."""
        return (self.a**2 + self.b**2) * sympy.factorial2(2 * self.s - 1) / 2


def homogeneous(form: Form | StripForm) -> Homogeneous | None:
    """Read off a x_+^s + b (-x)_+^s, or None."""
    if isinstance(form, StripForm) or not form.is_piecewise_polynomial or any(t.gate not in (None, Step(S.Zero)) for t in form.terms):
        return None
    powers = {t.power for t in form.terms}
    if len(powers) != 1:
        return None
    s = powers.pop()
    below = sum((t.coefficient for t in form.terms if t.gate is None), S.Zero)
    above = below + sum((t.coefficient for t in form.terms if t.gate is not None), S.Zero)
    return Homogeneous(above, below * (-1) ** s, s)


def homogeneity(kernel: Kernel) -> int | None:
    """m of the module docstring; None for a kernel that is not known to be of that form."""
    network = None if kernel.origin is None else kernel.origin.network
    if not isinstance(network, (Network, ResidualNetwork)):
        return None
    if network.depth == 0:
        return 1 if not isinstance(network, Network) or network.is_plain else None
    shape = homogeneous(network.activation.form)
    if shape is None:
        return None
    if isinstance(network, ResidualNetwork):
        return 1 if shape.s == 1 else None
    return int(shape.s) ** network.depth if network.is_plain else None


__all__ = ["Homogeneous", "homogeneity", "homogeneous"]
