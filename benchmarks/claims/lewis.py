"""Count iterations of Lewis weights to a residual of 1e-10, beside Cohen and Peng's fixed point.

An iteration is one computation of leverage scores. Five designs of 3000 x 12; the smallest and the
largest count over them. The bound for each p is the largest count of the damped iteration with
Anderson acceleration that was published with the design of this library.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.lewis

Ends with an error if a bound is broken.
"""

import datetime
import platform
import sys
import time

import numpy as np

import lrla
from benchmarks import data
from lrla.sampling import lewis_weights

BOUNDS = {0.5: 23, 1: 15, 1.5: 15, 3: 13, 4: 18, 8: 32, 16: 57}
TOL = 1e-10


def counts(p, method):
    """Return iterations and seconds for all designs."""
    results = []
    for A in data.row_designs(3000, 12).values():
        start = time.process_time()
        result = lewis_weights(A, p, tol=TOL, method=method, rng=5)
        results.append((result.info.iterations, time.process_time() - start))
    return [n for n, _ in results], sum(t for _, t in results)


def main():
    """Print the table and check the bounds."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, lrla {lrla.__version__}; residual {TOL:.0e}, 1 thread"
    )
    print(
        f"{'p':>5} {'Cohen-Peng':>12} {'seconds':>8} {'lrla auto':>12} {'seconds':>8} {'bound':>6}"
    )
    broken = False
    with lrla.threads(1):
        counts(1, "auto")  # compiles
        for p, bound in BOUNDS.items():
            slow, slow_seconds = counts(p, "fixed_point") if p < 4 else ([], 0.0)
            fast, seconds = counts(p, "auto")
            old = f"{min(slow)}-{max(slow)}" if slow else "diverges"
            spent = f"{slow_seconds:.2f}" if slow else ""
            new = f"{min(fast)}-{max(fast)}"
            print(f"{p:5} {old:>12} {spent:>8} {new:>12} {seconds:8.2f} {bound:6}")
            broken |= max(fast) > bound
        fast, seconds = counts(np.inf, "auto")
        print(f"  inf {'':21} {f'{min(fast)}-{max(fast)}':>12} {seconds:8.2f}")
        A = np.random.default_rng(5).standard_normal((200_000, 50))
        for p in (1, 4):
            start = time.process_time()
            result = lewis_weights(A, p, rng=5)
            spent = time.process_time() - start
            start = time.process_time()
            np.linalg.qr(A)
            once = time.process_time() - start
            print(
                f"200000 x 50, p = {p}, residual {result.residual:.0e}: {spent:.2f} s, "
                f"{result.info.iterations} iterations; one numpy.linalg.qr: {once:.2f} s"
            )
    return broken


if __name__ == "__main__":
    sys.exit(main())
