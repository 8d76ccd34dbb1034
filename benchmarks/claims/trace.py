"""Show how the error of trace estimators falls with the number of products.

Matrices of size 1000 with eigenvalues i**-2, 0.7**i, fifty ones above 1e-3, and evenly between 1 and 3; root
mean square of the relative error over 40 seeds, beside what the standard errors say.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.trace

Ends with an error if, on the decaying spectra, the order XNysTrace <= XTrace <= Hutch++ <= Hutchinson
does not hold (up to a factor of 1.3, for the first two are close on slow decay).
"""

import datetime
import itertools
import platform
import sys

import numpy as np
from scipy.sparse.linalg import aslinearoperator

import lrla
from lrla.lowrank import trace

N = 1000
BUDGETS = (30, 60, 120, 240)
SEEDS = 40
METHODS = ("xnystrace", "xtrace", "hutchpp", "hutchinson")
SPECTRA = {
    "poly": np.arange(1, N + 1.0) ** -2,
    "exp": 0.7 ** np.arange(N),
    "step": np.where(np.arange(N) < 50, 1.0, 1e-3),
    "flat": np.linspace(3, 1, N),
}


def main():
    """Print the tables and check the order."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, lrla {lrla.__version__}"
    )
    Q = np.linalg.qr(np.random.default_rng(7).standard_normal((N, N)))[0]
    broken = False
    for name, w in SPECTRA.items():
        op = aslinearoperator((Q * w) @ Q.T)
        print(f"{name}: relative error (and what the standard errors say)")
        print(f"   {'products':12}" + "".join(f"{b:>20}" for b in BUDGETS))
        rows = {}
        for method in METHODS:
            cells = []
            for budget in BUDGETS:
                results = [trace(op, budget, method=method, rng=seed) for seed in range(SEEDS)]
                wrong = [r.value / w.sum() - 1 for r in results]
                told = [r.standard_error / w.sum() for r in results]
                cells.append(
                    (np.sqrt(np.mean(np.square(wrong))), np.sqrt(np.mean(np.square(told))))
                )
            rows[method] = [cell[0] for cell in cells]
            print(f"   {method:12}" + "".join(f"  {a:8.1e} ({b:.1e})" for a, b in cells))
        if name in ("poly", "exp"):
            rounding = 1e-13
            for better, worse in itertools.pairwise(METHODS):
                broken |= any(
                    a > 1.3 * b + rounding for a, b in zip(rows[better], rows[worse], strict=True)
                )
    return broken


if __name__ == "__main__":
    sys.exit(main())
