"""Cholesky factorization of a block of proposals, of which each is accepted or rejected in turn."""

from __future__ import annotations

from lrla._core.arrays import Array, space_of
from lrla._core.dispatch import kernel


@kernel
def rejection_cholesky(H: Array, bounds: Array, uniform: Array, count: int) -> tuple[Array, Array]:
    """Factor the rows and columns of H that are accepted.

    Proposal j is accepted if ``uniform[j] * bounds[j] < h``, h being what the accepted ones before
    it leave of ``H[j, j]``, and if fewer than ``count`` have been accepted. This is rejection
    sampling: with proposals drawn from ``bounds``, those accepted follow the law of sequential
    sampling from the diagonal that is left.

    Parameters
    ----------
    H : array of shape (b, b)
        Hermitian and positive semidefinite.
    bounds : array of shape (b,)
        Real, the diagonal that the proposals were drawn from.
    uniform : array of shape (b,)
        Real, in [0, 1).
    count : int
        At most so many are accepted.

    Returns
    -------
    L : array of shape (b, b)
        Lower triangular: ``L @ L^H`` agrees with H in the rows and columns accepted; columns of
        the rejected are zero.
    accepted : array of shape (b,)
        Boolean.
    """
    space = space_of(H)
    xp = space.xp
    b = H.shape[0]
    L = xp.zeros_like(H)
    accepted = xp.zeros(b, dtype=xp.bool, device=space.device)
    left = xp.asarray(count, device=space.device)
    index = xp.arange(b, device=space.device)
    for j in range(b):
        column = H[:, j] - L[:, :j] @ xp.conj(L[j, :j]) if j else H[:, j]
        pivot = xp.real(column[j]) if xp.isdtype(H.dtype, "complex floating") else column[j]
        take = (uniform[j] * bounds[j] < pivot) & (left > 0) & (pivot > 0)
        root = xp.sqrt(xp.where(take, pivot, xp.ones_like(pivot)))
        column = xp.where(index >= j, column / root, xp.zeros_like(column))
        L[:, j] = xp.where(take, column, xp.zeros_like(column))
        accepted[j] = take
        left = left - xp.astype(take, left.dtype)
    return L, accepted
