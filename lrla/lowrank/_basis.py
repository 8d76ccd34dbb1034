"""Orthonormal bases that grow block by block, made of few large products."""

from __future__ import annotations

import math
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, Space, adjoint, space_of, unit_roundoff
from lrla.kernels import narrow
from lrla.lowrank._matrix import conj

# Cholesky QR errs from orthonormality by u * condition**2: up to _FINE that is little, and one
# round is enough; up to _LOOSE a second round repairs it (Yamamoto et al. 2015: "CholeskyQR2")
_FINE = 5.0
_LOOSE = 1e-2  # times u**-0.5
_ROUNDS = 4
_GROWTH = 4  # of the room of a basis: memory that is not yet written costs nothing in NumPy


def inner(V: Array, Y: Array) -> Array:
    """Compute V^H Y without a conjugated copy of the larger factor V."""
    return conj(V.T @ conj(Y))


def orthonormal(W: Array, floor: float, u: float) -> tuple[Array, Array]:
    """Factor W = Q R with orthonormal columns of Q, leaving out what is no larger than ``floor``.

    Parameters
    ----------
    W : array of shape (m, b)
        Tall.
    floor : float
        Directions of W of at most this size are dropped: Q then has fewer columns than W.
    u : float
        Unit roundoff.

    Returns
    -------
    Q : array of shape (m, r)
        With orthonormal columns, r <= b.
    R : array of shape (r, b)
        Triangular unless directions were dropped.
    """
    done = _cholesky_qr(W, _LOOSE * u**-0.5)
    if done is not None and done[3] > floor:
        Q, R, condition, _ = done
        if condition > _FINE:
            again = _cholesky_qr(Q, 2.0)
            if again is None:
                return _revealing(W, floor)
            Q, R = again[0], again[1] @ R
        return Q, R
    return _revealing(W, floor)


def _cholesky_qr(W: Array, limit: float) -> tuple[Array, Array, float, float] | None:
    """Return Q, R, the condition of W and its smallest singular value; None beyond ``limit``."""
    if 0 in W.shape or W.shape[0] < W.shape[1]:
        return None
    R = linalg.cholesky(inner(W, W))
    if R is None:
        return None
    s = linalg.svdvals(R)
    smallest = float(s[-1])
    condition = float(s[0]) / smallest if smallest else math.inf
    if not condition < limit:
        return None
    return W @ space_of(R).xp.linalg.inv(R), R, condition, smallest


def _defect(Q: Array) -> tuple[Array, float, bool]:
    """Return Q^H Q, its distance from I, and whether Householder's reflections may leave that."""
    G = adjoint(Q) @ Q
    defect = linalg.norm(linalg.shifted(G, -1.0))
    return G, defect, defect <= 10 * Q.shape[1] * unit_roundoff(space_of(Q).xp, Q.dtype)


def is_orthonormal(Q: Array) -> bool:
    """Tell whether the columns of Q are orthonormal to rounding."""
    return _defect(Q)[2]


def preconditioned(C: Array, R: Array) -> tuple[Array, Array] | None:
    """Factor C = Q T by Cholesky, with a triangular R that makes C R^-1 well conditioned.

    A round of Cholesky QR leaves Q orthonormal up to rounding times the squared condition number
    of C R^-1. Where that is more than Householder's reflections may leave, a second round repairs
    it, for conditions below sqrt(3) after the first; otherwise None is returned.
    """
    Q, T = linalg.divide_upper(C, R), R
    for most in (math.inf, 0.5):
        G, defect, enough = _defect(Q)
        if enough:
            break
        L = linalg.cholesky(G) if defect <= most else None
        if L is None:
            return None
        Q, T = linalg.divide_upper(Q, L), L @ T
    return Q, T


def _revealing(W: Array, floor: float) -> tuple[Array, Array]:
    xp = space_of(W).xp
    if 0 in W.shape:
        return W, space_of(W).zeros((0, W.shape[1]), W.dtype)
    Q, R = xp.linalg.qr(W, mode="reduced")
    P, s, Th = linalg.svd(R)
    kept = int(xp.sum(xp.astype(s > floor, xp.int64)))
    if kept == W.shape[1]:
        return Q, R
    return Q @ P[:, :kept], s[:kept, None] * Th[:kept, :]


class Basis:
    """Orthonormal columns, in one array that grows."""

    def __init__(self, space: Space, rows: int, dtype: Any) -> None:
        self._space, self._rows, self._dtype = space, rows, dtype
        self._held = self._room(0)
        self.size = 0

    def _room(self, columns: int) -> Array:
        if self._space.is_numpy:  # by column: then the first so many are one piece of memory
            import numpy as np

            return np.empty((self._rows, columns), self._dtype, order="F")
        return self._space.zeros((self._rows, columns), self._dtype)

    @property
    def columns(self) -> Array:
        """All columns so far."""
        return self._held[:, : self.size]

    def append(self, Q: Array) -> None:
        """Add columns."""
        need = self.size + Q.shape[1]
        if need > self._held.shape[1]:
            larger = self._room(max(need, min(_GROWTH * need, self._rows + Q.shape[1])))
            larger[:, : self.size] = self.columns
            self._held = larger
        self._held[:, self.size : need] = Q
        self.size = need

    def against(self, Z: Array, floor: float, u: float) -> tuple[Array, Array]:
        """Make Z orthonormal among itself and against the basis: Z = V (...) + Q L.

        One normalisation and one projection make a round. A second round makes the result
        orthogonal to working precision unless the first took away nearly all of a column (Daniel,
        Gragg, Kaufman and Stewart 1976), which the factor of the second shows.
        """
        Q, L = orthonormal(Z, floor, u)
        V = self.columns
        if self.size + Q.shape[1] > self._rows:  # no room for all: the rest is rounding
            Q, L = _revealing(Z - V @ inner(V, Z), floor)
            Q, L = Q[:, : self._rows - self.size], L[: self._rows - self.size, :]
        for _ in range(_ROUNDS):
            if self.size == 0 or Q.shape[1] == 0:
                break
            Q = Q - narrow.times(V, narrow.adjoint_times(V, Q))
            Q, R = orthonormal(Q, 0.0, u)
            L = R @ L
            if R.shape[0] < R.shape[1] or float(linalg.svdvals(R)[-1]) > 0.5:
                break
        return Q, L


def complete(Q: Array, R: Array) -> tuple[Array, Array, Array]:
    """Singular value decomposition of Q R with Q of full, not only numerical, column rank."""
    P, s, Th = linalg.svd(R)
    return Q @ P, s, adjoint(Th)
