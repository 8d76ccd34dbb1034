"""Sparse sign sketches: a few random signs in every column of S, and sums of signed rows.

The ``d`` rows of S are cut into ``nnz`` blocks, and every column has one entry +1 or -1 in each
block (Cartis, Fiala, Shao 2021 call it s-hashing by blocks; Kane and Nelson, "Sparser
Johnson-Lindenstrauss transforms", 2014, section 1). With ``nnz = 1`` it is the CountSketch of
Charikar, Chen and Farach-Colton, in linear algebra of Clarkson and Woodruff (2013).

S is never stored as a matrix. Its ``table`` has one line for every column, with the row of each
entry, complemented (``~row``) if the sign is minus. Nothing here scales: the operator does.
"""

from lrla._core.arrays import Array, Space, space_of
from lrla._core.dispatch import kernel
from lrla._core.threads import ranges
from lrla.kernels import philox

ROOM = 2**26  # bytes of accumulators up to which single precision is summed in double
FLUSH = 4096  # rows after which partial sums in single precision are added up


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
        The row of entry ``q``, or its complement for a minus. The first ``d % nnz`` blocks of
        rows are one larger than the others.
    """
    xp = space.xp
    words = philox.words.definition(space, key, tag, start, stop, 0, -(-nnz // 4))[:, :nnz]
    q = xp.arange(nnz, dtype=xp.int64, device=space.device)
    longer = d % nnz
    height = d // nnz + xp.astype(q < longer, xp.int64)
    offset = q * (d // nnz) + xp.where(q < longer, q, xp.full_like(q, longer))
    row = offset + (((words >> 1) * height) >> 31)
    return xp.astype(xp.where((words & 1) == 1, -row - 1, row), xp.int32)


def widened(itemsize: int, d: int, n: int) -> bool:
    """Say whether sums in single precision (4 or 8 bytes an entry) are formed in double."""
    return d * n * 2 * itemsize <= ROOM


def _accumulator(A: Array, d: int) -> tuple[object, bool]:
    """Return the dtype of the sums, and whether they are single and need to be flushed."""
    xp = space_of(A).xp
    wide = {xp.float32: (xp.float64, 4), xp.complex64: (xp.complex128, 8)}
    for single, (double, itemsize) in wide.items():
        if A.dtype == single:
            fits = widened(itemsize, d, A.shape[1])
            return (double if fits else single), not fits
    return A.dtype, False


def _add_rows(out: Array, A: Array, entries: Array) -> Array:
    """Add signed rows of A to rows of ``out``, each sum in the order of the rows of A."""
    space = space_of(A)
    xp = space.xp
    nnz = entries.shape[1]
    code = xp.astype(xp.reshape(entries, (-1,)), xp.int64)
    minus = code < 0
    target = xp.where(minus, -code - 1, code)
    order = xp.argsort(target, stable=True)
    target = xp.take(target, order)
    rows = xp.arange(out.shape[0], dtype=xp.int64, device=space.device)
    first = xp.searchsorted(target, rows)
    last = xp.searchsorted(target, rows, side="right")
    for t in range(int(xp.max(last - first))):
        present = first + t < last
        entry = xp.take(order, xp.where(present, first + t, xp.zeros_like(first)))
        row = xp.take(A, entry // nnz, axis=0)
        row = xp.where(xp.take(minus, entry)[:, None], -row, row)
        out = out + xp.where(present[:, None], row, xp.zeros_like(row))
    return out


@kernel
def apply(A: Array, table: Array, d: int) -> Array:
    """Form S @ A, unscaled.

    Parameters
    ----------
    A : array, shape (k, n)
        Real or complex, in any memory order.
    table : array, integer, shape (k, nnz)
        Columns of S, from `table`.
    d : int
        Rows of S.

    Returns
    -------
    array, shape (d, n)
        Of the dtype of ``A``. Each entry is a sum in the order of the rows of ``A``, so one column
        of the result does not depend on the others.

    Notes
    -----
    Single precision is summed in double and rounded once, if the sums fit into 64 MiB. Otherwise
    it is summed in single, with the partial sums of 4096 rows added up: the error then grows with
    ``4096 + k / 4096`` rather than with ``k``.
    """
    space = space_of(A)
    k, n = A.shape
    dtype, flush = _accumulator(A, d)
    out = space.zeros((d, n), dtype)
    if out.size == 0 or table.shape[1] == 0:
        return space.zeros((d, n), A.dtype)
    for a, b in ranges(k, FLUSH):
        rows = space.xp.astype(A[a:b, :], dtype)
        entries = table[a:b, :]
        if flush:
            out = out + _add_rows(space.xp.zeros_like(out), rows, entries)
        else:
            out = _add_rows(out, rows, entries)
    return space.xp.astype(out, A.dtype)


def _apply_entries(data: Array, row: Array, column: Array, table: Array, d: int, n: int) -> Array:
    """Form S @ A of entries (row, column, value): the same sums, over a flattened result."""
    xp = space_of(data).xp
    code = xp.astype(xp.take(table, row, axis=0), xp.int64)
    column = xp.astype(column, xp.int64)[:, None]
    flat = xp.where(code < 0, -((-code - 1) * n + column) - 1, code * n + column)
    return xp.reshape(apply.definition(data[:, None], flat, d * n), (d, n))


def _expand(indptr: Array, size: int) -> Array:
    """Return the row (column) of every stored entry of a CSR (CSC) matrix."""
    space = space_of(indptr)
    xp = space.xp
    entries = xp.arange(size, dtype=xp.int64, device=space.device)
    return xp.searchsorted(xp.astype(indptr, xp.int64)[1:], entries, side="right")


@kernel
def apply_csr(data: Array, indices: Array, indptr: Array, table: Array, d: int, n: int) -> Array:
    """Form S @ A for A in compressed sparse rows, unscaled and dense.

    Parameters
    ----------
    data, indices, indptr : array
        The parts of A; column indices may be unsorted, and repeated ones add up.
    table : array, integer, shape (k, nnz)
        Columns of S, from `table`.
    d : int
        Rows of S.
    n : int
        Columns of A.

    Returns
    -------
    array, shape (d, n)
        Of the dtype of ``data``.
    """
    row = _expand(indptr, data.shape[0])
    return _apply_entries(data, row, indices, table, d, n)


@kernel
def apply_csc(data: Array, indices: Array, indptr: Array, table: Array, d: int) -> Array:
    """Form S @ A for A in compressed sparse columns, unscaled and dense.

    Parameters
    ----------
    data, indices, indptr : array
        The parts of A; row indices may be unsorted, and repeated ones add up.
    table : array, integer, shape (k, nnz)
        Columns of S, from `table`.
    d : int
        Rows of S.

    Returns
    -------
    array, shape (d, n)
        Of the dtype of ``data``; ``n`` is one less than the length of ``indptr``.
    """
    n = indptr.shape[0] - 1
    row = space_of(indices).xp.astype(indices, space_of(indices).xp.int64)
    return _apply_entries(data, row, _expand(indptr, data.shape[0]), table, d, n)


@kernel
def adjoint(Y: Array, table: Array) -> Array:
    """Form S^T @ Y, unscaled.

    Parameters
    ----------
    Y : array, shape (d, n)
        Real or complex.
    table : array, integer, shape (k, nnz)
        Columns of S, from `table`.

    Returns
    -------
    array, shape (k, n)
        Of the dtype of ``Y``: row i is the sum of the rows of ``Y`` that column i of S names.
    """
    space = space_of(Y)
    xp = space.xp
    out = space.zeros((table.shape[0], Y.shape[1]), Y.dtype)
    for q in range(table.shape[1]):
        code = table[:, q]
        minus = code < 0
        row = xp.take(Y, xp.where(minus, -code - 1, code), axis=0)
        out = out + xp.where(minus[:, None], -row, row)
    return out
