r"""A Chebyshev series on [-1, 1], evaluated in blocks, with a proved bound of the rounding error.

Clenshaw's rule takes three passes over the data a coefficient. Written in blocks of m,

.. math:: \sum_{j} c_jT_j(x)=\sum_{b<q}T_b(z)\,r_b(x),\qquad z=T_m(x),\quad r_b=\sum_{i<m}d_{bi}T_i(x),

(from :math:`2T_iT_{mb}=T_{mb+i}+T_{mb-i}`, a Paterson-Stockmeyer scheme that stays in the Chebyshev
basis, so that no coefficient grows) it takes about 2m passes for the :math:`T_i`, one small matrix
product for all :math:`r_b`, and 3q passes of Clenshaw in z.

**Rounding** (:attr:`BlockedSeries.rounding`), u = 2^-53, x any double in [-1, 1]. The computed
:math:`\hat T_{i+1}=\mathrm{fl}(\mathrm{fl}(2x\hat T_i)-\hat T_{i-1})` commits at most 3u(1+10^-9) a step; a
perturbation at step k reaches :math:`T_i` multiplied by :math:`U_{i-k}`, :math:`|U_j|\le j+1`, so
:math:`|\hat T_i-T_i|\le E_i=\tfrac32 i(i-1)u(1+10^{-9})`. With :math:`R_b=\sum_i|d_{bi}|`, each inner product is off
by at most :math:`\rho_b=\sum_i|d_{bi}|(E_i+u)+\gamma_mR_b` in any order of summation (Higham, Accuracy and
Stability of Numerical Algorithms, section 3.1; the u is the rounding of :math:`d_{bi}`). A perturbation of
step b of Clenshaw's rule is one of the coefficient of :math:`T_b(z)`, and :math:`|b_b|\le B_b=\sum_{k\ge b}(k-b+1)R_k`,
so that rule adds at most :math:`u\sum_b(B_b+4B_{b+1}+B_{b+2})`. The error :math:`E_m` of z is multiplied by at
most :math:`\sum_b b^2R_b`. The sum is inflated by a hundredth for products of these terms and for
z outside [-1, 1] by rounding.

>>> import numpy
>>> series = blocked(numpy.array([1.0, 0.5, 0.25, 0.125, 0.0625]))
>>> x = numpy.array([-1.0, 0.3, 1.0])
>>> exact = numpy.polynomial.chebyshev.chebval(x, [1.0, 0.5, 0.25, 0.125, 0.0625])
>>> bool(abs(series.values(x) - exact).max() <= series.rounding), series.rounding < 1e-14
(True, True)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy

UNIT = 2.0**-53
INFLATION = 1.01


@dataclass(frozen=True)
class BlockedSeries:
    """``blocks[b][i]`` is d_bi of the module docstring; all rows have the same length m >= 2."""

    blocks: tuple[tuple[float, ...], ...]

    @property
    def block_size(self) -> int:
        return len(self.blocks[0])

    @cached_property
    def rounding(self) -> float:
        """Proved bound of |computed - exact| for every double x in [-1, 1]; see the module docstring."""
        m, q = self.block_size, len(self.blocks)
        basis = [1.5 * i * (i - 1) * UNIT for i in range(m + 1)]
        sums = [sum(abs(d) for d in row) for row in self.blocks]
        gamma = m * UNIT / (1.0 - m * UNIT)
        inner = sum(sum(abs(d) * (basis[i] + UNIT) for i, d in enumerate(row)) + gamma * total for row, total in zip(self.blocks, sums, strict=True))
        reach = [sum((k - b + 1) * sums[k] for k in range(b, q)) for b in range(q)] + [0.0, 0.0]
        clenshaw = UNIT * sum(reach[b] + 4 * reach[b + 1] + reach[b + 2] for b in range(q)) if q > 1 else 0.0
        argument = basis[m] * sum(b * b * total for b, total in enumerate(sums))
        return INFLATION * (inner + clenshaw + argument)

    def workspace(self, size: int, xp: Any) -> Workspace:
        """Buffers for pieces of up to ``size`` entries: (m + q + 3) * size doubles."""
        matrix = xp.asarray(numpy.array(self.blocks))
        return Workspace(matrix, *(xp.empty(rows * size) for rows in (self.block_size, len(self.blocks), 3)))

    def evaluate(self, x: Any, out: Any, work: Workspace, xp: Any) -> None:
        """Write the series at x into out (one-dimensional, at most the size of the workspace; they may be the same)."""
        size, m, q = x.shape[0], self.block_size, len(self.blocks)
        basis, inner, scratch = (flat[: rows * size].reshape(rows, size) for flat, rows in ((work.basis, m), (work.inner, q), (work.scratch, 3)))
        double, z, spare = scratch[0], scratch[1], scratch[2]
        xp.multiply(x, 2.0, out=double)
        basis[0] = 1.0
        basis[1] = x
        for i in range(2, m):
            _step(double, basis[i - 1], basis[i - 2], basis[i], xp)
        xp.matmul(work.matrix, basis, out=inner)
        if q == 1:
            out[...] = inner[0]
            return
        _step(double, basis[m - 1], basis[m - 2], z, xp)
        self._clenshaw(z, inner, spare, out, xp)

    def _clenshaw(self, z: Any, inner: Any, spare: Any, out: Any, xp: Any) -> None:
        """Clenshaw's rule in z on the rows of ``inner``, which it overwrites."""
        q = len(self.blocks)
        twice = xp.add(z, z, out=out)
        for b in range(q - 2, 0, -1):
            xp.multiply(twice, inner[b + 1], out=spare)
            if b + 2 < q:
                spare -= inner[b + 2]
            inner[b] += spare
        xp.multiply(z, inner[1], out=out)
        if q > 2:
            out -= inner[2]
        out += inner[0]

    def values(self, x: Any, xp: Any = numpy) -> Any:
        """The series at a one-dimensional array x."""
        out = xp.empty_like(x)
        self.evaluate(x, out, self.workspace(x.shape[0], xp), xp)
        return out


@dataclass(frozen=True)
class Workspace:
    """Buffers of :meth:`BlockedSeries.evaluate`, one a thread: flat, so that every view of them is contiguous."""

    matrix: Any
    basis: Any
    inner: Any
    scratch: Any


def _step(double: Any, now: Any, before: Any, out: Any, xp: Any) -> None:
    xp.multiply(double, now, out=out)
    out -= before


def block_size(terms: int) -> int:
    """The m that makes the number of passes 2m + 3 ceil(terms/m) least."""
    return min(range(2, max(3, terms + 1)), key=lambda m: (2 * m + 3 * -(-terms // m), m))


def blocked(coefficients: numpy.ndarray, size: int | None = None) -> BlockedSeries:
    """The series with the given Chebyshev coefficients (float64, c_0 first), in blocks of ``size``.

    The blocks are computed exactly and rounded once.
    """
    m = size or block_size(len(coefficients))
    q = max(1, -(-len(coefficients) // m))
    c = [Fraction(float(value)) for value in coefficients] + [Fraction(0)] * (m * q - len(coefficients))
    rows: list[tuple[float, ...]] = []
    for b in range(q - 1, 0, -1):
        high = c[m * b : m * (b + 1)]
        rows.append(tuple(float(value) for value in [high[0], *(2 * value for value in high[1:])]))
        for i in range(1, m):
            c[m * b - i] -= high[i]
    rows.append(tuple(float(value) for value in c[:m]))
    return BlockedSeries(tuple(reversed(rows)))
