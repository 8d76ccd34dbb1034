"""What is around a set of multi-indices, and whether it has holes."""

from __future__ import annotations

from typing import Any

import numpy as np

from lrla.approximation._index_sets import as_indices, graded


def positions(rows: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Find rows among others: where, or -1."""
    _, number = np.unique(np.concatenate([among, rows]), axis=0, return_inverse=True)
    lookup = np.full(len(number), -1)
    lookup[number[: len(among)]] = np.arange(len(among))
    return lookup[number[len(among) :]]


def neighbours(rows: np.ndarray, signed: np.ndarray) -> np.ndarray:
    """List the indices that are one step further from zero than one of a set, and not in it."""
    steps = []
    for j in range(rows.shape[1]):
        for sign in (1, -1) if signed[j] else (1,):
            step = rows[sign * rows[:, j] >= 0].copy()
            step[:, j] += sign
            steps.append(step)
    around = np.unique(np.concatenate(steps), axis=0)
    return around[positions(around, rows) < 0]


def is_downward_closed(index_set: Any) -> bool:
    """Tell whether an index set holds, with each index, all that are nearer to zero.

    Parameters
    ----------
    index_set : array of int, shape (m, dim)
        Multi-indices.

    Returns
    -------
    bool
        Whether every entry that is not zero can be moved by one towards zero within the set. The
        span of polynomials is then that of monomials, and does not depend on the family.

    Raises
    ------
    ValueError
        For what is no index set.

    Examples
    --------
    >>> from lrla.approximation import is_downward_closed
    >>> is_downward_closed([[0, 0], [1, 0]]), is_downward_closed([[0, 0], [1, 1]])
    (True, False)
    """
    rows = as_indices(index_set)
    return all(
        np.all(positions(_inward(rows[rows[:, j] != 0], j), rows) >= 0)
        for j in range(rows.shape[1])
    )


def margin(index_set: Any) -> np.ndarray:
    """List the indices outside of a set that are one step in one coordinate from it.

    Parameters
    ----------
    index_set : array of int, shape (m, dim)
        Multi-indices, not negative.

    Returns
    -------
    numpy.ndarray of int64, shape (m', dim)
        One index in each row, by rising sums of their entries.

    Raises
    ------
    ValueError
        For what is no index set, or a negative entry.

    Examples
    --------
    >>> from lrla.approximation import margin
    >>> margin([[0, 0], [1, 0]])
    array([[0, 1],
           [2, 0],
           [1, 1]])
    """
    rows = as_indices(index_set)
    if np.any(rows < 0):
        raise ValueError(f"index_set must not be negative, got {rows.min()}")
    return graded(neighbours(rows, np.zeros(rows.shape[1], bool)))


def reduced_margin(index_set: Any) -> np.ndarray:
    """List the indices that can join a downward closed set by themselves.

    Parameters
    ----------
    index_set : array of int, shape (m, dim)
        Multi-indices, not negative.

    Returns
    -------
    numpy.ndarray of int64, shape (m', dim)
        Those of `margin` whose every neighbour towards zero is in the set, by rising sums.

    Raises
    ------
    ValueError
        For what is no index set, or a negative entry.

    Examples
    --------
    >>> from lrla.approximation import reduced_margin
    >>> reduced_margin([[0, 0], [1, 0]])
    array([[0, 1],
           [2, 0]])
    """
    rows = as_indices(index_set)
    around = margin(rows)
    fits = np.ones(len(around), bool)
    for j in range(rows.shape[1]):
        fits &= (around[:, j] == 0) | (positions(_inward(around, j), rows) >= 0)
    return around[fits]


def _inward(rows: np.ndarray, j: int) -> np.ndarray:
    """Move coordinate j towards zero."""
    out = rows.copy()
    out[:, j] -= np.sign(out[:, j])
    return out
