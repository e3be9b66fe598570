"""The figures of Yang and Salman, "A fine-grained spectral perspective on neural networks" (2019), as certified numbers.

Five parts: fractional variances on {-1, 1}^7 beside the published ones; the depth at which each degree has its largest share on {-1, 1}^128,
over a grid of weight and bias variances, decided by intervals; the largest stable learning rate 1/K(0), run by gradient
descent; the simplicity of random networks, probability against rank of the Boolean functions they compute; and plots.

    python examples/yang2019_boolean_cube.py [--quick] [--out FOLDER] [--workers N]

The full sweep takes some ten minutes on two cores and goes on where it stood when it is started again with the same folder.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy
from flint import arb

import gpu
import numerics
import symspec as ss
from numerics.depth_shares import shares_by_depth
from symspec.drawing import DASHES, GREY, PALETTE, sheet
from symspec.errors import MissingLibrary
from symspec.progress import progress_bar

SMALL, LARGE = 7, 128
# Fractional variances on {-1, 1}^7 as published (recomputed to six digits): activation, sigma_w2, sigma_b2, depth, degree -> value.
PUBLISHED = [
    (ss.relu, 2, 2, 2, dict(enumerate((0.838782, 0.0185682, 0.00116607, 1.32412e-4, 4.36378e-5, 2.25313e-5, 1.52237e-5, 1.17214e-5)))),
    (ss.erf, 1, 0, 2, dict(zip((1, 3, 5, 7), (0.131153, 0.00217619, 2.70686e-4, 7.59995e-5), strict=True))),
    (ss.erf, 4, 0, 32, dict(zip((1, 3, 5, 7), (0.0162915, 0.0155642, 0.0155104, 0.0154925), strict=True))),
]
OPTIMAL = {
    ("relu", "ntk"): (0, 1, 3, 4, 6, 7, 8, 9),
    ("relu", "ck"): (0, 1, 3, 4, 5, 6, 7, 7),
    ("erf", "ntk"): (0, 4, 25, 8, 46, 9, 60, 9),
    ("erf", "ck"): (0, 4, 48, 8, 78, 8, 98, 8),
}
RATES = {1: (0.63662, 0.64410), 2: (1.37142, 1.38108), 3: (2.12078, 2.13124)}
FACTORS = (0.9, 0.97, 0.99, 1.01, 1.03, 1.1)


def main(arguments: list[str] | None = None) -> int:
    """Print every table; write the plots."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("yang2019"))
    parser.add_argument("--workers", type=int, default=2, help="processes of the sweep over depths")
    parser.add_argument("--quick", action="store_true", help="a coarse grid of variances, few degrees, fewer networks and points")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    fractional_variances()
    optimal_depths(args.out, args.workers, quick=args.quick)
    learning_rates(500 if args.quick else 3000)
    counts = random_functions(2000 if args.quick else 10_000)
    try:
        plot_shares(args.out / "fractional_variance.png", 32 if args.quick else LARGE)
        plot_ranks(args.out / "probability_against_rank.png", counts)
        print(f"plots: {args.out / 'fractional_variance.png'}, {args.out / 'probability_against_rank.png'}")
    except MissingLibrary as error:
        print(error)
    return 0


def fractional_variances() -> None:
    """The share of one eigenfunction, mu_k/K(1), and of the whole degree, C(7, k) mu_k/K(1)."""
    cube = ss.BooleanCube(SMALL)
    print(f"Conjugate kernel on {cube}, mu_k/K(1)")
    for activation, weight, bias, depth, published in PUBLISHED:
        kernel = ss.mlp(activation, depth, sigma_w2=weight, sigma_b2=bias).ck
        shares = dict(enumerate(numerics.fractional_variances(kernel, cube, range(SMALL + 1), 12)))
        print(f"{activation.name}, sigma_w2 = {weight}, sigma_b2 = {bias}, depth {depth}")
        print("degree  mu_k/K(1)       published    difference  whole degree")
        for k, share in shares.items():
            value = share / cube.multiplicity(k)
            if k in published:
                print(f"{k:<6}  {value.str(10, radius=False):<14}  {published[k]:<11.6g}  {float(value) - published[k]:<+10.1e}  {share.str(8, radius=False)}")
            else:
                print(f"{k:<6}  {'0 exactly' if share == 0 else value.str(10, radius=False)}")
        print(f"the shares add up to {sum(shares.values(), arb(0)).str(10)}")
    first = {bias: numerics.fractional_variances(ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2=bias).ck, cube, [0], 8)[0] for bias in (1, 2)}
    print(f"the first figure holds for sigma_b2 = 2: degree 0 has {first[2].str(6, radius=False)} there and {first[1].str(6, radius=False)} at sigma_b2 = 1,")
    print("which is what one of the published notebooks evaluates under the label 2")


def optimal_depths(out: Path, workers: int, *, quick: bool) -> None:
    """The depth of the largest share by degree, maximised over the variances."""
    top = 12 if quick else LARGE
    print(f"Depth with the largest fractional variance on {{-1, 1}}^{LARGE}, depth 0 to {top}")
    for (name, kernel), published in OPTIMAL.items():
        if name == "relu":
            points = [(2, Fraction(i, 100)) for i in range(0, 401, 200 if quick else 1)]
        else:
            points = [(1 + Fraction(i, 10), Fraction(j, 10)) for i in range(0, 41, 40 if quick else 1) for j in range(0, 41, 40 if quick else 1)]
        degrees = range(1, 5 if quick else 9)
        file = out / f"optimal_depth_{name}_{kernel}{'_quick' if quick else ''}.jsonl"
        with progress_bar(f"{name} {kernel}") as progress:
            found = numerics.optimal_depth(name, LARGE, points, top, degrees, kernel=kernel, file=file, workers=1 if quick else workers, progress=progress)
        ours = ["/".join(map(str, best.depths)) for best in found]
        agree = all(best.depth == depth for best, depth in zip(found, published, strict=False))
        verdict = "agree" if agree else "differ, as the grid is coarse and shallow" if quick else "DIFFER"
        print(f"{name} {kernel.upper()}, {len(points)} points, degrees {degrees[0]} to {degrees[-1]}: {' '.join(ours)}; published {' '.join(map(str, published[: len(degrees)]))}; {verdict}")
        for best in found:
            (weight, bias), *others = best.parameters
            print(f"  degree {best.degree}: share {best.share.str(8, radius=False)} at sigma_w2 = {weight}, sigma_b2 = {bias}{f' and {len(others)} more' if others else ''}")


def learning_rates(points: int) -> None:
    """K(0), the largest eigenvalue, and which steps are stable on random points."""
    cube = ss.BooleanCube(LARGE)
    inputs = gpu.cube_points(points, LARGE, seed=1)
    target = numpy.asarray(inputs[:, 0] * inputs[:, 1] + 0.5)
    print(f"Largest stable learning rate of (1/n) sum (f - y)^2: relu tangent kernel on {cube}, sigma_w2 = 2, no bias; {points} random points")
    print("depth  K(0)      published  mu_0      published  1/K(0)    1/mu_0    1/lambda_max(G/n)")
    for depth, (at_zero, top) in RATES.items():
        kernel = ss.mlp(ss.relu, depth, sigma_w2=2).ntk
        value, largest = numerics.evaluate(kernel, 0, 10), numerics.eigenvalues(kernel, cube, [0], 10)[0]
        gram = numpy.asarray(gpu.gram(kernel, inputs, domain=cube, backend="numpy"))
        sample = float(numpy.linalg.eigvalsh(gram / points)[-1])
        cells = [value.str(6, radius=False), f"{at_zero:.5f}", largest.str(6, radius=False), f"{top:.5f}", *(f"{1 / float(x):.6f}" for x in (value, largest, sample))]
        print(f"{depth:<5}  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, (8, 9, 8, 9, 8, 8, 8), strict=True)))
        for name, bound in (("1/K(0)", float(value)), ("1/lambda_max", sample)):
            stable = [gpu.kernel_descent(gram, target, factor / bound, 400)[-1] <= 1 for factor in FACTORS]
            print(f"       steps of {name} times " + ", ".join(f"{factor:g} {'stable' if good else 'unstable'}" for factor, good in zip(FACTORS, stable, strict=True)))


def random_functions(count: int) -> dict[str, numpy.ndarray]:
    """How often each Boolean function is computed by random networks 7-40-40-1, the most frequent first."""
    inputs = numpy.array(list(product([-1.0, 1.0], repeat=SMALL)))
    print(f"Boolean functions sign f of {count} random networks {SMALL}-40-40-1 on all {len(inputs)} inputs")
    found = {}
    for label, activation, weight, bias in (("relu, 2, 2", ss.relu, 2, 2), ("erf, 1, 0", ss.erf, 1, 0), ("erf, 4, 0", ss.erf, 4, 0)):
        outputs = gpu.random_outputs(ss.mlp(activation, 2, sigma_w2=weight, sigma_b2=bias), inputs, [40, 40], count, seed=2)
        counts = numpy.sort(numpy.unique(numpy.packbits(outputs > 0, axis=1), axis=0, return_counts=True)[1])[::-1]
        found[label] = counts
        print(f"{activation.name}, sigma_w2 = {weight}, sigma_b2 = {bias}: {len(counts)} different functions; the most frequent {', '.join(map(str, counts[:8]))} times")
    return found


def plot_shares(file: Path, max_depth: int) -> None:
    """Fractional variances on {-1, 1}^7 by degree, and on {-1, 1}^128 by depth."""
    cube = ss.BooleanCube(SMALL)
    with sheet((10.2, 4.0), file) as figure:
        left, right = figure.subplots(1, 2)
        for colour, marker, (activation, weight, bias, depth, _) in zip(PALETTE, "os^", PUBLISHED, strict=False):
            kernel = ss.mlp(activation, depth, sigma_w2=weight, sigma_b2=bias).ck
            shares = {k: float(share) / cube.multiplicity(k) for k, share in enumerate(numerics.fractional_variances(kernel, cube, range(SMALL + 1), 6)) if share != 0}
            label = rf"{activation.name}, $\sigma_w^2={weight}$, $\sigma_b^2={bias}$, depth {depth}"
            left.semilogy(list(shares), list(shares.values()), marker=marker, color=colour, label=label, linewidth=1.2, markersize=4.5)
        # A random odd function has the same variance in each of the 2^(d-1) odd characters.
        left.axhline(2.0 ** (1 - SMALL), color=GREY, linewidth=0.8, linestyle=DASHES)
        left.annotate("odd white noise, 1/64", (SMALL, 2.0 ** (1 - SMALL)), xytext=(0, 6), textcoords="offset points", fontsize=8, color=GREY, ha="right")
        left.set(xlabel="degree $k$", ylabel=r"$\mu_k/K(1)$", title=rf"conjugate kernels on $\{{-1,1\}}^{SMALL}$")
        left.legend(fontsize=8, loc="lower left")
        degrees = (1, 2, 3, 4, 6, 8)
        rows = shares_by_depth(ss.relu, "ntk", LARGE, max_depth, (2, 0), degrees, 64)
        for i, k in enumerate(degrees):
            values = {depth: float(row[i]) for depth, row in enumerate(rows) if row[i] != 0}
            best = max(values, key=values.__getitem__)
            right.loglog([depth + 1 for depth in values], list(values.values()), color=PALETTE[i], linewidth=1.2, label=f"{k}")
            right.plot([best + 1], [values[best]], "o", color=PALETTE[i], markersize=5)
        right.set_xticks(ticks := [1, 2, 3, 5, 9, 17, 33, 65, 129], [str(tick - 1) for tick in ticks])
        right.minorticks_off()
        right.set(xlim=(0.9, 1.1 * (max_depth + 1)), xlabel="depth", ylabel="fractional variance", title=rf"relu NTK on $\{{-1,1\}}^{{{LARGE}}}$, no bias; dots: largest")
        figure.legend(*right.get_legend_handles_labels(), title="degree", fontsize=9, title_fontsize=9, loc="outside right center")


def plot_ranks(file: Path, counts: dict[str, numpy.ndarray]) -> None:
    """Probability against rank, both logarithmic."""
    with sheet((5.6, 3.9), file) as figure:
        axis = figure.subplots()
        for colour, marker, (label, found) in zip(PALETTE, "os^", counts.items(), strict=False):
            name, weight, bias = label.split(", ")
            # Ranks a tenth of a decade apart, so that a marker is seen and not a band.
            ranks = numpy.unique(numpy.rint(numpy.geomspace(1, len(found), 40)).astype(int))
            axis.loglog(ranks, found[ranks - 1] / found.sum(), marker=marker, markersize=4, markerfacecolor="none", color=colour, linewidth=1.0)
            axis.lines[-1].set_label(rf"{name}, $\sigma_w^2={weight}$, $\sigma_b^2={bias}$")
        axis.set(xlabel="rank", ylabel="probability", title=rf"Boolean functions of random networks {SMALL}–40–40–1")
        axis.legend(fontsize=9)


if __name__ == "__main__":
    raise SystemExit(main())
