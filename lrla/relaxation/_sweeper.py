"""The sweeps of a matrix, unchecked: what plans and solvers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla._core.arrays import Array, Space
from lrla.kernels.sor import arrange, jacobi_sweeps, sweeps
from lrla.relaxation._blocks import equilibrate, partition
from lrla.relaxation._order import Order, coloured, natural
from lrla.relaxation._system import System, on_host

ORDERS = ("natural", "multicolor", "redblack")


class Sweeper:
    """Arranged rows of a matrix, in the order in which unknowns take their turns.

    Vectors that go into `run` are in that order, see `enter` and `leave`, and right-hand sides are
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
    """

    def __init__(
        self, system: System, omega: float, order: Any = "natural", blocks: Any = None
    ) -> None:
        self.system = system
        self.omega = omega
        self._parts = None if blocks is None else partition(blocks, system.n)
        self._inverse: Any = None
        data, indices, indptr = self._equilibrated()
        found = ordered(indices, indptr, order, system.space)
        self.order, self._source, self._structure = found
        self._turns = self._back = None
        if self.order.turns is not None:
            self._turns = system.space.asarray(self.order.turns, system.space.xp.int64)
            self._back = system.space.xp.argsort(self._turns)
        self._take(data)

    def _equilibrated(self) -> tuple[Array, Array, Array]:
        system = self.system
        if self._parts is None:
            return system.data, system.indices, system.indptr
        G, self._inverse = equilibrate(system, self._parts)
        return G.data, G.indices, G.indptr

    def _take(self, data: Array) -> None:
        """Arrange new entries."""
        if self._source is not None:
            data = self.system.space.xp.take(data, self._source)
        self._data = data
        self._set(self.omega)

    def _set(self, omega: float) -> None:
        arranged = self._arranged(omega, False)
        self.omega, self._forward = omega, arranged
        self._backward: tuple[Array, Array, Array] | None = None

    def _arranged(self, omega: float, reverse: bool) -> tuple[Array, Array, Array]:
        found = arrange(self._data, *self._structure, omega, reverse)
        xp = self.system.space.xp
        fine = xp.isfinite(found[2])
        if not bool(xp.all(fine)):
            turn = int(xp.argmin(xp.astype(fine, xp.int8)))
            row = turn if self.order.turns is None else int(self.order.turns[turn])
            raise np.linalg.LinAlgError(
                f"diagonal entries of A must not be zero, got one in row {row}; permute the rows, "
                "or add a multiple of the identity"
            )
        return found

    def change(self, omega: float | None = None, system: System | None = None) -> None:
        """Take another relaxation factor, or other entries in the same places."""
        if system is None:
            self._set(self.omega if omega is None else omega)
            return
        before = self.system, self.omega, self._data, self._inverse
        try:
            self.system, self.omega = system, self.omega if omega is None else omega
            self._take(self._equilibrated()[0])
        except np.linalg.LinAlgError:  # stay what it was
            self.system, self.omega, self._data, self._inverse = before
            raise

    def enter(self, v: Array) -> Array:
        """Put a vector into the order of the sweeps."""
        return v if self._turns is None else self.system.space.xp.take(v, self._turns, axis=0)

    def leave(self, v: Array) -> Array:
        """Put a vector back into the order of the unknowns."""
        return v if self._back is None else self.system.space.xp.take(v, self._back, axis=0)

    def rhs(self, b: Array) -> Array:
        """Scale a right-hand side, and put it into the order of the sweeps."""
        b = self.enter(b if self._inverse is None else self._inverse @ b)
        scale = self._forward[2]
        return b * (scale if b.ndim == 1 else scale[:, None])

    def run(self, x: Array, rhs: Array, n_sweeps: int, direction: str) -> Array:
        """Sweep in place; return the sum of ``abs(new - old)**2`` of each sweep."""
        data, indices, _ = self._forward
        indptr = self._structure[1]
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
        blocks, independent = self.order.blocks, self.order.independent
        return sweeps(x, rhs, data, indices, indptr, blocks, independent, n_sweeps, reverse, x)[1]


def ordered(
    indices: Array, indptr: Array, order: Any, space: Space
) -> tuple[Order, Array | None, tuple[Array, Array]]:
    """Look at a structure; return the order, where its entries come from, and its CSR arrays."""
    where = on_host(indices), on_host(indptr)
    if isinstance(order, str):
        if order not in ORDERS:
            raise ValueError(
                f"order must be one of {', '.join(ORDERS)}, or an array, got {order!r}"
            )
        if order == "natural":
            return natural(*where), None, (indices, indptr)
        found = coloured(*where, order)
    else:
        found = Order(_turns(order, where[1].size - 1), (0, where[1].size - 1), False)
    source, inner, ends = permuted(*where, found.turns)
    if not found.independent:
        found = Order(found.turns, natural(inner, ends).blocks, False)
    xp = space.xp
    structure = space.asarray(inner, indices.dtype), space.asarray(ends, indptr.dtype)
    return found, space.asarray(source, xp.int64), structure


def _turns(order: Any, n: int) -> np.ndarray[Any, Any]:
    turns = np.asarray(order)
    if turns.shape != (n,) or not np.array_equal(np.sort(turns), np.arange(n)):
        raise ValueError(
            f"order must hold each of the unknowns 0 to {n - 1} once, got shape {turns.shape}"
        )
    return turns


def permuted(
    indices: np.ndarray[Any, Any], indptr: np.ndarray[Any, Any], turns: Any
) -> tuple[Any, Any, Any]:
    """Permute rows and columns of a CSR structure; say where each of its entries was."""
    place = np.empty_like(turns)
    place[turns] = np.arange(turns.size)
    counts = np.diff(indptr)
    rows = np.repeat(place, counts)
    source = np.lexsort((place[indices], rows))
    ends = np.concatenate([[0], np.cumsum(counts[turns])])
    return source, place[indices][source], ends
