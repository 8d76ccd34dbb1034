"""Numba twins of `lrla.kernels.normal`: each row is read once and used twice while it is in L1."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

# Sums are reordered into vector lanes ("reassoc"), which changes rounding only; NaN and infinity
# keep their meaning.
_LANES = {"reassoc", "contract"}
_FEW = 4  # right-hand sides for which so many fused passes beat BLAS on row blocks
_GRAIN = 8192  # rows to one partial sum: fixed, so that threads do not change the bits
_PANEL = 1 << 21  # bytes of a row block that stays in the L2 and L3 caches between its two uses


def normal_residual(A, X, B, w):
    """See `lrla.kernels.normal.normal_residual`."""
    p = X.shape[1]
    if not 1 <= p <= _FEW or A.dtype.kind != "f" or not A.flags.c_contiguous:
        return _blocked(A, X, B, w)
    each = [_fused(A, X[:, j : j + 1], None if B is None else B[:, j : j + 1], w) for j in range(p)]
    C, squares = zip(*each, strict=True)
    return np.concatenate(C, axis=1), np.concatenate(squares)


def _fused(A, X, B, w):
    m, n = A.shape
    x = np.ascontiguousarray(X[:, 0])
    b = np.zeros(1, A.dtype) if B is None else B[:, 0]
    v = np.ones(1, A.dtype) if w is None else w
    parts = ranges(m, _GRAIN)
    Z = np.zeros((max(len(parts), 1), n), A.dtype)
    squares = np.zeros(max(len(parts), 1))

    def part(k, first, last):
        squares[k] = _rows(A, x, b, v, B is not None, w is not None, first, last, Z[k])

    run(part, [(k, a, b) for k, (a, b) in enumerate(parts)], work=A.nbytes / 2e10)
    C = Z.sum(axis=0, dtype=np.float64).astype(A.dtype)[:, None]
    return C, squares.sum(keepdims=True).astype(A.dtype)


@jit(fastmath=_LANES)
def _rows(A, x, b, w, has_b, has_w, first, last, z):
    # One row at a time: a dot product and an update run at 1.2 times a plain read of A; panels of
    # four rows need fewer instructions, but break the stream that the prefetcher follows (2.8).
    n = A.shape[1]
    squares = 0.0
    for i in range(first, last):
        s = A.dtype.type(0)
        for j in range(n):
            s += A[i, j] * x[j]
        s = b[i] - s if has_b else -s
        q = s * w[i] if has_w else s
        squares += s * q
        for j in range(n):
            z[j] += A[i, j] * q
    return squares


def _blocked(A, X, B, w):
    """Several right-hand sides, complex or other orders: BLAS on row blocks that stay in cache."""
    m, n = A.shape
    p = X.shape[1]
    wide = np.result_type(A.dtype, np.float64)
    C, squares = np.zeros((n, p), wide), np.zeros(p)
    # blocks of a column-major matrix are scattered over n pages: two long passes are faster there
    step = m if A.flags.f_contiguous else max(64, _PANEL // max(1, n * A.itemsize))
    for a in range(0, m, max(1, step)):
        block = A[a : a + step]
        R = -(block @ X) if B is None else B[a : a + step] - block @ X
        WR = R if w is None else w[a : a + step, None] * R
        C += (block.conj() if A.dtype.kind == "c" else block).T @ WR
        squares += np.einsum("ij,ij->j", R.conj(), WR).real
    return C.astype(A.dtype), squares.astype(np.real(A[:0, :0]).dtype)


def normal_residual_csr(data, indices, indptr, X, B, w):
    """See `lrla.kernels.normal.normal_residual_csr`."""
    m, p = indptr.shape[0] - 1, X.shape[1]
    X = np.ascontiguousarray(X)
    b = np.zeros((1, p), data.dtype) if B is None else B
    v = np.ones(1) if w is None else w
    parts = ranges(m, max(_GRAIN, -(-m // 64)))
    Z = np.zeros((max(len(parts), 1), *X.shape), data.dtype)
    squares = np.zeros((max(len(parts), 1), p))
    body = _csr_one if p == 1 and data.dtype.kind == "f" else _csr

    def part(k, first, last):
        body(
            data, indices, indptr, X, b, v, B is not None, w is not None, first, last,
            Z[k], squares[k],
        )  # fmt: skip

    run(part, [(k, a, b) for k, (a, b) in enumerate(parts)], work=data.size * p * 2e-9)
    wide = np.result_type(data.dtype, np.float64)
    real = np.real(data[:0]).dtype
    return Z.sum(axis=0, dtype=wide).astype(data.dtype), squares.sum(axis=0).astype(real)


@jit
def _csr_one(data, indices, indptr, X, b, w, has_b, has_w, first, last, Z, squares):
    total = 0.0
    for i in range(first, last):
        s = data.dtype.type(0)
        for t in range(indptr[i], indptr[i + 1]):
            s += data[t] * X[indices[t], 0]
        s = b[i, 0] - s if has_b else -s
        q = s * w[i] if has_w else s
        total += s * q
        for t in range(indptr[i], indptr[i + 1]):
            Z[indices[t], 0] += data[t] * q
    squares[0] = total


@jit
def _csr(data, indices, indptr, X, b, w, has_b, has_w, first, last, Z, squares):
    p = X.shape[1]
    r = np.empty(p, data.dtype)
    for i in range(first, last):
        for c in range(p):
            r[c] = b[i, c] if has_b else data.dtype.type(0)
        for t in range(indptr[i], indptr[i + 1]):
            for c in range(p):
                r[c] -= data[t] * X[indices[t], c]
        for c in range(p):
            q = r[c] * w[i] if has_w else r[c]
            squares[c] += (np.conj(r[c]) * q).real
            r[c] = q
        for t in range(indptr[i], indptr[i + 1]):
            a = np.conj(data[t])
            for c in range(p):
                Z[indices[t], c] += a * r[c]
