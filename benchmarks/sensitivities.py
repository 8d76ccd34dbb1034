"""Sensitivities beside linear programs, and samples that keep l_p norms.

``claims/sensitivities.py`` and ``claims/subspace_sample.py`` have the figures that are quoted.
"""

import numpy as np

import lrla
from benchmarks import peers
from lrla import sampling

ROW = {
    "lrla full": lambda A, p: sampling.sensitivities(A, p, rows=[0], method="full", rng=1).scores[
        0
    ],
    "lrla lewis": lambda A, p: sampling.sensitivities(A, p, rows=[0], method="lewis", rng=1).scores[
        0
    ],
    "scipy HiGHS": lambda A, p: peers.sensitivity_linprog(A, 0, p),
}


class _Fixed:
    """One thread for the library and the BLAS under it."""

    def _start(self):
        self._threads = lrla.threads(1)
        self._threads.__enter__()

    def teardown(self, *params):
        self._threads.__exit__(None, None, None)


class Row(_Fixed):
    """The sensitivity of one row for p = 1, Lewis weights included."""

    params = (list(ROW), [(1000, 8)])
    param_names = ("solver", "shape")

    def setup(self, solver, shape):
        self._start()
        self.A = np.random.default_rng(7).standard_t(2, shape)
        ROW[solver](self.A, 1)

    def time_row(self, solver, shape):
        ROW[solver](self.A, 1)

    def track_relative_error(self, solver, shape):
        return abs(ROW[solver](self.A, 1) / ROW["scipy HiGHS"](self.A, 1) - 1)


class All(_Fixed):
    """The sensitivities of all rows."""

    params = ([1, 1.5, 3], [(1000, 8)])
    param_names = ("p", "shape")

    def setup(self, p, shape):
        self._start()
        self.A = np.random.default_rng(7).standard_t(2, shape)
        sampling.sensitivities(self.A, p, rng=1)

    def time_all(self, p, shape):
        sampling.sensitivities(self.A, p, rng=1)

    def track_gap(self, p, shape):
        return sampling.sensitivities(self.A, p, rng=1).info.gap


class Subspace(_Fixed):
    """Samples of 300 rows: drawing one, and what is kept."""

    params = (["lewis", "root_leverage", "mixed", "uniform"], [(2000, 6)])
    param_names = ("scheme", "shape")

    def setup(self, scheme, shape):
        self._start()
        self.A = np.random.default_rng(7).standard_t(1.2, shape)
        self.draw(scheme, verify=False)

    def draw(self, scheme, verify):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", lrla.AccuracyWarning)  # of uniform samples
            return sampling.subspace_sample(
                self.A, 1, size=300, scheme=scheme, verify=verify, rng=1
            )

    def time_draw(self, scheme, shape):
        self.draw(scheme, verify=False)

    def track_distortion(self, scheme, shape):
        return self.draw(scheme, verify=True).info.distortion.eps
