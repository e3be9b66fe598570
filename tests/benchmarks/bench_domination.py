"""Which weight layer dominates: decisions for every degree and dimension, with the degree from which the proof rules.

    python tests/benchmarks/bench_domination.py

Every line is decided afresh. The peer is looking at the coefficients: the same signs of the first degrees, which says nothing about the later ones.
"""

from __future__ import annotations

import time

import numerics
import symspec as ss

CASES = [
    ("relu", 2, 1, {}),
    ("gelu", 2, 1, {}),
    ("exp", 2, 1, {}),
    ("exp", 3, 1, {}),
    ("exp", 4, 1, {}),
    ("exp", 4, 2, {}),
    ("exp", 2, 1, {"sigma_w2": 1}),
    ("cos", 3, 1, {}),
    ("cos", 4, 1, {}),
    ("cos(x+1)", 4, 1, {}),
    ("sin", 3, 1, {"sigma_b2": "1/10"}),
    ("x*sin(x)+1", 3, 1, {}),
    ("cos(x)+cos(2*x)", 3, 1, {}),
    ("exp(x)*cos(x)", 2, 1, {}),
    ("sigmoid", 2, 1, {}),
    ("sigmoid", 2, 1, {"sigma_w2": 4}),
    ("softplus", 2, 1, {}),
    ("silu", 2, 1, {}),
    ("silu", 3, 2, {}),
    ("silu", 2, 1, {"sigma_w2": 2}),
    ("tanh", 2, 1, {"sigma_b2": "1/10"}),
    ("atan(x)", 2, 1, {"sigma_b2": "1/10"}),
    ("sech(x)", 2, 1, {}),
    ("sech(x)+tanh(x)", 2, 1, {}),
    ("1/(1+x**2)", 2, 1, {}),
]


def main() -> None:
    print(f"{'network':56} pair  holds from  negative coefficients     proof from  seconds")
    for name, depth, layer, options in CASES:
        network = ss.mlp(ss.activation(name), depth, **options)
        start = time.perf_counter()
        found = numerics.layer_domination(network, layer)
        seconds = time.perf_counter() - start
        print(f"{network!s:56} {layer}, {layer + 1}  {found.holds_from!s:10}  {found.negative!s:24}  {found.cut:10}  {seconds:.1f}", flush=True)


if __name__ == "__main__":
    main()
