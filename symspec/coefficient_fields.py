r"""The field of an equation's coefficients: the rationals, a number field, or the rational functions of a transcendental number.

Parameters of an activation such as :math:`\sqrt2`, :math:`\pi` or :math:`e^{1/2}` are adjoined one after the other as an
equation asks for them. Algebraic numbers give :math:`\mathbf Q(\alpha)` with a primitive element; rational functions of one power of :math:`\pi` or
of e, with a rational exponent, give :math:`\mathbf Q(\tau)`, in which the number behaves like a variable because it is transcendental (Lindemann). Zero is decided exactly in both.
Other numbers, and both kinds at once, are refused.

>>> found = adjoined(lambda numbers: numbers.of(sympy.sqrt(2)) * numbers.of(sympy.sqrt(8)))
>>> found
ANP([4], [1, 0, -2], QQ)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import sympy
from sympy import Expr
from sympy.polys.constructor import construct_domain
from sympy.polys.domains import QQ
from sympy.polys.fields import field
from sympy.polys.polyerrors import CoercionFailed

from .errors import NoClosedForm

Result = TypeVar("Result")
MAX_DEGREE = 8
MAX_ADJOINED = 8


class _Missing(Exception):
    """A number that is not in the field."""

    def __init__(self, value: Expr) -> None:
        super().__init__(str(value))
        self.value = value


@dataclass(frozen=True)
class Numbers:
    """Q with some numbers adjoined."""

    adjoined: tuple[Expr, ...] = ()

    @cached_property
    def domain(self) -> Any:
        """The sympy domain; NoClosedForm where it is none of the fields of the module docstring."""
        if not self.adjoined:
            return QQ
        domain, _ = construct_domain(list(self.adjoined), field=True, extension=True)
        if domain.is_Algebraic:
            if domain.mod.degree() > MAX_DEGREE:
                raise NoClosedForm(f"the parameters {self._shown} generate a number field of degree {domain.mod.degree()}; up to {MAX_DEGREE} is supported")
            return domain
        if domain.is_FractionField and len(domain.symbols) == 1 and _is_known_transcendental(domain.symbols[0]):
            return domain
        raise NoClosedForm(f"the parameters {self._shown} are neither algebraic numbers nor rational functions of a power of pi or of e")

    @property
    def _shown(self) -> str:
        return ", ".join(str(value)[:40] for value in self.adjoined)

    @cached_property
    def functions(self) -> Any:
        """The field of rational functions in x over the numbers."""
        return field("x", self.domain)[0]

    @property
    def x(self) -> Any:
        return self.functions.gens[0]

    def of(self, value: Expr) -> Any:
        """The number as an element of the domain."""
        number = value if value.is_Rational else sympy.simplify(value)
        try:
            return self.domain.from_sympy(number)
        except (CoercionFailed, ValueError, TypeError, NotImplementedError):
            raise _Missing(number) from None


def _is_known_transcendental(generator: Expr) -> bool:
    base, exponent = generator.as_base_exp()
    return bool(exponent.is_Rational and exponent != 0 and base in (sympy.pi, sympy.E))


def adjoined(build: Callable[[Numbers], Result]) -> Result:
    """``build`` with the least field that holds the numbers it asks for."""
    numbers = Numbers()
    while True:
        try:
            return build(numbers)
        except _Missing as missing:
            if missing.value in numbers.adjoined or len(numbers.adjoined) == MAX_ADJOINED:
                raise NoClosedForm(f"the parameter {str(missing.value)[:60]} lies in no field that is supported: algebraic numbers, or rational functions of a power of pi or of e") from None
            numbers = Numbers((*numbers.adjoined, missing.value))


def components(polynomial: Any) -> list[sympy.Poly]:
    """Rational polynomials in x whose common zeros are the rational zeros of one over the numbers."""
    x, domain = sympy.Symbol("x"), polynomial.ring.domain
    parts: dict[Any, dict[int, Any]] = {}
    if domain.is_Algebraic:
        for (power,), c in polynomial.terms():
            for i, value in enumerate(reversed(c.to_list())):
                parts.setdefault(i, {})[power] = value
    elif domain.is_FractionField:
        common = domain.field.ring.one
        for c in polynomial.coeffs():
            common = common.lcm(c.denom)
        for (power,), c in polynomial.terms():
            for monomial, value in (c * domain.field(common)).numer.terms():
                parts.setdefault(monomial, {})[power] = value
    else:
        parts[0] = {power: c for (power,), c in polynomial.terms()}
    return [sympy.Poly.from_dict({(power,): QQ.convert(value) for power, value in part.items()}, x, domain=QQ) for part in parts.values()]


__all__ = ["Numbers", "adjoined", "components"]
