"""Projection processes of bases, beside DPPy, and integrals from their points."""

import numpy as np

from benchmarks import peers
from lrla.approximation import basis, dpp_sample, integrate, total_degree


class Ensemble:
    """One draw of the Legendre ensemble."""

    params = (["lrla", "dppy"], [(50, 1), (100, 2), (100, 4)])
    param_names = ("library", "points and dimension")

    def setup(self, library, case):
        """Take DPPy's multi-indices, and draw once."""
        peer, indices = peers.jacobi_ensemble_dppy(*case)
        space = basis("legendre", indices)
        self.draw = peer if library == "dppy" else lambda: dpp_sample(space, rng=5)
        self.draw()

    def time_draw(self, library, case):
        """Draw."""
        self.draw()


class Integral:
    """An integral in two dimensions from three repeats of 45 points."""

    params = (["wls", "control_variate", "bardenet_hardy", "ermakov_zolotukhin"],)
    param_names = ("method",)

    def setup(self, method):
        """Describe the space, and compile."""
        self.space = basis("legendre", total_degree(2, 8))
        self.time_integrate(method)

    def integrate(self, method):
        """Integrate a smooth function."""
        return integrate(lambda X: np.exp(X[:, 0] * X[:, 1]), self.space, method=method, rng=5)

    def time_integrate(self, method):
        """Draw, evaluate, and integrate."""
        self.integrate(method)

    def track_standard_error(self, method):
        """Return the standard error, which should not grow."""
        return self.integrate(method).standard_error
