"""Time a forward SOR sweep beside PyAMG's, and beside SciPy's product with the same matrix.

A sweep does what a product does, but each unknown waits for the one before. On the Laplacian of a
square with 512 x 512 unknowns one sweep, asked for by itself, may take at most 0.40 of the time of
PyAMG's, and 1.15 of that of the product. Ends with an error if it takes more.

Rows that repeat each other are read once; "varied" is a matrix that has none, for which all of it
is read, and no bound is stated.

Memory that has been freed is kept, not given back to the system: products make a new vector each
time, and clearing its pages would be counted against SciPy.
"""

import datetime
import os
import platform
import sys
import time

import numba
import numpy as np
import pyamg
import scipy

import lrla
from benchmarks import data, peers
from lrla.relaxation import SweepPlan

PEER, PRODUCT = 0.40, 1.15
ROUNDS, SWEEPS = 15, 10
OMEGA = 1.5


def best(*functions):
    """Return the shortest processor time of each function, called in turns, for one sweep."""
    shortest = [float("inf")] * len(functions)
    for function in functions:  # compile, and touch the memory
        function()
    for _ in range(ROUNDS):
        for i, function in enumerate(functions):
            start = time.process_time()
            function()
            shortest[i] = min(shortest[i], (time.process_time() - start) / SWEEPS)
    return shortest


def row(shape, varied=False):
    """Print one line of the table and return the two ratios."""
    A = data.laplacian(*shape)
    if varied:
        A.data *= 1 + 0.1 * np.random.default_rng(51).random(A.nnz)
    b = np.random.default_rng(90210).standard_normal(A.shape[0])
    x, y, z = np.zeros_like(b), np.zeros_like(b), np.zeros_like(b)
    plan = SweepPlan(A, omega=OMEGA)
    plan.sweep(x, b, SWEEPS)
    peers.sor_pyamg(A, y, b, OMEGA, SWEEPS)
    error = np.linalg.norm(x - y) / np.linalg.norm(y)
    ours, theirs, product, one, made = best(
        lambda: plan.sweep(x, b, SWEEPS),
        lambda: peers.sor_pyamg(A, y, b, OMEGA, SWEEPS),
        lambda: [A @ b for _ in range(SWEEPS)],
        lambda: [plan.sweep(z, b) for _ in range(SWEEPS)],
        lambda: SweepPlan(A, omega=OMEGA),
    )
    name = "x".join(map(str, shape)) + " varied" * varied
    print(
        f"{name:16} {1e3 * ours:7.2f} {1e3 * one:9.2f} {1e3 * theirs:7.2f} {1e3 * product:7.2f}  "
        f"{one / theirs:6.2f} {one / product:7.2f}   "
        f"{1e3 * made * SWEEPS:7.1f}   {error:.0e}",
        flush=True,
    )
    return one / theirs, one / product


def main():
    """Print the table and check the bounds."""
    print(
        f"{datetime.date.today()}  {platform.processor() or platform.machine()}, "
        f"python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
        f"numba {numba.__version__}, pyamg {pyamg.__version__}, lrla {lrla.__version__}"
    )
    print(
        f"Laplacians, omega = {OMEGA}; 1 thread; ms of processor time, best of {ROUNDS}: for a sweep "
        f"when {SWEEPS} are asked for, when one is, of PyAMG, and for A @ x; ratios of the second"
    )
    print(
        "grid                lrla  one each   pyamg   A @ x   /pyamg  /A @ x   plan (once)  "
        "difference"
    )
    with lrla.threads(1):
        peer, product = row((512, 512))
        row((512, 512), varied=True)
        row((256, 256))
        row((1024, 1024))
        row((64, 64, 64))
    print(f"bounds on 512x512: {PEER} and {PRODUCT}; here {peer:.2f} and {product:.2f}")
    if peer > PEER or product > PRODUCT:
        sys.exit("a bound is broken")


if __name__ == "__main__":
    kept = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "10000000000"}
    if not kept.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.claims.sor_sweep"],
                  os.environ | kept)  # fmt: skip
    main()
