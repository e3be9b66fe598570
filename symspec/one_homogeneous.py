r"""Activations that are homogeneous of degree one, and the one-parameter family of their kernels.

Let :math:`\sigma(x)=a\min(x,0)+b\max(x,0)`, :math:`\theta=\arccos\rho` and

.. math:: \kappa_h(\rho)=\rho+\tfrac h\pi(\sin\theta-\theta\cos\theta),\qquad
          \kappa_h'(\rho)=1-\tfrac h\pi\theta .

Then :math:`\hat\sigma/\hat\sigma(1)=\kappa_g` with the *bend* :math:`g=(a-b)^2/(a^2+b^2)` (Cho and Saul 2009
for ReLU, g = 1; leaky ReLU of slope a has 0 < g < 1, slopes -1 < a < 0 have 1 < g < 2,
:math:`|x|` has g = 2). A residual block
:math:`(1-\beta)\rho+\beta\kappa_g(\rho)`, :math:`\beta=\alpha^2/(1+\alpha^2)`, is :math:`\kappa_h` with
:math:`h=\beta g`. So dense and residual networks have the recursion
:math:`\Sigma^{\ell+1}=\kappa_h(\Sigma^\ell)`, :math:`\Sigma^0=\rho`, with one number h. :func:`identities` checks
these statements for a given activation against the dual that the engine derives.

**Near** :math:`\rho=\pm1` the kernel and its derivative are power series in :math:`\sqrt u`, u = 1 - rho or
1 + rho, by :math:`f(\theta)=\sin\theta-\theta\cos\theta` and
:math:`\kappa_h(-\cos\varphi)=-\cos\varphi+h\cos\varphi+\tfrac h\pi f(\varphi)`. :func:`value` and :func:`slope` read a
truncated series in :math:`\sqrt u` through them, at 1, at -1 and between.

>>> u = Series({2: S.One}, 8)
>>> one = Series.constant(S.One, 8)
>>> h = Symbol("h", positive=True)
>>> print(value(one + u.scaled(S(-1)), h).truncated(5))
1 - s**2 + 2*sqrt(2)*h*s**3/(3*pi) + O(s**5)
>>> print(value(u + one.scaled(S(-1)), h).truncated(4))
h - 1 + s**2*(1 - h) + 2*sqrt(2)*h*s**3/(3*pi) + O(s**4)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, S, Symbol, acos, pi, sqrt

from .activations import Activation, activation as as_activation, relu
from .errors import InputError, NoClosedForm, Refuted
from .program import RHO
from .singularity import Series
from .spectrum import homogeneous

THETA = Symbol("theta", real=True)
# Orders beyond those of any argument: what is read is limited by the argument.
LOCAL_ORDER = 12


@dataclass(frozen=True)
class Identity:
    """An equation of expressions that the machine simplifies to 0 = 0."""

    text: str
    left: Expr
    right: Expr

    def check(self) -> Identity:
        """Itself, or Refuted."""
        difference = sympy.simplify(sympy.expand(self.left - self.right))
        if difference != 0:
            raise Refuted(f"{self.text}: the two sides differ by {difference}")
        return self


@dataclass(frozen=True)
class Unit:
    """A normalised activation of degree one: its slopes below and above 0, and a name."""

    below: Expr
    above: Expr
    name: str

    @property
    def bend(self) -> Expr:
        """g = (a - b)^2/(a^2 + b^2), in (0, 2]."""
        return sympy.factor((self.above - self.below) ** 2 / (self.above**2 + self.below**2))

    @property
    def dual(self) -> Expr:
        """The dual as the engine derives it, divided by its value at 1.

        A slope that is a symbol goes through sigma = a x + (b - a) relu(x): the dual is bilinear, and
        E[u relu(v)] = rho a_1(relu) by Mehler's formula.
        """
        a, b = self.below, self.above
        mixed = RHO * relu.hermite_coefficient(1)

        def raw(half: Expr, rho: Expr, cross: Expr) -> Expr:
            return a**2 * rho + 2 * a * (b - a) * cross + (b - a) ** 2 * half

        return raw(relu.dual(RHO), RHO, mixed) / raw(relu.dual(1), S.One, mixed.subs(RHO, 1))


def unit(source: Any) -> Unit:
    """The activation as a Unit; a symbol stands for the slope of leaky ReLU.

    Raises InputError for activations that are not homogeneous of degree one or are linear,
    NoClosedForm for multiples of abs(x), whose kernel is even.
    """
    if isinstance(source, Symbol):
        return Unit(source, S.One, f"leaky ReLU of slope {source}")
    sigma: Activation = as_activation(source)
    shape = homogeneous(sigma.form)
    if shape is None or shape.s != 1:
        raise InputError(f"a law at symbolic depth is proved for activations a min(x, 0) + b max(x, 0), such as relu and leaky_relu(1/10), not for {sigma.name or sigma.form}")
    found = Unit(-shape.b, shape.a, sigma.name or str(sigma.form))
    if found.bend == 0:
        raise InputError(f"{found.name} is linear: its kernel is a polynomial, and there is no law of large degrees")
    if found.bend == 2:
        raise NoClosedForm(f"{found.name} is even, and its kernel is singular at rho = -1 in every layer; decay gives the law of each depth")
    return found


def kappa(rho: Expr, h: Expr) -> Expr:
    """kappa_h at an expression."""
    return rho + h * (sqrt(1 - rho**2) - rho * acos(rho)) / pi


def kappa_slope(rho: Expr, h: Expr) -> Expr:
    """kappa_h' at an expression."""
    return 1 - h * acos(rho) / pi


def bump(theta: Expr) -> Expr:
    """f(theta) = sin(theta) - theta cos(theta)."""
    return sympy.sin(theta) - theta * sympy.cos(theta)


def value(argument: Series, h: Expr) -> Series:
    """kappa_h of a series in sqrt(u) with constant term 1, -1, or one between."""
    centre = argument.coefficient(0)
    if centre not in (1, -1):
        return argument.compose(lambda x: kappa(x, h))
    lifted = _through_angle(bump, _angle(argument)).scaled(h / pi)
    return argument + lifted + (argument.scaled(-h) if centre == -1 else Series({}, argument.order))


def slope(argument: Series, h: Expr) -> Series:
    """kappa_h' of such a series."""
    centre = argument.coefficient(0)
    if centre not in (1, -1):
        return argument.compose(lambda x: kappa_slope(x, h))
    angle = _angle(argument)
    if centre == 1:
        return Series.constant(S.One, angle.order) + angle.scaled(-h / pi)
    return Series.constant(1 - h, angle.order) + angle.scaled(h / pi)


def _angle(argument: Series) -> Series:
    """The angle between the argument and the end point it tends to: 2 arcsin sqrt(v/2), v = 1 -+ argument."""
    gap = argument.scaled(-argument.coefficient(0)).without_constant().scaled(S.Half)
    return gap.power(S.Half).compose(lambda x: 2 * sympy.asin(x))


def _through_angle(function: Any, angle: Series) -> Series:
    """A function of a vanishing angle from its own Taylor series, so that no order is lost."""
    local = Series({1: S.One}, LOCAL_ORDER).compose(function)
    lowest = local.valuation
    # The rest, from theta^lowest on, is as small as its first power times the rest of the angle.
    result, power = Series({}, LOCAL_ORDER * angle.valuation), angle.power(S(lowest))
    for j in range(lowest, LOCAL_ORDER):
        result = result + power.scaled(local.coefficient(j))
        power = power * angle
    return result


def identities(activation: Unit, alpha: Expr | None) -> tuple[Identity, ...]:
    """The equations of the module docstring, each checked; Refuted if one fails."""
    g, h = activation.bend, Symbol("h", positive=True)
    found = [
        Identity(r"\widehat\sigma(\rho)/\widehat\sigma(1)=\kappa_g(\rho)", activation.dual, kappa(RHO, g)),
        Identity(r"\tfrac{d}{d\rho}\kappa_h(\rho)=1-\tfrac h\pi\arccos\rho", sympy.diff(kappa(RHO, h), RHO), kappa_slope(RHO, h)),
        Identity(r"\tfrac{d}{d\theta}f(\theta)=\theta\sin\theta", sympy.diff(bump(THETA), THETA), THETA * sympy.sin(THETA)),
        Identity(r"f(\pi-\theta)=\pi\cos\theta+f(\theta)", sympy.expand_trig(bump(pi - THETA)), pi * sympy.cos(THETA) + bump(THETA)),
        Identity(r"\kappa_h(1)=1", kappa(S.One, h), S.One),
        Identity(r"\kappa_h(-1)=h-1", kappa(S.NegativeOne, h), h - 1),
    ]
    if alpha is not None:
        beta = branch_share(alpha)
        found.append(Identity(r"(1-\beta)\rho+\beta\kappa_g(\rho)=\kappa_{\beta g}(\rho)", (1 - beta) * RHO + beta * kappa(RHO, g), kappa(RHO, beta * g)))
    return tuple(item.check() for item in found)


def branch_share(alpha: Expr) -> Expr:
    """beta = alpha^2/(1 + alpha^2)."""
    return alpha**2 / (1 + alpha**2)


__all__ = ["Identity", "Unit", "branch_share", "bump", "identities", "kappa", "kappa_slope", "slope", "unit", "value"]
