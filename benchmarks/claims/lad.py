"""Check how much faster least absolute deviations are here than in SciPy, scikit-learn, statsmodels.

One thread, processor time. Ours is the best of several rounds; the peers run once, for some of them
take minutes. Objectives must agree.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.lad [case ...]

with the cases "programme" (against linear programming), "tall" and "flights"; all by default. Ends
with an error if a bound is broken.
"""

import datetime
import platform
import sys
import time

import numpy as np
import scipy
import scipy.sparse
import sklearn
import statsmodels

import lrla
from benchmarks import peers
from lrla.datasets import flights
from lrla.regression import lp_regression

ROUNDS = 3
# case: {peer: how many times as long it takes, at least}
CASES = {
    "programme": {"lad_sklearn": 500, "lad_linprog": 500, "lad_statsmodels": None},
    "tall": {"lad_statsmodels": 4},
    "flights": {"lad_statsmodels": 10},
}
DUMMIES = ("intercept", "month", "carrier", "origin", "hour", "dep_delay", "distance", "clock")


def gaussian(m, n):
    """Standard normal data, and errors of Student's t with two degrees of freedom."""
    rng = np.random.default_rng([90210, m, n])
    A = rng.standard_normal((m, n))
    return A, A @ np.ones(n) + rng.standard_t(2, m)


def design():
    """Delays of all flights on an intercept, 46 dummies, and three numbers."""
    data = flights()
    used = [j for j, name in enumerate(data.names) if name.partition("=")[0] in DUMMIES]
    return np.ascontiguousarray(data.A[:, used]), data.b


DATA = {
    "programme": lambda: gaussian(20_000, 20),
    "tall": lambda: gaussian(200_000, 20),
    "flights": design,
}


def clock(function):
    """Return processor time and result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def run(case):
    """Print the table of one case; return whether a bound is broken."""
    A, b = DATA[case]()
    calls = {"lrla": lambda: lp_regression(A, b, 1, rng=1)}
    if case == "flights":
        sparse = scipy.sparse.csr_array(A)
        calls["lrla, CSR"] = lambda: lp_regression(sparse, b, 1, rng=1)
    print(f"\n{case}: {A.shape[0]} x {A.shape[1]}")
    print(f"{'':18} {'seconds':>9} {'ratio':>8} {'objective':>22} {'gap':>8}")
    found = {}
    for name, call in calls.items():
        call()  # compiles
        found[name] = min((clock(call) for _ in range(ROUNDS)), key=lambda pair: pair[0])
    ours, result = found["lrla"]
    for name, (seconds, got) in found.items():
        print(
            f"{name:18} {seconds:9.3f} {seconds / ours:8.1f} {got.objective:22.12e} {got.gap:8.0e}"
        )
    broken = False
    for peer, bound in CASES[case].items():
        seconds, x = clock(lambda peer=peer: getattr(peers, peer)(A, b))
        value = np.sum(abs(b - A @ x))
        print(f"{peer[4:]:18} {seconds:9.3f} {seconds / ours:8.1f} {value:22.12e}", flush=True)
        broken |= bound is not None and seconds < bound * ours
        broken |= result.objective > value * (1 + 1e-9)
    return broken


def main(cases):
    """Print the tables and check the bounds."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, "
        f"statsmodels {statsmodels.__version__}, lrla {lrla.__version__}"
    )
    print(f"1 thread, processor time; lrla best of {ROUNDS}, peers once")
    with lrla.threads(1):
        broken = [run(case) for case in cases or CASES]  # all of them, whatever the first says
    return any(broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
