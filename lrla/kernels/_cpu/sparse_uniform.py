"""Numba twin of `lrla.kernels.sparse_uniform`: the loops of `sparse_sign`, shared out otherwise.

There threads own blocks of rows of the result. Here they own strips of its columns, of which one
thread after the other would write every row; products with CSR matrices, whose columns are not to
be had in strips, keep to one thread.
"""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import inline, ranges, run, thread_count
from lrla.kernels._cpu import philox, sparse_sign
from lrla.kernels.sparse_sign import widened

_STRIP = 128  # columns below which a row is not worth sharing between threads


def table(space, key, tag, start, stop, nnz, d):
    words = philox.words(space, key, tag, start, stop, 0, -(-nnz // 4))
    out = np.empty((stop - start, nnz), np.int32)
    parts = ranges(out.shape[0], 1 << 14)
    run(lambda a, b: _table(out, words, d, a, b), parts, work=2e-9 * out.size)
    return out


@jit
def _table(out, words, d, a, b):
    nnz = out.shape[1]
    for i in range(a, b):
        for q in range(nnz):
            last = d - nnz + q
            w = words[i, q]
            row = ((w >> 1) * (last + 1)) >> 31
            for p in range(q):
                t = np.int64(out[i, p])
                if t ^ (t >> 31) == row:
                    row = last
            out[i, q] = row ^ -(w & 1)


def apply(A, table, d):
    n = A.shape[1]
    strips = ranges(n, max(_STRIP, -(-n // thread_count())))
    single = {"f": 4, "F": 8}.get(A.dtype.char)
    if len(strips) < 2 or (single and not widened(single, d, n)):  # narrower, it would be widened
        return _alone(A, table, d)
    work = 2e-10 * A.size * table.shape[1]
    return np.concatenate(
        run(lambda a, b: _alone(A[:, a:b], table, d), strips, work=work), axis=1
    )  # fmt: skip


def _alone(A, table, d):
    with inline():
        return sparse_sign.apply(A, table, d)


def apply_csr(data, indices, indptr, table, d, n):
    with inline():
        return sparse_sign.apply_csr(data, indices, indptr, table, d, n)
