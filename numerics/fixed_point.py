r"""Sums of powers :math:`S_m=\sum_jw_jz_j^m`, :math:`|z_j|=1`, for all m below a bound: two matrices multiplied in fixed point.

With :math:`m=r+Bs,\ |r|\le h,\ B=2h+1`, the sums are the product of the matrix :math:`w_jz_j^r` and that of :math:`(z_j^B)^s`; as the :math:`w_j` are real, the rows of negative r are
conjugates. As integers, scaled by :math:`2^p`, both are made by repeated multiplication with rounding down, and their product takes a twentieth of the time that balls would take.

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
from typing import Any

import numpy
from flint import acb, arb, ctx, fmpz_mat

from symspec.errors import Undecided

Pair = tuple[Any, Any]  # arrays of Python integers: numpy only walks through them


def power_sums(bases: list[acb], weights: list[arb], top: int) -> Callable[[int], acb]:
    """m -> S_m for 0 <= m <= top, enclosures at about the working precision relative to the sum of the moduli of the weights.

    The bases must be balls of numbers of modulus 1. Raises Undecided for balls that are too wide.
    """
    precision, count, half = ctx.prec, len(bases), isqrt(top // 2)
    width = 2 * half + 1
    giants = (top + half) // width + 1
    exponent = _exponent(sum((abs(weight) for weight in weights), arb(0)).upper())
    small, epsilon = _fixed(bases, precision)
    large, giant_epsilon = _fixed([base**width for base in bases], precision)
    start, start_error = _fixed([acb(weight / arb(2) ** exponent) for weight in weights], precision)
    first_error = _grown(start_error, epsilon, half, precision)
    second_error = _grown(arb(0), giant_epsilon, giants, precision)
    a, b = _matrices(start, small, half + 1, precision)
    c, d = (matrix.transpose() for matrix in _matrices(_pair([1 << precision] * count, [0] * count), large, giants, precision))
    ac, bd, ad, bc = a * c, b * d, a * d, b * c
    # Of r >= 0, and of -r: the conjugate of w z^r.
    signs = {1: (ac - bd, ad + bc), -1: (ac + bd, ad - bc)}
    error = arb(0, ((first_error * count + second_error) * arb("1.01")).upper())
    unit, scale = arb(2) ** (-2 * precision), arb(2) ** exponent

    def entry(m: int) -> acb:
        j = (m + half) // width
        r = m - width * j
        real, imag = signs[-1 if r < 0 else 1]
        return acb((arb(real[abs(r), j]) * unit + error) * scale, (arb(imag[abs(r), j]) * unit + error) * scale)

    return entry


def _exponent(largest: arb) -> int:
    """An e with 2^e >= largest, close to the least."""
    if largest == 0:
        return 0
    mantissa, exponent = largest.man_exp()
    return int(exponent) + int(abs(mantissa)).bit_length()


def _fixed(values: list[acb], precision: int) -> tuple[Pair, arb]:
    """Real and imaginary parts times 2^p rounded down, and the largest modulus of an error."""
    scale, widest = arb(2) ** precision, arb(0)
    found: tuple[list[int], list[int]] = [], []
    for value in values:
        for part, column in zip((value.real * scale, value.imag * scale), found, strict=True):
            widest = widest.max(part.rad())
            column.append(int(part.mid().floor().unique_fmpz()))
    # A part is off by its radius and by less than 1.
    return _pair(*found), ((widest + 1) * arb("1.4143") / scale).upper()


def _pair(real: list[int], imag: list[int]) -> Pair:
    return numpy.array(real, dtype=object), numpy.array(imag, dtype=object)


def _grown(start: arb, epsilon: arb, count: int, precision: int) -> arb:
    """e_r for r <= count."""
    if not epsilon * count <= arb("0.009"):
        raise Undecided("the bases of power sums are not known well enough")
    return ((start + count * (epsilon + arb("1.5") / arb(2) ** precision)) * arb("1.01")).upper()


def _matrices(start: Pair, bases: Pair, count: int, precision: int) -> tuple[fmpz_mat, fmpz_mat]:
    """Real and imaginary parts of the rows start * base^0, ..., start * base^(count - 1)."""
    (a, b), (c, d) = start, bases
    real, imag = [a], [b]
    for _ in range(count - 1):
        a, b = (a * c - b * d) >> precision, (a * d + b * c) >> precision
        real.append(a)
        imag.append(b)
    shape = count, len(c)
    return fmpz_mat(*shape, numpy.concatenate(real).tolist()), fmpz_mat(*shape, numpy.concatenate(imag).tolist())


__all__ = ["power_sums"]
