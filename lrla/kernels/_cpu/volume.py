"""NumPy twin of `lrla.kernels.volume`: updates of the inverse instead of inverses."""

import numpy as np

from lrla._core.jit import jit

_REFRESH = 64  # removals after which the inverse is computed anew from the Gram matrix


def thin(A, ridge, size, u):
    """See `lrla.kernels.volume.thin`."""
    A = np.ascontiguousarray(A)
    left = np.arange(len(A))
    count, used = len(A), 0
    while count > size and used < len(u):
        # at half the rows the Gram matrix is formed anew: what was subtracted has cost digits
        goal = max(size, count // 2)
        S = A[left[:count]]
        G = S.conj().T @ S + ridge * np.eye(A.shape[1], dtype=A.dtype)
        before = used
        while count > goal and used < len(u):
            Z = np.ascontiguousarray(np.linalg.inv(G))
            stop = max(goal, count - _REFRESH)
            count, used = _remove(A, left, count, stop, G, Z, u, used)
        if used == before:
            break
    return np.sort(left[:count])


@jit(fastmath={"contract", "reassoc"})  # reassoc: the quadratic form is a sum in lanes
def _remove(A, left, count, stop, G, Z, u, used):
    d = A.shape[1]
    za = np.empty(d, A.dtype)
    while count > stop and used < len(u):
        place = int(u[used, 0] * count)
        a = A[left[place]]
        h = 0.0
        for i in range(d):
            s = a[0] * 0
            for j in range(d):
                s += Z[i, j] * np.conj(a[j])
            za[i] = s
            h += (a[i] * s).real
        if u[used, 1] < 1 - h:
            left[place], left[count - 1] = left[count - 1], left[place]
            count -= 1
            for i in range(d):
                for j in range(d):
                    G[i, j] -= np.conj(a[i]) * a[j]
                    Z[i, j] += za[i] * np.conj(za[j]) / (1 - h)
        used += 1
    return count, used
