"""Reverse iterative volume sampling: rows leave one by one, those that matter least first."""

from __future__ import annotations

from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.dispatch import kernel


@kernel
def thin(A: Array, ridge: float, size: int, u: Array) -> Array:
    """Remove rows until ``size`` are left, each with probability proportional to 1 - its leverage.

    In try t, row number ``floor(u[t, 0] * len(rows))`` of those left is proposed, and leaves if
    ``u[t, 1] < 1 - a (A_S^H A_S + ridge)^-1 a^H``; the last row takes its number.

    Parameters
    ----------
    A : array of shape (n, d)
        The rows.
    ridge : float
        Not negative; positive if ``size`` may be less than the rank of A.
    size : int
        Number of rows to be left.
    u : array of shape (tries, 2)
        Uniform numbers in [0, 1), float64.

    Returns
    -------
    array of int64
        The rows left, increasing: more than ``size`` if the tries did not suffice.

    References
    ----------
    M. Derezinski, M. K. Warmuth, "Subsampling for ridge regression via regularized volume sampling",
    AISTATS 2018.
    """
    space = space_of(A)
    xp = space.xp
    left = list(range(int(A.shape[0])))
    Z = None
    for t in range(int(u.shape[0])):
        if len(left) <= size:
            break
        if Z is None:
            S = xp.take(A, space.asarray(left, xp.int64), axis=0)
            Z = xp.linalg.inv(adjoint(S) @ S + ridge * space.eye(int(A.shape[1]), A.dtype))
        place = int(float(u[t, 0]) * len(left))
        a = A[left[place] : left[place] + 1, :]
        h = (a @ Z @ adjoint(a))[0, 0]
        if float(u[t, 1]) < 1 - float(xp.real(h) if xp.isdtype(h.dtype, "complex floating") else h):
            left[place] = left[-1]
            left.pop()
            Z = None
    return space.asarray(sorted(left), xp.int64)
