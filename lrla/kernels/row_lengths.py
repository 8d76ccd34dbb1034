"""Products with A^H A for a CSR matrix A whose rows are in the order of their lengths.

Rows of random lengths cost as much in branches that nobody can foretell as in arithmetic. A^H A does
not care for the order of the rows; so where many products follow, a copy in a better order pays.
"""

from __future__ import annotations

from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.dispatch import kernel
from lrla.kernels.normal import dense_rows


@kernel
def by_length(data: Array, indices: Array, indptr: Array) -> tuple[Array, Array, Array]:
    """Reorder the rows of a CSR matrix by their number of entries, the shortest first.

    Parameters
    ----------
    data, indices, indptr : array
        The matrix, of less than 2**31 columns.

    Returns
    -------
    data, indices, indptr : array
        The same rows; indices are int32 and indptr int64. Rows of equal length keep their order.
    """
    space = space_of(data)
    xp = space.xp
    lengths = xp.astype(indptr[1:] - indptr[:-1], xp.int64)
    order = xp.argsort(lengths, stable=True)
    lengths = xp.take(lengths, order)
    first = xp.zeros((1,), dtype=xp.int64, device=space.device)
    ends = xp.concat((first, xp.cumulative_sum(lengths)))
    shift = xp.astype(xp.take(indptr[:-1], order), xp.int64) - ends[:-1]
    count = int(ends[-1])
    place = xp.arange(count, dtype=xp.int64, device=space.device) + xp.repeat(shift, lengths)
    return xp.take(data, place), xp.astype(xp.take(indices, place), xp.int32), ends


@kernel
def normal_times(data: Array, indices: Array, indptr: Array, X: Array) -> Array:
    """Compute A^H (A X) for a CSR matrix A.

    Parameters
    ----------
    data, indices, indptr : array
        The matrix, from `by_length`.
    X : array of shape (n, p)
        Columns, in the dtype of A.

    Returns
    -------
    array of shape (n, p)
        In the same dtype.
    """
    A = dense_rows(data, indices, indptr, X.shape[0])
    return adjoint(A) @ (A @ X)
