"""The matrix of a relaxation: read once, in CSR form, whatever it was given as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import (
    Array,
    Space,
    adjoint,
    as_array,
    check_finite,
    space_of,
    unit_roundoff,
)
from lrla._core.linalg import norm
from lrla._core.operators import Operator, as_operator
from lrla._core.random import Domain, key_of, tag
from lrla.kernels.philox import uniform
from lrla.kernels.sor import rows_of


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """A matrix whose rows can be read.

    Parameters
    ----------
    op : Operator
        The matrix, for products.
    data, indices, indptr : arrays
        Its entries in CSR form, columns ascending, none twice.
    """

    op: Operator
    data: Array
    indices: Array
    indptr: Array

    @property
    def n(self) -> int:
        """Number of unknowns."""
        return int(self.indptr.shape[0]) - 1

    @property
    def space(self) -> Space:
        """Where the entries live."""
        return self.op.space

    def refilled(self, data: Array) -> System:
        """Put other entries in the same places."""
        if self.op.kind == "dense":
            raise ValueError("data must be given for a sparse A only, got a plan of a dense one")
        A = type(self.op.A)((data, self.indices, self.indptr), shape=self.op.shape)
        return System(Operator(A, "sparse", self.space, data.dtype), data, *self.structure)

    @property
    def structure(self) -> tuple[Array, Array]:
        """Columns of the entries, and where the rows begin."""
        return self.indices, self.indptr

    def astype(self, dtype: Any) -> System:
        """Convert the entries, unless they are of that dtype."""
        if self.data.dtype == dtype:
            return self
        xp, op = self.space.xp, self.op
        cast = xp.astype(op.A, dtype) if op.kind == "dense" else op.A.astype(dtype)
        op = Operator(cast, op.kind, op.space, dtype)
        return System(op, xp.astype(self.data, dtype), *self.structure)


def read(A: Any) -> System:
    """Look at a matrix: square, finite, its entries at hand."""
    op = as_operator(A)
    if op.kind not in ("dense", "sparse"):
        raise TypeError(
            f"A must be an array or a sparse matrix, got {type(A).__name__}; a sweep reads single "
            "rows, which a linear operator does not have"
        )
    m, n = op.shape
    if m != n:
        raise ValueError(f"A must be square, got shape {(m, n)}; kaczmarz solves other systems")
    op.check_entries()
    return with_rows(op)


def with_rows(op: Operator) -> System:
    """Read the CSR arrays of a matrix, columns ascending; zeros of a dense one are left out."""
    if op.kind == "sparse":
        A = op.A.tocsr()
        if not A.has_canonical_format:
            A = A.copy()
            A.sum_duplicates()
        op = Operator(A, "sparse", op.space, op.dtype)
        return System(op, A.data, A.indices, A.indptr)
    space, xp, n = op.space, op.space.xp, op.shape[0]
    stored = op.A != 0
    rows, columns = xp.nonzero(stored)
    counts = xp.sum(xp.astype(stored, xp.int64), axis=1)
    ends = xp.cumulative_sum(counts) if n else counts
    indptr = xp.concat((space.zeros((1,), xp.int64), ends))
    flat = xp.reshape(op.A, (-1,))
    return System(op, xp.take(flat, rows * op.shape[1] + columns), columns, indptr)


def with_diagonal(data: Array, indices: Array, indptr: Array) -> tuple[Array, Array, Array]:
    """Store zeros on the diagonal of a square CSR matrix where nothing is stored."""
    space = space_of(data)
    xp, n = space.xp, indptr.shape[0] - 1
    wide = xp.astype(indices, xp.int64)
    keys = rows_of(indptr, data.shape[0]) * n + wide
    diagonal = xp.arange(n, dtype=xp.int64, device=space.device) * (n + 1)
    every = xp.unique_values(xp.concat((keys, diagonal)))
    ends = xp.arange(n + 1, dtype=xp.int64, device=space.device) * n
    out = space.zeros((every.shape[0],), data.dtype)
    if data.shape[0]:
        last = space.asarray(data.shape[0] - 1, xp.int64)
        place = xp.minimum(xp.searchsorted(keys, every), last)
        out = xp.where(xp.take(keys, place) == every, xp.take(data, place), out)
    starts = xp.astype(xp.searchsorted(every, ends), indptr.dtype)
    return out, xp.astype(every % n, indices.dtype), starts


def is_hermitian(system: System) -> bool:
    """Tell whether a matrix is Hermitian, by a product with two random vectors."""
    space, n = system.space, system.n
    xp = space.xp
    where = tag(Domain.TEST_MATRIX)
    pair = xp.astype(uniform(space, key_of(1981), where, 0, n, 2) - 0.5, system.op.dtype)
    products = system.op.matmat(pair)
    u, v, Au, Av = pair[:, 0], pair[:, 1], products[:, 0], products[:, 1]
    gap = abs(complex(xp.sum(adjoint(u) * Av)) - complex(xp.sum(adjoint(Au) * v)))
    return gap <= unit_roundoff(xp, system.op.real_dtype) ** 0.5 * norm(Au) * norm(v)


def on_host(x: Array) -> np.ndarray[Any, Any]:
    """Bring integers of the structure, never entries, to where graphs are worked on."""
    if hasattr(x, "get"):
        return x.get()
    if hasattr(x, "cpu"):
        return x.cpu().numpy()
    if isinstance(x, np.ndarray):
        return x
    return np.asarray([int(i) for i in x], np.int64)


def right_hand_side(b: Any, op: Operator) -> Array:
    """Check a right-hand side: where it lives, its shape, and that it is finite."""
    b = as_array(b, "b", ndim=(1, 2))
    space_of(b, op.space.zeros((0,), op.dtype))
    if b.shape[0] != op.shape[0]:
        raise ValueError(
            f"b must have as many rows as A, got shapes {tuple(b.shape)} and {op.shape}"
        )
    check_finite(b, "b")
    return b
