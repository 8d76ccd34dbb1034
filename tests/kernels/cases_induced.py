"""Inputs for the twins of ``lrla/kernels/induced.py``."""

import numpy as np

from lrla.kernels.induced import LEGENDRE, Law


def quantile():
    rng = np.random.default_rng(90210)
    for n in (0, 1, 300):
        for top in (0, 1, 2, 7, 60):
            degree = rng.integers(0, top + 1, n)
            yield f"legendre-{n}-{top}", (rng.uniform(size=n), degree, Law(LEGENDRE, ())), 1e-12
