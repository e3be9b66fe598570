"""Domains: where the two inputs of a kernel live, and the measure its eigenvalues refer to.

A kernel is a function of the correlation t = <x, y>; a domain says which probability
measure the inputs have, and with it the orthogonal basis that diagonalises the kernel.

>>> Sphere(3).multiplicity(2)
5
>>> Circle() == Sphere(2)
True
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import sympy

from .errors import DomainError, InputError
from .exact import natural


@dataclass(frozen=True)
class Domain:
    """Base of all domains."""


@dataclass(frozen=True)
class Sphere(Domain):
    """Unit sphere S^{d-1} in R^d with its uniform *probability* measure.

    ``d`` is the ambient dimension, d >= 2; a symbol is allowed where a formula in d is
    wanted. The eigenfunctions of degree k are the spherical harmonics, N(d, k) of them.
    """

    d: Any

    def __post_init__(self) -> None:
        if isinstance(self.d, sympy.Symbol):
            return
        try:
            object.__setattr__(self, "d", natural(self.d, "sphere dimension d", 2))
        except InputError as error:
            raise DomainError(f"{error}; S^(d-1) lies in R^d, so sphere:2 is the circle") from None

    def multiplicity(self, k: int) -> int:
        """N(d, k), the number of independent harmonics of degree k."""
        k = natural(k, "degree")
        d = self.d
        if isinstance(d, sympy.Symbol):
            raise InputError("multiplicity needs a numerical dimension; see gegenbauer.multiplicity")
        return comb(k + d - 1, k) - (comb(k + d - 3, k - 2) if k >= 2 else 0)

    def __str__(self) -> str:
        return f"sphere:{self.d}"


def Circle() -> Sphere:
    """The unit circle: the sphere in the plane. Degree k is the frequency."""
    return Sphere(2)


def parse_domain(text: str) -> Domain:
    """Read ``sphere:10`` or ``circle`` as the command line writes them."""
    name, _, argument = text.strip().partition(":")
    if name == "circle" and not argument:
        return Circle()
    if name == "sphere" and argument.isascii() and argument.isdigit() and len(argument) < 10:
        return Sphere(int(argument))
    raise DomainError(f"domain {text[:40]!r} is not known; write sphere:D with D >= 2, or circle")
