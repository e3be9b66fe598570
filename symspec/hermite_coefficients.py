r"""Exact Hermite coefficients of the closed class, for integer and for symbolic degree.

With He_n the probabilists' Hermite polynomials and Z standard normal,
:math:`c_n(f)=E[f(Z)He_n(Z)]` and the orthonormal coefficient is :math:`a_n=c_n/\sqrt{n!}`.
Three identities give every c_n of the class:

* multiplication by x: :math:`c_n(xf)=c_{n+1}(f)+n\,c_{n-1}(f)`;
* integration by parts: :math:`c_n(f)=c_{n-1}(f')`, which for
  :math:`f=e^{\alpha x^2+\beta x}g` reads
  :math:`(1-2\alpha)c_n=2\alpha(n-1)c_{n-2}+\beta c_{n-1}+c_{n-1}(e^{\alpha x^2+\beta x}g')`;
* for piecewise polynomials, repeated integration by parts: a jump J of the j-th derivative at b
  contributes :math:`J\,He_{n-1-j}(b)\varphi(b)` for every n > j.

>>> from symspec.form import variable, step
>>> relu = variable() * step(0)
>>> [coefficient(relu, n) for n in range(5)]
[sqrt(2)/(2*sqrt(pi)), 1/2, 1/(2*sqrt(pi)), 0, -sqrt(3)/(12*sqrt(pi))]
"""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy import Expr, I, Piecewise, S, Symbol, cos, exp, factorial, gamma, pi, sin, sqrt

from .errors import InputError, NoClosedForm
from .exact import natural
from .expectation import Gaussian1, single
from .form import Form
from .functions import normal_density
from .terms import Delta, Erf, Gate, Step, Term

MAX_DEGREE = 20_000


def coefficient(form: Form, n: int) -> Expr:
    """The exact orthonormal coefficient a_n, n >= 0 an integer."""
    n = natural(n, "Hermite degree")
    if n > MAX_DEGREE:
        raise InputError(f"Hermite degree {n} is above {MAX_DEGREE}; ask for the formula in a symbolic degree")
    total = sum((_term_coefficient(term, n) for term in form.terms), S.Zero)
    return sympy.expand(total / sqrt(factorial(n)))


def he(n: int, x: Expr) -> Expr:
    """He_n(x) by its three-term recurrence, exactly."""
    previous, current = S.Zero, S.One
    for j in range(n):
        previous, current = current, sympy.expand(x * current - j * previous)
    return current if n >= 0 else S.Zero


def _term_coefficient(term: Term, n: int) -> Expr:
    """c_n of one term; powers of x act on the sequence of the rest."""
    beta = term.beta + I * term.omega
    weights = {n: S.One}
    for _ in range(term.power):
        shifted: dict[int, Expr] = {}
        for j, weight in weights.items():
            shifted[j + 1] = shifted.get(j + 1, S.Zero) + weight
            if j:
                shifted[j - 1] = shifted.get(j - 1, S.Zero) + weight * j
        weights = shifted
    head, sequence = _sequence(term.alpha, beta, term.gate, max(weights))
    value = sympy.expand(sum((weight * sequence[j] for j, weight in weights.items()), S.Zero))
    if term.omega == 0:
        return term.coefficient * head * value
    size, phase = _real_head(term.alpha, term.beta, term.omega)
    re, im = value.as_real_imag()
    if term.odd_wave:
        return term.coefficient * size * (re * sin(phase) + im * cos(phase))
    return term.coefficient * size * (re * cos(phase) - im * sin(phase))


def _real_head(alpha: Expr, beta: Expr, omega: Expr) -> tuple[Expr, Expr]:
    """Modulus and argument of E exp(alpha Z^2 + (beta + i omega) Z)."""
    k = 1 - 2 * alpha
    return exp((beta**2 - omega**2) / (2 * k)) / sqrt(k), beta * omega / k


def _sequence(alpha: Expr, beta: Expr, gate: Gate, top: int) -> tuple[Expr, list[Expr]]:
    """(head, list) with c_n of exp(alpha x^2 + beta x) g = head * list[n], n = 0..top."""
    size = 16
    while size < top:
        size *= 2
    return _cached_sequence(alpha, beta, gate, size)


@lru_cache(maxsize=128)
def _cached_sequence(alpha: Expr, beta: Expr, gate: Gate, top: int) -> tuple[Expr, list[Expr]]:
    if gate is None:
        head, sequence, rest = exp(beta**2 / (2 * (1 - 2 * alpha))) / sqrt(1 - 2 * alpha), [S.One], [S.Zero] * top
    elif isinstance(gate, Delta):
        weight = exp(alpha * gate.b**2 + beta * gate.b) * normal_density(gate.b)
        return weight, _he_values(gate.b, top)
    else:
        head = S.One
        sequence = [single(Term(alpha=alpha, beta=beta, gate=gate), Gaussian1(S.One, S.Zero, S.One))]
        rest = _gate_sequence(alpha, beta, gate, top)
    for n in range(1, top + 1):
        value = beta * sequence[n - 1] + rest[n - 1]
        if n > 1:
            value += 2 * alpha * (n - 1) * sequence[n - 2]
        sequence.append(sympy.expand(value / (1 - 2 * alpha)))
    return head, sequence


def _gate_sequence(alpha: Expr, beta: Expr, gate: Gate, top: int) -> list[Expr]:
    """c_n of exp(alpha x^2 + beta x) g'(x)."""
    if isinstance(gate, Step):
        head, sequence = _cached_sequence(alpha, beta, Delta(gate.b), top)
        return [head * value for value in sequence]
    assert isinstance(gate, Erf)
    scale, (a, b) = gate.density()
    head, sequence = _cached_sequence(alpha + a, beta + b, None, top)
    return [scale * head * value for value in sequence]


def _he_values(b: Expr, top: int) -> list[Expr]:
    values = [S.One, b]
    for n in range(1, top):
        values.append(sympy.expand(b * values[n] - n * values[n - 1]))
    return values[: top + 1]


def formula(form: Form, n: Symbol) -> Expr:
    """a_n as a formula in the symbol n: the first few cases apart, then one expression.

    Raises :class:`NoClosedForm` where the coefficients satisfy a recurrence that the engine
    cannot solve (a step or error function times an exponential).
    """
    n = Symbol(n.name, integer=True, nonnegative=True) if not n.is_integer else n
    general, start = S.Zero, 0
    for term in form.terms:
        value, first = _term_formula(term, n)
        general, start = general + value, max(start, first)
    body = _simplified(general) / sqrt(factorial(n))
    cases = [(coefficient(form, j), sympy.Eq(n, j)) for j in range(start)]
    return Piecewise(*cases, (body, True)) if cases else body


def _simplified(expr: Expr) -> Expr:
    return sympy.factor_terms(expr)


def _he_formula(degree: Expr, b: Expr) -> Expr:
    """He_degree(b) for a symbolic degree; the value at 0 is zero for odd degrees by the pole of Gamma."""
    if b == 0:
        return sqrt(pi) * 2 ** (degree / 2) / gamma((1 - degree) / 2)
    return 2 ** (-degree / 2) * sympy.hermite(degree, b / sqrt(2))


def _term_formula(term: Term, n: Symbol) -> tuple[Expr, int]:
    """(c_n, first n from which the formula holds)."""
    if term.is_polynomial_piece:
        return _piece_formula(term, n)
    value, start = _base_formula(term, n)
    for _ in range(term.power):
        value = value.subs(n, n + 1) + n * value.subs(n, n - 1)
        start += 1
    return term.coefficient * value, start


def _piece_formula(term: Term, n: Symbol) -> tuple[Expr, int]:
    if term.gate is None:
        return S.Zero, term.power + 1
    b = term.gate.b  # type: ignore[union-attr]
    if isinstance(term.gate, Delta):
        return term.coefficient * _he_formula(n, b) * normal_density(b), 0
    total = S.Zero
    for j in range(term.power + 1):
        jump = factorial(term.power) / factorial(term.power - j) * b ** (term.power - j)
        if jump != 0:
            total += jump * _he_formula(n - 1 - j, b)
    return term.coefficient * total * normal_density(b), term.power + 1


def _base_formula(term: Term, n: Symbol) -> tuple[Expr, int]:
    if term.gate is None:
        return _exponential_formula(term, n), 0
    if isinstance(term.gate, Erf) and term.alpha == 0 and term.beta == 0 and term.omega == 0:
        scale, (alpha, beta) = term.gate.density()
        value = _exponential_formula(Term(alpha=alpha, beta=beta), n)
        return scale * value.subs(n, n - 1), 1
    raise NoClosedForm("the Hermite coefficients of a gate times an exponential satisfy a recurrence without a known solution in symbolic degree; ask for integer degrees")


def _exponential_formula(term: Term, n: Symbol) -> Expr:
    """c_n of exp(alpha x^2 + beta x) times a wave, from exp(a1 t + a2 t^2)."""
    k = 1 - 2 * term.alpha
    size, phase = _real_head(term.alpha, term.beta, term.omega)
    if term.alpha == 0:
        radius, angle = sqrt(term.beta**2 + term.omega**2), sympy.atan2(term.omega, term.beta)
        return size * radius**n * (sin if term.odd_wave else cos)(n * angle + phase)
    if term.beta == 0 and term.omega == 0:
        doubled = (2 * sympy.Abs(2 * term.alpha) / k) ** (n / 2) * gamma((n + 1) / 2) / sqrt(pi)
        sign = cos(pi * n / 2) if term.alpha.is_negative else (1 + (-1) ** n) / 2
        return size * doubled * sign
    if term.omega == 0 and term.alpha.is_negative:
        root = sqrt(-2 * term.alpha / k)
        return size * root**n * _he_formula(n, term.beta / k / root)
    raise NoClosedForm("no formula in symbolic degree is known for this product of exponential and wave; ask for integer degrees")
