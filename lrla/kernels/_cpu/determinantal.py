"""NumPy twins of `lrla.kernels.determinantal`."""

import numpy as np

from lrla._core.jit import jit

_PANEL = 96  # pivots that are eliminated without BLAS at a time
_STRIP = 1024  # columns of the trailing triangle that are updated at a time


def accept(F, u, Q):
    """See `lrla.kernels.determinantal.accept`."""
    F, Q = np.ascontiguousarray(F), np.ascontiguousarray(Q)
    b, m = F.shape
    size = np.einsum("ij,ij->i", F.conj(), F).real
    left = size.copy()
    if len(Q):
        P = F @ Q.conj().T
        left -= np.einsum("ij,ij->i", P.conj(), P).real
    rows = np.empty((min(b, m - len(Q)), m), F.dtype)
    positions = np.empty(len(rows), np.int64)
    count = _scan(F, size, left, u, Q, rows, positions, 64 * np.finfo(size.dtype).eps)
    return positions[:count], rows[:count]


# reassoc: inner products are reductions, and summing them in one order only costs a factor of four
@jit(fastmath={"contract", "reassoc"})
def _scan(F, size, left, u, Q, rows, positions, floor):
    b, m = F.shape
    count = 0
    for t in range(b):
        if count == len(rows):
            break
        r = left[t]
        bar = max(u[t], floor) * size[t]
        for a in range(count):  # the residual only falls: an early no is final
            if r <= bar:
                break
            s = F[t, 0] * 0
            for k in range(m):
                s += np.conj(rows[a, k]) * F[t, k]
            r -= (s * np.conj(s)).real
        if not r > bar:
            continue
        f = rows[count]
        f[:] = F[t]
        for _ in range(2):
            for a in range(len(Q)):
                s = F[t, 0] * 0
                for k in range(m):
                    s += np.conj(Q[a, k]) * f[k]
                for k in range(m):
                    f[k] -= s * Q[a, k]
            for a in range(count):
                s = F[t, 0] * 0
                for k in range(m):
                    s += np.conj(rows[a, k]) * f[k]
                for k in range(m):
                    f[k] -= s * rows[a, k]
        norm = 0.0
        for k in range(m):
            norm += (f[k] * np.conj(f[k])).real
        norm = np.sqrt(norm)
        for k in range(m):
            f[k] = f[k] / norm
        positions[count] = t
        count += 1
    return count


def ldl(K, u, hermitian):
    """See `lrla.kernels.determinantal.ldl`."""
    import scipy.linalg

    A = np.array(K, order="C")
    n = len(A)
    keep = np.zeros(n, np.bool_)
    pivots = np.empty(n, A.dtype)
    for j0 in range(0, n, _PANEL):
        j1 = min(j0 + _PANEL, n)
        D = np.ascontiguousarray(A[j0:j1, j0:j1])
        if hermitian:
            D = np.tril(D) + np.tril(D, -1).conj().T
        _panel(D, u[j0:j1], keep[j0:j1], pivots[j0:j1])
        if j1 == n:
            break
        right = A[j1:, j0:j1].conj().T if hermitian else A[j0:j1, j1:]
        # L^-1 of the panel, which is U of the columns to its right
        U = scipy.linalg.solve_triangular(
            D, right, lower=True, unit_diagonal=True, check_finite=False
        )
        if hermitian:
            L = (U / D.diagonal()[:, None]).conj().T
        else:
            L = scipy.linalg.solve_triangular(
                D, A[j1:, j0:j1].T, trans="T", lower=False, check_finite=False
            ).T
        for c in range(j1, n, _STRIP):
            first = c if hermitian else j1
            A[first:, c : c + _STRIP] -= L[first - j1 :] @ U[:, c - j1 : c - j1 + _STRIP]
    return keep, pivots


@jit
def _panel(D, u, keep, pivots):
    n = len(D)
    for j in range(n):
        pivots[j] = D[j, j]
        keep[j] = u[j] < D[j, j].real
        if not keep[j]:
            D[j, j] -= 1
        for i in range(j + 1, n):
            D[i, j] = D[i, j] / D[j, j]
            for k in range(j + 1, n):
                D[i, k] -= D[i, j] * D[j, k]
