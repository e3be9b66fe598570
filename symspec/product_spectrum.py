r"""Exact eigenvalues of kernels of images on products of spheres, where the kernel is a polynomial in the correlations.

:math:`\lambda_k=E[K(t)\prod_iP_{k_i}(t_i)]` is linear in K and a product for :math:`t^n=\prod_it_i^{n_i}`:

.. math:: \lambda_k(t^n)=\prod_i\mu_{k_i}(t_i^{n_i})

(:func:`symspec.gegenbauer.monomial_eigenvalue`). Kernels of polynomial activations at any depth, and of linear networks, are polynomials; any other kernel has the
eigenvalues that vanish, exactly 0 (:mod:`symspec.pixel_support`), and certified ones in numerics. A global average pool over circular shifts has the
eigenvalues of the trace, on the shift-invariant functions.

>>> from symspec.convolution import cnn
>>> from symspec.activations import polynomial, relu
>>> from symspec.multisphere import MultiSphere
>>> image_eigenvalue(cnn(polynomial(0, 1, 1), 1, 2, 2).ck, MultiSphere(3, 2), (1, 1))
1/36
>>> image_eigenvalue(cnn(relu, 1, 2, 2).ck, MultiSphere(3, 2), (3, 0))
0
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, Rational, S

from .errors import DomainError, NoClosedForm
from .multisphere import MultiSphere
from .pixel_kernel import PixelKernel
from .pixel_support import zeros

MAX_TERMS = 20_000


def image_eigenvalue(kernel: PixelKernel, domain: MultiSphere, index: Any) -> Expr:
    """lambda_k, exact; NoClosedForm for a kernel that is no polynomial and a multi-index that does not vanish.

    Raises DomainError for other pixels and for a global average pool without shift symmetry.
    """
    if kernel.pixels != domain.pixels:
        raise DomainError(f"the kernel has {kernel.pixels} pixels and {domain.name} has {domain.pixels}")
    k, kernel = domain.degree(index), without_pool(kernel)
    if zeros(kernel, [k])[0]:
        return S.Zero
    t = sympy.symbols(f"t_1:{domain.pixels + 1}", real=True)
    value = kernel(list(t))
    if not value.is_polynomial(*t):
        raise NoClosedForm("no closed form is known for this kernel of images; numerics.eigenvalues gives certified values")
    terms = sympy.Poly(value, *t).terms()
    if len(terms) > MAX_TERMS:
        raise NoClosedForm(f"the kernel is a polynomial of {len(terms)} terms, more than {MAX_TERMS}; numerics.eigenvalues gives certified values")
    return sympy.expand(sympy.Add(*(c * domain.monomial_eigenvalue(n, k) for n, c in terms)))


def without_pool(kernel: PixelKernel) -> PixelKernel:
    """The kernel with the head trace in place of a global average pool, which has the same eigenvalues; DomainError without shift symmetry."""
    if kernel.is_diagonal:
        return kernel
    network = kernel.origin
    if kernel.more or network is None or network.padding != "circular" or network.head != "gap":
        raise DomainError("global average pooling has product eigenfunctions summed over shifts only where the network commutes with them: circular padding; use the head trace or eq")
    positions = sorted({p for (p, _), _ in kernel.program.readout.pairs})
    return kernel.at([((p, p), Rational(1, len(positions))) for p in positions])


__all__ = ["image_eigenvalue", "without_pool"]
