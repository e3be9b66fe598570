"""Certified eigenvalues against numerical integration, and start-up times.

    python tests/benchmarks/bench_eigenvalues.py [--quick]

The job: eigenvalues k = 0..1000 on the sphere of R^8 of the depth-3 ReLU tangent kernel, 50 digits, in a fresh process
(imports included and apart). The peers compute one eigenvalue at a time of the same kernel by quadrature of the same integral in
the angle: mpmath.quad at 50 digits, and scipy.integrate.quad in double precision; both on a sample of degrees, given the
kernel as a closed formula. Their relative errors, measured with the certified values, are printed too: a fast wrong
answer is no competitor. Start-up: medians over fresh processes.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata

import mpmath

D, DEPTH, DIGITS = 8, 3, 50
JOB = """
import json, time
start = time.perf_counter()
import numerics, symspec as ss
kernel = ss.mlp(ss.relu, {depth}).ntk
built = time.perf_counter()
values = numerics.eigenvalues(kernel, ss.Sphere({d}), range({top} + 1), digits={digits})
done = time.perf_counter()
assert all(value.rel_accuracy_bits() >= {bits} for value in values)
print(json.dumps({{"import": built - start, "eigenvalues": done - built, "values": {{k: values[k].str({digits} + 5, radius=False) for k in {sample}}}}}))
"""


def kernel(lib, theta):
    """The depth-3 ReLU tangent kernel by the textbook recursion, for a library with sin, cos, acos and pi."""
    sigma = total = lib.cos(theta)
    angle = theta
    for layer in range(DEPTH):
        slope = (lib.pi - angle) / lib.pi
        sigma = (lib.sin(angle) + (lib.pi - angle) * lib.cos(angle)) / lib.pi
        total = sigma + total * slope
        if layer + 1 < DEPTH:
            angle = lib.acos(min(sigma, 1))
    return total


def gegenbauer(t, k):
    before, now = 1, t
    if k == 0:
        return before
    for j in range(1, k):
        before, now = now, ((2 * j + D - 2) * t * now - j * before) / (j + D - 2)
    return now


def by_mpmath(k):
    """One eigenvalue at 50 digits, with the interval split where P_k oscillates, as a careful user would."""
    with mpmath.workdps(DIGITS + 5):
        start = time.perf_counter()
        weight = mpmath.gamma(mpmath.mpf(D) / 2) / (mpmath.sqrt(mpmath.pi) * mpmath.gamma(mpmath.mpf(D - 1) / 2))
        pieces = mpmath.linspace(0, mpmath.pi, 2 + k // 10 + 1)
        value = weight * mpmath.quad(lambda a: kernel(mpmath, a) * gegenbauer(mpmath.cos(a), k) * mpmath.sin(a) ** (D - 2), pieces)
        return time.perf_counter() - start, value


def by_scipy(k, repeats):
    """One eigenvalue in double precision with the adaptive rule; the least time of several."""
    from scipy.integrate import quad

    weight = math.gamma(D / 2) / (math.sqrt(math.pi) * math.gamma((D - 1) / 2))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        value = weight * quad(lambda a: kernel(math, a) * gegenbauer(math.cos(a), k) * math.sin(a) ** (D - 2), 0, math.pi, epsabs=0, epsrel=1e-13, limit=1000, full_output=1)[0]
        times.append(time.perf_counter() - start)
    return min(times), value


def fresh(arguments, rounds):
    """Median wall time of a fresh process."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def machine():
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("python-flint", "sympy", "mpmath", "scipy", "numpy"))
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def run_job(top, sample, rounds):
    script = JOB.format(depth=DEPTH, d=D, top=top, digits=DIGITS, bits=math.floor(DIGITS * math.log2(10)), sample=sample)
    runs = []
    for _ in range(rounds):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout) | {"wall": time.perf_counter() - start})
    return {key: statistics.median(run[key] for run in runs) for key in ("import", "eigenvalues", "wall")} | {"values": runs[0]["values"]}


def compare(name, k, seconds, value, ours, certified):
    with mpmath.workdps(DIGITS + 10):
        error = abs(mpmath.mpf(value) / mpmath.mpf(certified) - 1)
    print(f"{name:<28} k = {k:<5} {seconds * 1e3:10.2f} ms   ratio to symspec per eigenvalue {seconds / ours:10.1f}   relative error {mpmath.nstr(error, 2)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="degrees to 200, low samples, one round")
    args = parser.parse_args()
    top, rounds = (200, 1) if args.quick else (1000, 5)
    slow, fast = ([2, 10], [2, 10, 100]) if args.quick else ([2, 10, 40], [2, 10, 100, 1000])
    print(machine(), f"load {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "", sep=", ")
    ours = run_job(top, sorted({*slow, *fast}), rounds)
    each = ours["eigenvalues"] / (top + 1)
    print(f"symspec, k = 0..{top}, d = {D}, {DIGITS} digits: {ours['eigenvalues']:.3f} s and {ours['import']:.3f} s of imports; the process {ours['wall']:.3f} s; {each * 1e3:.3f} ms an eigenvalue")
    for k in slow:
        compare("mpmath.quad, 50 digits", k, *by_mpmath(k), each, ours["values"][str(k)])
    for k in fast:
        compare("scipy.integrate.quad, double", k, *by_scipy(k, 5), each, ours["values"][str(k)])
    print(f"symspec --help: {fresh(['-m', 'symspec', '--help'], 2 * rounds + 1):.3f} s   (goal: under 0.3)")
    print(f"import symspec: {fresh(['-c', 'import symspec'], 2 * rounds + 1):.3f} s   (goal: under 0.7)")
    print(f"import symspec, first use of a network: {fresh(['-c', 'import symspec as s; s.mlp(s.relu, 3).ntk'], 2 * rounds + 1):.3f} s")


if __name__ == "__main__":
    sys.exit(main())
