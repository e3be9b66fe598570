r"""Exact eigenvalues on the boolean cube.

With T: f(t) -> f(t - 2/d), the generating function of Krawtchouk polynomials gives

.. math:: \mu_k=2^{-d}(I-T)^k(I+T)^{d-k}K(1)=2^{-d}\sum_{r=0}^dC_r\,K(1-2r/d),
          \qquad C_r=[z^r](1-z)^k(1+z)^{d-k}

(Yang and Salman 2019, theorem 3.1 and lemma 3.2): a finite sum of exact values of the kernel. Three cases:

* **Polynomial kernels**, any d, a symbol too: sums of :func:`symspec.krawtchouk.monomial_eigenvalue`.
* **Sums of** :math:`t^me^{at}`, what exponential and trigonometric activations give, any d and
  k, symbols too: :math:`\mu_k(e^{at})=\sinh^k(a/d)\cosh^{d-k}(a/d)`, and m derivatives in a.
* **Any kernel** for a number d <= MAX_EXACT_DIMENSION: the finite sum, where it is not too long to be written.

>>> import symspec as ss
>>> from sympy import Symbol
>>> d, k = Symbol("d", positive=True), Symbol("k", integer=True, nonnegative=True)
>>> ss.eigenvalue(ss.mlp(ss.relu, 1).ck, ss.BooleanCube(2), 2), ss.eigenvalue(ss.mlp(ss.exp, 1).ck, ss.BooleanCube(d), k)
((1 - 2/pi)/4, exp(-1)*sinh(1/d)**k*cosh(1/d)**(d - k))
"""

from __future__ import annotations

import sympy
from sympy import Expr, S, Symbol

from .domain import BooleanCube
from .errors import DomainError, ExpressionTooLarge, NoClosedForm
from .exact import as_expr
from .functions import EVEN, ODD
from .kernel import Kernel
from .krawtchouk import exponential_eigenvalue, weights
from .program import RHO, tree_size

MAX_EXACT_DIMENSION = 64
MAX_EXACT_NODES = 20_000
MAX_EXPONENTIAL_LINES = 8
RATE = Symbol("rate", real=True)


def cube_eigenvalue(kernel: Kernel, domain: BooleanCube, k: int | Symbol) -> Expr:
    """mu_k exactly; see the module docstring. NoClosedForm where no case applies, DomainError for an infinite diagonal."""
    if kernel.diagonal_is_infinite:
        raise DomainError("this tangent kernel is infinite on the diagonal (the activation has a jump), and so are its eigenvalues on the cube; use the conjugate kernel or drop_deltas=True")
    if isinstance(k, int) and kernel.support is not None and kernel.support.vanishes_at(k):
        return S.Zero
    if isinstance(k, int) and kernel.polynomial is not None:
        return sympy.factor_terms(sympy.Add(*(c * domain.monomial_eigenvalue(n, k) for (n,), c in kernel.polynomial.terms())))
    terms = exponential_terms(kernel)
    if terms is not None and (isinstance(k, int) or all(m == 0 for _, m, _ in terms)):
        return _exponential(terms, as_expr(domain.d), as_expr(k))
    if isinstance(domain.d, int) and isinstance(k, int) and domain.d <= MAX_EXACT_DIMENSION:
        return _finite_sum(kernel, domain.d, k)
    raise NoClosedForm(
        f"on the cube exact eigenvalues are known for d <= {MAX_EXACT_DIMENSION} and integer k, for polynomial kernels, and for exponential ones such as those of exp, sin and cos; "
        "numerics.eigenvalues gives certified values to any number of digits"
    )


def exponential_terms(kernel: Kernel) -> list[tuple[Expr, int, Expr]] | None:
    """(c, m, a) with K = sum c t^m e^(a t), or None where the kernel is no such sum."""
    if kernel.program.inputs > {RHO} or len(kernel.program.lines) > MAX_EXPONENTIAL_LINES:
        return None
    try:
        written = kernel.program(RHO)
    except ExpressionTooLarge:
        return None
    if not written.has(sympy.exp, sympy.sinh, sympy.cosh):
        return None
    found = []
    # Only what depends on rho: constants such as 1/sinh(1) stay whole.
    rewritten = written.replace(lambda f: isinstance(f, (sympy.sinh, sympy.cosh)) and f.has(RHO), lambda f: f.rewrite(sympy.exp))
    for term in sympy.Add.make_args(sympy.expand(rewritten)):
        constant, depending = term.as_independent(RHO)
        power, rate = 0, S.Zero
        for factor in sympy.Mul.make_args(depending):
            base, exponent = factor.as_base_exp()
            if base == RHO and exponent.is_Integer and exponent > 0:
                power += int(exponent)
            elif base == S.Exp1 and exponent.is_polynomial(RHO) and sympy.degree(exponent, RHO) == 1:
                slope = exponent.coeff(RHO, 1)
                constant, rate = constant * sympy.exp(exponent - slope * RHO), rate + slope
            elif factor != 1:
                return None
        found.append((constant, power, rate))
    return found


def _exponential(terms: list[tuple[Expr, int, Expr]], d: Expr, k: Expr) -> Expr:
    parts: dict[tuple[int, Expr], Expr] = {}
    for constant, m, rate in terms:
        # e^(-at) has the eigenvalue of e^(at) up to the sign (-1)^k: one formula for the two.
        flip = rate.could_extract_minus_sign()
        key = (m, -rate if flip else rate)
        parts[key] = parts.get(key, S.Zero) + constant * (S.NegativeOne ** (k + m) if flip else 1)
    return sympy.Add(*(sympy.simplify(c) * sympy.diff(exponential_eigenvalue(RATE, d, k), RATE, m).subs(RATE, a) for (m, a), c in parts.items()))


def _finite_sum(kernel: Kernel, d: int, k: int) -> Expr:
    """2^-d sum C_r K(1 - 2r/d), the points r and d - r, whose weights agree up to sign, together."""
    sign = (-1) ** k
    mirrored = {EVEN: 1, ODD: -1}.get(kernel.symmetry)
    total: list[Expr] = []
    nodes = 0
    for r, weight in enumerate(weights(d, k)[: d // 2 + 1]):
        t = sympy.Rational(d - 2 * r, d)
        if t == 0:
            total.append(weight * kernel(t))
        elif mirrored:
            total.append((1 + sign * mirrored) * weight * kernel(t))
        else:
            total.append(weight * (kernel(t) + sign * kernel(-t)))
        nodes += tree_size(total[-1])
        if nodes > MAX_EXACT_NODES:
            raise ExpressionTooLarge(f"written out, the sum over {d // 2 + 1} pairs of exact values of this kernel has more than {MAX_EXACT_NODES} nodes; numerics.eigenvalues gives certified values")
    return sympy.factor_terms(sympy.expand(sympy.Add(*total) / 2**d))


__all__ = ["cube_eigenvalue", "exponential_terms"]
