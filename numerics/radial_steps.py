r"""The recursions of fully connected and residual networks for two inputs of any lengths, on any numbers.

A layer maps the covariance C of a pair to :math:`\mathrm{mix}(C,V)+b`, V the dual at the pair's variances and C:

* dense (:mod:`symspec.network`): mix = :math:`\sigma_w^2V` and :math:`b=\sigma_b^2`; normalised, :math:`V/E\sigma(Z)^2` and 0;
* residual (:mod:`symspec.residual`): mix = :math:`(C+\alpha^2V/E\sigma(Z)^2)/(1+\alpha^2)`, b = 0, where C is that of the preactivations,
  relative to their variance for inputs of length :math:`\sqrt d`.

Variances are the covariances of an input with itself. The map is linear in (C, V), so half squared distances obey it without b. The kernel is
read from the covariances, the weighted duals and the weighted duals of the derivative of all layers.

>>> import symspec as ss
>>> steps = steps_of(ss.resnet(ss.relu, 1, 1), float)
>>> steps.mixed(0.5, 0.25), steps_of(ss.mlp(ss.relu, 1, sigma_w2=3, sigma_b2=2), float).mixed(0.5, 0.25)
(0.5, 0.75)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import Expr, S

from symspec.errors import InputError
from symspec.layers import Architecture
from symspec.network import Network
from symspec.residual import ResidualNetwork

Number = Any
Layers = list[Any]


@dataclass(frozen=True)
class Steps(ABC):
    """The numbers of a recursion: ``weight`` multiplies duals, ``linear`` the product of the two inputs over d."""

    depth: int
    weight: Number
    bias: Number
    linear: Number

    @abstractmethod
    def mixed(self, below: Number, value: Number) -> Number:
        """mix(C, V)."""

    @abstractmethod
    def read(self, part: str, covariances: Layers, values: Layers, slopes: Layers) -> Number:
        """The kernel: the covariances of layers 0 to depth, the weighted duals and slopes of layers 1 to depth."""

    @abstractmethod
    def reads_slopes(self, part: str) -> bool:
        """Whether the kernel depends on slopes."""


def _index(part: str) -> int:
    return int(part.rpartition(" ")[2])


@dataclass(frozen=True)
class DenseSteps(Steps):
    """See :class:`symspec.network.Network`."""

    def mixed(self, below: Number, value: Number) -> Number:
        return value * self.weight

    def _first(self, part: str) -> int:
        """The first layer whose slope is read, counted from 1."""
        return self.depth + 1 if part == "ck" else 1 if part == "ntk" else _index(part)

    def reads_slopes(self, part: str) -> bool:
        return self._first(part) <= self.depth

    def read(self, part: str, covariances: Layers, values: Layers, slopes: Layers) -> Number:
        first = self._first(part)
        total = covariances[min(first - 1, self.depth)]
        for layer in range(first, self.depth + 1):
            total = total * slopes[layer - 1]
            if part == "ntk":
                total = total + covariances[layer]
        return total


@dataclass(frozen=True)
class ResidualSteps(Steps):
    """See :class:`symspec.residual.ResidualNetwork`; ``square`` is alpha^2, ``share`` 1/(1 + alpha^2), ``factor`` 1/(2 depth)."""

    square: Number
    share: Number
    factor: Number

    def mixed(self, below: Number, value: Number) -> Number:
        return (below + value * (self.weight * self.square)) * self.share

    def reads_slopes(self, part: str) -> bool:
        # The last V alone reads no slope.
        return part != "ck" and (part == "ntk" or _index(part) < 2 * self.depth)

    def read(self, part: str, covariances: Layers, values: Layers, slopes: Layers) -> Number:
        if part == "ck":
            return covariances[-1]
        total = None
        for block in range(1, self.depth + 1):
            if total is not None:
                total = total * ((slopes[block - 1] * self.square + 1) * self.share)
            for wanted, own in ((2 * block - 1, lambda i: covariances[i] * slopes[i]), (2 * block, lambda i: values[i])):
                if part == "ntk" or _index(part) == wanted:
                    term = own(block - 1)
                    total = term if total is None else total + term
        return total * self.factor


def steps_of(network: Architecture, number: Callable[[Expr], Number]) -> Steps:
    """The recursion of a dense or residual network, its numbers made by ``number``."""
    if isinstance(network, ResidualNetwork):
        second = network.nonlinearity.second_moment
        square = network.alpha**2
        rest = (number(square), number(1 / (1 + square)), number(S.One / (2 * max(network.depth, 1))))
        return ResidualSteps(network.depth, number(1 / second), number(S.Zero), number(S.One), *rest)
    if not isinstance(network, Network):
        raise InputError(f"recursions between different lengths are known for dense and residual networks, not for {network}")
    par = network.parametrisation
    if par.sigma_w2 is None:
        return DenseSteps(network.depth, number(1 / network.nonlinearity.second_moment), number(S.Zero), number(par.input_variance))
    return DenseSteps(network.depth, number(par.sigma_w2), number(par.sigma_b2), number(par.sigma_w2 * par.input_variance))


__all__ = ["DenseSteps", "ResidualSteps", "Steps", "steps_of"]
