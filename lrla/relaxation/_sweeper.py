"""The sweeps of a matrix, unchecked: what plans and solvers share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.arrays import Array
from lrla.kernels.sor import arrange, jacobi_sweeps, repeats, sweeps
from lrla.relaxation._blocks import equilibrate, partition
from lrla.relaxation._system import System, with_diagonal
from lrla.relaxation._turns import Turns

_LONG = 16  # rows that repeat one another, on average, for which it pays to look where they end


class Sweeper:
    """Arranged rows of a matrix, in the order in which unknowns take their turns.

    Vectors that go into `run` are in that order, see `Turns`, and right-hand sides are
    those of `rhs`, which change with omega.

    Parameters
    ----------
    system : System
        The matrix.
    omega : float
        Relaxation factor.
    order : str or array of int
        As for `SweepPlan`.
    blocks : int, list of arrays, or None
        As for `SweepPlan`.
    diag_shift : float
        As for `SweepPlan`.
    """

    def __init__(
        self,
        system: System,
        omega: float,
        order: Any = "natural",
        blocks: Any = None,
        diag_shift: float = 0.0,
    ) -> None:
        if not math.isfinite(diag_shift) or (diag_shift and blocks is not None):
            raise ValueError(
                f"diag_shift must be finite, and 0 where blocks are given, got {diag_shift}"
            )
        self.system, self._shift = system, diag_shift
        self.omega = omega
        self._parts = None if blocks is None else partition(blocks, system.n)
        self._inverse: Any = None
        data, indices, indptr = self._equilibrated()
        self.turns = Turns(indices, indptr, order, system.space)
        self._take(data)

    def _equilibrated(self) -> tuple[Array, Array, Array]:
        system = self.system
        if self._parts is None:
            rows = system.data, system.indices, system.indptr
            return with_diagonal(*rows) if self._shift and system.n else rows
        G, self._inverse = equilibrate(system, self._parts)
        return G.data, G.indices, G.indptr

    def _take(self, data: Array) -> None:
        """Arrange new entries."""
        self._data = self.turns.entries(data)
        runs = repeats(self._data, *self.turns.structure) if self.system.n else None
        long = runs is not None and runs.shape[0] * _LONG <= self.system.n
        self._runs = runs if long else None
        self._set(self.omega)

    def _set(self, omega: float) -> None:
        arranged = self._arranged(omega, False)
        self.omega, self._forward = omega, arranged
        self._backward: tuple[Array, Array, Array] | None = None

    def _arranged(self, omega: float, reverse: bool) -> tuple[Array, Array, Array]:
        found = arrange(self._data, *self.turns.structure, omega, self._shift, reverse)
        fine = self.system.space.xp.isfinite(found[2])
        self.turns.check_diagonal(fine, "nonzero", "permute the rows, or pass diag_shift")
        return found

    def change(self, omega: float | None = None, system: System | None = None) -> None:
        """Take another relaxation factor, or other entries in the same places."""
        if system is None:
            self._set(self.omega if omega is None else omega)
            return
        before = self.system, self.omega, self._data, self._inverse, self._runs
        try:
            self.system, self.omega = system, self.omega if omega is None else omega
            self._take(self._equilibrated()[0])
        except np.linalg.LinAlgError:  # stay what it was
            self.system, self.omega, self._data, self._inverse, self._runs = before
            raise

    def rhs(self, b: Array) -> Array:
        """Scale a right-hand side, and put it into the order of the sweeps."""
        b = self.turns.enter(b if self._inverse is None else self._inverse @ b)
        scale = self._forward[2]
        return b * (scale if b.ndim == 1 else scale[:, None])

    def run(self, x: Array, rhs: Array, n_sweeps: int, direction: str) -> Array:
        """Sweep in place; return the sum of ``abs(new - old)**2`` of each sweep."""
        data, indices, _ = self._forward
        indptr = self.turns.structure[1]
        if direction == "jacobi":
            return jacobi_sweeps(x, rhs, data, indices, indptr, n_sweeps, x)[1]
        if direction == "symmetric":
            halves = []
            for _ in range(n_sweeps):
                self.run(x, rhs, 1, "forward")
                halves.append(self.run(x, rhs, 1, "backward"))
            xp = self.system.space.xp
            return xp.concat(halves) if halves else self.system.space.zeros((0,), xp.float64)
        reverse = direction == "backward"
        if reverse:
            if self._backward is None:
                self._backward = self._arranged(self.omega, True)
            data, indices, _ = self._backward
        args = data, indices, indptr, self._runs, *self.turns.layout
        return sweeps(x, rhs, *args, n_sweeps, reverse, x)[1]
