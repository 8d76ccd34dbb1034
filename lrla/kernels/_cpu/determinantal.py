"""NumPy twins of `lrla.kernels.determinantal`."""

import numpy as np

from lrla._core.jit import jit

_PANEL = 64  # pivots that are eliminated without BLAS
_STRIP = 256  # columns of the remaining triangle that are updated at a time


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
    A = np.array(K, order="C")
    keep = np.zeros(len(A), np.bool_)
    pivots = np.empty(len(A), A.dtype)
    _eliminate(A, u, hermitian, keep, pivots)
    return keep, pivots


def _eliminate(A, u, hermitian, keep, pivots):
    """Factor in place, the first half before the second: most work is large matrix products."""
    import scipy.linalg

    n = len(A)
    if n <= _PANEL:
        D = np.tril(A) + np.tril(A, -1).conj().T if hermitian else np.ascontiguousarray(A)
        _panel(D, u, keep, pivots)
        A[...] = D
        return
    h = n // 2
    _eliminate(A[:h, :h], u[:h], hermitian, keep[:h], pivots[:h])
    right = A[h:, :h].conj().T if hermitian else A[:h, h:]
    # U right of the first half is L^-1 times the columns there
    U = scipy.linalg.solve_triangular(
        A[:h, :h], right, lower=True, unit_diagonal=True, check_finite=False
    )
    if hermitian:
        L = (U / A[:h, :h].diagonal()[:, None]).conj().T
        A[h:, :h] = L
    else:
        L = scipy.linalg.solve_triangular(
            A[:h, :h], A[h:, :h].T, trans="T", lower=False, check_finite=False
        ).T
        A[h:, :h], A[:h, h:] = L, U
    for c in range(0, n - h, _STRIP):  # of a Hermitian matrix, what is below the diagonal
        A[h + c if hermitian else h :, h + c : h + c + _STRIP] -= (
            L[c if hermitian else 0 :] @ U[:, c : c + _STRIP]
        )
    _eliminate(A[h:, h:], u[h:], hermitian, keep[h:], pivots[h:])


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
