"""Exact sympy constants as balls, by structural recursion (never through text or floats).

>>> import sympy
>>> from numerics.precision import working_precision
>>> with working_precision(100):
...     print(ball(sympy.sqrt(2) * sympy.pi / 3).str(20, radius=False))
1.4809609793861220823
"""

from __future__ import annotations

from functools import lru_cache

import sympy
from flint import acb, arb, ctx, fmpq, fmpz
from sympy import Expr, S

from symspec.errors import NoClosedForm
from symspec.functions import ErfImag, ErfReal, Orthant, archav
from symspec.strip_functions import DualOf, SeriesDual, softplus

from . import real


def ball(expr: Expr) -> arb:
    """An enclosure of an exact real constant at the working precision."""
    return _cached(expr, ctx.prec)


@lru_cache(maxsize=4096)
def _cached(expr: Expr, precision: int) -> arb:
    return _convert(expr)


def rational(number: sympy.Rational) -> fmpq:
    """A sympy rational as an exact flint rational."""
    return fmpq(int(number.p), int(number.q))


def _convert(expr: Expr) -> arb:
    if expr.is_Rational:
        return arb(fmpz(int(expr.p))) / fmpz(int(expr.q)) if expr.q != 1 else arb(fmpz(int(expr.p)))
    if expr is S.Pi:
        return arb.pi()
    if expr is S.Exp1:
        return arb(1).exp()
    if expr.is_Add:
        return sum((ball(part) for part in expr.args[1:]), ball(expr.args[0]))
    if expr.is_Mul:
        result = ball(expr.args[0])
        for part in expr.args[1:]:
            result = result * ball(part)
        return result
    if expr.is_Pow and expr.exp.is_Rational:
        return real.power(ball(expr.base), expr.exp)
    if expr.is_Pow or isinstance(expr, sympy.exp):
        base, exponent = expr.as_base_exp()
        return ball(exponent).exp() if base is S.Exp1 else (ball(base).log() * ball(exponent)).exp()
    if isinstance(expr, sympy.polys.rootoftools.ComplexRootOf):
        return _algebraic(expr)
    return _function(expr)


def _function(expr: Expr) -> arb:
    if isinstance(expr, SeriesDual):
        from .dual_series import real_dual

        p, q, c = (ball(part) for part in expr.args[2:])
        return real_dual(p, q, c, DualOf(expr.args[0], int(expr.args[1])))
    if isinstance(expr, sympy.hyper):
        upper_, lower = ([ball(part) for part in group] for group in expr.args[:2])
        return arb.hypgeom(ball(expr.args[2]), upper_, lower)
    arguments = [ball(part) for part in expr.args]
    if isinstance(expr, Orthant):
        return real.orthant(*arguments)
    if isinstance(expr, (ErfReal, ErfImag)):
        return real.erf_parts(*arguments)[isinstance(expr, ErfImag)]
    if isinstance(expr, archav):
        return real.archav(arguments[0])
    simple = {
        sympy.sin: arb.sin,
        sympy.cos: arb.cos,
        sympy.tan: arb.tan,
        sympy.sinh: arb.sinh,
        sympy.cosh: arb.cosh,
        sympy.tanh: arb.tanh,
        sympy.sech: arb.sech,
        softplus: real.softplus,
        sympy.erf: arb.erf,
        sympy.erfi: arb.erfi,
        sympy.log: arb.log,
        sympy.asin: real.asin,
        sympy.acos: real.acos,
        sympy.atan: arb.atan,
        sympy.gamma: arb.gamma,
        sympy.Abs: abs,
        sympy.factorial: lambda x: (x + 1).gamma(),
    }
    if isinstance(expr, (sympy.elliptic_k, sympy.elliptic_e)) and len(arguments) == 1:
        parameter = acb(arguments[0])
        return (parameter.elliptic_k() if isinstance(expr, sympy.elliptic_k) else parameter.elliptic_e()).real
    if expr.func in simple:
        return simple[expr.func](arguments[0])
    if isinstance(expr, sympy.besseli):
        return arguments[1].bessel_i(arguments[0])
    raise NoClosedForm(f"no ball is defined for the constant {expr}")


def _algebraic(root: Expr) -> arb:
    """An isolated real algebraic number by its exact rational refinement."""
    width = sympy.Rational(1, 2 ** (ctx.prec + 8))
    middle = root.eval_rational(width)
    return _convert(middle) + arb(0, _convert(width))
