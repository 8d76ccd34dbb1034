"""Inputs for the twins of ``lrla/kernels/row_squares.py``."""

import numpy as np

BLAS = {"row_squares"}
DTYPES = ("f4", "f8", "c8", "c16")
# tall enough for the triangle, not tall enough, and a last block of one row
SHAPES = ((0, 3, 3), (1, 1, 1), (7, 1, 1), (12, 4, 2), (12, 4, 4), (100, 5, 5), (2049, 3, 3))


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def tolerance(dtype, n):
    return 20 * n * float(np.finfo(dtype).eps)


def row_squares():
    for dtype in DTYPES:
        for m, n, k in SHAPES:
            rng = np.random.default_rng([m, n, 90210])
            A, T = draw(rng, (m, n), dtype), draw(rng, (n, k), dtype)
            yield f"{dtype}-{m}x{n}x{k}", (A, T), tolerance(dtype, n)
            if n == k:
                yield f"{dtype}-{m}x{n}-triangle", (A, np.triu(T)), tolerance(dtype, n)
    A = draw(np.random.default_rng(90210), (40, 4), "f8")
    A[11, 2] = np.nan
    yield "nan", (A, np.ones((4, 4))), tolerance("f8", 4)


def sparse(rng, m, n, dtype):
    """Rows of nought to five entries, some repeated, some stored zeros."""
    counts = rng.integers(0, 6, m)
    counts[m // 2 : m // 2 + 3] = 0
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype("i4")
    indices = rng.integers(0, n, indptr[-1]).astype("i4")
    data = draw(rng, (int(indptr[-1]),), dtype)
    data[::5] = 0
    return data, indices, indptr


def row_squares_csr():
    for dtype in DTYPES:
        for m, n, k in (*SHAPES, (8200, 4, 3)):
            rng = np.random.default_rng([m, n, 6021])
            given = sparse(rng, m, n, dtype)
            yield f"{dtype}-{m}x{n}x{k}", (*given, draw(rng, (n, k), dtype)), tolerance(dtype, n)


def quadratic_csr():
    for dtype in DTYPES:
        for m, n in ((0, 3), (1, 1), (7, 1), (12, 4), (100, 5), (8200, 4)):
            rng = np.random.default_rng([m, n, 70221])
            given = sparse(rng, m, n, dtype)
            M = draw(rng, (n, n), dtype)
            yield f"{dtype}-{m}x{n}", (*given, M @ M.conj().T), tolerance(dtype, n)
