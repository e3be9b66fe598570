r"""The theorem of a certificate in words and in LaTeX.

>>> from flint import arb
>>> short(arb(5) / 4096, up=True), short(arb(5) / 4096, up=False)
('0.00123', '0.00122')
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flint import arb

from .exact_text import outward_decimal

if TYPE_CHECKING:
    from .certificates import Band, Certificate, ParityClaim

DIGITS = 3


def short(value: arb, *, up: bool, digits: int = DIGITS) -> str:
    """A decimal of few digits above (``up``) or below an exact number."""
    return outward_decimal(value, digits, up=up)


def theorem_text(certificate: Certificate) -> str:
    """Plain text: what is proved for every degree, the decimals being rounded outwards."""
    c = certificate
    head = f"{c.kernel.name} on the sphere in R^{c.d} (uniform probability measure):"
    lines = [f"{short(c.lower, up=False)} <= k^{exponent_text(c.exponent)} mu_k <= {short(c.upper, up=True)} for every k >= {c.holds_from}{_exception(c)}"]
    return "\n".join([head, *lines])


def _exception(c: Certificate) -> str:
    zeros = [f"{parity} k >= {claim.zero_from}" for parity, claim in c.claims.items() if claim.zero_from is not None]
    return f", but mu_k = 0 exactly for {' and '.join(zeros)}" if zeros else ""


def exponent_text(exponent: object) -> str:
    """An exponent in plain text, a fraction in brackets."""
    text = str(exponent)
    return f"({text})" if "/" in text else text


def parity_lines(certificate: Certificate) -> list[str]:
    """One line a band."""
    lines = []
    for parity, claim in certificate.claims.items():
        if claim.exponent is None:
            lines.append(f"mu_k = 0 exactly for {parity} k >= {claim.zero_from}")
            continue
        e = exponent_text(claim.exponent)
        lines += [f"{short(b.lower, up=False)} <= k^{e} mu_k <= {short(b.upper, up=True)} for {parity} k >= {b.start}" for b in claim.bands]
        if claim.asymptotic is not None:
            lines.append(f"k^{e} mu_k tends to {claim.asymptotic.str(8, radius=False)} along {parity} k")
    return lines


def decimal_latex(text: str) -> str:
    """1.2e-5 as a product with a power of ten."""
    mantissa, _, exponent = text.partition("e")
    return mantissa if not exponent else rf"{mantissa}\cdot10^{{{int(exponent)}}}"


def _band_latex(band: Band, claim: ParityClaim, parity: str) -> str:
    low, high = (decimal_latex(short(value, up=up)) for value, up in ((band.lower, False), (band.upper, True)))
    return rf"{low}\,k^{{-{claim.exponent}}}\le{{}}&\mu_k\le {high}\,k^{{-{claim.exponent}}},&&k\ge{band.start}\text{{, {parity}}}"


def theorem_latex(certificate: Certificate) -> str:
    """LaTeX: the theorem with its constants, parity by parity."""
    c = certificate
    rows = [_band_latex(band, claim, parity) for parity, claim in c.claims.items() for band in claim.bands]
    rows += [rf"&\mu_k=0\text{{ exactly}},&&k\ge{claim.zero_from}\text{{, {parity}}}" for parity, claim in c.claims.items() if claim.zero_from is not None]
    body = " \\\\\n".join(rows)
    return "\n".join(
        [
            rf"Let $\mu_k$ be the eigenvalues of the {_escaped(c.kernel.name)} on the sphere $S^{{{c.d - 1}}}$ with its uniform probability measure. Then",
            r"\begin{align*}",
            body,
            r"\end{align*}",
        ]
    )


def proof_latex(certificate: Certificate) -> str:
    """LaTeX: how the constants were proved, with the numbers that enter."""
    c, e = certificate, certificate.expansion
    amplitudes = ", ".join(rf"{letter}_{{{j}}}={_number(value)}" for letter, pairs in (("a", e.near), ("b", e.far)) for j, value in pairs[:3])
    root = max(int(j.q) for j, _ in e.near)
    if e.ratio is None or e.supremum is None:
        where = rf"With $y=(1-t)/2$, $s=\sqrt y$, $c=\sqrt{{1-y}}$ the kernel is analytic in $s^{{1/{root}}}$ at $t=1$, in $c$ at $t=-1$ and in $y$ between, and was bounded on discs there."
    else:
        where = (
            rf"With $y=(1-t)/2$, $s=\sqrt y$, $c=\sqrt{{1-y}}$ the kernel is analytic in $\theta=\arccos t$ on the Bernstein ellipse of ratio ${_rational(e.ratio)}$ around $[0,\pi]$,"
            + "\n"
            + rf"where $|\kappa|\le{decimal_latex(short(e.supremum, up=True))}$."
        )
    terms = rf"j\le{e.J}\text{{ odd}}" if root == 1 else rf"j\le{e.J},\,j\notin2\mathbf Z"
    return "\n".join(
        [
            where,
            rf"The singular terms of its expansions $\sum a_js^j$ at $t=1$ and $\sum b_jc^j$ at $t=-1$ begin with ${amplitudes}$.",
            rf"Let $r=\kappa-\sum_{{{terms}}}(a_js^j+b_jc^j)$ and $\mathcal L=y(1-y)\partial^2+\frac{{{c.d - 1}}}2(1-2y)\partial$, which is self-adjoint with",
            rf"$\mathcal LP_k=-k(k+{c.d - 2})P_k$. On {len(e.pieces)} pieces that cover $[0,1]$, power series with Cauchy tails give",
            rf"$\|\mathcal L^{{{e.m}}}r\|\le B={decimal_latex(short(e.remainder, up=True))}$, so for every $k\ge1$",
            rf"\[ \Bigl|\mu_k-\sum_{{{terms}}}(a_j+(-1)^kb_j)\,c_{{j/2}}\frac{{\Gamma(k-j/2)}}{{\Gamma(k+j/2+{c.d - 1})}}\Bigr|"
            rf"\le\frac{{B}}{{(k(k+{c.d - 2}))^{{{e.m}}}\sqrt{{N({c.d},k)}}}}. \]",
            rf"From $k={c.cut}$ on the later blocks and the remainder, divided by the leading block, decrease in $k$; their values at $k={c.cut}$ give the bounds there.",
            rf"The {len(c.eigenvalues)} positive eigenvalues below were enclosed one by one.",
        ]
    )


def _number(value: arb) -> str:
    return "0" if value == 0 else decimal_latex(value.str(6, radius=False))


def _rational(value: object) -> str:
    fraction = Fraction(str(value))
    return str(fraction.numerator) if fraction.denominator == 1 else rf"\tfrac{{{fraction.numerator}}}{{{fraction.denominator}}}"


def _escaped(text: str) -> str:
    from symspec.latex import escape

    return escape(text)
