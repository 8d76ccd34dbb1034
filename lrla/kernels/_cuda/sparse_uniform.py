"""CUDA twin of `lrla.kernels.sparse_uniform`: loads and launches ``sparse_uniform.cu``.

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
    launch("sparse_uniform", "table", _OPTIONS, rows, out, words, rows, words.shape[1], nnz, d)
    return out


def _collect(name, dtype, A, codes, d):
    targets = cp.where(codes < 0, ~codes, codes).ravel()
    order = cp.argsort(targets)  # CuPy sorts stably: sums are in the order of the rows of A
    first = cp.searchsorted(targets[order], cp.arange(d + 1, dtype=cp.int32))
    n, nnz = A.shape[1], codes.shape[1]
    out = cp.empty((d, n), dtype)
    launch("sparse_uniform", name, _OPTIONS, d * n, out, A, codes, order, first, d, n, nnz)
    return out


def apply(A, table, d):
    reals, codes = cp.ascontiguousarray(A), cp.ascontiguousarray(table)
    reals = reals.view({"F": cp.float32, "D": cp.float64}.get(A.dtype.char, A.dtype))
    single = reals.dtype == cp.float32
    if single and not widened(A.dtype.itemsize, d, A.shape[1]):
        sums = cp.zeros((d, reals.shape[1]), cp.float32)
        for a, b in ranges(A.shape[0], FLUSH):
            sums += _collect("apply_f4_single", cp.float32, reals[a:b], codes[a:b], d)
    else:
        name = "apply_f4" if single else "apply_f8"
        sums = _collect(name, cp.float64, reals, codes, d)
    return sums.astype(reals.dtype, copy=False).view(A.dtype)
