"""Inputs for the twins of ``lrla/kernels/sparse_sign.py``."""

import numpy as np
import scipy.sparse as sp

from lrla._core.arrays import numpy_space
from lrla.kernels import sparse_sign

KEY = (0x243F6A88, 0x85A308D3)
DTYPES = ("f4", "f8", "c8", "c16")
SHAPES = ((0, 3), (1, 0), (5, 1), (40, 7), (130, 300))
SIGNS = ((1, 1), (3, 10), (8, 40))  # entries of a column, rows of S


def table():
    for start, stop in ((0, 0), (0, 1), (2**32 - 1, 2**32 + 3), (10, 20010)):
        for nnz, d in (*SIGNS, (8, 8), (5, 2**31 - 1)):
            yield f"{start}:{stop}-{nnz}of{d}", ("space", KEY, 1, start, stop, nnz, d), 0


def _matrix(k, n, dtype):
    random = np.random.default_rng([k, n])
    A = random.standard_normal((k, n))
    if dtype[0] == "c":
        A = A + 1j * random.standard_normal((k, n))
    return A.astype(dtype)


def _table(k, nnz, d):
    return sparse_sign.table.definition(numpy_space(), KEY, 1, 0, k, nnz, d)


def _odd(k, n):
    """Hold what should only touch its own column."""
    A = _matrix(k, n, "f8")
    A[7, 3], A[9, 4], A[11, 5], A[12, 5] = np.nan, np.inf, -np.inf, np.inf
    return A


def _tolerance(dtype):
    # doubles are summed in one order everywhere, and singles in double
    return 0 if dtype in ("f8", "c16") else 2 * np.finfo(dtype).eps


def apply():
    for dtype in DTYPES:
        for k, n in SHAPES:
            for nnz, d in SIGNS:
                args = (_matrix(k, n, dtype), _table(k, nnz, d), d)
                yield f"{dtype}-{k}x{n}-{nnz}of{d}", args, _tolerance(dtype)
    yield "nan", (_odd(50, 9), _table(50, 8, 40), 40), 0
    # rows that are asked for ahead: one or more, around the widths and counts from which that pays
    for k, n in ((1, 64), (33, 63), (33, 64), (33, 65), (33, 201)):
        for nnz, d in ((2, 6), (4, 9), (5, 12), (8, 40)):
            yield f"ahead-{k}x{n}-{nnz}of{d}", (_matrix(k, n, "f8"), _table(k, nnz, d), d), 0
    # rows that are copied first, in chunks of which the last is short
    for k in (512, 513, 1030):
        A = np.asfortranarray(_matrix(k, 97, "f8"))
        yield f"columns-{k}", (A, _table(k, 8, 40), 40), 0
        yield f"slice-{k}", (A[:, ::2], _table(k, 8, 40), 40), 0
    # so wide a result that singles are summed in single, in more rows than one flush takes
    wide = np.broadcast_to(_matrix(4200, 1, "f4"), (4200, 3))
    yield "flush", (wide, _table(4200, 1, 3 * 10**6), 3 * 10**6), _tolerance("f4")


def _sparse(k, n, dtype, form):
    A = _matrix(k, n, dtype)
    A[np.random.default_rng([n, k]).random((k, n)) > 0.2] = 0
    S = sp.coo_array(A)
    rows, columns = S.coords
    # unsorted and with a repeated entry, which canonical matrices do not have
    again = slice(0, min(1, S.nnz))
    data = np.concatenate([S.data, S.data[again]])
    rows = np.concatenate([rows, rows[again]])
    columns = np.concatenate([columns, columns[again]])
    major, minor, size = (rows, columns, k) if form == "csr" else (columns, rows, n)
    order = np.random.default_rng(7).permutation(data.size)
    order = order[np.argsort(major[order], kind="stable")]
    indptr = np.searchsorted(major[order], np.arange(size + 1))
    return data[order], minor[order], indptr


def _compressed(form):
    for dtype in DTYPES:
        for k, n in SHAPES:
            for nnz, d, index in ((1, 11, "i4"), (8, 40, "i8")):
                data, indices, indptr = _sparse(k, n, dtype, form)
                A = data, indices.astype(index), indptr.astype(index)
                label = f"{dtype}-{k}x{n}-{nnz}of{d}-{index}"
                yield label, (*A, _table(k, nnz, d), d), n, _tolerance(dtype)


def apply_csr():
    for label, args, n, tolerance in _compressed("csr"):
        yield label, (*args, n), tolerance


def apply_csc():
    for label, args, _, tolerance in _compressed("csc"):
        yield label, args, tolerance


def adjoint():
    for dtype in DTYPES:
        for k, n in SHAPES:
            for nnz, d in SIGNS:
                args = (_matrix(d, n, dtype), _table(k, nnz, d))
                yield f"{dtype}-{k}x{n}-{nnz}of{d}", args, 0
    yield "nan", (_odd(40, 9), _table(50, 8, 40)), 0
