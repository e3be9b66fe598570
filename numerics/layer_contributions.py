r"""Shares of the weight layers in the tangent kernel, degree by degree, and in the reduction of the error over training.

The tangent kernel is the sum of the parts of its weight matrices, so each eigenvalue is too, and

.. math:: s_l(k)=\mu_k(\Theta_l)/\mu_k(\Theta),\qquad\sum_ls_l(k)=1 .

**Training.** Gradient flow on the population loss :math:`\tfrac12\|f-g\|^2` moves the residual by
:math:`\dot r=-T_\Theta r`, so that its part of degree k is :math:`e^{-\mu_kt}` times the initial one. Its energy
:math:`v_k^2e^{-2\mu_kt}` falls at the rate :math:`2\mu_k=\sum_l2\mu_k(\Theta_l)`, of which layer l causes the share
:math:`s_l(k)`. Up to time t the layer's share of the whole reduction is (Dandi and Jacot, arXiv 2111.03972)

.. math:: \frac{\sum_ks_l(k)\,v_k^2(1-e^{-2\mu_kt})}{\sum_kv_k^2(1-e^{-2\mu_kt})} .

>>> import symspec as ss
>>> net = ss.mlp(ss.relu, 2)
>>> for shares in layer_shares(net, ss.Sphere(3), [2, 3], digits=8):
...     print([s.str(5, radius=False) for s in shares])
['0.48214', '0.32146', '0.19640']
['0.50453', '0.37525', '0.12022']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flint import arb, fmpz

from symspec.domain import Domain
from symspec.errors import InputError, NoClosedForm
from symspec.exact import exact
from symspec.kernel import Kernel
from symspec.layers import Architecture
from symspec.spectrum import eigenvalue

from .constants import ball
from .precision import goal_bits, working_precision
from .spectrum import degree_sums, sole_eigenvalues

GUARD = 64
SPARE_DIGITS = 6
Energies = Mapping[int, Any]


@dataclass(frozen=True)
class Reduction:
    """Up to ``time``: the part ``reduced`` of the initial energy that is gone, and the share of each layer in that."""

    time: arb
    reduced: arb
    shares: tuple[arb, ...]


def layer_shares(network: Architecture, domain: Domain, degrees: Iterable[int], digits: Any = 20) -> list[tuple[arb, ...] | None]:
    """The shares of ``network.ntk_layers`` at each degree, first layer first, each ball good to about ``digits`` digits.

    Exactly 0 where a layer has no such degree; None for a degree at which the whole tangent kernel vanishes. Works on every domain
    on which eigenvalues do; raises as :func:`numerics.eigenvalues`. Where a degree has several eigenvalues (Gaussian inputs, kernels that
    are not homogeneous in the lengths) the shares are those of their sum.
    """
    wanted = list(degrees)
    require_architecture(network)
    rows = zip(*(degree_sums(part, domain, wanted, digits + SPARE_DIGITS) for part in network.ntk_layers), strict=True)
    with working_precision(goal_bits(digits) + GUARD):
        return [None if all(value == 0 for value in row) else _normalised(row) for row in rows]


def part_eigenvalues(network: Architecture, domain: Domain, degrees: list[int], digits: Any) -> list[tuple[arb, ...]]:
    """mu_k of every part, a row a degree."""
    require_architecture(network)
    return list(zip(*(sole_eigenvalues(part, domain, degrees, digits + SPARE_DIGITS) for part in network.ntk_layers), strict=True))


def require_architecture(network: Any) -> None:
    """InputError for anything but a network."""
    if not isinstance(network, Architecture):
        raise InputError(f"shares of layers are those of a network (ss.mlp, ss.resnet), not of {type(network).__name__}")


def _normalised(row: tuple[arb, ...]) -> tuple[arb, ...]:
    """Each entry over the sum, written 1/(1 + others/entry) so that its ball stays in [0, 1]."""
    shares = []
    for index, value in enumerate(row):
        others = sum((other for i, other in enumerate(row) if i != index), arb(0))
        shares.append(value if value == 0 else 1 / (1 + others / value))
    return tuple(shares)


def energies_of(function: Kernel, domain: Domain, degrees: Iterable[int], digits: Any = 20) -> dict[int, arb]:
    r"""The degree energies :math:`v_k^2=N_k\,\mu_k(f)^2` of the zonal function :math:`x\mapsto f(t(x,e))`, e a fixed input.

    ``function`` is any kernel, such as ``ss.zonal_kernel(expr)``; its projection on degree k is
    :math:`N_k\mu_k(f)\,\varphi_k(t)`, of norm :math:`\sqrt{N_k}\,|\mu_k(f)|`. Exact where :func:`symspec.eigenvalue` is, as for a
    polynomial, whose missing degrees have energy 0.
    """
    wanted = list(degrees)
    try:
        with working_precision(goal_bits(digits) + GUARD):
            values = [ball(eigenvalue(function, domain, k)) for k in wanted]
    except NoClosedForm:
        values = sole_eigenvalues(function, domain, wanted, digits + SPARE_DIGITS)
    with working_precision(goal_bits(digits) + GUARD):
        return {k: value * value * fmpz(domain.multiplicity(k)) for k, value in zip(wanted, values, strict=True)}


def error_reduction(network: Architecture, domain: Domain, energies: Energies, times: Iterable[Any], digits: Any = 20) -> list[Reduction]:
    """The reduction of the squared error by gradient flow, and each layer's share in it, at each time > 0.

    ``energies`` maps degrees to :math:`v_k^2` (exact numbers, or balls as :func:`energies_of` gives), ``times`` are exact numbers
    in units of 1/eigenvalue. Raises InputError for negative energies or times, and where nothing is ever reduced.
    """
    degrees, sizes = checked_energies(energies)
    moments = [exact(time, "time") for time in times]
    if not all(moment.is_positive for moment in moments):
        raise InputError("times must be positive")
    rows = part_eigenvalues(network, domain, degrees, digits)
    with working_precision(goal_bits(digits) + GUARD):
        return [_reduction(rows, sizes, ball(moment)) for moment in moments]


def checked_energies(energies: Energies) -> tuple[list[int], list[arb]]:
    """Ascending degrees and their energies as balls."""
    if not energies:
        raise InputError("a target needs at least one degree with an energy")
    degrees = sorted(energies)
    sizes = [value if isinstance(value, arb) else ball(exact(value, "energy")) for value in (energies[k] for k in degrees)]
    if any(size < 0 for size in sizes):
        raise InputError("energies are squares and so not negative")
    return degrees, sizes


def _reduction(rows: list[tuple[arb, ...]], sizes: list[arb], time: arb) -> Reduction:
    parts, whole = [arb(0)] * len(rows[0]), arb(0)
    for row, size in zip(rows, sizes, strict=True):
        if all(value == 0 for value in row):
            continue
        gone = -size * (-2 * sum(row, arb(0)) * time).expm1()
        whole += gone
        parts = [total + gone * share for total, share in zip(parts, _normalised(row), strict=True)]
    if not whole > 0:
        raise InputError("the tangent kernel vanishes at every degree that the target has: nothing is learned")
    return Reduction(time, whole / sum(sizes, arb(0)), tuple(part / whole for part in parts))


__all__ = ["Reduction", "energies_of", "error_reduction", "layer_shares", "part_eigenvalues"]
