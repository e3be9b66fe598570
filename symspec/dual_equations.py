r"""From an activation to an equation of its dual, by algebra alone.

If :math:`\sigma` satisfies a linear differential equation with polynomial coefficients, all of the following are theorems with a proof by
construction (:mod:`symspec.holonomic` has the algebra and its sources):

1. **The equation of the activation**, in the sense of distributions. A step :math:`1[x>b]` times a smooth function s with
   :math:`Ls=0`, L of order r, gives :math:`(x-b)^rL(s\,1[x>b])=0`, because L leaves deltas of order below r at b.
2. **The recurrence of** :math:`c_n=E[\sigma(Z)He_n(Z)]`: :math:`c_n(f')=c_{n+1}(f)` and :math:`c_n(xf)=c_{n+1}(f)+n\,c_{n-1}(f)` turn x into
   :math:`S+nS^{-1}` and D into S, the shift.
3. **The recurrence of** :math:`b_n=c_n^2/n!`: the shifts of :math:`c_n^2` lie in the symmetric square of the space of those of c.
4. **The equation of the dual** :math:`\hat\sigma(\rho)=\sum b_n\rho^n`: with :math:`\theta=\rho\,d/d\rho`,
   :math:`\sum_nq(n)b_{n+k}\rho^{n+K}=\rho^{K-k}q(\theta-k)\hat\sigma` up to finitely many terms, which are the right-hand side.

The activation may be any text of the closed class, or a smooth one made of erf, arctan, exponentials, sines and cosines by
sums and products, :math:`\mathrm{erf}(x)^2` for one. Parameters are rational or from a field of :mod:`symspec.coefficient_fields`.
tanh and its like satisfy no such equation.

>>> found = dual_equation("relu")
>>> print(found)
activation   -1 + x*D kills sigma
coefficients (n - 1)*c(n) + c(n+2) = 0 for n >= 0, c(n) = E sigma(Z) He_n(Z)
dual         (-n**2 + 2*n - 1)*b(n) + (n**2 + 3*n + 2)*b(n+2) = 0 for n >= 0, dual = sum b(n) rho**n
equation     -1 + rho*D + (1 - rho**2)*D**2 maps the dual to 0
>>> found.holds(30)
True
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from math import gcd
from typing import Any

import sympy
from sympy import Expr, Symbol

from .activations import Activation, activation as as_activation
from .coefficient_fields import Numbers, adjoined, components
from .errors import ExpressionTooLarge, NoClosedForm
from .exact import is_zero
from .form import Form
from .holonomic import Operator, derivative, distributional_lclm, lclm, polynomial_of, primitive, product, relation, shifted, text
from .terms import Step, X as ARGUMENT

RHO_NAME = Symbol("rho", real=True)
MAX_ORDER = 4


@dataclass(frozen=True)
class Recurrence:
    """sum_k coefficients[k](n) s(n+k) = 0 for every n >= start; the coefficients are polynomials in n (the variable of the field)."""

    coefficients: tuple[Any, ...]
    start: int

    @property
    def order(self) -> int:
        return len(self.coefficients) - 1

    def at(self, n: int) -> list[tuple[Expr, int]]:
        """The pairs (coefficient, index) of the relation at n."""
        return [(_at(p, n), n + k) for k, p in enumerate(self.coefficients) if p != 0]

    def text(self, name: str) -> str:
        parts = []
        for k, p in enumerate(self.coefficients):
            if p != 0:
                index = "n" if k == 0 else f"n+{k}"
                factor = sympy.sstr(p.as_expr().subs(Symbol("x"), Symbol("n")))
                parts.append(f"{name}({index})" if factor == "1" else f"({factor})*{name}({index})")
        return f"{' + '.join(parts)} = 0 for n >= {self.start}"

    def latex(self, name: str) -> str:
        parts = []
        for k, p in enumerate(self.coefficients):
            if p != 0:
                factor = sympy.latex(sympy.factor(p.as_expr().subs(Symbol("x"), Symbol("n"))))
                index = "n" if k == 0 else f"n+{k}"
                parts.append(rf"\left({factor}\right){name}_{{{index}}}")
        return rf"{'+'.join(parts)}=0,\quad n\ge{self.start}"


@dataclass(frozen=True)
class DualEquation:
    """The chain of the module docstring for one activation.

    ``activation_equation`` and ``equation`` are operators (lists of rational functions in x and in rho, lowest order first);
    ``right_side`` maps powers of rho to linear forms in the first b_n (index -> factor), so that
    equation(dual) = sum over powers p of rho^p * form_p.
    """

    activation: Activation
    activation_equation: tuple[Any, ...]
    recurrence: Recurrence
    squared_recurrence: Recurrence
    equation: tuple[Any, ...]
    right_side: dict[int, dict[int, Expr]]

    @cached_property
    def initial(self) -> tuple[Expr, ...] | None:
        """The exact b_0, b_1, ... that the right side and the recurrence need, None where no closed form of them is known."""
        count = max([self.squared_recurrence.start + self.squared_recurrence.order, *(m + 1 for form in self.right_side.values() for m in form)], default=1)
        try:
            return tuple(sympy.expand(self.activation.hermite_coefficient(n) ** 2) for n in range(count))
        except NoClosedForm:
            return None

    @cached_property
    def closed_form(self) -> Expr | None:
        """The dual as the engine integrates it, a solution by Mehler's formula; None where it has no closed form."""
        from .strip_functions import SeriesDual

        try:
            value = self.activation.dual(RHO_NAME)
        except NoClosedForm:
            return None
        return None if value.has(SeriesDual) else value

    @cached_property
    def singular_points(self) -> tuple[Expr, ...]:
        """Where the leading coefficient of the equation vanishes: the dual can be singular nowhere else."""
        leading = self.equation[-1].numer.as_expr()
        return tuple(sorted(sympy.roots(sympy.Poly(leading, Symbol("x"))), key=sympy.default_sort_key))

    def holds(self, top: int) -> bool:
        """Whether the recurrences hold for the exact Hermite coefficients up to degree ``top``; NoClosedForm where these are not exact."""
        a = [self.activation.hermite_coefficient(n) for n in range(top + 1)]
        c = [value * sympy.sqrt(sympy.factorial(n)) for n, value in enumerate(a)]
        b = [sympy.expand(value**2) for value in a]
        return all(
            is_zero(sympy.expand(sympy.Add(*(factor * values[index] for factor, index in recurrence.at(n)))))
            for recurrence, values in ((self.recurrence, c), (self.squared_recurrence, b))
            for n in range(recurrence.start, top + 1 - recurrence.order)
        )

    def latex(self) -> str:
        """All four equations."""
        rows = [
            rf"&{_operator_latex(self.activation_equation, 'x')}\,\sigma=0",
            rf"&{self.recurrence.latex('c')}",
            rf"&{self.squared_recurrence.latex('b')}",
            rf"&{_operator_latex(self.equation, chr(92) + 'rho')}\,\hat\sigma={self._right_latex()}",
        ]
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def _right_latex(self) -> str:
        parts = []
        for power, form in sorted(self.right_side.items()):
            inner = "+".join(rf"{sympy.latex(factor)}\,b_{{{m}}}" for m, factor in sorted(form.items()))
            parts.append(rf"\left({inner}\right)\rho^{{{power}}}".replace("+-", "-"))
        return "+".join(parts) or "0"

    def _right_text(self) -> str:
        parts = [f"({' + '.join(f'{factor}*b({m})' for m, factor in sorted(form.items()))})*rho**{power}" for power, form in sorted(self.right_side.items())]
        return " + ".join(parts).replace("+ -", "- ") or "0"

    def __str__(self) -> str:
        lines = [
            f"activation   {text(list(self.activation_equation))} kills sigma",
            f"coefficients {self.recurrence.text('c')}, c(n) = E sigma(Z) He_n(Z)",
            f"dual         {self.squared_recurrence.text('b')}, dual = sum b(n) rho**n",
            f"equation     {text(list(self.equation), 'D', 'rho')} maps the dual to {self._right_text()}",
        ]
        return "\n".join(lines)


def dual_equation(activation: Any) -> DualEquation:
    """The equations of an activation and of its dual. NoClosedForm where the activation is not seen to be D-finite over a supported field."""
    sigma = as_activation(activation)
    first = activation_equation(sigma)
    recurrence = hermite_recurrence(first)
    squared = squared_recurrence(recurrence)
    equation, right = _equation(squared)
    return DualEquation(sigma, tuple(first), recurrence, squared, tuple(equation), right)


# 1. the activation


def activation_equation(sigma: Activation) -> Operator:
    """An operator with polynomial coefficients that kills the activation as a distribution."""
    return adjoined(lambda numbers: _activation_equation(sigma, numbers))


def _activation_equation(sigma: Activation, numbers: Numbers) -> Operator:
    form = sigma.form
    if not isinstance(form, Form):
        return smooth_equation(form.expr, numbers)
    smooth = sympy.Add(*(term.as_expr() for term in form.terms if not isinstance(term.gate, Step)))
    steps: dict[Expr, Expr] = {}
    for term in form.terms:
        if isinstance(term.gate, Step):
            steps[term.gate.b] = steps.get(term.gate.b, sympy.S.Zero) + term.smooth_value(ARGUMENT)
    found = [smooth_equation(smooth, numbers)] if smooth != 0 else []
    for b, value in steps.items():
        operator = smooth_equation(value, numbers)
        factor = (numbers.x - numbers.of(b)) ** _delta_order(operator, value, b)
        found.append([factor * p for p in operator])
    if not found:
        raise NoClosedForm("the zero activation needs no equation")
    return found[0] if len(found) == 1 else distributional_lclm(found)


def _delta_order(operator: Operator, smooth: Expr, b: Expr) -> int:
    """The power of x - b that kills the deltas which the operator leaves of smooth * 1[x > b].

    The derivative of order j adds the deltas of order m < j with the factors smooth^(j-1-m)(b), and
    p delta^(m) = sum_i (-1)^i C(m,i) p^(i)(b) delta^(m-i).
    """
    values = [sympy.diff(smooth, ARGUMENT, i).subs(ARGUMENT, b) for i in range(len(operator))]
    weights: dict[int, Expr] = {}
    for j, p in enumerate(operator):
        written = p.as_expr()
        for m in range(j):
            for i in range(m + 1):
                slope = sympy.diff(written, Symbol("x"), i).subs(Symbol("x"), b)
                weights[m - i] = weights.get(m - i, sympy.S.Zero) + (-1) ** i * sympy.binomial(m, i) * slope * values[j - 1 - m]
    return 1 + max([-1, *(m for m, weight in weights.items() if not is_zero(sympy.expand(weight)))])


def smooth_equation(expr: Expr, numbers: Numbers) -> Operator:
    """An operator with polynomial coefficients that kills a smooth expression in x."""
    expr = sympy.expand(expr.rewrite(sympy.exp) if expr.has(sympy.sinh, sympy.cosh) else expr)
    terms = [term.as_independent(ARGUMENT)[1] for term in sympy.Add.make_args(expr)]
    return lclm([_product_equation(term, numbers) for term in dict.fromkeys(terms)])


def _product_equation(term: Expr, numbers: Numbers) -> Operator:
    return reduce(product, [_factor_equation(factor, numbers) for factor in sympy.Mul.make_args(term)])


def _factor_equation(factor: Expr, numbers: Numbers) -> Operator:
    zero, one = numbers.functions.zero, numbers.functions.one
    if not factor.has(ARGUMENT):
        return [zero, one]
    if factor.is_polynomial(ARGUMENT):
        p = _polynomial(factor, numbers)
        return primitive([-derivative(p), p])
    base, exponent = factor.as_base_exp()
    if isinstance(factor, sympy.exp):
        return primitive([-_polynomial(sympy.diff(factor.args[0], ARGUMENT), numbers), one])
    if exponent.is_Rational and base.is_polynomial(ARGUMENT):
        p = _polynomial(base, numbers)
        return primitive([-numbers.of(exponent) * derivative(p), p])
    if exponent.is_Integer and exponent > 1:
        return reduce(product, [_factor_equation(base, numbers)] * int(exponent))
    argument = factor.args[0] if factor.args else sympy.S.Zero
    if isinstance(factor, (sympy.sin, sympy.cos)) and sympy.diff(argument, ARGUMENT, 2) == 0:
        return [numbers.functions(numbers.of(sympy.diff(argument, ARGUMENT) ** 2)), zero, one]
    if isinstance(factor, sympy.erf) and sympy.diff(argument, ARGUMENT, 2) == 0:
        return [zero, _polynomial(sympy.diff(argument**2, ARGUMENT), numbers), one]
    if isinstance(factor, sympy.atan):
        inner = _polynomial(argument, numbers)
        slope = derivative(inner)
        if derivative(slope) != 0:
            raise NoClosedForm(f"{factor}: the argument of atan must be linear here")
        return primitive([zero, 2 * inner * slope, 1 + inner**2])
    raise NoClosedForm(f"{factor} is not seen to satisfy a linear differential equation with polynomial coefficients (erf, atan, exp, sin, cos, powers and their sums and products do; tanh does not)")


def _polynomial(expr: Expr, numbers: Numbers) -> Any:
    poly = sympy.Poly(sympy.expand(expr), ARGUMENT)
    return sum((numbers.of(c) * numbers.x**power for (power,), c in poly.terms()), numbers.functions.zero)


# 2. to 4.


def hermite_recurrence(operator: Operator) -> Recurrence:
    """The recurrence of c_n from an operator that kills sigma as a distribution."""
    whole, total = operator[-1].field, dict[int, Any]()
    x, zero = whole.gens[0], whole.zero
    for j, coefficient in enumerate(operator):
        for (power,), value in polynomial_of(coefficient).terms():
            image = {j: whole.one}
            for _ in range(power):
                moved: dict[int, Any] = {}
                for k, r in image.items():
                    moved[k + 1] = moved.get(k + 1, zero) + shifted(r)
                    moved[k - 1] = moved.get(k - 1, zero) + x * shifted(r, -1)
                image = moved
            for k, r in image.items():
                total[k] = total.get(k, zero) + value * r
    known = {k: r for k, r in total.items() if r != 0}
    low = min(known)
    # The relation holds from n = 0 on, negative indices having the factor 0; it is moved so that the least shift is 0.
    coefficients = [shifted(known.get(k, zero), -low) for k in range(low, max(known) + 1)]
    return _reduced(coefficients, max(0, low))


def _reduced(coefficients: list[Any], start: int) -> Recurrence:
    """Without the common factor, from behind its non-negative integer zeros on."""
    least = primitive(coefficients)
    index = next(i for i, p in enumerate(coefficients) if p != 0)
    content = coefficients[index] / least[index]
    return Recurrence(tuple(least), max(start, _last_zero(content) + 1))


def _last_zero(polynomial: Any) -> int:
    """The largest integer zero >= 0, or -1."""
    poly = reduce(sympy.gcd, components(polynomial.numer))
    zeros = poly.ground_roots() if poly.degree() > 0 else []
    return max([-1, *(int(z) for z in zeros if z.is_Integer and z >= 0)])


def squared_recurrence(recurrence: Recurrence) -> Recurrence:
    """The recurrence of b_n = c_n^2/n!. ExpressionTooLarge where that of c_n has too many terms."""
    # Where only every g-th index occurs, the shift by g is the elementary one.
    gap = gcd(*(k for k, p in enumerate(recurrence.coefficients) if p != 0 and k)) or 1
    terms = recurrence.coefficients[::gap]
    r = len(terms) - 1
    if r > MAX_ORDER:
        raise ExpressionTooLarge(f"the Hermite coefficients have a recurrence of order {r}; the squares of those up to order {MAX_ORDER} are followed")
    whole = terms[-1].field
    zero, one, x = whole.zero, whole.one, whole.gens[0]
    top = [-p / terms[-1] for p in terms[:-1]]
    start = max(recurrence.start, _last_zero(terms[-1]) + 1)
    pairs = [(i, j) for i in range(r) for j in range(i, r)]
    place = {pair: index for index, pair in enumerate(pairs)}

    def image_of(i: int) -> dict[int, Any]:
        """c_(n+gap(1+i)) in the basis c_n, ..., c_(n+gap(r-1))."""
        return {i + 1: one} if i + 1 < r else {k: top[k] for k in range(r) if top[k] != 0}

    def step(v: Any) -> list[Any]:
        image = [zero] * len(pairs)
        for (i, j), entry in zip(pairs, v, strict=True):
            if entry != 0:
                moved = shifted(entry, gap)
                for k, a in image_of(i).items():
                    for l, b in image_of(j).items():
                        image[place[min(k, l), max(k, l)]] += moved * a * b
        return image

    found = relation([one] + [zero] * (len(pairs) - 1), step) if r else [one]
    weighted: list[Any] = [zero] * (gap * (len(found) - 1) + 1)
    for k, q in enumerate(found):
        # c_m^2 = m! b_m, and (n+m)!/n! = (n+1)...(n+m).
        weighted[gap * k] = reduce(lambda a, m: a * (x + m), range(1, gap * k + 1), q)
    low = next(i for i, q in enumerate(weighted) if q != 0)
    return _reduced([shifted(q, -low) for q in weighted[low:]], start + low)


def _equation(recurrence: Recurrence) -> tuple[Operator, dict[int, dict[int, Expr]]]:
    """The operator in rho and the right-hand side, from the recurrence of b."""
    whole = next(p for p in recurrence.coefficients if p != 0).field
    x, K = whole.gens[0], recurrence.order
    theta = [whole.zero] * (1 + max(p.numer.degree() for p in recurrence.coefficients if p != 0))
    for k, p in enumerate(recurrence.coefficients):
        for (power,), value in (polynomial_of(shifted(p, -k)).terms() if p != 0 else []):
            theta[power] += value * x ** (K - k)
    operator = [whole.zero] * len(theta)
    for power, coefficient in enumerate(theta):
        for i in range(power + 1):
            operator[i] += coefficient * int(sympy.functions.combinatorial.numbers.stirling(power, i)) * x**i
    right: dict[int, dict[int, Expr]] = {}
    for n in range(-K, recurrence.start):
        form = {n + k: value for k, p in enumerate(recurrence.coefficients) if n + k >= 0 and p != 0 and (value := _at(p, n)) != 0}
        if form:
            right[n + K] = form
    return _divided(operator, right)


def _divided(operator: Operator, right: dict[int, dict[int, Expr]]) -> tuple[Operator, dict[int, dict[int, Expr]]]:
    """Both sides by the power of rho that they share."""
    powers = [min(power for (power,), _ in p.numer.terms()) for p in operator if p != 0] + list(right)
    low = min(powers)
    return [p / p.field.gens[0] ** low for p in operator], {power - low: form for power, form in right.items()}


def _at(polynomial: Any, n: int) -> Expr:
    domain = polynomial.field.domain
    top, bottom = (sum((c * domain(n**power) for (power,), c in part.terms()), domain.zero) for part in (polynomial.numer, polynomial.denom))
    found: Expr = domain.to_sympy(domain.quo(top, bottom))
    return found


def _operator_latex(operator: Any, variable: str) -> str:
    parts = []
    for j, p in enumerate(operator):
        if p != 0:
            factor = sympy.latex(sympy.factor(p.as_expr())).replace("x", variable)
            parts.append(rf"\left({factor}\right)" + ("" if j == 0 else "D" if j == 1 else f"D^{{{j}}}"))
    return rf"\Bigl[{'+'.join(parts)}\Bigr]"


__all__ = ["DualEquation", "Recurrence", "activation_equation", "dual_equation", "hermite_recurrence", "smooth_equation", "squared_recurrence"]
