"""The shares of the weight layers by degree, stacked to 1: early layers at the bottom.

>>> import symspec as ss, tempfile
>>> from numerics.layer_contributions import layer_shares
>>> net, sphere = ss.mlp(ss.relu, 1), ss.Sphere(3)
>>> with tempfile.TemporaryDirectory() as folder:
...     draw_shares(f"{folder}/shares.png", net, sphere, dict(enumerate(layer_shares(net, sphere, range(4), 4))))
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from flint import arb

from symspec.domain import Domain
from symspec.drawing import PALETTE, sheet
from symspec.layers import Architecture


def draw_shares(file: str | os.PathLike[str], network: Architecture, domain: Domain, rows: Mapping[int, tuple[arb, ...] | None]) -> None:
    """Draw the shares of the degrees that have any. Raises MissingLibrary without matplotlib, OutputError for a bad file."""
    shown = {k: shares for k, shares in rows.items() if shares is not None}
    with sheet((6.4, 3.9), file) as figure:
        axis = figure.subplots()
        positions, bottoms = list(range(len(shown))), [0.0] * len(shown)
        for layer in range(len(network.ntk_layers)):
            heights = [float(shares[layer]) for shares in shown.values()]
            axis.bar(positions, heights, width=0.86, bottom=bottoms, color=PALETTE[layer % len(PALETTE)], label=f"layer {layer + 1}", edgecolor="white", linewidth=0.4)
            bottoms = [low + height for low, height in zip(bottoms, heights, strict=True)]
        step = max(1, -(-len(shown) // 16))
        axis.set_xticks(positions[::step], [str(k) for k in list(shown)[::step]])
        axis.set(xlabel="degree $k$", ylabel="share of the tangent kernel", ylim=(0, 1))
        axis.grid(visible=False, axis="x")
        axis.set_title(f"{network} on {domain.latex_name}", fontsize=10.5)
        figure.legend(loc="outside right center", reverse=True, fontsize=9)


__all__ = ["draw_shares"]
