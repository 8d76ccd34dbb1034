"""Inputs for the twins of ``lrla/kernels/gram.py``."""

import numpy as np

BLAS = {"gram"}
DTYPES = ("f4", "f8", "c8", "c16")
SHAPES = ((0, 3), (1, 1), (1, 4), (7, 1), (100, 20))


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def tolerance(dtype, m):
    return 20 * max(m, 10) ** 0.5 * float(np.finfo(dtype).eps)


def weights(rng, m, dtype):
    w = rng.uniform(0, 2, m).astype(np.finfo(dtype).dtype)
    w[: m // 3] = 0
    return w


def gram():
    for dtype in DTYPES:
        for m, n in (*SHAPES, (3000, 3)):
            rng = np.random.default_rng([m, n, 90210])
            A = draw(rng, (m, n), dtype)
            yield f"{dtype}-{m}x{n}", (A, None), tolerance(dtype, m)
            yield f"{dtype}-{m}x{n}-w", (A, weights(rng, m, dtype)), tolerance(dtype, m)
    A = draw(np.random.default_rng(90210), (30, 4), "f8")
    A[11, 2] = np.nan
    yield "nan", (A, None), tolerance("f8", 30)


def gram_csr():
    for dtype in DTYPES:
        for m, n in SHAPES:
            rng = np.random.default_rng([m, n, 6021])
            counts = rng.integers(0, 6, m)
            counts[m // 2 : m // 2 + 3] = 0
            indptr = np.concatenate([[0], np.cumsum(counts)]).astype("i4")
            indices = rng.integers(0, n, indptr[-1]).astype("i4")
            data = draw(rng, (int(indptr[-1]),), dtype)
            data[::5] = 0
            args = (data, indices, indptr, n)
            yield f"{dtype}-{m}x{n}", (*args, None), tolerance(dtype, m)
            yield f"{dtype}-{m}x{n}-w", (*args, weights(rng, m, dtype)), tolerance(dtype, m)
