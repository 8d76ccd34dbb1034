"""Check how fast product bases are evaluated and Christoffel points drawn, and how exactly.

One thread, processor time, one process, in turns. Peers are what one writes with NumPy and SciPy:
tables of Legendre polynomials, gathered and multiplied; every polynomial by SciPy's evaluation;
induced distribution functions by quadrature in SciPy's vectorized root finder; and rejection from
the arcsine law, which is exact, too, and for Legendre polynomials alone, but is no function of
given uniform numbers.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.claims.christoffel

Ends with an error if a bound is broken.
"""

import datetime
import platform
import sys
import time
from importlib.metadata import version

import numpy as np
import scipy
from scipy.special import eval_legendre

import lrla
from benchmarks import peers
from lrla.approximation import basis, hyperbolic_cross, total_degree

ROUNDS = 3


def best(calls):
    """Return the least processor time of each call, taken in turns."""
    times = np.full(len(calls), np.inf)
    for _ in range(ROUNDS + 1):  # the first one compiles
        for i, call in enumerate(calls):
            start = time.process_time()
            call()
            times[i] = min(times[i], time.process_time() - start)
    return times


def distribution(t, degree):
    """Return induced distribution functions by Gauss quadrature, which is exact."""
    F = np.empty(len(t))
    for k in np.unique(degree):
        these = degree == k
        z, w = scipy.special.roots_legendre(k + 1)
        half = (t[these] + 1) / 2
        values = eval_legendre(k, half[:, None] * (z + 1) - 1)
        F[these] = (2 * k + 1) / 2 * half * (values**2 @ w)
    return F


def values(rng):
    """Print times of evaluation; return whether a bound is broken."""
    broken = False
    print(f"\nvalues of Legendre products{'functions':>14}{'lrla ms':>10}{'NumPy':>10}{'SciPy':>10}"
          f"{'ratios':>14}")  # fmt: skip
    for name, indices, n in (
        ("total degree 20, d = 2", total_degree(2, 20), 20000),
        ("total degree 8, d = 4", total_degree(4, 8), 20000),
        ("total degree 5, d = 6", total_degree(6, 5), 20000),
        ("hyperbolic cross 30, d = 4", hyperbolic_cross(4, 30), 10000),
        ("total degree 2, d = 20", total_degree(20, 2), 10000),
    ):
        X = rng.uniform(-1, 1, (n, indices.shape[1]))
        space = basis("legendre", indices)
        times = best(
            [
                lambda space=space, X=X: space(X),
                lambda X=X, indices=indices: peers.legendre_products_numpy(X, indices),
                lambda X=X, indices=indices: peers.legendre_products_scipy(X, indices),
            ]
        )
        ratios = times[1:] / times[0]
        broken |= ratios[0] < 1.5 or ratios[1] < 5
        ms = "".join(f"{1e3 * t:10.1f}" for t in times)
        print(f"{name:27}{len(indices):14}{ms}{ratios[0]:7.1f}{ratios[1]:7.1f}")
    return broken


def quantiles(rng):
    """Print times and errors of draws; return whether a bound is broken."""
    broken = False
    print("\n10000 induced Legendre quantiles, degrees up to       lrla   quadrature   rejection")
    family = basis("legendre", [0]).families[0]
    for top in (5, 20, 60):
        k, u = rng.integers(0, top + 1, 10000), rng.random(10000)
        times = best(
            [
                lambda u=u, k=k: family.quantile(u, k),
                lambda u=u, k=k: peers.induced_quantile_scipy(u, k),
                lambda k=k: peers.induced_rejection_numpy(k, rng),
            ]
        )
        ours = np.max(abs(distribution(family.quantile(u, k), k) - u))
        theirs = np.max(abs(distribution(peers.induced_quantile_scipy(u, k), k) - u))
        broken |= times[1] < 20 * times[0] or ours > 1e-13
        us = "".join(f"{1e2 * t:12.2f}" for t in times)
        print(f"{top:30} microseconds each{us}   ratios {times[1] / times[0]:.0f}, "
              f"{times[2] / times[0]:.1f}")  # fmt: skip
        print(f"{'':30} largest error    {ours:12.1e}{theirs:12.1e}")
    return broken


def main():
    """Print the tables and check the bounds."""
    print(
        f"{datetime.date.today()}  {platform.machine()}, python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}, numba {version('numba')}, "
        f"lrla {lrla.__version__}"
    )
    print(f"1 thread, processor time, best of {ROUNDS}")
    rng = np.random.default_rng(90210)
    with lrla.threads(1):
        broken = [values(rng), quantiles(rng)]
    return int(any(broken))


if __name__ == "__main__":
    sys.exit(main())
