"""`svd`: look at the input, plan, compute, certify."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, is_complex, space_of
from lrla._core.errors import ConvergenceWarning, warn
from lrla._core.iteration import Callback, Loop
from lrla._core.numbers import whole
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla.lowrank import _rsvd
from lrla.lowrank._gram import Gram
from lrla.lowrank._krylov import BOUND, PROBES, Bidiagonal, Ritz, Triplets, iterate
from lrla.lowrank._matrix import Matrix, Side, as_matrix, conj, home
from lrla.lowrank._parts import doubt_of_squares

METHODS = ("auto", "krylov", "rsvd", "single_pass", "lapack")
SAFETY = 2.0  # on errors estimated by probes: exceeded with probability below 1 % (chi square)
BLOCK = 8  # columns of a Lanczos block in memory: measured, benchmarks/lowrank.py
_THIN = 4  # the same of sparse data: its products cost no more than the work on the bases
_ROUNDING = 1e3  # units of roundoff: smaller errors are measured, as rounding is part of them
_SMALL = 128  # LAPACK is faster up to this size, and for ranks above a fifth of the size
_DENSE = 1 << 24  # entries of an implicit or sparse matrix that may be formed for LAPACK


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SVDResult(Result):
    """Leading singular values and vectors, and how good they are; unpacks as ``U, s, Vh``.

    Parameters
    ----------
    U : array of shape (m, rank)
        Orthonormal columns, in the array library of A; a dask array if A is one. The largest entry
        of each column in absolute value is positive.
    s : array of shape (rank,)
        Singular values, decreasing.
    Vh : array of shape (rank, n)
        Orthonormal rows.
    status : Status
        Whether the tolerance was met, and if not, why.
    info : Info
        ``error``: Frobenius norm of A - U S Vh; ``error_exact``: whether it was computed from
        norms, or estimated (without bias in its square) from ten random vectors that the method
        has not seen; ``norm``: that of A; ``spectral_bound``: exceeds the spectral norm of
        A - U S Vh but for a chance of 1e-10; ``residuals``: norms of ``A^H u - s v``, or for wide A
        of ``A v - s u``, None if the passes did not allow to measure them; ``method``, ``reason``,
        ``seed``, ``passes``, ``iterations``, ``history`` of the error over the tolerance, ``size``
        of the Krylov space or the sketch, ``seconds``.
    """

    U: Array
    s: Array
    Vh: Array
    status: Status
    info: Info

    @property
    def rank(self) -> int:
        """Number of singular values."""
        return int(self.s.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return iter((self.U, self.s, self.Vh))


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What is asked for."""

    matrix: Matrix
    rank: int | None
    tol: float | None
    rtol: float
    passes: int | None
    max_iter: int
    callback: Callback | None
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What a method found: factors as of A itself, and A - U S V^H applied to the probes."""

    triplets: Triplets
    remainder: Array | None  # None: the error is known
    error: float | None
    status: Status
    history: tuple[float, ...]
    projected: bool = True  # u^H A v = s for all triplets, so squares of norms subtract


def svd(
    A: Any,
    rank: int | None = None,
    *,
    tol: float | None = None,
    rtol: float | None = None,
    method: str = "auto",
    passes: int | None = None,
    center: bool = False,
    max_iter: int = 500,
    callback: Callback | None = None,
    rng: Any = None,
) -> SVDResult:
    """Compute the leading singular values and vectors: so many, or as many as an accuracy needs.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The matrix; never changed, and never made dense except by "lapack".
    rank : int, optional
        Number of singular triplets. Give this or ``tol``.
    tol : float, optional
        Find as many triplets as it takes for ``norm(A - U S Vh) <= tol * norm(A)`` in the
        Frobenius norm, and at least one.
    rtol : float, optional
        Of "krylov" with ``rank``: residuals of all triplets, relative to the largest singular
        value, at which to stop; by default u**(2/3), 2e-11 in float64. Errors of the singular
        values are of the order of the square, up to the gaps between them.
    method : {"auto", "krylov", "rsvd", "single_pass", "lapack"}, default "auto"
        "krylov": block Lanczos bidiagonalisation from a random start [1]_ [2]_. "rsvd":
        randomized subspace iteration [3]_. "single_pass": generalized Nystrom, from products that
        one pass over the data gives [4]_. "lapack": all singular values of the dense matrix.
        "auto" takes "lapack" for small matrices and large ranks, "single_pass" for
        ``passes=1``, and "krylov" otherwise.
    passes : int, optional
        How often the data may be read. "krylov" and "rsvd" then take blocks of rank + 10 columns
        and stop after so many passes, whatever the residuals.
    center : bool, default False
        Subtract its mean from every column, without forming the difference: principal components.
    max_iter : int, default 500
        Limit of the steps of "krylov".
    callback : callable, optional
        ``callback(state)`` whenever "krylov" looks at the singular values, with the error over the
        tolerance as ``state.error`` and the singular values as ``state.x``; true stops.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Returns
    -------
    SVDResult
        With fields U, s, Vh, status and info.

    Raises
    ------
    ValueError
        If neither or both of rank and tol are given, rank is not between 1 and min(m, n), an
        entry is not finite, or the method cannot do what is asked.
    TypeError
        If A is not a matrix of numbers.

    Warns
    -----
    ConvergenceWarning
        If the tolerance was not met within ``max_iter`` steps, or is below what rounding leaves.

    See Also
    --------
    eigh : for Hermitian matrices.
    qb : a factorization without singular values, for less work.

    Notes
    -----
    "krylov" takes blocks of eight columns, which cost hardly more than one while the time goes
    into reading A; four if A is sparse. A fresh random block comes in when a singular value shows
    as often as there are random columns, for then it may have copies that these cannot see. The
    basis of the long side is orthogonalised only locally, which is backward stable [5]_, and
    repaired at the end. Of sparse data and ``rank`` the recurrence is that of A^H A (A A^H if A is
    wide), and nothing as long as the long side is held until the end; where the last triplets are
    so small that roundoff, squared with A, would exceed ``rtol``, that is seen when they have one
    digit, and A takes its place. Sparse data are copied once or twice: into CSR form if tall or CSC
    form if wide, and with rows of equal lengths side by side.

    The error is measured, not inferred: ten Gaussian vectors G go along in the first pass, and
    ``norm((A - U S Vh) @ G)**2 / 10`` estimates the squared error without bias. Ten times
    sqrt(2/pi) times the longest of the ten bounds the spectral norm except with probability
    1e-10 (Lemma 4.1 of [3]_).

    Cost: two passes for each step, one if A^H A is multiplied; for k triplets to full accuracy typically 3k to 6k columns in
    all, thus some 20 k nnz(A) flops, plus 4 min(m, n) (4 k)**2 for the orthogonalisation.

    References
    ----------
    .. [1] G. H. Golub, F. T. Luk and M. L. Overton, "A block Lanczos method for computing the
       singular values and corresponding singular vectors of a matrix", ACM TOMS 7, 1981.
    .. [2] C. Musco and C. Musco, "Randomized block Krylov methods for stronger and faster
       approximate singular value decomposition", NeurIPS 2015.
    .. [3] N. Halko, P. G. Martinsson and J. A. Tropp, "Finding structure with randomness", SIAM
       Review 53, 2011.
    .. [4] Y. Nakatsukasa, "Fast and stable randomized low-rank matrix approximation",
       arXiv:2009.11392, 2020.
    .. [5] J. L. Barlow, "Reorthogonalization for the Golub-Kahan-Lanczos bidiagonal reduction",
       Numer. Math. 124, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> import lrla
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_normal((2000, 30)) @ rng.standard_normal((30, 400))
    >>> result = lrla.svd(A, tol=1e-6, rng=7)
    >>> result.rank, bool(result.info.error <= 1e-6 * np.linalg.norm(A))
    (30, True)
    >>> U, s, Vh = lrla.svd(A, 5, rng=7)
    >>> bool(np.allclose(s, np.linalg.svd(A)[1][:5]))
    True
    """
    start = time.perf_counter()
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    matrix = as_matrix(A, center=center)
    rank, passes = _check(matrix, rank, tol, rtol, passes, max_iter)
    seed = seed_of(rng)
    goal = matrix.u ** (2 / 3) if rtol is None else max(rtol, 10 * matrix.u)
    task = _Task(matrix, rank, tol, goal, passes, max_iter, callback, seed)
    method, reason = _choose(task) if method == "auto" else (method, "asked for")
    if method in ("rsvd", "single_pass") and (rank is None or rtol is not None):
        raise ValueError(
            f"method {method!r} takes rank, not tol or rtol: it does not iterate; use 'krylov'"
        )
    found = _RUN[method](task)
    return _result(task, found, method, reason, start)


def _check(
    matrix: Matrix, rank: int | None, tol: float | None, rtol: float | None, passes: int | None,
    max_iter: int,
) -> tuple[int | None, int | None]:  # fmt: skip
    m, n = matrix.shape
    if (rank is None) == (tol is None):
        raise ValueError(f"give either rank or tol, got rank={rank} and tol={tol}")
    if rank is not None:
        least = min(m, n)
        rank = whole(rank, "rank", 1, least, rule=f" between 1 and min(m, n) = {least}")
    for name, value in (("tol", tol), ("rtol", rtol)):
        if value is not None and not 0 < value < 1:
            raise ValueError(f"{name} must be between 0 and 1, got {value}")
    passes = None if passes is None else whole(passes, "passes", 1)
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, got {max_iter}")
    if passes is not None and rank is None:
        raise ValueError("passes needs rank: the accuracy of a fixed number of passes is not known")
    return rank, passes


def _choose(task: _Task) -> tuple[str, str]:
    if task.passes == 1:
        return "single_pass", "one pass was asked for"
    if task.passes is None:
        reason = small(task.matrix, task.rank)
        if reason:
            return "lapack", reason
    return "krylov", "few singular values of a large matrix"


def small(matrix: Matrix, rank: int | None) -> str | None:
    """Say why LAPACK is the one to take; None if it is not."""
    (m, n), kind = matrix.shape, matrix.op.kind
    if kind == "blocks" or (kind != "dense" and m * n > _DENSE):
        return None
    if min(m, n) <= _SMALL:
        return "the matrix is small"
    if rank is not None and 5 * rank > min(m, n):
        return "the rank is a large part of the size"
    return None


def _lapack(task: _Task) -> _Found:
    matrix = task.matrix
    matrix.trial(matrix.gaussian(key_of(task.seed), 0, matrix.shape[1], 1))
    A = matrix.dense()
    U, s, Vh = linalg.svd(A)
    rank, size = task.rank, linalg.norm(s)
    if rank is None:
        assert task.tol is not None
        rank = least_rank(s, 0.0, task.tol * size)
    zero = s[:rank] * 0.0
    triplets = Triplets(U[:, :rank], s[:rank], adjoint(Vh[:rank, :]), zero, int(s.shape[0]))
    error = linalg.norm(s[rank:])
    if error <= _ROUNDING * matrix.u * size:  # then what was rounded counts, too
        error = linalg.norm(A - (U[:, :rank] * s[:rank]) @ Vh[:rank, :])
    status = Status.CONVERGED
    if task.tol is not None and error > task.tol * size:
        status = _unreached(task.tol, error / size)
    return _Found(triplets, None, error, status, ())


def _unreached(tol: float, error: float) -> Status:
    """Say that rounding alone exceeds the tolerance."""
    status = Status.STAGNATED
    warn(f"the relative error is {error:.1e}, tol={tol:.1e}: {status.value}", ConvergenceWarning)
    return status


def least_rank(s: Array, rest: float, goal: float) -> int:
    """Return the least number of triplets, at least 1, that leaves an error of at most goal."""
    rank, square = int(s.shape[0]), rest * rest
    for value in reversed([float(v) for v in s]):
        square += value * value
        if square > goal * goal or rank == 1:
            break
        rank -= 1
    return max(rank, 1)


def block_of(matrix: Matrix) -> int:
    """Return the columns of a Lanczos block."""
    return _THIN if matrix.op.kind == "sparse" else BLOCK


def _krylov(task: _Task) -> _Found:
    matrix = task.matrix
    m, n = matrix.shape
    matrix.compress_long_side()
    side = Side(matrix, m < n)
    wide = task.passes is not None or matrix.op.kind == "blocks"
    block = (task.rank or BLOCK) + 10 if wide else block_of(matrix)
    # products with sparse data cost less than orthogonal bases, where these may be had again
    long = task.passes is not None or matrix.op.kind != "sparse"

    def bidiagonal() -> Bidiagonal:
        return Bidiagonal(side, key_of(task.seed), block, long=long)

    if task.rank is None:
        return _to_tolerance(task, bidiagonal())
    if task.passes is not None:
        return _in_passes(task, bidiagonal())
    k = task.rank

    def enough(ritz: Ritz) -> float:
        if ritz.s.shape[0] < k:
            return math.inf
        worst = float(side.matrix.space.xp.max(ritz.residuals[:k]))
        return worst / (task.rtol * float(ritz.s[0])) if worst else 0.0

    loop = Loop("svd", max_iter=task.max_iter, callback=task.callback)
    with loop.interruptible():
        if matrix.op.kind == "sparse" and matrix.mean is None:
            run: Bidiagonal = Gram(side, key_of(task.seed), block, task.rtol)
            ritz = iterate(run, k, loop, enough)
        if loop.status is None:
            run = bidiagonal()
            ritz = iterate(run, k, loop, enough)
    return _ended(task, run, run.finish(ritz, k), loop)


def _ended(task: _Task, run: Bidiagonal, triplets: Triplets, loop: Loop) -> _Found:
    status = loop.status
    assert status is not None
    if status is Status.MAX_ITER:
        goal = f"rtol={task.rtol:.1e}" if task.tol is None else f"tol={task.tol:.1e}"
        warn(
            f"the error is {loop.history[-1]:.1e} times {goal}: {status.value}", ConvergenceWarning
        )
    remainder = run.error(triplets.U, triplets.s, triplets.V)
    if task.tol is not None and status is Status.CONVERGED:
        error, size = linalg.norm(remainder) / math.sqrt(PROBES), linalg.norm(triplets.s)
        if error > SAFETY * task.tol * size:
            status = _unreached(task.tol, error / size)
    found = _Found(triplets, remainder, None, status, tuple(loop.history))
    return _unflip(found, run.side)


def _unflip(found: _Found, side: Side) -> _Found:
    if not side.flipped:
        return found
    t = found.triplets
    return replace(found, triplets=replace(t, U=t.V, V=t.U))


def _in_passes(task: _Task, run: Bidiagonal) -> _Found:
    """Take the steps that the passes allow; the last half step counts, too."""
    assert task.passes is not None
    assert task.rank is not None
    if task.passes < 2:
        raise ValueError("passes must be at least 2 for method 'krylov', got 1; use 'single_pass'")
    run.step()
    for _ in range((task.passes - 2) // 2):
        if run.exhausted and not run.empty:
            run.inject(run.block)
        if not run.exhausted:
            run.step()
    triplets = run.finish_half(task.rank)
    remainder = run.error(triplets.U, triplets.s, triplets.V)
    return _unflip(_Found(triplets, remainder, None, Status.CONVERGED, ()), run.side)


def _to_tolerance(task: _Task, run: Bidiagonal) -> _Found:
    """Grow the Krylov space until the error is small enough, and the rank no longer falls."""
    assert task.tol is not None
    tol, u = task.tol, task.matrix.u
    exact = task.matrix.frobenius() if tol > 30 * math.sqrt(u) else None
    ranks = [0]

    def enough(ritz: Ritz) -> float:
        found = linalg.norm(ritz.s)
        if exact is None:
            rest, goal = SAFETY * linalg.norm(run.remainder()) / math.sqrt(PROBES), tol * found
        else:
            rest, goal = math.sqrt(max(exact**2 - found**2, 0.0)), tol * exact
        if rest > goal:
            return rest / goal if goal else math.inf
        ranks.append(least_rank(ritz.s, rest, goal))
        return 1.0 if ranks[-1] == ranks[-2] else 1.01

    loop = Loop("svd", max_iter=task.max_iter, callback=task.callback)
    with loop.interruptible():
        ritz = iterate(run, 0, loop, enough)
    rank = ranks[-1] or int(ritz.s.shape[0])
    return _ended(task, run, run.finish(ritz, rank), loop)


def _rsvd_of(task: _Task) -> _Found:
    assert task.rank is not None
    passes = 4 if task.passes is None else task.passes
    triplets, remainder = _rsvd.subspace(task.matrix, task.rank, passes, key_of(task.seed))
    return _Found(triplets, remainder, None, Status.CONVERGED, ())


def _single_pass(task: _Task) -> _Found:
    assert task.rank is not None
    triplets, remainder = _rsvd.single_pass(task.matrix, task.rank, key_of(task.seed))
    return _Found(triplets, remainder, None, Status.CONVERGED, (), projected=False)


_RUN = {
    "krylov": _krylov,
    "rsvd": _rsvd_of,
    "single_pass": _single_pass,
    "lapack": _lapack,
}


def _result(task: _Task, found: _Found, method: str, reason: str, start: float) -> SVDResult:
    matrix, t = task.matrix, found.triplets
    scale, xp = matrix.scale, matrix.space.xp
    phase = signs(t.U)
    s = xp.astype(t.s * scale, matrix.op.real_dtype, copy=False)
    U, Vh = t.U * conj(phase)[None, :], phase[:, None] * adjoint(t.V)
    error, exact, bound, total = _errors(task, found)
    info = Info(
        error=error * scale,
        error_exact=exact,
        norm=total * scale,
        spectral_bound=bound * scale,
        residuals=None if t.residuals is None else t.residuals * scale,
        method=method,
        reason=reason,
        seed=task.seed,
        passes=matrix.passes,
        iterations=len(found.history),
        history=found.history,
        size=t.size,
        seconds=time.perf_counter() - start,
    )
    return SVDResult(home(matrix, U), s, Vh, found.status, info)


def _errors(task: _Task, found: _Found) -> tuple[float, bool, float, float]:
    """Return the Frobenius error, whether it is exact, a spectral bound, and the norm of A."""
    matrix, s = task.matrix, found.triplets.s
    if found.error is not None:
        rounding = 4 * matrix.u * math.sqrt(max(matrix.shape)) * float(s[0])
        return found.error, True, found.error + rounding, math.hypot(found.error, linalg.norm(s))
    assert found.remainder is not None
    estimate = linalg.norm(found.remainder) / math.sqrt(PROBES)
    bound = BOUND * float(matrix.space.xp.max(linalg.norm(found.remainder, axis=0)))
    total = matrix.frobenius() if matrix.op.kind in ("dense", "sparse") else None
    if total is None:
        return estimate, False, bound, math.hypot(estimate, linalg.norm(s))
    if not found.projected:
        return estimate, False, bound, total
    # a difference of squares has lost its digits where the error is small
    square = total**2 - linalg.norm(s) ** 2
    if square > 1e3 * matrix.u * total**2:
        doubt = doubt_of_squares(matrix.shape, int(s.shape[0]), matrix.u) * total**2
        return math.sqrt(square), True, min(bound, math.sqrt(square + doubt)), total
    return estimate, False, bound, total


def signs(U: Array) -> Array:
    """Return the phases of the largest entries of the columns of U; 1 where a column is zero."""
    xp = space_of(U).xp
    if not is_complex(U):  # two passes without a copy
        turned = xp.max(U, axis=0) < -xp.min(U, axis=0)
        return xp.where(turned, -xp.ones_like(U[0, :]), xp.ones_like(U[0, :]))
    place = xp.argmax(xp.abs(U), axis=0)
    largest = xp.take_along_axis(U, place[None, :], axis=0)[0, :]
    size = xp.abs(largest)
    safe = xp.where(size > 0, size, xp.ones_like(size))
    return xp.where(size > 0, largest / safe, xp.ones_like(largest))
