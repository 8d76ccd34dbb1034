"""`huber_regression` and `tukey_regression`: find the scale, compute, certify."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lrla._core.arrays import Array, unit_roundoff
from lrla._core.errors import ConvergenceWarning, once, rank_told_once, warn
from lrla._core.iteration import Callback
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.regression._losses import bisquare, clipping, huber, huber_loss, tukey, tukey_loss
from lrla.regression._lp import lp_regression
from lrla.regression._lp_input import Question, check_options, look
from lrla.regression._one import Answer, Task, initial, predicted, prepare, rounding, settled
from lrla.sketch import whiten

_NORMAL = 0.6744897501960817  # the median of the absolute value of a standard normal
_ROUGH = 1e-3  # gap of the start that is told: rounding alone may leave less than that


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RobustResult(Result):
    """Solution of a regression that few wild values do not move.

    Parameters
    ----------
    x : array of shape (n,)
        The solution.
    objective : float
        The sum of the losses.
    gap : float or None
        For Huber's loss: the objective exceeds the least possible one by at most this fraction of
        itself. None for Tukey's, which is not convex. For x in single precision, see
        `lp_regression`.
    dual : array of shape (m,) or None
        For Huber's loss: y with A^T y = 0 and ``abs(y) <= weights * threshold * scale``, so that
        ``y @ b - sum(y**2 / weights) / 2`` is a lower bound of every objective.
    residuals : array of shape (m,)
        ``b - A @ x``, in rows of weight zero, too.
    row_weights : array of shape (m,)
        What the loss makes of each row: the weight with which least squares has the same solution,
        1 for rows it trusts, small for those it does not. Weights of yours not included.
    scale : float
        The scale of the residuals that was used.
    rank : int
        Numerical rank of A.
    status : Status
        Whether the tolerance was met before x was rounded to its dtype, and if not, why.
    info : Info
        ``method``; ``iterations`` and ``history`` of the gap, or for Tukey's loss of the gradient;
        ``condition`` of A; ``seed``, which as ``rng`` repeats the call; ``seconds``.
    """

    x: Array
    objective: float
    gap: float | None
    dual: Array | None
    residuals: Array
    row_weights: Array
    scale: float
    rank: int
    status: Status
    info: Info


@rank_told_once
def huber_regression(
    A: Any,
    b: Any,
    *,
    threshold: float = 1.345,
    scale: float | None = None,
    weights: Any = None,
    tol: float = 1e-8,
    max_iter: int = 100,
    x0: Any = None,
    callback: Callback | None = None,
    rng: Any = None,
) -> RobustResult:
    """Fit by squares of small residuals and absolute values of large ones.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, real; never changed. An intercept is a column of ones, which you add. Dask arrays
        are walked by blocks of rows, as `lp_regression` says; operators are formed densely, up to
        2**28 entries.
    b : array of shape (m,)
        The response.
    threshold : float, default 1.345
        Where squares end, in units of the scale. The default has 95 % of the efficiency of least
        squares for normal errors [1]_.
    scale : float, optional
        Scale of the errors. By default the median absolute residual of least absolute deviations,
        over 0.6745, which estimates the standard deviation of normal errors. Weights count in
        both.
    weights : array of shape (m,), optional
        Not negative: weight of each row's loss. A whole number counts a row so many times. Rows of
        weight zero are predicted: they have residuals and row weights, and no part in anything
        else.
    tol : float, default 1e-8
        Gap between the objective and its lower bound to reach, relative to the objective.
    max_iter : int, default 100
        Most iterations.
    x0 : array of shape (n,), optional
        Where to start. By default the solution of least absolute deviations, or of least squares if
        a scale is given, or if the objective is lower there.
    callback : callable, optional
        ``callback(state)`` after each iteration, with the gap as ``state.error``; returning true
        stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sketch comes from that conditions the data.

    Returns
    -------
    RobustResult
        With fields x, objective, gap, dual, residuals, row_weights, scale, rank, status and info.

    Raises
    ------
    ValueError
        If shapes do not fit, an entry is not finite, weights are negative, threshold or scale are
        not positive, more than half of the residuals are zero, or hidden by rounding, and no scale
        is given, a linear operator has more than 2**28 entries, or x is beyond the largest number
        of its dtype.
    TypeError
        If A is not a matrix of real numbers.

    Warns
    -----
    RankDeficientWarning
        If the rank is less than the number of columns.
    ConvergenceWarning
        If the gap stayed above the tolerance.

    See Also
    --------
    tukey_regression : a loss that forgets wild values altogether.
    lp_regression : p = 1 is the limit of a small threshold.

    Notes
    -----
    The loss of a residual r is ``r**2 / 2`` up to t = threshold * scale and ``t abs(r) - t**2 / 2``
    beyond. The scale stays fixed: the problem is convex, its dual is that of p = 1 with a quadratic
    term, and the interior-point method of `lp_regression` solves it. Once it is known which rows
    are beyond t, the solution is that of a linear system, and the answer exact up to rounding.

    Cost: 10 to 20 Gram matrices, m n**2 flops each, twice that without a scale.

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Statist. 35, 1964.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.regression import huber_regression
    >>> t = np.arange(20.0)
    >>> A = np.stack([np.ones(20), t], axis=1)
    >>> b = 1 + 2 * t + 0.1 * np.cos(40 * t)
    >>> b[7] += 1000
    >>> result = huber_regression(A, b)
    >>> bool(np.all(abs(result.x - [1, 2]) < 0.1)), bool(result.row_weights[7] < 1e-3)
    (True, True)
    """
    asked, found, start = _ready(
        A, b, threshold, scale, weights, tol, max_iter, x0, rng, convex=True
    )

    return _solved(
        asked, found, threshold, tol, max_iter, callback, (huber, clipping, huber_loss), start,
        convex=True,
    )  # fmt: skip


@rank_told_once
def tukey_regression(
    A: Any,
    b: Any,
    *,
    threshold: float = 4.685,
    scale: float | None = None,
    weights: Any = None,
    tol: float = 1e-8,
    max_iter: int = 500,
    x0: Any = None,
    callback: Callback | None = None,
    rng: Any = None,
) -> RobustResult:
    """Fit by a loss that is constant for large residuals: Tukey's biweight.

    Parameters
    ----------
    A, b
        As for `huber_regression`.
    threshold : float, default 4.685
        From where on residuals are ignored, in units of the scale. The default has 95 % of the
        efficiency of least squares for normal errors [1]_.
    scale, weights
        As for `huber_regression`.
    tol : float, default 1e-8
        Bound for the gradient: the part of the weighted residual that the weighted data explain,
        relative to it.
    max_iter : int, default 500
        Most iterations.
    x0 : array of shape (n,), optional
        Where to start, which decides what minimum is found. By default the solution of least
        absolute deviations.
    callback, rng
        As for `huber_regression`; the error that callbacks see is the gradient.

    Returns
    -------
    RobustResult
        With fields x, objective, residuals, row_weights, scale, rank, status and info; gap and dual
        are None.

    Raises
    ------
    ValueError, TypeError
        As for `huber_regression`.

    Warns
    -----
    RankDeficientWarning
        If the rank is less than the number of columns.
    ConvergenceWarning
        If the gradient stayed above the tolerance.
    AccuracyWarning
        If the rows that the loss does not ignore leave x free, as where x0 is far from all data; the
        status is then `Status.BREAKDOWN`.

    See Also
    --------
    huber_regression : a convex loss, with a proof that no other x is better.

    Notes
    -----
    The loss is ``c**2 / 6 (1 - (1 - (r / c)**2)**3)`` up to c = threshold * scale and constant
    beyond. It is not convex: there may be many local minima, and what is found is *one*, that
    near the start. Nothing certifies that there is no better one. Reweighted least squares never
    increases the objective [2]_; it converges linearly, m n**2 flops an iteration.

    References
    ----------
    .. [1] A. E. Beaton and J. W. Tukey, "The fitting of power series, meaning polynomials,
       illustrated on band-spectroscopic data", Technometrics 16, 1974.
    .. [2] P. W. Holland and R. E. Welsch, "Robust regression using iteratively reweighted
       least-squares", Comm. Statist. Theory Methods 6, 1977.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.regression import tukey_regression
    >>> t = np.arange(20.0)
    >>> A = np.stack([np.ones(20), t], axis=1)
    >>> b = 1 + 2 * t + 0.1 * np.cos(40 * t)
    >>> b[7] += 1000
    >>> float(tukey_regression(A, b).row_weights[7])
    0.0
    """
    asked, found, start = _ready(
        A, b, threshold, scale, weights, tol, max_iter, x0, rng, convex=False
    )

    return _solved(
        asked, found, threshold, tol, max_iter, callback, (tukey, bisquare, tukey_loss), start,
        convex=False,
    )  # fmt: skip


def _ready(
    A: Any, b: Any, threshold: float, scale: float | None, weights: Any, tol: float,
    max_iter: int, x0: Any, rng: Any, *, convex: bool,
) -> tuple[Question, tuple[float, Array | None, int], float]:  # fmt: skip
    """Check the arguments; find the scale, where to start, and the seed."""
    start = time.perf_counter()
    check_options(tol, max_iter)
    for name, value in (("threshold", threshold), ("scale", scale)):
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive and finite, got {value}")
    seed = seed_of(rng)
    asked = look(A, b, weights, 0.0, complex_ok=False)
    if not asked.vector:
        raise ValueError(f"b must have one dimension, got shape {tuple(asked.B.shape)}")
    first = initial(asked, x0)
    begin = None if first is None else first[:, 0]
    if scale is None or (begin is None and not convex):
        op = asked.op
        if asked.dtype != asked.B.dtype:  # rounding of x in single precision shall not set a scale
            op = op.scaled_rows(op.space.xp.ones_like(asked.weights))
        with once(ConvergenceWarning, told=True):  # of a tolerance that nobody asked for
            rough = lp_regression(op.A, asked.B[:, 0], 1, weights=asked.weights, tol=1e-6, rng=seed)
        if rough.gap > _ROUGH:
            warn(
                f"the relative gap of least absolute deviations, where scale and start come from, is "
                f"{rough.gap:.1e}: {rough.status.value}",
                ConvergenceWarning,
            )
        fit = asked.op.space.xp.astype(rough.x, asked.B.dtype)
        begin = fit if begin is None else begin
    if scale is None:
        scale = _median(rough.residuals, fit, asked) / _NORMAL
        if not scale > 0:
            raise ValueError(
                "scale must be given where more than half of the residuals of least absolute "
                "deviations, by weight, are zero, or so much smaller than b and A * x that rounding hides them"
            )
    return asked, (float(scale), begin, seed), start


def _median(r: Array, x: Array, asked: Question) -> float:
    """Median size of residuals, weights counting rows; zero where it is nothing but rounding."""
    xp, m, w = asked.op.space.xp, int(r.shape[0]), asked.weights
    least, size = rounding(asked.op, x, asked.B[:, 0]), abs(xp.astype(r, x.dtype))
    size = xp.where(size > least, size, xp.zeros_like(size))
    if bool(xp.all(w == w[0])):
        ordered, low, high = xp.sort(size), (m - 1) // 2, m // 2
    else:
        order = xp.argsort(size)
        ordered, reached = xp.take(size, order), xp.cumulative_sum(xp.take(w, order))
        half = float(reached[-1]) / 2
        slack = half * m * unit_roundoff(xp, w.dtype)  # what a sum may be off that meets the half
        low, high = (int(xp.count_nonzero(reached < half + s)) for s in (-slack, slack))
    return (float(ordered[low]) + float(ordered[high])) / 2


def _solved(
    asked: Question, found: tuple[float, Array | None, int], threshold: float, tol: float,
    max_iter: int, callback: Callback | None,
    loss: tuple[
        Callable[[Task, Array], Answer], Callable[[Array, Array], Array],
        Callable[[Array, Array], float],
    ],
    start: float, *, convex: bool,
) -> RobustResult:  # fmt: skip
    """Scale the rows by the roots of their weights, solve, and put the answer together."""
    (solve, trust, value), (scale, begin, seed) = loss, found
    kink = float(threshold) * scale
    xp, op = asked.op.space.xp, asked.op
    root = xp.sqrt(asked.weights)
    scaled = op if bool(xp.all(root == 1)) else op.scaled_rows(root)
    white = whiten(scaled.A, rng=seed)
    rows = prepare(scaled, xp.astype(white.T, asked.B.dtype), white.condition)

    def measure(_: Task, x: Array, r: Array) -> float:
        return value(r, kink * root)

    task = Task(
        scaled, rows, root * asked.B[:, 0], xp.ones_like(root), tol, max_iter, begin, callback,
        loss=measure if convex else None,
    )  # fmt: skip
    with np.errstate(over="ignore", invalid="ignore"):  # looked for
        answer = solve(task, kink * root)
    answer = settled(answer, scaled, task.b, answer.x, asked.dtype, partial(measure, task))
    if answer.status not in (Status.CONVERGED, Status.STOPPED, Status.BREAKDOWN):
        what = "relative gap" if convex else "relative gradient"
        warn(
            f"the {what} is {answer.gap:.1e}, above tol={tol:.1e}: {answer.status.value}",
            ConvergenceWarning,
        )
    info = Info(
        method=answer.method,
        iterations=answer.iterations,
        history=tuple(answer.history),
        condition=white.condition,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    r, rest = (answer.r / root)[:, None], predicted(asked, [answer.x])
    trusted = None if rest is None else trust(rest, kink)
    return RobustResult(
        xp.astype(answer.x, asked.dtype),
        answer.objective,
        answer.gap if convex else None,
        asked.over_rows((root * answer.y)[:, None]) if convex else None,
        asked.over_rows(r, rest),
        asked.over_rows(trust(r, kink), trusted),
        scale,
        white.rank,
        answer.status,
        info,
    )
