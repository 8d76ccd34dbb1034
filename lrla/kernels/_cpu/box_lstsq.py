"""Numba twin of `lrla.kernels.box_lstsq`: for some tens of coefficients."""

import numpy as np

from lrla._core.jit import jit
from lrla.kernels.box_lstsq import SLACK, STEPS


@jit
def _solve(L, y, where, count, G):
    """Solve for the free coefficients, the others being fixed, by a Cholesky factorization."""
    for i in range(count):
        a = where[i]
        for j in range(i + 1):
            s = G[a, where[j]]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = s / L[j, j] if i > j else np.sqrt(s)
    for i in range(count):
        s = y[i]
        for k in range(i):
            s -= L[i, k] * y[k]
        y[i] = s / L[i, i]
    for i in range(count - 1, -1, -1):
        s = y[i]
        for k in range(i + 1, count):
            s -= L[k, i] * y[k]
        y[i] = s / L[i, i]


@jit
def _minimise(G, h, bound, x0, steps, slack):
    n = h.size
    x = np.empty(n)
    free = np.empty(n, np.bool_)
    for i in range(n):
        x[i] = min(max(x0[i], -bound[i]), bound[i])
        free[i] = abs(x[i]) < bound[i]
    L, y, where = np.empty((n, n)), np.empty(n), np.empty(n, np.int64)
    for _ in range(steps):
        count = 0
        for i in range(n):
            if free[i]:
                s = h[i]
                for j in range(n):
                    if not free[j]:
                        s -= G[i, j] * x[j]
                y[count], where[count] = s, i
                count += 1
        _solve(L, y, where, count, G)
        least, first = 2.0, -1
        for k in range(count):
            i = where[k]
            if abs(y[k]) > bound[i]:
                move = y[k] - x[i]
                share = ((bound[i] if move > 0 else -bound[i]) - x[i]) / move
                if share < least:
                    least, first = share, k
        if first >= 0:
            for k in range(count):
                i = where[k]
                move = y[k] - x[i]
                if k == first:
                    x[i] = bound[i] if move > 0 else -bound[i]
                    free[i] = False
                else:
                    x[i] += least * move
            continue
        for k in range(count):
            x[where[k]] = y[k]
        worst, leaver = 0.0, -1
        for i in range(n):
            if not free[i]:
                slope, size = -h[i], abs(h[i])
                for j in range(n):
                    slope += G[i, j] * x[j]
                    size += abs(G[i, j] * x[j])
                inward = (slope if x[i] > 0 else -slope) - slack * size
                if inward > worst:
                    worst, leaver = inward, i
        if leaver < 0:
            break
        free[leaver] = True
    return x


def box_lstsq(G, h, bound, x0):
    """See `lrla.kernels.box_lstsq.box_lstsq`."""
    return _minimise(G, h, bound, x0, STEPS, SLACK)
