r"""The recursion of convolutional networks and of trees, in LaTeX and in plain text.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> print(cnn(relu, 1, 2, 2).ck.latex().splitlines()[1])
C_{1}[p,q] &= \frac{1}{2}\sum_{o\in\{0,1\}} t_{p+o,q+o}\\
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from sympy import S

from .expectation import Q
from .latex import activation_rows, aligned, broken, second_moment_text, tex
from .program import RHO

if TYPE_CHECKING:
    from .convolution import ConvolutionalNetwork
    from .pixel_kernel import PixelKernel
    from .pixel_program import PixelProgram


def recursion(kernel: PixelKernel) -> str:
    """The recursion of the network that the kernel was taken from, or the product of those of its factors."""
    if kernel.more:
        return r"\cdot".join(rf"\mathrm{{{'K'}}}_{{{index}}}" for index, _ in enumerate(kernel.factors, 1))
    if kernel.origin is None:
        return _tree(kernel.program)
    network, part = kernel.origin, kernel.program.part
    lines = []
    for layer, patch in enumerate(network.patches, 1):
        filters, strides = network.geometry(layer)
        source = "t" if layer == 1 else f"V_{{{layer - 1}}}"
        index = _index(filters, strides)
        inner = f"{source}_{{{index}}}" if layer == 1 else f"{source}[{index}]"
        head = "" if patch.size == 1 else rf"\sum_{{o\in{_offsets(filters)}}} "
        lines.append(rf"C_{{{layer}}}[p,q] &= {_factor(patch.scale)}{head}{inner}{_bias(patch.bias)}")
        lines.append(rf"V_{{{layer}}}[p,q] &= \widehat\sigma\bigl(C_{{{layer}}}[p,q]\bigr)")
        if part == "ntk" or (isinstance(part, int) and layer >= part):
            lines.append(_tangent(layer, patch, part, head, index))
    lines.append(_head(network, kernel.program))
    return "\\begin{aligned}\n" + "\\\\\n".join(lines) + "\n\\end{aligned}"


def _tree(program: PixelProgram) -> str:
    """The levels of a hierarchical kernel, each a function of the mean of consecutive nodes."""
    rows = []
    for layer, patch in enumerate(program.patches, 1):
        function = program.dual.at(layer).nonlinearity
        source = "t" if layer == 1 else f"K_{{{layer - 1}}}"
        inner = f"{source}_{{p}}" if patch.size == 1 else rf"\frac{{1}}{{{patch.size}}}\sum_{{j=0}}^{{{patch.size - 1}}} {source}_{{{patch.size}p+j}}"
        rows.append((rf"f_{{{layer}}}(\rho)", broken(function.dual.at(RHO) / function.second_moment)))
        rows.append((rf"K_{{{layer},p}}" if layer < program.depth else "K", rf"f_{{{layer}}}\Bigl({inner}\Bigr)"))
    return aligned(rows)


def network_latex(network: ConvolutionalNetwork) -> str:
    """The definitions of a network: its activation, the duals, and both kernels."""
    if not _unit_variances(network):
        return aligned(activation_rows(network, Q, r"\widehat{%s}(q\rho)"))
    rows = activation_rows(network, S.One, r"\widehat{%s}(\rho)")
    if network.depth:
        rows.append((r"\widehat{\sigma}(1)", second_moment_text(network.nonlinearity.second_moment)))
    return aligned(rows)


def network_text(network: ConvolutionalNetwork) -> str:
    """What the recursion means, LaTeX text mode."""
    par = network.parametrisation
    if par.sigma_w2 is None:
        how = r"Normalised recursion: every layer is divided by $\widehat\sigma(1)$"
        how += ", so that the conjugate kernel is 1 on the diagonal." if network.padding == "circular" else "; under zero padding units near the border have smaller variances."
    else:
        how = rf"NTK parametrisation in every layer, readout included, with $\sigma_w^2={tex(par.sigma_w2)}$ and $\sigma_b^2={tex(par.sigma_b2)}$."
    return (
        rf"{how} $t_{{ij}}=\langle x_i,z_j\rangle$ are the correlations of pixels of norm 1, $C_\ell[p,q]$ the covariance of unit $p$ on $x$ with unit $q$ on $z$ before "
        r"activation $\ell$, and $\widehat\sigma(C)=E\sigma(u)\sigma(v)$ for a Gaussian pair of that covariance and of the variances that the same recursion gives for "
        r"$x=z$; below it is written for " + ("unit variances" if _unit_variances(network) else "two equal variances $q$") + r" and the correlation $\rho$."
    )


def _unit_variances(network: ConvolutionalNetwork) -> bool:
    """Whether every unit has the variance 1."""
    return network.parametrisation.sigma_w2 is None and network.padding == "circular"


def plain_recursion(kernel: PixelKernel) -> list[tuple[str, str]]:
    """(symbol, expression) line by line in plain text; dual and dual' are the duals of the activation and of its slope."""
    network, part, rows = kernel.origin, kernel.program.part, []
    for layer, patch in enumerate(network.patches, 1):
        filters, strides = network.geometry(layer)
        place = _index(filters, strides)
        over = "" if patch.size == 1 else f"sum over o in {_offsets(filters)} of ".replace("\\", "")
        scale = "" if patch.scale == 1 else f"{patch.scale} * "
        bias = "" if patch.bias == 0 else f" + {patch.bias}"
        rows.append((f"C_{layer}[p,q]", f"{scale}{over}{'t' if layer == 1 else f'V_{layer - 1}'}[{place}]{bias}"))
        rows.append((f"V_{layer}[p,q]", f"dual(C_{layer}[p,q])"))
        if part == "ntk" or (isinstance(part, int) and part <= layer):
            below = f"{scale}{over}dual'(C_{layer - 1}[{place}]) * T_{layer - 1}[{place}]"
            own = f"C_{layer}[p,q]"
            rows.append((f"T_{layer}[p,q]", own if layer in (1, part) else f"{own} + {below}" if part == "ntk" else below))
    return rows


def plain_head(kernel: PixelKernel) -> str:
    """The output in plain text."""
    network, program = kernel.origin, kernel.program
    depth, readout = program.depth, program.readout
    p = network.output
    text = {"eq": f"%s at p = q = {p}", "trace": "mean over p = q of %s", "gap": "mean over p, q of %s"}[network.head]
    scale = "" if readout.weight == 1 else f"{readout.weight} * "
    value, terms = f"V_{depth}[p,q]" if depth else "t[p,q]", []
    if program.part in ("ck", "ntk", depth + 1):
        terms.append(scale + text % value + ("" if readout.bias == 0 else f" + {readout.bias}"))
    if program.reads_slopes():
        terms.append(scale + text % f"dual'(C_{depth}[p,q]) * T_{depth}[p,q]")
    return " + ".join(terms)


def _tangent(layer: int, patch: Any, part: Any, head: str, index: str) -> str:
    own = f"C_{{{layer}}}[p,q]"
    below = rf"{_factor(patch.scale)}{head}\widehat{{\sigma'}}(C_{{{layer - 1}}}[{index}])\,T_{{{layer - 1}}}[{index}]"
    if layer in (1, part):
        return rf"T_{{{layer}}}[p,q] &= {own}"
    return rf"T_{{{layer}}}[p,q] &= {own + ' + ' if part == 'ntk' else ''}{below}"


def _head(network: Any, program: Any) -> str:
    depth, readout = network.depth, program.readout
    sums = {"eq": "{}[p_0,p_0]", "trace": r"\frac1{{P'}}\sum_p{}[p,p]", "gap": r"\frac1{{P'^2}}\sum_{{p,q}}{}[p,q]"}
    value = f"V_{{{depth}}}" if depth else "t"
    terms = []
    if program.part in ("ck", "ntk", depth + 1):
        terms.append(_factor(readout.weight) + sums[network.head].format(value) + _bias(readout.bias))
    if program.reads_slopes():
        terms.append(_factor(readout.weight) + sums[network.head].format(rf"\bigl(\widehat{{\sigma'}}(C_{{{depth}}})T_{{{depth}}}\bigr)"))
    return "K &= " + " + ".join(terms)


def _index(filters: tuple[int, ...], strides: tuple[int, ...]) -> str:
    shift = "+o" if set(filters) != {1} else ""
    factor = "" if set(strides) == {1} else (str(strides[0]) if len(set(strides)) == 1 else "s")
    return f"{factor}p{shift},{factor}q{shift}"


def _offsets(filters: tuple[int, ...]) -> str:
    axes = [range(-((k - 1) // 2), k // 2 + 1) for k in filters]
    if len(axes) == 1:
        return r"\{" + ",".join(map(str, axes[0])) + r"\}"
    return r"\{" + ",".join("(" + ",".join(map(str, offset)) + ")" for offset in product(*axes)) + r"\}"


def _factor(value: Any) -> str:
    return "" if value == 1 else tex(value)


def _bias(value: Any) -> str:
    return "" if value == 0 else f" + {tex(value)}"


__all__ = ["network_latex", "network_text", "plain_head", "plain_recursion", "recursion"]
