"""Sweeps of relaxation: every unknown in its turn is moved towards what its own equation says.

Rows are *arranged* first: divided by their diagonal entry over omega, with the diagonal entry in
front, then the columns whose unknowns still have their old values, then those with new values, the
newest last. A row then says ``x[i] = b[i] - data @ x[indices]`` and nothing more; a whole sweep is
as many multiplications as a product with the matrix.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def arrange(
    data: Array, indices: Array, indptr: Array, omega: float, shift: float, reverse: bool
) -> tuple[Array, Array, Array]:
    """Scale and order the rows of a CSR matrix for `sweeps`.

    Parameters
    ----------
    data, indices, indptr : arrays
        A square CSR matrix: no column twice in a row, columns ascending.
    omega : float
        Relaxation factor.
    shift : float
        What is added to the diagonal entries that rows are divided by, and nowhere else.
    reverse : bool
        Whether the sweeps will go from the last row to the first.

    Returns
    -------
    data, indices : arrays
        Entries ``omega / d_i * a_ij`` with ``d_i = a_ii + shift``, and for j = i that minus one, row
        by row in the order j = i, i + 1, ..., n - 1, 0, ..., i - 1 (with `reverse`, i, i - 1, ..., 0, n - 1, ...,
        i + 1).
    scale : array of shape (n,)
        ``omega / d_i``; infinity where d_i is zero or a_ii not stored, and the row is then undefined.
    """
    space = space_of(data)
    xp = space.xp
    n, nnz = indptr.shape[0] - 1, data.shape[0]
    if nnz == 0:
        return data, indices, space.zeros((n,), data.dtype)
    wide = xp.astype(indices, xp.int64)
    rows = rows_of(indptr, nnz)
    turn = (rows - wide) % n if reverse else (wide - rows) % n
    order = xp.argsort(rows * n + turn)
    first = xp.take(turn, order) == 0
    start = xp.minimum(xp.astype(indptr[:-1], xp.int64), space.asarray(nnz - 1, xp.int64))
    there = xp.take(first, start) & (indptr[1:] > indptr[:-1])
    diagonal = xp.take(data, xp.take(order, start))
    diagonal = xp.where(there, diagonal + shift, xp.zeros_like(diagonal))
    nonzero = diagonal != 0
    one = xp.ones_like(diagonal)
    scale = xp.where(
        nonzero, omega * one / xp.where(nonzero, diagonal, one), xp.full_like(one, math.inf)
    )
    scaled = xp.take(data, order) * xp.take(scale, rows)
    filling = scaled - 1 if shift else xp.full_like(scaled, omega - 1)
    return xp.where(first, filling, scaled), xp.take(indices, order), scale


def rows_of(indptr: Array, nnz: int) -> Array:
    """Return the row of each stored entry of a CSR matrix."""
    space = space_of(indptr)
    xp = space.xp
    places = xp.arange(nnz, dtype=xp.int64, device=space.device)
    return xp.searchsorted(xp.astype(indptr, xp.int64), places, side="right") - 1


@kernel
def repeats(data: Array, indices: Array, indptr: Array) -> Array:
    """Find the rows of a CSR matrix that repeat the row before, one place to the right.

    Parameters
    ----------
    data, indices, indptr : arrays
        A CSR matrix, with at least one row.

    Returns
    -------
    array of shape (k + 1,)
        The rows that do not, ascending, and the number of rows.
    """
    space = space_of(data)
    xp = space.xp
    n, nnz = indptr.shape[0] - 1, data.shape[0]
    ends = xp.astype(indptr, xp.int64)
    widths = ends[1:] - ends[:-1]
    fresh = xp.ones(n, dtype=xp.bool, device=space.device)
    fresh[1:] = widths[1:] != widths[:-1]
    if nnz:
        rows = rows_of(indptr, nnz)
        places = xp.arange(nnz, dtype=xp.int64, device=space.device)
        above = xp.where(xp.take(fresh, rows), places, places - xp.take(widths, rows))
        wide = xp.astype(indices, xp.int64)
        other = (wide - xp.take(wide, above) != 1) | (data != xp.take(data, above))
        counts = xp.concat(
            (space.zeros((1,), xp.int64), xp.cumulative_sum(xp.astype(other, xp.int64)))
        )
        fresh = fresh | (xp.take(counts, ends[1:]) > xp.take(counts, ends[:-1]))
    return xp.concat((xp.nonzero(fresh)[0], space.asarray([n], xp.int64)))


@kernel
def sweeps(
    x: Array,
    b: Array,
    data: Array,
    indices: Array,
    indptr: Array,
    runs: Array | None,
    blocks: tuple[int, ...],
    independent: bool,
    n_sweeps: int,
    reverse: bool,
    out: Array | None,
) -> tuple[Array, Array]:
    """Sweep over the rows ``n_sweeps`` times: ``x[i] = b[i] - data @ x[indices]`` in their order.

    Parameters
    ----------
    x : array of shape (n,) or (n, p)
        Where to start.
    b : array of shape (n,) or (n, p)
        Right-hand sides, times the scale of `arrange`.
    data, indices, indptr : arrays
        Arranged rows, each with at least one entry.
    runs : array of shape (k + 1,), or None
        What `repeats` says of them, or nothing. Twins need not read rows that repeat another.
    blocks : tuple of int
        Bounds 0, ..., n of consecutive blocks of rows.
    independent : bool
        True says that no row refers to another one of its own block; False, that rows refer to none
        beyond the blocks next to their own. Twins use either to work on several blocks at once.
    n_sweeps : int
        Number of sweeps.
    reverse : bool
        Whether rows take their turns from the last to the first.
    out : array of the shape and dtype of x, or None
        Where the result goes; x itself for work in place.

    Returns
    -------
    x : array
        ``out`` if that was given.
    steps : array of shape (n_sweeps,)
        For each sweep, the sum of ``abs(new - old)**2``, in double precision.
    """
    space = space_of(x)
    xp = space.xp
    new = xp.asarray(x, copy=True)
    turns = list(pairwise(blocks))
    if not independent:
        turns = [(i, i + 1) for i in range(x.shape[0])]
    if reverse:
        turns = turns[::-1]
    sums = []
    for _ in range(n_sweeps):
        total = space.zeros((), xp.float64)
        for first, last in turns:
            moved = b[first:last, ...] - row_products(new, data, indices, indptr, first, last)
            step = xp.abs(moved - new[first:last, ...])
            total = total + xp.sum(xp.astype(step, xp.float64) ** 2)
            new[first:last, ...] = moved
        sums.append(total)
    if out is not None:
        out[...] = new
        new = out
    return new, xp.stack(sums) if sums else space.zeros((0,), xp.float64)


@kernel
def jacobi_sweeps(
    x: Array, b: Array, data: Array, indices: Array, indptr: Array, n_sweeps: int, out: Array | None
) -> tuple[Array, Array]:
    """Do what `sweeps` does with all unknowns moved at once, by their old values."""
    space = space_of(x)
    xp = space.xp
    n, new, sums = x.shape[0], xp.asarray(x, copy=True), []
    for _ in range(n_sweeps):
        moved = b - row_products(new, data, indices, indptr, 0, n)
        sums.append(xp.sum(xp.astype(xp.abs(moved - new), xp.float64) ** 2))
        new = moved
    if out is not None:
        out[...] = new
        new = out
    return new, xp.stack(sums) if sums else space.zeros((0,), xp.float64)


def row_products(
    x: Array, data: Array, indices: Array, indptr: Array, first: int, last: int
) -> Any:
    """Multiply rows ``first .. last - 1`` of a CSR matrix, padded to equal lengths, with x."""
    space = space_of(x)
    xp = space.xp
    start = xp.astype(indptr[first:last], xp.int64)[:, None]
    stop = xp.astype(indptr[first + 1 : last + 1], xp.int64)[:, None]
    width = int(xp.max(stop - start)) if last > first else 0
    if width == 0:
        return xp.zeros_like(x[first:last, ...])
    place = start + xp.arange(width, dtype=xp.int64, device=space.device)[None, :]
    inside = place < stop
    # what pads a row is its own first entry, so that nothing foreign, NaN say, can enter
    place = xp.reshape(xp.where(inside, place, xp.minimum(start, stop - 1)), (-1,))
    entries = xp.reshape(xp.take(data, place), inside.shape)
    entries = xp.where(inside, entries, xp.zeros_like(entries))
    values = xp.take(x, xp.take(indices, place), axis=0)
    values = xp.reshape(values, (*inside.shape, *x.shape[1:]))
    if x.ndim == 2:
        entries = entries[:, :, None]
    return xp.sum(entries * values, axis=1)
