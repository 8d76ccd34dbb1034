"""`eim`: a few points from whose values whole functions follow."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, as_array, check_finite, space_of, unit_roundoff
from lrla._core.numbers import whole
from lrla._core.results import Info, Result, Status
from lrla.kernels.pivoted_qr import pivoted_qr

METHODS = ("greedy", "qdeim")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EIMResult(Result):
    """Points and functions that interpolate what resembles the snapshots.

    Parameters
    ----------
    points : array of shape (rank,)
        Indices of the rows that are looked at.
    basis : array of shape (m, rank)
        Functions, one a column. For "greedy" ``basis[points]`` is lower triangular with ones on
        the diagonal; for "qdeim" the columns are orthonormal.
    rank : int
        Number of points.
    status : Status
        Whether the tolerance was met; without one always `Status.CONVERGED`.
    info : Info
        ``error``: largest absolute error at any point of any snapshot; ``relative_error``: the same
        divided by the largest absolute value of the snapshots; ``history``: relative errors after
        each point (for "greedy"); ``lebesgue_constant``: factor by which interpolation may be worse
        than the best approximation by the basis in the maximum norm; ``method``; ``seconds``.
    """

    points: Array
    basis: Array
    rank: int
    status: Status
    info: Info

    def interpolate(self, values: Any) -> Array:
        """Continue values at the points to all rows.

        Parameters
        ----------
        values : array of shape (rank,) or (rank, p)
            Values at ``points``, in their order.

        Returns
        -------
        array of shape (m,) or (m, p)
            The combination of the basis that has these values there.

        Raises
        ------
        ValueError
            If there are not as many values as points.
        """
        values = as_array(values, "values", ndim=(1, 2))
        if values.shape[0] != self.rank:
            raise ValueError(
                f"values must have {self.rank} rows, as there are points, got shape "
                f"{tuple(values.shape)}"
            )
        columns = values[:, None] if values.ndim == 1 else values
        out = self.basis @ _coefficients(self.basis, self.points, columns)
        return out[:, 0] if values.ndim == 1 else out


def eim(
    X: Any, rank: int | None = None, *, tol: float | None = None, method: str = "greedy"
) -> EIMResult:
    """Find points and basis functions that interpolate the columns of a matrix.

    Parameters
    ----------
    X : array of shape (m, n)
        Snapshots: values at m places for n parameters.
    rank : int, optional
        Number of points, from 1 to min(m, n). Give this or ``tol``.
    tol : float, optional
        Take so many points that the largest error is at most ``tol`` times the largest value.
    method : {"greedy", "qdeim"}, default "greedy"
        "greedy": empirical interpolation: each time the snapshot with the largest error, and the
        place where it is largest [1]_. "qdeim": the leading left singular vectors, and the pivots
        of a QR of their adjoint [2]_; better conditioned.

    Returns
    -------
    EIMResult
        With fields points, basis, rank, status and info, and the method interpolate.

    Raises
    ------
    ValueError
        If neither or both of rank and tol are given, they are out of range, or X is empty or not
        finite.
    TypeError
        If X is not a matrix of numbers.

    Notes
    -----
    On a matrix the greedy choice is elimination with complete pivoting: the entry of largest
    absolute value is the pivot, and its row the point. With r points all snapshots of rank r are
    reproduced, and the selected ones always.

    For any f, ``norm(f - interpolate(f[points]), inf)`` is at most ``1 + lebesgue_constant`` times
    the distance of f from the span of the basis. "greedy" allows 2**r - 1 for that constant [1]_,
    and "qdeim" a similar bound in the 2-norm [2]_; measured ones are small.

    Cost in flops: 2 m n r for "greedy", one SVD for "qdeim".

    References
    ----------
    .. [1] M. Barrault, Y. Maday, N. C. Nguyen and A. T. Patera, "An 'empirical interpolation'
       method: application to efficient reduced-basis discretization of partial differential
       equations", C. R. Math. 339, 2004.
    .. [2] Z. Drmac and S. Gugercin, "A new selection operator for the discrete empirical
       interpolation method", SIAM J. Sci. Comput. 38, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import eim
    >>> x, c = np.linspace(0, 1, 200), np.linspace(1, 5, 60)
    >>> result = eim(np.exp(-np.outer(x, c)), tol=1e-8)
    >>> f = np.exp(-2.345 * x)
    >>> bool(np.abs(f - result.interpolate(f[result.points])).max() < 1e-7)
    True
    """
    start = time.perf_counter()
    X = as_array(X, "X")
    if 0 in X.shape:
        raise ValueError(f"X must have rows and columns, got shape {tuple(X.shape)}")
    check_finite(X, "X")
    limit = min(X.shape)
    if (rank is None) == (tol is None):
        both = "both" if rank is not None else "neither"
        raise ValueError(f"give either rank or tol, got {both}")
    if rank is not None:
        rank = whole(rank, "rank", 1, limit, rule=f" between 1 and min(X.shape) = {limit}")
    if tol is not None and not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    xp = space_of(X).xp
    peak = float(xp.max(xp.abs(X)))
    unit = X / peak if peak else X
    search = _greedy if method == "greedy" else _qdeim
    points, basis, history = search(unit, limit if rank is None else int(rank), tol or 0.0)
    rest = unit - basis @ _coefficients(basis, points, xp.take(unit, points, axis=0))
    error = float(xp.max(xp.abs(rest)))
    info = Info(
        error=error * peak,
        relative_error=error,
        history=history,
        lebesgue_constant=_lebesgue(basis, points),
        method=method,
        seconds=time.perf_counter() - start,
    )
    met = tol is None or error <= tol + 10 * unit_roundoff(xp, X.dtype)
    status = Status.CONVERGED if met else Status.STAGNATED
    return EIMResult(points, basis, int(points.shape[0]), status, info)


def _greedy(X: Array, rank: int, tol: float) -> tuple[Array, Array, tuple[float, ...]]:
    space = space_of(X)
    xp, n = space.xp, X.shape[1]
    rest, points, columns, history = X, [], [], []
    noise = 10 * unit_roundoff(xp, X.dtype)
    for _ in range(rank):
        best = int(xp.argmax(xp.reshape(xp.abs(rest), (-1,))))
        i, j = best // n, best % n
        size = float(xp.abs(rest[i, j]))
        history.append(size)
        if size <= max(tol, noise):
            break
        q = rest[:, j : j + 1] / rest[i, j]
        rest = rest - q @ rest[i : i + 1, :]
        points.append(i)
        columns.append(q)
    basis = xp.concat(columns, axis=1) if columns else space.zeros((X.shape[0], 0), X.dtype)
    return space.asarray(points, xp.int64), basis, tuple(history)


def _qdeim(X: Array, rank: int, tol: float) -> tuple[Array, Array, tuple[float, ...]]:
    """Take as many singular vectors as it takes for their interpolation to be good enough."""
    xp = space_of(X).xp
    U, s, _ = linalg.svd(X)
    known = linalg.rank_of(s, 10 * max(X.shape) * unit_roundoff(xp, X.dtype))
    k = min(rank, known)
    if tol:  # no entry of what is left exceeds tol only if its norm is at most this
        enough = tol * (X.shape[0] * X.shape[1]) ** 0.5
        k = min(k, max(1, int(xp.sum(xp.astype(s > enough, xp.int64)))))
    while True:
        basis = U[:, :k]
        points = pivoted_qr(adjoint(basis), k)[0]
        rest = X - basis @ _coefficients(basis, points, xp.take(X, points, axis=0))
        if k >= min(rank, known) or not tol or float(xp.max(xp.abs(rest))) <= tol:
            return points, basis, ()
        k += 1


def _coefficients(basis: Array, points: Array, values: Array) -> Array:
    """Solve for the combination of the basis that has these values at the points."""
    xp = space_of(basis).xp
    if not points.shape[0]:
        return values
    dtype = xp.result_type(basis.dtype, values.dtype)
    B = xp.astype(xp.take(basis, points, axis=0), dtype)
    return xp.linalg.solve(B, xp.astype(values, dtype))


def _lebesgue(basis: Array, points: Array) -> float:
    """Return the largest sum of absolute values of the cardinal functions."""
    space, k = space_of(basis), int(points.shape[0])
    if not k:
        return 0.0
    cardinal = basis @ _coefficients(basis, points, space.eye(k, basis.dtype))
    return float(space.xp.max(space.xp.sum(space.xp.abs(cardinal), axis=1)))
