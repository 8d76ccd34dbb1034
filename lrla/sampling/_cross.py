"""`cross_leverage`: which rows a row of the hat matrix listens to."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core.arrays import Array, adjoint, space_of, to_host
from lrla._core.numbers import whole
from lrla._core.operators import Operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla._core.threads import ranges
from lrla.sampling import _coordinates as make
from lrla.sampling._coordinates import Task
from lrla.sampling._leverage import METHODS, coordinates
from lrla.sampling._rows import look, row_weights

_ENTRIES = 1 << 20  # of the hat matrix that are held at a time


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CrossLeverageResult(Result):
    """Some rows of the hat matrix, or their largest entries.

    Parameters
    ----------
    values : array of shape (k, t)
        Entries of the hat matrix: line j belongs to the j-th row asked for.
    columns : array of shape (k, t), int64
        In which columns they stand. With ``top``, by decreasing absolute value; otherwise all
        columns in order.
    rank : int
        Numerical rank of A.
    status : Status
        `Status.CONVERGED`.
    info : Info
        ``method``, ``reason``, ``condition``, ``error_estimate``, ``sketch``, ``seed`` and
        ``seconds``, as `leverage_scores` has them.
    """

    values: Array
    columns: Array
    rank: int
    status: Status
    info: Info


def cross_leverage(
    A: Any,
    rows: Any,
    *,
    top: int | None = None,
    method: str = "auto",
    ridge: float = 0.0,
    weights: Any = None,
    rcond: float | None = None,
    rng: Any = None,
) -> CrossLeverageResult:
    """Compute entries ``a_i^H (A^H A)^+ a_j`` of the hat matrix, for some rows i.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data.
    rows : sequence of k int
        Which rows of the hat matrix.
    top : int, optional
        How many entries of each to return: those of largest absolute value, the leverage score of
        the row itself among them. Without it, all m.
    method : str, default "auto"
        As for `leverage_scores`.
    ridge : float, default 0
        As for `leverage_scores`.
    weights : array of shape (m,), optional
        As for `leverage_scores`.
    rcond : float, optional
        As for `leverage_scores`.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        As for `leverage_scores`.

    Returns
    -------
    CrossLeverageResult
        With fields values, columns, rank, status and info.

    Raises
    ------
    ValueError
        If a row is not among those of A, or ``top`` is not from 1 to m; and as `leverage_scores`.

    Notes
    -----
    Cost: that of coordinates for `leverage_scores`, and 2 k m n flops. With ``top`` no more than a
    block of the k x m entries is held at a time. Two rows with a large entry are fitted by the same
    coefficients: the coherence of near pairs [1]_.

    References
    ----------
    .. [1] P. Drineas, M. Magdon-Ismail, M. W. Mahoney and D. P. Woodruff, "Fast approximation of
       matrix coherence and statistical leverage", JMLR 13, 2012, section 4.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import cross_leverage
    >>> A = np.array([[1.0, 0], [1, 0], [0, 1], [0, 2]])
    >>> cross_leverage(A, [0, 3], top=2, rng=7).values.round(12)
    array([[0.5, 0.5],
           [0.8, 0.4]])
    """
    start = time.perf_counter()
    op = look(A)
    m = op.shape[0]
    w = row_weights(op, weights)
    wanted = to_host(rows)
    if wanted.ndim != 1 or wanted.dtype.kind not in "iu" or wanted.shape[0] == 0:
        raise ValueError("rows must be a sequence of one or more integers")
    if wanted.min() < 0 or wanted.max() >= m:
        raise ValueError(f"rows must be from 0 to {m - 1}, got {wanted.min()} to {wanted.max()}")
    if top is not None:
        top = whole(top, "top", 1, m, rule=f" from 1 to {m}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    task = Task(op, w, make.as_ridge(ridge), make.as_fraction(rcond, "rcond"), seed_of(rng), "asked for")  # fmt: skip
    found = coordinates(task, method)
    Q = take(op, wanted, w) @ found.T
    V, columns = _entries(op, w, found.T @ adjoint(Q), top)
    info = Info(
        method=found.method,
        reason=found.reason,
        condition=found.condition,
        error_estimate=found.error,
        sketch=found.sketch,
        seed=task.seed,
        seconds=time.perf_counter() - start,
    )
    return CrossLeverageResult(V, columns, found.rank, Status.CONVERGED, info)


def take(op: Operator, rows: np.ndarray, w: Array | None) -> Array:
    """Return some rows of sqrt(W) A, as a dense array."""
    xp, space = op.space.xp, op.space
    if op.kind == "dense":
        out = xp.take(op.A, space.asarray(rows), axis=0)
    elif op.kind == "sparse":
        out = op.A[rows].toarray()
    elif op.kind == "blocks":
        parts = op.A.map(lambda block, a, b: block[rows[(a <= rows) & (rows < b)] - a, :])
        order = np.argsort(np.concatenate([np.flatnonzero((a <= rows) & (rows < b)) for a, b in op.A.bounds]))  # fmt: skip
        out = xp.take(xp.concat(parts, axis=0), space.asarray(order), axis=0)
    else:
        unit = np.zeros((op.shape[0], rows.shape[0]))
        unit[rows, np.arange(rows.shape[0])] = 1
        out = adjoint(op.rmatmat(space.asarray(unit, op.dtype)))
    return out if w is None else xp.sqrt(xp.take(w, space.asarray(rows)))[:, None] * out


def _entries(op: Operator, w: Array | None, M: Array, wanted: int | None) -> tuple[Array, Array]:
    """Return the largest entries of each column of sqrt(W) A M, or all in order, and their rows."""
    xp, space, (m, k) = op.space.xp, op.space, (op.shape[0], int(M.shape[1]))
    top = m if wanted is None else int(wanted)

    def part(block: Any, a: int, b: int) -> tuple[Array, Array]:
        V = block @ M
        V = V if w is None else xp.sqrt(w[a:b])[:, None] * V
        places = xp.arange(a, b, dtype=xp.int64, device=space.device)[:, None]
        return _largest(V.T, xp.broadcast_to(places, (b - a, k)).T, top)

    if op.kind == "blocks":
        parts = op.A.map(part)
    elif op.kind == "operator":
        V = op.matmat(M)
        V = V if w is None else xp.sqrt(w)[:, None] * V
        places = xp.arange(m, dtype=xp.int64, device=space.device)[None, :]
        parts = [_largest(V.T, xp.broadcast_to(places, (k, m)), top)]
    else:
        step = max(256, _ENTRIES // k)
        parts = [part(op.A[a:b, :], a, b) for a, b in ranges(m, step)]
    V, places = (xp.concat(list(piece), axis=1) for piece in zip(*parts, strict=True))
    if wanted is not None:
        V, places = _largest(V, places, top)
        order = xp.argsort(-abs(V), axis=1, stable=True)
        V, places = xp.take_along_axis(V, order, axis=1), xp.take_along_axis(places, order, axis=1)
    return (xp.conj(V) if xp.isdtype(V.dtype, "complex floating") else V), places


def _largest(V: Array, places: Array, top: int) -> tuple[Array, Array]:
    """Keep the entries of each row of V whose absolute values are largest, in any order."""
    space = space_of(V)
    if int(V.shape[1]) <= top:
        return V, places
    if space.is_numpy:
        order = np.argpartition(-abs(V), top - 1, axis=1)[:, :top]
    else:
        order = space.xp.argsort(-abs(V), axis=1)[:, :top]
    take = space.xp.take_along_axis
    return take(V, order, axis=1), take(places, order, axis=1)
