r"""Decay laws at symbolic depth, proved by induction over the layers.

For an activation of degree one with bend g (:mod:`symspec.one_homogeneous`; ReLU has g = 1) let
:math:`\Sigma^{\ell+1}=\kappa_h(\Sigma^\ell)`, :math:`\Sigma^0=\rho`, with h = g for dense networks and
:math:`h=\beta g`, :math:`\beta=\alpha^2/(1+\alpha^2)`, for residual ones. With :math:`c=\sqrt2/\pi`,
:math:`c_3=2\sqrt2/(3\pi)` and u = 1 - rho or 1 + rho, for every depth :math:`\ell\ge1` (hidden layers):

=============  ==========================================================  =================================================
kernel         at rho = 1                                                  at rho = -1
=============  ==========================================================  =================================================
CK             :math:`1-u+\ell hc_3u^{3/2}+O(u^2)`                         :math:`b_\ell+(1-h)p_\ell u+hc_3p_\ell u^{3/2}+O(u^2)`
NTK, dense     :math:`(\ell+1)-\tfrac{\ell(\ell+1)}2gcu^{1/2}+O(u)`        :math:`t_\ell-gcp_\ell u^{1/2}+O(u)`
layer 1        :math:`1-\ell gcu^{1/2}+O(u)`                               :math:`(g-1)p_\ell-gcp_\ell u^{1/2}+O(u)`
layer l        :math:`1-(\ell+1-l)gcu^{1/2}+O(u)`, 2 <= l <= ell           :math:`b_{l-1}p_\ell/p_{l-1}+O(u)`
NTK, residual  :math:`1-\tfrac{g+(\ell-1)h}2cu^{1/2}+O(u)`                 :math:`t_\ell/(2\ell)-\tfrac{g}{2\ell}cp_\ell u^{1/2}+O(u)`
=============  ==========================================================  =================================================

with :math:`b_1=h-1`, :math:`b_{s+1}=\kappa_h(b_s)`, :math:`p_\ell=\prod_{s=1}^{\ell-1}\kappa_h'(b_s)` and t a
sequence of constants. Layer ell + 1 is the CK. Bietti and Bach (2021) have the rates of the dense
kernels, Belfer, Geifman, Galun and Basri (2104.03093) that of the residual one. The table is a *claim*
(:mod:`symspec.depth_claims`):
:func:`depth_law` has it checked, base and step, by :mod:`symspec.induction`, and derives the decay law

.. math:: \mu_k\sim[a_++(-1)^ka_-]\,C(d,\nu)\,k^{-d-2\nu+1}

from the first half-integer exponents, with :math:`\ell`, d and :math:`p_\ell` as symbols. Since
:math:`0<p_\ell\le1`, with equality at :math:`\ell=1` only, neither constant vanishes from depth 2 on.

>>> law = depth_law("relu", "ntk")
>>> law.exponent, law.constant("even")
(d, 2**d*(ell**2 + ell + 2*p_ell)*gamma(d/2)**2/(8*pi**2))
>>> len(law.inductions[0].comparisons), law.at(2).constant("odd").subs(D, 3)
(12, 5/(4*pi))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, Rational, S, Symbol

from .decay_law import PARITIES
from .depth_claims import C1, C3, FIRST, LATER, LAYER, SIGMA, THETA, G, H, P, claimed, correlation_problems, part_problems, residual_problems, tangent_problems
from .domain import Sphere, require_sphere
from .errors import ExpressionTooLarge, InputError
from .exact import as_expr, exact, natural
from .gegenbauer import asymptotic_factor
from .induction import INDEX, Induction, prove
from .layers import MAX_NETWORK_DEPTH
from .one_homogeneous import Identity, Unit, branch_share, identities, kappa, kappa_slope, unit
from .singularity import Series

D = Symbol("d", integer=True, positive=True)
KINDS = ("ck", "ntk", "layer")
# b_s holds three copies of b_(s-1); beyond this depth constants stay in terms of the names.
WRITTEN_DEPTH = 8


@dataclass(frozen=True)
class LawAtDepth:
    """The law of one depth, exact: mu_k ~ constant(parity) k^-exponent."""

    depth: int
    exponent: Expr
    named: Mapping[str, Expr]
    names: Mapping[Symbol, Expr]

    def constant(self, parity: str) -> Expr:
        """The constant written out; 0 where those degrees decay faster or vanish.

        ExpressionTooLarge for deep networks, whose constants :attr:`named` and :attr:`names` give.
        """
        if parity not in PARITIES:
            raise InputError(f"parity is 'even' or 'odd', not {parity!r}")
        return self.written_out(self.named[parity])

    def written_out(self, expr: Expr) -> Expr:
        """Replace every name by its definition."""
        if self.depth > WRITTEN_DEPTH and expr.free_symbols & set(self.names):
            raise ExpressionTooLarge(f"constants are written out to depth {WRITTEN_DEPTH}; .named and .names give them by their recursion")
        for symbol in reversed(list(self.names)):
            expr = expr.xreplace({symbol: self.names[symbol]})
        return expr


@dataclass(frozen=True)
class DepthLaw:
    """The decay law of one kernel at symbolic depth, with the inductions that prove it.

    ``near`` and ``far`` are the expansions at rho = 1 and -1 in sqrt(u), with coefficients in
    :attr:`depth`, :attr:`p` and the constants of :mod:`symspec.depth_laws`.
    """

    unit: Unit
    alpha: Expr | None
    kind: str
    layer: Expr | None
    domain: Sphere
    near: Series
    far: Series
    inductions: tuple[Induction, ...]
    identities: tuple[Identity, ...]

    @property
    def depth(self) -> Symbol:
        """The symbol ell: the number of hidden layers, or of residual blocks."""
        return INDEX

    @property
    def p(self) -> Symbol:
        """The symbol p_ell of the product over the layers at the far end; :meth:`at` writes it out."""
        return P

    @property
    def bend(self) -> Expr:
        """g, of the activation."""
        return self.unit.bend

    @property
    def mixed_bend(self) -> Expr:
        """h, of one layer: g, or g alpha^2/(1 + alpha^2)."""
        return _mixed(self.unit, self.alpha)

    @cached_property
    def power(self) -> int:
        """Twice nu: the first odd power of sqrt(u) at rho = 1."""
        return min(j for j in self.near.terms if j % 2)

    @property
    def exponent(self) -> Expr:
        """e in mu_k ~ C k^-e."""
        return as_expr(self.domain.d) + self.power - 1

    def constant(self, parity: str) -> Expr:
        """C in mu_k ~ C k^-e along degrees of one parity, in ell, p_ell and d."""
        if parity not in PARITIES:
            raise InputError(f"parity is 'even' or 'odd', not {parity!r}")
        near, far = self.bracket
        return sympy.factor_terms(sympy.factor(near + far if parity == "even" else near - far) * self.unit_constant)

    @cached_property
    def unit_constant(self) -> Expr:
        """What the bracket N + (-1)^k F of :attr:`bracket` is multiplied by."""
        scale = self._scale * asymptotic_factor(self.domain.d, Rational(self.power, 2))
        return sympy.factor_terms(sympy.powsimp(sympy.expand_func(scale)))

    @cached_property
    def bracket(self) -> tuple[Expr, Expr]:
        """(N, F) with constant = [N + (-1)^k F] unit_constant."""
        near, far = (sympy.factor(item.coefficient(self.power) / self._scale) for item in (self.near, self.far))
        return near, far

    @property
    def _scale(self) -> Expr:
        if self.kind == "ck":
            return self.mixed_bend * C3
        return -self.bend * C1 if self.alpha is None else -self.bend * C1 / (2 * INDEX)

    def at(self, depth: Any) -> LawAtDepth:
        """The law of one depth >= 1, with p written in the b_s, and these by their recursion.

        Raises InputError for a depth below 1 or below the layer, or a layer that is still a symbol.
        """
        number = natural(depth, "depth", 1)
        if number > MAX_NETWORK_DEPTH:
            raise InputError(f"depth {number} is above {MAX_NETWORK_DEPTH}")
        if self.layer == LAYER:
            raise InputError("the layer is a symbol; give its number to depth_law, as in depth_law('relu', 'layer', layer=2)")
        if self.layer is not None and self.layer > number:
            raise InputError(f"at depth {number} the layers 1 to {number} follow this law and layer {number + 1} is the conjugate kernel; layer {self.layer} is not there")
        product, names = far_product(self.mixed_bend, number)
        named = {parity: sympy.factor_terms(self.constant(parity).subs({INDEX: number, P: product}, simultaneous=True)) for parity in PARITIES}
        return LawAtDepth(number, self.exponent, named, names)

    def recheck(self) -> None:
        """Derive and compare everything again; Refuted if anything fails."""
        for item in self.inductions:
            item.recheck()
        for identity in self.identities:
            identity.check()

    def statement(self) -> str:
        """LaTeX of the theorem."""
        from .depth_text import statement

        return statement(self)

    def proof(self) -> str:
        """LaTeX of the proof, with both sides of every comparison."""
        from .depth_text import proof

        return proof(self)

    def document(self) -> str:
        """A complete LaTeX document: theorem, proof, corollaries."""
        from .depth_text import document

        return document(self)

    def summary(self) -> str:
        """One line of plain text."""
        return "; ".join(f"mu_k ~ {self.constant(parity)} k^-({self.exponent}), {parity} k" for parity in PARITIES)

    def _repr_latex_(self) -> str:
        return self.statement()

    def __repr__(self) -> str:
        return f"DepthLaw({self.summary()})"


def depth_law(activation: Any, kind: str = "ntk", *, layer: Any = None, alpha: Any = None, domain: Any = None) -> DepthLaw:
    """The decay law at symbolic depth of the normalised CK, NTK or one layer's part of the NTK.

    ``activation`` is homogeneous of degree one (relu, leaky_relu(1/10), a form such as
    "x + abs(x)/2"), or a symbol for the slope of leaky ReLU, not 1 or -1. ``layer`` is 1, a number
    or None for the symbol l, 2 <= l <= depth. ``alpha``, a positive number or symbol, makes the
    network residual, with the CK and the NTK. ``domain`` is Sphere(d), by default with d a symbol.

    Raises InputError for other activations and kinds, NoClosedForm for multiples of abs(x),
    DomainError off spheres.
    """
    where = require_sphere(Sphere(D) if domain is None else domain, "decay laws")
    name = kind.strip().lower() if isinstance(kind, str) else kind
    if name not in KINDS:
        raise InputError(f"kind is 'ck', 'ntk' or 'layer', not {kind!r}")
    sigma, weight = unit(activation), _weight(alpha)
    if name != "layer" and layer is not None:
        raise InputError("a layer is chosen together with kind='layer'")
    if name == "layer" and weight is not None:
        raise InputError("of residual networks the laws of ck and ntk are proved, not those of single layers")
    number = None if name != "layer" else LAYER if layer is None or layer == LAYER else sympy.Integer(natural(layer, "layer", 1))
    # A bend with symbols in it stays one symbol in the induction: shorter, and true for every value.
    g = G if sigma.bend.free_symbols else sigma.bend
    h = g if weight is None else H
    problems = {"ck": correlation_problems, "ntk": tangent_problems if weight is None else residual_problems, "layer": part_problems}[name](g, h)
    proved = tuple(prove(problem) for problem in problems)
    values = {G: sigma.bend, H: _mixed(sigma, weight)}
    near, far = (_mapped(item, lambda x: x.subs(values)) for item in _ends(name, number, proved, weight))
    return DepthLaw(sigma, weight, name, number, where, near, far, proved, identities(sigma, weight))


def _ends(kind: str, layer: Expr | None, proved: tuple[Induction, ...], alpha: Expr | None) -> tuple[Series, Series]:
    """The two claims that the law reads."""
    near, far = (item.problem.claims for item in proved[:2])
    if kind == "ck":
        return near[SIGMA], far[SIGMA]
    if kind == "ntk":
        factor = S.One if alpha is None else 1 / (2 * INDEX)
        return _mapped(near[THETA], lambda x: x * factor), _mapped(far[THETA], lambda x: x * factor)
    if layer == 1:
        return near[FIRST], far[FIRST]
    near, far = (item.problem.claims for item in proved[2:])
    return _mapped(near[LATER], lambda x: x.subs(LAYER, layer)), _mapped(far[LATER], lambda x: x.subs(LAYER, layer))


def _mapped(series: Series, change: Callable[[Expr], Expr]) -> Series:
    return claimed({j: change(coefficient) for j, coefficient in series.terms.items()}, series.order)


def _weight(alpha: Any) -> Expr | None:
    if alpha is None:
        return None
    if isinstance(alpha, Symbol):
        if alpha.is_positive is not True:
            raise InputError(f"alpha must be declared positive: Symbol({alpha.name!r}, positive=True)")
        return alpha
    weight = exact(alpha, "alpha")
    if weight.is_positive is not True:
        raise InputError(f"alpha must be positive, not {weight}")
    return weight


def _mixed(sigma: Unit, alpha: Expr | None) -> Expr:
    return sigma.bend if alpha is None else sympy.factor(sigma.bend * branch_share(alpha))


def layer_steps(law: DepthLaw) -> tuple[Identity, ...]:
    """Differences of the leading constants of neighbouring layers, checked, for a law of kind "layer".

    With them the early layers hold the high frequencies: each layer's constant exceeds the next one's.
    """
    near, far, near_later, far_later = (item.problem.claims for item in law.inductions)
    g = G if law.bend.free_symbols else law.bend
    scale = -g * C1
    later = near_later[LATER].coefficient(1) / scale
    first = near[FIRST].coefficient(1) / scale, far[FIRST].coefficient(1) / scale
    sign = Symbol("(-1)^k")
    total = sympy.Sum(later, (LAYER, 1, INDEX)).doit()
    found = [
        Identity("M_1-M_2", first[0] + sign * first[1] - later.subs(LAYER, 2), 1 + sign * P),
        Identity(r"M_l-M_{l+1}", later - later.subs(LAYER, LAYER + 1), S.One),
        Identity(r"M_\ell", later.subs(LAYER, INDEX), S.One),
        Identity(r"M_1+\dots+M_\ell", total - later.subs(LAYER, 1) + first[0] + sign * first[1], INDEX * (INDEX + 1) / 2 + sign * P),
        Identity(r"a_-(\Theta_l^\ell)", far_later[LATER].coefficient(1), S.Zero),
    ]
    return tuple(item.check() for item in found)


def far_product(h: Expr, depth: int) -> tuple[Expr, dict[Symbol, Expr]]:
    """p_depth in names b_s, and the names by their recursion; b_1 = h - 1 needs no name."""
    names: dict[Symbol, Expr] = {}
    product, before = S.One, h - 1
    for s in range(1, depth):
        product = product * kappa_slope(before, h)
        if s + 1 < depth:
            symbol = Symbol(f"b_{s + 1}", real=True)
            names[symbol] = kappa(before, h)
            before = symbol
    return product, names


__all__ = ["DepthLaw", "LawAtDepth", "depth_law", "far_product", "layer_steps"]
