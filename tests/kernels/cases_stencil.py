"""Inputs for the twins of ``lrla/kernels/stencil.py``."""

import numpy as np


def stencil_sweeps():
    shapes = [
        ((1, 1, 1), (False, False, False)),
        ((5, 1, 7), (False, False, False)),
        ((6, 1, 4), (True, False, True)),
        ((2, 4, 3), (True, True, False)),
        ((3, 4, 5), (False, False, False)),
        ((0, 1, 3), (False, False, False)),
    ]
    for shape, wraps in shapes:
        for dtype in ("f4", "f8", "c16"):
            for varied in (False, True):
                rng = np.random.default_rng([*shape, 90210])
                x, b = rng.standard_normal((2, *shape)).astype(dtype)
                c = 0.1 * rng.standard_normal((7, *(shape if varied else (1, 1, 1)))).astype(dtype)
                c = np.broadcast_to(c, (7, *shape))
                label = f"{dtype}-{shape}-{varied}"
                tolerance = 1e3 * float(np.finfo(dtype).eps)
                yield label, (x, b, c, wraps, 3, None), tolerance
    x = np.ones((2, 2, 2))
    yield "none", (x, x, np.ones((7, 2, 2, 2)), (False, True, False), 0, None), 0
