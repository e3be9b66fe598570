r"""Certified eigenvalues on every domain.

What is asked is checked here, degrees that vanish are exactly 0 here, and the rest goes to the
method of the domain (:data:`METHODS`): :mod:`numerics.sphere`, :mod:`numerics.cube`, and for
Gaussian inputs the sphere again where the kernel is homogeneous (:class:`symspec.domain.Gaussian`), else
:mod:`numerics.gaussian_spectrum`, which has several eigenvalues in a degree: the largest is given.

**Exact zeros.** On every domain :math:`\mu_k(t^n)>0` for n >= k of the same parity and 0 otherwise
(:mod:`symspec.domain`: a walk with steps of positive weight from k to 0 in n steps exists exactly then; on
the cube k <= d, the weight of the step from d to d + 1 being 0). For a kernel :math:`\sum b_nt^n` with
:math:`b_n\ge0` therefore :math:`\mu_k=0` if and only if no :math:`b_n>0` is reached from k:
one rule, :meth:`symspec.support.Support.vanishes_at`.

>>> import symspec as ss
>>> kernel = ss.mlp(ss.relu, 3).ntk
>>> for domain in (ss.Sphere(10), ss.BooleanCube(10), ss.Gaussian(10), ss.BooleanCube(10**6)):
...     print(domain, eigenvalues(kernel, domain, 2, digits=15)[0].str(14, radius=False))
sphere:10 0.012867325048842
cube:10 0.016677168123898
gaussian:10 0.012867325048842
cube:1000000 1.3301841262095e-12
>>> eigenvalues(ss.mlp(ss.relu, 1).ntk, ss.BooleanCube(10), [7, 10])[0]
0
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flint import arb

from symspec.domain import BooleanCube, Domain, Gaussian, Sphere
from symspec.errors import DomainError, InputError, Undecided
from symspec.exact import natural
from symspec.homogeneity import homogeneity
from symspec.kernel import Kernel
from symspec.multisphere import MultiSphere
from symspec.pixel_kernel import PixelKernel
from symspec.separable_kernel import SeparableKernel, require_pixels
from symspec.spectrum import gaussian_degree

from . import cube, gaussian_spectrum, multisphere, sphere
from .constants import ball
from .precision import goal_bits, meets, working_precision
from .radial_kernel import RadialKernel

Progress = Callable[[int, int], None]
GUARD = 8
EXTRA_DIGITS = 4
MAX_DIGIT_FACTOR = 8


def eigenvalues(kernel: Kernel | PixelKernel | SeparableKernel, domain: Domain, degrees: Any, digits: Any = 30, *, progress: Progress | None = None) -> list[arb]:
    """Eigenvalues mu_k, one ball a degree, each good to ``digits`` significant digits or exactly 0.

    ``degrees`` is an iterable of integers >= 0 (or one integer), in any order. Normalisation as
    in :mod:`symspec.domain`: mu_k belongs to one eigenfunction, and K(1) is the sum of
    multiplicity times mu_k. Under Gaussian inputs a kernel that is not homogeneous in the lengths has infinitely many eigenvalues in each degree:
    the largest is given (:func:`numerics.radial_eigenvalues` gives more; 15 digits take seconds, 30 minutes). ``progress(done, total)`` reports the share
    of the work where a method is slow. Raises
    DomainError where the kernel does not live on the domain or has no finite trace and for a degree that the domain does not have,
    InputError for a bad degree or digits, Undecided when the goal is out of reach.

    On MultiSphere(C, P) the kernel is one of images and the degrees are multi-indices (:func:`numerics.multisphere.eigenvalues`);
    for sums of products of one-pixel kernels they are sums of products of eigenvalues on the sphere.
    """
    if isinstance(kernel, SeparableKernel):
        return _separable(kernel, domain, degrees, digits)
    if isinstance(domain, MultiSphere):
        return multisphere.eigenvalues(kernel, domain, degrees, digits, progress=progress)
    if isinstance(kernel, PixelKernel):
        raise DomainError(f"a kernel of images has eigenvalues on MultiSphere(channels, {kernel.pixels}), not on {domain!r}")
    wanted = require_spectrum(kernel, domain, degrees, "eigenvalues", several=True)
    bits = goal_bits(digits)
    positive = sorted({k for k in wanted if not (kernel.support and kernel.support.vanishes_at(k))})
    values = METHODS[type(domain)](kernel, domain, positive, bits, progress) if positive else {}
    return [values.get(k, arb(0)) for k in wanted]


def sole_eigenvalues(kernel: Kernel, domain: Domain, degrees: Any, digits: Any = 30) -> list[arb]:
    """As :func:`eigenvalues`, where every degree has one; DomainError where a degree has several."""
    return eigenvalues(kernel, domain, require_spectrum(kernel, domain, degrees, "a spectrum of one eigenvalue a degree"), digits)


def degree_sums(kernel: Kernel, domain: Domain, degrees: list[int], digits: Any = 30, *, progress: Progress | None = None) -> list[arb]:
    """For each degree the sum of the eigenvalues of one harmonic: one, but for kernels that are not homogeneous under Gaussian inputs."""
    if has_one_eigenvalue(kernel, domain):
        return eigenvalues(kernel, domain, degrees, digits, progress=progress)
    wanted = require_spectrum(kernel, domain, degrees, "degree_sums", several=True)
    positive = sorted({k for k in wanted if not (kernel.support and kernel.support.vanishes_at(k))})
    found = gaussian_spectrum.traces(kernel, int(domain.dimension), positive, goal_bits(digits)) if positive else {}
    return [found.get(k, arb(0)) for k in wanted]


def has_one_eigenvalue(kernel: Kernel, domain: Domain) -> bool:
    """Whether every degree has one eigenvalue: everywhere but under Gaussian inputs, where the kernel must be homogeneous in the lengths."""
    return not isinstance(domain, Gaussian) or homogeneity(kernel) is not None


def require_spectrum(kernel: Any, domain: Any, degrees: Any, who: str, *, several: bool = False) -> list[int]:
    """The degrees asked for, as ints, where the kernel has eigenvalues on the domain; else InputError or DomainError.

    ``several``: kernels of fully connected networks may have several in a degree.
    """
    if not isinstance(kernel, Kernel):
        raise InputError(f"{who} takes a Kernel (net.ck, net.ntk, ...), not {type(kernel).__name__}")
    if type(domain) not in METHODS:
        raise DomainError(f"{who} takes a domain such as Sphere(d), Circle(), BooleanCube(d) or Gaussian(d), not {domain!r}")
    _ = domain.dimension
    if isinstance(domain, Gaussian) and not (several and RadialKernel.covers(kernel)):
        gaussian_degree(kernel)
    if kernel.diagonal_is_infinite:
        raise DomainError("this tangent kernel is infinite on the diagonal (the activation has a jump), so its eigenvalues have no finite sum; use the conjugate kernel or drop_deltas=True")
    return [domain.degree(k) for k in (degrees if isinstance(degrees, Iterable) else [degrees])]


def _separable(kernel: SeparableKernel, domain: Any, indices: Any, digits: Any) -> list[arb]:
    """Sums of products of eigenvalues of one sphere; with more digits where the terms cancel."""
    require_pixels(kernel, domain)
    wanted, bits = multisphere.multi_indices(domain, indices), goal_bits(digits)
    asked: dict[Kernel, set[int]] = {}
    for _, factors in kernel.terms:
        for pixel, factor in enumerate(factors):
            if factor is not None:
                asked.setdefault(factor, set()).update(index[pixel] for index in wanted)
    accuracy = natural(digits, "digits", 1) + EXTRA_DIGITS
    while True:
        tables = {factor: dict(zip(sorted(degrees), eigenvalues(factor, domain.sphere, sorted(degrees), accuracy), strict=True)) for factor, degrees in asked.items()}
        with working_precision(goal_bits(accuracy) + 64):
            values = [sum((ball(weight) * _product(factors, index, tables) for weight, factors in kernel.terms), arb(0)) for index in wanted]
        if all(meets(value, bits) for value in values):
            return values
        accuracy *= 2
        if accuracy > MAX_DIGIT_FACTOR * (natural(digits, "digits", 1) + EXTRA_DIGITS):
            worst = next(index for index, value in zip(wanted, values, strict=True) if not meets(value, bits))
            raise Undecided(f"the terms of the eigenvalue of {worst} cancel in {accuracy // 2} digits; it may be exactly 0")


def _product(factors: tuple[Kernel | None, ...], index: tuple[int, ...], tables: dict[Kernel, dict[int, arb]]) -> arb:
    result = arb(1)
    for factor, k in zip(factors, index, strict=True):
        result = result * (arb(k == 0) if factor is None else tables[factor][k])
    return result


def _gaussian(kernel: Kernel, domain: Gaussian, degrees: list[int], bits: int, progress: Progress | None) -> dict[int, arb]:
    if not has_one_eigenvalue(kernel, domain):
        found = gaussian_spectrum.largest_eigenvalues(kernel, int(domain.dimension), degrees, 1, bits)
        return {k: values[0] for k, values in found.items()}
    values = sphere.positive_degrees(kernel, domain.directions, degrees, bits + GUARD, progress)
    with working_precision(bits + 64):
        moment = ball(domain.radial_moment(gaussian_degree(kernel)))
        return {k: moment * value for k, value in values.items()}


METHODS: dict[type[Domain], Callable[[Kernel, Any, list[int], int, Progress | None], dict[int, arb]]] = {
    Sphere: sphere.positive_degrees,
    BooleanCube: cube.positive_degrees,
    Gaussian: _gaussian,
}

__all__ = ["METHODS", "degree_sums", "eigenvalues", "has_one_eigenvalue", "require_spectrum", "sole_eigenvalues"]
