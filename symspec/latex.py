r"""LaTeX of kernels and networks: short closed forms, or the recursion line by line.

A kernel of depth 3 written out fills a page, its recursion fills a few lines. So the closed form
is given where its tree is small, and otherwise the program itself: :math:`\theta_\ell` the angle
that enters layer :math:`\ell+1`, :math:`w_\ell` its haversine, :math:`c_\ell` the covariance,
:math:`q_\ell` the variance, :math:`d_\ell` the derivative factor and :math:`t_\ell` the tangent
kernel.

>>> from symspec.activations import relu
>>> from symspec.network import mlp
>>> tex(relu.dual())
'\\frac{\\rho \\left(\\pi - \\arccos{\\left(\\rho \\right)}\\right) + \\sqrt{1 - \\rho^{2}}}{2 \\pi}'
>>> written_size(mlp(relu, 64).ntk.program) > 10**30
True
>>> mlp(relu, 64).ntk.latex().count("\n")
258
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, S, Symbol
from sympy.printing.latex import LatexPrinter

from .program import RHO, THETA0, Line, Program, tree_size
from .strip_functions import SeriesDual

if TYPE_CHECKING:
    from .convolution import ConvolutionalNetwork
    from .dual import Dual
    from .kernel import Kernel
    from .layers import Architecture
    from .network import Network
    from .residual import ResidualNetwork
    from .singularity import Expansion

CLOSED_FORM_NODES = 150
# Beyond this many nodes before simplification no closed form ends below the limit above.
TRIED_NODES = 2000
LINE_WIDTH = 62

Row = tuple[str, str]


class _Printer(LatexPrinter):
    """sympy's printer, with indicator functions instead of Heaviside's theta, which is an angle here."""

    def _print_Heaviside(self, expr: Expr, exp: str | None = None) -> str:
        edge, moving = expr.args[0].as_independent(*expr.args[0].free_symbols, as_Add=True)
        return rf"\mathbf{{1}}_{{{self._print(moving)} > {self._print(-edge)}}}"

    def _print_DiracDelta(self, expr: Expr, exp: str | None = None) -> str:
        return rf"\delta\left({self._print(expr.args[0])}\right)"


def tex(expr: Expr) -> str:
    """LaTeX of an expression of the engine, for use in mathematics mode."""
    return _Printer({"inv_trig_style": "full"}).doprint(expr)


def written_size(program: Program) -> int:
    """Nodes of the program's output written out, without writing it out."""
    sizes: dict[Symbol, int] = {}
    for line in program.lines:
        sizes[line.symbol] = _size(line.expr, sizes)
    return _size(program.output, sizes)


def _size(expr: Expr, sizes: dict[Symbol, int]) -> int:
    return sum(sizes.get(node, 1) for node in sympy.preorder_traversal(expr))


def closed_form(kernel: Kernel, nodes: int = CLOSED_FORM_NODES) -> Expr | None:
    """K(rho) as one expression of fewer than ``nodes`` nodes, or None."""
    if written_size(kernel.program) > TRIED_NODES:
        return None
    expr = kernel()
    return expr if tree_size(expr) < nodes else None


def kernel_latex(kernel: Kernel) -> str:
    """LaTeX of a kernel for mathematics mode: the closed form if short, else an ``aligned`` recursion."""
    expr = closed_form(kernel)
    definitions = series_rows(kernel.program)
    if expr is not None and not definitions:
        text = broken(expr)
        return f"\\begin{{aligned}}\n& {text}\n\\end{{aligned}}" if "\\\\" in text else text
    rows = [row(line) for line in kernel.program.lines]
    if THETA0 in kernel.program.inputs:
        rows.insert(0, (tex(THETA0), rf"\arccos {tex(RHO)}"))
    if expr is not None:
        rows = []
    rows.append((rf"K({tex(RHO)})", broken(kernel.program.output if expr is None else expr)))
    return aligned([*rows, *definitions])


def series_rows(program: Program) -> list[Row]:
    """What sigma and its dual are, for a program with duals that have no closed form."""
    profiles = sorted({item.args[0] for item in program.series_duals}, key=str)
    if not profiles:
        return []
    rows = [(r"\sigma(x)", broken(profile.function)) for profile in profiles]
    return [*rows, (r"\widehat{\sigma}_q(c)", _EXPECTATION % (r"\sigma", r"\sigma") + r",\ u, v \text{ of variance } q, \text{covariance } c; \ \widehat{\sigma}=\widehat{\sigma}_1")]


_EXPECTATION = r"E\left[%s(u)\,%s(v)\right]"


def display(mathematics: str) -> str:
    """A displayed formula for a document; an ``aligned`` block becomes one that breaks across pages."""
    start, end = "\\begin{aligned}", "\\end{aligned}"
    if mathematics.startswith(start) and mathematics.endswith(end):
        return f"\\begin{{align*}}{mathematics[len(start) : -len(end)]}\\end{{align*}}"
    return f"\\[ {mathematics} \\]"


def row(line: Line) -> Row:
    """The two sides of a line's equation."""
    return tex(line.symbol), broken(line.expr)


def aligned(rows: list[Row]) -> str:
    """An ``aligned`` environment of equations left = right."""
    return "\\begin{aligned}\n" + " \\\\\n".join(f"{left} &= {right}" for left, right in rows) + "\n\\end{aligned}"


def broken(expr: Expr) -> str:
    """A sum too wide for a page, broken between its terms."""
    text = tex(expr)
    if _width(text) <= LINE_WIDTH:
        return text
    expr = expr if expr.is_Add else sympy.expand(expr, deep=False, power_base=False, power_exp=False)
    if not expr.is_Add:
        return text
    lines: list[str] = []
    current = ""
    for term in expr.as_ordered_terms():
        piece = tex(term)
        piece = piece if piece.startswith("-") or not (lines or current) else f"+ {piece}"
        if current and _width(current) + _width(piece) > LINE_WIDTH:
            lines.append(current)
            current = ""
        current = f"{current} {piece}".strip()
    return " \\\\\n&\\quad ".join([*lines, current])


def _width(text: str) -> int:
    """A rough count of the symbols that stand side by side."""
    text = re.sub(r"\\(left|right|displaystyle|operatorname|mathbf)\b", "", text)
    return len(re.sub(r"\\[a-zA-Z]+", "m", re.sub(r"[{}^_\s]", "", text)))


def expansion_latex(item: Expansion) -> str:
    """K = ... in s = sin(theta/2) at rho = 1, cos(theta/2) at rho = -1, with the names it uses below."""
    end = "1" if item.end > 0 else "-1"
    variable = r"\sqrt{(1-\rho)/2}" if item.end > 0 else r"\sqrt{(1+\rho)/2}"
    rows = [("K", series_latex(item.series.terms, item.series.order, "s", item.root) + rf" \qquad (\rho\to {end},\ s={variable})")]
    rows += [(tex(symbol), broken(value)) for symbol, value in item.used_names().items()]
    return aligned(rows) if len(rows) > 1 else " = ".join(rows[0])


def series_latex(terms: Mapping[int, Expr], order: int, letter: str, root: int = 1) -> str:
    """sum of terms[j] letter^(j/root) + O(letter^(order/root)), ascending."""
    text = ""
    for j in sorted(terms):
        power, value = _power(letter, j, root), terms[j]
        piece = tex(value) if j == 0 else "-" + power if value == -1 else power if value == 1 else rf"{_bracket(value)}\,{power}"
        text += piece if not text or piece.startswith("-") else f" + {piece}"
    rest = rf"O\left({_power(letter, order, root)}\right)"
    return f"{text} + {rest}" if text else rest


def _power(letter: str, j: int, root: int) -> str:
    exponent = sympy.Rational(j, root)
    return "1" if exponent == 0 else letter if exponent == 1 else f"{letter}^{{{exponent}}}"


def _bracket(value: Expr) -> str:
    return rf"\left({tex(value)}\right)" if value.is_Add else tex(value)


def network_latex(network: Network) -> str:
    """The network's recursion for mathematics mode: activation, its dual, the dual of its derivative, the layers."""
    if network.parametrisation.normalised:
        return aligned(activation_rows(network, S.One, r"\widehat{%s}(\rho)") + _normalised_rows(network))
    return aligned(activation_rows(network, Symbol("q", positive=True), r"V_{%s}(q,\rho)") + _ntk_rows(network))


def activation_rows(network: Architecture | ConvolutionalNetwork, variance: Expr, name: str) -> list[Row]:
    """The activation and the two duals at one variance, written as ``name`` of sigma and sigma'."""
    functions = network.nonlinearity.dual, network.nonlinearity.slope_dual
    duals = [(name % symbol, _dual_text(function, variance, symbol)) for symbol, function in zip((r"\sigma", r"\sigma'"), functions, strict=True)]
    return [(r"\sigma(x)", broken(network.activation.form.as_expr())), *duals]


def _dual_text(function: Dual, variance: Expr, symbol: str) -> str:
    """The dual in closed form, or what it stands for."""
    expr = function.at(RHO, variance, variance)
    return _EXPECTATION % (symbol, symbol) if isinstance(expr, SeriesDual) else broken(expr)


def second_moment_text(expr: Expr) -> str:
    return r"E\left[\sigma(Z)^2\right]" if isinstance(expr, SeriesDual) else tex(expr)


def _layers(network: Architecture) -> str:
    few = {0: "", 1: r"\qquad \ell = 1", 2: r"\qquad \ell = 1, 2"}
    return few.get(network.depth, rf"\qquad \ell = 1,\dots,{network.depth}")


def _normalised_rows(network: Network) -> list[Row]:
    one = second_moment_text(network.activation.dual_object.diagonal(S.One))
    return [
        (r"\widehat{\sigma}(1)", one),
        (r"\Sigma^{0} = \Theta^{0}", r"\rho"),
        (r"\Sigma^{\ell}", r"\widehat{\sigma}(\Sigma^{\ell-1}) / \widehat{\sigma}(1)," + _layers(network)),
        (r"\Theta^{\ell}", r"\Sigma^{\ell} + \Theta^{\ell-1}\,\widehat{\sigma'}(\Sigma^{\ell-1}) / \widehat{\sigma}(1)" + _kernels(network, r"\Sigma")),
    ]


def _ntk_rows(network: Network) -> list[Row]:
    par = network.parametrisation
    assert par.sigma_w2 is not None
    weight = "" if par.sigma_w2 == 1 else tex(par.sigma_w2) + r"\,"
    bias = "" if par.sigma_b2 == 0 else rf" + {tex(par.sigma_b2)}"
    start = par.sigma_w2 * par.input_variance
    return [
        (r"q_{0}", tex(start + par.sigma_b2)),
        (r"q_{\ell}", rf"{weight}V_{{\sigma}}(q_{{\ell-1}}, 1){bias}," + _layers(network)),
        (r"\Sigma^{0} = \Theta^{0}", tex(start * RHO + par.sigma_b2)),
        (r"\Sigma^{\ell}", rf"{weight}V_{{\sigma}}\left(q_{{\ell-1}}, \Sigma^{{\ell-1}}/q_{{\ell-1}}\right){bias}"),
        (r"\Theta^{\ell}", rf"\Sigma^{{\ell}} + {weight}\Theta^{{\ell-1}}\,V_{{\sigma'}}\left(q_{{\ell-1}}, \Sigma^{{\ell-1}}/q_{{\ell-1}}\right)" + _kernels(network, r"\Sigma")),
    ]


def _kernels(network: Network, symbol: str) -> str:
    return r" \\" + "\n" + rf"K_{{\mathrm{{CK}}}} &= {symbol}^{{{network.depth}}}, \qquad K_{{\mathrm{{NTK}}}} = \Theta^{{{network.depth}}}"


def parametrisation_text(network: Network) -> str:
    """One sentence, LaTeX text mode, that says which recursion :func:`network_latex` writes."""
    par = network.parametrisation
    if par.normalised:
        return r"Normalised recursion: every layer is divided by $\widehat\sigma(1)$, so that the conjugate kernel is 1 on the diagonal."
    values = rf"$\sigma_w^2={tex(par.sigma_w2)}$, $\sigma_b^2={tex(par.sigma_b2)}$"
    inputs = rf"inputs of $|x|^2/d={tex(par.input_variance)}$"
    meaning = r"$V_f(q,\rho)=E[f(u)f(v)]$ for variances $q$ and correlation $\rho$"
    return f"NTK parametrisation in every dense layer, readout included, with {values} and {inputs}; {meaning}."


def residual_latex(network: ResidualNetwork) -> str:
    """The recursion of a residual network for mathematics mode, in the notation of :mod:`symspec.residual`."""
    square, depth = tex(network.alpha**2), network.depth
    one = second_moment_text(network.nonlinearity.second_moment)
    rows = activation_rows(network, S.One, r"\widehat{%s}(\rho)")
    rows += [
        (r"\widehat{\sigma}(1)", one),
        (r"\kappa, \kappa'", r"\widehat{\sigma} / \widehat{\sigma}(1),\ \widehat{\sigma'} / \widehat{\sigma}(1)"),
        (r"u_{0}", r"\rho"),
        (r"u_{\ell}", rf"\frac{{u_{{\ell-1}} + {square}\,\kappa(u_{{\ell-1}})}}{{{tex(1 + network.alpha**2)}}}," + _layers(network)),
        (r"K_{\mathrm{CK}}", rf"u_{{{depth}}}"),
    ]
    if depth:
        rows += [
            (r"\Theta^{0}", "0"),
            (
                r"\Theta^{\ell}",
                rf"\Theta^{{\ell-1}}\,\frac{{1 + {square}\,\kappa'(u_{{\ell-1}})}}{{{tex(1 + network.alpha**2)}}}"
                r" + u_{\ell-1}\,\kappa'(u_{\ell-1}) + \kappa(u_{\ell-1})",
            ),
            (r"K_{\mathrm{NTK}}", rf"\frac{{1}}{{{2 * depth}}}\Theta^{{{depth}}}"),
        ]
    return aligned(rows)


def residual_text(network: ResidualNetwork) -> str:
    """One sentence, LaTeX text mode, that says which recursion :func:`residual_latex` writes."""
    return (
        rf"Residual blocks $x + \alpha\,V\sigma(Wx)$ with $\alpha={tex(network.alpha)}$, every preactivation of variance 1 and $V$, $W$ trained; "
        r"$u_\ell$ is the correlation after block $\ell$, and the tangent kernel is divided by $2L\alpha^2(1+\alpha^2)^{L-1}$, $L$ the depth, "
        r"so that it is 1 on the diagonal for ReLU."
    )


_SPECIAL = {"<": "$<$", ">": "$>$", "|": "$|$", "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {c: "\\" + c for c in "&%$#_{}"}


def escape(text: str) -> str:
    """Plain text for LaTeX text mode."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def document(title: str, body: str) -> str:
    """A complete LaTeX document; ``title`` and ``body`` are LaTeX."""
    packages = [rf"\usepackage{package}" for package in _PACKAGES]
    head = [r"\documentclass[11pt,a4paper]{article}", *packages, r"\allowdisplaybreaks", rf"\title{{{title}}}", r"\date{}"]
    return "\n".join([*head, r"\begin{document}", r"\maketitle", body, r"\end{document}", ""])


_PACKAGES = ("[margin=22mm]{geometry}", "{amsmath}", "{amssymb}", "{amsthm}", "{booktabs}", "{longtable}", "{graphicx}", "[hidelinks]{hyperref}")

__all__ = [
    "activation_rows",
    "aligned",
    "broken",
    "closed_form",
    "display",
    "document",
    "escape",
    "expansion_latex",
    "kernel_latex",
    "network_latex",
    "parametrisation_text",
    "residual_latex",
    "residual_text",
    "row",
    "second_moment_text",
    "series_latex",
    "tex",
    "written_size",
]
