"""QR with column pivoting, no further than it is wanted, and never updating what is left.

Householder's way, that of LAPACK, changes all remaining columns at every step, half of it vector
by vector. Here the data stay as they are: a step orthogonalises one column, and its products with
all others are a row of R, which also says by how much the norms of these columns fall. So rows of R
can wait until several can be computed at once.
"""

from __future__ import annotations

import math

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.dispatch import kernel

NOISE = 8.0  # times eps, and the root of the length of a column: what is left of it is rounding
EQUAL = 1e3  # times eps: norms that differ by no more are equal
FALL = 0.1  # downdated norms are good, relative to rounding in Y, until they have fallen by this


@kernel
def pivoted_qr(Y: Array, k: int) -> tuple[Array, Array, Array, Array]:
    """Factor ``Y = Q R``, each time with the column of which most is left, for k steps.

    Parameters
    ----------
    Y : array of shape (m, n)
        Finite.
    k : int
        Steps at most; fewer if what is left of all columns is rounding.

    Returns
    -------
    columns : array of int64, shape (r,)
        The pivots; of columns that are equally long up to rounding the first.
    Q : array of shape (m, r)
        Orthonormal basis of these columns.
    R : array of shape (r, n)
        ``Q^H Y``; ``R[:, columns]`` is upper triangular with a positive diagonal.
    left : array of shape (n,)
        Norms of the columns of ``Y - Q R``, to half of the digits or to rounding in Y; 0 for pivots,
        and for columns of which only rounding is left.

    Notes
    -----
    Norms are downdated, ``left_j^2 - |r_ij|^2``, and computed afresh when cancellation has taken half
    of their digits: Z. Drmac and Z. Bujanovic, "On the failure of rank-revealing QR factorization
    software", ACM Trans. Math. Softw. 35, 2008. The products r_ij, unlike Householder's, have errors
    of order ``u size_j``, so that the square is off by ``u size_j left_j`` with the norm of then;
    that is what is compared here. A pivot is orthogonalised until that no longer
    takes half of its length: J. W. Daniel, W. B. Gragg, L. Kaufman and G. W. Stewart,
    "Reorthogonalization and stable algorithms for updating the Gram-Schmidt QR factorization",
    Math. Comp. 30, 1976.
    """
    space, (m, n) = space_of(Y), Y.shape
    xp = space.xp
    size = linalg.norm(Y, axis=0)
    eps = float(xp.finfo(size.dtype).eps)
    noise = NOISE * eps * math.sqrt(m) * size
    left, fresh = size, size
    zero, index = xp.zeros_like(size), xp.arange(n, device=space.device)
    Q, R = space.zeros((m, 0), Y.dtype), space.zeros((0, n), Y.dtype)
    columns: list[int] = []
    while len(columns) < min(k, m, n):
        longest = xp.max(left)
        if not float(longest) > 0:
            break
        best = int(xp.argmax(xp.astype(left >= longest * (1 - EQUAL * eps), xp.int8)))
        q, length = _direction(Q, Y[:, best : best + 1] / size[best])
        if not length * float(size[best]) > float(noise[best]):
            left = xp.where(index == best, zero, left)
            continue
        row = adjoint(q) @ Y
        columns.append(best)
        chosen = xp.any(index[:, None] == space.asarray(columns)[None, :], axis=1)
        row = xp.where(chosen, xp.zeros_like(row), row)
        row[0, best] = length * float(size[best])
        Q, R = xp.concat([Q, q], axis=1), xp.concat([R, row], axis=0)
        still = ~chosen & (left > 0)
        part = xp.abs(row[0, :]) / xp.where(still, left, xp.ones_like(left))
        part = xp.where(part < 1, (1 - part) * (1 + part), zero)
        left = xp.where(still, left * xp.sqrt(part), zero)
        fall = left / xp.where(still, fresh, xp.ones_like(fresh))
        digits = fall * (left / xp.where(still, size, xp.ones_like(size)))
        stale = still & (fall <= FALL) & (digits <= math.sqrt(eps))
        if bool(xp.any(stale)):
            again = linalg.norm(Y - Q @ R, axis=0)
            again = xp.where(again > noise, again, zero)
            left, fresh = xp.where(stale, again, left), xp.where(stale, again, fresh)
    return space.asarray(columns, xp.int64), Q, R, left


def _direction(Q: Array, q: Array) -> tuple[Array, float]:
    """Make a unit vector orthogonal to Q; return it with the length of what was left of it."""
    q = q - Q @ (adjoint(Q) @ q)
    before, length = math.inf, linalg.norm(q)
    while 0 < length < before / 2:  # at least once
        q = q - Q @ (adjoint(Q) @ q)
        before, length = length, linalg.norm(q)
    return (q / length if length else q), length
