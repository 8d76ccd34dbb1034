"""One step of a three-term recurrence in a sparse matrix: a product, and what is added to it."""

from __future__ import annotations

from lrla._core.arrays import Array
from lrla._core.dispatch import kernel
from lrla.kernels.normal import dense_rows


@kernel
def three_terms(
    data: Array, indices: Array, indptr: Array, X: Array, Y: Array,
    coefficients: tuple[float, float, float],
) -> Array:  # fmt: skip
    """Compute a A X + b X + c Y for a square CSR matrix A.

    Parameters
    ----------
    data, indices, indptr : array
        The matrix, n x n.
    X, Y : array of shape (n, p)
        Columns, in the dtype of A.
    coefficients : tuple of float
        a, b and c.

    Returns
    -------
    array of shape (n, p)
        In the same dtype.
    """
    a, b, c = coefficients
    return a * (dense_rows(data, indices, indptr, X.shape[0]) @ X) + b * X + c * Y
