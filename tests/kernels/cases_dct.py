"""Inputs for the twins of ``lrla/kernels/dct.py``."""

import numpy as np


def _cases():
    for dtype in ("f4", "f8", "c8", "c16"):
        for shape in ((0,), (1,), (8,), (0, 3), (3, 0), (1, 4), (2, 2), (7, 3), (30, 5), (257, 9)):
            random = np.random.default_rng(shape)
            X = random.standard_normal(shape)
            if dtype[0] == "c":
                X = X + 1j * random.standard_normal(shape)
            label = f"{dtype}-{'x'.join(map(str, shape))}"
            yield label, (X.astype(dtype),), 30 * np.finfo(dtype).eps
    X = np.ones((6, 4))
    X[2, 1] = np.nan
    yield "nan", (X,), 1e-14


def dct():
    return _cases()


def idct():
    return _cases()
