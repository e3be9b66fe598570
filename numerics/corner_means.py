r"""Means of derivatives that are infinite where all pixels are equal: two units below a kink.

In :mod:`numerics.cone_constants` the mean :math:`E[J(t_O)]` is taken of a function J with a power series with coefficients >= 0 that may be infinite, yet integrable, at the
corner :math:`t_O=1`: two units below w leave :math:`\hat\sigma''(\rho_w)`, which for an activation :math:`a\,x_++b\,(-x)_+` is :math:`A/\sqrt{1-\rho_w^2}`. Then no rule with a
point at the corner bounds the mean from above. For pixels in :math:`\mathbf R^3`, whose correlations are uniform on [-1, 1], it is enclosed here as follows.

* :math:`E[J]=\int_{[0,1]^d}J_s`, :math:`J_s(t)=2^{-d}\sum_{\varepsilon=\pm1}J(\varepsilon t)`, which has coefficients >= 0, too: all its derivatives are >= 0 on :math:`[0,1)^d`.
* On panels of [0, 1], halved towards 1, Gauss rules are below and Gauss-Lobatto rules above, as their errors are derivatives of even order with the signs + and -, and likewise
  their products, one variable after the other.
* On the last panel of all axes, :math:`[1-\delta,1]^d`, :math:`J_s\le J`, and with :math:`y=1-t`, :math:`s=\max y_i/\delta`:
  :math:`1-\rho_w(t)\ge1-\rho_w(1-s\delta e_i)\ge s\,m`, :math:`m=\min_i(1-\rho_w(1-\delta e_i))`, as :math:`\rho_w` increases and is convex along the axis.
  So :math:`\hat\sigma''\le A(sm)^{-1/2}`, whose mean over the cube is
  :math:`Am^{-1/2}\frac d{d-1/2}` for the d pixels that w sees; everything else in J is at most its value at the corner, and every term of J holds one such factor, as two
  variations meet once.

Other kernels, dimensions and degrees raise Undecided.

>>> import symspec as ss
>>> from .cone_constants import cone_leading
>>> law = ss.cone_law(ss.cnn(ss.relu, 2, 4, 4, first_layer="pointwise").ck, 3)
>>> print(cone_leading(law, (32, 32, 0, 0), 3).str(3, radius=False))
1.63e-17
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import ceil
from typing import Any

import numpy
import sympy
from flint import arb
from sympy import Expr

from symspec.cone_terms import Term
from symspec.errors import Undecided
from symspec.pair_dual import PairDual
from symspec.pixel_jets import mixed
from symspec.program import RHO

from .constants import ball
from .gauss_rules import gauss_rule, lobatto_rule
from .jets_on_grids import OnGrids
from .precision import meets, working_precision

GUARD = 64
FIRST_POINTS, MOST_POINTS, MOST_NODES = 4, 16, 300_000
Image = dict[int, int]


def corner_mean(term: Term, images: Sequence[Image], bits: int) -> arb:
    """The mean over the other pixels of the sum of J at images, the first being t_U = 1; to ``bits`` of relative accuracy. Undecided outside the class of the module."""
    axes = len(term.others)
    if term.channels != 3 or len(term.units) != 2 or term.program.reads_slopes():
        raise Undecided(
            f"the mean over the pixels {list(term.others)} is an integral of a function that is infinite where they are equal, enclosed only for the conjugate kernel, two units and pixels in R^3; "
            "law.leading gives it exactly"
        )
    halvings = ceil((bits + 6) / (axes - 0.5))
    for points in range(FIRST_POINTS, MOST_POINTS):
        if ((halvings + 1) * points) ** axes > MOST_NODES:
            break
        with working_precision(bits + GUARD):
            low = _ruled(term, images, halvings, points, lobatto=False)
            high = _ruled(term, images, halvings, points, lobatto=True) + _corner(term, halvings) * len(images)
            value = low.lower().union(high.upper())
        if meets(value, bits):
            return value
    raise Undecided(f"the mean over the pixels {list(term.others)} is infinite at its corner, and its digits need more than {MOST_NODES} points; ask for fewer")


def _panels(halvings: int, points: int, *, lobatto: bool) -> tuple[list[arb], list[arb]]:
    """1 - t and the weights of a composite rule on [0, 1]; the last ``points`` are those of the panel that ends at 1."""
    nodes, weights = (lobatto_rule if lobatto else gauss_rule)(3, points, 2 * GUARD)
    far, shares = [], []
    for level in range(halvings + 1):
        # 1 - t from near to wide; the last panel has near = 0.
        wide = arb(2) ** -level
        near = wide / 2 if level < halvings else arb(0)
        far += [near + (wide - near) * (1 - x) / 2 for x in nodes]
        shares += [weight * (wide - near) for weight in weights]
    return far, shares


def _ruled(term: Term, images: Sequence[Image], halvings: int, points: int, *, lobatto: bool) -> arb:
    """The product of composite rules applied to J_s; of Lobatto rules without the last panel of all axes."""
    far, shares = _panels(halvings, points, lobatto=lobatto)
    axes = len(term.others)
    total: Any = arb(0)
    for signs in product((1, -1), repeat=axes):
        states = {
            pixel: numpy.array([e if sign > 0 else 2 - e for e in far], dtype=object).reshape([-1 if place == axis else 1 for place in range(axes)])
            for axis, (pixel, sign) in enumerate(zip(term.others, signs, strict=True))
        }
        for image in images:
            total = total + mixed(term.program, OnGrids(states.__getitem__), image, term.varied)
    grid = numpy.array(numpy.broadcast_to(numpy.asarray(total, dtype=object), (len(far),) * axes))
    if lobatto:
        grid[(slice(-points, None),) * axes] = arb(0)
    for _ in range(axes):
        grid = numpy.dot(grid, numpy.array(shares, dtype=object))
    value: arb = grid if isinstance(grid, arb) else grid.item()
    if not value.is_finite():
        raise Undecided(f"the mean over the pixels {list(term.others)} is infinite beyond its corner, which is not enclosed; law.leading gives it exactly")
    return value / 2**axes


def _corner(term: Term, halvings: int) -> arb:
    """The bound of the integral of J over [1 - delta, 1]^d."""
    delta, axes = arb(2) ** -halvings, len(term.others)
    states = {pixel: numpy.array([arb(0), *(delta if place == axis else arb(0) for place in range(axes))], dtype=object) for axis, pixel in enumerate(term.others)}
    value = numpy.asarray(mixed(term.program, _AtCorner(states.__getitem__), dict.fromkeys(term.image, 1), term.varied), dtype=object)
    return value.reshape(-1)[0] * delta**axes


class _AtCorner(OnGrids):
    """Arrays of the corner and the points 1 - delta e_i; second derivatives that are infinite at the corner are their bounds in the mean over the cube there."""

    def activated(self, dual: PairDual, q: Expr, state: Any, count: int) -> tuple[Any, list[Any]]:
        after, derivatives = super().activated(dual, q, state, count)
        entries = numpy.asarray(state, dtype=object)
        if count > 1 and entries.ndim and entries[0] == 0 and not derivatives[1][0].is_finite():
            unseen = [bool(entry == 0) for entry in entries[1:]]
            seen = [entry for entry, absent in zip(entries[1:], unseen, strict=True) if not absent]
            least = min(entry.lower() for entry in seen) / ball(q)
            bound = ball(_strength(dual, q)) / least.sqrt() * len(seen) / (arb(len(seen)) - arb(0.5))
            derivatives[1] = numpy.array([bound, *derivatives[1][1:]], dtype=object)
        return after, derivatives


def _strength(dual: PairDual, q: Expr) -> Expr:
    """A of the second derivative A/sqrt(1 - rho^2) by the covariance."""
    from symspec.expectation import Q

    found = sympy.simplify(dual.derivative(2) * sympy.sqrt(1 - RHO**2))
    if RHO in found.free_symbols:
        raise Undecided("the mean of a function that is infinite where pixels are equal is enclosed for activations a max(x, 0) + b max(-x, 0) only; law.leading gives it exactly")
    return found.xreplace({Q: q})


__all__ = ["corner_mean"]
