r"""Stretched exponential laws in words: one line of plain text, the statement and its derivation in LaTeX.

What is proved is said to be proved, and the rest is called what it is: an upper bound, or a derivation on the
logarithmic scale.

>>> import symspec as ss
>>> print(ss.decay(ss.mlp(ss.tanh, 1).ck, ss.Sphere(3)).summary())
limsup log(mu_k)/k^(2/3) = -3*pi**(2/3)/2 (proved; singularities of the activation at distance pi/2 from the real line)
>>> "\\limsup" in body(ss.decay(ss.mlp(ss.silu, 2).ntk, ss.Sphere(3)).stretch)
True
"""

from __future__ import annotations

from sympy import Expr, Symbol, oo

from .stretched import DERIVED, Stretch


def summary(stretch: Stretch) -> str:
    """One line of plain text."""
    if stretch.height == oo:
        return "log(mu_k)/k^(2/3) tends to -infinity: the activation is entire"
    relation = "=" if stretch.attained else "<="
    source = f"singularities of the activation at distance {'' if stretch.attained else 'at least '}{stretch.height} from the real line"
    value = stretch.constant if len(stretch.slopes) == 1 else f"(3/2) (2 a)^(2/3), a = ({stretch.height})/sqrt(D), D the largest of {len(stretch.slopes)} slopes"
    return f"limsup log(mu_k)/k^(2/3) {relation} -{value} ({stretch.status}; {source})"


def body(stretch: Stretch) -> str:
    """The displayed statement."""
    if stretch.height == oo:
        return r"\[ \lim_{k\to\infty} k^{-2/3}\log \mu_k = -\infty: \] the activation is an entire function of Gaussian growth."
    relation = "=" if stretch.attained else r"\le"
    lines = [
        rf"\[ \limsup_{{k\to\infty}} \frac{{\log\mu_k}}{{k^{{2/3}}}} {relation} -\tfrac32(2a)^{{2/3}}, \qquad a=\frac{{{_tex(stretch.height)}}}{{\sqrt D}}, \]",
        rf"where ${_tex(stretch.height)}$ is {'' if stretch.attained else 'a lower bound of '}the distance of the singularities of $\sigma$ from the real line and $D$ is "
        + (rf"${_tex(stretch.slopes[0])}$." if len(stretch.slopes) == 1 else r"the largest slope at $\rho=1$ of a covariance that enters a layer, the largest of"),
    ]
    if len(stretch.slopes) > 1:
        lines.append(r"\[ " + r",\quad ".join(_tex(slope) for slope in stretch.slopes) + r". \]")
    if stretch.names:
        rows = " \\\\\n".join(rf"{_tex(name)} &= {_tex(value)}" for name, value in stretch.names.items())
        lines.append(f"Here\n\\begin{{align*}}\n{rows}\n\\end{{align*}}\n" + r"and $\widehat{\sigma^{(m)}}_q(c)=E[\sigma^{(m)}(u)\sigma^{(m)}(v)]$ for variances $q$ and covariance $c$.")
    lines.append(_STATUS[stretch.status] + ("" if stretch.attained else " That the bound is attained is not shown."))
    return "\n".join(lines)


_STATUS = {
    "proved": "The statement is proved below.",
    DERIVED: "The statement is derived below on the logarithmic scale; the derivation is not a complete proof.",
}


def proof(stretch: Stretch) -> str:
    """The derivation, paragraph by paragraph."""
    parts = [_COEFFICIENTS, _MONOMIALS, _LAPLACE]
    if stretch.height == oo:
        parts[2] = _ENTIRE
    if not stretch.attained:
        parts.append(r"\paragraph{Attained.} It is not shown that $\sigma$ is singular at that distance, so only the bound is claimed.")
    if stretch.status == DERIVED and len(stretch.slopes) == 1:
        parts.append(_NOT_COMPLETE)
    if len(stretch.slopes) > 1 or stretch.status == DERIVED:
        parts.append(_DEPTH)
    return "\n\n".join(parts)


_COEFFICIENTS = (
    r"\paragraph{Hermite coefficients.} Let $a_n=E[\sigma(\sqrt q\,Z)h_n(Z)]$ and let $a$ be the distance of the singularities of $z\mapsto\sigma(\sqrt q\,z)$ from the real line. "
    r"In every thinner strip $|\sigma(\sqrt q\,z)|e^{-x^2/4}$ decreases like a Gaussian, so that by Hille's theorem the Hermite series represents $\sigma$ in exactly the strip "
    r"$|\operatorname{Im}z|<a$, and "
    r"\[ \limsup_{n\to\infty} \frac{\log|a_n|}{\sqrt n} = -a. \] The upper bound is Cauchy's theorem and $E|h_n(Z+iy)|^2=L_n(-y^2)\le e^{2y\sqrt n}$. By Mehler's formula "
    r"$b_n=a_n^2$ are the coefficients of the dual, and those of its derivative are $(n+1)b_{n+1}$."
)
_MONOMIALS = (
    r"\paragraph{Monomials.} $\mu_{j+2}(t^n)/\mu_j(t^n)=(n-j)/(n+j+d)$, so for $k\le n$ of one parity "
    r"\[ \mu_k(t^n)\le e^{-k(k-2)/(2(n+k+d))}, \qquad \mu_k(t^n)\ge \mu_0(t^n)\,e^{-k(k+d)/(2(n-k))} \text{ for even } k \] "
    r"(for odd $k$ start from $\mu_1$), by $1-x\le e^{-x}$ and $1-x\ge e^{-x/(1-x)}$; $\mu_0(t^n)$ and $\mu_1(t^n)$ are powers of $n$ up to constants."
)
_LAPLACE = (
    r"\paragraph{Eigenvalues.} In $\mu_k=\sum_{n\ge k}b_n\mu_k(t^n)$ the exponent $2a\sqrt n+k^2/(2n)$ is least at $n=(k^2/2a)^{2/3}$, where $n/k\to\infty$ and its value is "
    r"$\tfrac32(2a)^{2/3}k^{2/3}$. "
    r"Terms with $n$ of a smaller order than $k^{4/3}$ are smaller still, and there are polynomially many others up to a negligible tail: this gives the upper bound. "
    r"Conversely, along the $n$ for which "
    r"$b_n\ge e^{-2(a+\varepsilon)\sqrt n}$ take for $k$ the integer of the parity of $n$ next to $\sqrt{2a}\,n^{3/4}$; the one term $n$ bounds $\mu_k$ from below. $\square$"
)
_NOT_COMPLETE = (
    r"\paragraph{What is not proved.} That $\sigma$ grows slower than a Gaussian up to its singularities is shown in the strip of the calculus only, which may be thinner; "
    r"and with a bias the covariance is no multiple of $\rho$."
)
_ENTIRE = r"\paragraph{Eigenvalues.} Here the bound holds for every $a$, and $\mu_k\le\sum_{n\ge k}b_n\mu_k(t^n)$ is at most $e^{-\frac32(2a)^{2/3}k^{2/3}(1+o(1))}$ for every $a$. $\square$"
_DEPTH = (
    r"\paragraph{Depth.} A layer $\sum_m v_mc^m$, $v_m=e^{-B\sqrt m}$, of a covariance $c=\sum_jc_j\rho^j$ with $c_j\ge0$ has the coefficients $\sum_mv_mc(1)^mP(S_m=n)$, $S_m$ "
    r"a sum of $m$ independent variables of law $c_j/c(1)$. "
    r"With $m$ about $n$ over the mean this is $e^{-B\sqrt{n/\mathrm{mean}}}$; with one variable about $n$ it is what the layer below has. Sharing $n$ between the two costs "
    r"more, as the square root is concave, and "
    r"sums of variables with such tails deviate by one jump (Nagaev 1969). In terms of covariances, $v_m=w_mq^{-m}$ with $w_m=a_m(q)^2$, $a=y/\sqrt q$, and the mean is "
    r"$c'(1)/q$: layer $l$ contributes $2y/\sqrt{K_{l-1}'(1)}$, and the least of these rates is that of the kernel."
)


def _tex(value: Expr | Symbol) -> str:
    from .latex import tex

    return tex(value)


__all__ = ["body", "proof", "summary"]
