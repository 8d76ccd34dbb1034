"""Sketches beside SciPy's and scikit-learn's: times, and what each loses on a hard subspace.

The data are tall; every family makes the same number of rows of them. Accuracy is the smallest
singular value of the sketch on a subspace spanned by coordinates (as designs with dummy variables
have), the one that tells embeddings apart: 1 is perfect, 0 has lost a direction.
"""

import numpy as np

import lrla
from benchmarks import peers
from lrla import sketch

M, N = 20_000, 64
D = 4 * N
ONE = "1 thread"


def _data(order):
    random = np.random.default_rng(86_420)
    if order == "csr":
        import scipy.sparse

        return scipy.sparse.random_array((M, N), density=0.05, format="csr", rng=random)
    return np.asarray(random.standard_normal((M, N)), order=order)


def _scipy_csc(S):
    return S.block(0, S.m)


def _densified(product):
    return product.toarray() if hasattr(product, "toarray") else product


METHODS = {
    "lrla": lambda A, S, csc: S @ A,
    "scipy csc @ A": lambda A, S, csc: _densified(peers.sparse_times_dense(csc, A)),
    "scipy clarkson_woodruff": lambda A, S, csc: _densified(peers.countsketch_scipy(A, D)),
    "sklearn SparseRandomProjection": lambda A, S, csc: _densified(peers.sparse_sklearn(A, D)),
}


EMBEDDINGS = {  # (A, seed) -> sketch of A
    "lrla SparseSign": lambda A, seed: sketch.SparseSign(D, A.shape[0], rng=seed) @ A,
    "lrla SparseUniform": lambda A, seed: sketch.SparseUniform(D, A.shape[0], rng=seed) @ A,
    "lrla RowSampling": lambda A, seed: sketch.RowSampling(D, A.shape[0], rng=seed) @ A,
    "lrla SRHT": lambda A, seed: sketch.SRHT(D, A.shape[0], rng=seed) @ A,
    "lrla SRTT": lambda A, seed: sketch.SRTT(D, A.shape[0], rng=seed) @ A,
    "lrla Gaussian": lambda A, seed: sketch.Gaussian(D, A.shape[0], rng=seed) @ A,
    "scipy clarkson_woodruff": lambda A, seed: peers.countsketch_scipy(A, D, seed),
    "scipy dct": lambda A, seed: peers.srtt_scipy(A, D, seed),
    "sklearn SparseRandomProjection": lambda A, seed: peers.sparse_sklearn(A, D, seed),
    "sklearn GaussianRandomProjection": lambda A, seed: peers.gaussian_sklearn(A, D, seed),
}


class _OneThread:
    """Hold one thread from setup to teardown."""

    def _start(self):
        self._threads = lrla.threads(1)
        self._threads.__enter__()

    def teardown(self, *parameters):
        """Give the threads back."""
        self._threads.__exit__(None, None, None)


class SparseSignApply(_OneThread):
    """Eight signs in a column (SciPy's own transform has one), on data of every kind."""

    params = (list(METHODS), ["C", "F", "csr"], [ONE])
    param_names = ("method", "data", "threads")

    def setup(self, method, data, threads):
        """Draw S outside the clock for the peer that stores it; compile."""
        self._start()
        self.A, self.S = _data(data), sketch.SparseSign(D, M, rng=2_718)
        self.csc = _scipy_csc(self.S)
        self.call = METHODS[method]
        self.time_apply(method, data, threads)

    def time_apply(self, method, data, threads):
        """Sketch the data once."""
        self.call(self.A, self.S, self.csc)


class Transforms(_OneThread):
    """Subsampled Hadamard and cosine transforms beside SciPy's cosine transform of all rows."""

    params = (["lrla SRHT", "lrla SRTT", "scipy dct"], [ONE])
    param_names = ("method", "threads")

    def setup(self, method, threads):
        """Compile."""
        self._start()
        self.A = _data("C")
        self.time_apply(method, threads)

    def time_apply(self, method, threads):
        """Sketch the data once."""
        EMBEDDINGS[method](self.A, 31)


class GaussianApply(_OneThread):
    """A Gaussian sketch that is never stored beside one that is."""

    params = (["lrla Gaussian", "sklearn GaussianRandomProjection"], [ONE])
    param_names = ("method", "threads")

    def setup(self, method, threads):
        """Compile."""
        self._start()
        self.A = _data("C")[:4000]
        self.time_apply(method, threads)

    def time_apply(self, method, threads):
        """Draw and multiply."""
        EMBEDDINGS[method](self.A, 32)

    def peakmem_apply(self, method, threads):
        """Draw and multiply, and count the memory."""
        EMBEDDINGS[method](self.A, 33)


class Normals(_OneThread):
    """Float32 normals: a million of them."""

    params = (["lrla", "numpy PCG64"], [ONE])
    param_names = ("method", "threads")
    count = 1 << 20

    def setup(self, method, threads):
        """Compile."""
        self._start()
        self.time_draw(method, threads)

    def _draw(self, method):
        if method == "numpy PCG64":
            return peers.normals_numpy(self.count, 17)
        from lrla._core.arrays import numpy_space
        from lrla.kernels import philox

        return philox.normal(numpy_space(), (17, 18), 0, 0, self.count // 1024, 1024).ravel()

    def time_draw(self, method, threads):
        """Draw them."""
        self._draw(method)

    def track_kolmogorov_distance(self, method, threads):
        """Largest distance of the empirical distribution from the normal one; chance is 1e-3."""
        import scipy.stats

        return float(scipy.stats.kstest(self._draw(method).astype(float), "norm").statistic)

    track_kolmogorov_distance.unit = "of 1"


class Accuracy(_OneThread):
    """What each sketch that is timed here keeps of a coordinate subspace, the worst of 5 seeds."""

    params = (list(EMBEDDINGS), [ONE])
    param_names = ("method", "threads")

    def setup(self, method, threads):
        """Take fewer rows than the times do: it makes no difference here."""
        self._start()
        self.U = np.eye(4000, N)

    def track_smallest_singular_value(self, method, threads):
        """Measure it."""
        return min(
            float(np.linalg.svd(EMBEDDINGS[method](self.U, seed), compute_uv=False)[-1])
            for seed in range(5_000, 5_005)
        )

    track_smallest_singular_value.unit = "of 1"
