r"""Random networks of finite width: their outputs on given inputs, many networks at once.

A network of widths :math:`w_1,\dots,w_L` in the NTK parametrisation (:mod:`symspec.network`): :math:`h^0=x`, and in every dense layer, readout
included,

.. math:: z^\ell=\sqrt{\sigma_w^2/w_{\ell-1}}\,W^\ell h^{\ell-1}+\sigma_b\,b^\ell,\qquad h^\ell=\sigma(z^\ell),

all entries of W and b independent standard normal, :math:`w_0=d`. Inputs have :math:`|x|^2/d=v`, the input variance of the network; for a network of the
normalised recursion :math:`\sigma_w^2=1/\hat\sigma(1)` after a nonlinearity and there is no bias.

**What is to be expected.** For one hidden layer :math:`z^1` is Gaussian and :math:`E f(x)f(y)` is the conjugate kernel at every width; for more it differs by
:math:`O(1/w)`. The mean of :math:`f(x)f(y)` over independent networks has a standard error that is estimated from their spread (:func:`empirical_ck`).

Network i of a seed has a stream of random numbers of its own (Philox, key (seed, i)), drawn on the host: outputs do not depend on the
backend but for rounding, nor on how many networks share a batch, nor on how many there are.

>>> import symspec as ss
>>> from gpu.sampling import cube_points
>>> net = ss.mlp(ss.relu, 1, sigma_w2=2, sigma_b2=1)
>>> random_outputs(net, cube_points(5, 7, seed=1), [40], 3, seed=2).shape
(3, 5)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy

from symspec.errors import DomainError, InputError
from symspec.exact import natural
from symspec.network import Network

from .activation_arrays import array_function
from .backends import Backend, backend as backend_named, one_blas_thread
from .carrier import constant
from .sampling import MAX_SEED

# Bytes of the parameters and signals of a batch of networks.
BATCH_BYTES = 1 << 26
NORM_TOLERANCE = 1e-8

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Layer:
    """fan_in x fan_out weights of one standard deviation, and that of the biases."""

    fan_in: int
    fan_out: int
    weight: float
    bias: float

    @property
    def size(self) -> int:
        return (self.fan_in + (self.bias > 0)) * self.fan_out


def random_outputs(network: Network, inputs: Any, widths: Sequence[Any], count: Any, seed: Any = 0, *, backend: str | Backend = "auto", progress: Progress | None = None) -> numpy.ndarray:
    """The outputs of ``count`` independent random networks on the rows of ``inputs`` (n, d), shape (count, n), float64, on the host.

    ``widths`` are those of the hidden layers, as many as the depth of the network. Memory stays below about 64 MiB and
    one network more than the result. Raises InputError for other widths or arrays, DomainError for rows that do not have the
    input variance of the network.
    """
    batches = _batches(network, inputs, widths, count, seed, backend_named(backend))
    total = natural(count, "number of networks", 1)
    found = []
    done = 0
    for batch in batches:
        found.append(batch)
        done += len(batch)
        if progress:
            progress(done, total)
    return numpy.concatenate(found)


@dataclass(frozen=True)
class EmpiricalKernel:
    """The mean of f(x) f(y) over random networks and the standard error of each entry, arrays (n, n)."""

    mean: numpy.ndarray
    standard_error: numpy.ndarray
    count: int


def empirical_ck(network: Network, inputs: Any, widths: Sequence[Any], count: Any, seed: Any = 0, *, backend: str | Backend = "auto") -> EmpiricalKernel:
    """The conjugate kernel of finite width, estimated from ``count`` networks; see the module docstring for what it tends to."""
    number = natural(count, "number of networks", 2)
    first = second = None
    for outputs in _batches(network, inputs, widths, number, seed, backend_named(backend)):
        squares = outputs * outputs
        sums, square_sums = outputs.T @ outputs, squares.T @ squares
        first, second = (sums, square_sums) if first is None else (first + sums, second + square_sums)
    assert first is not None
    assert second is not None
    mean = first / number
    spread = numpy.maximum(second / number - mean * mean, 0.0) * (number / (number - 1))
    return EmpiricalKernel(mean, numpy.sqrt(spread / number), number)


def _batches(network: Network, inputs: Any, widths: Sequence[Any], count: Any, seed: Any, library: Backend) -> Iterator[numpy.ndarray]:
    """The outputs, one batch of networks after the other."""
    if not isinstance(network, Network):
        raise InputError(f"random networks are fully connected ones (mlp), not {type(network).__name__}")
    total, key = natural(count, "number of networks", 1), natural(seed, "seed")
    if key >= MAX_SEED:
        raise InputError(f"seed {key} is not below 2^64")
    rows = _rows(network, inputs, library)
    layers = _layers(network, rows.shape[1], widths)
    sigma = array_function(network.activation, library.xp)
    parameters = sum(layer.size for layer in layers)
    signals = 3 * rows.shape[0] * max(layer.fan_out for layer in layers)
    size = max(1, BATCH_BYTES // (8 * (parameters + signals)))
    for start in range(0, total, size):
        numbers = numpy.empty((min(size, total - start), parameters))
        for i in range(len(numbers)):
            numpy.random.Generator(numpy.random.Philox(key=key + (start + i) * MAX_SEED)).standard_normal(out=numbers[i])
        with one_blas_thread():
            yield library.to_host(_forward(rows, library.xp.asarray(numbers), layers, sigma, library.xp))


def _forward(rows: Any, numbers: Any, layers: Sequence[_Layer], sigma: Callable[[Any], Any], xp: Any) -> Any:
    """Outputs (networks, n) from parameters (networks, p)."""
    signal, used = rows[None, :, :], 0
    for index, layer in enumerate(layers):
        width = layer.fan_in * layer.fan_out
        weights = numbers[:, used : used + width].reshape(-1, layer.fan_in, layer.fan_out)
        signal = xp.matmul(sigma(signal) if index else signal, weights * layer.weight)
        if layer.bias > 0:
            signal = signal + layer.bias * numbers[:, None, used + width : used + layer.size]
        used += layer.size
    return signal[:, :, 0]


def _layers(network: Network, dimension: int, widths: Sequence[Any]) -> list[_Layer]:
    sizes = [dimension, *(natural(width, "width", 1) for width in widths), 1]
    if len(sizes) != network.depth + 2:
        raise InputError(f"a network of depth {network.depth} takes {network.depth} widths, not {len(sizes) - 2}")
    par = network.parametrisation
    bias = math.sqrt(constant(par.sigma_b2))
    found = []
    for index, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        if par.sigma_w2 is not None:
            variance = constant(par.sigma_w2)
        else:
            variance = 1.0 / constant(network.nonlinearity.second_moment) if index else 1.0
        found.append(_Layer(fan_in, fan_out, math.sqrt(variance / fan_in), bias))
    return found


def _rows(network: Network, inputs: Any, library: Backend) -> Any:
    rows = library.xp.asarray(inputs, dtype=float)
    if rows.ndim != 2 or not rows.size:
        raise InputError(f"inputs must be an array (n, d), not of shape {tuple(rows.shape)}")
    variance = constant(network.parametrisation.input_variance)
    found = (rows * rows).mean(axis=1)
    bad = ~(library.xp.abs(found / variance - 1.0) <= NORM_TOLERANCE)
    if bool(bad.any()):
        first = int(library.xp.argmax(bad))
        raise DomainError(f"row {first} of the inputs has |x|^2/d = {float(found[first]):.6g}, and the network takes {variance:g}: multiply points of the unit sphere by the root of d")
    return rows


__all__ = ["EmpiricalKernel", "empirical_ck", "random_outputs"]
