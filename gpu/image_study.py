r"""The study of a convolutional network on a product of spheres: derived, evaluated, bounded and checked.

As :mod:`gpu.study` for dense networks: the kernel and its receptive field (exact), eigenvalues by multi-index (certified balls), closed forms where the kernel is a
polynomial, the law of cones along rays (with its constant or the exponent alone, as it says), bounds by products of powers on a stated range, and random images against the
certified values. For up to RAY_PIXELS pixels the law is followed along the diagonal and along an axis to higher degrees.

Two cross-checks run on the way and stop the study where they fail: closed forms must meet the certified eigenvalues, and the shares, multiplicity times
:math:`\lambda_k` over K(x, x), must not add up to more than 1. A global average pool has eigenfunctions on orbits of shifts: their number is counted, and shares are
left out, as K(x, x) varies.

>>> import symspec as ss
>>> net = ss.cnn(ss.relu, 1, 2, 2)
>>> found = conduct(ImageRequest(net, net.ck, ss.MultiSphere(3, 2), ((0, 0), (1, 1), (2, 1)), digits=10, points=0))
>>> [row.multiplicity for row in found.rows], found.rows[2].closed_form
([1, 9, 15], 0)
>>> [(ray.support, ray.exponent, ray.checked) for ray in found.rays]
[((0, 1), 7, True), ((0,), 7, True)]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flint import arb, fmpz
from sympy import Expr, S

import numerics
from numerics.multisphere import multi_indices, require_images, shifts
from numerics.precision import goal_bits, working_precision
from symspec.convolution import ConvolutionalNetwork
from symspec.errors import DomainError, InputError, NoClosedForm, SymspecError, Undecided
from symspec.multisphere import MultiIndex, MultiSphere
from symspec.pixel_kernel import PixelKernel
from symspec.pixel_support import zeros
from symspec.product_spectrum import without_pool
from symspec.receptive_cones import ConeLaw, cone_law
from symspec.receptive_field import EffectiveField, effective_receptive_field
from symspec.spectrum import eigenvalue

from .image_statistics import DIGITS, image_check

if TYPE_CHECKING:
    from numerics.product_decay import ProductBounds

    from .backends import Backend
    from .image_statistics import ImageCheck

GUARD = 64
LAW_DIGITS = 6
DIGITS_BY_PIXELS = {1: 20, 2: 20}
FEW_DIGITS = 6
RAY_PIXELS, RAY_DIGITS = 2, 6
RAY_DEGREES = (2, 4, 6, 8, 12, 16, 24)
BOUNDED_PIXELS, BOUNDED_DEGREE = 2, 6
CHECKED, HIGHEST_CHECKED = 5, 4
Progress = Callable[[int, int], None]
Bar = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class ImageRequest:
    """What is asked: a kernel of a convolutional network on a product of spheres, multi-indices, digits, and the random images of the check (0 for none)."""

    network: ConvolutionalNetwork
    kernel: PixelKernel
    domain: MultiSphere
    degrees: tuple[MultiIndex, ...]
    digits: int = 20
    points: int = 2000
    seed: int = 0
    backend: str | Backend = "auto"


@dataclass(frozen=True)
class ImageRow:
    """One multi-index: the number of eigenfunctions, the certified eigenvalue, its closed form if known, its ratio to a derived law, its share of K(x, x)."""

    degree: MultiIndex
    multiplicity: int
    eigenvalue: arb
    closed_form: Expr | None
    to_law: arb | None
    share: arb | None


@dataclass(frozen=True)
class Ray:
    """Certified eigenvalues along a ray with frequencies in the pixels of ``support``; the exponent is None where the law gives none."""

    support: tuple[int, ...]
    exponent: int | None
    checked: bool
    rows: tuple[ImageRow, ...]


@dataclass(frozen=True)
class ImageStudy:
    """What was found; what is None has its reason in the note beside it. ``field`` is None for heads that read more than one output."""

    request: ImageRequest
    rows: tuple[ImageRow, ...]
    rays: tuple[Ray, ...]
    law: ConeLaw | None
    law_note: str
    bounds: ProductBounds | None
    bounds_note: str
    gram: tuple[ImageCheck, ...] | None
    gram_note: str
    field: EffectiveField | None

    @cached_property
    def total_share(self) -> arb | None:
        """Sum of the shares of the multi-indices asked for."""
        with working_precision(goal_bits(self.request.digits) + GUARD):
            shares = [row.share for row in self.rows if row.share is not None]
            return sum(shares, arb(0)) if len(shares) == len(self.rows) else None


def default_digits(kernel: PixelKernel) -> int:
    """How many digits a study asks for if not told: what takes seconds."""
    return DIGITS_BY_PIXELS.get(len(kernel.receptive_field), FEW_DIGITS)


def conduct(request: ImageRequest, bar: Bar = lambda _what: nullcontext(lambda _done, _total: None)) -> ImageStudy:
    """Derive, evaluate, bound and check. ``bar(what)`` shows progress; see :func:`symspec.progress.progress_bar`.

    Raises DomainError for a kernel without eigenvalues on the domain, Undecided where digits are out of reach.
    """
    if not isinstance(request.domain, MultiSphere):
        raise DomainError(f"a study of a convolutional network needs the domain multisphere:C,{request.kernel.pixels}, not {request.domain!r}")
    kernel = require_images(request.kernel, request.domain)
    indices = multi_indices(request.domain, request.degrees)
    if not indices:
        raise InputError("a study needs a multi-index")
    with bar("certified eigenvalues") as progress:
        values = numerics.eigenvalues(kernel, request.domain, indices, request.digits, progress=progress)
    law, law_note = _law(request)
    with bar("closed forms"):
        forms = _closed_forms(request, indices)
        rows = _rows(request, law, indices, values, forms)
    _cross_check(rows)
    with bar("rays") as progress:
        rays = _rays(request, law, progress)
    with bar("bounds by products"):
        bounds, bounds_note = _bounds(request, law)
    with bar("random images") as progress:
        gram, gram_note = _gram(request, progress)
    field = effective_receptive_field(request.network, request.domain.channels) if request.network.head == "eq" else None
    return ImageStudy(request, rows, rays, law, law_note, bounds, bounds_note, gram, gram_note, field)


def _law(request: ImageRequest) -> tuple[ConeLaw | None, str]:
    try:
        return cone_law(request.kernel, request.domain.channels), ""
    except (DomainError, NoClosedForm, Undecided) as error:
        return None, str(error)


def _closed_forms(request: ImageRequest, indices: Sequence[MultiIndex]) -> list[Expr | None]:
    """Exact values: those that vanish, and all of a polynomial kernel."""
    layers = request.kernel.program.dual.nonlinearity.activation.support.degree
    if request.network.depth and layers == float("inf"):
        return [S.Zero if vanishing else None for vanishing in zeros(without_pool(request.kernel), indices)]
    found: list[Expr | None] = []
    for index in indices:
        try:
            found.append(eigenvalue(request.kernel, request.domain, index))
        except NoClosedForm:
            found.append(None)
    return found


def _rows(request: ImageRequest, law: ConeLaw | None, indices: Sequence[MultiIndex], values: Sequence[arb], forms: Sequence[Expr | None]) -> tuple[ImageRow, ...]:
    domain, pooled = request.domain, not request.kernel.is_diagonal
    ones = [1] * request.kernel.pixels
    group = shifts(request.network) if pooled else []
    total = None if pooled else numerics.evaluate(request.kernel, ones, request.digits + 5)
    found = []
    with working_precision(goal_bits(request.digits) + GUARD):
        for index, value, form in zip(indices, values, forms, strict=True):
            count = domain.orbits(index, group) if pooled else domain.multiplicity(index)
            share = None if total is None else value * fmpz(count) / total
            found.append(ImageRow(index, count, value, form, _to_law(law, index, value), share))
    return tuple(found)


def _to_law(law: ConeLaw | None, index: MultiIndex, value: arb) -> arb | None:
    if law is None or value == 0 or not any(index):
        return None
    try:
        leading = numerics.cone_leading(law, index, LAW_DIGITS)
    except (DomainError, NoClosedForm, Undecided):
        return None
    return value / leading if leading != 0 else None


def _cross_check(rows: Sequence[ImageRow]) -> None:
    with working_precision(GUARD * 4):
        for row in rows:
            if row.closed_form is not None and not numerics.ball(row.closed_form).overlaps(row.eigenvalue):
                raise SymspecError(f"the closed form {row.closed_form} and the certified eigenvalue {row.eigenvalue.str(10)} of {row.degree} disagree; please report this")
        shares = {row.degree: row.share for row in rows}
        total = sum((share for share in shares.values() if share is not None), arb(0))
    if total > 1:
        raise SymspecError(f"the shares of the eigenvalues add up to {total.str(10)}, more than 1; please report this")


def _rays(request: ImageRequest, law: ConeLaw | None, progress: Progress) -> tuple[Ray, ...]:
    field = request.kernel.receptive_field
    if law is None or len(field) > RAY_PIXELS:
        return ()
    found = []
    along = {support: _along(request, support) for support in (field, field[:1])}
    for support, values in _along_rays(request, along, progress).items():
        indices = along[support]
        try:
            exponent, checked = law.exponent(support), law.is_checked(support)
        except (DomainError, NoClosedForm):
            exponent, checked = None, False
        wider = ImageRequest(request.network, request.kernel, request.domain, tuple(indices), RAY_DIGITS)
        found.append(Ray(support, exponent, checked, _rows(wider, law, indices, values, [None] * len(indices))))
    return tuple(found)


def _along_rays(request: ImageRequest, along: dict[tuple[int, ...], list[MultiIndex]], progress: Progress) -> dict[tuple[int, ...], list[arb]]:
    """Certified eigenvalues on all rays from one integration, or of those rays where they are in reach."""
    every = list(dict.fromkeys(index for indices in along.values() for index in indices))
    try:
        known = dict(zip(every, numerics.eigenvalues(request.kernel, request.domain, every, RAY_DIGITS, progress=progress), strict=True))
        return {support: [known[index] for index in indices] for support, indices in along.items()}
    except Undecided:
        if len(along) == 1:
            return {}
        return {support: values for part in along.items() for support, values in _along_rays(request, dict([part]), progress).items()}


def _along(request: ImageRequest, support: tuple[int, ...]) -> list[MultiIndex]:
    """Multi-indices (k, ..., k) on the support, or (k + 1, k, ..., k) where that one vanishes; those that vanish both ways are left out."""
    kernel, found = without_pool(request.kernel), []
    for k in RAY_DEGREES:
        choices = [tuple((k + extra if pixel == support[0] else k) if pixel in support else 0 for pixel in range(kernel.pixels)) for extra in (0, 1)]
        found += [index for index, vanishing in zip(choices, zeros(kernel, choices), strict=True) if not vanishing][:1]
    return found


def _bounds(request: ImageRequest, law: ConeLaw | None) -> tuple[ProductBounds | None, str]:
    if law is None:
        return None, "without a power law there are no bounds by powers"
    if len(request.kernel.receptive_field) > BOUNDED_PIXELS:
        return None, f"certified for at most {BOUNDED_PIXELS} pixels; numerics.product_bounds takes more"
    try:
        return numerics.product_bounds(request.kernel, request.domain.channels, BOUNDED_DEGREE), ""
    except (DomainError, NoClosedForm, Undecided) as error:
        return None, str(error)


def _gram(request: ImageRequest, progress: Progress) -> tuple[tuple[ImageCheck, ...] | None, str]:
    low = [index for index in request.degrees if sum(index) <= HIGHEST_CHECKED][:CHECKED]
    if request.points == 0:
        return None, "not asked for (--points N asks for them)"
    if not low:
        return None, f"no multi-index of total degree up to {HIGHEST_CHECKED} was asked for, and of high degrees random images show nothing"
    try:
        return tuple(image_check(request.kernel, request.domain, request.points, low, request.seed, request.backend, progress=progress, digits=min(DIGITS, request.digits))), ""
    except Undecided as error:
        return None, str(error)


def guarantees(study: ImageStudy) -> dict[str, list[str]]:
    """In words: what is exact, what is proved by balls, what was checked, and what was not shown."""
    request, exact, checked, missing = study.request, ["the kernel, its recursion and its receptive field"], [], []
    zero = [row.degree for row in study.rows if row.eigenvalue == 0]
    if zero:
        exact.append(f"{len(zero)} eigenvalues are exactly 0, such as that of {zero[0]}: no term of the power series of the kernel reaches them")
    proved = [f"every eigenvalue that is not exactly 0, to {request.digits} significant digits, by ball arithmetic"]
    if study.law is not None:
        exact.append("the singular terms of all units: fields, exponents and constants")
        unknown = [ray.support for ray in study.rays if not ray.checked and ray.exponent is not None]
        missing.append("a bound of the remainder of the law along rays, which is derived and checked" + (", and that check for three and more overlapping units" if unknown else ""))
        last = [ray.rows[-1] for ray in study.rays if ray.rows and ray.rows[-1].to_law is not None]
        checked += [f"the eigenvalue of {row.degree} is {float(row.to_law):.4f} times its leading term" for row in last if row.to_law is not None]
    else:
        missing.append(f"a law along rays: {study.law_note}")
    if study.bounds is not None:
        proved.append(f"bounds by products for all multi-indices with entries up to {study.bounds.top}")
    else:
        missing.append(f"bounds by products: {study.bounds_note}")
    compared = sum(1 for row in study.rows if row.closed_form is not None and row.closed_form != 0)
    if compared:
        checked.append(f"{compared} closed forms lie in the certified balls, which were computed without them")
    if study.total_share is not None:
        checked.append("the shares of the multi-indices do not add up to more than 1")
    else:
        missing.append("shares, as K(x, x) of a global average pool varies with x")
    if study.gram is not None:
        worst = max(abs(record.z_score) for record in study.gram)
        pairs = f"all pairs of {request.points} random images" if study.gram[0].exact_error else f"{request.points // 2} pairs of random images"
        checked.append(f"{len(study.gram)} eigenvalues against {pairs} (seed {request.seed}): at most {worst:.2f} standard errors apart")
    else:
        missing.append(f"agreement with random images: {study.gram_note}")
    return {"exact": exact, "proved": proved, "checked": checked, "not_shown": missing}


def index_text(index: Any) -> str:
    """A multi-index as the command line writes it."""
    return ",".join(map(str, index))


__all__ = ["ImageRequest", "ImageRow", "ImageStudy", "Ray", "conduct", "default_digits", "guarantees", "index_text"]
