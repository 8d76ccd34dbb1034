"""How much estimates from random vectors vary: what they would be without one of the vectors.

The replicates of XTrace, XNysTrace and XDiag leave out one vector each and share all others, so
that their spread falls short of the error of their mean. Here the whole estimate is made again
without each vector, from replicates that leave out two; the sum of the squares of what that changes
is, in expectation, at least the variance of the estimate with one vector fewer (Efron and Stein
1981), whatever the matrix is.
"""

from __future__ import annotations

import math
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of
from lrla.lowrank._basis import inner
from lrla.lowrank._matrix import conj


def deviation(estimates: Array) -> Any:
    """Return the root of the sum of squares about the mean, along the last axis."""
    if estimates.shape[-1] < 2:
        return math.inf
    xp = space_of(estimates).xp
    centred = estimates - xp.mean(estimates, axis=-1, keepdims=True)
    return linalg.norm(centred) if centred.ndim == 1 else linalg.norm(centred, axis=1)


def without_each_xtrace(
    S: Array, size: Array, H: Array, W: Array, T: Array, n: int, u: float
) -> Array:
    """Estimates of XTrace without vector j, for all j.

    Parameters
    ----------
    S : array of shape (m, m)
        Unit vectors; column i is orthogonal to all columns of R but its own.
    size : array of shape (m,)
        Inner products of these with the columns of R.
    H, W, T : array of shape (m, m)
        Q^H A Q, Q^H X and (A Q)^H X for the vectors X and their basis Q.
    n : int
        Dimension.
    u : float
        Unit roundoff.
    """
    xp, m = space_of(S).xp, S.shape[0]
    HS, HW = H @ S, H @ W
    C, E, K, V = inner(S, S), inner(S, HS), inner(S, W), inner(T, S)
    before, after = inner(W, HS), inner(S, HW)
    c, e, k = conj(C), _diagonal(E), _diagonal(K)[:, None]
    gap = xp.clip(1 - xp.abs(C) ** 2, min=u)
    # vector i, of which the basis without i and j holds w - s_i y - s_j z
    y, z = (k - C * K.T) / gap, (K.T - c * k) / gap
    head = xp.sum(_diagonal(H)) - (e[:, None] + e[None, :] - C * E.T - c * E) / gap
    inside = _sums(W, W) - xp.real(conj(k) * y + conj(K.T) * z)
    own = conj(y) * size[:, None]
    across = _sums(T, W) - _diagonal(V)[:, None] * y - V * z
    within = (
        _sums(W, HW)
        - (_diagonal(before)[:, None] * y + before * z)
        - (conj(y) * _diagonal(after)[:, None] + conj(z) * after.T)
        + (xp.abs(y) ** 2 * e[:, None] + xp.abs(z) ** 2 * e[None, :])
        + (conj(y) * z * E + conj(z) * y * E.T)
    )
    outside = _beside(n - xp.real(inside)) + space_of(S).eye(m, S.dtype)
    return _means(head + (own - across + within) * ((n - m + 2) / outside))


def without_each_xnystrace(
    F: Array, root: Array, inverse: Array, shift: float, n: int, u: float
) -> Array:
    """Estimates of XNysTrace without vector j, for all j.

    Parameters
    ----------
    F : array of shape (n, m)
        Factor of the Nystrom approximation from the vectors X.
    root : array of shape (m, m)
        ``root @ root^H`` is the inverse of X^H A X.
    inverse : array of shape (m, m)
        Inverse of X^H X.
    shift, n, u : float, int, float
        What was added to A, its dimension, and the unit roundoff.
    """
    xp, m = space_of(F).xp, F.shape[1]
    A, D = root @ adjoint(root), F @ adjoint(root)
    G = inner(D, D)
    a, g, p = (xp.real(_diagonal(M)) for M in (A, G, inverse))
    both = a[:, None] * a[None, :]
    minor = xp.clip(1 - xp.abs(A) ** 2 / both, min=u) * both
    lost = (a[None, :] * g[:, None] + a[:, None] * g[None, :] - 2 * xp.real(A * G.T)) / minor
    outside = (n - m + 2) * (p[:, None] - xp.abs(inverse) ** 2 / p[None, :])
    return _means(linalg.norm(F) ** 2 - lost + a[None, :] / minor * outside - shift * n)


def without_each_xdiag(base: Array, S: Array, U: Array, L: Array, X: Array, u: float) -> Array:
    """Estimates of XDiag without vector j, for all j.

    Parameters
    ----------
    base : array of shape (n,)
        Diagonal of Q Q^H A.
    S : array of shape (m, m)
        As for `without_each_xtrace`.
    U, L, X : array of shape (n, m)
        Q S, the conjugate of A^H Q S, and that of the vectors, times ``size``.
    u : float
        Unit roundoff.
    """
    xp, m = space_of(S).xp, S.shape[0]
    C = inner(S, S)
    F = _beside(1 / xp.clip(1 - xp.abs(C) ** 2, min=u))
    FC, Fc = F * C, F * conj(C)
    F = xp.astype(F, U.dtype)
    lost = (U * L) @ F + U * L * xp.sum(F, axis=0)[None, :] - (U @ FC) * L - U * (L @ Fc)
    rest = (X * U) @ F - (X @ Fc) * U
    return base[:, None] + (rest - lost) / (m - 1)


def _diagonal(M: Array) -> Array:
    return space_of(M).xp.linalg.diagonal(M)


def _sums(X: Array, Y: Array) -> Array:
    """Inner products of the columns of X with those of Y, as a column."""
    return space_of(X).xp.sum(conj(X) * Y, axis=0)[:, None]


def _beside(M: Array) -> Array:
    """Clear the diagonal, where a vector would be left out twice."""
    space = space_of(M)
    xp = space.xp
    place = xp.arange(M.shape[0], device=space.device)
    return xp.where(place[:, None] == place[None, :], xp.zeros_like(M), M)


def _means(M: Array) -> Array:
    """Means of the columns beside the diagonal."""
    return space_of(M).xp.sum(_beside(M), axis=0) / (M.shape[0] - 1)
