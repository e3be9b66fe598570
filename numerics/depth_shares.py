r"""Fractional variances on the boolean cube for all depths at once.

The share of degree k in a kernel on {-1, 1}^d is

.. math:: \binom dk\frac{\mu_k}{K(1)}=2^{-d}\sum_{r=0}^d\binom dr K_k(r)\,\frac{K(1-2r/d)}{K(1)},

:math:`K_k(r)` the Krawtchouk polynomials (:mod:`numerics.cube_sum`). The recursion of a network of depth D passes through the
kernels of all depths below, so its values at the d + 1 correlations, one walk through the program
(:mod:`numerics.columns`), give the shares of every depth and degree by one product of matrices. The weight and bias variances are
symbols of the program, which is therefore written down once for a whole sweep.

**Accuracy** here is absolute: an error of e in every K/K(1) moves the share by at most :math:`e\binom dk^{1/2}`. Points with
\|t\| >= u, which together weigh less than the accuracy wanted (Hoeffding; :func:`numerics.cube_sum.outside`), are left out and their
bound is added to the ball. The working precision starts with four bits a layer to spare, which is about what the recursion of
ball arithmetic loses at d = 128, and is doubled where that was not enough.

>>> import symspec as ss
>>> rows = shares_by_depth(ss.relu, "ntk", 7, 2, (2, 2), range(8), 64)
>>> [row[1].str(8, radius=False) for row in rows]
['0.50000000', '0.31116867', '0.23273089']
>>> all(sum(row, arb(0)).contains(1) for row in rows)
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

from flint import arb, arb_mat, fmpq, fmpz
from sympy import Expr, S, Symbol

from symspec.activations import Activation
from symspec.errors import DomainError, Undecided
from symspec.exact import exact
from symspec.functions import NEITHER, ODD
from symspec.kernel import Kernel
from symspec.network import Network, Parametrisation, mlp
from symspec.program import Program, Tape, compile_lines

from . import columns, real
from .constants import ball
from .cube_series import log2_binomial
from .cube_sum import WINDOW_FROM, characters, outside, window
from .precision import working_precision
from .values import at_exact

HyperParameters = tuple[Any, Any]
WEIGHT, BIAS = Symbol("sigma_w2", positive=True), Symbol("sigma_b2", positive=True)
GUARD = 32
BITS_A_LAYER = 4
CHUNK = 256


@dataclass(frozen=True)
class DepthTapes:
    """The recursion with the kernel of each depth as an output, off and on the diagonal, and the kernels themselves."""

    inside: Tape
    diagonal: Tape
    kernels: tuple[Kernel, ...]


@dataclass(frozen=True)
class _Opposite:
    """K(-1) of one depth by an argument of its own (:func:`numerics.values.at_exact`), at the working precision."""

    activation: Activation
    part: str
    weight: Expr
    bias: Expr

    def value(self, depth: int) -> arb:
        net = network(self.activation, depth, (self.weight, self.bias))
        return at_exact(net.ck if self.part == "ck" else net.ntk, S.NegativeOne)


def shares_by_depth(activation: Activation, part: str, d: int, max_depth: int, parameters: HyperParameters, degrees: Sequence[int], bits: int) -> list[list[arb]]:
    """The share of each degree (columns) in the "ck" or "ntk" of each depth 0, ..., max_depth (rows).

    Every ball has a radius of about 2^-bits, or is exactly 0 where the share is. ``parameters`` are (sigma_w2, sigma_b2) of every
    dense layer, exact numbers. Raises DomainError for an infinite tangent kernel, Undecided where the recursion loses all bits.
    """
    weight, bias = (exact(parameter, name) for parameter, name in zip(parameters, ("sigma_w2", "sigma_b2"), strict=True))
    if part == "ntk" and activation.form.jumps:
        raise DomainError("this tangent kernel is infinite on the diagonal: the activation has a jump, and no share can be taken; use the conjugate kernel")
    tapes = _tapes(activation, part, max_depth, weight, bias)
    precision = bits + GUARD + ceil(max((log2_binomial(d, k) for k in degrees), default=0.0) / 2) + BITS_A_LAYER * max_depth
    start = precision
    while True:
        with working_precision(precision):
            # A program that divides by zero at correlation -1 does so at any precision.
            opposite = _Opposite(activation, part, weight, bias) if precision > start else None
            rows = _attempt(tapes, d, degrees, bits, {WEIGHT.name: ball(weight), BIAS.name: ball(bias)}, opposite)
            if all(value.is_finite() and value.rad() < arb(2) ** -bits for row in rows for value in row):
                return rows
        precision *= 2
        if precision > 64 * start:
            raise Undecided(f"the shares of depth 0 to {max_depth} for sigma_w2={weight}, sigma_b2={bias} are not known to {bits} bits at a working precision of {precision // 2} bits")


def network(activation: Activation, depth: int, parameters: HyperParameters) -> Network:
    """The network of one point of a sweep."""
    return mlp(activation, depth, sigma_w2=parameters[0], sigma_b2=parameters[1])


def _tapes(activation: Activation, part: str, max_depth: int, weight: Expr, bias: Expr) -> DepthTapes:
    # Whether a fast growing activation has second moments hangs on the numbers: no symbols there.
    if activation.form.growth.is_positive:
        return _compiled(activation, part, max_depth, weight, bias)
    return _compiled(activation, part, max_depth, WEIGHT, S.Zero if bias == 0 else BIAS)


@lru_cache(maxsize=8)
def _compiled(activation: Activation, part: str, max_depth: int, weight: Expr, bias: Expr) -> DepthTapes:
    kernels = Network(activation, max_depth, Parametrisation(weight, bias)).by_depth(part)
    lines, outputs = kernels[-1].program.lines, tuple(kernel.program.output for kernel in kernels)
    symbols = (WEIGHT, BIAS)
    return DepthTapes(compile_lines(lines, outputs, symbols), compile_lines(Program(lines, outputs[-1]).on_diagonal.lines, outputs, symbols), kernels)


def _attempt(tapes: DepthTapes, d: int, degrees: Sequence[int], bits: int, numbers: dict[str, arb], opposite: _Opposite | None) -> list[list[arb]]:
    ends = tapes.diagonal.run(real.table(arb(0), arb(1), ball) | {"symbol": lambda name: numbers[name]})
    widest = max((log2_binomial(d, k) for k in degrees), default=0.0)
    first = window(d, ceil(bits + widest)) if d >= WINDOW_FROM else 0
    totals = arb_mat(len(degrees), len(ends))
    inner = range(max(first, 1), d + 1 - first)
    for low in range(inner.start, inner.stop, CHUNK):
        points = range(low, min(low + CHUNK, inner.stop))
        values = _values(tapes, d, points, numbers)
        if points[-1] == d:
            values = [_mended(value, depth, tapes.kernels[depth], ends[depth], opposite) for depth, value in enumerate(values)]
        totals += _weights(d, points, degrees) * arb_mat([[value[i] if isinstance(value, list) else value for value in values] for i in range(len(points))])
    if first == 0:
        totals += _weights(d, range(1), degrees) * arb_mat([ends])
    rests = [(outside(d, k, first) * fmpz.bin_uiui(d, k)).upper() if first else arb(0) for k in degrees]
    return [
        [arb(0) if kernel.support is not None and kernel.support.vanishes_at(k) else totals[i, depth] / ends[depth] + arb(0, rests[i]) for i, k in enumerate(degrees)]
        for depth, kernel in enumerate(tapes.kernels)
    ]


def _values(tapes: DepthTapes, d: int, points: range, numbers: dict[str, arb]) -> list[Any]:
    """One column (or a single ball, for a constant kernel) a depth."""
    theta = [real.archav(arb(fmpq(r, d))) for r in points]
    rho = [arb(fmpq(d - 2 * r, d)) for r in points]
    return tapes.inside.run(columns.table(theta, rho, numbers))


def _mended(value: Any, depth: int, kernel: Kernel, end: arb, opposite: _Opposite | None) -> Any:
    """The column with its last entry, K(-1), by the symmetry of the kernel, or by the argument of numerics.values where it is not finite."""
    if not isinstance(value, list):
        return value
    if kernel.symmetry != NEITHER:
        return [*value[:-1], -end if kernel.symmetry == ODD else end]
    return value if value[-1].is_finite() or opposite is None else [*value[:-1], opposite.value(depth)]


def _weights(d: int, points: range, degrees: Sequence[int]) -> arb_mat:
    """2^-d C(d, r) K_k(r): a row a degree, a column a point."""
    table = _characters(d, tuple(degrees), points.start, points.stop)
    scale = arb(2) ** -d
    return arb_mat([[scale * entry for entry in row] for row in table])


@lru_cache(maxsize=64)
def _characters(d: int, degrees: tuple[int, ...], start: int, stop: int) -> tuple[tuple[fmpz, ...], ...]:
    folded = {k: min(k, d - k) for k in degrees}
    top = max(folded.values())
    sums = {r: characters(d, r, top) for r in range(start, stop)}

    def weight(k: int, r: int) -> fmpz:
        value = fmpz.bin_uiui(d, r) * sums[r][folded[k]]
        return -value if folded[k] != k and r % 2 else value

    return tuple(tuple(weight(k, r) for r in range(start, stop)) for k in degrees)


__all__ = ["HyperParameters", "network", "shares_by_depth"]
