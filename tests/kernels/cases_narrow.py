"""Inputs for the twins of ``lrla/kernels/narrow.py``."""

import numpy as np

BLAS = {"times", "adjoint_times"}
DTYPES = ("f4", "f8", "c8", "c16")
SHAPES = ((0, 3), (1, 1), (7, 1), (5, 0), (102, 20), (9001, 3), (7, 12_000))
WIDTHS = (0, 1, 6, 8, 70)


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def tolerance(dtype, n):
    return 20 * max(n, 10) ** 0.5 * float(np.finfo(dtype).eps)


def _inputs(rows):
    for dtype in DTYPES:
        for m, n in SHAPES:
            for p in WIDTHS if dtype == "f8" else (5,):
                rng = np.random.default_rng([m, n, p, 90210])
                A = draw(rng, (m, n), dtype)
                X = draw(rng, (m if rows else n, p), dtype)
                size = tolerance(dtype, m if rows else n)
                yield f"{dtype}-{m}x{n}-{p}", (A, X), size
                yield f"{dtype}-{m}x{n}-{p}-F", (np.asfortranarray(A), np.asfortranarray(X)), size
    A = draw(np.random.default_rng(90210), (30, 4), "f8")
    A[11, 2] = np.nan
    yield "nan", (A, np.ones((30 if rows else 4, 3))), tolerance("f8", 30)


def times():
    yield from _inputs(rows=False)


def adjoint_times():
    yield from _inputs(rows=True)
