"""`qb`: an orthonormal basis of the range, block by block, until the rest is small enough."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.numbers import whole
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla.lowrank._basis import Basis
from lrla.lowrank._eigh import check_rank
from lrla.lowrank._krylov import BOUND, PROBES
from lrla.lowrank._matrix import as_matrix, home
from lrla.lowrank._parts import doubt_of_squares
from lrla.lowrank._svd import SAFETY


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class QBResult(Result):
    """Factors of A ~ Q B; unpacks as ``Q, B``.

    Parameters
    ----------
    Q : array of shape (m, rank)
        Orthonormal columns, in the array library of A; a dask array if A is one.
    B : array of shape (rank, n)
        Q^H A.
    status : Status
        Whether the tolerance was met.
    info : Info
        ``error``: Frobenius norm of A - Q B; ``error_exact``: whether it was computed from norms, or
        estimated by ten random vectors; ``spectral_bound``, as for `svd`; ``seed``, ``passes``,
        ``seconds``.
    """

    Q: Array
    B: Array
    status: Status
    info: Info

    @property
    def rank(self) -> int:
        """Number of columns of Q."""
        return int(self.B.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return iter((self.Q, self.B))


def qb(
    A: Any, rank: int | None = None, *, tol: float | None = None, block: int = 20, rng: Any = None
) -> QBResult:
    """Factor A into an orthonormal basis of its range and the coefficients on it.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The matrix.
    rank : int, optional
        Columns of Q. Give this or ``tol``.
    tol : float, optional
        Add columns until ``norm(A - Q B) <= tol * norm(A)`` in the Frobenius norm.
    block : int, default 20
        Columns added at a time.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    QBResult
        With fields Q, B, status and info.

    Raises
    ------
    ValueError
        If not exactly one of rank and tol is given, or one is out of its range, or A is not finite.

    Warns
    -----
    ConvergenceWarning
        If the tolerance is below what rounding leaves.

    See Also
    --------
    svd : nearly the least rank, with singular values.

    Notes
    -----
    The algorithm randQB_EI [1]_. Each block of random vectors is multiplied, made orthogonal to the
    basis twice, and gives rows of B. The error is ``norm(A)**2 - norm(B)**2`` in squares as long as that
    has digits left; smaller errors, and those of linear operators, are estimated by ten random
    vectors that go along in the first pass, with a factor of 2 to spare.

    The rank is that of random subspaces, somewhat above the least: for slowly decaying singular
    values by a factor of 2, and more.

    Cost: two passes for each block, 4 nnz(A) rank flops and 4 m rank**2 for orthogonality.

    References
    ----------
    .. [1] W. Yu, Y. Gu and Y. Li, "Efficient randomized algorithms for the fixed-precision low-rank
       matrix approximation", SIAM J. Matrix Anal. Appl. 39, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import qb
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_normal((500, 12)) @ rng.standard_normal((12, 300))
    >>> Q, B = result = qb(A, tol=1e-8, rng=7)
    >>> result.rank, bool(np.allclose(Q @ B, A))
    (12, True)
    """
    start = time.perf_counter()
    matrix = as_matrix(A)
    m, n = matrix.shape
    least, xp = min(m, n), matrix.space.xp
    if (rank is None) == (tol is None):
        raise ValueError(f"give either rank or tol, got rank={rank} and tol={tol}")
    if rank is not None:
        rank = check_rank(rank, least)
    if tol is not None and not 0 < tol < 1:
        raise ValueError(f"tol must be between 0 and 1, got {tol}")
    block = whole(block, "block", 1)
    seed = seed_of(rng)
    key, u = key_of(seed), matrix.u
    G = matrix.gaussian(key, 1, n, PROBES)
    rest = image = matrix.trial(G)
    exact = matrix.frobenius()
    basis = Basis(matrix.space, m, matrix.op.dtype)
    B = matrix.space.zeros((0, n), matrix.op.dtype)
    most, status, stream = rank or least, Status.CONVERGED, 1
    error, known = _size(exact, B, rest, u)
    total = exact or error
    while basis.size < most and (tol is None or _inflated(error, known) > tol * total):
        width = min(block, most - basis.size)
        stream += 1
        X = matrix.directions(key, stream, n, width)
        Y = matrix.times(X) - basis.columns @ (B @ X)
        Q, _ = basis.against(Y, 4 * u * math.sqrt(max(m, n)) * total, u)
        if Q.shape[1] == 0:  # nothing is left but rounding
            if rank is None:
                break
            stream += 1
            Q, _ = basis.against(matrix.gaussian(key, stream, m, width), 0.0, u)
        basis.append(Q)
        B = xp.concat((B, adjoint(matrix.adjoint_times(Q))), axis=0)
        rest = image - basis.columns @ (B @ G)
        error, known = _size(exact, B, rest, u)
        if exact is None:
            total = linalg.norm(B)
    kept = basis.size
    if tol is not None:
        kept = _least_rows(B, _inflated(error, known), tol * total)
        if _inflated(error, known) > tol * total:
            status = Status.STAGNATED
            relative = _inflated(error, known) / total
            warn(
                f"the relative error is up to {relative:.1e}, above tol={tol:.1e}: {status.value}",
                ConvergenceWarning,
            )
    Q, B = basis.columns[:, :kept], B[:kept, :]
    rest = image - Q @ (B @ G)
    error, known = _size(exact, B, rest, u)
    bound = BOUND * float(xp.max(linalg.norm(rest, axis=0)))
    if known:
        doubt = doubt_of_squares((m, n), kept, u) ** 0.5 * total
        bound = min(bound, math.hypot(error, doubt))
    info = Info(
        error=error * matrix.scale,
        error_exact=known,
        spectral_bound=bound * matrix.scale,
        seed=seed,
        passes=matrix.passes,
        seconds=time.perf_counter() - start,
    )
    if matrix.scale != 1.0:
        B = B * matrix.scale
    return QBResult(home(matrix, Q), B, status, info)


def _size(exact: float | None, B: Array, rest: Array, u: float) -> tuple[float, bool]:
    """Return the error, and whether it is known rather than estimated."""
    if exact is not None:
        square = exact**2 - linalg.norm(B) ** 2
        if square > 1e3 * u * exact**2:  # 2e-7 of Yu, Gu and Li's section 3.3, and room for sums
            return math.sqrt(square), True
    return linalg.norm(rest) / math.sqrt(PROBES), False


def _inflated(error: float, known: bool) -> float:
    return error if known else SAFETY * error


def _least_rows(B: Array, error: float, goal: float) -> int:
    """Return how many rows of B are needed when those after them count as error."""
    kept, square = int(B.shape[0]), error * error
    for size in reversed([float(v) for v in linalg.norm(B, axis=1)]):
        square += size * size
        if square > goal * goal or kept == 1:
            break
        kept -= 1
    return kept
