"""Singular values and traces beside SciPy and scikit-learn: times, and the error of each.

The sizes are small so that a quick run is quick; ``claims/svd.py`` and ``claims/trace.py`` have those
that the documentation quotes.
"""

import numpy as np
from scipy.sparse.linalg import aslinearoperator

import lrla
from benchmarks import data, peers
from lrla import lowrank

ONE = "1 thread"
SVD = {
    "lrla krylov": lambda A, rank: lrla.svd(A, rank, method="krylov", rng=1),
    "lrla rsvd": lambda A, rank: lrla.svd(A, rank, method="rsvd", rng=1),
    "lrla single_pass": lambda A, rank: lrla.svd(A, rank, method="single_pass", rng=1),
    "scipy arpack": peers.svd_arpack,
    "scipy propack": peers.svd_propack,
    "sklearn randomized": peers.svd_sklearn,
}


class _Fixed:
    """One thread for the library and the BLAS under it."""

    def _start(self):
        self._threads = lrla.threads(1)
        self._threads.__enter__()

    def teardown(self, *params):
        self._threads.__exit__(None, None, None)


class Svd(_Fixed):
    """Leading singular triplets."""

    params = (list(SVD), ["decaying", "slow", "step", "sparse"], [20], [ONE])
    param_names = ("solver", "matrix", "rank", "threads")

    def setup(self, solver, matrix, rank, threads):
        self._start()
        if matrix == "sparse":
            self.A = data.text_like(20_000, 3000)
        else:
            self.A = data.with_spectrum(5000, 500, matrix)
        SVD[solver](self.A, rank)

    def time_svd(self, solver, matrix, rank, threads):
        SVD[solver](self.A, rank)

    def peakmem_svd(self, solver, matrix, rank, threads):
        SVD[solver](self.A, rank)

    def track_residual(self, solver, matrix, rank, threads):
        U, s, Vh = SVD[solver](self.A, rank)
        return float(np.linalg.norm(self.A.T @ U - Vh.T * s, axis=0).max() / s[0])


class Eigh(_Fixed):
    """Leading eigenpairs of the Laplacian of a square, most of them double."""

    params = (["lrla", "scipy arpack"], [10], [ONE])
    param_names = ("solver", "rank", "threads")

    def setup(self, solver, rank, threads):
        self._start()
        A = data.laplacian(71, 71)
        self.solve = {
            "lrla": lambda: lrla.eigh(A, rank, rng=5),
            "scipy arpack": lambda: peers.eigh_arpack(A, rank, 2e-11),
        }[solver]
        self.solve()

    def time_eigh(self, solver, rank, threads):
        self.solve()


class Trace(_Fixed):
    """Trace of a matrix of size 1000 with eigenvalues i**-2, from 100 products."""

    params = (["xnystrace", "xtrace", "hutchpp", "hutchinson"], [ONE])
    param_names = ("method", "threads")

    def setup(self, method, threads):
        self._start()
        w = np.arange(1, 1001.0) ** -2
        Q = np.linalg.qr(np.random.default_rng(7).standard_normal((1000, 1000)))[0]
        self.op, self.truth = aslinearoperator((Q * w) @ Q.T), w.sum()

    def time_trace(self, method, threads):
        lowrank.trace(self.op, 100, method=method, rng=1)

    def track_error(self, method, threads):
        values = [lowrank.trace(self.op, 100, method=method, rng=seed).value for seed in range(10)]
        return float(np.sqrt(np.mean((np.array(values) / self.truth - 1) ** 2)))
