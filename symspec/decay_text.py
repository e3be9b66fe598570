r"""The decay theorem and its derivation as LaTeX.

What is derived is stated as derived: the expansions come from the kernel program by exact series
arithmetic, the block spectra are closed forms, and the passage from the expansion to the
eigenvalues is the smoothness argument written out in the proof.

>>> import symspec as ss
>>> "k^{-3}" in statement(ss.decay(ss.mlp(ss.relu, 1).ntk, ss.Sphere(3)))
True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sympy import Expr, Rational, Symbol

from .exact import as_expr
from .latex import series_latex
from .singularity import Expansion

if TYPE_CHECKING:
    from .decay_law import DecayLaw

K = Symbol("k")


def statement(law: DecayLaw) -> str:
    """The theorem: one displayed formula a parity, the names used, and the sphere."""
    return "\n".join([rf"On the sphere $S^{{d-1}}$ with $d={_tex(as_expr(law.domain.d))}$ and its uniform probability measure,", _body(law), _names(law)])


def _body(law: DecayLaw) -> str:
    if law.kind == "finite":
        return rf"\[ \mu_k = 0 \quad\text{{for every }} k > {law.kernel.support.degree}: \] the kernel is a polynomial."  # type: ignore[union-attr]
    if law.kind == "faster":
        return r"\[ \lim_{k\to\infty} \mu_k\, r^{k} = 0 \quad\text{for every } r>1: \] the kernel is an entire function of the correlation."
    if law.kind == "geometric":
        return r"\[ \limsup_{k\to\infty} \mu_k^{1/k} = \frac{1}{R+\sqrt{R^2-1}}, \]" + _radius(law)
    if law.stretch is not None:
        from .stretched_text import body

        return body(law.stretch)
    rows = [_row(law, parity) for parity in ("even", "odd")]
    return r"\[ \mu_k \;\begin{cases} " + r" \\[6pt] ".join(rows) + r" \end{cases} \qquad (k\to\infty). \]"


def _radius(law: DecayLaw) -> str:
    """What R is: the closed form, or the equations whose least root it is, with the recursion they refer to."""
    if law.radius is not None:
        return rf" where $R={_tex(law.radius)}$ is the first singularity of the kernel on the positive axis."
    assert law.singularity is not None
    equations = [rf"${_tex(barrier.symbol)}={_tex(barrier.value)}$" for barrier in law.singularity.barriers]
    text = rf" where $R>1$, the first singularity of the kernel on the positive axis, is the least $\rho>1$ at which one of {', '.join(equations)} holds"
    from .latex import aligned, display, row

    return text + ". Here\n" + display(aligned([row(line) for line in law.singularity.lines]))


def _row(law: DecayLaw, parity: str) -> str:
    term = law.terms[parity]
    if term is None and parity in law.beyond:
        return rf"=o\left(k^{{{_tex(-law.beyond[parity])}}}\right) & k \text{{ {parity}}}"
    if term is None:
        return rf"=0 \text{{ exactly}} & k \text{{ {parity} (large)}}"
    return rf"\displaystyle\sim {_tex(term.constant)}\; k^{{{_tex(-term.exponent)}}} & k \text{{ {parity}}}"


def _names(law: DecayLaw) -> str:
    used = _used(law)
    if not used:
        return ""
    lines = [rf"{_tex(symbol)} &= {_tex(value)}" for symbol, value in law.names.items() if symbol in used]
    return r"Here" + "\n" + r"\begin{align*}" + "\n" + " \\\\\n".join(lines) + "\n" + r"\end{align*}"


def _used(law: DecayLaw) -> set[Symbol]:
    """Names that the constants use, directly or through other names."""
    wanted: set[Symbol] = set()
    for term in law.terms.values():
        if term is not None:
            wanted |= term.constant.free_symbols & set(law.names)
    stack = list(wanted)
    while stack:
        fresh = law.names[stack.pop()].free_symbols & set(law.names) - wanted
        wanted |= fresh
        stack += fresh
    return wanted


def proof(law: DecayLaw) -> str:
    """The derivation, paragraph by paragraph."""
    if law.kind == "power":
        nus = sorted({term.nu for term in law.terms.values() if term is not None})
        return "\n\n".join([*(_expansion(item) for item in law.expansions), _symmetry(law), blocks(nus), rest()])
    if law.kind == "finite":
        return "A polynomial of degree $n$ in the correlation is orthogonal to $P_k$ for $k>n$."
    if law.stretch is not None:
        from .stretched_text import proof as stretched_proof

        return stretched_proof(law.stretch)
    return _smooth(law)


def _expansion(item: Expansion) -> str:
    variable = r"s=\sqrt{(1-\rho)/2}=\sin(\theta/2)" if item.end > 0 else r"\tilde s=\sqrt{(1+\rho)/2}=\cos(\theta/2)"
    letter = "s" if item.end > 0 else r"\tilde s"
    sign = "+1" if item.end > 0 else "-1"
    body = series_latex(item.series.terms, item.series.order, letter, item.root)
    names = ""
    used = set().union(*(value.free_symbols for value in item.series.terms.values())) if item.series.terms else set()
    if used & set(item.names):
        names = " Long constants carry names; they are defined by the same recursion evaluated at the end point."
    return rf"\paragraph{{Expansion at $\rho={sign}$.}} In ${variable}$ the program of the kernel gives, by exact series arithmetic," + "\n" + rf"\[ K = {body}. \]" + names


def _symmetry(law: DecayLaw) -> str:
    if law.kernel.symmetry == 2:
        return r"\paragraph{Symmetry.} The kernel is even in $\rho$, so the expansion at $-1$ is the same in $\tilde s$; odd degrees vanish."
    if law.kernel.symmetry == 1:
        return r"\paragraph{Symmetry.} The kernel is odd in $\rho$, so the expansion at $-1$ is the negative of the one at $+1$; even degrees vanish."
    return ""


def blocks(nus: Sequence[Rational]) -> str:
    """From the first exponents nu to the leading constants of the eigenvalues."""
    values = ", ".join(rf"\nu={_tex(nu)}" for nu in nus)
    return "\n".join(
        [
            r"\paragraph{Blocks.} Write $y=(1-t)/2$, so $s^{2\nu}=y^\nu$. By Rodrigues' formula and a Beta integral the block $y^\nu$ has the exact spectrum",
            r"\[ \mu_k(y^\nu)=\frac{(-\nu)_k}{(\nu+d-1)_k}\,\frac{\Gamma(d-1)\,\Gamma(\nu+\tfrac{d-1}2)}{\Gamma(\tfrac{d-1}2)\,\Gamma(\nu+d-1)}"
            r" \sim \frac{2^{d-2}\,\Gamma(\tfrac d2)\,\Gamma(\nu+\tfrac{d-1}2)}{\sqrt\pi\,\Gamma(-\nu)}\;k^{-d-2\nu+1}, \]",
            r"since $(-\nu)_k/(\nu+d-1)_k=\frac{\Gamma(k-\nu)\,\Gamma(\nu+d-1)}{\Gamma(-\nu)\,\Gamma(k+\nu+d-1)}$ and $\Gamma(k+a)/\Gamma(k+b)\sim k^{a-b}$;",
            r"at $t=-1$ the factor $(-1)^k$ appears. A whole exponent $\nu$ gives a polynomial and no contribution for $k>\nu$.",
            rf"The first exponents that are not whole and do not cancel are ${values}$, which gives the constants of the theorem.",
        ]
    )


def rest() -> str:
    """Why the blocks of both ends give the whole asymptotic expansion."""
    return "\n".join(
        [
            r"\paragraph{The rest.} Subtract from $K$ all blocks of both ends up to a large exponent. The difference has, at both ends, an expansion in whole powers of $y$ and",
            r"terms of higher order, all of which may be differentiated term by term. With the self-adjoint operator $\mathcal L=y(1-y)\partial_y^2+\tfrac{d-1}2(1-2y)\partial_y$ and",
            r"$\mathcal L P_k=-k(k+d-2)P_k$, integrating by parts $m$ times gives $|\mu_k|\le\|\mathcal L^m r\|_{L^2}\,(k(k+d-2))^{-m}$ for the rest $r$ as long as $\mathcal L^mr$ is square",
            r"integrable, and $m$ grows with the number of blocks. So the rest decays faster than any given power, and the sum of the blocks is the asymptotic expansion of $\mu_k$. $\square$",
        ]
    )


def _smooth(law: DecayLaw) -> str:
    head = (
        r"The power series $K=\sum_n b_n\rho^n$ has $b_n\ge0$ (Mehler's formula; sums, products and compositions keep the sign), and on the sphere"
        r" $\mu_k=\sum_{n\ge k} b_n\,\mu_k(t^n)$ with $0\le\mu_k(t^n)\le1$."
    )
    if law.kind == "faster":
        return head + r" The layers are entire functions, so $b_n R^n\to0$ for every $R$; hence $\mu_k\le\sum_{n\ge k}b_n$ decays faster than $R^{-k}$ for every $R$. $\square$"
    return (
        head
        + r" By Pringsheim's theorem a power series with non-negative coefficients is singular where the positive axis meets its circle of convergence, so its radius is its first"
        + r" singularity $R>1$ there."
        + _barriers(law)
        + r" A function analytic in the ellipse with foci $\pm1$ and semi-axis sum $r$ has Gegenbauer coefficients $O(r'^{-k})$ for every $r'<r$, and conversely such a bound makes"
        + r" the expansion converge in that ellipse. The ellipse through $R$ lies in the disc $|t|\le R$, so it is the largest one free of singularities, and $r=R+\sqrt{R^2-1}$. $\square$"
    )


def _barriers(law: DecayLaw) -> str:
    """Why R is the least root of the equations."""
    assert law.singularity is not None
    met = ", ".join(rf"${_tex(barrier.symbol)}={_tex(barrier.value)}$" for barrier in law.singularity.barriers)
    return (
        rf" Each layer is an explicit function of the covariance that enters it, with non-negative coefficients too; the first singularities of the layers are met where {met}."
        r" Covariances increase on the positive axis. As long as each is below the singularity of the layer it enters, the kernel is analytic. At the first $\rho$ where one is met, that layer $f(c)$"
        r" is singular: if $c$ is analytic there, it is increasing and so invertible, and $f=(f\circ c)\circ c^{-1}$ would be analytic otherwise; if an earlier equation is met"
        r" at the same $\rho$, $c$ itself is singular, and"
        r" $f(c)$ has coefficients no smaller than those of a positive multiple of a power of $c$. In the same way sums and products with non-negative coefficients inherit the"
        r" singularity of their parts. So $R$ is the least root of these equations."
    )


def _tex(value: Expr) -> str:
    from .latex import tex

    return tex(value)


__all__ = ["blocks", "proof", "rest", "statement"]
