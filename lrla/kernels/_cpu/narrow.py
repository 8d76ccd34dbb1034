"""NumPy twins of `lrla.kernels.narrow`.

BLAS copies the whole matrix into its own order before it multiplies, which with so few columns is
most of the time. These read each row once, and keep the columns in the L1 or L2 cache.
"""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

# Sums are reordered into vector lanes ("reassoc"), which changes rounding only; NaN and infinity
# keep their meaning.
_LANES = {"reassoc", "contract"}
_NARROW = 24  # columns from which BLAS has caught up: benchmarks/lowrank.py
_GRAIN = 8192  # rows to one partial sum: fixed, so that threads do not change the bits
_WIDE = 1 << 15  # numbers in four columns that still fit into the L2 cache


def times(A, X):
    """See `lrla.kernels.narrow.times`."""
    if A.flags.f_contiguous and not A.flags.c_contiguous and _fits(A.T, X):
        return _adjoint(A.T, X)
    return _times(A, X) if _fits(A, X) else A @ X


def adjoint_times(A, Y):
    """See `lrla.kernels.narrow.adjoint_times`."""
    if A.flags.f_contiguous and not A.flags.c_contiguous and _fits(A.T, Y):
        return _times(A.T, Y)
    return _adjoint(A, Y) if _fits(A, Y) else (A.conj() if A.dtype.kind == "c" else A).T @ Y


def _fits(A, X):
    return (
        2 <= X.shape[1] < _NARROW
        and A.flags.c_contiguous
        and A.dtype.kind == "f"
        and X.dtype == A.dtype
        and 0 < A.shape[1] <= _WIDE
    )


def _by_four(X):
    """Transpose, with rows of zeros up to a multiple of four."""
    p = X.shape[1]
    out = np.zeros((-(-p // 4) * 4, X.shape[0]), X.dtype)
    out[:p] = X.T
    return out


def _times(A, X):
    m, p = A.shape[0], X.shape[1]
    columns = _by_four(X)
    out = np.empty((m, columns.shape[0]), A.dtype)
    run(lambda a, b: _dot(A, columns, out, a, b), ranges(m, _GRAIN), work=A.nbytes * p * 1.5e-11)
    return out[:, :p]


@jit(fastmath=_LANES)
def _dot(A, X, out, first, last):
    n = A.shape[1]
    zero = A.dtype.type(0)
    i = first
    while i + 1 < last:
        for c in range(0, X.shape[0], 4):
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = zero
            for j in range(n):
                a, b = A[i, j], A[i + 1, j]
                x0, x1, x2, x3 = X[c, j], X[c + 1, j], X[c + 2, j], X[c + 3, j]
                s0 += a * x0
                s1 += a * x1
                s2 += a * x2
                s3 += a * x3
                t0 += b * x0
                t1 += b * x1
                t2 += b * x2
                t3 += b * x3
            out[i, c], out[i, c + 1], out[i, c + 2], out[i, c + 3] = s0, s1, s2, s3
            out[i + 1, c], out[i + 1, c + 1] = t0, t1
            out[i + 1, c + 2], out[i + 1, c + 3] = t2, t3
        i += 2
    if i < last:
        for c in range(X.shape[0]):
            s = zero
            for j in range(n):
                s += A[i, j] * X[c, j]
            out[i, c] = s


def _adjoint(A, Y):
    m, n = A.shape
    Y = np.ascontiguousarray(Y)
    parts = ranges(m, max(_GRAIN, -(-m // 8)))
    out = np.zeros((max(len(parts), 1), Y.shape[1], n), A.dtype)
    run(
        lambda k, a, b: _add(A, Y, out[k], a, b),
        [(k, a, b) for k, (a, b) in enumerate(parts)],
        work=A.nbytes * Y.shape[1] * 1.5e-11,
    )
    return out.sum(axis=0).T


@jit(fastmath={"contract"})
def _add(A, Y, out, first, last):
    n, p = A.shape[1], Y.shape[1]
    i = first
    while i + 3 < last:
        for c in range(0, p - 1, 2):
            y0, y1, y2, y3 = Y[i, c], Y[i + 1, c], Y[i + 2, c], Y[i + 3, c]
            z0, z1, z2, z3 = Y[i, c + 1], Y[i + 1, c + 1], Y[i + 2, c + 1], Y[i + 3, c + 1]
            for j in range(n):
                a0, a1, a2, a3 = A[i, j], A[i + 1, j], A[i + 2, j], A[i + 3, j]
                out[c, j] += y0 * a0 + y1 * a1 + y2 * a2 + y3 * a3
                out[c + 1, j] += z0 * a0 + z1 * a1 + z2 * a2 + z3 * a3
        if p % 2:
            y0, y1, y2, y3 = Y[i, p - 1], Y[i + 1, p - 1], Y[i + 2, p - 1], Y[i + 3, p - 1]
            for j in range(n):
                out[p - 1, j] += (
                    y0 * A[i, j] + y1 * A[i + 1, j] + y2 * A[i + 2, j] + y3 * A[i + 3, j]
                )
        i += 4
    while i < last:
        for c in range(p):
            y = Y[i, c]
            for j in range(n):
                out[c, j] += y * A[i, j]
        i += 1
