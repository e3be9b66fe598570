r"""Certified leading terms of eigenvalues along rays, and tables of certified eigenvalues over them.

The leading term of :mod:`symspec.cone_terms` is a sum of products of exact constants, of means :math:`E[J(t_O)\prod P_{k_i}(t_i)]` over the pixels that the deciding units do
not see, and, where units overlap, of integrals (:mod:`numerics.cone_integrals`).

**The means.** At the image :math:`t_U=1` J is a power series with coefficients :math:`b_\alpha\ge0` in :math:`t_O`, so that products of Gauss and Gauss-Lobatto rules enclose
its mean as they do an eigenvalue (:mod:`numerics.product_rules`). At an image with reversed pixels it is :math:`J'=\sum b'_\alpha t^\alpha` with :math:`|b'_\alpha|\le
b_\alpha`, and :math:`J+J'` has coefficients >= 0 again: the mean is the difference of two that are enclosed. J is run on the grids in balls by the ring of
:mod:`symspec.pixel_jets`. Where it is infinite at the corner :math:`t_O=1`, as for two units below a kink, the upper bound is infinite, too; :mod:`numerics.corner_means`
encloses the mean in the simplest cases, and in others it is Undecided: the exact integral still stands in :meth:`symspec.receptive_cones.ConeLaw.leading`.

>>> import symspec as ss
>>> net = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")
>>> print(ray_table(net.ck, ss.MultiSphere(3, 2), (1, 0), [4, 8, 16], 4))
   k  eigenvalue  leading term  ratio
 4,0   0.0002621     0.0001697  1.545
 8,0    7.979e-6      7.056e-6  1.131
16,0    2.642e-7       2.56e-7  1.032
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy
from flint import arb
from sympy import Expr, Rational

from symspec.cone_terms import Term
from symspec.errors import InputError, Undecided
from symspec.multisphere import MultiIndex, MultiSphere
from symspec.pixel_jets import mixed
from symspec.receptive_cones import ConeLaw, cone_law

from .cone_integrals import transform
from .constants import ball
from .corner_means import corner_mean
from .jets_on_grids import OnGrids
from .multisphere import multi_indices, require_images
from .pixel_balls import finite_entries
from .precision import goal_bits, meets, working_precision
from .product_rules import Grids, bracketed, singular_pixels
from .spectrum import eigenvalues

GUARD = 64
SPARE = 4
LEADING_DIGITS = 6


def cone_leading(law: ConeLaw, index: Any, digits: Any = LEADING_DIGITS, *, support: Any = None) -> arb:
    """The leading term of lambda_k at a multi-index to ``digits`` significant digits; exactly 0 where the eigenvalues of its parity are.

    k grows in the pixels of ``support``, those with an entry above 0 unless given. Raises as :meth:`symspec.receptive_cones.ConeLaw.leading`, and Undecided where a mean is out
    of reach or the terms cancel.
    """
    k = law.multi_index(index)
    terms = law.terms_at(k, support)
    bits = goal_bits(digits)
    if not terms:
        return arb(0)
    with working_precision(bits + GUARD):
        total = sum((_leading(term, k, bits + SPARE, law.memo) for term in terms), arb(0))
    if not meets(total, bits):
        raise Undecided(f"the leading terms at {k} are not told from 0 to {digits} digits: those of opposite signs cancel, and if they do exactly the next order decides")
    return total


def _leading(term: Term, k: MultiIndex, bits: int, known: dict[Any, Any]) -> arb:
    parity = term.parity(dict(enumerate(k)))
    if parity == 0:
        return arb(0)
    return ball(term.weight * parity * term.size()) * _mean(term, k, bits, known) * _transform(term, k, bits)


def _mean(term: Term, k: MultiIndex, bits: int, known: dict[Any, Any]) -> arb:
    """E[J prod P_k] over the other pixels."""
    degrees = tuple(k[pixel] for pixel in term.others)
    if not term.reaches(dict(enumerate(k))):
        return arb(0)
    if not term.others:
        return ball(term.mean({}))
    plain = _enclosed(term, degrees, bits, with_image=False, known=known)
    return _enclosed(term, degrees, bits, with_image=True, known=known) - plain if term.reversed else plain


def _enclosed(term: Term, degrees: MultiIndex, bits: int, *, with_image: bool, known: dict[Any, Any]) -> arb:
    """The mean of J at t_U = 1, or of the sum of that and of J at the image."""
    images = [dict.fromkeys(term.image, 1), *([term.image] if with_image else [])]
    key = ("mean", term.program, tuple(term.varied), term.union, degrees, term.reversed if with_image else None, bits)
    if key not in known:
        lonely = singular_pixels(term.program)
        grids = Grids(partial(_values, term, images), term.channels, degrees, tuple(pixel in lonely for pixel in term.others))
        try:
            known[key] = bracketed(grids, [{degrees: Fraction(1)}], bits)[0]
        except _InfiniteCorner:
            if any(degrees):
                raise
            known[key] = corner_mean(term, images, bits)
    value: arb = known[key]
    return value


def _values(term: Term, images: Sequence[dict[int, int]], states: list[Any]) -> Any:
    axes = {pixel: points.reshape([-1 if place == axis else 1 for place in range(len(states))]) for axis, (pixel, points) in enumerate(zip(term.others, states, strict=True))}
    total: Any = arb(0)
    for image in images:
        total = total + mixed(term.program, OnGrids(axes.__getitem__), image, term.varied)
    grid = numpy.array(numpy.broadcast_to(numpy.asarray(total, dtype=object), tuple(map(len, states))))
    if not finite_entries(grid).all():
        raise _InfiniteCorner(f"the mean over the pixels {list(term.others)} is an integral of a function that is infinite where they are equal; law.leading gives it exactly")
    return grid


class _InfiniteCorner(Undecided):
    """The upper rules meet a point where J is infinite."""


def _transform(term: Term, k: MultiIndex, bits: int) -> arb:
    frequencies: dict[int, Expr] = {pixel: k[pixel] + Rational(term.channels - 2, 2) for pixel in sorted(term.union)}
    value = arb(1)
    for group in term.groups:
        value = value * transform(group, term.channels - 1, frequencies, bits)
    return value


@dataclass(frozen=True)
class RayRow:
    """A multi-index, its certified eigenvalue and leading term, and their quotient; None where both are exactly 0."""

    index: MultiIndex
    eigenvalue: arb
    leading: arb
    ratio: arb | None


@dataclass(frozen=True, repr=False)
class RayTable:
    """Certified eigenvalues along a ray over their leading terms; ``missing`` are the multi-indices whose digits were out of reach."""

    law: ConeLaw
    support: tuple[int, ...]
    digits: int
    rows: tuple[RayRow, ...]
    missing: tuple[MultiIndex, ...] = ()

    @property
    def exponent(self) -> int:
        return self.law.exponent(self.support)

    def __str__(self) -> str:
        head = ("k", "eigenvalue", "leading term", "ratio")
        cells = [head, *(self._cells(row) for row in self.rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
        return "\n".join("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells)

    __repr__ = __str__

    def latex(self) -> str:
        """A tabular of booktabs."""
        rows = [" & ".join([rf"$({cells[0]})$", *map(_scientific, cells[1:])]) for cells in map(self._cells, self.rows)]
        head = r"$k$ & $\lambda_k$ & leading term & ratio"
        return "\n".join([r"\begin{tabular}{rrrr}\toprule", rf"{head} \\ \midrule", *(rf"{row} \\" for row in rows), r"\bottomrule\end{tabular}"])

    def _repr_latex_(self) -> str:
        return self.latex()

    def _cells(self, row: RayRow) -> tuple[str, str, str, str]:
        from .exact_text import rounded_text

        ratio = "-" if row.ratio is None else rounded_text(row.ratio, self.digits)
        return ",".join(map(str, row.index)), rounded_text(row.eigenvalue, self.digits), rounded_text(row.leading, self.digits), ratio


def _scientific(text: str) -> str:
    """A decimal in LaTeX."""
    digits, _, exponent = text.partition("e")
    return f"${digits}" + (rf"\cdot10^{{{int(exponent)}}}$" if exponent else "$")


def ray_table(kernel: Any, domain: MultiSphere, direction: Any, scales: Sequence[int], digits: Any = LEADING_DIGITS, *, offset: Any = None) -> RayTable:
    """Certified eigenvalues at s * direction + offset for the scales s, each with its leading term and their ratio, to ``digits`` significant digits.

    The ray grows in the pixels where ``direction`` is above 0; ``offset`` (0 unless given) has the degrees of the others. Multi-indices whose digits are out of reach are named
    in ``missing``. Raises as :func:`symspec.receptive_cones.cone_law` and :func:`cone_leading`, Undecided where no eigenvalue is in reach.
    """
    images = require_images(kernel, domain)
    ray = multi_indices(domain, [direction])[0]
    start = multi_indices(domain, [offset])[0] if offset is not None else (0,) * domain.pixels
    support = tuple(pixel for pixel, n in enumerate(ray) if n)
    if not support or not scales:
        raise InputError("a table along a ray needs a direction that is not 0, and scales")
    law = cone_law(images, domain.channels)
    rows, missing = [], []
    bits, reason = goal_bits(digits), ""
    for index in multi_indices(domain, [tuple(scale * n + m for n, m in zip(ray, start, strict=True)) for scale in scales]):
        try:
            value = eigenvalues(images, domain, [index], digits)[0]
        except Undecided as error:
            missing.append(index)
            reason = str(error)
            continue
        leading = cone_leading(law, index, digits, support=support)
        with working_precision(bits + GUARD):
            rows.append(RayRow(index, value, leading, value / leading if leading != 0 else None))
    if not rows:
        raise Undecided(reason)
    return RayTable(law, support, bits and int(digits), tuple(rows), tuple(missing))


__all__ = ["RayRow", "RayTable", "cone_leading", "ray_table"]
