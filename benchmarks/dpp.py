"""Determinantal processes, beside DPPy."""

import numpy as np

from benchmarks import peers
from lrla.dpp import KDPP, LEnsemble, ProjectionDPP, volume_sample


class Projection:
    """A further draw of 50 items."""

    params = (["lrla", "dppy"], [1000, 10000])
    param_names = ("library", "n")

    def setup(self, library, n):
        """Set up the process and draw once."""
        V = np.linalg.qr(np.random.default_rng(90210).standard_normal((n, 50)))[0]
        if library == "lrla":
            process = ProjectionDPP(V)
            self.draw = lambda: process.sample(rng=5)
        else:
            self.draw = peers.projection_dppy(V)
        self.draw()

    def time_next_draw(self, library, n):
        """Draw."""
        self.draw()


class Kernels:
    """First draws from matrices, set-up included."""

    def setup(self):
        """Make a kernel of 400 items and compile."""
        x = np.random.default_rng(90210).uniform(size=(400, 2))
        self.L = np.exp(-np.sum((x[:, None] - x) ** 2, axis=2) / 0.02) + 1e-3 * np.eye(400)
        self.A = np.random.default_rng(6021).standard_normal((20000, 20))
        self.time_l_ensemble()
        self.time_k_dpp()
        self.time_volume_sample()

    def time_l_ensemble(self):
        """Factor and draw."""
        LEnsemble(self.L).sample(rng=5)

    def time_k_dpp(self):
        """Diagonalise and draw."""
        KDPP(self.L, 20).sample(rng=5)

    def time_volume_sample(self):
        """Draw 40 rows of 20000 x 20."""
        volume_sample(self.A, 40, rng=5)
