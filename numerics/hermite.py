r"""Certified Hermite coefficients of any activation, to any number of digits.

:math:`a_n(q)=E[\sigma(\sqrt qZ)h_n(Z)]`, Z standard normal, :math:`h_n=He_n/\sqrt{n!}`. In the closed class the exact coefficient is
evaluated; an activation analytic in a strip goes through the trapezoidal rule with a proved error
(:mod:`numerics.hermite_quadrature`). Degrees at which the coefficient is known to vanish give exactly 0.

>>> import symspec as ss
>>> print([a.str(15, radius=False) for a in hermite_coefficients(ss.tanh, range(4), digits=20)])
['0', '0.605705509602159', '0', '-0.148437190787273']
>>> print(hermite_coefficients(ss.relu, 4, digits=20)[0].str(15, radius=False))
-0.0814337519838200
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log, sqrt
from typing import Any

import sympy
from flint import arb
from sympy import Expr, oo

from symspec import hermite_coefficients as exact_coefficients
from symspec.activations import Activation, activation as as_activation
from symspec.errors import InputError, Undecided
from symspec.exact import exact, natural
from symspec.strip import StripForm
from symspec.support import support_of

from . import hermite_quadrature
from .constants import ball
from .precision import goal_bits, meets, refine, working_precision

MAX_DEGREE = 20_000
# Beyond the expected size of the last coefficient times this, a coefficient that is not told from 0 is given up.
PATIENCE = 6


def hermite_coefficients(activation: Any, degrees: Any, digits: Any = 30, variance: Any = 1) -> list[arb]:
    """a_n(q), one ball a degree, each good to ``digits`` significant digits or exactly 0.

    ``degrees`` is an iterable of integers >= 0 (or one integer) in any order, ``variance`` q a positive exact number.
    All degrees of one call share the nodes of the rule. Raises NotSquareIntegrable where E sigma(sqrt(q) Z)^2 is infinite,
    InputError for a bad degree, variance or digits, Undecided where a coefficient cannot be told from 0.
    """
    sigma = as_activation(activation)
    wanted = [natural(n, "Hermite degree") for n in (degrees if isinstance(degrees, Iterable) else [degrees])]
    q, bits = exact(variance, "variance"), goal_bits(digits)
    if q.is_positive is not True:
        raise InputError(f"a variance must be positive, not {variance}")
    if wanted and max(wanted) > MAX_DEGREE:
        raise InputError(f"Hermite degree {max(wanted)} is above {MAX_DEGREE}")
    sigma.require_square_integrable(q)
    support = support_of(sigma.form)
    left = sorted({n for n in wanted if not support.vanishes_at(n)})
    if isinstance(sigma.form, StripForm):
        values = _by_quadrature(sigma.form, q, left, bits) if left else {}
    else:
        values = {n: _of_closed_form(sigma, q, n, bits) for n in left}
    return [values.get(n, arb(0)) for n in wanted]


def _of_closed_form(sigma: Activation, q: Expr, n: int, bits: int) -> arb:
    form = sigma.form
    assert not isinstance(form, StripForm)
    value = exact_coefficients.coefficient(form.rescaled(sympy.sqrt(q)), n)
    return arb(0) if value == 0 else refine(lambda _: ball(value), bits, f"the Hermite coefficient of degree {n}")


def _by_quadrature(form: StripForm, q: Expr, degrees: list[int], bits: int) -> dict[int, arb]:
    """Absolute accuracy raised until every degree is known to ``bits``."""
    expected = _expected_bits(form, float(q), degrees[-1])
    accuracy = bits + expected
    limit = PATIENCE * (bits + expected) + 4 * degrees[-1] + 256
    while True:
        variance = _ball(q, 2 * accuracy + 64)
        found = hermite_quadrature.coefficients(form.expr, variance, degrees[-1] + 1, accuracy)
        missing = [n for n in degrees if not meets(found[n], bits)]
        if not missing:
            return {n: found[n] for n in degrees}
        if accuracy > limit:
            raise Undecided(f"the Hermite coefficient of degree {missing[0]} of {form} could not be told from 0 at an absolute accuracy of 2^-{accuracy}; it may be exactly 0")
        accuracy += max(bits - min(bits, found[n].rel_accuracy_bits()) for n in missing) + 16


def _ball(value: Expr, precision: int) -> arb:
    """A constant at a precision of its own."""
    with working_precision(precision):
        return ball(value)


def _expected_bits(form: StripForm, q: float, n: int) -> int:
    """About how far a_n is below 1: it decays like exp(-a sqrt(n/q)); a first guess, no bound."""
    a = 4.0 if form.width == oo else float(form.width)
    return 24 + int(a * sqrt(n / q) / log(2))


__all__ = ["hermite_coefficients"]
