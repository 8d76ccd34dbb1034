"""Regression with few labels: choose the rows first, then ask for their right-hand sides only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, as_array, as_number, check_finite, space_of
from lrla._core.errors import (
    AccuracyWarning,
    RankDeficientWarning,
    callers_own,
    once,
    rank_told_once,
    warn,
)
from lrla._core.numbers import whole
from lrla._core.operators import as_operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.blocks import as_blocks
from lrla.regression._active_lp import Active, solve
from lrla.regression._lstsq import lstsq
from lrla.sampling import LeverageResult, RowSample, leverage_scores, sample_rows

_LONE = 1e-10  # one minus the leverage of a row that nothing else can stand in for
DESIGNS = ("pivotal", "systematic", "replacement", "bottom_k")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ActiveRegressionResult(Result):
    """A regression of which only some right-hand sides were looked at.

    Parameters
    ----------
    x : array of shape (n,) or (n, p)
        The solution.
    indices : array of shape (k,), int64
        The rows whose labels were asked for, increasing.
    labels : array of shape (k,) or (k, p)
        What the query returned for them.
    residual_norm : float or array of shape (p,)
        Estimate of the norm of the residual over *all* rows, from labels that each solution behind
        it had not seen; infinite if some label cannot be left out, or the rows drawn span too little.
        Exact if all rows were asked.
    rank : int
        Numerical rank of the rows drawn, the one that was used. If it is less than that of A,
        ``info.full_rank``, labels leave x free: the solution is the shortest one, for ``p != 2`` in
        coordinates in which the rows drawn are orthonormal.
    samples : tuple of RowSample
        The rows with their probabilities and weights: one sample, or two halves for ``p != 2``.
    status : Status
        `Status.CONVERGED`, or `Status.BUDGET` if the rows drawn span less than those of A: a larger
        budget is needed. For ``p != 2`` otherwise that of `lp_regression`.
    info : Info
        ``full_rank``, the numerical rank of A; ``excess_bound``: see the notes, None for ``p != 2``; ``n_queried``; ``n_clipped``, labels
        that were taken for outliers; ``seed``; ``seconds``.
    """

    x: Array
    indices: Array
    labels: Array
    residual_norm: Any
    rank: int
    samples: tuple[RowSample, ...]
    status: Status
    info: Info


@rank_told_once
def active_regression(
    A: Any,
    query: Callable[[Array], Any],
    budget: int,
    *,
    p: float = 2,
    design: str = "pivotal",
    coords: Any = None,
    delta: float = 0.1,
    rng: Any = None,
) -> ActiveRegressionResult:
    """Solve ``min_x norm(A @ x - b, p)`` nearly, from no more than ``budget`` entries of b.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix or dask array
        All rows, for which labels could be had.
    query : callable
        ``query(indices)`` returns the labels of these rows, shape (k,) or (k, p). It is called
        once.
    budget : int
        How many labels may be asked for, at least the rank of A.
    p : float, default 2
        Which norm, from 1 to below infinity.
    design : {"pivotal", "systematic", "replacement", "bottom_k"}, default "pivotal"
        How rows are drawn: see `lrla.sampling.sample_rows`.
    coords : array of shape (m, k), optional
        Where the rows lie in space: with "pivotal" and "systematic" the sample spreads out there,
        which is worth labels if the residual is a smooth function of them [1]_.
    delta : float, default 0.1
        Probability with which ``info.excess_bound`` may fail.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sample comes from.

    Returns
    -------
    ActiveRegressionResult
        With fields x, indices, labels, residual_norm, rank, samples, status and info.

    Raises
    ------
    ValueError
        If the budget is less than the rank of A, the labels do not fit or are not finite, the
        design is unknown or of random size, or A is not finite.
    TypeError
        If A is a linear operator, whose rows cannot be taken.

    Warns
    -----
    AccuracyWarning
        If the rows drawn span less than the rows of A, which the budget alone does not rule out; with
        "pivotal" that is rare. The result has the rank that was used.
    RankDeficientWarning
        If the columns of A are dependent.

    See Also
    --------
    lstsq : if all of b is known.
    lrla.sampling.sample_rows : how the rows are drawn.

    Notes
    -----
    Rows are drawn with probabilities in proportion to their leverage scores, those of probability 1
    surely, and the least-squares problem of the drawn rows, weighted by the inverse probabilities,
    is solved. If b = A x for some x, that is the answer, up to rounding.

    ``info.excess_bound`` is ``4 q / (delta k)``, q the sum of the leverage scores of the rows that
    are not certain, k how many of them are drawn (without certain rows: the rank over the budget).
    For *independent* draws and as long as it is small, the squared residual exceeds the least by
    no more than this fraction with probability 1 - delta [2]_. The typical excess is smaller by far, and by "pivotal" smaller again: O(n log n)
    rows do for it as for independent draws [1]_, of which the constant is not known.

    ``residual_norm`` adds up the squared residuals of the labelled rows and an estimate for all
    others, in which each labelled row stands for some by its residual under the solution without
    it.

    For ``p != 2`` rows are drawn by l_p Lewis weights, in two halves if there are four labels for
    each dimension; O(n / eps) of them, up to logarithms, do for p from 1 to 2 (n / eps**2 for p =
    1) and O(n**(p/2) / eps**p) for larger p [3]_. As there, a fit to some labels says which others
    are too far out for any good solution to come near, and these are moved to where the fit puts
    them: labels that alone would stand for more than ten times the loss of all rows. Other than
    there, each half is judged by the fit to the other, and the answer is the fit to both. Then
    ``residual_norm`` estimates that of fits to half of the labels; for large p it hangs on a few of
    them. Without halves it is infinite.

    Cost: leverage scores of A, two passes (Lewis weights, some times as much), and regressions on
    ``budget`` rows.

    References
    ----------
    .. [1] A. Shimizu, X. Cheng, C. Musco and J. Weare, "Improved active learning via dependent
       leverage score sampling", ICLR 2024, arXiv:2310.04966.
    .. [2] B. W. Larsen and T. G. Kolda, "Revisiting approximate leverage score sketching for matrix
       least squares", arXiv:2201.10638.
    .. [3] C. Musco, C. Musco, D. P. Woodruff and T. Yasuda, "Active linear regression for l_p norms
       and beyond", FOCS 2022, arXiv:2111.04888.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.regression import active_regression
    >>> t = np.linspace(-1, 1, 2001)
    >>> A = np.polynomial.legendre.legvander(t, 9)
    >>> result = active_regression(A, lambda i: np.exp(3 * t[i]), 20, coords=t, rng=7)
    >>> result.indices.shape
    (20,)
    >>> best = np.linalg.norm(A @ np.linalg.lstsq(A, np.exp(3 * t))[0] - np.exp(3 * t))
    >>> bool(np.linalg.norm(A @ result.x - np.exp(3 * t)) < 1.5 * best)
    True
    """
    start = time.perf_counter()
    budget = _check(budget, p, design, delta)
    A = as_blocks(A)
    seed = seed_of(rng)
    found = _euclidean if p == 2 else _other_norm
    out, bound = found(A, query, budget, p, design, coords, delta, seed)
    status = out.status
    if out.spanned < out.rank:
        status = Status.BUDGET
        warn(
            f"the {int(out.indices.shape[0])} rows drawn have rank {out.spanned}, and A has rank "
            f"{out.rank}: x is a solution of rank {out.spanned}, and no label tells of the rest; raise "
            f"budget, which is {budget}",
            AccuracyWarning,
        )
    return ActiveRegressionResult(
        out.x,
        out.indices,
        out.labels,
        out.residual_norm,
        out.spanned,
        out.samples,
        status,
        Info(
            full_rank=out.rank,
            excess_bound=bound,
            n_queried=int(out.indices.shape[0]),
            n_clipped=out.n_clipped,
            seed=seed,
            seconds=time.perf_counter() - start,
        ),
    )


def _euclidean(
    A: Any, query: Callable[[Array], Any], budget: int, p: float, design: str, coords: Any,
    delta: float, seed: int,
) -> tuple[Active, float | None]:  # fmt: skip
    leverage = leverage_scores(A, rng=seed)
    if budget < leverage.rank:
        raise ValueError(
            f"budget must be at least the rank of A, which is {leverage.rank}, got {budget}"
        )
    size = min(budget, int(leverage.scores.shape[0]))
    sample = sample_rows(leverage.scores, size, design=design, coords=coords, rng=seed)
    rows = sample.rows(A, math.inf)
    labels = ask(query, sample.indices)
    with once(RankDeficientWarning, told=True):  # it is that of the sample, not of A
        fit = lstsq(rows, labels, weights=sample.weights, rng=seed)
    norm = _held_out(rows, labels, sample, fit.x, fit.rank, leverage.rank)
    out = Active(
        fit.x, sample.indices, labels, norm, leverage.rank, fit.rank, (sample,),
        Status.CONVERGED, 0,
    )  # fmt: skip
    return out, _bound(leverage, sample, delta)


def _other_norm(
    A: Any, query: Callable[[Array], Any], budget: int, p: float, design: str, coords: Any,
    delta: float, seed: int,
) -> tuple[Active, float | None]:  # fmt: skip
    return solve(A, lambda i: ask(query, i), budget, p, design, coords, seed), None


def _check(budget: Any, p: float, design: str, delta: float) -> int:
    budget = whole(budget, "budget", 1)
    if design not in DESIGNS:
        why = ": it may draw more rows than the budget" if design == "poisson" else ""
        raise ValueError(f"design must be one of {', '.join(DESIGNS)}, got {design!r}{why}")
    if not 1 <= as_number(p, "p") < math.inf:
        raise ValueError(f"p must be at least 1 and finite, got {p}")
    if not 0 < delta < 1:
        raise ValueError(f"delta must be between 0 and 1, got {delta}")
    return budget


def ask(query: Callable[[Array], Any], indices: Array) -> Array:
    """Ask for labels, and check what comes back."""
    with callers_own():
        labels = query(indices)
    b = as_array(labels, "query(indices)", ndim=(1, 2))
    space_of(indices, b)
    if b.shape[0] != indices.shape[0]:
        raise ValueError(
            f"query(indices) must return {indices.shape[0]} labels, one for each index, got shape "
            f"{tuple(b.shape)}"
        )
    check_finite(b, "query(indices)")
    return b


def _bound(leverage: LeverageResult, sample: RowSample, delta: float) -> float:
    """Evaluate the bound of Larsen and Kolda on the relative excess of the squared residual."""
    xp = space_of(leverage.scores).xp
    drawn = sample.info.size - sample.info.n_certain
    if drawn == 0:
        return 0.0
    certain = sample.indices[sample.probs >= 1.0]
    share = float(xp.sum(xp.take(leverage.scores, certain))) if sample.info.n_certain else 0.0
    return 4 * (leverage.rank - share) / (delta * drawn)


def _held_out(
    rows: Any, labels: Array, sample: RowSample, x: Array, rank: int, full_rank: int
) -> Any:
    """Estimate the norm of the residual over all rows."""
    op = as_operator(rows)
    xp, vector = op.space.xp, labels.ndim == 1
    weights = xp.astype(sample.weights, op.real_dtype)
    r = labels - (op.matmat(x[:, None])[:, 0] if vector else op.matmat(x))
    R = xp.abs(r)[:, None] if vector else xp.abs(r)
    unit = xp.max(R, axis=0)
    unit = xp.where(unit > 0, unit, xp.ones_like(unit))
    R = R / unit  # squares of residuals shall neither overflow nor vanish
    U = linalg.svd(op.todense() * xp.sqrt(weights)[:, None])[0][:, :rank]
    left = 1 - xp.sum(xp.abs(U) ** 2, axis=1)
    stands_for = weights - 1  # rows besides itself
    lone = left <= _LONE
    if rank < full_rank or bool(xp.any(lone & (stands_for > 0))):
        squares = xp.sum(R, axis=0) * 0 + math.inf
    else:
        factor = 1 + stands_for / xp.where(lone, xp.ones_like(left), left) ** 2
        squares = xp.sum(factor[:, None] * R**2, axis=0)
    norms = unit * xp.sqrt(squares)
    return float(norms[0]) if vector else norms
