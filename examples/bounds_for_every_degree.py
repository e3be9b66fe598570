"""From an activation of one's own to bounds for every eigenvalue, proved, written down and checked.

The activation is ReLU with a quadratic term, sigma(x) = max(x, 0) + x^2/10: its dual is derived, the tangent kernel of a
network of depth 2 with it is expanded at correlation +-1, the decay law follows, the eigenvalues of every degree are
bounded with a proof, the proof is written to a file and checked from the file alone, and random points are asked for
their opinion in the end.

    python examples/bounds_for_every_degree.py [--activation TEXT] [--depth N] [--dimension D] [--out FOLDER] [--quick]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sympy import Symbol

import gpu
import numerics
import symspec as ss
from numerics.certificate_text import short


def main(arguments: list[str] | None = None) -> int:
    """Print each step; write the certificate and the proof as LaTeX."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--activation", default="Max(x,0) + x**2/10")
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--dimension", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("bounds"))
    parser.add_argument("--quick", action="store_true", help="fewer random points")
    args = parser.parse_args(arguments)

    sigma = ss.activation(args.activation)
    print(f"activation           {sigma.form}")
    print(f"dual                 {sigma.dual(Symbol('rho', real=True))}")
    net, sphere = ss.mlp(sigma, args.depth), ss.Sphere(args.dimension)
    kernel = net.ntk
    law = ss.decay(kernel, sphere)
    print(f"kernel               {kernel.name}")
    print(f"decay exponent       {law.exponent}")

    certificate = numerics.certify(kernel, sphere)
    print(certificate)
    for parity in ("even", "odd"):
        for band in certificate.bands(parity):
            print(f"  {parity:4} k >= {band.start:<6} {short(band.lower, up=False, digits=6):>12} <= k^{certificate.exponent} mu_k <= {short(band.upper, up=True, digits=6)}")

    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "certificate.json"
    certificate.save(file)
    proved = numerics.verify(file)
    print(f"checked from {file} alone:")
    print("\n".join(f"  {line}" for line in str(proved).splitlines()))

    checks = gpu.gram_check(kernel, sphere, 500 if args.quick else 4000, range(4), seed=1)
    for check in checks:
        print(f"degree {check.degree}: random points {check.estimate:.6f} +- {check.standard_error:.1e}, certified {check.certified.str(8, radius=False)}, {check.z_score:+.2f} standard errors")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
