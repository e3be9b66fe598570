r"""The main job: one network's spectrum derived, evaluated, proved and checked.

:func:`conduct` goes through the whole house: the kernel (exact), its eigenvalues (certified balls), closed forms where they
exist, the decay law (on spheres), the order of the eigenvalues, and random points against the certified values. What it finds is a :class:`Study`, which
:mod:`gpu.study_report` writes.

Two cross-checks run on the way. Where a closed form is known, its ball must meet the certified eigenvalue, the two having been
computed by unrelated methods; and the shares :math:`N(d,k)\mu_k/K(1)` of a kernel with non-negative coefficients must not add up to
more than 1, those of all degrees of a cube to 1. A failure of either is an error of the program and stops the study.

The ratio to a law :math:`\mu_k\sim Ck^{-e}` is given twice: against :math:`Ck^{-e}` itself, and against
:math:`C(k+\tfrac{d-2}2)^{-e}`, which is the same law to leading order and leaves a relative error of order :math:`k^{-2}` instead of
:math:`k^{-1}` where exponents are half-integers apart from integers (DLMF 5.11.13 on the ratio of Gamma functions).

>>> import symspec as ss
>>> net = ss.mlp(ss.relu, 1)
>>> found = conduct(Request(net, net.ck, ss.Sphere(3), (0, 1, 2, 3), digits=20, points=200))
>>> [str(row.closed_form) for row in found.rows]
['3/8', '1/6', '3/128', '0']
>>> found.law.exponent, found.law.constant("odd")
(5, 0)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flint import arb, fmpz
from sympy import Expr, Symbol

import numerics
from numerics import real
from numerics.certificates import power
from numerics.precision import goal_bits, working_precision
from numerics.spectrum import require_spectrum
from numerics.variances import total_variance
from symspec.decay_law import PARITIES, decay
from symspec.domain import Domain, Gaussian, Sphere, require_sphere
from symspec.errors import DomainError, ExpressionTooLarge, NoClosedForm, SymspecError, Undecided
from symspec.kernel import Kernel
from symspec.layers import Architecture
from symspec.program import Line, Program, tree_size
from symspec.simplicity import WeakSimplicity, weak_simplicity
from symspec.spectrum import eigenvalue

from .gram_statistics import DegreeCheck, gram_check

if TYPE_CHECKING:
    from numerics.certificates import Certificate
    from numerics.geometric_bounds import GeometricCertificate
    from symspec.decay_law import DecayLaw

    from .backends import Backend

GUARD = 64
# Without a formula in symbolic degree each degree is expanded by itself, at a cost that grows fast with the degree.
EXPANDED_DEGREES = 5
# Sums of exact values on a cube soon fill pages.
EXPANDED_DIMENSION, WRITTEN_NODES = 6, 300
CHECKED_DEGREES = 5
HIGHEST_CHECKED = 12
FURTHER_DIGITS = 12
FURTHER_PER_DECADE = 10
FURTHER_DECADES = 2
PLOT_DEGREES = 400
DEGREE = Symbol("k", integer=True, nonnegative=True)
Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


@dataclass(frozen=True)
class Request:
    """What is asked: the kernel of a network on a domain, degrees, digits, and the random points of the Gram check (0 for none)."""

    network: Architecture
    kernel: Kernel
    domain: Domain
    degrees: tuple[int, ...]
    digits: int = 40
    points: int = 2000
    seed: int = 0
    backend: str | Backend = "auto"


@dataclass(frozen=True)
class Row:
    """One degree: certified eigenvalue, its closed form if known, and its ratios to the law and (its share) to the total variance."""

    degree: int
    multiplicity: int
    eigenvalue: arb
    closed_form: Expr | None
    to_law: arb | None
    to_shifted_law: arb | None
    share: arb


@dataclass(frozen=True)
class Study:
    """What was found. ``law`` and ``gram`` are None where there is none, with the reason in the note."""

    request: Request
    rows: tuple[Row, ...]
    further: tuple[Row, ...]
    closed_form: Expr | None
    law: DecayLaw | None
    law_note: str
    gram: tuple[DegreeCheck, ...] | None
    gram_note: str
    bounds: Certificate | GeometricCertificate | None = None
    bounds_note: str = ""
    chains: WeakSimplicity | None = None

    @property
    def total_share(self) -> arb:
        """Sum of the shares of the degrees asked for."""
        with working_precision(goal_bits(self.request.digits) + GUARD):
            return sum((row.share for row in self.rows), arb(0))


def conduct(request: Request, bar: Bar = lambda _what: nullcontext(lambda _done, _total: None)) -> Study:
    """Derive, evaluate, prove and check. ``bar(what)`` shows progress; see :func:`symspec.progress.progress_bar`.

    Raises DomainError for a kernel without finite eigenvalue sum on the domain, Undecided where digits are out of reach.
    """
    if not isinstance(request.domain, Domain):
        raise DomainError(f"a study needs a domain such as Sphere(d), Circle() or BooleanCube(d), not {request.domain!r}")
    if isinstance(request.domain, Gaussian):
        # A study is of one eigenvalue a degree.
        require_spectrum(request.kernel, request.domain, [], "a study")
    with bar("certified eigenvalues") as progress:
        values = numerics.eigenvalues(request.kernel, request.domain, request.degrees, request.digits, progress=progress)
    with bar("decay law"):
        law, law_note = _law(request)
    with bar("bounds for every degree") as progress:
        bounds, bounds_note = _bounds(request, progress)
    with bar("closed forms"):
        general = _closed_form(request, DEGREE)
        tried = _expanded_degree(request, general)
        forms = [_closed_form(request, k) if k <= tried else None for k in request.degrees]
    rows = _rows(request, law, values, forms)
    _cross_check(request, rows)
    _check_bounds(bounds, rows)
    with bar("eigenvalues of high degree, for the plot"):
        further = _further(request, law)
    with bar("random points") as progress:
        gram, gram_note = _gram(request, progress)
    return Study(request, rows, further, general, law, law_note, gram, gram_note, bounds, bounds_note, _chains(request))


def _law(request: Request) -> tuple[DecayLaw | None, str]:
    try:
        return decay(request.kernel, require_sphere(request.domain, "decay laws")), ""
    except (DomainError, NoClosedForm, Undecided) as error:
        return None, str(error)


def _chains(request: Request) -> WeakSimplicity | None:
    try:
        return weak_simplicity(request.kernel, request.domain)
    except (DomainError, Undecided):
        return None


def _bounds(request: Request, progress: Callable[[int, int], None]) -> tuple[Certificate | GeometricCertificate | None, str]:
    try:
        return numerics.certify(request.kernel, request.domain, progress=progress), ""
    except (DomainError, NoClosedForm, Undecided) as error:
        return None, str(error)


def _check_bounds(bounds: Certificate | GeometricCertificate | None, rows: Sequence[Row]) -> None:
    """The eigenvalues of the table lie within the bounds, which were proved by other means."""
    for row in rows:
        if bounds is not None and row.degree >= bounds.holds_from and row.eigenvalue != 0 and not _within(bounds, row):
            raise SymspecError(f"the certified eigenvalue {row.eigenvalue.str(10)} of degree {row.degree} contradicts the bounds for every degree; please report this")


def _within(bounds: Certificate | GeometricCertificate, row: Row) -> bool:
    with working_precision(GUARD * 2):
        if isinstance(bounds, numerics.GeometricCertificate):
            return not row.eigenvalue > bounds.upper_at(row.degree)
        scaled = row.eigenvalue * power(arb(fmpz(row.degree)), bounds.exponent)
        return not (scaled < bounds.lower or scaled > bounds.upper)


def _is_polynomial(kernel: Kernel) -> bool:
    return kernel.support is not None and math.isfinite(kernel.support.degree)


def _expanded_degree(request: Request, general: Expr | None) -> int:
    """The last degree for which a closed form is tried."""
    if general is not None or _is_polynomial(request.kernel):
        return max(request.degrees)
    return EXPANDED_DEGREES if request.domain.highest_degree is None or request.domain.highest_degree <= EXPANDED_DIMENSION else -1


def _closed_form(request: Request, k: int | Symbol) -> Expr | None:
    try:
        value = eigenvalue(request.kernel, request.domain, k)
    except (ExpressionTooLarge, NoClosedForm):
        return None
    return value if request.domain.highest_degree is None or tree_size(value) <= WRITTEN_NODES else None


def _rows(request: Request, law: DecayLaw | None, values: Sequence[arb], forms: Sequence[Expr | None]) -> tuple[Row, ...]:
    with working_precision(goal_bits(request.digits) + GUARD):
        diagonal = total_variance(request.kernel, request.domain, request.digits + 5)
        terms = leading_terms(law)
        return tuple(_row(request.domain, k, value, form, diagonal, terms) for k, value, form in zip(request.degrees, values, forms, strict=True))


@dataclass(frozen=True)
class Leading:
    """The leading term C k^-e of one parity."""

    exponent: Expr
    constant: arb


def leading_terms(law: DecayLaw | None) -> dict[str, Leading]:
    """Parity -> leading term as a ball at the working precision; empty where the law is no power law.

    Long constants are written with names; the definitions of the names are the lines of a program.
    """
    if law is None or law.kind != "power":
        return {}
    lines, nowhere = tuple(Line(name, expr) for name, expr in law.names.items()), arb("nan")
    table = real.table(nowhere, nowhere, numerics.ball)
    terms = {parity: term for parity, term in law.terms.items() if term is not None}
    return {parity: Leading(term.exponent, Program(lines, term.constant).pruned().run(table)) for parity, term in terms.items()}


def rate(law: DecayLaw | None) -> arb | None:
    """r of mu_k like r^-k, None where the law is no geometric one or the digits are out of reach."""
    try:
        return None if law is None else numerics.decay_rate(law, FURTHER_DIGITS)
    except (NoClosedForm, Undecided):
        return None


def _row(domain: Domain, k: int, value: arb, form: Expr | None, diagonal: arb, terms: dict[str, Leading]) -> Row:
    count = domain.multiplicity(k)
    term = terms.get(PARITIES[k % 2])
    plain = shifted = None
    if term and value != 0:
        centre = k + arb(domain.dimension - 2) / 2
        exponent = numerics.ball(term.exponent)
        plain, shifted = (value * x**exponent / term.constant if x > 0 else None for x in (arb(k), centre))
    return Row(k, count, value, form, plain, shifted, value * fmpz(count) / diagonal)


def _cross_check(request: Request, rows: Sequence[Row]) -> None:
    with working_precision(goal_bits(request.digits) + GUARD):
        for row in rows:
            if row.closed_form is None:
                continue
            exact = numerics.ball(row.closed_form)
            if not exact.overlaps(row.eigenvalue):
                raise SymspecError(f"the closed form {exact.str(10)} and the certified eigenvalue {row.eigenvalue.str(10)} of degree {row.degree} disagree; please report this")
        total = sum((row.share for row in rows), arb(0))
    if request.kernel.support is not None and total > 1:
        raise SymspecError(f"the shares of the eigenvalues add up to {total.str(10)}, more than 1; please report this")
    if _is_complete(request) and not total.overlaps(arb(1)):
        raise SymspecError(f"the shares of all eigenvalues add up to {total.str(10)}, not to 1; please report this")


def _is_complete(request: Request) -> bool:
    """Whether every degree of the domain was asked for."""
    return request.domain.highest_degree is not None and len(set(request.degrees)) == request.domain.highest_degree + 1


def _further(request: Request, law: DecayLaw | None) -> tuple[Row, ...]:
    """Degrees spaced evenly on a logarithmic scale beyond those asked for, even and odd in turn.

    Only for power laws, which show late, and where all degrees come from one polynomial and so cost nothing.
    """
    top = max(request.degrees)
    if law is None or law.kind != "power" or not 5 <= top <= PLOT_DEGREES:
        return ()
    try:
        numerics.angle_polynomial(request.kernel, FURTHER_DIGITS)
        steps = range(1, FURTHER_DECADES * FURTHER_PER_DECADE + 1)
        degrees = tuple(sorted({2 * round(top * 10 ** (i / FURTHER_PER_DECADE) / 2) + i % 2 for i in steps}))
        values = numerics.eigenvalues(request.kernel, request.domain, degrees, FURTHER_DIGITS)
    except Undecided:
        return ()
    wider = Request(request.network, request.kernel, request.domain, degrees, FURTHER_DIGITS)
    return _rows(wider, law, values, [None] * len(degrees))


def _gram(request: Request, progress: Callable[[int, int], None]) -> tuple[tuple[DegreeCheck, ...] | None, str]:
    low = [k for k in request.degrees if k <= HIGHEST_CHECKED][:CHECKED_DEGREES]
    if request.points == 0 or not low:
        return None, "not asked for" if request.points == 0 else f"no degree up to {HIGHEST_CHECKED} was asked for, and of high degrees random points show nothing"
    try:
        return tuple(gram_check(request.kernel, request.domain, request.points, low, request.seed, request.backend, progress=progress)), ""
    except Undecided as error:
        return None, str(error)


def certificate_lines(study: Study) -> dict[str, list[str]]:
    """In words: what is exact, what is proved by balls, what was checked, and what was not shown."""
    request, exact, checked, missing = study.request, ["the kernel and its recursion"], [], []
    zeros = [row.degree for row in study.rows if row.eigenvalue == 0]
    if zeros:
        exact.append(f"the eigenvalues of degree {_some(zeros)} are exactly 0 (the power series of the kernel has no term of that parity from that degree on)")
    if study.closed_form is not None:
        exact.append("a closed form of the eigenvalues in symbolic degree")
    if study.law is not None:
        if study.law.stretch is not None and study.law.stretch.status == "derived":
            missing.append("a complete proof of the decay law, which is derived on the logarithmic scale")
        else:
            exact.append("the decay law with its constants, derived from the kernel")
        if study.bounds is None:
            missing.append(f"at which degree the asymptotic law becomes accurate: the table shows it, no bound is claimed ({study.bounds_note})")
    elif isinstance(request.domain, Sphere):
        missing.append(f"a decay law: {study.law_note}")
    if study.chains is not None:
        exact.append(f"the order of the eigenvalues: {study.chains.summary()}")
    proved = [f"every eigenvalue that is not exactly 0, to {request.digits} significant digits, by ball arithmetic"]
    if rate(study.law) is not None:
        proved.append("the geometric rate, as the least root of the exact equations of the decay law")
    if study.bounds is not None:
        proved.append("bounds for every degree: " + str(study.bounds).partition("\n")[2])
    compared = [row.degree for row in study.rows if row.closed_form is not None and row.closed_form != 0]
    if compared:
        checked.append(f"the closed forms of degree {_some(compared)} lie in the certified balls, which were computed without them")
    if request.kernel.support is not None:
        checked.append("the shares of all degrees add up to 1 within their balls" if _is_complete(request) else "the shares of the degrees do not add up to more than 1")
    if study.gram is not None:
        worst = max(abs(record.z_score) for record in study.gram)
        checked.append(f"{len(study.gram)} eigenvalues against all pairs of {request.points} random points (seed {request.seed}): at most {worst:.2f} standard errors apart")
    else:
        missing.append(f"agreement with random points: {study.gram_note}")
    return {"exact": exact, "proved": proved, "checked": checked, "not_shown": missing}


def _some(degrees: Sequence[int]) -> str:
    if len(degrees) <= 6:
        return ", ".join(map(str, degrees))
    return f"{', '.join(map(str, degrees[:3]))}, ..., {degrees[-1]}"


__all__: list[str] = ["Request", "Row", "Study", "certificate_lines", "conduct"]
