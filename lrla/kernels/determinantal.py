"""Sequential choices of determinantal processes: acceptance by residual, and LDL with coin flips."""

from __future__ import annotations

from typing import Any

from lrla._core.arrays import Array, adjoint, is_complex, space_of, unit_roundoff
from lrla._core.dispatch import kernel


@kernel
def accept(F: Array, u: Array, Q: Array) -> tuple[Array, Array]:
    """Let rows join, one after the other, with the share of them that is new as probability.

    Row f joins if u times its squared norm is less than the squared norm of its part orthogonal to
    all that joined before. What is numerically dependent on them never joins.

    Parameters
    ----------
    F : array of shape (b, m)
        Rows that ask in this order.
    u : array of shape (b,)
        Uniform numbers in [0, 1), float64.
    Q : array of shape (i, m)
        Orthonormal rows: the span of those that joined earlier. At most m - i rows join.

    Returns
    -------
    positions : array of int64
        Which rows joined.
    rows : array of shape (len(positions), m)
        Orthonormal rows that extend Q to their span.
    """
    space = space_of(F)
    xp = space.xp
    m = int(F.shape[1])
    size = _squares(F, xp)
    left = size - _squares(F @ adjoint(Q), xp)
    floor = 64 * 2 * unit_roundoff(xp, size.dtype)
    bar = xp.where(u > floor, u, xp.zeros_like(u) + floor)
    positions: list[int] = []
    done = 0
    while Q.shape[0] < m and done < F.shape[0]:
        waiting = xp.arange(F.shape[0], device=space.device) >= done
        fits = (left > bar * size) & waiting
        if not bool(xp.any(fits)):
            break
        t = int(xp.argmax(xp.astype(fits, xp.int8)))
        done = t + 1
        f = F[t, :]
        for _ in range(2):  # once is not enough: Giraud, Langou, Rozloznik, van den Eshof 2005
            f = f - (_conj(Q, xp) @ f) @ Q
        f = f / xp.sqrt(xp.sum(xp.abs(f) ** 2))
        left = left - xp.abs(F @ _conj(f, xp)) ** 2
        Q = xp.concat((Q, f[None, :]), axis=0)
        positions.append(t)
    start = Q.shape[0] - len(positions)
    return space.asarray(positions, xp.int64), Q[start:, :]


def _squares(X: Array, xp: Any) -> Array:
    return xp.sum(xp.abs(X) ** 2, axis=1)


def _conj(x: Array, xp: Any) -> Array:
    return xp.conj(x) if is_complex(x) else x


@kernel
def ldl(K: Array, u: Array, hermitian: bool) -> tuple[Array, Array]:
    """Eliminate a kernel symmetrically, keeping each pivot by the flip of a coin of its own weight.

    Parameters
    ----------
    K : array of shape (n, n)
        A marginal kernel.
    u : array of shape (n,)
        Uniform numbers in [0, 1), float64.
    hermitian : bool
        Whether only the lower triangle may be read.

    Returns
    -------
    keep : array of bool, shape (n,)
        Item j is kept if ``u[j]`` is less than its pivot; one is subtracted from it otherwise.
    pivots : array of shape (n,)
        The pivots before that: conditional probabilities, if K is a kernel.

    References
    ----------
    J. Poulson, "High-performance sampling of generic determinantal point processes", Phil. Trans.
    R. Soc. A 378, 2020, Algorithms 1 and 4.
    """
    space = space_of(K)
    xp = space.xp
    n = int(K.shape[0])
    A = xp.tril(K) + adjoint(xp.tril(K, k=-1)) if hermitian else K
    keep, pivots = [], []
    for j in range(n):
        d = A[0, 0]
        pivots.append(d)
        keep.append(u[j] < xp.real(d) if is_complex(A) else u[j] < d)
        d = xp.where(keep[-1], d, d - 1)
        A = A[1:, 1:] - (A[1:, :1] / d) @ A[:1, 1:]
    if n == 0:
        return space.zeros((0,), xp.bool), space.zeros((0,), K.dtype)
    return xp.stack(keep), xp.stack(pivots)
