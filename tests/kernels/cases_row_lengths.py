"""Inputs for the twins of ``lrla/kernels/row_lengths.py``."""

import numpy as np

DTYPES = ("f4", "f8", "c8", "c16")
# rows, columns, most entries to a row; the last is long enough for several partial sums
SHAPES = ((0, 3, 4), (1, 1, 2), (5, 4, 1), (100, 20, 6), (9000, 3, 6))
WIDTHS = (0, 1, 4, 6, 9)


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def tolerance(dtype, m):
    return 20 * max(m, 10) ** 0.5 * float(np.finfo(dtype).eps)


def matrix(rng, m, n, most, dtype, index):
    """Make CSR arrays with empty rows, stored zeros, repeated and unsorted columns."""
    counts = rng.integers(0, most, m)
    counts[m // 2 : m // 2 + 3] = 0
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(index)
    indices = rng.integers(0, n, indptr[-1]).astype(index)
    data = draw(rng, (int(indptr[-1]),), dtype)
    data[::5] = 0
    return data, indices, indptr


def by_length():
    for dtype in DTYPES:
        for m, n, most in SHAPES:
            for index in ("i4", "i8"):
                rng = np.random.default_rng([m, n, 90210])
                yield f"{dtype}-{index}-{m}x{n}", matrix(rng, m, n, most, dtype, index), 0
    rng = np.random.default_rng(90210)  # lengths that do not fit into 16 bits
    counts = np.array([70_000, 5, 66_000])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    long = draw(rng, (int(indptr[-1]),), "f4"), rng.integers(0, 5, indptr[-1]), indptr
    yield "long", long, 0


def normal_times():
    for dtype in DTYPES:
        for m, n, most in SHAPES:
            for p in WIDTHS if m == 100 else (4,):
                rng = np.random.default_rng([m, n, p, 6021])
                A = matrix(rng, m, n, most, dtype, "i4")
                name = f"{dtype}-{m}x{n}x{p}"
                yield name, (*A, draw(rng, (n, p), dtype)), tolerance(dtype, m)
    rng = np.random.default_rng(90210)
    data, indices, indptr = matrix(rng, 30, 4, 5, "f8", "i4")
    X = np.ones((4, 3))
    X[2, 1] = np.nan  # the column is lost, and no other
    data[data == 0] = 1
    data, indices = np.r_[data, np.ones(4)], np.r_[indices, np.arange(4)]
    yield "nan", (data, indices, np.r_[indptr, len(data)], X), tolerance("f8", 30)
