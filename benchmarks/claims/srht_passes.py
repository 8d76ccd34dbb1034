"""Bound: a subsampled Hadamard transform takes at most 12 times as long as one pass over A.

A is 100000 x 304 float64 in C order, the sketch has 4 n or 12 n rows, and a pass is ``A.sum()``; one
thread. The other lines are for comparison.

    python -m benchmarks.claims.srht_passes
"""

import datetime
import sys
import time

import numba
import numpy as np
import scipy
import scipy.fft

import lrla
from lrla.kernels import srht

REPEATS = 7
BOUND = 12.0
M, COLUMNS, N = 100_000, 304, 131_072


def best(functions):
    """Return the shortest of REPEATS wall-clock times of each function, called in turns."""
    shortest = dict.fromkeys(functions, float("inf"))
    for _ in range(REPEATS):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            shortest[name] = min(shortest[name], time.perf_counter() - start)
    return shortest


def cases(random, dtype):
    """Name what is timed; the first is the unit."""
    A = random.standard_normal((M, COLUMNS)).astype(dtype)
    F = np.asfortranarray(A)
    slots = random.permutation(N)[:M]
    signs = random.choice(np.array([-1, 1], dtype=np.int8), M)
    functions = {"pass": A.sum}
    for d in (4 * COLUMNS, 12 * COLUMNS):
        S = (slots, signs, N, random.permutation(N)[:d])
        Y = random.standard_normal((d, COLUMNS)).astype(dtype)
        functions[f"apply, d = {d}, C order"] = lambda S=S: srht.apply(A, *S)
        functions[f"apply, d = {d}, F order"] = lambda S=S: srht.apply(F, *S)
        functions[f"adjoint, d = {d}"] = lambda S=S, Y=Y: srht.adjoint(Y, *S)
    functions["scipy.fft.dct(A, axis=0)"] = lambda: scipy.fft.dct(A, axis=0, workers=1)
    return functions


def main():
    """Print the table; exit with an error if the bound is broken."""
    print(
        f"{datetime.date.today()}; numpy {np.__version__}, numba {numba.__version__}, scipy {scipy.__version__}; 1 thread; "
        f"best of {REPEATS}; A {M} x {COLUMNS}, N = {N}"
    )
    worst = 0.0
    for dtype in ("f8", "f4"):
        functions = cases(np.random.default_rng(7), dtype)
        with lrla.threads(1):
            for function in functions.values():
                function()  # compile
            seconds = best(functions)
        for name, time_taken in seconds.items():
            passes = time_taken / seconds["pass"]
            print(f"{np.dtype(dtype).name}  {name:30} {time_taken:8.4f} s {passes:7.1f} passes")
            if dtype == "f8" and name.endswith("C order"):
                worst = max(worst, passes)
    if worst > BOUND:
        sys.exit(f"{worst:.1f} passes break the bound {BOUND}")


if __name__ == "__main__":
    main()
