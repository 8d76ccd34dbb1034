"""Inputs for the twins of ``lrla/kernels/normal.py``."""

import numpy as np

# row blocks of several right-hand sides, of complex data and of other orders are BLAS products
BLAS = {"normal_residual"}
DTYPES = ("f4", "f8", "c8", "c16")
# the last is longer than the row range of one partial sum
SHAPES = ((0, 3, 1), (1, 1, 1), (1, 4, 0), (7, 1, 2), (100, 20, 1), (100, 20, 3), (9000, 3, 1))


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def tolerance(dtype, m):
    return 20 * max(m, 10) ** 0.5 * float(np.finfo(dtype).eps)


def right_sides(rng, m, n, p, dtype):
    """Yield X, B and w, the optional ones absent in turn."""
    X = draw(rng, (n, p), dtype)
    B = draw(rng, (m, p), dtype)
    w = rng.uniform(0, 2, m).astype(np.finfo(dtype).dtype)
    w[: m // 3] = 0
    yield "Bw", X, B, w
    yield "none", X, None, None
    if m == 100:
        yield "B", X, B, None
        yield "w", X, None, w


def normal_residual():
    for dtype in DTYPES:
        for m, n, p in SHAPES if dtype == "f8" else SHAPES[:-1]:
            rng = np.random.default_rng([m, n, p, 90210])
            A = draw(rng, (m, n), dtype)
            for label, X, B, w in right_sides(rng, m, n, p, dtype):
                yield f"{dtype}-{m}x{n}x{p}-{label}", (A, X, B, w), tolerance(dtype, m)
    rng = np.random.default_rng(90210)
    A, X, B = draw(rng, (30, 4), "f8"), draw(rng, (4, 1), "f8"), draw(rng, (30, 1), "f8")
    A[11, 2] = np.nan
    yield "nan", (A, X, B, None), tolerance("f8", 30)
    A[11, 2] = np.inf
    yield "inf", (A, X, B, None), tolerance("f8", 30)


def matrix(rng, m, n, dtype, index):
    """Make CSR arrays with empty rows, stored zeros, repeated and unsorted columns."""
    counts = rng.integers(0, 6, m)
    counts[m // 2 : m // 2 + 3] = 0
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(index)
    indices = rng.integers(0, n, indptr[-1]).astype(index)
    data = draw(rng, (int(indptr[-1]),), dtype)
    data[::5] = 0
    return data, indices, indptr


def normal_residual_csr():
    for dtype in DTYPES:
        for m, n, p in SHAPES if dtype == "f8" else SHAPES[:-1]:
            for index in ("i4", "i8") if m == 100 else ("i4",):
                rng = np.random.default_rng([m, n, p, 6021])
                A = matrix(rng, m, n, dtype, index)
                for label, X, B, w in right_sides(rng, m, n, p, dtype):
                    name = f"{dtype}-{index}-{m}x{n}x{p}-{label}"
                    yield name, (*A, X, B, w), tolerance(dtype, m)
