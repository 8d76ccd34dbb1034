"""A tall matrix as blocks of rows, computed by Dask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from lrla._core.arrays import Array, Space, as_array, space_of, to_host
from lrla._core.threads import inline

_T = TypeVar("_T")
_ARITY = 4  # of the tree that sums: its shape, and so the rounding, depends on the blocks alone


class RowBlocks:
    """A tall matrix cut into blocks of rows.

    Parameters
    ----------
    A : dask.array.Array
        Of shape (m, n), in one chunk of columns.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    dtype : numpy.dtype
        Floating dtype of the blocks; integers are promoted to float64 as blocks are made.
    bounds : tuple of tuple of int
        First and last row (exclusive) of each block.
    space : Space
        Where the blocks live: NumPy, or CuPy if Dask holds CuPy chunks.
    """

    def __init__(self, A: Any) -> None:
        ends = np.cumsum(A.chunks[0]).tolist()
        self.array = A
        self.shape: tuple[int, int] = (int(A.shape[0]), int(A.shape[1]))
        self.dtype = as_array(A._meta, "A").dtype
        self.bounds = tuple(zip([0, *ends[:-1]], ends, strict=True))
        self.space: Space = space_of(A._meta)

    def map(self, function: Callable[[Any, int, int], _T]) -> list[_T]:
        """Call ``function(block, first, last)`` for every block and return in their order."""
        return list(self._delayed(function, reduce=False))

    def sum(self, function: Callable[[Any, int, int], tuple[Any, ...]]) -> tuple[Any, ...]:
        """Add up tuples of arrays, ``function(block, first, last)``, over a fixed tree."""
        return tuple(self._delayed(function, reduce=True))

    def take(self, index: Array) -> Array:
        """Gather rows in the order of an index; blocks without any of them are not computed."""
        space, xp = self.space, self.space.xp
        order = xp.argsort(index)
        index = xp.take(index, order)
        ends = space.asarray([0, *(b for _, b in self.bounds)], xp.int64)
        cuts = xp.searchsorted(index, ends)
        needed = [bool(cuts[k] < cuts[k + 1]) for k in range(len(self.bounds))]

        def part(block: Array, a: int, b: int) -> Array:
            return space.rows(block, index[(index >= a) & (index < b)] - a)

        parts = self._delayed(part, reduce=False, needed=needed)
        if not parts:
            return space.zeros((0, self.shape[1]), self.dtype)
        return space.rows(xp.concat(parts, axis=0), xp.argsort(order))

    def only(self, index: Array) -> RowBlocks:
        """Leave out all rows but those of an increasing index."""
        sizes = tuple(b - a for a, b in self.bounds if a < b)  # dask divides by their mean, rounded
        return RowBlocks(self.array.rechunk({0: sizes})[to_host(index)])

    def scaled(self, factors: Array) -> RowBlocks:
        """Multiply the rows by numbers, as blocks are made."""
        return RowBlocks(self.array * self._chunked(factors[:, None]))

    def times(self, T: Array) -> RowBlocks:
        """Multiply with a small matrix from the right, as blocks are made."""
        return RowBlocks(self.array @ T)

    def beside(self, columns: Array) -> RowBlocks:
        """Put further columns, in memory, to the right of these."""
        import dask.array

        both = dask.array.concatenate((self.array, self._chunked(columns)), axis=1)
        return RowBlocks(both.rechunk({1: -1}))

    def above(self, rows: Array) -> RowBlocks:
        """Put further rows, in memory, below these."""
        import dask.array

        last = dask.array.from_array(rows, chunks=-1, asarray=False)
        return RowBlocks(dask.array.concatenate((self.array, last), axis=0))

    def _chunked(self, columns: Array) -> Any:
        import dask.array

        return dask.array.from_array(columns, chunks=(self.array.chunks[0], -1), asarray=False)

    def _delayed(
        self, function: Callable[..., Any], *, reduce: bool, needed: list[bool] | None = None
    ) -> Any:
        import dask

        chunks = self.array.to_delayed().ravel()
        parts = [
            dask.delayed(_call, pure=False)(function, chunk, a, b)
            for k, (chunk, (a, b)) in enumerate(zip(chunks, self.bounds, strict=True))
            if needed is None or needed[k]
        ]
        while reduce and len(parts) > 1:
            parts = [
                dask.delayed(_add, pure=False)(parts[i : i + _ARITY])
                for i in range(0, len(parts), _ARITY)
            ]
        return parts[0].compute() if reduce else dask.compute(*parts)


def _call(function: Callable[..., Any], chunk: Any, a: int, b: int) -> Any:
    with inline():  # Dask runs as many of these as it has workers
        return function(as_array(chunk, "A"), a, b)  # chunks may be of other types than dask knows


def _add(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    total = parts[0]
    for part in parts[1:]:
        total = tuple(x + y for x, y in zip(total, part, strict=True))
    return total


def as_blocks(A: Any) -> Any:
    """Return a dask array as `RowBlocks`, and anything else as it is.

    Parameters
    ----------
    A : object
        Any argument that may be a dask array.

    Returns
    -------
    RowBlocks or object
        ``A`` itself unless it is a two-dimensional dask array.

    Raises
    ------
    ValueError
        If the lengths of the chunks are not known.

    Notes
    -----
    Several chunks of columns become one.

    Examples
    --------
    >>> import dask.array as da
    >>> from lrla.blocks import as_blocks
    >>> as_blocks(da.ones((100, 3), chunks=(40, 2))).bounds
    ((0, 40), (40, 80), (80, 100))
    """
    if type(A).__module__.partition(".")[0] != "dask" or getattr(A, "ndim", 0) != 2:
        return A
    if any(np.isnan(size) for size in A.shape):
        raise ValueError(
            "A must have chunks of known lengths, got a dask array with unknown ones; call "
            "A.compute_chunk_sizes() first"
        )
    if A.numblocks[1] > 1:
        A = A.rechunk({1: -1})
    return RowBlocks(A)
