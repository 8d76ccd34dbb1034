"""Check how much faster p-norm regression is here than by cvxpy with Clarabel, for p from 1.5 to 32.

One thread, processor time. Ours is the best of several rounds; cvxpy runs once, with the time it
takes to compile the problem. Norms of the residuals must agree.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.p_norm [p ...]

Ends with an error if the bound is broken.
"""

import datetime
import platform
import sys
import time

import numpy as np

import lrla
from benchmarks import peers
from benchmarks.claims.lad import clock, gaussian
from lrla.regression import lp_regression

BOUND = 30
EXPONENTS = (1.5, 3.0, 4.0, 8.0, 32.0)
ROUNDS = 3


def norm(r, p):
    """p-norm without overflow."""
    peak = np.max(abs(r))
    return peak * np.sum((abs(r) / peak) ** p) ** (1 / p)


def main(exponents):
    """Print the table and check the bound."""
    import clarabel
    import cvxpy

    A, b = gaussian(5_000, 20)
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, cvxpy {cvxpy.__version__}, clarabel {clarabel.__version__}, "
        f"lrla {lrla.__version__}"
    )
    print(f"{A.shape[0]} x {A.shape[1]}, 1 thread, processor time; lrla best of {ROUNDS}")
    print(f"{'p':>5} {'lrla':>8} {'cvxpy':>8} {'ratio':>7} {'gap':>8} {'excess of cvxpy':>16}")
    broken = False
    with lrla.threads(1):
        lp_regression(A, b, 1.3, rng=1)  # compiles
        for p in exponents or EXPONENTS:
            times, result = zip(
                *(clock(lambda p=p: lp_regression(A, b, p, rng=1)) for _ in range(ROUNDS)),
                strict=True,
            )
            start = time.process_time()
            x = peers.p_norm_cvxpy(A, b, p)
            theirs = time.process_time() - start
            excess = norm(b - A @ x, p) / result[0].objective - 1
            ratio = theirs / min(times)
            print(
                f"{p:5.1f} {min(times):8.4f} {theirs:8.2f} {ratio:7.0f} {result[0].gap:8.0e} "
                f"{excess:16.1e}",
                flush=True,
            )
            broken |= bool(ratio < BOUND or excess < -1e-7)
    return broken


if __name__ == "__main__":
    sys.exit(main([float(p) for p in sys.argv[1:]]))
