"""Inputs for the twins of ``lrla/kernels/triangles.py``."""

import numpy as np

from lrla.kernels.triangles import triangles as split

DTYPES = ("f4", "f8", "c8", "c16")


def draw(rng, shape, dtype):
    A = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        A = A + 1j * rng.standard_normal(shape)
    return A.astype(dtype)


def tolerance(dtype):
    return 1e3 * float(np.finfo(dtype).eps)


def csr(dense, dtype, index):
    rows, columns = np.nonzero(dense)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(dense)))])
    return dense[rows, columns].astype(dtype), columns.astype(index), indptr.astype(index)


def matrix(n, dtype, index="i4"):
    """Make a Hermitian CSR matrix with a unit diagonal, some rows empty but for it."""
    rng = np.random.default_rng([n, 777])
    half = np.where(rng.random((n, n)) < min(1, 3 / max(n, 1)), 0.2 * draw(rng, (n, n), dtype), 0)
    half = np.tril(half, -1)
    half[n // 2 : n // 2 + 2] = 0
    return csr(half + half.conj().T + np.eye(n), dtype, index)


def halves(n, dtype, index="i4"):
    parts = split(*matrix(n, dtype, index), np.ones(n, dtype), np.ones(n, dtype))
    return parts[:3], parts[3:]


def flat(triangles):
    return [a for triangle in triangles for a in triangle]


def colours(dtype):
    """Make the triangles of a chain of 40 in two colours, even places first."""
    place = np.concatenate([np.arange(0, 40, 2), np.arange(1, 40, 2)])
    chain = np.eye(40) - 0.4 * np.eye(40, k=1) - 0.4 * np.eye(40, k=-1)
    parts = split(*csr(chain[np.ix_(place, place)], dtype, "i4"), np.ones(40), np.ones(40))
    return parts[:3], parts[3:]


def triangles():
    for dtype in DTYPES:
        for n in (0, 1, 2, 30):
            rng = np.random.default_rng([n, 53])
            factors = draw(rng, (2, n), dtype)
            yield f"{dtype}-{n}", (*matrix(n, dtype), *factors), tolerance(dtype)
    yield "int64", (*matrix(9, "f8", "i8"), np.ones(9), np.full(9, 2.0)), tolerance("f8")


def solve_triangle():
    for dtype in DTYPES:
        for n, p in ((0, ()), (1, ()), (30, ()), (30, (4,)), (0, (2,))):
            b = draw(np.random.default_rng([n, 54]), (n, *p), dtype)
            lower, upper = halves(n, dtype)
            yield f"{dtype}-{n}x{p}-L", (b, *lower, (0, n), False, False), tolerance(dtype)
            yield f"{dtype}-{n}x{p}-U", (b, *upper, (0, n), False, True), tolerance(dtype)
    b = np.random.default_rng(55).standard_normal(40)
    lower, upper = colours("f8")
    yield "colours-L", (b, *lower, (0, 20, 40), True, False), tolerance("f8")
    yield "colours-U", (b, *upper, (0, 20, 40), True, True), tolerance("f8")


def eisenstat_step():
    for dtype in DTYPES:
        for n in (0, 1, 30):
            p, rest = draw(np.random.default_rng([n, 56]), (2, n), dtype)
            args = (p, rest, 0.3, *flat(halves(n, dtype)), 0.4, (0, n), False, None)
            yield f"{dtype}-{n}", args, tolerance(dtype)
        p, rest = draw(np.random.default_rng(61), (2, 30, 3), dtype)
        beta = np.array([0.3, 0.0, 1.5], p.real.dtype)
        args = (p, rest, beta, *flat(halves(30, dtype)), 0.4, (0, 30), False, None)
        yield f"{dtype}-columns", args, tolerance(dtype)
    p, rest = np.random.default_rng(57).standard_normal((2, 40))
    yield (
        "colours",
        (p, rest, 0.3, *flat(colours("f8")), 0.4, (0, 20, 40), True, None),
        tolerance("f8"),
    )


def axpy_pair():
    for dtype in DTYPES:
        for n in (0, 1, 1000):
            vectors = draw(np.random.default_rng([n, 58]), (4, n), dtype)
            yield f"{dtype}-{n}", (*vectors, 0.3, None), tolerance(dtype)
        vectors = draw(np.random.default_rng(62), (4, 50, 3), dtype)
        step = np.array([0.3, 0.0, -1.5], vectors.real.dtype)
        yield f"{dtype}-columns", (*vectors, step, None), tolerance(dtype)


def triangle_product():
    for dtype in DTYPES:
        for n in (0, 1, 30):
            x = draw(np.random.default_rng([n, 60]), (n,), dtype)
            for label, triangle in zip("LU", halves(n, dtype), strict=True):
                yield f"{dtype}-{n}-{label}", (x, *triangle), tolerance(dtype)
        X = draw(np.random.default_rng(63), (30, 3), dtype)
        yield f"{dtype}-columns", (X, *halves(30, dtype)[0]), tolerance(dtype)


def diagonal():
    for dtype in DTYPES:
        for n in (0, 1, 30):
            data, indices, indptr = matrix(n, dtype)
            yield f"{dtype}-{n}", (data, indices, indptr), 0
            yield f"{dtype}-{n}-L", tuple(halves(n, dtype)[0]), 0
