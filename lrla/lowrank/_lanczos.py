"""Stochastic Lanczos quadrature: one recurrence for each of several random vectors, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from numpy.linalg import LinAlgError

from lrla._core import linalg
from lrla._core.arrays import Array, Space, real_dtype, space_of
from lrla.lowrank._matrix import conj

TOGETHER = 8  # recurrences side by side: their products cost little more than one
_CHECK = 5  # steps between two looks at the quadrature
_SLOWEST = 0.998  # of the change in a step, that the next one makes, that is reckoned with
_BREAKDOWN = 100.0  # times u: a new direction that short is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Quadratures:
    """Lanczos decompositions of several start vectors z_i of length sqrt(n).

    Parameters
    ----------
    start : array of shape (n, p)
        The vectors.
    basis : array of shape (p, s, n)
        Orthonormal rows for each of them.
    T : array of shape (p, s, s)
        Tridiagonal compressions.
    drift : float
        Change of the mean over the last few steps; if the steps ran out, an estimate of all that
        further ones would change.
    settled : bool
        Whether that is small enough.
    """

    start: Array
    basis: Array
    T: Array
    drift: float
    settled: bool

    def samples(self, function: Callable[[Array], Array], u: float) -> Array:
        """Approximate z_i^H f(A) z_i."""
        return self.start.shape[0] * gauss(self.T, function, u)

    def solutions(self, space: Space) -> Array:
        """Approximate A^-1 z_i, as columns."""
        p, s, _ = self.T.shape
        first = space.zeros((p, s, 1), self.T.dtype)
        first[:, 0, 0] = math.sqrt(self.start.shape[0])
        weights = space.xp.astype(space.xp.linalg.solve(self.T, first), self.basis.dtype)
        return space.xp.sum(self.basis * weights, axis=1).T


def gauss(T: Array, function: Callable[[Array], Array], u: float) -> Array:
    """Apply the Gauss quadrature of each tridiagonal matrix to a function of its eigenvalues."""
    xp = space_of(T).xp
    nodes, vectors = xp.linalg.eigh(T)
    weights = vectors[:, 0, :] ** 2
    counted = weights > u * u
    low = float(xp.min(xp.where(counted, nodes, xp.ones_like(nodes))))
    if low <= 0:
        raise LinAlgError(
            f"A must be positive definite, got a quadratic form with a Ritz value of {low:.2g}"
        )
    values = function(xp.where(counted, nodes, xp.ones_like(nodes)))
    return xp.sum(xp.where(counted, weights * values, xp.zeros_like(nodes)), axis=1)


def lanczos(
    product: Callable[[Array], Array], start: Array, space: Space, u: float, max_iter: int,
    *, accept: float, function: Callable[[Array], Array],
) -> Quadratures:  # fmt: skip
    """Run until the mean quadrature moves by at most ``accept`` of its standard error.

    Parameters
    ----------
    product : callable
        Multiplies A with columns.
    start : array of shape (n, p)
        Random vectors of length sqrt(n).
    space : Space
        Where they live.
    u : float
        Unit roundoff.
    max_iter : int
        Limit of the steps.
    accept : float
        Drift over standard error at which to stop.
    function : callable
        Of the eigenvalues.
    """
    n, p = start.shape
    xp, dtype = space.xp, start.dtype
    real, most = real_dtype(xp, dtype), min(max_iter, n)
    basis = space.zeros((p, most, n), dtype)
    T = space.zeros((p, most, most), real)
    x = start.T / math.sqrt(n)
    before, drift, settled = None, math.inf, False
    looks: list[tuple[int, float]] = []
    for step in range(most):
        basis[:, step, :] = x
        w = product(x.T).T
        size = linalg.norm(w, axis=1)
        alpha = xp.real(xp.sum(conj(x) * w, axis=1)) if dtype != real else xp.sum(x * w, axis=1)
        held = basis[:, : step + 1, :]
        for _ in range(2):  # against all earlier vectors, twice
            along = xp.matmul(held, conj(w)[:, :, None])
            w = w - xp.sum(held * conj(along), axis=1)
        beta = linalg.norm(w, axis=1)
        live = beta > _BREAKDOWN * u * size
        # a recurrence that has found all its eigenvalues goes on with zeros, which weigh nothing
        idle = linalg.norm(x, axis=1) < 0.5
        T[:, step, step] = xp.where(idle, xp.ones_like(alpha), alpha)
        x = xp.where(live[:, None], w / xp.where(live, beta, xp.ones_like(beta))[:, None], 0 * w)
        if step + 1 < most:
            beta = xp.where(live, beta, xp.zeros_like(beta))
            T[:, step, step + 1] = beta
            T[:, step + 1, step] = beta
        done = not bool(xp.any(live))
        if done or (step + 1) % _CHECK == 0 or step + 1 == most:
            found = n * gauss(T[:, : step + 1, : step + 1], function, u)
            if before is not None:
                drift = abs(float(xp.mean(found - before)))
            looks.append((step + 1, drift))
            spread = linalg.norm(found - xp.mean(found)) / max(p * (p - 1), 1) ** 0.5
            before = found
            rounding = 10 * u * float(xp.max(xp.abs(found)))
            if done or step + 1 == n:
                drift = 0.0
            if drift <= max(accept * spread, rounding):
                most, settled = step + 1, True
                break
    if not settled:
        drift = _left(looks)
    return Quadratures(start, basis[:, :most, :], T[:, :most, :most], drift, settled)


def _left(looks: list[tuple[int, float]]) -> float:
    """Estimate what further steps would change, from pairs of a step and the change up to there.

    Changes fall like a geometric series, of which the last two give the quotient.
    """
    if len(looks) < 3:
        return math.inf
    (a, _), (b, before), (c, last) = looks[-3:]
    one, other = before / (b - a), last / (c - b)
    ratio = (other / one) ** (2 / (c - a)) if one > 0 else _SLOWEST
    ratio = min(ratio, _SLOWEST)
    return max(last, other * ratio / (1 - ratio))
