"""NumPy twins of `lrla.kernels.row_squares`: nothing of the size of the data is made."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

_ROWS = 1024  # rows to one product: it stays in the L2 cache until its squares are summed
_GRAIN = 8192  # rows to one part of sparse data
_TALL = 8  # rows for each column from which a triangle pays for finding it


def row_squares(A, T):
    """See `lrla.kernels.row_squares.row_squares`.

    Row norms do not change when T is rotated from the right, so T becomes triangular first: half
    of the work.
    """
    (m, n), k = A.shape, T.shape[1]
    out = np.zeros(m, np.real(A[:0, :0]).dtype)
    if 0 in (m, n, k):
        return out
    triangular = n == k and m >= _TALL * n
    product = _by_triangle(T, A.flags.f_contiguous) if triangular else lambda B: B @ T
    for a in range(0, m, _ROWS):
        Y = product(A[a : a + _ROWS])
        if Y.dtype.kind == "c":
            Y = Y.view(Y.real.dtype) if Y.flags.c_contiguous else np.abs(Y)
        np.einsum("ij,ij->i", Y, Y, out=out[a : a + _ROWS])
    return out


def _by_triangle(T, columns_first):
    """Return B -> B R with R Q = T, R upper triangular; the result may be in either order."""
    import scipy.linalg

    if T[np.tril_indices_from(T, -1)].any():
        T = scipy.linalg.rq(T, mode="r", check_finite=False)
    (trmm,) = scipy.linalg.get_blas_funcs(("trmm",), (T,))
    if columns_first:
        return lambda B: trmm(1.0, T, B, side=1)
    # B R = (R^T B^T)^T, where the transpose of a row-major block is what BLAS takes as it is
    R = np.asfortranarray(T)
    return lambda B: np.ascontiguousarray(trmm(1.0, R, B.T, side=0, trans_a=1).T)


def row_squares_csr(data, indices, indptr, T):
    """See `lrla.kernels.row_squares.row_squares_csr`."""
    m = indptr.shape[0] - 1
    out = np.zeros(m, np.real(data[:0]).dtype)
    T = np.ascontiguousarray(T)

    def part(first, last):
        _lengths(data, indices, indptr, T, first, last, out)

    run(part, ranges(m, _GRAIN), work=data.size * T.shape[1] * 2e-10)
    return out


# Vector lanes may take turns ("reassoc"): rounding changes, NaN and infinity stay.
@jit(fastmath={"reassoc", "contract"})
def _lengths(data, indices, indptr, T, first, last, out):
    k = T.shape[1]
    y = np.empty(k, T.dtype)
    for i in range(first, last):
        if indptr[i] == indptr[i + 1]:
            continue
        y[:] = 0
        for s in range(indptr[i], indptr[i + 1]):
            v, row = data[s], indices[s]
            for j in range(k):
                y[j] += v * T[row, j]
        total = 0.0
        for j in range(k):
            total += (y[j] * np.conj(y[j])).real
        out[i] = total


def quadratic_csr(data, indices, indptr, M):
    """See `lrla.kernels.row_squares.quadratic_csr`."""
    m = indptr.shape[0] - 1
    out = np.zeros(m, np.real(data[:0]).dtype)

    def part(first, last):
        _forms(data, indices, indptr, M, first, last, out)

    run(part, ranges(m, _GRAIN), work=data.size * (1 + data.size / max(m, 1)) * 1e-9)
    return out


@jit
def _forms(data, indices, indptr, M, first, last, out):
    for i in range(first, last):
        total = 0.0
        for s in range(indptr[i], indptr[i + 1]):
            a, row = np.conj(data[s]), indices[s]
            half = data.dtype.type(0)
            for t in range(indptr[i], s):
                half += data[t] * M[indices[t], row]
            total += (a * (2 * half + data[s] * M[row, row])).real
        out[i] = total
