"""Least squares beside SciPy, NumPy and scikit-learn: times, and the backward error of each.

The sizes are small so that a quick run is quick; ``claims/lstsq_dense.py`` and
``claims/lstsq_sparse.py`` have those that the documentation quotes.
"""

import lrla
from benchmarks import data, peers

ONE = "1 thread"


class _Fixed:
    """One thread for the library and the BLAS under it."""

    def _start(self):
        self._threads = lrla.threads(1)
        self._threads.__enter__()

    def teardown(self, *params):
        self._threads.__exit__(None, None, None)


DENSE = {
    "lrla auto": lambda A, b: lrla.lstsq(A, b, rng=1).x,
    "lrla gram": lambda A, b: lrla.lstsq(A, b, method="gram", rng=1).x,
    "lrla spir": lambda A, b: lrla.lstsq(A, b, method="spir", rng=1).x,
    "lrla fossils": lambda A, b: lrla.lstsq(A, b, method="fossils", rng=1).x,
    "lrla cqrrt": lambda A, b: lrla.lstsq(A, b, method="cqrrt", rng=1).x,
    "lrla direct": lambda A, b: lrla.lstsq(A, b, method="direct", rng=1).x,
    "scipy gelsd": peers.lstsq_gelsd,
    "scipy gelsy": peers.lstsq_gelsy,
    "numpy lstsq": peers.lstsq_numpy,
    "sklearn LinearRegression": peers.lstsq_sklearn,
}


class Dense(_Fixed):
    """Tall dense data of condition 10**digits."""

    params = (list(DENSE), [(20_000, 100)], [4, 8, 12], [ONE])
    param_names = ("solver", "shape", "digits", "threads")

    def setup(self, solver, shape, digits, threads):
        self._start()
        self.A, self.b = data.least_squares(*shape, digits)
        DENSE[solver](self.A, self.b)

    def time_solve(self, solver, shape, digits, threads):
        DENSE[solver](self.A, self.b)

    def peakmem_solve(self, solver, shape, digits, threads):
        DENSE[solver](self.A, self.b)

    def track_backward_error(self, solver, shape, digits, threads):
        return data.backward_error(self.A, self.b, DENSE[solver](self.A, self.b))


SPARSE = {
    "lrla auto": DENSE["lrla auto"],
    "lrla gram": DENSE["lrla gram"],
    "lrla spir": DENSE["lrla spir"],
    "scipy lsqr": peers.lstsq_lsqr,
    "scipy lsmr": peers.lstsq_lsmr,
}


class Sparse(_Fixed):
    """Tall sparse data with two nearly equal columns."""

    params = (list(SPARSE), [(40_000, 200)], [ONE])
    param_names = ("solver", "shape", "threads")

    def setup(self, solver, shape, threads):
        self._start()
        self.A, self.b = data.sparse_least_squares(*shape)
        SPARSE[solver](self.A, self.b)

    def time_solve(self, solver, shape, threads):
        SPARSE[solver](self.A, self.b)

    def track_backward_error(self, solver, shape, threads):
        return data.backward_error(self.A, self.b, SPARSE[solver](self.A, self.b))


RIDGE = {
    "lrla": lambda A, b: lrla.lstsq(A, b, ridge=1e-6, rng=1).x,
    "sklearn cholesky": lambda A, b: peers.ridge_sklearn(A, b, 1e-6),
}


class Ridge(_Fixed):
    """A small ridge on data of condition 10**6."""

    params = (list(RIDGE), [(20_000, 100)], [ONE])
    param_names = ("solver", "shape", "threads")

    def setup(self, solver, shape, threads):
        self._start()
        self.A, self.b = data.least_squares(*shape, 6)
        RIDGE[solver](self.A, self.b)

    def time_solve(self, solver, shape, threads):
        RIDGE[solver](self.A, self.b)

    def track_backward_error(self, solver, shape, threads):
        x = RIDGE[solver](self.A, self.b)
        return data.backward_error(*data.with_ridge(self.A, self.b, 1e-6), x)
