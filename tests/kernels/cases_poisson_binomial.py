"""Inputs for the twins of ``lrla/kernels/poisson_binomial.py``."""

import numpy as np


def odds(r):
    rng = np.random.default_rng([r, 90210])
    odds = 10.0 ** rng.uniform(-9, 9, r)
    return odds / (1 + odds), 1 / (1 + odds)


def pmf():
    for r in (0, 1, 2, 30):
        yield f"{r}", odds(r), 1e-13
    yield "certain", (np.array([1.0, 0.5, 0.0]), np.array([0.0, 0.5, 1.0])), 1e-15


def inclusion():
    for r, k in ((0, 0), (1, 0), (1, 1), (2, 1), (12, 5), (30, 15)):
        yield f"{r}-{k}", (*odds(r), k), 1e-11
