r"""Stretched exponential decay: the law of kernels whose activation has complex singularities off the real line.

**Hermite coefficients.** Let a be the height of the nearest singularities of :math:`\sigma(\sqrt q\,\cdot)`, that is the distance
of the singularities of :math:`\sigma` from the real line divided by :math:`\sqrt q`. Hille's theorem (Trans. AMS 47, 1940: a
Hermite series represents a function in exactly the strip of its analyticity and growth below the Gaussian) says

.. math:: \limsup_{n\to\infty}\frac{\log|a_n(q)|}{\sqrt n}=-a .

**Eigenvalues.** On :math:`S^{d-1}`, :math:`\mu_k=\sum_nb_n\,\mu_k(t^n)` and, uniformly for :math:`n\ge k`, :math:`\log\mu_k(t^n)=-\frac{k^2}{2n}(1+o(1))+O(\log k)` where n/k
grows, because :math:`\mu_{j+2}(t^n)/\mu_j(t^n)=(n-j)/(n+j+d)`. With :math:`b_n=a_n^2` the least value of
:math:`2a\sqrt n+k^2/(2n)` is at :math:`n=(k^2/2a)^{2/3}`, hence

.. math:: \limsup_{k\to\infty}\frac{\log\mu_k}{k^{2/3}}=-\tfrac32(2a)^{2/3} .

**Deep networks.** Layer l sees the covariance :math:`K_{l-1}(\rho)=\sum c_j\rho^j`. The coefficient of :math:`\rho^n` in
:math:`\sum_mv_mK_{l-1}^m`, :math:`v_m=e^{-B\sqrt m}`, is :math:`\sum_mv_mP(S_m=n)` for sums of m independent variables with law proportional to :math:`c_j`. Either m is
about n over their mean, which costs :math:`B\sqrt{n/\text{mean}}`, or one variable is about n, which costs what a single
layer below costs; a mixture costs more, the square root being concave (Nagaev 1969 on large deviations of
such sums). So the layer with the largest slope :math:`D=\max_l\frac{d}{d\rho}K_{l-1}(1)` decides, with
:math:`a=y/\sqrt D`, y the height of the singularities of :math:`\sigma` itself. This is a derivation on the
logarithmic scale, not a proof.

>>> import symspec as ss
>>> law = ss.decay(ss.mlp(ss.tanh, 1).ck, ss.Sphere(3))
>>> law.kind, law.stretch.height, law.stretch_constant
('stretched', pi/2, 3*pi**(2/3)/2)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy
from sympy import Expr, I, Rational, S, Symbol, oo, pi, sech, sqrt, tanh

from .errors import NoClosedForm
from .kernel import Kernel
from .program import RHO
from .strip import LIMITS, expanded, quadratic_height, reach, strip_width
from .strip_functions import SeriesDual, softplus
from .terms import X

DIGITS = 30
TINY = Rational(1, 10**12)
# A point off every real and imaginary line, at which coefficients are told from 0.
PROBE = Rational(31, 100) + I * Rational(17, 100)
PROVED, DERIVED = "proved", "derived"


@dataclass(frozen=True)
class Height:
    """Distance of the nearest singularities from the real line: exact, or a lower bound of it."""

    value: Expr
    is_exact: bool
    within_strip: bool = True


@dataclass(frozen=True)
class Stretch:
    """The data of a stretched exponential law: a = height/sqrt(D), D the largest of ``slopes``.

    ``names`` defines the variances that the slopes are written with. ``status`` is "proved" or "derived". Where the law is
    not ``attained`` its height is a lower bound, and the limit superior is at most what the law says.
    """

    height: Expr
    slopes: tuple[Expr, ...]
    status: str
    attained: bool = True
    names: dict[Symbol, Expr] = field(default_factory=dict)

    @property
    def coefficient_rate(self) -> Expr:
        """2a in b_n = e^(-2a sqrt(n) + o(sqrt(n))); oo for entire activations."""
        return 2 * self.height / sqrt(sympy.Max(*self.slopes, evaluate=len(self.slopes) == 1)) if self.height != oo else oo

    @property
    def constant(self) -> Expr:
        """c in log mu_k ~ -c k^(2/3)."""
        return oo if self.height == oo else Rational(3, 2) * self.coefficient_rate ** Rational(2, 3)


def stretch_of(kernel: Kernel) -> Stretch:
    """The law of a kernel of one correlation whose program holds duals given by their series."""
    duals = kernel.program.pruned().series_duals
    heights = [singular_height(item.args[0].function) for item in duals]
    least = min((h.value for h in heights), key=lambda value: value if value != oo else S(10**9))
    nearest = [h for h in heights if h.value == least]
    slopes, names = _slopes(kernel)
    # One layer without a bias: its coefficients are those of the kernel.
    single = len(slopes) == 1 and all(item.args[4].xreplace({RHO: S.Zero}) == 0 for item in duals if item.args[4].free_symbols)
    proved = single and all(h.within_strip for h in nearest)
    return Stretch(least, slopes, PROVED if proved else DERIVED, all(h.is_exact for h in nearest), names)


def _slopes(kernel: Kernel) -> tuple[tuple[Expr, ...], dict[Symbol, Expr]]:
    """d/d rho at rho = 1 of the covariances that enter the duals, in named variances."""
    program = kernel.program.pruned()
    values: dict[Expr, Expr] = {RHO: S.One}
    slopes: dict[Expr, Expr] = {RHO: S.One}
    names: dict[Symbol, Expr] = {}
    found: dict[Expr, None] = {}

    def slope(expr: Expr) -> Expr:
        moving = [s for s in expr.free_symbols if s in slopes]
        return sympy.Add(*(sympy.diff(expr, s).xreplace(values) * slopes[s] for s in moving))

    for symbol, expr in (*((line.symbol, line.expr) for line in program.lines), (None, program.output)):
        for item in sorted(expr.atoms(SeriesDual), key=str):
            if (rate := slope(item.args[4])) != 0:
                found[rate] = None
        if symbol is None:
            continue
        if not any(s in slopes for s in expr.free_symbols):
            names[symbol] = expr
            continue
        if symbol.name[0] not in "tad":
            at_one = expr.xreplace(values)
            known = next((name for name, value in names.items() if sympy.expand(value - at_one) == 0), None)
            slopes[symbol], values[symbol] = slope(expr), at_one if known is None else known
    used = set().union(*(rate.free_symbols for rate in found)) if found else set()
    for name in reversed(list(names)):
        if name in used:
            used |= names[name].free_symbols
    return tuple(found), {name: value for name, value in names.items() if name in used}


def singular_height(expr: Expr) -> Height:
    """How far the singularities of an activation are from the real line.

    Candidates are where one node of the expression is singular; that the whole is singular there is shown by
    a pole whose leading coefficient is not 0, or by the monodromy of a logarithm or a root. Where
    neither is shown the strip of analyticity is a lower bound.
    """
    expr = expanded(expr)
    width = strip_width(expr)
    if width == oo:
        return Height(oo, is_exact=True)
    nodes = _outermost(expr)
    heights = {node: _node_height(node) for node in nodes}
    if any(value is None for value in heights.values()):
        return Height(width, is_exact=False)
    known = {node: value for node, value in heights.items() if value is not None}
    least = sympy.Min(*(height for height, _ in known.values()))
    for node, (height, place) in known.items():
        if sympy.simplify(height - least) == 0 and _is_singular(expr, node, place, known):
            return Height(least, is_exact=True, within_strip=bool(sympy.simplify(least - width) == 0))
    return Height(width, is_exact=False)


def _outermost(expr: Expr) -> list[Expr]:
    """Singular nodes that no other function holds, and functions of singular arguments."""
    found: dict[Expr, None] = {}

    def visit(node: Expr) -> None:
        if node.has(X) and (node.func in LIMITS or _is_root(node) or (isinstance(node, sympy.Function) and strip_width(node) != oo)):
            found[node] = None
        elif isinstance(node, sympy.Function):
            return
        else:
            for part in node.args:
                visit(part)

    visit(expr)
    return list(found)


def _is_root(node: Expr) -> bool:
    return node.is_Pow and node.has(X) and not (node.exp.is_Integer and node.exp > 0)


Place = tuple[Expr, Expr]


def _node_height(node: Expr) -> Place | None:
    """(height, location) of the nearest singularity of a node, None where it is not located."""
    if _is_root(node):
        height = quadratic_height(node.base)
        a, b, _ = sympy.Poly(node.base, X).all_coeffs()
        return None if height is None else (height, -b / (2 * a) + I * height)
    if node.func not in LIMITS:
        return None
    inner, limit = node.args[0], LIMITS[node.func]
    if inner.is_polynomial(X):
        a, b = sympy.Poly(inner, X).all_coeffs()
        height = reach(inner, limit)
        return height, (I * limit - b) / a
    return _through_softplus(inner, limit) if isinstance(node, (tanh, sech)) else None


def _through_softplus(inner: Expr, limit: Expr) -> Place | None:
    """Where c softplus(ax + b) + d first is i limit (odd multiples of it too), below the branch points of softplus."""
    d, rest = inner.as_independent(X, as_Add=True)
    c, core = rest.as_independent(X, as_Add=False)
    if not isinstance(core, softplus) or not core.args[0].is_polynomial(X):
        return None
    a, b = sympy.Poly(core.args[0], X).all_coeffs()
    places = []
    multiple = 1
    while bool(limit * multiple / abs(c) < pi):
        # softplus(l) = v with |Im v| < pi means e^l = e^v - 1.
        point = (sympy.log(sympy.expand(sympy.exp((I * limit * multiple - d) / c), complex=True) - 1) - b) / a
        places.append((abs(sympy.im(point)), point))
        multiple += 2
    return min(places, key=lambda item: item[0].evalf(DIGITS)) if places else None


def _is_singular(expr: Expr, node: Expr, place: Expr, known: dict[Expr, Place]) -> bool:
    """Whether the expression is singular at the place, a singularity of the node."""
    family = {node, *(other for other in known if other.func in (tanh, sech) and node.func in (tanh, sech) and other.args == node.args)}
    if _is_root(node):
        family |= {other for other in known if _is_root(other) and other.base == node.base}
    others = [other for other in known if other not in family and _meet(known[other][1], place)]
    logarithmic = isinstance(node, (softplus, sympy.atan))
    if any(isinstance(other, (softplus, sympy.atan)) or _is_fractional(other) for other in others) or (others and not logarithmic):
        return False
    if logarithmic:
        return _leading_in(expr, node)
    return _branches(expr, family) if _is_fractional(node) else _has_pole(expr, node, place)


def _is_fractional(node: Expr) -> bool:
    return _is_root(node) and not node.exp.is_Integer


def _meet(first: Expr, second: Expr) -> bool:
    """Whether two singular points may be one (conjugates count too)."""
    return any(abs((first - other).evalf(DIGITS)) < TINY for other in (second, sympy.conjugate(second)))


def _leading_in(expr: Expr, node: Expr) -> bool:
    """Whether the expression is a polynomial in the logarithm with a leading coefficient that is not 0."""
    L = sympy.Dummy("L")
    poly = sympy.Poly(expr.xreplace({node: L}), L)
    return poly.degree() >= 1 and differs_from_zero(poly.LC(), PROBE)


def _branches(expr: Expr, family: set[Expr]) -> bool:
    """Whether the terms with fractional powers of one polynomial, all of one class modulo 1, do not add to 0."""
    terms = [term for term in sympy.Add.make_args(expr) if any(_is_fractional(part) and part in family for part in sympy.preorder_traversal(term))]
    classes = {sum((part.exp for part in sympy.Mul.make_args(term) if part in family), S.Zero) % 1 for term in terms}
    return len(classes) == 1 and classes != {S.Zero} and differs_from_zero(sympy.Add(*terms), PROBE)


def _has_pole(expr: Expr, node: Expr, place: Expr) -> bool:
    """Whether the highest power of 1/w at the place has a coefficient that is not 0."""
    t, s = sympy.Dummy("t"), sympy.Dummy("s")
    if _is_root(node):
        numerator = expr.replace(lambda e: e.is_Pow and e.base == node.base and e.exp.is_Integer and e.exp < 0, lambda e: t ** (-e.exp))
        poly = sympy.Poly(numerator, t)
        return poly.degree() >= 1 and differs_from_zero(poly.LC(), place)
    u = node.args[0]
    poly = sympy.Poly(expr.xreplace({tanh(u): t, sech(u): s}), t, s)
    order = max(i + j for i, j in poly.monoms())
    # With u = i pi/2 + w: tanh u = coth w ~ 1/w, sech u = 1/(i sinh w) ~ -i/w.
    leading = sympy.Add(*(value * (-I) ** j for (i, j), value in poly.terms() if i + j == order))
    return order >= 1 and differs_from_zero(leading, place)


def differs_from_zero(value: Expr, place: Expr) -> bool:
    """By its digits; False also where they do not tell."""
    try:
        return bool(abs(value.subs(X, place).evalf(DIGITS)) > TINY)
    except (TypeError, ValueError, NoClosedForm):
        return False


__all__ = ["DERIVED", "PROVED", "Height", "Stretch", "differs_from_zero", "singular_height", "stretch_of"]
