"""The top eigenvector of A^T A from rows in random order: block power steps, heavy rows apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lrla._core import linalg
from lrla._core.arrays import Array, adjoint, space_of
from lrla._core.errors import AccuracyWarning, warn
from lrla._core.random import Domain, Key, key_of, seed_of, tag
from lrla._core.results import Info, Result, Status
from lrla.kernels import philox
from lrla.streaming._rows import pieces, same_kind

_STARTS = 4  # random directions: that all are nearly orthogonal to the answer is unlikely
_HEAVY = 4  # directions of the heavy rows that join them in each step


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TopEigenvectorResult(Result):
    """An estimate of the top eigenvector of ``A.T @ A``.

    Parameters
    ----------
    vector : array of shape (n,)
        Of length 1.
    value : float
        Estimated largest eigenvalue.
    gap : float
        Estimated ratio of the largest and the second eigenvalue: the error of the vector is large
        if it is close to 1.
    status : Status
        Always `Status.CONVERGED`.
    info : Info
        ``n_rows``; ``squares``, the squared Frobenius norm of the rows; ``blocks``, the number of
        power steps; ``heavy_rows``, how many of the rows kept apart are heavy; ``heavy_overflow``,
        whether there may be more; ``stored_rows``, the memory in rows; and ``seed``.
    """

    vector: Array
    value: float
    gap: float
    status: Status
    info: Info


def top_eigenvector(
    A: Any, *, n_rows: int | None = None, max_heavy: int | None = None, rng: Any = None
) -> TopEigenvectorResult:
    """Estimate the top eigenvector of ``A.T @ A`` from rows that come once, in random order.

    Parameters
    ----------
    A : array of shape (m, n), sparse matrix, dask array, or iterator over such blocks
        The rows. Shuffle them first if their order means something.
    n_rows : int, optional
        Number of rows, if an iterator brings them and it is known: blocks are then of equal length.
        Otherwise each block is as long as all before it.
    max_heavy : int, optional
        How many of the longest rows are kept apart; the default is 8 log2(n), and 0 keeps none.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed of the first directions comes from.

    Returns
    -------
    TopEigenvectorResult
        With fields vector, value, gap, status and info.

    Raises
    ------
    ValueError
        If there are no rows, an entry is not finite, or a parameter is out of range.
    TypeError
        If blocks are of different array libraries, devices or dtypes.

    Warns
    -----
    AccuracyWarning
        If more rows are heavy than are kept apart.

    See Also
    --------
    FrequentDirections : for rows in any order, with a certificate.
    Oja : in less memory.

    Notes
    -----
    Rows in random order make the Gram matrix of each block of light rows resemble that of all, so that a
    power step can be done on each; a few heavy rows are in few of the blocks, and must be kept. A
    row is called heavy here if its squared length is at least the largest eigenvalue over the
    number of blocks and log2(n): too much to be left to the luck of the cut.
    Theorem 1.1 of [1]_ has a correlation of ``1 - O(1 / sqrt(R))`` for R, the ratio of the first two
    eigenvalues, in memory for the heavy rows and some more, and says that less memory cannot do.
    What is computed here is a *reconstruction* of that idea, without its constants and so without
    its theorem: each step multiplies 4 directions, and 4 of the heavy rows, by ``light * c + H.T @
    H``, where c scales the light rows of the block to all that were seen; the answer is the best
    direction in their span, after one more step.

    Cost: 16 n flops for each row, in matrix products, and a selection of the longest rows. Memory:
    ``max_heavy + 17`` rows and a block of the input.

    References
    ----------
    .. [1] P. Kacham and D. P. Woodruff, "Approximating the top eigenvector in random order
       streams", NeurIPS 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.streaming import top_eigenvector
    >>> rng = np.random.default_rng(7)
    >>> A = rng.standard_normal((20_000, 100))
    >>> A[:, 0] *= 4
    >>> result = top_eigenvector(A, rng=7)
    >>> bool(abs(result.vector[0]) > 0.99)
    True
    """
    if n_rows is None and not isinstance(A, Iterator):
        A = A if hasattr(A, "shape") else np.asarray(A)
        n_rows = int(A.shape[0]) if len(A.shape) == 2 else 1
    if n_rows is not None and n_rows < 1:
        raise ValueError(f"A must have at least one row, got n_rows = {n_rows}")
    if max_heavy is not None and max_heavy < 0:
        raise ValueError(f"max_heavy must not be negative, got {max_heavy}")
    seed = seed_of(rng)
    stream: _Stream | None = None
    for piece in pieces(A):
        if stream is None:
            stream = _Stream(piece, n_rows, max_heavy, key_of(seed))
        same_kind(piece, stream.n, stream.G)
        stream.add(piece)
    if stream is None or stream.seen == 0:
        raise ValueError("A must have at least one row, got none")
    return stream.answer(seed)


class _Stream:
    """The state: directions, their products with the light rows of a block, and heavy rows."""

    def __init__(self, like: Array, n_rows: int | None, max_heavy: int | None, key: Key) -> None:
        space = space_of(like)
        xp = self.xp = space.xp
        self.n = n = like.shape[1]
        if n == 0:
            raise ValueError("A must have at least one column, got none")
        self.log = max(1.0, math.log2(n))
        self.max_heavy = math.ceil(8 * self.log) if max_heavy is None else int(max_heavy)
        steps = math.ceil(self.log) + 2
        # the first block; the others are as long, or as long as all before them
        self.length = 2 * n if n_rows is None else max(1, -(-n_rows // steps))
        self.doubling = n_rows is None
        G = philox.normal(space, key, tag(Domain.STREAM, 1), 0, n, min(_STARTS, n))
        self.G = xp.linalg.qr(xp.astype(G, like.dtype)).Q
        self.Z = xp.zeros_like(self.G)
        self.H = like[:0, :]
        self.lengths = space.zeros((0,), xp.float64)  # squared, of the rows of H
        self.now = space.zeros((0,), xp.float64)  # 1 for those that came in this block
        self.seen = self.known = self.in_block = self.blocks = 0
        self.squares = self.longest_light = 0.0
        self.ritz: tuple[Array, Array] | None = None
        self.end = self.length

    def add(self, rows: Array) -> None:
        """Take rows, cut where blocks end."""
        first, m = 0, rows.shape[0]
        while first < m:
            last = min(m, first + self.end - self.seen)
            self._take(rows[first:last, :])
            first = last
            if self.seen == self.end:
                self._step()
                self.end += self.seen if self.doubling else self.length

    def _take(self, rows: Array) -> None:
        """Keep the longest rows of all; multiply the others with the directions."""
        xp = self.xp
        lengths = xp.astype(linalg.norm(rows, axis=1), xp.float64) ** 2
        self.squares += float(xp.sum(lengths))
        self.seen += rows.shape[0]
        self.in_block += rows.shape[0]
        rows = xp.concat([self.H, rows], axis=0)
        lengths = xp.concat([self.lengths, lengths])
        now = xp.concat([self.now, xp.ones_like(lengths[self.now.shape[0] :])])
        order = xp.argsort(lengths, descending=True, stable=True)
        kept, rest = order[: self.max_heavy], order[self.max_heavy :]
        if rest.shape[0] > 0:
            self.longest_light = max(self.longest_light, float(lengths[rest[0]]))
            light = xp.take(rows, rest, axis=0)
            # rows that leave H were counted as light in the block in which they came
            weight = xp.astype(xp.take(now, rest), light.dtype)
            self.Z = self.Z + adjoint(light) @ (weight[:, None] * (light @ self.G))
        self.H = xp.take(rows, kept, axis=0)
        self.lengths, self.now = xp.take(lengths, kept), xp.take(now, kept)

    def _step(self) -> None:
        """Multiply the directions by an estimate of the Gram matrix of all rows seen."""
        xp = self.xp
        light_here = self.in_block - float(xp.sum(self.now))
        scale = (self.seen - self.H.shape[0]) / light_here if light_here > 0 else 0.0
        Y = scale * self.Z + adjoint(self.H) @ (self.H @ self.G)
        values, W = xp.linalg.eigh(_hermitian(adjoint(self.G) @ Y))
        W = xp.flip(W, axis=1)
        Y = Y @ W
        self.ritz, self.known = (Y[:, 0], xp.flip(values)), self.seen
        if self.H.shape[0] > 0:
            _, _, Vh = linalg.svd(self.H)
            Y = xp.concat([Y[:, :_STARTS], adjoint(Vh[:_HEAVY, :])], axis=1)
        else:
            Y = Y[:, :_STARTS]
        peaks = linalg.norm(Y, axis=0)
        Y = Y / xp.where(peaks > 0, peaks, xp.ones_like(peaks))[None, :]
        self.G = xp.linalg.qr(Y[:, : min(Y.shape[1], self.n)]).Q
        self.Z = xp.zeros_like(self.G)
        self.now = xp.zeros_like(self.now)
        self.in_block = 0
        self.blocks += 1

    def answer(self, seed: int) -> TopEigenvectorResult:
        """Do a last step if the last block is at least half done, and say what was found."""
        xp = self.xp
        if self.ritz is None or 2 * self.in_block >= self.end - (self.seen - self.in_block):
            self._step()
        assert self.ritz is not None
        top, values = self.ritz
        length = linalg.norm(top)
        if length == 0.0:  # all rows are zero: any direction will do
            top, length = self.G[:, 0], 1.0
        threshold = max(float(values[0]), 0.0) / (self.blocks * self.log)
        heavy = int(xp.sum(xp.astype(self.lengths >= threshold, xp.int64))) if self.squares else 0
        overflow = self.longest_light > threshold
        if overflow:
            warn(
                f"more rows are heavy than the {self.max_heavy} that are kept apart; pass "
                "max_heavy= or take FrequentDirections",
                AccuracyWarning,
            )
        second = float(values[1]) if values.shape[0] > 1 else 0.0
        value = float(values[0]) * (self.seen / self.known)
        info = Info(
            n_rows=self.seen, squares=self.squares, blocks=self.blocks, heavy_rows=heavy,
            heavy_overflow=overflow, stored_rows=self.H.shape[0] + 2 * self.G.shape[1], seed=seed,
        )  # fmt: skip
        gap = float(values[0]) / second if second > 0 else math.inf
        return TopEigenvectorResult(top / length, value, gap, Status.CONVERGED, info)


def _hermitian(M: Array) -> Array:
    return (M + adjoint(M)) / 2
