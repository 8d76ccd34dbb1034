"""Inputs for the twins of ``lrla/kernels/fwht.py``."""

import numpy as np

DTYPES = ("f4", "f8", "c8", "c16")


def _array(shape, dtype):
    random = np.random.default_rng(shape)
    X = random.standard_normal(shape)
    if dtype[0] == "c":
        X = X + 1j * random.standard_normal(shape)
    return X.astype(dtype)


def fwht():
    # every length around the sizes of lines (64) and tiles (4096), complex numbers counting twice
    shapes = [(1 << p,) for p in range(14)]
    shapes += [(3, 1), (0, 8), (5, 4), (1, 64), (70, 64), (9, 512), (3, 2048)]
    for dtype in DTYPES:
        for shape in shapes:
            label = f"{dtype}-{'x'.join(map(str, shape))}"
            yield label, (_array(shape, dtype),), 20 * np.finfo(dtype).eps
    yield "f8-3x32768", (_array((3, 32768), "f8"),), 1e-14
    X = _array((5, 1024), "f8")
    X[1, 77], X[3, 0], X[4, 1023] = np.nan, np.inf, -np.inf  # alone in its row: inf - inf warns
    yield "nan", (X,), 1e-14
