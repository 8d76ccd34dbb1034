"""Numba twins of `lrla.kernels.panels`: sums over the rows of a panel in vector registers."""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

# Sums are reordered into vector lanes ("reassoc"), which changes rounding only; NaN and infinity
# keep their meaning.
_LANES = {"reassoc", "contract"}
_GRAIN = (
    1 << 21
)  # bytes of panels to one partial sum: fixed, so that threads do not change the bits


def _parts(P):
    return ranges(P.shape[0], max(1, _GRAIN // max(1, P.shape[1] * P.shape[2] * P.itemsize)))


def panels(A, T, width):
    """See `lrla.kernels.panels.panels`."""
    m, k = A.shape[0], T.shape[1]
    P = np.empty((-(-m // width), k, width), T.dtype)

    def part(first, last):
        for p in range(first, last):
            block = A[p * width : (p + 1) * width].astype(T.dtype, copy=False)
            rows = block.shape[0]
            np.matmul(T.T, block.T, out=P[p, :, :rows])
            P[p, :, rows:] = 0

    run(part, _parts(P), work=P.size * T.shape[0] * 1e-10)
    return P


def panel_product(P, x):
    """See `lrla.kernels.panels.panel_product`."""
    P, x = np.ascontiguousarray(P), np.ascontiguousarray(x)
    out = np.empty((P.shape[0], P.shape[2]), P.dtype)
    run(lambda a, b: _product(P, x, out, a, b), _parts(P), work=P.nbytes / 2e10)
    return out.reshape(-1)


def panel_adjoint(P, V):
    """See `lrla.kernels.panels.panel_adjoint`."""
    P, V = np.ascontiguousarray(P), np.ascontiguousarray(V)
    W = V.reshape(V.shape[0], P.shape[0], P.shape[2])
    parts = _parts(P)
    out = np.zeros((len(parts), V.shape[0], P.shape[1]), P.dtype)
    work = P.nbytes * V.shape[0] / 4e10
    run(lambda k, a, b: _adjoint(P, W, out[k], a, b), _numbered(parts), work=work)
    return out.sum(axis=0)


def panel_gram(P, q):
    """See `lrla.kernels.panels.panel_gram`."""
    P = np.ascontiguousarray(P)
    Q = np.ascontiguousarray(q).reshape(P.shape[0], P.shape[2])
    parts = _parts(P)
    n = P.shape[1]
    out = np.zeros((len(parts), n, n), P.dtype)
    run(lambda k, a, b: _gram(P, Q, out[k], a, b), _numbered(parts), work=P.size * n * 5e-11)
    G = out.sum(axis=0)
    low = np.tril_indices(n, -1)
    G.T[low] = G[low]  # the tiles on the diagonal were computed whole, the others below it
    return G


def _numbered(parts):
    return [(k, a, b) for k, (a, b) in enumerate(parts)]


@jit(fastmath=_LANES)
def _product(P, x, out, first, last):
    n, width = P.shape[1], P.shape[2]
    for p in range(first, last):
        t = out[p]
        for i in range(width):
            t[i] = 0
        j = 0
        while j + 4 <= n:
            c0, c1, c2, c3 = P[p, j], P[p, j + 1], P[p, j + 2], P[p, j + 3]
            x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
            for i in range(width):
                t[i] += x0 * c0[i] + x1 * c1[i] + x2 * c2[i] + x3 * c3[i]
            j += 4
        while j < n:
            c0, x0 = P[p, j], x[j]
            for i in range(width):
                t[i] += x0 * c0[i]
            j += 1


@jit(fastmath=_LANES)
def _adjoint(P, W, out, first, last):
    n, width = P.shape[1], P.shape[2]
    zero = P.dtype.type(0)
    for p in range(first, last):
        for c in range(W.shape[0]):
            v = W[c, p]
            j = 0
            while j + 4 <= n:
                c0, c1, c2, c3 = P[p, j], P[p, j + 1], P[p, j + 2], P[p, j + 3]
                s0 = s1 = s2 = s3 = zero
                for i in range(width):
                    s0 += v[i] * c0[i]
                    s1 += v[i] * c1[i]
                    s2 += v[i] * c2[i]
                    s3 += v[i] * c3[i]
                out[c, j] += s0
                out[c, j + 1] += s1
                out[c, j + 2] += s2
                out[c, j + 3] += s3
                j += 4
            while j < n:
                c0, s0 = P[p, j], zero
                for i in range(width):
                    s0 += v[i] * c0[i]
                out[c, j] += s0
                j += 1


@jit(fastmath=_LANES)
def _gram(P, Q, G, first, last):
    # Tiles of 4 x 4 dot products: eight loads for sixteen multiply-adds, all sums in registers.
    n, width = P.shape[1], P.shape[2]
    S = np.empty((n, width), P.dtype)
    zero = P.dtype.type(0)
    tiles = n // 4 * 4
    for p in range(first, last):
        for j in range(n):
            for i in range(width):
                S[j, i] = Q[p, i] * P[p, j, i]
        for j in range(0, tiles, 4):
            a0, a1, a2, a3 = S[j], S[j + 1], S[j + 2], S[j + 3]
            for k in range(0, j + 4, 4):
                c0, c1, c2, c3 = P[p, k], P[p, k + 1], P[p, k + 2], P[p, k + 3]
                s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = zero
                s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = zero
                for i in range(width):
                    s00 += a0[i] * c0[i]
                    s01 += a0[i] * c1[i]
                    s02 += a0[i] * c2[i]
                    s03 += a0[i] * c3[i]
                    s10 += a1[i] * c0[i]
                    s11 += a1[i] * c1[i]
                    s12 += a1[i] * c2[i]
                    s13 += a1[i] * c3[i]
                    s20 += a2[i] * c0[i]
                    s21 += a2[i] * c1[i]
                    s22 += a2[i] * c2[i]
                    s23 += a2[i] * c3[i]
                    s30 += a3[i] * c0[i]
                    s31 += a3[i] * c1[i]
                    s32 += a3[i] * c2[i]
                    s33 += a3[i] * c3[i]
                g0, g1, g2, g3 = G[j], G[j + 1], G[j + 2], G[j + 3]
                g0[k] += s00
                g0[k + 1] += s01
                g0[k + 2] += s02
                g0[k + 3] += s03
                g1[k] += s10
                g1[k + 1] += s11
                g1[k + 2] += s12
                g1[k + 3] += s13
                g2[k] += s20
                g2[k + 1] += s21
                g2[k + 2] += s22
                g2[k + 3] += s23
                g3[k] += s30
                g3[k + 1] += s31
                g3[k + 2] += s32
                g3[k + 3] += s33
        for j in range(tiles, n):
            a0 = S[j]
            for k in range(j + 1):
                c0, s0 = P[p, k], zero
                for i in range(width):
                    s0 += a0[i] * c0[i]
                G[j, k] += s0
