"""Summaries of streams beside scikit-learn's IncrementalPCA, which subtracts the mean."""

import numpy as np

import lrla
from benchmarks import peers
from lrla.streaming import FrequentDirections, Oja, top_eigenvector

RANK = 20


def directions(A):
    stream = FrequentDirections(A.shape[1], 2 * RANK)
    stream.partial_fit(A)
    return stream.result().Vh[:RANK].T


def oja(A):
    stream = Oja(A.shape[1], RANK, rng=5)
    stream.partial_fit(A)
    return stream.result().vectors


SUBSPACE = {
    "lrla FrequentDirections": directions,
    "lrla Oja": oja,
    "sklearn IncrementalPCA": lambda A: peers.incremental_pca(A, RANK),
}


def rows(m, n):
    """Centred rows whose singular values fall slowly."""
    rng = np.random.default_rng(90210)
    A = rng.standard_normal((m, n)) / np.sqrt(np.arange(1, n + 1))
    return A - A.mean(axis=0)


class _Fixed:
    def _start(self):
        self._threads = lrla.threads(1)
        self._threads.__enter__()

    def teardown(self, *params):
        self._threads.__exit__(None, None, None)


class Subspace(_Fixed):
    """Twenty directions, and which share of the best possible they hold."""

    params = (list(SUBSPACE), [(20_000, 200)], ["1 thread"])
    param_names = ("method", "shape", "threads")

    def setup(self, method, shape, threads):
        self._start()
        self.A = rows(*shape)
        SUBSPACE[method](self.A[:500])

    def time_stream(self, method, shape, threads):
        SUBSPACE[method](self.A)

    def track_energy(self, method, shape, threads):
        best = np.sum(np.linalg.svd(self.A, compute_uv=False)[:RANK] ** 2)
        return np.linalg.norm(self.A @ SUBSPACE[method](self.A)) ** 2 / best


TOP = {
    "lrla top_eigenvector": lambda A: top_eigenvector(A, rng=5).vector,
    "lrla FrequentDirections": lambda A: directions(A)[:, 0],
    "lrla Oja": lambda A: oja(A)[:, 0],
    "sklearn IncrementalPCA": lambda A: peers.incremental_pca(A, 1)[:, 0],
}


class Top(_Fixed):
    """The first direction, where eight rows decide it."""

    params = (list(TOP), ["1 thread"])
    param_names = ("method", "threads")

    def setup(self, method, threads):
        self._start()
        rng = np.random.default_rng(90210)
        m, n = 20_000, 200
        A = 1e-3 * rng.standard_normal((m, n))
        A[:, 1] += rng.choice([-1.0, 1.0], m)
        A[:8] = 0
        A[:8, 0] = np.sqrt(2 * m / 8)
        self.A = rng.permutation(A)
        TOP[method](self.A[:500])

    def time_stream(self, method, threads):
        TOP[method](self.A)

    def track_correlation(self, method, threads):
        return abs(TOP[method](self.A)[0])
