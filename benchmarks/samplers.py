"""Row samples beside `numpy.random.Generator.choice`, rows that come by once, and losses.

``claims/samplers.py`` has the sizes that the documentation quotes, and checks the bias.
"""

import numpy as np

import lrla
from benchmarks import peers
from lrla.sampling import (
    OnlineRowSampler,
    ReservoirSampler,
    evaluate_coreset,
    pool_samples,
    sample_rows,
)

ONE = "1 thread"


class _Fixed:
    """One thread for the library and the BLAS under it."""

    def _start(self):
        self._threads = lrla.threads(1)
        self._threads.__enter__()

    def teardown(self, *params):
        self._threads.__exit__(None, None, None)


def _ours(design):
    return lambda scores, size: sample_rows(scores, size, design=design, rng=7).indices


DRAW = {
    "lrla pivotal": _ours("pivotal"),
    "lrla systematic": _ours("systematic"),
    "lrla poisson": _ours("poisson"),
    "lrla replacement": _ours("replacement"),
    "lrla bottom_k": _ours("bottom_k"),
    "numpy choice": peers.choice_numpy,
    "numpy choice, without replacement": peers.choice_numpy_without,
}


class Draw(_Fixed):
    """A fiftieth of the rows, by scores of very different size."""

    params = (list(DRAW), [1_000_000], [ONE])
    param_names = ("sampler", "rows", "threads")

    def setup(self, sampler, rows, threads):
        self._start()
        self.scores = np.random.default_rng(90210).lognormal(0, 1.5, rows)
        DRAW[sampler](self.scores, rows // 50)

    def time_draw(self, sampler, rows, threads):
        DRAW[sampler](self.scores, rows // 50)

    def peakmem_draw(self, sampler, rows, threads):
        DRAW[sampler](self.scores, rows // 50)


class Spatial(_Fixed):
    """Pivotal samples by coordinates: the tree is most of it."""

    params = ([5_000, 100_000], [2], [ONE])
    param_names = ("rows", "dimension", "threads")

    def setup(self, rows, dimension, threads):
        self._start()
        self.X = np.random.default_rng(90210).uniform(size=(rows, dimension))
        self.time_draw(rows, dimension, threads)

    def time_draw(self, rows, dimension, threads):
        sample_rows(np.ones(rows), rows // 50, coords=self.X, rng=7)


class Stream(_Fixed):
    """A hundred blocks of a thousand rows."""

    params = (["online", "online, p = 1", "online, budget", "reservoir"], [20], [ONE])
    param_names = ("sampler", "columns", "threads")

    def setup(self, sampler, columns, threads):
        self._start()
        rng = np.random.default_rng(90210)
        self.blocks = rng.standard_normal((100, 1000, columns))
        self.time_stream(sampler, columns, threads)

    def time_stream(self, sampler, columns, threads):
        if sampler.startswith("online"):
            p = 1 if sampler.endswith("p = 1") else 2
            budget = 1000 if sampler.endswith("budget") else None
            stream = OnlineRowSampler(columns, 1.0, p=p, budget=budget, rng=7)
            for block in self.blocks:
                stream.partial_fit(block)
        else:
            stream = ReservoirSampler(columns, 1000, rng=7)
            for block in self.blocks:
                stream.partial_fit(block, np.sum(block**2, axis=1))
        stream.finalize()


class Losses(_Fixed):
    """The logistic loss of all rows at ten vectors, and what a sample says of it."""

    params = (["lrla", "numpy logaddexp"], [100_000], [ONE])
    param_names = ("library", "rows", "threads")

    def setup(self, library, rows, threads):
        self._start()
        rng = np.random.default_rng(90210)
        self.A, self.X = rng.standard_normal((rows, 20)), rng.standard_normal((20, 10))
        self.sample = sample_rows(np.ones(rows), 1000, rng=7)
        self.time_losses(library, rows, threads)

    def time_losses(self, library, rows, threads):
        if library == "lrla":
            evaluate_coreset("logistic", self.A, self.sample, self.X)
        else:
            np.sum(np.logaddexp(0, -(self.A @ self.X)), axis=0)


class Pools(_Fixed):
    """Ten samples in one, and the error of a total."""

    params = ([1000, 100_000], [ONE])
    param_names = ("rows of a sample", "threads")

    def setup(self, size, threads):
        self._start()
        scores = np.random.default_rng(90210).random(1_000_000)
        self.samples = [sample_rows(scores, size, rng=seed) for seed in range(10)]
        self.time_pool(size, threads)

    def time_pool(self, size, threads):
        pool = pool_samples(self.samples)
        pool.estimate(pool.weights)
