r"""Factorizable kernels of images, their sums, products and polynomials: exact product eigenvalues.

A *factorizable* kernel is a product of one-pixel kernels, :math:`K(x,z)=\prod_i\kappa_i(t_i)`, :math:`t_i=\langle x_i,z_i\rangle`. On a product of spheres
its eigenvalues are products, :math:`\lambda_k=\prod_i\mu_{k_i}(\kappa_i)`, since the integral of
:math:`K\prod P_{k_i}(t_i)` separates; Geifman, Galun, Jacobs and Basri (2022) bound the kernels of networks by them. Sums with positive weights, products and
polynomials f(K) with non-negative coefficients stay sums of such products,

.. math:: K=\sum_jw_j\prod_i\kappa_{ji}(t_i),\qquad\lambda_k=\sum_jw_j\prod_i\mu_{k_i}(\kappa_{ji}),

so that averages over pixels, heads, and polynomial functions of them have exact spectra as well. The one-pixel kernels are any zonal kernels: of networks,
residual networks, or typed in. A function f that is no polynomial makes a tree (:func:`symspec.hierarchical_kernel.hierarchical`).

>>> from symspec import mlp, relu
>>> from symspec.kernel import power
>>> K = factorizable([mlp(relu, 1).ck, mlp(relu, 1).ntk])
>>> K([0, 1]), product_eigenvalue(K, MultiSphere(3, 2), (2, 1))
(2/pi, 1/128)
>>> mean = average([one_pixel(mlp(relu, 1).ck, pixel, 2) for pixel in (0, 1)])
>>> product_eigenvalue(mean.composed(power(2)), MultiSphere(3, 2), (2, 2))
9/32768
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol

from .errors import DomainError, ExpressionTooLarge, InputError, NoClosedForm
from .exact import exact, natural
from .kernel import Kernel
from .multisphere import MAX_SPHERES, MultiSphere

MAX_TERMS = 10_000
Factors = tuple[Kernel | None, ...]


@dataclass(frozen=True)
class SeparableKernel:
    """A sum of weights times products of one-pixel kernels; see the module docstring.

    ``terms`` maps nothing twice: (weight > 0, factors), one factor a pixel, None where it is 1.
    """

    terms: tuple[tuple[Expr, Factors], ...]
    name: str = field(default="K", compare=False)

    @property
    def pixels(self) -> int:
        return len(self.terms[0][1])

    @cached_property
    def receptive_field(self) -> tuple[int, ...]:
        """The pixels that the kernel depends on, ascending."""
        return tuple(pixel for pixel in range(self.pixels) if any(factors[pixel] is not None for _, factors in self.terms))

    @property
    def is_factorizable(self) -> bool:
        """Whether it is one product."""
        return len(self.terms) == 1

    @property
    def diagonal_is_infinite(self) -> bool:
        """Whether K(x, x) is infinite: a factor is a tangent kernel of an activation with a jump."""
        return any(kernel.diagonal_is_infinite for _, factors in self.terms for kernel in factors if kernel)

    def __call__(self, correlations: Any) -> Expr:
        """K as a sympy expression, for the list of the t_i (numbers or symbols) or a matrix with them on its diagonal.

        Raises InputError for another shape, DomainError for a number outside [-1, 1].
        """
        t = diagonal_entries(correlations, self.pixels)
        return sympy.Add(*(weight * sympy.Mul(*(kernel(value) for kernel, value in zip(factors, t, strict=True) if kernel)) for weight, factors in self.terms))

    def __add__(self, other: Any) -> SeparableKernel:
        self._require_like(other, "added to")
        return _collected((*self.terms, *other.terms), f"{self.name} + {other.name}")

    def __mul__(self, other: Any) -> SeparableKernel:
        if isinstance(other, SeparableKernel):
            self._require_like(other, "multiplied by")
            if len(self.terms) * len(other.terms) > MAX_TERMS:
                raise ExpressionTooLarge(f"the product has {len(self.terms) * len(other.terms)} terms, more than {MAX_TERMS}")
            return _collected(tuple((v * w, _joined(a, b)) for v, a in self.terms for w, b in other.terms), f"({self.name})({other.name})")
        factor = exact(other, "factor")
        if factor.is_positive is not True:
            raise InputError(f"a kernel can be multiplied by a positive number, not {other}")
        return SeparableKernel(tuple((factor * weight, factors) for weight, factors in self.terms), f"{factor} {self.name}")

    __rmul__ = __mul__

    def composed(self, function: Any) -> SeparableKernel:
        """f(K) for a polynomial f with coefficients >= 0, given by a kernel f(rho) or by its coefficients f_0, f_1, ...

        Raises NoClosedForm for a function that is no polynomial, InputError for a negative coefficient, ExpressionTooLarge beyond MAX_TERMS terms.
        """
        coefficients = _coefficients(function)
        total, power = None, SeparableKernel(((S.One, (None,) * self.pixels),))
        for n, value in enumerate(coefficients):
            power = power * self if n else power
            if value != 0:
                total = value * power if total is None else total + value * power
        if total is None:
            raise InputError("the function is 0: it makes no kernel")
        return replace(total, name=f"f({self.name})")

    def latex(self) -> str:
        """LaTeX: the sum of products of the one-pixel kernels, which are defined below it."""
        from .latex import aligned, tex

        names: dict[Kernel, str] = {}
        rows = []
        for _, factors in self.terms:
            for kernel in factors:
                if kernel and kernel not in names:
                    names[kernel] = rf"\kappa_{{{len(names) + 1}}}"
                    rows.append((names[kernel] + r"(\rho)", kernel.latex()))
        products = [(weight, [rf"{names[kernel]}(t_{{{pixel}}})" for pixel, kernel in enumerate(factors) if kernel]) for weight, factors in self.terms]
        text = " + ".join((tex(weight) + r"\," if weight != 1 or not parts else "") + r"\,".join(parts) for weight, parts in products)
        return aligned([("K(t)", text), *rows])

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _require_like(self, other: Any, what: str) -> None:
        if not isinstance(other, SeparableKernel) or other.pixels != self.pixels:
            raise InputError(f"a separable kernel of {self.pixels} pixels can be {what} another one with the same pixels")

    def __repr__(self) -> str:
        return f"SeparableKernel({self.name})"


def factorizable(kernels: Sequence[Any], name: str = "") -> SeparableKernel:
    """The product of one-pixel kernels, one a pixel; None stands for 1. InputError for anything else."""
    factors = tuple(kernels) if isinstance(kernels, Sequence) else ()
    if not factors or any(kernel is not None and not isinstance(kernel, Kernel) for kernel in factors):
        raise InputError("a factorizable kernel is made of a list of zonal kernels (mlp(...).ck, zonal_kernel(...)), one a pixel, None where it is 1")
    if len(factors) > MAX_SPHERES:
        raise InputError(f"{len(factors)} pixels are above {MAX_SPHERES}")
    return SeparableKernel(((S.One, factors),), name or " x ".join("1" if kernel is None else kernel.name for kernel in factors))


def one_pixel(kernel: Kernel, pixel: Any, pixels: Any) -> SeparableKernel:
    """The kernel kappa(t_i) of one of several pixels, counted from 0."""
    size, place = natural(pixels, "pixels", 1), natural(pixel, "pixel")
    if place >= size:
        raise InputError(f"pixel {place} does not exist: there are {size} pixels, 0 to {size - 1}")
    return factorizable([kernel if index == place else None for index in range(size)])


def average(kernels: Sequence[SeparableKernel]) -> SeparableKernel:
    """The mean of kernels with the same pixels."""
    if not kernels or any(not isinstance(kernel, SeparableKernel) for kernel in kernels):
        raise InputError("average takes a list of separable kernels (factorizable(...), one_pixel(...))")
    total = kernels[0]
    for kernel in kernels[1:]:
        total = total + kernel
    return replace(total * Rational(1, len(kernels)), name=f"mean of {len(kernels)} kernels")


def product_eigenvalue(kernel: SeparableKernel, domain: MultiSphere, index: Any) -> Expr:
    """lambda_k, exact; entries of k may be Symbols for a factorizable kernel.

    Raises NoClosedForm where an eigenvalue of a factor has no closed form, DomainError for other pixels.
    """
    from .spectrum import eigenvalue

    require_pixels(kernel, domain)
    symbolic = kernel.is_factorizable and isinstance(index, Sequence) and len(index) == kernel.pixels and any(isinstance(entry, Symbol) for entry in index)
    degrees = tuple(index) if symbolic else domain.degree(index)
    total = S.Zero
    for weight, factors in kernel.terms:
        values = []
        for factor, k in zip(factors, degrees, strict=True):
            if factor is None and isinstance(k, Symbol):
                raise InputError("a pixel that the kernel does not depend on takes a number, as its eigenvalues vanish but for degree 0")
            values.append(S(int(k == 0)) if factor is None else S.Zero if _vanishes(factor, k) else None)
        if S.Zero in values:
            continue
        found = [eigenvalue(factor, domain.sphere, k) if value is None else value for factor, k, value in zip(factors, degrees, values, strict=True)]
        total += weight * sympy.Mul(*found)
    return sympy.expand(total) if not symbolic else total


def require_pixels(kernel: SeparableKernel, domain: Any) -> None:
    """DomainError where the kernel has no eigenvalues on the domain."""
    if not isinstance(domain, MultiSphere) or domain.pixels != kernel.pixels:
        raise DomainError(f"a kernel of {kernel.pixels} pixels has eigenvalues on MultiSphere(channels, {kernel.pixels}), not on {domain!r}")
    if kernel.diagonal_is_infinite:
        raise DomainError("a factor is infinite on the diagonal (the activation has a jump), so its eigenvalues have no finite sum; use the conjugate kernel or drop_deltas=True")


def diagonal_entries(correlations: Any, pixels: int) -> list[Any]:
    """The t_i from their list or from a square matrix."""
    rows = correlations.tolist() if hasattr(correlations, "tolist") else correlations
    try:
        entries = list(rows)
    except TypeError:
        raise InputError(f"a separable kernel takes the list of its {pixels} correlations, not {type(correlations).__name__}") from None
    nested = [isinstance(row, (list, tuple)) for row in entries]
    if len(entries) != pixels or (any(nested) and not all(nested)) or any(len(row) != pixels for row, deep in zip(entries, nested, strict=True) if deep):
        raise InputError(f"a separable kernel takes the list of its {pixels} correlations, or a matrix with them on its diagonal; the shape given is another one")
    return [row[place] if deep else row for place, (row, deep) in enumerate(zip(entries, nested, strict=True))]


def _vanishes(kernel: Kernel, k: Any) -> bool:
    return not isinstance(k, Symbol) and kernel.support is not None and kernel.support.vanishes_at(k)


def _joined(a: Factors, b: Factors) -> Factors:
    return tuple(y if x is None else x if y is None else x * y for x, y in zip(a, b, strict=True))


def _collected(terms: Sequence[tuple[Expr, Factors]], name: str) -> SeparableKernel:
    """Equal products added up."""
    found: dict[Factors, Expr] = {}
    for weight, factors in terms:
        found[factors] = found.get(factors, S.Zero) + weight
    return SeparableKernel(tuple((weight, factors) for factors, weight in found.items()), name)


def _coefficients(function: Any) -> list[Expr]:
    if isinstance(function, Kernel):
        if function.polynomial is None:
            raise NoClosedForm(f"{function} is not seen to be a polynomial, so the composition is no sum of products; hierarchical(...) makes trees of such functions")
        values = [function.polynomial.coeff_monomial(function.polynomial.gen**n) for n in range(function.polynomial.degree() + 1)]
    elif isinstance(function, (list, tuple)):
        values = [exact(value, f"coefficient of degree {n}") for n, value in enumerate(function)]
    else:
        raise InputError("the function is a polynomial kernel f(rho), or the list of its coefficients")
    for n, value in enumerate(values):
        if value.is_nonnegative is not True:
            raise InputError(f"the coefficient of degree {n} is {value}: a function of kernels has none below 0")
    return values


__all__ = ["SeparableKernel", "average", "diagonal_entries", "factorizable", "one_pixel", "product_eigenvalue", "require_pixels"]
