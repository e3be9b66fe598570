r"""Weak spectral simplicity: the even and the odd chain of eigenvalues decrease.

:math:`\mu_0\ge\mu_2\ge\mu_4\ge\dots` and :math:`\mu_1\ge\mu_3\ge\dots` for every kernel
:math:`K=\sum b_nt^n` with :math:`b_n\ge0`, so for the conjugate and tangent kernels of all networks, layer by layer
(Yang and Salman 2019, theorem 4.4, for the cube). One identity a domain proves it:

* **Cube.** :math:`\mu_k-\mu_{k+2}=\sum_nb_nd^{-n}n![z^n]\bigl(\sinh^kz\cosh^{d-k}z-\sinh^{k+2}z\cosh^{d-k-2}z\bigr)`, and the bracket is
  :math:`\sinh^kz\cosh^{d-k-2}z` because :math:`\cosh^2-\sinh^2=1`: non-negative coefficients, positive
  ones exactly at n = k, k + 2, ... (but for k = 0, d = 2 at n = 0 alone).
* **Sphere.** With the dimension as an index, :math:`\mu_k^{(d)}(K)-\mu_{k+2}^{(d)}(K)=\tfrac{2k+d}d\,\mu_k^{(d+2)}(K)`:
  both sides are linear, and on monomials
  :math:`\mu_k^{(d)}(t^{k+2j})=\tfrac{(k+2j)!}{2^jj!}/[d(d+2)\cdots(d+2k+2j-2)]` leaves
  :math:`(d+2k+2j)-2j=d+2k`. (Behind it: :math:`P_k^{(d)}-P_{k+2}^{(d)}` is a multiple of
  :math:`(1-t^2)P_k^{(d+2)}`.)

* **Gaussian inputs.** The kernel of a fully connected or residual network is :math:`\sum_nc_n(|x|,|y|)t^n` with positive semidefinite functions
  :math:`c_n` of the two lengths, so the operator on functions of the length in degree k is :math:`\sum_nc_n\,\mu_k(t^n)`, which decreases in k by two in the
  order of positive operators: so does every one of its eigenvalues in descending order. :math:`\mu_k` is the largest. For a homogeneous kernel it is the only one.

**Strictness** is decided too: :math:`\mu_k>\mu_{k+2}` where some :math:`b_n>0` with n >= k of the same
parity, that is where :math:`\mu_k\ne0`; where not, both are exactly 0. The one exception is the cube of dimension 2, on which
:math:`\mu_0-\mu_2=b_0=K(0)`.

>>> import symspec as ss
>>> from sympy import Symbol
>>> law = weak_simplicity(ss.mlp(ss.relu, 1).ntk, ss.BooleanCube(9))
>>> law.is_strict(0), law.is_strict(1), law.is_strict(3), law.summary()
(True, True, False, 'mu_0 > mu_2 > mu_4 > mu_6 > mu_8 > 0; mu_1 > mu_3 = mu_5 = mu_7 = mu_9 = 0')
>>> weak_simplicity(ss.zonal_kernel(Symbol("rho")**2), ss.Sphere(3))
Traceback (most recent call last):
    ...
symspec.errors.Undecided: the signs of the power series of this kernel are not known, and weak simplicity rests on them; kernels of networks have them
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .domain import BooleanCube, Domain, Gaussian, Sphere
from .errors import DomainError, InputError, Undecided
from .exact import is_zero
from .homogeneity import homogeneity
from .kernel import Kernel
from .latex import escape
from .network import Network
from .residual import ResidualNetwork
from .spectrum import gaussian_degree
from .strip import StripForm
from .support import Support
from .transcendence import is_no_polynomial

PARITIES = ("even", "odd")
SHOWN = 5


@dataclass(frozen=True)
class WeakSimplicity:
    """The theorem for one kernel on one domain: both chains decrease, and where strictly. See the module docstring."""

    kernel: Kernel
    domain: Domain

    def is_strict(self, k: Any) -> bool:
        """Whether mu_k > mu_{k+2}; if not, the two are equal: both exactly 0, or mu_0 = mu_2 on the cube of dimension 2.

        DomainError where the domain has no degree k + 2, NoClosedForm where it is not decided whether K(0) = 0, on that cube.
        """
        degree = self.domain.degree(k)
        self.domain.degree(degree + 2)
        if self._is_square and degree == 0:
            return not is_zero(self.kernel(0))
        return not self._support.vanishes_at(degree)

    @property
    def _is_square(self) -> bool:
        """Whether the domain is {-1, 1}^2, where sinh^0 cosh^0 = 1 has no further coefficients."""
        return isinstance(self.domain, BooleanCube) and self.domain.d == 2

    @property
    def _support(self) -> Support:
        assert self.kernel.support is not None
        return self.kernel.support

    def last_positive(self, parity: str) -> float:
        """The last degree of the parity with a positive eigenvalue: -1 for none, infinity for no last one."""
        if parity not in PARITIES:
            raise InputError(f"parity is even or odd, not {parity!r}")
        last = self._support.even if parity == "even" else self._support.odd
        highest = self.domain.highest_degree
        if highest is None:
            return last
        return min(last, highest - (highest - PARITIES.index(parity)) % 2)

    def summary(self) -> str:
        """The two chains with > and = in one line."""
        return "; ".join(self._chain(parity) for parity in PARITIES)

    def _chain(self, parity: str) -> str:
        start, last, highest = PARITIES.index(parity), self.last_positive(parity), self.domain.highest_degree
        final = highest if highest is not None else math.inf
        if self._is_square and parity == "even" and last > 0:
            return f"mu_0 {'>' if self.is_strict(0) else '='} mu_2 > 0"
        positive = [k for k in range(start, start + 2 * SHOWN, 2) if k <= last]
        zero = [k for k in range(start, start + 2 * SHOWN, 2) if last < k <= final]
        dots = "..." if final > start + 2 * SHOWN - 2 else ""
        text = " > ".join(f"mu_{k}" for k in positive)
        zeros = " = ".join([*(f"mu_{k}" for k in zero), *([dots] if dots and zero else []), "0"])
        if not positive:
            return zeros
        if last > positive[-1]:
            return f"{text} > {dots}" + ("" if last == math.inf else f" > mu_{int(last)} > 0")
        return f"{text} > {zeros}"

    def statement(self) -> str:
        """The theorem in LaTeX."""
        measure = r"$\mu_k$ the largest eigenvalue of degree $k$" if self._has_several else self.domain.measure
        parts = [
            rf"On {self.domain.latex_name}, with {measure}, $\rho={self.domain.correlation}$, the eigenvalues of the {escape(self.kernel.name)} satisfy",
            r"\[ \mu_0\ge\mu_2\ge\mu_4\ge\cdots\ge0,\qquad \mu_1\ge\mu_3\ge\mu_5\ge\cdots\ge0. \]",
        ]
        return "\n".join([*parts, *(self._strictness(parity) for parity in PARITIES)])

    @property
    def _has_several(self) -> bool:
        """Whether a degree has more eigenvalues than one."""
        return isinstance(self.domain, Gaussian) and homogeneity(self.kernel) is None

    def _strictness(self, parity: str) -> str:
        last = self.last_positive(parity)
        if self._is_square and parity == "even" and last > 0:
            return r"In the even chain $\mu_0>\mu_2>0$." if self.is_strict(0) else r"In the even chain $\mu_0=\mu_2>0$, since $K(0)=0$."
        if last < 0:
            return f"All eigenvalues of {parity} degree are 0."
        if last == math.inf or last == self._final(parity):
            return f"In the {parity} chain every inequality is strict, and every eigenvalue is positive."
        return rf"In the {parity} chain the inequalities are strict and the eigenvalues positive up to $\mu_{{{int(last)}}}$; from $\mu_{{{int(last) + 2}}}$ on all are 0."

    def _final(self, parity: str) -> int:
        highest = self.domain.highest_degree
        return -1 if highest is None else highest - (highest - PARITIES.index(parity)) % 2

    def proof(self) -> str:
        """The proof in LaTeX."""
        identity = _CUBE if isinstance(self.domain, BooleanCube) else _SPHERE
        gaussian = [] if not isinstance(self.domain, Gaussian) else [_LENGTHS if self._has_several else _GAUSSIAN]
        reach = [
            f"in the {parity} class " + (r"infinitely many $b_n$ are positive" if last == math.inf else rf"the last positive one is $b_{{{int(last)}}}$" if last >= 0 else "there is none")
            for parity, last in (("even", self._support.even), ("odd", self._support.odd))
        ]
        return "\n".join([_SIGNS + f"Here {' and '.join(reach)}.", *gaussian, identity])

    def _repr_latex_(self) -> str:
        return self.statement()


_SIGNS = (
    r"The kernel is a power series $K=\sum_nb_n\rho^n$ with $b_n\ge0$ and $\sum_nb_n=K(1)<\infty$: dual activations are, by Mehler's formula, and sums, products and "
    r"compositions keep the signs. Whether infinitely many $b_n$ of a parity are positive is decided exactly: the part of that parity of an activation has a finite Hermite expansion "
    r"if and only if it is a polynomial. "
)
_CUBE = "\n".join(
    [
        r"For $x,y\in\{-1,1\}^d$ one has $e^{\langle x,y\rangle z}=\prod_i(\cosh z+x_iy_i\sinh z)$, so that",
        r"\[ \mu_k=\sum_nb_n\,d^{-n}\,n!\,[z^n]\sinh^kz\,\cosh^{d-k}z, \]",
        r"where sum and expectation may be exchanged because $\sum b_n$ converges and $|\rho|\le1$. For $k+2\le d$",
        r"\[ \sinh^kz\cosh^{d-k}z-\sinh^{k+2}z\cosh^{d-k-2}z=\sinh^kz\cosh^{d-k-2}z\,(\cosh^2z-\sinh^2z)=\sinh^kz\cosh^{d-k-2}z, \]",
        r"whose coefficients are non-negative, and positive exactly at $z^k,z^{k+2},\ldots$ (but for $k=0$, $d=2$ at $z^0$ alone).",
        r"Hence $\mu_k-\mu_{k+2}=\sum_nb_nd^{-n}n!\,[z^n]\sinh^kz\cosh^{d-k-2}z\ge0$.",
    ]
)
_SPHERE = "\n".join(
    [
        r"Write $\mu_k^{(d)}$ for the eigenvalue on $S^{d-1}$. By the Funk--Hecke formula $\mu_k^{(d)}(t^n)=0$ unless $n=k+2j$ with $j\ge0$, and",
        r"\[ \mu_k^{(d)}(t^{k+2j})=\frac{(k+2j)!}{2^j\,j!}\,\frac1{d(d+2)\cdots(d+2k+2j-2)}. \]",
        r"Subtracting the same formula for $k+2$ and $j-1$ (for $j=0$ there is nothing to subtract),",
        r"\[ \mu_k^{(d)}(t^{k+2j})-\mu_{k+2}^{(d)}(t^{k+2j})=\frac{(k+2j)!}{2^j\,j!}\,\frac{(d+2k+2j)-2j}{d(d+2)\cdots(d+2k+2j)}=\frac{2k+d}d\,\mu_k^{(d+2)}(t^{k+2j}). \]",
        r"Multiplied by $b_{k+2j}$ and summed, which the convergence of $\sum b_n$ allows,",
        r"\[ \mu_k^{(d)}-\mu_{k+2}^{(d)}=\frac{2k+d}d\,\mu_k^{(d+2)}=\frac{2k+d}d\sum_jb_{k+2j}\,\mu_k^{(d+2)}(t^{k+2j})\ge0, \]",
        r"and the difference is positive if and only if some $b_{k+2j}$ is, that is if and only if $\mu_k^{(d)}>0$.",
    ]
)
_LENGTHS = (
    r"The kernel is $K(x,y)=\sum_nc_n(|x|,|y|)\,\rho^n$ with positive semidefinite $c_n$ (Mehler's formula and Schur's product theorem, layer by layer). In degree $k$ its "
    r"integral operator acts on functions of the length as $T_k=\sum_nc_n\,\mu_k(\rho^n)$, with the eigenvalues $\mu_k(\rho^n)\ge0$ of the sphere of directions; $\mu_k$ is the "
    r"largest eigenvalue of $T_k$. Hence $T_k-T_{k+2}=\sum_nc_n\,(\mu_k-\mu_{k+2})(\rho^n)\ge0$ by what is said of monomials below, and every eigenvalue in descending order decreases from "
    r"$k$ to $k+2$. If $f$ is a normalised eigenfunction of $\mu_{k+2}>0$, some $n\ge k+2$ has $\langle f,c_nf\rangle>0$, so that $\mu_k\ge\langle f,T_kf\rangle>\mu_{k+2}$. On the sphere:"
)
_GAUSSIAN = (
    r"The kernel is $(|x||y|/d)^mK(\rho)$, so its integral operator has exactly one non-zero eigenvalue for every harmonic, "
    r"$E[(|x|^2/d)^m]$ times that on the sphere of directions; the factor does not depend on the degree. On the sphere:"
)


def _has_lengths(kernel: Kernel) -> bool:
    """Whether the kernel is that of a fully connected or residual network, and so a power series with positive semidefinite functions of the lengths."""
    return kernel.origin is not None and isinstance(kernel.origin.network, (Network, ResidualNetwork))


def _undecided_parts(kernel: Kernel) -> list[StripForm]:
    """Even and odd parts of activations that expand to no polynomial but are not shown to be none."""
    bases = {StripForm(item.args[0].function) for item in kernel.program.series_duals}
    parts = [part for base in bases for part in (base.even_part(), base.odd_part())]
    return [part for part in parts if part.polynomial_degree is None and not is_no_polynomial(part)]


def weak_simplicity(kernel: Kernel, domain: Domain) -> WeakSimplicity:
    """The theorem that both chains decrease, its hypotheses checked on the kernel.

    Raises Undecided where the signs of the power series are not known or a part of an activation is not shown to be no polynomial,
    DomainError for a tangent kernel that is infinite on the diagonal and
    on a domain where the kernel has no such spectrum.
    """
    if not isinstance(kernel, Kernel):
        raise InputError(f"weak_simplicity takes a Kernel (net.ck, net.ntk, ...), not {type(kernel).__name__}")
    if not isinstance(domain, (Sphere, BooleanCube, Gaussian)):
        raise DomainError(f"weak_simplicity takes Sphere(d), Circle(), BooleanCube(d) or Gaussian(d), not {domain!r}")
    if isinstance(domain, Gaussian) and not _has_lengths(kernel):
        gaussian_degree(kernel)
    if kernel.diagonal_is_infinite:
        raise DomainError("this tangent kernel is infinite on the diagonal (the activation has a jump), so its power series does not converge there; use the conjugate kernel or drop_deltas=True")
    if kernel.support is None:
        raise Undecided("the signs of the power series of this kernel are not known, and weak simplicity rests on them; kernels of networks have them")
    for part in _undecided_parts(kernel):
        raise Undecided(f"it is not shown that {part} is no polynomial, on which it rests where the inequalities are strict; write the activation in a simpler form")
    return WeakSimplicity(kernel, domain)


__all__ = ["WeakSimplicity", "weak_simplicity"]
