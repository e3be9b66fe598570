r"""How a kernel's variance is shared among the degrees.

The function space of a kernel splits into its eigenspaces, and :math:`\sum_kN_k\mu_k=K(1)`
(:mod:`symspec.domain`). The *fractional variance* of degree k is :math:`N_k\mu_k/K(1)`: the share of the
variance of a random network (conjugate kernel), or of the gradient (tangent kernel), in degree k (Yang and Salman 2019).
The shares are >= 0 for a kernel with non-negative coefficients and add up to 1.

**The rest.** With :math:`b_n\ge0`, the degrees above k draw on the powers above k only, because
:math:`\mu_j(t^n)=0` for j > n and :math:`\sum_jN_j\mu_j(t^n)=1`. So the degrees above k share at most
:math:`\sum_{n>k}b_n/K(1)`, on every domain where K is a function of t: :func:`variance_beyond`, which knows nothing of the
eigenvalues. (Under Gaussian inputs that means kernels that are homogeneous in the lengths.)

>>> import symspec as ss
>>> kernel = ss.mlp(ss.relu, 2).ntk
>>> shares = fractional_variances(kernel, ss.BooleanCube(7), range(8), digits=20)
>>> sum(shares, arb(0)).contains(1), shares[0].str(8, radius=False)
(True, '0.26165157')
>>> print(variance_beyond(kernel, 10).str(3))
[0.0853 +/- 3.87e-5]
"""

from __future__ import annotations

from typing import Any

import sympy
from flint import arb, fmpz

from symspec.domain import Circle, Domain, Gaussian
from symspec.errors import Undecided
from symspec.exact import natural
from symspec.kernel import Kernel
from symspec.spectrum import gaussian_degree

from . import gaussian_spectrum
from .constants import ball
from .power_series import majorants, partial_series
from .precision import goal_bits, working_precision
from .spectrum import Progress, degree_sums, has_one_eigenvalue, require_spectrum
from .values import at_exact, evaluate

SPARE_DIGITS = 3
GUARD = 64


def fractional_variances(kernel: Kernel, domain: Domain, degrees: Any, digits: Any = 30, *, progress: Progress | None = None) -> list[arb]:
    """N_k mu_k / K(1), one ball a degree, each good to ``digits`` significant digits or exactly 0.

    On Gaussian(d) the total variance is E K(x, x). For a homogeneous kernel the shares are the sphere's; any other has infinitely many
    eigenvalues in each degree, whose sum is its share. Raises as :func:`numerics.eigenvalues`.
    """
    wanted = require_spectrum(kernel, domain, degrees, "fractional_variances", several=True)
    number = natural(digits, "digits", 1)
    values = degree_sums(kernel, domain, wanted, number + SPARE_DIGITS, progress=progress)
    with working_precision(goal_bits(number) + GUARD):
        total = total_variance(kernel, domain, number + SPARE_DIGITS)
        return [value if value == 0 else value * fmpz(domain.multiplicity(k)) / total for k, value in zip(wanted, values, strict=True)]


def total_variance(kernel: Kernel, domain: Domain, digits: Any = 30) -> arb:
    """E K(x, x), the sum of multiplicity times eigenvalue: K(1), on Gaussian(d) for homogeneous kernels times E[(|x|^2/d)^m]."""
    if not has_one_eigenvalue(kernel, domain):
        return gaussian_spectrum.mean_variance(kernel, int(domain.dimension), goal_bits(digits))
    diagonal = evaluate(kernel, 1, digits)
    with working_precision(goal_bits(digits) + GUARD):
        return diagonal * ball(domain.radial_moment(gaussian_degree(kernel))) if isinstance(domain, Gaussian) else diagonal


def variance_beyond(kernel: Kernel, k: Any, digits: Any = 10) -> arb:
    """A bound of the share of all degrees above k, on every domain where the kernel is a function of t: sum_{n>k} b_n/K(1), see the module docstring.

    Raises Undecided where the signs of the coefficients are not known.
    """
    top, bits = natural(k, "degree"), goal_bits(digits)
    require_spectrum(kernel, Circle(), [], "variance_beyond")
    if kernel.support is None:
        raise Undecided("the signs of the power series of this kernel are not known; a kernel of a network has them")
    with working_precision(bits + GUARD + top // 8):
        _, rest = partial_series(kernel, top + 1, majorants(kernel) if kernel.support.degree > top else ())
        return (rest / at_exact(kernel, sympy.Integer(1))).upper()


__all__ = ["fractional_variances", "total_variance", "variance_beyond"]
