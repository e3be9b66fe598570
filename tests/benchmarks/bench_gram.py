"""Gram matrices: symspec against neural-tangents on the same cores, and depth 32 against depth 3.

    python tests/benchmarks/bench_gram.py --peer peer/bin/python [--quick]

The peer needs an environment of its own (see peer_neural_tangents.py) and runs in a process of its own, which idles while
symspec runs. Calls alternate A B A B in one run, so that both meet the same machine; medians and their ratios are
printed. Not timed: the peer's compilation, and the certified polynomial of symspec, which is made once a kernel (its time
is printed). Both compute the tangent kernel of ReLU networks, sigma_w^2 = 2, of the same points in float64.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy

import symspec as ss
from gpu import gram, gram_report, sphere_points
from gpu.backends import cores


class Peer:
    """The other library, behind a pipe."""

    def __init__(self, python, n, d):
        script = Path(__file__).with_name("peer_neural_tangents.py")
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen([python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        self.versions = self.ask(f"{n} {d}")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("the peer ended; run tests/benchmarks/peer_neural_tangents.py by hand in its environment to see why")
        return answer.strip()

    def seconds(self, depth, dtype):
        seconds, *row = self.ask(f"{depth} {dtype}").split()
        return float(seconds), numpy.array([float.fromhex(value) for value in row])

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Ours:
    """symspec, the certified polynomial made beforehand."""

    def __init__(self, points, depths, backend):
        self.points, self.backend = points, backend
        self.kernels = {depth: ss.mlp(ss.relu, depth, sigma_w2=2, sigma_b2=0).ntk for depth in depths}
        for depth, kernel in self.kernels.items():
            start = time.perf_counter()
            report = gram_report(kernel, method="polynomial", backend=backend)
            print(f"depth {depth}: {report.terms} terms, error bound {report.error_bound:.2g}, made once in {time.perf_counter() - start:.2f} s")
            gram(kernel, points, backend=backend)

    def seconds(self, depth):
        start = time.perf_counter()
        matrix = gram(self.kernels[depth], self.points, backend=self.backend)
        return time.perf_counter() - start, matrix[0, :20]


def machine():
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    return f"{model}, {cores()} cores, Python {platform.python_version()}, numpy {numpy.__version__}"


def show(name, seconds):
    print(f"{name:<36} median {statistics.median(seconds) * 1e3:8.1f} ms   least {min(seconds) * 1e3:8.1f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", help="python of the environment that has neural-tangents; without it only symspec is timed")
    parser.add_argument("--quick", action="store_true", help="500 points and three rounds")
    parser.add_argument("--backend", default="numpy")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--deep", type=int, default=32, help="the deep network (default 32)")
    args = parser.parse_args()
    n, d, rounds = (500, 100, 3) if args.quick else (2000, 100, args.rounds)
    print(machine(), f"load {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "", sep=", ")
    ours = Ours(sphere_points(n, d, seed=0), (3, args.deep), args.backend)
    peer = Peer(args.peer, n, d) if args.peer else None
    print(f"n = {n}, d = {d}, {rounds} rounds", "" if peer is None else f"against {peer.versions}")
    times = {name: [] for name in ("ours 3", "ours deep", "peer 3", "peer 3 float32")}
    if peer:
        for dtype in ("float64", "float32"):
            peer.seconds(3, dtype)
    for _ in range(rounds):
        seconds, row = ours.seconds(3)
        times["ours 3"].append(seconds)
        if peer:
            seconds, other = peer.seconds(3, "float64")
            times["peer 3"].append(seconds)
        times["ours deep"].append(ours.seconds(args.deep)[0])
        if peer:
            times["peer 3 float32"].append(peer.seconds(3, "float32")[0])
    show("symspec, depth 3, float64", times["ours 3"])
    show(f"symspec, depth {args.deep}, float64", times["ours deep"])
    if peer:
        show("neural-tangents, depth 3, float64", times["peer 3"])
        show("neural-tangents, depth 3, float32", times["peer 3 float32"])
        middle = {name: statistics.median(values) for name, values in times.items()}
        print(f"largest difference of 20 entries: {abs(row - other).max():.2g} (the diagonal included), {abs(row - other)[1:].max():.2g} (without it)")
        print(f"ratio neural-tangents float64 / symspec: {middle['peer 3'] / middle['ours 3']:.2f}   (goal: at least 2)")
        print(f"ratio neural-tangents float32 / symspec: {middle['peer 3 float32'] / middle['ours 3']:.2f}")
        peer.close()
    print(f"ratio depth {args.deep} / depth 3: {statistics.median(times['ours deep']) / statistics.median(times['ours 3']):.2f}   (goal: at most 1.5)")


if __name__ == "__main__":
    sys.exit(main())
