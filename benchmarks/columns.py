"""Columns of a matrix, pivots and scores of a kernel beside SciPy, scikit-learn and DPPy.

``claims/interpolative.py``, ``claims/rp_cholesky.py`` and ``claims/bless.py`` have the sizes that are
quoted.
"""

import numpy as np

import lrla
from benchmarks import data, peers
from lrla.lowrank import KernelMatrix, cur, interpolative, kernel_leverage, rp_cholesky
from lrla.sklearn import Nystroem

ONE = "1 thread"


class _Fixed:
    """One thread for the library and the BLAS under it."""

    def _start(self):
        self._threads = lrla.threads(1)
        self._threads.__enter__()

    def teardown(self, *params):
        self._threads.__exit__(None, None, None)


def _ours(method):
    def call(A, rank):
        result = interpolative(A, rank, method=method, rng=1)
        return result.columns, result.coefficients

    return call


COLUMNS = {
    **{f"lrla {m}": _ours(m) for m in ("sketch_qrp", "sketch_lupp", "rpqr", "qrp")},
    "scipy interp_decomp": peers.interp_decomp,
}


class Interpolative(_Fixed):
    """A matrix whose singular values fall like 1/i."""

    params = (list(COLUMNS), [(600, 40)], [ONE])
    param_names = ("method", "size and rank", "threads")

    def setup(self, method, size, threads):
        self._start()
        n, self.rank = size
        rng = np.random.default_rng(1)
        U, V = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
        s = 1 / np.arange(1, n + 1.0)
        self.A, self.least = (U * s) @ V.T, np.linalg.norm(s[self.rank :])
        COLUMNS[method](self.A, self.rank)

    def time_interpolative(self, method, size, threads):
        COLUMNS[method](self.A, self.rank)

    def track_error(self, method, size, threads):
        columns, P = COLUMNS[method](self.A, self.rank)
        return float(np.linalg.norm(self.A - self.A[:, columns] @ P) / self.least)


class CUR(_Fixed):
    """Columns and rows of the same kind of matrix."""

    def setup(self):
        self._start()
        rng = np.random.default_rng(1)
        self.A = rng.standard_normal((600, 600)) / np.arange(1, 601.0)
        cur(self.A, 40, rng=1)

    def time_cur(self):
        cur(self.A, 40, rng=1)


PIVOTS = {
    **{
        f"lrla {m}": lambda X, k, m=m: (
            1
            - np.sum(rp_cholesky(KernelMatrix(X, gamma=0.05), k, method=m, rng=1).factor ** 2)
            / len(X)
        )
        for m in ("accelerated", "nuclear", "simple", "block", "uniform")
    },
    "lrla Nystroem": lambda X, k: (
        1
        - np.sum(Nystroem(gamma=0.05, n_components=k, random_state=1).fit_transform(X) ** 2)
        / len(X)
    ),
    "sklearn Nystroem": lambda X, k: 1 - np.sum(peers.nystroem_sklearn(X, k, 0.05) ** 2) / len(X),
}


class Kernel(_Fixed):
    """Points in clusters of unequal size."""

    params = (list(PIVOTS), [(8000, 200)], [ONE])
    param_names = ("method", "points and rank", "threads")

    def setup(self, method, size, threads):
        self._start()
        n, self.rank = size
        self.X = data.zipf_clusters(n)
        PIVOTS[method](self.X[:500], 20)

    def time_pivots(self, method, size, threads):
        PIVOTS[method](self.X, self.rank)

    def track_trace_error(self, method, size, threads):
        return float(PIVOTS[method](self.X, self.rank))


BACK = {
    "lrla Nystroem": lambda X: Nystroem(
        gamma=0.05, n_components=100, fit_inverse_transform=True, random_state=1
    ).fit(X),
    "sklearn KernelPCA": lambda X: peers.kernel_pca_sklearn(X, 100, 0.05),
}


class WayBack(_Fixed):
    """From kernel features to samples; KernelPCA has all of these for landmarks."""

    params = (list(BACK), [1000], [ONE])
    param_names = ("method", "points", "threads")

    def setup(self, method, n, threads):
        self._start()
        self.X = data.zipf_clusters(n)
        self.time_fit_and_return(method, n, threads)

    def time_fit_and_return(self, method, n, threads):
        model = BACK[method](self.X)
        model.inverse_transform(model.transform(self.X))


SCORES = {
    **{
        f"lrla {m}": lambda X, ridge, m=m: (
            kernel_leverage(KernelMatrix(X, gamma=0.05), ridge, method=m, rng=1).scores
        )
        for m in ("recursive", "bless")
    },
    "dppy bless": lambda X, ridge: peers.kernel_leverage_dppy(X, 0.05, ridge),
}


class KernelScores(_Fixed):
    """Ridge leverage scores of points in clusters of unequal size."""

    params = (list(SCORES), [(8000, 90.0)], [ONE])
    param_names = ("method", "points and ridge", "threads")

    def setup(self, method, size, threads):
        self._start()
        n, self.ridge = size
        self.X = data.zipf_clusters(n)
        SCORES[method](self.X[:500], 5.0)

    def time_scores(self, method, size, threads):
        SCORES[method](self.X, self.ridge)

    def track_sum(self, method, size, threads):
        return float(np.sum(SCORES[method](self.X, self.ridge)))
