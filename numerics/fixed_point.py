r"""Sums of powers :math:`S_m=\sum_jw_jz_j^m`, :math:`|z_j|=1`, for all m below a bound: two matrices multiplied in fixed point.

With :math:`m=r+Bs` the sums are the product of the matrix :math:`w_jz_j^r` and that of :math:`(z_j^B)^s`. As integers, scaled by :math:`2^p`, both are made by repeated
multiplication with rounding down, and their product takes a twentieth of the time that balls would take.

**Errors**, in moduli and units of 1. Let :math:`\sum_j|w_j|\le1` after division by a power of two, let each :math:`z_j` be rounded within :math:`\epsilon`, and one rounding of a product cost
at most :math:`\sqrt2\,2^{-p}`. If :math:`e_r` bounds the error after r multiplications, :math:`e_{r+1}\le(1+\epsilon)e_r+\epsilon+\sqrt2\,2^{-p}`, so with :math:`(1+\epsilon)^r\le1.01`

.. math:: e_r\le1.01\,\bigl(e_0+r(\epsilon+\tfrac32\,2^{-p})\bigr),\qquad
          \Bigl|\sum_ja_jg_j-\sum_j\hat a_j\hat g_j\Bigr|\le\sum_j\bigl(|a_j-\hat a_j||\hat g_j|+|a_j||g_j-\hat g_j|\bigr)\le1.01\,(ne_a+e_g)

for the n rounded :math:`\hat a_j,\hat g_j`, if :math:`e_g\le1/100`.

>>> sums = power_sums([acb(0, 1), acb(-1)], [arb(2), arb(-1)], 7)
>>> print([sums(m).real.str(5, radius=False) for m in range(4)])
['1.0000', '1.0000', '-3.0000', '1.0000']
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

from flint import acb, arb, ctx, fmpz, fmpz_mat

from symspec.errors import Undecided

Pair = tuple[fmpz, fmpz]


def power_sums(bases: list[acb], weights: list[arb], top: int) -> Callable[[int], acb]:
    """m -> S_m for 0 <= m <= top, enclosures at about the working precision relative to the sum of the moduli of the weights.

    The bases must be balls of numbers of modulus 1. Raises Undecided for balls that are too wide.
    """
    precision, count, width = ctx.prec, len(bases), isqrt(top) + 1
    exponent = _exponent(sum((abs(weight) for weight in weights), arb(0)).upper())
    small, epsilon = _fixed(bases, precision)
    large, giant_epsilon = _fixed([base**width for base in bases], precision)
    start, start_error = _fixed([acb(weight / arb(2) ** exponent) for weight in weights], precision)
    first_error = _grown(start_error, epsilon, width, precision)
    second_error = _grown(arb(0), giant_epsilon, top // width + 1, precision)
    first = _rows(start, small, width, precision)
    second = _rows([(fmpz(1) << precision, fmpz(0))] * count, large, top // width + 1, precision)
    (a, b), (c, d) = _matrices(first), _matrices(second)
    c, d = c.transpose(), d.transpose()
    ac, bd = a * c, b * d
    real, imag = ac - bd, (a + b) * (c + d) - ac - bd
    error = arb(0, ((first_error * count + second_error) * arb("1.01")).upper())
    unit, scale = arb(2) ** (-2 * precision), arb(2) ** exponent

    def entry(m: int) -> acb:
        i, j = m % width, m // width
        return acb((arb(real[i, j]) * unit + error) * scale, (arb(imag[i, j]) * unit + error) * scale)

    return entry


def _exponent(largest: arb) -> int:
    """An e with 2^e >= largest, close to the least."""
    if largest == 0:
        return 0
    mantissa, exponent = largest.man_exp()
    return int(exponent) + int(abs(mantissa)).bit_length()


def _fixed(values: list[acb], precision: int) -> tuple[list[Pair], arb]:
    """The values times 2^p rounded down, and the largest modulus of an error."""
    scale, widest, found = arb(2) ** precision, arb(0), []
    for value in values:
        parts = [part * scale for part in (value.real, value.imag)]
        for part in parts:
            widest = widest.max(part.rad())
        found.append(tuple(part.mid().floor().unique_fmpz() for part in parts))
    # A part is off by its radius and by less than 1.
    return found, ((widest + 1) * arb("1.4143") / scale).upper()  # type: ignore[return-value]


def _grown(start: arb, epsilon: arb, count: int, precision: int) -> arb:
    """e_r for r <= count."""
    if not epsilon * count <= arb("0.009"):
        raise Undecided("the bases of power sums are not known well enough")
    return ((start + count * (epsilon + arb("1.5") / arb(2) ** precision)) * arb("1.01")).upper()


def _rows(start: list[Pair], bases: list[Pair], count: int, precision: int) -> list[list[Pair]]:
    """start * base^0, ..., start * base^(count - 1)."""
    rows = [start]
    for _ in range(count - 1):
        rows.append([((a * c - b * d) >> precision, (a * d + b * c) >> precision) for (a, b), (c, d) in zip(rows[-1], bases, strict=True)])
    return rows


def _matrices(rows: list[list[Pair]]) -> tuple[fmpz_mat, fmpz_mat]:
    shape = len(rows), len(rows[0])
    return fmpz_mat(*shape, [a for row in rows for a, _ in row]), fmpz_mat(*shape, [b for row in rows for _, b in row])


__all__ = ["power_sums"]
