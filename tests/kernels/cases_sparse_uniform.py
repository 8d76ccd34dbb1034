"""Inputs for the twins of ``lrla/kernels/sparse_uniform.py``."""

import numpy as np
import scipy.sparse as sp

from lrla._core.arrays import numpy_space
from lrla.kernels import sparse_uniform

KEY = (0x243F6A88, 0x85A308D3)
SIGNS = ((1, 1), (3, 10), (8, 40), (9, 9))  # entries of a column, rows of S
SHAPES = ((0, 3), (1, 0), (5, 1), (40, 7), (700, 300))  # the last is shared between threads


def table():
    for start, stop in ((0, 0), (0, 1), (2**32 - 1, 2**32 + 3), (10, 20010)):
        for nnz, d in (*SIGNS, (5, 2**31 - 1)):
            yield f"{start}:{stop}-{nnz}of{d}", ("space", KEY, 13, start, stop, nnz, d), 0


def _matrix(k, n, dtype):
    random = np.random.default_rng([k, n])
    A = random.standard_normal((k, n))
    return (A + 1j * random.standard_normal((k, n)) if dtype[0] == "c" else A).astype(dtype)


def _table(k, nnz, d):
    return sparse_uniform.table.definition(numpy_space(), KEY, 13, 0, k, nnz, d)


def _tolerance(dtype):
    # doubles are summed in one order everywhere, and singles in double
    return 0 if dtype in ("f8", "c16") else 2 * np.finfo(dtype).eps


def apply():
    for dtype in ("f4", "f8", "c8", "c16"):
        for k, n in SHAPES:
            for nnz, d in SIGNS[:3]:
                args = (_matrix(k, n, dtype), _table(k, nnz, d), d)
                yield f"{dtype}-{k}x{n}-{nnz}of{d}", args, _tolerance(dtype)
    A = _matrix(50, 9, "f8")
    A[7, 3], A[9, 4], A[11, 5] = np.nan, np.inf, -np.inf  # each should only touch its own column
    yield "nan", (A, _table(50, 8, 40), 40), 0
    # so wide a result that singles are summed in single, of columns enough for two threads
    wide = np.broadcast_to(_matrix(4200, 1, "f4"), (4200, 260))
    yield "flush", (wide, _table(4200, 1, 2**15), 2**15), _tolerance("f4")


def apply_csr():
    for dtype in ("f4", "f8", "c16"):
        for nnz, d in SIGNS[:3]:
            A = _matrix(130, 60, dtype)
            A[np.random.default_rng(7).random(A.shape) > 0.2] = 0
            S = sp.csr_array(A)
            args = (S.data, S.indices, S.indptr, _table(130, nnz, d), d, 60)
            yield f"{dtype}-{nnz}of{d}", args, _tolerance(dtype)
