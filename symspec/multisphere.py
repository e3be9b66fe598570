r"""Products of spheres: images whose pixels are independent and uniform on a sphere.

The points are P pixels :math:`x_i\in S^{C-1}`, independent and uniform (probability measure). A kernel that depends on the
correlations :math:`t_i=\langle x_i,z_i\rangle` of equal pixels only is invariant under a rotation of every pixel by itself, so its
eigenfunctions are the products :math:`\prod_iY_{k_i}(x_i)` of harmonics, and they belong to a *multi-index* k = (k_1, ..., k_P):

.. math:: \lambda_k=E\Bigl[K(t)\prod_iP_{k_i}(t_i)\Bigr],\qquad K(t)=\sum_k\prod_iN(C,k_i)\,\lambda_k\prod_iP_{k_i}(t_i),\qquad
          \sum_k\prod_iN(C,k_i)\,\lambda_k=K(1,\dots,1).

**Global average pooling** reads the correlations of all pairs of pixels. With the shifts :math:`g\in G` of the image that permute the
outputs, :math:`K_{gap}(x,z)=\frac1{|G|^2}\sum_{g,h}K_{eq}(gx,hz)`, so it acts on the functions that are invariant under G and vanishes on the
others: for an orbit O of product harmonics, :math:`|O|^{-1/2}\sum_{Y\in O}Y` is an eigenfunction and its eigenvalue is the mean of
:math:`\lambda^{eq}_{gk}` over G, the same as for the trace head. The number of orbits over the multi-indices gk is counted by Burnside's lemma
(:meth:`MultiSphere.orbits`).

>>> space = MultiSphere(3, 2)
>>> space.multiplicity((2, 1)), space.degree([2, 1]), str(space)
(15, (2, 1), 'multisphere:3,2')
>>> swap = ((0, 1), (1, 0))
>>> space.orbits((1, 1), swap), space.orbits((2, 1), swap)
(6, 15)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import sympy
from sympy import Expr, S

from . import gegenbauer
from .domain import Domain, Sphere
from .errors import DomainError, InputError
from .exact import natural

MAX_SPHERES = 1 << 16
MultiIndex = tuple[int, ...]
Permutation = Sequence[int]


@dataclass(frozen=True)
class MultiSphere(Domain):
    """``pixels`` independent uniform points of the sphere in R^channels, channels >= 2; see the module docstring."""

    channels: Any
    pixels: Any

    def __post_init__(self) -> None:
        try:
            channels, pixels = natural(self.channels, "channels", 2), natural(self.pixels, "pixels", 1)
        except InputError as error:
            raise DomainError(f"{error}; multisphere:C,P is P pixels on the sphere of R^C") from None
        if pixels > MAX_SPHERES:
            raise DomainError(f"{pixels} pixels are above {MAX_SPHERES}")
        object.__setattr__(self, "channels", channels)
        object.__setattr__(self, "pixels", pixels)

    @property
    def sphere(self) -> Sphere:
        """The space of one pixel."""
        return Sphere(self.channels)

    @property
    def d(self) -> int:  # type: ignore[override]
        """The dimension of the space of images, channels * pixels."""
        return int(self.channels * self.pixels)

    def degree(self, k: Any) -> MultiIndex:  # type: ignore[override]
        """k as a multi-index. InputError for one of another length or with entries that are no integers >= 0."""
        if isinstance(k, str) or not isinstance(k, Iterable):
            raise InputError(f"a degree on {self.name} is a multi-index of {self.pixels} integers, one a pixel, not {k!r}")
        entries = list(k)
        if len(entries) != self.pixels:
            raise InputError(f"the multi-index {tuple(entries)} has {len(entries)} entries; {self.name} has {self.pixels} pixels")
        return tuple(natural(entry, "degree") for entry in entries)

    @property
    def name(self) -> str:
        return f"the product of {self.pixels} spheres in R^{self.channels}"

    @property
    def latex_name(self) -> str:
        return rf"$(S^{{{self.channels - 1}}})^{{{self.pixels}}}$"

    @property
    def measure(self) -> str:
        return "independent uniform pixels on the sphere"

    @property
    def correlation(self) -> str:
        return r"t_i=\langle x_i,z_i\rangle"

    @property
    def eigenfunction(self) -> str:
        return r"one product $\prod_iY_{k_i}(x_i)$ of spherical harmonics"

    @property
    def zonal_symbol(self) -> str:
        return r"\prod_iP_{k_i}(t_i)"

    @property
    def multiplicity_symbol(self) -> str:
        return r"\prod_iN(C,k_i)"

    def multiplicity(self, k: Any) -> int:
        """The number of product harmonics of a multi-index."""
        return prod(self.sphere.multiplicity(entry) for entry in self.degree(k))

    def orbits(self, k: Any, group: Iterable[Permutation]) -> int:
        """The number of orbits of a group of permutations of the pixels on the product harmonics of all images of k.

        ``group`` lists all its elements g as tuples with (gk)_i = k_{g[i]}. By Burnside's lemma for the stabiliser H of k, acting on the
        labels of the harmonics: (1/|H|) sum over h of the product over the cycles of h of N(C, k_i).
        """
        degrees = self.degree(k)
        stabiliser = [g for g in group if all(degrees[g[i]] == degrees[i] for i in range(self.pixels))]
        total = sum(prod(self.sphere.multiplicity(degrees[cycle[0]]) for cycle in _cycles(g)) for g in stabiliser)
        return total // len(stabiliser)

    def times_t(self, k: Any) -> tuple[Expr, Expr]:
        raise DomainError(f"{self.name} has one correlation a pixel; ask Sphere({self.channels}).times_t for one of them")

    def monomial_eigenvalue(self, n: Any, k: Any) -> Expr:
        """lambda_k of the product of t_i^(n_i)."""
        return sympy.Mul(*(gegenbauer.monomial_eigenvalue(self.channels, a, b) for a, b in zip(self.degree(n), self.degree(k), strict=True)))

    def square_linearisation(self, k: Any) -> tuple[Fraction, ...]:
        raise DomainError("a product of zonal polynomials is linearised pixel by pixel; see square_terms")

    def square_terms(self, k: Any) -> dict[MultiIndex, Fraction]:
        """c_j with (prod P_{k_i}(t_i))^2 = sum_j c_j prod P_{j_i}(t_i); they are > 0 and add up to 1."""
        rows = [[(2 * j, c) for j, c in enumerate(gegenbauer.square_linearisation(entry, self.channels)) if c] for entry in self.degree(k)]
        return {tuple(j for j, _ in choice): prod((c for _, c in choice), start=Fraction(1)) for choice in product(*rows)}

    def zonal_polynomial(self, k: Any) -> Expr:
        """The product of the P_{k_i}, in symbols t_1, ..., t_P."""
        symbols = sympy.symbols(f"t_1:{self.pixels + 1}", real=True)
        return sympy.Mul(*(gegenbauer.polynomial(self.channels, entry).xreplace({gegenbauer.T: t}) if entry else S.One for entry, t in zip(self.degree(k), symbols, strict=True)))

    def __str__(self) -> str:
        return f"multisphere:{self.channels},{self.pixels}"


def _cycles(permutation: Permutation) -> list[list[int]]:
    seen: set[int] = set()
    found = []
    for start in range(len(permutation)):
        if start in seen:
            continue
        cycle, position = [], start
        while position not in seen:
            seen.add(position)
            cycle.append(position)
            position = permutation[position]
        found.append(cycle)
    return found


__all__ = ["MultiIndex", "MultiSphere"]
