"""NumPy twin of `lrla.kernels.nuclear_pivots`: columns of H and M only where a pivot is taken."""

import numpy as np

from lrla._core.jit import jit


def nuclear_pivots(H, M, bounds, uniform, least, candidates, count):
    """See `lrla.kernels.nuclear_pivots.nuclear_pivots`."""
    b = H.shape[0]
    left, squares = H.diagonal().real.copy(), M.diagonal().real.copy()
    chosen = np.full(b, -1)
    # rows of the transposed factors, so that updates run along them
    U, V = np.zeros((b, b), H.dtype), np.zeros((b, b), H.dtype)
    close = 1 - float(np.finfo(left.dtype).eps) ** 0.5
    _choose(H, M, left, squares, uniform * bounds, least, candidates, count, close, U, V, chosen)
    return U.T, chosen


@jit(fastmath={"contract"})
def _choose(H, M, left, squares, threshold, least, candidates, count, close, U, V, chosen):
    b = H.shape[0]
    free = np.zeros(b, np.bool_)
    score = np.zeros_like(left)
    steps = np.empty(b, np.int64)
    taken, fresh = 0, 0
    for j in range(b):
        if left[j] > threshold[j] and left[j] > least[j]:
            free[j] = True
            fresh += 1
        if taken == count or not (fresh == candidates or (fresh > 0 and j == b - 1)):
            continue
        top = left[0] * 0
        for i in range(j + 1):
            if free[i] and not left[i] > least[i]:
                free[i] = False
            score[i] = max(squares[i] / left[i], left[i]) if free[i] else 0
            top = max(top, score[i])
        if not top > 0:
            continue
        best = 0
        while score[best] < close * top:
            best += 1
        _eliminate(H, M, left, squares, best, j, steps[:taken], U, V)
        steps[taken] = j
        taken += 1
        fresh = 0
        free[best] = False
        chosen[j] = best


@jit(fastmath={"contract"})
def _eliminate(H, M, left, squares, best, j, steps, U, V):
    b = H.shape[0]
    u, v = U[j], V[j]
    for i in range(b):
        u[i] = H[i, best]
        v[i] = M[i, best]
    for t in steps:
        a, c = np.conj(U[t, best]), np.conj(V[t, best])
        for i in range(b):
            u[i] -= U[t, i] * a
            v[i] -= U[t, i] * c + V[t, i] * a
    scale = 1 / np.sqrt(left[best])
    half = squares[best] / left[best] / 2
    for i in range(b):
        u[i] *= scale
        v[i] = v[i] * scale - u[i] * half
        left[i] -= (u[i] * np.conj(u[i])).real
        squares[i] -= 2 * (u[i] * np.conj(v[i])).real
    left[best] = 0
