"""`cur`: A as some of its columns, a small middle factor, and some of its rows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, as_array, space_of, unit_roundoff
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.kernels.pivoted_qr import pivoted_qr
from lrla.lowrank._interpolative import Found, check_size, judge, search
from lrla.lowrank._parts import dense, left_by_norms, look, take_rows
from lrla.lowrank._selection import METHODS


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CURResult(Result):
    """Columns and rows of a matrix with a middle factor: ``A ~ C @ U @ R``.

    Parameters
    ----------
    columns : array of shape (rank,)
        Indices of the chosen columns.
    rows : array of shape (rank,)
        Indices of the chosen rows.
    C : array or sparse matrix of shape (m, rank)
        ``A[:, columns]``, sparse if A is.
    R : array or sparse matrix of shape (rank, n)
        ``A[rows, :]``, sparse if A is.
    core : array of shape (rank, rank)
        The middle factor in orthonormal bases of C and R.
    left, right : array of shape (rank, rank)
        Upper triangular, with ``U = inv(left) @ core @ inv(right)^H``.
    rank : int
        Number of columns, and of rows.
    status : Status
        Whether the tolerance was met; without one always `Status.CONVERGED`.
    info : Info
        ``error_estimate``: of ``norm(A - C @ U @ R)`` in the Frobenius norm, and
        ``error_bound``: at least that norm, both as for `interpolative`; ``relative_error``; ``method``; ``sketch``; ``passes``; ``seed``; ``seconds``.
    """

    columns: Array
    rows: Array
    C: Any
    R: Any
    core: Array
    left: Array
    right: Array
    rank: int
    status: Status
    info: Info

    @property
    def U(self) -> Array:
        """The middle factor, multiplied out; `apply` is more accurate."""
        half = linalg.solve_triangular(self.left, self.core)
        return adjoint(linalg.solve_triangular(self.right, adjoint(half)))

    def apply(self, X: Any) -> Array:
        """Multiply the approximation with vectors, by two triangular solves and never by U.

        Parameters
        ----------
        X : array of shape (n,) or (n, p)
            One or more vectors.

        Returns
        -------
        array of shape (m,) or (m, p)
            ``C @ U @ R @ X``.

        Raises
        ------
        ValueError
            If X does not have n rows.
        """
        X = as_array(X, "X", ndim=(1, 2))
        if X.shape[0] != self.R.shape[1]:
            raise ValueError(
                f"X must have {self.R.shape[1]} rows, as A has columns, got shape {tuple(X.shape)}"
            )
        Y = self.R @ (X[:, None] if X.ndim == 1 else X)
        out = self.C @ linalg.solve_triangular(self.left, self.core @ _solve_adjoint(self.right, Y))
        return out[:, 0] if X.ndim == 1 else out

    def toarray(self) -> Array:
        """Form the approximation, a dense array of shape (m, n)."""
        return self.C @ linalg.solve_triangular(
            self.left, self.core @ _solve_adjoint(self.right, dense(self.R))
        )


def cur(
    A: Any, rank: int | None = None, *, tol: float | None = None, method: str = "sketch_qrp",
    rng: Any = None,
) -> CURResult:  # fmt: skip
    """Approximate a matrix by some of its columns and rows: ``A ~ C @ U @ R``.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The matrix; never changed.
    rank : int, optional
        Number of columns and of rows, from 1 to min(m, n). Give this or ``tol``.
    tol : float, optional
        Choose so many that ``norm(A - C @ U @ R) <= tol * norm(A)`` in the Frobenius norm, as far
        as for `interpolative`.
    method : {"sketch_qrp", "sketch_lupp", "rpqr", "qrp", "srrqr"}, default "sketch_qrp"
        How columns are chosen, as for `interpolative`.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    CURResult
        With fields columns, rows, C, R, core, left, right, rank, status and info, the property U,
        and the methods apply and toarray.

    Raises
    ------
    ValueError
        If neither or both of rank and tol are given, they are out of range, A is empty or not
        finite, or the method cannot take A.
    TypeError
        If A is not a matrix of numbers.

    Warns
    -----
    RankDeficientWarning
        If A has, to rounding, fewer independent columns than were asked for.
    ConvergenceWarning
        If the tolerance could not be met.

    See Also
    --------
    interpolative : columns and coefficients.

    Notes
    -----
    Rows are the pivots of a QR of Q^H, Q an orthonormal basis of the columns [1]_, and the middle
    factor is ``pinv(C) @ A @ pinv(R)``, the best in the Frobenius norm for these columns and rows
    [2]_. It is kept as a small matrix between two triangular ones. The inverse of the intersection
    ``A[rows][:, columns]``, cheaper and often found in the literature, loses as many digits as the
    intersection has.

    The squared error is at most the sum of the squared errors of C and of R taken alone.

    Cost in flops for rank k: that of `interpolative`, 4 m k**2 for the rows, 6 n k**2 for the
    middle factor. A is passed over three times.

    References
    ----------
    .. [1] D. C. Sorensen and M. Embree, "A DEIM induced CUR factorization", SIAM J. Sci. Comput.
       38, 2016.
    .. [2] G. W. Stewart, "Four algorithms for the efficient computation of truncated pivoted QR
       approximations to a sparse matrix", Numer. Math. 83, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import cur
    >>> x = np.linspace(0, 1, 300)
    >>> A = 1 / (1 + x[:, None] + x[None, :])
    >>> result = cur(A, 8, rng=7)
    >>> result.C.shape, result.R.shape, result.info.relative_error < 1e-6
    ((300, 8), (8, 300), True)
    >>> bool(np.allclose(result.apply(np.ones(300)), A.sum(axis=1)))
    True
    """
    start = time.perf_counter()
    op, size = look(A)
    check_size(op, rank, tol, method, tuple(METHODS))
    seed = seed_of(rng)
    passes, goal = 0, None if tol is None else tol / 2**0.5  # half of the square for the rows
    while True:
        found = search(op, size, method, rank, goal, seed)
        rows = pivoted_qr(adjoint(found.Q), found.columns.shape[0])[0]
        R = take_rows(op, rows)
        Qr, right = linalg.qr(adjoint(dense(R)))
        core = found.coordinates @ Qr
        left = None if op.kind == "operator" else left_by_norms(found.size, op.shape, core)
        if left is None:  # what rows leave of the coordinates is orthogonal to what columns leave
            left = found.left.and_more(linalg.norm(found.coordinates - core @ adjoint(Qr)))
        passes += found.passes + 1
        if tol is None or goal is None or left.bound <= tol * found.size or _exhausted(found, goal):
            break
        goal /= 2
    found = found._replace(left=left)
    info = Info(
        error_estimate=left.error,
        error_bound=left.bound,
        relative_error=left.error / found.size if found.size else 0.0,
        method=method,
        sketch=found.choice.sketch,
        passes=passes,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    return CURResult(
        found.columns, rows, found.C, R, core, found.T, right, rows.shape[0],
        judge(found, rank, tol), info,
    )  # fmt: skip


def _exhausted(found: Found, goal: float) -> bool:
    """Tell whether more columns than these cannot be had."""
    return found.left.bound > goal * found.size or goal < 1e-2 * unit_roundoff(
        space_of(found.Q).xp, found.Q.dtype
    )


def _solve_adjoint(R: Array, Y: Array) -> Array:
    """Solve R^H X = Y for an upper triangular R."""
    flip = space_of(R).xp.flip
    return flip(linalg.solve_triangular(flip(adjoint(R)), flip(Y, axis=0)), axis=0)
