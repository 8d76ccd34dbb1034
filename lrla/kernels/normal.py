"""Normal-equation products that read the data once: what every iteration of a solver needs."""

from __future__ import annotations

from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.dispatch import kernel
from lrla._core.linalg import dots
from lrla._core.threads import ranges


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
    """Form the matrix: the meaning of CSR, repeated entries adding up, 64 rows at a time."""
    space = space_of(data)
    xp, ends = space.xp, [int(k) for k in indptr]
    columns = xp.arange(n, device=space.device)
    parts = [space.zeros((0, n), data.dtype)]
    for a, b in ranges(len(ends) - 1, 64):
        entry = slice(ends[a], ends[b])
        places = xp.astype(indices[entry][:, None] == columns, data.dtype) * data[entry][:, None]
        position = xp.arange(ends[a], ends[b], device=space.device)
        inside = (position >= indptr[a:b][:, None]) & (position < indptr[a + 1 : b + 1][:, None])
        parts.append(xp.astype(inside, data.dtype) @ places)
    return xp.concat(parts, axis=0)
