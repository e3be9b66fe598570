"""Rahaman et al. 2018 (arXiv 1806.08734): the Fourier spectrum of ReLU networks, exact for the networks that are trained here.

The claims of the paper: a ReLU network's spectrum decays at least like k^-2; low frequencies are learned first; a curved input manifold makes high frequencies easy. Every spectrum
below belongs to the trained network itself: its kinks are exact rationals, its transform a proved ball.

1. a network is trained on a sum of sines of the frequencies 5, 10, ..., 50; its exact spectrum through training is a heat map, low frequencies first;
2. the proved envelope TV(f')/k^2 over the spectrum of the network on the whole line;
3. the same target on the curves gamma_L, a circle with L petals: certified coefficients of f(gamma_L(z)), L = 0, 4, 10, 16;
4. the network of one of the curves in the plane: exact linear regions, and how its transform decays in a generic direction and normal to a facet;
5. the Lipschitz chain, the derivative of the spectrum by a parameter, and the volume of the parameters with a high frequency.

    python examples/rahaman2018_relu_fourier.py [--width N] [--depth N] [--steps N] [--out FOLDER] [--quick]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import sympy
from flint import arb, fmpq
from threadpoolctl import threadpool_limits

import gpu
import numerics
import symspec as ss
from numerics.fourier_transform import fourier_bound
from symspec.drawing import DASHES, PALETTE, sheet
from symspec.errors import MissingLibrary
from symspec.ray_transforms import generic_direction, ray_transform

FREQUENCIES = tuple(range(5, 51, 5))
SAMPLES, PETALS = 200, (0, 4, 10, 16)
Array = numpy.ndarray
Layers = list[tuple[Array, Array]]


class Checkpoint(NamedTuple):
    """A network in training: the step, the mean squared error, and the weights."""

    step: int
    loss: float
    layers: Layers

    @property
    def network(self) -> ss.ReluNetwork:
        """The network with its weights taken at their exact binary values."""
        return ss.relu_network(self.layers)


def initial_layers(widths: Sequence[int], generator: numpy.random.Generator) -> Layers:
    """He's initialisation; first-layer biases uniform in [-1, 1], so that kinks begin inside the data."""
    layers = [(generator.standard_normal((b, a)) * (2 / a) ** 0.5, numpy.zeros(b)) for a, b in pairwise(widths)]
    layers[0] = (layers[0][0], generator.uniform(-1, 1, widths[1]))
    return layers


def trained(layers: Layers, inputs: Array, target: Array, checkpoints: Sequence[int], rate: float) -> Iterator[Checkpoint]:
    """Full-batch Adam (Kingma and Ba 2014) on the mean squared error."""
    parameters = [array.copy() for layer in layers for array in layer]
    mean, square = ([numpy.zeros_like(array) for array in parameters] for _ in range(2))
    for step in range(1, checkpoints[-1] + 1):
        gradients, loss = _gradients(parameters, inputs, target)
        if step in checkpoints:
            yield Checkpoint(step, loss, [(parameters[i].copy(), parameters[i + 1].copy()) for i in range(0, len(parameters), 2)])
        for parameter, gradient, first, second in zip(parameters, gradients, mean, square, strict=True):
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            parameter -= rate * (first / (1 - 0.9**step)) / (numpy.sqrt(second / (1 - 0.999**step)) + 1e-8)


def _gradients(parameters: list[Array], inputs: Array, target: Array) -> tuple[list[Array], float]:
    signals, last = [inputs], len(parameters) - 2
    for i in range(0, len(parameters), 2):
        z = signals[-1] @ parameters[i].T + parameters[i + 1]
        signals.append(z if i == last else numpy.maximum(z, 0))
    residual = signals[-1][:, 0] - target
    back = (2 * residual / len(target))[:, None]
    gradients: list[Array] = []
    for i in range(last, -1, -2):
        if i < last:
            back = back * (signals[i // 2 + 1] > 0)
        gradients = [back.T @ signals[i // 2], back.sum(0), *gradients]
        back = back @ parameters[i]
    return gradients, float((residual**2).mean())


def schedule(steps: int, count: int) -> list[int]:
    """Checkpoints, equally spaced in the logarithm."""
    return sorted({round(step) for step in numpy.geomspace(20, steps, count)})


def data(seed: int) -> tuple[Array, Array]:
    """200 points of [0, 1] and the sum of sines with random phases."""
    z = (numpy.arange(SAMPLES) + 0.5) / SAMPLES
    phases = numpy.random.default_rng(seed).uniform(0, 2 * numpy.pi, len(FREQUENCIES))
    return z, sum(numpy.sin(2 * numpy.pi * k * z + phase) for k, phase in zip(FREQUENCIES, phases, strict=True))


def drawn(draw: Callable[[], None]) -> None:
    """Draw, or say why there is no picture."""
    try:
        draw()
    except MissingLibrary as reason:
        print(f"   {reason}")


def on_the_interval(z: Array) -> Array:
    """The input 2z - 1."""
    return 2 * z[:, None] - 1


def heat_map(run: list[Checkpoint], file: Path) -> bool:
    """Step 1; whether the order of learning is that of the claim."""
    print(f"1. {run[0].network}, |f~(2 pi k)| over that of the target, exact kinks in [0, 1]")
    print("   step   loss   kinks  " + "  ".join(f"k={k:<3}" for k in FREQUENCIES))
    rows = []
    for checkpoint in run:
        # z in [0, 1] is the polyline from -1 to 1 in the input.
        window = checkpoint.network.restrict_to_polyline([[-1], [1]])
        values = numerics.fourier(window, [2 * sympy.pi * k for k in FREQUENCIES], digits=10)
        rows.append([2 * float(abs(value)) for value in values])
        print(f"   {checkpoint.step:<6} {checkpoint.loss:6.3f} {len(window.kinks):6d}  " + "  ".join(f"{x:5.3f}" for x in rows[-1]))
    halves = [next((c.step for c, row in zip(run, rows, strict=True) if row[i] >= 0.5), None) for i in range(len(FREQUENCIES))]
    print("   half learned at step: " + ", ".join(f"k={k}: {'-' if step is None else step}" for k, step in zip(FREQUENCIES, halves, strict=True)))
    drawn(lambda: draw_heat_map([c.step for c in run], rows, file))
    late = run[-1].step + 1
    low, middle, high = (halves[i] or late for i in (0, len(halves) // 2, -1))
    return low < middle <= high and low < high


def draw_heat_map(steps: list[int], rows: list[list[float]], file: Path) -> None:
    """Frequencies by steps, dark where learned."""
    with sheet((6.4, 4.0), file) as figure:
        axis = figure.subplots()
        image = axis.imshow(numpy.array(rows).T, aspect="auto", origin="lower", cmap="viridis", vmin=0, vmax=1)
        axis.set_xticks(range(len(steps)), [str(step) for step in steps], rotation=45)
        axis.set_yticks(range(len(FREQUENCIES)), [str(k) for k in FREQUENCIES])
        axis.grid(visible=False)
        axis.set(xlabel="training step", ylabel="frequency $k$")
        axis.set_title("Exact spectrum through training: low frequencies first", fontsize=10.5)
        figure.colorbar(image, ax=axis, label=r"$|\tilde f(2\pi k)|$ / target", extend="max")


def envelope(run: list[Checkpoint], file: Path, top: int) -> bool:
    """Step 2; whether every ball is below the proved envelope."""
    print("2. on the whole line: k^2 |f~(k)| <= TV(f') for every k")
    frequencies, curves, good = list(range(1, top + 1)), [], True
    for checkpoint in (run[len(run) // 3], run[-1]):
        f = checkpoint.network.restrict_to_line([0], [1])
        bound = fourier_bound(f)
        values = numerics.fourier(f, frequencies, digits=10)
        scaled = [abs(value) * k**2 for value, k in zip(values, frequencies, strict=True)]
        good &= all(value <= bound for value in scaled)
        print(f"   step {checkpoint.step}: {len(f.breakpoints)} kinks, TV = {float(bound):.4f}, largest k^2 |f~(k)| for k <= {top}: {max(map(float, scaled)):.4f}")
        curves.append((checkpoint.step, [float(abs(value)) for value in values], float(bound)))
    drawn(lambda: draw_envelope(frequencies, curves, file))
    return good


def draw_envelope(frequencies: list[int], curves: list[tuple[int, list[float], float]], file: Path) -> None:
    """Spectra and their envelopes."""
    with sheet((6.4, 4.2), file) as figure:
        axis, k = figure.subplots(), numpy.array(frequencies, float)
        for colour, (step, values, bound) in zip(PALETTE, curves, strict=False):
            axis.plot(k, values, color=colour, linewidth=0.6, label=rf"$|\tilde f(k)|$, step {step}")
            axis.plot(k, bound / k**2, color=colour, linestyle=DASHES, linewidth=1.3, label=rf"proved: ${math.ceil(bound)}/k^2$")
        axis.set(xscale="log", yscale="log", xlabel="frequency $k$ (in the input)", ylabel=r"$|\tilde f(k)|$")
        axis.set_ylim(bottom=max(1e-12, 0.03 * min(bound for _, _, bound in curves) / k[-1] ** 2))
        axis.set_title("The spectrum of the trained network below its envelope", fontsize=10.5)
        axis.legend(fontsize=9)


def flower_points(petals: int, z: Array) -> Array:
    """gamma_L(z), shape (n, 2)."""
    radius = 1 + numpy.sin(2 * numpy.pi * petals * z) / 2
    return numpy.stack([radius * numpy.cos(2 * numpy.pi * z), radius * numpy.sin(2 * numpy.pi * z)], axis=1)


def curves(widths: Sequence[int], steps: int, rate: float, file: Path) -> tuple[dict[int, Checkpoint], bool]:
    """Step 3: the final network of every L; and whether more petals taught the highest frequencies better."""
    print(f"3. the same target on gamma_L: certified |c_k| over that of the target, after {steps} steps")
    print("   L    loss   kinks  " + "  ".join(f"k={k:<3}" for k in FREQUENCIES))
    z, target = data(seed=1)
    last, rows = {}, {}
    for petals in PETALS:
        *_, final = trained(initial_layers(widths, numpy.random.default_rng(2)), flower_points(petals, z), target, [steps], rate)
        spectrum = numerics.curve_coefficients(final.network, ss.flower(petals), FREQUENCIES, digits=8)
        rows[petals] = [2 * float(abs(spectrum.coefficients[k])) for k in FREQUENCIES]
        last[petals] = final
        print(f"   {petals:<4} {final.loss:6.3f} {spectrum.kinks:6d}  " + "  ".join(f"{x:5.3f}" for x in rows[petals]))
    drawn(lambda: draw_curves(rows, file))
    return last, sum(rows[PETALS[0]][-3:]) < sum(rows[PETALS[-1]][-3:])


def draw_curves(rows: dict[int, list[float]], file: Path) -> None:
    """The learned share by frequency, a line for each L, and the curves themselves."""
    with sheet((9.0, 4.0), file) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(2, 1))
        z = numpy.linspace(0, 1, 2000)
        for colour, (petals, row) in zip(PALETTE, rows.items(), strict=False):
            left.plot(FREQUENCIES, row, color=colour, marker="o", markersize=3.5, label=f"$L={petals}$")
            right.plot(*flower_points(petals, z).T, color=colour, linewidth=1)
        left.axhline(1, color="black", linewidth=0.8, linestyle=DASHES)
        left.set(xlabel="frequency $k$ along the curve", ylabel="$|c_k|$ / target", ylim=(0, None))
        left.legend(fontsize=9)
        right.set(aspect="equal", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        right.set_title(r"$\gamma_L$", fontsize=10.5)
        figure.suptitle("Petals make high frequencies easy to learn", fontsize=10.5)


def regions(final: Checkpoint, petals: int, file: Path) -> bool:
    """Step 4; whether the orders are 2 and 3 and the transform follows them."""
    found = final.network.linear_regions([(Fraction(-3, 2), Fraction(3, 2))] * 2)
    found.check()
    print(f"4. the network of gamma_{petals}: {found}; TV(grad f) = {float(found.total_variation):.4f}; jumps cancel at every vertex")
    steepest = max(found.kinks, key=lambda facet: abs(facet.weight))
    good = True
    for name, direction, order in (("normal to a facet", steepest.normal, 2), ("generic", generic_direction(found), 3)):
        law = ray_transform(found, direction)
        length = Fraction(float(sum(float(x) ** 2 for x in direction)) ** 0.5)
        unit = [Fraction(x) / length for x in direction]
        sizes = [float(abs(numerics.fourier_parts(found, [x * t for x in unit], digits=10).interior)) for t in (10**2, 10**4, 10**6, 10**8)]
        scaled = "  ".join(f"{size * float(10**e) ** law.order:10.3e}" for size, e in zip(sizes, (2, 4, 6, 8), strict=True))
        print(f"   {name}: exact order {law.order}; |k|^{law.order} |f~(k)| at |k| = 10^2, 10^4, 10^6, 10^8: {scaled}")
        good &= law.order == order and 1e-3 < sizes[3] * float(10**8) ** order / (float(law.constant) * float(length) ** order) < 1.01
    drawn(lambda: draw_regions(found, petals, file))
    return good


def draw_regions(found: ss.LinearRegions, petals: int, file: Path) -> None:
    """The kinks of the network and the curve it was trained on."""
    with sheet((5.2, 4.9), file) as figure:
        from matplotlib.collections import LineCollection

        axis = figure.subplots()
        segments = [[[float(x) for x in found.vertices[v]] for v in facet.vertices] for facet in found.kinks]
        jumps = numpy.array([abs(float(facet.jump)) * sum(n * n for n in facet.normal) ** 0.5 for facet in found.kinks])
        axis.add_collection(LineCollection(segments, colors=PALETTE[0], linewidths=0.25 + 1.6 * (jumps / jumps.max()) ** 0.5))
        axis.plot(*flower_points(petals, numpy.linspace(0, 1, 1000)).T, color=PALETTE[1], linewidth=1.6, label=rf"$\gamma_{{{petals}}}$")
        axis.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
        axis.grid(visible=False)
        axis.set_title(f"{len(found)} exact linear regions; width: jump of the gradient", fontsize=10.5)
        axis.legend(loc="upper right", fontsize=9, frameon=True)


def statements(run: list[Checkpoint], networks: int) -> bool:
    """Step 5; whether the chains are proved."""
    print("5. the Lipschitz chain through training: largest slope, product of spectral norms, bound from the largest weight")
    good = True
    for checkpoint in (run[0], run[len(run) // 2], run[-1]):
        network = checkpoint.network
        chain = numerics.lipschitz_chain(network)
        slope = max(map(abs, network.restrict_to_line([0], [1]).slopes))
        good &= chain.strict == (True,) and bool(arb(fmpq(slope.numerator, slope.denominator)) < chain.product)
        print(f"   step {checkpoint.step}: {float(slope):.4f} < {float(chain.product):.4g} < {float(chain.parameters):.4g}")
    derivative = run[-1].network.parameter_derivative([0], [1], layer=1, neuron=1)
    print(f"   derivative by a parameter: {derivative.statement()}")
    print("   share of the parameters in [-2, 2]^P, widths 1-8-8-1, with a frequency above k stronger than 0.1: at least, at most")
    for record in gpu.frequency_volume((1, 8, 8, 1), 2.0, 0.1, [1, 4, 16, 64], networks=networks, seed=1, backend="numpy"):
        print(f"   k = {record.cutoff:<4g} {record.lower:.4f} +- {record.standard_error:.4f}   {record.upper:.4f} +- {record.upper_standard_error:.4f}")
    return good


def main(arguments: list[str] | None = None) -> int:
    """Print the five steps and draw; exit status 1 where a claim is not met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--out", type=Path, default=Path("spectrum"))
    parser.add_argument("--quick", action="store_true", help="width 64, depth 3, fewer steps: under a minute")
    args = parser.parse_args(arguments)
    width, depth = (64, 3) if args.quick else (args.width, args.depth)
    steps = args.steps or (3000 if args.quick else 5000)
    args.out.mkdir(parents=True, exist_ok=True)
    z, target = data(seed=0)
    options: dict[str, Any] = {"checkpoints": schedule(steps, 8 if args.quick else 12), "rate": 3e-3 if args.quick else 3e-4}
    with threadpool_limits(1):
        run = list(trained(initial_layers((1, *[width] * depth, 1), numpy.random.default_rng(1)), on_the_interval(z), target, **options))
        results = [heat_map(run, args.out / "heat-map.png"), envelope(run, args.out / "envelope.png", 2000)]
        last, petals_help = curves((2, 24, 24, 1) if args.quick else (2, 64, 64, 1), 1000 if args.quick else 6000, 5e-3, args.out / "curves.png")
    results.append(petals_help)
    results.append(regions(last[4], 4, args.out / "regions.png"))
    results.append(statements(run, 200 if args.quick else 2000))
    print("every claim is met" if all(results) else "a claim is NOT met")
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
