"""`quantile_regression`: look at the input, compute for each level, certify."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import NormalDist
from typing import Any

from lrla._core.arrays import Array, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.iteration import Callback
from lrla._core.operators import Operator, as_operator
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla.regression._bootstrap import bootstrap
from lrla.regression._lp_input import Question, check_options, look
from lrla.regression._one import (
    Answer,
    Task,
    predicted,
    prepare,
    products,
    rounding,
    settled,
    solve,
    summary,
)
from lrla.regression._piecewise import interior, tilted_loss
from lrla.regression._pilot import likely, near_enough, pays, piloted
from lrla.regression._rows import gram_of
from lrla.sketch import whiten

_UNKNOWN = 1e-10  # of the largest density: what rounding leaves of none
_HIDDEN = 0.2  # of what densities are told from, on average: more than that must not be rounding


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class QuantileResult(Result):
    """Conditional quantiles, and a proof of how good they are.

    Parameters
    ----------
    x : array of shape (n,) or (n, k)
        The coefficients, one column for each level if tau is an array.
    objective : float or array of shape (k,)
        ``sum(weights * maximum(tau * r, (tau - 1) * r))``.
    gap : float or array of shape (k,)
        The objective exceeds the least possible one by at most this fraction of itself: it is
        compared with that of ``dual``. Zero where the residual is nothing but rounding. For x in
        single precision, see `lp_regression`.
    dual : array of shape (m,) or (m, k)
        y with A^T y = 0 and ``tau - 1 <= y / weights <= tau``, so that ``y @ b`` is a lower bound
        of every objective. ``y + 1 - tau`` are the regression rank scores.
    residuals : array of shape (m,) or (m, k)
        ``b - A @ x``, in rows of weight zero, too.
    standard_errors : array of shape (n,) or (n, k), or None
        Of the coefficients, if asked for. NaN where the data do not tell.
    tau : float or array of shape (k,)
        The levels.
    rank : int
        Numerical rank of A.
    status : Status
        Whether the gap was at most the tolerance before x was rounded to its dtype, and if not, why.
    info : Info
        As for `LpResult`; ``crossings``: how many rows of positive weight are given a lower
        quantile at some level than at a level below it.
    """

    x: Array
    objective: Any
    gap: Any
    dual: Array
    residuals: Array
    standard_errors: Array | None
    tau: Any
    rank: int
    status: Status
    info: Info

    def predict(self, A: Any, *, monotone: bool = True) -> Array:
        """Compute the fitted quantiles of new rows.

        Parameters
        ----------
        A : array of shape (m, n) or sparse matrix
            The rows.
        monotone : bool, default True
            Sort the quantiles of each row, so that none is below that of a lower level. This never
            takes them farther, in any norm over the levels, from the true ones, which are sorted
            (Chernozhukov, Fernández-Val and Galichon, Econometrica 78, 2010).

        Returns
        -------
        array of shape (m,) or (m, k)
            One column for each level, as in ``x``.
        """
        op = as_operator(A)
        if op.shape[1] != self.x.shape[0]:
            raise ValueError(
                f"A must have as many columns as there are coefficients, {self.x.shape[0]}, got "
                f"shape {op.shape}"
            )
        xp = op.space.xp
        if self.x.ndim == 1:
            return op.matmat(xp.astype(self.x, op.dtype)[:, None])[:, 0]
        values = op.matmat(xp.astype(self.x, op.dtype))
        if not monotone:
            return values
        place = xp.argsort(xp.argsort(self.tau))
        return xp.take(xp.sort(values, axis=1), place, axis=1)


def quantile_regression(
    A: Any,
    b: Any,
    tau: Any = 0.5,
    *,
    weights: Any = None,
    covariance: str | None = None,
    method: str = "auto",
    tol: float = 1e-8,
    max_iter: int = 100,
    callback: Callback | None = None,
    rng: Any = None,
) -> QuantileResult:
    """Fit conditional quantiles: a fraction tau of the data lies below ``A @ x``.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, real; never changed. An intercept is a column of ones, which you add. Dask arrays
        are walked by blocks of rows, as `lp_regression` says; operators are formed densely, up to
        2**28 entries.
    b : array of shape (m,)
        The response.
    tau : float or array of shape (k,), default 0.5
        Levels, strictly between 0 and 1.
    weights : array of shape (m,), optional
        Not negative; a whole number counts a row so many times.
    covariance : {None, "nid", "kernel", "bootstrap"}, default None
        How to estimate standard errors; None: not. The first two are sandwiches
        ``tau (1 - tau) H^-1 A^T A H^-1`` with ``H = A^T diag(f) A``, f the densities of the errors
        at their quantile, with the bandwidth of Hall and Sheather, and valid where these differ
        from row to row. "nid": f from the fits at two neighbouring levels (Hendricks and Koenker
        [2]_), which takes three times as long. "kernel": from a Gaussian kernel (Powell [3]_).
        "bootstrap": from 200 fits of rows with exponential random weights (Bose and Chatterjee
        [6]_), which need no densities, and take as long as 40 to 110 fits of all rows.
    method : {"auto", "interior", "pilot"}, default "auto"
        Whether to solve with all rows, or without those whose sign a pilot tells, which are
        verified: the answer is the same. "auto" takes a pilot from 50000 rows on,
        of several levels from 10000; for dask arrays from 47 n**1.5.
    tol : float, default 1e-8
        Gap between the objective and its lower bound to reach, relative to the objective.
    max_iter : int, default 100
        Most iterations for each level.
    callback : callable, optional
        ``callback(state)`` after each iteration, with the gap as ``state.error``; returning true
        stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seeds come from of the sketch that conditions the data, and of random weights.

    Returns
    -------
    QuantileResult
        With fields x, objective, gap, dual, residuals, standard_errors, rank, status and info.

    Raises
    ------
    ValueError
        If tau is not between 0 and 1, shapes do not fit, an entry is not finite, weights are
        negative, weights and covariance are given together, a linear operator has more than 2**28
        entries, or x is beyond the largest number of its dtype.
    TypeError
        If A is not a matrix of real numbers, or tau no number.

    Warns
    -----
    RankDeficientWarning
        If the rank is less than the number of columns: x is then the shortest solution in
        coordinates in which A is orthonormal.
    ConvergenceWarning
        If the gap stayed above the tolerance, that of a replicate included.
    AccuracyWarning
        If standard errors other than of "bootstrap" are NaN: they need the density of the errors at
        the quantile, and there is none to be seen where many responses are equal, the fit is exact
        or so near to it that rounding hides the residuals, or the level is so near to 0 or 1 that
        the quantiles beside it are the same.

    See Also
    --------
    lp_regression : p = 1 is twice the objective of tau = 0.5.

    Notes
    -----
    The interior-point method of Portnoy and Koenker [1]_ on the dual, followed by a vertex, as
    `lp_regression` explains. Of levels near each other and many rows, the fit of each is the pilot of
    the next: only rows near the plane take part, and the signs of the others are verified [4]_. Fitted
    quantiles of different levels may cross; ``predict`` sorts them [5]_.

    "bootstrap": the rows that random weights may bring to another side, some ``5 (n m)**0.5`` near the
    fit, are copied once and fitted again for each of the 200 replicates; the signs of all others are
    verified, and where one was wrong the replicate is fitted by all rows. Standard errors vary by 5 %
    with the seed, as for any 200 replicates. Levels asked for together share their weights. Of dask
    arrays this takes 26 passes more, and in memory the band and some eighty vectors of m numbers.

    Rounding of x alone moves each residual by some 1e-16 of b: where residuals are 1e-12 of it, the
    gap cannot be told below about 1e-6, and stays above the default tolerance.

    References
    ----------
    .. [1] S. Portnoy and R. Koenker, "The Gaussian hare and the Laplacian tortoise: computability
       of squared-error versus absolute-error estimators", Statist. Sci. 12, 1997.
    .. [2] W. Hendricks and R. Koenker, "Hierarchical spline models for conditional quantiles and
       the demand for electricity", J. Amer. Statist. Assoc. 87, 1992.
    .. [3] J. L. Powell, "Estimation of monotonic regression models under quantile restrictions", in
       Nonparametric and Semiparametric Methods in Econometrics, 1991.
    .. [4] V. Chernozhukov, I. Fernández-Val and B. Melly, "Fast algorithms for the quantile
       regression process", Empir. Econ. 62, 2022, arXiv:1909.05782.
    .. [5] V. Chernozhukov, I. Fernández-Val and A. Galichon, "Quantile and probability curves
       without crossing", Econometrica 78, 2010.
    .. [6] A. Bose and S. Chatterjee, "Generalized bootstrap for estimators of minimizers of convex
       functions", J. Statist. Plann. Inference 117, 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.regression import quantile_regression
    >>> A, b = np.ones((9, 1)), np.arange(9.0)
    >>> quantile_regression(A, b, 0.5).x  # a median
    array([4.])
    >>> quantile_regression(A, b, [0.3, 0.7]).x
    array([[2., 6.]])
    """
    start = time.perf_counter()
    check_options(tol, max_iter)
    seed = seed_of(rng)
    if method not in ("auto", "interior", "pilot"):
        raise ValueError(f"method must be 'auto', 'interior' or 'pilot', got {method!r}")
    if covariance not in (None, "nid", "kernel", "bootstrap"):
        raise ValueError(
            f"covariance must be None, 'nid', 'kernel' or 'bootstrap', got {covariance!r}"
        )
    if covariance is not None and weights is not None:
        raise ValueError(
            "weights must be None where a covariance is asked for; repeat rows instead"
        )
    several = not isinstance(tau, int | float) and getattr(tau, "ndim", 1) > 0
    try:
        levels = [float(v) for v in (tau if several else [tau])]
    except (TypeError, ValueError):
        raise TypeError(f"tau must be a number or an array of numbers, got {tau!r}") from None
    if not levels or not all(0 < level < 1 for level in levels):
        raise ValueError(f"tau must be strictly between 0 and 1, got {tau}")
    asked = look(A, b, weights, 0.0, complex_ok=False)
    if not asked.vector:
        raise ValueError(f"b must have one dimension, got shape {tuple(asked.B.shape)}")
    xp, op = asked.op.space.xp, asked.op
    rows: Any = None
    chained = method != "interior" and any(
        near_enough(op, low, high) for low, high in pairwise(sorted(levels))
    )
    scored = method == "pilot" or chained or (method == "auto" and pays(op))
    if scored or covariance == "bootstrap":
        scores = likely(op, asked.weights, seed)
        rank, condition = scores.rank, float(scores.info.condition)
        T = xp.astype(scores.T, asked.B.dtype)
    else:
        white = whiten(op.A, rng=seed)
        rank, condition, T = white.rank, white.condition, xp.astype(white.T, asked.B.dtype)
    if method == "interior" or (method == "auto" and not pays(op)):
        rows = prepare(op, T, condition)

    exact = replace(asked, dtype=asked.B.dtype)  # errors need the digits of x that the caller lacks

    def at(level: float, near: tuple[float, Answer] | None = None) -> Answer:
        beside = near if near and near_enough(op, near[0], level) else None

        def one(task: Task) -> Answer:
            if beside or rows is None:
                return piloted(task, level, scores, seed, beside)
            return interior(task, level)

        (found,) = solve(
            exact, rows, one, tol, max_iter, None, callback,
            loss=lambda task, x, r: tilted_loss(r, task.weights, level),
        )  # fmt: skip
        return found

    def pilot_of(level: float, fit: Answer) -> tuple[float, Answer] | None:
        return (level, fit) if chained and fit.status is Status.CONVERGED else None

    done: dict[float, Answer] = {}
    near = None
    for level in sorted(levels):
        done[level] = at(level, near)
        near = pilot_of(level, done[level])
    fits = [done[level] for level in levels]
    errors: list[Array] = []
    for fit, level in zip(fits, levels, strict=True):
        if covariance == "bootstrap":
            key = key_of(seed)
            errors.append(bootstrap(op, T, condition, scores.scores, fit, level, key))
        elif covariance == "nid":
            wide = _bandwidth(level, asked.size[0])
            while not wide < level < 1 - wide:
                wide /= 2
            near = pilot_of(level, fit)
            low, high = at(level - wide, near).x, at(level + wide, near).x
            errors.append(_sandwich(op, T, _between(low, high, wide, asked), level))
        elif covariance == "kernel":
            errors.append(_sandwich(op, T, _kernel(fit, level, asked), level))

    def given(fit: Answer, level: float) -> Answer:
        def loss(x: Array, r: Array) -> float:
            return tilted_loss(r, asked.weights, level)

        return settled(fit, op, asked.B[:, 0], fit.x, asked.dtype, loss)

    fits = [given(fit, level) for fit, level in zip(fits, levels, strict=True)]
    status, info = summary(
        fits,
        condition,
        seed,
        tol,
        start,
        covariance=covariance,
        crossings=_crossings([done[v] for v in sorted(done)]),
    )

    def shaped(columns: list[Array]) -> Array:
        return xp.astype(xp.stack(columns, axis=1) if several else columns[0], asked.dtype)

    def over_rows(full: list[Array]) -> Array:
        return xp.stack(full, axis=1) if several else full[0]

    def numbers(values: list[float]) -> Any:
        return asked.op.space.asarray(values, xp.float64) if several else values[0]

    return QuantileResult(
        shaped([fit.x for fit in fits]),
        numbers([fit.objective for fit in fits]),
        numbers([fit.gap for fit in fits]),
        over_rows([asked.over_rows(fit.y[:, None]) for fit in fits]),
        over_rows([asked.over_rows(fit.r[:, None], predicted(asked, [fit.x])) for fit in fits]),
        shaped(errors) if errors else None,
        numbers(levels),
        rank,
        status,
        info,
    )


def _crossings(fits: list[Answer]) -> int:
    """Count the rows at which the residuals of a level exceed those of a level below it."""
    xp = space_of(fits[0].r).xp
    crossed = fits[0].r < fits[0].r
    for low, high in pairwise(fits):
        crossed = crossed | (high.r - low.r > 1e-9 * xp.mean(abs(low.r) + abs(high.r)))
    return int(xp.count_nonzero(crossed))


def _bandwidth(tau: float, m: int, alpha: float = 0.05) -> float:
    """Hall and Sheather's, for intervals of level 1 - alpha."""
    normal = NormalDist()
    x = normal.inv_cdf(tau)
    f = normal.pdf(x)
    z = normal.inv_cdf(1 - alpha / 2)
    return float(m ** (-1 / 3) * z ** (2 / 3) * (1.5 * f**2 / (2 * x**2 + 1)) ** (1 / 3))


def _between(low: Array, high: Array, wide: float, asked: Question) -> Array:
    """Densities from the distance of two quantiles; zero where these cross or are the same.

    Zero everywhere if rounding hides how far these are apart.
    """
    xp = asked.op.space.xp
    distance = products(asked.op, high - low)
    least = rounding(asked.op, abs(low) + abs(high))
    apart = (distance > least) & (xp.mean(least) < _HIDDEN * xp.mean(abs(distance)))
    inverse = 2 * wide / xp.where(apart, distance, xp.ones_like(distance))
    return xp.where(apart, inverse, xp.zeros_like(distance))


def _kernel(fit: Answer, tau: float, asked: Question) -> Array:
    """Densities at zero from a Gaussian kernel around each residual; zero if half of these are.

    Zero, too, if rounding errors of residuals are not smaller than the bandwidth.
    """
    xp, m = asked.op.space.xp, int(fit.r.shape[0])
    least = rounding(asked.op, fit.x, asked.B[:, 0])
    real = abs(fit.r) > least
    r = xp.where(real, fit.r, xp.zeros_like(fit.r))
    wide = _bandwidth(tau, m)
    while not wide < tau < 1 - wide:
        wide /= 2
    peak = float(xp.max(abs(r)))
    r = r / (peak or 1.0)  # squares shall not overflow
    normal, ordered = NormalDist(), xp.sort(r)
    quartiles = []
    for place in ((m - 1) / 4, 3 * (m - 1) / 4):
        k = min(int(place), m - 2) if m > 1 else 0
        upper = float(ordered[min(k + 1, m - 1)])
        quartiles.append(float(ordered[k]) * (1 - place + k) + upper * (place - k))
    spread = min(float(xp.std(r, correction=min(1, m - 1))), (quartiles[1] - quartiles[0]) / 1.34)
    h = (normal.inv_cdf(tau + wide) - normal.inv_cdf(tau - wide)) * spread
    if not _HIDDEN * h * peak > float(xp.mean(least)):
        return xp.zeros_like(r)
    return xp.exp(-((r / h) ** 2) / 2) / (h * math.sqrt(2 * math.pi) * peak)


def _sandwich(op: Operator, T: Array, density: Array, tau: float) -> Array:
    """Estimate standard errors ``tau (1 - tau) H^-1 A^T A H^-1`` with H the Gram matrix by densities.

    NaN, with a warning, for coefficients that depend on rows without a density.
    """
    xp = op.space.xp
    peak = float(xp.max(density))
    values, V = xp.linalg.eigh(gram_of(op, T, density / (peak or 1.0)))
    known = values > max(_UNKNOWN * float(values[-1]), 0.0)
    zero = xp.zeros_like(values)
    J = V.T @ gram_of(op, T, xp.ones_like(density)) @ V
    W = T @ V
    M = W * xp.where(known, 1 / xp.where(known, values, xp.ones_like(values)), zero)
    errors = xp.sqrt(tau * (1 - tau) * xp.sum((M @ J) * M, axis=1)) / (peak or 1.0)
    lost = xp.sum(xp.where(known, zero, W**2), axis=1) > _UNKNOWN * xp.sum(W**2, axis=1)
    if bool(xp.any(lost)):
        warn(
            f"{int(xp.count_nonzero(lost))} of {op.shape[1]} standard errors at tau={tau:g} are NaN: "
            "too many residuals are equal or hidden by rounding, or too few are near that level, to "
            "tell the density of the errors there; covariance='bootstrap' needs none",
            AccuracyWarning,
        )
    return xp.where(lost, xp.full_like(errors, math.nan), errors)
