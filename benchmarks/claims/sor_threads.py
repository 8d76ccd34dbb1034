"""Time sweeps on one thread and on two, and hold them to the same bits.

    python -m benchmarks.claims.sor_threads

Ten sweeps in natural order, which threads share as a wave; red-black sweeps, where they share each
colour; and conjugate gradients with red-black SSOR. Wall-clock time, the best of several rounds in
turns. The first line says what the machine has to give: two loops that share nothing, one after the
other and side by side. Where that is 1, other work holds all processors but one, and the rest of the
table says nothing about speed. Ends with an error if a bit differs.
"""

import datetime
import os
import platform
import sys
import threading
import time

import numba
import numpy as np
import scipy

import lrla
from benchmarks import data
from lrla.relaxation import SweepPlan, ssor_pcg

ROUNDS = 12


@numba.njit(nogil=True)
def _spin(n):
    total = 0.0
    for i in range(n):
        total += 1.0 / (i + 1.5)
    return total


def room():
    """Return the times of two loops one after the other, and side by side."""
    _spin(1)
    shortest = [float("inf")] * 2
    for _ in range(ROUNDS):
        start = time.perf_counter()
        _spin(10_000_000)
        _spin(10_000_000)
        shortest[0] = min(shortest[0], time.perf_counter() - start)
        both = [threading.Thread(target=_spin, args=(10_000_000,)) for _ in range(2)]
        start = time.perf_counter()
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        shortest[1] = min(shortest[1], time.perf_counter() - start)
    return shortest


def sweeps(shape, order):
    """Return a function that sweeps ten times from the same start and returns the iterate."""
    A = data.laplacian(*shape)
    A.data *= 1 + 0.1 * np.random.default_rng(51).random(
        A.nnz
    )  # rows that do not repeat each other
    b = np.random.default_rng(90210).standard_normal(A.shape[0])
    plan, x = SweepPlan(A, omega=1.5, order=order), np.zeros_like(b)

    def run():
        x[:] = 0
        plan.sweep(x, b, 10)
        return x

    return run


def solve(shape):
    """Return a function that solves with a red-black preconditioner."""
    A = data.laplacian(*shape)
    b = np.random.default_rng(90210).standard_normal(A.shape[0])
    return lambda: ssor_pcg(A, b, order="redblack", rtol=1e-6).x


def main():
    """Print the table and compare bits."""
    print(
        f"{datetime.date.today()}  {platform.processor() or platform.machine()}, "
        f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, python "
        f"{platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, numba "
        f"{numba.__version__}, lrla {lrla.__version__}"
    )
    print(f"ms of wall-clock time, best of {ROUNDS}")
    print("                                1 thread  2 threads  speed-up   same bits")
    one, two = room()
    print(f"{'loops that share nothing':32}{1e3 * one:8.1f}{1e3 * two:11.1f}{one / two:10.2f}")
    cases = {
        "natural, 512 x 512": sweeps((512, 512), "natural"),
        "natural, 1024 x 1024": sweeps((1024, 1024), "natural"),
        "natural, 64 x 64 x 64": sweeps((64, 64, 64), "natural"),
        "red-black, 1024 x 1024": sweeps((1024, 1024), "redblack"),
        "ssor_pcg red-black, 512 x 512": solve((512, 512)),
    }
    broken = False
    for name, run in cases.items():
        shortest, found = [float("inf")] * 2, [None] * 2
        for _ in range(ROUNDS if "pcg" not in name else 3):
            for k in range(2):
                with lrla.threads(k + 1):
                    start = time.perf_counter()
                    x = run()
                    shortest[k] = min(shortest[k], time.perf_counter() - start)
                found[k] = x.copy()
        same = np.array_equal(*found)
        broken |= not same
        one, two = shortest
        print(f"{name:32}{1e3 * one:8.1f}{1e3 * two:11.1f}{one / two:10.2f}   {same}", flush=True)
    if broken:
        sys.exit("a bit differs")


if __name__ == "__main__":
    main()
