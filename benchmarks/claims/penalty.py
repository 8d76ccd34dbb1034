"""Show the time of p-norm regression with the lasso's penalty, and with equations, beside others.

Beside cvxpy with Clarabel, scikit-learn where it has the problem (p = 1 and 2), and LAPACK's gglse for
p = 2 with equations. One thread, processor time; ours is the best of several rounds, cvxpy runs once,
with the time it takes to compile the problem. There is no bound on times. An objective that another
solver undercuts by more than a millionth, or an equation that does not hold, is an error.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.penalty
"""

import datetime
import math
import platform
import sys

import numpy as np
import scipy
import sklearn

import lrla
from benchmarks import peers
from benchmarks.claims.lad import clock, gaussian
from lrla.regression import lp_regression

EXPONENTS = (1.0, 1.5, 2.0, 4.0, math.inf)
SHAPES = ((2_000, 20), (100_000, 50))  # the second for p = 2 alone
ROUNDS = 4


def objective(A, b, x, p, l1):
    """Return the sum of p-th powers, or the maximum, with the penalty."""
    r = abs(b - A @ x)
    return (np.max(r) if math.isinf(p) else np.sum(r**p)) + l1 * np.sum(abs(x))


def penalty(A, b, p):
    """Return a tenth of what leaves no coefficient, or about that."""
    if math.isinf(p):
        return 0.1 * np.max(abs(A))
    return 0.1 * p * np.max(abs(A.T @ (abs(b) ** (p - 1) * np.sign(b))))


def lasso(A, b, p, big):
    """Return the penalty, and the solvers, of the lasso."""
    l1 = penalty(A, b, p)
    solvers = {"lrla": lambda: lp_regression(A, b, p, l1=l1, rng=1).x}
    if p in (1, 2):
        solvers["scikit-learn"] = lambda: peers.penalized_sklearn(A, b, p, l1)
    if not big:
        solvers["cvxpy"] = lambda: peers.penalized_cvxpy(A, b, p, l1)
    return l1, None, solvers


def equations(A, b, p, big):
    """Return five equations, and the solvers, without penalty."""
    rng = np.random.default_rng(90210)
    held = rng.standard_normal((5, A.shape[1])), rng.standard_normal(5)
    solvers = {"lrla": lambda: lp_regression(A, b, p, constraints=held, rng=1).x}
    if p == 2:
        solvers["gglse"] = lambda: peers.lse_lapack(A, b, p, held)
    if not big:
        solvers["cvxpy"] = lambda: peers.p_norm_cvxpy(A, b, p, held)
    return 0.0, held, solvers


def main():
    """Print the table and check the objectives."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, "
        f"lrla {lrla.__version__}"
    )
    print(f"1 thread, processor time; best of {ROUNDS}, cvxpy once")
    print(
        f"{'problem':10} {'shape':>12} {'p':>4} {'solver':>13} {'ms':>9} {'ratio':>7} {'excess':>9}"
    )
    broken = False
    with lrla.threads(1):
        for problem in (lasso, equations):
            for shape in SHAPES:
                A, b = gaussian(*shape)
                big = shape != SHAPES[0]
                for p in (2.0,) if big else EXPONENTS:
                    l1, held, solvers = problem(A, b, p, big)
                    found = {}
                    for name, solve in solvers.items():
                        solve()  # compiles, imports
                        rounds = [clock(solve) for _ in range(1 if name == "cvxpy" else ROUNDS)]
                        found[name] = min(t for t, _ in rounds), rounds[-1][1]
                    ours, x = found["lrla"]
                    best = objective(A, b, x, p, l1)
                    if held is not None:
                        terms = abs(held[0]) @ abs(x) + abs(held[1])
                        broken |= bool(np.max(abs(held[0] @ x - held[1]) / terms) > 1e-14)
                    for name, (seconds, y) in found.items():
                        excess = objective(A, b, y, p, l1) / best - 1
                        broken |= bool(excess < -1e-6)
                        print(
                            f"{problem.__name__:10} {shape[0]:8} x{shape[1]:2} {p:4.3g} {name:>13} "
                            f"{1e3 * seconds:9.2f} {ours / seconds:7.3f} {excess:9.1e}",
                            flush=True,
                        )
    return broken


if __name__ == "__main__":
    sys.exit(main())
