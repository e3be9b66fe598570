"""The peer of bench_gram.py: neural-tangents under jit, driven line by line over standard input.

Runs in an environment of its own, made by

    python3 -m venv peer && peer/bin/pip install neural-tangents==0.6.5 jax==0.4.25 jaxlib==0.4.25 tf2jax==0.3.5 "numpy<2"

Reads "N D", answers with its versions; then for each line "DEPTH DTYPE" compiles on the first
call, and answers with the seconds of one further call and 20 entries of the matrix (the first
row) as hexadecimal floats, so that the two can be compared.
"""

import sys
import time

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import neural_tangents  # noqa: E402
import numpy as np  # noqa: E402
from neural_tangents import stax  # noqa: E402


def tangent_kernel(depth):
    layers = []
    for _ in range(depth):
        layers += [stax.Dense(1, W_std=2**0.5, b_std=None), stax.Relu()]
    _, _, kernel = stax.serial(*layers, stax.Dense(1, W_std=2**0.5, b_std=None))
    return jax.jit(lambda x: kernel(x, None, "ntk"))


def points(n, d):
    """The points of bench_gram.py, of norm sqrt(d), which is that library's convention."""
    x = np.random.Generator(np.random.Philox(key=0)).standard_normal((n, d))
    return x / np.sqrt((x * x).sum(axis=1))[:, None] * np.sqrt(d)


def main():
    n, d = map(int, sys.stdin.readline().split())
    x = points(n, d)
    print(f"neural-tangents {neural_tangents.__version__}, jax {jax.__version__}, numpy {np.__version__}", flush=True)
    compiled = {}
    for line in sys.stdin:
        depth, dtype = line.split()
        if line not in compiled:
            compiled[line] = tangent_kernel(int(depth)), jnp.asarray(x.astype(dtype))
            compiled[line][0](compiled[line][1]).block_until_ready()
        kernel, data = compiled[line]
        start = time.perf_counter()
        matrix = kernel(data).block_until_ready()
        seconds = time.perf_counter() - start
        print(seconds, *(float(value).hex() for value in np.asarray(matrix[0, :20])), flush=True)


main()
