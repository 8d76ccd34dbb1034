"""Inputs for the twins of ``lrla/kernels/tsallis.py``."""

import numpy as np


def tsallis_weights():
    yield "one", (np.array([3.0]),), 1e-12
    yield "equal", (np.full(7, -2.5),), 1e-12
    for k in (2, 5, 20, 200):
        for decade in (-9, -3, 0, 3, 150):
            rng = np.random.default_rng([k, decade + 20, 90210])
            losses = 10.0**decade * rng.standard_exponential(k)
            yield f"{k}-1e{decade}", (losses,), 1e-12
            yield f"{k}-1e{decade}-far", (losses - 1e3 * 10.0**decade,), 1e-12
