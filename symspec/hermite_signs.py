r"""Activations whose Hermite coefficients keep their signs at every variance.

The dual at two variances is :math:`\sum_na_n(p)a_n(q)\rho^n` with :math:`a_n(q)=E[\sigma(\sqrt qZ)h_n(Z)]=\tfrac{q^{n/2}}{\sqrt{n!}}E[\sigma^{(n)}(\sqrt qZ)]`. Its
coefficients are >= 0 for all p and q if every :math:`a_n(q)` has one sign, or none, for all q > 0.

**Functions that keep their signs** (derivatives as distributions; :math:`E\cos(k\sqrt qZ)=e^{-qk^2/2}`):

* :math:`x^p`: + for :math:`n\le p` of the parity of p, else 0. :math:`e^{\beta x}`: the sign of :math:`\beta^n`.
* *even waves*, mixtures :math:`\int\cos(kx)\,dm(k)` with :math:`m\ge0` (positive definite functions, Bochner): :math:`(-1)^{n/2}` for even n. Such are cos,
  :math:`e^{-ax^2}`, sech, and :math:`e^{-ax^2}\cos\omega x`, whose transforms are positive.
* *odd waves*, :math:`\int_0^\infty\sin(kx)\,dm(k)`: :math:`(-1)^{(n-1)/2}` for odd n. Such are sin; :math:`xe^{-ax^2}` and :math:`e^{-ax^2}\sin\omega x`; erf(ax) and atan(ax),
  whose derivatives are even waves; and :math:`\tanh(x)=\int_0^\infty\frac{\sin kx}{\sinh(\pi k/2)}dk`.
* *wells*, :math:`\int_0^\infty(1-\cos kx)\,dm(k)`: + for n = 0 and :math:`-(-1)^{n/2}` for even n >= 2. Such is :math:`\log\cosh(ax)`, as its second derivative is an even wave,
  and x f(x) for an odd wave f with a decreasing density w, :math:`xf(x)=-\int w(k)\,d_k[\cos(kx)-1]=\int(1-\cos kx)(-w'(k))\,dk`. Those of erf, atan and tanh decrease.
  softplus(ax) is :math:`\frac{ax}2+\log2` and a well.
* :math:`x^p1[x>0]`: + for :math:`n\le p`, and at :math:`n=p+1+j` the sign of :math:`\varphi^{(j)}(0)`: :math:`(-1)^{j/2}` for even j.

A sum keeps its signs if for every n all terms that have one agree. The signs of each term have the period 4 in n beyond p, so finitely many n decide.

>>> from symspec.activations import elu, erf, gelu, hermite, relu, silu, tanh
>>> [keeps_signs(activation.form) for activation in (erf, gelu, silu, tanh, relu, hermite(2), elu)]
[True, True, True, True, True, False, False]
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Expr, S

from .form import Form
from .strip import StripForm
from .strip_functions import softplus
from .terms import Delta, Erf, Step, Term, X, canonical

PERIOD = 4
Signs = Callable[[int], int]


def keeps_signs(form: Form | StripForm) -> bool:
    """Whether every a_n(q) is shown to keep one sign for all q > 0; False where it is not shown."""
    parts = _of_form(form) if isinstance(form, Form) else _of_expression(form.expr)
    if parts is None:
        return False
    last = max((power for _, _, power in parts), default=0) + 2 * PERIOD
    return all(len({sign * signs(n) for sign, signs, _ in parts} - {0}) <= 1 for n in range(last + 1))


Parts = list[tuple[int, Signs, int]]


def _of_form(form: Form) -> Parts | None:
    found: Parts = []
    # exp(bx) and exp(-bx) in pairs, as cosh and sinh.
    rates: dict[Expr, list[Expr]] = {}
    for term in form.terms:
        if term.key == Term(beta=term.beta) and term.beta != 0 and _sign(term.beta):
            pair = rates.setdefault(abs(term.beta), [S.Zero, S.Zero])
            pair[_sign(term.beta) < 0] += term.coefficient
            continue
        sign, signs = _sign(term.coefficient), _of_term(term)
        if signs is None or not sign:
            return None
        found.append((sign, signs, term.power))
    for plus, minus in rates.values():
        even, odd = (canonical(value) for value in (plus + minus, plus - minus))
        if any(value != 0 and not _sign(value) for value in (even, odd)):
            return None
        found.append((1, _hyperbolic(_sign(even), _sign(odd)), 0))
    return found


def _of_term(term: Term) -> Signs | None:
    """The signs of a term of coefficient one."""
    match term:
        case Term(power=p, alpha=S.Zero, beta=S.Zero, omega=S.Zero, gate=None):
            return _monomial(p)
        case Term(power=0, alpha=alpha, beta=S.Zero, gate=None) if alpha == 0 or _sign(alpha) < 0:
            return _odd_wave if term.odd_wave else _even_wave
        case Term(power=1, alpha=alpha, beta=S.Zero, omega=S.Zero, gate=None) if _sign(alpha) < 0:
            return _odd_wave
        case Term(power=0 | 1 as p, alpha=S.Zero, beta=S.Zero, omega=S.Zero, gate=Erf(b=S.Zero)):
            return _well if p else _odd_wave
        case Term(power=p, alpha=S.Zero, beta=S.Zero, omega=S.Zero, gate=Step(b=S.Zero)):
            return _gated(p)
        case Term(power=0, alpha=S.Zero, beta=S.Zero, omega=S.Zero, gate=Delta(b=S.Zero)):
            return _even_wave
    return None


def _of_expression(expr: Expr) -> Parts | None:
    """The summands of an expanded expression in x."""
    found: Parts = []
    for summand in sympy.Add.make_args(sympy.expand(expr)):
        factor, rest = summand.as_independent(X)
        sign, known = _sign(factor), _of_summand(rest)
        if known is None or not sign:
            return None
        found += [(sign * own, signs, power) for own, signs, power in known]
    return found


def _of_summand(rest: Expr) -> Parts | None:
    power = sympy.degree(rest, X) if rest.is_polynomial(X) else None
    if power is not None and rest == X**power:
        return [(1, _monomial(int(power)), int(power))]
    core, lifted = (sympy.cancel(rest / X), True) if rest.is_Mul and X in rest.args else (rest, False)
    if len(core.args) != 1 and not isinstance(core, sympy.exp):
        return None
    argument = core.args[0]
    slope = argument.coeff(X, 1)
    if argument != slope * X or not _sign(slope):
        return None
    if isinstance(core, (sympy.tanh, sympy.atan, sympy.erf)):
        return [(_sign(slope), _well if lifted else _odd_wave, 0)]
    if lifted:
        return None
    if isinstance(core, softplus):
        return [(_sign(slope), _monomial(1), 1), (1, _monomial(0), 0), (1, _well, 0)]
    if isinstance(core, (sympy.sech, sympy.cos)):
        return [(1, _even_wave, 0)]
    if isinstance(core, sympy.sin):
        return [(_sign(slope), _odd_wave, 0)]
    return [(1, _hyperbolic(1, _sign(slope)), 0)] if isinstance(core, sympy.exp) else None


def _sign(value: Expr) -> int:
    """1 or -1; 0 where it is not decided."""
    return 1 if value.is_positive else -1 if value.is_negative else 0


def _monomial(p: int) -> Signs:
    return lambda n: int(n <= p and (p - n) % 2 == 0)


def _hyperbolic(even: int, odd: int) -> Signs:
    return lambda n: odd if n % 2 else even


def _even_wave(n: int) -> int:
    return 0 if n % 2 else (-1) ** (n // 2)


def _odd_wave(n: int) -> int:
    return (-1) ** (n // 2) if n % 2 else 0


def _well(n: int) -> int:
    return 1 if n == 0 else -_even_wave(n)


def _gated(p: int) -> Signs:
    return lambda n: 1 if n <= p else _even_wave(n - p - 1)


__all__ = ["keeps_signs"]
