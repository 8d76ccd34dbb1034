"""Samples of rows that come by once: a reservoir of fixed size, and what a stream hands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lrla._core.arrays import Array, as_array, real_dtype, space_of
from lrla._core.numbers import whole
from lrla._core.operators import Operator, as_operator
from lrla._core.random import key_of, seed_of
from lrla._core.results import Info, Result, Status
from lrla.blocks import RowBlocks, as_blocks
from lrla.sampling._designs import DESIGNS, Request
from lrla.sampling._probabilities import look
from lrla.sampling._row_sample import RowSample, row_sample


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StreamSample(Result):
    """Rows that were kept from a stream, and what they stand for.

    Parameters
    ----------
    rows : array of shape (k, n)
        The rows as they came.
    sample : RowSample
        Their numbers, probabilities and weights.
    status : Status
        `Status.CONVERGED`, or `Status.BUDGET` if too few rows are left for the accuracy that was
        asked for, or none of some direction.
    info : Info
        ``n_rows``, how many rows came by; ``seed``; of `OnlineRowSampler` also ``p``, ``ridge``,
        ``delta``, ``rate`` and ``eps``, what that rate stands for; ``error``, for p = 2 the largest
        error, measured; ``rank``, in how many directions rows are longer than the root of the ridge,
        and ``lost``, of how many of these nothing was kept.
    """

    rows: Array
    sample: RowSample
    status: Status
    info: Info

    def scaled(self, p: float | None = None) -> Array:
        """Scale the rows to keep p-norms in expectation.

        Parameters
        ----------
        p : float, optional
            Which norm. By default that of the sampler, and 2 for a reservoir.

        Returns
        -------
        array of shape (k, n)
            ``weights ** (1 / p)`` times the rows.
        """
        xp = space_of(self.rows).xp
        factors = xp.astype(
            self.sample.scale(self.info.get("p", 2) if p is None else p),
            real_dtype(xp, self.rows.dtype),
        )
        return self.rows * factors[:, None]


def as_rows(A: Any, n: int, before: Array | None) -> Operator:
    """Check a block of a stream: an array or a sparse matrix with n columns, as those before."""
    op = as_operator(A)
    if op.kind not in ("dense", "sparse"):
        raise TypeError(f"A must be an array or a sparse matrix, got {type(A).__name__}")
    if op.shape[1] != n:
        raise ValueError(f"A must have {n} columns, got shape {op.shape}")
    if before is not None and (space_of(before) != op.space or before.dtype != op.dtype):
        raise TypeError(
            "A must be of the array library, device and dtype of the blocks before, got "
            f"{op.dtype} after {before.dtype}"
        )
    op.check_entries()
    return op


class ReservoirSampler:
    """Keep a weighted sample of fixed size of the rows of a stream, in one pass.

    Parameters
    ----------
    n : int
        Number of columns.
    size : int
        Number of rows to keep.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        Where the seed comes from. Samplers that shall be merged need the same seed.

    Attributes
    ----------
    n_rows : int
        Number of rows that came by.

    Raises
    ------
    ValueError
        If n or size is no integer, or less than 1.

    See Also
    --------
    sample_rows : the same sample, by ``design="bottom_k"``, from all scores at once.
    OnlineRowSampler : finds the scores itself, and a size that they need.

    Notes
    -----
    Row i has the key E_i / scores_i, E_i exponential [1]_; the ``size`` smallest keys are kept, and
    the next one gives the weights [2]_. E_i is a function of the seed and of i alone: whatever the
    blocks, their order or who looked at them, the sample is the same in every bit.

    Memory: ``size`` rows and one block.

    References
    ----------
    .. [1] P. S. Efraimidis and P. G. Spirakis, "Weighted random sampling with a reservoir",
       Information Processing Letters 97, 2006.
    .. [2] E. Cohen and H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from lrla.sampling import ReservoirSampler
    >>> rng = np.random.default_rng(7)
    >>> reservoir = ReservoirSampler(3, 50, rng=7)
    >>> for _ in range(20):
    ...     A = rng.standard_normal((100, 3))
    ...     reservoir.partial_fit(A, np.sum(A**2, axis=1))
    >>> kept = reservoir.finalize()
    >>> kept.scaled().shape
    (50, 3)
    """

    def __init__(self, n: int, size: int, *, rng: Any = None) -> None:
        self.n, self.size = whole(n, "n", 1), whole(size, "size", 1)
        self._seed = seed_of(rng)
        self._sample: RowSample | None = None
        self._rows: Array = None

    @property
    def n_rows(self) -> int:
        """Number of rows that came by."""
        return 0 if self._sample is None else sum(b - a for a, b in self._sample.info.ranges)

    def partial_fit(self, A: Any, scores: Any, row_offset: int | None = None) -> None:
        """Look at a block of rows.

        Parameters
        ----------
        A : array of shape (k, n), sparse matrix or dask array
            The rows; those that are kept become dense. Dask arrays are computed block by block.
        scores : array of shape (k,)
            How important each is, not negative.
        row_offset : int, optional
            Number of the first row; the default is the one after the largest seen.

        Raises
        ------
        ValueError
            If shapes do not fit, a score is negative, an entry is not finite, or a row was seen
            before.
        TypeError
            If A is of another array library, device or dtype than the blocks before.
        """
        A = as_blocks(A)
        in_blocks = isinstance(A, RowBlocks)
        op = as_operator(A) if in_blocks else as_rows(A, self.n, self._rows)
        scores = as_array(scores, "scores", ndim=(1,))
        looked = look(scores)
        space_of(looked.values, op.space.zeros((0,), op.dtype))
        k = op.shape[0]
        if looked.values.shape[0] != k:
            raise ValueError(
                f"scores must have one entry for each row of A, got {looked.values.shape[0]} "
                f"for {k}"
            )
        first = self._next() if row_offset is None else whole(row_offset, "row_offset", 0)
        if in_blocks:
            for a, b in A.bounds:
                self.partial_fit(A.array[a:b].compute(), scores[a:b], first + a)
            return
        if k == 0:
            return
        draw = DESIGNS["bottom_k"](
            Request(looked, self.size, key_of(self._seed), True, None, first)
        )
        picked = draw.indices
        new = row_sample(
            draw._replace(indices=picked + first), "bottom_k", self.size, looked.positive,
            looked.dtype, ((first, first + k),), self._seed,
        )  # fmt: skip
        rows = op.A[picked].toarray() if op.kind == "sparse" else op.space.xp.take(
            op.A, picked, axis=0
        )  # fmt: skip
        self._join(new, rows)

    def merge(self, other: ReservoirSampler) -> None:
        """Add the rows that another sampler has seen.

        Parameters
        ----------
        other : ReservoirSampler
            With the same size and seed, over other rows. It is not changed.

        Raises
        ------
        ValueError
            If n, sizes or seeds differ, or a row was seen by both.
        TypeError
            If the other is no `ReservoirSampler`, or its rows are of another array library, device
            or dtype.
        """
        if not isinstance(other, ReservoirSampler):
            raise TypeError(f"other must be a ReservoirSampler, got {type(other).__name__}")
        mine, yours = (self.n, self.size, self._seed), (other.n, other.size, other._seed)
        if mine != yours:
            raise ValueError(
                f"samplers must have equal n, size and seed to be merged, got {mine} and {yours}; give "
                "both the same integer rng"
            )
        if other._sample is not None:
            as_rows(other._rows, self.n, self._rows)
            self._join(other._sample, other._rows)

    def finalize(self) -> StreamSample:
        """Return the sample of the rows so far; more may follow.

        Returns
        -------
        StreamSample
            With fields rows, sample, status and info, and the method ``scaled``.

        Raises
        ------
        ValueError
            If no row came by.
        """
        if self._sample is None:
            raise ValueError("partial_fit must come before finalize: no row was seen")
        return StreamSample(
            self._rows, self._sample, Status.CONVERGED, Info(n_rows=self.n_rows, seed=self._seed)
        )

    def _next(self) -> int:
        return 0 if self._sample is None else int(self._sample.info.ranges[-1][1])

    def _join(self, new: RowSample, rows: Array) -> None:
        if self._sample is None:
            self._sample, self._rows = new, rows
            return
        merged = self._sample.merge(new)
        xp = space_of(rows).xp
        seen = xp.concat((self._sample.indices, new.indices))
        order = xp.argsort(seen)
        place = xp.searchsorted(xp.take(seen, order), merged.indices)
        both = xp.concat((self._rows, rows), axis=0)
        self._sample, self._rows = merged, xp.take(both, xp.take(order, place), axis=0)
