"""Rows as they come: arrays, sparse matrices, dask arrays, or iterators over any of these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lrla._core.arrays import Array, as_array, check_finite, space_of
from lrla._core.operators import as_operator, is_sparse
from lrla.blocks import as_blocks

_ENTRIES = 1 << 21  # of a piece: what is made dense, checked and multiplied at a time


def pieces(A: Any) -> Iterator[Array]:
    """Yield the rows of anything that holds rows, in order, as dense finite matrices."""
    A = as_blocks(A)
    if hasattr(A, "bounds") and hasattr(A, "array"):
        for first, last in A.bounds:
            yield from _cut(as_array(A.array[first:last].compute(), "A"))
    elif is_sparse(A):
        A = as_operator(A).A.tocsr()
        step = max(1, _ENTRIES // max(1, A.shape[1]))
        for first in range(0, A.shape[0], step):
            yield from _cut(A[first : first + step].toarray())
    elif isinstance(A, Iterator):
        for rows in A:
            yield from pieces(rows)
    else:
        rows = as_array(A, "A", ndim=(1, 2))
        yield from _cut(rows[None, :] if rows.ndim == 1 else rows)


def _cut(rows: Array) -> Iterator[Array]:
    m, n = rows.shape
    step = max(1, _ENTRIES // max(1, n))
    for first in range(0, m, step):
        piece = rows[first : min(first + step, m), :]
        check_finite(piece, "A")
        yield piece


def same_kind(piece: Array, n: int, state: Array | None) -> None:
    """Check that rows have n entries, and the library, device and dtype of those before."""
    if piece.shape[1] != n:
        raise ValueError(f"A must have {n} columns, got shape {tuple(piece.shape)}")
    if state is None:
        return
    if space_of(piece) != space_of(state):
        raise TypeError("A must be of the array library and device of the rows before")
    if piece.dtype != state.dtype:
        raise TypeError(
            f"A must have dtype {state.dtype} like the rows before, got {piece.dtype}; convert it"
        )
