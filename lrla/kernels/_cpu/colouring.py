"""Numba twin of `lrla.kernels.colouring`."""

import numpy as np

from lrla._core.jit import jit


def greedy_colours(indices, indptr):
    n = indptr.size - 1
    most = int(np.max(np.diff(indptr), initial=0))
    colours, seen = np.zeros(n, np.int64), np.full(most + 2, -1, np.int64)
    _colour(np.ascontiguousarray(indices), np.ascontiguousarray(indptr), colours, seen)
    return colours


@jit
def _colour(indices, indptr, colours, seen):
    for i in range(colours.size):
        for s in range(indptr[i], indptr[i + 1]):
            j = indices[s]
            if j < i:
                seen[colours[j]] = i
        c = 0
        while seen[c] == i:
            c += 1
        colours[i] = c
