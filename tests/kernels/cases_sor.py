"""Inputs for the twins of ``lrla/kernels/sor.py``."""

import numpy as np

from lrla.kernels.sor import arrange as arranged
from lrla.kernels.sor import repeats as repeated

DTYPES = ("f4", "f8", "c8", "c16")


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def tolerance(dtype):
    return 1e3 * float(np.finfo(dtype).eps)


def matrix(n, dtype, index="i4", seed=90210):
    """Make a CSR matrix with a heavy diagonal, rows of uneven length, and neighbours coupled."""
    rng = np.random.default_rng([n, seed])
    dense = np.where(rng.random((n, n)) < min(1, 3 / max(n, 1)), draw(rng, (n, n), dtype), 0)
    dense += np.diag(np.full(max(n - 1, 0), -0.5), -1)[:n, :n].astype(dtype)
    dense[np.arange(n), np.arange(n)] = 8 + rng.random(n)
    rows, columns = np.nonzero(dense)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]).astype(index)
    return dense[rows, columns].astype(dtype), columns.astype(index), indptr


def coloured(dtype):
    """Make a chain of 40 in two colours, even places first."""
    n = 40
    place = np.concatenate([np.arange(0, n, 2), np.arange(1, n, 2)])
    chain = 2.5 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    dense = chain[np.ix_(place, place)].astype(dtype)
    rows, columns = np.nonzero(dense)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]).astype("i4")
    return dense[rows, columns], columns.astype("i4"), indptr


REPEATING = (  # offsets of the diagonals, 0 but for what is cut off at the ends
    (-1, 1),
    (-1, 1, -13, 13),
    (-1, 13, 20),
    (-13, 5),
    (-2, -1, 1, 2),
    (-3, 4),
    (-1, 1, -3, 3, -12, 12, -14, 14),
)


def repeating(bands, dtype):
    """Make a matrix whose diagonals are constant, but for one row: its rows repeat each other."""
    n = 50
    dense = sum(np.diag(np.full(n - abs(k), -0.1 - 0.01 * k), k) for k in bands) + 4 * np.eye(n)
    dense[31] *= 1.5
    rows, columns = np.nonzero(dense)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]).astype("i4")
    return dense[rows, columns].astype(dtype), columns.astype("i4"), indptr


def repeats():
    yield "none", matrix(30, "c8"), 0
    yield "one", matrix(1, "f8", "i8"), 0
    yield "empty", (np.zeros(0), np.zeros(0, "i4"), np.zeros(5, "i4")), 0
    for bands in REPEATING:
        yield f"{bands}", repeating(bands, "f8"), 0


def arrange():
    for dtype in DTYPES:
        for n in (0, 1, 2, 30):
            for reverse in (False, True):
                A = matrix(n, dtype)
                yield f"{dtype}-{n}-{reverse}", (*A, 1.5, 0.0, reverse), tolerance(dtype)
        yield f"{dtype}-shifted", (*matrix(30, dtype), 1.5, 0.25, True), tolerance(dtype)
    yield "int64", (*matrix(30, "f8", "i8"), 0.7, 0.0, False), tolerance("f8")


def sweeps():
    for dtype in DTYPES:
        for n, p in ((0, ()), (1, ()), (1, (2,)), (30, ()), (30, (1,)), (30, (5,)), (4, (0,))):
            for reverse in (False, True):
                rng = np.random.default_rng([n, 51])
                x, b = draw(rng, (n, *p), dtype), draw(rng, (n, *p), dtype)
                data, indices, indptr = matrix(n, dtype)
                data, indices, _ = arranged(data, indices, indptr, 1.2, 0.0, reverse)
                args = (x, b, data, indices, indptr)
                label = f"{dtype}-{n}x{p}-{reverse}"
                yield label, (*args, None, (0, n), False, 2, reverse, None), tolerance(dtype)
                blocks = (0, n // 3, n // 2, n)
                yield f"{label}-b", (*args, None, blocks, False, 1, reverse, None), tolerance(dtype)
    for reverse in (False, True):
        data, indices, indptr = coloured("f8")
        data, indices, _ = arranged(data, indices, indptr, 1.7, 0.0, reverse)
        x, b = np.random.default_rng(3).standard_normal((2, 40))
        rows = data, indices, indptr
        for runs in (None, repeated.definition(*rows)):
            args = (x, b, *rows, runs, (0, 20, 40), True, 3, reverse, None)
            yield f"colours-{reverse}-{runs is None}", args, tolerance("f8")
    for dtype, bands in [
        *(("f8", b) for b in REPEATING),
        *((d, REPEATING[1]) for d in ("f4", "c8", "c16")),
    ]:
        rows = repeating(bands, dtype)
        n = rows[2].size - 1
        x, b = (draw(np.random.default_rng(i), (n,), dtype) for i in (7, 8))
        for reverse in (False, True):
            data, indices, _ = arranged(*rows, 0.9, 0.0, reverse)
            args = (x, b, data, indices, rows[2], repeated.definition(data, indices, rows[2]))
            label = f"{dtype}-{bands}-{reverse}"  # the blocks cut runs in two
            yield label, (*args, (0, 20, 41, n), False, 2, reverse, None), tolerance(dtype)
    data, indices, indptr = matrix(12, "f8", "i8")
    data, indices, _ = arranged(data, indices, indptr, 1.0, 0.0, False)
    x, b = np.random.default_rng(3).standard_normal((2, 12))
    yield "none", (x, b, data, indices, indptr, None, (0, 12), False, 0, False, None), 0
    x[7] = np.nan
    yield (
        "nan",
        (x, b, data, indices, indptr, None, (0, 12), False, 1, False, None),
        tolerance("f8"),
    )


def jacobi_sweeps():
    for dtype in DTYPES:
        for n, p in ((0, ()), (1, ()), (30, ()), (30, (5,)), (4, (0,))):
            rng = np.random.default_rng([n, 52])
            x, b = draw(rng, (n, *p), dtype), draw(rng, (n, *p), dtype)
            data, indices, indptr = matrix(n, dtype)
            data, indices, _ = arranged(data, indices, indptr, 0.8, 0.0, False)
            for k in (0, 1, 2):
                yield (
                    f"{dtype}-{n}x{p}-{k}",
                    (x, b, data, indices, indptr, k, None),
                    tolerance(dtype),
                )
