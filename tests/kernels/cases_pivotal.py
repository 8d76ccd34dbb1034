"""Inputs for the twins of ``lrla/kernels/pivotal.py``."""

import numpy as np

KEY, TAG = (0x13198A2E, 0x03707344), 3 | 5 << 8


def probabilities(rng, n, size):
    p = rng.uniform(0.01, 0.99, n)
    for _ in range(50):  # a whole sum, all of them below 1
        p = np.minimum(p * size / p.sum(), 0.995)
    return p


def pivotal():
    rng = np.random.default_rng(90210)
    for n, size in ((2, 1), (3, 1), (5, 3), (17, 8), (64, 20), (1000, 30), (4097, 3000)):
        yield f"{size}of{n}", (probabilities(rng, n, size), KEY, TAG), 0
    yield "none", (np.zeros(0), KEY, TAG), 0
    yield "one", (np.ones(1), KEY, TAG), 0
    yield "halves", (np.full(256, 0.5), KEY, TAG), 0  # sums that are 1 exactly
    yield "zeros", (np.array([0.0, 0.5, 0.0, 0.0, 0.5, 0.0]), KEY, TAG), 0
