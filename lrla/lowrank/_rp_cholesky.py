"""`rp_cholesky`: a positive semidefinite matrix from a few of its columns."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from lrla._core.arrays import Array
from lrla._core.random import seed_of
from lrla._core.results import Info, Result, Status
from lrla.lowrank._growth import Growth
from lrla.lowrank._kernels import as_kernel


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RPCholeskyResult(Result):
    """A partial Cholesky factorization with pivots: ``K ~ factor^H @ factor``.

    Parameters
    ----------
    factor : array of shape (rank, n)
        Agrees with K in the rows and columns of the pivots.
    pivots : array of shape (rank,)
        Indices of the rows and columns that were read, in their order.
    residual : array of shape (n,)
        Diagonal of ``K - factor^H @ factor``, not negative.
    rank : int
        Number of pivots.
    status : Status
        Whether the tolerance was met, and if not, whether for want of pivots or of accurate
        entries; without one always `Status.CONVERGED`.
    info : Info
        ``trace_error``: the sum of ``residual``, which is the trace norm of the error, exactly;
        ``relative_error``: the same divided by the trace of K; ``history``: relative errors after
        each block of pivots; ``noise``: the fraction of the diagonal below which what is left is
        called rounding and counts as zero; ``entries``: how many of K were computed; ``proposed``:
        how many pivots were drawn; ``method``; ``seed``; ``seconds``.
    """

    factor: Array
    pivots: Array
    residual: Array
    rank: int
    status: Status
    info: Info


def rp_cholesky(
    K: Any, rank: int, *, tol: float = 0.0, method: str = "accelerated", rng: Any = None
) -> RPCholeskyResult:
    """Approximate a positive semidefinite matrix from a few of its columns, chosen at random.

    Parameters
    ----------
    K : array of shape (n, n), sparse matrix, KernelMatrix or object
        Hermitian and positive semidefinite. An object needs ``shape``, ``diagonal()`` and
        ``block(rows, columns)``, which returns the entries of some rows and columns; rows are given
        as an array of indices, columns so or as a slice.
    rank : int
        Number of columns at most, from 1 to n.
    tol : float, default 0
        Stop when the trace of the error is at most ``tol`` times the trace of K.
    method : {"accelerated", "simple", "nuclear", "block", "greedy", "uniform"}
        "simple": one pivot at a time, with probability in proportion to the diagonal that is left
        [1]_. "accelerated", the default: the same pivots in law, many at a time by rejection [2]_.
        "nuclear": for each pivot three are drawn by this law (fewer at the end of a block), and of
        them, and of those drawn before in the same block and not taken, the one is taken that takes
        most from the trace of the error; less error for the same rank, in more time. "block": many
        at a time from the same diagonal, without rejection but for those of which the others leave
        little; another law. "greedy": the largest entry of the diagonal. "uniform": any pivot, as
        the Nystrom method takes them.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the draws comes from.

    Returns
    -------
    RPCholeskyResult
        With fields factor, pivots, residual, rank, status and info. The rank is less than asked for
        where nothing is left to rounding: then K is reproduced.

    Raises
    ------
    ValueError
        If K is not square, not finite, not Hermitian or not positive semidefinite, as far as has
        been seen, or rank or tol is out of range. Entries below zero on the diagonal are seen, and
        of other matrices a proof of an eigenvalue below -1e-10 times the trace.
    TypeError
        If K has no entries that can be read.
    MemoryError
        If there is no room for the factor.

    See Also
    --------
    KernelMatrix : kernels of points, whose entries are computed when needed.

    Notes
    -----
    The trace of the error is in expectation at most 1 + eps times that of the best rank r after
    ``r / eps + r log(1 / (eps eta))`` pivots, eta the relative error of the best rank r [1]_,
    theorem 3.1. The error K - factor^H factor is positive semidefinite, so its trace, which is
    known, bounds every norm. What is left of the diagonal is called rounding below about 20 units of
    its entries, or below more if pivots that small turn out to leave it negative: then the entries
    of K were less accurate, and the pivots are not taken, unless they prove that K has an eigenvalue
    below zero: what they leave at i is ``y^H K y`` for a vector y of ``y[i] = 1``, which is much less
    than that eigenvalue if y is long. "uniform" asks of pivots that ``u**(2/3)``
    of the diagonal is left, u the unit roundoff.

    "accelerated" computes (rank + 1) n entries of K and the squares of the blocks of proposals, and
    rank**2 n + O(rank n) flops, nearly all of them in matrix products of large blocks. Blocks grow
    while rejection costs less than a quarter of the rest, as predicted by a count of operations,
    not measured: equal seeds give equal pivots. Memory: the factor, and panels that fit in a cache.

    "nuclear" goes by the nuclear score of a pivot j [3]_, ``norm(R[:, j])**2 / R[j, j]``, R being
    what is left of K: by so much does the trace of R fall. Scores are exact up to n = 300, and
    beyond estimated in a sample of max(300, min(n / 75, 4 rank)) columns. With exact scores the
    bound above holds here too (docs/algorithms.rst). Measured, the error is 0.84 to 0.97 of that of
    "accelerated", in 1.1 to 1.3 times its time for n from 20000, and 2.5 times for n = 1797.

    References
    ----------
    .. [1] Y. Chen, E. N. Epperly, J. A. Tropp and R. J. Webber, "Randomly pivoted Cholesky:
       practical approximation of a kernel matrix with few entry evaluations", arXiv:2207.06503.
    .. [2] E. N. Epperly, J. A. Tropp and R. J. Webber, "Embrace rejection: kernel matrix
       approximation by accelerated randomly pivoted Cholesky", arXiv:2410.03969.
    .. [3] M. Fornace and M. Lindsey, "Column and row subset selection using nuclear scores:
       algorithms and theory for Nystrom approximation, CUR decomposition, and graph Laplacian
       reduction", arXiv:2407.01698.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.lowrank import KernelMatrix, rp_cholesky
    >>> X = np.random.default_rng(7).standard_normal((2000, 2))
    >>> result = rp_cholesky(KernelMatrix(X, gamma=0.1), 60, rng=7)
    >>> result.factor.shape, result.info.relative_error < 1e-4
    ((60, 2000), True)
    """
    start = time.perf_counter()
    growth = Growth(as_kernel(K), rank, tol, method, seed_of(rng))
    rounding = growth.noise
    growth.grow()
    error = growth.history[-1]
    info = Info(
        trace_error=error * growth.trace,
        relative_error=error,
        history=tuple(growth.history),
        noise=growth.noise,
        entries=growth.entries,
        proposed=growth.proposed,
        method=method,
        seed=growth.seed,
        seconds=time.perf_counter() - start,
    )
    if tol == 0 or (error <= max(tol, growth.noise) and growth.noise <= max(tol, rounding)):
        status = Status.CONVERGED
    else:
        status = Status.STAGNATED if error <= growth.noise else Status.RANK
    factor = growth.G[: growth.count, :]
    return RPCholeskyResult(factor, growth.pivots, growth.d, growth.count, status, info)
