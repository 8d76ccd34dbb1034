"""Inputs for the twin of ``lrla/kernels/three_terms.py``."""

import numpy as np

DTYPES = ("f4", "f8", "c8", "c16")
WIDTHS = (0, 1, 4, 6, 9)


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def matrix(rng, n, dtype, index):
    """Make square CSR arrays with empty rows, stored zeros, repeated and unsorted columns."""
    counts = rng.integers(0, 6, n)
    counts[n // 2 : n // 2 + 3] = 0
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(index)
    indices = rng.integers(0, n, indptr[-1]).astype(index)
    data = draw(rng, (int(indptr[-1]),), dtype)
    data[::5] = 0
    return data, indices, indptr


def three_terms():
    for dtype in DTYPES:
        for n in (1, 5, 100, 4100):
            for p in WIDTHS if n == 100 else (4,):
                for index in ("i4", "i8") if n == 100 else ("i4",):
                    rng = np.random.default_rng([n, p, 90210])
                    A = matrix(rng, n, dtype, index)
                    X, Y = draw(rng, (n, p), dtype), draw(rng, (n, p), dtype)
                    name = f"{dtype}-{index}-{n}x{p}"
                    size = 200 * float(np.finfo(dtype).eps)
                    yield name, (*A, X, Y, (2.0, -0.5, -1.0)), size
    data, indices, indptr = np.ones(36), np.tile(np.arange(6), 6), np.arange(0, 37, 6)
    X = np.ones((6, 3))
    X[2, 1] = np.nan  # the column is lost, and no other
    yield "nan", (data, indices, indptr, X, X, (1.0, 1.0, 1.0)), 1e-14
