r"""Expectations of activations under one Gaussian variable or two correlated ones.

The closed class (:mod:`symspec.form`) is spanned by
:math:`x^m e^{\alpha x^2+\beta x}g(x)` with a *gate* g: none, a step, an error function or a
delta. Two rules evaluate every product of two such terms at
:math:`(u,v)\sim N(\mu,\Sigma)`:

* **tilting**: :math:`e^{\alpha u^2+\beta u}` times a Gaussian density is a Gaussian density
  again, with another mean, covariance and mass (completing the square);
* **Stein's lemma**: :math:`E[uf]=\mu_1E[f]+\Sigma_{11}E[\partial_uf]+\Sigma_{12}E[\partial_vf]`
  lowers the power of u; the derivative of a step is a delta, which conditions u away, and the
  derivative of an error function is a tilt.

What remains are orthant probabilities :math:`P(u>b,v>b')`. The covariance is kept as the pair
(rational part, determinant divided by :math:`\Delta=pq\sin^2\theta`), so that the square root
of the determinant comes out as :math:`\sqrt{pq}\,\sin\theta` and no branch has to be guessed.
The cosine and sine of the angle are separate symbols ``COS`` (real) and ``SIN`` (positive).

>>> from symspec.terms import Term, STEP_AT_ZERO
>>> relu = Term(power=1, gate=STEP_AT_ZERO)
>>> pair(relu, relu, unit_gaussian())
c_theta*(-theta/(2*pi) + 1/2) + s_theta/(2*pi)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import sympy
from sympy import Expr, S, Symbol, atan, erf, exp, pi, sqrt

from .functions import Orthant, cartesian, upper_tail
from .terms import Delta, Erf, Gate, Step, Term

THETA = Symbol("theta", real=True)
COS = Symbol("c_theta", real=True)
SIN = Symbol("s_theta", positive=True)
P = Symbol("p", positive=True)
Q = Symbol("q", positive=True)


@dataclass(frozen=True)
class Gaussian1:
    """Mass, mean and variance of an unnormalised Gaussian in one variable."""

    mass: Expr
    mean: Expr
    variance: Expr

    def tilt(self, alpha: Expr, beta: Expr) -> Gaussian1:
        """Multiply by exp(alpha x^2 + beta x)."""
        if alpha == 0 and beta == 0:
            return self
        k = 1 - 2 * alpha * self.variance
        exponent = (alpha * self.mean**2 + beta * self.mean + beta**2 * self.variance / 2) / k
        mean = (self.mean + beta * self.variance) / k
        return Gaussian1(self.mass * exp(_tidy(exponent)) / sqrt(_tidy(k)), _tidy(mean), _tidy(self.variance / k))


@dataclass(frozen=True)
class Gaussian2:
    """An unnormalised Gaussian in (u, v).

    ``s11, s12, s22`` are the covariance; ``det`` is its determinant divided by
    p q sin(theta)^2, the determinant before any tilt; ``p, q`` are the variances before any
    tilt and ``cos(theta)`` the correlation before any tilt.
    """

    p: Expr
    q: Expr
    mass: Expr
    m1: Expr
    m2: Expr
    s11: Expr
    s12: Expr
    s22: Expr
    det: Expr

    def swapped(self) -> Gaussian2:
        """The same pair with u and v exchanged."""
        return Gaussian2(self.q, self.p, self.mass, self.m2, self.m1, self.s22, self.s12, self.s11, self.det)

    def tilt(self, alpha: Expr, beta: Expr) -> Gaussian2:
        """Multiply by exp(alpha u^2 + beta u)."""
        if alpha == 0 and beta == 0:
            return self
        k = _tidy(1 - 2 * alpha * self.s11)
        exponent = (alpha * self.m1**2 + beta * self.m1 + beta**2 * self.s11 / 2) / k
        full = self.det * self.p * self.q * (1 - COS ** 2)
        return replace(
            self,
            mass=_merge(self.mass, exp(_tidy(exponent)), k),
            m1=_tidy((self.m1 + beta * self.s11) / k),
            m2=_tidy(self.m2 + self.s12 * (beta + 2 * alpha * self.m1) / k),
            s11=_tidy(self.s11 / k),
            s12=_tidy(self.s12 / k),
            s22=_tidy((self.s22 - 2 * alpha * full) / k),
            det=_tidy(self.det / k),
        )

    def shifted(self, beta: Expr, gamma: Expr) -> Gaussian2:
        """Multiply by exp(beta u + gamma v); beta and gamma may be complex.

        Only the mean moves, by the covariance times (beta, gamma), so no division occurs.
        """
        if beta == 0 and gamma == 0:
            return self
        du, dv = self.s11 * beta + self.s12 * gamma, self.s12 * beta + self.s22 * gamma
        exponent = beta * (self.m1 + du / 2) + gamma * (self.m2 + dv / 2)
        return replace(self, mass=self.mass * exp(sympy.expand(exponent)), m1=sympy.expand(self.m1 + du), m2=sympy.expand(self.m2 + dv))

    def marginal(self) -> Gaussian1:
        """The law of u."""
        return Gaussian1(self.mass, self.m1, self.s11)

    def conditional(self, b: Expr) -> Gaussian1:
        """The law of v given u = b, with the density of u at b as its mass."""
        density = exp(-_tidy((b - self.m1) ** 2 / (2 * self.s11))) / sqrt(2 * pi * self.s11)
        mean = _tidy(self.m2 + self.s12 / self.s11 * (b - self.m1))
        return Gaussian1(self.mass * density, mean, self.root_det() ** 2 / self.s11)

    def root_det(self) -> Expr:
        """Square root of the determinant of the covariance."""
        return sqrt(self.p) * sqrt(self.q) * SIN * sqrt(self.det)

    @property
    def tilted(self) -> bool:
        return self.det != 1

    def angle(self) -> Expr:
        """The angle whose cosine is the correlation, analytic in theta on [0, pi]."""
        if not self.tilted:
            return THETA
        w = 1 / sqrt(self.det)
        return THETA + atan(SIN * COS * (w - 1) / (COS ** 2 + w * SIN ** 2))


def gaussian(p: Expr = P, q: Expr = Q) -> Gaussian2:
    """Centred pair with variances p, q and correlation cos(theta)."""
    return Gaussian2(p, q, S.One, S.Zero, S.Zero, p, sqrt(p) * sqrt(q) * COS, q, S.One)


def unit_gaussian() -> Gaussian2:
    """Centred pair with unit variances."""
    return gaussian(S.One, S.One)


def _tidy(expr: Expr) -> Expr:
    """Cancel a rational function; numbers are expanded, real and imaginary part cancelled apart."""
    if expr.is_number or expr.is_Symbol:
        return sympy.expand(expr)
    if expr.has(sympy.I):
        # Greatest common divisors over Q(i) in many variables are hopeless; over Q they are quick.
        re, im = cartesian(expr)
        return sympy.cancel(re) + sympy.I * sympy.cancel(im)
    return sympy.cancel(expr)


def _merge(mass: Expr, factor: Expr, k: Expr) -> Expr:
    """mass * factor / sqrt(k), with the square root joined to one that mass already has."""
    roots = [part for part in sympy.Mul.make_args(mass) if part.is_Pow and part.exp == -S.Half and not part.base.is_number]
    rest = mass
    inside = k
    for root in roots:
        rest, inside = rest / root, inside * root.base
    return rest * factor / sqrt(sympy.cancel(inside))


def single(term: Term, law: Gaussian1) -> Expr:
    """E[term(x)] for x of the given law (its mass included)."""
    law = law.tilt(term.alpha, term.beta)
    return term.coefficient * law.mass * _moment1(term.power, term.gate, law.mean, law.variance)


@lru_cache(maxsize=4096)
def _moment1(power: int, gate: Gate, mean: Expr, variance: Expr) -> Expr:
    if isinstance(gate, Delta):
        density = exp(-_tidy((gate.b - mean) ** 2 / (2 * variance))) / sqrt(2 * pi * variance)
        return gate.b**power * density
    if power == 0:
        return _probability(gate, mean, variance)
    lower = _moment1(power - 1, gate, mean, variance)
    value = mean * lower
    if power > 1:
        value += variance * (power - 1) * _moment1(power - 2, gate, mean, variance)
    value += variance * _gate_derivative1(power - 1, gate, mean, variance)
    # After a tilt, mean and variance are quotients: expanding their products would write them out many times over.
    return value if _is_quotient(mean) or _is_quotient(variance) else sympy.expand(value)


def _is_quotient(expr: Expr) -> bool:
    return bool(sympy.fraction(expr)[1].free_symbols)


def _gate_derivative1(power: int, gate: Gate, mean: Expr, variance: Expr) -> Expr:
    if gate is None:
        return S.Zero
    if isinstance(gate, Step):
        return _moment1(power, Delta(gate.b), mean, variance)
    assert isinstance(gate, Erf)
    scale, (alpha, beta) = gate.density()
    law = Gaussian1(S.One, mean, variance).tilt(alpha, beta)
    return scale * law.mass * _moment1(power, None, law.mean, law.variance)


def _probability(gate: Gate, mean: Expr, variance: Expr) -> Expr:
    if gate is None:
        return S.One
    if isinstance(gate, Step):
        return upper_tail((gate.b - mean) / sqrt(variance))
    assert isinstance(gate, Erf)
    return erf((gate.a * mean + gate.b) / sqrt(1 + 2 * gate.a**2 * variance))


def pair(first: Term, second: Term, law: Gaussian2) -> Expr:
    """E[first(u) second(v)], both terms free of oscillating factors or with complex beta."""
    law = law.tilt(first.alpha, S.Zero).swapped().tilt(second.alpha, S.Zero).swapped()
    law = law.shifted(first.beta, second.beta)
    body = _moment2(first.power, first.gate, second.power, second.gate, replace(law, mass=S.One))
    return first.coefficient * second.coefficient * law.mass * body


@lru_cache(maxsize=4096)
def _moment2(m: int, g: Gate, n: int, h: Gate, law: Gaussian2) -> Expr:
    """E[u^m g(u) v^n h(v)] under the normalised law."""
    if isinstance(g, Delta):
        return g.b**m * single(Term(power=n, gate=h), law.conditional(g.b))
    if isinstance(h, Delta) or m == 0 and n > 0:
        return _moment2(n, h, m, g, law.swapped())
    if m == 0:
        return _joint(g, h, law)
    value = law.m1 * _moment2(m - 1, g, n, h, law)
    if m > 1:
        value += law.s11 * (m - 1) * _moment2(m - 2, g, n, h, law)
    value += law.s11 * _gate_derivative2(m - 1, g, n, h, law)
    if n > 0:
        value += law.s12 * n * _moment2(m - 1, g, n - 1, h, law)
    other = _gate_derivative2(n, h, m - 1, g, law.swapped())
    return value + law.s12 * other


def _gate_derivative2(m: int, g: Gate, n: int, h: Gate, law: Gaussian2) -> Expr:
    """E[u^m g'(u) v^n h(v)]."""
    if g is None:
        return S.Zero
    if isinstance(g, Step):
        return _moment2(m, Delta(g.b), n, h, law)
    assert isinstance(g, Erf)
    scale, (alpha, beta) = g.density()
    tilted = law.tilt(alpha, beta)
    return scale * tilted.mass * _moment2(m, None, n, h, replace(tilted, mass=S.One))


def _joint(g: Gate, h: Gate, law: Gaussian2) -> Expr:
    """E[g(u) h(v)] for gates that are none, steps or error functions."""
    if g is None:
        return _probability(h, law.m2, law.s22)
    if h is None:
        return _probability(g, law.m1, law.s11)
    mean1, var1, slope1 = _latent(g, law.m1, law.s11)
    mean2, var2, slope2 = _latent(h, law.m2, law.s22)
    low, high = -mean1 / sqrt(var1), -mean2 / sqrt(var2)
    if isinstance(g, Step) and isinstance(h, Step):
        angle = law.angle()
    else:
        angle = sympy.acos(slope1 * slope2 * law.s12 / sqrt(_tidy(var1 * var2)))
    joint = Orthant(low, high, angle)
    # A step is 1[X>0]; an error function is 2 P(X>0) - 1, X = a u + b + Z/sqrt(2).
    value = joint
    if isinstance(g, Erf):
        value = 2 * joint - upper_tail(high)
    if isinstance(h, Erf):
        marginal = upper_tail(low) if isinstance(g, Step) else 2 * upper_tail(low) - 1
        value = 2 * value - marginal
    return sympy.expand(value).replace(sympy.acos, lambda x: pi / 2 - sympy.asin(x))


def _latent(gate: Gate, mean: Expr, variance: Expr) -> tuple[Expr, Expr, Expr]:
    """Mean, variance and slope of the latent variable whose sign the gate is."""
    if isinstance(gate, Step):
        return mean - gate.b, variance, S.One
    assert isinstance(gate, Erf)
    return gate.a * mean + gate.b, gate.a**2 * variance + S.Half, gate.a

