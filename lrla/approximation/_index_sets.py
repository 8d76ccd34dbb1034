"""Which products of functions of one variable span a space: sets of multi-indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_MOST = 1 << 28  # entries of an index set: 2 GiB


def check_count(value: Any, name: str, least: int = 0) -> int:
    """Return a whole number that is not below ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be an integer, at least {least}, got {value!r}")
    return int(value)


def total_degree(dim: int, degree: int) -> np.ndarray:
    """List the multi-indices whose entries sum to at most a degree.

    Parameters
    ----------
    dim : int
        Number of coordinates.
    degree : int
        The largest sum.

    Returns
    -------
    numpy.ndarray of int64, shape (m, dim)
        One index in each row, by rising sums; m is ``comb(dim + degree, dim)``.

    Raises
    ------
    ValueError
        If dim is less than 1, degree is negative, or the set would not fit into memory.

    Examples
    --------
    >>> from lrla.approximation import total_degree
    >>> total_degree(2, 1)
    array([[0, 0],
           [1, 0],
           [0, 1]])
    """
    dim, degree = check_count(dim, "dim", 1), check_count(degree, "degree")
    count = math.comb(dim + degree, dim)
    if count * dim > _MOST:
        raise ValueError(f"the index set has {count} elements; take a smaller dim or degree")
    rows = np.zeros((1, 0), np.int64)
    left = np.array([degree])
    for _ in range(dim):
        many = left + 1
        parent = np.repeat(np.arange(len(rows)), many)
        entry = np.arange(len(parent)) - np.repeat(np.cumsum(many) - many, many)
        rows = np.column_stack([rows[parent], entry])
        left = left[parent] - entry
    return graded(rows)


def graded(rows: np.ndarray) -> np.ndarray:
    """Sort multi-indices by their sums, then with the first coordinates leading."""
    order = np.lexsort((*(-rows.T[::-1]), np.sum(np.abs(rows), axis=1)))
    return rows[order]
