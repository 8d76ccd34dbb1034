"""`interpolative`: A as some of its columns times coefficients."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, unit_roundoff
from lrla._core.errors import ConvergenceWarning, RankDeficientWarning, warn
from lrla._core.numbers import whole
from lrla._core.operators import Operator
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.lowrank._parts import (
    PROBES,
    Projection,
    Rest,
    check_products,
    coordinates,
    frobenius,
    left_by,
    look,
    probe,
    probes,
    project,
)
from lrla.lowrank._selection import GROWING, METHODS, Choice, Search, exactly, shortest


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InterpolativeResult(Result):
    """Columns of a matrix and the coefficients that make the others of them.

    Parameters
    ----------
    columns : array of shape (rank,)
        Indices of the chosen columns, in the order of their pivots.
    coefficients : array of shape (rank, n)
        P, with ``A ~ A[:, columns] @ P`` and ``P[:, columns] = I``.
    skeleton : array or sparse matrix of shape (m, rank)
        The chosen columns, ``A[:, columns]``.
    rank : int
        Their number.
    status : Status
        Whether the tolerance was met; without one always `Status.CONVERGED`.
    info : Info
        ``error_estimate``: of ``norm(A - skeleton @ coefficients)`` in the Frobenius norm, by
        Pythagoras from the norms of A and of its coordinates, where rounding leaves it right to a
        twentieth (for "qrp" and "srrqr" always); else, and for linear operators, from 10 Gaussian
        vectors that chose nothing; ``error_bound``: at least that norm, for certain or, by the
        vectors, with a probability of 95 % whatever the spectrum of the error;
        ``relative_error``: the estimate divided by the norm of A; ``largest_coefficient``: largest
        absolute value in the coefficients; ``method``; ``sketch``; ``passes`` over A; ``seed``;
        ``seconds``.
    """

    columns: Array
    coefficients: Array
    skeleton: Any
    rank: int
    status: Status
    info: Info


def interpolative(
    A: Any, rank: int | None = None, *, tol: float | None = None, method: str = "sketch_qrp",
    rng: Any = None,
) -> InterpolativeResult:  # fmt: skip
    """Represent a matrix by some of its own columns: ``A ~ A[:, columns] @ coefficients``.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The matrix; never changed.
    rank : int, optional
        Number of columns, from 1 to min(m, n). Give this or ``tol``.
    tol : float, optional
        Choose so many columns that ``norm(A - skeleton @ coefficients) <= tol * norm(A)`` in the
        Frobenius norm; with a probability of 95 % for a linear operator, whose entries are not seen,
        and where rounding hides the error in the norms.
    method : {"sketch_qrp", "sketch_lupp", "rpqr", "qrp", "srrqr"}, default "sketch_qrp"
        How columns are chosen. "sketch_qrp": pivoted QR of a sketch with rank + 10 rows [1]_.
        "sketch_lupp": pivots of an LU factorization of the sketch, the fastest, and in practice
        hardly worse [2]_. "rpqr": at random, in proportion to the squared norm of what is left of
        each column, many at a time by rejection [3]_; not for linear operators. "qrp": LAPACK's
        pivoted QR of A. "srrqr": the same, then columns are exchanged until no exchange would
        double the volume [4]_. The last two are for dense data.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the sketch, or of the draws, and of the error estimate comes from.

    Returns
    -------
    InterpolativeResult
        With fields columns, coefficients, skeleton, rank, status and info.

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
        If A has, to rounding, fewer independent columns than were asked for: the result has only
        those.
    ConvergenceWarning
        If the tolerance could not be met.

    See Also
    --------
    column_subset : the columns alone, without coefficients.
    cur : columns and rows.

    Notes
    -----
    Whatever chose the columns C, the coefficients are those of least squares with all rows of A,
    ``C = Q T``, ``P = inv(T) @ Q^H A``: the best for these columns in every unitarily invariant
    norm. Coefficients from the sketch alone would save a product, and double the error.

    With "srrqr" all coefficients are at most 2 in absolute value, and ``norm(A - C P, 2)`` is at
    most ``sqrt(1 + 4 k (n - k))`` times the (k+1)-st singular value [4]_, theorem 3.2. With "qrp"
    this factor can be 2**k in theory, and hardly ever is. "rpqr" is adaptive sampling: the
    expected square of its error is at most 1 + eps times that of the best rank r after about
    ``r/eps + r log(1/(eps eta))`` columns, eta the relative squared error of the best rank r [3]_.

    The basis Q is made by Cholesky: with the triangular factor of the sketched columns, C becomes
    well conditioned, and one or two rounds are as accurate as Householder's QR [5]_.

    Cost in flops for rank k: sketch 8 nnz(A), its QR 2 k**2 n, the basis 4 m k**2, coefficients
    2 k nnz(A) + k**2 n; "qrp" 4 m n k more, "srrqr" 2 m n min(m, n), and 4 min(m, n) n k for each
    exchange. A is passed over twice, for the sketch and for coefficients; of dense data a third time
    if the error is so small, below 1e-5 or so of the norm, that norms do not tell it.

    References
    ----------
    .. [1] S. Voronin and P.-G. Martinsson, "Efficient algorithms for CUR and interpolative matrix
       decompositions", Adv. Comput. Math. 43, 2017.
    .. [2] Y. Dong and P.-G. Martinsson, "Simpler is better: a comparative study of randomized
       pivoting algorithms for CUR and interpolative decompositions", Adv. Comput. Math. 49, 2023.
    .. [3] E. N. Epperly, J. A. Tropp and R. J. Webber, "Embrace rejection: kernel matrix
       approximation by accelerated randomly pivoted Cholesky", arXiv:2410.03969.
    .. [4] M. Gu and S. C. Eisenstat, "Efficient algorithms for computing a strong rank-revealing
       QR factorization", SIAM J. Sci. Comput. 17, 1996.
    .. [5] Y. Fan, Y. Guo, T. Lin, "A novel randomized XR-based preconditioned CholeskyQR
       algorithm", arXiv:2111.11148, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import interpolative
    >>> x = np.linspace(0, 1, 300)
    >>> A = 1 / (1 + x[:, None] + x[None, :])
    >>> result = interpolative(A, tol=1e-8, rng=7)
    >>> result.rank < 12, result.info.relative_error < 1e-8
    (True, True)
    >>> error = np.linalg.norm(A - A[:, result.columns] @ result.coefficients)
    >>> bool(error < result.info.error_bound)
    True
    """
    start = time.perf_counter()
    op, size = look(A)
    check_size(op, rank, tol, method, tuple(METHODS))
    seed = seed_of(rng)
    found = search(op, size, method, rank, tol, seed)
    k, xp = found.coordinates.shape[0], op.space.xp
    P = linalg.divide_upper(found.coordinates.T, found.T, transposed=True).T
    P = op.space.with_columns(P, found.columns, op.space.eye(k, P.dtype))
    info = Info(
        error_estimate=found.left.error,
        error_bound=found.left.bound,
        relative_error=found.left.error / found.size if found.size else 0.0,
        largest_coefficient=float(xp.max(xp.abs(P))) if k else 0.0,
        method=method,
        sketch=found.choice.sketch,
        passes=found.passes,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
    return InterpolativeResult(found.columns, P, found.C, k, judge(found, rank, tol), info)


def check_size(
    op: Operator, rank: int | None, tol: float | None, method: str, known: tuple[str, ...]
) -> None:
    """Check rank, tol and method."""
    if (rank is None) == (tol is None):
        both = "both" if rank is not None else "neither"
        raise ValueError(f"give either rank or tol, got {both}")
    if rank is not None:
        least = min(op.shape)
        whole(rank, "rank", 1, least, rule=f" between 1 and min(A.shape) = {least}")
    if tol is not None and not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    if method not in known:
        raise ValueError(f"method must be one of {', '.join(known)}, got {method!r}")


class Found(NamedTuple):
    """Columns with a basis, the coordinates of A in it, and what measures the error."""

    columns: Array
    C: Any
    Q: Array
    T: Array
    coordinates: Array  # Q^H A
    choice: Choice
    size: float  # Frobenius norm of A
    passes: int
    left: Rest  # of A: A - Q Q^H A
    rounding: float  # what the last bits of A may add to any error

    def cut(self, k: int) -> Found:
        """Keep the first k columns; the part of the error that this adds is known."""
        left = self.left.and_more(linalg.norm(self.coordinates[k:, :]))
        return self._replace(
            columns=self.columns[:k],
            C=self.C[:, :k],
            Q=self.Q[:, :k],
            T=self.T[:k, :k],
            coordinates=self.coordinates[:k, :],
            left=left._replace(bound=left.bound + self.rounding),
        )


def search(
    op: Operator, size: float | None, method: str, rank: int | None, tol: float | None, seed: int
) -> Found:
    """Choose columns: as many as asked for, or as few as the tolerance allows."""
    limit = min(op.shape)
    if rank is not None or tol is None or method not in GROWING:
        wanted = Search(op, limit if rank is None else int(rank), tol or 0.0, seed)
        found = _measured(op, size, METHODS[method](wanted), seed, 2)
    else:
        found = _grow(op, size, method, tol, seed)
    if tol is None or found.choice.left is not None or not found.left.bound < tol * found.size:
        return found
    return found.cut(shortest(found.coordinates, found.left.bound, tol * found.size))


def _grow(op: Operator, size: float | None, method: str, tol: float, seed: int) -> Found:
    """Double the sketch until it is large enough for the tolerance."""
    limit = min(op.shape)
    k, passes = min(32, limit), 2
    while True:
        choice = METHODS[method](Search(op, k, 0.0, seed))
        if k == limit or choice.tail <= tol:  # if not, the sketch says that it is too small
            found = _measured(op, size, choice, seed, passes)
            enough = found.left.bound <= tol * found.size or found.columns.shape[0] < k
            if enough or k == limit:
                return found
            passes += 1
        k, passes = min(2 * k, limit), passes + 1


def _measured(op: Operator, size: float | None, choice: Choice, seed: int, passes: int) -> Found:
    u = unit_roundoff(op.space.xp, op.dtype)
    base: Projection = project(
        op, choice.columns, choice.factor, choice.basis, max(op.shape) * 2 * u
    )
    base, probed = _coordinates(op, base, seed)
    k = base.columns.shape[0]
    if size is None and op.kind != "operator":
        size = frobenius(op, base.coordinates)
    if k == op.shape[1]:  # nothing is approximated
        left = Rest(0.0, 0.0)
    elif choice.left is not None:
        dropped = k < choice.columns.shape[0]  # what the choice knows is of all its columns
        left = exactly(op.todense() - base.Q @ base.coordinates) if dropped else choice.left
    else:
        left = left_by(op, size or 0.0, (base.Q, base.coordinates), seed, probed)
    if size is None:  # what the coordinates hold is known, and seldom is it not most of it
        size = math.hypot(linalg.norm(base.coordinates), left.error)
    rounding = 4 * u * size
    if k < op.shape[1]:
        if choice.left is not None:
            left = Rest(max(left.error, rounding), max(left.bound, rounding))
        left = left._replace(bound=left.bound + rounding)
    return Found(*base, choice, size, passes + left.passes, left, rounding)


def _coordinates(
    op: Operator, base: Projection, seed: int
) -> tuple[Projection, tuple[Array, Array] | None]:
    """Make the coordinates of A; of what is not dense also products with probes, in one pass."""
    if op.kind == "dense":
        if base.coordinates is None:
            base = base._replace(coordinates=coordinates(op, adjoint(base.Q)))
        return base, None
    if base.coordinates is not None:
        G, GA = probe(op, seed)
        check_products(GA)
        return base, (G, GA)
    G = probes(op, seed)
    # in rows, as BLAS likes it
    products = coordinates(op, op.space.xp.concat([adjoint(base.Q), adjoint(G)], axis=0))
    check_products(products)
    return base._replace(coordinates=products[:-PROBES, :]), (G, products[-PROBES:, :])


def judge(found: Found, rank: int | None, tol: float | None) -> Status:
    """Warn of what was asked for and not reached, and say so in a status."""
    k = found.columns.shape[0]
    if rank is not None:
        if k < rank:
            warn(
                f"A has only {k} independent columns to rounding, of rank={rank} asked for; the "
                "result has these",
                RankDeficientWarning,
            )
        return Status.CONVERGED
    relative = found.left.bound / found.size if found.size else 0.0
    if relative <= (tol or 0.0):
        return Status.CONVERGED
    warn(
        f"the relative error is up to {relative:.1e}, above tol={tol:.1e}: {Status.STAGNATED.value}",
        ConvergenceWarning,
    )
    return Status.STAGNATED
