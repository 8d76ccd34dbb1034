"""Row sampling while rows come by: decide about each at once, and never again."""

from __future__ import annotations

import math
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, Space, real_dtype, space_of
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.results import Info, Status
from lrla.kernels import philox
from lrla.kernels.row_squares import row_squares
from lrla.sampling._designs import Draw
from lrla.sampling._row_sample import joined, row_sample
from lrla.sampling._streams import StreamSample, as_rows

_STREAM = 2  # of the domain of samples
_BLOCK = 256  # rows that meet one and the same factor


class OnlineRowSampler:
    """Keep few rows of a stream that stand for all of them: a spectral approximation.

    Parameters
    ----------
    n : int
        Number of columns.
    ridge : float
        Positive: squared lengths below which the approximation may be coarse.
    eps : float, default 0.5
        Accuracy, between 0 and 1: with B the scaled rows that are kept,
        ``abs(norm(B @ x)**2 - norm(A @ x)**2) <= eps * (norm(A @ x)**2 + ridge * norm(x)**2)``
        for all x at once.
    delta : float, default 0.1
        Probability with which that may fail.
    row_offset : int, default 0
        Number of the first row, if others look at the rows before.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from.

    Attributes
    ----------
    n_rows : int
        Number of rows that came by.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    leverage_scores, sample_rows : for data that can be passed over twice.
    ReservoirSampler : if scores are known.

    Notes
    -----
    Row a is kept with probability ``min(1, c * l)``, ``l = min(1, (1 + eps) a (B^H B +
    ridge I)^-1 a^H)`` its leverage score with respect to what was kept before, and then divided by
    the root of that probability [1]_. Scores of later rows only fall, so that nothing is ever
    taken back. The number of rows kept is O(n log(n) log(norm(A)**2 / ridge) / eps**2).

    The rate is ``c = 4 log(2 n / delta) / eps**2``; [1]_ has ``8 log(n) / eps**2``, for a
    probability of failure of about 1 / n, and its additive error is ``eps * ridge`` here. Such
    constants are generous: eps is an upper limit, and the error is a fraction of it as a rule.

    Rows are decided on in groups of 256, counted from the first row, with the factor of the rows
    kept before the group: the scores can only be larger for that. How rows are cut into calls of
    ``partial_fit`` changes nothing.

    Cost: ``3 n**2`` flops a row (and a QR factorization of those kept); memory, the rows kept and
    n**2.

    References
    ----------
    .. [1] M. B. Cohen, C. Musco and J. Pachocki, "Online row sampling", Theory of Computing 16(15),
       2020.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import OnlineRowSampler
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_normal((50_000, 5))
    >>> online = OnlineRowSampler(5, 1.0, rng=7)
    >>> for block in np.split(A, 50):
    ...     online.partial_fit(block)
    >>> kept = online.finalize()
    >>> len(kept.sample) < 10_000
    True
    >>> ratios = np.linalg.eigvalsh(kept.scaled().T @ kept.scaled()) / 50_000
    >>> bool(np.all(abs(ratios - 1) < 0.5))
    True
    """

    def __init__(
        self,
        n: int,
        ridge: float,
        *,
        eps: float = 0.5,
        delta: float = 0.1,
        row_offset: int = 0,
        rng: Any = None,
    ) -> None:
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        if not 0 < ridge < math.inf:
            raise ValueError(f"ridge must be positive and finite, got {ridge}")
        for name, value in (("eps", eps), ("delta", delta)):
            if not 0 < value < 1:
                raise ValueError(f"{name} must be between 0 and 1, got {value}")
        if row_offset < 0:
            raise ValueError(f"row_offset must not be negative, got {row_offset}")
        self.n = int(n)
        self.ridge, self.eps, self.delta = float(ridge), float(eps), float(delta)
        self._first, self._seed = int(row_offset), seed_of(rng)
        self._rate = 4 * math.log(2 * n / delta) / eps**2
        self._decided = self._first  # all rows before this one
        self._pending: Array = None  # rows of a group that is not complete
        self._factor: Array = None  # upper triangular: R^H R = B^H B + ridge I
        self._kept: list[tuple[Array, Array, Array]] = []  # numbers, probabilities, rows
        self._ranges: tuple[tuple[int, int], ...] = ()  # of merged samplers

    @property
    def n_rows(self) -> int:
        """Number of rows that came by."""
        waiting = 0 if self._pending is None else int(self._pending.shape[0])
        others = sum(b - a for a, b in self._ranges)
        return self._decided - self._first + waiting + others

    def partial_fit(self, A: Any) -> None:
        """Look at a block of rows, in the order of the stream.

        Parameters
        ----------
        A : array of shape (k, n) or sparse matrix
            The rows; those that are kept become dense.

        Raises
        ------
        ValueError
            If A has another number of columns or an entry that is not finite.
        TypeError
            If A is of another array library, device or dtype than the blocks before.
        """
        op = as_rows(A, self.n, self._pending)
        space, k = op.space, op.shape[0]
        if self._factor is None:
            self._pending = space.zeros((0, self.n), op.dtype)
            self._factor = math.sqrt(self.ridge) * space.eye(self.n, op.dtype)
        if self._ranges:
            end = self._decided + int(self._pending.shape[0])
            joined(((end, end + k),), self._ranges)
        a = 0
        while a < k:
            room = _BLOCK - int(self._pending.shape[0])
            b = min(a + room, k)
            rows = op.A[a:b].toarray() if op.kind == "sparse" else op.A[a:b, :]
            self._pending = space.xp.concat((self._pending, rows), axis=0)
            if int(self._pending.shape[0]) == _BLOCK:
                self._decide(space)
            a = b

    def _decide(self, space: Space) -> None:
        numbers, probs, rows = self._choice(space)
        self._decided += int(self._pending.shape[0])
        self._pending = self._pending[:0, :]
        if int(rows.shape[0]):
            self._kept.append((numbers, probs, rows))
            self._add(space, probs, rows)

    def _choice(self, space: Space) -> tuple[Array, Array, Array]:
        """Choose among the rows that are pending, by the factor of those before them."""
        xp, X = space.xp, self._pending
        T = linalg.solve_triangular(self._factor, space.eye(self.n, X.dtype))
        scores = xp.astype(row_squares(X, T), xp.float64) * (1 + self.eps)
        probs = xp.clip(self._rate * xp.clip(scores, max=1.0), max=1.0)
        first = self._decided
        label = tag(Domain.SAMPLE, _STREAM)
        u = philox.uniform(space, key_of(self._seed), label, first, first + int(X.shape[0]), 1)
        picked = xp.nonzero(u[:, 0] < probs)[0]
        return picked + first, xp.take(probs, picked), xp.take(X, picked, axis=0)

    def _add(self, space: Space, probs: Array, rows: Array) -> None:
        xp = space.xp
        scale = xp.astype(1 / xp.sqrt(probs), real_dtype(xp, rows.dtype))
        self._factor = linalg.qr_r(xp.concat((self._factor, scale[:, None] * rows), axis=0))

    def merge(self, other: OnlineRowSampler) -> None:
        """Add what another sampler has kept of other rows.

        Parameters
        ----------
        other : OnlineRowSampler
            With the same n, ridge, eps and delta, over other rows (``row_offset``). It is not
            changed.

        Raises
        ------
        ValueError
            If a parameter differs, or a row was seen by both.

        Notes
        -----
        The errors add up: the ridge counts once for each of the merged samplers, and so does delta.
        """
        names = ("n", "ridge", "eps", "delta")
        if any(getattr(self, k) != getattr(other, k) for k in names):
            raise ValueError("samplers must have equal n, ridge, eps and delta to be merged")
        joined(self._spans(), other._spans())
        if other._factor is None:
            return
        if self._factor is None:
            raise ValueError("partial_fit must come before merge: no row was seen")
        space = as_rows(other._pending, self.n, self._pending).space
        kept = list(other._kept)
        if int(other._pending.shape[0]):
            kept.append(other._choice(space))
        for numbers, probs, rows in kept:
            if int(rows.shape[0]):
                self._kept.append((numbers, probs, rows))
                self._add(space, probs, rows)
        self._ranges = tuple(sorted((*self._ranges, *other._spans())))

    def _spans(self) -> tuple[tuple[int, int], ...]:
        others = sum(b - a for a, b in self._ranges)
        own = (self._first, self._first + self.n_rows - others)
        return (own, *self._ranges) if own[1] > own[0] else self._ranges

    def finalize(self) -> StreamSample:
        """Return the rows kept so far; more may follow.

        Returns
        -------
        StreamSample
            With fields rows, sample, status and info, and the method ``scaled``. The variance of
            ``sample.estimate`` is without bias: the draws are uncorrelated.

        Raises
        ------
        ValueError
            If no row came by.
        """
        if self.n_rows == 0:
            raise ValueError("partial_fit must come before finalize: no row was seen")
        space = space_of(self._pending)
        xp = space.xp
        kept = [*self._kept, self._choice(space)]  # of a copy, as it were: nothing is decided
        numbers, probs, rows = (xp.concat([part[i] for part in kept], axis=0) for i in range(3))
        order = xp.argsort(numbers)
        numbers, probs = xp.take(numbers, order), xp.take(probs, order)
        n = int(numbers.shape[0])
        certain = int(xp.count_nonzero(probs >= 1))
        draw = Draw(numbers, xp.ones_like(numbers), probs, certain, float(n))
        spans = joined(self._spans(), ())
        dtype = real_dtype(xp, rows.dtype)
        sample = row_sample(draw, "online", n, self.n_rows, dtype, spans, self._seed)
        return StreamSample(
            xp.take(rows, order, axis=0),
            sample,
            Status.CONVERGED,
            Info(
                n_rows=self.n_rows,
                eps=self.eps,
                ridge=self.ridge,
                delta=self.delta,
                rate=self._rate,
                seed=self._seed,
            ),
        )
