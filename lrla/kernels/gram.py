"""Gram matrices of tall data, one row block after the other."""

from __future__ import annotations

from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.dispatch import kernel
from lrla.kernels.normal import dense_rows


@kernel
def gram(A: Array, w: Array | None) -> Array:
    """Compute A^H W A.

    Parameters
    ----------
    A : array of shape (m, n)
        The data.
    w : array of shape (m,) or None
        Real weights, not negative; None stands for ones.

    Returns
    -------
    array of shape (n, n)
        Hermitian, in the dtype of A.
    """
    if w is None:
        return adjoint(A) @ A
    B = space_of(A).xp.sqrt(w)[:, None] * A
    return adjoint(B) @ B


@kernel
def gram_csr(data: Array, indices: Array, indptr: Array, n: int, w: Array | None) -> Array:
    """Compute what `gram` does, densely, for a CSR matrix of len(indptr) - 1 rows, n columns."""
    return gram.definition(dense_rows(data, indices, indptr, n), w)
