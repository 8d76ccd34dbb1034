"""Rows as they come: arrays, sparse matrices, dask arrays, or iterators over any of these."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, as_array, check_finite, space_of
from lrla._core.numbers import whole
from lrla._core.operators import as_operator, is_sparse
from lrla.blocks import as_blocks

_ENTRIES = 1 << 21  # of a piece: what is made dense, checked and multiplied at a time


class RowStream(abc.ABC):
    """What takes rows and keeps little of them.

    Parameters
    ----------
    n : int
        Number of columns.
    """

    def __init__(self, n: int) -> None:
        self.n = whole(n, "n", 1)
        self.n_rows = 0
        self.squares = 0.0

    def partial_fit(self, A: Any) -> None:
        """Add rows.

        Parameters
        ----------
        A : array of shape (k, n), sparse matrix, dask array, or iterator over these
            The rows, any number of them.

        Raises
        ------
        ValueError
            If the number of columns is wrong or an entry is not finite.
        TypeError
            If the rows are of another array library, device or dtype than those before.
        """
        for piece in pieces(A):
            same_kind(piece, self.n, self._like())
            self._add(piece)
            self.n_rows += piece.shape[0]
            self.squares += linalg.norm(piece) ** 2

    @abc.abstractmethod
    def _like(self) -> Array | None:
        """Return an array of the kind of the rows before, if there were any."""

    @abc.abstractmethod
    def _add(self, piece: Array) -> None:
        """Take some rows."""


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
