"""Inputs for the twin of ``lrla/kernels/volume.py``."""

import numpy as np


def thin():
    for dtype in ("f4", "f8", "c16"):
        for n, d, size, ridge in (
            (1, 1, 1, 0.5),
            (9, 3, 4, 0.0),
            (60, 4, 5, 0.0),
            (200, 5, 3, 1.0),
        ):
            rng = np.random.default_rng([n, d, size, 90210])
            A = rng.standard_normal((n, d))
            if dtype[0] == "c":
                A = A + 1j * rng.standard_normal((n, d))
            yield f"{dtype}-{n}x{d}-{size}", (A.astype(dtype), ridge, size, rng.random((500, 2))), 0
    rng = np.random.default_rng(6021)
    A = rng.standard_normal((40, 3))
    yield "few-tries", (A, 0.0, 3, rng.random((10, 2))), 0
