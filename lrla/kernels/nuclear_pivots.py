"""Pivots of a block of proposals, each the best of those that were accepted so far."""

from __future__ import annotations

from lrla._core.arrays import Array, is_complex, space_of
from lrla._core.dispatch import kernel


@kernel
def nuclear_pivots(
    H: Array, M: Array, bounds: Array, uniform: Array, least: Array, candidates: int, count: int
) -> tuple[Array, Array]:
    """Accept proposals in turn, and after every few of them take the one that leaves least.

    Proposal j is accepted if ``uniform[j] * bounds[j] < h``, h being what the pivots before it
    leave of ``H[j, j]``. After each ``candidates`` of them, and at the end if any is left over, a
    pivot is taken: of all that were accepted and not taken yet, the one of the greatest nuclear
    score ``max(M[j, j] / h, h)``, M and h being what the pivots before it leave. Of scores that
    differ by no more than rounding the first is taken.

    Parameters
    ----------
    H : array of shape (b, b)
        Hermitian and positive semidefinite: some rows and columns of a matrix R.
    M : array of shape (b, b)
        Hermitian and positive semidefinite: inner products of these rows of R, or of a sample.
    bounds : array of shape (b,)
        Real, the diagonal that the proposals were drawn from.
    uniform : array of shape (b,)
        Real, in [0, 1).
    least : array of shape (b,)
        Real: nothing is accepted or taken with no more than that left in the diagonal.
    candidates : int
        At least 1; then the proposals that are accepted are the pivots.
    count : int
        At most so many are taken.

    Returns
    -------
    L : array of shape (b, b)
        ``L @ L^H`` agrees with H in the rows and columns of the pivots; column j belongs to the
        pivot that was taken when proposal j had been looked at, and is zero if none was.
    chosen : array of shape (b,)
        Integers: that pivot, or -1.
    """
    space = space_of(H)
    xp, device = space.xp, space.device
    b = H.shape[0]
    L, Y = xp.zeros_like(H), xp.zeros_like(H)
    left, squares = (xp.linalg.diagonal(xp.real(X) if is_complex(X) else X) for X in (H, M))
    close = float(xp.finfo(left.dtype).eps) ** 0.5
    index = xp.arange(b, device=device)
    free = xp.zeros(b, dtype=xp.bool, device=device)
    chosen = xp.zeros(b, dtype=xp.int64, device=device) - 1
    fresh, remaining = xp.asarray(0, device=device), xp.asarray(count, device=device)
    zero = xp.zeros_like(left)
    for j in range(b):
        accepted = (index == j) & (left > uniform * bounds) & (left > least)
        free = free | accepted
        fresh = fresh + xp.astype(xp.any(accepted), fresh.dtype)
        free = free & (left > least)
        divisor = xp.where(free, left, xp.ones_like(left))
        score = xp.where(free, xp.maximum(squares / divisor, left), zero)
        top = xp.max(score)
        # booleans have no argmax
        best = xp.reshape(xp.argmax(xp.astype(score >= (1 - close) * top, xp.int64)), (1,))
        take = ((fresh == candidates) | (fresh > 0) & (j == b - 1)) & (remaining > 0) & (top > 0)
        fresh = xp.where(take, xp.zeros_like(fresh), fresh)
        remaining = remaining - xp.astype(take, remaining.dtype)
        pivot = xp.where(take, xp.take(left, best), xp.ones_like(best, dtype=left.dtype))
        column, product = (xp.reshape(xp.take(X, best, axis=1), (b,)) for X in (H, M))
        if j:
            rows = [xp.conj(xp.reshape(xp.take(X[:, :j], best, axis=0), (j,))) for X in (L, Y)]
            column = column - L[:, :j] @ rows[0]
            product = product - L[:, :j] @ rows[1] - Y[:, :j] @ rows[0]
        column = column / xp.sqrt(pivot)
        product = product / xp.sqrt(pivot)
        product = product - column * (xp.take(squares, best) / pivot / 2)
        column, product = (xp.where(take, x, xp.zeros_like(x)) for x in (column, product))
        L[:, j], Y[:, j] = column, product
        left = left - xp.abs(column) ** 2
        both = column * xp.conj(product)
        squares = squares - 2 * (xp.real(both) if is_complex(both) else both)
        taken = take & (index == best)
        free = free & ~taken
        left = xp.where(taken, zero, left)
        chosen[j] = xp.where(take, best, xp.zeros_like(best) - 1)[0]
    return L, chosen
