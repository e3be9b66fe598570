"""The sweep of the optimal-depth figure: 401 bias variances, depth 0 to 128, degrees 0 to 8 on {-1, 1}^128, certified.

    python tests/benchmarks/bench_optimal_depth.py [--workers N] [--activation relu|erf] [--step 0.01]

relu: sigma_w2 = 2, sigma_b2 in [0, 4]; erf: sigma_w2 in [1, 5] and sigma_b2 in [0, 4] by steps of 1/10.
"""

from __future__ import annotations

import argparse
import time
from fractions import Fraction

import numerics
import symspec as ss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--activation", choices=("relu", "erf"), default="relu")
    parser.add_argument("--step", type=Fraction, help="step of the variances (default 1/100 for relu, 1/10 for erf)")
    args = parser.parse_args()
    step = args.step or (Fraction(1, 100) if args.activation == "relu" else Fraction(1, 10))
    biases = [i * step for i in range(int(4 / step) + 1)]
    weights = [Fraction(2)] if args.activation == "relu" else [1 + i * step for i in range(int(4 / step) + 1)]
    points = [(weight, bias) for weight in weights for bias in biases]
    for kernel in ("ntk", "ck"):
        start = time.perf_counter()
        found = numerics.optimal_depth(ss.activation(args.activation), 128, points, 128, range(9), kernel=kernel, workers=args.workers)
        seconds = time.perf_counter() - start
        depths = ["/".join(map(str, best.depths)) for best in found]
        print(f"{args.activation} {kernel}: {len(points)} x 129 x 9 in {seconds:.1f} s with {args.workers} processes; optimal depths of degrees 0..8: {' '.join(depths)}", flush=True)


if __name__ == "__main__":
    main()
