"""Inputs for the twins of ``lrla/kernels/colouring.py``."""

import numpy as np


def greedy_colours():
    for n, density in ((0, 0), (1, 1), (12, 0.0), (12, 1.0), (40, 0.1), (40, 0.4)):
        for index in ("i4", "i8"):
            rng = np.random.default_rng([n, 59])
            near = rng.random((n, n)) < density
            rows, columns = np.nonzero(near | near.T)
            indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
            args = columns.astype(index), indptr.astype(index)
            yield f"{n}-{density}-{index}", args, 0
