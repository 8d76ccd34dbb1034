"""A tall matrix in panels: a few hundred rows each, stored column by column.

Panels turn every product with a tall matrix of few columns into long vector operations, whatever
the number of columns: a panel fits in the L2 cache, its columns are contiguous, and the last one
is filled up with rows of zeros. Vectors over the rows are filled up alike.
"""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel

_WIDTH = 256  # rows: a multiple of any vector length; 128 to 512 differ by less than 10 %


def panel_width(m: int) -> int:
    """Choose the number of rows of a panel: a multiple of 8, so that little is filled up."""
    count = max(1, -(-m // _WIDTH))
    rows = -(-m // count)
    return max(8, -(-rows // 8) * 8)


@kernel
def panels(A: Array, T: Array, width: int) -> Array:
    """Compute A T in panels.

    Parameters
    ----------
    A : array of shape (m, n)
        The data.
    T : array of shape (n, k)
        Change of coordinates; its dtype is that of the result.
    width : int
        Rows of a panel.

    Returns
    -------
    array of shape (ceil(m / width), k, width)
        The transposes of the panels.
    """
    space = space_of(A)
    xp, m, k = space.xp, A.shape[0], T.shape[1]
    Y = xp.astype(A, T.dtype) @ T
    more = -m % width
    Y = xp.concat((Y, space.zeros((more, k), T.dtype)), axis=0)
    return xp.permute_dims(xp.reshape(Y, ((m + more) // width, width, k)), (0, 2, 1))


@kernel
def panel_product(P: Array, x: Array) -> Array:
    """Compute A x for the matrix A in panels.

    Parameters
    ----------
    P : array of shape (count, n, width)
        The panels.
    x : array of shape (n,)
        Coefficients.

    Returns
    -------
    array of shape (count * width,)
        One entry for each row.
    """
    xp = space_of(P).xp
    return xp.reshape(xp.matmul(x[None, :], P), (P.shape[0] * P.shape[2],))


@kernel
def panel_adjoint(P: Array, V: Array) -> Array:
    """Compute A^T V for the matrix A in panels.

    Parameters
    ----------
    P : array of shape (count, n, width)
        The panels.
    V : array of shape (c, count * width)
        Vectors over the rows, one after the other.

    Returns
    -------
    array of shape (c, n)
        The products.
    """
    xp = space_of(P).xp
    W = xp.reshape(V, (V.shape[0], P.shape[0], P.shape[2]))
    return xp.sum(xp.matmul(xp.permute_dims(W, (1, 0, 2)), xp.permute_dims(P, (0, 2, 1))), axis=0)


@kernel
def panel_gram(P: Array, q: Array) -> Array:
    """Compute A^T diag(q) A for the matrix A in panels.

    Parameters
    ----------
    P : array of shape (count, n, width)
        The panels.
    q : array of shape (count * width,)
        Weights of the rows, of any sign.

    Returns
    -------
    array of shape (n, n)
        Symmetric.
    """
    xp = space_of(P).xp
    W = P * xp.reshape(q, (P.shape[0], 1, P.shape[2]))
    return xp.sum(xp.matmul(W, xp.permute_dims(P, (0, 2, 1))), axis=0)
