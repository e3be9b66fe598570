r"""The theorem at symbolic depth, its proof and its corollaries as LaTeX.

The text says of each step what it rests on: coefficients and identities are those that the machine
compared (:mod:`symspec.induction`), printed with both sides; what is argued in words is analyticity,
the bounds of :math:`p_\ell`, and the passage from expansions to eigenvalues, which is that of
:mod:`symspec.decay_text`.

>>> from symspec.depth_laws import depth_law
>>> text = depth_law("relu", "ntk").statement()
>>> r"\left[\frac{\ell \left(\ell + 1\right)}{2} + (-1)^k\,p_{\ell}\right]" in text, "k^{- d}" in text
(True, True)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational

from .decay_text import blocks, rest
from .exact import as_expr
from .induction import INDEX, Induction
from .latex import broken, document as latex_document, escape, series_latex, tex
from .singularity import Series

if TYPE_CHECKING:
    from .depth_laws import DepthLaw

SYMBOLS = {"Sigma": r"\Sigma^{%s}", "Theta": r"\Theta^{%s}", "Theta_1": r"\Theta_1^{%s}", "Theta_l": r"\Theta_l^{%s}"}
# LaTeX characters of two sides that stand on one line.
SHORT = 110
SEQUENCES = r"b_1=h-1,\quad b_{s+1}=\kappa_h(b_s),\qquad p_\ell=\prod_{s=1}^{\ell-1}\kappa_h'(b_s)"


def statement(law: DepthLaw) -> str:
    """The theorem."""
    near, far = law.bracket
    total = rf"\left[{tex(near)} + (-1)^k\,{tex(far)}\right]" if far != 0 else rf"\left({tex(near)}\right)"
    dimension = "" if as_expr(law.domain.d).is_Symbol else rf" with $d={tex(as_expr(law.domain.d))}$"
    asymptotics = rf"\[ \mu_k \;\sim\; {total}\;{tex(law.unit_constant)}\;k^{{{tex(-law.exponent)}}} \qquad (k\to\infty), \]"
    lines = [
        rf"For every depth {_range(law)} {_subject(law)} has, on the sphere $S^{{d-1}}$, $d\ge2${dimension}, with its uniform probability measure, the eigenvalues",
        asymptotics,
        rf"separately for even and for odd $k$, where a bracket that is $0$ means $o(k^{{{tex(-law.exponent)}}})$. "
        + rf"Here $\kappa_h(\rho)=\rho+\tfrac h\pi(\sqrt{{1-\rho^2}}-\rho\arccos\rho)$ with ${_bend(law)}$, and $p_\ell$ is defined by",
        rf"\[ {SEQUENCES}. \]",
        r"It satisfies $p_1=1$ and $0<p_\ell<1$ for $\ell\ge2$. " + _sign(law),
    ]
    return "\n".join(lines)


def _range(law: DepthLaw) -> str:
    if law.layer is None or law.layer == 1:
        return r"$\ell\ge1$ (number of hidden layers)" if law.alpha is None else r"$\ell\ge1$ (number of residual blocks)"
    if law.layer.is_Symbol:
        return r"$\ell\ge2$ (number of hidden layers) and every $2\le l\le\ell$,"
    return rf"$\ell\ge{tex(law.layer)}$ (number of hidden layers)"


def _subject(law: DepthLaw) -> str:
    name = escape(law.unit.name)
    network = f"{name} network" if law.alpha is None else rf"residual {name} network with branch weight $\alpha={tex(law.alpha)}$"
    parts = {"ck": "the conjugate kernel", "ntk": "the neural tangent kernel"}
    index = "l" if law.layer is None or law.layer.is_Symbol else f"l={tex(law.layer)}"
    part = parts.get(law.kind, rf"the part of the tangent kernel that weight layer ${index}$ contributes")
    return f"{part} of the normalised {network}"


def _bend(law: DepthLaw) -> str:
    g, h = tex(law.bend), tex(law.mixed_bend)
    return rf"h=g={h}" if law.alpha is None else rf"g={g},\ h=\tfrac{{\alpha^2}}{{1+\alpha^2}}g={h}"


def _sign(law: DepthLaw) -> str:
    if law.layer is not None and law.layer != 1:
        return "Both constants are positive."
    return r"Both constants are positive for $\ell\ge2$; for $\ell=1$ the even one is, and the eigenvalues of odd degree $k\ge3$ are exactly $0$."


def proof(law: DepthLaw) -> str:
    """The proof, paragraph by paragraph."""
    parts = [_setting(law), _family(law), _analytic(law), _sequences(law)]
    parts += [_induction(law, item) for item in law.inductions]
    parts += [_transfer(law), blocks([Rational(law.power, 2)]), rest().removesuffix(r" $\square$"), _positive(law)]
    return "\n\n".join(parts)


def _setting(law: DepthLaw) -> str:
    if law.alpha is not None:
        recursion = r"\Sigma^0=\rho,\quad \Sigma^{\ell+1}=(1-\beta)\Sigma^\ell+\beta\kappa_g(\Sigma^\ell),\qquad \Theta^0=0,"
        recursion += r"\quad \Theta^{\ell+1}=\Theta^\ell\,[1-\beta+\beta\kappa_g'(\Sigma^\ell)]+\Sigma^\ell\kappa_g'(\Sigma^\ell)+\kappa_g(\Sigma^\ell)"
        kernels = r"with $\beta=\alpha^2/(1+\alpha^2)$; $\mathrm{CK}=\Sigma^\ell$ and $\mathrm{NTK}=\Theta^\ell/(2\ell)$."
    else:
        recursion = r"\Sigma^0=\Theta^0=\rho,\qquad \Sigma^{\ell+1}=\kappa_g(\Sigma^\ell),\qquad \Theta^{\ell+1}=\Sigma^{\ell+1}+\Theta^\ell\,\kappa_g'(\Sigma^\ell)"
        kernels = (
            r"$\mathrm{CK}=\Sigma^\ell$, $\mathrm{NTK}=\Theta^\ell=\sum_{l=1}^{\ell+1}\Theta_l^\ell$, where weight layer $l$ contributes"
            r" $\Theta_l^{l-1}=\Sigma^{l-1}$, $\Theta_l^{n+1}=\Theta_l^n\,\kappa_g'(\Sigma^n)$; the last part, $\Theta_{\ell+1}^\ell$, is the CK."
        )
    return rf"\paragraph{{Setting.}} With $\kappa_g=\widehat\sigma/\widehat\sigma(1)$, $\rho$ the correlation of two inputs,\[ {recursion}, \]{kernels}"


def _family(law: DepthLaw) -> str:
    rows = " \\\\\n".join(rf"{item.text.replace('=', '&=', 1)}" for item in law.identities)
    return (
        r"\paragraph{One family of kernels.} Let $\kappa_h(\rho)=\rho+\tfrac h\pi f(\theta)$ with $\theta=\arccos\rho$ and $f(\theta)=\sin\theta-\theta\cos\theta$. The following were"
        r" checked by the machine"
        rf" (both sides simplified to the same expression), with $g={tex(law.bend)}$:"
        "\n\\begin{align*}\n" + rows + "\n\\end{align*}\n"
        rf"The first one uses the dual activation that the engine derives from $\sigma$. So $\Sigma^{{\ell+1}}=\kappa_h(\Sigma^\ell)$ with ${_bend(law)}$"
        + (r", and $1-\beta+\beta\kappa_g'=\kappa_h'$." if law.alpha is not None else ".")
        + _range_of_bend(law)
    )


def _range_of_bend(law: DepthLaw) -> str:
    if law.unit.below.free_symbols:
        return rf" The slope ${tex(law.unit.below)}$ is any real number other than $\pm1$; then $0<g<2$, since $2-g=(1+{tex(law.unit.below)})^2/(1+{tex(law.unit.below)}^2)>0$."
    return r" Here $0<h<2$, which is all that is used below."


def _analytic(law: DepthLaw) -> str:
    return (
        r"\paragraph{Convergence.} $f$ is odd and entire with $f(\theta)=\theta^3/3+O(\theta^5)$, and $\theta=2\arcsin\sqrt{v/2}$ for $\rho=1-v$, so $\kappa_h(1-v)=1-v+v^{3/2}A(v)$ and"
        r" $\kappa_h'(1-v)=1-v^{1/2}B(v)$ with convergent power series $A$, $B$. If $v=u(1+\cdots)$ is a convergent power series in $\sqrt u$, so are $\sqrt v$ and"
        r" $1-\kappa_h(1-v)=u(1+\cdots)$: by"
        r" induction every $\Sigma^\ell$ is one near $\rho=1$, and with it every kernel above. Near $\rho=-1$ the fourth identity gives the first layer in $\sqrt u$, $u=1+\rho$; after it"
        r" $|b_s|<1$ (next paragraph), where $\kappa_h$ is analytic. On $(-1,1)$ all kernels are analytic, because $|\kappa_h(\rho)|<1$ for $|\rho|<1$: as the dual of an activation"
        r" of bend $h$, $\kappa_h$ is a power series with coefficients $\ge0$ and sum $1$ (Mehler), and it is not constant. So truncated expansions in $\sqrt u$ may be inserted into"
        r" each other, and every expansion below may be differentiated term by term. The remainders depend on $\ell$."
    )


def _sequences(law: DepthLaw) -> str:
    return (
        r"\paragraph{The far end.} Let $" + SEQUENCES + r"$. \emph{Then $b_1<b_2<\dots<1$, and $p_1=1$, $0<p_\ell<1$ for $\ell\ge2$.} By the third identity $f(0)=0$ and"
        r" $f'=\theta\sin\theta>0$ on $(0,\pi)$, so"
        r" $\kappa_h(\rho)>\rho$ for $\rho<1$. The derivative $\kappa_h'=1-\tfrac h\pi\arccos\rho$ increases in $\rho$. At $b_1=h-1\in(-1,1)$ it is positive: for $h\le1$, $\arccos b_1<\pi$ gives"
        r" $\kappa_h'(b_1)>1-h\ge0$; for $1<h<2$, $b_1>0$ and $\arccos b_1<\tfrac\pi2$ give $\kappa_h'(b_1)>1-\tfrac h2>0$. So $\kappa_h$ increases on $[b_1,1]$ and $\kappa_h(1)=1$:"
        r" from $b_1\le b_s<1$"
        r" follows $b_s<b_{s+1}<1$. Hence every factor satisfies $0<\kappa_h'(b_1)\le\kappa_h'(b_s)<\kappa_h'(1)=1$."
    )


def _induction(law: DepthLaw, item: Induction) -> str:
    problem = item.problem
    first = tex(problem.first)
    where, sign = ("+1", "-") if _is_near(item) else ("-1", "+")
    functions = ", ".join(f"${_name(name, tex(INDEX))}$" for name in problem.claims)
    lines = [rf"\paragraph{{Induction at $\rho={where}$: {functions}.}} With $u=1{sign}\rho$, for every $\ell\ge {first}$,"]
    claims = [rf"{_name(name, tex(INDEX))} &= {_series(claim)}" for name, claim in problem.claims.items()]
    lines.append(_align(claims))
    if problem.given:
        lines.append("The expansion of " + ", ".join(f"${_name(name, tex(INDEX))}$" for name in problem.given) + " has been proved above.")
    if any(symbol.symbol.name == "t_ell" for symbol in problem.sequences):
        constants = next(symbol for symbol in problem.sequences if symbol.symbol.name == "t_ell")
        lines.append(rf"($t_\ell$ is defined by $t_1={tex(constants.start)}$ and $t_{{\ell+1}}={tex(constants.following)}$.)")
    lines.append(rf"\par\emph{{Base, $\ell={first}$.}} The definition gives the coefficients, and the claim says")
    lines.append(r"($\overset{!}{=}$ where the machine compared; coefficients that are $0$ on both sides are left out),")
    lines.append(_align(_rows(item, "base", first)))
    lines.append(r"\par\emph{Step.} The recursion, applied to the claims at $\ell$, gives the coefficients, and the claim at $\ell+1$ (named constants by their recursions) says,")
    lines.append(_align(_rows(item, "step", r"\ell+1")))
    lines.append(f"All {len(item.comparisons)} differences of coefficients simplify to exactly $0$.")
    return "\n".join(lines)


def _is_near(item: Induction) -> bool:
    """Only the expansions at the far end have named constants."""
    return not item.problem.sequences


def _rows(item: Induction, place: str, index: str) -> list[str]:
    """One pair of lines a coefficient: derived, and claimed. Where both are literally 0 there is nothing to see."""
    rows = []
    for row in item.comparisons:
        if row.place == place and (row.derived, row.claimed) != (0, 0):
            power = "1" if row.power == 0 else "u" if row.power == 1 else f"u^{{{row.power}}}"
            left = rf"[{power}]\;{_name(row.name, index)}"
            derived, claimed = broken(_tidied(row.derived)), broken(_tidied(row.claimed))
            short = derived == claimed or len(derived) + len(claimed) < SHORT
            rows.append(rf"{left} &= {derived} \overset{{!}}{{=}} {claimed}" if short else rf"{left} &= {derived} \\ &\overset{{!}}{{=}} {claimed}")
    return rows


def _series(series: Series) -> str:
    return series_latex({j: _tidied(value) for j, value in series.terms.items()}, series.order, "u", 2)


def _tidied(value: Expr) -> Expr:
    """The shortest of a few equal forms."""
    return min((value, sympy.factor_terms(value), sympy.factor(value)), key=sympy.count_ops)


def _name(name: str, index: str) -> str:
    return SYMBOLS[name] % index


def _align(rows: list[str]) -> str:
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"


def _transfer(law: DepthLaw) -> str:
    nu = Rational(law.power, 2)
    near, far = (tex(sympy.factor_terms(series.coefficient(law.power))) for series in (law.near, law.far))
    return (
        rf"\paragraph{{The two coefficients.}} The first exponent that is not whole is $\nu={tex(nu)}$, at $+1$ with the coefficient $a_+={near}$ and at $-1$ with $a_-={far}$ (of"
        rf" $u^\nu$). By the next two"
        rf" paragraphs, with $u=2y$, $\mu_k\sim[a_++(-1)^ka_-]\,C(d,\nu)\,k^{{-d-2\nu+1}}$ and $C(d,\nu)=2^{{\nu+d-2}}\Gamma(\tfrac"
        rf" d2)\Gamma(\nu+\tfrac{{d-1}}2)/(\sqrt\pi\,\Gamma(-\nu))$, which is the theorem."
    )


def _positive(law: DepthLaw) -> str:
    near, far = law.bracket
    head = r"\paragraph{The constants.} "
    if far == 0:
        return head + rf"$g>0$ and ${tex(near)}\ge1$, so both are positive.\par" + "\n" + _corollary(law)
    least = rf"${tex(near)}\ge\ell\ge2>1>p_\ell$" if near != INDEX else r"$\ell\ge2>1>p_\ell$"
    text = rf"$g>0$. For $\ell\ge2$, {least}, so both brackets are positive. For $\ell=1$ the bracket is $1+(-1)^k$: $p_1=1$. Then $\sigma$ is a multiple of $x$ plus a multiple of $|x|$, and"
    text += r" $\kappa_g$, $\rho\kappa_g'$ are a multiple of $\rho$ plus an even function: the eigenvalues of odd degree $k\ge3$ are exactly $0$. $\square$"
    return head + text + ("\n\n" + _corollary(law) if law.kind == "layer" else "")


def _corollary(law: DepthLaw) -> str:
    from .depth_laws import layer_steps

    rows = " \\\\\n".join(rf"{item.text} &= {tex(item.right)}" for item in layer_steps(law))
    return (
        r"\paragraph{Corollary: early layers hold the high frequencies.} For every depth $\ell\ge2$ and every $d\ge2$ there is a $K$ such that for all $k\ge K$"
        r"\[ \mu_k(\Theta_1^\ell)>\mu_k(\Theta_2^\ell)>\dots>\mu_k(\Theta_{\ell+1}^\ell)>0. \]"
        r"\emph{Proof.} Let $M_l$ be the bracket of layer $l$, $\mu_k(\Theta_l^\ell)\sim M_l\,C\,k^{-d}$ with one $C>0$. Checked by the machine, for $2\le l\le\ell$:"
        "\n\\begin{align*}\n" + rows + "\n\\end{align*}\n"
        r"and $1+(-1)^kp_\ell\ge1-p_\ell>0$ for $\ell\ge2$. So $M_1>M_2>\dots>M_\ell=1$. The last layer is the CK, whose eigenvalues are of the smaller order $k^{-d-2}$, with positive"
        r" constants too"
        r" (the law of the CK). At $\ell=1$ the chain holds for even $k$, and for odd $k\ge3$ all terms are $0$. How large $K$ must be is not part of the statement. $\square$"
    )


def document(law: DepthLaw) -> str:
    """Theorem and proof as a document of its own."""
    head = r"\newtheorem{theorem}{Theorem}" + "\n" + r"\begin{theorem}" + "\n" + law.statement() + "\n" + r"\end{theorem}"
    note = (
        r"\noindent What is proved how: the coefficients of the expansions and the identities are derived by exact series arithmetic in a symbolic depth and compared by a computer"
        r" algebra system,"
        r" and both sides are printed; analyticity, the bounds of $p_\ell$ and the passage to eigenvalues are argued in words."
    )
    return latex_document("A decay law at every depth", "\n\n".join([head, note, r"\section*{Proof}", law.proof()]))


__all__ = ["document", "proof", "statement"]
