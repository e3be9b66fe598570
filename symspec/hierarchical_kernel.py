r"""Hierarchical kernels of images: functions of means of kernels on disjoint parts of the image, a tree.

In a convolutional network whose filters do not overlap (the stride is the size of the filter) one output is a tree on the pixels
(Geifman, Galun, Jacobs and Basri 2022), and its conjugate kernel is

.. math:: K_0=t_i,\qquad K_\ell=f_\ell\Bigl(\frac1{b_\ell}\sum_{j=1}^{b_\ell}K_{\ell-1}^{(j)}\Bigr),\qquad f_\ell=\hat\sigma_\ell/\hat\sigma_\ell(1),

with any function :math:`f_\ell` that is a power series with non-negative coefficients: each is the normalised dual of an activation, another one at every
level. A branching of 1 composes functions of a single pixel, so that ``[1, b]`` puts one-pixel kernels :math:`\kappa(t_i)` under a function of their mean. The
result is a kernel of images like those of networks: numerics.eigenvalues, cone_law, product_bounds and the checks by random images take it.

>>> from symspec.activations import relu
>>> K = hierarchical([relu, [0, "1/2", "1/2"]], [1, 2])
>>> K.receptive_field, K([1, 0])
((0, 1), (pi**(-2) + 4/pi + 3)/8)
>>> from symspec.receptive_cones import cone_law
>>> law = cone_law(K, 3)
>>> law.exponent({0}), law.exponent({0, 1})
(5, 10)
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import sympy
from sympy import Rational, S

from .activations import Activation, activation
from .convolution import MAX_PIXELS
from .errors import InputError
from .exact import natural
from .kernel import Kernel
from .layers import Nonlinearity
from .pixel_kernel import PixelKernel
from .pixel_program import Patch, PixelProgram, Readout
from .program import RHO
from .reverse import HermiteSeries, activation_from_kernel


def hierarchical(functions: Sequence[Any], branching: Sequence[Any], name: str = "") -> PixelKernel:
    """The tree kernel with the functions f_1, ..., f_L from the pixels up and as many branchings; it has prod(branching) pixels.

    A function is an activation (or its text), which stands for its dual, or the coefficients f_0, f_1, ... >= 0 of a polynomial, or a polynomial kernel f(rho);
    each is divided by its value at 1.

    Raises InputError for lists of different lengths, a negative coefficient or a function that is 0.
    """
    if not isinstance(functions, Sequence) or isinstance(functions, str) or not isinstance(branching, Sequence) or len(functions) != len(branching) or not functions:
        raise InputError("hierarchical takes a list of functions, one a level from the pixels up, and as many branchings, such as hierarchical([relu, relu], [1, 2])")
    layers = tuple(Nonlinearity(_activation(function)) for function in functions)
    branches = [natural(entry, "branching", 1) for entry in branching]
    size = prod(branches)
    if size > MAX_PIXELS:
        raise InputError(f"{size} pixels are above {MAX_PIXELS}")
    patches, positions, weight = [], size, S.One
    for layer, branch in zip(layers, branches, strict=True):
        positions //= branch
        patches.append(Patch(tuple(tuple(range(branch * p, branch * (p + 1))) for p in range(positions)), weight))
        weight = 1 / layer.second_moment
    program = PixelProgram(size, tuple(patches), layers[0], Readout((((0, 0), Rational(1)),), weight), "ck", layers)
    return PixelKernel(program, name or _name(functions, layers, branches))


def _activation(function: Any) -> Activation:
    if isinstance(function, Kernel) or (isinstance(function, Sequence) and not isinstance(function, str)):
        found = activation_from_kernel(function)
        if isinstance(found, HermiteSeries):
            raise InputError("a function is an activation, a polynomial kernel, or the list of the coefficients of a polynomial")
        return found
    if isinstance(function, sympy.Basic):
        raise InputError("a function is an activation, a polynomial kernel, or the list of the coefficients of a polynomial, not a formula")
    return activation(function)


def _name(functions: Sequence[Any], layers: Sequence[Nonlinearity], branches: Sequence[int]) -> str:
    levels = []
    for function, layer, branch in zip(functions, layers, branches, strict=True):
        own = layer.activation
        text = own.name or own.form if isinstance(function, (str, Activation)) else sympy.factor_terms(sympy.expand(own.dual(RHO)))
        levels.append(f"{text} of {branch}")
    return f"hierarchical kernel ({', '.join(levels)})"


__all__ = ["hierarchical"]
