"""Sweeps and solvers beside SciPy and PyAMG.

The sizes are small so that a quick run is quick; ``claims/sor_sweep.py`` and ``claims/ssor_cg.py``
have those that the documentation quotes.
"""

import numpy as np

import lrla
from benchmarks import data, peers
from lrla.relaxation import RedBlackStencil, SweepPlan, sor, ssor_pcg

SWEEPS = {
    "lrla": lambda plan, A, x, b: plan.sweep(x, b, 10),
    "lrla, one a call": lambda plan, A, x, b: [plan.sweep(x, b) for _ in range(10)],
    "pyamg": lambda plan, A, x, b: peers.sor_pyamg(A, x, b, 1.5, 10),
    "scipy A @ x": lambda plan, A, x, b: [A @ x for _ in range(10)],
}


class _Fixed:
    """One thread for the library and the BLAS under it."""

    def _start(self, shape):
        self._threads = lrla.threads(1)
        self._threads.__enter__()
        self.A = data.laplacian(*shape)
        self.b = np.random.default_rng(1).standard_normal(self.A.shape[0])

    def teardown(self, *params):
        self._threads.__exit__(None, None, None)


class Sweep(_Fixed):
    """Ten forward sweeps."""

    params = (list(SWEEPS), [(256, 256), (40, 40, 40)])
    param_names = ("library", "grid")

    def setup(self, library, grid):
        self._start(grid)
        self.plan, self.x = SweepPlan(self.A, omega=1.5), np.zeros_like(self.b)
        SWEEPS[library](self.plan, self.A, self.x, self.b)

    def time_ten(self, library, grid):
        SWEEPS[library](self.plan, self.A, self.x, self.b)


class Stencil:
    """Ten red-black sweeps without a matrix."""

    params = ([(256, 256), (40, 40, 40)],)
    param_names = ("grid",)

    def setup(self, grid):
        self.stencil = RedBlackStencil(grid, omega=1.5)
        self.x, self.b = np.zeros(grid), np.ones(grid)
        self.stencil.sweep(self.x, self.b)

    def time_ten(self, grid):
        self.stencil.sweep(self.x, self.b, 10)


SOLVERS = {
    "lrla ssor_pcg": lambda A, b, omega: ssor_pcg(A, b, omega=omega, rtol=1e-8).x,
    "lrla sor": lambda A, b, omega: sor(A, b, rtol=1e-8).x,
    "scipy cg": lambda A, b, omega: peers.cg_scipy(A, b, 1e-8),
    "pyamg Ruge-Stuben": lambda A, b, omega: peers.ruge_stuben_pyamg(A, b, 1e-8),
}


class Solve(_Fixed):
    """A Laplacian, to 1e-8."""

    params = (list(SOLVERS), [(128, 128), (24, 24, 24)])
    param_names = ("solver", "grid")

    def setup(self, solver, grid):
        self._start(grid)
        self.omega = 2 / (1 + 2 * np.sin(np.pi / (grid[0] + 1) / 2))
        SOLVERS[solver](self.A, self.b, self.omega)

    def time_solve(self, solver, grid):
        SOLVERS[solver](self.A, self.b, self.omega)

    def track_residual(self, solver, grid):
        x = SOLVERS[solver](self.A, self.b, self.omega)
        return float(np.linalg.norm(self.b - self.A @ x) / np.linalg.norm(self.b))
