"""Gram matrices of tall data, one row block after the other."""

from __future__ import annotations

from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.dispatch import kernel
from lrla._core.operators import Operator
from lrla._core.threads import ranges
from lrla.kernels.normal import dense_rows

_PRODUCT = 1 << 20  # entries of A X that are formed at a time


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


def gram_of(op: Operator, w: Array | None, X: Array | None = None) -> Array:
    """Compute X^H A^H W A X for dense, sparse or chunked A, never storing A X; X is I by default."""
    if op.kind == "blocks":
        (G,) = op.A.sum(
            lambda block, a, b: (
                gram(block if X is None else block @ X, None if w is None else w[a:b]),
            )
        )
        return G
    if X is None:
        return gram_csr(*op.csr(), op.shape[1], w) if op.kind == "sparse" else gram(op.A, w)
    k = int(X.shape[1])
    G = op.space.zeros((k, k), X.dtype)
    data = op.A.tocsr() if op.kind == "sparse" else op.A
    for a, b in ranges(op.shape[0], max(256, _PRODUCT // k)):
        G = G + gram(data[a:b, :] @ X, None if w is None else w[a:b])
    return G
