"""`column_subset`: columns that represent a matrix, without coefficients."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, unit_roundoff
from lrla._core.errors import AccuracyWarning, RankDeficientWarning, once, warn
from lrla._core.operators import Operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.lowrank._interpolative import check_size
from lrla.lowrank._parts import (
    bound_of,
    check_products,
    coordinates,
    frobenius,
    look,
    probes,
    project,
)
from lrla.lowrank._selection import METHODS, Choice, Search
from lrla.sampling import leverage_scores, sample_rows


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ColumnSubsetResult(Result):
    """Columns that represent a matrix.

    Parameters
    ----------
    columns : array of shape (rank,)
        Indices of the columns, in the order in which they were chosen.
    rank : int
        Their number.
    status : Status
        Always `Status.CONVERGED`: nothing iterates to a tolerance.
    info : Info
        ``error_estimate``: of ``norm(A - Q Q^H A)`` in the Frobenius norm, Q an orthonormal basis
        of the columns, from 10 Gaussian vectors; ``error_bound``: at least that norm with a
        probability of 95 %; ``relative_error``; ``method``; ``sketch``; ``seed``; ``seconds``.
    """

    columns: Array
    rank: int
    status: Status
    info: Info


def column_subset(
    A: Any, rank: int, *, method: str = "sketch_qrp", rng: Any = None
) -> ColumnSubsetResult:
    """Choose columns whose span is close to the whole matrix.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The matrix; never changed.
    rank : int
        Number of columns, from 1 to min(m, n).
    method : str, default "sketch_qrp"
        Those of `interpolative`: "sketch_qrp", "sketch_lupp", "rpqr", "qrp", "srrqr". And
        "greedy": each time the column that lowers the error most [1]_; with an n x n matrix in
        memory. And "leverage": a sample by the leverage scores of rank ``rank``, as for CUR [3]_;
        the weakest by far for so few columns, there for comparison. These two are for dense and
        sparse data.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    ColumnSubsetResult
        With fields columns, rank, status and info.

    Raises
    ------
    ValueError
        If rank is out of range, A is empty or not finite, or the method cannot take A.
    TypeError
        If A is not a matrix of numbers.

    Warns
    -----
    RankDeficientWarning
        If A has, to rounding, fewer independent columns than were asked for.

    See Also
    --------
    interpolative : the same, with the coefficients of all columns, or to a tolerance.

    Notes
    -----
    The best k columns leave at most ``sqrt(k + 1)`` times the error of the best rank k [2]_. What is
    left is measured: by one product of A with 10 vectors from the left.

    Cost in flops: as for `interpolative` without its coefficients; "greedy" m n**2 + 4 n**2 k.

    References
    ----------
    .. [1] A. K. Farahat, A. Elgohary, A. Ghodsi and M. S. Kamel, "Greedy column subset selection
       for large-scale data sets", Knowl. Inf. Syst. 45, 2015.
    .. [2] A. Deshpande, L. Rademacher, S. Vempala and G. Wang, "Matrix approximation and projective
       clustering via volume sampling", Theory Comput. 2, 2006.
    .. [3] M. W. Mahoney and P. Drineas, "CUR matrix decompositions for improved data analysis",
       PNAS 106, 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import column_subset
    >>> A = np.random.default_rng(7).standard_normal((50, 3)) @ np.eye(3, 40, k=20)
    >>> sorted(column_subset(A, 3, method="greedy").columns.tolist())
    [20, 21, 22]
    """
    start = time.perf_counter()
    op, size = look(A)
    known = {**METHODS, "greedy": _greedy, "leverage": _leverage}
    check_size(op, rank, None, method, tuple(known))
    seed = seed_of(rng)
    choice = known[method](Search(op, int(rank), 0.0, seed))
    rcond = max(op.shape) * 2 * unit_roundoff(op.space.xp, op.dtype)
    base = project(op, choice.columns, choice.factor, choice.basis, rcond)
    k, G = base.columns.shape[0], probes(op, seed)
    rest = G - base.Q @ (adjoint(base.Q) @ G)
    rows = [rest, G] if size is None else [rest]
    products = coordinates(op, adjoint(op.space.xp.concat(rows, axis=1)))
    check_products(products)
    error = linalg.norm(products[: G.shape[1], :])
    size = frobenius(op, products[G.shape[1] :, :]) if size is None else size
    if k < rank:
        warn(
            f"A has only {k} independent columns to rounding, of rank={rank} asked for; the "
            "result has these",
            RankDeficientWarning,
        )
    info = Info(
        error_estimate=error,
        error_bound=bound_of(error),
        relative_error=error / size if size else 0.0,
        method=method,
        sketch=choice.sketch,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    return ColumnSubsetResult(base.columns, k, Status.CONVERGED, info)


def _entries(op: Operator, method: str) -> Any:
    """Return A divided by its norm, so that squares stay in range."""
    if op.kind == "operator":
        raise ValueError(
            f"method {method!r} needs the entries of A, got a linear operator; use 'sketch_qrp'"
        )
    A = op.todense() if op.kind == "blocks" else op.A
    return A / (frobenius(op, A) or 1.0)


def _leverage(search: Search) -> Choice:
    """Draw columns in proportion to the leverage scores of the rank."""
    A = _entries(search.op, "leverage")
    rows = A.conj().T if search.op.kind == "sparse" else adjoint(A)
    # what is wrong with scores or with their number shows in the columns, whose error is measured
    with once(AccuracyWarning, told=True), once(RankDeficientWarning, told=True):
        scores = leverage_scores(rows, rank=search.rank, rng=search.seed).scores
        if not bool(search.op.space.xp.any(scores > 0)):  # A is zero
            return Choice(search.op.space.asarray([], search.op.space.xp.int64))
        drawn = sample_rows(scores, search.rank, rng=search.seed).indices
    return Choice(search.op.space.asarray(drawn))


def _greedy(search: Search) -> Choice:
    """Take the column with the largest decrease of the error, again and again.

    With E = A - (projection of A), column j lowers the squared error by norm(E^H e_j)**2 /
    norm(e_j)**2: the squared norm of a row of the square of the Gram matrix of E by its diagonal.
    """
    op, xp = search.op, search.op.space.xp
    A = _entries(op, "greedy")
    G = (A.conj().T @ A).toarray() if op.kind == "sparse" else adjoint(A) @ A
    n = G.shape[0]
    index = xp.arange(n, device=op.space.device)
    left = xp.abs(xp.linalg.diagonal(G))
    floor = 100 * float(xp.finfo(G.dtype).eps) * left
    chosen = []
    for _ in range(search.rank):
        free = left > floor
        if not bool(xp.any(free)):
            break
        gains = linalg.norm(G, axis=0) ** 2 / xp.where(free, left, xp.ones_like(left))
        best = int(xp.argmax(xp.where(free, gains, -xp.ones_like(gains))))
        chosen.append(best)
        w = G[:, best : best + 1] / xp.sqrt(left[best])
        G = G - w @ adjoint(w)
        left = xp.where(index == best, xp.zeros_like(left), left - xp.abs(w[:, 0]) ** 2)
    return Choice(op.space.asarray(chosen, xp.int64))
