"""Tall data that stay in blocks of rows: every product is a pass over them."""

from __future__ import annotations

from typing import Any

from lrla._core.arrays import Array
from lrla._core.operators import Operator
from lrla.kernels.gram import gram
from lrla.regression._rows import SAFE, ComplexRows


class BlockRows:
    """What `Rows` and `ComplexRows` are, for rows that are made again for every product.

    Parameters
    ----------
    op : Operator
        A, in blocks.
    T : array of shape (n, k)
        The coordinates, in double precision.
    condition : float
        Condition number of A: products with A and T one after the other lose so much.

    Notes
    -----
    Vectors over the rows are in memory, the rows never are, but for one block for each of the
    workers.
    """

    def __init__(self, op: Operator, T: Array, condition: float) -> None:
        self.op, self.space, self.T = op, op.space, T
        self.real = not op.space.xp.isdtype(T.dtype, "complex floating")
        self.count = self.m = op.shape[0]
        self.k = int(T.shape[1])
        self.unknowns = self.k if self.real else 2 * self.k
        self.accurate = condition <= SAFE

    def fill(self, v: Array, value: float) -> Array:
        """Return the vector: there are no rows to fill up."""
        return v

    def unwhiten(self, z: Array) -> Array:
        """Return T z: the coefficients of A."""
        return self.T @ (z if self.real else z[: self.k] + 1j * z[self.k :])

    def product(self, z: Array) -> Array:
        """Return A T z."""
        part = self._part()
        return self.space.xp.concat(self.op.A.map(lambda block, a, b: part(block).product(z)))

    def adjoint(self, V: Array) -> Array:
        """Return (A T)^H v for each row v of V, again as rows."""
        part = self._part()
        (C,) = self.op.A.sum(lambda block, a, b: (part(block).adjoint(V[:, a:b]),))
        return C

    def gram(self, q: Array) -> Array:
        """Return (A T)^T diag(q) A T."""
        return self.hessian(q, None, 2.0)

    def hessian(self, g: Array, u: Array | None, p: float) -> Array:
        """Return second derivatives of a sum over residuals u, up to a factor."""
        part = self._part()
        (H,) = self.op.A.sum(
            lambda block, a, b: (
                part(block).hessian(g[a:b], None if u is None else u[a:b], p),
            )
        )  # fmt: skip
        return H

    def equations(self, g: Array, v: Array) -> tuple[Array, Array]:
        """Return the second derivatives with weights g and the adjoint of v, in one pass."""
        part = self._part()

        def both(block: Array, a: int, b: int) -> tuple[Array, Array]:
            rows = part(block)
            return rows.hessian(g[a:b], None, 2.0), rows.adjoint(v[None, a:b])[0, :]

        G, w = self.op.A.sum(both)
        return G, w

    def take(self, index: Array) -> Array:
        """Return a few rows of A T, one after the other."""
        return self.space.xp.astype(self.op.A.take(index), self.T.dtype) @ self.T

    def _part(self) -> Any:
        """Return what makes the rows of a block; it does not refer to the other blocks."""
        space, T, real, accurate = self.space, self.T, self.real, self.accurate

        def part(block: Array) -> Any:
            if real:
                return _Part(space.xp.astype(block, T.dtype, copy=False), T, accurate)
            return ComplexRows(Operator(block, "dense", space, block.dtype), T)

        return part


class _Part:
    """The rows of one block of real data; A and T apart where that loses nothing."""

    def __init__(self, A: Array, T: Array, apart: bool) -> None:
        self.A, self.T, self.apart = A, T, apart

    def product(self, z: Array) -> Array:
        return self.A @ (self.T @ z) if self.apart else (self.A @ self.T) @ z

    def adjoint(self, V: Array) -> Array:
        return (V @ self.A) @ self.T if self.apart else V @ (self.A @ self.T)

    def hessian(self, g: Array, u: Array | None, p: float) -> Array:
        return gram(self.A @ self.T, g)
