"""Certificates for ReLU networks: made, written, checked from the file; the table of their constants, and the times.

    python tests/benchmarks/bench_certificates.py [--quick] [--out FOLDER]

Tangent and conjugate kernels of depth 1 to 8 on spheres in R^d, d = 2, 3, 5, 10, 16, 32 (with --quick depth 1 to 3 and d = 2, 3, 10).
Each line: the orders that were chosen, the proved constants for every degree, the degree from which they are within a factor
2 of the limit, the limit itself, and the seconds that making and checking took.
"""

import argparse
import platform
import sys
import time
from pathlib import Path

import numerics
import symspec as ss
from numerics.certificate_text import short

QUICK = (range(1, 4), (2, 3, 10))
FULL = (range(1, 9), (2, 3, 5, 10, 16, 32))


def row(kind, depth, d, folder):
    kernel = getattr(ss.mlp(ss.relu, depth), kind)
    file = folder / f"relu-{kind}-{depth}-{d}.json"
    start = time.perf_counter()
    c = numerics.certify(kernel, ss.Sphere(d))
    c.save(file)
    made = time.perf_counter() - start
    start = time.perf_counter()
    numerics.verify(file)
    checked = time.perf_counter() - start
    claims = [claim for claim in c.claims.values() if claim.exponent is not None]
    limits = " / ".join(f"{float(claim.asymptotic):.4g}" for claim in claims)
    within = max(next(band.start for band in claim.bands if band.lower > claim.asymptotic / 2 and band.upper < 2 * claim.asymptotic) for claim in claims)
    cells = [kind.upper(), depth, d, c.exponent, c.expansion.m, c.expansion.J, c.cut, short(c.lower, up=False), short(c.upper, up=True), within, limits, f"{made:.1f}", f"{checked:.1f}"]
    return made, checked, "| " + " | ".join(map(str, cells)) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("certificates"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    depths, dimensions = QUICK if args.quick else FULL
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print("| kernel | depth | d | e | m | J | cut | lower | upper | factor 2 from | limit (even / odd) | made, s | checked, s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    totals = [0.0, 0.0]
    for kind in ("ck", "ntk"):
        for depth in depths:
            for d in dimensions:
                made, checked, line = row(kind, depth, d, args.out)
                totals = [totals[0] + made, totals[1] + checked]
                print(line, flush=True)
    print(f"total: made in {totals[0]:.0f} s, checked in {totals[1]:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
