"""Inputs for the twins of ``lrla/kernels/sparse_sign.py``."""

import numpy as np

from lrla._core.arrays import numpy_space
from lrla.kernels import sparse_sign

KEY = (0x243F6A88, 0x85A308D3)
DTYPES = ("f4", "f8", "c8", "c16")


def table():
    for start, stop in ((0, 0), (0, 1), (2**32 - 1, 2**32 + 3), (10, 20010)):
        for nnz, d in ((1, 1), (1, 7), (3, 10), (8, 8), (8, 100)):
            yield f"{start}:{stop}-{nnz}of{d}", ("space", KEY, 1, start, stop, nnz, d), 0


def _matrix(k, n, dtype):
    random = np.random.default_rng([k, n])
    A = random.standard_normal((k, n))
    if dtype[0] == "c":
        A = A + 1j * random.standard_normal((k, n))
    return A.astype(dtype)


def _table(k, nnz, d):
    return sparse_sign.table.definition(numpy_space(), KEY, 1, 0, k, nnz, d)


def _tolerance(dtype):
    return 100 * np.finfo(dtype).eps


SHAPES = ((0, 3), (1, 1), (1, 0), (5, 1), (40, 7), (300, 70), (70, 300))


def apply():
    for dtype in DTYPES:
        for k, n in SHAPES:
            for nnz, d in ((1, 1), (1, 11), (8, 40), (3, 10)):
                args = (_matrix(k, n, dtype), _table(k, nnz, d), d)
                yield f"{dtype}-{k}x{n}-{nnz}of{d}", args, _tolerance(dtype)
    A = _matrix(50, 9, "f8")
    A[7, 3], A[9, 4], A[11, 5] = np.nan, np.inf, -np.inf
    yield "nan", (A, _table(50, 8, 40), 40), _tolerance("f8")
