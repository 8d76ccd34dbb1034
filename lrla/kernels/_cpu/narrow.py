"""NumPy twins of `lrla.kernels.narrow`.

BLAS copies the whole matrix into its own order before it multiplies, which with so few columns is
most of the time. These read each entry once, and keep what they need of the columns in the L1 or L2
cache: long rows are cut into pieces for that, which threads share.
"""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run
from lrla.kernels import narrow

# Sums are reordered into vector lanes ("reassoc"), which changes rounding only; NaN and infinity
# keep their meaning.
_LANES = {"reassoc", "contract"}
_NARROW = 64  # columns from which BLAS has caught up: benchmarks/lowrank.py
_GRAIN = 8192  # rows to one partial sum: fixed, so that threads do not change the bits
_CACHED = 1 << 15  # numbers in the pieces of all columns that are used together: half an L2 cache


def times(A, X):
    """See `lrla.kernels.narrow.times`."""
    if A.flags.f_contiguous and not A.flags.c_contiguous and _fits(A.T, X):
        return _adjoint(A.T, X)
    return _times(A, X) if _fits(A, X) else A @ X


def adjoint_times(A, Y):
    """See `lrla.kernels.narrow.adjoint_times`."""
    if A.flags.f_contiguous and not A.flags.c_contiguous and _fits(A.T, Y):
        return _times(A.T, Y)
    return _adjoint(A, Y) if _fits(A, Y) else narrow.adjoint_times.definition(A, Y)


def _fits(A, X):
    return (
        2 <= X.shape[1] < _NARROW
        and A.flags.c_contiguous
        and A.dtype.kind == "f"
        and X.dtype == A.dtype
        and A.shape[1] > 0
    )


def _by_four(X):
    """Transpose, with rows of zeros up to a multiple of four."""
    p = X.shape[1]
    out = np.zeros((-(-p // 4) * 4, X.shape[0]), X.dtype)
    out[:p] = X.T
    return out


def _pieces(n, p):
    return ranges(n, max(256, _CACHED // p))


def _times(A, X):
    (m, n), p = A.shape, X.shape[1]
    columns, pieces = _by_four(X), _pieces(n, p)
    out = np.empty((len(pieces), m, columns.shape[0]), A.dtype)
    run(
        lambda k, j0, j1, a, b: _dot(A, columns, out[k], a, b, j0, j1),
        [(k, *piece, a, b) for k, piece in enumerate(pieces) for a, b in ranges(m, _GRAIN)],
        work=A.nbytes * p * 1.5e-11,
    )
    return (out[0] if len(pieces) == 1 else out.sum(axis=0))[:, :p]


@jit(fastmath=_LANES)
def _dot(A, X, out, first, last, start, stop):
    # four rows with four columns: two multiplications for each number that is loaded; and slices,
    # for indices that count from zero need no check for negative ones
    n, zero = stop - start, A.dtype.type(0)
    i = first
    while i + 3 < last:
        r0, r1 = A[i, start:stop], A[i + 1, start:stop]
        r2, r3 = A[i + 2, start:stop], A[i + 3, start:stop]
        for c in range(0, X.shape[0], 4):
            x0, x1 = X[c, start:stop], X[c + 1, start:stop]
            x2, x3 = X[c + 2, start:stop], X[c + 3, start:stop]
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = zero
            u0 = u1 = u2 = u3 = v0 = v1 = v2 = v3 = zero
            for j in range(n):
                a0, a1, a2, a3 = r0[j], r1[j], r2[j], r3[j]
                w, x, y, z = x0[j], x1[j], x2[j], x3[j]
                s0 += a0 * w
                s1 += a0 * x
                s2 += a0 * y
                s3 += a0 * z
                t0 += a1 * w
                t1 += a1 * x
                t2 += a1 * y
                t3 += a1 * z
                u0 += a2 * w
                u1 += a2 * x
                u2 += a2 * y
                u3 += a2 * z
                v0 += a3 * w
                v1 += a3 * x
                v2 += a3 * y
                v3 += a3 * z
            out[i, c], out[i, c + 1], out[i, c + 2], out[i, c + 3] = s0, s1, s2, s3
            out[i + 1, c], out[i + 1, c + 1], out[i + 1, c + 2], out[i + 1, c + 3] = t0, t1, t2, t3
            out[i + 2, c], out[i + 2, c + 1], out[i + 2, c + 2], out[i + 2, c + 3] = u0, u1, u2, u3
            out[i + 3, c], out[i + 3, c + 1], out[i + 3, c + 2], out[i + 3, c + 3] = v0, v1, v2, v3
        i += 4
    while i < last:
        row = A[i, start:stop]
        for c in range(X.shape[0]):
            s, x = zero, X[c, start:stop]
            for j in range(n):
                s += row[j] * x[j]
            out[i, c] = s
        i += 1


def _adjoint(A, Y):
    (m, n), p = A.shape, Y.shape[1]
    Y = np.ascontiguousarray(Y)
    parts = ranges(m, max(_GRAIN, -(-m // 8)))
    out = np.zeros((max(len(parts), 1), p, n), A.dtype)
    run(
        lambda k, a, b, j0, j1: _add(A, Y, out[k], a, b, j0, j1),
        [(k, *part, j0, j1) for k, part in enumerate(parts) for j0, j1 in _pieces(n, p)],
        work=A.nbytes * p * 1.5e-11,
    )
    return out.sum(axis=0).T


@jit(fastmath={"contract"})
def _add(A, Y, out, first, last, start, stop):
    n, p = stop - start, Y.shape[1]
    i = first
    while i + 3 < last:
        r0, r1 = A[i, start:stop], A[i + 1, start:stop]
        r2, r3 = A[i + 2, start:stop], A[i + 3, start:stop]
        for c in range(0, p - 3, 4):
            o0, o1 = out[c, start:stop], out[c + 1, start:stop]
            o2, o3 = out[c + 2, start:stop], out[c + 3, start:stop]
            w0, w1, w2, w3 = Y[i, c], Y[i, c + 1], Y[i, c + 2], Y[i, c + 3]
            x0, x1, x2, x3 = Y[i + 1, c], Y[i + 1, c + 1], Y[i + 1, c + 2], Y[i + 1, c + 3]
            y0, y1, y2, y3 = Y[i + 2, c], Y[i + 2, c + 1], Y[i + 2, c + 2], Y[i + 2, c + 3]
            z0, z1, z2, z3 = Y[i + 3, c], Y[i + 3, c + 1], Y[i + 3, c + 2], Y[i + 3, c + 3]
            for j in range(n):
                a0, a1, a2, a3 = r0[j], r1[j], r2[j], r3[j]
                o0[j] += w0 * a0 + x0 * a1 + y0 * a2 + z0 * a3
                o1[j] += w1 * a0 + x1 * a1 + y1 * a2 + z1 * a3
                o2[j] += w2 * a0 + x2 * a1 + y2 * a2 + z2 * a3
                o3[j] += w3 * a0 + x3 * a1 + y3 * a2 + z3 * a3
        for c in range(p - p % 4, p):
            w, x, y, z, o = Y[i, c], Y[i + 1, c], Y[i + 2, c], Y[i + 3, c], out[c, start:stop]
            for j in range(n):
                o[j] += w * r0[j] + x * r1[j] + y * r2[j] + z * r3[j]
        i += 4
    while i < last:
        row = A[i, start:stop]
        for c in range(p):
            y, o = Y[i, c], out[c, start:stop]
            for j in range(n):
                o[j] += y * row[j]
        i += 1
