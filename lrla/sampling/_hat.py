"""`hat_statistics`: what each row does to a least-squares fit, without fitting again."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, as_array, check_finite, is_complex, space_of
from lrla._core.operators import Operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.sampling import _coordinates as make
from lrla.sampling._coordinates import Task
from lrla.sampling._leverage import certified, coordinates
from lrla.sampling._rows import look, row_weights
from lrla.sketch import Gaussian

METHODS = ("auto", "qr", "cholesky_qr", "gram", "sparse")
_PROBES = 8  # random vectors by which rows outside of the span of others are found
_ROUNDS = 2  # of refinement: the first solution is as accurate as T, the second as LAPACK's


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HatStatistics(Result):
    """Residuals, leverage and influence of every row of a least-squares problem.

    Parameters
    ----------
    residuals : array of shape (m,)
        ``b - A @ x`` of the least-squares solution x.
    leverage : array of shape (m,)
        Diagonal of the hat matrix.
    loo_residuals : array of shape (m,)
        What the residual of each row would be if the others alone were fitted; infinite where the
        others cannot tell.
    standardized : array of shape (m,)
        Residuals over their standard deviations (internally studentized).
    studentized : array of shape (m,)
        The same with the standard deviation of the noise estimated without the row.
    cooks_distance : array of shape (m,)
        How far the fit moves, in units of its noise, when the row is left out.
    press : float
        Weighted sum of squares of ``loo_residuals``.
    sigma : float
        Estimated standard deviation of the noise of a row of weight one; NaN if there are no more
        rows than the rank.
    x : array of shape (n,)
        The solution; one of them if A is rank deficient.
    rank : int
        Numerical rank of A.
    status : Status
        `Status.CONVERGED`.
    info : Info
        ``n_pinned``, rows with leverage 1 to rounding, for which the statistics that divide by
        zero are infinite; ``degrees_of_freedom``; and what `leverage_scores` says.
    """

    residuals: Array
    leverage: Array
    loo_residuals: Array
    standardized: Array
    studentized: Array
    cooks_distance: Array
    press: float
    sigma: float
    x: Array
    rank: int
    status: Status
    info: Info


def hat_statistics(
    A: Any,
    b: Any,
    *,
    method: str = "auto",
    weights: Any = None,
    rcond: float | None = None,
    rng: Any = None,
) -> HatStatistics:
    """Compute leverage, leave-one-out residuals and influence for all rows of a regression.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data; never changed.
    b : array of shape (m,)
        Right-hand side, in the array library of A.
    method : {"auto", "qr", "cholesky_qr", "gram", "sparse"}, default "auto"
        How leverage is computed, see `leverage_scores`.
    weights : array of shape (m,), optional
        Not negative: of a weighted least-squares problem. Rows of weight zero are predicted, and
        do not count.
    rcond : float, optional
        As for `leverage_scores`.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of a sketch comes from; the statistics depend on it by rounding only.

    Returns
    -------
    HatStatistics
        With one array for each statistic, press, sigma, x, rank, status and info.

    Raises
    ------
    ValueError
        If shapes do not fit, or an entry is not finite.
    TypeError
        If A and b are of different array libraries or devices, or are not numbers.

    Warns
    -----
    RankDeficientWarning
        If the columns of A are dependent. Residuals and all statistics are unique nevertheless, but
        for residuals of rows of weight zero that are no combinations of rows with weight: they
        depend on which x is returned, and their ``loo_residuals`` are infinite.

    See Also
    --------
    leverage_scores : the leverage alone, also of ridges and subspaces.

    Notes
    -----
    With residual e, leverage h, weight w, rank r and sigma**2 = sum(w e**2) / (m - r) [1]_::

        loo_residual  e / (1 - h)
        standardized  sqrt(w) e / (sigma sqrt(1 - h))
        studentized   the same, sigma**2 replaced by (sigma**2 (m - r) - w e**2 / (1 - h)) / (m - r - 1)
        Cook          standardized**2 h / (r (1 - h))

    The hat matrix is never formed. Cost: that of `leverage_scores`, and six passes over A.

    References
    ----------
    .. [1] R. D. Cook and S. Weisberg, "Residuals and influence in regression", Chapman and Hall,
       1982.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import hat_statistics
    >>> A = np.column_stack((np.ones(5), np.arange(5.0)))
    >>> result = hat_statistics(A, np.array([0.0, 1, 2, 3, 9]), rng=7)
    >>> result.loo_residuals.round(3)
    array([ 2.5  ,  0.   , -1.25 , -2.857,  5.   ])
    """
    start = time.perf_counter()
    op = look(A)
    b = as_array(b, "b", ndim=(1,))
    space_of(b, op.space.zeros((0,), op.dtype))
    if b.shape[0] != op.shape[0]:
        raise ValueError(f"b must have one entry for each row of A, got {b.shape[0]} for {op.shape[0]}")  # fmt: skip
    check_finite(b, "b")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    w = row_weights(op, weights)
    task = Task(op, w, 0.0, make.as_fraction(rcond, "rcond"), seed_of(rng), "asked for")
    found = coordinates(task, method)
    hat = certified(task, found, start)
    x, e = _fit(op, found.T, b, w)
    lost = None
    if w is not None and hat.rank < op.shape[1] and bool(op.space.xp.any(w == 0)):
        lost = _outside(op, found.T, w, task.seed)
    return _statistics(op, x, e, hat.scores, w, lost, hat.rank, hat.info)


def _fit(op: Operator, T: Array, b: Array, w: Array | None) -> tuple[Array, Array]:
    """Solve by whitened coordinates and refine; return the solution and its residual."""
    xp = op.space.xp
    if is_complex(b) and not xp.isdtype(op.dtype, "complex floating"):
        T = xp.astype(T, b.dtype)
    # products of A and b shall neither overflow nor underflow
    unit = math.ldexp(1.0, math.frexp(float(xp.max(abs(b))))[1] - 1)
    B = xp.astype(b / unit, T.dtype, copy=False)[:, None]
    x, R = op.space.zeros((int(T.shape[0]), 1), T.dtype), B
    for _ in range(1 + _ROUNDS):
        gradient = op.rmatmat(R if w is None else w[:, None] * R)
        x = x + T @ (adjoint(T) @ gradient)
        R = B - op.matmat(x)
    return unit * x[:, 0], unit * R[:, 0]


def _outside(op: Operator, T: Array, w: Array, seed: int) -> Array:
    """Find rows of weight zero that are no combinations of the rows with weight.

    The part of a row outside of their span is seen in its products with random vectors of the null
    space of these rows, its length in those with the vectors that these came from.
    """
    xp = op.space.xp
    H = op.rmatmat(w[:, None] * op.matmat(T))  # H T^H projects rows on those with weight
    sizes = linalg.norm(H, axis=1)  # of the columns, rows of weight zero apart
    if not bool(xp.all(sizes > 0)):
        random = Gaussian(_PROBES, op.shape[0], rng=seed).T.apply(op.space.eye(_PROBES, T.dtype))
        sizes = xp.where(sizes > 0, sizes, linalg.norm(op.rmatmat(random), axis=1))
    units = xp.where(sizes > 0, sizes, xp.ones_like(sizes))[:, None]
    g = Gaussian(_PROBES, int(T.shape[0]), rng=seed).T.apply(op.space.eye(_PROBES, T.dtype)) / units
    v = g - T @ (adjoint(H) @ g)
    part, whole = (linalg.norm(op.matmat(x), axis=1) for x in (v, g))
    return (w == 0) & (part > math.sqrt(float(xp.finfo(op.real_dtype).eps)) * whole)


def _statistics(
    op: Operator, x: Array, e: Array, h: Array, w: Array | None, lost: Array | None, rank: int,
    info: Info,
) -> HatStatistics:  # fmt: skip
    xp = op.space.xp
    counted = op.shape[0] if w is None else int(xp.sum(xp.astype(w > 0, xp.int64)))
    freedom = counted - rank
    noise = 16 * float(xp.finfo(op.real_dtype).eps) * rank + 10 * info.error_estimate
    pinned = h >= 1 - noise
    ones, infinite = xp.ones_like(h), xp.zeros_like(h) + math.inf
    free = xp.where(pinned, ones, 1 - h)
    size = abs(e) if w is None else abs(e) * xp.sqrt(w)
    # what the fit leaves of a row that it has to fit exactly is rounding
    left = xp.where(pinned, xp.zeros_like(size), size)
    unit = float(xp.max(left)) or 1.0  # squares shall neither overflow nor underflow
    size = size / unit
    total = _sum_of_squares(left / unit)
    spread = math.sqrt(total / freedom) if freedom > 0 else math.nan
    scale = spread if spread > 0 else 1.0  # a perfect fit has no outliers
    standardized = xp.where(pinned, infinite, size / (scale * xp.sqrt(free)))
    # of the noise without the row, in units of that with it
    squares = xp.where(pinned, xp.zeros_like(size), standardized**2)
    rest = (freedom - squares) / max(freedom - 1, 1)
    sure = pinned | (rest <= 0) | (freedom < 2)
    studentized = xp.where(sure, infinite, standardized / xp.sqrt(xp.where(sure, ones, rest)))
    loo = xp.where(pinned if lost is None else pinned | lost, infinite, abs(e) / free)
    cook = xp.where(pinned, infinite, squares * h / (max(rank, 1) * free))
    n_pinned = int(xp.sum(xp.astype(pinned, xp.int64)))
    press = math.inf if n_pinned else unit * (unit * _sum_of_squares(size / free))
    return HatStatistics(
        residuals=e,
        leverage=h,
        loo_residuals=_signed(loo, e),
        standardized=_signed(standardized, e),
        studentized=_signed(studentized, e),
        cooks_distance=cook,
        press=press,
        sigma=unit * spread,
        x=x,
        rank=rank,
        status=Status.CONVERGED,
        info=Info(**{**info, "n_pinned": n_pinned, "degrees_of_freedom": freedom}),
    )


def _sum_of_squares(x: Array) -> float:
    xp = space_of(x).xp
    return float(xp.sum(xp.astype(x, xp.float64) ** 2))


def _signed(size: Array, e: Array) -> Array:
    """Return numbers of these sizes with the sign or phase of e; 1 for 0, so that infinities stay."""
    xp = space_of(e).xp
    zero = e == 0
    sign = xp.where(zero, xp.ones_like(e), e / xp.where(zero, xp.ones_like(abs(e)), abs(e)))
    if not is_complex(e):
        return size * sign
    infinite = xp.isinf(size)  # times a complex number it would be NaN
    finite = xp.where(infinite, xp.ones_like(size), size) * sign
    return xp.where(infinite, xp.astype(size, e.dtype), finite)
