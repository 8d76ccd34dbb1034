"""The rows of a matrix as equations to project onto, and who has his turn."""

from __future__ import annotations

from typing import Any

from lrla._core.arrays import Array, is_complex
from lrla._core.random import Domain, key_of, tag
from lrla._core.threads import ranges
from lrla.kernels.kaczmarz import project_both, project_greedily, project_rows
from lrla.kernels.philox import uniform
from lrla.relaxation._system import System, with_rows

PASSES = ("cyclic", "symmetric", "random", "greedy", "block", "extended")


class Rows:
    """Equations with the lengths of their rows.

    Parameters
    ----------
    system : System
        A matrix of any shape.
    b : array of shape (m,)
        Right-hand side.
    omega : float
        Relaxation factor.
    seed : int
        For the random orders.
    block_size, n_candidates : int
        As for `kaczmarz`.
    """

    def __init__(
        self, system: System, b: Array, omega: float, seed: int, block_size: int, n_candidates: int
    ) -> None:
        self.system, self.b, self.omega, self.seed = system, b, omega, seed
        self._size, self._candidates = block_size, n_candidates
        space = system.space
        self._m = int(system.indptr.shape[0]) - 1
        self._squares = _squares(system)
        xp = space.xp
        lost = (self._squares == 0) & (b != 0)
        if bool(xp.any(lost)):
            row = int(xp.argmax(xp.astype(lost, xp.int8)))
            raise ValueError(
                f"b must be zero where a row of A is, got {b[row]} in row {row}: no solution"
            )
        self.norm = float(xp.sum(xp.astype(self._squares, xp.float64))) ** 0.5
        self._rows = (system.data, system.indices, system.indptr, self._steps(self._squares))
        self._ahead = xp.arange(self._m, dtype=xp.int64, device=space.device)
        self._blocks: list[tuple[int, int, Array, Array]] = []
        self._columns: Any = None
        self._z: Any = None

    def _steps(self, squares: Array) -> Array:
        xp = self.system.space.xp
        zero = squares == 0
        return xp.where(zero, squares, self.omega / xp.where(zero, xp.ones_like(squares), squares))

    def sweep(self, x: Array, method: str, number: int) -> Array:
        """Do one pass, the ``number``-th, in place."""
        if method == "cyclic":
            return project_rows(x, self.b, *self._rows, self._ahead, x)
        if method == "symmetric":
            xp = self.system.space.xp
            turns = xp.concat((self._ahead, xp.flip(self._ahead)))
            return project_rows(x, self.b, *self._rows, turns, x)
        if method == "block":
            return self._by_blocks(x)
        if method == "extended":
            return self._with_columns(x, number)
        count = self._candidates if method == "greedy" else 1
        turns = self._drawn(self._squares, number, count, 0)
        if method == "greedy":
            return project_greedily(x, self.b, *self._rows, turns, x)
        return project_rows(x, self.b, *self._rows, turns[:, 0], x)

    def linear(self, p: Array) -> Array:
        """Return a symmetric pass for ``A @ x = 0``."""
        space = self.system.space
        turns = space.xp.concat((self._ahead, space.xp.flip(self._ahead)))
        return project_rows(p, space.xp.zeros_like(self.b), *self._rows, turns, None)

    def _drawn(self, squares: Array, number: int, count: int, stream: int) -> Array:
        """Draw m times ``count`` lines with probabilities proportional to their squares."""
        space = self.system.space
        xp = space.xp
        ends = xp.cumulative_sum(xp.astype(squares, xp.float64))
        where = tag(Domain.KACZMARZ, stream)
        first = number * self._m
        u = uniform(space, key_of(self.seed), where, first, first + self._m, count)
        found = xp.searchsorted(ends, xp.reshape(u, (-1,)) * ends[-1], side="right")
        last = space.asarray(squares.shape[0] - 1, found.dtype)
        return xp.reshape(xp.minimum(found, last), u.shape)

    def _with_columns(self, x: Array, number: int) -> Array:
        if self._columns is None:
            system = self.system
            if system.op.kind == "dense":
                adjoint = system.op.A.conj().T if is_complex(system.op.A) else system.op.A.T
            else:
                adjoint = system.op.A.conj().T.tocsr()
            other = with_rows(
                type(system.op)(adjoint, system.op.kind, system.space, system.op.dtype)
            )
            self._column_squares = _squares(other)
            steps = self._steps(self._column_squares) / self.omega
            self._columns = (other.data, other.indices, other.indptr, steps)
            self._z = system.space.xp.asarray(self.b, copy=True)
        rows = self._drawn(self._squares, number, 1, 0)[:, 0]
        columns = self._drawn(self._column_squares, number, 1, 1)[:, 0]
        data, indices, indptr, steps = self._columns
        x, self._z = project_both(
            x,
            self._z,
            self.b,
            *self._rows,
            rows,
            data,
            indices,
            indptr,
            steps,
            columns,
            (x, self._z),
        )
        return x

    def _by_blocks(self, x: Array) -> Array:
        """Project onto all equations of a block at once, by its pseudoinverse."""
        xp = self.system.space.xp
        if not self._blocks:
            for first, last in ranges(self._m, self._size):
                B = self._block(first, last)
                self._blocks.append((first, last, B, xp.linalg.pinv(B)))
        for first, last, B, inverse in self._blocks:
            x = x + self.omega * (inverse @ (self.b[first:last] - B @ x))
        return x

    def _block(self, first: int, last: int) -> Array:
        op = self.system.op
        return op.A[first:last, :] if op.kind == "dense" else op.A[first:last].toarray()


def _squares(system: System) -> Array:
    """Return the squared norms of rows."""
    space, op = system.space, system.op
    xp = space.xp
    if op.kind == "dense":
        return xp.sum(xp.abs(op.A) ** 2, axis=1)
    size = type(op.A)((xp.abs(system.data) ** 2, *system.structure), shape=op.shape)
    return size @ xp.ones(op.shape[1], dtype=op.real_dtype, device=space.device)
