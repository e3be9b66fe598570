"""Certified eigenvalues on the cube against the published recipe in double precision, in one run.

    python tests/benchmarks/bench_cube.py [--digits 25] [--depth 3]

The recipe (Yang and Salman 2019): all d + 1 kernel values in floats, the operator (I - T^2)^k (I + T)^(d-2k) in that
order, binomial weights from log-gamma. Its digits are counted against the certified values, which are computed anew for every
line (caches are cleared). "factor" is recipe time over certified time.
"""

from __future__ import annotations

import argparse
import functools
import gc
import math
import time
from collections.abc import Callable
from typing import Any

import numpy
from flint import arb
from scipy.special import gammaln

import numerics
import symspec as ss
from numerics.precision import working_precision


def relu_values(depth: int, d: int) -> numpy.ndarray:
    """The normalised tangent kernel at 1 - 2r/d, r = 0, ..., d, in floats."""
    rho = 1.0 - 2.0 * numpy.arange(d + 1) / d
    sigma, theta = rho, rho.copy()
    for _ in range(depth):
        angle = numpy.arccos(numpy.clip(sigma, -1.0, 1.0))
        slope = (numpy.pi - angle) / numpy.pi
        sigma = (numpy.sin(angle) + (numpy.pi - angle) * numpy.clip(sigma, -1.0, 1.0)) / numpy.pi
        theta = sigma + theta * slope
    return theta


def recipe(depth: int, d: int, degrees: range) -> list[float]:
    """2^-d (I + T)^(d-2k) (I - T^2)^k K(1) in floats."""
    values, found = relu_values(depth, d), []
    for k in degrees:
        n = d - 2 * k
        r = numpy.arange(n + 1)
        weights = numpy.exp(gammaln(n + 1) - gammaln(r + 1) - gammaln(n - r + 1) - n * math.log(2))
        found.append(float((weights * values).sum()) / 4.0**k)
        values = values[:-2] - values[2:]
    return found


def digits_right(value: float, truth: arb) -> float:
    with working_precision(200):
        error = abs(arb(value) - truth) / abs(truth)
        return 17.0 if error == 0 else max(0.0, -float(error.log() / arb(10).log()))


def clear_caches() -> None:
    for item in gc.get_objects():
        if isinstance(item, functools._lru_cache_wrapper) and item.__module__.partition(".")[0] in ("numerics", "symspec"):
            item.cache_clear()


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return call(), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=int, default=25)
    parser.add_argument("--depth", type=int, default=3)
    options = parser.parse_args()
    degrees = range(11)
    print(f"relu NTK, depth {options.depth}, degrees 0 to 10, {options.digits} certified digits")
    print(f"{'d':>9} {'certified':>11} {'recipe':>11} {'factor':>8}   digits of the recipe at degree 0 2 4 6 8 10")
    for d in (32, 128, 1000, 10**4, 10**5, 10**6):
        clear_caches()
        kernel = ss.mlp(ss.relu, options.depth).ntk
        certified, ours = timed(lambda kernel=kernel, d=d: numerics.eigenvalues(kernel, ss.BooleanCube(d), degrees, options.digits))
        floats, theirs = timed(lambda d=d: recipe(options.depth, d, degrees))
        right = " ".join(f"{digits_right(floats[k], certified[k]):4.1f}" for k in degrees[::2])
        print(f"{d:>9} {ours * 1e3:>8.1f} ms {theirs * 1e3:>8.1f} ms {theirs / ours:>8.2f}   {right}")
    print("\nall degrees, certified:")
    for d in (128, 500, 1000):
        clear_caches()
        kernel = ss.mlp(ss.relu, options.depth).ntk
        _, ours = timed(lambda kernel=kernel, d=d: numerics.eigenvalues(kernel, ss.BooleanCube(d), range(d + 1), options.digits))
        print(f"{d:>9} {ours * 1e3:>8.1f} ms")


if __name__ == "__main__":
    main()
