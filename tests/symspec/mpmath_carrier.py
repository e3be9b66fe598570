"""A carrier of mpmath numbers for kernel programs: test code only, and no relation of the ball carriers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import sympy

from symspec.program import Program


def to_mpmath(expr: Any) -> Any:
    """A sympy constant at the working precision."""
    return mpmath.mpmathify(sympy.sympify(expr).evalf(mpmath.mp.dps + 10))


def _orthant(h: Any, k: Any, theta: Any) -> Any:
    def density(angle: Any) -> Any:
        return mpmath.exp(-(h * h - 2 * h * k * mpmath.cos(angle) + k * k) / (2 * mpmath.sin(angle) ** 2))

    tails = mpmath.erfc(h / mpmath.sqrt(2)) * mpmath.erfc(k / mpmath.sqrt(2)) / 4
    return tails + mpmath.quad(density, [theta, mpmath.pi / 2]) / (2 * mpmath.pi)


def _power(base: Any, exponent: sympy.Rational) -> Any:
    return base ** (mpmath.mpf(int(exponent.p)) / int(exponent.q)) if exponent.q != 1 else base ** int(exponent.p)


def table(rho: Any) -> dict[str, Callable[..., Any]]:
    functions = {name: getattr(mpmath, name) for name in "sin cos exp log sinh cosh asin acos atan erf".split()}
    return functions | {
        "constant": to_mpmath,
        "rho": lambda: rho,
        "theta": lambda: mpmath.acos(rho),
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "pow": _power,
        "archav": lambda w, _symmetry: 2 * mpmath.asin(mpmath.sqrt(w)),
        "orthant": _orthant,
        "erf_real": lambda x, y: mpmath.erf(mpmath.mpc(x, y)).real,
        "erf_imag": lambda x, y: mpmath.erf(mpmath.mpc(x, y)).imag,
        "order": lambda value, _order: value,
    }


def evaluate(program: Program, rho: Any) -> Any:
    """The program at a correlation, at the working precision."""
    return program.run(table(mpmath.mpf(rho)))
