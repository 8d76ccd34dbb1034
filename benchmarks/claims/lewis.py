"""Count iterations of Lewis weights to a residual of 1e-10, beside Cohen and Peng's fixed point.

An iteration is one computation of leverage scores. Five designs of 3000 x 12; the smallest and the
largest count over them. The bound for each p is the largest count of the damped iteration with
Anderson acceleration that was published with the design of this library.

Then large data, at the accuracy that sampling needs: ours with tol = 0.5, beside an iteration whose
leverage scores come from a sketch and 64 random directions, fresh ones in each step, with damping
theta or theta / 2, theta = 2p / (p + 2), and the mean of the last three iterates. Errors are the
largest of abs(log(w / exact)); the sketched iteration does not know its own. Seconds until that is
0.5, or, in parentheses, of eight steps if it never is.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.lewis

Ends with an error if a bound is broken.
"""

import datetime
import itertools
import math
import platform
import sys
import time

import numpy as np
import scipy.sparse

import lrla
from benchmarks import data
from lrla.sampling import leverage_scores, lewis_weights

BOUNDS = {0.5: 23, 1: 15, 1.5: 15, 3: 13, 4: 18, 8: 32, 16: 57}
TOL = 1e-10
LARGE = ((1_000_000, 20), (1_000_000, 100), (150_000, 500))  # dense
SPARSE = (1_000_000, 300, 8)  # entries in a row
CLOSE, STEPS = 0.5, 8


def counts(p, method):
    """Return iterations and seconds for all designs."""
    results = []
    for A in data.row_designs(3000, 12).values():
        start = time.process_time()
        result = lewis_weights(A, p, tol=TOL, method=method, rng=5)
        results.append((result.info.iterations, time.process_time() - start))
    return [n for n, _ in results], sum(t for _, t in results)


def large():
    """Yield (name, matrix): rows of uneven size, and a sparse matrix."""
    numbers = np.random.default_rng(5)
    for m, n in LARGE:
        A = numbers.standard_normal((m, n))
        A *= np.exp(numbers.standard_normal(m))[:, None]
        yield f"{m} x {n}", A
    m, n, k = SPARSE
    places = numbers.integers(0, n, m * k), np.arange(0, m * k + 1, k)
    A = scipy.sparse.csr_array((numbers.standard_t(3, m * k), *places), shape=(m, n))
    A.sum_duplicates()
    yield f"{m} x {n} sparse", A


def sketched(A, p, damping, exact):
    """Iterate with sketched leverage scores: (seconds, error) after each step."""
    log_w = np.full(A.shape[0], math.log(A.shape[1] / A.shape[0]))
    last, spent = [], 0.0
    for step in range(STEPS):
        start = time.process_time()
        exponent = (1 - 2 / p) * log_w
        s = leverage_scores(A, weights=np.exp(exponent - exponent.max()), method="jl", rng=step)
        log_w = log_w + damping * 2 * p / (p + 2) * (np.log(s.scores) - log_w)
        last = [*last, log_w][-3:]
        mean = sum(last) / len(last)
        spent += time.process_time() - start
        yield spent, np.max(np.abs(mean - exact))


def approximate():
    """Compare with sketched leverage scores at an accuracy of 0.5."""
    print(f"\n{'data':22} {'p':>3} {'tol 0.5':>8} {'error':>6} {'theta':>8} {'error':>6} "
          f"{'theta/2':>8} {'error':>6}")  # fmt: skip
    for (name, A), p in itertools.product(large(), (1, 4)):
        exact = np.log(lewis_weights(A, p, tol=0.02, rng=5).weights)
        start = time.process_time()
        found = lewis_weights(A, p, tol=CLOSE, rng=5)
        cells = [f"{time.process_time() - start:8.2f}"]
        cells.append(f"{np.max(np.abs(np.log(found.weights) - exact)):6.2f}")
        for damping in (1, 0.5):
            path = list(sketched(A, p, damping, exact))
            done = [point for point in path if point[1] <= CLOSE]
            spent, error = done[0] if done else path[-1]
            cells.append(f"{f'{spent:.2f}' if done else f'({spent:.2f})':>8} {error:6.2f}")
        print(f"{name:22} {p:3} {' '.join(cells)}", flush=True)


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
        approximate()
    return broken


if __name__ == "__main__":
    sys.exit(main())
