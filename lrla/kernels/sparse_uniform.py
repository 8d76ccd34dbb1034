"""Sparse sign sketches with the entries of a column in any distinct rows of S, without blocks.

The tables are those of `lrla.kernels.sparse_sign`, whose `apply_csc` and `adjoint` do for them; the
other products give rows of the result to whoever owns the block they are in, which nobody does
here. Draws without replacement are those of R. W. Floyd (J. Bentley and B. Floyd, "Programming
pearls: a sample of brilliance", Commun. ACM 30, 1987): one word an entry and nothing drawn again,
so that a column is known from its position alone.
"""

from lrla._core.arrays import Array, Space
from lrla._core.dispatch import kernel
from lrla.kernels import philox, sparse_sign


@kernel
def table(
    space: Space, key: tuple[int, int], tag: int, start: int, stop: int, nnz: int, d: int
) -> Array:
    """Draw columns ``start .. stop - 1`` of S.

    Parameters
    ----------
    space : Space
        Where to make the array.
    key, tag, start, stop
        As for `lrla.kernels.philox`; positions are columns of S.
    nnz : int
        Entries in each column, at most ``d``.
    d : int
        Rows of S, less than 2**31.

    Returns
    -------
    array, int32, shape (stop - start, nnz)
        The row of each entry, or its complement for a minus: distinct rows, and every set of
        ``nnz`` of them with the same probability. Entry ``q`` is drawn from the first
        ``d - nnz + q + 1`` rows, and is the last of these if that row is taken.
    """
    xp = space.xp
    words = philox.words.definition(space, key, tag, start, stop, 0, -(-nnz // 4))[:, :nnz]
    rows: list[Array] = []
    for q in range(nnz):
        last = d - nnz + q
        row = ((words[:, q] >> 1) * (last + 1)) >> 31
        for other in rows[:q]:
            row = xp.where(other == row, xp.full_like(row, last), row)
        rows.append(row)
    row = xp.stack(rows, axis=1)
    return xp.astype(xp.where((words & 1) == 1, -row - 1, row), xp.int32)


@kernel
def apply(A: Array, table: Array, d: int) -> Array:
    """Form S @ A, unscaled: as `lrla.kernels.sparse_sign.apply`, for a table of `table`."""
    return sparse_sign.apply.definition(A, table, d)


@kernel
def apply_csr(data: Array, indices: Array, indptr: Array, table: Array, d: int, n: int) -> Array:
    """Form S @ A for A in compressed sparse rows: as `lrla.kernels.sparse_sign.apply_csr`."""
    return sparse_sign.apply_csr.definition(data, indices, indptr, table, d, n)
