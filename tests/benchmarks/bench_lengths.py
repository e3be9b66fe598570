"""Gaussian inputs: certified largest eigenvalues beside the same operators discretised in doubles.

    python tests/benchmarks/bench_lengths.py

The peer is the recursion on arrays (100 x 100 lengths, 160 cosines) and numpy.linalg.eigvalsh, one call a degree: some 10 digits, no bound.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

import numerics
import symspec as ss

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.numerics import double_lengths as doubles


def timed(call):
    start = time.perf_counter()
    value = call()
    return time.perf_counter() - start, value


def main():
    cases = [
        ("erf, depth 1, ck", ss.mlp(ss.erf, 1, sigma_w2=2, sigma_b2=1), doubles.erf_pair, "ck", 10, 3, 10),
        ("erf, depth 1, ck", ss.mlp(ss.erf, 1, sigma_w2=2, sigma_b2=1), doubles.erf_pair, "ck", 100, 3, 15),
        ("erf, depth 2, ntk", ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2=1), doubles.erf_pair, "ntk", 50, 4, 10),
        ("sin, depth 2, ntk", ss.mlp(ss.sin, 2, sigma_w2=1, sigma_b2="1/2"), doubles.sin_pair, "ntk", 10, 4, 10),
        ("relu, depth 1, ntk", ss.mlp(ss.relu, 1, sigma_w2=2, sigma_b2=1), doubles.relu_pair, "ntk", 50, 3, 5),
        ("erf, depth 1, ck", ss.mlp(ss.erf, 1, sigma_w2=2, sigma_b2=1), doubles.erf_pair, "ck", 300, 3, 10),
        ("tanh, depth 1, ck", ss.mlp(ss.tanh, 1, sigma_w2=2), doubles.tanh_pair, "ck", 10, 4, 8),
        ("silu, depth 1, ntk", ss.mlp(ss.silu, 1, sigma_w2=2), doubles.silu_pair, "ntk", 50, 3, 6),
        ("tanh, depth 2, ntk", ss.mlp(ss.tanh, 2, sigma_w2=2), doubles.tanh_pair, "ntk", 50, 4, 6),
        ("sigmoid, depth 2, ck", ss.mlp(ss.sigmoid, 2, sigma_w2=4), doubles.sigmoid_pair, "ck", 100, 3, 6),
        ("tanh with bias, depth 1, ck", ss.mlp(ss.tanh, 1, sigma_w2=2, sigma_b2=1), doubles.tanh_pair, "ck", 100, 3, 6),
    ]
    for name, network, pair, part, d, count, digits in cases:
        par = network.parametrisation
        evaluate = partial(doubles.kernel, pair, network.depth, float(par.sigma_w2), float(par.sigma_b2), part)
        peer, wanted = timed(lambda evaluate=evaluate, d=d, count=count: [doubles.eigenvalues(evaluate, d, k)[0] for k in range(count)])
        own, found = timed(lambda network=network, part=part, d=d, count=count, digits=digits: numerics.eigenvalues(getattr(network, part), ss.Gaussian(d), range(count), digits))
        worst = max(abs(float(a) / b - 1) for a, b in zip(found, wanted, strict=True) if a != 0)
        print(f"{name}, d = {d}, degrees 0 to {count - 1}, {digits} digits: {own:.1f} s; doubles {peer:.1f} s, off by {worst:.0e}; ratio {own / peer:.1f}", flush=True)


if __name__ == "__main__":
    main()
