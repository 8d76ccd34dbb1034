"""Lewis weights for p = infinity: the ellipsoid of Loewner and John, on few rows at a time."""

from __future__ import annotations

import math

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.iteration import Loop
from lrla._core.results import Status
from lrla.sampling._cross import take
from lrla.sampling._fixed_point import Iterate

_WARM = 5  # multiplicative steps before rows are chosen
_ROWS = 10  # rows for each direction to begin with
_JOIN = 2  # rows for each direction that may join in a round
_NOTHING = 1e-9  # of the mean weight: such rows leave
_INNER = 100  # steps of the interior-point method; 3 to 20 are needed
_BOUNDARY = 0.95  # of the way to it that a step goes
_CENTRE = 0.1  # by which the complementarity is to fall in a step


def john(state: Iterate, loop: Loop, tol: float) -> float:
    """Maximise logdet(A^H W A) - sum(w): at the maximum all q_i(w) <= 1, and 1 where w_i > 0.

    A few multiplicative steps w_i <- w_i q_i show which rows may matter. The problem for these
    alone is solved by a primal-dual interior-point method; rows outside the ellipsoid that results
    join them, until there are none.
    """
    xp, frame = state.xp, state.frame
    best, best_l, best_T = math.inf, state.l, state.T
    rows = np.zeros(0, np.int64)
    for k in loop:
        try:
            f, s = state.step()  # log q, for weights that add up to the rank
            error = float(xp.max(f))
            if error < best:
                best, best_l, best_T = error, state.l, state.T
            if loop.report(error, xp.exp(state.l)) <= tol:
                loop.stop(Status.CONVERGED)
            elif loop.status is None and k <= _WARM:
                state.l = _log(s)
            elif loop.status is None:
                rows = _choose(xp.exp(state.l), f, rows, frame.rank, tol)
                Z = take(frame.op, rows, None) @ state.T
                wide = xp.complex128 if xp.isdtype(Z.dtype, "complex floating") else xp.float64
                place = frame.op.space.asarray(rows)
                w = _interior(xp.astype(Z, wide), xp.exp(xp.take(state.l, place)), 0.5 * tol)
                whole = np.zeros(frame.op.shape[0])
                whole[rows] = [float(v) for v in w]
                state.l = _log(frame.op.space.asarray(whole))
        except ArithmeticError:  # rounding: the rows left no longer span what all do
            loop.stop(Status.STAGNATED)
            break
    state.l, state.T = best_l, best_T
    return max(best, 0.0)


def _log(w: Array) -> Array:
    xp = space_of(w).xp
    return xp.where(w > 0, xp.log(xp.where(w > 0, w, xp.ones_like(w))), -math.inf)


def _choose(w: Array, f: Array, rows: np.ndarray, rank: int, tol: float) -> np.ndarray:
    """Return those of the rows that have weight, and the worst of those outside the ellipsoid."""
    xp, m = space_of(w).xp, int(w.shape[0])

    def first(keys: Array, count: int) -> np.ndarray:
        order = xp.argsort(-keys)[: min(count, m)]
        return np.asarray([int(i) for i in order], np.int64)

    if rows.shape[0] == 0:
        rows = first(w, max(_ROWS * rank, 50))
    else:
        rows = np.asarray([i for i in rows if float(w[int(i)]) > _NOTHING * rank / m], np.int64)
    outside = first(f, max(_JOIN * rank, 50))
    return np.union1d(rows, [i for i in outside if float(f[int(i)]) > tol]).astype(np.int64)


def _interior(Z: Array, w: Array, tol: float) -> Array:
    """Solve the problem for the rows of Z by Newton steps on 1 - q(w) = z, w z = mu.

    Raises
    ------
    ArithmeticError
        If the rows do not span.
    """
    space = space_of(Z)
    xp, (k, rank) = space.xp, (int(Z.shape[0]), int(Z.shape[1]))
    eye = space.eye(k, xp.float64)
    w = w + 0.1 * rank / k
    P = _projector(Z, w)
    scale = 1.1 * float(xp.max(xp.real(xp.linalg.diagonal(P))))  # strictly inside, to begin with
    w, P = w * scale, P / scale
    z = 1 - xp.real(xp.linalg.diagonal(P))
    for _ in range(_INNER):
        q, squares = xp.real(xp.linalg.diagonal(P)), abs(P) ** 2
        if float(xp.max(q)) * float(xp.sum(w)) / rank <= 1 + tol:
            break
        mu = _CENTRE * float(xp.sum(w * z)) / k
        right = mu / w - (1 - q)
        dw = xp.linalg.solve(squares + (z / w)[:, None] * eye, right[:, None])[:, 0]
        dz = (1 - q - z) + squares @ dw
        step = min(1.0, _BOUNDARY / max(float(xp.max(-dw / w)), float(xp.max(-dz / z)), 1e-300))
        w, z = w + step * dw, z + step * dz
        P = _projector(Z, w)
    return w * (rank / float(xp.sum(w)))


def _projector(Z: Array, w: Array) -> Array:
    """Return Z (Z^H W Z)^-1 Z^H."""
    R = linalg.cholesky(adjoint(Z) @ (w[:, None] * Z))
    if R is None:
        raise ArithmeticError("rows do not span")
    Y = Z @ linalg.solve_triangular(R, space_of(Z).eye(int(R.shape[0]), R.dtype))
    return Y @ adjoint(Y)
