"""Numba twins of `lrla.kernels.distances`: sums along rows of the result, which vectorise."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

_STRIP = 256  # entries of a row of the result, which stay in the first-level cache with the points


def manhattan(X, Y):
    """See `lrla.kernels.distances.manhattan`."""
    return _between(_manhattan, X, Y)


def squared_euclidean(X, Y):
    """See `lrla.kernels.distances.squared_euclidean`."""
    return _between(_squared, X, Y)


def _between(sums, X, Y):
    out = np.zeros((X.shape[0], Y.shape[0]), X.dtype)
    T = np.ascontiguousarray(Y.T)
    parts = ranges(X.shape[0], 16)
    work = 3e-10 * out.size * max(X.shape[1], 1)
    run(lambda a, b: sums(np.ascontiguousarray(X[a:b]), T, out[a:b]), parts, work=work)
    return out


@jit
def _manhattan(X, T, out):
    for first in range(0, out.shape[1], _STRIP):
        for i in range(X.shape[0]):
            sums = out[i, first : first + _STRIP]
            for j in range(X.shape[1]):
                x, y = X[i, j], T[j, first : first + _STRIP]
                for k in range(sums.size):
                    sums[k] += abs(x - y[k])


@jit
def _squared(X, T, out):
    for first in range(0, out.shape[1], _STRIP):
        for i in range(X.shape[0]):
            sums = out[i, first : first + _STRIP]
            for j in range(X.shape[1]):
                x, y = X[i, j], T[j, first : first + _STRIP]
                for k in range(sums.size):
                    sums[k] += (x - y[k]) * (x - y[k])
