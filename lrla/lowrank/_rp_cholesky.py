"""`rp_cholesky`: a positive semidefinite matrix from a few of its columns."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, Space, adjoint, is_complex, real_dtype, unit_roundoff
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.results import Info, Result, Status
from lrla._core.threads import ranges
from lrla.kernels import philox
from lrla.kernels.nuclear_pivots import nuclear_pivots
from lrla.kernels.rejection import rejection_cholesky
from lrla.lowrank._kernels import PANEL, as_kernel
from lrla.lowrank._selection import Draws

METHODS = ("accelerated", "simple", "nuclear", "block", "greedy", "uniform")
BLOCK = 10  # proposals in a first block: Epperly, Tropp and Webber 2024, sec. 2.3
SHARE = 0.25  # of the work, what rejection may take; ibid.
# By their scores; measured, n = 40000, k = 1000 (docs/algorithms.rst): 4 and 0.1 leave 2 % less error
# and take 10 % more time
CANDIDATES = 3  # proposals for a pivot
SCORES = 0.06  # of the work, what scores may take
CHOICE = 0.15  # and all of the choice
COLUMNS = 300  # for scores, at least
NEGATIVE = 1e-10  # of the trace: what no rounding explains


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
        Whether the tolerance was met; without one always `Status.CONVERGED`.
    info : Info
        ``trace_error``: the sum of ``residual``, which is the trace norm of the error, exactly;
        ``relative_error``: the same divided by the trace of K; ``history``: relative errors after
        each block of pivots; ``entries``: how many of K were computed; ``proposed``: how many
        pivots were drawn; ``method``; ``seed``; ``seconds``.
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
        "nuclear": for each pivot three are drawn by this law, and of them, and of those that were
        drawn before and not taken, the one that takes most from the trace of the error is taken;
        less error for the same rank, in more time. "block": many at a time from the same diagonal,
        without rejection but for those of which the others leave little; another law. "greedy": the
        largest entry of the diagonal. "uniform": any pivot, as the Nystrom method takes them.
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
        been seen; or rank or tol is out of range.
    TypeError
        If K has no entries that can be read.

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
    of K were less accurate, and the pivots are not taken. "uniform" asks of pivots that ``u**(2/3)``
    of the diagonal is left, u the unit roundoff.

    "accelerated" computes (rank + 1) n entries of K and the squares of the blocks of proposals, and
    rank**2 n + O(rank n) flops, nearly all of them in matrix products of large blocks. Blocks grow
    while rejection costs less than a quarter of the rest, as predicted by a count of operations,
    not measured: equal seeds give equal pivots. Memory: the factor, and panels that fit in a cache.

    "nuclear" goes by the nuclear score of a pivot j [3]_, ``norm(R[:, j])**2 / R[j, j]``, R being
    what is left of K: by so much does the trace of R fall. Scores are exact up to n = 300, and
    beyond estimated in a sample of max(300, min(0.02 n, 4 rank)) columns. With exact scores the bound
    above holds here too (docs/algorithms.rst). Measured, the error is 0.7 to 0.95 of that of
    "accelerated", in 1.2 to 1.4 times its time for n from 20000 and 2.4 times for n = 1800.

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
    growth.grow()
    error, met = growth.history[-1], growth.history[-1] <= max(tol, growth.noise)
    info = Info(
        trace_error=error * growth.trace,
        relative_error=error,
        history=tuple(growth.history),
        entries=growth.entries,
        proposed=growth.proposed,
        method=method,
        seed=growth.seed,
        seconds=time.perf_counter() - start,
    )
    status = Status.CONVERGED if met or tol == 0 else Status.RANK
    factor = growth.G[: growth.count, :]
    return RPCholeskyResult(factor, growth.pivots, growth.d, growth.count, status, info)


class Growth:
    """A factor that grows by blocks of pivots, and the diagonal that it leaves."""

    def __init__(self, K: Any, rank: int, tol: float, method: str, seed: int) -> None:
        n = K.shape[0]
        if not (int(rank) == rank and 1 <= rank <= n):
            raise ValueError(f"rank must be an integer between 1 and n = {n}, got {rank}")
        if not 0 <= tol < 1:
            raise ValueError(f"tol must be at least 0 and less than 1, got {tol}")
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
        self.K, self.rank, self.tol, self.method, self.seed = K, int(rank), tol, method, seed
        self.space: Space = K.space
        xp = self.xp = self.space.xp
        real = real_dtype(xp, K.dtype)
        self.first = xp.asarray(K.diagonal(), dtype=real, copy=True)
        self.trace = float(xp.sum(xp.astype(self.first, xp.float64)))
        if not np.isfinite(self.trace):
            raise ValueError("K must be finite, got NaN or infinity in its diagonal")
        if float(xp.min(self.first)) < 0:
            raise ValueError(
                f"K must be positive semidefinite, got {float(xp.min(self.first)):.3g} in its "
                "diagonal"
            )
        self.u = unit_roundoff(xp, K.dtype)
        # below this fraction of the diagonal nothing can be told, as far as is known
        self.noise = 20 * self.u
        self.G = self.space.zeros((self.rank, n), K.dtype)
        self.d = xp.asarray(self.first, copy=True)
        self.pivots = self.space.zeros((0,), xp.int64)
        self.count, self.entries, self.proposed = 0, n, 0
        self.history = [1.0 if self.trace else 0.0]
        self.size = {"simple": 1, "greedy": 1, "nuclear": CANDIDATES * BLOCK}.get(method, BLOCK)
        self.draws = Draws(seed)

    def grow(self) -> None:
        """Add pivots until there are enough of them, or too little is left."""
        while self.count < self.rank and self.history[-1] > max(self.tol, self.noise):
            if self.method == "uniform" and self.proposed == self.K.shape[0]:
                break
            before = self.proposed
            T, L = self._block()
            if T.shape[0] and not self._extend(T, L) and self.method == "uniform":
                self.proposed = before  # pivots without replacement have their turn again

    def _block(self) -> tuple[Array, Array]:
        """Choose pivots and factor what is left of K in their rows and columns."""
        xp, n = self.xp, self.K.shape[0]
        if self.method == "nuclear":
            return self._best()
        if self.method == "greedy":
            proposed = xp.reshape(xp.argmax(self.d), (1,))
            uniform = xp.zeros_like(self.d[:1])
        elif self.method == "uniform":
            last = min(n, self.proposed + max(self.size, min(256, self.rank - self.count)))
            place = xp.arange(self.proposed, last, dtype=xp.int64, device=self.space.device)
            key = key_of(self.seed)
            proposed = philox.permute(place, key, tag(Domain.SAMPLE), n)
            uniform = xp.zeros_like(proposed)
        else:
            proposed, uniform = self.draws.from_weights(self.d, self.size)
        self.proposed += int(proposed.shape[0])
        H = self._left(proposed)
        if self.method == "uniform":  # which of them comes first is free
            order = self.space.asarray(largest_first(self.space, H), xp.int64)
            proposed = xp.take(proposed, order)
            H = xp.take(xp.take(H, order, axis=0), order, axis=1)
        real = self.d.dtype
        bounds = xp.take(self.d, proposed)
        if self.method == "block":  # nearly dependent proposals go: they would mix in rounding
            uniform = xp.zeros_like(uniform) + 1.0 / self.size
            self.size = max(BLOCK, self.rank // 10)
        elif self.method != "accelerated":  # whatever is not yet spanned is taken
            uniform = xp.zeros_like(uniform)
        # a pivot that is all rounding would make a column that is
        least = self._rounding()
        if self.method == "uniform":  # nothing makes sure that pivots are large
            least = max(least, self.u ** (2 / 3))
        floor = least * xp.take(self.first, proposed)
        at_least = xp.maximum(xp.astype(uniform, real) * bounds, floor)
        L, accepted = rejection_cholesky(
            H, at_least, xp.ones_like(at_least), self.rank - self.count
        )
        (kept,) = xp.nonzero(accepted)
        if self.method == "accelerated":
            self._adapt(int(kept.shape[0]), 0)
        if not kept.shape[0] and self.method != "uniform":
            self._correct(proposed, H)  # the diagonal promised more than there is
        return xp.take(proposed, kept), xp.take(xp.take(L, kept, axis=0), kept, axis=1)

    def _best(self) -> tuple[Array, Array]:
        """Choose pivots of great nuclear score among proposals; as `_block`."""
        xp = self.xp
        proposed, uniform = self.draws.from_weights(self.d, self.size)
        self.proposed += self.size
        unit = self.trace / self.K.shape[0]  # squares must not overflow
        H, rows = self._left(proposed), self._sampled(proposed) / unit
        bounds = xp.take(self.d, proposed)
        least = self._rounding() * xp.take(self.first, proposed)
        L, chosen = nuclear_pivots(
            H / unit,
            rows @ adjoint(rows),
            bounds / unit,
            xp.astype(uniform, bounds.dtype),
            xp.maximum(least, self.u**0.5 * bounds) / unit,  # scores need some digits
            CANDIDATES,
            self.rank - self.count,
        )
        (steps,) = xp.nonzero(chosen >= 0)
        if not steps.shape[0]:
            self._correct(proposed, H)
        kept = xp.take(chosen, steps)
        L = xp.take(xp.take(L, kept, axis=0), steps, axis=1)
        self._adapt(int(steps.shape[0]), int(rows.shape[1]))
        return xp.take(proposed, kept), L * unit**0.5

    def _sampled(self, indices: Array) -> Array:
        """Compute rows of K - G^H G in some columns, so weighted that they have the right products.

        Column j comes with probability d[j] / sum(d). The square of an entry (i, j) is at most
        d[i] d[j], so no column counts for more than its share of the greatest possible score.
        """
        xp, n = self.xp, self.K.shape[0]
        m = max(COLUMNS, min(int(SCORES * n / CANDIDATES), 4 * self.rank))
        P, G = xp.take(self.G[: self.count, :], indices, axis=1), self.G[: self.count, :]
        columns: Any = slice(0, n)
        weights = xp.ones_like(self.d[:1])
        if m < n:
            columns = xp.sort(self.draws.from_weights(self.d, m)[0])  # reads them in order
            G = xp.take(G, columns, axis=1)
            weights = xp.take(self.d, columns) * (m / xp.sum(self.d))
        rows = (self.K.block(indices, columns) - adjoint(P) @ G) / xp.sqrt(weights)
        self.entries += int(rows.shape[0] * rows.shape[1])
        if not bool(xp.all(xp.isfinite(rows))):
            raise ValueError("K must be finite, got NaN or infinity in its rows")
        return rows

    def _left(self, indices: Array) -> Array:
        """Compute K - G^H G in some rows and columns, and look whether K is what it should be."""
        xp = self.xp
        H = self.K.block(indices, indices)
        self.entries += int(indices.shape[0]) ** 2
        skew = float(xp.max(xp.abs(H - adjoint(H))))
        if not skew <= max(1e-8, 100 * self.u) * float(xp.max(xp.abs(H))):
            raise ValueError(
                f"K must be Hermitian and finite, got a block that differs by {skew:.3g} from its "
                "adjoint"
            )
        P = xp.take(self.G[: self.count, :], indices, axis=1)
        return H - adjoint(P) @ P

    def _correct(self, indices: Array, H: Array) -> None:
        xp = self.xp
        true = xp.real(xp.linalg.diagonal(H)) if is_complex(H) else xp.linalg.diagonal(H)
        self._refuse_negative(true)
        place = xp.arange(self.K.shape[0], dtype=indices.dtype, device=self.space.device)
        for i in range(indices.shape[0]):
            self.d = xp.where(place == indices[i], xp.zeros_like(self.d) + true[i], self.d)
        self._settle()

    def _extend(self, T: Array, L: Array) -> bool:
        """Add rows inv(L) (K[T] - G[:, T]^H G) to the factor, a panel of columns at a time.

        Returns whether they were worth keeping.
        """
        xp, c, a = self.xp, self.count, int(T.shape[0])
        n = self.K.shape[0]
        old = adjoint(xp.take(self.G[:c, :], T, axis=1))
        rest = xp.asarray(self.d, copy=True)
        width = max(64, PANEL // (c + a) // 64 * 64)
        for i, j in ranges(n, width):
            panel = self.K.block(T, slice(i, j))
            if c:
                panel = panel - old @ self.G[:c, i:j]
            panel = linalg.solve_triangular(L, panel, lower=True)
            self.G[c : c + a, i:j] = panel
            left = self.d[i:j] - xp.sum(xp.abs(panel) ** 2, axis=0)
            place = xp.arange(i, j, dtype=T.dtype, device=self.space.device)
            pivot = xp.any(T[:, None] == place[None, :], axis=0)
            rest[i:j] = xp.where(pivot, xp.zeros_like(left), left)
        self.entries += a * n
        kept = self._is_rounding(rest)
        if kept:
            self.count += a
            self.pivots = xp.concat([self.pivots, xp.astype(T, xp.int64)])
            self.d = rest
        self._settle()
        return kept

    def _rounding(self) -> float:
        """Return the fraction of the diagonal that may be rounding, in K or of ours."""
        alone = self.method in ("simple", "greedy")  # rounding of pivots one by one piles up
        return (50 if alone else 1) * self.noise + 2 * self.u * self.count

    def _is_rounding(self, rest: Array) -> bool:
        """Tell whether what is below zero is rounding; if not, more of K is than was known.

        Pivots of the size of the errors in K make columns that grow from block to block. The first
        sign is a diagonal below zero: then the block is not taken, and ten times as much is called
        rounding. What is still there when half of the digits are gone is in K itself.
        """
        allowed = self._rounding() * (self.first + self.trace / self.K.shape[0])
        if bool(self.xp.all(rest >= -allowed)):
            return True
        if 10 * self.noise > self.u**0.5:
            self._refuse_negative(rest)
            return True
        self.noise *= 10
        return False

    def _settle(self) -> None:
        """Clear what rounding has left, and write down how much remains."""
        xp = self.xp
        known = self.d > self._rounding() * self.first
        self.d = xp.where(known, self.d, xp.zeros_like(self.d))
        self.history.append(float(xp.sum(xp.astype(self.d, xp.float64))) / self.trace)

    def _refuse_negative(self, d: Array) -> None:
        worst = float(self.xp.min(d))
        if not worst >= -max(NEGATIVE, 100 * self.u) * self.trace:
            raise ValueError(
                "K must be positive semidefinite and finite, got a matrix of which "
                f"{self.count} pivots leave {worst:.3g} in the diagonal"
            )

    def _adapt(self, kept: int, sampled: int) -> None:
        """Choose the size of the next block: what grows with its square may take a quarter."""
        b, c, n = self.size, self.count, self.K.shape[0]
        square = b * b * (2 * c + b + 100)
        update = max(kept, 1) * n * (2 * c + kept + 100)
        each, rest = 1, SHARE * update
        if sampled:
            square += b * b * (2 * sampled + 6 * kept)
            each, rest = CANDIDATES, CHOICE * update - b * sampled * (2 * c + 100)
        limit = each * max(BLOCK, self.rank // 3)
        wanted = rest / square * b
        self.size = int(min(max(wanted, b / 3, each * BLOCK), 1.5 * b + 1, limit))


def largest_first(space: Space, H: Array) -> list[int]:
    """Order the rows of H so that each next pivot is the largest left: then Cholesky is stable."""
    xp, b = space.xp, int(H.shape[0])
    L = xp.zeros_like(H)
    left = xp.real(xp.linalg.diagonal(H)) if is_complex(H) else xp.linalg.diagonal(H)
    index = xp.arange(b, device=space.device)
    free = xp.ones_like(index) > 0
    order: list[int] = []
    while len(order) < b:
        j, p = len(order), int(xp.argmax(xp.where(free, left, xp.zeros_like(left) - np.inf)))
        if not float(left[p]) > 0:
            return order + [int(i) for i in xp.nonzero(free)[0]]
        column = (H[:, p] - L[:, :j] @ xp.conj(L[p, :j])) / float(left[p]) ** 0.5
        L[:, j] = column
        left = left - xp.abs(column) ** 2
        free = free & (index != p)
        order.append(p)
    return order
