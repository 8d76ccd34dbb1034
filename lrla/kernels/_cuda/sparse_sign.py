"""CUDA twin of `lrla.kernels.sparse_sign`: loads and launches ``sparse_sign.cu``.

Compressed sparse matrices have no CUDA twin yet: they take the definition.
"""

import cupy as cp

from lrla._core.threads import ranges
from lrla.kernels._cuda import philox
from lrla.kernels._cuda._load import launch
from lrla.kernels.sparse_sign import FLUSH, widened

_OPTIONS = ("--std=c++17",)


def table(space, key, tag, start, stop, nnz, d):
    words = philox.words(space, key, tag, start, stop, 0, -(-nnz // 4))
    rows = stop - start
    out = cp.empty((rows, nnz), cp.int32)
    launch("sparse_sign", "table", _OPTIONS, out.size, out, words, rows, words.shape[1], nnz, d)
    return out


def _real(A):
    A = cp.ascontiguousarray(A)
    return A.view({"F": cp.float32, "D": cp.float64}.get(A.dtype.char, A.dtype))


def _add(name, sums, A, codes):
    k, nnz = codes.shape
    n = sums.shape[1]
    launch("sparse_sign", name, _OPTIONS, nnz * n, sums, A, codes, k, n, nnz)


def apply(A, table, d):
    k, n = A.shape
    reals, codes = _real(A), cp.ascontiguousarray(table)
    single = reals.dtype == cp.float32
    if single and not widened(A.dtype.itemsize, d, n):
        sums = cp.zeros((d, reals.shape[1]), cp.float32)
        for a, b in ranges(k, FLUSH):
            part = cp.zeros_like(sums)
            _add("apply_f4_single", part, reals[a:b], codes[a:b])
            sums += part
    else:
        sums = cp.zeros((d, reals.shape[1]), cp.float64)
        _add("apply_f4" if single else "apply_f8", sums, reals, codes)
    return sums.astype(reals.dtype, copy=False).view(A.dtype)


def adjoint(Y, table):
    reals, codes = _real(Y), cp.ascontiguousarray(table)
    (k, nnz), n = codes.shape, reals.shape[1]
    out = cp.empty((k, n), reals.dtype)
    name = "adjoint_f4" if reals.dtype == cp.float32 else "adjoint_f8"
    launch("sparse_sign", name, _OPTIONS, k * n, out, reals, codes, k, n, nnz)
    return out.view(Y.dtype)
