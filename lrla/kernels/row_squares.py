"""Squared lengths of rows in other coordinates: what every leverage score is."""

from __future__ import annotations

from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.dispatch import kernel
from lrla.kernels.normal import dense_rows


@kernel
def row_squares(A: Array, T: Array) -> Array:
    """Compute the squared Euclidean norm of every row of A T.

    Parameters
    ----------
    A : array of shape (m, n)
        The data, in any memory order.
    T : array of shape (n, k)
        Coordinates, in the dtype of A.

    Returns
    -------
    array of shape (m,)
        Real: ``sum_j |A T|_ij^2``.
    """
    xp = space_of(A).xp
    return xp.sum(abs(A @ T) ** 2, axis=1)


@kernel
def row_squares_csr(data: Array, indices: Array, indptr: Array, T: Array) -> Array:
    """Compute what `row_squares` does, for a CSR matrix of len(indptr) - 1 rows."""
    return row_squares.definition(dense_rows(data, indices, indptr, T.shape[0]), T)


@kernel
def quadratic_csr(data: Array, indices: Array, indptr: Array, M: Array) -> Array:
    """Evaluate the Hermitian form M at every row a of a CSR matrix: ``a M a^H``.

    Parameters
    ----------
    data, indices, indptr : array
        The matrix, of len(indptr) - 1 rows.
    M : array of shape (n, n)
        Hermitian; a twin may read one triangle of it only.

    Returns
    -------
    array of shape (len(indptr) - 1,)
        Real.
    """
    A = dense_rows(data, indices, indptr, M.shape[0])
    xp = space_of(A).xp
    values = xp.sum((A @ M) * adjoint(A).T, axis=1)
    return xp.real(values) if xp.isdtype(values.dtype, "complex floating") else values
