"""Products of a large matrix with a few columns: as fast as the matrix can be read."""

from __future__ import annotations

from lrla._core.arrays import Array, is_complex, space_of
from lrla._core.dispatch import kernel


@kernel
def times(A: Array, X: Array) -> Array:
    """Compute A X.

    Parameters
    ----------
    A : array of shape (m, n)
        The matrix.
    X : array of shape (n, p)
        The columns.

    Returns
    -------
    array of shape (m, p)
        In the dtype of A and X.
    """
    return A @ X


@kernel
def adjoint_times(A: Array, Y: Array) -> Array:
    """Compute A^H Y, for Y of shape (m, p)."""
    if not is_complex(A):
        return A.T @ Y
    conj = space_of(A).xp.conj  # of the columns, not of a copy of A
    return conj(A.T @ conj(Y))
