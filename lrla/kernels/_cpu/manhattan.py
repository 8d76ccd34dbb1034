"""Numba twin of `lrla.kernels.manhattan`: sums along rows of the result, which vectorise."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run


def manhattan(X, Y):
    """See `lrla.kernels.manhattan.manhattan`."""
    out = np.zeros((X.shape[0], Y.shape[0]), X.dtype)
    T = np.ascontiguousarray(Y.T)
    parts = ranges(X.shape[0], 16)
    work = 3e-10 * out.size * max(X.shape[1], 1)
    run(lambda a, b: _sums(np.ascontiguousarray(X[a:b]), T, out[a:b]), parts, work=work)
    return out


@jit
def _sums(X, T, out):
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            x = X[i, j]
            for k in range(out.shape[1]):
                out[i, k] += abs(x - T[j, k])
