"""Oja's method: the leading directions of a stream, in the memory of those directions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, real_dtype, space_of
from lrla._core.numbers import whole
from lrla._core.random import Domain, key_of, seed_of, tag
from lrla._core.results import Info, Result, Status
from lrla.kernels import philox
from lrla.streaming._rows import RowStream

Window = tuple[Array, int]  # sums of squared projections, and of how many rows


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OjaResult(Result):
    """Leading directions of the rows seen.

    Parameters
    ----------
    vectors : array of shape (n, rank)
        Orthonormal columns.
    values : array of shape (rank,)
        Estimated eigenvalues of ``A.T @ A``: squared projections of rows on the directions of
        before, over the last half of the stream or more, scaled to all rows.
    status : Status
        Always `Status.CONVERGED`.
    info : Info
        ``n_rows``, ``squares``, the squared Frobenius norm of the rows, ``log_growth``, by how much
        the logarithm of the length of the first direction would have grown without normalisation,
        and ``seed``.
    """

    vectors: Array
    values: Array
    status: Status
    info: Info


class Oja(RowStream):
    """Follow the leading eigenvectors of ``A.T @ A`` over rows that are seen once.

    Parameters
    ----------
    n : int
        Number of columns.
    rank : int, default 1
        How many directions.
    learning_rate : float, optional
        Step for each row, in units of one over a squared length. By default steps adapt to the
        gradients seen.
    batch : int, default 64
        Rows in each step; steps do not depend on how rows are cut into blocks.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the first directions comes from.

    Attributes
    ----------
    n_rows : int
        Number of rows seen.
    seed : int
        The seed: given as ``rng`` it repeats the result.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    See Also
    --------
    FrequentDirections : with a certificate, in more memory.
    top_eigenvector : a few long steps, and heavy rows kept apart.

    Notes
    -----
    Each step is ``V = qr(V + X.T @ (X @ V) * step)`` for a batch X [1]_. Without ``learning_rate``,
    the step of column i is one over the root of the sum of squares of all gradients ``X.T @ X @
    V[:, i]`` so far [2]_. Rows count as they are: subtract their mean first for principal
    components. There is no certificate: if few rows decide the answer, or the first two eigenvalues
    are close, it can be wrong.

    Cost: 4 n rank flops for each row. Memory: ``2 * rank + batch`` rows.

    References
    ----------
    .. [1] E. Oja, "A simplified neuron model as a principal component analyzer", J. Math. Biology
       15, 1982.
    .. [2] A. Henriksen and R. Ward, "AdaOja: adaptive learning rates for streaming PCA",
       arXiv:1905.12115, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.streaming import Oja
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_normal((20_000, 20)) * np.linspace(3, 1, 20)
    >>> stream = Oja(20, rng=7)
    >>> stream.partial_fit(A)
    >>> bool(abs(stream.result().vectors[0, 0]) > 0.95)
    True
    """

    def __init__(
        self, n: int, rank: int = 1, *, learning_rate: float | None = None, batch: int = 64,
        rng: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(n)
        self.rank = whole(rank, "rank", 1, self.n, rule=f" between 1 and n = {n}")
        if learning_rate is not None and not 0 < learning_rate < math.inf:
            raise ValueError(f"learning_rate must be positive and finite, got {learning_rate}")
        self.batch = whole(batch, "batch", 1)
        self.learning_rate = learning_rate
        self.seed = seed_of(rng)
        self._waiting: Array = None  # rows of a batch that is not full
        self._state: _State | None = None

    def result(self) -> OjaResult:
        """Return the directions after the rows seen so far; more may follow.

        Returns
        -------
        OjaResult
            With fields vectors, values, status and info.

        Raises
        ------
        ValueError
            If no row was seen.
        """
        if self._state is None:
            raise ValueError("partial_fit must come before result: no row was seen")
        state = self._state
        if self._waiting.shape[0] > 0:
            state = self._step(state, self._waiting)
        info = Info(
            n_rows=self.n_rows, squares=self.squares, log_growth=state.log_growth, seed=self.seed
        )  # fmt: skip
        (before, k), (present, m) = state.windows
        values = (before + present) * (self.n_rows / max(k + m, 1))
        return OjaResult(state.V, values, Status.CONVERGED, info)

    def _like(self) -> Array | None:
        return self._waiting

    def _add(self, piece: Array) -> None:
        state = self._state or self._begin(piece)
        before = piece[:0, :] if self._waiting is None else self._waiting
        rows = space_of(piece).xp.concat([before, piece], axis=0)
        full = rows.shape[0] - rows.shape[0] % self.batch
        for first in range(0, full, self.batch):
            state = self._step(state, rows[first : first + self.batch, :])
        self._state, self._waiting = state, rows[full:, :]

    def _begin(self, like: Array) -> _State:
        space = space_of(like)
        xp = space.xp
        G = philox.normal(space, key_of(self.seed), tag(Domain.STREAM), 0, self.n, self.rank)
        V = xp.linalg.qr(xp.astype(G, like.dtype)).Q
        zero = space.zeros((self.rank,), real_dtype(xp, like.dtype))
        return _State(V, zero, 0.0, 0, 0, ((zero, 0), (zero, 0)))

    def _step(self, state: _State, X: Array) -> _State:
        xp = space_of(X).xp
        projected = X @ state.V
        G = adjoint(X) @ projected
        if self.learning_rate is None:
            size = xp.hypot(state.gradients, linalg.norm(G, axis=0))
            step = 1.0 / xp.where(size > 0, size, xp.ones_like(size))
        else:
            size = state.gradients
            step = xp.zeros_like(size) + self.learning_rate
        V = state.V + G * step[None, :]
        growth = state.log_growth + math.log(linalg.norm(V[:, 0]))
        if self.rank == 1:
            V = V / linalg.norm(V)
        else:
            Q, R = xp.linalg.qr(V)
            signs = xp.sign(_real(xp, xp.linalg.diagonal(R)))  # so that V turns continuously
            V = Q * xp.where(signs == 0, xp.ones_like(signs), signs)[None, :]
        energy = xp.sum(xp.abs(projected) ** 2, axis=0)
        seen = state.seen + X.shape[0]
        before, present = state.windows
        if state.seen >= 2 * state.start:  # twice as many as when the window began: the next one
            return _State(V, size, growth, seen, state.seen, (present, (energy, X.shape[0])))
        window = (present[0] + energy, present[1] + X.shape[0])
        return _State(V, size, growth, seen, state.start, (before, window))


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Directions, and what is summed on the way."""

    V: Array
    gradients: Array  # root of the sum of their squared norms
    log_growth: float
    seen: int
    start: int  # rows seen when the present window began
    windows: tuple[Window, Window]  # the one before, and the present one


def _real(xp: Any, x: Array) -> Array:
    return xp.real(x) if xp.isdtype(x.dtype, "complex floating") else x
