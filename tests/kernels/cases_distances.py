"""Inputs for the twins of ``lrla/kernels/distances.py``."""

import numpy as np


def manhattan():
    for dtype in ("f4", "f8"):
        for m, n, p in ((0, 3, 2), (3, 0, 2), (1, 1, 1), (5, 7, 0), (40, 33, 9), (3, 4100, 2)):
            rng = np.random.default_rng([m, n, p])
            X = rng.standard_normal((m, p)).astype(dtype)
            Y = rng.standard_normal((n, p)).astype(dtype)
            yield f"{dtype}-{m}x{n}x{p}", (X, Y), 0
    yield "nan", (np.array([[1.0, np.nan], [0.0, 1.0]]), np.ones((3, 2))), 0


squared_euclidean = manhattan
