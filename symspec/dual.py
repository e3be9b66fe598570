r"""Dual activations: exact closed forms of E[f(u) g(v)], derived from the forms.

For a form f and a centred Gaussian pair with variances p, q and correlation
:math:`\cos\theta`, the *dual* is :math:`\hat f=E[f(u)f(v)]` (Daniely, Frostig and Singer 2016;
Han et al., arXiv 2209.04121). Mehler's formula :math:`\hat f=\sum_n a_n^2\rho^n` makes it a
power series with non-negative coefficients in the correlation, and the dual of f' is its
derivative in the covariance.

Everything here is derived term by term with :mod:`symspec.expectation`; there is no table.
Oscillating factors are handled as complex tilts, of which the real part is taken exactly.

>>> from symspec.form import variable, step, wave
>>> import sympy
>>> dual(variable() * step(0)).at(sympy.Symbol("rho"))
(rho*(pi - acos(rho)) + sqrt(1 - rho**2))/(2*pi)
>>> dual(wave(sympy.S.One, sympy.S.Zero, odd=True)).at(sympy.Symbol("rho"))
exp(-1)*sinh(rho)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import sympy
from sympy import Expr, I, S, acos, cosh, exp, pi, sinh, sqrt

from .errors import NoClosedForm
from .expectation import COS, SIN, THETA, Gaussian2, P, Q, gaussian, pair
from .form import Form
from .functions import ErfImag, cartesian
from .strip import StripForm
from .strip_functions import SeriesDual
from .terms import Term

EXPANDED_OPERATIONS = 600


@dataclass(frozen=True)
class Dual:
    """A dual in the symbols P, Q (variances), THETA, COS and SIN (angle of the pair)."""

    expr: Expr

    @property
    def needs_angle(self) -> bool:
        """Whether the angle or its sine occurs: then the dual is not analytic at rho = 1."""
        return bool(self.expr.free_symbols & {THETA, SIN})

    def at(self, rho: Expr, p: Expr = S.One, q: Expr = S.One) -> Expr:
        """The dual as an expression in the correlation and the two variances."""
        if self.expr.has(SeriesDual):
            return self.substituted(p, q).xreplace({COS: rho})
        readable = _present(self.substituted(p, q)).replace(lambda e: isinstance(e, ErfImag) and e.args[0] == 0, lambda e: sympy.erfi(e.args[1]))
        return readable.xreplace({COS: rho, SIN: sqrt(1 - rho**2), THETA: acos(rho)})

    def substituted(self, p: Expr, q: Expr) -> Expr:
        """The expression with given variances, regular on the diagonal where p = q allows it."""
        value = self.expr.xreplace({P: p, Q: q})
        if isinstance(value, SeriesDual):
            return value
        if p == q:
            value = value.replace(
                lambda e: e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer and not e.base.is_Atom,
                lambda e: _shorter(sympy.factor(e.base), e.base) ** e.exp,
            )
        return _regular(value)

    def diagonal(self, q: Expr) -> Expr:
        """E[f(u) g(u)] for u of variance q: the value at theta = 0.

        Where a sine divides, unequal thresholds meet: the density of their coincidence is zero
        and the conditional probability is zero or one.
        """
        value = self.substituted(q, q)
        if isinstance(value, SeriesDual):
            return value.xreplace({COS: S.One})
        value = value.replace(lambda e: isinstance(e, exp) and _divided(e.args[0]), lambda e: S.Zero)
        value = value.replace(lambda e: isinstance(e, sympy.erf) and _divided(e.args[0]), _limit_of_erf)
        if SIN in sympy.denom(sympy.together(value)).free_symbols:
            return sympy.oo
        return sympy.expand(value.xreplace({SIN: S.Zero, THETA: S.Zero, COS: S.One}))


def _shorter(first: Expr, second: Expr) -> Expr:
    return first if sympy.count_ops(first) < sympy.count_ops(second) else second


def _divided(argument: Expr) -> bool:
    return SIN in sympy.denom(sympy.together(argument)).free_symbols


def _limit_of_erf(value: Expr) -> Expr:
    leading = sympy.cancel(value.args[0] * SIN).xreplace({SIN: S.Zero, COS: S.One})
    return sympy.sign(leading)


def dual(form: Form | StripForm, other: Form | None = None) -> Dual:
    """The dual E[f(u) g(v)], g = f unless given: in closed form, or of a strip form as a :class:`SeriesDual`.

    Raises :class:`NoClosedForm` where a product of a wave and a gate meets another gate.
    """
    if isinstance(form, StripForm):
        return Dual(form.series_dual(P, Q, sqrt(P) * sqrt(Q) * COS))
    return _dual(form, form if other is None else other)


def at_the_end(form: Form, sign: int, p: Expr, q: Expr) -> Expr:
    """E[f(u) f(v)] at correlation ``sign`` = 1 or -1, infinite where deltas meet.

    Then u and v are multiples of one variable; the formulas inside the interval may divide by
    the sine of the angle, which vanishes here.
    """
    first, second = form.rescaled(sqrt(p)), form.rescaled(sqrt(q))
    return dual(first, second if sign > 0 else second.reflected()).diagonal(S.One)


@lru_cache(maxsize=256)
def _dual(f: Form, g: Form) -> Dual:
    law = gaussian()
    total = S.Zero
    for a in f.terms:
        for b in g.terms:
            total += _waved(a, b, law)
    return Dual(_collected(total))


def _waved(a: Term, b: Term, law: Gaussian2) -> Expr:
    if a.omega == 0 and b.omega == 0:
        return pair(a, b, law)
    if a.gate and b.gate:
        raise NoClosedForm("a product of sin or cos with a step or an error function has no closed dual known yet; their sum has one")
    if a.omega == 0 or b.omega == 0:
        waved = a if b.omega == 0 else b
        real, imaginary = _parts(_complex_pair(a, b, law, S.One))
        return imaginary if waved.odd_wave else real
    same = _complex_pair(a, b, law, S.One)
    opposite = _complex_pair(a, b, law, S.NegativeOne)
    if a.odd_wave != b.odd_wave:
        sign = S.One if a.odd_wave else S.NegativeOne
        return _half_sum(same, opposite, sign, imaginary=True)
    sign = S.NegativeOne if a.odd_wave else S.One
    return _half_sum(same, opposite, sign, imaginary=False)


def _complex_pair(a: Term, b: Term, law: Gaussian2, sign: Expr) -> tuple[Expr, Expr]:
    """E[...e^{i omega u} ... e^{i sign omega' v}] as (factor, exponent)."""
    first = replace(a, beta=a.beta + I * a.omega, omega=S.Zero, odd_wave=False)
    second = replace(b, beta=b.beta + sign * I * b.omega, omega=S.Zero, odd_wave=False)
    value = pair(first, second, law)
    exponent, factor = S.Zero, S.One
    for part in sympy.Mul.make_args(value):
        if isinstance(part, exp) or part.is_Pow and part.base is S.Exp1:
            exponent += part.exp
        else:
            factor *= part
    return factor, exponent


def _parts(value: tuple[Expr, Expr]) -> tuple[Expr, Expr]:
    """Real and imaginary part of factor * exp(exponent), all symbols being real."""
    factor, exponent = value
    size, phase = (sympy.cancel(part) for part in cartesian(exponent))
    re, im = cartesian(factor)
    c, s = sympy.cos(phase), sympy.sin(phase)
    return exp(size) * (re * c - im * s), exp(size) * (re * s + im * c)


def _half_sum(same: tuple[Expr, Expr], opposite: tuple[Expr, Expr], sign: Expr, *, imaginary: bool) -> Expr:
    r"""(Part(same) + Part(opposite))/2, joined into hyperbolic functions; ``sign`` goes with the
    opposite imaginary part, or with the real part of the same.

    The two real exponents are R+X and R-X, so e^R (A+ e^X + A- e^-X) becomes
    e^R ((A+ + A-) cosh X + (A+ - A-) sinh X). For a sine the first carries the minus sign:
    sin a sin b = (cos(a-b) - cos(a+b))/2, and likewise for the imaginary parts.
    """
    upper, lower = cartesian(same[1])[0], cartesian(opposite[1])[0]
    middle, half = sympy.cancel((upper + lower) / 2), sympy.cancel((lower - upper) / 2)
    index = 1 if imaginary else 0
    plus = _parts((opposite[0], opposite[1] - lower))[index] / 2
    minus = _parts((same[0], same[1] - upper))[index] / 2
    if imaginary:
        plus = sign * plus
    else:
        minus = sign * minus
    total, difference = sympy.expand(plus + minus), sympy.expand(plus - minus)
    return exp(middle) * (total * cosh(half) + difference * sinh(half))


def _collected(expr: Expr) -> Expr:
    """A sum of products, exponentials joined, every root and reciprocal of a positive base.

    Products are distributed over sums in numerators only: denominators, roots and arguments
    keep their shape, so that no sign is lost in them and nothing is written out twice.
    """
    terms: list[Expr] = []
    for part in sympy.Add.make_args(_with_positive_bases(expr)):
        # A long product of quotients (step and exponential together) would be written out many times over.
        small = part.count_ops() < EXPANDED_OPERATIONS
        terms += sympy.Add.make_args(_distributed(part)) if small else [part]
    return sympy.Add(*(_joined(term) for term in terms))


def _distributed(expr: Expr) -> Expr:
    if expr.is_Add:
        return sympy.Add(*(_distributed(part) for part in expr.args))
    if expr.is_Mul:
        return sympy.expand_mul(sympy.Mul(*(_distributed(part) for part in expr.args)), deep=False)
    if expr.is_Pow and expr.exp.is_Integer and expr.exp.is_positive and expr.base.is_Add:
        return sympy.expand(_distributed(expr.base) ** expr.exp, power_exp=False, power_base=False)
    return expr


def _with_positive_bases(expr: Expr) -> Expr:
    """(-b)^n = (-1)^n b^n for integers n, and -1/(-b) = 1/b inside roots.

    The sign is read where cos(theta) = 0: every denominator of the engine is a nonzero
    determinant there, a polynomial in the positive variances.
    """

    def flipped(power: Expr) -> Expr:
        base, n = power.as_base_exp()
        negative = sympy.expand(base.xreplace({COS: S.Zero})).is_negative
        return (-1) ** n * sympy.expand(-base) ** n if negative else power

    def settled(power: Expr) -> Expr:
        base = sympy.factor_terms(sympy.together(power.base))
        return base**power.exp

    expr = expr.replace(lambda e: e.is_Pow and e.exp.is_Integer and e.exp.is_negative and e.base.is_Add and COS in e.free_symbols, flipped)
    return expr.replace(lambda e: e.is_Pow and e.exp.is_Rational and e.exp.q == 2 and e.base.has(sympy.Pow) and COS in e.free_symbols, settled)


def _joined(term: Expr) -> Expr:
    """One exponential for all that multiply each other; cheaper by far than powsimp on the sum."""
    exponents, rest = [], []
    for factor in sympy.Mul.make_args(term):
        if isinstance(factor, exp):
            exponents.append(factor.args[0])
        else:
            rest.append(factor)
    return term if len(exponents) < 2 else sympy.Mul(*rest, exp(sympy.Add(*exponents)))


def _regular(expr: Expr) -> Expr:
    """Rewrite arguments with a sine in the denominator so that 0/0 does not arise at theta = 0.

    With c, s the cosine and sine, a numerator is q(c) (1-c^2) + a + b c, and
    (a + b c)/s = (a+b)/s - b s/(1+c), (a + b c)/s^2 = (a+b)/s^2 - b/(1+c): equal thresholds
    make a + b vanish identically.
    """
    if SIN not in expr.free_symbols:
        return expr

    def argument(value: Expr) -> Expr:
        for order in (1, 2):
            numerator = sympy.expand(sympy.cancel(value * SIN**order))
            numerator = sympy.expand(numerator.replace(lambda e: e.is_Pow and e.base == SIN and e.exp.is_even, lambda e: (1 - COS**2) ** (e.exp / 2)))
            if not numerator.has(SIN) and numerator.is_polynomial(COS):
                return _split(sympy.Poly(numerator, COS), order)
        return value

    expr = expr.replace(lambda e: isinstance(e, exp) and e.has(SIN), lambda e: exp(argument(e.args[0])))
    return expr.replace(lambda e: isinstance(e, sympy.erf) and e.has(SIN), lambda e: sympy.erf(argument(e.args[0])))


def _split(numerator: sympy.Poly, order: int) -> Expr:
    quotient, rest = numerator.div(sympy.Poly(1 - COS**2, COS))
    a, b = (rest.coeff_monomial(COS**i) for i in range(2))
    half_tangent = SIN / (1 + COS) if order == 1 else 1 / (1 + COS)
    return quotient.as_expr() * SIN ** (2 - order) + sympy.factor(a + b) / SIN**order - b * half_tangent


def _present(expr: Expr) -> Expr:
    """A readable form: collected in the supplementary angle pi - theta where that is shorter."""
    if expr.count_ops() > EXPANDED_OPERATIONS:
        return expr
    if not expr.has(THETA):
        return sympy.factor_terms(expr)
    supplement = sympy.Dummy("supplement")
    shifted = sympy.expand(expr.xreplace({THETA: pi - supplement}))
    collected = sympy.factor_terms(sympy.collect(shifted, supplement, sympy.factor))
    collected = collected.xreplace({supplement: pi - THETA})
    return collected if sympy.count_ops(collected) <= sympy.count_ops(expr) else expr
