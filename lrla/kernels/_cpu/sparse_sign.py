"""Numba twin of `lrla.kernels.sparse_sign`."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run
from lrla.kernels._cpu import philox
from lrla.kernels.sparse_sign import FLUSH, widened


def _heights(nnz, d):
    q = np.arange(nnz, dtype=np.int64)
    return d // nnz + (q < d % nnz)


@jit
def _table(out, words, offset, height, a, b):
    for i in range(a, b):
        for q in range(out.shape[1]):
            w = words[i, q]
            row = offset[q] + (((w >> 1) * height[q]) >> 31)
            out[i, q] = ~row if w & 1 else row


def table(space, key, tag, start, stop, nnz, d):
    words = philox.words(space, key, tag, start, stop, 0, -(-nnz // 4))
    out = np.empty((stop - start, nnz), np.int32)
    height = _heights(nnz, d)
    offset = np.cumsum(height) - height
    parts = ranges(out.shape[0], 1 << 14)
    run(lambda a, b: _table(out, words, offset, height, a, b), parts, work=1e-9 * out.size)
    return out


@jit
def _scatter(out, A, table, i0, i1, a, b):
    for i in range(i0, i1):
        for q in range(table.shape[1]):
            t = table[i, q]
            if t < 0:
                for c in range(a, b):
                    out[~t, c] -= A[i, c]
            else:
                for c in range(a, b):
                    out[t, c] += A[i, c]


def _sums(A, d):
    wide = {np.float32: np.float64, np.complex64: np.complex128}.get(A.dtype.type)
    fits = wide is not None and widened(A.dtype.itemsize, d, A.shape[1])
    return np.zeros((d, A.shape[1]), wide if fits else A.dtype), wide is not None and not fits


def apply(A, table, d):
    out, flush = _sums(A, d)
    for i0, i1 in ranges(A.shape[0], FLUSH):
        part = np.zeros_like(out) if flush else out
        parts = ranges(A.shape[1], 128)
        run(
            lambda a, b, part=part, i0=i0, i1=i1: _scatter(part, A, table, i0, i1, a, b),
            parts,
            work=1e-9 * part.size,
        )
        if flush:
            out += part
    return out.astype(A.dtype)
