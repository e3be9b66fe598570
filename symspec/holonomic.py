r"""D-finite functions and P-finite sequences: linear algebra on their derivatives and shifts.

A function is D-finite if its derivatives span a finite-dimensional space over :math:`F(x)`; a sequence is P-finite if
its shifts do over :math:`F(n)`, F being the rationals or a field of :mod:`symspec.coefficient_fields`. Sums and products stay in the class (Stanley 1980; Salvy and Zimmermann 1994; Kauers 2013): the
derivatives of a product lie in the tensor product of the two spaces, those of a sum in the direct sum, and the first linear
relation between them is an equation.

An operator :math:`L=\sum_jp_j(x)D^j` is a list of rational functions, lowest order first. Where it is to act on *distributions*, such
as a step function, only polynomial coefficients make sense, and a quotient must not be cleared of its denominators
afterwards: :func:`distributional_lclm` multiplies a common left multiple until both cofactors are polynomial.

>>> x = X
>>> text(product([-ONE, ONE], [ONE, ZERO, ONE]))
'2 - 2*D + D**2'
>>> text(distributional_lclm([[ZERO, x], [ZERO, x - 1]]))
'(x**2 - x)*D'

(the first: :math:`e^x\sin x`; the second: a sum of steps at 0 and at 1.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import sympy
from sympy.polys.domains import QQ
from sympy.polys.fields import field
from sympy.polys.matrices import DomainMatrix

FIELD, X = field("x", QQ)
ZERO, ONE = FIELD(0), FIELD(1)
Rational = Any  # an element of a field of rational functions in x, FIELD where all numbers are rational
Operator = list[Any]
MAX_ORDER = 40


def derivative(f: Rational) -> Rational:
    x, whole = f.numer.ring.gens[0], f.field
    n, d = f.numer, f.denom
    return whole(n.diff(x) * d - n * d.diff(x)) / whole(d**2)


def shifted(f: Rational, by: int = 1) -> Rational:
    """f(x + by)."""
    numerator, denominator = (part.compose(part.ring.gens[0], part.ring.gens[0] + by) for part in (f.numer, f.denom))
    return f.field(numerator) / f.field(denominator)


def relation(first: Sequence[Rational], step: Callable[[Sequence[Rational]], Sequence[Rational]]) -> Operator:
    """The first linear relation between a vector and its images under ``step``, coefficients polynomial and coprime, the last one not 0."""
    vectors = [list(first)]
    while len(vectors) <= MAX_ORDER:
        matrix = DomainMatrix([list(row) for row in zip(*vectors, strict=True)], (len(first), len(vectors)), first[0].field.to_domain())
        kernel = matrix.nullspace()
        if kernel.shape[0]:
            return primitive(list(kernel.to_list()[0]))
        vectors.append(list(step(vectors[-1])))
    raise ArithmeticError("no relation of a reasonable order")


def polynomial_of(f: Rational) -> Any:
    """The numerator of an element without a denominator in x, its constant denominator included."""
    if not f.denom.is_ground:
        raise ArithmeticError("the element is no polynomial")
    domain = f.field.domain
    return f.numer.mul_ground(domain.quo(domain.one, f.denom.LC))


def primitive(operator: Operator) -> Operator:
    """With coprime polynomial coefficients, of coprime integers where all are rational, without leading zeros."""
    while operator and operator[-1] == 0:
        operator = operator[:-1]
    whole = operator[-1].field
    common = reduce(lambda a, b: a.lcm(b), (f.denom for f in operator))
    polynomials = [polynomial_of(f * whole(common)) for f in operator]
    content = reduce(lambda a, b: a.gcd(b), polynomials)
    made = [polynomial_of(whole(p) / whole(content)) for p in polynomials]
    if whole.domain != QQ:
        inverse = whole.domain.quo(whole.domain.one, made[-1].LC)
        return [whole(p.mul_ground(inverse)) for p in made]
    numbers = [c for p in made for c in p.coeffs()]
    scale = QQ(sympy.ilcm(1, *(int(c.denominator) for c in numbers)), sympy.igcd(0, *(int(c.numerator) for c in numbers)))
    return [whole(p.mul_ground(scale)) for p in made]


def companion(operator: Operator) -> Callable[[Sequence[Rational]], list[Rational]]:
    """The map v -> v' on vectors over the basis f, f', ..., where the operator kills f."""
    order = len(operator) - 1
    top = [-p / operator[-1] for p in operator[:-1]]

    def step(v: Sequence[Rational]) -> list[Rational]:
        image = [derivative(entry) for entry in v]
        for i in range(1, order):
            image[i] = image[i] + v[i - 1]
        return [entry + v[-1] * top[i] for i, entry in enumerate(image)]

    return step


def product(first: Operator, second: Operator) -> Operator:
    """An operator that kills every product of a function killed by ``first`` and one killed by ``second``."""
    a, b = len(first) - 1, len(second) - 1
    tops = [[-p / operator[-1] for p in operator[:-1]] for operator in (first, second)]

    def step(v: Sequence[Rational]) -> list[Rational]:
        image = [derivative(entry) for entry in v]
        for i in range(a):
            for j in range(b):
                value = v[i * b + j]
                if i + 1 < a:
                    image[(i + 1) * b + j] += value
                else:
                    for k in range(a):
                        image[k * b + j] += value * tops[0][k]
                if j + 1 < b:
                    image[i * b + j + 1] += value
                else:
                    for k in range(b):
                        image[i * b + k] += value * tops[1][k]
        return image

    whole = first[-1].field
    return relation([whole.one] + [whole.zero] * (a * b - 1), step)


def lclm(operators: Sequence[Operator]) -> Operator:
    """The least common left multiple: it kills sums of functions killed by each."""
    steps, sizes = [companion(operator) for operator in operators], [len(operator) - 1 for operator in operators]

    def step(v: Sequence[Rational]) -> list[Rational]:
        image, start = [], 0
        for one, size in zip(steps, sizes, strict=True):
            image += one(v[start : start + size])
            start += size
        return image

    whole = operators[0][-1].field
    first = [entry for size in sizes for entry in ([whole.one] + [whole.zero] * (size - 1))]
    return relation(first, step)


def distributional_lclm(operators: Sequence[Operator]) -> Operator:
    """A common left multiple with polynomial cofactors: what kills distributions killed by the single ones."""
    whole = operators[0][-1].field
    least = lclm([operator for operator in operators if len(operator) > 1] or [[whole.zero, whole.one]])
    denominators = [f.denom for operator in operators for f in quotient(least, operator)]
    common = whole(reduce(lambda a, b: a.lcm(b), denominators))
    return [f * common for f in least]


def _derived(operator: Operator) -> Operator:
    """D * operator."""
    image = [derivative(entry) for entry in operator] + [operator[-1].field.zero]
    for j, entry in enumerate(operator):
        image[j + 1] += entry
    return image


def quotient(dividend: Operator, divisor: Operator) -> Operator:
    """A with dividend = A * divisor, which must be exact."""
    rest, found = list(dividend), [dividend[-1].field.zero] * (len(dividend) - len(divisor) + 1)
    powers = [list(divisor)]
    while len(powers) < len(found):
        powers.append(_derived(powers[-1]))
    for i in range(len(found) - 1, -1, -1):
        factor = rest[i + len(divisor) - 1] / powers[i][-1]
        found[i] = factor
        for j, entry in enumerate(powers[i]):
            rest[j] -= factor * entry
    if any(rest):
        raise ArithmeticError("the quotient of the operators is not exact")
    return found


def text(operator: Operator, letter: str = "D", variable: str = "x") -> str:
    """In plain text, lowest order first."""
    parts = []
    for j, f in enumerate(operator):
        if f == 0:
            continue
        coefficient = sympy.sstr(f.as_expr().subs(sympy.Symbol("x"), sympy.Symbol(variable)))
        power = "" if j == 0 else letter if j == 1 else f"{letter}**{j}"
        if not power:
            parts.append(coefficient)
        else:
            compound = " + " in coefficient or " - " in coefficient
            parts.append(power if coefficient == "1" else f"-{power}" if coefficient == "-1" else f"({coefficient})*{power}" if compound else f"{coefficient}*{power}")
    return " + ".join(parts).replace("+ -", "- ") or "0"


__all__ = ["FIELD", "ONE", "ZERO", "Operator", "X", "companion", "derivative", "distributional_lclm", "lclm", "polynomial_of", "primitive", "product", "quotient", "relation", "shifted", "text"]
