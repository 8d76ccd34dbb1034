"""Inputs for the twins of ``lrla/kernels/kaczmarz.py``."""

import numpy as np

DTYPES = ("f4", "f8", "c8", "c16")
SHAPES = ((1, 1), (7, 4), (4, 9))


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def tolerance(dtype):
    return 1e3 * float(np.finfo(dtype).eps)


def csr(dense):
    rows, columns = np.nonzero(dense)
    counts = np.bincount(rows, minlength=len(dense))
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype("i4")
    square = np.sum(np.abs(dense) ** 2, axis=1)
    step = np.where(square > 0, 1 / np.where(square > 0, square, 1), 0)
    return dense[rows, columns], columns.astype("i4"), indptr, step.astype(dense.real.dtype)


def problem(m, n, dtype):
    rng = np.random.default_rng([m, n, 61])
    A = np.where(rng.random((m, n)) < 0.6, draw(rng, (m, n), dtype), 0).astype(dtype)
    A[0] = 1
    return rng, A, draw(rng, (n,), dtype), draw(rng, (m,), dtype)


def project_rows():
    for dtype in DTYPES:
        for m, n in SHAPES:
            rng, A, x, b = problem(m, n, dtype)
            for t in (0, 1, 12):
                args = (x, b, *csr(A), rng.integers(0, m, t), None)
                yield f"{dtype}-{m}x{n}-{t}", args, tolerance(dtype)


def project_greedily():
    for dtype in DTYPES:
        for m, n in SHAPES:
            rng, A, x, b = problem(m, n, dtype)
            for t, s in ((0, 1), (5, 1), (5, 3)):
                args = (x, b, *csr(A), rng.integers(0, m, (t, s)), None)
                yield f"{dtype}-{m}x{n}-{t}x{s}", args, tolerance(dtype)


def project_both():
    for dtype in DTYPES:
        for m, n in SHAPES:
            rng, A, x, b = problem(m, n, dtype)
            for t in (0, 1, 12):
                rows = (b, *csr(A), rng.integers(0, m, t))
                columns = (*csr(A.conj().T.copy()), rng.integers(0, n, t))
                args = (x, draw(rng, (m,), dtype), *rows, *columns, None)
                yield f"{dtype}-{m}x{n}-{t}", args, tolerance(dtype)
