"""Check that the flights regression takes at most a fifth of the time of LAPACK's gelsd.

One thread, processor time, in turns; backward errors by one and the same measure for all.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.flights

Ends with an error if the bound is broken.
"""

import datetime
import platform
import sys
import time

import numpy as np
import scipy
import scipy.linalg
import scipy.sparse

import lrla
from lrla.__main__ import Judge
from lrla.datasets import flights

BOUND = 0.2
ROUNDS = 3


def main():
    """Print the table and check the bound."""
    data = flights()
    A, b = data.A, data.b
    sparse = scipy.sparse.csr_array(A)
    calls = {
        "gelsd": lambda: scipy.linalg.lstsq(A, b)[0],
        "lrla auto": lambda: lrla.lstsq(A, b, rng=5).x,
        "lrla spir": lambda: lrla.lstsq(A, b, method="spir", rng=5).x,
        "lrla auto, CSR": lambda: lrla.lstsq(sparse, b, rng=5).x,
    }
    judge = Judge(data)
    with lrla.threads(1):
        answers = {name: call() for name, call in calls.items()}  # compiles
        best = dict.fromkeys(calls, float("inf"))
        for _ in range(ROUNDS):
            for name, call in calls.items():
                start = time.process_time()
                call()
                best[name] = min(best[name], time.process_time() - start)
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, lrla {lrla.__version__}"
    )
    print(f"flights {A.shape[0]} x {A.shape[1]}, 1 thread, processor time, best of {ROUNDS}")
    print(f"{'':16} {'seconds':>8} {'ratio':>6} {'backward error':>15}")
    for name, seconds in best.items():
        ratio = seconds / best["gelsd"]
        print(f"{name:16} {seconds:8.3f} {ratio:6.3f} {judge(answers[name]):15.1e}")
    return best["lrla auto"] > BOUND * best["gelsd"]


if __name__ == "__main__":
    sys.exit(main())
