"""Time the ridge leverage scores of kernels: bottom-up (BLESS) beside the recursion, and beside DPPy.

The scores of all points, one thread, processor time, in turns, best of some rounds. Errors are those
of the sum of the scores and of single ones, beside exact scores, at the size where these are quick.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.bless

Ends with an error if BLESS is slower than the recursion for a ridge of sqrt(n) or more, or than DPPy,
or if a score is off by more than a factor of 6.
"""

import datetime
import platform
import sys
import time

import numpy as np

import lrla
from benchmarks import peers
from lrla.lowrank import KernelMatrix, kernel_leverage

ROUNDS, DIM, GAMMA, EXACT = 3, 5, 0.1, 2000
METHODS = ("recursive", "bless", "dppy")


def points(n):
    """Return Gaussian points."""
    return np.random.default_rng(90210).standard_normal((n, DIM))


def scores(K, ridge, method, seed):
    """Return our result, or the scores of DPPy."""
    if method == "dppy":
        return peers.kernel_leverage_dppy(K.X, GAMMA, ridge, seed=seed)
    return kernel_leverage(K, ridge, method=method, rng=seed)


def times(n, ridges):
    """Print a line for each ridge; return whether a bound is broken."""
    K, broken = KernelMatrix(points(n), gamma=GAMMA), False
    for ridge in ridges:
        best, values = dict.fromkeys(METHODS, float("inf")), {}
        for seed in range(ROUNDS):
            for name in METHODS:
                start = time.process_time()
                values[name] = scores(K, ridge, name, seed)
                best[name] = min(best[name], time.process_time() - start)
        entries = [values[m].info.entries / n for m in ("recursive", "bless")]
        print(
            f"{n:6} {ridge:7.0f} {values['bless'].effective_dimension:6.0f} "
            f"{best['recursive']:10.2f} {best['bless']:8.2f} {best['dppy']:8.2f} "
            f"{best['bless'] / best['recursive']:16.2f} {best['bless'] / best['dppy']:10.2f} "
            f"{entries[0]:9.0f} {entries[1]:7.0f}",
            flush=True,
        )
        broken |= ridge >= n**0.5 and best["bless"] > best["recursive"]
        broken |= best["bless"] > best["dppy"]
    return broken


def errors():
    """Print quotients of approximate and exact scores; return whether a bound is broken."""
    K, broken = KernelMatrix(points(EXACT), gamma=GAMMA), False
    print(f"\n{EXACT} points, {ROUNDS} runs: quotients of scores, and of their sum")
    for ridge in (2.0, 20.0, EXACT**0.5):
        want = kernel_leverage(K, ridge, method="exact").scores
        for method in METHODS:
            found = [scores(K, ridge, method, seed) for seed in range(ROUNDS)]
            runs = [r if method == "dppy" else r.scores for r in found]
            q = np.array(runs) / want
            total = [np.sum(r) / np.sum(want) for r in runs]
            print(
                f"{ridge:7.0f} {method:10} {q.min():6.2f} to {q.max():6.2f}"
                f"   {min(total):6.2f} to {max(total):6.2f}",
                flush=True,
            )
            broken |= method == "bless" and not 1 / 6 < q.min() <= q.max() < 6
    return broken


def main():
    """Print the tables and check the bounds."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, lrla {lrla.__version__}"
    )
    print("     n   ridge    sum  recursive    bless     dppy  bless/recursive bless/dppy"
          "  entries / n of both")  # fmt: skip
    with lrla.threads(1):
        broken = times(20_000, (2.0, 20.0, 20_000**0.5, 1000.0))
        broken |= times(40_000, (20.0, 200.0, 2000.0))
        broken |= errors()
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
