r"""Eigenvalues in closed form, where one exists.

The domain chooses the method (:data:`CLOSED_FORMS`). On the boolean cube see
:mod:`symspec.cube_spectrum`; Gaussian inputs have the sphere's eigenvalues for homogeneous kernels
(:class:`symspec.domain.Gaussian`). On spheres three theorems cover the known cases, for any d (a symbol too) and often symbolic k:

* **Polynomial kernels** are finite sums of :func:`symspec.gegenbauer.monomial_eigenvalue`.
* **Homogeneous activations.** If :math:`\sigma(x)=ax_+^s+b(-x)_+^s`, then by Funk-Hecke applied to
  the activation the conjugate kernel of depth 1 has
  :math:`\mu_k=E|w|^{2s}\,(a+(-1)^kb)^2m_k^2`, w standard normal in R^d and
  :math:`m_k=\mu_k(t_+^s)` (Bach 2017). The tangent kernel of depth 1 is
  :math:`\rho\,\widehat{\sigma'}+\hat\sigma` and follows with the recurrence for :math:`tP_k`.
* **Hypergeometric Hermite coefficients.** For depth 1 and integer k,
  :math:`\mu_k=\sum_na_n^2\mu_k(t^n)`; where the ratio :math:`a_{n+2}^2/a_n^2` is a rational
  function of n the sum is a generalised hypergeometric function, a modified Bessel function for
  exponentials.

>>> import symspec as ss
>>> from sympy import Symbol
>>> d = Symbol("d", positive=True)
>>> eigenvalue(ss.mlp(ss.relu, 1).ck, ss.Sphere(3), 2), eigenvalue(ss.mlp(ss.relu, 1).ck, ss.Sphere(d), 1)
(3/128, 1/(2*d))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Expr, S, Symbol, gamma, pi

from .cube_spectrum import cube_eigenvalue
from .domain import BooleanCube, Domain, Gaussian, Sphere
from .errors import DomainError, InputError, NoClosedForm
from .exact import as_expr
from .gegenbauer import monomial_eigenvalue, times_t
from .homogeneity import Homogeneous, homogeneity, homogeneous
from .kernel import MAX_POLYNOMIAL_DEGREE, Kernel
from .multisphere import MultiSphere
from .network import Network
from .pixel_kernel import PixelKernel
from .product_spectrum import image_eigenvalue
from .separable_kernel import SeparableKernel, product_eigenvalue


def eigenvalue(kernel: Any, domain: Any, k: Any) -> Expr:
    """The exact eigenvalue mu_k, for k an integer or a Symbol, and d a number or a Symbol; k is a tuple for kernels of images on MultiSphere.

    A symbolic k gives a formula for large k (stated degrees apart, as a Piecewise). Raises
    NoClosedForm with the reason where none is known: then numerics.eigenvalues gives it to any
    number of digits.
    """
    if isinstance(kernel, PixelKernel):
        if not isinstance(domain, MultiSphere):
            raise DomainError(f"a kernel of images has eigenvalues on MultiSphere(channels, pixels), not on {domain!r}")
        return image_eigenvalue(kernel, domain, k)
    if isinstance(kernel, SeparableKernel):
        return product_eigenvalue(kernel, domain, k)
    if not isinstance(kernel, Kernel):
        raise InputError(f"eigenvalue takes a Kernel (net.ck, net.ntk, ...), not {type(kernel).__name__}")
    method = CLOSED_FORMS.get(type(domain))
    if method is None:
        raise DomainError(f"closed forms are known on {', '.join(kind.__name__ for kind in CLOSED_FORMS)} and Circle, not on {domain!r}")
    degree = k if isinstance(k, Symbol) else domain.degree(k)
    return method(kernel, domain, degree)


def sphere_eigenvalue(kernel: Kernel, domain: Sphere, degree: int | Symbol) -> Expr:
    """mu_k on S^{d-1}; see the module docstring."""
    if isinstance(degree, int) and kernel.support is not None and kernel.support.vanishes_at(degree):
        return S.Zero
    d = as_expr(domain.d)
    if isinstance(degree, int) and (value := _polynomial_kernel(kernel, d, degree)) is not None:
        return value
    source = kernel.source
    if source is not None and source.network.depth == 1:
        return as_expr(source.scale) * _depth_one(source.network, source.part, d, degree)
    raise NoClosedForm("no closed form is known for this kernel; numerics.eigenvalues gives certified values to any number of digits")


def gaussian_eigenvalue(kernel: Kernel, domain: Gaussian, degree: int | Symbol) -> Expr:
    """E[(|x|^2/d)^m] times the eigenvalue on the sphere, for a homogeneous kernel."""
    return domain.radial_moment(gaussian_degree(kernel)) * sphere_eigenvalue(kernel, domain.directions, degree)


def gaussian_degree(kernel: Kernel) -> int:
    """m of :class:`symspec.domain.Gaussian`; DomainError for a kernel that is not known to be homogeneous."""
    m = homogeneity(kernel)
    if m is None:
        raise DomainError(
            "under Gaussian inputs this kernel is not known to be homogeneous in the lengths, so each degree has infinitely many eigenvalues; "
            "networks of relu, leaky_relu, absolute, step or rectified_monomial without bias have one, and so has every kernel on Sphere(d); "
            "numerics.eigenvalues encloses the largest of fully connected and residual networks, numerics.radial_eigenvalues more"
        )
    return m


CLOSED_FORMS: dict[type[Domain], Callable[..., Expr]] = {Sphere: sphere_eigenvalue, BooleanCube: cube_eigenvalue, Gaussian: gaussian_eigenvalue}


def _polynomial_kernel(kernel: Kernel, d: Expr, k: int) -> Expr | None:
    if kernel.polynomial is None:
        return None
    return sympy.Add(*(c * monomial_eigenvalue(d, n, k) for (n,), c in kernel.polynomial.terms()))


def _depth_one(network: Network, part: str, d: Expr, k: Any) -> Expr:
    if not network.is_plain:
        raise NoClosedForm("with a bias no closed form is known; numerics.eigenvalues gives certified values")
    form = network.activation.form
    shape = homogeneous(form)
    if shape is not None:
        return network.output_scale * _homogeneous_kernel(shape, part, d, k)
    if part != "ck" or not network.parametrisation.normalised:
        raise NoClosedForm("the closed form of this tangent kernel is not known; numerics.eigenvalues gives certified values")
    return _hypergeometric(network, d, k)


def half_power_eigenvalue(d: Expr, s: int, k: Any) -> Expr:
    r"""m_k = mu_k(t_+^s).

    For integer k <= s from :math:`t_+^s` written with even and odd parts: half the monomial where
    the parities of k and s agree; otherwise (and for k > s) Rodrigues' formula.
    """
    if isinstance(k, int) and (k - s) % 2 == 0:
        return monomial_eigenvalue(d, s, k) / 2
    # The analytic continuation in the power of mu_k(|t|^s)/2, k of the other parity than s.
    value = gamma(d / 2) * gamma(s + 1) * gamma(_half(k - s)) / (2 ** (s + 1) * pi * gamma((as_expr(s) + k + d) / 2))
    sign = _sign(k, s)
    return sympy.gammasimp(sign * value) if isinstance(k, int) else value


def _half(x: Any) -> Expr:
    return as_expr(x) / 2


def _sign(k: Any, s: int) -> Expr:
    """(-1)^((k-s-1)/2); only its square matters where k is a symbol."""
    return S.NegativeOne ** ((k - s - 1) // 2) if isinstance(k, int) else S.One


def _radial_moment(d: Expr, s: int) -> Expr:
    """E |w|^(2s) = d (d+2) ... (d+2s-2)."""
    return sympy.prod([d + 2 * j for j in range(s)], start=S.One)


def _conjugate(shape: Homogeneous, d: Expr, k: Any) -> Expr:
    """mu_k of the dual of a homogeneous activation."""
    radial = _radial_moment(d, shape.s)
    if isinstance(k, int):
        weight = shape.a + (-1) ** k * shape.b
        return S.Zero if weight == 0 else sympy.gammasimp(radial * weight**2 * half_power_eigenvalue(d, shape.s, k) ** 2)
    # A symbolic degree k > s: only parities other than that of s survive.
    weight = shape.a - (-1) ** shape.s * shape.b
    parity = (1 - (-1) ** (k - shape.s)) / 2
    return radial * weight**2 * half_power_eigenvalue(d, shape.s, k) ** 2 * parity


def _homogeneous_kernel(shape: Homogeneous, part: str, d: Expr, k: Any) -> Expr:
    """Normalised conjugate kernel, tangent kernel or one of its two layers, depth 1."""
    norm = shape.second_moment

    def terms(degree: Any) -> list[Expr]:
        parts = []
        if part in ("ck", "ntk", "layer 2"):
            parts.append(_conjugate(shape, d, degree))
        if part in ("ntk", "layer 1"):
            slope = shape.derivative()
            below = S.Zero if degree == 0 else _conjugate(slope, d, degree - 1)
            above = _conjugate(slope, d, degree + 1)
            parts += [above] if degree == 0 else [times_t(d, degree, below, S.Zero), times_t(d, degree, S.Zero, above)]
        return parts

    if isinstance(k, int):
        return sympy.factor_terms(sympy.gammasimp(sympy.Add(*terms(k)) / norm))
    # Every Gamma function that occurs is a whole shift of one of these two.
    low, high = _half(k - shape.s), _half(k + shape.s + d)
    base = (gamma(low) / gamma(high) * gamma(d / 2)) ** 2
    reduced = sympy.Add(*(sympy.cancel(_shifted(term, (low, high)) / base) for term in terms(k)))
    small = [(_homogeneous_kernel(shape, part, d, j), sympy.Eq(k, j)) for j in range(shape.s + 2)]
    return sympy.Piecewise(*small, (sympy.factor(reduced / norm) * base, True))


def _shifted(expr: Expr, anchors: tuple[Expr, ...]) -> Expr:
    """Write Gamma(a + n) as Gamma(a) times a product of n factors, a an anchor."""

    def anchored(argument: Expr) -> Expr:
        for anchor in anchors:
            n = sympy.expand(argument - anchor)
            if n.is_Integer and n >= 0:
                return gamma(anchor) * sympy.prod([anchor + i for i in range(int(n))])
            if n.is_Integer:
                return gamma(anchor) / sympy.prod([anchor - i for i in range(1, int(-n) + 1)])
        return gamma(argument)

    return expr.replace(gamma, anchored)


def _hypergeometric(network: Network, d: Expr, k: Any) -> Expr:
    """Sum over n = k, k+2, ... of a_n^2 mu_k(t^n) / sum a_n^2 by the ratio of terms."""
    if not isinstance(k, int):
        raise NoClosedForm("a closed form in symbolic degree is known for homogeneous activations only; give an integer degree")
    reach = network.ck.support.odd if k % 2 else network.ck.support.even  # type: ignore[union-attr]
    if reach < MAX_POLYNOMIAL_DEGREE:
        square = network.activation.hermite_coefficient
        finite = sympy.Add(*(square(m) ** 2 * monomial_eigenvalue(d, m, k) for m in range(k, int(reach) + 1, 2)))
        return finite / network.activation.dual_object.at(S.One)
    j = Symbol("j", integer=True, nonnegative=True)
    n = Symbol("n", integer=True, nonnegative=True)
    general = network.activation.hermite_coefficient(n)
    body = general.args[-1].expr if isinstance(general, sympy.Piecewise) else general
    first = len(general.args) - 1 if isinstance(general, sympy.Piecewise) else 0
    start = k if k >= first else k + 2 * ((first - k + 1) // 2)
    coefficient = network.activation.hermite_coefficient
    head = sympy.Add(*(coefficient(m) ** 2 * monomial_eigenvalue(d, m, k) for m in range(k, start, 2)))
    step = _ratio(sympy.expand(body * sympy.sqrt(sympy.factorial(n))).subs(n, start + 2 * j), j)
    at = start + 2 * j
    # mu_k(t^(n+2))/mu_k(t^n) = (n+1)(n+2)/((n+2-k)(n+k+d)), and n!/(n+2)! from a_n^2 = c_n^2/n!.
    ratio = sympy.cancel(step**2 / ((at + 2 - k) * (at + k + d)))
    if not ratio.is_rational_function(j):
        raise NoClosedForm("the Hermite coefficients are no hypergeometric sequence; numerics.eigenvalues gives certified values")
    total = coefficient(start) ** 2 * monomial_eigenvalue(d, start, k) * _hyper(ratio, j)
    return (head + total) / network.activation.dual_object.at(S.One)


def _ratio(term: Expr, j: Symbol) -> Expr:
    """term(j+1)/term(j), simplified as far as Gamma functions and signs allow."""
    quotient = sympy.powsimp(sympy.simplify(term.subs(j, j + 1)) / sympy.simplify(term))
    return sympy.cancel(sympy.combsimp(sympy.gammasimp(sympy.expand_func(quotient))))


def _hyper(ratio: Expr, j: Symbol) -> Expr:
    """sum_j prod_{i<j} ratio(i) as a hypergeometric function."""
    numerator, denominator = sympy.fraction(sympy.factor(ratio))
    top, lead_top = _shifts(numerator, j)
    bottom, lead_bottom = _shifts(denominator, j)
    if S.One in bottom:
        bottom.remove(S.One)
    else:
        top.append(S.One)
    return sympy.hyperexpand(sympy.hyper(top, bottom, lead_top / lead_bottom))


def _shifts(polynomial: Expr, j: Symbol) -> tuple[list[Expr], Expr]:
    """The a with polynomial = lead * prod (j + a)."""
    poly = sympy.Poly(polynomial, j)
    shifts: list[Expr] = []
    for factor, power in sympy.factor_list(poly)[1]:
        if factor.degree() != 1:
            raise NoClosedForm("the ratio of terms does not split into linear factors over the rationals")
        a, b = factor.all_coeffs()
        shifts += [b / a] * power
    return shifts, poly.LC()


__all__ = ["Homogeneous", "eigenvalue", "gaussian_degree", "half_power_eigenvalue", "homogeneous"]
