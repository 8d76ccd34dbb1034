"""Inputs for the twin of ``lrla/kernels/power.py``."""

import numpy as np


def power_line():
    for m in (0, 1, 7, 300, 40_000):
        rng = np.random.default_rng([m, 90210])
        r, s, v = rng.uniform(-1, 1, m), rng.standard_normal(m), rng.uniform(0, 2, m)
        v[: m // 3] = 0
        s[m // 2 : m // 2 + 2] = 0
        r[m // 2 : m // 2 + 2] = 0  # a residual that is and stays zero
        r[m // 4 : m // 4 + 2] = 0.0625 * s[m // 4 : m // 4 + 2]  # and one that becomes zero
        for p in (1.05, 1.5, 2.0, 2.5, 3.0, 7.3, 64.0):
            yield f"{m}-{p}", (r, s, v, 0.0625, p), 1e-12
    r = np.array([1.0, np.nan])
    yield "nan", (r, np.ones(2), np.ones(2), 0.5, 3.0), 1e-12
