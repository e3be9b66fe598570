r"""Domains: where the two inputs of a kernel live, and the measure its eigenvalues refer to.

A kernel is a function of the correlation t of two inputs. A domain is a space with a probability
measure under whose symmetries t is the only invariant of a pair, so that every kernel has the same
eigenfunctions there, whatever its shape: one space of them for each degree k, of dimension
:meth:`Domain.multiplicity`, and in it exactly one function of t alone, the *zonal polynomial*
:math:`\varphi_k` with :math:`\varphi_k(1)=1`. Then

.. math:: \mu_k=E[K(t)\varphi_k(t)],\quad K(t)=\sum_kN_k\mu_k\varphi_k(t),\quad \sum_kN_k\mu_k=K(1),
          \quad t\varphi_k=a_k\varphi_{k-1}+(1-a_k)\varphi_{k+1},

and the weights :math:`a_k` of :meth:`Domain.times_t`, which lie in [0, 1], determine everything else:
:math:`\mu_k(tf)=a_k\mu_{k-1}(f)+(1-a_k)\mu_{k+1}(f)`, so that :math:`\mu_k(t^n)\ge0`, and
:math:`\mu_k(t^n)>0` exactly for n >= k of the same parity.

========================  ====================================  ===========================  ==============
domain                    inputs and correlation                eigenfunctions of degree k   a_k
========================  ====================================  ===========================  ==============
``Sphere(d)``             uniform on S^{d-1}, t = <x, y>        spherical harmonics          k/(2k+d-2)
``BooleanCube(d)``        uniform on {-1, 1}^d, t = <x, y>/d    x^S, S of k coordinates      k/d
``Gaussian(d)``           N(0, I_d), t = cosine of the angle    |x|^m times a harmonic       k/(2k+d-2)
========================  ====================================  ===========================  ==============

>>> Sphere(3).multiplicity(2), BooleanCube(7).multiplicity(2)
(5, 21)
>>> Circle() == Sphere(2)
True
>>> BooleanCube(7).degree(8)
Traceback (most recent call last):
    ...
symspec.errors.DomainError: degree 8 is above 7: the cube {-1, 1}^7 has the degrees 0 to 7
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Any

import sympy
from sympy import Expr, S

from . import gegenbauer, krawtchouk
from .errors import DomainError, ExpressionTooLarge, InputError
from .exact import as_expr, natural

MAX_DIMENSION_DIGITS = 9
MAX_RADIAL_DEGREE = 4096


class Domain(ABC):
    """Base of all domains; the module docstring says what a domain is.

    ``d`` is the dimension of the space in which the inputs lie, an int, or a symbol where a formula in d
    is wanted.
    """

    d: Any

    @property
    def dimension(self) -> int:
        """d as a number. DomainError for a symbol."""
        if not isinstance(self.d, int):
            raise DomainError(f"a numerical dimension is needed here, not {self.d}; ss.eigenvalue gives closed forms in a symbolic one")
        return self.d

    @property
    def highest_degree(self) -> int | None:
        """The last degree, None where there is none."""
        return None

    def degree(self, k: Any) -> int:
        """k as a degree of this domain. InputError for what is no integer >= 0, DomainError for a degree above the last."""
        number = natural(k, "degree")
        if self.highest_degree is not None and number > self.highest_degree:
            raise DomainError(f"degree {number} is above {self.highest_degree}: {self.name} has the degrees 0 to {self.highest_degree}")
        return number

    @property
    @abstractmethod
    def name(self) -> str:
        """In words: "the sphere in R^10"."""

    @property
    @abstractmethod
    def latex_name(self) -> str:
        """The space in LaTeX text mode."""

    @property
    @abstractmethod
    def measure(self) -> str:
        """The measure and what else fixes the normalisation in one clause, LaTeX text mode."""

    @property
    @abstractmethod
    def correlation(self) -> str:
        """The correlation of two inputs x and y in LaTeX mathematics mode."""

    @property
    @abstractmethod
    def eigenfunction(self) -> str:
        """One eigenfunction of degree k in words, LaTeX text mode."""

    @property
    @abstractmethod
    def zonal_symbol(self) -> str:
        """The zonal polynomial of degree k in LaTeX mathematics mode, without its argument."""

    @property
    def multiplicity_symbol(self) -> str:
        """The multiplicity in LaTeX mathematics mode."""
        return "N(d,k)"

    @abstractmethod
    def multiplicity(self, k: int) -> int:
        """N_k, the number of independent eigenfunctions of degree k."""

    @abstractmethod
    def times_t(self, k: int) -> tuple[Expr, Expr]:
        """(a_k, 1 - a_k): the weights of t phi_k in phi_{k-1} and phi_{k+1}."""

    @abstractmethod
    def monomial_eigenvalue(self, n: int, k: int) -> Expr:
        """mu_k(t^n), exact; a formula in d for a symbol d."""

    @abstractmethod
    def square_linearisation(self, k: int) -> tuple[Fraction, ...]:
        """c_0, c_1, ... with phi_k^2 = sum_j c_j phi_{2j}; they are >= 0 and add up to 1."""

    def zonal_polynomial(self, k: int) -> Expr:
        """phi_k(t) with exact coefficients, in the symbol t of :mod:`symspec.gegenbauer`."""
        before, now = S.Zero, S.One
        for j in range(self.degree(k)):
            below, above = self.times_t(j)
            before, now = now, sympy.expand(sympy.cancel((gegenbauer.T * now - below * before) / above))
        return now


def _dimension(value: Any, what: str, least: int, hint: str) -> Any:
    if isinstance(value, sympy.Symbol):
        return value
    try:
        return natural(value, what, least)
    except InputError as error:
        raise DomainError(f"{error}; {hint}") from None


@dataclass(frozen=True)
class Sphere(Domain):
    """Unit sphere S^{d-1} in R^d with its uniform *probability* measure.

    ``d`` is the ambient dimension, d >= 2; a symbol is allowed where a formula in d is
    wanted. The eigenfunctions of degree k are the spherical harmonics, N(d, k) of them, the zonal polynomials those of
    Gegenbauer (:mod:`symspec.gegenbauer`).
    """

    d: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "d", _dimension(self.d, "sphere dimension d", 2, "S^(d-1) lies in R^d, so sphere:2 is the circle"))

    @property
    def name(self) -> str:
        return "the circle" if self.d == 2 else f"the sphere in R^{self.d}"

    @property
    def latex_name(self) -> str:
        if self.d == 2:
            return "the unit circle"
        return rf"$S^{{{self.d - 1}}}\subset\mathbf{{R}}^{{{self.d}}}$"

    @property
    def measure(self) -> str:
        return "the uniform probability measure on the sphere"

    @property
    def correlation(self) -> str:
        return r"\langle x,y\rangle"

    @property
    def eigenfunction(self) -> str:
        return "one spherical harmonic of degree $k$"

    @property
    def zonal_symbol(self) -> str:
        return "P_k"

    def multiplicity(self, k: int) -> int:
        """N(d, k), the number of independent harmonics of degree k."""
        k, d = self.degree(k), self.d
        if isinstance(d, sympy.Symbol):
            raise InputError("multiplicity needs a numerical dimension; see gegenbauer.multiplicity")
        return comb(k + d - 1, k) - (comb(k + d - 3, k - 2) if k >= 2 else 0)

    def times_t(self, k: int) -> tuple[Expr, Expr]:
        if k == 0:
            return S.Zero, S.One
        d = as_expr(self.d)
        return k / (2 * k + d - 2), (k + d - 2) / (2 * k + d - 2)

    def monomial_eigenvalue(self, n: int, k: int) -> Expr:
        return gegenbauer.monomial_eigenvalue(self.d, n, k)

    def square_linearisation(self, k: int) -> tuple[Fraction, ...]:
        return gegenbauer.square_linearisation(k, self.dimension)

    def __str__(self) -> str:
        return f"sphere:{self.d}"


def Circle() -> Sphere:
    """The unit circle: the sphere in the plane. Degree k is the frequency."""
    return Sphere(2)


@dataclass(frozen=True)
class BooleanCube(Domain):
    r"""The boolean cube {-1, 1}^d with its uniform probability measure, d >= 1.

    The correlation is t = <x, y>/d, one of the d + 1 numbers 1 - 2r/d, r the Hamming distance. The
    eigenfunctions of degree k are the characters :math:`x^S=\prod_{i\in S}x_i`, :math:`|S|=k\le d`,
    C(d, k) of them; the zonal polynomials are those of Krawtchouk (:mod:`symspec.krawtchouk`). In the NTK parametrisation this
    is the cube with inputs of norm sqrt(d), as in Yang and Salman (2019).
    """

    d: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "d", _dimension(self.d, "cube dimension d", 1, "cube:d is {-1, 1}^d"))

    @property
    def highest_degree(self) -> int | None:
        return self.d if isinstance(self.d, int) else None

    @property
    def name(self) -> str:
        return f"the cube {{-1, 1}}^{self.d}"

    @property
    def latex_name(self) -> str:
        return rf"the cube $\{{-1,1\}}^{{{self.d}}}$"

    @property
    def measure(self) -> str:
        return "the uniform probability measure on the cube"

    @property
    def correlation(self) -> str:
        return r"\langle x,y\rangle/d"

    @property
    def eigenfunction(self) -> str:
        return r"one character $x^S=\prod_{i\in S}x_i$ with $|S|=k$"

    @property
    def zonal_symbol(self) -> str:
        return r"\varphi_k"

    @property
    def multiplicity_symbol(self) -> str:
        return r"\tbinom{d}{k}"

    def multiplicity(self, k: int) -> int:
        """C(d, k), the number of characters of degree k."""
        return comb(self.dimension, self.degree(k))

    def times_t(self, k: int) -> tuple[Expr, Expr]:
        d = as_expr(self.d)
        return k / d, (d - k) / d

    def monomial_eigenvalue(self, n: int, k: int) -> Expr:
        return krawtchouk.monomial_eigenvalue(self.d, n, self.degree(k))

    def square_linearisation(self, k: int) -> tuple[Fraction, ...]:
        return krawtchouk.square_linearisation(self.degree(k), self.dimension)

    def __str__(self) -> str:
        return f"cube:{self.d}"


@dataclass(frozen=True)
class Gaussian(Domain):
    r"""Inputs x, y ~ N(0, I_d), d >= 2.

    A network without bias whose activation is positively homogeneous has
    :math:`K(x,y)=(|x||y|/d)^mK(t)`, t the cosine of the angle (:func:`symspec.kernel.homogeneity`;
    m = 1 for ReLU at any depth). Its integral operator has exactly one non-zero eigenvalue for every
    harmonic Y of degree k, with eigenfunction :math:`|x|^mY(x/|x|)`:
    :math:`E[(|x|^2/d)^m]` times the sphere's :math:`\mu_k` (:meth:`radial_moment`), and for m = 1 just
    that. Any other kernel leaves an operator on functions of the length in every degree,
    with infinitely many eigenvalues, of which ``numerics.eigenvalues`` gives the largest and ``numerics.radial_eigenvalues`` more.
    """

    d: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "d", _dimension(self.d, "Gaussian dimension d", 2, "gaussian:d is N(0, I_d)"))

    @property
    def directions(self) -> Sphere:
        """The sphere on which x/|x| is uniform."""
        return Sphere(self.d)

    def radial_moment(self, m: int) -> Expr:
        """E[(|x|^2/d)^m] = d (d+2) ... (d+2m-2)/d^m. ExpressionTooLarge for m above MAX_RADIAL_DEGREE."""
        if m > MAX_RADIAL_DEGREE:
            raise ExpressionTooLarge(f"the kernel is homogeneous of degree {m if m < 10**6 else 'above 10^6'} in the lengths; degrees up to {MAX_RADIAL_DEGREE} are supported: use a smaller depth")
        d = as_expr(self.d)
        return sympy.prod([(d + 2 * j) / d for j in range(m)], start=S.One)

    @property
    def name(self) -> str:
        return f"Gaussian inputs N(0, I_{self.d})"

    @property
    def latex_name(self) -> str:
        return rf"Gaussian inputs $\mathcal{{N}}(0,I_{{{self.d}}})$"

    @property
    def measure(self) -> str:
        return r"inputs $x,y\sim\mathcal{N}(0,I_d)$ and the kernel $(|x||y|/d)^mK(\rho)$, homogeneous in the lengths"

    @property
    def correlation(self) -> str:
        return r"\langle x,y\rangle/(|x||y|)"

    @property
    def eigenfunction(self) -> str:
        return "$|x|^m$ times one spherical harmonic of degree $k$"

    @property
    def zonal_symbol(self) -> str:
        return "P_k"

    def multiplicity(self, k: int) -> int:
        """N(d, k), as on the sphere."""
        return self.directions.multiplicity(k)

    def times_t(self, k: int) -> tuple[Expr, Expr]:
        return self.directions.times_t(k)

    def monomial_eigenvalue(self, n: int, k: int) -> Expr:
        """E over the directions: that of the sphere."""
        return self.directions.monomial_eigenvalue(n, k)

    def square_linearisation(self, k: int) -> tuple[Fraction, ...]:
        return self.directions.square_linearisation(k)

    def __str__(self) -> str:
        return f"gaussian:{self.d}"


# The names of the command line; those without a dimension take None.
NAMES: dict[str, Callable[[int], Domain]] = {"sphere": Sphere, "cube": BooleanCube, "gaussian": Gaussian}
FORMS = "sphere:D with D >= 2, circle, cube:D with D >= 1, gaussian:D with D >= 2, or multisphere:C,P with C >= 2 channels and P >= 1 pixels"


def parse_domain(text: str) -> Domain:
    """Read ``sphere:10``, ``circle``, ``cube:128`` or ``gaussian:50`` as the command line writes them."""
    name, _, argument = text.strip().partition(":")
    if name == "circle" and not argument:
        return Circle()
    if name == "multisphere":
        return _product_of_spheres(argument, text)
    if name in NAMES and argument.isascii() and argument.isdigit() and len(argument) <= MAX_DIMENSION_DIGITS:
        return NAMES[name](int(argument))
    raise DomainError(f"domain {text[:40]!r} is not known; write {FORMS}")


def _product_of_spheres(argument: str, text: str) -> Domain:
    from .multisphere import MultiSphere

    parts = argument.split(",")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) <= MAX_DIMENSION_DIGITS for part in parts):
        raise DomainError(f"domain {text[:40]!r} is not known; write {FORMS}")
    return MultiSphere(*map(int, parts))


def require_sphere(domain: Any, what: str) -> Sphere:
    """The domain, if it is a sphere; else DomainError, which says what works instead. ``what`` is plural: "decay laws"."""
    if isinstance(domain, Sphere):
        return domain
    if isinstance(domain, BooleanCube):
        raise DomainError(
            f"{what} are about infinitely many degrees, and {domain.name} has the degrees 0 to {domain.d} only: "
            "numerics.eigenvalues gives them all, ss.weak_simplicity their order, numerics.large_dimension their size for large d"
        )
    if isinstance(domain, Gaussian):
        raise DomainError(f"{what} are those of Sphere({domain.d}) for homogeneous kernels, whose eigenvalues are the same up to the factor E[(|x|^2/d)^m]; ask there")
    raise DomainError(f"{what} are derived on Sphere(d) and Circle(), not on {domain!r}")


__all__ = ["BooleanCube", "Circle", "Domain", "Gaussian", "Sphere", "parse_domain", "require_sphere"]
