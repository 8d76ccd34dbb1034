"""Distances between all rows of two matrices."""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def manhattan(X: Array, Y: Array) -> Array:
    """Compute ``sum(abs(X[i] - Y[j]))``.

    Parameters
    ----------
    X : array of shape (m, p)
        Real.
    Y : array of shape (n, p)
        Real.

    Returns
    -------
    array of shape (m, n)
        In the dtype of X.
    """
    xp = space_of(X).xp
    out = space_of(X).zeros((X.shape[0], Y.shape[0]), X.dtype)
    for j in range(X.shape[1]):  # a column at a time: no array of three dimensions
        out = out + xp.abs(X[:, j : j + 1] - Y[:, j][None, :])
    return out


@kernel
def squared_euclidean(X: Array, Y: Array) -> Array:
    """Compute ``sum((X[i] - Y[j])**2)`` from the differences: to a few units, however small.

    Parameters
    ----------
    X : array of shape (m, p)
        Real.
    Y : array of shape (n, p)
        Real.

    Returns
    -------
    array of shape (m, n)
        In the dtype of X.
    """
    out = space_of(X).zeros((X.shape[0], Y.shape[0]), X.dtype)
    for j in range(X.shape[1]):
        out = out + (X[:, j : j + 1] - Y[:, j][None, :]) ** 2
    return out
