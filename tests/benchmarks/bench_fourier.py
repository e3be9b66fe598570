"""Spectra of ReLU networks: exact kinks and certified transforms against FFT and adaptive quadrature in the same run.

    python tests/benchmarks/bench_fourier.py [--quick]

1. A network of floats, six hidden layers of 256, on a closed polyline: all kinks as exact rationals, then its Fourier coefficients at the modes 1 to 10^4, 20 digits, every one
   certified. The peer is the FFT of N = 2^j samples of the same periodic function in double precision, N the least for which its error at the highest modes is below 1e-6 of their
   size. The samples are made in the cheapest way, by interpolation between the exact kinks; what evaluating the network at N points would take is measured on 2^14 of them.
2. The linear regions of a network 2-16-16-16-1 in a square, with the proof that jumps cancel at every vertex, and its transform at one frequency, 20 digits, against scipy's
   adaptive quadrature of the network (relative tolerance 1e-6) for a smaller network.
"""

import argparse
import os
import platform
import time
from itertools import pairwise

import numpy
import scipy.integrate
import sympy

import numerics
import symspec as ss


def machine():
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {numpy.__version__}, load {os.getloadavg()[0]:.2f}"


def random_layers(widths, seed):
    rng = numpy.random.default_rng(seed)
    return [(rng.standard_normal((b, a)) * (2 / a) ** 0.5, rng.standard_normal(b) / 4) for a, b in pairwise(widths)]


def evaluated(layers, points):
    signal = points
    for index, (weights, biases) in enumerate(layers):
        signal = signal @ weights.T + biases
        if index + 1 < len(layers):
            signal = numpy.maximum(signal, 0)
    return signal[:, 0]


def timed(work):
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def spectrum_on_a_closed_polyline(width, depth, modes):
    layers = random_layers((10, *[width] * depth, 1), seed=1)
    network, load = timed(lambda: ss.relu_network(layers))
    corners = numpy.random.default_rng(2).standard_normal((4, 10))
    corners = [*corners.tolist(), corners[0].tolist()]
    window, kinks = timed(lambda: network.restrict_to_polyline(corners, [0, "1/4", "1/2", "3/4", 1]))
    print(f"{network}: read {load:.2f} s, {len(window.kinks)} exact kinks on a closed polyline of 4 segments {kinks:.2f} s   (goal: 20 s)")
    frequencies = [2 * sympy.pi * m for m in range(1, modes + 1)]
    values, ours = timed(lambda: numerics.fourier(window, frequencies, 20))
    print(f"coefficients at {modes} modes, 20 digits, certified: {ours:.2f} s   (goal: 5 s)")
    exact = numpy.array([complex(value) for value in values])
    knots = numpy.array([0.0, *(float(x) for x, _ in window.kinks), 1.0])
    heights = _heights(window)
    top = slice(modes - 100, modes)
    size = numpy.sqrt(numpy.mean(abs(exact[top]) ** 2))
    for j in range(16, 27):
        z = numpy.arange(1 << j) / (1 << j)
        found, sampling = timed(lambda z=z: numpy.interp(z, knots, heights))
        spectrum, fft = timed(lambda found=found: numpy.fft.rfft(found)[1 : modes + 1] / len(found))
        error = abs(spectrum[top] - exact[top]).max() / size
        print(f"  FFT, N = 2^{j}: relative error at the highest modes {error:.1e}, samples by interpolation {sampling:.2f} s, FFT {fft:.2f} s")
        if error < 1e-6:
            break
    points = numpy.random.default_rng(3).standard_normal((1 << 14, 10))
    _, evaluation = timed(lambda: evaluated(layers, points))
    whole = evaluation * (1 << j) / (1 << 14)
    print(f"ratio FFT with interpolation / certified: {(sampling + fft) / ours:.2f}; evaluating the network at 2^{j} points would take {whole:.0f} s, ratio {(whole + fft) / (kinks + ours):.1f}")


def _heights(window):
    x, y, slope, found = window.a, window.values[0], window.slopes[0], [float(window.values[0])]
    for end, jump in (*window.kinks, (window.b, 0)):
        y, x, slope = y + slope * (end - x), end, slope + jump
        found.append(float(y))
    return numpy.array(found)


def regions_of_a_square(width):
    layers = random_layers((2, width, width, width, 1), seed=0)
    layers = [(weights, biases * 2) for weights, biases in layers]
    regions, made = timed(lambda: ss.relu_network(layers).linear_regions([(-2, 2), (-2, 2)]))
    _, checked = timed(regions.check)
    print(f"2-{width}-{width}-{width}-1: {regions}: {made:.2f} s   (goal: 20 s); check at every vertex {checked:.2f} s")
    _, one = timed(lambda: numerics.fourier_parts(regions, [3, 5], 20))
    print(f"transform at one frequency, 20 digits: {one * 1e3:.0f} ms")


def against_quadrature():
    layers = random_layers((2, 6, 5, 1), seed=0)
    regions, made = timed(lambda: ss.relu_network(layers).linear_regions([(-1, 1), (-1, 1)]))
    value, ours = timed(lambda: numerics.fourier(regions, [3, 5], 20))
    point = numpy.zeros((1, 2))

    def integrand(y, x):
        point[0] = x, y
        return evaluated(layers, point)[0] * numpy.cos(3 * x + 5 * y)

    (found, _), peer = timed(lambda: scipy.integrate.dblquad(integrand, -1, 1, -1, 1, epsabs=1e-7, epsrel=1e-6))
    error = abs(found - float(value.real)) / abs(float(value.real))
    print(f"2-6-5-1: regions {made * 1e3:.0f} ms, transform with 20 digits {ours * 1e3:.1f} ms; scipy dblquad, real part: {peer:.1f} s, relative error {error:.1e}, ratio {peer / (made + ours):.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a network of width 32 and 1000 modes")
    args = parser.parse_args()
    print(machine())
    spectrum_on_a_closed_polyline(*((32, 3, 1000) if args.quick else (256, 6, 10_000)))
    regions_of_a_square(8 if args.quick else 16)
    against_quadrature()


if __name__ == "__main__":
    main()
