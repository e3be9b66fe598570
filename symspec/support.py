r"""Which degrees a kernel's power series reaches: the exact argument behind every exact zero.

Every kernel of a network is a power series :math:`\sum b_n\rho^n` with :math:`b_n\ge0`, since
duals are (Mehler) and sums, products and compositions keep the signs. On a sphere
:math:`\mu_k=\sum_n b_n\,\mu_k(t^n)` with :math:`\mu_k(t^n)>0` exactly for n >= k of the same
parity. Therefore :math:`\mu_k=0` if and only if no such n has :math:`b_n>0`, and all that has to
be known is the largest degree reached in each parity class: -1 for none, infinity for no bound.

The even (odd) part of an activation has a finite Hermite expansion if and only if it is a
polynomial, which the canonical form decides exactly.

>>> relu = Support(even=INFINITE, odd=1)
>>> relu.compose(relu), relu.vanishes_at(3), relu.vanishes_at(1)
(Support(even=inf, odd=inf), True, False)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .form import Form
from .strip import StripForm

INFINITE = math.inf
Degree = float  # an int, -1 for an empty class, or INFINITE


@dataclass(frozen=True)
class Support:
    """Largest even and odd degree with a positive coefficient."""

    even: Degree = -1
    odd: Degree = -1

    def vanishes_at(self, k: int) -> bool:
        """Whether the eigenvalue of degree k on a sphere is exactly zero."""
        return k > (self.odd if k % 2 else self.even)

    @property
    def is_even(self) -> bool:
        return self.odd < 0

    @property
    def is_odd(self) -> bool:
        return self.even < 0

    @property
    def degree(self) -> Degree:
        return max(self.even, self.odd)

    def __add__(self, other: Support) -> Support:
        return Support(max(self.even, other.even), max(self.odd, other.odd))

    def __mul__(self, other: Support) -> Support:
        return Support(
            max(_sum(self.even, other.even), _sum(self.odd, other.odd)),
            max(_sum(self.even, other.odd), _sum(self.odd, other.even)),
        )

    def derivative(self) -> Support:
        """Support of the derivative."""
        return Support(even=self.odd - 1 if self.odd > 0 else -1, odd=self.even - 1 if self.even > 1 else -1)

    def compose(self, inner: Support) -> Support:
        """Support of f(g), f of this support and g of ``inner``."""
        if inner.degree <= 0:
            return Support(even=0 if self.degree >= 0 else -1)
        return inner._powers(self.even, odd=False) + inner._powers(self.odd, odd=True)

    def _powers(self, top: Degree, *, odd: bool) -> Support:
        """Union of the supports of g^n over the exponents n of one parity up to ``top``."""
        if top < 0:
            return Support()
        if top < INFINITE:
            return self._power(int(top))
        if self.is_odd:
            return Support(odd=INFINITE) if odd else Support(even=INFINITE)
        if self.is_even:
            return Support(even=INFINITE)
        return Support(even=INFINITE, odd=INFINITE)

    def _power(self, n: int) -> Support:
        result = Support(even=0)
        for _ in range(n):
            result = result * self
        return result


def _sum(a: Degree, b: Degree) -> Degree:
    return -1 if a < 0 or b < 0 else a + b


def support_of(form: Form | StripForm) -> Support:
    """Support of the dual of an activation, decided by its even and odd part."""
    even, odd = form.even_part().polynomial_degree, form.odd_part().polynomial_degree
    return Support(INFINITE if even is None else even, INFINITE if odd is None else odd)
