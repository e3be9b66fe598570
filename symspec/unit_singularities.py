r"""The first singular term of a dual activation at equal and at opposite inputs, for units of any variance.

For a unit of variance q the dual :math:`V(\rho)=E\sigma(u)\sigma(v)` and its slope :math:`\dot V(\rho)=E\sigma'(u)\sigma'(v)` are power series in
:math:`\sqrt{1-|\rho|}` near :math:`\rho=\pm1`, from the expansions of :mod:`symspec.singularity`. What is singular first is
:math:`c\,(1-|\rho|)^\nu`: where :math:`\sigma^{(m)}` jumps by J at 0, :math:`\nu=m+\frac12` for V and :math:`m-\frac12` for the slope; kinks at other
places count with the density of the unit there. Activations without a kink have a dual that is analytic at both ends, and no such term.

>>> from symspec.activations import rectified_monomial, relu
>>> [first_singular(Nonlinearity(relu), S.One, end, slope=False) for end in (1, -1)]
[SingularTerm(nu=3/2, coefficient=sqrt(2)/(3*pi)), SingularTerm(nu=3/2, coefficient=sqrt(2)/(3*pi))]
>>> first_singular(Nonlinearity(rectified_monomial(2)), Rational(2), 1, slope=True).nu
3/2
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sympy import Expr, Rational, S, expand

from .errors import NoClosedForm
from .exact import is_zero
from .kernel import Kernel
from .layers import Nonlinearity, Signal
from .program import RHO, THETA0, Program
from .singularity import puiseux
from .support import Support

ORDERS = (4, 8, 16, 32)


@dataclass(frozen=True)
class SingularTerm:
    """coefficient * (1 - |rho|)^nu."""

    nu: Rational
    coefficient: Expr


@lru_cache(maxsize=1024)
def first_singular(layer: Nonlinearity, variance: Expr, end: int, *, slope: bool) -> SingularTerm | None:
    """The first singular term of V, or of its slope, at rho = ``end``; None for a dual that is analytic there.

    Raises NoClosedForm where an expansion leaves the class of exact constants, or shows no singular term up to the last order that is tried.
    """
    if not layer.angular:
        return None
    signal = Signal(variance, variance * RHO, Support(odd=1), THETA0)
    line = layer.slope_line(0, signal, S.One) if slope else None
    if slope and line is None:
        return None
    value = layer.value(signal) if line is None else line.expr
    if not value.has(THETA0):
        return None
    kernel = Kernel(Program((), value))
    for order in ORDERS:
        for nu, coefficient in puiseux(kernel, end, order).singular():
            exact = expand(coefficient * 2**-nu)
            if not is_zero(exact):
                return SingularTerm(nu, exact)
    if end < 0:
        # Kinks that are not opposite to one another leave terms like exp(-1/(1 + rho)) only, all of whose derivatives vanish.
        return None
    raise NoClosedForm(f"no singular term of the dual was found at rho = 1 up to the order {ORDERS[-1]}; the law is derived for kinks of lower order")


__all__ = ["SingularTerm", "first_singular"]
