"""Fits of weighted least squares, and what is done to points before them."""

import numpy as np

from benchmarks import peers
from lrla.approximation import (
    AdaptiveLeastSquares,
    WeightedLeastSquares,
    basis,
    bss_subsample,
    christoffel_sample,
    greedy_subsample,
    stable_design,
    total_degree,
)


def wave(X):
    """Return a smooth function of the points."""
    return np.cos(3 * X[:, 0])


class Points:
    """Fewer points out of 500, for 50 functions; at most half a second by removal."""

    params = (50,)
    param_names = ("m",)

    def setup(self, m):
        """Draw the points and compile."""
        self.space = basis("legendre", total_degree(1, m - 1))
        self.design = christoffel_sample(self.space, 10 * m, rng=5)
        greedy_subsample(self.space, self.design, 9 * m)

    def time_greedy(self, m):
        """Remove points until nothing can go."""
        greedy_subsample(self.space, self.design)

    def time_sparsify(self, m):
        """Choose twice as many as functions."""
        bss_subsample(self.space, self.design)

    def time_stable_design(self, m):
        """Draw twice as many until they are stable."""
        stable_design(self.space, rng=5)

    def track_points(self, m):
        """Count the points that are left."""
        return len(greedy_subsample(self.space, self.design))


class Fit:
    """Solution and certificate, at most a second for m = 1000; NumPy's is the solution alone."""

    params = (["lrla", "numpy"], [100, 1000])
    param_names = ("library", "m")

    def setup(self, library, m):
        """Draw three times as many points as functions."""
        space = basis("legendre", total_degree(1, m - 1))
        design = stable_design(space, n_repeats=3, rng=5)
        if library == "lrla":
            model = WeightedLeastSquares(space, design=design)
            self.call = lambda: model.fit(wave)
        else:
            root = np.sqrt(design.weights)
            self.call = lambda: peers.lstsq_numpy(
                root[:, None] * space(design.points), root * wave(design.points)
            )
        self.call()

    def time_fit(self, library, m):
        """Fit; here also certify, and leave every point out once."""
        self.call()


class Growing:
    """A space that grows for a function of four variables, of which two matter most."""

    def setup(self):
        """Compile."""
        self.time_fit()

    def fit(self):
        """Approximate to three digits."""
        space = basis("legendre", total_degree(4, 1))
        model = AdaptiveLeastSquares(space, tol=1e-3, rng=5)
        return model.fit(lambda X: 1 / (1 + X @ np.array([0.3, 0.3, 0.05, 0.01])))

    def time_fit(self):
        """Fit."""
        self.fit()

    def track_evaluations(self):
        """Count the evaluations."""
        return len(self.fit().design_)
