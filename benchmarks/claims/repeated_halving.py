"""Show why leverage scores by repeated halving are not offered: a sketch is there sooner.

Repeated halving scores all rows by a weighted sample of a random half of them, whose rows were drawn
by scores that rest on a sample of a quarter, and so on. Here it is given what speaks for it: the same
inner loop over rows as the library's, rows in random order already, so that halves are slices, and few
rows in each sample, four for each unit of the scores. The library's exact scores and its sketch beside
it: seconds, one thread, processor time, in turns, best of some rounds, and standard deviations of the
quotients with exact scores.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.repeated_halving

Ends with an error if repeated halving is faster than the sketch on any data.
"""

import datetime
import platform
import sys
import time

import numpy as np
import scipy.linalg
import scipy.sparse

import lrla
from lrla.sampling import leverage_scores
from lrla.sampling._rows import look, squares

ROUNDS, RATE = 3, 4.0
DENSE = ((1_000_000, 50), (100_000, 300))
SPARSE = ((500_000, 200, 8), (200_000, 600, 8))  # entries in a row


def halving(A, seed):
    """Return approximate scores of the rows of A, which are in random order."""
    m, n = A.shape
    rng, sizes = np.random.default_rng(seed), [m]
    while sizes[-1] > max(20 * n, 1000):
        sizes.append(sizes[-1] // 2)
    rows, weights = A[: sizes[-1]], np.ones(sizes[-1])
    for size in sizes[-2::-1]:
        part = A[:size]
        probs = np.minimum(1, RATE * np.minimum(1, scores_by(rows, weights, part)))
        kept = np.flatnonzero(rng.random(size) < probs)
        rows, weights = part[kept], 1 / probs[kept]
    return scores_by(rows, weights, A)


def scores_by(rows, weights, A):
    """Score the rows of A by a weighted sample."""
    rows = rows.toarray() if scipy.sparse.issparse(rows) else rows
    R = np.linalg.qr(rows * np.sqrt(weights)[:, None], mode="r")
    return squares(look(A), scipy.linalg.solve_triangular(R, np.eye(R.shape[0])))


def exact(A, seed):
    """Exact scores."""
    return leverage_scores(A, rng=seed).scores


def sketch(A, seed):
    """Scores from a sketch."""
    return leverage_scores(A, method="sketch", rng=seed).scores


CALLS = {"exact": exact, "sketch": sketch, "halving": halving}


def data():
    """Make all matrices, one after the other."""
    for m, n in DENSE:
        yield f"{m} x {n}", np.random.default_rng(7).standard_normal((m, n))
    for m, n, k in SPARSE:
        rng = np.random.default_rng(7)
        A = scipy.sparse.random_array((m, n), density=k / n, format="csr", rng=rng)
        yield f"{m} x {n}, {k} a row", A


def main():
    """Print the table and check the bound."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, lrla {lrla.__version__}"
    )
    print(
        f"{'data':24}"
        + "".join(f"{name:>10}" for name in CALLS)
        + "   halving / sketch  deviations"
    )
    broken = False
    with lrla.threads(1):
        for name, A in data():
            best, found = dict.fromkeys(CALLS, float("inf")), {}
            for seed in range(ROUNDS):
                for method, call in CALLS.items():
                    start = time.process_time()
                    found[method] = call(A, seed)
                    best[method] = min(best[method], time.process_time() - start)
            some = found["exact"] > 0
            off = [np.std(found[k][some] / found["exact"][some]) for k in ("sketch", "halving")]
            print(
                f"{name:24}" + "".join(f"{seconds:10.3f}" for seconds in best.values())
                + f"{best['halving'] / best['sketch']:19.2f}  {off[0]:.2f}, {off[1]:.2f}",
                flush=True,
            )  # fmt: skip
            broken |= best["halving"] < best["sketch"]
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
