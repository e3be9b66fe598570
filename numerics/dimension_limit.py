r"""The limit of the spectrum in high dimension: d^k mu_k tends to the k-th derivative of K at 0, with a bound.

Let :math:`K=\sum b_nt^n`, :math:`b_n\ge0`, and write :math:`\mu_k=\sum_jb_{k+2j}\,\mu_k(t^{k+2j})`. On both domains

.. math:: d^k\mu_k(t^{k+2j})\le\frac{(k+2j)!}{2^j\,j!}\,d^{-j},\qquad
          d^k\mu_k(t^k)=k!\,p,\qquad p=\begin{cases}1&\text{cube}\\\prod_{i<k}\frac d{d+2i}&\text{sphere.}\end{cases}

*Sphere*: Funk-Hecke gives :math:`\mu_k(t^{k+2j})=\frac{(k+2j)!}{2^jj!}\,\frac1{d(d+2)\cdots(d+2k+2j-2)}`.
*Cube*: :math:`\mu_k(t^n)=d^{-n}n![z^n]\sinh^kz\cosh^{d-k}z`, and coefficient by coefficient
:math:`\sinh z\le ze^{z^2/6}`, :math:`\cosh z\le e^{z^2/2}`, so that
:math:`\sinh^kz\cosh^{d-k}z\le z^ke^{dz^2/2}`. With :math:`b_n=K^{(n)}(0)/n!` and any J,

.. math:: p\,K^{(k)}(0)\;\le\;d^k\mu_k\;\le\;p\,K^{(k)}(0)+\sum_{1\le j<J}\frac{K^{(k+2j)}(0)}{2^jj!\,d^j}
          +d^k\,\tau\sum_{n\ge k+2J}b_n,

where :math:`\tau\ge\mu_k(t^n)` for all n >= N = k + 2J: the smaller of :math:`E\,t^{2\lfloor N/2\rfloor}` and
:math:`(E\,t^{2N}/N_k)^{1/2}` (:mod:`numerics.cube_series`). The first term of the sum is :math:`K^{(k+2)}(0)/2d`: an error of
order 1/d. The sum diverges with J for a kernel singular at 1; J is chosen where the bound is least.

(Yang and Salman 2019, theorem 4.1 has the limit; the bound is proved here.)

>>> import symspec as ss
>>> found = large_dimension(ss.mlp(ss.relu, 1).ck, ss.BooleanCube(1000), 2)
>>> found.limit, found.bound < arb("2e-3"), found.enclosure.str(4)
(1/pi, True, '[0.3184 +/- 9.02e-5]')
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Any

import sympy
from flint import arb, fmpz
from sympy import Expr, S

from symspec.domain import BooleanCube, Domain, Sphere
from symspec.errors import DomainError, ExpressionTooLarge, SymspecError, Undecided
from symspec.exact import natural
from symspec.kernel import Kernel
from symspec.latex import tex
from symspec.program import RHO, tree_size

from .constants import ball
from .cube_series import even_moment_bound
from .power_series import majorants, monomial_eigenvalue, partial_series
from .precision import goal_bits, working_precision
from .spectrum import require_spectrum

MAX_SYMBOLIC_DEGREE = 6
MAX_SYMBOLIC_NODES = 200
MAX_TERMS, TERMS_IN_HIGH_DIMENSION = 200, 60
HIGH_DIMENSION = 400
GUARD = 64


@dataclass(frozen=True)
class LargeDimension:
    """p K^(k)(0) <= d^k mu_k <= p K^(k)(0) + excess, proved; see the module docstring.

    ``limit`` is K^(k)(0) exactly, None where it is too long to be written; ``limit_value`` its ball. ``bound`` is an
    upper bound of \\|d^k mu_k - K^(k)(0)\\|, ``terms`` the J of the proof.
    """

    kernel: Kernel
    domain: Sphere | BooleanCube
    degree: int
    limit: Expr | None
    limit_value: arb
    lower: arb
    upper: arb
    bound: arb
    terms: int

    @property
    def enclosure(self) -> arb:
        """A ball that contains d^k mu_k."""
        return self.lower.union(self.upper)

    def statement(self) -> str:
        """LaTeX: the theorem with this kernel's numbers."""
        k, d = self.degree, self.domain.dimension
        limit = tex(self.limit) if self.limit is not None else self.limit_value.str(12, radius=False)
        return rf"On {self.domain.latex_name} $|d^{{{k}}}\mu_{{{k}}}-K^{{({k})}}(0)|\le {self.bound.str(6, radius=False)}$, where $d={d}$ and $K^{{({k})}}(0)={limit}$."


def large_dimension(kernel: Kernel, domain: Domain, k: Any, digits: Any = 30) -> LargeDimension:
    """The limit K^(k)(0) of d^k mu_k, to ``digits`` digits, and what mu_k is at most away from it at this d.

    Raises DomainError for a domain that is neither a sphere nor a cube, or a degree it lacks; Undecided where the
    signs of the power series are not known.
    """
    if not isinstance(domain, (Sphere, BooleanCube)):
        raise DomainError(f"large_dimension takes Sphere(d) or BooleanCube(d), not {domain!r}")
    degree, bits = require_spectrum(kernel, domain, natural(k, "degree"), "large_dimension")[0], goal_bits(digits)
    if kernel.support is None:
        raise Undecided("the signs of the power series of this kernel are not known; a kernel of a network has them")
    with working_precision(bits + GUARD + 8 * degree):
        terms = MAX_TERMS if domain.dimension < HIGH_DIMENSION else TERMS_IN_HIGH_DIMENSION
        plain, beyond = partial_series(kernel, degree + 2 * terms + 1, majorants(kernel))
        if not all(b.is_finite() for b in plain):
            raise Undecided("the power series of this kernel at rho = 0 was not found")
        # A coefficient whose ball sticks out below 0 is still >= 0.
        plain = [b if b > 0 else arb(0).union(b.upper().max(arb(0))) for b in plain]
        limit = plain[degree] * factorial(degree)
        share = arb(1)
        if isinstance(domain, Sphere):
            for i in range(degree):
                share = share * domain.dimension / (domain.dimension + 2 * i)
        excess, used = _excess(kernel, domain, degree, plain, beyond)
        lower, upper = (limit * share).lower(), (limit * share + excess).upper()
        bound = abs(lower - limit).max(abs(upper - limit)).upper()
        return LargeDimension(kernel, domain, degree, _exact_derivative(kernel, degree, limit), limit, lower, upper, bound, used)


def _excess(kernel: Kernel, domain: Sphere | BooleanCube, k: int, plain: list[arb], beyond: arb) -> tuple[arb, int]:
    """The least of the bounds of d^k mu_k - p K^(k)(0) over J, and that J."""
    d = domain.dimension
    total, best = arb(0), (arb("inf"), 0)
    finite = kernel.support is not None and kernel.support.degree < len(plain)
    rests = _rests(plain, beyond)
    scale = arb(d) ** k
    for j in range(1, (len(plain) - k) // 2):
        n = k + 2 * j
        bound = total if finite and kernel.support is not None and kernel.support.degree < n else total + scale * rests[n] * _largest_moment(domain, k, n)
        if bound < best[0]:
            best = bound.upper(), j
        if bound == total:
            break
        # (k+2j)! b_(k+2j) / (2^j j! d^j)
        total += plain[n] * (arb(fmpz(factorial(n))) / fmpz(factorial(j)) / arb(2 * d) ** j)
    if not best[0].is_finite():
        raise Undecided("no bound was found")
    return best


def _rests(plain: list[arb], beyond: arb) -> list[arb]:
    """Upper bounds of the sums of b_m, m >= n, for every n; ``beyond`` is that of the coefficients not listed."""
    sums = [beyond]
    for value in reversed(plain):
        sums.append(sums[-1] + value)
    return [s.upper() for s in reversed(sums)]


def _largest_moment(domain: Sphere | BooleanCube, k: int, n: int) -> arb:
    d = domain.dimension
    if isinstance(domain, BooleanCube):
        plain, square = even_moment_bound(d, n // 2), even_moment_bound(d, n)
    else:
        plain, square = monomial_eigenvalue(d, n - n % 2, 0), monomial_eigenvalue(d, 2 * n, 0)
    paired = (square / fmpz(domain.multiplicity(k))).sqrt()
    return (paired if paired < plain else plain).upper()


def _exact_derivative(kernel: Kernel, k: int, known: arb) -> Expr | None:
    """K^(k)(0) by differentiation where the kernel is short; compared with the ball from its power series."""
    if kernel.support is not None and k > (kernel.support.odd if k % 2 else kernel.support.even):
        return S.Zero
    if k > MAX_SYMBOLIC_DEGREE:
        return None
    try:
        written = kernel.program(RHO)
        if tree_size(written) > MAX_SYMBOLIC_NODES:
            return None
    except ExpressionTooLarge:
        return None
    value = sympy.factor_terms(sympy.expand(sympy.diff(written, RHO, k).subs(RHO, 0)))
    if value.has(sympy.nan, sympy.zoo, sympy.oo):
        return None
    if not ball(value).overlaps(known):
        raise SymspecError(f"the derivative {value} and the power series {known.str(10)} of degree {k} disagree; please report this")
    return value


__all__ = ["LargeDimension", "large_dimension"]
