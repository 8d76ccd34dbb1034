"""NumPy twins of `lrla.kernels.poisson_binomial`."""

import numpy as np

from lrla._core.jit import jit


def pmf(p, q):
    """See `lrla.kernels.poisson_binomial.pmf`."""
    T = np.zeros(len(p) + 1)
    _forward(p, q, T)
    return T


def inclusion(p, q, k):
    """See `lrla.kernels.poisson_binomial.inclusion`."""
    r = len(p)
    out = np.zeros(r)
    before = np.zeros((r + 1, k + 1))
    total = _inclusion(p, q, k, before, out)
    return out, np.asarray(total)


@jit
def _forward(p, q, T):
    T[0] = 1.0
    for j in range(len(p)):
        for l in range(j + 1, 0, -1):
            T[l] = q[j] * T[l] + p[j] * T[l - 1]
        T[0] *= q[j]


@jit
def _inclusion(p, q, k, before, out):
    r = len(p)
    before[0, 0] = 1.0
    for j in range(r):
        before[j + 1, 0] = q[j] * before[j, 0]
        for l in range(1, k + 1):
            before[j + 1, l] = q[j] * before[j, l] + p[j] * before[j, l - 1]
    total = before[r, k]
    after = np.zeros(k + 1)
    after[0] = 1.0
    for j in range(r - 1, -1, -1):
        share = 0.0
        for l in range(k):
            share += before[j, l] * after[k - 1 - l]
        out[j] = p[j] * share / total
        for l in range(k, 0, -1):
            after[l] = q[j] * after[l] + p[j] * after[l - 1]
        after[0] *= q[j]
    return total
