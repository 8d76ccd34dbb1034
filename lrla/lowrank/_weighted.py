"""Low-rank approximation with a weight for each entry."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import (
    Array,
    Space,
    adjoint,
    as_array,
    check_finite,
    real_dtype,
    space_of,
    unit_roundoff,
)
from lrla._core.errors import AccuracyWarning, ConvergenceWarning, warn
from lrla._core.iteration import Callback, Loop
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.lowrank._eigh import check_rank
from lrla.lowrank._matrix import conj
from lrla.lowrank._svd import signs, svd

# relative to the largest diagonal entry, added to the normal equations of a row: rows with fewer
# weights than unknowns have many solutions, and this takes about the shortest
_RIDGE = 1e-14


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WeightedLowRankResult(Result):
    """A weighted low-rank approximation U diag(s) Vh; unpacks as ``U, s, Vh``.

    Parameters
    ----------
    U : array of shape (m, rank)
        Orthonormal columns.
    s : array of shape (rank,)
        Singular values of the approximation, decreasing.
    Vh : array of shape (rank, n)
        Orthonormal rows.
    objective : float
        ``sum(weights * abs(A - U diag(s) Vh)**2)``; where no float is that large or that small,
        infinity or zero, and ``info.relative_objective`` tells.
    lower_bound : float
        No approximation of this rank has a smaller objective.
    status : Status
        Whether the point is stationary to the tolerance.
    info : Info
        ``gradient``: norm of the gradient relative to that at zero; ``history`` of it;
        ``relative_objective``: the objective over ``sum(weights * abs(A)**2)``, whatever the scale;
        ``objectives`` after each sweep, never increasing; ``method``, ``seed``, ``seconds``.
    """

    U: Array
    s: Array
    Vh: Array
    objective: float
    lower_bound: float
    status: Status
    info: Info

    def __iter__(self) -> Iterator[Any]:
        return iter((self.U, self.s, self.Vh))


def weighted_lowrank(
    A: Any,
    weights: Any,
    rank: int,
    *,
    tol: float = 1e-6,
    max_iter: int = 1000,
    callback: Callback | None = None,
    rng: Any = None,
) -> WeightedLowRankResult:
    """Minimise ``sum(weights * abs(A - X)**2)`` over matrices X of a given rank.

    Parameters
    ----------
    A : array of shape (m, n)
        The matrix. Entries of weight zero do not matter, but must be finite.
    weights : array of shape (m, n)
        Non-negative weight of each entry.
    rank : int
        Rank of X.
    tol : float, default 1e-6
        Norm of the gradient, relative to that at X = 0, at which to stop.
    max_iter : int, default 1000
        Limit of the sweeps.
    callback : callable, optional
        ``callback(state)`` after each sweep, with the relative gradient as ``state.error``; true
        stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the start comes from.

    Returns
    -------
    WeightedLowRankResult
        With fields U, s, Vh, objective, lower_bound, status and info.

    Raises
    ------
    ValueError
        If shapes do not fit, weights are negative or all zero, an entry is not finite, or rank is
        not between 1 and min(m, n).

    Warns
    -----
    ConvergenceWarning
        If the gradient stayed above the tolerance.
    AccuracyWarning
        If entries are so large or so small that no float is the objective; the answer is none the
        worse.

    See Also
    --------
    svd : all weights equal.

    Notes
    -----
    Weights that are products of one for the row and one for the column have a closed solution, the
    SVD of the scaled matrix. All others make the problem NP-hard [1]_, and the answer is a stationary
    point: alternately the rows of either factor are solved for exactly, a small weighted regression
    each [2]_, so the objective never increases. The start is the solution for the weights nearest to
    a product, their rank-one approximation.

    How far from optimal it can be: with any product of row and column weights that is nowhere larger
    than the weights, the closed solution is a lower bound. ``lower_bound`` is the better of those
    from the least weight of each row and of each column; 0 if every row and column has a weight of
    zero.

    Cost: 4 m n rank**2 flops for each sweep.

    References
    ----------
    .. [1] N. Gillis and F. Glineur, "Low-rank matrix approximation with weights or missing data is
       NP-hard", SIAM J. Matrix Anal. Appl. 32, 2011.
    .. [2] K. R. Gabriel and S. Zamir, "Lower rank approximation of matrices by least squares with
       any choice of weights", Technometrics 21, 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import weighted_lowrank
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_normal((60, 2)) @ rng.standard_normal((2, 40))
    >>> spoilt = rng.random((60, 40)) < 0.2
    >>> U, s, Vh = weighted_lowrank(A + 9.0 * spoilt, ~spoilt, 2, rng=7)
    >>> bool(np.allclose((U * s) @ Vh, A, atol=1e-4))
    True
    """
    start = time.perf_counter()
    A, W, space = _look(A, weights)
    rank = check_rank(rank, min(A.shape))
    if not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, got {max_iter}")
    seed = seed_of(rng)
    xp = space.xp
    A = xp.where(W > 0, A, xp.zeros_like(A))  # those without weight have no say in anything
    size, top = float(xp.max(xp.abs(A))) or 1.0, float(xp.max(W))
    # squares neither overflow nor underflow, nor do weights in the precision of A
    A, W = A / size, xp.astype(W / top, real_dtype(xp, A.dtype), copy=False)
    problem = _Problem(space, A, W, rank, seed)
    loop = Loop("weighted_lowrank", max_iter=max_iter, callback=callback)
    objectives: list[float] = []
    if problem.product is not None:
        method, (U, V) = "svd", problem.closed(*problem.product)
        status, gradient = Status.CONVERGED, problem.gradient(U, V)
        objectives.append(problem.objective(U, V))
    else:
        method = "als"
        with loop.interruptible():
            U, V = problem.alternate(loop, tol, objectives)
        gradient = loop.history[-1]
        assert loop.status is not None
        status = loop.status
        if status is Status.MAX_ITER:
            warn(
                f"the relative gradient is {gradient:.1e}, above tol={tol:.1e}: {status.value}",
                ConvergenceWarning,
            )
    U, s, Vh = _singular(U, V)
    whole = float(xp.sum(W * xp.abs(A) ** 2))
    info = Info(
        gradient=gradient,
        relative_objective=objectives[-1] / whole if whole else 0.0,
        history=tuple(loop.history),
        objectives=tuple(_product(value, size, size, top) for value in objectives),
        method=method,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    bound = objectives[-1] if method == "svd" else min(problem.lower_bound(), objectives[-1])
    objective, bound = info.objectives[-1], _product(bound, size, size, top)
    if objectives[-1] > 0 and not sys.float_info.min <= objective < math.inf:
        warn(
            f"objective and lower_bound are {'too large' if objective else 'too small'} for a "
            f"float, got {objective:.3g}; read info.relative_objective, or divide A by its largest "
            f"entry, {size:.1e}",
            AccuracyWarning,
        )
    return WeightedLowRankResult(U, s * size, Vh, objective, bound, status, info)


def _product(*factors: float) -> float:
    """Multiply numbers of which partial products may overflow or underflow."""
    parts = [math.frexp(factor) for factor in factors]
    exponent = sum(part[1] for part in parts)
    try:
        return math.ldexp(math.prod(part[0] for part in parts), exponent)
    except OverflowError:
        return math.inf


def _look(A: Any, weights: Any) -> tuple[Array, Array, Space]:
    A, W = as_array(A, "A"), as_array(weights, "weights")
    space = space_of(A, W)
    xp = space.xp
    if 0 in A.shape:
        raise ValueError(f"A must have at least one row and one column, got shape {A.shape}")
    if tuple(A.shape) != tuple(W.shape):
        raise ValueError(
            f"weights must have the shape of A, got {tuple(W.shape)} and {tuple(A.shape)}"
        )
    check_finite(A, "A")
    if not xp.isdtype(W.dtype, "real floating") or not bool(
        xp.all(xp.isfinite(W)) and xp.all(W >= 0) and xp.any(W > 0)
    ):
        raise ValueError("weights must be finite, not negative, and not all zero")
    return A, W, space


class _Problem:
    """The data of one call, entries and weights at most 1."""

    def __init__(self, space: Space, A: Array, W: Array, rank: int, seed: int) -> None:
        self.space, self.A, self.W, self.rank, self.seed = space, A, W, rank, seed
        self.u = unit_roundoff(space.xp, W.dtype)
        self.WA = W * A
        self.product = self._as_product()

    def _as_product(self) -> tuple[Array, Array] | None:
        """Write the weights as row weights times column weights, if they are that, and positive."""
        xp, W = self.space.xp, self.W
        p, q = W[:, :1], W[:1, :] / W[0, 0] if float(W[0, 0]) > 0 else W[:1, :]
        if not bool(xp.all(p > 0)) or not bool(xp.all(q > 0)):
            return None
        return (p, q) if bool(xp.all(xp.abs(W - p * q) <= 8 * self.u * W)) else None

    def closed(self, p: Array, q: Array) -> tuple[Array, Array]:
        """Solve the problem with weights p q, of shapes (m, 1) and (1, n)."""
        xp = self.space.xp
        U, s, Vh = svd(xp.sqrt(p) * self.A * xp.sqrt(q), self.rank, rng=self.seed)
        return U * s[None, :] / xp.sqrt(p), adjoint(Vh) / xp.sqrt(q).T

    def start(self) -> tuple[Array, Array]:
        """Solve with the positive weights p q nearest to the given ones."""
        xp = self.space.xp
        left, s, right = svd(self.W, 1, rng=self.seed)
        p, q = xp.abs(left) * float(s[0]) ** 0.5, xp.abs(right) * float(s[0]) ** 0.5
        floor = 1e-6  # rows without weight get some, for the division
        p = xp.where(p > floor, p, floor + 0 * p)
        return self.closed(p, xp.where(q > floor, q, floor + 0 * q))

    def rows(self, V: Array, *, flipped: bool) -> Array:
        """Solve for the rows of the other factor, one weighted regression each."""
        xp, k = self.space.xp, self.rank
        W, WA = (self.W.T, conj(self.WA.T)) if flipped else (self.W, self.WA)
        pairs = xp.reshape(V[:, :, None] * conj(V)[:, None, :], (V.shape[0], k * k))
        G = xp.reshape(xp.astype(W, V.dtype, copy=False) @ pairs, (W.shape[0], k, k))
        diagonal = xp.real(xp.linalg.diagonal(G)) if V.dtype != W.dtype else xp.linalg.diagonal(G)
        top = xp.max(diagonal, axis=1)
        ridge = xp.where(top > 0, (_RIDGE + 10 * self.u) * top, xp.ones_like(top))
        G = G + xp.astype(ridge, V.dtype)[:, None, None] * self.space.eye(k, V.dtype)[None, :, :]
        right = (WA @ V)[:, :, None]
        return xp.linalg.solve(G, right)[:, :, 0]

    def residual(self, U: Array, V: Array) -> Array:
        """Return A - U V^H."""
        return self.A - U @ adjoint(V)

    def objective(self, U: Array, V: Array) -> float:
        """Sum the weighted squares."""
        return float(self.space.xp.sum(self.W * self.space.xp.abs(self.residual(U, V)) ** 2))

    def gradient(self, U: Array, V: Array) -> float:
        """Return the norm of the gradient on the matrices of this rank, relative to that at 0."""
        Q, _ = self.space.xp.linalg.qr(U, mode="reduced")
        P, _ = self.space.xp.linalg.qr(V, mode="reduced")
        G = self.W * self.residual(U, V)
        inside = math.hypot(linalg.norm(G @ P), linalg.norm(adjoint(Q) @ G))
        whole = linalg.norm(self.WA)
        return inside / whole if whole else 0.0

    def alternate(self, loop: Loop, tol: float, objectives: list[float]) -> tuple[Array, Array]:
        """Solve for the rows of either factor in turns."""
        xp = self.space.xp
        U, V = self.start()
        for _ in loop:
            V, _ = xp.linalg.qr(V, mode="reduced")
            U = self.rows(V, flipped=False)
            U, _ = xp.linalg.qr(U, mode="reduced")
            V = self.rows(U, flipped=True)
            objectives.append(self.objective(U, V))
            if loop.report(self.gradient(U, V), (U, V)) <= tol:
                loop.stop(Status.CONVERGED)
        return U, V

    def lower_bound(self) -> float:
        """Bound the objective below by that of product weights that are nowhere larger."""
        xp, best = self.space.xp, 0.0
        for axis in (0, 1):
            root = xp.sqrt(xp.min(self.W, axis=axis, keepdims=True))
            s = linalg.svdvals(root * self.A)
            rounding = max(self.A.shape) * self.u * s[0]  # a bound must not come of that
            s = xp.where(s > rounding, s - rounding, xp.zeros_like(s))
            best = max(best, linalg.norm(s[self.rank :]) ** 2)
        return best


def _singular(U: Array, V: Array) -> tuple[Array, Array, Array]:
    """Turn U V^H into its singular value decomposition."""
    xp = space_of(U).xp
    Q, R = xp.linalg.qr(U, mode="reduced")
    P, T = xp.linalg.qr(V, mode="reduced")
    L, s, Rh = linalg.svd(R @ adjoint(T))
    left, right = Q @ L, P @ adjoint(Rh)
    phase = signs(left)
    return left * conj(phase)[None, :], s, phase[:, None] * adjoint(right)
