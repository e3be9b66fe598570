"""Convolutional kernels: certified eigenvalues, and Gram matrices of images beside the plain recursion in NumPy.

    python tests/benchmarks/bench_convolution.py [--images N]

The peer is what one writes by hand: the recursion on an array (pairs, 32, 32), patches by numpy.roll, in pieces of 256 pairs, one thread. Calls alternate in one run.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import statistics
import time

import numpy

import gpu
import numerics
import symspec as ss
from gpu.backends import one_blas_thread
from symspec.errors import Undecided

PIECE = 256


def plain(x, depth):
    """Mean over positions of the ReLU conjugate kernel with circular 3x3 filters, upper triangle mirrored."""
    n = x.shape[0]
    rows, columns = numpy.triu_indices(n)
    result = numpy.empty((n, n))
    for start in range(0, len(rows), PIECE):
        i, j = rows[start : start + PIECE], columns[start : start + PIECE]
        c = numpy.einsum("bpc,bpc->bp", x[i], x[j]).reshape(-1, 32, 32)
        for _ in range(depth):
            c = sum(numpy.roll(c, shift, axis=1) for shift in (-1, 0, 1))
            c = numpy.clip(sum(numpy.roll(c, shift, axis=2) for shift in (-1, 0, 1)) / 9, -1, 1)
            c = (c * (numpy.pi - numpy.arccos(c)) + numpy.sqrt(1 - c * c)) / numpy.pi
        result[i, j] = result[j, i] = c.mean(axis=(1, 2))
    return result


def timed(call):
    start = time.perf_counter()
    value = call()
    return time.perf_counter() - start, value


def eigenvalues():
    indices = list(itertools.product(range(31), repeat=2))
    for name, net in (("two layers", ss.cnn(ss.relu, 2, 2, 2)), ("pointwise first", ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise"))):
        for part in ("ck", "ntk"):
            seconds, values = timed(lambda net=net, part=part: numerics.eigenvalues(getattr(net, part), ss.MultiSphere(3, 2), indices, 20))
            print(f"2 pixels, {name}, {part}: {len(indices)} eigenvalues, 20 digits, {seconds:.1f} s, smallest {float(min(v for v in values if v != 0)):.2e}", flush=True)
    pointwise = {"first_layer": "pointwise"}
    for name, kernel, top, total, digits in (
        ("3 pixels, two layers of size 2, ck", ss.cnn(ss.relu, 2, 2, 3).ck, 4, 12, 6),
        ("4 pixels, one layer of size 4, ck", ss.cnn(ss.relu, 1, 4, 4).ck, 4, 4, 6),
        ("4 pixels, three layers of size 2, ck", ss.cnn(ss.relu, 3, 2, 4).ck, 4, 16, 4),
        ("4 pixels, three layers of size 2, ntk", ss.cnn(ss.relu, 3, 2, 4).ntk, 4, 4, 3),
        ("4 pixels, three layers of size 2, ntk", ss.cnn(ss.relu, 3, 2, 4).ntk, 4, 16, 2),
        ("4 pixels, three layers of size 2, ntk, gap", ss.cnn(ss.relu, 3, 2, 4, "gap").ntk, 4, 4, 3),
        ("4 pixels, pointwise and size 4, ck", ss.cnn(ss.relu, 2, 4, 4, **pointwise).ck, 4, 4, 6),
        ("4 pixels, pointwise and size 4, ck", ss.cnn(ss.relu, 2, 4, 4, **pointwise).ck, 4, 16, 3),
        ("4 pixels, pointwise and size 4, ntk", ss.cnn(ss.relu, 2, 4, 4, **pointwise).ntk, 4, 4, 3),
        ("4 pixels, three layers of size 2, erf, ntk", ss.cnn(ss.erf, 3, 2, 4).ntk, 4, 16, 6),
        ("5 pixels, two layers of size 3, ntk", ss.cnn(ss.relu, 2, 3, 5).ntk, 4, 4, 2),
        ("6 pixels, five layers of size 2, ck", ss.cnn(ss.relu, 5, 2, 6).ck, 3, 3, 2),
    ):
        several(name, kernel, top, total, digits)


def several(name, kernel, top, total, digits):
    """All multi-indices with entries and sum up to given limits."""
    indices = [k for k in itertools.product(range(top + 1), repeat=kernel.pixels) if sum(k) <= total]
    try:
        seconds, values = timed(lambda: numerics.eigenvalues(kernel, ss.MultiSphere(3, kernel.pixels), indices, digits))
    except Undecided as error:
        print(f"{name}: {error}", flush=True)
        return
    print(f"{name}: {len(indices)} eigenvalues, {digits} digits, {seconds:.1f} s, smallest {float(min(v for v in values if v != 0)):.2e}", flush=True)


def gram(images):
    x = gpu.image_points(images, ss.MultiSphere(3, 1024), seed=1)
    kernel = ss.cnn(ss.relu, 3, 3, (32, 32), "trace").ck
    gpu.gram(kernel, x[:2], backend="numpy")
    rounds = []
    for _ in range(3 if images <= 100 else 1):
        ours, first = timed(lambda: gpu.gram(kernel, x, backend="numpy"))
        with one_blas_thread():
            theirs, second = timed(lambda: plain(x, 3))
        rounds.append((ours, theirs))
    ours, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{images} images 32x32x3, depth 3: symspec {ours:.1f} s, plain NumPy {theirs:.1f} s, ratio {theirs / ours:.1f}, difference {abs(first - second).max():.0e}, peak memory {peak:.2f} GB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=500)
    options = parser.parse_args()
    gram(options.images)
    eigenvalues()
