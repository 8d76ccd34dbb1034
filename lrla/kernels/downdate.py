"""Extreme eigenvalues of a Hermitian matrix from which one row or another is taken out."""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def extremes_without(values: Array, squares: Array) -> Array:
    """Compute the smallest and the largest eigenvalue of ``diag(values) - z z^T`` for many z.

    Of a matrix with eigenvectors V and these eigenvalues, a row a taken out changes them as
    ``z = V^H a^H`` does here, and of z only the moduli matter.

    Parameters
    ----------
    values : array of shape (m,)
        Real numbers, increasing; m at least 1.
    squares : array of shape (k, m)
        Squared moduli of the entries of z, one z a row; real.

    Returns
    -------
    array of shape (k, 2)
        Smallest and largest eigenvalue for each z.
    """
    space = space_of(values)
    xp = space.xp
    k, m = (int(s) for s in squares.shape)
    if k == 0:
        return space.zeros((0, 2), values.dtype)
    z = xp.sqrt(squares)
    D = values[None, :] * space.eye(m, values.dtype)
    found = xp.linalg.eigvalsh(D[None, :, :] - z[:, :, None] * z[:, None, :])
    return xp.stack((found[:, 0], found[:, -1]), axis=1)
