r"""Activations of the closed class on the real line, bounded by powers and exponentials.

Between neighbouring breakpoints a form is a sum of :math:`c\,x^me^{\alpha x^2+\beta x}w(x)`, :math:`|w|\le1` (waves, error functions), :math:`\alpha\le0`. The
exponential factor is at most

* :math:`e^{-\beta^2/(4\alpha)}` where :math:`\alpha<0`;
* its larger value at the ends of a bounded interval, and at the one end of a half-line on which it decays: so ELU is bounded by powers;
* :math:`e^{|\beta||x|}` on a half-line on which it grows.

Each point lies in one interval, so :math:`|\sigma(x)|\le\sum_i\gamma_i|x|^{p_i}e^{\beta_i|x|}` with the largest :math:`\gamma_i` of all intervals. By the
Cauchy-Schwarz inequality with the weights :math:`\gamma_i`, for :math:`u\sim\mathcal N(0,q)` and :math:`\Gamma=\sum\gamma_i`,

.. math:: E\sigma(u)^2\le\Gamma\sum_i\gamma_iE|u|^{2p_i}e^{2\beta_i|u|},\qquad
          E|u|^{2p}e^{2\beta|u|}\le\begin{cases}(2p-1)!!\,q^p&\beta=0\\2e^{2\beta^2q}&p=0\\\sqrt{2\,(4p-1)!!}\,q^pe^{4\beta^2q}&\text{else,}\end{cases}

since :math:`Ee^{s|u|}\le2e^{s^2q/2}`.

>>> import symspec as ss
>>> for bound in line_bounds(ss.elu.form):
...     print(bound.power, bound.rate, bound.size)
0 0 2.00000000000000
1 0 1.00000000000000
>>> print(moment_bound(line_bounds(ss.elu.form)))
3.00000000000000*x + 6.00000000000000
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

import sympy
from flint import arb, arb_poly
from sympy import Expr, S, oo

from symspec.errors import Undecided
from symspec.form import Form
from symspec.terms import Delta, Step, Term

from .constants import ball


@dataclass(frozen=True)
class LineBound:
    """size |x|^power e^(rate |x|), rate >= 0."""

    power: int
    rate: Expr
    size: arb


def line_bounds(form: Form) -> list[LineBound]:
    """Summands of a bound of a form on the line. Raises Undecided for deltas and for what grows like exp(a x^2)."""
    if any(term.alpha.is_nonpositive is not True or isinstance(term.gate, Delta) for term in form.terms):
        raise Undecided(f"{form} is not bounded by an exponential function on the line")
    largest: dict[tuple[int, Expr], arb] = {}
    for low, high, terms in _pieces(form):
        sums: dict[tuple[int, Expr], arb] = {}
        for term in terms:
            rate, factor = _exponential(term, low, high)
            key = term.power, rate
            sums[key] = sums.get(key, arb(0)) + abs(ball(term.coefficient)) * factor
        for key, size in sums.items():
            largest[key] = largest.get(key, size).max(size)
    return [LineBound(power, rate, size) for (power, rate), size in sorted(largest.items(), key=lambda item: (item[0][0], sympy.default_sort_key(item[0][1])))]


def _pieces(form: Form) -> Iterator[tuple[Expr, Expr, tuple[Term, ...]]]:
    """The intervals between steps, and the terms that are not 0 there, without their steps."""
    edges = (-oo, *form.breakpoints, oo)
    for low, high in pairwise(edges):
        active = [replace(term, gate=None) if isinstance(term.gate, Step) else term for term in form.terms if not isinstance(term.gate, Step) or term.gate.b <= low]
        yield low, high, Form.of(active).terms


def _exponential(term: Term, low: Expr, high: Expr) -> tuple[Expr, arb]:
    """(rate, factor) with e^(alpha x^2 + beta x) <= factor e^(rate |x|) on the interval."""
    alpha, beta = term.alpha, term.beta
    if beta == 0:
        return S.Zero, arb(1)
    if alpha.is_negative:
        return S.Zero, ball(-(beta**2) / (4 * alpha)).exp()
    end = high if beta.is_positive else low
    return (S.Zero, ball(beta * end).exp()) if end.is_finite else (abs(beta), arb(1))


def moment_bound(bounds: Iterable[LineBound]) -> arb_poly:
    """P with E sigma(u)^2 <= P(q) e^(a q) for u of variance q, a of :func:`exponent`; coefficients >= 0."""
    bounds = list(bounds)
    whole = sum((bound.size for bound in bounds), arb(0))
    found = arb_poly([0])
    for bound in bounds:
        p = bound.power
        moment = arb(_odd_product(p)) if bound.rate == 0 else arb(2) if p == 0 else (2 * arb(_odd_product(2 * p))).sqrt()
        found += arb_poly([0] * p + [whole * bound.size * moment])
    return found


def exponent(bounds: Iterable[LineBound]) -> arb:
    """What multiplies q in the exponent of the bound; exactly 0 where no exponential function grows."""
    rates = [(4 if bound.power else 2) * ball(bound.rate) ** 2 for bound in bounds if bound.rate != 0]
    return reduce(arb.max, rates, arb(0))


def _odd_product(p: int) -> int:
    """(2p - 1)!!"""
    return int(sympy.factorial2(2 * p - 1)) if p else 1


__all__ = ["LineBound", "exponent", "line_bounds", "moment_bound"]
