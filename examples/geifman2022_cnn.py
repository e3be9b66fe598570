"""Geifman, Galun, Jacobs and Basri 2022 (arXiv 2203.09255): the spectrum of convolutional kernels decays polynomially, and by hierarchy.

Images are pixels on spheres. Each claim of the paper becomes a set of certified numbers:

1. the eigenfunctions are products of harmonics: certified eigenvalues beside the estimates from pairs of random images, with the exact standard error;
2. the decay is polynomial: exponents fitted to certified eigenvalues beside the derived ones, and the exact leading terms on rays of every kind;
3. bounds by products of powers, with constants certified on a stated range; the counterexample where the first layer is not pointwise;
4. the hierarchy: frequencies inside a small receptive field cost less;
5. trace and global average pooling: the same eigenvalues, on fewer functions;
6. the effective receptive field: the number of paths;
7. factorizable kernels, whose eigenvalues are products, with bounds for every multi-index; hierarchical kernels, functions of means of them.

    python examples/geifman2022_cnn.py [--out FOLDER] [--quick]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from flint import arb

import gpu
import numerics
import symspec as ss
from numerics.multisphere import shifts
from symspec.drawing import COLOURS, GREY, sheet
from symspec.errors import MissingLibrary
from symspec.receptive_field import draw_field

CHANNELS = 3
SPACE = ss.MultiSphere(CHANNELS, 2)
POINTWISE = ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise")
SINGLE = ss.cnn(ss.relu, 1, 2, 2)
# Reference figures to three digits, for three pixels and two layers of filters of size two.
THREE_PIXELS = {(2, 2, 0): "6.74e-5", (2, 0, 2): "5.96e-6", (1, 1, 0): "4.15e-3", (1, 0, 1): "6.50e-4", (0, 2, 0): "5.03e-3", (2, 0, 0): "2.15e-3"}


def product_eigenfunctions(points: int) -> bool:
    """Step 1; whether every estimate lies within four standard errors."""
    print("1. product eigenfunctions: estimate from pairs of random images, standard error, certified, distance in standard errors")
    good = True
    for head, kernel in (("eq", POINTWISE.ck), ("gap", ss.cnn(ss.relu, 2, 2, 2, "gap", "pointwise").ck)):
        for record in gpu.gram_check(kernel, SPACE, points=points, degrees=[(0, 0), (1, 0), (1, 1), (2, 1)], seed=2, backend="numpy"):
            good &= abs(record.z_score) < 4
            print(f"   {head:>4} {record.degree!s:>7}  {record.estimate:.5f}  {record.standard_error:.5f}  {float(record.certified):.5f}  {record.z_score:5.2f}")
    return good


def polynomial_decay(top: int) -> dict[str, list[tuple[int, float, float]]]:
    """Step 2; by curve the degrees, eigenvalues and leading terms."""
    print("2. decay along the diagonal and an axis: exponent fitted to the last two, derived; eigenvalue over its exact leading term")
    curves: dict[str, list[tuple[int, float, float]]] = {}
    degrees = list(range(2, top + 1, 2))
    for name, kernel in (("conjugate", POINTWISE.ck), ("tangent", POINTWISE.ntk)):
        law = ss.cone_law(kernel, CHANNELS)
        for ray, support in (((1, 1), {0, 1}), ((1, 0), {0})):
            indices = [(k * ray[0], k * ray[1]) for k in degrees]
            values = numerics.eigenvalues(kernel, SPACE, indices, 6)
            slope = (values[-1] / values[-2]).log() / ((arb(degrees[-1]) + 0.5) / (arb(degrees[-2]) + 0.5)).log()
            leading = [float(numerics.cone_leading(law, index)) for index in indices]
            ratio = f"{float(values[-1]) / leading[-1]:.4f}"
            print(f"   {name:>9} {ray}  {-float(slope):.2f}  {law.exponent(support)}  {ratio}")
            curves[f"{name} {'diagonal' if min(ray) else 'axis'}"] = [(k, float(v), lead) for k, v, lead in zip(degrees, values, leading, strict=True)]
    return curves


def rays(scales: list[int]) -> None:
    """Certified eigenvalues over their leading terms, on rays that one unit, two units, and a unit that sees more pixels decide."""
    print("   certified ratios: frequencies in pixel 0 behind a pointwise layer; in both below a smooth level, where a unit each decides")
    for kernel, direction in ((POINTWISE.ck, (1, 0)), (POINTWISE.ntk, (1, 0)), (ss.hierarchical([ss.relu, ss.erf], [1, 2]), (1, 1))):
        table = numerics.ray_table(kernel, SPACE, direction, scales, 4)
        print(f"   {kernel.name}, |k|^-{table.exponent}")
        print("\n".join(f"      {line}" for line in str(table).splitlines()))


def product_bounds(top: int) -> None:
    """Step 3."""
    print("3. bounds by products of powers")
    for net in (POINTWISE, SINGLE):
        print(f"   {net}:\n      {numerics.product_bounds(net.ck, CHANNELS, top).statement()}")


def hierarchy(*, quick: bool) -> bool:
    """Step 4; whether the certified values of three pixels agree with the reference figures."""
    print("4. the hierarchy")
    law = ss.cone_law(ss.cnn(ss.relu, 3, 2, 4, first_layer="pointwise").ck, CHANNELS)
    for field, exponent in sorted(law.strata.items(), key=lambda item: (len(item[0]), sorted(item[0]))):
        print(f"   pixels {sorted(field)}: |k|^-{exponent}")
    if quick:
        return True
    good = True
    values = numerics.eigenvalues(ss.cnn(ss.relu, 2, 2, 3).ck, ss.MultiSphere(CHANNELS, 3), list(THREE_PIXELS), 3)
    for (index, text), value in zip(THREE_PIXELS.items(), values, strict=True):
        agrees = abs(value.mid() - arb(text)) < arb(f"0.51e{int(text.partition('e')[2]) - 2}") + value.rad()
        good &= bool(agrees)
        print(f"   {index}  {value.str(4, radius=False):>9}  reference {text}  {'agree' if agrees else 'differ'}")
    return good


def heads() -> bool:
    """Step 5; whether the eigenvalues of the two heads overlap."""
    print("5. trace and global average pooling: eigenvalue, and how many functions have it")
    trace, gap = (ss.cnn(ss.relu, 2, 2, 2, head, "pointwise") for head in ("trace", "gap"))
    indices = [(1, 0), (1, 1), (2, 0), (2, 1)]
    first, second = (numerics.eigenvalues(net.ntk, SPACE, indices, 8) for net in (trace, gap))
    group = shifts(gap)
    for index, value in zip(indices, first, strict=True):
        images = {tuple(index[i] for i in g) for g in group}
        print(f"   {index}  {value.str(8, radius=False):>12}  trace {SPACE.multiplicity(index) * len(images):>3}  pooled {SPACE.orbits(index, group):>3}")
    return all(a.overlaps(b) for a, b in zip(first, second, strict=True))


def receptive_field() -> ss.EffectiveField:
    """Step 6."""
    print("6. effective receptive field of four layers of filters of size three on 16 pixels")
    field = ss.effective_receptive_field(ss.cnn(ss.relu, 4, 3, 16))
    print(f"   paths {field.paths}, of {sum(field.paths)}")
    return field


def kernels_of_the_proof() -> bool:
    """Step 7; whether exact and certified eigenvalues agree."""
    print("7. factorizable and hierarchical kernels: certified eigenvalue, exact where it is known")
    layer = ss.mlp(ss.relu, 1).ck
    mean = ss.average([ss.one_pixel(layer, pixel, 2) for pixel in (0, 1)])
    good = True
    for name, kernel, exact in (
        ("k(t_0) k(t_1)", ss.factorizable([layer, layer]), True),
        ("square of the mean", mean.composed([0, 0, 1]), True),
        ("the same as a tree", ss.hierarchical([ss.relu, [0, 0, 1]], [1, 2]), False),
        ("relu of the mean", ss.hierarchical([ss.relu, ss.relu], [1, 2]), False),
    ):
        value = numerics.eigenvalues(kernel, SPACE, [(2, 2)], 10)[0]
        known = ss.eigenvalue(kernel, SPACE, (2, 2)) if exact else None
        good &= known is None or bool(value.overlaps(numerics.ball(known)))
        print(f"   {name:>18}  lambda_(2,2) = {value.str(10, radius=False)}" + (f" = {known}" if exact else ""))
    print(f"   {numerics.factorizable_bounds(ss.factorizable([ss.mlp(ss.relu, 2).ck] * 2), CHANNELS).statement()}")
    return good


def draw(curves: dict[str, list[tuple[int, float, float]]], field: ss.EffectiveField, folder: Path) -> None:
    """Both pictures, or the reason why there are none."""
    try:
        with sheet((6, 4.2), folder / "decay.png") as figure:
            axis = figure.subplots()
            for (name, points), marker in zip(curves.items(), "oo^^", strict=True):
                axis.loglog([k for k, _, _ in points], [value for _, value, _ in points], marker, ms=4, color=COLOURS["even"] if "diagonal" in name else COLOURS["odd"], label=name)
                axis.loglog([k for k, _, _ in points], [leading for _, _, leading in points], color=GREY, lw=0.9, label="leading term" if name == "conjugate diagonal" else None)
            axis.set_xlabel(r"$k$ in the multi-indices $(k,k)$ and $(k,0)$")
            axis.set_ylabel(r"certified eigenvalue $\lambda$")
            axis.set_title("Decay on the diagonal and on an axis")
            ticks = [k for k, _, _ in next(iter(curves.values())) if k in (2, 4, 6, 8, 10, 14, 20, 32)]
            axis.set_xticks(ticks, [str(k) for k in ticks])
            axis.minorticks_off()
            axis.legend()
        draw_field(field, folder / "receptive-field.png")
    except MissingLibrary as reason:
        print(f"   {reason}")


def main(arguments: list[str] | None = None) -> int:
    """Run every step; 0 where all checks hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="geifman2022", help="folder of the pictures (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="fewer degrees and images, two pixels only")
    options = parser.parse_args(arguments)
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    good = product_eigenfunctions(300 if options.quick else 3000)
    curves = polynomial_decay(12 if options.quick else 32)
    rays([4, 8] if options.quick else [4, 8, 16, 24])
    product_bounds(3 if options.quick else 12)
    good &= hierarchy(quick=options.quick)
    good &= heads()
    field = receptive_field()
    good &= kernels_of_the_proof()
    draw(curves, field, folder)
    print("every check holds" if good else "a check failed")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
