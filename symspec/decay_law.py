r"""Decay laws of eigenvalues on spheres, with exact constants, derived from the program.

**Power laws.** If near :math:`t=\pm1` the kernel has Puiseux expansions in
:math:`y_\pm=(1\mp t)/2` whose first terms with an exponent that is no whole number are
:math:`a_\pm y_\pm^\nu`, then (Bietti and Bach 2021, constant corrected)

.. math:: \mu_k\sim[a_++(-1)^ka_-]\,2^{-\nu}C(d,\nu)\,k^{-d-2\nu+1},\qquad
          C(d,\nu)=\frac{2^{\nu+d-2}\Gamma(d/2)\Gamma(\nu+(d-1)/2)}{\sqrt\pi\,\Gamma(-\nu)},

because each block has the exact spectrum :func:`symspec.gegenbauer.endpoint_block` and the rest
is smoother. A parity whose leading constants cancel is either exactly zero (the support decides)
or governed by the next term.

**Smooth kernels.** A power series with non-negative coefficients is singular first on the positive
axis (Pringsheim). If that is at :math:`t=R>1` then :math:`\limsup\mu_k^{1/k}=1/(R+\sqrt{R^2-1})`;
an entire kernel decays faster than every geometric rate; a polynomial one ends.

**Activations with complex singularities**, such as tanh: :math:`\log\mu_k\sim-c\,k^{2/3}`
(:mod:`symspec.stretched`).

>>> import symspec as ss
>>> law = decay(ss.mlp(ss.relu, 3).ntk, ss.Sphere(3))
>>> law.exponent, sympy.simplify(law.constant("even") + law.constant("odd"))
(3, 6/pi)
>>> decay(ss.mlp(ss.erf, 1).ck, ss.Sphere(3)).rate
sqrt(5)/2 + 3/2
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol, sqrt

from .domain import Sphere, require_sphere
from .errors import ExpressionTooLarge, InputError, NoClosedForm, Undecided
from .exact import as_expr, is_zero
from .gegenbauer import asymptotic_factor
from .kernel import Kernel
from .program import RHO, tree_size
from .radius import Singularity, first_singularity
from .singularity import Expansion, puiseux
from .stretched import Stretch, stretch_of

ORDERS = (4, 6, 8, 12, 16, 24, 40, 64)
PATIENT_ORDER = 6
EVALUATED_DIGITS = 60
MAX_WRITTEN = 5_000
SIMPLIFIED_OPERATIONS = 60
PARITIES = ("even", "odd")
K = Symbol("k", integer=True, positive=True)


@dataclass(frozen=True)
class PowerTerm:
    """mu_k ~ constant * k^-exponent for one parity; nu is the exponent of the singularity."""

    exponent: Expr
    constant: Expr
    nu: Rational


@dataclass(frozen=True)
class DecayLaw:
    """How the eigenvalues mu_k of a kernel on a sphere decay.

    ``kind`` is "power", "stretched", "geometric", "faster" (entire kernels) or "finite" (polynomials).
    In a power law ``terms`` holds the leading term of each parity, None where those degrees
    vanish exactly or, if ``beyond`` names an exponent M, are o(k^-M). In a geometric law
    ``singularity`` holds the exact equations that define R; see :attr:`radius` and :attr:`rate`. In a stretched
    law ``stretch`` holds what :attr:`stretch_constant` is made of, and whether it is proved.
    """

    kernel: Kernel
    domain: Sphere
    kind: str
    terms: dict[str, PowerTerm | None] = field(default_factory=dict)
    expansions: tuple[Expansion, ...] = ()
    singularity: Singularity | None = None
    beyond: dict[str, Expr] = field(default_factory=dict)
    stretch: Stretch | None = None

    @property
    def stretch_constant(self) -> Expr:
        """c in limsup log(mu_k)/k^(2/3) = -c, oo where the decay is faster still. NoClosedForm for laws of another kind."""
        if self.stretch is None:
            raise NoClosedForm(f"this kernel follows no stretched exponential law: {self.summary()}")
        return self.stretch.constant

    @property
    def exponent(self) -> Expr:
        """e > 0 in mu_k ~ C k^-e (the slower parity). NoClosedForm for laws of another kind."""
        if self.kind != "power":
            raise NoClosedForm(f"this kernel follows no power law: {self.summary()}")
        return min((t.exponent for t in self.terms.values() if t is not None), key=lambda e: sympy.default_sort_key(e) if e.free_symbols else e)

    def constant(self, parity: str) -> Expr:
        """The exact C of mu_k ~ C k^-e along degrees of that parity; 0 where they vanish or decay faster."""
        if parity not in PARITIES:
            raise InputError(f"parity is 'even' or 'odd', not {parity!r}")
        return self._guarded(self.named_constant(parity))

    def _guarded(self, value: Expr) -> Expr:
        if self._written_size(value) > MAX_WRITTEN:
            raise ExpressionTooLarge("written out, this constant is too long; named_constant(parity) and names give it by its recursion, numerics.decay_constant its value")
        return self._written_out(value)

    def named_constant(self, parity: str) -> Expr:
        """The constant in terms of :attr:`names`, short at any depth."""
        if parity not in PARITIES:
            raise InputError(f"parity is 'even' or 'odd', not {parity!r}")
        exponent = self.exponent
        term = self.terms[parity]
        return S.Zero if term is None or sympy.expand(term.exponent - exponent) != 0 else term.constant

    def _written_out(self, value: Expr) -> Expr:
        for symbol in reversed(list(self.names)):
            if symbol in value.free_symbols:
                value = value.xreplace({symbol: self.names[symbol]})
        return value

    def _written_size(self, value: Expr) -> int:
        """Nodes of the expression with every name written out, counted without doing it."""
        sizes: dict[Symbol, int] = {}
        for symbol, definition in self.names.items():
            sizes[symbol] = _size(definition, sizes)
        return _size(value, sizes)

    def leading(self, k: Any = K, parity: str | None = None) -> Expr:
        """The leading term C k^-e for a degree, of its own parity (or the one named)."""
        name = parity or ("odd" if int(k) % 2 else "even")
        if name not in PARITIES:
            raise InputError(f"parity is 'even' or 'odd', not {parity!r}")
        if self.kind != "power":
            raise NoClosedForm(f"this kernel follows no power law: {self.summary()}")
        term = self.terms[name]
        return S.Zero if term is None else self._guarded(term.constant) * as_expr(k) ** (-term.exponent)

    @property
    def radius(self) -> Expr | None:
        """R in closed form, None where :attr:`singularity` defines it implicitly or for laws of another kind."""
        return None if self.singularity is None else self.singularity.closed_form

    @property
    def rate(self) -> Expr:
        """r > 1 such that mu_k decays like r^-k: R + sqrt(R^2 - 1). NoClosedForm for other kinds, or where R is not in closed form."""
        if self.singularity is None:
            raise NoClosedForm(f"this kernel has no geometric rate: {self.summary()}")
        if self.radius is None:
            raise NoClosedForm(f"this kernel has no geometric rate in closed form, numerics.decay_rate gives its value: {self.summary()}")
        value = self.radius + sqrt(self.radius**2 - 1)
        return sympy.sqrtdenest(sympy.simplify(value)) if sympy.count_ops(value) < SIMPLIFIED_OPERATIONS else value

    def summary(self) -> str:
        """One line of plain text."""
        if self.kind == "power":
            return "; ".join(self._parity_text(parity) for parity in PARITIES)
        if self.stretch is not None:
            from .stretched_text import summary

            return summary(self.stretch)
        if self.kind == "geometric":
            known = self.radius is not None
            where = f"1/({self.radius} + sqrt(({self.radius})^2 - 1))" if known else f"1/(R + sqrt(R^2 - 1)), R the least rho > 1 with {self.singularity}"
            return f"limsup mu_k^(1/k) = {where}"
        if self.kind == "faster":
            return "mu_k decays faster than every geometric rate: the kernel is entire"
        return f"mu_k = 0 exactly for k > {self.kernel.support.degree}: the kernel is a polynomial"  # type: ignore[union-attr]

    def _parity_text(self, parity: str) -> str:
        term = self.terms[parity]
        if term is None and parity in self.beyond:
            return f"mu_k = o(k^-({self.beyond[parity]})), {parity} k"
        if term is None:
            return f"mu_k = 0 exactly for large {parity} k"
        constant = self._shown(term.constant)
        return f"mu_k ~ {constant} k^-({term.exponent}), {parity} k"

    @staticmethod
    def _shown(value: Expr) -> Expr:
        return sympy.factor_terms(value)

    def statement(self) -> str:
        """LaTeX of the theorem."""
        from .decay_text import statement

        return statement(self)

    def proof(self) -> str:
        """LaTeX of a self-contained derivation."""
        from .decay_text import proof

        return proof(self)

    def _repr_latex_(self) -> str:
        return self.statement()

    def __repr__(self) -> str:
        return f"DecayLaw({self.summary()})"

    @cached_property
    def names(self) -> dict[Symbol, Expr]:
        """Names given to long constants in the expansions, with their definitions."""
        joined: dict[Symbol, Expr] = {}
        for item in self.expansions:
            joined |= item.names
        return joined


def decay(kernel: Kernel, domain: Any) -> DecayLaw:
    """The decay law of a kernel on Sphere(d) or Circle(), d a number or a symbol.

    Raises DomainError off spheres, Undecided where no singular term is found in the orders
    searched, NoClosedForm where an expansion leaves the class of exact constants.
    """
    if not isinstance(kernel, Kernel):
        raise InputError(f"decay takes a Kernel (net.ck, net.ntk, ...), not {type(kernel).__name__}")
    domain = require_sphere(domain, "decay laws")
    if kernel.support is not None and kernel.support.degree < sympy.oo:
        return DecayLaw(kernel, domain, "finite")
    if kernel.program.inputs <= {RHO}:
        if kernel.program.series_duals:
            return DecayLaw(kernel, domain, "stretched", stretch=stretch_of(kernel))
        return _smooth_law(kernel, domain)
    if kernel.program.series_duals:
        raise Undecided("a kernel made of duals given by their series and of others singular at rho = 1 is not expanded; the law of the slower summand governs a sum")
    return _power_law(kernel, domain)


def _smooth_law(kernel: Kernel, domain: Sphere) -> DecayLaw:
    singularity = first_singularity(kernel)
    return DecayLaw(kernel, domain, "faster" if singularity is None else "geometric", singularity=singularity)


def _power_law(kernel: Kernel, domain: Sphere) -> DecayLaw:
    root = kernel.ramification
    # Composed jumps expand in tau = s^(1/root): their first terms show at orders far below those of s.
    for steps in sorted({*ORDERS, *(order * root for order in ORDERS)}):
        try:
            ends = _ends(kernel, steps)
        except NoClosedForm as error:
            if "known orders" not in str(error):
                raise
            continue
        terms = {parity: _leading_term(kernel, domain, ends, parity) for parity in PARITIES}
        kept = {parity: None if _vanishes(kernel, parity) else term for parity, term in terms.items()}
        open_ = [parity for parity, term in kept.items() if term is None and not _vanishes(kernel, parity)]
        if all(term is None for term in kept.values()) or (open_ and steps < PATIENT_ORDER * root):
            continue
        known = Rational(min(item.series.order for item in ends), root)
        beyond = {parity: as_expr(domain.d) + known - 1 for parity in open_}
        return DecayLaw(kernel, domain, "power", kept, ends, beyond=beyond)
    raise Undecided(f"no singular term was found up to order {ORDERS[-1]} at rho = +1 and -1; the kernel may be smooth")


def _ends(kernel: Kernel, steps: int) -> tuple[Expansion, ...]:
    plus = puiseux(kernel, +1, steps)
    return (plus,) if kernel.symmetry else (plus, puiseux(kernel, -1, steps))


def _vanishes(kernel: Kernel, parity: str) -> bool:
    """Whether all large degrees of the parity have eigenvalue exactly 0."""
    if kernel.support is None:
        return False
    return (kernel.support.odd if parity == "odd" else kernel.support.even) < sympy.oo


def _leading_term(kernel: Kernel, domain: Sphere, ends: tuple[Expansion, ...], parity: str) -> PowerTerm | None:
    """The first exponent at which the two ends do not cancel for this parity."""
    sign = -1 if parity == "odd" else 1
    sums: dict[Rational, Expr] = {}
    for item in ends:
        factor = S.One if item.end > 0 else S(sign)
        for nu, value in item.singular():
            sums[nu] = sums.get(nu, S.Zero) + factor * value
    if kernel.symmetry:
        # K(-rho) = +-K(rho): the far end repeats the near one, doubling one parity.
        double = 2 if (kernel.symmetry == 2) == (parity == "even") else 0
        sums = {nu: double * value for nu, value in sums.items()}
    first = min((item.series.order for item in ends), default=0)
    d = as_expr(domain.d)
    for nu in sorted(sums):
        if nu * 2 * ends[0].root >= first:
            break
        value = _shortened(_written(ends, sums[nu]))
        if not _cancels(ends, value):
            return PowerTerm(d + 2 * nu - 1, _tidy(value * 2 ** (-nu) * asymptotic_factor(d, nu)), nu)
    return None


def _cancels(ends: tuple[Expansion, ...], value: Expr) -> bool:
    """Whether a coefficient is exactly 0: by its digits where they show that it is not, else symbolically."""
    names = {symbol: definition for item in ends for symbol, definition in item.names.items()}
    digits: dict[Symbol, Expr] = {}
    for symbol, definition in names.items():
        digits[symbol] = definition.xreplace(digits).evalf(EVALUATED_DIGITS)
    if abs(value.xreplace(digits).evalf(EVALUATED_DIGITS)) > 10 ** (-EVALUATED_DIGITS // 2):
        return False
    for symbol in reversed(list(names)):
        value = value.xreplace({symbol: names[symbol]}) if symbol in value.free_symbols else value
        if tree_size(value) > MAX_WRITTEN:
            raise Undecided("a leading coefficient is not told from 0; ask for a smaller depth")
    return is_zero(value)


def _shortened(value: Expr) -> Expr:
    """Simplified where that is cheap; exactly 0 where the parts cancel."""
    if sympy.count_ops(value) < 120:
        return sympy.simplify(value)
    return S.Zero if sympy.expand(value) == 0 else value


def _written(ends: tuple[Expansion, ...], value: Expr) -> Expr:
    """With its names written out where there are few."""
    names = {symbol: definition for item in ends for symbol, definition in item.names.items()}
    used = value.free_symbols & set(names)
    if len(used) <= 2 and not any(names[symbol].free_symbols & set(names) for symbol in used):
        return value.xreplace({symbol: names[symbol] for symbol in used})
    return value


def _size(expr: Expr, sizes: dict[Symbol, int]) -> int:
    if expr.is_Symbol:
        return sizes.get(expr, 1)
    return 1 + sum(_size(part, sizes) for part in expr.args)


def _tidy(value: Expr) -> Expr:
    """Gamma functions combined; a long constant is left as it is built."""
    size = sympy.count_ops(value)
    combined = sympy.gammasimp(value) if size < 400 else value
    return sympy.factor_terms(sympy.simplify(combined) if size < 60 else combined)
