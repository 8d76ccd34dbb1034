"""Normal-equation products that read the data once: what every iteration of a solver needs."""

from __future__ import annotations

from typing import Any

from lrla._core.arrays import Array, adjoint
from lrla._core.dispatch import kernel
from lrla._core.linalg import dots


@kernel
def normal_residual(A: Array, X: Array, B: Array | None, w: Array | None) -> tuple[Array, Array]:
    """Compute A^H W (B - A X) and the weighted sums of squares of the residuals.

    Parameters
    ----------
    A : array of shape (m, n)
        The data, in any memory order.
    X : array of shape (n, p)
        Coefficients, in the dtype of A.
    B : array of shape (m, p) or None
        Right-hand sides, in the dtype of A; None stands for zero.
    w : array of shape (m,) or None
        Real weights; None stands for ones.

    Returns
    -------
    C : array of shape (n, p)
        ``A^H W (B - A X)``.
    squares : array of shape (p,)
        Real: ``sum_i w_i |B - A X|_ij^2`` for each column j.
    """
    R = -(A @ X) if B is None else B - A @ X
    WR = R if w is None else w[:, None] * R
    return adjoint(A) @ WR, dots(R, WR)


@kernel
def normal_residual_csr(
    data: Array, indices: Array, indptr: Array, X: Array, B: Array | None, w: Array | None
) -> tuple[Array, Array]:
    """Compute what `normal_residual` does, for a CSR matrix of len(indptr) - 1 rows."""
    dense = dense_rows(data, indices, indptr, X.shape[0])
    return normal_residual.definition(dense, X, B, w)


def dense_rows(data: Array, indices: Array, indptr: Array, n: int) -> Array:
    """Form the matrix entry by entry: the meaning of CSR, repeated entries adding up."""
    import numpy as np

    rows = np.repeat(np.arange(indptr.shape[0] - 1), np.diff(indptr))
    dense: Any = np.zeros((indptr.shape[0] - 1, n), dtype=data.dtype)
    np.add.at(dense, (rows, indices), data)
    return dense
