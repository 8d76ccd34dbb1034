"""Inputs for the twins of ``lrla/kernels/box_lstsq.py``."""

import numpy as np


def box_lstsq():
    for n in (1, 2, 6, 15):
        for k, tight in enumerate((100.0, 1.0, 0.1, 1e-3)):
            rng = np.random.default_rng([n, k, 90210])
            A = rng.standard_normal((3 * n, n))
            h = A.T @ rng.standard_normal(3 * n)
            bound = tight * rng.uniform(0.5, 1, n) / np.sqrt(n)
            for label, x0 in (("zero", np.zeros(n)), ("far", 9 * rng.standard_normal(n))):
                yield f"{n}-{tight}-{label}", (A.T @ A, h, bound, x0), 1e-10
