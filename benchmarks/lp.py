"""Norms other than the Euclidean beside SciPy, scikit-learn, statsmodels and cvxpy.

The sizes are small so that a quick run is quick; ``claims/lad.py`` and ``claims/p_norm.py`` have
those that the documentation quotes.
"""

import numpy as np

import lrla
from benchmarks import peers
from benchmarks.claims.lad import gaussian
from lrla.regression import huber_regression, lp_regression, quantile_regression

ONE = "1 thread"


class _Fixed:
    """One thread for the library and the BLAS under it."""

    def _start(self):
        self._threads = lrla.threads(1)
        self._threads.__enter__()

    def teardown(self, *params):
        self._threads.__exit__(None, None, None)


LAD = {
    "lrla": lambda A, b: lp_regression(A, b, 1, rng=1).x,
    "lrla pilot": lambda A, b: lp_regression(A, b, 1, method="pilot", rng=1).x,
    "lrla sample": lambda A, b: lp_regression(A, b, 1, method="sample", rng=1).x,
    "statsmodels QuantReg": peers.lad_statsmodels,
    "sklearn QuantileRegressor": peers.lad_sklearn,
    "scipy linprog": peers.lad_linprog,
}


class AbsoluteDeviations(_Fixed):
    """Gaussian data, errors with heavy tails."""

    params = (list(LAD), [(2_000, 10)], [ONE])
    param_names = ("solver", "shape", "threads")

    def setup(self, solver, shape, threads):
        self._start()
        self.A, self.b = gaussian(*shape)
        LAD[solver](self.A, self.b)

    def time_solve(self, solver, shape, threads):
        LAD[solver](self.A, self.b)

    def track_excess(self, solver, shape, threads):
        best = lp_regression(self.A, self.b, 1, rng=1).objective
        return np.sum(abs(self.b - self.A @ LAD[solver](self.A, self.b))) / best - 1


class Quantiles(_Fixed):
    """Nine levels at once, and one with standard errors."""

    params = ([(20_000, 10)], [ONE])
    param_names = ("shape", "threads")

    def setup(self, shape, threads):
        self._start()
        self.A, self.b = gaussian(*shape)
        quantile_regression(self.A, self.b, 0.5, covariance="nid", rng=1)

    def time_nine_levels(self, shape, threads):
        quantile_regression(self.A, self.b, np.linspace(0.1, 0.9, 9), rng=1)

    def time_forty_nine_levels(self, shape, threads):
        quantile_regression(self.A, self.b, np.linspace(0.02, 0.98, 49), rng=1)

    def time_standard_errors(self, shape, threads):
        quantile_regression(self.A, self.b, 0.5, covariance="nid", rng=1)

    def time_bootstrap(self, shape, threads):
        few = slice(2_000)
        quantile_regression(self.A[few], self.b[few], 0.5, covariance="bootstrap", rng=1)


P_NORM = {
    "lrla": lambda A, b, p: lp_regression(A, b, p, rng=1).x,
    "cvxpy Clarabel": peers.p_norm_cvxpy,
}


class Norms(_Fixed):
    """Norms from 1.5 to infinity."""

    params = (list(P_NORM), [1.5, 4.0, 32.0, float("inf")], [(300, 5)], [ONE])
    param_names = ("solver", "p", "shape", "threads")

    def setup(self, solver, p, shape, threads):
        self._start()
        self.A, self.b = gaussian(*shape)
        P_NORM[solver](self.A, self.b, p)

    def time_solve(self, solver, p, shape, threads):
        P_NORM[solver](self.A, self.b, p)


PENALIZED = {
    "lrla": lambda A, b, p, l1: lp_regression(A, b, p, l1=l1, rng=1).x,
    "sklearn": peers.penalized_sklearn,
    "cvxpy Clarabel": peers.penalized_cvxpy,
}


class Penalized(_Fixed):
    """The penalty of the lasso, with a tenth of what leaves no coefficient."""

    params = (list(PENALIZED), [1, 1.5, 2, 4.0, float("inf")], [(2_000, 20)], [ONE])
    param_names = ("solver", "p", "shape", "threads")

    def setup(self, solver, p, shape, threads):
        self._start()
        self.A, self.b = gaussian(*shape)
        least = abs(self.A.T @ (abs(self.b) ** min(p - 1, 9) * np.sign(self.b)))
        self.l1 = 0.1 * (np.max(abs(self.A)) if np.isinf(p) else p * np.max(least))
        PENALIZED[solver](self.A, self.b, p, self.l1)

    def time_solve(self, solver, p, shape, threads):
        PENALIZED[solver](self.A, self.b, p, self.l1)


HELD = {
    "lrla": lambda A, b, p, held: lp_regression(A, b, p, constraints=held, rng=1).x,
    "LAPACK gglse": peers.lse_lapack,
    "cvxpy Clarabel": peers.p_norm_cvxpy,
}


class Constrained(_Fixed):
    """Five equations that the solution has to satisfy."""

    params = (list(HELD), [1, 1.5, 2, 4.0, float("inf")], [(2_000, 20)], [ONE])
    param_names = ("solver", "p", "shape", "threads")

    def setup(self, solver, p, shape, threads):
        self._start()
        self.A, self.b = gaussian(*shape)
        rng = np.random.default_rng(90210)
        self.held = rng.standard_normal((5, shape[1])), rng.standard_normal(5)
        HELD[solver](self.A, self.b, p, self.held)

    def time_solve(self, solver, p, shape, threads):
        HELD[solver](self.A, self.b, p, self.held)


HUBER = {
    "lrla": lambda A, b: huber_regression(A, b, scale=1.0, rng=1).x,
    "statsmodels RLM": peers.huber_statsmodels,
}


class Huber(_Fixed):
    """Huber's loss at a given scale."""

    params = (list(HUBER), [(20_000, 10)], [ONE])
    param_names = ("solver", "shape", "threads")

    def setup(self, solver, shape, threads):
        self._start()
        self.A, self.b = gaussian(*shape)
        HUBER[solver](self.A, self.b)

    def time_solve(self, solver, shape, threads):
        HUBER[solver](self.A, self.b)


class Chunks(_Fixed):
    """Dask arrays in ten chunks of rows."""

    params = ([1, 1.5, float("inf")], [(20_000, 10)], [ONE])
    param_names = ("p", "shape", "threads")

    def setup(self, p, shape, threads):
        import dask.array as da

        self._start()
        A, self.b = gaussian(*shape)
        self.A = da.from_array(A, chunks=(shape[0] // 10, shape[1]))
        lp_regression(self.A, self.b, p, rng=1)

    def time_solve(self, p, shape, threads):
        lp_regression(self.A, self.b, p, rng=1)
