"""Check that exact leverage scores take 0.4 of the time of a QR, and 0.02 for sparse rows.

One thread, processor time, in turns, best of a few rounds. Beside us: numpy.linalg.qr with Q
formed, the same with R alone, statsmodels, and the formula with an explicit inverse that is common
in user code. Accuracy is the largest relative error over all rows, by a reference in extended
precision; it must be at most three times that of QR.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.leverage

Ends with an error if a bound is broken.
"""

import datetime
import platform
import sys
import time

import numpy as np
import scipy
import scipy.sparse

import lrla
from benchmarks import data, peers

DENSE, SPARSE, ACCURACY = 0.4, 0.02, 3.0
SHAPES = ((200_000, 50), (100_000, 300))


def ours(method):
    """Return a function from data to scores."""
    return lambda A: lrla.leverage_scores(A, method=method, rng=5).scores


CALLS = {
    "numpy qr (Q formed)": peers.leverage_qr,
    "scipy qr (R alone), solve": peers.leverage_r,
    "statsmodels get_influence": peers.leverage_statsmodels,
    "einsum with inv(A'A)": peers.leverage_inverse,
    "lrla auto": ours("auto"),
    "lrla cholesky_qr": ours("cholesky_qr"),
    "lrla sketch": ours("sketch"),
    "lrla jl": ours("jl"),
}


def race(calls, A, rounds):
    """Time all calls in turns; return the best seconds of each."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.process_time()
            call(A)
            best[name] = min(best[name], time.process_time() - start)
    return best


def show(title, best, baseline):
    """Print times and how many times faster than the baseline each is."""
    print(f"\n{title}\n{'':28} {'seconds':>8} {'times':>7}")
    for name, seconds in best.items():
        print(f"{name:28} {seconds:8.3f} {best[baseline] / seconds:7.1f}")


def accuracy():
    """Print errors for growing condition numbers; return whether ours are those of QR."""
    names = ("numpy qr (Q formed)", "einsum with inv(A'A)", "lrla auto", "lrla cholesky_qr")
    print(f"\nlargest relative error, 50000 x 50\n{'condition':>10}", *(f"{n:>22}" for n in names))
    fine = True
    for digits in (3, 6, 9, 12):
        A, _ = data.least_squares(50_000, 50, digits)
        exact = data.leverage_exact(A)
        errors = [float(np.max(abs(CALLS[n](A) / exact - 1))) for n in names]
        print(f"{10.0**digits:10.0e}", *(f"{e:22.1e}" for e in errors))
        fine &= max(errors[2:]) <= ACCURACY * errors[0]
    return fine


def sparse_rows(m=50_000, n=600, per_row=8, seed=5):
    """Make a CSR matrix with so many random entries in each row."""
    rng = np.random.default_rng(seed)
    entries = rng.standard_normal(m * per_row), rng.integers(0, n, m * per_row)
    A = scipy.sparse.csr_array((*entries, np.arange(m + 1) * per_row), shape=(m, n))
    A.sum_duplicates()
    return A


def main():
    """Print the tables and check the bounds."""
    import statsmodels

    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, statsmodels {statsmodels.__version__}, "
        f"lrla {lrla.__version__}; 1 thread, processor time"
    )
    fine = True
    with lrla.threads(1):
        for call in CALLS.values():
            call(np.random.default_rng(5).standard_normal((3000, 80)))  # compiles
        for m, n in SHAPES:
            A = np.random.default_rng(5).standard_normal((m, n))
            best = race(CALLS, A, 3 if n < 100 else 2)
            show(f"{m} x {n}", best, "numpy qr (Q formed)")
            exact = max(best["lrla auto"], best["lrla cholesky_qr"])
            fine &= exact <= DENSE * best["numpy qr (Q formed)"]
        fine &= accuracy()
        A = sparse_rows()
        calls = {
            "dense numpy qr (Q formed)": lambda A: peers.leverage_qr(A.toarray()),
            "scipy A @ inv(A'A)": peers.leverage_sparse,
            "lrla auto": ours("auto"),
            "lrla cholesky_qr": ours("cholesky_qr"),
        }
        answers = {name: call(A) for name, call in calls.items()}
        best = race(calls, A, 2)
        show("50000 x 600, 8 entries in a row", best, "dense numpy qr (Q formed)")
        off = np.max(abs(answers["lrla auto"] / answers["dense numpy qr (Q formed)"] - 1))
        print(f"largest relative difference of lrla auto and QR: {off:.1e}")
        fine &= best["lrla auto"] <= SPARSE * best["dense numpy qr (Q formed)"] and off < 1e-10
    return not fine


if __name__ == "__main__":
    sys.exit(main())
