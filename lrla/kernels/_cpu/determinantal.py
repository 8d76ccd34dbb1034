"""NumPy twins of `lrla.kernels.determinantal`."""

import numpy as np

from lrla._core.jit import jit

_PANEL = 64  # pivots that are eliminated without BLAS
_STRIP = 256  # columns of the remaining triangle that are updated at a time


def accept(F, u, Z):
    """See `lrla.kernels.determinantal.accept`."""
    F, u, Z = (np.ascontiguousarray(x) for x in (F, u, Z))  # one compilation for each dtype
    G = F @ Z.conj().T
    most = min(G.shape)
    V, steps = np.zeros((most, G.shape[1]), G.dtype), np.empty(most, F.real.dtype)
    positions = np.empty(most, np.int64)
    count = _scan(F, G, u, V, steps, positions, 64 * np.finfo(steps.dtype).eps)
    if count == 0:
        return positions[:0], Z.copy()
    # the reflections at once: their product is I - V^H T V, T the inverse of a lower triangle
    V = V[:count]
    S = V @ Z
    _substitute(V @ V.conj().T, steps, S)
    return positions[:count], Z[count:] - V[:, count:].conj().T @ S


# reassoc: inner products are reductions, and summing them in one order only costs a factor of four
@jit(fastmath={"contract", "reassoc"})
def _scan(F, G, u, V, steps, positions, floor):
    b, k = G.shape
    count = 0
    for t in range(b):
        if count == len(positions):
            break
        g, bar, r = G[t], 0.0, 0.0
        for j in range(F.shape[1]):
            bar += (F[t, j] * np.conj(F[t, j])).real
        bar *= max(u[t], floor)
        for j in range(k):
            r += (g[j] * np.conj(g[j])).real
        done = 0
        while done < count and r > bar:  # what is new only shrinks: an early no is final
            v = V[done]
            s = g[0] * 0
            for j in range(done, k):
                s += g[j] * np.conj(v[j])
            s *= steps[done]
            for j in range(done, k):
                g[j] -= s * v[j]
            r -= (g[done] * np.conj(g[done])).real
            done += 1
        if not r > bar:
            continue
        r = 0.0
        for j in range(count, k):
            r += (g[j] * np.conj(g[j])).real
        if not r > bar:  # of what is subtracted the last digits are wrong
            continue
        v = V[count]
        for j in range(count, k):  # an assignment of slices would take two seconds to compile
            v[j] = g[j]
        first = abs(g[count])
        v[count] += np.sqrt(r) if first == 0 else g[count] / first * np.sqrt(r)
        steps[count] = 1 / (r + first * np.sqrt(r))
        positions[count] = t
        count += 1
    return count


@jit(fastmath={"contract"})
def _substitute(M, steps, S):
    """Solve with the lower triangle of M, the reciprocals of ``steps`` on its diagonal, in place."""
    for i in range(len(S)):
        for j in range(i):
            for k in range(S.shape[1]):
                S[i, k] -= M[i, j] * S[j, k]
        for k in range(S.shape[1]):
            S[i, k] *= steps[i]


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
