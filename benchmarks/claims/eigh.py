"""Show the time of eigh on sparse matrices beside SciPy's eigsh (ARPACK), at lrla's default tolerance.

A random symmetric matrix, whose eigenvalues crowd, the Laplacian of a square, whose eigenvalues are
mostly double, and that of a path, with gaps of a millionth of the largest eigenvalue. One thread,
processor time, in turns. There is no bound: where many entries stand in a row ARPACK, which takes one
vector at a time, is ahead; blocks are the price of seeing eigenvalues that come twice.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.eigh
"""

import datetime
import platform
import time

import numpy as np
import scipy
import scipy.sparse as sp

import lrla
from benchmarks import peers

RTOL, ROUNDS, RANKS = 2e-11, 2, (10, 50)


def matrices():
    """Make the matrices, of some 20000 rows, and 3000 for the path."""
    rng = np.random.default_rng(7)
    A = sp.random_array(
        (20_000, 20_000), density=5e-4, format="csr", rng=rng, data_sampler=rng.standard_normal
    )
    path = sp.diags_array([2.0, -1, -1], offsets=[0, 1, -1], shape=(141, 141))
    long = sp.diags_array([2.0, -1, -1], offsets=[0, 1, -1], shape=(3000, 3000), format="csr")
    return {
        "random": (A + A.T).tocsr(),
        "Laplacian": sp.kronsum(path, path, format="csr"),
        "path": long,
    }


def timed(call):
    """Return the processor time of a call and its result."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, tuple(result)


def main():
    """Print the table."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, lrla {lrla.__version__}"
    )
    print(f"1 thread, processor time, best of {ROUNDS}; residuals over the largest eigenvalue")
    with lrla.threads(1):
        for name, A in matrices().items():
            lrla.eigh(A, 2, rtol=0.1, rng=5)  # compiles
            for rank in RANKS:
                calls = {
                    "lrla": lambda A=A, k=rank: lrla.eigh(A, k, rng=5),
                    "eigsh": lambda A=A, k=rank: peers.eigh_arpack(A, k, RTOL),
                }
                best, residual = dict.fromkeys(calls, np.inf), {}
                for _ in range(ROUNDS):
                    for who, call in calls.items():
                        seconds, (w, V) = timed(call)
                        best[who] = min(best[who], seconds)
                        rest = np.linalg.norm(A @ V - V * w, axis=0).max()
                        residual[who] = rest / np.abs(w).max()
                print(
                    f"{name:10} rank {rank:3}  "
                    + "  ".join(f"{who} {best[who]:6.2f} s ({residual[who]:.0e})" for who in calls)
                    + f"  ratio {best['lrla'] / best['eigsh']:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
