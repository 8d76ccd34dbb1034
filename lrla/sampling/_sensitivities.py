"""`sensitivities`: the largest share of an l_p norm that each row can have."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, unit_roundoff
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.operators import Operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla._core.threads import ranges
from lrla.kernels import lp_sensitivity
from lrla.sampling._leverage import leverage_scores
from lrla.sampling._lp_frame import Frame, as_p, dense, frame
from lrla.sampling._probabilities import as_size
from lrla.sampling._sample_rows import sample_rows

METHODS = ("auto", "full", "lewis", "lewis_bounds")
_PAIR, _ROW = 8e-11, 3e-8  # seconds of a step for each row and pair of columns; for each row
_STEPS = 12  # of one problem, as a rule
_PATIENCE = 5.0  # seconds for which "auto" asks for all rows of the reference
_MAX_ITER = 100
_BLOCK = 1 << 22  # entries of residuals that are held at a time


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SensitivityResult(Result):
    """Sensitivities of rows in the p-norm, with bounds on both sides.

    Parameters
    ----------
    scores : array of shape (k,)
        Estimates, between the bounds.
    lower, upper : array of shape (k,)
        What the sensitivity is certainly not below, by an x, and not above, by a dual vector.
    total : float
        Sum of the scores: the total sensitivity, if all rows were asked for.
    rank : int
        Numerical rank of A.
    status : Status
        Whether all problems were solved to the tolerance.
    info : Info
        ``method``, ``reason``; ``gap``, the largest of ``upper / lower - 1``; ``size``, rows of the
        matrix that the problems were solved on; ``lewis_total``, the sum of the Lewis weights;
        ``seed``; ``seconds``.
    """

    scores: Array
    lower: Array
    upper: Array
    total: float
    rank: int
    status: Status
    info: Info


def sensitivities(
    A: Any,
    p: float,
    *,
    rows: Any = None,
    method: str = "auto",
    size: int | None = None,
    tol: float = 1e-5,
    rng: Any = None,
) -> SensitivityResult:
    """Compute ``max_x abs(a_i @ x)**p / sum(abs(A @ x)**p)`` for rows a_i of A.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, real; formed densely.
    p : float
        The norm, at least 1; infinity stands for ``abs(a_i @ x) / max(abs(A @ x))``. Any positive p
        with ``method="lewis_bounds"``.
    rows : array of int, shape (k,), optional
        Which rows to compute; all by default.
    method : {"auto", "full", "lewis", "lewis_bounds"}, default "auto"
        "full": solve the problem of each row over all rows. "lewis": solve it over a sample of rows
        by Lewis weights, and evaluate the solution over all rows: that gives scores and lower
        bounds, which are the closer the larger the sample is, and looser upper bounds.
        "lewis_bounds": no problem is solved; the bounds are those by Lewis weights, which are
        apart by at most a factor ``rank ** abs(p / 2 - 1)`` and a little more, and the scores are
        upper bounds. "auto": "full", unless that would take more than a few seconds. For p = 2 all
        give leverage scores.
    size : int, optional
        Rows of the sample of "lewis". The default, with r the rank, is ``25 r + 10 r log(r)`` for
        p < 2 and ``25 r**(p/2)``, at most 20000, for p > 2.
    tol : float, default 1e-5
        Relative gap of the bounds at which a problem over the reference counts as solved.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sample comes from.

    Returns
    -------
    SensitivityResult
        With fields scores, lower, upper, total, rank, status and info.

    Raises
    ------
    ValueError
        If A is empty or not finite, p is out of range, the method unknown or not possible for
        this p, or a row number out of range.
    TypeError
        If A is not a matrix of real numbers.

    Warns
    -----
    ConvergenceWarning
        If some problem was not solved to ``tol``; the bounds hold all the same.
    RankDeficientWarning
        If the columns of A are dependent.

    See Also
    --------
    total_sensitivity : their sum, from a few of them.
    lewis_weights : within a factor of them, for all rows at once.

    Notes
    -----
    The sensitivity is the inverse of ``min sum(abs(A @ x)**p)`` over x with ``a_i @ x = 1``, and,
    with 1/p + 1/q = 1, the power p of the least ``norm_q(y)`` over y with ``A.T @ y = a_i``
    [1]_: any such x and any such y are bounds. Problems are solved in the coordinates of the Lewis
    weights w by Newton's method with exact line searches, for p = 1 and infinity by Mehrotra's
    interior-point method; the dual vectors that either makes are evaluated with what they miss of
    a_i, so the bounds hold to rounding whatever the solver did.

    Scores are at most 1, do not change when A is multiplied by an invertible matrix from the right,
    and do not rise when rows are added. With r the rank, ``r**(p/2 - 1) * w <= s <= w`` for p <= 2
    and the reverse for p >= 2 [1]_; the bounds given here hold for the approximate weights at hand.

    Cost: ``k * m * r**2`` flops about 10 to 15 times ("full"; m is ``size`` for "lewis", which
    adds ``4 k m r``), and the Lewis weights. In double precision.

    References
    ----------
    .. [1] S. Padmanabhan, D. P. Woodruff and Q. Zhang, "Computing approximate l_p sensitivities",
       NeurIPS 2023, arXiv:2311.04158.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import sensitivities
    >>> A = np.random.default_rng(7).standard_t(2, (500, 4))
    >>> s = sensitivities(A, 1)
    >>> bool(np.all((s.lower <= s.scores) & (s.scores <= s.upper) & (s.upper <= 1)))
    True
    >>> s.info.gap < 1e-5, 1 < s.total < 4
    (True, True)
    """
    start = time.perf_counter()
    p = check(p, method, size, tol)
    op, dtype = dense(A)
    index = which(op, rows)
    seed = seed_of(rng)
    solver = Solver(op, p, method, size, tol, seed, index.shape[0])
    found = solver(index)
    gap = worst_gap(op, found)
    if not found.solved:
        warn(f"not every problem was solved to tol={tol}: bounds are apart by {gap:.1e}",
             ConvergenceWarning)  # fmt: skip
    info = Info(
        method=solver.method,
        reason=solver.reason,
        gap=gap,
        size=solver.size,
        lewis_total=solver.lewis_total,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    status = Status.CONVERGED if found.solved else Status.MAX_ITER
    total = float(op.space.xp.sum(found.scores))
    scores, lower, upper = _narrow(op, found, dtype)
    return SensitivityResult(scores, lower, upper, total, solver.rank, status, info)


def check(p: Any, method: str, size: Any, tol: float) -> float:
    """Check what all functions for sensitivities take; return p."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    p = as_p(p, least=0.0 if method == "lewis_bounds" else 1.0, infinite=True)
    if not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    if size is not None:
        as_size(size)
    if math.isinf(p) and method == "lewis":
        raise ValueError(
            "method must be 'auto', 'full' or 'lewis_bounds' for infinite p, got 'lewis': no "
            "sample of rows keeps that norm"
        )
    return p


def _narrow(op: Operator, found: Bounds, dtype: Any) -> tuple[Array, Array, Array]:
    """Round to the dtype of the data, bounds outwards."""
    xp = op.space.xp
    if dtype == xp.float64:
        return found.scores, found.lower, found.upper
    u = 2 * unit_roundoff(xp, dtype)
    upper = xp.minimum(found.upper * (1 + u), xp.ones_like(found.upper))
    return (
        xp.astype(found.scores, dtype),
        xp.astype(found.lower * (1 - u), dtype),
        xp.astype(upper, dtype),
    )


def which(op: Operator, rows: Any) -> Array:
    """Check row numbers; None stands for all."""
    xp, m = op.space.xp, op.shape[0]
    if rows is None:
        return xp.arange(m, dtype=xp.int64, device=op.space.device)
    if isinstance(rows, list | tuple | range):
        rows = np.asarray(rows, dtype=None if len(rows) else np.int64)
    if isinstance(rows, np.ndarray):
        if rows.dtype.kind not in "iu" or rows.ndim != 1:
            raise ValueError(
                f"rows must be a vector of integers, got {rows.dtype} of shape {rows.shape}"
            )
        rows = op.space.asarray(rows.astype(np.int64))
    rows = xp.astype(rows, xp.int64)
    if bool(xp.any((rows < 0) | (rows >= m))):
        raise ValueError(f"rows must be at least 0 and less than {m}, the number of rows of A")
    return rows


def worst_gap(op: Operator, found: Bounds) -> float:
    """Return the largest relative distance of two bounds."""
    xp = op.space.xp
    positive = found.lower > 0
    if not bool(xp.any(positive)):
        return 0.0
    low = xp.where(positive, found.lower, xp.ones_like(found.lower))
    return float(xp.max(xp.where(positive, found.upper / low - 1, 0.0 * low)))


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Scores with bounds, and whether all problems were solved to their tolerance."""

    scores: Array
    lower: Array
    upper: Array
    solved: bool


class Solver:
    """Sensitivities of any rows of one matrix: what they share is computed once."""

    def __init__(
        self, op: Operator, p: float, method: str, size: int | None, tol: float, seed: int,
        count: int,
    ) -> None:  # fmt: skip
        self.op, self.p, self.tol = op, p, tol
        self.space, self.m = op.space, op.shape[0]
        self.leverage = p == 2
        if self.leverage:
            found = leverage_scores(op.A, rng=seed)
            self.rank, self.lewis_total = found.rank, float(found.rank)
            self.known = found.scores
            self.method, self.reason, self.size = "leverage", "p is 2", self.m
            return
        self.frame: Frame = frame(op, p, seed)
        self.rank = self.frame.rank
        self.lewis_total = float(self.space.xp.sum(self.frame.weights))
        wanted = default_size(self.rank, p) if size is None else int(size)
        seconds = count * self.m * _STEPS * (_PAIR * self.rank**2 + _ROW)
        self.method, self.reason = method, "asked for"
        if method == "auto":
            full = seconds < _PATIENCE or wanted >= self.m or math.isinf(p)
            self.method = "full" if full else "lewis"
            self.reason = f"all rows would take {seconds:.2g} seconds"
        self.B, self.size = self.frame.U, self.m
        if self.method == "lewis" and wanted < self.m and self.rank:
            sample = sample_rows(self.frame.weights, wanted, rng=seed)
            self.B, self.size = sample.rows(self.frame.U, p), len(sample)
        elif self.method == "lewis_bounds":
            self.size = 0

    def __call__(self, index: Array) -> Bounds:
        """Bound the sensitivities of the rows of these numbers."""
        xp = self.space.xp
        if self.leverage:
            s = xp.take(self.known, index)
            return Bounds(s, s, s, True)
        rows = xp.take(self.frame.U, index, axis=0)
        low, high = self.frame.bounds(rows)
        if self.method == "lewis_bounds" or self.rank == 0 or 0 in rows.shape:
            return Bounds(high, low, high, True)
        nonzero = self.frame.lengths(rows) > 0
        places = xp.nonzero(nonzero)[0]
        lower, upper, solved = self._solve(xp.take(rows, places, axis=0))
        if places.shape[0] < rows.shape[0]:  # rows of zeros keep the bounds 0 and 0
            back = xp.cumulative_sum(xp.astype(nonzero, xp.int64)) - 1
            back = xp.where(nonzero, back, xp.zeros_like(back))
            zero = xp.zeros_like(low)
            if places.shape[0]:
                lower = xp.where(nonzero, xp.take(lower, back), zero)
                upper = xp.where(nonzero, xp.take(upper, back), zero)
            else:
                lower, upper = zero, zero
        lower, upper = xp.maximum(lower, low), xp.minimum(upper, high)
        lower = xp.minimum(lower, upper)  # they may cross by rounding
        scores = lower if self.size < self.m else xp.sqrt(lower * upper)
        return Bounds(scores, lower, upper, solved)

    def _solve(self, rows: Array) -> tuple[Array, Array, bool]:
        """Solve the problems of some rows that are not zero."""
        xp, p, slack = self.space.xp, self.p, self.frame.slack
        lower, upper, solved = [], [], True
        for a, b in ranges(rows.shape[0], max(32, _BLOCK // max(self.B.shape[0], 1))):
            part = rows[a:b, :]
            if p == 1:
                found = lp_sensitivity.interior(part, self.B, self.tol, _MAX_ITER, slack)
            elif math.isinf(p):
                found = lp_sensitivity.chebyshev(part, self.B, self.tol, _MAX_ITER, slack)
            else:
                found = lp_sensitivity.newton(part, self.B, p, self.tol, _MAX_ITER, slack)
            low, high, X = found
            solved = solved and bool(xp.all(high <= (1 + self.tol) * low))
            if self.size < self.m:
                low, high = self._everywhere(part, X)
            lower.append(low)
            upper.append(high)
        if not lower:
            empty = self.space.zeros((0,), rows.dtype)
            return empty, empty, True
        return xp.concat(lower), xp.concat(upper), solved

    def _everywhere(self, rows: Array, X: Array) -> tuple[Array, Array]:
        """Evaluate solutions over all rows: the norms, and the dual vectors that they suggest."""
        xp, U, p = self.space.xp, self.frame.U, self.p
        X = X / xp.sum(rows * X, axis=1)[:, None]
        norm = self.space.zeros((X.shape[0],), X.dtype)
        gradient = xp.zeros_like(X)
        for a, b in ranges(self.m, max(1, _BLOCK // max(X.shape[0], 1))):
            R = U[a:b, :] @ X.T
            V = xp.abs(R) ** (p - 1) * xp.sign(R)
            norm = norm + xp.sum(V * R, axis=0)
            gradient = gradient + V.T @ U[a:b, :]
        missed = self.frame.lengths(rows - gradient / norm[:, None])
        return 1 / norm, (norm ** (-1 / p) + self.frame.slack * missed) ** p


def default_size(rank: int, p: float) -> int:
    """Rows of a Lewis sample on which problems are solved."""
    if p < 2:
        return math.ceil(25 * rank + 10 * rank * math.log(max(rank, 1)))
    return min(20_000, math.ceil(25 * float(rank) ** min(p / 2, 20.0)))
