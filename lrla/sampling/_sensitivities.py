"""`sensitivities`: the largest share of an l_p norm that each row can have."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, as_array, space_of, unit_roundoff
from lrla._core.errors import ConvergenceWarning, rank_told_once, warn
from lrla._core.numbers import whole
from lrla._core.operators import Operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.sampling._lp_frame import dense
from lrla.sampling._rows import as_p
from lrla.sampling._sensitivity_groups import Groups, by_groups, plan
from lrla.sampling._sensitivity_solver import Bounds, Solver

METHODS = ("auto", "full", "lewis", "lewis_bounds", "grouped")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SensitivityResult(Result):
    """Sensitivities of rows in the p-norm, with bounds on both sides.

    Parameters
    ----------
    scores : array of shape (k,)
        Estimates, between the bounds.
    lower, upper : array of shape (k,)
        What the sensitivity is certainly not below, by an x, and not above, by a dual vector;
        for "grouped" no sensitivity is above but with probability delta.
    total : float
        Sum of the scores: the total sensitivity, if all rows were asked for; an upper bound on it
        where the scores are upper bounds.
    rank : int
        Numerical rank of A.
    status : Status
        Whether all problems were solved to the tolerance.
    info : Info
        ``method``, ``reason``; ``gap``, the largest of ``upper / lower - 1``; ``size``, rows of the
        matrix that the problems were solved on; ``n_problems``; ``group`` and ``draws`` of
        "grouped", else None; ``lewis_total``, the sum of the Lewis weights;
        ``seed``; ``seconds``.
    """

    scores: Array
    lower: Array
    upper: Array
    total: float
    rank: int
    status: Status
    info: Info


@rank_told_once
def sensitivities(
    A: Any,
    p: float,
    *,
    rows: Any = None,
    method: str = "auto",
    size: int | None = None,
    group: int | None = None,
    delta: float = 0.01,
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
    method : {"auto", "full", "lewis", "lewis_bounds", "grouped"}, default "auto"
        "full": solve the problem of each row over all rows. "lewis": solve it over a sample of rows
        by Lewis weights, and evaluate the solution over all rows: that gives scores and lower
        bounds, which are the closer the larger the sample is, and looser upper bounds.
        "lewis_bounds": no problem is solved; the bounds are those by Lewis weights, which are
        apart by at most a factor ``rank ** abs(p / 2 - 1)`` and a little more, and the scores are
        upper bounds. "grouped": fewer problems than rows, one for each of several signed sums of a
        group of rows; the scores are upper bounds, all of them with probability ``1 - delta``:
        close for the largest sensitivities, elsewhere hardly better than "lewis_bounds". "auto": "full", unless that would take
        more than a few seconds, then "lewis". For p = 2 all give leverage scores.
    size : int, optional
        Rows of the sample of "lewis", and of "grouped" where problems over all rows would take
        more than a few seconds. The default, with r the rank, is ``25 r + 10 r log(r)`` for p < 2
        and ``25 r**(p/2)``, at most 20000, for p > 2.
    group : int, optional
        Rows to a group of "grouped". The default is four times the number of sums of a group,
        so that there are a quarter as many problems as rows; where rows are so few that there
        would be as many problems, "auto" takes over.
    delta : float, default 0.01
        Accepted probability that "grouped" bounds some sensitivity wrongly.
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

    "grouped" goes back to [1]_: rows are partitioned at random into groups of g, and c is a sum of
    the rows of a group with random signs. Let x be where row i has its sensitivity. Of the two
    signs of row i, one at least makes ``abs(c @ x) >= abs(a_i @ x)``, so with probability 1/2 the
    sensitivity of c is not below that of row i; the largest of ``ceil(log2(k / delta))`` draws is
    not below those of its rows, for all k rows at once, with probability ``1 - delta``. From above,
    ``abs(c @ x)**p <= g**(p - 1) * sum(abs(a_j @ x)**p)`` over the group, so whatever the signs,
    this largest is at most ``g**(p - 1)`` times the sum of the sensitivities of the group (for
    p = infinity, the sum), whose mean over partitions is ``s_i + (g - 1) / (k - 1) * (S - s_i)``,
    with S the sum over all k rows. So large sensitivities are found well, and small ones are lost
    in their groups; the bounds by Lewis weights hold as well, and the smaller of both is given. The
    minimisers found, tried with each row of their group, give lower bounds that are certain.

    Cost: ``k * m * r**2`` flops about 10 to 15 times ("full"; m is ``size`` for "lewis", which
    adds ``4 k m r``), and the Lewis weights; with ``ceil(k / g) * ceil(log2(k / delta))`` instead of
    k for "grouped". In double precision.

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
    group = None if group is None else whole(group, "group", 1)
    if not 0 < delta < 1:
        raise ValueError(f"delta must be between 0 and 1, got {delta}")
    op, dtype = dense(A)
    index = which(op, rows)
    seed = seed_of(rng)
    count = index.shape[0]
    groups = plan(count, group, delta) if method == "grouped" else None
    if groups and group is None and groups.n_problems >= count:
        groups, method = None, "auto"  # so few rows that sums of them would be more
    solver = Solver(op, p, method, size, tol, seed, groups.n_problems if groups else count)
    if solver.method != "grouped":
        groups = None
    found = by_groups(solver, index, groups.size, groups.draws, seed) if groups else solver(index)
    gap = worst_gap(op, found)
    if not found.solved:
        warn(f"not every problem was solved to tol={tol}: bounds are apart by {gap:.1e}",
             ConvergenceWarning)  # fmt: skip
    info = Info(
        method=solver.method,
        reason=solver.reason,
        gap=gap,
        size=solver.size,
        n_problems=_problems(solver, groups, count),
        group=groups.size if groups else None,
        draws=groups.draws if groups else None,
        lewis_total=solver.lewis_total,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    status = Status.CONVERGED if found.solved else Status.MAX_ITER
    total = float(op.space.xp.sum(found.scores))
    scores, lower, upper = _narrow(op, found, dtype)
    return SensitivityResult(scores, lower, upper, total, solver.rank, status, info)


def _problems(solver: Solver, groups: Groups | None, count: int) -> int:
    if solver.method in ("leverage", "lewis_bounds"):
        return 0
    return groups.n_problems if groups else count


def check(p: Any, method: str, size: Any, tol: float) -> float:
    """Check what all functions for sensitivities take; return p."""
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    p = as_p(p, least=0.0 if method == "lewis_bounds" else 1.0, infinite=True)
    if not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    if size is not None:
        whole(size, "size", 1)
    if math.isinf(p) and method == "lewis":
        raise ValueError(
            "method must not be 'lewis' for infinite p, as no sample of rows keeps that norm; use "
            "'auto'"
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
    space_of(as_array(rows, "rows", ndim=(1,)), op.space.zeros((0,), op.dtype))
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
