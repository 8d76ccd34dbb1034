"""Leverage scores and Lewis weights beside NumPy, SciPy and statsmodels.

The sizes are small so that a quick run is quick; ``claims/leverage.py`` and ``claims/lewis.py``
have those that the documentation quotes.
"""

import numpy as np
import scipy.sparse

import lrla
from benchmarks import data, peers
from lrla.sampling import lewis_weights

ONE = "1 thread"


class _Fixed:
    """One thread for the library and the BLAS under it."""

    def _start(self):
        self._threads = lrla.threads(1)
        self._threads.__enter__()

    def teardown(self, *params):
        self._threads.__exit__(None, None, None)


LEVERAGE = {
    "lrla auto": lambda A: lrla.leverage_scores(A, rng=1).scores,
    "lrla cholesky_qr": lambda A: lrla.leverage_scores(A, method="cholesky_qr", rng=1).scores,
    "lrla sketch": lambda A: lrla.leverage_scores(A, method="sketch", rng=1).scores,
    "lrla jl": lambda A: lrla.leverage_scores(A, method="jl", rng=1).scores,
    "numpy qr": peers.leverage_qr,
    "scipy qr, R alone": peers.leverage_r,
    "statsmodels": peers.leverage_statsmodels,
    "inverse": peers.leverage_inverse,
}


class Leverage(_Fixed):
    """Dense rows of condition 10**digits; errors by a reference in extended precision."""

    params = (list(LEVERAGE), [(20_000, 80)], [3, 9], [ONE])
    param_names = ("solver", "shape", "digits", "threads")

    def setup(self, solver, shape, digits, threads):
        self._start()
        self.A, _ = data.least_squares(*shape, digits)
        LEVERAGE[solver](self.A)

    def time_scores(self, solver, shape, digits, threads):
        LEVERAGE[solver](self.A)

    def peakmem_scores(self, solver, shape, digits, threads):
        LEVERAGE[solver](self.A)

    def track_error(self, solver, shape, digits, threads):
        A = self.A[:4000]  # extended precision is slow
        return float(np.max(abs(LEVERAGE[solver](A) / data.leverage_exact(A) - 1)))


SPARSE = {
    "lrla auto": LEVERAGE["lrla auto"],
    "lrla cholesky_qr": LEVERAGE["lrla cholesky_qr"],
    "scipy inverse": peers.leverage_sparse,
}


class SparseLeverage(_Fixed):
    """Eight random entries in each row."""

    params = (list(SPARSE), [(20_000, 300)], [ONE])
    param_names = ("solver", "shape", "threads")

    def setup(self, solver, shape, threads):
        self._start()
        self.A = scipy.sparse.random_array(shape, density=8 / shape[1], format="csr", rng=5)
        SPARSE[solver](self.A)

    def time_scores(self, solver, shape, threads):
        SPARSE[solver](self.A)


class Lewis(_Fixed):
    """Lewis weights to a residual of 1e-6, on rows that are uneven."""

    params = (["auto", "fixed_point"], [0.5, 1, 3, 8], [(20_000, 20)], [ONE])
    param_names = ("method", "p", "shape", "threads")

    def setup(self, method, p, shape, threads):
        if method == "fixed_point" and p >= 4:
            raise NotImplementedError("it diverges")
        self._start()
        self.A = data.row_designs(*shape)["uneven rows"]
        lewis_weights(self.A[:500], p, method=method, rng=1)

    def time_weights(self, method, p, shape, threads):
        lewis_weights(self.A, p, tol=1e-6, method=method, rng=1)

    def track_iterations(self, method, p, shape, threads):
        return lewis_weights(self.A, p, tol=1e-6, method=method, rng=1).info.iterations
