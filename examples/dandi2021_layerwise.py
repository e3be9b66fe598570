"""Dandi and Jacot 2021 (arXiv 2111.03972): what the layers of a ReLU network contribute to its tangent kernel.

The claim of the paper: the difference between the parts of consecutive layers has a sign, and early layers hold the high
frequencies. Here it becomes, with every number certified:

1. the difference of consecutive layers in closed form;
2. the constants of the far end, b_s and p_L, beside the reference figures;
3. the decay law of every layer with its exact constant, for the depth and dimension asked, and the law at symbolic depth;
4. the share of every layer degree by degree, tending to an exact limit, which is 0 for the last layer;
5. the theorem "layer l dominates layer l + 1 at every degree from k_0 on, in every dimension", decided;
6. the share of every layer in the reduction of the error while a target of several degrees is learned;
7. learning curves of kernel regression with the whole kernel, beside simulated regressions.

    python examples/dandi2021_layerwise.py [--depth N] [--dimension D] [--out FOLDER] [--quick]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from flint import arb

import gpu
import numerics
import symspec as ss
from numerics.layer_plot import draw_shares
from symspec.drawing import PALETTE, sheet
from symspec.errors import MissingLibrary

# L: p_L, as published to the printed digits (for L layers in the paper's count, depth L - 1).
REFERENCE_P = {2: "1", 3: "0.5", 4: "0.3015576", 5: "0.2003450"}
TARGET = {1: 1, 2: 1, 4: 1, 8: 1}
TIMES = tuple(10**i for i in range(8))


def drawn(draw: Callable[[], None]) -> None:
    """Draw, or say why there is no picture."""
    try:
        draw()
    except MissingLibrary as reason:
        print(f"   {reason}")


def far_product(layers: int) -> arb:
    """p_L, the product over s = 2..L-1 of kappa_0(b_s), where b_s is the conjugate kernel of depth s - 1 at correlation -1."""
    value = arb(1)
    for s in range(2, layers):
        correlation = numerics.evaluate(ss.mlp(ss.relu, s - 1).ck, -1, digits=30)
        value = value * (1 - correlation.acos() / arb.pi())
    return value


def difference_of_layers(network: ss.Network) -> None:
    """Step 1."""
    print("1. the difference of the parts of consecutive layers")
    for layer in range(1, network.depth + 1):
        print(f"   {ss.layer_difference(network, layer).latex()}")


def constants_of_the_far_end() -> bool:
    """Step 2; whether every printed digit of the reference is right."""
    print("2. p_L: certified, reference, difference")
    good = True
    for layers, text in REFERENCE_P.items():
        value = far_product(layers)
        error = abs(value - arb(text))
        good &= bool(error < arb(f"0.5e-{len(text.partition('.')[2])}") or error.contains(0))
        print(f"   L = {layers}: {value.str(12, radius=False):>16}  {text:>9}  {float(error):.1e}")
    return good


def laws(network: ss.Network, sphere: ss.Sphere) -> bool:
    """Step 3; whether each constant is ((L - l) + (-1)^k p_L [l = 1]) A_d."""
    print("3. decay law of each layer")
    count, good = network.depth + 1, True
    scale = (arb(2) ** (sphere.d - 2)) * (arb(sphere.d) / 2).gamma() ** 2 / arb.pi() ** 2
    for layer, part in enumerate(network.ntk_layers, start=1):
        law = ss.decay(part, sphere)
        print(f"   layer {layer}: {law.summary()}")
        for parity, sign in (("even", 1), ("odd", -1)):
            expected = (count - layer + (sign * far_product(count) if layer == 1 else 0)) * scale
            if layer < count:
                good &= bool(numerics.decay_constant(law, parity).overlaps(expected))
    print(f"   at symbolic depth, first layer: {ss.depth_law('relu', 'layer', layer=1, domain=sphere).summary()}")
    return good


def shares(network: ss.Network, sphere: ss.Sphere, top: int, folder: Path) -> None:
    """Step 4."""
    print("4. shares of the layers in the tangent kernel")
    degrees = [*range(top + 1), 1000, 1001]
    rows = dict(zip(degrees, numerics.layer_shares(network, sphere, degrees, 10), strict=True))
    for k in (0, 1, 2, 3, 4, 8, 16, 1000, 1001):
        if rows.get(k):
            print(f"   k = {k:<5}" + "  ".join(share.str(6, radius=False) for share in rows[k]))
    for parity, limits in ss.limit_shares(network, sphere).items():
        print(f"   {parity} limit: " + "  ".join(f"{float(value):.6f}" for value in limits))
    drawn(lambda: draw_shares(folder / "shares.png", network, sphere, {k: rows[k] for k in range(top + 1)}))


def dominance(network: ss.Network, sphere: ss.Sphere) -> None:
    """Step 5."""
    print("5. which layer dominates, for every degree and dimension")
    for layer in range(1, network.depth + 1):
        found = numerics.layer_domination(network, layer)
        print(f"   layer {layer} over layer {layer + 1}: every k >= {found.holds_from} in every dimension; on {sphere} every k >= {found.on(sphere)}; negative coefficients {list(found.negative)}")


def training(network: ss.Network, sphere: ss.Sphere, folder: Path) -> None:
    """Step 6."""
    print(f"6. gradient flow on a target of the degrees {', '.join(map(str, TARGET))}, equal energies")
    found = numerics.error_reduction(network, sphere, TARGET, TIMES, 10)
    for item in found:
        print(f"   t = {float(item.time):<10.0f} reduced {float(item.reduced):.6f}  shares " + "  ".join(f"{float(share):.4f}" for share in item.shares))
    drawn(lambda: draw_training(network, sphere, found, folder / "training.png"))


def draw_training(network: ss.Network, sphere: ss.Sphere, found: list[numerics.Reduction], file: Path) -> None:
    """Shares in the reduction so far, over time."""
    with sheet((6.4, 4.0), file) as figure:
        axis = figure.subplots()
        times = [float(item.time) for item in found]
        for layer in range(network.depth + 1):
            axis.plot(times, [float(item.shares[layer]) for item in found], color=PALETTE[layer], marker="o", markersize=3.5, label=f"layer {layer + 1}")
        axis.plot(times, [float(item.reduced) for item in found], color="black", linestyle="--", linewidth=1, label="error reduced")
        axis.set(xscale="log", xlabel="training time (units of 1/eigenvalue)", ylabel="share of the reduction so far", ylim=(0, 1.02))
        axis.set_title(f"{network} on {sphere.latex_name}: who learns what, when", fontsize=10.5)
        axis.legend(fontsize=9)


def regression(network: ss.Network, sphere: ss.Sphere, folder: Path, *, quick: bool) -> None:
    """Step 7."""
    print("7. learning curve of kernel regression, ridge 1/100, noise 1/100: predicted, simulated")
    energies, options = {1: 1, 2: 1}, {"ridge": "1/100", "noise": "1/100"}
    sizes = (20, 50, 100, 200) if quick else (10, 20, 50, 100, 200, 500, 1000)
    checks = [gpu.ridge_check(network.ntk, sphere, energies, n, trials=10 if quick else 40, seed=1, **options) for n in sizes]
    for check in checks:
        print(f"   n = {check.samples:<5} {float(check.predicted.error):.5f}   {check.estimate:.5f} +- {check.standard_error:.5f}")
    drawn(lambda: draw_curve(network, sphere, checks, folder / "learning-curve.png"))


def draw_curve(network: ss.Network, sphere: ss.Sphere, checks: list[gpu.RidgeCheck], file: Path) -> None:
    """The predicted curve and the simulated points."""
    with sheet((6.4, 4.0), file) as figure:
        axis, sizes = figure.subplots(), [check.samples for check in checks]
        axis.plot(sizes, [float(check.predicted.error) for check in checks], color=PALETTE[0], label="predicted from the certified spectrum")
        axis.errorbar(sizes, [c.estimate for c in checks], yerr=[2 * c.standard_error for c in checks], color=PALETTE[1], fmt="o", markersize=4, capsize=2, label="simulated (two standard errors)")
        axis.set(xscale="log", yscale="log", xlabel="samples", ylabel="test error")
        axis.set_xticks(sizes, [str(n) for n in sizes])
        axis.minorticks_off()
        axis.set_title(f"NTK of {network} on {sphere.latex_name}", fontsize=10.5)
        axis.legend(fontsize=9)


def main(arguments: list[str] | None = None) -> int:
    """Print the seven steps and draw; exit status 1 where a reference figure is not met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--depth", type=int)
    parser.add_argument("--dimension", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("layerwise"))
    parser.add_argument("--quick", action="store_true", help="depth 2, fewer simulations: under a minute")
    args = parser.parse_args(arguments)
    network = ss.mlp(ss.relu, args.depth or (2 if args.quick else 4))
    sphere = ss.Sphere(args.dimension)
    args.out.mkdir(parents=True, exist_ok=True)

    difference_of_layers(network)
    good = constants_of_the_far_end()
    good &= laws(network, sphere)
    shares(network, sphere, 16 if args.quick else 30, args.out)
    dominance(network, sphere)
    training(network, sphere, args.out)
    regression(network, sphere, args.out, quick=args.quick)
    print("every reference figure is met" if good else "a reference figure is NOT met")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
