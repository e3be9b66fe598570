r"""Whether a strip-analytic function that expands to no polynomial is shown to be none.

The normal form of :mod:`symspec.strip` knows no addition theorem: :math:`x^2+\tanh2x\,(1+\tanh^2x)-2\tanh x` is :math:`x^2`, and its odd part
is 0 though it does not expand to it. For an upper bound of the degrees that a kernel reaches that does no harm; who claims that
*infinitely many* coefficients are positive must show that the part is no polynomial, by one of

* a singularity off the real line that does not cancel (:func:`symspec.stretched.singular_height`): polynomials are entire;
* growth: a polynomial with :math:`|f|\le C(1+|x|)^m` has degree at most m, so that its derivative of order m + 1 vanishes everywhere.

>>> import sympy
>>> is_no_polynomial(StripForm.of(sympy.tanh(X))), is_no_polynomial(StripForm.of(sympy.erf(X)**2))
(True, True)
>>> is_no_polynomial(StripForm.of(sympy.tanh(2 * X) * (1 + sympy.tanh(X)**2) - 2 * sympy.tanh(X)))
False
"""

from __future__ import annotations

from sympy import Rational, oo

from .errors import NoClosedForm
from .stretched import differs_from_zero, singular_height
from .strip import StripForm
from .terms import X

PLACE = Rational(31, 100)
MAX_DERIVATIVE = 12


def is_no_polynomial(form: StripForm) -> bool:
    """Whether that is shown; False where it is not."""
    try:
        height = singular_height(form.expr)
    except NoClosedForm:
        return False
    if height.is_exact and height.value != oo:
        return True
    shape = form.shape
    if shape.exponential or not bool(shape.alpha <= 0) or shape.power >= MAX_DERIVATIVE:
        return False
    return differs_from_zero(form.expr.diff(X, shape.power + 1), PLACE)


__all__ = ["is_no_polynomial"]
