"""Which products of functions of one variable span a space: sets of multi-indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lrla._core.numbers import whole

_MOST = 1 << 25  # entries of an index set: 256 MiB
_SLACK = 1e-12  # relative, in inequalities: sums of logarithms and powers are rounded


def as_indices(index_set: Any) -> np.ndarray:
    """Return multi-indices as an array of shape (m, dim)."""
    rows = np.asarray(index_set)
    if rows.ndim == 0 and rows.dtype.kind in "iu":
        raise ValueError(
            f"index_set must list indices, got the number {rows}; for all degrees up to it pass "
            f"range({rows + 1}), or total_degree(dim, {rows}) in several variables"
        )
    if rows.ndim == 1:
        rows = rows[:, None]
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(
            f"index_set must have shape (m, dim) with at least one row, got shape {rows.shape}"
        )
    if rows.dtype.kind not in "iu":
        raise ValueError(f"index_set must hold integers, got dtype {rows.dtype}")
    return rows.astype(np.int64)


def total_degree(dim: int, degree: int, *, weights: Any = None) -> np.ndarray:
    """List the multi-indices whose entries sum to at most a degree.

    Parameters
    ----------
    dim : int
        Number of coordinates.
    degree : int
        The largest sum.
    weights : array of shape (dim,), optional
        Positive factors of the entries in the sum: a coordinate with a large one gets low degrees.

    Returns
    -------
    numpy.ndarray of int64, shape (m, dim)
        One index in each row, by rising sums of their entries; without weights m is
        ``comb(dim + degree, dim)``.

    Raises
    ------
    ValueError
        If dim is less than 1, degree is negative, weights are not positive, or the set would not
        fit into memory.

    Examples
    --------
    >>> from lrla.approximation import total_degree
    >>> total_degree(2, 1)
    array([[0, 0],
           [1, 0],
           [0, 1]])
    >>> len(total_degree(2, 10)), len(total_degree(2, 10, weights=[1, 3]))
    (66, 26)
    """
    dim, degree = whole(dim, "dim", 1), whole(degree, "degree", 0)
    costs = [np.arange(int(degree / w * (1 + _SLACK)) + 1) * w for w in _weights(weights, dim)]
    return _enumerate(costs, degree)


def hyperbolic_cross(dim: int, degree: int, *, weights: Any = None) -> np.ndarray:
    """List the multi-indices for which the product of the entries plus one is at most a bound.

    Parameters
    ----------
    dim : int
        Number of coordinates.
    degree : int
        The largest entry: the bound is ``degree + 1``.
    weights : array of shape (dim,), optional
        Positive exponents of the factors: a coordinate with a large one gets low degrees.

    Returns
    -------
    numpy.ndarray of int64, shape (m, dim)
        One index in each row, by rising sums of their entries.

    Raises
    ------
    ValueError
        As for `total_degree`.

    Examples
    --------
    >>> from lrla.approximation import hyperbolic_cross
    >>> hyperbolic_cross(2, 2)
    array([[0, 0],
           [1, 0],
           [0, 1],
           [2, 0],
           [0, 2]])
    """
    dim, degree = whole(dim, "dim", 1), whole(degree, "degree", 0)
    budget = math.log(degree + 1)
    factors = _weights(weights, dim)
    if budget / float(np.min(factors)) > math.log(_MOST):
        raise ValueError(
            "the index set has too many elements; take larger weights or a smaller degree"
        )
    costs = [w * np.log(np.arange(1.0, np.exp(budget / w) * (1 + _SLACK))) for w in factors]
    return _enumerate(costs, budget)


def norm_ball(dim: int, degree: int, p: float, *, weights: Any = None) -> np.ndarray:
    """List the multi-indices whose p-norm is at most a degree.

    Parameters
    ----------
    dim : int
        Number of coordinates.
    degree : int
        The radius.
    p : float
        Positive: 1 gives `total_degree`, less than that fewer mixed products, infinity all of them.
    weights : array of shape (dim,), optional
        Positive factors of the entries.

    Returns
    -------
    numpy.ndarray of int64, shape (m, dim)
        One index in each row, by rising sums of their entries.

    Raises
    ------
    ValueError
        As for `total_degree`, or if p is not positive.

    Examples
    --------
    >>> from lrla.approximation import norm_ball
    >>> [len(norm_ball(2, 10, p)) for p in (0.5, 1, 2, float("inf"))]
    [31, 66, 90, 121]
    """
    dim, degree = whole(dim, "dim", 1), whole(degree, "degree", 0)
    if not p > 0:
        raise ValueError(f"p must be positive, got {p}")
    scaled = [np.arange(int(degree / w * (1 + _SLACK)) + 1) * w for w in _weights(weights, dim)]
    if degree == 0 or math.isinf(p):
        return _enumerate([0.0 * s for s in scaled], 0.0)
    return _enumerate([(s / degree) ** p for s in scaled], 1.0)


def tensor_product(degrees: Any) -> np.ndarray:
    """List the multi-indices whose entries are at most given degrees.

    Parameters
    ----------
    degrees : sequence of int
        The largest degree in each coordinate.

    Returns
    -------
    numpy.ndarray of int64, shape (m, dim)
        One index in each row, by rising sums of their entries.

    Raises
    ------
    ValueError
        If there are no degrees, one is negative, or the set would not fit into memory.

    Examples
    --------
    >>> from lrla.approximation import tensor_product
    >>> tensor_product([1, 1])
    array([[0, 0],
           [1, 0],
           [0, 1],
           [1, 1]])
    """
    if isinstance(degrees, int | np.integer):
        raise ValueError(
            f"degrees must be one for each coordinate, got the number {degrees}; pass "
            f"[{degrees}] * dim"
        )
    tops = [whole(k, "degrees", 0) for k in degrees]
    whole(len(tops), "the number of degrees", 1)
    return _enumerate([np.zeros(k + 1) for k in tops], 0.0)


def mirrored(index_set: Any, *, columns: Any = None) -> np.ndarray:
    """Add the indices with other signs to an index set, for `Fourier` coordinates.

    Parameters
    ----------
    index_set : array of int, shape (m, dim)
        Multi-indices.
    columns : sequence of int, optional
        The coordinates whose signs change; all by default.

    Returns
    -------
    numpy.ndarray of int64, shape (m', dim)
        One index in each row, by rising sums of absolute values.

    Raises
    ------
    ValueError
        For what is no index set, or a coordinate that it does not have.

    Examples
    --------
    >>> from lrla.approximation import mirrored
    >>> mirrored([0, 1])
    array([[ 0],
           [ 1],
           [-1]])
    """
    rows = as_indices(index_set)
    dim = rows.shape[1]
    chosen = range(dim) if columns is None else [whole(j, "columns", 0) for j in columns]
    for j in chosen:
        if j >= dim:
            raise ValueError(f"columns must be less than dim = {dim}, got {j}")
        other = rows.copy()
        other[:, j] *= -1
        rows = np.unique(np.concatenate([rows, other]), axis=0)
    return graded(rows)


def _weights(weights: Any, dim: int) -> np.ndarray:
    if weights is None:
        return np.ones(dim)
    w = np.asarray(weights, np.float64)
    if w.shape != (dim,) or not np.all(np.isfinite(w) & (w > 0)):
        raise ValueError(f"weights must be {dim} positive numbers, got {weights!r}")
    return w


def _enumerate(costs: list[np.ndarray], budget: float) -> np.ndarray:
    """List the indices whose costs, one array of rising ones for each coordinate, fit a budget."""
    rows = np.zeros((1, 0), np.int64)
    left = np.array([budget * (1 + _SLACK)])
    for cost in costs:
        many = np.searchsorted(cost, left, side="right")
        if (int(many.sum()) + 0.0) * len(costs) > _MOST:
            raise ValueError(
                f"the index set has more than {_MOST // len(costs)} elements; take a smaller "
                "degree or dim"
            )
        parent = np.repeat(np.arange(len(rows)), many)
        entry = np.arange(len(parent)) - np.repeat(np.cumsum(many) - many, many)
        rows = np.column_stack([rows[parent], entry])
        left = left[parent] - cost[entry]
    return graded(rows)


def graded(rows: np.ndarray) -> np.ndarray:
    """Sort multi-indices by the sums of their sizes, then with the first coordinates leading."""
    order = np.lexsort((*(-rows.T[::-1]), np.sum(np.abs(rows), axis=1)))
    return rows[order]
