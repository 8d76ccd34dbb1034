"""The sum and the maximum of all sensitivities, from the sensitivities of a few rows."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from lrla._core.errors import ConvergenceWarning, rank_told_once, warn
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.sampling._lp_frame import dense
from lrla.sampling._sample_rows import sample_rows
from lrla.sampling._sensitivities import check
from lrla.sampling._sensitivity_solver import Bounds, Solver

_PILOT = 64  # rows from which the number that is needed is foreseen
_HITS = 32  # draws that would count if sensitivities were either their bounds or zero
_BATCH = 32  # rows that are solved at a time in search of the largest sensitivity


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TotalSensitivity(Result):
    """Estimate of the sum of all l_p sensitivities.

    Parameters
    ----------
    value : float
        The estimate.
    standard_error : float
        Its standard error over draws of rows; 0 if all rows were computed.
    rank : int
        Numerical rank of A, which the sum for p <= 2 does not exceed, and
        ``rank ** max(1, p / 2)`` for any p.
    status : Status
        Whether the standard error is at most eps times the value.
    info : Info
        ``n_rows``, how many rows were computed; ``degrees_of_freedom`` of the standard error;
        ``method``, ``reason``, ``size`` as for `sensitivities`; ``seed``; ``seconds``.
    """

    value: float
    standard_error: float
    rank: int
    status: Status
    info: Info

    def confidence_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Give an interval that holds the sum with probability ``level``.

        Parameters
        ----------
        level : float, default 0.95
            Coverage over draws of the rows, asymptotically in their number.

        Returns
        -------
        low, high : float
            The value minus and plus a quantile of Student's t times the standard error.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        if self.standard_error == 0:
            return self.value, self.value
        from scipy.special import stdtrit

        t = float(stdtrit(self.info.degrees_of_freedom, 0.5 + level / 2))
        return self.value - t * self.standard_error, self.value + t * self.standard_error


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaxSensitivity(Result):
    """The largest l_p sensitivity.

    Parameters
    ----------
    lower, upper : float
        Bounds on the largest sensitivity.
    index : int
        The row for which the lower bound was found.
    rank : int
        Numerical rank of A.
    status : Status
        Whether the bounds are as close as the tolerance.
    info : Info
        ``n_rows``, how many rows were computed; ``method``, ``reason``, ``size`` as for
        `sensitivities`; ``seed``; ``seconds``.
    """

    lower: float
    upper: float
    index: int
    rank: int
    status: Status
    info: Info


@rank_told_once
def total_sensitivity(
    A: Any, p: float, *, eps: float = 0.05, method: str = "auto", size: int | None = None,
    tol: float = 1e-4, rng: Any = None,
) -> TotalSensitivity:  # fmt: skip
    """Estimate the sum of all l_p sensitivities to a relative standard error.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, real; formed densely.
    p : float
        The norm, at least 1 or infinite.
    eps : float, default 0.05
        Relative standard error to reach.
    method : {"auto", "full", "lewis"}, default "auto"
        How each sensitivity is computed: see `sensitivities`.
    size : int, optional
        Rows of the sample of "lewis".
    tol : float, default 1e-4
        Relative gap at which a problem counts as solved.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the draws comes from.

    Returns
    -------
    TotalSensitivity
        With fields value, standard_error, rank, status and info, and ``confidence_interval``.

    Raises
    ------
    ValueError
        As for `sensitivities`, and if eps is not between 0 and 1.
    TypeError
        If A is not a matrix of real numbers.

    Warns
    -----
    ConvergenceWarning
        If some problem was not solved to ``tol``.

    Notes
    -----
    Rows are drawn with replacement in proportion to upper bounds h on their sensitivities s: Lewis
    weights times ``r**(p/2 - 1)`` for p > 2, with r the rank, and the weights for p < 2, but at
    most 1. The mean of s / h estimates the sum over ``sum(h)``, in the way of [1]_, who draw by the
    weights. These leave out for large p what matters, for most rows have next to none, and nearly
    all of the sum for p = infinity, while s / h is between 0 and 1: nothing that was not seen can
    be large. ``sum(h) / sum(s)`` is at most ``r**abs(1 - p/2)``, or sqrt(r) for infinity,
    and as many draws give a constant factor [1]_; on random data it was 1 to 6. A pilot of 64 draws
    foretells how many are needed, not only for the standard error but also to make it reliable:
    32 times that quotient. Where these are as many as there are rows, all are computed.

    The sum is the number of rows, up to logarithms and the accuracy squared, that sampling by
    sensitivities and leverage scores needs for p <= 2, if it exceeds the rank: `subspace_sample`.

    References
    ----------
    .. [1] S. Padmanabhan, D. P. Woodruff and Q. Zhang, "Computing approximate l_p sensitivities",
       NeurIPS 2023, arXiv:2311.04158.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import total_sensitivity
    >>> A = np.random.default_rng(7).standard_t(2, (3000, 9))
    >>> S = total_sensitivity(A, 1, rng=7)
    >>> bool(S), 3 < S.value < 9, S.info.n_rows < 300
    (True, True, True)
    """
    start = time.perf_counter()
    p = _check(p, method, size, tol)
    if not 0 < eps < 1:
        raise ValueError(f"eps must be between 0 and 1, got {eps}")
    (op, _), seed = dense(A), seed_of(rng)
    xp, m = op.space.xp, op.shape[0]
    solver = Solver(op, p, method, size, tol, seed, min(m, 2 * _PILOT))
    value, error, draws, n_rows = 0.0, 0.0, _PILOT, m
    solved = True
    while solver.rank and not solver.leverage and draws < m:
        high = solver.frame.bounds(solver.frame.U)[1]
        sample = sample_rows(high, draws, design="replacement", deterministic=False, rng=seed)
        found = solver(sample.indices)
        solved, n_rows = found.solved, len(sample)
        estimate = sample.estimate(found.scores)
        value, error = estimate.value, estimate.standard_error
        hits = draws * value / float(xp.sum(high))
        if error <= eps * value and hits >= _HITS:
            break
        if hits <= draws * _HITS / m:  # those that it takes are no fewer than all rows
            draws = m
        else:
            draws = math.ceil(1.2 * draws * max((error / (eps * value)) ** 2, _HITS / hits))
    else:
        found = solver(xp.arange(m, dtype=xp.int64, device=op.space.device))
        value, error, solved, n_rows = float(xp.sum(found.scores)), 0.0, found.solved, m
    _say(solved, tol)
    info = Info(
        n_rows=n_rows,
        degrees_of_freedom=draws - 1 if error else math.inf,
        **_facts(solver, seed, start),
    )
    status = Status.CONVERGED if solved else Status.MAX_ITER
    return TotalSensitivity(value, error, solver.rank, status, info)


@rank_told_once
def max_sensitivity(
    A: Any, p: float, *, method: str = "auto", size: int | None = None, tol: float = 1e-4,
    rng: Any = None,
) -> MaxSensitivity:  # fmt: skip
    """Find the largest l_p sensitivity, computing few of them.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, real; formed densely.
    p : float
        The norm, at least 1 or infinite.
    method : {"auto", "full", "lewis"}, default "auto"
        How each sensitivity is computed: see `sensitivities`.
    size : int, optional
        Rows of the sample of "lewis".
    tol : float, default 1e-4
        Relative gap at which a problem counts as solved.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sample of "lewis" comes from.

    Returns
    -------
    MaxSensitivity
        With fields lower, upper, index, rank, status and info.

    Raises
    ------
    ValueError
        As for `sensitivities`.
    TypeError
        If A is not a matrix of real numbers.

    Warns
    -----
    ConvergenceWarning
        If some problem was not solved to ``tol``.

    Notes
    -----
    Lewis weights bound every sensitivity from above. Rows are solved in decreasing order of these
    bounds, until none that is left can exceed the largest found: the answer is as good as the
    solutions are, not within the factor sqrt(n) of [1]_, and takes few of them where the weights are
    uneven; where they are equal, it takes all.

    References
    ----------
    .. [1] S. Padmanabhan, D. P. Woodruff and Q. Zhang, "Computing approximate l_p sensitivities",
       NeurIPS 2023, arXiv:2311.04158.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import max_sensitivity
    >>> A = np.random.default_rng(7).standard_t(2, (3000, 5))
    >>> most = max_sensitivity(A, 1)
    >>> most.upper < 1.001 * most.lower, most.info.n_rows < 300
    (True, True)
    """
    start = time.perf_counter()
    p = _check(p, method, size, tol)
    (op, _), seed = dense(A), seed_of(rng)
    xp, m = op.space.xp, op.shape[0]
    solver = Solver(op, p, method, size, tol, seed, min(m, 2 * _BATCH))
    high = solver.known if solver.leverage else solver.frame.bounds(solver.frame.U)[1]
    order = xp.flip(xp.argsort(high))
    high = xp.take(high, order)
    lower, upper, index, count, solved = -1.0, 0.0, 0, 0, True
    while count < m and float(high[count]) > lower:
        part = order[count : min(count + _BATCH, m)]
        found: Bounds = solver(part)
        solved = solved and found.solved
        best = int(xp.argmax(found.lower))
        if float(found.lower[best]) > lower:
            lower, index = float(found.lower[best]), int(part[best])
        upper = max(upper, float(xp.max(found.upper)))
        count += int(part.shape[0])
    _say(solved, tol)
    status = Status.CONVERGED if solved else Status.MAX_ITER
    info = Info(n_rows=count, **_facts(solver, seed, start))
    return MaxSensitivity(lower, upper, index, solver.rank, status, info)


def _check(p: Any, method: str, size: Any, tol: float) -> float:
    if method in ("lewis_bounds", "grouped"):
        raise ValueError(f"method must be 'auto', 'full' or 'lewis', got {method!r}")
    return check(p, method, size, tol)


def _say(solved: bool, tol: float) -> None:
    if not solved:
        warn(f"not every problem was solved to tol={tol}", ConvergenceWarning)


def _facts(solver: Solver, seed: int, start: float) -> dict[str, Any]:
    return {
        "method": solver.method,
        "reason": solver.reason,
        "size": solver.size,
        "seed": seed,
        "seconds": time.perf_counter() - start,
    }
