r"""LaTeX of the recursion of a convolutional network.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> print(cnn(relu, 1, 2, 2).ck.latex().splitlines()[1])
C_{1}[p,q] &= \frac{1}{2}\sum_{o\in\{0,1\}} t_{p+o,q+o}\\
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from .latex import tex

if TYPE_CHECKING:
    from .pixel_kernel import PixelKernel


def recursion(kernel: PixelKernel) -> str:
    """The recursion of the network that the kernel was taken from, or the product of those of its factors."""
    if kernel.more or kernel.origin is None:
        return r"\cdot".join(rf"\mathrm{{{'K'}}}_{{{index}}}" for index, _ in enumerate(kernel.factors, 1))
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


__all__ = ["recursion"]
