"""`eigh`: leading eigenpairs of Hermitian matrices, by block Lanczos."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.iteration import Callback, Loop
from lrla._core.numbers import whole
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla.lowrank._basis import inner
from lrla.lowrank._filtered import Filtered
from lrla.lowrank._krylov import BOUND, PROBES, Ritz, iterate
from lrla.lowrank._matrix import Matrix, Side, as_square, conj, home
from lrla.lowrank._svd import block_of, signs, small
from lrla.lowrank._tridiagonal import Tridiagonal

WHICH = ("LM", "LA", "SA")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EighResult(Result):
    """Eigenpairs of a Hermitian matrix; unpacks as ``eigenvalues, eigenvectors``.

    Parameters
    ----------
    eigenvalues : array of shape (rank,)
        Real; in decreasing order of what was asked for.
    eigenvectors : array of shape (n, rank)
        Orthonormal columns, in the array library of A; a dask array if A is one. The largest entry
        of each column in absolute value is positive.
    status : Status
        Whether the tolerance was met, and if not, why.
    info : Info
        ``error``: Frobenius norm of A - V diag(w) V^H, estimated by ten random vectors without bias
        in its square; ``spectral_bound``: exceeds its spectral norm but for a chance of 1e-10;
        ``residuals``: norms of ``A v - w v``, None where they were not measured; ``method``,
        ``reason``, ``seed``, ``passes``, ``history``, ``size`` of the space, ``seconds``.
    """

    eigenvalues: Array
    eigenvectors: Array
    status: Status
    info: Info

    @property
    def rank(self) -> int:
        """Number of eigenvalues."""
        return int(self.eigenvalues.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return iter((self.eigenvalues, self.eigenvectors))


def eigh(
    A: Any,
    rank: int,
    *,
    which: str = "LM",
    rtol: float | None = None,
    method: str = "auto",
    max_iter: int = 1000,
    callback: Callback | None = None,
    rng: Any = None,
) -> EighResult:
    """Compute leading eigenvalues and eigenvectors of a Hermitian matrix.

    Parameters
    ----------
    A : array of shape (n, n), sparse matrix, LinearOperator or dask array
        Hermitian; never changed, and never made dense except by "lapack".
    rank : int
        Number of eigenpairs.
    which : {"LM", "LA", "SA"}, default "LM"
        Those largest in magnitude, the largest, or the smallest, as in `scipy.sparse.linalg.eigsh`.
    rtol : float, optional
        Residuals, relative to the largest absolute eigenvalue, at which to stop; by default
        u**(2/3), 2e-11 in float64. Errors of eigenvalues are of the order of the square, up to the
        gaps between them.
    method : {"auto", "krylov", "lapack"}, default "auto"
        "krylov": block Lanczos from a random start [1]_. "lapack": all eigenvalues of the dense
        matrix. "auto" takes "lapack" for small matrices and large ranks.
    max_iter : int, default 1000
        Limit of the steps of "krylov".
    callback : callable, optional
        As for `svd`, with eigenvalues as ``state.x``, of which the unwanted may be cut off.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    EighResult
        With fields eigenvalues, eigenvectors, status and info.

    Raises
    ------
    ValueError
        If A is not square, not finite or visibly not Hermitian, or rank is not between 1 and n.

    Warns
    -----
    ConvergenceWarning
        If the tolerance was not met within ``max_iter`` steps.

    See Also
    --------
    nystrom : for positive semidefinite matrices, in a single pass.
    svd : for matrices that are not Hermitian.

    Notes
    -----
    Block Lanczos with full reorthogonalisation, blocks of eight columns (four if A is sparse),
    thick restart when memory is short, and fresh random columns when an eigenvalue shows as often
    as there are random columns, as in `svd`; eigenvalues that u**(2/3) does not tell apart count as
    one. Of sparse data, whose products cost less than the work on the basis, a Chebyshev polynomial
    of degree 3, 5 or 7 takes the place of A as soon as Ritz values show where the wanted end of the
    spectrum begins [2]_, and others of higher degree, where that turns out to be crowded; the
    answers are eigenpairs of A, and their residuals those of A. Lanczos sees A - c I as it sees A:
    eigenvalues at either end of the spectrum come out first, whatever their magnitude.

    Cost: one pass for each step, as many as the degree with a polynomial, and 4 n (4 rank)**2 flops
    for the orthogonalisation.

    References
    ----------
    .. [1] G. H. Golub and R. Underwood, "The block Lanczos method for computing eigenvalues",
       Mathematical Software III, 1977.
    .. [2] Y. Saad, "Chebyshev acceleration techniques for solving nonsymmetric eigenvalue problems",
       Math. Comp. 42, 1984.

    Examples
    --------
    >>> import numpy as np
    >>> import lrla
    >>> A = np.diag(np.arange(500.0))
    >>> w, V = lrla.eigh(A, 3, rng=7)
    >>> np.round(w, 8)
    array([499., 498., 497.])
    """
    start = time.perf_counter()
    if method not in ("auto", "krylov", "lapack"):
        raise ValueError(f"method must be one of auto, krylov, lapack, got {method!r}")
    if which not in WHICH:
        raise ValueError(f"which must be one of {', '.join(WHICH)}, got {which!r}")
    matrix = as_square(A)
    rank = check_rank(rank, matrix.shape[0])
    if rtol is not None and not 0 < rtol < 1:
        raise ValueError(f"rtol must be between 0 and 1, got {rtol}")
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, got {max_iter}")
    seed = seed_of(rng)
    goal = matrix.u ** (2 / 3) if rtol is None else max(rtol, 10 * matrix.u)
    reason = "asked for"
    if method == "auto":
        dense = small(matrix, rank)
        method = "lapack" if dense else "krylov"
        reason = dense or "few eigenvalues of a large matrix"
    # the first product tells the scale, and whether all is finite
    matrix.compress_long_side()
    run = Tridiagonal(Side(matrix, False), key_of(seed), block_of(matrix), which, goal)
    loop = Loop("eigh", max_iter=max_iter, callback=callback)
    if method == "lapack":
        w, V, residuals, status = *_lapack(matrix, rank, which), None, Status.CONVERGED
        size = matrix.shape[0]
    else:
        last, ritz, status = _krylov(run, rank, loop)
        w, V, residuals = last.pairs(ritz, rank)
        size = last.V.size
    remainder = run.image - V @ (w[:, None] * inner(V, run.probes))
    scale, phase = matrix.scale, signs(V)
    info = Info(
        error=linalg.norm(remainder) / math.sqrt(PROBES) * scale,
        spectral_bound=BOUND * scale * float(matrix.space.xp.max(linalg.norm(remainder, axis=0))),
        residuals=None if residuals is None else residuals * scale,
        method=method,
        reason=reason,
        seed=seed,
        passes=matrix.passes,
        history=tuple(loop.history),
        size=size,
        seconds=time.perf_counter() - start,
    )
    values = matrix.space.xp.astype(w * scale, matrix.op.real_dtype, copy=False)
    return EighResult(values, home(matrix, V * conj(phase)[None, :]), status, info)


def check_rank(rank: Any, largest: int) -> int:
    """Refuse ranks that are not integers between 1 and the size."""
    return whole(rank, "rank", 1, largest, rule=f" between 1 and n = {largest}")


def _lapack(matrix: Matrix, rank: int, which: str) -> tuple[Array, Array]:
    xp = matrix.space.xp
    D = matrix.dense()
    if linalg.norm(D - adjoint(D)) > math.sqrt(matrix.u) * linalg.norm(D):
        raise ValueError(
            "A must be Hermitian, got a matrix that differs from its conjugate transpose; use "
            "svd, or (A + A.conj().T) / 2"
        )
    w, V = xp.linalg.eigh((D + adjoint(D)) / 2)
    order = xp.argsort({"LM": -xp.abs(w), "LA": -w, "SA": w}[which])[:rank]
    return xp.take(w, order), xp.take(V, order, axis=1)


def _krylov(run: Tridiagonal, rank: int, loop: Loop) -> tuple[Tridiagonal, Ritz, Status]:
    """Return the recurrence that came to an end, what it shows there, and why it ended."""

    def enough(ritz: Ritz) -> float:
        return run.ratio(ritz, rank) if ritz.s.shape[0] >= rank else math.inf

    with loop.interruptible():
        ritz = iterate(run, rank, loop, enough)
        while loop.status is None:
            run = Filtered(run, ritz, rank)
            ritz = iterate(run, rank, loop, enough)
    assert loop.status is not None
    if loop.status is Status.MAX_ITER:
        warn(
            f"the error is {loop.history[-1]:.1e} times rtol={run.rtol:.1e}: {loop.status.value}",
            ConvergenceWarning,
        )
    return run, ritz, loop.status
