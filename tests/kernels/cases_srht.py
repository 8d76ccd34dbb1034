"""Inputs for the twins of ``lrla/kernels/srht.py``."""

import numpy as np

DTYPES = ("f4", "f8", "c8", "c16")


def _matrix(k, n, dtype):
    random = np.random.default_rng([k, n])
    A = random.standard_normal((k, n))
    if dtype[0] == "c":
        A = A + 1j * random.standard_normal((k, n))
    return A.astype(dtype)


def _description(N, k, d):
    random = np.random.default_rng([N, k, d])
    slots = random.permutation(N)[:k]
    signs = random.choice(np.array([-1, 1], dtype=np.int8), k)
    return slots, signs, N, random.permutation(N)[:d]


def _cases(height):
    sizes = [
        # N, k, d, n: nothing, one of everything, every number of lanes
        (1, 0, 1, 2),
        (1, 1, 1, 1),
        (16, 13, 0, 3),
        (16, 13, 7, 0),
        (16, 16, 16, 1),
        (64, 50, 20, 9),
        (1024, 700, 150, 70),
    ]
    for dtype in DTYPES:
        # two tiles of 64 columns; many results, which make the tiles higher
        for N, k, d, n in sizes + [(8192, 5000, 100, 33), (8192, 500, 6000, 2)] * (dtype == "f8"):
            args = (_matrix(height(k, d), n, dtype), *_description(N, k, d))
            yield f"{dtype}-{N}-{k}x{n}-{d}", args, 50 * np.finfo(dtype).eps
    N, k, d, n = 1024, 700, 40, 66
    A = _matrix(height(k, d), n, "f8")
    A[7, 3], A[9, 4], A[11, 5] = np.nan, np.inf, -np.inf
    yield "nan", (A, *_description(N, k, d)), 1e-14


def apply():
    return _cases(lambda k, d: k)


def adjoint():
    return _cases(lambda k, d: d)
