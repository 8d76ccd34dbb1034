"""Volume sampling: rows for least squares, chosen with the volume that they span."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, Space, check_finite, to_host
from lrla._core.operators import as_operator
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla.blocks import as_blocks
from lrla.dpp._draw import Streams, cumulative, pick, projection
from lrla.dpp._errors import SamplingError
from lrla.dpp._projection import ProjectionDPP
from lrla.kernels.volume import thin

_TRIES = 4  # tries for each row to be removed that are drawn at first: two are expected
_MOST = 1 << 24  # tries after which regularized sampling gives up


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VolumeSample(Result):
    """Rows drawn with probability proportional to a volume.

    Parameters
    ----------
    indices : array of int64, shape (size,)
        The rows: in the order drawn, and with repetitions, if they were rescaled; ascending if not.
    weights : array of shape (size,)
        Weights under which least squares on these rows are unbiased: ones, or with rescaling
        ``n / (size * leverage)`` (n columns), so that the weighted Gram matrix of the rows has the
        expectation of that of all rows.
    status : Status
        `Status.CONVERGED`.
    info : Info
        rank of A; rescale; ridge; seed; log_prob, the logarithm of the probability of this set, or of
        this sequence if rescaled; proposals, how many items were proposed (both None with a ridge).
    """

    indices: Array
    weights: Array
    status: Status
    info: Info


def volume_sample(
    A: Any, size: int, *, rescale: str | None = "auto", ridge: float = 0.0, rng: Any = None
) -> VolumeSample:
    """Draw rows with probability proportional to the squared volume that they span.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, LinearOperator or dask array
        The data, of rank n. A linear operator is formed densely.
    size : int
        Number of rows, at least n.
    rescale : {"auto", "leverage", None}, default "auto"
        None: sets of ``size`` different rows S with probability proportional to
        ``det(A[S].T @ A[S])``. "leverage": sequences of rows, repetitions allowed, with density
        proportional to ``det(sum(a a.T / q))`` under independent draws with probability
        q = leverage / n. "auto": None if ``size == n``, "leverage" otherwise.
    ridge : float, default 0
        Regularized volume sampling [3]_: ``det(A[S].T @ A[S] + ridge * I)`` decides, row by row from
        the back. Then ``size`` may be less than n, ``rescale`` must not be "leverage", and A must
        be a dense array.
    rng : None, int, numpy.random.Generator or SeedSequence, optional
        Seed.

    Returns
    -------
    VolumeSample
        With fields indices, weights, status and info.

    Raises
    ------
    RankError
        If the columns of A are dependent and ``ridge`` is 0.
    ValueError
        If there are not enough rows or too few are asked for; if A is not finite.
    SamplingError
        If regularized sampling uses up its budget: ``size`` far below n with a tiny ridge.

    Notes
    -----
    Exact. By the formula of Cauchy and Binet both laws are a sample of the projection process of
    the range of A and, independent of it, rows drawn uniformly from the others or independently by
    leverage [1]_. Cost: leverage scores, and O(n**3 log n) for the draw. With plain volume sampling
    of more than n rows a few rows of high leverage are lost among many others, and the loss need
    not come near the least one; with rescaling, size of the order n log n + n / eps gives 1 + eps
    times the least loss with high probability [2]_.

    References
    ----------
    .. [1] M. Derezinski, M. K. Warmuth, D. Hsu, "Unbiased estimators for random design regression",
       JMLR 23, 2022, Theorem 2.4.
    .. [2] M. Derezinski, M. K. Warmuth, D. Hsu, "Leveraged volume sampling for linear regression",
       NeurIPS 2018.
    .. [3] M. Derezinski, M. K. Warmuth, "Subsampling for ridge regression via regularized volume
       sampling", AISTATS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.dpp import volume_sample
    >>> A = np.random.default_rng(7).standard_normal((1000, 4))
    >>> volume_sample(A, 12, rng=7).indices.shape
    (12,)
    """
    seed = seed_of(rng)
    design = Design(A, size, rescale, ridge, seed)
    indices, weights, proposals = design.draw(Streams(key_of(seed), 0))
    info = Info(
        rank=design.n,
        rescale=design.rescale,
        ridge=float(ridge),
        log_prob=design.log_prob(indices),
        proposals=proposals,
        seed=seed,
    )
    return VolumeSample(indices, weights, Status.CONVERGED, info)


class Design:
    """What the draws from one matrix share: its process, its size, and how to complete a draw."""

    def __init__(self, A: Any, size: int, rescale: str | None, ridge: float, seed: int) -> None:
        op = as_operator(as_blocks(A))
        self.m, self.n = op.shape
        self.space: Space = op.space
        if isinstance(size, bool) or int(size) != size or size < 1:
            raise ValueError(f"size must be a positive integer, got {size!r}")
        if rescale not in ("auto", "leverage", None):
            raise ValueError(f"rescale must be 'auto', 'leverage' or None, got {rescale!r}")
        if not (math.isfinite(ridge) and ridge >= 0):
            raise ValueError(f"ridge must be finite and not negative, got {ridge}")
        self.size, self.ridge = int(size), float(ridge)
        if rescale == "auto":
            rescale = None if ridge or size == self.n else "leverage"
        self.rescale = rescale
        if ridge and rescale:
            raise ValueError("rescale must be None with a ridge: its law is that of plain volumes")
        if self.size < self.n and not ridge:
            raise ValueError(
                f"size must be at least the number of columns, {self.n}, got {size}; pass a ridge"
            )
        if rescale is None and self.size > self.m:
            raise ValueError(f"size must be at most the number of rows, {self.m}, got {size}")
        self.A: Array | None = None
        if ridge:
            if op.kind != "dense":
                raise TypeError("A must be a dense array for a ridge")
            check_finite(op.A, "A")
            self.A = op.A
        else:
            self.process = ProjectionDPP.from_factor(A, rng=seed)

    def draw(self, streams: Streams) -> tuple[Array, Array, int | None]:
        """Draw rows; return them, their weights, and how many were proposed."""
        space, xp = self.space, self.space.xp
        if self.A is not None:
            indices = self._thinned(streams)
            return indices, xp.ones_like(xp.astype(indices, xp.float64)), None
        rows = self.process._rows
        items, asked = projection(rows, streams)
        more = self.size - self.n
        if self.rescale is None:
            if more:
                u = streams.uniform(space, 0, self.m, 1, part=1)[:, 0]
                u = to_host(u).copy()
                u[to_host(items)] = 2.0  # the process has them already
                others = space.asarray(np.argpartition(u, more - 1)[:more], xp.int64)
                items = xp.concat((items, others))
            items = xp.sort(items)
            return items, xp.ones_like(xp.astype(items, xp.float64)), asked
        scores = xp.astype(rows.scores, xp.float64)
        u = streams.uniform(space, 0, self.size, 2, part=1)
        independent = pick(cumulative(scores), u[: self.size - self.n, 0], space)
        items = xp.concat((items, independent))
        items = xp.take(items, xp.argsort(u[:, 1]))
        return items, self.n / self.size / xp.take(scores, items), asked

    def log_prob(self, items: Array) -> float | None:
        """Logarithm of the probability of a draw, by the volume of orthonormal coordinates."""
        if self.A is not None:
            return None
        xp, rows, (k, n) = self.space.xp, self.process._rows, (self.size, self.n)
        F, ways = rows.take(items), math.lgamma(k - n + 1)
        if self.rescale is None:
            # sets of k rows that contain one of n: they share its volume
            ways = math.lgamma(self.m - n + 1) - math.lgamma(self.m - k + 1) - ways
            return 2 * float(xp.sum(xp.log(linalg.svdvals(F)))) - ways
        q = xp.take(xp.astype(rows.scores, xp.float64), items) / n
        volume = linalg.svdvals(F / xp.astype(xp.sqrt(q), rows.scores.dtype)[:, None])
        product = 2 * float(xp.sum(xp.log(volume))) + float(xp.sum(xp.log(q)))
        return product + ways - math.lgamma(k + 1)

    def _thinned(self, streams: Streams) -> Array:
        tries = _TRIES * self.m
        while tries <= max(_MOST, _TRIES * self.m):
            u = streams.uniform(self.space, 0, tries, 2, part=1)
            indices = thin(self.A, self.ridge, self.size, u)
            if indices.shape[0] == self.size:
                return indices
            tries *= 4
        raise SamplingError(
            f"after {tries // 4} tries {indices.shape[0]} rows are left instead of {self.size}; "
            "increase size or ridge"
        )
