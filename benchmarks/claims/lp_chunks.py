"""Show what regressions over dask arrays keep in memory, and what passes over the rows cost.

A million rows that are made anew in each pass, twenty chunks, one thread; each run in a process of its
own. Memory is what the largest resident set gains during the call; time is that of the processor, most of
which goes into making the rows, beside the call for the array in memory, once it is there.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.lp_chunks

Ends with an error if a call gains more memory than the array has, or if solutions differ by more than
1e-8 of the largest coefficient.
"""

import datetime
import multiprocessing
import platform
import resource
import sys
import time

import dask
import dask.array as da
import numpy as np

import lrla
from lrla.blocks import RowBlocks
from lrla.regression import huber_regression, lp_regression, quantile_regression

SHAPE, CHUNKS = (1_000_000, 60), 20
CASES = {
    "p = 1": lambda A, b: lp_regression(A, b, 1, rng=7),
    "tau = 0.9": lambda A, b: quantile_regression(A, b, 0.9, rng=7),
    "p = 1.5": lambda A, b: lp_regression(A, b, 1.5, rng=7),
    "p = 3": lambda A, b: lp_regression(A, b, 3, rng=7),
    "p = inf": lambda A, b: lp_regression(A, b, np.inf, rng=7),
    "huber": lambda A, b: huber_regression(A, b, scale=1.0, rng=7),
}


def chunk(i, rows):
    """Make the rows of a chunk."""
    A = np.random.default_rng([7, i]).standard_normal((rows, SHAPE[1]))
    A[:, 0] = 1
    return A


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run(case, chunked, pipe):
    """Solve in this process, and send what it took."""
    m, n = SHAPE
    rows, passes = m // CHUNKS, [0]
    made = RowBlocks._delayed

    def counted(self, *args, **options):
        passes[0] += 1
        return made(self, *args, **options)

    RowBlocks._delayed = counted
    A = da.concatenate(
        [
            da.from_delayed(dask.delayed(chunk)(i, rows), (rows, n), np.float64)
            for i in range(CHUNKS)
        ]
    )
    with dask.config.set(scheduler="synchronous"), lrla.threads(1):
        noise = np.random.default_rng(7).standard_t(2, m)
        b = (A @ np.ones(n)).compute() + noise
        if not chunked:
            A = A.compute()
        CASES[case](np.eye(5), np.arange(5.0))  # compiles
        before, passes[0], start = peak(), 0, time.process_time()
        result = CASES[case](A, b)
        pipe.send((result.x, peak() - before, time.process_time() - start, passes[0]))


def alone(case, chunked):
    """Do so in a new process."""
    mine, other = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=run, args=(case, chunked, other))
    process.start()
    out = mine.recv()
    process.join()
    return out


def main():
    """Print the table and check the bounds."""
    size = 8 * SHAPE[0] * SHAPE[1]
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, dask {dask.__version__}, lrla {lrla.__version__}"
    )
    print(f"{SHAPE[0]} x {SHAPE[1]}, {size / 1e6:.0f} MB; gain of memory, seconds\n")
    print(f"{'':10} {'chunks':>8} {'':>7} {'passes':>7} {'in memory':>10} {'difference':>12}")
    broken = False
    for case in CASES:
        x, gain, seconds, passes = alone(case, True)
        y, _, short, _ = alone(case, False)
        difference = np.max(np.abs(x - y)) / np.max(np.abs(y))
        broken |= gain > size or difference > 1e-8
        print(
            f"{case:10} {gain / 1e6:5.0f} MB {seconds:5.1f} s {passes:7} {short:8.1f} s "
            f"{difference:12.1e}",
            flush=True,
        )
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
