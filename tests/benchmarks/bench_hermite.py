"""Certified Hermite coefficients against adaptive quadrature, one coefficient at a time.

    python tests/benchmarks/bench_hermite.py [--quick]

The job: the coefficients a_n of tanh, n <= 200 to 50 digits and n <= 2000 to 1000 digits, in one call each, every ball proved. The
peer is mpmath.quad at the same number of digits on a sample of degrees, one coefficient a call, the line cut into
pieces where He_n oscillates; it gives no bound. Its relative error, measured with the certified values, is printed too.
"""

import argparse
import os
import platform
import sys
import time
from importlib import metadata

import mpmath

import numerics


def machine():
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("python-flint", "mpmath", "sympy"))
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def certified(top, digits):
    start = time.perf_counter()
    values = numerics.hermite_coefficients("tanh", range(top + 1), digits=digits)
    seconds = time.perf_counter() - start
    accuracy = min(value.rel_accuracy_bits() for value in values if value != 0)
    print(f"symspec, tanh, n = 0..{top}, {digits} digits: {seconds:.3f} s, {1e3 * seconds / (top + 1):.3f} ms a coefficient, at least {int(accuracy * 0.30103)} digits proved", flush=True)
    return values, seconds / (top + 1)


def by_quadrature(n, digits):
    """a_n by mpmath.quad; beyond 2 sqrt(n) and a little the integrand is below the goal."""
    with mpmath.workdps(digits + 10):
        end = 2 * mpmath.sqrt(digits * mpmath.log(10)) + 2
        pieces = mpmath.linspace(-end, end, 5 + n // 8)
        scale = mpmath.sqrt(mpmath.mpf(2) ** n * mpmath.factorial(n))
        root = mpmath.sqrt(2)
        start = time.perf_counter()
        value = mpmath.quad(lambda x: mpmath.tanh(x) * mpmath.hermite(n, x / root) / scale * mpmath.npdf(x), pieces)
        return time.perf_counter() - start, value


def compare(n, digits, values, each):
    seconds, value = by_quadrature(n, digits)
    with mpmath.workdps(digits + 10):
        error = abs(value / mpmath.mpf(values[n].str(digits + 5, radius=False)) - 1)
    print(f"mpmath.quad, {digits} digits, n = {n:<5} {seconds:9.3f} s   ratio to symspec per coefficient {seconds / each:10.1f}   relative error {mpmath.nstr(error, 2)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="n <= 200 to 50 digits and n <= 300 to 200 digits")
    args = parser.parse_args()
    jobs = [(200, 50, (1, 51, 199)), (300, 200, (1,))] if args.quick else [(200, 50, (1, 51, 199)), (2000, 1000, (1, 101))]
    print(machine(), f"load {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "", sep=", ")
    for top, digits, sample in jobs:
        values, each = certified(top, digits)
        for n in sample:
            compare(n, digits, values, each)


if __name__ == "__main__":
    sys.exit(main())
