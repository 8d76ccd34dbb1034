"""`leverage_scores`: how much each row of a matrix matters to its column space."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

from lrla._core.arrays import Array, as_array, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.numbers import whole
from lrla._core.operators import Operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.kernels.row_squares import quadratic_csr, row_squares
from lrla.sampling import _coordinates as make
from lrla.sampling._coordinates import Coordinates, Task
from lrla.sampling._rows import look, row_weights, squares

METHODS = ("auto", "qr", "cholesky_qr", "gram", "sparse", "sketch", "jl")
_DOUBTFUL = 1e-2  # relative error from which on scores do not deserve to be called exact
_DIRECTIONS = 64  # of "jl" where no accuracy is asked for: a standard deviation of 18 %


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LeverageResult(Result):
    """Leverage scores of the rows of a matrix.

    Parameters
    ----------
    scores : array of shape (m,)
        One number in [0, 1] for each row.
    rank : int
        Numerical rank that was used: what exact scores without ridge add up to.
    T : array of shape (n, k)
        Coordinates: the score of a row a, before its weight, is ``norm(T.T @ a)**2``. Without
        ridge and sketch the columns of ``sqrt(weights) * A @ T`` are orthonormal.
    status : Status
        `Status.CONVERGED`.
    info : Info
        ``method``, ``reason``; ``sum`` of the scores, before any that exceed 1 are cut;
        ``coherence``, the largest score times m over the rank; ``condition`` number of A with
        columns scaled to norm one (an upper bound for "sparse", an estimate for sketches);
        ``error_estimate``: relative error of the scores to be expected, of the order of rounding
        for exact methods, a standard deviation for sketches; ``sketch``; ``seed``; ``passes`` over
        A; ``seconds``.
    """

    scores: Array
    rank: int
    T: Array
    status: Status
    info: Info

    def at(self, X: Any) -> Array:
        """Return the scores of further rows with respect to these data.

        Parameters
        ----------
        X : array of shape (p, n)
            Rows; they need not be rows of A.

        Returns
        -------
        array of shape (p,)
            ``norm(T.T @ x)**2`` for every row x: not at most 1 for rows that A does not have.
        """
        X = as_array(X, "X")
        if X.shape[1] != self.T.shape[0]:
            raise ValueError(
                f"X must have {self.T.shape[0]} columns as A, got shape {tuple(X.shape)}"
            )
        xp = space_of(X, self.T).xp
        return row_squares(X, xp.astype(self.T, xp.result_type(X.dtype, self.T.dtype), copy=False))


def leverage_scores(
    A: Any,
    *,
    method: str = "auto",
    ridge: float = 0.0,
    rank: int | None = None,
    weights: Any = None,
    rcond: float | None = None,
    eps: float | None = None,
    delta: float | None = None,
    rng: Any = None,
) -> LeverageResult:
    """Compute the leverage scores ``a_i^H (A^H A)^+ a_i`` of all rows.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data; never changed.
    method : {"auto", "qr", "cholesky_qr", "gram", "sparse", "sketch", "jl"}, default "auto"
        Exact: "cholesky_qr", a sketch and two Cholesky factors [1]_, as accurate as Householder QR
        at any condition number; "qr", Householder QR; "gram", Cholesky of A^H A, whose error grows
        with the square of the condition number; "sparse", the same and a quadratic form for each
        row, for CSR matrices, up to a condition number of 1e4 (then "cholesky_qr"). Approximate:
        "sketch", the first half of "cholesky_qr" and free of its bias; "jl", the same in a few
        random directions [2]_. "auto" is exact where no eps is given and otherwise takes what
        costs least.
    ridge : float, default 0
        Scores are ``a_i^H (A^H A + ridge I)^-1 a_i``.
    rank : int, optional
        Squared row norms of the ``rank`` leading left singular vectors, instead of all.
    weights : array of shape (m,), optional
        Not negative; scores of ``sqrt(weights)[:, None] * A``, as the hat values of a generalized
        linear model.
    rcond : float, optional
        Singular values below this fraction of the largest count as zero, columns scaled to norm
        one. Default ``max(n, 30)`` times the unit roundoff.
    eps : float, optional
        Relative error that is good enough: a standard deviation for each score, or, with
        ``delta``, a bound for all of them.
    delta : float, optional
        Probability with which some score may be off by more than a factor 1 +- eps.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sketch comes from. Exact scores depend on it by rounding only.

    Returns
    -------
    LeverageResult
        With fields scores, rank, T, status and info.

    Raises
    ------
    ValueError
        If A is empty or not finite, weights or ridge are negative, or the method cannot do what is
        asked.
    TypeError
        If A is not a matrix of numbers.

    Warns
    -----
    AccuracyWarning
        If the condition number is too large for the method, as it is from 1e7 or so on for "gram":
        the error to be expected exceeds a hundredth.
    RankDeficientWarning
        If the columns of A (its rows, if there are fewer) are dependent: the scores are right, and
        add up to the rank.

    See Also
    --------
    ridge_leverage_scores : the same with a ridge that must be positive.
    effective_dimension : what ridge leverage scores add up to.
    cross_leverage : further entries of the hat matrix.
    hat_statistics : what each row does to a least-squares fit.
    lewis_weights : what leverage is for other norms.

    Notes
    -----
    Scores do not change when A is multiplied from the right by an invertible matrix; a score is
    zero for a row of zeros, and one for a row whose removal lowers the rank.

    A sketch of d rows gives scores whose ratio to the exact ones is ``(d - n - 1) / chi^2`` with
    d - n + 1 degrees of freedom if it is Gaussian and A real: no bias, and a standard deviation of
    ``sqrt(2 / (d - n - 1))``. The sparse signs used here behave alike, but for a few percent where
    few rows carry all of some directions or A is complex (Limitations). Without ``eps``, d is 4 n,
    and "jl" takes 64 directions.

    Cost in flops and passes: "cholesky_qr" 16 m n + 4 m n**2 in 3 passes, "gram" a third less,
    "sparse" about ``sum(nnz_i**2)`` for the nnz_i entries of each row, and 2 n**3; "sketch"
    16 m n + m n**2 in 2 passes; "jl" 16 m n + 2 k m n for k directions. Nothing of the size of A
    is formed. Linear operators cost 3 n products. With fewer rows than columns, exact scores come
    from the singular vectors of a dense copy, of a linear operator by m products.

    Scores of columns are those of the rows of A.T, which none of the kinds of A needs to copy: that of
    a CSR matrix is read as CSC, and Dask arrays should be chunked along the columns then. Columns of a
    tall matrix all score 1 unless they are dependent: ``leverage_scores(A.T, rank=k)`` tells which of
    them matter to the k leading right singular vectors.

    References
    ----------
    .. [1] O. Balabanov, "Randomized Cholesky QR factorizations", arXiv:2210.09953, 2022.
    .. [2] P. Drineas, M. Magdon-Ismail, M. W. Mahoney and D. P. Woodruff, "Fast approximation of
       matrix coherence and statistical leverage", JMLR 13, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> import lrla
    >>> A = np.random.default_rng(7).standard_normal((1000, 4))
    >>> A[17] *= 30
    >>> result = lrla.leverage_scores(A, rng=7)
    >>> int(result.scores.argmax()), round(result.info.sum, 12)
    (17, 4.0)

    Of columns:

    >>> A[:, 2] *= 10
    >>> int(lrla.leverage_scores(A.T, rank=1, rng=7).scores.argmax())
    2
    """
    start = time.perf_counter()
    op = look(A)
    w = row_weights(op, weights)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    make.as_fraction(rcond, "rcond")
    eps, delta = make.as_fraction(eps, "eps"), make.as_fraction(delta, "delta")
    if delta is not None and eps is None:
        raise ValueError("delta must come with eps, the error that it is the probability of")
    ridge = make.as_ridge(ridge)
    if rank is not None:
        most = min(op.shape)
        rank = whole(rank, "rank", 1, most, rule=f" from 1 to {most}")
        if ridge:
            raise ValueError("rank and ridge must not be given together; leave one of them out")
    task = Task(op, w, ridge, rcond, seed_of(rng), "asked for")
    found = coordinates(task, method, eps, delta)
    if rank is not None:
        found = make.leading(task, found, int(rank))
    return certified(task, found, start)


def coordinates(
    task: Task, method: str, eps: float | None = None, delta: float | None = None
) -> Coordinates:
    """Plan, and make the coordinates."""
    op, (m, n) = task.op, task.op.shape
    if method == "sparse" and op.kind != "sparse":
        raise ValueError(f"method 'sparse' needs a sparse matrix, got {op.kind} data")
    if method in ("qr", "gram") and op.kind == "operator":
        raise ValueError(
            f"method {method!r} needs the entries of A, got a linear operator; use 'cholesky_qr'"
        )
    if method == "auto":
        method, reason = _choose(op, eps, delta)
        task = replace(task, reason=reason)
    if method in ("sketch", "jl"):
        d, k = _sizes(op, eps, delta, method)
        if d < m:
            found = make.sketched(task, min(d, m))
            return make.projected(task, found, k) if method == "jl" and k < found.rank else found
        method, task = "auto", replace(task, reason="a sketch would have as many rows as A")
    if m < n:
        return make.wide(task)
    if method == "sparse":
        formed = make.by_form(task)
        if formed is not None:
            return formed
        method, task = "cholesky_qr", replace(task, reason="a Gram matrix is too inaccurate")
    return make.whitened(task, method)


def _sizes(op: Operator, eps: float | None, delta: float | None, method: str) -> tuple[int, int]:
    """Rows of the sketch, and directions of "jl"."""
    m, n = op.shape
    if eps is None:
        return make.default_rows(n), _DIRECTIONS
    if method == "jl":  # half of the error to each of two factors
        eps = eps / math.sqrt(2) if delta is None else math.sqrt(1 + eps) - 1
        delta = None if delta is None else delta / 2
    k = math.ceil(2 / eps**2) if delta is None else make.tail(eps, m, delta)
    return n + 1 + k, k


def _choose(op: Operator, eps: float | None, delta: float | None) -> tuple[str, str]:
    """Choose by flops, in a model with fixed constants, so that choices repeat."""
    m, n = op.shape
    stored = float(op.A.nnz) if op.kind == "sparse" else float(m) * n
    exact, cost = "auto", 16 * stored + 3.5 * m * n**2
    if op.kind == "operator":
        exact, cost = "cholesky_qr", 3.0 * n
    elif op.kind == "sparse":
        pairs = make.row_pairs(op)
        if pairs <= make.LONG_ROWS * n:
            exact, cost = "sparse", 20 * m * pairs + 2.0 * n**3
    if eps is None:
        return exact, "exact scores were asked for"
    costs = {exact: cost}
    for method in ("sketch", "jl"):
        d, k = _sizes(op, eps, delta, method)
        k = k if method == "jl" else n
        if d < m:
            sketched = 16 * stored + 2.0 * d * n**2 + stored * k
            costs[method] = float(min(n, d) + k) if op.kind == "operator" else sketched
    return min(costs, key=costs.__getitem__), "least work for the accuracy asked for"


def certified(task: Task, found: Coordinates, start: float) -> LeverageResult:
    """Compute the scores, and what is known about them."""
    op, xp = task.op, task.op.space.xp
    if found.form is not None:
        scores = quadratic_csr(*op.csr(), found.form)
    else:
        scores = squares(op, found.T)
    if task.weights is not None:
        scores = scores * task.weights
    total = float(xp.sum(scores))
    exact = found.sketch is None
    if exact and found.error > _DOUBTFUL:
        warn(
            f"the condition number {found.condition:.1e} is too large for method {found.method!r}: "
            f"scores may be off by a factor 1 +- {found.error:.1e}; use method='cholesky_qr'",
            AccuracyWarning,
        )
    elif (
        exact
        and not task.ridge
        and not abs(total - found.rank) <= max(1e-6, 10 * found.error) * found.rank
    ):
        warn(
            f"exact leverage scores add up to the rank, {found.rank}, but these to {total:.6g}: "
            "use method='cholesky_qr'",
            AccuracyWarning,
        )
    scores = xp.clip(scores, 0, 1)
    info = Info(
        method=found.method,
        reason=found.reason,
        sum=total,
        coherence=float(xp.max(scores)) * op.shape[0] / total if total else 0.0,
        condition=found.condition,
        error_estimate=found.error,
        sketch=found.sketch,
        seed=task.seed,
        passes=found.passes + 1,
        seconds=time.perf_counter() - start,
    )
    return LeverageResult(scores, found.rank, found.T, Status.CONVERGED, info)


def ridge_leverage_scores(
    A: Any, ridge: float, *, method: str = "auto", weights: Any = None, eps: float | None = None,
    delta: float | None = None, rng: Any = None,
) -> LeverageResult:  # fmt: skip
    """Compute the ridge leverage scores ``a_i^H (A^H A + ridge I)^-1 a_i`` of all rows.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data.
    ridge : float
        Positive.
    method : str, default "auto"
        As for `leverage_scores`.
    weights : array of shape (m,), optional
        As for `leverage_scores`.
    eps : float, optional
        As for `leverage_scores`.
    delta : float, optional
        As for `leverage_scores`.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        As for `leverage_scores`.

    Returns
    -------
    LeverageResult
        ``info.sum`` is the effective dimension.

    Raises
    ------
    ValueError
        If the ridge is not positive and finite, and as `leverage_scores` does.

    Notes
    -----
    Scores decrease as the ridge grows [1]_.

    References
    ----------
    .. [1] A. Alaoui and M. W. Mahoney, "Fast randomized kernel ridge regression with statistical
       guarantees", NIPS 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import ridge_leverage_scores
    >>> A = np.diag([3.0, 1.0])
    >>> ridge_leverage_scores(A, 1.0, rng=7).scores
    array([0.9, 0.5])
    """
    if not make.as_ridge(ridge):
        raise ValueError(f"ridge must be positive, got {ridge}")
    return leverage_scores(
        A, method=method, ridge=ridge, weights=weights, eps=eps, delta=delta, rng=rng
    )


def effective_dimension(A: Any, ridge: float, *, weights: Any = None, rng: Any = None) -> float:
    """Compute ``sum(s**2 / (s**2 + ridge))`` over the singular values s of A.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data.
    ridge : float
        Positive.
    weights : array of shape (m,), optional
        Not negative; singular values of ``sqrt(weights)[:, None] * A``.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of a sketch comes from; the value depends on it by rounding only.

    Returns
    -------
    float
        Between 0 and the rank.

    Notes
    -----
    The sum of the exact ridge leverage scores, at their cost.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import effective_dimension
    >>> round(effective_dimension(np.diag([3.0, 1.0]), 1.0), 12)
    1.4
    """
    return float(ridge_leverage_scores(A, ridge, weights=weights, rng=rng).info.sum)
